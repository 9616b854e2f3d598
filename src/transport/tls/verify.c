/* SPDX-License-Identifier: MIT */
/*
 * Whether a peer is who it must be, and if not, why.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <torc/digest.h>

#include "transport/tls/filter.h"

enum {
    NAMES_SHOWN = 4,
    TEXT_MAX = 128
};

/* ---- pins ---- */

/* The SHA-256 of a certificate's key, as pins have it. */
static bool digest_key(X509 *certificate, unsigned char digest[32]) {
    unsigned char *der = NULL;
    const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    const torc_err err = len > 0
                             ? torc_digest_of(TORC_DIGEST_SHA256,
                                              torc_str_make((const char *)der, (size_t)len), digest)
                             : TORC_ERR_INVALID;

    OPENSSL_free(der);
    return err == TORC_OK;
}

static bool is_pinned(const torc_tls_config *config, X509 *certificate) {
    unsigned char digest[32];

    if (!certificate || !digest_key(certificate, digest)) return false;
    for (size_t i = 0; i < config->pin_count; i++)
        if (memcmp(config->pins[i], digest, sizeof(digest)) == 0) return true;
    return false;
}

static bool has_pinned(const torc_tls_config *config, X509_STORE_CTX *store) {
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);

    if (config->insecure) return is_pinned(config, X509_STORE_CTX_get0_cert(store));
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (is_pinned(config, sk_X509_value(chain, i))) return true;
    return false;
}

/* ---- why not ---- */

static void add_time(torc_buf *text, const ASN1_TIME *time) {
    struct tm parts;

    if (!ASN1_TIME_to_tm(time, &parts)) return;
    torc_buf_addf(text, "%04d-%02d-%02d %02d:%02d:%02d UTC", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

static torc_str text_of_address(const ASN1_OCTET_STRING *bytes, char text[TORC_ADDR_TEXT_MAX]) {
    torc_addr addr = {0};

    if (ASN1_STRING_length(bytes) == 4) {
        addr.as.in.sin_family = AF_INET;
        addr.len = sizeof(addr.as.in);
        memcpy(&addr.as.in.sin_addr, ASN1_STRING_get0_data(bytes), 4);
    } else if (ASN1_STRING_length(bytes) == 16) {
        addr.as.in6.sin6_family = AF_INET6;
        addr.len = sizeof(addr.as.in6);
        memcpy(&addr.as.in6.sin6_addr, ASN1_STRING_get0_data(bytes), 16);
    }
    return torc_addr_host_text(&addr, text);
}

/* For whom a certificate is: some of the names. */
static void add_names(torc_buf *text, X509 *certificate) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    char address[TORC_ADDR_TEXT_MAX];
    int shown = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && shown < NAMES_SHOWN; i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        torc_str name;
        if (one->type == GEN_DNS)
            name = torc_str_make((const char *)ASN1_STRING_get0_data(one->d.dNSName),
                                 (size_t)ASN1_STRING_length(one->d.dNSName));
        else if (one->type == GEN_IPADD)
            name = text_of_address(one->d.iPAddress, address);
        else
            continue;
        torc_buf_add(text, shown++ ? TORC_STR(", ") : torc_str_make("", 0));
        torc_buf_add(text, torc_str_head(name, TEXT_MAX / 2));
    }
    if (shown == 0) torc_buf_add(text, TORC_STR("nobody by name"));
    if (sk_GENERAL_NAME_num(names) > shown) torc_buf_add(text, TORC_STR(" …"));
    GENERAL_NAMES_free(names);
}

static const char *issuer_of(X509 *certificate, char *text, size_t size) {
    if (X509_NAME_get_text_by_NID(X509_get_issuer_name(certificate), NID_commonName, text,
                                  (int)size) <= 0)
        (void)snprintf(text, size, "no name");
    return text;
}

static void explain(torc_buf *text, X509_STORE_CTX *store, const torc_tls_filter *filter) {
    X509 *current = X509_STORE_CTX_get_current_cert(store);
    X509 *shown = current ? current : X509_STORE_CTX_get0_cert(store);
    const int error = X509_STORE_CTX_get_error(store);
    char subject[TEXT_MAX] = "", issuer[TEXT_MAX] = "";

    if (shown) (void)torc_tls_subject(shown, subject, sizeof(subject));
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        torc_buf_addf(text, "the certificate of \"%s\" %s ", subject,
                      error == X509_V_ERR_CERT_HAS_EXPIRED ? "has expired on"
                                                           : "is not valid before");
        add_time(text, error == X509_V_ERR_CERT_HAS_EXPIRED ? X509_get0_notAfter(shown)
                                                            : X509_get0_notBefore(shown));
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        torc_buf_addf(text, "the certificate of \"%s\" is signed by itself, and not trusted",
                      subject);
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        torc_buf_addf(text, "the certificate of \"%s\" is signed by \"%s\", who is not trusted",
                      subject, shown ? issuer_of(shown, issuer, sizeof(issuer)) : "");
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        torc_buf_addf(text, "the certificate is not for %s, but for ",
                      filter->factory ? filter->factory->host : "the peer");
        if (shown) add_names(text, shown);
        break;
    case X509_V_ERR_APPLICATION_VERIFICATION:
        torc_buf_addf(text, "none of the keys that are pinned is in the chain of \"%s\"", subject);
        break;
    default:
        torc_buf_addf(text, "the certificate of \"%s\": %s", subject,
                      X509_verify_cert_error_string(error));
    }
}

static void say_why(X509_STORE_CTX *store) {
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const torc_tls_filter *filter = SSL_get_app_data(ssl);
    char *why = filter->local->why;
    torc_buf text;

    torc_buf_init_fixed(&text, why, TORC_TLS_WHY_MAX - 1);
    explain(&text, store, filter);
    why[text.len] = '\0';
}

int torc_tls_verify(X509_STORE_CTX *store, void *context) {
    const torc_tls_config *config = context;
    bool is_good = config->insecure || X509_verify_cert(store) == 1;

    if (is_good && config->pin_count > 0 && !has_pinned(config, store)) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
        is_good = false;
    }
    if (!is_good) say_why(store);
    return is_good;
}
