/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "reactor/reactor.h"

typedef struct hand {
    torc_clock base;
    uint64_t us;
} hand;

static uint64_t hand_us(torc_clock *clock) {
    return ((hand *)(void *)clock)->us;
}

static int64_t hand_seconds(torc_clock *clock) {
    (void)clock;
    return 0;
}

static hand clock_hand = {.base = {.monotonic_us = hand_us, .wall_seconds = hand_seconds}};

static torc_reactor *make(void) {
    torc_reactor *reactor = NULL;
    clock_hand.us = 1000000;
    check_ok(torc_reactor_new_over(NULL, torc_poller_epoll_new, &clock_hand.base, &reactor));
    return reactor;
}

static void turn(torc_reactor *reactor) {
    check_ok(torc_reactor_turn(reactor, 0));
}

static void advance(torc_reactor *reactor, uint64_t ms) {
    clock_hand.us += ms * 1000;
    turn(reactor);
}

typedef struct counted {
    torc_timer timer;
    torc_call call;
    int runs;
    bool again;
} counted;

static void expired(torc_timer *timer) {
    counted *self = torc_container_of(timer, counted, timer);
    self->runs++;
    if (self->again) torc_timer_arm(timer, 0);
}

static void called(torc_call *call) {
    counted *self = torc_container_of(call, counted, call);
    self->runs++;
}

static void timer_waits_as_long_as_it_was_told(void **state) {
    torc_reactor *reactor = make();
    counted note = {0};

    (void)state;
    torc_timer_init(&note.timer, reactor, expired);
    torc_timer_arm(&note.timer, 10);
    advance(reactor, 9);
    assert_int_equal(note.runs, 0);
    advance(reactor, 1);
    assert_int_equal(note.runs, 1);
    assert_false(torc_timer_is_armed(&note.timer));
    torc_reactor_free(reactor);
}

static void stops(torc_timer *timer) {
    torc_reactor_stop(timer->reactor);
}

/* With nothing else to wait for, one that slept after that would sleep for ever. */
static void a_timer_may_stop_the_reactor(void **state) {
    torc_reactor *reactor = make();
    torc_timer timer;

    (void)state;
    torc_timer_init(&timer, reactor, stops);
    torc_timer_arm(&timer, 0);
    check_ok(torc_reactor_run(reactor));
    assert_false(torc_timer_is_armed(&timer));
    torc_reactor_free(reactor);
}

static void timer_armed_with_no_delay_waits_a_turn(void **state) {
    torc_reactor *reactor = make();
    counted note = {.again = true};

    (void)state;
    torc_timer_init(&note.timer, reactor, expired);
    note.again = true;
    torc_timer_arm(&note.timer, 0);
    turn(reactor);
    assert_int_equal(note.runs, 1);
    turn(reactor);
    assert_int_equal(note.runs, 2);
    torc_timer_cancel(&note.timer);
    torc_reactor_free(reactor);
}

typedef struct repeating {
    torc_call call;
    torc_reactor *reactor;
    int runs;
} repeating;

static void repeat(torc_call *call) {
    repeating *self = torc_container_of(call, repeating, call);
    self->runs++;
    torc_reactor_post(self->reactor, call);
}

static void call_that_posts_itself_runs_eight_rounds_a_turn(void **state) {
    torc_reactor *reactor = make();
    repeating self = {.call = {.run = repeat}, .reactor = reactor};

    (void)state;
    torc_reactor_post(reactor, &self.call);
    turn(reactor);
    assert_int_equal(self.runs % TORC_TURN_ROUNDS, 0);
    assert_true(torc_call_is_posted(&self.call));
    torc_call_cancel(&self.call);
    torc_reactor_free(reactor);
}

static void posting_twice_runs_once(void **state) {
    torc_reactor *reactor = make();
    counted note = {.call = {.run = called}};

    (void)state;
    torc_reactor_post(reactor, &note.call);
    torc_reactor_post(reactor, &note.call);
    turn(reactor);
    assert_int_equal(note.runs, 1);
    torc_reactor_free(reactor);
}

typedef struct stream {
    torc_io io;
    char got[64];
    size_t len, take;
    size_t sent;
    int ended, failed, closed;
} stream;

static stream *stream_of(torc_io *io) {
    return torc_container_of(io, stream, io);
}

static size_t received(torc_io *io, torc_str bytes) {
    stream *self = stream_of(io);
    const size_t len = bytes.len < self->take ? bytes.len : self->take;
    memcpy(self->got + self->len, bytes.bytes, len);
    self->len += len;
    return len;
}

static void peer_ended(torc_io *io) {
    stream_of(io)->ended++;
}

static void sent(torc_io *io, size_t bytes) {
    stream_of(io)->sent += bytes;
}

static void failed(torc_io *io, torc_err err) {
    (void)err;
    stream_of(io)->failed++;
}

static void closed(torc_io *io) {
    stream_of(io)->closed++;
}

static const torc_io_ops stream_ops = {.received = received,
                                       .peer_ended = peer_ended,
                                       .sent = sent,
                                       .failed = failed,
                                       .closed = closed};

static void bytes_that_are_not_consumed_are_given_again(void **state) {
    torc_reactor *reactor = make();
    stream self = {.take = 3};
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    check_ok(torc_io_open(&self.io, reactor, TORC_IO_STREAM, ends[0], AF_UNIX, &stream_ops));
    torc_io_receive_start(&self.io);
    assert_int_equal(write(ends[1], "hello", 5), 5);
    turn(reactor);
    turn(reactor);
    assert_int_equal(self.len, 3);
    torc_io_receive_start(&self.io);
    turn(reactor);
    assert_int_equal(self.len, 5);
    assert_memory_equal(self.got, "hello", 5);
    close(ends[1]);
    turn(reactor);
    turn(reactor);
    assert_int_equal(self.ended, 1);
    torc_io_close(&self.io, false);
    assert_int_equal(self.closed, 0);
    turn(reactor);
    assert_int_equal(self.closed, 1);
    torc_reactor_free(reactor);
}

static void what_leaves_at_once_is_the_answer(void **state) {
    torc_reactor *reactor = make();
    stream self = {.take = 64};
    torc_chain chain;
    char got[8];
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    check_ok(torc_io_open(&self.io, reactor, TORC_IO_STREAM, ends[0], AF_UNIX, &stream_ops));
    torc_chain_init(&chain, &reactor->chains);
    check_ok(torc_chain_add_bytes(&chain, TORC_STR("hello")));
    assert_int_equal(torc_io_send(&self.io, &chain, 5), 5);
    assert_int_equal(chain.len, 0);
    assert_false(torc_io_is_sending(&self.io));
    turn(reactor);
    assert_int_equal(self.sent, 0); /* not told again */
    assert_int_equal(read(ends[1], got, sizeof(got)), 5);
    torc_io_close(&self.io, false);
    turn(reactor);
    close(ends[1]);
    torc_reactor_free(reactor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timer_waits_as_long_as_it_was_told),
        cmocka_unit_test(a_timer_may_stop_the_reactor),
        cmocka_unit_test(timer_armed_with_no_delay_waits_a_turn),
        cmocka_unit_test(call_that_posts_itself_runs_eight_rounds_a_turn),
        cmocka_unit_test(posting_twice_runs_once),
        cmocka_unit_test(bytes_that_are_not_consumed_are_given_again),
        cmocka_unit_test(what_leaves_at_once_is_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
