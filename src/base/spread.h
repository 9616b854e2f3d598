/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_SPREAD_H
#define TORC_BASE_SPREAD_H

#include <stdint.h>

/*
 * Numbers that spread what would happen at once: nobody gains by guessing them. xorshift64*, of
 * which the seed is never 0.
 */
static inline uint64_t torc_spread_next(uint64_t *seed) {
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

#endif
