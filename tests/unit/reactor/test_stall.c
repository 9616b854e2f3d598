/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <torc/log.h>
#include <torc/testing.h>
#include <torc/timer.h>

#include "check.h"
#include "reactor/fiber.h"
#include "reactor/stall.h"

static torc_log *the_log;
static torc_reactor *reactor;

/* The last event of the namespace. */
static struct {
    int count;
    char by[32], what[256];
    uint64_t ms;
} told;

static void copy(char *to, size_t size, const torc_log_field *field) {
    snprintf(to, size, "%.*s", TORC_STR_ARGS(field->value.str));
}

static void sink(void *context, const torc_log_record *record) {
    (void)context;
    if (strcmp(record->space, "stall") != 0) return;
    told.count++;
    for (size_t i = 0; i < record->field_count; i++) {
        const torc_log_field *field = &record->fields[i];
        if (strcmp(field->key, "by") == 0) copy(told.by, sizeof(told.by), field);
        if (strcmp(field->key, "what") == 0) copy(told.what, sizeof(told.what), field);
        if (strcmp(field->key, "ms") == 0) told.ms = field->value.uint_;
    }
}

static int set_up(void **state) {
    (void)state;
    memset(&told, 0, sizeof(told));
    if (torc_log_new(NULL, sink, NULL, &the_log)) return -1;
    const torc_reactor_options options = {.size = sizeof(options), .log = the_log};
    return torc_test_reactor_new(&options, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    torc_log_free(the_log);
    return 0;
}

/* As if the thread had seen that it takes long. */
static void hold(uint64_t us) {
    torc_test_spend_us(reactor, us);
    atomic_store(&reactor->is_stalled, true);
}

static void check_told(const char *by, const char *what, uint64_t ms) {
    assert_int_equal(told.count, 1);
    assert_string_equal(told.by, by);
    if (!strstr(told.what, what)) print_error("%s\n", told.what);
    assert_non_null(strstr(told.what, what));
    assert_int_equal(told.ms, ms);
    assert_false(torc_stall_is_marked(reactor));
}

static void slow_timer(torc_timer *timer) {
    (void)timer;
    hold(250000);
}

static void a_timer_is_named(void **state) {
    torc_timer quick, slow;

    (void)state;
    torc_timer_init(&slow, reactor, slow_timer);
    torc_timer_init(&quick, reactor, slow_timer);
    torc_timer_arm(&slow, 1);
    torc_test_advance(reactor, 2);
    check_told("timer", "slow_timer+0x0", 250);
}

static void slow_call(torc_call *call) {
    (void)call;
    hold(120000);
}

static void a_call_is_named(void **state) {
    torc_call call = {.run = slow_call};

    (void)state;
    torc_reactor_post(reactor, &call);
    torc_test_settle(reactor);
    check_told("call", "slow_call+0x0", 120);
}

static torc_err slow_fiber(void *context) {
    (void)context;
    hold(150000);
    return torc_yield(reactor);
}

static void a_fiber_is_named_and_not_the_call_that_resumed_it(void **state) {
    (void)state;
    check_ok(torc_fiber_spawn(reactor, slow_fiber, NULL, NULL));
    torc_test_settle(reactor);
    check_told("fiber", "slow_fiber+0x0", 150);
}

static void describe(void *argument, char *text, size_t size) {
    snprintf(text, size, "GET %s", (const char *)argument);
}

static void a_fiber_that_can_tell_is_told_by_what_it_does(void **state) {
    char path[] = "/slow";

    (void)state;
    reactor->described_code = (const void *)(uintptr_t)slow_fiber;
    reactor->describe = describe;
    check_ok(torc_fiber_spawn(reactor, slow_fiber, path, NULL));
    torc_test_settle(reactor);
    check_told("fiber", "GET /slow", 150);
}

static void slow_flush(torc_flushable *flushable) {
    (void)flushable;
    hold(300000);
}

static void what_else_it_is_is_a_turn(void **state) {
    torc_flushable flushable = {.flush = slow_flush};

    (void)state;
    torc_reactor_flush_later(reactor, &flushable);
    check_ok(torc_reactor_turn(reactor, 0));
    check_told("a turn", "", 300);
}

/* ---- the thread ---- */

static void until_seen(torc_call *call) {
    (void)call;
    while (!torc_stall_is_marked(reactor)) sched_yield();
}

static void the_thread_sees_who_does_not_return(void **state) {
    const torc_reactor_options options = {.size = sizeof(options), .log = the_log, .stall_ms = 5};
    torc_call call = {.run = until_seen};

    (void)state;
    torc_reactor_free(reactor);
    check_ok(torc_reactor_new(&options, &reactor));
    for (int i = 0; i < 2; i++) {
        told.count = 0;
        torc_reactor_post(reactor, &call);
        check_ok(torc_reactor_turn(reactor, 0));
        assert_true(told.count >= 1);
        assert_non_null(strstr(told.what, "until_seen"));
        assert_true(told.ms >= 5);
    }
    /* Waiting is no stall. */
    told.count = 0;
    check_ok(torc_reactor_turn(reactor, 30));
    assert_int_equal(told.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_timer_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fiber_is_named_and_not_the_call_that_resumed_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_fiber_that_can_tell_is_told_by_what_it_does, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_else_it_is_is_a_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_thread_sees_who_does_not_return, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
