/* Filters around parts of a site: some that are ready, and two of one's own. */
#include <stdio.h>
#include <torc/torc.h>

/* ---- a filter of one's own: who asks must have a key ---- */

static const char key_of_user; /* its address names what is kept with a request */

/* It stands for a query to a database: the filter is on a fiber, so it may wait. */
static torc_err find_user(torc_request *request, const char **user) {
    const torc_str key = torc_request_field(request, "X-Api-Key");
    const torc_err err = torc_sleep(torc_request_reactor(request), 2);

    if (err) return err;
    *user = torc_str_equals(key, TORC_STR("sesame")) ? "Ali" : NULL;
    return TORC_OK;
}

/* Before: answer, or let the request go on. */
static torc_render check_key(torc_request *request) {
    const char *user;
    torc_err err = find_user(request, &user);

    if (!err && !user) return torc_reply_status(request, 403, "A key is missing: X-Api-Key.");
    if (!err) err = torc_request_set_value(request, &key_of_user, (void *)(uintptr_t)user);
    return err ? torc_reply_error(request, err) : TORC_RENDER_NEXT;
}

/* After: the head is about to go, also that of an error page. */
static void forbid_storing(torc_request *request) {
    torc_response_set(request, "Cache-Control", TORC_STR("no-store"));
}

/* ---- what they stand around ---- */

static torc_render show_user(torc_request *request) {
    return torc_reply_text(request, 200, torc_request_value(request, &key_of_user));
}

static torc_render show_page(torc_request *request) {
    const torc_str nonce = torc_request_csp_nonce(request);
    char page[200];
    const int len = snprintf(page, sizeof(page),
                             "<!DOCTYPE html><title>Hi</title>"
                             "<script nonce=\"%.*s\">document.title += '!'</script>",
                             TORC_STR_ARGS(nonce));

    return torc_reply_bytes(request, 200, "text/html; charset=utf-8",
                            torc_str_make(page, (size_t)len));
}

static torc_render show_health(torc_request *request) {
    return torc_reply_text(request, 200, "fine");
}

/* ---- putting them around ---- */

static const char *const pages[] = {"https://app.example", "http://localhost:*", NULL};
static const char *const uncounted[] = {"/health", NULL};

static void use_filters(torc_app *app) {
    const torc_security_headers_options security = {.size = sizeof(security),
                                                    .csp = torc_csp_strict()};
    const torc_rate_limit_options rate = {.size = sizeof(rate), .rate = "100/min,burst=20"};

    torc_app_use(app, torc_request_id_new(NULL)); /* the first is the outermost */
    torc_app_use(app, torc_security_headers_new(&security));
    torc_app_use(app, torc_middleware_unless_path(uncounted, torc_rate_limit_new(&rate)));
    torc_app_use(app, torc_etag_new(0));
}

static torc_resource *new_api(void) {
    const torc_cors_options cors = {.size = sizeof(cors), .origins = pages};
    const torc_route_limits_options limits = {
        .size = sizeof(limits), .body_bytes_max = 10000, .answer_ms = 2000};
    torc_resource *api = torc_folder_new();

    torc_resource_route(api, "GET /me", show_user);
    torc_resource_use(api, torc_cors_new(&cors));
    torc_resource_use(api, torc_route_limits_new(&limits));
    torc_resource_use(api, torc_middleware_of(check_key, forbid_storing));
    return api;
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("filters");

    use_filters(app);
    torc_app_route(app, "GET /", show_page);
    torc_app_route(app, "GET /health", show_health);
    torc_resource_put_child(torc_app_root(app), "api", new_api());
    return torc_app_run(app, argc, argv);
}
