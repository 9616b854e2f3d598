/* SPDX-License-Identifier: MIT */
#include <torc/event.h>

#include "deferred_fixture.h"

static torc_event *event;

static torc_err wait_twice(void *context) {
    torc_err err = torc_event_wait_await(event);

    if (!err) err = torc_event_wait_await(event);
    *(torc_err *)context = err;
    return err;
}

static void setting_it_wakes_all(void **state) {
    torc_err err = TORC_ERR_STATE;
    taker takers[2], late;
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_event_new(reactor, &event));
    for (int i = 0; i < 2; i++) consume(&takers[i], torc_event_wait(event));
    check_ok(torc_fiber_start(reactor, wait_twice, &err, &fiber));
    assert_int_equal(torc_event_waiting(event), 3);
    torc_callback_cancel(&takers[1].callback);
    turns(1);
    assert_int_equal(takers[0].told, 0);
    torc_event_set(event);
    assert_true(torc_event_is_set(event));
    turns(2);
    assert_int_equal(takers[0].told, 1);
    assert_int_equal(takers[1].told, 0);
    check_ok(err); /* the second did not have to wait */
    consume(&late, torc_event_wait(event));
    turns(1);
    assert_int_equal(late.told, 1);
    torc_event_free(event);
    torc_event_free(NULL);
}

static void cleared_it_is_waited_for_again(void **state) {
    torc_err err = TORC_ERR_STATE;
    torc_fiber *fiber;
    taker taking;

    (void)state;
    check_ok(torc_event_new(reactor, &event));
    torc_event_set(event);
    torc_event_clear(event);
    check_ok(torc_fiber_start(reactor, wait_twice, &err, &fiber));
    consume(&taking, torc_event_wait(event));
    torc_event_set(event);
    torc_event_clear(event); /* who waited goes on all the same */
    turns(2);
    assert_int_equal(taking.told, 1);
    check_err(err, TORC_ERR_STATE);
    torc_event_free(event);
    turns(2);
    check_err(err, TORC_ERR_CANCELLED);
}

static void without_memory_there_is_none(void **state) {
    faults injected;
    taker taking;

    (void)state;
    faults_arm(&injected, torc_reactor_memory(reactor), 1);
    check_err(torc_event_new(reactor, &event), TORC_ERR_NO_MEMORY);
    faults_disarm(torc_reactor_memory(reactor));
    check_ok(torc_event_new(reactor, &event));
    for (uint64_t fail_at = 1; fail_at <= 2; fail_at++) {
        faults_arm(&injected, torc_reactor_memory(reactor), fail_at);
        consume(&taking, torc_event_wait(event));
        turns(1);
        faults_disarm(torc_reactor_memory(reactor));
        check_err(taking.err, TORC_ERR_NO_MEMORY);
        torc_failure_free(taking.failure);
        assert_int_equal(torc_event_waiting(event), 0);
    }
    torc_event_free(event);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DEFERRED_TEST(setting_it_wakes_all),
        DEFERRED_TEST(cleared_it_is_waited_for_again),
        DEFERRED_TEST(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
