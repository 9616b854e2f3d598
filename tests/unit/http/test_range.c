/* SPDX-License-Identifier: MIT */
/* Ranges of bytes (RFC 9110 §14), by a table. */
#include <stdio.h>
#include <torc/range.h>

#include "check.h"

static void describe(torc_range_outcome outcome, const torc_ranges *ranges, char *text,
                     size_t size) {
    size_t at = (size_t)snprintf(text, size, "%s",
                                 outcome == TORC_RANGE_WHOLE     ? "whole"
                                 : outcome == TORC_RANGE_PARTIAL ? "partial"
                                                                 : "none");
    for (uint32_t i = 0; i < ranges->count && outcome == TORC_RANGE_PARTIAL; i++)
        at += (size_t)snprintf(text + at, size - at, " %llu+%llu",
                               (unsigned long long)ranges->items[i].first,
                               (unsigned long long)ranges->items[i].len);
}

static const struct {
    const char *value;
    uint64_t size;
    const char *expected;
} cases[] = {
    {"bytes=0-499", 1000, "partial 0+500"},
    {"bytes=500-", 1000, "partial 500+500"},
    {"bytes=-500", 1000, "partial 500+500"},
    {"bytes=0-0", 1000, "partial 0+1"},
    {"bytes=999-", 1000, "partial 999+1"},
    {"BYTES=0-1", 1000, "partial 0+2"},
    {"bytes=0-0,-1", 1000, "partial 0+1 999+1"},
    {"bytes=0-0, 500-599 ,, 10-19", 1000, "partial 0+1 500+100 10+10"},
    /* Clamped, or left out. */
    {"bytes=0-99999", 1000, "partial 0+1000"},
    {"bytes=-2000", 1000, "partial 0+1000"},
    {"bytes=0-18446744073709551615", 1000, "partial 0+1000"},
    {"bytes=0-99999999999999999999999", 1000, "partial 0+1000"},
    {"bytes=2000-3000,1-1", 1000, "partial 1+1"},
    /* Nothing is left. */
    {"bytes=1000-", 1000, "none"},
    {"bytes=99999999999999999999999-", 1000, "none"},
    {"bytes=-0", 1000, "none"},
    {"bytes=0-", 0, "none"},
    {"bytes=-1", 0, "none"},
    {"bytes=1000-1001,5000-", 1000, "none"},
    /* Malformed, or another unit. */
    {"", 1000, "whole"},
    {"bytes", 1000, "whole"},
    {"bytes=", 1000, "whole"},
    {"bytes=,", 1000, "whole"},
    {"bytes=-", 1000, "whole"},
    {"bytes=1", 1000, "whole"},
    {"bytes=5-4", 1000, "whole"},
    {"bytes=a-b", 1000, "whole"},
    {"bytes=+1-2", 1000, "whole"},
    {"bytes=1-2x", 1000, "whole"},
    {"bytes=1--2", 1000, "whole"},
    {"bytes=0-1;2-3", 1000, "whole"},
    {"bytes=0-1,junk", 1000, "whole"},
    {"bytes 0-1", 1000, "whole"},
    {"seconds=0-1", 1000, "whole"},
    /* Too many, or over and over. */
    {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30",
     1000, "partial 0+1 2+1 4+1 6+1 8+1 10+1 12+1 14+1 16+1 18+1 20+1 22+1 24+1 26+1 28+1 30+1"},
    {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,"
     "32-32",
     1000, "whole"},
    {"bytes=0-9,5-14,10-19", 1000, "partial 0+10 5+10 10+10"},
    {"bytes=0-,0-,0-,0-", 1000, "whole"},
    /* The largest numbers. */
    {"bytes=18446744073709551614-", UINT64_MAX, "partial 18446744073709551614+1"},
    {"bytes=0-", UINT64_MAX, "partial 0+18446744073709551615"},
};

static void ranges_are_read(void **state) {
    torc_ranges ranges;
    char text[400];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const torc_range_outcome outcome =
            torc_range_parse(torc_str_of(cases[i].value), cases[i].size, &ranges);
        describe(outcome, &ranges, text, sizeof(text));
        if (strcmp(text, cases[i].expected) != 0) print_error("%s\n", cases[i].value);
        assert_string_equal(text, cases[i].expected);
    }
}

static void content_range_is_written(void **state) {
    char text[TORC_CONTENT_RANGE_SIZE];
    const torc_range first = {0, 500}, largest = {UINT64_MAX - 1, 1};

    (void)state;
    check_str(torc_content_range_format(&first, 1234, text), "bytes 0-499/1234");
    check_str(torc_content_range_format(NULL, 1234, text), "bytes */1234");
    check_str(torc_content_range_format(&largest, UINT64_MAX, text),
              "bytes 18446744073709551614-18446744073709551614/18446744073709551615");
}

static void heads_of_parts_are_written(void **state) {
    const torc_range range = {500, 100};
    torc_buf buf;

    (void)state;
    torc_buf_init(&buf, NULL, TORC_MEMORY_OTHER, 1000);
    torc_range_add_part_head(&buf, TORC_STR("B"), TORC_STR("text/plain"), &range, 8000);
    torc_range_add_part_head(&buf, TORC_STR("B"), torc_str_make(NULL, 0), &range, 8000);
    torc_range_add_part_head(&buf, TORC_STR("B"), TORC_STR("text/plain"), NULL, 8000);
    check_ok(torc_buf_err(&buf));
    check_str(torc_buf_str(&buf),
              "\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 500-599/8000\r\n\r\n"
              "\r\n--B\r\nContent-Range: bytes 500-599/8000\r\n\r\n"
              "\r\n--B--\r\n");
    torc_buf_dispose(&buf);
}

static void content_ranges_are_read(void **state) {
    static const struct {
        const char *value;
        uint64_t first, len, size;
    } good[] = {
        {"bytes 0-4/10", 0, 5, 10},
        {"BYTES 5-9/10", 5, 5, 10},
        {"bytes 5-5/*", 5, 1, UINT64_MAX},
        {"bytes */10", 0, 0, 10},
        {"bytes */0", 0, 0, 0},
        {"bytes 0-9223372036854775806/9223372036854775807", 0, INT64_MAX, INT64_MAX},
    };
    static const char *const bad[] = {"",
                                      "bytes",
                                      "bytes ",
                                      "bytes 0-4",
                                      "bytes 0-4/",
                                      "bytes 4-0/10",
                                      "bytes 0-10/10",
                                      "bytes */*",
                                      "bytes -4/10",
                                      "bytes 0-/10",
                                      "items 0-4/10",
                                      "bytes=0-4/10",
                                      "bytes 0-4/10x",
                                      "bytes 0-4/99999999999999999999",
                                      "bytes  0-4/10"};
    torc_range range = {0};
    uint64_t size = 7;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(good); i++) {
        check_ok(torc_content_range_parse(torc_str_of(good[i].value), &range, &size));
        assert_int_equal(range.first, good[i].first);
        assert_int_equal(range.len, good[i].len);
        assert_int_equal(size, good[i].size);
    }
    size = 7;
    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++)
        check_err(torc_content_range_parse(torc_str_of(bad[i]), &range, &size), TORC_ERR_SYNTAX);
    assert_int_equal(size, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read),
        cmocka_unit_test(content_range_is_written),
        cmocka_unit_test(heads_of_parts_are_written),
        cmocka_unit_test(content_ranges_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
