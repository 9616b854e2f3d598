/* SPDX-License-Identifier: MIT */
#include <torc/buf.h>

#include "faults.h"

static torc_memory memory;

static int set_up(void **state) {
    torc_memory_init(&memory, 0);
    return 0;
}

static int tear_down(void **state) {
    return memory.used_total == 0 ? 0 : -1;
}

static void appending_grows(void **state) {
    torc_buf buf;
    torc_buf_init(&buf, &memory, TORC_MEMORY_OUTPUT, 100000);

    assert_int_equal(memory.allocated, 0);
    for (int i = 0; i < 10000; i++) torc_buf_add(&buf, TORC_STR("abc"));
    check_ok(torc_buf_err(&buf));
    assert_int_equal(buf.len, 30000);
    for (size_t i = 0; i < buf.len; i++) assert_int_equal(buf.bytes[i], "abc"[i % 3]);
    assert_true(memory.allocated < 20);
    assert_true(memory.used[TORC_MEMORY_OUTPUT] > 30000);
    torc_buf_dispose(&buf);
    assert_int_equal(torc_buf_str(&buf).len, 0);
}

static void maximum_is_reached_exactly(void **state) {
    for (size_t max = 0; max < 200; max++) {
        torc_buf buf;
        torc_buf_init(&buf, &memory, TORC_MEMORY_OTHER, max);

        for (size_t i = 0; i < max; i++) torc_buf_add_byte(&buf, 'x');
        check_ok(torc_buf_err(&buf));
        torc_buf_add_byte(&buf, 'y');
        check_err(torc_buf_err(&buf), TORC_ERR_LIMIT);
        assert_int_equal(buf.len, max);
        torc_buf_dispose(&buf);
    }
}

static void a_failure_stays_until_cleared(void **state) {
    torc_buf buf;
    torc_buf_init(&buf, &memory, TORC_MEMORY_OTHER, 5);

    torc_buf_add(&buf, TORC_STR("abc"));
    torc_buf_add(&buf, TORC_STR("def"));
    torc_buf_add(&buf, TORC_STR("g"));
    torc_buf_addf(&buf, "%d", 1);
    assert_null(torc_buf_reserve(&buf, 0));
    check_str(torc_buf_str(&buf), "abc");
    check_err(torc_buf_err(&buf), TORC_ERR_LIMIT);
    torc_buf_clear(&buf);
    torc_buf_add(&buf, TORC_STR("defgh"));
    check_ok(torc_buf_err(&buf));
    check_str(torc_buf_str(&buf), "defgh");
    torc_buf_dispose(&buf);
}

static void the_first_failure_counts(void **state) {
    torc_buf buf;
    torc_buf_init(&buf, &memory, TORC_MEMORY_OTHER, 5);

    torc_buf_fail(&buf, TORC_ERR_UTF8);
    torc_buf_fail(&buf, TORC_ERR_LIMIT);
    check_err(torc_buf_err(&buf), TORC_ERR_UTF8);
    torc_buf_dispose(&buf);
    check_ok(torc_buf_err(&buf));
}

static void fixed_buffer_uses_all_of_its_bytes_and_no_more(void **state) {
    char bytes[4];
    torc_buf buf;
    torc_buf_init_fixed(&buf, bytes, sizeof bytes);

    torc_buf_add(&buf, TORC_STR("abcd"));
    check_ok(torc_buf_err(&buf));
    assert_ptr_equal(buf.bytes, bytes);
    torc_buf_add_byte(&buf, 'e');
    check_err(torc_buf_err(&buf), TORC_ERR_LIMIT);
    check_str(torc_buf_str(&buf), "abcd");
    torc_buf_dispose(&buf);
}

static void numbers(void **state) {
    torc_buf buf;
    torc_buf_init(&buf, &memory, TORC_MEMORY_OTHER, 1000);

    torc_buf_add_uint(&buf, 0);
    torc_buf_add_byte(&buf, ' ');
    torc_buf_add_uint(&buf, UINT64_MAX);
    torc_buf_add_byte(&buf, ' ');
    torc_buf_add_int(&buf, INT64_MIN);
    torc_buf_add_byte(&buf, ' ');
    torc_buf_add_int(&buf, INT64_MAX);
    torc_buf_add_byte(&buf, ' ');
    torc_buf_add_int(&buf, -1);
    check_str(torc_buf_str(&buf),
              "0 18446744073709551615 -9223372036854775808 9223372036854775807 -1");
    torc_buf_dispose(&buf);
}

static void hexadecimal_digits(void **state) {
    char bytes[8];
    torc_buf buf;
    torc_buf_init_fixed(&buf, bytes, sizeof bytes);

    torc_buf_add_hex(&buf, TORC_STR("\x00\x7f\xff"));
    check_str(torc_buf_str(&buf), "007fff");
    torc_buf_add_hex(&buf, TORC_STR("ab"));
    check_err(torc_buf_err(&buf), TORC_ERR_LIMIT);
    check_str(torc_buf_str(&buf), "007fff");
}

static void a_number_is_appended_whole_or_not_at_all(void **state) {
    char bytes[3];
    torc_buf buf;

    torc_buf_init_fixed(&buf, bytes, sizeof bytes);
    torc_buf_add_int(&buf, -123);
    assert_int_equal(buf.len, 0);
    torc_buf_init_fixed(&buf, bytes, sizeof bytes);
    torc_buf_add_int(&buf, -12);
    check_str(torc_buf_str(&buf), "-12");
}

static void formatting_at_each_distance_from_the_maximum(void **state) {
    for (size_t max = 0; max < 150; max++) {
        torc_buf buf;
        torc_buf_init(&buf, &memory, TORC_MEMORY_OTHER, max);

        torc_buf_addf(&buf, "%0*d", 70, 7);
        torc_buf_addf(&buf, "<%s>", "x");
        assert_int_equal(torc_buf_err(&buf), max < 73 ? TORC_ERR_LIMIT : TORC_OK);
        assert_int_equal(buf.len, max < 70 ? 0 : max < 73 ? 70 : 73);
        if (buf.len == 73) assert_memory_equal(buf.bytes + 69, "7<x>", 4);
        torc_buf_dispose(&buf);
    }
}

static void formatting_into_fixed_bytes(void **state) {
    char bytes[4];
    torc_buf buf;

    torc_buf_init_fixed(&buf, bytes, sizeof bytes);
    torc_buf_addf(&buf, "%d", 123);
    check_str(torc_buf_str(&buf), "123");
    torc_buf_init_fixed(&buf, bytes, sizeof bytes);
    torc_buf_addf(&buf, "%d", 1234);
    check_err(torc_buf_err(&buf), TORC_ERR_LIMIT);
}

static void reserved_room_is_written_in_place(void **state) {
    torc_buf buf;
    torc_buf_init(&buf, &memory, TORC_MEMORY_OTHER, 100);

    char *room = torc_buf_reserve(&buf, 100);
    assert_non_null(room);
    memset(room, 'r', 100);
    torc_buf_commit(&buf, 60);
    assert_int_equal(buf.len, 60);
    assert_non_null(torc_buf_reserve(&buf, 40));
    assert_null(torc_buf_reserve(&buf, 41));
    torc_buf_dispose(&buf);
}

static void consuming_and_cutting(void **state) {
    torc_buf buf;
    torc_buf_init(&buf, &memory, TORC_MEMORY_OTHER, 100);

    torc_buf_consume(&buf, 0);
    torc_buf_add(&buf, TORC_STR("abcdef"));
    torc_buf_consume(&buf, 2);
    check_str(torc_buf_str(&buf), "cdef");
    torc_buf_truncate(&buf, 9);
    torc_buf_truncate(&buf, 3);
    check_str(torc_buf_str(&buf), "cde");
    torc_buf_consume(&buf, 3);
    check_str(torc_buf_str(&buf), "");
    torc_buf_dispose(&buf);
}

static torc_err fill(torc_memory *of, void *context) {
    torc_buf buf;
    torc_buf_init(&buf, of, TORC_MEMORY_OTHER, 10000);

    for (int i = 0; i < 500; i++) {
        torc_buf_add(&buf, TORC_STR("slice"));
        torc_buf_addf(&buf, "%d", i);
    }
    const torc_err err = torc_buf_err(&buf);
    assert_true(err == TORC_OK || err == TORC_ERR_NO_MEMORY);
    torc_buf_dispose(&buf);
    return err;
}

static void buffer_when_memory_fails(void **state) {
    faults_each(fill, NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(appending_grows),
        CASE(maximum_is_reached_exactly),
        CASE(a_failure_stays_until_cleared),
        CASE(the_first_failure_counts),
        CASE(fixed_buffer_uses_all_of_its_bytes_and_no_more),
        CASE(numbers),
        CASE(hexadecimal_digits),
        CASE(a_number_is_appended_whole_or_not_at_all),
        CASE(formatting_at_each_distance_from_the_maximum),
        CASE(formatting_into_fixed_bytes),
        CASE(reserved_room_is_written_in_place),
        CASE(consuming_and_cutting),
        CASE(buffer_when_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
