/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_DETOUR_H
#define TORC_REACTOR_DETOUR_H

#include "reactor/reactor.h"

/*
 * Detours: a fiber's way through a thread of the pool.
 *
 * A detour owns the memory that the thread works on. The fiber makes it, fills it, runs it and
 * looks at it again. If the fiber is cancelled on the way, the detour is left behind, and dropped
 * on the reactor's thread when nobody uses it any more; so what it refers to must be held by it (a
 * counted file, not a bare descriptor).
 */

/* What runs on the thread. */
typedef torc_err torc_detour_fn(void *data);
/* The fiber has gone on without it: let go of what it holds. `has_run`: the function has returned.
 */
typedef void torc_detour_dropped_fn(void *data, bool has_run);

/* Memory for a detour, cleared; NULL when out of memory. */
void *torc_detour_new(torc_reactor *reactor, size_t size) TORC_MUST_CHECK;
/* Free what torc_detour_new() gave. NULL is fine. */
void torc_detour_free(void *data);
/*
 * On a fiber: run the function on a thread and wait for its answer. If the wait was cancelled,
 * `*data` becomes NULL: it is dropped, and freed, later or has been. `dropped` may be NULL.
 */
torc_err torc_detour_run(void **data, torc_detour_fn *run,
                         torc_detour_dropped_fn *dropped) TORC_MUST_CHECK;

#endif
