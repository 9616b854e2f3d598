/* SPDX-License-Identifier: MIT */
/*
 * What ssl:, tls: and haproxy: become: configurations of TLS, and filters.
 *
 *  - The words of a string are those of its parser (endpoint.c, client_endpoint.c), so what they
 *    say is not checked once more.
 */
#include <torc/endpoint_stages.h>

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <torc/certificate.h>

#include "base/alloc.h"
#include "base/options.h"

enum {
    CERTIFICATES_MAX = 256,
    CHAIN_BYTES_MAX = 2 * 1024 * 1024,
    RANGES_MAX = 64,
    PATH_SIZE = 1024
};

/* ---- certificates ---- */

/* The certificates of one server, with the texts that they point to. */
typedef struct certificate_set {
    torc_tls_certificate *items; /* CERTIFICATES_MAX of them */
    char (*paths)[PATH_SIZE];    /* of those in the folder; CERTIFICATES_MAX of them */
    size_t count;
    torc_buf chain; /* a certificate and what follows it, when they are in two files */
} certificate_set;

TORC_PRINTF(3, 4)
static torc_err wrong(torc_tls_error *error, torc_err err, const char *format, ...) {
    va_list values;

    if (error) {
        va_start(values, format);
        vsnprintf(error->text, sizeof(error->text), format, values);
        va_end(values);
    }
    return err;
}

/* A file's certificates, behind those that are there. */
static torc_err add_file(const char *path, torc_buf *bytes, torc_tls_error *error) {
    torc_err err = torc_pem_load(path, bytes);

    torc_buf_add_byte(bytes, '\n');
    if (!err) err = torc_buf_err(bytes);
    return err ? wrong(error, err, "%s: %s", path, torc_err_text(err)) : TORC_OK;
}

/* The certificate that the string names. */
static torc_err add_named(const torc_endpoint_texts *texts, const torc_endpoint_tls *tls,
                          certificate_set *set, torc_tls_error *error) {
    const char *key = torc_endpoint_text_of(texts, tls->private_key),
               *cert = torc_endpoint_text_of(texts, tls->certificate),
               *chain = torc_endpoint_text_of(texts, tls->extra_chain);
    torc_tls_certificate *made = &set->items[0];

    if (!key) return TORC_OK;
    if (!cert) cert = key; /* both in one file */
    *made = (torc_tls_certificate){.cert_file = cert, .key_file = key};
    set->count = 1;
    if (!chain) return TORC_OK;
    torc_err err = add_file(cert, &set->chain, error);
    if (!err) err = add_file(chain, &set->chain, error);
    made->cert_file = NULL;
    made->cert = torc_buf_str(&set->chain);
    return err;
}

static int by_path(const void *a, const void *b) {
    return strcmp(a, b);
}

/* The files `*.pem` of a folder, each with a certificate, its chain and its key. */
static torc_err add_folder(const char *folder, certificate_set *set, torc_tls_error *error) {
    DIR *listing = opendir(folder);
    const size_t named = set->count;
    const struct dirent *entry;

    if (!listing)
        return wrong(error, torc_err_from_errno(errno), "%s: %s (sni= is a folder of *.pem files)",
                     folder, torc_err_text(torc_err_from_errno(errno)));
    while ((entry = readdir(listing)) != NULL) {
        const torc_str name = torc_str_of(entry->d_name);
        if (name.bytes[0] == '.' || !torc_str_ends_with(name, TORC_STR(".pem"))) continue;
        if (set->count == CERTIFICATES_MAX) break;
        snprintf(set->paths[set->count++], PATH_SIZE, "%s/%s", folder, entry->d_name);
    }
    closedir(listing);
    if (entry)
        return wrong(error, TORC_ERR_LIMIT, "%s: more than %d certificates", folder,
                     CERTIFICATES_MAX);
    if (set->count == named)
        return wrong(error, TORC_ERR_NOT_FOUND,
                     "%s: no *.pem file, each with a certificate and its key (sni=)", folder);
    qsort(set->paths + named, set->count - named, PATH_SIZE, by_path);
    for (size_t i = named; i < set->count; i++)
        set->items[i] = (torc_tls_certificate){.cert_file = set->paths[i]};
    return TORC_OK;
}

static void set_dispose(certificate_set *set) {
    torc_dealloc(NULL, set->items);
    torc_dealloc(NULL, set->paths);
    torc_buf_dispose(&set->chain);
}

static torc_err set_fill(const torc_endpoint_texts *texts, const torc_endpoint_tls *tls,
                         certificate_set *set, torc_tls_error *error) {
    const char *folder = torc_endpoint_text_of(texts, tls->sni);

    torc_buf_init(&set->chain, NULL, TORC_MEMORY_OTHER, CHAIN_BYTES_MAX);
    set->items = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, CERTIFICATES_MAX, sizeof(*set->items));
    if (!set->items) return wrong(error, TORC_ERR_NO_MEMORY, "out of memory");
    torc_err err = add_named(texts, tls, set, error);
    if (err || !folder) return err;
    set->paths = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, CERTIFICATES_MAX, sizeof(*set->paths));
    if (!set->paths) return wrong(error, TORC_ERR_NO_MEMORY, "out of memory");
    return add_folder(folder, set, error);
}

/* ---- TLS ---- */

static torc_tls_preset preset_of(const torc_endpoint_texts *texts, const torc_endpoint_tls *tls,
                                 torc_tls_preset preset) {
    const char *profile = torc_endpoint_text_of(texts, tls->profile);

    if (profile)
        preset = strcmp(profile, "strict") == 0       ? TORC_TLS_STRICT
                 : strcmp(profile, "compatible") == 0 ? TORC_TLS_COMPATIBLE
                                                      : TORC_TLS_MODERN;
    return tls->min_version == 13 ? TORC_TLS_STRICT : preset;
}

torc_err torc_endpoint_tls_server(const torc_endpoint *endpoint,
                                  const torc_tls_server_options *defaults, torc_tls_error *error,
                                  torc_tls_config **config) {
    static const torc_tls_peers peers[] = {
        [TORC_CLIENT_AUTH_NONE] = TORC_TLS_PEERS_UNKNOWN,
        [TORC_CLIENT_AUTH_OPTIONAL] = TORC_TLS_PEERS_OPTIONAL,
        [TORC_CLIENT_AUTH_REQUIRED] = TORC_TLS_PEERS_REQUIRED,
    };
    const torc_endpoint_texts *texts = &endpoint->texts;
    const torc_endpoint_tls *tls = &endpoint->tls;
    torc_tls_server_options options = {0};
    certificate_set set = {0};

    TORC_OPTIONS_READ(&options, defaults);
    options.preset = preset_of(texts, tls, options.preset);
    if (tls->alpn) options.protocols = torc_endpoint_text_of(texts, tls->alpn);
    if (tls->client_ca) {
        options.peer_ca_file = torc_endpoint_text_of(texts, tls->client_ca);
        options.peers = peers[tls->client_auth];
    }
    torc_err err = set_fill(texts, tls, &set, error);
    if (!err && set.count > 0) {
        options.certificates = set.items;
        options.certificate_count = set.count;
    }
    if (!err && options.certificate_count == 0)
        err = wrong(error, TORC_ERR_INVALID,
                    "there is no certificate: add privateKey=FILE and certKey=FILE (`torc cert` "
                    "makes them)");
    if (!err) err = torc_tls_server_new(&options, error, config);
    set_dispose(&set);
    return err;
}

torc_err torc_client_endpoint_tls(const torc_client_endpoint *endpoint,
                                  const torc_tls_client_options *defaults, torc_tls_error *error,
                                  torc_tls_config **config) {
    const torc_endpoint_texts *texts = &endpoint->texts;
    const torc_endpoint_tls *tls = &endpoint->tls;
    const torc_tls_certificate own = {
        .cert_file = torc_endpoint_text_of(texts, tls->certificate),
        .key_file = torc_endpoint_text_of(texts, tls->private_key),
    };
    const char *roots = torc_endpoint_text_of(texts, tls->trust_roots);
    torc_tls_client_options options = {0};
    struct stat about;

    TORC_OPTIONS_READ(&options, defaults);
    options.preset = preset_of(texts, tls, options.preset);
    if (tls->alpn) options.protocols = torc_endpoint_text_of(texts, tls->alpn);
    if (tls->pin) options.pins = torc_endpoint_text_of(texts, tls->pin);
    if (own.cert_file) options.certificate = &own;
    if (tls->is_unverified) options.insecure = true;
    if (roots) {
        const bool is_folder = stat(roots, &about) == 0 && S_ISDIR(about.st_mode);
        options.ca_file = is_folder ? NULL : roots;
        options.ca_dir = is_folder ? roots : NULL;
    }
    return torc_tls_client_new(&options, error, config);
}

/* ---- filters ---- */

/* Who may send a PROXY header: the ranges are those that the parser has seen. */
static torc_err read_ranges(const char *text, torc_cidr ranges[RANGES_MAX], size_t *count) {
    torc_str rest = text ? torc_str_of(text) : torc_str_make(NULL, 0), range;

    *count = 0;
    while (torc_str_split(&rest, ',', &range)) {
        if (*count == RANGES_MAX) return TORC_ERR_LIMIT;
        const torc_err err = torc_cidr_parse(range, &ranges[(*count)++]);
        if (err) return err;
    }
    return TORC_OK;
}

static torc_err add_proxy(const torc_endpoint *endpoint, torc_reactor *reactor,
                          torc_filters *filters) {
    torc_cidr ranges[RANGES_MAX];
    torc_proxy_header_options options = {.size = sizeof(options),
                                         .header_ms = endpoint->proxy.timeout_ms};
    torc_filter_factory *factory;
    const char *allow = torc_endpoint_text_of(&endpoint->texts, endpoint->proxy.allow);
    torc_err err = read_ranges(allow, ranges, &options.trusted_count);

    if (options.trusted_count) options.trusted = ranges;
    if (!err) err = torc_proxy_header_filter_new(reactor, &options, &factory);
    return err ? err : torc_filters_add(filters, factory);
}

torc_err torc_endpoint_add_stages(const torc_endpoint *endpoint, torc_reactor *reactor,
                                  torc_tls_context *tls, torc_filters *filters) {
    torc_filter_factory *factory;
    torc_err err = endpoint->has_proxy ? add_proxy(endpoint, reactor, filters) : TORC_OK;

    if (err || !endpoint->has_tls) return err;
    if (!tls) return TORC_ERR_INVALID;
    err = torc_tls_server_filter(tls, &factory);
    return err ? err : torc_filters_add(filters, factory);
}
