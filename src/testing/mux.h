/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_MUX_H
#define TORC_TESTING_MUX_H

#include "protocol/exchange.h"

/*
 * A wire in memory that carries several exchanges at once, with credit, as HTTP/2 does: both ends
 * of one connection.
 *
 * The client's end opens exchanges; the server's end hands them to an acceptor. A body moves in
 * frames, as far as the windows go: one of each exchange and direction, which is given back when
 * bytes are delivered, and one of the connection, for what moves in one step. The exchanges take
 * turns. Everything that is told is told from posted calls. Like a socket's connection it promises
 * what protocol/exchange.h says, and nothing more: hand_over and send_whole are missing, and so is
 * 101.
 *
 * The connection's own memory is the test's; what exchanges need is the reactor's, whose
 * allocations may fail.
 */
typedef struct torc_test_mux torc_test_mux;

typedef struct torc_test_mux_options {
    const torc_limits *limits; /* NULL: the defaults; zeros inherit */
    size_t exchange_window;    /* 65535: bytes of a body that wait with who receives it */
    size_t connection_window;  /* 65535: bytes of all bodies that move in a step */
    size_t frame_max;          /* 16384 */
    uint32_t exchanges_max;    /* 100 at once */
} torc_test_mux_options;

/* Make a connection; zeros of `options` (or NULL) mean the defaults. NULL when out of memory. */
torc_test_mux *torc_test_mux_new(torc_reactor *reactor, torc_acceptor *acceptor,
                                 const torc_test_mux_options *options);
/* Break it, turn until its exchanges are closed, and free it. NULL is fine. */
void torc_test_mux_free(torc_test_mux *mux);

/*
 * The client's end: open an exchange, whose events the caller binds before it sends the head.
 * TORC_ERR_BUSY when there are too many, TORC_ERR_CLOSED when the connection is broken or draining.
 */
torc_err torc_test_mux_open(torc_test_mux *mux, torc_exchange **exchange) TORC_MUST_CHECK;
/* The server stops: exchanges in progress are told `draining`, soon; requests that come later are
 * unprocessed. */
void torc_test_mux_drain(torc_test_mux *mux);
/* The connection is lost: all exchanges are closed, soon, with TORC_ERR_LOST, or
 * TORC_ERR_UNPROCESSED. */
void torc_test_mux_break(torc_test_mux *mux);
/* Exchanges of both ends that are not closed. */
uint32_t torc_test_mux_count(const torc_test_mux *mux);
/* The most bytes of a body that ever waited with a receiver: never more than the window of an
 * exchange. */
size_t torc_test_mux_queued_max(const torc_test_mux *mux);

#endif
