/* SPDX-License-Identifier: MIT */
#include <torc/deferred.h>

#include "deferred_fixture.h"

typedef struct story {
    torc_deferred *deferred;
    torc_fiber *fiber, *child;
    torc_err errs[4];
    int at; /* how many waits have returned */
    uint64_t left[4];
    bool has_ended;
} story;

static story *begin(torc_fiber_fn *run) {
    static story self;

    self = (story){.at = 0};
    check_ok(torc_fiber_start(reactor, run, &self, &self.fiber));
    return &self;
}

static torc_err three_sleeps(void *context) {
    story *self = context;
    torc_deadline deadline;

    self->left[0] = torc_deadline_left_ms(reactor);
    torc_deadline_begin(reactor, &deadline, 25);
    for (; self->at < 3; self->at++) self->errs[self->at] = torc_sleep(reactor, 10);
    self->left[1] = torc_deadline_left_ms(reactor);
    self->errs[3] = torc_yield(reactor);
    torc_deadline_end(reactor, &deadline);
    self->errs[2] = torc_sleep(reactor, 10); /* it holds no more */
    self->has_ended = true;
    return TORC_OK;
}

static void it_bounds_all_waits_together(void **state) {
    story *self = begin(three_sleeps);

    (void)state;
    move_ms(10);
    move_ms(10);
    assert_int_equal(self->at, 2);
    check_ok(self->errs[1]);
    move_ms(5);
    assert_int_equal(self->at, 3);
    check_err(self->errs[3], TORC_ERR_TIMEOUT); /* every later wait, at once */
    assert_true(self->left[0] == UINT64_MAX);
    assert_int_equal(self->left[1], 0);
    move_ms(10);
    assert_true(self->has_ended);
    check_ok(self->errs[2]);
    assert_true(torc_deadline_left_ms(reactor) == UINT64_MAX); /* no fiber */
}

static torc_err await_under_deadline(void *context) {
    story *self = context;
    torc_deadline deadline;
    void *value = NULL;

    torc_deadline_begin(reactor, &deadline, 20);
    self->errs[self->at] = torc_await(self->deferred, &value);
    self->at++;
    torc_deadline_end(reactor, &deadline);
    if (value) dispose(value);
    self->has_ended = true;
    return TORC_OK;
}

static void what_is_waited_for_is_cancelled_first(void **state) {
    story self = {.deferred = make_with(cancel_later)};

    (void)state;
    check_ok(torc_fiber_start(reactor, await_under_deadline, &self, &self.fiber));
    move_ms(20);
    assert_int_equal(cancels, 1);
    assert_false(self.has_ended); /* until it has let go */
    torc_deferred_fail(self.deferred, TORC_ERR_CANCELLED);
    turns(2);
    check_err(self.errs[0], TORC_ERR_TIMEOUT);
}

static void what_comes_in_time_is_taken(void **state) {
    story self = {.deferred = make_with(cancel_later)};

    (void)state;
    check_ok(torc_fiber_start(reactor, await_under_deadline, &self, &self.fiber));
    torc_deferred_fire(self.deferred, &value_a, dispose);
    hand_clock_move(&deferred_clock, 30);
    turns(2);
    check_ok(self.errs[0]);
    assert_int_equal(disposed, 1);
    assert_int_equal(cancels, 0);
}

static torc_err nested(void *context) {
    story *self = context;
    torc_deadline outer, wider, narrower;

    torc_deadline_begin(reactor, &outer, 20);
    torc_deadline_begin(reactor, &wider, 1000);
    self->left[0] = torc_deadline_left_ms(reactor);
    torc_deadline_end(reactor, &wider);
    torc_deadline_begin(reactor, &narrower, 5);
    self->errs[0] = torc_sleep(reactor, 1000);
    torc_deadline_end(reactor, &narrower);
    self->left[1] = torc_deadline_left_ms(reactor);
    self->errs[1] = torc_sleep(reactor, 1000);
    torc_deadline_end(reactor, &outer);
    torc_deadline_begin(reactor, &wider, UINT64_MAX);
    self->left[2] = torc_deadline_left_ms(reactor);
    self->errs[2] = torc_sleep(reactor, 1);
    torc_deadline_end(reactor, &wider);
    self->has_ended = true;
    return TORC_OK;
}

static void the_narrower_holds(void **state) {
    story *self = begin(nested);

    (void)state;
    assert_int_equal(self->left[0], 20);
    move_ms(5);
    check_err(self->errs[0], TORC_ERR_TIMEOUT);
    assert_int_equal(self->left[1], 15);
    move_ms(15);
    check_err(self->errs[1], TORC_ERR_TIMEOUT);
    move_ms(1);
    assert_true(self->has_ended);
    check_ok(self->errs[2]);
    assert_true(self->left[2] == UINT64_MAX);
}

static torc_err grandchild(void *context) {
    story *self = context;

    self->errs[1] = torc_sleep(reactor, 1000);
    return TORC_OK;
}

static torc_err child(void *context) {
    story *self = context;

    self->left[0] = torc_deadline_left_ms(reactor);
    check_ok(torc_fiber_spawn(reactor, grandchild, self, NULL));
    self->errs[0] = torc_sleep(reactor, 1000);
    return TORC_ERR_BUSY;
}

static torc_err parent(void *context) {
    story *self = context;
    torc_deadline deadline;

    torc_deadline_begin(reactor, &deadline, 20);
    check_ok(torc_fiber_spawn(reactor, child, self, &self->child));
    torc_deadline_end(reactor, &deadline);
    self->errs[2] = torc_fiber_join(self->child, &self->errs[3]);
    self->has_ended = true;
    return TORC_OK;
}

static void fibers_inherit_it(void **state) {
    story *self = begin(parent);

    (void)state;
    turns(1);
    assert_int_equal(self->left[0], 20);
    move_ms(20);
    turns(1);
    assert_true(self->has_ended);
    check_err(self->errs[0], TORC_ERR_TIMEOUT);
    check_err(self->errs[1], TORC_ERR_TIMEOUT);
    check_ok(self->errs[2]);
    check_err(self->errs[3], TORC_ERR_BUSY);
}

static torc_err shielded(void *context) {
    story *self = context;
    torc_deadline deadline;

    torc_deadline_begin(reactor, &deadline, 10);
    torc_shield_begin(reactor);
    self->errs[0] = torc_sleep(reactor, 20);
    torc_shield_end(reactor);
    self->errs[1] = torc_sleep(reactor, 1);
    torc_deadline_end(reactor, &deadline);
    self->has_ended = true;
    return TORC_OK;
}

static void a_shield_is_stronger(void **state) {
    story *self = begin(shielded);

    (void)state;
    move_ms(10);
    move_ms(10);
    turns(1);
    assert_true(self->has_ended);
    check_ok(self->errs[0]);
    check_err(self->errs[1], TORC_ERR_TIMEOUT);
}

static void a_cancel_is_told_before_it(void **state) {
    story *self = begin(three_sleeps);

    (void)state;
    torc_fiber_cancel(self->fiber, TORC_ERR_LOST);
    move_ms(30);
    turns(1);
    assert_true(self->has_ended);
    check_err(self->errs[1], TORC_ERR_LOST);
    check_err(self->errs[2], TORC_ERR_LOST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DEFERRED_TEST(it_bounds_all_waits_together),
        DEFERRED_TEST(what_is_waited_for_is_cancelled_first),
        DEFERRED_TEST(what_comes_in_time_is_taken),
        DEFERRED_TEST(the_narrower_holds),
        DEFERRED_TEST(fibers_inherit_it),
        DEFERRED_TEST(a_shield_is_stronger),
        DEFERRED_TEST(a_cancel_is_told_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
