/* SPDX-License-Identifier: MIT */
/*
 * Deferreds, and waiting for them on a fiber.
 *
 *  - A deferred has a producer until it fires, and a consumer until it was delivered or dropped;
 *    without both it is freed.
 *  - The first result stands (`is_fired`). A deferred that was cancelled never has a value: one
 *    that comes later is disposed of, and TORC_ERR_CANCELLED is the result.
 *  - `is_fired` comes from the producer, or, when nobody can be asked to stop, from the
 *    cancellation; then the producer still fires, to no effect.
 *  - A result is delivered by the callback's own posted call, so delivering needs no memory. But a
 *    link is told at once that there is a value, and tells its own result: so nothing can be
 *    cancelled between the firing and the end of the line, where the value would be lost.
 *  - It is in the reactor's list `deferreds` until it fires, then in `untaken` until its consumer
 *    is known.
 *  - The reactor's permanent deferred has failed and is nobody's: any number of consumers are told
 *    so.
 */
#include "reactor/deferred.h"

#include <assert.h>
#include <torc/log.h>

#include "base/alloc.h"
#include "reactor/fiber.h"

enum {
    REPORT_BYTES = 2048
};

static torc_call_fn deliver_owned;

torc_deferred *torc_deferred_permanent(torc_reactor *reactor) {
    torc_deferred *deferred = &reactor->no_memory;

    deferred->reactor = reactor;
    deferred->err = TORC_ERR_NO_MEMORY;
    deferred->is_fired = deferred->is_permanent = true;
    return deferred;
}

torc_deferred *(torc_deferred_new)(torc_reactor *reactor) {
    torc_deferred *deferred = torc_alloc(&reactor->memory, TORC_MEMORY_OTHER, sizeof(*deferred));

    if (!deferred) return torc_deferred_permanent(reactor);
    *deferred = (torc_deferred){.reactor = reactor, .has_producer = true, .has_consumer = true};
    torc_list_push(&reactor->deferreds, &deferred->node);
    return deferred;
}

torc_deferred *torc_deferred_placed(torc_deferred *deferred, const char *place) {
    if (deferred->is_permanent) return deferred;
    deferred->made_at = place;
    if (deferred->err && !deferred->failed_at) deferred->failed_at = place;
    return deferred;
}

torc_deferred *torc_deferred_of(torc_reactor *reactor, void *value, torc_dispose_fn *dispose) {
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)torc_deferred_fire(deferred, value, dispose);
    return deferred;
}

torc_deferred *(torc_deferred_failed)(torc_reactor *reactor, torc_err err) {
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)torc_deferred_fail_at(deferred, err, NULL);
    return deferred;
}

torc_deferred *torc_deferred_failed_with(torc_reactor *reactor, torc_err err,
                                         torc_failure *failure) {
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)torc_deferred_fail_with(deferred, err, failure);
    return deferred;
}

bool torc_deferred_is_out_of_memory(const torc_deferred *deferred) {
    return deferred->is_permanent;
}

/* The consumer, if it is one of the library's. */
static torc_owner *owner_of(const torc_deferred *deferred) {
    torc_callback *callback = deferred->callback;

    if (!callback || callback->call.run != deliver_owned) return NULL;
    return torc_container_of(callback, torc_owner, callback);
}

/* Also what a link passes on must be wanted; on their way results are stacked as deep as the
 * program has made them. */
bool torc_deferred_is_wanted(const torc_deferred *deferred) {
    while (deferred->has_consumer && !deferred->is_cancelled && !deferred->is_unwanted) {
        const torc_owner *owner = owner_of(deferred);
        if (!owner || !owner->result) return true;
        deferred = owner->result;
    }
    return false;
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
    if (deferred->has_producer || deferred->has_consumer) return;
    torc_failure_free(deferred->failure);
    torc_dealloc(&deferred->reactor->memory, deferred);
}

/* ---- what is known of failures ---- */

/* Say that a failure concerns nobody. */
static void report(const torc_deferred *deferred, const char *text) {
    char bytes[REPORT_BYTES];
    torc_buf details;

    torc_buf_init_fixed(&details, bytes, sizeof(bytes));
    torc_failure_format(deferred->failure, &details);
    TORC_LOG_WARN(deferred->reactor->log, "deferred", text,
                  TORC_LOG_ERR("error", (torc_err)deferred->err),
                  TORC_LOG_TEXT("failed_at", deferred->failed_at ? deferred->failed_at : ""),
                  TORC_LOG_TEXT("made_at", deferred->made_at ? deferred->made_at : ""),
                  TORC_LOG_STR("failure", torc_buf_str(&details)));
}

static bool is_news(const torc_deferred *deferred) {
    return deferred->err && deferred->err != TORC_ERR_CANCELLED;
}

void torc_told_begin(torc_reactor *reactor, torc_err err, torc_failure *failure,
                     const char *failed_at) {
    reactor->told = (torc_told){.failure = failure, .failed_at = failed_at, .err = err};
}

void torc_told_end(torc_reactor *reactor) {
    torc_failure_free(reactor->told.failure);
    reactor->told = (torc_told){0};
}

torc_failure *torc_deferred_take_failure(torc_reactor *reactor) {
    const torc_told told = reactor->told;

    reactor->told = (torc_told){0}; /* once: what is taken is not added to another, too */
    if (told.failure || !told.err) return told.failure;
    return torc_failure_new_at(&reactor->memory, told.failed_at, told.err, "%s", "");
}

torc_failure *torc_owner_take_failure(torc_owner *owner, torc_memory *memory, torc_err err) {
    torc_failure *failure = owner->failure;

    owner->failure = NULL;
    return failure ? failure : torc_failure_new_at(memory, owner->failed_at, err, "%s", "");
}

/* ---- firing ---- */

void torc_deferred_decide(torc_deferred *deferred) {
    torc_owner *owner = owner_of(deferred);

    if (deferred->is_decided) return;
    deferred->is_decided = true;
    if (owner && owner->decided) owner->decided(owner);
}

/* It has its consumer, or will have one. */
static void await_delivery(torc_deferred *deferred) {
    if (deferred->callback)
        torc_reactor_post(deferred->reactor, &deferred->callback->call);
    else
        torc_list_push(&deferred->reactor->untaken, &deferred->node);
}

/* Decide the result, and let it be delivered. */
static void settle(torc_deferred *deferred, torc_err err, void *value, torc_dispose_fn *dispose) {
    torc_list_remove(&deferred->node);
    deferred->is_fired = true;
    deferred->err = (int16_t)err;
    deferred->value = value;
    deferred->dispose = dispose;
    if (!deferred->is_detached) {
        await_delivery(deferred);
        if (!err) torc_deferred_decide(deferred);
    }
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

/* Nobody is told of this one. */
static void end_detached(torc_deferred *deferred) {
    if (is_news(deferred)) report(deferred, "what nobody waits for has failed");
    torc_deferred_dispose_of(deferred->value, deferred->dispose);
    deferred->has_consumer = false;
}

torc_err torc_deferred_fire(torc_deferred *deferred, void *value, torc_dispose_fn *dispose) {
    const torc_err err = objection(deferred);

    if (err == TORC_ERR_CANCELLED) {
        (void)torc_deferred_fail_at(deferred, err, NULL);
    } else if (!err) {
        settle(deferred, TORC_OK, value, dispose);
        if (deferred->is_detached) end_detached(deferred);
        end_producer(deferred);
    }
    if (err) torc_deferred_dispose_of(value, dispose);
    return err;
}

/* The failure is the deferred's, or nobody's. */
static torc_err fail_knowing(torc_deferred *deferred, torc_err reason, torc_failure *failure,
                             const char *place) {
    const torc_err err = objection(deferred);

    assert(reason != TORC_OK);
    if ((err && err != TORC_ERR_CANCELLED) || !deferred->has_consumer || deferred->is_fired) {
        torc_failure_free(failure);
        if (err == TORC_OK || err == TORC_ERR_CANCELLED) end_producer(deferred);
        return err;
    }
    deferred->failure = failure;
    deferred->failed_at = place;
    settle(deferred, reason, NULL, NULL);
    if (deferred->is_detached) end_detached(deferred);
    end_producer(deferred);
    return err;
}

torc_err torc_deferred_fail_at(torc_deferred *deferred, torc_err err, const char *place) {
    return fail_knowing(deferred, err, NULL, place);
}

torc_err(torc_deferred_fail)(torc_deferred *deferred, torc_err err) {
    return fail_knowing(deferred, err, NULL, NULL);
}

torc_err torc_deferred_fail_with(torc_deferred *deferred, torc_err err, torc_failure *failure) {
    const char *place = torc_failure_place(failure);
    return fail_knowing(deferred, err, failure, place[0] ? place : NULL);
}

void torc_deferred_pass_failure(torc_deferred *deferred, torc_err err, torc_owner *owner) {
    torc_failure *failure = owner->failure;

    owner->failure = NULL;
    (void)fail_knowing(deferred, err, failure, owner->failed_at);
}

/* ---- the consumer ---- */

/* It has what it was owed, or wants nothing more. */
static void end_consumer(torc_deferred *deferred) {
    torc_list_remove(&deferred->node);
    deferred->has_consumer = false;
    deferred->callback = NULL;
    free_if_alone(deferred);
}

/* Take the failure out, and let the deferred go. */
static torc_failure *end_delivered(torc_deferred *deferred) {
    torc_failure *failure = deferred->failure;

    if (deferred->is_permanent) return NULL;
    deferred->failure = NULL;
    end_consumer(deferred);
    return failure;
}

static void deliver(torc_call *call) {
    torc_callback *callback = torc_container_of(call, torc_callback, call);
    torc_deferred *deferred = callback->deferred;
    torc_reactor *reactor = deferred->reactor;
    const torc_err err = (torc_err)deferred->err;
    const char *failed_at = deferred->failed_at;
    void *value = deferred->value;

    callback->deferred = NULL;
    torc_failure *failure = end_delivered(deferred);
    if (err) torc_told_begin(reactor, err, failure, failed_at);
    callback->fired(callback, err, err ? NULL : value);
    if (err) torc_told_end(reactor);
}

static void deliver_owned(torc_call *call) {
    torc_owner *owner = torc_container_of(call, torc_owner, callback.call);
    torc_deferred *deferred = owner->callback.deferred;
    const torc_err err = (torc_err)deferred->err;
    void *value = deferred->value;

    owner->dispose = deferred->dispose;
    owner->failed_at = deferred->failed_at;
    owner->callback.deferred = NULL;
    owner->failure = end_delivered(deferred);
    owner->callback.fired(&owner->callback, err, err ? NULL : value);
}

static void tell(torc_deferred *deferred, torc_callback *callback, torc_callback_fn *fired,
                 torc_call_fn *run) {
    assert(!deferred->callback && !deferred->is_detached && "a deferred has one consumer");
    *callback = (torc_callback){.fired = fired, .deferred = deferred, .call = {.run = run}};
    if (!deferred->is_permanent) deferred->callback = callback;
    if (!deferred->is_fired) return;
    torc_list_remove(&deferred->node); /* from the untaken */
    torc_reactor_post(deferred->reactor, &callback->call);
}

void torc_deferred_then(torc_deferred *deferred, torc_callback *callback, torc_callback_fn *fired) {
    tell(deferred, callback, fired, deliver);
}

void torc_deferred_own(torc_deferred *deferred, torc_owner *owner, torc_callback_fn *fired) {
    tell(deferred, &owner->callback, fired, deliver_owned);
    if (deferred->is_decided && owner->decided) owner->decided(owner);
}

/* Nobody can be asked to stop: the producer fires later, to no effect. */
static void fail_for_nobody(torc_deferred *deferred) {
    settle(deferred, TORC_ERR_CANCELLED, NULL, NULL);
    if (deferred->is_detached) end_detached(deferred);
}

void torc_deferred_cancel(torc_deferred *deferred) {
    if (deferred->is_fired || deferred->is_cancelled || deferred->is_decided) return;
    deferred->is_cancelled = true;
    if (deferred->cancel)
        deferred->cancel(deferred, deferred->context);
    else
        fail_for_nobody(deferred);
}

static void forget_callback(torc_deferred *deferred) {
    if (!deferred->callback) return;
    torc_call_cancel(&deferred->callback->call);
    deferred->callback->deferred = NULL;
    deferred->callback = NULL;
}

void torc_deferred_drop(torc_deferred *deferred) {
    if (deferred->is_permanent) return;
    forget_callback(deferred);
    if (is_news(deferred) && deferred->reactor->reports_deferreds)
        report(deferred, "a failure was dropped");
    /* What has a value to come is not asked to stop: it is disposed of then. The canceller may
     * fire; the deferred stays for the call, since it still has its consumer. */
    torc_deferred_cancel(deferred);
    void *value = deferred->value;
    torc_dispose_fn *dispose = deferred->dispose;
    end_consumer(deferred);
    torc_deferred_dispose_of(value, dispose);
}

void torc_deferred_detach(torc_deferred *deferred) {
    if (deferred->is_permanent) return;
    forget_callback(deferred);
    deferred->is_detached = true;
    if (!deferred->is_fired) return;
    torc_list_remove(&deferred->node);
    end_detached(deferred);
    free_if_alone(deferred);
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

void torc_deferreds_report(torc_reactor *reactor) {
    const torc_list_node *node = torc_list_first(&reactor->deferreds);

    if (!reactor->reports_deferreds) return;
    for (; node; node = torc_list_next(&reactor->deferreds, node)) {
        const torc_deferred *deferred = torc_container_of(node, torc_deferred, node);
        if (!deferred->is_link && !deferred->is_cancelled)
            TORC_LOG_WARN(reactor->log, "deferred", "it has never fired",
                          TORC_LOG_TEXT("made_at", deferred->made_at ? deferred->made_at : ""));
    }
}

void torc_deferreds_free(torc_reactor *reactor) {
    torc_list_node *node;

    while ((node = torc_list_first(&reactor->untaken)) != NULL)
        torc_deferred_drop(torc_container_of(node, torc_deferred, node));
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
    torc_deferred *deferred = self->owner.callback.deferred;

    /* What is there, or on its way, is taken: the next wait tells the reason. */
    if (deferred->is_fired || deferred->is_decided) return;
    self->reason = reason;
    torc_deferred_cancel(deferred);
}

/* Give the failure, or free it. */
static void end_failure(awaiting *self, torc_failure **failure) {
    if (failure)
        *failure = self->owner.failure;
    else
        torc_failure_free(self->owner.failure);
}

torc_err torc_await_failure(torc_deferred *deferred, void **value, torc_failure **failure) {
    torc_reactor *reactor = deferred->reactor;
    awaiting self = {.reason = TORC_OK};
    torc_err err;

    assert(torc_fiber_is_here(reactor) && "waiting needs a fiber");
    torc_deferred_own(deferred, &self.owner, fired);
    err = torc_fiber_wait(reactor, &self.wait, cancel_await);
    if (!err && value)
        *value = self.value;
    else if (!err)
        torc_deferred_dispose_of(self.value, self.owner.dispose);
    end_failure(&self, failure);
    return self.reason ? self.reason : err;
}

torc_err torc_await(torc_deferred *deferred, void **value) {
    return torc_await_failure(deferred, value, NULL);
}
