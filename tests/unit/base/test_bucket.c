/* SPDX-License-Identifier: MIT */
/*
 * Token buckets: what is had by when, alone and in a tree.
 */
#include <torc/bucket.h>

#include "check.h"

enum {
    SECOND = 1000000
};

static void a_full_bucket_gives_what_it_has(void **state) {
    torc_bucket bucket;

    (void)state;
    torc_bucket_init(&bucket, 100, 250, NULL, 5);
    assert_true(torc_bucket_is_full(&bucket, 5));
    assert_int_equal(torc_bucket_take(&bucket, 200, 5), 200);
    assert_int_equal(torc_bucket_take(&bucket, 200, 5), 50);
    assert_int_equal(torc_bucket_take(&bucket, 200, 5), 0);
    assert_int_equal(torc_bucket_wait_us(&bucket, 1, 5), SECOND / 100);
    assert_int_equal(torc_bucket_wait_us(&bucket, 1000, 5), 2500000); /* all that fits */
    assert_false(torc_bucket_is_full(&bucket, 5 + 2499999));
    assert_true(torc_bucket_is_full(&bucket, 5 + 2500000));
    assert_int_equal(torc_bucket_take(&bucket, 1000, 5 + 100 * (uint64_t)SECOND), 250);
}

static void a_size_is_a_second_unless_given(void **state) {
    torc_bucket bucket;

    (void)state;
    torc_bucket_init(&bucket, 7, 0, NULL, 0);
    assert_int_equal(torc_bucket_take(&bucket, 100, 0), 7);
}

static void looking_often_loses_nothing(void **state) {
    static const uint64_t rates[] = {1, 3, 7, 1000, 999983, 1000003, 5000000};
    static const uint64_t steps[] = {1, 7, 999, 1001, 333333, 1700000};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(rates); i++)
        for (size_t j = 0; j < TORC_COUNT_OF(steps); j++) {
            torc_bucket bucket;
            uint64_t now = 1000, had = 0, end = now + 2000 * steps[j];

            torc_bucket_init(&bucket, rates[i], 100000000, NULL, now);
            (void)torc_bucket_take(&bucket, UINT64_MAX, now);
            for (; now < end; now += steps[j]) had += torc_bucket_take(&bucket, UINT64_MAX, now);
            had += torc_bucket_take(&bucket, UINT64_MAX, end);
            const uint64_t due =
                2000 * steps[j] / SECOND * rates[i] + 2000 * steps[j] % SECOND * rates[i] / SECOND;
            assert_true(had == due);
        }
}

static void waiting_as_told_is_enough(void **state) {
    (void)state;
    for (uint64_t rate = 1; rate < 3000000; rate = rate * 3 + 1)
        for (uint64_t want = 1; want <= 5000; want += 617) {
            torc_bucket bucket;

            torc_bucket_init(&bucket, rate, 5000, NULL, 0);
            (void)torc_bucket_take(&bucket, 5000, 0);
            (void)torc_bucket_take(&bucket, 1, 123);
            const uint64_t wait = torc_bucket_wait_us(&bucket, want, 123);
            assert_int_equal(torc_bucket_take(&bucket, want, 123 + wait), want);
        }
}

static void a_tree_gives_what_all_have(void **state) {
    torc_bucket all, one, two, free_;

    (void)state;
    torc_bucket_init(&all, 100, 100, NULL, 0);
    torc_bucket_init(&one, 10, 60, &all, 0);
    torc_bucket_init(&two, 10, 60, &all, 0);
    torc_bucket_init(&free_, 0, 0, &all, 0);
    assert_int_equal(torc_bucket_take(&one, 1000, 0), 60);
    assert_int_equal(torc_bucket_take(&two, 1000, 0), 40);
    assert_int_equal(torc_bucket_take(&free_, 1, 0), 0);
    assert_int_equal(torc_bucket_wait_us(&one, 1, 0), SECOND / 10);  /* its own */
    assert_int_equal(torc_bucket_wait_us(&two, 1, 0), SECOND / 100); /* that of all */
    torc_bucket_give_back(&two, 15);
    assert_int_equal(torc_bucket_take(&free_, 100, 0), 15);
    torc_bucket_give_back(&free_, 1000);
    assert_true(torc_bucket_is_full(&all, 0));
}

static void one_without_a_rate_limits_nothing(void **state) {
    torc_bucket bucket;

    (void)state;
    torc_bucket_init(&bucket, 0, 0, NULL, 0);
    assert_int_equal(torc_bucket_take(&bucket, UINT64_MAX, 0), UINT64_MAX);
    assert_int_equal(torc_bucket_wait_us(&bucket, UINT64_MAX, 0), 0);
    assert_true(torc_bucket_is_full(&bucket, 0));
}

static void a_clock_that_stands_or_runs_is_survived(void **state) {
    torc_bucket bucket;

    (void)state;
    torc_bucket_init(&bucket, 1000000000000, 1000000000000, NULL, 1000);
    assert_int_equal(torc_bucket_take(&bucket, 1000000000000, 1000), 1000000000000);
    assert_int_equal(torc_bucket_take(&bucket, 1, 999), 0); /* back in time: nothing new */
    assert_int_equal(torc_bucket_take(&bucket, UINT64_MAX, 1001), 1000000);
    assert_int_equal(torc_bucket_take(&bucket, UINT64_MAX, UINT64_MAX / 2), 1000000000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_gives_what_it_has),
        cmocka_unit_test(a_size_is_a_second_unless_given),
        cmocka_unit_test(looking_often_loses_nothing),
        cmocka_unit_test(waiting_as_told_is_enough),
        cmocka_unit_test(a_tree_gives_what_all_have),
        cmocka_unit_test(one_without_a_rate_limits_nothing),
        cmocka_unit_test(a_clock_that_stands_or_runs_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
