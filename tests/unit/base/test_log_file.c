/* SPDX-License-Identifier: MIT */
/*
 * Files that lines are appended to: opening, opening anew, rotation.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <torc/log_file.h>
#include <unistd.h>

#include "check.h"

static char folder[64], path[96];
static torc_log_file *file;

static int set_up(void **state) {
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/torc-log-file-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/a.log", folder);
    return 0;
}

static const char *named(const char *ending) {
    static char name[128];
    snprintf(name, sizeof(name), "%s%s", path, ending);
    return name;
}

static int tear_down(void **state) {
    static const char *const endings[] = {"", ".1", ".2", ".3", ".moved"};

    (void)state;
    torc_log_file_close(file);
    file = NULL;
    for (size_t i = 0; i < TORC_COUNT_OF(endings); i++) unlink(named(endings[i]));
    return rmdir(folder);
}

static torc_str content_of(const char *name) {
    static char bytes[4096];
    const int fd = open(name, O_RDONLY);
    ssize_t len;

    if (fd < 0) return TORC_STR("(none)");
    len = read(fd, bytes, sizeof(bytes));
    close(fd);
    return torc_str_make(bytes, (size_t)len);
}

static void write_text(const char *text) {
    const size_t len = strlen(text);
    assert_int_equal(write(torc_log_file_fd(file), text, len), len);
}

static void a_file_is_made_with_the_rights_of_a_log_and_appended_to(void **state) {
    struct stat status;

    check_ok(torc_log_file_open(path, NULL, &file));
    assert_string_equal(torc_log_file_path(file), path);
    write_text("one\n");
    torc_log_file_close(file);
    check_ok(torc_log_file_open(path, NULL, &file));
    write_text("two\n");
    check_str(content_of(path), "one\ntwo\n");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_true(fcntl(torc_log_file_fd(file), F_GETFD) & FD_CLOEXEC);
}

static void what_cannot_be_opened_is_told_why(void **state) {
    check_err(torc_log_file_open("/nowhere/at/all.log", NULL, &file), TORC_ERR_NOT_FOUND);
    check_err(torc_log_file_open("/tmp/", NULL, &file), TORC_ERR_IS_DIRECTORY);
    check_err(torc_log_file_open("/tmp", NULL, &file), TORC_ERR_IS_DIRECTORY);
    check_err(torc_log_file_open("/proc/version/x", NULL, &file), TORC_ERR_NOT_DIRECTORY);
    assert_null(file);
}

/* The descriptor's number stays, so who writes to it need not know. */
static void a_file_that_was_moved_is_made_anew_under_the_same_descriptor(void **state) {
    check_ok(torc_log_file_open(path, NULL, &file));
    const int fd = torc_log_file_fd(file);
    write_text("one\n");
    assert_int_equal(rename(path, named(".moved")), 0);
    write_text("two\n");
    check_ok(torc_log_file_reopen(file));
    assert_int_equal(torc_log_file_fd(file), fd);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    write_text("three\n");
    check_str(content_of(named(".moved")), "one\ntwo\n");
    check_str(content_of(path), "three\n");
}

static void a_file_is_found_again_from_another_folder(void **state) {
    const int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    assert_int_equal(chdir(folder), 0);
    check_ok(torc_log_file_open("a.log", NULL, &file));
    assert_int_equal(fchdir(here), 0);
    close(here);
    assert_int_equal(rename(path, named(".moved")), 0);
    check_ok(torc_log_file_reopen(file));
    assert_int_equal(access(path, F_OK), 0);
}

static void a_file_that_cannot_be_made_anew_stays_as_it_is(void **state) {
    check_ok(torc_log_file_open(path, NULL, &file));
    assert_int_equal(rename(path, named(".moved")), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    check_err(torc_log_file_reopen(file), TORC_ERR_IS_DIRECTORY);
    write_text("one\n");
    check_str(content_of(named(".moved")), "one\n");
    assert_int_equal(rmdir(path), 0);
}

static void the_owner_may_be_set_to_who_it_is(void **state) {
    struct stat status;

    check_ok(torc_log_file_open(path, NULL, &file));
    check_ok(torc_log_file_set_owner(file, getuid(), getgid()));
    assert_int_equal(rename(path, named(".moved")), 0);
    check_ok(torc_log_file_reopen(file));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, getuid());
}

static void root_gives_files_that_are_made_anew_to_the_owner(void **state) {
    struct stat status;

    if (getuid() != 0) skip_test("needs root");
    check_ok(torc_log_file_open(path, NULL, &file));
    check_ok(torc_log_file_set_owner(file, 65534, (gid_t)-1));
    assert_int_equal(rename(path, named(".moved")), 0);
    check_ok(torc_log_file_reopen(file));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, 65534);
    assert_int_equal(stat(named(".moved"), &status), 0);
    assert_int_equal(status.st_uid, 65534);
}

/* The user as whom a server serves may write to the folder of its logs. */
static void root_is_not_led_to_other_files(void **state) {
    struct stat status;

    if (getuid() != 0) skip_test("needs root");
    check_ok(torc_log_file_open(named(".moved"), NULL, &file));
    torc_log_file_close(file);
    file = NULL;
    assert_int_equal(symlink("a.log.moved", path), 0);
    assert_int_equal(lchown(path, 65534, 65534), 0);
    assert_int_equal(torc_log_file_open(path, NULL, &file), TORC_ERR_PERMISSION);
    assert_int_equal(unlink(path), 0);

    assert_int_equal(link(named(".moved"), path), 0);
    check_ok(torc_log_file_open(path, NULL, &file));
    check_ok(torc_log_file_set_owner(file, 65534, 65534));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, 0);
}

static void links_of_ones_own_are_followed(void **state) {
    char text[64];
    int ends[2];

    assert_int_equal(symlink("a.log.moved", path), 0);
    check_ok(torc_log_file_open(path, NULL, &file));
    write_text("one\n");
    check_str(content_of(named(".moved")), "one\n");
    torc_log_file_close(file);
    file = NULL;

    assert_int_equal(pipe(ends), 0); /* as a shell passes one: >(program) */
    snprintf(text, sizeof(text), "/dev/fd/%d", ends[1]);
    check_ok(torc_log_file_open(text, NULL, &file));
    write_text("two\n");
    assert_int_equal(read(ends[0], text, sizeof(text)), 4);
    close(ends[0]);
    close(ends[1]);
}

static void a_file_is_rotated_when_it_is_large(void **state) {
    const torc_log_file_options options = {.size = sizeof(options), .rotate_bytes = 4, .keep = 2};
    bool rotated = true;

    check_ok(torc_log_file_open(path, &options, &file));
    check_ok(torc_log_file_rotate_if_due(file, &rotated));
    assert_false(rotated);
    for (int i = 1; i <= 4; i++) {
        char line[8];
        snprintf(line, sizeof(line), "no %d\n", i);
        write_text(line);
        check_ok(torc_log_file_rotate_if_due(file, &rotated));
        assert_true(rotated);
    }
    check_str(content_of(path), "");
    check_str(content_of(named(".1")), "no 4\n");
    check_str(content_of(named(".2")), "no 3\n");
    check_str(content_of(named(".3")), "(none)");
}

static void a_file_of_an_earlier_day_is_rotated(void **state) {
    const torc_log_file_options options = {.size = sizeof(options), .rotate_seconds = 86400};
    const struct timespec old[2] = {{.tv_sec = time(NULL) - 86400}, {.tv_sec = time(NULL) - 86400}};
    bool rotated;

    check_ok(torc_log_file_open(path, &options, &file));
    write_text("old\n");
    check_ok(torc_log_file_rotate_if_due(file, &rotated));
    assert_false(rotated);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    torc_log_file_close(file);
    check_ok(torc_log_file_open(path, &options, &file));
    check_ok(torc_log_file_rotate_if_due(file, &rotated));
    assert_true(rotated);
    check_str(content_of(named(".1")), "old\n");
    check_ok(torc_log_file_rotate_if_due(file, &rotated));
    assert_false(rotated);
}

static void set_time(const char *name, time_t seconds) {
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

/* Written to on this week's Monday, or on the Sunday before it. */
static void weeks_begin_on_mondays(void **state) {
    const torc_log_file_options options = {.size = sizeof(options), .rotate_seconds = 7 * 86400};
    const time_t now = time(NULL);
    struct tm tm;
    bool rotated;

    localtime_r(&now, &tm);
    const time_t monday =
        now - ((tm.tm_wday + 6) % 7 * 86400 + tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
    check_ok(torc_log_file_open(path, &options, &file));
    write_text("one\n");
    torc_log_file_close(file);
    set_time(path, monday + 7200 < now ? monday + 7200 : now);
    check_ok(torc_log_file_open(path, &options, &file));
    check_ok(torc_log_file_rotate_if_due(file, &rotated));
    assert_false(rotated);
    torc_log_file_close(file);
    set_time(path, monday - 7200); /* more than a change of the clocks */
    check_ok(torc_log_file_open(path, &options, &file));
    check_ok(torc_log_file_rotate_if_due(file, &rotated));
    assert_true(rotated);
}

/* Somebody else was faster: what was moved is not moved again, however large it is. */
static void a_file_that_was_moved_already_is_only_made_anew(void **state) {
    const torc_log_file_options options = {.size = sizeof(options), .rotate_bytes = 1};
    bool rotated;

    check_ok(torc_log_file_open(path, &options, &file));
    write_text("one\n");
    assert_int_equal(rename(path, named(".1")), 0);
    check_ok(torc_log_file_rotate_if_due(file, &rotated));
    assert_true(rotated);
    check_str(content_of(named(".1")), "one\n");
    check_str(content_of(named(".2")), "(none)");
    check_str(content_of(path), "");
}

static void a_pipe_by_name_is_not_waited_for(void **state) {
    const torc_log_file_options options = {.size = sizeof(options), .rotate_bytes = 1};
    bool rotated;

    assert_int_equal(mkfifo(path, 0600), 0);
    check_err(torc_log_file_open(path, NULL, &file), TORC_ERR_REFUSED);
    const int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    check_ok(torc_log_file_open(path, &options, &file));
    write_text("one\n");
    check_ok(torc_log_file_reopen(file));
    check_ok(torc_log_file_rotate_if_due(file, &rotated));
    assert_false(rotated);
    check_ok(torc_log_file_set_owner(file, 1, 1));
    char bytes[8];
    assert_int_equal(read(reader, bytes, sizeof(bytes)), 4);
    close(reader);
}

/* The standard error, which is whatever the test gives it: its description stays as it was. */
static void a_standard_stream_is_taken_as_it_is(void **state) {
    const int saved = dup(STDERR_FILENO);
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
    const torc_err err = torc_log_file_open("+", NULL, &file);
    const int flags = fcntl(STDERR_FILENO, F_GETFL);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    close(saved);
    check_ok(err);
    assert_false(flags & O_NONBLOCK);
    assert_true(fcntl(torc_log_file_fd(file), F_GETFL) & O_NONBLOCK);
    write_text("one\n");
    char bytes[8];
    assert_int_equal(read(fds[0], bytes, sizeof(bytes)), 4);
    check_ok(torc_log_file_reopen(file));
    close(fds[0]);
    close(fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_made_with_the_rights_of_a_log_and_appended_to),
        TEST(what_cannot_be_opened_is_told_why),
        TEST(a_file_that_was_moved_is_made_anew_under_the_same_descriptor),
        TEST(a_file_is_found_again_from_another_folder),
        TEST(a_file_that_cannot_be_made_anew_stays_as_it_is),
        TEST(the_owner_may_be_set_to_who_it_is),
        TEST(root_gives_files_that_are_made_anew_to_the_owner),
        TEST(root_is_not_led_to_other_files),
        TEST(links_of_ones_own_are_followed),
        TEST(a_file_is_rotated_when_it_is_large),
        TEST(a_file_of_an_earlier_day_is_rotated),
        TEST(weeks_begin_on_mondays),
        TEST(a_file_that_was_moved_already_is_only_made_anew),
        TEST(a_pipe_by_name_is_not_waited_for),
        TEST(a_standard_stream_is_taken_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
