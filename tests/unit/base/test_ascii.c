/* SPDX-License-Identifier: MIT */
/* Letters and digits: every byte, against the C locale. */
#include <ctype.h>
#include <stdio.h>

#include "base/ascii.h"
#include "check.h"

static void each_byte_is_what_the_c_locale_says(void **state) {
    (void)state;
    for (int i = 0; i < 256; i++) {
        const bool is_ascii = i < 128;
        assert_int_equal(torc_is_digit((char)i), is_ascii && isdigit(i));
        assert_int_equal(torc_is_capital((char)i), is_ascii && isupper(i));
        assert_int_equal(torc_is_letter((char)i), is_ascii && isalpha(i));
        assert_int_equal(torc_is_alnum((char)i), is_ascii && isalnum(i));
        assert_int_equal(torc_small((char)i), (char)(is_ascii ? tolower(i) : i));
    }
}

static void the_lowest_bits_are_a_hexadecimal_digit(void **state) {
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        char expected[2];
        (void)snprintf(expected, sizeof expected, "%x", i);
        assert_int_equal(torc_hex_of(0xfedcba90 | i), expected[0]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_is_what_the_c_locale_says),
        cmocka_unit_test(the_lowest_bits_are_a_hexadecimal_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
