/* SPDX-License-Identifier: MIT */
/*
 * The transport over a stream socket.
 *
 *  - The io's events become the transport's; `closed`, the last of them, frees the stream.
 */
#include "transport/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "transport/connector.h"
#include "transport/net.h"

static torc_stream *of_io(torc_io *io) {
    return torc_container_of(io, torc_stream, io);
}

static torc_stream *self_of(torc_transport *transport) {
    return torc_container_of(transport, torc_stream, base);
}

static size_t received(torc_io *io, torc_str bytes) {
    if (io->family == TORC_IO_PASSING) torc_stream_tell_fds(of_io(io));
    return torc_transport_received(&of_io(io)->base, bytes);
}

static void peer_ended(torc_io *io) {
    torc_transport_peer_ended(&of_io(io)->base);
}

static void input_ended(torc_io *io) {
    torc_transport_input_ended(&of_io(io)->base);
}

static void sent(torc_io *io, size_t bytes) {
    torc_transport_sent(&of_io(io)->base, bytes);
}

static void connected(torc_io *io) {
    torc_connector_connected(of_io(io));
}

static void failed(torc_io *io, torc_err err) {
    torc_transport_failed(&of_io(io)->base, err);
}

static void closed(torc_io *io) {
    torc_stream *self = of_io(io);
    torc_memory *memory = &io->reactor->memory;

    torc_transport_closed(&self->base);
    if (self->owner) self->owner->ended(self->owner, self);
    if (io->family == TORC_IO_PASSING)
        torc_stream_end_passing(self);
    else if (self->addrs)
        torc_object_dealloc(memory, TORC_MEMORY_CONNECTION, self->addrs, sizeof(*self->addrs));
    torc_object_dealloc(memory, TORC_MEMORY_CONNECTION, self, sizeof(*self));
}

static torc_io_passing *passing(const torc_io *io) {
    return of_io((torc_io *)(uintptr_t)io)->passing;
}

static const torc_io_ops io_ops = {
    .passing = passing,
    .connected = connected,
    .received = received,
    .peer_ended = peer_ended,
    .input_ended = input_ended,
    .sent = sent,
    .failed = failed,
    .closed = closed,
};

static void stream_send(torc_transport *transport, size_t len) {
    const size_t sent = torc_io_send(&self_of(transport)->io, &transport->outgoing->chain, len);
    if (sent > 0) torc_transport_sent(transport, sent);
}

static void stream_receive_start(torc_transport *transport) {
    torc_io_receive_start(&self_of(transport)->io);
}

static void stream_receive_stop(torc_transport *transport) {
    torc_io_receive_stop(&self_of(transport)->io);
}

static void stream_shut_down(torc_transport *transport) {
    torc_io_shut_down(&self_of(transport)->io);
}

static void stream_close(torc_transport *transport, bool reset) {
    torc_io_close(&self_of(transport)->io, reset);
}

/* What the kernel says of an end, {0} if it does not. */
static torc_addr ask_addr(const torc_stream *self, bool peer) {
    const int fd = self->io.fd;
    torc_addr addr = {.len = sizeof(addr.as)};

    if (torc_transport_has_ended(&self->base))
        return (torc_addr){0}; /* the descriptor may be another's now */
    const int failed_ =
        peer ? getpeername(fd, &addr.as.any, &addr.len) : getsockname(fd, &addr.as.any, &addr.len);
    if (failed_) return (torc_addr){0};
    torc_net *net = self->base.reactor->net;
    if (net) net->disguise(net, &addr);
    return addr;
}

/* Keep an address for the next time, if there is memory for it and it is one of IP. */
static void keep_addr(torc_stream *self, bool peer, const torc_addr *addr) {
    const bool is_new = !self->addrs;

    if (torc_addr_family(addr) != AF_INET && torc_addr_family(addr) != AF_INET6) return;
    if (is_new)
        self->addrs = torc_object_alloc(&self->base.reactor->memory, TORC_MEMORY_CONNECTION,
                                        sizeof(*self->addrs));
    if (!self->addrs) return;
    if (is_new) *self->addrs = (torc_stream_addrs){0};
    self->addrs->lens[peer] = (uint8_t)addr->len;
    memcpy(&self->addrs->ends[peer], &addr->as, addr->len);
}

/* Whoever logs asks with each request: the kernel is asked once. */
static torc_addr stream_addr(torc_transport *transport, bool peer) {
    torc_stream *self = self_of(transport);
    torc_addr addr = {0};

    if (self->io.family != TORC_IO_PASSING && self->addrs && self->addrs->lens[peer]) {
        addr.len = self->addrs->lens[peer];
        memcpy(&addr.as, &self->addrs->ends[peer], addr.len);
        return addr;
    }
    addr = ask_addr(self, peer);
    keep_addr(self, peer, &addr);
    return addr;
}

static torc_err stream_set_option(torc_transport *transport, int option, bool on) {
    const torc_stream *self = self_of(transport);
    const int level = option == SO_KEEPALIVE ? SOL_SOCKET : IPPROTO_TCP, value = on;

    if (self->io.family == AF_UNIX || self->io.family == TORC_IO_PASSING)
        return TORC_ERR_UNSUPPORTED;
    if (torc_transport_has_ended(transport)) return TORC_ERR_STATE;
    return setsockopt(self->io.fd, level, option, &value, sizeof(value))
               ? torc_err_from_errno(errno)
               : TORC_OK;
}

static size_t stream_unacknowledged(torc_transport *transport) {
    int held = 0;
    return ioctl(self_of(transport)->io.fd, SIOCOUTQ, &held) || held < 0 ? 0 : (size_t)held;
}

static torc_stream *stream_itself(torc_transport *transport) {
    return self_of(transport);
}

static const torc_transport_ops stream_ops = {
    .stream = stream_itself,
    .send = stream_send,
    .receive_start = stream_receive_start,
    .receive_stop = stream_receive_stop,
    .shut_down = stream_shut_down,
    .close = stream_close,
    .addr = stream_addr,
    .set_option = stream_set_option,
    .unacknowledged = stream_unacknowledged,
    .sends_files = true,
};

torc_err torc_stream_new(torc_reactor *reactor, int fd, int family, torc_stream **stream) {
    torc_stream *self = torc_object_alloc(&reactor->memory, TORC_MEMORY_CONNECTION, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    torc_transport_init(&self->base, reactor, &stream_ops);
    self->owner = NULL;
    self->account = NULL;
    self->addrs = NULL;
    const torc_err err = torc_io_open(&self->io, reactor, TORC_IO_STREAM, fd, family, &io_ops);
    if (err) {
        torc_object_dealloc(&reactor->memory, TORC_MEMORY_CONNECTION, self, sizeof(*self));
        return err;
    }
    *stream = self;
    return TORC_OK;
}

torc_err torc_stream_fd(const torc_transport *transport, int *fd) {
    const torc_stream *self;

    if (transport->ops != &stream_ops) return TORC_ERR_UNSUPPORTED;
    self = torc_container_of(transport, torc_stream, base);
    if (!torc_transport_is_paused(transport) || torc_transport_is_closing(transport) ||
        torc_transport_unsent(transport) > 0 || self->io.kept)
        return TORC_ERR_AGAIN;
    *fd = self->io.fd;
    return TORC_OK;
}
