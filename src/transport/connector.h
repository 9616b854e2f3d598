/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_CONNECTOR_H
#define TORC_TRANSPORT_CONNECTOR_H

#include <torc/connect.h>

#include "transport/race.h"
#include "transport/stages.h"
#include "transport/stream.h"

/*
 * Connecting to one of several addresses of a peer, and what stands on the connection then: from
 * the first attempt to the end of the connection.
 */
typedef struct torc_connector torc_connector;
typedef struct torc_connector_ops {
    /*
     * The protocol is there, and about to be told of its connection; or nothing came of it, and
     * `protocol` is NULL. Once, never from inside torc_connector_start().
     */
    void (*settled)(torc_connector *connector, torc_protocol *protocol, torc_err err);
    /* The connection, or the last attempt at one, has ended: the last, after `settled`; free here.
     */
    void (*ended)(torc_connector *connector, torc_err reason);
} torc_connector_ops;

/* What is to be connected to; lent. */
typedef struct torc_connector_target {
    const torc_addr *addrs; /* in the order in which they are tried */
    size_t addr_count;      /* 1 to TORC_RACE_MAX */
    const torc_addr *local; /* to connect from; NULL: none */
    uint64_t timeout_ms;    /* until the protocol is there; 0: no limit */
    uint64_t attempt_delay_ms;
    const torc_filters *filters; /* NULL: none */
    torc_endpoint_error *error;  /* who failed, and why, is appended; NULL: it is not said. Until
                                    `settled` */
} torc_connector_target;

typedef struct torc_attempt {
    torc_stream_owner owner;
    torc_connector *connector;
    torc_stream *stream; /* NULL: none, or it has ended */
    torc_addr addr;
} torc_attempt;

/* Embedded; the members are connector.c's. */
struct torc_connector {
    const torc_connector_ops *ops;
    torc_race race;
    torc_timer deadline;
    torc_factory factory; /* between the stages and the user's */
    torc_factory *users;
    torc_protocol *protocol;
    torc_stages stages;
    torc_attempt *attempts;
    torc_attempt *winner; /* NULL: nobody yet */
    torc_addr local;
    torc_endpoint_error *error;
    size_t attempt_count, open_count; /* streams that have not ended */
    torc_err err;                     /* why it was given up */
    bool is_settled, is_over;
};

/*
 * Begin. An error: nothing can come of it, and nothing will be told; what was set is let go. The
 * factory is held until `ended`.
 */
torc_err torc_connector_start(torc_connector *connector, torc_reactor *reactor,
                              const torc_connector_ops *ops, torc_factory *factory,
                              const torc_connector_target *target) TORC_MUST_CHECK;
/* Give it up for a reason, or abort the connection that there is. `settled` and `ended` come when
 * the last socket has been let go. Repeating it is fine. */
void torc_connector_abort(torc_connector *connector, torc_err reason);
/* A stream that a connector made is connected. */
void torc_connector_connected(torc_stream *stream);
/* As torc_connect_addr(), with filters, which may be NULL, between the socket and the protocol; it
 * holds them. */
torc_err torc_dial(torc_reactor *reactor, const torc_addr *addr, uint64_t timeout_ms,
                   torc_factory *factory, const torc_filters *filters,
                   torc_connect_failed_fn *failed, void *context) TORC_MUST_CHECK;
/* Append to an error's text, as far as there is room. */
void torc_connect_error_add(torc_endpoint_error *error, const char *format, ...) TORC_PRINTF(2, 3);

#endif
