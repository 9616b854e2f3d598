/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_LOG_GATE_H
#define TORC_BASE_LOG_GATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What peers can cause at will is logged once a minute, with how often it was left out since.
 * Zeroed at first; one for each cause.
 */
typedef struct torc_log_gate {
    uint64_t open_ms; /* when the next may pass; 0: now */
    uint64_t left_out;
} torc_log_gate;

enum {
    TORC_LOG_GATE_MS = 60000
};

/* Whether to log now; `*left_out` is how many were not since the last that was. */
static inline bool torc_log_gate_passes(torc_log_gate *gate, uint64_t now_ms, uint64_t *left_out) {
    if (gate->open_ms > now_ms) {
        gate->left_out++;
        return false;
    }
    *left_out = gate->left_out;
    gate->left_out = 0;
    gate->open_ms = now_ms + TORC_LOG_GATE_MS;
    return true;
}

#endif
