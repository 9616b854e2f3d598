/* SPDX-License-Identifier: MIT */
/*
 * Deferreds.
 *
 *  - A deferred has a producer until it fires, and a consumer until it was delivered or dropped;
 * without both it is freed.
 *  - The first result stands: what comes later (a producer that fires after its deferred was failed
 * by a cancellation) is disposed of.
 *  - A result is delivered by the callback's own posted call, so delivering needs no memory.
 *  - The reactor's permanent deferred has failed and is nobody's: any number of consumers are told
 * so.
 */
#include "reactor/deferred.h"

#include <assert.h>

#include "base/alloc.h"
#include "reactor/fiber.h"

static torc_deferred *permanent_of(torc_reactor *reactor) {
    torc_deferred *deferred = &reactor->no_memory;

    deferred->reactor = reactor;
    deferred->err = TORC_ERR_NO_MEMORY;
    deferred->is_fired = deferred->is_permanent = true;
    return deferred;
}

torc_deferred *torc_deferred_new(torc_reactor *reactor) {
    torc_deferred *deferred = torc_alloc(&reactor->memory, TORC_MEMORY_OTHER, sizeof(*deferred));

    if (!deferred) return permanent_of(reactor);
    *deferred = (torc_deferred){.reactor = reactor, .has_producer = true, .has_consumer = true};
    return deferred;
}

torc_deferred *torc_deferred_of(torc_reactor *reactor, void *value, torc_dispose_fn *dispose) {
    torc_deferred *deferred = torc_deferred_new(reactor);
    torc_deferred_fire(deferred, value, dispose);
    return deferred;
}

torc_deferred *torc_deferred_failed(torc_reactor *reactor, torc_err err) {
    torc_deferred *deferred = torc_deferred_new(reactor);
    torc_deferred_fail(deferred, err);
    return deferred;
}

bool torc_deferred_is_out_of_memory(const torc_deferred *deferred) {
    return deferred->is_permanent;
}

void torc_deferred_set_canceller(torc_deferred *deferred, torc_canceller_fn *cancel,
                                 void *context) {
    if (deferred->is_permanent) return;
    deferred->cancel = cancel;
    deferred->context = context;
}

static void dispose_of(void *value, torc_dispose_fn *dispose) {
    if (dispose) dispose(value);
}

static void free_if_alone(torc_deferred *deferred) {
    if (!deferred->has_producer && !deferred->has_consumer)
        torc_dealloc(&deferred->reactor->memory, deferred);
}

/* The consumer has what it was owed, or wants nothing more. */
static void end_consumer(torc_deferred *deferred) {
    deferred->has_consumer = false;
    deferred->callback = NULL;
    free_if_alone(deferred);
}

/* Decide the result, if it is not decided, and let it be delivered. */
static void settle(torc_deferred *deferred, torc_err err, void *value, torc_dispose_fn *dispose) {
    if (deferred->is_fired || !deferred->has_consumer) {
        dispose_of(value, dispose);
        return;
    }
    deferred->is_fired = true;
    deferred->err = (int16_t)err;
    deferred->value = value;
    deferred->dispose = dispose;
    if (deferred->callback) torc_reactor_post(deferred->reactor, &deferred->callback->call);
}

static void end_producer(torc_deferred *deferred) {
    if (deferred->is_permanent) return;
    assert(deferred->has_producer && "a deferred is fired once");
    deferred->has_producer = false;
    free_if_alone(deferred);
}

void torc_deferred_fire(torc_deferred *deferred, void *value, torc_dispose_fn *dispose) {
    settle(deferred, TORC_OK, value, dispose);
    end_producer(deferred);
}

void torc_deferred_fail(torc_deferred *deferred, torc_err err) {
    assert(err != TORC_OK);
    settle(deferred, err, NULL, NULL);
    end_producer(deferred);
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

void torc_deferred_then(torc_deferred *deferred, torc_callback *callback, torc_callback_fn *fired) {
    assert(!deferred->callback);
    *callback = (torc_callback){.fired = fired, .deferred = deferred, .call = {.run = deliver}};
    if (!deferred->is_permanent) deferred->callback = callback;
    if (deferred->is_fired) torc_reactor_post(deferred->reactor, &callback->call);
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
    deferred->callback = NULL;
    if (deferred->is_fired) {
        dispose_of(deferred->value, deferred->dispose);
        end_consumer(deferred);
        return;
    }
    /* The canceller may fire; the deferred stays for the call, since it still has its consumer. */
    torc_deferred_cancel(deferred);
    if (deferred->is_fired) dispose_of(deferred->value, deferred->dispose);
    end_consumer(deferred);
}

void torc_callback_cancel(torc_callback *callback) {
    torc_deferred *deferred = callback->deferred;

    if (!deferred) return;
    torc_call_cancel(&callback->call);
    callback->deferred = NULL;
    torc_deferred_drop(deferred);
}

/* ---- waiting on a fiber ---- */

typedef struct awaiting {
    torc_callback callback;
    torc_wait wait;
    torc_reactor *reactor;
    torc_dispose_fn *dispose;
    void *value;
    torc_err reason; /* why it was cancelled */
} awaiting;

static void fired(torc_callback *callback, torc_err err, void *value) {
    awaiting *self = torc_container_of(callback, awaiting, callback);

    self->value = value;
    torc_wait_end(&self->wait, err);
}

static void cancel_await(torc_wait *wait, torc_err reason) {
    awaiting *self = torc_container_of(wait, awaiting, wait);

    self->reason = reason;
    torc_deferred_cancel(self->callback.deferred);
}

/* As deliver(), but for remembering how the value is disposed of. */
static void deliver_awaited(torc_call *call) {
    torc_callback *callback = torc_container_of(call, torc_callback, call);
    torc_container_of(callback, awaiting, callback)->dispose = callback->deferred->dispose;
    deliver(call);
}

torc_err torc_await(torc_deferred *deferred, void **value) {
    awaiting self = {.reactor = deferred->reactor};
    torc_err err;

    torc_deferred_then(deferred, &self.callback, fired);
    self.callback.call.run = deliver_awaited;
    err = torc_fiber_wait(self.reactor, &self.wait, cancel_await);
    if (!self.reason) {
        if (!err) *value = self.value;
        return err;
    }
    if (!err) dispose_of(self.value, self.dispose);
    return self.reason;
}

/* ---- what follows ---- */

typedef struct chained {
    torc_callback callback; /* of what is waited for */
    torc_deferred *result;
    torc_next_fn *next; /* NULL: the last was reached */
    void *context;
    torc_dispose_fn *dispose;
    torc_timer timer; /* of a timeout */
    bool has_timed_out;
} chained;

static chained *link_of(torc_callback *callback) {
    return torc_container_of(callback, chained, callback);
}

static void cancel_link(torc_deferred *result, void *context) {
    chained *self = context;

    /* While `next` runs nothing is waited for; what it answers is cancelled then. */
    (void)result;
    if (self->callback.deferred) torc_deferred_cancel(self->callback.deferred);
}

/* A link of a chain, and its result; NULL: there is no memory, and the deferred was dropped. */
static chained *new_link(torc_deferred *deferred) {
    torc_reactor *reactor = deferred->reactor;
    torc_deferred *result = torc_deferred_new(reactor);
    chained *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (self && !result->is_permanent) {
        self->result = result;
        torc_deferred_set_canceller(result, cancel_link, self);
        return self;
    }
    torc_dealloc(&reactor->memory, self);
    torc_deferred_fail(result, TORC_ERR_NO_MEMORY);
    torc_deferred_drop(result);
    torc_deferred_drop(deferred);
    return NULL;
}

static void deliver_linked(torc_call *call) {
    torc_callback *callback = torc_container_of(call, torc_callback, call);
    link_of(callback)->dispose = callback->deferred->dispose;
    deliver(call);
}

static void wait_for(chained *self, torc_deferred *deferred, torc_callback_fn *told) {
    torc_deferred_then(deferred, &self->callback, told);
    self->callback.call.run = deliver_linked;
}

/* The last chained: its result is the result. */
static void pass_on(chained *self, torc_err err, void *value) {
    torc_deferred *result = self->result;
    torc_dispose_fn *dispose = self->dispose;

    torc_dealloc(&result->reactor->memory, self);
    if (err)
        torc_deferred_fail(result, err);
    else
        torc_deferred_fire(result, value, dispose);
}

static void last_fired(torc_callback *callback, torc_err err, void *value) {
    pass_on(link_of(callback), err, value);
}

static void first_fired(torc_callback *callback, torc_err err, void *value) {
    chained *self = link_of(callback);
    torc_deferred *next = self->next(self->context, err, value);

    wait_for(self, next, last_fired);
    if (self->result->is_cancelled) torc_deferred_cancel(next);
}

torc_deferred *torc_deferred_chain(torc_deferred *deferred, torc_next_fn *next, void *context) {
    torc_reactor *reactor = deferred->reactor;
    chained *self = new_link(deferred);

    if (!self) return permanent_of(reactor);
    self->next = next;
    self->context = context;
    wait_for(self, deferred, first_fired);
    return self->result;
}

static void expired(torc_timer *timer) {
    chained *self = torc_container_of(timer, chained, timer);

    self->has_timed_out = true;
    torc_deferred_cancel(self->callback.deferred);
}

static void timed_fired(torc_callback *callback, torc_err err, void *value) {
    chained *self = link_of(callback);

    torc_timer_cancel(&self->timer);
    if (self->has_timed_out && !err) dispose_of(value, self->dispose);
    pass_on(self, self->has_timed_out ? TORC_ERR_TIMEOUT : err, value);
}

torc_deferred *torc_deferred_timeout(torc_deferred *deferred, uint64_t timeout_ms) {
    torc_reactor *reactor = deferred->reactor;
    chained *self = new_link(deferred);

    if (!self) return permanent_of(reactor);
    torc_timer_init(&self->timer, reactor, expired);
    torc_timer_arm(&self->timer, timeout_ms);
    wait_for(self, deferred, timed_fired);
    return self->result;
}

/* ---- sources ---- */

typedef struct delay {
    torc_timer timer;
    torc_deferred *deferred;
    void *value;
    torc_dispose_fn *dispose;
} delay;

static void delay_expired(torc_timer *timer) {
    delay *self = torc_container_of(timer, delay, timer);
    const delay copy = *self;

    torc_dealloc(&timer->reactor->memory, self);
    torc_deferred_fire(copy.deferred, copy.value, copy.dispose);
}

static void cancel_delay(torc_deferred *deferred, void *context) {
    delay *self = context;

    torc_timer_cancel(&self->timer);
    dispose_of(self->value, self->dispose);
    torc_dealloc(&deferred->reactor->memory, self);
    torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

torc_deferred *torc_defer_later(torc_reactor *reactor, uint64_t delay_ms, void *value,
                                torc_dispose_fn *dispose) {
    torc_deferred *deferred = torc_deferred_new(reactor);
    delay *self = torc_alloc(&reactor->memory, TORC_MEMORY_OTHER, sizeof(*self));

    if (!self || deferred->is_permanent) {
        dispose_of(value, dispose);
        torc_dealloc(&reactor->memory, self);
        torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return deferred;
    }
    *self = (delay){.deferred = deferred, .value = value, .dispose = dispose};
    torc_timer_init(&self->timer, reactor, delay_expired);
    torc_timer_arm(&self->timer, delay_ms);
    torc_deferred_set_canceller(deferred, cancel_delay, self);
    return deferred;
}

typedef struct threaded {
    torc_job job;
    torc_deferred *deferred;
    torc_thread_fn *run;
    void *data;
    torc_dispose_fn *dispose;
    torc_err answer;
} threaded;

static void work(torc_job *job) {
    threaded *self = torc_container_of(job, threaded, job);
    self->answer = self->run(self->data);
}

static void end_threaded(threaded *self, torc_err err) {
    const threaded copy = *self;

    torc_dealloc(&copy.deferred->reactor->memory, self);
    if (!err) {
        torc_deferred_fire(copy.deferred, copy.data, copy.dispose);
        return;
    }
    dispose_of(copy.data, copy.dispose);
    torc_deferred_fail(copy.deferred, err);
}

static void done(torc_job *job) {
    threaded *self = torc_container_of(job, threaded, job);
    end_threaded(self, job->err ? job->err : self->answer);
}

/* What has begun cannot be stopped: the deferred fires when it has returned. */
static void cancel_threaded(torc_deferred *deferred, void *context) {
    threaded *self = context;

    (void)deferred;
    if (torc_job_withdraw(&self->job)) end_threaded(self, TORC_ERR_CANCELLED);
}

torc_deferred *torc_defer_to_thread(torc_reactor *reactor, torc_thread_fn *run, void *data,
                                    torc_dispose_fn *dispose) {
    torc_deferred *deferred = torc_deferred_new(reactor);
    threaded *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    torc_err err;

    if (!self || deferred->is_permanent) {
        dispose_of(data, dispose);
        torc_dealloc(&reactor->memory, self);
        torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return deferred;
    }
    *self = (threaded){.job = {.work = work, .done = done},
                       .deferred = deferred,
                       .run = run,
                       .data = data,
                       .dispose = dispose};
    torc_deferred_set_canceller(deferred, cancel_threaded, self);
    err = torc_job_submit(reactor, &self->job);
    if (err) end_threaded(self, err);
    return deferred;
}
