/* SPDX-License-Identifier: MIT */
/*
 * A connection of HTTP/1: one exchange at a time, and the connection's end. What comes in is read
 * in incoming.c, what goes out is written in outgoing.c, and deadlines.c has the timer.
 *
 *  - An exchange goes on in two ways at once, `in` and `out`; when both are done the role ends it:
 *    in the loop of data_received, or in `advance`, a posted call; never inside a call of the wire.
 *  - What cannot be taken now is left with the transport (HAS_KEPT), which is paused until somebody
 *    resumes it: who wants more of a body, who ends an exchange, the output that has drained, the
 *    next turn.
 *  - An ENDING connection begins nothing; connection_lost closes what exchange there is, and frees.
 */
#include "protocol/http1/connection.h"

#include "base/list.h"

static torc_http1_connection *self_of(torc_protocol *protocol) {
    return torc_container_of(protocol, torc_http1_connection, protocol);
}

torc_http1_exchange *torc_http1_exchange_of(torc_exchange *exchange) {
    return torc_container_of(exchange, torc_http1_exchange, base);
}

/* ---- the exchange's life ---- */

static void run_advance(torc_call *call);

/* The size is hidden from the compiler, which would put `rep stos` for one that it knows. */
static void clear(torc_http1_exchange *exchange) {
    size_t size = offsetof(torc_http1_exchange, head);

    __asm__("" : "+r"(size));
    memset(exchange, 0, size);
}

torc_http1_exchange *torc_http1_exchange_new(torc_http1_connection *self,
                                             const torc_exchange_wire *wire, bool is_client) {
    torc_reactor *reactor = torc_http1_reactor(self);
    torc_arena arena;

    torc_arena_init(&arena, &reactor->pages, self->side->limits.request_memory_max);
    torc_http1_exchange *exchange = torc_arena_alloc(&arena, sizeof(*exchange));
    if (!exchange) return NULL;
    clear(exchange);
    exchange->arena = arena;
    exchange->connection = self;
    exchange->out_begun = torc_http1_out_total(self);
    exchange->advance.run = run_advance;
    torc_exchange_init(&exchange->base, reactor, wire, &exchange->arena, &self->side->limits);
    exchange->base.is_client = is_client;
    self->current = exchange;
    return exchange;
}

void torc_http1_free(torc_exchange *exchange) {
    torc_arena arena = torc_http1_exchange_of(exchange)->arena; /* it holds the exchange */
    torc_arena_dispose(&arena);
}

void torc_http1_exchange_close(torc_http1_connection *self, torc_err reason) {
    torc_http1_exchange *exchange = self->current;

    self->current = NULL;
    exchange->out_total = torc_http1_out_total(self);
    exchange->connection = NULL;
    if (exchange->has_link) { /* what it points to goes with the connection */
        exchange->as.link.tls = NULL;
        exchange->as.link.proxy = NULL;
    }
    torc_call_cancel(&exchange->advance);
    /* Nobody above knows of a request whose head was never told. */
    if (!exchange->is_told && !exchange->base.is_client) torc_exchange_let_go(&exchange->base);
    torc_exchange_closed(&exchange->base, reason);
}

/* ---- what both roles have of the wire ---- */

void torc_http1_reset(torc_exchange *base, torc_err reason) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);

    if (!exchange->connection || exchange->reset_reason) return;
    exchange->reset_reason = reason ? reason : TORC_ERR_ABORTED;
    torc_http1_abort(exchange->connection, TORC_ERR_ABORTED);
}

const torc_link_info *torc_http1_link(torc_exchange *base) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);

    static const torc_link_info none;

    if (exchange->has_link) return &exchange->as.link;
    if (exchange->in == TORC_HTTP1_IN_HEAD) return &none; /* the parser is still in its place */
    exchange->has_link = true;
    exchange->as.link = (torc_link_info){0};
    if (exchange->connection)
        exchange->as.link = torc_transport_link_info(exchange->connection->protocol.transport);
    return &exchange->as.link;
}

/* ---- what has left ---- */

torc_sent torc_http1_sent(torc_exchange *base) {
    const torc_http1_exchange *exchange = torc_http1_exchange_of(base);
    const torc_http1_connection *self = exchange->connection;
    uint64_t total = exchange->out_total;

    if (self && torc_transport_has_ended(self->protocol.transport))
        total = self->protocol.transport->sent_total; /* the rest was dropped */
    else if (self)
        total = torc_http1_out_total(self);
    return (torc_sent){
        .bytes = total > exchange->out_begun ? total - exchange->out_begun : 0,
        .head_bytes = exchange->out_head,
    };
}

/* Where a connection's departures are, with others': an idle one has no room for what it seldom
 * has. */
static torc_departure **departures_of(const torc_http1_connection *self) {
    return &self->side->departures[((uintptr_t)self >> 6) % TORC_HTTP1_DEPARTURE_LISTS];
}

bool torc_http1_watch_departure(torc_exchange *base, torc_departure *departure) {
    torc_http1_connection *self = torc_http1_exchange_of(base)->connection;
    torc_departure **last;

    /* What is below the high mark leaves at once, mostly; above it `drained` will come, or the end.
     */
    if (!self ||
        torc_transport_unsent(self->protocol.transport) < self->side->limits.output_high_bytes)
        return false;
    last = departures_of(self);
    while (*last) last = &(*last)->next;
    departure->wire = self;
    departure->until = torc_http1_out_total(self);
    departure->next = NULL;
    *last = departure;
    torc_http1_set(self, TORC_HTTP1_HAS_DEPARTURES);
    return true;
}

/* The first departure of this connection that has no more than `rest` bytes before it, out of its
 * list. */
static torc_departure *take_departure(torc_http1_connection *self, uint64_t rest) {
    const uint64_t sent = self->protocol.transport->sent_total;

    for (torc_departure **link = departures_of(self); *link; link = &(*link)->next) {
        torc_departure *departure = *link;
        if (departure->wire != self) continue;
        if (departure->until > sent && departure->until - sent > rest)
            return NULL; /* so the others */
        *link = departure->next;
        return departure;
    }
    torc_http1_clear(self, TORC_HTTP1_HAS_DEPARTURES);
    return NULL;
}

/* Tell those of whose message no more than `rest` bytes have not left, and will. */
static void tell_departures(torc_http1_connection *self, uint64_t rest) {
    torc_departure *departure;

    while (torc_http1_has(self, TORC_HTTP1_HAS_DEPARTURES) &&
           (departure = take_departure(self, rest)) != NULL)
        departure->departed(departure, 0);
}

/* Nothing more leaves. */
static void lose_departures(torc_http1_connection *self) {
    const uint64_t sent = self->protocol.transport->sent_total;
    torc_departure *departure;

    while (torc_http1_has(self, TORC_HTTP1_HAS_DEPARTURES) &&
           (departure = take_departure(self, UINT64_MAX)) != NULL)
        departure->departed(departure, departure->until > sent ? departure->until - sent : 0);
}

/* Heads have gone both ways that say so, and no body is under way. */
static bool may_switch(const torc_http1_exchange *exchange) {
    return exchange->is_switch && exchange->in == TORC_HTTP1_IN_DONE &&
           exchange->out == (exchange->base.is_client ? TORC_HTTP1_OUT_DONE : TORC_HTTP1_OUT_BODY);
}

torc_err torc_http1_tunnel(torc_exchange *base) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);

    if (!exchange->connection) return TORC_ERR_GONE;
    if (!may_switch(exchange)) return TORC_ERR_STATE;
    exchange->out = TORC_HTTP1_OUT_BODY;
    exchange->is_tunnel = true;
    exchange->keeps_alive = exchange->is_stopped = false;
    exchange->in = TORC_HTTP1_IN_TO_CLOSE;
    exchange->out_body = TORC_HTTP1_BODY_TO_CLOSE;
    torc_http1_resume(exchange->connection);
    return TORC_OK;
}

torc_err torc_http1_hand_over(torc_exchange *base, torc_factory *factory) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);

    if (!exchange->connection) return TORC_ERR_GONE;
    if (!may_switch(exchange)) return TORC_ERR_STATE;
    exchange->successor = factory;
    exchange->out = TORC_HTTP1_OUT_DONE;
    factory->users++;
    torc_http1_set(exchange->connection, TORC_HTTP1_HANDED_OVER);
    torc_reactor_post(exchange->base.reactor, &exchange->advance);
    return TORC_OK;
}

static void drop_successor(torc_factory *factory) {
    if (--factory->users == 0 && factory->ops->stopped) factory->ops->stopped(factory);
}

/* ---- going on ---- */

/* End the exchange if nothing more is to come of it. A connection that is handed over ends it in
 * `advance`. */
static bool end_if_done(torc_http1_connection *self, bool is_unread) {
    const torc_http1_exchange *exchange = self->current;

    if (!exchange || exchange->out != TORC_HTTP1_OUT_DONE) return false;
    if (exchange->in != TORC_HTTP1_IN_DONE && !exchange->is_refused) return false;
    if (torc_http1_has(self, TORC_HTTP1_ENDING | TORC_HTTP1_HANDED_OVER)) return false;
    self->side->role->exchange_done(self, is_unread);
    return true;
}

/* Leave the lists; then nothing refers to the connection. */
static void let_go(torc_http1_connection *self) {
    torc_timer_cancel(&self->timer);
    torc_list_remove(&self->node);
    self->side->role->free(self);
}

/* Give the transport, with what it kept, to another protocol. */
static void hand_over(torc_http1_connection *self) {
    torc_transport *transport = self->protocol.transport;
    torc_factory *factory = self->current->successor;
    torc_protocol *protocol;
    const torc_err err = factory->ops->build_protocol(factory, transport, &protocol);

    if (err) {
        torc_http1_abort(self, err); /* connection_lost does the rest */
        return;
    }
    drop_successor(factory);
    transport->output_max = TORC_TRANSPORT_OUTPUT_MAX; /* the wire's own limits go with it */
    torc_http1_exchange_close(self, TORC_OK);
    tell_departures(self, UINT64_MAX); /* the transport goes on */
    let_go(self);
    torc_transport_switch_protocol(transport, protocol);
}

static void run_advance(torc_call *call) {
    torc_http1_connection *self = torc_container_of(call, torc_http1_exchange, advance)->connection;

    if (torc_http1_has(self, TORC_HTTP1_HANDED_OVER) && !torc_http1_has(self, TORC_HTTP1_ENDING)) {
        hand_over(self);
        return;
    }
    if (!end_if_done(self, torc_http1_has(self, TORC_HTTP1_HAS_KEPT))) return;
    torc_http1_resume(self);
}

void torc_http1_out_done(torc_http1_exchange *exchange) {
    torc_http1_connection *self = exchange->connection;

    exchange->out = TORC_HTTP1_OUT_DONE;
    if (!torc_http1_has(self, TORC_HTTP1_IN_LOOP))
        torc_reactor_post(torc_http1_reactor(self), &exchange->advance);
}

static size_t take(torc_http1_connection *self, torc_str bytes) {
    torc_http1_exchange *exchange = self->current;

    if (torc_http1_has(self, TORC_HTTP1_ENDING)) return bytes.len;
    if (torc_http1_has(self, TORC_HTTP1_HANDED_OVER)) return 0;
    if (!exchange || exchange->in == TORC_HTTP1_IN_HEAD)
        return self->side->role->take_head(self, bytes);
    return torc_http1_take_body(exchange, bytes);
}

static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    torc_http1_connection *self = self_of(protocol);
    size_t at = 0;

    torc_http1_clear(self, TORC_HTTP1_HAS_KEPT);
    torc_http1_set(self, TORC_HTTP1_IN_LOOP);
    while (at < bytes.len) {
        const size_t taken = take(self, torc_str_from(bytes, at));
        at += taken;
        const bool has_ended = end_if_done(self, at < bytes.len);
        if (taken == 0 && !has_ended) break;
    }
    torc_http1_clear(self, TORC_HTTP1_IN_LOOP);
    if (at < bytes.len) torc_http1_set(self, TORC_HTTP1_HAS_KEPT);
    return at;
}

void torc_http1_resume(torc_http1_connection *self) {
    if (!torc_http1_has(self, TORC_HTTP1_HAS_KEPT) ||
        torc_http1_has(self, TORC_HTTP1_IN_LOOP | TORC_HTTP1_TURN_IS_OVER | TORC_HTTP1_HANDED_OVER))
        return;
    torc_transport_resume(self->protocol.transport);
}

static void peer_ended(torc_protocol *protocol) {
    torc_http1_connection *self = self_of(protocol);

    torc_http1_set(self, TORC_HTTP1_PEER_ENDED);
    if (torc_http1_has(self, TORC_HTTP1_LINGERING))
        torc_transport_close(protocol->transport);
    else if (!torc_http1_has(self, TORC_HTTP1_ENDING) && self->side->role->peer_ended)
        self->side->role->peer_ended(self);
}

static void input_ended(torc_protocol *protocol) {
    torc_http1_connection *self = self_of(protocol);

    torc_http1_set(self, TORC_HTTP1_INPUT_ENDED);
    if (torc_http1_has(self, TORC_HTTP1_ENDING | TORC_HTTP1_HANDED_OVER)) return;
    self->side->role->input_ended(self);
    if (self->current)
        torc_reactor_post(torc_http1_reactor(self),
                          &self->current->advance); /* that may have been all */
}

static void drained(torc_protocol *protocol) {
    torc_http1_connection *self = self_of(protocol);

    if (self->current && self->current->out == TORC_HTTP1_OUT_BODY)
        self->current->base.events->drained(&self->current->base);
    tell_departures(self, self->side->limits.output_high_bytes / 2);
    torc_http1_resume(self);
}

/* What the exchange is told of a connection's end. */
static torc_err reason_of(torc_http1_connection *self, torc_err reason) {
    if (self->current->reset_reason) return self->current->reset_reason;
    switch (reason) {
    case TORC_ERR_STALLED:
    case TORC_ERR_STOPPING:
    case TORC_ERR_NO_MEMORY:
        return reason;
    default:
        return self->side->role->reason_of_loss ? self->side->role->reason_of_loss(self)
                                                : TORC_ERR_LOST;
    }
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    torc_http1_connection *self = self_of(protocol);

    torc_http1_set(self, TORC_HTTP1_ENDING);
    if (self->current && self->current->successor) drop_successor(self->current->successor);
    if (self->current) torc_http1_exchange_close(self, reason_of(self, reason));
    lose_departures(self);
    let_go(self);
}

/* ---- the end ---- */

void torc_http1_end(torc_http1_connection *self, bool is_unread) {
    torc_transport *transport = self->protocol.transport;

    if (torc_http1_has(self, TORC_HTTP1_ENDING)) return;
    torc_http1_set(self, TORC_HTTP1_ENDING);
    torc_http1_expect_within(self, self->side->limits.output_stall_ms);
    torc_http1_expect_within(self, self->side->limits.rate_grace_ms);
    if (!is_unread || torc_http1_has(self, TORC_HTTP1_PEER_ENDED)) {
        torc_transport_close(transport);
        return;
    }
    /* Closing with unread input makes the kernel reset, which may take the answer with it (RFC 9112
     * §9.6). */
    torc_http1_set(self, TORC_HTTP1_LINGERING);
    torc_http1_begin_state(self);
    torc_http1_expect_within(self, self->side->limits.linger_ms);
    torc_transport_close_write(transport);
    torc_transport_resume(transport);
}

void torc_http1_abort(torc_http1_connection *self, torc_err reason) {
    torc_http1_set(self, TORC_HTTP1_ENDING);
    torc_transport_abort_with(self->protocol.transport, reason);
}

/* ---- the beginning ---- */

static void connection_made(torc_protocol *protocol) {
    torc_http1_connection *self = self_of(protocol);

    torc_http1_begin_state(self);
    torc_transport_set_marks(protocol->transport, self->side->limits.output_high_bytes / 2,
                             self->side->limits.output_high_bytes);
    torc_http1_expect_within(self, self->side->limits.keep_alive_ms);
    if (self->side->role->begun) self->side->role->begun(self);
}

static const torc_protocol_ops protocol_ops = {
    .connection_made = connection_made,
    .data_received = data_received,
    .peer_ended = peer_ended,
    .input_ended = input_ended,
    .drained = drained,
    .connection_lost = connection_lost,
};

void torc_http1_connection_init(torc_http1_connection *self, torc_http1_side *side) {
    *self = (torc_http1_connection){.protocol = {.ops = &protocol_ops}, .side = side};
    torc_timer_init(&self->timer, side->reactor, torc_http1_deadline_expired);
}
