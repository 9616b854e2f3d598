/* SPDX-License-Identifier: MIT */
/*
 * The client's side of HTTP/1 against a server that the test plays byte by byte. What holds over
 * every wire is in tests/conformance.
 */
#include "protocol/http1/client.h"

#include <stdio.h>
#include <torc/testing.h>
#include <torc/testing_transport.h>

#include "check.h"
#include "probe.h"
#include "reactor/reactor.h"

typedef enum pacing {
    WHOLE,
    BYTEWISE,
    SCRAMBLED,
    PACES
} pacing;

typedef struct world {
    torc_reactor *reactor;
    torc_http1_client *client;
    torc_test_connection *peer;
    torc_exchange *exchange;
    torc_limits limits;
    bool withholds;          /* nothing of a body is wanted */
    bool refuses;            /* stop_body at the head */
    bool enters;             /* a tunnel, at the head */
    torc_factory *successor; /* gets the connection at the head */
    char log[512], body[256];
    size_t log_len, body_len;
} world;

/* ---- what the client tells, as text ---- */

static void note(world *self, const char *word) {
    if (self->body_len > 0) {
        self->log_len +=
            (size_t)snprintf(self->log + self->log_len, sizeof(self->log) - self->log_len,
                             "[%.*s] ", (int)self->body_len, self->body);
        self->body_len = 0;
    }
    self->log_len +=
        (size_t)snprintf(self->log + self->log_len, sizeof(self->log) - self->log_len, "%s ", word);
    assert_true(self->log_len < sizeof(self->log));
}

static void head_received(torc_exchange *exchange, const torc_head *head) {
    world *self = exchange->above;
    char status[16];

    snprintf(status, sizeof(status), "%d", head->status);
    note(self, status);
    if (head->status >= 200 && self->refuses) exchange->wire->stop_body(exchange);
    if (self->successor) check_ok(exchange->wire->hand_over(exchange, self->successor));
    if (!self->enters) return;
    check_ok(exchange->wire->tunnel(exchange));
    exchange->wire->want_body(exchange, SIZE_MAX);
}

static void body_received(torc_exchange *exchange, torc_str bytes) {
    world *self = exchange->above;

    assert_true(self->body_len + bytes.len <= sizeof(self->body));
    memcpy(self->body + self->body_len, bytes.bytes, bytes.len);
    self->body_len += bytes.len;
}

static void body_ended(torc_exchange *exchange, const torc_fields *trailers) {
    note(exchange->above, trailers ? "trailers" : "end");
}

static void ignore(torc_exchange *exchange) {
    (void)exchange;
}

static void closed(torc_exchange *exchange, torc_err reason) {
    world *self = exchange->above;

    note(self, reason ? torc_err_name(reason) : "OK");
    self->exchange = NULL;
    torc_exchange_let_go(exchange);
}

static const torc_exchange_events events = {
    .head_received = head_received,
    .body_received = body_received,
    .body_ended = body_ended,
    .drained = ignore,
    .draining = ignore,
    .closed = closed,
};

static void idle(torc_http1_client *client, void *context) {
    (void)client;
    note(context, "idle");
}

static void lost(torc_http1_client *client, void *context, torc_err reason) {
    world *self = context;

    (void)reason;
    assert_ptr_equal(client, self->client);
    self->client = NULL;
    note(self, "lost");
}

/* ---- the world ---- */

static void settle(world *self) {
    for (int i = 0; i < 4; i++) torc_test_settle(self->reactor);
}

static void forget(world *self) {
    self->log_len = self->body_len = 0;
    self->log[0] = 0;
}

static void open_world(world *self, pacing pace, const torc_limits *limits) {
    static const torc_http1_client_ops ops = {.idle = idle, .lost = lost};

    memset(self, 0, sizeof(*self));
    check_ok(torc_test_reactor_new(NULL, &self->reactor));
    check_ok(torc_http1_client_new(self->reactor, limits, &ops, self, &self->client));
    self->peer =
        torc_test_connection_new_over(self->reactor, torc_http1_client_protocol(self->client));
    assert_non_null(self->peer);
    if (pace == BYTEWISE) torc_test_connection_set_pieces(self->peer, 1);
    if (pace == SCRAMBLED) check_ok(torc_test_connection_scramble(self->peer, 7));
    settle(self);
    assert_string_equal(self->log, "idle ");
    forget(self);
}

static void close_world(world *self) {
    torc_test_connection_free(self->peer);
    assert_null(self->client);
    assert_null(self->exchange);
    assert_int_equal(self->reactor->pages.used_count, 0);
    torc_reactor_free(self->reactor);
}

static torc_head request(const char *method, torc_fields *fields) {
    torc_head head = {.method_text = torc_str_of(method), .fields = *fields};

    head.method = torc_method_find(head.method_text);
    check_ok(torc_target_parse(head.method == TORC_METHOD_CONNECT ? TORC_STR("a:1") : TORC_STR("/"),
                               head.method, &head.target));
    return head;
}

/* Ask, but send no end. `field` of "Name: value", or NULL. */
static void begin(world *self, const char *method, const char *field, int64_t body_len) {
    torc_field items[2] = {{TORC_STR("Host"), TORC_STR("x"), TORC_FIELD_HOST}};
    torc_fields fields = {items, 1, 2};
    torc_str value = torc_str_of(field ? field : ""), name;

    if (field) {
        torc_str_split(&value, ':', &name);
        items[fields.count++] = (torc_field){name, torc_str_trim(value), torc_field_find(name)};
    }
    const torc_head head = request(method, &fields);
    check_ok(torc_http1_client_open(self->client, &self->exchange));
    self->exchange->events = &events;
    self->exchange->above = self;
    check_ok(self->exchange->wire->send_head(self->exchange, &head, body_len));
    if (!self->withholds) self->exchange->wire->want_body(self->exchange, SIZE_MAX);
}

static void ask(world *self, const char *method, const char *field) {
    begin(self, method, field, 0);
    check_ok(self->exchange->wire->send_end(self->exchange, NULL));
    settle(self);
}

static void reply(world *self, const char *text) {
    torc_test_connection_send(self->peer, torc_str_of(text));
    settle(self);
}

/* ---- requests ---- */

static void check_request(const char *method, const char *field, int64_t body_len, const char *body,
                          const char *expected) {
    world w;
    torc_chain chain;

    open_world(&w, WHOLE, NULL);
    begin(&w, method, field, body_len);
    torc_chain_init(&chain, &w.reactor->chains);
    if (body) {
        check_ok(torc_chain_add_bytes(&chain, torc_str_of(body)));
        check_ok(w.exchange->wire->send_body(w.exchange, &chain));
    }
    check_ok(w.exchange->wire->send_end(w.exchange, NULL));
    settle(&w);
    check_str_at(torc_test_connection_written(w.peer), torc_str_of(expected), __FILE__, __LINE__);
    close_world(&w);
}

static void requests_are_framed(void **state) {
    (void)state;
    check_request("GET", NULL, 0, NULL, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    check_request("POST", NULL, 0, NULL, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    check_request("POST", NULL, 3, "abc",
                  "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    check_request(
        "GET", NULL, -1, "abc",
        "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    check_request("GET", "Connection: close", 0, NULL,
                  "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    check_request("CONNECT", NULL, 0, NULL, "CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n");
    /* What says where the body ends is the wire's alone. */
    check_request("POST", "Content-Length: 7", 3, "abc",
                  "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    check_request("POST", "Transfer-Encoding: chunked", 3, "abc",
                  "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
}

static void one_at_a_time(void **state) {
    world w;
    torc_exchange *other;

    (void)state;
    open_world(&w, WHOLE, NULL);
    ask(&w, "GET", NULL);
    check_err(torc_http1_client_open(w.client, &other), TORC_ERR_BUSY);
    reply(&w, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_string_equal(w.log, "200 end OK idle ");
    forget(&w);
    ask(&w, "GET", NULL);
    reply(&w, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
    assert_string_equal(w.log, "404 [no] end OK idle ");
    forget(&w);
    torc_http1_client_close(w.client);
    check_err(torc_http1_client_open(w.client, &other), TORC_ERR_CLOSED);
    settle(&w);
    assert_string_equal(w.log, "lost ");
    close_world(&w);
}

/* ---- responses ---- */

typedef struct reply_case {
    const char *method, *field, *reply;
    bool ends; /* FIN follows */
    const char *expected;
} reply_case;

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

static const reply_case reply_cases[] = {
    /* Where a body ends. */
    {"GET", NULL, OK_HEAD "Content-Length: 5\r\n\r\nhello", false, "200 [hello] end OK idle "},
    {"GET", NULL, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
     false, "200 [hello] end OK idle "},
    {"GET", NULL, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n", false,
     "200 trailers OK idle "},
    {"GET", NULL, OK_HEAD "\r\nuntil the end", true, "200 [until the end] end OK lost "},
    {"GET", NULL, OK_HEAD "\r\n", true, "200 end OK lost "},
    {"HEAD", NULL, OK_HEAD "Content-Length: 5\r\n\r\n", false, "200 end OK idle "},
    {"HEAD", NULL, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n", false, "200 end OK idle "},
    {"GET", NULL, "HTTP/1.1 204 No Content\r\n\r\n", false, "204 end OK idle "},
    {"GET", NULL, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false,
     "304 end OK idle "},
    /* Whether the connection goes on. */
    {"GET", NULL, OK_HEAD "Content-Length: 0\r\nConnection: close\r\n\r\n", false,
     "200 end OK lost "},
    {"GET", "Connection: close", OK_HEAD "Content-Length: 0\r\n\r\n", false, "200 end OK lost "},
    {"GET", NULL, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false, "200 end OK lost "},
    {"GET", NULL, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", false,
     "200 end OK idle "},
    {"GET", NULL, OK_HEAD "Content-Length: 0\r\n\r\n", true, "200 end OK idle lost "},
    /* Heads before the head. */
    {"GET", NULL,
     "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 "
     "Continue\r\n\r\n" OK_HEAD "Content-Length: 0\r\n\r\n",
     false, "103 103 100 200 end OK idle "},
    {"GET", NULL, "HTTP/1.1 103 Early Hints\r\n\r\n", true, "103 LOST lost "},
    /* Nobody asked for another protocol; or nobody goes over to it. */
    {"GET", NULL, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
     false, "PEER lost "},
    {"GET", "Connection: Upgrade",
     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", false,
     "101 end OK lost "},
    {"CONNECT", NULL, OK_HEAD "Content-Length: 5\r\n\r\n", false, "200 end OK lost "},
    {"CONNECT", NULL, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", false,
     "403 [no] end OK idle "},
    /* What breaks off. */
    {"GET", NULL, "", true, "LOST lost "},
    {"GET", NULL, "HTTP/1.1 200", true, "LOST lost "},
    {"GET", NULL, OK_HEAD "Content-Length: 5\r\n\r\n", true, "200 LOST lost "},
    {"GET", NULL, OK_HEAD "Content-Length: 5\r\n\r\nhell", true, "200 [hell] LOST lost "},
    {"GET", NULL, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", true,
     "200 [hel] LOST lost "},
    {"GET", NULL, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n", true, "200 LOST lost "},
    /* Folded lines are for servers alone to refuse (RFC 9112 §5.2). */
    {"GET", NULL, OK_HEAD "A: b\r\n folded\r\nContent-Length:\r\n 5\r\n\r\nhello", false,
     "200 [hello] end OK idle "},
    {"GET", NULL, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n folded\r\n\r\n", false,
     "200 trailers OK idle "},
    /* What is no response. */
    {"GET", NULL, OK_HEAD " folded\r\n\r\n", false, "PEER lost "},
    {"GET", NULL, "hello\r\n\r\n", false, "PEER lost "},
    {"GET", NULL, "HTTP/2.0 200 OK\r\n\r\n", false, "PEER lost "},
    {"GET", NULL, "HTTP/1.1 20 OK\r\n\r\n", false, "PEER lost "},
    {"GET", NULL, "HTTP/1.1 099 OK\r\n\r\n", false, "PEER lost "},
    {"GET", NULL, OK_HEAD "no colon\r\n\r\n", false, "PEER lost "},
    {"GET", NULL, OK_HEAD "Name : value\r\n\r\n", false, "PEER lost "},
    {"GET", NULL, OK_HEAD "A: b\nC: d\r\n\r\n", false, "PEER lost "},
    {"GET", NULL, OK_HEAD "Content-Length: -1\r\n\r\n", false, "PEER lost "},
    {"GET", NULL, OK_HEAD "Content-Length: 5, 5\r\n\r\nhello", false, "PEER lost "},
    {"GET", NULL, OK_HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", false,
     "PEER lost "},
    {"GET", NULL, OK_HEAD "Content-Length: 99999999999999999999\r\n\r\n", false, "PEER lost "},
    {"GET", NULL, OK_HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", false,
     "PEER lost "},
    {"GET", NULL, OK_HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n", false, "PEER lost "},
    {"GET", NULL, OK_HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", false, "200 PEER lost "},
    {"GET", NULL, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nhelXX", false,
     "200 [hel] PEER lost "},
    {"GET", NULL, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 1\r\n\r\n", false,
     "200 PEER lost "},
};

static void check_reply(const reply_case *c, pacing pace) {
    world w;

    open_world(&w, pace, NULL);
    ask(&w, c->method, c->field);
    torc_test_connection_send(w.peer, torc_str_of(c->reply));
    if (c->ends) torc_test_connection_send_end(w.peer);
    settle(&w);
    if (strcmp(w.log, c->expected) != 0) print_error("pace %d of %s\n", (int)pace, c->reply);
    assert_string_equal(w.log, c->expected);
    close_world(&w);
}

static void responses_are_read(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(reply_cases) / sizeof(reply_cases[0]); i++)
        for (int pace = 0; pace < PACES; pace++) check_reply(&reply_cases[i], (pacing)pace);
}

/* The answer stands; what follows it is nobody's, and the connection ends. */
static void surplus_bytes_end_the_connection(void **state) {
    (void)state;
    const reply_case c = {"GET", NULL,
                          OK_HEAD "Content-Length: 2\r\n\r\nok" OK_HEAD "Content-Length: 0\r\n\r\n",
                          false, "200 [ok] end OK lost "};
    check_reply(&c, WHOLE);
}

static void bytes_while_idle_end_the_connection(void **state) {
    (void)state;
    for (int pace = 0; pace < PACES; pace++) {
        world w;
        open_world(&w, (pacing)pace, NULL);
        reply(&w, OK_HEAD "Content-Length: 0\r\n\r\n");
        assert_string_equal(w.log, "lost ");
        close_world(&w);
    }
}

static void heads_have_limits(void **state) {
    torc_limits limits = {.size = sizeof(limits), .section_bytes_max = 64};
    world w;

    (void)state;
    open_world(&w, WHOLE, &limits);
    ask(&w, "GET", NULL);
    reply(&w, OK_HEAD
          "A: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n\r\n");
    assert_string_equal(w.log, "PEER lost ");
    close_world(&w);
}

static void nothing_left_is_unprocessed(void **state) {
    world w;

    (void)state;
    open_world(&w, WHOLE, NULL);
    torc_test_connection_hold_back(w.peer);
    begin(&w, "GET", NULL, 0);
    check_ok(w.exchange->wire->send_end(w.exchange, NULL));
    torc_test_connection_send_end(w.peer);
    settle(&w);
    assert_string_equal(w.log, "UNPROCESSED lost ");
    close_world(&w);

    open_world(&w, WHOLE, NULL);
    torc_test_connection_hold_back(w.peer);
    ask(&w, "GET", NULL);
    torc_test_connection_reset(w.peer);
    settle(&w);
    assert_string_equal(w.log, "UNPROCESSED lost ");
    close_world(&w);
}

static void what_left_in_part_is_lost(void **state) {
    world w;

    (void)state;
    open_world(&w, WHOLE, NULL);
    torc_test_connection_hold_back(w.peer);
    ask(&w, "GET", NULL);
    torc_test_connection_take(w.peer, 3);
    settle(&w);
    torc_test_connection_reset(w.peer);
    settle(&w);
    assert_string_equal(w.log, "LOST lost ");
    close_world(&w);
}

static void an_early_answer_leaves_the_request_to_its_end(void **state) {
    torc_chain chain;
    world w;

    (void)state;
    open_world(&w, WHOLE, NULL);
    begin(&w, "POST", NULL, 3);
    settle(&w);
    reply(&w, OK_HEAD "Content-Length: 0\r\n\r\n");
    assert_string_equal(w.log, "200 end ");
    torc_chain_init(&chain, &w.reactor->chains);
    check_ok(torc_chain_add_bytes(&chain, TORC_STR("abc")));
    check_ok(w.exchange->wire->send_body(w.exchange, &chain));
    check_ok(w.exchange->wire->send_end(w.exchange, NULL));
    settle(&w);
    assert_string_equal(w.log, "200 end OK idle ");
    close_world(&w);
}

static void a_body_that_is_not_wanted_is_dropped(void **state) {
    world w;

    (void)state;
    open_world(&w, WHOLE, NULL);
    w.refuses = true;
    ask(&w, "GET", NULL);
    reply(&w, OK_HEAD "Content-Length: 5\r\n\r\nhello");
    assert_string_equal(w.log, "200 OK idle ");
    forget(&w);
    ask(&w, "GET", NULL); /* too much to be dropped */
    reply(&w, OK_HEAD "Content-Length: 1000000\r\n\r\nhello");
    assert_string_equal(w.log, "200 OK lost ");
    close_world(&w);
}

/* ---- other protocols ---- */

static void another_protocol_gets_what_came_behind_the_head(void **state) {
    (void)state;
    for (int pace = 0; pace < PACES; pace++) {
        probe successor;
        world w;
        probe_init(&successor);
        open_world(&w, (pacing)pace, NULL);
        w.successor = &successor.factory;
        ask(&w, "GET", "Connection: Upgrade");
        reply(&w,
              "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello");
        torc_test_connection_send(w.peer, TORC_STR(", you"));
        torc_test_connection_send_end(w.peer);
        settle(&w);
        assert_string_equal(w.log, "101 end OK lost ");
        assert_int_equal(successor.mades, 1);
        assert_int_equal(successor.stops, 1);
        check_got(&successor, "hello, you");
        assert_int_equal(successor.input_ends, 1);
        torc_transport_write(successor.base.transport, TORC_STR("bye"));
        settle(&w);
        const torc_str written = torc_test_connection_written(w.peer);
        check_str_at(torc_str_from(written, written.len - 3), TORC_STR("bye"), __FILE__, __LINE__);
        close_world(&w);
        assert_int_equal(successor.losts, 1);
        probe_dispose(&successor);
    }
}

static void a_factory_that_fails_resets(void **state) {
    probe successor;
    world w;

    (void)state;
    probe_init(&successor);
    successor.refuses = TORC_ERR_NO_MEMORY;
    open_world(&w, WHOLE, NULL);
    w.successor = &successor.factory;
    ask(&w, "GET", "Connection: Upgrade");
    reply(&w, "HTTP/1.1 101 Switching Protocols\r\n\r\nhello");
    assert_string_equal(w.log, "101 end NO_MEMORY lost ");
    assert_true(torc_test_connection_was_reset(w.peer));
    assert_int_equal(successor.stops, 1);
    close_world(&w);
}

static void a_tunnel_ends_one_way_at_a_time(void **state) {
    (void)state;
    for (int pace = 0; pace < PACES; pace++) {
        world w;
        open_world(&w, (pacing)pace, NULL);
        w.enters = true;
        ask(&w, "CONNECT", NULL);
        reply(&w, OK_HEAD "\r\nhello");
        assert_string_equal(w.log, "200 ");
        torc_test_connection_send_end(w.peer);
        settle(&w);
        assert_string_equal(w.log, "200 [hello] end ");
        torc_test_advance(w.reactor, 500000); /* nobody hurries it */
        assert_false(torc_test_connection_has_ended(w.peer));
        check_ok(w.exchange->wire->send_end(w.exchange, NULL));
        settle(&w);
        assert_string_equal(w.log, "200 [hello] end OK lost ");
        assert_true(torc_test_connection_has_ended(w.peer));
        close_world(&w);
    }
}

/* ---- time ---- */

static void heads_that_come_too_slowly(void **state) {
    world w;

    (void)state;
    open_world(&w, WHOLE, NULL);
    ask(&w, "GET", NULL);
    torc_test_advance(w.reactor, 100000); /* the answer may take its time */
    assert_string_equal(w.log, "");
    reply(&w, "HTTP/1.1 200");
    torc_test_advance(w.reactor, 9999);
    assert_string_equal(w.log, "");
    torc_test_advance(w.reactor, 1);
    settle(&w);
    assert_string_equal(w.log, "STALLED lost ");
    close_world(&w);
}

static void bodies_that_come_too_slowly(void **state) {
    world w;

    (void)state;
    open_world(&w, WHOLE, NULL);
    ask(&w, "GET", NULL);
    reply(&w, OK_HEAD "Content-Length: 5\r\n\r\nhe");
    torc_test_advance(w.reactor, 30000);
    settle(&w);
    assert_string_equal(w.log, "200 [he] STALLED lost ");
    close_world(&w);
}

static void bodies_that_are_not_wanted_may_wait(void **state) {
    world w;

    (void)state;
    open_world(&w, WHOLE, NULL);
    w.withholds = true;
    ask(&w, "GET", NULL);
    reply(&w, OK_HEAD "Content-Length: 5\r\n\r\nhello");
    torc_test_advance(w.reactor, 500000);
    assert_string_equal(w.log, "200 ");
    w.exchange->wire->want_body(w.exchange, 5);
    settle(&w);
    assert_string_equal(w.log, "200 [hello] end OK idle ");
    close_world(&w);
}

static void idle_connections_end(void **state) {
    world w;

    (void)state;
    open_world(&w, WHOLE, NULL);
    torc_test_advance(w.reactor, 59999);
    assert_string_equal(w.log, "");
    torc_test_advance(w.reactor, 1);
    settle(&w);
    assert_string_equal(w.log, "lost ");
    close_world(&w);
}

/* ---- ends ---- */

static void closing_loses_what_is_under_way(void **state) {
    world w;

    (void)state;
    open_world(&w, WHOLE, NULL);
    ask(&w, "GET", NULL);
    reply(&w, OK_HEAD "Content-Length: 5\r\n\r\nhe");
    torc_http1_client_close(w.client);
    settle(&w);
    assert_string_equal(w.log, "200 [he] LOST lost ");
    close_world(&w);
}

static void every_allocation_may_fail(void **state) {
    bool failed = true;

    (void)state;
    for (uint64_t n = 1; failed; n++) {
        torc_exchange *exchange;
        world w;
        assert_true(n < 100);
        open_world(&w, WHOLE, NULL);
        torc_test_fail_allocation(w.reactor, n);
        if (!torc_http1_client_open(w.client, &exchange)) {
            torc_fields fields = {0};
            const torc_head head = request("GET", &fields);
            w.exchange = exchange;
            exchange->events = &events;
            exchange->above = &w;
            torc_err err = exchange->wire->send_head(exchange, &head, 0);
            exchange->wire->want_body(exchange, SIZE_MAX);
            if (!err) err = exchange->wire->send_end(exchange, NULL);
            if (err) exchange->wire->reset(exchange, err);
            settle(&w);
            if (w.client)
                reply(&w, "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" OK_HEAD
                          "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n");
            if (w.client) reply(&w, "X-Sum: 1\r\n\r\n");
        }
        failed = torc_test_allocation_failed(w.reactor);
        torc_test_fail_allocation(w.reactor, 0);
        if (!failed) assert_string_equal(w.log, "103 200 [hel] trailers OK idle ");
        close_world(&w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_framed),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(responses_are_read),
        cmocka_unit_test(surplus_bytes_end_the_connection),
        cmocka_unit_test(bytes_while_idle_end_the_connection),
        cmocka_unit_test(heads_have_limits),
        cmocka_unit_test(nothing_left_is_unprocessed),
        cmocka_unit_test(what_left_in_part_is_lost),
        cmocka_unit_test(an_early_answer_leaves_the_request_to_its_end),
        cmocka_unit_test(a_body_that_is_not_wanted_is_dropped),
        cmocka_unit_test(another_protocol_gets_what_came_behind_the_head),
        cmocka_unit_test(a_factory_that_fails_resets),
        cmocka_unit_test(a_tunnel_ends_one_way_at_a_time),
        cmocka_unit_test(heads_that_come_too_slowly),
        cmocka_unit_test(bodies_that_come_too_slowly),
        cmocka_unit_test(bodies_that_are_not_wanted_may_wait),
        cmocka_unit_test(idle_connections_end),
        cmocka_unit_test(closing_loses_what_is_under_way),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
