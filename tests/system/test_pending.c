/* SPDX-License-Identifier: MIT */
/*
 * Thousands of replies that are pending over the kernel's sockets, whose clients disconnect at
 * random: nothing is left behind. The clients are sockets of this program, between whose steps the
 * reactor turns.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <torc/torc.h>
#include <unistd.h>

#include "check.h"

enum {
    PENDING = 5000,
    OTHER_FILES = 100,
    TURNS_MAX = 200000
};

typedef struct waiting {
    torc_deferred *deferred; /* NULL: fired, or let go */
} waiting;

static torc_reactor *reactor;
static waiting all[PENDING];
static int clients[PENDING];
static int asked, let_go, fired;
static uint32_t seed = 20261124;

static uint32_t next_number(uint32_t below) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void cancelled(torc_deferred *deferred, void *context) {
    ((waiting *)context)->deferred = NULL;
    let_go++;
    torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

static torc_render wait_for_it(torc_request *request) {
    waiting *self = &all[asked++];
    void *value;

    self->deferred = torc_deferred_new(torc_request_reactor(request));
    torc_deferred_set_canceller(self->deferred, cancelled, self);
    const torc_err err = torc_await(torc_deferred_timeout(self->deferred, 600000), &value);
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "late\n");
}

static void turn(void) {
    check_ok(torc_reactor_turn(reactor, 0));
}

/* As many as the limits of this machine allow, each with two descriptors. */
static int how_many(void) {
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t most = (limit.rlim_cur - OTHER_FILES) / 2;
    return most < PENDING ? (int)most : PENDING;
}

static int connect_and_ask(const struct sockaddr_in *addr) {
    static const char head[] = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)addr, sizeof(*addr)), 0);
    assert_int_equal(send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL), (ssize_t)sizeof(head) - 1);
    return fd;
}

static void disconnect(int *client) {
    const struct linger at_once = {.l_onoff = 1};

    if (*client < 0) return;
    if (next_number(2))
        (void)setsockopt(*client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)); /* a reset */
    close(*client);
    *client = -1;
}

static void fire(waiting *self) {
    torc_deferred *deferred = self->deferred;

    if (!deferred) return;
    self->deferred = NULL;
    if (!torc_deferred_fire(deferred, self, NULL)) fired++;
}

static void turn_until_idle(void) {
    for (int i = 0; torc_reactor_count_open(reactor).fibers > 0; i++) {
        assert_true(i < TURNS_MAX);
        check_ok(torc_reactor_turn(reactor, 10));
    }
}

static void thousands_leave_nothing_behind(void **state) {
    const int count = how_many();
    torc_reactor_options options = {.size = sizeof(options)};
    torc_limits limits = {.size = sizeof(limits), .half_close_ms = 1};
    torc_http_options http = {.size = sizeof(http), .limits = &limits};
    torc_resource *root = torc_folder_new();
    torc_listener *listener;

    (void)state;
    check_ok(torc_reactor_new(&options, &reactor));
    torc_resource_route(root, "GET /wait", wait_for_it);
    torc_site *site = torc_site_new(root, NULL);
    check_ok(
        torc_listen_http(reactor, "127.0.0.1:0", torc_site_acceptor(site), &http, NULL, &listener));
    turn();
    const torc_reactor_open idle = torc_reactor_count_open(reactor);
    const torc_addr addr = torc_listener_addr(listener);

    for (int i = 0; i < count; i++) {
        clients[i] = connect_and_ask(&addr.as.in);
        if (i % 16 == 15) turn();
    }
    for (int i = 0; asked < count; i++) {
        assert_true(i < TURNS_MAX);
        turn();
    }
    assert_int_equal(torc_reactor_count_open(reactor).fibers, count);
    assert_int_equal(torc_reactor_count_open(reactor).ios, idle.ios + (size_t)count);

    for (int i = 0; i < count; i++) {
        disconnect(&clients[next_number((uint32_t)count)]);
        if (next_number(3) == 0) fire(&all[next_number((uint32_t)count)]);
        if (next_number(8) == 0) turn();
    }
    for (int i = 0; i < count; i++) disconnect(&clients[i]);
    turn_until_idle();
    for (int i = 0; torc_reactor_count_open(reactor).ios > idle.ios; i++) {
        assert_true(i < TURNS_MAX);
        check_ok(torc_reactor_turn(reactor, 10));
    }
    for (int i = 0; i < count; i++) assert_null(all[i].deferred);
    assert_true(let_go > 0 && fired > 0);
    assert_int_equal(let_go + fired, count);
    turn();
    const torc_reactor_open end = torc_reactor_count_open(reactor);
    assert_int_equal(end.deferreds, 0);
    assert_int_equal(end.calls, 0);
    torc_listener_close(listener);
    torc_site_free(site);
    torc_reactor_free(reactor);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(thousands_leave_nothing_behind)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
