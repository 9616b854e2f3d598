/* SPDX-License-Identifier: MIT */
/* What stands at the door: redirects to https and to one host, and a closed sign. */
#include <torc/front_door.h>
#include <torc/middleware_of.h>

#include "web_fixture.h"

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello");
}

static torc_site *new_site(torc_middleware *door) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "* /{name...}", hello);
    torc_resource_use(root, door);
    torc_site *site = torc_site_new(root, NULL);
    assert_non_null(site);
    return site;
}

static void check_leads(torc_reactor *reactor, torc_site *site, const char *head, int status,
                        const char *location) {
    torc_test_request *test = web_ask(reactor, site, head);

    assert_int_equal(torc_test_request_status(test), status);
    if (location)
        check_str_of(torc_test_request_field(test, "Location"), location);
    else
        assert_null(torc_test_request_field(test, "Location").bytes);
    torc_test_request_free(test);
}

static void who_comes_without_tls_is_sent_to_it(void **state) {
    torc_site *site = new_site(torc_https_only_new(0));

    check_leads(*state, site, "GET /a%20b?c=d\nHost: a.example:80", 301,
                "https://a.example/a%20b?c=d");
    check_leads(*state, site, "HEAD /\nHost: [::1]:80", 301, "https://[::1]/");
    check_leads(*state, site, "POST /x\nHost: a.example", 308, "https://a.example/x");
    check_leads(*state, site, "GET //evil.example/\nHost: a.example", 301,
                "https://a.example//evil.example/");
    check_leads(*state, site, "GET /x HTTP/1.0", 400, NULL);
    torc_site_free(site);
    site = new_site(torc_https_only_new(8443));
    check_leads(*state, site, "GET /?\nHost: a.example", 301, "https://a.example:8443/?");
    torc_site_free(site);
}

static void there_is_one_name(void **state) {
    torc_site *site = new_site(torc_canonical_host_new("www.a.example"));

    check_leads(*state, site, "GET /x\nHost: www.a.example", 200, NULL);
    check_leads(*state, site, "GET /x\nHost: WWW.A.example", 200, NULL);
    check_leads(*state, site, "GET /x?y\nHost: a.example", 301, "http://www.a.example/x?y");
    check_leads(*state, site, "PUT /x\nHost: other", 308, "http://www.a.example/x");
    torc_site_free(site);
}

static void what_is_no_host_is_told_at_the_start(void **state) {
    static const char *const wrong[] = {"",           "a b",  "https://a.example",
                                        "a.example/", "[::1", "a.example:b"};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(wrong); i++) {
        torc_resource *root = torc_folder_new();
        torc_resource_use(root, torc_canonical_host_new(wrong[i]));
        check_err(torc_resource_err(root), TORC_ERR_INVALID);
        torc_resource_dispose(root);
    }
}

static bool is_true(void *context, torc_request *request) {
    (void)request;
    return *(const bool *)context;
}

static void a_site_may_be_closed_for_a_while(void **state) {
    bool is_closed = true;
    torc_site *site =
        new_site(torc_middleware_when(is_true, &is_closed, torc_closed_new(600, "Back at ten.")));
    torc_test_request *test = web_ask(*state, site, "GET /x");

    assert_int_equal(torc_test_request_status(test), 503);
    check_str(torc_test_request_field(test, "Retry-After"), "600");
    assert_true(torc_str_find(torc_test_request_body(test), TORC_STR("Back at ten.")) > 0);
    torc_test_request_free(test);
    is_closed = false;
    check_leads(*state, site, "GET /x", 200, NULL);
    torc_site_free(site);
    site = new_site(torc_closed_new(0, NULL));
    test = web_ask(*state, site, "GET /x");
    assert_int_equal(torc_test_request_status(test), 503);
    assert_null(torc_test_request_field(test, "Retry-After").bytes);
    torc_test_request_free(test);
    torc_site_free(site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(who_comes_without_tls_is_sent_to_it),
        WEB_TEST(there_is_one_name),
        cmocka_unit_test(what_is_no_host_is_told_at_the_start),
        WEB_TEST(a_site_may_be_closed_for_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
