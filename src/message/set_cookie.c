/* SPDX-License-Identifier: MIT */
/*
 * Cookies as a client sees them: Set-Cookie is read as browsers read it (§5.6 of the draft), and
 * asked whether, where and how long it is good (§5.1, §5.7).
 *
 *  - Reading is lenient, and never fails halfway: what is malformed in an attribute leaves that
 *    attribute out.
 *  - Slices of the cookie are parts of the text.
 */
#include <arpa/inet.h>
#include <torc/zone.h>

#include "base/ascii.h"
#include "base/civil.h"
#include "message/bytes.h"
#include "message/cookie_prefix.h"

/* ---- dates: RFC 6265 §5.1.1 ---- */

/* What was found so far of a date; -1: not yet. */
typedef struct cookie_date {
    int hour, minute, second, day, month, year;
} cookie_date;

static bool is_delimiter(char c) {
    const unsigned char byte = (unsigned char)c;
    return byte == 0x09 || (byte >= 0x20 && byte <= 0x2f) || (byte >= 0x3b && byte <= 0x40) ||
           (byte >= 0x5b && byte <= 0x60) || (byte >= 0x7b && byte <= 0x7e);
}

/* Take `min` to `max` digits from the front; no more may follow. */
static bool take_number(torc_str *text, size_t min, size_t max, int *number) {
    size_t len = 0;
    int value = 0;

    while (len < text->len && torc_is_digit(text->bytes[len])) {
        if (len == max) return false;
        value = value * 10 + (text->bytes[len++] - '0');
    }
    if (len < min) return false;
    *text = torc_str_from(*text, len);
    *number = value;
    return true;
}

static bool take_colon(torc_str *text) {
    if (!torc_str_starts_with(*text, TORC_STR(":"))) return false;
    *text = torc_str_from(*text, 1);
    return true;
}

static bool read_time(torc_str token, cookie_date *date) {
    int hour, minute, second;

    if (date->hour >= 0) return false;
    if (!take_number(&token, 1, 2, &hour) || !take_colon(&token)) return false;
    if (!take_number(&token, 1, 2, &minute) || !take_colon(&token)) return false;
    if (!take_number(&token, 1, 2, &second)) return false;
    date->hour = hour;
    date->minute = minute;
    date->second = second;
    return true;
}

static bool read_number(torc_str token, size_t min, size_t max, int *to) {
    return *to < 0 && take_number(&token, min, max, to);
}

static bool read_month(torc_str token, cookie_date *date) {
    if (date->month >= 0 || token.len < 3) return false;
    for (int i = 0; i < 12; i++) {
        if (!torc_str_equals_nocase(torc_str_head(token, 3),
                                    torc_str_make(torc_civil_months + 3 * i, 3)))
            continue;
        date->month = i + 1;
        return true;
    }
    return false;
}

static void read_token(torc_str token, cookie_date *date) {
    if (read_time(token, date) || read_number(token, 1, 2, &date->day)) return;
    if (!read_month(token, date)) (void)read_number(token, 2, 4, &date->year);
}

static bool date_seconds(const cookie_date *date, int64_t *seconds) {
    const int year = date->year + (date->year < 0     ? 0
                                   : date->year <= 69 ? 2000
                                   : date->year <= 99 ? 1900
                                                      : 0);
    const torc_civil civil = {.year = year,
                              .month = date->month,
                              .day = date->day,
                              .hour = date->hour,
                              .minute = date->minute,
                              .second = date->second};

    if (date->day < 1 || date->day > 31 || date->month < 1 || year < 1601) return false;
    if (date->hour < 0 || date->hour > 23 || date->minute > 59 || date->second > 59) return false;
    *seconds = torc_civil_seconds(&civil);
    return torc_zone_civil(NULL, *seconds).day == date->day; /* there is no 30 February */
}

static bool parse_date(torc_str text, int64_t *seconds) {
    cookie_date date = {-1, -1, -1, -1, -1, -1};
    size_t at = 0;

    while (at < text.len) {
        size_t start = at;
        while (at < text.len && !is_delimiter(text.bytes[at])) at++;
        if (at > start) read_token(torc_str_make(text.bytes + start, at - start), &date);
        at++;
    }
    return date_seconds(&date, seconds);
}

/* ---- attributes ---- */

static void set_expires(torc_cookie *cookie, torc_str value) {
    if (parse_date(value, &cookie->expires)) cookie->has_expires = true;
}

/* Digits, with a minus or without; what is too large is as much as there can be. */
static void set_max_age(torc_cookie *cookie, torc_str value) {
    const bool is_negative = torc_str_starts_with(value, TORC_STR("-"));
    const torc_str digits = torc_str_from(value, is_negative ? 1 : 0);
    uint64_t number;

    switch (torc_str_parse_uint(digits, INT64_MAX, &number)) {
    case TORC_OK:
        break;
    case TORC_ERR_LIMIT:
        number = INT64_MAX;
        break;
    default:
        return;
    }
    cookie->has_max_age = true;
    cookie->max_age = is_negative ? -(int64_t)number : (int64_t)number;
}

static void set_domain(torc_cookie *cookie, torc_str value) {
    cookie->domain = torc_str_from(value, torc_str_starts_with(value, TORC_STR(".")) ? 1 : 0);
}

static void set_path(torc_cookie *cookie, torc_str value) {
    const bool is_path = torc_str_starts_with(value, TORC_STR("/"));
    cookie->path = is_path ? value : (torc_str){0};
}

static void set_secure(torc_cookie *cookie, torc_str value) {
    (void)value;
    cookie->is_secure = true;
}

static void set_http_only(torc_cookie *cookie, torc_str value) {
    (void)value;
    cookie->is_http_only = true;
}

static void set_same_site(torc_cookie *cookie, torc_str value) {
    cookie->same_site = TORC_SAME_SITE_UNSAID;
    if (torc_str_equals_nocase(value, TORC_STR("none"))) cookie->same_site = TORC_SAME_SITE_NONE;
    if (torc_str_equals_nocase(value, TORC_STR("lax"))) cookie->same_site = TORC_SAME_SITE_LAX;
    if (torc_str_equals_nocase(value, TORC_STR("strict")))
        cookie->same_site = TORC_SAME_SITE_STRICT;
}

static void set_partitioned(torc_cookie *cookie, torc_str value) {
    (void)value;
    cookie->is_partitioned = true;
}

static void set_attribute(torc_cookie *cookie, torc_str name, torc_str value) {
    static const struct {
        torc_str name;
        void (*set)(torc_cookie *cookie, torc_str value);
    } attributes[] = {
        {TORC_STR_INIT("Expires"), set_expires},    {TORC_STR_INIT("Max-Age"), set_max_age},
        {TORC_STR_INIT("Domain"), set_domain},      {TORC_STR_INIT("Path"), set_path},
        {TORC_STR_INIT("Secure"), set_secure},      {TORC_STR_INIT("HttpOnly"), set_http_only},
        {TORC_STR_INIT("SameSite"), set_same_site}, {TORC_STR_INIT("Partitioned"), set_partitioned},
    };

    if (value.len > TORC_COOKIE_ATTRIBUTE_MAX) return;
    for (size_t i = 0; i < TORC_COUNT_OF(attributes); i++)
        if (torc_str_equals_nocase(name, attributes[i].name)) {
            attributes[i].set(cookie, value);
            return;
        }
}

/* "name=value" or "name", with blanks around either. */
static void split_pair(torc_str text, torc_str *name, torc_str *value) {
    const ptrdiff_t equals = torc_str_find_byte(text, '=');

    *name = torc_str_trim(equals < 0 ? text : torc_str_head(text, (size_t)equals));
    *value = equals < 0 ? (torc_str){0} : torc_str_trim(torc_str_from(text, (size_t)equals + 1));
}

static bool has_controls(torc_str text) {
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char byte = (unsigned char)text.bytes[i];
        if ((byte < 0x20 && byte != 0x09) || byte == 0x7f) return true;
    }
    return false;
}

/* The first part. What has no `=` is the value of a cookie without a name. */
static torc_err read_name_and_value(torc_str text, torc_cookie *cookie) {
    split_pair(text, &cookie->name, &cookie->value);
    if (torc_str_find_byte(text, '=') < 0) {
        cookie->value = cookie->name;
        cookie->name = (torc_str){0};
    }
    const size_t len = cookie->name.len + cookie->value.len;
    return len == 0 || len > TORC_COOKIE_BYTES_MAX ? TORC_ERR_SYNTAX : TORC_OK;
}

torc_err torc_set_cookie_parse(torc_str text, torc_cookie *cookie) {
    torc_cookie read = {0};
    torc_str rest = text, part, name, value;

    if (has_controls(text) || !torc_str_split(&rest, ';', &part)) return TORC_ERR_SYNTAX;
    const torc_err err = read_name_and_value(part, &read);
    if (err) return err;
    while (torc_str_split(&rest, ';', &part)) {
        split_pair(part, &name, &value);
        set_attribute(&read, name, value);
    }
    *cookie = read;
    return TORC_OK;
}

/* ---- whether, where, how long ---- */

static bool has_prefix(torc_str name, torc_str prefix) {
    return torc_str_equals_nocase(torc_str_head(name, prefix.len), prefix);
}

bool torc_cookie_keeps_prefix(const torc_cookie *cookie, torc_str name) {
    const bool of_host =
        cookie->is_secure && !cookie->domain.len && torc_str_equals(cookie->path, TORC_STR("/"));
    const bool of_http = cookie->is_secure && cookie->is_http_only;

    if (has_prefix(name, TORC_STR("__Secure-"))) return cookie->is_secure;
    if (has_prefix(name, TORC_STR("__Http-"))) return of_http;
    if (has_prefix(name, TORC_STR("__Host-Http-"))) return of_host && of_http;
    return !has_prefix(name, TORC_STR("__Host-")) || of_host;
}

bool torc_cookie_is_acceptable(const torc_cookie *cookie, torc_str host, bool is_secure) {
    if (cookie->domain.len && !torc_cookie_domain_matches(cookie->domain, host)) return false;
    if (cookie->is_secure && !is_secure) return false;
    if (cookie->same_site == TORC_SAME_SITE_NONE && !cookie->is_secure) return false;
    if (cookie->is_partitioned && !cookie->is_secure) return false;
    /* Without a name it could pass for any: its value is sent where a name would stand. */
    if (!cookie->name.len)
        return !has_prefix(cookie->value, TORC_STR("__Secure-")) &&
               !has_prefix(cookie->value, TORC_STR("__Http-")) &&
               !has_prefix(cookie->value, TORC_STR("__Host-"));
    return torc_cookie_keeps_prefix(cookie, cookie->name);
}

int64_t torc_cookie_expiry(const torc_cookie *cookie, int64_t now) {
    const int64_t latest =
        now > INT64_MAX - TORC_COOKIE_AGE_MAX ? INT64_MAX : now + TORC_COOKIE_AGE_MAX;

    if (cookie->has_max_age) {
        if (cookie->max_age <= 0) return INT64_MIN;
        return cookie->max_age >= TORC_COOKIE_AGE_MAX ? latest : now + cookie->max_age;
    }
    if (!cookie->has_expires) return INT64_MAX;
    return cookie->expires < latest ? cookie->expires : latest;
}

static bool is_address(torc_str host) {
    char text[INET_ADDRSTRLEN];
    struct in_addr address;

    if (torc_str_find_byte(host, ':') >= 0) return true;
    if (host.len >= sizeof(text)) return false;
    if (host.len) memcpy(text, host.bytes, host.len);
    text[host.len] = 0;
    return inet_pton(AF_INET, text, &address) == 1;
}

bool torc_cookie_domain_matches(torc_str domain, torc_str host) {
    if (torc_str_equals_nocase(domain, host)) return true;
    if (domain.len == 0 || host.len <= domain.len || is_address(host)) return false;
    const size_t before = host.len - domain.len;
    return host.bytes[before - 1] == '.' &&
           torc_str_equals_nocase(torc_str_from(host, before), domain);
}

bool torc_cookie_path_matches(torc_str cookie_path, torc_str path) {
    if (!torc_str_starts_with(path, cookie_path)) return false;
    if (path.len == cookie_path.len) return true;
    return (cookie_path.len && cookie_path.bytes[cookie_path.len - 1] == '/') ||
           path.bytes[cookie_path.len] == '/';
}

torc_str torc_cookie_default_path(torc_str path) {
    size_t len = path.len;

    if (len == 0 || path.bytes[0] != '/') return TORC_STR("/");
    while (len > 0 && path.bytes[len - 1] != '/') len--;
    return len > 1 ? torc_str_head(path, len - 1) : TORC_STR("/");
}
