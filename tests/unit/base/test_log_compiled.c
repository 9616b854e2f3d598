/* SPDX-License-Identifier: MIT */
/*
 * A program may leave out what is below a level when it is compiled.
 */
#define TORC_LOG_LEVEL_COMPILED 2 /* WARN */
#include <torc/log.h>

#include "check.h"

static int events;

static void count(void *context, const torc_log_record *record) {
    events++;
}

static void what_is_below_the_level_is_not_there(void **state) {
    torc_log *log = NULL;

    check_ok(torc_log_new(NULL, count, NULL, &log));
    check_ok(torc_log_set_level(log, NULL, TORC_LOG_LEVEL_DEBUG));
    TORC_LOG_DEBUG(log, "a", "not there");
    TORC_LOG_INFO(log, "a", "not there");
    assert_int_equal(events, 0);
    TORC_LOG_WARN(log, "a", "there");
    TORC_LOG_CRITICAL(log, "a", "there");
    assert_int_equal(events, 2);
    torc_log_free(log);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_below_the_level_is_not_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
