/* SPDX-License-Identifier: MIT */
/*
 * New certificates (RFC 5280), as browsers want them: names stand in subjectAltName, a server's is
 * no authority, its number cannot be guessed.
 *
 *  - All names are looked at before anything is made; no text of the caller's is read by OpenSSL's
 *    own little languages.
 *  - A certificate begins an hour before it is made, for clocks that go a little behind.
 */
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <torc/addr.h>
#include <torc/random.h>

#include "base/options.h"
#include "transport/tls/certificate.h"

enum {
    SERIAL_BYTES = 16,
    LABEL_MAX = 63,
    HOST_MAX = 253,
    COMMON_NAME_MAX = 64, /* ub-common-name */
    EARLY_S = 3600,
    DAY_S = 86400
};

/* ---- names ---- */

static bool is_label(torc_str label) {
    if (label.len == 0 || label.len > LABEL_MAX) return false;
    if (label.bytes[0] == '-' || label.bytes[label.len - 1] == '-') return false;
    for (size_t i = 0; i < label.len; i++) {
        const unsigned char byte = (unsigned char)label.bytes[i];
        if (byte >= 0x80 || !(isalnum(byte) || byte == '-' || byte == '_')) return false;
    }
    return true;
}

static bool is_host(torc_str name) {
    torc_str label;

    if (name.len > HOST_MAX) return false;
    if (torc_str_starts_with(name, TORC_STR("*."))) name = torc_str_from(name, 2);
    while (torc_str_split(&name, '.', &label))
        if (!is_label(label)) return false;
    return true;
}

static bool is_address(const char *name) {
    torc_addr addr;

    return !torc_addr_parse(torc_str_of(name), 0, &addr);
}

static torc_err check_name(const char *name, torc_certificate_error *error) {
    const torc_str text = torc_str_of(name);

    if (is_address(name) || is_host(text)) return TORC_OK;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)name[i] >= 0x80)
            return torc_certificate_fail(
                error, TORC_ERR_INVALID,
                "%.60s: write a name with other letters in its ASCII form, xn--...", name);
    return torc_certificate_fail(error, TORC_ERR_INVALID,
                                 "%.60s: neither a host name nor an address", name);
}

torc_err torc_certificate_check_names(const torc_certificate_options *options,
                                      torc_certificate_error *error) {
    size_t count = 0;

    for (; options->names && options->names[count]; count++) {
        const torc_err err = check_name(options->names[count], error);
        if (err) return err;
    }
    if (count > TORC_CERTIFICATE_NAMES_MAX)
        return torc_certificate_fail(error, TORC_ERR_INVALID, "at most %d names",
                                     TORC_CERTIFICATE_NAMES_MAX);
    if (options->is_authority && count > 0)
        return torc_certificate_fail(error, TORC_ERR_INVALID, "an authority has no names");
    if (!options->is_authority && count == 0)
        return torc_certificate_fail(error, TORC_ERR_INVALID, "a name is missing");
    return TORC_OK;
}

static torc_err check(const torc_certificate_options *options, torc_certificate_error *error) {
    if (options->days > TORC_CERTIFICATE_DAYS_MAX)
        return torc_certificate_fail(error, TORC_ERR_INVALID, "at most %d days",
                                     TORC_CERTIFICATE_DAYS_MAX);
    if (!options->issuer != !options->issuer_key)
        return torc_certificate_fail(error, TORC_ERR_INVALID,
                                     "an authority signs with its certificate and its key");
    if (options->issuer && !torc_certificate_has_key(options->issuer, options->issuer_key))
        return torc_certificate_fail(error, TORC_ERR_INVALID,
                                     "the key of the authority is not that of its certificate");
    if (options->issuer && !torc_certificate_is_authority(options->issuer))
        return torc_certificate_fail(error, TORC_ERR_INVALID, "who shall sign it is no authority");
    return torc_certificate_check_names(options, error);
}

/* ---- extensions ---- */

static bool add_dns(GENERAL_NAME *name, const char *text) {
    ASN1_IA5STRING *const value = ASN1_IA5STRING_new();

    if (!value || !ASN1_STRING_set(value, text, -1)) {
        ASN1_IA5STRING_free(value);
        return false;
    }
    GENERAL_NAME_set0_value(name, GEN_DNS, value);
    return true;
}

static bool add_address(GENERAL_NAME *name, const char *text) {
    ASN1_OCTET_STRING *const value = a2i_IPADDRESS(text);

    if (value) GENERAL_NAME_set0_value(name, GEN_IPADD, value);
    return value;
}

static bool push_name(GENERAL_NAMES *names, const char *text) {
    GENERAL_NAME *const name = GENERAL_NAME_new();

    if (!name) return false;
    if ((is_address(text) ? add_address(name, text) : add_dns(name, text)) &&
        sk_GENERAL_NAME_push(names, name))
        return true;
    GENERAL_NAME_free(name);
    return false;
}

GENERAL_NAMES *torc_certificate_names_new(const char *const *texts) {
    GENERAL_NAMES *const names = GENERAL_NAMES_new();

    for (; names && *texts; texts++)
        if (!push_name(names, *texts)) {
            GENERAL_NAMES_free(names);
            return NULL;
        }
    return names;
}

static bool add_names(X509 *x509, const char *const *texts) {
    GENERAL_NAMES *const names = torc_certificate_names_new(texts);
    const bool fine = names && X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0) == 1;

    GENERAL_NAMES_free(names);
    return fine;
}

/* One that is written in OpenSSL's language, by this file alone. */
static bool add_extension(X509 *x509, X509 *issuer, int nid, const char *text) {
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *const extension = X509V3_EXT_conf_nid(NULL, &context, nid, text);
    const bool fine = extension && X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
    return fine;
}

static const char *usage_of(const torc_private_key *key, bool is_authority) {
    if (is_authority) return "critical,keyCertSign,cRLSign";
    return EVP_PKEY_is_a(key->key, "RSA") ? "critical,digitalSignature,keyEncipherment"
                                          : "critical,digitalSignature";
}

static bool add_extensions(X509 *x509, const torc_private_key *key,
                           const torc_certificate_options *options) {
    const bool is_authority = options->is_authority;
    X509 *const issuer = options->issuer ? options->issuer->x509 : x509;

    return add_extension(x509, issuer, NID_basic_constraints,
                         is_authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
           add_extension(x509, issuer, NID_key_usage, usage_of(key, is_authority)) &&
           (is_authority ||
            add_extension(x509, issuer, NID_ext_key_usage,
                          options->for_clients ? "serverAuth,clientAuth" : "serverAuth")) &&
           add_extension(x509, issuer, NID_subject_key_identifier, "hash") &&
           (!options->issuer ||
            add_extension(x509, issuer, NID_authority_key_identifier, "keyid:always")) &&
           (is_authority || add_names(x509, options->names));
}

/* ---- the rest ---- */

static bool set_serial(X509 *x509) {
    unsigned char bytes[SERIAL_BYTES];

    if (torc_random_bytes(bytes, sizeof bytes)) return false;
    bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, and of the same length always */
    BIGNUM *const number = BN_bin2bn(bytes, sizeof bytes, NULL);
    const bool fine = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
    BN_free(number);
    return fine;
}

/* A name that is longer than the standard has it goes without: subjectAltName has it whole. */
bool torc_certificate_set_subject(X509_NAME *subject, const torc_certificate_options *options) {
    const char *name = options->common_name ? options->common_name
                       : options->names     ? options->names[0]
                                            : "Torc development authority";

    if (strlen(name) > COMMON_NAME_MAX) return true;
    return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
                                      -1, 0);
}

static bool set_issuer(X509 *x509, const torc_certificate *issuer) {
    return X509_set_issuer_name(x509, X509_get_subject_name(issuer ? issuer->x509 : x509));
}

static bool set_times(X509 *x509, const torc_certificate_options *options) {
    const uint32_t usual =
        options->is_authority ? TORC_CERTIFICATE_AUTHORITY_DAYS : TORC_CERTIFICATE_DAYS;
    const int days = (int)(options->days ? options->days : usual);

    /* A day that ends a second early is a day less to browsers: never more than `days` in all. */
    return X509_gmtime_adj(X509_getm_notBefore(x509), -EARLY_S) &&
           X509_time_adj_ex(X509_getm_notAfter(x509), days, -EARLY_S - 1, NULL);
}

const EVP_MD *torc_certificate_digest_for(const torc_private_key *key) {
    return EVP_PKEY_is_a(key->key, "ED25519") ? NULL : EVP_sha256(); /* it has its own */
}

static bool sign(X509 *x509, const torc_private_key *key) {
    return X509_sign(x509, key->key, torc_certificate_digest_for(key)) > 0;
}

static bool fill(X509 *x509, const torc_private_key *key, const torc_certificate_options *options) {
    return X509_set_version(x509, X509_VERSION_3) && set_serial(x509) &&
           torc_certificate_set_subject(X509_get_subject_name(x509), options) &&
           set_issuer(x509, options->issuer) && set_times(x509, options) &&
           X509_set_pubkey(x509, key->key) && add_extensions(x509, key, options) &&
           sign(x509, options->issuer_key ? options->issuer_key : key);
}

torc_err torc_certificate_new(const torc_private_key *key, const torc_certificate_options *given,
                              torc_certificate **certificate, torc_certificate_error *error) {
    torc_certificate_options options = {.size = sizeof(options)};

    TORC_OPTIONS_READ(&options, given);
    const torc_err err = check(&options, error);
    if (err) return err;
    X509 *const x509 = X509_new();
    if (x509 && fill(x509, key, &options)) return torc_certificate_wrap(x509, certificate);
    X509_free(x509);
    ERR_clear_error();
    return torc_certificate_fail(error, TORC_ERR_NO_MEMORY, "OpenSSL cannot make it");
}
