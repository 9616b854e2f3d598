/* SPDX-License-Identifier: MIT */
/*
 * What reactor/poller.h promises, over epoll and over the late double. Nothing here may depend on
 * which it is: how many turns something takes is asked of none.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <torc/testing.h>
#include <unistd.h>

#include "both_pollers.h"
#include "check.h"
#include "reactor/reactor.h"
#include "terminals.h"

enum {
    GOT_MAX = 1 << 20
};

static torc_reactor *reactor;

static int set_up(bool is_late) {
    return new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    const torc_memory *memory = torc_reactor_memory(reactor);

    (void)state;
    if (memory->used[TORC_MEMORY_CONNECTION] != 0 && torc_list_is_empty(&reactor->ios)) return -1;
    torc_reactor_free(reactor);
    return 0;
}

/* ---- a stream that notes all it is told, and the other end of its pair ---- */

typedef enum on_received {
    GO_ON,
    STOP,
    CLOSE_IT,
    CLOSE_TWICE
} on_received;

typedef struct stream {
    torc_io io;
    torc_chain chain;
    char *got;
    size_t len;
    size_t take; /* how many to consume at once; 0: all that come */
    on_received then;
    size_t sent;
    int receives, ends, input_ends, failures, closes, connects;
    torc_err err;
    bool closes_at_end;
    bool is_over; /* after closed or failed nothing comes */
    int other;
} stream;

static stream *of_io(torc_io *io) {
    return torc_container_of(io, stream, io);
}

static size_t received(torc_io *io, torc_str bytes) {
    stream *self = of_io(io);
    const size_t len = self->take && self->take < bytes.len ? self->take : bytes.len;

    assert_false(self->is_over);
    assert_true(bytes.len > 0);
    self->receives++;
    memcpy(self->got + self->len, bytes.bytes, len);
    self->len += len;
    if (self->then == STOP) torc_io_receive_stop(io);
    if (self->then == CLOSE_IT || self->then == CLOSE_TWICE) torc_io_close(io, false);
    if (self->then == CLOSE_TWICE) torc_io_close(io, true);
    if (self->then == CLOSE_IT || self->then == CLOSE_TWICE) self->is_over = true;
    return len;
}

static void peer_ended(torc_io *io) {
    stream *self = of_io(io);

    assert_false(self->is_over);
    self->ends++;
    if (!self->closes_at_end) return;
    torc_io_close(io, false);
    self->is_over = true;
}

static void input_ended(torc_io *io) {
    assert_false(of_io(io)->is_over);
    assert_int_equal(of_io(io)->ends, 1); /* after it */
    of_io(io)->input_ends++;
}

static void sent(torc_io *io, size_t bytes) {
    assert_false(of_io(io)->is_over);
    assert_true(bytes > 0);
    of_io(io)->sent += bytes;
}

static void connected(torc_io *io) {
    of_io(io)->connects++;
}

static void failed(torc_io *io, torc_err err) {
    assert_false(of_io(io)->is_over);
    of_io(io)->failures++;
    of_io(io)->err = err;
    of_io(io)->is_over = true;
}

static void closed(torc_io *io) {
    stream *self = of_io(io);

    assert_int_equal(self->closes, 0);
    self->closes++;
    torc_chain_clear(&self->chain);
}

static const torc_io_ops stream_ops = {
    .connected = connected,
    .received = received,
    .peer_ended = peer_ended,
    .input_ended = input_ended,
    .sent = sent,
    .failed = failed,
    .closed = closed,
};

/* The io is in memory of its own, so that a poller that touches it too late is caught. */
static stream *open_stream(int fd, int family) {
    stream *self = calloc(1, sizeof(*self));

    assert_non_null(self);
    self->got = malloc(GOT_MAX);
    self->other = -1;
    torc_chain_init(&self->chain, &reactor->chains);
    check_ok(torc_io_open(&self->io, reactor, TORC_IO_STREAM, fd, family, &stream_ops));
    return self;
}

static stream *pair(void) {
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    stream *self = open_stream(ends[0], AF_UNIX);
    self->other = ends[1];
    return self;
}

static void free_stream(stream *self) {
    if (self->closes == 0) {
        self->is_over = true;
        torc_io_close(&self->io, false);
    }
    torc_test_settle(reactor);
    assert_int_equal(self->closes, 1);
    if (self->other >= 0) close(self->other);
    free(self->got);
    free(self);
}

static void give(const stream *self, const char *text) {
    assert_int_equal(write(self->other, text, strlen(text)), (ssize_t)strlen(text));
}

static void settle(void) {
    torc_test_settle(reactor);
}

static void check_got(const stream *self, const char *text) {
    assert_int_equal(self->len, strlen(text));
    assert_memory_equal(self->got, text, self->len);
}

/* ---- receiving ---- */

static void nothing_is_received_before_it_is_started(void **state) {
    stream *self = pair();

    (void)state;
    give(self, "hello");
    settle();
    assert_int_equal(self->receives, 0);
    torc_io_receive_start(&self->io);
    assert_int_equal(self->receives, 0); /* not from inside the call */
    settle();
    check_got(self, "hello");
    free_stream(self);
}

static void receiving_goes_on(void **state) {
    stream *self = pair();

    (void)state;
    torc_io_receive_start(&self->io);
    torc_io_receive_start(&self->io);
    for (int i = 0; i < 5; i++) {
        give(self, "abc");
        settle();
    }
    check_got(self, "abcabcabcabcabc");
    free_stream(self);
}

static void what_is_not_consumed_is_given_again(void **state) {
    stream *self = pair();

    (void)state;
    self->take = 3;
    torc_io_receive_start(&self->io);
    give(self, "hello, world");
    settle();
    check_got(self, "hel");
    give(self, "!");
    settle();
    check_got(self, "hel"); /* it is stopped */
    while (self->len < 13) {
        const size_t before = self->len;
        torc_io_receive_start(&self->io);
        settle();
        assert_true(self->len > before);
    }
    check_got(self, "hello, world!");
    assert_int_equal(reactor->memory.used[TORC_MEMORY_INPUT],
                     TORC_RECEIVE_SIZE + TORC_ALLOC_OVERHEAD);
    free_stream(self);
}

static void what_is_kept_goes_with_a_close(void **state) {
    stream *self = pair();

    (void)state;
    self->take = 1;
    torc_io_receive_start(&self->io);
    give(self, "hello");
    settle();
    check_got(self, "h");
    free_stream(self);
    assert_int_equal(reactor->memory.used[TORC_MEMORY_INPUT],
                     TORC_RECEIVE_SIZE + TORC_ALLOC_OVERHEAD);
}

static void stopping_stops_after_one_more_at_most(void **state) {
    stream *self = pair();

    (void)state;
    self->then = STOP;
    torc_io_receive_start(&self->io);
    give(self, "one");
    settle();
    give(self, "two");
    settle();
    assert_true(self->receives <= 2);
    self->then = GO_ON;
    torc_io_receive_start(&self->io);
    settle();
    check_got(self, "onetwo");
    free_stream(self);
}

static void no_memory_to_keep_is_a_failure(void **state) {
    stream *self = pair();

    (void)state;
    self->take = 1;
    torc_io_receive_start(&self->io);
    give(self, "hello");
    torc_test_fail_allocation(reactor, 1);
    settle();
    torc_test_fail_allocation(reactor, 0);
    assert_int_equal(self->failures, 1);
    assert_int_equal(self->err, TORC_ERR_NO_MEMORY);
    free_stream(self);
}

static void many_bytes_come_in_order(void **state) {
    enum {
        LEN = 300000
    };
    stream *self = pair();
    char *bytes = malloc(LEN);

    (void)state;
    for (size_t i = 0; i < LEN; i++) bytes[i] = (char)(i * 7 + i / 256);
    torc_io_receive_start(&self->io);
    for (size_t given = 0; given < LEN;) {
        const ssize_t len = write(self->other, bytes + given, LEN - given);
        if (len > 0) given += (size_t)len;
        settle();
    }
    settle();
    assert_int_equal(self->len, LEN);
    assert_memory_equal(self->got, bytes, LEN);
    free(bytes);
    free_stream(self);
}

static void streams_share_what_there_is_to_receive_into(void **state) {
    enum {
        COUNT = 20
    };
    stream *each[COUNT];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        each[i] = pair();
        torc_io_receive_start(&each[i]->io);
        give(each[i], "hello");
    }
    settle();
    for (int i = 0; i < COUNT; i++) {
        check_got(each[i], "hello");
        free_stream(each[i]);
    }
}

static void closing_while_received_is_the_end(void **state) {
    for (int twice = 0; twice < 2; twice++) {
        stream *self = pair();

        (void)state;
        self->then = twice ? CLOSE_TWICE : CLOSE_IT;
        torc_io_receive_start(&self->io);
        give(self, "hello");
        settle();
        assert_int_equal(self->receives, 1);
        assert_int_equal(self->closes, 1);
        free_stream(self);
    }
}

static void receive_errors_are_told(void **state) {
    stream *self = pair();

    (void)state;
    torc_io_receive_start(&self->io);
    torc_test_fail_calls(reactor, TORC_TEST_RECEIVE, 1, 1, ECONNRESET);
    give(self, "hello");
    settle();
    assert_int_equal(self->failures, 1);
    assert_int_equal(self->err, TORC_ERR_RESET);
    free_stream(self);
}

static void interrupted_receives_are_tried_again(void **state) {
    stream *self = pair();

    (void)state;
    torc_io_receive_start(&self->io);
    torc_test_fail_calls(reactor, TORC_TEST_RECEIVE, 1, 3, EINTR);
    give(self, "hello");
    settle();
    check_got(self, "hello");
    free_stream(self);
}

static void short_receives_lose_nothing(void **state) {
    stream *self = pair();

    (void)state;
    torc_test_limit_calls(reactor, TORC_TEST_RECEIVE, 1);
    torc_io_receive_start(&self->io);
    give(self, "hello");
    settle();
    check_got(self, "hello");
    free_stream(self);
}

/* ---- the peer's end ---- */

static void the_end_comes_after_all_bytes(void **state) {
    stream *self = pair();

    (void)state;
    torc_io_receive_start(&self->io);
    give(self, "bye");
    shutdown(self->other, SHUT_WR);
    settle();
    check_got(self, "bye");
    assert_int_equal(self->ends, 1);
    assert_int_equal(self->input_ends, 1);
    settle();
    assert_int_equal(self->ends, 1);
    assert_int_equal(self->input_ends, 1);
    assert_int_equal(self->failures, 0);
    free_stream(self);
}

static void the_end_is_seen_while_stopped(void **state) {
    stream *self = pair();

    (void)state;
    give(self, "bye");
    shutdown(self->other, SHUT_WR);
    settle();
    assert_int_equal(self->ends, 1);
    assert_int_equal(self->receives, 0);
    assert_int_equal(self->input_ends, 0);
    torc_io_receive_start(&self->io);
    settle();
    check_got(self, "bye");
    assert_int_equal(self->ends, 1);
    assert_int_equal(self->input_ends, 1);
    free_stream(self);
}

/* The end was told while stopped; the end of the bytes waits until the last of them was consumed.
 */
static void the_end_of_the_input_waits_for_kept_bytes(void **state) {
    stream *self = pair();

    (void)state;
    self->take = 1;
    torc_io_receive_start(&self->io);
    give(self, "bye");
    shutdown(self->other, SHUT_WR);
    settle();
    for (int i = 1; i < 3; i++) {
        assert_int_equal(self->len, i);
        assert_int_equal(self->ends, 1);
        assert_int_equal(self->input_ends, 0);
        torc_io_receive_start(&self->io);
        settle();
    }
    check_got(self, "bye");
    torc_io_receive_start(&self->io);
    settle();
    assert_int_equal(self->input_ends, 1);
    free_stream(self);
}

static void closing_when_the_peer_ends_is_the_end(void **state) {
    stream *self = pair();

    (void)state;
    torc_io_receive_start(&self->io);
    self->closes_at_end = true;
    shutdown(self->other, SHUT_WR);
    settle();
    assert_int_equal(self->ends, 1);
    assert_int_equal(self->input_ends, 0);
    assert_int_equal(self->closes, 1);
    free_stream(self);
}

static void the_end_waits_for_kept_bytes(void **state) {
    stream *self = pair();

    (void)state;
    self->take = 2;
    torc_io_receive_start(&self->io);
    give(self, "bye");
    settle();
    check_got(self, "by");
    torc_io_receive_start(&self->io);
    shutdown(self->other, SHUT_WR);
    settle();
    check_got(self, "bye");
    assert_int_equal(self->ends, 1);
    free_stream(self);
}

static void sending_goes_on_after_the_peers_end(void **state) {
    stream *self = pair();
    char bytes[8];

    (void)state;
    torc_io_receive_start(&self->io);
    shutdown(self->other, SHUT_WR);
    settle();
    assert_int_equal(self->ends, 1);
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("late")));
    self->sent += torc_io_send(&self->io, &self->chain, 4);
    settle();
    assert_int_equal(self->sent, 4);
    assert_int_equal(read(self->other, bytes, sizeof(bytes)), 4);
    assert_int_equal(self->ends, 1);
    assert_int_equal(self->input_ends, 1);
    free_stream(self);
}

/* ---- sending ---- */

static void send_first(stream *self, size_t len) {
    self->sent += torc_io_send(&self->io, &self->chain, len);
}

/* Read from the other end, turning until `len` bytes have come. */
static void drain(stream *self, char *into, size_t len) {
    for (size_t got = 0; got < len;) {
        const ssize_t count = read(self->other, into + got, len - got);
        if (count > 0) got += (size_t)count;
        settle();
    }
}

static void what_is_sent_is_told_and_consumed(void **state) {
    stream *self = pair();
    char bytes[16];

    (void)state;
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("hello, world")));
    const size_t at_once = torc_io_send(&self->io, &self->chain, 5);
    assert_int_equal(self->sent, 0); /* not from inside the call */
    assert_int_equal(torc_io_is_sending(&self->io), at_once < 5);
    settle();
    self->sent += at_once; /* what was answered is not told again */
    assert_int_equal(self->sent, 5);
    assert_int_equal(self->chain.len, 7);
    assert_false(torc_io_is_sending(&self->io));
    assert_int_equal(read(self->other, bytes, sizeof(bytes)), 5);
    assert_memory_equal(bytes, "hello", 5);
    free_stream(self);
}

static void bytes_may_be_added_while_sending(void **state) {
    stream *self = pair();
    char bytes[16];

    (void)state;
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("hello")));
    send_first(self, 5);
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR(", world")));
    settle();
    assert_int_equal(self->sent, 5);
    send_first(self, 7);
    settle();
    assert_int_equal(self->sent, 12);
    drain(self, bytes, 12);
    assert_memory_equal(bytes, "hello, world", 12);
    free_stream(self);
}

static void a_full_peer_makes_sending_wait(void **state) {
    enum {
        LEN = 1 << 20
    };
    stream *self = pair();
    char *in = malloc(LEN), *out = malloc(LEN);

    (void)state;
    for (size_t i = 0; i < LEN; i++) in[i] = (char)(i * 13 + i / 999);
    torc_chunk *chunk = torc_chunk_copy(&reactor->memory, torc_str_make(in, LEN));
    check_ok(torc_chain_add_chunk(&self->chain, chunk, 0, LEN));
    torc_chunk_unref(chunk);
    send_first(self, LEN);
    settle();
    assert_true(self->sent < LEN);
    assert_true(torc_io_is_sending(&self->io));
    drain(self, out, LEN);
    assert_memory_equal(in, out, LEN);
    assert_int_equal(self->sent, LEN);
    free(in);
    free(out);
    free_stream(self);
}

static void short_and_interrupted_sends_lose_nothing(void **state) {
    stream *self = pair();
    char bytes[16];

    (void)state;
    torc_test_limit_calls(reactor, TORC_TEST_SEND, 1);
    torc_test_fail_calls(reactor, TORC_TEST_SEND, 2, 2, EINTR);
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("hello")));
    send_first(self, 5);
    settle();
    assert_int_equal(self->sent, 5);
    drain(self, bytes, 5);
    assert_memory_equal(bytes, "hello", 5);
    free_stream(self);
}

static void pieces_of_every_kind_leave_in_order(void **state) {
    char name[] = "/tmp/torc-test-XXXXXX", bytes[512], *expected = calloc(1, sizeof(bytes));
    const int fd = mkstemp(name);
    stream *self = pair();
    size_t len = 0;

    (void)state;
    unlink(name);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    torc_shared_file *file = torc_shared_file_new(&reactor->memory, fd);
    torc_chunk *chunk = torc_chunk_copy(&reactor->memory, TORC_STR("chunk"));
    for (int i = 0; i < 20; i++) {
        check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("page")));
        check_ok(torc_chain_add_chunk(&self->chain, chunk, 1, 3));
        check_ok(torc_chain_add_file(&self->chain, file, 2, 4));
        memcpy(expected + len, "pagehun2345", 11);
        len += 11;
    }
    torc_chunk_unref(chunk);
    torc_shared_file_unref(file);
    send_first(self, len);
    settle();
    drain(self, bytes, len);
    assert_memory_equal(bytes, expected, len);
    assert_int_equal(self->sent, len);
    free(expected);
    free_stream(self);
}

static void a_file_that_shrank_is_a_failure(void **state) {
    char name[] = "/tmp/torc-test-XXXXXX", bytes[16];
    const int fd = mkstemp(name);
    stream *self = pair();

    (void)state;
    unlink(name);
    assert_int_equal(write(fd, "0123", 4), 4);
    torc_shared_file *file = torc_shared_file_new(&reactor->memory, fd);
    check_ok(torc_chain_add_file(&self->chain, file, 0, 10));
    torc_shared_file_unref(file);
    send_first(self, 10);
    settle();
    assert_int_equal(self->sent, 4);
    assert_int_equal(self->failures, 1);
    assert_int_equal(self->err, TORC_ERR_TRUNCATED);
    assert_int_equal(read(self->other, bytes, sizeof(bytes)), 4);
    free_stream(self);
}

static void send_errors_are_told(void **state) {
    stream *self = pair();

    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_SEND, 1, 1, EPIPE);
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("hello")));
    send_first(self, 5);
    assert_int_equal(self->failures, 0); /* not from inside the call */
    settle();
    assert_int_equal(self->failures, 1);
    assert_int_equal(self->sent, 0);
    free_stream(self);
}

static void sending_to_nobody_fails_without_a_signal(void **state) {
    stream *self = pair();

    (void)state;
    close(self->other);
    self->other = -1;
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("hello")));
    send_first(self, 5);
    settle();
    assert_int_equal(self->failures, 1);
    free_stream(self);
}

static void closing_drops_what_was_being_sent(void **state) {
    stream *self = pair();
    char *bytes = calloc(1, GOT_MAX);

    (void)state;
    torc_chunk *chunk = torc_chunk_copy(&reactor->memory, torc_str_make(bytes, GOT_MAX));
    check_ok(torc_chain_add_chunk(&self->chain, chunk, 0, GOT_MAX));
    torc_chunk_unref(chunk);
    send_first(self, GOT_MAX);
    settle();
    self->is_over = true;
    torc_io_close(&self->io, false);
    assert_int_equal(self->closes, 0); /* not from inside the call */
    assert_true(self->chain.len > 0);
    settle();
    assert_int_equal(self->closes, 1);
    free(bytes);
    free_stream(self);
}

static void closing_in_the_turn_of_the_send_is_safe(void **state) {
    stream *self = pair();

    (void)state;
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("hello")));
    (void)torc_io_send(&self->io, &self->chain, 5);
    self->is_over = true;
    torc_io_close(&self->io, true);
    settle();
    assert_int_equal(self->closes, 1);
    assert_int_equal(self->sent, 0); /* nothing is told behind the close */
    free_stream(self);
}

static void shutting_down_is_the_peers_end(void **state) {
    stream *self = pair();
    char byte;

    (void)state;
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("x")));
    send_first(self, 1);
    settle();
    torc_io_shut_down(&self->io);
    settle();
    assert_int_equal(read(self->other, &byte, 1), 1);
    assert_int_equal(read(self->other, &byte, 1), 0);
    torc_io_receive_start(&self->io);
    give(self, "still");
    settle();
    check_got(self, "still");
    free_stream(self);
}

/* ---- listening and connecting, over sockets without a port ---- */

typedef struct listener {
    torc_io io;
    struct sockaddr_un addr;
    socklen_t addr_len;
    int accepts, failures, closes;
    bool close_first, stop_first;
    int fds[64];
} listener;

static listener *of_listener(torc_io *io) {
    return torc_container_of(io, listener, io);
}

static void accepted(torc_io *io, int fd) {
    listener *self = of_listener(io);

    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    self->fds[self->accepts++] = fd;
    if (self->stop_first) torc_io_receive_stop(io);
    if (self->close_first) torc_io_close(io, false);
}

static void listener_failed(torc_io *io, torc_err err) {
    assert_true(err != TORC_OK);
    of_listener(io)->failures++;
    torc_io_receive_stop(io);
}

static void listener_closed(torc_io *io) {
    of_listener(io)->closes++;
}

static const torc_io_ops listener_ops = {
    .accepted = accepted, .failed = listener_failed, .closed = listener_closed};

/* The kernel chooses an abstract name. */
static void listen_at(listener *self) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const struct sockaddr_un any = {.sun_family = AF_UNIX};

    memset(self, 0, sizeof(*self));
    self->addr_len = sizeof(self->addr);
    assert_int_equal(bind(fd, (const struct sockaddr *)&any, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&self->addr, &self->addr_len), 0);
    check_ok(torc_io_open(&self->io, reactor, TORC_IO_LISTENER, fd, AF_UNIX, &listener_ops));
}

static int connect_to(const listener *self) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&self->addr, self->addr_len), 0);
    return fd;
}

static void close_listener(listener *self) {
    torc_io_close(&self->io, false);
    settle();
    assert_int_equal(self->closes, 1);
    for (int i = 0; i < self->accepts; i++) close(self->fds[i]);
}

static void connections_are_accepted_once_started(void **state) {
    listener self;
    int fds[10];

    (void)state;
    listen_at(&self);
    for (int i = 0; i < 10; i++) fds[i] = connect_to(&self);
    settle();
    assert_int_equal(self.accepts, 0);
    torc_io_receive_start(&self.io);
    settle();
    assert_int_equal(self.accepts, 10);
    for (int i = 0; i < 10; i++) close(fds[i]);
    close_listener(&self);
}

static void accepting_stops(void **state) {
    listener self;

    (void)state;
    listen_at(&self);
    self.stop_first = true;
    torc_io_receive_start(&self.io);
    const int first = connect_to(&self), second = connect_to(&self), third = connect_to(&self);
    settle();
    assert_true(self.accepts >= 1 && self.accepts <= 2);
    self.stop_first = false;
    torc_io_receive_start(&self.io);
    settle();
    assert_int_equal(self.accepts, 3);
    close(first);
    close(second);
    close(third);
    close_listener(&self);
}

static void a_listener_closed_while_accepting_is_closed(void **state) {
    listener self;

    (void)state;
    listen_at(&self);
    self.close_first = true;
    torc_io_receive_start(&self.io);
    const int first = connect_to(&self), second = connect_to(&self);
    settle();
    assert_int_equal(self.accepts, 1);
    assert_int_equal(self.closes, 1);
    close(first);
    close(second);
    close(self.fds[0]);
}

static void a_full_table_is_told_and_survived(void **state) {
    listener self;
    char byte;

    (void)state;
    listen_at(&self);
    torc_io_receive_start(&self.io);
    torc_test_fail_calls(reactor, TORC_TEST_ACCEPT, 1, 1, EMFILE);
    const int first = connect_to(&self);
    settle();
    assert_int_equal(self.failures, 1);
    assert_int_equal(self.accepts, 0);
    assert_int_equal(read(first, &byte, 1), 0); /* it was closed, by the spare descriptor */
    const int second = connect_to(&self);
    torc_io_receive_start(&self.io);
    settle();
    assert_int_equal(self.accepts, 1);
    close(first);
    close(second);
    close_listener(&self);
}

static void accepts_that_others_gave_up_are_passed_over(void **state) {
    listener self;

    (void)state;
    listen_at(&self);
    torc_io_receive_start(&self.io);
    torc_test_fail_calls(reactor, TORC_TEST_ACCEPT, 1, 3, ECONNABORTED);
    const int first = connect_to(&self);
    settle();
    settle();
    assert_int_equal(self.accepts, 1);
    assert_int_equal(self.failures, 0);
    close(first);
    close_listener(&self);
}

static void a_connect_is_told(void **state) {
    listener self;

    (void)state;
    listen_at(&self);
    torc_io_receive_start(&self.io);
    stream *client =
        open_stream(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), AF_UNIX);
    torc_io_connect(&client->io, (const struct sockaddr *)&self.addr, self.addr_len);
    assert_int_equal(client->connects, 0);
    settle();
    assert_int_equal(client->connects, 1);
    assert_int_equal(self.accepts, 1);
    torc_io_receive_start(&client->io);
    assert_int_equal(write(self.fds[0], "hello", 5), 5);
    shutdown(self.fds[0], SHUT_WR);
    settle();
    check_got(client, "hello");
    assert_int_equal(client->ends, 1);
    free_stream(client);
    close_listener(&self);
}

static void a_connect_that_is_refused_fails(void **state) {
    struct sockaddr_un nobody = {.sun_family = AF_UNIX,
                                 .sun_path = "\0nobody listens at this name"};

    (void)state;
    stream *client =
        open_stream(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), AF_UNIX);
    torc_io_connect(&client->io, (const struct sockaddr *)&nobody, sizeof(nobody));
    settle();
    assert_int_equal(client->connects, 0);
    assert_int_equal(client->failures, 1);
    assert_int_equal(client->err, TORC_ERR_REFUSED);
    free_stream(client);
}

static void a_connect_may_be_closed(void **state) {
    listener self;

    (void)state;
    listen_at(&self);
    stream *client =
        open_stream(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), AF_UNIX);
    torc_io_connect(&client->io, (const struct sockaddr *)&self.addr, self.addr_len);
    torc_io_close(&client->io, false);
    settle();
    assert_int_equal(client->connects, 0);
    free_stream(client);
    close_listener(&self);
}

/* ---- watches ---- */

typedef struct watch {
    torc_io io;
    int ready, closes;
    uint32_t events;
    bool close_first;
    int ends[2];
} watch;

static void ready(torc_io *io, uint32_t events) {
    watch *self = torc_container_of(io, watch, io);
    char byte;

    self->ready++;
    self->events = events;
    if (events & EPOLLIN) (void)!read(self->ends[0], &byte, 1);
    if (self->close_first) torc_io_close(io, false);
}

static void watch_closed(torc_io *io) {
    watch *self = torc_container_of(io, watch, io);
    self->closes++;
}

static const torc_io_ops watch_ops = {.ready = ready, .closed = watch_closed};

static void open_watch(watch *self) {
    memset(self, 0, sizeof(*self));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, self->ends), 0);
    check_ok(torc_io_open(&self->io, reactor, TORC_IO_WATCH, self->ends[0], 0, &watch_ops));
}

static void close_watch(watch *self) {
    torc_io_close(&self->io, false);
    settle();
    assert_int_equal(self->closes, 1);
    assert_int_equal(close(self->ends[0]), 0); /* it is the owner's */
    close(self->ends[1]);
}

static void a_watch_tells_while_it_is_asked(void **state) {
    watch self;

    (void)state;
    open_watch(&self);
    assert_int_equal(write(self.ends[1], "abc", 3), 3);
    settle();
    assert_int_equal(self.ready, 0);
    torc_io_watch(&self.io, EPOLLIN);
    settle();
    assert_int_equal(self.ready, 3); /* level-triggered: one byte is read each time */
    torc_io_watch(&self.io, 0);
    assert_int_equal(write(self.ends[1], "d", 1), 1);
    settle();
    assert_int_equal(self.ready, 3);
    close_watch(&self);
}

static void a_watch_that_is_asked_nothing_does_not_tell_of_the_end(void **state) {
    watch self;

    (void)state;
    open_watch(&self);
    close(self.ends[1]);
    self.ends[1] = -1;
    settle();
    settle();
    assert_int_equal(self.ready, 0);
    assert_false(torc_reactor_is_queued(reactor)); /* and the next wait would block */
    torc_io_watch(&self.io, EPOLLIN);
    check_ok(torc_reactor_turn(reactor, 0));
    check_ok(torc_reactor_turn(reactor, 0));
    assert_true(self.ready > 0);
    assert_true((self.events & (EPOLLIN | EPOLLHUP)) != 0);
    close_watch(&self);
}

static void a_watch_may_be_closed_when_told(void **state) {
    watch self;

    (void)state;
    open_watch(&self);
    self.close_first = true;
    torc_io_watch(&self.io, EPOLLIN | EPOLLOUT);
    settle();
    assert_int_equal(self.ready, 1);
    close_watch(&self);
}

/* ---- life ---- */

static void what_cannot_be_registered_is_not_open(void **state) {
    stream self = {0};
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    torc_test_fail_calls(reactor, TORC_TEST_REGISTER, 1, 1, ENOSPC);
    check_err(torc_io_open(&self.io, reactor, TORC_IO_STREAM, ends[0], AF_UNIX, &stream_ops),
              TORC_ERR_NO_SPACE);
    close(ends[0]);
    close(ends[1]);
}

static void freeing_the_reactor_closes_what_is_open(void **state) {
    stream *self = pair();
    torc_reactor *freed = reactor;
    listener listening;

    listen_at(&listening);
    torc_io_receive_start(&listening.io);
    torc_io_receive_start(&self->io);
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("hello")));
    settle();
    torc_reactor_free(freed);
    assert_int_equal(self->failures, 1);
    assert_int_equal(self->err, TORC_ERR_STOPPING);
    assert_int_equal(self->closes, 1);
    assert_int_equal(listening.closes, 1);
    close(self->other);
    free(self->got);
    free(self);
    assert_int_equal(set_up(false), 0);
}

static void a_wait_that_fails_is_told_by_the_turn(void **state) {
    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_WAIT, 1, 1, EINTR);
    check_ok(torc_reactor_turn(reactor, 0));
    torc_test_fail_calls(reactor, TORC_TEST_WAIT, 1, 1, EBADF);
    check_err(torc_reactor_turn(reactor, 0), TORC_ERR_SYSTEM);
    check_ok(torc_reactor_turn(reactor, 0));
}

/* ---- pipes, terminals, and sockets of others ---- */

static stream *pipe_end(bool reads) {
    int ends[2];

    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    stream *self = open_stream(ends[reads ? 0 : 1], TORC_IO_PIPE);
    self->other = ends[reads ? 1 : 0];
    return self;
}

static void a_pipe_is_received_from_until_its_end(void **state) {
    enum {
        LEN = 200000
    };
    stream *self = pipe_end(true);
    char *bytes = malloc(LEN);

    (void)state;
    for (size_t i = 0; i < LEN; i++) bytes[i] = (char)(i * 7 + i / 256);
    torc_io_receive_start(&self->io);
    for (size_t given = 0; given < LEN;) {
        const ssize_t len = write(self->other, bytes + given, LEN - given);
        if (len > 0) given += (size_t)len;
        settle();
    }
    close(self->other);
    self->other = -1;
    settle();
    assert_int_equal(self->len, LEN);
    assert_memory_equal(self->got, bytes, LEN);
    assert_int_equal(self->ends, 1);
    assert_int_equal(self->input_ends, 1);
    assert_int_equal(self->failures, 0);
    free(bytes);
    free_stream(self);
}

static void the_end_of_a_pipe_is_seen_while_stopped(void **state) {
    stream *self = pipe_end(true);

    (void)state;
    give(self, "last");
    close(self->other);
    self->other = -1;
    settle();
    assert_int_equal(self->ends, 1);
    assert_int_equal(self->len, 0);
    torc_io_receive_start(&self->io);
    settle();
    check_got(self, "last");
    assert_int_equal(self->input_ends, 1);
    free_stream(self);
}

static void a_full_pipe_makes_sending_wait(void **state) {
    enum {
        LEN = 300000
    };
    stream *self = pipe_end(false);
    char *in = malloc(LEN), *out = malloc(LEN);

    (void)state;
    for (size_t i = 0; i < LEN; i++) in[i] = (char)(i * 13 + i / 999);
    check_ok(torc_chain_add_bytes(&self->chain, torc_str_make(in, LEN)));
    send_first(self, LEN);
    settle();
    assert_true(self->sent < LEN);
    drain(self, out, LEN);
    assert_memory_equal(in, out, LEN);
    assert_int_equal(self->sent, LEN);
    free(in);
    free(out);
    free_stream(self);
}

static void files_leave_through_a_pipe(void **state) {
    char name[] = "/tmp/torc-test-XXXXXX", bytes[16];
    const int fd = mkstemp(name);
    stream *self = pipe_end(false);

    (void)state;
    unlink(name);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    torc_shared_file *file = torc_shared_file_new(&reactor->memory, fd);
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("file:")));
    check_ok(torc_chain_add_file(&self->chain, file, 2, 6));
    torc_shared_file_unref(file);
    send_first(self, 11);
    settle();
    drain(self, bytes, 11);
    assert_memory_equal(bytes, "file:234567", 11);
    free_stream(self);
}

static void a_pipe_that_nobody_reads_has_failed(void **state) {
    stream *self = pipe_end(false);

    (void)state;
    close(self->other);
    self->other = -1;
    settle();
    if (!self->failures) { /* not every poller sees it before */
        check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("hello")));
        send_first(self, 5);
        settle();
    }
    assert_int_equal(self->failures, 1);
    assert_int_equal(self->err, TORC_ERR_LOST);
    free_stream(self);
}

/* A terminal hands bytes on by a thread of the kernel's. */
static void settle_until(const int *count, int least) {
    for (int i = 0; i < 10000 && *count < least; i++) {
        settle();
        poll(NULL, 0, 1);
    }
}

/* It says EIO then. */
static void a_terminal_whose_other_side_is_closed_has_ended(void **state) {
    stream *self;

    (void)state;
    if (!terminals_are_there()) skip_test("there is no /dev/pts");
    const int here = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    assert_true(here >= 0 && unlockpt(here) == 0);
    const int there = open(ptsname(here), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(there >= 0);
    self = open_stream(here, TORC_IO_PIPE);
    torc_io_receive_start(&self->io);
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("typed\n")));
    send_first(self, 6);
    settle_until(&self->receives, 1);
    check_got(self, "typed\r\n"); /* the terminal echoes */
    assert_int_equal(write(there, "line\n", 5), 5);
    settle_until(&self->receives, 2);
    check_got(self, "typed\r\nline\r\n");
    close(there);
    settle_until(&self->ends, 1);
    assert_int_equal(self->ends, 1);
    assert_int_equal(self->failures, 0);
    free_stream(self);
}

static void a_shared_socket_stays_in_its_mode(void **state) {
    enum {
        LEN = 1 << 20
    };
    char name[] = "/tmp/torc-test-XXXXXX", *out = malloc(LEN);
    const int fd = mkstemp(name);
    int ends[2];

    (void)state;
    unlink(name);
    assert_int_equal(ftruncate(fd, LEN), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    fcntl(ends[1], F_SETFL, O_RDWR | O_NONBLOCK);
    stream *self = open_stream(ends[0], TORC_IO_SHARED);
    self->other = ends[1];
    torc_io_receive_start(&self->io);
    settle(); /* and does not wait for what is not there */
    give(self, "hello");
    settle();
    check_got(self, "hello");
    torc_shared_file *file = torc_shared_file_new(&reactor->memory, fd);
    check_ok(torc_chain_add_file(&self->chain, file, 0, LEN));
    torc_shared_file_unref(file);
    send_first(self, LEN);
    settle(); /* nor for room */
    drain(self, out, LEN);
    assert_int_equal(self->sent, LEN);
    assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
    free(out);
    free_stream(self);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(nothing_is_received_before_it_is_started),
        BOTH(receiving_goes_on),
        BOTH(what_is_not_consumed_is_given_again),
        BOTH(what_is_kept_goes_with_a_close),
        BOTH(stopping_stops_after_one_more_at_most),
        BOTH(no_memory_to_keep_is_a_failure),
        BOTH(many_bytes_come_in_order),
        BOTH(streams_share_what_there_is_to_receive_into),
        BOTH(closing_while_received_is_the_end),
        BOTH(receive_errors_are_told),
        BOTH(interrupted_receives_are_tried_again),
        BOTH(short_receives_lose_nothing),
        BOTH(the_end_comes_after_all_bytes),
        BOTH(the_end_is_seen_while_stopped),
        BOTH(the_end_of_the_input_waits_for_kept_bytes),
        BOTH(closing_when_the_peer_ends_is_the_end),
        BOTH(the_end_waits_for_kept_bytes),
        BOTH(sending_goes_on_after_the_peers_end),
        BOTH(what_is_sent_is_told_and_consumed),
        BOTH(bytes_may_be_added_while_sending),
        BOTH(a_full_peer_makes_sending_wait),
        BOTH(short_and_interrupted_sends_lose_nothing),
        BOTH(pieces_of_every_kind_leave_in_order),
        BOTH(a_file_that_shrank_is_a_failure),
        BOTH(send_errors_are_told),
        BOTH(sending_to_nobody_fails_without_a_signal),
        BOTH(closing_drops_what_was_being_sent),
        BOTH(closing_in_the_turn_of_the_send_is_safe),
        BOTH(shutting_down_is_the_peers_end),
        BOTH(connections_are_accepted_once_started),
        BOTH(accepting_stops),
        BOTH(a_listener_closed_while_accepting_is_closed),
        BOTH(a_full_table_is_told_and_survived),
        BOTH(accepts_that_others_gave_up_are_passed_over),
        BOTH(a_connect_is_told),
        BOTH(a_connect_that_is_refused_fails),
        BOTH(a_connect_may_be_closed),
        BOTH(a_watch_tells_while_it_is_asked),
        BOTH(a_watch_that_is_asked_nothing_does_not_tell_of_the_end),
        BOTH(a_watch_may_be_closed_when_told),
        BOTH(what_cannot_be_registered_is_not_open),
        BOTH(freeing_the_reactor_closes_what_is_open),
        BOTH(a_wait_that_fails_is_told_by_the_turn),
        BOTH(a_pipe_is_received_from_until_its_end),
        BOTH(the_end_of_a_pipe_is_seen_while_stopped),
        BOTH(a_full_pipe_makes_sending_wait),
        BOTH(files_leave_through_a_pipe),
        BOTH(a_pipe_that_nobody_reads_has_failed),
        BOTH(a_terminal_whose_other_side_is_closed_has_ended),
        BOTH(a_shared_socket_stays_in_its_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
