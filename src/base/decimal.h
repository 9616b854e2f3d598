/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_DECIMAL_H
#define TORC_BASE_DECIMAL_H

#include <torc/str.h>

/*
 * Decimal numbers to doubles and back, exactly, whatever the locale is.
 *
 * Reading rounds to the nearest double, ties to even, as strtod() does; writing gives the fewest
 * digits that read back as the same double, and of those the nearest.
 */

/* The leading bits of a power of ten; see tools/make_powers.py. */
typedef struct torc_decimal_power {
    uint64_t high, low;
} torc_decimal_power;

enum {
    TORC_DECIMAL_POWER_MIN = -342,
    TORC_DECIMAL_POWER_MAX = 324,
    /* the longest text of torc_decimal_format() */
    TORC_DECIMAL_TEXT_MAX = 32
};
extern const torc_decimal_power torc_decimal_powers[];

/* A number's text taken apart: `digits` × 10^`exponent`, if all digits had room in there. */
typedef struct torc_decimal {
    uint64_t digits; /* the first 19 that count */
    int32_t exponent;
    bool is_negative;
    bool is_cut; /* there are more digits, cut off: the number is above that, by less than one */
} torc_decimal;

/*
 * The double that is nearest to a number, with the number's text for those few (one in a million,
 * and those of more than 19 digits) that need all of it: digits, at most one '.', and an exponent,
 * as in JSON. Beyond the largest double it is an infinity.
 */
double torc_decimal_to_double(torc_decimal decimal, torc_str text);
/*
 * Write the shortest text of a finite double, and return its length. 5, -0, 0.001, 1e+22: as
 * JavaScript does, but for the zero's sign, which stays.
 */
size_t torc_decimal_format(double value, char text[TORC_DECIMAL_TEXT_MAX]);

/* Write a number's digits, and return how many those are (at most 20). */
size_t torc_decimal_format_uint(uint64_t value, char *text);

#endif
