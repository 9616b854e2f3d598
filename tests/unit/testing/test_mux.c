/* SPDX-License-Identifier: MIT */
/*
 * The double's own: windows, turns, and what the server's end refuses. What every wire promises is
 * in tests/conformance.
 */
#include "testing/mux.h"

#include <stdlib.h>
#include <torc/testing.h>
#include <unistd.h>

#include "check.h"
#include "reactor/reactor.h"

enum {
    ENDS_MAX = 8
};

typedef struct end {
    torc_exchange *exchange;
    int heads, ends, drainings, closes, status;
    torc_err reason;
    size_t got, largest; /* largest: of one delivery */
    uint64_t first_step; /* when the first byte came, in deliveries of all ends */
    char text[16];
} end;

static torc_reactor *reactor;
static torc_acceptor acceptor;
static end clients[ENDS_MAX], servers[ENDS_MAX];
static unsigned client_count, server_count;
static uint64_t deliveries;

static void head_received(torc_exchange *exchange, const torc_head *head) {
    end *self = exchange->above;
    self->heads++;
    self->status = head->status;
}

static void body_received(torc_exchange *exchange, torc_str bytes) {
    end *self = exchange->above;

    deliveries++;
    if (self->got == 0) self->first_step = deliveries;
    for (size_t i = 0; i < bytes.len && self->got + i < sizeof(self->text) - 1; i++)
        self->text[self->got + i] = bytes.bytes[i];
    self->got += bytes.len;
    if (bytes.len > self->largest) self->largest = bytes.len;
}

static void body_ended(torc_exchange *exchange, const torc_fields *trailers) {
    (void)trailers;
    ((end *)exchange->above)->ends++;
}

static void drained(torc_exchange *exchange) {
    (void)exchange;
}

static void draining(torc_exchange *exchange) {
    ((end *)exchange->above)->drainings++;
}

static void closed(torc_exchange *exchange, torc_err reason) {
    end *self = exchange->above;

    self->closes++;
    self->reason = reason;
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

static torc_err opened(torc_acceptor *self, torc_exchange *exchange) {
    (void)self;
    assert_true(server_count < ENDS_MAX);
    take_up(&servers[server_count++], exchange);
    return TORC_OK;
}

static int set_up(void **state) {
    static const torc_acceptor_ops ops = {.opened = opened};

    (void)state;
    memset(clients, 0, sizeof(clients));
    memset(servers, 0, sizeof(servers));
    client_count = server_count = 0;
    deliveries = 0;
    acceptor.ops = &ops;
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    const bool is_clean = reactor->pages.used_count == 0;
    torc_reactor_free(reactor);
    return is_clean ? 0 : -1;
}

static end *ask(torc_test_mux *mux) {
    const torc_head head = {.method = TORC_METHOD_POST,
                            .method_text = TORC_STR("POST"),
                            .target = {.text = TORC_STR("/")}};
    end *self = &clients[client_count++];
    torc_exchange *exchange;

    check_ok(torc_test_mux_open(mux, &exchange));
    take_up(self, exchange);
    check_ok(exchange->wire->send_head(exchange, &head, -1));
    return self;
}

static void send_bytes(end *self, size_t len) {
    static char bytes[40000];
    torc_chain chain;

    assert_true(len <= sizeof(bytes));
    torc_chain_init(&chain, &reactor->chains);
    check_ok(torc_chain_add_bytes(&chain, torc_str_make(bytes, len)));
    check_ok(self->exchange->wire->send_body(self->exchange, &chain));
}

static void an_exchange_has_a_window(void **state) {
    const torc_test_mux_options options = {.exchange_window = 1000, .frame_max = 300};
    torc_test_mux *mux = torc_test_mux_new(reactor, &acceptor, &options);

    (void)state;
    end *client = ask(mux);
    send_bytes(client, 5000);
    torc_test_settle(reactor);
    assert_int_equal(torc_test_mux_queued_max(mux), 1000);
    assert_int_equal(servers[0].got, 0);
    servers[0].exchange->wire->want_body(servers[0].exchange, SIZE_MAX);
    torc_test_settle(reactor);
    assert_int_equal(servers[0].got, 5000);
    assert_int_equal(torc_test_mux_queued_max(mux), 1000);
    torc_test_mux_free(mux);
    assert_int_equal(client->reason, TORC_ERR_LOST);
    assert_int_equal(servers[0].reason, TORC_ERR_LOST);
}

static void exchanges_take_turns(void **state) {
    const torc_test_mux_options options = {.connection_window = 100, .frame_max = 100};
    torc_test_mux *mux = torc_test_mux_new(reactor, &acceptor, &options);

    (void)state;
    for (int i = 0; i < 3; i++) send_bytes(ask(mux), 40000);
    torc_test_settle(reactor);
    assert_int_equal(server_count, 3);
    for (int i = 0; i < 3; i++) servers[i].exchange->wire->want_body(servers[i].exchange, SIZE_MAX);
    torc_test_settle(reactor);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(servers[i].got, 40000);
        assert_true(servers[i].first_step < 20); /* none waits for another's end */
    }
    torc_test_mux_free(mux);
}

static void only_so_many_at_once(void **state) {
    const torc_test_mux_options options = {.exchanges_max = 2};
    torc_test_mux *mux = torc_test_mux_new(reactor, &acceptor, &options);
    torc_exchange *exchange;

    (void)state;
    end *first = ask(mux);
    ask(mux);
    check_err(torc_test_mux_open(mux, &exchange), TORC_ERR_BUSY);
    first->exchange->wire->reset(first->exchange, TORC_ERR_CANCELLED);
    torc_test_settle(reactor);
    assert_int_equal(first->reason, TORC_ERR_CANCELLED);
    ask(mux);
    torc_test_settle(reactor);
    assert_int_equal(torc_test_mux_count(mux), 4);
    torc_test_mux_free(mux);
}

static void ranges_of_files_arrive_as_bytes(void **state) {
    torc_test_mux *mux = torc_test_mux_new(reactor, &acceptor, NULL);
    char path[] = "/tmp/torc_test_XXXXXX";
    const int fd = mkstemp(path);
    torc_chain chain;

    (void)state;
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    torc_shared_file *file = torc_shared_file_new(&reactor->memory, fd);
    assert_non_null(file);
    end *client = ask(mux);
    torc_chain_init(&chain, &reactor->chains);
    check_ok(torc_chain_add_file(&chain, file, 2, 5));
    check_ok(client->exchange->wire->send_body(client->exchange, &chain));
    check_ok(torc_chain_add_file(&chain, file, 8, 5)); /* longer than the file is */
    torc_shared_file_unref(file);
    torc_test_settle(reactor);
    servers[0].exchange->wire->want_body(servers[0].exchange, SIZE_MAX);
    torc_test_settle(reactor);
    assert_string_equal(servers[0].text, "23456");
    check_ok(client->exchange->wire->send_body(client->exchange, &chain));
    torc_test_settle(reactor);
    assert_string_equal(servers[0].text, "2345689");
    assert_int_equal(servers[0].reason, TORC_ERR_TRUNCATED);
    assert_int_equal(client->reason, TORC_ERR_LOST);
    torc_test_mux_free(mux);
}

static void what_comes_while_it_drains_is_unprocessed(void **state) {
    torc_test_mux *mux = torc_test_mux_new(reactor, &acceptor, NULL);
    torc_exchange *exchange;

    (void)state;
    end *before = ask(mux);
    torc_test_settle(reactor);
    end *late = ask(mux);
    torc_test_mux_drain(mux);
    torc_test_settle(reactor);
    assert_int_equal(servers[0].drainings, 1);
    assert_int_equal(late->reason, TORC_ERR_UNPROCESSED);
    assert_int_equal(before->closes, 0);
    check_err(torc_test_mux_open(mux, &exchange), TORC_ERR_CLOSED);
    torc_test_mux_free(mux);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_exchange_has_a_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exchanges_take_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_so_many_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ranges_of_files_arrive_as_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_while_it_drains_is_unprocessed, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
