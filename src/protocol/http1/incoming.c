/* SPDX-License-Identifier: MIT */
/*
 * What comes in on a connection: heads and trailers, put together from parts, and bodies, at the
 * speed at which they are wanted.
 *
 *  - A head that comes in one piece is copied once, into the exchange's arena; in parts, it is
 *    gathered there.
 *  - A byte of a body is told only while `demand` is not 0, or dropped when nobody wants it.
 */
#include "protocol/http1/connection.h"

enum {
    GATHER_MIN = 512 /* bytes of the first buffer of a head in parts */
};

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
        const torc_str part =
            torc_str_head(torc_str_from(bytes, *taken), before ? 2048 : bytes.len);
        if (!grow(exchange, part.len)) return torc_http1_bad(parser, 503, "out of memory");
        memcpy(exchange->gathered + exchange->gathered_len, part.bytes, part.len);
        exchange->gathered_len += (uint32_t)part.len;
        *taken += part.len;
        if (before == 0) continue; /* it was parsed already */
        outcome =
            torc_http1_parse(parser, torc_str_make(exchange->gathered, exchange->gathered_len));
        if (outcome == TORC_HTTP1_BAD) return outcome;
        if (outcome == TORC_HTTP1_DONE) {
            *taken = parser->head_len - before;
            *head = exchange->gathered;
            return outcome;
        }
    }
    return TORC_HTTP1_MORE;
}

/* ---- the incoming body ---- */

void torc_http1_begin_body_in(torc_http1_exchange *exchange) {
    const torc_http1_framing *framing = &exchange->framing;

    exchange->gathered = NULL; /* it is the head's now */
    exchange->gathered_len = exchange->gathered_capacity = 0;
    if (framing->is_chunked) {
        exchange->in = TORC_HTTP1_IN_CHUNKS;
        torc_chunked_decoder_init(&exchange->chunks,
                                  exchange->connection->side->limits.chunk_line_bytes_max);
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
    if (!exchange->is_stopped && !exchange->reset_reason)
        exchange->base.events->body_ended(&exchange->base, trailers);
}

/* Bytes of the body: to who wants them, or nowhere. */
static void deliver(torc_http1_exchange *exchange, torc_str bytes) {
    const torc_http1_connection *self = exchange->connection;

    exchange->is_continued = true; /* who sends does not wait for it */
    exchange->progress_ms = torc_http1_reactor(self)->now_ms;
    exchange->in_total += bytes.len;
    if (exchange->is_stopped) {
        exchange->dropped += bytes.len;
        exchange->is_refused = exchange->dropped > self->side->limits.drain_bytes_max;
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
    self->side->role->message_bad(self, TORC_ERR_PEER, status, problem);
}

static bool begin_trailers(torc_http1_exchange *exchange) {
    torc_http1_connection *self = exchange->connection;

    exchange->in = TORC_HTTP1_IN_TRAILERS;
    exchange->trailers = torc_arena_alloc(&exchange->arena, sizeof(*exchange->trailers));
    if (!exchange->trailers) {
        self->side->role->message_bad(self, TORC_ERR_NO_MEMORY, 503, "out of memory");
        return false;
    }
    torc_http1_parser_init_trailers(exchange->trailers, &exchange->arena, &self->side->limits,
                                    self->side->leniencies & TORC_HTTP1_ALLOW_FOLD);
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

size_t torc_http1_take_body(torc_http1_exchange *exchange, torc_str bytes) {
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

/* The whole of the body is waited for, from the first time on. */
static void wait_for_all(torc_http1_exchange *exchange, const torc_limits *limits) {
    const uint64_t now_ms = torc_http1_reactor(exchange->connection)->now_ms;

    if (!exchange->wanted_ms) exchange->wanted_ms = now_ms ? now_ms : 1;
    if (limits->body_ms == TORC_UNLIMITED) return;
    const uint64_t due_ms = exchange->wanted_ms + limits->body_ms;
    torc_http1_expect_within(exchange->connection,
                             due_ms > now_ms ? (uint32_t)(due_ms - now_ms) : 0);
}

void torc_http1_want_body(torc_exchange *base, size_t bytes) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);
    torc_http1_connection *self = exchange->connection;

    if (!self || exchange->in == TORC_HTTP1_IN_DONE || torc_http1_has(self, TORC_HTTP1_ENDING))
        return;
    if (exchange->demand == 0) {
        exchange->progress_ms = torc_http1_reactor(self)->now_ms;
        exchange->in_mark_ms = 0;
    }
    exchange->demand = bytes > SIZE_MAX - exchange->demand ? SIZE_MAX : exchange->demand + bytes;
    if (exchange->framing.expects_continue && !exchange->is_continued &&
        exchange->out == TORC_HTTP1_OUT_HEAD) {
        exchange->is_continued = true;
        torc_transport_write(self->protocol.transport, TORC_STR("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    wait_for_all(exchange, exchange->base.limits);
    torc_http1_expect_within(self, exchange->base.limits->body_stall_ms);
    torc_http1_expect_within(self, self->side->limits.rate_grace_ms);
    torc_http1_resume(self);
}

void torc_http1_stop_body(torc_exchange *base) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);
    torc_http1_connection *self = exchange->connection;

    if (!self || exchange->is_stopped) return;
    exchange->is_stopped = true;
    exchange->progress_ms = torc_http1_reactor(self)->now_ms;
    /* A peer that waits for 100 may send its body or not: nobody knows what its next byte means
     * (RFC 9110 §10.1.1). */
    exchange->is_refused = (exchange->framing.expects_continue && !exchange->is_continued) ||
                           (exchange->in == TORC_HTTP1_IN_LENGTH &&
                            exchange->in_left > self->side->limits.drain_bytes_max);
    if (exchange->is_refused && exchange->out == TORC_HTTP1_OUT_DONE) torc_http1_out_done(exchange);
    wait_for_all(exchange, &self->side->limits);
    torc_http1_expect_within(self, self->side->limits.body_stall_ms);
    torc_http1_resume(self);
}
