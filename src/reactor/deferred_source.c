/* SPDX-License-Identifier: MIT */
/*
 * Deferreds that the library fires: after a time, and when a thread or a fiber is done.
 *
 *  - What produces is one allocation, freed before the deferred is fired.
 *  - A job that a thread has begun outlives its cancelled deferred (`deferred` is NULL then), and
 *    disposes of its data when it is told.
 */
#include "base/alloc.h"
#include "reactor/reactor.h"

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
    (void)torc_deferred_fire(copy.deferred, copy.value, copy.dispose);
}

static void cancel_delay(torc_deferred *deferred, void *context) {
    delay *self = context;
    const delay copy = *self;

    torc_timer_cancel(&self->timer);
    torc_dealloc(&deferred->reactor->memory, self);
    (void)torc_deferred_fire(deferred, copy.value, copy.dispose); /* disposed of: it is cancelled */
}

torc_deferred *(torc_defer_later)(torc_reactor *reactor, uint64_t delay_ms, void *value,
                                  torc_dispose_fn *dispose) {
    torc_deferred *deferred = torc_deferred_new(reactor);
    delay *self = torc_alloc(&reactor->memory, TORC_MEMORY_OTHER, sizeof(*self));

    if (!self || torc_deferred_is_out_of_memory(deferred)) {
        torc_deferred_dispose_of(value, dispose);
        torc_dealloc(&reactor->memory, self);
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
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
    torc_reactor *reactor;
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

    torc_dealloc(&copy.reactor->memory, self);
    if (!err && copy.deferred) {
        (void)torc_deferred_fire(copy.deferred, copy.data, copy.dispose);
        return;
    }
    torc_deferred_dispose_of(copy.data, copy.dispose);
    if (copy.deferred) (void)torc_deferred_fail(copy.deferred, err);
}

static void done(torc_job *job) {
    threaded *self = torc_container_of(job, threaded, job);
    end_threaded(self, job->err ? job->err : self->answer);
}

static void cancel_threaded(torc_deferred *deferred, void *context) {
    threaded *self = context;

    if (torc_job_abandon(&self->job)) {
        end_threaded(self, TORC_ERR_CANCELLED);
        return;
    }
    self->deferred = NULL;
    (void)torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

torc_deferred *(torc_defer_to_thread)(torc_reactor *reactor, torc_thread_class thread_class,
                                      torc_thread_fn *run, void *data, torc_dispose_fn *dispose) {
    torc_deferred *deferred = torc_deferred_new(reactor);
    threaded *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    torc_err err;

    if (!self || torc_deferred_is_out_of_memory(deferred)) {
        torc_deferred_dispose_of(data, dispose);
        torc_dealloc(&reactor->memory, self);
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return deferred;
    }
    *self = (threaded){.job = {.work = work, .done = done, .thread_class = thread_class},
                       .reactor = reactor,
                       .deferred = deferred,
                       .run = run,
                       .data = data,
                       .dispose = dispose};
    torc_deferred_set_canceller(deferred, cancel_threaded, self);
    err = torc_job_submit(reactor, &self->job);
    if (err) end_threaded(self, err);
    return deferred;
}

typedef struct on_fiber {
    torc_reactor *reactor;
    torc_deferred *deferred;
    torc_fiber *fiber;
    torc_fiber_fn *run;
    void *data;
    torc_dispose_fn *dispose;
} on_fiber;

static void end_on_fiber(on_fiber *self, torc_err err) {
    const on_fiber copy = *self;

    torc_dealloc(&copy.reactor->memory, self);
    if (!err) {
        (void)torc_deferred_fire(copy.deferred, copy.data, copy.dispose);
        return;
    }
    torc_deferred_dispose_of(copy.data, copy.dispose);
    (void)torc_deferred_fail_at(copy.deferred, err, copy.deferred->made_at);
}

static torc_err run_on_fiber(void *context) {
    on_fiber *self = context;

    torc_fiber_detach(self->fiber); /* nobody joins it: what is asked to stop is this one */
    const torc_err err = self->run(self->data);
    end_on_fiber(self, err);
    return err;
}

static void cancel_on_fiber(torc_deferred *deferred, void *context) {
    on_fiber *self = context;

    (void)deferred;
    torc_fiber_cancel(self->fiber, TORC_ERR_CANCELLED);
}

torc_deferred *(torc_defer_to_fiber)(torc_reactor *reactor, torc_fiber_fn *run, void *data,
                                     torc_dispose_fn *dispose) {
    torc_deferred *deferred = torc_deferred_new(reactor);
    on_fiber *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    torc_err err;

    if (!self || torc_deferred_is_out_of_memory(deferred)) {
        torc_deferred_dispose_of(data, dispose);
        torc_dealloc(&reactor->memory, self);
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return deferred;
    }
    *self = (on_fiber){
        .reactor = reactor, .deferred = deferred, .run = run, .data = data, .dispose = dispose};
    torc_deferred_set_canceller(deferred, cancel_on_fiber, self);
    err = torc_fiber_spawn(reactor, run_on_fiber, self, &self->fiber);
    if (err) end_on_fiber(self, err);
    return deferred;
}
