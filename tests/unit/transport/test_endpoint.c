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
    check_wrong("tcp6:80:v6only=2", 8, "v6only");
    check_wrong("tcp:80:127.0.0.1:5:9", 19, "too many");
    check_wrong("tcp:80:port=81", 7, "twice");
    check_wrong("tcp:80:backlog=1:backlog=2", 17, "twice");
    check_wrong("tcp:1:2:3:4:5:6:7:8:9", 17, "too many");
    check_wrong("tcp:80\\", 6, "escapes");
    check_wrong("unix:", 5, "path is missing");
    check_wrong("unix:mode=660", 4, "path is missing");
    check_wrong("unix:/x:mode=888", 8, "octal");
    check_wrong("unix:/x:mode=00660", 8, "octal");
    check_wrong("unix:/x:mode=", 8, "octal");
    check_wrong("unix:/x:lockfile=yes", 8, "lockfile");
    check_wrong("fd:", 3, "fd:3");
    check_wrong("fd:x", 3, "descriptor");
    check_wrong("ssl:443", 0, "one of tcp");
    check_wrong("http", 0, "`http`");
    check_wrong("nowhere:80", 0, "nowhere");
    check_wrong("127.0.0.1:", 10, "no port");
    check_wrong("::1:8080", 0, "brackets");
    check_wrong("[127.0.0.1]:8080", 0, "brackets");
    check_wrong("65536", 0, "`65536`");
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
    char string[600];
    torc_endpoint endpoint;

    (void)state;
    memset(string, 'x', sizeof(string));
    memcpy(string, "unix:", 5);
    check_err(torc_endpoint_parse(torc_str_make(string, sizeof(string)), &endpoint, NULL),
              TORC_ERR_SYNTAX);
    check_err(torc_endpoint_parse(torc_str_make(string, 511), &endpoint, NULL), TORC_ERR_SYNTAX);
    check_err(torc_endpoint_parse(TORC_STR("unix:/a\0b"), &endpoint, NULL), TORC_ERR_SYNTAX);
    check_err(torc_endpoint_parse(TORC_STR("unix:/a\\\0b"), &endpoint, NULL), TORC_ERR_SYNTAX);
}

/* Whatever it is, an answer or a place in the string. */
static void every_prefix_has_an_answer(void **state) {
    static const char *const strings[] = {"tcp6:8080:interface=\\:\\:1:backlog=5:v6only=0",
                                          "unix:/a\\:b:mode=660", "[::1]:8080"};

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
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(paths_have_a_maximum),
        cmocka_unit_test(strings_have_a_maximum),
        cmocka_unit_test(every_prefix_has_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
