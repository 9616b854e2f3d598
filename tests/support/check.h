/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_CHECK_H
#define TORC_TESTS_CHECK_H

/*
 * cmocka with what it needs before it, and checks for Torc's own values.
 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <torc/str.h>

/* A call that returns torc_err succeeds. */
#define check_ok(call) assert_int_equal((call), TORC_OK)
/* A call fails with this error. */
#define check_err(call, err) assert_int_equal((call), (err))

/* A slice has exactly these bytes. */
#define check_str(str, literal) check_str_at((str), TORC_STR(literal), __FILE__, __LINE__)
/* The same of a text that is no literal. */
#define check_str_of(str, text) check_str_at((str), torc_str_of(text), __FILE__, __LINE__)

static inline void check_str_at(torc_str str, torc_str expected, const char *file, int line) {
    if (torc_str_equals(str, expected)) return;
    print_error("got      \"%.*s\"\nexpected \"%.*s\"\n", TORC_STR_ARGS(str),
                TORC_STR_ARGS(expected));
    _fail(file, line);
}

/* Leave a test that cannot be made here. (cmocka's skip() is told as a failure by readers of TAP.)
 */
#define skip_test(reason)                                                                          \
    do {                                                                                           \
        print_message("# skipped: %s\n", reason);                                                  \
        return;                                                                                    \
    } while (false)

#endif
