/* SPDX-License-Identifier: MIT */
/*
 * The server that is measured: one worker, limits and timeouts on, by the public API.
 *
 *   bench_server --port P --root DIR --uploads DIR
 *
 * /plaintext and /json answer their few bytes; /users/{id} a document of its parameter, and
 * /filtered/users/{id} the same through three middlewares; the files of DIR stand at /;
 * /upload/save writes the file of a form to a folder, /upload/drop reads it. /coded is a JSON
 * document of 64 KiB in the coding that is asked for, coded for each reply.
 */
#include <stdio.h>
#include <string.h>
#include <torc/torc.h>

static const char *root, *uploads = ".";
static char endpoint[64];

static torc_render plaintext(torc_request *request) {
    return torc_reply_bytes(request, 200, "text/plain", TORC_STR("Hello, World!"));
}

static torc_render json(torc_request *request) {
    torc_json *document = torc_reply_json(request, 200);
    torc_json_open_object(document);
    torc_json_member_str(document, "message", TORC_STR("Hello, World!"));
    torc_json_close_object(document);
    return torc_reply_end(request);
}

static torc_render show_user(torc_request *request) {
    torc_json *document = torc_reply_json(request, 200);
    torc_json_open_object(document);
    torc_json_member_str(document, "id", torc_request_param(request, "id"));
    torc_json_member_int(document, "visits", 42);
    torc_json_close_object(document);
    return torc_reply_end(request);
}

/* A limit that is counted, and never reached. */
static torc_resource *new_filtered(void) {
    const torc_rate_limit_options limit = {.size = sizeof(limit), .rate = "100000/s,burst=1000000"};
    torc_resource *filtered = torc_folder_new();

    torc_resource_route(filtered, "GET /users/{id}", show_user);
    torc_resource_use(filtered, torc_request_id_new(NULL));
    torc_resource_use(filtered, torc_security_headers_new(NULL));
    torc_resource_use(filtered, torc_rate_limit_new(&limit));
    return filtered;
}

/* ---- what is compressed ---- */

enum {
    DOCUMENT = 65536
};

static char document[DOCUMENT + 1];
static size_t document_len;

/* Orders as a shop has them: names repeat, numbers do not. */
static void write_document(void) {
    static const char *const names[] = {"lamp", "chair", "book shelf", "tea kettle", "window"};
    uint32_t random = 1;
    char item[200];

    document[document_len++] = '[';
    for (unsigned id = 1;; id++) {
        random = random * 1664525 + 1013904223;
        const int len = snprintf(
            item, sizeof(item),
            "%s{\"id\":%u,\"name\":\"%s\",\"price\":%u.%02u,\"available\":%s,\"key\":\"%08x\"}",
            id > 1 ? "," : "", id, names[random % 5], random >> 22, random >> 12 & 63,
            random >> 10 & 3 ? "true" : "false", random);
        if (document_len + (size_t)len + 2 > DOCUMENT) break;
        memcpy(document + document_len, item, (size_t)len);
        document_len += (size_t)len;
    }
    document[document_len++] = ']';
}

static torc_render coded(torc_request *request) {
    return torc_reply_bytes(request, 200, "application/json",
                            torc_str_make(document, document_len));
}

static void put_coded(torc_resource *parent) {
    torc_resource *resource = torc_render_new(coded, 0, true);

    write_document();
    torc_resource_use(resource, torc_compress_new(NULL));
    torc_resource_put_child(parent, "coded", resource);
}

/* ---- the file of a form ---- */

static torc_render reply_length(torc_request *request, torc_err err, uint64_t len) {
    char text[32];

    if (err) return torc_reply_error(request, err);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)len);
    return torc_reply_text(request, 200, text);
}

/* The form at its first part. */
static torc_err begin_upload(torc_request *request, torc_form **form) {
    const torc_form_part *part;
    torc_err err;

    torc_request_limits(request)->body_bytes_max = TORC_UNLIMITED_BYTES;
    err = torc_form_open(request, NULL, form);
    return err ? err : torc_form_next(*form, &part);
}

static torc_render drop_upload(torc_request *request) {
    uint64_t len = 0;
    torc_form *form;
    torc_str chunk;

    torc_err err = begin_upload(request, &form);
    while (!err && !(err = torc_form_read(form, &chunk)) && chunk.len > 0) len += chunk.len;
    return reply_length(request, err, len);
}

static torc_render save_upload(torc_request *request) {
    char path[512];
    uint64_t len = 0;
    torc_form *form;

    snprintf(path, sizeof(path), "%s/upload", uploads);
    torc_err err = begin_upload(request, &form);
    if (!err) err = torc_form_save(form, path, 0644, &len);
    return reply_length(request, err, len);
}

/* ---- the program ---- */

static const char *set_uploads(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    uploads = value;
    return NULL;
}

static const char *set_port(torc_app *app, const char *value, char text[160]) {
    uint64_t port;

    (void)text;
    if (torc_str_parse_uint(torc_str_of(value), 65535, &port))
        return "a port is a number from 0 to 65535";
    snprintf(endpoint, sizeof(endpoint), "tcp:%llu:interface=127.0.0.1", (unsigned long long)port);
    torc_app_set_listen(app, endpoint);
    return NULL;
}

static const char *set_root(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    root = value;
    return NULL;
}

static void start(torc_app *app) {
    put_coded(torc_app_root(app));
    if (root) torc_resource_put_rest(torc_app_root(app), torc_static_files_new(root, NULL));
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("bench_server");
    torc_app_set_description(
        app, "The server that script/bench measures: one worker, limits and timeouts on.");
    torc_app_add_option(app, "port", "P", "listen on 127.0.0.1:P", set_port);
    torc_app_add_option(app, "root", "DIR", "serve the files of DIR at /", set_root);
    torc_app_add_option(app, "uploads", "DIR", "write uploads to DIR (.)", set_uploads);
    torc_app_set_workers(app, 0); /* in this process: it is measured alone */
    torc_app_on_start(app, start);
    torc_app_route(app, "GET /plaintext", plaintext);
    torc_app_route(app, "GET /json", json);
    torc_app_route(app, "GET /users/{id}", show_user);
    torc_resource_put_child(torc_app_root(app), "filtered", new_filtered());
    torc_app_route(app, "POST /upload/drop", drop_upload);
    torc_app_route(app, "POST /upload/save", save_upload);
    return torc_app_run(app, argc, argv);
}
