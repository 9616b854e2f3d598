/* SPDX-License-Identifier: MIT */
/*
 * All of the reactor at once, with each allocation, and each system call, failing in turn: whatever
 * fails, everybody is told once, everything ends, and nothing is kept. The sanitizers see to the
 * last, as far as the reactor's counts do not.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <torc/deferred.h>
#include <torc/fiber.h>
#include <torc/file.h>
#include <torc/signal.h>
#include <torc/testing.h>
#include <unistd.h>

#include "check.h"
#include "reactor/reactor.h"
#include "testing/uncounted.h"

enum {
    SENT = 100000,
    RUNS_MAX = 10000
};

typedef torc_err new_fn(const torc_reactor_options *options, torc_reactor **reactor);

typedef struct stream {
    torc_io io;
    torc_chain sending;
    size_t received, sent;
    int failures, closings;
    bool is_open;
} stream;

typedef struct story {
    torc_reactor *reactor;
    stream ends[2];
    torc_signal *signal;
    torc_callback callback;
    int signals, made, disposed, told, begun, ended, errors;
} story;

static torc_err note(story *self, torc_err err) {
    if (err) self->errors++;
    return err;
}

/* ---- two streams, one sends to the other ---- */

static size_t received(torc_io *io, torc_str bytes) {
    torc_container_of(io, stream, io)->received += bytes.len;
    return bytes.len;
}

static void sent(torc_io *io, size_t bytes) {
    torc_container_of(io, stream, io)->sent += bytes;
}

static void peer_ended(torc_io *io) {
    torc_io_close(io, false);
}

static void failed(torc_io *io, torc_err err) {
    torc_container_of(io, stream, io)->failures++;
    assert_int_not_equal(err, TORC_OK);
    torc_io_close(io, false);
}

static void closed(torc_io *io) {
    stream *self = torc_container_of(io, stream, io);

    self->closings++;
    torc_chain_clear(&self->sending);
    close(io->fd);
}

static const torc_io_ops io_ops = {.received = received,
                                   .sent = sent,
                                   .peer_ended = peer_ended,
                                   .failed = failed,
                                   .closed = closed};

static void open_stream(story *self, stream *end, int fd) {
    torc_chain_init(&end->sending, &self->reactor->chains);
    end->is_open =
        !note(self, torc_io_open(&end->io, self->reactor, TORC_IO_STREAM, fd, AF_UNIX, &io_ops));
    if (end->is_open)
        torc_io_receive_start(&end->io);
    else
        close(fd);
}

static void open_streams(story *self) {
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 2; i++) open_stream(self, &self->ends[i], fds[i]);
}

static void send_much(story *self) {
    stream *end = &self->ends[0];
    char *bytes = calloc(1, SENT);

    if (end->is_open && !note(self, torc_chain_add_bytes(&end->sending, (torc_str){bytes, SENT})))
        end->sent += torc_io_send(&end->io, &end->sending, SENT);
    free(bytes);
}

static void close_streams(story *self) {
    for (int i = 0; i < 2; i++)
        if (self->ends[i].is_open) torc_io_close(&self->ends[i].io, i == 1);
}

static void check_streams(const story *self) {
    for (int i = 0; i < 2; i++) {
        assert_int_equal(self->ends[i].closings, self->ends[i].is_open);
        assert_in_range(self->ends[i].failures, 0, 1);
    }
    if (self->errors || self->ends[0].failures || self->ends[1].failures) return;
    assert_int_equal(self->ends[0].sent, SENT);
    assert_int_equal(self->ends[1].received, SENT);
}

/* ---- deferreds ---- */

static void dispose(void *value) {
    ((story *)value)->disposed++;
}

/* The value goes on, or the error does. */
static torc_deferred *once_more(void *context, torc_err err, void *value) {
    story *self = context;

    if (err) return torc_deferred_failed(self->reactor, err);
    return torc_deferred_of(self->reactor, value, dispose);
}

static torc_deferred *make_value(story *self) {
    torc_deferred *first = torc_defer_later(self->reactor, 5, self, dispose);

    self->made++;
    return torc_deferred_timeout(torc_deferred_chain(first, once_more, self), 1000);
}

static void told(torc_callback *callback, torc_err err, void *value) {
    story *self = torc_container_of(callback, story, callback);

    self->told++;
    if (!note(self, err)) dispose(value);
}

static torc_err do_nothing(void *data) {
    (void)data;
    return TORC_OK;
}

/* ---- fibers ---- */

static void write_and_read(story *self) {
    torc_file *file;
    char bytes[10];
    size_t len;

    if (note(self, torc_file_open_temporary(self->reactor, "/tmp", &file))) return;
    if (!note(self, torc_file_write(file, TORC_STR("0123456789")))) {
        torc_file_set_position(file, 3);
        if (!note(self, torc_file_read(file, bytes, sizeof(bytes), &len)))
            assert_memory_equal(bytes, "3456789", len);
    }
    torc_file_close(file);
}

static torc_err wait_for_all(void *context) {
    story *self = context;
    void *value;
    int data = 0;

    note(self, torc_sleep(self->reactor, 3));
    if (!note(self, torc_await(make_value(self), &value))) dispose(value);
    note(self,
         torc_await_thread(self->reactor, TORC_THREAD_USER, do_nothing, &data, sizeof(data), NULL));
    write_and_read(self);
    self->ended++;
    return TORC_OK;
}

static torc_err join_one(void *context) {
    story *self = context;
    torc_fiber *fiber;

    if (!note(self, torc_fiber_spawn(self->reactor, wait_for_all, self, &fiber))) {
        self->begun++;
        check_ok(torc_fiber_join(fiber, NULL));
    }
    self->ended++;
    return TORC_OK;
}

/* ---- the story ---- */

static void signal_received(void *context, int number) {
    assert_int_equal(number, SIGUSR1);
    ((story *)context)->signals++;
}

static void tell(story *self) {
    open_streams(self);
    send_much(self);
    if (!note(self, torc_signal_new(self->reactor, SIGUSR1, signal_received, self, &self->signal)))
        pthread_kill(pthread_self(), SIGUSR1);
    if (!note(self, torc_fiber_spawn(self->reactor, join_one, self, NULL))) self->begun++;
    torc_deferred_then(make_value(self), &self->callback, told);
    torc_deferred_drop(
        torc_defer_to_thread(self->reactor, TORC_THREAD_FILE, do_nothing, self, dispose));
    self->made++;
    for (int i = 0; i < 8; i++) {
        torc_test_advance(self->reactor, 10);
        torc_test_finish_jobs(self->reactor);
    }
    torc_signal_free(self->signal);
    close_streams(self);
    torc_test_advance(self->reactor, 10);
}

static void check(const story *self) {
    check_streams(self);
    assert_int_equal(self->told, 1);
    assert_int_equal(self->ended, self->begun);
    assert_int_equal(self->disposed, self->made);
    if (self->errors) return;
    assert_int_equal(self->signals, 1);
    assert_int_equal(self->begun, 2);
    assert_int_equal(self->made, 3);
}

/* What failed is not told of where there is a way round it. */
static bool run(new_fn *make, torc_test_call call, uint64_t n, int number) {
    story self = {0};
    bool has_failed;

    check_ok(make(NULL, &self.reactor));
    if (number)
        torc_test_fail_calls(self.reactor, call, n, 1, number);
    else
        torc_test_fail_allocation(self.reactor, n);
    tell(&self);
    has_failed = number ? torc_test_call_count(self.reactor, call) >= n
                        : torc_test_allocation_failed(self.reactor);
    if (!has_failed) assert_int_equal(self.errors, 0);
    check(&self);
    torc_reactor_free(self.reactor);
    return has_failed;
}

static new_fn *const makers[] = {torc_test_reactor_new, torc_test_reactor_new_late};

static void every_allocation_may_fail(void **state) {
    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(makers); i++) {
        uint64_t n = 1;
        while (run(makers[i], TORC_TEST_CALLS, n, 0)) assert_true(++n < RUNS_MAX);
        assert_true(n > 10);
    }
}

static void every_system_call_may_fail(void **state) {
    static const struct {
        torc_test_call call;
        int number;
    } calls[] = {
        {TORC_TEST_REGISTER, ENOSPC}, {TORC_TEST_RECEIVE, ECONNRESET}, {TORC_TEST_RECEIVE, EINTR},
        {TORC_TEST_SEND, EPIPE},      {TORC_TEST_SEND, EINTR},         {TORC_TEST_OPEN, EMFILE},
        {TORC_TEST_READ, EIO},        {TORC_TEST_WRITE, ENOSPC},       {TORC_TEST_THREAD, EAGAIN},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(makers); i++) {
        for (size_t k = 0; k < TORC_COUNT_OF(calls); k++) {
            uint64_t n = 1;
            while (run(makers[i], calls[k].call, n, calls[k].number)) assert_true(++n < RUNS_MAX);
            /* Only epoll has descriptors registered. */
            if (i == 0 || calls[k].call != TORC_TEST_REGISTER) assert_true(n > 1);
        }
    }
}

/* There is less and less want: the limit is raised until it is enough. */
static void there_may_be_too_little_for_a_reactor(void **state) {
    torc_reactor_options options = {.size = sizeof(options)};
    torc_reactor *reactor = NULL;
    torc_err err;

    (void)state;
    do {
        options.memory_max += 64;
        err = torc_reactor_new(&options, &reactor);
        if (err) check_err(err, TORC_ERR_NO_MEMORY);
        assert_true(options.memory_max < 1024 * 1024);
    } while (err);
    assert_true(options.memory_max > TORC_RECEIVE_SIZE);
    torc_reactor_free(reactor);
    torc_test_fail_uncounted(1);
    check_err(torc_reactor_new(NULL, &reactor), TORC_ERR_NO_MEMORY);
    torc_test_fail_uncounted(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(every_system_call_may_fail),
        cmocka_unit_test(there_may_be_too_little_for_a_reactor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
