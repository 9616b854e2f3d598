/* SPDX-License-Identifier: MIT */
/*
 * Looping calls.
 *
 *  - The grid is started_ms + n * interval_ms; `last` is the n of the last tick. A tick's n is the
 *    greatest that is not in the future, so what was missed is n - last - 1.
 *  - The timer is armed exactly while it is started and no tick is in progress.
 *  - A tick that begins late, by jitter, is still the n it was planned as: jitter is less than an
 *    interval.
 *  - It is freed when it was told to be, and no tick is in progress.
 */
#include <torc/log.h>
#include <torc/looping_call.h>
#include <torc/timer.h>

#include "base/alloc.h"
#include "base/siphash.h"
#include "base/spread.h"
#include "reactor/errand.h"

struct torc_looping_call {
    torc_errand errand;
    torc_timer timer;
    torc_looping_fn *tick;
    torc_looping_fiber_fn *tick_on_fiber;
    void *context;
    torc_dispose_fn *dispose;
    torc_deferred *ended; /* somebody waits */
    uint64_t interval_ms, jitter_ms, started_ms, last, count, missed, seed;
    bool is_started, is_now, is_freed; /* is_now: the first tick of a start is still to come */
};

static torc_looping_call *of_errand(torc_errand *errand) {
    return torc_container_of(errand, torc_looping_call, errand);
}

static torc_reactor *reactor_of(const torc_looping_call *self) {
    return self->errand.reactor;
}

/* ---- when ---- */

static uint64_t jitter(torc_looping_call *self) {
    const uint64_t most = self->jitter_ms < self->interval_ms ? self->jitter_ms : self->interval_ms;

    if (most == 0) return 0;
    return torc_spread_next(&self->seed) % most;
}

/* The n of the grid that the time has come to. */
static uint64_t place(const torc_looping_call *self) {
    const uint64_t now_ms = torc_reactor_now_ms(reactor_of(self));

    if (self->interval_ms == 0) return self->last + 1;
    return now_ms < self->started_ms ? 0 : (now_ms - self->started_ms) / self->interval_ms;
}

static void plan(torc_looping_call *self, uint64_t next) {
    const uint64_t spread_ms = jitter(self);
    uint64_t due_ms;

    if (self->interval_ms == 0)
        torc_timer_arm_at(&self->timer, torc_reactor_now_ms(reactor_of(self)));
    else if (__builtin_mul_overflow(next, self->interval_ms, &due_ms) ||
             __builtin_add_overflow(due_ms, self->started_ms + spread_ms, &due_ms))
        torc_timer_arm(&self->timer, UINT64_MAX);
    else
        torc_timer_arm_at(&self->timer, due_ms);
}

/* ---- ticks ---- */

static void end(torc_looping_call *self, torc_err err) {
    torc_deferred *ended = self->ended;

    self->ended = NULL;
    if (!ended && err && !self->is_freed)
        TORC_LOG_ERROR(torc_reactor_log(reactor_of(self)), "reactor", "a looping call has failed",
                       TORC_LOG_ERR("error", err));
    if (!ended) return;
    if (err)
        (void)torc_deferred_fail(ended, err);
    else
        (void)torc_deferred_fire(ended, NULL, NULL);
}

static void free_now(torc_looping_call *self) {
    torc_deferred_dispose_of(self->context, self->dispose);
    torc_dealloc(torc_reactor_memory(reactor_of(self)), self);
}

/* One tick is over: whatever was asked for meanwhile is done now. */
static void over(torc_errand *errand, torc_err err) {
    torc_looping_call *self = of_errand(errand);

    if (self->is_freed) {
        free_now(self);
        return;
    }
    if (err) self->is_started = false;
    if (self->is_started)
        plan(self, self->is_now ? 0 : place(self) + 1);
    else
        end(self, err);
}

static torc_deferred *run(torc_errand *errand) {
    torc_looping_call *self = of_errand(errand);
    return self->tick(self->context, self->count);
}

static torc_err run_on_fiber(torc_errand *errand) {
    torc_looping_call *self = of_errand(errand);
    return self->tick_on_fiber(self->context, self->count);
}

static const torc_errand_ops errand_ops = {.run = run, .run_on_fiber = run_on_fiber, .over = over};

static void expired(torc_timer *timer) {
    torc_looping_call *self = torc_container_of(timer, torc_looping_call, timer);
    const uint64_t here = place(self), last = self->last;
    torc_err err;

    /* The first of a start "now" stands at 0, where `last` is, too. */
    self->count = here > last ? here - last : 1;
    self->missed += self->count - 1;
    self->last = here;
    self->is_now = false;
    err = torc_errand_begin(&self->errand);
    if (!err) return;
    self->missed -= self->count - 1;
    self->last = last;
    plan(self, here + 1);
}

/* ---- life ---- */

static torc_err make(torc_reactor *reactor, bool on_fiber, void *context,
                     torc_looping_call **call) {
    torc_looping_call *self =
        torc_alloc_zero(torc_reactor_memory(reactor), TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    torc_errand_init(&self->errand, reactor, &errand_ops, on_fiber);
    torc_timer_init(&self->timer, reactor, expired);
    self->context = context;
    self->seed = torc_siphash_key_random().words[0] | 1;
    *call = self;
    return TORC_OK;
}

torc_err torc_looping_call_new(torc_reactor *reactor, torc_looping_fn *tick, void *context,
                               torc_looping_call **call) {
    const torc_err err = make(reactor, false, context, call);

    if (!err) (*call)->tick = tick;
    return err;
}

torc_err torc_looping_call_new_on_fiber(torc_reactor *reactor, torc_looping_fiber_fn *tick,
                                        void *context, torc_looping_call **call) {
    const torc_err err = make(reactor, true, context, call);

    if (!err) (*call)->tick_on_fiber = tick;
    return err;
}

void torc_looping_call_set_dispose(torc_looping_call *call, torc_dispose_fn *dispose) {
    call->dispose = dispose;
}

void torc_looping_call_set_jitter(torc_looping_call *call, uint64_t jitter_ms) {
    call->jitter_ms = jitter_ms;
}

void torc_looping_call_start(torc_looping_call *call, uint64_t interval_ms, bool now) {
    call->interval_ms = interval_ms;
    call->started_ms = torc_reactor_now_ms(reactor_of(call));
    call->last = 0;
    call->is_started = true;
    call->is_now = now;
    if (!call->errand.is_busy) plan(call, now ? 0 : 1);
}

void torc_looping_call_stop(torc_looping_call *call) {
    if (!call->is_started) return;
    call->is_started = false;
    torc_timer_cancel(&call->timer);
    if (!call->errand.is_busy) end(call, TORC_OK);
}

void torc_looping_call_reset(torc_looping_call *call) {
    if (call->is_started) torc_looping_call_start(call, call->interval_ms, false);
}

bool torc_looping_call_is_started(const torc_looping_call *call) {
    return call->is_started;
}

uint64_t torc_looping_call_missed(const torc_looping_call *call) {
    return call->missed;
}

torc_deferred *torc_looping_call_ended(torc_looping_call *call) {
    torc_reactor *reactor = reactor_of(call);
    torc_deferred *deferred;

    if (call->ended && torc_deferred_is_wanted(call->ended))
        return torc_deferred_failed(reactor, TORC_ERR_BUSY);
    if (!call->is_started && !call->errand.is_busy) return torc_deferred_of(reactor, NULL, NULL);
    deferred = torc_deferred_new(reactor);
    if (torc_deferred_is_out_of_memory(deferred)) return deferred;
    if (call->ended) (void)torc_deferred_fail(call->ended, TORC_ERR_CANCELLED);
    call->ended = deferred;
    return deferred;
}

void torc_looping_call_free(torc_looping_call *call) {
    if (!call || call->is_freed) return;
    call->is_freed = true;
    call->is_started = false;
    torc_timer_cancel(&call->timer);
    end(call, TORC_ERR_CANCELLED);
    if (call->errand.is_busy)
        torc_errand_cancel(&call->errand);
    else
        free_now(call);
}
