/* SPDX-License-Identifier: MIT */
#ifndef TORC_MESSAGE_FIELD_FIND_H
#define TORC_MESSAGE_FIELD_FIND_H

#include <string.h>

#include "message/field_words.h"

/*
 * Finding the id of a name as most are, in two words.
 *
 *  - The bit 0x20 makes letters lower-case, and digits and `-` have it: so what is compared is the
 *    name, whatever the case of its letters.
 */
enum {
    TORC_FIELD_USUAL_LEN = 15,  /* the longest name */
    TORC_FIELD_USUAL_BYTES = 16 /* that may be looked at, whatever the name's length */
};

/* The same as torc_field_find(), of a name of 1 to 15 letters, digits and `-`; 16 bytes may be read
 * from `name` on. */
static inline torc_field_id torc_field_find_usual(const char *name, unsigned len) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    static const uint64_t lower = UINT64_C(0x2020202020202020);
    /* 16 bytes from behind the first 16 - len on are ones for the name and zeros for what stands
     * behind it. */
    static const uint8_t ones[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255};
    uint64_t low, high, low_mask, high_mask;

    memcpy(&low, name, 8);
    memcpy(&high, name + 8, 8);
    memcpy(&low_mask, ones + 16 - len, 8);
    memcpy(&high_mask, ones + 24 - len, 8);
    low = (low | lower) & low_mask;
    high = (high | lower) & high_mask;
    const uint64_t mixed = (low + (high << 1) + (high >> 32)) * FIELD_WORDS_FACTOR;
    const uint8_t id = field_words_hash[mixed >> (64 - FIELD_WORDS_BITS)];
    return field_words[id][0] == low && field_words[id][1] == high ? (torc_field_id)id
                                                                   : TORC_FIELD_OTHER;
#else
    return torc_field_find(torc_str_make(name, len));
#endif
}

#endif
