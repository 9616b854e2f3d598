/* SPDX-License-Identifier: MIT */
/*
 * Strings out of bytes.
 *
 *   netstring: digits ":" bytes ","      others: a length of 1, 2 or 4 bytes, bytes
 *
 *  - `kept` is the beginning of a string that has not come whole, from its length on. All else that
 *    was not consumed is the transport's to keep.
 *  - A length is read anew with each piece that comes, which costs at most ten bytes.
 */
#include <stdio.h>
#include <torc/string_protocol.h>

#include "reactor/reactor.h"
#include "transport/transport.h"

enum {
    DIGITS_MAX = 10
};

/* How a string lies in the bytes that begin with its length. */
typedef struct frame {
    size_t head; /* bytes of the length */
    size_t len;  /* of the string */
    size_t tail; /* bytes behind it */
} frame;

static torc_string_protocol *self_of(torc_protocol *protocol) {
    return torc_container_of(protocol, torc_string_protocol, base);
}

static size_t prefix_of(uint8_t framing) {
    return framing == TORC_STRING_INT8 ? 1 : framing == TORC_STRING_INT16 ? 2 : 4;
}

/* Digits without a leading zero, and a colon. */
static torc_err read_netstring(torc_str bytes, frame *found) {
    uint64_t len = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        const char c = bytes.bytes[i];
        if (c == ':' && i > 0) {
            *found = (frame){i + 1, (size_t)len, 1};
            return TORC_OK;
        }
        if (c < '0' || c > '9' || (i == 1 && len == 0)) return TORC_ERR_PEER;
        if (i == DIGITS_MAX) return TORC_ERR_TOO_LARGE;
        len = len * 10 + (uint64_t)(c - '0');
    }
    return TORC_ERR_AGAIN;
}

static torc_err read_prefix(uint8_t framing, torc_str bytes, frame *found) {
    const size_t prefix = prefix_of(framing);
    size_t len = 0;

    if (bytes.len < prefix) return TORC_ERR_AGAIN;
    for (size_t i = 0; i < prefix; i++) len = len << 8 | (unsigned char)bytes.bytes[i];
    *found = (frame){prefix, len, 0};
    return TORC_OK;
}

/* How the string at the beginning lies; TORC_ERR_AGAIN: its length has not come. */
static torc_err read_frame(const torc_string_protocol *self, torc_str bytes, frame *found) {
    const torc_err err = self->framing == TORC_STRING_NETSTRING
                             ? read_netstring(bytes, found)
                             : read_prefix(self->framing, bytes, found);

    if (err) return err;
    return found->len > self->string_max ? TORC_ERR_TOO_LARGE : TORC_OK;
}

static void fail(torc_string_protocol *self, torc_err err) {
    torc_transport_abort_with(self->base.transport, err);
}

/* Tell of the string that is whole at the beginning of `bytes`. */
static void tell(torc_string_protocol *self, torc_str bytes, const frame *found) {
    if (found->tail && bytes.bytes[found->head + found->len] != ',')
        fail(self, TORC_ERR_PEER);
    else
        self->ops->string_received(self, torc_str_make(bytes.bytes + found->head, found->len));
}

/* A string in pieces: take as much as it lacks, or all; how many bytes that was. */
static size_t take_piece(torc_string_protocol *self, torc_str bytes) {
    size_t used = 0;
    frame found;
    torc_err err;

    /* The length byte by byte, so that nothing behind the string is taken. */
    while ((err = read_frame(self, torc_buf_str(&self->kept), &found)) == TORC_ERR_AGAIN &&
           used < bytes.len && !torc_buf_err(&self->kept))
        torc_buf_add(&self->kept, torc_str_make(bytes.bytes + used++, 1));
    if (!err) {
        const size_t lacking = found.head + found.len + found.tail - self->kept.len;
        const size_t piece = bytes.len - used < lacking ? bytes.len - used : lacking;
        torc_buf_add(&self->kept, torc_str_make(bytes.bytes + used, piece));
        used += piece;
        if (piece == lacking && !torc_buf_err(&self->kept)) {
            torc_buf whole = self->kept;
            torc_buf_init(&self->kept, whole.memory, TORC_MEMORY_INPUT, SIZE_MAX);
            tell(self, torc_buf_str(&whole), &found);
            torc_buf_dispose(&whole);
        }
    } else if (err != TORC_ERR_AGAIN) {
        fail(self, err);
    }
    if (torc_buf_err(&self->kept)) fail(self, TORC_ERR_NO_MEMORY);
    return used;
}

/* The next string, which is whole mostly; how many bytes that took. */
static size_t take_string(torc_string_protocol *self, torc_str bytes) {
    frame found;

    if (self->kept.len || read_frame(self, bytes, &found)) return take_piece(self, bytes);
    const size_t len = found.head + found.len + found.tail;
    if (bytes.len < len) return take_piece(self, bytes);
    tell(self, bytes, &found);
    return len;
}

static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    torc_string_protocol *self = self_of(protocol);
    size_t used = 0;

    while (used < bytes.len && !torc_transport_is_closing(protocol->transport) &&
           !torc_transport_is_paused(protocol->transport))
        used += take_string(self, torc_str_from(bytes, used));
    return used;
}

static void connection_made(torc_protocol *protocol) {
    torc_string_protocol *self = self_of(protocol);

    torc_buf_init(&self->kept, &protocol->transport->reactor->memory, TORC_MEMORY_INPUT, SIZE_MAX);
    if (self->ops->connection_made) self->ops->connection_made(self);
}

static void peer_ended(torc_protocol *protocol) {
    torc_string_protocol *self = self_of(protocol);

    if (self->ops->peer_ended)
        self->ops->peer_ended(self);
    else
        torc_transport_close(protocol->transport);
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    torc_string_protocol *self = self_of(protocol);

    torc_buf_dispose(&self->kept);
    self->ops->connection_lost(self, reason);
}

void torc_string_init(torc_string_protocol *self, torc_string_framing framing,
                      const torc_string_ops *ops) {
    static const torc_protocol_ops protocol_ops = {
        .connection_made = connection_made,
        .data_received = data_received,
        .peer_ended = peer_ended,
        .connection_lost = connection_lost,
    };

    self->base = (torc_protocol){.ops = &protocol_ops};
    self->ops = ops;
    self->string_max = TORC_STRING_MAX;
    self->framing = (uint8_t)framing;
    memset(&self->kept, 0, sizeof(self->kept));
}

/* ---- sending ---- */

torc_err torc_string_send(torc_string_protocol *self, torc_str string) {
    const size_t prefix = prefix_of(self->framing);
    char head[24];
    size_t len;

    if (self->framing == TORC_STRING_NETSTRING) {
        len = (size_t)snprintf(head, sizeof(head), "%zu:", string.len);
    } else {
        if (string.len >> 8 * prefix) return TORC_ERR_TOO_LARGE;
        for (size_t i = 0; i < prefix; i++)
            head[i] = (char)(string.len >> 8 * (prefix - 1 - i) & 255);
        len = prefix;
    }
    torc_transport_write(self->base.transport, torc_str_make(head, len));
    torc_transport_write(self->base.transport, string);
    if (self->framing == TORC_STRING_NETSTRING)
        torc_transport_write(self->base.transport, TORC_STR(","));
    return TORC_OK;
}
