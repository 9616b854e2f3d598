/* SPDX-License-Identifier: MIT */
/* Middlewares of functions, such that hold for some requests only, and several in their order. */
#include <torc/cors.h>
#include <torc/etag.h>
#include <torc/fiber.h>
#include <torc/middleware_of.h>
#include <torc/rate_limit.h>
#include <torc/request_id.h>
#include <torc/security_headers.h>
#include <torc/timing.h>

#include "web_fixture.h"

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello");
}

static torc_render guard(torc_request *request) {
    if (torc_sleep(torc_request_reactor(request), 10)) return TORC_RENDER_DONE;
    if (torc_request_field(request, "X-Let-Me").bytes) return TORC_RENDER_NEXT;
    return torc_reply_status(request, 403, NULL);
}

static void mark(torc_request *request) {
    torc_response_set(request, "X-Marked", TORC_STR("yes"));
}

static torc_resource *new_root(void) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /", hello);
    torc_resource_route(root, "GET /health", hello);
    torc_resource_route(root, "GET /static/{name...}", hello);
    return root;
}

/* The status of an answer, and whether it was marked. */
static void check_marked(torc_reactor *reactor, torc_site *site, const char *head, int status,
                         bool is_marked) {
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);

    assert_non_null(test);
    web_finish(reactor, test);
    torc_test_advance(reactor, 10);
    web_finish(reactor, test);
    assert_int_equal(torc_test_request_status(test), status);
    assert_int_equal(torc_test_request_field(test, "X-Marked").bytes != NULL, is_marked);
    torc_test_request_free(test);
}

static void functions_are_middleware_and_may_wait(void **state) {
    torc_resource *root = new_root();

    torc_resource_use(root, torc_middleware_of(guard, mark));
    torc_site *site = torc_site_new(root, NULL);
    check_marked(*state, site, "GET /", 403, true);
    check_marked(*state, site, "GET /\nX-Let-Me: in", 200, true);
    check_marked(*state, site, "GET /none\nX-Let-Me: in", 404, true);

    torc_test_request *test = torc_test_request_new(*state, torc_site_acceptor(site), "GET /");
    web_finish(*state, test);
    torc_test_request_disconnect(test); /* while it waits */
    web_finish(*state, test);
    assert_int_equal(torc_test_request_status(test), 0);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void either_function_may_be_missing(void **state) {
    torc_resource *root = new_root();

    torc_resource_use(root, torc_middleware_of(NULL, mark));
    torc_resource_use(root, torc_middleware_of(guard, NULL));
    torc_resource_use(root, torc_middleware_of(NULL, NULL));
    torc_site *site = torc_site_new(root, NULL);
    check_marked(*state, site, "GET /", 403, true);
    check_marked(*state, site, "GET /\nX-Let-Me: in", 200, true);
    torc_site_free(site);
}

static int asked;

static bool is_get(void *context, torc_request *request) {
    asked++;
    return torc_request_method(request) == *(const torc_method *)context;
}

static void conditions_are_asked_once(void **state) {
    static torc_method get = TORC_METHOD_GET;
    torc_resource *root = new_root();

    torc_resource_use(root, torc_middleware_when(is_get, &get, torc_middleware_of(guard, mark)));
    torc_site *site = torc_site_new(root, NULL);
    asked = 0;
    check_marked(*state, site, "GET /", 403, true);
    assert_int_equal(asked, 1);
    check_marked(*state, site, "HEAD /", 200, false);
    check_marked(*state, site, "PUT /", 405, false);
    torc_site_free(site);
}

static void paths_are_left_out(void **state) {
    static const char *const paths[] = {"/health", "/static/", NULL};
    torc_resource *root = new_root();

    torc_resource_use(root, torc_middleware_unless_path(paths, torc_middleware_of(guard, mark)));
    torc_site *site = torc_site_new(root, NULL);
    check_marked(*state, site, "GET /health", 200, false);
    check_marked(*state, site, "GET /static/a.css", 200, false);
    check_marked(*state, site, "GET /", 403, true);
    check_marked(*state, site, "GET /healthy", 403, true);
    check_marked(*state, site, "GET /static", 403, true);
    torc_site_free(site);
}

static void what_was_refused_stays_so(void **state) {
    static const char *const paths[] = {"/", NULL};
    const torc_rate_limit_options wrong = {.size = sizeof(wrong), .rate = "fast"};
    torc_resource *root = torc_folder_new();

    (void)state;
    torc_resource_use(root, torc_middleware_when(is_get, NULL, torc_rate_limit_new(&wrong)));
    check_err(torc_resource_err(root), TORC_ERR_INVALID);
    torc_resource_dispose(root);
    root = torc_folder_new();
    torc_resource_use(root, torc_middleware_unless_path(paths, torc_rate_limit_new(&wrong)));
    check_err(torc_resource_err(root), TORC_ERR_INVALID);
    torc_resource_dispose(root);
    assert_null(torc_middleware_when(is_get, NULL, NULL));
    assert_null(torc_middleware_unless_path(paths, NULL));
}

/* ---- all together ---- */

static const char *const origins[] = {"https://a.example", NULL};
static const torc_cors_options cors = {.size = sizeof(cors), .origins = origins};
static const torc_rate_limit_options rate = {.size = sizeof(rate), .rate = "3/min"};

static torc_site *new_full_site(void) {
    torc_resource *root = new_root();

    torc_resource_use(root, torc_request_id_new(NULL));
    torc_resource_use(root, torc_timing_new(NULL));
    torc_resource_use(root, torc_security_headers_new(NULL));
    torc_resource_use(root, torc_cors_new(&cors));
    torc_resource_use(root, torc_rate_limit_new(&rate));
    torc_resource_use(root, torc_etag_new(0));
    torc_resource_use(root, torc_middleware_of(NULL, mark));
    return torc_site_new(root, NULL);
}

static torc_test_request *ask(torc_reactor *reactor, torc_site *site, const char *head) {
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);

    assert_non_null(test);
    check_ok(torc_test_request_set_peer(test, "192.0.2.1", 1));
    web_finish(reactor, test);
    return test;
}

static void check_full(torc_reactor *reactor, torc_site *site, const char *head, int status,
                       bool is_counted) {
    torc_test_request *test = ask(reactor, site, head);

    assert_int_equal(torc_test_request_status(test), status);
    assert_non_null(torc_test_request_field(test, "X-Request-ID").bytes);
    assert_non_null(torc_test_request_field(test, "Server-Timing").bytes);
    check_str(torc_test_request_field(test, "X-Frame-Options"), "DENY");
    check_str(torc_test_request_field(test, "Access-Control-Allow-Origin"), "https://a.example");
    assert_int_equal(torc_test_request_field(test, "RateLimit").bytes != NULL, is_counted);
    /* Who is refused further out was never seen further in. */
    assert_int_equal(torc_test_request_field(test, "X-Marked").bytes != NULL,
                     is_counted && status != 429);
    torc_test_request_free(test);
}

static void several_pass_in_their_order(void **state) {
    torc_site *site = new_full_site();

    check_full(*state, site,
               "OPTIONS /\nOrigin: https://a.example\nAccess-Control-Request-Method: PUT", 204,
               false);
    check_full(*state, site, "GET /\nOrigin: https://a.example", 200, true);
    check_full(*state, site, "GET /none\nOrigin: https://a.example", 404, true);
    check_full(*state, site,
               "GET /\nOrigin: https://a.example\nIf-None-Match: \"LPJNul-wow4m6Dsqxbning\"", 304,
               true);
    check_full(*state, site, "GET /\nOrigin: https://a.example", 429, true);
    torc_site_free(site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(functions_are_middleware_and_may_wait),
        WEB_TEST(either_function_may_be_missing),
        WEB_TEST(conditions_are_asked_once),
        WEB_TEST(paths_are_left_out),
        cmocka_unit_test(what_was_refused_stays_so),
        WEB_TEST(several_pass_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
