/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <torc/fiber.h>
#include <torc/looping_call.h>
#include <torc/testing.h>

#include "check.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static torc_looping_call *call;

/* What the ticks note, and what they do besides. */
static struct {
    int count;
    uint64_t at_ms[64], counts[64];
    torc_deferred *answer; /* of the next tick */
    uint64_t takes_ms;     /* of a tick on a fiber */
    torc_err err;
    int stop_at, free_at, restart_at, disposed;
    torc_err waited;
} ticks;

static uint64_t start_ms;

static int set_up(void **state) {
    (void)state;
    memset(&ticks, 0, sizeof(ticks));
    if (torc_test_reactor_new(NULL, &reactor)) return -1;
    start_ms = torc_reactor_now_ms(reactor);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static void note(uint64_t count) {
    assert_true(ticks.count < 64);
    ticks.at_ms[ticks.count] = torc_reactor_now_ms(reactor) - start_ms;
    ticks.counts[ticks.count++] = count;
}

static torc_deferred *tick(void *context, uint64_t count) {
    torc_deferred *answer = ticks.answer;

    assert_ptr_equal(context, &ticks);
    note(count);
    ticks.answer = NULL;
    if (ticks.count == ticks.stop_at) torc_looping_call_stop(call);
    if (ticks.count == ticks.restart_at) torc_looping_call_start(call, 7, true);
    if (ticks.count == ticks.free_at) torc_looping_call_free(call);
    return answer;
}

static torc_err tick_on_fiber(void *context, uint64_t count) {
    (void)context;
    note(count);
    if (ticks.takes_ms) ticks.waited = torc_sleep(reactor, ticks.takes_ms);
    return ticks.waited ? ticks.waited : ticks.err;
}

static void dispose(void *context) {
    assert_ptr_equal(context, &ticks);
    ticks.disposed++;
}

static void make(void) {
    check_ok(torc_looping_call_new(reactor, tick, &ticks, &call));
}

static void make_on_fiber(void) {
    check_ok(torc_looping_call_new_on_fiber(reactor, tick_on_fiber, &ticks, &call));
}

/* Who waits for the end. */
typedef struct waiter {
    torc_callback callback;
    int told;
    torc_err err;
} waiter;

static void told(torc_callback *callback, torc_err err, void *value) {
    waiter *self = torc_container_of(callback, waiter, callback);

    assert_null(value);
    self->told++;
    self->err = err;
}

static void wait_for_end(waiter *self) {
    torc_deferred_then(torc_looping_call_ended(call), &self->callback, told);
}

static void it_ticks_at_once_and_then_at_intervals(void **state) {
    (void)state;
    make();
    torc_looping_call_start(call, 100, true);
    assert_int_equal(ticks.count, 0); /* calls do not call back */
    torc_test_advance(reactor, 250);
    assert_int_equal(ticks.count, 3);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(ticks.at_ms[i], 100 * i);
        assert_int_equal(ticks.counts[i], 1);
    }
    torc_looping_call_free(call);
    torc_test_advance(reactor, 1000);
    assert_int_equal(ticks.count, 3);
}

static void it_may_start_later(void **state) {
    (void)state;
    make();
    torc_looping_call_start(call, 100, false);
    torc_test_advance(reactor, 99);
    assert_int_equal(ticks.count, 0);
    torc_test_advance(reactor, 1);
    assert_int_equal(ticks.count, 1);
    assert_int_equal(ticks.counts[0], 1);
    torc_looping_call_free(call);
}

static void it_does_not_drift(void **state) {
    (void)state;
    make();
    torc_test_spend_us(reactor, 300); /* the clock is between two milliseconds */
    torc_test_settle(reactor);
    torc_looping_call_start(call, 10, false);
    for (int i = 0; i < 50; i++) {
        torc_test_spend_us(reactor, 1700); /* something takes its time */
        torc_test_advance(reactor, 8);
    }
    assert_true(ticks.count >= 47);
    for (int i = 1; i < ticks.count; i++) assert_true((ticks.at_ms[i] - ticks.at_ms[0]) % 10 < 3);
    assert_int_equal(torc_looping_call_missed(call), 0);
    torc_looping_call_free(call);
}

static void ticks_that_were_missed_are_counted(void **state) {
    (void)state;
    make();
    torc_looping_call_start(call, 10, true);
    torc_test_advance(reactor, 10);
    torc_test_spend_us(reactor, 35000); /* until 45: those of 20, 30 and 40 */
    torc_test_advance(reactor, 10);
    assert_int_equal(ticks.count, 4);
    assert_int_equal(ticks.at_ms[2], 45);
    assert_int_equal(ticks.counts[2], 3);
    assert_int_equal(ticks.at_ms[3], 50);
    assert_int_equal(ticks.counts[3], 1);
    assert_int_equal(torc_looping_call_missed(call), 2);
    torc_looping_call_free(call);
}

static void a_deferred_is_waited_for(void **state) {
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    make();
    ticks.answer = deferred;
    torc_looping_call_start(call, 10, true);
    torc_test_advance(reactor, 35);
    assert_int_equal(ticks.count, 1);
    check_ok(torc_deferred_fire(deferred, NULL, NULL));
    torc_test_advance(reactor, 5);
    assert_int_equal(ticks.count, 2);
    assert_int_equal(ticks.at_ms[1], 40);
    assert_int_equal(ticks.counts[1], 4);
    torc_looping_call_free(call);
}

static void the_value_of_a_deferred_is_disposed_of(void **state) {
    (void)state;
    make();
    ticks.answer = torc_deferred_of(reactor, &ticks, dispose);
    torc_looping_call_start(call, 10, true);
    torc_test_advance(reactor, 5);
    assert_int_equal(ticks.disposed, 1);
    torc_looping_call_free(call);
}

static void a_failure_ends_it(void **state) {
    waiter waiting = {.told = 0};

    (void)state;
    make();
    torc_looping_call_start(call, 10, true);
    wait_for_end(&waiting);
    ticks.answer = torc_deferred_failed(reactor, TORC_ERR_NOT_FOUND);
    torc_test_advance(reactor, 100);
    assert_int_equal(ticks.count, 1);
    assert_int_equal(waiting.told, 1);
    check_err(waiting.err, TORC_ERR_NOT_FOUND);
    assert_false(torc_looping_call_is_started(call));
    torc_looping_call_start(call, 10, true); /* again */
    torc_test_advance(reactor, 10);
    assert_int_equal(ticks.count, 3);
    torc_looping_call_free(call);
}

static void it_may_be_stopped_by_a_tick(void **state) {
    waiter waiting = {.told = 0};

    (void)state;
    make();
    ticks.stop_at = 2;
    torc_looping_call_start(call, 10, true);
    wait_for_end(&waiting);
    torc_test_advance(reactor, 100);
    assert_int_equal(ticks.count, 2);
    assert_int_equal(waiting.told, 1);
    check_ok(waiting.err);
    torc_looping_call_stop(call);
    torc_looping_call_free(call);
}

static void stopped_it_ends_when_the_tick_is_over(void **state) {
    torc_deferred *deferred = torc_deferred_new(reactor);
    waiter waiting = {.told = 0}, late = {.told = 0}, second = {.told = 0};

    (void)state;
    make();
    ticks.answer = deferred;
    torc_looping_call_start(call, 10, true);
    torc_test_advance(reactor, 5);
    wait_for_end(&waiting);
    wait_for_end(&second);
    torc_looping_call_stop(call);
    torc_test_advance(reactor, 50);
    assert_int_equal(waiting.told, 0);
    check_err(second.err, TORC_ERR_BUSY);
    check_ok(torc_deferred_fire(deferred, NULL, NULL));
    torc_test_advance(reactor, 50);
    assert_int_equal(waiting.told, 1);
    assert_int_equal(ticks.count, 1);
    wait_for_end(&late); /* at once */
    torc_test_settle(reactor);
    assert_int_equal(late.told, 1);
    torc_looping_call_free(call);
}

static void one_who_waits_no_more_makes_room(void **state) {
    waiter first = {.told = 0}, second = {.told = 0};

    (void)state;
    make();
    torc_looping_call_start(call, 10, true);
    wait_for_end(&first);
    torc_callback_cancel(&first.callback);
    wait_for_end(&second);
    torc_looping_call_stop(call);
    torc_test_settle(reactor);
    assert_int_equal(first.told, 0);
    assert_int_equal(second.told, 1);
    check_ok(second.err);
    torc_looping_call_free(call);
}

static void it_may_be_started_anew_by_a_tick(void **state) {
    (void)state;
    make();
    ticks.restart_at = 2;
    torc_looping_call_start(call, 10, true);
    torc_test_advance(reactor, 18);
    assert_int_equal(ticks.count, 4);
    assert_int_equal(ticks.at_ms[1], 10);
    assert_int_equal(ticks.at_ms[2], 10);
    assert_int_equal(ticks.at_ms[3], 17);
    assert_int_equal(ticks.counts[2], 1);
    torc_looping_call_free(call);
}

static void it_may_be_freed_by_a_tick(void **state) {
    (void)state;
    make();
    torc_looping_call_set_dispose(call, dispose);
    ticks.free_at = 2;
    torc_looping_call_start(call, 10, true);
    torc_test_advance(reactor, 100);
    assert_int_equal(ticks.count, 2);
    assert_int_equal(ticks.disposed, 1);
}

static void freed_in_a_tick_that_answers_a_deferred_it_cancels_that(void **state) {
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    make();
    torc_looping_call_set_dispose(call, dispose);
    ticks.free_at = 1;
    ticks.answer = deferred;
    torc_looping_call_start(call, 10, true);
    torc_test_advance(reactor, 100);
    assert_false(torc_deferred_is_wanted(deferred));
    check_err(torc_deferred_fail(deferred, TORC_ERR_CANCELLED), TORC_ERR_CANCELLED);
    assert_int_equal(ticks.disposed, 1);
}

static void freed_while_a_deferred_is_waited_for(void **state) {
    waiter waiting = {.told = 0};
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    make();
    torc_looping_call_set_dispose(call, dispose);
    ticks.answer = deferred;
    torc_looping_call_start(call, 10, true);
    torc_test_advance(reactor, 5);
    wait_for_end(&waiting);
    torc_looping_call_free(call);
    torc_test_settle(reactor);
    assert_int_equal(waiting.told, 1);
    check_err(waiting.err, TORC_ERR_CANCELLED);
    assert_int_equal(ticks.disposed, 1);
    check_err(torc_deferred_fire(deferred, NULL, NULL), TORC_ERR_CANCELLED);
}

static void a_reset_begins_the_grid_anew(void **state) {
    (void)state;
    make();
    torc_looping_call_reset(call); /* nothing to do */
    torc_looping_call_start(call, 100, false);
    torc_test_advance(reactor, 60);
    torc_looping_call_reset(call);
    torc_test_advance(reactor, 99);
    assert_int_equal(ticks.count, 0);
    torc_test_advance(reactor, 1);
    assert_int_equal(ticks.count, 1);
    torc_test_advance(reactor, 100);
    assert_int_equal(ticks.at_ms[1], 260);
    torc_looping_call_free(call);
}

static void without_an_interval_it_ticks_each_turn(void **state) {
    (void)state;
    make();
    torc_looping_call_start(call, 0, true);
    for (int i = 1; i <= 5; i++) {
        check_ok(torc_reactor_turn(reactor, -1));
        assert_int_equal(ticks.count, i);
        assert_int_equal(ticks.counts[i - 1], 1);
    }
    torc_looping_call_free(call);
}

static void jitter_is_below_its_bound_and_moves_no_grid(void **state) {
    uint64_t differing = 0;

    (void)state;
    make();
    torc_looping_call_set_jitter(call, 40);
    torc_looping_call_start(call, 100, false);
    torc_test_advance(reactor, 5050);
    assert_int_equal(ticks.count, 50);
    for (uint64_t i = 0; i < 50; i++) {
        const uint64_t late = ticks.at_ms[i] - 100 * (i + 1);
        assert_true(late < 40);
        assert_int_equal(ticks.counts[i], 1);
        differing += late != ticks.at_ms[0] - 100;
    }
    assert_true(differing > 0);
    torc_looping_call_free(call);
}

static void a_tick_on_a_fiber_may_wait(void **state) {
    (void)state;
    make_on_fiber();
    ticks.takes_ms = 25;
    torc_looping_call_start(call, 10, true);
    torc_test_advance(reactor, 65);
    assert_int_equal(ticks.count, 3);
    assert_int_equal(ticks.at_ms[0], 0);
    assert_int_equal(ticks.at_ms[1], 30);
    assert_int_equal(ticks.counts[1], 3);
    assert_int_equal(ticks.at_ms[2], 60);
    torc_looping_call_free(call);
    torc_test_settle(reactor);
    check_err(ticks.waited, TORC_ERR_CANCELLED);
}

static void an_error_on_a_fiber_ends_it(void **state) {
    waiter waiting = {.told = 0};

    (void)state;
    make_on_fiber();
    ticks.err = TORC_ERR_NO_SPACE;
    torc_looping_call_start(call, 10, true);
    wait_for_end(&waiting);
    torc_test_advance(reactor, 65);
    assert_int_equal(ticks.count, 1);
    check_err(waiting.err, TORC_ERR_NO_SPACE);
    torc_looping_call_free(call);
}

static void a_tick_without_a_fiber_is_missed(void **state) {
    const torc_reactor_options options = {.size = sizeof(options), .fibers_max = 1};
    torc_looping_call *holder;

    (void)state;
    torc_reactor_free(reactor);
    check_ok(torc_test_reactor_new(&options, &reactor));
    start_ms = torc_reactor_now_ms(reactor);
    make_on_fiber();
    ticks.takes_ms = 35;
    /* Another loop's tick has the only fiber, from 0 to 35. */
    check_ok(torc_looping_call_new_on_fiber(reactor, tick_on_fiber, &ticks, &holder));
    torc_looping_call_start(holder, 100000, true);
    torc_test_advance(reactor, 1);
    assert_int_equal(ticks.count, 1);
    ticks.takes_ms = 0;
    torc_looping_call_start(call, 10, false);
    torc_test_advance(reactor, 50);
    torc_looping_call_free(holder);
    assert_int_equal(ticks.count, 3);
    assert_int_equal(ticks.at_ms[1], 41);
    assert_int_equal(ticks.counts[1], 4);
    assert_int_equal(ticks.counts[2], 1);
    assert_int_equal(torc_looping_call_missed(call), 3);
    torc_looping_call_free(call);
}

static void a_fiber_that_waits_is_cancelled_with_the_reactor(void **state) {
    (void)state;
    make_on_fiber();
    torc_looping_call_set_dispose(call, dispose);
    ticks.takes_ms = 1000;
    torc_looping_call_start(call, 10, true);
    torc_test_advance(reactor, 5);
    torc_looping_call_free(call);
    torc_reactor_free(reactor);
    assert_int_equal(ticks.disposed, 1);
    check_ok(torc_test_reactor_new(NULL, &reactor));
}

static void without_memory_there_is_none(void **state) {
    (void)state;
    torc_test_fail_allocation(reactor, 1);
    check_err(torc_looping_call_new(reactor, tick, &ticks, &call), TORC_ERR_NO_MEMORY);
    make();
    torc_looping_call_start(call, 10, true);
    torc_test_fail_allocation(reactor, 1);
    torc_deferred *ended = torc_looping_call_ended(call);
    assert_true(torc_deferred_is_out_of_memory(ended));
    torc_deferred_drop(ended);
    torc_looping_call_free(call);
    torc_looping_call_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_ticks_at_once_and_then_at_intervals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_may_start_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_does_not_drift, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ticks_that_were_missed_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_deferred_is_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_value_of_a_deferred_is_disposed_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_may_be_stopped_by_a_tick, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopped_it_ends_when_the_tick_is_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_who_waits_no_more_makes_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_may_be_started_anew_by_a_tick, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_may_be_freed_by_a_tick, set_up, tear_down),
        cmocka_unit_test_setup_teardown(freed_in_a_tick_that_answers_a_deferred_it_cancels_that,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(freed_while_a_deferred_is_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reset_begins_the_grid_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_an_interval_it_ticks_each_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(jitter_is_below_its_bound_and_moves_no_grid, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_tick_on_a_fiber_may_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_error_on_a_fiber_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tick_without_a_fiber_is_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fiber_that_waits_is_cancelled_with_the_reactor, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_memory_there_is_none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
