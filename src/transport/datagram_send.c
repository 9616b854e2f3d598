/* SPDX-License-Identifier: MIT */
/*
 * Sending datagrams.
 *
 *  - What is sent is copied into runs: datagrams of one size to one peer, one behind the other, so
 *    that the kernel can be given a run as one message that it cuts itself (UDP_SEGMENT).
 *  - Each run counts its datagrams, and how many of them are done; an empty one counts, too.
 *  - A flush makes messages of the first runs and sends them by one call, again and again, until
 *    nothing is left, the kernel has no room, or the turn's share is used.
 *  - An error is about the first message. If the kernel does not cut it, its datagrams go one by
 *    one. It may also be about one that was sent before: then that is told and the first is tried
 *    again, once. Else the first datagram is dropped and told of.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/options.h"
#include "reactor/socket.h"
#include "reactor/syscalls.h"
#include "transport/datagram.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
    MESSAGES = 32,         /* in one call */
    SEGMENTS_MAX = 64,     /* in one message, the least that any kernel takes */
    RUN_BYTES_MAX = 64000, /* of one message that is cut: with its headers below 64 KiB */
    UDP4_MAX = 65507,      /* bytes of a datagram */
    UDP6_MAX = 65527,
    UNIX_MAX = 1024 * 1024, /* what the kernel takes is less, mostly: it says so */
    CONTROL_SIZE = 192      /* of one message: an address, ECN, a segment's size, descriptors */
};

_Static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)) +
                       CMSG_SPACE(sizeof(uint16_t)) +
                       CMSG_SPACE(TORC_DATAGRAM_FDS_MAX * sizeof(int)) <=
                   CONTROL_SIZE,
               "room for all of them");

static torc_datagram_run *of_node(torc_list_node *node) {
    return torc_container_of(node, torc_datagram_run, node);
}

static torc_datagram_run *first_run(const torc_datagram_port *port) {
    torc_list_node *node = torc_list_first(&port->runs);
    return node ? of_node(node) : NULL;
}

static torc_datagram_run *next_run(const torc_datagram_port *port, const torc_datagram_run *run) {
    torc_list_node *node = torc_list_next(&port->runs, &run->node);
    return node ? of_node(node) : NULL;
}

/* ---- runs ---- */

static void free_run(torc_datagram_port *port, torc_datagram_run *run) {
    torc_list_remove(&run->node);
    for (int i = 0; i < run->fd_count; i++) close(run->fds[i]);
    torc_dealloc(&port->io.reactor->memory, run);
}

/* Where `count` datagrams behind those that are done begin and end. */
static uint32_t begin_of(const torc_datagram_run *run) {
    return run->done * run->segment;
}

static uint32_t len_of(const torc_datagram_run *run, uint32_t count) {
    const uint32_t end = (run->done + count) * run->segment;
    return (end < run->len ? end : run->len) - begin_of(run);
}

/* So many have left, or are given up. */
static void advance(torc_datagram_port *port, torc_datagram_run *run, uint32_t count) {
    port->bytes -= len_of(run, count);
    port->count -= count;
    run->done += count;
    port->is_retried = false;
    if (run->done == run->count) free_run(port, run);
}

void torc_datagram_drop_runs(torc_datagram_port *port) {
    torc_datagram_run *run;

    while ((run = first_run(port)) != NULL) free_run(port, run);
    port->bytes = port->count = 0;
}

static bool is_same(const torc_addr *a, const torc_addr *b) {
    return a->len == b->len && memcmp(&a->as, &b->as, a->len) == 0;
}

/* The last run, if this one can go with it. */
static torc_datagram_run *fitting(const torc_datagram_port *port, const torc_datagram_run *like,
                                  size_t len) {
    torc_list_node *node = torc_list_last(&port->runs);
    torc_datagram_run *run = node ? of_node(node) : NULL;

    if (!run || !port->has_gso || run->is_whole || run->is_cut || len == 0) return NULL;
    if (len > run->segment || run->count >= SEGMENTS_MAX || run->len + len > RUN_BYTES_MAX)
        return NULL;
    if (run->ecn != like->ecn || !is_same(&run->to, &like->to) ||
        !is_same(&run->local, &like->local))
        return NULL;
    return run;
}

static torc_datagram_run *grow(torc_datagram_port *port, torc_datagram_run *run, size_t len) {
    size_t capacity = (size_t)run->capacity * 2;

    if (run->len + len <= run->capacity) return run;
    if (capacity < run->len + len) capacity = run->len + len;
    if (capacity > RUN_BYTES_MAX) capacity = RUN_BYTES_MAX;
    torc_list_remove(&run->node);
    torc_datagram_run *grown =
        torc_realloc(&port->io.reactor->memory, run, sizeof(*run) + capacity);
    if (grown) grown->capacity = (uint32_t)capacity;
    torc_list_push(&port->runs, grown ? &grown->node : &run->node);
    return grown;
}

/* Descriptors go with a run of their own. */
static torc_err copy_fds(torc_datagram_run *run, const torc_datagram_send_options *options) {
    for (size_t i = 0; options && i < options->fd_count; i++) {
        const int fd = fcntl(options->fds[i], F_DUPFD_CLOEXEC, 3);
        if (fd < 0) return torc_err_from_errno(errno);
        run->fds[run->fd_count++] = fd;
        run->is_whole = true;
    }
    return TORC_OK;
}

static torc_err add_run(torc_datagram_port *port, const torc_datagram_run *like, torc_str bytes,
                        const torc_datagram_send_options *options) {
    torc_datagram_run *run =
        torc_alloc(&port->io.reactor->memory, TORC_MEMORY_OUTPUT, sizeof(*run) + bytes.len);

    if (!run) return TORC_ERR_NO_MEMORY;
    *run = *like;
    run->count = 1;
    run->segment = run->len = run->capacity = (uint32_t)bytes.len;
    run->is_whole = bytes.len == 0 || !port->has_gso;
    if (bytes.len > 0) memcpy(run->bytes, bytes.bytes, bytes.len);
    torc_list_push(&port->runs, &run->node);
    const torc_err err = copy_fds(run, options);
    if (err) free_run(port, run);
    return err;
}

static torc_err add(torc_datagram_port *port, const torc_datagram_run *like, torc_str bytes,
                    const torc_datagram_send_options *options) {
    const bool has_fds = options && options->fd_count > 0;
    torc_datagram_run *run = has_fds ? NULL : fitting(port, like, bytes.len);
    torc_err err = TORC_OK;

    if (run) {
        run = grow(port, run, bytes.len);
        if (!run) return TORC_ERR_NO_MEMORY;
        memcpy(run->bytes + run->len, bytes.bytes, bytes.len);
        run->len += (uint32_t)bytes.len;
        run->count++;
        run->is_whole = bytes.len < run->segment;
    } else {
        err = add_run(port, like, bytes, options);
    }
    if (err) return err;
    port->bytes += bytes.len;
    port->count++;
    return TORC_OK;
}

/* ---- asking ---- */

/* An address of IPv4, as a socket of IPv6 writes it. */
static torc_addr mapped(const torc_addr *addr) {
    torc_addr v6 = {.len = sizeof(v6.as.in6)};

    v6.as.in6.sin6_family = AF_INET6;
    v6.as.in6.sin6_port = addr->as.in.sin_port;
    v6.as.in6.sin6_addr.s6_addr[10] = v6.as.in6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(&v6.as.in6.sin6_addr.s6_addr[12], &addr->as.in.sin_addr, sizeof(addr->as.in.sin_addr));
    return v6;
}

/* {0} stays; false: the port cannot have such an address. */
static bool adapt(const torc_datagram_port *port, torc_addr *addr) {
    if (addr->len == 0) return true;
    if (port->family == AF_INET6 && torc_addr_family(addr) == AF_INET && !port->options.v6only)
        *addr = mapped(addr);
    return torc_addr_family(addr) == port->family;
}

static torc_err describe(const torc_datagram_port *port, const torc_addr *to,
                         const torc_datagram_send_options *options, torc_datagram_run *like) {
    if (to) like->to = *to;
    if (!adapt(port, &like->to) || (like->to.len == 0 && port->peer.len == 0))
        return TORC_ERR_INVALID;
    if (!options) return TORC_OK;
    like->local = options->local;
    like->ecn = (uint8_t)(options->ecn & 3);
    if (!adapt(port, &like->local) || options->fd_count > TORC_DATAGRAM_FDS_MAX ||
        (options->fd_count > 0 && (port->family != AF_UNIX || options->segment_size)))
        return TORC_ERR_INVALID;
    return TORC_OK;
}

/* Whether there is room for all of it; if not, drained will tell. */
static torc_err admit(torc_datagram_port *port, size_t len, size_t segment) {
    const size_t max = port->family == AF_UNIX   ? UNIX_MAX
                       : port->family == AF_INET ? UDP4_MAX
                                                 : UDP6_MAX;
    const size_t count = segment && len > segment ? (len + segment - 1) / segment : 1;

    if ((segment && segment < len ? segment : len) > max || len > port->options.bytes_max)
        return TORC_ERR_TOO_LARGE;
    if (len <= port->options.bytes_max - port->bytes && count <= port->options.count_max &&
        port->count <= port->options.count_max - count)
        return TORC_OK;
    if (count > port->options.count_max) return TORC_ERR_TOO_LARGE;
    port->is_full = true;
    return TORC_ERR_BUSY;
}

/* What the caller's version of the options does not have is 0. */
static torc_datagram_send_options full(const torc_datagram_send_options *options) {
    torc_datagram_send_options all = {.size = sizeof(all)};
    TORC_OPTIONS_READ(&all, options);
    return all;
}

static torc_err send_with(torc_datagram_port *port, torc_str bytes, const torc_addr *to,
                          const torc_datagram_send_options *options) {
    const uint32_t segment = options ? options->segment_size : 0;
    torc_datagram_run like = {.len = 0};
    torc_str rest = bytes, one = bytes;

    torc_err err = describe(port, to, options, &like);
    if (!err) err = admit(port, bytes.len, segment);
    if (err) return err;
    if (!segment || bytes.len == 0)
        err = add(port, &like, bytes, options);
    else
        while (!err && torc_datagram_next(&rest, segment, &one))
            err = add(port, &like, one, options);
    if (port->count > 0 && !port->is_blocked)
        torc_reactor_flush_later(port->io.reactor, &port->flushable);
    return err;
}

torc_err torc_datagram_send(torc_datagram_port *port, torc_str bytes, const torc_addr *to,
                            const torc_datagram_send_options *options) {
    if (port->is_closed) return TORC_ERR_CLOSED;
    if (!options) return send_with(port, bytes, to, NULL);
    const torc_datagram_send_options all = full(options);
    return send_with(port, bytes, to, &all);
}

/* ---- waiting for room ---- */

/* A fiber that waits, on its stack. What it sends is taken for it, since the port may be gone when
 * it goes on. */
typedef struct sender {
    torc_waiter waiter;
    torc_str bytes;
    const torc_addr *to;
    const torc_datagram_send_options *options;
} sender;

torc_err torc_datagram_send_await(torc_datagram_port *port, torc_str bytes, const torc_addr *to,
                                  const torc_datagram_send_options *options) {
    sender self = {.bytes = bytes, .to = to, .options = options};
    const bool is_first = torc_waiters_first(&port->senders) == NULL;
    const torc_err err = is_first ? torc_datagram_send(port, bytes, to, options) : TORC_ERR_BUSY;

    if (err != TORC_ERR_BUSY) return err;
    torc_waiters_push(&port->senders, &self.waiter);
    return torc_waiter_wait(&self.waiter);
}

static void send_for_waiting(torc_datagram_port *port) {
    torc_waiter *waiter;

    while ((waiter = torc_waiters_first(&port->senders)) != NULL) {
        const sender *of = torc_container_of(waiter, sender, waiter);
        const torc_err err = torc_datagram_send(port, of->bytes, of->to, of->options);
        if (err == TORC_ERR_BUSY) return;
        torc_waiter_serve(waiter, err, NULL, NULL);
    }
}

/* ---- making messages ---- */

typedef struct batch {
    struct mmsghdr messages[MESSAGES];
    struct iovec pieces[MESSAGES];
    torc_datagram_run *runs[MESSAGES]; /* whose datagrams each is */
    uint32_t counts[MESSAGES];         /* how many */
    _Alignas(struct cmsghdr) char controls[MESSAGES][CONTROL_SIZE];
    unsigned count;
} batch;

/* Add one to a message's control, where there is room for all: see above. */
static void add_control(struct msghdr *message, char *control, int level, int type,
                        const void *value, size_t len) {
    struct cmsghdr *header = (struct cmsghdr *)(void *)(control + message->msg_controllen);

    message->msg_control = control;
    memset(header, 0, CMSG_SPACE(len));
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(header), value, len);
    message->msg_controllen += CMSG_SPACE(len);
}

static void add_local(struct msghdr *message, char *control, const torc_addr *local) {
    struct in_pktinfo v4 = {0};
    struct in6_pktinfo v6 = {0};

    if (torc_addr_family(local) == AF_INET) {
        v4.ipi_spec_dst = local->as.in.sin_addr;
        add_control(message, control, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
    } else if (torc_addr_family(local) == AF_INET6) {
        v6.ipi6_addr = local->as.in6.sin6_addr;
        v6.ipi6_ifindex = local->as.in6.sin6_scope_id;
        add_control(message, control, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
    }
}

static void add_ecn(const torc_datagram_port *port, struct msghdr *message, char *control,
                    const torc_datagram_run *run) {
    const torc_addr *to = run->to.len ? &run->to : &port->peer;
    const bool is_v4 = port->family == AF_INET || (torc_addr_family(to) == AF_INET6 &&
                                                   IN6_IS_ADDR_V4MAPPED(&to->as.in6.sin6_addr));
    const int tos = run->ecn;

    if (port->family == AF_UNIX || !tos) return;
    add_control(message, control, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_TOS : IPV6_TCLASS,
                &tos, sizeof(tos));
}

/* Make a message of the next `count` datagrams of a run, which begin `offset` behind the first. */
static void add_message(const torc_datagram_port *port, batch *self, torc_datagram_run *run,
                        uint32_t ahead, uint32_t count) {
    struct msghdr *message = &self->messages[self->count].msg_hdr;
    char *control = self->controls[self->count];
    const uint32_t skipped = ahead ? len_of(run, ahead) : 0;
    const uint16_t segment = (uint16_t)run->segment;

    self->pieces[self->count] = (struct iovec){.iov_base = run->bytes + begin_of(run) + skipped,
                                               .iov_len = len_of(run, ahead + count) - skipped};
    *message = (struct msghdr){.msg_iov = &self->pieces[self->count], .msg_iovlen = 1};
    if (run->to.len) {
        message->msg_name = &run->to.as;
        message->msg_namelen = run->to.len;
    }
    add_local(message, control, &run->local);
    add_ecn(port, message, control, run);
    if (count > 1)
        add_control(message, control, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment));
    if (run->fd_count)
        add_control(message, control, SOL_SOCKET, SCM_RIGHTS, run->fds,
                    run->fd_count * sizeof(int));
    self->runs[self->count] = run;
    self->counts[self->count++] = count;
}

static void add_messages(const torc_datagram_port *port, batch *self, torc_datagram_run *run) {
    const uint32_t left = run->count - run->done;

    if (port->has_gso && !run->is_cut) {
        add_message(port, self, run, 0, left);
        return;
    }
    for (uint32_t i = 0; i < left && self->count < MESSAGES; i++)
        add_message(port, self, run, i, 1);
}

/* ---- sending ---- */

/* The kernel, or the device, does not cut: too old, without checksums, or larger than its MTU. */
static bool is_not_cut(const batch *sent, int number) {
    return sent->counts[0] > 1 && (number == EIO || number == EINVAL || number == EMSGSIZE ||
                                   number == EOPNOTSUPP || number == ENOPROTOOPT);
}

/* Of a UNIX socket that it is not connected to nobody tells when there is room. */
static bool is_blocked(const torc_datagram_port *port, const torc_datagram_run *run, int number) {
    if (!torc_socket_is_full(number)) return false;
    return port->family != AF_UNIX || run->to.len == 0 || is_same(&run->to, &port->peer);
}

static void drop_first(torc_datagram_port *port, torc_datagram_run *run, int number) {
    const torc_addr to = run->to.len ? run->to : port->peer;

    advance(port, run, 1);
    torc_datagram_tell_failed(port, torc_err_from_errno(number), &to);
}

/* Whether to go on. */
static bool has_recovered(torc_datagram_port *port, const batch *sent, int number) {
    torc_datagram_run *run = sent->runs[0];

    if (number == EINTR) return true;
    if (is_blocked(port, run, number)) {
        port->is_blocked = true;
        torc_datagram_look(port);
        return false;
    }
    if (is_not_cut(sent, number)) {
        run->is_cut = true;
        if (number != EMSGSIZE && number != EINVAL) port->has_gso = false;
        return true;
    }
    if (!port->is_retried) {
        port->is_retried = true;
        if (torc_datagram_take_errors(port)) return true;
    }
    drop_first(port, run, number);
    return true;
}

static int send_batch(torc_datagram_port *port, batch *self) {
    port->counts.send_calls++;
    if (torc_sys_fails(port->io.reactor, TORC_SYS_SEND, NULL)) return -1;
    torc_net *net = torc_datagram_net(port);
    if (net)
        return net->send(net, port->io.fd, &port->in_net, &port->peer, self->messages, self->count);
    return sendmmsg(port->io.fd, self->messages, self->count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static size_t has_sent(torc_datagram_port *port, const batch *sent, unsigned count) {
    size_t bytes = 0;

    for (unsigned i = 0; i < count; i++) {
        bytes += sent->pieces[i].iov_len;
        port->counts.sent += sent->counts[i];
        advance(port, sent->runs[i], sent->counts[i]);
    }
    port->io.reactor->counts.bytes_sent += bytes;
    return bytes;
}

void torc_datagram_send_runs(torc_datagram_port *port) {
    size_t bytes = 0;
    batch self;

    while (port->count > 0 && bytes < TORC_TURN_SEND_MAX) {
        self.count = 0;
        for (torc_datagram_run *run = first_run(port); run && self.count < MESSAGES;
             run = next_run(port, run))
            add_messages(port, &self, run);
        const int count = send_batch(port, &self);
        if (count > 0)
            bytes += has_sent(port, &self, (unsigned)count);
        else if (!has_recovered(port, &self, count < 0 ? errno : EAGAIN))
            return;
    }
}

static void tell_drained(torc_datagram_port *port) {
    if (!port->is_full || port->is_closed || port->bytes > port->options.bytes_max / 2 ||
        port->count > port->options.count_max / 2)
        return;
    port->is_full = false;
    send_for_waiting(port);
    if (port->protocol && port->protocol->ops->drained)
        port->protocol->ops->drained(port->protocol);
}

void torc_datagram_flush(torc_flushable *flushable) {
    torc_datagram_port *port = torc_container_of(flushable, torc_datagram_port, flushable);

    torc_datagram_send_runs(port);
    if (!port->is_closed && port->count > 0 && !port->is_blocked)
        torc_reactor_flush_next_turn(port->io.reactor, &port->flushable);
    tell_drained(port);
    torc_datagram_look(port);
}
