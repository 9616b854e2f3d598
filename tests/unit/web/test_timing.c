/* SPDX-License-Identifier: MIT */
/* Server-Timing: the total and its parts. */
#include <stdio.h>
#include <torc/fiber.h>
#include <torc/timing.h>

#include "faults.h"
#include "web_fixture.h"

static torc_render quick(torc_request *request) {
    return torc_reply_text(request, 200, "quick");
}

static torc_render slow(torc_request *request) {
    torc_request_timing_add(request, "db", 1234, "a \"query\" \\ \xc3\xa9");
    if (torc_sleep(torc_request_reactor(request), 25)) return TORC_RENDER_DONE;
    torc_request_timing_add(request, "cache", 7, NULL);
    torc_request_timing_add(request, "no token", 1, NULL);
    torc_request_timing_add(request, "", 1, NULL);
    torc_reply_text(request, 200, "slow");
    torc_request_timing_add(request, "late", 1, NULL);
    return TORC_RENDER_DONE;
}

static torc_render many(torc_request *request) {
    static char description[200];

    memset(description, '"', sizeof(description) - 1);
    for (int i = 0; i < 100; i++) torc_request_timing_add(request, "part", 1000, description);
    return torc_reply_text(request, 200, "many");
}

static torc_site *new_site(const torc_timing_options *options) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /", quick);
    torc_resource_route(root, "GET /slow", slow);
    torc_resource_route(root, "GET /many", many);
    torc_resource_use(root, torc_timing_new(options));
    torc_site *site = torc_site_new(root, NULL);
    assert_non_null(site);
    return site;
}

static torc_test_request *ask(torc_reactor *reactor, torc_site *site, const char *head) {
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);

    assert_non_null(test);
    web_finish(reactor, test);
    torc_test_advance(reactor, 25);
    web_finish(reactor, test);
    return test;
}

static void the_total_and_its_parts_are_told(void **state) {
    torc_site *site = new_site(NULL);
    torc_test_request *test = ask(*state, site, "GET /");

    check_str(torc_test_request_field(test, "Server-Timing"), "total;dur=0.000");
    assert_null(torc_test_request_field(test, "X-Response-Time").bytes);
    torc_test_request_free(test);
    test = ask(*state, site, "GET /slow");
    check_str(torc_test_request_field(test, "Server-Timing"),
              "total;dur=25.000, db;dur=1.234;desc=\"a \\\"query\\\" \\\\ ??\", cache;dur=0.007");
    torc_test_request_free(test);
    test = ask(*state, site, "GET /none");
    check_str(torc_test_request_field(test, "Server-Timing"), "total;dur=0.000");
    torc_test_request_free(test);
    torc_site_free(site);
}

static void what_is_told_is_said_by_options(void **state) {
    const torc_timing_options options = {
        .size = sizeof(options), .hides_total = true, .has_x_response_time = true};
    torc_site *site = new_site(&options);
    torc_test_request *test = ask(*state, site, "GET /");

    assert_null(torc_test_request_field(test, "Server-Timing").bytes);
    check_str(torc_test_request_field(test, "X-Response-Time"), "0.000ms");
    torc_test_request_free(test);
    test = ask(*state, site, "GET /slow");
    check_str(torc_test_request_field(test, "X-Response-Time"), "25.000ms");
    assert_true(torc_str_starts_with(torc_test_request_field(test, "Server-Timing"),
                                     TORC_STR("db;dur=1.234;")));
    torc_test_request_free(test);
    torc_site_free(site);
}

static void parts_have_an_end(void **state) {
    torc_site *site = new_site(NULL);
    torc_test_request *test = ask(*state, site, "GET /many");
    const torc_str value = torc_test_request_field(test, "Server-Timing");

    assert_int_equal(torc_test_request_status(test), 200);
    assert_in_range(value.len, 1000, 4096);
    assert_true(torc_str_ends_with(value, TORC_STR("\"")));
    torc_test_request_free(test);
    torc_site_free(site);
}

static void without_memory_a_request_fails_and_the_next_does_not(void **state) {
    torc_reactor *reactor = *state;
    torc_site *site = new_site(NULL);
    faults self = {.hit = true};

    for (uint64_t fail_at = 1; self.hit && fail_at < 300; fail_at++) {
        torc_test_request *test =
            torc_test_request_new(reactor, torc_site_acceptor(site), "GET /many");
        assert_non_null(test);
        faults_arm(&self, torc_reactor_memory(reactor), fail_at);
        web_finish(reactor, test);
        faults_disarm(torc_reactor_memory(reactor));
        torc_test_request_free(test);
    }
    assert_false(self.hit);
    torc_site_free(site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(the_total_and_its_parts_are_told),
        WEB_TEST(what_is_told_is_said_by_options),
        WEB_TEST(parts_have_an_end),
        WEB_TEST(without_memory_a_request_fails_and_the_next_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
