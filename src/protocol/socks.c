/* SPDX-License-Identifier: MIT */
/*
 * A SOCKS server: a machine of states reads the request, a relay passes the bytes.
 *
 *  - Each side of a connection is one protocol at a time: the machine until the request is whole,
 *    then the near side of the relay, which is paused until the far side is there.
 *  - A session is freed by the machine's end, if it never came further, or by the relay's.
 *  - Every address, whatever it came of, is held to the rules before anything is sent to it.
 */
#include <torc/log.h>

#include "base/alloc.h"
#include "base/options.h"
#include "protocol/socks_session.h"
#include "reactor/reactor.h"
#include "transport/transport.h"

enum {
    REQUEST_MS = 10000,
    CONNECT_MS = 30000,
    BIND_MS = 120000
};

static torc_socks_session *of_machine(torc_stateful *machine) {
    return torc_container_of(machine, torc_socks_session, machine);
}

static torc_socks_session *of_relay(torc_relay *relay) {
    return torc_container_of(relay, torc_socks_session, relay);
}

static torc_reactor *reactor_of(const torc_socks_session *self) {
    return self->socks->reactor;
}

/* ---- the end ---- */

static void free_when_unused(torc_socks *socks) {
    if (!socks->is_free || socks->connections > 0 || socks->factory.users > 0) return;
    torc_dealloc(&socks->reactor->memory, socks->rules);
    torc_dealloc(&socks->reactor->memory, socks);
}

static void stopped(torc_factory *factory) {
    free_when_unused(torc_container_of(factory, torc_socks, factory));
}

/* What is under way for it ends. */
static void stop(torc_socks_session *self) {
    torc_timer_cancel(&self->timer);
    torc_call_cancel(&self->go);
    torc_callback_cancel(&self->resolving);
    torc_addr_list_free(self->list);
    self->list = NULL;
    torc_listener_close(self->listener);
    self->listener = NULL;
}

static void free_session(torc_socks_session *self) {
    torc_socks *socks = self->socks;

    stop(self);
    torc_dealloc(&socks->reactor->memory, self);
    socks->connections--;
    free_when_unused(socks);
}

static torc_transport *near_of(torc_socks_session *self) {
    return self->relay.near.is_made ? self->relay.near.protocol.transport
                                    : self->machine.base.transport;
}

/* ---- answering ---- */

static void write_4(torc_transport *near, uint8_t answer, const torc_addr *addr) {
    char bytes[8] = {0, answer == TORC_SOCKS_GRANTED ? 90 : 91};

    if (torc_addr_family(addr) == AF_INET) {
        memcpy(bytes + 2, &addr->as.in.sin_port, 2);
        memcpy(bytes + 4, &addr->as.in.sin_addr, 4);
    }
    torc_transport_write(near, torc_str_make(bytes, sizeof(bytes)));
}

static void write_5(torc_transport *near, uint8_t answer, const torc_addr *addr) {
    char bytes[22] = {5, (char)answer, 0, 1};
    size_t len = 10;

    if (torc_addr_family(addr) == AF_INET) {
        memcpy(bytes + 4, &addr->as.in.sin_addr, 4);
        memcpy(bytes + 8, &addr->as.in.sin_port, 2);
    } else if (torc_addr_family(addr) == AF_INET6) {
        bytes[3] = 4;
        memcpy(bytes + 4, &addr->as.in6.sin6_addr, 16);
        memcpy(bytes + 20, &addr->as.in6.sin6_port, 2);
        len = 22;
    }
    torc_transport_write(near, torc_str_make(bytes, len));
}

static void answer(torc_socks_session *self, uint8_t with, const torc_addr *addr) {
    static const torc_addr none = {0};

    if (self->version == 4)
        write_4(near_of(self), with, addr ? addr : &none);
    else
        write_5(near_of(self), with, addr ? addr : &none);
}

void torc_socks_refuse(torc_socks_session *self, uint8_t with, const char *why) {
    const torc_addr peer = torc_transport_peer(near_of(self));
    char text[TORC_ADDR_TEXT_MAX];
    uint64_t left_out;

    if (torc_log_gate_passes(&self->socks->refused, reactor_of(self)->now_ms, &left_out))
        TORC_LOG_WARN(reactor_of(self)->log, "protocol.socks", why,
                      TORC_LOG_STR("client", torc_addr_text(&peer, text)),
                      TORC_LOG_TEXT("host", self->text), TORC_LOG_UINT("port", self->port),
                      TORC_LOG_UINT("not_logged", left_out));
    answer(self, with, NULL);
    torc_transport_close(near_of(self));
}

static uint8_t answer_of(torc_err err) {
    switch (err) {
    case TORC_ERR_REFUSED:
        return TORC_SOCKS_REFUSED;
    case TORC_ERR_TIMEOUT:
        return TORC_SOCKS_TOOK_TOO_LONG;
    case TORC_ERR_UNREACHABLE:
    case TORC_ERR_NOT_FOUND:
        return TORC_SOCKS_UNREACHABLE;
    default:
        return TORC_SOCKS_FAILED;
    }
}

/* ---- rules ---- */

static bool fits(const torc_cidr *range, const torc_addr *addr) {
    return range->family == 0 || torc_cidr_contains(range, addr);
}

static bool is_allowed(torc_socks_session *self, const torc_addr *to) {
    const torc_addr from = torc_transport_peer(near_of(self));
    const uint16_t port = torc_addr_port(to);

    for (size_t i = 0; i < self->socks->options.rule_count; i++) {
        const torc_socks_rule *rule = &self->socks->rules[i];
        const bool fits_port = (rule->port_first == 0 && rule->port_last == 0) ||
                               (port >= rule->port_first && port <= rule->port_last);
        if (fits_port && fits(&rule->from, &from) && fits(&rule->to, to)) return !rule->is_denied;
    }
    return false;
}

/* ---- TORC_SOCKS_CONNECT ---- */

/* The kernel connects these to this machine, past a rule that denies 127.0.0.0/8 or ::1. */
static bool is_unspecified(const torc_addr *addr) {
    static const uint8_t zeros[4], mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *bytes = addr->as.in6.sin6_addr.s6_addr;

    if (torc_addr_family(addr) == AF_INET) return addr->as.in.sin_addr.s_addr == INADDR_ANY;
    if (torc_addr_family(addr) != AF_INET6) return false;
    return IN6_IS_ADDR_UNSPECIFIED(&addr->as.in6.sin6_addr) ||
           (memcmp(bytes, mapped, sizeof(mapped)) == 0 &&
            memcmp(bytes + sizeof(mapped), zeros, sizeof(zeros)) == 0);
}

/* The next address that is allowed; NULL: there is none left. */
static const torc_addr *next_addr(torc_socks_session *self) {
    while (self->next < self->list->count) {
        const torc_addr *addr = &self->list->addrs[self->next++];
        if (!is_unspecified(addr) && is_allowed(self, addr)) return addr;
        if (self->answer == TORC_SOCKS_FAILED) self->answer = TORC_SOCKS_NOT_ALLOWED;
    }
    return NULL;
}

static void try_next(torc_socks_session *self) {
    const torc_connect_options options = {.size = sizeof(options),
                                          .timeout_ms = self->socks->options.connect_ms};
    const torc_addr *addr = next_addr(self);

    if (!addr) {
        torc_socks_refuse(self, self->answer,
                          self->answer == TORC_SOCKS_NOT_ALLOWED ? "no rule lets it go there"
                                                                 : "cannot connect");
        return;
    }
    torc_client_endpoint endpoint = {.addr = *addr, .port = torc_addr_port(addr)};
    torc_relay_connect(&self->relay, &endpoint, &options);
}

static void connected(torc_relay *relay, torc_err err) {
    torc_socks_session *self = of_relay(relay);

    if (err) {
        self->answer = answer_of(err);
        try_next(self);
        return;
    }
    const torc_addr host = torc_transport_host(relay->far.protocol.transport);
    answer(self, TORC_SOCKS_GRANTED, &host);
}

static void resolved(torc_callback *callback, torc_err err, void *value) {
    torc_socks_session *self = torc_container_of(callback, torc_socks_session, resolving);

    if (err) {
        torc_socks_refuse(self, answer_of(err), torc_resolve_err_text(err));
        return;
    }
    self->list = value;
    torc_addr_list_interleave(self->list);
    try_next(self);
}

static void connect_far(torc_socks_session *self) {
    self->answer = TORC_SOCKS_FAILED;
    if (self->addr.len == 0) {
        torc_deferred_then(torc_resolve(reactor_of(self), self->text, self->port), &self->resolving,
                           resolved);
        return;
    }
    self->list = torc_addr_list_new(reactor_of(self), &self->addr, 1);
    if (self->list)
        try_next(self);
    else
        torc_socks_refuse(self, TORC_SOCKS_FAILED, "out of memory");
}

/* ---- TORC_SOCKS_BIND ---- */

/* Whether the one that came is the one that is waited for; an address of zeros waits for anybody.
 */
static bool is_expected(torc_socks_session *self, const torc_addr *peer) {
    torc_addr expected = self->addr, came = *peer;

    if (!is_allowed(self, peer)) return false;
    if (torc_addr_family(&expected) == AF_INET && expected.as.in.sin_addr.s_addr == INADDR_ANY)
        return true;
    if (torc_addr_family(&expected) == AF_INET) {
        expected.as.in.sin_port = came.as.in.sin_port;
    } else if (torc_addr_family(&expected) == AF_INET6) {
        if (IN6_IS_ADDR_UNSPECIFIED(&expected.as.in6.sin6_addr)) return true;
        expected.as.in6.sin6_port = came.as.in6.sin6_port;
        expected.as.in6.sin6_scope_id = came.as.in6.sin6_scope_id;
    }
    return torc_addr_equals(&expected, &came);
}

static torc_err build_bound(torc_factory *factory, torc_transport *transport,
                            torc_protocol **protocol) {
    torc_socks_session *self = torc_container_of(factory, torc_socks_session, bound);
    const torc_addr peer = torc_transport_peer(transport);

    if (self->relay.far.is_made || !is_expected(self, &peer)) return TORC_ERR_PERMISSION;
    torc_timer_cancel(&self->timer);
    self->answer = TORC_SOCKS_GRANTED;
    self->addr = peer;
    *protocol = &self->relay.far.protocol;
    torc_reactor_post(reactor_of(self), &self->go);
    return TORC_OK;
}

static void bound_stopped(torc_factory *factory) {
    torc_relay_let_go(&torc_container_of(factory, torc_socks_session, bound)->relay);
}

/* It came. */
static void begin_bound(torc_socks_session *self) {
    torc_listener_stop(self->listener);
    if (!self->relay.far.is_made || self->relay.far.is_lost) return;
    answer(self, TORC_SOCKS_GRANTED, &self->addr);
    torc_relay_begin(&self->relay);
}

static void bind_took_too_long(torc_socks_session *self) {
    torc_listener_stop(self->listener);
    torc_socks_refuse(self, TORC_SOCKS_TOOK_TOO_LONG, "nobody came to what was bound");
}

static void bind_near(torc_socks_session *self) {
    static const torc_factory_ops ops = {.build_protocol = build_bound, .stopped = bound_stopped};
    torc_endpoint endpoint = {.fd = -1, .backlog = 1, .unix_uid = -1, .unix_gid = -1};

    if (self->addr.len == 0 || !is_allowed(self, &self->addr)) {
        torc_socks_refuse(self, TORC_SOCKS_NOT_ALLOWED, "no rule lets it wait for that");
        return;
    }
    endpoint.addr = torc_transport_host(near_of(self));
    endpoint.v6only = true;
    if (torc_addr_family(&endpoint.addr) == AF_INET) endpoint.addr.as.in.sin_port = 0;
    if (torc_addr_family(&endpoint.addr) == AF_INET6) endpoint.addr.as.in6.sin6_port = 0;
    self->bound.ops = &ops;
    torc_relay_hold(&self->relay);
    const torc_err err =
        torc_endpoint_listen(reactor_of(self), &endpoint, &self->bound, NULL, &self->listener);
    if (err) {
        torc_relay_let_go(&self->relay);
        torc_socks_refuse(self, TORC_SOCKS_FAILED, "cannot bind");
        return;
    }
    const torc_addr addr = torc_listener_addr(self->listener);
    answer(self, TORC_SOCKS_GRANTED, &addr);
    torc_timer_arm(&self->timer, self->socks->options.bind_ms);
}

/* ---- the request is whole ---- */

static void go(torc_call *call) {
    torc_socks_session *self = torc_container_of(call, torc_socks_session, go);

    if (self->relay.near.is_made) {
        begin_bound(self);
        return;
    }
    torc_timer_cancel(&self->timer);
    torc_buf_dispose(&self->machine.kept);
    torc_transport_switch_protocol(self->machine.base.transport, &self->relay.near.protocol);
    if (self->command == TORC_SOCKS_CONNECT)
        connect_far(self);
    else
        bind_near(self);
}

void torc_socks_request_received(torc_socks_session *self) {
    torc_transport_pause(self->machine.base.transport);
    torc_reactor_post(reactor_of(self), &self->go);
}

static void expired(torc_timer *timer) {
    torc_socks_session *self = torc_container_of(timer, torc_socks_session, timer);

    if (self->relay.near.is_made)
        bind_took_too_long(self);
    else
        torc_transport_abort_with(self->machine.base.transport, TORC_ERR_TIMEOUT);
}

/* ---- the machine's connection ---- */

static void connection_made(torc_stateful *machine) {
    torc_socks_session *self = of_machine(machine);

    torc_socks_read(self);
    torc_timer_arm(&self->timer, self->socks->options.request_ms);
}

static void connection_lost(torc_stateful *machine, torc_err reason) {
    (void)reason;
    free_session(of_machine(machine));
}

/* The near side is lost, or both: what is still under way for it ends first. */
static void near_lost(torc_relay *relay) {
    stop(of_relay(relay));
}

static void relay_over(torc_relay *relay) {
    free_session(of_relay(relay));
}

static torc_err build_near(torc_factory *factory, torc_transport *transport,
                           torc_protocol **protocol) {
    static const torc_stateful_ops machine_ops = {.connection_made = connection_made,
                                                  .connection_lost = connection_lost};
    static const torc_relay_ops relay_ops = {
        .connected = connected, .near_lost = near_lost, .free = relay_over};
    torc_socks *socks = torc_container_of(factory, torc_socks, factory);
    torc_socks_session *self =
        torc_alloc_zero(&socks->reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));

    (void)transport;
    if (!self) return TORC_ERR_NO_MEMORY;
    self->socks = socks;
    socks->connections++;
    torc_stateful_init(&self->machine, &machine_ops);
    torc_relay_init(&self->relay, socks->reactor, &relay_ops);
    self->relay.spliced = &socks->spliced;
    torc_timer_init(&self->timer, socks->reactor, expired);
    self->go.run = go;
    *protocol = &self->machine.base;
    return TORC_OK;
}

/* ---- the server ---- */

static torc_err copy_rules(torc_socks *socks) {
    const size_t size = socks->options.rule_count * sizeof(torc_socks_rule);

    socks->rules = torc_alloc(&socks->reactor->memory, TORC_MEMORY_OTHER, size ? size : 1);
    if (!socks->rules) return TORC_ERR_NO_MEMORY;
    if (size) memcpy(socks->rules, socks->options.rules, size);
    return TORC_OK;
}

torc_err torc_socks_new(torc_reactor *reactor, const torc_socks_options *given, torc_socks **made) {
    static const torc_factory_ops ops = {.build_protocol = build_near, .stopped = stopped};
    torc_socks *socks = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*socks));

    if (!socks) return TORC_ERR_NO_MEMORY;
    TORC_OPTIONS_READ(&socks->options, given);
    if (!socks->options.request_ms) socks->options.request_ms = REQUEST_MS;
    if (!socks->options.connect_ms) socks->options.connect_ms = CONNECT_MS;
    if (!socks->options.bind_ms) socks->options.bind_ms = BIND_MS;
    socks->factory.ops = &ops;
    socks->reactor = reactor;
    if (copy_rules(socks)) {
        torc_dealloc(&reactor->memory, socks);
        return TORC_ERR_NO_MEMORY;
    }
    *made = socks;
    return TORC_OK;
}

torc_factory *torc_socks_factory(torc_socks *socks) {
    return &socks->factory;
}

uint32_t torc_socks_connections(const torc_socks *socks) {
    return socks->connections;
}

void torc_socks_free(torc_socks *socks) {
    if (!socks) return;
    socks->is_free = true;
    free_when_unused(socks);
}
