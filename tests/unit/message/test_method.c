/* SPDX-License-Identifier: MIT */
#include <torc/method.h>

#include "check.h"

static void each_name_is_found(void **state) {
    (void)state;
    for (int method = TORC_METHOD_GET; method < TORC_METHODS; method++) {
        const torc_str name = torc_method_text((torc_method)method);
        assert_true(name.len > 0);
        assert_int_equal(torc_method_find(name), method);
    }
    check_str(torc_method_text(TORC_METHOD_GET), "GET");
    check_str(torc_method_text(TORC_METHOD_PROPPATCH), "PROPPATCH");
    check_str(torc_method_text(TORC_METHOD_OTHER), "");
}

static void other_names_are_other_methods(void **state) {
    static const torc_str others[] = {
        TORC_STR_INIT(""),     TORC_STR_INIT("get"),   TORC_STR_INIT("Get"), TORC_STR_INIT("GE"),
        TORC_STR_INIT("GETS"), TORC_STR_INIT("GET\0"), TORC_STR_INIT("XYZ"), TORC_STR_INIT("OTHER"),
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(others); i++)
        assert_int_equal(torc_method_find(others[i]), TORC_METHOD_OTHER);
    assert_int_equal(torc_method_find((torc_str){0}), TORC_METHOD_OTHER);
}

static void a_set_is_written_as_a_list(void **state) {
    char text[TORC_METHODS_TEXT_MAX];

    (void)state;
    check_str(torc_methods_text(0, text), "");
    check_str(torc_methods_text(torc_method_bit(TORC_METHOD_HEAD), text), "HEAD");
    check_str(torc_methods_text(torc_method_bit(TORC_METHOD_OPTIONS) |
                                    torc_method_bit(TORC_METHOD_GET) |
                                    torc_method_bit(TORC_METHOD_HEAD),
                                text),
              "GET, HEAD, OPTIONS");
}

/* Bits of no method, that of OTHER among them, have no name. */
static void all_methods_fit(void **state) {
    char text[TORC_METHODS_TEXT_MAX];
    const torc_str all = torc_methods_text(UINT32_MAX, text);
    torc_str rest = all, member;
    int count = 0;

    (void)state;
    assert_true(all.len < TORC_METHODS_TEXT_MAX);
    while (torc_str_split(&rest, ',', &member)) {
        assert_int_equal(torc_method_find(torc_str_trim(member)), TORC_METHOD_GET + count);
        count++;
    }
    assert_int_equal(count, TORC_METHODS - TORC_METHOD_GET);
    assert_true(TORC_METHODS <= 32);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_is_found),
        cmocka_unit_test(other_names_are_other_methods),
        cmocka_unit_test(a_set_is_written_as_a_list),
        cmocka_unit_test(all_methods_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
