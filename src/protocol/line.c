/* SPDX-License-Identifier: MIT */
/*
 * Lines out of bytes.
 *
 *  - `kept` is the beginning of a line whose end has not come; empty in raw mode. All else that was
 *    not consumed is the transport's to keep.
 *  - Each byte is looked at once, but for the few that may be the first part of a delimiter.
 */
#include <torc/line.h>

#include "reactor/reactor.h"
#include "transport/transport.h"

static torc_line_protocol *self_of(torc_protocol *protocol) {
    return torc_container_of(protocol, torc_line_protocol, base);
}

static bool may_go_on(const torc_line_protocol *self) {
    return !torc_transport_is_closing(self->base.transport) &&
           !torc_transport_is_paused(self->base.transport);
}

/* Where a line ends in `bytes`, which begin at its first byte; -1: not yet. `looked` bytes hold no
 * whole delimiter. */
static ptrdiff_t find_end(const torc_line_protocol *self, torc_str bytes, size_t looked) {
    const torc_str delimiter = torc_str_of(self->delimiter);
    const size_t from = looked > delimiter.len - 1 ? looked - (delimiter.len - 1) : 0;
    const ptrdiff_t end = torc_str_find(torc_str_from(bytes, from), delimiter);

    return end < 0 ? end : end + (ptrdiff_t)from;
}

/* With "\n" as the end, a "\r" before it belongs to it. */
static torc_str without_return(const torc_line_protocol *self, torc_str line) {
    const bool is_lenient = self->delimiter[0] == '\n' && !self->delimiter[1];

    if (!is_lenient || line.len == 0 || line.bytes[line.len - 1] != '\r') return line;
    return torc_str_head(line, line.len - 1);
}

static void refuse(torc_line_protocol *self) {
    torc_transport_abort_with(self->base.transport, TORC_ERR_TOO_LARGE);
}

static void tell(torc_line_protocol *self, torc_str line) {
    line = without_return(self, line);
    if (line.len > self->line_max)
        refuse(self);
    else
        self->ops->line_received(self, line);
}

/* A line in pieces: bytes are added up to the end of the line, or all; how many. */
static size_t take_piece(torc_line_protocol *self, torc_str bytes) {
    const size_t before = self->kept.len, delimiter = strlen(self->delimiter);
    const size_t max = (size_t)self->line_max + delimiter + 1;
    const size_t room = max > before ? max - before : 0;
    const size_t piece = bytes.len < room ? bytes.len : room;

    torc_buf_add(&self->kept, torc_str_head(bytes, piece));
    if (torc_buf_err(&self->kept)) {
        torc_transport_abort_with(self->base.transport, TORC_ERR_NO_MEMORY);
        return bytes.len;
    }
    const ptrdiff_t end = find_end(self, torc_buf_str(&self->kept), before);
    if (end < 0) {
        if (piece == room) refuse(self);
        return piece;
    }
    torc_buf line = self->kept; /* a callback may change what is kept */
    torc_buf_init(&self->kept, line.memory, TORC_MEMORY_INPUT, SIZE_MAX);
    tell(self, torc_str_head(torc_buf_str(&line), (size_t)end));
    torc_buf_dispose(&line);
    return (size_t)end + delimiter - before;
}

/* The next line, which is whole mostly; how many bytes that took. */
static size_t take_line(torc_line_protocol *self, torc_str bytes) {
    const ptrdiff_t end = self->kept.len ? -1 : find_end(self, bytes, 0);

    if (end < 0) return take_piece(self, bytes);
    const size_t len = (size_t)end + strlen(self->delimiter);
    tell(self, torc_str_head(bytes, (size_t)end));
    return len;
}

static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    torc_line_protocol *self = self_of(protocol);
    size_t used = 0;

    while (used < bytes.len && may_go_on(self)) {
        const torc_str rest = torc_str_from(bytes, used);
        const bool was_raw = self->is_raw;
        const size_t len = was_raw ? self->ops->raw_received(self, rest) : take_line(self, rest);
        used += len;
        if (was_raw && self->is_raw && len < rest.len) break; /* it wants no more now */
    }
    return used;
}

static void connection_made(torc_protocol *protocol) {
    torc_line_protocol *self = self_of(protocol);

    torc_buf_init(&self->kept, &protocol->transport->reactor->memory, TORC_MEMORY_INPUT, SIZE_MAX);
    if (self->ops->connection_made) self->ops->connection_made(self);
}

static void peer_ended(torc_protocol *protocol) {
    torc_line_protocol *self = self_of(protocol);

    if (self->ops->peer_ended)
        self->ops->peer_ended(self);
    else
        torc_transport_close(protocol->transport);
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    torc_line_protocol *self = self_of(protocol);

    torc_buf_dispose(&self->kept);
    self->ops->connection_lost(self, reason);
}

void torc_line_init(torc_line_protocol *self, const torc_line_ops *ops) {
    static const torc_protocol_ops protocol_ops = {
        .connection_made = connection_made,
        .data_received = data_received,
        .peer_ended = peer_ended,
        .connection_lost = connection_lost,
    };

    self->base = (torc_protocol){.ops = &protocol_ops};
    self->ops = ops;
    self->delimiter = "\r\n";
    self->line_max = TORC_LINE_MAX;
    self->is_raw = false;
    memset(&self->kept, 0, sizeof(self->kept));
}

void torc_line_send(torc_line_protocol *self, torc_str line) {
    torc_transport_write(self->base.transport, line);
    torc_transport_write(self->base.transport, torc_str_of(self->delimiter));
}

void torc_line_set_raw(torc_line_protocol *self, bool is_raw) {
    self->is_raw = is_raw;
}
