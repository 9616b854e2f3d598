/* SPDX-License-Identifier: MIT */
#include "message/bytes.h"

#include "check.h"

/* The classes by their grammars, written once more. */
static bool is_alnum(int c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_in(int c, const char *set) {
    return c > 0 && c < 128 && strchr(set, c) != NULL;
}

static void tokens_are_of_tchar(void **state) {
    (void)state;
    for (int c = 0; c < 256; c++)
        assert_int_equal(torc_byte_is((char)c, TORC_BYTE_TOKEN),
                         is_alnum(c) || is_in(c, "!#$%&'*+-.^_`|~"));
}

static void values_have_no_controls_but_tabs(void **state) {
    (void)state;
    for (int c = 0; c < 256; c++)
        assert_int_equal(torc_byte_is((char)c, TORC_BYTE_VALUE),
                         c == '\t' || (c >= ' ' && c != 0x7f));
}

static void targets_are_visible_ascii(void **state) {
    (void)state;
    for (int c = 0; c < 256; c++) /* `#`, `%` and `?` are not taken as they are */
        assert_int_equal(torc_byte_is((char)c, TORC_BYTE_TARGET),
                         c > ' ' && c < 0x7f && !is_in(c, "#%?"));
}

static void names_are_unreserved_or_delimiters_of_parts(void **state) {
    (void)state;
    for (int c = 0; c < 256; c++)
        assert_int_equal(torc_byte_is((char)c, TORC_BYTE_REG_NAME),
                         is_alnum(c) || is_in(c, "-._~") || is_in(c, "!$&'()*+,;="));
}

static void classes_may_be_asked_for_together(void **state) {
    (void)state;
    assert_true(torc_byte_is('"', TORC_BYTE_TOKEN | TORC_BYTE_VALUE));
    assert_false(torc_byte_is('\n', TORC_BYTE_TOKEN | TORC_BYTE_VALUE | TORC_BYTE_TARGET |
                                        TORC_BYTE_REG_NAME));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_of_tchar),
        cmocka_unit_test(values_have_no_controls_but_tabs),
        cmocka_unit_test(targets_are_visible_ascii),
        cmocka_unit_test(names_are_unreserved_or_delimiters_of_parts),
        cmocka_unit_test(classes_may_be_asked_for_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
