/* SPDX-License-Identifier: MIT */
/*
 * Events: many wait until something has happened.
 *
 *  - While an event is set, nobody is in its line but who has lost a race and is about to leave.
 */
#include <torc/event.h>

#include "base/alloc.h"
#include "reactor/waiter.h"

struct torc_event {
    torc_waiters line;
    bool is_set;
};

torc_err torc_event_new(torc_reactor *reactor, torc_event **event) {
    torc_event *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    torc_waiters_init(&self->line, reactor);
    *event = self;
    return TORC_OK;
}

void torc_event_free(torc_event *event) {
    if (!event) return;
    torc_waiters_fail(&event->line, TORC_ERR_CANCELLED);
    torc_dealloc(&event->line.reactor->memory, event);
}

void torc_event_set(torc_event *event) {
    torc_waiter *waiter;

    event->is_set = true;
    while ((waiter = torc_waiters_first(&event->line)) != NULL)
        torc_waiter_serve(waiter, TORC_OK, NULL, NULL);
}

void torc_event_clear(torc_event *event) {
    event->is_set = false;
}

bool torc_event_is_set(const torc_event *event) {
    return event->is_set;
}

torc_deferred *(torc_event_wait)(torc_event *event) {
    if (event->is_set) return torc_deferred_of(event->line.reactor, NULL, NULL);
    return torc_waiters_defer(&event->line, NULL, NULL);
}

torc_err torc_event_wait_await(torc_event *event) {
    torc_waiter waiter = {.value = NULL};

    torc_waiters_push(&event->line, &waiter);
    if (event->is_set) torc_waiter_serve(&waiter, TORC_OK, NULL, NULL);
    return torc_waiter_wait(&waiter);
}

size_t torc_event_waiting(const torc_event *event) {
    return event->line.count;
}
