/* SPDX-License-Identifier: MIT */
/*
 * Both ends of a wire.
 *
 *  - Who asks over WIRE_MEMORY is a torc_test_request: its end has no exchange, and what it got is
 *    read from there.
 *  - A call that runs out of memory is followed by a reset, as whoever stands above a wire does.
 */
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <torc/testing_request.h>
#include <unistd.h>

#include "protocol/http1/client.h"
#include "protocol/http1/server.h"
#include "reactor/reactor.h"
#include "testing/mux.h"
#include "transport/stream.h"

enum {
    FIELDS_MAX = 6,
    PUMP_MAX = 5000,
    CLOSING_MS = 200000
};

bool pair_is_whole(const pair *self) {
    if (self->fails_at && torc_test_call_count(self->reactor, self->failing) >= self->fails_at)
        return false;
    return !self->faults.hit;
}

bool pair_is_http1(const pair *self) {
    return self->kind >= WIRE_HTTP1;
}

char pattern_at(uint64_t place) {
    return (char)('a' + (place * 7 + place / 251) % 26);
}

/* ---- what an end is told ---- */

static end *end_of(torc_exchange *exchange) {
    return exchange->above;
}

/* Every event: not from inside a call, and not too late. */
static end *told(torc_exchange *exchange) {
    end *self = end_of(exchange);

    assert_int_equal(self->pair->in_call, 0);
    assert_int_equal(self->closes, 0);
    assert_false(self->was_let_go);
    self->pair->events++;
    return self;
}

static const pair_hooks *hooks_of(const end *self) {
    return self->is_client ? &self->pair->at_client : &self->pair->at_server;
}

static void copy_text(char *to, size_t room, torc_str text) {
    snprintf(to, room, "%.*s", (int)text.len, text.len ? text.bytes : "");
}

static void head_received(torc_exchange *exchange, const torc_head *head) {
    end *self = told(exchange);

    assert_false(self->was_reset);
    assert_int_equal(self->heads, 0);
    assert_int_equal(head->status != 0, self->is_client);
    if (self->is_client && head->status < 200 && head->status != 101) {
        self->interims++;
        self->interim_status = head->status;
        return;
    }
    self->heads++;
    self->status = head->status;
    self->method = head->method;
    self->length = head->body_len;
    self->long_len = torc_fields_value(&head->fields, TORC_STR("X-Long")).len;
    copy_text(self->path, sizeof(self->path), head->target.path);
    assert_non_null(exchange->wire->link(exchange));
    if (hooks_of(self)->head) hooks_of(self)->head(self);
}

static void record(end *self, torc_str bytes) {
    for (size_t i = 0; i < bytes.len; i++, self->got++) {
        if (self->got < END_TEXT_MAX) self->text[self->got] = bytes.bytes[i];
        if (bytes.bytes[i] != pattern_at(self->got)) self->is_pattern_broken = true;
    }
}

static void body_received(torc_exchange *exchange, torc_str bytes) {
    end *self = told(exchange);

    assert_false(self->was_reset);
    assert_int_equal(self->heads, 1);
    assert_int_equal(self->ends, 0);
    assert_false(self->was_stopped);
    assert_true(bytes.len > 0);
    assert_true(bytes.len <= self->wanted);
    if (self->wanted != UINT64_MAX) self->wanted -= bytes.len;
    record(self, bytes);
    if (hooks_of(self)->body) hooks_of(self)->body(self);
}

static void body_ended(torc_exchange *exchange, const torc_fields *trailers) {
    end *self = told(exchange);

    assert_false(self->was_reset);
    assert_int_equal(self->heads, 1);
    assert_int_equal(self->ends++, 0);
    assert_false(self->was_stopped);
    if (trailers)
        copy_text(self->trailer, sizeof(self->trailer),
                  torc_fields_value(trailers, TORC_STR("X-Sum")));
    if (hooks_of(self)->ended) hooks_of(self)->ended(self);
}

static void pump(end *self);

static void drained(torc_exchange *exchange) {
    end *self = told(exchange);

    assert_false(self->was_reset);
    self->drains++;
    pump(self);
}

static void draining(torc_exchange *exchange) {
    end *self = told(exchange);

    assert_false(self->is_client);
    self->drainings++;
}

/* What is closed does nothing and says so. */
static void check_gone(torc_exchange *exchange) {
    const torc_exchange_wire *wire = exchange->wire;
    const torc_head head = {.status = exchange->is_client ? 0 : 200,
                            .method = TORC_METHOD_GET,
                            .method_text = TORC_STR("GET")};
    torc_chain chain;

    assert_true(torc_exchange_is_closed(exchange));
    torc_chain_init(&chain, &exchange->reactor->chains);
    assert_int_equal(wire->send_head(exchange, &head, 0), TORC_ERR_GONE);
    assert_int_equal(wire->send_body(exchange, &chain), TORC_ERR_GONE);
    assert_int_equal(wire->send_end(exchange, NULL), TORC_ERR_GONE);
    if (wire->send_whole)
        assert_int_equal(wire->send_whole(exchange, &head, TORC_STR("x")), TORC_ERR_GONE);
    assert_int_equal(wire->tunnel(exchange), TORC_ERR_GONE);
    assert_int_equal(wire->room(exchange), 0);
    wire->want_body(exchange, 10);
    wire->stop_body(exchange);
    wire->reset(exchange, TORC_ERR_TIMEOUT);
    assert_non_null(wire->link(exchange));
}

static void closed(torc_exchange *exchange, torc_err reason) {
    end *self = told(exchange);

    self->closes++;
    self->reason = reason;
    self->pair->in_call++;
    check_gone(exchange);
    self->pair->in_call--;
    if (hooks_of(self)->closed) hooks_of(self)->closed(self);
    if (self->is_kept) return;
    self->exchange = NULL;
    torc_exchange_let_go(exchange);
}

static const torc_exchange_events events = {
    .head_received = head_received,
    .body_received = body_received,
    .body_ended = body_ended,
    .drained = drained,
    .draining = draining,
    .closed = closed,
};

static void take_up(end *self, torc_exchange *exchange) {
    self->exchange = exchange;
    exchange->events = &events;
    exchange->above = self;
}

static void end_init(end *self, pair *of, bool is_client) {
    memset(self, 0, sizeof(*self));
    self->pair = of;
    self->is_client = is_client;
}

/* ---- calls ---- */

static torc_err back(end *self, torc_err err) {
    self->pair->in_call--;
    if (err == TORC_ERR_NO_MEMORY) end_reset(self, err);
    return err;
}

static const torc_exchange_wire *call(end *self) {
    self->pair->in_call++;
    return self->exchange->wire;
}

/* Lines of "Name: value" as fields. */
static torc_fields fields_of(const char *lines, torc_field items[FIELDS_MAX]) {
    torc_fields fields = {.items = items, .capacity = FIELDS_MAX};
    torc_str rest = torc_str_of(lines ? lines : ""), line, name;

    while (torc_str_split(&rest, '\n', &line) && line.len > 0) {
        assert_true(fields.count < FIELDS_MAX);
        torc_str_split(&line, ':', &name);
        items[fields.count++] = (torc_field){name, torc_str_trim(line), torc_field_find(name)};
    }
    return fields;
}

torc_err end_answer(end *self, int status, const char *lines, int64_t body_len) {
    torc_field items[FIELDS_MAX];
    const torc_head head = {.status = status, .fields = fields_of(lines, items)};

    if (!self->exchange) return TORC_ERR_GONE;
    return back(self, call(self)->send_head(self->exchange, &head, body_len));
}

torc_err end_send(end *self, torc_str bytes) {
    torc_chain chain;
    torc_err err;

    if (self->request) torc_test_request_send(self->request, bytes);
    if (!self->exchange) return TORC_ERR_GONE;
    call(self);
    torc_chain_init(&chain, &self->pair->reactor->chains);
    err = torc_chain_add_bytes(&chain, bytes);
    if (!err) {
        err = self->exchange->wire->send_body(self->exchange, &chain);
        assert_int_equal(chain.len, 0);
    }
    torc_chain_clear(&chain);
    return back(self, err);
}

torc_err end_send_file(end *self, torc_shared_file *file, uint64_t offset, uint64_t len) {
    torc_chain chain;
    torc_err err;

    if (!self->exchange) return TORC_ERR_GONE;
    call(self);
    torc_chain_init(&chain, &self->pair->reactor->chains);
    err = torc_chain_add_file(&chain, file, offset, len);
    if (!err) err = self->exchange->wire->send_body(self->exchange, &chain);
    assert_int_equal(chain.len, 0);
    return back(self, err);
}

torc_err end_finish(end *self, const char *sum) {
    torc_field item = {TORC_STR("X-Sum"), torc_str_of(sum ? sum : ""), TORC_FIELD_OTHER};
    const torc_fields trailers = {&item, 1, 1};

    if (self->request && sum) torc_test_request_send_trailer(self->request, "X-Sum", sum);
    if (self->request) torc_test_request_send_end(self->request);
    if (!self->exchange) return TORC_ERR_GONE;
    return back(self, call(self)->send_end(self->exchange, sum ? &trailers : NULL));
}

torc_err end_send_whole(end *self, int status, torc_str body) {
    const torc_head head = {.status = status};

    if (!self->exchange) return TORC_ERR_GONE;
    if (self->exchange->wire->send_whole)
        return back(self, call(self)->send_whole(self->exchange, &head, body));
    torc_err err = end_answer(self, status, NULL, (int64_t)body.len);
    if (!err && body.len) err = end_send(self, body);
    return err ? err : end_finish(self, NULL);
}

void end_want(end *self, size_t bytes) {
    self->wanted =
        bytes == SIZE_MAX || self->wanted == UINT64_MAX ? UINT64_MAX : self->wanted + bytes;
    if (self->request) torc_test_request_take(self->request, bytes);
    if (!self->exchange) return;
    call(self)->want_body(self->exchange, bytes);
    back(self, TORC_OK);
}

void end_stop(end *self) {
    if (!self->exchange) return;
    self->was_stopped = true;
    call(self)->stop_body(self->exchange);
    back(self, TORC_OK);
}

void end_reset(end *self, torc_err reason) {
    if (self->request) torc_test_request_disconnect(self->request);
    if (!self->exchange) return;
    self->was_reset = true;
    call(self)->reset(self->exchange, reason);
    self->pair->in_call--;
}

torc_err end_tunnel(end *self) {
    if (!self->exchange) return TORC_ERR_GONE;
    const torc_err err = back(self, call(self)->tunnel(self->exchange));
    if (!err) {
        self->ends = 0;            /* the tunnel has an end of its own, */
        self->was_stopped = false; /* and its bytes are wanted or stopped anew */
    }
    return err;
}

torc_err end_hand_over(end *self, torc_factory *factory) {
    if (!self->exchange) return TORC_ERR_GONE;
    return back(self, call(self)->hand_over(self->exchange, factory));
}

void end_let_go(end *self) {
    if (!self->exchange) return;
    torc_exchange *exchange = self->exchange;
    self->was_let_go = true;
    self->exchange = NULL;
    torc_exchange_let_go(exchange);
}

size_t end_room(end *self) {
    if (self->request) return SIZE_MAX;
    return self->exchange ? self->exchange->wire->room(self->exchange) : 0;
}

static void pump(end *self) {
    char bytes[PUMP_MAX];
    size_t room;

    while (self->is_pumping && self->to_send > 0 && (room = end_room(self)) > 0) {
        size_t len = room < PUMP_MAX ? room : PUMP_MAX;
        if (len > self->to_send) len = (size_t)self->to_send;
        const uint64_t at = self->pair->large - self->to_send;
        for (size_t i = 0; i < len; i++) bytes[i] = pattern_at(at + i);
        self->to_send -= len;
        const torc_err err = end_send(self, torc_str_make(bytes, len));
        if (err && !self->request) self->is_pumping = false;
    }
    if (!self->is_pumping || self->to_send > 0) return;
    self->is_pumping = false;
    (void)!end_finish(self, self->sum);
}

/* The places of the pattern are counted from its end, so `bytes` is the pair's `large`. */
void end_pump(end *self, uint64_t bytes, char *sum) {
    assert_int_equal(bytes, self->pair->large);
    self->to_send = bytes;
    self->sum = sum;
    self->is_pumping = true;
    pump(self);
}

/* ---- asking ---- */

static void ask_in_memory(end *self, const char *line, const char *fields, int64_t body_len) {
    char framing[64] = "";

    if (body_len > 0)
        snprintf(framing, sizeof(framing), "\nContent-Length: %lld", (long long)body_len);
    if (body_len < 0) snprintf(framing, sizeof(framing), "\nTransfer-Encoding: chunked");
    snprintf(self->asked, sizeof(self->asked), "%s%s\n%s", line, framing, fields ? fields : "");
    self->request = torc_test_request_new(self->pair->reactor, &self->pair->acceptor, self->asked);
    if (self->request) torc_test_request_hold_back(self->request);
}

static torc_err open_exchange(pair *self, torc_exchange **exchange) {
    if (self->mux) return torc_test_mux_open(self->mux, exchange);
    if (!self->client) return TORC_ERR_CLOSED;
    self->is_idle = false;
    return torc_http1_client_open(self->client, exchange);
}

static void send_request(end *self, const char *line, const char *lines, int64_t body_len) {
    torc_field items[FIELDS_MAX];
    torc_head head = {.fields = fields_of(lines, items), .version = 11};
    torc_str target = torc_str_of(line);

    torc_str_split(&target, ' ', &head.method_text);
    head.method = torc_method_find(head.method_text);
    check_ok(torc_target_parse(target, head.method, &head.target));
    (void)!back(self, call(self)->send_head(self->exchange, &head, body_len));
}

end *pair_ask(pair *self, const char *line, const char *fields, int64_t body_len) {
    end *asking = &self->clients[self->client_count++];
    char lines[256];
    torc_exchange *exchange;

    assert_true(self->client_count <= PAIR_MAX);
    end_init(asking, self, true);
    if (self->kind == WIRE_MEMORY) {
        ask_in_memory(asking, line, fields, body_len);
        return asking;
    }
    snprintf(lines, sizeof(lines), "Host: x\n%s", fields ? fields : "");
    const torc_err err = open_exchange(self, &exchange);
    if (err != TORC_ERR_CLOSED || !self->may_be_closed) expect_int(self, err, TORC_OK);
    if (err) return asking;
    take_up(asking, exchange);
    send_request(asking, line, lines, body_len);
    return asking;
}

end *pair_server(pair *self, unsigned n) {
    if (n < self->server_count) return &self->servers[n];
    expect(self, false);
    end_init(&self->none, self, false);
    return &self->none;
}

static torc_err opened(torc_acceptor *acceptor, torc_exchange *exchange) {
    pair *self = torc_container_of(acceptor, pair, acceptor);

    assert_int_equal(self->in_call, 0);
    if (self->refuses) return TORC_ERR_LIMIT;
    assert_true(self->server_count < PAIR_MAX);
    end *answering = &self->servers[self->server_count++];
    end_init(answering, self, false);
    take_up(answering, exchange);
    return TORC_OK;
}

/* ---- turning ---- */

/* What who asks in memory has got, as if it had been told. */
static void look_at_request(end *self) {
    if (!self->request || self->closes) return;
    const torc_str body = torc_str_head(torc_test_request_body(self->request),
                                        self->wanted < SIZE_MAX ? (size_t)self->wanted : SIZE_MAX);
    self->status = torc_test_request_status(self->request);
    self->heads = self->status != 0;
    self->length = torc_test_request_length(self->request);
    self->long_len = torc_test_request_field(self->request, "X-Long").len;
    self->interims = (int)torc_test_request_interim_count(self->request);
    self->interim_status = torc_test_request_interim_status(self->request);
    if (torc_test_request_was_continued(self->request) && strstr(self->asked, "100-continue")) {
        self->interims++;
        self->interim_status = 100;
    }
    if (body.len > self->got) record(self, torc_str_from(body, (size_t)self->got));
    copy_text(self->trailer, sizeof(self->trailer),
              torc_fields_value(torc_test_request_trailers(self->request), TORC_STR("X-Sum")));
    if (torc_test_request_was_reset(self->request)) {
        self->closes = 1;
        self->reason = TORC_ERR_LOST;
    } else if (torc_test_request_is_complete(self->request) &&
               self->got == torc_test_request_body(self->request).len) {
        self->ends = self->closes = 1;
    }
}

void pair_run(pair *self) {
    uint64_t before;
    int quiet = 0;

    while (quiet < 4) {
        before = self->events;
        torc_test_settle(self->reactor);
        quiet = self->events == before ? quiet + 1 : 0;
    }
    for (unsigned i = 0; i < self->client_count; i++) look_at_request(&self->clients[i]);
}

void pair_break(pair *self) {
    if (self->mux) torc_test_mux_break(self->mux);
    if (self->near) torc_test_connection_break(self->near, TORC_ERR_LOST);
    if (self->far) torc_test_connection_break(self->far, TORC_ERR_LOST);
    for (unsigned i = 0; i < self->client_count; i++)
        if (self->clients[i].request) torc_test_request_disconnect(self->clients[i].request);
}

void pair_drain(pair *self) {
    if (self->mux) torc_test_mux_drain(self->mux);
    if (self->server) torc_http1_server_drain(self->server, 0);
}

/* ---- the wires ---- */

/* Which hold more than other wires do. */
static bool has_sockets(const pair *self) {
    return self->kind == WIRE_HTTP1_EPOLL || self->kind == WIRE_HTTP1_LATE;
}

static void client_idle(torc_http1_client *client, void *context) {
    pair *self = context;

    (void)client;
    self->events++;
    self->is_idle = true;
}

static void client_lost(torc_http1_client *client, void *context, torc_err reason) {
    pair *self = context;

    (void)reason;
    assert_ptr_equal(client, self->client);
    self->client = NULL;
}

static void connect_in_memory(pair *self) {
    self->near = torc_test_connection_new(self->reactor, &self->server->factory);
    self->far =
        torc_test_connection_new_over(self->reactor, torc_http1_client_protocol(self->client));
    assert_true(self->near && self->far);
    torc_test_connection_join(self->near, self->far);
    if (self->kind == WIRE_HTTP1_SCRAMBLED) {
        check_ok(torc_test_connection_scramble(self->near, 1));
        check_ok(torc_test_connection_scramble(self->far, 2));
    }
    if (self->kind == WIRE_HTTP1_BYTEWISE) {
        torc_test_connection_set_pieces(self->near, 1);
        torc_test_connection_set_pieces(self->far, 1);
    }
}

static void connect_sockets(pair *self) {
    torc_stream *near, *far;
    torc_protocol *protocol;
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    check_ok(torc_stream_new(self->reactor, ends[0], AF_UNIX, &near));
    check_ok(torc_stream_new(self->reactor, ends[1], AF_UNIX, &far));
    check_ok(
        self->server->factory.ops->build_protocol(&self->server->factory, &near->base, &protocol));
    torc_transport_made(&near->base, protocol);
    torc_transport_made(&far->base, torc_http1_client_protocol(self->client));
    self->near_transport = &near->base;
}

static void connect_http1(pair *self) {
    static const torc_http1_client_ops ops = {.idle = client_idle, .lost = client_lost};
    const torc_http1_server_options options = {.limits = &self->limits};

    check_ok(torc_http1_server_new(self->reactor, &self->acceptor, &options, &self->server));
    check_ok(torc_http1_client_new(self->reactor, &self->limits, &ops, self, &self->client));
    if (has_sockets(self))
        connect_sockets(self);
    else
        connect_in_memory(self);
}

static void set_limits(pair *self) {
    self->limits = torc_limits_default();
    if (self->kind != WIRE_MEMORY) {
        self->limits.output_high_bytes = 16384;
        self->limits.output_bytes_max = 131072;
        self->limits.drain_bytes_max = 32768;
    }
    self->large =
        self->limits.output_high_bytes * UINT64_C(2) + (pair_is_http1(self) ? 45678 : 12345);
    if (has_sockets(self) || self->kind == WIRE_HTTP1_SCRAMBLED)
        self->large = 700000; /* more than all stages hold */
}

void pair_open(pair *self, wire_kind kind, uint64_t fail_at, bool all_from) {
    static const torc_acceptor_ops ops = {.opened = opened};

    memset(self, 0, sizeof(*self));
    self->kind = kind;
    self->acceptor.ops = &ops;
    set_limits(self);
    check_ok(kind == WIRE_HTTP1_LATE ? torc_test_reactor_new_late(NULL, &self->reactor)
                                     : torc_test_reactor_new(NULL, &self->reactor));
    if (pair_is_http1(self)) connect_http1(self);
    if (kind == WIRE_MUX) {
        const torc_test_mux_options options = {.limits = &self->limits,
                                               .exchange_window = 10000,
                                               .frame_max = 3000,
                                               .connection_window = 7000};
        self->mux = torc_test_mux_new(self->reactor, &self->acceptor, &options);
        assert_non_null(self->mux);
    }
    faults_arm(&self->faults, &self->reactor->memory, fail_at);
    self->faults.all_from = all_from;
    pair_run(self);
}

void pair_fail_call(pair *self, torc_test_call kind, uint64_t n, int number) {
    self->failing = kind;
    self->fails_at = n;
    torc_test_fail_calls(self->reactor, kind, n, 1, number);
}

void pair_turn(pair *self) {
    (void)!torc_reactor_turn(self->reactor, 0);
}

static void check_end(const end *self) {
    if (!self->was_let_go) assert_null(self->exchange);
}

bool pair_close(pair *self) {
    const bool failed = !pair_is_whole(self);

    faults_disarm(&self->reactor->memory);
    if (self->fails_at) torc_test_fail_calls(self->reactor, self->failing, 0, 0, 0);
    for (unsigned i = 0; i < self->client_count; i++) {
        torc_test_request_free(self->clients[i].request);
        self->clients[i].request = NULL;
    }
    if (self->client) torc_http1_client_close(self->client);
    pair_run(self);
    if (self->near_transport || self->near) torc_test_advance(self->reactor, CLOSING_MS);
    torc_test_mux_free(self->mux);
    torc_test_connection_free(self->far);
    torc_test_connection_free(self->near);
    pair_run(self);
    assert_null(self->client);
    for (unsigned i = 0; i < self->client_count; i++) check_end(&self->clients[i]);
    for (unsigned i = 0; i < self->server_count; i++) check_end(&self->servers[i]);
    if (self->server) {
        assert_true(torc_list_is_empty(&self->server->connections));
        torc_http1_server_free(self->server);
    }
    assert_int_equal(self->reactor->pages.used_count, 0);
    torc_reactor_free(self->reactor);
    return failed;
}
