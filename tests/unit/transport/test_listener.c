/* SPDX-License-Identifier: MIT */
/*
 * Listening, over UNIX sockets: no port is opened. What is TCP's own is in tests/system/test_tcp.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <torc/log.h>
#include <torc/testing.h>
#include <unistd.h>

#include "both_pollers.h"
#include "probe.h"
#include "reactor/reactor.h"
#include "testing/scrambler.h"
#include "transport/listener.h"

enum {
    PROBES = 200
};

static torc_reactor *reactor;
static torc_listener *listener;
static char folder[64], path[80];

/* A factory of many probes. */
static struct {
    torc_factory base;
    torc_err refuses;
    probe probes[PROBES];
    int count, stops;
} site;

static torc_err build_protocol(torc_factory *factory, torc_transport *transport,
                               torc_protocol **protocol) {
    (void)factory;
    (void)transport;
    if (site.refuses) return site.refuses;
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

static int set_up(bool is_late) {
    memset(&site, 0, sizeof(site));
    site.base.ops = &site_ops;
    listener = NULL;
    strcpy(folder, "/tmp/torc-test-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/x.sock", folder);
    return new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_listener_close(listener);
    torc_reactor_free(reactor);
    for (int i = 0; i < site.count; i++) probe_dispose(&site.probes[i]);
    unlink(path);
    return rmdir(folder);
}

static void settle(void) {
    torc_test_settle(reactor);
}

static torc_endpoint endpoint_of(const char *arguments) {
    char string[160];
    torc_endpoint endpoint = {0};

    snprintf(string, sizeof(string), "unix:%s%s", path, arguments);
    check_ok(torc_endpoint_parse(torc_str_of(string), &endpoint, NULL));
    return endpoint;
}

static torc_err listen_with(const torc_listen_options *given, torc_filter_factory *lower,
                            torc_filter_factory *upper, torc_str refusal) {
    const torc_endpoint endpoint = endpoint_of("");
    torc_listen_options options = {.size = sizeof(options)};
    torc_filters filters = {.factories = {lower, upper}, .count = upper ? 2 : 1};

    if (given) options = *given;
    options.filters = lower ? &filters : NULL;
    return torc_listener_new(reactor, &endpoint, &site.base, &options, refusal, &listener);
}

static void listen_plainly(void) {
    check_ok(listen_with(NULL, NULL, NULL, TORC_STR("")));
}

/* A client: a non-blocking socket; -1: nobody listens. */
static int dial(void) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    assert_true(fd >= 0);
    strcpy(addr.sun_path, path);
    if (connect(fd, (struct sockaddr *)(void *)&addr, sizeof(addr)) == 0) return fd;
    close(fd);
    return -1;
}

static int call(void) {
    const int fd = dial();

    assert_true(fd >= 0);
    return fd;
}

static torc_str receive(int fd, char *bytes, size_t max) {
    const ssize_t len = read(fd, bytes, max);
    return torc_str_make(bytes, len > 0 ? (size_t)len : 0);
}

static bool has_ended(int fd) {
    char byte;
    return read(fd, &byte, 1) == 0;
}

static void connections_get_protocols(void **state) {
    char bytes[100];

    (void)state;
    listen_plainly();
    const int one = call(), two = call();
    settle();
    assert_int_equal(site.count, 2);
    assert_int_equal(torc_listener_connections(listener), 2);
    assert_int_equal(write(one, "hello", 5), 5);
    settle();
    check_got(&site.probes[0], "hello");
    assert_int_equal(site.probes[1].len, 0);
    torc_transport_write(site.probes[1].base.transport, TORC_STR("hi"));
    settle();
    check_str(receive(two, bytes, sizeof(bytes)), "hi");
    close(one);
    settle();
    torc_transport_close(site.probes[0].base.transport);
    settle();
    assert_int_equal(site.probes[0].losts, 1);
    assert_int_equal(torc_listener_connections(listener), 1);
    close(two);
}

static void many_are_accepted(void **state) {
    int fds[150];

    (void)state;
    listen_plainly();
    for (size_t i = 0; i < TORC_COUNT_OF(fds); i++) fds[i] = call();
    settle();
    assert_int_equal(site.count, TORC_COUNT_OF(fds));
    assert_int_equal(listener->accepted.value, TORC_COUNT_OF(fds));
    for (size_t i = 0; i < TORC_COUNT_OF(fds); i++) close(fds[i]);
}

static void the_address_is_told(void **state) {
    char text[TORC_ADDR_TEXT_MAX];

    (void)state;
    listen_plainly();
    const int fd = call();
    settle();
    torc_addr addr = torc_listener_addr(listener);
    assert_string_equal(torc_addr_text(&addr, text).bytes, path);
    addr = torc_transport_host(site.probes[0].base.transport);
    assert_string_equal(torc_addr_text(&addr, text).bytes, path);
    addr = torc_transport_peer(site.probes[0].base.transport);
    assert_int_equal(torc_addr_family(&addr), AF_UNIX);
    check_err(torc_transport_set_no_delay(site.probes[0].base.transport, true),
              TORC_ERR_UNSUPPORTED);
    close(fd);
}

static void the_file_has_its_mode(void **state) {
    const torc_endpoint endpoint = endpoint_of(":mode=620");
    struct stat about;

    (void)state;
    check_ok(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener));
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0620);
}

static void the_file_goes_with_the_listener(void **state) {
    (void)state;
    listen_plainly();
    const int fd = call();
    settle();
    torc_listener_close(listener);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(dial(), -1);
    settle();
    assert_int_equal(site.probes[0].losts, 0); /* connections go on */
    assert_int_equal(site.stops, 0);
    assert_int_equal(write(fd, "hello", 5), 5);
    settle();
    check_got(&site.probes[0], "hello");
    torc_transport_close(site.probes[0].base.transport);
    settle();
    assert_int_equal(site.probes[0].losts, 1);
    assert_int_equal(site.stops, 1);
    listener = NULL; /* freed with its last connection */
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
    close(fd);
}

static void a_stopped_listener_can_still_be_asked(void **state) {
    (void)state;
    listen_plainly();
    const int one = call();
    settle();
    torc_listener_stop(listener);
    torc_listener_stop(listener);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(dial(), -1);
    settle();
    assert_int_equal(torc_listener_connections(listener), 1);
    torc_transport_abort(site.probes[0].base.transport);
    settle();
    assert_int_equal(torc_listener_connections(listener), 0);
    assert_int_equal(site.stops, 0);
    torc_listener_resume(listener); /* there is nothing to resume */
    torc_listener_close(listener);
    listener = NULL;
    assert_int_equal(site.stops, 1);
    close(one);
}

static void a_stopped_listener_can_listen_again(void **state) {
    (void)state;
    listen_plainly();
    check_ok(torc_listener_start(listener)); /* it does */
    const int one = call();
    settle();
    for (int i = 0; i < 3; i++) {
        torc_listener_stop(listener);
        assert_int_equal(dial(), -1);
        settle();
        check_ok(torc_listener_start(listener));
        const int fd = call();
        settle();
        assert_int_equal(site.count, i + 2);
        close(fd);
    }
    assert_int_equal(site.probes[0].losts, 0); /* connections of before go on */
    assert_int_equal(torc_listener_connections(listener), 4);
    torc_listener_stop(listener);
    check_err(torc_listener_start(listener), TORC_ERR_BUSY); /* in one turn */
    settle();
    torc_listener_pause(listener);
    check_ok(torc_listener_start(listener));
    const int last = call();
    settle();
    assert_int_equal(site.count, 4); /* it is paused still */
    torc_listener_resume(listener);
    settle();
    assert_int_equal(site.count, 5);
    close(one), close(last);
}

static void starting_again_may_fail(void **state) {
    (void)state;
    listen_plainly();
    settle();
    torc_listener_stop(listener);
    settle();
    const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    check_err(torc_listener_start(listener), TORC_ERR_ADDRESS_IN_USE);
    close(fd);
    unlink(path);
    check_ok(torc_listener_start(listener));
    const int client = call();
    settle();
    assert_int_equal(site.count, 1);
    close(client);
}

static void a_lock_is_held_while_it_listens(void **state) {
    const torc_endpoint endpoint = endpoint_of(":lockfile=1");
    torc_listener *other = NULL;
    char lock[100];

    (void)state;
    snprintf(lock, sizeof(lock), "%s.lock", path);
    check_ok(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener));
    assert_int_equal(access(lock, F_OK), 0);
    unlink(path); /* nothing to see there, but the lock */
    check_err(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &other),
              TORC_ERR_ADDRESS_IN_USE);
    torc_listener_stop(listener);
    assert_int_equal(access(lock, F_OK), -1);
    settle();
    check_ok(torc_listener_start(listener));
    assert_int_equal(access(lock, F_OK), 0);
    torc_listener_close(listener);
    listener = NULL;
    assert_int_equal(access(lock, F_OK), -1);
    const int stale = open(lock, O_CREAT | O_WRONLY | O_CLOEXEC, 0600); /* held by nobody */
    close(stale);
    check_ok(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener));
    torc_listener_close(listener);
    listener = NULL;
}

static void the_file_has_its_owner(void **state) {
    char arguments[60];
    struct stat about;

    (void)state;
    snprintf(arguments, sizeof(arguments), ":owner=%u:group=%u", (unsigned)getuid(),
             (unsigned)getgid());
    const torc_endpoint endpoint = endpoint_of(arguments);
    check_ok(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener));
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_uid, getuid());
    assert_int_equal(about.st_gid, getgid());
}

static void what_an_endpoint_asks_for_stands_in_between(void **state) {
    char string[160], bytes[20];
    torc_endpoint endpoint;

    (void)state;
    snprintf(string, sizeof(string), "haproxy:endpoint=unix\\:%s:allow=unix\\:", path);
    check_ok(torc_endpoint_parse(torc_str_of(string), &endpoint, NULL));
    check_ok(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener));
    const int fd = call();
    settle();
    assert_int_equal(site.count, 0);
    assert_int_equal(write(fd, "PROXY TCP4 192.0.2.7 192.0.2.8 5 80\r\nhello", 42), 42);
    settle();
    assert_int_equal(site.count, 1);
    check_got(&site.probes[0], "hello");
    const torc_addr peer = torc_transport_peer(site.probes[0].base.transport);
    char text[TORC_ADDR_TEXT_MAX];
    assert_string_equal(torc_addr_text(&peer, text).bytes, "192.0.2.7:5");
    torc_transport_write(site.probes[0].base.transport, TORC_STR("hi"));
    settle();
    check_str(receive(fd, bytes, sizeof(bytes)), "hi");
    close(fd);
}

static void tls_without_a_certificate_does_not_listen(void **state) {
    char string[160];
    torc_endpoint endpoint;

    (void)state;
    snprintf(string, sizeof(string), "ssl:endpoint=unix\\:%s", path);
    check_ok(torc_endpoint_parse(torc_str_of(string), &endpoint, NULL));
    check_err(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener),
              TORC_ERR_INVALID);
    assert_null(listener);
    assert_int_equal(dial(), -1);
}

static void the_file_goes_with_the_reactor(void **state) {
    (void)state;
    listen_plainly();
    const int fd = call();
    settle();
    torc_reactor_free(reactor);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(site.stops, 1);
    assert_int_equal(site.probes[0].losts, 1);
    check_err(site.probes[0].reason, TORC_ERR_STOPPING);
    listener = NULL;
    close(fd);
    check_ok(torc_test_reactor_new(NULL, &reactor));
}

static void a_file_that_nobody_listens_on_is_replaced(void **state) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    strcpy(addr.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)(void *)&addr, sizeof(addr)), 0);
    close(fd);
    listen_plainly();
    const int client = call();
    settle();
    assert_int_equal(site.count, 1);
    close(client);
}

static void a_file_that_somebody_listens_on_is_not(void **state) {
    torc_listener *other = NULL;
    const torc_endpoint endpoint = endpoint_of("");

    (void)state;
    listen_plainly();
    check_err(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &other),
              TORC_ERR_ADDRESS_IN_USE);
    assert_null(other);
    settle();
    const int asked = site.count; /* a connection asked who listens, and went away */
    const int client = call();
    settle();
    assert_int_equal(site.count, asked + 1);
    close(client);
}

static void nor_is_one_that_is_no_socket(void **state) {
    const torc_endpoint endpoint = endpoint_of("");
    const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    (void)state;
    close(fd);
    check_err(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener),
              TORC_ERR_ADDRESS_IN_USE);
    assert_int_equal(access(path, F_OK), 0);
}

static void a_descriptor_may_be_inherited(void **state) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    torc_endpoint endpoint = {.fd = fd};

    (void)state;
    strcpy(addr.sun_path, path);
    check_err(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener),
              TORC_ERR_INVALID); /* not listening */
    assert_int_equal(bind(fd, (struct sockaddr *)(void *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(fd, 5), 0);
    check_ok(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener));
    const int client = call();
    settle();
    assert_int_equal(site.count, 1);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    torc_listener_close(listener);
    listener = NULL;
    settle();
    assert_int_equal(access(path, F_OK), 0); /* the file is whose who made it */
    close(client);
}

static void what_is_no_socket_cannot_be_inherited(void **state) {
    torc_endpoint endpoint = {.fd = open("/dev/null", O_RDONLY | O_CLOEXEC)};

    (void)state;
    assert_true(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener) != TORC_OK);
    assert_int_equal(close(endpoint.fd), 0); /* it is still the caller's */
    endpoint.fd = 60000;
    assert_true(torc_endpoint_listen(reactor, &endpoint, &site.base, NULL, &listener) != TORC_OK);
    assert_null(listener);
}

static void pausing_leaves_them_in_the_queue(void **state) {
    (void)state;
    listen_plainly();
    torc_listener_pause(listener);
    settle();
    const int one = call(), two = call();
    settle();
    assert_true(site.count <= 1); /* one was on its way, perhaps */
    torc_listener_resume(listener);
    settle();
    assert_int_equal(site.count, 2);
    close(one);
    close(two);
}

static void more_than_the_maximum_is_refused(void **state) {
    const torc_listen_options options = {.size = sizeof(options), .connections_max = 2};
    char bytes[100];

    (void)state;
    check_ok(listen_with(&options, NULL, NULL, TORC_STR("503 later")));
    const int one = call(), two = call();
    settle();
    assert_int_equal(site.count, 2);
    const int three = call();
    settle();
    assert_int_equal(site.count, 2);
    assert_int_equal(listener->refused.value, 1);
    check_str(receive(three, bytes, sizeof(bytes)), "503 later");
    assert_true(has_ended(three));
    torc_transport_abort(site.probes[0].base.transport);
    settle();
    const int four = call();
    settle();
    assert_int_equal(site.count, 3);
    close(one), close(two), close(three), close(four);
}

static void a_refusal_is_not_lost_to_a_reset(void **state) {
    const torc_listen_options options = {.size = sizeof(options), .connections_max = 1};
    char bytes[100];

    (void)state;
    check_ok(listen_with(&options, NULL, NULL, TORC_STR("503 later")));
    const int one = call();
    settle();
    const int two = call();
    assert_int_equal(write(two, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    settle();
    check_str(receive(two, bytes, sizeof(bytes)), "503 later");
    assert_true(has_ended(two)); /* and not ECONNRESET */
    close(one), close(two);
}

static void a_factory_may_refuse(void **state) {
    (void)state;
    listen_plainly();
    site.refuses = TORC_ERR_LIMIT;
    const int fd = call();
    settle();
    assert_true(has_ended(fd));
    assert_int_equal(torc_listener_connections(listener), 0);
    close(fd);
}

static void filters_stand_in_between(void **state) {
    static torc_scrambler_factory lower, upper;
    char bytes[100];

    (void)state;
    torc_scrambler_factory_init(&lower, 1);
    torc_scrambler_factory_init(&upper, 100);
    check_ok(listen_with(NULL, &lower.base, &upper.base, TORC_STR("")));
    const int fd = call();
    settle();
    assert_int_equal(lower.seed, 2);
    assert_int_equal(upper.seed, 101);
    assert_int_equal(write(fd, "hello, world", 12), 12);
    settle();
    check_got(&site.probes[0], "hello, world");
    torc_transport_write(site.probes[0].base.transport, TORC_STR("hi"));
    torc_transport_close(site.probes[0].base.transport);
    settle();
    check_str(receive(fd, bytes, 2), "hi");
    assert_true(has_ended(fd));
    assert_int_equal(torc_listener_connections(listener), 0);
    close(fd);
}

static void the_maximum_of_the_output_holds_above_filters(void **state) {
    const torc_listen_options options = {.size = sizeof(options), .output_max = 1000};
    static torc_scrambler_factory factory;
    static const char bytes[1001];

    (void)state;
    torc_scrambler_factory_init(&factory, 1);
    check_ok(listen_with(&options, &factory.base, NULL, TORC_STR("")));
    const int fd = call();
    settle();
    torc_transport_write(site.probes[0].base.transport, torc_str_make(bytes, sizeof(bytes)));
    settle();
    check_err(site.probes[0].reason, TORC_ERR_LIMIT);
    close(fd);
}

static torc_err refuse_filter(torc_filter_factory *factory, torc_transport *below,
                              torc_filter **filter) {
    (void)factory;
    (void)below;
    (void)filter;
    return TORC_ERR_UNSUPPORTED;
}

static void a_filter_that_cannot_be_made_is_the_end(void **state) {
    static torc_scrambler_factory lower;
    static torc_filter_factory upper = {.build_filter = refuse_filter, .refs = 1};

    (void)state;
    torc_scrambler_factory_init(&lower, 1);
    check_ok(listen_with(NULL, &lower.base, &upper, TORC_STR("")));
    const size_t before = reactor->memory.used[TORC_MEMORY_CONNECTION];
    const int fd = call();
    settle();
    assert_int_equal(site.count, 0);
    assert_true(has_ended(fd));
    assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], before);
    close(fd);
}

/* No descriptor is left: nothing spins, and later it goes on. */
static void a_full_table_is_survived(void **state) {
    (void)state;
    listen_plainly();
    settle();
    torc_test_fail_calls(reactor, TORC_TEST_ACCEPT, 1, 1000000, EMFILE);
    const int one = call(), two = call();
    settle();
    assert_int_equal(torc_test_call_count(reactor, TORC_TEST_ACCEPT), 1);
    assert_int_equal(listener->exhausted.value, 1);
    torc_test_advance(reactor, 99);
    assert_int_equal(torc_test_call_count(reactor, TORC_TEST_ACCEPT), 1);
    torc_test_advance(reactor, 1);
    assert_int_equal(torc_test_call_count(reactor, TORC_TEST_ACCEPT), 2);
    torc_test_fail_calls(reactor, TORC_TEST_ACCEPT, 0, 0, 0);
    const int three = call();
    torc_test_advance(reactor, 100);
    assert_int_equal(site.count, 1); /* the two others were told by a close */
    assert_true(has_ended(one));
    assert_true(has_ended(two));
    close(one), close(two), close(three);
}

static int count_lines(const torc_buf *logged, const char *text) {
    torc_str rest = torc_buf_str(logged);
    int count = 0;

    for (ptrdiff_t at; (at = torc_str_find(rest, torc_str_of(text))) >= 0; count++)
        rest = torc_str_from(rest, (size_t)at + 1);
    return count;
}

/* However long descriptors are scarce, and whatever is accepted in between: two lines. */
static void a_full_table_is_logged_once(void **state) {
    torc_log *log;
    torc_buf logged;

    (void)state;
    torc_buf_init(&logged, NULL, TORC_MEMORY_OTHER, 100000);
    check_ok(torc_log_new_buf(NULL, &logged, TORC_LOG_FORMAT_JSON, &log));
    reactor->log = log;
    listen_plainly();
    settle();
    for (int i = 0; i < 20; i++) {
        torc_test_fail_calls(reactor, TORC_TEST_ACCEPT, 1, 1, EMFILE);
        const int refused = call();
        settle();
        const int fd = call();
        torc_test_advance(reactor, 100); /* it is accepted */
        close(refused), close(fd);
    }
    assert_int_equal(count_lines(&logged, "cannot accept"), 1);
    assert_int_equal(count_lines(&logged, "accepting again"), 0);
    torc_test_advance(reactor, 10000);
    const int fd = call();
    settle();
    assert_int_equal(count_lines(&logged, "accepting again"), 1);
    assert_int_equal(count_lines(&logged, "\"failures\":20"), 1);
    close(fd);
    reactor->log = NULL;
    torc_log_free(log);
    torc_buf_dispose(&logged);
}

static void pausing_and_a_full_table_go_together(void **state) {
    (void)state;
    listen_plainly();
    settle();
    torc_test_fail_calls(reactor, TORC_TEST_ACCEPT, 1, 1, EMFILE);
    const int one = call();
    settle();
    torc_listener_pause(listener);
    const int two = call();
    torc_test_advance(reactor, 1000);
    assert_int_equal(site.count, 0);
    torc_listener_resume(listener);
    settle();
    assert_int_equal(site.count, 1);
    close(one), close(two);
}

static void closing_ends_the_wait_for_descriptors(void **state) {
    (void)state;
    listen_plainly();
    torc_test_fail_calls(reactor, TORC_TEST_ACCEPT, 1, 1, EMFILE);
    const int one = call();
    settle();
    torc_listener_close(listener);
    listener = NULL;
    torc_test_advance(reactor, 1000);
    assert_int_equal(site.stops, 1);
    close(one);
}

static void its_metrics_go_with_it(void **state) {
    (void)state;
    listen_plainly();
    assert_non_null(
        torc_metrics_find(torc_reactor_metrics(reactor), TORC_STR("connections_accepted")));
    torc_listener_close(listener);
    listener = NULL;
    settle();
    assert_null(torc_metrics_find(torc_reactor_metrics(reactor), TORC_STR("connections_accepted")));
}

static void what_cannot_be_registered_leaves_nothing(void **state) {
    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_REGISTER, 1, 1, ENOSPC);
    if (listen_with(NULL, NULL, NULL, TORC_STR(""))) assert_int_equal(access(path, F_OK), -1);
}

/* With the n-th allocation failing: no listener, or one that refuses some and goes on. */
static void every_allocation_may_fail(void **state) {
    bool has_failed = true;

    (void)state;
    for (uint64_t n = 1; has_failed; n++) {
        static torc_scrambler_factory factory;
        const torc_listen_options options = {.size = sizeof(options),
                                             .connections_per_address_max = 5};
        const size_t before = reactor->memory.used[TORC_MEMORY_CONNECTION];
        int clients[2] = {-1, -1};

        assert_true(n < 200);
        torc_scrambler_factory_init(&factory, 1);
        listener = NULL;
        torc_test_fail_allocation(reactor, n);
        const torc_err err = listen_with(&options, &factory.base, NULL, TORC_STR("503"));
        for (int i = 0; i < 2 && !err; i++) {
            clients[i] = call();
            settle();
        }
        has_failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        if (err) {
            check_err(err, TORC_ERR_NO_MEMORY);
            assert_int_equal(access(path, F_OK), -1);
        } else {
            assert_true(site.count >= (has_failed ? 1 : 2));
        }
        torc_listener_close(listener);
        for (int i = 0; i < site.count; i++)
            if (!site.probes[i].losts) torc_transport_abort(site.probes[i].base.transport);
        for (int i = 0; i < 2; i++)
            if (clients[i] >= 0) close(clients[i]);
        settle();
        for (int i = 0; i < site.count; i++) probe_dispose(&site.probes[i]);
        site.count = 0;
        listener = NULL;
        assert_int_equal(reactor->memory.used[TORC_MEMORY_CONNECTION], before);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(connections_get_protocols),
        BOTH(many_are_accepted),
        BOTH(the_address_is_told),
        BOTH(the_file_has_its_mode),
        BOTH(the_file_goes_with_the_listener),
        BOTH(a_stopped_listener_can_still_be_asked),
        BOTH(a_stopped_listener_can_listen_again),
        BOTH(starting_again_may_fail),
        BOTH(a_lock_is_held_while_it_listens),
        BOTH(the_file_has_its_owner),
        BOTH(what_an_endpoint_asks_for_stands_in_between),
        BOTH(tls_without_a_certificate_does_not_listen),
        BOTH(the_file_goes_with_the_reactor),
        BOTH(a_file_that_nobody_listens_on_is_replaced),
        BOTH(a_file_that_somebody_listens_on_is_not),
        BOTH(nor_is_one_that_is_no_socket),
        BOTH(a_descriptor_may_be_inherited),
        BOTH(what_is_no_socket_cannot_be_inherited),
        BOTH(pausing_leaves_them_in_the_queue),
        BOTH(more_than_the_maximum_is_refused),
        BOTH(a_refusal_is_not_lost_to_a_reset),
        BOTH(a_factory_may_refuse),
        BOTH(filters_stand_in_between),
        BOTH(the_maximum_of_the_output_holds_above_filters),
        BOTH(a_filter_that_cannot_be_made_is_the_end),
        BOTH(a_full_table_is_survived),
        BOTH(a_full_table_is_logged_once),
        BOTH(pausing_and_a_full_table_go_together),
        BOTH(closing_ends_the_wait_for_descriptors),
        BOTH(its_metrics_go_with_it),
        BOTH(what_cannot_be_registered_leaves_nothing),
        BOTH(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
