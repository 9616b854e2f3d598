/* SPDX-License-Identifier: MIT */
/*
 * Streams over pairs of UNIX sockets. What all transports promise is in test_transport.c, what is
 * TCP's own in tests/system/test_tcp.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <torc/testing.h>
#include <unistd.h>

#include "both_pollers.h"
#include "probe.h"
#include "reactor/reactor.h"
#include "transport/stream.h"

static torc_reactor *reactor;
static probe self;
static int fds[2];
static int ended_count, losts_when_ended;

static int set_up(bool is_late) {
    probe_init(&self);
    ended_count = losts_when_ended = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds)) return -1;
    return new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    close(fds[1]);
    probe_dispose(&self);
    return 0;
}

static void ended(torc_stream_owner *owner, torc_stream *stream) {
    assert_ptr_equal(stream->owner, owner);
    ended_count++;
    losts_when_ended = self.losts;
}

static torc_stream_owner owner = {.ended = ended};

static torc_stream *open_stream(void) {
    torc_stream *stream = NULL;

    check_ok(torc_stream_new(reactor, fds[0], AF_UNIX, &stream));
    stream->owner = &owner;
    return stream;
}

static bool is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

static void the_owner_is_told_after_the_protocol(void **state) {
    torc_stream *stream = open_stream();

    (void)state;
    torc_transport_made(&stream->base, &self.base);
    torc_test_settle(reactor);
    torc_transport_close(&stream->base);
    assert_int_equal(ended_count, 0);
    torc_test_settle(reactor);
    assert_int_equal(ended_count, 1);
    assert_int_equal(losts_when_ended, 1);
    assert_false(is_open(fds[0]));
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
}

static void one_without_a_protocol_ends_too(void **state) {
    torc_stream *stream = open_stream();

    (void)state;
    torc_transport_abort(&stream->base);
    torc_test_settle(reactor);
    assert_int_equal(ended_count, 1);
    assert_false(is_open(fds[0]));
}

static void what_cannot_be_made_leaves_the_descriptor(void **state) {
    torc_stream *stream = NULL;

    (void)state;
    torc_test_fail_allocation(reactor, 1);
    check_err(torc_stream_new(reactor, fds[0], AF_UNIX, &stream), TORC_ERR_NO_MEMORY);
    torc_test_fail_allocation(reactor, 0);
    assert_null(stream);
    assert_int_equal(close(fds[0]), 0);
}

static void nor_does_one_that_cannot_be_registered(void **state) {
    torc_stream *stream = NULL;

    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_REGISTER, 1, 1, ENOMEM);
    const torc_err err =
        torc_stream_new(reactor, fds[0], AF_UNIX, &stream); /* the late double registers nothing */
    if (err) {
        check_err(err, TORC_ERR_NO_MEMORY);
        assert_int_equal(close(fds[0]), 0);
    } else {
        torc_transport_abort(&stream->base);
        torc_test_settle(reactor);
        assert_false(is_open(fds[0]));
    }
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
}

static void unix_streams_have_no_options(void **state) {
    torc_stream *stream = open_stream();

    (void)state;
    torc_transport_made(&stream->base, &self.base);
    check_err(torc_transport_set_no_delay(&stream->base, true), TORC_ERR_UNSUPPORTED);
    check_err(torc_transport_set_keep_alive(&stream->base, true), TORC_ERR_UNSUPPORTED);
    const torc_addr peer = torc_transport_peer(&stream->base),
                    host = torc_transport_host(&stream->base);
    assert_int_equal(torc_addr_family(&peer), AF_UNIX);
    assert_int_equal(torc_addr_family(&host), AF_UNIX);
    torc_transport_close(&stream->base);
    const torc_addr none = torc_transport_peer(&stream->base);
    assert_int_equal(none.len, 0);
    torc_test_settle(reactor);
}

/* While the last bytes leave, the address can still be asked for: by an access log, for example. */
static void one_that_closes_has_its_addresses(void **state) {
    torc_stream *stream = open_stream();

    (void)state;
    torc_transport_made(&stream->base, &self.base);
    torc_transport_write(&stream->base, TORC_STR("last words"));
    torc_transport_close(&stream->base);
    const torc_addr host = torc_transport_host(&stream->base);
    assert_int_equal(torc_addr_family(&host), AF_UNIX);
    torc_test_settle(reactor);
    assert_int_equal(self.losts, 1);
}

static void a_connection_costs_little_while_idle(void **state) {
    torc_stream *stream = open_stream();
    char byte;

    (void)state;
    torc_transport_made(&stream->base, &self.base);
    assert_int_equal(write(fds[1], "hello", 5), 5);
    torc_test_settle(reactor);
    torc_transport_write(&stream->base, TORC_STR("hello"));
    torc_test_settle(reactor);
    assert_int_equal(read(fds[1], &byte, 1), 1);
    assert_true(sizeof(*stream) <= 400);
    assert_int_equal(reactor->chains.free_count, 1); /* the pool's, for the next */
    assert_int_equal(reactor->pages.used_count, 0);
    torc_transport_abort(&stream->base);
    torc_test_settle(reactor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(the_owner_is_told_after_the_protocol),
        BOTH(one_without_a_protocol_ends_too),
        BOTH(what_cannot_be_made_leaves_the_descriptor),
        BOTH(nor_does_one_that_cannot_be_registered),
        BOTH(unix_streams_have_no_options),
        BOTH(one_that_closes_has_its_addresses),
        BOTH(a_connection_costs_little_while_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
