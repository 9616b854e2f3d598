/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_HTTP1_SERVER_H
#define TORC_PROTOCOL_HTTP1_SERVER_H

#include <torc/metrics.h>
#include <torc/protocol.h>

#include "base/list.h"
#include "protocol/exchange.h"
#include "protocol/http1/parse.h"
#include "protocol/http1/side.h"

/*
 * The server's side of HTTP/1: what the connections of a listener share, and the factory that makes
 * them.
 */
typedef struct torc_http1_server_options {
    const torc_limits *limits; /* NULL: the defaults; zeros inherit */
    bool allow_bare_lf, allow_folded_fields;
} torc_http1_server_options;

typedef struct torc_http1_server {
    torc_factory factory;
    torc_acceptor *acceptor;
    torc_http1_side side; /* by which a connection finds its server */
    torc_http1_known_host known_host;
    uint32_t patrol_ms;    /* how long the timer of a busy connection may sleep */
    torc_list connections; /* the oldest first */
    bool is_draining;
    /* Bytes of memory in use from which on: connections are not kept alive, new ones are refused,
     * requests are answered 503, connections are closed. */
    size_t shed_keep_alive, shed_connections, shed_requests, shed_peers;
    uint64_t may_shed_at_us; /* when connections may be looked through again for some to close */
    torc_counter requests, bad_requests, timeouts, shed;
} torc_http1_server;

/* Make a server whose requests go to `acceptor`, which must outlive it. It frees itself when the
 * last user of its factory is gone. */
torc_err torc_http1_server_new(torc_reactor *reactor, torc_acceptor *acceptor,
                               const torc_http1_server_options *options,
                               torc_http1_server **server) TORC_MUST_CHECK;
/* Free one that was never used. */
void torc_http1_server_free(torc_http1_server *server);
/*
 * Let the connections that are busy end with their request, and close those that are idle: at once,
 * or when they have been so for `idle_ms`, so that a request that is on its way to them is
 * answered. It may be called again with less.
 */
void torc_http1_server_drain(torc_http1_server *server, uint32_t idle_ms);
/* What a connection is sent that is refused before it is one: a whole 503. */
torc_str torc_http1_server_refusal(void);

#endif
