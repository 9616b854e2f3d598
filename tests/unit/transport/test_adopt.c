/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <torc/connect.h>

#include "both_pollers.h"
#include "staged.h"

static probe client;
static int ends[2];

static int set_up(bool is_late) {
    probe_init(&client);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) return -1;
    return staged_set_up(is_late);
}

static int tear_down(void **state) {
    close(ends[1]);
    probe_dispose(&client);
    return staged_tear_down(state);
}

static torc_err adopt(int fd) {
    return torc_adopt_connection(staged.reactor, fd, &client.factory, NULL);
}

static void a_connection_from_elsewhere_gets_a_protocol(void **state) {
    (void)state;
    check_ok(adopt(ends[0]));
    assert_int_equal(client.builds, 0); /* later */
    assert_int_equal(write(ends[1], "hello", 5), 5);
    staged_settle();
    check_got(&client, "hello");
    assert_true(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
    torc_transport_close(client.base.transport);
    staged_settle();
    assert_int_equal(client.losts, 1);
    assert_int_equal(client.stops, 1);
}

static void what_is_no_connection_is_refused(void **state) {
    const int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int pipes[2], datagrams[2];

    (void)state;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, datagrams), 0);
    assert_true(adopt(pipes[0]) != TORC_OK);
    check_err(adopt(datagrams[0]), TORC_ERR_INVALID);
    check_err(adopt(listening), TORC_ERR_INVALID);
    assert_true(adopt(-1) != TORC_OK);
    const int fds[] = {listening, pipes[0], pipes[1], datagrams[0], datagrams[1]};
    for (size_t i = 0; i < TORC_COUNT_OF(fds); i++) assert_int_equal(close(fds[i]), 0);
    assert_int_equal(client.stops, 0);
    close(ends[0]);
}

static void a_reactor_may_be_freed_before_it_is_built(void **state) {
    (void)state;
    check_ok(adopt(ends[0]));
    torc_reactor_free(staged.reactor);
    assert_int_equal(client.stops, 1);
    assert_int_equal(client.mades, client.losts);
    check_ok(torc_test_reactor_new(NULL, &staged.reactor));
}

static void every_allocation_may_fail(void **state) {
    torc_err err = TORC_ERR_NO_MEMORY;

    (void)state;
    for (uint64_t n = 1; err; n++) {
        assert_true(n < 20);
        torc_test_fail_allocation(staged.reactor, n);
        err = adopt(ends[0]);
        torc_test_fail_allocation(staged.reactor, 0);
        if (err) check_err(err, TORC_ERR_NO_MEMORY);
    }
    staged_settle();
    assert_int_equal(client.mades, 1);
    torc_transport_abort(client.base.transport);
    staged_settle();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(a_connection_from_elsewhere_gets_a_protocol),
        BOTH(what_is_no_connection_is_refused),
        BOTH(a_reactor_may_be_freed_before_it_is_built),
        BOTH(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
