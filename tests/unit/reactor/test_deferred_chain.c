/* SPDX-License-Identifier: MIT */
#include <torc/deferred.h>

#include "deferred_fixture.h"

/* ---- failures along chains ---- */

typedef struct step {
    torc_deferred *next;
    torc_err told;
} step;

static torc_deferred *go_on(void *context, torc_err err, void *value) {
    step *self = context;

    (void)value;
    self->told = err;
    return self->next;
}

static void a_failure_goes_along_a_chain(void **state) {
    torc_deferred *first = torc_deferred_new(reactor);
    step following = {.next = torc_deferred_failed(reactor, TORC_ERR_LOST)};
    taker taking;

    (void)state;
    consume(&taking, torc_deferred_timeout(torc_deferred_chain(first, go_on, &following), 100));
    torc_deferred_fail_with(first, TORC_ERR_LOST,
                            torc_failure_new_at(NULL, "a.c:1", TORC_ERR_LOST, "while reading"));
    turns(3);
    check_err(following.told, TORC_ERR_LOST);
    check_err(taking.err, TORC_ERR_LOST);
    assert_string_equal(text_of(taking.failure), "while reading: the peer is gone (a.c:1)");
    torc_failure_free(taking.failure);
}

static void another_failure_comes_from_the_first(void **state) {
    torc_deferred *first = torc_deferred_new(reactor), *second = torc_deferred_new(reactor);
    step following = {.next = second};
    taker taking;

    (void)state;
    consume(&taking, torc_deferred_chain(first, go_on, &following));
    torc_deferred_fail(first, TORC_ERR_LOST);
    turns(1);
    torc_deferred_fail_with(second, TORC_ERR_BUSY,
                            torc_failure_new_at(NULL, "b.c:2", TORC_ERR_BUSY, "the other one"));
    turns(2);
    check_err(taking.err, TORC_ERR_BUSY);
    check_err(torc_failure_err(torc_failure_cause(taking.failure)), TORC_ERR_LOST);
    assert_non_null(strstr(torc_failure_place(torc_failure_cause(taking.failure)), "test_deferred_"
                                                                                   "chain.c:"));
    torc_failure_free(taking.failure);
}

static void a_failure_that_is_handled_is_forgotten(void **state) {
    torc_deferred *first = torc_deferred_failed(reactor, TORC_ERR_LOST);
    step following = {.next = torc_deferred_new(reactor)};
    taker taking;

    (void)state;
    consume(&taking, torc_deferred_chain(first, go_on, &following));
    turns(1);
    torc_deferred_fire(following.next, &value_a, dispose);
    turns(2);
    check_ok(taking.err);
    assert_null(taking.failure);
    assert_string_equal(logged, "");
}

static torc_err await_failure(void *context) {
    torc_failure *failure = NULL;
    void *value;
    torc_err err = torc_await_failure(context, &value, &failure);

    check_err(err, TORC_ERR_LOST);
    assert_string_equal(torc_failure_message(failure), "for a fiber");
    torc_failure_free(failure);
    return err;
}

static void a_fiber_is_told_the_failure(void **state) {
    torc_deferred *deferred = torc_deferred_new(reactor);
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_start(reactor, await_failure, deferred, &fiber));
    torc_deferred_fail_with(deferred, TORC_ERR_LOST,
                            torc_failure_new(NULL, TORC_ERR_LOST, "for a fiber"));
    turns(2);
    assert_int_equal(torc_deferred_has_fired(deferred = torc_deferred_of(reactor, NULL, NULL)), 1);
    torc_deferred_drop(deferred);
}

static void without_a_failure_one_is_made_of_what_is_known(void **state) {
    taker taking;

    (void)state;
    consume(&taking, torc_deferred_failed(reactor, TORC_ERR_LOST));
    turns(1);
    check_err(torc_failure_err(taking.failure), TORC_ERR_LOST);
    assert_non_null(strstr(torc_failure_place(taking.failure), "test_deferred_chain.c:"));
    torc_failure_free(taking.failure);
    assert_null(torc_deferred_take_failure(reactor)); /* nothing is told now */
}

/* ---- timeouts ---- */

static void a_timeout_tells_what_was_cancelled(void **state) {
    torc_deferred *slow = torc_deferred_new(reactor);
    taker taking;

    (void)state;
    torc_deferred_set_canceller(slow, cancel_later, NULL);
    consume(&taking, torc_deferred_timeout(slow, 50));
    move_ms(49);
    assert_int_equal(cancels, 0);
    move_ms(1);
    assert_int_equal(cancels, 1);
    assert_int_equal(taking.told, 0);
    torc_deferred_fail_with(slow, TORC_ERR_CANCELLED,
                            torc_failure_new(NULL, TORC_ERR_CANCELLED, "at byte 7"));
    turns(2);
    check_err(taking.err, TORC_ERR_TIMEOUT);
    check_err(torc_failure_err(taking.failure), TORC_ERR_TIMEOUT);
    assert_string_equal(torc_failure_message(torc_failure_cause(taking.failure)), "at byte 7");
    torc_failure_free(taking.failure);
}

static void a_timeout_reaches_the_innermost(void **state) {
    torc_deferred *innermost = make_with(cancel_now);
    step following = {.next = torc_deferred_of(reactor, NULL, NULL)};
    torc_deferred *chain =
        torc_deferred_chain(torc_deferred_timeout(innermost, 1000), go_on, &following);
    torc_deferred *all[1] = {chain}, *race[1];
    taker taking;

    (void)state;
    race[0] = torc_deferred_all(reactor, all, 1);
    consume(&taking, torc_deferred_timeout(torc_deferred_race(reactor, race, 1, NULL), 50));
    move_ms(50);
    assert_int_equal(cancels, 1);
    turns(4);
    check_err(following.told, TORC_ERR_CANCELLED);
    check_err(taking.err, TORC_ERR_TIMEOUT);
    torc_failure_free(taking.failure);
}

static void a_value_of_the_last_moment_is_in_time(void **state) {
    torc_deferred *first = torc_deferred_new(reactor);
    taker taking;

    (void)state;
    consume(&taking, torc_deferred_timeout(torc_deferred_timeout(first, 50), 50));
    torc_deferred_fire(first, &value_a, dispose);
    hand_clock_move(&deferred_clock, 60);
    turns(3);
    check_ok(taking.err);
    assert_ptr_equal(taking.value, &value_a);
}

/* ---- the end ---- */

static void count_end(void *context) {
    ++*(int *)context;
}

static void what_was_done_is_undone_whatever_comes(void **state) {
    torc_deferred *slow = make_with(cancel_later);
    int ends = 0;
    taker taking;

    (void)state;
    consume(&taking,
            torc_deferred_finally(torc_deferred_of(reactor, &value_a, dispose), count_end, &ends));
    turns(2);
    assert_int_equal(ends, 1);
    assert_ptr_equal(taking.value, &value_a);
    consume(&taking,
            torc_deferred_finally(torc_deferred_failed(reactor, TORC_ERR_LOST), count_end, &ends));
    turns(2);
    assert_int_equal(ends, 2);
    check_err(taking.err, TORC_ERR_LOST);
    torc_failure_free(taking.failure);
    torc_deferred_drop(torc_deferred_finally(slow, count_end, &ends));
    turns(2);
    assert_int_equal(ends, 2); /* not before it has let go */
    torc_deferred_fail(slow, TORC_ERR_CANCELLED);
    turns(2);
    assert_int_equal(ends, 3);
}

/* ---- callbacks that cancel ---- */

typedef struct canceling {
    torc_callback callback;
    struct canceling *other;
    torc_deferred *deferred;
    int told;
} canceling;

static void cancel_self_and_other(torc_callback *callback, torc_err err, void *value) {
    canceling *self = torc_container_of(callback, canceling, callback);

    (void)err;
    (void)value;
    self->told++;
    torc_callback_cancel(&self->callback);
    if (self->other) torc_callback_cancel(&self->other->callback);
}

static void callbacks_cancel_themselves_and_each_other(void **state) {
    canceling a = {.told = 0}, b = {.told = 0};

    (void)state;
    a.other = &b;
    b.other = &a;
    torc_deferred_then(torc_deferred_of(reactor, &value_a, NULL), &a.callback,
                       cancel_self_and_other);
    torc_deferred_then(torc_deferred_of(reactor, &value_b, dispose), &b.callback,
                       cancel_self_and_other);
    turns(2);
    assert_int_equal(a.told, 1);
    assert_int_equal(b.told, 0);
    assert_int_equal(disposed, 1);
}

static void cancel_the_result(torc_deferred *deferred, void *context) {
    cancels++;
    torc_deferred_cancel(*(torc_deferred **)context);
    torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

static void a_canceller_may_cancel_what_cancels_it(void **state) {
    torc_deferred *innermost = torc_deferred_new(reactor), *result;
    taker taking;

    (void)state;
    torc_deferred_set_canceller(innermost, cancel_the_result, &result);
    result = torc_deferred_timeout(torc_deferred_timeout(innermost, 10), 20);
    consume(&taking, result);
    move_ms(20);
    turns(2);
    assert_int_equal(cancels, 1);
    assert_int_equal(taking.told, 1);
    check_err(taking.err, TORC_ERR_TIMEOUT);
    torc_failure_free(taking.failure);
}

/* ---- nobody waits ---- */

static void a_detached_one_goes_on(void **state) {
    torc_deferred *slow = make_with(cancel_now), *failing = torc_deferred_new(reactor);

    (void)state;
    torc_deferred_detach(slow);
    assert_true(torc_deferred_is_wanted(slow));
    check_ok(torc_deferred_fire(slow, &value_a, dispose));
    assert_int_equal(cancels, 0);
    assert_int_equal(disposed, 1);
    torc_deferred_detach(torc_deferred_of(reactor, &value_a, dispose));
    assert_int_equal(disposed, 2);
    torc_deferred_detach(torc_defer_later(reactor, 10, &value_a, dispose));
    move_ms(10);
    assert_int_equal(disposed, 3);
    assert_string_equal(logged, "");
    torc_deferred_detach(failing);
    torc_deferred_fail_with(failing, TORC_ERR_LOST,
                            torc_failure_new_at(NULL, "c.c:3", TORC_ERR_LOST, "too bad"));
    assert_string_equal(strstr(logged, " failure="),
                        " failure=too bad: the peer is gone (c.c:3)\n");
    assert_non_null(strstr(logged, "what nobody waits for has failed error=LOST"));
}

static void a_dropped_failure_is_named_once(void **state) {
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    torc_deferred_fail(deferred, TORC_ERR_LOST);
    torc_deferred_drop(deferred);
    char *first = strstr(logged, "a failure was dropped error=LOST failed_at=");
    assert_non_null(first);
    assert_non_null(strstr(first, "test_deferred_chain.c:"));
    assert_null(strstr(first + 1, "a failure"));

    logged[0] = '\0';
    torc_deferred_drop(torc_deferred_failed(reactor, TORC_ERR_CANCELLED));
    deferred = torc_deferred_new(reactor);
    torc_deferred_drop(deferred);
    torc_deferred_fail(deferred, TORC_ERR_LOST); /* nobody wanted to know */
    assert_string_equal(logged, "");
}

static void what_has_never_fired_is_named_when_the_reactor_is_freed(void **state) {
    torc_deferred *forgotten = torc_deferred_timeout(make_with(cancel_now), 1000);
    torc_deferred *untaken = torc_deferred_of(reactor, &value_a, dispose);
    taker taking;

    (void)state;
    (void)untaken;
    consume(&taking, forgotten)->outlives = true;
    torc_reactor_free(reactor);
    reactor = NULL;
    assert_int_equal(disposed, 1);
    check_err(taking.err, TORC_ERR_CANCELLED);
    char *first = strstr(logged, "it has never fired made_at=");
    assert_non_null(first);
    assert_non_null(strstr(first, "deferred_fixture.h:"));
    assert_null(strstr(first + 1, "it has never fired")); /* the timeout is not the one */
}

static void reports_may_be_switched_off(void **state) {
    torc_reactor_options options = {
        .size = sizeof(options), .deferred_reports = -1, .log = deferred_log};

    (void)state;
    torc_reactor_free(reactor);
    check_ok(hand_clock_reactor(&deferred_clock, &options, &reactor));
    torc_deferred_drop(torc_deferred_failed(reactor, TORC_ERR_LOST));
    torc_deferred *never = make_with(cancel_now);
    torc_reactor_free(reactor);
    (void)never;
    reactor = NULL;
    assert_string_equal(logged, "");
}

/* ---- on a fiber ---- */

static torc_err sleep_or_fail(void *data) {
    const torc_err err = torc_sleep(reactor, 10);

    if (!err && *(int *)data < 0) return TORC_ERR_INVALID;
    return err;
}

static void a_fiber_makes_the_value(void **state) {
    int fine = 1, bad = -1;
    taker taking, failing, cancelled;
    torc_deferred *deferred = torc_defer_to_fiber(reactor, sleep_or_fail, &fine, dispose);

    (void)state;
    consume(&taking, torc_defer_to_fiber(reactor, sleep_or_fail, &fine, dispose));
    consume(&failing, torc_defer_to_fiber(reactor, sleep_or_fail, &bad, dispose));
    consume(&cancelled, deferred);
    turns(1);
    torc_deferred_cancel(deferred);
    turns(2);
    check_err(cancelled.err, TORC_ERR_CANCELLED);
    assert_int_equal(disposed, 1);
    move_ms(10);
    turns(2);
    assert_ptr_equal(taking.value, &fine);
    check_err(failing.err, TORC_ERR_INVALID);
    assert_int_equal(disposed, 2);
    torc_failure_free(failing.failure);
    torc_failure_free(cancelled.failure);
}

static torc_deferred *take_and_fail(void *context, torc_err err, void *value) {
    torc_failure *failure = torc_failure_new_at(NULL, NULL, TORC_ERR_BUSY, "mine");

    (void)context;
    (void)value;
    check_err(err, TORC_ERR_LOST);
    torc_failure_add_cause(failure, torc_deferred_take_failure(reactor));
    assert_null(torc_deferred_take_failure(reactor)); /* it was */
    return torc_deferred_failed_with(reactor, TORC_ERR_BUSY, failure);
}

static void what_was_taken_is_not_told_twice(void **state) {
    taker taking;

    (void)state;
    consume(&taking,
            torc_deferred_chain(torc_deferred_failed(reactor, TORC_ERR_LOST), take_and_fail, NULL));
    turns(3);
    assert_string_equal(torc_failure_message(taking.failure), "mine");
    check_err(torc_failure_err(torc_failure_cause(taking.failure)), TORC_ERR_LOST);
    assert_null(torc_failure_cause(torc_failure_cause(taking.failure)));
    torc_failure_free(taking.failure);
}

static torc_deferred *fail_again(void *context, torc_err err, void *value) {
    torc_failure *failure = torc_failure_new(torc_reactor_memory(reactor), TORC_ERR_BUSY, "again");

    (void)context;
    if (value) dispose(value);
    torc_failure_add_cause(failure, torc_deferred_take_failure(reactor));
    return torc_deferred_failed_with(reactor, err ? err : TORC_ERR_BUSY, failure);
}

static void every_allocation_may_fail(void **state) {
    bool is_untouched = false;

    (void)state;
    for (uint64_t fail_at = 1; !is_untouched; fail_at++) {
        int data = 1, ends = 0;
        taker taking;
        faults injected;
        assert_int_equal(set_up(NULL), 0);
        torc_fibers_trim(reactor);
        const size_t before = torc_reactor_memory(reactor)->used_total;
        faults_arm(&injected, torc_reactor_memory(reactor), fail_at);
        torc_deferred *deferred = torc_defer_to_fiber(reactor, sleep_or_fail, &data, dispose);
        deferred = torc_deferred_chain(deferred, fail_again, NULL);
        deferred = torc_deferred_chain(deferred, fail_again, NULL);
        deferred = torc_deferred_finally(deferred, count_end, &ends);
        consume(&taking, torc_deferred_timeout(deferred, 1000));
        turns(2);
        move_ms(10);
        turns(4);
        is_untouched = !injected.hit;
        faults_disarm(torc_reactor_memory(reactor));
        assert_int_equal(taking.told, 1);
        assert_int_equal(ends, 1);
        assert_int_equal(disposed, 1);
        assert_true(taking.err == TORC_ERR_BUSY || taking.err == TORC_ERR_NO_MEMORY);
        torc_failure_free(taking.failure);
        torc_fibers_free(reactor);
        assert_int_equal(torc_reactor_memory(reactor)->used_total, before);
        tear_down(NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DEFERRED_TEST(a_failure_goes_along_a_chain),
        DEFERRED_TEST(another_failure_comes_from_the_first),
        DEFERRED_TEST(a_failure_that_is_handled_is_forgotten),
        DEFERRED_TEST(a_fiber_is_told_the_failure),
        DEFERRED_TEST(without_a_failure_one_is_made_of_what_is_known),
        DEFERRED_TEST(what_was_taken_is_not_told_twice),
        DEFERRED_TEST(a_timeout_tells_what_was_cancelled),
        DEFERRED_TEST(a_timeout_reaches_the_innermost),
        DEFERRED_TEST(a_value_of_the_last_moment_is_in_time),
        DEFERRED_TEST(what_was_done_is_undone_whatever_comes),
        DEFERRED_TEST(callbacks_cancel_themselves_and_each_other),
        DEFERRED_TEST(a_canceller_may_cancel_what_cancels_it),
        DEFERRED_TEST(a_detached_one_goes_on),
        DEFERRED_TEST(a_dropped_failure_is_named_once),
        DEFERRED_TEST(what_has_never_fired_is_named_when_the_reactor_is_freed),
        DEFERRED_TEST(reports_may_be_switched_off),
        DEFERRED_TEST(a_fiber_makes_the_value),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
