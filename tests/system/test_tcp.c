/* SPDX-License-Identifier: MIT */
/*
 * What is TCP's own in listeners, connectors and streams, over loopback: over epoll and the late
 * double.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <torc/testing.h>
#include <unistd.h>

#include "both_pollers.h"
#include "probe.h"
#include "reactor/reactor.h"
#include "transport/connector.h"
#include "transport/listener.h"

enum {
    PROBES = 40
};

static torc_reactor *reactor;
static torc_listener *listener;
static int failures;
static torc_err failure;

static struct {
    torc_factory base;
    probe probes[PROBES];
    int count;
} site;

static torc_err build_protocol(torc_factory *factory, torc_transport *transport,
                               torc_protocol **protocol) {
    (void)factory;
    (void)transport;
    assert_true(site.count < PROBES);
    probe_init(&site.probes[site.count]);
    *protocol = &site.probes[site.count++].base;
    return TORC_OK;
}

static const torc_factory_ops site_ops = {.build_protocol = build_protocol};

static int set_up(bool is_late) {
    memset(&site, 0, sizeof(site));
    site.base.ops = &site_ops;
    listener = NULL;
    failures = 0;
    return new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_listener_close(listener);
    torc_reactor_free(reactor);
    for (int i = 0; i < site.count; i++) probe_dispose(&site.probes[i]);
    return 0;
}

/* Loopback delivers before the call that sends returns, but for what timers and other processors
 * do. */
static void settle_until(const int *count, int wanted) {
    for (int i = 0; i < 2000 && *count < wanted; i++) {
        torc_test_settle(reactor);
        if (*count < wanted) poll(NULL, 0, 1);
    }
    assert_int_equal(*count, wanted);
    torc_test_settle(reactor);
}

static torc_err try_listen(const char *string, const torc_listen_options *options) {
    torc_endpoint endpoint;

    check_ok(torc_endpoint_parse(torc_str_of(string), &endpoint, NULL));
    return torc_endpoint_listen(reactor, &endpoint, &site.base, options, &listener);
}

static void listen_at(const char *string) {
    check_ok(try_listen(string, NULL));
}

static torc_addr local(const char *host) {
    const torc_addr bound = torc_listener_addr(listener);
    torc_addr addr = {0};

    check_ok(torc_addr_parse(torc_str_of(host), torc_addr_port(&bound), &addr));
    return addr;
}

static int dial_from(const char *source, const char *host) {
    const torc_addr addr = local(host);
    const int fd = socket(torc_addr_family(&addr), SOCK_STREAM | SOCK_CLOEXEC, 0);
    torc_addr from = {0};

    assert_true(fd >= 0);
    if (source) {
        check_ok(torc_addr_parse(torc_str_of(source), 0, &from));
        assert_int_equal(bind(fd, &from.as.any, from.len), 0);
    }
    if (connect(fd, &addr.as.any, addr.len) == 0) return fd;
    close(fd);
    return -1;
}

static int dial(const char *host) {
    return dial_from(NULL, host);
}

static int call(const char *host) {
    const int fd = dial(host);

    assert_true(fd >= 0);
    return fd;
}

static bool has_ipv6(void) {
    torc_addr addr = {0};
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    check_ok(torc_addr_parse(TORC_STR("::1"), 0, &addr));
    const bool has = fd >= 0 && bind(fd, &addr.as.any, addr.len) == 0;
    if (fd >= 0) close(fd);
    return has;
}

static void check_text(torc_addr addr, const char *prefix) {
    char text[TORC_ADDR_TEXT_MAX];

    assert_int_equal(strncmp(torc_addr_text(&addr, text).bytes, prefix, strlen(prefix)), 0);
}

static void the_kernel_chooses_the_port(void **state) {
    (void)state;
    listen_at("tcp:0:interface=127.0.0.1");
    const torc_addr addr = torc_listener_addr(listener);
    assert_true(torc_addr_port(&addr) > 0);
    const int fd = call("127.0.0.1");
    settle_until(&site.count, 1);
    check_text(torc_transport_peer(site.probes[0].base.transport), "127.0.0.1:");
    check_text(torc_transport_host(site.probes[0].base.transport), "127.0.0.1:");
    const torc_addr host = torc_transport_host(site.probes[0].base.transport);
    assert_int_equal(torc_addr_port(&host), torc_addr_port(&addr));
    torc_transport_abort(site.probes[0].base.transport);
    /* What was asked for stays known, though the descriptor may be another's now. */
    check_text(torc_transport_peer(site.probes[0].base.transport), "127.0.0.1:");
    close(fd);
}

static void both_families_are_served(void **state) {
    (void)state;
    listen_at("0");
    const int four = call("127.0.0.1");
    settle_until(&site.count, 1);
    check_text(torc_transport_peer(site.probes[0].base.transport),
               "127.0.0.1:"); /* as IPv4, though mapped */
    if (has_ipv6()) {
        const int six = call("::1");
        settle_until(&site.count, 2);
        check_text(torc_transport_peer(site.probes[1].base.transport), "[::1]:");
        close(six);
    }
    close(four);
}

static void localhost_is_served_on_both_families(void **state) {
    (void)state;
    if (!has_ipv6()) skip_test("there is no IPv6");
    listen_at("localhost:0");
    const int one = call("127.0.0.1"), two = call("::1");
    settle_until(&site.count, 2);
    assert_int_equal(torc_listener_connections(listener), 2);
    torc_listener_stop(listener);
    torc_test_settle(reactor);
    assert_int_equal(dial("127.0.0.1"), -1);
    assert_int_equal(dial("::1"), -1);
    check_ok(torc_listener_start(listener)); /* at the port of before */
    const int three = call("127.0.0.1"), four = call("::1");
    settle_until(&site.count, 4);
    close(one), close(two), close(three), close(four);
}

static void tcp6_alone_is_ipv6_alone(void **state) {
    (void)state;
    if (!has_ipv6()) skip_test("there is no IPv6 here");
    listen_at("tcp6:0:interface=\\:\\:1");
    assert_int_equal(dial("127.0.0.1"), -1);
    const int fd = call("::1");
    settle_until(&site.count, 1);
    close(fd);
}

static void an_address_in_use_is_an_error(void **state) {
    char string[40];
    torc_listener *first;

    (void)state;
    listen_at("tcp:0:interface=127.0.0.1");
    const torc_addr addr = torc_listener_addr(listener);
    first = listener;
    snprintf(string, sizeof(string), "127.0.0.1:%u", torc_addr_port(&addr));
    check_err(try_listen(string, NULL), TORC_ERR_ADDRESS_IN_USE);
    listener = first;
    check_err(try_listen("tcp:0:interface=192.0.2.1", NULL), TORC_ERR_ADDRESS_NOT_AVAILABLE);
    listener = first;
}

static void ports_may_be_shared(void **state) {
    torc_endpoint endpoint;
    torc_listener *second = NULL;

    (void)state;
    check_ok(torc_endpoint_parse(TORC_STR("tcp:0:interface=127.0.0.1"), &endpoint, NULL));
    endpoint.reuse_port = true;
    check_ok(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener));
    endpoint.addr = torc_listener_addr(listener);
    check_ok(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &second));
    int fds[10];
    for (int i = 0; i < 10; i++) fds[i] = call("127.0.0.1");
    settle_until(&site.count, 10);
    for (int i = 0; i < 10; i++) close(fds[i]);
    torc_listener_close(second);
}

static int option_of(probe *of, int option) {
    const torc_stream *stream = torc_container_of(of->base.transport, torc_stream, base);
    int value = -1;
    socklen_t len = sizeof(value);

    assert_int_equal(getsockopt(stream->io.fd, option == SO_KEEPALIVE ? SOL_SOCKET : IPPROTO_TCP,
                                option, &value, &len),
                     0);
    return value;
}

static void small_segments_leave_at_once(void **state) {
    (void)state;
    listen_at("tcp:0:interface=127.0.0.1");
    const int fd = call("127.0.0.1");
    settle_until(&site.count, 1);
    torc_transport *transport = site.probes[0].base.transport;
    assert_int_equal(option_of(&site.probes[0], TCP_NODELAY), 1);
    check_ok(torc_transport_set_no_delay(transport, false));
    assert_int_equal(option_of(&site.probes[0], TCP_NODELAY), 0);
    check_ok(torc_transport_set_keep_alive(transport, true));
    assert_int_equal(option_of(&site.probes[0], SO_KEEPALIVE), 1);
    torc_transport_abort(transport);
    check_err(torc_transport_set_keep_alive(transport, true), TORC_ERR_STATE);
    close(fd);
}

static void they_do_on_inherited_sockets_too(void **state) {
    torc_endpoint endpoint = {.fd = socket(AF_INET, SOCK_STREAM, 0)};

    (void)state;
    assert_int_equal(listen(endpoint.fd, 5), 0); /* bound to a port by the kernel */
    check_ok(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener));
    const int fd = call("127.0.0.1");
    settle_until(&site.count, 1);
    assert_int_equal(option_of(&site.probes[0], TCP_NODELAY), 1);
    close(fd);
}

static void an_abort_is_a_reset(void **state) {
    char byte;

    (void)state;
    listen_at("tcp:0:interface=127.0.0.1");
    const int fd = call("127.0.0.1");
    settle_until(&site.count, 1);
    torc_transport_write(site.probes[0].base.transport, TORC_STR("never sent"));
    torc_transport_abort(site.probes[0].base.transport);
    settle_until(&site.probes[0].losts, 1);
    assert_int_equal(read(fd, &byte, 1), -1);
    assert_int_equal(errno, ECONNRESET);
    close(fd);
}

static void a_close_is_none(void **state) {
    char bytes[10];

    (void)state;
    listen_at("tcp:0:interface=127.0.0.1");
    const int fd = call("127.0.0.1");
    settle_until(&site.count, 1);
    torc_transport_write(site.probes[0].base.transport, TORC_STR("bye"));
    torc_transport_close(site.probes[0].base.transport);
    settle_until(&site.probes[0].losts, 1);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 3);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 0);
    close(fd);
}

static void reset(int fd) {
    const struct linger at_once = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

static void a_peers_reset_is_the_loss(void **state) {
    (void)state;
    listen_at("tcp:0:interface=127.0.0.1");
    const int fd = call("127.0.0.1");
    settle_until(&site.count, 1);
    reset(fd);
    settle_until(&site.probes[0].losts, 1);
    check_err(site.probes[0].reason, TORC_ERR_RESET);
    assert_int_equal(site.probes[0].ends, 0);
}

static void so_it_is_while_paused(void **state) {
    (void)state;
    listen_at("tcp:0:interface=127.0.0.1");
    const int fd = call("127.0.0.1");
    settle_until(&site.count, 1);
    torc_transport_pause(site.probes[0].base.transport);
    torc_test_settle(reactor);
    reset(fd);
    torc_transport_write(site.probes[0].base.transport, TORC_STR("hello"));
    settle_until(&site.probes[0].losts, 1);
    assert_int_equal(site.probes[0].len, 0);
}

static void half_closed_connections_are_answered(void **state) {
    char bytes[10];

    (void)state;
    listen_at("tcp:0:interface=127.0.0.1");
    const int fd = call("127.0.0.1");
    settle_until(&site.count, 1);
    assert_int_equal(write(fd, "question", 8), 8);
    shutdown(fd, SHUT_WR);
    settle_until(&site.probes[0].input_ends, 1);
    check_got(&site.probes[0], "question");
    torc_transport_write(site.probes[0].base.transport, TORC_STR("answer"));
    torc_transport_close(site.probes[0].base.transport);
    settle_until(&site.probes[0].losts, 1);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 6);
    close(fd);
}

static void addresses_have_a_maximum(void **state) {
    const torc_listen_options options = {.size = sizeof(options), .connections_per_address_max = 2};
    char byte;

    (void)state;
    check_ok(try_listen("0", &options)); /* an IPv4-mapped address counts as the one it maps */
    const int one = call("127.0.0.1"), two = call("127.0.0.1");
    settle_until(&site.count, 2);
    const int three = call("127.0.0.1"), other = dial_from("127.0.0.2", "127.0.0.1");
    settle_until(&site.count, 3);
    assert_int_equal(read(three, &byte, 1), 0);
    assert_int_equal(listener->refused.value, 1);
    close(one);
    settle_until(&site.probes[0].ends, 1);
    torc_transport_close(site.probes[0].base.transport);
    settle_until(&site.probes[0].losts, 1);
    const int four = call("127.0.0.1");
    settle_until(&site.count, 4);
    close(two), close(three), close(four), close(other);
}

static void failed(torc_factory *factory, void *context, torc_err err) {
    (void)factory;
    (void)context;
    failures++;
    failure = err;
}

static void connectors_connect(void **state) {
    probe client;
    torc_addr addr;

    (void)state;
    probe_init(&client);
    listen_at("tcp:0:interface=127.0.0.1");
    addr = local("127.0.0.1");
    check_ok(torc_connect_addr(reactor, &addr, 5000, &client.factory, failed, NULL));
    settle_until(&site.count, 1);
    settle_until(&client.mades, 1);
    assert_int_equal(option_of(&client, TCP_NODELAY), 1);
    check_text(torc_transport_peer(client.base.transport), "127.0.0.1:");
    torc_transport_write(client.base.transport, TORC_STR("ping"));
    settle_until(&site.probes[0].receives, 1);
    torc_transport_write(site.probes[0].base.transport, TORC_STR("pong"));
    settle_until(&client.receives, 1);
    check_got(&client, "pong");
    torc_transport_close(client.base.transport);
    settle_until(&client.losts, 1);
    settle_until(&site.probes[0].ends, 1);
    assert_int_equal(failures, 0);
    probe_dispose(&client);
}

static void connectors_are_refused(void **state) {
    probe client;
    torc_addr addr;

    (void)state;
    probe_init(&client);
    listen_at("tcp:0:interface=127.0.0.1");
    addr = local("127.0.0.1");
    torc_listener_close(listener);
    listener = NULL;
    torc_test_settle(reactor);
    check_ok(torc_connect_addr(reactor, &addr, 5000, &client.factory, failed, NULL));
    settle_until(&failures, 1);
    check_err(failure, TORC_ERR_REFUSED);
    assert_int_equal(client.builds, 0);
}

/* Nobody accepts, and the queue is full: the kernel drops what comes, and the attempt hangs. */
static void an_attempt_that_hangs_times_out(void **state) {
    probe client;
    torc_addr addr = {0};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fillers[4];

    (void)state;
    probe_init(&client);
    check_ok(torc_addr_parse(TORC_STR("127.0.0.1"), 0, &addr));
    assert_int_equal(bind(fd, &addr.as.any, addr.len), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, &addr.as.any, &addr.len), 0);
    for (size_t i = 0; i < TORC_COUNT_OF(fillers); i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(fillers[i], &addr.as.any, addr.len);
    }
    check_ok(torc_connect_addr(reactor, &addr, 5000, &client.factory, failed, NULL));
    torc_test_advance(reactor, 4999);
    assert_int_equal(failures + client.builds, 0);
    torc_test_advance(reactor, 1);
    settle_until(&failures, 1);
    check_err(failure, TORC_ERR_TIMEOUT);
    for (size_t i = 0; i < TORC_COUNT_OF(fillers); i++) close(fillers[i]);
    close(fd);
}

/* ---- several addresses ---- */

static struct {
    torc_connector connector;
    int settles, ends;
    torc_err err;
} dialled;

static void dial_settled(torc_connector *connector, torc_protocol *protocol, torc_err err) {
    assert_ptr_equal(connector, &dialled.connector);
    assert_true(!protocol == (err != TORC_OK));
    dialled.settles++;
    dialled.err = err;
}

static void dial_ended(torc_connector *connector, torc_err reason) {
    assert_ptr_equal(connector, &dialled.connector);
    assert_true(reason != TORC_OK);
    dialled.ends++;
}

static const torc_connector_ops dial_ops = {.settled = dial_settled, .ended = dial_ended};

/* An address at which attempts hang. */
typedef struct hole {
    torc_addr addr;
    int fd, fillers[4];
} hole;

static hole dig(void) {
    hole self = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    check_ok(torc_addr_parse(TORC_STR("127.0.0.1"), 0, &self.addr));
    assert_int_equal(bind(self.fd, &self.addr.as.any, self.addr.len), 0);
    assert_int_equal(listen(self.fd, 0), 0);
    assert_int_equal(getsockname(self.fd, &self.addr.as.any, &self.addr.len), 0);
    for (size_t i = 0; i < TORC_COUNT_OF(self.fillers); i++) {
        self.fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(self.fillers[i], &self.addr.as.any, self.addr.len);
    }
    return self;
}

static void fill_in(hole *self) {
    for (size_t i = 0; i < TORC_COUNT_OF(self->fillers); i++) close(self->fillers[i]);
    close(self->fd);
}

/* RFC 8305: the next address is tried a moment later, and the first that answers is taken. */
static void an_address_that_hangs_holds_nobody_up(void **state) {
    probe client;
    hole where = dig();

    (void)state;
    memset(&dialled, 0, sizeof(dialled));
    probe_init(&client);
    listen_at("tcp:0:interface=127.0.0.1");
    const torc_addr addrs[] = {where.addr, local("127.0.0.1"), where.addr};
    const torc_connector_target target = {
        .addrs = addrs, .addr_count = 3, .timeout_ms = 30000, .attempt_delay_ms = 250};
    check_ok(
        torc_connector_start(&dialled.connector, reactor, &dial_ops, &client.factory, &target));
    torc_test_advance(reactor, 249);
    assert_int_equal(site.count, 0);
    torc_test_advance(reactor, 1);
    settle_until(&site.count, 1);
    settle_until(&dialled.settles, 1);
    check_ok(dialled.err);
    assert_int_equal(client.mades, 1);
    torc_test_advance(reactor, 60000); /* the others were let go, and so was the deadline */
    assert_int_equal(dialled.settles, 1);
    assert_int_equal(dialled.ends, 0);
    torc_transport_abort(client.base.transport);
    settle_until(&dialled.ends, 1);
    assert_int_equal(client.stops, 1);
    fill_in(&where);
    probe_dispose(&client);
}

static void all_may_hang_and_be_given_up(void **state) {
    probe client;
    hole where = dig();
    torc_endpoint_error error = {0};

    (void)state;
    memset(&dialled, 0, sizeof(dialled));
    probe_init(&client);
    const torc_addr addrs[] = {where.addr, where.addr};
    const torc_connector_target target = {.addrs = addrs,
                                          .addr_count = 2,
                                          .timeout_ms = 1000,
                                          .attempt_delay_ms = 250,
                                          .error = &error};
    check_ok(
        torc_connector_start(&dialled.connector, reactor, &dial_ops, &client.factory, &target));
    torc_test_advance(reactor, 999);
    assert_int_equal(dialled.settles, 0);
    torc_test_advance(reactor, 1);
    settle_until(&dialled.ends, 1);
    assert_int_equal(dialled.settles, 1);
    check_err(dialled.err, TORC_ERR_TIMEOUT);
    assert_non_null(strstr(error.text, "took too long; 127.0.0.1:"));
    check_ok(
        torc_connector_start(&dialled.connector, reactor, &dial_ops, &client.factory, &target));
    torc_test_advance(reactor, 300);
    torc_connector_abort(&dialled.connector, TORC_ERR_CANCELLED);
    torc_connector_abort(&dialled.connector, TORC_ERR_CANCELLED);
    settle_until(&dialled.ends, 2);
    check_err(dialled.err, TORC_ERR_CANCELLED);
    assert_int_equal(client.builds, 0);
    fill_in(&where);
    probe_dispose(&client);
}

static void a_client_has_its_local_address(void **state) {
    probe client;
    char string[80], text[TORC_ADDR_TEXT_MAX];

    (void)state;
    probe_init(&client);
    listen_at("tcp:0:interface=127.0.0.1:deferAccept=0");
    const torc_addr addr = local("127.0.0.1");
    snprintf(string, sizeof(string), "tcp:127.0.0.1:%u:bindAddress=127.0.0.2",
             torc_addr_port(&addr));
    torc_deferred *deferred = torc_connect(reactor, string, &client.factory, NULL);
    settle_until(&site.count, 1);
    settle_until(&client.mades, 1);
    const torc_addr peer = torc_transport_peer(site.probes[0].base.transport);
    check_str(torc_addr_host_text(&peer, text), "127.0.0.2");
    torc_deferred_drop(deferred); /* nobody takes it */
    settle_until(&client.losts, 1);
    probe_dispose(&client);
}

/* The connection is accepted when there is something to read. */
static void accepting_may_wait_for_bytes(void **state) {
    (void)state;
    listen_at("tcp:0:interface=127.0.0.1:deferAccept=30");
    const int fd = call("127.0.0.1");
    torc_test_settle(reactor);
    assert_int_equal(site.count, 0);
    assert_int_equal(write(fd, "x", 1), 1);
    settle_until(&site.count, 1);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(the_kernel_chooses_the_port),
        BOTH(both_families_are_served),
        BOTH(localhost_is_served_on_both_families),
        BOTH(tcp6_alone_is_ipv6_alone),
        BOTH(an_address_in_use_is_an_error),
        BOTH(ports_may_be_shared),
        BOTH(small_segments_leave_at_once),
        BOTH(they_do_on_inherited_sockets_too),
        BOTH(an_abort_is_a_reset),
        BOTH(a_close_is_none),
        BOTH(a_peers_reset_is_the_loss),
        BOTH(so_it_is_while_paused),
        BOTH(half_closed_connections_are_answered),
        BOTH(addresses_have_a_maximum),
        BOTH(connectors_connect),
        BOTH(connectors_are_refused),
        BOTH(an_attempt_that_hangs_times_out),
        BOTH(an_address_that_hangs_holds_nobody_up),
        BOTH(all_may_hang_and_be_given_up),
        BOTH(a_client_has_its_local_address),
        BOTH(accepting_may_wait_for_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
