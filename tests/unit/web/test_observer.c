/* SPDX-License-Identifier: MIT */
/*
 * Observers over HTTP/1: told once of each request, when its response has left, with what the peer
 * was sent.
 */
#include <torc/body.h>
#include <torc/observer.h>
#include <torc/reply.h>
#include <torc/site.h>
#include <torc/testing.h>
#include <torc/testing_transport.h>

#include "check.h"
#include "protocol/negotiate.h"
#include "reactor/reactor.h"

enum {
    BIG = 1 << 20,
    TOLD_MAX = 40
};

typedef struct told {
    torc_outcome outcome;
    char type[32]; /* Content-Type of the response */
    int refused;   /* the status of a refusal; 0: it was a request */
    char text[32];
} told;

static torc_reactor *reactor;
static torc_site *site;
static torc_factory *factory;
static torc_test_connection *peer;
static char big[BIG];
static told tellings[TOLD_MAX];
static size_t told_count, watched_count;
static torc_request_watch watch;

static void copy(char to[32], torc_str text) {
    const size_t len = text.len < 31 ? text.len : 31;

    memcpy(to, text.bytes, len);
    to[len] = '\0';
}

static void request_over(torc_observer *observer, torc_request *request,
                         const torc_outcome *outcome) {
    const torc_str type = torc_response_field(request, "Content-Type");

    tellings[told_count] = (told){.outcome = *outcome};
    if (type.bytes) copy(tellings[told_count].type, type);
    copy(tellings[told_count++].text, torc_request_target(request));
}

static void request_refused(torc_observer *observer, const torc_refusal *refusal) {
    (void)observer;
    tellings[told_count] = (told){.refused = refusal->status};
    copy(tellings[told_count++].text, refusal->line);
}

static const torc_observer_ops ops = {request_over, request_refused};
static torc_observer observer = {.ops = &ops};

static torc_render small(torc_request *request) {
    return torc_reply_text(request, 200, "Hello, World!");
}

/* A content type that is no longer there when observers look. */
static torc_render typed(torc_request *request) {
    char type[] = "text/x-typed";
    const torc_render answer = torc_reply_bytes(request, 200, type, TORC_STR("x"));

    memset(type, '?', sizeof(type) - 1);
    return answer;
}

static void ended(torc_request_watch *of, torc_request *request, torc_err reason) {
    (void)of;
    (void)request;
    assert_int_equal(reason, TORC_OK);
    watched_count++;
}

static torc_render large(torc_request *request) {
    torc_request_watch_end(request, &watch, ended);
    return torc_reply_static(request, 200, "text/plain", torc_str_make(big, BIG));
}

static int set_up(void **state) {
    const torc_http_server_options options = {0};
    torc_resource *root = torc_folder_new();

    (void)state;
    told_count = watched_count = 0;
    torc_resource_route(root, "GET /small", small);
    torc_resource_route(root, "POST /small", small);
    torc_resource_route(root, "GET /large", large);
    torc_resource_route(root, "GET /typed", typed);
    site = torc_site_new(root, NULL);
    if (!site || torc_test_reactor_new(NULL, &reactor)) return -1;
    torc_site_add_observer(site, &observer);
    if (torc_http_server_new(reactor, torc_site_acceptor(site), &options, &factory)) return -1;
    peer = torc_test_connection_new(reactor, factory);
    torc_test_settle(reactor);
    return peer ? 0 : -1;
}

static void tear_down_peer(void) {
    torc_test_connection_free(peer);
    peer = NULL;
}

static int tear_down(void **state) {
    (void)state;
    tear_down_peer();
    torc_http_server_free(factory);
    torc_reactor_free(reactor);
    torc_site_free(site);
    return 0;
}

static void ask(const char *bytes) {
    torc_test_connection_send(peer, torc_str_of(bytes));
    torc_test_settle(reactor);
}

static void check_told(size_t place, const char *text, torc_err reason, int status,
                       uint64_t body_bytes) {
    assert_true(place < told_count);
    assert_string_equal(tellings[place].text, text);
    assert_int_equal(tellings[place].outcome.reason, reason);
    assert_int_equal(tellings[place].outcome.status, status);
    assert_int_equal(tellings[place].outcome.body_bytes, body_bytes);
}

static void a_short_response_is_told_with_all_that_was_sent(void **state) {
    ask("GET /small HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(told_count, 1);
    check_told(0, "/small", TORC_OK, 200, 13);
    assert_int_equal(tellings[0].outcome.sent_bytes, torc_test_connection_written(peer).len);
}

static void the_fields_of_a_response_outlive_it(void **state) {
    ask("GET /typed HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(told_count, 1);
    assert_string_equal(tellings[0].type, "text/x-typed");
}

static void pipelined_responses_are_counted_each(void **state) {
    ask("GET /small HTTP/1.1\r\nHost: a\r\n\r\nHEAD /small HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(told_count, 3);
    check_told(0, "/small", TORC_OK, 200, 13);
    check_told(1, "/small", TORC_OK, 200, 0);
    assert_int_equal(tellings[2].outcome.status, 404);
    uint64_t sum = 0;
    for (size_t i = 0; i < 3; i++) sum += tellings[i].outcome.sent_bytes;
    assert_int_equal(sum, torc_test_connection_written(peer).len);
    assert_int_equal(tellings[1].outcome.sent_bytes + 13, tellings[0].outcome.sent_bytes);
}

/* The application is told of the end at once; who observes, when the response has left. */
static void a_large_response_is_told_when_it_has_left(void **state) {
    torc_test_connection_hold_back(peer);
    ask("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(watched_count, 1);
    assert_int_equal(told_count, 0);
    torc_test_connection_take(peer, BIG / 2);
    torc_test_settle(reactor);
    assert_int_equal(told_count, 0);
    torc_test_connection_take(peer, SIZE_MAX);
    torc_test_settle(reactor);
    assert_int_equal(told_count, 1);
    check_told(0, "/large", TORC_OK, 200, BIG);
    assert_int_equal(tellings[0].outcome.sent_bytes, torc_test_connection_written(peer).len);
}

static void what_is_left_behind_is_not_counted(void **state) {
    torc_test_connection_hold_back(peer);
    ask("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    torc_test_connection_take(peer, 100000);
    torc_test_settle(reactor);
    torc_test_connection_reset(peer);
    torc_test_settle(reactor);
    assert_int_equal(told_count, 1);
    check_told(0, "/large", TORC_ERR_LOST, 200, tellings[0].outcome.body_bytes);
    assert_int_equal(tellings[0].outcome.sent_bytes, 100000);
    assert_true(tellings[0].outcome.body_bytes < 100000);
    assert_true(tellings[0].outcome.body_bytes > 99000);
}

/* Two on one connection, and the second is lost with the connection that closes behind it. */
static void several_large_responses_are_told_in_their_order(void **state) {
    torc_test_connection_hold_back(peer);
    ask("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    ask("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    torc_test_connection_take(peer, BIG + 200000);
    torc_test_settle(reactor);
    assert_int_equal(told_count, 1);
    check_told(0, "/large", TORC_OK, 200, BIG);
    torc_test_connection_take(peer, SIZE_MAX);
    torc_test_settle(reactor);
    assert_int_equal(told_count, 2);
    check_told(1, "/large", TORC_OK, 200, BIG);
}

static void a_site_stays_until_its_responses_have_left(void **state) {
    torc_test_connection_hold_back(peer);
    ask("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    torc_site_free(site);
    site = NULL;
    tear_down_peer();
    torc_test_settle(reactor);
    assert_int_equal(told_count, 1);
    assert_int_equal(tellings[0].outcome.reason, TORC_ERR_LOST);
}

static void what_is_no_request_is_told_by_its_line(void **state) {
    ask("NONSENSE\r\n\r\n");
    assert_int_equal(told_count, 1);
    assert_int_equal(tellings[0].refused, 400);
    assert_string_equal(tellings[0].text, "NONSENSE");
}

static void a_head_that_comes_in_pieces_is_told_by_its_line_too(void **state) {
    torc_test_connection_set_pieces(peer, 3);
    ask("GET /x HTTP/1.1\r\nHost: a\r\nBad field: x\r\n\r\n");
    assert_int_equal(told_count, 1);
    assert_int_equal(tellings[0].refused, 400);
    assert_string_equal(tellings[0].text, "GET /x HTTP/1.1");
}

static void a_head_that_is_too_slow_is_told(void **state) {
    ask("GET /x HT");
    torc_test_advance(reactor, 120000);
    assert_int_equal(told_count, 1);
    assert_int_equal(tellings[0].refused, 408);
    assert_string_equal(tellings[0].text, "GET /x HT");
}

static torc_render read_all(torc_request *request) {
    torc_str whole;
    const torc_err err = torc_body_read_all(request, 1000, &whole);
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "");
}

/* Who is answered by the wire, since the body is bad, has one line: the request's. */
static void a_bad_body_is_the_status_of_its_request(void **state) {
    torc_resource_route(torc_site_root(site), "PUT /body", read_all);
    ask("PUT /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n");
    assert_int_equal(told_count, 1);
    check_told(0, "/body", TORC_ERR_PEER, 400, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_short_response_is_told_with_all_that_was_sent),
        TEST(the_fields_of_a_response_outlive_it),
        TEST(pipelined_responses_are_counted_each),
        TEST(a_large_response_is_told_when_it_has_left),
        TEST(what_is_left_behind_is_not_counted),
        TEST(several_large_responses_are_told_in_their_order),
        TEST(a_site_stays_until_its_responses_have_left),
        TEST(what_is_no_request_is_told_by_its_line),
        TEST(a_head_that_comes_in_pieces_is_told_by_its_line_too),
        TEST(a_head_that_is_too_slow_is_told),
        TEST(a_bad_body_is_the_status_of_its_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
