/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_ERRAND_H
#define TORC_REACTOR_ERRAND_H

#include "reactor/deferred.h"
#include "reactor/fiber.h"

/*
 * What is done again and again by somebody's plan (a looping call, a cron job): one run at a time,
 * by a callback that may answer a deferred, or on a fiber that may wait.
 */
typedef struct torc_errand torc_errand;
typedef struct torc_errand_ops {
    torc_deferred *(*run)(torc_errand *errand);      /* NULL: it is over */
    torc_err (*run_on_fiber)(torc_errand *errand);   /* or this, on a fiber */
    void (*over)(torc_errand *errand, torc_err err); /* one run is; may free the errand */
} torc_errand_ops;

struct torc_errand {
    const torc_errand_ops *ops;
    torc_reactor *reactor;
    torc_owner owner;  /* waits for the deferred */
    torc_fiber *fiber; /* runs */
    bool on_fiber, is_busy, is_cancelled;
};

void torc_errand_init(torc_errand *errand, torc_reactor *reactor, const torc_errand_ops *ops,
                      bool on_fiber);
/*
 * Run once; not while it is busy. `over` comes from inside this call or later. An error: it did not
 * begin (there is no fiber to be had), and `over` does not come.
 */
torc_err torc_errand_begin(torc_errand *errand) TORC_MUST_CHECK;
/* Ask the run in progress to stop: its deferred or fiber is cancelled, and `over` comes when that
 * has let go. Fine when there is none. */
void torc_errand_cancel(torc_errand *errand);

#endif
