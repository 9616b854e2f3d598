/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <torc/testing.h>

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

/* Notes its name when it expires, and does one more thing. */
typedef struct noted {
    torc_timer timer;
    char name;
    torc_timer *canceled, *armed;
    uint64_t delay_ms; /* of `armed` */
    bool frees;
} noted;

static char order[64];
static size_t count;

static void expired(torc_timer *timer) {
    noted *self = torc_container_of(timer, noted, timer);

    assert_false(torc_timer_is_armed(timer));
    order[count++] = self->name;
    order[count] = '\0';
    if (self->canceled) torc_timer_cancel(self->canceled);
    if (self->armed) torc_timer_arm(self->armed, self->delay_ms);
    if (self->frees) free(self);
}

static noted note(char name) {
    noted self = {.name = name};

    torc_timer_init(&self.timer, reactor, expired);
    return self;
}

static void check_order(const char *expected) {
    assert_string_equal(order, expected);
    count = 0;
    order[0] = '\0';
}

static void they_expire_in_the_order_of_their_times(void **state) {
    noted a = note('a'), b = note('b'), c = note('c');

    (void)state;
    torc_timer_arm(&a.timer, 30);
    torc_timer_arm(&b.timer, 10);
    torc_timer_arm(&c.timer, 20);
    torc_test_advance(reactor, 100);
    check_order("bca");
}

static void those_of_one_moment_in_the_order_of_arming(void **state) {
    noted a = note('a'), b = note('b'), c = note('c');

    (void)state;
    torc_timer_arm(&c.timer, 10);
    torc_timer_arm(&a.timer, 10);
    torc_timer_arm(&b.timer, 10);
    torc_timer_arm(&c.timer, 10); /* armed anew: the last */
    torc_test_advance(reactor, 10);
    check_order("abc");
}

static void arming_again_moves(void **state) {
    noted a = note('a');

    (void)state;
    torc_timer_arm(&a.timer, 10);
    torc_timer_arm(&a.timer, 30);
    torc_test_advance(reactor, 29);
    check_order("");
    torc_test_advance(reactor, 1);
    check_order("a");
    torc_timer_arm(&a.timer, 30);
    torc_timer_arm(&a.timer, 10);
    torc_test_advance(reactor, 10);
    check_order("a");
    torc_test_advance(reactor, 100);
    check_order("");
}

static void canceling_may_be_repeated(void **state) {
    noted a = note('a');

    (void)state;
    torc_timer_cancel(&a.timer);
    torc_timer_arm(&a.timer, 10);
    assert_true(torc_timer_is_armed(&a.timer));
    torc_timer_cancel(&a.timer);
    torc_timer_cancel(&a.timer);
    assert_false(torc_timer_is_armed(&a.timer));
    torc_test_advance(reactor, 100);
    check_order("");
}

static void one_may_cancel_another_that_is_due(void **state) {
    noted a = note('a'), b = note('b');

    (void)state;
    a.canceled = &b.timer;
    torc_timer_arm(&a.timer, 10);
    torc_timer_arm(&b.timer, 10);
    torc_test_advance(reactor, 100);
    check_order("a");
}

static void one_may_arm_itself(void **state) {
    noted a = note('a');

    (void)state;
    a.armed = &a.timer;
    a.delay_ms = 10;
    torc_timer_arm(&a.timer, 10);
    torc_test_advance(reactor, 35);
    check_order("aaa");
    torc_timer_cancel(&a.timer);
}

static void one_may_free_itself(void **state) {
    noted *a = malloc(sizeof(*a));

    (void)state;
    *a = note('a');
    a->frees = true;
    torc_timer_arm(&a->timer, 10);
    torc_test_advance(reactor, 10);
    check_order("a");
}

/* Armed for now, in the phase of timers: it goes in the next turn, with those behind it. */
static void one_armed_for_now_waits_a_turn(void **state) {
    noted a = note('a'), b = note('b');

    (void)state;
    a.armed = &b.timer;
    torc_timer_arm(&a.timer, 0);
    check_ok(torc_reactor_turn(reactor, 0));
    check_order("a");
    check_ok(torc_reactor_turn(reactor, 0));
    check_order("b");
}

static void no_delay_is_too_long(void **state) {
    noted a = note('a'), b = note('b');

    (void)state;
    torc_timer_arm(&a.timer, UINT64_MAX);
    torc_timer_arm(&b.timer, UINT64_MAX / 1000);
    torc_test_advance(reactor, 1000000);
    check_order("");
    assert_true(torc_timer_is_armed(&a.timer));
    torc_timer_cancel(&a.timer);
    torc_timer_cancel(&b.timer);
}

static void a_delay_is_never_shorter(void **state) {
    noted a = note('a');

    (void)state;
    torc_test_spend_us(reactor, 999); /* just before the next millisecond */
    torc_test_settle(reactor);
    torc_timer_arm(&a.timer, 1);
    torc_test_spend_us(reactor, 999);
    torc_test_settle(reactor);
    check_order("");
    torc_test_spend_us(reactor, 1001);
    torc_test_settle(reactor);
    check_order("a");
}

static void the_soonest_is_known(void **state) {
    noted a = note('a'), b = note('b');
    const uint64_t now_ms = torc_reactor_now_ms(reactor);

    (void)state;
    assert_int_equal(torc_timers_soonest_ms(reactor), UINT64_MAX);
    torc_timer_arm(&a.timer, 30);
    torc_timer_arm(&b.timer, 20);
    assert_int_equal(torc_timers_soonest_ms(reactor), now_ms + 20);
    torc_timer_cancel(&b.timer);
    assert_int_equal(torc_timers_soonest_ms(reactor), now_ms + 30);
    torc_timer_cancel(&a.timer);
}

static void arming_allocates_nothing(void **state) {
    noted a = note('a');

    (void)state;
    torc_test_fail_allocation(reactor, 1);
    for (int i = 0; i < 100; i++) torc_timer_arm(&a.timer, 10);
    torc_test_advance(reactor, 10);
    assert_false(torc_test_allocation_failed(reactor));
    check_order("a");
}

/* ---- many ---- */

enum {
    MANY = 500
};

static torc_timer many[MANY];
static uint64_t last_due;
static int expirations;

static void expired_in_order(torc_timer *timer) {
    assert_true(timer->due_ms <= torc_reactor_now_ms(reactor));
    assert_true(timer->due_ms >= last_due);
    last_due = timer->due_ms;
    expirations++;
}

static void many_expire_in_order(void **state) {
    uint32_t seed = 7;
    int armed = 0;

    (void)state;
    last_due = 0;
    expirations = 0;
    for (int i = 0; i < MANY; i++) torc_timer_init(&many[i], reactor, expired_in_order);
    for (int i = 0; i < 5000; i++) {
        seed = seed * 1664525 + 1013904223;
        torc_timer *timer = &many[(seed >> 8) % MANY];
        if (seed >> 31)
            torc_timer_arm(timer, (seed >> 16) % 1000);
        else
            torc_timer_cancel(timer);
    }
    for (int i = 0; i < MANY; i++) armed += torc_timer_is_armed(&many[i]);
    assert_true(armed > 100);
    torc_test_advance(reactor, 1000);
    assert_int_equal(expirations, armed);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(they_expire_in_the_order_of_their_times),
        TEST(those_of_one_moment_in_the_order_of_arming),
        TEST(arming_again_moves),
        TEST(canceling_may_be_repeated),
        TEST(one_may_cancel_another_that_is_due),
        TEST(one_may_arm_itself),
        TEST(one_may_free_itself),
        TEST(one_armed_for_now_waits_a_turn),
        TEST(no_delay_is_too_long),
        TEST(a_delay_is_never_shorter),
        TEST(the_soonest_is_known),
        TEST(arming_allocates_nothing),
        TEST(many_expire_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
