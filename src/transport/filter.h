/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_FILTER_H
#define TORC_TRANSPORT_FILTER_H

#include <stdatomic.h>
#include <torc/filter.h>

#include "transport/file_pump.h"
#include "transport/stages.h"
#include "transport/transport.h"

/*
 * Filters: stages of a byte stream.
 *
 * A filter is the protocol of the stage below and the transport of the stage above: chains go down,
 * consumed bytes go up, demand, end and failure go both ways. TLS, the PROXY header, throttling and
 * traffic logging are filters; they stack in any order on any listener. A filter that changes
 * nothing in one direction leaves that member NULL and the bytes pass through as they are.
 *
 *  - Bytes go down only while the stage below is under its high mark, so each stage holds about as
 *    much as its marks say. They go up only as fast as they are consumed: what is not is kept here.
 *  - A filter has the life of its connection: `free` is its last call, after the stage above has
 *    lost its connection.
 */
typedef struct torc_filter torc_filter;
typedef struct torc_filter_ops {
    /* The connection below is there. May be NULL. */
    void (*made)(torc_filter *filter);
    /*
     * Bytes from below: give what they become to torc_filter_deliver(), as often as it takes.
     * Answers how many it consumed; if not all, it is held, and given the rest again once
     * torc_filter_hold() lets go. One that waits for more bytes consumes and keeps what it has.
     * NULL: they go up as they are.
     */
    size_t (*received)(torc_filter *filter, torc_str bytes);
    /*
     * Bytes from above: take all of them out of `from`, and give what they become to
     * torc_filter_send_below(). An error aborts the connection. NULL: they go down as they are.
     */
    torc_err (*send)(torc_filter *filter, torc_chain *from);
    /* After one `send` or several: no more can be had for now. Let what was gathered go down. An
     * error aborts the connection. May be NULL. */
    torc_err (*sent)(torc_filter *filter);
    /* The peer has ended, and all it had sent was consumed: answer by torc_filter_deliver_end().
     * NULL: passed up. */
    void (*peer_ended)(torc_filter *filter);
    /* The stage below has agreed on TLS, see torc_protocol_ops. NULL: passed up. */
    void (*handshake_completed)(torc_filter *filter);
    /*
     * The stage above sends no more: send what is still held, and the last words, and then call
     * torc_filter_end_below(). NULL: passed down at once. Called once, whether it then goes on
     * to receive or not.
     */
    void (*shut_down)(torc_filter *filter);
    void (*free)(torc_filter *filter); /* the last */
    /* The address of an end, where the filter knows better than the stage below; {0}: it does not.
     * May be NULL. */
    torc_addr (*addr)(torc_filter *filter, bool peer);
    /* Add what the filter knows of the connection to what the stages below know. May be NULL. */
    void (*describe)(torc_filter *filter, torc_link_info *link);
    bool sends_files; /* `send` takes ranges of files; otherwise they come as bytes */
    /* Nothing stands above it until torc_filter_open(): then nothing is delivered, and nothing is
     * to be sent. */
    bool is_gate;
} torc_filter_ops;

/* The members are filter.c's; whoever embeds it reads `above.reactor`. */
struct torc_filter {
    torc_transport above; /* what the stage above uses */
    torc_protocol below;  /* what the stage below tells */
    const torc_filter_ops *ops;
    torc_file_pump pump;
    torc_call deliver;  /* posted while what is kept may be given */
    torc_chain passing; /* what is on its way through `send` */
    char *kept;         /* received and not consumed by the stage above; NULL mostly */
    size_t kept_len, kept_capacity;
    size_t asked;        /* bytes of above's output that are to be sent and have not been taken */
    torc_stages *stages; /* of a gate that has not opened: what is to stand above */
    uint16_t flags;
    uint8_t next_stage; /* the first of those */
};

/* Makes a filter for each connection. Embedded; whoever makes it sets `refs` to 1. */
struct torc_filter_factory {
    /*
     * Make a filter, to be stacked on `below`, which may be asked for what is known of the
     * connection. An error is its end.
     */
    torc_err (*build_filter)(torc_filter_factory *factory, torc_transport *below,
                             torc_filter **filter);
    void (*free)(torc_filter_factory *factory); /* nobody holds it any more. NULL: not needed */
    atomic_uint refs;
};

void torc_filter_init(torc_filter *filter, torc_reactor *reactor, const torc_filter_ops *ops);
/* Stack a filter on a transport that has no protocol yet; the transport to build on from then on.
 */
torc_transport *torc_filter_stack(torc_filter *filter, torc_transport *below);
/* Let one that is not stacked yet begin as held, see torc_filter_hold(). */
void torc_filter_hold_before(torc_filter *filter);
/* Put a filter between a running protocol and its transport, see torc_transport_insert(). It
 * receives once torc_filter_hold() lets go. */
torc_err torc_filter_insert(torc_filter *filter, torc_transport *transport) TORC_MUST_CHECK;
/* The gate opens: what is to stand above is built, and told of its connection, before this
 * returns. Not from inside `made`. Once. */
void torc_filter_open(torc_filter *filter);

/* The transport below. */
torc_transport *torc_filter_below(const torc_filter *filter);
/*
 * Give bytes to the stage above; what it does not consume is kept and given again. If there is no
 * memory for that the connection is aborted.
 */
void torc_filter_deliver(torc_filter *filter, torc_str bytes);
/* Receive from below even while the stage above does not, until it is called again with false: for
 * a filter that waits for bytes of its own. */
void torc_filter_need_input(torc_filter *filter, bool is_needed);
/* Receive nothing from below until it is called again with false. */
void torc_filter_hold(torc_filter *filter, bool is_held);
/* Take nothing from above until it is called again with false: for a filter that holds bytes on
 * their way down. */
void torc_filter_hold_output(torc_filter *filter, bool is_held);
/* The peer's end, told to the stage above when it has consumed what was delivered before. */
void torc_filter_deliver_end(torc_filter *filter);
/* Send a whole chain below. */
void torc_filter_send_below(torc_filter *filter, torc_chain *chain);
/* The answer to `shut_down`. */
void torc_filter_end_below(torc_filter *filter);
/* The bytes cannot be understood: the connection is aborted, and the stage above told this reason.
 */
void torc_filter_fail(torc_filter *filter, torc_err reason);
/* The same in good order: what was sent below still leaves, the last words to the peer. Nothing
 * more is taken from above. */
void torc_filter_refuse(torc_filter *filter, torc_err reason);

#endif
