/* SPDX-License-Identifier: MIT */
/*
 * What requests may cost, counted: no allocation while a connection is kept alive, one write for
 * all the responses of a turn, and the memory of a connection that is idle. The whole of the server
 * runs, over connections in memory.
 */
#include <sys/socket.h>
#include <torc/json.h>
#include <torc/reply.h>
#include <torc/site.h>
#include <torc/testing.h>
#include <torc/testing_transport.h>
#include <unistd.h>

#include "check.h"
#include "protocol/negotiate.h"
#include "reactor/reactor.h"
#include "transport/stream.h"

enum {
    IDLE_BYTES_MAX = 296, /* of the stream and its protocol; see docs/design/performance.md */
    REQUESTS = 1000,
    PIPELINED = 16
};

static torc_reactor *reactor;
static torc_site *site;
static torc_factory *factory;
static torc_test_connection *peer;
static char sixteen[4096];

static torc_render plaintext(torc_request *request) {
    return torc_reply_bytes(request, 200, "text/plain", TORC_STR("Hello, World!"));
}

static torc_render json(torc_request *request) {
    torc_json *document = torc_reply_json(request, 200);

    torc_json_open_object(document);
    torc_json_member_str(document, "id", torc_request_param(request, "id"));
    torc_json_close_object(document);
    return torc_reply_end(request);
}

static int set_up(void **state) {
    const torc_http_server_options options = {0};
    torc_resource *root = torc_folder_new();

    (void)state;
    torc_resource_route(root, "GET /plaintext", plaintext);
    torc_resource_route(root, "GET /users/{id}", json);
    site = torc_site_new(root, NULL);
    if (!site || torc_test_reactor_new(NULL, &reactor)) return -1;
    if (torc_http_server_new(reactor, torc_site_acceptor(site), &options, &factory)) return -1;
    peer = torc_test_connection_new(reactor, factory);
    torc_test_settle(reactor);
    return peer ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    torc_test_connection_free(peer);
    torc_http_server_free(factory);
    torc_reactor_free(reactor);
    torc_site_free(site);
    return 0;
}

/* Ask, and let it be answered; the number of responses. */
static unsigned ask(torc_str requests) {
    torc_str written;
    unsigned count = 0;

    torc_test_connection_clear(peer);
    torc_test_connection_send(peer, requests);
    torc_test_settle(reactor);
    written = torc_test_connection_written(peer);
    for (ptrdiff_t at; (at = torc_str_find(written, TORC_STR("HTTP/1.1 200 OK\r\n"))) >= 0; count++)
        written = torc_str_from(written, (size_t)at + 1);
    return count;
}

static void check_allocates_nothing(torc_str requests, unsigned count) {
    for (unsigned i = 0; i < 3; i++) assert_int_equal(ask(requests), count); /* pools are filled */

    const uint64_t before = torc_reactor_memory(reactor)->allocated;
    const size_t used = torc_reactor_memory(reactor)->used_total;
    for (unsigned i = 0; i < REQUESTS; i += count) assert_int_equal(ask(requests), count);
    assert_int_equal(torc_reactor_memory(reactor)->allocated, before);
    assert_int_equal(torc_reactor_memory(reactor)->used_total, used);
}

static void a_request_on_a_connection_kept_alive_allocates_nothing(void **state) {
    (void)state;
    check_allocates_nothing(
        TORC_STR("GET /plaintext HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n"), 1);
}

static void json_allocates_nothing(void **state) {
    (void)state;
    check_allocates_nothing(TORC_STR("GET /users/%37 HTTP/1.1\r\nHost: a.example\r\n\r\n"), 1);
}

static torc_str pipelined(void) {
    static const torc_str one = TORC_STR_INIT("GET /plaintext HTTP/1.1\r\nHost: a.example\r\n\r\n");

    for (size_t i = 0; i < PIPELINED; i++) memcpy(sixteen + i * one.len, one.bytes, one.len);
    return torc_str_make(sixteen, PIPELINED * one.len);
}

static void pipelined_requests_allocate_nothing(void **state) {
    (void)state;
    check_allocates_nothing(pipelined(), PIPELINED);
}

static void a_head_in_pieces_allocates_nothing(void **state) {
    (void)state;
    torc_test_connection_set_pieces(peer, 7);
    check_allocates_nothing(TORC_STR("GET /plaintext HTTP/1.1\r\nHost: a.example\r\n\r\n"), 1);
}

static void the_responses_of_a_turn_leave_in_one_write(void **state) {
    (void)state;
    const uint32_t before = torc_test_connection_send_count(peer);

    assert_int_equal(ask(pipelined()), PIPELINED);
    assert_int_equal(torc_test_connection_send_count(peer), before + 1);
}

static void an_idle_connection_holds_no_page(void **state) {
    const torc_memory *memory = torc_reactor_memory(reactor);
    const size_t input = memory->used[TORC_MEMORY_INPUT]; /* what the reactor receives into */

    (void)state;
    assert_int_equal(ask(TORC_STR("GET /plaintext HTTP/1.1\r\nHost: a.example\r\n\r\n")), 1);
    assert_int_equal(memory->used[TORC_MEMORY_INPUT], input);
    assert_int_equal(memory->used[TORC_MEMORY_ARENA], 0);
    assert_true(memory->used[TORC_MEMORY_OUTPUT] < 1024); /* segments that wait for use */
}

/* Over a socket, between two requests: what stays is the stream and its protocol. */
static void an_idle_connection_is_small(void **state) {
    static const torc_str request =
        TORC_STR_INIT("GET /plaintext HTTP/1.1\r\nHost: a.example\r\n\r\n");
    const torc_memory *memory = torc_reactor_memory(reactor);
    const size_t before = memory->used[TORC_MEMORY_CONNECTION];
    torc_stream *stream;
    torc_protocol *protocol;
    char answer[1024];
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    check_ok(torc_stream_new(reactor, ends[0], AF_UNIX, &stream));
    check_ok(factory->ops->build_protocol(factory, &stream->base, &protocol));
    torc_transport_made(&stream->base, protocol);
    assert_int_equal(write(ends[1], request.bytes, request.len), request.len);
    torc_test_settle(reactor);
    assert_true(read(ends[1], answer, sizeof(answer)) > 0);
    assert_in_range(memory->used[TORC_MEMORY_CONNECTION] - before, 1, IDLE_BYTES_MAX);
    assert_int_equal(memory->used[TORC_MEMORY_ARENA], 0);
    close(ends[1]);
    torc_test_settle(reactor);
    assert_int_equal(memory->used[TORC_MEMORY_CONNECTION], before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_on_a_connection_kept_alive_allocates_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(json_allocates_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pipelined_requests_allocate_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_head_in_pieces_allocates_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_responses_of_a_turn_leave_in_one_write, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_idle_connection_holds_no_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_idle_connection_is_small, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
