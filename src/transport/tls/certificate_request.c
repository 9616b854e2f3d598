/* SPDX-License-Identifier: MIT */
/*
 * Requests for certificates (RFC 2986).
 *
 *  - What a request says is read once, as that of a certificate that nobody has signed (`said`).
 *  - One that is read has been signed by the key that it is for.
 */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/alloc.h"
#include "base/options.h"
#include "transport/tls/certificate.h"

struct torc_certificate_request {
    X509_REQ *request;
    torc_certificate *said;
};

enum {
    NAMES_TEXT_MAX = TORC_CERTIFICATE_NAMES_MAX * 256
};

/* ---- what it says ---- */

static bool copy_names(X509 *to, X509_REQ *from) {
    STACK_OF(X509_EXTENSION) *const extensions = X509_REQ_get_extensions(from);
    GENERAL_NAMES *const names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    const bool fine = !names || X509_add1_ext_i2d(to, NID_subject_alt_name, names, 0, 0) == 1;

    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return fine;
}

/* Take `request`, whatever happens, and read what it says. */
static torc_err wrap(X509_REQ *request, torc_certificate_request **made) {
    torc_certificate_request *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));
    X509 *const said = self ? X509_new() : NULL;
    torc_err err = TORC_ERR_NO_MEMORY;

    if (said && X509_set_subject_name(said, X509_REQ_get_subject_name(request)) &&
        copy_names(said, request))
        err = torc_certificate_wrap(said, &self->said);
    else
        X509_free(said);
    ERR_clear_error();
    if (err) {
        X509_REQ_free(request);
        torc_dealloc(NULL, self);
        return err;
    }
    self->request = request;
    *made = self;
    return TORC_OK;
}

void torc_certificate_request_free(torc_certificate_request *self) {
    if (!self) return;
    X509_REQ_free(self->request);
    torc_certificate_free(self->said);
    torc_dealloc(NULL, self);
}

size_t torc_certificate_request_name_count(const torc_certificate_request *self) {
    return torc_certificate_name_count(self->said);
}

torc_str torc_certificate_request_name(const torc_certificate_request *self, size_t place) {
    return torc_certificate_name(self->said, place);
}

torc_str torc_certificate_request_common_name(const torc_certificate_request *self) {
    return torc_certificate_common_name(self->said);
}

/* ---- making ---- */

static bool add_names(X509_REQ *request, const char *const *texts) {
    GENERAL_NAMES *const names = torc_certificate_names_new(texts);
    X509_EXTENSION *const extension = names ? X509V3_EXT_i2d(NID_subject_alt_name, 0, names) : NULL;
    STACK_OF(X509_EXTENSION) *const all = sk_X509_EXTENSION_new_null();
    const bool is_pushed = extension && all && sk_X509_EXTENSION_push(all, extension) > 0;
    const bool fine = is_pushed && X509_REQ_add_extensions(request, all) == 1;

    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_free(all);
    X509_EXTENSION_free(extension);
    return fine;
}

static bool fill(X509_REQ *request, const torc_private_key *key,
                 const torc_certificate_options *options) {
    return X509_REQ_set_version(request, X509_REQ_VERSION_1) &&
           torc_certificate_set_subject(X509_REQ_get_subject_name(request), options) &&
           X509_REQ_set_pubkey(request, key->key) && add_names(request, options->names) &&
           X509_REQ_sign(request, key->key, torc_certificate_digest_for(key)) > 0;
}

static torc_certificate_options read_options(const torc_certificate_options *given) {
    torc_certificate_options options = {.size = sizeof(options)};

    TORC_OPTIONS_READ(&options, given);
    return options;
}

torc_err torc_certificate_request_new(const torc_private_key *key,
                                      const torc_certificate_options *given,
                                      torc_certificate_request **made,
                                      torc_certificate_error *error) {
    const torc_certificate_options options = read_options(given);
    torc_err err = torc_certificate_check_names(&options, error);

    if (err) return err;
    if (options.is_authority)
        return torc_certificate_fail(error, TORC_ERR_INVALID, "authorities are not asked for");
    X509_REQ *const request = X509_REQ_new();
    if (request && fill(request, key, &options)) {
        err = wrap(request, made);
    } else {
        X509_REQ_free(request);
        ERR_clear_error();
        err = TORC_ERR_NO_MEMORY;
    }
    return err ? torc_certificate_fail(error, err, "OpenSSL cannot make it") : TORC_OK;
}

/* ---- text ---- */

void torc_certificate_request_write_pem(const torc_certificate_request *self, torc_buf *pem) {
    BIO *const bio = BIO_new(BIO_s_mem());

    torc_certificate_add_pem(bio, bio && PEM_write_bio_X509_REQ(bio, self->request), pem);
}

static bool is_signed(X509_REQ *request) {
    EVP_PKEY *const key = X509_REQ_get0_pubkey(request);
    return key && X509_REQ_verify(request, key) == 1;
}

torc_err torc_certificate_request_read_pem(torc_str pem, torc_certificate_request **made,
                                           torc_certificate_error *error) {
    BIO *const bio = pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.bytes, (int)pem.len) : NULL;
    if (!bio) return torc_certificate_fail(error, TORC_ERR_NO_MEMORY, "out of memory");

    ERR_clear_error();
    X509_REQ *const request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    const unsigned long code = ERR_peek_last_error();
    BIO_free(bio);
    const bool fine = request && is_signed(request);
    ERR_clear_error();
    if (fine) {
        const torc_err err = wrap(request, made);
        return err ? torc_certificate_fail(error, err, "out of memory") : TORC_OK;
    }
    X509_REQ_free(request);
    if (request)
        return torc_certificate_fail(error, TORC_ERR_CERTIFICATE,
                                     "the request is not signed by the key that it is for");
    if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
        return torc_certificate_fail(error, TORC_ERR_NOT_FOUND, "there is no request in it");
    return torc_certificate_fail(error, TORC_ERR_SYNTAX, "the request is damaged");
}

/* ---- answering ---- */

/* The names that are asked for, each ended by NUL in `text`. */
static void list_names(const torc_certificate_request *self, torc_buf *text,
                       const char *names[TORC_CERTIFICATE_NAMES_MAX + 1]) {
    const size_t count = torc_certificate_request_name_count(self);
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        torc_buf_add(text, torc_certificate_request_name(self, i));
        torc_buf_add_byte(text, '\0');
    }
    for (size_t i = 0; i < count && !torc_buf_err(text); i++) {
        names[i] = text->bytes + at;
        at += torc_certificate_request_name(self, i).len + 1;
    }
    names[count] = NULL;
}

torc_err torc_certificate_new_requested(const torc_certificate_request *self,
                                        const torc_certificate_options *given,
                                        torc_certificate **certificate,
                                        torc_certificate_error *error) {
    torc_certificate_options options = read_options(given);
    const torc_private_key public = {.key = X509_REQ_get0_pubkey(self->request)};
    const char *names[TORC_CERTIFICATE_NAMES_MAX + 1];
    torc_buf text;

    if (!options.issuer || !options.issuer_key)
        return torc_certificate_fail(error, TORC_ERR_INVALID,
                                     "an authority signs what is asked for, and there is none");
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, NAMES_TEXT_MAX);
    if (!options.names) {
        list_names(self, &text, names);
        options.names = names;
    }
    const torc_err err = torc_buf_err(&text)
                             ? torc_certificate_fail(error, torc_buf_err(&text), "out of memory")
                             : torc_certificate_new(&public, &options, certificate, error);
    torc_buf_dispose(&text);
    return err;
}
