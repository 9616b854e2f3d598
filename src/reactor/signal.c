/* SPDX-License-Identifier: MIT */
/*
 * Signals by signalfd.
 *
 *  - The signal is blocked before its descriptor is watched, so that none is missed; it is
 * unblocked after those that have come and were not told are taken away, so that none takes its
 * default action late.
 *  - A watch that the kernel refuses, for want of memory, is asked for again after a time.
 *  - The descriptor is closed, and the watch freed, in the io's last event.
 */
#include <torc/signal.h>

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/reactor.h"

enum {
    WATCH_AGAIN_MS = 50
};

struct torc_signal {
    torc_io io;
    torc_timer again; /* armed when the kernel has refused to watch */
    int number;
    bool was_blocked;
    torc_signal_fn *received;
    void *context;
};

static torc_signal *self_of(torc_io *io) {
    return torc_container_of(io, torc_signal, io);
}

/* Take one arrival: whether there was one. */
static bool take(int fd) {
    struct signalfd_siginfo arrival;
    return read(fd, &arrival, sizeof(arrival)) == (ssize_t)sizeof(arrival);
}

/* One a turn: the callback may free the watch. */
static void ready(torc_io *io, uint32_t events) {
    torc_signal *self = self_of(io);

    (void)events;
    if (take(io->fd)) self->received(self->context, self->number);
}

static void watch_again(torc_timer *timer) {
    torc_io_watch(&torc_container_of(timer, torc_signal, again)->io, EPOLLIN);
}

static void failed(torc_io *io, torc_err err) {
    (void)err;
    torc_timer_arm(&self_of(io)->again, WATCH_AGAIN_MS);
}

static void closed(torc_io *io) {
    torc_signal *self = self_of(io);
    sigset_t set;

    torc_timer_cancel(&self->again);
    sigemptyset(&set);
    sigaddset(&set, self->number);
    while (take(io->fd)) continue;
    close(io->fd);
    if (!self->was_blocked) pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    torc_dealloc(&io->reactor->memory, self);
}

static const torc_io_ops io_ops = {.ready = ready, .failed = failed, .closed = closed};

/* Open the descriptor and watch it; the signal is blocked. */
static torc_err watch(torc_signal *self, torc_reactor *reactor, const sigset_t *set) {
    const int fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);

    if (fd < 0) return torc_err_from_errno(errno);
    const torc_err err = torc_io_open(&self->io, reactor, TORC_IO_WATCH, fd, 0, &io_ops);
    if (err) {
        close(fd);
        return err;
    }
    torc_io_watch(&self->io, EPOLLIN);
    return TORC_OK;
}

torc_err torc_signal_new(torc_reactor *reactor, int number, torc_signal_fn *received, void *context,
                         torc_signal **signal) {
    torc_signal *self;
    sigset_t set, before;

    sigemptyset(&set);
    if (sigaddset(&set, number)) return TORC_ERR_INVALID;
    self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    if (!self) return TORC_ERR_NO_MEMORY;
    pthread_sigmask(SIG_BLOCK, &set, &before);
    self->number = number;
    self->was_blocked = sigismember(&before, number) == 1;
    torc_timer_init(&self->again, reactor, watch_again);
    self->received = received;
    self->context = context;
    const torc_err err = watch(self, reactor, &set);
    if (err) {
        if (!self->was_blocked) pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        torc_dealloc(&reactor->memory, self);
        return err;
    }
    *signal = self;
    return TORC_OK;
}

void torc_signal_free(torc_signal *signal) {
    if (signal) torc_io_close(&signal->io, false);
}
