/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROMISE_H
#define TORC_PROMISE_H

#include <torc/deferred.h>

/**
 * Promises: what a thread fires a deferred by.
 *
 * Whoever holds a promise may fire it, once; late and double firing, also when the reactor has been
 * freed meanwhile, are defined. It is held by who made it and by each torc_promise_ref(); when the
 * last has let go without firing it, the deferred fails with TORC_ERR_GONE.
 */
typedef struct torc_promise torc_promise;

TORC_BEGIN_DECLS

/** Make a deferred, and the promise that fires it, which is NULL when there is no memory. */
TORC_API torc_deferred *torc_promise_new(torc_reactor *reactor, torc_promise **promise);
#define torc_promise_new(reactor, promise)                                                         \
    torc_deferred_placed(torc_promise_new((reactor), (promise)), TORC_PLACE)
/**
 * Any thread: give the value. When this does not return TORC_OK the value was disposed of, here:
 * TORC_ERR_STATE, it was fired before; TORC_ERR_CANCELLED, nobody waits for it; TORC_ERR_GONE, the
 * reactor was freed. Otherwise it is disposed of on the reactor's thread, if nobody takes it.
 */
TORC_API torc_err torc_promise_fire(torc_promise *promise, void *value, torc_dispose_fn *dispose);
/** Any thread: give an error instead. */
TORC_API torc_err torc_promise_fail(torc_promise *promise, torc_err err);
#define torc_promise_fail(promise, err) torc_promise_fail_at((promise), (err), TORC_PLACE)
TORC_API torc_err torc_promise_fail_at(torc_promise *promise, torc_err err, const char *place);
/** Any thread: whether it can still be fired and somebody waits for it. */
TORC_API bool torc_promise_is_wanted(torc_promise *promise);
/** Any thread: hold it once more. Returns it. */
TORC_API torc_promise *torc_promise_ref(torc_promise *promise);
/** Any thread: let go of it. NULL is fine. */
TORC_API void torc_promise_unref(torc_promise *promise);

TORC_END_DECLS

#endif
