/* SPDX-License-Identifier: MIT */
/*
 * What torc/transport.h and torc/protocol.h promise, over memory and sockets, early and late,
 * scrambled and not.
 */
#include "link.h"

static char *pattern_of(size_t len) {
    char *bytes = malloc(len);

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) bytes[i] = (char)('a' + (i * 7 + i / 251) % 23);
    return bytes;
}

/* ---- receiving ---- */

static void bytes_are_received(link_ends *self) {
    link_send(self, TORC_STR("hello"));
    link_settle(self);
    check_got(&self->probe, "hello");
    link_send(self, TORC_STR(", world"));
    link_settle(self);
    check_got(&self->probe, "hello, world");
}

static void many_bytes_are_received_in_order(link_ends *self) {
    enum {
        LEN = 200000
    };
    char *bytes = pattern_of(LEN);

    link_send(self, torc_str_make(bytes, LEN));
    link_settle(self);
    assert_int_equal(self->probe.len, LEN);
    assert_memory_equal(self->probe.got, bytes, LEN);
    free(bytes);
}

static void nothing_is_kept_while_idle(link_ends *self) {
    const size_t idle = self->reactor->memory.used[TORC_MEMORY_INPUT];

    link_send(self, TORC_STR("hello"));
    link_settle(self);
    check_got(&self->probe, "hello");
    assert_int_equal(self->reactor->memory.used[TORC_MEMORY_INPUT], idle);
    assert_int_equal(self->reactor->memory.used[TORC_MEMORY_OUTPUT], 0);
}

static void what_is_not_consumed_is_given_again(link_ends *self) {
    self->probe.take = 3;
    link_send(self, TORC_STR("hello, world"));
    link_settle(self);
    assert_true(self->probe.len > 0 && self->probe.len < 12);
    for (int i = 0; i < 12 && self->probe.len < 12; i++) {
        const size_t before = self->probe.len;
        torc_transport_resume(link_transport(self));
        link_settle(self);
        assert_true(self->probe.len > before);
    }
    check_got(&self->probe, "hello, world");
}

static void a_pause_lets_one_delivery_pass_at_most(link_ends *self) {
    link_send(self, TORC_STR("one"));
    link_settle(self);
    torc_transport_pause(link_transport(self));
    torc_transport_pause(link_transport(self));
    const int before = self->probe.receives;
    link_send(self, TORC_STR("two"));
    link_settle(self);
    link_send(self, TORC_STR("three"));
    link_settle(self);
    assert_true(self->probe.receives <= before + 1);
    torc_transport_resume(link_transport(self));
    link_settle(self);
    check_got(&self->probe, "onetwothree");
}

static void pause_it(probe *self) {
    torc_transport_pause(self->base.transport);
}

static void pausing_while_receiving_stops(link_ends *self) {
    self->probe.received = pause_it;
    link_send(self, TORC_STR("one"));
    link_settle(self);
    const int receives = self->probe.receives;
    link_send(self, TORC_STR("two"));
    link_settle(self);
    assert_int_equal(self->probe.receives, receives);
    self->probe.received = NULL;
    torc_transport_resume(link_transport(self));
    link_settle(self);
    check_got(&self->probe, "onetwo");
}

static void pause_and_resume(probe *self) {
    torc_transport_pause(self->base.transport);
    torc_transport_resume(self->base.transport);
}

static void pausing_and_resuming_while_receiving_goes_on(link_ends *self) {
    self->probe.received = pause_and_resume;
    for (int i = 0; i < 5; i++) {
        link_send(self, TORC_STR("abc"));
        link_settle(self);
    }
    check_got(&self->probe, "abcabcabcabcabc");
}

/* ---- sending ---- */

static void what_is_written_arrives_in_order(link_ends *self) {
    torc_transport_write(link_transport(self), TORC_STR("one "));
    torc_transport_write(link_transport(self), TORC_STR(""));
    torc_transport_write(link_transport(self), TORC_STR("two "));
    link_settle(self);
    torc_transport_write(link_transport(self), TORC_STR("three"));
    link_settle(self);
    check_str(link_written(self), "one two three");
    assert_int_equal(torc_transport_unsent(link_transport(self)), 0);
}

static void what_a_turn_writes_leaves_at_once(link_ends *self) {
    if (self->kind != LINK_MEMORY && self->kind != LINK_EPOLL) return;
    torc_test_fail_calls(self->reactor, TORC_TEST_SEND, 0, 0, 0);
    for (int i = 0; i < 16; i++) torc_transport_write(link_transport(self), TORC_STR("response "));
    link_settle(self);
    assert_int_equal(link_written(self).len, 16 * 9);
    if (self->memory)
        assert_int_equal(torc_test_connection_send_count(self->memory), 1);
    else
        assert_int_equal(torc_test_call_count(self->reactor, TORC_TEST_SEND), 1);
}

static void much_is_sent_over_turns(link_ends *self) {
    enum {
        LEN = 3 * TORC_TURN_SEND_MAX / 2
    };
    char *bytes = pattern_of(LEN);

    torc_transport_write(link_transport(self), torc_str_make(bytes, LEN));
    check_ok(torc_reactor_turn(self->reactor, 0));
    assert_true(torc_transport_unsent(link_transport(self)) > 0);
    link_settle(self);
    assert_int_equal(link_written(self).len, LEN);
    assert_memory_equal(link_written(self).bytes, bytes, LEN);
    free(bytes);
}

static void ranges_of_files_are_sent(link_ends *self) {
    enum {
        LEN = 150000
    };
    char *bytes = pattern_of(LEN);
    const int fd = link_open_file(torc_str_make(bytes, LEN));

    torc_transport_write(link_transport(self), TORC_STR("<"));
    torc_transport_write_file(link_transport(self), fd, 5, LEN - 10);
    torc_transport_write(link_transport(self), TORC_STR(">"));
    link_settle(self);
    const torc_str written = link_written(self);
    assert_int_equal(written.len, LEN - 10 + 2);
    assert_memory_equal(written.bytes + 1, bytes + 5, LEN - 10);
    assert_int_equal(written.bytes[0], '<');
    assert_int_equal(written.bytes[written.len - 1], '>');
    assert_false(link_is_open(fd));
    free(bytes);
}

static void an_empty_range_is_nothing(link_ends *self) {
    const int fd = link_open_file(TORC_STR("abc"));

    torc_transport_write_file(link_transport(self), fd, 1, 0);
    assert_false(link_is_open(fd));
    link_settle(self);
    check_str(link_written(self), "");
    assert_int_equal(self->probe.losts, 0);
}

static void a_file_that_is_shorter_aborts(link_ends *self) {
    const int fd = link_open_file(TORC_STR("abc"));

    torc_transport_write_file(link_transport(self), fd, 1, 10);
    link_settle(self);
    check_err(self->probe.reason, TORC_ERR_TRUNCATED);
    assert_int_equal(self->probe.losts, 1);
    assert_false(link_is_open(fd));
}

static void a_file_written_to_nobody_is_closed(link_ends *self) {
    const int fd = link_open_file(TORC_STR("abc"));

    torc_transport_close(link_transport(self));
    torc_transport_write_file(link_transport(self), fd, 0, 3);
    assert_false(link_is_open(fd));
    link_settle(self);
    check_str(link_written(self), "");
}

static void a_file_that_waits_is_closed_with_the_connection(link_ends *self) {
    const int fd = link_open_file(TORC_STR("abc"));

    link_hold_back(self);
    torc_transport_write_file(link_transport(self), fd, 0, 3);
    torc_transport_abort(link_transport(self));
    torc_test_settle(self->reactor);
    torc_test_finish_jobs(self->reactor);
    torc_test_settle(self->reactor);
    assert_false(link_is_open(fd));
    assert_int_equal(self->probe.losts, 1);
}

/* ---- marks ---- */

/* Write until the link takes no more, and say how much that was. */
static size_t fill(link_ends *self) {
    char bytes[1000];
    size_t total = 0;

    memset(bytes, 'x', sizeof(bytes));
    link_hold_back(self);
    while (torc_transport_room(link_transport(self)) > 0) {
        torc_transport_write(link_transport(self), torc_str_make(bytes, sizeof(bytes)));
        total += sizeof(bytes);
        if (torc_transport_room(link_transport(self)) == 0) torc_test_settle(self->reactor);
        assert_true(total < 100000000);
    }
    return total;
}

static void room_shrinks_and_drained_tells(link_ends *self) {
    assert_int_equal(torc_transport_room(link_transport(self)), 64 * 1024);
    const size_t total = fill(self);
    assert_int_equal(torc_transport_room(link_transport(self)), 0);
    assert_true(torc_transport_unsent(link_transport(self)) > 16 * 1024);
    const int drains = self->probe.drains;
    link_take(self);
    assert_int_equal(self->probe.drains, drains + 1);
    assert_int_equal(torc_transport_room(link_transport(self)), 64 * 1024);
    assert_int_equal(link_written(self).len, total);
}

static void marks_may_be_set(link_ends *self) {
    torc_transport_set_marks(link_transport(self), 10, 100);
    assert_int_equal(torc_transport_room(link_transport(self)), 100);
    torc_transport_write(link_transport(self), TORC_STR("0123456789"));
    assert_int_equal(torc_transport_room(link_transport(self)), 90);
    link_settle(self);
    assert_int_equal(self->probe.drains, 0); /* it was never full */
    assert_int_equal(torc_transport_room(link_transport(self)), 100);
}

static void more_than_the_maximum_aborts(link_ends *self) {
    char bytes[1000] = {0};

    link_transport(self)->output_max = 10000;
    link_hold_back(self);
    for (int i = 0; i < 11 && !torc_transport_is_closing(link_transport(self)); i++)
        torc_transport_write(link_transport(self), torc_str_make(bytes, sizeof(bytes)));
    assert_true(torc_transport_is_closing(link_transport(self)));
    torc_test_settle(self->reactor);
    check_err(self->probe.reason, TORC_ERR_LIMIT);
}

static void as_much_as_the_maximum_is_fine(link_ends *self) {
    char bytes[1000] = {0};

    link_transport(self)->output_max = 10000;
    for (int i = 0; i < 10; i++)
        torc_transport_write(link_transport(self), torc_str_make(bytes, sizeof(bytes)));
    link_settle(self);
    assert_int_equal(link_written(self).len, 10000);
    assert_int_equal(self->probe.losts, 0);
}

static void a_file_may_be_larger_than_the_maximum(link_ends *self) {
    enum {
        LEN = 50000
    };
    char *bytes = pattern_of(LEN);

    link_transport(self)->output_max = 10000;
    torc_transport_write_file(link_transport(self), link_open_file(torc_str_make(bytes, LEN)), 0,
                              LEN);
    torc_transport_write(link_transport(self), TORC_STR("!"));
    link_settle(self);
    assert_int_equal(link_written(self).len, LEN + 1);
    assert_int_equal(self->probe.losts, 0);
    free(bytes);
}

/* ---- producers ---- */

typedef struct feeder {
    torc_producer base;
    link_ends *link;
    const probe *probe; /* stop must come before its connection_lost */
    bool is_inside;     /* a call of the transport: nothing may come */
    bool is_paused;
    int pauses, resumes, stops;
    size_t piece, left;
} feeder;

static feeder *of_producer(torc_producer *producer) {
    return torc_container_of(producer, feeder, base);
}

static void feed(feeder *self) {
    char bytes[1000];
    const size_t len = self->left < self->piece ? self->left : self->piece;

    memset(bytes, 'p', sizeof(bytes));
    self->left -= len;
    self->is_inside = true;
    torc_transport_write(link_transport(self->link), torc_str_make(bytes, len));
    if (self->left == 0) torc_transport_unregister_producer(link_transport(self->link));
    self->is_inside = false;
}

static void paused(torc_producer *producer) {
    feeder *self = of_producer(producer);

    assert_false(self->is_inside);
    assert_false(self->is_paused);
    self->is_paused = true;
    self->pauses++;
}

static void resumed(torc_producer *producer) {
    feeder *self = of_producer(producer);

    assert_false(self->is_inside);
    assert_true(self->is_paused);
    self->is_paused = false;
    self->resumes++;
}

static void pulled(torc_producer *producer) {
    feeder *self = of_producer(producer);

    assert_false(self->is_inside);
    self->resumes++;
    if (self->left > 0) feed(self);
}

static void stopped(torc_producer *producer) {
    feeder *self = of_producer(producer);

    assert_false(self->is_inside);
    assert_int_equal(self->probe->losts, 0);
    self->stops++;
}

static const torc_producer_ops push_ops = {.pause = paused, .resume = resumed, .stop = stopped};
static const torc_producer_ops pull_ops = {.pause = paused, .resume = pulled, .stop = stopped};

static feeder feeder_of(link_ends *self, const torc_producer_ops *ops, size_t left) {
    return (feeder){
        .base = {ops}, .link = self, .probe = &self->probe, .piece = 1000, .left = left};
}

/* Everything is full and the peer takes nothing, and then more is written: the pause comes all the
 * same. */
static void a_push_producer_is_paused_and_resumed(link_ends *self) {
    feeder producer = feeder_of(self, &push_ops, SIZE_MAX);
    size_t given = 0;

    check_ok(torc_transport_register_producer(link_transport(self), &producer.base, true));
    link_hold_back(self);
    for (int i = 0; i < 10000 && !producer.is_paused; i++) {
        feed(&producer);
        given += producer.piece;
        check_ok(torc_reactor_turn(self->reactor, 0));
    }
    assert_true(producer.is_paused);
    torc_test_settle(self->reactor);
    const bool was_paused = producer.is_paused; /* what is under way may have made room */
    link_take(self);
    assert_false(producer.is_paused);
    assert_int_equal(producer.resumes, producer.pauses);
    if (was_paused) assert_true(producer.resumes > 0);
    assert_int_equal(link_written(self).len, given);
    torc_transport_unregister_producer(link_transport(self));
    link_settle(self);
    assert_int_equal(producer.stops, 0);
}

static void a_pull_producer_is_asked_while_there_is_room(link_ends *self) {
    feeder producer = feeder_of(self, &pull_ops, 300000);

    check_ok(torc_transport_register_producer(link_transport(self), &producer.base, false));
    assert_int_equal(producer.resumes, 0); /* not from inside the call */
    link_hold_back(self);
    torc_test_settle(self->reactor);
    assert_true(torc_transport_unsent(link_transport(self)) < 66 * 1024);
    if (link_is_memory(self)) assert_true(producer.left > 0);
    link_take(self);
    assert_int_equal(producer.left, 0);
    assert_int_equal(link_written(self).len, 300000);
    assert_int_equal(producer.pauses, 0);
    assert_int_equal(producer.stops, 0);
}

static void a_close_waits_for_the_producer(link_ends *self) {
    feeder producer = feeder_of(self, &pull_ops, 100000);

    check_ok(torc_transport_register_producer(link_transport(self), &producer.base, false));
    torc_transport_close(link_transport(self));
    assert_true(torc_transport_is_closing(link_transport(self)));
    link_settle(self);
    assert_int_equal(link_written(self).len, 100000);
    assert_int_equal(producer.stops, 0);
    assert_int_equal(self->probe.losts, 1);
    check_err(self->probe.reason, TORC_ERR_CLOSED);
}

static void so_does_the_end_of_writing(link_ends *self) {
    feeder producer = feeder_of(self, &pull_ops, 100000);

    check_ok(torc_transport_register_producer(link_transport(self), &producer.base, false));
    torc_transport_close_write(link_transport(self));
    link_settle(self);
    assert_int_equal(link_written(self).len, 100000);
    assert_true(link_has_ended(self));
    assert_int_equal(self->probe.losts, 0);
}

static void a_lost_producer_is_stopped_first(link_ends *self) {
    feeder producer = feeder_of(self, &push_ops, SIZE_MAX);

    check_ok(torc_transport_register_producer(link_transport(self), &producer.base, true));
    torc_transport_abort(link_transport(self));
    assert_int_equal(producer.stops, 0);
    link_settle(self);
    assert_int_equal(producer.stops, 1);
    assert_int_equal(self->probe.losts, 1);
}

static void there_is_one_producer(link_ends *self) {
    feeder producer = feeder_of(self, &push_ops, SIZE_MAX),
           other = feeder_of(self, &push_ops, SIZE_MAX);

    check_ok(torc_transport_register_producer(link_transport(self), &producer.base, true));
    check_err(torc_transport_register_producer(link_transport(self), &other.base, true),
              TORC_ERR_STATE);
    torc_transport_unregister_producer(link_transport(self));
    torc_transport_unregister_producer(link_transport(self));
    check_ok(torc_transport_register_producer(link_transport(self), &other.base, true));
    torc_transport_unregister_producer(link_transport(self));
    link_settle(self);
    assert_int_equal(producer.stops + other.stops, 0);
}

static void a_producer_that_comes_late_is_stopped(link_ends *self) {
    feeder producer = feeder_of(self, &push_ops, SIZE_MAX);

    link_hold_back(self);
    torc_transport_write(link_transport(self), TORC_STR("last words"));
    torc_transport_close(link_transport(self));
    producer.is_inside = true;
    check_ok(torc_transport_register_producer(link_transport(self), &producer.base, true));
    producer.is_inside = false;
    torc_test_settle(self->reactor);
    assert_int_equal(producer.stops, 1);
    link_take(self);
    check_str(link_written(self), "last words");
    assert_int_equal(self->probe.losts, 1);
    assert_int_equal(producer.stops, 1);
}

static void so_is_one_that_comes_after_an_abort(link_ends *self) {
    feeder producer = feeder_of(self, &push_ops, SIZE_MAX);

    torc_transport_abort(link_transport(self));
    check_ok(torc_transport_register_producer(link_transport(self), &producer.base, true));
    link_settle(self);
    assert_int_equal(producer.stops, 1);
}

/* ---- the ends ---- */

static void closing_sends_what_was_written(link_ends *self) {
    enum {
        LEN = 300000
    };
    char *bytes = pattern_of(LEN);

    torc_transport_write(link_transport(self), torc_str_make(bytes, LEN));
    torc_transport_close(link_transport(self));
    torc_transport_close(link_transport(self));
    assert_true(torc_transport_is_closing(link_transport(self)));
    assert_int_equal(torc_transport_room(link_transport(self)), 0);
    torc_transport_write(link_transport(self), TORC_STR("ignored"));
    assert_int_equal(self->probe.losts, 0);
    link_settle(self);
    assert_int_equal(link_written(self).len, LEN);
    assert_memory_equal(link_written(self).bytes, bytes, LEN);
    assert_true(link_has_ended(self));
    assert_int_equal(self->probe.losts, 1);
    check_err(self->probe.reason, TORC_ERR_CLOSED);
    free(bytes);
}

static void nothing_is_received_after_a_close(link_ends *self) {
    link_hold_back(self);
    fill(self);
    const size_t before = self->probe.len;
    torc_transport_close(link_transport(self));
    link_send(self, TORC_STR("hello"));
    link_send_end(self);
    torc_test_settle(self->reactor);
    assert_int_equal(self->probe.len, before);
    assert_int_equal(self->probe.ends, 0);
    const int drains = self->probe.drains;
    link_take(self);
    assert_int_equal(self->probe.drains, drains); /* it has nothing to write any more */
    assert_int_equal(self->probe.losts, 1);
}

static void close_it(probe *self) {
    torc_transport_write(self->base.transport, TORC_STR("bye"));
    torc_transport_close(self->base.transport);
}

static void closing_while_receiving_is_the_end(link_ends *self) {
    self->probe.received = close_it;
    self->probe.take = 1;
    link_send(self, TORC_STR("hello"));
    link_settle(self);
    assert_int_equal(self->probe.receives, 1);
    assert_int_equal(self->probe.losts, 1);
    check_str(link_written(self), "bye");
}

static void abort_it(probe *self) {
    torc_transport_abort(self->base.transport);
    torc_transport_abort(self->base.transport);
    torc_transport_close(self->base.transport);
    torc_transport_write(self->base.transport, TORC_STR("ignored"));
}

static void aborting_while_receiving_is_the_end(link_ends *self) {
    self->probe.received = abort_it;
    self->probe.take = 1;
    link_send(self, TORC_STR("hello"));
    link_settle(self);
    assert_int_equal(self->probe.receives, 1);
    assert_int_equal(self->probe.losts, 1);
    check_err(self->probe.reason, TORC_ERR_ABORTED);
}

static void an_abort_drops_what_waits(link_ends *self) {
    torc_transport_write(link_transport(self), TORC_STR("hello"));
    torc_transport_abort(link_transport(self));
    assert_int_equal(self->probe.losts, 0);
    link_settle(self);
    check_str(link_written(self), "");
    check_err(self->probe.reason, TORC_ERR_ABORTED);
    assert_int_equal(self->probe.losts, 1);
}

static void an_abort_does_not_wait_for_the_peer(link_ends *self) {
    fill(self);
    torc_transport_close(link_transport(self));
    torc_test_settle(self->reactor);
    assert_int_equal(self->probe.losts, 0);
    torc_transport_abort(link_transport(self));
    torc_test_settle(self->reactor);
    assert_int_equal(self->probe.losts, 1);
    check_err(self->probe.reason, TORC_ERR_ABORTED);
}

static void an_abort_may_have_a_reason(link_ends *self) {
    torc_transport_abort_with(link_transport(self), TORC_ERR_STALLED);
    link_settle(self);
    check_err(self->probe.reason, TORC_ERR_STALLED);
}

static void after_the_end_of_writing_it_receives(link_ends *self) {
    torc_transport_write(link_transport(self), TORC_STR("hello"));
    torc_transport_close_write(link_transport(self));
    torc_transport_close_write(link_transport(self));
    torc_transport_write(link_transport(self), TORC_STR("ignored"));
    link_settle(self);
    check_str(link_written(self), "hello");
    assert_true(link_has_ended(self));
    assert_false(torc_transport_is_closing(link_transport(self)));
    torc_transport_write(link_transport(self), TORC_STR("ignored"));
    link_send(self, TORC_STR("answer"));
    link_settle(self);
    check_got(&self->probe, "answer");
    link_send_end(self);
    link_settle(self);
    assert_int_equal(self->probe.ends, 1);
    assert_int_equal(self->probe.input_ends, 1);
    assert_int_equal(self->probe.losts, 0);
    torc_transport_close(link_transport(self));
    link_settle(self);
    check_err(self->probe.reason, TORC_ERR_CLOSED);
    assert_int_equal(self->probe.losts, 1);
    check_str(link_written(self), "hello");
}

static void closing_may_overtake_the_end_of_writing(link_ends *self) {
    fill(self);
    torc_transport_close_write(link_transport(self));
    torc_transport_close(link_transport(self));
    torc_test_settle(self->reactor);
    assert_int_equal(self->probe.losts, 0);
    link_take(self);
    assert_int_equal(self->probe.losts, 1);
    assert_true(link_has_ended(self));
}

static void the_peers_end_leaves_writing_open(link_ends *self) {
    link_send(self, TORC_STR("question"));
    link_send_end(self);
    link_settle(self);
    check_got(&self->probe, "question");
    assert_int_equal(self->probe.ends, 1);
    assert_int_equal(self->probe.input_ends, 1);
    torc_transport_write(link_transport(self), TORC_STR("answer"));
    link_settle(self);
    check_str(link_written(self), "answer");
    assert_int_equal(self->probe.losts, 0);
}

static void the_peers_end_is_seen_while_paused(link_ends *self) {
    torc_transport_pause(link_transport(self));
    link_send(self, TORC_STR("hello"));
    link_send_end(self);
    link_settle(self);
    assert_int_equal(self->probe.ends, 1);
    assert_int_equal(self->probe.input_ends, 0);
    torc_transport_resume(link_transport(self));
    link_settle(self);
    check_got(&self->probe, "hello");
    assert_int_equal(self->probe.input_ends, 1);
}

static void the_input_ends_when_all_was_consumed(link_ends *self) {
    self->probe.take = 2;
    link_send(self, TORC_STR("hello"));
    link_send_end(self);
    for (int i = 0; i < 10 && !self->probe.input_ends; i++) {
        link_settle(self);
        torc_transport_resume(link_transport(self));
    }
    link_settle(self);
    check_got(&self->probe, "hello");
    assert_int_equal(self->probe.ends, 1);
    assert_int_equal(self->probe.input_ends, 1);
}

static void who_does_not_mind_the_peers_end_is_closed(link_ends *self) {
    torc_protocol_ops ops = *self->probe.base.ops;

    ops.peer_ended = NULL;
    ops.input_ended = NULL;
    self->probe.base.ops = &ops;
    torc_transport_write(link_transport(self), TORC_STR("answer"));
    link_send(self, TORC_STR("hello"));
    link_send_end(self);
    link_settle(self);
    check_got(&self->probe, "hello");
    check_str(link_written(self), "answer");
    assert_int_equal(self->probe.losts, 1);
    check_err(self->probe.reason, TORC_ERR_CLOSED);
}

/* ---- another protocol takes over ---- */

static void another_protocol_gets_the_rest(link_ends *self) {
    probe successor;

    probe_init(&successor);
    self->probe.take = 3;
    link_send(self, TORC_STR("GETrest"));
    for (int i = 0; i < 10 && self->probe.len < 3; i++) { /* scrambled: a byte at a time, perhaps */
        self->probe.take = 3 - self->probe.len;
        torc_transport_resume(link_transport(self));
        torc_test_settle(self->reactor);
    }
    torc_transport_pause(link_transport(self));
    torc_test_settle(self->reactor);
    check_got(&self->probe, "GET");
    torc_transport_switch_protocol(link_transport(self), &successor.base);
    assert_int_equal(successor.mades, 1);
    link_send(self, TORC_STR(" and more"));
    link_settle(self);
    check_got(&successor, "rest and more");
    torc_transport_write(successor.base.transport, TORC_STR("101"));
    link_settle(self);
    check_str(link_written(self), "101");
    torc_transport_abort(successor.base.transport);
    link_settle(self);
    assert_int_equal(successor.losts, 1);
    check_got(&self->probe, "GET");
    assert_int_equal(self->probe.losts, 0);
    self->probe.losts = 1; /* it was told nothing, as it should be */
    probe_dispose(&successor);
}

static void another_protocol_is_told_of_the_end(link_ends *self) {
    probe successor;

    probe_init(&successor);
    link_send_end(self);
    link_settle(self);
    assert_int_equal(self->probe.input_ends, 1);
    torc_transport_switch_protocol(link_transport(self), &successor.base);
    assert_int_equal(successor.ends, 1);
    assert_int_equal(successor.input_ends, 1);
    torc_transport_close(successor.base.transport);
    link_settle(self);
    assert_int_equal(successor.losts, 1);
    self->probe.losts = 1;
    probe_dispose(&successor);
}

/* ---- the allocator and the kernel ---- */

static void talk(link_ends *self) {
    static char bytes[20000];
    const int fd = link_open_file(TORC_STR("0123456789"));

    link_send(self, TORC_STR("hello, world"));
    torc_test_settle(self->reactor);
    if (self->probe.losts) {
        close(fd);
        return;
    }
    torc_transport_resume(link_transport(self));
    torc_test_settle(self->reactor);
    if (!self->probe.losts) {
        torc_transport_write(link_transport(self), torc_str_make(bytes, sizeof(bytes)));
        torc_transport_write_file(link_transport(self), fd, 0, 10);
        torc_transport_close(link_transport(self));
        link_settle(self);
    } else {
        close(fd);
    }
    for (int i = 0; i < 4 && link_is_open(fd); i++) { /* who finds no thread tries again */
        torc_test_finish_jobs(self->reactor);
        torc_test_advance(self->reactor, 20);
        torc_test_settle(self->reactor);
    }
    assert_false(link_is_open(fd));
}

/* One run with one allocation failing; false when none was left to fail. */
static bool run_failing(link_kind kind, uint64_t n) {
    link_ends self;

    link_init(&self, kind);
    torc_test_fail_allocation(self.reactor, n);
    const torc_err err = link_connect(&self);
    self.probe.take = 5;
    torc_test_settle(self.reactor);
    if (!err && self.probe.mades && !self.probe.losts) talk(&self);
    const bool has_failed = torc_test_allocation_failed(self.reactor);
    if (!has_failed) {
        check_err(self.probe.reason, TORC_ERR_CLOSED);
        assert_int_equal(link_written(&self).len, 20010);
    } else if (self.probe.losts && self.probe.reason != TORC_ERR_CLOSED) {
        check_err(self.probe.reason, TORC_ERR_NO_MEMORY);
    }
    torc_test_fail_allocation(self.reactor, 0);
    link_close(&self);
    return has_failed;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    for (int kind = 0; kind < LINK_KINDS; kind++) {
        uint64_t n = 1;
        while (run_failing((link_kind)kind, n)) assert_true(++n < 1000);
    }
}

static void a_failing_receive_is_the_loss(link_ends *self) {
    if (link_is_memory(self)) return;
    torc_test_fail_calls(self->reactor, TORC_TEST_RECEIVE, 1, 1, ECONNRESET);
    link_send(self, TORC_STR("hello"));
    link_settle(self);
    check_err(self->probe.reason, TORC_ERR_RESET);
    assert_int_equal(self->probe.losts, 1);
}

static void a_failing_send_is_the_loss(link_ends *self) {
    if (link_is_memory(self)) return;
    torc_test_fail_calls(self->reactor, TORC_TEST_SEND, 1, 1, ECONNRESET);
    torc_transport_write(link_transport(self), TORC_STR("hello"));
    torc_transport_close(link_transport(self));
    link_settle(self);
    check_err(self->probe.reason, TORC_ERR_RESET);
    assert_int_equal(self->probe.losts, 1);
}

static void short_and_interrupted_calls_lose_nothing(link_ends *self) {
    enum {
        LEN = 5000
    };
    char *bytes = pattern_of(LEN);

    torc_test_limit_calls(self->reactor, TORC_TEST_SEND, 7);
    torc_test_limit_calls(self->reactor, TORC_TEST_RECEIVE, 7);
    torc_test_fail_calls(self->reactor, TORC_TEST_SEND, 2, 3, EINTR);
    torc_test_fail_calls(self->reactor, TORC_TEST_RECEIVE, 2, 3, EINTR);
    torc_transport_write(link_transport(self), torc_str_make(bytes, LEN));
    link_send(self, torc_str_make(bytes, LEN));
    for (int i = 0; i < 100 && (self->probe.len < LEN || link_written(self).len < LEN); i++)
        link_settle(self);
    assert_int_equal(self->probe.len, LEN);
    assert_memory_equal(self->probe.got, bytes, LEN);
    assert_int_equal(link_written(self).len, LEN);
    assert_memory_equal(link_written(self).bytes, bytes, LEN);
    free(bytes);
}

static void a_freed_reactor_loses_its_connections(void **state) {
    (void)state;
    for (int kind = LINK_EPOLL; kind < LINK_KINDS; kind++) {
        link_ends self;
        link_open(&self, (link_kind)kind);
        torc_transport_write(link_transport(&self), TORC_STR("hello"));
        torc_reactor_free(self.reactor);
        assert_int_equal(self.probe.losts, 1);
        check_err(self.probe.reason, TORC_ERR_STOPPING);
        close(self.fd);
        free(self.read);
        probe_dispose(&self.probe);
    }
}

#define CASES(X)                                                                                   \
    X(bytes_are_received)                                                                          \
    X(many_bytes_are_received_in_order)                                                            \
    X(nothing_is_kept_while_idle)                                                                  \
    X(what_is_not_consumed_is_given_again)                                                         \
    X(a_pause_lets_one_delivery_pass_at_most)                                                      \
    X(pausing_while_receiving_stops)                                                               \
    X(pausing_and_resuming_while_receiving_goes_on)                                                \
    X(what_is_written_arrives_in_order)                                                            \
    X(what_a_turn_writes_leaves_at_once)                                                           \
    X(much_is_sent_over_turns)                                                                     \
    X(ranges_of_files_are_sent)                                                                    \
    X(an_empty_range_is_nothing)                                                                   \
    X(a_file_that_is_shorter_aborts)                                                               \
    X(a_file_written_to_nobody_is_closed)                                                          \
    X(a_file_that_waits_is_closed_with_the_connection)                                             \
    X(room_shrinks_and_drained_tells)                                                              \
    X(marks_may_be_set)                                                                            \
    X(more_than_the_maximum_aborts)                                                                \
    X(as_much_as_the_maximum_is_fine)                                                              \
    X(a_file_may_be_larger_than_the_maximum)                                                       \
    X(a_push_producer_is_paused_and_resumed)                                                       \
    X(a_pull_producer_is_asked_while_there_is_room)                                                \
    X(a_close_waits_for_the_producer)                                                              \
    X(so_does_the_end_of_writing)                                                                  \
    X(a_lost_producer_is_stopped_first)                                                            \
    X(there_is_one_producer)                                                                       \
    X(a_producer_that_comes_late_is_stopped)                                                       \
    X(so_is_one_that_comes_after_an_abort)                                                         \
    X(closing_sends_what_was_written)                                                              \
    X(nothing_is_received_after_a_close)                                                           \
    X(closing_while_receiving_is_the_end)                                                          \
    X(aborting_while_receiving_is_the_end)                                                         \
    X(an_abort_drops_what_waits)                                                                   \
    X(an_abort_does_not_wait_for_the_peer)                                                         \
    X(an_abort_may_have_a_reason)                                                                  \
    X(after_the_end_of_writing_it_receives)                                                        \
    X(closing_may_overtake_the_end_of_writing)                                                     \
    X(the_peers_end_leaves_writing_open)                                                           \
    X(the_peers_end_is_seen_while_paused)                                                          \
    X(the_input_ends_when_all_was_consumed)                                                        \
    X(who_does_not_mind_the_peers_end_is_closed)                                                   \
    X(another_protocol_gets_the_rest)                                                              \
    X(another_protocol_is_told_of_the_end)                                                         \
    X(a_failing_receive_is_the_loss)                                                               \
    X(a_failing_send_is_the_loss)                                                                  \
    X(short_and_interrupted_calls_lose_nothing)

CASES(LINK_TEST)

int main(void) {
#define UNIT_TEST(name) {#name, name##_over_each, NULL, NULL, NULL},
    const struct CMUnitTest tests[] = {
        CASES(UNIT_TEST) cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_freed_reactor_loses_its_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
