/* SPDX-License-Identifier: MIT */
/* What may have been meant. */
#include "check.h"

static void the_nearest_name_is_one_that_could_have_been_meant(void **state) {
    static const char *const names[] = {"listen", "limit", "log-level"};

    (void)state;
    assert_string_equal(torc_str_nearest(TORC_STR("lisen"), names, 3), "listen");
    assert_string_equal(torc_str_nearest(TORC_STR("limits"), names, 3), "limit");
    assert_string_equal(torc_str_nearest(TORC_STR("loglevel"), names, 3), "log-level");
    assert_null(torc_str_nearest(TORC_STR("zebra"), names, 3));
    assert_null(
        torc_str_nearest(TORC_STR("listen-to-a-name-that-is-longer-than-all-options"), names, 3));
    assert_null(torc_str_nearest(TORC_STR("x"), names, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_name_is_one_that_could_have_been_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
