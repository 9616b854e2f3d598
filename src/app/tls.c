/* SPDX-License-Identifier: MIT */
/*
 * TLS of a program's listeners.
 *
 *  - An endpoint that names a key has what it names; what it does not say the options say.
 *  - A configuration is made whole before it takes the place of another, and connections hold the
 *    one that they began with: nothing that is wrong with new files reaches a client.
 *  - Files are looked at once a second, by their state and not by inotify: so links that lead
 *    elsewhere and file systems of other machines are seen, too.
 *  - Keys of tickets are in a page that all processes share, and that goes into no core file and,
 *    where that is allowed, to no disk.
 */
#include "app/tls.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <torc/certificate.h>
#include <torc/digest.h>
#include <torc/endpoint_stages.h>
#include <unistd.h>

#include "app/app.h"
#include "base/siphash.h"
#include "protocol/negotiate.h"

enum {
    PEM_MAX = 1024 * 1024
};

static const char plain_reply[] =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 41\r\n"
    "Connection: close\r\n\r\nThis port speaks TLS: ask by https://...\n";

static torc_err wrong(torc_tls_error *error, torc_err err, const char *what, const char *why) {
    snprintf(error->text, sizeof(error->text), "%.300s: %.200s", what, why);
    return err;
}

static const char *text_of(const torc_endpoint *endpoint, torc_endpoint_text text) {
    return torc_endpoint_text_of(&endpoint->texts, text);
}

/* ---- the configuration of an endpoint ---- */

/* The certificates of the options; the place of each key is its certificate's. */
static size_t usual_certificates(const torc_app *app, torc_tls_certificate *certificates) {
    const torc_app_tls_settings *settings = &app->settings.tls;
    size_t count = 0;

    for (; count < settings->cert_count; count++)
        certificates[count] = (torc_tls_certificate){
            .cert_file = settings->cert_files[count],
            .key_file = count < settings->key_count ? settings->key_files[count] : NULL,
        };
    if (settings->self_signed)
        certificates[count++] = (torc_tls_certificate){
            .cert = torc_buf_str(&app->tls.own_cert),
            .key = torc_buf_str(&app->tls.own_key),
        };
    return count;
}

/* What is said by an endpoint and cannot be, before its files are read. */
static torc_err check(const torc_endpoint *endpoint, size_t usual_count, torc_tls_error *error) {
    const char *alpn = text_of(endpoint, endpoint->tls.alpn);

    if (!usual_count && !endpoint->tls.private_key && !endpoint->tls.sni)
        return wrong(error, TORC_ERR_NOT_FOUND, "there is no certificate",
                     "add --tls-cert FILE and --tls-key FILE, or --tls-self-signed");
    if (alpn && !torc_http_server_speaks(torc_str_of(alpn)))
        return wrong(error, TORC_ERR_INVALID, "alpn", "HTTP is served as http/1.1 alone");
    return TORC_OK;
}

static torc_err make(const torc_app *app, const torc_endpoint *endpoint, torc_tls_error *error,
                     torc_tls_config **config) {
    const torc_app_tls_settings *settings = &app->settings.tls;
    torc_tls_certificate certificates[TORC_APP_CERTIFICATES_MAX + 1];
    const torc_tls_server_options usual = {
        .size = sizeof(usual),
        .certificates = certificates,
        .certificate_count = usual_certificates(app, certificates),
        .preset = settings->preset,
        .protocols = torc_http_server_protocols(),
        .ticket_keys = app->tls.ticket_keys,
        .no_tickets = !app->tls.ticket_keys,
        .peer_ca_file = settings->client_ca,
        .peers = settings->has_peers   ? settings->peers
                 : settings->client_ca ? TORC_TLS_PEERS_REQUIRED
                                       : TORC_TLS_PEERS_UNKNOWN,
        .plain_reply = torc_str_make(plain_reply, sizeof(plain_reply) - 1),
        .log = app->log,
    };
    const torc_err err = check(endpoint, usual.certificate_count, error);

    return err ? err : torc_endpoint_tls_server(endpoint, &usual, error, config);
}

/* ---- a certificate of one's own ---- */

static torc_err write_own(torc_app_tls *self, const torc_private_key *key) {
    static const char *const names[] = {"localhost", "127.0.0.1", "::1", NULL};
    const torc_certificate_options options = {.size = sizeof(options), .names = names};
    torc_certificate *certificate;
    const torc_err err = torc_certificate_new(key, &options, &certificate, NULL);

    if (err) return err;
    torc_certificate_write_pem(certificate, &self->own_cert);
    torc_private_key_write_pem(key, &self->own_key);
    torc_certificate_free(certificate);
    return torc_buf_err(&self->own_cert) ? torc_buf_err(&self->own_cert)
                                         : torc_buf_err(&self->own_key);
}

static bool make_own(torc_app *app) {
    torc_private_key *key = NULL;
    torc_err err = torc_private_key_new(TORC_KEY_EC_P256, &key);

    torc_buf_init(&app->tls.own_cert, NULL, TORC_MEMORY_TLS, PEM_MAX);
    torc_buf_init(&app->tls.own_key, NULL, TORC_MEMORY_TLS, PEM_MAX);
    if (!err) err = write_own(&app->tls, key);
    torc_private_key_free(key);
    return !err || torc_app_fail(app, "--tls-self-signed", torc_err_text(err));
}

/* ---- tickets ---- */

static bool make_ticket_keys(torc_app *app) {
    torc_tls_ticket_keys *keys;

    if (app->settings.tls.no_tickets) return true;
    keys = mmap(NULL, sizeof(*keys), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (keys == MAP_FAILED)
        return torc_app_fail(app, "--tls-tickets", torc_err_text(torc_err_from_errno(errno)));
    app->tls.ticket_keys = keys;
    madvise(keys, sizeof(*keys), MADV_DONTDUMP);
    (void)!mlock(keys, sizeof(*keys));
    const torc_err err = torc_tls_ticket_keys_init(keys, app->settings.tls.ticket_life_s);
    return !err || torc_app_fail(app, "--tls-tickets", torc_err_text(err));
}

static void wipe_ticket_keys(torc_app_tls *self) {
    if (self->ticket_keys) munmap(self->ticket_keys, sizeof(*self->ticket_keys));
    self->ticket_keys = NULL;
}

/* ---- the state of files ---- */

typedef struct file_state {
    uint64_t before, device, number, size, changed_s, changed_ns, written_s, written_ns, error;
} file_state;

/* What follows from a file's state and that of the files before it. */
static uint64_t look(uint64_t before, const char *path) {
    static const torc_siphash_key key = {{1, 2}};
    file_state state = {.before = before};
    struct stat about;

    if (!path) return before;
    if (stat(path, &about)) {
        state.error = (uint64_t)errno;
    } else {
        state.device = about.st_dev;
        state.number = about.st_ino;
        state.size = (uint64_t)about.st_size;
        state.changed_s = (uint64_t)about.st_ctim.tv_sec;
        state.changed_ns = (uint64_t)about.st_ctim.tv_nsec;
        state.written_s = (uint64_t)about.st_mtim.tv_sec;
        state.written_ns = (uint64_t)about.st_mtim.tv_nsec;
    }
    return torc_siphash(&key, torc_str_make((const char *)&state, sizeof(state)));
}

static uint64_t look_at_all(const torc_app *app) {
    const torc_app_tls_settings *settings = &app->settings.tls;
    uint64_t state = look(0, settings->client_ca);

    for (size_t i = 0; i < settings->cert_count; i++) state = look(state, settings->cert_files[i]);
    for (size_t i = 0; i < settings->key_count; i++) state = look(state, settings->key_files[i]);
    for (size_t row = 0; row < app->sockets.row_count; row++) {
        const torc_endpoint *endpoint = &app->sockets.rows[row]->endpoint;
        const torc_endpoint_text files[] = {endpoint->tls.private_key, endpoint->tls.certificate,
                                            endpoint->tls.extra_chain, endpoint->tls.client_ca,
                                            endpoint->tls.sni};
        for (size_t i = 0; i < TORC_COUNT_OF(files); i++)
            state = look(state, text_of(endpoint, files[i]));
    }
    return state;
}

bool torc_app_tls_is_watched(const torc_app *app) {
    return app->tls.is_used;
}

bool torc_app_tls_has_changed(torc_app *app) {
    torc_app_tls *self = &app->tls;
    const uint64_t state = self->is_used ? look_at_all(app) : 0;
    const bool stands_still = state == self->seen_state;

    self->seen_state = state;
    if (state == self->read_state || !stands_still) return false;
    self->read_state = state;
    return true;
}

/* ---- contexts ---- */

static bool open_row(torc_app *app, size_t row) {
    const torc_socket_row *it = app->sockets.rows[row];
    torc_tls_config *config;
    torc_tls_error error;

    if (make(app, &it->endpoint, &error, &config)) return torc_app_fail(app, it->text, error.text);
    app->tls.contexts[row] = torc_tls_context_new(config);
    torc_tls_config_unref(config);
    return app->tls.contexts[row] ||
           torc_app_fail(app, it->text, torc_err_text(TORC_ERR_NO_MEMORY));
}

static bool is_used(const torc_app *app) {
    for (size_t row = 0; row < app->sockets.row_count; row++)
        if (app->sockets.rows[row]->endpoint.has_tls) return true;
    return false;
}

static bool open_all(torc_app *app) {
    const torc_app_tls_settings *settings = &app->settings.tls;

    app->tls.is_used = is_used(app);
    if (!app->tls.is_used)
        return (!settings->cert_count && !settings->self_signed) ||
               torc_app_fail(app, settings->self_signed ? "--tls-self-signed" : "--tls-cert",
                             "no endpoint has TLS; add --listen ssl:8443");
    if (!make_ticket_keys(app) || (settings->self_signed && !make_own(app))) return false;
    app->tls.read_state = app->tls.seen_state = look_at_all(app);
    for (size_t row = 0; row < app->sockets.row_count; row++)
        if (app->sockets.rows[row]->endpoint.has_tls && !open_row(app, row)) return false;
    return true;
}

void torc_app_tls_close(torc_app *app) {
    torc_app_tls *self = &app->tls;

    for (size_t row = 0; row < TORC_COUNT_OF(self->contexts); row++) {
        torc_tls_context_unref(self->contexts[row]);
        self->contexts[row] = NULL;
    }
    wipe_ticket_keys(self);
    if (self->own_key.bytes) torc_secret_wipe(self->own_key.bytes, self->own_key.len);
    torc_buf_dispose(&self->own_key);
    torc_buf_dispose(&self->own_cert);
    self->is_used = false;
}

bool torc_app_tls_open(torc_app *app) {
    if (open_all(app)) return true;
    torc_app_tls_close(app); /* keys are wiped, too */
    return false;
}

static bool reload_row(torc_app *app, size_t row) {
    const torc_socket_row *it = app->sockets.rows[row];
    torc_tls_config *config;
    torc_tls_error error;

    if (make(app, &it->endpoint, &error, &config)) {
        torc_log_event(app->log, app->worker ? TORC_LOG_LEVEL_DEBUG : TORC_LOG_LEVEL_ERROR,
                       "app.tls", "the new certificate cannot be used; the one before stays",
                       (torc_log_field[]){TORC_LOG_TEXT("endpoint", it->text),
                                          TORC_LOG_TEXT("why", error.text)},
                       2);
        return false;
    }
    torc_tls_context_set(app->tls.contexts[row], config);
    torc_tls_config_unref(config);
    return true;
}

bool torc_app_tls_reload(torc_app *app) {
    bool was_any = false;

    for (size_t row = 0; row < app->sockets.row_count; row++)
        if (app->tls.contexts[row] && reload_row(app, row)) was_any = true;
    if (was_any && !app->worker)
        TORC_LOG_INFO(app->log, "app.tls", "certificates were read anew",
                      TORC_LOG_INT("pid", getpid()));
    return was_any;
}

torc_err torc_app_tls_add_filter(const torc_app *app, size_t row, torc_filters *filters) {
    torc_filter_factory *factory;

    if (!app->tls.contexts[row]) return TORC_OK;
    const torc_err err = torc_tls_server_filter(app->tls.contexts[row], &factory);
    return err ? err : torc_filters_add(filters, factory);
}
