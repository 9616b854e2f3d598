/* SPDX-License-Identifier: MIT */
/*
 * The epoll backend of the poller.
 *
 *  - A stream is registered once, edge-triggered, for both directions, and never changed: what the
 *    kernel last said is kept in READABLE and WRITABLE. Listeners and watches are level-triggered.
 *  - An io with something to tell is in `ready`; one that has more to receive than a turn allows is
 *    in `again`, which the next wait makes ready without waiting.
 *  - Callbacks run from deliver() only; after each, the io may be closed, and is looked at again.
 *  - Sends are tried at once. What left is told in the same turn, so that the next wait may block.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/reactor.h"

enum {
    RECEIVING = 1,   /* asked for */
    READABLE = 2,    /* a receive may have something */
    WRITABLE = 4,    /* a send may be taken */
    PEER_ENDED = 8,  /* FIN was seen */
    PEER_TOLD = 16,  /* and told */
    CLOSED = 32,
    FAILED = 64,     /* told */
    CONNECTING = 128,
    CONNECTED = 256, /* to be told */
    WATCHING = 512,  /* events of a watch are in `sent_len` */
};

enum { EVENTS = 256, PIECES = 64, ACCEPTS = 64 };

typedef struct epoll_poller {
    torc_poller base;
    int fd, wake_fd;
    int spare_fd; /* given up to accept and close what comes when no descriptor is left */
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

static void make_ready(torc_io *io) {
    if (io->flags & CLOSED) return;
    torc_list_remove(&io->node);
    torc_list_push(&poller_of(io)->ready, &io->node);
}

static void set_flags(torc_io *io, unsigned flags) {
    io->flags = (uint16_t)(io->flags | flags);
}

static void clear_flags(torc_io *io, unsigned flags) {
    io->flags = (uint16_t)(io->flags & ~flags);
}

static void fail(torc_io *io, torc_err err) {
    if (!io->err) io->err = err;
    make_ready(io);
}

/* ---- waiting ---- */

static torc_err socket_error(const torc_io *io) {
    int number = 0;
    socklen_t len = sizeof(number);

    if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &number, &len)) number = errno;
    return number ? torc_err_from_errno(number) : TORC_ERR_RESET;
}

/* Take note of what epoll said of one io. */
static void note(torc_io *io, uint32_t events) {
    if (io->kind == TORC_IO_WATCH) {
        io->sent_len = events;
        set_flags(io, WATCHING);
    }
    if (events & (EPOLLIN | EPOLLHUP)) set_flags(io, READABLE);
    if (events & (EPOLLOUT | EPOLLHUP)) set_flags(io, WRITABLE);
    if (io->kind == TORC_IO_STREAM && !(io->flags & CONNECTING)) {
        if (events & (EPOLLRDHUP | EPOLLHUP)) set_flags(io, PEER_ENDED | READABLE);
        if ((events & EPOLLERR) && !io->err) io->err = socket_error(io);
    }
    if (events & EPOLLERR) set_flags(io, WRITABLE);
    make_ready(io);
}

static void drain_wake(epoll_poller *self) {
    uint64_t count;
    while (read(self->wake_fd, &count, sizeof(count)) < 0 && errno == EINTR) continue;
}

static torc_err epoll_poller_wait(torc_poller *poller, int64_t wait_ms) {
    epoll_poller *self = self_of(poller);
    const int timeout = !torc_list_is_empty(&self->again) || !torc_list_is_empty(&self->ready) ? 0
                        : wait_ms < 0                                                          ? -1
                        : wait_ms > INT32_MAX ? INT32_MAX
                                              : (int)wait_ms;
    const int count = epoll_wait(self->fd, self->events, EVENTS, timeout);

    torc_list_take(&self->ready, &self->again);
    if (count < 0) return errno == EINTR ? TORC_OK : torc_err_from_errno(errno);
    for (int i = 0; i < count; i++) {
        torc_io *io = self->events[i].data.ptr;
        if (io)
            note(io, self->events[i].events);
        else
            drain_wake(self);
    }
    return TORC_OK;
}

/* ---- sending ---- */

static ssize_t send_pieces(const torc_io *io, size_t left, size_t *asked) {
    struct iovec pieces[PIECES];
    const int count = torc_chain_iov(io->sending, pieces, PIECES, left, asked);
    const int flags = MSG_NOSIGNAL | (left > *asked ? MSG_MORE : 0);
    const struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};

    if (count == 1) return send(io->fd, pieces[0].iov_base, pieces[0].iov_len, flags);
    return sendmsg(io->fd, &message, flags);
}

static ssize_t send_range(const torc_io *io, size_t left, size_t *asked) {
    const torc_segment *segment = io->sending->first;
    off_t offset = (off_t)segment->offset;

    *asked = segment->len < left ? segment->len : left;
    const ssize_t sent = sendfile(io->fd, segment->owner.file->fd, &offset, *asked);
    if (sent > 0) return sent;
    if (sent == 0) errno = ENODATA; /* the file is shorter than it was said to be */
    return -1;
}

static void send_failed(torc_io *io) {
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        clear_flags(io, WRITABLE);
    else
        fail(io, errno == ENODATA ? TORC_ERR_TRUNCATED : torc_err_from_errno(errno));
}

/* Send until it is done, or the kernel is full. */
static void try_send(torc_io *io) {
    while (io->sending_len > 0 && (io->flags & WRITABLE) && !io->err) {
        size_t asked;
        torc_chain_consume(io->sending, 0);
        const ssize_t sent = io->sending->first->kind == TORC_SEGMENT_FILE
                                 ? send_range(io, io->sending_len, &asked)
                                 : send_pieces(io, io->sending_len, &asked);
        if (sent < 0) {
            if (errno == EINTR) continue;
            send_failed(io);
            return;
        }
        torc_chain_consume(io->sending, (size_t)sent);
        io->sending_len -= (size_t)sent;
        io->sent_len += (size_t)sent;
        make_ready(io);
    }
}

static void epoll_poller_send(torc_poller *poller, torc_io *io) {
    (void)poller;
    if (io->flags & (CLOSED | FAILED | CONNECTING)) return;
    try_send(io);
}

static void tell_sent(torc_io *io) {
    const size_t sent = io->sent_len;

    io->sent_len = 0;
    if (io->sending_len == 0) io->sending = NULL;
    io->ops->sent(io, sent);
}

/* ---- receiving ---- */

static void keep(torc_io *io, torc_str rest) {
    struct torc_io_kept *kept = torc_alloc(&io->reactor->memory, TORC_MEMORY_INPUT, sizeof(*kept) + rest.len);

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
    if (!(io->flags & CLOSED) && (io->flags & (READABLE | PEER_ENDED))) make_ready(io);
}

static void received(torc_io *io, torc_str bytes) {
    /* A short read leaves nothing behind in a TCP socket; of a UNIX one it may be a border of messages. */
    if (bytes.len < TORC_RECEIVE_SIZE && io->family != AF_UNIX) clear_flags(io, READABLE);
    const size_t consumed = io->ops->received(io, bytes);
    if (io->flags & CLOSED) return;
    if (consumed < bytes.len) {
        clear_flags(io, RECEIVING);
        keep(io, torc_str_from(bytes, consumed));
    }
    if ((io->flags & RECEIVING) && (io->flags & READABLE)) {
        torc_list_remove(&io->node);
        torc_list_push(&poller_of(io)->again, &io->node);
    }
}

static void receive(torc_io *io) {
    char *scratch = io->reactor->scratch;
    const ssize_t got = recv(io->fd, scratch, TORC_RECEIVE_SIZE, 0);

    if (got > 0) {
        received(io, torc_str_make(scratch, (size_t)got));
    } else if (got == 0) {
        clear_flags(io, READABLE);
        set_flags(io, PEER_ENDED);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        clear_flags(io, READABLE);
    } else if (errno != EINTR) {
        io->err = torc_err_from_errno(errno);
    }
}

static void epoll_poller_receive_start(torc_poller *poller, torc_io *io) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = io};

    if (io->flags & (CLOSED | RECEIVING)) return;
    set_flags(io, RECEIVING);
    if (io->kind == TORC_IO_LISTENER) {
        if (epoll_ctl(self_of(poller)->fd, EPOLL_CTL_MOD, io->fd, &event)) fail(io, torc_err_from_errno(errno));
    } else if (io->kept || (io->flags & (READABLE | PEER_ENDED))) {
        make_ready(io);
    }
}

static void epoll_poller_receive_stop(torc_poller *poller, torc_io *io) {
    struct epoll_event event = {.events = 0, .data.ptr = io};

    if ((io->flags & CLOSED) || !(io->flags & RECEIVING)) return;
    clear_flags(io, RECEIVING);
    if (io->kind == TORC_IO_LISTENER) epoll_ctl(self_of(poller)->fd, EPOLL_CTL_MOD, io->fd, &event);
}

/* ---- accepting ---- */

/* No descriptor is left: give the spare one up for a moment, so that who waits learns of it by a close. */
static void refuse_one(epoll_poller *self, torc_io *io) {
    close(self->spare_fd);
    const int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) close(fd);
    self->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool is_table_full(int number) {
    return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

/*
 * Accept as many as came the last time, so that a batch mostly ends without asking in vain; more of
 * them are told again by the next wait. `sending_len` holds the size of the last batch.
 */
static void accept_batch(epoll_poller *self, torc_io *io) {
    const size_t batch = io->sending_len ? io->sending_len : 1;
    size_t count = 0;

    for (; count < batch && !(io->flags & CLOSED) && (io->flags & RECEIVING); count++) {
        const int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            io->ops->accepted(io, fd);
            continue;
        }
        if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) continue;
        if (is_table_full(errno)) {
            const torc_err err = torc_err_from_errno(errno);
            refuse_one(self, io);
            io->ops->failed(io, err);
        }
        break;
    }
    if (io->flags & CLOSED) return;
    io->sending_len = count == batch ? (2 * batch < ACCEPTS ? 2 * batch : ACCEPTS) : count;
}

/* ---- telling ---- */

static void tell_connected(torc_io *io) {
    clear_flags(io, CONNECTING | CONNECTED);
    const torc_err err = io->err;
    if (!err) io->ops->connected(io);
}

static void connect_progress(torc_io *io) {
    int number = 0;
    socklen_t len = sizeof(number);

    if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &number, &len)) number = errno;
    if (number) io->err = torc_err_from_errno(number);
    set_flags(io, CONNECTED);
}

static bool is_open(const torc_io *io) {
    return !(io->flags & (CLOSED | FAILED));
}

/* A peer's end is told when nothing received is left, or when nobody wants to receive. */
static bool peer_end_is_due(const torc_io *io) {
    if ((io->flags & (PEER_ENDED | PEER_TOLD)) != PEER_ENDED) return false;
    return !(io->flags & RECEIVING) || (!io->kept && !(io->flags & READABLE));
}

static void tell_stream(torc_io *io) {
    if ((io->flags & CONNECTING) && (io->flags & WRITABLE)) {
        connect_progress(io);
        tell_connected(io);
    }
    if (is_open(io) && io->sending_len > 0) try_send(io);
    if (is_open(io) && io->sent_len > 0) tell_sent(io);
    if (is_open(io) && (io->flags & RECEIVING) && !io->err) {
        if (io->kept)
            give_kept(io);
        else if (io->flags & READABLE)
            receive(io);
    }
    if (is_open(io) && !io->err && peer_end_is_due(io)) {
        set_flags(io, PEER_TOLD);
        io->ops->peer_ended(io);
    }
    if (is_open(io) && io->err) {
        set_flags(io, FAILED);
        torc_list_remove(&io->node);
        io->ops->failed(io, io->err);
    }
}

static void tell_watch(torc_io *io) {
    const uint32_t events = (uint32_t)io->sent_len;

    if (!(io->flags & WATCHING)) return;
    clear_flags(io, WATCHING);
    io->sent_len = 0;
    io->ops->ready(io, events);
}

static size_t epoll_poller_deliver(torc_poller *poller, size_t max) {
    epoll_poller *self = self_of(poller);
    torc_list_node *node;
    size_t count = 0;

    for (; count < max && (node = torc_list_pop(&self->ready)) != NULL; count++) {
        torc_io *io = torc_container_of(node, torc_io, node);
        if (io->kind == TORC_IO_STREAM)
            tell_stream(io);
        else if (io->kind == TORC_IO_LISTENER)
            accept_batch(self, io);
        else
            tell_watch(io);
    }
    return count;
}

static bool epoll_poller_has_completions(const torc_poller *poller) {
    const epoll_poller *self = torc_container_of((uintptr_t)poller, epoll_poller, base);
    return !torc_list_is_empty(&self->ready) || !torc_list_is_empty(&self->again);
}

/* ---- opening, connecting, closing ---- */

static torc_err epoll_poller_open(torc_poller *poller, torc_io *io) {
    struct epoll_event event = {.data.ptr = io};

    if (io->kind == TORC_IO_STREAM) {
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        set_flags(io, WRITABLE);
    }
    if (epoll_ctl(self_of(poller)->fd, EPOLL_CTL_ADD, io->fd, &event)) return torc_err_from_errno(errno);
    return TORC_OK;
}

static void epoll_poller_connect(torc_poller *poller, torc_io *io, const struct sockaddr *addr,
                                 socklen_t len) {
    (void)poller;
    set_flags(io, CONNECTING);
    clear_flags(io, READABLE | WRITABLE);
    if (connect(io->fd, addr, len) == 0)
        set_flags(io, WRITABLE);
    else if (errno != EINPROGRESS)
        io->err = torc_err_from_errno(errno);
    if ((io->flags & WRITABLE) || io->err) make_ready(io);
}

static void epoll_poller_shut_down(torc_poller *poller, torc_io *io) {
    (void)poller;
    if (is_open(io)) shutdown(io->fd, SHUT_WR); /* it fails only when the connection has: told elsewhere */
}

static void retired(torc_retiree *retiree) {
    torc_io *io = torc_container_of(retiree, torc_io, retiree);
    io->ops->closed(io);
}

static void epoll_poller_close(torc_poller *poller, torc_io *io, bool reset) {
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    (void)poller;
    if (io->flags & CLOSED) return;
    set_flags(io, CLOSED);
    torc_list_remove(&io->node);
    torc_dealloc(&io->reactor->memory, io->kept);
    io->kept = NULL;
    io->sending = NULL;
    if (reset && io->kind == TORC_IO_STREAM && io->family != AF_UNIX)
        setsockopt(io->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    if (io->kind == TORC_IO_WATCH)
        epoll_ctl(poller_of(io)->fd, EPOLL_CTL_DEL, io->fd, NULL); /* a watch's descriptor stays open */
    else
        close(io->fd);
    torc_retire(io->reactor, &io->retiree, retired);
}

static void epoll_poller_watch(torc_poller *poller, torc_io *io, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = io};

    if (io->flags & CLOSED) return;
    if (epoll_ctl(self_of(poller)->fd, EPOLL_CTL_MOD, io->fd, &event)) fail(io, torc_err_from_errno(errno));
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
    .wake = epoll_poller_wake,
};

torc_err torc_poller_epoll_new(torc_reactor *reactor, torc_poller **poller) {
    struct epoll_event event = {.events = EPOLLIN}; /* no io: the wake-up */
    epoll_poller *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->base = (torc_poller){.ops = &epoll_ops, .reactor = reactor};
    torc_list_init(&self->ready);
    torc_list_init(&self->again);
    self->fd = epoll_create1(EPOLL_CLOEXEC);
    self->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    self->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (self->fd < 0 || self->wake_fd < 0 || self->spare_fd < 0 ||
        epoll_ctl(self->fd, EPOLL_CTL_ADD, self->wake_fd, &event)) {
        const torc_err err = torc_err_from_errno(errno);
        epoll_poller_free(&self->base);
        return err;
    }
    *poller = &self->base;
    return TORC_OK;
}
