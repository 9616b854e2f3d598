/* SPDX-License-Identifier: MIT */
/* A site about Torc, served by Torc: pages, an API of notes, uploads, cookies, and what stands
 * around them all. Here is how it is put together; each part is in a file of its own. */
#include <stdio.h>
#include <torc/torc.h>

#include "notes.h"
#include "page.h"
#include "parts.h"

static const char *pages = "examples/site/pages";
static const char *docs = "docs";
static torc_media_types *types;

/* ---- small replies, to begin with ---- */

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

/* ---- pages that need nothing ---- */

static torc_render show_start(torc_request *request) {
    return page_reply(request, 200, "index", NULL, 0);
}

static torc_render show_engine(torc_request *request) {
    return page_reply(request, 200, "engine", NULL, 0);
}

static torc_render show_try(torc_request *request) {
    return page_reply(request, 200, "try", NULL, 0);
}

static torc_render show_filters(torc_request *request) {
    return page_reply(request, 200, "filters", NULL, 0);
}

static torc_render show_errors(torc_request *request) {
    return page_reply(request, 200, "errors", NULL, 0);
}

static void use_pages(torc_app *app) {
    page_route(app, "GET /", show_start);
    page_route(app, "GET /engine", show_engine);
    page_route(app, "GET /try", show_try);
    page_route(app, "GET /filters", show_filters);
    page_route(app, "GET /errors", show_errors);
    page_route(app, "GET /hello", hello);
    page_route(app, "GET /users/{id}", show_user);
    page_route(app, "GET /later", later);
}

/* ---- around all of it ---- */

/* The first that is used is the outermost. */
static void use_filters(torc_app *app) {
    const torc_security_headers_options security = {.size = sizeof(security),
                                                    .csp = torc_csp_strict()};

    torc_app_use(app, torc_request_id_new(NULL));
    torc_app_use(app, torc_timing_new(NULL));
    torc_app_use(app, torc_security_headers_new(&security));
    torc_app_use(app, torc_compress_new(NULL)); /* so tags are of what is not coded yet */
    torc_app_use(app, torc_etag_new(0));
}

/* ---- what is made when the options are read ---- */

/* A host of its own: http://docs.localhost:8080/ lists the documentation, and /t/22-filters is
 * short for a page of the tutorial. */
static torc_resource *new_docs(void) {
    const torc_static_files_options options = {
        .size = sizeof(options), .list = true, .media_types = types};
    torc_resource *host = torc_folder_new();

    if (host) {
        torc_resource_put_rest(host, torc_static_files_new(docs, &options));
        torc_resource_rewrite(host, "/t/{page}$", "/tutorial/{page}.md");
    }
    return host;
}

static torc_resource *new_assets(void) {
    static char path[4096];
    static const char *const caching[] = {"*=max-age=300", NULL};
    const torc_static_files_options options = {.size = sizeof(options), .cache_control = caching};

    snprintf(path, sizeof(path), "%s/assets", pages);
    return torc_static_files_new(path, &options);
}

static void start(torc_app *app) {
    char text[400];
    const char *wrong = pages_load(pages, text);

    if (!wrong) wrong = cookies_start(app);
    types = torc_media_types_new();
    /* Browsers show Markdown only as plain text. */
    if (!wrong && (!types || torc_media_types_add(types, TORC_STR("md"),
                                                  TORC_STR("text/plain; charset=utf-8"))))
        wrong = "out of memory";
    if (wrong) torc_app_refuse(app, wrong);
    torc_resource_put_child(torc_app_root(app), "assets", new_assets());
    torc_resource_put_host(torc_app_root(app), "docs.localhost", new_docs());
}

static void stop(torc_app *app) {
    (void)app;
    cookies_stop();
    torc_media_types_free(types); /* no request is left that would look at them */
}

static const char *set_pages(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    pages = value;
    return NULL;
}

static const char *set_docs(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    docs = value;
    return NULL;
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("site");

    torc_app_set_description(app, "A small site about Torc, served by Torc.");
    torc_app_add_option(app, "pages", "DIR", "the folder of its pages (examples/site/pages)",
                        set_pages);
    torc_app_add_option(app, "docs", "DIR", "what docs.localhost shows (docs)", set_docs);
    use_filters(app);
    use_pages(app);
    notes_use_page(app);
    notes_use_api(app);
    upload_use(app);
    cookies_use(app);
    errors_use(app);
    torc_app_on_start(app, start);
    torc_app_on_stop(app, stop);
    torc_app_set_workers(app, 1); /* the notes are in its memory */
    return torc_app_run(app, argc, argv);
}
