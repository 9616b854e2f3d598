/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_PROBE_H
#define TORC_TESTS_PROBE_H

#include <stdlib.h>
#include <string.h>
#include <torc/transport.h>

#include "check.h"

/*
 * A protocol that notes what it is told, and a factory that makes one of it. It checks the order of
 * things: connection_made first, peer_ended and input_ended once, nothing after connection_lost.
 */
typedef struct probe probe;
struct probe {
    torc_protocol base;
    torc_factory factory;
    torc_err refuses; /* build_protocol fails with it */
    char *got;
    size_t len, room;
    size_t take;                   /* consumes at most so many bytes a call; 0: all */
    void (*received)(probe *self); /* called when bytes were noted; may be NULL */
    void (*was_made)(probe *self);
    void (*was_drained)(probe *self);
    void *context;
    int builds, mades, receives, ends, input_ends, drains, losts, stops;
    torc_err reason;
};

static inline probe *probe_of(torc_protocol *protocol) {
    return torc_container_of(protocol, probe, base);
}

static inline void probe_made(torc_protocol *protocol) {
    probe *self = probe_of(protocol);

    assert_non_null(protocol->transport);
    assert_int_equal(self->mades++, 0);
    if (self->was_made) self->was_made(self);
}

static inline void probe_grow(probe *self, size_t len) {
    if (len <= self->room) return;
    self->room = 2 * len;
    self->got = (char *)realloc(self->got, self->room);
    assert_non_null(self->got);
}

static inline size_t probe_received(torc_protocol *protocol, torc_str bytes) {
    probe *self = probe_of(protocol);
    const size_t len = self->take && self->take < bytes.len ? self->take : bytes.len;

    assert_int_equal(self->mades, 1);
    assert_int_equal(self->losts, 0);
    assert_int_equal(self->input_ends, 0);
    assert_true(bytes.len > 0);
    probe_grow(self, self->len + len);
    memcpy(self->got + self->len, bytes.bytes, len);
    self->len += len;
    self->receives++;
    if (self->received) self->received(self);
    return len;
}

static inline void probe_peer_ended(torc_protocol *protocol) {
    probe *self = probe_of(protocol);

    assert_int_equal(self->losts, 0);
    assert_int_equal(self->ends++, 0);
}

static inline void probe_input_ended(torc_protocol *protocol) {
    probe *self = probe_of(protocol);

    assert_int_equal(self->losts, 0);
    assert_int_equal(self->ends, 1);
    assert_int_equal(self->input_ends++, 0);
}

static inline void probe_drained(torc_protocol *protocol) {
    probe *self = probe_of(protocol);

    assert_int_equal(self->losts, 0);
    self->drains++;
    if (self->was_drained) self->was_drained(self);
}

static inline void probe_lost(torc_protocol *protocol, torc_err reason) {
    probe *self = probe_of(protocol);

    assert_int_equal(self->mades, 1);
    assert_int_equal(self->losts++, 0);
    self->reason = reason;
}

static inline torc_err probe_build(torc_factory *factory, torc_transport *transport,
                                   torc_protocol **protocol) {
    probe *self = torc_container_of(factory, probe, factory);

    assert_non_null(transport);
    self->builds++;
    if (self->refuses) return self->refuses;
    *protocol = &self->base;
    return TORC_OK;
}

static inline void probe_stopped(torc_factory *factory) {
    torc_container_of(factory, probe, factory)->stops++;
}

static inline void probe_init(probe *self) {
    static const torc_protocol_ops ops = {
        .connection_made = probe_made,
        .data_received = probe_received,
        .peer_ended = probe_peer_ended,
        .input_ended = probe_input_ended,
        .drained = probe_drained,
        .connection_lost = probe_lost,
    };
    static const torc_factory_ops factory_ops = {.build_protocol = probe_build,
                                                 .stopped = probe_stopped};

    memset(self, 0, sizeof(*self));
    self->base.ops = &ops;
    self->factory.ops = &factory_ops;
}

static inline void probe_dispose(probe *self) {
    free(self->got);
    self->got = NULL;
}

#define check_got(probe_, text) check_str(torc_str_make((probe_)->got, (probe_)->len), text)

#endif
