/* SPDX-License-Identifier: MIT */
/*
 * The epoll backend of the poller.
 *
 *  - A stream is registered once, edge-triggered, for both directions, and never changed: what the
 *    kernel last said is kept in READABLE and WRITABLE. Listeners and watches are level-triggered.
 *  - An io with something to tell is in `ready`; one that has more to receive or to send than a
 *    turn allows is in `again`, which the next wait makes ready without waiting. Then it is QUEUED;
 *    else it is in the reactor's list.
 *  - Callbacks run from deliver() only; after each, the io may be closed, and is looked at again.
 *  - Sends are tried at once, and what left then is the answer; most sends are over with it.
 *  - An event of epoll holds a pointer to an io. All events of a wait are noted before any callback
 *    runs, and closing the descriptor ends its events, as long as no other process or descriptor
 *    shares its file description; a listener's may be shared, so it is taken out by a call.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/reactor.h"
#include "reactor/socket.h"
#include "reactor/stall.h"
#include "reactor/syscalls.h"

enum {
    RECEIVING = 1,  /* asked for */
    READABLE = 2,   /* a receive may have something */
    WRITABLE = 4,   /* a send may be taken */
    PEER_ENDED = 8, /* FIN was seen */
    PEER_TOLD = 16, /* and told */
    CLOSED = 32,
    FAILED = 64, /* told */
    CONNECTING = 128,
    RECEIVED = 256, /* in the turn `turn`: no more until the next */
    WATCHING =
        512, /* what came of the events that a watch asks for (`turn_sent`) is in `sent_len` */
    INPUT_TOLD = 1024,
    QUEUED = 2048,
};

enum {
    EVENTS = 256,
    ACCEPTS = 64
};

typedef struct epoll_poller {
    torc_poller base;
    int fd, wake_fd;
    int spare_fd; /* see torc_socket_refuse() */
    torc_list ready, again;
    struct epoll_event events[EVENTS];
} epoll_poller;

/* Received and not consumed. */
struct torc_io_kept {
    size_t len;
    char bytes[];
};

static epoll_poller *self_of(torc_poller *poller) {
    return torc_container_of(poller, epoll_poller, base);
}

static epoll_poller *poller_of(const torc_io *io) {
    return self_of(io->reactor->poller);
}

static bool is_open(const torc_io *io) {
    return !(io->flags & (CLOSED | FAILED));
}

static void set_flags(torc_io *io, unsigned flags) {
    io->flags = (uint16_t)(io->flags | flags);
}

static void clear_flags(torc_io *io, unsigned flags) {
    io->flags = (uint16_t)(io->flags & ~flags);
}

/* Watches go first: see poller.h. */
static void queue(torc_io *io, torc_list *list) {
    torc_list_remove(&io->node);
    if (io->kind == TORC_IO_WATCH)
        torc_list_push_front(list, &io->node);
    else
        torc_list_push(list, &io->node);
    set_flags(io, QUEUED);
}

static void make_ready(torc_io *io) {
    if (!(io->flags & CLOSED)) queue(io, &poller_of(io)->ready);
}

static void make_quiet(torc_io *io) {
    torc_list_remove(&io->node);
    torc_list_push(&io->reactor->ios, &io->node);
    clear_flags(io, QUEUED);
}

static void fail(torc_io *io, torc_err err) {
    if (!io->err) io->err = (int16_t)err;
    make_ready(io);
}

/* What an io received and sent in this turn counts against its bounds, and in no other (but in the
 * 65,536th after it, where it costs a turn). */
static void enter_turn(torc_io *io) {
    const uint16_t turn = (uint16_t)io->reactor->turns;

    if (io->turn == turn) return;
    io->turn = turn;
    io->turn_sent = 0;
    clear_flags(io, RECEIVED);
}

/*
 * Register for events. None are asked for edge-triggered, since epoll always tells of errors and of
 * the end, and would tell for ever.
 */
static torc_err control(const torc_io *io, int operation, uint32_t asked) {
    const uint32_t events = asked ? asked : EPOLLET;
    struct epoll_event event = {.events = events, .data.ptr = (void *)(uintptr_t)io};

    if (torc_sys_fails(io->reactor, TORC_SYS_REGISTER, NULL)) return torc_err_from_errno(errno);
    return epoll_ctl(poller_of(io)->fd, operation, io->fd, &event) ? torc_err_from_errno(errno)
                                                                   : TORC_OK;
}

/* ---- waiting ---- */

/* Take note of what epoll said of one io. */
static void note(torc_io *io, uint32_t events) {
    if (io->kind == TORC_IO_WATCH) {
        io->sent_len = events;
        set_flags(io, WATCHING);
    }
    if (events & (EPOLLIN | EPOLLHUP)) set_flags(io, READABLE);
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) set_flags(io, WRITABLE);
    if (io->kind == TORC_IO_STREAM) {
        if (events & (EPOLLRDHUP | EPOLLHUP)) set_flags(io, PEER_ENDED | READABLE);
        if ((events & EPOLLERR) && !(io->flags & CONNECTING) && !io->err) {
            io->err = (int16_t)torc_socket_take_err(io->fd);
            if (!io->err) io->err = TORC_ERR_RESET;
            set_flags(io, READABLE); /* what came before the error is still there */
        }
    }
    make_ready(io);
}

static int timeout_of(const epoll_poller *self, int64_t wait_ms) {
    if (!torc_list_is_empty(&self->again) || !torc_list_is_empty(&self->ready)) return 0;
    if (wait_ms < 0) return -1;
    return wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms;
}

/* The wake-up is edge-triggered: every write is told once, and the count need not be read. */
static torc_err epoll_poller_wait(torc_poller *poller, int64_t wait_ms) {
    epoll_poller *self = self_of(poller);
    const int timeout = timeout_of(self, wait_ms);
    const int count = torc_sys_fails(poller->reactor, TORC_SYS_WAIT, NULL)
                          ? -1
                          : epoll_wait(self->fd, self->events, EVENTS, timeout);

    torc_list_take(&self->ready, &self->again);
    if (count < 0) return errno == EINTR ? TORC_OK : TORC_ERR_SYSTEM;
    for (int i = 0; i < count; i++) {
        torc_io *io = self->events[i].data.ptr;
        if (io) note(io, self->events[i].events);
    }
    return TORC_OK;
}

/* ---- sending ---- */

/* Send until it is done, the kernel is full, or the turn's share is used. */
static void try_send(torc_io *io) {
    enter_turn(io);
    while (io->sending_len > 0 && (io->flags & WRITABLE) && !io->err) {
        const size_t share = TORC_TURN_SEND_MAX - io->turn_sent;
        if (share == 0) return;
        const ssize_t sent =
            torc_socket_send(io, io->sending_len < share ? io->sending_len : share);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (torc_socket_is_full(errno))
                clear_flags(io, WRITABLE);
            else
                io->err = (int16_t)torc_socket_send_err(errno);
            return;
        }
        torc_chain_consume(io->sending, (size_t)sent);
        io->sending_len -= (uint32_t)sent;
        io->sent_len += (uint32_t)sent;
        io->turn_sent += (uint32_t)sent;
    }
}

/* Whether it could go on, but for the bounds of the turn. */
static bool has_more(const torc_io *io) {
    if (io->sending_len > 0 && (io->flags & WRITABLE)) return true;
    return (io->flags & RECEIVING) && ((io->flags & READABLE) || io->kept);
}

static void come_again(torc_io *io) {
    if (is_open(io) && !(io->flags & QUEUED) && has_more(io)) queue(io, &poller_of(io)->again);
}

/* Take what left and was not told. */
static size_t take_sent(torc_io *io) {
    const size_t sent = io->sent_len;

    io->sent_len = 0;
    if (io->sending_len == 0) io->sending = NULL;
    io->reactor->counts.bytes_sent += sent;
    return sent;
}

static size_t epoll_poller_send(torc_poller *poller, torc_io *io) {
    (void)poller;
    if (io->flags & (CLOSED | FAILED | CONNECTING)) return 0;
    try_send(io);
    if (io->err)
        make_ready(io);
    else if (io->sending_len > 0)
        come_again(io);
    return take_sent(io);
}

/* ---- receiving ---- */

static void keep(torc_io *io, torc_str rest) {
    struct torc_io_kept *kept =
        torc_alloc(&io->reactor->memory, TORC_MEMORY_INPUT, sizeof(*kept) + rest.len);

    if (!kept) {
        fail(io, TORC_ERR_NO_MEMORY);
        return;
    }
    kept->len = rest.len;
    memcpy(kept->bytes, rest.bytes, rest.len);
    io->kept = kept;
}

static void give_kept(torc_io *io) {
    struct torc_io_kept *kept = io->kept;

    io->kept = NULL;
    const size_t consumed = io->ops->received(io, torc_str_make(kept->bytes, kept->len));
    if (consumed < kept->len && !(io->flags & CLOSED)) {
        memmove(kept->bytes, kept->bytes + consumed, kept->len - consumed);
        kept->len -= consumed;
        io->kept = kept;
        clear_flags(io, RECEIVING);
        return;
    }
    torc_dealloc(&io->reactor->memory, kept);
}

static void received(torc_io *io, torc_str bytes) {
    io->reactor->counts.bytes_received += bytes.len;
    const size_t consumed = io->ops->received(io, bytes);
    if (consumed == bytes.len || (io->flags & CLOSED)) return;
    clear_flags(io, RECEIVING);
    keep(io, torc_str_from(bytes, consumed));
}

static void receive(torc_io *io) {
    char *scratch = io->reactor->scratch;
    size_t asked = TORC_RECEIVE_SIZE;
    const ssize_t got = torc_sys_recv(io, scratch, &asked);

    set_flags(io, RECEIVED);
    if (got > 0) {
        /*
         * A short read has emptied a TCP socket: the kernel fills the buffer while it has bytes,
         * and what comes later makes a new edge. (Urgent data cut a read short, too; who sends them
         * waits for his next bytes.) On UNIX sockets a read may end where a descriptor was passed,
         * and on a terminal where a line ends.
         */
        if ((size_t)got < asked && (io->family == AF_INET || io->family == AF_INET6))
            clear_flags(io, READABLE);
        received(io, torc_str_make(scratch, (size_t)got));
    } else if (got == 0) {
        clear_flags(io, READABLE);
        set_flags(io, PEER_ENDED);
    } else if (torc_socket_is_full(errno)) {
        clear_flags(io, READABLE);
    } else if (errno != EINTR) {
        clear_flags(io, READABLE);
        if (!io->err) io->err = (int16_t)torc_err_from_errno(errno);
    }
}

static void epoll_poller_receive_start(torc_poller *poller, torc_io *io) {
    (void)poller;
    if (io->flags & (CLOSED | RECEIVING)) return;
    set_flags(io, RECEIVING);
    if (io->kind == TORC_IO_LISTENER) {
        const torc_err err = control(io, EPOLL_CTL_MOD, EPOLLIN);
        if (err) fail(io, err);
    } else if (io->kept || (io->flags & (READABLE | PEER_ENDED))) {
        make_ready(io);
    }
}

static void epoll_poller_receive_stop(torc_poller *poller, torc_io *io) {
    (void)poller;
    if ((io->flags & CLOSED) || !(io->flags & RECEIVING)) return;
    clear_flags(io, RECEIVING);
    if (io->kind == TORC_IO_LISTENER)
        (void)!control(io, EPOLL_CTL_MOD, 0);
    else if (io->flags & PEER_ENDED)
        make_ready(io);
}

/* ---- accepting ---- */

/* Accept one: whether there may be more. */
static bool accept_one(epoll_poller *self, torc_io *io) {
    const int fd = torc_sys_accept(io->reactor, io->fd);

    if (fd >= 0) {
        io->reactor->counts.accepted++;
        io->ops->accepted(io, fd);
        return true;
    }
    const int number = errno;
    const torc_accept_failure failure = torc_socket_accept_failure(number);
    if (failure == TORC_ACCEPT_NOBODY) return false;
    io->reactor->counts.accepts_failed++;
    if (failure == TORC_ACCEPT_NEXT) return true;
    if (failure == TORC_ACCEPT_FULL) torc_socket_refuse(io->fd, &self->spare_fd);
    io->ops->failed(io, torc_err_from_errno(number));
    return false;
}

/*
 * Accept as many as came the last time, so that a batch mostly ends without asking in vain; more of
 * them are told again by the next wait. `sending_len` holds the size of the last batch.
 */
static void accept_batch(epoll_poller *self, torc_io *io) {
    const uint32_t batch = io->sending_len ? io->sending_len : 1;
    uint32_t count = 0;

    while (count < batch && (io->flags & (RECEIVING | CLOSED)) == RECEIVING && accept_one(self, io))
        count++;
    if (io->flags & CLOSED) return;
    io->sending_len = count < batch ? count : 2 * batch < ACCEPTS ? 2 * batch : ACCEPTS;
}

/* ---- telling ---- */

/* What a listener or a watch could not be set to; it goes on. */
static void tell_failed(torc_io *io) {
    const torc_err err = (torc_err)io->err;

    io->err = TORC_OK;
    if (err && io->ops->failed) io->ops->failed(io, err);
}

static void tell_listener(epoll_poller *self, torc_io *io) {
    tell_failed(io);
    if (!(io->flags & CLOSED)) accept_batch(self, io);
}

static void tell_watch(torc_io *io) {
    const uint32_t events = io->sent_len;

    tell_failed(io);
    if ((io->flags & (WATCHING | CLOSED)) != WATCHING) return;
    clear_flags(io, WATCHING);
    if (io->turn_sent == 0) return;
    io->ops->ready(io, events);
}

/* A connect has ended, in one way or the other. */
static void end_connect(torc_io *io) {
    clear_flags(io, CONNECTING);
    if (!io->err) io->err = (int16_t)torc_socket_take_err(io->fd);
    if (!io->err) io->ops->connected(io);
}

static bool may_receive(const torc_io *io) {
    return (io->flags & (RECEIVING | READABLE | RECEIVED)) == (RECEIVING | READABLE);
}

/* A peer's end is told when nothing received is left, or when nobody wants to receive. */
static bool peer_end_is_due(const torc_io *io) {
    if ((io->flags & (PEER_ENDED | PEER_TOLD)) != PEER_ENDED || io->err) return false;
    return !(io->flags & RECEIVING) || (!io->kept && !(io->flags & READABLE));
}

/* All was received and consumed. */
static bool input_end_is_due(const torc_io *io) {
    if ((io->flags & (PEER_TOLD | INPUT_TOLD | RECEIVING | READABLE)) != (PEER_TOLD | RECEIVING))
        return false;
    return io->ops->input_ended && !io->kept && !io->err;
}

/* So is an error: what came before it may be the peer's last word. */
static bool failure_is_due(const torc_io *io) {
    return io->err && (io->flags & (RECEIVING | READABLE)) != (RECEIVING | READABLE);
}

static void tell_stream(torc_io *io) {
    enter_turn(io);
    if ((io->flags & CONNECTING) && (io->flags & WRITABLE)) end_connect(io);
    if (is_open(io) && io->sending_len > 0) try_send(io);
    if (is_open(io) && io->sent_len > 0) io->ops->sent(io, take_sent(io));
    if (is_open(io) && io->kept && (io->flags & RECEIVING))
        give_kept(io);
    else if (is_open(io) && may_receive(io))
        receive(io);
    if (is_open(io) && peer_end_is_due(io)) {
        set_flags(io, PEER_TOLD);
        io->ops->peer_ended(io);
    }
    if (is_open(io) && input_end_is_due(io)) {
        set_flags(io, INPUT_TOLD);
        io->ops->input_ended(io);
    }
    if (is_open(io) && failure_is_due(io)) {
        set_flags(io, FAILED);
        make_quiet(io);
        io->ops->failed(io, (torc_err)io->err);
    }
    come_again(io);
}

static size_t epoll_poller_deliver(torc_poller *poller, size_t max) {
    epoll_poller *self = self_of(poller);
    torc_list_node *node;
    size_t count = 0;

    for (; count < max && (node = torc_list_first(&self->ready)) != NULL; count++) {
        torc_io *io = torc_container_of(node, torc_io, node);
        make_quiet(io);
        if (io->kind == TORC_IO_STREAM)
            tell_stream(io);
        else if (io->kind == TORC_IO_LISTENER)
            tell_listener(self, io);
        else
            tell_watch(io);
        if (torc_stall_is_marked(poller->reactor))
            torc_stall_tell(poller->reactor, "descriptor", NULL, NULL);
    }
    return count;
}

static bool epoll_poller_has_completions(const torc_poller *poller) {
    const epoll_poller *self = torc_container_of((uintptr_t)poller, epoll_poller, base);
    return !torc_list_is_empty(&self->ready) || !torc_list_is_empty(&self->again);
}

/* ---- opening, connecting, closing ---- */

static torc_err epoll_poller_open(torc_poller *poller, torc_io *io) {
    (void)poller;
    io->turn = (uint16_t)io->reactor->turns;
    if (io->kind != TORC_IO_STREAM) return control(io, EPOLL_CTL_ADD, 0);
    set_flags(io, WRITABLE);
    return control(io, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

/* A socket that is not connected is told as hung up, if a wait comes in between: forget that. */
static void epoll_poller_connect(torc_poller *poller, torc_io *io, const struct sockaddr *addr,
                                 socklen_t len) {
    (void)poller;
    set_flags(io, CONNECTING);
    clear_flags(io, READABLE | WRITABLE | PEER_ENDED | PEER_TOLD);
    if (torc_sys_connect(io->reactor, io->fd, addr, len) == 0)
        set_flags(io, WRITABLE);
    else if (errno != EINPROGRESS && errno != EINTR)
        io->err = (int16_t)torc_err_from_errno(errno);
    if ((io->flags & WRITABLE) || io->err) make_ready(io);
}

/* It fails only when the connection has, which is told elsewhere. */
static void epoll_poller_shut_down(torc_poller *poller, torc_io *io) {
    (void)poller;
    if (is_open(io)) shutdown(io->fd, SHUT_WR);
}

static void retired(torc_retiree *retiree) {
    torc_io *io = torc_container_of(retiree, torc_io, retiree);
    io->ops->closed(io);
}

static void epoll_poller_close(torc_poller *poller, torc_io *io, bool reset) {
    (void)poller;
    if (io->flags & CLOSED) return;
    set_flags(io, CLOSED);
    torc_list_remove(&io->node);
    torc_dealloc(&io->reactor->memory, io->kept);
    io->kept = NULL;
    io->sending = NULL;
    if (io->kind != TORC_IO_STREAM) epoll_ctl(poller_of(io)->fd, EPOLL_CTL_DEL, io->fd, NULL);
    if (io->kind != TORC_IO_WATCH) torc_socket_close(io, reset); /* a watch's stays open */
    torc_retire(io->reactor, &io->retiree, retired);
}

static void epoll_poller_watch(torc_poller *poller, torc_io *io, uint32_t events) {
    (void)poller;
    if (io->flags & CLOSED) return;
    clear_flags(io, WATCHING);
    io->turn_sent = events;
    const torc_err err = control(io, EPOLL_CTL_MOD, events);
    if (err) fail(io, err);
}

static void epoll_poller_forget(torc_poller *poller) {
    epoll_poller *self = self_of(poller);
    torc_list_node *node;

    torc_list_take(&self->ready, &self->again);
    while ((node = torc_list_first(&self->ready)) != NULL)
        make_quiet(torc_container_of(node, torc_io, node));
}

static void see_all(const torc_list *list, void (*see)(void *context, const torc_io *io),
                    void *context) {
    for (torc_list_node *node = torc_list_first(list); node; node = torc_list_next(list, node))
        see(context, torc_container_of(node, torc_io, node));
}

static void epoll_poller_each(torc_poller *poller, void (*see)(void *context, const torc_io *io),
                              void *context) {
    see_all(&self_of(poller)->ready, see, context);
    see_all(&self_of(poller)->again, see, context);
}

static int epoll_poller_fd(const torc_poller *poller) {
    return torc_container_of((uintptr_t)poller, epoll_poller, base)->fd;
}

static void epoll_poller_wake(torc_poller *poller) {
    const uint64_t one = 1;
    while (write(self_of(poller)->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR) continue;
}

static void epoll_poller_free(torc_poller *poller) {
    epoll_poller *self = self_of(poller);

    if (self->fd >= 0) close(self->fd);
    if (self->wake_fd >= 0) close(self->wake_fd);
    if (self->spare_fd >= 0) close(self->spare_fd);
    torc_dealloc(&poller->reactor->memory, self);
}

static const torc_poller_ops epoll_ops = {
    .free = epoll_poller_free,
    .wait = epoll_poller_wait,
    .deliver = epoll_poller_deliver,
    .has_completions = epoll_poller_has_completions,
    .open = epoll_poller_open,
    .receive_start = epoll_poller_receive_start,
    .receive_stop = epoll_poller_receive_stop,
    .connect = epoll_poller_connect,
    .send = epoll_poller_send,
    .shut_down = epoll_poller_shut_down,
    .close = epoll_poller_close,
    .watch = epoll_poller_watch,
    .forget = epoll_poller_forget,
    .each = epoll_poller_each,
    .fd = epoll_poller_fd,
    .wake = epoll_poller_wake,
    .leaves_paused_unread = true,
};

torc_err torc_poller_epoll_new(torc_reactor *reactor, torc_poller **poller) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLET}; /* no io: the wake-up */
    epoll_poller *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->base = (torc_poller){.ops = &epoll_ops, .reactor = reactor};
    torc_list_init(&self->ready);
    torc_list_init(&self->again);
    self->fd = epoll_create1(EPOLL_CLOEXEC);
    self->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    self->spare_fd = torc_socket_open_spare();
    if (self->fd < 0 || self->wake_fd < 0 || self->spare_fd < 0 ||
        epoll_ctl(self->fd, EPOLL_CTL_ADD, self->wake_fd, &event)) {
        const torc_err err = torc_err_from_errno(errno);
        epoll_poller_free(&self->base);
        return err;
    }
    *poller = &self->base;
    return TORC_OK;
}
