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

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <torc/certificate.h>
#include <torc/digest.h>
#include <unistd.h>

#include "app/app.h"
#include "base/siphash.h"
#include "protocol/negotiate.h"

enum {
    PEM_MAX = 1024 * 1024,
    FOLDER_MAX = TORC_APP_CERTIFICATES_MAX
};

static const char plain_reply[] =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 41\r\n"
    "Connection: close\r\n\r\nThis port speaks TLS: ask by https://...\n";

/* What an endpoint's configuration is made of; disposed of when it is made. */
typedef struct recipe {
    const torc_endpoint *endpoint;
    torc_tls_certificate certificates[1 + FOLDER_MAX];
    size_t count;
    char (*paths)[PATH_MAX]; /* of the files in a folder; NULL: there is none */
    torc_buf chain;          /* a certificate and what else leads to the authority */
    torc_tls_error *error;
} recipe;

static torc_err wrong(torc_tls_error *error, torc_err err, const char *what, const char *why) {
    snprintf(error->text, sizeof(error->text), "%.300s: %.200s", what, why);
    return err;
}

static const char *text_of(const torc_endpoint *endpoint, torc_endpoint_text text) {
    return torc_endpoint_text_of(&endpoint->texts, text);
}

/* ---- certificates of an endpoint ---- */

/* The certificate's file, and the further ones behind it. */
static torc_err join_chain(recipe *self, const char *file, const char *extra) {
    const char *const both[] = {file, extra};

    for (size_t i = 0; i < TORC_COUNT_OF(both); i++) {
        const torc_err err = torc_pem_load(both[i], &self->chain);
        if (err) return wrong(self->error, err, both[i], torc_err_text(err));
        torc_buf_add_byte(&self->chain, '\n');
    }
    return torc_buf_err(&self->chain);
}

static torc_err add_named(recipe *self) {
    const torc_endpoint *endpoint = self->endpoint;
    const char *key = text_of(endpoint, endpoint->tls.private_key);
    const char *cert = text_of(endpoint, endpoint->tls.certificate);
    const char *extra = text_of(endpoint, endpoint->tls.extra_chain);
    torc_tls_certificate *it = &self->certificates[self->count];

    if (!key) return TORC_OK;
    if (!cert) cert = key;
    *it = (torc_tls_certificate){.cert_file = cert, .key_file = key};
    self->count++;
    if (!extra) return TORC_OK;
    const torc_err err = join_chain(self, cert, extra);
    it->cert_file = NULL;
    it->cert = torc_buf_str(&self->chain);
    return err;
}

static bool is_pem(const struct dirent *entry) {
    return entry->d_name[0] != '.' &&
           torc_str_ends_with(torc_str_of(entry->d_name), TORC_STR(".pem"));
}

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

/* The paths of the files, in their order; beyond the most, an error. */
static torc_err list_folder(recipe *self, const char *folder, DIR *open_folder, size_t *count) {
    const struct dirent *entry;

    self->paths = torc_alloc(NULL, TORC_MEMORY_TLS, FOLDER_MAX * sizeof(*self->paths));
    if (!self->paths) return wrong(self->error, TORC_ERR_NO_MEMORY, folder, "out of memory");
    while ((entry = readdir(open_folder)) != NULL) {
        if (!is_pem(entry)) continue;
        if (*count == FOLDER_MAX)
            return wrong(self->error, TORC_ERR_LIMIT, folder, "over 32 files");
        snprintf(self->paths[*count], PATH_MAX, "%s/%s", folder, entry->d_name);
        ++*count;
    }
    qsort(self->paths, *count, sizeof(*self->paths), by_name);
    return TORC_OK;
}

/* Each NAME.pem of a folder has a certificate and its key. */
static torc_err add_folder(recipe *self, const char *folder) {
    DIR *const open_folder = opendir(folder);
    size_t count = 0;

    if (!open_folder) {
        const torc_err why = torc_err_from_errno(errno);
        return wrong(self->error, why, folder, torc_err_text(why));
    }
    const torc_err err = list_folder(self, folder, open_folder, &count);
    closedir(open_folder);
    for (size_t i = 0; i < count && !err; i++)
        self->certificates[self->count++] = (torc_tls_certificate){.cert_file = self->paths[i]};
    return err;
}

/* Those of the options; the place of each key is its certificate's. */
static void add_usual(recipe *self, const torc_app *app) {
    const torc_app_tls_settings *settings = &app->settings.tls;

    for (size_t i = 0; i < settings->cert_count; i++)
        self->certificates[self->count++] = (torc_tls_certificate){
            .cert_file = settings->cert_files[i],
            .key_file = i < settings->key_count ? settings->key_files[i] : NULL,
        };
    if (settings->self_signed)
        self->certificates[self->count++] = (torc_tls_certificate){
            .cert = torc_buf_str(&app->tls.own_cert),
            .key = torc_buf_str(&app->tls.own_key),
        };
}

static torc_err collect(recipe *self, const torc_app *app) {
    const char *folder = text_of(self->endpoint, self->endpoint->tls.sni);
    torc_err err = add_named(self);

    if (!err && self->count == 0 && !folder) add_usual(self, app);
    if (!err && folder) err = add_folder(self, folder);
    if (!err && self->count == 0)
        err = wrong(self->error, TORC_ERR_NOT_FOUND, "there is no certificate",
                    "add --tls-cert FILE and --tls-key FILE, or --tls-self-signed");
    return err;
}

static void dispose(recipe *self) {
    torc_dealloc(NULL, self->paths);
    torc_buf_dispose(&self->chain);
}

/* ---- the rest of its configuration ---- */

static torc_tls_preset preset_of(const torc_app *app, const torc_endpoint *endpoint) {
    const char *name = text_of(endpoint, endpoint->tls.profile);
    torc_tls_preset preset = app->settings.tls.preset;

    if (name && torc_app_tls_preset(name, &preset)) preset = TORC_TLS_MODERN;
    return endpoint->tls.min_version == 13 ? TORC_TLS_STRICT : preset;
}

static void ask_clients(const torc_app *app, const torc_endpoint *endpoint,
                        torc_tls_server_options *options) {
    const torc_app_tls_settings *settings = &app->settings.tls;

    options->peer_ca_file = text_of(endpoint, endpoint->tls.client_ca);
    if (options->peer_ca_file) {
        options->peers =
            endpoint->tls.client_auth == TORC_CLIENT_AUTH_OPTIONAL   ? TORC_TLS_PEERS_OPTIONAL
            : endpoint->tls.client_auth == TORC_CLIENT_AUTH_REQUIRED ? TORC_TLS_PEERS_REQUIRED
                                                                     : TORC_TLS_PEERS_UNKNOWN;
        return;
    }
    options->peer_ca_file = settings->client_ca;
    if (settings->client_ca)
        options->peers = settings->has_peers ? settings->peers : TORC_TLS_PEERS_REQUIRED;
}

static torc_err make(const torc_app *app, const torc_endpoint *endpoint, torc_tls_error *error,
                     torc_tls_config **config) {
    const char *alpn = text_of(endpoint, endpoint->tls.alpn);
    recipe self = {.endpoint = endpoint, .error = error};

    torc_buf_init(&self.chain, NULL, TORC_MEMORY_TLS, 2 * PEM_MAX);
    torc_err err = collect(&self, app);
    if (!err && alpn && !torc_http_server_speaks(torc_str_of(alpn)))
        err = wrong(error, TORC_ERR_INVALID, "alpn", "HTTP is served as http/1.1 alone");
    torc_tls_server_options options = {
        .size = sizeof(options),
        .certificates = self.certificates,
        .certificate_count = self.count,
        .preset = preset_of(app, endpoint),
        .protocols = alpn ? alpn : torc_http_server_protocols(),
        .ticket_keys = app->tls.ticket_keys,
        .no_tickets = !app->tls.ticket_keys,
        .plain_reply = torc_str_make(plain_reply, sizeof(plain_reply) - 1),
        .log = app->log,
    };
    ask_clients(app, endpoint, &options);
    if (!err) err = torc_tls_server_new(&options, error, config);
    dispose(&self);
    return err;
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

bool torc_app_tls_open(torc_app *app) {
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
