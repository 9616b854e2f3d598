/* SPDX-License-Identifier: MIT */
/* Routes: methods, parameters, the rest of a path, query arguments, and JSON. */
#include <torc/torc.h>

static torc_render home(torc_request *request) {
    return torc_reply_text(request, 200, "Try /users/7, /files/a/b.txt and /search?q=torc\n");
}

static torc_render show_user(torc_request *request) {
    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_member_str(json, "id", torc_request_param(request, "id"));
    torc_json_member_int(json, "visits", 42);
    torc_json_close_object(json);
    return torc_reply_end(request);
}

static torc_render delete_user(torc_request *request) {
    torc_response_set_status(request, 204, NULL);
    return torc_reply_end(request);
}

static torc_render show_file(torc_request *request) {
    const torc_str path = torc_request_param(request, "path");
    return torc_reply_bytes(request, 200, "text/plain; charset=utf-8", path);
}

static torc_render search(torc_request *request) {
    torc_str words;
    if (!torc_request_arg(request, "q", &words))
        return torc_reply_status(request, 400, "the argument q is missing: /search?q=words");
    return torc_reply_bytes(request, 200, "text/plain; charset=utf-8", words);
}

static torc_render moved(torc_request *request) {
    return torc_reply_redirect(request, 301, "/");
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("routes");
    torc_app_route(app, "GET /", home);
    torc_app_route(app, "GET /users/{id}", show_user);
    torc_app_route(app, "DELETE /users/{id}", delete_user);
    torc_app_route(app, "GET /files/{path...}", show_file);
    torc_app_route(app, "GET /search", search);
    torc_app_route(app, "* /old", moved);
    return torc_app_run(app, argc, argv);
}
