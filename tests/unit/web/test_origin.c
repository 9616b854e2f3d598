/* SPDX-License-Identifier: MIT */
/* Origins and patterns of them. */
#include "check.h"
#include "web/origin.h"

static bool matches(const char *pattern, const char *origin) {
    assert_null(torc_origin_pattern_check(torc_str_of(pattern)));
    return torc_origin_matches(torc_str_of(pattern), torc_str_of(origin));
}

static void an_origin_is_itself_and_no_other(void **state) {
    (void)state;
    assert_true(matches("https://a.example", "https://a.example"));
    assert_true(matches("http://[::1]:3000", "http://[::1]:3000"));
    assert_true(matches("null", "null"));
    assert_false(matches("https://a.example", "http://a.example"));
    assert_false(matches("https://a.example", "https://a.example:8443"));
    assert_false(matches("https://a.example", "https://a.example.evil"));
    assert_false(matches("https://a.example", "https://b.a.example"));
    assert_false(matches("https://a.example", "https://A.example"));
    assert_false(matches("https://a.example", "null"));
    assert_false(matches("https://a.example", ""));
}

static void a_star_in_front_is_all_names_beneath(void **state) {
    static const char pattern[] = "https://*.a.example";

    (void)state;
    assert_true(matches(pattern, "https://b.a.example"));
    assert_true(matches(pattern, "https://c.b.a.example"));
    assert_false(matches(pattern, "https://a.example"));
    assert_false(matches(pattern, "https://.a.example"));
    assert_false(matches(pattern, "https://b..a.example"));
    assert_false(matches(pattern, "http://b.a.example"));
    assert_false(matches(pattern, "https://ba.example"));
    assert_false(matches(pattern, "https://xa.example"));
    assert_false(matches(pattern, "https://evil.example/.a.example"));
    assert_false(matches(pattern, "https://evil.example:1.a.example"));
    assert_false(matches(pattern, "https://evil@b.a.example"));
    assert_false(matches(pattern, "https://b.a.example:444"));
    assert_false(matches(pattern, "https://b.a.example.evil"));
    assert_true(matches("https://*.a.example:444", "https://b.a.example:444"));
}

static void a_star_as_port_is_any_or_none(void **state) {
    (void)state;
    assert_true(matches("http://localhost:*", "http://localhost:3000"));
    assert_true(matches("http://localhost:*", "http://localhost"));
    assert_true(matches("http://[::1]:*", "http://[::1]:80"));
    assert_true(matches("http://[::1]:*", "http://[::1]"));
    assert_true(matches("https://*.a.example:*", "https://b.a.example:1"));
    assert_false(matches("http://localhost:*", "http://localhost:"));
    assert_false(matches("http://localhost:*", "http://localhost:x"));
    assert_false(matches("http://localhost:*", "http://localhost:65536"));
    assert_false(matches("http://localhost:*", "http://localhost.evil:80"));
    assert_false(matches("http://localhost:*", "http://localhost:80:80"));
    assert_false(matches("http://localhost:*", "http:"));
}

static void what_is_no_pattern_is_told(void **state) {
    static const char *const wrong[] = {
        "",
        "a.example",
        "https:a.example",
        "://a.example",
        "1s://a.example",
        "https://",
        "https://a.example/",
        "https://a.example/path",
        "https://A.example",
        "HTTPS://a.example",
        "https://a b.example",
        "https://user@a.example",
        "https://a.*.example",
        "https://a*.example",
        "https://**.example",
        "https://*",
        "https://a.example:x",
        "https://a.example:70000",
        "https://a..example",
        "https://.example",
        "https://a.example.",
        "https://[::1",
        "https://[x]",
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(wrong); i++)
        assert_non_null(torc_origin_pattern_check(torc_str_of(wrong[i])));
    assert_null(torc_origin_pattern_check(TORC_STR("*")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_is_itself_and_no_other),
        cmocka_unit_test(a_star_in_front_is_all_names_beneath),
        cmocka_unit_test(a_star_as_port_is_any_or_none),
        cmocka_unit_test(what_is_no_pattern_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
