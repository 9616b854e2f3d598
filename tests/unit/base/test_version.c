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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_is_that_of_the_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
