/* SPDX-License-Identifier: MIT */
/*
 * Configurations of servers.
 *
 *  - All contexts of one configuration differ in their certificates alone, so which of them a
 *    client was led to changes nothing else.
 *  - A session is resumed only where the same is asked of clients: its context is a digest of that.
 */
#include <openssl/err.h>
#include <openssl/rand.h>
#include <string.h>
#include <time.h>
#include <torc/digest.h>

#include "base/alloc.h"
#include "base/options.h"
#include "transport/tls/config.h"

enum {
    SESSION_S = 24 * 3600,
    TICKETS = 1, /* for each handshake of TLS 1.3 */
    IV_BYTES = 16
};

/* What contexts are made of. */
typedef struct making {
    const torc_tls_server_options *options;
    torc_tls_common common;
    torc_tls_error *error;
} making;

/* ---- tickets ---- */

static int set_ticket_keys(const torc_tls_config *config, torc_tls_ticket_key *key,
                           unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                           int is_new) {
    static char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_octet_string("key", torc_tls_ticket_hmac(key), 32),
        OSSL_PARAM_utf8_string("digest", digest, sizeof(digest) - 1),
        OSSL_PARAM_END,
    };

    return EVP_MAC_CTX_set_params(mac, parameters) &&
           EVP_CipherInit_ex2(cipher, config->ticket_cipher, torc_tls_ticket_aes(key), iv, is_new,
                              NULL);
}

int torc_tls_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                    EVP_MAC_CTX *mac, int is_new) {
    const torc_tls_config *config = torc_tls_config_of(ssl);
    const int64_t now_s = (int64_t)time(NULL);
    torc_tls_ticket_key key;
    bool is_newest = true;

    if (is_new) {
        if (torc_tls_ticket_keys_newest(config->ticket_keys, now_s, &key) ||
            RAND_bytes(iv, IV_BYTES) <= 0)
            return 0; /* no ticket, then */
        memcpy(name, torc_tls_ticket_name(&key), 16);
    } else if (!torc_tls_ticket_keys_find(config->ticket_keys, name, now_s, &key, &is_newest)) {
        return 0; /* a full handshake */
    }
    const int done = set_ticket_keys(config, &key, iv, cipher, mac, is_new);
    OPENSSL_cleanse(&key, sizeof(key));
    if (!done) return -1;
    /* A ticket of TLS 1.3 is used once (RFC 8446 §C.4): who shows one gets another. */
    return is_new || (is_newest && SSL_version(ssl) < TLS1_3_VERSION) ? 1 : 2;
}

/* ---- what is chosen in the handshake ---- */

static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *len,
                           const unsigned char *offered, unsigned int offered_len, void *context) {
    const torc_tls_config *config = context;
    unsigned char *found;

    (void)ssl;
    if (SSL_select_next_proto(&found, len, config->protocols, (unsigned)config->protocols_len,
                              offered, offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol, RFC 7301 §3.2 */
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

/* Staple the answer that belongs to the certificate which is shown. */
static int staple(SSL *ssl, void *context) {
    const torc_tls_config *config = context;
    const X509 *shown = SSL_get_certificate(ssl);

    for (size_t i = 0; i < config->certificate_count; i++) {
        const torc_tls_loaded *one = &config->certificates[i];
        if (one->leaf != shown || !one->ocsp) continue;
        unsigned char *copy = OPENSSL_memdup(one->ocsp, one->ocsp_len);
        if (!copy) return SSL_TLSEXT_ERR_NOACK;
        SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)one->ocsp_len);
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

/* ---- the contexts ---- */

static torc_err use(SSL_CTX *ctx, torc_tls_loaded *certificate, torc_tls_error *error) {
    char text[128];

    if (SSL_CTX_use_cert_and_key(ctx, certificate->leaf, certificate->key, certificate->chain, 1))
        return TORC_OK;
    return torc_tls_fail_openssl(error, torc_tls_subject(certificate->leaf, text, sizeof(text)));
}

static bool set_peers(torc_tls_config *config, SSL_CTX *ctx, torc_tls_peers peers) {
    STACK_OF(X509_NAME) *names = SSL_dup_CA_list(config->peer_authority_names);

    if (!names || !SSL_CTX_set1_verify_cert_store(ctx, config->peer_authorities)) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return false;
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set_cert_verify_callback(ctx, torc_tls_verify, config);
    SSL_CTX_set_verify(ctx,
                       SSL_VERIFY_PEER |
                           (peers == TORC_TLS_PEERS_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       NULL);
    return true;
}

static void set_tickets(torc_tls_config *config, SSL_CTX *ctx) {
    if (!config->ticket_keys) {
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(ctx, 0);
        return;
    }
    SSL_CTX_set_timeout(ctx, SESSION_S);
    SSL_CTX_set_num_tickets(ctx, TICKETS);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, torc_tls_ticket);
}

static bool set_up(torc_tls_config *config, SSL_CTX *ctx, const torc_tls_server_options *options) {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_early_data(ctx, 0);
    set_tickets(config, ctx);
    SSL_CTX_set_tlsext_servername_callback(ctx, torc_tls_choose_name);
    SSL_CTX_set_tlsext_servername_arg(ctx, config);
    if (config->protocols) SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, config);
    SSL_CTX_set_tlsext_status_cb(ctx, staple);
    SSL_CTX_set_tlsext_status_arg(ctx, config);
    if (options->peers != TORC_TLS_PEERS_UNKNOWN && !set_peers(config, ctx, options->peers))
        return false;
    return SSL_CTX_set_session_id_context(ctx, config->session_context,
                                          sizeof(config->session_context));
}

static SSL_CTX *make_host(torc_tls_config *config, const size_t *certificates, size_t count,
                          void *context) {
    const making *self = context;
    SSL_CTX *ctx = torc_tls_ctx_new(config, &self->common, self->error);
    torc_err err = TORC_OK;

    if (!ctx) return NULL;
    for (size_t i = 0; !err && i < count; i++)
        err = use(ctx, &config->certificates[certificates[i]], self->error);
    if (!err && !set_up(config, ctx, self->options))
        err = torc_tls_fail_openssl(self->error, "TLS");
    if (!err) return ctx;
    ERR_clear_error();
    SSL_CTX_free(ctx);
    return NULL;
}

/* ---- the options ---- */

static torc_err load_certificates(torc_tls_config *config, const torc_tls_server_options *options,
                                  torc_tls_error *error) {
    torc_err err = TORC_OK;

    if (options->certificate_count == 0)
        return torc_tls_fail(error, TORC_ERR_INVALID, "a server of TLS needs a certificate");
    config->certificates = torc_alloc_zero(NULL, TORC_MEMORY_TLS, options->certificate_count,
                                           sizeof(*config->certificates));
    if (!config->certificates) return torc_tls_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
    while (!err && config->certificate_count < options->certificate_count) {
        err = torc_tls_load(&options->certificates[config->certificate_count], options->log, error,
                            &config->certificates[config->certificate_count]);
        if (!err) config->certificate_count++;
    }
    return err;
}

/* A digest of what is asked of clients: of whom they may be signed by, in order. */
static torc_err digest_peers(torc_tls_config *config, torc_tls_peers peers) {
    const unsigned char kind = (unsigned char)peers;
    torc_digest *digest;
    torc_err err = torc_digest_new(NULL, TORC_DIGEST_SHA256, &digest);

    if (err) return err;
    torc_digest_add(digest, torc_str_make((const char *)&kind, 1));
    for (int i = 0; i < sk_X509_NAME_num(config->peer_authority_names); i++) {
        const unsigned char *der;
        size_t len;
        if (X509_NAME_get0_der(sk_X509_NAME_value(config->peer_authority_names, i), &der, &len))
            torc_digest_add(digest, torc_str_make((const char *)der, len));
    }
    err = torc_digest_end(digest, config->session_context);
    torc_digest_free(digest);
    return err;
}

static torc_err load_peers(torc_tls_config *config, const torc_tls_server_options *options,
                           torc_tls_error *error) {
    torc_err err = TORC_OK;

    if (options->peers != TORC_TLS_PEERS_UNKNOWN) {
        if (!options->peer_ca_file && options->peer_ca.len == 0)
            return torc_tls_fail(error, TORC_ERR_INVALID,
                                 "certificates of clients are asked for, and nobody is given who "
                                 "may have signed them: give the file of an authority");
        config->peer_authorities = X509_STORE_new();
        config->peer_authority_names = sk_X509_NAME_new_null();
        if (!config->peer_authorities || !config->peer_authority_names)
            return torc_tls_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
        err = torc_tls_load_authorities(options->peer_ca_file, options->peer_ca,
                                        config->peer_authorities, config->peer_authority_names,
                                        error);
    }
    if (err) return err;
    err = digest_peers(config, options->peers);
    return err ? torc_tls_fail(error, err, "SHA-256: %s", torc_err_text(err)) : TORC_OK;
}

static torc_err make_tickets(torc_tls_config *config, const torc_tls_server_options *options,
                             torc_tls_error *error) {
    if (options->no_tickets) return TORC_OK;
    config->ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    if (!config->ticket_cipher) return torc_tls_fail_openssl(error, "the keys of tickets");
    config->ticket_keys = options->ticket_keys ? options->ticket_keys : &config->own_ticket_keys;
    if (options->ticket_keys) return TORC_OK;
    const torc_err err = torc_tls_ticket_keys_init(&config->own_ticket_keys, 0);
    return err ? torc_tls_fail(error, err, "the keys of tickets: %s", torc_err_text(err)) : TORC_OK;
}

static torc_err keep_reply(torc_tls_config *config, torc_str reply, torc_tls_error *error) {
    if (reply.len == 0) return TORC_OK;
    config->plain_reply = torc_alloc(NULL, TORC_MEMORY_TLS, reply.len);
    if (!config->plain_reply) return torc_tls_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
    memcpy(config->plain_reply, reply.bytes, reply.len);
    config->plain_reply_len = reply.len;
    return TORC_OK;
}

static torc_err build(torc_tls_config *config, const torc_tls_server_options *options,
                      torc_tls_error *error) {
    making self = {
        .options = options,
        .common = {options->preset, options->protocols, options->handshake_ms, options->ciphers,
                   options->groups},
        .error = error,
    };
    torc_err err = torc_tls_config_set(config, &self.common, error);

    config->refuse_unknown_names = options->refuse_unknown_names;
    if (!err) err = load_certificates(config, options, error);
    if (!err) err = load_peers(config, options, error);
    if (!err) err = make_tickets(config, options, error);
    if (!err) err = keep_reply(config, options->plain_reply, error);
    if (!err) err = torc_tls_names_make(config, options->certificates, make_host, &self, error);
    return err;
}

torc_err torc_tls_server_new(const torc_tls_server_options *given, torc_tls_error *error,
                             torc_tls_config **config) {
    torc_tls_server_options options = {0};
    torc_tls_config *self = torc_tls_config_make(false);

    if (!self) return torc_tls_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
    TORC_OPTIONS_READ(&options, given);
    const torc_err err = build(self, &options, error);
    if (err)
        torc_tls_config_unref(self);
    else
        *config = self;
    return err;
}
