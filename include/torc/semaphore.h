/* SPDX-License-Identifier: MIT */
#ifndef TORC_SEMAPHORE_H
#define TORC_SEMAPHORE_H

#include <torc/deferred.h>

/**
 * Semaphores, and locks: at most so many at a time do something.
 *
 * A semaphore has permits; a lock is a semaphore with one. Who acquires a permit must release it.
 * Who waits is served first come, first served; who is cancelled while waiting leaves the line, and
 * a permit that was given to a deferred that nobody takes is released again. Fibers and deferreds
 * wait in the same line.
 *
 * A semaphore belongs to one reactor's thread: it orders what waits, not threads. It must outlive
 * what was acquired of it, and is freed before the reactor is.
 */
typedef struct torc_semaphore torc_semaphore;

/** What is done with a permit: answers the deferred of its end. */
typedef torc_deferred *torc_semaphore_fn(void *context);

TORC_BEGIN_DECLS

/** Make one with so many permits, at least one. TORC_ERR_INVALID, TORC_ERR_NO_MEMORY. */
TORC_API torc_err torc_semaphore_new(torc_reactor *reactor, size_t permits,
                                     torc_semaphore **semaphore) TORC_MUST_CHECK;
/** Free it; who waits is told TORC_ERR_CANCELLED. NULL is fine. */
TORC_API void torc_semaphore_free(torc_semaphore *semaphore);
/** Fires with the semaphore when there is a permit: then release it. */
TORC_API torc_deferred *torc_semaphore_acquire(torc_semaphore *semaphore);
#define torc_semaphore_acquire(semaphore)                                                          \
    torc_deferred_placed(torc_semaphore_acquire(semaphore), TORC_PLACE)
/** On a fiber: wait for a permit. An error is that of the wait: then there is none to release. */
TORC_API torc_err torc_semaphore_acquire_await(torc_semaphore *semaphore) TORC_MUST_CHECK;
/** A permit, if there is one and nobody waits for it. */
TORC_API bool torc_semaphore_try_acquire(torc_semaphore *semaphore);
/** Give a permit back, for the next in the line. */
TORC_API void torc_semaphore_release(torc_semaphore *semaphore);
/**
 * Acquire a permit, do something, and release it when that has ended: fires as the deferred that
 * `run` answers. `run` is not called if there will be no permit.
 */
TORC_API torc_deferred *torc_semaphore_run(torc_semaphore *semaphore, torc_semaphore_fn *run,
                                           void *context);
/** How many permits are free; and how many wait for one. */
TORC_API size_t torc_semaphore_permits(const torc_semaphore *semaphore);
TORC_API size_t torc_semaphore_waiting(const torc_semaphore *semaphore);

TORC_END_DECLS

#endif
