/* SPDX-License-Identifier: MIT */
/* Request ids: made, or taken on from who is trusted. */
#include <stdio.h>
#include <torc/request_id.h>
#include <torc/testing_log.h>

#include "faults.h"
#include "web_fixture.h"

static torc_render show(torc_request *request) {
    return torc_reply_bytes(request, 200, "text/plain", torc_request_id(request));
}

static torc_site *new_site(const torc_request_id_options *options) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /", show);
    torc_resource_use(root, torc_request_id_new(options));
    torc_site *site = torc_site_new(root, NULL);
    torc_cidr proxy;
    assert_non_null(site);
    check_ok(torc_cidr_parse(TORC_STR("10.0.0.0/8"), &proxy));
    check_ok(torc_site_trust_proxies(site, &proxy, 1, TORC_PROXY_FIELD_X_FORWARDED_FOR));
    return site;
}

static torc_test_request *ask_from(torc_reactor *reactor, torc_site *site, const char *host,
                                   const char *head) {
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);

    assert_non_null(test);
    check_ok(torc_test_request_set_peer(test, host, 5000));
    web_finish(reactor, test);
    return test;
}

/* The id that a request from a host gets, as the response tells it and the route saw it. */
static void get_id(torc_reactor *reactor, torc_site *site, const char *host, const char *head,
                   char id[200]) {
    torc_test_request *test = ask_from(reactor, site, host, head);
    const torc_str told = torc_test_request_field(test, "X-Request-ID");

    check_str_at(torc_test_request_body(test), told, __FILE__, __LINE__);
    snprintf(id, 200, "%.*s", TORC_STR_ARGS(told));
    torc_test_request_free(test);
}

static bool is_hex(const char *text, size_t len) {
    return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

static void each_request_gets_one(void **state) {
    torc_site *site = new_site(NULL);
    char first[200], second[200];

    get_id(*state, site, "192.0.2.1", "GET /", first);
    get_id(*state, site, "192.0.2.1", "GET /", second);
    assert_true(is_hex(first, 32));
    assert_true(is_hex(second, 32));
    assert_string_not_equal(first, second);
    torc_test_request *test = ask_from(*state, site, "192.0.2.1", "GET /none");
    assert_int_equal(torc_test_request_status(test), 404);
    assert_int_equal(torc_test_request_field(test, "X-Request-ID").len, 32);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void proxies_that_are_trusted_give_theirs(void **state) {
    torc_site *site = new_site(NULL);
    char id[200];

    get_id(*state, site, "10.1.2.3", "GET /\nX-Request-Id: abc-123.x_Y~+/=:@", id);
    assert_string_equal(id, "abc-123.x_Y~+/=:@");
    get_id(*state, site, "192.0.2.1", "GET /\nX-Request-Id: abc", id);
    assert_true(is_hex(id, 32));
    torc_site_free(site);
}

static void what_is_no_harmless_id_is_not_taken_on(void **state) {
    static const char *const bad[] = {"a b", "a\"b",     "a<b",  "a,b",
                                      "a;b", "\xc3\xa9", "a\\b", "%0a"};
    torc_site *site = new_site(NULL);
    char head[300], id[200];

    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++) {
        snprintf(head, sizeof(head), "GET /\nX-Request-Id: %s", bad[i]);
        get_id(*state, site, "10.0.0.1", head, id);
        assert_true(is_hex(id, 32));
    }
    get_id(*state, site, "10.0.0.1", "GET /\nX-Request-Id:", id);
    assert_true(is_hex(id, 32));
    snprintf(head, sizeof(head), "GET /\nX-Request-Id: %0128d", 1);
    get_id(*state, site, "10.0.0.1", head, id);
    assert_int_equal(strlen(id), 128);
    snprintf(head, sizeof(head), "GET /\nX-Request-Id: %0129d", 1);
    get_id(*state, site, "10.0.0.1", head, id);
    assert_true(is_hex(id, 32));
    torc_site_free(site);
}

static void all_or_nobody_may_be_trusted(void **state) {
    torc_request_id_options options = {.size = sizeof(options), .trust = TORC_REQUEST_ID_TRUST_ALL};
    torc_site *site = new_site(&options);
    char id[200];

    get_id(*state, site, "192.0.2.1", "GET /\nX-Request-Id: abc", id);
    assert_string_equal(id, "abc");
    torc_site_free(site);
    options.trust = TORC_REQUEST_ID_TRUST_NOBODY;
    site = new_site(&options);
    get_id(*state, site, "10.0.0.1", "GET /\nX-Request-Id: abc", id);
    assert_true(is_hex(id, 32));
    torc_site_free(site);
}

static void ids_may_be_sorted_by_time(void **state) {
    const torc_request_id_options options = {.size = sizeof(options),
                                             .kind = TORC_REQUEST_ID_UUID7};
    torc_site *site = new_site(&options);
    char first[200], second[200];

    get_id(*state, site, "192.0.2.1", "GET /", first);
    torc_test_advance(*state, 1000);
    get_id(*state, site, "192.0.2.1", "GET /", second);
    assert_int_equal(strlen(first), 36);
    assert_memory_equal(first, "00b690b4-34e8-7", 15); /* 1994-11-06 08:49:37 */
    assert_true(first[8] == '-' && first[13] == '-' && first[18] == '-' && first[23] == '-');
    assert_non_null(strchr("89ab", first[19]));
    assert_true(strcmp(first, second) < 0);
    torc_site_free(site);
}

static void the_field_may_have_another_name_or_be_hidden(void **state) {
    torc_request_id_options options = {.size = sizeof(options), .name = "X-Trace"};
    torc_site *site = new_site(&options);
    torc_test_request *test = ask_from(*state, site, "10.0.0.1", "GET /\nX-Trace: abc");

    check_str(torc_test_request_field(test, "X-Trace"), "abc");
    assert_null(torc_test_request_field(test, "X-Request-ID").bytes);
    torc_test_request_free(test);
    torc_site_free(site);

    options.is_hidden = true;
    site = new_site(&options);
    test = ask_from(*state, site, "10.0.0.1", "GET /\nX-Trace: abc");
    check_str(torc_test_request_body(test), "abc");
    assert_null(torc_test_request_field(test, "X-Trace").bytes);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void the_outer_one_counts(void **state) {
    const torc_request_id_options other = {.size = sizeof(other), .name = "X-Other"};
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /", show);
    torc_resource_use(root, torc_request_id_new(NULL));
    torc_resource_use(root, torc_request_id_new(&other));
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test = ask_from(*state, site, "192.0.2.1", "GET /");
    check_str_at(torc_test_request_field(test, "X-Other"),
                 torc_test_request_field(test, "X-Request-ID"), __FILE__, __LINE__);
    torc_test_request_free(test);
    torc_site_free(site);
}

static torc_render break_down(torc_request *request) {
    return torc_reply_failure(request, "oops");
}

static void failures_are_logged_with_it(void **state) {
    const torc_request_id_options options = {.size = sizeof(options),
                                             .trust = TORC_REQUEST_ID_TRUST_ALL};
    torc_test_log *captured;
    torc_resource *root = torc_folder_new();

    check_ok(torc_test_log_new(&captured));
    const torc_site_options site_options = {.size = sizeof(site_options),
                                            .log = torc_test_log_log(captured)};
    torc_resource_route(root, "GET /", break_down);
    torc_resource_use(root, torc_request_id_new(&options));
    torc_site *site = torc_site_new(root, &site_options);
    torc_test_request_free(ask_from(*state, site, "192.0.2.1", "GET /\nX-Request-Id: abc"));
    const torc_log_record *record = torc_test_log_find(captured, "http", "a render failed");
    assert_non_null(record);
    const torc_log_field *id = torc_log_record_field(record, "request_id");
    assert_non_null(id);
    check_str(id->value.str, "abc");
    torc_site_free(site);
    torc_test_log_free(captured);
}

static torc_render show_none(torc_request *request) {
    return torc_reply_text(request, 200, torc_request_id(request).len ? "some" : "none");
}

static void without_it_there_is_none(void **state) {
    torc_test_request *test = torc_test_request_route(*state, show_none, "GET /");

    web_finish(*state, test);
    check_str(torc_test_request_body(test), "none");
    torc_test_request_free(test);
}

static void a_name_that_is_none_is_told_at_the_start(void **state) {
    const torc_request_id_options cases[] = {
        {.size = sizeof(torc_request_id_options), .name = "a b"},
        {.size = sizeof(torc_request_id_options), .name = ""},
        {.size = sizeof(torc_request_id_options), .name = "Content-Length"},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_resource *root = torc_folder_new();
        torc_resource_use(root, torc_request_id_new(&cases[i]));
        check_err(torc_resource_err(root), TORC_ERR_INVALID);
        torc_resource_dispose(root);
    }
}

static void without_memory_a_request_fails_and_the_next_does_not(void **state) {
    torc_reactor *reactor = *state;
    torc_site *site = new_site(NULL);
    faults self = {.hit = true};

    for (uint64_t fail_at = 1; self.hit && fail_at < 200; fail_at++) {
        torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), "GET /");
        assert_non_null(test);
        faults_arm(&self, torc_reactor_memory(reactor), fail_at);
        web_finish(reactor, test);
        faults_disarm(torc_reactor_memory(reactor));
        if (!self.hit) assert_int_equal(torc_test_request_status(test), 200);
        torc_test_request_free(test);
    }
    assert_false(self.hit);
    torc_site_free(site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(each_request_gets_one),
        WEB_TEST(proxies_that_are_trusted_give_theirs),
        WEB_TEST(what_is_no_harmless_id_is_not_taken_on),
        WEB_TEST(all_or_nobody_may_be_trusted),
        WEB_TEST(ids_may_be_sorted_by_time),
        WEB_TEST(the_field_may_have_another_name_or_be_hidden),
        WEB_TEST(the_outer_one_counts),
        WEB_TEST(failures_are_logged_with_it),
        WEB_TEST(without_it_there_is_none),
        cmocka_unit_test(a_name_that_is_none_is_told_at_the_start),
        WEB_TEST(without_memory_a_request_fails_and_the_next_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
