/* SPDX-License-Identifier: MIT */
/*
 * The server's side of a connection: heads of requests in, heads of responses out, keeping alive,
 * refusing.
 *
 *  - A request that is malformed, or late, is answered from here, and the connection ends: there is
 *    no exchange yet, or it is closed first. After the head of a response a reset is the only
 *    answer that is left.
 *  - What is shed when memory is short is decided here, at the places where something new begins;
 *    see docs/design/limits.md.
 */
#include "protocol/http1/server.h"

#include <stdio.h>
#include <torc/date.h>
#include <torc/log.h>
#include <torc/status.h>

#include "base/alloc.h"
#include "protocol/http1/connection.h"

enum {
    SHED_AT_ONCE = 16, /* connections that are closed for one that begins */
    SEEN_PER_US = 4    /* connections that are looked at for that, in the long run */
};

static torc_http1_server *server_of(const torc_http1_connection *base) {
    return torc_container_of(base->side, torc_http1_server, side);
}

/* ---- refusing ---- */

/* A whole response, made here. */
static torc_err write_refusal(torc_http1_connection *base, int status, const char *problem) {
    const torc_str phrase = torc_status_phrase(status);
    char date[TORC_DATE_LEN], body[512], head[512];

    torc_date_format(torc_http1_reactor(base)->wall_seconds, date);
    const int body_len =
        snprintf(body, sizeof(body),
                 "<!DOCTYPE html>\n<html><head><title>%d %.*s</title></head>\n<body><h1>%d "
                 "%.*s</h1>\n<p>%s</p></body></html>\n",
                 status, TORC_STR_ARGS(phrase), status, TORC_STR_ARGS(phrase), problem);
    const int head_len =
        snprintf(head, sizeof(head),
                 "HTTP/1.1 %d %.*s\r\nDate: %.*s\r\nContent-Type: text/html; "
                 "charset=utf-8\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n",
                 status, TORC_STR_ARGS(phrase), (int)sizeof(date), date, body_len,
                 status == 503 ? "Retry-After: 1\r\n" : "");
    torc_chain *output = torc_transport_output(base->protocol.transport);
    torc_err err = output ? torc_chain_add_bytes(output, torc_str_make(head, (size_t)head_len))
                          : TORC_ERR_NO_MEMORY;
    if (!err) err = torc_chain_add_bytes(output, torc_str_make(body, (size_t)body_len));
    if (!err) torc_transport_written(base->protocol.transport);
    return err;
}

/* What needs no memory but the output's: a constant. */
static const char ready_made[] = "HTTP/1.1 503 Service Unavailable\r\n"
                                 "Retry-After: 1\r\n"
                                 "Content-Length: 0\r\n"
                                 "Connection: close\r\n\r\n";

torc_str torc_http1_server_refusal(void) {
    return torc_str_make(ready_made, sizeof(ready_made) - 1);
}

enum {
    LINE_MAX_TOLD = 2048 /* bytes of a request line that was refused */
};

/* The first line of what came of a request, as far as it came. Of a whole head `bytes` may claim to
 * have more than it has: its line ends before. */
static torc_str first_line(torc_str bytes) {
    size_t len = 0;

    while (bytes.len && (bytes.bytes[0] == '\r' || bytes.bytes[0] == '\n'))
        bytes = torc_str_from(bytes, 1);
    while (len < bytes.len && len < LINE_MAX_TOLD && bytes.bytes[len] != '\r' &&
           bytes.bytes[len] != '\n')
        len++;
    return torc_str_head(bytes, len);
}

/* Tell who accepts of a request that it will not see. */
static void tell_refused(torc_http1_connection *base, int status, torc_str bytes) {
    torc_acceptor *acceptor = server_of(base)->acceptor;

    if (!acceptor->ops->refused) return;
    const torc_refused refused = {
        .peer = torc_transport_peer(base->protocol.transport),
        .status = status,
        .line = first_line(bytes),
    };
    acceptor->ops->refused(acceptor, &refused);
}

/* What has come of a head that is not complete. */
static torc_str gathered(const torc_http1_connection *base) {
    const torc_http1_exchange *exchange = base->current;
    if (!exchange || !exchange->gathered) return torc_str_make(NULL, 0);
    return torc_str_make(exchange->gathered, exchange->gathered_len);
}

static void count_refusal(torc_http1_connection *base, int status, const char *problem) {
    torc_http1_server *server = server_of(base);

    torc_counter_add(status == 408   ? &server->timeouts
                     : status == 503 ? &server->shed
                                     : &server->bad_requests,
                     1);
    TORC_LOG_DEBUG(server->side.reactor->log, "http1", "a request was refused",
                   TORC_LOG_INT("status", status), TORC_LOG_TEXT("problem", problem));
}

/* Answer what is no request, or never will be a whole one, and end the connection. */
static void refuse(torc_http1_connection *base, int status, const char *problem) {
    count_refusal(base, status, problem);
    if (torc_http1_has(base, TORC_HTTP1_ENDING)) return;
    const torc_err err = write_refusal(base, status, problem);
    if (err)
        torc_http1_abort(base, err);
    else
        torc_http1_end(base, true);
}

static void shed_request(torc_http1_connection *base, torc_str bytes) {
    torc_counter_add(&server_of(base)->shed, 1);
    tell_refused(base, 503, bytes);
    torc_transport_write(base->protocol.transport, torc_http1_server_refusal());
    torc_http1_end(base, true);
}

/* Refuse what came of a head: what was gathered, or else `bytes`. */
static void refuse_head(torc_http1_connection *base, int status, const char *problem,
                        torc_str bytes) {
    const torc_str begun = gathered(base);

    torc_http1_exchange_close(base, TORC_ERR_PEER); /* its memory stays until the round's end */
    if (!torc_http1_has(base, TORC_HTTP1_ENDING))
        tell_refused(base, status, begun.len ? begun : bytes);
    refuse(base, status, problem);
}

static void message_bad(torc_http1_connection *base, torc_err reason, int status,
                        const char *problem) {
    const torc_http1_out out = (torc_http1_out)base->current->out;

    if (out == TORC_HTTP1_OUT_HEAD) base->current->base.answered = (uint16_t)status;
    torc_http1_exchange_close(base, out == TORC_HTTP1_OUT_DONE ? TORC_OK : reason);
    if (out == TORC_HTTP1_OUT_HEAD)
        refuse(base, status, problem);
    else if (out == TORC_HTTP1_OUT_DONE)
        torc_http1_end(base, true); /* the answer came before the body, and stands */
    else
        torc_http1_abort(base, reason);
}

/* ---- memory is short ---- */

/*
 * Whether anything of a request has come. The empty line that some send behind a body (RFC 9112
 * §2.2) is nothing: an answer to it would be taken for that to the next request.
 */
static bool has_begun(const torc_http1_connection *base) {
    const torc_http1_exchange *exchange = base->current;

    if (!exchange || exchange->is_told || exchange->gathered_len == 0) return exchange != NULL;
    return exchange->gathered_len > 2 ||
           memcmp(exchange->gathered, "\r\n", exchange->gathered_len) != 0;
}

static bool is_idle(const torc_http1_connection *base) {
    return !has_begun(base) && !torc_http1_has(base, TORC_HTTP1_ENDING);
}

static void end_idle(torc_http1_connection *base) {
    if (base->current) torc_http1_exchange_close(base, TORC_ERR_PEER);
    torc_http1_end(base, false);
}

static torc_http1_connection *at(torc_list_node *node) {
    return torc_container_of(node, torc_http1_connection, node);
}

/* Of two that have something to send, or none, whose peer has taken nothing for the longest time.
 */
static torc_http1_connection *slower(torc_http1_connection *slowest, torc_http1_connection *other) {
    const torc_transport *transport = other->protocol.transport;

    if (torc_transport_unsent(transport) == 0) return slowest;
    if (slowest && torc_transport_progress_ms(transport) >=
                       torc_transport_progress_ms(slowest->protocol.transport))
        return slowest;
    return other;
}

/*
 * Close idle connections, the oldest first; or else the one whose peer takes nothing. Looking for
 * them costs the more the more connections there are: it is rationed, so that those who come
 * meanwhile cannot make it all that is done.
 */
static void shed_peers(torc_http1_server *server) {
    torc_http1_connection *slowest = NULL;
    const uint64_t now_us = server->side.reactor->now_us;
    uint32_t seen = 0, closed = 0;

    if (now_us < server->may_shed_at_us) return;
    torc_counter_add(&server->shed, 1);
    for (torc_list_node *node = torc_list_first(&server->connections);
         node && closed < SHED_AT_ONCE; node = torc_list_next(&server->connections, node), seen++) {
        if (!is_idle(at(node))) {
            slowest = slower(slowest, at(node));
            continue;
        }
        end_idle(at(node));
        closed++;
    }
    if (closed == 0 && slowest) torc_http1_abort(slowest, TORC_ERR_STALLED);
    server->may_shed_at_us = now_us + seen / SEEN_PER_US;
}

static size_t used(const torc_http1_server *server) {
    return server->side.reactor->memory.used_total;
}

/* Whether so much is used; what is only kept for later does not count, and is given back first. */
static bool is_beyond(torc_http1_server *server, size_t threshold) {
    if (used(server) < threshold) return false;
    torc_reactor_trim(server->side.reactor);
    return used(server) >= threshold;
}

/* ---- requests in ---- */

static const torc_exchange_wire server_wire;

static torc_http1_exchange *begin(torc_http1_connection *base) {
    torc_http1_server *server = server_of(base);
    torc_http1_exchange *exchange = torc_http1_exchange_new(base, &server_wire, false);

    if (!exchange) return NULL;
    torc_http1_parser_init(&exchange->as.parser, &exchange->arena, &base->side->limits, false,
                           base->side->leniencies);
    exchange->as.parser.known_host = &server->known_host;
    return exchange;
}

/* The head is complete: tell whoever accepts. */
static void tell_head(torc_http1_connection *base) {
    torc_http1_server *server = server_of(base);
    torc_http1_exchange *exchange = base->current;

    torc_counter_add(&server->requests, 1);
    torc_http1_begin_body_in(exchange);
    exchange->keeps_alive = exchange->framing.keeps_alive;
    exchange->out_is_dropped = exchange->head.method == TORC_METHOD_HEAD;
    if (server->acceptor->ops->opened(server->acceptor, &exchange->base)) {
        torc_http1_exchange_close(base, TORC_ERR_PEER);
        shed_request(base, torc_str_make(exchange->head.method_text.bytes, LINE_MAX_TOLD));
        return;
    }
    exchange->is_told = true;
    torc_http1_expect_within(base, server->patrol_ms);
    exchange->base.events->head_received(&exchange->base, &exchange->head);
    if (exchange->in == TORC_HTTP1_IN_DONE && exchange->out != TORC_HTTP1_OUT_DONE &&
        exchange->connection)
        torc_http1_in_done(exchange, NULL);
}

static void take_request(torc_http1_connection *base, char *bytes) {
    torc_http1_exchange *exchange = base->current;
    torc_http1_parser *parser = &exchange->as.parser;

    if (torc_http1_take_request(parser, bytes, &exchange->head, &exchange->framing) ==
        TORC_HTTP1_BAD)
        refuse_head(base, parser->status, parser->problem, torc_str_make(bytes, LINE_MAX_TOLD));
    else
        tell_head(base);
}

static void begin_waiting(torc_http1_connection *base) {
    torc_http1_begin_state(base);
    torc_http1_expect_within(base, base->side->limits.header_ms);
}

/* Whether a request may begin now; one that may not has been answered. */
static bool may_begin(torc_http1_connection *base, torc_str bytes) {
    torc_http1_server *server = server_of(base);

    if (!is_beyond(server, server->shed_requests)) return true;
    if (used(server) >= server->shed_peers) shed_peers(server);
    if (!torc_http1_has(base, TORC_HTTP1_ENDING)) shed_request(base, bytes);
    return false;
}

static size_t take_head(torc_http1_connection *base, torc_str bytes) {
    torc_http1_exchange *exchange = base->current;
    size_t taken;
    char *head;

    if (!exchange) {
        if (torc_http1_has(base, TORC_HTTP1_TURN_IS_OVER) ||
            torc_transport_room(base->protocol.transport) == 0)
            return 0;
        if (!may_begin(base, bytes)) return bytes.len;
        exchange = begin(base);
        if (!exchange) {
            shed_request(base, bytes);
            return bytes.len;
        }
    }
    const bool is_first = exchange->gathered_len == 0 || !has_begun(base);
    switch (torc_http1_gather(exchange, &exchange->as.parser, bytes, &taken, &head)) {
    case TORC_HTTP1_MORE:
        if (is_first && has_begun(base)) begin_waiting(base);
        break;
    case TORC_HTTP1_DONE:
        take_request(base, head);
        break;
    case TORC_HTTP1_BAD:
        refuse_head(base, exchange->as.parser.status, exchange->as.parser.problem, bytes);
        return bytes.len;
    }
    return taken;
}

/* ---- responses out ---- */

/* Whether nobody asked for the body until now, and it is too long to be dropped. */
static bool is_left_unread(const torc_http1_exchange *exchange) {
    return exchange->in == TORC_HTTP1_IN_LENGTH && exchange->in_total == 0 &&
           exchange->demand == 0 &&
           exchange->in_left > exchange->connection->side->limits.drain_bytes_max;
}

/* Whether the connection may serve another request after this response (RFC 9112 §9.3). */
static bool decide_keep_alive(torc_http1_exchange *exchange, const torc_head *head) {
    const torc_http1_connection *base = exchange->connection;
    torc_http1_server *server = server_of(exchange->connection);

    if (!exchange->keeps_alive || server->is_draining) return false;
    if (base->served + 1 >= base->side->limits.requests_per_connection_max) return false;
    if (is_beyond(server, server->shed_keep_alive)) return false;
    /* The body is on its way, or not: see torc_http1_stop_body(). */
    if (exchange->framing.expects_continue && !exchange->is_continued) return false;
    if (is_left_unread(exchange)) return false;
    for (uint32_t i = 0; i < head->fields.count; i++)
        if (head->fields.items[i].id == TORC_FIELD_CONNECTION)
            return !torc_fields_have_member(&head->fields, TORC_FIELD_CONNECTION,
                                            TORC_STR("close"));
    return true;
}

static bool is_upgrade(const torc_http1_exchange *exchange, const torc_head *head) {
    return head->status == 101 || (exchange->head.method == TORC_METHOD_CONNECT &&
                                   head->status >= 200 && head->status < 300);
}

/* How the body is delimited (RFC 9112 §6.3), and what Connection says. */
static torc_http1_framing_out decide_framing(torc_http1_exchange *exchange, const torc_head *head,
                                             int64_t body_len) {
    const bool is_old = exchange->head.version < 11;
    torc_http1_framing_out framing = {.body = TORC_HTTP1_BODY_NONE};

    exchange->is_switch = is_upgrade(exchange, head);
    if (exchange->is_switch) {
        if (head->status == 101) framing.connection = TORC_HTTP1_CONNECTION_UPGRADE;
        exchange->keeps_alive = false;
        return framing;
    }
    exchange->keeps_alive = decide_keep_alive(exchange, head);
    if (head->status == 204 || head->status == 304) exchange->out_is_dropped = true;
    if (head->status != 204 && body_len >= 0) {
        framing.body = TORC_HTTP1_BODY_LENGTH;
        framing.length = (uint64_t)body_len;
    } else if (head->status != 204 && head->status != 304) {
        framing.body = is_old ? TORC_HTTP1_BODY_TO_CLOSE : TORC_HTTP1_BODY_CHUNKED;
        if (is_old) exchange->keeps_alive = false;
    }
    if (!exchange->keeps_alive)
        framing.connection = TORC_HTTP1_CONNECTION_CLOSE;
    else if (is_old)
        framing.connection = TORC_HTTP1_CONNECTION_KEEP_ALIVE;
    return framing;
}

static torc_err check_head(const torc_http1_exchange *exchange) {
    if (!exchange->connection || torc_http1_has(exchange->connection, TORC_HTTP1_ENDING))
        return TORC_ERR_GONE;
    return exchange->out == TORC_HTTP1_OUT_HEAD ? TORC_OK : TORC_ERR_STATE;
}

/* 1xx, which a peer of HTTP/1.0 does not know. */
static torc_err send_interim(torc_http1_exchange *exchange, const torc_head *head) {
    static const torc_http1_framing_out none = {.body = TORC_HTTP1_BODY_NONE};

    if (exchange->head.version < 11) return TORC_OK;
    return torc_http1_write_head(exchange, torc_http1_write_response, head, &none);
}

static torc_err send_head(torc_exchange *base, const torc_head *head, int64_t body_len) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);
    torc_err err = check_head(exchange);

    if (err) return err;
    if (head->status < 200 && head->status != 101) return send_interim(exchange, head);
    const torc_http1_framing_out framing = decide_framing(exchange, head, body_len);
    err = torc_http1_write_head(exchange, torc_http1_write_response, head, &framing);
    if (!err) torc_http1_begin_body_out(exchange, &framing);
    return err;
}

/* The shortest way: head and body in one piece of the output. */
static torc_err send_whole(torc_exchange *base, const torc_head *head, torc_str body) {
    torc_http1_exchange *exchange = torc_http1_exchange_of(base);
    const size_t size = torc_http1_head_size(head) + body.len;
    torc_err err = check_head(exchange);
    torc_chain chain;

    if (!err && size <= TORC_PAGE_BYTES) {
        torc_transport *transport = exchange->connection->protocol.transport;
        const torc_http1_framing_out framing = decide_framing(exchange, head, (int64_t)body.len);
        torc_chain *output = torc_transport_output(transport);
        char *to = output ? torc_chain_reserve(output, size) : NULL;
        if (!to) return TORC_ERR_NO_MEMORY;
        size_t len = torc_http1_write_response(head, &framing, to);
        exchange->out_head = (uint32_t)len;
        if (!exchange->out_is_dropped && body.len) {
            memcpy(to + len, body.bytes, body.len);
            len += body.len;
        }
        torc_chain_commit(output, len);
        torc_transport_written(transport);
        torc_http1_out_done(exchange);
        return TORC_OK;
    }
    torc_chain_init(&chain, &base->reactor->chains);
    if (!err) err = send_head(base, head, (int64_t)body.len);
    if (!err) err = torc_chain_add_bytes(&chain, body);
    if (!err) err = torc_http1_send_body(base, &chain);
    return err ? err : torc_http1_send_end(base, NULL);
}

static const torc_exchange_wire server_wire = {
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
    .send_whole = send_whole,
    .sent = torc_http1_sent,
    .watch_departure = torc_http1_watch_departure,
};

/* ---- between requests ---- */

/* Enough was answered in this turn: the others have theirs, and this one goes on in the next. */
static void count_turn(torc_http1_connection *base) {
    const uint16_t turn = (uint16_t)torc_http1_reactor(base)->turns;

    if (base->turn != turn) {
        base->turn = turn;
        base->turn_served = 0;
    }
    if (++base->turn_served < base->side->limits.requests_per_turn_max) return;
    torc_http1_set(base, TORC_HTTP1_TURN_IS_OVER);
    torc_timer_arm(&base->timer, 0);
}

static void exchange_done(torc_http1_connection *base, bool is_unread) {
    const torc_http1_exchange *exchange = base->current;
    const bool keeps_alive = exchange->keeps_alive && exchange->in == TORC_HTTP1_IN_DONE;
    const bool has_rest = is_unread || exchange->in != TORC_HTTP1_IN_DONE;

    torc_http1_exchange_close(base, TORC_OK);
    base->served++;
    if (!keeps_alive || torc_http1_has(base, TORC_HTTP1_INPUT_ENDED)) {
        torc_http1_end(base, has_rest);
        return;
    }
    torc_http1_begin_state(base);
    torc_http1_expect_within(base, server_of(base)->patrol_ms);
    count_turn(base);
}

/* What only this side waits for: a request, the rest of a head, or the end after the peer's. */
static uint64_t deadline(torc_http1_connection *base) {
    const torc_limits *limits = &base->side->limits;

    if (!has_begun(base))
        return torc_http1_has(base, TORC_HTTP1_HAS_KEPT)
                   ? UINT64_MAX
                   : torc_http1_after(torc_http1_since(base), limits->keep_alive_ms);
    if (!base->current->is_told) return torc_http1_after(torc_http1_since(base), limits->header_ms);
    if (torc_http1_has(base, TORC_HTTP1_PEER_ENDED) && !base->current->is_tunnel)
        return torc_http1_after(torc_http1_since(base), limits->half_close_ms);
    return UINT64_MAX;
}

/* All was written, but the kernel holds some of it still, and the peer is taking that. */
static bool is_taking(torc_http1_connection *base) {
    torc_transport *transport = base->protocol.transport;
    const uint64_t delivered = torc_transport_delivered(transport);
    const uint32_t seen = base->out_seen;

    base->out_seen = (uint32_t)delivered;
    return delivered < transport->sent_total && base->out_seen != seen;
}

static void deadline_passed(torc_http1_connection *base) {
    if (!has_begun(base) && is_taking(base)) {
        torc_http1_begin_state(base);
        torc_http1_expect_within(base, base->side->limits.keep_alive_ms);
    } else if (!has_begun(base)) {
        end_idle(base);
    } else if (!base->current->is_told) {
        refuse_head(base, 408, "the head of the request came too slowly", torc_str_make(NULL, 0));
    } else {
        torc_http1_abort(base, TORC_ERR_LOST);
    }
}

/* The answer to what is complete is still delivered, for some time. */
static void peer_ended(torc_http1_connection *base) {
    torc_http1_begin_state(base);
    torc_http1_expect_within(base, base->side->limits.half_close_ms);
}

static void input_ended(torc_http1_connection *base) {
    const torc_http1_exchange *exchange = base->current;

    if (!exchange) {
        torc_http1_end(base, false);
    } else if (!exchange->is_told) {
        torc_http1_exchange_close(base, TORC_ERR_PEER);
        torc_http1_end(base, false);
    } else if (exchange->is_tunnel) {
        torc_http1_in_done(base->current, NULL);
    } else if (exchange->in != TORC_HTTP1_IN_DONE) {
        message_bad(base, TORC_ERR_LOST, 400, "the connection ended before the body (RFC 9112 8)");
    }
}

static void free_connection(torc_http1_connection *base) {
    torc_object_dealloc(&torc_http1_reactor(base)->memory, TORC_MEMORY_CONNECTION, base,
                        sizeof(*base));
}

static const torc_http1_role_ops role = {
    .take_head = take_head,
    .exchange_done = exchange_done,
    .message_bad = message_bad,
    .deadline = deadline,
    .deadline_passed = deadline_passed,
    .peer_ended = peer_ended,
    .input_ended = input_ended,
    .free = free_connection,
};

/* ---- the factory ---- */

static torc_http1_server *of_factory(torc_factory *factory) {
    return torc_container_of(factory, torc_http1_server, factory);
}

static torc_err build_protocol(torc_factory *factory, torc_transport *transport,
                               torc_protocol **protocol) {
    torc_http1_server *server = of_factory(factory);

    (void)transport;
    if (is_beyond(server, server->shed_peers)) shed_peers(server);
    if (is_beyond(server, server->shed_connections)) {
        torc_counter_add(&server->shed, 1);
        return TORC_ERR_LIMIT;
    }
    torc_http1_connection *self =
        torc_object_alloc(&server->side.reactor->memory, TORC_MEMORY_CONNECTION, sizeof(*self));
    if (!self) return TORC_ERR_NO_MEMORY;
    torc_http1_connection_init(self, &server->side);
    torc_list_push(&server->connections, &self->node);
    *protocol = &self->protocol;
    return TORC_OK;
}

static void stopped(torc_factory *factory) {
    torc_http1_server_free(of_factory(factory));
}

static const torc_factory_ops factory_ops = {.build_protocol = build_protocol, .stopped = stopped};

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static void set_shedding(torc_http1_server *server) {
    const size_t limit = server->side.reactor->memory.limit;

    server->shed_keep_alive = limit ? limit / 100 * 75 : SIZE_MAX;
    server->shed_connections = limit ? limit / 100 * 85 : SIZE_MAX;
    server->shed_requests = limit ? limit / 100 * 90 : SIZE_MAX;
    server->shed_peers = limit ? limit / 100 * 95 : SIZE_MAX;
}

static void register_metrics(torc_http1_server *server) {
    torc_metrics *metrics = torc_reactor_metrics(server->side.reactor);

    torc_metrics_add_counter(metrics, &server->requests, "http_requests",
                             "Requests whose head was complete.", "");
    torc_metrics_add_counter(metrics, &server->bad_requests, "http_bad_requests",
                             "Requests that were malformed or beyond a limit.", "");
    torc_metrics_add_counter(metrics, &server->timeouts, "http_timeouts",
                             "Requests that came too slowly.", "");
    torc_metrics_add_counter(metrics, &server->shed, "http_shed",
                             "Requests and connections refused because memory was short.", "");
}

torc_err torc_http1_server_new(torc_reactor *reactor, torc_acceptor *acceptor,
                               const torc_http1_server_options *options,
                               torc_http1_server **server) {
    const torc_limits wide = torc_limits_default();
    torc_http1_server *self =
        torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->factory.ops = &factory_ops;
    self->acceptor = acceptor;
    torc_acceptor_hold(acceptor);
    self->side = (torc_http1_side){
        .role = &role,
        .reactor = reactor,
        .limits = torc_limits_inherit(options ? options->limits : NULL, &wide),
    };
    if (options && options->allow_bare_lf) self->side.leniencies |= TORC_HTTP1_ALLOW_BARE_LF;
    if (options && options->allow_folded_fields) self->side.leniencies |= TORC_HTTP1_ALLOW_FOLD;
    self->patrol_ms =
        least(least(self->side.limits.keep_alive_ms, self->side.limits.output_stall_ms),
              self->side.limits.rate_grace_ms);
    torc_list_init(&self->connections);
    set_shedding(self);
    register_metrics(self);
    if (self->side.leniencies)
        TORC_LOG_WARN(reactor->log, "http1", "malformed heads are tolerated",
                      TORC_LOG_BOOL("bare_lf", options->allow_bare_lf),
                      TORC_LOG_BOOL("folded_fields", options->allow_folded_fields));
    *server = self;
    return TORC_OK;
}

void torc_http1_server_free(torc_http1_server *server) {
    torc_metric_remove(&server->requests.metric);
    torc_metric_remove(&server->bad_requests.metric);
    torc_metric_remove(&server->timeouts.metric);
    torc_metric_remove(&server->shed.metric);
    torc_acceptor_let_go(server->acceptor);
    torc_dealloc(&server->side.reactor->memory, server);
}

static void close_idle(torc_http1_server *server) {
    for (torc_list_node *node = torc_list_first(&server->connections); node;
         node = torc_list_next(&server->connections, node))
        if (is_idle(at(node))) end_idle(at(node));
}

/* Let those that are idle, and those that become so, be idle for this long. */
static void limit_idleness(torc_http1_server *server, uint32_t idle_ms) {
    server->side.limits.keep_alive_ms = least(server->side.limits.keep_alive_ms, idle_ms);
    server->patrol_ms = least(server->patrol_ms, idle_ms);
    for (torc_list_node *node = torc_list_first(&server->connections); node;
         node = torc_list_next(&server->connections, node)) {
        if (!is_idle(at(node))) continue;
        torc_http1_begin_state(at(node));
        torc_http1_expect_within(at(node), server->side.limits.keep_alive_ms);
    }
}

void torc_http1_server_drain(torc_http1_server *server, uint32_t idle_ms) {
    server->is_draining = true;
    if (idle_ms == 0)
        close_idle(server);
    else
        limit_idleness(server, idle_ms);
    for (torc_list_node *node = torc_list_first(&server->connections); node;
         node = torc_list_next(&server->connections, node)) {
        torc_http1_exchange *exchange = at(node)->current;
        if (!exchange) continue;
        if (idle_ms == 0) exchange->keeps_alive = false;
        if (exchange->is_told) exchange->base.events->draining(&exchange->base);
    }
}
