/* SPDX-License-Identifier: MIT */
/* The server's side of HTTP/1 over connections in memory, with the clock in hand. */
#include <stdio.h>
#include <torc/fiber.h>
#include <torc/link.h>
#include <torc/testing.h>
#include <torc/testing_transport.h>
#include <torc/upgrade.h>

#include "http_fixture.h"
#include "protocol/negotiate.h"

typedef struct fixture {
    http_fixture http;
    torc_limits limits;
    torc_factory *factory;
    torc_test_connection *peer;
} fixture;

/* ---- what answers: a function by path ---- */

static torc_render hello(torc_request *request) {
    return torc_reply_bytes(request, 200, "text/plain", TORC_STR("hello"));
}

static torc_render late(torc_request *request) {
    (void)request;
    return TORC_RENDER_NOT_DONE_YET;
}

static torc_render wait_second(torc_request *request) {
    const torc_err err = torc_sleep(torc_request_reactor(request), 1000);
    return err ? torc_reply_error(request, err) : hello(request);
}

static torc_render count_body(torc_request *request) {
    torc_str chunk;
    int64_t len = 0;
    torc_err err;

    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0) len += (int64_t)chunk.len;
    if (err) return torc_reply_error(request, err);
    torc_json *json = torc_reply_json(request, 200);
    torc_json_int(json, len);
    return torc_reply_end(request);
}

static torc_render impatient(torc_request *request) {
    torc_limits *limits = torc_request_limits(request);

    limits->body_stall_ms = 500;
    limits->body_rate_min = 1000;
    return count_body(request);
}

/* It reads, does something else for a while, and reads on. */
static torc_render dawdle(torc_request *request) {
    torc_str chunk;
    torc_err err = torc_body_read(request, &chunk);

    if (!err) err = torc_sleep(torc_request_reactor(request), 4000);
    return err ? torc_reply_error(request, err) : count_body(request);
}

static torc_render say_trailer(torc_request *request) {
    torc_str bytes;
    const torc_err err = torc_body_read_all(request, 1000, &bytes);

    if (err) return torc_reply_error(request, err);
    const torc_fields *trailers = torc_body_trailers(request);
    return torc_reply_bytes(request, 200, "text/plain",
                            trailers ? torc_fields_value(trailers, TORC_STR("X-Sum"))
                                     : TORC_STR("none"));
}

static torc_render write_much(torc_request *request) {
    static char block[10000];

    memset(block, 'x', sizeof(block));
    for (int i = 0; i < 50; i++) torc_request_write(request, torc_str_make(block, sizeof(block)));
    return torc_reply_end(request);
}

static torc_render in_pieces(torc_request *request) {
    torc_request_write(request, TORC_STR("one"));
    torc_request_write(request, TORC_STR(""));
    torc_request_write(request, TORC_STR("two"));
    torc_response_set_trailer(request, "X-Sum", TORC_STR("6"));
    return torc_reply_end(request);
}

/* A head of more than a page, in front of a short body or of one in chunks. */
static void set_large_fields(torc_request *request) {
    char name[16], value[2000];

    memset(value, 'v', sizeof(value));
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "X-%d", i);
        torc_response_set(request, name, torc_str_make(value, sizeof(value)));
    }
}

static torc_render large_head(torc_request *request) {
    set_large_fields(request);
    return hello(request);
}

static torc_render large_head_in_pieces(torc_request *request) {
    set_large_fields(request);
    return in_pieces(request);
}

static torc_render tell_url(torc_request *request) {
    char bytes[200];
    torc_buf url;

    torc_buf_init_fixed(&url, bytes, sizeof(bytes));
    torc_request_add_asked_url(request, &url);
    return torc_reply_bytes(request, 200, "text/plain", torc_buf_str(&url));
}

static torc_render take_memory(torc_request *request) {
    if (!torc_arena_alloc(torc_request_arena(request), 30000))
        return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    return hello(request);
}

static torc_render early_hints(torc_request *request) {
    torc_response_set(request, "Link", TORC_STR("</s.css>"));
    check_ok(torc_response_send_interim(request, 103));
    return hello(request);
}

static torc_render no_content(torc_request *request) {
    torc_response_set_status(request, 204, NULL);
    return torc_reply_end(request);
}

static torc_render not_modified(torc_request *request) {
    torc_response_set_status(request, 304, NULL);
    return torc_reply_end(request);
}

static torc_render fail_in_body(torc_request *request) {
    torc_response_set_length(request, 10);
    torc_request_write(request, TORC_STR("half"));
    return torc_reply_end(request);
}

static torc_render close_after(torc_request *request) {
    torc_response_set(request, "Connection", TORC_STR("close"));
    return hello(request);
}

/* An echo protocol, for upgrades. */
typedef struct echo {
    torc_protocol protocol;
    bool is_lost;
} echo;

static void echo_made(torc_protocol *protocol) {
    torc_transport_write(protocol->transport, TORC_STR("hi:"));
}

static size_t echo_received(torc_protocol *protocol, torc_str bytes) {
    torc_transport_write(protocol->transport, bytes);
    return bytes.len;
}

static void echo_lost(torc_protocol *protocol, torc_err reason) {
    (void)reason;
    torc_container_of(protocol, echo, protocol)->is_lost = true;
}

static const torc_protocol_ops echo_ops = {
    .connection_made = echo_made,
    .data_received = echo_received,
    .connection_lost = echo_lost,
};

static echo the_echo;
static torc_err echo_err;

static torc_err echo_build(torc_factory *factory, torc_transport *transport,
                           torc_protocol **protocol) {
    (void)factory;
    (void)transport;
    the_echo = (echo){.protocol = {.ops = &echo_ops}};
    *protocol = &the_echo.protocol;
    return echo_err;
}

static const torc_factory_ops echo_factory_ops = {.build_protocol = echo_build};
static torc_factory echo_factory = {.ops = &echo_factory_ops};

/* Somebody around it is told that the answer starts, as of any. */
static void note_start(torc_response_hook *hook, torc_request *request) {
    (void)hook;
    if (torc_response_status(request) == 101)
        torc_response_set(request, "X-Around", TORC_STR("101"));
}

static torc_render upgrade(torc_request *request) {
    static torc_response_hook hook;

    hook = (torc_response_hook){.starting = note_start};
    torc_request_add_hook(request, &hook);
    assert_false(torc_request_offers_upgrade(request, "other"));
    const bool is_offered = torc_request_offers_upgrade(request, "ECHO");
    const torc_err err = torc_request_upgrade(request, "echo", &echo_factory);
    assert_int_equal(err == TORC_ERR_UPGRADE, !is_offered);
    return err ? torc_reply_status(request, 426, NULL) : TORC_RENDER_DONE;
}

static const struct {
    const char *path;
    torc_render_fn *render;
} renders[] = {
    {"/", hello},
    {"/late", late},
    {"/wait", wait_second},
    {"/dawdle", dawdle},
    {"/impatient", impatient},
    {"/count", count_body},
    {"/trailer", say_trailer},
    {"/much", write_much},
    {"/pieces", in_pieces},
    {"/large", large_head},
    {"/large-pieces", large_head_in_pieces},
    {"/url", tell_url},
    {"/memory", take_memory},
    {"/hints", early_hints},
    {"/204", no_content},
    {"/304", not_modified},
    {"/broken", fail_in_body},
    {"/close", close_after},
    {"/upgrade", upgrade},
};

static torc_render by_path(torc_request *request, void *context) {
    const torc_str path = torc_request_path(request);

    (void)context;
    for (size_t i = 0; i < TORC_COUNT_OF(renders); i++)
        if (torc_str_equals(path, torc_str_of(renders[i].path))) return renders[i].render(request);
    return torc_reply_status(request, 404, NULL);
}

/* ---- the connection ---- */

static void begin_with(fixture *self) {
    const torc_http_server_options options = {.limits = &self->limits};
    check_ok(torc_http_server_new(self->http.reactor, &self->http.handler.acceptor, &options,
                                  &self->factory));
    self->peer = torc_test_connection_new(self->http.reactor, self->factory);
    assert_non_null(self->peer);
}

static void end_with(fixture *self) {
    torc_test_connection_free(self->peer);
    if (self->factory) torc_http_server_free(self->factory);
    self->peer = NULL;
    self->factory = NULL;
}

static int make_fixture(void **state, const torc_reactor_options *options, bool is_late) {
    static fixture self;

    memset(&self, 0, sizeof(self));
    self.limits.size = sizeof(self.limits);
    const torc_err err = is_late ? torc_test_reactor_new_late(options, &self.http.reactor)
                                 : torc_test_reactor_new(options, &self.http.reactor);
    if (err) return -1;
    torc_handler_init(&self.http.handler, &fixture_ops);
    self.http.step = by_path;
    self.http.on_fiber = true;
    echo_err = TORC_OK;
    *state = &self;
    return 0;
}

static int set_up(void **state) {
    return make_fixture(state, NULL, false);
}

static int tear_down(void **state) {
    fixture *self = *state;

    end_with(self);
    torc_test_settle(self->http.reactor);
    if (self->http.reactor->pages.used_count > 0) return -1;
    torc_reactor_free(self->http.reactor);
    return self->http.received == self->http.ended ? 0 : -1;
}

static void send_text(fixture *self, const char *text) {
    if (!self->peer) begin_with(self);
    torc_test_connection_send(self->peer, torc_str_of(text));
    torc_test_settle(self->http.reactor);
}

static torc_str written(const fixture *self) {
    return torc_test_connection_written(self->peer);
}

static bool has_text(const fixture *self, const char *text) {
    return torc_str_find(written(self), torc_str_of(text)) >= 0;
}

static void check_has(const fixture *self, const char *text) {
    if (has_text(self, text)) return;
    print_error("not written: \"%s\", but: \"%.*s\"\n", text, TORC_STR_ARGS(written(self)));
    fail();
}

static int count_of(const fixture *self, const char *text) {
    torc_str rest = written(self);
    ptrdiff_t place;
    int count = 0;

    while ((place = torc_str_find(rest, torc_str_of(text))) >= 0) {
        rest = torc_str_from(rest, (size_t)place + 1);
        count++;
    }
    return count;
}

static void check_open(const fixture *self) {
    assert_false(torc_test_connection_has_ended(self->peer));
    assert_false(torc_test_connection_is_over(self->peer));
}

/* Closed in good order, at once or when the peer has ended, too. */
static void check_ends(fixture *self) {
    assert_true(torc_test_connection_has_ended(self->peer));
    assert_false(torc_test_connection_was_reset(self->peer));
    torc_test_connection_send_end(self->peer);
    torc_test_settle(self->http.reactor);
    assert_true(torc_test_connection_is_over(self->peer));
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* ---- heads and responses ---- */

static void a_request_is_answered_and_the_connection_kept(void **state) {
    fixture *self = *state;

    send_text(self, GET("/"));
    check_has(self, "HTTP/1.1 200 OK\r\n");
    check_has(self, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    check_has(self, "Content-Length: 5\r\n\r\nhello");
    assert_false(has_text(self, "Connection"));
    check_open(self);
    send_text(self, GET("/"));
    assert_int_equal(count_of(self, "hello"), 2);
    check_open(self);
}

static void the_same_is_answered_however_it_is_split(void **state) {
    fixture *self = *state;
    static const char text[] =
        "POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;a=\"b\"\r\nhello\r\n3\r\nabc\r\n0\r\nX-Sum: 8\r\n\r\n" GET("/");

    for (size_t at = 1; at < sizeof(text) - 1; at++) {
        begin_with(self);
        torc_test_connection_send(self->peer, torc_str_make(text, at));
        torc_test_settle(self->http.reactor);
        torc_test_connection_send(self->peer, torc_str_make(text + at, sizeof(text) - 1 - at));
        torc_test_settle(self->http.reactor);
        check_has(self, "Content-Length: 1\r\n\r\n8HTTP/1.1 200 OK");
        check_has(self, "hello");
        check_open(self);
        end_with(self);
    }
    begin_with(self);
    torc_test_connection_set_pieces(self->peer, 1);
    send_text(self, text);
    check_has(self, "Content-Length: 1\r\n\r\n8HTTP/1.1 200 OK");
    check_has(self, "hello");
}

static void pipelined_requests_are_answered_in_order_in_one_send(void **state) {
    fixture *self = *state;

    send_text(self, GET("/") GET("/204") GET("/404") GET("/"));
    const torc_str all = written(self);
    const ptrdiff_t first = torc_str_find(all, TORC_STR("hello")),
                    second = torc_str_find(all, TORC_STR(" 204 ")),
                    third = torc_str_find(all, TORC_STR(" 404 "));
    assert_true(first > 0 && second > first && third > second);
    assert_int_equal(count_of(self, "hello"), 2);
    assert_int_equal(torc_test_connection_send_count(self->peer), 1);
}

static void what_is_finished_leaves_although_a_later_one_waits(void **state) {
    fixture *self = *state;

    send_text(self, GET("/") GET("/wait") GET("/204"));
    assert_int_equal(count_of(self, "HTTP/1.1"), 1);
    torc_test_advance(self->http.reactor, 1000);
    assert_int_equal(count_of(self, "hello"), 2);
    assert_int_equal(count_of(self, " 204 "), 1);
    check_open(self);
}

static void a_request_of_1_0_is_answered_and_the_connection_closed(void **state) {
    fixture *self = *state;

    send_text(self, "GET / HTTP/1.0\r\n\r\n");
    check_has(self, "HTTP/1.1 200 OK\r\n");
    check_has(self, "Connection: close\r\n");
    check_ends(self);
}

static void keep_alive_of_1_0_is_honoured(void **state) {
    fixture *self = *state;

    send_text(self, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    check_has(self, "Connection: keep-alive\r\n");
    check_open(self);
}

static void connection_close_is_honoured(void **state) {
    fixture *self = *state;

    send_text(self, "GET / HTTP/1.1\r\nHost: x\r\nConnection: x, CLOSE\r\n\r\n" GET("/"));
    check_has(self, "Connection: close\r\n");
    assert_int_equal(count_of(self, "hello"), 1);
    check_ends(self);
}

static void an_application_may_close(void **state) {
    fixture *self = *state;

    send_text(self, GET("/close"));
    assert_int_equal(count_of(self, "Connection: close\r\n"), 1);
    check_ends(self);
}

static void a_body_of_unknown_length_goes_in_chunks(void **state) {
    fixture *self = *state;

    send_text(self, GET("/pieces"));
    check_has(self, "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
    check_open(self);
}

static void a_head_may_be_longer_than_a_page(void **state) {
    fixture *self = *state;

    send_text(self, GET("/large")
                        GET("/large-pieces") "HEAD /large HTTP/1.1\r\nHost: x\r\n\r\n" GET("/204"));
    assert_int_equal(count_of(self, "\r\nX-49: vvv"), 3);
    check_has(self, "\r\n\r\nhelloHTTP/1.1 200 OK");
    check_has(self, "\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 200 OK");
    check_has(self, "\r\n\r\nHTTP/1.1 204 No Content");
    assert_true(written(self).len > 300000);
    check_open(self);
}

/* Who names no host has asked the address; a port that goes without saying is left out. */
static void without_host_the_address_was_asked(void **state) {
    static const struct {
        const char *address;
        uint16_t port;
        const char *url;
    } cases[] = {
        {"192.0.2.1", 80, "\r\n\r\nhttp://192.0.2.1/url?a"},
        {"192.0.2.1", 8080, "\r\n\r\nhttp://192.0.2.1:8080/url?a"},
        {"2001:db8::1", 80, "\r\n\r\nhttp://[2001:db8::1]/url?a"},
        {"2001:db8::1", 81, "\r\n\r\nhttp://[2001:db8::1]:81/url?a"},
        {NULL, 0, "\r\n\r\nhttp://localhost/url?a"},
    };
    fixture *self = *state;

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_addr host;
        begin_with(self);
        if (cases[i].address) {
            check_ok(torc_addr_parse(torc_str_of(cases[i].address), cases[i].port, &host));
            torc_test_connection_set_addrs(self->peer, &host, &host);
        }
        send_text(self, "GET /url?a HTTP/1.0\r\n\r\n");
        check_has(self, cases[i].url);
        assert_true(torc_str_ends_with(written(self), torc_str_of(cases[i].url)));
        end_with(self);
    }
}

static void trailers_go_to_who_takes_them(void **state) {
    fixture *self = *state;

    send_text(self, "GET /pieces HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
    check_has(self, "two\r\n0\r\nX-Sum: 6\r\n\r\n");
}

static void a_body_of_unknown_length_ends_a_connection_of_1_0(void **state) {
    fixture *self = *state;

    send_text(self, "GET /pieces HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    check_has(self, "\r\n\r\nonetwo");
    assert_false(has_text(self, "chunked"));
    check_ends(self);
}

static void the_answer_to_head_has_no_body(void **state) {
    fixture *self = *state;

    send_text(
        self,
        "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nHEAD /pieces HTTP/1.1\r\nHost: x\r\n\r\n" GET("/204"));
    check_has(self, "Content-Length: 5\r\n\r\nHTTP/1.1 200 OK");
    check_has(self, "Transfer-Encoding: chunked\r\n\r\nHTTP/1.1 204 No Content");
    assert_false(has_text(self, "hello"));
    assert_false(has_text(self, "one"));
}

static void bodiless_statuses_have_no_framing(void **state) {
    fixture *self = *state;

    send_text(self, GET("/204") GET("/304"));
    assert_false(has_text(self, "Content-Length"));
    assert_false(has_text(self, "Transfer-Encoding"));
    assert_int_equal(count_of(self, "HTTP/1.1"), 2);
    check_open(self);
}

static void interim_responses_go_first_but_not_to_1_0(void **state) {
    fixture *self = *state;

    send_text(self, GET("/hints"));
    check_has(self, "HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\nHTTP/1.1 200 OK");
    end_with(self);
    send_text(self, "GET /hints HTTP/1.0\r\n\r\n");
    assert_false(has_text(self, "103"));
    check_has(self, "hello");
}

static void a_response_that_breaks_off_is_reset(void **state) {
    fixture *self = *state;

    send_text(self, GET("/broken"));
    assert_true(torc_test_connection_was_reset(self->peer));
    assert_int_equal(count_of(self, "HTTP/1.1"), has_text(self, "200") ? 1 : 0);
}

/* ---- what is refused ---- */

static void bad_requests_are_answered_and_the_connection_closed(void **state) {
    fixture *self = *state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", 417},
        {"GET / HTTP/1.1\nHost: a\n\n", 400},
        {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
         "chunked\r\n\r\n",
         400},
        {"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400},
        {"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400},
        {"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\nContent-Length: 1\r\n\r\n",
         400},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        char status[32];
        send_text(self, cases[i].text);
        snprintf(status, sizeof(status), "HTTP/1.1 %d ", cases[i].status);
        if (torc_str_find(written(self), torc_str_of(status)) != 0) print_error("case %zu\n", i);
        assert_int_equal(torc_str_find(written(self), torc_str_of(status)), 0);
        check_has(self, "Connection: close\r\n");
        assert_int_equal(count_of(self, "HTTP/1.1"), 1);
        check_ends(self);
        end_with(self);
    }
}

static void a_length_of_thousands_of_digits_is_refused(void **state) {
    fixture *self = *state;
    char digits[5001], text[6000];

    for (int zeros = 0; zeros < 2; zeros++) {
        memset(digits, zeros ? '0' : '9', sizeof(digits) - 1);
        digits[5000] = '\0';
        snprintf(text, sizeof(text),
                 "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: %s3\r\n\r\nabc", digits);
        send_text(self, text);
        check_has(self, zeros ? "HTTP/1.1 200 " : "HTTP/1.1 400 ");
        end_with(self);
    }
}

static void what_follows_a_bad_request_is_not_answered(void **state) {
    fixture *self = *state;

    send_text(self, GET("/") "BAD\r\n\r\n" GET("/"));
    assert_int_equal(count_of(self, "HTTP/1.1"), 2);
    check_has(self, " 400 Bad Request");
    send_text(self, GET("/"));
    assert_int_equal(count_of(self, "HTTP/1.1"), 2);
    check_ends(self);
}

static void a_long_line_or_section_is_refused_at_the_edge(void **state) {
    fixture *self = *state;
    char text[2048];

    self->limits.request_line_bytes_max = 100;
    for (int len = 99; len <= 101; len++) {
        const int path = len - (int)sizeof("GET  HTTP/1.1") + 1;
        memset(text, 'a', sizeof(text));
        text[0] = '/';
        char request[4096];
        snprintf(request, sizeof(request), "GET %.*s HTTP/1.1\r\nHost: x\r\n\r\n", path, text);
        send_text(self, request);
        check_has(self, len <= 100 ? " 404 " : " 414 ");
        end_with(self);
    }
}

/* A section of exactly `bytes`, request line and field lines together, in `fields` lines. */
static void ask_with_section(fixture *self, size_t bytes, int fields) {
    static char text[8192];
    size_t len = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: x\r\n");
    size_t counted = len - 4;

    for (int i = 1; i < fields; i++) {
        const size_t left = bytes - counted;
        const size_t value = i == fields - 1 ? left - 3 : 1;
        text[len++] = 'a';
        text[len++] = ':';
        text[len++] = ' ';
        memset(text + len, 'v', value);
        len += value;
        text[len++] = '\r';
        text[len++] = '\n';
        counted += value + 3;
    }
    memcpy(text + len, "\r\n", 3);
    send_text(self, text);
}

static void sections_are_limited_at_the_edge(void **state) {
    fixture *self = *state;

    self->limits.section_bytes_max = 200;
    for (size_t bytes = 199; bytes <= 201; bytes++) {
        ask_with_section(self, bytes, 5);
        check_has(self, bytes <= 200 ? " 200 OK" : " 431 ");
        end_with(self);
    }
}

static void field_lines_are_limited_at_the_edge(void **state) {
    fixture *self = *state;

    self->limits.fields_max = 10;
    for (int fields = 9; fields <= 11; fields++) {
        ask_with_section(self, 500, fields);
        check_has(self, fields <= 10 ? " 200 OK" : " 431 ");
        end_with(self);
    }
}

static void trailers_are_limited_at_the_edge(void **state) {
    fixture *self = *state;
    char text[300];

    self->limits.trailers_bytes_max = 20;
    for (int len = 19; len <= 21; len++) {
        snprintf(text, sizeof(text),
                 "POST /trailer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                 "chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: %.*s\r\n\r\n",
                 len - 7, "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvv");
        send_text(self, text);
        check_has(self, len <= 20 ? " 200 OK" : " 431 ");
        end_with(self);
    }
}

static void bodies_are_limited_at_the_edge(void **state) {
    fixture *self = *state;
    char text[300];

    self->limits.body_bytes_max = 10;
    for (int len = 9; len <= 11; len++) {
        snprintf(text, sizeof(text),
                 "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%.*s", len, len,
                 "bbbbbbbbbbbb");
        send_text(self, text);
        check_has(self, len <= 10 ? " 200 OK" : " 413 ");
        end_with(self);
        snprintf(text, sizeof(text),
                 "POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                 "chunked\r\n\r\n%x\r\n%.*s\r\n0\r\n\r\n",
                 (unsigned)len, len, "bbbbbbbbbbbb");
        send_text(self, text);
        check_has(self, len <= 10 ? " 200 OK" : " 413 ");
        end_with(self);
    }
}

static void the_memory_of_a_request_is_limited(void **state) {
    fixture *self = *state;

    send_text(self, GET("/memory"));
    check_has(self, " 200 OK");
    end_with(self);
    self->limits.request_memory_max = 20000;
    send_text(self, GET("/memory") GET("/"));
    check_has(self, " 503 ");
    assert_int_equal(count_of(self, "hello"), 1);
    check_open(self);
}

static void leniencies_have_names(void **state) {
    fixture *self = *state;
    const torc_http_server_options options = {.allow_bare_lf = true, .allow_folded_fields = true};

    send_text(self, "GET / HTTP/1.1\r\nHost: x\r\nX-Fold: a\r\n b\r\n\r\n");
    check_has(self, " 400 ");
    end_with(self);
    check_ok(torc_http_server_new(self->http.reactor, &self->http.handler.acceptor, &options,
                                  &self->factory));
    self->peer = torc_test_connection_new(self->http.reactor, self->factory);
    send_text(self, "GET / HTTP/1.1\nHost: x\nX-Fold: a\n b\n\n");
    check_has(self, " 200 OK");
}

static int set_up_two_fibers(void **state) {
    return make_fixture(
        state, &(torc_reactor_options){.size = sizeof(torc_reactor_options), .fibers_max = 2},
        false);
}

static void a_request_beyond_the_fibers_is_answered_503(void **state) {
    fixture *self = *state;

    begin_with(self);
    torc_test_connection *others[2];
    for (int i = 0; i < 2; i++) {
        others[i] = torc_test_connection_new(self->http.reactor, self->factory);
        torc_test_connection_send(others[i], TORC_STR(GET("/wait")));
    }
    torc_test_settle(self->http.reactor);
    send_text(self, GET("/"));
    check_has(self, " 503 ");
    torc_test_advance(self->http.reactor, 1000);
    send_text(self, GET("/"));
    check_has(self, "hello");
    for (int i = 0; i < 2; i++) {
        assert_true(torc_str_find(torc_test_connection_written(others[i]), TORC_STR(" 200 OK")) >
                    0);
        torc_test_connection_free(others[i]);
    }
}

/* ---- bodies in ---- */

static void a_body_is_read(void **state) {
    fixture *self = *state;

    send_text(self, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234");
    assert_int_equal(written(self).len, 0);
    send_text(self, "56789" GET("/"));
    check_has(self, "Content-Length: 2\r\n\r\n10HTTP/1.1 200 OK");
    check_has(self, "hello");
}

static void trailers_are_read(void **state) {
    fixture *self = *state;

    send_text(self, "POST /trailer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                    "chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1z\r\n\r\n");
    check_has(self, "\r\n\r\n1z");
    send_text(self, "POST /trailer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                    "chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
    check_has(self, "\r\n\r\nnone");
}

#define EXPECT(path, version)                                                                      \
    "POST " path " HTTP/" version "\r\nHost: x\r\nContent-Length: 3\r\nExpect: "                   \
    "100-continue\r\n\r\n"

static void continue_is_sent_when_the_body_is_read(void **state) {
    fixture *self = *state;

    send_text(self, EXPECT("/count", "1.1"));
    check_str(written(self), "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(self, "abc");
    check_has(self, "\r\n\r\n3");
    check_open(self);
}

static void continue_is_not_sent_by_who_refuses_first(void **state) {
    fixture *self = *state;

    send_text(self, EXPECT("/404", "1.1"));
    assert_false(has_text(self, "100 Continue"));
    check_has(self, " 404 ");
    check_has(self, "Connection: close\r\n");
    check_ends(self);
}

static void continue_is_not_sent_to_1_0_nor_without_need(void **state) {
    fixture *self = *state;

    send_text(self, EXPECT("/count", "1.0"));
    assert_int_equal(written(self).len, 0);
    send_text(self, "abc");
    check_has(self, "\r\n\r\n3");
}

static void an_unread_body_is_dropped_up_to_a_limit(void **state) {
    fixture *self = *state;
    char body[1001];

    memset(body, 'b', sizeof(body) - 1);
    body[1000] = '\0';
    self->limits.drain_bytes_max = 1000;
    send_text(self, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    check_has(self, "hello");
    send_text(self, body);
    check_open(self);
    send_text(self, GET("/"));
    assert_int_equal(count_of(self, "hello"), 2);
    assert_int_equal(count_of(self, "Connection: close"), 0);
    send_text(self, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
    assert_int_equal(count_of(self, "hello"), 3);
    assert_int_equal(count_of(self, "Connection: close"),
                     1); /* as it is known when the head goes */
    check_ends(self);
    end_with(self);

    send_text(self, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n");
    send_text(self, body);
    check_open(self);
    send_text(self, "\r\n1\r\nx");
    check_ends(self);
}

static void a_dropped_body_that_stalls_leaves_its_answer_alone(void **state) {
    fixture *self = *state;

    self->limits.body_stall_ms = 2000;
    send_text(self, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    check_has(self, "hello");
    torc_test_advance(self->http.reactor, 1999);
    check_open(self);
    torc_test_advance(self->http.reactor, 1);
    assert_int_equal(count_of(self, "HTTP/1.1"), 1);
    check_ends(self);
}

static void a_peer_is_read_no_faster_than_its_body(void **state) {
    fixture *self = *state;
    static char body[200000];

    begin_with(self);
    send_text(self, "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n");
    torc_test_connection_send(self->peer, torc_str_make(body, sizeof(body)));
    torc_test_settle(self->http.reactor);
    assert_false(torc_test_connection_is_receiving(self->peer));
    assert_int_equal(torc_reactor_memory(self->http.reactor)->used[TORC_MEMORY_ARENA] > 16384, 0);
    torc_reply_text(self->http.request, 200, "done");
    torc_test_settle(self->http.reactor);
    check_has(self, "done");
    check_open(self);
}

/* ---- time ---- */

static void a_silent_connection_is_closed_silently(void **state) {
    fixture *self = *state;

    self->limits.keep_alive_ms = 5000;
    begin_with(self);
    torc_test_settle(self->http.reactor);
    torc_test_advance(self->http.reactor, 4999);
    check_open(self);
    torc_test_advance(self->http.reactor, 1);
    assert_int_equal(written(self).len, 0);
    check_ends(self);
    end_with(self);

    send_text(self, GET("/"));
    torc_test_advance(self->http.reactor, 4999);
    check_open(self);
    send_text(self, GET("/"));
    torc_test_advance(self->http.reactor, 4999);
    check_open(self);
    torc_test_advance(self->http.reactor, 1);
    assert_int_equal(count_of(self, "HTTP/1.1"), 2);
    check_ends(self);
}

/* The time without a request is counted from the end of the answer, however long that took; nobody
 * waits for the peer to end, too. */
static void idle_time_begins_when_the_answer_is_done(void **state) {
    fixture *self = *state;

    self->limits.keep_alive_ms = 1000;
    send_text(self, GET("/late"));
    torc_test_advance(self->http.reactor, 50000);
    check_open(self);
    torc_reply_text(self->http.request, 200, "done");
    torc_test_settle(self->http.reactor);
    torc_test_advance(self->http.reactor, 999);
    check_open(self);
    torc_test_advance(self->http.reactor, 1);
    assert_true(torc_test_connection_is_over(self->peer));
    assert_false(torc_test_connection_was_reset(self->peer));
}

/* RFC 9112 §2.2: some send an empty line behind a body; it begins no request. */
static void an_empty_line_alone_begins_no_request(void **state) {
    fixture *self = *state;

    self->limits.keep_alive_ms = 5000;
    self->limits.header_ms = 1000;
    send_text(self, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na\r\n");
    torc_test_advance(self->http.reactor, 4000);
    send_text(self, "GET / HTTP");
    torc_test_advance(self->http.reactor, 999);
    send_text(self, "/1.1\r\nHost: x\r\n\r\n");
    check_has(self, "hello");
    send_text(self, "\r");
    torc_test_advance(self->http.reactor, 4999);
    check_open(self);
    torc_test_advance(self->http.reactor, 1);
    assert_int_equal(count_of(self, "HTTP/1.1"), 2);
    check_ends(self);
    end_with(self);

    send_text(self, "\r\nG");
    torc_test_advance(self->http.reactor, 1000);
    check_has(self, " 408 ");
}

static void a_head_that_is_late_is_answered_408(void **state) {
    fixture *self = *state;

    self->limits.header_ms = 1000;
    send_text(self, "GET / HT");
    torc_test_advance(self->http.reactor, 500);
    send_text(self, "TP/1.1\r\nHo");
    torc_test_advance(self->http.reactor, 499);
    check_open(self);
    torc_test_advance(self->http.reactor, 1);
    check_has(self, "HTTP/1.1 408 Request Timeout\r\n");
    check_ends(self);
}

static void a_body_that_stalls_is_answered_408(void **state) {
    fixture *self = *state;

    self->limits.body_stall_ms = 2000;
    self->limits.body_rate_min = TORC_UNLIMITED;
    send_text(self, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    torc_test_advance(self->http.reactor, 1999);
    send_text(self, "d");
    torc_test_advance(self->http.reactor, 1999);
    check_open(self);
    torc_test_advance(self->http.reactor, 1);
    check_has(self, " 408 ");
    assert_int_equal(self->http.reason, TORC_ERR_STALLED);
    check_ends(self);
}

static void a_route_may_wait_for_less_of_its_body(void **state) {
    fixture *self = *state;

    self->limits.body_stall_ms = 2000;
    self->limits.rate_grace_ms = 1000;
    send_text(self, "POST /impatient HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    torc_test_advance(self->http.reactor, 499);
    check_open(self);
    torc_test_advance(self->http.reactor, 1);
    check_has(self, " 408 ");
    check_ends(self);
    end_with(self);

    send_text(self, "POST /impatient HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n");
    for (int i = 0; i < 10 && written(self).len == 0; i++) {
        send_text(self, "abc");
        torc_test_advance(self->http.reactor, 400);
    }
    check_has(self, " 408 ");
}

/* However steadily it comes; the time before anybody reads does not count. */
static void a_body_that_takes_too_long_in_all_is_answered_408(void **state) {
    fixture *self = *state;

    self->limits.body_ms = 3000;
    self->limits.body_rate_min = TORC_UNLIMITED;
    send_text(self, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na");
    for (int i = 0; i < 2; i++) {
        torc_test_advance(self->http.reactor, 1000);
        send_text(self, "bc");
    }
    torc_test_advance(self->http.reactor, 999);
    check_open(self);
    torc_test_advance(self->http.reactor, 1);
    check_has(self, " 408 ");
    assert_int_equal(self->http.reason, TORC_ERR_STALLED);
    check_ends(self);
    end_with(self);

    send_text(self, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
    torc_test_advance(self->http.reactor, 2999);
    send_text(self, "bc");
    check_has(self, "3");
    torc_test_advance(self->http.reactor, 10000);
    send_text(self, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
    torc_test_advance(self->http.reactor, 2999);
    check_open(self); /* each body has its own */
    torc_test_advance(self->http.reactor, 1);
    check_has(self, " 408 ");
    end_with(self);

    /* While no more of it is wanted nothing is late, but what is wanted then is. */
    send_text(self, "POST /dawdle HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    for (int i = 0; i < 1000; i++)
        send_text(self, "0123456789012345678901234567890123456789012345678901234567890123456789");
    torc_test_advance(self->http.reactor, 3999);
    check_open(self);
    torc_test_advance(self->http.reactor, 1);
    torc_test_advance(self->http.reactor, 1);
    check_has(self, " 408 ");
}

static void a_body_that_is_not_asked_for_may_take_its_time(void **state) {
    fixture *self = *state;

    self->limits.body_stall_ms = 2000;
    self->limits.body_ms = 2000;
    send_text(self, "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    torc_test_advance(self->http.reactor, 100000);
    check_open(self);
    torc_reply_text(self->http.request, 200, "ok");
    torc_test_settle(self->http.reactor);
    check_has(self, "ok");
}

static void a_body_below_the_least_rate_is_answered_408(void **state) {
    fixture *self = *state;
    int seconds = 0;

    self->limits.body_rate_min = 100;
    self->limits.rate_grace_ms = 5000;
    send_text(self, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    for (; seconds < 30 && written(self).len == 0; seconds++) {
        send_text(self, "0123456789012345678901234567890123456789"); /* 40 a second */
        torc_test_advance(self->http.reactor, 1000);
    }
    assert_in_range(seconds, 5, 11);
    check_has(self, " 408 ");
    end_with(self);

    send_text(self, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    for (seconds = 0; seconds < 30; seconds++) {
        for (int i = 0; i < 3; i++) send_text(self, "0123456789012345678901234567890123456789");
        torc_test_advance(self->http.reactor, 1000);
    }
    assert_int_equal(written(self).len, 0);
    check_open(self);
    torc_test_connection_reset(self->peer);
    torc_test_settle(self->http.reactor);
    assert_int_equal(self->http.reason, TORC_ERR_LOST);
}

static void a_peer_that_takes_nothing_is_reset(void **state) {
    fixture *self = *state;

    self->limits.output_stall_ms = 3000;
    self->limits.output_rate_min = TORC_UNLIMITED;
    begin_with(self);
    torc_test_connection_hold_back(self->peer);
    send_text(self, GET("/much"));
    torc_test_advance(self->http.reactor, 2999);
    assert_false(torc_test_connection_is_over(self->peer));
    torc_test_connection_take(self->peer, 10000);
    torc_test_settle(self->http.reactor);
    torc_test_advance(self->http.reactor, 2999);
    assert_false(torc_test_connection_is_over(self->peer));
    torc_test_advance(self->http.reactor, 1);
    assert_true(torc_test_connection_was_reset(self->peer));
    assert_int_equal(self->http.reason, TORC_ERR_STALLED);
}

/* All was taken whenever the timer looked, and then nothing is. */
static void a_peer_that_takes_nothing_any_more_is_reset(void **state) {
    fixture *self = *state;
    static char bytes[512 * 1024];

    self->limits.output_stall_ms = 3000;
    self->limits.output_rate_min = TORC_UNLIMITED;
    begin_with(self);
    send_text(self, GET("/late"));
    torc_test_advance(self->http.reactor, 60 * 1000);
    assert_false(torc_test_connection_is_over(self->peer));
    torc_test_connection_hold_back(self->peer);
    torc_request_write(self->http.request, torc_str_make(bytes, sizeof(bytes)));
    torc_test_settle(self->http.reactor);
    torc_test_advance(self->http.reactor, 2999);
    assert_false(torc_test_connection_is_over(self->peer));
    torc_test_advance(self->http.reactor, 3001); /* it may look a while later */
    assert_true(torc_test_connection_was_reset(self->peer));
    assert_int_equal(self->http.reason, TORC_ERR_STALLED);
}

static void a_short_answer_that_is_not_taken_is_reset_too(void **state) {
    fixture *self = *state;

    self->limits.output_stall_ms = 3000;
    begin_with(self);
    torc_test_connection_hold_back(self->peer);
    send_text(self, GET("/"));
    torc_test_advance(self->http.reactor, 2999);
    assert_false(torc_test_connection_is_over(self->peer));
    torc_test_advance(self->http.reactor, 1);
    assert_true(torc_test_connection_was_reset(self->peer));
}

static void a_peer_that_takes_too_slowly_is_reset(void **state) {
    fixture *self = *state;
    int seconds;

    self->limits.output_rate_min = 1000;
    begin_with(self);
    torc_test_connection_hold_back(self->peer);
    send_text(self, GET("/much"));
    for (seconds = 0; seconds < 30 && !torc_test_connection_is_over(self->peer); seconds++) {
        torc_test_connection_take(self->peer, 500);
        torc_test_advance(self->http.reactor, 1000);
    }
    assert_in_range(seconds, 5, 11);
    assert_true(torc_test_connection_was_reset(self->peer));
    end_with(self);

    begin_with(self);
    torc_test_connection_hold_back(self->peer);
    send_text(self, GET("/much"));
    for (seconds = 0; seconds < 30; seconds++) {
        torc_test_connection_take(self->peer, 2000);
        torc_test_advance(self->http.reactor, 1000);
    }
    assert_false(torc_test_connection_is_over(self->peer));
}

static void a_slow_peer_holds_back_the_application(void **state) {
    fixture *self = *state;

    self->limits.output_high_bytes = 32768;
    begin_with(self);
    torc_test_connection_hold_back(self->peer);
    send_text(self, GET("/much"));
    assert_true(torc_reactor_memory(self->http.reactor)->used[TORC_MEMORY_OUTPUT] < 65536);
    torc_test_connection_take(self->peer, SIZE_MAX);
    torc_test_settle(self->http.reactor);
    check_has(self, "0\r\n\r\n");
    assert_true(written(self).len > 500000);
    check_open(self);
}

static void pipelined_requests_wait_for_a_slow_peer(void **state) {
    fixture *self = *state;

    self->limits.output_high_bytes = 1000;
    begin_with(self);
    torc_test_connection_hold_back(self->peer);
    for (int i = 0; i < 100; i++) torc_test_connection_send(self->peer, TORC_STR(GET("/")));
    torc_test_settle(self->http.reactor);
    assert_true(self->http.received < 20);
    torc_test_connection_take(self->peer, SIZE_MAX);
    torc_test_settle(self->http.reactor);
    assert_int_equal(self->http.received, 100);
    assert_int_equal(count_of(self, "hello"), 100);
}

/* One request at a time: what comes behind it stays where it is, but for a bufferful. */
static void what_is_pipelined_behind_a_late_answer_is_not_read(void **state) {
    fixture *self = *state;
    torc_memory *memory;

    begin_with(self);
    memory = torc_reactor_memory(self->http.reactor);
    send_text(self, GET("/late"));
    const size_t before = memory->used_total;
    for (int i = 0; i < 2000; i++) torc_test_connection_send(self->peer, TORC_STR(GET("/")));
    torc_test_settle(self->http.reactor);
    assert_int_equal(self->http.received, 1);
    assert_false(torc_test_connection_is_receiving(self->peer));
    assert_true(memory->used_total - before <= 16384);
    torc_reply_text(self->http.request, 200, "first");
    torc_test_settle(self->http.reactor);
    assert_int_equal(self->http.received, 2001);
    assert_int_equal(count_of(self, "hello"), 2000);
    assert_true(torc_str_find(written(self), TORC_STR("first")) <
                torc_str_find(written(self), TORC_STR("hello")));
    check_open(self);
}

static void so_many_requests_are_answered_in_a_turn(void **state) {
    fixture *self = *state;
    char text[64 * 40] = "";

    self->limits.requests_per_turn_max = 10;
    for (int i = 0; i < 35; i++) strcat(text, GET("/"));
    begin_with(self);
    torc_test_connection_send(self->peer, torc_str_of(text));
    for (int turns = 0; self->http.received < 35 && turns < 100; turns++) {
        const int before = self->http.received;
        check_ok(torc_reactor_turn(self->http.reactor, 0));
        assert_in_range(self->http.received - before, 0, 10);
        torc_test_spend_us(self->http.reactor, 1000);
    }
    torc_test_settle(self->http.reactor);
    assert_int_equal(count_of(self, "hello"), 35);
    check_open(self);
}

/* ---- ends ---- */

static void the_answers_after_the_peers_end_are_delivered(void **state) {
    fixture *self = *state;

    begin_with(self);
    torc_test_connection_send(self->peer, TORC_STR(GET("/") GET("/wait") GET("/")));
    torc_test_connection_send_end(self->peer);
    torc_test_settle(self->http.reactor);
    assert_false(torc_test_connection_has_ended(self->peer));
    torc_test_advance(self->http.reactor, 1000);
    assert_int_equal(count_of(self, "hello"), 3);
    assert_true(torc_test_connection_is_over(self->peer));
    assert_false(torc_test_connection_was_reset(self->peer));
}

static void after_some_time_the_peers_end_counts_as_loss(void **state) {
    fixture *self = *state;

    self->limits.half_close_ms = 3000;
    begin_with(self);
    send_text(self, GET("/late"));
    torc_test_connection_send_end(self->peer);
    torc_test_settle(self->http.reactor);
    torc_test_advance(self->http.reactor, 2999);
    assert_int_equal(self->http.ended, 0);
    torc_test_advance(self->http.reactor, 1);
    assert_int_equal(self->http.ended, 1);
    assert_int_equal(self->http.reason, TORC_ERR_LOST);
    assert_true(torc_test_connection_is_over(self->peer));
}

static void a_reset_loses_the_request_at_once(void **state) {
    fixture *self = *state;

    send_text(self, GET("/wait"));
    torc_test_connection_reset(self->peer);
    torc_test_settle(self->http.reactor);
    assert_int_equal(self->http.ended, 1);
    assert_int_equal(self->http.reason, TORC_ERR_LOST);
}

static void a_body_that_breaks_off_is_a_bad_request(void **state) {
    fixture *self = *state;

    send_text(self, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    torc_test_connection_send_end(self->peer);
    torc_test_settle(self->http.reactor);
    check_has(self, " 400 ");
    assert_int_equal(self->http.reason, TORC_ERR_LOST);
    assert_true(torc_test_connection_is_over(self->peer));
}

static void a_head_that_breaks_off_is_not_answered(void **state) {
    fixture *self = *state;

    send_text(self, "GET / HTTP/1.1\r\nHo");
    torc_test_connection_send_end(self->peer);
    torc_test_settle(self->http.reactor);
    assert_int_equal(written(self).len, 0);
    assert_true(torc_test_connection_is_over(self->peer));
}

static void so_many_requests_are_answered_on_a_connection(void **state) {
    fixture *self = *state;

    self->limits.requests_per_connection_max = 3;
    send_text(self, GET("/") GET("/"));
    assert_false(has_text(self, "Connection"));
    send_text(self, GET("/") GET("/"));
    assert_int_equal(count_of(self, "hello"), 3);
    assert_int_equal(count_of(self, "Connection: close"), 1);
    check_ends(self);
}

static void lingering_ends_by_itself(void **state) {
    fixture *self = *state;

    self->limits.linger_ms = 2000;
    send_text(self, "BAD\r\n\r\n");
    assert_true(torc_test_connection_has_ended(self->peer));
    torc_test_advance(self->http.reactor, 1000);
    send_text(self, "more that nobody reads");
    assert_int_equal(torc_test_connection_unread(self->peer), 0);
    torc_test_advance(self->http.reactor, 999);
    assert_false(torc_test_connection_is_over(self->peer));
    torc_test_advance(self->http.reactor, 1);
    assert_true(torc_test_connection_is_over(self->peer));
}

static void draining_closes_the_idle_and_lets_the_busy_end(void **state) {
    fixture *self = *state;

    begin_with(self);
    torc_test_connection *idle = torc_test_connection_new(self->http.reactor, self->factory);
    torc_test_connection *other = torc_test_connection_new(self->http.reactor, self->factory);
    torc_test_connection_send(other, TORC_STR("\r\n"));
    send_text(self, GET("/late"));
    torc_http_server_drain(self->factory, 0);
    torc_test_settle(self->http.reactor);
    assert_true(torc_test_connection_is_over(idle));
    assert_true(torc_test_connection_is_over(other));
    check_open(self);
    torc_reply_text(self->http.request, 200, "last");
    torc_test_settle(self->http.reactor);
    check_has(self, "Connection: close\r\n");
    check_has(self, "last");
    check_ends(self);
    torc_test_connection_free(other);
    torc_test_connection_free(idle);
}

/* Who is idle may have a request on its way: it is answered, and told that it is the last. */
static void draining_may_wait_for_the_idle(void **state) {
    fixture *self = *state;

    begin_with(self);
    torc_test_connection *idle = torc_test_connection_new(self->http.reactor, self->factory);
    torc_test_advance(self->http.reactor, 900);
    torc_http_server_drain(self->factory, 1000);
    torc_test_advance(self->http.reactor, 999);
    assert_false(torc_test_connection_is_over(idle));
    check_open(self);
    send_text(self, GET("/late"));
    torc_reply_text(self->http.request, 200, "last");
    torc_test_settle(self->http.reactor);
    check_has(self, "Connection: close\r\n");
    check_ends(self);
    torc_test_advance(self->http.reactor, 1);
    torc_test_settle(self->http.reactor);
    assert_true(torc_test_connection_is_over(idle));
    torc_test_connection_free(idle);
}

/* A response whose head said that the connection stays: it does, and is idle then. */
static void draining_keeps_what_was_promised(void **state) {
    fixture *self = *state;

    begin_with(self);
    send_text(self, GET("/late"));
    torc_request_write(self->http.request, TORC_STR("first"));
    torc_test_settle(self->http.reactor);
    torc_http_server_drain(self->factory, 1000);
    check_ok(torc_request_finish(self->http.request));
    torc_test_settle(self->http.reactor);
    check_open(self);
    torc_test_advance(self->http.reactor, 500);
    torc_http_server_drain(self->factory, 0);
    torc_test_settle(self->http.reactor);
    assert_true(torc_test_connection_is_over(self->peer));
}

/* ---- upgrades ---- */

#define UPGRADE "GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: Echo\r\n\r\n"

static void another_protocol_takes_over_with_what_has_come(void **state) {
    fixture *self = *state;

    send_text(self, UPGRADE "early");
    check_has(self, "HTTP/1.1 101 Switching Protocols\r\n");
    check_has(self, "Connection: Upgrade\r\n");
    check_has(self, "Upgrade: echo\r\n");
    check_has(self, "X-Around: 101\r\n");
    check_has(self, "\r\n\r\nhi:early");
    send_text(self, ",later");
    check_has(self, "hi:early,later");
    assert_int_equal(self->http.ended, 1);
    assert_int_equal(self->http.reason, TORC_OK);
    torc_test_connection_send_end(self->peer);
    torc_test_settle(self->http.reactor);
    assert_true(the_echo.is_lost);
}

static void nobody_goes_over_without_an_offer(void **state) {
    fixture *self = *state;

    send_text(self, GET("/upgrade"));
    check_has(self, " 426 ");
    check_open(self);
    send_text(self,
              "GET /upgrade HTTP/1.0\r\nConnection: Upgrade, keep-alive\r\nUpgrade: Echo\r\n\r\n");
    assert_int_equal(count_of(self, " 426 "), 2);
}

static void a_factory_that_fails_resets(void **state) {
    fixture *self = *state;

    echo_err = TORC_ERR_LIMIT;
    send_text(self, UPGRADE);
    assert_true(torc_test_connection_was_reset(self->peer));
}

/* ---- memory ---- */

static int set_up_small(void **state) {
    return make_fixture(
        state, &(torc_reactor_options){.size = sizeof(torc_reactor_options), .memory_max = 8000000},
        false);
}

/* Fill the memory to a percentage of its limit. */
static void fill(fixture *self, size_t percent, size_t *charged) {
    torc_memory *memory = torc_reactor_memory(self->http.reactor);

    torc_reactor_trim(self->http.reactor);
    torc_memory_discharge(memory, TORC_MEMORY_CACHE, *charged);
    *charged = 0;
    const size_t target = memory->limit / 100 * percent;
    if (percent == 0 || memory->used_total >= target) return;
    *charged = target - memory->used_total;
    check_ok(torc_memory_charge(memory, TORC_MEMORY_CACHE, *charged));
}

static void what_is_shed_goes_in_its_order(void **state) {
    fixture *self = *state;
    size_t charged = 0;

    begin_with(self);
    send_text(self, GET("/"));
    check_open(self);
    torc_test_connection *other = torc_test_connection_new(self->http.reactor, self->factory);
    torc_test_connection *third = torc_test_connection_new(self->http.reactor, self->factory);
    torc_test_settle(self->http.reactor);

    fill(self, 76, &charged);
    send_text(self, GET("/"));
    assert_int_equal(count_of(self, "hello"), 2);
    check_has(self, "Connection: close\r\n");
    check_ends(self);

    fill(self, 86, &charged);
    torc_test_connection *refused = torc_test_connection_new(self->http.reactor, self->factory);
    torc_test_settle(self->http.reactor);
    assert_true(torc_test_connection_is_over(refused));

    fill(self, 91, &charged);
    torc_test_connection_send(other, TORC_STR(GET("/")));
    torc_test_settle(self->http.reactor);
    assert_int_equal(torc_str_find(torc_test_connection_written(other), TORC_STR("HTTP/1.1 503 ")),
                     0);
    assert_true(torc_str_find(torc_test_connection_written(other), TORC_STR("Retry-After: 1\r\n")) >
                0);
    assert_false(torc_test_connection_is_over(third));

    fill(self, 96, &charged);
    torc_test_connection *fourth = torc_test_connection_new(self->http.reactor, self->factory);
    torc_test_settle(self->http.reactor);
    assert_true(torc_test_connection_is_over(third));

    fill(self, 0, &charged);
    torc_test_connection_free(refused);
    torc_test_connection_free(other);
    torc_test_connection_free(third);
    torc_test_connection_free(fourth);
}

static size_t count_over(torc_test_connection *const *connections, size_t count) {
    size_t over = 0;
    for (size_t i = 0; i < count; i++) over += torc_test_connection_is_over(connections[i]);
    return over;
}

static void looking_for_connections_to_shed_is_rationed(void **state) {
    fixture *self = *state;
    torc_test_connection *idle[40], *late[3];
    static const size_t over_after[] = {16, 16, 32};
    size_t charged = 0;

    begin_with(self);
    for (size_t i = 0; i < TORC_COUNT_OF(idle); i++)
        idle[i] = torc_test_connection_new(self->http.reactor, self->factory);
    torc_test_settle(self->http.reactor);
    fill(self, 96, &charged);
    for (size_t i = 0; i < TORC_COUNT_OF(late); i++) {
        if (i == 2) torc_test_advance(self->http.reactor, 1);
        late[i] = torc_test_connection_new(self->http.reactor, self->factory);
        torc_test_settle(self->http.reactor);
        assert_true(torc_test_connection_is_over(late[i]));
        assert_int_equal(count_over(idle, TORC_COUNT_OF(idle)) +
                             (size_t)torc_test_connection_is_over(self->peer),
                         over_after[i]);
        fill(self, 96, &charged);
    }
    fill(self, 0, &charged);
    for (size_t i = 0; i < TORC_COUNT_OF(idle); i++) torc_test_connection_free(idle[i]);
    for (size_t i = 0; i < TORC_COUNT_OF(late); i++) torc_test_connection_free(late[i]);
}

/* What pools keep after a burst must not make the server refuse for ever. */
static void what_is_kept_for_later_is_given_back_before_anything_is_shed(void **state) {
    fixture *self = *state;
    torc_page *pages[100];
    size_t charged = 0;

    begin_with(self);
    send_text(self, GET("/"));
    fill(self, 83, &charged);
    for (size_t i = 0; i < TORC_COUNT_OF(pages); i++) {
        pages[i] = torc_page_take(&self->http.reactor->pages, TORC_MEMORY_OUTPUT);
        assert_non_null(pages[i]);
    }
    for (size_t i = 0; i < TORC_COUNT_OF(pages); i++) torc_page_unref(pages[i]);
    assert_true(torc_reactor_memory(self->http.reactor)->used_total >
                torc_reactor_memory(self->http.reactor)->limit / 100 * 86);

    torc_test_connection *other = torc_test_connection_new(self->http.reactor, self->factory);
    torc_test_connection_send(other, TORC_STR(GET("/")));
    torc_test_settle(self->http.reactor);
    assert_int_equal(torc_str_find(torc_test_connection_written(other), TORC_STR("HTTP/1.1 200 ")),
                     0);
    fill(self, 0, &charged);
    torc_test_connection_free(other);
}

/* With the n-th allocation failing: an answer, an error or a reset, and nothing is kept. */
static void every_allocation_may_fail(void **state) {
    (void)state;
    static const char *const texts[] = {
        GET("/") GET("/pieces") GET("/much"),
        "POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n0\r\nX-A: b\r\n\r\n" GET("/404"),
        UPGRADE "early",
        "GET /\x7f HTTP/1.1\r\n\r\n",
    };

    for (size_t i = 0; i < TORC_COUNT_OF(texts); i++)
        for (uint64_t n = 1; n < 1000; n++) {
            void *own;
            assert_int_equal(set_up(&own), 0);
            fixture *self = own;
            self->http.reactor->pages.free_max = 0; /* so that pools hide nothing */
            begin_with(self);
            torc_test_connection_set_pieces(self->peer, 50);
            torc_test_fail_allocation(self->http.reactor, n);
            send_text(self, texts[i]);
            const bool failed = torc_test_allocation_failed(self->http.reactor);
            torc_test_fail_allocation(self->http.reactor, 0);
            if (!failed) assert_true(written(self).len > 0);
            end_with(self);
            if (tear_down(&own)) {
                print_error("case %zu, allocation %llu\n", i, (unsigned long long)n);
                fail();
            }
            if (!failed) break;
            assert_true(n < 999);
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered_and_the_connection_kept),
        TEST(the_same_is_answered_however_it_is_split),
        TEST(pipelined_requests_are_answered_in_order_in_one_send),
        TEST(what_is_finished_leaves_although_a_later_one_waits),
        TEST(a_request_of_1_0_is_answered_and_the_connection_closed),
        TEST(keep_alive_of_1_0_is_honoured),
        TEST(connection_close_is_honoured),
        TEST(an_application_may_close),
        TEST(a_body_of_unknown_length_goes_in_chunks),
        TEST(a_head_may_be_longer_than_a_page),
        TEST(without_host_the_address_was_asked),
        TEST(trailers_go_to_who_takes_them),
        TEST(a_body_of_unknown_length_ends_a_connection_of_1_0),
        TEST(the_answer_to_head_has_no_body),
        TEST(bodiless_statuses_have_no_framing),
        TEST(interim_responses_go_first_but_not_to_1_0),
        TEST(a_response_that_breaks_off_is_reset),
        TEST(bad_requests_are_answered_and_the_connection_closed),
        TEST(a_length_of_thousands_of_digits_is_refused),
        TEST(what_follows_a_bad_request_is_not_answered),
        TEST(a_long_line_or_section_is_refused_at_the_edge),
        TEST(sections_are_limited_at_the_edge),
        TEST(field_lines_are_limited_at_the_edge),
        TEST(trailers_are_limited_at_the_edge),
        TEST(bodies_are_limited_at_the_edge),
        TEST(the_memory_of_a_request_is_limited),
        TEST(leniencies_have_names),
        cmocka_unit_test_setup_teardown(a_request_beyond_the_fibers_is_answered_503,
                                        set_up_two_fibers, tear_down),
        TEST(a_body_is_read),
        TEST(trailers_are_read),
        TEST(continue_is_sent_when_the_body_is_read),
        TEST(continue_is_not_sent_by_who_refuses_first),
        TEST(continue_is_not_sent_to_1_0_nor_without_need),
        TEST(an_unread_body_is_dropped_up_to_a_limit),
        TEST(a_dropped_body_that_stalls_leaves_its_answer_alone),
        TEST(a_peer_is_read_no_faster_than_its_body),
        TEST(a_silent_connection_is_closed_silently),
        TEST(idle_time_begins_when_the_answer_is_done),
        TEST(an_empty_line_alone_begins_no_request),
        TEST(a_head_that_is_late_is_answered_408),
        TEST(a_body_that_stalls_is_answered_408),
        TEST(a_route_may_wait_for_less_of_its_body),
        TEST(a_body_that_takes_too_long_in_all_is_answered_408),
        TEST(a_body_that_is_not_asked_for_may_take_its_time),
        TEST(a_body_below_the_least_rate_is_answered_408),
        TEST(a_peer_that_takes_nothing_is_reset),
        TEST(a_peer_that_takes_nothing_any_more_is_reset),
        TEST(a_short_answer_that_is_not_taken_is_reset_too),
        TEST(a_peer_that_takes_too_slowly_is_reset),
        TEST(a_slow_peer_holds_back_the_application),
        TEST(pipelined_requests_wait_for_a_slow_peer),
        TEST(what_is_pipelined_behind_a_late_answer_is_not_read),
        TEST(so_many_requests_are_answered_in_a_turn),
        TEST(the_answers_after_the_peers_end_are_delivered),
        TEST(after_some_time_the_peers_end_counts_as_loss),
        TEST(a_reset_loses_the_request_at_once),
        TEST(a_body_that_breaks_off_is_a_bad_request),
        TEST(a_head_that_breaks_off_is_not_answered),
        TEST(so_many_requests_are_answered_on_a_connection),
        TEST(lingering_ends_by_itself),
        TEST(draining_closes_the_idle_and_lets_the_busy_end),
        TEST(draining_may_wait_for_the_idle),
        TEST(draining_keeps_what_was_promised),
        TEST(another_protocol_takes_over_with_what_has_come),
        TEST(nobody_goes_over_without_an_offer),
        TEST(a_factory_that_fails_resets),
        cmocka_unit_test_setup_teardown(what_is_shed_goes_in_its_order, set_up_small, tear_down),
        cmocka_unit_test_setup_teardown(looking_for_connections_to_shed_is_rationed, set_up_small,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_kept_for_later_is_given_back_before_anything_is_shed, set_up_small, tear_down),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
