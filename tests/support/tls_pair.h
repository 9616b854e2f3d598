/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_TLS_PAIR_H
#define TORC_TESTS_TLS_PAIR_H

#include <torc/testing.h>
#include <torc/testing_transport.h>

#include "certificates.h"
#include "probe.h"
#include "reactor/reactor.h"
#include "testing/connection.h"
#include "transport/tls/filter.h"

/*
 * A server and a client of TLS, joined in memory, each with a probe above. All is freed by
 * pair_close(), which sees that nothing is left of it.
 */
typedef struct tls_end {
    torc_test_connection *connection;
    torc_tls_filter *filter;
    probe probe;
} tls_end;

typedef struct tls_pair {
    torc_reactor *reactor;
    torc_log *log;
    torc_buf logged;
    tls_end server, client;
    cert authority, mine;
    torc_tls_context *context;
    torc_tls_config *of_client;
    torc_filter_factory *of_servers, *of_clients;
} tls_pair;

/* What the two are like. */
typedef struct tls_like {
    torc_tls_server_options server;
    torc_tls_client_options client;
    const char *host; /* whom the client asks for; "a.example" */
    bool is_late;
    uint64_t scrambled; /* a seed; 0: not */
    size_t pieces;      /* bytes of a delivery at most; 0: any */
} tls_like;

static inline torc_tls_config *pair_server(tls_pair *self, const tls_like *like) {
    torc_tls_server_options options = like->server;
    const torc_tls_certificate mine = cert_of(&self->mine);
    torc_tls_config *config = NULL;
    torc_tls_error error = {{0}};

    options.size = sizeof(options);
    options.log = self->log;
    if (!options.certificates) {
        options.certificates = &mine;
        options.certificate_count = 1;
    }
    if (torc_tls_server_new(&options, &error, &config)) print_error("%s\n", error.text);
    assert_non_null(config);
    return config;
}

static inline torc_tls_config *pair_client(tls_pair *self, const tls_like *like) {
    torc_tls_client_options options = like->client;
    torc_tls_config *config = NULL;
    torc_tls_error error = {{0}};

    options.size = sizeof(options);
    options.log = self->log;
    if (!options.ca.len && !options.ca_file && !options.insecure)
        options.ca = torc_str_of(self->authority.cert_pem);
    if (torc_tls_client_new(&options, &error, &config)) print_error("%s\n", error.text);
    assert_non_null(config);
    return config;
}

static inline void pair_init(tls_pair *self, bool is_late) {
    torc_reactor_options options = {.size = sizeof(options)};

    memset(self, 0, sizeof(*self));
    torc_buf_init(&self->logged, NULL, TORC_MEMORY_OTHER, 1 << 20);
    check_ok(torc_log_new_buf(NULL, &self->logged, TORC_LOG_FORMAT_JSON, &self->log));
    options.log = self->log;
    check_ok(is_late ? torc_test_reactor_new_late(&options, &self->reactor)
                     : torc_test_reactor_new(&options, &self->reactor));
    self->authority = cert_make(&(cert_like){.common_name = "authority", .is_authority = true});
    self->mine = cert_make(&(cert_like){.common_name = "a.example",
                                        .names = "DNS:a.example,DNS:*.b.example,IP:127.0.0.1",
                                        .issuer = &self->authority});
}

static inline void pair_configure(tls_pair *self, const tls_like *like) {
    torc_tls_config *of_server = pair_server(self, like);

    self->context = torc_tls_context_new(of_server);
    assert_non_null(self->context);
    torc_tls_config_unref(of_server);
    check_ok(torc_tls_server_filter(self->context, &self->of_servers));
    self->of_client = pair_client(self, like);
    check_ok(torc_tls_client_filter(self->of_client, like->host ? like->host : "a.example", 443,
                                    &self->of_clients));
}

static inline void pair_stack(tls_pair *self, tls_end *end, torc_filter_factory *factory,
                              const tls_like *like) {
    torc_filter *filter;

    probe_init(&end->probe);
    end->connection = torc_test_connection_new(self->reactor, &end->probe.factory);
    assert_non_null(end->connection);
    if (like->scrambled) check_ok(torc_test_connection_scramble(end->connection, like->scrambled));
    torc_test_connection_set_pieces(end->connection, like->pieces);
    check_ok(
        factory->build_filter(factory, torc_test_connection_transport(end->connection), &filter));
    end->filter = torc_container_of(filter, torc_tls_filter, base);
}

/* Connect the two that are configured; the handshake is still to come. */
static inline void pair_connect(tls_pair *self, const tls_like *like) {
    pair_stack(self, &self->server, self->of_servers, like);
    pair_stack(self, &self->client, self->of_clients, like);
    torc_test_connection_join(self->server.connection, self->client.connection);
    torc_test_connection_stack(self->server.connection, &self->server.filter->base);
    torc_test_connection_stack(self->client.connection, &self->client.filter->base);
}

static inline void pair_open(tls_pair *self, const tls_like *like) {
    pair_init(self, like->is_late);
    pair_configure(self, like);
    pair_connect(self, like);
}

static inline void pair_disconnect(tls_pair *self) {
    torc_test_connection_free(self->client.connection);
    torc_test_connection_free(self->server.connection);
    self->client.connection = self->server.connection = NULL;
    probe_dispose(&self->client.probe);
    probe_dispose(&self->server.probe);
}

static inline void pair_close(tls_pair *self) {
    pair_disconnect(self);
    torc_filter_factory_unref(self->of_servers);
    torc_filter_factory_unref(self->of_clients);
    torc_tls_context_unref(self->context);
    torc_tls_config_unref(self->of_client);
    assert_int_equal(self->reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
    torc_reactor_free(self->reactor);
    torc_log_free(self->log);
    torc_buf_dispose(&self->logged);
    cert_free(&self->mine);
    cert_free(&self->authority);
}

static inline bool pair_is_secure(const tls_pair *self) {
    return torc_tls_session_of(self->server.filter)->version.len > 0 &&
           torc_tls_session_of(self->client.filter)->version.len > 0;
}

static inline torc_link_info pair_link(const tls_end *end) {
    return torc_transport_link_info(end->probe.base.transport);
}

/* Whether the log has a line with this in it. */
static inline bool pair_logged(const tls_pair *self, const char *text) {
    return torc_str_find(torc_buf_str(&self->logged), torc_str_of(text)) >= 0;
}

#endif
