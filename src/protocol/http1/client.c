/* SPDX-License-Identifier: MIT */
/*
 * The client's side of a connection: heads of requests out, heads of responses in.
 *
 *  - Bytes that nobody asked for break the protocol, and end the connection.
 *  - A response that is malformed is an error of the exchange (TORC_ERR_PEER), never an answer.
 *  - An exchange of which no byte has left is TORC_ERR_UNPROCESSED when the connection ends: it may
 *    be asked for again.
 */
#include "protocol/http1/client.h"

#include <torc/log.h>

#include "base/alloc.h"
#include "protocol/http1/connection.h"

struct torc_http1_client {
    torc_http1_connection base;
    torc_http1_side side;
    const torc_http1_client_ops *ops;
    void *context;
    uint64_t sent_before; /* bytes sent before the head of the current exchange */
    bool asked_upgrade;   /* by that head */
};

static torc_http1_client *self_of(torc_http1_connection *base) {
    return torc_container_of(base, torc_http1_client, base);
}

/* ---- responses in ---- */

static void init_parser(torc_http1_exchange *exchange) {
    const torc_http1_side *side = exchange->connection->side;

    exchange->gathered = NULL; /* an interim head stays where it is */
    exchange->gathered_len = exchange->gathered_capacity = 0;
    torc_http1_parser_init(&exchange->as.parser, &exchange->arena, &side->limits, true,
                           side->leniencies);
}

static void fail(torc_http1_connection *base, torc_err reason, const char *problem) {
    TORC_LOG_DEBUG(torc_http1_reactor(base)->log, "http1", "a response was refused",
                   TORC_LOG_TEXT("problem", problem));
    base->current->reset_reason = reason;
    torc_http1_exchange_close(base, reason);
    torc_http1_abort(base, reason);
}

static void message_bad(torc_http1_connection *base, torc_err reason, int status,
                        const char *problem) {
    (void)status;
    fail(base, reason, problem);
}

static void tell_interim(torc_http1_exchange *exchange, torc_head *head) {
    exchange->framing.expects_continue = false;
    exchange->base.events->head_received(&exchange->base, head);
    if (exchange->connection) init_parser(exchange);
}

/* What follows is of another protocol, or a tunnel's: nothing can be asked for behind it. */
static bool is_switch(const torc_http1_exchange *exchange, const torc_head *head) {
    return head->status == 101 ||
           (exchange->head.method == TORC_METHOD_CONNECT && head->status < 300);
}

static void tell_final(torc_http1_exchange *exchange, torc_head *head,
                       const torc_http1_framing *framing) {
    exchange->framing = *framing;
    exchange->is_switch = is_switch(exchange, head);
    exchange->keeps_alive = exchange->keeps_alive && framing->keeps_alive && !exchange->is_switch;
    exchange->is_told = true;
    torc_http1_begin_body_in(exchange);
    exchange->base.events->head_received(&exchange->base, head);
    if (exchange->in == TORC_HTTP1_IN_DONE && exchange->connection)
        torc_http1_in_done(exchange, NULL);
}

static void take_response(torc_http1_connection *base, char *bytes) {
    torc_http1_exchange *exchange = base->current;
    torc_http1_parser *parser = &exchange->as.parser;
    torc_head *head = torc_arena_alloc(&exchange->arena, sizeof(*head));
    torc_http1_framing framing;

    if (!head) {
        fail(base, TORC_ERR_NO_MEMORY, "out of memory");
    } else if (torc_http1_take_response(parser, bytes, exchange->head.method, head, &framing) ==
               TORC_HTTP1_BAD) {
        fail(base, TORC_ERR_PEER, parser->problem);
    } else if (head->status == 101 && !self_of(base)->asked_upgrade) {
        fail(base, TORC_ERR_PEER, "another protocol that nobody asked for (RFC 9110 15.2.2)");
    } else if (head->status < 200 && head->status != 101) {
        tell_interim(exchange, head);
    } else {
        tell_final(exchange, head, &framing);
    }
}

static size_t take_head(torc_http1_connection *base, torc_str bytes) {
    torc_http1_exchange *exchange = base->current;
    size_t taken;
    char *head;

    if (!exchange || exchange->out == TORC_HTTP1_OUT_HEAD) {
        torc_http1_abort(base, TORC_ERR_PEER);
        return bytes.len;
    }
    if (exchange->gathered_len == 0) torc_http1_begin_state(base);
    switch (torc_http1_gather(exchange, &exchange->as.parser, bytes, &taken, &head)) {
    case TORC_HTTP1_MORE:
        torc_http1_expect_within(base, base->side->limits.header_ms);
        break;
    case TORC_HTTP1_DONE:
        take_response(base, head);
        break;
    case TORC_HTTP1_BAD:
        fail(base, TORC_ERR_PEER, exchange->as.parser.problem);
        return bytes.len;
    }
    return taken;
}

/* ---- requests out ---- */

/* Methods whose requests have a meaning for a body say so when it is empty (RFC 9110 §8.6). */
static bool says_no_body(torc_method method) {
    return method == TORC_METHOD_POST || method == TORC_METHOD_PUT || method == TORC_METHOD_PATCH;
}

static torc_http1_framing_out decide_framing(torc_http1_exchange *exchange, const torc_head *head,
                                             int64_t body_len) {
    torc_http1_framing_out framing = {.body = TORC_HTTP1_BODY_NONE};

    exchange->keeps_alive =
        !torc_fields_have_member(&head->fields, TORC_FIELD_CONNECTION, TORC_STR("close"));
    if (body_len < 0) {
        framing.body = TORC_HTTP1_BODY_CHUNKED;
    } else if (body_len > 0 || says_no_body(head->method)) {
        framing.body = TORC_HTTP1_BODY_LENGTH;
        framing.length = (uint64_t)body_len;
    }
    if (torc_fields_have_member(&head->fields, TORC_FIELD_CONNECTION, TORC_STR("upgrade")))
        framing.connection = TORC_HTTP1_CONNECTION_UPGRADE;
    else if (!exchange->keeps_alive)
        framing.connection = TORC_HTTP1_CONNECTION_CLOSE;
    return framing;
}

static torc_err send_head(torc_exchange *base, const torc_head *head, int64_t body_len) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);

    if (!exchange->connection || torc_http1_has(exchange->connection, TORC_HTTP1_ENDING))
        return TORC_ERR_GONE;
    if (exchange->out != TORC_HTTP1_OUT_HEAD) return TORC_ERR_STATE;
    const torc_http1_framing_out framing = decide_framing(exchange, head, body_len);
    exchange->head.method = head->method;
    exchange->framing.takes_trailers = true; /* who sends trailers in a request knows the server */
    self_of(exchange->connection)->asked_upgrade =
        framing.connection == TORC_HTTP1_CONNECTION_UPGRADE;
    torc_http1_expect_within(exchange->connection,
                             exchange->connection->side->limits.rate_grace_ms);
    const torc_err err = torc_http1_write_head(exchange, torc_http1_write_request, head, &framing);
    if (!err) torc_http1_begin_body_out(exchange, &framing);
    return err;
}

static const torc_exchange_wire client_wire = {
    .send_head = send_head,
    .send_body = torc_http1_send_body,
    .send_end = torc_http1_send_end,
    .room = torc_http1_room,
    .want_body = torc_http1_want_body,
    .stop_body = torc_http1_stop_body,
    .tunnel = torc_http1_tunnel,
    .hand_over = torc_http1_hand_over,
    .reset = torc_http1_reset,
    .link = torc_http1_link,
    .free = torc_http1_free,
};

/* ---- the connection ---- */

static void tell_idle(torc_http1_connection *base) {
    torc_http1_client *self = self_of(base);

    torc_http1_begin_state(base);
    torc_http1_expect_within(base, base->side->limits.keep_alive_ms);
    self->ops->idle(self, self->context);
}

static void exchange_done(torc_http1_connection *base, bool is_unread) {
    const torc_http1_exchange *exchange = base->current;
    const bool keeps_alive = exchange->keeps_alive && exchange->in == TORC_HTTP1_IN_DONE &&
                             !is_unread && !torc_http1_has(base, TORC_HTTP1_PEER_ENDED);

    torc_http1_exchange_close(base, TORC_OK);
    base->served++;
    if (keeps_alive)
        tell_idle(base);
    else
        torc_http1_end(base, false);
}

static uint64_t deadline(torc_http1_connection *base) {
    const torc_http1_exchange *exchange = base->current;

    if (!exchange)
        return torc_http1_after(torc_http1_since(base), base->side->limits.keep_alive_ms);
    if (exchange->in == TORC_HTTP1_IN_HEAD && exchange->gathered_len > 0)
        return torc_http1_after(torc_http1_since(base), base->side->limits.header_ms);
    return UINT64_MAX;
}

static void deadline_passed(torc_http1_connection *base) {
    if (base->current)
        fail(base, TORC_ERR_STALLED, "the head of the response came too slowly");
    else
        torc_http1_end(base, false);
}

static torc_err reason_of_loss(torc_http1_connection *base) {
    const torc_http1_client *self = self_of(base);
    return base->protocol.transport->sent_total == self->sent_before ? TORC_ERR_UNPROCESSED
                                                                     : TORC_ERR_LOST;
}

static void input_ended(torc_http1_connection *base) {
    torc_http1_exchange *exchange = base->current;

    if (!exchange)
        torc_http1_end(base, false);
    else if (exchange->in == TORC_HTTP1_IN_TO_CLOSE)
        torc_http1_in_done(exchange, NULL);
    else if (exchange->in != TORC_HTTP1_IN_DONE)
        fail(base, reason_of_loss(base), "the connection ended before the response (RFC 9112 8)");
}

static void free_connection(torc_http1_connection *base) {
    torc_http1_client *self = self_of(base);
    torc_reactor *reactor = torc_http1_reactor(base);

    self->ops->lost(self, self->context,
                    base->protocol.transport ? (torc_err)base->protocol.transport->reason
                                             : TORC_ERR_CLOSED);
    torc_dealloc(&reactor->memory, self);
}

static void connection_begun(torc_http1_connection *base) {
    tell_idle(base);
}

static const torc_http1_role_ops role = {
    .begun = connection_begun,
    .take_head = take_head,
    .exchange_done = exchange_done,
    .message_bad = message_bad,
    .deadline = deadline,
    .deadline_passed = deadline_passed,
    .input_ended = input_ended,
    .reason_of_loss = reason_of_loss,
    .free = free_connection,
};

torc_err torc_http1_client_new(torc_reactor *reactor, const torc_limits *limits,
                               const torc_http1_client_ops *ops, void *context,
                               torc_http1_client **client) {
    const torc_limits wide = torc_limits_default();
    torc_http1_client *self = torc_alloc(&reactor->memory, TORC_MEMORY_CONNECTION, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->side = (torc_http1_side){
        .role = &role,
        .reactor = reactor,
        .limits = torc_limits_inherit(limits, &wide),
        .leniencies = TORC_HTTP1_ALLOW_FOLD, /* RFC 9112 §5.2 asks that of who gets a response */
    };
    self->ops = ops;
    self->context = context;
    self->sent_before = 0;
    self->asked_upgrade = false;
    torc_http1_connection_init(&self->base, &self->side);
    *client = self;
    return TORC_OK;
}

torc_protocol *torc_http1_client_protocol(torc_http1_client *client) {
    return &client->base.protocol;
}

torc_err torc_http1_client_open(torc_http1_client *client, torc_exchange **exchange) {
    torc_http1_connection *base = &client->base;

    if (base->current) return TORC_ERR_BUSY;
    if (!base->protocol.transport ||
        torc_http1_has(base, TORC_HTTP1_ENDING | TORC_HTTP1_PEER_ENDED | TORC_HTTP1_HANDED_OVER))
        return TORC_ERR_CLOSED;
    torc_http1_exchange *made = torc_http1_exchange_new(base, &client_wire, true);
    if (!made) return TORC_ERR_NO_MEMORY;
    made->framing = (torc_http1_framing){0}; /* of the response: looked at before there is one */
    made->head.method = TORC_METHOD_OTHER;
    init_parser(made);
    client->sent_before = base->protocol.transport->sent_total;
    *exchange = &made->base;
    return TORC_OK;
}

void torc_http1_client_close(torc_http1_client *client) {
    if (client->base.current)
        torc_http1_abort(&client->base, TORC_ERR_ABORTED);
    else
        torc_http1_end(&client->base, false);
}
