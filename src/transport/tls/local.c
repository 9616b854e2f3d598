/* SPDX-License-Identifier: MIT */
/*
 * What all TLS connections of a reactor share.
 *
 *  - The room for plain bytes is lent to one connection at a time: while its bytes are looked at.
 *    TLS within TLS gets memory of its own meanwhile.
 *  - A cause is logged when it is first seen, and again at most once a minute, with how often it
 *    was seen since. So peers can write few lines only, however many they are.
 */
#include "transport/tls/local.h"

#include <torc/log.h>

#include "base/alloc.h"

static void reactor_freed(torc_reactor_guest *guest, torc_reactor *reactor) {
    torc_tls_local *self = torc_container_of(guest, torc_tls_local, guest);

    torc_metric_remove(&self->handshakes.metric);
    torc_metric_remove(&self->resumed.metric);
    torc_metric_remove(&self->failed.metric);
    torc_dealloc(&reactor->memory, self->plain);
    torc_dealloc(&reactor->memory, self->gather);
    torc_dealloc(&reactor->memory, self);
    reactor->tls = NULL;
}

static void register_metrics(torc_tls_local *self) {
    torc_metrics *metrics = self->reactor->metrics;

    if (!metrics) return;
    torc_metrics_add_counter(metrics, &self->handshakes, "tls_handshakes",
                             "TLS handshakes that were completed.", "");
    torc_metrics_add_counter(metrics, &self->resumed, "tls_handshakes_resumed",
                             "Of those, the ones that resumed a session.", "");
    torc_metrics_add_counter(metrics, &self->failed, "tls_failures",
                             "TLS connections that failed in their handshake or later.", "");
}

torc_tls_local *torc_tls_local_of(torc_reactor *reactor) {
    torc_memory *memory = &reactor->memory;
    torc_tls_local *self = reactor->tls;

    if (self) return self;
    self = torc_alloc_zero(memory, TORC_MEMORY_TLS, 1, sizeof(*self));
    if (!self) return NULL;
    self->plain = torc_alloc(memory, TORC_MEMORY_TLS, TORC_TLS_PLAIN_BYTES);
    self->gather = torc_alloc(memory, TORC_MEMORY_TLS, TORC_TLS_RECORD_BYTES);
    if (!self->plain || !self->gather) {
        torc_dealloc(memory, self->plain);
        torc_dealloc(memory, self->gather);
        torc_dealloc(memory, self);
        return NULL;
    }
    self->reactor = reactor;
    self->guest.reactor_freed = reactor_freed;
    torc_reactor_add_guest(reactor, &self->guest);
    register_metrics(self);
    reactor->tls = self;
    return self;
}

char *torc_tls_plain_take(torc_tls_local *self) {
    if (self->is_plain_lent)
        return torc_alloc(&self->reactor->memory, TORC_MEMORY_TLS, TORC_TLS_PLAIN_BYTES);
    self->is_plain_lent = true;
    return self->plain;
}

void torc_tls_plain_give(torc_tls_local *self, char *plain) {
    if (plain == self->plain)
        self->is_plain_lent = false;
    else
        torc_dealloc(&self->reactor->memory, plain);
}

/* The entry of a cause; the last one is for all that have found no place. */
static torc_tls_cause *find(torc_tls_local *self, uint32_t number) {
    size_t i = 0;

    while (i < self->cause_count && self->causes[i].number != number) i++;
    if (i < self->cause_count) return &self->causes[i];
    if (i == TORC_TLS_CAUSES_MAX) return &self->causes[TORC_TLS_CAUSES_MAX - 1];
    self->cause_count++;
    self->causes[i] = (torc_tls_cause){.number = number};
    return &self->causes[i];
}

void torc_tls_note(torc_tls_local *self, torc_transport *below, const torc_tls_failure *failure) {
    torc_tls_cause *cause = find(self, failure->cause);
    char text[TORC_ADDR_TEXT_MAX];
    uint64_t left_out;

    torc_counter_add(&self->failed, 1);
    cause->count++;
    if (!torc_log_gate_passes(&cause->gate, self->reactor->now_ms, &left_out)) return;
    const torc_addr peer = torc_transport_peer(below);
    TORC_LOG_WARN(self->reactor->log, "tls",
                  failure->is_handshake ? "a handshake failed" : "a connection was broken",
                  TORC_LOG_TEXT("reason", failure->text),
                  TORC_LOG_TEXT("as", failure->is_client ? "client" : "server"),
                  TORC_LOG_TEXT("name", failure->name ? failure->name : ""),
                  TORC_LOG_STR("peer", torc_addr_text(&peer, text)),
                  TORC_LOG_UINT("times", left_out + 1), TORC_LOG_UINT("in_all", cause->count));
}
