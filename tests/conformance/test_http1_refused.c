/* SPDX-License-Identifier: MIT */
/*
 * What a server refuses of HTTP/1, with which status, and that the connection ends with it: each
 * case by a whole server, whose one route reads the body first. It makes no difference how the
 * bytes come.
 */
#include <stdio.h>
#include <stdlib.h>
#include <torc/body.h>
#include <torc/reply.h>
#include <torc/site.h>
#include <torc/testing.h>
#include <torc/testing_transport.h>

#include "bad_requests.h"
#include "check.h"
#include "protocol/negotiate.h"

static torc_reactor *reactor;
static torc_site *site;
static torc_factory *factory; /* of the connection that there is */

static torc_render read_and_greet(torc_request *request) {
    torc_str body;
    const torc_err err = torc_body_read_all(request, 1 << 16, &body);

    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "hello");
}

static int set_up(void **state) {
    (void)state;
    if (torc_test_reactor_new(NULL, &reactor)) return -1;
    site = torc_site_new(torc_render_new(read_and_greet, 0, true), NULL);
    return site ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    torc_site_free(site);
    torc_reactor_free(reactor);
    return 0;
}

static torc_test_connection *connect_with(const torc_http_server_options *options) {
    check_ok(torc_http_server_new(reactor, torc_site_acceptor(site), options, &factory));
    torc_test_connection *peer = torc_test_connection_new(reactor, factory);
    assert_non_null(peer);
    return peer;
}

static void disconnect(torc_test_connection *peer) {
    torc_test_connection_free(peer);
    torc_http_server_free(factory);
}

static torc_str header(torc_str head, const char *name) {
    const ptrdiff_t at = torc_str_find(head, torc_str_of(name));
    const torc_str rest =
        at < 0 ? torc_str_make(NULL, 0) : torc_str_from(head, (size_t)at + strlen(name));
    const ptrdiff_t end = torc_str_find(rest, TORC_STR("\r\n"));
    return at < 0 ? rest : torc_str_head(rest, (size_t)end);
}

/* One whole response, which says that it is the last. */
static void check_refusal(const char *name, torc_str written, int status) {
    const ptrdiff_t head_len = torc_str_find(written, TORC_STR("\r\n\r\n"));
    const torc_str head = torc_str_head(written, (size_t)(head_len < 0 ? 0 : head_len + 2));
    char begins[32];
    uint64_t body_len = 0;

    const int len = snprintf(begins, sizeof(begins), "HTTP/1.1 %d ", status);
    if (!torc_str_starts_with(written, torc_str_make(begins, (size_t)len)))
        fail_msg("%s: not answered with %d but \"%.*s\"", name, status,
                 (int)(written.len < 60 ? written.len : 60), written.bytes ? written.bytes : "");
    check_str(header(head, "Connection: "), "close");
    check_ok(torc_str_parse_uint(header(head, "Content-Length: "), 10000, &body_len));
    if (written.len != head.len + 2 + body_len)
        fail_msg("%s: more, or less, than one response", name);
}

static void send_in(torc_test_connection *peer, torc_str bytes, size_t piece) {
    torc_test_connection_set_pieces(peer, piece);
    torc_test_connection_send(peer, bytes);
    torc_test_settle(reactor);
}

static void check_refused(const char *name, torc_str bytes, int status,
                          const torc_http_server_options *options) {
    static const size_t pieces[] = {0, 1, 3, 50};

    for (size_t i = 0; i < TORC_COUNT_OF(pieces); i++) {
        torc_test_connection *peer = connect_with(options);
        send_in(peer, bytes, pieces[i]);
        check_refusal(name, torc_test_connection_written(peer), status);
        if (!torc_test_connection_has_ended(peer)) fail_msg("%s: the connection goes on", name);
        torc_test_connection_clear(peer);
        send_in(peer, TORC_STR(GET H "\r\n"), 0); /* what comes after it is nothing */
        assert_int_equal(torc_test_connection_written(peer).len, 0);
        disconnect(peer);
    }
}

static void bad_heads_are_refused(void **state) {
    const torc_http_server_options options = {0};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(bad_heads); i++)
        check_refused(bad_heads[i].name, bad_heads[i].bytes, bad_heads[i].status, &options);
}

static void bad_bodies_are_refused(void **state) {
    const torc_http_server_options options = {0};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(bad_bodies); i++)
        check_refused(bad_bodies[i].name, bad_bodies[i].bytes, bad_bodies[i].status, &options);
}

/* A leniency is of one thing: but for what it allows, all is refused as before. */
static void leniencies_leave_the_rest_refused(void **state) {
    const torc_http_server_options options = {.allow_bare_lf = true, .allow_folded_fields = true};
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(bad_heads); i++) {
        if (strstr(bad_heads[i].name, "bare LF") || strstr(bad_heads[i].name, "obs-fold")) continue;
        check_refused(bad_heads[i].name, bad_heads[i].bytes, bad_heads[i].status, &options);
        count++;
    }
    assert_true(count > 100);
}

static void what_is_allowed_by_name_is_served(void **state) {
    static const torc_str lenient[] = {
        TORC_STR_INIT("GET / HTTP/1.1\nHost: a\n\n"),
        TORC_STR_INIT("\nGET / HTTP/1.1\r\nHost: a\n\r\n"),
        TORC_STR_INIT(GET "Host: a\r\nA: b\r\n c\r\n\r\n"),
        TORC_STR_INIT(GET "Host:\r\n a\r\n\r\n"),
    };
    const torc_http_server_options options = {.allow_bare_lf = true, .allow_folded_fields = true};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(lenient); i++) {
        torc_test_connection *peer = connect_with(&options);
        send_in(peer, lenient[i], 0);
        assert_true(torc_str_starts_with(torc_test_connection_written(peer),
                                         TORC_STR("HTTP/1.1 200 OK\r\n")));
        assert_false(torc_test_connection_has_ended(peer));
        disconnect(peer);
    }
}

/* ---- what is too much: `count` times `unit` between a beginning and an end ---- */

static const struct {
    const char *name, *begin, *unit;
    size_t count;
    const char *end;
    int status;
} large[] = {
    {"target that is too long", "GET /", "a", 16500, " HTTP/1.1\r\n" H "\r\n", 414},
    {"query that is too long", "GET /?", "a=b&", 5000, " HTTP/1.1\r\n" H "\r\n", 414},
    {"method that is too long", "", "A", 16500, " / HTTP/1.1\r\n" H "\r\n", 414},
    {"value that is too long", GET H "A: ", "a", 16500, "\r\n\r\n", 431},
    {"name that is too long", GET H, "A", 16500, ": b\r\n\r\n", 431},
    {"white space that is too long", GET H "A:", " ", 16500, "b\r\n\r\n", 431},
    {"section that is too large", GET H, "A: 0123456789\r\n", 2000, "\r\n", 431},
    {"too many fields", GET H, "A:\r\n", 600, "\r\n", 431},
    {"chunk extension that is too long", CHUNKED "5;a=", "b", 1100, "\r\nhello\r\n0\r\n\r\n", 400},
    {"chunk size that is too long", CHUNKED, "0", 1100, "5\r\nhello\r\n0\r\n\r\n", 400},
    {"white space of an extension that is too long", CHUNKED "5", " ", 1100,
     ";a\r\nhello\r\n0\r\n\r\n", 400},
    {"trailers that are too large", CHUNKED "0\r\n", "A: 0123456789\r\n", 6000, "\r\n", 431},
    {"too many trailers", CHUNKED "0\r\n", "A:\r\n", 600, "\r\n", 431},
};

static void what_is_too_much_is_refused(void **state) {
    const torc_http_server_options options = {0};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(large); i++) {
        const size_t unit = strlen(large[i].unit);
        char *const text =
            malloc(strlen(large[i].begin) + large[i].count * unit + strlen(large[i].end) + 1);
        char *at = text + sprintf(text, "%s", large[i].begin);
        for (size_t n = 0; n < large[i].count; n++, at += unit) memcpy(at, large[i].unit, unit);
        at += sprintf(at, "%s", large[i].end);
        for (size_t piece = 0; piece < 2; piece++) {
            torc_test_connection *peer = connect_with(&options);
            send_in(peer, torc_str_make(text, (size_t)(at - text)), piece * 1000);
            check_refusal(large[i].name, torc_test_connection_written(peer), large[i].status);
            assert_true(torc_test_connection_has_ended(peer));
            disconnect(peer);
        }
        free(text);
    }
}

/* Requests before the bad one are answered as ever. */
static void the_answers_before_it_stand(void **state) {
    const torc_http_server_options options = {0};
    torc_test_connection *peer = connect_with(&options);

    (void)state;
    send_in(peer, TORC_STR(GET H "\r\n" GET H "\r\n" GET "\r\n" GET H "\r\n"), 0);
    const torc_str written = torc_test_connection_written(peer);
    const ptrdiff_t refusal = torc_str_find(written, TORC_STR("HTTP/1.1 400 "));
    assert_true(refusal > 0);
    const torc_str before = torc_str_head(written, (size_t)refusal);
    const ptrdiff_t second =
        torc_str_find(torc_str_from(before, 1), TORC_STR("HTTP/1.1 200 OK\r\n"));
    assert_true(torc_str_starts_with(before, TORC_STR("HTTP/1.1 200 OK\r\n")));
    assert_true(second > 0);
    assert_true(torc_str_ends_with(before, TORC_STR("hello")));
    assert_true(torc_str_find(torc_str_from(before, (size_t)second + 2), TORC_STR("HTTP/1.1 ")) <
                0);
    check_refusal("the third", torc_str_from(written, (size_t)refusal), 400);
    assert_true(torc_test_connection_has_ended(peer));
    disconnect(peer);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(bad_heads_are_refused),
        TEST(bad_bodies_are_refused),
        TEST(leniencies_leave_the_rest_refused),
        TEST(what_is_allowed_by_name_is_served),
        TEST(what_is_too_much_is_refused),
        TEST(the_answers_before_it_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
