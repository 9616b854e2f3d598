#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Write src/base/decimal_powers.c: the leading 128 bits of powers of ten.

    tools/make_powers.py > src/base/decimal_powers.c

Powers from 10^0 on are cut, those below are cut, too, but for -27 to -1, which are rounded up: so the reading
of numbers wants them (D. Lemire, "Number Parsing at a Gigabyte per Second").
"""

FIRST, LAST = -342, 324


def leading_bits(power):
    if power >= 0:
        bits = 5**power << 128
        return bits >> (bits.bit_length() - 128)
    divisor = 5**-power
    if power >= -27:
        return (1 << ((divisor - 1).bit_length() + 127)) // divisor + 1
    bits = (1 << (2 * divisor.bit_length() + 256)) // divisor + 1
    return bits >> (bits.bit_length() - 128)


def main():
    print("""/* SPDX-License-Identifier: MIT */
/*
 * The leading 128 bits of the powers of ten, written by tools/make_powers.py.
 *
 *  - The highest bit of each is set.
 *  - Those that are not exact are cut, but for 10^-27 to 10^-1, which are rounded up.
 */
#include "base/decimal.h"

const torc_decimal_power torc_decimal_powers[] = {""")
    for power in range(FIRST, LAST + 1):
        bits = leading_bits(power)
        assert bits.bit_length() == 128
        print(f"    {{0x{bits >> 64:016x}, 0x{bits & (1 << 64) - 1:016x}}}, /* 10^{power} */")
    print("};")


if __name__ == "__main__":
    main()
