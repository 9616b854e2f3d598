/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_H
#define TORC_PROTOCOL_H

#include <torc/str.h>

/**
 * Protocols: what one side says over one connection; and factories, which make one for each.
 *
 * A protocol is embedded in a struct of its own kind and told what happens to its connection. It is
 * called on the reactor's thread, never from inside a call that it makes on its transport.
 */
typedef struct torc_protocol_ops {
    /** The connection is there: `protocol->transport` may be used from now on. */
    void (*connection_made)(torc_protocol *protocol);
    /**
     * Bytes came, lent until this returns. Answers how many were consumed: all of them, mostly. If
     * fewer, the rest is kept, reading pauses, and it is given again, with what came after, once
     * torc_transport_resume() is called.
     */
    size_t (*data_received)(torc_protocol *protocol, torc_str bytes);
    /**
     * The peer will send no more (it may still read). While the transport is paused this comes
     * before what the peer had sent was given. NULL: the connection is then closed once what was
     * written has left.
     */
    void (*peer_ended)(torc_protocol *protocol);
    /** After peer_ended: all that the peer had sent has been consumed. May be NULL. */
    void (*input_ended)(torc_protocol *protocol);
    /** The output fell to the low mark after it had reached the high one. May be NULL. */
    void (*drained)(torc_protocol *protocol);
    /**
     * The connection is no more: the last call, after which the transport is gone; free here.
     * TORC_ERR_CLOSED in good order, TORC_ERR_ABORTED by this side, TORC_ERR_RESET and others by
     * the peer.
     */
    void (*connection_lost)(torc_protocol *protocol, torc_err reason);
    /** The TLS that torc_tls_start() began in the middle of the connection is agreed on. May be
     * NULL. */
    void (*handshake_completed)(torc_protocol *protocol);
    /** A descriptor came with some of the bytes that are given next, after
     * torc_transport_receive_fds(): the callee's now. NULL: it is closed. */
    void (*fd_received)(torc_protocol *protocol, int fd);
} torc_protocol_ops;

struct torc_protocol {
    const torc_protocol_ops *ops;
    torc_transport *transport; /* set before connection_made; NULL before that */
};

typedef struct torc_factory_ops {
    /**
     * Make the protocol of a connection that was accepted or made. It belongs to itself: it ends in
     * its connection_lost. An error closes the connection. `transport` may be asked for addresses.
     */
    torc_err (*build_protocol)(torc_factory *factory, torc_transport *transport,
                               torc_protocol **protocol);
    /** The last listener or connector that used the factory has let go. May be NULL. */
    void (*stopped)(torc_factory *factory);
} torc_factory_ops;

/** Embedded in a struct of its own kind; belongs to whoever made it, for as long as it is used. */
struct torc_factory {
    const torc_factory_ops *ops;
    uint32_t users; /* private */
};

#endif
