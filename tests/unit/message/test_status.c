/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdio.h>
#include <torc/status.h>

#include "check.h"

static void phrases_are_the_registered_ones(void **state) {
    (void)state;
    check_str(torc_status_phrase(100), "Continue");
    check_str(torc_status_phrase(200), "OK");
    check_str(torc_status_phrase(404), "Not Found");
    check_str(torc_status_phrase(413), "Content Too Large");
    check_str(torc_status_phrase(422), "Unprocessable Content");
    check_str(torc_status_phrase(431), "Request Header Fields Too Large");
    check_str(torc_status_phrase(511), "Network Authentication Required");
}

static void others_have_no_phrase_and_no_line(void **state) {
    static const int others[] = {INT_MIN, -1, 0, 99, 199, 306, 419, 512, 599, 999, 1000, INT_MAX};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(others); i++) {
        check_str(torc_status_phrase(others[i]), "");
        assert_null(torc_status_line(others[i]).bytes);
    }
}

static void a_line_is_made_of_status_and_phrase(void **state) {
    int count = 0;

    (void)state;
    for (int status = 0; status < 1000; status++) {
        const torc_str line = torc_status_line(status), phrase = torc_status_phrase(status);
        char expected[100];
        if (!line.bytes) continue;
        const int len = snprintf(expected, sizeof(expected), "HTTP/1.1 %d %.*s\r\n", status,
                                 TORC_STR_ARGS(phrase));
        assert_int_equal(line.len, len);
        assert_memory_equal(line.bytes, expected, line.len);
        count++;
    }
    assert_true(count > 55);
}

static void some_never_have_a_body(void **state) {
    (void)state;
    for (int status = 0; status < 1000; status++)
        assert_int_equal(torc_status_is_bodiless(status),
                         status / 100 == 1 || status == 204 || status == 304);
}

static void redirects_are_those_with_a_location_to_go_to(void **state) {
    static const int redirects[] = {301, 302, 303, 307, 308};
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(redirects); i++)
        assert_true(torc_status_is_redirect(redirects[i]));
    for (int status = 0; status < 1000; status++) count += torc_status_is_redirect(status);
    assert_int_equal(count, TORC_COUNT_OF(redirects));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phrases_are_the_registered_ones),
        cmocka_unit_test(redirects_are_those_with_a_location_to_go_to),
        cmocka_unit_test(others_have_no_phrase_and_no_line),
        cmocka_unit_test(a_line_is_made_of_status_and_phrase),
        cmocka_unit_test(some_never_have_a_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
