/* SPDX-License-Identifier: MIT */
/*
 * Waiting longer and longer before what died is started again.
 */
#include "app/backoff.h"

uint32_t torc_restart_next(torc_restart *restart, uint64_t ran_ms) {
    uint64_t delay_ms = 0;

    if (ran_ms >= TORC_RESTART_WELL_MS || !restart->has_died) {
        *restart = (torc_restart){
            .has_died = true,
            .backoff = {.first_ms = TORC_RESTART_FIRST_MS,
                        .most_ms = TORC_RESTART_MOST_MS,
                        .factor_percent = 200,
                        .is_steady = true}, /* workers of one machine die one by one */
        };
        return 0;
    }
    (void)!torc_backoff_next(&restart->backoff, &delay_ms);
    return (uint32_t)delay_ms;
}
