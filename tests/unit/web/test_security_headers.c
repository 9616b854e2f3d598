/* SPDX-License-Identifier: MIT */
/* Security headers: the preset, what is said otherwise, policies and their nonces. */
#include <stdio.h>
#include <torc/security_headers.h>

#include "faults.h"
#include "web_fixture.h"

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello");
}

static torc_render framed(torc_request *request) {
    torc_response_set(request, "X-Frame-Options", TORC_STR("SAMEORIGIN"));
    return torc_reply_text(request, 200, "framed");
}

static torc_render with_nonce(torc_request *request) {
    const torc_str nonce = torc_request_csp_nonce(request);

    assert_ptr_equal(torc_request_csp_nonce(request).bytes, nonce.bytes);
    return torc_reply_bytes(request, 200, "text/plain", nonce);
}

static torc_site *new_site(const torc_security_headers_options *options) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /", hello);
    torc_resource_route(root, "GET /framed", framed);
    torc_resource_route(root, "GET /nonce", with_nonce);
    torc_resource_use(root, torc_security_headers_new(options));
    torc_site *site = torc_site_new(root, NULL);
    assert_non_null(site);
    return site;
}

static void check_has(const torc_test_request *test, const char *name, const char *value) {
    const torc_str got = torc_test_request_field(test, name);

    if (value)
        check_str_of(got, value);
    else
        assert_null(got.bytes);
}

static void check_preset(torc_reactor *reactor, torc_site *site, const char *head, int status) {
    torc_test_request *test = web_ask(reactor, site, head);

    assert_int_equal(torc_test_request_status(test), status);
    check_has(test, "X-Content-Type-Options", "nosniff");
    check_has(test, "Referrer-Policy", "strict-origin-when-cross-origin");
    check_has(test, "X-Frame-Options", "DENY");
    check_has(test, "Permissions-Policy", "camera=(), geolocation=(), microphone=()");
    check_has(test, "Cross-Origin-Opener-Policy", "same-origin");
    check_has(test, "Cross-Origin-Resource-Policy", "same-origin");
    check_has(test, "Cross-Origin-Embedder-Policy", NULL);
    check_has(test, "Strict-Transport-Security", NULL); /* not secure */
    check_has(test, "Content-Security-Policy", NULL);
    torc_test_request_free(test);
}

static void the_preset_is_on_every_response(void **state) {
    torc_site *site = new_site(NULL);

    check_preset(*state, site, "GET /", 200);
    check_preset(*state, site, "HEAD /", 200);
    check_preset(*state, site, "GET /none", 404);
    check_preset(*state, site, "PUT /", 405);
    check_preset(*state, site, "OPTIONS /", 204);
    torc_site_free(site);
}

static void each_field_can_be_said_otherwise(void **state) {
    const torc_security_headers_options options = {
        .size = sizeof(options),
        .content_type_options = "",
        .referrer_policy = "no-referrer",
        .frame_options = "",
        .permissions_policy = "",
        .opener_policy = "",
        .resource_policy = "cross-origin",
        .embedder_policy = "require-corp",
    };
    torc_site *site = new_site(&options);
    torc_test_request *test = web_ask(*state, site, "GET /");

    check_has(test, "X-Content-Type-Options", NULL);
    check_has(test, "Referrer-Policy", "no-referrer");
    check_has(test, "X-Frame-Options", NULL);
    check_has(test, "Permissions-Policy", NULL);
    check_has(test, "Cross-Origin-Opener-Policy", NULL);
    check_has(test, "Cross-Origin-Resource-Policy", "cross-origin");
    check_has(test, "Cross-Origin-Embedder-Policy", "require-corp");
    torc_test_request_free(test);
    torc_site_free(site);
}

static void a_route_knows_better(void **state) {
    torc_site *site = new_site(NULL);
    torc_test_request *test = web_ask(*state, site, "GET /framed");

    check_has(test, "X-Frame-Options", "SAMEORIGIN");
    check_has(test, "X-Content-Type-Options", "nosniff");
    torc_test_request_free(test);
    torc_site_free(site);
}

/* ---- policies ---- */

static torc_security_headers_options with_policy(void) {
    return (torc_security_headers_options){.size = sizeof(torc_security_headers_options),
                                           .csp = torc_csp_strict()};
}

static void nonces_are_in_the_policy_of_who_asked(void **state) {
    const torc_security_headers_options options = with_policy();
    torc_site *site = new_site(&options);
    torc_test_request *test = web_ask(*state, site, "GET /nonce");
    torc_test_request *other = web_ask(*state, site, "GET /nonce");
    const torc_str nonce = torc_test_request_body(test);
    char text[300];

    assert_int_equal(nonce.len, 22);
    assert_false(torc_str_equals(nonce, torc_test_request_body(other)));
    snprintf(text, sizeof(text),
             "default-src 'self'; script-src 'self' 'nonce-%.*s'; style-src 'self' 'nonce-%.*s'; "
             "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
             TORC_STR_ARGS(nonce), TORC_STR_ARGS(nonce));
    check_has(test, "Content-Security-Policy", text);
    torc_test_request_free(test);
    torc_test_request_free(other);

    test = web_ask(*state, site, "GET /");
    check_has(test, "Content-Security-Policy",
              "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; "
              "base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    torc_test_request_free(test);
    torc_site_free(site);
}

static void a_policy_may_only_be_reported(void **state) {
    torc_security_headers_options options = with_policy();

    options.csp_report_only = true;
    torc_site *site = new_site(&options);
    torc_test_request *test = web_ask(*state, site, "GET /none");
    check_has(test, "Content-Security-Policy", NULL);
    assert_non_null(torc_test_request_field(test, "Content-Security-Policy-Report-Only").bytes);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void wrong_options_are_told_at_the_start(void **state) {
    static const torc_csp_directive misspelt[] = {{"script-source", "'self'"}, {NULL, NULL}};
    const size_t size = sizeof(torc_security_headers_options);
    const torc_security_headers_options cases[] = {
        {.size = size, .frame_options = "deny"},
        {.size = size, .resource_policy = "same"},
        {.size = size, .content_type_options = "sniff"},
        {.size = size, .referrer_policy = "a\nb"},
        {.size = size, .strict_transport_security = "31536000"},
        {.size = size, .csp = misspelt},
    };
    char text[200];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        assert_non_null(torc_security_headers_check(&cases[i], text));
        torc_resource *root = torc_folder_new();
        torc_resource_use(root, torc_security_headers_new(&cases[i]));
        check_err(torc_resource_err(root), TORC_ERR_INVALID);
        torc_resource_dispose(root);
    }
    assert_string_equal(torc_security_headers_check(&cases[0], text),
                        "X-Frame-Options has no value 'deny'");
    assert_null(torc_security_headers_check(NULL, text));
}

static void without_memory_a_request_fails_and_the_next_does_not(void **state) {
    torc_reactor *reactor = *state;
    const torc_security_headers_options options = with_policy();
    torc_site *site = new_site(&options);
    faults self = {.hit = true};

    for (uint64_t fail_at = 1; self.hit && fail_at < 200; fail_at++) {
        torc_test_request *test =
            torc_test_request_new(reactor, torc_site_acceptor(site), "GET /nonce");
        assert_non_null(test);
        faults_arm(&self, torc_reactor_memory(reactor), fail_at);
        web_finish(reactor, test);
        faults_disarm(torc_reactor_memory(reactor));
        const int status = torc_test_request_status(test);
        assert_true(status == 200 || status == 503 || status == 500 || status == 0);
        if (!self.hit) assert_int_equal(status, 200);
        torc_test_request_free(test);
    }
    assert_false(self.hit);
    torc_site_free(site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(the_preset_is_on_every_response),
        WEB_TEST(each_field_can_be_said_otherwise),
        WEB_TEST(a_route_knows_better),
        WEB_TEST(nonces_are_in_the_policy_of_who_asked),
        WEB_TEST(a_policy_may_only_be_reported),
        WEB_TEST(wrong_options_are_told_at_the_start),
        WEB_TEST(without_memory_a_request_fails_and_the_next_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
