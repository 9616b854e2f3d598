/* SPDX-License-Identifier: MIT */
/*
 * The numbers of JSON: found, taken apart and converted in one pass.
 *
 *  - The first 19 digits that count are taken into 64 bits, where they always have room.
 *  - An integer becomes the narrowest of int64_t, uint64_t and double that holds it; -0, whose sign
 *    no integer has, and all with a point or an exponent become doubles.
 */
#include <math.h>

#include "base/decimal.h"
#include "base/json_token.h"

enum {
    DIGITS_KEPT = 19,
    EXPONENT_KEPT = 1000000 /* beyond it no more digits of an exponent matter */
};

static inline bool is_digit(const char *at, const char *end) {
    return at < end && (unsigned char)(*at - '0') <= 9;
}

static const char *fail(torc_json_fault *fault, torc_err err, const char *at,
                        const char *expected) {
    *fault = (torc_json_fault){.err = err, .at = at, .expected = expected};
    return NULL;
}

static const char *no_digit(const char *at, const char *end, torc_json_fault *fault,
                            const char *expected) {
    return fail(fault, at == end ? TORC_ERR_TRUNCATED : TORC_ERR_SYNTAX, at, expected);
}

static inline uint64_t load8(const char *from) {
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Whether eight bytes are digits, and their value: by pairs, fours and all. */
static inline bool are_digits(uint64_t word) {
    return ((word & 0xf0f0f0f0f0f0f0f0) |
            ((word + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4) == 0x3333333333333333;
}

static inline uint64_t value_of(uint64_t word) {
    word = (word & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
    word = (word & 0x00ff00ff00ff00ff) * 6553601 >> 16;
    return (word & 0x0000ffff0000ffff) * 42949672960001 >> 32;
}
#else
static inline bool are_digits(uint64_t word) {
    return word != word;
}

static inline uint64_t value_of(uint64_t word) {
    return word;
}
#endif

/* Take digits into 64 bits, wrapping if there are too many. */
static inline const char *take_digits(const char *at, const char *end, uint64_t *digits) {
    uint64_t sum = *digits;

    while (end - at >= 8 && are_digits(load8(at))) {
        sum = sum * 100000000 + value_of(load8(at));
        at += 8;
    }
    for (; is_digit(at, end); at++) sum = sum * 10 + (unsigned)(*at - '0');
    *digits = sum;
    return at;
}

/* Take again the digits of a number that has too many for 64 bits: the first that count. */
static void take_first(torc_decimal *decimal, const char *from, const char *end) {
    int kept = 0, exponent = 0;
    bool is_fraction = false;

    decimal->digits = 0;
    for (; from < end && (*from | 0x20) != 'e'; from++) {
        if (*from == '.') is_fraction = true;
        if (!is_digit(from, end)) continue;
        const bool counts = kept > 0 || *from != '0', is_kept = counts && kept < DIGITS_KEPT;
        if (is_kept) {
            decimal->digits = decimal->digits * 10 + (unsigned)(*from - '0');
            kept++;
        } else if (counts && *from != '0') {
            decimal->is_cut = true;
        }
        if (exponent > -EXPONENT_KEPT && exponent < EXPONENT_KEPT)
            exponent += (counts && !is_kept) - is_fraction;
    }
    decimal->exponent += exponent;
}

static const char *read_exponent(const char *at, const char *end, int *exponent,
                                 torc_json_fault *fault) {
    bool is_negative = false;
    int sum = 0;

    if (at < end && (*at == '+' || *at == '-')) is_negative = *at++ == '-';
    if (!is_digit(at, end)) return no_digit(at, end, fault, "a digit of the exponent");
    for (; is_digit(at, end); at++)
        if (sum < EXPONENT_KEPT) sum = sum * 10 + (*at - '0');
    *exponent = is_negative ? -sum : sum;
    return at;
}

static void set_integer(torc_json_value *number, uint64_t digits, bool is_negative) {
    if (digits <= INT64_MAX || (is_negative && digits == (uint64_t)INT64_MAX + 1)) {
        number->kind = TORC_JSON_INT;
        number->as.unsigned_ = is_negative ? 0 - digits : digits;
    } else {
        number->kind = TORC_JSON_UINT;
        number->as.unsigned_ = digits;
    }
}

static bool fits_integer(uint64_t digits, size_t count, bool is_negative, const char *first) {
    if (is_negative) return digits > 0 && count <= 19 && digits <= (uint64_t)INT64_MAX + 1;
    if (count < 20) return true;
    /* Of 20 digits, those that begin with 1 may have wrapped once, and are small then. */
    return count == 20 && *first == '1' && digits >= UINT64_C(10000000000000000000);
}

static const char *check(const char *from, const char *end, const torc_json_limits *limits,
                         torc_json_value *number, torc_json_fault *fault) {
    if ((size_t)(end - from) > limits->number_bytes_max) {
        fail(fault, TORC_ERR_LIMIT, from, "the number has too many digits");
        fault->is_sentence = true;
        return NULL;
    }
    if ((limits->rules & TORC_JSON_I_JSON_BIT) && number->kind == TORC_JSON_DOUBLE &&
        isinf(number->as.real))
        return fail(fault, TORC_ERR_LIMIT, from, "a number that a double can hold");
    number->text = from;
    number->len = (uint32_t)(end - from);
    return end;
}

const char *torc_json_read_number(const char *from, const char *end, const torc_json_limits *limits,
                                  torc_json_value *number, torc_json_fault *fault) {
    torc_decimal decimal = {.is_negative = *from == '-'};
    const char *const first = from + decimal.is_negative;

    if (!is_digit(first, end)) return no_digit(first, end, fault, "a digit after `-`");
    const char *at = take_digits(first, end, &decimal.digits);
    const char *const point = at;
    size_t count = (size_t)(at - first);
    if (*first == '0' && count > 1)
        return fail(fault, TORC_ERR_SYNTAX, first + 1, "no digit after a leading `0`");
    const bool is_integer = at == end || (*at != '.' && (*at | 0x20) != 'e');
    if (is_integer && fits_integer(decimal.digits, count, decimal.is_negative, first)) {
        set_integer(number, decimal.digits, decimal.is_negative);
        return check(from, at, limits, number, fault);
    }
    if (at < end && *at == '.') {
        if (!is_digit(++at, end)) return no_digit(at, end, fault, "a digit after the point");
        at = take_digits(at, end, &decimal.digits);
        count += (size_t)(at - point - 1);
        decimal.exponent = -(int)(at - point - 1);
    }
    const char *const mantissa_end = at;
    int exponent = 0;
    if (at < end && (*at | 0x20) == 'e') {
        at = read_exponent(at + 1, end, &exponent, fault);
        if (!at) return NULL;
    }
    if (count > DIGITS_KEPT) {
        decimal.exponent = 0;
        take_first(&decimal, first, mantissa_end);
    }
    decimal.exponent += exponent;
    number->kind = TORC_JSON_DOUBLE;
    number->as.real = torc_decimal_to_double(decimal, torc_str_make(first, (size_t)(at - first)));
    return check(from, at, limits, number, fault);
}
