/* SPDX-License-Identifier: MIT */
/* Time (RFC 868): whoever connects gets the time, as 32 bits of seconds since 1900. */
#include <stdlib.h>

#include "protocols.h"

static const int64_t until_1970 = 2208988800; /* seconds from 1900 on */

static void connection_made(torc_protocol *protocol) {
    torc_transport *transport = protocol->transport;
    const uint32_t seconds =
        (uint32_t)(torc_reactor_wall_seconds(torc_transport_reactor(transport)) + until_1970);
    const char bytes[] = {(char)(seconds >> 24), (char)(seconds >> 16), (char)(seconds >> 8),
                          (char)seconds};

    torc_transport_write(transport, torc_str_make(bytes, sizeof(bytes)));
    torc_transport_close(transport);
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
torc_factory time_factory = {.ops = &factory_ops};
