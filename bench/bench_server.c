/* SPDX-License-Identifier: MIT */
/*
 * The server that is measured: one worker, limits and timeouts on, by the public API.
 *
 *   bench_server --port P --root DIR
 *
 * /plaintext and /json answer their few bytes; the files of DIR stand at /.
 */
#include <stdio.h>
#include <torc/torc.h>

static const char *root;
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
    if (root) torc_resource_put_rest(torc_app_root(app), torc_static_files_new(root, NULL));
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("bench_server");
    torc_app_set_description(
        app, "The server that script/bench measures: one worker, limits and timeouts on.");
    torc_app_add_option(app, "port", "P", "listen on 127.0.0.1:P", set_port);
    torc_app_add_option(app, "root", "DIR", "serve the files of DIR at /", set_root);
    torc_app_set_workers(app, 0); /* in this process: it is measured alone */
    torc_app_on_start(app, start);
    torc_app_route(app, "GET /plaintext", plaintext);
    torc_app_route(app, "GET /json", json);
    return torc_app_run(app, argc, argv);
}
