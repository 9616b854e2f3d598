/* SPDX-License-Identifier: MIT */
/* Operations on open files in both forms: positions, failures, and what was left behind. */
#include "file_world.h"
#include "kernel.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <torc/thread.h>

static torc_file *file;

static torc_file *open_it(int flags) {
    void *value;

    check_ok(wait_for(torc_file_defer_open(reactor, at("file"), flags, 0600), &value));
    return value;
}

static void check_read(torc_deferred *deferred, const char *expected) {
    void *value;

    check_ok(wait_for(deferred, &value));
    const torc_file_result *result = value;
    assert_string_equal(result->bytes.bytes, expected);
    assert_int_equal(result->bytes.len, strlen(expected));
    torc_file_result_free(value);
}

static void files_are_read_and_written_by_callbacks(void **state) {
    void *value;

    (void)state;
    if (kernel_is_emulated()) skip_test("nothing is appended here");
    file = open_it(O_RDWR | O_CREAT);
    check_ok(wait_for(torc_file_defer_write(file, TORC_STR("hello ")), NULL));
    check_ok(wait_for(torc_file_defer_write(file, TORC_STR("world")), NULL));
    assert_int_equal(torc_file_position(file), 11);
    check_ok(wait_for(torc_file_defer_write_at(file, 0, TORC_STR("J")), NULL));
    check_ok(wait_for(torc_file_defer_append(file, TORC_STR("!")), NULL));
    assert_int_equal(torc_file_position(file), 11);
    check_read(torc_file_defer_read(file, 100), "!");
    check_read(torc_file_defer_read(file, 100), "");
    check_read(torc_file_defer_read_at(file, 1, 4), "ello");
    torc_file_set_position(file, 6);
    check_read(torc_file_defer_read(file, 3), "wor");
    check_read(torc_file_defer_read(file, 0), "");
    check_read(torc_file_defer_read(file, 3), "ld!");
    check_ok(wait_for(torc_file_defer_truncate(file, 5), NULL));
    check_ok(wait_for(torc_file_defer_sync(file), NULL));
    check_ok(wait_for(torc_file_defer_sync_data(file), NULL));
    check_ok(wait_for(torc_file_defer_stat_open(file), &value));
    assert_int_equal(((torc_file_result *)value)->stat.size, 5);
    torc_file_result_free(value);
    torc_file_close(file);
    check_content("file", "Jello");
    check_err(wait_for(torc_file_defer_open(reactor, at("none"), O_RDONLY, 0), NULL),
              TORC_ERR_NOT_FOUND);
    drop("file");
}

static torc_err use_on_fiber(void *context) {
    torc_file_stat stat;
    char bytes[16];
    size_t len;

    (void)context;
    check_ok(torc_file_open(reactor, at("file"), O_RDWR | O_CREAT, 0600, &file));
    check_ok(torc_file_write_at(file, 2, TORC_STR("cd")));
    check_ok(torc_file_write_at(file, 0, TORC_STR("ab")));
    check_ok(torc_file_append(file, TORC_STR("ef")));
    assert_int_equal(torc_file_position(file), 0);
    check_ok(torc_file_read_at(file, 1, bytes, 4, &len));
    check_str(torc_str_make(bytes, len), "bcde");
    check_ok(torc_file_sync(file));
    check_ok(torc_file_sync_data(file));
    check_ok(torc_file_truncate(file, 8));
    check_ok(torc_file_stat_open(file, &stat));
    assert_int_equal(stat.size, 8);
    assert_null(torc_file_path(file));
    check_err(torc_file_read(file, bytes, SIZE_MAX, &len), TORC_ERR_NO_MEMORY);
    torc_file_close(file);
    torc_file_close(NULL);
    return TORC_OK;
}

static void and_by_fibers(void **state) {
    (void)state;
    if (kernel_is_emulated()) skip_test("nothing is appended here");
    on_fiber(use_on_fiber, NULL);
    drop("file");
}

static void temporary_files_have_a_name_or_none(void **state) {
    struct stat status;
    void *value;

    (void)state;
    check_ok(wait_for(torc_file_defer_open_temporary(reactor, folder), &value));
    file = value;
    check_ok(wait_for(torc_file_defer_write(file, TORC_STR("x")), NULL));
    assert_int_equal(fstat(torc_file_fd(file), &status), 0);
    assert_int_equal(status.st_nlink, 0);
    torc_file_close(file);

    check_ok(wait_for(torc_file_defer_open_named(reactor, folder), &value));
    file = value;
    assert_int_equal(stat(torc_file_path(file), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    check_ok(wait_for(torc_file_defer_rename(reactor, torc_file_path(file), at("file")), NULL));
    torc_file_close(file);
    drop("file");

    check_ok(wait_for(torc_file_defer_open_named(reactor, folder), &value));
    torc_file_dispose(value); /* as a deferred does that nobody takes */
    torc_file_dispose(NULL);
}

static void each_call_may_fail(void **state) {
    torc_file_result *result;
    void *value;

    (void)state;
    if (kernel_is_emulated()) skip_test("nothing is appended here");
    torc_test_fail_calls(reactor, TORC_TEST_OPEN, 1, 1, EMFILE);
    check_err(wait_for(torc_file_defer_open_named(reactor, folder), NULL),
              TORC_ERR_FILE_TABLE_FULL);
    file = open_it(O_RDWR | O_CREAT);
    torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, EIO);
    check_err(wait_for(torc_file_defer_read(file, 1), NULL), TORC_ERR_SYSTEM);
    torc_test_fail_calls(reactor, TORC_TEST_STAT, 1, 1, EIO);
    check_err(wait_for(torc_file_defer_stat_open(file), NULL), TORC_ERR_SYSTEM);
    for (int i = 0; i < 5; i++) {
        torc_test_fail_calls(reactor, TORC_TEST_WRITE, 1, 1, ENOSPC);
        check_err(wait_for(i == 0   ? torc_file_defer_write(file, TORC_STR("x"))
                           : i == 1 ? torc_file_defer_append(file, TORC_STR("x"))
                           : i == 2 ? torc_file_defer_sync(file)
                           : i == 3 ? torc_file_defer_sync_data(file)
                                    : torc_file_defer_truncate(file, 1),
                           NULL),
                  TORC_ERR_NO_SPACE);
    }
    assert_int_equal(torc_file_position(file), 0);
    torc_test_limit_calls(reactor, TORC_TEST_WRITE, 2);
    torc_test_fail_calls(reactor, TORC_TEST_WRITE, 0, 0, 0);
    check_ok(wait_for(torc_file_defer_append(file, TORC_STR("in pieces")), NULL));
    check_ok(wait_for(torc_file_defer_read_at(file, 0, 100), &value));
    result = value;
    check_str(result->bytes, "in pieces");
    torc_file_result_free(result);
    torc_file_close(file);
    drop("file");
}

/* ---- what is left behind ---- */

/* Jobs that hold all threads of files until the gate opens. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int entered;

static void stand_at_gate(torc_job *job) {
    (void)job;
    atomic_fetch_add(&entered, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void passed(torc_job *job) {
    (void)job;
}

static void hold_threads(torc_job jobs[4]) {
    atomic_store(&entered, 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 4; i++) {
        jobs[i] = (torc_job){.work = stand_at_gate, .done = passed};
        check_ok(torc_job_submit(reactor, &jobs[i]));
    }
    while (atomic_load(&entered) < 4) sched_yield();
}

static int64_t metric(const char *name) {
    return torc_metric_value(torc_metrics_find(torc_reactor_metrics(reactor), torc_str_of(name)));
}

static void what_has_not_begun_is_not_done(void **state) {
    torc_job jobs[4];
    waited self = {.is_told = false};

    (void)state;
    file = open_it(O_RDWR | O_CREAT);
    hold_threads(jobs);
    torc_deferred *deferred = torc_file_defer_write(file, TORC_STR("x"));
    torc_deferred_then(deferred, &self.callback, waited_fired);
    torc_deferred_drop(torc_file_defer_write_at(file, 3, TORC_STR("x")));
    torc_deferred_drop(torc_file_defer_open_named(reactor, folder));
    torc_deferred_cancel(deferred);
    torc_test_settle(reactor);
    check_err(self.err, TORC_ERR_CANCELLED);
    pthread_mutex_unlock(&gate);
    torc_test_finish_jobs(reactor);
    assert_int_equal(torc_file_position(file), 0);
    assert_int_equal(metric("thread_file_abandoned"), 0);
    torc_file_close(file);
    check_content("file", "");
    drop("file");
}

/* The thread reads when it is cancelled; the file is closed only then, and what was made removed.
 */
static void what_has_begun_is_finished(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        torc_deferred *deferred;
        file = open_it(O_RDWR | O_CREAT);
        torc_deferred_drop(torc_file_defer_open_temporary(reactor, folder));
        deferred = torc_file_defer_open_named(reactor, folder);
        if (i % 2) sched_yield();
        torc_deferred_drop(deferred);
        deferred = torc_file_defer_write(file, TORC_STR("x"));
        torc_file_close(file);
        if (i % 2) sched_yield();
        torc_deferred_drop(deferred);
        torc_test_finish_jobs(reactor);
    }
    drop("file");
}

static void the_queue_may_be_full(void **state) {
    const torc_reactor_options options = {.size = sizeof(options),
                                          .threads[TORC_THREAD_FILE] = {1, 1}};
    torc_job jobs[2];

    (void)state;
    torc_reactor_free(reactor);
    check_ok(torc_test_reactor_new(&options, &reactor));
    atomic_store(&entered, 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 2; i++) {
        jobs[i] = (torc_job){.work = stand_at_gate, .done = passed};
        check_ok(torc_job_submit(reactor, &jobs[i]));
        while (atomic_load(&entered) < 1) sched_yield();
    }
    waited self = {.is_told = false};
    torc_deferred_then(torc_file_defer_stat_path(reactor, folder), &self.callback, waited_fired);
    torc_test_settle(reactor);
    check_err(self.err, TORC_ERR_BUSY);
    assert_int_equal(metric("thread_file_refused"), 1);
    assert_int_equal(metric("thread_file_pending"), 2);
    pthread_mutex_unlock(&gate);
    torc_test_finish_jobs(reactor);
    assert_int_equal(metric("thread_file_pending"), 0);
    check_ok(wait_for(torc_file_defer_stat_path(reactor, folder), &self.value));
    torc_file_result_free(self.value);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        waited self = {.is_told = false};
        torc_test_fail_allocation(reactor, n);
        torc_deferred_then(torc_file_defer_open(reactor, at("file"), O_RDWR | O_CREAT, 0600),
                           &self.callback, waited_fired);
        torc_test_finish_jobs(reactor);
        torc_test_settle(reactor);
        if (!self.err) {
            waited write = {.is_told = false};
            torc_deferred_then(torc_file_defer_write(self.value, TORC_STR("x")), &write.callback,
                               waited_fired);
            torc_file_close(self.value);
            torc_test_finish_jobs(reactor);
            torc_test_settle(reactor);
            self.err = write.err;
        }
        const bool failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        check_err(self.err, failed ? TORC_ERR_NO_MEMORY : TORC_OK);
        if (!failed) break;
        assert_true(n < 20);
    }
    drop("file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(files_are_read_and_written_by_callbacks),
        FILE_TEST(and_by_fibers),
        FILE_TEST(temporary_files_have_a_name_or_none),
        FILE_TEST(each_call_may_fail),
        FILE_TEST(what_has_not_begun_is_not_done),
        FILE_TEST(what_has_begun_is_finished),
        FILE_TEST(the_queue_may_be_full),
        FILE_TEST(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
