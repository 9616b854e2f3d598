/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_LINK_H
#define TORC_TESTS_LINK_H

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <torc/testing.h>
#include <torc/testing_transport.h>
#include <unistd.h>

#include "probe.h"
#include "reactor/reactor.h"
#include "testing/scrambler.h"
#include "transport/stream.h"

/*
 * A connection with a probe at one end and the test at the other, over what transports stand on:
 * memory or a pair of sockets, over epoll or the late double, with the scrambling filter or
 * without. A case that holds over all of them relies on nothing but what is promised.
 */
typedef enum link_kind {
    LINK_MEMORY,
    LINK_MEMORY_SCRAMBLED,
    LINK_EPOLL,
    LINK_EPOLL_SCRAMBLED,
    LINK_LATE,
    LINK_LATE_SCRAMBLED,
    LINK_KINDS
} link_kind;

typedef struct link_ends {
    link_kind kind;
    torc_reactor *reactor;
    probe probe;
    torc_test_connection *memory; /* or */
    int fd;                       /* the test's end of a pair */
    bool is_held_back;
    char *read; /* what came out of the pair */
    size_t read_len, read_room;
    bool has_ended; /* FIN came out of it */
} link_ends;

static inline bool link_is_memory(const link_ends *self) {
    return self->kind == LINK_MEMORY || self->kind == LINK_MEMORY_SCRAMBLED;
}

static inline bool link_is_late(const link_ends *self) {
    return self->kind == LINK_LATE || self->kind == LINK_LATE_SCRAMBLED;
}

static inline bool link_is_scrambled(const link_ends *self) {
    return self->kind == LINK_MEMORY_SCRAMBLED || self->kind == LINK_EPOLL_SCRAMBLED ||
           self->kind == LINK_LATE_SCRAMBLED;
}

static inline torc_transport *link_transport(link_ends *self) {
    return self->probe.base.transport;
}

static inline void link_read(link_ends *self) {
    char bytes[65536];
    ssize_t len;

    if (self->is_held_back || self->fd < 0) return;
    while ((len = read(self->fd, bytes, sizeof(bytes))) > 0) {
        if (self->read_len + (size_t)len > self->read_room) {
            self->read_room = 2 * (self->read_len + (size_t)len);
            self->read = (char *)realloc(self->read, self->read_room);
            assert_non_null(self->read);
        }
        memcpy(self->read + self->read_len, bytes, (size_t)len);
        self->read_len += (size_t)len;
    }
    if (len == 0) self->has_ended = true;
}

/* Turn and read until nothing happens any more. */
static inline void link_settle(link_ends *self) {
    size_t before;

    do {
        before = self->read_len + self->probe.len;
        torc_test_settle(self->reactor);
        torc_test_finish_jobs(self->reactor);
        link_read(self);
    } while (self->read_len + self->probe.len != before);
    torc_test_settle(self->reactor);
}

static inline torc_err link_connect_sockets(link_ends *self) {
    torc_stream *stream;
    torc_transport *top;
    int ends[2];
    torc_err err;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    self->fd = ends[1];
    err = torc_stream_new(self->reactor, ends[0], AF_UNIX, &stream);
    if (err) {
        close(ends[0]);
        return err;
    }
    top = &stream->base;
    if (link_is_scrambled(self)) {
        torc_filter *filter;
        err = torc_scrambler_new(self->reactor, 42, &filter);
        if (err) {
            torc_transport_abort_with(top, err);
            return err;
        }
        top = torc_filter_stack(filter, top);
    }
    torc_transport_made(top, &self->probe.base);
    return TORC_OK;
}

static inline torc_err link_connect(link_ends *self) {
    torc_err err = TORC_OK;

    if (!link_is_memory(self)) return link_connect_sockets(self);
    self->memory = torc_test_connection_new(self->reactor, &self->probe.factory);
    assert_non_null(self->memory);
    if (link_is_scrambled(self)) err = torc_test_connection_scramble(self->memory, 42);
    return err;
}

/* A reactor and a probe, not connected. */
static inline void link_init(link_ends *self, link_kind kind) {
    memset(self, 0, sizeof(*self));
    self->kind = kind;
    self->fd = -1;
    probe_init(&self->probe);
    check_ok(link_is_late(self) ? torc_test_reactor_new_late(NULL, &self->reactor)
                                : torc_test_reactor_new(NULL, &self->reactor));
}

static inline void link_open(link_ends *self, link_kind kind) {
    link_init(self, kind);
    check_ok(link_connect(self));
    link_settle(self);
    assert_int_equal(self->probe.mades, 1);
}

/* Everything must have been given back: the reactor would tell. */
static inline void link_close(link_ends *self) {
    torc_test_connection_free(self->memory);
    self->memory = NULL;
    if (self->fd >= 0) close(self->fd);
    self->fd = -1;
    if (self->probe.mades && !self->probe.losts) torc_transport_abort(link_transport(self));
    torc_test_settle(self->reactor);
    torc_test_finish_jobs(self->reactor);
    torc_test_settle(self->reactor);
    assert_int_equal(self->probe.losts, self->probe.mades);
    assert_int_equal(self->reactor->memory.used[TORC_MEMORY_CONNECTION], 0);
    torc_reactor_free(self->reactor);
    free(self->read);
    probe_dispose(&self->probe);
}

/* ---- the test's end ---- */

static inline void link_send(link_ends *self, torc_str bytes) {
    if (self->memory) {
        torc_test_connection_send(self->memory, bytes);
        return;
    }
    while (bytes.len > 0) {
        const ssize_t len = send(self->fd, bytes.bytes, bytes.len, MSG_NOSIGNAL);
        if (len > 0)
            bytes = torc_str_from(bytes, (size_t)len);
        else
            assert_int_equal(errno, EAGAIN);
        if (bytes.len > 0) link_settle(self);
    }
}

static inline void link_send_end(link_ends *self) {
    if (self->memory)
        torc_test_connection_send_end(self->memory);
    else
        shutdown(self->fd, SHUT_WR);
}

/* The test's end takes nothing until link_take(). */
static inline void link_hold_back(link_ends *self) {
    if (self->memory) torc_test_connection_hold_back(self->memory);
    self->is_held_back = true;
}

static inline void link_take(link_ends *self) {
    if (self->memory) torc_test_connection_take(self->memory, SIZE_MAX);
    self->is_held_back = false;
    link_settle(self);
}

static inline torc_str link_written(link_ends *self) {
    if (self->memory) return torc_test_connection_written(self->memory);
    link_read(self);
    return torc_str_make(self->read, self->read_len);
}

/* Whether FIN, or a close in good order, has come out. */
static inline bool link_has_ended(link_ends *self) {
    if (self->memory) return torc_test_connection_has_ended(self->memory);
    link_read(self);
    return self->has_ended;
}

/* ---- files and producers ---- */

static inline int link_open_file(torc_str bytes) {
    const int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    while (bytes.len > 0) {
        const ssize_t len = write(fd, bytes.bytes, bytes.len);
        assert_true(len > 0);
        bytes = torc_str_from(bytes, (size_t)len);
    }
    return fd;
}

static inline bool link_is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

/* ---- a case over all kinds ---- */

typedef void link_case_fn(link_ends *self);

static inline void link_each(link_case_fn *run) {
    for (int kind = 0; kind < LINK_KINDS; kind++) {
        link_ends self;
        link_open(&self, (link_kind)kind);
        run(&self);
        link_close(&self);
    }
}

/* Declares a test that runs `case_name` over all kinds. */
#define LINK_TEST(name)                                                                            \
    static void name##_over_each(void **state) {                                                   \
        (void)state;                                                                               \
        link_each(name);                                                                           \
    }

#endif
