/* SPDX-License-Identifier: MIT */
/* Rates as operators write them. */
#include <torc/rate.h>

#include "check.h"

static void check_rate(const char *text, uint32_t count, uint32_t per_s, uint32_t burst) {
    torc_rate rate = {0};

    check_ok(torc_rate_parse(torc_str_of(text), &rate));
    assert_int_equal(rate.count, count);
    assert_int_equal(rate.per_s, per_s);
    assert_int_equal(rate.burst, burst);
}

static void rates_are_read(void **state) {
    (void)state;
    check_rate("100/s", 100, 1, 0);
    check_rate("1/sec", 1, 1, 0);
    check_rate("2/second", 2, 1, 0);
    check_rate("30/min", 30, 60, 0);
    check_rate("30/minute", 30, 60, 0);
    check_rate("5000/h", 5000, 3600, 0);
    check_rate("5000/hour", 5000, 3600, 0);
    check_rate("10/d", 10, 86400, 0);
    check_rate("10/day", 10, 86400, 0);
    check_rate("100/10s", 100, 10, 0);
    check_rate("7/5min", 7, 300, 0);
    check_rate("100/31day", 100, 31 * 86400, 0);
    check_rate("10/s,burst=50", 10, 1, 50);
    check_rate("100000/s", 100000, 1, 0);
    check_rate("1000000/10s,burst=1", 1000000, 10, 1);
}

static void what_is_no_rate_is_refused(void **state) {
    static const char *const malformed[] = {
        "",        "100",         "/s",           "100/",         "100/x", "100/S",
        "-1/s",    " 1/s",        "1 /s",         "1/ s",         "1/s ",  "1/s,",
        "1/s,b=1", "1/s,burst=",  "1/s,burst=1x", "1/s,burst=1,", "1/s,,", "1.5/s",
        "1/10",    "1/s,Burst=1", "0x1/s",        "1/smin",       "1//s",
    };
    static const char *const beyond[] = {
        "0/s",
        "1/0s",
        "100001/s",
        "1000001/min",
        "1/32d",
        "1/s,burst=0",
        "1/s,burst=1000001",
        "1/day,burst=367",
        "99999999999999999999/s",
        "1/99999999999999999999s",
        "4294967296/s",
    };
    torc_rate rate = {1, 2, 3};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(malformed); i++)
        check_err(torc_rate_parse(torc_str_of(malformed[i]), &rate), TORC_ERR_SYNTAX);
    for (size_t i = 0; i < TORC_COUNT_OF(beyond); i++)
        check_err(torc_rate_parse(torc_str_of(beyond[i]), &rate), TORC_ERR_LIMIT);
    assert_int_equal(rate.count, 1);
    assert_int_equal(rate.burst, 3);
}

static void every_prefix_of_a_rate_is_one_or_refused(void **state) {
    const torc_str text = TORC_STR("100/10min,burst=50");
    torc_rate rate;

    (void)state;
    for (size_t len = 0; len < text.len; len++) {
        const torc_err err = torc_rate_parse(torc_str_head(text, len), &rate);
        const bool is_rate = len == 9 || len == 17;
        if (len == 9 || len == 17)
            check_ok(err);
        else
            assert_int_not_equal(err, TORC_OK);
        if (is_rate) assert_int_equal(rate.per_s, 600);
    }
}

static void what_is_written_is_read_again(void **state) {
    static const char *const texts[] = {"100/s",  "7/5min",  "1/h",
                                        "10/day", "100/90s", "10/s,burst=50"};
    char text[TORC_RATE_TEXT_MAX];
    torc_rate rate;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(texts); i++) {
        check_ok(torc_rate_parse(torc_str_of(texts[i]), &rate));
        check_str_of(torc_rate_text(&rate, text), texts[i]);
    }
    check_ok(torc_rate_parse(TORC_STR("60/60s,burst=60"), &rate));
    check_str(torc_rate_text(&rate, text), "60/min");
    rate = (torc_rate){1000000, 2678399, 1000000};
    assert_true(torc_rate_text(&rate, text).len < TORC_RATE_TEXT_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_read),
        cmocka_unit_test(what_is_no_rate_is_refused),
        cmocka_unit_test(every_prefix_of_a_rate_is_one_or_refused),
        cmocka_unit_test(what_is_written_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
