/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <torc/err.h>

#include "check.h"

static void every_code_has_a_name_a_text_and_its_own_negative_number(void **state) {
    static const torc_err all[] = {
#define CODE(name, number, text) TORC_ERR_##name,
        TORC_ERR_TABLE(CODE)
#undef CODE
    };

    for (size_t i = 0; i < TORC_COUNT_OF(all); i++) {
        assert_true(all[i] < 0);
        assert_string_not_equal(torc_err_name(all[i]), "UNKNOWN");
        assert_true(strlen(torc_err_text(all[i])) > 5);
        for (size_t j = 0; j < i; j++) assert_int_not_equal(all[i], all[j]);
    }
}

static void names_are_the_enumerators(void **state) {
    assert_string_equal(torc_err_name(TORC_OK), "OK");
    assert_string_equal(torc_err_name(TORC_ERR_NO_MEMORY), "NO_MEMORY");
    assert_string_equal(torc_err_text(TORC_ERR_LOST), "the peer is gone");
}

static void a_foreign_code_is_named_too(void **state) {
    assert_string_equal(torc_err_name((torc_err)-9999), "UNKNOWN");
    assert_non_null(torc_err_text((torc_err)1));
}

static void values_of_errno_are_translated(void **state) {
    assert_int_equal(torc_err_from_errno(0), TORC_OK);
    assert_int_equal(torc_err_from_errno(ENOMEM), TORC_ERR_NO_MEMORY);
    assert_int_equal(torc_err_from_errno(EWOULDBLOCK), TORC_ERR_AGAIN);
    assert_int_equal(torc_err_from_errno(ECONNRESET), TORC_ERR_RESET);
    assert_int_equal(torc_err_from_errno(EPIPE), TORC_ERR_LOST);
    assert_int_equal(torc_err_from_errno(EMFILE), TORC_ERR_FILE_TABLE_FULL);
    assert_int_equal(torc_err_from_errno(EADDRINUSE), TORC_ERR_ADDRESS_IN_USE);
    assert_int_equal(torc_err_from_errno(EIO), TORC_ERR_SYSTEM);
    assert_int_equal(torc_err_from_errno(123456), TORC_ERR_SYSTEM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_name_a_text_and_its_own_negative_number),
        cmocka_unit_test(names_are_the_enumerators),
        cmocka_unit_test(a_foreign_code_is_named_too),
        cmocka_unit_test(values_of_errno_are_translated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
