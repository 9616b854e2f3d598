/* SPDX-License-Identifier: MIT */
/*
 * Connecting to one of several addresses.
 *
 *  - While it is not over at least one stream is open; so the end of the last one ends it, also
 *    when the reactor is freed.
 *  - The first attempt whose socket is connected is the winner, and what stands above is built on
 *    it; if that fails (a handshake, the factory), so does the whole: the peer was there.
 *  - `settled` is told once: when the protocol is there, or when nothing is open any more.
 */
#include "transport/connector.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/reactor.h"
#include "transport/net.h"

static torc_connector *of_race(torc_race *race) {
    return torc_container_of(race, torc_connector, race);
}

static torc_attempt *of_owner(torc_stream_owner *owner) {
    return torc_container_of(owner, torc_attempt, owner);
}

void torc_connect_error_add(torc_endpoint_error *error, const char *format, ...) {
    va_list values;

    if (!error) return;
    const size_t len = strnlen(error->text, sizeof(error->text) - 1);
    va_start(values, format);
    vsnprintf(error->text + len, sizeof(error->text) - len, format, values);
    va_end(values);
}

static void say(torc_connector *self, const torc_addr *addr, torc_err err) {
    char text[TORC_ADDR_TEXT_MAX];

    if (!self->error) return;
    torc_connect_error_add(self->error, "%s%s: %s", self->error->text[0] ? "; " : "",
                           torc_addr_text(addr, text).bytes, torc_err_text(err));
}

/* ---- the end ---- */

static void settle(torc_connector *self, torc_protocol *protocol, torc_err err) {
    if (self->is_settled) return;
    self->is_settled = true;
    torc_timer_cancel(&self->deadline);
    self->ops->settled(self, protocol, err);
    self->error = NULL; /* lent until now */
}

static void let_go(torc_connector *self) {
    torc_stages_dispose(&self->stages);
    torc_dealloc(&self->deadline.reactor->memory, self->attempts);
    self->attempts = NULL;
}

static void finish(torc_connector *self, torc_err reason) {
    torc_factory *factory = self->users;

    torc_race_stop(&self->race);
    settle(self, NULL, self->err ? self->err : reason);
    let_go(self);
    self->ops->ended(self, reason);
    if (--factory->users == 0 && factory->ops->stopped) factory->ops->stopped(factory);
}

/* A stream has ended: that of the winner, of an attempt that failed, or of one that was given up.
 */
static void stream_ended(torc_stream_owner *owner, torc_stream *stream) {
    torc_attempt *attempt = of_owner(owner);
    torc_connector *self = attempt->connector;
    const torc_err reason = (torc_err)stream->base.reason;

    attempt->stream = NULL;
    self->open_count--;
    if (reason == TORC_ERR_STOPPING && !self->is_over) { /* no other is begun any more */
        self->is_over = true;
        self->err = reason;
    }
    if (!self->is_over && !self->winner) {
        say(self, &attempt->addr, reason);
        torc_race_failed(&self->race, (size_t)(attempt - self->attempts), reason);
    } else if (attempt == self->winner) {
        if (!self->is_settled && !self->err) say(self, &attempt->addr, reason);
        self->is_over = true;
        if (!self->err) self->err = reason;
    }
    if (self->open_count == 0 && self->is_over) finish(self, self->err);
}

void torc_connector_abort(torc_connector *self, torc_err reason) {
    if (self->is_over) return;
    self->is_over = true;
    self->err = reason;
    torc_timer_cancel(&self->deadline);
    if (self->winner)
        torc_transport_abort_with(&self->winner->stream->base, reason);
    else
        torc_race_stop(&self->race);
}

static void expired(torc_timer *timer) {
    torc_connector *self = torc_container_of(timer, torc_connector, deadline);

    for (size_t i = 0; i < self->attempt_count; i++)
        if (self->attempts[i].stream && (!self->winner || self->winner == &self->attempts[i]))
            say(self, &self->attempts[i].addr, TORC_ERR_TIMEOUT);
    torc_connector_abort(self, TORC_ERR_TIMEOUT);
}

/* ---- attempts ---- */

static torc_err open_socket(const torc_addr *addr, const torc_addr *local, int *fd) {
    const int family = torc_addr_family(addr), on = 1;

    if (local->len && torc_addr_family(local) != family) return TORC_ERR_ADDRESS_NOT_AVAILABLE;
    *fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0) return torc_err_from_errno(errno);
    if (family != AF_UNIX) setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (!local->len) return TORC_OK;
    /* The port is chosen with the peer's in mind, so one port may serve many peers. */
    if (family != AF_UNIX) setsockopt(*fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(*fd, &local->as.any, local->len) == 0) return TORC_OK;
    const torc_err err = torc_err_from_errno(errno);
    close(*fd);
    return err;
}

/* Over a fresh socket, or the one that is given. */
static torc_err open_stream(torc_connector *self, torc_attempt *attempt, const torc_addr *addr,
                            const torc_addr *local, int fd) {
    torc_err err = fd < 0 ? open_socket(addr, local, &fd) : TORC_OK;

    if (err) return err;
    err = torc_stream_new(self->deadline.reactor, fd, torc_addr_family(addr), &attempt->stream);
    if (!err) return TORC_OK;
    attempt->stream = NULL;
    close(fd);
    return err;
}

static torc_err begin(torc_race *race, size_t number) {
    torc_connector *self = of_race(race);
    torc_attempt *attempt = &self->attempts[number];
    torc_net *net = self->deadline.reactor->net;
    torc_addr addr = attempt->addr, local = self->local;
    int fd = -1;
    torc_err err = net ? net->connect(net, self->users, &addr, &local, &fd) : TORC_OK;

    if (!err) err = open_stream(self, attempt, &addr, &local, fd);
    if (err) {
        say(self, &attempt->addr, err);
        return err;
    }
    attempt->owner.ended = stream_ended;
    attempt->stream->owner = &attempt->owner;
    self->open_count++;
    if (fd < 0) torc_io_connect(&attempt->stream->io, &addr.as.any, addr.len);
    return TORC_OK;
}

static void abandon(torc_race *race, size_t number) {
    torc_connector *self = of_race(race);
    torc_transport_abort_with(&self->attempts[number].stream->base,
                              self->err ? self->err : TORC_ERR_CANCELLED);
}

static void lost(torc_race *race, torc_err err) {
    torc_connector *self = of_race(race);

    self->is_over = true;
    self->err = err;
}

static const torc_race_ops race_ops = {.begin = begin, .abandon = abandon, .lost = lost};

void torc_connector_connected(torc_stream *stream) {
    torc_attempt *attempt = of_owner(stream->owner);
    torc_connector *self = attempt->connector;

    if (self->is_over || self->winner) return; /* it was given up */
    self->winner = attempt;
    torc_race_succeeded(&self->race, (size_t)(attempt - self->attempts));
    torc_stages_build(&self->stages, &stream->base);
}

/* ---- what stands on it ---- */

static torc_err build_protocol(torc_factory *factory, torc_transport *transport,
                               torc_protocol **protocol) {
    torc_connector *self = torc_container_of(factory, torc_connector, factory);
    const torc_err err = self->users->ops->build_protocol(self->users, transport, protocol);

    if (!err) self->protocol = *protocol;
    return err;
}

static const torc_factory_ops factory_ops = {.build_protocol = build_protocol};

/* Filters may take their time: a handshake is part of connecting. */
static void built(torc_stages *stages, torc_transport *top, torc_err err) {
    torc_connector *self = torc_container_of(stages, torc_connector, stages);

    (void)top;
    if (!err) settle(self, self->protocol, TORC_OK);
}

/* ---- the beginning ---- */

torc_err torc_connector_start(torc_connector *self, torc_reactor *reactor,
                              const torc_connector_ops *ops, torc_factory *factory,
                              const torc_connector_target *target) {
    *self = (torc_connector){.ops = ops,
                             .factory.ops = &factory_ops,
                             .users = factory,
                             .error = target->error,
                             .attempt_count = target->addr_count};
    if (target->local) self->local = *target->local;
    torc_timer_init(&self->deadline, reactor, expired);
    self->attempts = torc_alloc_zero(&reactor->memory, TORC_MEMORY_CONNECTION, target->addr_count,
                                     sizeof(*self->attempts));
    if (!self->attempts) return TORC_ERR_NO_MEMORY;
    for (size_t i = 0; i < target->addr_count; i++) {
        self->attempts[i].connector = self;
        self->attempts[i].addr = target->addrs[i];
    }
    torc_stages_init(&self->stages, target->filters, &self->factory);
    self->stages.built = built;
    const torc_err err = torc_race_start(&self->race, reactor, &race_ops, target->addr_count,
                                         target->attempt_delay_ms);
    if (err) {
        let_go(self);
        return err;
    }
    factory->users++;
    if (target->timeout_ms) torc_timer_arm(&self->deadline, target->timeout_ms);
    return TORC_OK;
}

/* ---- one address ---- */

/* An attempt that is told of by a call. */
typedef struct dial {
    torc_connector base;
    torc_connect_failed_fn *failed;
    void *context;
} dial;

static void dial_settled(torc_connector *connector, torc_protocol *protocol, torc_err err) {
    const dial *self = torc_container_of(connector, dial, base);
    if (!protocol && self->failed) self->failed(connector->users, self->context, err);
}

static void dial_ended(torc_connector *connector, torc_err reason) {
    (void)reason;
    torc_dealloc(&connector->deadline.reactor->memory, torc_container_of(connector, dial, base));
}

static const torc_connector_ops dial_ops = {.settled = dial_settled, .ended = dial_ended};

torc_err torc_dial(torc_reactor *reactor, const torc_addr *addr, uint64_t timeout_ms,
                   torc_factory *factory, const torc_filters *filters,
                   torc_connect_failed_fn *failed, void *context) {
    const torc_connector_target target = {
        .addrs = addr, .addr_count = 1, .timeout_ms = timeout_ms, .filters = filters};
    dial *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->failed = failed;
    self->context = context;
    const torc_err err = torc_connector_start(&self->base, reactor, &dial_ops, factory, &target);
    if (err) torc_dealloc(&reactor->memory, self);
    return err;
}

torc_err torc_connect_addr(torc_reactor *reactor, const torc_addr *addr, uint64_t timeout_ms,
                           torc_factory *factory, torc_connect_failed_fn *failed, void *context) {
    return torc_dial(reactor, addr, timeout_ms, factory, NULL, failed, context);
}
