/* SPDX-License-Identifier: MIT */
/* Resources whose answer is known when they are made. */
#include <stdio.h>
#include <torc/fiber.h>

#include "testing/uncounted.h"
#include "web_fixture.h"

static void data_have_length_and_type(void **state) {
    torc_test_request *test =
        web_ask_resource(*state, torc_data_new(TORC_STR("data!"), "text/x-data"), "GET /");

    /* The root itself is no leaf, and "/" has a segment: so it is asked as a child. */
    assert_int_equal(torc_test_request_status(test), 404);
    torc_test_request_free(test);

    torc_resource *root = torc_folder_new();
    char bytes[] = "data!";
    torc_resource_put_child(root, "d", torc_data_new(torc_str_make(bytes, 5), "text/x-data"));
    memset(bytes, 'z', sizeof(bytes));
    test = web_ask_resource(*state, root, "GET /d");
    assert_int_equal(torc_test_request_status(test), 200);
    assert_int_equal(torc_test_request_length(test), 5);
    check_str(torc_test_request_field(test, "Content-Type"), "text/x-data");
    check_str(torc_test_request_body(test), "data!");
    torc_test_request_free(test);
}

static torc_site *new_site(void) {
    torc_resource *root = torc_folder_new();

    torc_resource_put_child(root, "data", torc_data_new(TORC_STR("data!"), NULL));
    torc_resource_put_child(root, "empty", torc_data_new(torc_str_make(NULL, 0), NULL));
    torc_resource_put_child(root, "moved", torc_redirect_new(308, "/new?a=\"b\""));
    torc_resource_put_child(root, "bad", torc_redirect_new(200, "/new"));
    torc_resource_put_child(root, "parent", torc_parent_redirect_new());
    torc_resource_put_child(root, "page", torc_error_page_new(418, "<b>", "<i>"));
    torc_resource_put_child(root, "brief", torc_error_page_new(410, "Gone", NULL));
    return torc_site_new(root, NULL);
}

static void data_answer_get_and_head_only(void **state) {
    torc_site *site = new_site();

    web_check(*state, site, "GET /data", 200, "data!");
    web_check(*state, site, "GET /empty", 200, "");
    torc_test_request *test = web_ask(*state, site, "HEAD /data");
    assert_int_equal(torc_test_request_status(test), 200);
    assert_int_equal(torc_test_request_length(test), 5);
    check_str(torc_test_request_body(test), "");
    torc_test_request_free(test);

    test = web_ask(*state, site, "POST /data");
    assert_int_equal(torc_test_request_status(test), 405);
    check_str(torc_test_request_field(test, "Allow"), "GET, HEAD, OPTIONS");
    torc_test_request_free(test);
    assert_int_equal(web_status(*state, site, "GET /data/deeper"), 404);
    torc_site_free(site);
}

static void a_redirect_answers_any_method_at_any_depth(void **state) {
    torc_site *site = new_site();
    static const char *const heads[] = {"GET /moved", "POST /moved/", "DELETE /moved/a/b?c",
                                        "FOO /moved"};

    for (size_t i = 0; i < TORC_COUNT_OF(heads); i++) {
        torc_test_request *test = web_ask(*state, site, heads[i]);
        assert_int_equal(torc_test_request_status(test), 308);
        check_str(torc_test_request_field(test, "Location"), "/new?a=\"b\"");
        assert_true(torc_str_find(torc_test_request_body(test), TORC_STR("/new?a=&quot;b&quot;")) >
                    0);
        torc_test_request_free(test);
    }
    assert_int_equal(web_status(*state, site, "GET /bad"), 500);
    torc_site_free(site);
}

static void the_parent_is_found_from_any_depth(void **state) {
    torc_site *site = new_site();
    torc_test_request *test = web_ask(*state, site, "GET /parent");

    assert_int_equal(torc_test_request_status(test), 302);
    check_str(torc_test_request_field(test, "Location"), "./");
    torc_test_request_free(test);
    torc_site_free(site);
}

static void check_location(torc_reactor *reactor, torc_site *site, const char *head,
                           const char *location) {
    torc_test_request *test = web_ask(reactor, site, head);

    check_str_at(torc_test_request_field(test, "Location"), torc_str_of(location), head, 0);
    torc_test_request_free(test);
}

static void the_parent_of_a_face_is_outside(void **state) {
    torc_resource *root = torc_folder_new(), *a = torc_folder_new();

    torc_resource_put_child(a, "", torc_parent_redirect_new());
    torc_resource_put_child(a, "b", torc_parent_redirect_new());
    torc_resource_put_child(root, "a", a);
    torc_resource_put_child(root, "", torc_parent_redirect_new());
    torc_site *site = torc_site_new(root, NULL);
    check_location(*state, site, "GET /a/", "../");
    check_location(*state, site, "GET /a/b?x", "./");
    check_location(*state, site, "GET /a/b/", "../");
    check_location(*state, site, "GET /a/b/c/d", "../../");
    check_location(*state, site, "POST /a/b", "./");
    check_location(*state, site, "FOO /a/b", "./");
    assert_int_equal(web_status(*state, site, "GET /"), 404);
    torc_site_free(site);
}

static void an_origin_redirect_keeps_what_was_asked(void **state) {
    torc_site *site = torc_site_new(torc_origin_redirect_new(308, "https://www.example.org"), NULL);

    check_location(*state, site, "GET /a%20b/?c=d&e\nHost: example.org",
                   "https://www.example.org/a%20b/?c=d&e");
    check_location(*state, site, "POST /\nHost: h", "https://www.example.org/");
    check_location(*state, site, "GET //evil.example/\nHost: h",
                   "https://www.example.org//evil.example/");
    torc_site_free(site);
    site = torc_site_new(torc_origin_redirect_new(301, "https:"), NULL);
    check_location(*state, site, "GET /a?b\nHost: example.org:8080", "https://example.org/a?b");
    check_location(*state, site, "GET /\nHost: [::1]:80", "https://[::1]/");
    assert_int_equal(web_status(*state, site, "GET / HTTP/1.0"), 400);
    torc_site_free(site);
    for (size_t n = 0; n < 3; n++) {
        static const char *const none[] = {"https", "https:a.example", ""};
        site = torc_site_new(torc_origin_redirect_new(308, none[n]), NULL);
        assert_int_equal(web_status(*state, site, "GET /\nHost: a"), 500);
        torc_site_free(site);
    }
}

static void the_demo_page_needs_nothing_from_elsewhere(void **state) {
    torc_test_request *test = web_ask_resource(*state, torc_demo_new(), "GET /");

    assert_int_equal(torc_test_request_status(test), 404); /* no leaf: it is the root's face */
    torc_test_request_free(test);
    torc_resource *root = torc_folder_new();
    torc_resource_put_child(root, "", torc_demo_new());
    torc_site *site = torc_site_new(root, NULL);
    test = web_ask(*state, site, "GET /");
    assert_int_equal(torc_test_request_status(test), 200);
    assert_true(torc_str_find(torc_test_request_body(test), TORC_STR("torc_app_route")) > 0);
    assert_true(torc_str_find(torc_test_request_body(test), TORC_STR("http")) < 0);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void an_error_page_is_escaped_and_answers_everything(void **state) {
    torc_site *site = new_site();
    torc_test_request *test = web_ask(*state, site, "POST /page/deep");

    assert_int_equal(torc_test_request_status(test), 418);
    check_str(torc_test_request_field(test, "Content-Type"), "text/html; charset=utf-8");
    assert_true(torc_str_find(torc_test_request_body(test),
                              TORC_STR("<h1>&lt;b&gt;</h1>\n<p>&lt;i&gt;</p>")) > 0);
    assert_int_equal(torc_test_request_length(test), torc_test_request_body(test).len);
    torc_test_request_free(test);

    test = web_ask(*state, site, "GET /brief");
    assert_int_equal(torc_test_request_status(test), 410);
    assert_true(torc_str_find(torc_test_request_body(test), TORC_STR("<p>")) < 0);
    torc_test_request_free(test);
    torc_site_free(site);
}

static torc_render reply_depth(torc_request *request) {
    char text[32];

    snprintf(text, sizeof(text), "%zu of %zu", torc_request_depth(request),
             torc_request_segment_count(request));
    const torc_err err = torc_sleep(torc_request_reactor(request), 5); /* it may wait */
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, text);
}

static void a_function_is_a_leaf_if_told_so(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_put_child(root, "leaf", torc_render_new(reply_depth, 0, true));
    torc_resource_put_child(root, "node",
                            torc_render_new(reply_depth, torc_method_bit(TORC_METHOD_PUT), false));
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test =
        torc_test_request_new(*state, torc_site_acceptor(site), "FOO /leaf/a/b");
    torc_test_request_run(test);
    torc_test_advance(*state, 5);
    torc_test_request_run(test);
    check_str(torc_test_request_body(test), "1 of 3");
    torc_test_request_free(test);
    assert_int_equal(web_status(*state, site, "GET /node"), 405);
    assert_int_equal(web_status(*state, site, "PUT /node/a"), 404);
    torc_site_free(site);
}

static void without_memory_there_is_none(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) {
        torc_test_fail_uncounted(1);
        torc_resource *resource = i == 0   ? torc_data_new(TORC_STR("x"), "a/b")
                                  : i == 1 ? torc_redirect_new(302, "/")
                                  : i == 2 ? torc_parent_redirect_new()
                                  : i == 3 ? torc_render_new(reply_depth, 0, true)
                                           : torc_error_page_new(404, "a", "b");
        torc_test_fail_uncounted(0);
        assert_null(resource);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(data_have_length_and_type),
        WEB_TEST(data_answer_get_and_head_only),
        WEB_TEST(a_redirect_answers_any_method_at_any_depth),
        WEB_TEST(the_parent_is_found_from_any_depth),
        WEB_TEST(the_parent_of_a_face_is_outside),
        WEB_TEST(an_origin_redirect_keeps_what_was_asked),
        WEB_TEST(the_demo_page_needs_nothing_from_elsewhere),
        WEB_TEST(an_error_page_is_escaped_and_answers_everything),
        WEB_TEST(a_function_is_a_leaf_if_told_so),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
