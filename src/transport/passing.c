/* SPDX-License-Identifier: MIT */
/*
 * What only UNIX streams have: descriptors that go along, and who the peer is.
 *
 *  - Who the peer is, a filter asks of what is below it. Descriptors go with a byte of the socket,
 *    which a filter's byte is not: they are the stream's own protocol's alone.
 *  - What passing needs is allocated when it is first asked for. A stream that passes does not keep
 *    its addresses, which have the same place.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/passing.h"
#include "transport/stream.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* The open UNIX stream at the bottom. */
static torc_err find_stream(torc_transport *transport, torc_stream **stream) {
    torc_stream *found = transport->ops->stream ? transport->ops->stream(transport) : NULL;

    if (!found) return TORC_ERR_UNSUPPORTED;
    if (found->io.family != AF_UNIX && found->io.family != TORC_IO_PASSING)
        return TORC_ERR_UNSUPPORTED;
    if (torc_transport_has_ended(&found->base)) return TORC_ERR_CLOSED;
    *stream = found;
    return TORC_OK;
}

/* ---- who the peer is ---- */

torc_err torc_transport_peer_credentials(torc_transport *transport, torc_credentials *credentials) {
    torc_stream *stream;
    struct ucred who;
    socklen_t len = sizeof(who);
    const torc_err err = find_stream(transport, &stream);

    if (err) return err;
    if (getsockopt(stream->io.fd, SOL_SOCKET, SO_PEERCRED, &who, &len))
        return torc_err_from_errno(errno);
    *credentials = (torc_credentials){.pid = who.pid, .uid = who.uid, .gid = who.gid};
    return TORC_OK;
}

torc_err torc_transport_peer_pidfd(torc_transport *transport, int *fd) {
    torc_stream *stream;
    int found = -1;
    socklen_t len = sizeof(found);
    const torc_err err = find_stream(transport, &stream);

    if (err) return err;
    if (getsockopt(stream->io.fd, SOL_SOCKET, SO_PEERPIDFD, &found, &len))
        return errno == ENOPROTOOPT ? TORC_ERR_UNSUPPORTED : torc_err_from_errno(errno);
    *fd = found;
    return TORC_OK;
}

/* ---- passing ---- */

static torc_err begin(torc_transport *transport, torc_stream **stream) {
    const torc_err err = find_stream(transport, stream);

    if (err) return err;
    if (&(*stream)->base != transport) return TORC_ERR_UNSUPPORTED;
    if ((*stream)->io.family == TORC_IO_PASSING) return TORC_OK;
    torc_io_passing *passing =
        torc_alloc_zero(&transport->reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*passing));
    if (!passing) return TORC_ERR_NO_MEMORY;
    (*stream)->passing = passing;
    (*stream)->io.family = TORC_IO_PASSING;
    return TORC_OK;
}

torc_err torc_transport_receive_fds(torc_transport *transport, uint32_t count_max) {
    torc_stream *stream;
    const torc_err err = begin(transport, &stream);

    if (err) return err;
    stream->passing->incoming_max =
        (uint8_t)(count_max < TORC_PASSING_MAX ? count_max : TORC_PASSING_MAX);
    return TORC_OK;
}

/* Bytes that were written and have not left: of those that have left, some pollers consume what
 * they have not told yet. */
static size_t unsent(const torc_stream *stream) {
    const torc_outgoing *outgoing = stream->base.outgoing;

    if (!outgoing) return 0;
    return outgoing->chain.len + outgoing->sending - stream->io.sending_len - stream->io.sent_len;
}

torc_err torc_transport_send_fd(torc_transport *transport, int fd) {
    torc_stream *stream;
    torc_err err = begin(transport, &stream);

    if (err) return err;
    if (torc_transport_is_closing(transport)) return TORC_ERR_CLOSED;
    const int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0) return errno == EBADF ? TORC_ERR_INVALID : torc_err_from_errno(errno);
    err = torc_passing_add(stream->passing, own, unsent(stream));
    if (err) close(own);
    return err;
}

void torc_stream_tell_fds(torc_stream *stream) {
    torc_transport *transport = &stream->base;
    const torc_protocol_ops *ops;
    int fd;

    while (!torc_transport_is_paused(transport) && (fd = torc_passing_take(stream->passing)) >= 0) {
        ops = transport->protocol->ops;
        if (ops->fd_received && !torc_transport_is_closing(transport))
            ops->fd_received(transport->protocol, fd);
        else
            close(fd);
    }
}

void torc_stream_end_passing(torc_stream *stream) {
    torc_passing_dispose(stream->passing);
    torc_dealloc(&stream->base.reactor->memory, stream->passing);
}
