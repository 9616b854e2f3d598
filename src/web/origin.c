/* SPDX-License-Identifier: MIT */
/*
 * Origins ("https://a.example") and patterns of them: a `*` as first label or as port.
 *
 *  - An origin is compared byte by byte (Fetch standard §4.10): browsers write it in one way only.
 *  - What a `*` stands for has no byte that could end a host or a port: so an origin that somebody
 *    made up cannot pass for another.
 */
#include "web/origin.h"

#include <torc/target.h>

#include "base/ascii.h"
#include "message/bytes.h"

#define SCHEME_END TORC_STR("://")

static bool is_host_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
           byte == '.' || byte == '_';
}

static bool is_host(torc_str text) {
    if (text.len == 0 || text.bytes[0] == '.' || text.bytes[text.len - 1] == '.') return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_host_byte(text.bytes[i])) return false;
    return torc_str_find(text, TORC_STR("..")) < 0;
}

/* An address of IPv6, in its brackets. */
static bool is_literal(torc_str text) {
    return torc_str_starts_with(text, TORC_STR("[")) && torc_str_ends_with(text, TORC_STR("]")) &&
           torc_authority_is_valid(text);
}

static bool is_port(torc_str text) {
    uint64_t port;
    return !torc_str_parse_uint(text, 65535, &port);
}

/* Where the colon before a port is: not within brackets, nor behind a scheme. -1: there is none. */
static ptrdiff_t port_colon(torc_str text) {
    for (size_t i = text.len; i > 0; i--) {
        if (text.bytes[i - 1] == ']' || text.bytes[i - 1] == '/') return -1;
        if (text.bytes[i - 1] == ':') return (ptrdiff_t)(i - 1);
    }
    return -1;
}

static const char *check_host(torc_str host) {
    const ptrdiff_t colon = port_colon(host);

    if (colon >= 0) {
        const torc_str port = torc_str_from(host, (size_t)colon + 1);
        if (!torc_str_equals(port, TORC_STR("*")) && !is_port(port))
            return "has a port that is none";
        host = torc_str_head(host, (size_t)colon);
    }
    if (torc_str_starts_with(host, TORC_STR("*."))) host = torc_str_from(host, 2);
    if (torc_str_find_byte(host, '*') >= 0)
        return "has a `*` that is neither its first label nor its port";
    return is_host(host) || is_literal(host) ? NULL : "has a host that is none";
}

const char *torc_origin_pattern_check(torc_str pattern) {
    const ptrdiff_t end = torc_str_find(pattern, SCHEME_END);

    if (torc_str_equals(pattern, TORC_STR("*")) || torc_str_equals(pattern, TORC_STR("null")))
        return NULL;
    for (size_t i = 0; i < pattern.len; i++)
        if (torc_is_capital(pattern.bytes[i]))
            return "has capital letters, which browsers make small";
    if (end < 0 || !torc_is_scheme(torc_str_head(pattern, (size_t)end)))
        return "has no scheme: write it as https://app.example";
    const torc_str host = torc_str_from(pattern, (size_t)end + 3);
    if (torc_str_find_byte(host, '/') >= 0) return "has a path or a slash at its end";
    return check_host(host);
}

/* The part of an origin that a `*` before `tail` stands for; false when it has not that tail. */
static bool cut(torc_str *origin, torc_str head, torc_str tail) {
    if (origin->len <= head.len + tail.len) return false;
    if (!torc_str_starts_with(*origin, head) || !torc_str_ends_with(*origin, tail)) return false;
    *origin = torc_str_make(origin->bytes + head.len, origin->len - head.len - tail.len);
    return true;
}

bool torc_origin_matches(torc_str pattern, torc_str origin) {
    torc_str port;

    if (torc_str_equals(pattern, origin)) return true;
    if (torc_str_ends_with(pattern, TORC_STR(":*"))) {
        const ptrdiff_t colon = port_colon(origin);
        pattern.len -= 2;
        if (colon < 0) return torc_origin_matches(pattern, origin);
        port = torc_str_from(origin, (size_t)colon + 1);
        return is_port(port) && torc_origin_matches(pattern, torc_str_head(origin, (size_t)colon));
    }
    const ptrdiff_t star = torc_str_find(pattern, TORC_STR("*."));
    return star >= 0 &&
           cut(&origin, torc_str_head(pattern, (size_t)star),
               torc_str_from(pattern, (size_t)star + 1)) &&
           is_host(origin);
}
