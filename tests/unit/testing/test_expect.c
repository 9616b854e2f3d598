/* SPDX-License-Identifier: MIT */
/* Expectations without a client: values, results of deferreds, what is left open on a reactor. */
#include <stdio.h>
#include <stdlib.h>
#include <torc/testing_expect.h>
#include <torc/torc.h>

#include "failing.h"

static torc_reactor *reactor;

static int set_up(void **state) {
    return failing_begin(state) || torc_test_reactor_new(NULL, &reactor);
}

static int tear_down(void **state) {
    torc_reactor_free(reactor);
    return failing_end(state);
}

static void values_are_compared(void **state) {
    assert_true(torc_test_expect(1 + 1 == 2));
    assert_false(torc_test_expect(1 + 1 == 3));
    failed_with("this is not so: 1 + 1 == 3");
    assert_non_null(strstr(failed_place, "test_expect.c:"));
    assert_true(torc_test_expect_int(7, 7));
    assert_false(torc_test_expect_int(7, -8));
    failed_with("it is 7, and should be -8");
    assert_true(torc_test_expect_text("a", "a"));
    assert_true(torc_test_expect_text(NULL, NULL));
    assert_false(torc_test_expect_text(NULL, "a"));
    failed_with("it is NULL, and should be a");
    assert_false(torc_test_expect_str(TORC_STR("a\nbc\x01"), TORC_STR("a\nbd")));
    failed_with("they differ from byte 3 on (line 2)");
    and_with("bc\\x01");
    torc_test_fail("%d sheep are missing", 3);
    failed_with("3 sheep are missing");
}

static void long_texts_are_cut_where_they_differ(void **state) {
    static char a[5000], b[5000];

    memset(a, 'x', sizeof(a));
    memset(b, 'x', sizeof(b));
    b[3000] = 'y';
    assert_false(torc_test_expect_str(torc_str_make(a, sizeof(a)), torc_str_make(b, sizeof(b))));
    failed_with("from byte 3000 on");
    and_with("xyx");
    assert_true(strlen(failed_text) < 1000);
}

static void give_up(torc_deferred *deferred, void *context) {
    (void)context;
    (void)torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

/* One that never fires, but when it is cancelled. */
static torc_deferred *silent(void) {
    torc_deferred *deferred = torc_deferred_new(reactor);

    torc_deferred_set_canceller(deferred, give_up, NULL);
    return deferred;
}

static void values_of_deferreds_are_taken(void **state) {
    static int value;

    assert_ptr_equal(torc_test_expect_value(torc_deferred_of(reactor, &value, NULL)), &value);
    assert_null(torc_test_expect_value(silent()));
    failed_with("has not fired, and should have a value");
    and_with("test_expect.c:");
    assert_null(torc_test_expect_value(torc_deferred_failed(reactor, TORC_ERR_NOT_FOUND)));
    failed_with("should have a value, and has failed");
    torc_failure *failure = torc_failure_new(torc_reactor_memory(reactor), TORC_ERR_LIMIT, "tea");
    assert_null(
        torc_test_expect_value(torc_deferred_failed_with(reactor, TORC_ERR_LIMIT, failure)));
    failed_with("tea");
    assert_true(torc_test_expect_nothing_open(reactor));
}

static void errors_of_deferreds_are_taken(void **state) {
    assert_true(
        torc_test_expect_error(torc_deferred_failed(reactor, TORC_ERR_LIMIT), TORC_ERR_LIMIT));
    assert_true(torc_test_expect_error(torc_deferred_failed(reactor, TORC_ERR_LIMIT), TORC_OK));
    assert_false(
        torc_test_expect_error(torc_deferred_failed(reactor, TORC_ERR_LIMIT), TORC_ERR_LOST));
    failed_with("and has failed");
    assert_false(torc_test_expect_error(torc_deferred_of(reactor, malloc(1), free), TORC_OK));
    failed_with("has a value, and should fail");
    assert_false(torc_test_expect_error(silent(), TORC_OK));
    failed_with("has not fired");
}

static void a_deferred_may_have_no_result_yet(void **state) {
    torc_deferred *deferred = torc_defer_later(reactor, 1000, NULL, NULL);

    assert_true(torc_test_expect_no_result(deferred));
    torc_test_advance(reactor, 1000);
    assert_false(torc_test_expect_no_result(deferred));
    failed_with("has a result already: a value");
    assert_null(torc_test_expect_value(deferred));
}

static void time_is_moved_for_a_deferred(void **state) {
    static int value;
    const uint64_t before = torc_reactor_now_ms(reactor);

    assert_ptr_equal(torc_test_await_value(torc_defer_later(reactor, 5000, &value, NULL), 60000),
                     &value);
    assert_int_equal(torc_reactor_now_ms(reactor) - before, 5000);
    assert_null(torc_test_await_value(torc_defer_later(reactor, 5000, &value, NULL), 4999));
    failed_with("has not fired");
}

static void never(torc_timer *timer) {
    (void)timer;
}

static void what_is_open_is_named(void **state) {
    torc_timer timer;
    int sheep;

    assert_true(torc_test_expect_nothing_open(reactor));
    torc_timer_init(&timer, reactor, never);
    torc_timer_arm(&timer, 10);
    assert_false(torc_test_expect_nothing_open(reactor));
    failed_with("timer: in 10 ms, never");
    torc_timer_cancel(&timer);
    torc_deferred *deferred = torc_deferred_of(reactor, &sheep, NULL);
    assert_false(torc_test_expect_nothing_open(reactor));
    failed_with("has a value that nobody has taken");
    torc_deferred_drop(deferred);
    assert_true(torc_test_expect_nothing_open(reactor));
}

static void events_are_expected_and_forgotten(void **state) {
    torc_test_log *captured;

    check_ok(torc_test_log_new(&captured));
    for (int i = 0; i < 3; i++)
        TORC_LOG_ERROR(torc_test_log_log(captured), "shop", i == 1 ? "b" : "a",
                       TORC_LOG_INT("i", i));
    assert_true(torc_test_expect_event(captured, "shop", "a"));
    assert_int_equal(torc_test_log_count(captured), 1);
    assert_false(torc_test_expect_event(captured, "shop", "a"));
    failed_with("error shop: b");
    assert_false(torc_test_expect_no_errors(captured));
    failed_with("errors were logged that nobody expected");
    and_with("i=1");
    assert_int_equal(torc_test_log_forget(captured, "shop", "b"), 1);
    assert_true(torc_test_expect_no_errors(captured));
    TORC_LOG_WARN(torc_test_log_log(captured), "shop", "c");
    assert_true(torc_test_expect_no_errors(captured));
    torc_test_log_free(captured);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(values_are_compared),
        CASE(long_texts_are_cut_where_they_differ),
        CASE(values_of_deferreds_are_taken),
        CASE(errors_of_deferreds_are_taken),
        CASE(a_deferred_may_have_no_result_yet),
        CASE(time_is_moved_for_a_deferred),
        CASE(what_is_open_is_named),
        CASE(events_are_expected_and_forgotten),
    };
    return cmocka_run_group_tests_name("expect", tests, NULL, NULL);
}
