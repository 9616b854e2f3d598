/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_TLS_CONFIG_H
#define TORC_TRANSPORT_TLS_CONFIG_H

#include <stdatomic.h>

#include "base/map.h"
#include "transport/tls/pem.h"
#include "transport/tls/sessions.h"
#include "transport/tls/tickets.h"

/*
 * The inside of a configuration, for the files of this folder. Once made it does not change but for
 * its count, its ticket keys and its sessions, which look after themselves.
 */

/* A name of the server, or "*." and what is behind the first label. */
typedef struct torc_tls_name {
    struct torc_tls_name *next;
    SSL_CTX *ctx;
    size_t place; /* while they are made: of its set */
    size_t len;
    char text[];
} torc_tls_name;

struct torc_tls_config {
    atomic_uint refs;
    bool is_client;
    SSL_CTX *ctx; /* a server's: for who asks for no name */
    BIO_METHOD *bio;
    uint32_t handshake_ms;
    unsigned char *protocols; /* as ALPN has them, each behind its length */
    size_t protocols_len;

    /* Of servers. */
    torc_tls_loaded *certificates;
    size_t certificate_count;
    SSL_CTX **hosts; /* for each set of certificates that names share; hosts[0] is `ctx` */
    size_t host_count;
    torc_map names; /* to torc_tls_name */
    torc_tls_name *first_name;
    bool refuse_unknown_names;
    X509_STORE *peer_authorities;
    STACK_OF(X509_NAME) * peer_authority_names;
    unsigned char session_context[32]; /* sessions of another one are not resumed */
    torc_tls_ticket_keys *ticket_keys; /* NULL: none */
    torc_tls_ticket_keys own_ticket_keys;
    EVP_CIPHER *ticket_cipher;
    char *plain_reply;
    size_t plain_reply_len;

    /* Of clients. */
    unsigned char (*pins)[32];
    size_t pin_count;
    bool insecure;
    torc_tls_sessions *sessions; /* NULL: none are kept */
};

/* What both kinds of options have in common. */
typedef struct torc_tls_common {
    torc_tls_preset preset;
    const char *protocols;
    uint32_t handshake_ms;
    const char *ciphers, *groups;
} torc_tls_common;

/* An empty configuration; NULL when out of memory. */
torc_tls_config *torc_tls_config_make(bool is_client) TORC_MUST_CHECK;
/* Set what is common: `protocols`, `handshake_ms`. */
torc_err torc_tls_config_set(torc_tls_config *config, const torc_tls_common *common,
                             torc_tls_error *error) TORC_MUST_CHECK;
/* OpenSSL's context of a configuration, with what is common set; NULL after an error. */
SSL_CTX *torc_tls_ctx_new(torc_tls_config *config, const torc_tls_common *common,
                          torc_tls_error *error) TORC_MUST_CHECK;
/* The configuration of a context of OpenSSL's. */
torc_tls_config *torc_tls_config_of(const SSL *ssl);

/* Make the names of a server's certificates, and the contexts that they lead to. `make` makes one.
 */
typedef SSL_CTX *torc_tls_host_fn(torc_tls_config *config, const size_t *certificates, size_t count,
                                  void *context);
torc_err torc_tls_names_make(torc_tls_config *config, const torc_tls_certificate *from,
                             torc_tls_host_fn *make, void *context,
                             torc_tls_error *error) TORC_MUST_CHECK;
void torc_tls_names_dispose(torc_tls_config *config);
/* OpenSSL's callback for the name that a client asks for. */
int torc_tls_choose_name(SSL *ssl, int *alert, void *config);

/* OpenSSL's callback that verifies a chain; what is wrong is said by torc_tls_why_not(). */
int torc_tls_verify(X509_STORE_CTX *store, void *config);
/* OpenSSL's callback for session tickets. */
int torc_tls_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                    EVP_MAC_CTX *mac, int is_new);

#endif
