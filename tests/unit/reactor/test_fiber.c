/* SPDX-License-Identifier: MIT */
#include <fenv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "faults.h"
#include "hand_clock.h"
#include "reactor/context.h"
#include "reactor/fiber.h"

enum {
    STACK_SIZE = 65536
};

typedef struct fixture {
    hand_clock clock;
    torc_reactor *reactor;
    char trace[200];
    size_t len;
} fixture;

static fixture self;

static int set_up_with(uint32_t fibers_max) {
    const torc_reactor_options options = {
        .size = sizeof(options), .fibers_max = fibers_max, .fiber_stack_size = STACK_SIZE};

    memset(&self, 0, sizeof(self));
    return hand_clock_reactor(&self.clock, &options, &self.reactor) ? -1 : 0;
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

static torc_err note_it(void *context) {
    note(*(const char *)context);
    return TORC_OK;
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

static torc_err yield_twice(void *context) {
    const char *name = context;

    assert_true(torc_fiber_is_here(self.reactor));
    for (int i = 0; i < 3; i++) {
        note(*name);
        check_ok(torc_yield(self.reactor));
    }
    return TORC_OK;
}

static void fibers_take_turns(void **state) {
    (void)state;
    check_ok(torc_fiber_spawn(self.reactor, yield_twice, "a", NULL));
    check_ok(torc_fiber_spawn(self.reactor, yield_twice, "b", NULL));
    turns(3);
    check_trace("ababab");
    assert_false(torc_fiber_is_here(self.reactor));
}

static torc_err start_another(void *context) {
    torc_fiber *inner;

    note('a');
    check_ok(torc_fiber_start(self.reactor, yield_twice, context, &inner));
    note('c');
    check_ok(torc_yield(self.reactor));
    note('d');
    return TORC_OK;
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
static torc_err compute(void *context) {
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
    return TORC_OK;
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

static torc_err trim_and_note(void *context) {
    torc_reactor_trim(self.reactor); /* not the stack that this stands on */
    return note_it(context);
}

static void trimming_unmaps_what_is_not_used(void **state) {
    torc_memory *memory = torc_reactor_memory(self.reactor);
    torc_fiber *fiber;

    (void)state;
    torc_reactor_trim(self.reactor);
    check_ok(torc_fiber_start(self.reactor, note_it, "a", &fiber));
    const size_t one = memory->used[TORC_MEMORY_FIBER];
    check_ok(torc_fiber_start(self.reactor, trim_and_note, "b", &fiber));
    assert_int_equal(memory->used[TORC_MEMORY_FIBER], one);
    torc_reactor_trim(self.reactor);
    assert_in_range(memory->used[TORC_MEMORY_FIBER], 0, one - STACK_SIZE);
    check_ok(torc_fiber_start(self.reactor, note_it, "c", &fiber));
    assert_int_equal(memory->used[TORC_MEMORY_FIBER], one);
}

typedef struct sleeper {
    uint64_t ms;
    torc_err errs[3];
    bool is_shielded;
    torc_fiber *fiber;
} sleeper;

static torc_err sleep_and_note(void *context) {
    sleeper *sleeping = context;

    if (sleeping->is_shielded) torc_shield_begin(self.reactor);
    sleeping->errs[0] = torc_sleep(self.reactor, sleeping->ms);
    if (sleeping->is_shielded) torc_shield_end(self.reactor);
    sleeping->errs[1] = torc_sleep(self.reactor, sleeping->ms);
    sleeping->errs[2] = torc_yield(self.reactor);
    note('e');
    return TORC_OK;
}

static torc_err sleep_and_name(void *context) {
    const char *name = context;

    check_ok(torc_sleep(self.reactor, (uint64_t)(*name - 'a') * 10));
    note(*name);
    return TORC_OK;
}

static void fibers_sleep_as_long_as_they_ask(void **state) {
    (void)state;
    check_ok(torc_fiber_spawn(self.reactor, sleep_and_name, "c", NULL));
    check_ok(torc_fiber_spawn(self.reactor, sleep_and_name, "b", NULL));
    check_ok(torc_fiber_spawn(self.reactor, sleep_and_name, "a", NULL));
    turns(1);
    check_trace(""); /* no delay waits a turn, too */
    turns(1);
    check_trace("a");
    hand_clock_move(&self.clock, 9);
    turns(2);
    check_trace("a");
    hand_clock_move(&self.clock, 1);
    turns(1);
    check_trace("ab");
    hand_clock_move(&self.clock, 1000);
    turns(1);
    check_trace("abc");
}

/* ---- stacks ---- */

/* As much as a frame each, so that no compiler makes a loop of it or keeps less; answers the depth.
 */
__attribute__((noinline)) static size_t dig(size_t depth, const char *lowest) {
    char frame[256];

    frame[0] = (char)depth;
    __asm__ volatile("" : : "r"(frame) : "memory");
    if ((const char *)__builtin_frame_address(0) < lowest) return 1;
    const size_t below = dig(depth + 1, lowest);
    assert_int_equal(frame[0], (char)depth);
    return below + 1;
}

static torc_err use_stack(void *context) {
    size_t *depth = context;
    const char *here = __builtin_frame_address(0);

    *depth = dig(0, here - (STACK_SIZE - 4096)); /* a frame may end below */
    return TORC_OK;
}

static void nearly_all_of_a_stack_may_be_used(void **state) {
    size_t depth = 0;
    torc_fiber *fiber;

    (void)state;
    for (int i = 0; i < 3; i++) {
        check_ok(torc_fiber_start(self.reactor, use_stack, &depth, &fiber));
        assert_in_range(depth, 50, STACK_SIZE / 256); /* frames are larger under the sanitizers */
    }
}

static torc_err note_address(void *context) {
    char **address = context;
    *address = __builtin_frame_address(0);
    return TORC_OK;
}

static void the_stack_used_last_is_the_next(void **state) {
    char *first = NULL, *second = NULL;
    torc_fiber *sleeping, *fiber;
    sleeper other = {.ms = 1000000};

    (void)state;
    check_ok(torc_fiber_start(self.reactor, note_address, &first, &fiber));
    check_ok(torc_fiber_start(self.reactor, note_address, &second, &fiber));
    assert_ptr_equal(first, second);
    check_ok(torc_fiber_start(self.reactor, sleep_and_note, &other, &sleeping));
    check_ok(torc_fiber_start(self.reactor, note_address, &second, &fiber));
    assert_ptr_not_equal(first, second);
    torc_fiber_cancel(sleeping, TORC_ERR_CANCELLED);
    turns(1);
    check_ok(torc_fiber_start(self.reactor, note_address, &second, &fiber));
    assert_ptr_equal(first, second);
}

/* The page that a stack was dug down to, if it is there. */
static bool is_resident(char *page) {
    unsigned char vector = 0;

    assert_int_equal(mincore(page, 1, &vector), 0);
    return vector & 1;
}

enum {
    MANY = 600, /* more than wait for use, hot or cold */
    KEPT = 512,
    HOT = 64
};

typedef struct toucher {
    char *page;
    bool was_entered;
} toucher;

static torc_err touch_and_sleep(void *context) {
    toucher *touching = context;
    volatile char deep[24 * 1024];
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    /* A whole page that is surely in the array, and below what the stack's top keeps. */
    touching->page = (char *)(((uintptr_t)&deep[0] + page - 1) & ~(page - 1));
    *(volatile char *)touching->page = 1;
    touching->was_entered = true;
    return torc_sleep(self.reactor, 5);
}

static void stacks_are_cooled_and_given_back(void **state) {
    static toucher touching[MANY];
    const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    torc_memory *memory = torc_reactor_memory(self.reactor);
    const size_t mapping_size = STACK_SIZE + page_size;
    size_t hot = 0;

    (void)state;
    tear_down(NULL);
    assert_int_equal(set_up_with(MANY), 0);
    memory = torc_reactor_memory(self.reactor);
    memset(touching, 0, sizeof(touching));
    for (int i = 0; i < MANY; i++)
        check_ok(torc_fiber_spawn(self.reactor, touch_and_sleep, &touching[i], NULL));
    check_err(torc_fiber_spawn(self.reactor, note_it, "x", NULL), TORC_ERR_LIMIT);
    turns(2);
    for (int i = 0; i < MANY; i++) assert_true(touching[i].was_entered);
    assert_in_range(memory->used[TORC_MEMORY_FIBER], MANY * mapping_size,
                    (MANY + 1) * mapping_size);

    hand_clock_move(&self.clock, 5);
    turns(2);
    assert_in_range(memory->used[TORC_MEMORY_FIBER], KEPT * mapping_size,
                    (KEPT + 1) * mapping_size);
#if !defined(TORC_CONTEXT_ASAN) /* whose arrays may be elsewhere */
    for (int i = 0; i < KEPT; i++) hot += is_resident(touching[i].page);
    assert_int_equal(hot, HOT);
#else
    (void)hot;
    (void)is_resident;
#endif

    /* All of them are as good as new. */
    memset(touching, 0, sizeof(touching));
    for (int i = 0; i < MANY; i++)
        check_ok(torc_fiber_spawn(self.reactor, touch_and_sleep, &touching[i], NULL));
    turns(2);
    for (int i = 0; i < MANY; i++) assert_true(touching[i].was_entered);
    hand_clock_move(&self.clock, 5);
    turns(2);
}

/* Rounding is a fiber's own; one begins with that of who made it. */
static torc_err round_up(void *context) {
    int *modes = context;

    modes[0] = fegetround();
    fesetround(FE_UPWARD);
    check_ok(torc_yield(self.reactor));
    modes[1] = fegetround();
    return TORC_OK;
}

static void floating_point_is_controlled_by_each(void **state) {
    int first[2], second[2];
    torc_fiber *fiber;

    (void)state;
    fesetround(FE_TONEAREST);
    check_ok(torc_fiber_start(self.reactor, round_up, first, &fiber));
    assert_int_equal(fegetround(), FE_TONEAREST);
    turns(1); /* it ended with another mode: not for the next on its stack */
    fesetround(FE_DOWNWARD);
    check_ok(torc_fiber_start(self.reactor, round_up, second, &fiber));
    assert_int_equal(fegetround(), FE_DOWNWARD);
    fesetround(FE_TONEAREST);
    turns(1);
    assert_int_equal(first[0], FE_TONEAREST);
    assert_int_equal(first[1], FE_UPWARD);
    assert_int_equal(second[0], FE_DOWNWARD);
    assert_int_equal(second[1], FE_UPWARD);
    assert_int_equal(fegetround(), FE_TONEAREST);
}

/* ---- cancelling ---- */

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
    sleeper sleeping = {.ms = 10, .is_shielded = true};

    (void)state;
    check_ok(torc_fiber_start(self.reactor, sleep_and_note, &sleeping, &sleeping.fiber));
    torc_fiber_cancel(sleeping.fiber, TORC_ERR_LOST);
    turns(2);
    hand_clock_move(&self.clock, 10);
    turns(1);
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
    assert_int_equal(set_up_with(4), 0);
}

static torc_err clean_up_and_spawn(void *context) {
    (void)context;
    check_err(torc_sleep(self.reactor, 1000), TORC_ERR_STOPPING);
    torc_shield_begin(self.reactor);
    check_ok(torc_yield(self.reactor));
    torc_shield_end(self.reactor);
    check_err(torc_fiber_spawn(self.reactor, note_it, "x", NULL), TORC_ERR_STOPPING);
    note('c');
    return TORC_OK;
}

static void spawn_late(torc_call *call) {
    (void)call;
    check_err(torc_fiber_spawn(self.reactor, note_it, "x", NULL), TORC_ERR_STOPPING);
    note('l');
}

static void a_freed_reactor_takes_no_new_fibers(void **state) {
    torc_call call = {.run = spawn_late};

    (void)state;
    torc_reactor_post(self.reactor, &call);
    torc_reactor_free(self.reactor);
    check_trace("l");
    assert_int_equal(set_up_with(4), 0);
    check_ok(torc_fiber_spawn(self.reactor, clean_up_and_spawn, NULL, NULL));
    turns(1);
    torc_reactor_free(self.reactor);
    check_trace("c");
    assert_int_equal(set_up_with(4), 0);
}

/* A shield holds while anything can end what it waits for; time has ended with the reactor. */
static torc_err wait_shielded(void *context) {
    (void)context;
    torc_shield_begin(self.reactor);
    check_ok(torc_yield(self.reactor));
    check_err(torc_sleep(self.reactor, 1000000), TORC_ERR_STOPPING);
    check_err(torc_sleep(self.reactor, 1000000), TORC_ERR_STOPPING);
    torc_shield_end(self.reactor);
    note('e');
    return TORC_OK;
}

static void a_freed_reactor_does_not_wait_for_a_shield(void **state) {
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_start(self.reactor, wait_shielded, NULL, &fiber));
    torc_reactor_free(self.reactor);
    check_trace("e");
    assert_int_equal(set_up_with(4), 0);
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

static torc_err wait_for_slow(void *context) {
    slow_operation slow = {.call = {.run = let_go}};

    operation = &slow;
    *(torc_err *)context = torc_fiber_wait(self.reactor, &slow.wait, cancel_slowly);
    assert_int_equal(slow.cancels, 1);
    note('e');
    return TORC_OK;
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

static torc_err wait_plainly(void *context) {
    torc_wait wait = {0};

    waiting = &wait;
    *(torc_err *)context = torc_fiber_wait(self.reactor, &wait, no_cancel);
    return TORC_OK;
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

static torc_err join_it(void *context) {
    note('j');
    const torc_err err = torc_fiber_join(context, NULL);
    note(err ? 'x' : 'k');
    if (err) torc_fiber_detach(context);
    return TORC_OK;
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

static torc_err answer(void *context) {
    const torc_err err = *(const torc_err *)context;

    check_ok(torc_yield(self.reactor));
    return err;
}

static torc_err join_and_ask(void *context) {
    torc_err expected = TORC_ERR_NOT_FOUND, result = TORC_OK;
    torc_fiber *late, *early;

    check_ok(torc_fiber_spawn(self.reactor, answer, &expected, &late));
    check_ok(torc_fiber_spawn(self.reactor, answer, &expected, &early));
    check_ok(torc_fiber_join(late, &result));
    check_err(result, TORC_ERR_NOT_FOUND);
    check_ok(torc_yield(self.reactor));
    result = TORC_OK;
    assert_true(torc_fiber_has_ended(early));
    torc_fiber_cancel(torc_fiber_current(self.reactor), TORC_ERR_LOST);
    check_ok(torc_fiber_join(early, &result)); /* nothing to wait for, so nothing to cancel */
    check_err(result, TORC_ERR_NOT_FOUND);
    note(*(const char *)context);
    return TORC_OK;
}

static void joining_tells_the_result(void **state) {
    (void)state;
    check_ok(torc_fiber_spawn(self.reactor, join_and_ask, "a", NULL));
    turns(3);
    check_trace("a");
}

static void the_current_fiber_is_known(void **state) {
    (void)state;
    assert_null(torc_fiber_current(self.reactor));
    check_ok(torc_fiber_spawn(self.reactor, note_it, "a", NULL));
    turns(1);
    assert_null(torc_fiber_current(self.reactor));
}

/* ---- shields, and cancelling oneself ---- */

static torc_err cancel_oneself(void *context) {
    (void)context;
    torc_fiber_cancel(torc_fiber_current(self.reactor), TORC_ERR_TIMEOUT);
    torc_shield_begin(self.reactor);
    torc_shield_begin(self.reactor);
    check_ok(torc_yield(self.reactor));
    torc_shield_end(self.reactor);
    check_ok(torc_yield(self.reactor));
    torc_shield_end(self.reactor);
    check_err(torc_yield(self.reactor), TORC_ERR_TIMEOUT);
    check_err(torc_sleep(self.reactor, 5), TORC_ERR_TIMEOUT);
    note('e');
    return TORC_OK;
}

static void shields_nest_and_a_fiber_may_cancel_itself(void **state) {
    (void)state;
    check_ok(torc_fiber_spawn(self.reactor, cancel_oneself, NULL, NULL));
    turns(3);
    check_trace("e");
}

/* Waits that had ended before they began count as not having waited. */
static torc_err wait_in_vain(void *context) {
    (void)context;
    for (int i = 0; i < 40; i++) {
        torc_wait wait = {0};
        torc_wait_end(&wait, TORC_OK);
        note('.');
        check_ok(torc_fiber_wait(self.reactor, &wait, no_cancel));
    }
    return TORC_OK;
}

static void a_fiber_whose_waits_have_ended_yields_now_and_then(void **state) {
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_start(self.reactor, wait_in_vain, NULL, &fiber));
    assert_int_equal(self.len, 16);
    turns(1);
    assert_int_equal(self.len, 40);
}

static torc_err start_and_join_late(void *context) {
    torc_fiber *fiber;

    check_ok(torc_fiber_spawn(self.reactor, yield_twice, context, &fiber));
    torc_fiber_detach(fiber);
    torc_fiber_detach(NULL);
    note('d');
    return TORC_OK;
}

static void a_detached_fiber_goes_on(void **state) {
    (void)state;
    check_ok(torc_fiber_spawn(self.reactor, start_and_join_late, "a", NULL));
    turns(5);
    check_trace("daaa");
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

static torc_err never_wait(void *context) {
    (void)context;
    for (int i = 0; i < 40; i++) {
        note('.');
        check_ok(torc_fiber_did_not_wait(self.reactor));
    }
    return TORC_OK;
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
        FIBER_TEST(trimming_unmaps_what_is_not_used),
        FIBER_TEST(fibers_sleep_as_long_as_they_ask),
        FIBER_TEST(nearly_all_of_a_stack_may_be_used),
        FIBER_TEST(the_stack_used_last_is_the_next),
        FIBER_TEST(stacks_are_cooled_and_given_back),
        FIBER_TEST(floating_point_is_controlled_by_each),
        FIBER_TEST(a_cancelled_wait_returns_the_reason_and_so_do_later_ones),
        FIBER_TEST(a_fiber_cancelled_before_it_begins_runs_all_the_same),
        FIBER_TEST(a_shielded_wait_is_not_cancelled),
        FIBER_TEST(a_freed_reactor_cancels_its_fibers),
        FIBER_TEST(a_freed_reactor_takes_no_new_fibers),
        FIBER_TEST(a_freed_reactor_does_not_wait_for_a_shield),
        FIBER_TEST(a_cancelled_wait_returns_when_the_operation_has_let_go),
        FIBER_TEST(an_ended_wait_keeps_its_result),
        FIBER_TEST(a_fiber_may_be_joined),
        FIBER_TEST(joining_tells_the_result),
        FIBER_TEST(a_detached_fiber_goes_on),
        FIBER_TEST(the_current_fiber_is_known),
        FIBER_TEST(shields_nest_and_a_fiber_may_cancel_itself),
        FIBER_TEST(a_fiber_whose_waits_have_ended_yields_now_and_then),
        FIBER_TEST(joining_may_be_cancelled),
        FIBER_TEST(a_fiber_that_never_waits_yields_now_and_then),
        cmocka_unit_test(a_fiber_may_find_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
