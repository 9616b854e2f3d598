/* SPDX-License-Identifier: MIT */
/* Echo (RFC 862): what comes goes back, as fast as the peer takes it. */
#include <stdlib.h>

#include "protocols.h"

static void connection_made(torc_protocol *protocol) {
    (void)protocol;
}

/* What there is no room for stays where it is, and the peer is held back. */
static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    const size_t room = torc_transport_room(protocol->transport);
    const size_t len = bytes.len < room ? bytes.len : room;

    torc_transport_write(protocol->transport, torc_str_head(bytes, len));
    return len;
}

static void drained(torc_protocol *protocol) {
    torc_transport_resume(protocol->transport);
}

/* It may end before all of it went back. */
static void peer_ended(torc_protocol *protocol) {
    (void)protocol;
}

static void input_ended(torc_protocol *protocol) {
    torc_transport_close(protocol->transport);
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    (void)reason;
    free(protocol);
}

static const torc_protocol_ops ops = {
    .connection_made = connection_made,
    .data_received = data_received,
    .drained = drained,
    .peer_ended = peer_ended,
    .input_ended = input_ended,
    .connection_lost = connection_lost,
};

static torc_err build_protocol(torc_factory *factory, torc_transport *transport,
                               torc_protocol **protocol) {
    torc_protocol *self = calloc(1, sizeof(*self));

    (void)factory;
    (void)transport;
    if (!self) return TORC_ERR_NO_MEMORY;
    self->ops = &ops;
    *protocol = self;
    return TORC_OK;
}

static const torc_factory_ops factory_ops = {.build_protocol = build_protocol};
torc_factory echo_factory = {.ops = &factory_ops};
