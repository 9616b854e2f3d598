/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_STREAM_H
#define TORC_TRANSPORT_STREAM_H

#include "transport/transport.h"

/* Who made a stream: its listener or connector, in which this is embedded. */
typedef struct torc_stream_owner torc_stream_owner;
struct torc_stream_owner {
    /* The stream has ended and is about to be freed. */
    void (*ended)(torc_stream_owner *owner, torc_stream *stream);
};

/* The addresses of both ends, this one first, once somebody has asked for them. */
typedef struct torc_stream_addrs {
    uint8_t lens[2]; /* 0: not known yet */
    struct sockaddr_in6 ends[2];
} torc_stream_addrs;

/*
 * The transport over a stream socket, TCP or UNIX: what an idle connection costs, besides its
 * protocol.
 */
struct torc_stream {
    torc_transport base;
    torc_io io;
    torc_stream_owner *owner; /* may be NULL */
    void *account;            /* the owner's */
    union {
        torc_stream_addrs *addrs; /* NULL: nobody has asked */
        torc_io_passing *passing; /* of an io of the family TORC_IO_PASSING */
    };
};

/* Make a stream over a connected, or fresh, socket, which it takes on success. It frees itself at
 * its end. */
torc_err torc_stream_new(torc_reactor *reactor, int fd, int family,
                         torc_stream **stream) TORC_MUST_CHECK;
/*
 * The descriptor of a transport that is a socket itself, paused, with nothing received that was not
 * consumed and nothing unsent: TORC_ERR_UNSUPPORTED, it is none; TORC_ERR_AGAIN, not now.
 */
torc_err torc_stream_fd(const torc_transport *transport, int *fd) TORC_MUST_CHECK;
/* Tell the protocol of the descriptors that came, unless it has paused; and close all that are
 * left, at the end. Of a stream that passes them. */
void torc_stream_tell_fds(torc_stream *stream);
void torc_stream_end_passing(torc_stream *stream);

#endif
