/* SPDX-License-Identifier: MIT */
/*
 * Waiting longer and longer before something is tried again.
 */
#include "app/backoff.h"

uint32_t torc_backoff_next(torc_backoff *backoff, uint64_t ran_ms) {
    uint32_t delay_ms = TORC_BACKOFF_FIRST_MS;

    if (ran_ms >= TORC_BACKOFF_WELL_MS) backoff->deaths = 0;
    if (backoff->deaths < UINT32_MAX) backoff->deaths++;
    if (backoff->deaths == 1) return 0;
    for (uint32_t i = 2; i < backoff->deaths && delay_ms < TORC_BACKOFF_MOST_MS; i++) delay_ms *= 2;
    return delay_ms < TORC_BACKOFF_MOST_MS ? delay_ms : TORC_BACKOFF_MOST_MS;
}
