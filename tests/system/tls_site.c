/* SPDX-License-Identifier: MIT */
/*
 * HTTP over TLS for peers that are not ours, by the public API alone:
 *
 *     tls_site ENDPOINT FOLDER [strict|compatible] [optional|required] [tickets-off] [refuse-names]
 *
 * The certificates are FOLDER's a.pem and a.key, and b.* and rsa.*, if they are there; clients'
 * are signed by ca.pem. SIGHUP reads them again; a mistake leaves what there is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <torc/torc.h>
#include <unistd.h>

typedef struct site_of_test {
    const char *folder;
    int argc;
    char **argv;
    torc_log *log;
    torc_tls_context *context;
    torc_reactor *reactor;
} site_of_test;

static torc_render tell(torc_request *request) {
    const torc_link_info *link = torc_request_link_info(request);
    torc_json *json = torc_reply_json(request, 200);

    torc_json_open_object(json);
    torc_json_member_bool(json, "secure", torc_request_is_secure(request));
    if (link->tls) {
        torc_json_member_str(json, "version", link->tls->version);
        torc_json_member_str(json, "cipher", link->tls->cipher);
        torc_json_member_str(json, "server_name", link->tls->server_name);
        torc_json_member_str(json, "protocol", link->tls->protocol);
        torc_json_member_str(json, "peer_name", link->tls->peer_name);
        torc_json_member_uint(json, "peer_bytes", link->tls->peer_certificate.len);
        torc_json_member_bool(json, "resumed", link->tls->is_resumed);
    }
    torc_json_close_object(json);
    return torc_reply_end(request);
}

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello");
}

/* As many bytes as are asked for, in pieces. */
static torc_render many(torc_request *request) {
    char piece[1000];
    uint64_t left;

    memset(piece, 'x', sizeof(piece));
    if (torc_str_parse_uint(torc_request_param(request, "bytes"), 100000000, &left))
        return torc_reply_status(request, 404, NULL);
    torc_response_set_length(request, left);
    while (left > 0) {
        const size_t part = left < sizeof(piece) ? (size_t)left : sizeof(piece);
        torc_request_write(request, torc_str_make(piece, part));
        left -= part;
    }
    return torc_reply_end(request);
}

static torc_render echo(torc_request *request) {
    torc_str bytes;
    const torc_err err = torc_body_read_all(request, 1 << 20, &bytes);

    if (err) return torc_reply_error(request, err);
    return torc_reply_bytes(request, 200, "application/octet-stream", bytes);
}

static bool has_word(const site_of_test *self, const char *word) {
    for (int i = 3; i < self->argc; i++)
        if (strcmp(self->argv[i], word) == 0) return true;
    return false;
}

static torc_err read_config(site_of_test *self, torc_tls_config **config) {
    static const char *const names[] = {"a", "b", "rsa"};
    char paths[2 * TORC_COUNT_OF(names)][512], authority[512];
    torc_tls_certificate certificates[TORC_COUNT_OF(names)];
    torc_tls_error error;
    torc_tls_server_options options = {
        .size = sizeof(options),
        .certificates = certificates,
        .preset = has_word(self, "strict")       ? TORC_TLS_STRICT
                  : has_word(self, "compatible") ? TORC_TLS_COMPATIBLE
                                                 : TORC_TLS_MODERN,
        .protocols = "http/1.1",
        .peers = has_word(self, "required")   ? TORC_TLS_PEERS_REQUIRED
                 : has_word(self, "optional") ? TORC_TLS_PEERS_OPTIONAL
                                              : TORC_TLS_PEERS_UNKNOWN,
        .peer_ca_file = authority,
        .no_tickets = has_word(self, "tickets-off"),
        .refuse_unknown_names = has_word(self, "refuse-names"),
        .handshake_ms = 2000,
        .plain_reply = TORC_STR("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
        .log = self->log,
    };

    snprintf(authority, sizeof(authority), "%s/ca.pem", self->folder);
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) {
        char *cert = paths[2 * i], *key = paths[2 * i + 1];
        snprintf(cert, sizeof(paths[0]), "%s/%s.pem", self->folder, names[i]);
        snprintf(key, sizeof(paths[0]), "%s/%s.key", self->folder, names[i]);
        if (access(cert, R_OK)) continue;
        certificates[options.certificate_count++] =
            (torc_tls_certificate){.cert_file = cert, .key_file = key};
    }
    const torc_err err = torc_tls_server_new(&options, &error, config);
    if (err) fprintf(stderr, "tls_site: %s\n", error.text);
    return err;
}

static void reload(void *context, int number) {
    site_of_test *self = context;
    torc_tls_config *config;

    (void)number;
    if (read_config(self, &config)) return;
    torc_tls_context_set(self->context, config);
    torc_tls_config_unref(config);
    fprintf(stderr, "tls_site: read again\n");
}

static void stop(void *context, int number) {
    (void)number;
    torc_reactor_stop(context);
}

static int serve(site_of_test *self, const char *endpoint, const torc_filters *filters) {
    const torc_http_options options = {.size = sizeof(options), .filters = filters};
    torc_resource *root = torc_folder_new();
    torc_signal *term, *hup;
    torc_endpoint_error error;
    torc_listener *listener;
    char text[TORC_ADDR_TEXT_MAX];

    torc_resource_put_child(root, "", torc_render_new(hello, 0, true));
    torc_resource_put_child(root, "tls", torc_render_new(tell, 0, true));
    torc_resource_put_child(root, "echo", torc_render_new(echo, 0, true));
    torc_resource_put_child(root, "files", torc_static_files_new(self->folder, NULL));
    torc_resource_route(root, "GET /many/{bytes}", many);
    torc_site *site = torc_site_new(root, NULL);
    if (!site || torc_listen_http(self->reactor, endpoint, torc_site_acceptor(site), &options,
                                  &error, &listener)) {
        fprintf(stderr, "tls_site: %s\n", site ? error.text : "no memory");
        return 1;
    }
    if (torc_signal_new(self->reactor, 15, stop, self->reactor, &term) ||
        torc_signal_new(self->reactor, 1, reload, self, &hup))
        return 1;
    const torc_addr addr = torc_listener_addr(listener);
    const torc_str where = torc_addr_text(&addr, text);
    printf("serving on %.*s\n", TORC_STR_ARGS(where));
    fflush(stdout);
    const int failed = torc_reactor_run(self->reactor) != TORC_OK;
    torc_listener_close(listener);
    torc_signal_free(term);
    torc_signal_free(hup);
    torc_site_free(site);
    return failed;
}

int main(int argc, char **argv) {
    site_of_test self = {.folder = argc > 2 ? argv[2] : "", .argc = argc, .argv = argv};
    torc_reactor_options options = {.size = sizeof(options)};
    torc_filter_factory *factory;
    torc_filters filters = {0};
    torc_tls_config *config;

    if (argc < 3 || torc_log_new_fd(NULL, 2, TORC_LOG_FORMAT_TEXT, &self.log)) return 2;
    options.log = self.log;
    if (read_config(&self, &config) || torc_reactor_new(&options, &self.reactor)) return 1;
    self.context = torc_tls_context_new(config);
    torc_tls_config_unref(config);
    if (!self.context || torc_tls_server_filter(self.context, &factory) ||
        torc_filters_add(&filters, factory))
        return 1;
    const int status = serve(&self, argv[1], &filters);
    torc_reactor_free(self.reactor);
    torc_filters_dispose(&filters);
    torc_tls_context_unref(self.context);
    torc_log_free(self.log);
    return status;
}
