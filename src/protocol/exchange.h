/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_EXCHANGE_H
#define TORC_PROTOCOL_EXCHANGE_H

#include <torc/addr.h>
#include <torc/arena.h>
#include <torc/head.h>
#include <torc/limits.h>
#include <torc/link_info.h>

#include "reactor/chain.h"
#include "reactor/retire.h"

/*
 * An exchange is a message out and a message in: the same for server and client, for HTTP/1, 2, 3
 * and memory. Below it a wire carries the messages; above it the semantic layer (a request being
 * answered, an agent asking) is told events. Neither knows the other.
 *
 * A server's wire makes an exchange when a request begins, tells an acceptor (`opened`), which
 * binds the events, and then `head_received`. A client's asks its wire to open one.
 *
 * Calls do not call back: no event comes from inside a call of the wire; but the wire may be called
 * from inside an event, even to finish the whole response in `head_received`.
 *
 * Life: an exchange has two holders, the wire until `closed`, and whoever stands above until it
 * calls torc_exchange_let_go(). Both gone, it is retired at the end of the round with its arena,
 * which holds the heads and whatever the layer above put there. Before that, every call on an
 * exchange that is closed is a no-op that returns TORC_ERR_GONE.
 */
typedef struct torc_exchange torc_exchange;
typedef struct torc_acceptor torc_acceptor;

/* What has gone out of a message: into the connection's output, or, once that is lost, out of it.
 */
typedef struct torc_sent {
    uint64_t bytes;      /* all of them: the head, content, and what frames it */
    uint64_t head_bytes; /* of these, the final head's */
} torc_sent;

/*
 * Somebody who waits until all of a message has left. `left_behind` bytes of it never will: the
 * connection was lost. Embedded; told once.
 */
typedef struct torc_departure torc_departure;
struct torc_departure {
    void (*departed)(torc_departure *departure, uint64_t left_behind);
    torc_departure *next; /* the wire's, as is what follows */
    const void *wire;
    uint64_t until;
};

/* A request that the wire refused before anybody above was told of it. Lent for the call. */
typedef struct torc_refused {
    torc_addr peer;
    int status;    /* of the answer that it got */
    torc_str line; /* the first line of what came, as it came; empty if none had */
} torc_refused;

typedef struct torc_exchange_wire {
    /*
     * Send a head: 1xx ones, then the final one. `body_len` is what send_body() will add up to, -1:
     * not known. The wire adds what is its own (Date and Server come from above; framing,
     * Connection from here). TORC_ERR_STATE after the final head.
     */
    torc_err (*send_head)(torc_exchange *exchange, const torc_head *head, int64_t body_len);
    /*
     * Send all of `chain`, leaving it empty, also on an error. More than room() is taken too, but
     * whoever goes on above the hard mark is refused with TORC_ERR_LIMIT. More or less than
     * body_len: TORC_ERR_STATE, and the exchange is reset. The body of an answer to HEAD, a 204 or
     * 304 is dropped.
     */
    torc_err (*send_body)(torc_exchange *exchange, torc_chain *chain);
    /* The message is complete. `trailers` may be NULL; where the peer cannot take them they are
     * dropped. */
    torc_err (*send_end)(torc_exchange *exchange, const torc_fields *trailers);
    /* Bytes of body that may be sent before the high mark; 0: wait for `drained`. */
    size_t (*room)(torc_exchange *exchange);
    /*
     * `bytes` more of the incoming body are wanted: opens windows, resumes reading, and sends 100
     * (Continue) if the peer waits for it. Without demand no body_received comes.
     */
    void (*want_body)(torc_exchange *exchange, size_t bytes);
    /*
     * No more of the incoming body is wanted, nor to be told of its end: it is drained up to a
     * limit, or refused.
     */
    void (*stop_body)(torc_exchange *exchange);
    /*
     * After a 101, or a 2xx to CONNECT: from here on bodies are the bytes of a tunnel, both ways.
     * TORC_ERR_UNSUPPORTED where the wire has none.
     */
    torc_err (*tunnel)(torc_exchange *exchange);
    /*
     * After a 101: give the connection, from the next byte on, to a protocol that `factory` builds;
     * the exchange ends. The factory must outlive that. May be NULL, where connections carry more
     * than one exchange.
     */
    torc_err (*hand_over)(torc_exchange *exchange, torc_factory *factory);
    /* End it now: the peer sees a broken message (HTTP/1: a reset connection). `closed` will come,
     * and nothing else. */
    void (*reset)(torc_exchange *exchange, torc_err reason);
    /* What is known of the connection; the wire's. Once that is lost, without what it pointed to.
     */
    const torc_link_info *(*link)(torc_exchange *exchange);
    /* Both holders have gone: give back the arena, with the exchange in it. */
    void (*free)(torc_exchange *exchange);
    /*
     * The whole message at once: send_head() of this length, send_body() of a copy of these bytes,
     * send_end(). May be NULL, where there is no shorter way than those three. For HTTP/1 this is
     * the hottest path of all.
     */
    torc_err (*send_whole)(torc_exchange *exchange, const torc_head *head, torc_str body);
    /* What has gone out so far. May be NULL: it is not known. */
    torc_sent (*sent)(torc_exchange *exchange);
    /*
     * Our message is complete: tell when it has left. False: all but a little has, and nothing will
     * be told. The departure must live until it is told, even after torc_exchange_let_go(). May be
     * NULL.
     */
    bool (*watch_departure)(torc_exchange *exchange, torc_departure *departure);
} torc_exchange_wire;

typedef struct torc_exchange_events {
    /* The head came: a request's; or a response's, where 1xx ones come first. Lives in the arena.
     */
    void (*head_received)(torc_exchange *exchange, const torc_head *head);
    /* Never more bytes than were wanted; lent. */
    void (*body_received)(torc_exchange *exchange, torc_str bytes);
    /* The incoming message is complete. `trailers` may be NULL. */
    void (*body_ended)(torc_exchange *exchange, const torc_fields *trailers);
    /* What was sent fell below the low mark. */
    void (*drained)(torc_exchange *exchange);
    /* The server is stopping: finish soon. */
    void (*draining)(torc_exchange *exchange);
    /*
     * Once, last: TORC_OK when both messages are complete and ours is in the connection's output,
     * TORC_ERR_LOST when the peer has gone, TORC_ERR_PEER when its message was refused,
     * TORC_ERR_UNPROCESSED when it is safe to retry, or the reason given to reset().
     */
    void (*closed)(torc_exchange *exchange, torc_err reason);
} torc_exchange_events;

struct torc_exchange {
    const torc_exchange_wire *wire;
    const torc_exchange_events *events; /* bound by the acceptor, or by the client before sending */
    void *above;                        /* the object of the layer above: a request */
    torc_reactor *reactor;
    torc_arena *arena;
    const torc_limits *limits; /* of the listener; all members resolved */
    torc_retiree retiree;
    uint8_t holders; /* private: bit 0 the wire, bit 1 above */
    bool is_client;
    uint16_t answered; /* the status of what the wire answered in place of who stands above, or 0 */
};

typedef struct torc_acceptor_ops {
    /* A request begins: bind `exchange->events`. An error refuses it with 503. */
    torc_err (*opened)(torc_acceptor *acceptor, torc_exchange *exchange);
    /* A request was refused by the wire, or by an error of `opened`. May be NULL. */
    void (*refused)(torc_acceptor *acceptor, const torc_refused *refused);
    /* The last of its users has gone: nobody will hand it a request any more. May be NULL. */
    void (*unused)(torc_acceptor *acceptor);
} torc_acceptor_ops;

/* Whoever answers requests: a site. Embedded. */
struct torc_acceptor {
    const torc_acceptor_ops *ops;
    size_t users; /* servers, which may outlive their listeners by their connections */
};

/* A server that begins to use an acceptor, and one that ends. */
void torc_acceptor_hold(torc_acceptor *acceptor);
void torc_acceptor_let_go(torc_acceptor *acceptor);

/* Make an exchange with both holders. */
void torc_exchange_init(torc_exchange *exchange, torc_reactor *reactor,
                        const torc_exchange_wire *wire, torc_arena *arena,
                        const torc_limits *limits);
/*
 * The layer above lets go: no event comes after this, and what the wire was told stands. Before
 * `closed` nobody else can end it: who lets go then has sent the end of its message, and had that
 * of the other or stopped it; or has reset it.
 */
void torc_exchange_let_go(torc_exchange *exchange);
/* The wire's side: tell `closed` (unless above has let go) and let go. */
void torc_exchange_closed(torc_exchange *exchange, torc_err reason);
/* Whether `closed` was told: every call is a no-op that returns TORC_ERR_GONE. */
bool torc_exchange_is_closed(const torc_exchange *exchange);
/* What whoever has let go no longer wants to be told: a table whose members do nothing. */
extern const torc_exchange_events torc_exchange_no_events;

#endif
