/* SPDX-License-Identifier: MIT */
/*
 * What transport/filter.h promises. Over all that transports promise, the scrambling filter runs in
 * test_transport.c.
 */
#include "link.h"
#include "testing/connection.h"

/* ---- filters of the test ---- */

typedef struct trial {
    torc_filter base;
    const probe *probe;
    int receives, mades, shut_downs, frees, peer_ends;
    size_t refuses_after; /* consumes so many bytes, and holds; 0: no */
    size_t consumed;
    torc_err send_err;
    bool keeps_words; /* answers shut_down only when told */
} trial;

static trial *self_of(torc_filter *filter) {
    return torc_container_of(filter, trial, base);
}

static void made(torc_filter *filter) {
    self_of(filter)->mades++;
}

static void freed(torc_filter *filter) {
    trial *self = self_of(filter);

    assert_int_equal(self->frees++, 0);
    assert_int_equal(self->probe->losts, self->probe->mades); /* the stage above was told before */
}

/* Each byte becomes two. */
static size_t double_up(torc_filter *filter, torc_str bytes) {
    trial *self = self_of(filter);
    const size_t left = self->refuses_after - self->consumed;
    const size_t len = self->refuses_after && bytes.len > left ? left : bytes.len;

    self->receives++;
    for (size_t i = 0; i < len; i++) {
        const char both[2] = {bytes.bytes[i], bytes.bytes[i]};
        torc_filter_deliver(filter, torc_str_make(both, 2));
    }
    self->consumed += len;
    return len;
}

static torc_err double_down(torc_filter *filter, torc_chain *from) {
    trial *self = self_of(filter);
    torc_chain doubled;
    torc_err err = self->send_err;

    torc_chain_init(&doubled, &filter->above.reactor->chains);
    for (const torc_segment *segment = from->first; segment && !err; segment = segment->next) {
        assert_int_not_equal(segment->kind, TORC_SEGMENT_FILE);
        for (size_t i = 0; i < segment->len && !err; i++) {
            const char both[2] = {segment->bytes[i], segment->bytes[i]};
            err = torc_chain_add_bytes(&doubled, torc_str_make(both, 2));
        }
    }
    if (err) {
        torc_chain_clear(&doubled);
        return err;
    }
    torc_chain_clear(from);
    torc_filter_send_below(filter, &doubled);
    return TORC_OK;
}

static void say_bye(torc_filter *filter) {
    trial *self = self_of(filter);

    self->shut_downs++;
    torc_transport_write(torc_filter_below(filter), TORC_STR("bye"));
    if (!self->keeps_words) torc_filter_end_below(filter);
}

static void note_end(torc_filter *filter) {
    self_of(filter)->peer_ends++;
    torc_filter_deliver(filter, TORC_STR("."));
    torc_filter_deliver_end(filter);
}

static const torc_filter_ops passing_ops = {.made = made, .free = freed};
static const torc_filter_ops doubling_ops = {
    .made = made, .received = double_up, .send = double_down, .free = freed};
static const torc_filter_ops polite_ops = {
    .made = made, .shut_down = say_bye, .peer_ended = note_end, .free = freed};

/* A link without a filter of its own, with those of the test. */
typedef struct stage {
    link_ends link;
    trial trials[3];
    size_t count;
} stage;

static const link_kind kinds[] = {LINK_MEMORY, LINK_EPOLL, LINK_LATE};

typedef void stage_fn(stage *self);

static torc_transport *open_pair(link_ends *link) {
    torc_stream *stream;
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    link->fd = ends[1];
    check_ok(torc_stream_new(link->reactor, ends[0], AF_UNIX, &stream));
    return &stream->base;
}

static void open_memory(link_ends *link) {
    link->memory = torc_test_connection_new(link->reactor, &link->probe.factory);
    assert_non_null(link->memory);
}

static void open_stage(stage *self, link_kind kind, const torc_filter_ops *const *ops,
                       size_t count) {
    torc_transport *top = NULL; /* of a pair */

    memset(self, 0, sizeof(*self));
    link_init(&self->link, kind);
    if (kind == LINK_MEMORY)
        open_memory(&self->link);
    else
        top = open_pair(&self->link);
    self->count = count;
    for (size_t i = 0; i < count; i++) {
        trial *filter = &self->trials[i];
        filter->probe = &self->link.probe;
        torc_filter_init(&filter->base, self->link.reactor, ops[i]);
        if (top)
            top = torc_filter_stack(&filter->base, top);
        else
            torc_test_connection_stack(self->link.memory, &filter->base);
        assert_int_equal(filter->mades, 1);
    }
    if (top) torc_transport_made(top, &self->link.probe.base);
    link_settle(&self->link);
    assert_int_equal(self->link.probe.mades, 1);
}

static void close_stage(stage *self) {
    link_close(&self->link);
    for (size_t i = 0; i < self->count; i++) assert_int_equal(self->trials[i].frees, 1);
}

static void each(stage_fn *run, const torc_filter_ops *const *ops, size_t count) {
    for (size_t i = 0; i < TORC_COUNT_OF(kinds); i++) {
        stage self;
        open_stage(&self, kinds[i], ops, count);
        run(&self);
        close_stage(&self);
    }
}

static const torc_filter_ops *const passing[] = {&passing_ops, &passing_ops};
static const torc_filter_ops *const doubling[] = {&doubling_ops};
static const torc_filter_ops *const mixed[] = {&doubling_ops, &passing_ops, &doubling_ops};
static const torc_filter_ops *const polite[] = {&polite_ops};

/* ---- passing through ---- */

static void pass_both_ways(stage *self) {
    link_ends *link = &self->link;

    link_send(link, TORC_STR("hello"));
    link_settle(link);
    check_got(&link->probe, "hello");
    torc_transport_write(link_transport(link), TORC_STR("hi"));
    torc_transport_write_file(link_transport(link), link_open_file(TORC_STR("0123456789")), 3, 4);
    link_settle(link);
    check_str(link_written(link), "hi3456");
    if (link->memory)
        assert_int_equal(torc_test_connection_file_bytes(link->memory), 4); /* as a range */
}

static void filters_that_do_nothing_change_nothing(void **state) {
    (void)state;
    each(pass_both_ways, passing, 2);
}

static void write_in_a_turn(stage *self) {
    link_ends *link = &self->link;

    if (link->kind != LINK_EPOLL) return;
    torc_transport_write(link_transport(link), TORC_STR("hello"));
    check_ok(torc_reactor_turn(link->reactor, 0));
    check_str(link_written(link), "hello");
}

static void what_is_written_leaves_in_the_same_turn(void **state) {
    (void)state;
    each(write_in_a_turn, passing, 2);
    each(write_in_a_turn, passing, 1);
}

static void refuse_some(stage *self) {
    link_ends *link = &self->link;

    link->probe.take = 2;
    link_send(link, TORC_STR("hello"));
    for (int i = 0; i < 3; i++) {
        link_settle(link);
        assert_int_equal(link->probe.len, i < 2 ? 2 * i + 2 : 5);
        torc_transport_resume(link_transport(link));
    }
    link_settle(link);
    check_got(&link->probe, "hello");
}

static void what_is_not_consumed_stays_below(void **state) {
    (void)state;
    each(refuse_some, passing, 2);
}

static void hint_while_paused(stage *self) {
    link_ends *link = &self->link;

    torc_transport_pause(link_transport(link));
    link_settle(link);
    link_send(link, TORC_STR("hello"));
    link_send_end(link);
    link_settle(link);
    assert_int_equal(link->probe.ends, 1);
    assert_int_equal(link->probe.input_ends, 0);
    torc_transport_resume(link_transport(link));
    link_settle(link);
    assert_int_equal(link->probe.input_ends, 1);
}

static void the_peers_end_is_seen_while_paused(void **state) {
    (void)state;
    each(hint_while_paused, passing, 2);
    each(hint_while_paused, doubling, 1);
}

/* Paused after the end was seen below, and before it could be told. */
static void hint_when_it_is_paused_later(stage *self) {
    link_ends *link = &self->link;

    link->probe.take = 1;
    link_send(link, TORC_STR("hello"));
    link_send_end(link);
    link_settle(link);
    assert_int_equal(link->probe.ends, 1);
    assert_int_equal(link->probe.input_ends, 0);
    for (int i = 0; i < 10 && !link->probe.input_ends; i++) {
        torc_transport_resume(link_transport(link));
        link_settle(link);
    }
    assert_int_equal(link->probe.input_ends, 1);
    assert_int_equal(link->probe.len, 10);
}

/* The filter holds bytes back, so the end must wait for them; then nobody wants them any more. */
static void hint_when_it_is_held_and_paused(stage *self) {
    link_ends *link = &self->link;

    self->trials[0].refuses_after = 1;
    link_send(link, TORC_STR("abc"));
    link_send_end(link);
    link_settle(link);
    check_got(&link->probe, "aa");
    assert_int_equal(link->probe.ends, 0);
    torc_transport_pause(link_transport(link));
    assert_int_equal(link->probe.ends, 0);
    link_settle(link);
    assert_int_equal(link->probe.ends, 1);
    assert_int_equal(link->probe.input_ends, 0);
}

static void so_it_is_when_it_is_paused_later(void **state) {
    (void)state;
    each(hint_when_it_is_held_and_paused, doubling, 1);
    each(hint_when_it_is_paused_later, doubling, 1);
}

/* ---- transforming ---- */

static void double_both_ways(stage *self) {
    link_ends *link = &self->link;

    link_send(link, TORC_STR("ab"));
    link_settle(link);
    check_got(&link->probe, "aaaabbbb");
    torc_transport_write(link_transport(link), TORC_STR("cd"));
    torc_transport_write_file(link_transport(link), link_open_file(TORC_STR("0123456789")), 3, 2);
    torc_transport_write(link_transport(link), TORC_STR("e"));
    link_settle(link);
    check_str(link_written(link), "ccccdddd33334444eeee");
}

static void filters_stack(void **state) {
    (void)state;
    each(double_both_ways, mixed, 3);
}

static void refuse_what_was_doubled(stage *self) {
    link_ends *link = &self->link;
    const size_t idle = link->reactor->memory.used[TORC_MEMORY_INPUT];

    link->probe.take = 3; /* of each delivery, which is of two bytes at first */
    link_send(link, TORC_STR("abcd"));
    link_settle(link);
    link->probe.take = 1;
    link_send(link, TORC_STR("efgh"));
    link_settle(link);
    assert_true(link->probe.len < 16);
    assert_true(link->reactor->memory.used[TORC_MEMORY_INPUT] > idle);
    link->probe.take = 0;
    torc_transport_resume(link_transport(link));
    link_settle(link);
    check_got(&link->probe, "aabbccddeeffgghh");
    assert_int_equal(link->reactor->memory.used[TORC_MEMORY_INPUT], idle);
}

static void what_is_not_consumed_is_kept_and_given_again(void **state) {
    (void)state;
    each(refuse_what_was_doubled, doubling, 1);
}

static void pause_it(probe *self) {
    torc_transport_pause(self->base.transport);
}

static void hold_back(stage *self) {
    link_ends *link = &self->link;

    self->trials[0].refuses_after = 3;
    link_send(link, TORC_STR("abcde"));
    link_settle(link);
    check_got(&link->probe, "aabbcc");
    const int receives = self->trials[0].receives;
    link_send(link, TORC_STR("fg"));
    torc_transport_pause(link_transport(link));
    torc_transport_resume(
        link_transport(link)); /* the stage above wants more, and the filter does not */
    link_settle(link);
    check_got(&link->probe, "aabbcc");
    assert_int_equal(self->trials[0].receives, receives);
    self->trials[0].refuses_after = 0;
    torc_filter_hold(&self->trials[0].base, false);
    link_settle(link);
    check_got(&link->probe, "aabbccddeeffgg");
}

static void a_filter_may_refuse_and_hold_back(void **state) {
    (void)state;
    each(hold_back, doubling, 1);
}

static void both_hold_back(stage *self) {
    link_ends *link = &self->link;

    torc_filter_hold(&self->trials[0].base, true);
    torc_transport_pause(link_transport(link));
    link_settle(link);
    link_send(link, TORC_STR("a"));
    link_settle(link);
    torc_transport_resume(link_transport(link));
    link_settle(link);
    assert_true(link->probe.len <= 2); /* a delivery was on its way, perhaps */
    torc_transport_pause(link_transport(link));
    torc_filter_hold(&self->trials[0].base, false);
    link_settle(link);
    torc_transport_resume(link_transport(link));
    link_settle(link);
    check_got(&link->probe, "aa");
}

static void either_may_hold_the_stage_below_back(void **state) {
    (void)state;
    each(both_hold_back, doubling, 1);
}

static void abort_it(probe *self) {
    torc_transport_abort(self->base.transport);
}

static void abort_while_given(stage *self) {
    link_ends *link = &self->link;

    link->probe.received = pause_it;
    link_send(link, TORC_STR("abcdef"));
    link_settle(link);
    check_got(&link->probe, "aa");
    link->probe.received = abort_it; /* what it is given is kept memory: it must outlive the call */
    torc_transport_resume(link_transport(link));
    link_settle(link);
    check_got(&link->probe, "aabbccddeeff");
    assert_int_equal(link->probe.losts, 1);
}

static void aborting_while_kept_bytes_are_given_is_safe(void **state) {
    (void)state;
    each(abort_while_given, doubling, 1);
}

/* ---- the ends ---- */

static void last_words_before_a_close(stage *self) {
    link_ends *link = &self->link;

    torc_transport_write(link_transport(link), TORC_STR("hello "));
    torc_transport_close(link_transport(link));
    link_settle(link);
    check_str(link_written(link), "hello bye");
    assert_true(link_has_ended(link));
    assert_int_equal(self->trials[0].shut_downs, 1);
    check_err(link->probe.reason, TORC_ERR_CLOSED);
}

static void last_words_before_fin(stage *self) {
    link_ends *link = &self->link;

    torc_transport_close_write(link_transport(link));
    link_settle(link);
    check_str(link_written(link), "bye");
    assert_true(link_has_ended(link));
    assert_int_equal(link->probe.losts, 0);
    link_send(link, TORC_STR("answer"));
    link_send_end(link);
    link_settle(link);
    check_got(&link->probe, "answer.");
    assert_int_equal(self->trials[0].peer_ends, 1);
    assert_int_equal(link->probe.input_ends, 1);
    torc_transport_close(link_transport(link));
    link_settle(link);
    assert_int_equal(self->trials[0].shut_downs, 1);
    check_str(link_written(link), "bye");
    assert_int_equal(link->probe.losts, 1);
}

static void last_words_may_take_time(stage *self) {
    link_ends *link = &self->link;

    self->trials[0].keeps_words = true;
    torc_transport_close_write(link_transport(link));
    link_settle(link);
    assert_false(link_has_ended(link));
    torc_transport_close(
        link_transport(link)); /* before the filter has answered: one end for both */
    link_settle(link);
    assert_int_equal(link->probe.losts, 0);
    assert_int_equal(self->trials[0].shut_downs, 1);
    torc_filter_end_below(&self->trials[0].base);
    link_settle(link);
    assert_true(link_has_ended(link));
    assert_int_equal(link->probe.losts, 1);
}

static void a_filter_has_the_last_words(void **state) {
    (void)state;
    each(last_words_before_a_close, polite, 1);
    each(last_words_before_fin, polite, 1);
    each(last_words_may_take_time, polite, 1);
}

static void abort_without_words(stage *self) {
    link_ends *link = &self->link;

    torc_transport_abort_with(link_transport(link), TORC_ERR_STALLED);
    link_settle(link);
    check_str(link_written(link), "");
    assert_int_equal(self->trials[0].shut_downs, 0);
    check_err(link->probe.reason, TORC_ERR_STALLED);
    if (link->memory) assert_true(torc_test_connection_was_reset(link->memory));
}

static void lose_it_below(stage *self) {
    link_ends *link = &self->link;

    if (!link->memory) return;
    torc_test_connection_reset(link->memory);
    link_settle(link);
    check_err(link->probe.reason, TORC_ERR_RESET);
    assert_int_equal(self->trials[0].shut_downs, 0);
}

static void a_lost_connection_has_no_last_words(void **state) {
    (void)state;
    each(lose_it_below, polite, 1);
}

static void an_abort_goes_straight_down(void **state) {
    (void)state;
    each(abort_without_words, polite, 1);
}

static void fail_in_the_filter(stage *self) {
    link_ends *link = &self->link;

    torc_filter_fail(&self->trials[0].base, TORC_ERR_PEER);
    torc_transport_write(link_transport(link), TORC_STR("ignored"));
    link_settle(link);
    check_err(link->probe.reason, TORC_ERR_PEER);
    assert_int_equal(link->probe.losts, 1);
}

static void a_failing_filter_is_the_loss(void **state) {
    (void)state;
    each(fail_in_the_filter, doubling, 1);
    each(fail_in_the_filter, mixed, 3);
}

static void fail_to_send(stage *self) {
    link_ends *link = &self->link;

    self->trials[0].send_err = TORC_ERR_NO_MEMORY;
    torc_transport_write(link_transport(link), TORC_STR("hello"));
    torc_transport_close(link_transport(link));
    link_settle(link);
    check_err(link->probe.reason, TORC_ERR_NO_MEMORY);
    check_str(link_written(link), "");
}

static void so_is_one_that_cannot_send(void **state) {
    (void)state;
    each(fail_to_send, doubling, 1);
}

static void lose_the_last_words(stage *self) {
    link_ends *link = &self->link;

    if (!link->memory) return;
    link_hold_back(link);
    torc_transport_write(link_transport(link), TORC_STR("hello"));
    torc_transport_close(link_transport(link));
    torc_test_settle(link->reactor);
    assert_int_equal(link->probe.losts, 0);
    torc_test_connection_reset(link->memory);
    link_settle(link);
    check_err(link->probe.reason, TORC_ERR_RESET);
}

static void a_reset_below_is_told_though_all_was_passed_on(void **state) {
    (void)state;
    each(lose_the_last_words, passing, 2);
}

/* ---- files that a thread must read ---- */

static void lose_it_while_a_thread_reads(stage *self) {
    link_ends *link = &self->link;
    const int fd = link_open_file(TORC_STR("0123456789"));

    torc_test_fail_calls(link->reactor, TORC_TEST_READ, 1, 1, EAGAIN);
    torc_transport_write_file(link_transport(link), fd, 0, 10);
    check_ok(torc_reactor_turn(link->reactor, 0));
    torc_transport_abort(link_transport(link));
    link_settle(link);
    assert_int_equal(link->probe.losts, 1);
    assert_false(link_is_open(fd));
    check_str(link_written(link), "");
}

static void send_while_a_thread_reads(stage *self) {
    link_ends *link = &self->link;

    torc_test_fail_calls(link->reactor, TORC_TEST_READ, 1, 1, EAGAIN);
    torc_transport_write(link_transport(link), TORC_STR("<"));
    torc_transport_write_file(link_transport(link), link_open_file(TORC_STR("0123456789")), 0, 2);
    torc_transport_write(link_transport(link), TORC_STR(">"));
    torc_transport_close(link_transport(link));
    link_settle(link);
    check_str(link_written(link), "<<0011>>");
    assert_int_equal(link->probe.losts, 1);
    check_err(link->probe.reason, TORC_ERR_CLOSED);
}

static void files_may_be_read_by_a_thread(void **state) {
    (void)state;
    each(send_while_a_thread_reads, doubling, 1);
    each(lose_it_while_a_thread_reads, doubling, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_that_do_nothing_change_nothing),
        cmocka_unit_test(what_is_written_leaves_in_the_same_turn),
        cmocka_unit_test(what_is_not_consumed_stays_below),
        cmocka_unit_test(the_peers_end_is_seen_while_paused),
        cmocka_unit_test(so_it_is_when_it_is_paused_later),
        cmocka_unit_test(filters_stack),
        cmocka_unit_test(what_is_not_consumed_is_kept_and_given_again),
        cmocka_unit_test(a_filter_may_refuse_and_hold_back),
        cmocka_unit_test(either_may_hold_the_stage_below_back),
        cmocka_unit_test(aborting_while_kept_bytes_are_given_is_safe),
        cmocka_unit_test(a_filter_has_the_last_words),
        cmocka_unit_test(a_lost_connection_has_no_last_words),
        cmocka_unit_test(an_abort_goes_straight_down),
        cmocka_unit_test(a_failing_filter_is_the_loss),
        cmocka_unit_test(so_is_one_that_cannot_send),
        cmocka_unit_test(a_reset_below_is_told_though_all_was_passed_on),
        cmocka_unit_test(files_may_be_read_by_a_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
