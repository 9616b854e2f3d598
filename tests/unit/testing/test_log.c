/* SPDX-License-Identifier: MIT */
#include <torc/testing_log.h>

#include "check.h"

static torc_test_log *captured;

static int set_up(void **state) {
    return torc_test_log_new(&captured);
}

static int tear_down(void **state) {
    torc_test_log_free(captured);
    return 0;
}

static void events_are_kept_whole(void **state) {
    char value[] = "v";

    TORC_LOG_DEBUG(torc_test_log_log(captured), "shop", "it happened", TORC_LOG_TEXT("s", value),
                   TORC_LOG_INT("n", 7), TORC_LOG_BYTES("b", TORC_STR("\0")));
    value[0] = 'x';
    assert_int_equal(torc_test_log_count(captured), 1);
    const torc_log_record *record = torc_test_log_at(captured, 0);
    assert_int_equal(record->level, TORC_LOG_LEVEL_DEBUG);
    assert_int_equal(record->time_us, INT64_C(784111777000000));
    assert_string_equal(record->space, "shop");
    check_str(torc_log_record_field(record, "s")->value.str, "v");
    assert_int_equal(torc_log_record_field(record, "n")->value.int_, 7);
    check_str(torc_log_record_field(record, "b")->value.str, "\0");
    assert_null(torc_log_record_field(record, "m"));
}

static void events_are_found(void **state) {
    for (int i = 0; i < 100; i++)
        TORC_LOG_INFO(torc_test_log_log(captured), "shop", i == 50 ? "this" : "another",
                      TORC_LOG_INT("n", i));
    assert_int_equal(torc_test_log_count(captured), 100);
    const torc_log_record *record = torc_test_log_find(captured, "shop", "this");
    assert_int_equal(torc_log_record_field(record, "n")->value.int_, 50);
    assert_null(torc_test_log_find(captured, "shop", "that"));
    assert_null(torc_test_log_find(captured, "shops", "this"));
    torc_test_log_clear(captured);
    assert_int_equal(torc_test_log_count(captured), 0);
    assert_null(torc_test_log_find(captured, "shop", "this"));
}

static void secrets_are_not_kept(void **state) {
    TORC_LOG_INFO(torc_test_log_log(captured), "a", "t", TORC_LOG_TEXT("password", "1234"));
    check_str(torc_log_record_field(torc_test_log_at(captured, 0), "password")->value.str,
              "[redacted]");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(events_are_kept_whole),
        CASE(events_are_found),
        CASE(secrets_are_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
