/* SPDX-License-Identifier: MIT */
/*
 * Connections that are kept up, as services of a tree, to a UNIX socket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <torc/connection_service.h>
#include <unistd.h>

#include "both_pollers.h"
#include "faults.h"
#include "probe.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static torc_service *tree, *service;
static probe client;
static char folder[64], path[80], endpoint[96];
static int listening;

static void open_peer(void) {
    torc_addr addr;

    check_ok(torc_addr_parse_unix(torc_str_of(path), &addr));
    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, &addr.as.any, addr.len), 0);
    assert_int_equal(listen(listening, 5), 0);
}

static int set_up(bool is_late) {
    probe_init(&client);
    strcpy(folder, "/tmp/torc-test-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/x", folder);
    snprintf(endpoint, sizeof(endpoint), "unix:%s", path);
    open_peer();
    if (new_reactor(is_late, NULL, &reactor)) return -1;
    tree = torc_service_group_new("tree");
    if (!tree) return -1;
    check_ok(torc_connection_service_new("peer", endpoint, &client.factory, NULL, NULL, &service));
    torc_service_add(tree, service);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    if (torc_service_is_started(tree)) torc_deferred_drop(torc_service_stop(tree, reactor));
    torc_test_settle(reactor);
    torc_service_free(tree);
    const size_t left = reactor->memory.used[TORC_MEMORY_CONNECTION];
    torc_reactor_free(reactor);
    probe_dispose(&client);
    close(listening);
    unlink(path);
    return rmdir(folder) || left ? -1 : 0;
}

typedef struct taker {
    torc_callback callback;
    torc_err err;
} taker;

static void take(torc_callback *callback, torc_err err, void *value) {
    (void)value;
    torc_container_of(callback, taker, callback)->err = err;
}

static torc_err result_of(torc_deferred *deferred) {
    taker self = {.err = TORC_ERR_AGAIN};

    torc_deferred_then(deferred, &self.callback, take);
    torc_test_settle(reactor);
    torc_callback_cancel(&self.callback);
    return self.err;
}

/* The next connection is another one. */
static void forget(void) {
    client.mades = client.losts = client.ends = client.input_ends = 0;
}

static void it_is_kept_up_from_its_start_to_its_stop(void **state) {
    (void)state;
    for (int times = 0; times < 2; times++) {
        assert_null(torc_connection_service_client(service));
        check_ok(result_of(torc_service_start(tree, reactor)));
        assert_int_equal(client.mades, 1);
        assert_ptr_equal(torc_client_service_protocol(torc_connection_service_client(service)),
                         &client.base);
        const int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        assert_true(fd >= 0);
        check_ok(result_of(torc_service_stop(tree, reactor)));
        assert_int_equal(client.losts, 1);
        close(fd);
        forget();
    }
}

static void its_peer_may_come_later(void **state) {
    (void)state;
    close(listening);
    unlink(path);
    check_ok(result_of(torc_service_start(tree, reactor)));
    assert_int_equal(client.mades, 0);
    assert_int_equal(torc_client_service_failures(torc_connection_service_client(service)), 1);
    open_peer();
    torc_client_service_retry_now(torc_connection_service_client(service));
    torc_test_settle(reactor);
    assert_int_equal(client.mades, 1);
    check_ok(result_of(torc_service_stop(tree, reactor)));
}

static void a_stop_that_is_given_up_lets_go_of_it(void **state) {
    (void)state;
    check_ok(result_of(torc_service_start(tree, reactor)));
    torc_transport_write(client.base.transport, TORC_STR("what nobody reads"));
    torc_deferred_drop(torc_service_stop(tree, reactor));
    torc_test_settle(reactor);
    assert_int_equal(client.losts, 1);
    assert_null(torc_connection_service_client(service));
}

static void what_cannot_be_is_told(void **state) {
    const char missing[] = "tls:example.org:443:trustRoots=/nonexistent";
    torc_endpoint_error error;
    torc_service *other;

    (void)state;
    check_err(torc_connection_service_new("x", "tcp:", &client.factory, NULL, &error, &other),
              TORC_ERR_SYNTAX);
    assert_true(error.text[0] != '\0');
    check_ok(torc_connection_service_new("x", missing, &client.factory, NULL, &error, &other));
    assert_true(result_of(torc_service_start(other, reactor)) != TORC_OK);
    assert_null(torc_connection_service_client(other));
    torc_service_free(other);
}

/* Whatever cannot be had: it is told, or tried again, and nothing is left. */
static void every_allocation_may_fail(void **state) {
    faults self;
    bool is_over = false;
    int mades = 0;

    (void)state;
    for (uint64_t fail_at = 1; !is_over; fail_at++) {
        faults_arm(&self, &reactor->memory, fail_at);
        const torc_err err = result_of(torc_service_start(tree, reactor));
        if (err) check_err(err, TORC_ERR_NO_MEMORY);
        const torc_err stopped = result_of(torc_service_stop(tree, reactor));
        if (stopped) check_err(stopped, TORC_ERR_NO_MEMORY);
        is_over = !self.hit;
        faults_disarm(&reactor->memory);
        if (stopped) check_ok(result_of(torc_service_stop(tree, reactor)));
        assert_null(torc_connection_service_client(service));
        const int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) close(fd);
        assert_int_equal(client.losts, client.mades);
        mades += client.mades;
        forget();
        assert_in_range(fail_at, 1, 1000);
    }
    assert_true(mades > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(it_is_kept_up_from_its_start_to_its_stop),
        BOTH(its_peer_may_come_later),
        BOTH(a_stop_that_is_given_up_lets_go_of_it),
        BOTH(what_cannot_be_is_told),
        BOTH(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
