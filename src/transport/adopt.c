/* SPDX-License-Identifier: MIT */
/*
 * Connections that were made elsewhere.
 *
 *  - What stands on one is built by a posted call, so never from inside torc_adopt_connection().
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <torc/connect.h>

#include "base/alloc.h"
#include "reactor/reactor.h"
#include "transport/stages.h"
#include "transport/stream.h"

typedef struct adopted {
    torc_stream_owner owner;
    torc_call build;
    torc_stages stages;
    torc_stream *stream;
} adopted;

static void ended(torc_stream_owner *owner, torc_stream *stream) {
    adopted *self = torc_container_of(owner, adopted, owner);
    torc_factory *factory = self->stages.factory;

    torc_call_cancel(&self->build);
    torc_stages_dispose(&self->stages);
    torc_dealloc(&stream->base.reactor->memory, self);
    if (--factory->users == 0 && factory->ops->stopped) factory->ops->stopped(factory);
}

static void build(torc_call *call) {
    adopted *self = torc_container_of(call, adopted, build);

    if (!torc_transport_has_ended(&self->stream->base))
        torc_stages_build(&self->stages, &self->stream->base);
}

/* See that it is a connected stream socket, and make it as Torc's are. */
static torc_err prepare(int fd, int *family) {
    struct sockaddr_storage peer;
    int type = 0;
    const int on = 1;
    socklen_t len = sizeof(type), family_len = sizeof(*family), peer_len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) ||
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, family, &family_len))
        return torc_err_from_errno(errno);
    if (type != SOCK_STREAM) return TORC_ERR_INVALID;
    if (getpeername(fd, (struct sockaddr *)&peer, &peer_len))
        return errno == ENOTCONN ? TORC_ERR_INVALID : torc_err_from_errno(errno);
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
        return torc_err_from_errno(errno);
    if (*family != AF_UNIX) (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return TORC_OK;
}

torc_err torc_adopt_connection(torc_reactor *reactor, int fd, torc_factory *factory,
                               const torc_filters *filters) {
    adopted *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));
    int family = 0;

    if (!self) return TORC_ERR_NO_MEMORY;
    torc_err err = prepare(fd, &family);
    if (!err) err = torc_stream_new(reactor, fd, family, &self->stream);
    if (err) {
        torc_dealloc(&reactor->memory, self);
        return err;
    }
    torc_stages_init(&self->stages, filters, factory);
    factory->users++;
    self->owner.ended = ended;
    self->stream->owner = &self->owner;
    self->build.run = build;
    torc_reactor_post(reactor, &self->build);
    return TORC_OK;
}
