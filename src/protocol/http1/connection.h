/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_HTTP1_CONNECTION_H
#define TORC_PROTOCOL_HTTP1_CONNECTION_H

#include <torc/timer.h>

#include "protocol/exchange.h"
#include "protocol/http1/chunked.h"
#include "protocol/http1/parse.h"
#include "protocol/http1/serialize.h"
#include "protocol/http1/side.h"
#include "reactor/reactor.h"
#include "transport/transport.h"

/*
 * What the two roles of HTTP/1 share: a connection that carries one exchange at a time, and the
 * exchange's body in both directions. What differs, heads and what follows an exchange, is behind
 * torc_http1_role_ops; see server.h and client.h.
 */
typedef struct torc_http1_connection torc_http1_connection;
typedef struct torc_http1_exchange torc_http1_exchange;

typedef struct torc_http1_role_ops {
    /* The connection is there. May be NULL. */
    void (*begun)(torc_http1_connection *connection);
    /* Take bytes while no message's body is expected; how many. 0: not now. */
    size_t (*take_head)(torc_http1_connection *connection, torc_str bytes);
    /* Both messages are complete; `is_unread`: the peer sent more. Ends the exchange. */
    void (*exchange_done)(torc_http1_connection *connection, bool is_unread);
    /* The peer broke the protocol in a body, or was too slow: answer or reset. Ends the exchange.
     */
    void (*message_bad)(torc_http1_connection *connection, torc_err reason, int status,
                        const char *problem);
    /* When something is to be done next for what only the role knows of, and doing it. */
    uint64_t (*deadline)(torc_http1_connection *connection);
    void (*deadline_passed)(torc_http1_connection *connection);
    /* FIN came; what was sent before it may still be given. May be NULL. */
    void (*peer_ended)(torc_http1_connection *connection);
    /* And all of it was taken: nothing more will come. */
    void (*input_ended)(torc_http1_connection *connection);
    /* What the exchange is told when the peer has gone. NULL: TORC_ERR_LOST. */
    torc_err (*reason_of_loss)(torc_http1_connection *connection);
    /* The connection is no more and its exchange closed: free it. */
    void (*free)(torc_http1_connection *connection);
} torc_http1_role_ops;

/* What an idle connection costs, besides its stream. */
struct torc_http1_connection {
    torc_protocol protocol;
    torc_http1_side *side;
    torc_http1_exchange *current; /* whose head, body or response is under way; NULL: idle */
    torc_timer timer;             /* the only one: never later than the next deadline */
    torc_list_node node;          /* the role's */
    uint64_t out_mark;            /* bytes taken when the output's rate was last looked at … */
    uint32_t out_mark_ms;         /* … and when, 0: nothing was waiting */
    uint32_t out_seen;            /* bytes that the peer had taken at the last look, cut short */
    uint32_t since_ms;            /* when the present state began, cut short */
    uint32_t served;              /* exchanges that were done */
    uint16_t turn;                /* the turn, cut short, in which `turn_served` of them were */
    uint16_t turn_served;
    uint16_t flags; /* TORC_HTTP1_… below */
};

enum {
    TORC_HTTP1_IN_LOOP = 1,  /* data_received is on the stack: what ends is looked at there */
    TORC_HTTP1_HAS_KEPT = 2, /* bytes were left with the transport, which is paused */
    TORC_HTTP1_PEER_ENDED = 4,
    TORC_HTTP1_LINGERING = 8,     /* FIN was sent: read and drop until the peer's */
    TORC_HTTP1_ENDING = 16,       /* closing, lingering or aborted: nothing is begun any more */
    TORC_HTTP1_TURN_IS_OVER = 32, /* enough was served in this turn: go on in the next */
    TORC_HTTP1_INPUT_ENDED = 128, /* and all before it was taken */
    TORC_HTTP1_HAS_DEPARTURES = 256,
    TORC_HTTP1_HANDED_OVER = 64 /* another protocol has the transport: only memory is left */
};

typedef enum torc_http1_in {
    TORC_HTTP1_IN_HEAD,
    TORC_HTTP1_IN_LENGTH,
    TORC_HTTP1_IN_CHUNKS,
    TORC_HTTP1_IN_TRAILERS,
    TORC_HTTP1_IN_TO_CLOSE, /* and of a tunnel */
    TORC_HTTP1_IN_DONE
} torc_http1_in;

typedef enum torc_http1_out {
    TORC_HTTP1_OUT_HEAD,
    TORC_HTTP1_OUT_BODY,
    TORC_HTTP1_OUT_DONE
} torc_http1_out;

/* In its arena. The members up to `head` are cleared. */
struct torc_http1_exchange {
    torc_http1_connection *connection; /* NULL once the exchange is closed */
    torc_call advance;                 /* posted when it is done outside of data_received */
    uint8_t in, out;                   /* torc_http1_in, torc_http1_out */
    uint8_t out_body;                  /* torc_http1_body */
    bool out_is_dropped;               /* the body of an answer to HEAD, a 204 or 304 */
    bool keeps_alive;
    bool is_told;      /* the head was */
    bool is_stopped;   /* no more of the incoming body is wanted: it is dropped */
    bool is_refused;   /* what is left of it is too much to be dropped */
    bool is_continued; /* 100 was sent, or bytes of the body came */
    bool is_switch;    /* a 101, or a 2xx to CONNECT, went or came */
    bool is_tunnel;
    bool has_link;
    torc_err reset_reason;
    size_t demand;    /* bytes of the incoming body that are wanted */
    uint64_t in_left; /* of a body of known length */
    uint64_t out_left;
    uint64_t dropped;
    uint64_t wanted_ms;   /* when it was first wanted, or given up; 0: not yet */
    uint64_t progress_ms; /* when the peer last sent some of the body that is wanted */
    uint64_t in_total, in_mark;
    uint32_t in_mark_ms;
    uint32_t out_head;  /* bytes of the final head */
    uint64_t out_total; /* when it was closed: bytes of the connection until then */
    uint64_t out_begun; /* where in all that the connection sends the message begins */
    char *gathered;     /* a head or trailers that came in parts */
    uint32_t gathered_len, gathered_capacity;
    torc_http1_parser *trailers;
    torc_factory *successor; /* who gets the connection after a 101 */

    torc_head head;
    torc_exchange base;
    torc_arena arena; /* which holds this, too */
    torc_http1_framing framing;
    torc_chunked_decoder chunks;
    union {
        torc_http1_parser parser; /* until the head is complete */
        torc_link_info link;      /* from then on */
    } as;
};

/* Make a connection in the memory of a role; the protocol's operations are set. */
void torc_http1_connection_init(torc_http1_connection *connection, torc_http1_side *side);
/* An exchange in an arena of its own, with nothing known yet, as `current`; NULL when out of
 * memory. */
torc_http1_exchange *torc_http1_exchange_new(torc_http1_connection *connection,
                                             const torc_exchange_wire *wire, bool is_client);
torc_http1_exchange *torc_http1_exchange_of(torc_exchange *exchange);
/* The current exchange is over: tell `closed`. */
void torc_http1_exchange_close(torc_http1_connection *connection, torc_err reason);

/*
 * Go on with a head, or trailers, of which some bytes may have come before: how many were taken in
 * `*taken`; when DONE, where its bytes are in `*head`.
 */
torc_http1_outcome torc_http1_gather(torc_http1_exchange *exchange, torc_http1_parser *parser,
                                     torc_str bytes, size_t *taken, char **head);
/* The head was taken from its bytes: what body follows. */
void torc_http1_begin_body_in(torc_http1_exchange *exchange);
/* The final head's framing is decided: what body goes out. */
void torc_http1_begin_body_out(torc_http1_exchange *exchange,
                               const torc_http1_framing_out *framing);
/* Write a head by `write` into the output. */
typedef size_t torc_http1_write_fn(const torc_head *head, const torc_http1_framing_out *framing,
                                   char *to);
torc_err torc_http1_write_head(torc_http1_exchange *exchange, torc_http1_write_fn *write,
                               const torc_head *head, const torc_http1_framing_out *framing);
/* Our message is complete: go on, from the loop or a posted call. */
void torc_http1_out_done(torc_http1_exchange *exchange);
/* The incoming message is complete, from the start. */
void torc_http1_in_done(torc_http1_exchange *exchange, const torc_fields *trailers);

/* The parts of the wire that both roles have as they are. */
torc_err torc_http1_send_body(torc_exchange *exchange, torc_chain *chain);
torc_err torc_http1_send_end(torc_exchange *exchange, const torc_fields *trailers);
size_t torc_http1_room(torc_exchange *exchange);
void torc_http1_want_body(torc_exchange *exchange, size_t bytes);
void torc_http1_stop_body(torc_exchange *exchange);
void torc_http1_reset(torc_exchange *exchange, torc_err reason);
const torc_link_info *torc_http1_link(torc_exchange *exchange);
torc_sent torc_http1_sent(torc_exchange *exchange);
bool torc_http1_watch_departure(torc_exchange *exchange, torc_departure *departure);
void torc_http1_free(torc_exchange *exchange);
torc_err torc_http1_tunnel(torc_exchange *exchange);
torc_err torc_http1_hand_over(torc_exchange *exchange, torc_factory *factory);

/* Take bytes of the body that is under way (incoming.c): how many; 0: they are not wanted now. */
size_t torc_http1_take_body(torc_http1_exchange *exchange, torc_str bytes);
/* What the timer of a connection does (deadlines.c). */
void torc_http1_deadline_expired(torc_timer *timer);

/* Have the timer expire no later than `delay_ms` from now; TORC_UNLIMITED: never mind. */
static inline void torc_http1_expect_within(torc_http1_connection *connection, uint32_t delay_ms);
/* `ms` after `from_ms`, UINT64_MAX when unlimited. */
uint64_t torc_http1_after(uint64_t from_ms, uint32_t ms);
/* Receive again, if receiving was paused with bytes left. */
void torc_http1_resume(torc_http1_connection *connection);
/* End the connection once what was written has left; with unread input after the peer has read it.
 */
void torc_http1_end(torc_http1_connection *connection, bool is_unread);
/* End it at once. */
void torc_http1_abort(torc_http1_connection *connection, torc_err reason);

static inline torc_reactor *torc_http1_reactor(const torc_http1_connection *connection) {
    return connection->side->reactor;
}

/* The present state of the connection begins now. */
static inline void torc_http1_begin_state(torc_http1_connection *connection) {
    connection->since_ms = (uint32_t)connection->side->reactor->now_ms;
}

/* When it began: at most 49 days ago. */
static inline uint64_t torc_http1_since(const torc_http1_connection *connection) {
    const uint64_t now_ms = connection->side->reactor->now_ms;
    return now_ms - ((uint32_t)now_ms - connection->since_ms);
}

/* Bytes that the connection has sent, or will unless it is lost. */
static inline uint64_t torc_http1_out_total(const torc_http1_connection *connection) {
    const torc_transport *transport = connection->protocol.transport;
    return transport->sent_total + torc_transport_unsent(transport);
}

static inline bool torc_http1_has(const torc_http1_connection *connection, unsigned flags) {
    return (connection->flags & flags) != 0;
}

static inline void torc_http1_set(torc_http1_connection *connection, unsigned flags) {
    connection->flags = (uint16_t)(connection->flags | flags);
}

static inline void torc_http1_clear(torc_http1_connection *connection, unsigned flags) {
    connection->flags = (uint16_t)(connection->flags & ~flags);
}

static inline void torc_http1_expect_within(torc_http1_connection *connection, uint32_t delay_ms) {
    torc_timer *timer = &connection->timer;
    const uint64_t due_ms = timer->reactor->now_ms + delay_ms;

    if (delay_ms == TORC_UNLIMITED || (timer->order && timer->due_ms <= due_ms)) return;
    torc_timer_arm(timer, delay_ms);
}

#endif
