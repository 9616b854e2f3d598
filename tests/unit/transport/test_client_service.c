/* SPDX-License-Identifier: MIT */
/*
 * Keeping a connection up, over UNIX sockets and with the test clock.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <torc/client_service.h>
#include <torc/fiber.h>
#include <torc/testing.h>
#include <unistd.h>

#include "both_pollers.h"
#include "probe.h"
#include "reactor/reactor.h"

enum {
    PROBES = 20
};

static torc_reactor *reactor;
static torc_client_service *service;
static char folder[64], path[80], string[100];
static int listening;

/* A factory of many probes. */
static struct {
    torc_factory base;
    probe probes[PROBES];
    int count, stops;
} site;

/* Who waits, and what the service tells. */
static struct {
    torc_callback callback;
    int fired;
    torc_err err;
    void *value;
} waiter;
static int connects, losts;
static torc_deferred *preparing;
static int prepares;

static torc_err build_protocol(torc_factory *factory, torc_transport *transport,
                               torc_protocol **protocol) {
    (void)factory;
    (void)transport;
    assert_true(site.count < PROBES);
    probe_init(&site.probes[site.count]);
    *protocol = &site.probes[site.count++].base;
    return TORC_OK;
}

static void stopped(torc_factory *factory) {
    (void)factory;
    site.stops++;
}

static const torc_factory_ops site_ops = {.build_protocol = build_protocol, .stopped = stopped};

static void open_peer(void) {
    torc_addr addr = {0};

    check_ok(torc_addr_parse_unix(torc_str_of(path), &addr));
    unlink(path);
    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, &addr.as.any, addr.len), 0);
    assert_int_equal(listen(listening, 5), 0);
}

static void close_peer(void) {
    if (listening >= 0) close(listening);
    listening = -1;
    unlink(path);
}

static int set_up(bool is_late) {
    memset(&site, 0, sizeof(site));
    memset(&waiter, 0, sizeof(waiter));
    connects = losts = prepares = 0;
    preparing = NULL;
    site.base.ops = &site_ops;
    service = NULL;
    listening = -1;
    strcpy(folder, "/tmp/torc-test-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/x", folder);
    snprintf(string, sizeof(string), "unix:%s", path);
    return new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_client_service_free(service);
    torc_test_settle(reactor);
    const size_t left = reactor->memory.used[TORC_MEMORY_CONNECTION];
    torc_reactor_free(reactor);
    for (int i = 0; i < site.count; i++) probe_dispose(&site.probes[i]);
    close_peer();
    return rmdir(folder) || left ? -1 : 0;
}

static void was_connected(void *context, torc_protocol *protocol) {
    assert_ptr_equal(context, &site);
    assert_ptr_equal(protocol, &site.probes[site.count - 1].base);
    connects++;
}

static void was_lost(void *context, torc_err reason) {
    assert_ptr_equal(context, &site);
    assert_true(reason != TORC_OK);
    losts++;
}

static torc_deferred *prepare(void *context, torc_protocol *protocol) {
    assert_ptr_equal(context, &site);
    assert_non_null(protocol->transport);
    prepares++;
    preparing = torc_deferred_new(reactor);
    return preparing;
}

static torc_deferred *free_it(void *context, torc_protocol *protocol) {
    (void)context;
    (void)protocol;
    prepares++;
    torc_client_service_free(service);
    service = NULL;
    preparing = torc_deferred_new(reactor);
    return preparing;
}

/* A service whose waits are 1 s, 2 s, 4 s, and then no more. */
static void make(bool prepares_first) {
    const torc_backoff backoff = {.factor_percent = 200, .is_steady = true, .tries_max = 3};
    const torc_client_service_options options = {.size = sizeof(options),
                                                 .backoff = &backoff,
                                                 .prepare = prepares_first ? prepare : NULL,
                                                 .connected = was_connected,
                                                 .lost = was_lost,
                                                 .context = &site};

    check_ok(torc_client_service_new(reactor, string, &site.base, &options, NULL, &service));
}

static void settle(void) {
    torc_test_settle(reactor);
}

static void pass(uint64_t ms) {
    torc_test_advance(reactor, ms);
    settle();
}

static void fired(torc_callback *callback, torc_err err, void *value) {
    assert_ptr_equal(callback, &waiter.callback);
    waiter.fired++;
    waiter.err = err;
    waiter.value = value;
}

static void wait_for(torc_deferred *deferred) {
    memset(&waiter, 0, sizeof(waiter));
    torc_deferred_then(deferred, &waiter.callback, fired);
}

static int answer(void) {
    return accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* The peer leaves, and the protocol closes, as most do. */
static void hang_up(void) {
    close(answer());
    torc_transport_close(site.probes[site.count - 1].base.transport);
    settle();
}

static void it_connects_and_tells(void **state) {
    torc_protocol *protocol = NULL;

    (void)state;
    open_peer();
    make(false);
    assert_null(torc_client_service_protocol(service));
    torc_client_service_start(service);
    torc_client_service_start(service);
    wait_for(torc_client_service_when_connected(service, 0));
    settle();
    assert_int_equal(connects, 1);
    assert_int_equal(waiter.fired, 1);
    check_ok(waiter.err);
    check_ok(torc_connection_take(waiter.value, &protocol));
    assert_ptr_equal(protocol, &site.probes[0].base);
    assert_ptr_equal(torc_client_service_protocol(service), protocol);
    wait_for(torc_client_service_when_connected(service, 0)); /* there is one */
    settle();
    torc_connection_drop(waiter.value); /* which does not end it */
    settle();
    assert_int_equal(site.probes[0].losts, 0);
    pass(100000);
    assert_int_equal(site.count, 1);
}

static void what_is_lost_is_connected_again(void **state) {
    (void)state;
    open_peer();
    make(false);
    torc_client_service_start(service);
    settle();
    for (int i = 0; i < 5; i++) { /* more than the tries: each success begins anew */
        hang_up();
        assert_int_equal(losts, i + 1);
        assert_null(torc_client_service_protocol(service));
        pass(999);
        assert_int_equal(connects, i + 1);
        pass(1);
        assert_int_equal(connects, i + 2);
    }
}

static void failures_wait_longer_and_longer(void **state) {
    (void)state;
    make(false);
    torc_client_service_start(service);
    settle();
    assert_int_equal(torc_client_service_failures(service), 1);
    pass(1000);
    assert_int_equal(torc_client_service_failures(service), 2);
    pass(1999);
    assert_int_equal(torc_client_service_failures(service), 2);
    pass(1);
    assert_int_equal(torc_client_service_failures(service), 3);
    open_peer();
    pass(4000);
    assert_int_equal(connects, 1);
    assert_int_equal(torc_client_service_failures(service), 0);
}

static void who_waits_may_give_up_before_the_service(void **state) {
    (void)state;
    make(false);
    torc_client_service_start(service);
    wait_for(torc_client_service_when_connected(service, 2));
    settle();
    assert_int_equal(waiter.fired, 0);
    pass(1000);
    assert_int_equal(waiter.fired, 1);
    check_err(waiter.err, TORC_ERR_NOT_FOUND);
    wait_for(torc_client_service_when_connected(service, 0));
    pass(2000);
    assert_int_equal(waiter.fired, 0);
    pass(4000); /* the last try */
    check_err(waiter.err, TORC_ERR_NOT_FOUND);
    pass(100000);
    wait_for(torc_client_service_when_connected(service, 0));
    settle();
    check_err(waiter.err, TORC_ERR_STATE); /* it has given up */
    open_peer();
    torc_client_service_start(service); /* and begins anew */
    settle();
    assert_int_equal(connects, 1);
}

static void who_waits_may_cancel(void **state) {
    (void)state;
    make(false);
    torc_client_service_start(service);
    torc_deferred *deferred = torc_client_service_when_connected(service, 1);
    wait_for(deferred);
    torc_deferred_cancel(deferred);
    settle();
    check_err(waiter.err, TORC_ERR_CANCELLED);
    assert_int_equal(waiter.fired, 1);
}

static void a_retry_may_be_asked_for(void **state) {
    (void)state;
    make(false);
    torc_client_service_start(service);
    pass(1000);
    open_peer();
    torc_client_service_retry_now(service);
    settle();
    assert_int_equal(connects, 1);
    torc_client_service_retry_now(service); /* nothing to do */
    settle();
    assert_int_equal(connects, 1);
}

static void stopping_waits_for_the_end(void **state) {
    char bytes[10];

    (void)state;
    open_peer();
    make(false);
    torc_client_service_start(service);
    settle();
    torc_transport_write(site.probes[0].base.transport, TORC_STR("bye"));
    wait_for(torc_client_service_stop(service));
    assert_null(torc_client_service_protocol(service));
    settle();
    assert_int_equal(waiter.fired, 1);
    check_ok(waiter.err);
    assert_int_equal(site.probes[0].losts, 1);
    const int fd = answer();
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 3); /* what was written has left */
    close(fd);
    pass(100000);
    assert_int_equal(site.count, 1);
    wait_for(torc_client_service_stop(service)); /* again is fine */
    settle();
    check_ok(waiter.err);
}

/* A peer that reads nothing holds up the close for some time only. */
static void a_close_that_takes_too_long_is_an_abort(void **state) {
    static char much[4 << 20];

    (void)state;
    open_peer();
    make(false);
    torc_client_service_start(service);
    settle();
    torc_transport_write(site.probes[0].base.transport, torc_str_make(much, sizeof(much)));
    wait_for(torc_client_service_stop(service));
    pass(4999);
    assert_int_equal(waiter.fired, 0);
    pass(1);
    assert_int_equal(waiter.fired, 1);
    check_err(site.probes[0].reason, TORC_ERR_ABORTED);
}

static void it_may_be_stopped_while_it_waits_or_connects(void **state) {
    (void)state;
    make(false);
    torc_client_service_start(service);
    settle();
    wait_for(torc_client_service_stop(service));
    settle();
    check_ok(waiter.err);
    open_peer();
    torc_client_service_start(service);
    wait_for(torc_client_service_stop(service));
    settle();
    assert_int_equal(waiter.fired, 1);
    pass(100000);
    assert_int_equal(connects, 0);
}

static void it_may_be_started_again_while_it_stops(void **state) {
    (void)state;
    open_peer();
    make(false);
    torc_client_service_start(service);
    settle();
    wait_for(torc_client_service_stop(service));
    torc_client_service_start(service);
    settle();
    assert_int_equal(waiter.fired, 1);
    assert_int_equal(connects, 2);
    assert_int_equal(site.probes[0].losts, 1);
    assert_non_null(torc_client_service_protocol(service));
}

static void stopping_tells_who_waits(void **state) {
    (void)state;
    make(false);
    torc_client_service_start(service);
    settle();
    wait_for(torc_client_service_when_connected(service, 0));
    torc_deferred_drop(torc_client_service_stop(service));
    settle();
    check_err(waiter.err, TORC_ERR_CANCELLED);
}

/* ---- preparing ---- */

static void a_connection_is_prepared_first(void **state) {
    (void)state;
    open_peer();
    make(true);
    torc_client_service_start(service);
    wait_for(torc_client_service_when_connected(service, 0));
    settle();
    assert_int_equal(prepares, 1);
    assert_int_equal(connects + waiter.fired, 0);
    assert_null(torc_client_service_protocol(service));
    check_ok(torc_deferred_fire(preparing, NULL, NULL));
    settle();
    assert_int_equal(connects, 1);
    check_ok(waiter.err);
    torc_connection_drop(waiter.value);
}

static void what_cannot_be_prepared_is_a_failure(void **state) {
    (void)state;
    open_peer();
    make(true);
    torc_client_service_start(service);
    wait_for(torc_client_service_when_connected(service, 1));
    settle();
    torc_deferred_fail(preparing, TORC_ERR_PERMISSION);
    settle();
    assert_int_equal(waiter.fired, 1);
    assert_int_equal(site.probes[0].losts, 1);
    assert_int_equal(torc_client_service_failures(service), 1);
    pass(1000);
    assert_int_equal(prepares, 2);
    close(answer());
    hang_up(); /* lost meanwhile */
    assert_int_equal(torc_client_service_failures(service), 2);
    assert_int_equal(connects + losts, 0);
    assert_false(torc_deferred_is_wanted(preparing));
    torc_deferred_fail(preparing, TORC_ERR_CANCELLED);
}

/* ---- the rest ---- */

static torc_err waited;

static torc_err wait_on_fiber(void *context) {
    torc_protocol *protocol = NULL;

    (void)context;
    waited = torc_client_service_await(service, 0, &protocol);
    if (!waited) torc_transport_write(protocol->transport, TORC_STR("hi"));
    return waited;
}

static void a_fiber_waits(void **state) {
    char bytes[8];

    (void)state;
    make(false);
    torc_client_service_start(service);
    check_ok(torc_fiber_spawn(reactor, wait_on_fiber, NULL, NULL));
    settle();
    open_peer();
    pass(1000);
    check_ok(waited);
    const int fd = answer();
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 2);
    close(fd);
}

static void strings_are_read_at_once(void **state) {
    torc_endpoint_error error = {0};

    (void)state;
    check_err(torc_client_service_new(reactor, "tcp:x", &site.base, NULL, &error, &service),
              TORC_ERR_SYNTAX);
    assert_non_null(strstr(error.text, "port"));
    assert_null(service);
}

static void it_may_be_freed_at_any_time(void **state) {
    (void)state;
    open_peer();
    for (int turns = 0; turns < 8; turns++) {
        make(turns % 2 == 1);
        torc_client_service_start(service);
        wait_for(torc_client_service_when_connected(service, 0));
        for (int i = 0; i < turns; i++) check_ok(torc_reactor_turn(reactor, 0));
        torc_client_service_free(service);
        service = NULL;
        settle();
        assert_int_equal(waiter.fired, 1);
        if (!waiter.err) torc_connection_drop(waiter.value);
        if (preparing) torc_deferred_fail(preparing, TORC_ERR_CANCELLED);
        preparing = NULL;
        settle();
        assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
        const int fd = answer();
        if (fd >= 0) close(fd);
    }
}

static void it_may_be_freed_while_it_prepares(void **state) {
    const torc_client_service_options options = {
        .size = sizeof(options), .prepare = free_it, .context = &site};

    (void)state;
    open_peer();
    check_ok(torc_client_service_new(reactor, string, &site.base, &options, NULL, &service));
    torc_client_service_start(service);
    wait_for(torc_client_service_when_connected(service, 0));
    settle();
    assert_int_equal(prepares, 1);
    assert_null(service);
    check_err(waiter.err, TORC_ERR_CANCELLED);
    assert_int_equal(site.probes[0].losts, 1);
    check_err(torc_deferred_fail(preparing, TORC_ERR_CANCELLED), TORC_ERR_CANCELLED);
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
    close(answer());
}

static void every_allocation_may_fail(void **state) {
    bool has_failed = true;

    (void)state;
    open_peer();
    for (uint64_t n = 1; has_failed; n++) {
        assert_true(n < 60);
        torc_test_fail_allocation(reactor, n);
        const torc_err err =
            torc_client_service_new(reactor, string, &site.base, NULL, NULL, &service);
        if (!err) {
            torc_client_service_start(service);
            wait_for(torc_client_service_when_connected(service, 0));
            pass(5000); /* the next try goes well */
            has_failed = torc_test_allocation_failed(reactor);
            assert_int_equal(waiter.fired, 1);
            if (waiter.err) check_err(waiter.err, TORC_ERR_NO_MEMORY);
            if (!waiter.err) torc_connection_drop(waiter.value);
            assert_non_null(torc_client_service_protocol(service));
        } else {
            check_err(err, TORC_ERR_NO_MEMORY);
        }
        torc_test_fail_allocation(reactor, 0);
        torc_client_service_free(service);
        service = NULL;
        settle();
        assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
        for (int fd; (fd = answer()) >= 0;) close(fd);
        for (int i = 0; i < site.count; i++) probe_dispose(&site.probes[i]);
        site.count = 0;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(it_connects_and_tells),
        BOTH(what_is_lost_is_connected_again),
        BOTH(failures_wait_longer_and_longer),
        BOTH(who_waits_may_give_up_before_the_service),
        BOTH(who_waits_may_cancel),
        BOTH(a_retry_may_be_asked_for),
        BOTH(stopping_waits_for_the_end),
        BOTH(a_close_that_takes_too_long_is_an_abort),
        BOTH(it_may_be_stopped_while_it_waits_or_connects),
        BOTH(it_may_be_started_again_while_it_stops),
        BOTH(stopping_tells_who_waits),
        BOTH(a_connection_is_prepared_first),
        BOTH(what_cannot_be_prepared_is_a_failure),
        BOTH(a_fiber_waits),
        BOTH(strings_are_read_at_once),
        BOTH(it_may_be_freed_at_any_time),
        BOTH(it_may_be_freed_while_it_prepares),
        BOTH(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
