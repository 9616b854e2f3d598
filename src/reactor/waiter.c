/* SPDX-License-Identifier: MIT */
/*
 * Lines of waiting fibers and deferreds.
 *
 *  - A waiter is in its line until it is served or cancelled; `count` is the number of them.
 *  - Serving calls nobody: a fiber goes on, and a callback is told, from the reactor's queue.
 *  - A deferred's waiter is freed before the deferred is fired.
 */
#include "reactor/waiter.h"

#include "base/alloc.h"

void torc_waiters_init(torc_waiters *line, torc_reactor *reactor) {
    torc_list_init(&line->list);
    line->reactor = reactor;
    line->count = 0;
}

static void leave(torc_waiter *waiter) {
    torc_list_remove(&waiter->node);
    waiter->line->count--;
}

void torc_waiters_push(torc_waiters *line, torc_waiter *waiter) {
    waiter->line = line;
    torc_list_push(&line->list, &waiter->node);
    line->count++;
}

torc_waiter *torc_waiters_first(const torc_waiters *line) {
    const torc_list_node *node = torc_list_first(&line->list);

    for (; node; node = torc_list_next(&line->list, node)) {
        torc_waiter *waiter = torc_container_of(node, torc_waiter, node);
        if (!waiter->deferred || torc_deferred_is_wanted(waiter->deferred)) return waiter;
    }
    return NULL;
}

/* ---- fibers ---- */

static void cancel_wait(torc_wait *wait, torc_err reason) {
    leave(torc_container_of(wait, torc_waiter, wait));
    torc_wait_end(wait, reason);
}

torc_err torc_waiter_wait(torc_waiter *waiter) {
    return torc_fiber_wait(waiter->line->reactor, &waiter->wait, cancel_wait);
}

/* ---- deferreds ---- */

static void cancel_deferred(torc_deferred *deferred, void *context) {
    torc_waiter *waiter = context;
    const torc_waiter copy = *waiter;

    leave(waiter);
    torc_dealloc(&deferred->reactor->memory, waiter);
    torc_deferred_dispose_of(copy.value, copy.dispose);
    (void)torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

torc_deferred *torc_waiters_defer(torc_waiters *line, void *value, torc_dispose_fn *dispose) {
    torc_reactor *reactor = line->reactor;
    torc_deferred *deferred = torc_deferred_new(reactor);
    torc_waiter *waiter = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*waiter));

    if (!waiter || torc_deferred_is_out_of_memory(deferred)) {
        torc_deferred_dispose_of(value, dispose);
        torc_dealloc(&reactor->memory, waiter);
        (void)torc_deferred_fail(deferred, TORC_ERR_NO_MEMORY);
        return deferred;
    }
    waiter->deferred = deferred;
    waiter->value = value;
    waiter->dispose = dispose;
    torc_waiters_push(line, waiter);
    torc_deferred_set_canceller(deferred, cancel_deferred, waiter);
    return deferred;
}

/* ---- serving ---- */

static void serve_deferred(torc_waiter *waiter, torc_err err, void *value,
                           torc_dispose_fn *dispose) {
    torc_deferred *deferred = waiter->deferred;

    torc_dealloc(&waiter->line->reactor->memory, waiter);
    if (err)
        (void)torc_deferred_fail_at(deferred, err, deferred->made_at);
    else
        (void)torc_deferred_fire(deferred, value, dispose);
}

void torc_waiter_serve(torc_waiter *waiter, torc_err err, void *value, torc_dispose_fn *dispose) {
    leave(waiter);
    if (waiter->deferred) {
        serve_deferred(waiter, err, value, dispose);
        return;
    }
    waiter->value = value;
    waiter->dispose = dispose;
    torc_wait_end(&waiter->wait, err);
}

void torc_waiters_fail(torc_waiters *line, torc_err err) {
    torc_list_node *node;

    while ((node = torc_list_first(&line->list)) != NULL) {
        torc_waiter *waiter = torc_container_of(node, torc_waiter, node);
        void *value = waiter->value;
        torc_dispose_fn *dispose = waiter->dispose;
        torc_waiter_serve(waiter, err, NULL, NULL);
        torc_deferred_dispose_of(value, dispose);
    }
}
