/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "faults.h"

static void allocations_are_counted_by_class_with_their_overhead(void **state) {
    torc_memory memory;
    torc_memory_init(&memory, 0);

    void *a = torc_alloc(&memory, TORC_MEMORY_INPUT, 100);
    void *b = torc_alloc(&memory, TORC_MEMORY_OUTPUT, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(memory.used[TORC_MEMORY_INPUT], 100 + TORC_ALLOC_OVERHEAD);
    assert_int_equal(memory.used[TORC_MEMORY_OUTPUT], TORC_ALLOC_OVERHEAD);
    assert_int_equal(memory.used_total, 100 + 2 * TORC_ALLOC_OVERHEAD);
    assert_int_equal(memory.allocated, 2);
    assert_int_equal(torc_alloc_size(a), 100);

    torc_dealloc(&memory, a);
    torc_dealloc(&memory, b);
    torc_dealloc(&memory, NULL);
    assert_int_equal(memory.used_total, 0);
    assert_int_equal(memory.used[TORC_MEMORY_INPUT], 0);
    assert_int_equal(memory.used_peak, 100 + 2 * TORC_ALLOC_OVERHEAD);
}

static void allocations_are_aligned(void **state) {
    torc_memory memory;
    torc_memory_init(&memory, 0);

    for (size_t size = 0; size < 70; size++) {
        void *bytes = torc_alloc(&memory, TORC_MEMORY_OTHER, size);
        assert_int_equal((uintptr_t)bytes % 16, 0);
        torc_dealloc(&memory, bytes);
    }
}

static void cleared_memory_is_clear(void **state) {
    torc_memory memory;
    torc_memory_init(&memory, 0);

    unsigned char *bytes = torc_alloc_zero(&memory, TORC_MEMORY_OTHER, 50, 4);
    assert_non_null(bytes);
    for (size_t i = 0; i < 200; i++) assert_int_equal(bytes[i], 0);
    torc_dealloc(&memory, bytes);
}

static void sizes_that_overflow_are_refused(void **state) {
    torc_memory memory;
    torc_memory_init(&memory, 0);

    assert_null(torc_alloc(&memory, TORC_MEMORY_OTHER, SIZE_MAX));
    assert_null(torc_alloc(&memory, TORC_MEMORY_OTHER, SIZE_MAX - 8));
    assert_null(torc_alloc_zero(&memory, TORC_MEMORY_OTHER, SIZE_MAX / 2, 3));
    void *bytes = torc_alloc(&memory, TORC_MEMORY_OTHER, 1);
    assert_null(torc_realloc(&memory, bytes, SIZE_MAX));
    torc_dealloc(&memory, bytes);
    assert_int_equal(memory.refused, 4);
    assert_int_equal(memory.used_total, 0);
}

static void limit_is_reached_exactly(void **state) {
    torc_memory memory;
    torc_memory_init(&memory, 200);

    assert_null(torc_alloc(&memory, TORC_MEMORY_OTHER, 201 - TORC_ALLOC_OVERHEAD));
    void *bytes = torc_alloc(&memory, TORC_MEMORY_OTHER, 200 - TORC_ALLOC_OVERHEAD);
    assert_non_null(bytes);
    assert_null(torc_alloc(&memory, TORC_MEMORY_OTHER, 0));
    torc_dealloc(&memory, bytes);
    bytes = torc_alloc(&memory, TORC_MEMORY_OTHER, 0);
    assert_non_null(bytes);
    torc_dealloc(&memory, bytes);
    assert_int_equal(memory.refused, 2);
}

static void a_limit_below_what_is_used_refuses_everything(void **state) {
    torc_memory memory;
    torc_memory_init(&memory, 0);

    void *bytes = torc_alloc(&memory, TORC_MEMORY_OTHER, 500);
    memory.limit = 100;
    assert_null(torc_alloc(&memory, TORC_MEMORY_OTHER, 1));
    torc_dealloc(&memory, bytes);
}

static void resizing_keeps_bytes_and_class(void **state) {
    torc_memory memory;
    torc_memory_init(&memory, 0);

    char *bytes = torc_alloc(&memory, TORC_MEMORY_CACHE, 4);
    memcpy(bytes, "abc", 4);
    bytes = torc_realloc(&memory, bytes, 4000);
    assert_non_null(bytes);
    assert_string_equal(bytes, "abc");
    assert_int_equal(memory.used[TORC_MEMORY_CACHE], 4000 + TORC_ALLOC_OVERHEAD);
    bytes = torc_realloc(&memory, bytes, 4);
    assert_string_equal(bytes, "abc");
    assert_int_equal(memory.used_total, 4 + TORC_ALLOC_OVERHEAD);
    torc_dealloc(&memory, bytes);
    assert_int_equal(memory.used_total, 0);
}

static void resizing_that_fails_leaves_the_old_block(void **state) {
    torc_memory memory;
    torc_memory_init(&memory, 100);

    char *bytes = torc_alloc(&memory, TORC_MEMORY_OTHER, 4);
    memcpy(bytes, "abc", 4);
    assert_null(torc_realloc(&memory, bytes, 101 - TORC_ALLOC_OVERHEAD));
    assert_string_equal(bytes, "abc");
    assert_int_equal(memory.used_total, 4 + TORC_ALLOC_OVERHEAD);
    bytes = torc_realloc(&memory, bytes, 100 - TORC_ALLOC_OVERHEAD);
    assert_non_null(bytes);
    torc_dealloc(&memory, bytes);
}

static void charges_count_against_the_limit(void **state) {
    torc_memory memory;
    torc_memory_init(&memory, 100);

    check_ok(torc_memory_charge(&memory, TORC_MEMORY_FIBER, 100));
    check_err(torc_memory_charge(&memory, TORC_MEMORY_FIBER, 1), TORC_ERR_NO_MEMORY);
    assert_int_equal(memory.used[TORC_MEMORY_FIBER], 100);
    torc_memory_discharge(&memory, TORC_MEMORY_FIBER, 100);
    assert_int_equal(memory.used_total, 0);
    assert_int_equal(memory.refused, 1);
}

static void objects_are_counted_by_their_size_alone(void **state) {
    torc_memory memory;
    torc_memory_init(&memory, 200);

    void *object = torc_object_alloc(&memory, TORC_MEMORY_CONNECTION, 200);
    assert_non_null(object);
    assert_int_equal(memory.used[TORC_MEMORY_CONNECTION], 200);
    assert_int_equal(memory.allocated, 1);
    assert_null(torc_object_alloc(&memory, TORC_MEMORY_CONNECTION, 1));
    assert_int_equal(memory.refused, 1);
    torc_object_dealloc(&memory, TORC_MEMORY_CONNECTION, object, 200);
    assert_int_equal(memory.used_total, 0);
}

static void another_class_moves_the_count(void **state) {
    torc_memory memory;
    torc_memory_init(&memory, 0);

    void *bytes = torc_alloc(&memory, TORC_MEMORY_INPUT, 10);
    torc_alloc_reclass(&memory, bytes, TORC_MEMORY_ARENA);
    assert_int_equal(memory.used[TORC_MEMORY_INPUT], 0);
    assert_int_equal(memory.used[TORC_MEMORY_ARENA], 10 + TORC_ALLOC_OVERHEAD);
    torc_dealloc(&memory, bytes);
    assert_int_equal(memory.used[TORC_MEMORY_ARENA], 0);
}

static torc_err three_of_each(torc_memory *memory, void *context) {
    void *a = torc_alloc(memory, TORC_MEMORY_OTHER, 10);
    void *b = a ? torc_realloc(memory, a, 20) : NULL;
    const torc_err err = torc_memory_charge(memory, TORC_MEMORY_TLS, 5);

    (*(int *)context)++;
    torc_dealloc(memory, b ? b : a);
    if (!err) torc_memory_discharge(memory, TORC_MEMORY_TLS, 5);
    return b ? err : TORC_ERR_NO_MEMORY;
}

static void faults_reach_every_allocation_and_charge(void **state) {
    int runs = 0;

    faults_each(three_of_each, &runs);
    assert_int_equal(runs, 2 * 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_counted_by_class_with_their_overhead),
        cmocka_unit_test(allocations_are_aligned),
        cmocka_unit_test(cleared_memory_is_clear),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(limit_is_reached_exactly),
        cmocka_unit_test(a_limit_below_what_is_used_refuses_everything),
        cmocka_unit_test(resizing_keeps_bytes_and_class),
        cmocka_unit_test(resizing_that_fails_leaves_the_old_block),
        cmocka_unit_test(charges_count_against_the_limit),
        cmocka_unit_test(objects_are_counted_by_their_size_alone),
        cmocka_unit_test(another_class_moves_the_count),
        cmocka_unit_test(faults_reach_every_allocation_and_charge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
