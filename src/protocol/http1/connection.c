/* SPDX-License-Identifier: MIT */
/*
 * A connection of HTTP/1: one exchange at a time, its bodies, its deadlines and its end.
 *
 *  - An exchange goes on in two ways at once, `in` and `out`; when both are done the role ends it: in the loop of
 *    data_received, or in `advance`, a posted call; never inside a call of the wire.
 *  - What cannot be taken now is left with the transport (HAS_KEPT), which is paused until somebody resumes it: who
 *    wants more of a body, who ends an exchange, the output that has drained, the next turn.
 *  - The timer is never armed for later than the next deadline; when it is early it is armed again. So a deadline
 *    that moves on costs a store.
 *  - An ENDING connection begins nothing; connection_lost closes what exchange there is, and frees.
 */
#include "protocol/http1/connection.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/list.h"

enum {
    GATHER_MIN = 512 /* bytes of the first buffer of a head in parts */
};

static torc_http1_connection *self_of(torc_protocol *protocol) {
    return torc_container_of(protocol, torc_http1_connection, protocol);
}

static torc_reactor *reactor_of(const torc_http1_connection *self) {
    return self->timer.reactor;
}

torc_http1_exchange *torc_http1_exchange_of(torc_exchange *exchange) {
    return torc_container_of(exchange, torc_http1_exchange, base);
}

/* ---- the exchange's life ---- */

/* The size is hidden from the compiler, which would put `rep stos` for one that it knows. */
static void clear(torc_http1_exchange *exchange) {
    size_t size = offsetof(torc_http1_exchange, head);

    __asm__("" : "+r"(size));
    memset(exchange, 0, size);
}

torc_http1_exchange *torc_http1_exchange_new(torc_http1_connection *self,
                                             const torc_exchange_wire *wire, bool is_client) {
    torc_reactor *reactor = reactor_of(self);
    torc_arena arena;

    torc_arena_init(&arena, &reactor->pages, self->limits->request_memory_max);
    torc_http1_exchange *exchange = torc_arena_alloc(&arena, sizeof(*exchange));
    if (!exchange) return NULL;
    clear(exchange);
    exchange->arena = arena;
    exchange->connection = self;
    torc_exchange_init(&exchange->base, reactor, wire, &exchange->arena, self->limits);
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
    exchange->connection = NULL;
    /* Nobody above knows of a request whose head was never told. */
    if (!exchange->is_told && !exchange->base.is_client) torc_exchange_let_go(&exchange->base);
    torc_exchange_closed(&exchange->base, reason);
}

/* ---- heads ---- */

/* Room for `len` more gathered bytes. */
static bool grow(torc_http1_exchange *exchange, size_t len) {
    const size_t needed = exchange->gathered_len + len;
    size_t capacity = exchange->gathered_capacity ? exchange->gathered_capacity : GATHER_MIN;

    if (needed <= exchange->gathered_capacity) return true;
    while (capacity < needed) capacity *= 2;
    char *bytes = torc_arena_bytes(&exchange->arena, capacity);
    if (!bytes) return false;
    if (exchange->gathered_len) memcpy(bytes, exchange->gathered, exchange->gathered_len);
    exchange->gathered = bytes;
    exchange->gathered_capacity = (uint32_t)capacity;
    return true;
}

/* All in one piece, as mostly: copied once, to where it stays. */
static torc_http1_outcome gather_whole(torc_http1_exchange *exchange, torc_http1_parser *parser,
                                       torc_str bytes, size_t *taken, char **head) {
    *head = torc_arena_bytes(&exchange->arena, parser->head_len);
    if (!*head) return torc_http1_bad(parser, 503, "out of memory");
    memcpy(*head, bytes.bytes, parser->head_len);
    *taken = parser->head_len;
    return TORC_HTTP1_DONE;
}

torc_http1_outcome torc_http1_gather(torc_http1_exchange *exchange, torc_http1_parser *parser,
                                     torc_str bytes, size_t *taken, char **head) {
    const uint32_t before = exchange->gathered_len;
    torc_http1_outcome outcome;

    *taken = 0;
    if (before == 0) {
        outcome = torc_http1_parse(parser, bytes);
        if (outcome == TORC_HTTP1_DONE) return gather_whole(exchange, parser, bytes, taken, head);
        if (outcome == TORC_HTTP1_BAD) return outcome;
    }
    while (*taken < bytes.len) {
        /* In parts, since a body may follow that is not to be copied. */
        const torc_str part = torc_str_head(torc_str_from(bytes, *taken), before ? 2048 : bytes.len);
        if (!grow(exchange, part.len)) return torc_http1_bad(parser, 503, "out of memory");
        memcpy(exchange->gathered + exchange->gathered_len, part.bytes, part.len);
        exchange->gathered_len += (uint32_t)part.len;
        *taken += part.len;
        if (before == 0) continue; /* it was parsed already */
        outcome = torc_http1_parse(parser, torc_str_make(exchange->gathered, exchange->gathered_len));
        if (outcome == TORC_HTTP1_BAD) return outcome;
        if (outcome == TORC_HTTP1_DONE) {
            *taken = parser->head_len - before;
            *head = exchange->gathered;
            return outcome;
        }
    }
    return TORC_HTTP1_MORE;
}

torc_err torc_http1_write_head(torc_http1_exchange *exchange, torc_http1_write_fn *write,
                               const torc_head *head, const torc_http1_framing_out *framing) {
    torc_transport *transport = exchange->connection->protocol.transport;
    torc_chain *output = torc_transport_output(transport);
    const size_t size = torc_http1_head_size(head);
    torc_err err = TORC_OK;

    if (size <= TORC_PAGE_BYTES) {
        char *to = torc_chain_reserve(output, size);
        if (!to) return TORC_ERR_NO_MEMORY;
        torc_chain_commit(output, write(head, framing, to));
    } else {
        const torc_arena_mark mark = torc_arena_mark_take(&exchange->arena);
        char *to = torc_arena_bytes(&exchange->arena, size);
        if (!to) return TORC_ERR_NO_MEMORY;
        err = torc_chain_add_bytes(output, torc_str_make(to, write(head, framing, to)));
        torc_arena_rewind(&exchange->arena, mark);
    }
    if (!err) torc_transport_written(transport);
    return err;
}

/* ---- the incoming body ---- */

void torc_http1_begin_body_in(torc_http1_exchange *exchange) {
    const torc_http1_framing *framing = &exchange->framing;

    exchange->gathered = NULL; /* it is the head's now */
    exchange->gathered_len = exchange->gathered_capacity = 0;
    if (framing->is_chunked) {
        exchange->in = TORC_HTTP1_IN_CHUNKS;
        torc_chunked_decoder_init(&exchange->chunks, exchange->connection->limits->chunk_line_bytes_max);
    } else if (framing->until_close) {
        exchange->in = TORC_HTTP1_IN_TO_CLOSE;
    } else if (framing->body_len > 0) {
        exchange->in = TORC_HTTP1_IN_LENGTH;
        exchange->in_left = (uint64_t)framing->body_len;
    } else {
        exchange->in = TORC_HTTP1_IN_DONE;
    }
}

void torc_http1_in_done(torc_http1_exchange *exchange, const torc_fields *trailers) {
    exchange->in = TORC_HTTP1_IN_DONE;
    if (!exchange->is_stopped && !exchange->reset_reason) exchange->base.events->body_ended(&exchange->base, trailers);
}

/* Bytes of the body: to who wants them, or nowhere. */
static void deliver(torc_http1_exchange *exchange, torc_str bytes) {
    const torc_http1_connection *self = exchange->connection;

    exchange->is_continued = true; /* who sends does not wait for it */
    exchange->progress_ms = reactor_of(self)->now_ms;
    exchange->in_total += bytes.len;
    if (exchange->is_stopped) {
        exchange->dropped += bytes.len;
        exchange->is_refused = exchange->dropped > self->limits->drain_bytes_max;
    } else {
        exchange->demand -= bytes.len;
        exchange->base.events->body_received(&exchange->base, bytes);
    }
}

static size_t wanted(const torc_http1_exchange *exchange) {
    return exchange->is_stopped ? SIZE_MAX : exchange->demand;
}

static size_t take_plain(torc_http1_exchange *exchange, torc_str bytes) {
    const bool has_length = exchange->in == TORC_HTTP1_IN_LENGTH;
    torc_str part = torc_str_head(bytes, wanted(exchange));

    if (has_length && part.len > exchange->in_left) part.len = (size_t)exchange->in_left;
    if (part.len == 0) return 0;
    if (has_length) exchange->in_left -= part.len;
    deliver(exchange, part);
    if (has_length && exchange->in_left == 0 && exchange->connection)
        torc_http1_in_done(exchange, NULL);
    return part.len;
}

static void bad_body(torc_http1_exchange *exchange, int status, const char *problem) {
    torc_http1_connection *self = exchange->connection;
    self->role->message_bad(self, TORC_ERR_PEER, status, problem);
}

static bool begin_trailers(torc_http1_exchange *exchange) {
    torc_http1_connection *self = exchange->connection;

    exchange->in = TORC_HTTP1_IN_TRAILERS;
    exchange->trailers = torc_arena_alloc(&exchange->arena, sizeof(*exchange->trailers));
    if (!exchange->trailers) {
        self->role->message_bad(self, TORC_ERR_NO_MEMORY, 503, "out of memory");
        return false;
    }
    torc_http1_parser_init_trailers(exchange->trailers, &exchange->arena, self->limits, 0);
    return true;
}

static size_t take_chunks(torc_http1_exchange *exchange, torc_str bytes) {
    torc_str content;
    size_t taken;

    switch (torc_chunked_decode(&exchange->chunks, bytes, wanted(exchange), &taken, &content)) {
    case TORC_CHUNKED_MORE:
        if (taken) exchange->is_continued = true;
        break;
    case TORC_CHUNKED_CONTENT:
        deliver(exchange, content);
        break;
    case TORC_CHUNKED_LAST:
        if (!begin_trailers(exchange)) return bytes.len;
        break;
    case TORC_CHUNKED_BAD:
        bad_body(exchange, 400, exchange->chunks.problem);
        return bytes.len;
    }
    return taken;
}

static size_t take_trailers(torc_http1_exchange *exchange, torc_str bytes) {
    torc_http1_parser *parser = exchange->trailers;
    torc_fields *fields = NULL;
    size_t taken;
    char *lines;

    torc_http1_outcome outcome = torc_http1_gather(exchange, parser, bytes, &taken, &lines);
    if (outcome == TORC_HTTP1_MORE) return taken;
    if (outcome == TORC_HTTP1_DONE && parser->span_count > 0) {
        fields = torc_arena_alloc(&exchange->arena, sizeof(*fields));
        outcome = fields ? torc_http1_take_trailers(parser, lines, fields)
                         : torc_http1_bad(parser, 503, "out of memory");
    }
    if (outcome == TORC_HTTP1_BAD) {
        bad_body(exchange, parser->status, parser->problem);
        return bytes.len;
    }
    torc_http1_in_done(exchange, fields);
    return taken;
}

static size_t take_body(torc_http1_exchange *exchange, torc_str bytes) {
    if (exchange->is_refused) return 0;
    switch (exchange->in) {
    case TORC_HTTP1_IN_CHUNKS:
        return take_chunks(exchange, bytes);
    case TORC_HTTP1_IN_TRAILERS:
        return take_trailers(exchange, bytes);
    case TORC_HTTP1_IN_LENGTH:
    case TORC_HTTP1_IN_TO_CLOSE:
        return take_plain(exchange, bytes);
    default:
        return 0; /* complete: the answer comes first */
    }
}

void torc_http1_want_body(torc_exchange *base, size_t bytes) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);
    torc_http1_connection *self = exchange->connection;

    if (!self || exchange->in == TORC_HTTP1_IN_DONE || torc_http1_has(self, TORC_HTTP1_ENDING)) return;
    if (exchange->demand == 0) {
        exchange->progress_ms = reactor_of(self)->now_ms;
        exchange->in_mark_ms = 0;
    }
    exchange->demand = bytes > SIZE_MAX - exchange->demand ? SIZE_MAX : exchange->demand + bytes;
    if (exchange->framing.expects_continue && !exchange->is_continued &&
        exchange->out == TORC_HTTP1_OUT_HEAD) {
        exchange->is_continued = true;
        torc_transport_write(self->protocol.transport, TORC_STR("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    torc_http1_expect_within(self, self->limits->body_stall_ms);
    torc_http1_expect_within(self, self->limits->rate_grace_ms);
    torc_http1_resume(self);
}

void torc_http1_stop_body(torc_exchange *base) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);
    torc_http1_connection *self = exchange->connection;

    if (!self || exchange->is_stopped) return;
    exchange->is_stopped = true;
    exchange->progress_ms = reactor_of(self)->now_ms;
    /* A peer that waits for 100 may send its body or not: nobody knows what its next byte means (RFC 9110 §10.1.1). */
    exchange->is_refused = (exchange->framing.expects_continue && !exchange->is_continued) ||
                           (exchange->in == TORC_HTTP1_IN_LENGTH &&
                            exchange->in_left > self->limits->drain_bytes_max);
    if (exchange->is_refused && exchange->out == TORC_HTTP1_OUT_DONE) torc_http1_out_done(exchange);
    torc_http1_expect_within(self, self->limits->body_stall_ms);
    torc_http1_resume(self);
}

/* ---- the outgoing body ---- */

void torc_http1_begin_body_out(torc_http1_exchange *exchange, const torc_http1_framing_out *framing) {
    exchange->out = TORC_HTTP1_OUT_BODY;
    exchange->out_body = (uint8_t)framing->body;
    exchange->out_left = framing->length;
}

static torc_err add_chunk(torc_chain *output, torc_chain *content) {
    char line[TORC_CHUNKED_LINE_MAX];
    const size_t len = torc_chunked_write_line(content->len, line);
    const torc_err err = torc_chain_add_bytes(output, torc_str_make(line, len));

    if (err) return err;
    torc_chain_move(output, content);
    return torc_chain_add_bytes(output, TORC_STR("\r\n"));
}

/* Whether the chain may be sent now; more than was announced never leaves. */
static torc_err admit(torc_http1_exchange *exchange, const torc_chain *chain) {
    torc_http1_connection *self = exchange->connection;

    if (!self || torc_http1_has(self, TORC_HTTP1_ENDING)) return TORC_ERR_GONE;
    if (exchange->out != TORC_HTTP1_OUT_BODY) return TORC_ERR_STATE;
    if (torc_transport_unsent(self->protocol.transport) >= self->limits->output_bytes_max)
        return TORC_ERR_LIMIT;
    if (exchange->out_is_dropped || exchange->out_body != TORC_HTTP1_BODY_LENGTH) return TORC_OK;
    if (chain->len > exchange->out_left) {
        torc_http1_reset(&exchange->base, TORC_ERR_STATE);
        return TORC_ERR_STATE;
    }
    exchange->out_left -= chain->len;
    return TORC_OK;
}

torc_err torc_http1_send_body(torc_exchange *base, torc_chain *chain) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);
    torc_err err = admit(exchange, chain);

    if (!err && chain->len > 0 && !exchange->out_is_dropped) {
        torc_transport *transport = exchange->connection->protocol.transport;
        torc_chain *output = torc_transport_output(transport);
        if (exchange->out_body == TORC_HTTP1_BODY_CHUNKED)
            err = add_chunk(output, chain);
        else
            torc_chain_move(output, chain);
        if (err)
            torc_http1_reset(base, err);
        else
            torc_transport_written(transport);
    }
    torc_chain_clear(chain);
    return err;
}

static torc_err add_last_chunk(torc_http1_exchange *exchange, const torc_fields *trailers) {
    torc_chain *output = torc_transport_output(exchange->connection->protocol.transport);
    torc_err err;

    if (!trailers || !exchange->framing.takes_trailers || trailers->count == 0)
        return torc_chain_add_bytes(output, TORC_STR("0\r\n\r\n"));
    err = torc_chain_add_bytes(output, TORC_STR("0\r\n"));
    if (err) return err;
    char *to = torc_arena_bytes(&exchange->arena, torc_http1_fields_size(trailers));
    if (!to) return TORC_ERR_NO_MEMORY;
    return torc_chain_add_bytes(output, torc_str_make(to, torc_http1_write_trailers(trailers, to)));
}

torc_err torc_http1_send_end(torc_exchange *base, const torc_fields *trailers) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);
    torc_http1_connection *self = exchange->connection;
    torc_err err = TORC_OK;

    if (!self || torc_http1_has(self, TORC_HTTP1_ENDING)) return TORC_ERR_GONE;
    if (exchange->out != TORC_HTTP1_OUT_BODY) return TORC_ERR_STATE;
    if (!exchange->out_is_dropped && exchange->out_body == TORC_HTTP1_BODY_LENGTH && exchange->out_left > 0)
        err = TORC_ERR_STATE;
    else if (!exchange->out_is_dropped && exchange->out_body == TORC_HTTP1_BODY_CHUNKED)
        err = add_last_chunk(exchange, trailers);
    if (err) {
        torc_http1_reset(base, err);
        return err;
    }
    torc_transport_written(self->protocol.transport);
    if (exchange->is_tunnel) torc_transport_close_write(self->protocol.transport);
    torc_http1_out_done(exchange);
    return TORC_OK;
}

size_t torc_http1_room(torc_exchange *base) {
    const torc_http1_exchange *exchange = torc_http1_exchange_of(base);
    return exchange->connection ? torc_transport_room(exchange->connection->protocol.transport) : 0;
}

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
    if (exchange->connection) {
        exchange->as.link.peer = torc_transport_peer(exchange->connection->protocol.transport);
        exchange->as.link.host = torc_transport_host(exchange->connection->protocol.transport);
    }
    return &exchange->as.link;
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
    torc_reactor_post(exchange->base.reactor, &exchange->connection->advance);
    return TORC_OK;
}

static void drop_successor(torc_factory *factory) {
    if (--factory->users == 0 && factory->ops->stopped) factory->ops->stopped(factory);
}

/* ---- going on ---- */

/* End the exchange if nothing more is to come of it. A connection that is handed over ends it in `advance`. */
static bool end_if_done(torc_http1_connection *self, bool is_unread) {
    const torc_http1_exchange *exchange = self->current;

    if (!exchange || exchange->out != TORC_HTTP1_OUT_DONE) return false;
    if (exchange->in != TORC_HTTP1_IN_DONE && !exchange->is_refused) return false;
    if (torc_http1_has(self, TORC_HTTP1_ENDING | TORC_HTTP1_HANDED_OVER)) return false;
    self->role->exchange_done(self, is_unread);
    return true;
}

/* Leave the lists; then nothing refers to the connection. */
static void let_go(torc_http1_connection *self) {
    torc_timer_cancel(&self->timer);
    torc_call_cancel(&self->advance);
    torc_list_remove(&self->node);
    self->role->free(self);
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
    let_go(self);
    torc_transport_switch_protocol(transport, protocol);
}

static void run_advance(torc_call *call) {
    torc_http1_connection *self = torc_container_of(call, torc_http1_connection, advance);

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
    if (!torc_http1_has(self, TORC_HTTP1_IN_LOOP)) torc_reactor_post(reactor_of(self), &self->advance);
}

static size_t take(torc_http1_connection *self, torc_str bytes) {
    torc_http1_exchange *exchange = self->current;

    if (torc_http1_has(self, TORC_HTTP1_ENDING)) return bytes.len;
    if (torc_http1_has(self, TORC_HTTP1_HANDED_OVER)) return 0;
    if (!exchange || exchange->in == TORC_HTTP1_IN_HEAD) return self->role->take_head(self, bytes);
    return take_body(exchange, bytes);
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
    if (!torc_http1_has(self, TORC_HTTP1_HAS_KEPT) || torc_http1_has(self, TORC_HTTP1_IN_LOOP | TORC_HTTP1_TURN_IS_OVER | TORC_HTTP1_HANDED_OVER))
        return;
    torc_transport_resume(self->protocol.transport);
}

static void peer_ended(torc_protocol *protocol) {
    torc_http1_connection *self = self_of(protocol);

    torc_http1_set(self, TORC_HTTP1_PEER_ENDED);
    if (torc_http1_has(self, TORC_HTTP1_LINGERING))
        torc_transport_close(protocol->transport);
    else if (!torc_http1_has(self, TORC_HTTP1_ENDING) && self->role->peer_ended)
        self->role->peer_ended(self);
}

static void input_ended(torc_protocol *protocol) {
    torc_http1_connection *self = self_of(protocol);

    torc_http1_set(self, TORC_HTTP1_INPUT_ENDED);
    if (torc_http1_has(self, TORC_HTTP1_ENDING | TORC_HTTP1_HANDED_OVER)) return;
    self->role->input_ended(self);
    if (self->current) torc_reactor_post(reactor_of(self), &self->advance); /* that may have been all */
}

static void drained(torc_protocol *protocol) {
    torc_http1_connection *self = self_of(protocol);

    if (self->current && self->current->out == TORC_HTTP1_OUT_BODY)
        self->current->base.events->drained(&self->current->base);
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
        return self->role->reason_of_loss ? self->role->reason_of_loss(self) : TORC_ERR_LOST;
    }
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    torc_http1_connection *self = self_of(protocol);

    torc_http1_set(self, TORC_HTTP1_ENDING);
    if (self->current && self->current->successor) drop_successor(self->current->successor);
    if (self->current) torc_http1_exchange_close(self, reason_of(self, reason));
    let_go(self);
}

/* ---- deadlines ---- */

uint64_t torc_http1_after(uint64_t from_ms, uint32_t ms) {
    return ms == TORC_UNLIMITED ? UINT64_MAX : from_ms + ms;
}

static uint64_t sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* A rate is looked at over stretches of rate_grace_ms: whether this one was too slow. */
static bool is_slow(uint64_t bytes, uint32_t elapsed_ms, uint32_t rate_min) {
    return rate_min != TORC_UNLIMITED && bytes * 1000 < (uint64_t)rate_min * elapsed_ms;
}

typedef struct stretch {
    uint64_t *mark;
    uint32_t *mark_ms; /* 0: none begun */
    uint64_t total;
    uint32_t rate_min;
} stretch;

/* Look at a stretch, and begin the next one when it is over. False: the peer was too slow. */
static bool look_at_rate(const torc_http1_connection *self, const stretch *of, uint64_t *due_ms) {
    const uint64_t now_ms = reactor_of(self)->now_ms;
    const uint32_t grace_ms = self->limits->rate_grace_ms;

    if (of->rate_min == TORC_UNLIMITED || grace_ms == TORC_UNLIMITED) return true;
    const uint32_t elapsed_ms = (uint32_t)now_ms - *of->mark_ms;
    if (*of->mark_ms && elapsed_ms >= grace_ms && is_slow(of->total - *of->mark, elapsed_ms, of->rate_min))
        return false;
    if (!*of->mark_ms || elapsed_ms >= grace_ms) {
        *of->mark = of->total;
        *of->mark_ms = (uint32_t)now_ms ? (uint32_t)now_ms : 1;
    }
    *due_ms = sooner(*due_ms, now_ms + grace_ms - ((uint32_t)now_ms - *of->mark_ms));
    return true;
}

/* The peer takes what was written: false when it does not. */
static bool look_at_output(torc_http1_connection *self, uint64_t *due_ms) {
    torc_transport *transport = self->protocol.transport;

    if (torc_transport_unsent(transport) == 0) {
        self->out_mark_ms = 0;
        return true;
    }
    /* The kernel takes nothing for long while the peer, which is slow, takes what the kernel has. */
    const uint64_t delivered = torc_transport_delivered(transport);
    const stretch rate = {&self->out_mark, &self->out_mark_ms, delivered, self->limits->output_rate_min};
    if (transport->ops->unacknowledged && delivered > self->out_seen) transport->progress_ms = reactor_of(self)->now_ms;
    self->out_seen = delivered;
    const uint64_t stall_ms = torc_http1_after(transport->progress_ms, self->limits->output_stall_ms);
    if (stall_ms <= reactor_of(self)->now_ms) return false;
    *due_ms = sooner(*due_ms, stall_ms);
    return look_at_rate(self, &rate, due_ms);
}

/* The peer sends the body that is wanted: false when it does not. */
static bool look_at_input(torc_http1_connection *self, uint64_t *due_ms) {
    torc_http1_exchange *exchange = self->current;

    if (!exchange || !exchange->is_told || exchange->in == TORC_HTTP1_IN_DONE || exchange->is_tunnel ||
        exchange->in == TORC_HTTP1_IN_HEAD || torc_http1_has(self, TORC_HTTP1_HAS_KEPT) ||
        (exchange->demand == 0 && !exchange->is_stopped))
        return true;
    const stretch rate = {&exchange->in_mark, &exchange->in_mark_ms, exchange->in_total, self->limits->body_rate_min};
    const uint64_t stall_ms = torc_http1_after(exchange->progress_ms, self->limits->body_stall_ms);
    if (stall_ms <= reactor_of(self)->now_ms) return false;
    *due_ms = sooner(*due_ms, stall_ms);
    return look_at_rate(self, &rate, due_ms);
}

/* When lingering ends: some time after the last byte of ours has left. */
static uint64_t linger_until(const torc_http1_connection *self) {
    const torc_transport *transport = self->protocol.transport;
    const uint64_t from_ms = transport->progress_ms > self->since_ms ? transport->progress_ms : self->since_ms;

    if (torc_transport_unsent(transport) > 0) return UINT64_MAX;
    return torc_http1_after(from_ms, self->limits->linger_ms);
}

static void expired(torc_timer *timer) {
    torc_http1_connection *self = torc_container_of(timer, torc_http1_connection, timer);
    const uint64_t now_ms = reactor_of(self)->now_ms;
    uint64_t due_ms = UINT64_MAX;

    if (torc_http1_has(self, TORC_HTTP1_TURN_IS_OVER)) {
        torc_http1_clear(self, TORC_HTTP1_TURN_IS_OVER);
        torc_http1_resume(self);
    }
    if (!look_at_output(self, &due_ms)) {
        torc_http1_abort(self, TORC_ERR_STALLED);
        return;
    }
    const bool is_ending = torc_http1_has(self, TORC_HTTP1_ENDING);
    uint64_t role_ms = torc_http1_has(self, TORC_HTTP1_LINGERING) ? linger_until(self)
                       : is_ending                                ? UINT64_MAX
                                                                  : self->role->deadline(self);
    if (!is_ending && !look_at_input(self, &due_ms))
        self->role->message_bad(self, TORC_ERR_STALLED, 408, "the body came too slowly");
    else if (role_ms <= now_ms && torc_http1_has(self, TORC_HTTP1_LINGERING))
        torc_transport_close(self->protocol.transport);
    else if (role_ms <= now_ms)
        self->role->deadline_passed(self);
    else
        due_ms = sooner(due_ms, role_ms);
    if (due_ms > now_ms && due_ms - now_ms < TORC_UNLIMITED)
        torc_http1_expect_within(self, (uint32_t)(due_ms - now_ms));
}

/* ---- the end ---- */

void torc_http1_end(torc_http1_connection *self, bool is_unread) {
    torc_transport *transport = self->protocol.transport;

    if (torc_http1_has(self, TORC_HTTP1_ENDING)) return;
    torc_http1_set(self, TORC_HTTP1_ENDING);
    torc_http1_expect_within(self, self->limits->output_stall_ms);
    torc_http1_expect_within(self, self->limits->rate_grace_ms);
    if (!is_unread || torc_http1_has(self, TORC_HTTP1_PEER_ENDED)) {
        torc_transport_close(transport);
        return;
    }
    /* Closing with unread input makes the kernel reset, which may take the answer with it (RFC 9112 §9.6). */
    torc_http1_set(self, TORC_HTTP1_LINGERING);
    self->since_ms = reactor_of(self)->now_ms;
    torc_http1_expect_within(self, self->limits->linger_ms);
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

    self->since_ms = reactor_of(self)->now_ms;
    torc_transport_set_marks(protocol->transport, self->limits->output_high_bytes / 2,
                             self->limits->output_high_bytes);
    torc_http1_expect_within(self, self->limits->keep_alive_ms);
    if (self->role->begun) self->role->begun(self);
}

static const torc_protocol_ops protocol_ops = {
    .connection_made = connection_made,
    .data_received = data_received,
    .peer_ended = peer_ended,
    .input_ended = input_ended,
    .drained = drained,
    .connection_lost = connection_lost,
};

void torc_http1_connection_init(torc_http1_connection *self, torc_reactor *reactor,
                                const torc_http1_role_ops *role, const torc_limits *limits) {
    *self = (torc_http1_connection){
        .protocol = {.ops = &protocol_ops},
        .role = role,
        .limits = limits,
        .advance = {.run = run_advance},
    };
    torc_timer_init(&self->timer, reactor, expired);
}
