/* SPDX-License-Identifier: MIT */
/*
 * Detours through threads.
 *
 *  - The job, the data and what is to be done are one allocation, which the fiber owns while it
 *    waits; from a cancelled wait on, the job owns it (`wait` is NULL) and frees it when it is
 *    told.
 *  - One that was deferred is the job's from the beginning; cancelled, it has no `deferred` any
 *    more, and is dropped when it is told.
 */
#include "reactor/detour.h"

#include <stddef.h>
#include <string.h>
#include <torc/thread.h>

#include "base/alloc.h"
#include "reactor/fiber.h"

typedef struct detour {
    torc_job job;
    torc_reactor *reactor;
    torc_wait *wait;         /* of a fiber; or else: */
    torc_deferred *deferred; /* NULL: left behind */
    torc_detour_give_fn *give;
    torc_detour_fn *run;
    torc_detour_dropped_fn *dropped;
    torc_err answer;
    max_align_t data[];
} detour;

typedef struct detour_wait {
    torc_wait base;
    detour *detour; /* NULL: left behind */
} detour_wait;

static detour *detour_of(void *data) {
    return (detour *)(void *)((char *)data - offsetof(detour, data));
}

void *torc_detour_new(torc_reactor *reactor, size_t size) {
    detour *self;

    if (size > PTRDIFF_MAX - sizeof(*self)) return NULL;
    self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self) + size);
    if (!self) return NULL;
    self->reactor = reactor;
    return self->data;
}

void torc_detour_free(void *data) {
    if (data) torc_dealloc(&detour_of(data)->reactor->memory, detour_of(data));
}

static void drop(detour *self, bool has_run) {
    if (self->dropped) self->dropped(self->data, has_run);
    torc_detour_free(self->data);
}

static void work(torc_job *job) {
    detour *self = torc_container_of(job, detour, job);
    self->answer = self->run(self->data);
}

/* What is left of it when it has given its value is dropped. */
static void fire(detour *self, torc_err err) {
    torc_deferred *deferred = self->deferred;
    torc_detour_value value = {.value = NULL};

    if (!err) err = self->give(self->data, &value);
    if (value.value != self->data) drop(self, self->job.err == TORC_OK);
    if (err)
        (void)torc_deferred_fail(deferred, err);
    else
        (void)torc_deferred_fire(deferred, value.value, value.dispose);
}

static void done(torc_job *job) {
    detour *self = torc_container_of(job, detour, job);

    if (self->wait)
        torc_wait_end(self->wait, job->err);
    else if (self->deferred)
        fire(self, job->err ? job->err : self->answer);
    else
        drop(self, job->err == TORC_OK);
}

static void cancel(torc_wait *wait, torc_err reason) {
    detour_wait *self = torc_container_of(wait, detour_wait, base);
    detour *left = self->detour;

    left->wait = NULL;
    self->detour = NULL;
    if (torc_job_abandon(&left->job)) drop(left, false);
    torc_wait_end(wait, reason);
}

torc_err torc_detour_run(void **data, torc_detour_fn *run, torc_detour_dropped_fn *dropped) {
    detour_wait waiting = {.detour = detour_of(*data)};
    detour *self = waiting.detour;
    torc_err err;

    self->job.work = work;
    self->job.done = done;
    self->run = run;
    self->dropped = dropped;
    self->wait = &waiting.base;
    err = torc_job_submit(self->reactor, &self->job);
    if (err) return err;
    err = torc_fiber_wait(self->reactor, &waiting.base, cancel);
    if (!waiting.detour) *data = NULL;
    return err ? err : self->answer;
}

static void cancel_deferred(torc_deferred *deferred, void *context) {
    detour *self = context;

    self->deferred = NULL;
    if (torc_job_abandon(&self->job)) drop(self, false);
    (void)torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

torc_deferred *torc_detour_defer(void *data, torc_detour_fn *run, torc_detour_dropped_fn *dropped,
                                 torc_detour_give_fn *give) {
    detour *self = detour_of(data);
    torc_deferred *deferred = torc_deferred_new(self->reactor);
    torc_err err = TORC_ERR_NO_MEMORY;

    self->job.work = work;
    self->job.done = done;
    self->run = run;
    self->dropped = dropped;
    self->give = give;
    self->deferred = deferred;
    if (!torc_deferred_is_out_of_memory(deferred)) err = torc_job_submit(self->reactor, &self->job);
    if (err) {
        drop(self, false);
        (void)torc_deferred_fail(deferred, err);
    } else {
        torc_deferred_set_canceller(deferred, cancel_deferred, self);
    }
    return deferred;
}

/* ---- any function ---- */

typedef struct call {
    torc_thread_fn *run;
    void (*dispose)(void *data);
    size_t size;
    max_align_t data[];
} call;

static torc_err run_call(void *data) {
    call *self = data;
    return self->run(self->data);
}

static void drop_call(void *data, bool has_run) {
    call *self = data;
    if (has_run && self->dispose) self->dispose(self->data);
}

torc_err torc_await_thread(torc_reactor *reactor, torc_thread_class thread_class,
                           torc_thread_fn *run, void *data, size_t size,
                           void (*dispose)(void *data)) {
    void *memory = torc_detour_new(reactor, sizeof(call) + size);
    call *self = memory;
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    self->run = run;
    self->dispose = dispose;
    detour_of(memory)->job.thread_class = thread_class;
    if (size) memcpy(self->data, data, size);
    err = torc_detour_run(&memory, run_call, drop_call);
    if (memory && size) memcpy(data, self->data, size);
    torc_detour_free(memory);
    return err;
}
