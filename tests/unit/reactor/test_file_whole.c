/* SPDX-License-Identifier: MIT */
/* Whole files: read, and replaced at once. */
#include "file_world.h"

#include <errno.h>

/* ---- reading ---- */

static torc_err read_on_fiber(void *context) {
    torc_file_result *result;

    (void)context;
    check_ok(torc_file_read_whole(reactor, at("file"), 5, &result));
    check_str(result->bytes, "12345");
    assert_int_equal(result->bytes.bytes[5], 0);
    assert_int_equal(result->stat.size, 5);
    torc_file_result_free(result);
    check_err(torc_file_read_whole(reactor, at("file"), 4, &result), TORC_ERR_TOO_LARGE);
    check_ok(torc_file_read_whole(reactor, at("empty"), 0, &result));
    assert_int_equal(result->bytes.len, 0);
    torc_file_result_free(result);
    check_err(torc_file_read_whole(reactor, at("none"), 4, &result), TORC_ERR_NOT_FOUND);
    check_err(torc_file_read_whole(reactor, folder, 4, &result), TORC_ERR_IS_DIRECTORY);
    check_err(torc_file_read_whole(reactor, at("pipe"), 4, &result), TORC_ERR_UNSUPPORTED);
    check_err(torc_file_read_whole(reactor, "/dev/zero", 4, &result), TORC_ERR_UNSUPPORTED);
    return TORC_OK;
}

static void a_file_is_read_whole(void **state) {
    void *value;

    (void)state;
    put("file", "12345");
    put("empty", "");
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    on_fiber(read_on_fiber, NULL);
    check_ok(wait_for(torc_file_defer_read_whole(reactor, at("file"), 100), &value));
    check_str(((torc_file_result *)value)->bytes, "12345");
    torc_file_result_free(value);
    drop("file");
    drop("empty");
    drop("pipe");
}

/* It says that its size is 0, and is longer than the first room for it. */
static void what_does_not_know_its_size_is_read_to_its_end(void **state) {
    void *value;

    (void)state;
    check_ok(wait_for(torc_file_defer_read_whole(reactor, "/proc/self/status", 100000), &value));
    torc_file_result *result = value;
    assert_true(result->bytes.len > 512);
    assert_int_equal(result->stat.size, 0);
    assert_true(torc_str_starts_with(result->bytes, TORC_STR("Name:")));
    torc_file_result_free(result);
    check_err(wait_for(torc_file_defer_read_whole(reactor, "/proc/self/status", 600), NULL),
              TORC_ERR_TOO_LARGE);
    check_err(wait_for(torc_file_defer_read_whole(reactor, "/proc/self/status", 0), NULL),
              TORC_ERR_TOO_LARGE);
}

static void each_call_of_reading_may_fail(void **state) {
    static const torc_test_call calls[] = {TORC_TEST_OPEN, TORC_TEST_STAT, TORC_TEST_READ};

    (void)state;
    put("file", "12345");
    for (size_t i = 0; i < TORC_COUNT_OF(calls); i++) {
        torc_test_fail_calls(reactor, calls[i], 1, 1, EACCES);
        check_err(wait_for(torc_file_defer_read_whole(reactor, at("file"), 100), NULL),
                  TORC_ERR_PERMISSION);
    }
    torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, EINTR);
    void *value;
    check_ok(wait_for(torc_file_defer_read_whole(reactor, at("file"), 100), &value));
    torc_file_result_free(value);
    torc_test_fail_calls(reactor, TORC_TEST_READ, 0, 0, 0);
    torc_test_limit_calls(reactor, TORC_TEST_READ, 2); /* in pieces */
    check_ok(wait_for(torc_file_defer_read_whole(reactor, at("file"), 100), &value));
    check_str(((torc_file_result *)value)->bytes, "12345");
    torc_file_result_free(value);
    drop("file");
}

/* ---- replacing ---- */

static torc_err replace_on_fiber(void *context) {
    (void)context;
    check_ok(torc_file_replace(reactor, at("new"), TORC_STR("first"), 0666));
    check_ok(torc_file_replace(reactor, at("old"), TORC_STR("second"), 0666));
    check_ok(torc_file_replace(reactor, at("link"), TORC_STR("third"), 0666));
    check_ok(torc_file_replace(reactor, at("empty"), TORC_STR(""), 0666));
    check_err(torc_file_replace(reactor, folder, TORC_STR("x"), 0666), TORC_ERR_IS_DIRECTORY);
    check_err(torc_file_replace(reactor, at("pipe"), TORC_STR("x"), 0666), TORC_ERR_UNSUPPORTED);
    check_err(torc_file_replace(reactor, at("no/file"), TORC_STR("x"), 0666), TORC_ERR_NOT_FOUND);
    return TORC_OK;
}

static void a_file_is_replaced(void **state) {
    const mode_t mask = umask(027);
    struct stat status, before;

    (void)state;
    put("old", "before");
    put("target", "before");
    assert_int_equal(chmod(at("old"), 0741), 0);
    assert_int_equal(symlink("target", at("link")), 0);
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    assert_int_equal(stat(at("old"), &before), 0);
    on_fiber(replace_on_fiber, NULL);
    umask(mask);
    check_content("new", "first");
    check_content("old", "second");
    check_content("target", "third");
    check_content("empty", "");
    assert_int_equal(stat(at("new"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(stat(at("old"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0741);
    assert_int_not_equal(status.st_ino, before.st_ino);
    assert_int_equal(lstat(at("link"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    drop("new");
    drop("old");
    drop("target");
    drop("link");
    drop("empty");
    drop("pipe");
}

/* A name without a folder is one of the working folder. */
static void a_file_of_the_working_folder_is_replaced(void **state) {
    char before[512];

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(folder), 0);
    check_ok(wait_for(torc_file_defer_replace(reactor, "file", TORC_STR("x"), 0600), NULL));
    assert_int_equal(chdir(before), 0);
    check_content("file", "x");
    drop("file");
}

/* Who opened the old one before goes on reading it. */
static void the_old_content_stays_with_who_has_it(void **state) {
    char bytes[8] = "";
    int fd;

    (void)state;
    put("file", "before");
    fd = open(at("file"), O_RDONLY | O_CLOEXEC);
    check_ok(wait_for(torc_file_defer_replace(reactor, at("file"), TORC_STR("after"), 0), NULL));
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 6);
    assert_string_equal(bytes, "before");
    close(fd);
    check_content("file", "after");
    drop("file");
}

/* The old file is there after each failure, and nothing beside it: the folder is removed at the
 * end. */
static void each_call_of_replacing_may_fail(void **state) {
    static const struct {
        torc_test_call call;
        uint64_t n;
        const char *content;
    } cases[] = {
        {TORC_TEST_STAT, 1, "before"},   {TORC_TEST_OPEN, 1, "before"},
        {TORC_TEST_WRITE, 1, "before"},  {TORC_TEST_WRITE, 2, "before"}, /* written, not synced */
        {TORC_TEST_RENAME, 1, "before"}, {TORC_TEST_OPEN, 2, "after"},   /* the folder's */
        {TORC_TEST_WRITE, 3, "after"},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        put("file", "before");
        torc_test_fail_calls(reactor, cases[i].call, cases[i].n, 1, ENOSPC);
        check_err(
            wait_for(torc_file_defer_replace(reactor, at("file"), TORC_STR("after"), 0), NULL),
            TORC_ERR_NO_SPACE);
        torc_test_fail_calls(reactor, cases[i].call, 0, 0, 0);
        check_content("file", cases[i].content);
    }
    torc_test_limit_calls(reactor, TORC_TEST_WRITE, 2);
    check_ok(
        wait_for(torc_file_defer_replace(reactor, at("file"), TORC_STR("in pieces"), 0), NULL));
    check_content("file", "in pieces");
    drop("file");
}

static void a_full_disk_leaves_the_old_content(void **state) {
    (void)state;
    put("file", "before");
    torc_test_limit_calls(reactor, TORC_TEST_WRITE, 3);
    torc_test_fail_calls(reactor, TORC_TEST_WRITE, 2, 1, ENOSPC); /* after some bytes */
    check_err(
        wait_for(torc_file_defer_replace(reactor, at("file"), TORC_STR("afterwards"), 0), NULL),
        TORC_ERR_NO_SPACE);
    check_content("file", "before");
    drop("file");
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    put("file", "before");
    for (int form = 0; form < 2; form++) {
        for (uint64_t n = 1;; n++) {
            waited self = {.is_told = false};
            torc_test_fail_allocation(reactor, n);
            torc_deferred_then(
                form ? torc_file_defer_read_whole(reactor, at("file"), 100)
                     : torc_file_defer_replace(reactor, at("file"), TORC_STR("before"), 0),
                &self.callback, waited_fired);
            torc_test_finish_jobs(reactor);
            torc_test_settle(reactor);
            const bool failed = torc_test_allocation_failed(reactor);
            torc_test_fail_allocation(reactor, 0);
            check_err(self.err, failed ? TORC_ERR_NO_MEMORY : TORC_OK);
            torc_file_result_free(self.value);
            if (!failed) break;
            assert_true(n < 20);
        }
    }
    check_content("file", "before");
    drop("file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_file_is_read_whole),
        FILE_TEST(what_does_not_know_its_size_is_read_to_its_end),
        FILE_TEST(each_call_of_reading_may_fail),
        FILE_TEST(a_file_is_replaced),
        FILE_TEST(a_file_of_the_working_folder_is_replaced),
        FILE_TEST(the_old_content_stays_with_who_has_it),
        FILE_TEST(each_call_of_replacing_may_fail),
        FILE_TEST(a_full_disk_leaves_the_old_content),
        FILE_TEST(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
