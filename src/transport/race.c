/* SPDX-License-Identifier: MIT */
/*
 * Attempts side by side.
 *
 *  - The timer is armed exactly while there is an attempt that has not begun; then at least one is
 *    running, since the next one begins as soon as the last that ran has failed.
 *  - An attempt that succeeded or was abandoned runs no more.
 */
#include "transport/race.h"

#include <assert.h>

static bool runs(const torc_race *race, size_t number) {
    return (race->running >> number & 1) != 0;
}

/* Begin attempts until one has not failed at once. */
static torc_err begin_next(torc_race *race) {
    torc_err err = TORC_OK;

    torc_timer_cancel(&race->next);
    while (race->begun < race->count) {
        const size_t number = race->begun++;
        err = race->ops->begin(race, number);
        if (err) continue;
        race->running |= 1U << number;
        if (race->begun < race->count) torc_timer_arm(&race->next, race->delay_ms);
        return TORC_OK;
    }
    return err;
}

static void expired(torc_timer *timer) {
    /* When all that are left fail at once, others still run. */
    (void)begin_next(torc_container_of(timer, torc_race, next));
}

torc_err torc_race_start(torc_race *race, torc_reactor *reactor, const torc_race_ops *ops,
                         size_t count, uint64_t delay_ms) {
    assert(count > 0 && count <= TORC_RACE_MAX);
    *race = (torc_race){.ops = ops, .count = count, .delay_ms = delay_ms};
    torc_timer_init(&race->next, reactor, expired);
    return begin_next(race);
}

void torc_race_stop(torc_race *race) {
    torc_timer_cancel(&race->next);
    race->begun = race->count;
    for (size_t i = 0; i < race->count && race->running; i++) {
        if (!runs(race, i)) continue;
        race->running &= ~(1U << i);
        race->ops->abandon(race, i);
    }
}

void torc_race_succeeded(torc_race *race, size_t number) {
    assert(runs(race, number));
    race->running &= ~(1U << number);
    torc_race_stop(race);
}

void torc_race_failed(torc_race *race, size_t number, torc_err err) {
    if (!runs(race, number)) return;
    race->running &= ~(1U << number);
    if (race->begun < race->count) {
        const torc_err next = begin_next(race);
        if (!next) return;
        err = next;
    }
    if (!race->running) race->ops->lost(race, err);
}
