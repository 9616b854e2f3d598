/* SPDX-License-Identifier: MIT */
/*
 * A producer of pieces, and two protocols wired together.
 *
 *  - One that pushes writes a piece a turn, while it is not paused; one that pulls, a piece for
 *    each resume.
 */
#include <torc/reactor.h>
#include <torc/testing_protocols.h>

#include "base/alloc.h"

struct torc_test_producer {
    torc_producer base;
    torc_transport *transport; /* NULL: it has finished, or was stopped */
    torc_call step;
    size_t left, len;
    char *piece;
    uint32_t paused, resumed;
    bool pulls, is_paused, was_stopped;
};

static torc_test_producer *self_of(torc_producer *producer) {
    return torc_container_of(producer, torc_test_producer, base);
}

static void write_one(torc_test_producer *self) {
    torc_transport *transport = self->transport;

    if (!transport) return;
    if (self->left > 0) {
        self->left--;
        torc_transport_write(transport, torc_str_make(self->piece, self->len));
    }
    if (self->left > 0) return;
    self->transport = NULL;
    torc_transport_unregister_producer(transport);
}

static void push_later(torc_test_producer *self) {
    if (self->transport && !self->pulls && !self->is_paused)
        torc_reactor_post(torc_transport_reactor(self->transport), &self->step);
}

static void push(torc_call *call) {
    torc_test_producer *self = torc_container_of(call, torc_test_producer, step);

    if (self->is_paused) return;
    write_one(self);
    push_later(self);
}

static void paused(torc_producer *producer) {
    self_of(producer)->paused++;
    self_of(producer)->is_paused = true;
}

static void resumed(torc_producer *producer) {
    torc_test_producer *self = self_of(producer);

    self->resumed++;
    self->is_paused = false;
    if (self->pulls)
        write_one(self);
    else
        push_later(self);
}

static void stopped(torc_producer *producer) {
    torc_test_producer *self = self_of(producer);

    self->was_stopped = true;
    self->transport = NULL;
    torc_call_cancel(&self->step);
}

static const torc_producer_ops ops = {.pause = paused, .resume = resumed, .stop = stopped};

torc_test_producer *torc_test_producer_new(torc_transport *transport, size_t count, size_t bytes,
                                           bool pulls) {
    torc_test_producer *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    *self = (torc_test_producer){.base.ops = &ops,
                                 .transport = transport,
                                 .step.run = push,
                                 .left = count,
                                 .len = bytes,
                                 .pulls = pulls};
    self->piece = torc_alloc(NULL, TORC_MEMORY_OTHER, bytes);
    if (self->piece) memset(self->piece, 'x', bytes);
    if (!self->piece || torc_transport_register_producer(transport, &self->base, !pulls)) {
        torc_dealloc(NULL, self->piece);
        torc_dealloc(NULL, self);
        return NULL;
    }
    push_later(self);
    return self;
}

void torc_test_producer_free(torc_test_producer *self) {
    if (!self) return;
    torc_call_cancel(&self->step);
    torc_dealloc(NULL, self->piece);
    torc_dealloc(NULL, self);
}

size_t torc_test_producer_left(const torc_test_producer *self) {
    return self->left;
}

uint32_t torc_test_producer_paused(const torc_test_producer *self) {
    return self->paused;
}

uint32_t torc_test_producer_resumed(const torc_test_producer *self) {
    return self->resumed;
}

bool torc_test_producer_was_stopped(const torc_test_producer *self) {
    return self->was_stopped;
}

/* ---- two protocols ---- */

torc_err torc_test_loopback(torc_reactor *reactor, torc_factory *server, torc_factory *client,
                            torc_test_connection *ends[2]) {
    torc_test_connection *one = torc_test_connection_new(reactor, server);
    torc_test_connection *other = torc_test_connection_new(reactor, client);

    if (!one || !other) {
        torc_test_connection_free(one);
        torc_test_connection_free(other);
        return TORC_ERR_NO_MEMORY;
    }
    torc_test_connection_join(one, other);
    ends[0] = one;
    ends[1] = other;
    return TORC_OK;
}
