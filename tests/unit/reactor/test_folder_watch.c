/* SPDX-License-Identifier: MIT */
/* Watching folders for changes. */
#include "reactor/folder_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <torc/testing.h>
#include <unistd.h>

#include "check.h"

typedef struct told {
    torc_folder_watch watch;
    torc_folder_watch *stops; /* when it is told */
    unsigned count;
    bool gone;
    char name[256];
} told;

static char folder[] = "/tmp/torc-watch-XXXXXX";
static int fd;

static int set_up(void **state) {
    torc_reactor *reactor;

    memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
    if (!mkdtemp(folder) || torc_test_reactor_new(NULL, &reactor)) return -1;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = reactor;
    return fd < 0 ? -1 : 0;
}

static int tear_down(void **state) {
    torc_reactor_free(*state);
    close(fd);
    rmdir(folder);
    return 0;
}

static void changed(torc_folder_watch *watch, torc_str name, bool gone) {
    told *self = torc_container_of(watch, told, watch);

    self->count++;
    self->gone = gone;
    snprintf(self->name, sizeof(self->name), "%.*s", TORC_STR_ARGS(name));
    if (self->stops) torc_folder_watch_stop(self->stops);
}

static void start(torc_reactor *reactor, told *self) {
    assert_int_equal(torc_folder_watch_start(&self->watch, reactor, fd, changed), TORC_OK);
}

static void touch(const char *name) {
    const int made = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    assert_true(made >= 0);
    close(made);
    assert_int_equal(unlinkat(fd, name, 0), 0);
}

static void what_has_changed_is_told_by_name(void **state) {
    told self = {.count = 0};

    start(*state, &self);
    torc_test_settle(*state);
    assert_int_equal(self.count, 0);
    touch("name");
    assert_int_equal(self.count, 0);
    torc_test_settle(*state);
    assert_int_equal(self.count, 2); /* made and removed */
    assert_string_equal(self.name, "name");
    assert_false(self.gone);
    assert_int_equal(fchmod(fd, 0700), 0);
    torc_test_settle(*state);
    assert_string_equal(self.name, "");
    torc_folder_watch_stop(&self.watch);
    torc_folder_watch_stop(&self.watch);
}

static void a_stopped_watch_is_not_told(void **state) {
    told self = {.count = 0};

    start(*state, &self);
    touch("name");
    torc_folder_watch_stop(&self.watch);
    torc_test_settle(*state);
    assert_int_equal(self.count, 0);
}

static void several_may_watch_and_stop_each_other(void **state) {
    told one = {.count = 0}, two = {.count = 0}, three = {.count = 0};

    start(*state, &one);
    start(*state, &two);
    start(*state, &three);
    one.stops = &two.watch;
    three.stops = &three.watch;
    touch("name");
    torc_test_settle(*state);
    assert_int_equal(one.count, 2);
    assert_int_equal(two.count, 0);
    assert_int_equal(three.count, 1);
    one.stops = &one.watch;
    touch("name");
    torc_test_settle(*state);
    assert_int_equal(one.count, 3);
    start(*state, &one);
    torc_folder_watch_stop(&one.watch);
}

static void a_folder_that_goes_is_told_last(void **state) {
    told self = {.count = 0};

    start(*state, &self);
    assert_int_equal(rmdir(folder), 0);
    close(fd); /* the last that holds it */
    torc_test_settle(*state);
    assert_true(self.gone);
    assert_null(self.watch.watched);
    torc_folder_watch_stop(&self.watch);
    fd = open("/", O_RDONLY | O_CLOEXEC);
}

static void too_many_changes_are_told_to_all(void **state) {
    told self = {.count = 0};

    start(*state, &self);
    for (int i = 0; i < 9000; i++) touch(i % 2 ? "one" : "two"); /* three events each */
    torc_test_settle(*state);
    assert_string_equal(self.name, "");
    assert_true(self.count > 9000);
    torc_folder_watch_stop(&self.watch);
}

static void what_the_kernel_refuses_is_told(void **state) {
    told self = {.count = 0};

    for (uint64_t n = 1; n <= 2; n++) {
        torc_test_fail_calls(*state, TORC_TEST_WATCH, n, 1, ENOSPC);
        assert_int_equal(torc_folder_watch_start(&self.watch, *state, fd, changed),
                         TORC_ERR_NO_SPACE);
    }
    torc_test_fail_calls(*state, TORC_TEST_WATCH, 0, 0, 0);
    start(*state, &self);
    torc_folder_watch_stop(&self.watch);
}

static void each_allocation_may_fail(void **state) {
    told self = {.count = 0};
    uint64_t n = 1;

    for (;; n++) {
        torc_test_fail_allocation(*state, n);
        const torc_err err = torc_folder_watch_start(&self.watch, *state, fd, changed);
        if (!torc_test_allocation_failed(*state)) break;
        assert_int_equal(err, TORC_ERR_NO_MEMORY);
        assert_null(self.watch.watched);
    }
    torc_test_fail_allocation(*state, 0);
    assert_true(n > 2);
    touch("name");
    torc_test_settle(*state);
    assert_int_equal(self.count, 2);
    torc_folder_watch_stop(&self.watch);
}

#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WATCH_TEST(what_has_changed_is_told_by_name),
        WATCH_TEST(a_stopped_watch_is_not_told),
        WATCH_TEST(several_may_watch_and_stop_each_other),
        WATCH_TEST(a_folder_that_goes_is_told_last),
        WATCH_TEST(too_many_changes_are_told_to_all),
        WATCH_TEST(what_the_kernel_refuses_is_told),
        WATCH_TEST(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
