/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_LISTENER_H
#define TORC_TRANSPORT_LISTENER_H

#include <torc/endpoint.h>
#include <torc/metrics.h>

#include "transport/accounts.h"
#include "transport/filter.h"
#include "transport/listening.h"
#include "transport/stages.h"
#include "transport/stream.h"

/*
 * A listener: a listening socket, and the count of what it accepted.
 *
 * It is freed once it is closed and the last of its connections has ended, since these count
 * themselves out. One that was stopped stays until it is closed, and may be started again. That of
 * `localhost` has a second one for the other family, which does what it does.
 */
struct torc_listener {
    torc_io io;
    torc_stream_owner owner; /* of what it accepted */
    torc_reactor *reactor;
    torc_stages stages; /* of each connection; its factory is the listener's */
    torc_listen_options options;
    torc_addr addr;
    torc_str refusal; /* sent, if it can be, to a connection that is refused; static */
    uint32_t connections;
    torc_accounts accounts;  /* of addresses; used when there is a limit */
    torc_timer pause;        /* armed while no descriptor is left */
    bool is_closed, is_gone; /* asked for; told by the poller */
    bool is_held;            /* stopped, and not yet closed by its owner */
    bool is_paused;
    bool has_file;     /* of a UNIX socket; removed at the end */
    bool is_in_net;    /* of a test */
    bool is_exhausted; /* descriptors are scarce: said once, until they have not been lately */
    uint32_t exhausted_times; /* since it was said */
    uint64_t exhausted_ms;    /* the last of them */
    torc_listener *other;     /* of localhost: for ::1; NULL: none */
    torc_listener *primary;   /* whose `other` it is; NULL: nobody's */
    torc_listening listening;
    torc_endpoint endpoint; /* as it was bound */
    /* Of stdio:, which has one connection and no socket: what gets the transport, and the lowest
     * stage on it, which tells of its end. */
    torc_protocol starter;
    torc_filter bottom;
    void (*served)(torc_listener *listener, void *context); /* it has ended; NULL: told to nobody */
    void *served_context;
    torc_counter accepted, refused, exhausted;
};

/* As torc_endpoint_listen(), with a refusal, which is not sent where filters make other bytes of
 * it. */
torc_err torc_listener_new(torc_reactor *reactor, const torc_endpoint *endpoint,
                           torc_factory *factory, const torc_listen_options *options,
                           torc_str refusal, torc_listener **listener) TORC_MUST_CHECK;

/* As torc_listener_new(), with the stages that the endpoint asks for below the filters that are
 * given. */
torc_err torc_listener_new_staged(torc_reactor *reactor, const torc_endpoint *endpoint,
                                  torc_factory *factory, const torc_listen_options *options,
                                  torc_str refusal, torc_listener **listener) TORC_MUST_CHECK;

#endif
