/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_CONNECTOR_H
#define TORC_TRANSPORT_CONNECTOR_H

#include <torc/endpoint.h>

#include "transport/stages.h"
#include "transport/stream.h"

/* As torc_connect_addr(), with filters, which may be NULL, between the socket and the protocol; it
 * holds them. */
torc_err torc_connector_new(torc_reactor *reactor, const torc_addr *addr, uint64_t timeout_ms,
                            torc_factory *factory, const torc_filters *filters,
                            torc_connect_failed_fn *failed, void *context) TORC_MUST_CHECK;
/* A stream that a connector made is connected: its protocol is built now. */
void torc_connector_connected(torc_stream *stream);

#endif
