/* SPDX-License-Identifier: MIT */
/*
 * What all pollers share: the way from an io to its poller.
 */
#include "reactor/poller.h"

#include <assert.h>

#include "reactor/reactor.h"

static torc_poller *poller_of(const torc_io *io) {
    return io->reactor->poller;
}

torc_err torc_io_open(torc_io *io, torc_reactor *reactor, torc_io_kind kind, int fd, int family,
                      const torc_io_ops *ops) {
    *io = (torc_io){
        .ops = ops,
        .reactor = reactor,
        .fd = fd,
        .kind = (uint8_t)kind,
        .family = (uint8_t)family,
    };
    const torc_err err = reactor->poller->ops->open(reactor->poller, io);
    if (!err) torc_list_push(&reactor->ios, &io->node);
    return err;
}

void torc_io_receive_start(torc_io *io) {
    poller_of(io)->ops->receive_start(poller_of(io), io);
}

void torc_io_receive_stop(torc_io *io) {
    poller_of(io)->ops->receive_stop(poller_of(io), io);
}

void torc_io_connect(torc_io *io, const struct sockaddr *addr, socklen_t len) {
    poller_of(io)->ops->connect(poller_of(io), io, addr, len);
}

size_t torc_io_send(torc_io *io, torc_chain *chain, size_t len) {
    assert(!torc_io_is_sending(io) && len > 0 && len <= chain->len && len <= UINT32_MAX);
    io->sending = chain;
    io->sending_len = (uint32_t)len;
    return poller_of(io)->ops->send(poller_of(io), io);
}

bool torc_io_is_sending(const torc_io *io) {
    return io->sending != NULL;
}

void torc_io_shut_down(torc_io *io) {
    assert(!torc_io_is_sending(io));
    poller_of(io)->ops->shut_down(poller_of(io), io);
}

void torc_io_close(torc_io *io, bool reset) {
    poller_of(io)->ops->close(poller_of(io), io, reset);
}

void torc_ios_close(torc_reactor *reactor, torc_err reason) {
    torc_list_node *node;

    if (reactor->poller->ops->forget) reactor->poller->ops->forget(reactor->poller);
    while ((node = torc_list_pop(&reactor->ios)) != NULL) {
        torc_io *io = torc_container_of(node, torc_io, node);
        if (io->kind == TORC_IO_STREAM && !io->err) {
            io->err = (int16_t)reason;
            io->ops->failed(io, reason);
        }
        torc_io_close(io, false);
    }
}

void torc_io_watch(torc_io *io, uint32_t events) {
    poller_of(io)->ops->watch(poller_of(io), io, events);
}
