/* SPDX-License-Identifier: MIT */
/*
 * States that get as many bytes as they asked for.
 *
 *  - `kept` is the beginning of what the state needs, and shorter than that. What came whole is not
 *    copied.
 */
#include <assert.h>
#include <torc/stateful.h>

#include "reactor/reactor.h"
#include "transport/transport.h"

static torc_stateful *self_of(torc_protocol *protocol) {
    return torc_container_of(protocol, torc_stateful, base);
}

/* Add to what has come, up to what is needed; how many bytes that took. */
static size_t take_piece(torc_stateful *self, torc_str bytes) {
    const size_t lacking = self->need - self->kept.len;
    const size_t piece = bytes.len < lacking ? bytes.len : lacking;

    torc_buf_add(&self->kept, torc_str_head(bytes, piece));
    if (torc_buf_err(&self->kept)) {
        torc_transport_abort_with(self->base.transport, TORC_ERR_NO_MEMORY);
    } else if (piece == lacking) {
        torc_buf whole = self->kept; /* a state may come to need more */
        torc_buf_init(&self->kept, whole.memory, TORC_MEMORY_INPUT, SIZE_MAX);
        self->state(self, torc_buf_str(&whole));
        torc_buf_dispose(&whole);
    }
    return piece;
}

/* Give the state what it needs, if that is there; how many bytes that took. */
static size_t take(torc_stateful *self, torc_str bytes) {
    const size_t len = self->need ? self->need : bytes.len;

    if (self->kept.len || bytes.len < len) return take_piece(self, bytes);
    self->state(self, torc_str_head(bytes, len));
    return len;
}

static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    torc_stateful *self = self_of(protocol);
    size_t used = 0;

    assert(self->state);
    while (used < bytes.len && !torc_transport_is_closing(protocol->transport) &&
           !torc_transport_is_paused(protocol->transport))
        used += take(self, torc_str_from(bytes, used));
    return used;
}

static void connection_made(torc_protocol *protocol) {
    torc_stateful *self = self_of(protocol);

    torc_buf_init(&self->kept, &protocol->transport->reactor->memory, TORC_MEMORY_INPUT, SIZE_MAX);
    self->ops->connection_made(self);
}

static void peer_ended(torc_protocol *protocol) {
    torc_stateful *self = self_of(protocol);

    if (self->ops->peer_ended)
        self->ops->peer_ended(self);
    else
        torc_transport_close(protocol->transport);
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    torc_stateful *self = self_of(protocol);

    torc_buf_dispose(&self->kept);
    self->ops->connection_lost(self, reason);
}

void torc_stateful_init(torc_stateful *self, const torc_stateful_ops *ops) {
    static const torc_protocol_ops protocol_ops = {
        .connection_made = connection_made,
        .data_received = data_received,
        .peer_ended = peer_ended,
        .connection_lost = connection_lost,
    };

    self->base = (torc_protocol){.ops = &protocol_ops};
    self->ops = ops;
    self->state = NULL;
    self->need = 0;
    memset(&self->kept, 0, sizeof(self->kept));
}

void torc_stateful_next(torc_stateful *self, torc_state_fn *state, size_t need) {
    assert(self->kept.len == 0);
    self->state = state;
    self->need = need;
}
