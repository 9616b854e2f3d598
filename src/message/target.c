/* SPDX-License-Identifier: MIT */
/*
 * Request targets and authorities.
 *
 *  - A target is refused rather than repaired.
 *  - Beyond what RFC 3986 allows in a path and query, the visible ASCII that browsers send as it is
 *    (`|`, `[`, `^` …) is taken: it has no meaning here, and refusing it would break the web.
 */
#include <arpa/inet.h>
#include <torc/target.h>

#include "base/ascii.h"
#include "message/bytes.h"

/* Whether a `%` at `at` begins an escape of something else than NUL. */
static bool is_escape(const char *at, const char *end) {
    if (end - at < 3) return false;
    const int high = torc_hex_digit(at[1]), low = torc_hex_digit(at[2]);
    return high >= 0 && low >= 0 && (high | low) != 0;
}

/* What is not a path's alone. */
static inline torc_bytes16 odd_in_path(torc_bytes16 v) {
    return (torc_bytes16)((v <= 0x20) | (v >= 0x7f) | (v == '#') | (v == '%') | (v == '?'));
}

/* What is no letter, digit, `-` or `.`: names have hardly anything else. */
static inline torc_bytes16 odd_in_name(torc_bytes16 v) {
    const torc_bytes16 letter = (v | 0x20) - 'a', digit = v - '0', mark = v - '-';
    return (torc_bytes16)((letter > 25) & (digit > 9) & (mark > 1));
}

/* Check path and query, and where the query begins (NULL: there is none). */
static bool check_path(torc_str text, const char **query) {
    const char *const end = text.bytes + text.len;

    *query = NULL;
    for (const char *at = text.bytes; at < end; at++) {
        if (torc_byte_is(*at, TORC_BYTE_TARGET)) continue;
        if (*at == '?') {
            if (!*query) *query = at + 1;
        } else if (*at != '%' || !is_escape(at, end)) {
            return false;
        }
    }
    return true;
}

static torc_err read_path(torc_str text, torc_target *target) {
    const char *query = NULL;

    if (text.len >= 8 && !torc_bytes_have(text.bytes, text.len, odd_in_path)) {
        target->path = text;
        return TORC_OK;
    }
    if (!check_path(text, &query)) return TORC_ERR_SYNTAX;
    const char *const end = text.bytes + text.len;
    target->path = torc_str_make(text.bytes, (size_t)((query ? query - 1 : end) - text.bytes));
    if (query) target->query = torc_str_make(query, (size_t)(end - query));
    return TORC_OK;
}

bool torc_is_scheme(torc_str text) {
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.bytes[i];
        const bool may_follow = torc_is_digit(c) || c == '+' || c == '-' || c == '.';
        if (!torc_is_letter(c) && !(may_follow && i > 0)) return false;
    }
    return text.len > 0;
}

/* "http://host/path": other schemes than http and https are for a proxy, which this is not to
 * decide. */
static torc_err read_absolute(torc_str text, torc_target *target) {
    const ptrdiff_t colon = torc_str_find(text, TORC_STR("://"));
    torc_authority authority;
    torc_err err;

    if (colon <= 0) return TORC_ERR_SYNTAX;
    target->form = TORC_TARGET_ABSOLUTE;
    target->scheme = torc_str_head(text, (size_t)colon);
    if (!torc_is_scheme(target->scheme)) return TORC_ERR_SYNTAX;

    const torc_str rest = torc_str_from(text, (size_t)colon + 3);
    size_t len = 0;
    while (len < rest.len && rest.bytes[len] != '/' && rest.bytes[len] != '?') len++;
    target->authority = torc_str_head(rest, len);
    err = torc_authority_parse(target->authority, &authority);
    if (!err) err = read_path(torc_str_from(rest, len), target);
    if (!err && target->path.len == 0) target->path = TORC_STR("/");
    return err;
}

static torc_err read_authority_form(torc_str text, torc_target *target) {
    torc_authority authority;

    target->form = TORC_TARGET_AUTHORITY;
    target->authority = text;
    target->path = torc_str_make("", 0);
    const torc_err err = torc_authority_parse(text, &authority);
    return err ? err : authority.port <= 0 ? TORC_ERR_SYNTAX : TORC_OK; /* RFC 9110 §9.3.6 */
}

torc_err torc_target_parse(torc_str text, torc_method method, torc_target *target) {
    *target = (torc_target){.form = TORC_TARGET_ORIGIN, .text = text};
    if (text.len == 0) return TORC_ERR_SYNTAX;
    if (method == TORC_METHOD_CONNECT) return read_authority_form(text, target);
    if (text.bytes[0] == '/') return read_path(text, target);
    if (text.len == 1 && text.bytes[0] == '*') {
        target->form = TORC_TARGET_ASTERISK;
        target->path = text;
        return method == TORC_METHOD_OPTIONS ? TORC_OK : TORC_ERR_SYNTAX;
    }
    return read_absolute(text, target);
}

/* "v1.name": RFC 3986 §3.2.2. */
static bool is_future_address(torc_str inner) {
    const ptrdiff_t dot = torc_str_find_byte(inner, '.');

    if (dot < 2 || (size_t)dot + 1 == inner.len) return false;
    for (ptrdiff_t i = 1; i < dot; i++)
        if (torc_hex_digit(inner.bytes[i]) < 0) return false;
    for (size_t i = (size_t)dot + 1; i < inner.len; i++)
        if (!torc_byte_is(inner.bytes[i], TORC_BYTE_REG_NAME) && inner.bytes[i] != ':')
            return false;
    return true;
}

/* Read without a zone, which has no meaning outside of the machine it is written on. */
static bool is_ipv6_address(torc_str inner) {
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (inner.len >= sizeof(text) || memchr(inner.bytes, 0, inner.len)) return false;
    memcpy(text, inner.bytes, inner.len);
    text[inner.len] = 0;
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* What stands between brackets. */
static bool check_literal(torc_str host) {
    const torc_str inner = torc_str_make(host.bytes + 1, host.len - 2);

    if (inner.len == 0) return false;
    return (inner.bytes[0] | 0x20) == 'v' ? is_future_address(inner) : is_ipv6_address(inner);
}

/* The length of the name or IPv4 address at the front. */
static size_t name_len(torc_str text) {
    const char *const end = text.bytes + text.len, *at = text.bytes;

    do {
        while (at < end && torc_byte_is(*at, TORC_BYTE_REG_NAME)) at++;
    } while (at < end && *at == '%' && is_escape(at, end) && ++at);
    return (size_t)(at - text.bytes);
}

/* The length of the host at the front, with its brackets; 0: there is none. */
static size_t host_len(torc_str text) {
    if (text.len == 0 || text.bytes[0] != '[') return name_len(text);

    const ptrdiff_t end = torc_str_find_byte(text, ']');
    return end > 0 && check_literal(torc_str_head(text, (size_t)end + 1)) ? (size_t)end + 1 : 0;
}

static torc_err read_port(torc_str text, int *port) {
    unsigned number = 0;

    *port = -1;
    if (text.len == 0) return TORC_OK; /* "host:" is "host", RFC 3986 §3.2.3 */
    for (size_t i = 0; i < text.len; i++) {
        const unsigned digit = (unsigned)(unsigned char)text.bytes[i] - '0';
        if (digit > 9) return TORC_ERR_SYNTAX;
        number = number * 10 + digit;
        if (number > 65535) return TORC_ERR_SYNTAX;
    }
    *port = (int)number;
    return TORC_OK;
}

/* Whether this is a name or IPv4 address of usual bytes, with or without a port, which is looked
 * for from behind. */
static bool is_usual(torc_str text) {
    const char *const end = text.bytes + text.len, *at = end;
    size_t len = text.len;

    if (len < 14) return len >= 8 && !torc_bytes_have(text.bytes, len, odd_in_name);
    while (end - at < 5 && torc_is_digit(at[-1])) at--;
    if (at < end && at[-1] == ':') {
        if (end - at == 5 && memcmp(at, "65535", 5) > 0) return false;
        len = (size_t)(at - 1 - text.bytes);
    }
    return !torc_bytes_have(text.bytes, len, odd_in_name);
}

bool torc_authority_is_valid(torc_str text) {
    torc_authority authority;
    return is_usual(text) || torc_authority_parse(text, &authority) == TORC_OK;
}

torc_err torc_authority_parse(torc_str text, torc_authority *authority) {
    const size_t len = host_len(text);
    int port = -1;

    if (len == 0) return TORC_ERR_SYNTAX;
    if (len < text.len &&
        (text.bytes[len] != ':' || read_port(torc_str_from(text, len + 1), &port)))
        return TORC_ERR_SYNTAX;
    authority->host = torc_str_head(text, len);
    authority->port = port;
    return TORC_OK;
}

size_t torc_percent_decode(torc_str text, bool plus, char *to) {
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        const char c = text.bytes[i];
        const int high = c == '%' && text.len - i > 2 ? torc_hex_digit(text.bytes[i + 1]) : -1;
        const int low = high >= 0 ? torc_hex_digit(text.bytes[i + 2]) : -1;
        if (low >= 0) {
            to[len++] = (char)(high << 4 | low);
            i += 2;
        } else {
            to[len++] = plus && c == '+' ? ' ' : c;
        }
    }
    return len;
}

/* Letters, digits, `-`, `.`, `_` and `~`. */
static bool is_unreserved(char byte) {
    return torc_is_alnum(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

size_t torc_percent_encode(torc_str text, char *to) {
    static const char digits[] = "0123456789ABCDEF";
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        const unsigned char byte = (unsigned char)text.bytes[i];
        if (is_unreserved((char)byte)) {
            to[len++] = (char)byte;
            continue;
        }
        to[len++] = '%';
        to[len++] = digits[byte >> 4];
        to[len++] = digits[byte & 15];
    }
    return len;
}
