/* SPDX-License-Identifier: MIT */
/*
 * Deferreds, and waiting for them on a fiber.
 *
 *  - A deferred has a producer until it fires, and a consumer until it was delivered or dropped;
 *    without both it is freed.
 *  - The first result stands (`is_fired`). A deferred that was cancelled never has a value: one
 * that comes later is disposed of, and TORC_ERR_CANCELLED is the result.
 *  - `is_fired` comes from the producer, or, when nobody can be asked to stop, from the
 *    cancellation; then the producer still fires, to no effect.
 *  - A result is delivered by the callback's own posted call, so delivering needs no memory.
 *  - The reactor's permanent deferred has failed and is nobody's: any number of consumers are told
 *    so.
 */
#include "reactor/deferred.h"

#include <assert.h>

#include "base/alloc.h"
#include "reactor/fiber.h"

torc_deferred *torc_deferred_permanent(torc_reactor *reactor) {
    torc_deferred *deferred = &reactor->no_memory;

    deferred->reactor = reactor;
    deferred->err = TORC_ERR_NO_MEMORY;
    deferred->is_fired = deferred->is_permanent = true;
    return deferred;
}

torc_deferred *torc_deferred_new(torc_reactor *reactor) {
    torc_deferred *deferred = torc_alloc(&reactor->memory, TORC_MEMORY_OTHER, sizeof(*deferred));

    if (!deferred) return torc_deferred_permanent(reactor);
    *deferred = (torc_deferred){.reactor = reactor, .has_producer = true, .has_consumer = true};
    torc_list_push(&reactor->deferreds, &deferred->node);
    return deferred;
}

torc_deferred *torc_deferred_of(torc_reactor *reactor, void *value, torc_dispose_fn *dispose) {
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)torc_deferred_fire(deferred, value, dispose);
    return deferred;
}

torc_deferred *torc_deferred_failed(torc_reactor *reactor, torc_err err) {
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)torc_deferred_fail(deferred, err);
    return deferred;
}

bool torc_deferred_is_out_of_memory(const torc_deferred *deferred) {
    return deferred->is_permanent;
}

bool torc_deferred_is_wanted(const torc_deferred *deferred) {
    return deferred->has_consumer && !deferred->is_cancelled;
}

bool torc_deferred_has_fired(const torc_deferred *deferred) {
    return deferred->is_fired;
}

void torc_deferred_set_canceller(torc_deferred *deferred, torc_canceller_fn *cancel,
                                 void *context) {
    if (deferred->is_permanent) return;
    deferred->cancel = cancel;
    deferred->context = context;
}

void torc_deferred_dispose_of(void *value, torc_dispose_fn *dispose) {
    if (dispose) dispose(value);
}

/* ---- the producer ---- */

static void free_if_alone(torc_deferred *deferred) {
    if (!deferred->has_producer && !deferred->has_consumer)
        torc_dealloc(&deferred->reactor->memory, deferred);
}

/* Decide the result, and let it be delivered. */
static void settle(torc_deferred *deferred, torc_err err, void *value, torc_dispose_fn *dispose) {
    torc_list_remove(&deferred->node);
    deferred->is_fired = true;
    deferred->err = (int16_t)err;
    deferred->value = value;
    deferred->dispose = dispose;
    if (deferred->callback) torc_reactor_post(deferred->reactor, &deferred->callback->call);
}

static void end_producer(torc_deferred *deferred) {
    deferred->has_producer = false;
    free_if_alone(deferred);
}

/* Why a value is not delivered. */
static torc_err objection(const torc_deferred *deferred) {
    if (deferred->is_permanent) return TORC_ERR_NO_MEMORY;
    if (!deferred->has_producer) return TORC_ERR_STATE;
    return torc_deferred_is_wanted(deferred) ? TORC_OK : TORC_ERR_CANCELLED;
}

torc_err torc_deferred_fire(torc_deferred *deferred, void *value, torc_dispose_fn *dispose) {
    const torc_err err = objection(deferred);

    if (err == TORC_ERR_CANCELLED) {
        (void)torc_deferred_fail(deferred, err);
    } else if (!err) {
        settle(deferred, TORC_OK, value, dispose);
        end_producer(deferred);
    }
    if (err) torc_deferred_dispose_of(value, dispose);
    return err;
}

torc_err torc_deferred_fail(torc_deferred *deferred, torc_err reason) {
    const torc_err err = objection(deferred);

    assert(reason != TORC_OK);
    if (err && err != TORC_ERR_CANCELLED) return err;
    if (deferred->has_consumer && !deferred->is_fired) settle(deferred, reason, NULL, NULL);
    end_producer(deferred);
    return err;
}

/* ---- the consumer ---- */

/* It has what it was owed, or wants nothing more. */
static void end_consumer(torc_deferred *deferred) {
    torc_list_remove(&deferred->node);
    deferred->has_consumer = false;
    deferred->callback = NULL;
    free_if_alone(deferred);
}

static void deliver(torc_call *call) {
    torc_callback *callback = torc_container_of(call, torc_callback, call);
    torc_deferred *deferred = callback->deferred;
    const torc_err err = (torc_err)deferred->err;
    void *value = deferred->value;

    callback->deferred = NULL;
    if (!deferred->is_permanent) end_consumer(deferred);
    callback->fired(callback, err, err ? NULL : value);
}

static void deliver_owned(torc_call *call) {
    torc_callback *callback = torc_container_of(call, torc_callback, call);

    torc_container_of(callback, torc_owner, callback)->dispose = callback->deferred->dispose;
    deliver(call);
}

static void tell(torc_deferred *deferred, torc_callback *callback, torc_callback_fn *fired,
                 torc_call_fn *run) {
    assert(!deferred->callback && "a deferred has one consumer");
    *callback = (torc_callback){.fired = fired, .deferred = deferred, .call = {.run = run}};
    if (!deferred->is_permanent) deferred->callback = callback;
    if (deferred->is_fired) torc_reactor_post(deferred->reactor, &callback->call);
}

void torc_deferred_then(torc_deferred *deferred, torc_callback *callback, torc_callback_fn *fired) {
    tell(deferred, callback, fired, deliver);
}

void torc_deferred_own(torc_deferred *deferred, torc_owner *owner, torc_callback_fn *fired) {
    tell(deferred, &owner->callback, fired, deliver_owned);
}

void torc_deferred_cancel(torc_deferred *deferred) {
    if (deferred->is_fired || deferred->is_cancelled) return;
    deferred->is_cancelled = true;
    if (deferred->cancel)
        deferred->cancel(deferred, deferred->context);
    else
        settle(deferred, TORC_ERR_CANCELLED, NULL, NULL);
}

void torc_deferred_drop(torc_deferred *deferred) {
    if (deferred->is_permanent) return;
    if (deferred->callback) {
        torc_call_cancel(&deferred->callback->call);
        deferred->callback->deferred = NULL;
        deferred->callback = NULL;
    }
    /* The canceller may fire; the deferred stays for the call, since it still has its consumer. */
    torc_deferred_cancel(deferred);
    void *value = deferred->value;
    torc_dispose_fn *dispose = deferred->dispose;
    end_consumer(deferred);
    torc_deferred_dispose_of(value, dispose);
}

void torc_callback_cancel(torc_callback *callback) {
    torc_deferred *deferred = callback->deferred;

    if (!deferred) return;
    torc_call_cancel(&callback->call);
    callback->deferred = NULL;
    torc_deferred_drop(deferred);
}

void torc_deferreds_cancel_all(torc_reactor *reactor) {
    torc_list all;
    torc_list_node *node;

    torc_list_init(&all);
    torc_list_take(&all, &reactor->deferreds);
    while ((node = torc_list_pop(&all)) != NULL)
        torc_deferred_cancel(torc_container_of(node, torc_deferred, node));
}

/* ---- waiting on a fiber ---- */

typedef struct awaiting {
    torc_owner owner;
    torc_wait wait;
    void *value;
    torc_err reason; /* why it was cancelled */
} awaiting;

static void fired(torc_callback *callback, torc_err err, void *value) {
    awaiting *self = torc_container_of(callback, awaiting, owner.callback);

    self->value = value;
    torc_wait_end(&self->wait, err);
}

static void cancel_await(torc_wait *wait, torc_err reason) {
    awaiting *self = torc_container_of(wait, awaiting, wait);

    self->reason = reason;
    torc_deferred_cancel(self->owner.callback.deferred);
}

torc_err torc_await(torc_deferred *deferred, void **value) {
    torc_reactor *reactor = deferred->reactor;
    awaiting self = {.reason = TORC_OK};
    torc_err err;

    assert(torc_fiber_is_here(reactor) && "waiting needs a fiber");
    torc_deferred_own(deferred, &self.owner, fired);
    err = torc_fiber_wait(reactor, &self.wait, cancel_await);
    /* It may have fired before it was cancelled; the reason is what this fiber is told. */
    if (!err && !self.reason && value)
        *value = self.value;
    else if (!err)
        torc_deferred_dispose_of(self.value, self.owner.dispose);
    return self.reason ? self.reason : err;
}
