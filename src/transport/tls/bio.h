/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_TLS_BIO_H
#define TORC_TRANSPORT_TLS_BIO_H

#include <openssl/bio.h>

/*
 * OpenSSL's view of a filter: what it reads are the bytes that were just received, what it writes
 * goes to the filter's chain. So received bytes are not copied before they are decrypted, and
 * writing never waits.
 */
BIO_METHOD *torc_tls_bio_method_new(void);

#endif
