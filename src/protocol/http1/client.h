/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_HTTP1_CLIENT_H
#define TORC_PROTOCOL_HTTP1_CLIENT_H

#include <torc/protocol.h>

#include "protocol/exchange.h"

/*
 * The client's side of HTTP/1: a connection on which one exchange after another is asked for.
 *
 * A client is a protocol: a factory gives it its transport. It belongs to itself and ends with its
 * connection, which `lost` tells.
 */
typedef struct torc_http1_client torc_http1_client;

typedef struct torc_http1_client_ops {
    /* An exchange may be opened: the connection is there, or the last exchange has ended in order.
     */
    void (*idle)(torc_http1_client *client, void *context);
    /* The connection is no more, and the client is freed behind this call. */
    void (*lost)(torc_http1_client *client, void *context, torc_err reason);
} torc_http1_client_ops;

/* Make a client. `limits` (NULL: the defaults) are copied; those of requests hold for responses. */
torc_err torc_http1_client_new(torc_reactor *reactor, const torc_limits *limits,
                               const torc_http1_client_ops *ops, void *context,
                               torc_http1_client **client) TORC_MUST_CHECK;
/* What a factory answers. */
torc_protocol *torc_http1_client_protocol(torc_http1_client *client);
/*
 * Open an exchange, whose events the caller binds before it sends the head. TORC_ERR_BUSY while
 * another is under way, TORC_ERR_CLOSED when the connection is ending.
 */
torc_err torc_http1_client_open(torc_http1_client *client,
                                torc_exchange **exchange) TORC_MUST_CHECK;
/* Close the connection; an exchange under way is lost. `lost` will tell. */
void torc_http1_client_close(torc_http1_client *client);

#endif
