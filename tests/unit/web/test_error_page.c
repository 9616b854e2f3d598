/* SPDX-License-Identifier: MIT */
/* What is answered to errors: by Accept, by pages and functions of the tree, to developers. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <torc/error_page.h>
#include <torc/failure.h>
#include <torc/log_sinks.h>
#include <torc/middleware.h>

#include "faults.h"
#include "testing/uncounted.h"
#include "web/tree.h"
#include "web_fixture.h"

static bool has(torc_test_request *test, const char *text) {
    return torc_str_find(torc_test_request_body(test), torc_str_of(text)) >= 0;
}

/* ---- by Accept ---- */

static torc_render gone(torc_request *request) {
    return torc_reply_status(request, 410, "It was <here>.");
}

static torc_site *site_of_route(torc_render_fn *render) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /x", render);
    return torc_site_new(root, NULL);
}

static void the_form_is_what_the_peer_likes_best(void **state) {
    static const struct {
        const char *accept, *type;
    } cases[] = {
        {NULL, "text/html; charset=utf-8"},
        {"*/*", "text/html; charset=utf-8"},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
         "text/html; charset=utf-8"},
        {"application/json", "application/problem+json"},
        {"application/problem+json", "application/problem+json"},
        {"application/json, text/plain, */*", "application/problem+json"},
        {"text/plain", "text/plain; charset=utf-8"},
        {"text/html;q=0.5, text/plain;q=0.6", "text/plain; charset=utf-8"},
        {"text/html;q=0, */*", "application/problem+json"},
        {"application/*", "application/problem+json"},
        {"text/*", "text/html; charset=utf-8"},
        {"image/png", "text/html; charset=utf-8"},
        {"", "text/html; charset=utf-8"},
        {"*/*;q=0", "text/html; charset=utf-8"},
    };
    torc_site *site = site_of_route(gone);

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        char head[200];
        snprintf(head, sizeof(head), "GET /x%s%s", cases[i].accept ? "\nAccept: " : "",
                 cases[i].accept ? cases[i].accept : "");
        torc_test_request *test = web_ask(*state, site, head);
        assert_int_equal(torc_test_request_status(test), 410);
        check_str_at(torc_test_request_field(test, "Content-Type"), torc_str_of(cases[i].type),
                     cases[i].accept, (int)i);
        check_str(torc_test_request_field(test, "Vary"), "Accept");
        assert_int_equal(torc_test_request_length(test), torc_test_request_body(test).len);
        torc_test_request_free(test);
    }
    torc_site_free(site);
}

static void each_form_says_the_same(void **state) {
    torc_site *site = site_of_route(gone);
    torc_test_request *test = web_ask(*state, site, "GET /x");

    assert_true(has(test, "<title>410 Gone</title>"));
    assert_true(has(test, "<h1>Gone</h1>\n<p>It was &lt;here&gt;.</p>"));
    torc_test_request_free(test);
    web_check(*state, site, "GET /x\nAccept: text/plain", 410, "410 Gone\n\nIt was <here>.\n");
    web_check(*state, site, "GET /x\nAccept: application/json", 410,
              "{\"title\":\"Gone\",\"status\":410,\"detail\":\"It was <here>.\"}");
    web_check(*state, site, "GET /nowhere\nAccept: text/plain", 404, "404 Not Found\n");
    torc_site_free(site);
}

static void head_gets_the_head_of_what_get_gets(void **state) {
    static const char *const accepts[] = {"text/html", "text/plain", "application/json"};
    torc_site *site = site_of_route(gone);

    for (size_t i = 0; i < TORC_COUNT_OF(accepts); i++) {
        char head[80];
        snprintf(head, sizeof(head), "GET /x\nAccept: %s", accepts[i]);
        torc_test_request *got = web_ask(*state, site, head);
        snprintf(head, sizeof(head), "HEAD /x\nAccept: %s", accepts[i]);
        torc_test_request *test = web_ask(*state, site, head);
        assert_int_equal(torc_test_request_status(test), 410);
        assert_int_equal(torc_test_request_length(test), torc_test_request_length(got));
        assert_int_equal(torc_test_request_body(test).len, 0);
        torc_test_request_free(test);
        torc_test_request_free(got);
    }
    torc_site_free(site);
}

static torc_render vary_and_fail(torc_request *request) {
    torc_response_set(request, "Vary", TORC_STR("Cookie, accept"));
    return torc_reply_status(request, 400, NULL);
}

static void what_varies_by_accept_already_says_so_once(void **state) {
    torc_site *site = site_of_route(vary_and_fail);
    torc_test_request *test = web_ask(*state, site, "GET /x");
    uint32_t count = 0;

    for (uint32_t i = 0; i < torc_test_request_fields(test)->count; i++)
        count += torc_test_request_fields(test)->items[i].id == TORC_FIELD_VARY;
    assert_int_equal(count, 1);
    torc_test_request_free(test);
    torc_site_free(site);
}

static torc_render odd(torc_request *request) {
    return torc_reply_status(request, 499, NULL);
}

static void a_status_without_a_phrase_has_a_page(void **state) {
    torc_site *site = site_of_route(odd);

    web_check(*state, site, "GET /x\nAccept: text/plain", 499, "499 Error\n");
    torc_site_free(site);
}

/* ---- pages of the tree ---- */

static torc_render oops(torc_request *request) {
    return torc_reply_failure(request, "secret oops");
}

static void pages_are_for_their_statuses(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /x", oops);
    torc_resource_set_error_page(root, 404, 404, "text/html", TORC_STR("lost"));
    torc_resource_set_error_page(root, 500, 599, "text/html", TORC_STR("broken"));
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /nowhere", 404, "lost");
    web_check(*state, site, "GET /x", 500, "broken");
    torc_test_request *test = web_ask(*state, site, "POST /x");
    assert_int_equal(torc_test_request_status(test), 405);
    check_str(torc_test_request_field(test, "Allow"), "GET, HEAD, OPTIONS");
    assert_true(has(test, "<h1>Method Not Allowed</h1>"));
    torc_test_request_free(test);
    /* Programs are told in their own way. */
    web_check(*state, site, "GET /nowhere\nAccept: application/json", 404,
              "{\"title\":\"Not Found\",\"status\":404}");
    test = web_ask(*state, site, "HEAD /nowhere");
    assert_int_equal(torc_test_request_length(test), 4);
    check_str(torc_test_request_field(test, "Content-Type"), "text/html");
    check_str(torc_test_request_field(test, "Vary"), "Accept");
    torc_test_request_free(test);
    torc_site_free(site);
}

static void pages_hold_for_what_is_beneath(void **state) {
    torc_resource *root = torc_folder_new(), *shop = torc_folder_new(), *cart = torc_folder_new();

    torc_resource_set_error_page(root, 404, 404, "text/html", TORC_STR("outer"));
    torc_resource_set_error_page(shop, 404, 404, "text/html", TORC_STR("inner"));
    torc_resource_put_child(shop, "cart", cart);
    torc_resource_put_child(root, "shop", shop);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /nowhere", 404, "outer");
    web_check(*state, site, "GET /shop/nowhere", 404, "inner");
    web_check(*state, site, "GET /shop/cart/nowhere", 404, "inner");
    torc_site_free(site);
}

static void a_page_may_be_a_file(void **state) {
    char name[] = "/tmp/torc_error_page_XXXXXX", path[64];
    torc_resource *root = torc_folder_new();

    assert_non_null(mkdtemp(name));
    snprintf(path, sizeof(path), "%s/404.html", name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("<p>lost</p>", file);
    fclose(file);
    torc_resource_set_error_file(root, 404, 404, path);
    unlink(path);
    rmdir(name);
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test = web_ask(*state, site, "GET /");
    check_str(torc_test_request_field(test, "Content-Type"), "text/html; charset=utf-8");
    check_str(torc_test_request_body(test), "<p>lost</p>");
    torc_test_request_free(test);
    torc_site_free(site);
}

static void what_is_no_page_marks_the_tree(void **state) {
    torc_resource *root;

    (void)state;
    root = torc_folder_new();
    torc_resource_set_error_file(root, 404, 404, "/nowhere/404.html");
    assert_int_equal(torc_resource_err(root), TORC_ERR_NOT_FOUND);
    assert_string_equal(torc_resource_err_text(root),
                        "the error page /nowhere/404.html: there is no such thing");
    assert_null(torc_site_new(root, NULL));

    root = torc_folder_new();
    torc_resource_set_error_page(root, 404, 600, "text/html", TORC_STR("x"));
    assert_int_equal(torc_resource_err(root), TORC_ERR_INVALID);
    torc_resource_dispose(root);
    root = torc_folder_new();
    torc_resource_set_error_page(root, 400, 499, "no type\n", TORC_STR("x"));
    assert_int_equal(torc_resource_err(root), TORC_ERR_INVALID);
    torc_resource_dispose(root);
    root = torc_folder_new();
    torc_resource_set_error_file(root, 404, 404, "/dev/zero");
    assert_int_equal(torc_resource_err(root), TORC_ERR_TOO_LARGE);
    torc_resource_dispose(root);
}

/* ---- functions of the tree ---- */

static char told[400];

static torc_render tell(torc_request *request, const torc_error_reply *error, void *context) {
    (void)request;
    snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s:%d:%s:%.*s;",
             (const char *)context, error->status, torc_err_name(error->err),
             TORC_STR_ARGS(error->detail));
    return TORC_RENDER_NEXT;
}

static torc_render answer(torc_request *request, const torc_error_reply *error, void *context) {
    char text[40];

    snprintf(text, sizeof(text), "%s %d", (const char *)context, error->status);
    return torc_reply_text(request, error->status, text);
}

static torc_render slow(torc_request *request) {
    return torc_reply_error(request, TORC_ERR_TIMEOUT);
}

static torc_render silent(torc_request *request) {
    (void)request;
    return TORC_RENDER_DONE;
}

static torc_render invalid(torc_request *request) {
    torc_response_set(request, "X", TORC_STR("a\nb"));
    return torc_reply_text(request, 200, "x");
}

/* /a has a function that passes on, /a/b one that answers. */
static torc_site *site_with_functions(void) {
    torc_resource *root = torc_folder_new(), *a, *b;

    torc_resource_route(root, "GET /a/slow", slow);
    torc_resource_route(root, "GET /a/gone", gone);
    torc_resource_route(root, "GET /a/fail", oops);
    torc_resource_route(root, "GET /a/silent", silent);
    torc_resource_route(root, "GET /a/invalid", invalid);
    torc_resource_route(root, "GET /a/b/slow", slow);
    a = torc_resource_child(root, TORC_STR("a"));
    b = torc_resource_child(a, TORC_STR("b"));
    torc_resource_on_error(root, tell, (void *)(uintptr_t) "root");
    torc_resource_on_error(a, tell, (void *)(uintptr_t) "a");
    torc_resource_on_error(b, tell, (void *)(uintptr_t) "b1");
    torc_resource_on_error(b, answer, (void *)(uintptr_t) "b2");
    return torc_site_new(root, NULL);
}

static void functions_are_asked_from_the_inside(void **state) {
    static const struct {
        const char *head;
        int status;
        const char *told;
    } cases[] = {
        {"GET /nowhere", 404, "root:404:OK:;"},
        {"GET /a/nowhere", 404, "a:404:OK:;root:404:OK:;"},
        {"POST /a/slow", 405, "a:405:OK:;root:405:OK:;"},
        {"FOO /a/slow", 501, "a:501:OK:;root:501:OK:;"},
        {"GET /a/slow", 504, "a:504:TIMEOUT:;root:504:TIMEOUT:;"},
        {"GET /a/gone", 410, "a:410:OK:It was <here>.;root:410:OK:It was <here>.;"},
        {"GET /a/fail", 500, "a:500:OK:;root:500:OK:;"},
        {"GET /a/silent", 500, "a:500:OK:;root:500:OK:;"},
        {"GET /a/invalid", 500, "a:500:INVALID:;root:500:INVALID:;"},
        {"GET /a/b/slow", 504, "b1:504:TIMEOUT:;"},
        {"GET /a/b/nowhere", 404, "b1:404:OK:;"},
    };
    torc_site *site = site_with_functions();

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        told[0] = '\0';
        torc_test_request *test = web_ask(*state, site, cases[i].head);
        assert_string_equal(told, cases[i].told);
        assert_int_equal(torc_test_request_status(test), cases[i].status);
        assert_true(torc_test_request_is_complete(test));
        torc_test_request_free(test);
    }
    web_check(*state, site, "GET /a/b/nowhere", 404, "b2 404");
    web_check(*state, site, "GET /a/b/slow", 504, "b2 504");
    torc_site_free(site);
}

static torc_render err_again(torc_request *request, const torc_error_reply *error, void *context) {
    (void)context;
    snprintf(told + strlen(told), sizeof(told) - strlen(told), "%d;", error->status);
    torc_response_set(request, "X-Handled", TORC_STR("yes"));
    return torc_reply_status(request, 502, "again");
}

static torc_render break_it(torc_request *request, const torc_error_reply *error, void *context) {
    (void)context;
    snprintf(told + strlen(told), sizeof(told) - strlen(told), "%d;", error->status);
    torc_response_set(request, "X-Bad", TORC_STR("a\nb"));
    return torc_reply_text(request, 200, "never seen");
}

static torc_render forget(torc_request *request, const torc_error_reply *error, void *context) {
    (void)context;
    (void)error;
    torc_response_set(request, "ETag", TORC_STR("\"x\""));
    torc_response_set_status(request, 200, NULL);
    return TORC_RENDER_DONE;
}

static torc_render begin_only(torc_request *request, const torc_error_reply *error, void *context) {
    (void)context;
    (void)error;
    torc_request_write(request, TORC_STR("begun"));
    return TORC_RENDER_DONE;
}

static torc_site *site_with_handler(torc_error_fn *handler) {
    torc_resource *root = torc_folder_new();

    told[0] = '\0';
    torc_resource_on_error(root, handler, NULL);
    return torc_site_new(root, NULL);
}

static void an_error_in_a_function_has_the_plain_page(void **state) {
    torc_site *site = site_with_handler(err_again);
    torc_test_request *test = web_ask(*state, site, "GET /\nAccept: text/plain");

    assert_string_equal(told, "404;");
    assert_int_equal(torc_test_request_status(test), 502);
    check_str(torc_test_request_body(test), "502 Bad Gateway\n\nagain\n");
    check_str(torc_test_request_field(test, "X-Handled"), "yes");
    torc_test_request_free(test);
    torc_site_free(site);

    site = site_with_handler(break_it);
    web_check(*state, site, "GET /\nAccept: text/plain", 500, "500 Internal Server Error\n");
    assert_string_equal(told, "404;");
    torc_site_free(site);
}

static void a_function_that_does_not_reply_has_passed_on(void **state) {
    torc_site *site = site_with_handler(forget);
    torc_test_request *test = web_ask(*state, site, "GET /\nAccept: text/plain");

    assert_int_equal(torc_test_request_status(test), 404);
    check_str(torc_test_request_body(test), "404 Not Found\n");
    assert_null(torc_test_request_field(test, "ETag").bytes);
    torc_test_request_free(test);
    torc_site_free(site);

    site = site_with_handler(begin_only);
    test = web_ask(*state, site, "GET /");
    check_str(torc_test_request_body(test), "begun");
    assert_false(torc_test_request_is_complete(test));
    assert_true(torc_test_request_was_reset(test));
    torc_test_request_free(test);
    torc_site_free(site);
}

static torc_render to_index(torc_request *request, const torc_error_reply *error, void *context) {
    (void)context;
    if (error->status != 404) return TORC_RENDER_NEXT;
    return torc_reply_bytes(request, 200, "text/html", TORC_STR("index"));
}

static void a_function_may_change_the_status(void **state) {
    torc_site *site = site_with_handler(to_index);

    web_check(*state, site, "GET /any/path", 200, "index");
    torc_site_free(site);
}

static torc_render in_steps(torc_request *request, const torc_error_reply *error, void *context) {
    (void)context;
    torc_response_set(request, "Content-Type", TORC_STR("text/plain"));
    torc_response_set_status(request, error->status, "As You Like");
    torc_request_write(request, TORC_STR("in "));
    torc_request_write(request, TORC_STR("steps"));
    return torc_reply_end(request);
}

static void a_function_may_reply_in_steps(void **state) {
    torc_site *site = site_with_handler(in_steps);
    torc_test_request *test = web_ask(*state, site, "GET /");

    assert_int_equal(torc_test_request_status(test), 404);
    check_str(torc_test_request_reason(test), "As You Like");
    check_str(torc_test_request_body(test), "in steps");
    torc_test_request_free(test);
    torc_site_free(site);
}

static torc_render wait_and_answer(torc_request *request, const torc_error_reply *error,
                                   void *context) {
    const torc_err err = torc_sleep(torc_request_reactor(request), 10);

    (void)context;
    return err ? TORC_RENDER_NEXT : torc_reply_text(request, error->status, "waited");
}

static void on_a_fiber_a_function_may_wait(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /x", slow);
    torc_resource_on_error(root, wait_and_answer, NULL);
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test = torc_test_request_new(*state, torc_site_acceptor(site), "GET /x");
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_status(test), 0);
    torc_test_advance(*state, 10);
    torc_test_request_run(test);
    check_str(torc_test_request_body(test), "waited");
    torc_test_request_free(test);

    /* The client has gone meanwhile. */
    test = torc_test_request_new(*state, torc_site_acceptor(site), "GET /x");
    torc_test_request_run(test);
    torc_test_request_disconnect(test);
    torc_test_request_run(test);
    torc_test_request_free(test);
    torc_site_free(site);
}

/* ---- middlewares within ---- */

static torc_render refuse(torc_middleware *middleware, torc_request *request) {
    (void)middleware;
    return torc_reply_status(request, 403, "not you");
}

static void mark(torc_middleware *middleware, torc_request *request) {
    (void)middleware;
    torc_response_set(request, "X-Marked", TORC_STR("yes"));
}

static void errors_of_middlewares_are_answered_too(void **state) {
    static const torc_middleware_ops ops = {.request_received = refuse, .response_starting = mark};
    torc_middleware middleware = {.ops = &ops};
    torc_resource *root = torc_folder_new();

    told[0] = '\0';
    torc_resource_use(root, &middleware);
    torc_resource_on_error(root, tell, (void *)(uintptr_t) "root");
    torc_resource_on_error(root, answer, (void *)(uintptr_t) "own");
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test = web_ask(*state, site, "GET /x");
    assert_string_equal(told, "root:403:OK:not you;");
    check_str(torc_test_request_body(test), "own 403");
    check_str(torc_test_request_field(test, "X-Marked"), "yes");
    torc_test_request_free(test);
    torc_site_free(site);
}

/* ---- failures ---- */

static torc_err failed_with;

static torc_render reply_failed(torc_request *request) {
    torc_memory *memory = torc_reactor_memory(torc_request_reactor(request));
    torc_failure *failure =
        torc_failure_new_at(memory, "shop/cart.c:12", failed_with, "no <cart> %d", 7);

    torc_failure_add_cause(failure,
                           torc_failure_new_at(memory, "db.c:9", TORC_ERR_RESET, "the database"));
    return torc_reply_failed(request, failure);
}

static torc_render claim_to_answer(torc_request *request, const torc_error_reply *error,
                                   void *context) {
    (void)request;
    (void)error;
    (void)context;
    return TORC_RENDER_DONE;
}

static torc_render reply_nothing(torc_request *request) {
    (void)request;
    return TORC_RENDER_DONE;
}

/* Ask once; what was logged is in `lines`. */
static torc_test_request *ask_logged(torc_reactor *reactor, torc_render_fn *render, bool is_shown,
                                     const char *head, torc_buf *lines) {
    torc_resource *root = torc_folder_new();
    torc_log *log;

    torc_resource_route(root, "GET /x/{id}/{token}", render);
    torc_resource_on_error(torc_resource_group(root, "/claimed"), claim_to_answer, NULL);
    torc_buf_clear(lines);
    check_ok(torc_log_new_buf(NULL, lines, TORC_LOG_FORMAT_TEXT, &log));
    const torc_site_options options = {
        .size = sizeof(options), .show_errors = is_shown, .log = log};
    torc_site *site = torc_site_new(root, &options);
    torc_test_request *test = web_ask(reactor, site, head);
    torc_site_free(site);
    torc_log_free(log);
    return test;
}

static bool logged(const torc_buf *lines, const char *text) {
    return torc_str_find(torc_buf_str(lines), torc_str_of(text)) >= 0;
}

/* The query may hold what is nobody's business. */
static void what_is_logged_of_failures_has_no_query(void **state) {
    static const struct {
        torc_err err;
        torc_render_fn *render;
        const char *head, *said, *target;
    } rows[] = {
        {TORC_ERR_SYSTEM, reply_failed, "GET /x/1/2?key=secret", "a render failed", "/x/1/2"},
        {TORC_ERR_NOT_FOUND, reply_failed, "GET /x/1/2?key=secret", "a request was refused",
         "/x/1/2"},
        {TORC_OK, reply_nothing, "GET http://h/x/1/2?secret?", "returned without a response",
         "http://h/x/1/2"},
        {TORC_OK, reply_nothing, "GET /claimed/no?secret", "a handler of errors returned without",
         "/claimed/no"},
    };
    torc_buf lines;

    torc_buf_init(&lines, NULL, TORC_MEMORY_OTHER, 100000);
    for (size_t i = 0; i < TORC_COUNT_OF(rows); i++) {
        failed_with = rows[i].err;
        torc_test_request_free(ask_logged(*state, rows[i].render, false, rows[i].head, &lines));
        assert_true(logged(&lines, rows[i].said));
        assert_true(logged(&lines, rows[i].target));
        assert_false(logged(&lines, "secret"));
    }
    torc_buf_dispose(&lines);
}

static void failures_are_logged_with_their_causes(void **state) {
    torc_buf lines;

    torc_buf_init(&lines, NULL, TORC_MEMORY_OTHER, 100000);
    failed_with = TORC_ERR_SYSTEM;
    torc_test_request *test = ask_logged(*state, reply_failed, false, "GET /x/1/2", &lines);
    assert_int_equal(torc_test_request_status(test), 500);
    assert_false(has(test, "cart"));
    assert_true(logged(&lines, "no <cart> 7: the operating system reported an error "
                               "(shop/cart.c:12), because the database: "));
    assert_true(logged(&lines, "error"));
    torc_test_request_free(test);

    failed_with = TORC_ERR_NOT_FOUND;
    test = ask_logged(*state, reply_failed, false, "GET /x/1/2", &lines);
    assert_int_equal(torc_test_request_status(test), 404);
    assert_true(logged(&lines, "a request was refused"));
    torc_test_request_free(test);

    test = ask_logged(*state, reply_failed, true, "GET /x/1/2", &lines);
    assert_true(has(test, "no &lt;cart&gt; 7: there is no such thing (shop/cart.c:12), because"));
    torc_test_request_free(test);
    torc_buf_dispose(&lines);
}

static torc_render reply_unknown_failure(torc_request *request) {
    return torc_reply_failed(request, NULL);
}

static void no_failure_is_one_too(void **state) {
    torc_site *site = site_of_route(reply_unknown_failure);

    assert_int_equal(web_status(*state, site, "GET /x"), 500);
    torc_site_free(site);
}

/* ---- developers ---- */

static const char secretive[] =
    "GET /x/7/s3cret?a=1&api_key=s3cret&next=http%3A%2F%2Fu:s3cret@h%2F&to=%2Fx%3Ft%3Ds3cret\n"
    "Authorization: Basic s3cret\nCookie: id=s3cret; theme=d4rk; s3cret\nX-Api-Key: s3cret\n"
    "X-Original-URL: /x?code=s3cret\n"
    "X-Auth: s3cret\nReferer: http://h/?code=s3cret\nX-Fine: <fine>";

static void developers_are_told_all_but_secrets(void **state) {
    static const char *const accepts[] = {"text/html", "text/plain", "application/json"};
    torc_buf lines;

    torc_buf_init(&lines, NULL, TORC_MEMORY_OTHER, 100000);
    failed_with = TORC_ERR_SYSTEM;
    for (size_t i = 0; i < TORC_COUNT_OF(accepts); i++) {
        char head[1000];
        snprintf(head, sizeof(head), "%s\nAccept: %s", secretive, accepts[i]);
        torc_test_request *test = ask_logged(*state, reply_failed, true, head, &lines);
        assert_int_equal(torc_test_request_status(test), 500);
        static const char *const parts[] = {"GET /x/{id}/{token}",
                                            "reply_failed",
                                            "Stack",
                                            "cart.c:12",
                                            "the database",
                                            "db.c:9",
                                            "X-Api-Key",
                                            "theme",
                                            "api_key",
                                            "HTTP/1.1",
                                            "Query",
                                            "X-Fine"};
        for (size_t at = 0; at < TORC_COUNT_OF(parts); at++)
            if (!has(test, parts[at])) fail_msg("%s: %s is not told", accepts[i], parts[at]);
        assert_false(has(test, "s3cret"));
        assert_false(has(test, "d4rk"));
        assert_int_equal(has(test, "<fine>"), i != 0);
        assert_true(torc_test_request_is_complete(test));
        check_str(torc_test_request_field(test, "Cache-Control"), "no-store");
        torc_test_request_free(test);

        test = ask_logged(*state, reply_failed, false, head, &lines);
        for (size_t at = 0; at < TORC_COUNT_OF(parts); at++) assert_false(has(test, parts[at]));
        torc_test_request_free(test);
    }
    torc_buf_dispose(&lines);
}

/* Not the last that it does: a call in that place leaves no trace. */
static __attribute__((noinline)) torc_render deep_within(torc_request *request) {
    const volatile torc_render answer = torc_reply_failure(request, "deep");
    return answer;
}

static torc_render calls_deep(torc_request *request) {
    return deep_within(request);
}

/* The stack begins with who told the error, and leads to the route. */
static void the_stack_begins_where_the_error_was_told(void **state) {
    torc_buf lines;

    torc_buf_init(&lines, NULL, TORC_MEMORY_OTHER, 100000);
    torc_test_request *test =
        ask_logged(*state, calls_deep, true, "GET /x/1/2\nAccept: text/plain", &lines);
    assert_true(has(test, "\nStack\n  #0: deep_within+0x"));
    assert_false(has(test, "torc_reply_failure"));
    torc_test_request_free(test);

    test = ask_logged(*state, silent, true, "GET /x/1/2\nAccept: text/plain", &lines);
    assert_true(has(test, "a render returned without a response"));
    assert_true(has(test, "function: silent+0x0"));
    assert_false(has(test, "\nStack\n"));
    torc_test_request_free(test);
    torc_buf_dispose(&lines);
}

static torc_render fail_here(torc_request *request) {
    /* This line is shown. */
    return torc_reply_failed(request,
                             torc_failure_new(torc_reactor_memory(torc_request_reactor(request)),
                                              TORC_ERR_SYSTEM, "here"));
}

static void the_source_is_shown_where_it_is(void **state) {
    torc_buf lines;

    torc_buf_init(&lines, NULL, TORC_MEMORY_OTHER, 100000);
    torc_test_request *test = ask_logged(*state, fail_here, true, "GET /x/1/2", &lines);
    assert_true(has(test, "This line is shown."));
    torc_test_request_free(test);
    torc_buf_dispose(&lines);
}

/* ---- after the first byte ---- */

static bool has_length;

static torc_render fail_late(torc_request *request) {
    if (has_length) torc_response_set_length(request, 100);
    torc_request_write(request, TORC_STR("begun"));
    return torc_reply_failure(request, "late");
}

static void nothing_is_appended_to_what_was_begun(void **state) {
    static const char *const heads[] = {"GET /x", "GET /x HTTP/1.0", "HEAD /x"};
    torc_resource *root = torc_folder_new();

    told[0] = '\0';
    torc_resource_route(root, "GET /x", fail_late);
    torc_resource_on_error(root, tell, (void *)(uintptr_t) "never");
    torc_site *site = torc_site_new(root, NULL);
    for (size_t i = 0; i < 2 * TORC_COUNT_OF(heads); i++) {
        has_length = i >= TORC_COUNT_OF(heads);
        torc_test_request *test = web_ask(*state, site, heads[i % TORC_COUNT_OF(heads)]);
        assert_int_equal(torc_test_request_status(test), 200);
        assert_true(torc_test_request_body(test).len <= 5);
        assert_false(torc_test_request_is_complete(test));
        assert_true(torc_test_request_was_reset(test));
        torc_test_request_free(test);
    }
    assert_string_equal(told, "");
    torc_site_free(site);
}

/* ---- memory ---- */

/* Whatever fails: an error's answer, or a reset; and nothing is kept. */
static void every_allocation_may_fail(void **state) {
    static const char *const heads[] = {"GET /x/1/2", "GET /x/1/2\nAccept: application/json",
                                        "GET /x/1/2\nAccept: text/plain"};

    (void)state;
    failed_with = TORC_ERR_SYSTEM;
    for (size_t i = 0; i < 4 * TORC_COUNT_OF(heads); i++) {
        const bool all_from = i & 1, is_shown = i & 2;
        bool is_untouched = false;
        for (uint64_t fail_at = 1; !is_untouched; fail_at++) {
            void *fixture = NULL;
            faults injected;
            assert_int_equal(web_set_up(&fixture), 0);
            torc_resource *root = torc_folder_new();
            torc_resource_route(root, "GET /x/{id}/{token}", reply_failed);
            torc_resource_on_error(root, is_shown ? to_index : in_steps, NULL);
            const torc_site_options options = {.size = sizeof(options), .show_errors = is_shown};
            torc_site *site = torc_site_new(root, &options);
            torc_memory *memory = torc_reactor_memory(fixture);
            torc_test_request *test =
                torc_test_request_new(fixture, torc_site_acceptor(site), heads[i / 4]);
            faults_arm(&injected, memory, fail_at);
            injected.all_from = all_from;
            torc_test_request_run(test);
            faults_disarm(memory);
            is_untouched = !injected.hit;
            const int status = torc_test_request_status(test);
            assert_true(status == 0 || (status >= 500 && status <= 599));
            assert_true(torc_test_request_is_complete(test) || torc_test_request_was_reset(test));
            if (is_untouched) assert_int_equal(status, 500);
            torc_test_request_free(test);
            torc_site_free(site);
            assert_int_equal(web_tear_down(&fixture), 0);
            assert_true(fail_at < 1000);
        }
    }
}

static void without_memory_the_tree_is_marked(void **state) {
    (void)state;
    for (uint64_t fail_at = 1; fail_at <= 3; fail_at++) {
        torc_resource *root = torc_folder_new();
        torc_test_fail_uncounted(fail_at);
        torc_resource_on_error(root, tell, NULL);
        torc_test_fail_uncounted(0);
        assert_int_equal(torc_resource_err(root), TORC_ERR_NO_MEMORY);
        torc_resource_dispose(root);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(the_form_is_what_the_peer_likes_best),
        WEB_TEST(each_form_says_the_same),
        WEB_TEST(head_gets_the_head_of_what_get_gets),
        WEB_TEST(what_varies_by_accept_already_says_so_once),
        WEB_TEST(a_status_without_a_phrase_has_a_page),
        WEB_TEST(pages_are_for_their_statuses),
        WEB_TEST(pages_hold_for_what_is_beneath),
        WEB_TEST(a_page_may_be_a_file),
        cmocka_unit_test(what_is_no_page_marks_the_tree),
        WEB_TEST(functions_are_asked_from_the_inside),
        WEB_TEST(an_error_in_a_function_has_the_plain_page),
        WEB_TEST(a_function_that_does_not_reply_has_passed_on),
        WEB_TEST(a_function_may_change_the_status),
        WEB_TEST(a_function_may_reply_in_steps),
        WEB_TEST(on_a_fiber_a_function_may_wait),
        WEB_TEST(errors_of_middlewares_are_answered_too),
        WEB_TEST(what_is_logged_of_failures_has_no_query),
        WEB_TEST(failures_are_logged_with_their_causes),
        WEB_TEST(no_failure_is_one_too),
        WEB_TEST(developers_are_told_all_but_secrets),
        WEB_TEST(the_stack_begins_where_the_error_was_told),
        WEB_TEST(the_source_is_shown_where_it_is),
        WEB_TEST(nothing_is_appended_to_what_was_begun),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(without_memory_the_tree_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
