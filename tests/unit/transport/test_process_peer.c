/* SPDX-License-Identifier: MIT */
/*
 * A child as the peer of a protocol.
 */
#include <torc/log.h>

#include "both_pollers.h"
#include "children.h"
#include "probe.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static probe it;
static int fds_before;
static torc_buf logged;
static torc_log *log_;
static torc_spawn_error error;

static int set_up(bool is_late) {
    torc_reactor_options options = {.size = sizeof(options)};

    fds_before = open_fd_count();
    probe_init(&it);
    torc_buf_init(&logged, NULL, TORC_MEMORY_OTHER, 65536);
    if (torc_log_new_buf(NULL, &logged, TORC_LOG_FORMAT_TEXT, &log_)) return -1;
    options.log = log_;
    return new_reactor(is_late, &options, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    torc_log_free(log_);
    torc_buf_dispose(&logged);
    check_no_children();
    assert_int_equal(it.mades, it.losts);
    probe_dispose(&it);
    return open_fd_count() != fds_before;
}

static torc_err try_connect(const char *text, torc_process_errors errors) {
    const char *const arguments[] = {"-c", text, NULL};
    const torc_spawn_options options = {
        .size = sizeof(options), .program = "/bin/sh", .arguments = arguments, .grace_ms = 1000};
    return torc_process_connect(reactor, &options, errors, &it.base, &error);
}

static void connect_to(const char *text) {
    check_ok(try_connect(text, TORC_PROCESS_ERRORS_LOG));
    assert_int_equal(it.mades, 0);
    torc_test_settle(reactor);
    assert_int_equal(it.mades, 1);
}

static void wait_for_its_end(void) {
    until(reactor, torc_list_is_empty(&reactor->children));
    torc_test_settle(reactor);
}

static bool has_logged(const char *text) {
    return torc_str_find(torc_buf_str(&logged), torc_str_of(text)) >= 0;
}

static void a_child_answers(void **state) {
    (void)state;
    connect_to("while read x; do echo \"<$x>\"; done; echo end");
    torc_transport_write(it.base.transport, TORC_STR("a\n"));
    until(reactor, it.len == 4);
    torc_transport_write(it.base.transport, TORC_STR("b\n"));
    torc_transport_close_write(it.base.transport);
    until(reactor, it.input_ends);
    check_got(&it, "<a>\n<b>\nend\n");
    torc_transport_close(it.base.transport);
    until(reactor, it.losts);
    check_err(it.reason, TORC_ERR_CLOSED);
    wait_for_its_end();
}

static void closing_lets_it_end(void **state) {
    (void)state;
    connect_to("cat; exit 3");
    torc_transport_close(it.base.transport);
    until(reactor, it.losts);
    wait_for_its_end();
    assert_true(has_logged("code=3"));
}

static void one_that_goes_on_is_told_to_end(void **state) {
    (void)state;
    connect_to("echo ready; exec sleep 1000");
    until(reactor, it.len == 6);
    torc_transport_close(it.base.transport);
    until(reactor, it.losts);
    assert_false(torc_list_is_empty(&reactor->children));
    torc_test_advance(reactor, 1000);
    wait_for_its_end();
    assert_true(has_logged("signal=15"));
}

static void an_abort_ends_it_at_once(void **state) {
    (void)state;
    connect_to("exec sleep 1000");
    torc_transport_abort(it.base.transport);
    until(reactor, it.losts);
    check_err(it.reason, TORC_ERR_ABORTED);
    wait_for_its_end();
}

static void one_that_reads_no_more_is_heard(void **state) {
    enum {
        LEN = 300000
    };
    char *bytes = calloc(1, LEN);

    (void)state;
    connect_to("exec <&-; echo closed; until test -e /proc/$PPID/no; do sleep 0.05; echo on;"
               " n=$((n + 1)); test $n = 3 && break; done");
    until(reactor, it.len >= 7);
    torc_transport_write(it.base.transport, torc_str_make(bytes, LEN));
    until(reactor, it.input_ends);
    check_got(&it, "closed\non\non\non\n");
    assert_int_equal(torc_transport_unsent(it.base.transport), 0);
    torc_transport_close(it.base.transport);
    until(reactor, it.losts);
    free(bytes);
}

static void its_errors_are_logged(void **state) {
    (void)state;
    connect_to("echo one >&2; printf two >&2");
    until(reactor, it.input_ends);
    wait_for_its_end();
    assert_true(has_logged("line=one"));
    assert_true(has_logged("line=two"));
    torc_transport_close(it.base.transport);
    until(reactor, it.losts);
}

static void or_dropped(void **state) {
    (void)state;
    check_ok(try_connect("test -c /proc/self/fd/2 && echo null; echo one >&2",
                         TORC_PROCESS_ERRORS_DROP));
    until(reactor, it.input_ends);
    check_got(&it, "null\n");
    assert_false(has_logged("one"));
    torc_transport_close(it.base.transport);
    until(reactor, it.losts);
}

static void what_cannot_be_started_says_why(void **state) {
    const torc_spawn_options options = {.size = sizeof(options), .program = "torc-no-such"};

    (void)state;
    check_err(torc_process_connect(reactor, &options, TORC_PROCESS_ERRORS_LOG, &it.base, &error),
              TORC_ERR_NOT_FOUND);
    assert_string_equal(error.text, "no such program: torc-no-such");
    for (uint64_t n = 1; n <= 5; n++) {
        torc_test_fail_calls(reactor, TORC_TEST_SPAWN, n, 1, EMFILE);
        check_err(try_connect("cat", TORC_PROCESS_ERRORS_LOG), TORC_ERR_FILE_TABLE_FULL);
    }
    torc_test_fail_calls(reactor, TORC_TEST_SPAWN, 0, 0, 0);
    assert_int_equal(it.mades, 0);
}

static void every_allocation_may_fail(void **state) {
    bool was_hit = true;

    (void)state;
    for (uint64_t n = 1; was_hit; n++) {
        assert_true(n < 60);
        torc_test_fail_allocation(reactor, n);
        const torc_err err = try_connect("cat", TORC_PROCESS_ERRORS_LOG);
        was_hit = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        check_err(err, was_hit ? TORC_ERR_NO_MEMORY : TORC_OK);
        if (!err) torc_test_settle(reactor);
        if (!err) torc_transport_close(it.base.transport);
        wait_for_its_end();
    }
    until(reactor, it.losts);
}

static void a_freed_reactor_ends_it(void **state) {
    (void)state;
    connect_to("trap '' TERM; exec sleep 1000");
    torc_reactor_free(reactor);
    assert_int_equal(it.losts, 1);
    check_no_children();
    check_ok(torc_test_reactor_new(NULL, &reactor));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(a_child_answers),
        BOTH(closing_lets_it_end),
        BOTH(one_that_goes_on_is_told_to_end),
        BOTH(an_abort_ends_it_at_once),
        BOTH(one_that_reads_no_more_is_heard),
        BOTH(its_errors_are_logged),
        BOTH(or_dropped),
        BOTH(what_cannot_be_started_says_why),
        BOTH(every_allocation_may_fail),
        BOTH(a_freed_reactor_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
