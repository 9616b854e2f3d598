/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_STREAM_H
#define TORC_TRANSPORT_STREAM_H

#include "transport/transport.h"

/*
 * The transport over a stream socket, TCP or UNIX: what an idle connection costs, besides its
 * protocol.
 */
typedef struct torc_stream torc_stream;
struct torc_stream {
    torc_transport base;
    torc_io io;
    /* Told when the stream has ended and is about to be freed: its listener or connector. May be
     * NULL. */
    void (*ended)(torc_stream *stream);
    void *owner;   /* of `ended` */
    void *account; /* of the owner's: the peer's count, a connector */
};

/* Make a stream over a connected, or fresh, socket, which it takes on success. It frees itself at
 * its end. */
torc_err torc_stream_new(torc_reactor *reactor, int fd, int family,
                         torc_stream **stream) TORC_MUST_CHECK;

#endif
