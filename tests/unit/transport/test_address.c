/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <torc/addr.h>
#include <unistd.h>

#include <stdlib.h>
#include <string.h>

#include "check.h"

static torc_addr parse(const char *host, uint16_t port) {
    torc_addr addr = {0};

    check_ok(torc_addr_parse(torc_str_of(host), port, &addr));
    return addr;
}

static void addresses_are_read(void **state) {
    char text[TORC_ADDR_TEXT_MAX];
    const torc_addr v4 = parse("192.0.2.1", 80), v6 = parse("2001:db8::1", 8080);

    (void)state;
    assert_int_equal(torc_addr_family(&v4), AF_INET);
    assert_int_equal(torc_addr_port(&v4), 80);
    check_str(torc_addr_host_text(&v4, text), "192.0.2.1");
    check_str(torc_addr_text(&v4, text), "192.0.2.1:80");
    assert_int_equal(text[12], '\0');
    assert_int_equal(torc_addr_family(&v6), AF_INET6);
    assert_int_equal(torc_addr_port(&v6), 8080);
    check_str(torc_addr_host_text(&v6, text), "2001:db8::1");
    check_str(torc_addr_text(&v6, text), "[2001:db8::1]:8080");
}

static void what_is_no_address_is_refused(void **state) {
    static const char *const wrong[] = {
        "",
        "localhost",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1:80",
        "[::1]",
        "::g",
        "1.2.3.4.5",
        " 192.0.2.1",
        "2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001",
    };
    torc_addr addr = {.len = 77};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(wrong); i++)
        check_err(torc_addr_parse(torc_str_of(wrong[i]), 1, &addr), TORC_ERR_SYNTAX);
    check_err(torc_addr_parse(TORC_STR("127.0.0.1\0x"), 1, &addr), TORC_ERR_SYNTAX);
    assert_int_equal(addr.len, 77); /* written on success only */
}

static void the_longest_text_fits(void **state) {
    char text[TORC_ADDR_TEXT_MAX];
    const torc_addr v6 = parse("1111:2222:3333:4444:5555:6666:7777:8888", 65535);

    (void)state;
    check_str(torc_addr_text(&v6, text), "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
}

static void a_mapped_address_reads_as_ipv4(void **state) {
    char text[TORC_ADDR_TEXT_MAX];
    const torc_addr mapped = parse("::ffff:192.0.2.1", 80);

    (void)state;
    check_str(torc_addr_host_text(&mapped, text), "192.0.2.1");
    check_str(torc_addr_text(&mapped, text), "192.0.2.1:80");
}

static void no_address_is_empty(void **state) {
    char text[TORC_ADDR_TEXT_MAX];
    const torc_addr none = {0};

    (void)state;
    assert_int_equal(torc_addr_family(&none), AF_UNSPEC);
    assert_int_equal(torc_addr_port(&none), 0);
    check_str(torc_addr_host_text(&none, text), "");
    check_str(torc_addr_text(&none, text), "");
}

static torc_addr unix_addr(torc_str path, size_t behind) {
    torc_addr addr = {.len =
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + behind)};

    addr.as.un.sun_family = AF_UNIX;
    memcpy(addr.as.un.sun_path, path.bytes, path.len);
    return addr;
}

static void unix_addresses_are_their_paths(void **state) {
    char text[TORC_ADDR_TEXT_MAX];
    char longest[sizeof(((struct sockaddr_un *)0)->sun_path)];
    torc_addr addr = unix_addr(TORC_STR("/run/torc.sock"), 1);

    (void)state;
    assert_int_equal(torc_addr_family(&addr), AF_UNIX);
    assert_int_equal(torc_addr_port(&addr), 0);
    check_str(torc_addr_text(&addr, text), "/run/torc.sock");
    addr = unix_addr(TORC_STR("\0name"), 0);
    check_str(torc_addr_host_text(&addr, text), "@name");
    addr = unix_addr(TORC_STR(""), 0); /* as of a peer that was not bound */
    check_str(torc_addr_host_text(&addr, text), "");
    memset(longest, 'x', sizeof(longest));
    addr = unix_addr(torc_str_make(longest, sizeof(longest)), 0); /* without a NUL */
    assert_int_equal(torc_addr_host_text(&addr, text).len, sizeof(longest));
}

static void scopes_are_numbers_or_interfaces(void **state) {
    torc_addr addr = parse("fe80::1%7", 80), lo = parse("fe80::1%lo", 80);
    char text[TORC_ADDR_TEXT_MAX];

    (void)state;
    assert_int_equal(addr.as.in6.sin6_scope_id, 7);
    check_str(torc_addr_text(&addr, text), "[fe80::1%7]:80");
    check_str(torc_addr_host_text(&addr, text), "fe80::1%7");
    assert_int_equal(lo.as.in6.sin6_scope_id, 1); /* the loopback is the first */
    check_err(torc_addr_parse(TORC_STR("fe80::1%"), 0, &addr), TORC_ERR_SYNTAX);
    check_err(torc_addr_parse(TORC_STR("fe80::1%0"), 0, &addr), TORC_ERR_SYNTAX);
    check_err(torc_addr_parse(TORC_STR("fe80::1%no-such-interface"), 0, &addr), TORC_ERR_SYNTAX);
    check_err(torc_addr_parse(TORC_STR("127.0.0.1%1"), 0, &addr), TORC_ERR_SYNTAX);
}

/* What is written is read as the same. */
static void texts_are_read_back(void **state) {
    static const char *const texts[] = {"192.0.2.1:80", "[2001:db8::1]:443", "[fe80::1%3]:1",
                                        "/run/x.sock", "@name"};
    static const char *const wrong[] = {"",      "192.0.2.1", "192.0.2.1:", "2001:db8::1:80",
                                        "[::1]", "[::1:80",   "[]:80",      "[192.0.2.1]:80",
                                        ":80",   "x:80",      "@",          "192.0.2.1:65536"};
    char text[TORC_ADDR_TEXT_MAX];
    torc_addr addr = {0};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(texts); i++) {
        check_ok(torc_addr_parse_text(torc_str_of(texts[i]), &addr));
        assert_string_equal(torc_addr_text(&addr, text).bytes, texts[i]);
    }
    for (size_t i = 0; i < TORC_COUNT_OF(wrong); i++)
        if (torc_addr_parse_text(torc_str_of(wrong[i]), &addr) != TORC_ERR_SYNTAX)
            fail_msg("`%s` was read", wrong[i]);
    assert_string_equal(torc_addr_text(&addr, text).bytes, "@name");
}

static void paths_become_addresses(void **state) {
    char longest[109];
    torc_addr addr;

    (void)state;
    memset(longest, 'x', sizeof(longest));
    check_ok(torc_addr_parse_unix(torc_str_make(longest, 107), &addr));
    check_err(torc_addr_parse_unix(torc_str_make(longest, 108), &addr), TORC_ERR_LIMIT);
    check_err(torc_addr_parse_unix(TORC_STR(""), &addr), TORC_ERR_SYNTAX);
    check_err(torc_addr_parse_unix(TORC_STR("@"), &addr), TORC_ERR_SYNTAX);
    check_err(torc_addr_parse_unix(TORC_STR("/a\0b"), &addr), TORC_ERR_SYNTAX);
    check_ok(torc_addr_parse_unix(TORC_STR("@x"), &addr));
    assert_int_equal(addr.len, offsetof(struct sockaddr_un, sun_path) + 2);
    assert_int_equal(addr.as.un.sun_path[0], '\0');
}

static void addresses_are_compared(void **state) {
    const torc_addr a = parse("192.0.2.1", 80), same = parse("192.0.2.1", 80);
    const torc_addr port = parse("192.0.2.1", 81), host = parse("192.0.2.2", 80), none = {0};
    const torc_addr v6 = parse("2001:db8::1", 80), same6 = parse("2001:db8::1", 80),
                    host6 = parse("2001:db8::2", 80);
    torc_addr scoped = v6;

    (void)state;
    scoped.as.in6.sin6_scope_id = 2;
    assert_true(torc_addr_equals(&a, &same));
    assert_false(torc_addr_equals(&a, &port));
    assert_false(torc_addr_equals(&a, &host));
    assert_false(torc_addr_equals(&a, &none));
    assert_false(torc_addr_equals(&a, &v6));
    assert_true(torc_addr_equals(&none, &none));
    assert_true(torc_addr_equals(&v6, &same6));
    assert_false(torc_addr_equals(&v6, &host6));
    assert_false(torc_addr_equals(&v6, &scoped));
    const torc_addr path = unix_addr(TORC_STR("/a"), 1), path2 = unix_addr(TORC_STR("/a"), 1),
                    path3 = unix_addr(TORC_STR("/b"), 1);
    assert_true(torc_addr_equals(&path, &path2));
    assert_false(torc_addr_equals(&path, &path3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(the_longest_text_fits),
        cmocka_unit_test(a_mapped_address_reads_as_ipv4),
        cmocka_unit_test(no_address_is_empty),
        cmocka_unit_test(unix_addresses_are_their_paths),
        cmocka_unit_test(addresses_are_compared),
        cmocka_unit_test(scopes_are_numbers_or_interfaces),
        cmocka_unit_test(texts_are_read_back),
        cmocka_unit_test(paths_become_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
