/* SPDX-License-Identifier: MIT */
/*
 * Certificates: read, written, and asked.
 *
 *  - What a certificate says is read once, when it is made: its names stand as text in a buffer,
 *    which does not grow afterwards.
 *  - A name with a NUL in it, which other programs may read as a shorter one, is left out.
 *  - No error stays in OpenSSL's queue, where TLS would find it.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <torc/addr.h>
#include <torc/digest.h>

#include "base/alloc.h"
#include "transport/tls/certificate.h"

enum {
    NAME_TEXT_MAX = 64 * 1024
};

torc_err torc_certificate_fail(torc_certificate_error *error, torc_err err, const char *format,
                               ...) {
    va_list arguments;

    if (!error) return err;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return err;
}

/* ---- what it says ---- */

/* Append a text, and answer how long it is; 0 when it is none. */
static size_t add_text(torc_buf *text, const ASN1_STRING *string) {
    const size_t len = (size_t)ASN1_STRING_length(string);
    const char *bytes = (const char *)ASN1_STRING_get0_data(string);

    if (len == 0 || memchr(bytes, '\0', len)) return 0;
    torc_buf_add(text, torc_str_make(bytes, len));
    return len;
}

static size_t add_address(torc_buf *text, const ASN1_OCTET_STRING *string) {
    torc_addr addr = {0};
    char host[TORC_ADDR_TEXT_MAX];

    if (ASN1_STRING_length(string) == 4) {
        addr.as.in.sin_family = AF_INET;
        addr.len = sizeof(addr.as.in);
        memcpy(&addr.as.in.sin_addr, ASN1_STRING_get0_data(string), 4);
    } else if (ASN1_STRING_length(string) == 16) {
        addr.as.in6.sin6_family = AF_INET6;
        addr.len = sizeof(addr.as.in6);
        memcpy(&addr.as.in6.sin6_addr, ASN1_STRING_get0_data(string), 16);
    } else {
        return 0;
    }
    const torc_str name = torc_addr_host_text(&addr, host);
    torc_buf_add(text, name);
    return name.len;
}

static size_t add_name(torc_buf *text, const GENERAL_NAME *name) {
    switch (name->type) {
    case GEN_DNS:
        return add_text(text, name->d.dNSName);
    case GEN_IPADD:
        return add_address(text, name->d.iPAddress);
    default:
        return 0;
    }
}

/* The lengths are kept until the buffer moves no more. */
static void read_names(torc_certificate *self) {
    GENERAL_NAMES *names = X509_get_ext_d2i(self->x509, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (self->name_count == TORC_CERTIFICATE_NAMES_MAX) break;
        const size_t len = add_name(&self->text, sk_GENERAL_NAME_value(names, i));
        if (len > 0) self->names[self->name_count++].len = len;
    }
    GENERAL_NAMES_free(names);
}

static void read_common_name(torc_buf *text, const X509_NAME *name, torc_str *common_name) {
    const int place = X509_NAME_get_index_by_NID((X509_NAME *)(uintptr_t)name, NID_commonName, -1);
    unsigned char *utf8 = NULL;

    if (place < 0) return;
    const int len =
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, place)));
    if (len > 0 && !memchr(utf8, '\0', (size_t)len)) {
        torc_buf_add(text, torc_str_make((const char *)utf8, (size_t)len));
        common_name->len = (size_t)len;
    }
    OPENSSL_free(utf8);
}

static torc_str next_text(const char **at, size_t len) {
    const torc_str text = torc_str_make(*at, len);

    *at += len;
    return text;
}

static torc_err read_texts(torc_certificate *self) {
    read_names(self);
    read_common_name(&self->text, X509_get_subject_name(self->x509), &self->common_name);
    read_common_name(&self->text, X509_get_issuer_name(self->x509), &self->issuer_name);
    if (torc_buf_err(&self->text)) return torc_buf_err(&self->text);

    const char *at = self->text.bytes;
    for (size_t i = 0; i < self->name_count; i++)
        self->names[i] = next_text(&at, self->names[i].len);
    self->common_name = next_text(&at, self->common_name.len);
    self->issuer_name = next_text(&at, self->issuer_name.len);
    return TORC_OK;
}

torc_err torc_certificate_wrap(X509 *x509, torc_certificate **certificate) {
    torc_certificate *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) {
        X509_free(x509);
        return TORC_ERR_NO_MEMORY;
    }
    self->x509 = x509;
    torc_buf_init(&self->text, NULL, TORC_MEMORY_OTHER, NAME_TEXT_MAX);
    const torc_err err = read_texts(self);
    if (err)
        torc_certificate_free(self);
    else
        *certificate = self;
    ERR_clear_error();
    return err;
}

void torc_certificate_free(torc_certificate *certificate) {
    if (!certificate) return;

    X509_free(certificate->x509);
    torc_buf_dispose(&certificate->text);
    torc_dealloc(NULL, certificate);
}

/* ---- text ---- */

void torc_certificate_add_pem(BIO *bio, bool is_written, torc_buf *pem) {
    char *bytes = NULL;

    if (is_written) {
        const long len = BIO_get_mem_data(bio, &bytes);
        torc_buf_add(pem, torc_str_make(bytes, (size_t)len));
    } else {
        ERR_clear_error();
        torc_buf_fail(pem, TORC_ERR_NO_MEMORY);
    }
    BIO_free(bio);
}

void torc_certificate_write_pem(const torc_certificate *certificate, torc_buf *pem) {
    BIO *const bio = BIO_new(BIO_s_mem());

    torc_certificate_add_pem(bio, bio && PEM_write_bio_X509(bio, certificate->x509), pem);
}

torc_err torc_certificate_read_pem(torc_str pem, torc_certificate **certificate,
                                   torc_certificate_error *error) {
    BIO *const bio = pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.bytes, (int)pem.len) : NULL;
    if (!bio) return torc_certificate_fail(error, TORC_ERR_NO_MEMORY, "out of memory");

    ERR_clear_error();
    X509 *const x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    const unsigned long code = ERR_peek_last_error();
    BIO_free(bio);
    ERR_clear_error();
    if (x509) return torc_certificate_wrap(x509, certificate);
    if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
        return torc_certificate_fail(error, TORC_ERR_NOT_FOUND, "there is no certificate in it");
    return torc_certificate_fail(error, TORC_ERR_SYNTAX, "the certificate is damaged");
}

/* ---- questions ---- */

size_t torc_certificate_name_count(const torc_certificate *certificate) {
    return certificate->name_count;
}

torc_str torc_certificate_name(const torc_certificate *certificate, size_t place) {
    return certificate->names[place];
}

torc_str torc_certificate_common_name(const torc_certificate *certificate) {
    return certificate->common_name;
}

torc_str torc_certificate_issuer_name(const torc_certificate *certificate) {
    return certificate->issuer_name;
}

static int64_t seconds_of(const ASN1_TIME *when) {
    struct tm parts;

    return ASN1_TIME_to_tm(when, &parts) ? (int64_t)timegm(&parts) : 0;
}

int64_t torc_certificate_begins_s(const torc_certificate *certificate) {
    return seconds_of(X509_get0_notBefore(certificate->x509));
}

int64_t torc_certificate_ends_s(const torc_certificate *certificate) {
    return seconds_of(X509_get0_notAfter(certificate->x509));
}

bool torc_certificate_is_self_signed(const torc_certificate *certificate) {
    return X509_self_signed(certificate->x509, 0) == 1;
}

bool torc_certificate_is_authority(const torc_certificate *certificate) {
    return X509_check_ca(certificate->x509) == 1;
}

bool torc_certificate_is_for(const torc_certificate *certificate, const char *host) {
    torc_addr addr;

    if (!torc_addr_parse(torc_str_of(host), 0, &addr))
        return X509_check_ip_asc(certificate->x509, host, 0) == 1;
    return X509_check_host(certificate->x509, host, 0,
                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                           NULL) == 1;
}

bool torc_certificate_has_key(const torc_certificate *certificate, const torc_private_key *key) {
    const bool has = X509_check_private_key(certificate->x509, key->key) == 1;

    ERR_clear_error();
    return has;
}

bool torc_certificate_is_signed_by(const torc_certificate *certificate,
                                   const torc_certificate *authority) {
    const bool is_named = X509_check_issued(authority->x509, certificate->x509) == X509_V_OK;
    EVP_PKEY *const key = X509_get0_pubkey(authority->x509);
    const bool is_signed = is_named && key && X509_verify(certificate->x509, key) == 1;

    ERR_clear_error();
    return is_signed;
}

static torc_err hash_of(unsigned char *der, int len, unsigned char *hash) {
    if (len <= 0) return TORC_ERR_NO_MEMORY;

    const torc_err err =
        torc_digest_of(TORC_DIGEST_SHA256, torc_str_make((char *)der, (size_t)len), hash);
    OPENSSL_free(der);
    return err;
}

torc_err torc_certificate_fingerprint(const torc_certificate *certificate,
                                      unsigned char hash[TORC_CERTIFICATE_HASH_BYTES]) {
    unsigned char *der = NULL;
    const int len = i2d_X509(certificate->x509, &der);

    return hash_of(der, len, hash);
}

torc_err torc_certificate_pin(const torc_certificate *certificate,
                              unsigned char hash[TORC_CERTIFICATE_HASH_BYTES]) {
    unsigned char *der = NULL;
    const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate->x509), &der);

    return hash_of(der, len, hash);
}
