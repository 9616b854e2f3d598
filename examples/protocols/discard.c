/* SPDX-License-Identifier: MIT */
/* Discard (RFC 863): what comes is thrown away. */
#include <stdlib.h>

#include "protocols.h"

static void connection_made(torc_protocol *protocol) {
    (void)protocol;
}

static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    (void)protocol;
    return bytes.len;
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    (void)reason;
    free(protocol);
}

static const torc_protocol_ops ops = {.connection_made = connection_made,
                                      .data_received = data_received,
                                      .connection_lost = connection_lost};

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
torc_factory discard_factory = {.ops = &factory_ops};
