/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_STAGED_H
#define TORC_TESTS_STAGED_H

#include <errno.h>
#include <sys/socket.h>
#include <torc/log.h>
#include <torc/testing.h>
#include <unistd.h>

#include "probe.h"
#include "reactor/reactor.h"
#include "transport/filter.h"
#include "transport/stream.h"

/*
 * Connections with filters and a probe on them, each over a pair of sockets whose other end is the
 * test's; over epoll and over the late double.
 */
enum {
    STAGED_MAX = 8
};

typedef struct staged_connection {
    probe probe;
    int fd;
    char heard[4096]; /* the last that staged_hear() returned */
} staged_connection;

static struct {
    torc_reactor *reactor;
    torc_log *log;
    torc_buf logged;
    torc_stages stages;
    torc_factory factory;
    staged_connection connections[STAGED_MAX];
    int count, builts, failures;
    torc_err failure; /* of the last that could not be built */
} staged;

static inline torc_err staged_build_protocol(torc_factory *factory, torc_transport *transport,
                                             torc_protocol **protocol) {
    staged_connection *connection = &staged.connections[staged.count - 1];

    (void)factory;
    return connection->probe.factory.ops->build_protocol(&connection->probe.factory, transport,
                                                         protocol);
}

static inline void staged_built(torc_stages *stages, torc_transport *top, torc_err err) {
    assert_ptr_equal(stages, &staged.stages);
    assert_non_null(top);
    staged.builts++;
    if (!err) return;
    staged.failures++;
    staged.failure = err;
}

static inline int staged_set_up(bool is_late) {
    static const torc_factory_ops ops = {.build_protocol = staged_build_protocol};
    torc_reactor_options options = {.size = sizeof(options)};

    memset(&staged, 0, sizeof(staged));
    staged.factory.ops = &ops;
    torc_buf_init(&staged.logged, NULL, TORC_MEMORY_OTHER, 1000000);
    check_ok(torc_log_new_buf(NULL, &staged.logged, TORC_LOG_FORMAT_JSON, &staged.log));
    options.log = staged.log;
    check_ok(is_late ? torc_test_reactor_new_late(&options, &staged.reactor)
                     : torc_test_reactor_new(&options, &staged.reactor));
    return 0;
}

static inline int staged_set_up_epoll(void **state) {
    (void)state;
    return staged_set_up(false);
}

static inline int staged_set_up_late(void **state) {
    (void)state;
    return staged_set_up(true);
}

static inline void staged_close_all(void) {
    for (int i = 0; i < staged.count; i++) {
        assert_int_equal(staged.connections[i].probe.losts, staged.connections[i].probe.mades);
        close(staged.connections[i].fd);
        probe_dispose(&staged.connections[i].probe);
    }
    staged.count = 0;
}

/* End all connections, from this side. */
static inline void staged_end(void) {
    for (int i = 0; i < staged.count; i++)
        if (staged.connections[i].probe.mades > staged.connections[i].probe.losts)
            torc_transport_abort(staged.connections[i].probe.base.transport);
    torc_test_settle(staged.reactor);
    staged_close_all();
}

static inline int staged_tear_down(void **state) {
    (void)state;
    torc_stages_dispose(&staged.stages);
    torc_reactor_free(staged.reactor);
    staged_close_all();
    torc_log_free(staged.log);
    torc_buf_dispose(&staged.logged);
    return 0;
}

#define STAGED(name)                                                                               \
    {"epoll: " #name, name, staged_set_up_epoll, staged_tear_down, NULL}, {                        \
        "late: " #name, name, staged_set_up_late, staged_tear_down, NULL                           \
    }

static inline void staged_settle(void) {
    torc_test_settle(staged.reactor);
}

/* Put another filter on all connections to come; takes it. */
static inline void staged_add(torc_filter_factory *factory) {
    check_ok(torc_filters_add(&staged.stages.filters, factory));
}

/* Make a connection, and build what is to stand on it. NULL: there is no memory for it. */
static inline staged_connection *staged_connect(void) {
    staged_connection *connection = &staged.connections[staged.count++];
    torc_stream *stream;
    int ends[2];

    assert_true(staged.count <= STAGED_MAX);
    probe_init(&connection->probe);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    connection->fd = ends[1];
    if (torc_stream_new(staged.reactor, ends[0], AF_UNIX, &stream)) {
        close(ends[0]);
        return NULL;
    }
    staged.stages.factory = &staged.factory;
    staged.stages.built = staged_built;
    staged.stages.output_max = TORC_TRANSPORT_OUTPUT_MAX;
    torc_stages_build(&staged.stages, &stream->base);
    staged_settle();
    return connection;
}

static inline torc_transport *staged_transport(staged_connection *connection) {
    return connection->probe.base.transport;
}

static inline void staged_say_bytes(staged_connection *connection, torc_str bytes) {
    assert_int_equal(write(connection->fd, bytes.bytes, bytes.len), bytes.len);
    staged_settle();
}

static inline void staged_say(staged_connection *connection, const char *text) {
    staged_say_bytes(connection, torc_str_of(text));
}

/* What has come out of it by now, at most so much as fits; "" if nothing. */
static inline const char *staged_hear(staged_connection *connection) {
    const ssize_t len = read(connection->fd, connection->heard, sizeof(connection->heard) - 1);

    connection->heard[len > 0 ? len : 0] = '\0';
    return connection->heard;
}

/* Whether the peer sees that it has ended. */
static inline bool staged_has_ended(staged_connection *connection) {
    char byte;
    const ssize_t len = recv(connection->fd, &byte, 1, MSG_PEEK);

    return len == 0 || (len < 0 && errno == ECONNRESET);
}

static inline bool staged_has_logged(const char *text) {
    return torc_str_find(torc_buf_str(&staged.logged), torc_str_of(text)) >= 0;
}

#endif
