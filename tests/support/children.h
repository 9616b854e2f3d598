/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_CHILDREN_H
#define TORC_TESTS_CHILDREN_H

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <torc/process.h>
#include <torc/testing.h>
#include <unistd.h>

#include "check.h"

/*
 * Tests with real children: a protocol that notes what it is told, and waiting for what these do,
 * which takes real time.
 */
enum {
    CHILDREN_PATIENCE_S = 60
};

typedef struct child {
    torc_process_protocol base;
    char got[3][65536];
    size_t len[3];
    size_t total;
    size_t take; /* consumes at most so many bytes a call; 0: all */
    int drains, pipes_closed, exits, ends;
    bool frees_at_exit;
    torc_exit_status status;
    torc_spawn_error error;
} child;

static inline child *child_of(torc_process_protocol *protocol) {
    return torc_container_of(protocol, child, base);
}

static inline size_t child_received(torc_process_protocol *protocol, int fd, torc_str bytes) {
    child *self = child_of(protocol);
    const int place = fd <= 2 ? fd : 0;
    const size_t len = self->take && self->take < bytes.len ? self->take : bytes.len;

    assert_int_equal(self->ends, 0);
    self->total += len;
    if (self->len[place] + len < sizeof(self->got[place]))
        memcpy(self->got[place] + self->len[place], bytes.bytes, len);
    self->len[place] += len;
    return len;
}

static inline void child_drained(torc_process_protocol *protocol, int fd) {
    assert_int_equal(fd, 0);
    child_of(protocol)->drains++;
}

static inline void child_pipe_closed(torc_process_protocol *protocol, int fd, torc_err reason) {
    assert_true(fd >= 0);
    assert_int_not_equal(reason, TORC_OK);
    child_of(protocol)->pipes_closed++;
}

static inline void child_exited(torc_process_protocol *protocol, const torc_exit_status *status) {
    child *self = child_of(protocol);

    assert_int_equal(self->exits++, 0);
    self->status = *status;
    if (self->frees_at_exit) torc_process_free(protocol->process);
}

static inline void child_ended(torc_process_protocol *protocol, const torc_exit_status *status) {
    child *self = child_of(protocol);

    assert_int_equal(self->ends++, 0);
    assert_int_equal(self->exits, 1);
    assert_int_equal(status->code, self->status.code);
    assert_null(protocol->process);
}

static const torc_process_protocol_ops child_ops = {
    .data_received = child_received,
    .drained = child_drained,
    .pipe_closed = child_pipe_closed,
    .exited = child_exited,
    .ended = child_ended,
};

static inline void child_init(child *self) {
    memset(self, 0, sizeof(*self));
    self->base.ops = &child_ops;
}

static inline void check_text(const child *self, int fd, const char *text) {
    check_str_at(torc_str_make(self->got[fd], self->len[fd]), torc_str_of(text), __FILE__,
                 __LINE__);
}

/* One turn; the children get time to do something, too. */
static inline void children_turn(torc_reactor *reactor) {
    torc_test_settle(reactor);
    check_ok(torc_reactor_turn(reactor, 0));
    poll(NULL, 0, 1);
}

#define until(reactor, condition)                                                                  \
    do {                                                                                           \
        const time_t begun_ = time(NULL);                                                          \
        while (!(condition)) {                                                                     \
            if (time(NULL) - begun_ > CHILDREN_PATIENCE_S) fail_msg("never: %s", #condition);      \
            children_turn(reactor);                                                                \
        }                                                                                          \
    } while (false)

/* Neither a child nor a zombie. */
static inline void check_no_children(void) {
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static inline int open_fd_count(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(folder);
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

#endif
