/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <torc/fiber.h>
#include <torc/signal.h>
#include <torc/testing.h>

#include "both_pollers.h"
#include "check.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static torc_signal *watch;
static int arrivals, last, frees_at;

static void note_handled(int number) {
    (void)number;
    fail_msg("the signal took its default action");
}

/* What would end the process is noted instead, where a signal gets through. */
static int set_up(bool is_late) {
    const struct sigaction action = {.sa_handler = note_handled};

    arrivals = last = frees_at = 0;
    watch = NULL;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    return new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static void received(void *context, int number) {
    assert_ptr_equal(context, &arrivals);
    arrivals++;
    last = number;
    if (arrivals == frees_at) torc_signal_free(watch);
}

static bool is_blocked(int number) {
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, number) == 1;
}

static void a_signal_is_an_event(void **state) {
    (void)state;
    check_ok(torc_signal_new(reactor, SIGUSR1, received, &arrivals, &watch));
    raise(SIGUSR1);
    assert_int_equal(arrivals, 0);
    torc_test_settle(reactor);
    assert_int_equal(arrivals, 1);
    assert_int_equal(last, SIGUSR1);
    raise(SIGUSR1);
    torc_test_settle(reactor);
    assert_int_equal(arrivals, 2);
    torc_signal_free(watch);
}

static void it_is_blocked_only_meanwhile(void **state) {
    (void)state;
    assert_false(is_blocked(SIGUSR1));
    check_ok(torc_signal_new(reactor, SIGUSR1, received, &arrivals, &watch));
    assert_true(is_blocked(SIGUSR1));
    torc_signal_free(watch);
    torc_test_settle(reactor);
    assert_false(is_blocked(SIGUSR1));
}

static void what_was_blocked_before_stays_so(void **state) {
    sigset_t set;

    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    check_ok(torc_signal_new(reactor, SIGUSR1, received, &arrivals, &watch));
    torc_signal_free(watch);
    torc_test_settle(reactor);
    assert_true(is_blocked(SIGUSR1));
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void several_are_told_apart(void **state) {
    torc_signal *other;

    (void)state;
    check_ok(torc_signal_new(reactor, SIGUSR1, received, &arrivals, &watch));
    check_ok(torc_signal_new(reactor, SIGUSR2, received, &arrivals, &other));
    raise(SIGUSR2);
    torc_test_settle(reactor);
    assert_int_equal(arrivals, 1);
    assert_int_equal(last, SIGUSR2);
    raise(SIGUSR1);
    torc_test_settle(reactor);
    assert_int_equal(last, SIGUSR1);
    torc_signal_free(watch);
    torc_signal_free(other);
}

static void it_may_be_freed_when_told(void **state) {
    (void)state;
    frees_at = 1;
    check_ok(torc_signal_new(reactor, SIGUSR1, received, &arrivals, &watch));
    raise(SIGUSR1);
    torc_test_settle(reactor);
    assert_int_equal(arrivals, 1);
    assert_false(is_blocked(SIGUSR1));
}

/* One that has come and was not told takes no default action later: the handler above would fail.
 */
static void what_was_not_told_is_dropped(void **state) {
    (void)state;
    check_ok(torc_signal_new(reactor, SIGUSR1, received, &arrivals, &watch));
    raise(SIGUSR1);
    torc_signal_free(watch);
    torc_test_settle(reactor);
    assert_int_equal(arrivals, 0);
    assert_false(is_blocked(SIGUSR1));
}

static void a_freed_reactor_watches_no_more(void **state) {
    (void)state;
    check_ok(torc_signal_new(reactor, SIGUSR1, received, &arrivals, &watch));
    torc_reactor_free(reactor);
    assert_false(is_blocked(SIGUSR1));
    assert_int_equal(set_up(false), 0);
}

static void what_is_no_signal_is_refused(void **state) {
    (void)state;
    check_err(torc_signal_new(reactor, 0, received, &arrivals, &watch), TORC_ERR_INVALID);
    check_err(torc_signal_new(reactor, 10000, received, &arrivals, &watch), TORC_ERR_INVALID);
    torc_signal_free(NULL);
}

static void what_cannot_be_made_unblocks(void **state) {
    bool has_failed = true;

    (void)state;
    for (uint64_t n = 1; has_failed; n++) {
        assert_true(n < 20);
        torc_test_fail_allocation(reactor, n);
        const torc_err err = torc_signal_new(reactor, SIGUSR1, received, &arrivals, &watch);
        has_failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        check_err(err, has_failed ? TORC_ERR_NO_MEMORY : TORC_OK);
        assert_int_equal(is_blocked(SIGUSR1), !err);
        if (!err) torc_signal_free(watch);
    }
    torc_test_settle(reactor);
    torc_test_fail_calls(reactor, TORC_TEST_REGISTER, 1, 1, ENOSPC);
    if (torc_signal_new(reactor, SIGUSR1, received, &arrivals, &watch))
        assert_false(is_blocked(SIGUSR1));
    else
        torc_signal_free(watch); /* the late double registers nothing */
}

/* ---- several watches ---- */

static torc_signal *others[3];
static int others_told, frees_all_at;

static void other_received(void *context, int number) {
    assert_int_equal(number, SIGUSR1);
    assert_true(context >= (void *)others && context < (void *)(others + 3));
    if (++others_told != frees_all_at) return;
    for (int i = 0; i < 3; i++) torc_signal_free(others[i]);
}

static void watch_thrice(void) {
    others_told = frees_all_at = 0;
    for (int i = 0; i < 3; i++)
        check_ok(torc_signal_new(reactor, SIGUSR1, other_received, &others[i], &others[i]));
}

static void all_watches_are_told(void **state) {
    (void)state;
    watch_thrice();
    raise(SIGUSR1);
    torc_test_settle(reactor);
    assert_int_equal(others_told, 3);
    torc_signal_free(others[1]);
    assert_true(is_blocked(SIGUSR1));
    raise(SIGUSR1);
    torc_test_settle(reactor);
    assert_int_equal(others_told, 5);
    torc_signal_free(others[0]);
    torc_signal_free(others[2]);
    torc_test_settle(reactor);
    assert_false(is_blocked(SIGUSR1));
}

static void one_may_free_the_others(void **state) {
    (void)state;
    watch_thrice();
    frees_all_at = 2;
    raise(SIGUSR1);
    torc_test_settle(reactor);
    assert_int_equal(others_told, 2);
    assert_false(is_blocked(SIGUSR1));
}

/* The last one is still being closed then. */
static void a_watch_may_follow_at_once(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        check_ok(torc_signal_new(reactor, SIGUSR1, received, &arrivals, &watch));
        torc_signal_free(watch);
    }
    check_ok(torc_signal_new(reactor, SIGUSR1, received, &arrivals, &watch));
    torc_test_settle(reactor);
    assert_true(is_blocked(SIGUSR1));
    raise(SIGUSR1);
    torc_test_settle(reactor);
    assert_int_equal(arrivals, 1);
    torc_signal_free(watch);
    torc_test_settle(reactor);
    assert_false(is_blocked(SIGUSR1));
}

static void what_cannot_be_told_is_refused(void **state) {
    static const int numbers[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(numbers); i++)
        check_err(torc_signal_new(reactor, numbers[i], received, &arrivals, &watch),
                  TORC_ERR_INVALID);
}

/* ---- waiting ---- */

static torc_callback callback;
static int fires;
static torc_err told;

static void fired(torc_callback *of, torc_err err, void *value) {
    assert_ptr_equal(of, &callback);
    assert_null(value);
    fires++;
    told = err;
}

static void wait_for_next(void) {
    fires = 0;
    torc_deferred_then(torc_signal_next(watch), &callback, fired);
    torc_test_settle(reactor);
}

static void an_arrival_is_waited_for(void **state) {
    (void)state;
    check_ok(torc_signal_new(reactor, SIGUSR1, NULL, NULL, &watch));
    wait_for_next();
    assert_int_equal(fires, 0);
    raise(SIGUSR1);
    torc_test_settle(reactor);
    assert_int_equal(fires, 1);
    check_ok(told);
    raise(SIGUSR1); /* between two waits */
    torc_test_settle(reactor);
    wait_for_next();
    assert_int_equal(fires, 1);
    wait_for_next();
    assert_int_equal(fires, 0);
    torc_callback_cancel(&callback);
    wait_for_next();
    torc_signal_free(watch);
    torc_test_settle(reactor);
    assert_int_equal(fires, 1);
    check_err(told, TORC_ERR_CANCELLED);
}

static void one_waits_at_a_time(void **state) {
    torc_deferred *first;

    (void)state;
    check_ok(torc_signal_new(reactor, SIGUSR1, NULL, NULL, &watch));
    first = torc_signal_next(watch);
    wait_for_next();
    check_err(told, TORC_ERR_BUSY);
    torc_deferred_drop(first);
    torc_signal_free(watch);
}

static torc_err count_on_fiber(void *context) {
    int *count = context;

    while (!(told = torc_signal_await(watch))) ++*count;
    return told;
}

static void a_fiber_waits_for_it(void **state) {
    torc_fiber *fiber;
    int count = 0;

    (void)state;
    check_ok(torc_signal_new(reactor, SIGUSR1, NULL, NULL, &watch));
    check_ok(torc_fiber_spawn(reactor, count_on_fiber, &count, &fiber));
    for (int i = 1; i <= 3; i++) {
        raise(SIGUSR1);
        torc_test_settle(reactor);
        assert_int_equal(count, i);
    }
    torc_fiber_cancel(fiber, TORC_ERR_STOPPING);
    torc_test_settle(reactor);
    check_err(told, TORC_ERR_STOPPING);
    torc_fiber_detach(fiber);
    torc_signal_free(watch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(a_signal_is_an_event),
        BOTH(it_is_blocked_only_meanwhile),
        BOTH(what_was_blocked_before_stays_so),
        BOTH(several_are_told_apart),
        BOTH(it_may_be_freed_when_told),
        BOTH(what_was_not_told_is_dropped),
        BOTH(a_freed_reactor_watches_no_more),
        BOTH(what_is_no_signal_is_refused),
        BOTH(what_cannot_be_made_unblocks),
        BOTH(all_watches_are_told),
        BOTH(one_may_free_the_others),
        BOTH(a_watch_may_follow_at_once),
        BOTH(what_cannot_be_told_is_refused),
        BOTH(an_arrival_is_waited_for),
        BOTH(one_waits_at_a_time),
        BOTH(a_fiber_waits_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
