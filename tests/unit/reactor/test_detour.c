/* SPDX-License-Identifier: MIT */
#include "reactor/detour.h"

#include <errno.h>
#include <pthread.h>
#include <torc/testing.h>
#include <torc/thread.h>

#include "check.h"
#include "reactor/fiber.h"

static torc_reactor *reactor;

/* What a detour works on; `gate` is held by the test while the thread is to wait. */
typedef struct way {
    int given, made;
    torc_err answer;
    pthread_mutex_t *gate;
} way;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int drops, drops_after_run;

static int set_up(void **state) {
    const torc_reactor_options options = {.size = sizeof(options),
                                          .threads[TORC_THREAD_FILE] = {1, 1}};

    (void)state;
    drops = drops_after_run = 0;
    return torc_test_reactor_new(&options, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static torc_err run(void *data) {
    way *self = data;

    if (self->gate) {
        pthread_mutex_lock(self->gate);
        pthread_mutex_unlock(self->gate);
    }
    self->made = self->given * 2;
    return self->answer;
}

static void dropped(void *data, bool has_run) {
    const way *self = data;

    drops++;
    drops_after_run += has_run;
    if (has_run) assert_int_equal(self->made, self->given * 2);
}

typedef struct traveller {
    torc_err answer, err;
    int made;
    bool waits_at_gate, has_ended, was_left;
} traveller;

static torc_err travel(void *context) {
    traveller *self = context;
    void *data = torc_detour_new(reactor, sizeof(way));
    way *mine = data;

    assert_non_null(data);
    assert_int_equal(mine->made, 0);
    *mine = (way){.given = 21, .answer = self->answer, .gate = self->waits_at_gate ? &gate : NULL};
    self->err = torc_detour_run(&data, run, dropped);
    self->was_left = !data;
    if (data) self->made = mine->made;
    torc_detour_free(data);
    self->has_ended = true;
    return TORC_OK;
}

static void start(traveller *self, torc_fiber **fiber) {
    check_ok(torc_fiber_start(reactor, travel, self, fiber));
}

static void a_fiber_gets_the_answer(void **state) {
    traveller self = {0}, failing = {.answer = TORC_ERR_NO_SPACE};
    torc_fiber *fiber;

    (void)state;
    start(&self, &fiber);
    assert_false(self.has_ended);
    torc_test_finish_jobs(reactor);
    assert_true(self.has_ended);
    check_ok(self.err);
    assert_int_equal(self.made, 42);
    start(&failing, &fiber);
    torc_test_finish_jobs(reactor);
    check_err(failing.err, TORC_ERR_NO_SPACE);
    assert_int_equal(failing.made, 42);
    assert_int_equal(drops, 0);
}

/* Begun: the thread goes on with what is its own now, and it is dropped when it has returned. */
static void a_cancelled_one_leaves_what_was_begun(void **state) {
    traveller self = {.waits_at_gate = true};
    torc_fiber *fiber = NULL;

    (void)state;
    pthread_mutex_lock(&gate);
    start(&self, &fiber);
    torc_fiber_cancel(fiber, TORC_ERR_CANCELLED);
    torc_test_settle(reactor);
    assert_true(self.has_ended);
    assert_true(self.was_left);
    check_err(self.err, TORC_ERR_CANCELLED);
    pthread_mutex_unlock(&gate);
    torc_test_finish_jobs(reactor);
    assert_int_equal(drops, 1);
}

/* Not begun: it is dropped at once. */
static void what_was_not_begun_never_runs(void **state) {
    traveller first = {.waits_at_gate = true}, second = {0};
    torc_fiber *one = NULL, *two = NULL;

    (void)state;
    pthread_mutex_lock(&gate);
    start(&first, &one);
    while (reactor->counts.jobs_ended == 0 && torc_reactor_turn(reactor, 0) == TORC_OK &&
           !second.has_ended) {
        /* Once the one thread has begun the first, the second waits in the queue. */
        start(&second, &two);
        torc_fiber_cancel(two, TORC_ERR_CANCELLED);
        torc_test_settle(reactor);
    }
    assert_true(second.has_ended);
    pthread_mutex_unlock(&gate);
    torc_test_finish_jobs(reactor);
    assert_true(first.has_ended);
    assert_int_equal(drops_after_run, 0);
}

static void a_full_queue_is_told_at_once(void **state) {
    traveller self[4] = {{.waits_at_gate = true},
                         {.waits_at_gate = true},
                         {.waits_at_gate = true},
                         {.waits_at_gate = true}};
    torc_fiber *fiber = NULL;
    int busy = 0;

    (void)state;
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 4; i++) start(&self[i], &fiber);
    for (int i = 0; i < 4; i++) {
        if (!self[i].has_ended) continue;
        check_err(self[i].err, TORC_ERR_BUSY);
        assert_false(self[i].was_left);
        busy++;
    }
    assert_true(busy >= 2 &&
                busy <= 3); /* one is in the queue, and one with the thread if it has begun */
    pthread_mutex_unlock(&gate);
    torc_test_finish_jobs(reactor);
    for (int i = 0; i < 4; i++) assert_true(self[i].has_ended);
    assert_int_equal(drops, 0);
}

static void there_may_be_no_memory(void **state) {
    (void)state;
    assert_null(torc_detour_new(reactor, SIZE_MAX));
    torc_test_fail_allocation(reactor, 1);
    assert_null(torc_detour_new(reactor, 10));
    torc_test_fail_allocation(reactor, 0);
    torc_detour_free(NULL);
}

typedef struct sum {
    int a, b, result;
} sum;

static torc_err add(void *data) {
    sum *self = data;
    self->result = self->a + self->b;
    return self->a < 0 ? TORC_ERR_INVALID : TORC_OK;
}

static torc_err sums;

static torc_err add_in_thread(void *context) {
    (void)context;
    sum self = {.a = 1, .b = 2};
    check_ok(torc_await_thread(reactor, TORC_THREAD_USER, add, &self, sizeof(self), NULL));
    assert_int_equal(self.result, 3);
    self.a = -1;
    check_err(torc_await_thread(reactor, TORC_THREAD_USER, add, &self, sizeof(self), NULL),
              TORC_ERR_INVALID);
    assert_int_equal(self.result, 1); /* copied back all the same */
    sums = TORC_ERR_EXISTS;
    return TORC_OK;
}

static void any_function_may_take_it(void **state) {
    torc_fiber *fiber = NULL;

    (void)state;
    sums = TORC_OK;
    check_ok(torc_fiber_start(reactor, add_in_thread, NULL, &fiber));
    torc_test_finish_jobs(reactor);
    check_err(sums, TORC_ERR_EXISTS);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_fiber_gets_the_answer),       TEST(a_cancelled_one_leaves_what_was_begun),
        TEST(what_was_not_begun_never_runs), TEST(a_full_queue_is_told_at_once),
        TEST(there_may_be_no_memory),        TEST(any_function_may_take_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
