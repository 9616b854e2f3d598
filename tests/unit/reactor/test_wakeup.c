/* SPDX-License-Identifier: MIT */
/*
 * Calls from other threads, and the wake-up of a reactor that waits.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <torc/testing.h>

#include "check.h"
#include "reactor/reactor.h"

enum {
    THREADS = 4,
    CALLS = 500
};

static torc_reactor *reactor;
static pthread_t reactor_thread;
static int arrived;

typedef struct posted {
    torc_thread_call call;
    int thread, number;
} posted;

static posted *all[THREADS];
static int next_of[THREADS];

/* The system's clock and poller: one that waits for ever unless it is woken. */
static int set_up(void **state) {
    (void)state;
    arrived = 0;
    memset(next_of, 0, sizeof(next_of));
    reactor_thread = pthread_self();
    return torc_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int set_up_late(void **state) {
    (void)state;
    set_up(state);
    torc_reactor_free(reactor);
    return torc_test_reactor_new_late(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static void run(torc_thread_call *call) {
    const posted *self = torc_container_of(call, posted, call);

    assert_true(pthread_equal(pthread_self(), reactor_thread));
    assert_int_equal(self->number,
                     next_of[self->thread]++); /* calls of one thread keep their order */
    arrived++;
}

static void *post_all(void *context) {
    const int thread = *(const int *)context;

    for (int i = 0; i < CALLS; i++) {
        posted *self = &all[thread][i];
        *self = (posted){.call = {.run = run}, .thread = thread, .number = i};
        torc_reactor_call_from_thread(reactor, &self->call);
    }
    return NULL;
}

static void calls_of_many_threads_all_arrive(void **state) {
    pthread_t threads[THREADS];
    int numbers[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        all[i] = calloc(CALLS, sizeof(posted));
        assert_int_equal(pthread_create(&threads[i], NULL, post_all, &numbers[i]), 0);
    }
    while (arrived < THREADS * CALLS) check_ok(torc_reactor_turn(reactor, -1));
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        free(all[i]);
    }
    assert_int_equal(arrived, THREADS * CALLS);
    assert_false(torc_reactor_is_queued(reactor));
}

static void stop(torc_thread_call *call) {
    (void)call;
    arrived++;
    torc_reactor_stop(reactor);
}

static void *stop_from_thread(void *context) {
    torc_reactor_call_from_thread(reactor, context);
    return NULL;
}

/* Nothing else would end the wait of a reactor that has nothing to do. */
static void a_waiting_reactor_is_woken(void **state) {
    torc_thread_call call = {.run = stop};
    pthread_t thread;

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(pthread_create(&thread, NULL, stop_from_thread, &call), 0);
        check_ok(torc_reactor_run(reactor));
        pthread_join(thread, NULL);
    }
    assert_int_equal(arrived, 100);
}

static void one_posted_before_the_wait_ends_it_too(void **state) {
    torc_thread_call call = {.run = stop};

    (void)state;
    torc_reactor_call_from_thread(reactor, &call);
    assert_true(torc_reactor_is_queued(reactor));
    check_ok(torc_reactor_run(reactor));
    assert_int_equal(arrived, 1);
}

static void post_itself(torc_thread_call *call) {
    if (++arrived < 5) torc_reactor_call_from_thread(reactor, call);
}

static void a_call_may_post_itself(void **state) {
    torc_thread_call call = {.run = post_itself};

    (void)state;
    torc_reactor_call_from_thread(reactor, &call);
    for (int i = 0; i < 10; i++) check_ok(torc_reactor_turn(reactor, 0));
    assert_int_equal(arrived, 5);
}

int main(void) {
#define TEST(name)                                                                                 \
    { "epoll: " #name, name, set_up, tear_down, NULL }
#define LATE(name)                                                                                 \
    { "late: " #name, name, set_up_late, tear_down, NULL }
    const struct CMUnitTest tests[] = {
        TEST(calls_of_many_threads_all_arrive),
        LATE(calls_of_many_threads_all_arrive),
        TEST(a_waiting_reactor_is_woken),
        TEST(one_posted_before_the_wait_ends_it_too),
        LATE(one_posted_before_the_wait_ends_it_too),
        TEST(a_call_may_post_itself),
        LATE(a_call_may_post_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
