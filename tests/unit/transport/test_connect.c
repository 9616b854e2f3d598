/* SPDX-License-Identifier: MIT */
/*
 * Connecting by a string, over UNIX sockets: no port is opened. Names are answered by a double,
 * whose addresses are those of UNIX sockets, too.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <torc/connect.h>
#include <torc/fiber.h>
#include <torc/names.h>
#include <torc/testing.h>
#include <unistd.h>

#include "both_pollers.h"
#include "probe.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static probe client;
static char folder[64], path[80], string[100];
static int listening;
static torc_endpoint_error error;

/* Who waits. */
static struct {
    torc_callback callback;
    int fired;
    torc_err err;
    torc_connection *connection;
} waiter;

/* The double of the names: one name at a time. */
static struct {
    torc_resolver base;
    torc_deferred *asked;
    int cancels;
} names;

static void names_cancelled(torc_deferred *deferred, void *context) {
    (void)context;
    names.cancels++;
    names.asked = NULL;
    torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

static torc_deferred *names_resolve(torc_resolver *resolver, torc_reactor *reactor_,
                                    const char *host) {
    assert_ptr_equal(resolver, &names.base);
    assert_string_equal(host, "example.org");
    names.asked = torc_deferred_new(reactor_);
    torc_deferred_set_canceller(names.asked, names_cancelled, NULL);
    return names.asked;
}

static torc_addr addr_of(const char *name) {
    char text[100];
    torc_addr addr = {0};

    snprintf(text, sizeof(text), "%s/%s", folder, name);
    check_ok(torc_addr_parse_unix(torc_str_of(text), &addr));
    return addr;
}

static void answer_names(const char *const *paths, size_t count) {
    torc_addr addrs[4];

    for (size_t i = 0; i < count; i++) addrs[i] = addr_of(paths[i]);
    assert_non_null(names.asked);
    torc_addr_list *list = torc_addr_list_new(reactor, addrs, count);
    assert_non_null(list);
    check_ok(torc_deferred_fire(names.asked, list, torc_addr_list_free));
    names.asked = NULL;
}

static int set_up(bool is_late) {
    probe_init(&client);
    memset(&waiter, 0, sizeof(waiter));
    memset(&names, 0, sizeof(names));
    memset(&error, 0, sizeof(error));
    names.base.resolve = names_resolve;
    strcpy(folder, "/tmp/torc-test-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/x", folder);
    snprintf(string, sizeof(string), "unix:%s", path);
    const torc_addr addr = addr_of("x");
    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(listening, &addr.as.any, addr.len) || listen(listening, 5)) return -1;
    if (new_reactor(is_late, NULL, &reactor)) return -1;
    return torc_names_set_resolver(reactor, &names.base) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    close(listening);
    unlink(path);
    probe_dispose(&client);
    return rmdir(folder);
}

static void fired(torc_callback *callback, torc_err err, void *value) {
    assert_ptr_equal(callback, &waiter.callback);
    waiter.fired++;
    waiter.err = err;
    waiter.connection = value;
}

static torc_deferred *begin(const char *endpoint) {
    const torc_connect_options options = {.size = sizeof(options), .error = &error};
    return torc_connect(reactor, endpoint, &client.factory, &options);
}

static torc_deferred *dial(const char *endpoint) {
    torc_deferred *deferred = begin(endpoint);

    torc_deferred_then(deferred, &waiter.callback, fired);
    assert_int_equal(waiter.fired, 0);
    return deferred;
}

static void settle(void) {
    torc_test_settle(reactor);
}

static void end_client(void) {
    torc_transport_abort(client.base.transport);
    settle();
    assert_int_equal(client.losts, 1);
    assert_int_equal(client.stops, 1);
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
}

static void check_failed(torc_err err, const char *word) {
    assert_int_equal(waiter.fired, 1);
    check_err(waiter.err, err);
    if (!strstr(error.text, word)) fail_msg("`%s` (no `%s`)", error.text, word);
    assert_int_equal(client.builds, 0);
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
}

static void a_connection_is_taken(void **state) {
    torc_protocol *protocol = NULL;

    (void)state;
    (void)dial(string);
    settle();
    assert_int_equal(waiter.fired, 1);
    check_ok(waiter.err);
    check_ok(torc_connection_take(waiter.connection, &protocol));
    assert_ptr_equal(protocol, &client.base);
    assert_int_equal(client.mades, 1);
    assert_string_equal(error.text, "");
    torc_test_advance(reactor, 60000); /* the deadline was that of connecting */
    end_client();
}

static void a_connection_that_nobody_takes_is_aborted(void **state) {
    (void)state;
    (void)dial(string);
    settle();
    torc_connection_drop(waiter.connection);
    settle();
    check_err(client.reason, TORC_ERR_CANCELLED);
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
}

/* Between the firing and the taking the connection is lost. */
static void a_connection_may_be_lost_before_it_is_taken(void **state) {
    torc_protocol *protocol = NULL;

    (void)state;
    (void)dial(string);
    settle();
    torc_transport_abort(client.base.transport);
    settle();
    assert_int_equal(client.losts, 1);
    check_err(torc_connection_take(waiter.connection, &protocol), TORC_ERR_LOST);
    assert_null(protocol);
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
}

static void a_wrong_string_is_told(void **state) {
    (void)state;
    (void)dial("tcp:x:y");
    settle();
    check_failed(TORC_ERR_SYNTAX, "`y`");
    assert_int_equal(error.place, 6);
}

static void nobody_listens(void **state) {
    char wrong[120];

    (void)state;
    snprintf(wrong, sizeof(wrong), "%s-not", string);
    (void)dial(wrong);
    settle();
    check_failed(TORC_ERR_NOT_FOUND, "x-not: there is no such thing");
    assert_int_equal(client.stops, 1);
}

static void an_attempt_can_be_cancelled(void **state) {
    (void)state;
    torc_deferred_cancel(dial(string));
    settle();
    assert_int_equal(waiter.fired, 1);
    check_err(waiter.err, TORC_ERR_CANCELLED);
    assert_int_equal(client.builds, 0);
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
}

static void an_attempt_can_be_dropped(void **state) {
    (void)state;
    torc_deferred_drop(begin(string));
    memset(&error, 'x', sizeof(error)); /* may not be written any more */
    settle();
    assert_int_equal(error.text[0], 'x');
    assert_int_equal(client.builds, 0);
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
}

static void an_attempt_may_take_too_long(void **state) {
    char timed[120];

    (void)state;
    snprintf(timed, sizeof(timed), "%s:timeout=0.5", string);
    (void)dial(timed);
    torc_test_spend_us(reactor, 500 * 1000);
    settle();
    check_failed(TORC_ERR_TIMEOUT, "x: it took too long");
}

static void names_are_resolved(void **state) {
    static const char *const paths[] = {"x"};
    torc_protocol *protocol;

    (void)state;
    (void)dial("tcp:example.org:80");
    settle();
    assert_int_equal(waiter.fired, 0);
    answer_names(paths, 1);
    settle();
    check_ok(waiter.err);
    check_ok(torc_connection_take(waiter.connection, &protocol));
    end_client();
}

static void addresses_are_tried_in_turn(void **state) {
    static const char *const paths[] = {"no", "neither", "x"};
    torc_protocol *protocol;

    (void)state;
    (void)dial("example.org:80");
    settle();
    answer_names(paths, 3);
    settle();
    check_ok(waiter.err);
    assert_int_equal(client.builds, 1);
    check_ok(torc_connection_take(waiter.connection, &protocol));
    end_client();
}

static void all_failures_are_told(void **state) {
    static const char *const paths[] = {"no", "neither"};

    (void)state;
    (void)dial("example.org:80");
    settle();
    answer_names(paths, 2);
    settle();
    check_failed(TORC_ERR_NOT_FOUND, "example.org: /tmp/torc-test");
    assert_non_null(strstr(error.text, "/no: there is no such thing; /tmp"));
    assert_non_null(strstr(error.text, "/neither: there is no such thing"));
}

static void names_may_not_be_there(void **state) {
    (void)state;
    (void)dial("example.org:80");
    settle();
    torc_deferred_fail(names.asked, TORC_ERR_NOT_FOUND);
    settle();
    check_failed(TORC_ERR_NOT_FOUND, "example.org: ");
    assert_true(strlen(error.text) > strlen("example.org: "));
}

static void waiting_for_a_name_can_be_cancelled(void **state) {
    (void)state;
    torc_deferred *deferred = dial("example.org:80");
    settle();
    torc_deferred_cancel(deferred);
    settle();
    check_failed(TORC_ERR_CANCELLED, "");
    assert_int_equal(names.cancels, 1);
}

static void waiting_for_a_name_takes_time(void **state) {
    static const char *const paths[] = {"x"};

    (void)state;
    (void)dial("tcp:example.org:80:timeout=2");
    settle();
    torc_test_advance(reactor, 1500);
    assert_int_equal(waiter.fired, 0);
    answer_names(paths, 1); /* half a second is left for the rest */
    torc_test_spend_us(reactor, 0);
    settle();
    assert_int_equal(waiter.fired, 1);
    check_ok(waiter.err);
    torc_connection_drop(waiter.connection);
    settle();
    memset(&waiter, 0, sizeof(waiter));
    probe_dispose(&client);
    probe_init(&client);
    torc_names_forget(reactor);
    (void)dial("tcp:example.org:80:timeout=2");
    settle();
    torc_test_advance(reactor, 2000);
    settle();
    check_failed(TORC_ERR_TIMEOUT, "example.org: ");
}

static void a_freed_reactor_ends_it(void **state) {
    (void)state;
    torc_deferred_drop(begin("example.org:80"));
    (void)dial(string);
    torc_reactor_free(reactor);
    assert_int_equal(client.mades, client.losts);
    check_ok(torc_test_reactor_new(NULL, &reactor));
}

/* ---- on a fiber ---- */

static torc_err waited;
static torc_protocol *awaited;

static torc_err wait_for_it(void *context) {
    const torc_connect_options options = {.size = sizeof(options), .error = &error};

    waited = torc_connect_await(reactor, context, &client.factory, &options, &awaited);
    return waited;
}

static void a_fiber_waits_for_it(void **state) {
    (void)state;
    check_ok(torc_fiber_spawn(reactor, wait_for_it, string, NULL));
    settle();
    check_ok(waited);
    assert_ptr_equal(awaited, &client.base);
    end_client();
}

static void a_fiber_that_is_cancelled_lets_go(void **state) {
    torc_fiber *fiber;
    char name[] = "example.org:80";

    (void)state;
    check_ok(torc_fiber_spawn(reactor, wait_for_it, name, &fiber));
    settle();
    torc_fiber_cancel(fiber, TORC_ERR_LOST);
    settle();
    check_err(waited, TORC_ERR_LOST);
    assert_int_equal(names.cancels, 1);
    torc_fiber_detach(fiber);
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
}

/* ---- faults ---- */

static void every_allocation_may_fail(void **state) {
    bool has_failed = true;

    (void)state;
    for (uint64_t n = 1; has_failed; n++) {
        assert_true(n < 100);
        probe_dispose(&client);
        probe_init(&client);
        memset(&waiter, 0, sizeof(waiter));
        torc_test_fail_allocation(reactor, n);
        char proxied[120];
        snprintf(proxied, sizeof(proxied), "haproxy:%s", string);
        (void)dial(proxied);
        settle();
        has_failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        assert_int_equal(waiter.fired, 1);
        if (waiter.err)
            check_err(waiter.err, TORC_ERR_NO_MEMORY);
        else
            torc_connection_drop(waiter.connection);
        settle();
        assert_int_equal(client.mades, client.losts);
        assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
        const int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) close(fd);
    }
}

/* What haproxy: sends comes first. */
static void a_proxy_header_is_sent(void **state) {
    char proxied[140], bytes[64];
    torc_protocol *protocol;

    (void)state;
    snprintf(proxied, sizeof(proxied), "haproxy:endpoint=unix\\:%s:version=1", path);
    (void)dial(proxied);
    settle();
    check_ok(waiter.err);
    check_ok(torc_connection_take(waiter.connection, &protocol));
    torc_transport_write(client.base.transport, TORC_STR("hello"));
    settle();
    const int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    const ssize_t len = read(fd, bytes, sizeof(bytes));
    check_str(torc_str_make(bytes, (size_t)len), "PROXY UNKNOWN\r\nhello");
    close(fd);
    end_client();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(a_connection_is_taken),
        BOTH(a_connection_that_nobody_takes_is_aborted),
        BOTH(a_connection_may_be_lost_before_it_is_taken),
        BOTH(a_wrong_string_is_told),
        BOTH(nobody_listens),
        BOTH(an_attempt_can_be_cancelled),
        BOTH(an_attempt_can_be_dropped),
        BOTH(an_attempt_may_take_too_long),
        BOTH(names_are_resolved),
        BOTH(addresses_are_tried_in_turn),
        BOTH(all_failures_are_told),
        BOTH(names_may_not_be_there),
        BOTH(waiting_for_a_name_can_be_cancelled),
        BOTH(waiting_for_a_name_takes_time),
        BOTH(a_freed_reactor_ends_it),
        BOTH(a_fiber_waits_for_it),
        BOTH(a_fiber_that_is_cancelled_lets_go),
        BOTH(every_allocation_may_fail),
        BOTH(a_proxy_header_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
