/* SPDX-License-Identifier: MIT */
/*
 * Configurations of clients: whom they trust, and whose keys they want to see.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <string.h>
#include <torc/base64.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/options.h"
#include "transport/tls/config.h"
#include "transport/tls/filter.h"

enum {
    PIN_BYTES = 32
};

static torc_err read_pin(torc_tls_config *config, torc_str text, torc_tls_error *error) {
    const torc_str prefix = TORC_STR("sha256/");
    char bytes[PIN_BYTES + 8];
    torc_buf buf;

    torc_buf_init_fixed(&buf, bytes, sizeof(bytes));
    if (torc_str_starts_with(text, prefix)) text = torc_str_from(text, prefix.len);
    if (torc_base64_decode(&buf, text, TORC_BASE64_ANY_PADDING) || buf.len != PIN_BYTES)
        return torc_tls_fail(error, TORC_ERR_SYNTAX,
                             "the pin \"%.*s\": is not the base64 of a SHA-256 digest",
                             (int)(text.len < 80 ? text.len : 80), text.bytes);
    memcpy(config->pins[config->pin_count++], bytes, PIN_BYTES);
    return TORC_OK;
}

static torc_err read_pins(torc_tls_config *config, const char *pins, torc_tls_error *error) {
    torc_str rest = torc_str_of(pins), one;
    size_t count = 1;
    torc_err err = TORC_OK;

    if (!pins) return TORC_OK;
    for (size_t i = 0; i < rest.len; i++) count += rest.bytes[i] == ',';
    config->pins = torc_alloc_zero(NULL, TORC_MEMORY_TLS, count, sizeof(*config->pins));
    if (!config->pins) return torc_tls_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
    while (!err && torc_str_split(&rest, ',', &one))
        err = read_pin(config, torc_str_trim(one), error);
    return err;
}

/* OpenSSL would look into the folder in handshakes only, and find nothing. */
static torc_err trust_folder(X509_STORE *store, const char *folder, torc_tls_error *error) {
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const torc_err err = fd < 0 ? torc_err_from_errno(errno) : TORC_OK;

    if (err)
        return torc_tls_fail(error, err, "%s: cannot be read as a folder of authorities: %s",
                             folder, torc_err_text(err));
    close(fd);
    return X509_STORE_load_path(store, folder) ? TORC_OK : torc_tls_fail_openssl(error, folder);
}

static torc_err trust(torc_tls_config *config, const torc_tls_client_options *options,
                      torc_tls_error *error) {
    X509_STORE *store = SSL_CTX_get_cert_store(config->ctx);
    const bool has_own = options->ca_file || options->ca_dir || options->ca.len > 0;
    torc_err err = TORC_OK;

    if (options->ca_file)
        err = torc_tls_load_authorities(options->ca_file, options->ca, store, NULL, error);
    if (!err && options->ca.len > 0)
        err = torc_tls_load_authorities(NULL, options->ca, store, NULL, error);
    if (!err && options->ca_dir) err = trust_folder(store, options->ca_dir, error);
    if (!err && (!has_own || options->system_too) && !SSL_CTX_set_default_verify_paths(config->ctx))
        err = torc_tls_fail_openssl(error, "the authorities of the system");
    ERR_clear_error();
    return err;
}

static torc_err show(torc_tls_config *config, const torc_tls_client_options *options,
                     torc_tls_error *error) {
    if (!options->certificate) return TORC_OK;
    config->certificates = torc_alloc_zero(NULL, TORC_MEMORY_TLS, 1, sizeof(*config->certificates));
    if (!config->certificates) return torc_tls_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
    const torc_err err =
        torc_tls_load(options->certificate, options->log, error, config->certificates);
    if (err) return err;
    config->certificate_count = 1;
    const torc_tls_loaded *mine = config->certificates;
    if (!SSL_CTX_use_cert_and_key(config->ctx, mine->leaf, mine->key, mine->chain, 1))
        return torc_tls_fail_openssl(error, "the certificate of the client");
    return TORC_OK;
}

static void set_verification(torc_tls_config *config, const torc_tls_client_options *options) {
    config->insecure = options->insecure;
    SSL_CTX_set_cert_verify_callback(config->ctx, torc_tls_verify, config);
    SSL_CTX_set_verify(
        config->ctx, config->insecure && config->pin_count == 0 ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
        NULL);
    if (config->insecure)
        TORC_LOG_WARN(options->log, "tls", "servers are not verified: anybody can be in between");
}

static torc_err keep_sessions(torc_tls_config *config, const torc_tls_client_options *options,
                              torc_tls_error *error) {
    SSL_CTX_set_session_cache_mode(config->ctx, SSL_SESS_CACHE_OFF);
    if (options->no_resumption) return TORC_OK;
    config->sessions = torc_tls_sessions_new();
    if (!config->sessions) return torc_tls_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
    SSL_CTX_set_session_cache_mode(config->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(config->ctx, torc_tls_keep_session);
    return TORC_OK;
}

static torc_err build(torc_tls_config *config, const torc_tls_client_options *options,
                      torc_tls_error *error) {
    const torc_tls_common common = {options->preset, options->protocols, options->handshake_ms,
                                    options->ciphers, options->groups};
    torc_err err = torc_tls_config_set(config, &common, error);

    if (err) return err;
    config->ctx = torc_tls_ctx_new(config, &common, error);
    if (!config->ctx) return TORC_ERR_INVALID;
    if (config->protocols && SSL_CTX_set_alpn_protos(config->ctx, config->protocols,
                                                     (unsigned)config->protocols_len) != 0)
        return torc_tls_fail_openssl(error, "the protocols for ALPN");
    err = read_pins(config, options->pins, error);
    if (!err) err = trust(config, options, error);
    if (!err) err = show(config, options, error);
    if (!err) err = keep_sessions(config, options, error);
    if (!err) set_verification(config, options);
    return err;
}

torc_err torc_tls_client_new(const torc_tls_client_options *given, torc_tls_error *error,
                             torc_tls_config **config) {
    torc_tls_client_options options = {0};
    torc_tls_config *self = torc_tls_config_make(true);

    if (!self) return torc_tls_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
    TORC_OPTIONS_READ(&options, given);
    const torc_err err = build(self, &options, error);
    if (err)
        torc_tls_config_unref(self);
    else
        *config = self;
    return err;
}
