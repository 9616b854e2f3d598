/* SPDX-License-Identifier: MIT */
/* Virtual hosts: which one answers, and what is around them. */
#include <torc/middleware.h>
#include <torc/route.h>

#include "web_fixture.h"

static torc_resource *say(const char *text) {
    torc_resource *data = torc_data_new(torc_str_of(text), "text/plain");
    if (data) data->is_leaf = true;
    return data;
}

static torc_site *new_site(void) {
    torc_resource *root = torc_folder_new();

    torc_resource_put_child(root, "own", say("own"));
    torc_resource_put_host(root, "A.example", say("a"));
    torc_resource_put_host(root, "*.example", say("any"));
    torc_resource_put_host(root, "*.b.example", say("under b"));
    torc_resource_put_host(root, "b.example.", say("b"));
    torc_resource_put_host(root, "[::1]", say("six"));
    torc_resource_put_host(root, "127.0.0.1", say("four"));
    return torc_site_new(root, NULL);
}

static void the_longest_name_that_fits_answers(void **state) {
    torc_site *site = new_site();

    assert_non_null(site);
    web_check(*state, site, "GET /x\nHost: a.example", 200, "a");
    web_check(*state, site, "GET /x/y\nHost: a.EXAMPLE:8080", 200, "a");
    web_check(*state, site, "GET /\nHost: a.example.", 200, "a");
    web_check(*state, site, "GET /\nHost: b.example", 200, "b");
    web_check(*state, site, "GET /\nHost: x.b.example", 200, "under b");
    web_check(*state, site, "GET /\nHost: x.y.b.example:1", 200, "under b");
    web_check(*state, site, "GET /\nHost: x.a.example", 200, "any");
    web_check(*state, site, "GET /\nHost: c.example", 200, "any");
    web_check(*state, site, "GET /\nHost: [::1]:80", 200, "six");
    web_check(*state, site, "GET /\nHost: 127.0.0.1", 200, "four");
    web_check(*state, site, "GET http://a.example/\nHost: a.example", 200, "a");
    torc_site_free(site);
}

static void what_no_host_is_for_is_the_resources_own(void **state) {
    torc_site *site = new_site();
    char head[400] = "GET /own\nHost: ";

    web_check(*state, site, "GET /own\nHost: other", 200, "own");
    web_check(*state, site, "GET /own\nHost: example", 200, "own");
    web_check(*state, site, "GET /own\nHost: xb.examples", 200, "own");
    assert_int_equal(web_status(*state, site, "GET /none\nHost: other"), 404);
    for (int i = 0; i < 50; i++) strcat(head, "abcdef.");
    strcat(head, "xy");
    web_check(*state, site, head, 200, "own");
    torc_site_free(site);
}

static torc_render tell_url(torc_request *request) {
    const torc_str url = torc_request_url_for(request, "item", TORC_URL_INT("id", 7));
    return torc_reply_bytes(request, 200, "text/plain", url);
}

static void add_items(torc_resource *resource, const char *pattern) {
    torc_resource_route(resource, "GET /url", tell_url);
    torc_resource_route_with(resource, pattern, tell_url, TORC_ROUTE_OPTIONS(.name = "item"));
}

static void urls_of_routes_are_those_of_the_host_that_was_asked(void **state) {
    torc_resource *root = torc_folder_new(), *a = torc_folder_new(), *b = torc_folder_new();

    add_items(root, "GET /own/{id:int}");
    add_items(a, "GET /a/{id:int}");
    torc_resource_route(b, "GET /url", tell_url);
    torc_resource_put_host(root, "a.example", a);
    torc_resource_put_host(root, "*.example", b);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /url\nHost: other", 200, "/own/7");
    web_check(*state, site, "GET /url\nHost: A.example:80", 200, "/a/7");
    web_check(*state, site, "GET /url\nHost: b.example", 200, ""); /* nobody has it there */
    torc_site_free(site);
}

static void a_star_is_for_any(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_put_host(root, "*", say("first"));
    torc_resource_put_host(root, "*", say("default"));
    torc_resource_put_host(root, "a", say("a"));
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /\nHost: b.example", 200, "default");
    web_check(*state, site, "GET /\nHost: a", 200, "a");
    assert_true(torc_resource_remove_host(root, "A"));
    assert_false(torc_resource_remove_host(root, "a"));
    assert_null(torc_resource_host(root, TORC_STR("a")));
    assert_non_null(torc_resource_host(root, TORC_STR("*")));
    web_check(*state, site, "GET /\nHost: a", 200, "default");
    torc_site_free(site);
}

static void mark(torc_middleware *middleware, torc_request *request) {
    (void)middleware;
    torc_response_add(request, "X-Around", TORC_STR("yes"));
}

static void hosts_may_be_anywhere_and_have_middleware_around_them(void **state) {
    static const torc_middleware_ops ops = {.response_starting = mark};
    static torc_middleware outer = {.ops = &ops};
    torc_resource *root = torc_folder_new(), *part = torc_folder_new(), *a = torc_folder_new();

    torc_resource_put_child(root, "part", part);
    torc_resource_put_host(part, "a", a);
    torc_resource_use(part, &outer);
    torc_resource_put_child(a, "x", say("x of a"));
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test = web_ask(*state, site, "GET /part/x\nHost: a");
    check_str(torc_test_request_body(test), "x of a");
    check_str(torc_test_request_field(test, "X-Around"), "yes");
    torc_test_request_free(test);
    test = web_ask(*state, site, "GET /part/y\nHost: a");
    assert_int_equal(torc_test_request_status(test), 404);
    check_str(torc_test_request_field(test, "X-Around"), "yes");
    torc_test_request_free(test);
    assert_int_equal(web_status(*state, site, "GET /x\nHost: a"), 404);
    torc_site_free(site);
}

static void hosts_that_send_each_other_round_end(void **state) {
    torc_resource *root = torc_folder_new(), *a = torc_folder_new();

    torc_resource_put_host(root, "*", a);
    torc_resource_put_host(a, "*", say("in"));
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /", 200, "in");
    torc_site_free(site);
}

static void names_that_are_none_are_refused(void **state) {
    static const char *const names[] = {
        "",   "a..b", "a:80",   "::1",      "*.*", "a.*", "*a.b", "a b", "m\xc3\xbcnchen.example",
        ".a", "[::1", "[g::1]", "http://a", "a/b"};
    char long_label[80] = "", text[300] = "";

    for (int i = 0; i < 64; i++) strcat(long_label, "a");
    for (int i = 0; i < 130; i++) strcat(text, "a.");
    strcat(text, "a");
    for (size_t i = 0; i < TORC_COUNT_OF(names) + 2; i++) {
        torc_resource *root = torc_folder_new();
        const char *name = i < TORC_COUNT_OF(names)    ? names[i]
                           : i == TORC_COUNT_OF(names) ? long_label
                                                       : text;
        torc_resource_put_host(root, name, say("x"));
        if (torc_resource_err(root) != TORC_ERR_SYNTAX) print_error("%s\n", name);
        assert_int_equal(torc_resource_err(root), TORC_ERR_SYNTAX);
        torc_resource_dispose(root);
    }
    torc_resource *root = torc_folder_new();
    torc_resource_put_host(root, "a", NULL);
    assert_int_equal(torc_resource_err(root), TORC_ERR_NO_MEMORY);
    torc_resource_dispose(root);
    (void)state;
}

static void a_mark_within_a_host_is_found(void **state) {
    torc_resource *root = torc_folder_new(), *a = torc_folder_new();

    torc_resource_put_host(root, "a", a);
    torc_resource_route(a, "GET x", NULL);
    assert_int_equal(torc_resource_err(root), TORC_ERR_SYNTAX);
    assert_null(torc_site_new(root, NULL));
    (void)state;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(the_longest_name_that_fits_answers),
        WEB_TEST(what_no_host_is_for_is_the_resources_own),
        WEB_TEST(urls_of_routes_are_those_of_the_host_that_was_asked),
        WEB_TEST(a_star_is_for_any),
        WEB_TEST(hosts_may_be_anywhere_and_have_middleware_around_them),
        WEB_TEST(hosts_that_send_each_other_round_end),
        WEB_TEST(names_that_are_none_are_refused),
        WEB_TEST(a_mark_within_a_host_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
