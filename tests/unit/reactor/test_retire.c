/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <torc/testing.h>

#include "check.h"
#include "reactor/reactor.h"

typedef struct thing {
    torc_retiree retiree;
    char name;
    struct thing *takes_along; /* retired when this one is */
} thing;

static torc_reactor *reactor;
static char order[16];
static size_t count;

static int set_up(void **state) {
    (void)state;
    count = 0;
    order[0] = '\0';
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static void retired(torc_retiree *retiree) {
    thing *self = torc_container_of(retiree, thing, retiree);

    order[count++] = self->name;
    order[count] = '\0';
    if (self->takes_along) torc_retire(reactor, &self->takes_along->retiree, retired);
    free(self);
}

static thing *make(char name) {
    thing *self = calloc(1, sizeof(*self));

    assert_non_null(self);
    self->name = name;
    return self;
}

static void what_is_closed_goes_at_the_end_of_the_turn(void **state) {
    (void)state;
    torc_retire(reactor, &make('a')->retiree, retired);
    torc_retire(reactor, &make('b')->retiree, retired);
    assert_string_equal(order, "");
    assert_true(torc_reactor_is_queued(reactor)); /* so the turn does not wait */
    check_ok(torc_reactor_turn(reactor, -1));
    assert_string_equal(order, "ab");
    assert_false(torc_reactor_is_queued(reactor));
}

static void what_goes_may_take_others_along(void **state) {
    thing *first = make('a');

    (void)state;
    first->takes_along = make('c');
    first->takes_along->takes_along = make('d');
    torc_retire(reactor, &first->retiree, retired);
    torc_retire(reactor, &make('b')->retiree, retired);
    check_ok(torc_reactor_turn(reactor, -1));
    assert_string_equal(order, "abcd");
    torc_retire(reactor, &make('e')->retiree, retired); /* the list is whole again */
    check_ok(torc_reactor_turn(reactor, -1));
    assert_string_equal(order, "abcde");
}

static void a_freed_reactor_lets_all_go(void **state) {
    torc_retire(reactor, &make('a')->retiree, retired);
    torc_reactor_free(reactor);
    assert_string_equal(order, "a");
    assert_int_equal(set_up(state), 0);
}

typedef struct closing {
    torc_call call;
    torc_timer timer;
    torc_flushable flushable;
} closing;

static void called(torc_call *call) {
    closing *self = torc_container_of(call, closing, call);
    torc_retire(reactor, &make('r')->retiree, retired);
    torc_reactor_flush_later(reactor, &self->flushable);
    order[count++] = 'c';
}

static void expired(torc_timer *timer) {
    closing *self = torc_container_of(timer, closing, timer);
    torc_reactor_post(reactor, &self->call);
    order[count++] = 't';
}

static void flushed(torc_flushable *flushable) {
    (void)flushable;
    order[count++] = 'f';
}

/* The phases of a turn, each feeding the next. */
static void it_is_the_last_phase_of_the_turn(void **state) {
    closing self = {.call = {.run = called}, .flushable = {.flush = flushed}};

    (void)state;
    torc_timer_init(&self.timer, reactor, expired);
    torc_timer_arm(&self.timer, 0);
    check_ok(torc_reactor_turn(reactor, -1));
    assert_string_equal(order, "tcfr");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_closed_goes_at_the_end_of_the_turn),
        TEST(what_goes_may_take_others_along),
        TEST(a_freed_reactor_lets_all_go),
        TEST(it_is_the_last_phase_of_the_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
