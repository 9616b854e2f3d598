/* SPDX-License-Identifier: MIT */
/*
 * URLs and references (RFC 3986), and the queries in them.
 *
 *  - Parts are slices of the text: nothing is decoded or changed, so what is taken apart and put
 *    together is the same text.
 *  - Resolving gives a path without dot segments.
 */
#include <torc/url.h>

#include "message/bytes.h"

/* ---- taking apart ---- */

/* The first place of one of the bytes, or the end. */
static size_t find_any(torc_str text, const char *bytes) {
    for (size_t i = 0; i < text.len; i++)
        if (text.bytes[i] && strchr(bytes, text.bytes[i])) return i;
    return text.len;
}

/* Take what stands before the first of the bytes. */
static torc_str take_until(torc_str *rest, const char *bytes) {
    const torc_str part = torc_str_head(*rest, find_any(*rest, bytes));
    *rest = torc_str_from(*rest, part.len);
    return part;
}

/* Visible, with good escapes; the parts are told apart already. */
static bool is_visible(torc_str text) {
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.bytes[i];
        if (c <= ' ' || c >= 0x7f || c == '#') return false;
        if (c != '%') continue;
        if (text.len - i < 3 || torc_hex_digit(text.bytes[i + 1]) < 0 ||
            torc_hex_digit(text.bytes[i + 2]) < 0)
            return false;
    }
    return true;
}

static bool is_user(torc_str user) {
    for (size_t i = 0; i < user.len; i++)
        if (!torc_byte_is(user.bytes[i], TORC_BYTE_REG_NAME) && user.bytes[i] != ':' &&
            user.bytes[i] != '%')
            return false;
    return is_visible(user);
}

static torc_err read_authority(torc_str text, torc_url *url) {
    torc_str rest = text;
    const ptrdiff_t at = torc_str_find_byte(text, '@');
    torc_authority authority = {.host = torc_str_make(text.bytes, 0), .port = -1};

    url->authority = text;
    if (at >= 0) {
        url->user = torc_str_head(text, (size_t)at);
        if (!is_user(url->user)) return TORC_ERR_SYNTAX;
        rest = torc_str_from(text, (size_t)at + 1);
    }
    if (text.len && torc_authority_parse(rest, &authority)) return TORC_ERR_SYNTAX;
    url->host = authority.host;
    url->port = authority.port;
    return TORC_OK;
}

/* "scheme:" at the front. A colon in the first segment is of nothing else. */
static torc_err take_scheme(torc_str *rest, torc_url *url) {
    const size_t end = find_any(*rest, ":/?#");

    if (end == rest->len || rest->bytes[end] != ':') return TORC_OK;
    url->scheme = torc_str_head(*rest, end);
    *rest = torc_str_from(*rest, end + 1);
    return torc_is_scheme(url->scheme) ? TORC_OK : TORC_ERR_SYNTAX;
}

torc_err torc_url_parse(torc_str text, torc_url *url) {
    torc_url read = {.port = -1};
    torc_str rest = text.bytes ? text : TORC_STR("");

    if (take_scheme(&rest, &read)) return TORC_ERR_SYNTAX;
    if (torc_str_starts_with(rest, TORC_STR("//"))) {
        rest = torc_str_from(rest, 2);
        if (read_authority(take_until(&rest, "/?#"), &read)) return TORC_ERR_SYNTAX;
    }
    read.path = take_until(&rest, "?#");
    if (rest.len && rest.bytes[0] == '?') {
        rest = torc_str_from(rest, 1);
        read.query = take_until(&rest, "#");
    }
    if (rest.len) read.fragment = torc_str_from(rest, 1);
    if (!is_visible(read.path) || !is_visible(read.query) || !is_visible(read.fragment))
        return TORC_ERR_SYNTAX;
    *url = read;
    return TORC_OK;
}

int torc_scheme_port(torc_str scheme) {
    if (torc_str_equals_nocase(scheme, TORC_STR("http")) ||
        torc_str_equals_nocase(scheme, TORC_STR("ws")))
        return 80;
    return torc_str_equals_nocase(scheme, TORC_STR("https")) ||
                   torc_str_equals_nocase(scheme, TORC_STR("wss"))
               ? 443
               : -1;
}

int torc_url_port(const torc_url *url) {
    return url->port >= 0 ? url->port : torc_scheme_port(url->scheme);
}

/* ---- putting together ---- */

static void add_start(torc_buf *buf, torc_str scheme, torc_str authority) {
    if (scheme.bytes) {
        torc_buf_add(buf, scheme);
        torc_buf_add_byte(buf, ':');
    }
    if (authority.bytes) {
        torc_buf_add(buf, TORC_STR("//"));
        torc_buf_add(buf, authority);
    }
}

static void add_part(torc_buf *buf, char before, torc_str part) {
    if (!part.bytes) return;
    torc_buf_add_byte(buf, before);
    torc_buf_add(buf, part);
}

void torc_url_format(const torc_url *url, torc_buf *buf) {
    add_start(buf, url->scheme, url->authority);
    torc_buf_add(buf, url->path);
    add_part(buf, '?', url->query);
    add_part(buf, '#', url->fragment);
}

void torc_url_add_escaped(torc_buf *buf, torc_str text) {
    char escaped[TORC_PERCENT_ENCODED_MAX(64)];

    while (text.len) {
        const torc_str part = torc_str_head(text, 64);
        torc_buf_add(buf, torc_str_make(escaped, torc_percent_encode(part, escaped)));
        text = torc_str_from(text, part.len);
    }
}

void torc_url_add_segment(torc_buf *buf, torc_str segment) {
    torc_buf_add_byte(buf, '/');
    torc_url_add_escaped(buf, segment);
}

void torc_url_add_argument(torc_buf *buf, size_t *count, torc_str name, torc_str value) {
    torc_buf_add_byte(buf, (*count)++ ? '&' : '?');
    torc_url_add_escaped(buf, name);
    if (!value.bytes) return;
    torc_buf_add_byte(buf, '=');
    torc_url_add_escaped(buf, value);
}

/* ---- resolving: RFC 3986 §5.2 ---- */

/* Without the last segment and its slash. */
static size_t remove_last(const char *path, size_t len) {
    while (len > 0 && path[len - 1] != '/') len--;
    return len > 0 ? len - 1 : 0;
}

static size_t segment_len(torc_str path) {
    return path.len ? 1 + find_any(torc_str_from(path, 1), "/") : 0;
}

/* Remove the dot segments of a path in its place; what stays of its length (§5.2.4). */
static size_t remove_dots(char *path, size_t len) {
    size_t in = 0, out = 0;

    while (in < len) {
        const torc_str rest = torc_str_make(path + in, len - in);
        const torc_str segment = torc_str_head(rest, segment_len(rest));
        const bool is_last = segment.len == rest.len;
        if (torc_str_starts_with(rest, TORC_STR("../"))) {
            in += 3;
        } else if (torc_str_starts_with(rest, TORC_STR("./"))) {
            in += 2;
        } else if (torc_str_equals(rest, TORC_STR(".")) || torc_str_equals(rest, TORC_STR(".."))) {
            in = len;
        } else if (torc_str_equals(segment, TORC_STR("/.")) ||
                   torc_str_equals(segment, TORC_STR("/.."))) {
            if (segment.len == 3) out = remove_last(path, out);
            in += segment.len;
            if (is_last) path[out++] = '/';
        } else {
            memmove(path + out, rest.bytes, segment.len);
            out += segment.len;
            in += segment.len;
        }
    }
    return out;
}

static torc_str folder_of(torc_str path) {
    while (path.len && path.bytes[path.len - 1] != '/') path.len--;
    return path;
}

/* The path of a reference that has one, behind that of the base if it is relative (§5.2.3). */
static void add_path(torc_buf *buf, const torc_url *base, torc_str path) {
    const size_t start = buf->len;

    if (base && (path.len == 0 || path.bytes[0] != '/')) {
        if (base->authority.bytes && base->path.len == 0) torc_buf_add_byte(buf, '/');
        torc_buf_add(buf, folder_of(base->path));
    }
    torc_buf_add(buf, path);
    if (torc_buf_err(buf) || buf->len == start) return;
    torc_buf_truncate(buf, start + remove_dots(buf->bytes + start, buf->len - start));
}

static void add_resolved(torc_buf *buf, const torc_url *base, const torc_url *reference) {
    const bool is_whole = reference->scheme.bytes || reference->authority.bytes;
    torc_str query = reference->query;

    add_start(buf, reference->scheme.bytes ? reference->scheme : base->scheme,
              is_whole ? reference->authority : base->authority);
    if (is_whole || reference->path.len) {
        add_path(buf, is_whole ? NULL : base, reference->path);
    } else {
        torc_buf_add(buf, base->path);
        if (!query.bytes) query = base->query;
    }
    add_part(buf, '?', query);
    add_part(buf, '#', reference->fragment);
}

/* Whether what was resolved says what was meant: "a:/.//b" would become an authority. */
static bool is_unambiguous(torc_str text, const torc_url *base, const torc_url *reference) {
    const bool is_whole = reference->scheme.bytes || reference->authority.bytes;
    const torc_str authority = is_whole ? reference->authority : base->authority;
    torc_url url;

    return torc_url_parse(text, &url) == TORC_OK && !url.authority.bytes == !authority.bytes;
}

torc_err torc_url_resolve(torc_str base, torc_str reference, torc_buf *buf) {
    const size_t start = buf->len;
    torc_url from, to;

    if (torc_url_parse(base, &from) || torc_url_parse(reference, &to)) return TORC_ERR_SYNTAX;
    if (!from.scheme.bytes) return TORC_ERR_INVALID;
    add_resolved(buf, &from, &to);
    const torc_err err = torc_buf_err(buf);
    if (err) return err;
    if (is_unambiguous(torc_str_from(torc_buf_str(buf), start), &from, &to)) return TORC_OK;
    torc_buf_truncate(buf, start);
    return TORC_ERR_INVALID;
}

/* ---- queries ---- */

bool torc_query_next(torc_str *rest, torc_str *name, torc_str *value) {
    torc_str item;

    while (torc_str_split(rest, '&', &item)) {
        const ptrdiff_t equals = torc_str_find_byte(item, '=');
        if (item.len == 0) continue;
        *name = equals < 0 ? item : torc_str_head(item, (size_t)equals);
        *value = equals < 0 ? (torc_str){0} : torc_str_from(item, (size_t)equals + 1);
        return true;
    }
    return false;
}
