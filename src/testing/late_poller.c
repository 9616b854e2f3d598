/* SPDX-License-Identifier: MIT */
/*
 * The late double of the poller, over poll().
 *
 *  - A wait makes the system calls that were asked for before it, and notes what came of them with
 *    the turn in which it may be told: the next one, or later. deliver() tells what is due.
 *  - Each io has a record, which lives from open to `closed`.
 *  - A record has at most one buffer of received bytes, and none while bytes are kept.
 *  - What is told is told once per record and call of deliver(), one event at a time: a callback
 *    may close any io, whose record then stays in its list until it is retired.
 */
#include "testing/late_poller.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/reactor.h"
#include "reactor/socket.h"
#include "reactor/syscalls.h"

enum {
    BUFFERS = 4,
    BUFFER_SIZE = 512,
    SEND_MAX = 3000,   /* bytes in one wait */
    CLOSING_TURNS = 3, /* from close to closed */
    END_TURNS = 2      /* from the peer's end until it is told */
};

typedef enum connect_state {
    CONNECT_NONE,
    CONNECT_ASKED,
    CONNECT_BEGUN,
    CONNECT_DONE
} connect_state;

typedef struct buffer {
    size_t len;
    bool is_used;
    char bytes[BUFFER_SIZE];
} buffer;

/* What the poller knows of an io. Turns are 0 while there is nothing to tell. */
typedef struct torc_io_kept {
    torc_list_node node;
    torc_io *io;
    bool is_receiving, is_closed, is_reset, is_failed;
    bool is_ended, is_drained, is_end_told; /* FIN was seen; everything before it was received */
    bool is_input_told;
    connect_state connect;
    struct sockaddr_storage addr;
    socklen_t addr_len;
    buffer *filled;
    uint64_t filled_turn;
    char *kept;
    size_t kept_len;
    uint64_t kept_turn;
    uint64_t send_turn; /* from which on a wait may send */
    uint64_t sent_turn;
    bool is_full; /* the kernel is: wait for POLLOUT */
    int accepted; /* -1: none */
    uint64_t accepted_turn;
    uint32_t watched, came; /* events */
    uint64_t came_turn;
    uint64_t again_turn; /* the last in which a call was interrupted */
    uint64_t connect_turn, failed_turn, end_turn, closed_turn;
    const torc_segment *lent; /* the first of what was being sent when it was closed */
} late;

typedef struct late_poller {
    torc_poller base;
    torc_list ios;
    size_t count, room;
    struct pollfd *polled; /* for each io, and the wake-up */
    late **polled_ios;
    int wake_fd, spare_fd;
    uint64_t turn;
    buffer buffers[BUFFERS];
} late_poller;

static late_poller *self_of(torc_poller *poller) {
    return torc_container_of(poller, late_poller, base);
}

static late *late_of(const torc_io *io) {
    return io->kept;
}

static late_poller *poller_of(const late *of) {
    return self_of(of->io->reactor->poller);
}

static uint64_t later(const late *of, unsigned turns) {
    return poller_of(of)->turn + turns;
}

static late *of_node(torc_list_node *node) {
    return torc_container_of(node, late, node);
}

static void fail(late *of, torc_err err) {
    if (of->io->err) return;
    of->io->err = (int16_t)err;
    of->failed_turn = later(of, 1);
}

/* ---- what a wait does ---- */

static buffer *take_buffer(late_poller *self) {
    for (int i = 0; i < BUFFERS; i++) {
        if (self->buffers[i].is_used) continue;
        self->buffers[i].is_used = true;
        return &self->buffers[i];
    }
    return NULL;
}

static bool wants_bytes(const late *of) {
    return of->is_receiving && !of->filled && !of->kept && !of->is_drained && !of->io->err &&
           of->connect == CONNECT_NONE;
}

static void end_seen(late *of) {
    if (of->is_ended) return;
    of->is_ended = true;
    of->end_turn = later(of, END_TURNS);
}

static void receive(late_poller *self, late *of) {
    size_t asked = BUFFER_SIZE;
    buffer *into = take_buffer(self);

    if (!into) return;
    const ssize_t got = torc_sys_recv(of->io, into->bytes, &asked);
    if (got > 0) {
        into->len = (size_t)got;
        of->filled = into;
        of->filled_turn = later(of, 1);
        return;
    }
    into->is_used = false;
    if (got == 0) {
        of->is_drained = true;
        end_seen(of);
    } else if (errno == EINTR) {
        of->again_turn = poller_of(of)->turn;
    } else if (!torc_socket_is_full(errno)) {
        fail(of, torc_err_from_errno(errno));
    }
}

static bool may_send(const late *of) {
    return of->io->sending_len > of->io->sent_len && !of->io->err && of->connect == CONNECT_NONE;
}

/* What left is consumed when it is told: until then the memory is lent. */
static void send_some(late *of) {
    torc_io *io = of->io;

    if (io->sent_len > 0) return; /* one at a time, since the chain still begins with these */
    const ssize_t sent =
        torc_socket_send(io, io->sending_len < SEND_MAX ? io->sending_len : SEND_MAX);
    if (sent >= 0) {
        io->sent_len = (uint32_t)sent;
        of->sent_turn = later(of, 1);
    } else if (torc_socket_is_full(errno)) {
        of->is_full = true;
    } else if (errno != EINTR) {
        fail(of, torc_socket_send_err(errno));
    }
}

static void begin_connect(late *of) {
    const struct sockaddr *addr = (const struct sockaddr *)(const void *)&of->addr;

    of->connect = CONNECT_BEGUN;
    if (torc_sys_connect(of->io->reactor, of->io->fd, addr, of->addr_len) == 0) {
        of->connect = CONNECT_DONE;
        of->connect_turn = later(of, 1);
    } else if (errno != EINPROGRESS) {
        fail(of, torc_err_from_errno(errno));
    }
}

static void end_connect(late *of) {
    const torc_err err = torc_socket_take_err(of->io->fd);

    if (err) {
        fail(of, err);
        return;
    }
    of->connect = CONNECT_DONE;
    of->connect_turn = later(of, 1);
}

static void accept_one(late_poller *self, late *of) {
    const int fd = torc_sys_accept(of->io->reactor, of->io->fd);

    if (fd >= 0) {
        of->accepted = fd;
        of->accepted_turn = later(of, 1);
        return;
    }
    const int number = errno;
    const torc_accept_failure failure = torc_socket_accept_failure(number);
    if (failure == TORC_ACCEPT_NEXT) of->again_turn = poller_of(of)->turn;
    if (failure == TORC_ACCEPT_FULL) torc_socket_refuse(of->io->fd, &self->spare_fd);
    if (failure == TORC_ACCEPT_FULL || failure == TORC_ACCEPT_FAILED)
        fail(of, torc_err_from_errno(number));
}

/* Make the calls that need nothing to come first. */
static void begin(late *of) {
    if (of->is_closed) return;
    if (of->connect == CONNECT_ASKED) begin_connect(of);
    if (of->send_turn && of->send_turn <= poller_of(of)->turn && !of->is_full && may_send(of))
        send_some(of);
}

static short stream_events(const late *of) {
    short events = 0;

    if (of->io->err) return 0;
    if (of->connect != CONNECT_NONE) return of->connect == CONNECT_BEGUN ? POLLOUT : 0;
    if (wants_bytes(of)) events |= POLLIN;
    if (!of->is_ended) events |= POLLRDHUP;
    if (of->is_full && may_send(of)) events |= POLLOUT;
    return events;
}

static short events_of(const late *of) {
    if (of->is_closed) return 0;
    if (of->io->kind == TORC_IO_STREAM) return stream_events(of);
    if (of->io->kind == TORC_IO_LISTENER)
        return of->is_receiving && of->accepted < 0 && !of->io->err ? POLLIN : 0;
    return of->came_turn ? 0 : (short)of->watched; /* the constants of epoll are those of poll */
}

static void fail_by_socket(late *of) {
    const torc_err err = torc_socket_take_err(of->io->fd);
    fail(of, err ? err : TORC_ERR_RESET);
}

static void note_stream(late_poller *self, late *of, short events) {
    if (of->connect == CONNECT_BEGUN) {
        end_connect(of);
        return;
    }
    if (events & (POLLOUT | POLLERR | POLLHUP)) of->is_full = false;
    if (wants_bytes(of))
        receive(self, of);
    else if (events & POLLERR)
        fail_by_socket(of);
    else if ((events & (POLLRDHUP | POLLHUP)) && !of->is_receiving)
        end_seen(of);
}

static void note(late_poller *self, late *of, short events) {
    if (of->is_closed) return;
    if (of->io->kind == TORC_IO_STREAM) {
        note_stream(self, of, events);
    } else if (of->io->kind == TORC_IO_LISTENER) {
        accept_one(self, of);
    } else {
        of->came = (uint32_t)events;
        of->came_turn = later(of, 1);
    }
}

/* All that the peer had sent was consumed. */
static bool input_end_is_due(const late *of) {
    if (!of->is_end_told || of->is_input_told || of->io->err || !of->io->ops->input_ended)
        return false;
    return of->is_receiving && of->is_drained && !of->filled && !of->kept;
}

/* Whether something is to be told or done in a later turn without anything coming from outside. */
static bool is_busy(const late *of) {
    const torc_io *io = of->io;

    if (of->again_turn == poller_of(of)->turn && of->again_turn) return true;
    if (of->is_closed || of->filled || of->accepted >= 0 || of->came_turn || of->failed_turn)
        return true;
    if ((of->kept && of->is_receiving) || of->connect_turn || of->connect == CONNECT_ASKED)
        return true;
    if (io->sent_len > 0 || (may_send(of) && !of->is_full)) return true;
    if (input_end_is_due(of)) return true;
    return of->is_ended && !of->is_end_told && !io->err && (of->is_drained || !of->is_receiving);
}

static bool late_has_completions(const torc_poller *poller) {
    late_poller *self = torc_container_of((uintptr_t)poller, late_poller, base);

    for (torc_list_node *node = torc_list_first(&self->ios); node;
         node = torc_list_next(&self->ios, node))
        if (is_busy(of_node(node))) return true;
    return false;
}

/* The descriptors to poll; poll ignores negative ones. An io that is asked nothing is left out,
 * since its end would be told for ever. */
static nfds_t gather(late_poller *self) {
    nfds_t count = 0;

    self->polled[count++] = (struct pollfd){.fd = self->wake_fd, .events = POLLIN};
    for (torc_list_node *node = torc_list_first(&self->ios); node;
         node = torc_list_next(&self->ios, node)) {
        late *of = of_node(node);
        const short events = events_of(of);
        if (!events) continue;
        self->polled_ios[count] = of;
        self->polled[count++] = (struct pollfd){.fd = of->io->fd, .events = events};
    }
    return count;
}

static void drain_wake(const late_poller *self) {
    uint64_t count;
    while (read(self->wake_fd, &count, sizeof(count)) < 0 && errno == EINTR) continue;
}

static torc_err late_wait(torc_poller *poller, int64_t wait_ms) {
    late_poller *self = self_of(poller);
    int timeout = wait_ms < 0 ? -1 : wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms;

    self->turn++;
    for (torc_list_node *node = torc_list_first(&self->ios); node;
         node = torc_list_next(&self->ios, node))
        begin(of_node(node));
    if (late_has_completions(poller)) timeout = 0;
    const nfds_t count = gather(self);
    const int ready = torc_sys_fails(poller->reactor, TORC_SYS_WAIT, NULL)
                          ? -1
                          : poll(self->polled, count, timeout);
    if (ready < 0) return errno == EINTR ? TORC_OK : TORC_ERR_SYSTEM;
    if (self->polled[0].revents) drain_wake(self);
    for (nfds_t i = 1; i < count; i++)
        if (self->polled[i].revents) note(self, self->polled_ios[i], self->polled[i].revents);
    return TORC_OK;
}

/* ---- telling ---- */

static bool is_due(const late *of, uint64_t turn) {
    return turn != 0 && turn <= poller_of(of)->turn;
}

static void keep(late *of, torc_str rest) {
    of->is_receiving = false;
    of->kept = torc_alloc(&of->io->reactor->memory, TORC_MEMORY_INPUT, rest.len);
    if (!of->kept) {
        fail(of, TORC_ERR_NO_MEMORY);
        return;
    }
    memcpy(of->kept, rest.bytes, rest.len);
    of->kept_len = rest.len;
}

static void tell_filled(late *of) {
    buffer *filled = of->filled;

    of->filled = NULL;
    of->io->reactor->counts.bytes_received += filled->len;
    const size_t consumed =
        of->io->ops->received(of->io, torc_str_make(filled->bytes, filled->len));
    if (consumed < filled->len && !of->is_closed)
        keep(of, torc_str_make(filled->bytes + consumed, filled->len - consumed));
    memset(filled->bytes, 0xdb, sizeof(filled->bytes)); /* lent bytes were lent */
    filled->is_used = false;
}

static void tell_kept(late *of) {
    char *bytes = of->kept;
    const size_t len = of->kept_len;

    of->kept = NULL;
    const size_t consumed = of->io->ops->received(of->io, torc_str_make(bytes, len));
    if (consumed < len && !of->is_closed) keep(of, torc_str_make(bytes + consumed, len - consumed));
    torc_dealloc(&of->io->reactor->memory, bytes);
}

static void tell_sent(late *of) {
    torc_io *io = of->io;
    const size_t sent = io->sent_len;

    io->sent_len = 0;
    of->sent_turn = 0;
    torc_chain_consume(io->sending, sent);
    io->sending_len -= (uint32_t)sent;
    if (io->sending_len == 0) io->sending = NULL;
    io->reactor->counts.bytes_sent += sent;
    io->ops->sent(io, sent);
}

static void tell_connected(late *of) {
    of->connect = CONNECT_NONE;
    of->connect_turn = 0;
    of->io->ops->connected(of->io);
}

static void tell_accepted(late *of) {
    const int fd = of->accepted;

    of->accepted = -1;
    of->io->reactor->counts.accepted++;
    of->io->ops->accepted(of->io, fd);
}

static void tell_ready(late *of) {
    const uint32_t events = of->came;

    of->came_turn = 0;
    of->io->ops->ready(of->io, events);
}

static void tell_end(late *of) {
    of->is_end_told = true;
    of->io->ops->peer_ended(of->io);
}

static void tell_input_end(late *of) {
    of->is_input_told = true;
    of->io->ops->input_ended(of->io);
}

/* A stream's error is its last event; a listener goes on. */
static void tell_failed(late *of) {
    const torc_err err = (torc_err)of->io->err;

    of->failed_turn = 0;
    if (of->io->kind == TORC_IO_STREAM)
        of->is_failed = true;
    else
        of->io->err = TORC_OK;
    if (of->io->ops->failed) of->io->ops->failed(of->io, err);
}

static void free_late(late *of) {
    torc_memory *memory = &of->io->reactor->memory;

    if (of->accepted >= 0) close(of->accepted);
    if (of->filled) of->filled->is_used = false;
    torc_dealloc(memory, of->kept);
    torc_dealloc(memory, of);
}

static void retired(torc_retiree *retiree) {
    torc_io *io = torc_container_of(retiree, torc_io, retiree);
    io->ops->closed(io);
}

static void end_close(late *of) {
    torc_io *io = of->io;

    assert(!io->sending || io->sending->first == of->lent); /* it is lent until `closed` */
    if (io->kind != TORC_IO_WATCH) torc_socket_close(io, of->is_reset);
    torc_list_remove(&of->node);
    poller_of(of)->count--;
    free_late(of);
    io->kept = NULL;
    torc_retire(io->reactor, &io->retiree, retired);
}

static bool end_is_due(const late *of) {
    if (of->is_end_told || of->io->err || !is_due(of, of->end_turn)) return false;
    return !of->filled && (!of->is_receiving || (of->is_drained && !of->kept));
}

/* Tell one thing, if something is due; whether there was one. */
static bool tell_one(late *of) {
    if (of->is_closed) {
        if (!is_due(of, of->closed_turn)) return false;
        end_close(of);
    } else if (of->is_failed) {
        return false;
    } else if (is_due(of, of->connect_turn)) {
        tell_connected(of);
    } else if (is_due(of, of->sent_turn)) {
        tell_sent(of);
    } else if (of->filled && is_due(of, of->filled_turn)) {
        tell_filled(of);
    } else if (of->kept && of->is_receiving && is_due(of, of->kept_turn)) {
        tell_kept(of);
    } else if (of->accepted >= 0 && is_due(of, of->accepted_turn)) {
        tell_accepted(of);
    } else if (is_due(of, of->came_turn)) {
        tell_ready(of);
    } else if (end_is_due(of)) {
        tell_end(of);
    } else if (input_end_is_due(of)) {
        tell_input_end(of);
    } else if (is_due(of, of->failed_turn)) {
        tell_failed(of);
    } else {
        return false;
    }
    return true;
}

static size_t late_deliver(torc_poller *poller, size_t max) {
    late_poller *self = self_of(poller);
    torc_list round;
    torc_list_node *node;
    size_t count = 0;

    torc_list_init(&round);
    torc_list_take(&round, &self->ios);
    while (count < max && (node = torc_list_pop(&round)) != NULL) {
        torc_list_push(&self->ios, node);
        if (tell_one(of_node(node))) count++;
    }
    torc_list_take(&self->ios, &round);
    return count;
}

/* ---- what is asked for ---- */

/* Room for one more to be polled, so that a wait need not allocate. */
static torc_err make_room(late_poller *self) {
    torc_memory *memory = &self->base.reactor->memory;
    const size_t room = 2 * self->room + 8;

    if (self->count + 1 < self->room) return TORC_OK;
    struct pollfd *polled = torc_alloc(memory, TORC_MEMORY_OTHER, room * sizeof(*polled));
    late **ios = torc_alloc(memory, TORC_MEMORY_OTHER, room * sizeof(late *));
    if (!polled || !ios) {
        torc_dealloc(memory, polled);
        torc_dealloc(memory, ios);
        return TORC_ERR_NO_MEMORY;
    }
    torc_dealloc(memory, self->polled);
    torc_dealloc(memory, self->polled_ios);
    self->polled = polled;
    self->polled_ios = ios;
    self->room = room;
    return TORC_OK;
}

static torc_err late_open(torc_poller *poller, torc_io *io) {
    late_poller *self = self_of(poller);
    late *of;
    torc_err err = make_room(self);

    if (err) return err;
    if (torc_sys_fails(io->reactor, TORC_SYS_REGISTER, NULL)) return torc_err_from_errno(errno);
    if (fcntl(io->fd, F_GETFD) < 0) return torc_err_from_errno(errno);
    of = torc_alloc_zero(&io->reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*of));
    if (!of) return TORC_ERR_NO_MEMORY;
    of->io = io;
    of->accepted = -1;
    io->kept = of;
    torc_list_push(&self->ios, &of->node);
    self->count++;
    return TORC_OK;
}

static void late_receive_start(torc_poller *poller, torc_io *io) {
    late *of = late_of(io);

    (void)poller;
    if (!of || of->is_closed || of->is_receiving) return;
    of->is_receiving = true;
    if (of->kept) of->kept_turn = later(of, 1);
}

static void late_receive_stop(torc_poller *poller, torc_io *io) {
    late *of = late_of(io);

    (void)poller;
    if (of) of->is_receiving = false;
}

static void late_connect(torc_poller *poller, torc_io *io, const struct sockaddr *addr,
                         socklen_t len) {
    late *of = late_of(io);

    (void)poller;
    memcpy(&of->addr, addr, len);
    of->addr_len = len;
    of->connect = CONNECT_ASKED;
}

static size_t late_send(torc_poller *poller, torc_io *io) {
    late *of = late_of(io);

    (void)poller;
    if (of) of->send_turn = later(of, 1);
    return 0;
}

static void late_shut_down(torc_poller *poller, torc_io *io) {
    const late *of = late_of(io);

    (void)poller;
    if (of && !of->is_closed && !io->err) shutdown(io->fd, SHUT_WR);
}

static void late_close(torc_poller *poller, torc_io *io, bool reset) {
    late *of = late_of(io);

    (void)poller;
    if (!of || of->is_closed) return;
    torc_list_remove(&io->node);
    of->is_closed = true;
    of->is_reset = reset;
    of->closed_turn = later(of, CLOSING_TURNS);
    of->lent = io->sending ? io->sending->first : NULL;
}

static void late_watch(torc_poller *poller, torc_io *io, uint32_t events) {
    (void)poller;
    if (late_of(io)) late_of(io)->watched = events;
}

static void late_wake(torc_poller *poller) {
    const uint64_t one = 1;
    while (write(self_of(poller)->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR) continue;
}

static void late_free(torc_poller *poller) {
    late_poller *self = self_of(poller);
    torc_memory *memory = &poller->reactor->memory;

    if (self->wake_fd >= 0) close(self->wake_fd);
    if (self->spare_fd >= 0) close(self->spare_fd);
    torc_dealloc(memory, self->polled);
    torc_dealloc(memory, self->polled_ios);
    torc_dealloc(memory, self);
}

static const torc_poller_ops late_ops = {
    .free = late_free,
    .wait = late_wait,
    .deliver = late_deliver,
    .has_completions = late_has_completions,
    .open = late_open,
    .receive_start = late_receive_start,
    .receive_stop = late_receive_stop,
    .connect = late_connect,
    .send = late_send,
    .shut_down = late_shut_down,
    .close = late_close,
    .watch = late_watch,
    .wake = late_wake,
};

torc_err torc_poller_late_new(torc_reactor *reactor, torc_poller **poller) {
    late_poller *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->base = (torc_poller){.ops = &late_ops, .reactor = reactor};
    torc_list_init(&self->ios);
    self->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    self->spare_fd = torc_socket_open_spare();
    torc_err err = TORC_OK;
    if (self->wake_fd < 0 || self->spare_fd < 0)
        err = torc_err_from_errno(errno);
    else
        err = make_room(self);
    if (err)
        late_free(&self->base);
    else
        *poller = &self->base;
    return err;
}
