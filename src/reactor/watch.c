/* SPDX-License-Identifier: MIT */
/*
 * Watching descriptors.
 *
 *  - The io is over a duplicate, which is closed in its last event. So nobody else's descriptor is
 *    registered anywhere, and one that is closed and used anew is not mistaken for the former.
 *  - A watch that the kernel refuses, for want of memory, is asked for again after a time.
 */
#include <torc/watch.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/reactor.h"

enum {
    WATCH_AGAIN_MS = 50
};

struct torc_watch {
    torc_io io;
    torc_timer again; /* armed when the kernel has refused to watch */
    torc_watch_fn *ready;
    void *context;
    torc_deferred *deferred; /* of torc_defer_fd() */
    int fd;
    uint32_t events;
};

_Static_assert((int)TORC_WATCH_READ == (int)EPOLLIN && (int)TORC_WATCH_PRI == (int)EPOLLPRI &&
                   (int)TORC_WATCH_WRITE == (int)EPOLLOUT &&
                   (int)TORC_WATCH_ERROR == (int)EPOLLERR && (int)TORC_WATCH_HUP == (int)EPOLLHUP,
               "events are epoll's");

static torc_watch *self_of(torc_io *io) {
    return torc_container_of(io, torc_watch, io);
}

static void io_ready(torc_io *io, uint32_t events) {
    torc_watch *self = self_of(io);
    self->ready(self->context, self, events);
}

static void watch_again(torc_timer *timer) {
    torc_watch *self = torc_container_of(timer, torc_watch, again);
    torc_io_watch(&self->io, self->events);
}

static void io_failed(torc_io *io, torc_err err) {
    (void)err;
    torc_timer_arm(&self_of(io)->again, WATCH_AGAIN_MS);
}

static void io_closed(torc_io *io) {
    torc_watch *self = self_of(io);

    torc_timer_cancel(&self->again);
    close(io->fd);
    torc_dealloc(&io->reactor->memory, self);
}

static const torc_io_ops io_ops = {.ready = io_ready, .failed = io_failed, .closed = io_closed};

/* epoll says of a file that it is not permitted. */
static torc_err open_io(torc_watch *self, torc_reactor *reactor) {
    const int own = fcntl(self->fd, F_DUPFD_CLOEXEC, 3);
    torc_err err;

    if (own < 0) return torc_err_from_errno(errno);
    err = torc_io_open(&self->io, reactor, TORC_IO_WATCH, own, 0, &io_ops);
    if (err) close(own);
    return err == TORC_ERR_PERMISSION ? TORC_ERR_UNSUPPORTED : err;
}

torc_err torc_watch_new(torc_reactor *reactor, int fd, uint32_t events, torc_watch_fn *ready,
                        void *context, torc_watch **watch) {
    torc_watch *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    self->ready = ready;
    self->context = context;
    self->fd = fd;
    torc_timer_init(&self->again, reactor, watch_again);
    err = open_io(self, reactor);
    if (err) {
        torc_dealloc(&reactor->memory, self);
        return err;
    }
    *watch = self;
    if (events) torc_watch_set(self, events);
    return TORC_OK;
}

void torc_watch_set(torc_watch *watch, uint32_t events) {
    watch->events = events;
    torc_io_watch(&watch->io, events);
}

int torc_watch_fd(const torc_watch *watch) {
    return watch->fd;
}

void torc_watch_free(torc_watch *watch) {
    if (!watch) return;
    torc_timer_cancel(&watch->again);
    torc_io_close(&watch->io, false);
}

/* ---- once ---- */

static void ready_once(void *context, torc_watch *watch, uint32_t events) {
    torc_deferred *deferred = watch->deferred;

    (void)context;
    torc_watch_free(watch);
    (void)torc_deferred_fire(deferred, (void *)(uintptr_t)events, NULL);
}

static void cancel_once(torc_deferred *deferred, void *context) {
    torc_watch_free(context);
    (void)torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

torc_deferred *torc_defer_fd(torc_reactor *reactor, int fd, uint32_t events) {
    torc_deferred *deferred = torc_deferred_new(reactor);
    torc_watch *watch;
    torc_err err;

    if (torc_deferred_is_out_of_memory(deferred)) return deferred;
    err = torc_watch_new(reactor, fd, events, ready_once, NULL, &watch);
    if (err) {
        (void)torc_deferred_fail(deferred, err);
        return deferred;
    }
    watch->deferred = deferred;
    torc_deferred_set_canceller(deferred, cancel_once, watch);
    return deferred;
}

torc_err torc_wait_fd(torc_reactor *reactor, int fd, uint32_t events, uint32_t *ready) {
    void *value = NULL;
    const torc_err err = torc_await(torc_defer_fd(reactor, fd, events), &value);

    if (!err && ready) *ready = (uint32_t)(uintptr_t)value;
    return err;
}
