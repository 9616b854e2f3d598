/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_TRANSPORT_H
#define TORC_TRANSPORT_TRANSPORT_H

#include <torc/transport.h>

#include "transport/outgoing.h"

/*
 * What all transports share: the output chain with its marks, its flush once a turn, the producer,
 * and the order of closing. What differs (a socket, a filter, memory) is behind torc_transport_ops.
 *
 * States: open → (close_write) → closing (flushes what waits) → closed. torc_transport_closed() is
 * the one place where the protocol's connection_lost is called, in a turn's retirement.
 */
enum {
    TORC_TRANSPORT_OUTPUT_MAX =
        64 * 1024 * 1024 /* bytes unsent, unless set otherwise: then it is aborted */
};

typedef struct torc_stream torc_stream;

typedef struct torc_transport_ops {
    /*
     * Send the first `len` bytes of the transport's output, which stays lent until
     * torc_transport_sent() has told of all of them: later, in parts or at once, or from inside
     * this call, which comes from the flush. One at a time. The stage below takes what it has sent
     * out of the output.
     */
    void (*send)(torc_transport *transport, size_t len);
    /* Until receive_stop: tell what comes by torc_transport_received(). What that does not consume
     * is kept below, and given again from the next receive_start on. */
    void (*receive_start)(torc_transport *transport);
    void (*receive_stop)(torc_transport *transport);
    void (*shut_down)(torc_transport *transport);         /* FIN; nothing is being sent */
    void (*close)(torc_transport *transport, bool reset); /* answered by torc_transport_closed() */
    torc_addr (*addr)(torc_transport *transport, bool peer);
    /* Add what else is known of the connection; NULL: nothing. */
    void (*describe)(torc_transport *transport, torc_link_info *link);
    torc_err (*set_option)(torc_transport *transport, int option,
                           bool on); /* TCP_NODELAY, SO_KEEPALIVE */
    /* Bytes that were sent and that the peer has not acknowledged: the kernel's. NULL: not known,
     * none. */
    size_t (*unacknowledged)(torc_transport *transport);
    /* The stream at the bottom of it. NULL: there is none. */
    torc_stream *(*stream)(torc_transport *transport);
    /* Ranges of files are sent by calls that would wait for a disk: they are warmed before. */
    bool sends_files;
} torc_transport_ops;

struct torc_transport {
    const torc_transport_ops *ops;
    torc_protocol *protocol;
    torc_reactor *reactor;
    torc_outgoing *outgoing; /* NULL while there is nothing to send, and nobody who feeds it */
    size_t output_max;
    uint64_t sent_total; /* bytes so far: a rate is made of these */
    uint32_t low_mark, high_mark;
    uint32_t progress_ms; /* when some of the output last left, or began to wait; cut short */
    uint16_t flags;       /* private to transport.c */
    int16_t reason;       /* why it is lost */
};

/* Make an open transport, without a protocol. */
void torc_transport_init(torc_transport *transport, torc_reactor *reactor,
                         const torc_transport_ops *ops);
/* Bind the protocol and call its connection_made; receiving starts. */
void torc_transport_made(torc_transport *transport, torc_protocol *protocol);
/* The events of the stage below. */
size_t torc_transport_received(torc_transport *transport, torc_str bytes);
void torc_transport_peer_ended(torc_transport *transport);
void torc_transport_input_ended(torc_transport *transport);
void torc_transport_sent(torc_transport *transport, size_t bytes);
void torc_transport_handshake_completed(torc_transport *transport);
/* What torc_file_warmer_start() was asked for is at hand. */
void torc_transport_warmed(torc_transport *transport);
void torc_transport_failed(torc_transport *transport, torc_err err);
/* The last event: calls connection_lost; the owner frees the transport after it returns. */
void torc_transport_closed(torc_transport *transport);
/*
 * The output, to serialise into; NULL when out of memory, or closed. After adding to it call
 * torc_transport_written(), which looks at the marks and the maximum and has it flushed at the end
 * of the turn.
 */
torc_chain *torc_transport_output(torc_transport *transport);
void torc_transport_written(torc_transport *transport);
/* Flush what is to be flushed at the end of this turn, now: for a stage above, in its own flush. */
void torc_transport_flush_now(torc_transport *transport);
/* Take a whole chain into the output. */
void torc_transport_write_chain(torc_transport *transport, torc_chain *chain);
/* Hand the connection to another protocol (an upgrade), which is told connection_made and given
 * what was not consumed. The old one gets no further call. Not from inside a call of the transport.
 * That the peer has ended, if the old one was told, is told again. */
void torc_transport_switch_protocol(torc_transport *transport, torc_protocol *protocol);
/* Whether the stage below was told to close: nothing is sent or received any more. */
bool torc_transport_has_ended(const torc_transport *transport);
/*
 * Bytes of the output that the peer has taken, as far as is known: what the kernel holds does not
 * count, which may be megabytes, and minutes of a slow peer's time. A system call: for deadlines.
 */
uint64_t torc_transport_delivered(torc_transport *transport);
/* When some of the output last left, or began to wait, or somebody said so. */
uint64_t torc_transport_progress_ms(const torc_transport *transport);
void torc_transport_note_progress(torc_transport *transport);
/* Abort for a reason that connection_lost will tell. */
void torc_transport_abort_with(torc_transport *transport, torc_err reason);
/* Close once all that was written has left, for a reason that connection_lost will tell. */
void torc_transport_close_with(torc_transport *transport, torc_err reason);
/*
 * Put a stage between an open transport and its protocol, which stands on `above` from then on, and
 * `below`, the stage's, on the transport. Fine from inside a call of the transport. The protocol is
 * told nothing; what it has not consumed is the stage's once that resumes the transport, which is
 * paused. TORC_ERR_STATE when the transport is closing, the peer has ended, or a producer feeds it.
 */
torc_err torc_transport_insert(torc_transport *transport, torc_transport *above,
                               torc_protocol *below) TORC_MUST_CHECK;

#endif
