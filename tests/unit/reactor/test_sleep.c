/* SPDX-License-Identifier: MIT */
#include <torc/testing.h>

#include "check.h"
#include "reactor/fiber.h"

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

static char order[32];
static size_t count;

static void note(char name) {
    order[count++] = name;
    order[count] = '\0';
}

typedef struct sleeper {
    char name;
    uint64_t delay_ms;
    torc_err err;
    uint64_t woke_ms;
    bool has_woken;
} sleeper;

static torc_err sleep_once(void *context) {
    sleeper *self = context;

    self->err = torc_sleep(reactor, self->delay_ms);
    self->woke_ms = torc_reactor_now_ms(reactor);
    self->has_woken = true;
    note(self->name);
    return TORC_OK;
}

static void begin(void) {
    count = 0;
    order[0] = '\0';
}

static void each_sleeps_its_own_time(void **state) {
    sleeper a = {.name = 'a', .delay_ms = 30}, b = {.name = 'b', .delay_ms = 10},
            c = {.name = 'c', .delay_ms = 20};
    const uint64_t now_ms = torc_reactor_now_ms(reactor);

    (void)state;
    begin();
    check_ok(torc_fiber_spawn(reactor, sleep_once, &a, NULL));
    check_ok(torc_fiber_spawn(reactor, sleep_once, &b, NULL));
    check_ok(torc_fiber_spawn(reactor, sleep_once, &c, NULL));
    torc_test_advance(reactor, 100);
    assert_string_equal(order, "bca");
    assert_int_equal(a.woke_ms - now_ms, 30);
    assert_int_equal(b.woke_ms - now_ms, 10);
    check_ok(a.err);
}

static void no_delay_is_a_turn(void **state) {
    sleeper a = {.name = 'a'};

    (void)state;
    begin();
    check_ok(torc_fiber_start(reactor, sleep_once, &a, &(torc_fiber *){NULL}));
    assert_false(a.has_woken);
    check_ok(torc_reactor_turn(reactor, 0));
    check_ok(torc_reactor_turn(reactor, 0));
    assert_true(a.has_woken);
}

static void a_sleep_may_be_cancelled(void **state) {
    sleeper a = {.name = 'a', .delay_ms = 1000};
    torc_fiber *fiber = NULL;

    (void)state;
    begin();
    check_ok(torc_fiber_start(reactor, sleep_once, &a, &fiber));
    torc_test_advance(reactor, 10);
    torc_fiber_cancel(fiber, TORC_ERR_TIMEOUT);
    assert_false(a.has_woken); /* not from inside the call */
    torc_test_settle(reactor);
    assert_true(a.has_woken);
    check_err(a.err, TORC_ERR_TIMEOUT);
    torc_test_advance(reactor, 2000); /* its timer is gone with its stack */
    assert_int_equal(torc_timers_soonest_ms(reactor), UINT64_MAX);
}

typedef struct yielder {
    char name;
    int rounds;
    torc_err err;
} yielder;

static torc_err take_turns(void *context) {
    yielder *self = context;

    for (int i = 0; i < self->rounds && !self->err; i++) {
        note(self->name);
        self->err = torc_yield(reactor);
    }
    return TORC_OK;
}

static void yielding_lets_the_others_go(void **state) {
    yielder a = {.name = 'a', .rounds = 3}, b = {.name = 'b', .rounds = 3};

    (void)state;
    begin();
    check_ok(torc_fiber_spawn(reactor, take_turns, &a, NULL));
    check_ok(torc_fiber_spawn(reactor, take_turns, &b, NULL));
    torc_test_settle(reactor);
    assert_string_equal(order, "ababab");
    check_ok(a.err);
}

static void a_yield_may_be_cancelled(void **state) {
    yielder a = {.name = 'a', .rounds = 1000};
    torc_fiber *fiber = NULL;

    (void)state;
    begin();
    check_ok(torc_fiber_start(reactor, take_turns, &a, &fiber));
    torc_fiber_cancel(fiber, TORC_ERR_CANCELLED);
    torc_test_settle(reactor);
    assert_string_equal(order, "a");
    check_err(a.err, TORC_ERR_CANCELLED);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_sleeps_its_own_time), TEST(no_delay_is_a_turn),
        TEST(a_sleep_may_be_cancelled), TEST(yielding_lets_the_others_go),
        TEST(a_yield_may_be_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
