/* SPDX-License-Identifier: MIT */
/*
 * Ports for datagrams, over UNIX sockets: over epoll and the late double. What is UDP's own is in
 * tests/system/test_udp.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <torc/datagram.h>
#include <unistd.h>

#include "both_pollers.h"
#include "check.h"
#include "reactor/reactor.h"

enum {
    SEEN_MAX = 200
};

/* Who notes what he is told. */
typedef struct listener {
    torc_datagram_protocol base;
    int count, failures, drains, closes;
    char first[SEEN_MAX][16];
    size_t lens[SEEN_MAX];
    torc_addr peer;
    torc_err failure;
    torc_credentials credentials;
    int fd;          /* taken */
    size_t fd_count; /* of the last */
    bool takes, ends;
} listener;

static torc_reactor *reactor;
static torc_datagram_port *port, *other;
static listener self, peer;

static listener *of(torc_datagram_protocol *protocol) {
    return torc_container_of(protocol, listener, base);
}

static void datagram_received(torc_datagram_protocol *protocol, const torc_datagram *datagram) {
    listener *told = of(protocol);

    assert_true(told->count < SEEN_MAX);
    snprintf(told->first[told->count], sizeof(told->first[0]), "%.*s", (int)datagram->bytes.len,
             datagram->bytes.bytes);
    told->lens[told->count++] = datagram->bytes.len;
    told->peer = datagram->peer;
    told->fd_count = datagram->fd_count;
    if (datagram->credentials) told->credentials = *datagram->credentials;
    if (told->takes) told->fd = torc_datagram_take_fd(datagram, 0);
    if (told->ends) torc_datagram_close(protocol->port);
}

static void failed(torc_datagram_protocol *protocol, torc_err err, const torc_addr *to) {
    (void)to;
    of(protocol)->failures++;
    of(protocol)->failure = err;
}

static void drained(torc_datagram_protocol *protocol) {
    of(protocol)->drains++;
}

static void closed(torc_datagram_protocol *protocol) {
    of(protocol)->closes++;
}

static const torc_datagram_protocol_ops ops = {
    .datagram_received = datagram_received,
    .failed = failed,
    .drained = drained,
    .closed = closed,
};

static int set_up(bool is_late) {
    self = (listener){.base.ops = &ops, .fd = -1};
    peer = (listener){.base.ops = &ops, .fd = -1};
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

/* An abstract name that the system chooses. */
static const torc_addr unnamed = {.len = sizeof(sa_family_t), .as.any = {.sa_family = AF_UNIX}};

static void open_both(const torc_datagram_options *options) {
    check_ok(torc_datagram_open(reactor, &unnamed, &self.base, options, &port));
    check_ok(torc_datagram_open(reactor, &unnamed, &peer.base, options, &other));
}

static void send_to_other(const char *text) {
    const torc_addr to = torc_datagram_addr(other);
    check_ok(torc_datagram_send(port, torc_str_of(text), &to, NULL));
}

static void datagrams_come_with_their_sender(void **state) {
    (void)state;
    open_both(NULL);
    send_to_other("one");
    send_to_other("two");
    send_to_other("");
    assert_int_equal(torc_datagram_count(port)->sent, 0); /* at the end of the turn */
    torc_test_settle(reactor);
    assert_int_equal(peer.count, 3);
    assert_string_equal(peer.first[0], "one");
    assert_string_equal(peer.first[1], "two");
    assert_int_equal(peer.lens[2], 0);
    const torc_addr addr = torc_datagram_addr(port);
    assert_true(torc_addr_equals(&peer.peer, &addr));
    assert_int_equal(torc_datagram_count(port)->sent, 3);
    assert_int_equal(torc_datagram_count(port)->send_calls, 1);
    assert_int_equal(torc_datagram_count(other)->received, 3);
    assert_int_equal(torc_datagram_unsent(port), 0);
}

static void what_waits_is_bounded(void **state) {
    const torc_datagram_options options = {
        .size = sizeof(options), .bytes_max = 10, .count_max = 3};
    (void)state;
    open_both(&options);
    const torc_addr to = torc_datagram_addr(other);

    send_to_other("12345");
    check_err(torc_datagram_send(port, TORC_STR("123456"), &to, NULL), TORC_ERR_BUSY);
    send_to_other("");
    send_to_other("1");
    check_err(torc_datagram_send(port, TORC_STR(""), &to, NULL), TORC_ERR_BUSY);
    check_err(torc_datagram_send(port, TORC_STR("12345678901"), &to, NULL), TORC_ERR_TOO_LARGE);
    assert_int_equal(self.drains, 0);
    torc_test_settle(reactor);
    assert_int_equal(self.drains, 1);
    assert_int_equal(peer.count, 3);
}

static void one_that_nobody_receives_is_told(void **state) {
    torc_addr nowhere;

    (void)state;
    open_both(NULL);
    check_ok(torc_addr_parse_unix(TORC_STR("@torc-test-nobody-is-here"), &nowhere));
    check_ok(torc_datagram_send(port, TORC_STR("lost"), &nowhere, NULL));
    send_to_other("found");
    torc_test_settle(reactor);
    assert_int_equal(self.failures, 1);
    check_err(self.failure, TORC_ERR_REFUSED);
    assert_int_equal(peer.count, 1);
    assert_int_equal(torc_datagram_count(port)->failed, 1);
}

static void a_peer_without_room_is_told(void **state) {
    (void)state;
    open_both(NULL);
    torc_datagram_pause(other);
    torc_test_settle(reactor);
    for (int i = 0; i < 2000 && self.failures == 0; i++) {
        send_to_other("again");
        torc_test_settle(reactor);
    }
    check_err(self.failure, TORC_ERR_AGAIN);
    assert_int_equal(peer.count, 0);
}

/* Connected, the kernel can say when there is room: nothing is lost. */
static void a_connected_port_waits_for_room(void **state) {
    int sent = 0;

    (void)state;
    open_both(NULL);
    const torc_addr to = torc_datagram_addr(other);
    check_ok(torc_datagram_connect(port, &to));
    torc_datagram_pause(other);
    torc_test_settle(reactor);
    for (; sent < SEEN_MAX - 1 && torc_datagram_unsent(port) == 0; sent++) {
        check_ok(torc_datagram_send(port, TORC_STR("wait"), NULL, NULL));
        torc_test_settle(reactor);
    }
    if (torc_datagram_unsent(port) == 0) skip_test("the kernel has much room");
    check_err(torc_datagram_connect(port, NULL), TORC_ERR_BUSY);
    torc_datagram_resume(other);
    torc_test_settle(reactor);
    assert_int_equal(peer.count, sent);
    assert_int_equal(self.failures, 0);
    check_ok(torc_datagram_connect(port, NULL));
    check_err(torc_datagram_send(port, TORC_STR("whom"), NULL, NULL), TORC_ERR_INVALID);
}

static void one_that_is_too_long_is_dropped_and_counted(void **state) {
    const torc_datagram_options options = {.size = sizeof(options), .receive_max = 4};
    (void)state;
    open_both(&options);
    send_to_other("12345");
    send_to_other("1234");
    torc_test_settle(reactor);
    assert_int_equal(peer.count, 1);
    assert_string_equal(peer.first[0], "1234");
    assert_int_equal(torc_datagram_count(other)->truncated, 1);
}

static void what_comes_while_paused_comes_later(void **state) {
    (void)state;
    open_both(NULL);
    torc_test_settle(reactor);
    torc_datagram_pause(other);
    torc_test_settle(reactor);
    send_to_other("late");
    torc_test_settle(reactor);
    assert_int_equal(peer.count, 0);
    torc_datagram_resume(other);
    torc_test_settle(reactor);
    assert_int_equal(peer.count, 1);
}

static void closing_sends_what_waits_and_tells_once(void **state) {
    (void)state;
    open_both(NULL);
    send_to_other("last");
    torc_datagram_close(port);
    torc_datagram_close(port);
    check_err(torc_datagram_send(port, TORC_STR("x"), NULL, NULL), TORC_ERR_CLOSED);
    port = NULL;
    assert_int_equal(self.closes, 0);
    torc_test_settle(reactor);
    assert_int_equal(self.closes, 1);
    assert_int_equal(peer.count, 1);
}

static void a_port_may_close_in_its_callback(void **state) {
    (void)state;
    open_both(NULL);
    peer.ends = true;
    send_to_other("one");
    send_to_other("two");
    torc_test_settle(reactor);
    assert_int_equal(peer.count, 1);
    assert_int_equal(peer.closes, 1);
    other = NULL;
}

/* ---- files ---- */

static void a_file_is_made_and_removed(void **state) {
    const torc_datagram_options options = {.size = sizeof(options), .unix_mode = 0600};
    char folder[] = "/tmp/torc-datagram-XXXXXX", path[64];
    struct stat about;
    torc_addr addr;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
    check_ok(torc_addr_parse_unix(torc_str_of(path), &addr));
    const int stale = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(stale, &addr.as.any, addr.len), 0);
    check_err(torc_datagram_open(reactor, &addr, &self.base, &options, &port),
              TORC_ERR_ADDRESS_IN_USE);
    close(stale);
    check_ok(torc_datagram_open(reactor, &addr, &self.base, &options, &port));
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    torc_datagram_close(port);
    port = NULL;
    torc_test_settle(reactor);
    assert_int_equal(stat(path, &about), -1);
    assert_int_equal(rmdir(folder), 0);
}

/* ---- what goes along ---- */

static bool is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

static void pass(int fd) {
    const torc_datagram_send_options options = {.size = sizeof(options), .fds = &fd, .fd_count = 1};
    const torc_addr to = torc_datagram_addr(other);

    check_ok(torc_datagram_send(port, TORC_STR("take"), &to, &options));
}

static void descriptors_go_along(void **state) {
    const torc_datagram_options options = {
        .size = sizeof(options), .fds_max = 2, .credentials = true};
    char byte = 0;
    int fds[2];

    (void)state;
    open_both(&options);
    assert_int_equal(pipe(fds), 0);
    peer.takes = true;
    pass(fds[0]);
    close(fds[0]); /* it was duplicated */
    torc_test_settle(reactor);
    assert_int_equal(peer.fd_count, 1);
    assert_true(peer.fd >= 0);
    assert_true(fcntl(peer.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(read(peer.fd, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(peer.credentials.pid, getpid());
    assert_int_equal(peer.credentials.uid, getuid());
    close(peer.fd);
    close(fds[1]);
}

/* The writing end of the pipe says when no other is left. */
static void those_that_nobody_takes_are_closed(void **state) {
    const torc_datagram_options none = {.size = sizeof(none)};
    int fds[2];
    char byte;

    (void)state;
    open_both(&none);
    assert_int_equal(pipe(fds), 0);
    pass(fds[1]);
    close(fds[1]);
    torc_test_settle(reactor);
    assert_int_equal(peer.count, 1);
    assert_int_equal(peer.fd_count, 0);
    assert_int_equal(read(fds[0], &byte, 1), 0);
    assert_true(is_open(fds[0]));
    close(fds[0]);
}

/* ---- without a protocol ---- */

static int taken;
static torc_err ended;

static torc_err receiver(void *context) {
    torc_datagram *datagram;

    (void)context;
    while (!(ended = torc_datagram_receive_await(other, 1000, &datagram))) {
        taken++;
        torc_datagram_free(datagram);
    }
    return ended;
}

static void open_without(size_t received_max) {
    const torc_datagram_options options = {.size = sizeof(options), .received_max = received_max};

    check_ok(torc_datagram_open(reactor, &unnamed, &self.base, NULL, &port));
    check_ok(torc_datagram_open(reactor, &unnamed, NULL, &options, &other));
    taken = 0;
    ended = TORC_OK;
}

static void a_fiber_waits_for_the_next(void **state) {
    (void)state;
    open_without(0);
    check_ok(torc_fiber_spawn(reactor, receiver, NULL, NULL));
    torc_test_settle(reactor);
    send_to_other("one");
    torc_test_advance(reactor, 900);
    assert_int_equal(taken, 1);
    send_to_other("two");
    torc_test_advance(reactor, 999);
    assert_int_equal(taken, 2);
    check_ok(ended);
    torc_test_advance(reactor, 1000);
    check_err(ended, TORC_ERR_TIMEOUT);
}

static void a_fiber_learns_of_the_end(void **state) {
    (void)state;
    open_without(0);
    check_ok(torc_fiber_spawn(reactor, receiver, NULL, NULL));
    torc_test_settle(reactor);
    torc_datagram_close(other);
    other = NULL;
    torc_test_settle(reactor);
    check_err(ended, TORC_ERR_CLOSED);
}

/* The kernel keeps what nobody takes, and nothing is lost as long as it has room. */
static void what_nobody_takes_stays_in_the_kernel(void **state) {
    (void)state;
    open_without(2);
    for (int i = 0; i < 6; i++) send_to_other("x");
    torc_test_settle(reactor);
    assert_int_equal(torc_datagram_count(other)->received, 2);
    check_ok(torc_fiber_spawn(reactor, receiver, NULL, NULL));
    torc_test_settle(reactor);
    assert_int_equal(taken, 6);
}

static torc_datagram *given;

static void fired(torc_callback *callback, torc_err err, void *value) {
    (void)callback;
    ended = err;
    given = value;
}

static void a_deferred_fires_with_the_next(void **state) {
    torc_callback callback = {0};

    (void)state;
    open_without(1);
    send_to_other("one");
    send_to_other("two");
    torc_test_settle(reactor);
    torc_deferred_drop(torc_datagram_receive(other)); /* it takes none */
    for (int i = 0; i < 2; i++) {
        given = NULL;
        torc_deferred_then(torc_datagram_receive(other), &callback, fired);
        torc_test_settle(reactor);
        check_ok(ended);
        assert_non_null(given);
        assert_memory_equal(given->bytes.bytes, i == 0 ? "one" : "two", 3);
        torc_datagram_free(given);
    }
}

static int put;

static torc_err sender(void *context) {
    const torc_addr to = torc_datagram_addr(other);

    (void)context;
    while (put < 20) {
        ended = torc_datagram_send_await(port, TORC_STR("1234"), &to, NULL);
        if (ended) return ended;
        put++;
    }
    return TORC_OK;
}

static void a_fiber_waits_for_room(void **state) {
    const torc_datagram_options options = {.size = sizeof(options), .bytes_max = 10};

    (void)state;
    open_both(&options);
    const torc_addr to = torc_datagram_addr(other);
    check_ok(torc_datagram_connect(port, &to)); /* else what is too much for the peer is lost */
    put = 0;
    check_ok(torc_fiber_spawn(reactor, sender, NULL, NULL));
    check_ok(torc_fiber_spawn(reactor, sender, NULL, NULL));
    torc_test_settle(reactor);
    assert_int_equal(put, 21); /* the second had begun its last */
    assert_int_equal(peer.count, 21);
    assert_int_equal(self.failures, 0);
}

static void one_that_waits_for_room_learns_of_the_end(void **state) {
    const torc_datagram_options options = {.size = sizeof(options), .bytes_max = 4};

    (void)state;
    open_both(&options);
    const torc_addr to = torc_datagram_addr(other);
    check_ok(torc_datagram_connect(port, &to));
    torc_datagram_pause(other);
    torc_test_fail_calls(reactor, TORC_TEST_SEND, 1, 1000000, EAGAIN);
    put = 0;
    check_ok(torc_fiber_spawn(reactor, sender, NULL, NULL));
    torc_test_settle(reactor);
    assert_int_equal(put, 1);
    torc_datagram_close(port);
    port = NULL;
    torc_test_settle(reactor);
    check_err(ended, TORC_ERR_CLOSED);
}

static void freeing_the_reactor_ends_ports(void **state) {
    (void)state;
    open_without(0);
    check_ok(torc_fiber_spawn(reactor, receiver, NULL, NULL));
    torc_test_settle(reactor);
    send_to_other("never sent");
    torc_deferred_detach(torc_datagram_receive(other));
    torc_reactor_free(reactor);
    reactor = NULL;
    port = other = NULL;
    assert_int_equal(self.closes, 1);
    assert_true(ended != TORC_OK);
}

/* ---- faults ---- */

static void calls_that_fail_are_told_and_it_goes_on(void **state) {
    (void)state;
    open_both(NULL);
    torc_test_fail_calls(reactor, TORC_TEST_SEND, 1, 1, EINTR);
    send_to_other("one");
    torc_test_settle(reactor);
    assert_int_equal(peer.count, 1);
    torc_test_fail_calls(reactor, TORC_TEST_SEND, 1, 1, ENOBUFS);
    send_to_other("gone");
    send_to_other("two");
    torc_test_settle(reactor);
    check_err(self.failure, TORC_ERR_NO_MEMORY);
    assert_string_equal(peer.first[1], "two");
    torc_test_fail_calls(reactor, TORC_TEST_RECEIVE, 1, 1, ENOMEM);
    send_to_other("three");
    torc_test_settle(reactor);
    check_err(peer.failure, TORC_ERR_NO_MEMORY);
    assert_string_equal(peer.first[2], "three");
}

static void a_watch_that_is_refused_is_asked_for_again(void **state) {
    (void)state;
    check_ok(torc_datagram_open(reactor, &unnamed, &self.base, NULL, &port));
    torc_test_fail_calls(reactor, TORC_TEST_REGISTER, 2, 1, ENOMEM);
    check_ok(torc_datagram_open(reactor, &unnamed, &peer.base, NULL, &other));
    send_to_other("one");
    torc_test_advance(reactor, 200);
    assert_int_equal(peer.count, 1);
}

/* Each allocation fails once; what is left works, and nothing is lost but what could not be kept.
 */
static void allocations_that_fail_leave_nothing_behind(void **state) {
    bool was_hit = true;

    (void)state;
    for (uint64_t n = 1; was_hit; n++) {
        torc_datagram *datagram = NULL;
        assert_true(n < 1000);
        taken = 0;
        torc_test_fail_allocation(reactor, n);
        torc_err err = torc_datagram_open(reactor, &unnamed, &self.base, NULL, &port);
        if (!err) err = torc_datagram_open(reactor, &unnamed, NULL, NULL, &other);
        if (!err) {
            const torc_addr to = torc_datagram_addr(other);
            err = torc_datagram_send(port, TORC_STR("x"), &to, NULL);
            torc_test_settle(reactor);
            torc_callback callback = {0};
            given = NULL;
            torc_deferred_then(torc_datagram_receive(other), &callback, fired);
            torc_test_settle(reactor);
            torc_callback_cancel(&callback);
            datagram = given;
            torc_datagram_free(datagram);
        }
        was_hit = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        if (!was_hit) {
            check_ok(err);
            assert_non_null(datagram);
        }
        torc_datagram_close(port);
        torc_datagram_close(other);
        port = other = NULL;
        torc_test_settle(reactor);
        assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
        assert_int_equal(reactor->memory.used[TORC_MEMORY_OUTPUT], 0);
    }
}

/* ---- what has no meaning ---- */

static void what_has_no_meaning_is_refused(void **state) {
    const torc_addr none = {0};
    torc_addr v4;
    int fds[2];

    (void)state;
    check_err(torc_datagram_open(reactor, &none, &self.base, NULL, &port), TORC_ERR_INVALID);
    open_both(NULL);
    check_ok(torc_addr_parse(TORC_STR("127.0.0.1"), 9, &v4));
    check_err(torc_datagram_send(port, TORC_STR("x"), &v4, NULL), TORC_ERR_INVALID);
    check_err(torc_datagram_send(port, TORC_STR("x"), NULL, NULL), TORC_ERR_INVALID);
    check_err(torc_datagram_join_group(port, &v4, 0, NULL), TORC_ERR_INVALID);
    check_err(torc_datagram_set_multicast_ttl(port, 1), TORC_ERR_UNSUPPORTED);
    uint32_t mtu;
    check_err(torc_datagram_path_mtu(port, &mtu), TORC_ERR_UNSUPPORTED);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    torc_datagram_port *wrong;
    check_err(torc_datagram_adopt(reactor, fds[0], &self.base, NULL, &wrong), TORC_ERR_INVALID);
    close(fds[0]);
    close(fds[1]);
}

static void a_socket_from_elsewhere_is_adopted(void **state) {
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
    check_ok(torc_datagram_adopt(reactor, fds[0], &self.base, NULL, &port));
    check_ok(torc_datagram_adopt(reactor, fds[1], &peer.base, NULL, &other));
    check_ok(torc_datagram_send(port, TORC_STR("hello"), NULL, NULL));
    torc_test_settle(reactor);
    assert_int_equal(peer.count, 1);
    assert_int_equal(peer.peer.len, 0); /* it has no name */
    torc_datagram_close(other);
    other = NULL;
    torc_test_settle(reactor);
    check_ok(torc_datagram_send(port, TORC_STR("anybody?"), NULL, NULL));
    torc_test_settle(reactor);
    assert_true(self.failures > 0);
}

static void what_is_joined_is_cut(void **state) {
    torc_str rest = TORC_STR("aabbc"), one;

    (void)state;
    assert_true(torc_datagram_next(&rest, 2, &one));
    assert_true(torc_str_equals(one, TORC_STR("aa")));
    assert_true(torc_datagram_next(&rest, 2, &one));
    assert_true(torc_datagram_next(&rest, 2, &one));
    assert_true(torc_str_equals(one, TORC_STR("c")));
    assert_false(torc_datagram_next(&rest, 2, &one));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(datagrams_come_with_their_sender),
        BOTH(what_waits_is_bounded),
        BOTH(one_that_nobody_receives_is_told),
        BOTH(a_peer_without_room_is_told),
        BOTH(a_connected_port_waits_for_room),
        BOTH(one_that_is_too_long_is_dropped_and_counted),
        BOTH(what_comes_while_paused_comes_later),
        BOTH(closing_sends_what_waits_and_tells_once),
        BOTH(a_port_may_close_in_its_callback),
        BOTH(a_file_is_made_and_removed),
        BOTH(descriptors_go_along),
        BOTH(those_that_nobody_takes_are_closed),
        BOTH(a_fiber_waits_for_the_next),
        BOTH(a_fiber_learns_of_the_end),
        BOTH(what_nobody_takes_stays_in_the_kernel),
        BOTH(a_deferred_fires_with_the_next),
        BOTH(a_fiber_waits_for_room),
        BOTH(one_that_waits_for_room_learns_of_the_end),
        BOTH(freeing_the_reactor_ends_ports),
        BOTH(calls_that_fail_are_told_and_it_goes_on),
        BOTH(a_watch_that_is_refused_is_asked_for_again),
        BOTH(allocations_that_fail_leave_nothing_behind),
        BOTH(what_has_no_meaning_is_refused),
        BOTH(a_socket_from_elsewhere_is_adopted),
        cmocka_unit_test(what_is_joined_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
