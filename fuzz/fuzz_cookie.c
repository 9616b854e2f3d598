/* SPDX-License-Identifier: MIT */
/*
 * Cookies: the lines of an input are read as values of Cookie and of Set-Cookie; what a server lets
 * pass is written, and means the same when it is read again.
 */
#include <torc/cookie.h>

#include "fuzz.h"

static void check_request(const torc_fields *fields, torc_str whole) {
    torc_cookie_place place = {0};
    torc_str name, value, first;
    size_t count = 0;

    while (torc_cookies_next(fields, &place, &name, &value)) {
        FUZZ_CHECK(++count <= TORC_COOKIES_MAX);
        FUZZ_CHECK(name.len > 0 && fuzz_is_within(name, whole) && fuzz_is_within(value, whole));
        FUZZ_CHECK(torc_str_find_byte(name, '=') < 0 && torc_str_find_byte(name, ';') < 0);
        FUZZ_CHECK(torc_str_find_byte(value, ';') < 0);
        FUZZ_CHECK(torc_cookies_find(fields, name, &first));
    }
}

/* Written and read again it is the same cookie. */
static void check_written(const torc_cookie *cookie) {
    const size_t size = torc_set_cookie_bytes_max(cookie);
    char *const text = malloc(size);
    torc_cookie again;
    torc_buf buf;

    FUZZ_CHECK(text);
    torc_buf_init_fixed(&buf, text, size);
    FUZZ_CHECK(!torc_set_cookie_format(cookie, &buf));
    FUZZ_CHECK(torc_field_value_is_valid(torc_buf_str(&buf)));
    FUZZ_CHECK(!torc_set_cookie_parse(torc_buf_str(&buf), &again));
    FUZZ_CHECK(torc_str_equals(again.name, cookie->name));
    FUZZ_CHECK(torc_str_equals(again.value, cookie->value));
    FUZZ_CHECK(torc_str_equals(again.path, cookie->path));
    FUZZ_CHECK(again.is_secure == cookie->is_secure && again.same_site == cookie->same_site);
    FUZZ_CHECK(again.has_max_age == cookie->has_max_age && again.max_age == cookie->max_age);
    free(text);
}

static void check_response(torc_str line) {
    torc_cookie cookie;

    if (torc_set_cookie_parse(line, &cookie)) return;
    FUZZ_CHECK(cookie.name.len + cookie.value.len > 0);
    FUZZ_CHECK(cookie.name.len + cookie.value.len <= TORC_COOKIE_BYTES_MAX);
    FUZZ_CHECK(fuzz_is_within(cookie.name, line) && fuzz_is_within(cookie.value, line));
    FUZZ_CHECK(fuzz_is_within(cookie.domain, line) && fuzz_is_within(cookie.path, line));
    FUZZ_CHECK(cookie.path.len == 0 || cookie.path.bytes[0] == '/');
    FUZZ_CHECK(torc_cookie_expiry(&cookie, 0) <= TORC_COOKIE_AGE_MAX ||
               (!cookie.has_expires && !cookie.has_max_age));
    (void)torc_cookie_is_acceptable(&cookie, TORC_STR("www.a.example"), true);
    FUZZ_CHECK(torc_cookie_path_matches(cookie.path, cookie.path) || cookie.path.len == 0);
    if (torc_cookie_check(&cookie) == TORC_OK) check_written(&cookie);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    torc_field items[64];
    torc_fields fields = {.items = items};
    char *const text = fuzz_copy(torc_str_make((const char *)data, size));
    const torc_str whole = torc_str_make(text, size);
    torc_str rest = whole, line;

    while (fields.count < 64 && torc_str_split(&rest, '\n', &line)) {
        check_response(line);
        items[fields.count++] = (torc_field){TORC_STR("Cookie"), line, TORC_FIELD_COOKIE};
    }
    check_request(&fields, whole);
    free(text);
    return 0;
}
