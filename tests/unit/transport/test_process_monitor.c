/* SPDX-License-Identifier: MIT */
/*
 * Children that are kept running. The test's clock decides how long they ran.
 */
#include <signal.h>
#include <torc/log.h>
#include <torc/process_monitor.h>

#include "children.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static torc_process_monitor *monitor;
static int fds_before;
static torc_buf logged;
static torc_log *log_;
static torc_callback callback;
static int fires;
static torc_err told;

static int set_up(void **state) {
    torc_reactor_options options = {.size = sizeof(options)};

    (void)state;
    fires = 0;
    fds_before = open_fd_count();
    torc_buf_init(&logged, NULL, TORC_MEMORY_OTHER, 1 << 20);
    if (torc_log_new_buf(NULL, &logged, TORC_LOG_FORMAT_TEXT, &log_)) return -1;
    options.log = log_;
    if (torc_test_reactor_new(&options, &reactor)) return -1;
    return torc_process_monitor_new(reactor, NULL, &monitor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_process_monitor_free(monitor);
    torc_reactor_free(reactor);
    torc_log_free(log_);
    torc_buf_dispose(&logged);
    check_no_children();
    return open_fd_count() != fds_before;
}

static void fired(torc_callback *of, torc_err err, void *value) {
    assert_ptr_equal(of, &callback);
    assert_null(value);
    fires++;
    told = err;
}

static torc_err add(const char *name, const char *text) {
    char copied[256]; /* all is copied: what was given may change */
    const char *arguments[] = {"-c", copied, NULL};
    const torc_spawn_options spawn = {
        .size = sizeof(spawn), .program = "/bin/sh", .arguments = arguments, .grace_ms = 2000};

    strcpy(copied, text);
    const torc_err err = torc_process_monitor_add(monitor, name, &spawn);
    memset(copied, 'x', sizeof(copied));
    return err;
}

static void start(void) {
    torc_deferred_then(torc_process_monitor_start(monitor), &callback, fired);
    torc_test_settle(reactor);
    assert_int_equal(fires, 1);
    check_ok(told);
}

static void stop(void) {
    fires = 0;
    torc_deferred_then(torc_process_monitor_stop(monitor), &callback, fired);
    until(reactor, fires);
    check_ok(told);
    check_no_children();
}

static bool has_logged(const char *text) {
    return torc_str_find(torc_buf_str(&logged), torc_str_of(text)) >= 0;
}

static int pid(const char *name) {
    return torc_process_monitor_pid(monitor, name);
}

static void children_run_from_start_to_stop(void **state) {
    (void)state;
    check_ok(add("one", "exec sleep 1000"));
    check_ok(add("two", "exec sleep 1000"));
    check_err(add("one", "true"), TORC_ERR_EXISTS);
    assert_int_equal(pid("one"), 0);
    start();
    assert_true(pid("one") > 1);
    assert_true(pid("two") > 1 && pid("two") != pid("one"));
    check_ok(add("three", "exec sleep 1000"));
    assert_true(pid("three") > 1);
    fires = 0;
    torc_deferred_then(torc_process_monitor_start(monitor), &callback, fired);
    until(reactor, fires);
    check_err(told, TORC_ERR_STATE);
    stop();
    assert_int_equal(pid("one"), 0);
    fires = 0;
    torc_deferred_then(torc_process_monitor_stop(monitor), &callback, fired);
    until(reactor, fires);
    check_err(told, TORC_ERR_STATE);
    fires = 0;
    start();
    assert_true(pid("one") > 1);
    stop();
}

static void one_that_ran_long_is_started_at_once(void **state) {
    (void)state;
    check_ok(add("one", "exec sleep 1000"));
    start();
    const int before = pid("one");
    torc_test_advance(reactor, 1000);
    kill(before, SIGKILL);
    until(reactor, pid("one") && pid("one") != before);
    assert_int_equal(torc_process_monitor_restarts(monitor), 1);
    assert_true(has_logged("signal=9"));
    stop();
}

/* The delay doubles, and is the least again after a long run. */
static void one_that_ends_at_once_waits(void **state) {
    uint64_t delay_ms = 1000;

    (void)state;
    check_ok(add("one", "exec sleep 1000"));
    start();
    for (int i = 0; i < 4; i++, delay_ms *= 2) {
        kill(pid("one"), SIGKILL);
        until(reactor, !pid("one"));
        torc_test_advance(reactor, delay_ms - 1);
        assert_int_equal(pid("one"), 0);
        torc_test_advance(reactor, 1);
        assert_true(pid("one") > 1);
    }
    torc_test_advance(reactor, 5000);
    const int before = pid("one");
    kill(before, SIGKILL);
    until(reactor, pid("one") && pid("one") != before);
    kill(pid("one"), SIGKILL);
    until(reactor, !pid("one"));
    torc_test_advance(reactor, 1000);
    assert_true(pid("one") > 1);
    stop();
}

static void one_that_cannot_be_started_waits_too(void **state) {
    const torc_spawn_options spawn = {.size = sizeof(spawn), .program = "torc-no-such"};

    (void)state;
    check_ok(torc_process_monitor_add(monitor, "none", &spawn));
    start();
    assert_true(has_logged("why=\"no such program: torc-no-such\""));
    torc_test_advance(reactor, 999);
    assert_int_equal(torc_process_monitor_restarts(monitor), 0);
    torc_test_advance(reactor, 1);
    assert_int_equal(torc_process_monitor_restarts(monitor), 1);
    torc_test_advance(reactor, 24 * 3600 * 1000);
    stop();
}

static void the_longest_delay_is_bounded(void **state) {
    const torc_spawn_options spawn = {.size = sizeof(spawn), .program = "torc-no-such"};

    (void)state;
    check_ok(torc_process_monitor_add(monitor, "none", &spawn));
    start();
    for (int i = 0; i < 14; i++) torc_test_advance(reactor, 3600 * 1000);
    const uint64_t before = torc_process_monitor_restarts(monitor);
    assert_true(before < 30);
    torc_test_advance(reactor, 3600 * 1000);
    assert_int_equal(torc_process_monitor_restarts(monitor), before + 1);
    stop();
}

static void lines_are_logged(void **state) {
    (void)state;
    check_ok(add("talker", "echo hello; echo world >&2; yes x | head -c 1500 | tr -d '\\n';"
                           " exec sleep 1000"));
    start();
    until(reactor, has_logged("line=hello") && has_logged("line=world") && has_logged("xxxx"));
    assert_true(has_logged("child=talker"));
    stop();
}

static void one_may_be_restarted_or_removed(void **state) {
    (void)state;
    check_ok(add("one", "exec sleep 1000"));
    check_ok(add("two", "exec sleep 1000"));
    start();
    torc_test_advance(reactor, 1000);
    const int one = pid("one"), two = pid("two");
    torc_process_monitor_restart(monitor, "one");
    until(reactor, pid("one") && pid("one") != one);
    assert_int_equal(pid("two"), two);
    check_ok(torc_process_monitor_remove(monitor, "two"));
    check_err(torc_process_monitor_remove(monitor, "two"), TORC_ERR_NOT_FOUND);
    until(reactor, kill(two, 0) && errno == ESRCH);
    torc_process_monitor_restart(monitor, NULL);
    stop();
    check_ok(torc_process_monitor_remove(monitor, "one"));
}

static void one_that_ignores_its_end_is_killed(void **state) {
    (void)state;
    check_ok(add("deaf", "trap '' TERM; echo ready; exec sleep 1000"));
    start();
    until(reactor, has_logged("line=ready"));
    fires = 0;
    torc_deferred_then(torc_process_monitor_stop(monitor), &callback, fired);
    torc_test_advance(reactor, 1999);
    assert_int_equal(fires, 0);
    torc_test_advance(reactor, 1);
    until(reactor, fires);
    check_ok(told);
}

static void a_stop_may_be_given_up(void **state) {
    (void)state;
    check_ok(add("one", "exec sleep 1000"));
    start();
    torc_deferred_drop(torc_process_monitor_stop(monitor));
    until(reactor, !pid("one"));
    fires = 0;
    start();
    fires = 0;
    torc_deferred_then(torc_process_monitor_stop(monitor), &callback, fired);
    torc_process_monitor_free(monitor);
    until(reactor, fires);
    check_err(told, TORC_ERR_CANCELLED);
    check_ok(torc_process_monitor_new(reactor, NULL, &monitor));
}

static void all_is_copied_or_nothing(void **state) {
    static const torc_spawn_user user = {.uid = 0};
    static const torc_spawn_limit limit = {7, 100, 100};
    const char *const environment[] = {"A=1", NULL}, *const arguments[] = {"-c", "true", NULL};
    const torc_spawn_options spawn = {.size = sizeof(spawn),
                                      .program = "/bin/sh",
                                      .arguments = arguments,
                                      .environment = environment,
                                      .folder = "/",
                                      .limits = &limit,
                                      .limit_count = 1,
                                      .user = &user};
    char *large = calloc(1, 2 << 20);
    bool was_hit = true;

    (void)state;
    for (uint64_t n = 1; was_hit; n++) {
        torc_test_fail_allocation(reactor, n);
        const torc_err err = torc_process_monitor_add(monitor, "one", &spawn);
        was_hit = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        check_err(err, was_hit ? TORC_ERR_NO_MEMORY : TORC_OK);
    }
    memset(large, 'x', (2 << 20) - 1);
    const torc_spawn_options too_large = {.size = sizeof(too_large), .program = large};
    check_err(torc_process_monitor_add(monitor, "two", &too_large), TORC_ERR_LIMIT);
    free(large);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(children_run_from_start_to_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_ran_long_is_started_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_ends_at_once_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_cannot_be_started_waits_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_longest_delay_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_are_logged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_may_be_restarted_or_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_ignores_its_end_is_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_may_be_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_is_copied_or_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
