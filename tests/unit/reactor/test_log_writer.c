/* SPDX-License-Identifier: MIT */
/*
 * Writers of lines: when lines are written, what becomes of them when they cannot be, and that
 * none is ever torn.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <torc/log.h>
#include <torc/log_writer.h>
#include <torc/testing.h>
#include <unistd.h>

#include "check.h"
#include "testing/uncounted.h"

enum {
    MOST = 4 << 20 /* bytes that a test reads */
};

static char folder[64], path[96];
static torc_reactor *reactor;
static torc_log_file *file;
static torc_log_writer *writer;
static torc_buf said;
static torc_log *log_;
static char content[MOST];

static int set_up(void **state) {
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/torc-log-writer-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/a.log", folder);
    torc_buf_init(&said, NULL, TORC_MEMORY_OTHER, 1 << 20);
    if (torc_log_new_buf(NULL, &said, TORC_LOG_FORMAT_TEXT, &log_)) return -1;
    const torc_reactor_options options = {.size = sizeof(options), .log = log_};
    return torc_test_reactor_new(&options, &reactor) ? -1 : 0;
}

static const char *named(const char *ending) {
    static char name[128];
    snprintf(name, sizeof(name), "%s%s", path, ending);
    return name;
}

static int tear_down(void **state) {
    static const char *const endings[] = {"", ".1", ".2", ".3", ".moved"};

    (void)state;
    torc_log_writer_free(writer);
    torc_reactor_free(reactor);
    torc_log_file_close(file);
    torc_log_free(log_);
    torc_buf_dispose(&said);
    writer = NULL;
    reactor = NULL;
    file = NULL;
    for (size_t i = 0; i < TORC_COUNT_OF(endings); i++) unlink(named(endings[i]));
    return rmdir(folder);
}

static void open_writer(const char *name, const torc_log_file_options *file_options,
                        const torc_log_writer_options *options) {
    check_ok(torc_log_file_open(name, file_options, &file));
    check_ok(torc_log_writer_new(reactor, file, options, &writer));
}

/* The reactor goes, and then, or before, the writer's owner. */
static void end_all(void) {
    torc_log_writer_free(writer);
    writer = NULL;
    torc_reactor_free(reactor);
    reactor = NULL;
}

static torc_str content_of(const char *name) {
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t count;

    if (fd < 0) return TORC_STR("(none)");
    while ((count = read(fd, content + len, sizeof(content) - len)) > 0) len += (size_t)count;
    close(fd);
    return torc_str_make(content, len);
}

static bool was_said(const char *text) {
    const torc_str all = torc_buf_str(&said);
    return all.len && memmem(all.bytes, all.len, text, strlen(text));
}

static void add(const char *line) {
    torc_log_writer_add(writer, torc_str_of(line));
}

/* Add numbered lines of different lengths, so many. */
static void add_many(int from, int to) {
    static const char filling[] = "....................................................";
    char line[128];

    for (int i = from; i < to; i++) {
        const int len = snprintf(line, sizeof(line), "%d %.*s", i, i % 40, filling);
        torc_log_writer_add(writer, torc_str_make(line, (size_t)len));
    }
}

/* All lines are there, in order, and none but those: how many. */
static int check_lines(torc_str text, int first) {
    int number = first;

    while (text.len > 0) {
        const ptrdiff_t end = torc_str_find_byte(text, '\n');
        assert_true(end > 0);
        char line[128];
        assert_true((size_t)end < sizeof(line));
        memcpy(line, text.bytes, (size_t)end);
        line[end] = '\0';
        int found, begun = 0;
        assert_int_equal(sscanf(line, "%d %n", &found, &begun), 1);
        assert_int_equal(found, number);
        assert_int_equal(end, begun + number % 40);
        text = torc_str_from(text, (size_t)end + 1);
        number++;
    }
    return number - first;
}

static void a_line_is_written_after_a_second(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    add("one");
    torc_test_advance(reactor, 999);
    torc_test_finish_jobs(reactor);
    check_str(content_of(path), "");
    add("two");
    torc_test_advance(reactor, 1);
    torc_test_finish_jobs(reactor);
    check_str(content_of(path), "one\ntwo\n");
    add("three");
    torc_test_advance(reactor, 1000);
    torc_test_finish_jobs(reactor);
    check_str(content_of(path), "one\ntwo\nthree\n");
    assert_int_equal(torc_log_writer_lost(writer), 0);
}

static void many_lines_are_written_as_they_fill_a_buffer(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    add_many(0, 4000);
    torc_test_finish_jobs(reactor);
    assert_true(content_of(path).len >= 64 * 1024 - 128);
    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    assert_int_equal(check_lines(content_of(path), 0), 4000);
}

static void what_is_left_is_written_at_the_end(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    add_many(0, 10000);
    end_all();
    assert_int_equal(check_lines(content_of(path), 0), 10000);
}

/* Requests end with their reactor, and are logged: the writer takes lines until it is freed. */
static void a_writer_outlives_its_reactor(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    add("one");
    torc_reactor_free(reactor);
    reactor = NULL;
    add("two");
    torc_log_writer_free(writer);
    writer = NULL;
    check_str(content_of(path), "one\ntwo\n");
}

static void lines_of_before_a_reopening_go_to_the_old_file(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    add_many(0, 100);
    assert_int_equal(rename(path, named(".moved")), 0);
    add_many(100, 200);
    torc_log_writer_reopen(writer);
    add_many(200, 300);
    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    assert_int_equal(check_lines(content_of(named(".moved")), 0), 200);
    assert_int_equal(check_lines(content_of(path), 200), 100);
}

static void a_file_is_reopened_without_a_line_to_write(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    assert_int_equal(rename(path, named(".moved")), 0);
    torc_log_writer_reopen(writer);
    torc_test_finish_jobs(reactor);
    check_str(content_of(path), "");
    check_str(content_of(named(".moved")), "");
}

static void a_reopening_is_done_even_at_the_end(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    add("one");
    assert_int_equal(rename(path, named(".moved")), 0);
    torc_test_fail_calls(reactor, TORC_TEST_THREAD, 1, 100, EAGAIN);
    torc_log_writer_reopen(writer);
    add("two");
    end_all();
    check_str(content_of(named(".moved")), "one\n");
    check_str(content_of(path), "two\n");
}

static void a_file_that_cannot_be_reopened_is_reported_and_kept(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    assert_int_equal(rename(path, named(".moved")), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    torc_log_writer_reopen(writer);
    add("one");
    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    assert_true(was_said("cannot be opened anew"));
    check_str(content_of(named(".moved")), "one\n");
    assert_int_equal(rmdir(path), 0);
}

static void a_full_disk_loses_nothing_that_can_be_kept(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    torc_test_fail_calls(reactor, TORC_TEST_WRITE, 1, 3, ENOSPC);
    for (int i = 0; i < 3; i++) {
        add_many(100 * i, 100 * i + 100);
        torc_test_advance(reactor, 1000);
        torc_test_finish_jobs(reactor);
    }
    check_str(content_of(path), "");
    assert_true(was_said("a log cannot be written"));
    assert_true(was_said("no space is left"));
    assert_false(was_said("written again"));
    torc_test_advance(reactor, 1000);
    torc_test_finish_jobs(reactor);
    assert_int_equal(check_lines(content_of(path), 0), 300);
    assert_true(was_said("written again"));
    assert_int_equal(torc_log_writer_lost(writer), 0);
}

/* As when somebody removes a log to make room: it is there only once the file is closed. */
static void lines_of_a_full_disk_do_not_hold_up_a_reopening(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    torc_test_fail_calls(reactor, TORC_TEST_WRITE, 1, 2, ENOSPC);
    add_many(0, 100);
    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    assert_int_equal(rename(path, named(".moved")), 0);
    add_many(100, 200);
    torc_log_writer_reopen(writer);
    add_many(200, 300);
    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    assert_int_equal(check_lines(content_of(path), 0), 300);
    check_str(content_of(named(".moved")), "");
    assert_true(was_said("written again"));
    assert_int_equal(torc_log_writer_lost(writer), 0);
}

/* A log that cannot be made shorter, and of which two writes of 7 bytes are on the disk: so a part
 * of a line is, which cannot be taken back. */
static int open_sealed(void) {
    const int sealed = memfd_create("log", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    char target[32];

    assert_true(sealed >= 0);
    assert_int_equal(fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    snprintf(target, sizeof(target), "/proc/self/fd/%d", sealed);
    assert_int_equal(symlink(target, path), 0);
    open_writer(path, NULL, NULL);
    torc_test_limit_calls(reactor, TORC_TEST_WRITE, 7);
    torc_test_fail_calls(reactor, TORC_TEST_WRITE, 3, 1, ENOSPC);
    add_many(5, 100);
    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    return sealed;
}

/* A part of a line that cannot be taken back, as if another process had written behind it. */
static void what_an_old_file_lacks_is_not_put_into_the_new_one(void **state) {
    const int sealed = open_sealed();

    (void)state;
    assert_int_equal(lseek(sealed, 0, SEEK_END), 14);
    assert_int_equal(unlink(path), 0);
    torc_test_fail_calls(reactor, TORC_TEST_WRITE, 1, 1, ENOSPC); /* before a thread may write */
    torc_log_writer_reopen(writer);
    torc_test_finish_jobs(reactor);
    assert_int_equal(check_lines(content_of(path), 6), 94);
    close(sealed);
}

/* The end of a line that is owed is no part of the next one, which is taken back alone. */
static void a_line_is_taken_back_also_behind_a_line_end_that_was_owed(void **state) {
    const int sealed = open_sealed();
    const torc_str before = TORC_STR("other\n");

    (void)state;
    assert_int_equal(unlink(path), 0);
    const int other = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(other, before.bytes, before.len), before.len);
    close(other);
    torc_test_fail_calls(reactor, TORC_TEST_WRITE, 1, 2, ENOSPC); /* in the old and the new one */
    torc_log_writer_reopen(writer);
    torc_test_finish_jobs(reactor);
    check_str(content_of(path), "other\n");
    torc_test_fail_calls(reactor, TORC_TEST_WRITE, 4, 1, ENOSPC); /* in the midst of line 7 */
    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    check_str(content_of(path), "other\n\n6 ......\n");
    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    assert_int_equal(check_lines(torc_str_from(content_of(path), before.len + 1), 6), 94);
    close(sealed);
}

/* A real one: the file may grow no further, in the midst of a line. */
static void a_line_that_does_not_fit_is_taken_back_and_written_later(void **state) {
    struct rlimit old, small;

    (void)state;
    open_writer(path, NULL, NULL);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 1000;
    add_many(0, 100);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    const torc_str whole = content_of(path);
    assert_true(whole.len > 900 && whole.len < 1000);
    assert_int_equal(whole.bytes[whole.len - 1], '\n');
    assert_true(was_said("a log cannot be written"));
    torc_test_advance(reactor, 1000);
    torc_test_finish_jobs(reactor);
    assert_int_equal(check_lines(content_of(path), 0), 100);
}

static void short_writes_are_completed(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    torc_test_limit_calls(reactor, TORC_TEST_WRITE, 7);
    add_many(0, 500);
    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    assert_int_equal(check_lines(content_of(path), 0), 500);
}

static void an_interrupted_write_is_made_again(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    torc_test_fail_calls(reactor, TORC_TEST_WRITE, 1, 3, EINTR);
    add_many(0, 10);
    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    assert_int_equal(check_lines(content_of(path), 0), 10);
    assert_int_equal(said.len, 0);
}

static void what_cannot_be_kept_is_lost_and_counted_and_said_once(void **state) {
    const torc_log_writer_options options = {.size = sizeof(options), .kept_bytes = 128 * 1024};

    (void)state;
    open_writer(path, NULL, &options);
    torc_test_fail_calls(reactor, TORC_TEST_WRITE, 1, 1000000, ENOSPC);
    add_many(0, 10000);
    torc_test_advance(reactor, 5000);
    torc_test_finish_jobs(reactor);
    const uint64_t lost = torc_log_writer_lost(writer);
    assert_true(lost > 3000 && lost < 9000);
    /* It was tried as often as the timer said, and when a buffer was full. */
    assert_true(torc_test_call_count(reactor, TORC_TEST_WRITE) < 12);
    const torc_str all = torc_buf_str(&said), text = TORC_STR("lines of a log are lost");
    const ptrdiff_t first = torc_str_find(all, text);
    assert_true(first >= 0);
    assert_int_equal(torc_str_find(torc_str_from(all, (size_t)first + 1), text), -1);
    torc_test_fail_calls(reactor, TORC_TEST_WRITE, 0, 0, 0);
    torc_test_advance(reactor, 1000);
    torc_test_finish_jobs(reactor);
    assert_int_equal(check_lines(content_of(path), 0), 10000 - (int)lost);
    assert_true(was_said("written again"));
    const torc_metric *metric =
        torc_metrics_find(torc_reactor_metrics(reactor), TORC_STR("log_lines_lost"));
    assert_int_equal(torc_metric_value(metric), lost);
}

static void without_threads_lines_wait_for_one(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    torc_test_fail_calls(reactor, TORC_TEST_THREAD, 1, 2, EAGAIN);
    add("one");
    for (int i = 0; i < 3; i++) {
        check_str(content_of(path), "");
        torc_test_advance(reactor, 1000);
        torc_test_finish_jobs(reactor);
    }
    check_str(content_of(path), "one\n");
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    open_writer(path, NULL, NULL);
    torc_test_fail_uncounted(1);
    add("lost");
    assert_int_equal(torc_log_writer_lost(writer), 1);
    torc_log_writer *other = NULL;
    torc_test_fail_uncounted(1);
    check_err(torc_log_writer_new(reactor, file, NULL, &other), TORC_ERR_NO_MEMORY);
    add("one");
    end_all();
    check_str(content_of(path), "one\n");
}

static void a_line_that_is_too_long_is_lost(void **state) {
    static char line[TORC_LOG_LINE_MAX];

    (void)state;
    open_writer(path, NULL, NULL);
    memset(line, 'x', sizeof(line));
    for (int i = 0; i < 3; i++) torc_log_writer_add(writer, torc_str_make(line, sizeof(line) - 1));
    assert_int_equal(torc_log_writer_lost(writer), 0);
    assert_null(torc_log_writer_reserve(writer, 64 * 1024 + 1));
    assert_int_equal(torc_log_writer_lost(writer), 1);
    end_all();
    assert_int_equal(content_of(path).len, 3 * sizeof(line));
}

static void a_large_file_is_rotated_before_more_is_written(void **state) {
    const torc_log_file_options file_options = {.size = sizeof(file_options), .rotate_bytes = 1000};
    const torc_log_writer_options options = {.size = sizeof(options), .rotates = true};
    int number = 0;

    (void)state;
    open_writer(path, &file_options, &options);
    for (int i = 0; i < 3; i++) {
        add_many(100 * i, 100 * i + 100);
        torc_log_writer_flush(writer);
        torc_test_finish_jobs(reactor);
    }
    number += check_lines(content_of(named(".2")), number);
    number += check_lines(content_of(named(".1")), number);
    number += check_lines(content_of(path), number);
    assert_int_equal(number, 300);
}

static void a_pipe_that_is_full_loses_nothing_that_can_be_kept(void **state) {
    int fds[2];
    char name[32];
    static char bytes[1 << 20];
    size_t len = 0;

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fds[1]);
    open_writer(name, NULL, NULL);
    add_many(0, 5000); /* more than a pipe holds */
    for (int i = 0; i < 20; i++) {
        torc_test_advance(reactor, 1000);
        torc_test_finish_jobs(reactor);
        ssize_t count;
        while ((count = read(fds[0], bytes + len, sizeof(bytes) - len)) > 0) len += (size_t)count;
    }
    assert_int_equal(check_lines(torc_str_make(bytes, len), 0), 5000);
    assert_int_equal(said.len, 0);
    close(fds[0]);
    close(fds[1]);
}

static void a_pipe_without_reader_costs_lines_and_nothing_else(void **state) {
    int fds[2];
    char name[32];

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fds[1]);
    open_writer(name, NULL, NULL);
    close(fds[0]);
    close(fds[1]);
    add("one");
    torc_test_advance(reactor, 3000);
    torc_test_finish_jobs(reactor);
    assert_true(was_said("the peer is gone"));
    torc_log_writer_free(writer);
    torc_reactor_free(reactor);
    reactor = NULL;
    writer = NULL;
    assert_true(was_said("lines of a log are lost"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_written_after_a_second),
        TEST(many_lines_are_written_as_they_fill_a_buffer),
        TEST(what_is_left_is_written_at_the_end),
        TEST(a_writer_outlives_its_reactor),
        TEST(lines_of_before_a_reopening_go_to_the_old_file),
        TEST(a_file_is_reopened_without_a_line_to_write),
        TEST(a_reopening_is_done_even_at_the_end),
        TEST(a_file_that_cannot_be_reopened_is_reported_and_kept),
        TEST(a_full_disk_loses_nothing_that_can_be_kept),
        TEST(lines_of_a_full_disk_do_not_hold_up_a_reopening),
        TEST(what_an_old_file_lacks_is_not_put_into_the_new_one),
        TEST(a_line_is_taken_back_also_behind_a_line_end_that_was_owed),
        TEST(a_line_that_does_not_fit_is_taken_back_and_written_later),
        TEST(short_writes_are_completed),
        TEST(an_interrupted_write_is_made_again),
        TEST(what_cannot_be_kept_is_lost_and_counted_and_said_once),
        TEST(without_threads_lines_wait_for_one),
        TEST(every_allocation_may_fail),
        TEST(a_line_that_is_too_long_is_lost),
        TEST(a_large_file_is_rotated_before_more_is_written),
        TEST(a_pipe_that_is_full_loses_nothing_that_can_be_kept),
        TEST(a_pipe_without_reader_costs_lines_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
