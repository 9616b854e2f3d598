/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_CONNECTOR_H
#define TORC_TRANSPORT_CONNECTOR_H

#include <torc/endpoint.h>

#include "transport/stream.h"

/* A stream that a connector made is connected: its protocol is built now. */
void torc_connector_connected(torc_stream *stream);

#endif
