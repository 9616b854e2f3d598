/* SPDX-License-Identifier: MIT */
/* Dates and times of day, against the C library's. */
#include <time.h>

#include "base/civil.h"
#include "check.h"

static void check_moment(int64_t seconds) {
    const torc_civil civil = torc_civil_of(seconds);
    const time_t moment = (time_t)seconds;
    struct tm tm;

    assert_non_null(gmtime_r(&moment, &tm));
    assert_int_equal(civil.year, tm.tm_year + 1900);
    assert_int_equal(civil.month, tm.tm_mon + 1);
    assert_int_equal(civil.day, tm.tm_mday);
    assert_int_equal(civil.hour, tm.tm_hour);
    assert_int_equal(civil.minute, tm.tm_min);
    assert_int_equal(civil.second, tm.tm_sec);
    assert_int_equal(civil.weekday, tm.tm_wday);
    assert_int_equal(torc_civil_seconds(&civil), seconds);
}

static void moments_are_those_of_the_calendar(void **state) {
    (void)state;
    for (int64_t day = -800 * 366; day < 800 * 366; day += 13) {
        check_moment(day * TORC_DAY_S);
        check_moment(day * TORC_DAY_S - 1);
    }
    check_moment(INT64_C(253402300799)); /* the last of the year 9999 */
    check_moment(INT64_C(-62167219200)); /* the first of the year 0 */
}

static void days_carry_over(void **state) {
    (void)state;
    assert_int_equal(torc_civil_days(1970, 1, 1), 0);
    assert_int_equal(torc_civil_days(2026, 3, 0), torc_civil_days(2026, 2, 28));
    assert_int_equal(torc_civil_days(2024, 3, 0), torc_civil_days(2024, 2, 29));
    assert_int_equal(torc_civil_days(2025, 12, 32), torc_civil_days(2026, 1, 1));
}

static void leap_years_have_a_day_more(void **state) {
    (void)state;
    assert_int_equal(torc_civil_month_days(2024, 2), 29);
    assert_int_equal(torc_civil_month_days(2026, 2), 28);
    assert_int_equal(torc_civil_month_days(1900, 2), 28);
    assert_int_equal(torc_civil_month_days(2000, 2), 29);
    assert_int_equal(torc_civil_month_days(2026, 12), 31);
    assert_true(torc_civil_is_leap(-4));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_those_of_the_calendar),
        cmocka_unit_test(days_carry_over),
        cmocka_unit_test(leap_years_have_a_day_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
