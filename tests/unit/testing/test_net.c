/* SPDX-License-Identifier: MIT */
/* A network for tests: who listens and connects, where that leads, and what goes wrong as told. */
#include <stdio.h>
#include <torc/datagram.h>
#include <torc/testing_names.h>
#include <torc/testing_net.h>
#include <torc/testing_protocols.h>
#include <torc/torc.h>
#include <unistd.h>

#include "failing.h"

static torc_reactor *reactor;
static torc_test_net *net;
static torc_test_recorder *servers, *clients;

static int set_up_over(torc_err (*make)(const torc_reactor_options *, torc_reactor **)) {
    servers = torc_test_recorder_new();
    clients = torc_test_recorder_new();
    return !servers || !clients || make(NULL, &reactor) || torc_test_net_new(reactor, &net);
}

static int set_up(void **state) {
    return failing_begin(state) || set_up_over(torc_test_reactor_new);
}

static int set_up_late(void **state) {
    return failing_begin(state) || set_up_over(torc_test_reactor_new_late);
}

static int tear_down(void **state) {
    torc_reactor_free(reactor);
    torc_test_recorder_free(servers);
    torc_test_recorder_free(clients);
    return failing_end(state);
}

static torc_err listen_at(const char *text, torc_listener **listener) {
    torc_endpoint endpoint;

    check_ok(torc_endpoint_parse(torc_str_of(text), &endpoint, NULL));
    return torc_endpoint_listen(reactor, &endpoint, torc_test_recorder_factory(servers), NULL,
                                listener);
}

static torc_deferred *connect_to(const char *text) {
    return torc_connect(reactor, text, torc_test_recorder_factory(clients), NULL);
}

/* As long as it is connected, it is the client's. */
static void expect_connected(torc_deferred *connecting) {
    torc_connection *connection = torc_test_expect_value(connecting);
    torc_protocol *protocol;

    assert_non_null(connection);
    check_ok(torc_connection_take(connection, &protocol));
}

static void check_addr(const torc_addr addr, const char *text) {
    char is[TORC_ADDR_TEXT_MAX];
    check_str_of(torc_addr_text(&addr, is), text);
}

static void who_connects_gets_to_who_listens(void **state) {
    static const struct {
        const char *listen, *is, *connect;
    } cases[] = {
        {"tcp:80", "0.0.0.0:80", "tcp:192.0.2.1:80"},
        {"tcp:443:interface=203.0.113.9", "203.0.113.9:443", "tcp:203.0.113.9:443"},
        {"tcp6:25", "[::]:25", "tcp:[2001\\:db8\\:\\:1]:25"},
        {"unix:/run/nobody/x.sock", "/run/nobody/x.sock", "unix:/run/nobody/x.sock"},
        {"unix:@name", "@name", "unix:@name"},
    };

    torc_test_recorder_say(servers, TORC_STR("welcome"));
    torc_test_recorder_say(clients, TORC_STR("hello"));
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_listener *listener;
        check_ok(listen_at(cases[i].listen, &listener));
        check_addr(torc_listener_addr(listener), cases[i].is);
        assert_true(torc_test_net_is_listening(net, cases[i].is));
        expect_connected(connect_to(cases[i].connect));
        torc_test_settle(reactor);
        assert_int_equal(torc_test_recorder_made(servers), i + 1);
        check_str(torc_test_recorder_heard(servers, i), "hello");
        check_str(torc_test_recorder_heard(clients, i), "welcome");
        torc_transport_close(torc_test_recorder_transport(clients, i));
        assert_true(torc_test_recorder_wait(servers, reactor, 1000));
        assert_true(torc_test_recorder_has_ended(servers, i));
        assert_int_equal(torc_test_recorder_reason(servers, i), TORC_ERR_CLOSED);
        torc_listener_close(listener);
        torc_test_settle(reactor);
        assert_false(torc_test_net_is_listening(net, cases[i].is));
        assert_false(torc_test_net_listening(net, i)->is_open);
    }
    assert_int_equal(access("/run/nobody", F_OK), -1);
}

static void addresses_are_those_of_the_network(void **state) {
    torc_listener *listener;

    check_ok(listen_at("tcp:80:interface=192.0.2.1", &listener));
    expect_connected(connect_to("tcp:192.0.2.1:80:bindAddress=198.51.100.7"));
    torc_test_settle(reactor);
    check_addr(torc_transport_peer(torc_test_recorder_transport(clients, 0)), "192.0.2.1:80");
    check_addr(torc_transport_host(torc_test_recorder_transport(servers, 0)), "192.0.2.1:80");
    const torc_addr peer = torc_transport_peer(torc_test_recorder_transport(servers, 0));
    char text[TORC_ADDR_TEXT_MAX];
    check_str(torc_addr_host_text(&peer, text), "198.51.100.7");
    assert_true(torc_addr_port(&peer) >= 49152);
    expect_connected(connect_to("tcp:192.0.2.1:80"));
    torc_test_settle(reactor);
    const torc_addr other = torc_transport_peer(torc_test_recorder_transport(servers, 1));
    check_str(torc_addr_host_text(&other, text), "127.0.0.1");
    torc_listener_close(listener);
}

static void ports_are_chosen(void **state) {
    torc_listener *one, *other;

    check_ok(listen_at("tcp:0:interface=127.0.0.1", &one));
    check_ok(listen_at("tcp:0:interface=127.0.0.1", &other));
    const torc_addr first = torc_listener_addr(one), second = torc_listener_addr(other);
    assert_true(torc_addr_port(&first) >= 49152);
    assert_int_not_equal(torc_addr_port(&first), torc_addr_port(&second));
    torc_listener_close(one);
    torc_listener_close(other);
}

static void an_address_is_had_once(void **state) {
    torc_listener *one, *other;

    check_ok(listen_at("tcp:80", &one));
    check_err(listen_at("tcp:80", &other), TORC_ERR_ADDRESS_IN_USE);
    torc_listener_stop(one);
    check_ok(listen_at("tcp:80", &other));
    torc_test_settle(reactor);
    check_err(torc_listener_start(one), TORC_ERR_ADDRESS_IN_USE);
    torc_listener_close(other);
    torc_test_settle(reactor);
    check_ok(torc_listener_start(one));
    assert_true(torc_test_net_is_listening(net, "0.0.0.0:80"));
    torc_listener_close(one);
}

static void nobody_there_refuses(void **state) {
    torc_test_expect_error(connect_to("tcp:192.0.2.1:80"), TORC_ERR_REFUSED);
    torc_test_expect_error(connect_to("unix:/run/nobody"), TORC_ERR_NOT_FOUND);
    assert_int_equal(torc_test_net_connect_count(net), 2);
    const torc_test_connecting *first = torc_test_net_connecting(net, 0);
    check_addr(first->addr, "192.0.2.1:80");
    assert_int_equal(first->err, TORC_ERR_REFUSED);
    assert_ptr_not_equal(first->factory, NULL);
    assert_int_equal(torc_test_recorder_made(clients), 0);
}

static void things_go_wrong_as_told(void **state) {
    torc_listener *listener;

    check_ok(torc_test_net_fail_listen(net, "0.0.0.0:80", TORC_ERR_PERMISSION));
    check_err(listen_at("tcp:80", &listener), TORC_ERR_PERMISSION);
    check_ok(listen_at("tcp:81", &listener));
    check_ok(torc_test_net_fail_connect(net, NULL, TORC_ERR_UNREACHABLE));
    torc_test_expect_error(connect_to("tcp:192.0.2.1:81"), TORC_ERR_UNREACHABLE);
    check_ok(torc_test_net_fail_connect(net, "192.0.2.1:81", TORC_OK));
    expect_connected(connect_to("tcp:192.0.2.1:81"));
    torc_test_expect_error(connect_to("tcp:192.0.2.2:81"), TORC_ERR_UNREACHABLE);
    check_err(torc_test_net_fail_connect(net, "nonsense", TORC_OK), TORC_ERR_SYNTAX);
    torc_listener_close(listener);
}

static void who_is_silent_is_given_up(void **state) {
    check_ok(torc_test_net_fail_connect(net, "192.0.2.1:80", TORC_ERR_TIMEOUT));
    torc_deferred *connecting = connect_to("tcp:192.0.2.1:80:timeout=5");
    torc_test_advance(reactor, 4999);
    assert_true(torc_test_expect_no_result(connecting));
    torc_test_advance(reactor, 1);
    torc_test_expect_error(connecting, TORC_ERR_TIMEOUT);
    assert_true(torc_test_expect_nothing_open(reactor));
}

/* The first address of the name is silent, the second one answers: happy eyeballs. */
static void names_lead_into_it(void **state) {
    torc_test_names *names;
    torc_listener *listener;

    check_ok(torc_test_names_new(reactor, &names));
    check_ok(torc_test_names_set(names, "inn.test", "2001:db8::1 192.0.2.1"));
    check_ok(torc_test_net_fail_connect(net, "[2001:db8::1]:80", TORC_ERR_TIMEOUT));
    check_ok(listen_at("tcp:80", &listener));
    torc_deferred *connecting = connect_to("tcp:inn.test:80");
    torc_test_settle(reactor);
    assert_int_equal(torc_test_net_connect_count(net), 1);
    torc_test_advance(reactor, 250);
    expect_connected(connecting);
    assert_int_equal(torc_test_net_connect_count(net), 2);
    check_addr(torc_test_net_connecting(net, 1)->addr, "192.0.2.1:80");
    torc_listener_close(listener);
}

static void who_listens_is_recorded(void **state) {
    torc_listener *listener;

    check_ok(listen_at("tcp:80:backlog=7", &listener));
    assert_int_equal(torc_test_net_listen_count(net), 1);
    const torc_test_listening *it = torc_test_net_listening(net, 0);
    check_addr(it->addr, "0.0.0.0:80");
    assert_int_equal(it->backlog, 7);
    assert_true(it->is_open);
    /* Its factory makes protocols for connections that the test plays. */
    torc_test_connection *peer = torc_test_connection_new(reactor, it->factory);
    torc_test_connection_send(peer, TORC_STR("hi"));
    torc_test_settle(reactor);
    torc_test_connection_free(peer);
    torc_listener_close(listener);
}

/* ---- datagrams ---- */

typedef struct hearer {
    torc_datagram_protocol base;
    char heard[100], from[TORC_ADDR_TEXT_MAX];
    int count, closed;
} hearer;

static void datagram_received(torc_datagram_protocol *protocol, const torc_datagram *datagram) {
    hearer *self = torc_container_of(protocol, hearer, base);

    snprintf(self->heard, sizeof(self->heard), "%.*s", TORC_STR_ARGS(datagram->bytes));
    torc_addr_text(&datagram->peer, self->from);
    self->count++;
}

static void datagrams_closed(torc_datagram_protocol *protocol) {
    torc_container_of(protocol, hearer, base)->closed++;
}

static const torc_datagram_protocol_ops hearer_ops = {.datagram_received = datagram_received,
                                                      .closed = datagrams_closed};

static torc_datagram_port *open_port(const char *text, hearer *self) {
    torc_datagram_port *port;
    torc_addr addr;

    self->base.ops = &hearer_ops;
    check_ok(torc_addr_parse_text(torc_str_of(text), &addr));
    check_ok(torc_datagram_open(reactor, &addr, &self->base, NULL, &port));
    return port;
}

static torc_addr addr_of(const char *text) {
    torc_addr addr;
    check_ok(torc_addr_parse_text(torc_str_of(text), &addr));
    return addr;
}

static void datagrams_are_sent_and_recorded(void **state) {
    hearer one = {0}, other = {0};
    torc_datagram_port *port = open_port("192.0.2.1:53", &one),
                       *wild = open_port("0.0.0.0:0", &other);
    const torc_addr to = torc_datagram_addr(wild), nobody = addr_of("203.0.113.1:9");
    torc_addr there = addr_of("198.51.100.1:1");

    check_addr(torc_datagram_addr(port), "192.0.2.1:53");
    there.as.in.sin_port = to.as.in.sin_port;
    check_ok(torc_datagram_send(port, TORC_STR("hello"), &there, NULL));
    check_ok(torc_datagram_send(port, TORC_STR("lost"), &nobody, NULL));
    torc_test_settle(reactor);
    assert_string_equal(other.heard, "hello");
    assert_string_equal(other.from, "192.0.2.1:53");
    assert_int_equal(torc_test_net_datagram_count(net), 2);
    const torc_test_datagram *lost = torc_test_net_datagram(net, 1);
    check_str(lost->bytes, "lost");
    check_addr(lost->from, "192.0.2.1:53");
    check_addr(lost->to, "203.0.113.1:9");
    assert_int_equal(torc_datagram_count(port)->sent, 2);
    torc_datagram_close(port);
    torc_datagram_close(wild);
    torc_test_settle(reactor);
    assert_int_equal(one.closed + other.closed, 2);
}

static void a_test_sends_datagrams(void **state) {
    hearer one = {0};
    torc_datagram_port *port = open_port("[2001:db8::1]:53", &one);

    check_ok(
        torc_test_net_send(net, "[2001:db8::7]:4711", "[2001:db8::1]:53", TORC_STR("question")));
    torc_test_settle(reactor);
    assert_string_equal(one.heard, "question");
    assert_string_equal(one.from, "[2001:db8::7]:4711");
    check_ok(torc_test_net_send(net, "[2001:db8::7]:4711", "[2001:db8::1]:53", TORC_STR("")));
    torc_test_settle(reactor);
    assert_int_equal(one.count, 2);
    const torc_addr peer = addr_of("[2001:db8::8]:1");
    check_ok(torc_datagram_connect(port, &peer));
    check_ok(torc_test_net_send(net, "[2001:db8::7]:4711", "[2001:db8::1]:53", TORC_STR("no")));
    check_ok(torc_test_net_send(net, "[2001:db8::8]:1", "[2001:db8::1]:53", TORC_STR("yes")));
    torc_test_settle(reactor);
    assert_int_equal(one.count, 3);
    assert_string_equal(one.heard, "yes");
    check_ok(torc_datagram_send(port, TORC_STR("back"), NULL, NULL));
    torc_test_settle(reactor);
    check_addr(torc_test_net_datagram(net, 0)->to, "[2001:db8::8]:1");
    check_err(torc_test_net_send(net, "192.0.2.1:1", "192.0.2.1:2", TORC_STR("")),
              TORC_ERR_REFUSED);
    check_err(torc_test_net_send(net, "nobody", "192.0.2.1:2", TORC_STR("")), TORC_ERR_SYNTAX);
    torc_datagram_close(port);
    torc_test_settle(reactor);
    assert_int_equal(one.closed, 1);
}

static void a_port_is_had_once(void **state) {
    hearer one = {0}, other = {.base.ops = &hearer_ops};
    torc_datagram_port *port = open_port("192.0.2.1:53", &one), *second;
    const torc_addr addr = addr_of("192.0.2.1:53");

    check_err(torc_datagram_open(reactor, &addr, &other.base, NULL, &second),
              TORC_ERR_ADDRESS_IN_USE);
    torc_datagram_close(port);
    torc_test_settle(reactor);
    check_ok(torc_test_net_fail_listen(net, "192.0.2.1:53", TORC_ERR_PERMISSION));
    check_err(torc_datagram_open(reactor, &addr, &other.base, NULL, &second), TORC_ERR_PERMISSION);
    check_ok(torc_test_net_fail_listen(net, "192.0.2.1:53", TORC_OK));
    check_ok(torc_datagram_open(reactor, &addr, &other.base, NULL, &second));
    torc_datagram_close(second);
    torc_test_settle(reactor);
}

/* ---- a server ---- */

static torc_render hello(torc_request *request) {
    const torc_addr peer = torc_request_peer(request);
    char text[TORC_ADDR_TEXT_MAX];

    return torc_reply_bytes(request, 200, "text/plain", torc_addr_host_text(&peer, text));
}

/* A whole server, on port 80 of a machine that there is not. */
static void a_server_is_tested_whole(void **state) {
    torc_resource *root = torc_folder_new();
    torc_listener *listener;

    torc_resource_route(root, "GET /", hello);
    torc_site *site = torc_site_new(root, NULL);
    check_ok(torc_listen_http(reactor, "tcp:80:interface=203.0.113.1", torc_site_acceptor(site),
                              NULL, NULL, &listener));
    torc_test_recorder_say(clients,
                           TORC_STR("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    torc_connection *connection =
        torc_test_expect_value(connect_to("tcp:203.0.113.1:80:bindAddress=198.51.100.7"));
    torc_protocol *protocol;
    (void)!torc_connection_take(connection, &protocol); /* it is over by now, perhaps */
    assert_true(torc_test_recorder_wait(clients, reactor, 5000));
    const torc_str heard = torc_test_recorder_heard(clients, 0);
    assert_memory_equal(heard.bytes, "HTTP/1.1 200 OK\r\n", 17);
    check_str(torc_str_from(heard, heard.len - 12), "198.51.100.7");
    torc_listener_close(listener);
    torc_site_free(site);
    torc_test_settle(reactor);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define BOTH(test)                                                                                 \
    CASE(test), {                                                                                  \
#test "_late", test, set_up_late, tear_down, NULL                                          \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(who_connects_gets_to_who_listens),
        BOTH(addresses_are_those_of_the_network),
        BOTH(ports_are_chosen),
        BOTH(an_address_is_had_once),
        BOTH(nobody_there_refuses),
        BOTH(things_go_wrong_as_told),
        BOTH(who_is_silent_is_given_up),
        BOTH(names_lead_into_it),
        BOTH(who_listens_is_recorded),
        BOTH(datagrams_are_sent_and_recorded),
        BOTH(a_test_sends_datagrams),
        BOTH(a_port_is_had_once),
        BOTH(a_server_is_tested_whole),
    };
    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
