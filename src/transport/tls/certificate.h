/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_TLS_CERTIFICATE_H
#define TORC_TRANSPORT_TLS_CERTIFICATE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <torc/certificate.h>

/*
 * What keys and certificates are to OpenSSL. The names of a certificate are read when it is made,
 * and stand as text behind it.
 */
struct torc_private_key {
    EVP_PKEY *key;
};

struct torc_certificate {
    X509 *x509;
    size_t name_count;
    torc_str names[TORC_CERTIFICATE_NAMES_MAX];
    torc_buf text; /* of the names */
    torc_str common_name, issuer_name;
};

/* Take `x509`, whatever happens, and read what it says. */
torc_err torc_certificate_wrap(X509 *x509, torc_certificate **certificate) TORC_MUST_CHECK;
/* Write what went wrong to `error` (may be NULL), and answer `err`. */
torc_err torc_certificate_fail(torc_certificate_error *error, torc_err err, const char *format, ...)
    TORC_PRINTF(3, 4);

#endif
