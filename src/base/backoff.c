/* SPDX-License-Identifier: MIT */
/*
 * Waiting longer and longer before something is tried again.
 *
 *  - The jitter is that of one wait; the next one grows from what it would have been without.
 */
#include <torc/backoff.h>
#include <torc/random.h>

static uint32_t or_default(uint32_t value, uint32_t default_) {
    return value ? value : default_;
}

/* splitmix64: nobody gains by guessing when something is tried again. */
static uint64_t next_random(torc_backoff *backoff) {
    if (!backoff->random && torc_random_bytes(&backoff->random, sizeof(backoff->random)))
        backoff->random = (uint64_t)(uintptr_t)backoff;
    uint64_t mixed = (backoff->random += 0x9e3779b97f4a7c15U);
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
    return mixed ^ mixed >> 31;
}

static uint64_t with_jitter(torc_backoff *backoff, uint64_t delay_ms) {
    const uint32_t given = or_default(backoff->jitter_percent, 25);
    const uint64_t reach_ms = delay_ms * (given < 100 ? given : 100) / 100;

    if (backoff->is_steady) return delay_ms;
    return delay_ms - reach_ms + next_random(backoff) % (2 * reach_ms + 1);
}

bool torc_backoff_next(torc_backoff *backoff, uint64_t *delay_ms) {
    const uint64_t most_ms = or_default(backoff->most_ms, 60000),
                   factor = or_default(backoff->factor_percent, 150);
    uint64_t now_ms = or_default(backoff->next_ms, or_default(backoff->first_ms, 1000));

    if (backoff->tries_max && backoff->tries >= backoff->tries_max) return false;
    if (backoff->tries < UINT32_MAX) backoff->tries++;
    if (now_ms > most_ms) now_ms = most_ms;
    const uint64_t next_ms = now_ms * (factor < 100 ? 100 : factor) / 100;
    backoff->next_ms = (uint32_t)(next_ms < most_ms ? next_ms : most_ms);
    const uint64_t delay = with_jitter(backoff, now_ms);
    *delay_ms = delay < most_ms ? delay : most_ms;
    return true;
}

void torc_backoff_reset(torc_backoff *backoff) {
    backoff->tries = 0;
    backoff->next_ms = 0;
}
