/* SPDX-License-Identifier: MIT */
/* Threads, and files by them. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <torc/file.h>
#include <torc/thread.h>
#include <unistd.h>

#include "check.h"
#include "faults.h"
#include "reactor/fiber.h"

static torc_reactor *reactor;
static int finished;

static int set_up(void **state) {
    const torc_reactor_options options = {.size = sizeof(options),
                                          .threads[TORC_THREAD_FILE] = {2, 3}};

    (void)state;
    finished = 0;
    return torc_reactor_new(&options, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static void turn_until(int count) {
    while (finished < count) check_ok(torc_reactor_turn(reactor, -1));
}

/* ---- jobs ---- */

typedef struct count_job {
    torc_job job;
    pthread_t thread;
    bool is_done;
} count_job;

static void work(torc_job *job) {
    torc_container_of(job, count_job, job)->thread = pthread_self();
}

static void done(torc_job *job) {
    count_job *self = torc_container_of(job, count_job, job);

    self->is_done = true;
    finished++;
}

static void a_job_runs_on_another_thread(void **state) {
    count_job self = {.job = {.work = work, .done = done}};

    (void)state;
    check_ok(torc_job_submit(reactor, &self.job));
    assert_false(self.is_done);
    turn_until(1);
    assert_true(self.is_done);
    check_ok(self.job.err);
    assert_false(pthread_equal(self.thread, pthread_self()));
}

/* A gate that jobs wait at, in their threads. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int entered;

static void work_at_gate(torc_job *job) {
    (void)job;
    atomic_fetch_add(&entered, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void wait_entered(int count) {
    while (atomic_load(&entered) < count) sched_yield();
}

static void the_queue_is_bounded(void **state) {
    count_job jobs[6] = {0};

    (void)state;
    atomic_store(&entered, 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 6; i++) jobs[i].job = (torc_job){.work = work_at_gate, .done = done};
    for (int i = 0; i < 2; i++) {
        check_ok(torc_job_submit(reactor, &jobs[i].job));
        wait_entered(i + 1);
    }
    for (int i = 2; i < 5; i++) check_ok(torc_job_submit(reactor, &jobs[i].job));
    check_err(torc_job_submit(reactor, &jobs[5].job), TORC_ERR_BUSY);

    assert_false(torc_job_withdraw(&jobs[0].job)); /* begun */
    assert_true(torc_job_withdraw(&jobs[3].job));
    assert_false(torc_job_withdraw(&jobs[3].job));
    check_ok(torc_job_submit(reactor, &jobs[5].job));
    pthread_mutex_unlock(&gate);
    turn_until(5);
    assert_false(jobs[3].is_done);
}

static void a_freed_reactor_ends_its_threads(void **state) {
    count_job jobs[4] = {0};

    (void)state;
    atomic_store(&entered, 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 4; i++) {
        jobs[i].job = (torc_job){.work = work_at_gate, .done = done};
        check_ok(torc_job_submit(reactor, &jobs[i].job));
        if (i < 2) wait_entered(i + 1);
    }
    pthread_mutex_unlock(&gate);
    torc_reactor_free(reactor);
    assert_int_equal(finished, 4);
    check_ok(jobs[0].job.err);
    assert_true(jobs[3].job.err == TORC_ERR_STOPPING || jobs[3].job.err == TORC_OK);
    check_ok(torc_reactor_new(NULL, &reactor));
}

/* ---- fibers ---- */

typedef struct sum {
    int terms[100];
    int total;
    torc_err answer;
} sum;

static torc_err add_up(void *data) {
    sum *self = data;

    for (int i = 0; i < 100; i++) self->total += self->terms[i];
    return self->answer;
}

static torc_err add_on_fiber(void *context) {
    sum self = {.total = 0, .answer = *(torc_err *)context};

    for (int i = 0; i < 100; i++) self.terms[i] = i;
    check_err(torc_await_thread(reactor, TORC_THREAD_USER, add_up, &self, sizeof(self), NULL),
              *(torc_err *)context);
    assert_int_equal(self.total, 4950);
    finished++;
    return TORC_OK;
}

static void a_fiber_waits_for_a_thread(void **state) {
    torc_err answers[] = {TORC_OK, TORC_ERR_NOT_FOUND};
    torc_fiber *fiber;

    (void)state;
    for (int i = 0; i < 2; i++)
        check_ok(torc_fiber_start(reactor, add_on_fiber, &answers[i], &fiber));
    turn_until(2);
}

static int disposed;

static torc_err stand_at_gate(void *data) {
    (void)data;
    work_at_gate(NULL);
    return TORC_OK;
}

static void dispose(void *data) {
    assert_int_equal(*(int *)data, 7);
    disposed++;
}

static torc_err wait_at_gate(void *context) {
    int data = 7;

    *(torc_err *)context =
        torc_await_thread(reactor, TORC_THREAD_USER, stand_at_gate, &data, sizeof(data), dispose);
    finished++;
    return TORC_OK;
}

/* Two have begun when they are cancelled, one has not. */
static void a_cancelled_fiber_leaves_its_job_behind(void **state) {
    torc_err errs[3] = {0};
    torc_fiber *fibers[3];

    (void)state;
    disposed = 0;
    atomic_store(&entered, 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 3; i++) {
        check_ok(torc_fiber_start(reactor, wait_at_gate, &errs[i], &fibers[i]));
        if (i < 2) wait_entered(i + 1);
    }
    for (int i = 0; i < 3; i++) torc_fiber_cancel(fibers[i], TORC_ERR_LOST);
    turn_until(3);
    for (int i = 0; i < 3; i++) check_err(errs[i], TORC_ERR_LOST);
    assert_int_equal(disposed, 0);
    pthread_mutex_unlock(&gate);
    while (disposed < 2) check_ok(torc_reactor_turn(reactor, -1));
}

/* ---- files ---- */

static torc_err use_files(void *context) {
    char path[] = "/tmp/torc-test-XXXXXX", bytes[16];
    torc_file *file;
    size_t len;

    (void)context;
    close(mkstemp(path));
    check_err(torc_file_open(reactor, "/nowhere/at/all", O_RDONLY, 0, &file), TORC_ERR_NOT_FOUND);
    check_ok(torc_file_open(reactor, path, O_RDWR, 0, &file));
    check_ok(torc_file_write(file, TORC_STR("hello ")));
    check_ok(torc_file_write(file, TORC_STR("world")));
    check_ok(torc_file_write(file, TORC_STR("")));
    assert_int_equal(torc_file_position(file), 11);
    check_ok(torc_file_read(file, bytes, sizeof(bytes), &len));
    assert_int_equal(len, 0);
    torc_file_set_position(file, 6);
    check_ok(torc_file_read(file, bytes, sizeof(bytes), &len));
    check_str(torc_str_make(bytes, len), "world");
    assert_true(fcntl(torc_file_fd(file), F_GETFD) & FD_CLOEXEC);
    torc_file_close(file);
    check_ok(torc_file_open(reactor, path, O_RDONLY, 0, &file));
    assert_int_not_equal(torc_file_write(file, TORC_STR("x")), TORC_OK);
    torc_file_close(file);
    check_ok(torc_file_unlink(reactor, path));
    check_err(torc_file_unlink(reactor, path), TORC_ERR_NOT_FOUND);

    check_ok(torc_file_open_temporary(reactor, NULL, &file));
    check_ok(torc_file_write(file, TORC_STR("x")));
    torc_file_close(file);
    check_err(torc_file_open_temporary(reactor, "/nowhere", &file), TORC_ERR_NOT_FOUND);
    finished++;
    return TORC_OK;
}

static void files_are_read_and_written(void **state) {
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_start(reactor, use_files, NULL, &fiber));
    turn_until(1);
}

static int fd_of_cancelled;

static torc_err write_for_ever(void *context) {
    static char block[1 << 20];
    torc_file *file;
    torc_err err = TORC_OK;

    (void)context;
    check_ok(torc_file_open_temporary(reactor, NULL, &file));
    fd_of_cancelled = torc_file_fd(file);
    while (!err) {
        torc_file_set_position(file, 0);
        err = torc_file_write(file, torc_str_make(block, sizeof(block)));
        finished++;
    }
    check_err(err, TORC_ERR_LOST);
    torc_file_close(file);
    finished = 1000;
    return TORC_OK;
}

static void a_cancelled_write_is_harmless(void **state) {
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_start(reactor, write_for_ever, NULL, &fiber));
    turn_until(3);
    torc_fiber_cancel(fiber, TORC_ERR_LOST);
    turn_until(1000);
}

static torc_err open_with_faults(void *context) {
    torc_file *file;
    torc_err err = torc_file_open_temporary(reactor, NULL, &file);

    if (!err) {
        err = torc_file_write(file, TORC_STR("x"));
        torc_file_close(file);
    }
    *(torc_err *)context = err;
    finished++;
    return TORC_OK;
}

static void every_allocation_may_fail(void **state) {
    bool is_untouched = false;

    (void)state;
    for (uint64_t fail_at = 1; !is_untouched; fail_at++) {
        torc_err err = TORC_ERR_STATE;
        torc_fiber *fiber;
        faults injected;
        assert_int_equal(set_up(NULL), 0);
        faults_arm(&injected, torc_reactor_memory(reactor), fail_at);
        const torc_err started = torc_fiber_start(reactor, open_with_faults, &err, &fiber);
        if (!started) turn_until(1);
        is_untouched = !injected.hit;
        faults_disarm(torc_reactor_memory(reactor));
        check_err(started ? started : err, is_untouched ? TORC_OK : TORC_ERR_NO_MEMORY);
        tear_down(NULL);
    }
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_job_runs_on_another_thread),
        FILE_TEST(the_queue_is_bounded),
        FILE_TEST(a_freed_reactor_ends_its_threads),
        FILE_TEST(a_fiber_waits_for_a_thread),
        FILE_TEST(a_cancelled_fiber_leaves_its_job_behind),
        FILE_TEST(files_are_read_and_written),
        FILE_TEST(a_cancelled_write_is_harmless),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
