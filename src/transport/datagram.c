/* SPDX-License-Identifier: MIT */
/*
 * Ports for datagrams: their life, and what they wait for.
 *
 *  - The socket is watched for readiness, level-triggered: for reading unless the port is paused or
 *    nobody has taken what came, for writing only while the kernel had no room.
 *  - Everything is told from the watch's event or from the flush, nothing from what is called; once
 *    CLOSED nothing is told but `closed`.
 *  - The socket is closed, and the port freed, in the watch's last event.
 */
#include "transport/datagram.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/options.h"
#include "reactor/syscalls.h"

enum {
    WATCH_AGAIN_MS = 50
};

static torc_datagram_port *of_io(torc_io *io) {
    return torc_container_of(io, torc_datagram_port, io);
}

/* ---- waiting ---- */

static bool wants_datagrams(const torc_datagram_port *port) {
    return !port->is_paused && (!port->received || torc_datagram_room(port) > 0);
}

void torc_datagram_look(torc_datagram_port *port) {
    const uint32_t events =
        (wants_datagrams(port) ? EPOLLIN : 0u) | (port->is_blocked ? EPOLLOUT : 0u);

    if (port->is_closed || events == port->watched) return;
    port->watched = events;
    torc_io_watch(&port->io, events);
}

static void io_ready(torc_io *io, uint32_t events) {
    torc_datagram_port *port = of_io(io);

    if (events & EPOLLERR) torc_datagram_take_errors(port);
    if (!port->is_closed && port->is_blocked && (events & EPOLLOUT)) {
        port->is_blocked = false;
        torc_datagram_flush(&port->flushable);
    }
    if (!port->is_closed && (events & EPOLLIN) && wants_datagrams(port))
        torc_datagram_receive_batch(port);
    torc_datagram_look(port);
}

static void watch_again(torc_timer *timer) {
    torc_datagram_port *port = torc_container_of(timer, torc_datagram_port, again);
    torc_io_watch(&port->io, port->watched);
}

static void io_failed(torc_io *io, torc_err err) {
    (void)err;
    torc_timer_arm(&of_io(io)->again, WATCH_AGAIN_MS);
}

void torc_datagram_tell_failed(torc_datagram_port *port, torc_err err, const torc_addr *to) {
    const torc_datagram told = {.err = err, .peer = *to};

    port->counts.failed++;
    if (port->is_closed) return;
    if (!port->protocol)
        torc_datagram_keep(port, &told);
    else if (port->protocol->ops->failed)
        port->protocol->ops->failed(port->protocol, err, to);
}

/* ---- the end ---- */

static void let_go(torc_datagram_port *port) {
    port->is_closed = true;
    torc_flushable_cancel(&port->flushable);
    torc_call_cancel(&port->taken);
    torc_timer_cancel(&port->again);
    torc_datagram_drop_runs(port);
    torc_waiters_fail(&port->senders, TORC_ERR_CLOSED);
    if (port->received) torc_queue_close(port->received);
}

static void io_closed(torc_io *io) {
    torc_datagram_port *port = of_io(io);
    torc_datagram_protocol *protocol = port->protocol;
    const torc_addr local = torc_datagram_addr(port);
    torc_net *net = torc_datagram_net(port);

    let_go(port);
    torc_datagram_remove_file(port, &local);
    if (net) net->unbind(net, &local);
    close(io->fd);
    torc_queue_free(port->received);
    if (protocol && protocol->ops->closed) protocol->ops->closed(protocol);
    torc_dealloc(&io->reactor->memory, port);
}

static const torc_io_ops io_ops = {.ready = io_ready, .failed = io_failed, .closed = io_closed};

void torc_datagram_close(torc_datagram_port *port) {
    if (!port || port->is_closed) return;
    port->is_closed = true;
    torc_datagram_send_runs(port);
    let_go(port);
    torc_io_close(&port->io, false);
}

/* ---- opening ---- */

static void set_defaults(torc_datagram_options *options) {
    if (!options->receive_max) options->receive_max = TORC_DATAGRAM_RECEIVE_MAX;
    if (options->gro || options->receive_max > TORC_RECEIVE_SIZE)
        options->receive_max = TORC_RECEIVE_SIZE;
    if (!options->bytes_max) options->bytes_max = TORC_DATAGRAM_BYTES_MAX;
    if (!options->count_max) options->count_max = TORC_DATAGRAM_COUNT_MAX;
    if (!options->received_max) options->received_max = TORC_DATAGRAM_RECEIVED_MAX;
    if (options->fds_max > TORC_DATAGRAM_FDS_MAX) options->fds_max = TORC_DATAGRAM_FDS_MAX;
}

static torc_datagram_port *make(torc_reactor *reactor, torc_datagram_protocol *protocol,
                                const torc_datagram_options *options) {
    torc_datagram_port *port =
        torc_alloc_zero(&reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*port));

    if (!port) return NULL;
    TORC_OPTIONS_READ(&port->options, options);
    set_defaults(&port->options);
    port->protocol = protocol;
    port->flushable.flush = torc_datagram_flush;
    port->taken.run = torc_datagram_taken;
    torc_list_init(&port->runs);
    torc_waiters_init(&port->senders, reactor);
    torc_timer_init(&port->again, reactor, watch_again);
    return port;
}

/* The watch and what else it needs, over a socket that is ready. */
static torc_err start(torc_datagram_port *port, torc_reactor *reactor, int fd) {
    enum {
        FAILURES = 16 /* told besides what is received */
    };
    const torc_datagram_options *options = &port->options;
    torc_err err = TORC_OK;

    port->has_gso = port->family != AF_UNIX && !options->no_gso;
    if (!port->protocol)
        err = torc_queue_new(reactor, options->received_max + FAILURES, options->received_max,
                             &port->received);
    if (!err) err = torc_io_open(&port->io, reactor, TORC_IO_WATCH, fd, 0, &io_ops);
    if (err) return err;
    if (port->protocol) port->protocol->port = port;
    torc_datagram_look(port);
    return TORC_OK;
}

static void unmake(torc_datagram_port *port, torc_reactor *reactor) {
    torc_queue_free(port->received);
    torc_dealloc(&reactor->memory, port);
}

/* In a test's network, which cuts nothing itself. */
static torc_err open_in_net(torc_datagram_port *port, torc_net *net, const torc_addr *local,
                            int *fd) {
    port->in_net = *local;
    port->family = torc_addr_family(local);
    port->options.no_gso = true;
    return net->bind(net, &port->in_net, fd);
}

torc_err torc_datagram_open(torc_reactor *reactor, const torc_addr *local,
                            torc_datagram_protocol *protocol, const torc_datagram_options *options,
                            torc_datagram_port **port) {
    torc_datagram_port *made = make(reactor, protocol, options);
    int fd = -1;

    if (!made) return TORC_ERR_NO_MEMORY;
    torc_err err = reactor->net ? open_in_net(made, reactor->net, local, &fd)
                                : torc_datagram_socket_open(made, local, &fd);
    if (!err) {
        err = start(made, reactor, fd);
        if (err) {
            torc_datagram_remove_file(made, local);
            if (made->in_net.len) reactor->net->unbind(reactor->net, &made->in_net);
            close(fd);
        }
    }
    if (err)
        unmake(made, reactor);
    else
        *port = made;
    return err;
}

torc_err torc_datagram_adopt(torc_reactor *reactor, int fd, torc_datagram_protocol *protocol,
                             const torc_datagram_options *options, torc_datagram_port **port) {
    torc_datagram_port *made = make(reactor, protocol, options);

    if (!made) return TORC_ERR_NO_MEMORY;
    torc_err err = torc_datagram_socket_adopt(made, fd);
    if (!err) err = start(made, reactor, fd);
    if (err)
        unmake(made, reactor);
    else
        *port = made;
    return err;
}

/* ---- use ---- */

torc_err torc_datagram_connect(torc_datagram_port *port, const torc_addr *peer) {
    const torc_addr none = {.len = sizeof(struct sockaddr), .as.any = {.sa_family = AF_UNSPEC}};
    const torc_addr *to = peer ? peer : &none;

    if (port->is_closed) return TORC_ERR_CLOSED;
    if (port->count > 0) return TORC_ERR_BUSY;
    if (!port->in_net.len && torc_sys_connect(port->io.reactor, port->io.fd, &to->as.any, to->len))
        return torc_err_from_errno(errno);
    port->peer = peer ? *peer : (torc_addr){0};
    return TORC_OK;
}

void torc_datagram_pause(torc_datagram_port *port) {
    port->is_paused = true;
    torc_datagram_look(port);
}

void torc_datagram_resume(torc_datagram_port *port) {
    port->is_paused = false;
    torc_datagram_look(port);
}

torc_addr torc_datagram_addr(const torc_datagram_port *port) {
    torc_addr addr = {.len = sizeof(addr.as)};
    if (port->in_net.len) return port->in_net;
    return getsockname(port->io.fd, &addr.as.any, &addr.len) ? (torc_addr){0} : addr;
}

torc_reactor *torc_datagram_reactor(const torc_datagram_port *port) {
    return port->io.reactor;
}

const torc_datagram_counts *torc_datagram_count(const torc_datagram_port *port) {
    return &port->counts;
}

size_t torc_datagram_unsent(const torc_datagram_port *port) {
    return port->bytes;
}

torc_err torc_datagram_path_mtu(const torc_datagram_port *port, uint32_t *bytes) {
    const bool is_v4 = port->family == AF_INET;
    int mtu = 0;
    socklen_t len = sizeof(mtu);

    if (port->family == AF_UNIX || port->in_net.len) return TORC_ERR_UNSUPPORTED;
    if (getsockopt(port->io.fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_MTU : IPV6_MTU, &mtu,
                   &len))
        return errno == ENOTCONN ? TORC_ERR_STATE : torc_err_from_errno(errno);
    *bytes = (uint32_t)mtu;
    return TORC_OK;
}
