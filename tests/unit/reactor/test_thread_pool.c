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

/* ---- classes ---- */

static int64_t metric(const char *name) {
    return torc_metric_value(torc_metrics_find(torc_reactor_metrics(reactor), torc_str_of(name)));
}

static void submit_to(int i, torc_thread_class class_) {
    notes[i].job.thread_class = class_;
    submit(i);
}

static void a_class_does_not_wait_for_another(void **state) {
    int held = 0;

    (void)state;
    pthread_mutex_lock(&gate);
    while (held < THREADS) submit_to(held++, TORC_THREAD_FILE);
    while (atomic_load(&begun) < THREADS) sched_yield();
    for (int i = 0; i < 3; i++) {
        static const torc_thread_class others[] = {TORC_THREAD_NAME, TORC_THREAD_CPU,
                                                   TORC_THREAD_USER};
        notes[held + i].job = (torc_job){.work = look_at_mask, .done = done};
        notes[held + i].job.thread_class = others[i];
        check_ok(torc_job_submit(reactor, &notes[held + i].job));
    }
    while (told < 3) check_ok(torc_reactor_turn(reactor, -1));
    for (int i = 0; i < 3; i++) assert_true(notes[held + i].is_done);
    assert_int_equal(metric("thread_file_pending"), THREADS);
    assert_int_equal(metric("thread_name_pending"), 0);
    assert_int_equal(metric("thread_name_jobs"), 1);
    assert_int_equal(metric("thread_cpu_jobs"), 1);
    assert_int_equal(metric("thread_user_jobs"), 1);
    assert_int_equal(metric("thread_jobs"), THREADS + 3);
    pthread_mutex_unlock(&gate);
    torc_test_finish_jobs(reactor);
}

static void each_class_has_its_limits(void **state) {
    const torc_reactor_options options = {
        .size = sizeof(options),
        .threads = {[TORC_THREAD_CPU] = {1, 2}, [TORC_THREAD_USER] = {2, 1}}};

    (void)state;
    torc_reactor_free(reactor);
    check_ok(torc_test_reactor_new(&options, &reactor));
    pthread_mutex_lock(&gate);
    submit_to(0, TORC_THREAD_CPU);
    while (atomic_load(&begun) < 1) sched_yield();
    submit_to(1, TORC_THREAD_USER);
    while (atomic_load(&begun) < 2) sched_yield();
    submit_to(2, TORC_THREAD_USER);
    while (atomic_load(&begun) < 3) sched_yield();
    submit_to(3, TORC_THREAD_CPU);
    submit_to(4, TORC_THREAD_CPU);
    submit_to(5, TORC_THREAD_USER);
    for (int i = 6; i < 8; i++) {
        notes[i].job = (torc_job){.work = work, .done = done};
        notes[i].job.thread_class = i == 6 ? TORC_THREAD_CPU : TORC_THREAD_USER;
        check_err(torc_job_submit(reactor, &notes[i].job), TORC_ERR_BUSY);
    }
    assert_int_equal(metric("thread_cpu_refused"), 1);
    assert_int_equal(metric("thread_user_refused"), 1);
    pthread_mutex_unlock(&gate);
    torc_test_finish_jobs(reactor);
    assert_int_equal(told, 6);
}

static void what_has_begun_is_abandoned(void **state) {
    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_THREAD, 2, 1000000, EAGAIN); /* one thread */
    pthread_mutex_lock(&gate);
    submit(0);
    while (atomic_load(&begun) < 1) sched_yield();
    submit(1);
    assert_false(torc_job_abandon(&notes[0].job));
    assert_true(torc_job_abandon(&notes[1].job));
    assert_int_equal(metric("thread_file_abandoned"), 1);
    assert_int_equal(metric("thread_file_pending"), 1);
    pthread_mutex_unlock(&gate);
    torc_test_finish_jobs(reactor);
    assert_true(notes[0].is_done);
    assert_false(notes[1].is_done);
}

/* ---- jobs that are left behind ---- */

static atomic_int lefts;

static void left(torc_job *job) {
    (void)job;
    atomic_fetch_add(&lefts, 1);
}

/* They stand at the gate when the reactor is freed, which does not wait for them. */
static void a_job_may_be_left_behind(void **state) {
    atomic_store(&lefts, 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 2; i++) {
        notes[i].job = (torc_job){.work = work, .done = done, .left = left};
        check_ok(torc_job_submit(reactor, &notes[i].job));
        while (atomic_load(&begun) < i + 1) sched_yield();
    }
    torc_reactor_free(reactor);
    assert_int_equal(told, 2);
    for (int i = 0; i < 2; i++) {
        check_err(notes[i].job.err, TORC_ERR_STOPPING);
        assert_true(notes[i].job.is_left);
    }
    assert_int_equal(atomic_load(&lefts), 0);
    pthread_mutex_unlock(&gate);
    while (atomic_load(&lefts) < 2) sched_yield();
    assert_int_equal(set_up(state), 0);
}

static void one_that_ends_in_time_is_not(void **state) {
    atomic_store(&lefts, 0);
    notes[0].job = (torc_job){.work = work, .done = done, .left = left};
    check_ok(torc_job_submit(reactor, &notes[0].job));
    torc_test_finish_jobs(reactor);
    assert_int_equal(told, 1);
    check_ok(notes[0].job.err);
    torc_reactor_free(reactor);
    assert_int_equal(atomic_load(&lefts), 0);
    assert_int_equal(set_up(state), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(threads_have_a_maximum),        TEST(a_thread_is_made_only_when_none_is_idle),
        TEST(jobs_are_begun_in_their_order), TEST(without_threads_there_are_no_jobs),
        TEST(there_may_be_no_memory),        TEST(a_freed_reactor_tells_all),
        TEST(threads_take_no_signals),       TEST(a_class_does_not_wait_for_another),
        TEST(each_class_has_its_limits),     TEST(what_has_begun_is_abandoned),
        TEST(a_job_may_be_left_behind),      TEST(one_that_ends_in_time_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
