/* SPDX-License-Identifier: MIT */
#include "bad_requests.h"
#include "faults.h"
#include <stdio.h>

#include "http1_world.h"

#define POST "POST / HTTP/1.1\r\n" H

static void connections_are_kept_by_version_and_field(void **state) {
    static const struct {
        torc_str bytes;
        bool keeps;
    } cases[] = {
        {TORC_STR_INIT(GET H "\r\n"), true},
        {TORC_STR_INIT(GET H "Connection: close\r\n\r\n"), false},
        {TORC_STR_INIT(GET H "Connection: a, CLOSE , b\r\n\r\n"), false},
        {TORC_STR_INIT(GET H "Connection: a\r\nConnection: close\r\n\r\n"), false},
        {TORC_STR_INIT(GET H "Connection: closed\r\n\r\n"), true},
        {TORC_STR_INIT("GET / HTTP/1.0\r\n\r\n"), false},
        {TORC_STR_INIT("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), true},
        {TORC_STR_INIT("GET / HTTP/1.9\r\nHost: a\r\n\r\n"), true},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const parsed got = parse(cases[i].bytes);
        assert_int_equal(got.outcome, TORC_HTTP1_DONE);
        assert_int_equal(got.framing.keeps_alive, cases[i].keeps);
    }
}

static void responses_say_how_their_body_ends(void **state) {
    static const struct {
        torc_str bytes;
        torc_method method;
        int64_t body_len;
        bool until_close, keeps_alive;
    } cases[] = {
        {TORC_STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), TORC_METHOD_GET, 5, false,
         true},
        {TORC_STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), TORC_METHOD_HEAD, 0, false,
         true},
        {TORC_STR_INIT("HTTP/1.1 200 OK\r\n\r\n"), TORC_METHOD_GET, -1, true, false},
        {TORC_STR_INIT("HTTP/1.1 204\r\n\r\n"), TORC_METHOD_GET, 0, false, true},
        {TORC_STR_INIT("HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n"), TORC_METHOD_GET, 0, false,
         true},
        {TORC_STR_INIT("HTTP/1.1 100 Continue\r\n\r\n"), TORC_METHOD_POST, 0, false, true},
        {TORC_STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), TORC_METHOD_GET,
         -1, false, true},
        {TORC_STR_INIT("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), TORC_METHOD_GET, 0, false,
         false},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const given input = {cases[i].bytes, 0, true, cases[i].method, false};
        const parsed got = parse_input(&input);
        assert_int_equal(got.outcome, TORC_HTTP1_DONE);
        assert_int_equal(got.framing.body_len, cases[i].body_len);
        assert_int_equal(got.framing.until_close, cases[i].until_close);
        assert_int_equal(got.framing.keeps_alive, cases[i].keeps_alive);
    }
}

static parsed answer(const char *text, torc_method method) {
    const given input = {torc_str_of(text), 0, true, method, false};
    return parse_input(&input);
}

/* RFC 9110 §9.3.6: what follows is a tunnel, whatever the fields say. */
static void a_tunnel_has_no_framing(void **state) {
    static const char both[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";

    (void)state;
    const parsed tunnel = answer(both, TORC_METHOD_CONNECT);
    assert_int_equal(tunnel.outcome, TORC_HTTP1_DONE);
    assert_int_equal(tunnel.head.body_len, 0);
    assert_false(tunnel.framing.is_chunked);
    assert_false(tunnel.framing.until_close);
    assert_int_equal(answer(both, TORC_METHOD_GET).outcome, TORC_HTTP1_BAD);
    const parsed refused =
        answer("HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\n", TORC_METHOD_CONNECT);
    assert_int_equal(refused.head.body_len, 5);
}

static void responses_have_status_and_reason(void **state) {
    (void)state;
    parsed got =
        answer("HTTP/1.1 299 So  \303\244\t so \r\nContent-Length: 0\r\n\r\n", TORC_METHOD_GET);
    assert_int_equal(got.head.status, 299);
    check_str(got.head.reason, "So  \303\244\t so ");
    assert_int_equal(got.head.version, 11);
    got = answer("HTTP/1.0 999\r\n\r\n", TORC_METHOD_GET);
    assert_int_equal(got.head.status, 999);
    assert_int_equal(got.head.reason.len, 0);
    assert_int_equal(got.head.version, 10);
}

/* ---- lengths ---- */

static void requests_say_how_their_body_ends(void **state) {
    static const struct {
        torc_str bytes;
        int64_t body_len;
        bool is_chunked;
    } cases[] = {
        {TORC_STR_INIT(GET H "\r\n"), 0, false},
        {TORC_STR_INIT(POST "\r\n"), 0, false},
        {TORC_STR_INIT(POST "Content-Length: 0\r\n\r\n"), 0, false},
        {TORC_STR_INIT(POST "Content-Length: 007\r\n\r\n"), 7, false},
        {TORC_STR_INIT(POST "Content-Length: 9223372036854775807\r\n\r\n"), INT64_MAX, false},
        {TORC_STR_INIT(POST "Transfer-Encoding: chunked\r\n\r\n"), -1, true},
        {TORC_STR_INIT(POST "transfer-encoding: Chunked\r\n\r\n"), -1, true},
        {TORC_STR_INIT("GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\n"), 3, false},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const parsed got = parse(cases[i].bytes);
        assert_int_equal(got.outcome, TORC_HTTP1_DONE);
        assert_int_equal(got.framing.body_len, cases[i].body_len);
        assert_int_equal(got.head.body_len, cases[i].body_len);
        assert_int_equal(got.framing.is_chunked, cases[i].is_chunked);
        assert_false(got.framing.until_close);
    }
}

/* ---- Host ---- */

static void the_authority_of_a_target_replaces_host(void **state) {
    (void)state;
    parsed got = REQUEST("GET http://b:81/c HTTP/1.1\r\nA: x\r\nhost: a\r\nB: y\r\n\r\n");
    assert_int_equal(got.outcome, TORC_HTTP1_DONE);
    assert_int_equal(got.head.fields.count, 3);
    check_str(torc_fields_value_id(&got.head.fields, TORC_FIELD_HOST), "b:81");
    check_str(got.head.fields.items[1].value, "b:81");
    got = REQUEST("GET http://b/c HTTP/1.0\r\nA: x\r\n\r\n");
    assert_int_equal(got.head.fields.count, 2);
    check_str(torc_fields_value_id(&got.head.fields, TORC_FIELD_HOST), "b");
    got = REQUEST("GET http://b/c HTTP/1.1\r\nHost:\r\n\r\n");
    check_str(torc_fields_value_id(&got.head.fields, TORC_FIELD_HOST), "b");
    got = REQUEST("CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n");
    check_str(torc_fields_value_id(&got.head.fields, TORC_FIELD_HOST), "a");
}

/* ---- what else the connection needs to know ---- */

static void only_a_body_is_expected_to_continue(void **state) {
    (void)state;
    assert_true(
        REQUEST(POST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n").framing.expects_continue);
    assert_true(REQUEST(POST "Expect: ,100-CONTINUE\r\nTransfer-Encoding: chunked\r\n\r\n")
                    .framing.expects_continue);
    assert_false(
        REQUEST(POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n").framing.expects_continue);
    assert_false(REQUEST(GET H "Expect: 100-continue\r\n\r\n").framing.expects_continue);
    assert_false(REQUEST("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
                     .framing.expects_continue);
    assert_false(REQUEST(POST "Content-Length: 1\r\n\r\n").framing.expects_continue);
}

static void an_upgrade_needs_both_fields(void **state) {
    (void)state;
    assert_true(REQUEST(GET H "Connection: keep-alive, UPGRADE\r\nUpgrade: websocket\r\n\r\n")
                    .framing.has_upgrade);
    assert_false(
        REQUEST(GET H "Connection: keep-alive\r\nUpgrade: websocket\r\n\r\n").framing.has_upgrade);
    assert_false(REQUEST(GET H "Connection: upgrade\r\n\r\n").framing.has_upgrade);
    assert_false(REQUEST(GET H "Upgrade: websocket\r\n\r\n").framing.has_upgrade);
    assert_false(
        REQUEST("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n").framing.has_upgrade);
}

static void trailers_are_taken_by_who_says_so(void **state) {
    (void)state;
    assert_true(REQUEST(GET H "TE: trailers\r\nConnection: TE\r\n\r\n").framing.takes_trailers);
    assert_true(REQUEST(GET H "TE: gzip;q=0.5\r\nTE: Trailers\r\n\r\n").framing.takes_trailers);
    assert_false(REQUEST(GET H "TE: gzip\r\n\r\n").framing.takes_trailers);
    assert_false(REQUEST("GET / HTTP/1.0\r\nTE: trailers\r\n\r\n").framing.takes_trailers);
}

static void folded_values_are_joined_by_one_space(void **state) {
    static const struct {
        torc_str bytes;
        const char *value;
    } cases[] = {
        {TORC_STR_INIT(GET H "A: b\r\n c\r\n\r\n"), "b c"},
        {TORC_STR_INIT(GET H "A: b \t\r\n\t  c  \r\n\r\n"), "b c"},
        {TORC_STR_INIT(GET H "A:\r\n b\r\n\r\n"), "b"},
        {TORC_STR_INIT(GET H "A:\r\n \r\n\tb\r\n \r\n\r\n"), "b"},
        {TORC_STR_INIT(GET H "A: \r\n \r\n\r\n"), ""},
        {TORC_STR_INIT(GET H "A: b\r\n \r\n c d\r\n e\r\n\r\n"), "b c d e"},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const given input = {cases[i].bytes, TORC_HTTP1_ALLOW_FOLD, false, 0, false};
        const parsed got = parse_input(&input);
        assert_int_equal(got.outcome, TORC_HTTP1_DONE);
        assert_true(torc_str_equals(got.head.fields.items[1].value, torc_str_of(cases[i].value)));
    }
}

/* ---- memory ---- */

static torc_err take(torc_memory *memory, void *context) {
    static char bytes[] = "GET http://b/ HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n";
    torc_page_pool pages;
    torc_arena arena;
    torc_http1_parser parser;
    torc_http1_framing framing;
    torc_head head;

    (void)context;
    torc_page_pool_init(&pages, memory, 0);
    torc_arena_init(&arena, &pages, 1 << 20);
    torc_http1_parser_init(&parser, &arena, &the->limits, false, 0);
    assert_int_equal(torc_http1_parse(&parser, torc_str_of(bytes)), TORC_HTTP1_DONE);
    const torc_http1_outcome outcome = torc_http1_take_request(&parser, bytes, &head, &framing);
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    if (outcome == TORC_HTTP1_DONE) return TORC_OK;
    assert_int_equal(parser.status, 503);
    return TORC_ERR_NO_MEMORY;
}

/* One request after another of a server that remembers the last Host. */
static int status_with(torc_http1_known_host *known, const char *host) {
    char bytes[400];
    torc_page_pool pages;
    torc_arena arena;
    torc_http1_parser parser;
    torc_http1_framing framing;
    torc_head head;
    torc_memory memory;

    snprintf(bytes, sizeof(bytes), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pages, &memory, 0);
    torc_arena_init(&arena, &pages, 1 << 20);
    torc_http1_parser_init(&parser, &arena, &the->limits, false, 0);
    parser.known_host = known;
    assert_int_equal(torc_http1_parse(&parser, torc_str_of(bytes)), TORC_HTTP1_DONE);
    const torc_http1_outcome outcome = torc_http1_take_request(&parser, bytes, &head, &framing);
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    return outcome == TORC_HTTP1_DONE ? 200 : parser.status;
}

static void a_host_that_is_known_is_compared(void **state) {
    torc_http1_known_host known = {0};
    char long_host[80] = "", longer_host[80];

    (void)state;
    memset(long_host, 'a', 63);
    memset(longer_host, 'a', 64);
    longer_host[64] = '\0';
    assert_int_equal(status_with(&known, ""), 400);
    assert_int_equal(status_with(&known, "a b"), 400);
    assert_int_equal(known.len, 0);
    assert_int_equal(status_with(&known, "a.example"), 200);
    assert_int_equal(status_with(&known, "a.example"), 200);
    assert_int_equal(status_with(&known, "a.exampl@"), 400);
    assert_int_equal(status_with(&known, "a.example:x"), 400);
    assert_int_equal(status_with(&known, "a.exampl"), 200);
    assert_int_equal(status_with(&known, long_host), 200);
    assert_int_equal(known.len, 63);
    assert_int_equal(status_with(&known, longer_host), 200);
    assert_int_equal(known.len, 63);
    assert_int_equal(status_with(&known, ""), 400);
}

static void out_of_memory_is_a_503(void **state) {
    (void)state;
    faults_each(take, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(connections_are_kept_by_version_and_field),
        TEST(responses_say_how_their_body_ends),
        TEST(a_tunnel_has_no_framing),
        TEST(responses_have_status_and_reason),
        TEST(requests_say_how_their_body_ends),
        TEST(the_authority_of_a_target_replaces_host),
        TEST(a_host_that_is_known_is_compared),
        TEST(only_a_body_is_expected_to_continue),
        TEST(an_upgrade_needs_both_fields),
        TEST(trailers_are_taken_by_who_says_so),
        TEST(folded_values_are_joined_by_one_space),
        TEST(out_of_memory_is_a_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
