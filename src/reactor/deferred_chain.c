/* SPDX-License-Identifier: MIT */
/*
 * Deferreds that fire as another does: chains, timeouts, and what is undone at the end.
 *
 *  - A link is the consumer of what is waited for and the producer of its result; it is freed when
 *    it fires the result.
 *  - A link waits for one deferred at any time, but while `next` is being called.
 *  - Cancelling the result cancels what is waited for, and nothing else: the link goes on until it
 *    is told.
 *  - What is passed on unchanged (all but what goes into `next`) decides the result as soon as
 *    there is a value.
 */
#include <assert.h>

#include "base/alloc.h"
#include "reactor/reactor.h"

typedef struct chained {
    torc_owner owner; /* of what is waited for; its result is the link's */
    torc_next_fn *next;
    torc_finally_fn *ended;
    void *context;
    torc_failure *first_failure; /* that `next` was told */
    torc_timer timer;            /* of a timeout */
    bool has_timed_out;
} chained;

static chained *link_of(torc_callback *callback) {
    return torc_container_of(callback, chained, owner.callback);
}

static torc_memory *memory_of(const chained *self) {
    return &self->owner.result->reactor->memory;
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
        self->owner.result = result;
        result->is_link = true;
        torc_deferred_set_canceller(result, cancel_link, self);
        return self;
    }
    torc_dealloc(&reactor->memory, self);
    (void)torc_deferred_fail(result, TORC_ERR_NO_MEMORY);
    torc_deferred_drop(result);
    torc_deferred_drop(deferred);
    return NULL;
}

static void pass_decision_on(torc_owner *owner) {
    chained *self = torc_container_of(owner, chained, owner);

    torc_timer_cancel(&self->timer);
    torc_deferred_decide(owner->result);
}

/* The last that is waited for has fired: its result is the result. */
static void pass_on(chained *self, torc_err err, void *value) {
    torc_owner owner = self->owner;

    torc_dealloc(memory_of(self), self);
    if (err)
        torc_deferred_pass_failure(owner.result, err, &owner);
    else
        (void)torc_deferred_fire(owner.result, value, owner.dispose);
}

/* ---- what follows ---- */

/* `next` was told an error: that goes on, or is what the new one came from. */
static void join_failures(chained *self, torc_err first, torc_err err) {
    torc_failure *cause = self->first_failure;
    torc_owner *owner = &self->owner;

    self->first_failure = NULL;
    if (!owner->failure && err == first) {
        owner->failure = cause;
        owner->failed_at = torc_failure_place(cause);
        return;
    }
    owner->failure = torc_owner_take_failure(owner, memory_of(self), err);
    torc_failure_add_cause(owner->failure, cause);
}

static void last_fired(torc_callback *callback, torc_err err, void *value) {
    chained *self = link_of(callback);
    const torc_err first = torc_failure_err(self->first_failure);

    if (err && first)
        join_failures(self, first, err);
    else
        torc_failure_free(self->first_failure);
    pass_on(self, err, value);
}

static void first_fired(torc_callback *callback, torc_err err, void *value) {
    chained *self = link_of(callback);
    torc_reactor *reactor = self->owner.result->reactor;
    torc_deferred *result = self->owner.result;

    if (err) torc_told_begin(reactor, err, self->owner.failure, self->owner.failed_at);
    torc_deferred *next = self->next(self->context, err, value);
    assert(next && "a chain goes on with a deferred");
    if (err && !(next->is_fired && !next->err)) /* it may fail as well */
        self->first_failure = torc_deferred_take_failure(reactor);
    if (err) torc_told_end(reactor);

    self->owner = (torc_owner){.result = result, .decided = pass_decision_on};
    torc_deferred_own(next, &self->owner, last_fired);
    if (!torc_deferred_is_wanted(result)) torc_deferred_cancel(next);
}

torc_deferred *torc_deferred_chain(torc_deferred *deferred, torc_next_fn *next, void *context) {
    torc_reactor *reactor = deferred->reactor;
    chained *self = new_link(deferred);

    if (!self) return torc_deferred_permanent(reactor);
    torc_deferred *result = self->owner.result;
    self->next = next;
    self->context = context;
    torc_deferred_own(deferred, &self->owner, first_fired);
    return result;
}

/* ---- timeouts ---- */

static void expired(torc_timer *timer) {
    chained *self = torc_container_of(timer, chained, timer);
    torc_deferred *deferred = self->owner.callback.deferred;

    /* It was in time, but is told later in this turn; or somebody else has cancelled it. */
    if (torc_deferred_has_fired(deferred) || !torc_deferred_is_wanted(self->owner.result)) return;
    self->has_timed_out = true;
    torc_deferred_cancel(deferred);
}

static void timed_fired(torc_callback *callback, torc_err err, void *value) {
    chained *self = link_of(callback);

    torc_timer_cancel(&self->timer);
    if (err && self->has_timed_out) {
        torc_failure *cause = self->owner.failure;
        self->owner.failed_at = self->owner.result->made_at;
        self->owner.failure = NULL;
        if (cause) {
            self->owner.failure =
                torc_owner_take_failure(&self->owner, memory_of(self), TORC_ERR_TIMEOUT);
            torc_failure_add_cause(self->owner.failure, cause);
        }
        err = TORC_ERR_TIMEOUT;
    }
    pass_on(self, err, value);
}

torc_deferred *(torc_deferred_timeout)(torc_deferred *deferred, uint64_t timeout_ms) {
    torc_reactor *reactor = deferred->reactor;
    chained *self = new_link(deferred);

    if (!self) return torc_deferred_permanent(reactor);
    torc_deferred *result = self->owner.result;
    torc_timer_init(&self->timer, reactor, expired);
    torc_timer_arm(&self->timer, timeout_ms);
    self->owner.decided = pass_decision_on;
    torc_deferred_own(deferred, &self->owner, timed_fired);
    return result;
}

/* ---- the end ---- */

static void finally_fired(torc_callback *callback, torc_err err, void *value) {
    chained *self = link_of(callback);

    self->ended(self->context);
    pass_on(self, err, value);
}

torc_deferred *torc_deferred_finally(torc_deferred *deferred, torc_finally_fn *ended,
                                     void *context) {
    torc_reactor *reactor = deferred->reactor;
    chained *self = new_link(deferred);

    if (!self) {
        ended(context);
        return torc_deferred_permanent(reactor);
    }
    torc_deferred *result = self->owner.result;
    self->ended = ended;
    self->context = context;
    self->owner.decided = pass_decision_on;
    torc_deferred_own(deferred, &self->owner, finally_fired);
    return result;
}
