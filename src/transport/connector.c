/* SPDX-License-Identifier: MIT */
/*
 * Connecting to an address that is known.
 *
 *  - An attempt ends in exactly one of two ways: the factory builds a protocol, or `failed` is
 * called; in the stream's end, so never from inside torc_connect_addr().
 */
#include "transport/connector.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"

typedef struct connector {
    torc_stream_owner owner;
    torc_timer timer;
    torc_stream *stream;
    torc_stages stages;
    torc_connect_failed_fn *failed;
    void *context;
    torc_err err;
    bool is_built;
} connector;

static void let_go(connector *self) {
    torc_factory *factory = self->stages.factory;

    torc_timer_cancel(&self->timer);
    if (!self->is_built && self->failed) self->failed(factory, self->context, self->err);
    torc_stages_dispose(&self->stages);
    torc_dealloc(&self->timer.reactor->memory, self);
    if (--factory->users == 0 && factory->ops->stopped) factory->ops->stopped(factory);
}

static connector *of_owner(torc_stream_owner *owner) {
    return torc_container_of(owner, connector, owner);
}

static void ended(torc_stream_owner *owner, torc_stream *stream) {
    connector *self = of_owner(owner);

    if (!self->err) self->err = (torc_err)stream->base.reason;
    let_go(self);
}

static void expired(torc_timer *timer) {
    connector *self = torc_container_of(timer, connector, timer);

    self->err = TORC_ERR_TIMEOUT;
    torc_transport_abort_with(&self->stream->base, TORC_ERR_TIMEOUT);
}

/* Filters may take their time: a handshake is part of connecting. */
static void built(torc_stages *stages, torc_transport *top, torc_err err) {
    connector *self = torc_container_of(stages, connector, stages);

    (void)top;
    torc_timer_cancel(&self->timer);
    self->err = err;
    self->is_built = !err;
}

void torc_connector_connected(torc_stream *stream) {
    torc_stages_build(&of_owner(stream->owner)->stages, &stream->base);
}

static int open_socket(const torc_addr *addr) {
    const int family = torc_addr_family(addr), on = 1;
    const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && family != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

torc_err torc_connector_new(torc_reactor *reactor, const torc_addr *addr, uint64_t timeout_ms,
                            torc_factory *factory, const torc_filters *filters,
                            torc_connect_failed_fn *failed, void *context) {
    connector *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));
    const int fd = self ? open_socket(addr) : -1;
    torc_err err = !self ? TORC_ERR_NO_MEMORY : fd < 0 ? torc_err_from_errno(errno) : TORC_OK;

    if (!err) err = torc_stream_new(reactor, fd, torc_addr_family(addr), &self->stream);
    if (err) {
        if (fd >= 0) close(fd);
        torc_dealloc(&reactor->memory, self);
        return err;
    }
    torc_stages_init(&self->stages, filters, factory);
    self->stages.built = built;
    self->failed = failed;
    self->context = context;
    factory->users++;
    torc_timer_init(&self->timer, reactor, expired);
    if (timeout_ms) torc_timer_arm(&self->timer, timeout_ms);
    self->owner.ended = ended;
    self->stream->owner = &self->owner;
    torc_io_connect(&self->stream->io, &addr->as.any, addr->len);
    return TORC_OK;
}

torc_err torc_connect_addr(torc_reactor *reactor, const torc_addr *addr, uint64_t timeout_ms,
                           torc_factory *factory, torc_connect_failed_fn *failed, void *context) {
    return torc_connector_new(reactor, addr, timeout_ms, factory, NULL, failed, context);
}
