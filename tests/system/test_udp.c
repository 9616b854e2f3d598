/* SPDX-License-Identifier: MIT */
/*
 * What is UDP's own in ports for datagrams, over loopback: over epoll and the late double.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <torc/datagram.h>
#include <unistd.h>

#include "both_pollers.h"
#include "check.h"
#include "transport/datagram.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
    SIZE = 1200 /* of a datagram, as QUIC's */
};

typedef struct listener {
    torc_datagram_protocol base;
    int calls, count; /* of datagram_received, of datagrams */
    int failures;
    size_t bytes;
    torc_err failure;
    torc_addr about; /* to whom the failed one went */
    torc_addr peer, local;
    uint32_t interface_index, segment_size;
    torc_ecn ecn;
    bool echoes, are_numbered;
} listener;

static torc_reactor *reactor;
static torc_datagram_port *port, *other;
static listener self, peer;

static listener *of(torc_datagram_protocol *protocol) {
    return torc_container_of(protocol, listener, base);
}

/* Datagrams that are numbered come in their order, over loopback. */
static void see_one(listener *told, torc_str bytes) {
    unsigned number = 0;

    if (told->are_numbered) {
        memcpy(&number, bytes.bytes, sizeof(number));
        assert_int_equal(number, told->count);
    }
    told->count++;
    told->bytes += bytes.len;
}

static void datagram_received(torc_datagram_protocol *protocol, const torc_datagram *datagram) {
    listener *told = of(protocol);
    torc_str rest = datagram->bytes, one;

    told->calls++;
    while (torc_datagram_next(&rest, datagram->segment_size, &one)) see_one(told, one);
    told->peer = datagram->peer;
    told->local = datagram->local;
    told->interface_index = datagram->interface_index;
    told->ecn = datagram->ecn;
    if (datagram->segment_size) told->segment_size = datagram->segment_size;
    if (told->echoes)
        check_ok(torc_datagram_send(protocol->port, datagram->bytes, &datagram->peer, NULL));
}

static void failed(torc_datagram_protocol *protocol, torc_err err, const torc_addr *to) {
    of(protocol)->failures++;
    of(protocol)->failure = err;
    of(protocol)->about = *to;
}

static const torc_datagram_protocol_ops ops = {.datagram_received = datagram_received,
                                               .failed = failed};

static int set_up(bool is_late) {
    self = (listener){.base.ops = &ops};
    peer = (listener){.base.ops = &ops};
    port = other = NULL;
    return new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_datagram_close(port);
    torc_datagram_close(other);
    torc_reactor_free(reactor);
    return 0;
}

/* Loopback delivers before the call that sends returns, but for what other processors do. */
static void settle_until(const int *count, int wanted) {
    for (int i = 0; i < 2000 && *count < wanted; i++) {
        torc_test_settle(reactor);
        if (*count < wanted) poll(NULL, 0, 1);
    }
    assert_int_equal(*count, wanted);
    torc_test_settle(reactor);
}

static torc_addr at(const char *host, uint16_t number) {
    torc_addr addr = {0};
    check_ok(torc_addr_parse(torc_str_of(host), number, &addr));
    return addr;
}

static torc_err try_open(const char *host, const torc_datagram_options *options) {
    const torc_addr addr = at(host, 0);
    const torc_err err = torc_datagram_open(reactor, &addr, &self.base, options, &port);

    return err ? err : torc_datagram_open(reactor, &addr, &peer.base, options, &other);
}

static void open_both(const torc_datagram_options *options) {
    check_ok(try_open("127.0.0.1", options));
}

static void send_numbered(int count, size_t size) {
    const torc_addr to = torc_datagram_addr(other);
    char bytes[SIZE] = {0};

    peer.are_numbered = true;
    for (int i = 0; i < count; i++) {
        memcpy(bytes, &i, sizeof(i));
        check_ok(torc_datagram_send(port, torc_str_make(bytes, size), &to, NULL));
    }
}

static bool has_option(int option) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), value = 1;
    const bool has = fd >= 0 && setsockopt(fd, IPPROTO_UDP, option, &value, sizeof(value)) == 0;

    if (fd >= 0) close(fd);
    return has;
}

static void what_is_sent_comes_back(const char *host) {
    if (try_open(host, NULL)) skip_test("there is no such address here");
    const torc_addr to = torc_datagram_addr(other);
    peer.echoes = true;
    check_ok(torc_datagram_send(port, TORC_STR("hello"), &to, NULL));
    settle_until(&self.count, 1);
    assert_int_equal(self.bytes, 5);
    assert_true(torc_addr_equals(&self.peer, &to));
    assert_int_equal(self.local.len, 0); /* nobody asked for it */
}

static void what_is_sent_over_ipv4_comes_back(void **state) {
    (void)state;
    what_is_sent_comes_back("127.0.0.1");
}

static void what_is_sent_over_ipv6_comes_back(void **state) {
    (void)state;
    what_is_sent_comes_back("::1");
}

/* A port of IPv6 reaches peers of IPv4 under their own address. */
static void one_port_has_both(void **state) {
    const torc_addr any = at("::", 0), v4 = at("127.0.0.1", 0);

    (void)state;
    if (torc_datagram_open(reactor, &any, &self.base, NULL, &port))
        skip_test("there is no IPv6 here");
    check_ok(torc_datagram_open(reactor, &v4, &peer.base, NULL, &other));
    const torc_addr to = torc_datagram_addr(other);
    peer.echoes = true;
    check_ok(torc_datagram_send(port, TORC_STR("hello"), &to, NULL));
    settle_until(&self.count, 1);
}

/* ---- who is not there ---- */

static torc_addr nobody(void) {
    const torc_addr any = at("127.0.0.1", 0);
    torc_datagram_port *gone;

    check_ok(torc_datagram_open(reactor, &any, NULL, NULL, &gone));
    const torc_addr addr = torc_datagram_addr(gone);
    torc_datagram_close(gone);
    torc_test_settle(reactor);
    return addr;
}

static void a_connected_port_is_told_that_nobody_is_there(void **state) {
    (void)state;
    open_both(NULL);
    const torc_addr to = nobody(), back = torc_datagram_addr(other);
    check_ok(torc_datagram_connect(port, &to));
    check_ok(torc_datagram_send(port, TORC_STR("hello?"), NULL, NULL));
    settle_until(&self.failures, 1);
    check_err(self.failure, TORC_ERR_REFUSED);
    assert_true(torc_addr_equals(&self.about, &to));
    check_ok(torc_datagram_connect(port, &back)); /* to another */
    check_ok(torc_datagram_send(port, TORC_STR("hello"), NULL, NULL));
    settle_until(&peer.count, 1);
}

/* What was lost is told with its address, and what goes to another is not. */
static void so_is_one_that_is_not_connected(void **state) {
    (void)state;
    open_both(NULL);
    const torc_addr to = nobody(), there = torc_datagram_addr(other);
    check_ok(torc_datagram_send(port, TORC_STR("hello?"), &to, NULL));
    settle_until(&self.failures, 1);
    check_err(self.failure, TORC_ERR_REFUSED);
    assert_true(torc_addr_equals(&self.about, &to));
    for (int i = 0; i < 5; i++) {
        check_ok(torc_datagram_send(port, TORC_STR("lost"), &to, NULL));
        check_ok(torc_datagram_send(port, TORC_STR("found"), &there, NULL));
        torc_test_settle(reactor);
    }
    settle_until(&peer.count, 5);
    settle_until(&self.failures, 6);
}

static void strangers_do_not_reach_a_connected_port(void **state) {
    (void)state;
    open_both(NULL);
    const torc_addr here = torc_datagram_addr(port), to = nobody();
    check_ok(torc_datagram_connect(port, &to));
    check_ok(torc_datagram_send(other, TORC_STR("stranger"), &here, NULL));
    settle_until(&peer.failures, 1); /* the kernel refuses it */
    assert_int_equal(self.count, 0);
}

static void one_that_is_too_large_is_told(void **state) {
    const torc_datagram_options options = {.size = sizeof(options), .dont_fragment = true};
    static char bytes[65507];
    uint32_t mtu = 0;

    (void)state;
    open_both(&options);
    const torc_addr to = torc_datagram_addr(other);
    check_err(torc_datagram_send(port, torc_str_make(bytes, 65508), &to, NULL), TORC_ERR_TOO_LARGE);
    check_err(torc_datagram_path_mtu(port, &mtu), TORC_ERR_STATE);
    check_ok(torc_datagram_connect(port, &to));
    check_ok(torc_datagram_path_mtu(port, &mtu));
    assert_true(mtu >= 1280);
    torc_test_fail_calls(reactor, TORC_TEST_SEND, 1, 1, EMSGSIZE);
    check_ok(torc_datagram_send(port, torc_str_make(bytes, 100), NULL, NULL));
    settle_until(&self.failures, 1);
    check_err(self.failure, TORC_ERR_TOO_LARGE);
    check_ok(torc_datagram_send(port, torc_str_make(bytes, 100), NULL, NULL));
    settle_until(&peer.count, 1);
}

/* ---- many at once ---- */

static void many_leave_in_few_calls(void **state) {
    const torc_datagram_options options = {.size = sizeof(options), .no_gso = true};

    (void)state;
    open_both(&options);
    send_numbered(64, 100);
    settle_until(&peer.count, 64);
    assert_int_equal(torc_datagram_count(port)->send_calls, 2);
    assert_int_equal(torc_datagram_count(port)->sent, 64);
    assert_true(torc_datagram_count(other)->receive_calls < 20);
}

static void those_of_one_size_leave_as_one(void **state) {
    (void)state;
    if (!has_option(UDP_SEGMENT)) skip_test("the kernel does not cut datagrams");
    open_both(NULL);
    send_numbered(40, SIZE);
    send_numbered(0, 0);
    const torc_addr to = torc_datagram_addr(other);
    const int last = 40;
    check_ok(torc_datagram_send(port, torc_str_make((const char *)&last, sizeof(last)), &to, NULL));
    settle_until(&peer.count, 41);
    assert_int_equal(peer.bytes, 40 * SIZE + sizeof(last));
    assert_int_equal(torc_datagram_count(port)->send_calls, 1);
    assert_int_equal(torc_datagram_count(port)->sent, 41);
}

/* What the caller has put together is cut as he says. */
static void one_piece_is_cut(void **state) {
    const torc_datagram_send_options options = {.size = sizeof(options), .segment_size = 4};
    const unsigned numbers[5] = {0, 1, 2, 3, 4};

    (void)state;
    open_both(NULL);
    const torc_addr to = torc_datagram_addr(other);
    peer.are_numbered = true;
    check_ok(torc_datagram_send(port, torc_str_make((const char *)numbers, sizeof(numbers)), &to,
                                &options));
    settle_until(&peer.count, 5);
}

static void a_kernel_that_does_not_cut(int number) {
    open_both(NULL);
    torc_test_fail_calls(reactor, TORC_TEST_SEND, 1, 1, number);
    send_numbered(70, 500);
    settle_until(&peer.count, 70);
    assert_int_equal(self.failures, 0);
    assert_int_equal(torc_datagram_count(port)->sent, 70);
    peer.count = 0;
    send_numbered(3, 500);
    settle_until(&peer.count, 3);
}

static void a_device_that_does_not_cut_is_given_each(void **state) {
    (void)state;
    a_kernel_that_does_not_cut(EIO);
}

static void a_size_that_is_not_cut_is_given_each(void **state) {
    (void)state;
    a_kernel_that_does_not_cut(EINVAL);
}

static void what_comes_is_joined(void **state) {
    const torc_datagram_options options = {.size = sizeof(options), .gro = true};

    (void)state;
    if (!has_option(UDP_SEGMENT) || !has_option(UDP_GRO))
        skip_test("the kernel does not join datagrams");
    open_both(&options);
    send_numbered(40, SIZE);
    settle_until(&peer.count, 40);
    if (peer.calls == 40) skip_test("the kernel does not join them over loopback");
    assert_int_equal(peer.segment_size, SIZE);
    assert_true(peer.calls < 10);
}

static void a_full_socket_is_waited_for(void **state) {
    (void)state;
    open_both(NULL);
    torc_test_fail_calls(reactor, TORC_TEST_SEND, 1, 1, EAGAIN);
    send_numbered(10, 100);
    settle_until(&peer.count, 10);
    assert_int_equal(self.failures, 0);
}

/* ---- what is known of each ---- */

static void the_mark_of_congestion_is_seen(void **state) {
    const torc_datagram_options options = {.size = sizeof(options), .ecn = true};
    const char *const hosts[] = {"127.0.0.1", "::1"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        if (try_open(hosts[i], &options)) skip_test("there is no IPv6 here");
        const torc_addr to = torc_datagram_addr(other);
        peer.count = 0;
        for (int mark = 0; mark < 4; mark++) {
            const torc_datagram_send_options with = {.size = sizeof(with), .ecn = (torc_ecn)mark};
            check_ok(torc_datagram_send(port, TORC_STR("x"), &to, &with));
            settle_until(&peer.count, mark + 1);
            assert_int_equal(peer.ecn, mark);
        }
        torc_datagram_close(port);
        torc_datagram_close(other);
        port = other = NULL;
        torc_test_settle(reactor);
    }
}

static void addresses_of_both_ends_are_known_and_chosen(void **state) {
    const torc_datagram_options options = {.size = sizeof(options), .packet_info = true};
    torc_datagram_send_options from = {.size = sizeof(from), .local = at("127.0.0.3", 0)};

    (void)state;
    check_ok(try_open("0.0.0.0", &options));
    const torc_addr bound = torc_datagram_addr(other);
    const torc_addr to = at("127.0.0.2", torc_addr_port(&bound));
    check_ok(torc_datagram_send(port, TORC_STR("x"), &to, &from));
    settle_until(&peer.count, 1);
    const torc_addr to_alone = at("127.0.0.2", 0);
    assert_true(torc_addr_equals(&peer.local, &to_alone));
    assert_int_equal(peer.peer.as.in.sin_addr.s_addr, from.local.as.in.sin_addr.s_addr);
    assert_int_equal(peer.interface_index, if_nametoindex("lo"));
}

static void the_same_of_ipv6(void **state) {
    const torc_datagram_options options = {.size = sizeof(options), .packet_info = true};
    const torc_datagram_send_options from = {.size = sizeof(from), .local = at("::1", 0)};

    (void)state;
    if (try_open("::1", &options)) skip_test("there is no IPv6 here");
    const torc_addr to = torc_datagram_addr(other), alone = at("::1", 0);
    check_ok(torc_datagram_send(port, TORC_STR("x"), &to, &from));
    settle_until(&peer.count, 1);
    assert_true(torc_addr_equals(&peer.local, &alone));
    assert_int_equal(peer.interface_index, if_nametoindex("lo"));
}

static void options_reach_the_socket(void **state) {
    const torc_datagram_options options = {
        .size = sizeof(options),
        .receive_buffer = 65536,
        .send_buffer = 65536,
        .ttl = 7,
        .broadcast = true,
        .reuse_port = true,
    };
    int value = 0;
    socklen_t len = sizeof(value);

    (void)state;
    open_both(&options);
    assert_int_equal(getsockopt(port->io.fd, IPPROTO_IP, IP_TTL, &value, &len), 0);
    assert_int_equal(value, 7);
    assert_int_equal(getsockopt(port->io.fd, SOL_SOCKET, SO_BROADCAST, &value, &len), 0);
    assert_int_equal(value, 1);
    assert_int_equal(getsockopt(port->io.fd, SOL_SOCKET, SO_RCVBUF, &value, &len), 0);
    assert_int_equal(value, 2 * 65536); /* the kernel doubles it */
    const torc_addr addr = torc_datagram_addr(port);
    torc_datagram_port *second;
    check_ok(torc_datagram_open(reactor, &addr, NULL, &options, &second));
    torc_datagram_close(second);
    check_err(torc_datagram_open(reactor, &addr, NULL, NULL, &second), TORC_ERR_ADDRESS_IN_USE);
}

/* ---- groups ---- */

static void join_and_send(const torc_addr *group) {
    const uint32_t lo = if_nametoindex("lo");

    if (torc_datagram_join_group(other, group, lo, NULL)) skip_test("loopback has no groups here");
    check_ok(torc_datagram_set_multicast_interface(port, lo));
    check_ok(torc_datagram_set_multicast_ttl(port, 0));
    check_err(torc_datagram_set_multicast_ttl(port, 256), TORC_ERR_INVALID);
    check_ok(torc_datagram_set_multicast_loop(port, true));
    check_ok(torc_datagram_send(port, TORC_STR("all"), group, NULL));
    torc_test_settle(reactor);
    if (self.failures) skip_test("there is no way to the group here");
    settle_until(&peer.count, 1);
    check_ok(torc_datagram_leave_group(other, group, lo, NULL));
    assert_true(torc_datagram_leave_group(other, group, lo, NULL) != TORC_OK);
    check_ok(torc_datagram_send(port, TORC_STR("none"), group, NULL));
    torc_test_settle(reactor);
    assert_int_equal(peer.count, 1);
}

static void a_group_is_joined_and_left(void **state) {
    (void)state;
    check_ok(try_open("0.0.0.0", NULL));
    const torc_addr bound = torc_datagram_addr(other);
    const torc_addr group = at("239.255.77.7", torc_addr_port(&bound));
    join_and_send(&group);
}

static void a_group_of_ipv6_is_joined_and_left(void **state) {
    (void)state;
    if (try_open("::", NULL)) skip_test("there is no IPv6 here");
    const torc_addr bound = torc_datagram_addr(other);
    const torc_addr group = at("ff01::7777", torc_addr_port(&bound));
    join_and_send(&group);
}

/* Only what one sender sends. */
static void a_source_of_a_group_is_chosen(void **state) {
    const uint32_t lo = if_nametoindex("lo");
    const torc_addr wanted = at("127.0.0.2", 0);
    torc_datagram_send_options from = {.size = sizeof(from), .local = wanted};

    (void)state;
    check_ok(try_open("0.0.0.0", NULL));
    const torc_addr bound = torc_datagram_addr(other);
    const torc_addr group = at("232.1.2.3", torc_addr_port(&bound));
    if (torc_datagram_join_group(other, &group, lo, &wanted))
        skip_test("sources cannot be chosen here");
    check_ok(torc_datagram_set_multicast_interface(port, lo));
    check_ok(torc_datagram_send(port, TORC_STR("wanted"), &group, &from));
    from.local = at("127.0.0.3", 0);
    check_ok(torc_datagram_send(port, TORC_STR("other"), &group, &from));
    torc_test_settle(reactor);
    if (self.failures) skip_test("there is no way to the group here");
    settle_until(&peer.count, 1);
    assert_int_equal(peer.peer.as.in.sin_addr.s_addr, wanted.as.in.sin_addr.s_addr);
    check_ok(torc_datagram_leave_group(other, &group, lo, &wanted));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(what_is_sent_over_ipv4_comes_back),
        BOTH(what_is_sent_over_ipv6_comes_back),
        BOTH(one_port_has_both),
        BOTH(a_connected_port_is_told_that_nobody_is_there),
        BOTH(so_is_one_that_is_not_connected),
        BOTH(strangers_do_not_reach_a_connected_port),
        BOTH(one_that_is_too_large_is_told),
        BOTH(many_leave_in_few_calls),
        BOTH(those_of_one_size_leave_as_one),
        BOTH(one_piece_is_cut),
        BOTH(a_device_that_does_not_cut_is_given_each),
        BOTH(a_size_that_is_not_cut_is_given_each),
        BOTH(what_comes_is_joined),
        BOTH(a_full_socket_is_waited_for),
        BOTH(the_mark_of_congestion_is_seen),
        BOTH(addresses_of_both_ends_are_known_and_chosen),
        BOTH(the_same_of_ipv6),
        BOTH(options_reach_the_socket),
        BOTH(a_group_is_joined_and_left),
        BOTH(a_group_of_ipv6_is_joined_and_left),
        BOTH(a_source_of_a_group_is_chosen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
