/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_CERTIFICATES_H
#define TORC_TESTS_CERTIFICATES_H

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <torc/tls.h>
#include <unistd.h>

#include "check.h"

/*
 * Certificates of the test's own making, so that none is in the tree: keys are made when they are
 * needed, of kinds that are made quickly.
 */
typedef struct cert {
    X509 *x509;
    EVP_PKEY *key;
    char *cert_pem, *key_pem;
} cert;

/* What a certificate is to be like; zero: of a server for one day, with a key of ECDSA, signed by
 * itself. */
typedef struct cert_like {
    const char *common_name;
    const char *names;  /* as "DNS:a.example,IP:127.0.0.1"; NULL: none */
    const char *kind;   /* "EC", "RSA", "ED25519" */
    const cert *issuer; /* NULL: itself */
    bool is_authority;
    long from_s, until_s; /* from now */
    const char *passphrase;
} cert_like;

static inline EVP_PKEY *cert_key(const char *kind) {
    if (kind && strcmp(kind, "RSA") == 0) return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    if (kind && strcmp(kind, "EC") != 0) return EVP_PKEY_Q_keygen(NULL, NULL, kind);
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static inline char *cert_text_of(BIO *bio) {
    char *bytes, *text;
    const long len = BIO_get_mem_data(bio, &bytes);

    text = (char *)malloc((size_t)len + 1);
    assert_non_null(text);
    memcpy(text, bytes, (size_t)len);
    text[len] = '\0';
    BIO_free(bio);
    return text;
}

static inline void cert_extend(X509 *x509, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_true(X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
}

static inline cert cert_make(const cert_like *like) {
    static long serial = 1;
    const char *name = like->common_name ? like->common_name : "test";
    cert self = {.x509 = X509_new(), .key = cert_key(like->kind)};
    X509 *const x509 = self.x509;
    X509_NAME *subject = X509_get_subject_name(x509);
    BIO *bio = BIO_new(BIO_s_mem());

    assert_non_null(self.key);
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++ * 1000 + getpid() % 1000);
    X509_gmtime_adj(X509_getm_notBefore(x509), like->from_s ? like->from_s : -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), like->until_s ? like->until_s : 86400);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
                               0);
    X509 *issuer = like->issuer ? like->issuer->x509 : x509;
    X509_set_issuer_name(x509, X509_get_subject_name(issuer));
    X509_set_pubkey(x509, self.key);
    cert_extend(x509, issuer, NID_basic_constraints,
                like->is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (like->names) cert_extend(x509, issuer, NID_subject_alt_name, like->names);
    EVP_PKEY *signer = like->issuer ? like->issuer->key : self.key;
    assert_true(X509_sign(x509, signer,
                          EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519 ? NULL : EVP_sha256()));

    assert_true(PEM_write_bio_X509(bio, x509));
    self.cert_pem = cert_text_of(bio);
    bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_PKCS8PrivateKey(
        bio, self.key, like->passphrase ? EVP_aes_128_cbc() : NULL, like->passphrase,
        like->passphrase ? (int)strlen(like->passphrase) : 0, NULL, NULL));
    self.key_pem = cert_text_of(bio);
    return self;
}

static inline void cert_free(cert *self) {
    X509_free(self->x509);
    EVP_PKEY_free(self->key);
    free(self->cert_pem);
    free(self->key_pem);
    *self = (cert){0};
}

/* The certificate for a configuration, from memory. */
static inline torc_tls_certificate cert_of(const cert *self) {
    return (torc_tls_certificate){.cert = torc_str_of(self->cert_pem),
                                  .key = torc_str_of(self->key_pem)};
}

/* Two texts as one, which is the caller's. */
static inline char *cert_join(const char *one, const char *other) {
    char *both = (char *)malloc(strlen(one) + strlen(other) + 1);

    assert_non_null(both);
    strcpy(both, one);
    strcat(both, other);
    return both;
}

/* Write a file into a folder; its path is the caller's. */
static inline char *cert_write(const char *folder, const char *name, torc_str bytes) {
    char *path;

    assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
    const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.bytes, bytes.len), bytes.len);
    close(fd);
    return path;
}

#endif
