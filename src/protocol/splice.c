/* SPDX-License-Identifier: MIT */
/*
 * Passing bytes on by splice(2).
 *
 *  - Each direction is a lane with a pipe in it: what was read from the one socket and not written
 *    to the other is in the pipe. A lane reads only when its pipe is empty, so it holds at most
 *    what one read brought.
 *  - A lane waits for its source while its pipe is empty, and for its destination while it is not.
 *  - The transports are there all the while, paused: they keep the count of connections, and tell
 *    of a reset.
 */
#include "protocol/splice.h"

#include <errno.h>
#include <fcntl.h>
#include <torc/watch.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/reactor.h"
#include "transport/stream.h"

enum {
    READ_MAX = 64 * 1024
};

typedef struct lane {
    int pipe[2];
    size_t held;    /* in the pipe */
    bool has_ended; /* its source has */
    bool is_done;   /* and its destination was told */
} lane;

struct torc_splice {
    torc_transport *ends[2];
    torc_watch *watches[2]; /* of each end */
    lane lanes[2];          /* from the end of the same number to the other */
    uint64_t *count;
    bool is_over;
};

static int fd_of(const torc_splice *self, int end) {
    return torc_watch_fd(self->watches[end]);
}

static void fail(torc_splice *self) {
    self->is_over = true;
    torc_transport_abort_with(self->ends[0], TORC_ERR_RESET);
    torc_transport_abort_with(self->ends[1], TORC_ERR_RESET);
}

/* Fill the empty pipe. False: nothing has come. */
static bool fill(torc_splice *self, int from) {
    lane *it = &self->lanes[from];
    const ssize_t len = splice(fd_of(self, from), NULL, it->pipe[1], NULL, READ_MAX,
                               SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

    if (len > 0)
        it->held = (size_t)len;
    else if (len == 0)
        it->has_ended = true;
    else if (errno != EAGAIN && errno != EINTR)
        fail(self);
    return len > 0;
}

/* Empty it. False: the destination takes no more now. */
static bool drain(torc_splice *self, int from) {
    lane *it = &self->lanes[from];
    const ssize_t len = splice(it->pipe[0], NULL, fd_of(self, !from), NULL, it->held,
                               SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

    if (len < 0) {
        if (errno != EAGAIN && errno != EINTR) fail(self);
        return false;
    }
    it->held -= (size_t)len;
    *self->count += (uint64_t)len;
    return it->held == 0;
}

static void end_lane(torc_splice *self, int from) {
    self->lanes[from].is_done = true;
    torc_transport_close_write(self->ends[!from]);
    if (!self->lanes[!from].is_done) return;
    self->is_over = true;
    torc_transport_close(self->ends[0]);
    torc_transport_close(self->ends[1]);
}

/* Pass on what there is, as much as a connection may in a turn. */
static void run(torc_splice *self, int from) {
    lane *it = &self->lanes[from];
    size_t passed = 0;

    while (!self->is_over && !it->is_done && passed < TORC_TURN_SEND_MAX) {
        if (it->held == 0 && !it->has_ended && !fill(self, from) && !it->has_ended) break;
        const size_t held = it->held;
        if (held && !drain(self, from)) break;
        passed += held;
        if (it->has_ended && !self->is_over) end_lane(self, from);
    }
}

/* Wait for what the lanes need next. */
static void look(torc_splice *self) {
    for (int end = 0; end < 2; end++) {
        const lane *out = &self->lanes[end], *in = &self->lanes[!end];
        uint32_t events = 0;

        if (!out->has_ended && out->held == 0) events |= TORC_WATCH_READ;
        if (in->held > 0) events |= TORC_WATCH_WRITE;
        torc_watch_set(self->watches[end], self->is_over ? 0 : events);
    }
}

static void ready(void *context, torc_watch *watch, uint32_t events) {
    torc_splice *self = context;

    (void)watch;
    (void)events;
    if (self->is_over) return;
    run(self, 0);
    run(self, 1);
    look(self);
}

/* ---- the beginning and the end ---- */

static torc_err open_ends(torc_splice *self, const int fds[2]) {
    torc_reactor *reactor = self->ends[0]->reactor;
    torc_err err = TORC_OK;

    for (int end = 0; end < 2 && !err; end++)
        if (pipe2(self->lanes[end].pipe, O_NONBLOCK | O_CLOEXEC)) {
            self->lanes[end].pipe[0] = -1;
            err = torc_err_from_errno(errno);
        }
    for (int end = 0; end < 2 && !err; end++)
        err = torc_watch_new(reactor, fds[end], TORC_WATCH_READ, ready, self, &self->watches[end]);
    return err;
}

torc_err torc_splice_new(torc_transport *near, torc_transport *far, uint64_t *count,
                         torc_splice **splice) {
    int fds[2];
    torc_splice *self;

    if (!near->reactor->poller->ops->leaves_paused_unread) return TORC_ERR_UNSUPPORTED;
    torc_err err = torc_stream_fd(near, &fds[0]);
    if (!err) err = torc_stream_fd(far, &fds[1]);
    if (err) return err;
    self = torc_alloc_zero(&near->reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));
    if (!self) return TORC_ERR_NO_MEMORY;
    self->ends[0] = near;
    self->ends[1] = far;
    self->count = count;
    self->lanes[0].pipe[0] = self->lanes[1].pipe[0] = -1;
    err = open_ends(self, fds);
    if (err)
        torc_splice_free(self);
    else
        *splice = self;
    return err;
}

void torc_splice_free(torc_splice *self) {
    if (!self) return;
    for (int end = 0; end < 2; end++) {
        torc_watch_free(self->watches[end]);
        if (self->lanes[end].pipe[0] < 0) continue;
        close(self->lanes[end].pipe[0]);
        close(self->lanes[end].pipe[1]);
    }
    torc_dealloc(&self->ends[0]->reactor->memory, self);
}
