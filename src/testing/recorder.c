/* SPDX-License-Identifier: MIT */
/*
 * Protocols that keep what they hear.
 *
 *  - What was kept of a connection stays when it is lost, until the recorder is freed.
 *  - The memory is the test's, not the reactor's.
 */
#include <torc/testing_protocols.h>

#include <assert.h>

#include "base/alloc.h"
#include "base/list.h"
#include "testing/expect.h"

enum {
    HEARD_MAX = 256 * 1024 * 1024
};

typedef struct recorded {
    torc_protocol base;
    torc_list_node node;
    torc_test_recorder *recorder;
    torc_buf heard;
    uint32_t drained;
    bool has_ended, is_lost;
    torc_err reason;
} recorded;

struct torc_test_recorder {
    torc_factory factory;
    torc_list connections;
    torc_buf said;
    bool echoes, refuses;
};

static recorded *of_protocol(torc_protocol *protocol) {
    return torc_container_of(protocol, recorded, base);
}

/* ---- the protocol ---- */

static void connection_made(torc_protocol *protocol) {
    const torc_str said = torc_buf_str(&of_protocol(protocol)->recorder->said);
    if (said.len) torc_transport_write(protocol->transport, said);
}

static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    recorded *self = of_protocol(protocol);

    if (self->recorder->refuses) return 0;
    torc_buf_add(&self->heard, bytes);
    if (self->recorder->echoes) torc_transport_write(protocol->transport, bytes);
    return bytes.len;
}

static void peer_ended(torc_protocol *protocol) {
    of_protocol(protocol)->has_ended = true;
    torc_transport_close(protocol->transport);
}

static void drained(torc_protocol *protocol) {
    of_protocol(protocol)->drained++;
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    recorded *self = of_protocol(protocol);

    self->is_lost = true;
    self->reason = reason;
    protocol->transport = NULL;
}

static const torc_protocol_ops protocol_ops = {.connection_made = connection_made,
                                               .data_received = data_received,
                                               .peer_ended = peer_ended,
                                               .drained = drained,
                                               .connection_lost = connection_lost};

static torc_err build_protocol(torc_factory *factory, torc_transport *transport,
                               torc_protocol **protocol) {
    torc_test_recorder *self = torc_container_of(factory, torc_test_recorder, factory);
    recorded *made = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*made));

    (void)transport;
    if (!made) return TORC_ERR_NO_MEMORY;
    made->base.ops = &protocol_ops;
    made->recorder = self;
    torc_buf_init(&made->heard, NULL, TORC_MEMORY_OTHER, HEARD_MAX);
    torc_list_push(&self->connections, &made->node);
    *protocol = &made->base;
    return TORC_OK;
}

/* ---- its life ---- */

static const torc_factory_ops factory_ops = {.build_protocol = build_protocol};

torc_test_recorder *torc_test_recorder_new(void) {
    torc_test_recorder *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    self->factory.ops = &factory_ops;
    torc_list_init(&self->connections);
    torc_buf_init(&self->said, NULL, TORC_MEMORY_OTHER, HEARD_MAX);
    return self;
}

void torc_test_recorder_free(torc_test_recorder *self) {
    torc_list_node *node;

    if (!self) return;
    while ((node = torc_list_pop(&self->connections)) != NULL) {
        recorded *each = torc_container_of(node, recorded, node);
        assert(each->is_lost || !each->base.transport);
        torc_buf_dispose(&each->heard);
        torc_dealloc(NULL, each);
    }
    torc_buf_dispose(&self->said);
    torc_dealloc(NULL, self);
}

torc_factory *torc_test_recorder_factory(torc_test_recorder *self) {
    return &self->factory;
}

void torc_test_recorder_say(torc_test_recorder *self, torc_str bytes) {
    torc_buf_clear(&self->said);
    torc_buf_add(&self->said, bytes);
}

void torc_test_recorder_echo(torc_test_recorder *self) {
    self->echoes = true;
}

void torc_test_recorder_refuse(torc_test_recorder *self, bool refuses) {
    self->refuses = refuses;
}

/* ---- what was kept ---- */

static size_t count_of(const torc_test_recorder *self, bool open_only) {
    size_t count = 0;

    for (torc_list_node *node = torc_list_first(&self->connections); node;
         node = torc_list_next(&self->connections, node))
        if (!open_only || !torc_container_of(node, recorded, node)->is_lost) count++;
    return count;
}

size_t torc_test_recorder_made(const torc_test_recorder *self) {
    return count_of(self, false);
}

size_t torc_test_recorder_open(const torc_test_recorder *self) {
    return count_of(self, true);
}

static recorded *nth(const torc_test_recorder *self, size_t n) {
    torc_list_node *node = torc_list_first(&self->connections);

    while (node && n-- > 0) node = torc_list_next(&self->connections, node);
    assert(node);
    return torc_container_of(node, recorded, node);
}

torc_str torc_test_recorder_heard(const torc_test_recorder *self, size_t n) {
    return torc_buf_str(&nth(self, n)->heard);
}

torc_transport *torc_test_recorder_transport(const torc_test_recorder *self, size_t n) {
    return nth(self, n)->base.transport;
}

bool torc_test_recorder_has_ended(const torc_test_recorder *self, size_t n) {
    return nth(self, n)->has_ended;
}

bool torc_test_recorder_is_lost(const torc_test_recorder *self, size_t n) {
    return nth(self, n)->is_lost;
}

torc_err torc_test_recorder_reason(const torc_test_recorder *self, size_t n) {
    return nth(self, n)->reason;
}

uint32_t torc_test_recorder_drained(const torc_test_recorder *self, size_t n) {
    return nth(self, n)->drained;
}

bool torc_test_recorder_wait(const torc_test_recorder *self, torc_reactor *reactor, uint64_t ms) {
    torc_test_settle_all(reactor);
    while (torc_test_recorder_open(self) > 0 && ms > 0) ms -= torc_test_advance_some(reactor, ms);
    return torc_test_recorder_open(self) == 0;
}
