/* SPDX-License-Identifier: MIT */
#include <torc/backoff.h>

#include "check.h"

static uint64_t next(torc_backoff *backoff) {
    uint64_t delay_ms = UINT64_MAX;

    assert_true(torc_backoff_next(backoff, &delay_ms));
    return delay_ms;
}

static void waits_grow_up_to_the_most(void **state) {
    static const uint64_t defaults[] = {1000, 1500, 2250, 3375, 5062};
    torc_backoff backoff = {.is_steady = true};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(defaults); i++)
        assert_int_equal(next(&backoff), defaults[i]);
    for (int i = 0; i < 1000; i++) (void)next(&backoff);
    assert_int_equal(next(&backoff), 60000);
}

static void all_can_be_chosen(void **state) {
    torc_backoff backoff = {
        .first_ms = 10, .most_ms = 70, .factor_percent = 200, .is_steady = true};
    torc_backoff steady = {.first_ms = 5, .factor_percent = 100, .is_steady = true};
    torc_backoff extreme = {.first_ms = UINT32_MAX,
                            .most_ms = UINT32_MAX,
                            .factor_percent = UINT32_MAX,
                            .jitter_percent = UINT32_MAX};

    (void)state;
    assert_int_equal(next(&backoff), 10);
    assert_int_equal(next(&backoff), 20);
    assert_int_equal(next(&backoff), 40);
    assert_int_equal(next(&backoff), 70);
    assert_int_equal(next(&backoff), 70);
    for (int i = 0; i < 9; i++) assert_int_equal(next(&steady), 5);
    for (int i = 0; i < 100; i++) assert_true(next(&extreme) <= UINT32_MAX);
}

static void success_begins_anew(void **state) {
    torc_backoff backoff = {.first_ms = 100, .is_steady = true, .tries_max = 2};
    uint64_t delay_ms;

    (void)state;
    assert_int_equal(next(&backoff), 100);
    assert_int_equal(next(&backoff), 150);
    assert_false(torc_backoff_next(&backoff, &delay_ms));
    torc_backoff_reset(&backoff);
    assert_int_equal(next(&backoff), 100);
}

static void tries_may_have_a_limit(void **state) {
    torc_backoff backoff = {.tries_max = 3};
    uint64_t delay_ms = 77;

    (void)state;
    for (int i = 0; i < 3; i++) (void)next(&backoff);
    for (int i = 0; i < 3; i++) assert_false(torc_backoff_next(&backoff, &delay_ms));
    assert_int_equal(delay_ms, 77);
}

/* Of a thousand waits some are shorter, some longer, and none beyond the quarter. */
static void jitter_spreads_the_waits(void **state) {
    torc_backoff backoff = {.factor_percent = 100, .random = 42};
    uint64_t least = UINT64_MAX, most = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        const uint64_t delay_ms = next(&backoff);
        if (delay_ms < least) least = delay_ms;
        if (delay_ms > most) most = delay_ms;
    }
    assert_in_range(least, 750, 800);
    assert_in_range(most, 1200, 1250);
}

static void two_do_not_wait_alike(void **state) {
    torc_backoff one = {0}, other = {0};
    bool differ = false;

    (void)state;
    for (int i = 0; i < 20; i++) differ |= next(&one) != next(&other);
    assert_true(differ);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_grow_up_to_the_most), cmocka_unit_test(all_can_be_chosen),
        cmocka_unit_test(success_begins_anew),       cmocka_unit_test(tries_may_have_a_limit),
        cmocka_unit_test(jitter_spreads_the_waits),  cmocka_unit_test(two_do_not_wait_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
