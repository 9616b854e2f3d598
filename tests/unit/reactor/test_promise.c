/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <torc/promise.h>

#include "deferred_fixture.h"

static pthread_t start(void *(*run)(void *), void *context) {
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, run, context), 0);
    return thread;
}

static void *fire_it(void *context) {
    torc_promise *promise = context;

    (void)torc_promise_fire(promise, &value_a, NULL);
    torc_promise_unref(promise);
    return NULL;
}

static void a_thread_fires_it(void **state) {
    torc_promise *promise;
    taker taking;
    torc_deferred *deferred = torc_promise_new(reactor, &promise);

    (void)state;
    consume(&taking, deferred);
    const pthread_t thread = start(fire_it, promise);
    while (!taking.told) turns(1);
    pthread_join(thread, NULL);
    assert_ptr_equal(taking.value, &value_a);
}

static void the_second_is_told_so(void **state) {
    torc_promise *promise;
    taker taking;

    (void)state;
    consume(&taking, torc_promise_new(reactor, &promise));
    assert_true(torc_promise_is_wanted(promise));
    check_ok(torc_promise_fail(promise, TORC_ERR_BUSY));
    assert_false(torc_promise_is_wanted(promise));
    check_err(torc_promise_fire(promise, &value_b, dispose), TORC_ERR_STATE);
    assert_int_equal(disposed, 1);
    turns(2);
    check_err(torc_promise_fire(promise, &value_b, dispose), TORC_ERR_STATE);
    check_err(taking.err, TORC_ERR_BUSY);
    assert_non_null(strstr(torc_failure_place(taking.failure), "test_promise.c:"));
    torc_failure_free(taking.failure);
    torc_promise_unref(promise);
}

static void one_that_nobody_waits_for_is_told_so(void **state) {
    torc_promise *promise;

    (void)state;
    torc_deferred_drop(torc_promise_new(reactor, &promise));
    assert_false(torc_promise_is_wanted(promise));
    check_err(torc_promise_fire(promise, &value_a, dispose), TORC_ERR_CANCELLED);
    check_err(torc_promise_fail(promise, TORC_ERR_BUSY), TORC_ERR_CANCELLED);
    assert_int_equal(disposed, 1);
    torc_promise_unref(promise);
}

static void dropped_after_it_was_fired_it_is_disposed_of(void **state) {
    torc_promise *promise;
    torc_deferred *deferred = torc_promise_new(reactor, &promise);

    (void)state;
    check_ok(torc_promise_fire(promise, &value_a, dispose));
    torc_deferred_drop(deferred);
    assert_int_equal(disposed, 0);
    turns(1);
    assert_int_equal(disposed, 1);
    torc_promise_unref(promise);
}

static void the_last_that_lets_go_breaks_it(void **state) {
    torc_promise *promise;
    taker taking;

    (void)state;
    consume(&taking, torc_promise_new(reactor, &promise));
    assert_ptr_equal(torc_promise_ref(promise), promise);
    torc_promise_unref(promise);
    turns(2);
    assert_int_equal(taking.told, 0);
    torc_promise_unref(promise);
    turns(2);
    check_err(taking.err, TORC_ERR_GONE);
    torc_failure_free(taking.failure);
    torc_promise_unref(NULL);
}

static void it_outlives_the_reactor(void **state) {
    torc_promise *late, *early;
    taker taking, fired;

    (void)state;
    consume(&taking, torc_promise_new(reactor, &late))->outlives = true;
    consume(&fired, torc_promise_new(reactor, &early))->outlives = true;
    check_ok(torc_promise_fire(early, &value_b, dispose));
    torc_reactor_free(reactor);
    reactor = NULL;
    check_err(taking.err, TORC_ERR_CANCELLED);
    assert_int_equal(fired.told, 1);
    check_err(torc_promise_fire(late, &value_a, dispose), TORC_ERR_GONE);
    assert_false(torc_promise_is_wanted(late));
    torc_promise_unref(late);
    torc_promise_unref(early);
    assert_int_equal(disposed + (fired.err ? 0 : 1), 2);
}

enum {
    THREADS = 4,
    PROMISES = 200
};

static torc_promise *promises[PROMISES];
static atomic_int accepted, disposed_somewhere;

static void dispose_somewhere(void *value) {
    if (value) atomic_fetch_add(&disposed_somewhere, 1);
}

static void *fire_all(void *context) {
    (void)context;
    for (int i = 0; i < PROMISES; i++) {
        if (!torc_promise_fire(promises[i], &value_a, dispose_somewhere))
            atomic_fetch_add(&accepted, 1);
        torc_promise_unref(promises[i]);
    }
    return NULL;
}

/* Several threads fire the same ones, while some are dropped and then the reactor is freed. */
static void all_at_once(void **state) {
    torc_deferred *deferreds[PROMISES];
    pthread_t threads[THREADS];

    (void)state;
    atomic_store(&accepted, 0);
    atomic_store(&disposed_somewhere, 0);
    for (int i = 0; i < PROMISES; i++) {
        deferreds[i] = torc_promise_new(reactor, &promises[i]);
        for (int t = 1; t < THREADS; t++) torc_promise_ref(promises[i]);
    }
    for (int t = 0; t < THREADS; t++) threads[t] = start(fire_all, NULL);
    for (int i = 0; i < PROMISES; i += 2) torc_deferred_drop(deferreds[i]);
    turns(2);
    for (int i = 1; i < PROMISES; i += 4) torc_deferred_detach(deferreds[i]);
    torc_reactor_free(reactor);
    reactor = NULL;
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
    assert_int_equal(atomic_load(&disposed_somewhere), THREADS * PROMISES);
    assert_in_range(atomic_load(&accepted), 0, PROMISES);
}

static void every_allocation_may_fail(void **state) {
    bool is_untouched = false;

    (void)state;
    for (uint64_t fail_at = 1; !is_untouched; fail_at++) {
        torc_promise *promise;
        taker taking;
        faults injected;
        faults_arm(&injected, torc_reactor_memory(reactor), fail_at);
        consume(&taking, torc_promise_new(reactor, &promise));
        is_untouched = !injected.hit;
        faults_disarm(torc_reactor_memory(reactor));
        assert_int_equal(promise != NULL, is_untouched);
        if (promise) check_ok(torc_promise_fire(promise, &value_a, dispose));
        torc_promise_unref(promise);
        turns(2);
        check_err(taking.err, is_untouched ? TORC_OK : TORC_ERR_NO_MEMORY);
        torc_failure_free(taking.failure);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DEFERRED_TEST(a_thread_fires_it),
        DEFERRED_TEST(the_second_is_told_so),
        DEFERRED_TEST(one_that_nobody_waits_for_is_told_so),
        DEFERRED_TEST(dropped_after_it_was_fired_it_is_disposed_of),
        DEFERRED_TEST(the_last_that_lets_go_breaks_it),
        DEFERRED_TEST(it_outlives_the_reactor),
        DEFERRED_TEST(all_at_once),
        DEFERRED_TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
