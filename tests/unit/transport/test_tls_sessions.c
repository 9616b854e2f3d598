/* SPDX-License-Identifier: MIT */
/*
 * Sessions that are resumed by tickets, their keys, and what is left when they cannot be.
 */
#include "tls_pair.h"
#include "transport/tls/tickets.h"

/* Connect anew, and say whether the session was resumed. */
static bool reconnect(tls_pair *self, const tls_like *like) {
    if (self->client.connection) pair_disconnect(self);
    pair_connect(self, like);
    torc_test_settle(self->reactor);
    assert_true(pair_is_secure(self));
    const bool is_resumed = pair_link(&self->server).tls->is_resumed;
    assert_int_equal(pair_link(&self->client).tls->is_resumed, is_resumed);
    return is_resumed;
}

static void check_resumption(const tls_like *like, bool expected) {
    tls_pair self;

    pair_init(&self, like->is_late);
    pair_configure(&self, like);
    assert_false(reconnect(&self, like));
    for (int i = 0; i < 3; i++) assert_int_equal(reconnect(&self, like), expected);
    assert_int_equal(self.reactor->tls->handshakes.value, 8);
    assert_int_equal(self.reactor->tls->resumed.value, expected ? 6 : 0);
    pair_close(&self);
}

static void sessions_are_resumed(void **state) {
    (void)state;
    check_resumption(&(tls_like){.host = NULL}, true);
    check_resumption(&(tls_like){.scrambled = 3}, true);
    check_resumption(&(tls_like){.server.no_tickets = true}, false);
    check_resumption(&(tls_like){.client.no_resumption = true}, false);
}

static void put_server(tls_pair *self, const tls_like *like) {
    torc_tls_config *config = pair_server(self, like);
    torc_tls_context_set(self->context, config);
    torc_tls_config_unref(config);
}

static void servers_that_share_their_keys_resume_each_others_sessions(void **state) {
    torc_tls_ticket_keys keys;
    tls_like like = {.server.ticket_keys = &keys};
    tls_pair self;

    (void)state;
    check_ok(torc_tls_ticket_keys_init(&keys, 0));
    pair_init(&self, false);
    pair_configure(&self, &like);
    assert_false(reconnect(&self, &like));
    put_server(&self, &like);
    assert_true(reconnect(&self, &like));
    like.server.ticket_keys = NULL; /* its own */
    put_server(&self, &like);
    assert_false(reconnect(&self, &like));
    pair_close(&self);
}

static void older_keys_open_tickets_for_a_while(void **state) {
    torc_tls_ticket_keys keys;
    const tls_like like = {.server.ticket_keys = &keys};
    tls_pair self;

    (void)state;
    check_ok(torc_tls_ticket_keys_init(&keys, 0));
    pair_init(&self, false);
    pair_configure(&self, &like);
    assert_false(reconnect(&self, &like));
    check_ok(torc_tls_ticket_keys_rotate(&keys));
    check_ok(torc_tls_ticket_keys_rotate(&keys));
    assert_true(reconnect(&self, &like)); /* and gets a ticket of the newest */
    for (int i = 0; i < TORC_TLS_TICKET_KEYS; i++) check_ok(torc_tls_ticket_keys_rotate(&keys));
    assert_false(reconnect(&self, &like));
    pair_close(&self);
}

static void sessions_go_with_what_is_asked_of_clients(void **state) {
    torc_tls_ticket_keys keys;
    tls_like like = {.server.ticket_keys = &keys};
    tls_pair self;

    (void)state;
    check_ok(torc_tls_ticket_keys_init(&keys, 0));
    pair_init(&self, false);
    cert alice = cert_make(&(cert_like){.common_name = "Alice", .issuer = &self.authority});
    const torc_tls_certificate shown = cert_of(&alice);
    like.client.certificate = &shown;
    pair_configure(&self, &like);
    assert_false(reconnect(&self, &like));
    like.server.peers = TORC_TLS_PEERS_REQUIRED;
    like.server.peer_ca = torc_str_of(self.authority.cert_pem);
    put_server(&self, &like);
    assert_false(reconnect(&self, &like));
    assert_true(reconnect(&self, &like));
    check_str(pair_link(&self.server).tls->peer_name, "CN=Alice"); /* out of the ticket */
    pair_close(&self);
    cert_free(&alice);
}

static void each_server_has_sessions_of_its_own(void **state) {
    const tls_like like = {.host = "a.example"}, other = {.host = "x.b.example"};
    tls_pair self;

    (void)state;
    pair_init(&self, false);
    pair_configure(&self, &like);
    assert_false(reconnect(&self, &like));
    torc_filter_factory_unref(self.of_clients);
    check_ok(torc_tls_client_filter(self.of_client, other.host, 443, &self.of_clients));
    assert_false(reconnect(&self, &other));
    assert_true(reconnect(&self, &other));
    pair_close(&self);
}

/* ---- the keys by themselves ---- */

static void keys_are_made_anew_when_they_are_old(void **state) {
    torc_tls_ticket_key first, second, found;
    torc_tls_ticket_keys keys;
    bool is_newest;

    (void)state;
    check_ok(torc_tls_ticket_keys_init(&keys, 100));
    const int64_t now_s = (int64_t)keys.words[0][10];
    check_ok(torc_tls_ticket_keys_newest(&keys, now_s + 99, &first));
    check_ok(torc_tls_ticket_keys_newest(&keys, now_s + 99, &second));
    assert_memory_equal(&first, &second, sizeof(first));
    check_ok(torc_tls_ticket_keys_newest(&keys, now_s + 100, &second));
    assert_memory_not_equal(&first, &second, 16);
    assert_true(torc_tls_ticket_keys_find(&keys, torc_tls_ticket_name(&first), now_s + 100, &found,
                                          &is_newest));
    assert_false(is_newest);
    assert_memory_equal(&first, &found, sizeof(first));
    assert_true(torc_tls_ticket_keys_find(&keys, torc_tls_ticket_name(&second), now_s + 100, &found,
                                          &is_newest));
    assert_true(is_newest);
    assert_false(torc_tls_ticket_keys_find(&keys, torc_tls_ticket_name(&first), now_s + 300, &found,
                                           &is_newest));
    const unsigned char nothing[16] = {0};
    assert_false(torc_tls_ticket_keys_find(&keys, nothing, now_s, &found, &is_newest));
}

static void a_writer_that_died_leaves_full_handshakes(void **state) {
    torc_tls_ticket_keys keys;
    const tls_like like = {.server.ticket_keys = &keys};
    tls_pair self;

    (void)state;
    check_ok(torc_tls_ticket_keys_init(&keys, 0));
    pair_init(&self, false);
    pair_configure(&self, &like);
    assert_false(reconnect(&self, &like));
    keys.state |= 1;
    assert_false(reconnect(&self, &like));
    assert_false(reconnect(&self, &like));
    pair_close(&self);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_resumed),
        cmocka_unit_test(servers_that_share_their_keys_resume_each_others_sessions),
        cmocka_unit_test(older_keys_open_tickets_for_a_while),
        cmocka_unit_test(sessions_go_with_what_is_asked_of_clients),
        cmocka_unit_test(each_server_has_sessions_of_its_own),
        cmocka_unit_test(keys_are_made_anew_when_they_are_old),
        cmocka_unit_test(a_writer_that_died_leaves_full_handshakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
