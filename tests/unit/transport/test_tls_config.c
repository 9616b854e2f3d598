/* SPDX-License-Identifier: MIT */
/*
 * Configurations of TLS: what is wrong with files is said, and names lead to their certificates.
 */
#include <sys/stat.h>

#include "tls_pair.h"

typedef struct bench {
    char folder[32];
    torc_buf logged;
    torc_log *log;
    cert authority, mine, other;
} bench;

static int set_up(void **state) {
    static bench self;

    memset(&self, 0, sizeof(self));
    strcpy(self.folder, "/tmp/torc-tls-XXXXXX");
    assert_non_null(mkdtemp(self.folder));
    torc_buf_init(&self.logged, NULL, TORC_MEMORY_OTHER, 1 << 20);
    check_ok(torc_log_new_buf(NULL, &self.logged, TORC_LOG_FORMAT_TEXT, &self.log));
    self.authority = cert_make(&(cert_like){.common_name = "authority", .is_authority = true});
    self.mine = cert_make(&(cert_like){
        .common_name = "mine", .names = "DNS:mine.example", .issuer = &self.authority});
    self.other = cert_make(&(cert_like){.common_name = "other", .names = "DNS:other.example"});
    *state = &self;
    return 0;
}

static int tear_down(void **state) {
    bench *self = *state;
    char command[64];

    snprintf(command, sizeof(command), "rm -r %s", self->folder);
    (void)!system(command);
    torc_log_free(self->log);
    torc_buf_dispose(&self->logged);
    cert_free(&self->authority);
    cert_free(&self->mine);
    cert_free(&self->other);
    return 0;
}

/* Make a server of one certificate: it must fail with `err`, and say `text`; NULL: it must not. */
static void try_certificate(bench *self, const torc_tls_certificate *one, torc_err err,
                            const char *text) {
    const torc_tls_server_options options = {
        .size = sizeof(options), .certificates = one, .certificate_count = 1, .log = self->log};
    torc_tls_error error = {{0}};
    torc_tls_config *config = NULL;

    check_err(torc_tls_server_new(&options, &error, &config), err);
    if (text && !strstr(error.text, text)) {
        print_error("got \"%s\", without \"%s\"\n", error.text, text);
        fail();
    }
    torc_tls_config_unref(config);
}

static char *file(bench *self, const char *name, const char *text) {
    return cert_write(self->folder, name, torc_str_of(text));
}

static void certificates_come_from_files_and_from_bytes(void **state) {
    bench *self = *state;
    char *cert_file = file(self, "cert.pem", self->mine.cert_pem);
    char *key_file = file(self, "key.pem", self->mine.key_pem);
    char *both = cert_join(self->mine.cert_pem, self->mine.key_pem);
    char *both_file = file(self, "both.pem", both);

    try_certificate(self, &(torc_tls_certificate){.cert_file = cert_file, .key_file = key_file},
                    TORC_OK, NULL);
    try_certificate(self, &(torc_tls_certificate){.cert_file = both_file}, TORC_OK, NULL);
    const torc_tls_certificate bytes = cert_of(&self->mine);
    try_certificate(self, &bytes, TORC_OK, NULL);
    assert_int_equal(self->logged.len, 0);
    free(cert_file);
    free(key_file);
    free(both);
    free(both_file);
}

static void a_file_that_cannot_be_read_is_named(void **state) {
    bench *self = *state;
    char *empty = file(self, "empty.pem", ""), *pipe = file(self, "pipe.pem", "");

    assert_int_equal(unlink(pipe), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    try_certificate(self, &(torc_tls_certificate){.cert_file = "/nowhere/cert.pem"},
                    TORC_ERR_NOT_FOUND, "/nowhere/cert.pem: cannot be read");
    try_certificate(self, &(torc_tls_certificate){.cert_file = empty}, TORC_ERR_SYNTAX,
                    "empty.pem: is empty");
    try_certificate(self, &(torc_tls_certificate){.cert_file = self->folder}, TORC_ERR_IS_DIRECTORY,
                    "cannot be read");
    /* Nobody is waited for who might write. */
    try_certificate(self, &(torc_tls_certificate){.cert_file = pipe}, TORC_ERR_INVALID,
                    "pipe.pem: cannot be read: it is no regular file");
    try_certificate(self, &(torc_tls_certificate){.cert_file = "/dev/zero"}, TORC_ERR_INVALID,
                    "/dev/zero: cannot be read: it is no regular file");
    free(empty);
    free(pipe);
}

static void what_is_not_pem_is_told_from_der(void **state) {
    bench *self = *state;
    char *text = file(self, "text.pem", "hello");
    unsigned char *der = NULL;
    const int len = i2d_X509(self->mine.x509, &der);
    char *der_file = cert_write(self->folder, "cert.der", torc_str_make((char *)der, (size_t)len));

    try_certificate(self, &(torc_tls_certificate){.cert_file = text}, TORC_ERR_SYNTAX,
                    "text.pem: is not PEM");
    try_certificate(self, &(torc_tls_certificate){.cert_file = der_file}, TORC_ERR_SYNTAX,
                    "but DER");
    OPENSSL_free(der);
    free(text);
    free(der_file);
}

static void what_is_there_instead_is_said(void **state) {
    bench *self = *state;
    torc_tls_certificate one = {.cert = torc_str_of(self->mine.key_pem)};
    char *half = cert_join(self->mine.cert_pem, "");

    try_certificate(self, &one, TORC_ERR_SYNTAX,
                    "no certificate; the first thing in it is: "
                    "PRIVATE KEY");
    one = (torc_tls_certificate){.cert = torc_str_of(self->mine.cert_pem)};
    try_certificate(self, &one, TORC_ERR_SYNTAX,
                    "no private key; the first thing in it is: "
                    "CERTIFICATE");
    memset(half + strlen(half) / 2, '!', 20);
    one = (torc_tls_certificate){.cert = torc_str_of(half)};
    try_certificate(self, &one, TORC_ERR_SYNTAX, "certificate 1 in it is damaged");
    one = cert_of(&self->mine);
    one.key.len = one.key.len / 2;
    try_certificate(self, &one, TORC_ERR_SYNTAX, "the key: the key in it is damaged");
    free(half);
}

static void a_key_that_does_not_match_is_refused(void **state) {
    bench *self = *state;
    const torc_tls_certificate one = {.cert = torc_str_of(self->mine.cert_pem),
                                      .key = torc_str_of(self->other.key_pem)};
    try_certificate(self, &one, TORC_ERR_INVALID,
                    "the key does not belong to the certificate of \"mine\"");
}

static void a_locked_key_is_opened_by_its_passphrase_alone(void **state) {
    bench *self = *state;
    cert locked = cert_make(&(cert_like){.common_name = "locked", .passphrase = "open sesame"});
    char *right = file(self, "right", "open sesame\n"), *wrong = file(self, "wrong", "sesame\n");
    torc_tls_certificate one = cert_of(&locked);

    try_certificate(self, &one, TORC_ERR_INVALID, "the key is protected by a passphrase");
    one.passphrase_file = wrong;
    try_certificate(self, &one, TORC_ERR_INVALID, "does not open the key");
    one.passphrase_file = right;
    try_certificate(self, &one, TORC_OK, NULL);
    one.passphrase_file = "/nowhere/words";
    try_certificate(self, &one, TORC_ERR_NOT_FOUND, "/nowhere/words");
    cert_free(&locked);
    free(right);
    free(wrong);
}

static void chains_are_in_order(void **state) {
    bench *self = *state;
    cert middle = cert_make(
        &(cert_like){.common_name = "middle", .is_authority = true, .issuer = &self->authority});
    cert leaf = cert_make(&(cert_like){.common_name = "leaf", .issuer = &middle});
    char *above = cert_join(middle.cert_pem, self->authority.cert_pem);
    char *swapped = cert_join(self->authority.cert_pem, middle.cert_pem);
    char *good = cert_join(leaf.cert_pem, above), *bad = cert_join(leaf.cert_pem, swapped);
    char *last = cert_join(middle.cert_pem, leaf.cert_pem);
    torc_tls_certificate one = cert_of(&leaf);

    one.cert = torc_str_of(good);
    try_certificate(self, &one, TORC_OK, NULL);
    assert_int_equal(self->logged.len, 0);
    one.cert = torc_str_of(bad);
    try_certificate(self, &one, TORC_ERR_INVALID,
                    "not in order: \"leaf\" is followed by \"authority\"");
    one.cert = torc_str_of(last);
    try_certificate(self, &one, TORC_ERR_INVALID, "the key is that of \"leaf\"");
    free(above);
    free(swapped);
    free(good);
    free(bad);
    free(last);
    cert_free(&middle);
    cert_free(&leaf);
}

static void what_is_wrong_in_time_is_a_warning(void **state) {
    bench *self = *state;
    cert old = cert_make(&(cert_like){.common_name = "old", .from_s = -7200, .until_s = -3600});
    cert young = cert_make(&(cert_like){.common_name = "young", .from_s = 3600, .until_s = 7200});
    torc_tls_certificate one = cert_of(&old);

    try_certificate(self, &one, TORC_OK, NULL);
    assert_true(torc_str_find(torc_buf_str(&self->logged), TORC_STR("has expired")) > 0);
    torc_buf_clear(&self->logged);
    one = cert_of(&young);
    try_certificate(self, &one, TORC_OK, NULL);
    assert_true(torc_str_find(torc_buf_str(&self->logged), TORC_STR("not valid yet")) > 0);
    cert_free(&old);
    cert_free(&young);
}

static void an_answer_of_ocsp_is_one(void **state) {
    bench *self = *state;
    char *text = file(self, "ocsp", "hello");
    torc_tls_certificate one = cert_of(&self->mine);

    one.ocsp_file = text;
    try_certificate(self, &one, TORC_ERR_SYNTAX, "is not a successful answer of OCSP");
    free(text);
}

static void try_server(torc_tls_server_options options, torc_err err, const char *text) {
    torc_tls_error error = {{0}};
    torc_tls_config *config = NULL;

    options.size = sizeof(options);
    check_err(torc_tls_server_new(&options, &error, &config), err);
    if (text) assert_non_null(strstr(error.text, text));
    torc_tls_config_unref(config);
    config = NULL;
    check_err(torc_tls_server_new(&options, NULL, &config), err);
    torc_tls_config_unref(config);
}

static void options_that_make_no_sense_are_refused(void **state) {
    bench *self = *state;
    const torc_tls_certificate mine = cert_of(&self->mine);
    torc_tls_server_options good = {.certificates = &mine, .certificate_count = 1}, bad = good;

    try_server(good, TORC_OK, NULL);
    bad.certificate_count = 0;
    try_server(bad, TORC_ERR_INVALID, "needs a certificate");
    bad = good;
    bad.ciphers = "NONSENSE";
    try_server(bad, TORC_ERR_INVALID, "the ciphers \"NONSENSE\"");
    bad = good;
    bad.groups = "X25519:nonsense";
    try_server(bad, TORC_ERR_INVALID, "the groups");
    bad = good;
    bad.protocols = "http/1.1,,h2";
    try_server(bad, TORC_ERR_INVALID, "ALPN");
    bad = good;
    bad.peers = TORC_TLS_PEERS_REQUIRED;
    try_server(bad, TORC_ERR_INVALID, "give the file of an authority");
    bad.peer_ca_file = "/nowhere/ca.pem";
    try_server(bad, TORC_ERR_NOT_FOUND, "/nowhere/ca.pem");
}

static void try_client(torc_tls_client_options options, torc_err err, const char *text) {
    torc_tls_error error = {{0}};
    torc_tls_config *config = NULL;

    options.size = sizeof(options);
    check_err(torc_tls_client_new(&options, &error, &config), err);
    if (text) assert_non_null(strstr(error.text, text));
    torc_tls_config_unref(config);
}

static void a_clients_options_are_read_as_strictly(void **state) {
    bench *self = *state;
    const torc_tls_certificate wrong = {.cert = torc_str_of(self->mine.cert_pem),
                                        .key = torc_str_of(self->other.key_pem)};

    try_client((torc_tls_client_options){0}, TORC_OK, NULL);
    try_client((torc_tls_client_options){.pins = "sha256/short"}, TORC_ERR_SYNTAX, "the pin");
    try_client((torc_tls_client_options){.ca_file = "/nowhere"}, TORC_ERR_NOT_FOUND, "/nowhere");
    try_client((torc_tls_client_options){.ca_dir = "/nowhere"}, TORC_ERR_NOT_FOUND, "/nowhere");
    try_client((torc_tls_client_options){.ca = TORC_STR("hello")}, TORC_ERR_SYNTAX, "not PEM");
    try_client((torc_tls_client_options){.certificate = &wrong}, TORC_ERR_INVALID,
               "does not belong");
    try_client((torc_tls_client_options){.insecure = true, .log = self->log}, TORC_OK, NULL);
    assert_true(torc_str_find(torc_buf_str(&self->logged), TORC_STR("not verified")) > 0);
}

static void authorities_may_be_a_folder(void **state) {
    bench *self = *state;
    tls_like like = {.client.ca_dir = self->folder};
    tls_pair pair;
    char name[32];

    pair_init(&pair, false);
    snprintf(name, sizeof(name), "%08lx.0", X509_subject_name_hash(pair.authority.x509));
    char *path = file(self, name, pair.authority.cert_pem);
    like.client.ca = torc_str_of(self->other.cert_pem); /* another one, that does not matter */
    pair_configure(&pair, &like);
    pair_connect(&pair, &like);
    torc_test_settle(pair.reactor);
    assert_true(pair_is_secure(&pair));
    pair_close(&pair);
    free(path);
}

static void a_client_asks_for_a_name_or_an_address(void **state) {
    static const char *const good[] = {
        "a.example", "a.example.", "xn--bcher-kva.example", "127.0.0.1", "::1", "a_b", "localhost"};
    static const char *const bad[] = {"",
                                      ".",
                                      "a..b",
                                      "b\xc3\xbc"
                                      "cher.example",
                                      "a b",
                                      "a/b",
                                      "*.example",
                                      "unix"
                                      "/x"};
    torc_filter_factory *factory;
    torc_tls_config *config;

    (void)state;
    check_ok(torc_tls_client_new(NULL, NULL, &config));
    for (size_t i = 0; i < TORC_COUNT_OF(good); i++) {
        check_ok(torc_tls_client_filter(config, good[i], 443, &factory));
        torc_filter_factory_unref(factory);
    }
    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++)
        check_err(torc_tls_client_filter(config, bad[i], 443, &factory), TORC_ERR_INVALID);
    torc_tls_config_unref(config);
}

/* ---- names ---- */

/* The certificate that a client gets who asks for a name; "" when it is refused. */
static void check_shown(const torc_tls_server_options *server, const cert *authority,
                        const char *host, const char *ciphers, const char *expected) {
    tls_like like = {.server = *server, .host = host};
    tls_pair self;

    like.client.insecure = true;
    like.client.ciphers = ciphers;
    (void)authority;
    pair_open(&self, &like);
    torc_test_settle(self.reactor);
    char text[128] = "";
    X509 *shown = SSL_get0_peer_certificate(self.client.filter->ssl);
    if (shown && torc_tls_session_of(self.client.filter)->version.len > 0)
        (void)torc_tls_subject(shown, text, sizeof(text));
    assert_string_equal(text, expected);
    pair_close(&self);
}

static void names_lead_to_their_certificates(void **state) {
    bench *self = *state;
    cert wild = cert_make(&(cert_like){.common_name = "wild", .names = "DNS:*.w.example"});
    cert rsa =
        cert_make(&(cert_like){.common_name = "rsa", .names = "DNS:mine.example", .kind = "RSA"});
    torc_tls_certificate all[] = {cert_of(&self->mine), cert_of(&self->other), cert_of(&wild),
                                  cert_of(&rsa)};
    torc_tls_server_options server = {.certificates = all, .certificate_count = 4};

    check_shown(&server, NULL, "mine.example", NULL, "mine");
    check_shown(&server, NULL, "MINE.example", NULL, "mine");
    check_shown(&server, NULL, "other.example", NULL, "other");
    check_shown(&server, NULL, "x.w.example", NULL, "wild");
    check_shown(&server, NULL, "y.x.w.example", NULL, "mine");
    check_shown(&server, NULL, "w.example", NULL, "mine");
    check_shown(&server, NULL, "unknown.example", NULL, "mine");
    check_shown(&server, NULL, "127.0.0.1", NULL, "mine"); /* asks for no name */
    server.refuse_unknown_names = true;
    check_shown(&server, NULL, "x.w.example", NULL, "wild");
    all[1].names = "one.example, two.example";
    check_shown(&server, NULL, "two.example", NULL, "other");
    cert_free(&wild);
    cert_free(&rsa);
}

static void a_context_swaps_configurations_for_new_connections(void **state) {
    bench *bench_ = *state;
    const torc_tls_certificate other = cert_of(&bench_->other);
    const tls_like like = {.client.insecure = true};
    tls_like changed = like;
    tls_pair self;
    char text[128];

    pair_open(&self, &like);
    torc_test_settle(self.reactor);
    changed.server.certificates = &other;
    changed.server.certificate_count = 1;
    torc_tls_config *config = pair_server(&self, &changed);
    torc_tls_context_set(self.context, config);
    torc_tls_config_unref(config);
    torc_transport_write(self.client.probe.base.transport, TORC_STR("still"));
    torc_test_settle(self.reactor);
    check_got(&self.server.probe, "still"); /* the old connection goes on */
    pair_disconnect(&self);
    pair_connect(&self, &like);
    torc_test_settle(self.reactor);
    assert_string_equal(
        torc_tls_subject(SSL_get0_peer_certificate(self.client.filter->ssl), text, sizeof(text)),
        "other");
    pair_close(&self);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(certificates_come_from_files_and_from_bytes),
        CASE(a_file_that_cannot_be_read_is_named),
        CASE(what_is_not_pem_is_told_from_der),
        CASE(what_is_there_instead_is_said),
        CASE(a_key_that_does_not_match_is_refused),
        CASE(a_locked_key_is_opened_by_its_passphrase_alone),
        CASE(chains_are_in_order),
        CASE(what_is_wrong_in_time_is_a_warning),
        CASE(an_answer_of_ocsp_is_one),
        CASE(options_that_make_no_sense_are_refused),
        CASE(a_clients_options_are_read_as_strictly),
        CASE(authorities_may_be_a_folder),
        CASE(a_client_asks_for_a_name_or_an_address),
        CASE(names_lead_to_their_certificates),
        CASE(a_context_swaps_configurations_for_new_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
