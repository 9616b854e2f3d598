/* SPDX-License-Identifier: MIT */
/*
 * Where a client has asked: scheme, host, port and prefix as trusted proxies tell them, and the
 * URLs that are made of them.
 */
#include <stdio.h>
#include <torc/cidr.h>
#include <torc/link.h>

#include "faults.h"
#include "web_fixture.h"

static torc_site *site;
static char url[512], prefix[64];

static torc_render tell(torc_request *request) {
    torc_buf buf;

    torc_buf_init_fixed(&buf, url, sizeof(url) - 1);
    torc_request_add_asked_url(request, &buf);
    check_ok(torc_buf_err(&buf));
    url[buf.len] = 0;
    snprintf(prefix, sizeof(prefix), "%.*s", TORC_STR_ARGS(torc_request_prefix(request)));
    return torc_reply_text(request, 200, "");
}

/* Trust 10.0.0.0/8, with the claims that follow from the field, or these. */
static void trust(torc_proxy_field field, int claims) {
    torc_resource *root = torc_folder_new();
    torc_cidr cidr;

    torc_resource_put_rest(root, torc_render_new(tell, 0, true));
    site = torc_site_new(root, NULL);
    check_ok(torc_cidr_parse(TORC_STR("10.0.0.0/8"), &cidr));
    check_ok(torc_site_trust_proxies(site, &cidr, 1, field));
    if (claims >= 0) torc_site_set_proxy_claims(site, (unsigned)claims);
}

static int tear_down(void **state) {
    torc_site_free(site);
    site = NULL;
    return web_tear_down(state);
}

static const char *asked_from(torc_reactor *reactor, const char *peer, const char *lines) {
    char head[1024];

    snprintf(head, sizeof(head), "GET /a%%20b?c=d\n%s%s",
             strstr(lines, "Host: ") == lines ? "" : "Host: inner:81\n", lines);
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);
    assert_non_null(test);
    check_ok(torc_test_request_set_peer(test, peer, 4711));
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_status(test), 200);
    torc_test_request_free(test);
    return url;
}

#define check_url(lines, expected)                                                                 \
    assert_string_equal(asked_from(*state, "10.0.0.1", lines), expected "/a%20b?c=d")

enum {
    ALL = TORC_PROXY_SCHEME | TORC_PROXY_HOST | TORC_PROXY_PORT | TORC_PROXY_PREFIX
};

static void the_scheme_alone_is_believed_at_first(void **state) {
    trust(TORC_PROXY_FIELD_X_FORWARDED_FOR, -1);
    check_url("", "http://inner:81");
    check_url("X-Forwarded-Proto: https", "https://inner:81");
    check_url("X-Forwarded-Proto: HTTPS", "https://inner:81");
    check_url("X-Forwarded-Proto: http", "http://inner:81");
    check_url("X-Forwarded-Proto: wss", "https://inner:81");
    check_url("X-Forwarded-Proto: gopher", "http://inner:81");
    check_url("X-Forwarded-Proto:", "http://inner:81");
    check_url("X-Forwarded-Host: a.example\nX-Forwarded-Port: 8443\nX-Forwarded-Prefix: /p\n"
              "Forwarded: proto=https;host=b.example",
              "http://inner:81");
}

static void nothing_is_believed_of_others(void **state) {
    trust(TORC_PROXY_FIELD_X_FORWARDED_FOR, ALL);
    assert_string_equal(
        asked_from(*state, "11.0.0.1", "X-Forwarded-Proto: https\nX-Forwarded-Host: a.example"),
        "http://inner:81/a%20b?c=d");
    torc_site_set_proxy_claims(site, 0);
    check_url("X-Forwarded-Proto: https\nX-Forwarded-Host: a.example", "http://inner:81");
}

static void hosts_and_ports_are_believed_if_they_may_be(void **state) {
    trust(TORC_PROXY_FIELD_X_FORWARDED_FOR, ALL);
    check_url("X-Forwarded-Host: a.example", "http://a.example");
    check_url("X-Forwarded-Host: a.example:8080", "http://a.example:8080");
    check_url("X-Forwarded-Host: [2001:db8::1]:8080", "http://[2001:db8::1]:8080");
    check_url("X-Forwarded-Host: a.example\nX-Forwarded-Port: 8443\nX-Forwarded-Proto: https",
              "https://a.example:8443");
    check_url("X-Forwarded-Host: [2001:db8::1]:1\nX-Forwarded-Port: 443\nX-Forwarded-Proto: https",
              "https://[2001:db8::1]");
    check_url("X-Forwarded-Port: 80", "http://inner");
    check_url("X-Forwarded-Port: 443", "http://inner:443");
    /* What cannot be read is as if it were not there. */
    check_url("X-Forwarded-Host: a b", "http://inner:81");
    check_url("X-Forwarded-Host: user@a.example", "http://inner:81");
    check_url("X-Forwarded-Host: a/b", "http://inner:81");
    check_url("X-Forwarded-Port: 0", "http://inner:81");
    check_url("X-Forwarded-Port: 65536", "http://inner:81");
    check_url("X-Forwarded-Port: x", "http://inner:81");
}

static void a_prefix_stands_before_the_path(void **state) {
    trust(TORC_PROXY_FIELD_X_FORWARDED_FOR, ALL);
    check_url("X-Forwarded-Prefix: /app", "http://inner:81/app");
    assert_string_equal(prefix, "/app");
    check_url("X-Forwarded-Prefix: /app/v%201//", "http://inner:81/app/v%201");
    assert_string_equal(prefix, "/app/v%201");
    check_url("X-Forwarded-Prefix: /", "http://inner:81");
    assert_string_equal(prefix, "");
    check_url("X-Forwarded-Prefix: app", "http://inner:81");
    check_url("X-Forwarded-Prefix: //evil.example", "http://inner:81");
    check_url("X-Forwarded-Prefix: /\\evil.example", "http://inner:81");
    check_url("X-Forwarded-Prefix: /a?b", "http://inner:81");
    check_url("X-Forwarded-Prefix: /a#b", "http://inner:81");
    check_url("X-Forwarded-Prefix: /%zz", "http://inner:81");
}

/* Each trusted hop adds a value or puts its own in place; nothing before theirs counts. */
static void values_before_those_of_trusted_hops_do_not_count(void **state) {
    trust(TORC_PROXY_FIELD_X_FORWARDED_FOR, ALL);
    check_url("X-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: https, http", "http://inner:81");
    check_url("X-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: http, https", "https://inner:81");
    check_url("X-Forwarded-For: 192.0.2.1, 10.2.2.2\nX-Forwarded-Proto: https, http",
              "https://inner:81");
    check_url("X-Forwarded-For: 192.0.2.1, 10.2.2.2\nX-Forwarded-Proto: http, https, http",
              "https://inner:81");
    check_url("X-Forwarded-For: 192.0.2.1, 10.2.2.2\nX-Forwarded-Proto: https", "https://inner:81");
    check_url("X-Forwarded-Host: evil.example\nX-Forwarded-Host: a.example", "http://a.example");
    check_url("X-Forwarded-Host: evil.example\nX-Forwarded-Host: b.example, a.example",
              "http://a.example");
    check_url("X-Forwarded-Prefix: /evil\nX-Forwarded-Prefix: /app", "http://inner:81/app");
}

static void forwarded_tells_scheme_and_host(void **state) {
    trust(TORC_PROXY_FIELD_FORWARDED, -1);
    check_url("Forwarded: for=192.0.2.1;proto=https;host=a.example", "https://a.example");
    check_url("Forwarded: for=192.0.2.1;host=\"[2001:db8::1]:8443\";proto=https",
              "https://[2001:db8::1]:8443");
    check_url("Forwarded: for=unknown;proto=https", "https://inner:81");
    check_url("Forwarded: proto=https", "https://inner:81");
    check_url("Forwarded: host=\"a b\";proto=x", "http://inner:81");
    /* The trusted hop that is nearest to the client knows best. */
    check_url("Forwarded: for=192.0.2.1;proto=https;host=a.example, for=10.2.2.2;proto=http;host=b",
              "https://a.example");
    check_url("Forwarded: for=192.0.2.1, for=10.2.2.2;proto=https;host=b", "https://b");
    /* What stands before it anybody may have written. */
    check_url("Forwarded: for=1.1.1.1;host=evil, for=192.0.2.1;host=a.example", "http://a.example");
    check_url("Forwarded: for=1.1.1.1;host=evil;proto=https, for=192.0.2.1", "http://inner:81");
    check_url("Forwarded: host=evil;x=\", for=192.0.2.1", "http://inner:81");
    check_url("X-Forwarded-Proto: https\nX-Forwarded-Host: evil", "http://inner:81");
    torc_site_set_proxy_claims(site, TORC_PROXY_SCHEME);
    check_url("Forwarded: for=192.0.2.1;proto=https;host=a.example", "https://inner:81");
}

/* Every prefix of a line is believed in full or not at all. */
static void no_prefix_of_a_line_names_another_host(void **state) {
    const char whole[] = "Forwarded: for=192.0.2.1;host=\"a.example:8080\"";
    char line[sizeof(whole)];

    trust(TORC_PROXY_FIELD_FORWARDED, -1);
    for (size_t len = 10; len < sizeof(whole); len++) {
        snprintf(line, len + 1, "%s", whole);
        asked_from(*state, "10.0.0.1", line);
        assert_string_equal(url, len + 1 == sizeof(whole) ? "http://a.example:8080/a%20b?c=d"
                                                          : "http://inner:81/a%20b?c=d");
    }
}

static int status_of(torc_reactor *reactor, const char *peer, const char *head) {
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);

    assert_non_null(test);
    check_ok(torc_test_request_set_peer(test, peer, 4711));
    torc_test_request_run(test);
    const int status = torc_test_request_status(test);
    torc_test_request_free(test);
    return status;
}

/* RFC 9110 §7.4. */
static void only_trusted_proxies_ask_for_https_in_the_clear(void **state) {
    static const char *const https = "GET https://a.example/b\nHost: a.example";

    trust(TORC_PROXY_FIELD_X_FORWARDED_FOR, 0);
    assert_int_equal(status_of(*state, "10.0.0.1", https), 200);
    assert_int_equal(status_of(*state, "11.0.0.1", https), 421);
    assert_int_equal(status_of(*state, "11.0.0.1", "GET http://a.example/b\nHost: a.example"), 200);
}

static void without_memory_the_request_is_refused(void **state) {
    torc_reactor *reactor = *state;
    static char line[9000];
    faults injected;
    torc_test_request *test;

    trust(TORC_PROXY_FIELD_X_FORWARDED_FOR, ALL);
    const int len = snprintf(line, sizeof(line), "GET /\nHost: a\nX-Forwarded-Host: ");
    memset(line + len, 'a', 8000);
    snprintf(line + len + 8000, 64, "\nX-Forwarded-Port: 81");
    test = torc_test_request_new(reactor, torc_site_acceptor(site), line);
    assert_non_null(test);
    check_ok(torc_test_request_set_peer(test, "10.0.0.1", 4711));
    faults_arm(&injected, torc_reactor_memory(reactor), 1);
    injected.all_from = true;
    torc_test_request_run(test);
    faults_disarm(torc_reactor_memory(reactor));
    assert_true(injected.hit);
    assert_true(torc_test_request_status(test) == 503 || torc_test_request_was_reset(test));
    torc_test_request_free(test);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, web_set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_scheme_alone_is_believed_at_first),
        TEST(nothing_is_believed_of_others),
        TEST(hosts_and_ports_are_believed_if_they_may_be),
        TEST(a_prefix_stands_before_the_path),
        TEST(values_before_those_of_trusted_hops_do_not_count),
        TEST(forwarded_tells_scheme_and_host),
        TEST(no_prefix_of_a_line_names_another_host),
        TEST(only_trusted_proxies_ask_for_https_in_the_clear),
        TEST(without_memory_the_request_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
