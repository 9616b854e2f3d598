/* SPDX-License-Identifier: MIT */
#ifndef TORC_FIBER_H
#define TORC_FIBER_H

#include <torc/err.h>

/**
 * Fibers: functions with a stack of their own, which wait in straight-line code while the reactor goes on.
 *
 * A route runs on one. A fiber runs until it waits (torc_sleep, torc_body_read, a write to a slow peer …), and never
 * at the same time as another of its reactor; so between two waits nothing changes under its hands. Waiting where
 * there is no fiber (in a callback, in a render on the reactor's stack) is a programmer's error.
 *
 * Cancelling asks: what the fiber waits for lets go first, then the wait returns the reason, and so does every later
 * wait at once, except between torc_shield_begin() and torc_shield_end(). The fiber ends by its ordinary error path.
 *
 * The stack is small (64 KiB, see torc_reactor_options), with a guarded page below: no large arrays on it. A fiber may
 * not be left by longjmp, and belongs to its reactor's thread.
 */
typedef void torc_fiber_fn(void *context);

TORC_BEGIN_DECLS

/**
 * Run a function on a fiber of its own, from the queue of this turn or the next. `fiber` may be NULL: then nobody
 * waits for its end; otherwise it is to be given to torc_fiber_join() or torc_fiber_detach() once. TORC_ERR_LIMIT beyond
 * the reactor's `fibers_max`, TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_fiber_spawn(torc_reactor *reactor, torc_fiber_fn *run, void *context,
                                   torc_fiber **fiber) TORC_MUST_CHECK;
/**
 * On a fiber: wait until another has ended. Takes `fiber` when it returns TORC_OK; another error is that of the wait
 * (the caller was cancelled), and the fiber goes on.
 */
TORC_API torc_err torc_fiber_join(torc_fiber *fiber) TORC_MUST_CHECK;
/** Nobody will wait for its end. Takes `fiber`. NULL is fine. */
TORC_API void torc_fiber_detach(torc_fiber *fiber);
/**
 * Let the fiber's wait, and every later one, return `reason` (not TORC_OK; TORC_ERR_CANCELLED, say). The first
 * reason stands. The fiber goes on later, not from inside this call.
 */
TORC_API void torc_fiber_cancel(torc_fiber *fiber, torc_err reason);
/** Whether it has returned; to be asked of a fiber that was not joined. */
TORC_API bool torc_fiber_has_ended(const torc_fiber *fiber);
/** Whether the caller is on a fiber of this reactor, and so may wait. */
TORC_API bool torc_fiber_is_here(const torc_reactor *reactor);

/** On a fiber: wait so many milliseconds; at least a turn. */
TORC_API torc_err torc_sleep(torc_reactor *reactor, uint64_t delay_ms);
/** On a fiber: let everything else that is ready go first. */
TORC_API torc_err torc_yield(torc_reactor *reactor);
/** On a fiber: waits from here on are not cancelled, until as many torc_shield_end(): for a rollback, an unlink. */
TORC_API void torc_shield_begin(torc_reactor *reactor);
TORC_API void torc_shield_end(torc_reactor *reactor);

TORC_END_DECLS

#endif
