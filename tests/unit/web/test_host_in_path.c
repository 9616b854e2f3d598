/* SPDX-License-Identifier: MIT */
/* Front ends that write the host into the path: who may, and what is asked then. */
#include <stdio.h>
#include <torc/link.h>

#include "web_fixture.h"

static torc_render show(torc_request *request) {
    char text[300];
    torc_buf url;

    torc_buf_init_fixed(&url, text, sizeof(text));
    torc_request_add_url(request, torc_request_segment_count(request), &url);
    torc_buf_addf(&url, " %.*s|%.*s", TORC_STR_ARGS(torc_request_path(request)),
                  TORC_STR_ARGS(torc_request_query(request)));
    return torc_reply_bytes(request, 200, "text/plain", torc_buf_str(&url));
}

static torc_site *new_site(void) {
    torc_resource *root = torc_folder_new();
    torc_cidr trusted;

    assert_int_equal(torc_cidr_parse(TORC_STR("127.0.0.0/8"), &trusted), TORC_OK);
    torc_resource_put_child(root, "vhm", torc_host_in_path_new(&trusted, 1));
    torc_resource_put_child(root, "show", torc_render_new(show, 0, true));
    torc_resource_put_host(root, "b.example", torc_render_new(show, 0, true));
    return torc_site_new(root, NULL);
}

static torc_test_request *ask_from(torc_reactor *reactor, torc_site *site, const char *peer,
                                   const char *head) {
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);

    assert_int_equal(torc_test_request_set_peer(test, peer, 1234), TORC_OK);
    web_finish(reactor, test);
    return test;
}

static void check_body(torc_reactor *reactor, torc_site *site, const char *head, const char *body) {
    torc_test_request *test = ask_from(reactor, site, "127.0.0.1", head);

    assert_int_equal(torc_test_request_status(test), 200);
    check_str_at(torc_test_request_body(test), torc_str_of(body), __FILE__, __LINE__);
    torc_test_request_free(test);
}

static void it_is_as_if_the_host_had_been_asked(void **state) {
    torc_site *site = new_site();

    check_body(*state, site, "GET /vhm/http/a.example/show/x%20y?q=1\nHost: in",
               "http://a.example/show/x%20y /show/x%20y|q=1");
    check_body(*state, site, "GET /vhm/https/a.example:8443/show\nHost: in",
               "https://a.example:8443/show /show|");
    check_body(*state, site, "GET /vhm/http/[::1]:80/show/\nHost: in",
               "http://[::1]:80/show/ /show/|");
    check_body(*state, site, "GET /vhm/http/b.example\nHost: in", "http://b.example/ /|");
    torc_site_free(site);
}

static int status_from(torc_reactor *reactor, torc_site *site, const char *peer, const char *head) {
    torc_test_request *test = ask_from(reactor, site, peer, head);
    const int status = torc_test_request_status(test);

    torc_test_request_free(test);
    return status;
}

static void others_are_refused(void **state) {
    torc_site *site = new_site();

    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /vhm/http/a/show"), 403);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /vhm"), 403);
    torc_site_free(site);
}

static void what_names_no_host_is_not_found(void **state) {
    static const char *const heads[] = {"GET /vhm",
                                        "GET /vhm/",
                                        "GET /vhm/http",
                                        "GET /vhm/http/",
                                        "GET /vhm/ftp/a/show",
                                        "GET /vhm/http/a%20b/show",
                                        "GET /vhm/http/a:b:c/show",
                                        "GET /vhm/http/u@a/show"};
    torc_site *site = new_site();

    for (size_t i = 0; i < TORC_COUNT_OF(heads); i++) {
        const int status = status_from(*state, site, "127.0.0.1", heads[i]);
        if (status != 404) print_error("%s\n", heads[i]);
        assert_int_equal(status, 404);
    }
    torc_site_free(site);
}

static void going_round_and_round_ends(void **state) {
    char head[600] = "GET ";
    torc_site *site = new_site();

    for (int i = 0; i < 20; i++) strcat(head, "/vhm/http/a");
    assert_int_equal(status_from(*state, site, "127.0.0.1", head), 503);
    torc_site_free(site);
}

static void memory_may_be_short(void **state) {
    torc_site *site = new_site();
    bool has_failed = true;

    for (uint64_t n = 1; has_failed && n < 100; n++) {
        torc_test_request *test = torc_test_request_new(*state, torc_site_acceptor(site),
                                                        "GET /vhm/http/a/show/1/2/3/4/5/6/7/8");
        assert_int_equal(torc_test_request_set_peer(test, "127.0.0.1", 1), TORC_OK);
        torc_test_fail_allocation(*state, n);
        web_finish(*state, test);
        has_failed = torc_test_allocation_failed(*state);
        torc_test_fail_allocation(*state, 0);
        const int status = torc_test_request_status(test);
        assert_true(status == 200 || status == 503 || torc_test_request_was_reset(test));
        torc_test_request_free(test);
    }
    torc_site_free(site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(it_is_as_if_the_host_had_been_asked),
        WEB_TEST(others_are_refused),
        WEB_TEST(what_names_no_host_is_not_found),
        WEB_TEST(going_round_and_round_ends),
        WEB_TEST(memory_may_be_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
