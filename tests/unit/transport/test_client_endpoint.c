/* SPDX-License-Identifier: MIT */
#include <torc/connect.h>

#include <stdlib.h>
#include <string.h>

#include "check.h"

static torc_client_endpoint parse(const char *string) {
    torc_client_endpoint endpoint = {0};
    torc_endpoint_error error = {0};

    if (torc_client_endpoint_parse(torc_str_of(string), &endpoint, &error))
        fail_msg("%s: %s", string, error.text);
    return endpoint;
}

static const char *text(const torc_client_endpoint *endpoint, torc_endpoint_text text_) {
    const char *found = torc_endpoint_text_of(&endpoint->texts, text_);
    return found ? found : "(none)";
}

static void check_addr(const char *string, const char *expected) {
    char addr[TORC_ADDR_TEXT_MAX];
    const torc_client_endpoint endpoint = parse(string);

    assert_string_equal(torc_addr_text(&endpoint.addr, addr).bytes, expected);
}

static void tcp_has_a_host_and_a_port(void **state) {
    torc_client_endpoint endpoint = parse("tcp:example.org:80");

    (void)state;
    assert_string_equal(text(&endpoint, endpoint.host), "example.org");
    assert_int_equal(endpoint.port, 80);
    assert_int_equal(endpoint.addr.len, 0); /* nothing was looked up */
    assert_int_equal(endpoint.timeout_ms, 30000);
    assert_int_equal(endpoint.attempt_delay_ms, 250);
    assert_int_equal(endpoint.local.len, 0);
    assert_false(endpoint.has_tls || endpoint.has_proxy);
    endpoint = parse("tcp:host=example.org:port=80:timeout=0.5:bindAddress=192.0.2.7");
    assert_int_equal(endpoint.timeout_ms, 500);
    assert_int_equal(torc_addr_family(&endpoint.local), AF_INET);
    endpoint = parse("tcp:x:80:7:[\\:\\:1]:attemptDelay=0.3");
    assert_int_equal(endpoint.timeout_ms, 7000);
    assert_int_equal(endpoint.attempt_delay_ms, 300);
    assert_int_equal(torc_addr_family(&endpoint.local), AF_INET6);
}

static void short_names(void **state) {
    torc_client_endpoint endpoint = parse("example.org:80");

    (void)state;
    assert_string_equal(text(&endpoint, endpoint.host), "example.org");
    assert_int_equal(endpoint.port, 80);
    check_addr("192.0.2.1:80", "192.0.2.1:80");
    check_addr("[2001:db8::1]:443", "[2001:db8::1]:443");
}

static void hosts_may_be_numeric(void **state) {
    torc_client_endpoint endpoint = parse("tcp:[\\:\\:1]:80");

    (void)state;
    assert_string_equal(text(&endpoint, endpoint.host), "::1");
    check_addr("tcp:192.0.2.1:80", "192.0.2.1:80");
    check_addr("tcp:\\:\\:1:80", "[::1]:80");
}

static void unix_sockets_have_a_path(void **state) {
    (void)state;
    check_addr("unix:/run/x.sock", "/run/x.sock");
    check_addr("unix:path=/run/x.sock:timeout=2:lockfile=1", "/run/x.sock");
    check_addr("unix:address=@name", "@name");
    assert_int_equal(parse("unix:/x:1:2").timeout_ms, 2000);
    assert_int_equal(parse("unix:/x").host, 0);
}

static void tls_verifies_the_host(void **state) {
    torc_client_endpoint endpoint =
        parse("tls:example.org:443:trustRoots=/ca:certificate=c.pem:privateKey=k.pem:alpn=h2:"
              "minTLS=1.3:pin=sha256//x\\=:timeout=3");

    (void)state;
    assert_true(endpoint.has_tls);
    assert_false(endpoint.tls.is_unverified);
    assert_string_equal(text(&endpoint, endpoint.tls.host_name), "example.org");
    assert_string_equal(text(&endpoint, endpoint.tls.trust_roots), "/ca");
    assert_string_equal(text(&endpoint, endpoint.tls.certificate), "c.pem");
    assert_string_equal(text(&endpoint, endpoint.tls.private_key), "k.pem");
    assert_string_equal(text(&endpoint, endpoint.tls.alpn), "h2");
    assert_string_equal(text(&endpoint, endpoint.tls.pin), "sha256//x=");
    assert_int_equal(endpoint.tls.min_version, 13);
    assert_int_equal(endpoint.timeout_ms, 3000);
    endpoint = parse("ssl:192.0.2.1:443:both.pem:hostname=x.org:caCertsDir=/ca");
    assert_true(endpoint.has_tls);
    assert_string_equal(text(&endpoint, endpoint.tls.host_name), "x.org");
    assert_string_equal(text(&endpoint, endpoint.tls.private_key), "both.pem");
    assert_string_equal(text(&endpoint, endpoint.tls.certificate), "both.pem");
    assert_string_equal(text(&endpoint, endpoint.tls.trust_roots), "/ca");
    assert_true(parse("tls:x:1:verify=0").tls.is_unverified);
    endpoint = parse("tls:[\\:\\:1]:443");
    assert_string_equal(text(&endpoint, endpoint.tls.host_name), "::1");
}

static void stages_stand_on_any_endpoint(void **state) {
    torc_client_endpoint endpoint =
        parse("tls:example.org:443:endpoint=tcp\\:127.0.0.1\\:8443\\:timeout\\=9");

    (void)state;
    assert_string_equal(text(&endpoint, endpoint.tls.host_name), "example.org");
    assert_int_equal(endpoint.port, 8443);
    assert_int_equal(endpoint.timeout_ms, 9000);
    endpoint = parse("tls:host=example.org:endpoint=unix\\:/x:timeout=1");
    assert_int_equal(torc_addr_family(&endpoint.addr), AF_UNIX);
    assert_int_equal(endpoint.timeout_ms, 1000);
    endpoint = parse("haproxy:tcp:x.org:80");
    assert_true(endpoint.has_proxy);
    assert_int_equal(endpoint.proxy.version, 2);
    assert_string_equal(text(&endpoint, endpoint.host), "x.org");
    endpoint = parse("haproxy:endpoint=tls\\:x.org\\:443:version=1");
    assert_true(endpoint.has_proxy && endpoint.has_tls);
    assert_int_equal(endpoint.proxy.version, 1);
}

static void check_wrong(const char *string, size_t place, const char *word) {
    torc_client_endpoint endpoint = {.port = 77};
    torc_endpoint_error error = {0};

    check_err(torc_client_endpoint_parse(torc_str_of(string), &endpoint, &error), TORC_ERR_SYNTAX);
    check_err(torc_client_endpoint_parse(torc_str_of(string), &endpoint, NULL), TORC_ERR_SYNTAX);
    assert_int_equal(endpoint.port, 77); /* written on success only */
    if (!strstr(error.text, word)) fail_msg("%s: %s (no `%s`)", string, error.text, word);
    if (error.place != place) fail_msg("%s: at %zu, not %zu", string, error.place, place);
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    check_wrong("", 0, "missing");
    check_wrong("tcp", 3, "host is missing");
    check_wrong("tcp:x", 3, "tcp:x:443");
    check_wrong("tcp:x:", 6, "port is missing");
    check_wrong("tcp:x:y", 6, "`y`");
    check_wrong("tcp:x:0", 6, "port 0");
    check_wrong("tcp:a/b:80", 4, "no name");
    check_wrong("tcp:a b:80", 4, "no name");
    check_wrong("tcp:x:80:timeout=soon", 9, "seconds");
    check_wrong("tcp:x:80:timeout=1.2345", 9, "seconds");
    check_wrong("tcp:x:80:timeout=1.", 9, "seconds");
    check_wrong("tcp:x:80:timeout=-1", 9, "seconds");
    check_wrong("tcp:x:80:bindAddress=eth0", 9, "numeric");
    check_wrong("tcp:x:80:1:\\:\\:1:5", 17, "too many");
    check_wrong("tcp:x:80:mode=1", 9, "bindAddress");
    check_wrong("unix:", 4, "path is missing");
    check_wrong("unix:/x:address=/y", 4, "path is missing");
    check_wrong("tls:x", 3, "tls:x:443");
    check_wrong("tls::443", 4, "no name");
    check_wrong("tls:endpoint=unix\\:/x", 3, "who the certificate is for");
    check_wrong("tls:x:443:endpoint=tcp\\:y\\:z", 27, "`z`");
    check_wrong("tls:x:443:endpoint=tls\\:y\\:4", 19, "twice");
    check_wrong("tls:x:443:certificate=a:certKey=b", 24, "certificate");
    check_wrong("tls:x:443:trustRoots=a:verify=0", 23, "verify=0");
    check_wrong("tls:host=x:endpoint=unix\\:/x:bindAddress=127.0.0.1", 29, "into the endpoint");
    check_wrong("ssl:x:443:sslmethod=SSLv2_METHOD", 10, "TLS 1.2");
    check_wrong("haproxy:", 7, "haproxy:tcp");
    check_wrong("haproxy:haproxy:x:1", 8, "twice");
    check_wrong("haproxy:endpoint=x\\:1:version=3", 22, "version");
    check_wrong("haproxy:endpoint=x\\:1:version=0", 22, "1 or 2");
    check_wrong("systemd:name=x", 8, "no port");
    check_wrong("8080", 0, "no host");
    check_wrong("::1:80", 0, "brackets");
    check_wrong("x:0", 2, "port 0");
}

/* Whatever it is, an answer or a place in the string. */
static void every_prefix_has_an_answer(void **state) {
    static const char *const strings[] = {
        "tcp:example.org:80:timeout=5:bindAddress=\\:\\:1", "[::1]:8080",
        "tls:x:443:endpoint=haproxy\\:unix\\:/a\\\\\\:b:privateKey=k:verify=0"};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(strings); i++)
        for (size_t len = 0; len <= strlen(strings[i]); len++) {
            torc_client_endpoint endpoint;
            torc_endpoint_error error = {.place = SIZE_MAX};
            char *copy = malloc(len + 1); /* of its size, for the address sanitizer */
            memcpy(copy, strings[i], len);
            if (torc_client_endpoint_parse(torc_str_make(copy, len), &endpoint, &error)) {
                assert_true(error.place <= len);
                assert_true(strlen(error.text) > 10);
            }
            free(copy);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_has_a_host_and_a_port),
        cmocka_unit_test(short_names),
        cmocka_unit_test(hosts_may_be_numeric),
        cmocka_unit_test(unix_sockets_have_a_path),
        cmocka_unit_test(tls_verifies_the_host),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(stages_stand_on_any_endpoint),
        cmocka_unit_test(every_prefix_has_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
