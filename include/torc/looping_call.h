/* SPDX-License-Identifier: MIT */
#ifndef TORC_LOOPING_CALL_H
#define TORC_LOOPING_CALL_H

#include <torc/deferred.h>

/**
 * Looping calls: a function that is called at regular intervals.
 *
 * The ticks stand on a grid that begins with the start, so they do not drift, however long a tick
 * takes. A tick may go on (its deferred has not fired, its fiber waits): the next one does not
 * begin before it is over. Ticks that were missed meanwhile are not made up for, but counted: each
 * tick is told how many intervals it stands for, 1 mostly.
 *
 *     static torc_deferred *tick(void *context, uint64_t count) { … return NULL; }
 *
 *     if ((err = torc_looping_call_new(reactor, tick, context, &call))) return err;
 *     torc_looping_call_start(call, 1000, true);
 *
 * A tick that fails ends the loop. Everything here is called in the reactor's thread, from anywhere
 * in it, the tick itself too. Free what was made before the reactor is freed.
 */
typedef struct torc_looping_call torc_looping_call;

/**
 * A tick. NULL: it is over; or a deferred: it is over when that has fired, whose value is disposed
 * of, and whose failure ends the loop.
 */
typedef torc_deferred *torc_looping_fn(void *context, uint64_t count);
/** The same on a fiber of its own, where it may wait; an error ends the loop. */
typedef torc_err torc_looping_fiber_fn(void *context, uint64_t count);

TORC_BEGIN_DECLS

/** Make a looping call that is not started. TORC_ERR_NO_MEMORY. */
TORC_API torc_err torc_looping_call_new(torc_reactor *reactor, torc_looping_fn *tick, void *context,
                                        torc_looping_call **call) TORC_MUST_CHECK;
/**
 * The same, whose ticks run on fibers. A tick for which there is no fiber to be had
 * (TORC_ERR_LIMIT, no memory) is missed, and counted in the next.
 */
TORC_API torc_err torc_looping_call_new_on_fiber(torc_reactor *reactor, torc_looping_fiber_fn *tick,
                                                 void *context,
                                                 torc_looping_call **call) TORC_MUST_CHECK;
/** `dispose` is given the context when the call is freed and its last tick is over. */
TORC_API void torc_looping_call_set_dispose(torc_looping_call *call, torc_dispose_fn *dispose);
/**
 * From the next start on, let each tick be later than the grid by a random time below `jitter_ms`
 * (and below the interval), so that many programs do not do the same at the same moment. The first
 * tick of a start "now" is, too.
 */
TORC_API void torc_looping_call_set_jitter(torc_looping_call *call, uint64_t jitter_ms);
/**
 * Tick every `interval_ms`; 0: once each turn of the reactor, which then does not sleep. The first
 * tick comes in the next turn if `now`, else after an interval. One that is started already begins
 * anew; a tick in progress is waited for.
 */
TORC_API void torc_looping_call_start(torc_looping_call *call, uint64_t interval_ms, bool now);
/** No more ticks; one that is in progress goes on to its end. Repeating it is fine. */
TORC_API void torc_looping_call_stop(torc_looping_call *call);
/** Begin the grid anew at this moment: the next tick is an interval from now. Fine when stopped. */
TORC_API void torc_looping_call_reset(torc_looping_call *call);
/** Whether it is started. */
TORC_API bool torc_looping_call_is_started(const torc_looping_call *call);
/** Ticks that were missed since it was made. */
TORC_API uint64_t torc_looping_call_missed(const torc_looping_call *call);
/**
 * Fires, with no value, when it is stopped and no tick is in progress; fails with the error of the
 * tick that ended it, or TORC_ERR_CANCELLED when it is freed. One that waits at a time: another is
 * TORC_ERR_BUSY. When nobody waits, the error of a tick is logged.
 */
TORC_API torc_deferred *torc_looping_call_ended(torc_looping_call *call);
/**
 * Stop, cancel the tick in progress, and free the call when that has let go, which may be now. NULL
 * is fine.
 */
TORC_API void torc_looping_call_free(torc_looping_call *call);

TORC_END_DECLS

#endif
