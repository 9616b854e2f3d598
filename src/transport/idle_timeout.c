/* SPDX-License-Identifier: MIT */
/*
 * The end of connections on which nothing happens.
 *
 *  - What passes notes the time; the timer, when it fires early, looks at that and goes on.
 *  - What leaves counts when the stage below has sent it, so that a peer that takes nothing is
 *    idle, however much waits for it.
 */
#include <torc/policy.h>
#include <torc/timer.h>

#include "base/alloc.h"
#include "transport/filter.h"

typedef struct idle_factory {
    torc_filter_factory base;
    torc_reactor *reactor;
    uint32_t idle_ms;
} idle_factory;

typedef struct watched {
    torc_filter base;
    idle_factory *factory;
    torc_timer timer;
    uint64_t received_ms; /* when something last came */
} watched;

static watched *watched_of(torc_filter *filter) {
    return torc_container_of(filter, watched, base);
}

static uint64_t last_event_ms(const watched *self) {
    const uint64_t left_ms = torc_transport_progress_ms(torc_filter_below(&self->base));
    return left_ms > self->received_ms ? left_ms : self->received_ms;
}

static void look(torc_timer *timer) {
    watched *self = torc_container_of(timer, watched, timer);
    const uint64_t idle_ms = self->factory->reactor->now_ms - last_event_ms(self);

    if (idle_ms >= self->factory->idle_ms)
        torc_filter_fail(&self->base, TORC_ERR_TIMEOUT);
    else
        torc_timer_arm(timer, self->factory->idle_ms - idle_ms);
}

static void made(torc_filter *filter) {
    watched *self = watched_of(filter);

    self->received_ms = self->factory->reactor->now_ms;
    torc_timer_arm(&self->timer, self->factory->idle_ms);
}

static size_t received(torc_filter *filter, torc_str bytes) {
    watched_of(filter)->received_ms = filter->above.reactor->now_ms;
    torc_filter_deliver(filter, bytes);
    return bytes.len;
}

static void free_watched(torc_filter *filter) {
    watched *self = watched_of(filter);
    idle_factory *factory = self->factory;

    torc_timer_cancel(&self->timer);
    torc_dealloc(&factory->reactor->memory, self);
    torc_filter_factory_unref(&factory->base);
}

static torc_err build(torc_filter_factory *base, torc_transport *below, torc_filter **filter) {
    static const torc_filter_ops ops = {.made = made, .received = received, .free = free_watched};
    idle_factory *factory = torc_container_of(base, idle_factory, base);
    watched *self =
        torc_alloc_zero(&factory->reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));

    (void)below;
    if (!self) return TORC_ERR_NO_MEMORY;
    torc_filter_init(&self->base, factory->reactor, &ops);
    torc_timer_init(&self->timer, factory->reactor, look);
    self->factory = factory;
    torc_filter_factory_ref(base);
    *filter = &self->base;
    return TORC_OK;
}

static void free_factory(torc_filter_factory *base) {
    idle_factory *factory = torc_container_of(base, idle_factory, base);
    torc_dealloc(&factory->reactor->memory, factory);
}

torc_err torc_idle_timeout_new(torc_reactor *reactor, uint32_t idle_ms,
                               torc_filter_factory **made_factory) {
    idle_factory *factory;

    if (!idle_ms) return TORC_ERR_INVALID;
    factory = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*factory));
    if (!factory) return TORC_ERR_NO_MEMORY;
    factory->base.build_filter = build;
    factory->base.free = free_factory;
    factory->base.refs = 1;
    factory->reactor = reactor;
    factory->idle_ms = idle_ms;
    *made_factory = &factory->base;
    return TORC_OK;
}
