/* SPDX-License-Identifier: MIT */
/*
 * Bounded queues: values, and the lines of who waits to put and to get.
 *
 *  - The values are a ring of `capacity` places, which grows up to `size_max`.
 *  - match() brings together what is there. After it nobody wants a value while there is one, and
 *    nobody wants to put while there is room.
 *  - Deferreds are matched by a posted call and not by the function that makes them, so that of
 *    several in a race only the one that wins is given a value.
 *  - match() calls nobody: fibers and callbacks go on from the reactor's queue.
 */
#include <torc/queue.h>

#include "base/alloc.h"
#include "reactor/waiter.h"

enum {
    CAPACITY_MIN = 8
};

typedef struct item {
    void *value;
    torc_dispose_fn *dispose;
} item;

struct torc_queue {
    torc_reactor *reactor;
    torc_waiters getters, putters;
    torc_call matching;
    item *items;
    size_t first, count, capacity;
    size_t size_max, backlog_max;
    bool is_closed;
};

/* ---- the ring ---- */

static torc_err grow(torc_queue *self) {
    torc_memory *memory = &self->reactor->memory;
    size_t capacity = self->capacity ? self->capacity * 2 : CAPACITY_MIN;

    if (capacity > self->size_max) capacity = self->size_max;
    item *items = torc_alloc_zero(memory, TORC_MEMORY_OTHER, capacity, sizeof(*items));
    if (!items) return TORC_ERR_NO_MEMORY;
    for (size_t i = 0; i < self->count; i++)
        items[i] = self->items[(self->first + i) % self->capacity];
    torc_dealloc(memory, self->items);
    self->items = items;
    self->first = 0;
    self->capacity = capacity;
    return TORC_OK;
}

static torc_err push(torc_queue *self, void *value, torc_dispose_fn *dispose) {
    if (self->count == self->capacity && grow(self)) return TORC_ERR_NO_MEMORY;
    self->items[(self->first + self->count) % self->capacity] =
        (item){.value = value, .dispose = dispose};
    self->count++;
    return TORC_OK;
}

static item pop(torc_queue *self) {
    const item popped = self->items[self->first];

    self->first = (self->first + 1) % self->capacity;
    self->count--;
    return popped;
}

/* ---- bringing together ---- */

static void give(torc_waiter *getter, item given) {
    torc_waiter_serve(getter, TORC_OK, given.value, given.dispose);
}

static bool has_served_getter(torc_queue *self) {
    torc_waiter *getter = self->count > 0 ? torc_waiters_first(&self->getters) : NULL;

    if (getter) give(getter, pop(self));
    return getter != NULL;
}

/* Into the hands of who waits for it, or into the ring. */
static bool has_served_putter(torc_queue *self) {
    torc_waiter *putter = torc_waiters_first(&self->putters);
    torc_waiter *getter = putter && self->count == 0 ? torc_waiters_first(&self->getters) : NULL;
    torc_err err = TORC_OK;

    if (!putter || (!getter && self->count >= self->size_max)) return false;
    const item brought = {.value = putter->value, .dispose = putter->dispose};
    if (getter)
        give(getter, brought);
    else
        err = push(self, brought.value, brought.dispose);
    torc_waiter_serve(putter, err, NULL, NULL);
    if (err) torc_deferred_dispose_of(brought.value, brought.dispose);
    return true;
}

static void match(torc_queue *self) {
    while (has_served_getter(self) || has_served_putter(self)) continue;
    if (self->is_closed && self->count == 0) torc_waiters_fail(&self->getters, TORC_ERR_CLOSED);
}

static void run_matching(torc_call *call) {
    match(torc_container_of(call, torc_queue, matching));
}

/* ---- putting ---- */

torc_err torc_queue_try_put(torc_queue *queue, void *value, torc_dispose_fn *dispose) {
    torc_waiter *getter;
    torc_err err = queue->is_closed ? TORC_ERR_CLOSED : TORC_OK;

    match(queue);
    getter = err || queue->count > 0 ? NULL : torc_waiters_first(&queue->getters);
    if (getter) {
        give(getter, (item){.value = value, .dispose = dispose});
        return TORC_OK;
    }
    if (!err && queue->count >= queue->size_max) err = TORC_ERR_LIMIT;
    if (!err) err = push(queue, value, dispose);
    if (err) torc_deferred_dispose_of(value, dispose);
    return err;
}

/* Why nobody more may wait in the line, where `served` will not have to. */
static torc_err refusal(const torc_queue *queue, const torc_waiters *line, size_t served) {
    return line->count >= queue->backlog_max && line->count - queue->backlog_max >= served
               ? TORC_ERR_LIMIT
               : TORC_OK;
}

static torc_err refusal_to_put(const torc_queue *queue) {
    if (queue->is_closed) return TORC_ERR_CLOSED;
    const size_t room = queue->size_max - queue->count;
    return refusal(queue, &queue->putters, room ? room : queue->getters.count);
}

torc_deferred *(torc_queue_put)(torc_queue *queue, void *value, torc_dispose_fn *dispose) {
    const torc_err err = refusal_to_put(queue);

    if (err) {
        torc_deferred_dispose_of(value, dispose);
        return torc_deferred_failed(queue->reactor, err);
    }
    torc_reactor_post(queue->reactor, &queue->matching);
    return torc_waiters_defer(&queue->putters, value, dispose);
}

torc_err torc_queue_put_await(torc_queue *queue, void *value, torc_dispose_fn *dispose) {
    torc_waiter waiter = {.value = value, .dispose = dispose};
    torc_err err = refusal_to_put(queue);

    if (!err) {
        torc_waiters_push(&queue->putters, &waiter);
        match(queue);
        err = torc_waiter_wait(&waiter);
    }
    if (err) torc_deferred_dispose_of(waiter.value, waiter.dispose);
    return err;
}

/* ---- getting ---- */

torc_err torc_queue_try_get(torc_queue *queue, void **value) {
    match(queue);
    if (queue->count == 0) return queue->is_closed ? TORC_ERR_CLOSED : TORC_ERR_AGAIN;
    *value = pop(queue).value;
    match(queue);
    return TORC_OK;
}

static torc_err refusal_to_get(const torc_queue *queue) {
    if (queue->is_closed && queue->count == 0) return TORC_ERR_CLOSED;
    return refusal(queue, &queue->getters, queue->count + queue->putters.count);
}

torc_deferred *(torc_queue_get)(torc_queue *queue) {
    const torc_err err = refusal_to_get(queue);

    if (err) return torc_deferred_failed(queue->reactor, err);
    torc_reactor_post(queue->reactor, &queue->matching);
    return torc_waiters_defer(&queue->getters, NULL, NULL);
}

torc_err torc_queue_get_await(torc_queue *queue, void **value) {
    torc_waiter waiter = {.value = NULL};
    torc_err err = refusal_to_get(queue);

    if (err) return err;
    torc_waiters_push(&queue->getters, &waiter);
    match(queue);
    err = torc_waiter_wait(&waiter);
    if (!err) *value = waiter.value;
    return err;
}

size_t torc_queue_count(const torc_queue *queue) {
    return queue->count;
}

/* ---- life ---- */

torc_err torc_queue_new(torc_reactor *reactor, size_t size_max, size_t backlog_max,
                        torc_queue **queue) {
    torc_queue *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->reactor = reactor;
    self->matching.run = run_matching;
    self->size_max = size_max;
    self->backlog_max = backlog_max;
    torc_waiters_init(&self->getters, reactor);
    torc_waiters_init(&self->putters, reactor);
    *queue = self;
    return TORC_OK;
}

void torc_queue_close(torc_queue *queue) {
    queue->is_closed = true;
    torc_waiters_fail(&queue->putters, TORC_ERR_CLOSED);
    match(queue);
}

void torc_queue_free(torc_queue *queue) {
    if (!queue) return;
    queue->is_closed = true;
    torc_call_cancel(&queue->matching);
    torc_waiters_fail(&queue->putters, TORC_ERR_CLOSED);
    torc_waiters_fail(&queue->getters, TORC_ERR_CLOSED);
    while (queue->count > 0) {
        const item dropped = pop(queue);
        torc_deferred_dispose_of(dropped.value, dropped.dispose);
    }
    torc_dealloc(&queue->reactor->memory, queue->items);
    torc_dealloc(&queue->reactor->memory, queue);
}
