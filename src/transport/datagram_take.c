/* SPDX-License-Identifier: MIT */
/*
 * Datagrams for who asks for the next: of a port without a protocol.
 *
 *  - What came is copied, one allocation each, into a bounded queue; when that is full, nothing
 *    more is received until one is taken.
 *  - The port may be gone when a wait is over: it is not looked at any more then. Who waits holds
 *    nothing back, since the queue is empty meanwhile.
 */
#include <unistd.h>

#include "base/alloc.h"
#include "transport/datagram.h"

/* A datagram, and behind it its bytes. */
typedef struct kept {
    torc_datagram base;
    torc_memory *memory;
    torc_credentials credentials;
    int fds[TORC_DATAGRAM_FDS_MAX];
    char bytes[];
} kept;

static kept *copy(torc_memory *memory, const torc_datagram *datagram) {
    kept *self = torc_alloc(memory, TORC_MEMORY_INPUT, sizeof(*self) + datagram->bytes.len);

    if (!self) return NULL;
    self->base = *datagram;
    self->memory = memory;
    if (datagram->bytes.len > 0) memcpy(self->bytes, datagram->bytes.bytes, datagram->bytes.len);
    self->base.bytes = torc_str_make(self->bytes, datagram->bytes.len);
    self->base.fds = self->fds;
    for (size_t i = 0; i < datagram->fd_count; i++)
        self->fds[i] = torc_datagram_take_fd(datagram, i);
    if (datagram->credentials) {
        self->credentials = *datagram->credentials;
        self->base.credentials = &self->credentials;
    }
    return self;
}

size_t torc_datagram_room(const torc_datagram_port *port) {
    const size_t count = torc_queue_count(port->received);
    return count < port->options.received_max ? port->options.received_max - count : 0;
}

void torc_datagram_keep(torc_datagram_port *port, const torc_datagram *datagram) {
    kept *self = copy(&port->io.reactor->memory, datagram);
    if (self) (void)!torc_queue_try_put(port->received, &self->base, torc_datagram_free);
}

void torc_datagram_free(void *datagram) {
    kept *self;

    if (!datagram) return;
    self = torc_container_of((torc_datagram *)datagram, kept, base);
    for (size_t i = 0; i < self->base.fd_count; i++)
        if (self->fds[i] >= 0) close(self->fds[i]);
    torc_dealloc(self->memory, self);
}

int torc_datagram_take_fd(const torc_datagram *datagram, size_t at) {
    if (at >= datagram->fd_count) return -1;
    const int fd = datagram->fds[at];
    datagram->fds[at] = -1;
    return fd;
}

bool torc_datagram_next(torc_str *rest, uint32_t segment_size, torc_str *one) {
    if (rest->len == 0) return false;
    const size_t len = segment_size && segment_size < rest->len ? segment_size : rest->len;
    *one = torc_str_head(*rest, len);
    *rest = torc_str_from(*rest, len);
    return true;
}

/* ---- waiting for the next ---- */

/* One that is there already; there is room then. */
static torc_err take_now(torc_datagram_port *port, void **value) {
    const torc_err err = torc_queue_try_get(port->received, value);

    if (!err) torc_datagram_look(port);
    return err;
}

void torc_datagram_taken(torc_call *call) {
    torc_datagram_look(torc_container_of(call, torc_datagram_port, taken));
}

/* The queue gives what it has by a posted call: there may be room after it. */
torc_deferred *(torc_datagram_receive)(torc_datagram_port *port) {
    torc_deferred *deferred = torc_queue_get(port->received);

    if (!port->is_closed) torc_reactor_post(port->io.reactor, &port->taken);
    return deferred;
}

static torc_err wait_for(torc_datagram_port *port, uint64_t timeout_ms, void **value) {
    torc_reactor *reactor = port->io.reactor;
    torc_deadline deadline;
    torc_err err;

    if (timeout_ms == UINT64_MAX) return torc_queue_get_await(port->received, value);
    torc_deadline_begin(reactor, &deadline, timeout_ms);
    err = torc_queue_get_await(port->received, value);
    torc_deadline_end(reactor, &deadline);
    return err;
}

torc_err torc_datagram_receive_await(torc_datagram_port *port, uint64_t timeout_ms,
                                     torc_datagram **datagram) {
    void *value = NULL;
    torc_err err = port->is_closed ? TORC_ERR_CLOSED : take_now(port, &value);

    if (err == TORC_ERR_AGAIN) err = wait_for(port, timeout_ms, &value);
    if (err) return err;
    torc_datagram *taken = value;
    err = taken->err;
    if (err)
        torc_datagram_free(taken);
    else
        *datagram = taken;
    return err;
}
