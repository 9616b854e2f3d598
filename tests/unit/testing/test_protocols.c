/* SPDX-License-Identifier: MIT */
/* Protocols and producers for tests, and two protocols wired together. */
#include <stdio.h>
#include <torc/line.h>
#include <torc/testing.h>
#include <torc/testing_protocols.h>
#include <torc/torc.h>

#include "check.h"

static torc_reactor *reactor;
static torc_test_recorder *one, *other;
static torc_test_connection *ends[2];

static int set_up(void **state) {
    one = torc_test_recorder_new();
    other = torc_test_recorder_new();
    ends[0] = ends[1] = NULL;
    return !one || !other || torc_test_reactor_new(NULL, &reactor);
}

static int tear_down(void **state) {
    torc_test_connection_free(ends[0]);
    torc_test_connection_free(ends[1]);
    torc_reactor_free(reactor);
    torc_test_recorder_free(one);
    torc_test_recorder_free(other);
    return 0;
}

static void wire(void) {
    check_ok(torc_test_loopback(reactor, torc_test_recorder_factory(one),
                                torc_test_recorder_factory(other), ends));
}

static void two_protocols_talk(void **state) {
    torc_test_recorder_say(one, TORC_STR("220 welcome\r\n"));
    torc_test_recorder_echo(other);
    wire();
    torc_test_settle(reactor);
    check_str(torc_test_recorder_heard(other, 0), "220 welcome\r\n");
    check_str(torc_test_recorder_heard(one, 0), "220 welcome\r\n");
    torc_transport_close(torc_test_recorder_transport(one, 0));
    torc_test_settle(reactor);
    assert_true(torc_test_recorder_has_ended(other, 0));
    assert_true(torc_test_recorder_is_lost(one, 0) && torc_test_recorder_is_lost(other, 0));
    assert_int_equal(torc_test_recorder_open(one), 0);
    assert_int_equal(torc_test_recorder_made(one), 1);
    assert_null(torc_test_recorder_transport(one, 0));
}

/* As pumping does, bit by bit: at most one delivery a turn, of as many bytes as the test likes. */
static void they_are_pumped_by_turns(void **state) {
    torc_test_recorder_say(one, TORC_STR("abcdef"));
    wire();
    torc_test_connection_set_pieces(ends[1], 2);
    size_t heard = 0;
    for (int turn = 0; turn < 20 && heard < 6; turn++) {
        check_ok(torc_reactor_turn(reactor, 0));
        if (torc_test_recorder_made(other) == 0) continue;
        const size_t now = torc_test_recorder_heard(other, 0).len;
        assert_true(now - heard <= 2);
        heard = now;
    }
    assert_int_equal(heard, 6);
}

static void an_abort_reaches_the_other(void **state) {
    wire();
    torc_test_settle(reactor);
    torc_transport_abort(torc_test_recorder_transport(one, 0));
    torc_test_settle(reactor);
    assert_int_equal(torc_test_recorder_reason(one, 0), TORC_ERR_ABORTED);
    assert_int_equal(torc_test_recorder_reason(other, 0), TORC_ERR_RESET);
    assert_false(torc_test_recorder_has_ended(other, 0));
    assert_true(torc_test_recorder_wait(one, reactor, 0));
}

static void who_refuses_holds_the_other_back(void **state) {
    torc_test_recorder_refuse(other, true);
    wire();
    torc_test_settle(reactor);
    torc_test_producer *producer =
        torc_test_producer_new(torc_test_recorder_transport(one, 0), 1000, 1000, false);
    assert_non_null(producer);
    torc_test_settle(reactor);
    assert_true(torc_test_producer_paused(producer) > 0);
    assert_true(torc_test_producer_left(producer) > 500);
    assert_false(torc_test_recorder_wait(other, reactor, 1000));
    torc_test_recorder_refuse(other, false);
    torc_transport_resume(torc_test_recorder_transport(other, 0));
    torc_test_settle(reactor);
    assert_int_equal(torc_test_producer_left(producer), 0);
    assert_true(torc_test_producer_resumed(producer) > 0);
    assert_false(torc_test_producer_was_stopped(producer));
    assert_int_equal(torc_test_recorder_heard(other, 0).len, 1000000);
    torc_test_producer_free(producer);
}

/* Without a producer, a protocol is told when there is room again. */
static void drained_output_is_counted(void **state) {
    static char much[200000];

    torc_test_recorder_refuse(other, true);
    wire();
    torc_test_settle(reactor);
    torc_transport_write(torc_test_recorder_transport(one, 0), torc_str_make(much, sizeof(much)));
    torc_test_settle(reactor);
    assert_int_equal(torc_test_recorder_drained(one, 0), 0);
    torc_test_recorder_refuse(other, false);
    torc_transport_resume(torc_test_recorder_transport(other, 0));
    torc_test_settle(reactor);
    assert_int_equal(torc_test_recorder_drained(one, 0), 1);
    assert_int_equal(torc_test_recorder_heard(other, 0).len, sizeof(much));
}

static void a_producer_is_pulled(void **state) {
    wire();
    torc_test_settle(reactor);
    torc_transport *transport = torc_test_recorder_transport(one, 0);
    torc_test_producer *producer = torc_test_producer_new(transport, 5, 10, true);
    assert_null(torc_test_producer_new(transport, 1, 1, true));
    torc_test_settle(reactor);
    assert_int_equal(torc_test_producer_resumed(producer), 5);
    assert_int_equal(torc_test_producer_left(producer), 0);
    assert_int_equal(torc_test_recorder_heard(other, 0).len, 50);
    torc_test_producer_free(producer);
}

static void a_producer_is_stopped_with_its_connection(void **state) {
    wire();
    torc_test_settle(reactor);
    torc_test_connection_hold_back(ends[0]);
    torc_test_producer *producer =
        torc_test_producer_new(torc_test_recorder_transport(one, 0), 1000, 1000, false);
    torc_test_settle(reactor);
    torc_test_connection_reset(ends[0]);
    torc_test_settle(reactor);
    assert_true(torc_test_producer_was_stopped(producer));
    assert_true(torc_test_producer_left(producer) > 0);
    torc_test_producer_free(producer);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(two_protocols_talk),
        CASE(they_are_pumped_by_turns),
        CASE(an_abort_reaches_the_other),
        CASE(who_refuses_holds_the_other_back),
        CASE(drained_output_is_counted),
        CASE(a_producer_is_pulled),
        CASE(a_producer_is_stopped_with_its_connection),
    };
    return cmocka_run_group_tests_name("protocols", tests, NULL, NULL);
}
