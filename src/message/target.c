/* SPDX-License-Identifier: MIT */
/*
 * Request targets and authorities.
 *
 *  - A target is refused rather than repaired.
 *  - Beyond what RFC 3986 allows in a path and query, the visible ASCII that browsers send as it is (`|`, `[`, `^` …) is
 *    taken: it has no meaning here, and refusing it would break the web.
 */
#include <torc/target.h>

#include "message/bytes.h"

/* Whether a `%` at `at` begins an escape of something else than NUL. */
static bool is_escape(const char *at, const char *end) {
    if (end - at < 3) return false;
    const int high = torc_hex_digit(at[1]), low = torc_hex_digit(at[2]);
    return high >= 0 && low >= 0 && (high | low) != 0;
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
    const char *query;

    if (!check_path(text, &query)) return TORC_ERR_SYNTAX;
    const char *const end = text.bytes + text.len;
    target->path = torc_str_make(text.bytes, (size_t)((query ? query - 1 : end) - text.bytes));
    if (query) target->query = torc_str_make(query, (size_t)(end - query));
    return TORC_OK;
}

/* "http://host/path": other schemes than http and https are for a proxy, which this is not to decide. */
static torc_err read_absolute(torc_str text, torc_target *target) {
    const ptrdiff_t colon = torc_str_find(text, TORC_STR("://"));
    torc_authority authority;
    torc_err err;

    if (colon <= 0) return TORC_ERR_SYNTAX;
    target->form = TORC_TARGET_ABSOLUTE;
    target->scheme = torc_str_head(text, (size_t)colon);
    for (size_t i = 0; i < target->scheme.len; i++) {
        const char c = target->scheme.bytes[i], letter = (char)(c | 0x20);
        const bool is_letter = letter >= 'a' && letter <= 'z';
        const bool is_other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!is_letter && (i == 0 || !is_other)) return TORC_ERR_SYNTAX;
    }

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
    return err ? err : authority.port < 0 ? TORC_ERR_SYNTAX : TORC_OK;
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

/* An IPv6 address or the future form, between brackets: RFC 3986 §3.2.2. */
static bool check_literal(torc_str host) {
    const torc_str inner = torc_str_make(host.bytes + 1, host.len - 2);
    size_t colons = 0, digits = 0, doubles = 0;

    if (inner.len == 0) return false;
    if ((inner.bytes[0] | 0x20) == 'v') {
        const ptrdiff_t dot = torc_str_find_byte(inner, '.');
        if (dot < 2 || (size_t)dot + 1 == inner.len) return false;
        for (ptrdiff_t i = 1; i < dot; i++)
            if (torc_hex_digit(inner.bytes[i]) < 0) return false;
        for (size_t i = (size_t)dot + 1; i < inner.len; i++)
            if (!torc_byte_is(inner.bytes[i], TORC_BYTE_REG_NAME) && inner.bytes[i] != ':') return false;
        return true;
    }
    for (size_t i = 0; i < inner.len; i++) {
        const char c = inner.bytes[i];
        if (c == ':') {
            const bool is_double = i > 0 && inner.bytes[i - 1] == ':';
            doubles += is_double;
            if (is_double && i > 1 && inner.bytes[i - 2] == ':') return false;
            colons++;
            digits = 0;
        } else if (torc_hex_digit(c) >= 0) {
            if (++digits > 4) return false;
        } else if (c == '.' && colons >= 2) {
            digits = 0; /* the end may be written as an IPv4 address */
        } else {
            return false;
        }
    }
    if (inner.bytes[0] == ':' && (inner.len < 2 || inner.bytes[1] != ':')) return false;
    if (inner.bytes[inner.len - 1] == ':' && (inner.len < 2 || inner.bytes[inner.len - 2] != ':'))
        return false;
    return colons >= 2 && colons <= 8 && doubles <= 1 && (doubles == 1 || colons >= 6);
}

static bool check_name(torc_str host) {
    const char *const end = host.bytes + host.len;

    if (host.len == 0) return false;
    for (const char *at = host.bytes; at < end; at++)
        if (!torc_byte_is(*at, TORC_BYTE_REG_NAME) && (*at != '%' || !is_escape(at, end))) return false;
    return true;
}

static torc_err read_port(torc_str text, int *port) {
    uint64_t number;

    *port = -1;
    if (text.len == 0) return TORC_OK; /* "host:" is "host", RFC 3986 §3.2.3 */
    if (torc_str_parse_uint(text, 65535, &number)) return TORC_ERR_SYNTAX;
    *port = (int)number;
    return TORC_OK;
}

torc_err torc_authority_parse(torc_str text, torc_authority *authority) {
    const bool is_literal = text.len && text.bytes[0] == '[';
    const ptrdiff_t bracket = is_literal ? torc_str_find_byte(text, ']') : -1;
    torc_str rest;

    authority->port = -1;
    if (is_literal && bracket < 0) return TORC_ERR_SYNTAX;
    if (is_literal) {
        authority->host = torc_str_head(text, (size_t)bracket + 1);
        rest = torc_str_from(text, (size_t)bracket + 1);
    } else {
        const ptrdiff_t colon = torc_str_find_byte(text, ':');
        authority->host = colon < 0 ? text : torc_str_head(text, (size_t)colon);
        rest = colon < 0 ? torc_str_make(NULL, 0) : torc_str_from(text, (size_t)colon);
    }
    if (is_literal ? !check_literal(authority->host) : !check_name(authority->host)) return TORC_ERR_SYNTAX;
    if (rest.len == 0) return TORC_OK;
    if (rest.bytes[0] != ':') return TORC_ERR_SYNTAX;
    return read_port(torc_str_from(rest, 1), &authority->port);
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
