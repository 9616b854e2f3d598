/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_NEGOTIATE_H
#define TORC_PROTOCOL_NEGOTIATE_H

#include <torc/protocol.h>

#include "protocol/exchange.h"

/*
 * Which wire a connection speaks: all that is known of the wires by who listens. A server of HTTP
 * is a factory; what the connections that it makes have in common is behind it.
 */
typedef struct torc_http_server_options {
    const torc_limits *limits; /* NULL: the defaults; zeros inherit */
    bool allow_bare_lf, allow_folded_fields;
} torc_http_server_options;

/* Make a server whose requests go to `acceptor`, which it is a user of until its end. It frees
 * itself when the last user of the factory is gone. */
torc_err torc_http_server_new(torc_reactor *reactor, torc_acceptor *acceptor,
                              const torc_http_server_options *options,
                              torc_factory **factory) TORC_MUST_CHECK;
/* Free one that was never used. */
void torc_http_server_free(torc_factory *factory);
/* The limits that its connections have, resolved. */
const torc_limits *torc_http_server_limits(const torc_factory *factory);
/*
 * Let the connections that are busy end with their request, and close those that are idle: at once,
 * or when they have been so for `idle_ms`, so that a request that is on its way to them is
 * answered. It may be called again with less.
 */
void torc_http_server_drain(torc_factory *factory, uint32_t idle_ms);
/* Requests whose heads were complete, since it was made. */
uint64_t torc_http_server_requests(const torc_factory *factory);
/* What may be agreed on by ALPN, by commas, the best first; a connection that has agreed on nothing
 * speaks HTTP/1.1. Static. */
const char *torc_http_server_protocols(void);
/* Whether all protocols of a list by commas are among them. */
bool torc_http_server_speaks(torc_str protocols);
/* What a connection is sent that is refused before it is one: a whole 503. */
torc_str torc_http_server_refusal(void);

#endif
