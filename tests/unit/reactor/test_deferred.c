/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <torc/deferred.h>

#include "check.h"
#include "faults.h"
#include "reactor/fiber.h"

static torc_reactor *reactor;
static int disposed;

static int set_up(void **state) {
    (void)state;
    disposed = 0;
    return torc_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static void turns(int count) {
    while (count-- > 0) check_ok(torc_reactor_turn(reactor, 0));
}

static void dispose(void *value) {
    if (value) disposed++;
}

static int value_a, value_b;

typedef struct taker {
    torc_callback callback;
    int told;
    torc_err err;
    void *value;
} taker;

static void take(torc_callback *callback, torc_err err, void *value) {
    taker *self = torc_container_of(callback, taker, callback);

    self->told++;
    self->err = err;
    self->value = value;
}

static void a_value_is_delivered_later(void **state) {
    taker early = {.told = 0}, late = {.told = 0};
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    torc_deferred_then(deferred, &early.callback, take);
    torc_deferred_fire(deferred, &value_a, dispose);
    deferred = torc_deferred_of(reactor, &value_b, dispose);
    torc_deferred_then(deferred, &late.callback, take);
    assert_int_equal(early.told + late.told, 0);
    turns(1);
    assert_int_equal(early.told, 1);
    assert_ptr_equal(early.value, &value_a);
    assert_int_equal(late.told, 1);
    assert_ptr_equal(late.value, &value_b);
    assert_int_equal(disposed, 0);
}

static void a_failure_is_delivered(void **state) {
    taker taking = {.told = 0};

    (void)state;
    torc_deferred_then(torc_deferred_failed(reactor, TORC_ERR_NOT_FOUND), &taking.callback, take);
    turns(1);
    check_err(taking.err, TORC_ERR_NOT_FOUND);
    assert_null(taking.value);
}

static void what_nobody_takes_is_disposed_of(void **state) {
    torc_deferred *deferred = torc_deferred_of(reactor, &value_a, dispose);
    taker taking = {.told = 0};

    (void)state;
    torc_deferred_drop(deferred);
    assert_int_equal(disposed, 1);

    deferred = torc_deferred_new(reactor);
    torc_deferred_drop(deferred);
    torc_deferred_fire(deferred, &value_a, dispose);
    assert_int_equal(disposed, 2);

    deferred = torc_deferred_new(reactor);
    torc_deferred_then(deferred, &taking.callback, take);
    torc_deferred_fire(deferred, &value_a, dispose);
    torc_callback_cancel(&taking.callback);
    torc_callback_cancel(&taking.callback);
    turns(1);
    assert_int_equal(taking.told, 0);
    assert_int_equal(disposed, 3);
}

/* ---- cancelling ---- */

static int cancels;

static void cancel_now(torc_deferred *deferred, void *context) {
    (void)context;
    cancels++;
    torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

static void cancel_later(torc_deferred *deferred, void *context) {
    (void)deferred;
    (void)context;
    cancels++;
}

static void cancelling_asks_the_producer(void **state) {
    taker taking = {.told = 0};
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    cancels = 0;
    torc_deferred_set_canceller(deferred, cancel_later, NULL);
    torc_deferred_then(deferred, &taking.callback, take);
    torc_deferred_cancel(deferred);
    torc_deferred_cancel(deferred);
    turns(2);
    assert_int_equal(cancels, 1);
    assert_int_equal(taking.told, 0);
    torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
    turns(1);
    check_err(taking.err, TORC_ERR_CANCELLED);

    deferred = torc_deferred_new(reactor);
    torc_deferred_set_canceller(deferred, cancel_now, NULL);
    torc_deferred_drop(deferred);
    assert_int_equal(cancels, 2);
}

static void without_a_canceller_it_fails_at_once(void **state) {
    taker taking = {.told = 0};
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    torc_deferred_then(deferred, &taking.callback, take);
    torc_deferred_cancel(deferred);
    turns(1);
    check_err(taking.err, TORC_ERR_CANCELLED);
    torc_deferred_fire(deferred, &value_a, dispose); /* the producer did not know */
    assert_int_equal(disposed, 1);
    assert_int_equal(taking.told, 1);
}

/* ---- awaiting ---- */

typedef struct awaiter {
    torc_deferred *deferred;
    torc_err err;
    void *value;
    bool has_ended;
    torc_fiber *fiber;
} awaiter;

static torc_err await_it(void *context) {
    awaiter *self = context;

    self->err = torc_await(self->deferred, &self->value);
    self->has_ended = true;
    return TORC_OK;
}

static void a_fiber_awaits(void **state) {
    awaiter early = {.deferred = torc_deferred_new(reactor)};
    awaiter late = {.deferred = torc_deferred_of(reactor, &value_b, dispose)};
    awaiter failed = {.deferred = torc_deferred_failed(reactor, TORC_ERR_TIMEOUT)};

    (void)state;
    check_ok(torc_fiber_start(reactor, await_it, &early, &early.fiber));
    check_ok(torc_fiber_start(reactor, await_it, &late, &late.fiber));
    check_ok(torc_fiber_start(reactor, await_it, &failed, &failed.fiber));
    torc_deferred_fire(early.deferred, &value_a, dispose);
    turns(2);
    assert_ptr_equal(early.value, &value_a);
    assert_ptr_equal(late.value, &value_b);
    check_err(failed.err, TORC_ERR_TIMEOUT);
    assert_int_equal(disposed, 0);
}

static void a_cancelled_fiber_cancels_what_it_awaits(void **state) {
    awaiter slow = {.deferred = torc_deferred_new(reactor)},
            quick = {.deferred = torc_deferred_new(reactor)};
    awaiter fired = {.deferred = torc_deferred_new(reactor)};

    (void)state;
    cancels = 0;
    torc_deferred_set_canceller(slow.deferred, cancel_later, NULL);
    torc_deferred_set_canceller(quick.deferred, cancel_now, NULL);
    check_ok(torc_fiber_start(reactor, await_it, &slow, &slow.fiber));
    check_ok(torc_fiber_start(reactor, await_it, &quick, &quick.fiber));
    check_ok(torc_fiber_start(reactor, await_it, &fired, &fired.fiber));
    torc_deferred_fire(fired.deferred, &value_a, dispose);
    torc_fiber_cancel(slow.fiber, TORC_ERR_LOST);
    torc_fiber_cancel(quick.fiber, TORC_ERR_LOST);
    torc_fiber_cancel(fired.fiber, TORC_ERR_LOST);
    turns(2);
    assert_int_equal(cancels, 2);
    assert_true(quick.has_ended);
    check_err(quick.err, TORC_ERR_LOST);
    check_ok(fired.err); /* it was there already */
    assert_ptr_equal(fired.value, &value_a);
    assert_int_equal(disposed, 0);
    assert_false(slow.has_ended); /* until the operation has let go */
    torc_deferred_fire(slow.deferred, &value_a, dispose);
    turns(2);
    check_err(slow.err, TORC_ERR_LOST);
    assert_int_equal(disposed, 1);
}

/* ---- what follows ---- */

typedef struct follower {
    torc_deferred *next;
    torc_err err;
    void *value;
    int called;
} follower;

static torc_deferred *follow(void *context, torc_err err, void *value) {
    follower *self = context;

    self->called++;
    self->err = err;
    self->value = value;
    return self->next;
}

static void one_follows_another(void **state) {
    follower following = {.next = torc_deferred_new(reactor)};
    torc_deferred *first = torc_deferred_new(reactor);
    taker taking = {.told = 0};

    (void)state;
    torc_deferred_then(torc_deferred_chain(first, follow, &following), &taking.callback, take);
    torc_deferred_fire(first, &value_a, dispose);
    turns(1);
    assert_int_equal(following.called, 1);
    assert_ptr_equal(following.value, &value_a);
    assert_int_equal(taking.told, 0);
    torc_deferred_fire(following.next, &value_b, dispose);
    turns(2);
    assert_int_equal(taking.told, 1);
    assert_ptr_equal(taking.value, &value_b);
    assert_int_equal(disposed, 0);
}

static void cancelling_a_chain_reaches_what_it_waits_for(void **state) {
    (void)state;
    for (int step = 0; step < 2; step++) {
        follower following = {.next = torc_deferred_new(reactor)};
        torc_deferred *first = torc_deferred_new(reactor), *result;
        taker taking = {.told = 0};

        cancels = 0;
        torc_deferred_set_canceller(step ? following.next : first, cancel_now, NULL);
        result = torc_deferred_chain(first, follow, &following);
        torc_deferred_then(result, &taking.callback, take);
        if (step) torc_deferred_fire(first, NULL, NULL);
        turns(1);
        torc_deferred_cancel(result);
        turns(3);
        assert_int_equal(cancels, 1);
        assert_int_equal(following.called, 1);
        check_err(taking.err, TORC_ERR_CANCELLED);
        if (!step)
            torc_deferred_fail(following.next, TORC_ERR_STATE); /* its producer is told, too */
    }
}

static void a_dropped_chain_disposes_of_its_value(void **state) {
    follower following = {.next = torc_deferred_of(reactor, &value_b, dispose)};
    torc_deferred *first = torc_deferred_of(reactor, &value_a, NULL);

    (void)state;
    torc_deferred_drop(torc_deferred_chain(first, follow, &following));
    turns(3);
    assert_int_equal(following.called, 1);
    assert_int_equal(disposed, 1);
}

static void turn_until_told(const taker *taking) {
    while (!taking->told) check_ok(torc_reactor_turn(reactor, 50));
}

static void a_timeout_cancels(void **state) {
    torc_deferred *slow = torc_deferred_new(reactor);
    taker taking = {.told = 0}, in_time = {.told = 0};

    (void)state;
    cancels = 0;
    torc_deferred_set_canceller(slow, cancel_now, NULL);
    torc_deferred_then(torc_deferred_timeout(slow, 1), &taking.callback, take);
    turn_until_told(&taking);
    check_err(taking.err, TORC_ERR_TIMEOUT);
    assert_int_equal(cancels, 1);

    torc_deferred_then(torc_deferred_timeout(torc_deferred_of(reactor, &value_a, dispose), 1000000),
                       &in_time.callback, take);
    turn_until_told(&in_time);
    assert_ptr_equal(in_time.value, &value_a);
}

static void a_value_may_come_after_a_time(void **state) {
    taker taking = {.told = 0};

    (void)state;
    torc_deferred_then(torc_defer_later(reactor, 1, &value_a, dispose), &taking.callback, take);
    turn_until_told(&taking);
    assert_ptr_equal(taking.value, &value_a);
    torc_deferred_drop(torc_defer_later(reactor, 1000000, &value_a, dispose));
    assert_int_equal(disposed, 1);
}

static torc_err double_it(void *data) {
    *(int *)data *= 2;
    return *(int *)data > 10 ? TORC_ERR_LIMIT : TORC_OK;
}

static void a_thread_may_make_the_value(void **state) {
    taker taking = {.told = 0}, failing = {.told = 0};
    int numbers[3] = {4, 6, 1};

    (void)state;
    torc_deferred_then(
        torc_defer_to_thread(reactor, TORC_THREAD_FILE, double_it, &numbers[0], dispose),
        &taking.callback, take);
    torc_deferred_then(
        torc_defer_to_thread(reactor, TORC_THREAD_FILE, double_it, &numbers[1], dispose),
        &failing.callback, take);
    turn_until_told(&taking);
    turn_until_told(&failing);
    assert_int_equal(*(int *)taking.value, 8);
    check_err(failing.err, TORC_ERR_LIMIT);
    assert_int_equal(disposed, 1);
    torc_deferred_drop(
        torc_defer_to_thread(reactor, TORC_THREAD_FILE, double_it, &numbers[2], dispose));
    while (disposed < 2) check_ok(torc_reactor_turn(reactor, 50));
}

/* ---- memory ---- */

static torc_deferred *give_value(void *context, torc_err err, void *value) {
    (void)context;
    if (value) dispose(value);
    return err ? torc_deferred_failed(reactor, err) : torc_deferred_of(reactor, &value_b, dispose);
}

static void every_allocation_may_fail(void **state) {
    bool is_untouched = false;

    (void)state;
    for (uint64_t fail_at = 1; !is_untouched; fail_at++) {
        taker taking = {.told = 0};
        faults injected;
        assert_int_equal(set_up(NULL), 0);
        const size_t before = torc_reactor_memory(reactor)->used_total;
        faults_arm(&injected, torc_reactor_memory(reactor), fail_at);
        torc_deferred *deferred = torc_defer_later(reactor, 0, &value_a, dispose);
        deferred = torc_deferred_timeout(torc_deferred_chain(deferred, give_value, NULL), 1000000);
        torc_deferred_then(deferred, &taking.callback, take);
        turn_until_told(&taking);
        is_untouched = !injected.hit;
        faults_disarm(torc_reactor_memory(reactor));
        check_err(taking.err, is_untouched ? TORC_OK : TORC_ERR_NO_MEMORY);
        if (!taking.err) dispose(taking.value);
        assert_int_equal(torc_reactor_memory(reactor)->used_total, before);
        assert_in_range(disposed, 1, 2);
        tear_down(NULL);
    }
}

static void the_one_for_no_memory_is_everybodys(void **state) {
    taker first = {.told = 0}, second = {.told = 0};
    faults injected;

    (void)state;
    faults_arm(&injected, torc_reactor_memory(reactor), 1);
    injected.all_from = true;
    torc_deferred *a = torc_deferred_new(reactor), *b = torc_deferred_new(reactor);
    faults_disarm(torc_reactor_memory(reactor));
    assert_true(torc_deferred_is_out_of_memory(a) && torc_deferred_is_out_of_memory(b));
    torc_deferred_then(a, &first.callback, take);
    torc_deferred_then(b, &second.callback, take);
    torc_deferred_fire(a, &value_a, dispose);
    torc_deferred_cancel(b);
    turns(1);
    check_err(first.err, TORC_ERR_NO_MEMORY);
    check_err(second.err, TORC_ERR_NO_MEMORY);
    assert_int_equal(disposed, 1);
}

#define DEFERRED_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        DEFERRED_TEST(a_value_is_delivered_later),
        DEFERRED_TEST(a_failure_is_delivered),
        DEFERRED_TEST(what_nobody_takes_is_disposed_of),
        DEFERRED_TEST(cancelling_asks_the_producer),
        DEFERRED_TEST(without_a_canceller_it_fails_at_once),
        DEFERRED_TEST(a_fiber_awaits),
        DEFERRED_TEST(a_cancelled_fiber_cancels_what_it_awaits),
        DEFERRED_TEST(one_follows_another),
        DEFERRED_TEST(cancelling_a_chain_reaches_what_it_waits_for),
        DEFERRED_TEST(a_dropped_chain_disposes_of_its_value),
        DEFERRED_TEST(a_timeout_cancels),
        DEFERRED_TEST(a_value_may_come_after_a_time),
        DEFERRED_TEST(a_thread_may_make_the_value),
        cmocka_unit_test(every_allocation_may_fail),
        DEFERRED_TEST(the_one_for_no_memory_is_everybodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
