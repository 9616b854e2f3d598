/* SPDX-License-Identifier: MIT */
/*
 * Running processes to their ends, by callbacks and from a fiber.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <torc/fiber.h>
#include <unistd.h>

#include "both_pollers.h"
#include "children.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static int fds_before;
static torc_callback callback;
static bool is_told;
static torc_err told;
static torc_process_result *result;

static int set_up(bool is_late) {
    fds_before = open_fd_count();
    is_told = false;
    result = NULL;
    return new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_process_result_free(result);
    torc_reactor_free(reactor);
    check_no_children();
    return open_fd_count() != fds_before;
}

static void fired(torc_callback *of, torc_err err, void *value) {
    assert_ptr_equal(of, &callback);
    assert_false(is_told);
    is_told = true;
    told = err;
    result = value;
}

static torc_deferred *begin(const char *text, torc_process_run_options options) {
    const char *const arguments[] = {"-c", text, NULL};
    const torc_spawn_options spawn = {
        .size = sizeof(spawn), .program = "/bin/sh", .arguments = arguments};
    options.size = sizeof(options);
    torc_deferred *deferred = torc_process_run(reactor, &spawn, &options);
    torc_deferred_then(deferred, &callback, fired);
    return deferred;
}

static void run(const char *text, torc_process_run_options options) {
    begin(text, options);
    until(reactor, is_told);
}

static void what_it_writes_is_collected(void **state) {
    (void)state;
    run("cat; echo err >&2; exit 3", (torc_process_run_options){.input = TORC_STR_INIT("in\n")});
    check_ok(told);
    check_str(result->output, "in\n");
    check_str(result->errors, "err\n");
    assert_int_equal(result->status.code, 3);
    assert_false(result->is_truncated);
}

static void options_may_be_left_out(void **state) {
    const torc_spawn_options spawn = {.size = sizeof(spawn), .program = "true"};

    (void)state;
    torc_deferred_then(torc_process_run(reactor, &spawn, NULL), &callback, fired);
    until(reactor, is_told);
    check_ok(told);
    assert_int_equal(result->status.code, 0);
    check_str(result->output, "");
}

static void errors_may_be_mixed_with_output(void **state) {
    static const torc_spawn_fd fds[] = {{.fd = 1, .kind = TORC_SPAWN_OUTPUT},
                                        {.fd = 2, .kind = TORC_SPAWN_SAME, .from = 1}};
    const char *const arguments[] = {"-c", "echo a; echo b >&2; echo c", NULL};
    const torc_spawn_options spawn = {.size = sizeof(spawn),
                                      .program = "/bin/sh",
                                      .arguments = arguments,
                                      .fds = fds,
                                      .fd_count = 2};

    (void)state;
    torc_deferred_then(torc_process_run(reactor, &spawn, NULL), &callback, fired);
    until(reactor, is_told);
    check_str(result->output, "a\nb\nc\n");
}

static void a_signal_is_an_end_too(void **state) {
    (void)state;
    run("kill -9 $$", (torc_process_run_options){0});
    check_ok(told);
    assert_int_equal(result->status.signal, SIGKILL);
    assert_false(torc_exit_is_success(&result->status));
}

static void too_much_ends_it(void **state) {
    (void)state;
    run("while :; do echo 12345678; done", (torc_process_run_options){.output_max = 10000});
    check_err(told, TORC_ERR_TOO_LARGE);
    assert_null(result);
}

static void or_is_cut_off(void **state) {
    (void)state;
    run("dd if=/dev/zero bs=1000 count=1000 2>/dev/null; echo done >&2",
        (torc_process_run_options){.output_max = 10000, .truncates = true});
    check_ok(told);
    assert_true(result->is_truncated);
    assert_int_equal(result->output.len, 10000);
    check_str(result->errors, "done\n");
}

static void exactly_as_much_as_allowed_is_fine(void **state) {
    (void)state;
    run("echo 1234567", (torc_process_run_options){.output_max = 8});
    check_ok(told);
    assert_false(result->is_truncated);
}

static void time_runs_out(void **state) {
    char text[120], marker[] = "/tmp/torc-test-XXXXXX";
    const int fd = mkstemp(marker);

    (void)state;
    /* Not before it ignores the signal: then it removes the file. */
    assert_true(fd >= 0);
    close(fd);
    snprintf(text, sizeof(text), "trap '' TERM; rm %s; exec sleep 1000", marker);
    begin(text, (torc_process_run_options){.timeout_ms = 100});
    until(reactor, access(marker, F_OK) != 0);
    torc_test_advance(reactor, 100);
    assert_false(is_told);
    torc_test_advance(reactor, 5000); /* the grace time */
    until(reactor, is_told);
    check_err(told, TORC_ERR_TIMEOUT);
}

static void cancelling_waits_for_its_end(void **state) {
    (void)state;
    torc_deferred *deferred = begin("exec sleep 1000", (torc_process_run_options){0});
    torc_test_settle(reactor);
    torc_deferred_cancel(deferred);
    until(reactor, is_told);
    check_err(told, TORC_ERR_CANCELLED);
    check_no_children();
}

static void dropping_ends_it(void **state) {
    const torc_spawn_options spawn = {.size = sizeof(spawn), .program = "cat"};

    (void)state;
    torc_deferred_drop(torc_process_run(reactor, &spawn, NULL));
    until(reactor, torc_list_is_empty(&reactor->children));
}

static void a_freed_reactor_ends_it(void **state) {
    (void)state;
    begin("exec sleep 1000", (torc_process_run_options){0});
    torc_test_settle(reactor);
    torc_reactor_free(reactor);
    assert_true(is_told);
    assert_int_not_equal(told, TORC_OK);
    check_ok(torc_test_reactor_new(NULL, &reactor));
}

static void what_cannot_be_started_says_why(void **state) {
    const torc_spawn_options spawn = {.size = sizeof(spawn), .program = "torc-no-such"};
    torc_spawn_error error;
    const torc_process_run_options options = {.size = sizeof(options), .error = &error};

    (void)state;
    torc_deferred_then(torc_process_run(reactor, &spawn, &options), &callback, fired);
    assert_string_equal(error.text, "no such program: torc-no-such");
    until(reactor, is_told);
    check_err(told, TORC_ERR_NOT_FOUND);
}

static void every_allocation_may_fail(void **state) {
    bool was_hit = true;

    (void)state;
    for (uint64_t n = 1; was_hit; n++) {
        assert_true(n < 100);
        is_told = false;
        torc_test_fail_allocation(reactor, n);
        run("cat; echo err >&2", (torc_process_run_options){.input = TORC_STR_INIT("in\n")});
        was_hit = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        if (!was_hit) check_ok(told);
        if (told) assert_null(result);
        torc_process_result_free(result);
        result = NULL;
        until(reactor, torc_list_is_empty(&reactor->children));
    }
}

/* ---- on a fiber ---- */

static torc_err run_on_fiber(void *context) {
    const char *const arguments[] = {"-c", "cat; exit 2", NULL};
    const torc_spawn_options spawn = {
        .size = sizeof(spawn), .program = "sh", .arguments = arguments};
    const torc_process_run_options options = {.size = sizeof(options),
                                              .input = TORC_STR_INIT("fiber\n")};

    told = torc_process_run_await(reactor, &spawn, context ? context : &options, &result);
    is_told = true;
    return told;
}

static void a_fiber_waits_for_it(void **state) {
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_spawn(reactor, run_on_fiber, NULL, &fiber));
    torc_fiber_detach(fiber);
    until(reactor, is_told);
    check_ok(told);
    check_str(result->output, "fiber\n");
    assert_int_equal(result->status.code, 2);
}

static torc_err sleep_on_fiber(void *context) {
    const char *const arguments[] = {"1000", NULL};
    const torc_spawn_options spawn = {
        .size = sizeof(spawn), .program = "sleep", .arguments = arguments};

    (void)context;
    told = torc_process_run_await(reactor, &spawn, NULL, &result);
    is_told = true;
    return told;
}

static void a_cancelled_fiber_ends_it(void **state) {
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_spawn(reactor, sleep_on_fiber, NULL, &fiber));
    torc_test_settle(reactor);
    assert_false(torc_list_is_empty(&reactor->children));
    torc_fiber_cancel(fiber, TORC_ERR_LOST);
    torc_fiber_detach(fiber);
    until(reactor, is_told);
    check_err(told, TORC_ERR_LOST);
    check_no_children();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(what_it_writes_is_collected),
        BOTH(options_may_be_left_out),
        BOTH(errors_may_be_mixed_with_output),
        BOTH(a_signal_is_an_end_too),
        BOTH(too_much_ends_it),
        BOTH(or_is_cut_off),
        BOTH(exactly_as_much_as_allowed_is_fine),
        BOTH(time_runs_out),
        BOTH(cancelling_waits_for_its_end),
        BOTH(dropping_ends_it),
        BOTH(a_freed_reactor_ends_it),
        BOTH(what_cannot_be_started_says_why),
        BOTH(every_allocation_may_fail),
        BOTH(a_fiber_waits_for_it),
        BOTH(a_cancelled_fiber_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
