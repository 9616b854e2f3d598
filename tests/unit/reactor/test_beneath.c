/* SPDX-License-Identifier: MIT */
/* Opening beneath a folder, by openat2() and without it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <torc/testing.h>
#include <unistd.h>

#include "check.h"
#include "kernel.h"
#include "reactor/beneath.h"

static torc_reactor *reactor;
static char top[] = "/tmp/torc-beneath-XXXXXX";
static int folder; /* "in", beneath the top */

static const char *const links[][2] = {
    {"in/inner", "file"}, {"in/outer", "../outside"}, {"in/root", "/etc"}, {"in/loop", "loop"}};

static void touch(const char *name) {
    const int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    close(fd);
}

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(top) || chdir(top) || mkdir("in", 0755) || mkdir("in/sub", 0755)) return -1;
    touch("outside");
    touch("in/file");
    touch("in/sub/file");
    for (size_t i = 0; i < TORC_COUNT_OF(links); i++)
        if (symlink(links[i][1], links[i][0])) return -1;
    folder = open("in", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    close(folder);
    for (size_t i = 0; i < TORC_COUNT_OF(links); i++) unlink(links[i][0]);
    unlink("outside");
    unlink("in/file");
    unlink("in/sub/file");
    return rmdir("in/sub") || rmdir("in") || chdir("/") || rmdir(top) ? -1 : 0;
}

static torc_err try_open(const char *path, torc_beneath_wait wait) {
    int fd = -1;
    const torc_err err = torc_beneath_open(reactor, folder, path, wait, &fd);

    assert_int_equal(fd >= 0, err == TORC_OK);
    if (fd >= 0) assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    if (fd >= 0) close(fd);
    return err;
}

/* Both ways must give the same, but for links, which only openat2() follows, where there is one. */
static void check_both(const char *path, torc_err err, torc_err err_by_steps) {
    check_err(try_open(path, TORC_BENEATH_MAY_BLOCK), kernel_has_openat2() ? err : err_by_steps);
    torc_test_fail_calls(reactor, TORC_TEST_OPEN, 1, 1, ENOSYS);
    check_err(try_open(path, TORC_BENEATH_MAY_BLOCK), err_by_steps);
    torc_test_fail_calls(reactor, TORC_TEST_OPEN, 0, 0, 0);
}

static void what_is_beneath_is_opened(void **state) {
    (void)state;
    check_both("file", TORC_OK, TORC_OK);
    check_both("./file", TORC_OK, TORC_OK);
    check_both("./sub/file", TORC_OK, TORC_OK);
    check_both("sub", TORC_OK, TORC_OK);
    check_both(".", TORC_OK, TORC_OK);
    check_both("none", TORC_ERR_NOT_FOUND, TORC_ERR_NOT_FOUND);
    check_both("file/x", TORC_ERR_NOT_DIRECTORY, TORC_ERR_NOT_DIRECTORY);
}

static void what_leads_outside_is_not_found(void **state) {
    (void)state;
    check_both("../outside", TORC_ERR_NOT_FOUND, TORC_ERR_NOT_FOUND);
    check_both("sub/../../outside", TORC_ERR_NOT_FOUND, TORC_ERR_NOT_FOUND);
    check_both("/etc/passwd", TORC_ERR_NOT_FOUND, TORC_ERR_NOT_FOUND);
    check_both("outer", TORC_ERR_NOT_FOUND, TORC_ERR_NOT_FOUND);
    check_both("root/passwd", TORC_ERR_NOT_FOUND, TORC_ERR_NOT_DIRECTORY);
    check_both("loop", TORC_ERR_NOT_FOUND, TORC_ERR_NOT_FOUND);
}

static void links_are_followed_where_the_kernel_holds_them(void **state) {
    (void)state;
    check_both("inner", TORC_OK, TORC_ERR_NOT_FOUND);
}

static void names_have_a_maximum(void **state) {
    char name[400];

    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    check_both(name, TORC_ERR_NOT_FOUND, TORC_ERR_NOT_FOUND);
}

static void a_filter_that_forbids_openat2_is_gone_around(void **state) {
    static const int numbers[] = {ENOSYS, EPERM, EINVAL, E2BIG};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(numbers); i++) {
        torc_test_fail_calls(reactor, TORC_TEST_OPEN, 1, 1, numbers[i]);
        check_ok(try_open("sub/file", TORC_BENEATH_MAY_BLOCK));
        assert_int_equal(torc_test_call_count(reactor, TORC_TEST_OPEN), 3);
    }
}

static void a_rename_in_between_is_tried_again_for_a_while(void **state) {
    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_OPEN, 1, 3, EAGAIN);
    check_ok(try_open("file", TORC_BENEATH_MAY_BLOCK));
    assert_int_equal(torc_test_call_count(reactor, TORC_TEST_OPEN), kernel_has_openat2() ? 4 : 5);
    torc_test_fail_calls(reactor, TORC_TEST_OPEN, 1, 1000, EAGAIN);
    check_err(try_open("file", TORC_BENEATH_MAY_BLOCK), TORC_ERR_NOT_FOUND);
}

static void the_quick_form_does_not_wait(void **state) {
    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_OPEN, 1, 1, EAGAIN);
    check_err(try_open("file", TORC_BENEATH_QUICK), TORC_ERR_AGAIN);
    torc_test_fail_calls(reactor, TORC_TEST_OPEN, 1, 1, EINVAL); /* a kernel before 5.12 */
    check_err(try_open("file", TORC_BENEATH_QUICK), TORC_ERR_AGAIN);
    torc_test_fail_calls(reactor, TORC_TEST_OPEN, 1, 1, EACCES);
    check_err(try_open("file", TORC_BENEATH_QUICK), TORC_ERR_PERMISSION);
}

static void each_step_may_fail(void **state) {
    (void)state;
    for (uint64_t n = 2; n <= 3; n++) {
        int fd = -1;
        torc_test_fail_calls(reactor, TORC_TEST_OPEN, 1, n, ENOSYS);
        check_err(torc_beneath_open(reactor, folder, "sub/file", TORC_BENEATH_MAY_BLOCK, &fd),
                  TORC_ERR_UNSUPPORTED);
        assert_int_equal(fd, -1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_beneath_is_opened),
        cmocka_unit_test(what_leads_outside_is_not_found),
        cmocka_unit_test(links_are_followed_where_the_kernel_holds_them),
        cmocka_unit_test(names_have_a_maximum),
        cmocka_unit_test(a_filter_that_forbids_openat2_is_gone_around),
        cmocka_unit_test(a_rename_in_between_is_tried_again_for_a_while),
        cmocka_unit_test(the_quick_form_does_not_wait),
        cmocka_unit_test(each_step_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
