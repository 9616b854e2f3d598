/* SPDX-License-Identifier: MIT */
#ifndef TORC_QUEUE_H
#define TORC_QUEUE_H

#include <torc/deferred.h>

/**
 * Bounded queues between who makes something and who works on it.
 *
 * A queue keeps at most `size_max` values; with 0 it keeps none, and hands over when both are
 * there. At most `backlog_max` wait for a value, and as many for room: the one beyond fails with
 * TORC_ERR_LIMIT. Values leave in the order in which they came, and who waits is served first come,
 * first served; fibers and deferreds stand in the same lines.
 *
 * Nothing is lost: a get that is cancelled, times out or loses a race has taken nothing, and the
 * value is the next one's. Every put takes its value; one that does not succeed disposes of it.
 *
 * A queue belongs to one reactor's thread, and is freed before the reactor is.
 */
typedef struct torc_queue torc_queue;

TORC_BEGIN_DECLS

/** Make an empty queue. */
TORC_API torc_err torc_queue_new(torc_reactor *reactor, size_t size_max, size_t backlog_max,
                                 torc_queue **queue) TORC_MUST_CHECK;
/** Free it, and dispose of what it holds; who waits is told TORC_ERR_CLOSED. NULL is fine. */
TORC_API void torc_queue_free(torc_queue *queue);
/**
 * Nothing more comes: puts fail with TORC_ERR_CLOSED, also those that wait, and gets do when what
 * is there has been taken.
 */
TORC_API void torc_queue_close(torc_queue *queue);

/** Put a value now: TORC_ERR_LIMIT when there is no room, TORC_ERR_CLOSED, TORC_ERR_NO_MEMORY. */
TORC_API torc_err torc_queue_try_put(torc_queue *queue, void *value,
                                     torc_dispose_fn *dispose) TORC_MUST_CHECK;
/** Fires, with NULL, when there was room and the value is in the queue. */
TORC_API torc_deferred *torc_queue_put(torc_queue *queue, void *value, torc_dispose_fn *dispose);
#define torc_queue_put(queue, value, dispose)                                                      \
    torc_deferred_placed(torc_queue_put((queue), (value), (dispose)), TORC_PLACE)
/** On a fiber: wait for room, and put it there. */
TORC_API torc_err torc_queue_put_await(torc_queue *queue, void *value,
                                       torc_dispose_fn *dispose) TORC_MUST_CHECK;
/** Take a value, which is the caller's then: TORC_ERR_AGAIN when none is there for it. */
TORC_API torc_err torc_queue_try_get(torc_queue *queue, void **value) TORC_MUST_CHECK;
/** Fires with the next value. */
TORC_API torc_deferred *torc_queue_get(torc_queue *queue);
#define torc_queue_get(queue) torc_deferred_placed(torc_queue_get(queue), TORC_PLACE)
/** On a fiber: wait for the next value, which is the caller's then. */
TORC_API torc_err torc_queue_get_await(torc_queue *queue, void **value) TORC_MUST_CHECK;
/** How many values it holds. */
TORC_API size_t torc_queue_count(const torc_queue *queue);

TORC_END_DECLS

#endif
