/* SPDX-License-Identifier: MIT */
/*
 * Connecting, over UNIX sockets: no port is opened. What is TCP's own is in
 * tests/system/test_tcp.c.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <torc/testing.h>
#include <unistd.h>

#include "both_pollers.h"
#include "probe.h"
#include "reactor/reactor.h"
#include "testing/scrambler.h"
#include "transport/connector.h"
#include "transport/filter.h"

static torc_reactor *reactor;
static probe client;
static char folder[64];
static torc_addr addr;
static int listening;
static int failures;
static torc_err failure;
static bool is_inside;

static int set_up(bool is_late) {
    probe_init(&client);
    failures = 0;
    is_inside = false;
    strcpy(folder, "/tmp/torc-test-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    addr = (torc_addr){.len = sizeof(addr.as.un)};
    addr.as.un.sun_family = AF_UNIX;
    snprintf(addr.as.un.sun_path, sizeof(addr.as.un.sun_path), "%s/x.sock", folder);
    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(listening, &addr.as.any, addr.len) || listen(listening, 5)) return -1;
    return new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    if (listening >= 0) close(listening);
    unlink(addr.as.un.sun_path);
    probe_dispose(&client);
    return rmdir(folder);
}

static void failed(torc_factory *factory, void *context, torc_err err) {
    assert_false(is_inside);
    assert_ptr_equal(factory, &client.factory);
    assert_ptr_equal(context, folder);
    failures++;
    failure = err;
}

static torc_err dial(uint64_t timeout_ms, torc_filter_factory *filter) {
    const torc_filters filters = {.factories = {filter}, .count = filter ? 1 : 0};

    is_inside = true;
    const torc_err err =
        torc_dial(reactor, &addr, timeout_ms, &client.factory, &filters, failed, folder);
    is_inside = false;
    return err;
}

static void settle(void) {
    torc_test_settle(reactor);
}

static int answer(void) {
    return accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void a_connection_gets_a_protocol(void **state) {
    char bytes[10];

    (void)state;
    check_ok(torc_connect_addr(reactor, &addr, 1000, &client.factory, failed, folder));
    assert_int_equal(client.builds, 0);
    settle();
    assert_int_equal(client.mades, 1);
    const int fd = answer();
    torc_transport_write(client.base.transport, TORC_STR("hello"));
    settle();
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 5);
    assert_int_equal(write(fd, "hi", 2), 2);
    settle();
    check_got(&client, "hi");
    torc_test_advance(reactor, 5000); /* the deadline was the attempt's */
    assert_int_equal(client.losts, 0);
    close(fd);
    settle();
    torc_transport_close(client.base.transport);
    settle();
    assert_int_equal(client.losts, 1);
    assert_int_equal(client.stops, 1);
    assert_int_equal(failures, 0);
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
}

static void nobody_listens(void **state) {
    (void)state;
    close(listening);
    listening = -1;
    check_ok(dial(1000, NULL));
    assert_int_equal(failures, 0);
    settle();
    assert_int_equal(failures, 1);
    check_err(failure, TORC_ERR_REFUSED);
    assert_int_equal(client.builds, 0);
    assert_int_equal(client.stops, 1);
}

static void there_is_no_such_path(void **state) {
    (void)state;
    strcpy(addr.as.un.sun_path, "/nowhere/at/all");
    check_ok(dial(1000, NULL));
    settle();
    check_err(failure, TORC_ERR_NOT_FOUND);
    snprintf(addr.as.un.sun_path, sizeof(addr.as.un.sun_path), "%s/x.sock", folder);
}

static void no_family_has_no_socket(void **state) {
    const torc_addr none = {0};

    (void)state;
    assert_true(torc_connect_addr(reactor, &none, 0, &client.factory, failed, folder) != TORC_OK);
    settle();
    assert_int_equal(failures, 0);
    assert_int_equal(client.stops, 0);
}

/* The deadline passes before the turn that would tell of the connection. */
static void an_attempt_may_take_too_long(void **state) {
    (void)state;
    check_ok(dial(1000, NULL));
    torc_test_spend_us(reactor, 1000 * 1000);
    settle();
    assert_int_equal(failures, 1);
    check_err(failure, TORC_ERR_TIMEOUT);
    assert_int_equal(client.builds, 0);
    assert_int_equal(client.stops, 1);
}

static void an_attempt_may_take_all_its_time(void **state) {
    (void)state;
    check_ok(dial(1000, NULL));
    torc_test_spend_us(reactor, 999 * 1000);
    settle();
    assert_int_equal(client.mades, 1);
    torc_test_advance(reactor, 1000);
    assert_int_equal(failures, 0);
    assert_int_equal(client.losts, 0);
}

static void a_failing_call_is_the_failure(void **state) {
    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_CONNECT, 1, 1, EACCES);
    check_ok(dial(0, NULL));
    settle();
    assert_int_equal(failures, 1);
    check_err(failure, TORC_ERR_PERMISSION);
}

static void a_factory_may_refuse(void **state) {
    (void)state;
    client.refuses = TORC_ERR_LIMIT;
    check_ok(dial(0, NULL));
    settle();
    assert_int_equal(failures, 1);
    check_err(failure, TORC_ERR_LIMIT);
    const int fd = answer();
    char byte;
    assert_int_equal(read(fd, &byte, 1), 0);
    close(fd);
}

static void filters_stand_in_between(void **state) {
    static torc_scrambler_factory filters;

    (void)state;
    torc_scrambler_factory_init(&filters, 5);
    check_ok(dial(0, &filters.base));
    settle();
    const int fd = answer();
    assert_int_equal(write(fd, "hello, world", 12), 12);
    settle();
    check_got(&client, "hello, world");
    torc_transport_abort(client.base.transport);
    settle();
    check_err(client.reason, TORC_ERR_ABORTED);
    assert_int_equal(failures, 0);
    close(fd);
}

static torc_filter gate;

static void gate_free(torc_filter *filter) {
    assert_ptr_equal(filter, &gate);
}

static torc_err build_gate(torc_filter_factory *factory, torc_transport *below,
                           torc_filter **filter) {
    static const torc_filter_ops ops = {.free = gate_free, .is_gate = true};

    (void)factory;
    torc_filter_init(&gate, below->reactor, &ops);
    *filter = &gate;
    return TORC_OK;
}

/* A handshake is part of connecting. */
static void a_gate_that_stays_shut_takes_too_long(void **state) {
    static torc_filter_factory factory = {.build_filter = build_gate, .refs = 1};

    (void)state;
    check_ok(dial(100, &factory));
    settle();
    assert_int_equal(failures, 0);
    assert_int_equal(client.builds, 0);
    torc_test_advance(reactor, 100);
    settle();
    assert_int_equal(failures, 1);
    check_err(failure, TORC_ERR_TIMEOUT);
}

static void a_gate_that_opens_in_time_is_passed(void **state) {
    static torc_filter_factory factory = {.build_filter = build_gate, .refs = 1};

    (void)state;
    check_ok(dial(100, &factory));
    settle();
    torc_filter_open(&gate);
    assert_int_equal(client.mades, 1);
    torc_test_advance(reactor, 1000);
    settle();
    assert_int_equal(failures, 0);
    assert_int_equal(client.losts, 0);
}

static void a_freed_reactor_ends_the_attempt(void **state) {
    (void)state;
    check_ok(dial(1000, NULL));
    torc_reactor_free(reactor);
    assert_int_equal(client.stops, 1);
    assert_int_equal(failures + client.losts, 1);
    if (failures) check_err(failure, TORC_ERR_STOPPING);
    check_ok(torc_test_reactor_new(NULL, &reactor));
}

static void every_allocation_may_fail(void **state) {
    bool has_failed = true;

    (void)state;
    for (uint64_t n = 1; has_failed; n++) {
        static torc_scrambler_factory filters;

        assert_true(n < 100);
        probe_dispose(&client);
        probe_init(&client);
        failures = 0;
        torc_scrambler_factory_init(&filters, 5);
        torc_test_fail_allocation(reactor, n);
        const torc_err err = dial(0, &filters.base);
        settle();
        has_failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        if (err)
            check_err(err, TORC_ERR_NO_MEMORY);
        else
            assert_int_equal(failures + client.mades, 1);
        if (client.mades) torc_transport_abort(client.base.transport);
        settle();
        assert_int_equal(client.stops, err ? 0 : 1);
        assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
        const int fd = answer();
        if (fd >= 0) close(fd);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(a_connection_gets_a_protocol),
        BOTH(nobody_listens),
        BOTH(there_is_no_such_path),
        BOTH(no_family_has_no_socket),
        BOTH(an_attempt_may_take_too_long),
        BOTH(an_attempt_may_take_all_its_time),
        BOTH(a_failing_call_is_the_failure),
        BOTH(a_factory_may_refuse),
        BOTH(filters_stand_in_between),
        BOTH(a_freed_reactor_ends_the_attempt),
        BOTH(a_gate_that_stays_shut_takes_too_long),
        BOTH(a_gate_that_opens_in_time_is_passed),
        BOTH(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
