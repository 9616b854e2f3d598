/* SPDX-License-Identifier: MIT */
/*
 * Changing stacks, without the fibers that are made of it. The sanitizers are told as fibers tell
 * them.
 */
#include "reactor/context.h"

#include <fenv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum {
    STACK_SIZE = 256 * 1024
};

static torc_context caller, callee;
static char *stack;
static int visits;

TORC_CONTEXT_FRAME static void go(torc_context *from, torc_context *to) {
    torc_context_leave(from, to, false);
    torc_context_swap(&from->sp, to->sp);
    torc_context_entered(from, to);
}

static int set_up(void **state) {
    (void)state;
    visits = 0;
    stack = malloc(STACK_SIZE);
    memset(&caller, 0, sizeof(caller));
    callee = (torc_context){.bottom = stack, .size = STACK_SIZE};
    torc_context_made(&callee);
    return stack ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    torc_context_gone(&callee);
    free(stack);
    return 0;
}

static void begin(torc_context_fn *entry, void *argument) {
    callee.sp = torc_context_prepare(stack + STACK_SIZE, entry, argument);
    go(&caller, &callee);
}

static uintptr_t place_seen;

TORC_CONTEXT_FRAME static void look_around(void *argument) {
    char here;

    torc_context_entered(&callee, &caller);
    for (;;) {
        place_seen = (uintptr_t)&here;
        visits += *(int *)argument;
        go(&callee, &caller);
    }
}

static void a_function_runs_on_the_other_stack(void **state) {
    int step = 7;

    (void)state;
    begin(look_around, &step);
    assert_int_equal(visits, 7);
#ifndef TORC_CONTEXT_ASAN
    assert_true(place_seen > (uintptr_t)stack && place_seen < (uintptr_t)stack + STACK_SIZE);
#endif
    step = 5; /* it goes on where it was */
    go(&caller, &callee);
    go(&caller, &callee);
    assert_int_equal(visits, 17);
}

/* What a call preserves, the other stack preserves: the compiler keeps these in such registers. */
TORC_CONTEXT_FRAME static void scribble(void *argument) {
    (void)argument;
    torc_context_entered(&callee, &caller);
    for (;;) {
        volatile uint64_t many[32];
        for (int i = 0; i < 32; i++) many[i] = UINT64_MAX - (uint64_t)i;
        for (int i = 0; i < 32; i++) visits += many[i] != UINT64_MAX - (uint64_t)i;
        go(&callee, &caller);
    }
}

__attribute__((noinline)) static uint64_t mix(uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                                              uint64_t e, uint64_t f) {
    begin(scribble, NULL);
    for (int i = 0; i < 100; i++) {
        a += b ^ c;
        b += c ^ d;
        c += d ^ e;
        d += e ^ f;
        e += f ^ a;
        f += a ^ b;
        go(&caller, &callee);
    }
    return a ^ b ^ c ^ d ^ e ^ f;
}

static void registers_are_kept(void **state) {
    uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;

    (void)state;
    for (int i = 0; i < 100; i++) {
        a += b ^ c;
        b += c ^ d;
        c += d ^ e;
        d += e ^ f;
        e += f ^ a;
        f += a ^ b;
    }
    assert_true(mix(1, 2, 3, 4, 5, 6) == (a ^ b ^ c ^ d ^ e ^ f));
    assert_int_equal(visits, 0);
}

static int rounding_seen;

TORC_CONTEXT_FRAME static void change_rounding(void *argument) {
    (void)argument;
    torc_context_entered(&callee, &caller);
    for (;;) {
        rounding_seen = fegetround();
        fesetround(FE_UPWARD);
        go(&callee, &caller);
    }
}

static void the_control_of_floating_point_is_each_ones_own(void **state) {
    (void)state;
    fesetround(FE_DOWNWARD);
    begin(change_rounding, NULL);
    assert_int_equal(rounding_seen, FE_DOWNWARD); /* inherited at its beginning */
    assert_int_equal(fegetround(), FE_DOWNWARD);
    fesetround(FE_TONEAREST);
    go(&caller, &callee);
    assert_int_equal(rounding_seen, FE_UPWARD); /* and its own from then on */
    assert_int_equal(fegetround(), FE_TONEAREST);
}

static void it_may_be_given_the_callers_control_anew(void **state) {
    (void)state;
    begin(change_rounding, NULL);
    fesetround(FE_TOWARDZERO);
    torc_context_inherit(callee.sp);
    go(&caller, &callee);
    assert_int_equal(rounding_seen, FE_TOWARDZERO);
    fesetround(FE_TONEAREST);
}

/* The stack is aligned as the ABI says: vector instructions would fault otherwise. */
TORC_CONTEXT_FRAME static void use_aligned(void *argument) {
    torc_context_entered(&callee, &caller);
    for (;;) {
        _Alignas(16) volatile char aligned[32] = {0};
        *(uintptr_t *)argument = (uintptr_t)aligned % 16;
        visits++;
        go(&callee, &caller);
    }
}

static void any_top_is_aligned(void **state) {
    (void)state;
    for (size_t less = 0; less < 16; less++) {
        uintptr_t offset = 77;
        callee.sp = torc_context_prepare(stack + STACK_SIZE - less, use_aligned, &offset);
        go(&caller, &callee);
        assert_int_equal(offset, 0);
    }
    assert_int_equal(visits, 16);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_function_runs_on_the_other_stack),
        TEST(registers_are_kept),
        TEST(the_control_of_floating_point_is_each_ones_own),
        TEST(it_may_be_given_the_callers_control_anew),
        TEST(any_top_is_aligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
