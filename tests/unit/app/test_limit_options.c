/* SPDX-License-Identifier: MIT */
/* Limits by name. */
#include <stdio.h>
#include <torc/limits.h>

#include "app/options.h"
#include "check.h"

static torc_limits limits;

static const char *apply(const char *value) {
    static char text[160];

    limits = (torc_limits){.size = sizeof(limits)};
    return torc_limit_option_apply(&limits, value, text);
}

static void a_limit_is_set_by_its_name(void **state) {
    (void)state;
    assert_null(apply("fields=7"));
    assert_int_equal(limits.fields_max, 7);
    assert_null(apply("body-bytes=5000000000"));
    assert_int_equal(limits.body_bytes_max, 5000000000);
    assert_null(apply("connections-per-address=none"));
    assert_int_equal(limits.connections_per_address_max, TORC_UNLIMITED);
    assert_null(apply("memory=none"));
    assert_true(limits.memory_max == TORC_UNLIMITED_BYTES);
    assert_null(apply("fields=4294967294"));
    assert_int_equal(limits.fields_max, 4294967294);
}

/* Setting one leaves its neighbours alone. */
static void the_others_stay(void **state) {
    torc_limits expected = {.size = sizeof(expected), .header_ms = 5};

    (void)state;
    assert_null(apply("header-ms=5"));
    assert_memory_equal(&limits, &expected, sizeof(limits));
}

static void a_mistake_says_what_would_be_right(void **state) {
    static const struct {
        const char *value, *wrong;
    } cases[] = {
        {"fields", "write NAME=VALUE, for example body-bytes=1048576"},
        {"fieds=1", "no such limit; did you mean fields?"},
        {"zebra-crossing=1", "no such limit; --help=limits lists them"},
        {"=1", "no such limit; --help=limits lists them"},
        {"fields=0", "the value is a whole number from 1 up, or `none`"},
        {"fields=", "the value is a whole number from 1 up, or `none`"},
        {"fields=-1", "the value is a whole number from 1 up, or `none`"},
        {"fields=1k", "the value is a whole number from 1 up, or `none`"},
        {"fields=4294967295", "the value is at most 4294967294, or `none`"},
        {"fields=4294967296", "the value is at most 4294967294, or `none`"},
        {"fields=99999999999999999999999", "the value is at most 4294967294, or `none`"},
        {"fields=99999999999999999999999x", "the value is a whole number from 1 up, or `none`"},
        {"memory=18446744073709551615", "the value is at most 18446744073709551614, or `none`"},
    };
    const torc_limits untouched = {.size = sizeof(untouched)};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const char *wrong = apply(cases[i].value);
        assert_non_null(wrong);
        assert_string_equal(wrong, cases[i].wrong);
        assert_memory_equal(&limits, &untouched, sizeof(limits));
    }
}

/* Between a member of 32 bits and one of 64. */
static bool is_padding(size_t at) {
    const size_t first = offsetof(torc_limits, trailers_bytes_max) + sizeof(uint32_t);
    const size_t second = offsetof(torc_limits, fibers_max) + sizeof(uint32_t);

    return (at >= first && at < offsetof(torc_limits, body_bytes_max)) ||
           (at >= second && at < offsetof(torc_limits, memory_max));
}

/* Every member but the size has its option, and the help names each with its default. */
static void no_limit_is_without_an_option(void **state) {
    torc_buf text;
    torc_str rest, line;
    torc_limits all = {.size = sizeof(all)};
    char reason[160];

    (void)state;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 10000);
    torc_limit_options_write(&text);
    check_ok(torc_buf_err(&text));
    rest = torc_buf_str(&text);
    while (torc_str_split(&rest, '\n', &line)) {
        char value[64];
        if (!torc_str_starts_with(line, TORC_STR("  "))) continue;
        const torc_str name = torc_str_from(line, 2);
        snprintf(value, sizeof(value), "%.*s=none", (int)torc_str_find_byte(name, ' '), name.bytes);
        assert_null(torc_limit_option_apply(&all, value, reason));
    }
    for (size_t at = sizeof(all.size); at < sizeof(all); at++)
        if (!is_padding(at)) assert_int_equal(((const unsigned char *)&all)[at], 0xff);
    torc_buf_dispose(&text);
}

static void the_help_shows_the_defaults(void **state) {
    torc_buf text;

    (void)state;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 10000);
    torc_limit_options_write(&text);
    assert_true(torc_str_starts_with(
        torc_buf_str(&text),
        TORC_STR("\nLimits of requests:\n"
                 "  request-line-bytes             16384  length of a request line\n")));
    assert_true(torc_str_find(torc_buf_str(&text),
                              TORC_STR("  connections-per-address         none  ")) > 0);
    torc_buf_dispose(&text);
}

/* For a terminal of 24 lines of 80 columns, and for programs. */
static void each_group_of_limits_is_a_screen(void **state) {
    size_t lines = 0;
    torc_buf text;
    torc_str rest, line;

    (void)state;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 10000);
    torc_limit_options_write(&text);
    rest = torc_buf_str(&text);
    while (torc_str_split(&rest, '\n', &line)) {
        lines = line.len == 0 ? 0 : lines + 1;
        assert_true(lines < 23);
        assert_true(line.len < 80);
    }
    torc_buf_dispose(&text);
}

static void limits_are_written_as_json(void **state) {
    torc_buf text;
    torc_json json;

    (void)state;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 10000);
    torc_json_init_buf(&json, &text, TORC_JSON_PLAIN);
    torc_json_open_object(&json);
    torc_limit_options_write_json(&json);
    torc_json_close_object(&json);
    check_ok(torc_json_end(&json));
    assert_true(torc_str_starts_with(
        torc_buf_str(&text),
        TORC_STR("{\"limits\":[{\"group\":\"Limits of "
                 "requests\",\"name\":\"request-line-bytes\",\"default\":\"16384\","
                 "\"help\":\"length of a request line\"},")));
    torc_buf_dispose(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_is_set_by_its_name),
        cmocka_unit_test(the_others_stay),
        cmocka_unit_test(a_mistake_says_what_would_be_right),
        cmocka_unit_test(no_limit_is_without_an_option),
        cmocka_unit_test(the_help_shows_the_defaults),
        cmocka_unit_test(each_group_of_limits_is_a_screen),
        cmocka_unit_test(limits_are_written_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
