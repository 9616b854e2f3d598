/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_TLS_FILTER_H
#define TORC_TRANSPORT_TLS_FILTER_H

#include "transport/filter.h"
#include "transport/tls/config.h"
#include "transport/tls/local.h"

/*
 * The TLS filter: OpenSSL between two stages of a connection.
 */

enum {
    TORC_TLS_HOST_MAX = 254,
    TORC_TLS_KEY_MAX = TORC_TLS_HOST_MAX + 8
};

/* Makes filters. Of a server it has a context, of a client a configuration and who must answer. */
typedef struct torc_tls_factory {
    torc_filter_factory base;
    torc_tls_context *context;
    torc_tls_config *config;
    bool is_address; /* `host` is one */
    char host[TORC_TLS_HOST_MAX];
    size_t key_len;
    char key[TORC_TLS_KEY_MAX]; /* of the sessions: host and port */
} torc_tls_factory;

/* What is told of a connection, once somebody asks. */
typedef struct torc_tls_details {
    torc_tls_session session;
    char *name, *peer_name, *failure; /* allocated; NULL: none */
    unsigned char *peer_der;
} torc_tls_details;

typedef struct torc_tls_filter {
    torc_filter base;
    torc_tls_local *local;
    torc_tls_config *config;   /* held */
    torc_tls_factory *factory; /* held; NULL: it is a server */
    SSL *ssl;                  /* NULL: a server before its first byte */
    torc_str in;               /* received, and not yet taken by OpenSSL */
    torc_chain out;            /* written by OpenSSL, to go below */
    torc_err out_err;
    torc_chain gathered; /* from above, to be encrypted */
    torc_timer deadline; /* of the handshake, or of the last words */
    torc_call begin;     /* of one that was put into a running connection */
    torc_tls_details *details;
    uint32_t charged; /* bytes that OpenSSL is taken to have */
    uint32_t early;   /* bytes that still leave in small records */
    uint8_t flags;
} torc_tls_filter;

/* A server's filter; takes the reference to `config`, also when it fails. */
torc_err torc_tls_filter_new_server(torc_reactor *reactor, torc_tls_config *config,
                                    torc_tls_filter **filter) TORC_MUST_CHECK;
/* A client's, by its factory. */
torc_err torc_tls_filter_new_client(torc_reactor *reactor, torc_tls_factory *factory,
                                    torc_tls_filter **filter) TORC_MUST_CHECK;
/* One that was not stacked: free it. */
void torc_tls_filter_discard(torc_tls_filter *filter);
/* Let it be put into a running connection: it begins in a posted call, when whoever asked has
 * returned. */
torc_err torc_tls_filter_start(torc_tls_filter *filter, torc_transport *transport) TORC_MUST_CHECK;
/* A client's factory. */
torc_err torc_tls_factory_new_client(torc_tls_config *config, const char *host, uint16_t port,
                                     torc_tls_factory **factory) TORC_MUST_CHECK;

/* OpenSSL's callback of clients: a session that may be resumed later. */
int torc_tls_keep_session(SSL *ssl, SSL_SESSION *session);
/* The details of a connection; NULL without memory. They go with the filter. */
torc_tls_details *torc_tls_details_of(torc_tls_filter *filter);
void torc_tls_details_free(torc_tls_filter *filter);
/* Fill in what the handshake has agreed. */
const torc_tls_session *torc_tls_session_of(torc_tls_filter *filter);

#endif
