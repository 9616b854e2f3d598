/* SPDX-License-Identifier: MIT */
/*
 * Telling what passes over connections.
 */
#include <torc/log.h>
#include <torc/policy.h>

#include "base/alloc.h"
#include "transport/filter.h"

enum {
    LOGGED_MAX = 256 /* bytes of each piece */
};

typedef struct traffic_factory {
    torc_filter_factory base;
    torc_reactor *reactor;
    torc_traffic_fn *traffic;
    void *context;
    uint64_t connections; /* so far */
} traffic_factory;

typedef struct overheard {
    torc_filter base;
    traffic_factory *factory;
    uint64_t number;
} overheard;

static overheard *self_of(torc_filter *filter) {
    return torc_container_of(filter, overheard, base);
}

static void tell(overheard *self, torc_traffic_kind kind, torc_str bytes, uint64_t len) {
    self->factory->traffic(self->factory->context, self->number, kind, bytes, len);
}

static void tell_event(torc_filter *filter, torc_traffic_kind kind) {
    tell(self_of(filter), kind, TORC_STR(""), 0);
}

static void made(torc_filter *filter) {
    tell_event(filter, TORC_TRAFFIC_MADE);
}

static size_t received(torc_filter *filter, torc_str bytes) {
    tell(self_of(filter), TORC_TRAFFIC_RECEIVED, bytes, bytes.len);
    torc_filter_deliver(filter, bytes);
    return bytes.len;
}

static torc_err send_(torc_filter *filter, torc_chain *from) {
    for (const torc_segment *segment = from->first; segment; segment = segment->next) {
        const bool is_file = segment->kind == TORC_SEGMENT_FILE;
        tell(self_of(filter), TORC_TRAFFIC_SENT,
             torc_str_make(is_file ? "" : segment->bytes, is_file ? 0 : segment->len),
             segment->len);
    }
    torc_filter_send_below(filter, from);
    return TORC_OK;
}

static void peer_ended(torc_filter *filter) {
    tell_event(filter, TORC_TRAFFIC_PEER_ENDED);
    torc_filter_deliver_end(filter);
}

static void shut_down(torc_filter *filter) {
    tell_event(filter, TORC_TRAFFIC_ENDED);
    torc_filter_end_below(filter);
}

static void free_overheard(torc_filter *filter) {
    overheard *self = self_of(filter);
    traffic_factory *factory = self->factory;

    tell_event(filter, TORC_TRAFFIC_LOST);
    torc_dealloc(&factory->reactor->memory, self);
    torc_filter_factory_unref(&factory->base);
}

static const torc_filter_ops ops = {
    .made = made,
    .received = received,
    .send = send_,
    .peer_ended = peer_ended,
    .shut_down = shut_down,
    .free = free_overheard,
    .sends_files = true,
};

static torc_err build(torc_filter_factory *base, torc_transport *below, torc_filter **filter) {
    traffic_factory *factory = torc_container_of(base, traffic_factory, base);
    overheard *self =
        torc_alloc_zero(&factory->reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));

    (void)below;
    if (!self) return TORC_ERR_NO_MEMORY;
    torc_filter_init(&self->base, factory->reactor, &ops);
    self->factory = factory;
    self->number = ++factory->connections;
    torc_filter_factory_ref(base);
    *filter = &self->base;
    return TORC_OK;
}

static void free_factory(torc_filter_factory *base) {
    traffic_factory *factory = torc_container_of(base, traffic_factory, base);
    torc_dealloc(&factory->reactor->memory, factory);
}

static void write_to_log(void *context, uint64_t connection, torc_traffic_kind kind, torc_str bytes,
                         uint64_t len) {
    static const char *const texts[] = {
        [TORC_TRAFFIC_MADE] = "made",
        [TORC_TRAFFIC_RECEIVED] = "received",
        [TORC_TRAFFIC_SENT] = "sent",
        [TORC_TRAFFIC_PEER_ENDED] = "the peer sends no more",
        [TORC_TRAFFIC_ENDED] = "nothing more is sent",
        [TORC_TRAFFIC_LOST] = "lost",
    };
    const traffic_factory *factory = context;

    TORC_LOG_DEBUG(
        factory->reactor->log, "transport.traffic", texts[kind],
        TORC_LOG_UINT("connection", connection), TORC_LOG_UINT("len", len),
        TORC_LOG_STR("bytes",
                     torc_str_head(bytes, bytes.len < LOGGED_MAX ? bytes.len : LOGGED_MAX)));
}

torc_err torc_traffic_log_new(torc_reactor *reactor, torc_traffic_fn *traffic, void *context,
                              torc_filter_factory **made_factory) {
    traffic_factory *factory =
        torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*factory));

    if (!factory) return TORC_ERR_NO_MEMORY;
    factory->base.build_filter = build;
    factory->base.free = free_factory;
    factory->base.refs = 1;
    factory->reactor = reactor;
    factory->traffic = traffic ? traffic : write_to_log;
    factory->context = traffic ? context : factory;
    *made_factory = &factory->base;
    return TORC_OK;
}
