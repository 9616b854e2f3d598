/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_SHARED_H
#define TORC_APP_SHARED_H

#include <stdatomic.h>
#include <torc/err.h>
#include <torc/types.h>

#include "web/rate_table.h"

/*
 * Memory that a parent and all its workers share: made before the first fork, at the same address
 * in each. Parts are taken from it before that fork and stay for ever, so nothing in it needs a
 * lock to be found. All that is in it changes by atomic operations.
 */

/* What is counted by each worker, and summed by whoever asks. */
typedef enum torc_shared_count {
    TORC_SHARED_CONNECTIONS, /* open now */
    TORC_SHARED_ACCEPTED,    /* since the worker began, as are the following */
    TORC_SHARED_REQUESTS,
    TORC_SHARED_COUNTS
} torc_shared_count;

/*
 * A worker's own place, which only it writes while it lives, in cache lines of its own. The parent
 * gives a place to a new worker when the last one has gone and was counted.
 */
typedef struct torc_shared_place {
    _Alignas(128) _Atomic int32_t pid; /* 0: nobody's */
    _Atomic uint32_t slot;
    _Atomic uint64_t generation;
    _Atomic uint64_t started_ms; /* CLOCK_MONOTONIC, as is the next */
    _Atomic uint64_t beat_ms;    /* when its reactor last turned, by a timer */
    _Atomic uint64_t counts[TORC_SHARED_COUNTS];
} torc_shared_place;

typedef struct torc_shared {
    char *memory;
    size_t size, taken;
    size_t place_count;
    torc_shared_place *places;
    _Atomic uint64_t *gone; /* TORC_SHARED_COUNTS: what workers counted that have gone */
} torc_shared;

/* Make the segment, with places for so many workers. */
torc_err torc_shared_open(torc_shared *shared, size_t place_count) TORC_MUST_CHECK;
/* Take a part for good: zeros, aligned to 128 bytes. Before the first fork. NULL: it is all taken.
 */
void *torc_shared_take(torc_shared *shared, size_t size);
/* Let a store count in it, before the first fork. */
torc_err torc_shared_take_rates(torc_shared *shared, torc_rate_table_store *store) TORC_MUST_CHECK;
/* Unmap it; the last process that does gives the memory back. */
void torc_shared_close(torc_shared *shared);

/* The parent's: a place is this worker's now, and its counts are 0. */
void torc_shared_enter(torc_shared_place *place, size_t slot, uint64_t generation, uint64_t now_ms);
/* The parent's: the worker of this place has ended; what it counted is kept. */
void torc_shared_leave(torc_shared *shared, torc_shared_place *place);
/* The sum over those who are there and those who have gone; but for connections, which are gone. */
uint64_t torc_shared_sum(const torc_shared *shared, torc_shared_count count);

#endif
