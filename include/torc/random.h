/* SPDX-License-Identifier: MIT */
#ifndef TORC_RANDOM_H
#define TORC_RANDOM_H

#include <torc/err.h>

/**
 * Random bytes that nobody can guess, from the kernel: keys, nonces, identifiers.
 *
 * A torc_random asks the kernel for many at once, so that a small identifier costs no system call.
 * It is a value that starts as `{0}`, belongs to one thread, and is not taken along into another
 * process by fork(), where both would have the same bytes. What it has given is wiped from it.
 */
enum {
    TORC_RANDOM_BATCH = 512
};

typedef struct torc_random {
    unsigned char bytes[TORC_RANDOM_BATCH]; /* private: those at the end are left */
    size_t left;                            /* private */
} torc_random;

TORC_BEGIN_DECLS

/**
 * Fill `bytes`, from the kernel. Waits only where a machine that has just been started has none
 * yet. TORC_ERR_SYSTEM, and bytes that are 0, when a filter forbids the call. Any thread.
 */
TORC_API torc_err torc_random_bytes(void *bytes, size_t len) TORC_MUST_CHECK;
/** The same from a batch. Wiping it, with torc_secret_wipe(), is all that its end needs. */
TORC_API torc_err torc_random_take(torc_random *random, void *bytes, size_t len) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
