/* SPDX-License-Identifier: MIT */
/*
 * What every exchange has, whatever its wire: its two holders and its end.
 *
 *  - `holders` loses a bit when a holder lets go, and an exchange without bits is retired: once.
 *  - Whoever stands above is told nothing after it has let go.
 */
#include <assert.h>

#include "protocol/exchange.h"

enum {
    WIRE = 1,
    ABOVE = 2
};

static void ignore_head(torc_exchange *exchange, const torc_head *head) {
    (void)exchange;
    (void)head;
}

static void ignore_body(torc_exchange *exchange, torc_str bytes) {
    (void)exchange;
    (void)bytes;
}

static void ignore_end(torc_exchange *exchange, const torc_fields *trailers) {
    (void)exchange;
    (void)trailers;
}

static void ignore(torc_exchange *exchange) {
    (void)exchange;
}

static void ignore_closed(torc_exchange *exchange, torc_err reason) {
    (void)exchange;
    (void)reason;
}

const torc_exchange_events torc_exchange_no_events = {
    .head_received = ignore_head,
    .body_received = ignore_body,
    .body_ended = ignore_end,
    .drained = ignore,
    .draining = ignore,
    .closed = ignore_closed,
};

void torc_exchange_init(torc_exchange *exchange, torc_reactor *reactor,
                        const torc_exchange_wire *wire, torc_arena *arena,
                        const torc_limits *limits) {
    *exchange = (torc_exchange){
        .wire = wire,
        .events = &torc_exchange_no_events,
        .reactor = reactor,
        .arena = arena,
        .limits = limits,
        .holders = WIRE | ABOVE,
    };
}

static void retired(torc_retiree *retiree) {
    torc_exchange *exchange = torc_container_of(retiree, torc_exchange, retiree);
    exchange->wire->free(exchange);
}

static void drop_holder(torc_exchange *exchange, uint8_t holder) {
    exchange->holders &= (uint8_t)~holder;
    if (!exchange->holders) torc_retire(exchange->reactor, &exchange->retiree, retired);
}

void torc_exchange_let_go(torc_exchange *exchange) {
    assert(exchange->holders & ABOVE);
    exchange->events = &torc_exchange_no_events;
    drop_holder(exchange, ABOVE);
}

void torc_exchange_closed(torc_exchange *exchange, torc_err reason) {
    assert(exchange->holders & WIRE);
    const bool is_heard = exchange->holders & ABOVE;

    drop_holder(exchange, WIRE);
    if (is_heard) exchange->events->closed(exchange, reason);
}

bool torc_exchange_is_closed(const torc_exchange *exchange) {
    return !(exchange->holders & WIRE);
}

void torc_acceptor_hold(torc_acceptor *acceptor) {
    acceptor->users++;
}

void torc_acceptor_let_go(torc_acceptor *acceptor) {
    if (--acceptor->users == 0 && acceptor->ops->unused) acceptor->ops->unused(acceptor);
}
