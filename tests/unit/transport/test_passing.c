/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that go along with the bytes of UNIX streams, and who is at their other end.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "both_pollers.h"
#include "reactor/reactor.h"
#include "transport/stream.h"

enum {
    GOT_MAX = 64
};

/* One end, which notes bytes and descriptors in their order: `|` is a descriptor. */
typedef struct side {
    torc_protocol base;
    char got[GOT_MAX];
    size_t len;
    int fds[GOT_MAX];
    int fd_count, losts;
    uint32_t fds_max;
    bool pauses, aborts; /* when one comes */
} side;

static torc_reactor *reactor;
static side self, peer;

static side *of(torc_protocol *protocol) {
    return torc_container_of(protocol, side, base);
}

static void connection_made(torc_protocol *protocol) {
    if (of(protocol)->fds_max)
        check_ok(torc_transport_receive_fds(protocol->transport, of(protocol)->fds_max));
}

static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    side *told = of(protocol);

    assert_true(told->len + bytes.len < GOT_MAX);
    memcpy(told->got + told->len, bytes.bytes, bytes.len);
    told->len += bytes.len;
    return bytes.len;
}

static void fd_received(torc_protocol *protocol, int fd) {
    side *told = of(protocol);

    assert_true(told->len + 1 < GOT_MAX);
    told->got[told->len++] = '|';
    told->fds[told->fd_count++] = fd;
    if (told->pauses) torc_transport_pause(protocol->transport);
    if (told->aborts) torc_transport_abort(protocol->transport);
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    (void)reason;
    of(protocol)->losts++;
}

static const torc_protocol_ops ops = {
    .connection_made = connection_made,
    .data_received = data_received,
    .fd_received = fd_received,
    .connection_lost = connection_lost,
};

static int set_up(bool is_late) {
    self = (side){.base.ops = &ops};
    peer = (side){.base.ops = &ops, .fds_max = 16};
    return new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    for (int i = 0; i < peer.fd_count; i++) close(peer.fds[i]);
    return 0;
}

static void open_at(int fd, int family, torc_protocol *protocol) {
    torc_stream *stream;

    check_ok(torc_stream_new(reactor, fd, family, &stream));
    torc_transport_made(&stream->base, protocol);
}

static void open_both(void) {
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    open_at(fds[0], AF_UNIX, &self.base);
    open_at(fds[1], AF_UNIX, &peer.base);
}

static void say(const char *text) {
    torc_transport_write(self.base.transport, torc_str_of(text));
}

/* A descriptor that can be told from others. */
static int new_fd(void) {
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    return fds[1];
}

static bool is_same(int a, int b) {
    struct stat one, other;

    assert_int_equal(fstat(a, &one), 0);
    assert_int_equal(fstat(b, &other), 0);
    return one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

static void pass(int fd) {
    check_ok(torc_transport_send_fd(self.base.transport, fd));
}

/* The text came, and each descriptor (`|`) not later than the byte behind it: the kernel may give
 * it with bytes that were sent before. */
static void check_got(const char *expected) {
    size_t at = 0, came = 0, passed = 0;

    for (; *expected; expected++) {
        if (*expected == '|') {
            passed++;
            continue;
        }
        for (; at < peer.len && peer.got[at] == '|'; at++) came++;
        assert_true(at < peer.len);
        assert_int_equal(peer.got[at++], *expected);
        assert_true(came >= passed);
    }
    for (; at < peer.len && peer.got[at] == '|'; at++) came++;
    assert_int_equal(at, peer.len);
    assert_int_equal(came, passed);
}

/* ---- passing ---- */

static void one_comes_before_the_byte_that_it_goes_with(void **state) {
    const int first = new_fd(), second = new_fd(), third = new_fd();

    (void)state;
    open_both();
    say("ab");
    pass(first);
    say("cd");
    pass(second);
    pass(third);
    torc_test_settle(reactor);
    check_got("ab|cd"); /* without a byte the others do not leave */
    say("e");
    torc_test_settle(reactor);
    check_got("ab|cd||e");
    assert_true(is_same(first, peer.fds[0]));
    assert_true(is_same(second, peer.fds[1]));
    assert_true(is_same(third, peer.fds[2]));
    assert_true(fcntl(peer.fds[0], F_GETFD) & FD_CLOEXEC);
    close(first);
    close(second);
    close(third);
}

/* Whatever each call sends, they keep their place. */
static void they_keep_their_place_when_little_is_sent_at_once(void **state) {
    const int fd = new_fd();

    (void)state;
    open_both();
    torc_test_limit_calls(reactor, TORC_TEST_SEND, 1);
    say("abc");
    check_ok(torc_reactor_turn(reactor, 0));
    pass(fd);
    say("def");
    pass(fd);
    say("g");
    torc_test_settle(reactor);
    check_got("abc|def|g");
    close(fd);
}

static void one_goes_with_a_file(void **state) {
    char path[] = "/tmp/torc-passing-XXXXXX";
    const int fd = new_fd(), file = mkstemp(path);

    (void)state;
    open_both();
    assert_true(file >= 0);
    assert_int_equal(write(file, "file", 4), 4);
    pass(fd);
    torc_transport_write_file(self.base.transport, file, 0, 4);
    say("!");
    for (int i = 0; i < 100 && peer.len < 6; i++) {
        torc_test_settle(reactor);
        torc_test_finish_jobs(reactor); /* a thread may warm the file */
    }
    check_got("|file!");
    unlink(path);
    close(fd);
}

static void too_many_that_wait_are_refused(void **state) {
    const int fd = new_fd();

    (void)state;
    open_both();
    for (int i = 0; i < 16; i++) pass(fd);
    check_err(torc_transport_send_fd(self.base.transport, fd), TORC_ERR_BUSY);
    check_err(torc_transport_send_fd(self.base.transport, -1), TORC_ERR_INVALID);
    say("x");
    torc_test_settle(reactor);
    check_got("||||||||||||||||x");
    close(fd);
}

/* The reading end of the pipe sees when nobody has the writing one any more. */
static void check_is_closed_everywhere(int reading) {
    char byte;

    assert_int_equal(fcntl(reading, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(read(reading, &byte, 1), 0);
    close(reading);
}

static void what_nobody_asked_for_is_closed(void **state) {
    int fds[2];

    (void)state;
    peer.fds_max = 0;
    open_both();
    assert_int_equal(pipe(fds), 0);
    pass(fds[1]);
    close(fds[1]);
    say("x");
    torc_test_settle(reactor);
    check_got("x");
    check_is_closed_everywhere(fds[0]);
}

static void what_there_is_no_room_for_is_closed(void **state) {
    int fds[2];

    (void)state;
    peer.fds_max = 1;
    open_both();
    assert_int_equal(pipe(fds), 0);
    pass(STDERR_FILENO);
    pass(fds[1]);
    close(fds[1]);
    say("x");
    torc_test_settle(reactor);
    check_got("|x");
    check_is_closed_everywhere(fds[0]);
}

static void what_has_not_left_is_closed_with_the_connection(void **state) {
    int fds[2];

    (void)state;
    open_both();
    assert_int_equal(pipe(fds), 0);
    pass(fds[1]);
    close(fds[1]);
    torc_transport_close(self.base.transport);
    check_err(torc_transport_send_fd(self.base.transport, fds[0]), TORC_ERR_CLOSED);
    torc_test_settle(reactor);
    assert_int_equal(self.losts, 1);
    check_is_closed_everywhere(fds[0]);
}

static void a_protocol_may_pause_between_them(void **state) {
    const int fd = new_fd();

    (void)state;
    peer.pauses = true;
    open_both();
    pass(fd);
    pass(fd);
    say("xy");
    torc_test_settle(reactor);
    check_got("|");
    torc_transport_resume(peer.base.transport);
    torc_test_settle(reactor);
    check_got("||");
    torc_transport_resume(peer.base.transport);
    torc_test_settle(reactor);
    check_got("||xy");
    close(fd);
}

static void a_protocol_may_end_the_connection_at_one(void **state) {
    int fds[2];

    (void)state;
    peer.aborts = true;
    open_both();
    assert_int_equal(pipe(fds), 0);
    pass(STDERR_FILENO);
    pass(fds[1]);
    close(fds[1]);
    say("x");
    torc_test_settle(reactor);
    check_got("|");
    assert_int_equal(peer.losts, 1);
    check_is_closed_everywhere(fds[0]);
}

static void without_memory_nothing_changes(void **state) {
    const int fd = new_fd();

    (void)state;
    open_both();
    torc_test_fail_allocation(reactor, 1);
    check_err(torc_transport_send_fd(self.base.transport, fd), TORC_ERR_NO_MEMORY);
    torc_test_fail_allocation(reactor, 0);
    say("x");
    pass(fd);
    say("y");
    torc_test_settle(reactor);
    check_got("x|y");
    close(fd);
}

static void calls_that_fail_are_made_again(void **state) {
    const int fd = new_fd();

    (void)state;
    open_both();
    torc_test_fail_calls(reactor, TORC_TEST_SEND, 1, 1, EINTR);
    torc_test_fail_calls(reactor, TORC_TEST_RECEIVE, 1, 1, EINTR);
    pass(fd);
    say("x");
    torc_test_settle(reactor);
    check_got("|x");
    close(fd);
}

/* ---- who is there ---- */

static void the_peer_has_credentials(void **state) {
    torc_credentials who = {0};
    int pidfd = -1;

    (void)state;
    open_both();
    check_ok(torc_transport_peer_credentials(self.base.transport, &who));
    assert_int_equal(who.pid, getpid());
    assert_int_equal(who.uid, getuid());
    assert_int_equal(who.gid, getgid());
    const torc_err err = torc_transport_peer_pidfd(self.base.transport, &pidfd);
    if (err) {
        assert_int_equal(pidfd, -1);
    } else {
        assert_true(pidfd >= 0);
        close(pidfd);
    }
    torc_transport_abort(self.base.transport);
    check_err(torc_transport_peer_credentials(self.base.transport, &who), TORC_ERR_CLOSED);
    torc_test_settle(reactor);
}

static void others_have_none(void **state) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    torc_credentials who;
    int pidfd;

    (void)state;
    assert_true(fd >= 0);
    open_at(fd, AF_INET, &self.base);
    check_err(torc_transport_peer_credentials(self.base.transport, &who), TORC_ERR_UNSUPPORTED);
    check_err(torc_transport_peer_pidfd(self.base.transport, &pidfd), TORC_ERR_UNSUPPORTED);
    check_err(torc_transport_send_fd(self.base.transport, fd), TORC_ERR_UNSUPPORTED);
    check_err(torc_transport_receive_fds(self.base.transport, 1), TORC_ERR_UNSUPPORTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(one_comes_before_the_byte_that_it_goes_with),
        BOTH(they_keep_their_place_when_little_is_sent_at_once),
        BOTH(one_goes_with_a_file),
        BOTH(too_many_that_wait_are_refused),
        BOTH(what_nobody_asked_for_is_closed),
        BOTH(what_there_is_no_room_for_is_closed),
        BOTH(what_has_not_left_is_closed_with_the_connection),
        BOTH(a_protocol_may_pause_between_them),
        BOTH(a_protocol_may_end_the_connection_at_one),
        BOTH(without_memory_nothing_changes),
        BOTH(calls_that_fail_are_made_again),
        BOTH(the_peer_has_credentials),
        BOTH(others_have_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
