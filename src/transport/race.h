/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_RACE_H
#define TORC_TRANSPORT_RACE_H

#include <torc/err.h>
#include <torc/timer.h>

/*
 * Attempts side by side (RFC 8305, "happy eyeballs"): one begins after the other, a moment later or
 * as soon as one has failed; the first that succeeds is the winner, and the others are given up.
 * What an attempt is, the owner knows: no socket is in here.
 */
enum {
    TORC_RACE_MAX = 32
};

typedef struct torc_race torc_race;
typedef struct torc_race_ops {
    /* Begin the attempt of this number. An error: it has failed; otherwise torc_race_succeeded() or
     * torc_race_failed() will be called, later. */
    torc_err (*begin)(torc_race *race, size_t number);
    /* Give up an attempt that was begun: nothing is to be told of it any more. */
    void (*abandon)(torc_race *race, size_t number);
    /* All have failed, the last one for this reason. */
    void (*lost)(torc_race *race, torc_err err);
} torc_race_ops;

/* Embedded; the members are race.c's. */
struct torc_race {
    const torc_race_ops *ops;
    torc_timer next;
    uint64_t delay_ms;
    size_t count, begun;
    uint32_t running; /* a bit for each attempt that is under way */
};

/*
 * Begin a race of `count` attempts, at most TORC_RACE_MAX. An error: all have failed already, and
 * nothing will be told.
 */
torc_err torc_race_start(torc_race *race, torc_reactor *reactor, const torc_race_ops *ops,
                         size_t count, uint64_t delay_ms) TORC_MUST_CHECK;
/* An attempt has succeeded: the others are abandoned, and the race is over. */
void torc_race_succeeded(torc_race *race, size_t number);
/* An attempt has failed: the next one begins, or `lost` is told. Of one that was abandoned it may
 * be told all the same. */
void torc_race_failed(torc_race *race, size_t number, torc_err err);
/* Abandon all: the race is over. Repeating it is fine. */
void torc_race_stop(torc_race *race);

#endif
