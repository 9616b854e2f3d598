/* SPDX-License-Identifier: MIT */
/*
 * Reading certificates and keys.
 *
 *  - What is read has a name, of its file or "the certificate", with which every error begins.
 *  - Secrets are wiped before their memory is given back.
 *  - What is wrong in time only (expired, not yet valid) is a warning: a server that shows an old
 *    certificate is better than none, and the operator is told.
 */
#include "transport/tls/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

enum {
    FILE_MAX = 4 * 1024 * 1024,
    PASSPHRASE_MAX = 1024,
    NAME_TEXT_MAX = 128
};

/* Bytes with a name. */
typedef struct source {
    const char *name;
    torc_str bytes;
    char *owned; /* NULL: they are the caller's */
} source;

torc_err torc_tls_fail(torc_tls_error *error, torc_err err, const char *format, ...) {
    va_list arguments;

    if (!error) return err;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return err;
}

torc_err torc_tls_fail_openssl(torc_tls_error *error, const char *what) {
    const unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);

    ERR_clear_error();
    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
        return torc_tls_fail(error, TORC_ERR_NO_MEMORY, "%s: out of memory", what);
    return torc_tls_fail(error, TORC_ERR_INVALID, "%s: %s", what,
                         reason ? reason : "OpenSSL refuses it");
}

static torc_err out_of_memory(torc_tls_error *error) {
    return torc_tls_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
}

/* ---- files ---- */

static void close_source(source *from) {
    if (!from->owned) return;
    OPENSSL_cleanse(from->owned, from->bytes.len);
    torc_dealloc(NULL, from->owned);
    *from = (source){0};
}

static torc_err read_all(int fd, source *from) {
    char *const bytes = torc_alloc(NULL, TORC_MEMORY_OTHER, FILE_MAX);
    size_t len = 0;
    ssize_t got = 1;

    if (!bytes) return TORC_ERR_NO_MEMORY;
    while (len < FILE_MAX && (got = read(fd, bytes + len, FILE_MAX - len)) > 0) len += (size_t)got;
    from->owned = bytes;
    from->bytes = torc_str_make(bytes, len);
    if (got < 0) return torc_err_from_errno(errno);
    return len == FILE_MAX ? TORC_ERR_TOO_LARGE : TORC_OK;
}

static torc_err cannot_read(const char *file, torc_err err, const char *why,
                            torc_tls_error *error) {
    return torc_tls_fail(error, err, "%s: cannot be read: %s", file, why);
}

/* A pipe or a device in the place of a file holds nobody up: files are read anew while others are
 * served. */
static torc_err read_file(int fd, const char *file, torc_tls_error *error, source *from) {
    struct stat about;
    torc_err err = fstat(fd, &about) ? torc_err_from_errno(errno) : TORC_OK;

    if (!err && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode))
        return cannot_read(file, TORC_ERR_INVALID, "it is no regular file", error);
    if (!err) err = read_all(fd, from);
    if (!err) return TORC_OK;
    close_source(from);
    return cannot_read(file, err, torc_err_text(err), error);
}

static torc_err open_source(const char *file, torc_str bytes, const char *what,
                            torc_tls_error *error, source *from) {
    *from = (source){.name = file ? file : what, .bytes = bytes};
    if (!file) return TORC_OK;

    const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        const torc_err err = torc_err_from_errno(errno);
        return cannot_read(file, err, torc_err_text(err), error);
    }
    const torc_err err = read_file(fd, file, error, from);
    close(fd);
    return err;
}

/* What to say of bytes in which no piece of PEM of the kind that was looked for is. */
static torc_err not_there(const source *from, const char *kind, torc_tls_error *error) {
    const torc_str begin = TORC_STR("-----BEGIN ");
    const ptrdiff_t place = torc_str_find(from->bytes, begin);

    if (from->bytes.len == 0)
        return torc_tls_fail(error, TORC_ERR_SYNTAX, "%s: is empty", from->name);
    if (place < 0)
        return torc_tls_fail(error, TORC_ERR_SYNTAX, "%s: is not PEM%s", from->name,
                             from->bytes.bytes[0] == 0x30
                                 ? ", but DER: convert it by openssl with -inform DER"
                                 : " (no line \"-----BEGIN …\")");
    torc_str rest = torc_str_from(from->bytes, (size_t)place + begin.len);
    const ptrdiff_t end = torc_str_find(rest, TORC_STR("-----"));
    rest = torc_str_head(rest, end >= 0 && end < 40 ? (size_t)end : 40);
    return torc_tls_fail(error, TORC_ERR_SYNTAX, "%s: has no %s; the first thing in it is: %.*s",
                         from->name, kind, TORC_STR_ARGS(rest));
}

static bool holds(const source *from, const char *label) {
    return torc_str_find(from->bytes, torc_str_of(label)) >= 0;
}

static BIO *open_bio(const source *from) {
    return BIO_new_mem_buf(from->bytes.bytes ? from->bytes.bytes : "", (int)from->bytes.len);
}

/* ---- certificates ---- */

const char *torc_tls_subject(X509 *certificate, char *text, size_t size) {
    X509_NAME *name = X509_get_subject_name(certificate);

    if (X509_NAME_get_text_by_NID(name, NID_commonName, text, (int)size) > 0) return text;
    if (X509_NAME_entry_count(name) == 0 || !X509_NAME_oneline(name, text, (int)size))
        (void)snprintf(text, size, "no name");
    return text;
}

/* All certificates of a source, in their order; there is one at least. */
static torc_err read_certificates(const source *from, torc_tls_error *error,
                                  STACK_OF(X509) * *certificates) {
    STACK_OF(X509) *stack = sk_X509_new_null();
    BIO *bio = open_bio(from);
    X509 *one = NULL;
    torc_err err = TORC_OK;

    ERR_clear_error();
    while (stack && bio && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        if (!sk_X509_push(stack, one)) {
            X509_free(one);
            break;
        }
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    if (!stack || !bio || one)
        err = out_of_memory(error);
    else if (reason != PEM_R_NO_START_LINE)
        err = torc_tls_fail(error, TORC_ERR_SYNTAX, "%s: certificate %d in it is damaged",
                            from->name, sk_X509_num(stack) + 1);
    else if (sk_X509_num(stack) == 0)
        err = not_there(from, "certificate", error);
    ERR_clear_error();
    BIO_free(bio);
    if (err)
        sk_X509_pop_free(stack, X509_free);
    else
        *certificates = stack;
    return err;
}

/* Put the place in a chain that is out of order into words. */
static torc_err check_order(const source *from, const torc_tls_loaded *loaded, torc_log *log,
                            torc_tls_error *error) {
    X509 *below = loaded->leaf;
    const int count = sk_X509_num(loaded->chain);
    char one[NAME_TEXT_MAX], other[NAME_TEXT_MAX];

    for (int i = 0; i < count; i++) {
        X509 *above = sk_X509_value(loaded->chain, i);
        if (X509_check_issued(above, below) != X509_V_OK) {
            for (int j = i + 1; j < count; j++)
                if (X509_check_issued(sk_X509_value(loaded->chain, j), below) == X509_V_OK)
                    return torc_tls_fail(
                        error, TORC_ERR_INVALID,
                        "%s: the certificates are not in order: \"%s\" is followed by \"%s\", and "
                        "by who signed it only later",
                        from->name, torc_tls_subject(below, one, sizeof(one)),
                        torc_tls_subject(above, other, sizeof(other)));
            TORC_LOG_WARN(log, "tls", "a certificate of the chain has not signed the one before it",
                          TORC_LOG_TEXT("file", from->name),
                          TORC_LOG_TEXT("name", torc_tls_subject(above, one, sizeof(one))));
        }
        below = above;
    }
    return TORC_OK;
}

static void warn_of_time(const source *from, X509 *certificate, torc_log *log) {
    const bool is_over = X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
    const bool is_early = X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0;
    char text[NAME_TEXT_MAX];

    if (!is_over && !is_early) return;
    TORC_LOG_WARN(log, "tls",
                  is_over ? "a certificate has expired" : "a certificate is not valid yet",
                  TORC_LOG_TEXT("file", from->name),
                  TORC_LOG_TEXT("name", torc_tls_subject(certificate, text, sizeof(text))));
}

static torc_err read_chain(const source *from, torc_log *log, torc_tls_error *error,
                           torc_tls_loaded *loaded) {
    const torc_err err = read_certificates(from, error, &loaded->chain);

    if (err) return err;
    loaded->leaf = sk_X509_shift(loaded->chain);
    warn_of_time(from, loaded->leaf, log);
    for (int i = 0; i < sk_X509_num(loaded->chain); i++)
        warn_of_time(from, sk_X509_value(loaded->chain, i), log);
    return TORC_OK;
}

/* ---- keys ---- */

typedef struct passphrase {
    source from;
    bool is_given, is_asked;
} passphrase;

/* OpenSSL asks for the words that open a key. */
static int tell_passphrase(char *to, int size, int is_writing, void *context) {
    passphrase *self = context;
    torc_str words = self->from.bytes;
    const ptrdiff_t end = torc_str_find_byte(words, '\n');

    (void)is_writing;
    self->is_asked = true;
    if (!self->is_given) return -1;
    if (end >= 0) words = torc_str_head(words, (size_t)end);
    if (torc_str_ends_with(words, TORC_STR("\r"))) words.len--;
    if (words.len == 0 || words.len > (size_t)size || words.len > PASSPHRASE_MAX) return -1;
    memcpy(to, words.bytes, words.len);
    return (int)words.len;
}

static torc_err explain_key(const source *from, const passphrase *words, torc_tls_error *error) {
    ERR_clear_error();
    if (words->is_asked && !words->is_given)
        return torc_tls_fail(error, TORC_ERR_INVALID,
                             "%s: the key is protected by a passphrase: give the file of that, or "
                             "take it off by `openssl pkey`",
                             from->name);
    if (words->is_asked)
        return torc_tls_fail(error, TORC_ERR_INVALID,
                             "%s: the passphrase of %s does not open the key", from->name,
                             words->from.name);
    if (holds(from, "PRIVATE KEY-----"))
        return torc_tls_fail(error, TORC_ERR_SYNTAX, "%s: the key in it is damaged", from->name);
    return not_there(from, "private key", error);
}

static torc_err read_key(const source *from, const char *passphrase_file, torc_tls_error *error,
                         EVP_PKEY **key) {
    passphrase words = {.is_given = passphrase_file != NULL};
    torc_err err = open_source(passphrase_file, torc_str_make(NULL, 0), "", error, &words.from);

    if (err) return err;
    BIO *bio = open_bio(from);
    ERR_clear_error();
    *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, tell_passphrase, &words) : NULL;
    if (!*key) err = bio ? explain_key(from, &words, error) : out_of_memory(error);
    BIO_free(bio);
    close_source(&words.from);
    return err;
}

/* Whether the key is that of the first certificate. */
static torc_err check_key(const source *certs, const source *keys, const torc_tls_loaded *loaded,
                          torc_tls_error *error) {
    char text[NAME_TEXT_MAX], other[NAME_TEXT_MAX];

    if (X509_check_private_key(loaded->leaf, loaded->key) == 1) return TORC_OK;
    ERR_clear_error();
    (void)torc_tls_subject(loaded->leaf, text, sizeof(text));
    for (int i = 0; i < sk_X509_num(loaded->chain); i++) {
        X509 *one = sk_X509_value(loaded->chain, i);
        if (X509_check_private_key(one, loaded->key) == 1)
            return torc_tls_fail(error, TORC_ERR_INVALID,
                                 "%s: the certificates are not in order: the key is that of "
                                 "\"%s\", which must come before \"%s\"",
                                 certs->name, torc_tls_subject(one, other, sizeof(other)), text);
        ERR_clear_error();
    }
    return torc_tls_fail(error, TORC_ERR_INVALID,
                         "%s: the key does not belong to the certificate of \"%s\" in %s",
                         keys->name, text, certs->name);
}

/* ---- all of it ---- */

static torc_err read_ocsp(const char *file, torc_tls_error *error, torc_tls_loaded *loaded) {
    source from;
    torc_err err = file ? open_source(file, torc_str_make(NULL, 0), "", error, &from) : TORC_OK;

    if (err || !file) return err;
    const unsigned char *bytes = (const unsigned char *)from.bytes.bytes;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &bytes, (long)from.bytes.len);
    if (!response || OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        err = torc_tls_fail(error, TORC_ERR_SYNTAX, "%s: is not a successful answer of OCSP in DER",
                            file);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    if (!err) loaded->ocsp = torc_alloc(NULL, TORC_MEMORY_OTHER, from.bytes.len);
    if (!err && !loaded->ocsp) err = out_of_memory(error);
    if (!err) {
        memcpy(loaded->ocsp, from.bytes.bytes, from.bytes.len);
        loaded->ocsp_len = from.bytes.len;
    }
    close_source(&from);
    return err;
}

static torc_err load(const torc_tls_certificate *from, const source *certs, const source *keys,
                     torc_log *log, torc_tls_error *error, torc_tls_loaded *loaded) {
    torc_err err = read_chain(certs, log, error, loaded);

    if (!err) err = read_key(keys, from->passphrase_file, error, &loaded->key);
    if (!err) err = check_key(certs, keys, loaded, error);
    if (!err) err = check_order(certs, loaded, log, error);
    if (!err) err = read_ocsp(from->ocsp_file, error, loaded);
    return err;
}

torc_err torc_tls_load(const torc_tls_certificate *from, torc_log *log, torc_tls_error *error,
                       torc_tls_loaded *loaded) {
    const bool has_key = from->key_file || from->key.len > 0;
    source certs, keys = {0};
    torc_err err = open_source(from->cert_file, from->cert, "the certificate", error, &certs);

    *loaded = (torc_tls_loaded){0};
    if (err) return err;
    if (has_key) err = open_source(from->key_file, from->key, "the key", error, &keys);
    if (!err) err = load(from, &certs, has_key ? &keys : &certs, log, error, loaded);
    close_source(&keys);
    close_source(&certs);
    if (err) torc_tls_unload(loaded);
    return err;
}

void torc_tls_unload(torc_tls_loaded *loaded) {
    X509_free(loaded->leaf);
    sk_X509_pop_free(loaded->chain, X509_free);
    EVP_PKEY_free(loaded->key);
    torc_dealloc(NULL, loaded->ocsp);
    *loaded = (torc_tls_loaded){0};
}

static bool trust(X509_STORE *store, STACK_OF(X509_NAME) * names, X509 *one) {
    X509_NAME *name = names ? X509_NAME_dup(X509_get_subject_name(one)) : NULL;

    if (!X509_STORE_add_cert(store, one) || (names && !name)) {
        X509_NAME_free(name);
        return false;
    }
    if (name && !sk_X509_NAME_push(names, name)) {
        X509_NAME_free(name);
        return false;
    }
    return true;
}

torc_err torc_tls_load_authorities(const char *file, torc_str bytes, X509_STORE *store,
                                   STACK_OF(X509_NAME) * names, torc_tls_error *error) {
    STACK_OF(X509) * certificates;
    source from;
    torc_err err = open_source(file, bytes, "the certificates of authorities", error, &from);

    if (err) return err;
    err = read_certificates(&from, error, &certificates);
    if (!err) {
        for (int i = 0; !err && i < sk_X509_num(certificates); i++)
            if (!trust(store, names, sk_X509_value(certificates, i))) err = out_of_memory(error);
        sk_X509_pop_free(certificates, X509_free);
    }
    close_source(&from);
    return err;
}
