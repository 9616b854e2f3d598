/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_LISTENER_H
#define TORC_TRANSPORT_LISTENER_H

#include <torc/endpoint.h>
#include <torc/metrics.h>

#include "transport/accounts.h"
#include "transport/stages.h"
#include "transport/stream.h"

/*
 * A listener: a listening socket, and the count of what it accepted.
 *
 * It is freed once it is closed and the last of its connections has ended, since these count
 * themselves out. One that was stopped stays until it is closed.
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
    bool is_exhausted; /* no descriptor is left: said once, until one is accepted */
    char *unlink_path; /* of a UNIX socket's file; removed at the end */
    torc_counter accepted, refused, exhausted;
};

/* As torc_endpoint_listen(), with a refusal, which is not sent where filters make other bytes of
 * it. */
torc_err torc_listener_new(torc_reactor *reactor, const torc_endpoint *endpoint,
                           torc_factory *factory, const torc_listen_options *options,
                           torc_str refusal, torc_listener **listener) TORC_MUST_CHECK;

/*
 * Bind and listen, without a reactor: the socket is the caller's, and a listener is made of it by
 * an endpoint that has it as its `fd`. A UNIX socket's file is the caller's to remove. Of an
 * endpoint that is an inherited descriptor this is that descriptor, once it is seen to listen.
 */
torc_err torc_endpoint_open(const torc_endpoint *endpoint, int *fd) TORC_MUST_CHECK;

#endif
