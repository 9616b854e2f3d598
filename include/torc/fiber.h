/* SPDX-License-Identifier: MIT */
#ifndef TORC_FIBER_H
#define TORC_FIBER_H

#include <torc/err.h>
#include <torc/timer.h>

/**
 * Fibers: functions with a stack of their own, which wait in straight-line code while the reactor
 * goes on.
 *
 * A route runs on one. A fiber runs until it waits (torc_sleep, torc_await, torc_body_read, a write
 * to a slow peer …), and never at the same time as another of its reactor; so between two waits
 * nothing changes under its hands. Waiting where there is no fiber (in a callback, in a render on
 * the reactor's stack) is a programmer's error and asserts. A fiber whose waits need not wait goes
 * behind all that is ready at every 16th of them.
 *
 * Cancelling asks: what the fiber waits for lets go first, then the wait returns the reason, and so
 * does every later wait at once, except between torc_shield_begin() and torc_shield_end(). The
 * fiber ends by its ordinary error path. One that is cancelled before it began runs all the same,
 * so that it disposes of what it was given.
 *
 * A deadline bounds a part of a fiber's way, however many waits that has: between
 * torc_deadline_begin() and torc_deadline_end() all waits together last so long at most. Then what
 * is waited for is cancelled, the wait returns TORC_ERR_TIMEOUT, and so do all that follow until
 * the end of the part. Deadlines nest: the narrower holds. A fiber that is spawned under one, and
 * what that spawns, has it until it ends.
 *
 * The stack is small (64 KiB, see torc_reactor_options): no large arrays on it. It cannot grow; the
 * page below it is guarded, so a fiber that needs more dies by SIGSEGV and overwrites nothing. A
 * fiber belongs to its reactor's thread. It may not be left by longjmp or by a C++ exception, nor
 * may it wait while an exception is in flight or being handled.
 *
 * Everything here is called in the reactor's thread.
 */
/** What a fiber runs; the answer is for who joins it. */
typedef torc_err torc_fiber_fn(void *context);

/** A deadline; on the stack of the fiber that it is for. Private, but for `due_ms`. */
typedef struct torc_deadline {
    uint64_t due_ms; /* on the reactor's clock: see torc_reactor_now_ms() */
    struct torc_deadline *outer;
    torc_fiber *fiber;
    torc_timer timer;
} torc_deadline;

TORC_BEGIN_DECLS

/**
 * Run a function on a fiber of its own, from the queue of this turn or the next. `fiber` may be
 * NULL: then nobody waits for its end; otherwise it is to be given to torc_fiber_join() or
 * torc_fiber_detach() once, or its stack is never used again. TORC_ERR_LIMIT beyond the reactor's
 * `fibers_max`, TORC_ERR_NO_MEMORY, TORC_ERR_STOPPING while the reactor is being freed.
 */
TORC_API torc_err torc_fiber_spawn(torc_reactor *reactor, torc_fiber_fn *run, void *context,
                                   torc_fiber **fiber) TORC_MUST_CHECK;
/**
 * On a fiber: wait until another has ended; `*result`, which may be NULL, is what its function
 * answered. Takes `fiber` when it returns TORC_OK; another error is that of the wait (the caller
 * was cancelled), and the fiber goes on.
 */
TORC_API torc_err torc_fiber_join(torc_fiber *fiber, torc_err *result) TORC_MUST_CHECK;
/** Nobody will wait for its end. Takes `fiber`. NULL is fine. */
TORC_API void torc_fiber_detach(torc_fiber *fiber);
/**
 * Let the fiber's wait, and every later one, return `reason` (not TORC_OK; TORC_ERR_CANCELLED,
 * say). The first reason stands. The fiber goes on later, not from inside this call.
 */
TORC_API void torc_fiber_cancel(torc_fiber *fiber, torc_err reason);
/** Whether it has returned; to be asked of a fiber that was not joined. */
TORC_API bool torc_fiber_has_ended(const torc_fiber *fiber);
/** The fiber that the caller is on, until its function returns; NULL: none, and so no waiting. */
TORC_API torc_fiber *torc_fiber_current(const torc_reactor *reactor);
/** Whether the caller is on a fiber of this reactor, and so may wait. */
TORC_API bool torc_fiber_is_here(const torc_reactor *reactor);

/** On a fiber: wait so many milliseconds; at least a turn. TORC_OK, or the reason of a cancel. */
TORC_API torc_err torc_sleep(torc_reactor *reactor, uint64_t delay_ms);
/** On a fiber: let everything else that is ready go first. TORC_OK, or the reason of a cancel. */
TORC_API torc_err torc_yield(torc_reactor *reactor);
/**
 * On a fiber: waits from here on are not cancelled, until as many torc_shield_end(): for a
 * rollback, an unlink. A cancel meanwhile is seen by the first wait after it. Only when its reactor
 * is freed, and what can still be waited for has ended (time has not), is a shield of no use.
 */
TORC_API void torc_shield_begin(torc_reactor *reactor);
TORC_API void torc_shield_end(torc_reactor *reactor);
/** On a fiber: from here on waits last `timeout_ms` in all, and no longer than they did before. */
TORC_API void torc_deadline_begin(torc_reactor *reactor, torc_deadline *deadline,
                                  uint64_t timeout_ms);
/** The end of what torc_deadline_begin() has begun last: before the function returns. */
TORC_API void torc_deadline_end(torc_reactor *reactor, torc_deadline *deadline);
/** Milliseconds that the fiber here may still wait; UINT64_MAX: there is no deadline, or no fiber.
 */
TORC_API uint64_t torc_deadline_left_ms(const torc_reactor *reactor);

TORC_END_DECLS

#endif
