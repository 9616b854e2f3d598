/* SPDX-License-Identifier: MIT */
/*
 * The bounds of the reactor's turn: nothing holds it for ever, and what is left goes on in the next
 * turn, which then does not wait.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <torc/testing.h>
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

static void turn(void) {
    check_ok(torc_reactor_turn(reactor, 0));
}

/* ---- timers: 1 ms of those that are due ---- */

enum {
    TIMERS = 100
};

static int expirations;
static uint64_t cost_us;

static void expired(torc_timer *timer) {
    (void)timer;
    expirations++;
    torc_test_spend_us(reactor, cost_us);
}

static void timers_have_a_millisecond(void **state) {
    torc_timer timers[TIMERS];

    (void)state;
    expirations = 0;
    cost_us = 100;
    for (int i = 0; i < TIMERS; i++) {
        torc_timer_init(&timers[i], reactor, expired);
        torc_timer_arm(&timers[i], 0);
    }
    turn();
    assert_int_equal(expirations, 16); /* the clock is looked at then, and 1.6 ms have passed */
    turn();
    assert_int_equal(expirations, 32);
    for (int i = 0; i < 10; i++) turn();
    assert_int_equal(expirations, TIMERS);
}

static void quick_timers_all_expire_in_a_turn(void **state) {
    torc_timer timers[TIMERS];

    (void)state;
    expirations = 0;
    cost_us = 9;
    for (int i = 0; i < TIMERS; i++) {
        torc_timer_init(&timers[i], reactor, expired);
        torc_timer_arm(&timers[i], 0);
    }
    turn();
    assert_int_equal(expirations, TIMERS);
}

/* ---- the queue: 8 rounds, or 1 ms ---- */

typedef struct posting {
    torc_call call;
    int runs;
} posting;

static void post_again(torc_call *call) {
    torc_container_of(call, posting, call)->runs++;
    torc_test_spend_us(reactor, cost_us);
    torc_reactor_post(reactor, call);
}

static void run_once(torc_call *call) {
    torc_container_of(call, posting, call)->runs++;
    torc_test_spend_us(reactor, cost_us);
}

static void the_queue_has_eight_rounds(void **state) {
    posting self = {.call = {.run = post_again}};

    (void)state;
    cost_us = 0;
    torc_reactor_post(reactor, &self.call);
    turn();
    assert_int_equal(self.runs, 8);
    assert_true(torc_reactor_is_queued(reactor));
    turn();
    assert_int_equal(self.runs, 16);
    torc_call_cancel(&self.call);
}

static void or_a_millisecond(void **state) {
    posting self = {.call = {.run = post_again}};

    (void)state;
    cost_us = 300;
    torc_reactor_post(reactor, &self.call);
    turn();
    assert_int_equal(self.runs, 4); /* 1.2 ms have passed then */
    torc_call_cancel(&self.call);
}

typedef struct threads_posting {
    torc_thread_call call;
    int number;
} threads_posting;

static int thread_calls;

static void run_in_order(torc_thread_call *call) {
    assert_int_equal(torc_container_of(call, threads_posting, call)->number, thread_calls);
    thread_calls++;
    torc_test_spend_us(reactor, cost_us);
}

/* What came when some were left goes behind them; what is posted here is not held up. */
static void calls_of_threads_have_the_same_millisecond(void **state) {
    threads_posting calls[40];
    posting own = {.call = {.run = run_once}};

    (void)state;
    thread_calls = 0;
    cost_us = 200;
    for (int i = 0; i < 40; i++) {
        calls[i] = (threads_posting){.call = {.run = run_in_order}, .number = i};
        if (i < 20) torc_reactor_call_from_thread(reactor, &calls[i].call);
    }
    torc_reactor_post(reactor, &own.call);
    turn();
    assert_int_equal(thread_calls, 8); /* the clock is looked at then, and 1.6 ms have passed */
    assert_int_equal(own.runs, 1);
    assert_true(torc_reactor_is_queued(reactor));
    for (int i = 20; i < 40; i++) torc_reactor_call_from_thread(reactor, &calls[i].call);
    for (int i = 0; i < 10; i++) turn();
    assert_int_equal(thread_calls, 40);
    assert_false(torc_reactor_is_queued(reactor));
}

static void a_long_round_is_left_as_well(void **state) {
    enum {
        CALLS = 100
    };
    posting calls[CALLS] = {0}, last = {.call = {.run = run_once}};
    int runs = 0;

    (void)state;
    cost_us = 150;
    for (int i = 0; i < CALLS; i++) {
        calls[i].call.run = run_once;
        torc_reactor_post(reactor, &calls[i].call);
    }
    turn();
    for (int i = 0; i < CALLS; i++) runs += calls[i].runs;
    assert_int_equal(runs, 8); /* the clock is looked at then, and 1.2 ms have passed */
    assert_int_equal(calls[7].runs, 1);
    torc_reactor_post(reactor, &last.call); /* goes behind those that were left */
    turn();
    assert_int_equal(calls[15].runs, 1);
    assert_int_equal(calls[16].runs, 0);
    for (int i = 0; i < 20; i++) turn();
    assert_int_equal(calls[CALLS - 1].runs, 1);
    assert_int_equal(last.runs, 1);
}

/* What has come meanwhile is delivered all the same: the queue does not starve the peers. */
static void a_busy_queue_lets_timers_and_peers_through(void **state) {
    posting self = {.call = {.run = post_again}};
    torc_timer timer;

    (void)state;
    cost_us = 0;
    expirations = 0;
    torc_timer_init(&timer, reactor, expired);
    torc_timer_arm(&timer, 5);
    torc_reactor_post(reactor, &self.call);
    turn();
    assert_int_equal(expirations, 0);
    torc_test_spend_us(reactor, 5000);
    turn();
    assert_int_equal(expirations, 1);
    torc_call_cancel(&self.call);
}

/* ---- completions: 32, or 64 pages, or 500 us, before the queue and the outputs ---- */

enum {
    STREAMS = 100,
    PAGES_EACH = 5
};

typedef struct stream {
    torc_io io;
    torc_chain chain;
    torc_call call;
    torc_flushable flushable;
    size_t received, sent;
    int receives, other;
    torc_page *pages[PAGES_EACH]; /* taken while the first round is delivered */
    bool restarts;                /* stops and starts receiving when it was given something */
    uint64_t receives_in_turn, turn;
} stream;

static stream *streams;
static int delivered, flushes, delivered_at_flush, calls_run, delivered_at_call;
static bool takes_pages;
static int most_in_turn;
static size_t most_sent_in_turn;

static stream *of_io(torc_io *io) {
    return torc_container_of(io, stream, io);
}

static size_t received(torc_io *io, torc_str bytes) {
    stream *self = of_io(io);

    if (self->turn != reactor->turns) self->receives_in_turn = 0;
    self->turn = reactor->turns;
    if ((int)++self->receives_in_turn > most_in_turn) most_in_turn = (int)self->receives_in_turn;
    self->received += bytes.len;
    self->receives++;
    delivered++;
    if (self->restarts) torc_io_receive_stop(io);
    if (self->restarts) torc_io_receive_start(io);
    for (int i = 0; takes_pages && i < PAGES_EACH; i++)
        self->pages[i] = torc_page_take(&reactor->pages, TORC_MEMORY_ARENA);
    torc_test_spend_us(reactor, cost_us);
    torc_reactor_flush_later(reactor, &self->flushable);
    torc_reactor_post(reactor, &self->call);
    return bytes.len;
}

static void flushed(torc_flushable *flushable) {
    (void)flushable;
    if (flushes++ == 0) delivered_at_flush = delivered;
}

static void called(torc_call *call) {
    (void)call;
    if (calls_run++ == 0) delivered_at_call = delivered;
}

static void peer_ended(torc_io *io) {
    (void)io;
}

static void sent(torc_io *io, size_t bytes) {
    of_io(io)->sent += bytes;
}

static void failed(torc_io *io, torc_err err) {
    (void)io;
    (void)err;
}

static void closed(torc_io *io) {
    torc_chain_clear(&of_io(io)->chain);
}

static const torc_io_ops io_ops = {.received = received,
                                   .peer_ended = peer_ended,
                                   .sent = sent,
                                   .failed = failed,
                                   .closed = closed};

static int open_streams(void **state) {
    if (set_up(state)) return -1;
    delivered = flushes = delivered_at_flush = calls_run = delivered_at_call = most_in_turn = 0;
    most_sent_in_turn = 0;
    cost_us = 0;
    takes_pages = false;
    streams = calloc(STREAMS, sizeof(*streams));
    for (int i = 0; i < STREAMS; i++) {
        stream *self = &streams[i];
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends)) return -1;
        self->other = ends[1];
        self->flushable.flush = flushed;
        self->call.run = called;
        torc_chain_init(&self->chain, &reactor->chains);
        if (torc_io_open(&self->io, reactor, TORC_IO_STREAM, ends[0], AF_UNIX, &io_ops)) return -1;
        torc_io_receive_start(&self->io);
    }
    turn();
    return 0;
}

static int close_streams(void **state) {
    for (int i = 0; i < STREAMS; i++) {
        torc_io_close(&streams[i].io, false);
        close(streams[i].other);
    }
    const int err = tear_down(state);
    free(streams);
    return err;
}

static void give_all(void) {
    for (int i = 0; i < STREAMS; i++) assert_int_equal(write(streams[i].other, "hello", 5), 5);
}

static void after_32_completions_outputs_are_flushed(void **state) {
    (void)state;
    give_all();
    turn();
    assert_int_equal(delivered, STREAMS); /* all in one turn */
    assert_int_equal(delivered_at_flush, TORC_TURN_COMPLETIONS);
    assert_int_equal(delivered_at_call, TORC_TURN_COMPLETIONS);
    assert_int_equal(flushes, STREAMS);
    assert_int_equal(calls_run, STREAMS);
}

static void or_after_half_a_millisecond(void **state) {
    (void)state;
    cost_us = 70;
    give_all();
    turn();
    assert_int_equal(delivered_at_flush,
                     8); /* the clock is looked at then, and 560 us have passed */
    assert_int_equal(delivered_at_call, 8);
    for (int i = 0; i < 10; i++) turn();
    assert_int_equal(delivered, STREAMS);
}

/* They are looked at with the clock, after eight completions each time. */
static void or_after_64_pages(void **state) {
    (void)state;
    takes_pages = true;
    give_all();
    turn();
    assert_int_equal(delivered_at_flush, 16); /* 40 pages were not enough, 80 are */
    assert_int_equal(delivered, STREAMS);
    for (int i = 0; i < STREAMS; i++)
        for (int k = 0; k < PAGES_EACH; k++) torc_page_unref(streams[i].pages[k]);
}

/* Peers that have sent much are given a part each a turn, and the same one is not given twice. */
static void a_stream_receives_once_a_turn(void **state) {
    enum {
        EACH = 150000
    };
    static char bytes[EACH];

    (void)state;
    streams[1].restarts = true; /* which gives it no more than the others */
    for (int i = 0; i < 3; i++)
        assert_true(write(streams[i].other, bytes, EACH) > TORC_RECEIVE_SIZE);
    turn();
    for (int i = 0; i < 3; i++) assert_int_equal(streams[i].receives, 1);
    turn(); /* without waiting: there is more */
    for (int i = 0; i < 3; i++) assert_int_equal(streams[i].receives, 2);
    torc_test_settle(reactor);
    assert_int_equal(most_in_turn, 1);
}

static size_t drain(int fd) {
    static char bytes[65536];
    size_t total = 0;
    ssize_t len;

    while ((len = read(fd, bytes, sizeof(bytes))) > 0) total += (size_t)len;
    return total;
}

/* 256 KiB a turn leave, though the kernel would take more at once. */
static void a_stream_sends_its_share_a_turn(void **state) {
    enum {
        LEN = 1000000
    };
    stream *self = &streams[0];
    char *bytes = calloc(1, LEN);
    const int room = 2 * LEN;
    size_t total = 0;

    (void)state;
    setsockopt(self->io.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    torc_chunk *chunk = torc_chunk_copy(&reactor->memory, torc_str_make(bytes, LEN));
    check_ok(torc_chain_add_chunk(&self->chain, chunk, 0, LEN));
    torc_chunk_unref(chunk);
    self->sent += torc_io_send(&self->io, &self->chain, LEN);
    for (int i = 0; i < 100 && total < LEN; i++) {
        const size_t came =
            drain(self->other); /* the first share left from inside torc_io_send() */
        total += came;
        if (came > most_sent_in_turn) most_sent_in_turn = came;
        turn();
    }
    assert_int_equal(total, LEN);
    assert_int_equal(self->sent, LEN);
    assert_true(most_sent_in_turn <= TORC_TURN_SEND_MAX);
    assert_true(most_sent_in_turn >= 64 * 1024);
    free(bytes);
}

/* Calls that are interrupted are made again, and nobody else waits for that. */
static void others_go_on_beside_an_interrupted_send(void **state) {
    stream *self = &streams[0];

    (void)state;
    check_ok(torc_chain_add_bytes(&self->chain, TORC_STR("hello")));
    torc_test_fail_calls(reactor, TORC_TEST_SEND, 1, 3, EINTR);
    self->sent += torc_io_send(&self->io, &self->chain, 5);
    give_all();
    turn();
    assert_int_equal(self->sent, 5);
    assert_int_equal(delivered, STREAMS);
}

/* ---- outputs ---- */

static void flush_again(torc_flushable *flushable) {
    flushes++;
    torc_reactor_flush_next_turn(reactor, flushable);
}

static void an_output_that_has_sent_its_share_waits_a_turn(void **state) {
    torc_flushable flushable = {.flush = flush_again};

    (void)state;
    flushes = 0;
    torc_reactor_flush_later(reactor, &flushable);
    torc_reactor_flush_later(reactor, &flushable);
    turn();
    assert_int_equal(flushes, 1);
    assert_true(torc_reactor_is_queued(reactor));
    turn();
    assert_int_equal(flushes, 2);
    torc_flushable_cancel(&flushable);
    turn();
    assert_int_equal(flushes, 2);
}

/* ---- stopping ---- */

static void stop_it(torc_call *call) {
    torc_container_of(call, posting, call)->runs++;
    torc_reactor_stop(reactor);
}

static void running_ends_with_the_turn_that_stops_it(void **state) {
    posting stop = {.call = {.run = stop_it}}, later = {.call = {.run = run_once}};

    (void)state;
    cost_us = 0;
    torc_reactor_post(reactor, &stop.call);
    torc_reactor_post(reactor, &later.call);
    check_ok(torc_reactor_run(reactor));
    assert_int_equal(stop.runs, 1);
    assert_int_equal(later.runs, 1); /* the turn was ended */
    torc_reactor_post(reactor, &stop.call);
    check_ok(torc_reactor_run(reactor)); /* it may run again */
    assert_int_equal(stop.runs, 2);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define STREAMS_TEST(name) cmocka_unit_test_setup_teardown(name, open_streams, close_streams)
    const struct CMUnitTest tests[] = {
        TEST(timers_have_a_millisecond),
        TEST(quick_timers_all_expire_in_a_turn),
        TEST(the_queue_has_eight_rounds),
        TEST(or_a_millisecond),
        TEST(calls_of_threads_have_the_same_millisecond),
        TEST(a_long_round_is_left_as_well),
        TEST(a_busy_queue_lets_timers_and_peers_through),
        STREAMS_TEST(after_32_completions_outputs_are_flushed),
        STREAMS_TEST(or_after_64_pages),
        STREAMS_TEST(or_after_half_a_millisecond),
        STREAMS_TEST(a_stream_receives_once_a_turn),
        STREAMS_TEST(a_stream_sends_its_share_a_turn),
        STREAMS_TEST(others_go_on_beside_an_interrupted_send),
        TEST(an_output_that_has_sent_its_share_waits_a_turn),
        TEST(running_ends_with_the_turn_that_stops_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
