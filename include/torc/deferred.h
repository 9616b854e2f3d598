/* SPDX-License-Identifier: MIT */
#ifndef TORC_DEFERRED_H
#define TORC_DEFERRED_H

#include <torc/thread.h>

/**
 * Deferreds: a value that will be there later, or an error in its place.
 *
 * Who produces the value makes a deferred, gives it to who asked, and fires it once. Who consumes
 * it does one of three things, once: torc_await() on a fiber, torc_deferred_then() with a callback,
 * or torc_deferred_drop(). There is one consumer; fan-out is explicit.
 *
 * The pointer is the producer's until it fires, whatever the consumer does meanwhile: cancelled or
 * dropped, a deferred stays until its producer has fired it, and what is fired then is disposed of.
 * It is the consumer's until it was told or has dropped it. Who uses it longer uses freed memory;
 * but a second firing is refused as long as the consumer was not told of the first.
 *
 * A value says how it is disposed of; one that nobody takes is. Firing calls no consumer: the
 * reactor delivers later in this turn or in the next. A function that returns a deferred never
 * returns NULL: without memory it is one that has failed with TORC_ERR_NO_MEMORY. Freeing the
 * reactor cancels all that have not fired. Everything here belongs to the reactor's thread.
 */

/** Told of the value, which is the callee's now, or of the error. The callback may be freed in it.
 */
typedef struct torc_callback torc_callback;
typedef void torc_callback_fn(torc_callback *callback, torc_err err, void *value);
/** A consumer; embedded in the object that waits. */
struct torc_callback {
    torc_callback_fn *fired;
    torc_deferred *deferred; /* private, as all that follows */
    torc_call call;
};

/**
 * Nobody needs the value any more: stop what produces it, and fire the deferred when that is done
 * (now or later), mostly by torc_deferred_fail(deferred, TORC_ERR_CANCELLED). Called once at most,
 * and never when it has fired.
 */
typedef void torc_canceller_fn(torc_deferred *deferred, void *context);
/** How a value that is not taken is disposed of. */
typedef void torc_dispose_fn(void *value);
/**
 * What comes after a deferred: given its value or error, which it takes, answers the deferred to
 * wait for next: torc_deferred_of() a value, torc_deferred_failed() with an error, or one that
 * fires later.
 */
typedef torc_deferred *torc_next_fn(void *context, torc_err err, void *value);

TORC_BEGIN_DECLS

/** Make a deferred that waits to be fired. */
TORC_API torc_deferred *torc_deferred_new(torc_reactor *reactor);
/** Make one that has its value already. */
TORC_API torc_deferred *torc_deferred_of(torc_reactor *reactor, void *value,
                                         torc_dispose_fn *dispose);
/** Make one that has failed already. */
TORC_API torc_deferred *torc_deferred_failed(torc_reactor *reactor, torc_err err);
/** Whether it could not be made: then nobody waits, and there is no need to begin. */
TORC_API bool torc_deferred_is_out_of_memory(const torc_deferred *deferred);
/**
 * Who is asked to stop when the consumer cancels. Without one, cancelling fails the deferred at
 * once.
 */
TORC_API void torc_deferred_set_canceller(torc_deferred *deferred, torc_canceller_fn *cancel,
                                          void *context);
/** For the producer: whether somebody waits who has not cancelled. */
TORC_API bool torc_deferred_is_wanted(const torc_deferred *deferred);
/**
 * Give the value; the producer's last use of the deferred. `dispose` may be NULL. When this does
 * not return TORC_OK, the value was disposed of: TORC_ERR_CANCELLED when nobody waits for it any
 * more, TORC_ERR_NO_MEMORY when the deferred could not be made, TORC_ERR_STATE when it was fired
 * before.
 */
TORC_API torc_err torc_deferred_fire(torc_deferred *deferred, void *value,
                                     torc_dispose_fn *dispose);
/** Give an error (not TORC_OK) instead; the producer's last use. Returns as torc_deferred_fire().
 */
TORC_API torc_err torc_deferred_fail(torc_deferred *deferred, torc_err err);

/** Let `callback` be told, later. Takes the deferred, but it may be cancelled until then. */
TORC_API void torc_deferred_then(torc_deferred *deferred, torc_callback *callback,
                                 torc_callback_fn *fired);
/**
 * The callback is not to be told any more, if it was not: cancels and drops. Fine when it waits for
 * nothing. Do so before freeing what holds it.
 */
TORC_API void torc_callback_cancel(torc_callback *callback);
/**
 * On a fiber: wait for the value, which is the caller's then; `value` may be NULL to dispose of it.
 * If the fiber is cancelled, so is the deferred, and this returns the reason when its producer has
 * let go. Takes the deferred.
 */
TORC_API torc_err torc_await(torc_deferred *deferred, void **value) TORC_MUST_CHECK;
/** For the consumer: whether it has its value or error, so that it will be told next. */
TORC_API bool torc_deferred_has_fired(const torc_deferred *deferred);
/**
 * Ask the producer to stop. The consumer is told when it has, of TORC_ERR_CANCELLED mostly.
 * Repeating is fine, as is cancelling one that has fired.
 */
TORC_API void torc_deferred_cancel(torc_deferred *deferred);
/** Nobody will consume it: it is cancelled, and its value disposed of. Takes the deferred. */
TORC_API void torc_deferred_drop(torc_deferred *deferred);

/**
 * What follows: when `deferred`, which this takes, has fired, `next` is called, and the returned
 * deferred fires as the one that it answers. Cancelling the returned one cancels what it waits for
 * at that time. `next` is always called, unless the returned one is out of memory: then `deferred`
 * was dropped.
 */
TORC_API torc_deferred *torc_deferred_chain(torc_deferred *deferred, torc_next_fn *next,
                                            void *context);
/**
 * The same value; or TORC_ERR_TIMEOUT, if it has not fired after `timeout_ms`, when `deferred`
 * (taken) has been cancelled and its producer has let go.
 */
TORC_API torc_deferred *torc_deferred_timeout(torc_deferred *deferred, uint64_t timeout_ms);
/** Fires with `value` after a time. */
TORC_API torc_deferred *torc_defer_later(torc_reactor *reactor, uint64_t delay_ms, void *value,
                                         torc_dispose_fn *dispose);
/**
 * Run a function on a thread of the pool; fires with `data`, or fails with its error, when it has
 * returned. `data` is the function's until then, and disposed of if it fails or nobody takes it. A
 * function that has begun cannot be stopped: cancelled, the deferred fails at once, and `data` is
 * disposed of, on the reactor's thread, when the function has returned.
 */
TORC_API torc_deferred *torc_defer_to_thread(torc_reactor *reactor, torc_thread_class thread_class,
                                             torc_thread_fn *run, void *data,
                                             torc_dispose_fn *dispose);

TORC_END_DECLS

#endif
