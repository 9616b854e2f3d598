/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/socket.h>
#include <torc/testing.h>
#include <torc/thread.h>
#include <unistd.h>

#include "check.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;

static int set_up(void **state) {
    (void)state;
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static int64_t count_of(const char *name) {
    const torc_metric *metric = torc_metrics_find(torc_reactor_metrics(reactor), torc_str_of(name));

    if (!metric) fail_msg("no metric %s", name);
    return torc_metric_value(metric);
}

static void nothing(torc_call *call) {
    (void)call;
}

static void nothing_expired(torc_timer *timer) {
    (void)timer;
}

static void nothing_done(torc_job *job) {
    (void)job;
}

static size_t received(torc_io *io, torc_str bytes) {
    (void)io;
    return bytes.len;
}

static void sent(torc_io *io, size_t bytes) {
    (void)io;
    (void)bytes;
}

static void closed(torc_io *io) {
    (void)io;
}

static void turns_calls_and_timers_are_counted(void **state) {
    torc_call call = {.run = nothing};
    torc_timer timer;

    (void)state;
    torc_timer_init(&timer, reactor, nothing_expired);
    const int64_t turns = count_of("reactor_turns"), calls = count_of("reactor_calls"),
                  timers = count_of("reactor_timers");
    torc_timer_arm(&timer, 0);
    torc_reactor_post(reactor, &call);
    check_ok(torc_reactor_turn(reactor, 0));
    assert_int_equal(count_of("reactor_turns"), turns + 1);
    assert_int_equal(count_of("reactor_calls"), calls + 1);
    assert_int_equal(count_of("reactor_timers"), timers + 1);
}

static void bytes_and_completions_are_counted(void **state) {
    static const torc_io_ops ops = {.received = received, .sent = sent, .closed = closed};
    torc_io io;
    torc_chain chain;
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    check_ok(torc_io_open(&io, reactor, TORC_IO_STREAM, ends[0], AF_UNIX, &ops));
    torc_io_receive_start(&io);
    torc_test_settle(reactor);
    const int64_t completions = count_of("reactor_completions");
    assert_int_equal(write(ends[1], "hello", 5), 5);
    torc_test_settle(reactor);
    assert_int_equal(count_of("reactor_received"), 5);
    torc_chain_init(&chain, &reactor->chains);
    check_ok(torc_chain_add_bytes(&chain, TORC_STR("hi")));
    assert_int_equal(torc_io_send(&io, &chain, 2), 2);
    assert_int_equal(count_of("reactor_sent"), 2);
    assert_true(count_of("reactor_completions") > completions);
    torc_io_close(&io, false);
    torc_test_settle(reactor);
    close(ends[1]);
}

static void jobs_are_counted(void **state) {
    torc_job job = {.work = nothing_done, .done = nothing_done};

    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_THREAD, 1, 1, EAGAIN);
    check_err(torc_job_submit(reactor, &job), TORC_ERR_LIMIT);
    check_ok(torc_job_submit(reactor, &job));
    torc_test_finish_jobs(reactor);
    assert_int_equal(count_of("thread_jobs"), 1);
    assert_int_equal(count_of("thread_jobs_refused"), 1);
}

static void memory_is_counted(void **state) {
    (void)state;
    const int64_t used = count_of("memory_used");
    void *bytes = torc_alloc(torc_reactor_memory(reactor), TORC_MEMORY_OTHER, 1000);

    assert_non_null(bytes);
    assert_int_equal(count_of("memory_used"), used + 1000 + (int64_t)TORC_ALLOC_OVERHEAD);
    torc_dealloc(torc_reactor_memory(reactor), bytes);
}

static void each_has_a_name_and_a_help(void **state) {
    const torc_metrics *metrics = torc_reactor_metrics(reactor);

    (void)state;
    for (const torc_metric *metric = torc_metrics_next(metrics, NULL); metric;
         metric = torc_metrics_next(metrics, metric)) {
        assert_true(metric->name[0] && metric->help[0] && metric->unit);
        assert_ptr_equal(torc_metrics_find(metrics, torc_str_of(metric->name)), metric); /* once */
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(turns_calls_and_timers_are_counted),
        TEST(bytes_and_completions_are_counted),
        TEST(jobs_are_counted),
        TEST(memory_is_counted),
        TEST(each_has_a_name_and_a_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
