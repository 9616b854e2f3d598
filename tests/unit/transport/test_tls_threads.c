/* SPDX-License-Identifier: MIT */
/*
 * What crosses threads: configurations that several reactors use, a context that is set while they
 * do, keys of tickets that are replaced, sessions of a client that are kept and taken.
 */
#include <pthread.h>

#include "tls_pair.h"

enum {
    THREADS = 2,
    ROUNDS = 20
};

typedef struct shared {
    torc_filter_factory *servers, *clients;
    torc_tls_context *context;
    torc_tls_config *configs[2];
    torc_tls_ticket_keys keys;
} shared;

static torc_tls_config *make_server(shared *self, const cert *mine) {
    const torc_tls_certificate one = cert_of(mine);
    const torc_tls_server_options options = {.size = sizeof(options),
                                             .certificates = &one,
                                             .certificate_count = 1,
                                             .ticket_keys = &self->keys};
    torc_tls_config *config;

    check_ok(torc_tls_server_new(&options, NULL, &config));
    return config;
}

/* A reactor of its own, on which a connection after the other is made. */
static void *serve(void *context) {
    shared *self = context;
    const tls_like like = {0};
    tls_pair pair;

    memset(&pair, 0, sizeof(pair));
    if (torc_test_reactor_new(NULL, &pair.reactor)) return NULL;
    pair.of_servers = self->servers;
    pair.of_clients = self->clients;
    size_t agreed = 0;
    for (int i = 0; i < ROUNDS; i++) {
        pair_connect(&pair, &like);
        torc_test_settle(pair.reactor);
        agreed += pair_is_secure(&pair);
        pair_disconnect(&pair);
    }
    torc_reactor_free(pair.reactor);
    return agreed == ROUNDS ? self : NULL;
}

static void configurations_are_used_and_replaced_in_several_threads(void **state) {
    cert authority = cert_make(&(cert_like){.common_name = "authority", .is_authority = true});
    cert mine = cert_make(&(cert_like){.names = "DNS:a.example", .issuer = &authority});
    const torc_tls_client_options client = {.size = sizeof(client),
                                            .ca = torc_str_of(authority.cert_pem)};
    pthread_t threads[THREADS];
    torc_tls_config *of_client;
    shared self;

    (void)state;
    check_ok(torc_tls_ticket_keys_init(&self.keys, 0));
    for (int i = 0; i < 2; i++) self.configs[i] = make_server(&self, &mine);
    check_ok(torc_tls_client_new(&client, NULL, &of_client));
    self.context = torc_tls_context_new(self.configs[0]);
    check_ok(torc_tls_server_filter(self.context, &self.servers));
    check_ok(torc_tls_client_filter(of_client, "a.example", 443, &self.clients));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, serve, &self), 0);
    for (int i = 0; i < 10 * ROUNDS; i++) {
        torc_tls_context_set(self.context, self.configs[i % 2]);
        check_ok(torc_tls_ticket_keys_rotate(&self.keys));
    }
    for (int i = 0; i < THREADS; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, &self);
    }
    torc_filter_factory_unref(self.servers);
    torc_filter_factory_unref(self.clients);
    torc_tls_context_unref(self.context);
    for (int i = 0; i < 2; i++) torc_tls_config_unref(self.configs[i]);
    torc_tls_config_unref(of_client);
    cert_free(&mine);
    cert_free(&authority);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_are_used_and_replaced_in_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
