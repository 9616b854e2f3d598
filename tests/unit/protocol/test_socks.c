/* SPDX-License-Identifier: MIT */
/*
 * A SOCKS server over connections in memory: what it understands, what it refuses and how, and that
 * nothing is left. Connections that it makes are in tests/system/test_examples.py.
 */
#include <stdio.h>
#include <torc/socks.h>
#include <torc/testing.h>
#include <torc/testing_names.h>
#include <torc/testing_transport.h>

#include "check.h"
#include "reactor/reactor.h"

#define BYTES(literal) torc_str_make(literal, sizeof(literal) - 1)

static torc_reactor *reactor;
static torc_socks *socks;
static torc_test_connection *client;
static torc_test_names *names;

static bool check_password(void *context, torc_str user, torc_str password) {
    assert_ptr_equal(context, &reactor);
    return torc_str_equals(user, TORC_STR("joe")) && torc_str_equals(password, TORC_STR("pw"));
}

/* Nobody is let go to 192.0.2.0/24, anybody to ports from 1 to 9 elsewhere. */
static void make(bool asks_passwords) {
    torc_socks_rule rules[2] = {{.is_denied = true}, {.port_first = 1, .port_last = 9}};
    const torc_socks_options options = {
        .size = sizeof(options),
        .rules = rules,
        .rule_count = 2,
        .check_password = asks_passwords ? check_password : NULL,
        .context = &reactor,
    };

    check_ok(torc_cidr_parse(TORC_STR("192.0.2.0/24"), &rules[0].to));
    check_ok(torc_socks_new(reactor, &options, &socks));
}

static int set_up(void **state) {
    (void)state;
    client = NULL;
    check_ok(torc_test_reactor_new(NULL, &reactor));
    check_ok(torc_test_names_new(reactor, &names));
    make(false);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_test_connection_free(client);
    assert_int_equal(torc_socks_connections(socks), 0);
    torc_socks_free(socks);
    torc_reactor_free(reactor);
    return 0;
}

static void say(torc_str bytes, size_t pieces) {
    torc_test_connection_free(client);
    client = torc_test_connection_new(reactor, torc_socks_factory(socks));
    assert_non_null(client);
    torc_test_connection_set_pieces(client, pieces);
    torc_test_connection_send(client, bytes);
    torc_test_settle(reactor);
}

static void check_said(torc_str expected) {
    const torc_str said = torc_test_connection_written(client);

    if (!torc_str_equals(said, expected))
        fail_msg("%zu bytes said, %zu expected, the second is %d", said.len, expected.len,
                 said.len > 1 ? said.bytes[1] : -1);
}

/* However it is cut, it is answered so, and then closed. */
static void refused(torc_str bytes, torc_str answer) {
    for (size_t pieces = 0; pieces < 3; pieces++) {
        say(bytes, pieces);
        check_said(answer);
        assert_true(torc_test_connection_is_over(client));
        check_err(torc_test_connection_reason(client), TORC_ERR_CLOSED);
    }
}

static void dropped(torc_str bytes) {
    for (size_t pieces = 0; pieces < 3; pieces++) {
        say(bytes, pieces);
        assert_true(torc_test_connection_was_reset(client));
        check_err(torc_test_connection_reason(client), TORC_ERR_PEER);
    }
}

static void rules_decide(void **state) {
    (void)state;
    /* Version 4 and 5, to where a rule denies, and to where none allows. */
    refused(BYTES("\4\1\0\5\xc0\0\2\1user\0"), BYTES("\0\x5b\0\0\0\0\0\0"));
    refused(BYTES("\4\1\0\x50\x7f\0\0\1user\0"), BYTES("\0\x5b\0\0\0\0\0\0"));
    refused(BYTES("\5\1\0\5\1\0\1\xc0\0\2\1\0\5"), BYTES("\5\0\5\2\0\1\0\0\0\0\0\0"));
    refused(BYTES("\5\2\5\0\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x50"),
            BYTES("\5\0\5\2\0\1\0\0\0\0\0\0"));
    refused(BYTES("\5\1\0\5\2\0\1\xc0\0\2\1\0\5"), BYTES("\5\0\5\2\0\1\0\0\0\0\0\0"));
}

/* An address of zeros would be this machine, past what rules say of that. */
static void nobody_is_connected_to_no_address(void **state) {
    const torc_str refusal = BYTES("\5\0\5\2\0\1\0\0\0\0\0\0");

    (void)state;
    refused(BYTES("\4\1\0\5\0\0\0\0user\0"), BYTES("\0\x5b\0\0\0\0\0\0"));
    refused(BYTES("\5\1\0\5\1\0\1\0\0\0\0\0\5"), refusal);
    refused(BYTES("\5\1\0\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5"), refusal);
    refused(BYTES("\5\1\0\5\1\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\0\0\5"), refusal);
    check_ok(torc_test_names_set(names, "zero.test", "0.0.0.0 ::"));
    refused(BYTES("\5\1\0\5\1\0\3\x09zero.test\0\5"), refusal);
}

/* A name leads where its addresses lead, and no further. */
static void names_are_held_to_the_rules(void **state) {
    (void)state;
    check_ok(torc_test_names_set(names, "inner.test", "192.0.2.7 192.0.2.8"));
    refused(BYTES("\5\1\0\5\1\0\3\x0ainner.test\0\5"), BYTES("\5\0\5\2\0\1\0\0\0\0\0\0"));
    refused(BYTES("\4\1\0\5\0\0\0\1\0inner.test\0"), BYTES("\0\x5b\0\0\0\0\0\0"));
    refused(BYTES("\5\1\0\5\1\0\3\x0cnowhere.test\0\5"), BYTES("\5\0\5\4\0\1\0\0\0\0\0\0"));
    refused(BYTES("\5\1\0\5\1\0\3\0\0\5"), BYTES("\5\0\5\1\0\1\0\0\0\0\0\0"));
    refused(BYTES("\5\1\0\5\1\0\3\3a\0b\0\5"), BYTES("\5\0\5\1\0\1\0\0\0\0\0\0"));
    refused(BYTES("\5\1\0\5\2\0\3\x0ainner.test\0\5"), BYTES("\5\0\5\2\0\1\0\0\0\0\0\0"));
}

static void what_is_not_understood_is_refused(void **state) {
    static char long_user[400] = "\4\1\0\5\x7f\0\0\1";

    (void)state;
    dropped(BYTES("\3"));
    dropped(BYTES("GET / HTTP/1.1"));
    dropped(BYTES("\5\0"));
    dropped(BYTES("\5\1\0\4\1\0\1"));
    dropped(BYTES("\5\1\0\5\1\1\1"));
    refused(BYTES("\5\1\2"), BYTES("\5\xff"));
    refused(BYTES("\5\1\0\5\3\0\1\x7f\0\0\1\0\5"), BYTES("\5\0\5\7\0\1\0\0\0\0\0\0"));
    refused(BYTES("\5\1\0\5\1\0\2"), BYTES("\5\0\5\x08\0\1\0\0\0\0\0\0"));
    refused(BYTES("\4\3\0\5\x7f\0\0\1"), BYTES("\0\x5b\0\0\0\0\0\0"));
    memset(long_user + 8, 'x', sizeof(long_user) - 8);
    dropped(torc_str_make(long_user, sizeof(long_user)));
}

static void passwords_are_asked_for(void **state) {
    (void)state;
    torc_socks_free(socks);
    make(true);
    refused(BYTES("\5\1\0"), BYTES("\5\xff"));
    refused(BYTES("\5\2\0\2\1\3joe\2pw\5\1\0\1\xc0\0\2\1\0\5"),
            BYTES("\5\2\1\0\5\2\0\1\0\0\0\0\0\0"));
    refused(BYTES("\5\1\2\1\3joe\3pwd"), BYTES("\5\2\1\1"));
    refused(BYTES("\5\1\2\1\0\0"), BYTES("\5\2\1\1"));
    dropped(BYTES("\5\1\2\2\3joe\2pw"));
    refused(BYTES("\4\1\0\5\x7f\0\0\1user\0"), BYTES("\0\x5b\0\0\0\0\0\0"));
}

static void a_request_has_to_come_in_time(void **state) {
    (void)state;
    say(BYTES("\5\1"), 0);
    torc_test_advance(reactor, 9999);
    assert_false(torc_test_connection_is_over(client));
    torc_test_advance(reactor, 1);
    check_err(torc_test_connection_reason(client), TORC_ERR_TIMEOUT);
}

static void a_client_may_go_at_any_time(void **state) {
    static const torc_str whole = TORC_STR_INIT("\5\1\0\5\1\0\3\x0ainner.test\0\5");

    (void)state;
    torc_test_names_hold(names, true);
    for (size_t len = 0; len <= whole.len; len++) {
        say(torc_str_head(whole, len), 0);
        torc_test_connection_reset(client);
        torc_test_settle(reactor);
        assert_int_equal(torc_socks_connections(socks), 0);
    }
    torc_test_names_hold(names, false);
    torc_test_settle(reactor);
}

static void a_freed_server_goes_with_its_last_connection(void **state) {
    (void)state;
    say(BYTES("\5\1\0"), 0);
    torc_socks_free(socks);
    check_said(BYTES("\5\0"));
    torc_test_connection_free(client);
    client = NULL;
    make(false);
}

static void every_allocation_may_fail(void **state) {
    bool has_failed = true;

    (void)state;
    check_ok(torc_test_names_set(names, "inner.test", "192.0.2.7 192.0.2.8"));
    for (uint64_t n = 1; has_failed; n++) {
        assert_true(n < 200);
        torc_test_connection_free(client);
        client = torc_test_connection_new(reactor, torc_socks_factory(socks));
        torc_test_connection_set_pieces(client, 3);
        torc_test_fail_allocation(reactor, n);
        torc_test_connection_send(client, BYTES("\5\1\0\5\1\0\3\x0ainner.test\0\5"));
        torc_test_settle(reactor);
        has_failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        if (!has_failed) check_said(BYTES("\5\0\5\2\0\1\0\0\0\0\0\0"));
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(rules_decide),
        CASE(nobody_is_connected_to_no_address),
        CASE(names_are_held_to_the_rules),
        CASE(what_is_not_understood_is_refused),
        CASE(passwords_are_asked_for),
        CASE(a_request_has_to_come_in_time),
        CASE(a_client_may_go_at_any_time),
        CASE(a_freed_server_goes_with_its_last_connection),
        CASE(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
