/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <torc/cron.h>

#include "check.h"

static const char BERLIN[] = "CET-1CEST,M3.5.0,M10.5.0/3";

static torc_zone *zone;

static int set_up(void **state) {
    (void)state;
    return torc_zone_parse_rule(NULL, torc_str_of(BERLIN), &zone) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_zone_free(zone);
    return 0;
}

static torc_cron parse(const char *text) {
    torc_cron_error error = {0};
    torc_cron cron = {0};

    if (torc_cron_parse(torc_str_of(text), &cron, &error)) print_error("%s\n", error.text);
    check_ok(torc_cron_parse(torc_str_of(text), &cron, NULL));
    return cron;
}

/* UTC of "2026-03-29 01:00". */
static int64_t utc(const char *text) {
    torc_civil civil = {0};
    long long year;

    assert_int_equal(sscanf(text, "%lld-%d-%d %d:%d", &year, &civil.month, &civil.day, &civil.hour,
                            &civil.minute),
                     5);
    civil.year = year;
    return torc_civil_seconds(&civil);
}

/* The next times after a moment, in UTC; `expected` ends with NULL. */
static void check_times(const torc_zone *where, const char *text, const char *after,
                        const char *const *expected) {
    const torc_cron cron = parse(text);
    int64_t at = utc(after);

    for (; *expected; expected++) {
        char found[64];
        at = torc_cron_next(&cron, where, at);
        const torc_civil civil = torc_zone_civil(NULL, at);
        snprintf(found, sizeof(found), "%lld-%02d-%02d %02d:%02d", (long long)civil.year,
                 civil.month, civil.day, civil.hour, civil.minute);
        assert_string_equal(found, *expected);
        assert_int_equal(civil.second, 0);
    }
}

#define CHECK(where, text, after, ...)                                                             \
    check_times(where, text, after, (const char *const[]){__VA_ARGS__, NULL})

static void check_bad(const char *text, torc_err err, size_t place, const char *words) {
    torc_cron cron = {.hours = 7};
    torc_cron_error error = {0};

    check_err(torc_cron_parse(torc_str_of(text), &cron, &error), err);
    check_err(torc_cron_parse(torc_str_of(text), &cron, NULL), err);
    assert_int_equal(cron.hours, 7); /* written on success only */
    if (error.place != place || !strstr(error.text, words))
        print_error("%s: %zu: %s\n", text, error.place, error.text);
    assert_int_equal(error.place, place);
    assert_non_null(strstr(error.text, words));
}

static void every_minute_hour_and_day(void **state) {
    (void)state;
    CHECK(NULL, "* * * * *", "2026-01-01 10:00", "2026-01-01 10:01", "2026-01-01 10:02");
    CHECK(NULL, "@hourly", "2026-01-01 10:00", "2026-01-01 11:00", "2026-01-01 12:00");
    CHECK(NULL, "@daily", "2026-02-28 10:00", "2026-03-01 00:00", "2026-03-02 00:00");
    CHECK(NULL, " @Midnight ", "2026-02-28 10:00", "2026-03-01 00:00");
    CHECK(NULL, "@weekly", "2026-01-01 10:00", "2026-01-04 00:00", "2026-01-11 00:00");
    CHECK(NULL, "@monthly", "2026-01-01 00:00", "2026-02-01 00:00", "2026-03-01 00:00");
    CHECK(NULL, "@yearly", "2026-01-01 00:00", "2027-01-01 00:00");
    CHECK(NULL, "@annually", "2026-01-01 00:00", "2027-01-01 00:00");
}

static void lists_ranges_and_steps(void **state) {
    (void)state;
    CHECK(NULL, "*/20 * * * *", "2026-01-01 10:05", "2026-01-01 10:20", "2026-01-01 10:40",
          "2026-01-01 11:00");
    CHECK(NULL, "0,5-6 12 * * *", "2026-01-01 10:00", "2026-01-01 12:00", "2026-01-01 12:05",
          "2026-01-01 12:06", "2026-01-02 12:00");
    CHECK(NULL, "10-30/10 0 * * *", "2026-01-01 00:00", "2026-01-01 00:10", "2026-01-01 00:20",
          "2026-01-01 00:30", "2026-01-02 00:10");
    CHECK(NULL, "\t59   23\t31 DEC *  ", "2026-01-01 00:00", "2026-12-31 23:59",
          "2027-12-31 23:59");
}

static void names_of_months_and_days(void **state) {
    (void)state;
    CHECK(NULL, "0 0 1 jan,Jul *", "2026-01-01 00:00", "2026-07-01 00:00", "2027-01-01 00:00");
    CHECK(NULL, "0 9 * * mon-fri", "2026-01-02 10:00", "2026-01-05 09:00", "2026-01-06 09:00");
    CHECK(NULL, "0 9 * * 7", "2026-01-02 10:00", "2026-01-04 09:00", "2026-01-11 09:00");
    CHECK(NULL, "0 9 * * 0", "2026-01-02 10:00", "2026-01-04 09:00");
    CHECK(NULL, "0 9 * * sun-sun", "2026-01-02 10:00", "2026-01-04 09:00", "2026-01-11 09:00");
    CHECK(NULL, "0 9 * * 0-0", "2026-01-02 10:00", "2026-01-04 09:00", "2026-01-11 09:00");
    CHECK(NULL, "0 9 * * fri-sun", "2026-01-02 10:00", "2026-01-03 09:00", "2026-01-04 09:00",
          "2026-01-09 09:00");
}

static void one_of_both_days_is_enough_when_both_are_restricted(void **state) {
    (void)state;
    CHECK(NULL, "0 0 13 * fri", "2026-02-01 00:00", "2026-02-06 00:00", "2026-02-13 00:00",
          "2026-02-20 00:00", "2026-02-27 00:00", "2026-03-06 00:00", "2026-03-13 00:00");
    CHECK(NULL, "0 0 10 * fri", "2026-02-06 00:00", "2026-02-10 00:00", "2026-02-13 00:00");
    /* One begins with a star: both are to be met. */
    CHECK(NULL, "0 0 */2 * fri", "2026-02-01 00:00", "2026-02-13 00:00", "2026-02-27 00:00");
    CHECK(NULL, "0 0 30 2 fri", "2026-01-31 00:00", "2026-02-06 00:00"); /* the Fridays come */
}

static void dates_that_are_rare_come(void **state) {
    (void)state;
    CHECK(NULL, "0 0 29 feb *", "2026-01-01 00:00", "2028-02-29 00:00", "2032-02-29 00:00");
    CHECK(NULL, "0 0 29 feb *", "2096-03-01 00:00", "2104-02-29 00:00");
    CHECK(NULL, "0 0 29 2 */7", "2026-01-01 00:00", "2032-02-29 00:00", "2060-02-29 00:00");
    CHECK(NULL, "0 0 31 * *", "2026-01-31 00:00", "2026-03-31 00:00", "2026-05-31 00:00");
}

static void dates_that_never_come_are_refused(void **state) {
    (void)state;
    check_bad("0 0 30 feb *", TORC_ERR_INVALID, 0, "never comes");
    check_bad("0 0 31 4,6,9,11 *", TORC_ERR_INVALID, 0, "never comes");
    check_bad("0 0 30,31 2 */2", TORC_ERR_INVALID, 0, "never comes");
}

static void times_are_those_of_a_zone(void **state) {
    (void)state;
    CHECK(zone, "30 6 * * *", "2026-01-10 00:00", "2026-01-10 05:30", "2026-01-11 05:30");
    CHECK(zone, "30 6 * * *", "2026-07-10 00:00", "2026-07-10 04:30", "2026-07-11 04:30");
    CHECK(zone, "0 0 1 * *", "2026-06-30 21:59", "2026-06-30 22:00", "2026-07-31 22:00");
}

/* On 2026-03-29 clocks go from 02:00 to 03:00, at 01:00 UTC. */
static void a_time_that_does_not_exist_is_when_the_clock_was_set(void **state) {
    (void)state;
    CHECK(zone, "30 2 * * *", "2026-03-28 01:00", "2026-03-28 01:30", "2026-03-29 01:00",
          "2026-03-30 00:30");
    /* Several of them are one, together with one that exists. */
    CHECK(zone, "0,15,30 2,3 * * *", "2026-03-29 00:00", "2026-03-29 01:00", "2026-03-29 01:15",
          "2026-03-29 01:30", "2026-03-30 00:00");
    /* The day must be the right one. */
    CHECK(zone, "30 2 * * mon", "2026-03-28 12:00", "2026-03-30 00:30");
    /* Just at its beginning it is over. */
    CHECK(zone, "30 2 * * *", "2026-03-29 01:00", "2026-03-30 00:30");
}

static void intervals_leave_out_what_does_not_exist(void **state) {
    (void)state;
    CHECK(zone, "0 * * * *", "2026-03-28 23:30", "2026-03-29 00:00", "2026-03-29 01:00",
          "2026-03-29 02:00");
    CHECK(zone, "*/30 2 * * *", "2026-03-28 12:00", "2026-03-30 00:00", "2026-03-30 00:30");
}

/* On 2026-10-25 clocks go from 03:00 to 02:00, at 01:00 UTC. */
static void a_time_that_comes_twice_is_the_first(void **state) {
    (void)state;
    CHECK(zone, "30 2 * * *", "2026-10-24 12:00", "2026-10-25 00:30", "2026-10-26 01:30");
    CHECK(zone, "30 2 * * *", "2026-10-25 01:10", "2026-10-26 01:30"); /* in the second */
    CHECK(zone, "0 3 * * *", "2026-10-24 12:00", "2026-10-25 02:00", "2026-10-26 02:00");
    CHECK(zone, "59 1,2 * * *", "2026-10-24 12:00", "2026-10-24 23:59", "2026-10-25 00:59",
          "2026-10-26 00:59");
}

static void intervals_do_twice_what_comes_twice(void **state) {
    (void)state;
    CHECK(zone, "0 * * * *", "2026-10-24 23:30", "2026-10-25 00:00", "2026-10-25 01:00",
          "2026-10-25 02:00");
    CHECK(zone, "*/30 2 * * *", "2026-10-24 12:00", "2026-10-25 00:00", "2026-10-25 00:30",
          "2026-10-25 01:00", "2026-10-25 01:30", "2026-10-26 01:00");
}

/* All that is due in two years, found by looking at every minute. */
static void the_search_finds_what_looking_at_each_minute_does(void **state) {
    static const char *const texts[] = {"17 */6 * * *",   "0 4 8-14 * *", "*/10 9-10 1 */3 *",
                                        "5 0 * 8 *",      "15 14 1 * *",  "0 22 * * 1-5",
                                        "23 0-23/2 * * *"};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(texts); i++) {
        const torc_cron cron = parse(texts[i]);
        int64_t at = utc("2026-01-01 00:00");
        const int64_t end = at + INT64_C(400) * 86400;
        int64_t next = torc_cron_next(&cron, NULL, at - 1);
        for (; at < end; at += 60) {
            const torc_civil c = torc_zone_civil(NULL, at);
            const bool day = cron.days >> c.day & 1, weekday = cron.weekdays >> c.weekday & 1;
            const bool due = (cron.minutes >> c.minute & 1) && (cron.hours >> c.hour & 1) &&
                             (cron.months >> c.month & 1) &&
                             (cron.any_day || cron.any_weekday ? day && weekday : day || weekday);
            assert_int_equal(due, next == at);
            if (due) next = torc_cron_next(&cron, NULL, at);
        }
    }
}

static void what_is_wrong_is_told_with_its_place(void **state) {
    (void)state;
    check_bad("", TORC_ERR_SYNTAX, 0, "there is no minute");
    check_bad("   ", TORC_ERR_SYNTAX, 3, "there is no minute");
    check_bad("* * * *", TORC_ERR_SYNTAX, 7, "there is no day of the week");
    check_bad("* * * * * ls", TORC_ERR_SYNTAX, 10, "more than five fields");
    check_bad("60 * * * *", TORC_ERR_SYNTAX, 0, "minute at byte 0 is to be 0-59");
    check_bad("* 24 * * *", TORC_ERR_SYNTAX, 2, "hour at byte 2");
    check_bad("* * 0 * *", TORC_ERR_SYNTAX, 4, "day of the month at byte 4");
    check_bad("* * * 13 *", TORC_ERR_SYNTAX, 6, "month at byte 6");
    check_bad("* * * foo *", TORC_ERR_SYNTAX, 6, "jan-dec");
    check_bad("* * * * 8", TORC_ERR_SYNTAX, 8, "0-7 or sun-sat");
    check_bad("* * * * january", TORC_ERR_SYNTAX, 8, "sun-sat");
    check_bad("jan * * * *", TORC_ERR_SYNTAX, 0, "0-59");
    check_bad("5-1 * * * *", TORC_ERR_SYNTAX, 0, "ends before it begins");
    check_bad("5/10 * * * *", TORC_ERR_SYNTAX, 1, "needs a range or *");
    check_bad("*/0 * * * *", TORC_ERR_SYNTAX, 2, "step of the minute");
    check_bad("*/60 * * * *", TORC_ERR_SYNTAX, 2, "from 1 to 59");
    check_bad("*/ * * * *", TORC_ERR_SYNTAX, 2, "step");
    check_bad("1, * * * *", TORC_ERR_SYNTAX, 2, "minute at byte 2");
    check_bad("1- * * * *", TORC_ERR_SYNTAX, 2, "minute at byte 2");
    check_bad("-1 * * * *", TORC_ERR_SYNTAX, 0, "minute at byte 0");
    check_bad("** * * * *", TORC_ERR_SYNTAX, 1, "minute at byte 1");
    check_bad("99999999999 * * * *", TORC_ERR_SYNTAX, 0, "0-59");
    check_bad("0 0 L * *", TORC_ERR_SYNTAX, 4, "1-31");
    check_bad("0 0 ? * *", TORC_ERR_SYNTAX, 4, "1-31");
    check_bad("@reboot", TORC_ERR_SYNTAX, 0, "where the program starts");
    check_bad(" @fortnightly", TORC_ERR_SYNTAX, 1, "none of @hourly");
    check_bad("@daily *", TORC_ERR_SYNTAX, 0, "none of @hourly");
}

/* The 29th of March is the last Sunday when it is one: clocks go from 2 to 3 then. */
static void what_clocks_leave_out_never_comes(void **state) {
    torc_cron cron;
    torc_zone *berlin;

    (void)state;
    check_ok(torc_zone_parse_rule(NULL, TORC_STR("CET-1CEST,M3.5.0,M10.5.0/3"), &berlin));
    check_ok(torc_cron_parse(TORC_STR("* 2 29 3 */7"), &cron, NULL));
    assert_true(torc_cron_next(&cron, berlin, 0) == INT64_MAX);
    assert_true(torc_cron_next(&cron, NULL, 0) < INT64_MAX);
    const torc_zone_period far = torc_zone_period_at(berlin, INT64_MAX - 1);
    assert_true(far.end == INT64_MAX);
    torc_zone_free(berlin);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_clocks_leave_out_never_comes),
        cmocka_unit_test(every_minute_hour_and_day),
        cmocka_unit_test(lists_ranges_and_steps),
        cmocka_unit_test(names_of_months_and_days),
        cmocka_unit_test(one_of_both_days_is_enough_when_both_are_restricted),
        cmocka_unit_test(dates_that_are_rare_come),
        cmocka_unit_test(dates_that_never_come_are_refused),
        cmocka_unit_test(times_are_those_of_a_zone),
        cmocka_unit_test(a_time_that_does_not_exist_is_when_the_clock_was_set),
        cmocka_unit_test(intervals_leave_out_what_does_not_exist),
        cmocka_unit_test(a_time_that_comes_twice_is_the_first),
        cmocka_unit_test(intervals_do_twice_what_comes_twice),
        cmocka_unit_test(the_search_finds_what_looking_at_each_minute_does),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
