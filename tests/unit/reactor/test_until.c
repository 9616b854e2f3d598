/* SPDX-License-Identifier: MIT */
#include <torc/fiber.h>
#include <torc/schedule.h>
#include <torc/testing.h>

#include "check.h"

static torc_reactor *reactor;

static int set_up(void **state) {
    (void)state;
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

typedef struct taker {
    torc_callback callback;
    int told;
    torc_err err;
} taker;

static void take(torc_callback *callback, torc_err err, void *value) {
    taker *self = torc_container_of(callback, taker, callback);

    assert_null(value);
    self->told++;
    self->err = err;
}

static void it_fires_at_its_time(void **state) {
    const int64_t at = torc_reactor_wall_seconds(reactor) + 3600;
    taker taking = {.told = 0};

    (void)state;
    torc_deferred_then(torc_defer_until(reactor, at), &taking.callback, take);
    torc_test_advance(reactor, 3599999);
    assert_int_equal(taking.told, 0);
    torc_test_advance(reactor, 1);
    assert_int_equal(taking.told, 1);
    check_ok(taking.err);
}

static void a_time_that_is_over_is_now(void **state) {
    taker taking = {.told = 0}, long_ago = {.told = 0};

    (void)state;
    torc_deferred_then(torc_defer_until(reactor, 0), &taking.callback, take);
    torc_deferred_then(torc_defer_until(reactor, INT64_MIN), &long_ago.callback, take);
    torc_test_advance(reactor, 1);
    assert_int_equal(taking.told + long_ago.told, 2);
}

static void it_goes_by_the_clock_on_the_wall(void **state) {
    const int64_t now = torc_reactor_wall_seconds(reactor);
    taker taking = {.told = 0};

    (void)state;
    torc_deferred_then(torc_defer_until(reactor, now + 3600), &taking.callback, take);
    torc_test_set_wall(reactor, now - 1800);
    torc_test_advance(reactor, 4000000);
    assert_int_equal(taking.told, 0);
    torc_test_set_wall(reactor, now + 7200);
    torc_test_advance(reactor, 60000);
    assert_int_equal(taking.told, 1);
}

static void it_is_cancelled(void **state) {
    taker taking = {.told = 0};
    torc_deferred *deferred = torc_defer_until(reactor, INT64_MAX);

    (void)state;
    torc_deferred_then(deferred, &taking.callback, take);
    torc_deferred_cancel(deferred);
    torc_test_settle(reactor);
    check_err(taking.err, TORC_ERR_CANCELLED);
    torc_deferred_drop(torc_defer_until(reactor, INT64_MAX));
}

static void without_memory_it_fails(void **state) {
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        taker taking = {.told = 0};
        torc_test_fail_allocation(reactor, n);
        torc_deferred_then(torc_defer_until(reactor, 0), &taking.callback, take);
        assert_true(torc_test_allocation_failed(reactor));
        torc_test_advance(reactor, 1);
        check_err(taking.err, TORC_ERR_NO_MEMORY);
    }
}

static torc_err slept;

static torc_err sleep_for_a_day(void *context) {
    (void)context;
    slept = TORC_ERR_AGAIN;
    slept = torc_sleep_until(reactor, torc_reactor_wall_seconds(reactor) + 86400);
    return TORC_OK;
}

static void a_fiber_sleeps_until_then(void **state) {
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_spawn(reactor, sleep_for_a_day, NULL, NULL));
    torc_test_advance(reactor, 86399999);
    check_err(slept, TORC_ERR_AGAIN);
    torc_test_advance(reactor, 1);
    check_ok(slept);
    check_ok(torc_fiber_spawn(reactor, sleep_for_a_day, NULL, &fiber));
    torc_test_settle(reactor);
    torc_fiber_cancel(fiber, TORC_ERR_CANCELLED);
    torc_test_settle(reactor);
    check_err(slept, TORC_ERR_CANCELLED);
    torc_fiber_detach(fiber);
}

static void times_of_day_come_every_day(void **state) {
    const int64_t now = 784111777; /* 08:49:37 */
    torc_zone *zone;

    (void)state;
    assert_int_equal(torc_time_of_day_next(NULL, 8, 50, now), now + 23);
    assert_int_equal(torc_time_of_day_next(NULL, 8, 49, now), now - 37 + 86400);
    check_ok(torc_zone_parse_rule(NULL, TORC_STR("XXX-1"), &zone));
    assert_int_equal(torc_time_of_day_next(zone, 9, 50, now), now + 23);
    torc_zone_free(zone);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_fires_at_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_time_that_is_over_is_now, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_goes_by_the_clock_on_the_wall, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_it_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fiber_sleeps_until_then, set_up, tear_down),
        cmocka_unit_test_setup_teardown(times_of_day_come_every_day, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
