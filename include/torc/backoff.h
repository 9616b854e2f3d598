/* SPDX-License-Identifier: MIT */
#ifndef TORC_BACKOFF_H
#define TORC_BACKOFF_H

#include <torc/types.h>

/**
 * Backoff: how long to wait before what failed is tried again: longer each time, and never all at
 * the same moment. A value: set what is to be other than the default, and leave the rest zero.
 *
 *     torc_backoff backoff = {.first_ms = 500, .tries_max = 10};
 */
typedef struct torc_backoff {
    uint32_t first_ms;       /* 1,000: before the second try */
    uint32_t most_ms;        /* 60,000: no wait is longer */
    uint32_t factor_percent; /* 150: each wait is 1.5 times the one before; at least 100 */
    uint32_t jitter_percent; /* 25: a wait is shorter or longer by up to a quarter; at most 100 */
    bool is_steady;          /* no jitter at all */
    uint32_t tries_max;      /* 0: no limit; else so many waits, and then it is given up */
    uint32_t tries;          /* private, as what follows: waits since the last reset */
    uint32_t next_ms;        /* 0: the first */
    uint64_t random;         /* where the random numbers stand; 0: at the kernel's choice */
} torc_backoff;

TORC_BEGIN_DECLS

/** It failed: how long to wait now. False: it has been tried often enough. */
TORC_API bool torc_backoff_next(torc_backoff *backoff, uint64_t *delay_ms) TORC_MUST_CHECK;
/** It went well: begin anew the next time. */
TORC_API void torc_backoff_reset(torc_backoff *backoff);

TORC_END_DECLS

#endif
