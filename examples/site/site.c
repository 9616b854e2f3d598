/* SPDX-License-Identifier: MIT */
/* A small site about Torc, served by Torc: pages from a folder, and a few dynamic parts. */
#include <stdlib.h>
#include <torc/torc.h>

#include "crc32.h"

static const char *pages = "examples/site/pages";

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "Hello, World!\n");
}

static torc_render show_user(torc_request *request) {
    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_member_str(json, "id", torc_request_param(request, "id"));
    torc_json_member_int(json, "visits", 42);
    torc_json_close_object(json);
    return torc_reply_end(request);
}

static torc_render later(torc_request *request) {
    torc_str text;
    uint64_t ms = 250;

    if (torc_request_arg(request, "ms", &text) && torc_str_parse_uint(text, 10000, &ms))
        return torc_reply_status(request, 400, "ms is a number from 0 to 10000");

    const torc_err err = torc_sleep(torc_request_reactor(request), ms);
    if (err) return torc_reply_error(request, err);
    return torc_reply_text(request, 200, "Sorry that you had to wait.\n");
}

static torc_render upload(torc_request *request) {
    uint64_t bytes = 0;
    uint32_t crc = 0;
    torc_str chunk;
    torc_err err;

    torc_request_limits(request)->body_bytes_max = 1024u * 1024 * 1024;
    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0) {
        bytes += chunk.len;
        crc = crc32_add(crc, chunk.bytes, chunk.len);
    }
    if (err) return torc_reply_error(request, err);

    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_member_uint(json, "length", bytes);
    torc_json_member_uint(json, "crc32", crc);
    torc_json_close_object(json);
    return torc_reply_end(request);
}

static const char *set_pages(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    pages = value;
    return NULL;
}

/* The folder is known once the options are read. */
static void start(torc_app *app) {
    torc_resource_put_rest(torc_app_root(app), torc_static_files_new(pages, NULL));
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("site");
    torc_app_set_description(app, "A small site about Torc, served by Torc.");
    torc_app_add_option(app, "pages", "DIR", "the folder of its pages (examples/site/pages)",
                        set_pages);
    torc_app_on_start(app, start);
    torc_app_route(app, "GET /hello", hello);
    torc_app_route(app, "GET /users/{id}", show_user);
    torc_app_route(app, "GET /later", later);
    torc_app_route(app, "PUT /upload", upload);
    torc_app_route(app, "POST /upload", upload);
    return torc_app_run(app, argc, argv);
}
