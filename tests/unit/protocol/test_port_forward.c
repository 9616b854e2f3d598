/* SPDX-License-Identifier: MIT */
/*
 * Forwarding between two UNIX sockets, over epoll and the late double: both directions, ends,
 * resets, slow sides, and what cannot be reached.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <torc/log.h>
#include <torc/port_forward.h>
#include <torc/testing.h>
#include <unistd.h>

#include "both_pollers.h"
#include "probe.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static torc_log *log_;
static torc_buf logged;
static torc_port_forward *forward;
static torc_listener *front, *back;
static probe server;
static char folder[64], back_path[100], front_path[100], target[140];
static int client;

static torc_listener *listen_at(const char *path, torc_factory *factory) {
    torc_endpoint endpoint;
    torc_listener *listener;
    char string[140];

    snprintf(string, sizeof(string), "unix:%s", path);
    check_ok(torc_endpoint_parse(torc_str_of(string), &endpoint, NULL));
    check_ok(torc_endpoint_listen(reactor, &endpoint, factory, NULL, &listener));
    return listener;
}

static int dial(void) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    strcpy(addr.sun_path, front_path);
    assert_int_equal(connect(fd, (struct sockaddr *)(void *)&addr, sizeof(addr)), 0);
    return fd;
}

static int set_up(bool is_late) {
    torc_reactor_options options = {.size = sizeof(options)};

    strcpy(folder, "/tmp/torc-test-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(back_path, sizeof(back_path), "%s/back", folder);
    snprintf(front_path, sizeof(front_path), "%s/front", folder);
    snprintf(target, sizeof(target), "unix:%s", back_path);
    torc_buf_init(&logged, NULL, TORC_MEMORY_OTHER, 100000);
    check_ok(torc_log_new_buf(NULL, &logged, TORC_LOG_FORMAT_JSON, &log_));
    options.log = log_;
    check_ok(new_reactor(is_late, &options, &reactor));
    probe_init(&server);
    back = listen_at(back_path, &server.factory);
    check_ok(torc_port_forward_new(reactor, target, NULL, &forward));
    front = listen_at(front_path, torc_port_forward_factory(forward));
    client = dial();
    return 0;
}

/* What one socket sends the next receives, and sends: all of that. */
static void settle(void) {
    for (int i = 0; i < 4; i++) torc_test_settle(reactor);
}

static void lose_server(void) {
    if (server.mades > server.losts) torc_transport_abort(server.base.transport);
    settle();
}

static int tear_down(void **state) {
    (void)state;
    if (client >= 0) close(client);
    settle();
    lose_server();
    torc_listener_close(front);
    torc_listener_close(back);
    settle();
    if (forward) {
        assert_int_equal(torc_port_forward_connections(forward), 0);
        torc_port_forward_free(forward);
    }
    torc_reactor_free(reactor);
    probe_dispose(&server);
    torc_log_free(log_);
    torc_buf_dispose(&logged);
    return rmdir(folder);
}

static void say(const char *text) {
    assert_int_equal(write(client, text, strlen(text)), strlen(text));
    settle();
}

static bool has_ended(void) {
    char byte;
    const ssize_t len = read(client, &byte, 1);
    return len == 0 || (len < 0 && errno == ECONNRESET);
}

static void bytes_go_both_ways(void **state) {
    char bytes[10] = "";

    (void)state;
    say("hello");
    assert_int_equal(torc_port_forward_connections(forward), 1);
    check_got(&server, "hello");
    torc_transport_write(server.base.transport, TORC_STR("hi"));
    settle();
    assert_int_equal(read(client, bytes, sizeof(bytes)), 2);
    assert_string_equal(bytes, "hi");
    say(", and more");
    check_got(&server, "hello, and more");
    torc_transport_close(server.base.transport);
    settle();
    assert_true(has_ended());
}

static void an_end_is_passed_on_as_an_end(void **state) {
    char bytes[10] = "";

    (void)state;
    assert_int_equal(write(client, "hello", 5), 5);
    shutdown(client, SHUT_WR);
    settle();
    check_got(&server, "hello");
    assert_int_equal(server.input_ends, 1);
    torc_transport_write(server.base.transport, TORC_STR("late"));
    settle();
    assert_int_equal(read(client, bytes, sizeof(bytes)), 4);
    torc_transport_close_write(server.base.transport);
    settle();
    assert_true(has_ended());
    assert_int_equal(torc_port_forward_connections(forward), 0);
    assert_int_equal(server.losts, 0); /* it is its own to close */
}

static void a_server_may_end_first(void **state) {
    (void)state;
    say("x");
    torc_transport_close_write(server.base.transport);
    settle();
    assert_true(has_ended());
    say("still heard");
    check_got(&server, "xstill heard");
    shutdown(client, SHUT_WR);
    settle();
    assert_int_equal(server.input_ends, 1);
    assert_int_equal(torc_port_forward_connections(forward), 0);
}

static void an_abort_is_passed_on(void **state) {
    (void)state;
    say("x");
    torc_transport_abort(server.base.transport);
    settle();
    assert_true(has_ended());
}

static void a_client_that_goes_takes_the_server_with_it(void **state) {
    (void)state;
    say("x");
    close(client);
    client = -1;
    settle();
    assert_int_equal(server.input_ends, 1);
    torc_transport_close(server.base.transport);
    settle();
    assert_int_equal(server.losts, 1);
}

/* Who takes nothing is held back to the other end, and nothing is lost. */
static void a_slow_side_holds_the_other_back(void **state) {
    static char bytes[65536];
    size_t sent = 0, before;

    (void)state;
    say("x");
    torc_transport_pause(server.base.transport);
    do {
        before = sent;
        const ssize_t len = write(client, bytes, sizeof(bytes));
        if (len > 0) sent += (size_t)len;
        settle();
    } while (sent != before);
    assert_true(sent > 0);
    assert_true(sent < 4000000); /* it does not swallow what it cannot pass on */
    while (server.len < 1 + sent) {
        before = server.len;
        torc_transport_resume(server.base.transport);
        torc_test_advance(reactor, 30); /* the kernel is given it, if it can */
        assert_true(server.len > before);
    }
    assert_int_equal(server.len, 1 + sent);
}

/* Much both ways at once, by the kernel where the poller allows it: nothing is lost or out of
 * place, and ends are passed on. */
static void much_is_passed_on(void **state) {
    enum {
        MUCH = 3000000
    };
    static char bytes[MUCH], heard[MUCH];
    size_t sent = 0, answered = 0, received = 0;

    (void)state;
    for (size_t i = 0; i < MUCH; i++) bytes[i] = (char)(i * 2654435761u >> 13);
    say("x");
    while (sent < MUCH || received < MUCH || server.len < 1 + MUCH) {
        const size_t room = torc_transport_room(server.base.transport);
        const size_t part = room < MUCH - answered ? room : MUCH - answered;
        torc_transport_write(server.base.transport, torc_str_make(bytes + answered, part));
        answered += part;
        const ssize_t written =
            write(client, bytes + sent, MUCH - sent < 50000 ? MUCH - sent : 50000);
        if (written > 0) sent += (size_t)written;
        torc_test_advance(reactor, 1);
        const ssize_t len = read(client, heard + received, MUCH - received);
        if (len > 0) received += (size_t)len;
    }
    assert_memory_equal(server.got + 1, bytes, MUCH);
    assert_memory_equal(heard, bytes, MUCH);
    if (reactor->poller->ops->leaves_paused_unread)
        assert_true(torc_port_forward_spliced(forward) > MUCH);
    else
        assert_int_equal(torc_port_forward_spliced(forward), 0);
    shutdown(client, SHUT_WR);
    settle();
    assert_int_equal(server.input_ends, 1);
    torc_transport_write(server.base.transport, TORC_STR("the last"));
    torc_transport_close(server.base.transport);
    settle();
    assert_int_equal(read(client, heard, 100), 8);
    assert_true(has_ended());
    assert_int_equal(torc_port_forward_connections(forward), 0);
}

/* While the kernel passes bytes on: either side may be slow, or reset. */
static void spliced_connections_may_end_in_any_way(void **state) {
    static char bytes[500000];

    (void)state;
    for (int way = 0; way < 3; way++) {
        if (client < 0) client = dial();
        size_t sent = 0;
        for (int i = 0; i < 1000 && sent < sizeof(bytes); i++) {
            const ssize_t len = write(client, bytes + sent, sizeof(bytes) - sent);
            if (len > 0) sent += (size_t)len;
            torc_test_advance(reactor, 1);
        }
        settle();
        assert_int_equal(server.len, sizeof(bytes));
        torc_transport_pause(server.base.transport);
        while (write(client, bytes, sizeof(bytes)) > 0) settle();
        if (way == 0) torc_transport_abort(server.base.transport);
        if (way == 1) close(client);
        if (way == 2) torc_transport_close(server.base.transport);
        settle();
        if (way == 1) lose_server();
        if (way != 1) close(client);
        client = -1;
        settle();
        assert_int_equal(server.losts, 1);
        assert_int_equal(torc_port_forward_connections(forward), 0);
        probe_dispose(&server);
        probe_init(&server);
        server.factory.users = 1;
    }
}

static void a_client_may_go_before_it_is_connected(void **state) {
    (void)state;
    close(client);
    client = -1;
    settle();
    lose_server();
}

static void what_cannot_be_reached_resets(void **state) {
    (void)state;
    torc_listener_close(back);
    back = NULL;
    settle();
    assert_true(has_ended());
    assert_true(torc_str_find(torc_buf_str(&logged), TORC_STR("cannot connect")) >= 0);
}

static void a_freed_forwarder_goes_with_its_last_connection(void **state) {
    (void)state;
    say("hello");
    torc_listener_close(front);
    front = NULL;
    torc_port_forward_free(forward);
    forward = NULL;
    say(", and more");
    check_got(&server, "hello, and more");
    torc_transport_abort(server.base.transport);
    settle();
}

static void a_freed_reactor_ends_all(void **state) {
    (void)state;
    say("hello");
    torc_listener_close(front);
    torc_listener_close(back);
    front = back = NULL;
    torc_port_forward_free(forward);
    forward = NULL;
}

static void a_bad_string_is_told(void **state) {
    torc_endpoint_error error;
    torc_port_forward *other;

    (void)state;
    check_err(torc_port_forward_new(reactor, "tcp:", &error, &other), TORC_ERR_SYNTAX);
    assert_true(strlen(error.text) > 10);
    close(client);
    client = -1;
    settle();
    lose_server();
}

static void every_allocation_may_fail(void **state) {
    bool has_failed = true;

    (void)state;
    say("x");
    torc_transport_abort(server.base.transport);
    settle();
    for (uint64_t n = 1; has_failed; n++) {
        assert_true(n < 300);
        if (client >= 0) close(client);
        settle();
        probe_dispose(&server);
        probe_init(&server);
        client = dial();
        torc_test_fail_allocation(reactor, n);
        (void)!write(client, "hello", 5);
        settle();
        has_failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        if (!has_failed) check_got(&server, "hello");
        lose_server();
        close(client);
        client = -1;
        settle();
        server.factory.users = 1; /* the listener's */
        if (torc_port_forward_connections(forward)) fail_msg("open after allocation %d", (int)n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(bytes_go_both_ways),
        BOTH(an_end_is_passed_on_as_an_end),
        BOTH(a_server_may_end_first),
        BOTH(an_abort_is_passed_on),
        BOTH(a_client_that_goes_takes_the_server_with_it),
        BOTH(a_slow_side_holds_the_other_back),
        BOTH(much_is_passed_on),
        BOTH(spliced_connections_may_end_in_any_way),
        BOTH(a_client_may_go_before_it_is_connected),
        BOTH(what_cannot_be_reached_resets),
        BOTH(a_freed_forwarder_goes_with_its_last_connection),
        BOTH(a_freed_reactor_ends_all),
        BOTH(a_bad_string_is_told),
        BOTH(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
