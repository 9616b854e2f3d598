/* SPDX-License-Identifier: MIT */
/* Links between the places of a site, and where the client sees it. */
#include <torc/link.h>

#include <stdio.h>

#include "http_fixture.h"

static size_t depth; /* that renders */

static torc_render wait_for_test(torc_request *request, void *context) {
    (void)context;
    torc_request_path_of(request)->depth = (uint32_t)depth;
    return TORC_RENDER_NOT_DONE_YET;
}

/* The request of a target of which so many segments render. */
static torc_request *request_of(http_fixture *self, torc_test_request **test, const char *target,
                                size_t rendering) {
    char head[600];

    depth = rendering;
    snprintf(head, sizeof(head), "GET %s\nHost: a.example:81", target);
    *test = http_ask(self, wait_for_test, head);
    return self->request;
}

typedef void add_fn(const torc_request *request, torc_str name, torc_buf *link);

static void check_link(const torc_request *request, add_fn *add, const char *name,
                       const char *expected) {
    char bytes[600];
    torc_buf link;

    torc_buf_init_fixed(&link, bytes, sizeof(bytes));
    add(request, torc_str_of(name), &link);
    check_ok(torc_buf_err(&link));
    assert_true(torc_str_equals(torc_buf_str(&link), torc_str_of(expected)));
}

static void check_url(const torc_request *request, size_t count, const char *expected) {
    char bytes[600];
    torc_buf url;

    torc_buf_init_fixed(&url, bytes, sizeof(bytes));
    torc_request_add_url(request, count, &url);
    check_ok(torc_buf_err(&url));
    assert_true(torc_str_equals(torc_buf_str(&url), torc_str_of(expected)));
}

static void urls_have_the_segments_as_sent(void **state) {
    torc_test_request *test;
    const torc_request *request = request_of(*state, &test, "/a%20b/c?d", 1);

    check_url(request, 0, "http://a.example:81/");
    check_url(request, 1, "http://a.example:81/a%20b");
    check_url(request, 2, "http://a.example:81/a%20b/c");
    check_url(request, 9, "http://a.example:81/a%20b/c");
    torc_test_request_free(test);
}

static void links_are_relative_to_what_was_asked_for(void **state) {
    static const struct {
        const char *target;
        size_t depth;
        const char *child, *sibling;
    } cases[] = {
        {"/", 1, "x", "x"},        {"/a", 1, "./a/x", "x"},   {"/a/", 1, "x", "../x"},
        {"/a/b", 1, "x", "../x"},  {"/a/b", 2, "./b/x", "x"}, {"/a/b/c", 1, "../x", "../../x"},
        {"/a/b/", 2, "x", "../x"}, {"/a/b/", 3, "x", "x"},    {"/a:b", 1, "./a:b/x", "x"},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test;
        const torc_request *request = request_of(*state, &test, cases[i].target, cases[i].depth);
        check_link(request, torc_request_add_child_link, "x", cases[i].child);
        check_link(request, torc_request_add_sibling_link, "x", cases[i].sibling);
        torc_test_request_free(test);
    }
}

static void names_are_escaped(void **state) {
    torc_test_request *test;
    const torc_request *request = request_of(*state, &test, "/a/", 2);
    char name[201], expected[601] = "";

    check_link(request, torc_request_add_child_link, "a/b:c ?\"<", "a%2Fb%3Ac%20%3F%22%3C");
    memset(name, '/', 200);
    name[200] = '\0';
    for (int i = 0; i < 200; i++) memcpy(expected + 3 * (size_t)i, "%2F", 4);
    check_link(request, torc_request_add_child_link, name, expected);
    torc_test_request_free(test);
}

static void a_root_is_remembered(void **state) {
    torc_test_request *test;
    torc_request *request = request_of(*state, &test, "/app/page", 1);

    assert_int_equal(torc_request_root_depth(request), 0);
    torc_request_remember_root(request);
    torc_request_path_of(request)->depth = 2;
    assert_int_equal(torc_request_root_depth(request), 1);
    check_url(request, torc_request_root_depth(request), "http://a.example:81/app");
    torc_test_request_free(test);
}

static void an_origin_takes_the_place_of_what_was_sent(void **state) {
    torc_test_request *test;
    torc_request *request = request_of(*state, &test, "/", 1);
    char authority[] = "[::1]:8443";

    assert_int_equal(torc_request_set_origin(request, TORC_STR("a b"), true), TORC_ERR_SYNTAX);
    assert_int_equal(torc_request_set_origin(request, TORC_STR(""), true), TORC_ERR_SYNTAX);
    assert_false(torc_request_is_secure(request));
    check_ok(torc_request_set_origin(request, torc_str_of(authority), true));
    memset(authority, 'x', sizeof(authority) - 1);
    assert_true(torc_request_is_secure(request));
    check_str(torc_request_authority(request), "[::1]:8443");
    check_str(torc_request_hostname(request), "[::1]");
    check_url(request, 0, "https://[::1]:8443/");
    torc_test_request_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(urls_have_the_segments_as_sent),
        HTTP_TEST(links_are_relative_to_what_was_asked_for),
        HTTP_TEST(names_are_escaped),
        HTTP_TEST(a_root_is_remembered),
        HTTP_TEST(an_origin_takes_the_place_of_what_was_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
