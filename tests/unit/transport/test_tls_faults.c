/* SPDX-License-Identifier: MIT */
/*
 * TLS without memory: whichever allocation of ours fails, connections end, and nothing is left.
 */
#include "testing/uncounted.h"
#include "tls_pair.h"

/* All that a pair does in its life; nothing is expected to work. */
static void live(tls_pair *self, const tls_like *like, uint64_t fail_at) {
    torc_filter *filters[2] = {NULL, NULL};
    torc_filter_factory *factories[2] = {self->of_servers, self->of_clients};
    tls_end *ends[2] = {&self->server, &self->client};

    for (int i = 0; i < 2; i++) {
        probe_init(&ends[i]->probe);
        ends[i]->connection = torc_test_connection_new(self->reactor, &ends[i]->probe.factory);
        assert_non_null(ends[i]->connection);
    }
    torc_test_connection_join(self->server.connection, self->client.connection);
    torc_test_fail_allocation(self->reactor, fail_at);
    for (int i = 0; i < 2; i++) {
        torc_transport *below = torc_test_connection_transport(ends[i]->connection);
        if (factories[i]->build_filter(factories[i], below, &filters[i])) filters[i] = NULL;
        if (filters[i])
            torc_test_connection_stack(ends[i]->connection, filters[i]);
        else
            torc_transport_abort_with(below, TORC_ERR_NO_MEMORY);
    }
    torc_test_settle(self->reactor);
    for (int i = 0; i < 2; i++) {
        if (!filters[i] || ends[i]->probe.losts || !ends[i]->probe.mades) continue;
        torc_transport_write(ends[i]->probe.base.transport, TORC_STR("hello"));
        (void)torc_transport_link_info(ends[i]->probe.base.transport);
        ends[i]->probe.take = 2;
    }
    torc_test_settle(self->reactor);
    for (int i = 0; i < 2; i++)
        if (ends[i]->probe.mades && !ends[i]->probe.losts)
            torc_transport_close(ends[i]->probe.base.transport);
    torc_test_settle(self->reactor);
    (void)like;
}

static void sweep(const tls_like *like) {
    bool failed = true;

    for (uint64_t fail_at = 1; failed; fail_at++) {
        tls_pair self;
        pair_init(&self, like->is_late);
        pair_configure(&self, like);
        live(&self, like, fail_at);
        failed = torc_test_allocation_failed(self.reactor);
        torc_test_fail_allocation(self.reactor, 0);
        if (!failed) assert_true(self.server.probe.len >= 2 && self.client.probe.len >= 2);
        pair_close(&self);
        assert_true(fail_at < 1000);
    }
}

static void any_allocation_of_a_connection_may_fail(void **state) {
    (void)state;
    sweep(&(tls_like){.server.protocols = "h2", .client.protocols = "h2"});
}

/* ---- configurations, which belong to no reactor ---- */

static torc_err make_both(const cert *mine, const cert *authority) {
    const torc_tls_certificate one = cert_of(mine);
    const torc_tls_server_options server = {
        .size = sizeof(server),
        .certificates = &one,
        .certificate_count = 1,
        .protocols = "http/1.1",
        .peers = TORC_TLS_PEERS_OPTIONAL,
        .peer_ca = torc_str_of(authority->cert_pem),
        .plain_reply = TORC_STR("speak TLS"),
    };
    const torc_tls_client_options client = {
        .size = sizeof(client),
        .ca = torc_str_of(authority->cert_pem),
        .certificate = &one,
        .protocols = "http/1.1",
        .pins = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    };
    torc_tls_config *of_server = NULL, *of_client = NULL;
    torc_filter_factory *first = NULL, *second = NULL;
    torc_tls_context *context = NULL;
    torc_err err = torc_tls_server_new(&server, NULL, &of_server);

    if (!err) err = torc_tls_client_new(&client, NULL, &of_client);
    if (!err) {
        context = torc_tls_context_new(of_server);
        if (!context) err = TORC_ERR_NO_MEMORY;
    }
    if (!err) err = torc_tls_server_filter(context, &first);
    if (!err) err = torc_tls_client_filter(of_client, "a.example", 1, &second);
    torc_filter_factory_unref(first);
    torc_filter_factory_unref(second);
    torc_tls_context_unref(context);
    torc_tls_config_unref(of_server);
    torc_tls_config_unref(of_client);
    return err;
}

static void any_allocation_of_a_configuration_may_fail(void **state) {
    cert authority = cert_make(&(cert_like){.common_name = "authority", .is_authority = true});
    cert mine = cert_make(&(cert_like){.names = "DNS:a,DNS:*.b", .issuer = &authority});
    bool failed = true;

    (void)state;
    for (uint64_t fail_at = 1; failed; fail_at++) {
        torc_test_fail_uncounted(fail_at);
        const torc_err err = make_both(&mine, &authority);
        failed = torc_test_uncounted_failed();
        torc_test_fail_uncounted(0);
        if (failed)
            assert_true(err == TORC_ERR_NO_MEMORY || err == TORC_ERR_INVALID);
        else
            check_ok(err);
        assert_true(fail_at < 1000);
    }
    cert_free(&mine);
    cert_free(&authority);
}

static void a_limit_of_memory_refuses_connections(void **state) {
    const tls_like like = {0};
    tls_pair self;

    (void)state;
    pair_init(&self, false);
    pair_configure(&self, &like);
    self.reactor->memory.limit = self.reactor->memory.used_total + 100 * 1024;
    live(&self, &like, 0);
    assert_true(self.server.probe.len == 0);
    self.reactor->memory.limit = 0;
    pair_close(&self);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_of_a_connection_may_fail),
        cmocka_unit_test(any_allocation_of_a_configuration_may_fail),
        cmocka_unit_test(a_limit_of_memory_refuses_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
