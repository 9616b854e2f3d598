/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <torc/file_lock.h>
#include <unistd.h>

#include "deferred_fixture.h"

static char folder[] = "/tmp/torc-test-file-lock-XXXXXX";
static char path[64];

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/lock", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void turn_until(const int *told) {
    while (!*told) check_ok(torc_reactor_turn(reactor, 50));
}

static void one_at_a_time_has_it(void **state) {
    torc_file_lock *first, *second;

    (void)state;
    check_ok(torc_file_lock_try(NULL, path, &first));
    check_err(torc_file_lock_try(NULL, path, &second), TORC_ERR_BUSY);
    torc_file_lock_release(first);
    check_ok(torc_file_lock_try(NULL, path, &second));
    torc_file_lock_release(second);
    torc_file_lock_release(NULL);
    check_err(torc_file_lock_try(NULL, "/nowhere/lock", &second), TORC_ERR_NOT_FOUND);
}

static void it_is_waited_for(void **state) {
    torc_file_lock *held;
    taker taking;

    (void)state;
    check_ok(torc_file_lock_try(NULL, path, &held));
    consume(&taking, torc_file_lock_acquire(reactor, path, 10));
    while (!reactor->timers.top) check_ok(torc_reactor_turn(reactor, 50)); /* tried once */
    assert_int_equal(taking.told, 0);
    torc_file_lock_release(held);
    move_ms(10);
    turn_until(&taking.told);
    check_ok(taking.err);
    check_err(torc_file_lock_try(NULL, path, &held), TORC_ERR_BUSY);
    torc_file_lock_release(taking.value);
}

static void who_does_not_wait_any_more_does_not_get_it(void **state) {
    torc_file_lock *held, *again;
    taker taking;

    (void)state;
    check_ok(torc_file_lock_try(NULL, path, &held));
    consume(&taking, torc_deferred_timeout(torc_file_lock_acquire(reactor, path, 0), 2500));
    while (!taking.told) {
        hand_clock_move(&deferred_clock, 100);
        check_ok(torc_reactor_turn(reactor, 1));
    }
    check_err(taking.err, TORC_ERR_TIMEOUT);
    torc_failure_free(taking.failure);
    torc_file_lock_release(held);
    check_ok(torc_file_lock_try(NULL, path, &again));
    torc_file_lock_release(again);
}

static torc_err acquire_twice(void *context) {
    torc_file_lock *lock;
    torc_err err = torc_file_lock_acquire_await(reactor, path, 5, &lock);

    check_ok(err);
    torc_file_lock_release(lock);
    err = torc_file_lock_acquire_await(reactor, "/nowhere/lock", 5, &lock);
    check_err(err, TORC_ERR_NOT_FOUND);
    *(int *)context = 1;
    return err;
}

static void a_fiber_waits_for_it(void **state) {
    int has_ended = 0;
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_start(reactor, acquire_twice, &has_ended, &fiber));
    turn_until(&has_ended);
}

static void every_allocation_may_fail(void **state) {
    bool is_untouched = false;

    (void)state;
    for (uint64_t fail_at = 1; !is_untouched; fail_at++) {
        taker taking;
        faults injected;
        assert_int_equal(set_up(NULL), 0);
        faults_arm(&injected, torc_reactor_memory(reactor), fail_at);
        consume(&taking, torc_file_lock_acquire(reactor, path, 10));
        turn_until(&taking.told);
        is_untouched = !injected.hit;
        faults_disarm(torc_reactor_memory(reactor));
        if (taking.err)
            torc_failure_free(taking.failure);
        else
            torc_file_lock_release(taking.value);
        tear_down(NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time_has_it),
        DEFERRED_TEST(it_is_waited_for),
        DEFERRED_TEST(who_does_not_wait_any_more_does_not_get_it),
        DEFERRED_TEST(a_fiber_waits_for_it),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
