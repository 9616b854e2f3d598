/* SPDX-License-Identifier: MIT */
#include <torc/limits.h>

#include "check.h"

static void no_default_is_zero(void **state) {
    const torc_limits limits = torc_limits_default();
    const torc_limits nothing = {.size = sizeof(nothing)};
    torc_limits filled;

    (void)state;
    assert_int_equal(limits.size, sizeof(limits));
    for (const uint32_t *word = &limits.request_line_bytes_max; word <= &limits.trailers_bytes_max;
         word++)
        assert_int_not_equal(*word, 0);
    assert_true(limits.body_bytes_max > 0 && limits.body_memory_max > 0 && limits.memory_max > 0);
    for (const uint32_t *word = &limits.body_memory_max; word <= &limits.fibers_max; word++)
        assert_int_not_equal(*word, 0);
    filled = torc_limits_inherit(&nothing, &limits);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal((&filled.request_line_bytes_max)[i], (&limits.request_line_bytes_max)[i]);
    for (size_t i = 0; &limits.body_memory_max + i <= &limits.fibers_max; i++)
        assert_int_equal((&filled.body_memory_max)[i], (&limits.body_memory_max)[i]);
    assert_true(filled.body_bytes_max == limits.body_bytes_max);
    assert_true(filled.memory_max == limits.memory_max);
}

static void zeros_are_inherited(void **state) {
    const torc_limits wide = torc_limits_default();
    const torc_limits narrow = {
        .size = sizeof(narrow), .fields_max = 7, .body_bytes_max = TORC_UNLIMITED_BYTES};
    const torc_limits limits = torc_limits_inherit(&narrow, &wide);

    (void)state;
    assert_int_equal(limits.fields_max, 7);
    assert_true(limits.body_bytes_max == TORC_UNLIMITED_BYTES);
    assert_int_equal(limits.header_ms, wide.header_ms);
    assert_int_equal(torc_limits_inherit(NULL, &wide).fields_max, wide.fields_max);
}

static void a_shorter_struct_is_read_as_far_as_it_goes(void **state) {
    const torc_limits wide = torc_limits_default();
    torc_limits narrow = {
        .size = offsetof(torc_limits, fields_max), .section_bytes_max = 5, .fields_max = 7};
    const torc_limits limits = torc_limits_inherit(&narrow, &wide);

    (void)state;
    assert_int_equal(limits.section_bytes_max, 5);
    assert_int_equal(limits.fields_max, wide.fields_max);
    assert_int_equal(limits.size, sizeof(limits));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_default_is_zero),
        cmocka_unit_test(zeros_are_inherited),
        cmocka_unit_test(a_shorter_struct_is_read_as_far_as_it_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
