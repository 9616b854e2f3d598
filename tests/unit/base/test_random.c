/* SPDX-License-Identifier: MIT */
#include <torc/random.h>

#include "check.h"

static void two_are_never_the_same(void **state) {
    char a[32], b[32];

    check_ok(torc_random_bytes(a, sizeof a));
    check_ok(torc_random_bytes(b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    check_ok(torc_random_bytes(NULL, 0));
}

/* Beyond several batches, with lengths that do not divide one. */
static void those_of_a_batch_differ(void **state) {
    torc_random random = {0};
    char all[200][16];

    for (size_t i = 0; i < TORC_COUNT_OF(all); i++) {
        char rest[7];
        check_ok(torc_random_take(&random, all[i], sizeof all[i]));
        check_ok(torc_random_take(&random, rest, sizeof rest));
        for (size_t j = 0; j < i; j++) assert_memory_not_equal(all[i], all[j], sizeof all[i]);
    }
}

static void what_was_given_is_not_kept(void **state) {
    static const unsigned char nothing[16] = {0};
    torc_random random = {0};
    unsigned char taken[16];

    check_ok(torc_random_take(&random, taken, sizeof taken));
    assert_int_equal(random.left, TORC_RANDOM_BATCH - sizeof taken);
    assert_memory_equal(random.bytes, nothing, sizeof nothing);
    assert_memory_not_equal(taken, nothing, sizeof nothing);
}

static void many_bytes_leave_the_batch_alone(void **state) {
    torc_random random = {0};
    unsigned char many[2 * TORC_RANDOM_BATCH] = {0};

    check_ok(torc_random_take(&random, many, sizeof many));
    assert_int_equal(random.left, 0);
    assert_memory_not_equal(many, many + TORC_RANDOM_BATCH, TORC_RANDOM_BATCH);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_are_never_the_same),
        cmocka_unit_test(those_of_a_batch_differ),
        cmocka_unit_test(what_was_given_is_not_kept),
        cmocka_unit_test(many_bytes_leave_the_batch_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
