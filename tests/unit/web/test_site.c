/* SPDX-License-Identifier: MIT */
/* The site: what is answered when nobody does, its options and its life. */
#include <stdio.h>
#include <torc/fiber.h>
#include <torc/log.h>
#include <torc/version.h>

#include "testing/uncounted.h"
#include "web/site.h"
#include "web_fixture.h"

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello");
}

static torc_render decline(torc_request *request) {
    return TORC_RENDER_DECLINED;
}

static torc_render decline_with_allow(torc_request *request) {
    torc_response_set(request, "Allow", TORC_STR("GET, HEH"));
    return TORC_RENDER_DECLINED;
}

static torc_render break_down(torc_request *request) {
    return torc_reply_failure(request, "secret oops");
}

static torc_render untyped(torc_request *request) {
    return torc_reply_bytes(request, 200, NULL, TORC_STR("x"));
}

static torc_render show_context(torc_request *request) {
    return torc_reply_text(request, 200, torc_request_context(request));
}

static torc_render sleep_long(torc_request *request) {
    const torc_err err = torc_sleep(torc_request_reactor(request), 1000);
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "slept");
}

static torc_render head_alone(torc_request *request) {
    torc_response_set(request, "X-Own", TORC_STR("yes"));
    return torc_reply_text(request, 200, "of HEAD");
}

static torc_resource *new_tree(void) {
    torc_resource *root = torc_folder_new();

    torc_resource_put_child(root, "", torc_data_new(TORC_STR("root"), "text/plain"));
    torc_resource_put_child(root, "decline", torc_render_new(decline, 0, false));
    torc_resource_put_child(root, "declare", torc_render_new(decline_with_allow, 0, false));
    torc_resource_put_child(root, "faceless", torc_folder_new());
    torc_resource_route(root, "POST /form", hello);
    torc_resource_route(root, "GET /own", hello);
    torc_resource_route(root, "HEAD /own", head_alone);
    torc_resource_route(root, "HEAD /probe", head_alone);
    torc_resource_route(root, "GET /hello", hello);
    torc_resource_route(root, "PUT /hello", hello);
    torc_resource_route(root, "GET /fail", break_down);
    torc_resource_route(root, "GET /untyped", untyped);
    torc_resource_route(root, "GET /context", show_context);
    torc_resource_route(root, "GET /sleep", sleep_long);
    return root;
}

static torc_site *new_site(void) {
    torc_site *site = torc_site_new(new_tree(), NULL);
    assert_non_null(site);
    return site;
}

/* The status and the Allow field of an answer. */
static void check_allow(torc_reactor *reactor, torc_site *site, const char *head, int status,
                        const char *allow) {
    torc_test_request *test = web_ask(reactor, site, head);
    const torc_str got = torc_test_request_field(test, "Allow");

    assert_int_equal(torc_test_request_status(test), status);
    assert_int_equal(got.bytes != NULL, allow != NULL);
    if (allow) check_str_at(got, torc_str_of(allow), __FILE__, __LINE__);
    torc_test_request_free(test);
}

/* What is said of HEAD itself goes before GET; it does not answer GET. */
static void head_may_have_an_answer_of_its_own(void **state) {
    torc_site *site = new_site();
    torc_test_request *test = web_ask(*state, site, "HEAD /own");

    assert_int_equal(torc_test_request_status(test), 200);
    check_str(torc_test_request_field(test, "X-Own"), "yes");
    assert_int_equal(torc_test_request_length(test), 7);
    check_str(torc_test_request_body(test), "");
    torc_test_request_free(test);
    web_check(*state, site, "GET /own", 200, "hello");
    assert_int_equal(web_status(*state, site, "HEAD /probe"), 200);
    check_allow(*state, site, "GET /probe", 405, "HEAD, OPTIONS");
    torc_site_free(site);
}

static void methods_that_nobody_takes_are_refused(void **state) {
    torc_site *site = new_site();

    check_allow(*state, site, "POST /hello", 405, "GET, HEAD, PUT, OPTIONS");
    check_allow(*state, site, "DELETE /", 405, "GET, HEAD, OPTIONS");
    check_allow(*state, site, "FOO /hello", 501, NULL);
    check_allow(*state, site, "POST /nowhere", 404, NULL);
    check_allow(*state, site, "FOO /nowhere", 404, NULL);
    check_allow(*state, site, "HEAD /form", 405, "POST, OPTIONS");
    check_allow(*state, site, "GET /form", 405, "POST, OPTIONS");
    torc_site_free(site);
}

static void options_are_answered_from_the_tree(void **state) {
    torc_site *site = new_site();

    check_allow(*state, site, "OPTIONS /hello", 204, "GET, HEAD, PUT, OPTIONS");
    check_allow(*state, site, "OPTIONS /nowhere", 404, NULL);
    check_allow(*state, site, "OPTIONS *", 200, NULL);
    torc_site_free(site);
}

static void trace_and_connect_are_refused(void **state) {
    torc_site *site = new_site();

    check_allow(*state, site, "TRACE /hello", 405, "GET, HEAD, PUT, OPTIONS");
    check_allow(*state, site, "TRACE /nowhere", 405, "OPTIONS");
    check_allow(*state, site, "CONNECT host:443", 405, "GET, HEAD, OPTIONS");
    torc_site_free(site);
}

static void who_declines_is_one_that_does_not_answer(void **state) {
    torc_site *site = new_site();

    check_allow(*state, site, "GET /declare", 405, "GET, HEH");
    check_allow(*state, site, "OPTIONS /declare", 204, "GET, HEH");
    check_allow(*state, site, "FOO /declare", 501, NULL);
    check_allow(*state, site, "GET /decline", 405, "OPTIONS");
    check_allow(*state, site, "OPTIONS /decline", 204, "OPTIONS");
    torc_site_free(site);
}

static void head_is_answered_by_get(void **state) {
    torc_site *site = new_site();
    torc_test_request *test = web_ask(*state, site, "HEAD /hello");

    assert_int_equal(torc_test_request_status(test), 200);
    assert_int_equal(torc_test_request_length(test), 5);
    check_str(torc_test_request_body(test), "");
    torc_test_request_free(test);
    test = web_ask(*state, site, "HEAD /nowhere");
    assert_int_equal(torc_test_request_status(test), 404);
    assert_true(torc_test_request_length(test) > 0);
    check_str(torc_test_request_body(test), "");
    torc_test_request_free(test);
    torc_site_free(site);
}

static void trace_shows_the_request_where_it_is_allowed(void **state) {
    const torc_site_options options = {.size = sizeof(options), .allow_trace = true};
    torc_site *site = torc_site_new(new_tree(), &options);
    torc_test_request *test =
        web_ask(*state, site,
                "TRACE /a?b\nHost: x\nCookie: secret\nX-A: 1\nAuthorization: s\n"
                "Proxy-Authorization: s");

    assert_int_equal(torc_test_request_status(test), 200);
    check_str(torc_test_request_field(test, "Content-Type"), "message/http");
    check_str(torc_test_request_body(test), "TRACE /a?b HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n\r\n");
    torc_test_request_free(test);
    torc_site_free(site);
}

/* ---- options ---- */

static void the_server_and_the_type_are_set(void **state) {
    torc_site *site = new_site();
    torc_test_request *test = web_ask(*state, site, "GET /untyped");

    check_str(torc_test_request_field(test, "Server"), "Torc/" TORC_VERSION);
    check_str(torc_test_request_field(test, "Content-Type"), "text/html");
    torc_test_request_free(test);
    torc_site_free(site);

    const torc_site_options none = {.size = sizeof(none), .server = "", .default_content_type = ""};
    site = torc_site_new(new_tree(), &none);
    test = web_ask(*state, site, "GET /untyped");
    assert_null(torc_test_request_field(test, "Server").bytes);
    assert_null(torc_test_request_field(test, "Content-Type").bytes);
    torc_test_request_free(test);
    torc_site_free(site);

    const torc_site_options own = {
        .size = sizeof(own), .server = "mine", .default_content_type = "a/b"};
    site = torc_site_new(new_tree(), &own);
    test = web_ask(*state, site, "GET /untyped");
    check_str(torc_test_request_field(test, "Server"), "mine");
    check_str(torc_test_request_field(test, "Content-Type"), "a/b");
    torc_test_request_free(test);
    torc_site_free(site);
}

static const torc_field own_fields[] = {
    {TORC_STR_INIT("X-Own"), TORC_STR_INIT("1"), TORC_FIELD_OTHER},
    {TORC_STR_INIT("Vary"), TORC_STR_INIT("Origin"), TORC_FIELD_VARY},
};

/* Whatever answers: a route, nobody, the site itself; by the short way and the long one. */
static void fields_of_the_site_are_on_each_response(void **state) {
    static const char *const asked[] = {"GET /hello", "GET /untyped", "GET /nowhere", "POST /hello",
                                        "OPTIONS *"};
    const torc_site_options options = {
        .size = sizeof(options), .fields = own_fields, .field_count = 2};
    torc_site *site = torc_site_new(new_tree(), &options);

    for (size_t i = 0; i < TORC_COUNT_OF(asked); i++) {
        torc_test_request *test = web_ask(*state, site, asked[i]);
        check_str(torc_test_request_field(test, "X-Own"), "1");
        const torc_fields *fields = torc_test_request_fields(test);
        bool has_vary = false;
        for (uint32_t at = 0; at < fields->count; at++)
            if (fields->items[at].id == TORC_FIELD_VARY &&
                torc_str_equals(fields->items[at].value, TORC_STR("Origin")))
                has_vary = true;
        assert_true(has_vary);
        torc_test_request_free(test);
    }
    torc_site_free(site);
}

static void fields_of_messages_make_no_site(void **state) {
    static const torc_field wrong[] = {
        {TORC_STR_INIT("Content-Length"), TORC_STR_INIT("1"), TORC_FIELD_OTHER},
        {TORC_STR_INIT("date"), TORC_STR_INIT("1"), TORC_FIELD_OTHER},
        {TORC_STR_INIT("a b"), TORC_STR_INIT("1"), TORC_FIELD_OTHER},
        {TORC_STR_INIT(""), TORC_STR_INIT("1"), TORC_FIELD_OTHER},
        {TORC_STR_INIT("X"), TORC_STR_INIT("a\r\nb: c"), TORC_FIELD_OTHER},
    };
    torc_field many[65];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(many); i++) many[i] = own_fields[0];
    for (size_t i = 0; i < TORC_COUNT_OF(wrong); i++) {
        const torc_site_options options = {
            .size = sizeof(options), .fields = &wrong[i], .field_count = 1};
        assert_null(torc_site_new(new_tree(), &options));
    }
    for (size_t count = 64; count <= 65; count++) {
        const torc_site_options options = {
            .size = sizeof(options), .fields = many, .field_count = count};
        torc_site *site = torc_site_new(new_tree(), &options);
        assert_true((site != NULL) == (count == 64));
        torc_site_free(site);
    }
}

static void options_that_cannot_be_used_make_no_site(void **state) {
    char longer[200];
    torc_site_options options = {.size = sizeof(options), .server = "a\nb"};

    (void)state;
    assert_null(torc_site_new(new_tree(), &options));
    options.server = longer;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_null(torc_site_new(new_tree(), &options));
    assert_null(torc_site_new(NULL, NULL));
}

/* A caller that was built when the struct was shorter. */
static void what_lies_behind_the_size_is_not_read(void **state) {
    const torc_site_options options = {
        .size = offsetof(torc_site_options, server), .server = "unread", .show_errors = true};
    torc_site *site = torc_site_new(new_tree(), &options);
    torc_test_request *test = web_ask(*state, site, "GET /hello");

    check_str(torc_test_request_field(test, "Server"), "Torc/" TORC_VERSION);
    torc_test_request_free(test);
    torc_site_free(site);
}

static bool body_has(torc_test_request *test, const char *text) {
    return torc_str_find(torc_test_request_body(test), torc_str_of(text)) >= 0;
}

/* Who has no face answers no method: there is nothing to be allowed. */
static void a_folder_without_a_face_is_not_found(void **state) {
    torc_site *site = new_site();

    check_allow(*state, site, "GET /faceless", 404, NULL);
    check_allow(*state, site, "GET /faceless/", 404, NULL);
    check_allow(*state, site, "POST /faceless", 404, NULL);
    torc_site_free(site);
}

/* Nothing that the peer sent stands in a page as it was sent. */
static void pages_escape_what_was_asked(void **state) {
    static const struct {
        const char *head;
        int status;
    } cases[] = {
        {"GET /<script>?<script>\nX-A: <script>", 404},
        {"POST /decline?<script>\nReferer: <script>", 405},
        {"FOO /hello?<script>\nUser-Agent: <script>", 501},
        {"GET /fail?<script>=<script>\nHost: <script>", 500},
    };

    for (int shown = 0; shown < 2; shown++) {
        const torc_site_options options = {.size = sizeof(options), .show_errors = shown};
        torc_site *site = torc_site_new(new_tree(), &options);
        for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
            torc_test_request *test = web_ask(*state, site, cases[i].head);
            assert_int_equal(torc_test_request_status(test), cases[i].status);
            check_str(torc_test_request_field(test, "Content-Type"), "text/html; charset=utf-8");
            assert_false(body_has(test, "<script>"));
            torc_test_request_free(test);
        }
        torc_site_free(site);
    }
}

static void details_are_shown_only_when_asked_for(void **state) {
    for (int shown = 0; shown < 2; shown++) {
        torc_buf lines;
        torc_log *log;
        torc_buf_init(&lines, NULL, TORC_MEMORY_OTHER, 10000);
        check_ok(torc_log_new_buf(NULL, &lines, TORC_LOG_FORMAT_TEXT, &log));
        const torc_site_options options = {
            .size = sizeof(options), .show_errors = shown, .log = log};
        torc_site *site = torc_site_new(new_tree(), &options);
        torc_test_request *test = web_ask(*state, site, "GET /fail");

        assert_int_equal(torc_test_request_status(test), 500);
        assert_int_equal(body_has(test, "secret oops"), shown);
        assert_true(torc_str_find(torc_buf_str(&lines), TORC_STR("secret oops")) > 0);
        torc_test_request_free(test);
        torc_site_free(site);
        torc_log_free(log);
        torc_buf_dispose(&lines);
    }
}

static torc_render read_whole(torc_request *request) {
    torc_str body;
    const torc_err err = torc_body_read_all(request, 1000000, &body);
    return err ? torc_reply_error(request, err) : torc_reply_bytes(request, 200, "a/b", body);
}

static void the_limits_of_a_site_hold_for_its_requests(void **state) {
    const torc_limits limits = {.size = sizeof(limits), .body_bytes_max = 3};
    const torc_site_options options = {.size = sizeof(options), .limits = &limits};
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "POST /", read_whole);
    torc_site *site = torc_site_new(root, &options);
    torc_test_request *test =
        torc_test_request_new(*state, torc_site_acceptor(site), "POST /\nContent-Length: 3");
    torc_test_request_send(test, TORC_STR("abc"));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    check_str(torc_test_request_body(test), "abc");
    torc_test_request_free(test);

    test = torc_test_request_new(*state, torc_site_acceptor(site), "POST /\nContent-Length: 4");
    torc_test_request_send(test, TORC_STR("abcd"));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_status(test), 413);
    torc_test_request_free(test);
    torc_site_free(site);
}

/* ---- pages ---- */

static void an_error_page_tells_the_status_twice(void **state) {
    torc_site *site = new_site();
    torc_test_request *test = web_ask(*state, site, "GET /nowhere");

    check_str(torc_test_request_field(test, "Content-Type"), "text/html; charset=utf-8");
    assert_true(body_has(test, "<title>404 Not Found</title>"));
    assert_true(body_has(test, "<h1>Not Found</h1>"));
    assert_int_equal(torc_test_request_length(test), torc_test_request_body(test).len);
    torc_test_request_free(test);
    torc_site_free(site);
}

/* ---- its life ---- */

static void the_context_is_the_requests(void **state) {
    torc_site *site = new_site();
    char context[] = "mine";

    torc_site_set_context(site, context);
    web_check(*state, site, "GET /context", 200, "mine");
    assert_non_null(torc_resource_child(torc_site_root(site), TORC_STR("hello")));
    torc_site_free(site);
}

static int disposed;

static void count_dispose(torc_resource *resource) {
    (void)resource;
    disposed++;
}

static const torc_resource_ops counted_ops = {.dispose = count_dispose};

static void a_site_stays_until_its_last_request_has_ended(void **state) {
    static torc_resource counted;
    torc_resource *root = new_tree();

    disposed = 0;
    torc_resource_init(&counted, &counted_ops);
    torc_resource_put_child(root, "counted", &counted);
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test = web_ask(*state, site, "GET /sleep");
    torc_site_free(site);
    assert_int_equal(disposed, 0);
    torc_test_advance(*state, 1000);
    torc_test_request_run(test);
    check_str(torc_test_request_body(test), "slept");
    assert_int_equal(disposed, 1);
    torc_test_request_free(test);
    torc_site_free(NULL);
}

static void a_broken_tree_makes_no_site_and_is_disposed_of(void **state) {
    static torc_resource counted;
    torc_resource *root = torc_folder_new();

    (void)state;
    disposed = 0;
    torc_resource_init(&counted, &counted_ops);
    torc_resource_put_child(root, "counted", &counted);
    torc_resource_route(root, "GET nowhere", hello);
    assert_null(torc_site_new(root, NULL));
    assert_int_equal(disposed, 1);
}

/* ---- memory ---- */

static void without_memory_there_is_no_site(void **state) {
    torc_resource *root = torc_folder_new();

    (void)state;
    torc_test_fail_uncounted(1);
    assert_null(torc_site_new(root, NULL));
    torc_test_fail_uncounted(0);
}

static void each_allocation_may_fail(void **state) {
    static const char *const heads[] = {"GET /hello",     "GET /nowhere", "POST /hello",
                                        "OPTIONS /hello", "TRACE /a",     "OPTIONS *",
                                        "GET /",          "GET /declare", "GET /decline"};
    const torc_site_options options = {.size = sizeof(options), .allow_trace = true};

    for (size_t i = 0; i < TORC_COUNT_OF(heads); i++) {
        bool failed = true;
        for (uint64_t n = 1; failed; n++) {
            void *fresh = NULL; /* so that the pools do not hide allocations */
            assert_int_equal(web_set_up(&fresh), 0);
            torc_site *site = torc_site_new(new_tree(), &options);
            torc_test_request *test =
                torc_test_request_new(fresh, torc_site_acceptor(site), heads[i]);
            torc_test_fail_allocation(fresh, n);
            torc_test_request_run(test);
            failed = torc_test_allocation_failed(fresh);
            torc_test_fail_allocation(fresh, 0);
            assert_true(torc_test_request_is_complete(test) || torc_test_request_was_reset(test) ||
                        torc_test_request_status(test) == 503);
            torc_test_request_free(test);
            torc_site_free(site);
            assert_int_equal(web_tear_down(&fresh), 0);
            assert_true(n < 1000);
        }
    }
    (void)state;
}

/* ---- looking where a request would go ---- */

static torc_site *other_site;

/* Look the path of the present request up in another site. */
static torc_render resolve(torc_request *request) {
    torc_resource *found = torc_site_resolve(other_site, request);
    char text[64];

    snprintf(text, sizeof(text), "%s %zu",
             !found ? "nobody"
             : found == torc_resource_child(torc_site_root(other_site), TORC_STR("decline"))
                 ? "it"
                 : "other",
             torc_request_depth(request));
    return torc_reply_text(request, 200, text);
}

static void a_site_tells_who_would_answer(void **state) {
    static const struct {
        const char *head, *expected;
    } cases[] = {
        {"GET /decline", "it 1"},        {"GET /", "other 1"},
        {"GET /hello", "other 1"},       {"DELETE /hello", "nobody"},
        {"GET /decline/more", "nobody"},
    };

    other_site = new_site();
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test = torc_test_request_route(*state, resolve, cases[i].head);
        torc_test_request_run(test);
        assert_true(
            torc_str_starts_with(torc_test_request_body(test), torc_str_of(cases[i].expected)));
        torc_test_request_free(test);
    }
    torc_site_free(other_site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(head_may_have_an_answer_of_its_own),
        WEB_TEST(methods_that_nobody_takes_are_refused),
        WEB_TEST(options_are_answered_from_the_tree),
        WEB_TEST(trace_and_connect_are_refused),
        WEB_TEST(who_declines_is_one_that_does_not_answer),
        WEB_TEST(head_is_answered_by_get),
        WEB_TEST(trace_shows_the_request_where_it_is_allowed),
        WEB_TEST(the_server_and_the_type_are_set),
        WEB_TEST(fields_of_the_site_are_on_each_response),
        WEB_TEST(fields_of_messages_make_no_site),
        WEB_TEST(options_that_cannot_be_used_make_no_site),
        WEB_TEST(what_lies_behind_the_size_is_not_read),
        WEB_TEST(a_folder_without_a_face_is_not_found),
        WEB_TEST(pages_escape_what_was_asked),
        WEB_TEST(details_are_shown_only_when_asked_for),
        WEB_TEST(the_limits_of_a_site_hold_for_its_requests),
        WEB_TEST(an_error_page_tells_the_status_twice),
        WEB_TEST(the_context_is_the_requests),
        WEB_TEST(a_site_stays_until_its_last_request_has_ended),
        WEB_TEST(a_broken_tree_makes_no_site_and_is_disposed_of),
        WEB_TEST(without_memory_there_is_no_site),
        WEB_TEST(each_allocation_may_fail),
        WEB_TEST(a_site_tells_who_would_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
