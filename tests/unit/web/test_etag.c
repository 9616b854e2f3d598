/* SPDX-License-Identifier: MIT */
/* Entity tags of small bodies, and what conditions make of them. */
#include <stdio.h>
#include <torc/etag.h>

#include "faults.h"
#include "web_fixture.h"

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello");
}

static torc_render document(torc_request *request) {
    torc_json *json = torc_reply_json(request, 200);

    torc_json_open_object(json);
    for (int i = 0; i < 400; i++) torc_json_member_int(json, "number", i);
    torc_json_close_object(json);
    return torc_reply_end(request);
}

static torc_render tagged(torc_request *request) {
    torc_response_set(request, "ETag", TORC_STR("\"own\""));
    return torc_reply_text(request, 200, "tagged");
}

static torc_render secret(torc_request *request) {
    torc_response_set(request, "Cache-Control", TORC_STR("private, no-store"));
    return torc_reply_text(request, 200, "secret");
}

static torc_render streamed(torc_request *request) {
    torc_request_write(request, TORC_STR("in "));
    torc_request_write(request, TORC_STR("pieces"));
    return torc_reply_end(request);
}

static torc_render created(torc_request *request) {
    return torc_reply_text(request, 201, "created");
}

static torc_render large(torc_request *request) {
    static char bytes[70000];
    return torc_reply_static(request, 200, "text/plain", torc_str_make(bytes, sizeof(bytes)));
}

static torc_render dated(torc_request *request) {
    torc_response_set(request, "Last-Modified", TORC_STR("Sun, 06 Nov 1994 08:00:00 GMT"));
    return torc_reply_text(request, 200, "dated");
}

static torc_site *new_site(void) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /", hello);
    torc_resource_route(root, "PUT /", hello);
    torc_resource_route(root, "GET /document", document);
    torc_resource_route(root, "GET /tagged", tagged);
    torc_resource_route(root, "GET /secret", secret);
    torc_resource_route(root, "GET /streamed", streamed);
    torc_resource_route(root, "GET /created", created);
    torc_resource_route(root, "GET /large", large);
    torc_resource_route(root, "GET /dated", dated);
    torc_resource_put_child(root, "empty", torc_data_new(TORC_STR(""), "text/plain"));
    torc_resource_use(root, torc_etag_new(0));
    torc_site *site = torc_site_new(root, NULL);
    assert_non_null(site);
    return site;
}

/* Of SHA-256 of "hello" the first half. */
#define HELLO_TAG "\"LPJNul-wow4m6Dsqxbning\""
#define HELLO_TAG_OTHER "\"LPJNul-wow4m6Dsqxbninh\""

static void check_answer(torc_reactor *reactor, torc_site *site, const char *head, int status,
                         const char *tag, const char *body, int64_t length) {
    torc_test_request *test = web_ask(reactor, site, head);

    assert_int_equal(torc_test_request_status(test), status);
    if (status == 304) assert_int_equal(torc_test_request_length(test), -1);
    if (tag)
        check_str_of(torc_test_request_field(test, "ETag"), tag);
    else
        assert_null(torc_test_request_field(test, "ETag").bytes);
    if (body) check_str_of(torc_test_request_body(test), body);
    if (length >= 0) assert_int_equal(torc_test_request_length(test), length);
    assert_true(torc_test_request_is_complete(test));
    torc_test_request_free(test);
}

static void whole_bodies_get_a_tag(void **state) {
    torc_site *site = new_site();

    check_answer(*state, site, "GET /", 200, HELLO_TAG, "hello", 5);
    check_answer(*state, site, "HEAD /", 200, HELLO_TAG, "", 5);
    torc_test_request *test = web_ask(*state, site, "GET /document");
    torc_test_request *again = web_ask(*state, site, "HEAD /document");
    assert_int_equal(torc_test_request_field(test, "ETag").len, 24);
    assert_true(torc_str_equals(torc_test_request_field(test, "ETag"),
                                torc_test_request_field(again, "ETag")));
    torc_test_request_free(again);
    torc_test_request_free(test);
    test = web_ask(*state, site, "GET /empty");
    assert_int_equal(torc_test_request_field(test, "ETag").len, 24);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void others_are_left_alone(void **state) {
    torc_site *site = new_site();

    check_answer(*state, site, "GET /tagged", 200, "\"own\"", "tagged", 6);
    check_answer(*state, site, "GET /secret", 200, NULL, "secret", 6);
    check_answer(*state, site, "GET /streamed", 200, NULL, "in pieces", -1);
    check_answer(*state, site, "GET /created", 201, NULL, "created", 7);
    check_answer(*state, site, "GET /large", 200, NULL, NULL, 70000);
    check_answer(*state, site, "PUT /", 200, NULL, "hello", 5);
    check_answer(*state, site, "GET /none", 404, NULL, NULL, -1);
    torc_site_free(site);
}

static void who_has_it_is_told_so(void **state) {
    torc_site *site = new_site();

    check_answer(*state, site, "GET /\nIf-None-Match: " HELLO_TAG, 304, HELLO_TAG, "", -1);
    check_answer(*state, site, "HEAD /\nIf-None-Match: " HELLO_TAG, 304, HELLO_TAG, "", -1);
    check_answer(*state, site, "GET /\nIf-None-Match: W/" HELLO_TAG, 304, HELLO_TAG, "", -1);
    check_answer(*state, site, "GET /\nIf-None-Match: \"x\", " HELLO_TAG, 304, HELLO_TAG, "", -1);
    check_answer(*state, site, "GET /\nIf-None-Match: *", 304, HELLO_TAG, "", -1);
    check_answer(*state, site, "GET /\nIf-None-Match: " HELLO_TAG_OTHER, 200, HELLO_TAG, "hello",
                 5);
    check_answer(*state, site, "GET /dated\nIf-Modified-Since: Sun, 06 Nov 1994 08:00:00 GMT", 304,
                 "\"ySe-uihOVAP2XjOWJ6UTrQ\"", "", -1);
    torc_test_request *test = web_ask(*state, site, "GET /\nIf-None-Match: " HELLO_TAG);
    assert_null(torc_test_request_field(test, "Content-Type").bytes);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void who_wants_another_version_is_refused(void **state) {
    torc_site *site = new_site();

    check_answer(*state, site, "GET /\nIf-Match: " HELLO_TAG, 200, HELLO_TAG, "hello", 5);
    check_answer(*state, site, "GET /\nIf-Match: *", 200, HELLO_TAG, "hello", 5);
    check_answer(*state, site, "GET /\nIf-Match: W/" HELLO_TAG, 412, NULL, "", 0);
    check_answer(*state, site, "GET /\nIf-Match: \"x\"", 412, NULL, "", 0);
    check_answer(*state, site, "GET /document\nIf-Match: \"x\"", 412, NULL, "", 0);
    check_answer(*state, site, "GET /dated\nIf-Unmodified-Since: Sun, 06 Nov 1994 07:00:00 GMT",
                 412, NULL, "", 0);
    torc_site_free(site);
}

static void without_memory_a_request_fails_and_the_next_does_not(void **state) {
    static const char *const heads[] = {"GET /document", "GET /\nIf-Match: \"x\"",
                                        ("GET /\nIf-None-Match: " HELLO_TAG)};
    torc_reactor *reactor = *state;
    torc_site *site = new_site();

    for (size_t i = 0; i < TORC_COUNT_OF(heads); i++) {
        faults self = {.hit = true};
        for (uint64_t fail_at = 1; self.hit && fail_at < 300; fail_at++) {
            torc_test_request *test =
                torc_test_request_new(reactor, torc_site_acceptor(site), heads[i]);
            assert_non_null(test);
            faults_arm(&self, torc_reactor_memory(reactor), fail_at);
            web_finish(reactor, test);
            faults_disarm(torc_reactor_memory(reactor));
            torc_test_request_free(test);
        }
        assert_false(self.hit);
    }
    torc_site_free(site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(whole_bodies_get_a_tag),
        WEB_TEST(others_are_left_alone),
        WEB_TEST(who_has_it_is_told_so),
        WEB_TEST(who_wants_another_version_is_refused),
        WEB_TEST(without_memory_a_request_fails_and_the_next_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
