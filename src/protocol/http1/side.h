/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_HTTP1_SIDE_H
#define TORC_PROTOCOL_HTTP1_SIDE_H

#include <torc/limits.h>
#include <torc/types.h>

/*
 * What the connections of one side share, so that none of it is in each of them. A server has one
 * for all of its connections, a client for its only one.
 */
enum {
    TORC_HTTP1_DEPARTURE_LISTS = 64
};

typedef struct torc_http1_side {
    const struct torc_http1_role_ops *role;
    torc_reactor *reactor;
    torc_limits limits;  /* all resolved */
    unsigned leniencies; /* TORC_HTTP1_ALLOW_… of heads; trailers are as lenient in folds alone */
    /* Who waits for messages to leave: the connections' departures, in lists by their address. */
    struct torc_departure *departures[TORC_HTTP1_DEPARTURE_LISTS];
} torc_http1_side;

#endif
