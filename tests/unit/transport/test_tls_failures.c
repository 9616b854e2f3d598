/* SPDX-License-Identifier: MIT */
/*
 * TLS that fails: in the handshake, by what peers show and by what they send, and later. The other
 * side is told why, and the log once.
 */
#include "tls_pair.h"

/* Open a pair whose client must fail, with this error and these words. */
static void check_client_fails(const tls_like *like, torc_err err, const char *why) {
    tls_pair self;

    pair_open(&self, like);
    torc_test_settle(self.reactor);
    torc_test_advance(self.reactor, 6000);
    check_err(self.client.probe.reason, err);
    assert_int_equal(self.client.probe.losts, 1);
    assert_int_equal(self.client.probe.len, 0);
    assert_int_equal(self.server.probe.losts, 1);
    if (!pair_logged(&self, why)) print_error("%.*s\n", TORC_STR_ARGS(torc_buf_str(&self.logged)));
    assert_true(pair_logged(&self, why));
    pair_close(&self);
}

/* A server with a certificate like this one. */
static void check_refused(cert_like certificate, const char *host, const char *why) {
    cert mine = cert_make(&certificate);
    const torc_tls_certificate one = cert_of(&mine);
    const tls_like like = {
        .server.certificates = &one, .server.certificate_count = 1, .host = host};

    check_client_fails(&like, TORC_ERR_CERTIFICATE, why);
    cert_free(&mine);
}

static void servers_that_nobody_vouches_for_are_refused(void **state) {
    (void)state;
    check_refused((cert_like){.common_name = "self", .names = "DNS:a.example"}, NULL,
                  "is signed by itself, and not trusted");
    cert stranger = cert_make(&(cert_like){.common_name = "stranger", .is_authority = true});
    check_refused((cert_like){.common_name = "a", .names = "DNS:a.example", .issuer = &stranger},
                  NULL, "is signed by \\\"stranger\\\", who is not trusted");
    cert_free(&stranger);
}

static void a_name_must_be_in_the_certificate(void **state) {
    (void)state;
    check_client_fails(&(tls_like){.host = "c.example"}, TORC_ERR_CERTIFICATE,
                       "not for c.example, but for a.example, *.b.example, 127.0.0.1");
    check_client_fails(&(tls_like){.host = "127.0.0.2"}, TORC_ERR_CERTIFICATE, "not for 127.0.0.2");
    check_client_fails(&(tls_like){.host = "x.y.b.example"}, TORC_ERR_CERTIFICATE, "not for x.y");
}

static void check_agreed(const tls_like *like) {
    tls_pair self;

    pair_open(&self, like);
    torc_test_settle(self.reactor);
    assert_true(pair_is_secure(&self));
    pair_close(&self);
}

static void names_wildcards_and_addresses_are_found(void **state) {
    (void)state;
    check_agreed(&(tls_like){.host = "x.b.example"});
    check_agreed(&(tls_like){.host = "127.0.0.1"});
    check_agreed(&(tls_like){.host = "A.EXAMPLE"});
    check_agreed(&(tls_like){.host = "anybody", .client.insecure = true});
}

static void certificates_have_their_time(void **state) {
    tls_pair self;
    const tls_like like = {0};

    (void)state;
    pair_init(&self, false);
    cert_free(&self.mine);
    self.mine = cert_make(&(cert_like){
        .names = "DNS:a.example", .issuer = &self.authority, .from_s = -7200, .until_s = -3600});
    pair_configure(&self, &like);
    pair_connect(&self, &like);
    torc_test_settle(self.reactor);
    check_err(self.client.probe.reason, TORC_ERR_CERTIFICATE);
    assert_true(pair_logged(&self, "has expired on 20"));
    pair_close(&self);
}

/* ---- pins ---- */

static void pin_of(EVP_PKEY *key, char text[64]) {
    unsigned char *der = NULL, digest[32];
    const int len = i2d_PUBKEY(key, &der);

    assert_true(EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL));
    OPENSSL_free(der);
    strcpy(text, "sha256/");
    EVP_EncodeBlock((unsigned char *)text + 7, digest, 32);
}

static void check_pin(bool of_authority, bool is_right, bool insecure, torc_err err) {
    const tls_like like = {0};
    cert other = cert_make(&(cert_like){0});
    tls_pair self;
    char pins[200] = "", pin[64];

    pair_init(&self, false);
    pin_of(other.key, pins);
    strcat(pins, ", ");
    pin_of(!is_right ? other.key : of_authority ? self.authority.key : self.mine.key, pin);
    strcat(pins, pin);
    tls_like pinned = like;
    pinned.client.pins = pins;
    pinned.client.insecure = insecure;
    pair_configure(&self, &pinned);
    pair_connect(&self, &pinned);
    torc_test_settle(self.reactor);
    check_err(self.client.probe.reason, err);
    assert_int_equal(pair_logged(&self, "keys that are pinned"), err != TORC_OK);
    pair_close(&self);
    cert_free(&other);
}

static void keys_may_be_pinned(void **state) {
    (void)state;
    check_pin(false, true, false, TORC_OK);
    check_pin(true, true, false, TORC_OK);
    check_pin(false, false, false, TORC_ERR_CERTIFICATE);
    check_pin(false, true, true, TORC_OK);
    check_pin(false, false, true, TORC_ERR_CERTIFICATE);
    check_pin(true, true, true, TORC_ERR_CERTIFICATE); /* unverified, a chain means nothing */
}

/* ---- clients' certificates ---- */

/* 0: shows none, 1: one of the authority, 2: a stranger's. */
static void check_peer(torc_tls_peers peers, int shows, torc_err err, const char *text) {
    tls_pair self;
    tls_like like = {.server.peers = peers};

    pair_init(&self, false);
    cert alice = cert_make(&(cert_like){.common_name = "Alice", .issuer = &self.authority});
    cert eve = cert_make(&(cert_like){.common_name = "Eve"});
    const torc_tls_certificate shown = cert_of(shows == 2 ? &eve : &alice);
    if (shows) like.client.certificate = &shown;
    like.server.peer_ca = torc_str_of(self.authority.cert_pem);
    pair_configure(&self, &like);
    pair_connect(&self, &like);
    torc_test_settle(self.reactor);
    check_err(self.server.probe.reason, err);
    if (err) {
        assert_true(pair_logged(&self, text));
        assert_true(self.client.probe.losts == 1 && self.client.probe.reason == TORC_ERR_TLS);
    } else {
        check_str_at(pair_link(&self.server).tls->peer_name, torc_str_of(text), __FILE__, __LINE__);
        assert_int_equal(pair_link(&self.server).tls->peer_certificate.len > 0, text[0] != '\0');
    }
    pair_close(&self);
    cert_free(&alice);
    cert_free(&eve);
}

static void clients_show_certificates_where_they_must(void **state) {
    (void)state;
    check_peer(TORC_TLS_PEERS_REQUIRED, 1, TORC_OK, "CN=Alice");
    check_peer(TORC_TLS_PEERS_REQUIRED, 0, TORC_ERR_TLS, "has shown no certificate");
    check_peer(TORC_TLS_PEERS_REQUIRED, 2, TORC_ERR_CERTIFICATE, "\\\"Eve\\\" is signed by itself");
    check_peer(TORC_TLS_PEERS_OPTIONAL, 1, TORC_OK, "CN=Alice");
    check_peer(TORC_TLS_PEERS_OPTIONAL, 0, TORC_OK, "");
    check_peer(TORC_TLS_PEERS_OPTIONAL, 2, TORC_ERR_CERTIFICATE, "Eve");
    check_peer(TORC_TLS_PEERS_UNKNOWN, 1, TORC_OK, "");
}

/* ---- what is agreed ---- */

static void a_protocol_must_be_in_common(void **state) {
    (void)state;
    check_client_fails(&(tls_like){.server.protocols = "http/1.1", .client.protocols = "h2,spdy"},
                       TORC_ERR_TLS, "offers no protocol that is spoken here");
    check_agreed(&(tls_like){.server.protocols = "http/1.1"});
    check_agreed(&(tls_like){.client.protocols = "h2"});
    tls_pair self;
    pair_open(&self,
              &(tls_like){.server.protocols = "h2,http/1.1", .client.protocols = "http/1.1, h2"});
    torc_test_settle(self.reactor);
    check_str(pair_link(&self.server).tls->protocol, "h2"); /* the server's order counts */
    check_str(pair_link(&self.client).tls->protocol, "h2");
    pair_close(&self);
}

static void unknown_names_are_refused_where_that_is_asked_for(void **state) {
    (void)state;
    check_client_fails(&(tls_like){.server.refuse_unknown_names = true, .host = "c.example"},
                       TORC_ERR_TLS, "no certificate for the name");
    check_client_fails(&(tls_like){.server.refuse_unknown_names = true, .host = "127.0.0.1"},
                       TORC_ERR_TLS, "no certificate for the name");
    check_agreed(&(tls_like){.server.refuse_unknown_names = true, .host = "a.example"});
}

/* ---- peers that are no clients of TLS ---- */

/* A server alone, whose peer is the test. */
static void open_server(tls_pair *self, const tls_like *like) {
    pair_init(self, like->is_late);
    pair_configure(self, like);
    pair_stack(self, &self->server, self->of_servers, like);
    torc_test_connection_stack(self->server.connection, &self->server.filter->base);
    torc_test_settle(self->reactor);
}

static void close_server(tls_pair *self) {
    probe_init(&self->client.probe);
    pair_close(self);
}

static void plain_text_is_recognised_and_answered(void **state) {
    tls_pair self;

    (void)state;
    open_server(&self, &(tls_like){.server.plain_reply = TORC_STR("speak TLS\n")});
    torc_test_connection_send(self.server.connection, TORC_STR("GET / HTTP/1.1\r\n\r\n"));
    torc_test_settle(self.reactor);
    check_str(torc_test_connection_written(self.server.connection), "speak TLS\n");
    check_err(self.server.probe.reason, TORC_ERR_TLS);
    assert_true(pair_logged(&self, "plain text"));
    assert_int_equal(self.server.probe.len, 0);
    close_server(&self);
}

static void nonsense_is_answered_by_an_alert(void **state) {
    tls_pair self;

    (void)state;
    open_server(&self, &(tls_like){.host = NULL});
    torc_test_connection_send(self.server.connection, TORC_STR("\x16\x03\x01\x00\x05"
                                                               "\x01\x00\x00\x01\xff"
                                                               "\x00"));
    torc_test_settle(self.reactor);
    assert_int_equal(torc_test_connection_written(self.server.connection).bytes[0], 21);
    check_err(self.server.probe.reason, TORC_ERR_TLS);
    close_server(&self);
}

static void a_handshake_has_a_deadline(void **state) {
    tls_pair self;

    (void)state;
    open_server(&self, &(tls_like){.server.handshake_ms = 3000});
    torc_test_connection_send(self.server.connection, TORC_STR("\x16"));
    torc_test_advance(self.reactor, 2999);
    assert_int_equal(self.server.probe.losts, 0);
    torc_test_advance(self.reactor, 1);
    check_err(self.server.probe.reason, TORC_ERR_TIMEOUT);
    assert_true(pair_logged(&self, "took too long"));
    close_server(&self);
}

/* What connection_lost finds. */
static char lost_for[TORC_TLS_WHY_MAX];

static void lost(torc_protocol *protocol, torc_err reason) {
    const torc_link_info link = torc_transport_link_info(protocol->transport);

    snprintf(lost_for, sizeof(lost_for), "%.*s", TORC_STR_ARGS(link.tls->failure));
    probe_lost(protocol, reason);
}

static void a_client_has_a_deadline_too(void **state) {
    torc_protocol_ops asking;
    tls_pair self;
    const tls_like like = {.client.handshake_ms = 1000};

    (void)state;
    pair_init(&self, false);
    pair_configure(&self, &like);
    pair_stack(&self, &self.client, self.of_clients, &like);
    torc_test_connection_stack(self.client.connection, &self.client.filter->base);
    asking = *self.client.probe.base.ops;
    asking.connection_lost = lost;
    self.client.probe.base.ops = &asking;
    torc_test_advance(self.reactor, 1000);
    check_err(self.client.probe.reason, TORC_ERR_TIMEOUT);
    assert_string_equal(lost_for, "the handshake took too long");
    probe_init(&self.server.probe);
    pair_close(&self);
}

/* ---- peers that go away, at every byte ---- */

/* The first flight of a client, for a server to be given in part. */
static size_t record_hello(char *to, size_t size) {
    tls_pair self;
    const tls_like like = {0};

    pair_init(&self, false);
    pair_configure(&self, &like);
    pair_stack(&self, &self.client, self.of_clients, &like);
    torc_test_connection_stack(self.client.connection, &self.client.filter->base);
    torc_test_settle(self.reactor);
    const torc_str hello = torc_test_connection_written(self.client.connection);
    assert_true(hello.len > 100 && hello.len < size);
    memcpy(to, hello.bytes, hello.len);
    const size_t len = hello.len;
    probe_init(&self.server.probe);
    pair_close(&self);
    return len;
}

static void a_handshake_may_end_at_every_byte(void **state) {
    char hello[2000];
    const size_t len = record_hello(hello, sizeof(hello));
    tls_pair self;
    const tls_like like = {0};

    (void)state;
    pair_init(&self, false);
    pair_configure(&self, &like);
    for (size_t cut = 0; cut <= len; cut++) {
        pair_stack(&self, &self.server, self.of_servers, &like);
        torc_test_connection_stack(self.server.connection, &self.server.filter->base);
        torc_test_connection_send(self.server.connection, torc_str_make(hello, cut));
        torc_test_connection_send_end(self.server.connection);
        torc_test_settle(self.reactor);
        check_err(self.server.probe.reason, TORC_ERR_TRUNCATED);
        assert_int_equal(self.server.probe.input_ends, 0);
        torc_test_connection_free(self.server.connection);
        probe_dispose(&self.server.probe);
    }
    /* Of as many, one was logged. */
    const torc_str logged = torc_buf_str(&self.logged);
    const ptrdiff_t first = torc_str_find(logged, TORC_STR("gone during the handshake"));
    assert_true(first >= 0);
    assert_true(torc_str_find(torc_str_from(logged, (size_t)first + 1),
                              TORC_STR("gone during the handshake")) < 0);
    self.server.connection = NULL;
    probe_init(&self.server.probe);
    close_server(&self);
}

static void causes_are_counted_and_told_again_after_a_minute(void **state) {
    tls_pair self;
    const tls_like like = {0};

    (void)state;
    pair_init(&self, false);
    pair_configure(&self, &like);
    for (int i = 0; i < 4; i++) {
        if (i == 3) torc_test_advance(self.reactor, 60000);
        pair_stack(&self, &self.server, self.of_servers, &like);
        torc_test_connection_stack(self.server.connection, &self.server.filter->base);
        torc_test_connection_send(self.server.connection, TORC_STR("HELO\r\n"));
        torc_test_settle(self.reactor);
        torc_test_connection_free(self.server.connection);
        probe_dispose(&self.server.probe);
    }
    assert_true(pair_logged(&self, "\"times\":3,\"in_all\":4"));
    assert_false(pair_logged(&self, "\"in_all\":2"));
    self.server.connection = NULL;
    probe_init(&self.server.probe);
    close_server(&self);
}

/* ---- later ---- */

static void an_end_without_a_word_is_told_from_a_clean_one(void **state) {
    tls_pair self;

    (void)state;
    pair_open(&self, &(tls_like){.host = NULL});
    torc_test_settle(self.reactor);
    torc_transport_write(self.client.probe.base.transport, TORC_STR("half a mess"));
    torc_test_settle(self.reactor);
    torc_transport_close(torc_filter_below(&self.client.filter->base)); /* FIN alone */
    torc_test_settle(self.reactor);
    check_got(&self.server.probe, "half a mess");
    assert_int_equal(self.server.probe.input_ends, 0);
    check_err(self.server.probe.reason, TORC_ERR_TRUNCATED);
    pair_close(&self);
}

static void a_record_that_was_changed_ends_the_connection(void **state) {
    tls_pair self;

    (void)state;
    pair_open(&self, &(tls_like){.host = NULL});
    torc_test_settle(self.reactor);
    torc_test_connection_send(self.server.connection, TORC_STR("\x17\x03\x03\x00\x14"
                                                               "forged forged forged"));
    torc_test_settle(self.reactor);
    check_err(self.server.probe.reason, TORC_ERR_TLS);
    assert_int_equal(self.server.probe.len, 0);
    assert_int_equal(self.client.probe.losts, 1);
    check_err(self.client.probe.reason, TORC_ERR_TLS); /* by the alert */
    assert_true(pair_logged(&self, "a connection was broken"));
    pair_close(&self);
}

static void a_record_that_is_too_long_is_refused(void **state) {
    tls_pair self;

    (void)state;
    pair_open(&self, &(tls_like){.host = NULL});
    torc_test_settle(self.reactor);
    torc_test_connection_send(self.server.connection, TORC_STR("\x17\x03\x03\xff\xff"));
    torc_test_settle(self.reactor);
    check_err(self.server.probe.reason, TORC_ERR_TLS);
    pair_close(&self);
}

static void last_words_wait_for_a_slow_peer_for_a_while_only(void **state) {
    tls_pair self;

    (void)state;
    open_server(&self, &(tls_like){.host = NULL});
    torc_test_connection_hold_back(self.server.connection);
    torc_test_connection_send(self.server.connection, TORC_STR("\x16\x03\x01\xff\xff"));
    torc_test_settle(self.reactor);
    assert_int_equal(self.server.probe.losts, 0); /* the alert is on its way */
    torc_test_advance(self.reactor, 5000);
    assert_int_equal(self.server.probe.losts, 1);
    close_server(&self);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_that_nobody_vouches_for_are_refused),
        cmocka_unit_test(a_name_must_be_in_the_certificate),
        cmocka_unit_test(names_wildcards_and_addresses_are_found),
        cmocka_unit_test(certificates_have_their_time),
        cmocka_unit_test(keys_may_be_pinned),
        cmocka_unit_test(clients_show_certificates_where_they_must),
        cmocka_unit_test(a_protocol_must_be_in_common),
        cmocka_unit_test(unknown_names_are_refused_where_that_is_asked_for),
        cmocka_unit_test(plain_text_is_recognised_and_answered),
        cmocka_unit_test(nonsense_is_answered_by_an_alert),
        cmocka_unit_test(a_handshake_has_a_deadline),
        cmocka_unit_test(a_client_has_a_deadline_too),
        cmocka_unit_test(a_handshake_may_end_at_every_byte),
        cmocka_unit_test(causes_are_counted_and_told_again_after_a_minute),
        cmocka_unit_test(an_end_without_a_word_is_told_from_a_clean_one),
        cmocka_unit_test(a_record_that_was_changed_ends_the_connection),
        cmocka_unit_test(a_record_that_is_too_long_is_refused),
        cmocka_unit_test(last_words_wait_for_a_slow_peer_for_a_while_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
