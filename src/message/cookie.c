/* SPDX-License-Identifier: MIT */
/*
 * Cookies as a server sees them: read from requests, checked and written for responses.
 *
 *  - Reading takes whatever clients send; writing refuses what they may read otherwise than it was
 *    meant. Nothing is rewritten.
 */
#include <torc/base64.h>
#include <torc/cookie.h>
#include <torc/date.h>

#include "base/ascii.h"
#include "message/bytes.h"
#include "message/cookie_prefix.h"

/* ---- reading ---- */

/* "name=value" with blanks around either; false: it has no name. */
static bool read_pair(torc_str item, torc_str *name, torc_str *value) {
    const ptrdiff_t equals = torc_str_find_byte(item, '=');

    if (equals <= 0) return false;
    *name = torc_str_trim(torc_str_head(item, (size_t)equals));
    *value = torc_str_trim(torc_str_from(item, (size_t)equals + 1));
    return name->len > 0;
}

bool torc_cookies_next(const torc_fields *fields, torc_cookie_place *place, torc_str *name,
                       torc_str *value) {
    torc_str item;

    while (place->seen < TORC_COOKIES_MAX) {
        if (torc_str_split(&place->rest, ';', &item)) {
            if (!read_pair(item, name, value)) continue;
            place->seen++;
            return true;
        }
        const torc_field *field = torc_fields_next_id(fields, TORC_FIELD_COOKIE, &place->field);
        if (!field) return false;
        place->rest = field->value;
    }
    return false;
}

bool torc_cookies_find(const torc_fields *fields, torc_str name, torc_str *value) {
    torc_cookie_place place = {0};
    torc_str found, its_value;

    while (torc_cookies_next(fields, &place, &found, &its_value)) {
        if (!torc_str_equals(found, name)) continue;
        *value = its_value;
        return true;
    }
    return false;
}

/* ---- checking ---- */

/* cookie-octet of RFC 6265 §4.1.1 */
static bool is_octet(char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

static bool is_value(torc_str value) {
    if (value.len > 1 && value.bytes[0] == '"' && value.bytes[value.len - 1] == '"')
        value = torc_str_make(value.bytes + 1, value.len - 2);
    for (size_t i = 0; i < value.len; i++)
        if (!is_octet(value.bytes[i])) return false;
    return true;
}

/* A label of a name: letters, digits and hyphens, these not at its ends; also `_`, which some have.
 */
static bool is_label(torc_str label) {
    if (label.len == 0 || label.len > 63) return false;
    if (label.bytes[0] == '-' || label.bytes[label.len - 1] == '-') return false;
    for (size_t i = 0; i < label.len; i++) {
        const char c = label.bytes[i];
        if (!torc_is_alnum(c) && c != '-' && c != '_') return false;
    }
    return true;
}

static bool is_domain(torc_str domain) {
    torc_str label;

    if (domain.len == 0) return true;
    if (domain.len > 254) return false;
    if (domain.bytes[0] == '.') domain = torc_str_from(domain, 1);
    while (torc_str_split(&domain, '.', &label))
        if (!is_label(label)) return false;
    return true;
}

static bool is_path(torc_str path) {
    if (path.len == 0) return true;
    if (path.bytes[0] != '/' || path.bytes[path.len - 1] == ' ') return false;
    for (size_t i = 0; i < path.len; i++)
        if (path.bytes[i] < ' ' || path.bytes[i] >= 0x7f || path.bytes[i] == ';') return false;
    return true;
}

torc_err torc_cookie_check(const torc_cookie *cookie) {
    if (!torc_is_token(cookie->name) || !is_value(cookie->value)) return TORC_ERR_INVALID;
    if (!is_domain(cookie->domain) || !is_path(cookie->path)) return TORC_ERR_INVALID;
    if (cookie->same_site > TORC_SAME_SITE_NONE) return TORC_ERR_INVALID;
    if (cookie->same_site == TORC_SAME_SITE_NONE && !cookie->is_secure) return TORC_ERR_INVALID;
    if (cookie->is_partitioned && !cookie->is_secure) return TORC_ERR_INVALID;
    if (!torc_cookie_keeps_prefix(cookie, cookie->name)) return TORC_ERR_INVALID;
    if (cookie->name.len + cookie->value.len > TORC_COOKIE_BYTES_MAX) return TORC_ERR_TOO_LARGE;
    return cookie->path.len > TORC_COOKIE_ATTRIBUTE_MAX ? TORC_ERR_TOO_LARGE : TORC_OK;
}

/* ---- writing ---- */

static void add_expires(torc_buf *buf, int64_t seconds) {
    char text[TORC_DATE_LEN];

    torc_date_format(seconds, text);
    torc_buf_add(buf, TORC_STR("; Expires="));
    torc_buf_add(buf, torc_str_make(text, sizeof(text)));
}

static void add_attribute(torc_buf *buf, torc_str name, torc_str value) {
    if (value.len == 0) return;
    torc_buf_add(buf, name);
    torc_buf_add(buf, value);
}

static void add_flags(torc_buf *buf, const torc_cookie *cookie) {
    static const torc_str same_sites[] = {
        [TORC_SAME_SITE_UNSAID] = TORC_STR_INIT(""),
        [TORC_SAME_SITE_LAX] = TORC_STR_INIT("; SameSite=Lax"),
        [TORC_SAME_SITE_STRICT] = TORC_STR_INIT("; SameSite=Strict"),
        [TORC_SAME_SITE_NONE] = TORC_STR_INIT("; SameSite=None"),
    };

    if (cookie->is_secure) torc_buf_add(buf, TORC_STR("; Secure"));
    if (cookie->is_http_only) torc_buf_add(buf, TORC_STR("; HttpOnly"));
    torc_buf_add(buf, same_sites[cookie->same_site]);
    if (cookie->is_partitioned) torc_buf_add(buf, TORC_STR("; Partitioned"));
}

torc_err torc_set_cookie_format(const torc_cookie *cookie, torc_buf *buf) {
    const torc_err err = torc_cookie_check(cookie);

    if (err) return err;
    torc_buf_add(buf, cookie->name);
    torc_buf_add_byte(buf, '=');
    torc_buf_add(buf, cookie->value);
    if (cookie->has_expires) add_expires(buf, cookie->expires);
    add_attribute(buf, TORC_STR("; Domain="), cookie->domain);
    add_attribute(buf, TORC_STR("; Path="), cookie->path);
    if (cookie->has_max_age) {
        torc_buf_add(buf, TORC_STR("; Max-Age="));
        torc_buf_add_int(buf, cookie->max_age);
    }
    add_flags(buf, cookie);
    return torc_buf_err(buf);
}

size_t torc_set_cookie_bytes_max(const torc_cookie *cookie) {
    const size_t of_attributes =
        sizeof("=; Expires=; Domain=; Path=; Max-Age=-9223372036854775808; Secure; HttpOnly"
               "; SameSite=Strict; Partitioned") +
        TORC_DATE_LEN;

    return cookie->name.len + cookie->value.len + cookie->domain.len + cookie->path.len +
           of_attributes;
}

/* ---- signing ---- */

/* No name has a NUL: so what is signed can be read in one way only. */
static void add_signed(torc_signer *signer, torc_str name, torc_str value) {
    torc_signer_add(signer, name);
    torc_signer_add(signer, torc_str_make("", 1));
    torc_signer_add(signer, value);
}

torc_err torc_cookie_sign(torc_signer *signer, torc_str name, torc_str value, torc_buf *buf) {
    char signature[TORC_DIGEST_BYTES_MAX];

    add_signed(signer, name, value);
    const torc_err err = torc_signer_end(signer, signature);
    if (err) return err;
    torc_buf_add(buf, value);
    torc_buf_add_byte(buf, '.');
    torc_base64_encode(buf, torc_str_make(signature, torc_signer_bytes(signer)),
                       TORC_BASE64_URL_NO_PADDING);
    return torc_buf_err(buf);
}

/* What stands behind the last dot, decoded. */
static torc_err read_signature(torc_str text, torc_str *value, torc_buf *signature) {
    size_t len = text.len;

    while (len > 0 && text.bytes[len - 1] != '.') len--;
    if (len == 0) return TORC_ERR_SYNTAX;
    *value = torc_str_head(text, len - 1);
    return torc_base64_decode(signature, torc_str_from(text, len), TORC_BASE64_URL_NO_PADDING);
}

bool torc_cookie_verify(torc_signer *signer, torc_str name, torc_str text, torc_str *value) {
    char bytes[TORC_DIGEST_BYTES_MAX];
    torc_buf signature;
    torc_str its_value;

    torc_buf_init_fixed(&signature, bytes, sizeof(bytes));
    if (read_signature(text, &its_value, &signature)) return false;
    if (signature.len != torc_signer_bytes(signer)) return false;
    add_signed(signer, name, its_value);
    if (!torc_signer_verify(signer, torc_buf_str(&signature))) return false;
    *value = its_value;
    return true;
}
