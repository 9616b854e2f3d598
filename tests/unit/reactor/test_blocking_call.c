/* SPDX-License-Identifier: MIT */
/* Threads that wait for the reactor's. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <torc/blocking_call.h>
#include <torc/testing.h>

#include "check.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static pthread_t reactor_thread;

static int set_up(void **state) {
    (void)state;
    reactor_thread = pthread_self();
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

/* A job that makes one blocking call. */
typedef struct caller {
    torc_job job;
    torc_blocking_fn *run;
    torc_thread_fn *run_plain;
    bool wants_no_value;
    atomic_bool is_begun;
    int number;
    void *value;
    torc_err err;
    bool is_done;
} caller;

static void work(torc_job *job) {
    caller *self = torc_container_of(job, caller, job);

    atomic_store(&self->is_begun, true);
    self->err = self->run_plain
                    ? torc_call_from_thread_and_wait(reactor, self->run_plain, self)
                    : torc_await_from_thread(reactor, self->run, self,
                                             self->wants_no_value ? NULL : &self->value);
}

static void done(torc_job *job) {
    torc_container_of(job, caller, job)->is_done = true;
}

static void start(caller *self) {
    self->job = (torc_job){.work = work, .done = done, .thread_class = TORC_THREAD_USER};
    self->err = TORC_ERR_STATE;
    check_ok(torc_job_submit(reactor, &self->job));
}

static torc_err square(void *context) {
    caller *self = context;

    assert_true(pthread_equal(pthread_self(), reactor_thread));
    if (self->number < 0) return TORC_ERR_INVALID;
    self->number *= self->number;
    return TORC_OK;
}

static void a_function_is_called_on_the_reactors_thread(void **state) {
    caller good = {.run_plain = square, .number = 7}, bad = {.run_plain = square, .number = -1};

    (void)state;
    start(&good);
    start(&bad);
    torc_test_finish_jobs(reactor);
    check_ok(good.err);
    assert_int_equal(good.number, 49);
    check_err(bad.err, TORC_ERR_INVALID);
}

static int disposed;

static void dispose(void *value) {
    assert_true(pthread_equal(pthread_self(), reactor_thread));
    free(value);
    disposed++;
}

static torc_deferred *later(torc_reactor *of, void *context) {
    const caller *self = context;
    int *value = malloc(sizeof(*value));

    assert_true(pthread_equal(pthread_self(), reactor_thread));
    assert_non_null(value);
    *value = self->number;
    return torc_defer_later(of, 1000, value, dispose);
}

/* Turn until the thread has called, so that there is a deferred that has not fired. */
static void turn_until_it_waits(void) {
    while (torc_list_is_empty(&reactor->deferreds)) torc_test_settle(reactor);
}

static void a_thread_waits_for_a_deferred(void **state) {
    caller self = {.run = later, .number = 11};

    (void)state;
    disposed = 0;
    start(&self);
    turn_until_it_waits();
    assert_false(self.is_done);
    torc_test_advance(reactor, 1000);
    torc_test_finish_jobs(reactor);
    check_ok(self.err);
    assert_int_equal(*(int *)self.value, 11);
    assert_int_equal(disposed, 0);
    free(self.value);
}

static void a_value_that_is_not_wanted_is_disposed_of(void **state) {
    caller self = {.run = later, .number = 11, .wants_no_value = true};

    (void)state;
    disposed = 0;
    start(&self);
    turn_until_it_waits();
    torc_test_advance(reactor, 1000);
    torc_test_finish_jobs(reactor);
    check_ok(self.err);
    assert_int_equal(disposed, 1);
}

static torc_deferred *fail_at_once(torc_reactor *of, void *context) {
    (void)context;
    return torc_deferred_failed(of, TORC_ERR_NOT_FOUND);
}

static void a_failure_is_returned(void **state) {
    caller self = {.run = fail_at_once};

    (void)state;
    start(&self);
    torc_test_finish_jobs(reactor);
    check_err(self.err, TORC_ERR_NOT_FOUND);
    assert_null(self.value);
}

static torc_deferred *lacking_memory(torc_reactor *of, void *context) {
    (void)context;
    torc_test_fail_allocation(of, 1);
    return torc_deferred_new(of);
}

static void so_is_a_lack_of_memory(void **state) {
    caller self = {.run = lacking_memory};

    (void)state;
    start(&self);
    torc_test_finish_jobs(reactor);
    torc_test_fail_allocation(reactor, 0);
    check_err(self.err, TORC_ERR_NO_MEMORY);
}

/* One waits for a deferred, and one has called, but was not looked at. */
static void a_freed_reactor_lets_them_go(void **state) {
    caller begun = {.run = later, .number = 1}, posted = {.run = later, .number = 2};

    disposed = 0;
    start(&begun);
    turn_until_it_waits();
    start(&posted);
    while (!torc_reactor_is_queued(reactor)) sched_yield();
    torc_reactor_free(reactor);
    assert_true(begun.is_done && posted.is_done);
    check_err(begun.err, TORC_ERR_STOPPING);
    check_err(posted.err, TORC_ERR_STOPPING);
    assert_int_equal(disposed, 1); /* the second was never called */
    assert_int_equal(set_up(state), 0);
}

static void call_late(torc_job *job) {
    caller *self = torc_container_of(job, caller, job);

    atomic_store(&self->is_begun, true);
    for (;;) { /* until the reactor refuses: it is freed while this runs */
        self->err = torc_call_from_thread_and_wait(reactor, square, self);
        if (self->err) return;
    }
}

static void and_takes_no_more(void **state) {
    caller self = {.number = 1};

    self.job = (torc_job){.work = call_late, .done = done, .thread_class = TORC_THREAD_USER};
    check_ok(torc_job_submit(reactor, &self.job));
    while (!atomic_load(&self.is_begun)) torc_test_settle(reactor);
    for (int i = 0; i < 100; i++) torc_test_settle(reactor);
    torc_reactor_free(reactor);
    assert_true(self.is_done);
    check_err(self.err, TORC_ERR_STOPPING);
    assert_int_equal(set_up(state), 0);
}

/* Many at once, which the thread sanitizer looks at. */
static void many_threads_call(void **state) {
    caller callers[40];

    (void)state;
    for (int round = 0; round < 10; round++) {
        memset(callers, 0, sizeof(callers));
        for (int i = 0; i < 40; i++) {
            callers[i].run_plain = square;
            callers[i].number = i;
            start(&callers[i]);
        }
        torc_test_finish_jobs(reactor);
        for (int i = 0; i < 40; i++) {
            check_ok(callers[i].err);
            assert_int_equal(callers[i].number, i * i);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_function_is_called_on_the_reactors_thread),
        TEST(a_thread_waits_for_a_deferred),
        TEST(a_value_that_is_not_wanted_is_disposed_of),
        TEST(a_failure_is_returned),
        TEST(so_is_a_lack_of_memory),
        TEST(a_freed_reactor_lets_them_go),
        TEST(and_takes_no_more),
        TEST(many_threads_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
