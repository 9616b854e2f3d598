/* SPDX-License-Identifier: MIT */
#include <torc/semaphore.h>

#include "deferred_fixture.h"

static torc_semaphore *make(size_t permits) {
    torc_semaphore *semaphore;

    check_ok(torc_semaphore_new(reactor, permits, &semaphore));
    return semaphore;
}

static void who_comes_first_is_served_first(void **state) {
    torc_semaphore *lock = make(1);
    taker takers[3];

    (void)state;
    for (int i = 0; i < 3; i++) consume(&takers[i], torc_semaphore_acquire(lock));
    turns(1);
    assert_int_equal(takers[0].told, 1);
    assert_ptr_equal(takers[0].value, lock);
    assert_int_equal(takers[1].told, 0);
    assert_int_equal(torc_semaphore_waiting(lock), 2);
    assert_false(torc_semaphore_try_acquire(lock));
    torc_semaphore_release(lock);
    turns(1);
    assert_int_equal(takers[1].told, 1);
    assert_int_equal(takers[2].told, 0);
    torc_callback_cancel(&takers[2].callback); /* leaves the line */
    assert_int_equal(torc_semaphore_waiting(lock), 0);
    torc_semaphore_release(lock);
    assert_int_equal(torc_semaphore_permits(lock), 1);
    torc_semaphore_free(lock);
    torc_semaphore_free(NULL);
}

static void a_permit_that_nobody_takes_comes_back(void **state) {
    torc_semaphore *lock = make(1);
    taker taking;

    (void)state;
    assert_true(torc_semaphore_try_acquire(lock));
    consume(&taking, torc_semaphore_acquire(lock));
    torc_semaphore_release(lock); /* it is given, and not yet told */
    assert_int_equal(torc_semaphore_permits(lock), 0);
    torc_callback_cancel(&taking.callback);
    assert_int_equal(torc_semaphore_permits(lock), 1);
    torc_semaphore_free(lock);
}

static void several_permits(void **state) {
    torc_semaphore *semaphore = make(2);
    torc_semaphore *none;

    (void)state;
    check_err(torc_semaphore_new(reactor, 0, &none), TORC_ERR_INVALID);
    assert_true(torc_semaphore_try_acquire(semaphore));
    assert_true(torc_semaphore_try_acquire(semaphore));
    assert_false(torc_semaphore_try_acquire(semaphore));
    torc_semaphore_release(semaphore);
    torc_semaphore_release(semaphore);
    assert_int_equal(torc_semaphore_permits(semaphore), 2);
    torc_semaphore_free(semaphore);
}

typedef struct worker {
    torc_semaphore *semaphore;
    torc_fiber *fiber;
    torc_err err;
    bool has_ended;
} worker;

static torc_err work(void *context) {
    worker *self = context;

    self->err = torc_semaphore_acquire_await(self->semaphore);
    if (!self->err) {
        (void)!torc_sleep(reactor, 10);
        torc_semaphore_release(self->semaphore);
    }
    self->has_ended = true;
    return self->err;
}

static void fibers_and_deferreds_stand_in_one_line(void **state) {
    torc_semaphore *lock = make(1);
    worker workers[3];
    taker taking;

    (void)state;
    for (int i = 0; i < 2; i++) {
        workers[i] = (worker){.semaphore = lock};
        check_ok(torc_fiber_start(reactor, work, &workers[i], &workers[i].fiber));
    }
    consume(&taking, torc_semaphore_acquire(lock));
    workers[2] = (worker){.semaphore = lock};
    check_ok(torc_fiber_start(reactor, work, &workers[2], &workers[2].fiber));
    assert_int_equal(torc_semaphore_waiting(lock), 3);
    torc_fiber_cancel(workers[1].fiber, TORC_ERR_LOST);
    move_ms(10);
    assert_true(workers[0].has_ended && workers[1].has_ended);
    check_err(workers[1].err, TORC_ERR_LOST);
    turns(1);
    assert_int_equal(taking.told, 1);
    assert_false(workers[2].has_ended);
    torc_semaphore_release(lock);
    turns(1);
    move_ms(10);
    assert_true(workers[2].has_ended);
    assert_int_equal(torc_semaphore_permits(lock), 1);
    torc_semaphore_free(lock);
}

static void who_waits_is_told_when_it_is_freed(void **state) {
    torc_semaphore *lock = make(1);
    taker taking;
    worker working = {.semaphore = lock};

    (void)state;
    assert_true(torc_semaphore_try_acquire(lock));
    consume(&taking, torc_semaphore_acquire(lock));
    check_ok(torc_fiber_start(reactor, work, &working, &working.fiber));
    torc_semaphore_free(lock);
    turns(2);
    check_err(taking.err, TORC_ERR_CANCELLED);
    check_err(working.err, TORC_ERR_CANCELLED);
    torc_failure_free(taking.failure);
}

static torc_deferred *running_now;
static int runs;

static torc_deferred *run_something(void *context) {
    (void)context;
    runs++;
    running_now = torc_deferred_new(reactor);
    torc_deferred_set_canceller(running_now, cancel_later, NULL);
    return running_now;
}

static void a_permit_is_held_while_something_is_done(void **state) {
    torc_semaphore *lock = make(1);
    taker first, second;

    (void)state;
    runs = 0;
    consume(&first, torc_semaphore_run(lock, run_something, NULL));
    turns(2);
    torc_deferred *doing = running_now;
    consume(&second, torc_semaphore_run(lock, run_something, NULL));
    turns(2);
    assert_int_equal(runs, 1);
    torc_deferred_fire(doing, &value_a, dispose);
    turns(4);
    assert_ptr_equal(first.value, &value_a);
    assert_int_equal(runs, 2);
    torc_callback_cancel(&second.callback); /* held until what is done has let go */
    assert_int_equal(cancels, 1);
    assert_int_equal(torc_semaphore_permits(lock), 0);
    torc_deferred_fire(running_now, &value_b, dispose);
    turns(4);
    assert_int_equal(torc_semaphore_permits(lock), 1);
    assert_int_equal(disposed, 1);
    torc_semaphore_free(lock);
}

static void what_was_to_be_done_is_told_that_it_is_freed(void **state) {
    torc_semaphore *lock = make(1);
    taker taking;

    (void)state;
    runs = 0;
    assert_true(torc_semaphore_try_acquire(lock));
    consume(&taking, torc_semaphore_run(lock, run_something, NULL));
    torc_semaphore_free(lock);
    turns(4);
    check_err(taking.err, TORC_ERR_CANCELLED);
    assert_int_equal(runs, 0);
    torc_failure_free(taking.failure);
}

static void every_allocation_may_fail(void **state) {
    bool is_untouched = false;

    (void)state;
    for (uint64_t fail_at = 1; !is_untouched; fail_at++) {
        torc_semaphore *lock = NULL;
        taker taking = {.told = 0};
        faults injected;
        assert_int_equal(set_up(NULL), 0);
        const size_t before = torc_reactor_memory(reactor)->used_total;
        faults_arm(&injected, torc_reactor_memory(reactor), fail_at);
        running_now = NULL;
        torc_err err = torc_semaphore_new(reactor, 1, &lock);
        if (!err) {
            taker waiting;
            consume(&waiting, torc_semaphore_acquire(lock));
            consume(&taking, torc_semaphore_run(lock, run_something, NULL));
            turns(2);
            torc_failure_free(waiting.failure);
            if (!waiting.err) torc_semaphore_release(lock);
            turns(3);
            if (running_now) torc_deferred_fire(running_now, NULL, NULL);
            turns(3);
            assert_int_equal(taking.told, 1);
            torc_failure_free(taking.failure);
            assert_int_equal(torc_semaphore_permits(lock), 1);
        }
        is_untouched = !injected.hit;
        faults_disarm(torc_reactor_memory(reactor));
        torc_semaphore_free(lock);
        assert_int_equal(torc_reactor_memory(reactor)->used_total, before);
        tear_down(NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DEFERRED_TEST(who_comes_first_is_served_first),
        DEFERRED_TEST(a_permit_that_nobody_takes_comes_back),
        DEFERRED_TEST(several_permits),
        DEFERRED_TEST(fibers_and_deferreds_stand_in_one_line),
        DEFERRED_TEST(who_waits_is_told_when_it_is_freed),
        DEFERRED_TEST(a_permit_is_held_while_something_is_done),
        DEFERRED_TEST(what_was_to_be_done_is_told_that_it_is_freed),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
