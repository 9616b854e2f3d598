/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_SIPHASH_H
#define TORC_BASE_SIPHASH_H

#include <torc/str.h>

/*
 * SipHash-1-3: a quick hash under a secret key, so that nobody outside can choose texts that
 * collide. Not for signatures. Any thread.
 */
typedef struct torc_siphash_key {
    uint64_t words[2];
} torc_siphash_key;

/* A key that cannot be guessed. */
torc_siphash_key torc_siphash_key_random(void);
uint64_t torc_siphash(const torc_siphash_key *key, torc_str bytes);
/* The hash of the bytes with ASCII letters made small. */
uint64_t torc_siphash_nocase(const torc_siphash_key *key, torc_str bytes);

#endif
