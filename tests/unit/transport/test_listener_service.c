/* SPDX-License-Identifier: MIT */
/*
 * Listeners as services, over UNIX sockets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <torc/listener_service.h>
#include <torc/testing.h>
#include <unistd.h>

#include "probe.h"

static torc_reactor *reactor;
static torc_service *service;
static char folder[64], path[80], endpoint[96];

static struct {
    torc_factory base;
    probe probes[8];
    int count;
} site;

static torc_err build_protocol(torc_factory *factory, torc_transport *transport,
                               torc_protocol **protocol) {
    (void)factory;
    (void)transport;
    assert_in_range(site.count, 0, 7);
    probe_init(&site.probes[site.count]);
    *protocol = &site.probes[site.count++].base;
    return TORC_OK;
}

static const torc_factory_ops site_ops = {.build_protocol = build_protocol};

static int set_up(void **state) {
    (void)state;
    memset(&site, 0, sizeof(site));
    site.base.ops = &site_ops;
    strcpy(folder, "/tmp/torc-test-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/x.sock", folder);
    snprintf(endpoint, sizeof(endpoint), "unix:%s", path);
    if (torc_test_reactor_new(NULL, &reactor)) return -1;
    return torc_listener_service_new("echo", endpoint, &site.base, NULL, NULL, &service) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_service_free(service);
    torc_reactor_free(reactor);
    unlink(path);
    return rmdir(folder);
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
    return self.err;
}

/* Whether somebody listens there. */
static bool connects(void) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    const bool fine = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
    torc_test_settle(reactor);
    close(fd);
    torc_test_settle(reactor);
    return fine;
}

static void it_listens_from_its_start_to_its_stop(void **state) {
    (void)state;
    assert_null(torc_listener_service_listener(service));
    check_ok(result_of(torc_service_start(service, reactor)));
    assert_non_null(torc_listener_service_listener(service));
    assert_true(connects());
    assert_int_equal(site.count, 1);
    check_ok(result_of(torc_service_stop(service, reactor)));
    assert_false(connects());
    check_ok(result_of(torc_service_start(service, reactor)));
    assert_true(connects());
    check_ok(result_of(torc_service_stop(service, reactor)));
}

static void its_socket_may_be_opened_before(void **state) {
    (void)state;
    check_ok(torc_service_privileged_start(service, NULL));
    check_ok(result_of(torc_service_start(service, reactor)));
    assert_true(connects());
    check_ok(result_of(torc_service_stop(service, reactor)));
    assert_true(connects()); /* the queue of the socket, which is kept */
    check_ok(result_of(torc_service_start(service, reactor)));
    assert_true(connects());
    assert_true(site.count >= 2);
    check_ok(result_of(torc_service_stop(service, reactor)));
}

static void what_cannot_be_listened_on_is_told(void **state) {
    torc_endpoint_error error;
    torc_service *other;

    (void)state;
    check_err(torc_listener_service_new("x", "tcp:none", &site.base, NULL, &error, &other),
              TORC_ERR_SYNTAX);
    assert_true(error.text[0] != '\0');
    check_ok(torc_listener_service_new("x", "unix:/nonexistent/x", &site.base, NULL, NULL, &other));
    assert_true(torc_service_privileged_start(other, NULL) != TORC_OK);
    assert_true(result_of(torc_service_start(other, reactor)) != TORC_OK);
    torc_service_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_listens_from_its_start_to_its_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_socket_may_be_opened_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_listened_on_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
