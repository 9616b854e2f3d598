/* SPDX-License-Identifier: MIT */
/*
 * Whom a request comes from: what is believed, and where that ends.
 */
#include "http/forwarded.h"

#include <stdio.h>
#include <torc/cidr.h>

#include "testing/uncounted.h"
#include "web_fixture.h"

static torc_site *site;
static char client[TORC_ADDR_TEXT_MAX];

static torc_render tell(torc_request *request) {
    const torc_addr addr = torc_request_client(request);
    torc_addr_text(&addr, client);
    return torc_reply_text(request, 200, "");
}

static void trust(const char *first, const char *second, torc_proxy_field field) {
    torc_resource *root = torc_folder_new();
    torc_cidr cidrs[2];
    size_t count = 0;

    torc_resource_route(root, "GET /", tell);
    site = torc_site_new(root, NULL);
    if (first) check_ok(torc_cidr_parse(torc_str_of(first), &cidrs[count++]));
    if (second) check_ok(torc_cidr_parse(torc_str_of(second), &cidrs[count++]));
    check_ok(torc_site_trust_proxies(site, cidrs, count, field));
}

static int tear_down(void **state) {
    torc_site_free(site);
    site = NULL;
    return web_tear_down(state);
}

/* Who asked, by what the peer 10.0.0.1:4711 says in these lines. */
static const char *asked_by(torc_reactor *reactor, const char *lines) {
    char head[2048];

    snprintf(head, sizeof(head), "GET /\nHost: a\n%s", lines);
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);
    assert_non_null(test);
    check_ok(torc_test_request_set_peer(test, "10.0.0.1", 4711));
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_status(test), 200);
    torc_test_request_free(test);
    return client;
}

#define check_client(lines, expected) assert_string_equal(asked_by(*state, lines), expected)

static void nobody_is_believed_unless_it_is_said(void **state) {
    trust(NULL, NULL, TORC_PROXY_FIELD_X_FORWARDED_FOR);
    check_client("X-Forwarded-For: 192.0.2.1", "10.0.0.1:4711");
    check_client("Forwarded: for=192.0.2.1", "10.0.0.1:4711");
}

static void a_peer_that_is_not_trusted_is_not_believed(void **state) {
    trust("10.0.0.2", NULL, TORC_PROXY_FIELD_X_FORWARDED_FOR);
    check_client("X-Forwarded-For: 192.0.2.1", "10.0.0.1:4711");
}

static void the_last_that_no_trusted_hop_wrote_is_the_client(void **state) {
    trust("10.0.0.0/8", "2001:db8::/32", TORC_PROXY_FIELD_X_FORWARDED_FOR);
    check_client("", "10.0.0.1:4711");
    check_client("X-Forwarded-For: 192.0.2.1", "192.0.2.1:0");
    check_client("X-Forwarded-For: 203.0.113.9, 192.0.2.1", "192.0.2.1:0");
    check_client("X-Forwarded-For: 203.0.113.9, 192.0.2.1, 10.9.9.9", "192.0.2.1:0");
    check_client("X-Forwarded-For: 192.0.2.1,2001:db8::7 ,\t10.9.9.9", "192.0.2.1:0");
    check_client("X-Forwarded-For: 203.0.113.9\nX-Forwarded-For: 192.0.2.1, 10.1.1.1",
                 "192.0.2.1:0");
    check_client("X-Forwarded-For: 192.0.2.1\nX-Forwarded-For: 10.1.1.1", "192.0.2.1:0");
    check_client("x-forwarded-for: 10.1.1.1, 10.2.2.2", "10.1.1.1:0");
}

static void addresses_may_have_ports(void **state) {
    trust("10.0.0.0/8", "2001:db8::/32", TORC_PROXY_FIELD_X_FORWARDED_FOR);
    check_client("X-Forwarded-For: 192.0.2.1:99", "192.0.2.1:99");
    check_client("X-Forwarded-For: 2001:db9::1", "[2001:db9::1]:0");
    check_client("X-Forwarded-For: [2001:db9::1]", "[2001:db9::1]:0");
    check_client("X-Forwarded-For: [2001:db9::1]:99", "[2001:db9::1]:99");
}

static void what_cannot_be_read_ends_the_way_at_the_last_good_hop(void **state) {
    static const char *const bad[] = {
        "unknown", "_hidden",     "",           "192.0.2.1 x",     "192.0.2.300", "[::1",
        "::1]",    "[192.0.2.1]", "192.0.2.1:", "192.0.2.1:70000", "[::1]99",     "\"192.0.2.1\""};
    char line[128];

    trust("10.0.0.0/8", NULL, TORC_PROXY_FIELD_X_FORWARDED_FOR);
    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++) {
        snprintf(line, sizeof(line), "X-Forwarded-For: 192.0.2.1, %s, 10.2.2.2", bad[i]);
        check_client(line, "10.2.2.2:0");
        snprintf(line, sizeof(line), "X-Forwarded-For: 192.0.2.1\nX-Forwarded-For: %s", bad[i]);
        if (bad[i][0]) check_client(line, "10.0.0.1:4711");
    }
}

static void only_the_field_that_was_chosen_is_read(void **state) {
    trust("10.0.0.0/8", NULL, TORC_PROXY_FIELD_X_FORWARDED_FOR);
    check_client("Forwarded: for=192.0.2.1", "10.0.0.1:4711");
    torc_site_free(site);
    trust("10.0.0.0/8", NULL, TORC_PROXY_FIELD_FORWARDED);
    check_client("X-Forwarded-For: 192.0.2.1", "10.0.0.1:4711");
    check_client("Forwarded: for=192.0.2.1\nX-Forwarded-For: 192.0.2.2", "192.0.2.1:0");
}

static void forwarded_is_walked_in_the_same_way(void **state) {
    trust("10.0.0.0/8", NULL, TORC_PROXY_FIELD_FORWARDED);
    check_client("Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60:0");
    check_client("Forwarded: For=\"[2001:db8:cafe::17]:4711\"", "[2001:db8:cafe::17]:4711");
    check_client("Forwarded: for=203.0.113.1, for=192.0.2.43, for=10.9.9.9;host=x", "192.0.2.43:0");
    check_client("Forwarded: for=192.0.2.43\nForwarded: for=10.1.1.1", "192.0.2.43:0");
    check_client("Forwarded: for=192.0.2.43, for=unknown", "10.0.0.1:4711");
    check_client("Forwarded: for=192.0.2.43, for=_gazonk, for=10.9.9.9", "10.9.9.9:0");
    check_client("Forwarded: for=192.0.2.43, proto=https", "10.0.0.1:4711");
}

static void a_mistake_in_the_last_element_ends_the_way_at_the_peer(void **state) {
    static const char *const bad[] = {
        "for=1.1.1.1,",
        "for=1.1.1.1;;proto=http",
        "for=1.1.1.1;for=2.2.2.2",
        "for=1.1.1.1;host=a;host=b",
        "for",
        "for=",
        "for=\"\"",
        "for=\"1.1.1.1",
        "=1.1.1.1",
        "for=1.1.1.1 proto=http",
        "for=\"1.1.\\1.1\"",
        "for=[::1",
        "for=\"[fe80::1%1]\"",
        "for = 1.1.1.1",
    };
    char line[128];

    trust("10.0.0.0/8", NULL, TORC_PROXY_FIELD_FORWARDED);
    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++) {
        snprintf(line, sizeof(line), "Forwarded: %s", bad[i]);
        check_client(line, "10.0.0.1:4711");
    }
}

/* Else a client would hide itself, behind the address of the proxy, by a quote that it opens. */
static void what_stands_before_cannot_change_what_a_trusted_hop_adds(void **state) {
    static const char *const before[] = {
        "for=\"1.1.1.1", "for=1.1.1.1;x=\"", "x=\"\\", "\"", "for=1.1.1.1,", "",
        "for=",          "\"\"\"",           "\\",
    };
    char line[160];

    trust("10.0.0.0/8", NULL, TORC_PROXY_FIELD_FORWARDED);
    for (size_t i = 0; i < TORC_COUNT_OF(before); i++) {
        snprintf(line, sizeof(line), "Forwarded: %s, for=192.0.2.7;host=\"a\"", before[i]);
        check_client(line, "192.0.2.7:0");
        snprintf(line, sizeof(line), "Forwarded: %s,for=\"[2001:db8::1]:1\"", before[i]);
        check_client(line, "[2001:db8::1]:1");
        snprintf(line, sizeof(line), "Forwarded: %s, for=192.0.2.7, for=\"10.2.2.2\"", before[i]);
        check_client(line, "192.0.2.7:0");
        snprintf(line, sizeof(line), "Forwarded: %s, for=10.2.2.2", before[i]);
        if (before[i][0]) assert_string_not_equal(asked_by(*state, line), "10.0.0.1:4711");
    }
}

static void a_way_has_an_end(void **state) {
    char line[2000];
    int len = snprintf(line, sizeof(line), "X-Forwarded-For: 192.0.2.1");

    trust("10.0.0.0/8", NULL, TORC_PROXY_FIELD_X_FORWARDED_FOR);
    for (int i = 0; i < 50; i++)
        len += snprintf(line + len, sizeof(line) - (size_t)len, ", 10.0.1.%d", i);
    check_client(line, "10.0.1.18:0"); /* 32 hops before the peer */
}

static void elements_are_taken_from_the_end_with_all_that_they_say(void **state) {
    torc_str line = TORC_STR("for=192.0.2.43;by=\"_proxy\";host=\"a.example:8080\";proto=https;x="
                             "\"y,\\\\\" , for=\"_x\"");
    torc_forwarded element;

    (void)state;
    check_ok(torc_forwarded_take_last(&line, &element));
    assert_int_equal(element.client.len, 0);
    assert_null(element.by.bytes);
    check_err(torc_forwarded_take_last(&line, &element), TORC_ERR_SYNTAX); /* the backslashes */
    assert_int_equal(line.len, 0);
    line = TORC_STR("for=192.0.2.43;by=\"_proxy\";host=\"a.example:8080\";proto=https;x=\"y,\"");
    check_ok(torc_forwarded_take_last(&line, &element));
    assert_int_equal(torc_addr_family(&element.client), AF_INET);
    check_str(element.by, "_proxy");
    check_str(element.host, "a.example:8080");
    check_str(element.scheme, "https");
    assert_int_equal(line.len, 0);
}

static void very_many_elements_are_as_many_hops_at_most(void **state) {
    char line[2000];
    int len = snprintf(line, sizeof(line), "Forwarded: for=192.0.2.1");

    trust("10.0.0.0/8", NULL, TORC_PROXY_FIELD_FORWARDED);
    for (int i = 0; i < 50; i++)
        len += snprintf(line + len, sizeof(line) - (size_t)len, ",for=10.0.1.%d", i);
    check_client(line, "10.0.1.18:0");
}

static void without_memory_nobody_else_is_trusted(void **state) {
    torc_cidr cidr;

    trust(NULL, NULL, TORC_PROXY_FIELD_X_FORWARDED_FOR);
    check_ok(torc_cidr_parse(TORC_STR("10.0.0.0/8"), &cidr));
    torc_test_fail_uncounted(1);
    check_err(torc_site_trust_proxies(site, &cidr, 1, TORC_PROXY_FIELD_FORWARDED),
              TORC_ERR_NO_MEMORY);
    torc_test_fail_uncounted(0);
    check_client("X-Forwarded-For: 192.0.2.1", "10.0.0.1:4711");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, web_set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_believed_unless_it_is_said),
        TEST(a_peer_that_is_not_trusted_is_not_believed),
        TEST(the_last_that_no_trusted_hop_wrote_is_the_client),
        TEST(addresses_may_have_ports),
        TEST(what_cannot_be_read_ends_the_way_at_the_last_good_hop),
        TEST(only_the_field_that_was_chosen_is_read),
        TEST(forwarded_is_walked_in_the_same_way),
        TEST(a_mistake_in_the_last_element_ends_the_way_at_the_peer),
        TEST(what_stands_before_cannot_change_what_a_trusted_hop_adds),
        TEST(a_way_has_an_end),
        TEST(elements_are_taken_from_the_end_with_all_that_they_say),
        TEST(very_many_elements_are_as_many_hops_at_most),
        TEST(without_memory_nobody_else_is_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
