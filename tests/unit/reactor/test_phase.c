/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <torc/fiber.h>
#include <torc/phase.h>
#include <torc/react.h>
#include <torc/testing.h>
#include <torc/timer.h>

#include "check.h"

static torc_reactor *reactor;
static char order[32];

static int set_up(void **state) {
    (void)state;
    order[0] = '\0';
    return torc_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

/* Notes its name, and does one more thing. */
typedef struct noted {
    torc_trigger trigger;
    char name;
    torc_deferred *answer;
    bool stops;
} noted;

static void note(char name) {
    const size_t len = strlen(order);

    order[len] = name;
    order[len + 1] = '\0';
}

static torc_deferred *run(torc_trigger *trigger) {
    noted *self = torc_container_of(trigger, noted, trigger);

    note(self->name);
    if (self->stops) torc_reactor_stop(reactor);
    return self->answer;
}

static void add(noted *self, char name, torc_phase phase) {
    self->name = name;
    self->trigger.run = run;
    torc_trigger_add(&self->trigger, reactor, phase);
}

typedef struct calling {
    torc_call call;
    char name;
    bool stops;
} calling;

static void run_call(torc_call *call) {
    calling *self = torc_container_of(call, calling, call);

    note(self->name);
    if (self->stops) torc_reactor_stop(reactor);
}

static void all_phases_are_gone_through(void **state) {
    noted a = {0}, b = {0}, c = {0}, d = {0}, e = {0}, f = {0}, g = {0};
    calling call = {.call = {.run = run_call}, .name = '-', .stops = true};

    (void)state;
    add(&f, 'f', TORC_PHASE_AFTER_STOP);
    add(&e, 'e', TORC_PHASE_DURING_STOP);
    add(&d, 'd', TORC_PHASE_BEFORE_STOP);
    add(&c, 'c', TORC_PHASE_AFTER_START);
    add(&b, 'b', TORC_PHASE_DURING_START);
    add(&a, 'a', TORC_PHASE_BEFORE_START);
    add(&g, 'g', TORC_PHASE_BEFORE_START);
    torc_reactor_call_when_running(reactor, &call.call);
    check_ok(torc_reactor_run(reactor));
    assert_string_equal(order, "agbc-def");
    /* They are done once. */
    torc_reactor_call_when_running(reactor, &call.call);
    check_ok(torc_reactor_run(reactor));
    assert_string_equal(order, "agbc-def-");
}

static void a_call_when_it_runs_is_soon(void **state) {
    calling first = {.call = {.run = run_call}, .name = 'x'};
    calling second = {.call = {.run = run_call}, .name = 'y'};

    (void)state;
    torc_reactor_call_when_running(reactor, &first.call);
    torc_reactor_call_when_running(reactor, &first.call);
    torc_reactor_call_when_running(reactor, &second.call);
    torc_call_cancel(&second.call);
    check_ok(torc_reactor_turn(reactor, 0));
    assert_string_equal(order, ""); /* it was not started */
    torc_reactor_start(reactor);
    assert_true(torc_reactor_is_running(reactor));
    check_ok(torc_reactor_turn(reactor, 0));
    torc_reactor_call_when_running(reactor, &second.call);
    check_ok(torc_reactor_turn(reactor, 0));
    assert_string_equal(order, "xy");
}

static void a_deferred_holds_the_start(void **state) {
    noted a = {0}, b = {0};
    calling call = {.call = {.run = run_call}, .name = '-'};

    (void)state;
    a.answer = torc_deferred_new(reactor);
    add(&a, 'a', TORC_PHASE_BEFORE_START);
    add(&b, 'b', TORC_PHASE_DURING_START);
    torc_reactor_call_when_running(reactor, &call.call);
    torc_reactor_start(reactor);
    for (int i = 0; i < 3; i++) check_ok(torc_reactor_turn(reactor, 0));
    assert_string_equal(order, "a");
    check_ok(torc_deferred_fire(a.answer, NULL, NULL));
    for (int i = 0; i < 3; i++) check_ok(torc_reactor_turn(reactor, 0));
    assert_string_equal(order, "ab-");
}

static void deferreds_hold_the_stop(void **state) {
    noted a = {0}, b = {0}, c = {0};

    (void)state;
    a.answer = torc_deferred_new(reactor);
    b.answer = torc_deferred_new(reactor);
    add(&a, 'a', TORC_PHASE_BEFORE_STOP);
    add(&b, 'b', TORC_PHASE_BEFORE_STOP);
    add(&c, 'c', TORC_PHASE_DURING_STOP);
    torc_reactor_start(reactor);
    torc_reactor_stop(reactor);
    for (int i = 0; i < 3; i++) check_ok(torc_reactor_turn(reactor, 0));
    assert_string_equal(order, "ab");
    check_ok(torc_deferred_fail(a.answer, TORC_ERR_LOST)); /* is as good */
    check_ok(torc_reactor_turn(reactor, 0));
    assert_true(torc_reactor_is_running(reactor));
    torc_trigger_remove(&b.trigger); /* and so is this */
    check_err(torc_deferred_fail(b.answer, TORC_ERR_CANCELLED), TORC_ERR_CANCELLED);
    for (int i = 0; i < 3; i++) check_ok(torc_reactor_turn(reactor, 0));
    assert_string_equal(order, "abc");
    assert_false(torc_reactor_is_running(reactor));
}

static void a_second_stop_ends_at_once(void **state) {
    noted a = {0}, b = {0};

    (void)state;
    a.answer = torc_deferred_new(reactor);
    a.stops = true;
    add(&a, 'a', TORC_PHASE_BEFORE_STOP);
    add(&b, 'b', TORC_PHASE_DURING_STOP);
    torc_reactor_start(reactor);
    torc_reactor_stop(reactor);
    check_ok(torc_reactor_run(reactor)); /* goes on where it is */
    assert_string_equal(order, "a");
    check_err(torc_deferred_fire(a.answer, NULL, NULL), TORC_ERR_CANCELLED);
    torc_trigger_remove(&b.trigger);
}

static void a_stop_is_held_for_so_long(void **state) {
    const torc_reactor_options options = {.size = sizeof(options), .stop_ms = 500};
    noted a = {0}, b = {0};

    (void)state;
    torc_reactor_free(reactor);
    check_ok(torc_test_reactor_new(&options, &reactor));
    a.answer = torc_deferred_new(reactor);
    add(&a, 'a', TORC_PHASE_BEFORE_STOP);
    add(&b, 'b', TORC_PHASE_AFTER_STOP);
    torc_reactor_start(reactor);
    torc_reactor_stop(reactor);
    torc_test_advance(reactor, 499);
    assert_string_equal(order, "a");
    torc_test_advance(reactor, 1);
    assert_string_equal(order, "ab");
    assert_false(torc_reactor_is_running(reactor));
    assert_false(torc_deferred_is_wanted(a.answer));
    check_err(torc_deferred_fire(a.answer, NULL, NULL), TORC_ERR_CANCELLED);
}

static void a_stop_while_it_starts(void **state) {
    noted a = {0}, b = {0}, c = {0};

    (void)state;
    a.answer = torc_deferred_new(reactor);
    add(&a, 'a', TORC_PHASE_BEFORE_START);
    add(&b, 'b', TORC_PHASE_AFTER_START);
    add(&c, 'c', TORC_PHASE_DURING_STOP);
    torc_reactor_start(reactor);
    check_ok(torc_reactor_turn(reactor, 0));
    torc_reactor_stop(reactor);
    check_ok(torc_reactor_run(reactor));
    assert_string_equal(order, "ac");
    check_err(torc_deferred_fire(a.answer, NULL, NULL), TORC_ERR_CANCELLED);
    torc_trigger_remove(&b.trigger);
}

static void what_the_later_phases_answer_is_not_waited_for(void **state) {
    noted a = {0};

    (void)state;
    a.answer = torc_deferred_new(reactor);
    add(&a, 'a', TORC_PHASE_DURING_STOP);
    torc_reactor_start(reactor);
    torc_reactor_stop(reactor);
    check_ok(torc_reactor_run(reactor));
    assert_string_equal(order, "a");
    check_err(torc_deferred_fire(a.answer, NULL, NULL), TORC_ERR_CANCELLED);
}

static void a_trigger_is_moved_and_taken_back(void **state) {
    noted a = {0}, b = {0};

    (void)state;
    add(&a, 'a', TORC_PHASE_BEFORE_START);
    add(&a, 'a', TORC_PHASE_AFTER_START);
    add(&b, 'b', TORC_PHASE_DURING_START);
    torc_trigger_remove(&b.trigger);
    torc_trigger_remove(&b.trigger);
    torc_reactor_start(reactor);
    check_ok(torc_reactor_turn(reactor, 0));
    assert_string_equal(order, "a");
}

static void stopped_before_it_runs_it_does_not(void **state) {
    (void)state;
    torc_reactor_stop(reactor);
    assert_false(torc_reactor_is_running(reactor));
    check_ok(torc_reactor_run(reactor));
}

/* ---- a reactor for one function ---- */

static torc_err react(torc_reactor *with, void *context) {
    const torc_err err = torc_yield(with);

    note('r');
    return err ? err : *(const torc_err *)context;
}

static void a_function_has_a_reactor_for_itself(void **state) {
    torc_err answer = TORC_OK;

    (void)state;
    assert_int_equal(torc_react(react, &answer, NULL), 0);
    answer = TORC_ERR_NOT_FOUND;
    assert_int_equal(torc_react(react, &answer, NULL), 1);
    assert_string_equal(order, "rr");
}

static torc_err stop_and_wait(torc_reactor *with, void *context) {
    (void)context;
    torc_reactor_stop(with);
    return torc_sleep(with, 1000000);
}

static void one_that_is_stopped_is_cancelled(void **state) {
    (void)state;
    assert_int_equal(torc_react(stop_and_wait, NULL, NULL), 1);
}

/* ---- in the loop of somebody else ---- */

static void drive(void) {
    while (torc_reactor_is_running(reactor)) {
        struct pollfd polled = {.fd = torc_reactor_fd(reactor), .events = POLLIN};
        const int64_t wait_ms = torc_reactor_wait_ms(reactor);
        if (poll(&polled, 1, (int)wait_ms) < 0) assert_int_equal(errno, EINTR);
        check_ok(torc_reactor_turn(reactor, 0));
    }
}

typedef struct stopping {
    torc_timer timer;
    torc_thread_call call;
} stopping;

static void expired(torc_timer *timer) {
    note('t');
    torc_reactor_stop(timer->reactor);
}

static void it_is_driven_by_poll(void **state) {
    noted a = {0};
    stopping self = {0};

    (void)state;
    add(&a, 'a', TORC_PHASE_BEFORE_STOP);
    torc_timer_init(&self.timer, reactor, expired);
    torc_timer_arm(&self.timer, 3);
    assert_in_range(torc_reactor_wait_ms(reactor), 0, 4);
    torc_reactor_start(reactor);
    drive();
    assert_string_equal(order, "ta");
    torc_reactor_start(reactor); /* again */
    assert_true(torc_reactor_is_running(reactor));
    assert_int_equal(torc_reactor_wait_ms(reactor), -1);
}

static void run_from_thread(torc_thread_call *call) {
    (void)call;
    note('c');
    torc_reactor_stop(reactor);
}

static void *call_it(void *context) {
    torc_reactor_call_from_thread(reactor, context);
    return NULL;
}

static void a_thread_wakes_that_loop(void **state) {
    stopping self = {.call = {.run = run_from_thread}};
    pthread_t thread;

    (void)state;
    torc_reactor_start(reactor);
    assert_int_equal(torc_reactor_wait_ms(reactor), -1);
    assert_int_equal(pthread_create(&thread, NULL, call_it, &self.call), 0);
    drive();
    pthread_join(thread, NULL);
    assert_string_equal(order, "c");
}

static void what_is_posted_does_not_wait(void **state) {
    calling call = {.call = {.run = run_call}, .name = 'p', .stops = true};

    (void)state;
    torc_reactor_start(reactor);
    torc_reactor_post(reactor, &call.call);
    assert_int_equal(torc_reactor_wait_ms(reactor), 0);
    drive();
    assert_string_equal(order, "p");
}

static void the_late_poller_has_no_descriptor(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    check_ok(torc_test_reactor_new_late(NULL, &reactor));
    assert_int_equal(torc_reactor_fd(reactor), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_phases_are_gone_through, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_when_it_runs_is_soon, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_deferred_holds_the_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deferreds_hold_the_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_stop_ends_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_is_held_for_so_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_while_it_starts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_later_phases_answer_is_not_waited_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_trigger_is_moved_and_taken_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopped_before_it_runs_it_does_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_function_has_a_reactor_for_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_stopped_is_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_driven_by_poll, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_thread_wakes_that_loop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_posted_does_not_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_late_poller_has_no_descriptor, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
