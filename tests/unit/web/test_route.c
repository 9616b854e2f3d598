/* SPDX-License-Identifier: MIT */
/* Patterns, and what they match. */
#include <stdio.h>

#include "web/tree.h"
#include "web_fixture.h"

static torc_render render(torc_request *request) {
    (void)request;
    return TORC_RENDER_DONE;
}

static void routes_share_the_nodes_of_their_paths(void **state) {
    (void)state;
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /a/{x}", render);
    torc_resource_route(root, "PUT /a/{y}", render);
    torc_resource_route(root, "GET /a/{z}/b", render);
    assert_int_equal(torc_resource_err(root), TORC_OK);

    const torc_resource *a = torc_resource_child(root, TORC_STR("a"));
    const torc_children *node = a->children->param->children;
    const torc_route *get = torc_route_find(node, TORC_METHOD_GET, TORC_STR("GET"));
    const torc_route *put = torc_route_find(node, TORC_METHOD_PUT, TORC_STR("PUT"));
    assert_true(torc_str_equals(get->params[0], TORC_STR("x")));
    assert_true(torc_str_equals(put->params[0], TORC_STR("y")));
    assert_ptr_equal(torc_route_find(node, TORC_METHOD_HEAD, TORC_STR("HEAD")), get);
    assert_null(torc_route_find(node, TORC_METHOD_POST, TORC_STR("POST")));
    assert_int_equal(torc_route_methods(node),
                     torc_method_bit(TORC_METHOD_GET) | torc_method_bit(TORC_METHOD_PUT));
    torc_resource_dispose(root);
}

static void a_method_that_nobody_knows_is_a_route_of_its_own(void **state) {
    (void)state;
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "HEH /", render);
    const torc_children *node = torc_resource_child(root, TORC_STR(""))->children;
    assert_non_null(torc_route_find(node, TORC_METHOD_OTHER, TORC_STR("HEH")));
    assert_null(torc_route_find(node, TORC_METHOD_OTHER, TORC_STR("heh")));
    assert_int_equal(torc_route_methods(node), 0);
    torc_resource_dispose(root);
}

static void a_mistake_in_a_pattern_says_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *wrong;
    } cases[] = {
        {"GET", "a route is a method, one space, and a path: \"GET /users/{id}\""},
        {" /", "a route is a method, one space, and a path: \"GET /users/{id}\""},
        {"G@T /", "the method is no token"},
        {"GET users", "a path begins with `/`"},
        {"GET  /", "a path begins with `/`"},
        {"GET /a{b}", "a parameter is a whole segment: /{name}/"},
        {"GET /{b", "a parameter is a whole segment: /{name}/"},
        {"GET /{}", "a parameter's name is made of letters, digits, `-` and `_`"},
        {"GET /{a b}", "a parameter's name is made of letters, digits, `-` and `_`"},
        {"GET /{a...}/b", "nothing may follow what takes the rest of the path"},
        {"GET /*/b", "nothing may follow what takes the rest of the path"},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_resource *root = torc_folder_new();
        char text[200];
        torc_resource_route(root, cases[i].pattern, render);
        snprintf(text, sizeof(text), "route \"%s\": %s", cases[i].pattern, cases[i].wrong);
        assert_int_equal(torc_resource_err(root), TORC_ERR_SYNTAX);
        assert_string_equal(torc_resource_err_text(root), text);
        torc_resource_dispose(root);
    }
}

static torc_render show(torc_request *request) {
    static const char *const names[] = {"a", "b", "rest"};
    char text[200] = "";

    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) {
        const torc_str value = torc_request_param(request, names[i]);
        strncat(text, names[i], 8);
        strcat(text, "=");
        if (value.len) strncat(text, value.bytes, value.len);
        strcat(text, ";");
    }
    return torc_reply_text(request, 200, text);
}

static torc_render one(torc_request *request) {
    return torc_reply_text(request, 200, "one");
}

static torc_render two(torc_request *request) {
    return torc_reply_text(request, 200, "two");
}

static void parameters_are_decoded_segments(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /x/{a}/y/{b}", show);
    torc_resource_route(root, "GET /f/{a}/{rest...}", show);
    torc_resource_route(root, "GET /star/*", one);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /x/1%2F2/y/a+b", 200, "a=1/2;b=a+b;rest=;");
    web_check(*state, site, "GET /f/1/2", 200, "a=1;b=;rest=2;");
    web_check(*state, site, "GET /f/1/2/%33/", 200, "a=1;b=;rest=2/3/;");
    web_check(*state, site, "GET /f/1/", 200, "a=1;b=;rest=;");
    web_check(*state, site, "GET /star/a/b/c", 200, "one");
    assert_int_equal(web_status(*state, site, "GET /f/1"), 404);
    assert_int_equal(web_status(*state, site, "GET /x//y/2"), 404);
    assert_int_equal(web_status(*state, site, "GET /x/1/y/2/"), 404);
    assert_int_equal(web_status(*state, site, "GET /star"), 404);
    torc_site_free(site);
}

static void literals_go_before_parameters_and_these_before_the_rest(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /{rest...}", show);
    torc_resource_route(root, "GET /{a}/end", show);
    torc_resource_route(root, "GET /me", one);
    torc_resource_route(root, "GET /me/here", two);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /me", 200, "one");
    web_check(*state, site, "GET /me/here", 200, "two");
    web_check(*state, site, "GET /me/end", 200, "a=me;b=;rest=;");
    web_check(*state, site, "GET /you/end", 200, "a=you;b=;rest=;");
    web_check(*state, site, "GET /me/there", 200, "a=;b=;rest=me/there;");
    web_check(*state, site, "GET /", 200, "a=;b=;rest=;");
    torc_site_free(site);
}

static void a_branch_without_the_method_is_left_again(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /a/b", one);
    torc_resource_route(root, "POST /{a}/b", show);
    torc_resource_route(root, "HEH /a/b", two);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "POST /a/b", 200, "a=a;b=;rest=;");
    web_check(*state, site, "GET /a/b", 200, "one");
    web_check(*state, site, "HEH /a/b", 200, "two");
    torc_test_request *test = web_ask(*state, site, "PUT /a/b");
    assert_int_equal(torc_test_request_status(test), 405);
    check_str(torc_test_request_field(test, "Allow"), "GET, HEAD, POST, OPTIONS, HEH");
    torc_test_request_free(test);
    torc_site_free(site);
}

static void a_route_of_any_method_leaves_trace_and_connect(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "* /any", one);
    torc_resource_route(root, "CONNECT /", two);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "OPTIONS /any", 200, "one");
    web_check(*state, site, "FOO /any", 200, "one");
    assert_int_equal(web_status(*state, site, "TRACE /any"), 405);
    torc_test_request *test = web_ask(*state, site, "CONNECT host:80");
    assert_int_equal(torc_test_request_status(test), 200);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void a_route_of_the_same_method_is_replaced(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /x", one);
    torc_resource_route(root, "GET /x", two);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /x", 200, "two");
    torc_site_free(site);
}

static void parameters_have_a_maximum(void **state) {
    torc_resource *root = torc_folder_new();
    char pattern[200] = "GET ";

    (void)state;
    for (int i = 0; i < TORC_ROUTE_PARAMS_MAX; i++) strcat(pattern, "/{p}");
    torc_resource_route(root, pattern, one);
    assert_int_equal(torc_resource_err(root), TORC_OK);
    strcat(pattern, "/{p}");
    torc_resource_route(root, pattern, one);
    assert_int_equal(torc_resource_err(root), TORC_ERR_SYNTAX);
    torc_resource_dispose(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_share_the_nodes_of_their_paths),
        cmocka_unit_test(a_method_that_nobody_knows_is_a_route_of_its_own),
        cmocka_unit_test(a_mistake_in_a_pattern_says_what_is_wrong),
        WEB_TEST(parameters_are_decoded_segments),
        WEB_TEST(literals_go_before_parameters_and_these_before_the_rest),
        WEB_TEST(a_branch_without_the_method_is_left_again),
        WEB_TEST(a_route_of_any_method_leaves_trace_and_connect),
        WEB_TEST(a_route_of_the_same_method_is_replaced),
        WEB_TEST(parameters_have_a_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
