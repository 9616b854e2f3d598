/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <torc/torc.h>

#include "check.h"

static void version_is_that_of_the_headers(void **state) {
    char text[32];

    snprintf(text, sizeof text, "%d.%d.%d", TORC_VERSION_MAJOR, TORC_VERSION_MINOR,
             TORC_VERSION_PATCH);
    assert_string_equal(torc_version(), text);
}

static void what_it_was_built_with_is_a_line(void **state) {
    const char *text = torc_built_with();

    (void)state;
    assert_true(strstr(text, "gcc ") == text || strstr(text, "clang ") == text);
    assert_non_null(strstr(text, " for "));
    assert_non_null(strstr(text, "glibc 2."));
    assert_null(strchr(text, '\n'));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_was_built_with_is_a_line),
        cmocka_unit_test(version_is_that_of_the_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
