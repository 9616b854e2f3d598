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
        {"", "a route is a method, one space, and a path: \"GET /users/{id}\""},
        {"GET ", "a path begins with `/`"},
        {" /", "a route is a method, one space, and a path: \"GET /users/{id}\""},
        {"G@T /", "the method is no token"},
        {"GET users", "a path begins with `/`"},
        {"GET  /", "a path begins with `/`"},
        {"GET /{b", "a parameter stands in braces: {name}"},
        {"GET /b}", "a parameter stands in braces: {name}"},
        {"GET /}b{", "a parameter stands in braces: {name}"},
        {"GET /{a}-{b}", "a segment has one parameter at most"},
        {"GET /{a}}", "a segment has one parameter at most"},
        {"GET /{a:int}/{b:real}",
         "a parameter is of a kind of these: str, int, uint, float, uuid, slug, any(…), path"},
        {"GET /{a:}",
         "a parameter is of a kind of these: str, int, uint, float, uuid, slug, any(…), path"},
        {"GET /{:int}", "a parameter's name is made of letters, digits, `-` and `_`"},
        {"GET /{a:any}", "choices are written {name:any(one|other)}"},
        {"GET /{a:any()}", "choices are written {name:any(one|other)}"},
        {"GET /{a:any(b||c)}", "choices are written {name:any(one|other)}"},
        {"GET /x{a...}", "what takes the rest of the path stands alone"},
        {"GET /{a:path}.txt", "what takes the rest of the path stands alone"},
        {"GET /{}", "a parameter's name is made of letters, digits, `-` and `_`"},
        {"GET /{a b}", "a parameter's name is made of letters, digits, `-` and `_`"},
        {"GET /{a...}/b", "nothing may follow what takes the rest of the path"},
        {"GET /*/b", "nothing may follow what takes the rest of the path"},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_resource *root = torc_folder_new();
        char text[250];
        torc_resource_route(root, cases[i].pattern, render);
        snprintf(text, sizeof(text), "route \"%s\": %s", cases[i].pattern, cases[i].wrong);
        assert_int_equal(torc_resource_err(root), TORC_ERR_SYNTAX);
        assert_string_equal(torc_resource_err_text(root), text);
        torc_resource_dispose(root);
    }
}

static void a_segment_has_an_end(void **state) {
    torc_resource *root = torc_folder_new();
    char pattern[1100] = "GET /";

    (void)state;
    memset(pattern + 5, 'a', 1001);
    torc_resource_route(root, pattern, render);
    assert_int_equal(torc_resource_err(root), TORC_ERR_SYNTAX);
    torc_resource_dispose(root);
    root = torc_folder_new();
    pattern[5 + 1000] = 0;
    torc_resource_route(root, pattern, render);
    assert_int_equal(torc_resource_err(root), TORC_OK);
    assert_non_null(torc_resource_child(root, torc_str_of(pattern + 5)));
    torc_resource_dispose(root);
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

static torc_render show_int(torc_request *request) {
    char text[100];

    snprintf(text, sizeof(text), "int %lld", (long long)torc_request_param_int(request, "a"));
    return torc_reply_text(request, 200, text);
}

static torc_render show_uint(torc_request *request) {
    char text[100];

    snprintf(text, sizeof(text), "uint %llu",
             (unsigned long long)torc_request_param_uint(request, "a"));
    return torc_reply_text(request, 200, text);
}

static torc_render show_raw(torc_request *request) {
    const torc_str raw = torc_request_param_raw(request, "a"), a = torc_request_param(request, "a");
    char text[200];

    snprintf(text, sizeof(text), "%.*s is %.*s", TORC_STR_ARGS(raw), TORC_STR_ARGS(a));
    return torc_reply_text(request, 200, text);
}

static void what_does_not_fit_a_kind_is_tried_further(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /n/{a}", show);
    torc_resource_route(root, "GET /n/{a:int}", show_int);
    torc_resource_route(root, "GET /n/{b:uint}", two);
    torc_resource_route(root, "GET /n/{a:uint}/x", show_uint);
    torc_resource_route(root, "GET /only/{a:int}", show_int);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /n/-5", 200, "int -5");
    web_check(*state, site, "GET /n/5", 200, "two");
    web_check(*state, site, "GET /n/%35", 200, "two");
    web_check(*state, site, "GET /n/5x", 200, "a=5x;b=;rest=;");
    web_check(*state, site, "GET /n/18446744073709551615/x", 200, "uint 18446744073709551615");
    web_check(*state, site, "GET /n/18446744073709551616", 200, "a=18446744073709551616;b=;rest=;");
    web_check(*state, site, "GET /only/-9223372036854775808", 200, "int -9223372036854775808");
    assert_int_equal(web_status(*state, site, "GET /only/x"), 404);
    assert_int_equal(web_status(*state, site, "GET /only/"), 404);
    assert_int_equal(web_status(*state, site, "GET /only/9223372036854775808"), 404);
    assert_int_equal(web_status(*state, site, "POST /only/1"), 405);
    assert_int_equal(web_status(*state, site, "POST /only/x"), 404);
    assert_int_equal(web_status(*state, site, "HEAD /only/1"), 200);
    torc_site_free(site);
}

static void text_around_a_parameter_is_left_out_of_it(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /f/{a}.json", show_raw);
    torc_resource_route(root, "GET /f/{a}.min.json", one);
    torc_resource_route(root, "GET /v{a:uint}/x", show_raw);
    torc_resource_route(root, "GET /@{a}", show_raw);
    torc_resource_route(root, "GET /{a}", show_raw);
    torc_resource_route(root, "GET /r/{a:path}", show_raw);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /f/x.json", 200, "x is x");
    web_check(*state, site, "GET /f/x.min.json", 200, "one");
    web_check(*state, site, "GET /f/%78%2e.json", 200, "%78%2e is x.");
    web_check(*state, site, "GET /%76%31/x", 200, "%31 is 1");
    web_check(*state, site, "GET /%40me%20", 200, "me%20 is me ");
    web_check(*state, site, "GET /@", 200, "@ is @");
    web_check(*state, site, "GET /r/%61/b/", 200, "%61/b/ is a/b/");
    assert_int_equal(web_status(*state, site, "GET /f/.json"), 404);
    assert_int_equal(web_status(*state, site, "GET /vx/x"), 404);
    torc_site_free(site);
}

static void a_removed_route_answers_no_more(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /x/{a:int}", one);
    torc_resource_route(root, "PUT /x/{a:int}", two);
    torc_site *site = torc_site_new(root, NULL);
    assert_false(torc_resource_remove_route(root, "GET /x/{a:uint}"));
    assert_false(torc_resource_remove_route(root, "GET /y"));
    assert_false(torc_resource_remove_route(root, "POST /x/{a:int}"));
    assert_false(torc_resource_remove_route(root, "GET /x/{"));
    assert_true(torc_resource_remove_route(root, "GET /x/{b:int}"));
    assert_false(torc_resource_remove_route(root, "GET /x/{a:int}"));
    assert_int_equal(web_status(*state, site, "GET /x/1"), 405);
    web_check(*state, site, "PUT /x/1", 200, "two");
    torc_resource_route(torc_site_root(site), "GET /x/{a:int}", two);
    web_check(*state, site, "GET /x/1", 200, "two");
    assert_true(torc_resource_remove_route(root, "GET /x/{a:int}"));
    assert_true(torc_resource_remove_route(root, "PUT /x/{a:int}"));
    assert_int_equal(web_status(*state, site, "PUT /x/1"), 404);
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
        cmocka_unit_test(a_segment_has_an_end),
        WEB_TEST(what_does_not_fit_a_kind_is_tried_further),
        WEB_TEST(text_around_a_parameter_is_left_out_of_it),
        WEB_TEST(a_removed_route_answers_no_more),
        WEB_TEST(parameters_are_decoded_segments),
        WEB_TEST(literals_go_before_parameters_and_these_before_the_rest),
        WEB_TEST(a_branch_without_the_method_is_left_again),
        WEB_TEST(a_route_of_any_method_leaves_trace_and_connect),
        WEB_TEST(a_route_of_the_same_method_is_replaced),
        WEB_TEST(parameters_have_a_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
