/* SPDX-License-Identifier: MIT */
#ifndef TORC_DEFERRED_H
#define TORC_DEFERRED_H

#include <torc/failure.h>
#include <torc/fiber.h>
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
 * reactor cancels all that have not fired. Everything here belongs to the reactor's thread; other
 * threads fire by a promise (<torc/promise.h>).
 *
 * Cancelling asks, and goes inwards: what a result depends on is cancelled, down to what is waited
 * for at that time, and the result comes when that has let go. It comes too late once there is a
 * value: who waits then gets it. So what loses a race or takes too long loses nothing on the way:
 * what was read, or taken from a queue, is taken or was left where it was.
 *
 * Every deferred knows where it was made, and a failed one where it failed (TORC_PLACE): functions
 * that make or fail one are macros for that. In debug builds (or by the reactor's options) what
 * fails and concerns nobody is logged with that place, and so is what has never fired when the
 * reactor is freed.
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

/** One of several results. */
typedef struct torc_result {
    torc_err err;
    void *value;              /* when there is no error; disposed of with the results */
    torc_dispose_fn *dispose; /* how; NULL when the caller has taken the value */
    torc_failure *failure;    /* what else is known of the error; NULL: nothing. Freed with them */
} torc_result;
/** The results of several deferreds, in the order in which these were given. */
typedef struct torc_results {
    size_t count;
    torc_result *each;
    torc_memory *memory; /* private */
} torc_results;

TORC_BEGIN_DECLS

/** Say where a deferred was made: what the macros below do. Returns it. */
TORC_API torc_deferred *torc_deferred_placed(torc_deferred *deferred, const char *place);

/** Make a deferred that waits to be fired. */
TORC_API torc_deferred *torc_deferred_new(torc_reactor *reactor);
#define torc_deferred_new(reactor) torc_deferred_placed(torc_deferred_new(reactor), TORC_PLACE)
/** Make one that has its value already. */
TORC_API torc_deferred *torc_deferred_of(torc_reactor *reactor, void *value,
                                         torc_dispose_fn *dispose);
/** Make one that has failed already. */
TORC_API torc_deferred *torc_deferred_failed(torc_reactor *reactor, torc_err err);
#define torc_deferred_failed(reactor, err)                                                         \
    torc_deferred_placed(torc_deferred_failed((reactor), (err)), TORC_PLACE)
/** The same, with what is known; takes `failure`, which may be NULL. */
TORC_API torc_deferred *torc_deferred_failed_with(torc_reactor *reactor, torc_err err,
                                                  torc_failure *failure);
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
#define torc_deferred_fail(deferred, err) torc_deferred_fail_at((deferred), (err), TORC_PLACE)
TORC_API torc_err torc_deferred_fail_at(torc_deferred *deferred, torc_err err, const char *place);
/** The same, with what is known; takes `failure`, which may be NULL. */
TORC_API torc_err torc_deferred_fail_with(torc_deferred *deferred, torc_err err,
                                          torc_failure *failure);

/** Let `callback` be told, later. Takes the deferred, but it may be cancelled until then. */
TORC_API void torc_deferred_then(torc_deferred *deferred, torc_callback *callback,
                                 torc_callback_fn *fired);
/**
 * The callback is not to be told any more, if it was not: cancels and drops. Fine when it waits for
 * nothing. Do so before freeing what holds it.
 */
TORC_API void torc_callback_cancel(torc_callback *callback);
/**
 * For a callback, or the function of a chain, that was told an error, until it returns: what is
 * known of it, which is the caller's, and of the reactor's memory. NULL: it was told no error, it
 * was taken before, or there is no memory.
 */
TORC_API torc_failure *torc_deferred_take_failure(torc_reactor *reactor);
/**
 * On a fiber: wait for the value, which is the caller's then; `value` may be NULL to dispose of it.
 * If the fiber is cancelled before there is a value, so is the deferred, and this returns the
 * reason when its producer has let go. Takes the deferred.
 */
TORC_API torc_err torc_await(torc_deferred *deferred, void **value) TORC_MUST_CHECK;
/** The same; `*failure` is set to what is known of an error, or NULL: the caller's. */
TORC_API torc_err torc_await_failure(torc_deferred *deferred, void **value,
                                     torc_failure **failure) TORC_MUST_CHECK;
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
 * Nobody will consume it, but it goes on: its value is disposed of, and a failure (but for
 * TORC_ERR_CANCELLED) logged. Takes the deferred.
 */
TORC_API void torc_deferred_detach(torc_deferred *deferred);

/**
 * What follows: when `deferred`, which this takes, has fired, `next` is called, and the returned
 * deferred fires as the one that it answers. Cancelling the returned one cancels what it waits for
 * at that time. `next` is always called, unless the returned one is out of memory: then `deferred`
 * was dropped. If `next` was told an error and what it answers fails as well, the failure tells of
 * both: the first is the cause of the second.
 */
TORC_API torc_deferred *torc_deferred_chain(torc_deferred *deferred, torc_next_fn *next,
                                            void *context);
/**
 * The same value; or TORC_ERR_TIMEOUT, if it has not fired after `timeout_ms`, when `deferred`
 * (taken) has been cancelled and its producer has let go.
 */
TORC_API torc_deferred *torc_deferred_timeout(torc_deferred *deferred, uint64_t timeout_ms);
#define torc_deferred_timeout(deferred, timeout_ms)                                                \
    torc_deferred_placed(torc_deferred_timeout((deferred), (timeout_ms)), TORC_PLACE)
/**
 * The same result, passed on when `ended`, which undoes what was done for it, has been called. It
 * always is, also when there is no memory: then `deferred` was dropped, and it is called from here.
 */
typedef void torc_finally_fn(void *context);
TORC_API torc_deferred *torc_deferred_finally(torc_deferred *deferred, torc_finally_fn *ended,
                                              void *context);

/**
 * All of them, which this takes: fires with the torc_results, every one with a value, which
 * torc_results_dispose() frees. At the first failure the others are cancelled, and it fails with
 * that one when they have let go; their values are disposed of. Of none: it has fired. Without
 * memory all are dropped, as in the three below.
 */
TORC_API torc_deferred *torc_deferred_all(torc_reactor *reactor, torc_deferred *const *deferreds,
                                          size_t count);
/** All of them, whatever they end with: fires with the torc_results of all. */
TORC_API torc_deferred *torc_deferred_all_settled(torc_reactor *reactor,
                                                  torc_deferred *const *deferreds, size_t count);
/**
 * The first of them, which this takes, to have a value; the others are cancelled, and it fires when
 * they have let go, having lost nothing. When all have failed, it fails with the first one's error,
 * and its failure has all as members. `winner`, which may be NULL, is set to the number of the one
 * that won, as long as the returned deferred is neither told nor dropped. Of none:
 * TORC_ERR_INVALID.
 */
TORC_API torc_deferred *torc_deferred_race(torc_reactor *reactor, torc_deferred *const *deferreds,
                                           size_t count, size_t *winner);
/** The same, but that the first to end decides, also if it failed. */
TORC_API torc_deferred *torc_deferred_first(torc_reactor *reactor, torc_deferred *const *deferreds,
                                            size_t count, size_t *winner);
/** Free them, with the values and failures that were not taken. NULL is fine. */
TORC_API void torc_results_dispose(torc_results *results);
/** The value of number `at`, which is the caller's then; NULL when that failed. */
TORC_API void *torc_results_take(torc_results *results, size_t at);

/** Fires with `value` after a time. */
TORC_API torc_deferred *torc_defer_later(torc_reactor *reactor, uint64_t delay_ms, void *value,
                                         torc_dispose_fn *dispose);
#define torc_defer_later(reactor, delay_ms, value, dispose)                                        \
    torc_deferred_placed(torc_defer_later((reactor), (delay_ms), (value), (dispose)), TORC_PLACE)
/**
 * Run a function on a thread of the pool; fires with `data`, or fails with its error, when it has
 * returned. `data` is the function's until then, and disposed of if it fails or nobody takes it. A
 * function that has begun cannot be stopped: cancelled, the deferred fails at once, and `data` is
 * disposed of, on the reactor's thread, when the function has returned.
 */
TORC_API torc_deferred *torc_defer_to_thread(torc_reactor *reactor, torc_thread_class thread_class,
                                             torc_thread_fn *run, void *data,
                                             torc_dispose_fn *dispose);
#define torc_defer_to_thread(reactor, thread_class, run, data, dispose)                            \
    torc_deferred_placed(                                                                          \
        torc_defer_to_thread((reactor), (thread_class), (run), (data), (dispose)), TORC_PLACE)
/**
 * Run a function on a fiber of its own; fires with `data`, or fails with its error, when it has
 * returned. Cancelled, so is the fiber. `data` is disposed of if the function fails or nobody takes
 * it.
 */
TORC_API torc_deferred *torc_defer_to_fiber(torc_reactor *reactor, torc_fiber_fn *run, void *data,
                                            torc_dispose_fn *dispose);
#define torc_defer_to_fiber(reactor, run, data, dispose)                                           \
    torc_deferred_placed(torc_defer_to_fiber((reactor), (run), (data), (dispose)), TORC_PLACE)

TORC_END_DECLS

#endif
