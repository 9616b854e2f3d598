/* SPDX-License-Identifier: MIT */
/* Messages between a parent and its workers. */
#include "app/control.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static int ends[2];

static int set_up(void **state) {
    (void)state;
    return torc_control_open(ends) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0) close(ends[i]);
    return 0;
}

static void close_end(int i) {
    close(ends[i]);
    ends[i] = -1;
}

static void messages_come_whole_and_in_order(void **state) {
    torc_control_message got = {0};

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        torc_control_message message = {.kind = TORC_CONTROL_ADOPT, .slot = i};
        snprintf(message.text, sizeof(message.text), "text %u", i);
        check_ok(torc_control_send(ends[0], &message));
    }
    for (uint32_t i = 0; i < 3; i++) {
        check_ok(torc_control_receive(ends[1], &got));
        assert_int_equal(got.kind, TORC_CONTROL_ADOPT);
        assert_int_equal(got.slot, i);
        assert_int_equal(got.text[5], '0' + i);
    }
    assert_int_equal(torc_control_receive(ends[1], &got), TORC_ERR_AGAIN);
}

static void what_was_said_is_heard_after_the_end(void **state) {
    const torc_control_message message = {.kind = TORC_CONTROL_FAILED, .text = "why"};
    torc_control_message got;

    (void)state;
    check_ok(torc_control_send(ends[1], &message));
    close_end(1);
    check_ok(torc_control_receive(ends[0], &got));
    assert_string_equal(got.text, "why");
    assert_int_equal(torc_control_receive(ends[0], &got), TORC_ERR_LOST);
    assert_int_equal(torc_control_send(ends[0], &message), TORC_ERR_LOST);
}

/* Who does not read does not hold up who sends. */
static void sending_never_waits(void **state) {
    const torc_control_message message = {.kind = TORC_CONTROL_DRAIN};
    torc_err err = TORC_OK;

    (void)state;
    for (int i = 0; i < 100000 && !err; i++) err = torc_control_send(ends[0], &message);
    assert_int_equal(err, TORC_ERR_AGAIN);
}

static void what_is_no_message_is_passed_over(void **state) {
    torc_control_message message = {.kind = TORC_CONTROL_STOP}, got;
    char longer[sizeof(message) + 1] = {TORC_CONTROL_STOP};

    (void)state;
    assert_int_equal(send(ends[0], &message, sizeof(message) - 1, 0), sizeof(message) - 1);
    assert_int_equal(send(ends[0], longer, sizeof(longer), 0), sizeof(longer));
    memset(message.text, 'x', sizeof(message.text)); /* without an end */
    check_ok(torc_control_send(ends[0], &message));
    message = (torc_control_message){.kind = TORC_CONTROL_KINDS};
    check_ok(torc_control_send(ends[0], &message));
    message.kind = 0;
    check_ok(torc_control_send(ends[0], &message));
    message.kind = TORC_CONTROL_REOPEN;
    check_ok(torc_control_send(ends[0], &message));
    check_ok(torc_control_receive(ends[1], &got));
    assert_int_equal(got.kind, TORC_CONTROL_REOPEN);
    assert_int_equal(torc_control_receive(ends[1], &got), TORC_ERR_AGAIN);
}

static void every_kind_has_a_name(void **state) {
    (void)state;
    for (int i = 1; i < TORC_CONTROL_KINDS; i++)
        assert_true(strlen(torc_control_name((torc_control_kind)i)) > 0);
    assert_string_equal(torc_control_name(TORC_CONTROL_KINDS), "nothing");
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(messages_come_whole_and_in_order),
        CASE(what_was_said_is_heard_after_the_end),
        CASE(sending_never_waits),
        CASE(what_is_no_message_is_passed_over),
        CASE(every_kind_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
