/* SPDX-License-Identifier: MIT */
/*
 * A wire in memory with several exchanges and credit.
 *
 *  - An exchange is two halves, one of each end. A half is an exchange of the layer above it, in an
 *    arena of its own.
 *  - The step looks at each half and does what is to be done for it as a receiver: it pulls a head,
 *    a frame or the end from the other half, and tells of it. So only the events of the half at
 *    hand are called, and only that half is closed; calls of the wire mark, and post the step.
 *  - `input` never has more than the exchange's window: what is not delivered stops the sender.
 *  - A half is closed once: with both messages complete, by a reset of either side, or with the
 *    connection.
 */
#include "testing/mux.h"

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/list.h"
#include "reactor/reactor.h"

enum {
    WINDOW = 65535,
    FRAME_MAX = 16384,
    EXCHANGES_MAX = 100,
    READ_MAX = 4096, /* of a range of a file at once */
    TURNS_TO_END = 10000
};

typedef struct queued_head {
    struct queued_head *next;
    torc_head head;
} queued_head;

typedef struct half {
    torc_test_mux *mux;  /* NULL once closed */
    struct half *other;  /* NULL: not begun, or closed */
    torc_list_node node; /* in mux->halves */
    torc_exchange base;
    torc_arena arena;   /* which holds this, too */
    torc_method method; /* of the request */

    /* What goes out. */
    queued_head *first, *last; /* not yet pulled */
    torc_chain output;
    torc_fields trailers;
    uint64_t out_left;
    bool has_length, has_head, has_end, end_is_pulled;
    bool is_dropped; /* the body: of an answer to HEAD, a 204 or 304 */
    bool is_upgrade; /* the head was a 2xx to CONNECT */
    bool is_full, is_refused, head_is_pulled;

    /* What comes in. */
    torc_chain input;
    size_t demand;
    uint64_t dropped;
    bool has_told_head, has_told_end, is_stopped, in_is_refused;
    bool expects_continue, is_tunnel, is_draining;

    torc_err why; /* it is to be closed for this */
} half;

struct torc_test_mux {
    torc_reactor *reactor;
    torc_acceptor *acceptor;
    torc_limits limits;
    torc_test_mux_options options;
    torc_list halves;
    torc_call step;
    size_t credit; /* of the connection, in this step */
    size_t queued_max;
    uint32_t count, client_count;
    bool is_broken, is_draining, is_busy;
    torc_link_info link;
};

static half *half_of(torc_exchange *exchange) {
    return torc_container_of(exchange, half, base);
}

static void poke(half *self) {
    if (self->mux) torc_reactor_post(self->mux->reactor, &self->mux->step);
}

/* Whether calls have no effect any more. */
static bool is_over(const half *self) {
    return !self->mux || self->why || self->mux->is_broken;
}

/* ---- heads ---- */

static torc_err copy_fields(torc_arena *arena, const torc_fields *from, torc_fields *to) {
    torc_err err = TORC_OK;

    *to = (torc_fields){0};
    for (uint32_t i = 0; i < from->count && !err; i++)
        err = torc_fields_add_copy(to, arena, from->items[i].name, from->items[i].value);
    return err;
}

static torc_err copy_request(torc_arena *arena, const torc_head *from, torc_head *to) {
    torc_str target;
    torc_err err = torc_arena_copy(arena, from->method_text, &to->method_text);

    if (!err) err = torc_arena_copy(arena, from->target.text, &target);
    return err ? err : torc_target_parse(target, from->method, &to->target);
}

static torc_err copy_head(torc_arena *arena, const torc_head *from, torc_head *to) {
    torc_err err;

    *to = (torc_head){
        .version = 20, .status = from->status, .method = from->method, .body_len = from->body_len};
    err = copy_fields(arena, &from->fields, &to->fields);
    if (!err && !from->status) err = copy_request(arena, from, to);
    return err;
}

static torc_err queue_head(half *self, const torc_head *head, int64_t body_len) {
    queued_head *added = torc_arena_alloc_zero(&self->arena, 1, sizeof(*added));
    torc_err err;

    if (!added) return TORC_ERR_NO_MEMORY;
    err = copy_head(&self->arena, head, &added->head);
    if (err) return err;
    added->head.body_len = body_len;
    if (self->last)
        self->last->next = added;
    else
        self->first = added;
    self->last = added;
    poke(self);
    return TORC_OK;
}

static bool is_interim(const torc_head *head) {
    return head->status >= 100 && head->status < 200;
}

static void decide_body(half *self, const torc_head *head, int64_t body_len) {
    self->has_head = true;
    self->has_length = body_len >= 0;
    self->out_left = body_len >= 0 ? (uint64_t)body_len : 0;
    if (!head->status) {
        self->method = head->method;
        return;
    }
    self->is_dropped =
        self->method == TORC_METHOD_HEAD || head->status == 204 || head->status == 304;
    self->is_upgrade = self->method == TORC_METHOD_CONNECT && head->status < 300;
}

static torc_err send_head(torc_exchange *exchange, const torc_head *head, int64_t body_len) {
    half *self = half_of(exchange);

    if (is_over(self)) return TORC_ERR_GONE;
    if (self->has_head) return TORC_ERR_STATE;
    if (head->status == 101) return TORC_ERR_UNSUPPORTED;
    if (is_interim(head)) return queue_head(self, head, 0);
    const bool has_none =
        self->method == TORC_METHOD_HEAD || head->status == 204 || head->status == 304;
    const torc_err err = queue_head(self, head, has_none ? 0 : body_len);
    if (!err) decide_body(self, head, body_len);
    return err;
}

/* ---- bodies out ---- */

static void reset(torc_exchange *exchange, torc_err reason) {
    half *self = half_of(exchange);

    if (is_over(self)) return;
    self->why = reason ? reason : TORC_ERR_ABORTED;
    poke(self);
}

static torc_err admit(half *self, const torc_chain *chain) {
    if (is_over(self)) return TORC_ERR_GONE;
    if (!self->has_head || self->has_end) return TORC_ERR_STATE;
    if (self->output.len >= self->mux->limits.output_bytes_max) return TORC_ERR_LIMIT;
    if (self->is_dropped || !self->has_length || self->is_tunnel) return TORC_OK;
    if (chain->len > self->out_left) {
        reset(&self->base, TORC_ERR_STATE);
        return TORC_ERR_STATE;
    }
    self->out_left -= chain->len;
    return TORC_OK;
}

static torc_err send_body(torc_exchange *exchange, torc_chain *chain) {
    half *self = half_of(exchange);
    const torc_err err = admit(self, chain);

    if (!err && !self->is_dropped && !self->is_refused) {
        torc_chain_move(&self->output, chain);
        if (self->output.len >= self->mux->limits.output_high_bytes) self->is_full = true;
        poke(self);
    }
    torc_chain_clear(chain);
    return err;
}

static torc_err send_end(torc_exchange *exchange, const torc_fields *trailers) {
    half *self = half_of(exchange);
    torc_err err = TORC_OK;

    if (is_over(self)) return TORC_ERR_GONE;
    if (!self->has_head || self->has_end) return TORC_ERR_STATE;
    if (self->has_length && !self->is_dropped && !self->is_tunnel && self->out_left > 0)
        err = TORC_ERR_STATE;
    else if (trailers)
        err = copy_fields(&self->arena, trailers, &self->trailers);
    if (err) {
        reset(exchange, err);
        return err;
    }
    self->has_end = true;
    poke(self);
    return TORC_OK;
}

static size_t room(torc_exchange *exchange) {
    const half *self = half_of(exchange);

    if (is_over(self) || self->is_full) return 0;
    return self->mux->limits.output_high_bytes - self->output.len;
}

/* ---- bodies in ---- */

static void send_continue(half *self) {
    static const torc_head head = {.status = 100};

    if (!self->expects_continue || self->has_head) return;
    self->expects_continue = false;
    const torc_err err = queue_head(self, &head, 0);
    if (err) reset(&self->base, err);
}

static void want_body(torc_exchange *exchange, size_t bytes) {
    half *self = half_of(exchange);

    if (is_over(self) || self->is_stopped || self->has_told_end) return;
    self->demand = bytes > SIZE_MAX - self->demand ? SIZE_MAX : self->demand + bytes;
    send_continue(self);
    poke(self);
}

/* What comes is dropped up to a limit; a peer that waits for 100 is not waited for. */
static void stop_body(torc_exchange *exchange) {
    half *self = half_of(exchange);

    if (is_over(self)) return;
    self->is_stopped = true;
    self->in_is_refused |= self->expects_continue;
    poke(self);
}

static torc_err tunnel(torc_exchange *exchange) {
    half *self = half_of(exchange);

    if (is_over(self)) return TORC_ERR_GONE;
    if (self->method != TORC_METHOD_CONNECT) return TORC_ERR_UNSUPPORTED;
    const half *server = exchange->is_client ? self->other : self;
    if (!server || !server->is_upgrade || self->is_tunnel) return TORC_ERR_STATE;
    if (exchange->is_client ? !self->has_told_head : self->has_end) return TORC_ERR_STATE;
    self->is_tunnel = true;
    self->is_stopped = self->has_end = false;
    poke(self);
    return TORC_OK;
}

static const torc_link_info *link_of(torc_exchange *exchange) {
    static const torc_link_info none;
    const half *self = half_of(exchange);
    return self->mux ? &self->mux->link : &none;
}

static void free_half(torc_exchange *exchange) {
    torc_arena arena = half_of(exchange)->arena; /* it holds the half */
    torc_arena_dispose(&arena);
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
    .free = free_half,
};

/* ---- the life of a half ---- */

static half *half_new(torc_test_mux *mux, bool is_client) {
    torc_arena arena;

    torc_arena_init(&arena, &mux->reactor->pages, mux->limits.request_memory_max);
    half *self = torc_arena_alloc_zero(&arena, 1, sizeof(*self));
    if (!self) return NULL;
    self->arena = arena;
    self->mux = mux;
    torc_exchange_init(&self->base, mux->reactor, &wire, &self->arena, &mux->limits);
    self->base.is_client = is_client;
    torc_chain_init(&self->output, &mux->reactor->chains);
    torc_chain_init(&self->input, &mux->reactor->chains);
    torc_list_push(&mux->halves, &self->node);
    mux->count++;
    if (is_client) mux->client_count++;
    return self;
}

static bool out_is_complete(const half *self) {
    return self->has_end && self->end_is_pulled;
}

static bool in_is_complete(const half *self) {
    return self->has_told_end || self->in_is_refused;
}

/* Let the other half know what it has to expect of this one, which is closed. */
static void part(half *self, torc_err reason) {
    half *other = self->other;

    self->other = NULL;
    if (!other) return;
    other->other = NULL;
    if (reason || !out_is_complete(self)) {
        if (!other->why) other->why = TORC_ERR_LOST;
    } else if (!self->has_told_end) {
        other->is_refused = true;
        torc_chain_clear(&other->output);
    }
}

static void close_half(half *self, torc_err reason) {
    torc_test_mux *mux = self->mux;

    mux->is_busy = true;
    mux->count--;
    if (self->base.is_client) mux->client_count--;
    torc_list_remove(&self->node);
    part(self, reason);
    self->mux = NULL;
    torc_chain_clear(&self->input);
    torc_chain_clear(&self->output);
    torc_exchange_closed(&self->base, reason);
}

/* ---- the step: from one half to the other ---- */

/* Nobody accepts: 503, and what comes of the request is dropped. */
static void refuse(half *self) {
    static const torc_head head = {.status = 503};

    torc_exchange_let_go(&self->base);
    self->is_stopped = self->has_told_head = true;
    torc_err err = send_head(&self->base, &head, 0);
    if (!err) err = send_end(&self->base, NULL);
    if (err) reset(&self->base, err);
}

/* A request came to the server's end. */
static void begin(half *client) {
    torc_test_mux *mux = client->mux;

    mux->is_busy = true;
    if (mux->is_draining) {
        client->why = TORC_ERR_UNPROCESSED;
        return;
    }
    half *self = half_new(mux, false);
    if (!self) {
        client->why = TORC_ERR_UNPROCESSED;
        return;
    }
    client->head_is_pulled = true;
    self->other = client;
    client->other = self;
    self->method = client->method;
    if (mux->acceptor->ops->opened(mux->acceptor, &self->base)) refuse(self);
}

static bool expects_continue(const torc_head *head) {
    return torc_fields_have_member(&head->fields, TORC_FIELD_EXPECT, TORC_STR("100-continue"));
}

static void pull_head(half *self) {
    half *other = self->other;
    torc_head *head;

    if (!other || !other->first || is_over(self)) return;
    self->mux->is_busy = true;
    head = torc_arena_alloc(&self->arena, sizeof(*head));
    const torc_err err =
        head ? copy_head(&self->arena, &other->first->head, head) : TORC_ERR_NO_MEMORY;
    if (err) {
        reset(&self->base, err);
        return;
    }
    other->first = other->first->next;
    if (!other->first) other->last = NULL;
    if (self->has_told_head) return; /* it was refused */
    self->has_told_head = !is_interim(head);
    if (!self->base.is_client)
        self->expects_continue = head->body_len != 0 && expects_continue(head);
    self->base.events->head_received(&self->base, head);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Move a frame, as far as the windows go; what nobody wants is dropped. */
static void pull_frame(half *self) {
    torc_test_mux *mux = self->mux;
    half *other = self->other;

    if (!other || !self->has_told_head || other->output.len == 0 || is_over(self)) return;
    const size_t window = mux->options.exchange_window - self->input.len;
    const size_t len =
        least(least(other->output.len, window), least(mux->options.frame_max, mux->credit));
    if (len == 0) return;
    mux->is_busy = true;
    mux->credit -= len;
    self->expects_continue = false; /* who sends does not wait for it */
    if (self->is_stopped) {
        torc_chain_consume(&other->output, len);
        self->dropped += len;
        self->in_is_refused |= self->dropped > mux->limits.drain_bytes_max;
        return;
    }
    const torc_err err = torc_chain_move_head(&self->input, &other->output, len);
    if (err) reset(&self->base, err);
    if (self->input.len > mux->queued_max) mux->queued_max = self->input.len;
}

/* The first bytes of a chain: of a range of a file, read into `buffer`. */
static torc_err first_bytes(const torc_chain *chain, char *buffer, torc_str *bytes) {
    const torc_segment *segment = chain->first;

    *bytes = torc_str_make(segment->bytes, segment->len);
    if (segment->kind != TORC_SEGMENT_FILE) return TORC_OK;
    const ssize_t got = pread(segment->owner.file->fd, buffer, least(segment->len, READ_MAX),
                              (off_t)segment->offset);
    if (got < 0) return torc_err_from_errno(errno);
    *bytes = torc_str_make(buffer, (size_t)got);
    return got > 0 ? TORC_OK : TORC_ERR_TRUNCATED;
}

/* Tell of some bytes that are wanted. They are taken out first: the event may stop the body. */
static void tell_body(half *self) {
    char buffer[READ_MAX];
    torc_chain lent;
    torc_str bytes;

    if (is_over(self) || self->input.len == 0) return;
    if (self->is_stopped) {
        self->dropped += self->input.len;
        torc_chain_clear(&self->input);
        self->mux->is_busy = true;
        return;
    }
    if (self->demand == 0) return;
    self->mux->is_busy = true;
    torc_err err = first_bytes(&self->input, buffer, &bytes);
    if (!err) bytes = torc_str_head(bytes, self->demand);
    torc_chain_init(&lent, &self->mux->reactor->chains);
    if (!err) err = torc_chain_move_head(&lent, &self->input, bytes.len);
    if (err) {
        reset(&self->base, err);
        return;
    }
    self->demand -= bytes.len;
    self->base.events->body_received(&self->base, bytes);
    torc_chain_clear(&lent);
}

/* A request for a tunnel ends only when there will be none. */
static bool may_end(const half *sender) {
    if (!sender->base.is_client || sender->method != TORC_METHOD_CONNECT || sender->is_tunnel)
        return true;
    return sender->has_told_head && sender->other && !sender->other->is_upgrade;
}

static bool end_is_due(const half *self) {
    const half *other = self->other;

    return other && other->has_end && !other->first && other->output.len == 0 &&
           self->input.len == 0 && self->has_told_head && !self->has_told_end && may_end(other);
}

static void tell_end(half *self) {
    torc_fields *trailers = NULL;

    if (is_over(self) || !end_is_due(self)) return;
    self->mux->is_busy = true;
    if (self->other->trailers.count > 0) {
        trailers = torc_arena_alloc(&self->arena, sizeof(*trailers));
        const torc_err err = trailers ? copy_fields(&self->arena, &self->other->trailers, trailers)
                                      : TORC_ERR_NO_MEMORY;
        if (err) {
            reset(&self->base, err);
            return;
        }
    }
    self->has_told_end = true;
    self->other->end_is_pulled = true;
    if (!self->is_stopped) self->base.events->body_ended(&self->base, trailers);
}

static void tell_drained(half *self) {
    if (is_over(self) || !self->is_full ||
        self->output.len > self->mux->limits.output_high_bytes / 2)
        return;
    self->mux->is_busy = true;
    self->is_full = false;
    if (!self->has_end) self->base.events->drained(&self->base);
}

static void tell_draining(half *self) {
    if (is_over(self) || !self->mux->is_draining || self->base.is_client || self->is_draining)
        return;
    self->is_draining = true;
    if (self->has_told_head) self->base.events->draining(&self->base);
}

static bool is_waiting_to_begin(const half *self) {
    return self->base.is_client && !self->other && self->first && !self->head_is_pulled &&
           !is_over(self);
}

/* Close the half if its end has come. */
static void end(half *self) {
    const bool is_unprocessed = self->base.is_client && !self->head_is_pulled;

    if (self->why)
        close_half(self, self->why);
    else if (self->mux->is_broken)
        close_half(self, is_unprocessed ? TORC_ERR_UNPROCESSED : TORC_ERR_LOST);
    else if (in_is_complete(self) && out_is_complete(self))
        close_half(self, TORC_OK);
    else if (self->has_told_end && self->is_refused)
        close_half(self, TORC_ERR_LOST); /* the answer came whole, and the request was not wanted */
}

static void look_at(half *self) {
    if (is_waiting_to_begin(self)) begin(self);
    pull_head(self);
    pull_frame(self);
    tell_body(self);
    tell_end(self);
    tell_drained(self);
    tell_draining(self);
    end(self);
}

static half *at(torc_list_node *node) {
    return torc_container_of(node, half, node);
}

/* Another half is the first one in the next step. */
static void rotate(torc_test_mux *mux) {
    torc_list_node *first = torc_list_pop(&mux->halves);
    if (first) torc_list_push(&mux->halves, first);
}

static void run_step(torc_call *call) {
    torc_test_mux *mux = torc_container_of(call, torc_test_mux, step);
    torc_list_node *next;

    mux->credit = mux->options.connection_window;
    mux->is_busy = false;
    for (torc_list_node *node = torc_list_first(&mux->halves); node; node = next) {
        next = torc_list_next(&mux->halves, node);
        look_at(at(node));
    }
    rotate(mux);
    if (mux->is_busy) torc_reactor_post(mux->reactor, &mux->step);
}

/* ---- the connection ---- */

static torc_test_mux_options resolve(const torc_test_mux_options *given) {
    torc_test_mux_options options = given ? *given : (torc_test_mux_options){0};

    if (!options.exchange_window) options.exchange_window = WINDOW;
    if (!options.connection_window) options.connection_window = WINDOW;
    if (!options.frame_max) options.frame_max = FRAME_MAX;
    if (!options.exchanges_max) options.exchanges_max = EXCHANGES_MAX;
    return options;
}

torc_test_mux *torc_test_mux_new(torc_reactor *reactor, torc_acceptor *acceptor,
                                 const torc_test_mux_options *options) {
    const torc_limits wide = torc_limits_default();
    torc_test_mux *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    self->reactor = reactor;
    self->acceptor = acceptor;
    self->options = resolve(options);
    self->limits = torc_limits_inherit(self->options.limits, &wide);
    self->step.run = run_step;
    torc_list_init(&self->halves);
    return self;
}

void torc_test_mux_free(torc_test_mux *self) {
    if (!self) return;
    torc_test_mux_break(self);
    for (int i = 0; i < TURNS_TO_END && self->count > 0; i++)
        (void)!torc_reactor_turn(self->reactor, 0);
    torc_call_cancel(&self->step);
    torc_dealloc(NULL, self);
}

torc_err torc_test_mux_open(torc_test_mux *self, torc_exchange **exchange) {
    if (self->is_broken || self->is_draining) return TORC_ERR_CLOSED;
    if (self->client_count >= self->options.exchanges_max) return TORC_ERR_BUSY;
    half *made = half_new(self, true);
    if (!made) return TORC_ERR_NO_MEMORY;
    *exchange = &made->base;
    return TORC_OK;
}

void torc_test_mux_drain(torc_test_mux *self) {
    self->is_draining = true;
    torc_reactor_post(self->reactor, &self->step);
}

void torc_test_mux_break(torc_test_mux *self) {
    self->is_broken = true;
    torc_reactor_post(self->reactor, &self->step);
}

uint32_t torc_test_mux_count(const torc_test_mux *self) {
    return self->count;
}

size_t torc_test_mux_queued_max(const torc_test_mux *self) {
    return self->queued_max;
}
