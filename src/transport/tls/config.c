/* SPDX-License-Identifier: MIT */
/*
 * What configurations of servers and clients have in common, and the context that swaps them.
 *
 *  - A configuration is freed with its last reference; connections hold one each.
 *  - A context's lock is held for as long as it takes to count one reference.
 */
#include "transport/tls/config.h"

#include <assert.h>
#include <openssl/err.h>
#include <pthread.h>

#include "base/alloc.h"
#include "transport/tls/bio.h"

enum {
    HANDSHAKE_MS = 10000,
    PROTOCOL_MAX = 255,
    SECURITY_LEVEL = 2 /* 112 bits: RSA of 2048, no SHA-1 */
};

/* Ephemeral keys and AEAD; what costs least first. */
#define SUITES_AEAD                                                                                \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

static const char suites_modern[] = SUITES_AEAD;
static const char suites_compatible[] =
    SUITES_AEAD ":DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
                "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
                "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
                "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA";
static const char suites_13[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char groups_default[] = "X25519:P-256:P-384";

/* ---- configurations ---- */

torc_tls_config *torc_tls_config_make(bool is_client) {
    torc_tls_config *self = torc_alloc_zero(NULL, TORC_MEMORY_TLS, 1, sizeof(*self));

    if (!self) return NULL;
    atomic_init(&self->refs, 1);
    self->is_client = is_client;
    torc_map_init(&self->names, NULL, TORC_MEMORY_TLS, true);
    self->bio = torc_tls_bio_method_new();
    if (self->bio) return self;
    torc_dealloc(NULL, self);
    return NULL;
}

torc_tls_config *torc_tls_config_ref(torc_tls_config *self) {
    atomic_fetch_add_explicit(&self->refs, 1, memory_order_relaxed);
    return self;
}

static void free_config(torc_tls_config *self) {
    torc_tls_names_dispose(self);
    if (self->is_client) SSL_CTX_free(self->ctx);
    for (size_t i = 0; i < self->certificate_count; i++) torc_tls_unload(&self->certificates[i]);
    torc_dealloc(NULL, self->certificates);
    X509_STORE_free(self->peer_authorities);
    sk_X509_NAME_pop_free(self->peer_authority_names, X509_NAME_free);
    EVP_CIPHER_free(self->ticket_cipher);
    torc_tls_sessions_free(self->sessions);
    torc_dealloc(NULL, self->protocols);
    torc_dealloc(NULL, self->plain_reply);
    torc_dealloc(NULL, self->pins);
    BIO_meth_free(self->bio);
    OPENSSL_cleanse(&self->own_ticket_keys, sizeof(self->own_ticket_keys));
    torc_dealloc(NULL, self);
}

void torc_tls_config_unref(torc_tls_config *self) {
    if (self && atomic_fetch_sub_explicit(&self->refs, 1, memory_order_acq_rel) == 1)
        free_config(self);
}

/* ---- what is common ---- */

/* Add one protocol of a list to ALPN's form. */
static torc_err add_protocol(torc_tls_config *self, torc_str name, torc_tls_error *error) {
    if (name.len == 0 || name.len > PROTOCOL_MAX)
        return torc_tls_fail(error, TORC_ERR_INVALID,
                             "the protocols for ALPN: \"%.*s\" is no name of one: write names by "
                             "commas, as in \"http/1.1\"",
                             (int)(name.len < 40 ? name.len : 40), name.bytes);
    self->protocols[self->protocols_len++] = (unsigned char)name.len;
    memcpy(self->protocols + self->protocols_len, name.bytes, name.len);
    self->protocols_len += name.len;
    return TORC_OK;
}

torc_err torc_tls_config_set(torc_tls_config *self, const torc_tls_common *common,
                             torc_tls_error *error) {
    torc_str rest = torc_str_of(common->protocols), name;
    torc_err err = TORC_OK;

    self->handshake_ms = common->handshake_ms ? common->handshake_ms : HANDSHAKE_MS;
    if (rest.len == 0) return TORC_OK;
    self->protocols = torc_alloc(NULL, TORC_MEMORY_TLS, rest.len + 1);
    if (!self->protocols) return torc_tls_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
    while (!err && torc_str_split(&rest, ',', &name))
        err = add_protocol(self, torc_str_trim(name), error);
    return err;
}

static const char *suites_of(const torc_tls_common *common) {
    if (common->ciphers) return common->ciphers;
    return common->preset == TORC_TLS_COMPATIBLE ? suites_compatible : suites_modern;
}

static torc_err set_suites(SSL_CTX *ctx, const torc_tls_common *common, torc_tls_error *error) {
    const char *groups = common->groups ? common->groups : groups_default;
    const int lowest = common->preset == TORC_TLS_STRICT ? TLS1_3_VERSION : TLS1_2_VERSION;

    SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
    if (!SSL_CTX_set_min_proto_version(ctx, lowest) || !SSL_CTX_set_ciphersuites(ctx, suites_13))
        return torc_tls_fail_openssl(error, "TLS");
    if (!SSL_CTX_set_cipher_list(ctx, suites_of(common)))
        return torc_tls_fail(
            error, TORC_ERR_INVALID,
            "the ciphers \"%s\": OpenSSL knows none of them, see `openssl ciphers`",
            suites_of(common));
    if (!SSL_CTX_set1_groups_list(ctx, groups))
        return torc_tls_fail(error, TORC_ERR_INVALID,
                             "the groups \"%s\": one of them is unknown to OpenSSL", groups);
    return TORC_OK;
}

SSL_CTX *torc_tls_ctx_new(torc_tls_config *self, const torc_tls_common *common,
                          torc_tls_error *error) {
    SSL_CTX *ctx = SSL_CTX_new(self->is_client ? TLS_client_method() : TLS_server_method());

    ERR_clear_error();
    if (!ctx) {
        (void)torc_tls_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    SSL_CTX_set_app_data(ctx, self);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    /* A chain is what is in the file: it is not searched for in each handshake. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_dh_auto(ctx, 1);
    if (set_suites(ctx, common, error)) {
        ERR_clear_error();
        SSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

torc_tls_config *torc_tls_config_of(const SSL *ssl) {
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/* ---- the context ---- */

struct torc_tls_context {
    atomic_uint refs;
    pthread_mutex_t lock;
    torc_tls_config *config;
};

torc_tls_context *torc_tls_context_new(torc_tls_config *config) {
    torc_tls_context *self = torc_alloc(NULL, TORC_MEMORY_TLS, sizeof(*self));

    assert(!config->is_client);
    if (!self) return NULL;
    if (pthread_mutex_init(&self->lock, NULL)) {
        torc_dealloc(NULL, self);
        return NULL;
    }
    atomic_init(&self->refs, 1);
    self->config = torc_tls_config_ref(config);
    return self;
}

void torc_tls_context_set(torc_tls_context *self, torc_tls_config *config) {
    assert(!config->is_client);
    (void)torc_tls_config_ref(config);
    pthread_mutex_lock(&self->lock);
    torc_tls_config *old = self->config;
    self->config = config;
    pthread_mutex_unlock(&self->lock);
    torc_tls_config_unref(old);
}

torc_tls_config *torc_tls_context_config(torc_tls_context *self) {
    pthread_mutex_lock(&self->lock);
    torc_tls_config *config = torc_tls_config_ref(self->config);
    pthread_mutex_unlock(&self->lock);
    return config;
}

torc_tls_context *torc_tls_context_ref(torc_tls_context *self) {
    atomic_fetch_add_explicit(&self->refs, 1, memory_order_relaxed);
    return self;
}

void torc_tls_context_unref(torc_tls_context *self) {
    if (!self || atomic_fetch_sub_explicit(&self->refs, 1, memory_order_acq_rel) > 1) return;
    torc_tls_config_unref(self->config);
    pthread_mutex_destroy(&self->lock);
    torc_dealloc(NULL, self);
}
