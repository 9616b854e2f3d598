/* SPDX-License-Identifier: MIT */
/*
 * Decimal numbers to doubles (D. Lemire, "Number Parsing at a Gigabyte per Second"), and back
 * (R. Giulietti, "The Schubfach way to render doubles").
 *
 *  - A decimal's digits and power of ten are first tried in the arithmetic of doubles, which is
 *    exact for small ones; then by a product of 128 bits, which decides nearly always; then by
 *    strtod(), with a text that holds no decimal point, so that no locale matters.
 *  - Doubles are IEEE 754's, rounded to the nearest.
 */
#include "base/decimal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum {
    MANTISSA_BITS = 52,
    EXPONENT_BIAS = 1075, /* of a mantissa that is taken for an integer */
    DIGITS_MAX = 800      /* more than 767 digits never matter but by being there */
};

#define HIDDEN_BIT (UINT64_C(1) << MANTISSA_BITS)
#define INFINITE_BITS (UINT64_C(0x7ff) << MANTISSA_BITS)

__extension__ typedef unsigned __int128 wide;

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static const torc_decimal_power *power_of_ten(int exponent) {
    assert(exponent >= TORC_DECIMAL_POWER_MIN && exponent <= TORC_DECIMAL_POWER_MAX);
    return &torc_decimal_powers[exponent - TORC_DECIMAL_POWER_MIN];
}

/* floor(log2(10^exponent)) */
static int log2_of_power(int exponent) {
    return (exponent * 1741647) >> 19;
}

/* ---- reading ---- */

/* Whether the arithmetic of doubles is exact: both the digits and the power are doubles. */
static bool read_small(uint64_t digits, int exponent, double *value) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

    if (digits > UINT64_C(1) << 53 || exponent < -22 || exponent > 22) return false;
    *value = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
    return true;
}

/* The upper 128 bits, or so, of digits × power: the second half of the power only if it matters. */
static wide multiply(uint64_t digits, const torc_decimal_power *power) {
    wide product = (wide)digits * power->high;

    if (((uint64_t)(product >> 64) & 0x1ff) == 0x1ff)
        product += (uint64_t)((wide)digits * power->low >> 64);
    return product;
}

/* The bits of a double below the smallest normal one. */
static uint64_t subnormal(uint64_t mantissa, int exponent) {
    if (exponent <= -63) return 0;
    mantissa >>= 1 - exponent;
    return (mantissa + (mantissa & 1)) >> 1; /* a carry makes it the smallest normal one */
}

/* Half way between two doubles, to which the product came exactly: then to the even one. */
static bool is_tie(wide product, int exponent, uint64_t mantissa, int shift) {
    return (uint64_t)product <= 1 && exponent >= -4 && exponent <= 23 && (mantissa & 3) == 1 &&
           mantissa << shift == (uint64_t)(product >> 64);
}

/* Round the product to a double; false in the very rare case that it does not decide. */
static bool read_by_product(uint64_t digits, int exponent, uint64_t *bits) {
    *bits = 0;
    if (digits == 0 || exponent < TORC_DECIMAL_POWER_MIN) return true;
    *bits = INFINITE_BITS;
    if (exponent > 308) return true;

    const int zeros = __builtin_clzll(digits);
    const wide product = multiply(digits << zeros, power_of_ten(exponent));
    if ((uint64_t)product == UINT64_MAX && (exponent < -27 || exponent > 55)) return false;

    const int upper = (int)(product >> 127), shift = upper + 64 - MANTISSA_BITS - 3;
    uint64_t mantissa = (uint64_t)(product >> 64) >> shift;
    int binary = log2_of_power(exponent) + 63 + upper - zeros + 1023;
    if (binary <= 0) {
        *bits = subnormal(mantissa, binary);
        return true;
    }
    if (is_tie(product, exponent, mantissa, shift)) mantissa &= ~UINT64_C(1);
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    if (mantissa >= HIDDEN_BIT << 1) {
        mantissa = HIDDEN_BIT;
        binary++;
    }
    if (binary < 0x7ff) *bits = (mantissa & ~HIDDEN_BIT) | (uint64_t)binary << MANTISSA_BITS;
    return true;
}

/* The exponent that a text ends with, as far as it can matter. */
static long exponent_in(torc_str text) {
    long exponent = 0;
    bool is_negative = false;

    for (size_t i = 0; i < text.len; i++) {
        if (text.bytes[i] == '-') is_negative = true;
        if (text.bytes[i] < '0' || text.bytes[i] > '9') continue;
        if (exponent < 100000000) exponent = exponent * 10 + (text.bytes[i] - '0');
    }
    return is_negative ? -exponent : exponent;
}

/*
 * Make it digits and an exponent, without a point: "12.5e3" is "125e2". Of more digits than can
 * matter the rest is but a 1, if it is not zero.
 */
static double read_all(torc_str text) {
    char plain[DIGITS_MAX + 32];
    size_t count = 0, at = 0;
    long exponent = 0;
    bool is_fraction = false, has_rest = false;

    for (; at < text.len && (text.bytes[at] | 0x20) != 'e'; at++) {
        const char byte = text.bytes[at];
        if (byte == '.') is_fraction = true;
        if (byte < '0' || byte > '9') continue;
        const bool is_kept = count < DIGITS_MAX && (count > 0 || byte != '0');
        if (is_kept) plain[count++] = byte;
        if (!is_kept && count > 0) has_rest |= byte != '0';
        exponent += (!is_kept && count > 0) - is_fraction;
    }
    if (count == 0) return 0;
    if (has_rest) {
        plain[count++] = '1';
        exponent--;
    }
    exponent += exponent_in(torc_str_from(text, at));
    if (exponent > 1000) return HUGE_VAL;
    if (exponent < -100000) return 0;
    plain[count++] = 'e';
    plain[count++] = exponent < 0 ? '-' : '+';
    count += torc_decimal_format_uint((uint64_t)labs(exponent), plain + count);
    plain[count] = '\0';
    return strtod(plain, NULL);
}

static double read_positive(torc_decimal decimal, torc_str text) {
    double value;
    uint64_t bits, above;

    if (!decimal.is_cut && read_small(decimal.digits, decimal.exponent, &value)) return value;
    if (!read_by_product(decimal.digits, decimal.exponent, &bits)) return read_all(text);
    if (!decimal.is_cut) return double_of(bits);
    if (!read_by_product(decimal.digits + 1, decimal.exponent, &above) || above != bits)
        return read_all(text);
    return double_of(bits);
}

double torc_decimal_to_double(torc_decimal decimal, torc_str text) {
    const double value = read_positive(decimal, text);
    return decimal.is_negative ? -value : value;
}

/* ---- writing ---- */

/* digits × 10^exponent */
typedef struct shortest {
    uint64_t digits;
    int exponent;
} shortest;

/* The power rounded up, as writing wants it. */
static torc_decimal_power power_above(int exponent) {
    torc_decimal_power power = *power_of_ten(exponent);

    if (exponent >= -27 && exponent <= 55) return power;
    if (++power.low == 0) power.high++;
    return power;
}

/* The upper 64 bits of power × factor, with a last bit that says whether any are left below. */
static uint64_t round_to_odd(torc_decimal_power power, uint64_t factor) {
    const uint64_t low = (uint64_t)((wide)power.low * factor >> 64);
    const wide sum = (wide)power.high * factor + low;
    return (uint64_t)(sum >> 64) | ((uint64_t)sum > 1);
}

/* Of the interval that reads back as the double: try a digit less, then the two candidates. */
static shortest choose(uint64_t lower, uint64_t middle, uint64_t upper, int exponent) {
    const uint64_t whole = middle / 4, tens = whole / 10;

    if (whole >= 10) {
        const bool is_below_in = lower <= 40 * tens, is_above_in = 40 * tens + 40 <= upper;
        if (is_below_in != is_above_in) return (shortest){tens + is_above_in, exponent + 1};
    }
    const bool is_below_in = lower <= 4 * whole, is_above_in = 4 * whole + 4 <= upper;
    if (is_below_in != is_above_in) return (shortest){whole + is_above_in, exponent};

    const uint64_t half = 4 * whole + 2;
    const bool is_up = middle > half || (middle == half && (whole & 1));
    return (shortest){whole + is_up, exponent};
}

static shortest find_shortest(uint64_t mantissa, int binary) {
    const uint64_t digits = binary > 0 ? mantissa | HIDDEN_BIT : mantissa;
    const int q = (binary > 0 ? binary : 1) - EXPONENT_BIAS;

    if (q <= 0 && q > -53 && (digits & ((UINT64_C(1) << -q) - 1)) == 0 && binary > 0)
        return (shortest){digits >> -q, 0};

    /* Of a power of two the double below is nearer. */
    const bool is_uneven = mantissa == 0 && binary > 1, is_odd = digits & 1;
    const int exponent = (q * 1262611 - (is_uneven ? 524031 : 0)) >> 22;
    const int shift = q + log2_of_power(-exponent) + 1;
    const torc_decimal_power power = power_above(-exponent);
    const uint64_t lower = round_to_odd(power, (4 * digits - 2 + is_uneven) << shift);
    const uint64_t middle = round_to_odd(power, (4 * digits) << shift);
    const uint64_t upper = round_to_odd(power, (4 * digits + 2) << shift);
    return choose(lower + is_odd, middle, upper - is_odd, exponent);
}

static const char pairs[201] = "00010203040506070809101112131415161718192021222324"
                               "25262728293031323334353637383940414243444546474849"
                               "50515253545556575859606162636465666768697071727374"
                               "75767778798081828384858687888990919293949596979899";

size_t torc_decimal_format_uint(uint64_t value, char *text) {
    char digits[20], *first = digits + sizeof digits;

    while (value >= 100) {
        first -= 2;
        memcpy(first, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        first -= 2;
        memcpy(first, pairs + value * 2, 2);
    } else {
        *--first = (char)('0' + value);
    }
    const size_t len = (size_t)(digits + sizeof digits - first);
    memcpy(text, first, len);
    return len;
}

static size_t put_zeros(char *text, size_t count) {
    memset(text, '0', count);
    return count;
}

/* "1.25e-7": one digit, the others, the exponent of the first. */
static size_t format_scientific(char *text, size_t len, int point) {
    if (len > 1) {
        memmove(text + 2, text + 1, len - 1);
        text[1] = '.';
        len++;
    }
    text[len++] = 'e';
    text[len++] = point > 0 ? '+' : '-';
    return len + torc_decimal_format_uint((uint64_t)abs(point - 1), text + len);
}

/* Give `len` digits the point after the first `point` of them. */
static size_t place_point(char *text, size_t len, int point) {
    if (point > 21 || point < -5) return format_scientific(text, len, point);
    if (point <= 0) {
        const size_t zeros = (size_t)-point;
        memmove(text + 2 + zeros, text, len);
        text[0] = '0';
        text[1] = '.';
        return 2 + put_zeros(text + 2, zeros) + len;
    }
    if ((size_t)point >= len) return len + put_zeros(text + len, (size_t)point - len);
    memmove(text + point + 1, text + point, len - (size_t)point);
    text[point] = '.';
    return len + 1;
}

size_t torc_decimal_format(double value, char text[TORC_DECIMAL_TEXT_MAX]) {
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    assert((bits & INFINITE_BITS) != INFINITE_BITS);
    const size_t sign = bits >> 63;
    text[0] = '-';
    if (bits << 1 == 0) {
        text[sign] = '0';
        return sign + 1;
    }
    shortest number = find_shortest(bits & (HIDDEN_BIT - 1), (int)(bits >> MANTISSA_BITS & 0x7ff));
    size_t len = torc_decimal_format_uint(number.digits, text + sign);
    const int point = (int)len + number.exponent;
    while (len > 1 && text[sign + len - 1] == '0') len--;
    return sign + place_point(text + sign, len, point);
}
