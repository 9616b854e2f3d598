/* SPDX-License-Identifier: MIT */
#ifndef TORC_BLOCKING_CALL_H
#define TORC_BLOCKING_CALL_H

#include <torc/deferred.h>

/**
 * Calls from a thread into the reactor, for whose result the thread waits: a job that blocks anyway
 * asks the reactor for what only its thread may do (resolve a name, write to a connection).
 *
 * For threads of the pool, and for others that end before the reactor is freed. Never on the
 * reactor's own thread, which would wait for itself for ever: that asserts.
 *
 * When the reactor is freed, those that wait return TORC_ERR_STOPPING, and so do later calls of the
 * pool's threads; what they wait for is cancelled, and the reactor is there until all have
 * returned. A reactor that has merely stopped turning goes on when it turns again, and so do they.
 */

/** What is called on the reactor's thread: it answers a deferred, whose result is waited for. */
typedef torc_deferred *torc_blocking_fn(torc_reactor *reactor, void *context);

TORC_BEGIN_DECLS

/**
 * On a thread: let the reactor's thread call `run` and, when its deferred has fired, return its
 * error or `*value`, which is the caller's then. `value` may be NULL: then it is disposed of, on
 * the reactor's thread. TORC_ERR_STOPPING, TORC_ERR_NO_MEMORY, or the deferred's error. Neither
 * `run` nor the deferred is used any more when this has returned.
 */
TORC_API torc_err torc_await_from_thread(torc_reactor *reactor, torc_blocking_fn *run,
                                         void *context, void **value) TORC_MUST_CHECK;
/** The same with a function whose answer is there when it returns; this returns it. */
TORC_API torc_err torc_call_from_thread_and_wait(torc_reactor *reactor, torc_thread_fn *run,
                                                 void *context) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
