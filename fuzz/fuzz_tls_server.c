/* SPDX-License-Identifier: MIT */
/*
 * A server of TLS whose peer sends whatever it likes: in place of a handshake, or in the middle of
 * one, or after it. Nothing but what a client has encrypted may reach the protocol; whatever comes,
 * the connection ends in time, and nothing of it is left. The first byte of an input chooses a late
 * poller (1), the scrambler (2), whether the peer ends its side (4) or resets (8), whether an
 * allocation fails (16), and whether there is a client, too, for some turns (32) or for all of its
 * handshake (64); the second one the pieces, or the number of the allocation, or of the turns.
 */
#include <torc/certificate.h>
#include <torc/testing.h>
#include <torc/testing_transport.h>

#include "fuzz.h"
#include "reactor/reactor.h"
#include "testing/connection.h"
#include "transport/filter.h"
#include "transport/tls/filter.h"

enum {
    LATE = 1,
    SCRAMBLED = 2,
    ENDS = 4,
    RESETS = 8,
    FAILS = 16,
    CLIENT_BEGINS = 32,
    CLIENT_ENDS = 64,
    INPUT_MAX = 40000
};

/* ---- configurations, made once ---- */

static torc_filter_factory *servers, *clients;

static void make_pems(torc_buf *cert, torc_buf *key) {
    static const char *const names[] = {"a.example", NULL};
    const torc_certificate_options options = {.size = sizeof(options), .names = names};
    torc_certificate *certificate;
    torc_private_key *private_key;

    torc_buf_init(cert, NULL, TORC_MEMORY_OTHER, 1 << 16);
    torc_buf_init(key, NULL, TORC_MEMORY_OTHER, 1 << 16);
    FUZZ_CHECK(torc_private_key_new(TORC_KEY_EC_P256, &private_key) == TORC_OK);
    FUZZ_CHECK(torc_certificate_new(private_key, &options, &certificate, NULL) == TORC_OK);
    torc_certificate_write_pem(certificate, cert);
    torc_private_key_write_pem(private_key, key);
    torc_certificate_free(certificate);
    torc_private_key_free(private_key);
}

static void configure(void) {
    torc_buf cert, key;
    torc_tls_config *of_server, *of_client;

    if (servers) return;
    make_pems(&cert, &key);
    const torc_tls_certificate mine = {.cert = torc_buf_str(&cert), .key = torc_buf_str(&key)};
    const torc_tls_server_options server = {
        .size = sizeof(server),
        .certificates = &mine,
        .certificate_count = 1,
        .protocols = "http/1.1",
        .plain_reply = TORC_STR("speak TLS\n"),
    };
    const torc_tls_client_options client = {.size = sizeof(client), .ca = torc_buf_str(&cert)};
    FUZZ_CHECK(torc_tls_server_new(&server, NULL, &of_server) == TORC_OK);
    FUZZ_CHECK(torc_tls_client_new(&client, NULL, &of_client) == TORC_OK);
    torc_tls_context *context = torc_tls_context_new(of_server);
    FUZZ_CHECK(context && torc_tls_server_filter(context, &servers) == TORC_OK);
    FUZZ_CHECK(torc_tls_client_filter(of_client, "a.example", 443, &clients) == TORC_OK);
    torc_tls_context_unref(context);
    torc_tls_config_unref(of_server);
    torc_tls_config_unref(of_client);
    torc_buf_dispose(&cert);
    torc_buf_dispose(&key);
}

/* ---- what stands above ---- */

typedef struct listening_end {
    torc_protocol base;
    bool is_lost;
    bool has_spoken; /* it has something to say */
} listening_end;

static void connection_made(torc_protocol *protocol) {
    const listening_end *self = torc_container_of(protocol, listening_end, base);
    if (self->has_spoken) torc_transport_write(protocol->transport, TORC_STR("hello"));
}

static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    (void)protocol;
    for (size_t i = 0; i < bytes.len; i++) FUZZ_CHECK(bytes.bytes[i] == "hello"[i % 5]);
    return bytes.len;
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    FUZZ_CHECK(reason);
    torc_container_of(protocol, listening_end, base)->is_lost = true;
}

static const torc_protocol_ops end_ops = {.connection_made = connection_made,
                                          .data_received = data_received,
                                          .connection_lost = connection_lost};

static torc_test_connection *open_end(torc_reactor *reactor, listening_end *end,
                                      torc_filter_factory *factory, uint8_t choice, size_t seed) {
    torc_test_connection *connection = torc_test_connection_new_over(reactor, &end->base);
    torc_filter *filter;

    FUZZ_CHECK(connection);
    if (choice & SCRAMBLED) FUZZ_CHECK(!torc_test_connection_scramble(connection, seed));
    FUZZ_CHECK(
        !factory->build_filter(factory, torc_test_connection_transport(connection), &filter));
    torc_test_connection_stack(connection, filter);
    return connection;
}

static void turn(torc_reactor *reactor, size_t times) {
    for (size_t i = 0; i < times; i++) FUZZ_CHECK(torc_reactor_turn(reactor, 0) == TORC_OK);
}

static void serve(torc_str bytes, uint8_t choice, size_t number) {
    listening_end server = {.base.ops = &end_ops, .has_spoken = true};
    listening_end client = {.base.ops = &end_ops, .has_spoken = true};
    torc_test_connection *to_client = NULL;
    torc_reactor *reactor;

    FUZZ_CHECK((choice & LATE ? torc_test_reactor_new_late
                              : torc_test_reactor_new)(NULL, &reactor) == TORC_OK);
    torc_test_connection *to_server = open_end(reactor, &server, servers, choice, number);
    if (choice & (CLIENT_BEGINS | CLIENT_ENDS)) {
        to_client = open_end(reactor, &client, clients, choice, number + 1);
        torc_test_connection_join(to_server, to_client);
    }
    if (choice & FAILS) torc_test_fail_allocation(reactor, number);
    if (choice & CLIENT_ENDS)
        torc_test_settle(reactor);
    else if (to_client)
        turn(reactor, number % 16);
    torc_test_connection_set_pieces(to_server, number % 7 ? 0 : number);
    if (!client.is_lost && !(to_client && torc_test_connection_has_ended(to_client)))
        torc_test_connection_send(to_server, bytes);
    if (choice & RESETS)
        torc_test_connection_reset(to_server);
    else if ((choice & ENDS) && !to_client)
        torc_test_connection_send_end(to_server);
    torc_test_settle(reactor);
    torc_test_fail_allocation(reactor, 0);
    torc_test_advance(reactor, 20000);
    /* Without a handshake it is over: by an alert, by the deadline, or since it was over before. */
    if (!to_client) FUZZ_CHECK(server.is_lost);
    torc_test_connection_free(to_client);
    torc_test_connection_free(to_server);
    FUZZ_CHECK(server.is_lost);
    FUZZ_CHECK(!to_client || client.is_lost);
    torc_reactor_free(reactor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint8_t choice = fuzz_byte(&input);
    const size_t number = fuzz_byte(&input) + 1u;

    if (input.rest.len > INPUT_MAX) return 0;
    configure();
    serve(input.rest, choice, number);
    return 0;
}
