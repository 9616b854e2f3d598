/* SPDX-License-Identifier: MIT */
/*
 * Passing bytes between two connections.
 *
 *  - A side consumes as much as the other has room for; the rest stays with its transport, which
 *    pauses until the other has drained. So what a relay holds is bounded by the marks of the two.
 *  - Before the far side is there the near one is paused.
 *  - It is freed by whatever ends last: a side, or the connector that uses its factory.
 */
#include "protocol/relay.h"

enum {
    SPLICE_AFTER = 256 * 1024, /* bytes: less is not worth four descriptors and their calls */
    SPLICE_TRIES = 20
};

static torc_relay_side *side_of(torc_protocol *protocol) {
    return torc_container_of(protocol, torc_relay_side, protocol);
}

static torc_relay_side *other_of(torc_relay_side *side) {
    return side == &side->relay->near ? &side->relay->far : &side->relay->near;
}

static bool is_open(const torc_relay_side *side) {
    return side->is_made && !side->is_lost;
}

static void free_when_over(torc_relay *relay) {
    if (is_open(&relay->near) || is_open(&relay->far) || relay->is_connecting ||
        relay->factory.users > 0 || relay->holds > 0)
        return;
    relay->ops->free(relay);
}

void torc_relay_hold(torc_relay *relay) {
    relay->holds++;
}

void torc_relay_let_go(torc_relay *relay) {
    relay->holds--;
    free_when_over(relay);
}

/* ---- the far side ---- */

void torc_relay_begin(torc_relay *relay) {
    relay->flows = true;
    if (relay->near.has_ended) torc_transport_close_write(relay->far.protocol.transport);
    torc_transport_resume(relay->near.protocol.transport);
    torc_transport_resume(relay->far.protocol.transport);
}

static void connected(torc_callback *callback, torc_err err, void *value) {
    torc_relay *relay = torc_container_of(callback, torc_relay, connecting);
    torc_protocol *protocol;

    relay->is_connecting = false;
    if (!err) err = torc_connection_take(value, &protocol);
    if (is_open(&relay->near)) {
        if (!err) torc_relay_begin(relay);
        if (relay->ops->connected)
            relay->ops->connected(relay, err);
        else if (err)
            torc_transport_abort(relay->near.protocol.transport);
    } else if (is_open(&relay->far)) {
        torc_transport_abort(relay->far.protocol.transport);
    }
    free_when_over(relay);
}

void torc_relay_connect(torc_relay *relay, const torc_client_endpoint *endpoint,
                        const torc_connect_options *options) {
    relay->is_connecting = true;
    torc_deferred_then(torc_connect_endpoint(relay->reactor, endpoint, &relay->factory, options),
                       &relay->connecting, connected);
}

static torc_err build_far(torc_factory *factory, torc_transport *transport,
                          torc_protocol **protocol) {
    torc_relay *relay = torc_container_of(factory, torc_relay, factory);

    (void)transport;
    *protocol = &relay->far.protocol;
    return TORC_OK;
}

static void far_stopped(torc_factory *factory) {
    free_when_over(torc_container_of(factory, torc_relay, factory));
}

/* ---- bytes ---- */

static void let_flow(torc_relay *relay) {
    torc_transport *near = relay->near.protocol.transport, *far = relay->far.protocol.transport;

    if (torc_transport_room(far) > 0) torc_transport_resume(near);
    if (torc_transport_room(near) > 0) torc_transport_resume(far);
}

/* Hand over to the kernel, if both sides are quiet; or let each pass on what it has, and look
 * again. */
static void try_splice(torc_timer *timer) {
    torc_relay *relay = torc_container_of(timer, torc_relay, splicing);
    torc_err err = TORC_ERR_STATE;

    torc_transport_pause(relay->near.protocol.transport);
    torc_transport_pause(relay->far.protocol.transport);
    if (!relay->near.has_ended && !relay->far.has_ended)
        err = torc_splice_new(relay->near.protocol.transport, relay->far.protocol.transport,
                              relay->spliced, &relay->splice);
    if (!err) return;
    if (err == TORC_ERR_AGAIN && ++relay->splice_tries < SPLICE_TRIES)
        torc_timer_arm(timer, 1);
    else
        relay->spliced = NULL; /* not this one */
    let_flow(relay);
}

/* Whether a side that has passed on something is to be quiet now, for the kernel to go on. */
static void count(torc_relay_side *side, size_t len) {
    torc_relay *relay = side->relay;

    relay->passed += len;
    if (relay->passed < SPLICE_AFTER || !relay->spliced) return;
    torc_transport_pause(side->protocol.transport);
    if (!torc_timer_is_armed(&relay->splicing)) torc_timer_arm(&relay->splicing, 1);
}

static void connection_made(torc_protocol *protocol) {
    torc_relay_side *side = side_of(protocol);

    side->is_made = true;
    if (!side->relay->flows) torc_transport_pause(protocol->transport);
}

static size_t data_received(torc_protocol *protocol, torc_str bytes) {
    torc_relay_side *side = side_of(protocol), *other = other_of(side);
    size_t room;

    if (!side->relay->flows) return 0; /* it was paused, and is told once more */
    if (!is_open(other)) return bytes.len;
    room = torc_transport_room(other->protocol.transport);
    if (room > bytes.len) room = bytes.len;
    torc_transport_write(other->protocol.transport, torc_str_head(bytes, room));
    count(side, room);
    return room;
}

static void drained(torc_protocol *protocol) {
    torc_relay_side *other = other_of(side_of(protocol));
    const torc_relay *relay = side_of(protocol)->relay;
    if (relay->flows && !relay->splice && is_open(other) && !torc_timer_is_armed(&relay->splicing))
        torc_transport_resume(other->protocol.transport);
}

/* All that was sent before its end is told of by input_ended. */
static void peer_ended(torc_protocol *protocol) {
    (void)protocol;
}

static void input_ended(torc_protocol *protocol) {
    torc_relay_side *side = side_of(protocol), *other = other_of(side);

    side->has_ended = true;
    if (!is_open(other)) return;
    torc_transport_close_write(other->protocol.transport);
    if (!other->has_ended) return;
    torc_transport_close(protocol->transport);
    torc_transport_close(other->protocol.transport);
}

static void connection_lost(torc_protocol *protocol, torc_err reason) {
    torc_relay_side *side = side_of(protocol), *other = other_of(side);
    torc_relay *relay = side->relay;

    side->is_lost = true;
    torc_timer_cancel(&relay->splicing);
    torc_splice_free(relay->splice);
    relay->splice = NULL;
    torc_relay_hold(relay); /* what follows may let go of it */
    if (side == &relay->near && relay->is_connecting) {
        torc_callback_cancel(&relay->connecting);
        relay->is_connecting = false;
    }
    if (side == &relay->near && relay->ops->near_lost) relay->ops->near_lost(relay);
    if (is_open(other)) {
        if (reason == TORC_ERR_CLOSED)
            torc_transport_close(other->protocol.transport);
        else
            torc_transport_abort(other->protocol.transport);
    }
    torc_relay_let_go(relay);
}

static const torc_protocol_ops side_ops = {
    .connection_made = connection_made,
    .data_received = data_received,
    .peer_ended = peer_ended,
    .input_ended = input_ended,
    .drained = drained,
    .connection_lost = connection_lost,
};

void torc_relay_init(torc_relay *relay, torc_reactor *reactor, const torc_relay_ops *ops) {
    static const torc_factory_ops factory_ops = {.build_protocol = build_far,
                                                 .stopped = far_stopped};

    *relay = (torc_relay){.ops = ops, .reactor = reactor, .factory = {.ops = &factory_ops}};
    torc_timer_init(&relay->splicing, reactor, try_splice);
    relay->near = (torc_relay_side){.protocol = {.ops = &side_ops}, .relay = relay};
    relay->far = relay->near;
}
