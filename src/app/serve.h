/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_SERVE_H
#define TORC_APP_SERVE_H

#include <torc/signal.h>

#include "app/app.h"
#include "app/shared.h"
#include "base/list.h"

enum {
    TORC_SERVING_SIGNALS_MAX = 12
};

/*
 * What a process that serves consists of, but for the app. It is on the stack of torc_app_serve().
 */
typedef struct torc_serving {
    torc_app *app;
    torc_list listenings;              /* sockets that are, or were, accepted from */
    uint64_t gone[TORC_SHARED_COUNTS]; /* what was counted by those that are closed */
    torc_signal *signals[TORC_SERVING_SIGNALS_MAX];
    size_t signal_count;
    torc_timer looked;  /* at the files of certificates, where no parent does */
    torc_timer drained; /* looks whether all has ended; and is the deadline */
    uint64_t drain_until_ms;
    torc_last_signal last_signal;
    bool is_draining, is_yielding; /* the second: gently, since others serve */
} torc_serving;

/*
 * With a reactor: let the program begin (`on_start`), and make the site of what it has set up,
 * which takes its tree. False: it was said why.
 */
bool torc_app_make_site(torc_app *app);
/* Let who stands alone count rates in a segment of its own, which is then to be closed; before the
 * site is made. False: it was said why. */
bool torc_app_open_rates(torc_app *app, torc_shared *own);
/* Accept from the sockets of a slot. `all`: those that slots share, too. On failure `where` is the
 * endpoint that it is about; others may be accepted from. */
torc_err torc_serving_listen(torc_serving *serving, size_t slot, bool all,
                             const char **where) TORC_MUST_CHECK;
/* Accept no more from the sockets of a slot alone; connections go on. */
void torc_serving_release(torc_serving *serving, size_t slot);
/*
 * Accept nothing new; stop when all has ended, or after limits.drain_ms. Repeating it is fine.
 * `gently`: others take over, so nobody is to notice; connections that are idle get some time to
 * send what is on its way.
 */
void torc_serving_drain(torc_serving *serving, bool gently);
/* Be told of a signal until the end. False: it was said why. */
bool torc_serving_take_signal(torc_serving *serving, int number, torc_signal_fn *received,
                              void *context);
/* What has been counted, up to now. */
void torc_serving_count(const torc_serving *serving, uint64_t counts[TORC_SHARED_COUNTS]);

#endif
