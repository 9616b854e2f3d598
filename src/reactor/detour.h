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

/* What a deferred fires with. */
typedef struct torc_detour_value {
    void *value;
    torc_dispose_fn *dispose;
} torc_detour_value;
/*
 * The function has answered TORC_OK: tell the value that the deferred fires with. If that is `data`
 * itself, it is the value's, and its `dispose` frees it; otherwise it is dropped now.
 */
typedef torc_err torc_detour_give_fn(void *data, torc_detour_value *value);

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
/*
 * The same with a deferred, which fires with what `give` tells. Takes `data`: it is dropped, and
 * freed, whatever comes of it.
 */
torc_deferred *torc_detour_defer(void *data, torc_detour_fn *run, torc_detour_dropped_fn *dropped,
                                 torc_detour_give_fn *give);

#endif
