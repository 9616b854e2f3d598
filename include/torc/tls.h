/* SPDX-License-Identifier: MIT */
#ifndef TORC_TLS_H
#define TORC_TLS_H

#include <torc/filter.h>
#include <torc/log.h>
#include <torc/str.h>

/**
 * TLS: a filter over any transport, for servers and clients, by OpenSSL.
 *
 *     torc_tls_certificate mine = {.cert_file = "cert.pem", .key_file = "key.pem"};
 *     torc_tls_server_options options = {.size = sizeof(options), .certificates = &mine,
 *                                        .certificate_count = 1, .protocols = "http/1.1"};
 *     torc_tls_config *config;
 *     torc_tls_error error;
 *     if (torc_tls_server_new(&options, &error, &config)) … error.text says what is wrong …
 *     torc_tls_context *context = torc_tls_context_new(config);
 *     torc_tls_server_filter(context, &factory);   (to torc_filters_add())
 *
 * A configuration is read from its files when it is made, needs no reactor, never changes, and is
 * used by any number of reactors and threads: so it is made before rights are dropped and before
 * workers are born. It is counted; each connection holds the one that it began with. A context is
 * the place where servers look for the configuration of a new connection: putting another one
 * there is how certificates are reloaded, and no connection notices.
 *
 * What is always so: TLS 1.2 at least; no compression, no renegotiation, no early data; names and
 * chains of servers are verified by clients; the handshake has a deadline; a connection that ends
 * without the peer's close-notify is lost for TORC_ERR_TRUNCATED, so that nobody takes a part for
 * the whole. Of each kind of handshake that fails the first is logged, with its reason, and then
 * how many there were.
 */
typedef struct torc_tls_config torc_tls_config;
typedef struct torc_tls_context torc_tls_context;

/** What is wrong with a configuration: a line for people, with the file's name. NUL-ended. */
typedef struct torc_tls_error {
    char text[512];
} torc_tls_error;

/** What is spoken; always TLS 1.2 or 1.3 and ephemeral keys. */
typedef enum torc_tls_preset {
    TORC_TLS_MODERN,     /* 1.2 and 1.3, suites with AEAD alone */
    TORC_TLS_COMPATIBLE, /* 1.2 and 1.3, also suites with CBC and ephemeral Diffie-Hellman */
    TORC_TLS_STRICT      /* 1.3 alone */
} torc_tls_preset;

/** Whether clients show who they are. */
typedef enum torc_tls_peers {
    TORC_TLS_PEERS_UNKNOWN,  /* they are not asked */
    TORC_TLS_PEERS_OPTIONAL, /* who shows a certificate must be trusted */
    TORC_TLS_PEERS_REQUIRED
} torc_tls_peers;

/**
 * A certificate with its key, in PEM: files, or bytes where a file is NULL. The chain goes from the
 * certificate itself to the one that is next to the root.
 */
typedef struct torc_tls_certificate {
    const char *cert_file;
    const char *key_file; /* NULL, and no bytes: the key is where the certificate is */
    torc_str cert, key;
    const char *passphrase_file; /* its first line opens the key; NULL: a locked key is refused */
    const char *ocsp_file;       /* an answer in DER that is stapled; NULL: none */
    const char *names;           /* by commas; NULL: the DNS names that are in the certificate */
} torc_tls_certificate;

enum {
    TORC_TLS_TICKET_KEYS = 3,
    TORC_TLS_TICKET_KEY_WORDS = 11 /* a name of 16 bytes, 32 for AES, 32 for HMAC, its time */
};

/**
 * The keys of session tickets, newest first: a value without pointers, which may stand in memory
 * that processes share; then a ticket of one of them is good for all. Whoever makes a ticket when
 * the newest key is `life_s` old makes a new key first. The older ones open tickets still.
 */
typedef struct torc_tls_ticket_keys {
    uint32_t state;  /* private: odd while somebody writes */
    uint32_t life_s; /* private */
    uint64_t words[TORC_TLS_TICKET_KEYS][TORC_TLS_TICKET_KEY_WORDS]; /* private */
} torc_tls_ticket_keys;

/** A server's configuration. `size` first; zero means the default. */
typedef struct torc_tls_server_options {
    size_t size; /* sizeof(torc_tls_server_options) */
    /* For one name there may be several, of different kinds (ECDSA, RSA). The first one is also for
     * who asks for no name, or for one that is not there. */
    const torc_tls_certificate *certificates;
    size_t certificate_count;
    torc_tls_preset preset;
    bool refuse_unknown_names; /* … but who does that is refused */
    const char *protocols;     /* for ALPN, by commas, the best first; NULL: not looked at. Who
                                  offers none of them is refused, who offers nothing is not */
    torc_tls_peers peers;
    const char *peer_ca_file;          /* PEM: who may sign the clients' certificates */
    torc_str peer_ca;                  /* or as bytes */
    torc_tls_ticket_keys *ticket_keys; /* shared ones, which must stay; NULL: its own */
    bool no_tickets;                   /* every connection makes a full handshake */
    uint32_t handshake_ms;             /* 10,000 */
    const char *ciphers;  /* of TLS 1.2, in OpenSSL's words, in place of the preset's */
    const char *groups;   /* for the exchange of keys; X25519:P-256:P-384 */
    torc_str plain_reply; /* sent to who speaks no TLS at all, as a browser at http://host:443 does;
                             copied. Empty: nothing is */
    torc_log *log;        /* for warnings: what has expired, or is not valid yet. NULL: silent */
} torc_tls_server_options;

/** A client's configuration. `size` first; zero means the default. */
typedef struct torc_tls_client_options {
    size_t size; /* sizeof(torc_tls_client_options) */
    torc_tls_preset preset;
    /* Who may sign servers' certificates; if none of these is given, whom the system trusts. */
    const char *ca_file;
    const char *ca_dir;                      /* with names as by `openssl rehash` */
    torc_str ca;                             /* PEM */
    bool system_too;                         /* and whom the system trusts */
    const torc_tls_certificate *certificate; /* the client's own; NULL: none */
    const char *protocols;                   /* offered by ALPN, by commas; NULL: none */
    /* By commas, base64 of SHA-256 of public keys (SubjectPublicKeyInfo), with "sha256/" in front
     * or not: one of them must be in the server's chain. NULL: any key will do. */
    const char *pins;
    /* Whoever answers is believed to be who was asked for: for tests. Logged. Pins hold all the
     * same, of the server's own key. */
    bool insecure;
    bool no_resumption;
    uint32_t handshake_ms; /* 10,000 */
    const char *ciphers, *groups;
    torc_log *log;
} torc_tls_client_options;

TORC_BEGIN_DECLS

/**
 * Make a server's configuration. TORC_ERR_NOT_FOUND, TORC_ERR_PERMISSION and so on for a file,
 * TORC_ERR_SYNTAX for what is in it, TORC_ERR_INVALID for what does not fit together; `error` (may
 * be NULL) says which and why.
 */
TORC_API torc_err torc_tls_server_new(const torc_tls_server_options *options, torc_tls_error *error,
                                      torc_tls_config **config) TORC_MUST_CHECK;
/** Make a client's configuration; `options` may be NULL. Fails as the above. */
TORC_API torc_err torc_tls_client_new(const torc_tls_client_options *options, torc_tls_error *error,
                                      torc_tls_config **config) TORC_MUST_CHECK;
/** Hold a configuration once more; answers it. Any thread. */
TORC_API torc_tls_config *torc_tls_config_ref(torc_tls_config *config);
/** Let go of it; the last one frees it. NULL is fine. Any thread. */
TORC_API void torc_tls_config_unref(torc_tls_config *config);

/** Make a context with a server's configuration, which it holds; NULL when out of memory. */
TORC_API torc_tls_context *torc_tls_context_new(torc_tls_config *config) TORC_MUST_CHECK;
/** Let connections from now on have another configuration, which the context holds. Any thread. */
TORC_API void torc_tls_context_set(torc_tls_context *context, torc_tls_config *config);
/** The configuration of now, held once more for the caller. Any thread. */
TORC_API torc_tls_config *torc_tls_context_config(torc_tls_context *context) TORC_MUST_CHECK;
TORC_API torc_tls_context *torc_tls_context_ref(torc_tls_context *context);
TORC_API void torc_tls_context_unref(torc_tls_context *context);

/** Make a factory of filters that serve TLS; it holds the context and may be used in any thread. */
TORC_API torc_err torc_tls_server_filter(torc_tls_context *context,
                                         torc_filter_factory **factory) TORC_MUST_CHECK;
/**
 * Make a factory of filters that ask for TLS of a server: `host`, a name (in its A-label form,
 * xn--…) or a numeric address, is who must answer. With `port` it tells whose sessions may be
 * resumed. TORC_ERR_INVALID when it can be neither.
 */
TORC_API torc_err torc_tls_client_filter(torc_tls_config *config, const char *host, uint16_t port,
                                         torc_filter_factory **factory) TORC_MUST_CHECK;

/**
 * Begin TLS in the middle of a connection, as servers (STARTTLS). The protocol stays; what it has
 * written leaves in plain text, what it writes from now on does not, and waits for the handshake,
 * after which `handshake_completed` is called. It must have consumed its own lines only, and drop
 * what it has of later ones: bytes that come next are TLS or end the connection, so nobody can slip
 * in words before the handshake. `protocol->transport` is another one from now on. TORC_ERR_STATE
 * when the connection is closing, the peer has ended, or a producer is registered.
 */
TORC_API torc_err torc_tls_start_server(torc_transport *transport,
                                        torc_tls_context *context) TORC_MUST_CHECK;
/** The same as clients. */
TORC_API torc_err torc_tls_start_client(torc_transport *transport, torc_tls_config *config,
                                        const char *host, uint16_t port) TORC_MUST_CHECK;

/**
 * Make ticket keys: a first one, to be replaced when it is `life_s` seconds old (0: 43,200).
 * Tickets are good for up to TORC_TLS_TICKET_KEYS times that, and not for longer than a day.
 * TORC_ERR_SYSTEM without random bytes.
 */
TORC_API torc_err torc_tls_ticket_keys_init(torc_tls_ticket_keys *keys,
                                            uint32_t life_s) TORC_MUST_CHECK;
/** Make a new key now; the oldest goes. Any thread and process that shares them. */
TORC_API torc_err torc_tls_ticket_keys_rotate(torc_tls_ticket_keys *keys) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
