/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <time.h>
#include <torc/date.h>

#include "check.h"
#include "guarded.h"

enum {
    NOW = 784111777
}; /* Sun, 06 Nov 1994 08:49:37 GMT */

static const int64_t year_0 = -62167219200, year_9999 = 253402300799;

static torc_str format(int64_t seconds) {
    static char text[TORC_DATE_LEN];
    torc_date_format(seconds, text);
    return torc_str_make(text, sizeof(text));
}

static void dates_are_written_in_the_preferred_form(void **state) {
    (void)state;
    check_str(format(NOW), "Sun, 06 Nov 1994 08:49:37 GMT");
    check_str(format(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    check_str(format(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
    check_str(format(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
    check_str(format(4107542399), "Sun, 28 Feb 2100 23:59:59 GMT");
    check_str(format(4107542400), "Mon, 01 Mar 2100 00:00:00 GMT");
}

static void years_beyond_four_digits_are_clamped(void **state) {
    (void)state;
    check_str(format(year_9999), "Fri, 31 Dec 9999 23:59:59 GMT");
    check_str(format(year_9999 + 1), "Fri, 31 Dec 9999 23:59:59 GMT");
    check_str(format(INT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    check_str(format(year_0), "Sat, 01 Jan 0000 00:00:00 GMT");
    check_str(format(year_0 - 1), "Sat, 01 Jan 0000 00:00:00 GMT");
    check_str(format(INT64_MIN), "Sat, 01 Jan 0000 00:00:00 GMT");
}

static void the_c_library_agrees(void **state) {
    (void)state;
    for (int64_t at = year_0; at <= year_9999; at += 86400 * 97 + 12345) {
        char expected[64];
        const time_t seconds = (time_t)at;
        struct tm parts;
        assert_non_null(gmtime_r(&seconds, &parts));
        static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        const int len = snprintf(expected, sizeof(expected), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                 days[parts.tm_wday], parts.tm_mday, months[parts.tm_mon],
                                 parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
        const torc_str written = format(at);
        assert_int_equal(len, TORC_DATE_LEN);
        assert_memory_equal(written.bytes, expected, TORC_DATE_LEN);

        int64_t back;
        check_ok(torc_date_parse(written, NOW, &back));
        assert_int_equal(back, at);
    }
}

static void all_three_forms_are_read(void **state) {
    static const torc_str forms[] = {
        TORC_STR_INIT("Sun, 06 Nov 1994 08:49:37 GMT"),
        TORC_STR_INIT("Sunday, 06-Nov-94 08:49:37 GMT"),
        TORC_STR_INIT("Sun Nov  6 08:49:37 1994"),
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(forms); i++) {
        int64_t seconds = 0;
        check_ok(torc_date_parse(forms[i], NOW, &seconds));
        assert_int_equal(seconds, NOW);
    }
}

static void what_is_cut_or_longer_is_no_date(void **state) {
    static const torc_str forms[] = {
        TORC_STR_INIT("Sun, 06 Nov 1994 08:49:37 GMT "),
        TORC_STR_INIT("Wednesday, 06-Nov-94 08:49:37 GMT "),
        TORC_STR_INIT("Sun Nov 16 08:49:37 1994 "),
    };
    guarded memory = guarded_new(1);

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(forms); i++)
        for (size_t len = 0; len <= forms[i].len; len++) {
            int64_t seconds = -1;
            const torc_str cut = guarded_at_end(&memory, torc_str_head(forms[i], len));
            check_err(torc_date_parse(cut, NOW, &seconds),
                      len == forms[i].len - 1 ? TORC_OK : TORC_ERR_SYNTAX);
            assert_true(seconds != -1 || len != forms[i].len - 1);
        }
    guarded_free(&memory);
}

static void what_is_no_date_is_refused(void **state) {
    static const torc_str wrong[] = {
        TORC_STR_INIT("Sun, 6 Nov 1994 08:49:37 GMT"),
        TORC_STR_INIT("Sun, 06 Nov 94 08:49:37 GMT"),
        TORC_STR_INIT("Sun, 06 nov 1994 08:49:37 GMT"),
        TORC_STR_INIT("sun, 06 Nov 1994 08:49:37 GMT"),
        TORC_STR_INIT("Sun, 06 Nov 1994 08:49:37 UTC"),
        TORC_STR_INIT("Sun, 06 Nov 1994 08:49:37 +0000"),
        TORC_STR_INIT("Sun, 06 Nov 1994 24:00:00 GMT"),
        TORC_STR_INIT("Sun, 06 Nov 1994 08:60:00 GMT"),
        TORC_STR_INIT("Sun, 06 Nov 1994 08:49:61 GMT"),
        TORC_STR_INIT("Sun, 00 Nov 1994 08:49:37 GMT"),
        TORC_STR_INIT("Sun, 31 Nov 1994 08:49:37 GMT"),
        TORC_STR_INIT("Sun, 29 Feb 1994 08:49:37 GMT"),
        TORC_STR_INIT("Sun, 29 Feb 1900 08:49:37 GMT"),
        TORC_STR_INIT("Sun, 06 Nov +994 08:49:37 GMT"),
        TORC_STR_INIT("Sun,  6 Nov 1994 08:49:37 GMT"),
        TORC_STR_INIT("Sun; 06 Nov 1994 08:49:37 GMT"),
        TORC_STR_INIT("Sunday, 06-Nov-1994 08:49:37 GMT"),
        TORC_STR_INIT("Sund, 06-Nov-94 08:49:37 GMT"),
        TORC_STR_INIT("Sun Nov 6 08:49:37 1994"),
        TORC_STR_INIT("Sun Nov 06 08:49:37 1994 GMT"),
        TORC_STR_INIT("Sun Nov  0 08:49:37 1994"),
        TORC_STR_INIT("784111777"),
        TORC_STR_INIT(" Sun, 06 Nov 1994 08:49:37 GMT"),
        TORC_STR_INIT("Sun, 06 Nov 1994 08:49:37 GM\0"),
        TORC_STR_INIT("Sun, 06 Nov 1994 08-49-37 GMT"),
        TORC_STR_INIT("0"),
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(wrong); i++) {
        int64_t seconds = 12345;
        if (torc_date_parse(wrong[i], NOW, &seconds) != TORC_ERR_SYNTAX || seconds != 12345)
            fail_msg("taken: %.*s", TORC_STR_ARGS(wrong[i]));
    }
}

static void a_leap_second_is_read(void **state) {
    int64_t seconds = 0, next = 0;

    (void)state;
    check_ok(torc_date_parse(TORC_STR("Sat, 31 Dec 2016 23:59:60 GMT"), NOW, &seconds));
    check_ok(torc_date_parse(TORC_STR("Sun, 01 Jan 2017 00:00:00 GMT"), NOW, &next));
    assert_int_equal(seconds, next);
}

/* Two digits are the year that is at most 50 years ahead and less than 50 years back. */
static void two_digits_of_a_year_are_near_now(void **state) {
    static const struct {
        const char *now;
        int digits, year;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 94, 1994}, {"Sun, 06 Nov 1994 08:49:37 GMT", 44, 2044},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 45, 1945}, {"Fri, 06 Nov 2026 08:49:37 GMT", 76, 2076},
        {"Fri, 06 Nov 2026 08:49:37 GMT", 77, 1977}, {"Fri, 06 Nov 2026 08:49:37 GMT", 0, 2000},
        {"Fri, 06 Nov 2026 08:49:37 GMT", 99, 1999}, {"Fri, 06 Nov 2090 08:49:37 GMT", 5, 2105},
        {"Fri, 06 Nov 2090 08:49:37 GMT", 40, 2140}, {"Fri, 06 Nov 2090 08:49:37 GMT", 41, 2041},
        {"Fri, 06 Nov 2090 08:49:37 GMT", 99, 2099},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        char text[64], expected[64];
        int64_t now, seconds, by_four;
        check_ok(torc_date_parse(torc_str_of(cases[i].now), NOW, &now));
        snprintf(text, sizeof(text), "Monday, 06-Nov-%02d 08:49:37 GMT", cases[i].digits);
        snprintf(expected, sizeof(expected), "Mon, 06 Nov %04d 08:49:37 GMT", cases[i].year);
        check_ok(torc_date_parse(torc_str_of(text), now, &seconds));
        check_ok(torc_date_parse(torc_str_of(expected), now, &by_four));
        assert_int_equal(seconds, by_four);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_written_in_the_preferred_form),
        cmocka_unit_test(years_beyond_four_digits_are_clamped),
        cmocka_unit_test(the_c_library_agrees),
        cmocka_unit_test(all_three_forms_are_read),
        cmocka_unit_test(what_is_cut_or_longer_is_no_date),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(a_leap_second_is_read),
        cmocka_unit_test(two_digits_of_a_year_are_near_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
