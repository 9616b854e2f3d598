/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_TLS_CERTIFICATE_H
#define TORC_TRANSPORT_TLS_CERTIFICATE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
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
/* Append what was written to a BIO of memory, which is freed; if it could not be, `pem` fails. */
void torc_certificate_add_pem(BIO *bio, bool is_written, torc_buf *pem);
/* What certificates and requests for them have in common: the names of the options, looked at, as
 * OpenSSL has them (NULL: out of memory), the subject, and what a key signs by. */
torc_err torc_certificate_check_names(const torc_certificate_options *options,
                                      torc_certificate_error *error) TORC_MUST_CHECK;
GENERAL_NAMES *torc_certificate_names_new(const char *const *texts);
bool torc_certificate_set_subject(X509_NAME *subject, const torc_certificate_options *options);
const EVP_MD *torc_certificate_digest_for(const torc_private_key *key);
/* Write what went wrong to `error` (may be NULL), and answer `err`. */
torc_err torc_certificate_fail(torc_certificate_error *error, torc_err err, const char *format, ...)
    TORC_PRINTF(3, 4);

#endif
