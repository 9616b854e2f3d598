/* SPDX-License-Identifier: MIT */
/*
 * Requests without a socket: a wire that captures what it is given, and a peer that the test plays.
 *
 *  - Events come from a posted call (`step`) only, one kind after the other, so nothing calls back
 *    inside a call.
 *  - What the test gives (head, body) and what the response was live in the `kept` arena and the
 *    `body` buffer until the end; the exchange's own arena is disposed of when both its holders
 *    have let go, which the address sanitizer then guards.
 *  - `unsent` bytes were sent and not taken by the peer; they fill the room up to the high mark.
 *  - The exchange is closed once: when both messages are complete and all was taken, by a reset, or
 *    by the peer.
 */
#include <stdio.h>
#include <torc/buf.h>
#include <torc/testing_request.h>
#include <unistd.h>

#include "base/alloc.h"
#include "protocol/exchange.h"
#include "reactor/reactor.h"
#include "testing/request.h"

enum {
    KEPT_MAX = 16 * 1024 * 1024,
    BODY_MAX = 256 * 1024 * 1024,
    IDLE_TURNS = 8 /* without anything to do, and run() gives up */
};

typedef struct piece {
    struct piece *next;
    torc_str bytes;
} piece;

struct torc_test_request {
    torc_exchange exchange;
    torc_reactor *reactor;
    torc_acceptor *acceptor;
    void (*freed)(void *context); /* called when this is freed; may be NULL */
    void *freed_context;
    torc_arena arena;     /* the exchange's */
    torc_page_pool pages; /* the test's, whose allocations do not fail with the reactor's */
    torc_arena kept;
    torc_limits limits;
    torc_link_info link;
    torc_call step;
    uint64_t events; /* that something happened, counted */

    /* What the peer sends. */
    torc_head head;
    piece *first, *last;
    torc_fields sent_trailers;
    size_t demand;
    uint64_t consumed;
    bool has_ended; /* the test gave the end */
    bool has_told_head, has_told_end;
    bool is_continued, is_stopped;

    /* What the peer got. */
    int status, interim_status;
    uint32_t interim_count, piece_count;
    torc_str reason;
    torc_fields fields, trailers;
    int64_t length;
    torc_buf body;
    bool has_head, has_end;
    size_t unsent, allowance;
    bool is_full;
    uint64_t taken, leave_after;

    bool is_opened, is_closed, is_freed;
    bool is_reset, is_broken;
    torc_err why; /* of the reset, or of the break */
};

static torc_test_request *self_of(torc_exchange *exchange) {
    return torc_container_of(exchange, torc_test_request, exchange);
}

static void poke(torc_test_request *self) {
    if (!self->is_closed) torc_reactor_post(self->reactor, &self->step);
}

/* ---- the wire, as the request sees it ---- */

static bool is_over(const torc_test_request *self) {
    return self->is_closed || self->is_reset || self->is_broken;
}

static bool has_no_body(const torc_test_request *self) {
    return self->head.method == TORC_METHOD_HEAD || self->status == 204 || self->status == 304;
}

static torc_err copy_fields(torc_test_request *self, const torc_fields *from, torc_fields *to) {
    *to = (torc_fields){0};
    for (uint32_t i = 0; i < from->count; i++) {
        const torc_err err =
            torc_fields_add_copy(to, &self->kept, from->items[i].name, from->items[i].value);
        if (err) return err;
    }
    return TORC_OK;
}

static torc_err send_head(torc_exchange *exchange, const torc_head *head, int64_t body_len) {
    torc_test_request *self = self_of(exchange);
    torc_err err;

    if (is_over(self)) return TORC_ERR_GONE;
    if (self->has_head) return TORC_ERR_STATE;
    self->events++;
    err = copy_fields(self, &head->fields, &self->fields);
    if (err) return err;
    if (head->status < 200) {
        self->interim_count++;
        self->interim_status = head->status;
        return TORC_OK;
    }
    self->has_head = true;
    self->status = head->status;
    self->length = body_len;
    poke(self);
    return head->reason.len ? torc_arena_copy(&self->kept, head->reason, &self->reason) : TORC_OK;
}

static torc_err add_from_file(torc_test_request *self, const torc_segment *segment) {
    char bytes[4096];

    for (size_t done = 0; done < segment->len;) {
        const size_t len =
            segment->len - done < sizeof(bytes) ? segment->len - done : sizeof(bytes);
        const ssize_t got =
            pread(segment->owner.file->fd, bytes, len, (off_t)(segment->offset + done));
        if (got <= 0) return TORC_ERR_TRUNCATED;
        torc_buf_add(&self->body, torc_str_make(bytes, (size_t)got));
        done += (size_t)got;
    }
    return TORC_OK;
}

static torc_err capture(torc_test_request *self, const torc_chain *chain) {
    torc_err err = TORC_OK;

    if (chain->len == 0 || has_no_body(self)) return TORC_OK;
    for (const torc_segment *segment = chain->first; segment && !err; segment = segment->next) {
        if (segment->kind == TORC_SEGMENT_FILE)
            err = add_from_file(self, segment);
        else
            torc_buf_add(&self->body, torc_str_make(segment->bytes, segment->len));
    }
    self->piece_count++;
    self->unsent += chain->len;
    return err ? err : torc_buf_err(&self->body);
}

static void reset(torc_exchange *exchange, torc_err reason) {
    torc_test_request *self = self_of(exchange);

    if (is_over(self)) return;
    self->events++;
    self->is_reset = true;
    self->why = reason;
    poke(self);
}

static torc_err send_body(torc_exchange *exchange, torc_chain *chain) {
    torc_test_request *self = self_of(exchange);
    torc_err err = TORC_OK;

    if (is_over(self))
        err = TORC_ERR_GONE;
    else if (!self->has_head || self->has_end)
        err = TORC_ERR_STATE;
    else if (self->unsent >= self->limits.output_bytes_max)
        err = TORC_ERR_LIMIT;
    else if (self->length >= 0 && !has_no_body(self) &&
             self->body.len + chain->len > (uint64_t)self->length) {
        err = TORC_ERR_STATE;
        reset(exchange, err);
    }
    if (!err) err = capture(self, chain);
    torc_chain_clear(chain);
    self->events++;
    poke(self);
    return err;
}

static torc_err send_end(torc_exchange *exchange, const torc_fields *trailers) {
    torc_test_request *self = self_of(exchange);

    if (is_over(self)) return TORC_ERR_GONE;
    if (!self->has_head || self->has_end) return TORC_ERR_STATE;
    self->events++;
    if (self->length >= 0 && !has_no_body(self) && self->body.len < (uint64_t)self->length) {
        reset(exchange, TORC_ERR_STATE);
        return TORC_ERR_STATE;
    }
    self->has_end = true;
    poke(self);
    return trailers && self->length < 0 ? copy_fields(self, trailers, &self->trailers) : TORC_OK;
}

static torc_err send_whole(torc_exchange *exchange, const torc_head *head, torc_str body) {
    torc_err err = send_head(exchange, head, (int64_t)body.len);
    torc_chain chain;

    torc_chain_init(&chain, &exchange->reactor->chains);
    if (!err) err = torc_chain_add_bytes(&chain, body);
    if (!err && body.len) err = send_body(exchange, &chain);
    return err ? err : send_end(exchange, NULL);
}

static size_t room(torc_exchange *exchange) {
    torc_test_request *self = self_of(exchange);
    const size_t high = self->limits.output_high_bytes;

    if (is_over(self)) return 0;
    if (self->unsent < high) return high - self->unsent;
    self->is_full = true;
    return 0;
}

static void want_body(torc_exchange *exchange, size_t bytes) {
    torc_test_request *self = self_of(exchange);

    if (is_over(self)) return;
    self->is_continued = true;
    self->demand = bytes > SIZE_MAX - self->demand ? SIZE_MAX : self->demand + bytes;
    poke(self);
}

static void stop_body(torc_exchange *exchange) {
    torc_test_request *self = self_of(exchange);

    self->is_stopped = true;
    self->demand = 0;
    poke(self);
}

static torc_err tunnel(torc_exchange *exchange) {
    return is_over(self_of(exchange)) ? TORC_ERR_GONE : TORC_ERR_UNSUPPORTED;
}

static const torc_link_info *link_of(torc_exchange *exchange) {
    return &self_of(exchange)->link;
}

static void free_exchange(torc_exchange *exchange) {
    torc_test_request *self = self_of(exchange);

    self->is_freed = true;
    self->events++;
    torc_arena_dispose(&self->arena);
}

static const torc_exchange_wire wire = {
    .send_head = send_head,
    .send_body = send_body,
    .send_end = send_end,
    .room = room,
    .want_body = want_body,
    .stop_body = stop_body,
    .tunnel = tunnel,
    .reset = reset,
    .link = link_of,
    .free = free_exchange,
    .send_whole = send_whole,
};

/* ---- the peer: one step of everything ---- */

static void close_with(torc_test_request *self, torc_err reason) {
    if (self->is_closed) return;
    self->is_closed = true;
    self->events++;
    torc_exchange_closed(&self->exchange, reason);
}

static void open_exchange(torc_test_request *self) {
    self->is_opened = true;
    self->events++;
    torc_exchange_init(&self->exchange, self->reactor, &wire, &self->arena, &self->limits);
    if (!self->acceptor->ops->opened(self->acceptor, &self->exchange)) return;
    self->status = 503;
    self->has_head = self->has_end = self->has_told_head = self->has_told_end = true;
    torc_exchange_let_go(&self->exchange);
}

static void tell_head(torc_test_request *self) {
    self->has_told_head = true;
    self->exchange.events->head_received(&self->exchange, &self->head);
}

/* Give the next piece of the body, or a part of it, as far as it is wanted. */
static bool tell_piece(torc_test_request *self) {
    piece *next = self->first;

    if (!next || (self->demand == 0 && !self->is_stopped)) return false;
    const torc_str part = self->is_stopped ? next->bytes : torc_str_head(next->bytes, self->demand);
    next->bytes = torc_str_from(next->bytes, part.len);
    if (next->bytes.len == 0) self->first = next->next;
    if (!self->first) self->last = NULL;
    self->events++;
    if (self->is_stopped) return true;
    self->demand -= part.len;
    self->consumed += part.len;
    self->exchange.events->body_received(&self->exchange, part);
    return true;
}

static void tell_body(torc_test_request *self) {
    while (!is_over(self) && tell_piece(self)) {
    }
    if (is_over(self) || self->first || !self->has_ended || self->has_told_end) return;
    self->has_told_end = true;
    self->events++;
    if (self->is_stopped) return;
    self->exchange.events->body_ended(&self->exchange,
                                      self->sent_trailers.count ? &self->sent_trailers : NULL);
}

static void take_output(torc_test_request *self) {
    const size_t bytes = self->unsent < self->allowance ? self->unsent : self->allowance;

    if (bytes > 0) self->events++;
    self->unsent -= bytes;
    self->taken += bytes;
    if (self->allowance != SIZE_MAX) self->allowance -= bytes;
    if (self->is_full && self->unsent <= self->limits.output_high_bytes / 2 && !is_over(self)) {
        self->is_full = false;
        self->exchange.events->drained(&self->exchange);
    }
}

/* A body that the server stopped is read and dropped to its end; one that the test does not end
 * counts as ended. */
static bool is_complete(const torc_test_request *self) {
    const bool all_sent = self->has_told_end || self->is_stopped;
    return self->has_end && self->unsent == 0 && all_sent;
}

static void run_step(torc_call *call) {
    torc_test_request *self = torc_container_of(call, torc_test_request, step);

    if (!self->is_opened) open_exchange(self);
    if (!is_over(self) && !self->has_told_head) tell_head(self);
    if (!is_over(self)) tell_body(self);
    if (!self->is_closed) take_output(self);
    if (self->is_broken || self->is_reset)
        close_with(self, self->why);
    else if (self->taken >= self->leave_after)
        close_with(self, TORC_ERR_LOST);
    else if (is_complete(self))
        close_with(self, TORC_OK);
}

/* ---- what the test says ---- */

static bool read_fields(torc_test_request *self, torc_str lines) {
    torc_str line, name;
    uint64_t len;

    while (torc_str_split(&lines, '\n', &line)) {
        if (line.len == 0) continue;
        if (!torc_str_split(&line, ':', &name) || !line.bytes) return false;
        if (torc_fields_add_copy(&self->head.fields, &self->kept, name, torc_str_trim(line)))
            return false;
        if (torc_str_equals_nocase(name, TORC_STR("Transfer-Encoding"))) self->head.body_len = -1;
        if (!torc_str_equals_nocase(name, TORC_STR("Content-Length"))) continue;
        if (torc_str_parse_uint(torc_str_trim(line), INT64_MAX, &len)) return false;
        self->head.body_len = (int64_t)len;
    }
    return true;
}

static bool read_head(torc_test_request *self, const char *text) {
    torc_str rest, line, method, target;

    if (torc_arena_copy(&self->kept, torc_str_of(text), &rest)) return false;
    if (!torc_str_split(&rest, '\n', &line) || !torc_str_split(&line, ' ', &method)) return false;
    if (!line.bytes || !torc_str_split(&line, ' ', &target)) return false;
    self->head.method = torc_method_find(method);
    self->head.method_text = method;
    self->head.version = torc_str_equals(line, TORC_STR("HTTP/1.0")) ? 10 : 11;
    if (torc_target_parse(target, self->head.method, &self->head.target)) return false;
    return !rest.bytes || read_fields(self, rest);
}

torc_test_request *torc_test_request_new(torc_reactor *reactor, torc_acceptor *acceptor,
                                         const char *head) {
    torc_test_request *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    self->reactor = reactor;
    self->acceptor = acceptor;
    self->limits = torc_limits_default();
    torc_arena_init(&self->arena, &reactor->pages, self->limits.request_memory_max);
    torc_page_pool_init(&self->pages, NULL, 0);
    torc_arena_init(&self->kept, &self->pages, KEPT_MAX);
    torc_buf_init(&self->body, NULL, TORC_MEMORY_OTHER, BODY_MAX);
    self->step.run = run_step;
    self->allowance = SIZE_MAX;
    self->leave_after = UINT64_MAX;
    if (!read_head(self, head)) {
        torc_test_request_free(self);
        return NULL;
    }
    self->has_ended = self->head.body_len == 0;
    poke(self);
    return self;
}

void torc_test_request_set_limits(torc_test_request *self, const torc_limits *limits) {
    self->limits = *limits;
    self->arena.max = limits->request_memory_max;
}

void torc_test_request_set_addr(torc_test_request *self, const torc_addr *peer) {
    self->link.peer = *peer;
}

void torc_test_request_set_secure(torc_test_request *self) {
    self->link.is_secure = true;
}

const torc_request *torc_test_request_above(const torc_test_request *self) {
    return self->is_opened && !self->is_closed && !self->is_freed ? self->exchange.above : NULL;
}

torc_str torc_test_request_asked(const torc_test_request *self, const char *name) {
    return torc_fields_value(&self->head.fields, torc_str_of(name));
}

void torc_test_request_on_free(torc_test_request *self, void (*freed)(void *context),
                               void *context) {
    self->freed = freed;
    self->freed_context = context;
}

static bool is_in_progress(const torc_test_request *self) {
    return self->is_opened && !self->is_freed;
}

void torc_test_request_free(torc_test_request *self) {
    if (!self) return;
    torc_call_cancel(&self->step);
    if (is_in_progress(self)) close_with(self, TORC_ERR_LOST);
    for (int i = 0; i < 1000 && is_in_progress(self); i++)
        (void)!torc_reactor_turn(self->reactor, i < 100 ? 0 : 10);
    if (self->freed) self->freed(self->freed_context);
    if (!is_in_progress(self)) torc_arena_dispose(&self->arena);
    torc_arena_dispose(&self->kept);
    torc_page_pool_dispose(&self->pages);
    torc_buf_dispose(&self->body);
    torc_dealloc(NULL, self);
}

torc_err torc_test_request_set_peer(torc_test_request *self, const char *host, uint16_t port) {
    return torc_addr_parse(torc_str_of(host), port, &self->link.peer);
}

void torc_test_request_send(torc_test_request *self, torc_str bytes) {
    piece *added = torc_arena_alloc_zero(&self->kept, 1, sizeof(*added));

    if (!added || bytes.len == 0 || torc_arena_copy(&self->kept, bytes, &added->bytes)) return;
    if (self->last)
        self->last->next = added;
    else
        self->first = added;
    self->last = added;
    poke(self);
}

void torc_test_request_send_end(torc_test_request *self) {
    self->has_ended = true;
    poke(self);
}

void torc_test_request_send_trailer(torc_test_request *self, const char *name, const char *value) {
    (void)!torc_fields_add_copy(&self->sent_trailers, &self->kept, torc_str_of(name),
                                torc_str_of(value));
}

void torc_test_request_disconnect(torc_test_request *self) {
    torc_test_request_break(self, TORC_ERR_LOST);
}

void torc_test_request_disconnect_after(torc_test_request *self, uint64_t body_bytes) {
    self->leave_after = body_bytes;
    poke(self);
}

void torc_test_request_break(torc_test_request *self, torc_err reason) {
    if (is_over(self)) return;
    self->is_broken = true;
    self->why = reason;
    poke(self);
}

void torc_test_request_hold_back(torc_test_request *self) {
    self->allowance = 0;
}

void torc_test_request_take(torc_test_request *self, size_t bytes) {
    self->allowance = bytes > SIZE_MAX - self->allowance ? SIZE_MAX : self->allowance + bytes;
    poke(self);
}

void torc_test_request_run(torc_test_request *self) {
    uint64_t seen = self->events;

    for (int idle = 0; idle < IDLE_TURNS && !self->is_freed; idle++) {
        (void)!torc_reactor_turn(self->reactor, 0);
        if (self->events != seen) idle = 0;
        seen = self->events;
    }
}

/* ---- what came ---- */

int torc_test_request_status(const torc_test_request *self) {
    return self->status;
}

torc_str torc_test_request_reason(const torc_test_request *self) {
    return self->reason;
}

const torc_fields *torc_test_request_fields(const torc_test_request *self) {
    return &self->fields;
}

torc_str torc_test_request_field(const torc_test_request *self, const char *name) {
    return torc_fields_value(&self->fields, torc_str_of(name));
}

torc_str torc_test_request_body(const torc_test_request *self) {
    return torc_buf_str(&self->body);
}

int64_t torc_test_request_length(const torc_test_request *self) {
    return self->length;
}

uint32_t torc_test_request_piece_count(const torc_test_request *self) {
    return self->piece_count;
}

const torc_fields *torc_test_request_trailers(const torc_test_request *self) {
    return &self->trailers;
}

uint32_t torc_test_request_interim_count(const torc_test_request *self) {
    return self->interim_count;
}

int torc_test_request_interim_status(const torc_test_request *self) {
    return self->interim_status;
}

bool torc_test_request_is_complete(const torc_test_request *self) {
    return self->has_end && !self->is_reset;
}

bool torc_test_request_is_over(const torc_test_request *self) {
    return self->has_end || is_over(self);
}

bool torc_test_request_was_reset(const torc_test_request *self) {
    return self->is_reset;
}

torc_err torc_test_request_reset_reason(const torc_test_request *self) {
    return self->is_reset ? self->why : TORC_OK;
}

bool torc_test_request_was_continued(const torc_test_request *self) {
    return self->is_continued;
}

uint64_t torc_test_request_consumed(const torc_test_request *self) {
    return self->consumed;
}

bool torc_test_request_was_stopped(const torc_test_request *self) {
    return self->is_stopped;
}
