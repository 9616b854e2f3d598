/* SPDX-License-Identifier: MIT */
/*
 * TLS that begins in the middle of a connection, and TLS within TLS.
 */
#include "tls_pair.h"

/* An end that starts TLS when it is told to: what it has got before is plain. */
typedef struct ends {
    tls_pair pair;
    int completed;
} ends;

static ends *current;

static void completed(torc_protocol *protocol) {
    (void)protocol;
    current->completed++;
}

static void open_plain_end(tls_pair *self, tls_end *end, torc_protocol_ops *ops) {
    probe_init(&end->probe);
    *ops = *end->probe.base.ops;
    ops->handshake_completed = completed;
    end->probe.base.ops = ops;
    end->connection = torc_test_connection_new(self->reactor, &end->probe.factory);
    assert_non_null(end->connection);
}

static void open_plain(ends *self, const tls_like *like, torc_protocol_ops ops[2]) {
    tls_pair *pair = &self->pair;

    memset(self, 0, sizeof(*self));
    current = self;
    pair_init(pair, like->is_late);
    pair_configure(pair, like);
    open_plain_end(pair, &pair->server, &ops[0]);
    open_plain_end(pair, &pair->client, &ops[1]);
    if (like->scrambled) {
        check_ok(torc_test_connection_scramble(pair->server.connection, like->scrambled));
        check_ok(torc_test_connection_scramble(pair->client.connection, like->scrambled));
    }
    torc_test_connection_set_pieces(pair->server.connection, like->pieces);
    torc_test_connection_join(pair->server.connection, pair->client.connection);
    torc_test_settle(pair->reactor);
}

static void write_to(tls_end *end, torc_str bytes) {
    torc_transport_write(end->probe.base.transport, bytes);
}

/* The server's side of STARTTLS: answers in plain text, and starts. */
static void start_server(probe *self) {
    if (self->len < 9) return;
    self->received = NULL;
    self->take = 0;
    check_str(torc_str_make(self->got, 9), "STARTTLS\n");
    torc_transport_write(self->base.transport, TORC_STR("ready\n"));
    check_ok(torc_tls_start_server(self->base.transport, current->pair.context));
    torc_transport_write(self->base.transport, TORC_STR("secret of the server"));
}

static void start_client(probe *self) {
    if (self->len < 6) return;
    self->received = NULL;
    check_str(torc_str_make(self->got, 6), "ready\n");
    check_ok(torc_tls_start_client(self->base.transport, current->pair.of_client, "a.example", 25));
    torc_transport_write(self->base.transport, TORC_STR("secret of the client"));
}

static void start_each_way(const tls_like *like) {
    torc_protocol_ops ops[2];
    ends self;

    open_plain(&self, like, ops);
    self.pair.server.probe.received = start_server;
    self.pair.server.probe.take = 9;
    self.pair.client.probe.received = start_client;
    write_to(&self.pair.client, TORC_STR("STARTTLS\n"));
    torc_test_settle(self.pair.reactor);
    assert_int_equal(self.completed, 2);
    check_got(&self.pair.server.probe, "STARTTLS\nsecret of the client");
    check_got(&self.pair.client.probe, "ready\nsecret of the server");
    const torc_str wire = torc_test_connection_written(self.pair.server.connection);
    assert_true(torc_str_starts_with(wire, TORC_STR("ready\n")));
    assert_true(torc_str_find(wire, TORC_STR("secret")) < 0);
    assert_true(torc_str_find(torc_test_connection_written(self.pair.client.connection),
                              TORC_STR("secret")) < 0);
    check_str(pair_link(&self.pair.server).tls->version, "TLSv1.3");
    torc_transport_close(self.pair.client.probe.base.transport);
    torc_test_settle(self.pair.reactor);
    assert_int_equal(self.pair.server.probe.input_ends, 1);
    pair_close(&self.pair);
}

static void tls_starts_in_the_middle_of_a_connection(void **state) {
    (void)state;
    start_each_way(&(tls_like){.host = NULL});
    start_each_way(&(tls_like){.pieces = 1});
    start_each_way(&(tls_like){.is_late = true});
    start_each_way(&(tls_like){.scrambled = 5});
}

/* Somebody in between adds a command behind the client's STARTTLS. */
static void words_from_before_the_handshake_are_never_heard(void **state) {
    torc_protocol_ops ops[2];
    ends self;

    (void)state;
    open_plain(&self, &(tls_like){.host = NULL}, ops);
    self.pair.server.probe.received = start_server;
    self.pair.server.probe.take = 9; /* its own line, as the contract says */
    write_to(&self.pair.client, TORC_STR("STARTTLS\nMAIL FROM:<eve@example>\n"));
    torc_test_settle(self.pair.reactor);
    check_got(&self.pair.server.probe, "STARTTLS\n");
    check_err(self.pair.server.probe.reason, TORC_ERR_TLS);
    assert_int_equal(self.completed, 0);
    pair_close(&self.pair);
}

static void tls_starts_only_where_it_can(void **state) {
    torc_protocol_ops ops[2];
    ends self;

    (void)state;
    open_plain(&self, &(tls_like){.host = NULL}, ops);
    torc_transport *transport = self.pair.server.probe.base.transport;
    check_err(torc_tls_start_client(transport, self.pair.of_client, "no name", 1),
              TORC_ERR_INVALID);
    torc_test_connection_send_end(self.pair.server.connection);
    torc_test_settle(self.pair.reactor);
    check_err(torc_tls_start_server(transport, self.pair.context), TORC_ERR_STATE);
    torc_transport_close(transport);
    check_err(torc_tls_start_server(transport, self.pair.context), TORC_ERR_STATE);
    assert_ptr_equal(self.pair.server.probe.base.transport, transport);
    pair_close(&self.pair);
}

static void a_start_that_fails_is_told(void **state) {
    torc_protocol_ops ops[2];
    ends self;

    (void)state;
    open_plain(&self, &(tls_like){.server.handshake_ms = 1000}, ops);
    self.pair.server.probe.received = start_server;
    write_to(&self.pair.client, TORC_STR("STARTTLS\n"));
    torc_test_settle(self.pair.reactor);
    torc_test_advance(self.pair.reactor, 1000); /* the client sends nothing */
    check_err(self.pair.server.probe.reason, TORC_ERR_TIMEOUT);
    pair_close(&self.pair);
}

/* ---- TLS within TLS ---- */

static void add_stage(tls_pair *self, tls_end *end, torc_filter_factory *factory) {
    torc_filter *filter;

    check_ok(
        factory->build_filter(factory, torc_test_connection_transport(end->connection), &filter));
    end->filter = torc_container_of(filter, torc_tls_filter, base);
    torc_test_connection_stack(end->connection, filter);
    (void)self;
}

static void tls_runs_within_tls(void **state) {
    const tls_like like = {.pieces = 3};
    tls_pair self;
    char many[50000];

    (void)state;
    memset(many, 'x', sizeof(many));
    pair_open(&self, &like);
    add_stage(&self, &self.server, self.of_servers);
    add_stage(&self, &self.client, self.of_clients);
    torc_test_settle(self.reactor);
    assert_true(pair_is_secure(&self));
    torc_test_connection_set_pieces(self.server.connection, 0);
    torc_transport_write(self.client.probe.base.transport, torc_str_make(many, sizeof(many)));
    torc_test_settle(self.reactor);
    assert_int_equal(self.server.probe.len, sizeof(many));
    torc_transport_write(self.server.probe.base.transport, TORC_STR("both"));
    torc_transport_close(self.server.probe.base.transport);
    torc_test_settle(self.reactor);
    check_got(&self.client.probe, "both");
    assert_int_equal(self.client.probe.input_ends, 1);
    pair_close(&self);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_starts_in_the_middle_of_a_connection),
        cmocka_unit_test(words_from_before_the_handshake_are_never_heard),
        cmocka_unit_test(tls_starts_only_where_it_can),
        cmocka_unit_test(a_start_that_fails_is_told),
        cmocka_unit_test(tls_runs_within_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
