/* SPDX-License-Identifier: MIT */
/* Cookies as a client has them: what is read of Set-Cookie, and what is kept, and sent where. */
#include <stdio.h>
#include <torc/cookie.h>

#include "check.h"
#include "guarded.h"

static torc_cookie cookie;

static torc_err parse(const char *text) {
    return torc_set_cookie_parse(torc_str_of(text), &cookie);
}

/* ---- name and value ---- */

static void names_and_values_are_trimmed(void **state) {
    (void)state;
    check_ok(parse(" a =\t\"1 2\" ; x"));
    check_str(cookie.name, "a");
    check_str(cookie.value, "\"1 2\"");
    check_ok(parse("a=b=c,d"));
    check_str(cookie.value, "b=c,d");
    check_ok(parse("a="));
    check_str(cookie.name, "a");
    check_str(cookie.value, "");
}

static void a_cookie_may_have_no_name(void **state) {
    (void)state;
    check_ok(parse("abc; Secure"));
    check_str(cookie.name, "");
    check_str(cookie.value, "abc");
    assert_true(cookie.is_secure);
    check_ok(parse("=abc"));
    check_str(cookie.name, "");
    check_str(cookie.value, "abc");
}

static void some_are_ignored(void **state) {
    static char large[TORC_COOKIE_BYTES_MAX + 2];

    (void)state;
    cookie.name = TORC_STR("untouched");
    check_err(parse(""), TORC_ERR_SYNTAX);
    check_err(parse(" ; Secure"), TORC_ERR_SYNTAX);
    check_err(parse("="), TORC_ERR_SYNTAX);
    check_err(parse("a=b\x01"), TORC_ERR_SYNTAX);
    check_err(parse("a=b; Path=/\r"), TORC_ERR_SYNTAX);
    check_err(parse("a=b\x7f"), TORC_ERR_SYNTAX);
    check_err(torc_set_cookie_parse((torc_str){0}, &cookie), TORC_ERR_SYNTAX);
    memset(large, 'x', sizeof(large));
    large[1] = '=';
    check_err(torc_set_cookie_parse(torc_str_make(large, sizeof(large)), &cookie), TORC_ERR_SYNTAX);
    check_str(cookie.name, "untouched");
    check_ok(torc_set_cookie_parse(torc_str_make(large, sizeof(large) - 1), &cookie));
}

/* ---- attributes ---- */

static void attributes_are_read_whatever_their_case(void **state) {
    (void)state;
    check_ok(parse("a=1; EXPIRES=Sun, 06 Nov 1994 08:49:37 GMT; domain=.A.example; path=/x; "
                   "max-age=60;secure;HTTPONLY; SameSite=lAX; partitioned"));
    assert_true(cookie.has_expires && cookie.has_max_age);
    assert_int_equal(cookie.expires, 784111777);
    assert_int_equal(cookie.max_age, 60);
    check_str(cookie.domain, "A.example");
    check_str(cookie.path, "/x");
    assert_true(cookie.is_secure && cookie.is_http_only && cookie.is_partitioned);
    assert_int_equal(cookie.same_site, TORC_SAME_SITE_LAX);
}

static void what_is_absent_is_zero(void **state) {
    (void)state;
    check_ok(parse("a=1; Unknown=x; Expires=never; Max-Age=soon; Max-Age=; Max-Age=-; Path=x"));
    assert_false(cookie.has_expires || cookie.has_max_age);
    assert_int_equal(cookie.domain.len, 0);
    assert_int_equal(cookie.path.len, 0);
    assert_false(cookie.is_secure || cookie.is_http_only || cookie.is_partitioned);
    assert_int_equal(cookie.same_site, TORC_SAME_SITE_UNSAID);
}

static void the_last_attribute_counts(void **state) {
    (void)state;
    check_ok(parse("a=1; Path=/x; Path=y; Domain=a; Domain=b; Max-Age=1; Max-Age=x; SameSite=None; "
                   "SameSite=other"));
    assert_int_equal(cookie.path.len, 0);
    check_str(cookie.domain, "b");
    assert_int_equal(cookie.max_age, 1);
    assert_int_equal(cookie.same_site, TORC_SAME_SITE_UNSAID);
    check_ok(parse("a=1; SameSite=Strict; SameSite=None"));
    assert_int_equal(cookie.same_site, TORC_SAME_SITE_NONE);
    check_ok(parse("a=1; SameSite=STRICT"));
    assert_int_equal(cookie.same_site, TORC_SAME_SITE_STRICT);
}

static void ages_beyond_all_bounds_are_bounded(void **state) {
    (void)state;
    check_ok(parse("a=1; Max-Age=99999999999999999999"));
    assert_int_equal(cookie.max_age, INT64_MAX);
    check_ok(parse("a=1; Max-Age=-99999999999999999999"));
    assert_int_equal(cookie.max_age, -INT64_MAX);
    check_ok(parse("a=1; Max-Age=-5"));
    assert_int_equal(cookie.max_age, -5);
}

static void an_attribute_that_is_too_long_is_left_out(void **state) {
    char text[TORC_COOKIE_ATTRIBUTE_MAX + 32];
    const size_t before = (size_t)snprintf(text, sizeof(text), "a=1; Path=/");

    (void)state;
    memset(text + before, 'x', TORC_COOKIE_ATTRIBUTE_MAX);
    const torc_str whole = torc_str_make(text, before + TORC_COOKIE_ATTRIBUTE_MAX);
    check_ok(torc_set_cookie_parse(whole, &cookie));
    assert_int_equal(cookie.path.len, 0);
    check_ok(torc_set_cookie_parse(torc_str_head(whole, whole.len - 1), &cookie));
    assert_int_equal(cookie.path.len, TORC_COOKIE_ATTRIBUTE_MAX);
}

static void dates_are_read_as_browsers_do(void **state) {
    static const struct {
        const char *text;
        int64_t seconds; /* -1: not a date */
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"6 november 1994 8:49:37", 784111777},
        {"1994/Nov/06 08:49:37 PST", 784111777},
        {"06 Nov 1994, 08:49:37xyz", 784111777},
        {"01 Jan 70 00:00:00", 0},
        {"01 Jan 69 00:00:00", 3124224000},
        {"29 Feb 2024 00:00:00", 1709164800},
        {"29 Feb 2023 00:00:00", -1},
        {"31 Apr 2024 00:00:00", -1},
        {"32 Apr 2024 00:00:00", -1},
        {"0 Apr 2024 00:00:00", -1},
        {"1 Apr 2024 24:00:00", -1},
        {"1 Apr 2024 23:60:00", -1},
        {"1 Apr 2024 23:00:60", -1},
        {"1 Apr 1600 00:00:00", -1},
        {"1 Jan 1601 00:00:00", -11644473600},
        {"1 Apr 2024", -1},
        {"1 Apr 00:00:00", -1},
        {"Apr 2024 00:00:00", -1},
        {"1 2024 00:00:00", -1},
        {"1 Apr 12345 00:00:00", -1},
        {"", -1},
    };
    char text[100];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        snprintf(text, sizeof(text), "a=1; Expires=%s", cases[i].text);
        check_ok(parse(text));
        if (cookie.has_expires != (cases[i].seconds != -1)) print_error("%s\n", text);
        assert_int_equal(cookie.has_expires, cases[i].seconds != -1);
        if (cookie.has_expires) assert_int_equal(cookie.expires, cases[i].seconds);
    }
}

/* Every prefix is read within itself, and what a server writes is read back. */
static void every_prefix_is_read_within_its_bounds(void **state) {
    guarded memory = guarded_new(1);
    const torc_str whole =
        TORC_STR("k=v; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Domain=.a.example; "
                 "Path=/; Max-Age=-60; Secure; HttpOnly; SameSite=Lax; "
                 "Partitioned");

    (void)state;
    for (size_t len = 0; len <= whole.len; len++) {
        const torc_str text = guarded_at_end(&memory, torc_str_head(whole, len));
        const torc_err err = torc_set_cookie_parse(text, &cookie);
        assert_int_equal(err, len == 0 ? TORC_ERR_SYNTAX : TORC_OK);
        assert_int_equal(cookie.is_partitioned, len == whole.len);
    }
    assert_int_equal(cookie.expires, 253402300799);
    assert_int_equal(cookie.max_age, -60);
    guarded_free(&memory);
}

static void what_is_written_is_read_back(void **state) {
    const torc_cookie set = {
        .name = TORC_STR("k"),
        .value = TORC_STR("\"v\""),
        .domain = TORC_STR("a.example"),
        .path = TORC_STR("/x y"),
        .expires = 784111777,
        .max_age = -7,
        .same_site = TORC_SAME_SITE_NONE,
        .has_expires = true,
        .has_max_age = true,
        .is_secure = true,
        .is_http_only = true,
        .is_partitioned = true,
    };
    char text[512];
    torc_buf buf;

    (void)state;
    torc_buf_init_fixed(&buf, text, sizeof(text));
    check_ok(torc_set_cookie_format(&set, &buf));
    check_ok(torc_set_cookie_parse(torc_buf_str(&buf), &cookie));
    assert_true(torc_str_equals(cookie.name, set.name));
    assert_true(torc_str_equals(cookie.value, set.value));
    assert_true(torc_str_equals(cookie.domain, set.domain));
    assert_true(torc_str_equals(cookie.path, set.path));
    assert_int_equal(cookie.expires, set.expires);
    assert_int_equal(cookie.max_age, set.max_age);
    assert_int_equal(cookie.same_site, set.same_site);
    assert_true(cookie.is_secure && cookie.is_http_only && cookie.is_partitioned);
}

/* ---- whether it is kept ---- */

static void a_cookie_is_kept_only_where_it_may_be_set(void **state) {
    static const struct {
        const char *text, *host;
        bool is_secure, expected;
    } cases[] = {
        {"a=1", "a.example", false, true},
        {"a=1; Domain=a.example", "a.example", false, true},
        {"a=1; Domain=A.EXAMPLE", "www.a.example", false, true},
        {"a=1; Domain=www.a.example", "a.example", false, false},
        {"a=1; Domain=b.example", "a.example", false, false},
        {"a=1; Domain=1.2.3.4", "1.2.3.4", false, true},
        {"a=1; Domain=3.4", "1.2.3.4", false, false},
        {"a=1; Secure", "a.example", false, false},
        {"a=1; Secure", "a.example", true, true},
        {"a=1; SameSite=None", "a.example", true, false},
        {"a=1; SameSite=None; Secure", "a.example", true, true},
        {"a=1; Partitioned", "a.example", true, false},
        {"__Secure-a=1", "a.example", true, false},
        {"__secure-a=1; Secure", "a.example", true, true},
        {"__Host-a=1; Secure; Path=/", "a.example", true, true},
        {"__Host-a=1; Secure", "a.example", true, false},
        {"__Host-a=1; Secure; Path=/; Domain=a.example", "a.example", true, false},
        {"__Http-a=1; Secure", "a.example", true, false},
        {"__Host-Http-a=1; Secure; Path=/; HttpOnly", "a.example", true, true},
        {"=__Host-a=1; Secure; Path=/", "a.example", true, false},
        {"__host-a", "a.example", true, false},
        {"plain", "a.example", false, true},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        check_ok(parse(cases[i].text));
        const bool is_kept =
            torc_cookie_is_acceptable(&cookie, torc_str_of(cases[i].host), cases[i].is_secure);
        if (is_kept != cases[i].expected) print_error("%s\n", cases[i].text);
        assert_int_equal(is_kept, cases[i].expected);
    }
}

static void the_age_goes_before_the_date(void **state) {
    const int64_t now = 784111777;

    (void)state;
    check_ok(parse("a=1"));
    assert_int_equal(torc_cookie_expiry(&cookie, now), INT64_MAX);
    check_ok(parse("a=1; Expires=Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_int_equal(torc_cookie_expiry(&cookie, now), now);
    check_ok(parse("a=1; Max-Age=60; Expires=Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_int_equal(torc_cookie_expiry(&cookie, now), now + 60);
    check_ok(parse("a=1; Max-Age=0"));
    assert_true(torc_cookie_expiry(&cookie, now) < now);
    check_ok(parse("a=1; Max-Age=-1"));
    assert_true(torc_cookie_expiry(&cookie, now) < now);
    check_ok(parse("a=1; Max-Age=99999999999999999999"));
    assert_int_equal(torc_cookie_expiry(&cookie, now), now + TORC_COOKIE_AGE_MAX);
    check_ok(parse("a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT"));
    assert_int_equal(torc_cookie_expiry(&cookie, now), now + TORC_COOKIE_AGE_MAX);
    assert_int_equal(torc_cookie_expiry(&cookie, INT64_MAX), 253402300799);
}

/* ---- where it is sent ---- */

static bool domain_matches(const char *domain, const char *host) {
    return torc_cookie_domain_matches(torc_str_of(domain), torc_str_of(host));
}

static void domains_have_all_below_them(void **state) {
    (void)state;
    assert_true(domain_matches("a.example", "a.example"));
    assert_true(domain_matches("a.example", "b.A.example"));
    assert_true(domain_matches("a.example", "c.b.a.example"));
    assert_false(domain_matches("a.example", "ba.example"));
    assert_false(domain_matches("a.example", "example"));
    assert_false(domain_matches("", "a.example"));
    assert_false(domain_matches("0.0.1", "127.0.0.1"));
    assert_true(domain_matches("127.0.0.1", "127.0.0.1"));
    assert_true(domain_matches("[::1]", "[::1]"));
    assert_false(domain_matches("1]", "[::.1]"));
}

static bool path_matches(const char *cookie_path, const char *path) {
    return torc_cookie_path_matches(torc_str_of(cookie_path), torc_str_of(path));
}

static void paths_have_whole_segments_beneath_them(void **state) {
    (void)state;
    assert_true(path_matches("/", "/"));
    assert_true(path_matches("/", "/a"));
    assert_true(path_matches("/a", "/a"));
    assert_true(path_matches("/a", "/a/b"));
    assert_true(path_matches("/a/", "/a/b"));
    assert_false(path_matches("/a", "/ab"));
    assert_false(path_matches("/a/", "/a"));
    assert_false(path_matches("/A", "/a"));
}

static void the_default_path_is_the_folder(void **state) {
    (void)state;
    check_str(torc_cookie_default_path(TORC_STR("")), "/");
    check_str(torc_cookie_default_path(TORC_STR("*")), "/");
    check_str(torc_cookie_default_path(TORC_STR("/")), "/");
    check_str(torc_cookie_default_path(TORC_STR("/a")), "/");
    check_str(torc_cookie_default_path(TORC_STR("/a/")), "/a");
    check_str(torc_cookie_default_path(TORC_STR("/a/b/c")), "/a/b");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_values_are_trimmed),
        cmocka_unit_test(a_cookie_may_have_no_name),
        cmocka_unit_test(some_are_ignored),
        cmocka_unit_test(attributes_are_read_whatever_their_case),
        cmocka_unit_test(what_is_absent_is_zero),
        cmocka_unit_test(the_last_attribute_counts),
        cmocka_unit_test(ages_beyond_all_bounds_are_bounded),
        cmocka_unit_test(an_attribute_that_is_too_long_is_left_out),
        cmocka_unit_test(dates_are_read_as_browsers_do),
        cmocka_unit_test(every_prefix_is_read_within_its_bounds),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_cookie_is_kept_only_where_it_may_be_set),
        cmocka_unit_test(the_age_goes_before_the_date),
        cmocka_unit_test(domains_have_all_below_them),
        cmocka_unit_test(paths_have_whole_segments_beneath_them),
        cmocka_unit_test(the_default_path_is_the_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
