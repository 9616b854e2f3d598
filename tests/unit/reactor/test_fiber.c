/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "faults.h"
#include "reactor/fiber.h"

typedef struct fixture {
    torc_reactor *reactor;
    char trace[200];
    size_t len;
} fixture;

static fixture self;

static int set_up_with(uint32_t fibers_max) {
    const torc_reactor_options options = {.size = sizeof(options), .fibers_max = fibers_max};

    memset(&self, 0, sizeof(self));
    return torc_reactor_new(&options, &self.reactor) ? -1 : 0;
}

static int set_up(void **state) {
    (void)state;
    return set_up_with(4);
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(self.reactor);
    return 0;
}

static void note(char what) {
    assert_true(self.len < sizeof(self.trace) - 1);
    self.trace[self.len++] = what;
}

static void turns(int count) {
    while (count-- > 0) check_ok(torc_reactor_turn(self.reactor, 0));
}

static void check_trace(const char *expected) {
    assert_string_equal(self.trace, expected);
}

static void note_it(void *context) {
    note(*(const char *)context);
}

static void a_started_fiber_runs_at_once(void **state) {
    torc_fiber *fiber;

    (void)state;
    assert_false(torc_fiber_is_here(self.reactor));
    check_ok(torc_fiber_start(self.reactor, note_it, "a", &fiber));
    note('b');
    check_trace("ab");
}

static void a_spawned_fiber_runs_later(void **state) {
    (void)state;
    check_ok(torc_fiber_spawn(self.reactor, note_it, "a", NULL));
    note('b');
    turns(1);
    check_trace("ba");
}

static void yield_twice(void *context) {
    const char *name = context;

    assert_true(torc_fiber_is_here(self.reactor));
    for (int i = 0; i < 3; i++) {
        note(*name);
        check_ok(torc_yield(self.reactor));
    }
}

static void fibers_take_turns(void **state) {
    (void)state;
    check_ok(torc_fiber_spawn(self.reactor, yield_twice, "a", NULL));
    check_ok(torc_fiber_spawn(self.reactor, yield_twice, "b", NULL));
    turns(3);
    check_trace("ababab");
    assert_false(torc_fiber_is_here(self.reactor));
}

static void start_another(void *context) {
    torc_fiber *inner;

    note('a');
    check_ok(torc_fiber_start(self.reactor, yield_twice, context, &inner));
    note('c');
    check_ok(torc_yield(self.reactor));
    note('d');
}

static void a_fiber_may_start_another_on_top(void **state) {
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_start(self.reactor, start_another, "b", &fiber));
    check_trace("abc");
    turns(3);
    check_trace("abcbdb");
}

/* Registers and the stack are a fiber's own. */
static void compute(void *context) {
    volatile double sum = 0;
    char bytes[4096];
    double *result = context;

    memset(bytes, 'x', sizeof(bytes));
    for (int i = 0; i < 10; i++) {
        sum += 0.5 * i;
        check_ok(torc_yield(self.reactor));
        for (size_t place = 0; place < sizeof(bytes); place += 512)
            assert_int_equal(bytes[place], 'x');
    }
    *result = sum;
}

static void what_stands_on_a_stack_stays(void **state) {
    double results[4] = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        check_ok(torc_fiber_spawn(self.reactor, compute, &results[i], NULL));
    turns(20);
    for (int i = 0; i < 4; i++) assert_true(results[i] > 22.4 && results[i] < 22.6);
}

static void fibers_have_a_maximum(void **state) {
    torc_fiber *fibers[4], *more;

    (void)state;
    for (int i = 0; i < 4; i++) check_ok(torc_fiber_spawn(self.reactor, note_it, "a", &fibers[i]));
    check_err(torc_fiber_spawn(self.reactor, note_it, "b", &more), TORC_ERR_LIMIT);
    turns(1);
    check_ok(torc_fiber_spawn(self.reactor, note_it, "c", NULL)); /* ended ones do not count */
    turns(1);
    check_trace("aaaac");
    for (int i = 0; i < 4; i++) torc_fiber_detach(fibers[i]);
}

static void stacks_are_used_again(void **state) {
    torc_memory *memory = torc_reactor_memory(self.reactor);
    torc_fiber *fiber;
    size_t used = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        check_ok(torc_fiber_start(self.reactor, note_it, "a", &fiber));
        if (i == 0) used = memory->used[TORC_MEMORY_FIBER];
    }
    assert_int_equal(memory->used[TORC_MEMORY_FIBER], used);
}

/* ---- cancelling ---- */

typedef struct sleeper {
    uint64_t ms;
    torc_err errs[3];
    bool is_shielded;
    torc_fiber *fiber;
} sleeper;

static void sleep_and_note(void *context) {
    sleeper *sleeping = context;

    if (sleeping->is_shielded) torc_shield_begin(self.reactor);
    sleeping->errs[0] = torc_sleep(self.reactor, sleeping->ms);
    if (sleeping->is_shielded) torc_shield_end(self.reactor);
    sleeping->errs[1] = torc_sleep(self.reactor, sleeping->ms);
    sleeping->errs[2] = torc_yield(self.reactor);
    note('e');
}

static void a_cancelled_wait_returns_the_reason_and_so_do_later_ones(void **state) {
    sleeper sleeping = {.ms = 1000000};

    (void)state;
    check_ok(torc_fiber_start(self.reactor, sleep_and_note, &sleeping, &sleeping.fiber));
    torc_fiber_cancel(sleeping.fiber, TORC_ERR_LOST);
    torc_fiber_cancel(sleeping.fiber, TORC_ERR_TIMEOUT);
    check_trace(""); /* not from inside the call */
    turns(1);
    check_trace("e");
    for (int i = 0; i < 3; i++) check_err(sleeping.errs[i], TORC_ERR_LOST);
}

static void a_fiber_cancelled_before_it_begins_runs_all_the_same(void **state) {
    sleeper sleeping = {.ms = 1000000};

    (void)state;
    check_ok(torc_fiber_spawn(self.reactor, sleep_and_note, &sleeping, &sleeping.fiber));
    torc_fiber_cancel(sleeping.fiber, TORC_ERR_CANCELLED);
    turns(1);
    check_trace("e");
    check_err(sleeping.errs[0], TORC_ERR_CANCELLED);
    assert_true(torc_fiber_has_ended(sleeping.fiber));
    torc_fiber_cancel(sleeping.fiber, TORC_ERR_CANCELLED);
    torc_fiber_detach(sleeping.fiber);
}

static void a_shielded_wait_is_not_cancelled(void **state) {
    sleeper sleeping = {.ms = 0, .is_shielded = true};

    (void)state;
    check_ok(torc_fiber_start(self.reactor, sleep_and_note, &sleeping, &sleeping.fiber));
    torc_fiber_cancel(sleeping.fiber, TORC_ERR_LOST);
    while (self.len == 0) check_ok(torc_reactor_turn(self.reactor, 10));
    check_ok(sleeping.errs[0]);
    check_err(sleeping.errs[1], TORC_ERR_LOST);
}

static void a_freed_reactor_cancels_its_fibers(void **state) {
    sleeper sleeping = {.ms = 1000000};

    (void)state;
    check_ok(torc_fiber_start(self.reactor, sleep_and_note, &sleeping, &sleeping.fiber));
    torc_reactor_free(self.reactor);
    check_trace("e");
    check_err(sleeping.errs[0], TORC_ERR_STOPPING);
    check_ok(torc_reactor_new(NULL, &self.reactor));
}

/* An operation that lets go of what it was lent in a later turn. */
typedef struct slow_operation {
    torc_wait wait;
    torc_call call;
    torc_err reason;
    int cancels;
} slow_operation;

static void let_go(torc_call *call) {
    slow_operation *slow = torc_container_of(call, slow_operation, call);
    torc_wait_end(&slow->wait, slow->reason);
}

static void cancel_slowly(torc_wait *wait, torc_err reason) {
    slow_operation *slow = torc_container_of(wait, slow_operation, wait);

    slow->cancels++;
    slow->reason = reason;
}

static slow_operation *operation;

static void wait_for_slow(void *context) {
    slow_operation slow = {.call = {.run = let_go}};

    operation = &slow;
    *(torc_err *)context = torc_fiber_wait(self.reactor, &slow.wait, cancel_slowly);
    assert_int_equal(slow.cancels, 1);
    note('e');
}

static void a_cancelled_wait_returns_when_the_operation_has_let_go(void **state) {
    torc_err err = TORC_OK;
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_start(self.reactor, wait_for_slow, &err, &fiber));
    torc_fiber_cancel(fiber, TORC_ERR_LOST);
    torc_fiber_cancel(fiber, TORC_ERR_LOST);
    turns(3);
    check_trace("");
    torc_reactor_post(self.reactor, &operation->call);
    turns(2);
    check_trace("e");
    check_err(err, TORC_ERR_LOST);
}

/* A wait that has ended keeps its result, though the fiber is cancelled before it goes on. */
static void no_cancel(torc_wait *wait, torc_err reason) {
    (void)wait;
    (void)reason;
    fail();
}

static torc_wait *waiting;

static void wait_plainly(void *context) {
    torc_wait wait = {0};

    waiting = &wait;
    *(torc_err *)context = torc_fiber_wait(self.reactor, &wait, no_cancel);
}

static void an_ended_wait_keeps_its_result(void **state) {
    torc_err err = TORC_ERR_STATE;
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_start(self.reactor, wait_plainly, &err, &fiber));
    torc_wait_end(waiting, TORC_OK);
    torc_fiber_cancel(fiber, TORC_ERR_LOST);
    turns(1);
    check_ok(err);
}

/* ---- joining ---- */

static void join_it(void *context) {
    note('j');
    const torc_err err = torc_fiber_join(context);
    note(err ? 'x' : 'k');
    if (err) torc_fiber_detach(context);
}

static void a_fiber_may_be_joined(void **state) {
    torc_fiber *fiber, *joiner;

    (void)state;
    check_ok(torc_fiber_spawn(self.reactor, yield_twice, "a", &fiber));
    check_ok(torc_fiber_start(self.reactor, join_it, fiber, &joiner));
    turns(4);
    check_trace("jaaak");
    check_ok(torc_fiber_spawn(self.reactor, note_it, "b", &fiber));
    turns(1);
    check_ok(torc_fiber_start(self.reactor, join_it, fiber, &joiner)); /* it has ended already */
    check_trace("jaaakbjk");
}

static void joining_may_be_cancelled(void **state) {
    torc_fiber *fiber, *joiner;

    (void)state;
    check_ok(torc_fiber_spawn(self.reactor, yield_twice, "a", &fiber));
    check_ok(torc_fiber_start(self.reactor, join_it, fiber, &joiner));
    torc_fiber_cancel(joiner, TORC_ERR_CANCELLED);
    turns(4);
    check_trace("jaxaa");
}

static void never_wait(void *context) {
    (void)context;
    for (int i = 0; i < 40; i++) {
        note('.');
        check_ok(torc_fiber_did_not_wait(self.reactor));
    }
}

static void a_fiber_that_never_waits_yields_now_and_then(void **state) {
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_start(self.reactor, never_wait, NULL, &fiber));
    assert_int_equal(self.len, 16);
    turns(1);
    assert_int_equal(self.len, 40);
}

static torc_err start_one(torc_memory *unused, void *context) {
    torc_fiber *fiber;
    torc_err err = TORC_OK;
    bool is_untouched = false;

    (void)unused;
    (void)context;
    for (uint64_t fail_at = 1; !is_untouched; fail_at++) {
        faults injected;
        assert_int_equal(set_up_with(4), 0);
        faults_arm(&injected, torc_reactor_memory(self.reactor), fail_at);
        err = torc_fiber_start(self.reactor, note_it, "a", &fiber);
        is_untouched = !injected.hit;
        faults_disarm(torc_reactor_memory(self.reactor));
        if (injected.hit) check_err(err, TORC_ERR_NO_MEMORY);
        tear_down(NULL);
    }
    return err;
}

static void a_fiber_may_find_no_memory(void **state) {
    (void)state;
    check_ok(start_one(NULL, NULL));
}

#define FIBER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FIBER_TEST(a_started_fiber_runs_at_once),
        FIBER_TEST(a_spawned_fiber_runs_later),
        FIBER_TEST(fibers_take_turns),
        FIBER_TEST(a_fiber_may_start_another_on_top),
        FIBER_TEST(what_stands_on_a_stack_stays),
        FIBER_TEST(fibers_have_a_maximum),
        FIBER_TEST(stacks_are_used_again),
        FIBER_TEST(a_cancelled_wait_returns_the_reason_and_so_do_later_ones),
        FIBER_TEST(a_fiber_cancelled_before_it_begins_runs_all_the_same),
        FIBER_TEST(a_shielded_wait_is_not_cancelled),
        FIBER_TEST(a_freed_reactor_cancels_its_fibers),
        FIBER_TEST(a_cancelled_wait_returns_when_the_operation_has_let_go),
        FIBER_TEST(an_ended_wait_keeps_its_result),
        FIBER_TEST(a_fiber_may_be_joined),
        FIBER_TEST(joining_may_be_cancelled),
        FIBER_TEST(a_fiber_that_never_waits_yields_now_and_then),
        cmocka_unit_test(a_fiber_may_find_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
