/* SPDX-License-Identifier: MIT */
#include <torc/cooperate.h>
#include <torc/fiber.h>
#include <torc/testing.h>

#include "check.h"

static torc_reactor *reactor;

/* Work of so many steps. */
typedef struct work {
    torc_task *task;
    int steps, left, disposed, stop_at, free_at;
    uint32_t takes_us;
    torc_deferred *answer; /* of the next step */
} work;

static int set_up(void **state) {
    (void)state;
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static torc_deferred *step(void *context, bool *done) {
    work *self = context;
    torc_deferred *answer = self->answer;

    self->answer = NULL;
    self->steps++;
    torc_test_spend_us(reactor, self->takes_us);
    *done = --self->left <= 0;
    if (self->steps == self->stop_at) torc_task_stop(self->task);
    if (self->steps == self->free_at) torc_task_free(self->task);
    return answer;
}

static void dispose(void *context) {
    ((work *)context)->disposed++;
}

static void begin(work *self) {
    check_ok(torc_task_new(reactor, step, self, dispose, &self->task));
}

typedef struct taker {
    torc_callback callback;
    int told;
    torc_err err;
} taker;

static void take(torc_callback *callback, torc_err err, void *value) {
    taker *self = torc_container_of(callback, taker, callback);

    assert_null(value);
    self->told++;
    self->err = err;
}

static void turns(int count) {
    while (count-- > 0) check_ok(torc_reactor_turn(reactor, 0));
}

static void steps_stay_within_the_budget_of_a_turn(void **state) {
    work a = {.left = 10, .takes_us = 300};
    taker taking = {.told = 0};

    (void)state;
    begin(&a);
    torc_deferred_then(torc_task_ended(a.task), &taking.callback, take);
    assert_int_equal(a.steps, 0);
    turns(1);
    assert_int_equal(a.steps, 7); /* until 2 ms are over */
    turns(1);
    assert_int_equal(a.steps, 10);
    assert_int_equal(taking.told, 1);
    check_ok(taking.err);
    assert_true(torc_task_has_ended(a.task));
    assert_int_equal(a.disposed, 1);
    torc_task_free(a.task);
}

static void the_budget_may_be_another(void **state) {
    work a = {.left = 100, .takes_us = 300};

    (void)state;
    torc_cooperate_set_budget(reactor, 1);
    begin(&a);
    turns(5);
    assert_int_equal(a.steps, 5);
    torc_task_free(a.task);
    assert_int_equal(a.disposed, 1);
}

static void tasks_take_turns(void **state) {
    work a = {.left = 100, .takes_us = 500}, b = {.left = 100, .takes_us = 500};

    (void)state;
    begin(&a);
    begin(&b);
    turns(10);
    assert_int_equal(a.steps, 20);
    assert_int_equal(b.steps, 20);
    torc_task_free(a.task);
    turns(1);
    assert_int_equal(b.steps, 24);
    torc_task_free(b.task);
}

static void a_task_is_paused_as_often_as_it_is_resumed(void **state) {
    work a = {.left = 100, .takes_us = 3000};

    (void)state;
    begin(&a);
    turns(1);
    torc_task_pause(a.task);
    torc_task_pause(a.task);
    turns(3);
    assert_int_equal(a.steps, 1);
    torc_task_resume(a.task);
    turns(3);
    assert_int_equal(a.steps, 1);
    torc_task_resume(a.task);
    torc_task_resume(a.task); /* too often: nothing */
    turns(3);
    assert_int_equal(a.steps, 4);
    torc_task_free(a.task);
}

static void a_step_may_wait_for_a_deferred(void **state) {
    work a = {.left = 3};
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    a.answer = deferred;
    begin(&a);
    turns(5);
    assert_int_equal(a.steps, 1);
    torc_task_pause(a.task);
    check_ok(torc_deferred_fire(deferred, &a, dispose));
    turns(5);
    assert_int_equal(a.disposed, 1); /* the value */
    assert_int_equal(a.steps, 1);
    torc_task_resume(a.task);
    turns(2);
    assert_int_equal(a.steps, 3);
    assert_int_equal(a.disposed, 2);
    torc_task_free(a.task);
}

static void a_step_that_fails_ends_it(void **state) {
    work a = {.left = 3};
    taker taking = {.told = 0}, late = {.told = 0};

    (void)state;
    a.answer = torc_deferred_failed(reactor, TORC_ERR_NO_SPACE);
    begin(&a);
    torc_deferred_then(torc_task_ended(a.task), &taking.callback, take);
    turns(5);
    check_err(taking.err, TORC_ERR_NO_SPACE);
    assert_int_equal(a.steps, 1);
    torc_deferred_then(torc_task_ended(a.task), &late.callback, take);
    turns(1);
    check_err(late.err, TORC_ERR_NO_SPACE);
    torc_task_stop(a.task);
    torc_task_free(a.task);
}

static void it_is_stopped(void **state) {
    work a = {.left = 3, .takes_us = 3000};
    taker taking = {.told = 0}, second = {.told = 0};

    (void)state;
    begin(&a);
    torc_deferred_then(torc_task_ended(a.task), &taking.callback, take);
    torc_deferred_then(torc_task_ended(a.task), &second.callback, take);
    turns(1);
    check_err(second.err, TORC_ERR_BUSY);
    torc_task_stop(a.task);
    turns(3);
    check_err(taking.err, TORC_ERR_CANCELLED);
    assert_int_equal(a.steps, 1);
    assert_int_equal(a.disposed, 1);
    torc_task_free(a.task);
}

static void what_it_waits_for_is_cancelled(void **state) {
    work a = {.left = 3};
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    a.answer = deferred;
    begin(&a);
    turns(1);
    torc_task_free(a.task);
    assert_false(torc_deferred_is_wanted(deferred));
    check_err(torc_deferred_fire(deferred, NULL, NULL), TORC_ERR_CANCELLED);
    assert_int_equal(a.disposed, 1);
}

static void it_may_be_stopped_or_freed_by_its_step(void **state) {
    work a = {.left = 9, .stop_at = 2}, b = {.left = 9, .free_at = 2},
         c = {.left = 9, .free_at = 1};

    (void)state;
    c.answer = torc_deferred_new(reactor);
    torc_deferred *deferred = c.answer;
    begin(&a);
    begin(&b);
    begin(&c);
    turns(3);
    assert_int_equal(a.steps, 2);
    assert_int_equal(b.steps, 2);
    assert_int_equal(c.steps, 1);
    assert_int_equal(a.disposed + b.disposed + c.disposed, 3);
    check_err(torc_deferred_fire(deferred, NULL, NULL), TORC_ERR_CANCELLED);
    torc_task_free(a.task);
}

static void dispose_and_free(void *context) {
    work *self = context;

    self->disposed++;
    torc_task_free(self->task);
}

static void who_owns_the_context_may_free_it_with_that(void **state) {
    work done = {.left = 2}, stopped = {.left = 1 << 30}, freed = stopped, failed = stopped;
    work *const all[] = {&done, &stopped, &freed, &failed};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(all); i++)
        check_ok(torc_task_new(reactor, step, all[i], dispose_and_free, &all[i]->task));
    failed.answer = torc_deferred_failed(reactor, TORC_ERR_PEER);
    turns(4);
    torc_task_stop(stopped.task);
    torc_task_free(freed.task);
    turns(2);
    for (size_t i = 0; i < TORC_COUNT_OF(all); i++) assert_int_equal(all[i]->disposed, 1);
}

static void without_memory_there_is_none(void **state) {
    work a = {.left = 1};

    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        torc_test_fail_allocation(reactor, n);
        check_err(torc_task_new(reactor, step, &a, dispose, &a.task), TORC_ERR_NO_MEMORY);
    }
    begin(&a);
    torc_test_fail_allocation(reactor, 1);
    torc_deferred *ended = torc_task_ended(a.task);
    assert_true(torc_deferred_is_out_of_memory(ended));
    torc_deferred_drop(ended);
    turns(1);
    torc_task_free(a.task);
    torc_task_free(NULL);
}

static int breaths;

static torc_err compute(void *context) {
    const uint32_t *takes_us = context;

    for (int i = 0; i < 40; i++) {
        torc_test_spend_us(reactor, *takes_us);
        breaths++;
        const torc_err err = torc_breathe(reactor);
        if (err) return err;
    }
    return TORC_OK;
}

static void a_fiber_breathes_when_its_time_is_over(void **state) {
    uint32_t takes_us = 100;
    torc_fiber *fiber;

    (void)state;
    breaths = 0;
    check_ok(torc_fiber_spawn(reactor, compute, &takes_us, &fiber));
    turns(1);
    assert_in_range(breaths, 20, 25);
    turns(2);
    assert_int_equal(breaths, 40);
    assert_true(torc_fiber_has_ended(fiber));
    torc_fiber_detach(fiber);
    check_ok(torc_fiber_spawn(reactor, compute, &takes_us, &fiber));
    turns(1);
    breaths = 0;
    torc_fiber_cancel(fiber, TORC_ERR_CANCELLED);
    turns(1);
    assert_int_equal(breaths, 0);
    assert_true(torc_fiber_has_ended(fiber));
    torc_fiber_detach(fiber);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(steps_stay_within_the_budget_of_a_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_budget_may_be_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tasks_take_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_task_is_paused_as_often_as_it_is_resumed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_step_may_wait_for_a_deferred, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_step_that_fails_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_it_waits_for_is_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_may_be_stopped_or_freed_by_its_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_owns_the_context_may_free_it_with_that, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_memory_there_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fiber_breathes_when_its_time_is_over, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
