/* SPDX-License-Identifier: MIT */
#ifndef TORC_MESSAGE_FIELD_FIND_H
#define TORC_MESSAGE_FIELD_FIND_H

#include <string.h>

#include "message/field_words.h"

/*
 * Finding the id of a name as most are, in two words.
 *
 *  - The bit 0x20 makes letters lower-case, and digits and `-` have it: so what is compared is the name, whatever the
 *    case of its letters.
 */
enum {
    TORC_FIELD_USUAL_LEN = 15,   /* the longest name */
    TORC_FIELD_USUAL_BYTES = 16  /* that may be looked at, whatever the name's length */
};

/* The same as torc_field_find(), of a name of 1 to 15 letters, digits and `-`; 16 bytes may be read from `name` on. */
static inline torc_field_id torc_field_find_usual(const char *name, unsigned len) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    static const uint64_t lower = UINT64_C(0x2020202020202020);
    const unsigned low_bits = len < 8 ? 8 * len : 64, high_bits = 8 * len - low_bits;
    uint64_t low, high;

    memcpy(&low, name, 8);
    memcpy(&high, name + 8, 8);
    low = (low | lower) & ~UINT64_C(0) >> (64 - low_bits);
    high = (high | lower) & ((UINT64_C(1) << high_bits) - 1);
    const uint64_t mixed = (low + (high << 1) + (high >> 32)) * FIELD_WORDS_FACTOR;
    const uint8_t id = field_words_hash[mixed >> (64 - FIELD_WORDS_BITS)];
    return field_words[id][0] == low && field_words[id][1] == high ? (torc_field_id)id
                                                                  : TORC_FIELD_OTHER;
#else
    return torc_field_find(torc_str_make(name, len));
#endif
}

#endif
