/* SPDX-License-Identifier: MIT */
/* What is answered when something goes wrong: pages, functions, failures, redirects. */
#include <stdio.h>
#include <torc/torc.h>

static const char lost[] = "<!doctype html>\n<title>Lost</title>\n<h1>There is no such page.</h1>\n"
                           "<p><a href=\"/\">To the beginning</a></p>\n";

/* ---- errors beneath /api: JSON for everybody, with an id to ask for ---- */

static torc_render reply_problem(torc_request *request, const torc_error_reply *error,
                                 void *context) {
    char detail[200];
    const torc_problem problem = {
        .status = error->status,
        .type = error->err == TORC_ERR_TIMEOUT ? "https://errors.example/too-slow" : NULL,
        .detail = error->detail.len ? detail : NULL,
        .instance = context,
    };

    snprintf(detail, sizeof(detail), "%.*s", TORC_STR_ARGS(error->detail));
    return torc_reply_problem(request, &problem);
}

/* ---- what goes wrong ---- */

static torc_failure *read_stock(torc_memory *memory, torc_str item) {
    torc_failure *failure =
        torc_failure_new(memory, TORC_ERR_TIMEOUT, "the stock of %.*s", TORC_STR_ARGS(item));

    torc_failure_add_cause(failure, torc_failure_new(memory, TORC_ERR_RESET, "the database"));
    return failure;
}

static torc_render show_stock(torc_request *request) {
    torc_memory *memory = torc_reactor_memory(torc_request_reactor(request));
    return torc_reply_failed(request, read_stock(memory, torc_request_param(request, "item")));
}

static torc_render buy(torc_request *request) {
    return torc_reply_status(request, 409, "It is sold out.");
}

static torc_render crash(torc_request *request) {
    return torc_reply_failure(request, "the printer is out of paper");
}

/* ---- to where they came from, but nowhere else ---- */

static torc_render leave(torc_request *request) {
    torc_str next = {0};

    torc_request_arg(request, "next", &next);
    return torc_reply_redirect_local(request, 303, next, "/");
}

static torc_render home(torc_request *request) {
    return torc_reply_text(request, 200, "Nothing is wrong here.\n");
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("error_pages");
    torc_resource *root = torc_app_root(app);
    torc_resource *api = torc_resource_group(root, "/api");

    torc_app_route(app, "GET /", home);
    torc_app_route(app, "GET /crash", crash);
    torc_app_route(app, "GET /leave", leave);
    torc_resource_route(api, "GET /stock/{item}", show_stock);
    torc_resource_route(api, "POST /buy", buy);

    torc_resource_set_error_page(root, 404, 404, "text/html; charset=utf-8",
                                 torc_str_make(lost, sizeof(lost) - 1));
    torc_resource_on_error(api, reply_problem, (void *)(uintptr_t) "/api/errors");
    return torc_app_run(app, argc, argv);
}
