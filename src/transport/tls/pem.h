/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_TLS_PEM_H
#define TORC_TRANSPORT_TLS_PEM_H

#include <openssl/ssl.h>
#include <torc/tls.h>

/*
 * Certificates and keys out of files or bytes in PEM, with errors that say what is there instead.
 * Nothing of it needs a reactor; `error` may be NULL everywhere.
 */

/* A certificate with all that a server needs to show it; zero is empty. */
typedef struct torc_tls_loaded {
    X509 *leaf;
    STACK_OF(X509) * chain; /* those above it */
    EVP_PKEY *key;
    char *ocsp; /* NULL: none */
    size_t ocsp_len;
} torc_tls_loaded;

/* Write the line of an error, and answer `err`. */
torc_err torc_tls_fail(torc_tls_error *error, torc_err err, const char *format, ...)
    TORC_PRINTF(3, 4);
/* The same, with what OpenSSL says at the end. */
torc_err torc_tls_fail_openssl(torc_tls_error *error, const char *what);

/* Read a certificate, its chain and its key, and see that they fit. Warnings go to the log. */
torc_err torc_tls_load(const torc_tls_certificate *from, torc_log *log, torc_tls_error *error,
                       torc_tls_loaded *loaded) TORC_MUST_CHECK;
void torc_tls_unload(torc_tls_loaded *loaded);
/* Read certificates of authorities, from a file or, if that is NULL, bytes, into `store`, and their
 * names into `names`, which may be NULL. */
torc_err torc_tls_load_authorities(const char *file, torc_str bytes, X509_STORE *store,
                                   STACK_OF(X509_NAME) * names,
                                   torc_tls_error *error) TORC_MUST_CHECK;
/* Whom a certificate is about, for people: written to `text`, which is answered. */
const char *torc_tls_subject(X509 *certificate, char *text, size_t size);

#endif
