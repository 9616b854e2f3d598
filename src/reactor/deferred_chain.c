/* SPDX-License-Identifier: MIT */
/*
 * Deferreds that fire as others do: chains and timeouts.
 *
 *  - A link is the consumer of what is waited for and the producer of its result; it is freed when
 *    it fires the result.
 *  - A link waits for one deferred at any time, but while `next` is being called.
 *  - Cancelling the result cancels what is waited for, and nothing else: the link goes on until it
 *    is told.
 */
#include <assert.h>

#include "base/alloc.h"
#include "reactor/reactor.h"

typedef struct chained {
    torc_owner owner; /* of what is waited for */
    torc_deferred *result;
    torc_next_fn *next;
    void *context;
    torc_timer timer; /* of a timeout */
    bool has_timed_out;
} chained;

static chained *link_of(torc_callback *callback) {
    return torc_container_of(callback, chained, owner.callback);
}

static void cancel_link(torc_deferred *result, void *context) {
    chained *self = context;

    /* While `next` runs nothing is waited for; what it answers is cancelled then. */
    (void)result;
    if (self->owner.callback.deferred) torc_deferred_cancel(self->owner.callback.deferred);
}

/* A link and its result; NULL: there is no memory, and the deferred was dropped. */
static chained *new_link(torc_deferred *deferred) {
    torc_reactor *reactor = deferred->reactor;
    torc_deferred *result = torc_deferred_new(reactor);
    chained *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (self && !torc_deferred_is_out_of_memory(result)) {
        self->result = result;
        torc_deferred_set_canceller(result, cancel_link, self);
        return self;
    }
    torc_dealloc(&reactor->memory, self);
    (void)torc_deferred_fail(result, TORC_ERR_NO_MEMORY);
    torc_deferred_drop(result);
    torc_deferred_drop(deferred);
    return NULL;
}

/* The last that is waited for has fired: its result is the result. */
static void pass_on(chained *self, torc_err err, void *value) {
    torc_deferred *result = self->result;
    torc_dispose_fn *dispose = self->owner.dispose;

    torc_dealloc(&result->reactor->memory, self);
    if (err)
        (void)torc_deferred_fail(result, err);
    else
        (void)torc_deferred_fire(result, value, dispose);
}

static void last_fired(torc_callback *callback, torc_err err, void *value) {
    pass_on(link_of(callback), err, value);
}

static void first_fired(torc_callback *callback, torc_err err, void *value) {
    chained *self = link_of(callback);
    torc_deferred *next = self->next(self->context, err, value);

    assert(next && "a chain goes on with a deferred");
    torc_deferred_own(next, &self->owner, last_fired);
    if (!torc_deferred_is_wanted(self->result)) torc_deferred_cancel(next);
}

torc_deferred *torc_deferred_chain(torc_deferred *deferred, torc_next_fn *next, void *context) {
    torc_reactor *reactor = deferred->reactor;
    chained *self = new_link(deferred);

    if (!self) return torc_deferred_permanent(reactor);
    self->next = next;
    self->context = context;
    torc_deferred_own(deferred, &self->owner, first_fired);
    return self->result;
}

static void expired(torc_timer *timer) {
    chained *self = torc_container_of(timer, chained, timer);
    torc_deferred *deferred = self->owner.callback.deferred;

    /* It was in time, but is told later in this turn; or somebody else has cancelled it. */
    if (torc_deferred_has_fired(deferred) || !torc_deferred_is_wanted(self->result)) return;
    self->has_timed_out = true;
    torc_deferred_cancel(deferred);
}

static void timed_fired(torc_callback *callback, torc_err err, void *value) {
    chained *self = link_of(callback);

    torc_timer_cancel(&self->timer);
    pass_on(self, self->has_timed_out ? TORC_ERR_TIMEOUT : err, value);
}

torc_deferred *torc_deferred_timeout(torc_deferred *deferred, uint64_t timeout_ms) {
    torc_reactor *reactor = deferred->reactor;
    chained *self = new_link(deferred);

    if (!self) return torc_deferred_permanent(reactor);
    torc_timer_init(&self->timer, reactor, expired);
    torc_timer_arm(&self->timer, timeout_ms);
    torc_deferred_own(deferred, &self->owner, timed_fired);
    return self->result;
}
