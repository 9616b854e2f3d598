/* SPDX-License-Identifier: MIT */
/*
 * Connections in memory.
 *
 *  - Events come from a posted call (`step`) only: what was sent, what was received, the ends, and
 *    a failure, in the order in which a poller would tell them. At most one delivery comes a turn.
 *  - `pieces` were sent by the test and are not consumed: the first one in part, perhaps.
 *  - The first `sending` bytes of the transport's output are taken by the peer as far as
 *    `allowance` goes.
 *  - Who is joined takes no more than JOINED_MAX bytes that it has not consumed, as a socket's
 *    buffer does.
 *  - The connection is over once the transport was told that it is closed, in the retirement of a
 *    turn.
 */
#include "testing/connection.h"

#include <assert.h>
#include <errno.h>
#include <torc/buf.h>
#include <unistd.h>

#include "base/alloc.h"
#include "testing/scrambler.h"

enum {
    TURNS_TO_END = 100000,
    READ_MAX = 65536,
    JOINED_MAX = 32768
};

typedef struct piece {
    struct piece *next;
    size_t len, consumed;
    char bytes[];
} piece;

struct torc_test_connection {
    torc_transport base;
    torc_transport *top; /* what the protocol stands on: `base`, or the topmost filter's */
    torc_factory *factory;
    torc_protocol *protocol; /* given instead of a factory; NULL: not, or it was made */
    torc_call step;
    torc_retiree retiree;
    torc_test_connection *other; /* what it is joined with */
    torc_addr peer, host;

    /* What the peer sends. */
    piece *first, *last;
    size_t unread, piece_max;
    uint64_t received_turn;
    bool has_sent_end, is_end_told, is_input_told;
    torc_err failure;
    bool is_receiving, is_made;

    /* What the peer gets. */
    torc_buf written;
    size_t sending, allowance;
    uint32_t send_count;
    uint64_t file_bytes;

    bool is_shut, is_closed, is_reset, is_over;
    torc_err reason;
};

static torc_test_connection *self_of(torc_transport *transport) {
    return torc_container_of(transport, torc_test_connection, base);
}

static torc_reactor *reactor_of(const torc_test_connection *self) {
    return self->base.reactor;
}

static void step_later(torc_test_connection *self) {
    if (!self->is_closed) torc_reactor_post(reactor_of(self), &self->step);
}

/* ---- what the protocol writes ---- */

/* A part of a range of a file, read: all of it or an error. */
static torc_err read_range(torc_test_connection *self, const torc_segment *range, size_t len) {
    for (size_t got = 0; got < len;) {
        const size_t part = len - got < READ_MAX ? len - got : READ_MAX;
        char *to = torc_buf_reserve(&self->written, part);
        if (!to) return TORC_ERR_NO_MEMORY;
        const ssize_t count = pread(range->owner.file->fd, to, part, (off_t)(range->offset + got));
        if (count < 0) return torc_err_from_errno(errno);
        if (count == 0) return TORC_ERR_TRUNCATED;
        torc_buf_commit(&self->written, (size_t)count);
        got += (size_t)count;
    }
    self->file_bytes += len;
    return TORC_OK;
}

/* Record the first `len` bytes of the output. */
static torc_err record(torc_test_connection *self, size_t len) {
    for (const torc_segment *segment = self->base.outgoing->chain.first; len > 0;
         segment = segment->next) {
        const size_t part = segment->len < len ? segment->len : len;
        if (segment->kind == TORC_SEGMENT_FILE) {
            const torc_err err = read_range(self, segment, part);
            if (err) return err;
        } else {
            torc_buf_add(&self->written, torc_str_make(segment->bytes, part));
        }
        len -= part;
    }
    return torc_buf_err(&self->written);
}

/* What the peer may take now. */
static size_t may_take(const torc_test_connection *self) {
    const torc_test_connection *other = self->other;

    if (!other || other->is_closed) return self->allowance;
    const size_t room = other->unread < JOINED_MAX ? JOINED_MAX - other->unread : 0;
    return room < self->allowance ? room : self->allowance;
}

static bool can_take(const torc_test_connection *self) {
    return self->sending > 0 && may_take(self) > 0;
}

static void take(torc_test_connection *self) {
    const size_t max = may_take(self), len = self->sending < max ? self->sending : max;
    const size_t before = self->written.len;
    const torc_err err = record(self, len);

    if (err) {
        self->failure = err;
        torc_transport_failed(&self->base, err);
        return;
    }
    if (self->other)
        torc_test_connection_send(self->other, torc_str_from(torc_buf_str(&self->written), before));
    self->sending -= len;
    if (self->allowance != SIZE_MAX) self->allowance -= len;
    torc_chain_consume(&self->base.outgoing->chain, len);
    torc_transport_sent(&self->base, len);
}

/* ---- what the protocol receives ---- */

static void drop_first(torc_test_connection *self) {
    piece *first = self->first;

    self->first = first->next;
    if (!self->first) self->last = NULL;
    self->unread -= first->len - first->consumed;
    torc_dealloc(NULL, first);
}

static bool can_deliver(const torc_test_connection *self) {
    return self->is_receiving && self->first;
}

/* In a copy of its own size, so that the address sanitizer sees who reads behind the end. */
static size_t deliver_copy(torc_test_connection *self, torc_str bytes) {
    char *copy = torc_alloc(NULL, TORC_MEMORY_OTHER, bytes.len);

    if (!copy) return torc_transport_received(&self->base, bytes);
    memcpy(copy, bytes.bytes, bytes.len);
    const size_t consumed = torc_transport_received(&self->base, torc_str_make(copy, bytes.len));
    torc_dealloc(NULL, copy);
    return consumed;
}

static void deliver(torc_test_connection *self) {
    piece *first = self->first;
    const size_t left = first->len - first->consumed;
    const size_t len = self->piece_max && self->piece_max < left ? self->piece_max : left;

    self->received_turn = reactor_of(self)->turns;
    const size_t consumed = deliver_copy(self, torc_str_make(first->bytes + first->consumed, len));
    assert(consumed <= len);
    if (self->is_closed) return;
    if (consumed < len) self->is_receiving = false;
    self->unread -= consumed;
    if (self->other && consumed > 0) step_later(self->other);
    first->consumed += consumed;
    if (first->consumed == first->len) drop_first(self);
}

static bool end_is_due(const torc_test_connection *self) {
    return self->has_sent_end && !self->is_end_told && (!self->is_receiving || !self->first);
}

static bool input_end_is_due(const torc_test_connection *self) {
    return self->has_sent_end && !self->is_input_told && self->is_receiving && !self->first;
}

static bool failure_is_due(const torc_test_connection *self) {
    return self->failure && !can_deliver(self);
}

/* ---- the steps ---- */

static torc_err build(torc_test_connection *self) {
    if (self->protocol) return TORC_OK;
    return self->factory->ops->build_protocol(self->factory, self->top, &self->protocol);
}

static void make(torc_test_connection *self) {
    torc_protocol *protocol;
    const torc_err err = build(self);

    self->is_made = true;
    if (err) {
        torc_transport_abort_with(&self->base, err);
        return;
    }
    protocol = self->protocol;
    self->protocol = NULL;
    torc_transport_made(self->top, protocol);
}

static void tell_ends(torc_test_connection *self) {
    if (end_is_due(self)) {
        self->is_end_told = true;
        torc_transport_peer_ended(&self->base);
    }
    if (!self->is_closed && input_end_is_due(self)) {
        self->is_input_told = true;
        torc_transport_input_ended(&self->base);
    }
}

static bool has_more(const torc_test_connection *self) {
    return can_take(self) || can_deliver(self) || end_is_due(self) || input_end_is_due(self) ||
           failure_is_due(self);
}

static void step(torc_call *call) {
    torc_test_connection *self = torc_container_of(call, torc_test_connection, step);

    if (!self->is_made) make(self);
    if (!self->is_closed && can_take(self)) take(self);
    if (!self->is_closed && can_deliver(self) && self->received_turn != reactor_of(self)->turns)
        deliver(self);
    if (!self->is_closed) tell_ends(self);
    if (!self->is_closed && failure_is_due(self)) torc_transport_failed(&self->base, self->failure);
    if (has_more(self)) step_later(self);
}

/* ---- what the transport asks for ---- */

static void connection_send(torc_transport *transport, size_t len) {
    torc_test_connection *self = self_of(transport);

    self->send_count++;
    self->sending = len;
    step_later(self);
}

static void connection_receive_start(torc_transport *transport) {
    self_of(transport)->is_receiving = true;
    step_later(self_of(transport));
}

static void connection_receive_stop(torc_transport *transport) {
    self_of(transport)->is_receiving = false;
    step_later(self_of(transport));
}

static void connection_shut_down(torc_transport *transport) {
    torc_test_connection *self = self_of(transport);

    self->is_shut = true;
    if (self->other) torc_test_connection_send_end(self->other);
}

static void retired(torc_retiree *retiree) {
    torc_test_connection *self = torc_container_of(retiree, torc_test_connection, retiree);

    self->is_over = true;
    self->top = NULL;
    torc_transport_closed(&self->base);
}

static void connection_close(torc_transport *transport, bool reset) {
    torc_test_connection *self = self_of(transport);

    torc_call_cancel(&self->step);
    self->is_closed = true;
    if (self->other) step_later(self->other);
    self->is_reset = reset;
    self->reason = (torc_err)transport->reason;
    if (self->other && reset)
        torc_test_connection_reset(self->other);
    else if (self->other && !self->failure)
        torc_test_connection_send_end(self->other);
    torc_retire(reactor_of(self), &self->retiree, retired);
}

static torc_addr connection_addr(torc_transport *transport, bool peer) {
    return peer ? self_of(transport)->peer : self_of(transport)->host;
}

static torc_err connection_set_option(torc_transport *transport, int option, bool on) {
    (void)transport;
    (void)option;
    (void)on;
    return TORC_ERR_UNSUPPORTED;
}

static const torc_transport_ops transport_ops = {
    .send = connection_send,
    .receive_start = connection_receive_start,
    .receive_stop = connection_receive_stop,
    .shut_down = connection_shut_down,
    .close = connection_close,
    .addr = connection_addr,
    .set_option = connection_set_option,
};

/* ---- its life ---- */

static torc_test_connection *new_connection(torc_reactor *reactor) {
    torc_test_connection *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    torc_transport_init(&self->base, reactor, &transport_ops);
    torc_buf_init(&self->written, NULL, TORC_MEMORY_OTHER, SIZE_MAX / 2);
    self->top = &self->base;
    self->step.run = step;
    self->allowance = SIZE_MAX;
    step_later(self);
    return self;
}

torc_test_connection *torc_test_connection_new(torc_reactor *reactor, torc_factory *factory) {
    torc_test_connection *self = new_connection(reactor);
    if (self) self->factory = factory;
    return self;
}

torc_test_connection *torc_test_connection_new_over(torc_reactor *reactor,
                                                    torc_protocol *protocol) {
    torc_test_connection *self = new_connection(reactor);
    if (self) self->protocol = protocol;
    return self;
}

/* A protocol that was given and not made yet is made all the same: it ends in its connection_lost.
 */
static void end(torc_test_connection *self) {
    if (self->other) {
        torc_test_connection_reset(self->other);
        self->other->other = NULL;
        self->other = NULL;
    }
    if (!self->is_closed) {
        if (!self->is_made) make(self);
        self->failure = TORC_ERR_LOST;
        torc_transport_failed(&self->base, TORC_ERR_LOST);
    }
    for (int i = 0; i < TURNS_TO_END && !self->is_over; i++)
        (void)!torc_reactor_turn(reactor_of(self), 0);
    assert(self->is_over);
}

void torc_test_connection_free(torc_test_connection *self) {
    if (!self) return;
    end(self);
    while (self->first) drop_first(self);
    torc_buf_dispose(&self->written);
    torc_dealloc(NULL, self);
}

void torc_test_connection_stack(torc_test_connection *self, torc_filter *filter) {
    assert(!self->is_made);
    self->top = torc_filter_stack(filter, self->top);
}

torc_err torc_test_connection_scramble(torc_test_connection *self, uint64_t seed) {
    torc_filter *filter;
    const torc_err err = torc_scrambler_new(reactor_of(self), seed, &filter);

    if (!err) torc_test_connection_stack(self, filter);
    return err;
}

void torc_test_connection_join(torc_test_connection *one, torc_test_connection *other) {
    one->other = other;
    other->other = one;
}

void torc_test_connection_set_addrs(torc_test_connection *self, const torc_addr *peer,
                                    const torc_addr *host) {
    self->peer = *peer;
    self->host = *host;
}

void torc_test_connection_set_pieces(torc_test_connection *self, size_t bytes) {
    self->piece_max = bytes;
}

/* ---- the peer ---- */

void torc_test_connection_send(torc_test_connection *self, torc_str bytes) {
    piece *added;

    assert(!self->has_sent_end);
    if (self->is_closed || bytes.len == 0) return;
    added = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*added) + bytes.len);
    if (!added) {
        torc_test_connection_break(self, TORC_ERR_NO_MEMORY);
        return;
    }
    *added = (piece){.len = bytes.len};
    memcpy(added->bytes, bytes.bytes, bytes.len);
    if (self->last)
        self->last->next = added;
    else
        self->first = added;
    self->last = added;
    self->unread += bytes.len;
    step_later(self);
}

void torc_test_connection_send_end(torc_test_connection *self) {
    self->has_sent_end = true;
    step_later(self);
}

void torc_test_connection_reset(torc_test_connection *self) {
    torc_test_connection_break(self, TORC_ERR_RESET);
}

void torc_test_connection_break(torc_test_connection *self, torc_err reason) {
    self->failure = reason;
    step_later(self);
}

void torc_test_connection_hold_back(torc_test_connection *self) {
    self->allowance = 0;
}

void torc_test_connection_take(torc_test_connection *self, size_t bytes) {
    self->allowance = bytes > SIZE_MAX - self->allowance ? SIZE_MAX : self->allowance + bytes;
    step_later(self);
}

/* ---- what became of it ---- */

torc_str torc_test_connection_written(const torc_test_connection *self) {
    return torc_buf_str(&self->written);
}

void torc_test_connection_clear(torc_test_connection *self) {
    torc_buf_clear(&self->written);
}

uint32_t torc_test_connection_send_count(const torc_test_connection *self) {
    return self->send_count;
}

uint64_t torc_test_connection_file_bytes(const torc_test_connection *self) {
    return self->file_bytes;
}

size_t torc_test_connection_unread(const torc_test_connection *self) {
    return self->unread;
}

bool torc_test_connection_is_receiving(const torc_test_connection *self) {
    return self->is_receiving && !self->is_closed;
}

bool torc_test_connection_has_ended(const torc_test_connection *self) {
    return self->is_shut || (self->is_closed && !self->is_reset && !self->failure);
}

bool torc_test_connection_was_reset(const torc_test_connection *self) {
    return self->is_reset;
}

bool torc_test_connection_is_over(const torc_test_connection *self) {
    return self->is_over;
}

torc_err torc_test_connection_reason(const torc_test_connection *self) {
    return self->reason;
}

torc_transport *torc_test_connection_transport(torc_test_connection *self) {
    return self->top;
}
