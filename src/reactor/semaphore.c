/* SPDX-License-Identifier: MIT */
/*
 * Semaphores: permits, and the line of who waits for one.
 *
 *  - Permits are free or acquired; never more than there were at the beginning are free.
 *  - While a permit is free, nobody in the line wants one.
 *  - The value of an acquisition is the semaphore, and disposing of it is releasing: so a permit
 *    that nobody takes comes back.
 */
#include <assert.h>
#include <torc/semaphore.h>

#include "base/alloc.h"
#include "reactor/waiter.h"

struct torc_semaphore {
    torc_waiters line;
    size_t permits, free;
};

torc_err torc_semaphore_new(torc_reactor *reactor, size_t permits, torc_semaphore **semaphore) {
    torc_semaphore *self;

    if (permits == 0) return TORC_ERR_INVALID;
    self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    if (!self) return TORC_ERR_NO_MEMORY;
    torc_waiters_init(&self->line, reactor);
    self->permits = self->free = permits;
    *semaphore = self;
    return TORC_OK;
}

void torc_semaphore_free(torc_semaphore *semaphore) {
    if (!semaphore) return;
    torc_waiters_fail(&semaphore->line, TORC_ERR_CANCELLED);
    torc_dealloc(&semaphore->line.reactor->memory, semaphore);
}

static void release_value(void *value) {
    torc_semaphore_release(value);
}

static void serve(torc_semaphore *self) {
    torc_waiter *waiter;

    while (self->free > 0 && (waiter = torc_waiters_first(&self->line)) != NULL) {
        self->free--;
        torc_waiter_serve(waiter, TORC_OK, self, release_value);
    }
}

bool torc_semaphore_try_acquire(torc_semaphore *semaphore) {
    if (semaphore->free == 0) return false;
    semaphore->free--;
    return true;
}

void torc_semaphore_release(torc_semaphore *semaphore) {
    assert(semaphore->free < semaphore->permits && "what is released was acquired");
    semaphore->free++;
    serve(semaphore);
}

torc_deferred *(torc_semaphore_acquire)(torc_semaphore *semaphore) {
    if (torc_semaphore_try_acquire(semaphore))
        return torc_deferred_of(semaphore->line.reactor, semaphore, release_value);
    return torc_waiters_defer(&semaphore->line, NULL, NULL);
}

torc_err torc_semaphore_acquire_await(torc_semaphore *semaphore) {
    torc_waiter waiter = {.value = NULL};

    torc_waiters_push(&semaphore->line, &waiter);
    serve(semaphore);
    return torc_waiter_wait(&waiter);
}

size_t torc_semaphore_permits(const torc_semaphore *semaphore) {
    return semaphore->free;
}

size_t torc_semaphore_waiting(const torc_semaphore *semaphore) {
    return semaphore->line.count;
}

/* ---- doing something with a permit ---- */

/* The semaphore is there if there is a permit: who waited is told that it was freed. */
typedef struct running {
    torc_reactor *reactor;
    torc_semaphore *semaphore;
    torc_semaphore_fn *run;
    void *context;
} running;

static torc_deferred *acquired(void *context, torc_err err, void *value) {
    const running self = *(running *)context;
    torc_reactor *reactor = self.reactor;

    (void)value;
    torc_dealloc(&reactor->memory, context);
    if (err) return torc_deferred_failed_with(reactor, err, torc_deferred_take_failure(reactor));
    return torc_deferred_finally(self.run(self.context), release_value, self.semaphore);
}

torc_deferred *torc_semaphore_run(torc_semaphore *semaphore, torc_semaphore_fn *run,
                                  void *context) {
    torc_reactor *reactor = semaphore->line.reactor;
    running *self = torc_alloc(&reactor->memory, TORC_MEMORY_OTHER, sizeof(*self));

    if (!self) return torc_deferred_failed(reactor, TORC_ERR_NO_MEMORY);
    *self = (running){.reactor = reactor, .semaphore = semaphore, .run = run, .context = context};
    torc_deferred *result = torc_deferred_chain(torc_semaphore_acquire(semaphore), acquired, self);
    if (torc_deferred_is_out_of_memory(result)) torc_dealloc(&reactor->memory, self);
    return result;
}
