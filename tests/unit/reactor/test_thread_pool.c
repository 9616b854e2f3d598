/* SPDX-License-Identifier: MIT */
/*
 * The pool as a whole: how many threads it has, in which order, and its end. Single jobs are in
 * test_file.c.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <torc/testing.h>
#include <torc/thread.h>

#include "check.h"
#include "reactor/reactor.h"

enum {
    JOBS = 40,
    THREADS = 3
};

static torc_reactor *reactor;
static pthread_t reactor_thread;

typedef struct note {
    torc_job job;
    pthread_t thread;
    int order;
    bool is_done;
} note;

static note notes[JOBS];
static atomic_int begun, most, at_once;
static int told;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int set_up(void **state) {
    const torc_reactor_options options = {.size = sizeof(options),
                                          .threads[TORC_THREAD_FILE] = {THREADS, JOBS}};

    (void)state;
    memset(notes, 0, sizeof(notes));
    atomic_store(&begun, 0);
    atomic_store(&most, 0);
    atomic_store(&at_once, 0);
    told = 0;
    reactor_thread = pthread_self();
    return torc_test_reactor_new(&options, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static void work(torc_job *job) {
    note *self = torc_container_of(job, note, job);
    const int now = atomic_fetch_add(&at_once, 1) + 1;
    int before = atomic_load(&most);

    while (now > before && !atomic_compare_exchange_weak(&most, &before, now)) continue;
    self->thread = pthread_self();
    self->order = atomic_fetch_add(&begun, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    atomic_fetch_sub(&at_once, 1);
}

static void done(torc_job *job) {
    note *self = torc_container_of(job, note, job);

    assert_true(pthread_equal(pthread_self(), reactor_thread));
    assert_false(self->is_done);
    self->is_done = true;
    told++;
}

static void submit(int i) {
    notes[i].job.work = work;
    notes[i].job.done = done;
    check_ok(torc_job_submit(reactor, &notes[i].job));
}

static void threads_have_a_maximum(void **state) {
    (void)state;
    pthread_mutex_lock(&gate);
    for (int i = 0; i < JOBS / 2; i++) submit(i);
    while (atomic_load(&begun) < THREADS) sched_yield();
    pthread_mutex_unlock(&gate);
    torc_test_finish_jobs(reactor);
    assert_int_equal(told, JOBS / 2);
    assert_int_equal(atomic_load(&most), THREADS);
    for (int i = 0; i < JOBS / 2; i++) assert_false(pthread_equal(notes[i].thread, reactor_thread));
}

/* One after the other, each told before the next is given: one thread is enough for that. */
static void a_thread_is_made_only_when_none_is_idle(void **state) {
    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_THREAD, 0, 0, 0);
    submit(0);
    torc_test_finish_jobs(reactor);
    assert_true(torc_test_call_count(reactor, TORC_TEST_THREAD) == 1);
    for (int i = 1; i < JOBS; i++) {
        submit(i);
        torc_test_finish_jobs(reactor);
    }
    assert_int_equal(told, JOBS);
    assert_true(torc_test_call_count(reactor, TORC_TEST_THREAD) <= THREADS);
}

static void jobs_are_begun_in_their_order(void **state) {
    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_THREAD, 2, 1000000,
                         EAGAIN); /* one thread, and no more */
    for (int i = 0; i < JOBS; i++) submit(i);
    torc_test_finish_jobs(reactor);
    for (int i = 0; i < JOBS; i++) assert_int_equal(notes[i].order, i);
    assert_int_equal(atomic_load(&most), 1);
}

static void without_threads_there_are_no_jobs(void **state) {
    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_THREAD, 1, 1, EAGAIN);
    notes[0].job = (torc_job){.work = work, .done = done};
    check_err(torc_job_submit(reactor, &notes[0].job), TORC_ERR_LIMIT);
    submit(1); /* the next time it could be made */
    torc_test_finish_jobs(reactor);
    assert_int_equal(told, 1);
    assert_false(notes[0].is_done);
}

static void there_may_be_no_memory(void **state) {
    (void)state;
    torc_test_fail_allocation(reactor, 1);
    notes[0].job = (torc_job){.work = work, .done = done};
    check_err(torc_job_submit(reactor, &notes[0].job), TORC_ERR_NO_MEMORY);
    torc_test_fail_allocation(reactor, 0);
    submit(1);
    torc_test_finish_jobs(reactor);
    assert_int_equal(told, 1);
}

/* Hold the gate until all threads wait at it: the reactor is being freed by then, perhaps. */
static void *hold_and_open_gate(void *context) {
    pthread_mutex_lock(&gate);
    atomic_store((atomic_int *)context, 1);
    while (atomic_load(&begun) < THREADS) sched_yield();
    pthread_mutex_unlock(&gate);
    return NULL;
}

/* What was begun is waited for; what was not is told so. All are told. */
static void a_freed_reactor_tells_all(void **state) {
    pthread_t opener;
    atomic_int is_held;
    int stopping = 0;

    atomic_init(&is_held, 0);
    assert_int_equal(pthread_create(&opener, NULL, hold_and_open_gate, &is_held), 0);
    while (!atomic_load(&is_held)) sched_yield();
    for (int i = 0; i < JOBS; i++) submit(i);
    while (atomic_load(&begun) < THREADS) sched_yield();
    torc_reactor_free(reactor);
    pthread_join(opener, NULL);
    assert_int_equal(told, JOBS);
    for (int i = 0; i < JOBS; i++) {
        if (notes[i].job.err) check_err(notes[i].job.err, TORC_ERR_STOPPING);
        stopping += notes[i].job.err != TORC_OK;
    }
    assert_int_equal(JOBS - stopping, atomic_load(&begun));
    assert_int_equal(set_up(state), 0);
}

static void look_at_mask(torc_job *job) {
    note *self = torc_container_of(job, note, job);
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    self->order = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGUSR1) == 1;
}

static void threads_take_no_signals(void **state) {
    (void)state;
    notes[0].job = (torc_job){.work = look_at_mask, .done = done};
    check_ok(torc_job_submit(reactor, &notes[0].job));
    torc_test_finish_jobs(reactor);
    assert_int_equal(notes[0].order, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(threads_have_a_maximum),        TEST(a_thread_is_made_only_when_none_is_idle),
        TEST(jobs_are_begun_in_their_order), TEST(without_threads_there_are_no_jobs),
        TEST(there_may_be_no_memory),        TEST(a_freed_reactor_tells_all),
        TEST(threads_take_no_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
