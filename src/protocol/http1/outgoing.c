/* SPDX-License-Identifier: MIT */
/*
 * What goes out on a connection: heads, and bodies in the framing that was decided with them.
 *
 *  - More than the announced length never leaves; less at the end is a reset.
 */
#include "protocol/http1/connection.h"

torc_err torc_http1_write_head(torc_http1_exchange *exchange, torc_http1_write_fn *write,
                               const torc_head *head, const torc_http1_framing_out *framing) {
    torc_transport *transport = exchange->connection->protocol.transport;
    torc_chain *output = torc_transport_output(transport);
    const size_t size = torc_http1_head_size(head);
    torc_err err = TORC_OK;

    if (!output) return TORC_ERR_NO_MEMORY;
    if (size <= TORC_PAGE_BYTES) {
        char *to = torc_chain_reserve(output, size);
        if (!to) return TORC_ERR_NO_MEMORY;
        const size_t len = write(head, framing, to);
        torc_chain_commit(output, len);
        exchange->out_head = (uint32_t)len;
    } else {
        const torc_arena_mark mark = torc_arena_mark_take(&exchange->arena);
        char *to = torc_arena_bytes(&exchange->arena, size);
        if (!to) return TORC_ERR_NO_MEMORY;
        const size_t len = write(head, framing, to);
        err = torc_chain_add_bytes(output, torc_str_make(to, len));
        exchange->out_head = (uint32_t)len;
        torc_arena_rewind(&exchange->arena, mark);
    }
    if (!err) torc_transport_written(transport);
    return err;
}

void torc_http1_begin_body_out(torc_http1_exchange *exchange,
                               const torc_http1_framing_out *framing) {
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
    if (torc_transport_unsent(self->protocol.transport) >= self->side->limits.output_bytes_max)
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
        if (!output)
            err = TORC_ERR_NO_MEMORY;
        else if (exchange->out_body == TORC_HTTP1_BODY_CHUNKED)
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

    if (!output) return TORC_ERR_NO_MEMORY;
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
    if (!exchange->out_is_dropped && exchange->out_body == TORC_HTTP1_BODY_LENGTH &&
        exchange->out_left > 0)
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
