/* SPDX-License-Identifier: MIT */
/* Where a listener, a wire and a site meet: over a UNIX socket of the test's own. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <torc/fiber.h>
#include <torc/listen.h>
#include <torc/log.h>
#include <torc/reactor.h>
#include <torc/reply.h>
#include <unistd.h>

#include "app/listen.h"
#include "check.h"

static char folder[] = "/tmp/torc-listen-XXXXXX";
static char path[64], endpoint[80];
static torc_reactor *reactor;
static torc_site *site;

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello");
}

static torc_render wait_a_turn(torc_request *request) {
    const torc_err err = torc_sleep(torc_request_reactor(request), 20);
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "waited");
}

static int set_up(void **state) {
    torc_resource *root = torc_folder_new();

    (void)state;
    memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/socket", folder);
    snprintf(endpoint, sizeof(endpoint), "unix:%s", path);
    torc_resource_route(root, "GET /", hello);
    torc_resource_route(root, "GET /wait", wait_a_turn);
    site = torc_site_new(root, NULL);
    return site && !torc_reactor_new(NULL, &reactor) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    torc_site_free(site);
    unlink(path);
    return rmdir(folder);
}

static int connect_to(void) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    if (!connect(fd, (const struct sockaddr *)&addr, sizeof(addr))) return fd;
    close(fd);
    return -1;
}

/* Turn until the peer has bytes, or its end. */
static size_t receive(int fd, char *bytes, size_t size) {
    ssize_t len = -1;

    for (int i = 0; i < 2000 && len < 0; i++) {
        check_ok(torc_reactor_turn(reactor, 1));
        len = recv(fd, bytes, size, MSG_DONTWAIT);
    }
    assert_true(len >= 0);
    return (size_t)len;
}

static void ask(int fd, const char *request) {
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
}

static void a_site_is_served_on_an_endpoint(void **state) {
    torc_listener *listener = torc_listen(reactor, endpoint, torc_site_acceptor(site), NULL);
    char bytes[1000];

    (void)state;
    assert_non_null(listener);
    const int fd = connect_to();
    ask(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const size_t len = receive(fd, bytes, sizeof(bytes));
    assert_true(torc_str_starts_with(torc_str_make(bytes, len), TORC_STR("HTTP/1.1 200 OK\r\n")));
    assert_true(torc_str_ends_with(torc_str_make(bytes, len), TORC_STR("\r\n\r\nhello")));
    assert_int_equal(torc_listener_connections(listener), 1);
    close(fd);
    torc_listener_close(listener);
}

static void what_is_wrong_with_an_endpoint_is_told(void **state) {
    torc_endpoint_error error = {0};
    torc_listener *listener = NULL;

    (void)state;
    check_err(
        torc_listen_http(reactor, "nonsense:1", torc_site_acceptor(site), NULL, &error, &listener),
        TORC_ERR_SYNTAX);
    assert_true(error.text[0] != '\0');
    check_err(
        torc_listen_http(reactor, "nonsense:1", torc_site_acceptor(site), NULL, NULL, &listener),
        TORC_ERR_SYNTAX);
    check_err(torc_listen_http(reactor, "unix:/nowhere/at/all", torc_site_acceptor(site), NULL,
                               &error, &listener),
              TORC_ERR_NOT_FOUND);
    assert_int_equal(error.text[0], '\0');
    assert_null(listener);
    assert_null(torc_listen(reactor, "unix:/nowhere/at/all", torc_site_acceptor(site), NULL));
}

static void the_limits_are_those_of_the_listener(void **state) {
    const torc_limits limits = {.size = sizeof(limits), .fields_max = 1};
    const torc_http_options options = {.size = sizeof(options), .limits = &limits};
    torc_listener *listener = torc_listen(reactor, endpoint, torc_site_acceptor(site), &options);
    char bytes[1000];

    (void)state;
    assert_non_null(listener);
    const int fd = connect_to();
    ask(fd, "GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n\r\n");
    const size_t len = receive(fd, bytes, sizeof(bytes));
    assert_true(torc_str_starts_with(torc_str_make(bytes, len), TORC_STR("HTTP/1.1 431 ")));
    close(fd);
    torc_listener_close(listener);
}

static void leniencies_are_options(void **state) {
    const torc_http_options options = {.size = sizeof(options), .allow_bare_lf = true};
    torc_listener *listener = torc_listen(reactor, endpoint, torc_site_acceptor(site), &options);
    char bytes[1000];

    (void)state;
    assert_non_null(listener);
    const int fd = connect_to();
    ask(fd, "GET / HTTP/1.1\nHost: x\n\n");
    const size_t len = receive(fd, bytes, sizeof(bytes));
    assert_true(torc_str_starts_with(torc_str_make(bytes, len), TORC_STR("HTTP/1.1 200 ")));
    close(fd);
    torc_listener_close(listener);
}

/* The idle connection is closed, the busy one gets its answer first; nobody else may come. */
static void draining_lets_the_busy_finish(void **state) {
    torc_listener *listener = torc_listen(reactor, endpoint, torc_site_acceptor(site), NULL);
    char bytes[1000];
    size_t len;

    (void)state;
    assert_non_null(listener);
    const int idle = connect_to(), busy = connect_to();
    ask(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(receive(idle, bytes, sizeof(bytes)) > 0);
    ask(busy, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 4; i++) check_ok(torc_reactor_turn(reactor, 1));

    torc_listener_drain(listener, 0);
    assert_int_equal(receive(idle, bytes, sizeof(bytes)), 0);
    len = receive(busy, bytes, sizeof(bytes));
    assert_true(torc_str_ends_with(torc_str_make(bytes, len), TORC_STR("waited")));
    assert_true(torc_str_find(torc_str_make(bytes, len), TORC_STR("Connection: close")) > 0);
    assert_int_equal(receive(busy, bytes, sizeof(bytes)), 0);
    assert_int_equal(connect_to(), -1);
    torc_listener_close(listener); /* it could still be asked */
    close(idle);
    close(busy);
}

/* A connection may still ask when listener and site were let go of: it is refused, and the last one
 * frees the site. */
static void a_site_may_be_freed_before_its_connections(void **state) {
    torc_listener *listener = torc_listen(reactor, endpoint, torc_site_acceptor(site), NULL);
    char bytes[1000];
    size_t len;

    (void)state;
    assert_non_null(listener);
    const int idle = connect_to(), busy = connect_to(), silent = connect_to();
    ask(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(receive(idle, bytes, sizeof(bytes)) > 0);
    ask(busy, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 4; i++) check_ok(torc_reactor_turn(reactor, 1));

    torc_listener_close(listener);
    torc_site_free(site);
    site = NULL;
    ask(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    len = receive(idle, bytes, sizeof(bytes));
    assert_true(torc_str_starts_with(torc_str_make(bytes, len), TORC_STR("HTTP/1.1 503 ")));
    assert_int_equal(receive(idle, bytes, sizeof(bytes)), 0);
    len = receive(busy, bytes, sizeof(bytes));
    assert_true(torc_str_ends_with(torc_str_make(bytes, len), TORC_STR("waited")));
    close(idle);
    close(busy);
    close(silent);
}

#define LISTEN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        LISTEN_TEST(a_site_is_served_on_an_endpoint),
        LISTEN_TEST(what_is_wrong_with_an_endpoint_is_told),
        LISTEN_TEST(the_limits_are_those_of_the_listener),
        LISTEN_TEST(leniencies_are_options),
        LISTEN_TEST(draining_lets_the_busy_finish),
        LISTEN_TEST(a_site_may_be_freed_before_its_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
