/* SPDX-License-Identifier: MIT */
#include <torc/endpoint.h>

#include <stdlib.h>
#include <string.h>

#include "check.h"

static torc_endpoint parse(const char *string) {
    torc_endpoint endpoint = {0};
    torc_endpoint_error error = {0};

    if (torc_endpoint_parse(torc_str_of(string), &endpoint, &error))
        fail_msg("%s: %s", string, error.text);
    return endpoint;
}

static void check_addr(const char *string, const char *expected) {
    char text[TORC_ADDR_TEXT_MAX];
    const torc_endpoint endpoint = parse(string);

    assert_int_equal(endpoint.fd, -1);
    assert_string_equal(torc_addr_text(&endpoint.addr, text).bytes, expected);
}

static void tcp_listens_on_all_ipv4_addresses(void **state) {
    const torc_endpoint endpoint = parse("tcp:8080");

    (void)state;
    check_addr("tcp:8080", "0.0.0.0:8080");
    assert_int_equal(endpoint.backlog, 4096);
    assert_false(endpoint.reuse_port);
    check_addr("tcp:0", "0.0.0.0:0");
    check_addr("tcp:65535", "0.0.0.0:65535");
}

static void tcp_has_arguments(void **state) {
    (void)state;
    check_addr("tcp:8080:interface=127.0.0.1", "127.0.0.1:8080");
    check_addr("tcp:8080:interface=localhost:backlog=50", "127.0.0.1:8080");
    check_addr("tcp:8080:127.0.0.1", "127.0.0.1:8080");
    check_addr("tcp:port=8080:interface=127.0.0.1", "127.0.0.1:8080");
    check_addr("tcp:interface=127.0.0.1:port=8080", "127.0.0.1:8080");
    assert_int_equal(parse("tcp:8080:interface=localhost:backlog=50").backlog, 50);
    assert_int_equal(parse("tcp:8080:127.0.0.1:7").backlog, 7);
    assert_int_equal(parse("tcp:8080:deferAccept=5").defer_accept_s, 5);
}

static void tcp6_is_ipv6_alone_unless_told(void **state) {
    (void)state;
    check_addr("tcp6:8080", "[::]:8080");
    assert_true(parse("tcp6:8080").v6only);
    assert_false(parse("tcp6:8080:v6only=0").v6only);
    assert_true(parse("tcp6:8080:v6only=1").v6only);
    check_addr("tcp6:8080:interface=\\:\\:1", "[::1]:8080");
    check_addr("tcp6:8080:interface=[\\:\\:1]", "[::1]:8080");
    check_addr("tcp6:8080:interface=localhost", "[::1]:8080");
}

static void unix_sockets_have_a_path_and_a_mode(void **state) {
    (void)state;
    check_addr("unix:/run/torc.sock", "/run/torc.sock");
    assert_int_equal(parse("unix:/run/torc.sock").unix_mode, 0666);
    assert_int_equal(parse("unix:/run/torc.sock:mode=660").unix_mode, 0660);
    assert_int_equal(parse("unix:/run/torc.sock:600:backlog=9:lockfile=0").unix_mode, 0600);
    assert_int_equal(parse("unix:/run/torc.sock:mode=660:backlog=9").backlog, 9);
    check_addr("unix:@name", "@name");
    assert_int_equal(parse("unix:/x").addr.len, offsetof(struct sockaddr_un, sun_path) + 3);
    assert_int_equal(parse("unix:@x").addr.len, offsetof(struct sockaddr_un, sun_path) + 2);
}

static void descriptors_may_be_inherited(void **state) {
    (void)state;
    assert_int_equal(parse("fd:3").fd, 3);
    assert_int_equal(parse("fd:number=0").fd, 0);
}

static void short_forms_need_no_prefix(void **state) {
    (void)state;
    check_addr("8080", "[::]:8080");
    check_addr(":8080", "[::]:8080");
    assert_false(parse("8080").v6only);
    check_addr("127.0.0.1:8080", "127.0.0.1:8080");
    check_addr("localhost:8080", "127.0.0.1:8080");
    check_addr("[::1]:8080", "[::1]:8080");
    assert_true(parse("[::1]:8080").v6only);
    check_addr("[1:2:3:4:5:6:7:8]:8080", "[1:2:3:4:5:6:7:8]:8080");
}

static const char *text(const torc_endpoint *endpoint, torc_endpoint_text text_) {
    const char *found = torc_endpoint_text_of(&endpoint->texts, text_);
    return found ? found : "(none)";
}

static void localhost_is_two_addresses(void **state) {
    (void)state;
    assert_true(parse("localhost:80").is_localhost);
    assert_false(parse("127.0.0.1:80").is_localhost);
    assert_false(parse("tcp:80:interface=localhost").is_localhost);
}

static void unix_sockets_have_an_owner_and_a_lock(void **state) {
    torc_endpoint endpoint = parse("unix:/x:owner=www-data:group=0");

    (void)state;
    assert_string_equal(text(&endpoint, endpoint.unix_owner), "www-data");
    assert_string_equal(text(&endpoint, endpoint.unix_group), "0");
    assert_int_equal(endpoint.unix_uid, -1); /* found by resolving */
    assert_false(endpoint.is_locked);
    endpoint = parse("unix:/x:lockfile=1");
    assert_true(endpoint.is_locked);
    assert_string_equal(text(&endpoint, endpoint.unix_owner), "(none)");
}

static void tls_is_a_stage_on_tcp(void **state) {
    torc_endpoint endpoint = parse("ssl:443:privateKey=k.pem:certKey=/a\\:b.pem:alpn=h2,http/1.1:"
                                   "minTLS=1.3:clientCA=ca.pem:sni=/etc/certs:profile=strict:"
                                   "extraCertChain=c.pem:interface=127.0.0.1:backlog=9");

    (void)state;
    assert_true(endpoint.has_tls);
    assert_false(endpoint.has_proxy);
    assert_int_equal(endpoint.backlog, 9);
    assert_string_equal(text(&endpoint, endpoint.tls.private_key), "k.pem");
    assert_string_equal(text(&endpoint, endpoint.tls.certificate), "/a:b.pem");
    assert_string_equal(text(&endpoint, endpoint.tls.extra_chain), "c.pem");
    assert_string_equal(text(&endpoint, endpoint.tls.alpn), "h2,http/1.1");
    assert_string_equal(text(&endpoint, endpoint.tls.client_ca), "ca.pem");
    assert_string_equal(text(&endpoint, endpoint.tls.sni), "/etc/certs");
    assert_string_equal(text(&endpoint, endpoint.tls.profile), "strict");
    assert_int_equal(endpoint.tls.min_version, 13);
    assert_int_equal(endpoint.tls.client_auth, TORC_CLIENT_AUTH_REQUIRED);
    check_addr("ssl:443", "0.0.0.0:443");
    check_addr("tls:443:interface=[\\:\\:1]", "[::1]:443");
    assert_false(parse("ssl:443").tls.private_key);
    endpoint = parse("ssl:443:key.pem:cert.pem:TLSv1_2_METHOD:localhost:5");
    assert_string_equal(text(&endpoint, endpoint.tls.certificate), "cert.pem");
    assert_int_equal(endpoint.tls.min_version, 12);
    assert_int_equal(endpoint.backlog, 5);
    assert_int_equal(parse("ssl:443:clientCA=c:clientAuth=optional").tls.client_auth,
                     TORC_CLIENT_AUTH_OPTIONAL);
}

static void stages_stand_on_any_endpoint(void **state) {
    torc_endpoint endpoint = parse("tls:endpoint=unix\\:/run/x.sock\\:mode=660:privateKey=k");

    (void)state;
    assert_true(endpoint.has_tls);
    assert_int_equal(endpoint.unix_mode, 0660);
    check_addr("tls:endpoint=unix\\:/run/x.sock\\:mode=660", "/run/x.sock");
    endpoint = parse("haproxy:tcp:8080:interface=127.0.0.1");
    assert_true(endpoint.has_proxy);
    assert_false(endpoint.has_tls);
    check_addr("haproxy:tcp:8080:interface=127.0.0.1", "127.0.0.1:8080");
    check_addr("haproxy:unix:/a\\:b", "/a:b");
    check_addr("haproxy:8080", "[::]:8080");
    endpoint = parse("haproxy:ssl:443:privateKey=k");
    assert_true(endpoint.has_proxy && endpoint.has_tls);
    endpoint = parse("haproxy:endpoint=tcp\\:80:allow=10.0.0.0/8,unix\\::timeout=2.5");
    assert_string_equal(text(&endpoint, endpoint.proxy.allow), "10.0.0.0/8,unix:");
    assert_int_equal(endpoint.proxy.timeout_ms, 2500);
    endpoint = parse("ssl:endpoint=haproxy\\:systemd\\:name\\=web:privateKey=k");
    assert_true(endpoint.has_proxy && endpoint.has_tls && endpoint.is_systemd);
    assert_string_equal(text(&endpoint, endpoint.systemd_name), "web");
    assert_string_equal(text(&endpoint, endpoint.tls.private_key), "k");
}

static void standard_input_is_one_connection(void **state) {
    (void)state;
    assert_true(parse("stdio:").is_stdio);
    assert_true(parse("stdio").is_stdio);
    assert_true(parse("haproxy:stdio:").is_stdio);
}

/* Twisted: a backslash takes the meaning from any byte behind it. */
static void backslashes_escape(void **state) {
    (void)state;
    check_addr("unix:/a\\:b", "/a:b");
    check_addr("unix:/a\\=b\\\\c", "/a=b\\c");
    check_addr("unix:address=/a=b", "/a=b"); /* the first = alone ends a name */
    check_addr("unix:/a\\bc", "/abc");
    check_addr("unix:\\/run\\/x", "/run/x");
}

static void check_wrong(const char *string, size_t place, const char *word) {
    torc_endpoint endpoint = {.fd = 77};
    torc_endpoint_error error = {0};

    check_err(torc_endpoint_parse(torc_str_of(string), &endpoint, &error), TORC_ERR_SYNTAX);
    check_err(torc_endpoint_parse(torc_str_of(string), &endpoint, NULL), TORC_ERR_SYNTAX);
    assert_int_equal(endpoint.fd, 77); /* written on success only */
    if (!strstr(error.text, word)) fail_msg("%s: %s (no `%s`)", string, error.text, word);
    if (error.place != place) fail_msg("%s: at %zu, not %zu", string, error.place, place);
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    check_wrong("", 0, "missing");
    check_wrong("tcp", 3, "port is missing");
    check_wrong("tcp:", 4, "port is missing");
    check_wrong("tcp6:interface=\\:\\:1", 4, "port is missing");
    check_wrong("tcp:x", 4, "`x`");
    check_wrong("tcp:65536", 4, "65535");
    check_wrong("tcp:-1", 4, "-1");
    check_wrong("tcp:80:interface=nowhere", 7, "IPv4");
    check_wrong("tcp:80:interface=\\:\\:1", 7, "IPv4");
    check_wrong("tcp6:80:interface=127.0.0.1", 8, "IPv6");
    check_wrong("tcp:80:backlog=x", 7, "backlog");
    check_wrong("tcp:80:backlog=65536", 7, "backlog");
    check_wrong("tcp:80:mode=660", 7, "port, interface, backlog");
    check_wrong("tcp:80:v6only=0", 7, "no argument");
    check_wrong("tcp:80:deferAccept=soon", 7, "deferAccept is a number");
    check_wrong("tcp6:80:v6only=2", 8, "v6only");
    check_wrong("tcp:80:127.0.0.1:5:9", 19, "too many");
    check_wrong("tcp:80:port=81", 7, "twice");
    check_wrong("tcp:80:backlog=1:backlog=2", 17, "twice");
    check_wrong("tcp:1:127.0.0.1:3:4:5:6:7:8:9", 18, "too many");
    check_wrong("tcp:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1", 51, "too many");
    check_wrong("tcp:80\\", 6, "escapes");
    check_wrong("unix:", 5, "path is missing");
    check_wrong("unix:mode=660", 4, "path is missing");
    check_wrong("unix:/x:mode=888", 8, "octal");
    check_wrong("unix:/x:mode=00660", 8, "octal");
    check_wrong("unix:/x:mode=", 8, "octal");
    check_wrong("unix:/x:lockfile=yes", 8, "lockfile");
    check_wrong("fd:", 3, "fd:3");
    check_wrong("fd:x", 3, "descriptor");
    check_wrong("sll:443", 0, "one of tcp");
    check_wrong("http", 0, "`http`");
    check_wrong("nowhere:80", 0, "nowhere");
    check_wrong("127.0.0.1:", 10, "no port");
    check_wrong("::1:8080", 0, "brackets");
    check_wrong("[127.0.0.1]:8080", 0, "brackets");
    check_wrong("65536", 0, "`65536`");
}

/* The place is that in the whole string, also of what stands in a nested one. */
static void what_is_wrong_with_a_stage_is_said(void **state) {
    (void)state;
    check_wrong("ssl:x", 4, "`x`");
    check_wrong("ssl:", 3, "ssl:443");
    check_wrong("ssl:443:endpoint=fd\\:3", 3, "ssl:443");
    check_wrong("ssl:endpoint=tcp\\:x", 18, "`x`");
    check_wrong("ssl:privateKey=k:endpoint=unix\\:/a\\:mode\\=9", 36, "octal");
    check_wrong("ssl:endpoint=fd\\:3:backlog=5", 4, "into the endpoint");
    check_wrong("ssl:endpoint=", 3, "ssl:443");
    check_wrong("ssl:443:sslmethod=SSLv3_METHOD", 8, "TLS 1.2");
    check_wrong("ssl:443:dhParameters=dh.pem", 8, "elliptic");
    check_wrong("ssl:443:minTLS=1.1", 8, "1.2 or 1.3");
    check_wrong("ssl:443:profile=weak", 8, "modern");
    check_wrong("ssl:443:clientAuth=required", 8, "clientCA");
    check_wrong("ssl:443:clientCA=c:clientAuth=maybe", 19, "optional");
    check_wrong("ssl:443:certKey=c.pem", 8, "privateKey");
    check_wrong("ssl:443:privateKey=", 8, "empty");
    check_wrong("ssl:443:interface=nowhere", 8, "IPv4 or IPv6");
    check_wrong("ssl:443:nothing=1", 8, "clientAuth");
    check_wrong("ssl:endpoint=tls\\:443", 13, "twice");
    check_wrong("haproxy:", 7, "haproxy:tcp:8080");
    check_wrong("haproxy", 7, "haproxy:tcp:8080");
    check_wrong("haproxy:tcp:x", 12, "`x`");
    check_wrong("haproxy:haproxy:tcp:80", 8, "twice");
    check_wrong("haproxy:ssl:443:minTLS=2", 16, "minTLS");
    check_wrong("haproxy:endpoint=tcp\\:80:allow=10.0.0.1/8", 25, "10.0.0.1/8");
    check_wrong("haproxy:endpoint=tcp\\:80:timeout=x", 25, "seconds");
    check_wrong("haproxy:timeout=5", 7, "haproxy:tcp:8080");
    check_wrong("haproxy:endpoint=haproxy\\:80", 17, "twice");
    check_wrong("ssl:endpoint=haproxy\\:unix\\:", 28, "path is missing");
    check_wrong("stdio:1", 6, "too many");
    check_wrong("unix:@x:owner=root", 5, "abstract");
    check_wrong("unix:@", 5, "abstract");
}

static void paths_have_a_maximum(void **state) {
    char string[200] = "unix:";
    torc_endpoint endpoint;

    (void)state;
    memset(string + 5, 'x', 107);
    check_ok(torc_endpoint_parse(torc_str_of(string), &endpoint, NULL));
    string[5 + 107] = 'x';
    check_wrong(string, 5, "107");
}

static void strings_have_a_maximum(void **state) {
    char string[1100];
    torc_endpoint endpoint;

    (void)state;
    memset(string, 'x', sizeof(string));
    memcpy(string, "unix:", 5);
    check_err(torc_endpoint_parse(torc_str_make(string, sizeof(string)), &endpoint, NULL),
              TORC_ERR_SYNTAX);
    check_err(torc_endpoint_parse(torc_str_make(string, 1023), &endpoint, NULL), TORC_ERR_SYNTAX);
    check_err(torc_endpoint_parse(TORC_STR("unix:/a\0b"), &endpoint, NULL), TORC_ERR_SYNTAX);
    check_err(torc_endpoint_parse(TORC_STR("unix:/a\\\0b"), &endpoint, NULL), TORC_ERR_SYNTAX);
}

/* Whatever it is, an answer or a place in the string. */
static void every_prefix_has_an_answer(void **state) {
    static const char *const strings[] = {"tcp6:8080:interface=\\:\\:1:backlog=5:v6only=0",
                                          "unix:/a\\:b:mode=660", "[::1]:8080",
                                          "ssl:endpoint=haproxy\\:unix\\:/a\\\\\\:b:privateKey=k",
                                          "haproxy:endpoint=tcp\\:80:allow=10.0.0.0/8:timeout=5"};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(strings); i++)
        for (size_t len = 0; len <= strlen(strings[i]); len++) {
            torc_endpoint endpoint;
            torc_endpoint_error error = {.place = SIZE_MAX};
            char *copy = malloc(len + 1); /* of its size, for the address sanitizer */
            memcpy(copy, strings[i], len);
            if (torc_endpoint_parse(torc_str_make(copy, len), &endpoint, &error)) {
                assert_true(error.place <= len);
                assert_true(strlen(error.text) > 10);
            }
            free(copy);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_listens_on_all_ipv4_addresses),
        cmocka_unit_test(tcp_has_arguments),
        cmocka_unit_test(tcp6_is_ipv6_alone_unless_told),
        cmocka_unit_test(unix_sockets_have_a_path_and_a_mode),
        cmocka_unit_test(descriptors_may_be_inherited),
        cmocka_unit_test(short_forms_need_no_prefix),
        cmocka_unit_test(backslashes_escape),
        cmocka_unit_test(localhost_is_two_addresses),
        cmocka_unit_test(unix_sockets_have_an_owner_and_a_lock),
        cmocka_unit_test(tls_is_a_stage_on_tcp),
        cmocka_unit_test(stages_stand_on_any_endpoint),
        cmocka_unit_test(standard_input_is_one_connection),
        cmocka_unit_test(what_is_wrong_with_a_stage_is_said),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(paths_have_a_maximum),
        cmocka_unit_test(strings_have_a_maximum),
        cmocka_unit_test(every_prefix_has_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
