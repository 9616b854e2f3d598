/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_BACKOFF_H
#define TORC_APP_BACKOFF_H

#include <torc/types.h>

/*
 * How long to wait before what died is started again: not at all the first time, then twice as long
 * each time, from TORC_BACKOFF_FIRST_MS to TORC_BACKOFF_MOST_MS. What ran well begins anew. Zero is
 * the beginning.
 */
enum {
    TORC_BACKOFF_FIRST_MS = 100,
    TORC_BACKOFF_MOST_MS = 30000,
    TORC_BACKOFF_WELL_MS = 10000 /* what ran so long ran well */
};

typedef struct torc_backoff {
    uint32_t deaths; /* in a row, since it last ran well */
} torc_backoff;

/* It died after it ran for so long: milliseconds to wait. */
uint32_t torc_backoff_next(torc_backoff *backoff, uint64_t ran_ms);

#endif
