/* SPDX-License-Identifier: MIT */
#include <torc/str.h>

#include "check.h"

static const torc_str none = {0};

static void slices_of_literals_and_texts(void **state) {
    static const torc_str fixed = TORC_STR_INIT("abc");

    assert_int_equal(fixed.len, 3);
    check_str(torc_str_of("abc"), "abc");
    assert_int_equal(torc_str_of(NULL).len, 0);
    assert_int_equal(TORC_STR("a\0b").len, 3);
}

static void parts_stay_within_the_slice(void **state) {
    check_str(torc_str_from(TORC_STR("abc"), 1), "bc");
    check_str(torc_str_from(TORC_STR("abc"), 3), "");
    check_str(torc_str_from(TORC_STR("abc"), 4), "");
    const torc_str str = TORC_STR("abc");
    assert_ptr_equal(torc_str_from(str, 3).bytes, str.bytes + 3);
    assert_ptr_equal(torc_str_from(str, 9).bytes, str.bytes + 3);
    assert_null(torc_str_from(none, 1).bytes);
    check_str(torc_str_head(TORC_STR("abc"), 2), "ab");
    check_str(torc_str_head(TORC_STR("abc"), 4), "abc");
}

static void equality(void **state) {
    assert_true(torc_str_equals(none, TORC_STR("")));
    assert_true(torc_str_equals(TORC_STR("a"), TORC_STR("a")));
    assert_false(torc_str_equals(TORC_STR("a"), TORC_STR("A")));
    assert_false(torc_str_equals(TORC_STR("a"), TORC_STR("ab")));
}

static void equality_without_case_is_of_ascii_letters_only(void **state) {
    assert_true(torc_str_equals_nocase(none, none));
    assert_true(torc_str_equals_nocase(TORC_STR("Content-AZ"), TORC_STR("cONTENT-az")));
    assert_false(torc_str_equals_nocase(TORC_STR("@["), TORC_STR("`{")));
    assert_false(torc_str_equals_nocase(TORC_STR("\xc0"), TORC_STR("\xe0")));
    assert_false(torc_str_equals_nocase(TORC_STR("a"), TORC_STR("aa")));
}

static void beginnings_and_ends(void **state) {
    assert_true(torc_str_starts_with(TORC_STR("abc"), TORC_STR("ab")));
    assert_true(torc_str_starts_with(TORC_STR("abc"), none));
    assert_false(torc_str_starts_with(TORC_STR("ab"), TORC_STR("abc")));
    assert_true(torc_str_ends_with(TORC_STR("abc"), TORC_STR("bc")));
    assert_true(torc_str_ends_with(TORC_STR("abc"), none));
    assert_true(torc_str_ends_with(none, none));
    assert_false(torc_str_ends_with(TORC_STR("bc"), TORC_STR("abc")));
    assert_false(torc_str_ends_with(TORC_STR("abc"), TORC_STR("ab")));
}

static void order_is_that_of_bytes_then_of_lengths(void **state) {
    assert_int_equal(torc_str_compare(none, none), 0);
    assert_true(torc_str_compare(none, TORC_STR("a")) < 0);
    assert_true(torc_str_compare(TORC_STR("ab"), TORC_STR("a")) > 0);
    assert_true(torc_str_compare(TORC_STR("a"), TORC_STR("b")) < 0);
    assert_true(torc_str_compare(TORC_STR("\xff"), TORC_STR("a")) > 0);
    assert_int_equal(torc_str_compare(TORC_STR("ab"), TORC_STR("ab")), 0);
}

static void finding(void **state) {
    assert_int_equal(torc_str_find_byte(TORC_STR("abcb"), 'b'), 1);
    assert_int_equal(torc_str_find_byte(TORC_STR("abc"), 'x'), -1);
    assert_int_equal(torc_str_find_byte(none, 'x'), -1);
    assert_int_equal(torc_str_find(TORC_STR("abcabd"), TORC_STR("abd")), 3);
    assert_int_equal(torc_str_find(TORC_STR("ab"), TORC_STR("abd")), -1);
    assert_int_equal(torc_str_find(TORC_STR("abc"), TORC_STR("ac")), -1);
    assert_int_equal(torc_str_find(TORC_STR("abc"), none), 0);
    assert_int_equal(torc_str_find(none, none), 0);
}

static void trimming_takes_blanks_from_both_ends(void **state) {
    check_str(torc_str_trim(TORC_STR(" \t a b\t ")), "a b");
    check_str(torc_str_trim(TORC_STR("ab")), "ab");
    check_str(torc_str_trim(TORC_STR(" \t ")), "");
    check_str(torc_str_trim(TORC_STR("\r\na\n")), "\r\na\n");
    check_str(torc_str_trim(none), "");
}

static void splitting_gives_every_part(void **state) {
    torc_str rest = TORC_STR("a,,b"), part;

    assert_true(torc_str_split(&rest, ',', &part));
    check_str(part, "a");
    assert_true(torc_str_split(&rest, ',', &part));
    check_str(part, "");
    assert_true(torc_str_split(&rest, ',', &part));
    check_str(part, "b");
    assert_false(torc_str_split(&rest, ',', &part));
}

static void splitting_the_edges(void **state) {
    torc_str rest = TORC_STR(""), part;

    assert_true(torc_str_split(&rest, ',', &part));
    check_str(part, "");
    assert_false(torc_str_split(&rest, ',', &part));

    rest = TORC_STR("a,");
    assert_true(torc_str_split(&rest, ',', &part));
    assert_true(torc_str_split(&rest, ',', &part));
    check_str(part, "");
    assert_false(torc_str_split(&rest, ',', &part));

    rest = none;
    assert_false(torc_str_split(&rest, ',', &part));
}

static void check_uint(const char *text, uint64_t max, torc_err err, uint64_t expected) {
    uint64_t value = 77;

    check_err(torc_str_parse_uint(torc_str_of(text), max, &value), err);
    assert_int_equal(value, err ? 77 : expected);
}

static void numbers_within_their_maximum_are_read(void **state) {
    check_uint("0", 0, TORC_OK, 0);
    check_uint("000", 5, TORC_OK, 0);
    check_uint("0012", 12, TORC_OK, 12);
    check_uint("65535", 65535, TORC_OK, 65535);
    check_uint("18446744073709551615", UINT64_MAX, TORC_OK, UINT64_MAX);
}

static void numbers_above_their_maximum_are_a_limit(void **state) {
    check_uint("1", 0, TORC_ERR_LIMIT, 0);
    check_uint("10", 9, TORC_ERR_LIMIT, 0);
    check_uint("13", 12, TORC_ERR_LIMIT, 0);
    check_uint("9", 5, TORC_ERR_LIMIT, 0);
    check_uint("65536", 65535, TORC_ERR_LIMIT, 0);
    check_uint("18446744073709551616", UINT64_MAX, TORC_ERR_LIMIT, 0);
    check_uint("99999999999999999999999999999990", UINT64_MAX, TORC_ERR_LIMIT, 0);
}

static void what_is_no_number_is_refused(void **state) {
    static const char *const bad[] = {"",    " 1",  "1 ",  "+1",     "-1",
                                      "0x1", "1.0", "1,2", "99999z", "99999999999999999999999999x"};

    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++) check_uint(bad[i], 10, TORC_ERR_SYNTAX, 0);
    check_uint(NULL, 10, TORC_ERR_SYNTAX, 0);
}

static void hexadecimal_digits(void **state) {
    static const char digits[] = "0123456789abcdefABCDEF";
    int found = 0;

    for (int byte = 0; byte < 256; byte++) {
        const char *place = byte ? strchr(digits, byte) : NULL;
        int expected = place ? (int)(place - digits) : -1;
        if (expected > 15) expected -= 6;
        assert_int_equal(torc_hex_digit((char)byte), expected);
        found += expected >= 0;
    }
    assert_int_equal(found, 22);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_of_literals_and_texts),
        cmocka_unit_test(parts_stay_within_the_slice),
        cmocka_unit_test(equality),
        cmocka_unit_test(equality_without_case_is_of_ascii_letters_only),
        cmocka_unit_test(beginnings_and_ends),
        cmocka_unit_test(order_is_that_of_bytes_then_of_lengths),
        cmocka_unit_test(finding),
        cmocka_unit_test(trimming_takes_blanks_from_both_ends),
        cmocka_unit_test(splitting_gives_every_part),
        cmocka_unit_test(splitting_the_edges),
        cmocka_unit_test(numbers_within_their_maximum_are_read),
        cmocka_unit_test(numbers_above_their_maximum_are_a_limit),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(hexadecimal_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
