/* SPDX-License-Identifier: MIT */
/* Files that are not in the page cache are read by threads before they are sent. */
#include "both_pollers.h"
#include "transport/file_warmer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <torc/testing.h>
#include <torc/thread.h>
#include <unistd.h>

#include "kernel.h"
#include "probe.h"
#include "reactor/reactor.h"
#include "transport/stream.h"

enum {
    SIZE = 300 * 1024
};

static torc_reactor *reactor;
static probe self;
static int fds[2], file_fd;
static char content[SIZE], got[2 * SIZE];
static size_t got_len;
static bool has_ended;

static int set_up(bool is_late) {
    const torc_reactor_options options = {.size = sizeof(options),
                                          .threads[TORC_THREAD_FILE] = {1, 1}};
    char path[] = "/tmp/torc-warm-XXXXXX";

    probe_init(&self);
    got_len = 0;
    has_ended = false;
    for (size_t i = 0; i < SIZE; i++) content[i] = (char)('a' + i / 1000 % 26);
    file_fd = mkstemp(path);
    if (file_fd < 0 || write(file_fd, content, SIZE) != SIZE || unlink(path)) return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds)) return -1;
    return new_reactor(is_late, &options, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    close(fds[1]);
    close(file_fd);
    probe_dispose(&self);
    return 0;
}

static torc_transport *open_stream(void) {
    torc_stream *stream = NULL;

    check_ok(torc_stream_new(reactor, fds[0], AF_UNIX, &stream));
    torc_transport_made(&stream->base, &self.base);
    torc_test_settle(reactor);
    return &stream->base;
}

static void read_all(void) {
    ssize_t len;

    for (int idle = 0; idle < 3;) {
        torc_test_settle(reactor);
        torc_test_finish_jobs(reactor);
        torc_test_settle(reactor);
        idle++;
        while ((len = read(fds[1], got + got_len, sizeof(got) - got_len)) > 0) {
            got_len += (size_t)len;
            idle = 0;
        }
        if (len == 0) has_ended = true;
    }
}

static void check_content(size_t times) {
    assert_int_equal(got_len, times * SIZE);
    for (size_t i = 0; i < times; i++) assert_memory_equal(got + i * SIZE, content, SIZE);
    got_len = 0;
}

static void make_cold(uint64_t n, uint64_t times) {
    torc_test_fail_calls(reactor, TORC_TEST_READ, n, times, EAGAIN);
}

/* Whether the kernel tells what is not in memory; an emulator may not. */
static bool can_tell(void) {
    char byte;
    struct iovec room = {.iov_base = &byte, .iov_len = 1};

    return preadv2(file_fd, &room, 1, 0, RWF_NOWAIT) == 1;
}

static void what_is_cold_is_read_by_a_thread(void **state) {
    torc_transport *transport = open_stream();

    (void)state;
    if (!can_tell()) skip_test("nobody tells what is not in memory");
    for (uint64_t n = 1; n <= 4; n++) { /* at its beginning, or later */
        torc_test_advance(reactor, 1000);
        make_cold(n, n == 1 ? 1 : 2); /* what is before it is sent, and then it is looked at anew */
        torc_transport_write(transport, TORC_STR("head"));
        torc_transport_write_file(transport, dup(file_fd), 0, SIZE);
        torc_transport_write(transport, TORC_STR("tail"));
        read_all();
        assert_true(torc_test_call_count(reactor, TORC_TEST_READ) > n + 2);
        assert_int_equal(got_len, SIZE + 8);
        assert_memory_equal(got, "head", 4);
        assert_memory_equal(got + 4, content, SIZE);
        assert_memory_equal(got + 4 + SIZE, "tail", 4);
        got_len = 0;
    }
}

static void what_was_sent_is_not_looked_at_for_a_second(void **state) {
    torc_transport *transport = open_stream();
    torc_shared_file *file = torc_shared_file_new(&reactor->memory, dup(file_fd));
    static const uint64_t counts[] = {5, 0, 5};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(counts) && kernel_reads_at_once(file_fd); i++) {
        torc_test_limit_calls(reactor, TORC_TEST_READ, 0);
        check_ok(torc_chain_add_file(torc_transport_output(transport), file, 0, SIZE));
        torc_transport_written(transport);
        read_all();
        check_content(1);
        assert_int_equal(torc_test_call_count(reactor, TORC_TEST_READ), counts[i]);
        if (i == 1) torc_test_advance(reactor, 1000);
    }
    torc_shared_file_unref(file);
}

static void a_file_system_that_cannot_tell_goes_by_a_thread(void **state) {
    torc_transport *transport = open_stream();

    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, EOPNOTSUPP);
    torc_transport_write_file(transport, dup(file_fd), 0, SIZE);
    read_all();
    check_content(1);
}

static void errors_of_reading_are_told_by_sending(void **state) {
    torc_transport *transport = open_stream();

    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 100, EIO);
    torc_transport_write_file(transport, dup(file_fd), 0, SIZE);
    read_all();
    check_content(1);
    make_cold(1, 1);
    torc_transport_write_file(transport, dup(file_fd), 0, SIZE + 1);
    read_all();
    assert_int_equal(got_len, SIZE);
    assert_true(has_ended);
    assert_int_equal(self.losts, 1);
    check_err(self.reason, TORC_ERR_TRUNCATED);
}

static void one_that_shrinks_meanwhile_ends_the_connection(void **state) {
    torc_transport *transport = open_stream();

    (void)state;
    make_cold(4, 1);
    torc_transport_write_file(transport, dup(file_fd), 0, SIZE);
    torc_test_settle(reactor);
    assert_int_equal(ftruncate(file_fd, SIZE - 1), 0);
    read_all();
    assert_int_equal(got_len, SIZE - 1);
    assert_int_equal(self.losts, 1);
    check_err(self.reason, TORC_ERR_TRUNCATED);
}

/* ---- without a thread ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static torc_job blockers[2];
static int blockers_done;

static void wait_at_gate(torc_job *job) {
    (void)job;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void count_done(torc_job *job) {
    (void)job;
    blockers_done++;
}

/* One job holds the thread, the other the queue; `count` 1: the queue is free. */
static void block_threads(int count) {
    pthread_mutex_lock(&gate);
    blockers_done = 0;
    for (int i = 0; i < count; i++) {
        blockers[i] = (torc_job){.work = wait_at_gate, .done = count_done};
        for (int n = 0; torc_job_submit(reactor, &blockers[i]) != TORC_OK; n++) {
            assert_true(n < 1000); /* until the thread has taken the first */
            usleep(1000);
        }
    }
}

static void where_the_queue_is_full_it_comes_again(void **state) {
    torc_transport *transport = open_stream();

    (void)state;
    block_threads(2);
    make_cold(1, 1);
    torc_transport_write_file(transport, dup(file_fd), 0, SIZE);
    for (int i = 0; i < 5; i++) torc_test_advance(reactor, 20);
    assert_true(read(fds[1], got, 1) < 0);
    assert_int_equal(self.losts, 0);
    pthread_mutex_unlock(&gate);
    read_all();
    assert_int_equal(blockers_done, 2);
    torc_test_advance(reactor, 20);
    read_all();
    check_content(1);
}

static void without_memory_it_is_sent_as_it_is(void **state) {
    torc_transport *transport = open_stream();
    torc_shared_file *file = torc_shared_file_new(&reactor->memory, dup(file_fd));

    (void)state;
    check_ok(torc_chain_add_file(torc_transport_output(transport), file, 0, SIZE));
    make_cold(1, 1);
    torc_transport_written(transport);
    torc_test_fail_allocation(reactor, 1);
    read_all();
    assert_true(torc_test_allocation_failed(reactor));
    check_content(1);
    torc_shared_file_unref(file);
}

/* The transport ends while the queue is full, while the job waits, and while it runs. */
static void whoever_goes_meanwhile_is_not_told(void **state) {
    torc_transport *transport = open_stream();
    const int count = (int)(intptr_t)*state, fd = dup(file_fd);

    block_threads(count);
    make_cold(1, 1);
    torc_transport_write_file(transport, fd, 0, SIZE);
    torc_test_settle(reactor);
    torc_transport_abort(transport);
    torc_test_settle(reactor);
    assert_int_equal(self.losts, 1);
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
    pthread_mutex_unlock(&gate);
    torc_test_finish_jobs(reactor);
    torc_test_advance(reactor, 100);
    assert_true(fcntl(fd, F_GETFD) < 0);
}

static void in_the_timer(void **state) {
    *state = (void *)(intptr_t)2;
    whoever_goes_meanwhile_is_not_told(state);
}

static void in_the_queue(void **state) {
    *state = (void *)(intptr_t)1;
    whoever_goes_meanwhile_is_not_told(state);
}

static void in_the_thread(void **state) {
    torc_transport *transport = open_stream();
    const int fd = dup(file_fd);

    (void)state;
    make_cold(1, 1);
    torc_transport_write_file(transport, fd, 0, SIZE);
    torc_test_settle(reactor);
    torc_transport_abort(transport);
    torc_test_finish_jobs(reactor);
    torc_test_settle(reactor);
    assert_int_equal(self.losts, 1);
    assert_true(fcntl(fd, F_GETFD) < 0);
}

static void a_reactor_may_be_freed_meanwhile(void **state) {
    torc_transport *transport = open_stream();

    (void)state;
    make_cold(1, 1);
    torc_transport_write_file(transport, dup(file_fd), 0, SIZE);
    (void)!torc_reactor_turn(reactor, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(what_is_cold_is_read_by_a_thread),
        BOTH(what_was_sent_is_not_looked_at_for_a_second),
        BOTH(a_file_system_that_cannot_tell_goes_by_a_thread),
        BOTH(errors_of_reading_are_told_by_sending),
        BOTH(one_that_shrinks_meanwhile_ends_the_connection),
        BOTH(where_the_queue_is_full_it_comes_again),
        BOTH(without_memory_it_is_sent_as_it_is),
        BOTH(in_the_timer),
        BOTH(in_the_queue),
        BOTH(in_the_thread),
        BOTH(a_reactor_may_be_freed_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
