/* SPDX-License-Identifier: MIT */
#ifndef TORC_SOCKS_H
#define TORC_SOCKS_H

#include <torc/cidr.h>
#include <torc/endpoint.h>

/**
 * SOCKS servers: proxies for TCP, versions 4, 4a and 5 (RFC 1928, RFC 1929), with CONNECT and BIND.
 *
 * A server is a factory for listeners. Whom it lets go where its rules say: without one it lets
 * nobody go anywhere. Names are looked up here, and the addresses that come of them are held to the
 * rules, so that no name leads where an address may not. Nobody is connected to 0.0.0.0 or ::,
 * which would be this machine, whatever the rules say of it. UDP ASSOCIATE is refused.
 */
typedef struct torc_socks torc_socks;

/** A rule; the first that fits decides. A range of family 0 fits every address. */
typedef struct torc_socks_rule {
    torc_cidr from;                 /* the client */
    torc_cidr to;                   /* where it wants to go; of BIND, whom it waits for */
    uint16_t port_first, port_last; /* of `to`; 0 and 0: all */
    bool is_denied;
} torc_socks_rule;

/** `size` first; zero means the default. */
typedef struct torc_socks_options {
    size_t size;                  /* sizeof(torc_socks_options) */
    const torc_socks_rule *rules; /* copied */
    size_t rule_count;
    /*
     * Whether a password is right: version 5 then wants one, and version 4, which has none, is
     * refused. NULL: nobody is asked. It may not wait.
     */
    bool (*check_password)(void *context, torc_str user, torc_str password);
    void *context;
    uint32_t request_ms; /* until the client must have said what it wants, 10000 */
    uint32_t connect_ms; /* for each address, 30000 */
    uint32_t bind_ms;    /* that a BIND waits for its connection, 120000 */
} torc_socks_options;

TORC_BEGIN_DECLS

/** Make a server. What it refuses is logged (namespace "protocol.socks"), bounded in number. */
TORC_API torc_err torc_socks_new(torc_reactor *reactor, const torc_socks_options *options,
                                 torc_socks **socks) TORC_MUST_CHECK;
/** What listeners are given. */
TORC_API torc_factory *torc_socks_factory(torc_socks *socks);
/** Connections that it has now. */
TORC_API uint32_t torc_socks_connections(const torc_socks *socks);
/** Let go of it; no listener uses it any more. Its memory goes with its last connection. NULL is
 * fine. */
TORC_API void torc_socks_free(torc_socks *socks);

TORC_END_DECLS

#endif
