/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <torc/zone.h>
#include <unistd.h>

#include "check.h"
#include "faults.h"

static const char BERLIN[] = "CET-1CEST,M3.5.0,M10.5.0/3";

static torc_zone *of_rule(const char *rule) {
    torc_zone *zone;

    check_ok(torc_zone_parse_rule(NULL, torc_str_of(rule), &zone));
    return zone;
}

static int64_t moment(int64_t year, int month, int day, int hour, int minute) {
    const torc_civil civil = {
        .year = year, .month = month, .day = day, .hour = hour, .minute = minute};
    return torc_civil_seconds(&civil);
}

static bool has_database(void) {
    return access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0;
}

static void the_calendar_goes_both_ways(void **state) {
    (void)state;
    assert_int_equal(moment(1970, 1, 1, 0, 0), 0);
    assert_int_equal(moment(2026, 3, 29, 1, 0), 1774746000);
    assert_int_equal(moment(2026, 13, 0, 0, 0), moment(2026, 12, 31, 0, 0));
    assert_int_equal(moment(2026, 0, 1, 0, 0), moment(2025, 12, 1, 0, 0));
    for (int64_t at = -100000000000; at < 300000000000; at += 1234567891) {
        const torc_civil civil = torc_zone_civil(NULL, at);
        const time_t time = (time_t)at;
        struct tm tm;
        assert_non_null(gmtime_r(&time, &tm));
        assert_int_equal(civil.year, tm.tm_year + 1900);
        assert_int_equal(civil.month, tm.tm_mon + 1);
        assert_int_equal(civil.day, tm.tm_mday);
        assert_int_equal(civil.hour, tm.tm_hour);
        assert_int_equal(civil.weekday, tm.tm_wday);
        assert_int_equal(torc_civil_seconds(&civil), at);
    }
}

static void a_rule_sets_clocks_twice_a_year(void **state) {
    torc_zone *zone = of_rule(BERLIN);
    torc_zone_period period = torc_zone_period_at(zone, moment(2026, 3, 29, 0, 59));

    (void)state;
    assert_int_equal(period.offset, 3600);
    assert_false(period.is_dst);
    assert_int_equal(period.end, moment(2026, 3, 29, 1, 0));
    period = torc_zone_period_at(zone, period.end);
    assert_int_equal(period.offset, 7200);
    assert_true(period.is_dst);
    assert_int_equal(period.begin, moment(2026, 3, 29, 1, 0));
    assert_int_equal(period.end, moment(2026, 10, 25, 1, 0));
    torc_zone_free(zone);
}

static void rules_of_the_south_and_of_odd_steps(void **state) {
    torc_zone *zone = of_rule("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");

    (void)state;
    assert_int_equal(torc_zone_period_at(zone, moment(2026, 1, 1, 0, 0)).offset, 39600);
    assert_int_equal(torc_zone_period_at(zone, moment(2026, 7, 1, 0, 0)).offset, 37800);
    torc_zone_free(zone);
    zone = of_rule("AAA3BBB,J60/0,300/0"); /* days by number */
    assert_int_equal(torc_zone_period_at(zone, moment(2028, 3, 1, 2, 59)).offset, -10800);
    assert_int_equal(torc_zone_period_at(zone, moment(2028, 3, 1, 3, 0)).offset, -7200);
    torc_zone_free(zone);
    zone = of_rule("XXX3EDT4,0/0,J365/23"); /* always */
    for (int month = 1; month <= 12; month++)
        assert_int_equal(torc_zone_period_at(zone, moment(2026, month, 1, 4, 0)).offset, -14400);
    torc_zone_free(zone);
}

static void what_is_no_rule_is_refused(void **state) {
    static const char *const bad[] = {"",
                                      "UT0",
                                      "UTC",
                                      "UTC25",
                                      "UTC0X",
                                      "CET-1CEST",
                                      "CET-1CEST,",
                                      "CET-1CEST,M3.5.0",
                                      "UTC0 ",
                                      "CET-1CEST,M13.5.0,M10.5.0",
                                      "<+1>1",
                                      "<+0100-1",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-1CEST,J0,J1",
                                      "CET-1CEST,M3.5.0/168,M10.5.0",
                                      "UTC0:60"};
    torc_zone *zone;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++)
        check_err(torc_zone_parse_rule(NULL, torc_str_of(bad[i]), &zone), TORC_ERR_SYNTAX);
}

/* Every two weeks and a bit, as the C library has it. */
static void compare(const char *name) {
    torc_zone *zone;

    check_ok(torc_zone_load(NULL, name, &zone));
    setenv("TZ", name, 1);
    tzset();
    for (int64_t at = -3000000000; at < 5000000000; at += 1234567) {
        const time_t time = (time_t)at;
        struct tm tm;
        assert_non_null(localtime_r(&time, &tm));
        const torc_zone_period period = torc_zone_period_at(zone, at);
        if (period.offset != tm.tm_gmtoff) print_error("%s at %lld\n", name, (long long)at);
        assert_int_equal(period.offset, tm.tm_gmtoff);
        assert_true(period.begin <= at && at < period.end);
    }
    torc_zone_free(zone);
    unsetenv("TZ");
    tzset();
}

static void zones_of_the_database_are_as_the_c_library_has_them(void **state) {
    static const char *const names[] = {"Europe/Berlin",       "America/New_York",  "Asia/Kolkata",
                                        "Pacific/Apia",        "Africa/Casablanca", "Europe/Dublin",
                                        "Australia/Lord_Howe", "America/Sao_Paulo", "Etc/GMT+5"};

    (void)state;
    if (!has_database()) skip_test("there is no tz database");
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) compare(names[i]);
}

static void local_is_what_tz_says(void **state) {
    static const char *const berlin[] = {"Europe/Berlin", ":Europe/Berlin",
                                         "/usr/share/zoneinfo/Europe/Berlin"};
    torc_zone *zone;

    (void)state;
    setenv("TZ", BERLIN, 1);
    check_ok(torc_zone_load(NULL, "local", &zone));
    assert_int_equal(torc_zone_period_at(zone, moment(2026, 7, 1, 0, 0)).offset, 7200);
    torc_zone_free(zone);
    setenv("TZ", "", 1);
    check_ok(torc_zone_load(NULL, "local", &zone));
    assert_int_equal(torc_zone_period_at(zone, 0).offset, 0);
    torc_zone_free(zone);
    for (size_t i = 0; has_database() && i < TORC_COUNT_OF(berlin); i++) {
        setenv("TZ", berlin[i], 1);
        check_ok(torc_zone_load(NULL, "local", &zone));
        assert_int_equal(torc_zone_period_at(zone, moment(2026, 7, 1, 0, 0)).offset, 7200);
        torc_zone_free(zone);
    }
    unsetenv("TZ");
    check_ok(torc_zone_load(NULL, "local", &zone)); /* the machine's, whatever that is */
    torc_zone_free(zone);
}

static void names_lead_nowhere_else(void **state) {
    torc_zone *zone;

    (void)state;
    check_err(torc_zone_load(NULL, "Europe/Atlantis", &zone), TORC_ERR_NOT_FOUND);
    check_err(torc_zone_load(NULL, "../../../etc/passwd", &zone), TORC_ERR_INVALID);
    check_err(torc_zone_load(NULL, "/etc/passwd", &zone), TORC_ERR_INVALID);
    check_err(torc_zone_load(NULL, "", &zone), TORC_ERR_INVALID);
    check_err(torc_zone_load(NULL, "Europe/Berlin\n", &zone), TORC_ERR_INVALID);
    if (!has_database()) skip_test("there is no tz database");
    check_err(torc_zone_load(NULL, "Europe", &zone), TORC_ERR_NOT_FOUND);
    check_err(torc_zone_load(NULL, "zone.tab", &zone), TORC_ERR_SYNTAX);
    check_err(torc_zone_load(NULL, "Europe/Berlin/x", &zone), TORC_ERR_NOT_FOUND);
}

static size_t read_berlin(char *bytes, size_t size) {
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "re");
    const size_t len = file ? fread(bytes, 1, size, file) : 0;

    if (file) fclose(file);
    return len;
}

static void a_file_that_is_cut_short_is_refused(void **state) {
    char bytes[8192];
    const size_t len = read_berlin(bytes, sizeof(bytes));
    torc_zone *zone;

    (void)state;
    if (len == 0) skip_test("there is no tz database");
    for (size_t i = 0; i < len; i++) {
        char *copy = malloc(i ? i : 1); /* whose end is guarded */
        for (size_t j = 0; j < i; j++) copy[j] = bytes[j];
        check_err(torc_zone_parse(NULL, torc_str_make(copy, i), &zone), TORC_ERR_SYNTAX);
        free(copy);
    }
    check_ok(torc_zone_parse(NULL, torc_str_make(bytes, len), &zone));
    torc_zone_free(zone);
}

static torc_err load(torc_memory *memory, void *context) {
    torc_zone *zone = NULL;
    const torc_err err = torc_zone_load(memory, context, &zone);

    torc_zone_free(zone);
    return err;
}

static void without_memory_there_is_none(void **state) {
    (void)state;
    faults_each(load, (void *)(uintptr_t) "UTC");
    if (has_database()) faults_each(load, (void *)(uintptr_t) "Europe/Berlin");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_calendar_goes_both_ways),
        cmocka_unit_test(a_rule_sets_clocks_twice_a_year),
        cmocka_unit_test(rules_of_the_south_and_of_odd_steps),
        cmocka_unit_test(what_is_no_rule_is_refused),
        cmocka_unit_test(zones_of_the_database_are_as_the_c_library_has_them),
        cmocka_unit_test(local_is_what_tz_says),
        cmocka_unit_test(names_lead_nowhere_else),
        cmocka_unit_test(a_file_that_is_cut_short_is_refused),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
