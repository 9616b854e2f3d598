/* SPDX-License-Identifier: MIT */
#include "base/decimal.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void check_read(uint64_t digits, int exponent) {
    const torc_decimal decimal = {.digits = digits, .exponent = exponent};
    char text[64];

    snprintf(text, sizeof text, "%llue%d", (unsigned long long)digits, exponent);
    const double value = torc_decimal_to_double(decimal, torc_str_of(text));
    if (value != strtod(text, NULL)) fail_msg("%s is read as %a", text, value);
}

static void random_numbers_are_read_as_strtod_reads_them(void **state) {
    for (int i = 0; i < 200000; i++) {
        const uint64_t digits = next_random() >> (next_random() % 64);
        check_read(digits, (int)(next_random() % (i % 2 ? 700 : 60)) - (i % 2 ? 360 : 30));
    }
}

/* Half way between two doubles, and next to it. */
static void numbers_between_doubles_are_read_as_strtod_reads_them(void **state) {
    for (int i = 0; i < 50000; i++) {
        const uint64_t odd = (next_random() >> 10) | (UINT64_C(1) << 53) | 1;
        check_read(odd, (int)(next_random() % 50) - 25);
        check_read(odd + 1, (int)(next_random() % 50) - 25);
        check_read(odd << (next_random() % 10), 0);
    }
}

static void numbers_at_the_edges_are_read_as_strtod_reads_them(void **state) {
    for (int exponent = -400; exponent < 400; exponent++) {
        static const uint64_t digits[] = {0,
                                          1,
                                          5,
                                          9,
                                          4940656458412465,
                                          22250738585072014,
                                          17976931348623157,
                                          17976931348623158,
                                          17976931348623159,
                                          UINT64_MAX};
        for (size_t i = 0; i < TORC_COUNT_OF(digits); i++) check_read(digits[i], exponent);
    }
}

/* A number with all its digits, of which the first 19 are known. */
static void check_cut(const char *text) {
    torc_decimal decimal = {.is_cut = true};
    const char *at = text;

    for (int i = 0; i < 19; at++) {
        if (*at == '.') continue;
        decimal.digits = decimal.digits * 10 + (unsigned)(*at - '0');
        i++;
    }
    const char *const point = strchr(text, '.'), *const e = strchr(text, 'e');
    decimal.exponent = (e ? atoi(e + 1) : 0) + (int)(point - text) - 19;
    const double value = torc_decimal_to_double(decimal, torc_str_of(text));
    if (value != strtod(text, NULL)) fail_msg("%s is read as %a", text, value);
}

static void numbers_of_many_digits_are_read_as_strtod_reads_them(void **state) {
    char text[1200];

    for (int i = 0; i < 20000; i++) {
        const double value = fabs(double_of(next_random()));
        if (!isfinite(value) || value < DBL_MIN) continue;
        /* The exact half between two doubles has up to 767 digits. */
        const double above = nextafter(value, INFINITY);
        snprintf(text, sizeof text, "%.*e", i % 3 ? 30 : 750, value);
        check_cut(text);
        if (isfinite(above)) {
            const long double half = ((long double)value + (long double)above) / 2;
            snprintf(text, sizeof text, "%.*Le", i % 3 ? 25 : 760, half);
            check_cut(text);
        }
    }
    check_cut("1234567890123456789.0000000000000000000000000000000001");
    check_cut("9007199254740993.000000000000000000000000000000000000000000000000000001e0");
    check_cut("1000000000000000000.0e-330");
    check_cut("1797693134862315807.9999999999999999999999999999999999999e290");
}

static size_t digits_of(const char *text) {
    size_t count = 0, zeros = 0;

    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9') continue;
        if (count > 0 || *text != '0') count++;
        zeros = *text == '0' && count > 0 ? zeros + 1 : 0;
    }
    return count - zeros;
}

static void check_written(double value, bool is_shortest_checked) {
    char text[TORC_DECIMAL_TEXT_MAX + 1], plain[64];
    const size_t len = torc_decimal_format(value, text);

    assert_true(len <= TORC_DECIMAL_TEXT_MAX);
    text[len] = '\0';
    const double back = strtod(text, NULL);
    if (memcmp(&back, &value, sizeof back) != 0) fail_msg("%a is written as %s", value, text);
    if (!is_shortest_checked || value == 0) return;
    const size_t digits = digits_of(text);
    if (digits > 1) {
        snprintf(plain, sizeof plain, "%.*e", (int)digits - 2, value);
        if (strtod(plain, NULL) == value) fail_msg("%s is shorter than %s", plain, text);
    }
}

static void random_doubles_are_written_and_read_back(void **state) {
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = next_random();
        if (i % 3 == 0) /* of usual magnitude */
            bits = (bits & 0x800fffffffffffff) | (1000 + next_random() % 60) << 52;
        if (i % 5 == 0) bits &= ~UINT64_C(0xffffffff);
        if (i % 7 == 0) bits &= 0x800fffffffffffff; /* subnormal */
        if (isfinite(double_of(bits))) check_written(double_of(bits), i % 4 == 0);
    }
    for (uint64_t exponent = 0; exponent < 0x7ff; exponent++) {
        check_written(double_of(exponent << 52), true);
        check_written(double_of((exponent << 52) + 1), true);
        check_written(double_of((exponent << 52) | 0xfffffffffffff), true);
    }
    for (int i = 0; i < 100000; i++) check_written(i / 100.0, false);
}

static void doubles_are_written_as_people_do(void **state) {
    static const struct {
        double value;
        const char *text;
    } doubles[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1.5, "1.5"},
        {-123.456, "-123.456"},
        {100, "100"},
        {0.1, "0.1"},
        {0.000001, "0.000001"},
        {0.00000012, "1.2e-7"},
        {1e20, "100000000000000000000"},
        {123456789012345680000.0, "123456789012345680000"},
        {1e21, "1e+21"},
        {1.25e300, "1.25e+300"},
        {-5e-324, "-5e-324"},
        {-2.2250738585072014e-308, "-2.2250738585072014e-308"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {9007199254740993.0, "9007199254740992"},
    };
    char text[TORC_DECIMAL_TEXT_MAX + 1];

    for (size_t i = 0; i < TORC_COUNT_OF(doubles); i++) {
        text[torc_decimal_format(doubles[i].value, text)] = '\0';
        assert_string_equal(text, doubles[i].text);
    }
}

static void integers_are_written(void **state) {
    char text[21], expected[32];

    for (int i = 0; i < 100000; i++) {
        const uint64_t value = next_random() >> (i % 64);
        snprintf(expected, sizeof expected, "%llu", (unsigned long long)value);
        text[torc_decimal_format_uint(value, text)] = '\0';
        assert_string_equal(text, expected);
    }
    text[torc_decimal_format_uint(0, text)] = '\0';
    assert_string_equal(text, "0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_numbers_are_read_as_strtod_reads_them),
        cmocka_unit_test(numbers_between_doubles_are_read_as_strtod_reads_them),
        cmocka_unit_test(numbers_at_the_edges_are_read_as_strtod_reads_them),
        cmocka_unit_test(numbers_of_many_digits_are_read_as_strtod_reads_them),
        cmocka_unit_test(random_doubles_are_written_and_read_back),
        cmocka_unit_test(doubles_are_written_as_people_do),
        cmocka_unit_test(integers_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
