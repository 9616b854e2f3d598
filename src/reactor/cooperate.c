/* SPDX-License-Identifier: MIT */
/*
 * Tasks that take turns.
 *
 *  - A task is in `ready` while a step of it may come: not while it is paused, waits or has ended.
 *  - A slice takes the first of `ready`, does its step, and puts it last, until the time is up. The
 *    next slice is in the next turn: the timer is armed, without a delay, while `ready` has any.
 *  - A task is not freed while a step of it runs, or what ends with that.
 */
#include <torc/cooperate.h>

#include <torc/log.h>

#include "base/alloc.h"
#include "reactor/fiber.h"

enum {
    BUDGET_US = 2000, /* a turn's other phases take 1 ms each, see reactor.h */
    STEPS_MAX = 10000 /* in a slice, should the clock stand */
};

typedef struct torc_cooperator {
    torc_reactor_guest guest;
    torc_timer slice;
    torc_list ready;
} torc_cooperator;

struct torc_task {
    torc_reactor *reactor;
    torc_step_fn *step;
    void *context;
    torc_dispose_fn *dispose;
    torc_list_node node;
    torc_owner owner; /* of what is waited for */
    torc_deferred *ended;
    unsigned pauses;
    torc_err result;
    bool is_waiting, is_stepping, has_ended, is_freed;
};

/* ---- slices ---- */

static uint64_t budget_us(const torc_reactor *reactor) {
    return reactor->slice_us ? reactor->slice_us : BUDGET_US;
}

static bool is_over(const torc_reactor *reactor, uint64_t since_us) {
    return reactor->clock->monotonic_us(reactor->clock) - since_us >= budget_us(reactor);
}

/* In the next turn, also when that is in the same millisecond. */
static void arm_slice(torc_timer *timer) {
    torc_timer_arm_at(timer, torc_reactor_now_ms(timer->reactor));
}

static void make_ready(torc_task *task) {
    torc_cooperator *self = task->reactor->cooperator;

    if (task->has_ended || task->is_waiting || task->pauses || task->is_stepping) return;
    if (!torc_list_has(&task->node)) torc_list_push(&self->ready, &task->node);
    if (!torc_timer_is_armed(&self->slice)) arm_slice(&self->slice);
}

static void free_now(torc_task *task) {
    torc_dealloc(&task->reactor->memory, task);
}

static void end(torc_task *task, torc_err err) {
    torc_deferred *ended = task->ended;

    if (task->has_ended) return;
    task->has_ended = true;
    task->result = err;
    task->ended = NULL;
    torc_list_remove(&task->node);
    if (ended && err)
        (void)torc_deferred_fail(ended, err);
    else if (ended)
        (void)torc_deferred_fire(ended, NULL, NULL);
    else if (err && err != TORC_ERR_CANCELLED)
        TORC_LOG_ERROR(torc_reactor_log(task->reactor), "reactor", "a task has failed",
                       TORC_LOG_ERR("error", err));
    torc_deferred_dispose_of(task->context, task->dispose);
}

static void fired(torc_callback *callback, torc_err err, void *value) {
    torc_task *task = torc_container_of(callback, torc_task, owner.callback);

    task->is_waiting = false;
    if (!err) torc_deferred_dispose_of(value, task->owner.dispose);
    if (err)
        end(task, err);
    else
        make_ready(task);
}

static void wait_for(torc_task *task, torc_deferred *deferred) {
    if (task->has_ended) { /* stopped by its own step */
        torc_deferred_drop(deferred);
        return;
    }
    task->is_waiting = true;
    torc_deferred_own(deferred, &task->owner, fired);
}

static void do_step(torc_task *task) {
    bool done = false;

    task->is_stepping = true;
    torc_deferred *deferred = task->step(task->context, &done);
    if (deferred)
        wait_for(task, deferred);
    else if (done)
        end(task, TORC_OK);
    task->is_stepping = false;
    if (task->is_freed)
        free_now(task);
    else
        make_ready(task);
}

static void slice(torc_timer *timer) {
    torc_cooperator *self = torc_container_of(timer, torc_cooperator, slice);
    torc_reactor *reactor = timer->reactor;
    const uint64_t since_us = reactor->clock->monotonic_us(reactor->clock);
    torc_list_node *node;

    for (int i = 0; i < STEPS_MAX && (node = torc_list_pop(&self->ready)) != NULL; i++) {
        do_step(torc_container_of(node, torc_task, node));
        if (is_over(reactor, since_us)) break;
    }
    if (!torc_list_is_empty(&self->ready)) arm_slice(timer);
}

/* ---- tasks ---- */

static void reactor_freed(torc_reactor_guest *guest, torc_reactor *reactor) {
    torc_cooperator *self = torc_container_of(guest, torc_cooperator, guest);

    reactor->cooperator = NULL;
    torc_dealloc(&reactor->memory, self);
}

static bool has_cooperator(torc_reactor *reactor) {
    torc_cooperator *self = reactor->cooperator;

    if (self) return true;
    self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    if (!self) return false;
    torc_list_init(&self->ready);
    torc_timer_init(&self->slice, reactor, slice);
    self->guest.reactor_freed = reactor_freed;
    torc_reactor_add_guest(reactor, &self->guest);
    reactor->cooperator = self;
    return true;
}

torc_err torc_task_new(torc_reactor *reactor, torc_step_fn *step, void *context,
                       torc_dispose_fn *dispose, torc_task **task) {
    torc_task *made;

    if (!has_cooperator(reactor)) return TORC_ERR_NO_MEMORY;
    made = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*made));
    if (!made) return TORC_ERR_NO_MEMORY;
    made->reactor = reactor;
    made->step = step;
    made->context = context;
    made->dispose = dispose;
    make_ready(made);
    *task = made;
    return TORC_OK;
}

void torc_task_pause(torc_task *task) {
    task->pauses++;
    torc_list_remove(&task->node);
}

void torc_task_resume(torc_task *task) {
    if (task->pauses == 0) return;
    task->pauses--;
    make_ready(task);
}

bool torc_task_has_ended(const torc_task *task) {
    return task->has_ended;
}

void torc_task_stop(torc_task *task) {
    if (task->is_waiting) {
        task->is_waiting = false;
        torc_callback_cancel(&task->owner.callback);
    }
    end(task, TORC_ERR_CANCELLED);
}

torc_deferred *torc_task_ended(torc_task *task) {
    torc_reactor *reactor = task->reactor;
    torc_deferred *deferred;

    if (task->has_ended && task->result) return torc_deferred_failed(reactor, task->result);
    if (task->has_ended) return torc_deferred_of(reactor, NULL, NULL);
    if (task->ended && torc_deferred_is_wanted(task->ended))
        return torc_deferred_failed(reactor, TORC_ERR_BUSY);
    deferred = torc_deferred_new(reactor);
    if (torc_deferred_is_out_of_memory(deferred)) return deferred;
    if (task->ended) (void)torc_deferred_fail(task->ended, TORC_ERR_CANCELLED);
    task->ended = deferred;
    return deferred;
}

void torc_task_free(torc_task *task) {
    if (!task || task->is_freed) return;
    task->is_freed = true; /* by now: the context may be disposed of by freeing it, too */
    torc_task_stop(task);
    if (!task->is_stepping) free_now(task);
}

void torc_cooperate_set_budget(torc_reactor *reactor, uint32_t budget) {
    reactor->slice_us = budget ? budget : 1;
}

/* ---- fibers ---- */

torc_err torc_breathe(torc_reactor *reactor) {
    return is_over(reactor, reactor->now_us) ? torc_yield(reactor) : TORC_OK;
}
