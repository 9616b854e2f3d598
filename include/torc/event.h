/* SPDX-License-Identifier: MIT */
#ifndef TORC_EVENT_H
#define TORC_EVENT_H

#include <torc/deferred.h>

/**
 * Events: many wait until something has happened.
 *
 * An event is set or clear. Who waits goes on when it is set; who waits for one that is set goes on
 * at once. Setting one wakes all, in the order in which they came. It belongs to one reactor's
 * thread, and is freed before the reactor is.
 */
typedef struct torc_event torc_event;

TORC_BEGIN_DECLS

/** Make one that is clear. */
TORC_API torc_err torc_event_new(torc_reactor *reactor, torc_event **event) TORC_MUST_CHECK;
/** Free it; who waits is told TORC_ERR_CANCELLED. NULL is fine. */
TORC_API void torc_event_free(torc_event *event);
/** It has happened: wake all. */
TORC_API void torc_event_set(torc_event *event);
/** From now on who waits waits for the next time. */
TORC_API void torc_event_clear(torc_event *event);
TORC_API bool torc_event_is_set(const torc_event *event);
/** Fires, with NULL, when it is set. */
TORC_API torc_deferred *torc_event_wait(torc_event *event);
#define torc_event_wait(event) torc_deferred_placed(torc_event_wait(event), TORC_PLACE)
/** On a fiber: wait until it is set. */
TORC_API torc_err torc_event_wait_await(torc_event *event) TORC_MUST_CHECK;
/** How many wait. */
TORC_API size_t torc_event_waiting(const torc_event *event);

TORC_END_DECLS

#endif
