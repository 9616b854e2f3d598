/* SPDX-License-Identifier: MIT */
#ifndef TORC_CERTIFICATE_H
#define TORC_CERTIFICATE_H

#include <torc/buf.h>

/**
 * Certificates and their private keys: making them for development and tests, reading them, and
 * asking what they say. Serving and connecting with them is TLS's (<torc/tls.h>).
 *
 * Both are objects that belong to one thread at a time. Making an RSA key takes up to seconds:
 * not on a reactor's thread. PEM is their text (RFC 7468), as other programs write and read it.
 */
typedef struct torc_private_key torc_private_key;
typedef struct torc_certificate torc_certificate;
typedef struct torc_certificate_request torc_certificate_request;

typedef enum torc_key_kind {
    TORC_KEY_EC_P256, /* ECDSA: small, quick, known to every client */
    TORC_KEY_EC_P384,
    TORC_KEY_RSA_2048,
    TORC_KEY_RSA_3072,
    TORC_KEY_ED25519, /* which browsers do not take */
    TORC_KEY_KINDS
} torc_key_kind;

enum {
    TORC_CERTIFICATE_NAMES_MAX = 100,
    TORC_CERTIFICATE_DAYS = 397, /* more is refused by browsers */
    TORC_CERTIFICATE_AUTHORITY_DAYS = 3650,
    TORC_CERTIFICATE_DAYS_MAX = 36500,
    TORC_CERTIFICATE_HASH_BYTES = 32 /* of a fingerprint and a pin */
};

/** Why it could not be made or read: a sentence part for people, NUL-ended. */
typedef struct torc_certificate_error {
    char text[160];
} torc_certificate_error;

/** What a new certificate says. `size` first; zero means the default. */
typedef struct torc_certificate_options {
    size_t size; /* sizeof(torc_certificate_options) */
    /* Whom it is for, ended by NULL: host names, `*.` before one for all that are one label longer,
     * and addresses. */
    const char *const *names;
    const char *common_name; /* NULL: the first of the names */
    uint32_t days;           /* valid from now on; TORC_CERTIFICATE_DAYS */
    bool is_authority;       /* it signs others, and serves nobody: `names` is NULL */
    bool for_clients;        /* a client shows it, too */
    /* Who signs it; both NULL: it does so itself. */
    const torc_certificate *issuer;
    const torc_private_key *issuer_key;
} torc_certificate_options;

TORC_BEGIN_DECLS

/* ---- private keys ---- */

/** Make a key; it belongs to the caller. */
TORC_API torc_err torc_private_key_new(torc_key_kind kind, torc_private_key **key) TORC_MUST_CHECK;
/** Wipe and free a key. NULL is fine. */
TORC_API void torc_private_key_free(torc_private_key *key);
/** The kind's name as options have it: "ec", "ec384", "rsa", "rsa3072", "ed25519". Static. */
TORC_API const char *torc_key_kind_name(torc_key_kind kind);
/** The kind of that name. TORC_ERR_NOT_FOUND: there is none. */
TORC_API torc_err torc_key_kind_parse(torc_str name, torc_key_kind *kind) TORC_MUST_CHECK;
/** Append its text (PKCS #8), which whoever reads may act for its owner. The buffer fails stickily.
 */
TORC_API void torc_private_key_write_pem(const torc_private_key *key, torc_buf *pem);
/**
 * Read the first key in a text. TORC_ERR_NOT_FOUND: there is none; TORC_ERR_PERMISSION: it is
 * encrypted, under a passphrase; TORC_ERR_SYNTAX: it is damaged. `error` (may be NULL) says so to
 * people.
 */
TORC_API torc_err torc_private_key_read_pem(torc_str pem, torc_private_key **key,
                                            torc_certificate_error *error) TORC_MUST_CHECK;

/* ---- certificates ---- */

/**
 * Make a certificate for a key; it belongs to the caller. TORC_ERR_INVALID: a name or something
 * else of the options cannot be used, as `error` (may be NULL) says.
 */
TORC_API torc_err torc_certificate_new(const torc_private_key *key,
                                       const torc_certificate_options *options,
                                       torc_certificate **certificate,
                                       torc_certificate_error *error) TORC_MUST_CHECK;
TORC_API void torc_certificate_free(torc_certificate *certificate);
/** Append its text. The buffer fails stickily. */
TORC_API void torc_certificate_write_pem(const torc_certificate *certificate, torc_buf *pem);
/** Read the first certificate in a text. TORC_ERR_NOT_FOUND: there is none; TORC_ERR_SYNTAX. */
TORC_API torc_err torc_certificate_read_pem(torc_str pem, torc_certificate **certificate,
                                            torc_certificate_error *error) TORC_MUST_CHECK;

/** How many names and addresses it is for, and each: valid as long as the certificate. */
TORC_API size_t torc_certificate_name_count(const torc_certificate *certificate);
TORC_API torc_str torc_certificate_name(const torc_certificate *certificate, size_t place);
/** What it calls itself, and who signed it; "" if neither says a common name. */
TORC_API torc_str torc_certificate_common_name(const torc_certificate *certificate);
TORC_API torc_str torc_certificate_issuer_name(const torc_certificate *certificate);
/** When it begins and ends to be valid, in seconds since 1970. */
TORC_API int64_t torc_certificate_begins_s(const torc_certificate *certificate);
TORC_API int64_t torc_certificate_ends_s(const torc_certificate *certificate);
/** It signed itself. */
TORC_API bool torc_certificate_is_self_signed(const torc_certificate *certificate);
TORC_API bool torc_certificate_is_authority(const torc_certificate *certificate);
/** A client that asks for this host name or address takes it (RFC 9525). */
TORC_API bool torc_certificate_is_for(const torc_certificate *certificate, const char *host);
/** The key is this certificate's. */
TORC_API bool torc_certificate_has_key(const torc_certificate *certificate,
                                       const torc_private_key *key);
/** It was signed by this authority's key, and both are of the same mind about it. */
TORC_API bool torc_certificate_is_signed_by(const torc_certificate *certificate,
                                            const torc_certificate *authority);
/** SHA-256 of the certificate, by which people compare two. */
TORC_API torc_err torc_certificate_fingerprint(const torc_certificate *certificate,
                                               unsigned char hash[TORC_CERTIFICATE_HASH_BYTES])
    TORC_MUST_CHECK;
/** SHA-256 of its public key, which a renewed one may share (a pin, RFC 7469 §2.4). */
TORC_API torc_err torc_certificate_pin(const torc_certificate *certificate,
                                       unsigned char hash[TORC_CERTIFICATE_HASH_BYTES])
    TORC_MUST_CHECK;

/* ---- requests ---- */

/**
 * Ask an authority for a certificate for this key (PKCS #10, RFC 2986), with the names and the
 * common name of the options. Errors as of torc_certificate_new(). It belongs to the caller.
 */
TORC_API torc_err torc_certificate_request_new(const torc_private_key *key,
                                               const torc_certificate_options *options,
                                               torc_certificate_request **request,
                                               torc_certificate_error *error) TORC_MUST_CHECK;
TORC_API void torc_certificate_request_free(torc_certificate_request *request);
/** Append its text. The buffer fails stickily. */
TORC_API void torc_certificate_request_write_pem(const torc_certificate_request *request,
                                                 torc_buf *pem);
/**
 * Read the first request in a text. TORC_ERR_NOT_FOUND: there is none; TORC_ERR_SYNTAX: it is
 * damaged; TORC_ERR_CERTIFICATE: who made it has not the key that it is for.
 */
TORC_API torc_err torc_certificate_request_read_pem(torc_str pem,
                                                    torc_certificate_request **request,
                                                    torc_certificate_error *error) TORC_MUST_CHECK;
/** What it asks for, as of a certificate; valid as long as the request. */
TORC_API size_t torc_certificate_request_name_count(const torc_certificate_request *request);
TORC_API torc_str torc_certificate_request_name(const torc_certificate_request *request,
                                                size_t place);
TORC_API torc_str torc_certificate_request_common_name(const torc_certificate_request *request);
/**
 * Make the certificate that is asked for, signed by the options' issuer, which must be there. Where
 * the options have no names, it is for those that are asked for: look at them before.
 */
TORC_API torc_err torc_certificate_new_requested(const torc_certificate_request *request,
                                                 const torc_certificate_options *options,
                                                 torc_certificate **certificate,
                                                 torc_certificate_error *error) TORC_MUST_CHECK;

/* ---- files ---- */

/**
 * Write a file whole or not at all, with these permissions from its first byte on (0600 for a key):
 * beside its place, then moved there. TORC_ERR_EXISTS when there is one and `replace` is false.
 */
TORC_API torc_err torc_pem_save(const char *path, torc_str pem, uint32_t mode,
                                bool replace) TORC_MUST_CHECK;
/** Append the content of a file of at most 1 MiB. TORC_ERR_TOO_LARGE, or as the kernel has it. */
TORC_API torc_err torc_pem_load(const char *path, torc_buf *pem) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
