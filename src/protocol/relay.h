/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_RELAY_H
#define TORC_PROTOCOL_RELAY_H

#include <torc/connect.h>
#include <torc/transport.h>

#include "protocol/splice.h"

/*
 * A relay: two connections, each of which gets what comes from the other, no faster than it takes
 * it. An end is passed on as an end (the other direction goes on), a reset as a reset.
 *
 * When much has passed the kernel does it alone, where it can (protocol/splice.h).
 *
 * Embedded in an object of its own kind, whose `free` is the last call: both sides have lost their
 * connections, or never had one, and no connection is being made any more.
 */
typedef struct torc_relay torc_relay;
typedef struct torc_relay_side {
    torc_protocol protocol;
    torc_relay *relay;
    bool is_made, is_lost, has_ended;
} torc_relay_side;

typedef struct torc_relay_ops {
    /* The far side is there, and bytes flow; or it cannot be reached. May be NULL: then the near
     * side is reset in that case. */
    void (*connected)(torc_relay *relay, torc_err err);
    void (*near_lost)(torc_relay *relay); /* its connection is no more. May be NULL */
    void (*free)(torc_relay *relay);
} torc_relay_ops;

struct torc_relay {
    const torc_relay_ops *ops;
    torc_reactor *reactor;
    torc_relay_side near, far;
    torc_factory factory; /* that builds the far side */
    torc_callback connecting;
    uint32_t holds;      /* that keep it from being freed, besides its sides */
    torc_timer splicing; /* armed while both sides are made quiet for that */
    uint8_t splice_tries;
    torc_splice *splice; /* NULL: the bytes go through this process */
    uint64_t *spliced;   /* counts those that do not; NULL: that is not wanted */
    uint64_t passed;     /* through this process, since that was last tried */
    bool is_connecting;
    bool flows; /* both sides may receive */
};

/* Make it; the near side's protocol is `&relay->near.protocol`, for a factory or to be switched to,
 * which receives nothing at first. */
void torc_relay_init(torc_relay *relay, torc_reactor *reactor, const torc_relay_ops *ops);
/* Make the far side by connecting, once the near side is made. */
void torc_relay_connect(torc_relay *relay, const torc_client_endpoint *endpoint,
                        const torc_connect_options *options);
/* Both sides are made: let bytes flow. What torc_relay_connect() does itself. */
void torc_relay_begin(torc_relay *relay);
/* Keep it from being freed, and do so no more: for who has its far side's protocol in a factory. */
void torc_relay_hold(torc_relay *relay);
void torc_relay_let_go(torc_relay *relay);

#endif
