/* SPDX-License-Identifier: MIT */
/*
 * Forwarding connections to an endpoint.
 *
 *  - A forwarder is freed when its owner has let go, its last connection has ended, and the
 *    listener of that has done with its factory, which is a moment later.
 */
#include <torc/log.h>
#include <torc/port_forward.h>

#include "base/alloc.h"
#include "base/log_gate.h"
#include "protocol/relay.h"
#include "reactor/reactor.h"

struct torc_port_forward {
    torc_factory factory;
    torc_reactor *reactor;
    torc_client_endpoint endpoint;
    uint32_t connections;
    uint64_t spliced;
    bool is_free; /* its owner has let go */
    torc_log_gate unreachable;
};

typedef struct forwarded {
    torc_relay relay;
    torc_port_forward *forward;
    torc_proxy_header header; /* what a PROXY header tells, if there is to be one */
    torc_call connect;
    torc_endpoint_error error;
} forwarded;

static forwarded *of_relay(torc_relay *relay) {
    return torc_container_of(relay, forwarded, relay);
}

static void free_when_unused(torc_port_forward *forward) {
    if (forward->is_free && forward->connections == 0 && forward->factory.users == 0)
        torc_dealloc(&forward->reactor->memory, forward);
}

static void stopped(torc_factory *factory) {
    free_when_unused(torc_container_of(factory, torc_port_forward, factory));
}

/* ---- a connection ---- */

static void connected(torc_relay *relay, torc_err err) {
    forwarded *self = of_relay(relay);
    torc_port_forward *forward = self->forward;
    uint64_t left_out;

    if (!err) return;
    if (torc_log_gate_passes(&forward->unreachable, forward->reactor->now_ms, &left_out))
        TORC_LOG_WARN(
            forward->reactor->log, "protocol.forward", "cannot connect",
            TORC_LOG_TEXT("why", self->error.text[0] ? self->error.text : torc_err_text(err)),
            TORC_LOG_UINT("not_logged", left_out));
    torc_transport_abort(relay->near.protocol.transport);
}

static void free_forwarded(torc_relay *relay) {
    forwarded *self = of_relay(relay);
    torc_port_forward *forward = self->forward;

    torc_call_cancel(&self->connect);
    torc_dealloc(&forward->reactor->memory, self);
    forward->connections--;
    free_when_unused(forward);
}

/* Once the near side is made. */
static void connect_far(torc_call *call) {
    forwarded *self = torc_container_of(call, forwarded, connect);
    const torc_connect_options options = {
        .size = sizeof(options), .proxy_header = &self->header, .error = &self->error};
    torc_transport *near = self->relay.near.protocol.transport;

    self->header = (torc_proxy_header){.version = 2,
                                       .source = torc_transport_peer(near),
                                       .destination = torc_transport_host(near)};
    if (torc_addr_family(&self->header.source) != torc_addr_family(&self->header.destination))
        self->header.is_local = true;
    torc_relay_connect(&self->relay, &self->forward->endpoint, &options);
}

static torc_err build_near(torc_factory *factory, torc_transport *transport,
                           torc_protocol **protocol) {
    static const torc_relay_ops ops = {.connected = connected, .free = free_forwarded};
    torc_port_forward *forward = torc_container_of(factory, torc_port_forward, factory);
    forwarded *self =
        torc_alloc_zero(&forward->reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));

    (void)transport;
    if (!self) return TORC_ERR_NO_MEMORY;
    torc_relay_init(&self->relay, forward->reactor, &ops);
    self->relay.spliced = &forward->spliced;
    self->forward = forward;
    forward->connections++;
    self->connect.run = connect_far;
    torc_reactor_post(forward->reactor, &self->connect);
    *protocol = &self->relay.near.protocol;
    return TORC_OK;
}

/* ---- the forwarder ---- */

torc_err torc_port_forward_new(torc_reactor *reactor, const char *endpoint,
                               torc_endpoint_error *error, torc_port_forward **made) {
    static const torc_factory_ops ops = {.build_protocol = build_near, .stopped = stopped};
    torc_port_forward *forward =
        torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*forward));

    if (!forward) return TORC_ERR_NO_MEMORY;
    forward->factory.ops = &ops;
    forward->reactor = reactor;
    const torc_err err =
        torc_client_endpoint_parse(torc_str_of(endpoint), &forward->endpoint, error);
    if (err)
        torc_dealloc(&reactor->memory, forward);
    else
        *made = forward;
    return err;
}

torc_factory *torc_port_forward_factory(torc_port_forward *forward) {
    return &forward->factory;
}

uint32_t torc_port_forward_connections(const torc_port_forward *forward) {
    return forward->connections;
}

uint64_t torc_port_forward_spliced(const torc_port_forward *forward) {
    return forward->spliced;
}

void torc_port_forward_free(torc_port_forward *forward) {
    if (!forward) return;
    forward->is_free = true;
    free_when_unused(forward);
}
