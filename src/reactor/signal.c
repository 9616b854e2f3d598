/* SPDX-License-Identifier: MIT */
/*
 * Signals by signalfd.
 *
 *  - A signal that is watched has one source in its reactor, however many watches: an arrival is
 *    read once, and told to all.
 *  - The signal is blocked before its descriptor is watched, so that none is missed; it is
 *    unblocked after those that have come and were not told are taken away, so that none takes its
 *    default action late. A source that is made while the last one of its number is being closed
 *    takes that over: the last one then leaves the signal as it is.
 *  - A watch that the kernel refuses, for want of memory, is asked for again after a time.
 *  - Whoever is told may free any watch and make others: each that is to be told is marked before
 *    the first is.
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

typedef struct source {
    torc_io io;
    torc_list_node node; /* among the reactor's */
    torc_timer again;    /* armed when the kernel has refused to watch */
    torc_list watches;
    int number;
    bool was_blocked;
    bool is_closing;
    bool is_succeeded; /* by another source of its number */
} source;

struct torc_signal {
    torc_list_node node;
    source *source;
    torc_signal_fn *received;
    void *context;
    torc_deferred *next; /* NULL: nobody waits */
    bool has_unseen;     /* it has come since somebody waited last */
    bool is_due;         /* to be told of the arrival that is being told */
};

static source *of_io(torc_io *io) {
    return torc_container_of(io, source, io);
}

static torc_signal *at(torc_list_node *node) {
    return torc_container_of(node, torc_signal, node);
}

/* ---- telling ---- */

/* Take one arrival: whether there was one. */
static bool take(int fd) {
    struct signalfd_siginfo arrival;
    return read(fd, &arrival, sizeof(arrival)) == (ssize_t)sizeof(arrival);
}

static void fire_next(torc_signal *self) {
    torc_deferred *next = self->next;

    self->next = NULL;
    self->has_unseen = false;
    (void)torc_deferred_fire(next, NULL, NULL);
}

static void tell(torc_signal *self, int number) {
    self->is_due = false;
    self->has_unseen = true;
    if (self->next) fire_next(self);
    if (self->received) self->received(self->context, number);
}

static torc_signal *first_due(const source *self) {
    for (torc_list_node *node = torc_list_first(&self->watches); node;
         node = torc_list_next(&self->watches, node))
        if (at(node)->is_due) return at(node);
    return NULL;
}

/* One a turn. The source stays as long as this runs, since it is closed in a later phase. */
static void ready(torc_io *io, uint32_t events) {
    source *self = of_io(io);
    torc_signal *due;

    (void)events;
    if (!take(io->fd)) return;
    for (torc_list_node *node = torc_list_first(&self->watches); node;
         node = torc_list_next(&self->watches, node))
        at(node)->is_due = true;
    while ((due = first_due(self)) != NULL) tell(due, self->number);
}

static void watch_again(torc_timer *timer) {
    torc_io_watch(&torc_container_of(timer, source, again)->io, EPOLLIN);
}

static void failed(torc_io *io, torc_err err) {
    (void)err;
    torc_timer_arm(&of_io(io)->again, WATCH_AGAIN_MS);
}

/* ---- the end ---- */

static void unblock(int number) {
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void free_watch(torc_signal *self, torc_memory *memory) {
    torc_list_remove(&self->node);
    if (self->next) (void)torc_deferred_fail(self->next, TORC_ERR_CANCELLED);
    torc_dealloc(memory, self);
}

/* By the last watch, or by a reactor that is freed. */
static void closed(torc_io *io) {
    source *self = of_io(io);
    torc_memory *memory = &io->reactor->memory;
    torc_list_node *node;

    while ((node = torc_list_first(&self->watches)) != NULL) free_watch(at(node), memory);
    torc_list_remove(&self->node);
    torc_timer_cancel(&self->again);
    if (!self->is_succeeded)
        while (take(io->fd)) continue;
    close(io->fd);
    if (!self->is_succeeded && !self->was_blocked) unblock(self->number);
    torc_dealloc(memory, self);
}

static const torc_io_ops io_ops = {.ready = ready, .failed = failed, .closed = closed};

/* ---- making ---- */

/* Open the descriptor and watch it; the signal is blocked. */
static torc_err open_source(source *self, torc_reactor *reactor, const sigset_t *set) {
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

static source *find_source(torc_reactor *reactor, int number) {
    for (torc_list_node *node = torc_list_first(&reactor->signals); node;
         node = torc_list_next(&reactor->signals, node)) {
        source *found = torc_container_of(node, source, node);
        if (found->number == number && !found->is_succeeded) return found;
    }
    return NULL;
}

/* `last` is being closed, or NULL. */
static torc_err new_source(torc_reactor *reactor, int number, source *last, source **made) {
    source *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    sigset_t set, before;

    if (!self) return TORC_ERR_NO_MEMORY;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    self->number = number;
    self->was_blocked = last ? last->was_blocked : sigismember(&before, number) == 1;
    torc_list_init(&self->watches);
    torc_timer_init(&self->again, reactor, watch_again);
    const torc_err err = open_source(self, reactor, &set);
    if (err) {
        if (!last && !self->was_blocked) unblock(number);
        torc_dealloc(&reactor->memory, self);
        return err;
    }
    if (last) last->is_succeeded = true;
    torc_list_push(&reactor->signals, &self->node);
    *made = self;
    return TORC_OK;
}

/* What a program cannot be told of by a descriptor: what may not be blocked, and what its own
 * instructions cause, at which it cannot go on. */
static bool can_be_watched(int number) {
    sigset_t set;

    sigemptyset(&set);
    if (sigaddset(&set, number)) return false;
    switch (number) {
    case SIGKILL:
    case SIGSTOP:
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
        return false;
    default:
        return true;
    }
}

torc_err torc_signal_new(torc_reactor *reactor, int number, torc_signal_fn *received, void *context,
                         torc_signal **signal) {
    torc_memory *memory = &reactor->memory;

    if (!can_be_watched(number)) return TORC_ERR_INVALID;
    torc_signal *self = torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    if (!self) return TORC_ERR_NO_MEMORY;
    source *from = find_source(reactor, number);
    const torc_err err =
        from && !from->is_closing ? TORC_OK : new_source(reactor, number, from, &from);
    if (err) {
        torc_dealloc(memory, self);
        return err;
    }
    self->source = from;
    self->received = received;
    self->context = context;
    torc_list_push(&from->watches, &self->node);
    *signal = self;
    return TORC_OK;
}

void torc_signal_free(torc_signal *signal) {
    if (!signal) return;
    source *from = signal->source;

    free_watch(signal, &from->io.reactor->memory);
    if (!torc_list_is_empty(&from->watches)) return;
    from->is_closing = true;
    torc_io_close(&from->io, false);
}

/* ---- waiting ---- */

static void cancel(torc_deferred *deferred, void *context) {
    torc_signal *self = context;

    self->next = NULL;
    (void)torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

torc_deferred *torc_signal_next(torc_signal *signal) {
    torc_reactor *reactor = signal->source->io.reactor;

    if (signal->next) return torc_deferred_failed(reactor, TORC_ERR_BUSY);
    torc_deferred *deferred = torc_deferred_new(reactor);
    if (torc_deferred_is_out_of_memory(deferred)) return deferred;
    torc_deferred_set_canceller(deferred, cancel, signal);
    signal->next = deferred;
    if (signal->has_unseen) fire_next(signal);
    return deferred;
}

torc_err torc_signal_await(torc_signal *signal) {
    return torc_await(torc_signal_next(signal), NULL);
}
