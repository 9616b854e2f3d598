/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_BACKOFF_H
#define TORC_APP_BACKOFF_H

#include <torc/backoff.h>

/*
 * How long to wait before what died is started again: not at all the first time, then twice as long
 * each time, from TORC_RESTART_FIRST_MS to TORC_RESTART_MOST_MS. What ran well begins anew. Zero is
 * the beginning.
 */
enum {
    TORC_RESTART_FIRST_MS = 100,
    TORC_RESTART_MOST_MS = 30000,
    TORC_RESTART_WELL_MS = 10000 /* what ran so long ran well */
};

typedef struct torc_restart {
    torc_backoff backoff;
    bool has_died; /* since it last ran well */
} torc_restart;

/* It died after it ran for so long: milliseconds to wait. */
uint32_t torc_restart_next(torc_restart *restart, uint64_t ran_ms);

#endif
