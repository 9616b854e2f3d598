/* SPDX-License-Identifier: MIT */
/*
 * Listening, accepting, counting.
 *
 *  - A connection that may not be is closed at once, after the refusal, and counted.
 *  - When no descriptor is left accepting pauses for a moment: the queue waits, and nothing spins.
 *    That is logged once, and how often it was when it is over.
 *  - The factory is used by the listener until it is freed; `stopped` is told by the last user.
 */
#include "transport/listener.h"
#include "base/options.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <torc/endpoint_stages.h>
#include <torc/log.h>
#include <torc/stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "transport/net.h"

enum {
    PAUSE_MS = 100,
    CALM_MS = 10000 /* without a failure: descriptors are scarce no more */
};

static torc_listener *of_io(torc_io *io) {
    return torc_container_of(io, torc_listener, io);
}

/* ---- the end ---- */

static void free_when_unused(torc_listener *self) {
    torc_factory *factory = self->stages.factory;

    if (self->is_held || !self->is_gone || self->connections > 0) return;
    if (self->primary) self->primary->other = NULL;
    if (self->other) self->other->primary = NULL;
    torc_metric_remove(&self->accepted.metric);
    torc_metric_remove(&self->refused.metric);
    torc_metric_remove(&self->exhausted.metric);
    torc_accounts_dispose(&self->accounts);
    torc_stages_dispose(&self->stages);
    torc_dealloc(&self->reactor->memory, self);
    if (--factory->users == 0 && factory->ops->stopped) factory->ops->stopped(factory);
}

/* Closed by its owner, or with the reactor. */
static void let_go(torc_listener *self) {
    torc_timer_cancel(&self->pause);
    if (self->is_closed) return;
    if (self->has_file) unlink(self->endpoint.addr.as.un.sun_path);
    torc_listening_unlock(&self->listening, &self->endpoint);
    torc_net *net = self->reactor->net;
    if (net && self->is_in_net) net->unlisten(net, &self->addr);
    self->is_closed = true;
}

static void closed(torc_io *io) {
    torc_listener *self = of_io(io);

    let_go(self);
    self->is_gone = true;
    free_when_unused(self);
}

static void stop(torc_listener *self) {
    if (self->is_closed) return;
    self->is_held = true;
    let_go(self);
    if (!self->endpoint.is_stdio) torc_io_close(&self->io, false);
}

void torc_listener_stop(torc_listener *self) {
    stop(self);
    if (self->other) stop(self->other);
}

static void release(torc_listener *self) {
    stop(self);
    self->is_held = false;
    free_when_unused(self);
}

void torc_listener_close(torc_listener *self) {
    if (!self) return;
    if (self->other) release(self->other);
    release(self);
}

/* ---- counting ---- */

/* Count a connection to its address, if that is limited. */
static torc_err count_peer(torc_listener *self, int fd, torc_account **account) {
    torc_addr addr = {.len = sizeof(addr.as)};

    *account = NULL;
    if (self->options.connections_per_address_max == 0) return TORC_OK;
    if (getpeername(fd, &addr.as.any, &addr.len)) return TORC_OK;
    const torc_err err =
        torc_accounts_use(&self->accounts, &addr, torc_reactor_now_ms(self->reactor), account);
    if (err || !*account || (*account)->users <= self->options.connections_per_address_max)
        return err;
    torc_accounts_let_go(&self->accounts, *account);
    *account = NULL;
    return TORC_ERR_LIMIT;
}

/* ---- accepting ---- */

static void stream_ended(torc_stream_owner *owner, torc_stream *stream) {
    torc_listener *self = torc_container_of(owner, torc_listener, owner);

    torc_accounts_let_go(&self->accounts, stream->account);
    self->connections--;
    free_when_unused(self);
}

static void refuse(torc_listener *self, int fd) {
    torc_counter_add(&self->refused, 1);
    if (self->refusal.len && self->stages.filters.count == 0) {
        (void)!send(fd, self->refusal.bytes, self->refusal.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        shutdown(fd, SHUT_WR);
        /* Bytes that are left unread would make the close a reset, by which the refusal may be
         * lost. */
        (void)!recv(fd, self->reactor->scratch, TORC_RECEIVE_SIZE, MSG_DONTWAIT);
    }
    close(fd);
}

/* Of both listeners of localhost. */
static uint32_t count_all(const torc_listener *self) {
    const torc_listener *partner = self->other ? self->other : self->primary;
    return self->connections + (partner ? partner->connections : 0);
}

/* Descriptors have not been scarce for a while: say how often they were. */
static void calm_down(torc_listener *self) {
    if (!self->is_exhausted || self->reactor->now_ms - self->exhausted_ms < CALM_MS) return;
    TORC_LOG_INFO(self->reactor->log, "transport", "accepting again",
                  TORC_LOG_UINT("failures", self->exhausted_times));
    self->is_exhausted = false;
}

static void accepted(torc_io *io, int fd) {
    torc_listener *self = of_io(io);
    torc_account *account;
    torc_stream *stream;

    if (count_all(self) >= self->options.connections_max || count_peer(self, fd, &account)) {
        refuse(self, fd);
        return;
    }
    if (torc_stream_new(self->reactor, fd, self->io.family, &stream)) {
        torc_accounts_let_go(&self->accounts, account);
        refuse(self, fd);
        return;
    }
    torc_counter_add(&self->accepted, 1);
    calm_down(self);
    self->connections++;
    stream->owner = &self->owner;
    stream->account = account;
    torc_stages_build(&self->stages, &stream->base);
}

static void pause_over(torc_timer *timer) {
    torc_listener *self = torc_container_of(timer, torc_listener, pause);
    if (!self->is_paused) torc_io_receive_start(&self->io);
}

/* No descriptor is left: come back later. */
static void failed(torc_io *io, torc_err err) {
    torc_listener *self = of_io(io);

    torc_counter_add(&self->exhausted, 1);
    if (self->is_closed || torc_timer_is_armed(&self->pause)) return;
    if (!self->is_exhausted) {
        TORC_LOG_WARN(self->reactor->log, "transport", "cannot accept; trying again",
                      TORC_LOG_ERR("error", err));
        self->exhausted_times = 0;
    }
    self->is_exhausted = true;
    self->exhausted_times++;
    self->exhausted_ms = self->reactor->now_ms;
    torc_io_receive_stop(&self->io);
    torc_timer_arm(&self->pause, PAUSE_MS);
}

static const torc_io_ops io_ops = {.accepted = accepted, .failed = failed, .closed = closed};

static void set_paused(torc_listener *self, bool is_paused) {
    self->is_paused = is_paused;
    if (self->is_closed || self->endpoint.is_stdio) return;
    if (is_paused)
        torc_io_receive_stop(&self->io);
    else if (!torc_timer_is_armed(&self->pause))
        torc_io_receive_start(&self->io);
}

void torc_listener_pause(torc_listener *self) {
    set_paused(self, true);
    if (self->other) set_paused(self->other, true);
}

void torc_listener_resume(torc_listener *self) {
    set_paused(self, false);
    if (self->other) set_paused(self->other, false);
}

torc_addr torc_listener_addr(const torc_listener *self) {
    return self->addr;
}

uint32_t torc_listener_connections(const torc_listener *self) {
    return count_all(self);
}

/* ---- standard input and output ---- */

static void stdio_made(torc_protocol *protocol) {
    torc_listener *self = torc_container_of(protocol, torc_listener, starter);
    torc_stages_build(&self->stages, torc_filter_stack(&self->bottom, protocol->transport));
}

static size_t stdio_received(torc_protocol *protocol, torc_str bytes) {
    (void)protocol; /* a filter is in its place by then */
    return bytes.len;
}

static void stdio_ended(torc_listener *self) {
    self->connections = 0;
    if (!self->is_held)
        free_when_unused(self);
    else if (self->served)
        self->served(self, self->served_context); /* which may close it */
}

static void stdio_lost(torc_protocol *protocol, torc_err reason) {
    (void)reason;
    stdio_ended(torc_container_of(protocol, torc_listener, starter));
}

static void bottom_free(torc_filter *filter) {
    stdio_ended(torc_container_of(filter, torc_listener, bottom));
}

static const torc_protocol_ops starter_ops = {
    .connection_made = stdio_made, .data_received = stdio_received, .connection_lost = stdio_lost};
static const torc_filter_ops bottom_ops = {.free = bottom_free};

/* There is no socket that would be told as closed: it stays until its owner closes it. */
static torc_err open_stdio(torc_listener *self) {
    torc_filter_init(&self->bottom, self->reactor, &bottom_ops);
    self->starter.ops = &starter_ops;
    const torc_err err = torc_stdio_open(self->reactor, &self->starter);

    if (err) return err;
    self->connections = 1;
    self->is_held = self->is_gone = true;
    return TORC_OK;
}

/* ---- the beginning ---- */

static torc_listen_options read_options(const torc_listen_options *given) {
    torc_listen_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    if (!options.connections_max) options.connections_max = UINT32_MAX;
    if (!options.output_max) options.output_max = TORC_TRANSPORT_OUTPUT_MAX;
    return options;
}

static void register_metrics(torc_listener *self) {
    torc_metrics *metrics = self->reactor->metrics;

    if (!metrics) return;
    torc_metrics_add_counter(metrics, &self->accepted, "connections_accepted",
                             "Connections that were accepted.", "");
    torc_metrics_add_counter(metrics, &self->refused, "connections_refused",
                             "Connections that were refused by a limit.", "");
    torc_metrics_add_counter(metrics, &self->exhausted, "accepts_without_descriptor",
                             "Times that no descriptor was left to accept.", "");
}

/* The same in a test's network, which knows it by another address. */
static torc_err open_in_net(torc_listener *self, torc_net *net) {
    torc_endpoint there = self->endpoint;
    torc_listening opened;

    self->addr = there.addr;
    torc_err err =
        net->listen(net, self->stages.factory, &self->endpoint, &self->addr, &there.addr);
    if (err) return err;
    there.is_locked = there.share_port = there.reuse_port = false;
    err = torc_listening_open(&there, &opened);
    if (!err) {
        err = torc_io_open(&self->io, self->reactor, TORC_IO_LISTENER, opened.fd, opened.family,
                           &io_ops);
        if (err) close(opened.fd);
    }
    if (err) {
        net->unlisten(net, &self->addr);
        return err;
    }
    self->listening = opened;
    self->is_in_net = true;
    self->is_closed = self->is_gone = self->is_held = false;
    if (!self->is_paused) torc_io_receive_start(&self->io);
    return TORC_OK;
}

/* Open the socket, and accept from it. */
static torc_err open_listener(torc_listener *self) {
    const torc_endpoint *endpoint = &self->endpoint;
    torc_listening opened;
    if (self->reactor->net && endpoint->fd < 0) return open_in_net(self, self->reactor->net);
    torc_err err = torc_listening_open(endpoint, &opened);

    if (err) return err;
    const bool has_file =
        endpoint->fd < 0 && opened.family == AF_UNIX && endpoint->addr.as.un.sun_path[0] != '\0';
    err =
        torc_io_open(&self->io, self->reactor, TORC_IO_LISTENER, opened.fd, opened.family, &io_ops);
    if (err) {
        if (has_file) unlink(endpoint->addr.as.un.sun_path);
        torc_listening_unlock(&opened, endpoint);
        if (endpoint->fd < 0) close(opened.fd);
        return err;
    }
    self->listening = opened;
    self->has_file = has_file;
    self->is_closed = self->is_gone = self->is_held = false;
    self->addr.len = sizeof(self->addr.as);
    if (getsockname(opened.fd, &self->addr.as.any, &self->addr.len)) self->addr.len = 0;
    if (!self->is_paused) torc_io_receive_start(&self->io);
    return TORC_OK;
}

static torc_err new_listener(torc_reactor *reactor, const torc_endpoint *endpoint,
                             torc_factory *factory, const torc_listen_options *options,
                             torc_str refusal, torc_listener **listener) {
    torc_listener *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->reactor = reactor;
    self->endpoint = *endpoint;
    self->owner.ended = stream_ended;
    self->options = read_options(options);
    torc_stages_init(&self->stages, self->options.filters, factory);
    self->options.filters = NULL; /* the caller's */
    self->stages.output_max = self->options.output_max;
    self->refusal = refusal;
    torc_accounts_init(&self->accounts, &reactor->memory, sizeof(torc_account), SIZE_MAX);
    torc_timer_init(&self->pause, reactor, pause_over);
    self->listening.lock_fd = -1;
    const torc_err err = endpoint->is_stdio ? open_stdio(self) : open_listener(self);
    if (err) {
        torc_stages_dispose(&self->stages);
        torc_dealloc(&reactor->memory, self);
        return err;
    }
    factory->users++;
    register_metrics(self);
    *listener = self;
    return TORC_OK;
}

/* The listener for the other address of localhost, where there is one. */
static torc_err add_other(torc_listener *self, const torc_listen_options *options) {
    torc_endpoint endpoint;
    torc_listener *other;

    if (!torc_listening_other(&self->endpoint, &self->addr, &endpoint)) return TORC_OK;
    const torc_err err = new_listener(self->reactor, &endpoint, self->stages.factory, options,
                                      self->refusal, &other);
    if (err) return torc_listening_is_without_v6(err) ? TORC_OK : err;
    self->other = other;
    other->primary = self;
    return TORC_OK;
}

torc_err torc_listener_new(torc_reactor *reactor, const torc_endpoint *endpoint,
                           torc_factory *factory, const torc_listen_options *options,
                           torc_str refusal, torc_listener **listener) {
    torc_listener *self;
    torc_err err = new_listener(reactor, endpoint, factory, options, refusal, &self);

    if (err) return err;
    err = add_other(self, options);
    if (err)
        torc_listener_close(self);
    else
        *listener = self;
    return err;
}

static torc_err start(torc_listener *self) {
    if (!self->is_closed) return TORC_OK;
    if (self->endpoint.fd >= 0 || self->endpoint.is_stdio) return TORC_ERR_UNSUPPORTED;
    if (!self->is_gone) return TORC_ERR_BUSY;
    if (torc_addr_family(&self->addr) != AF_UNIX) self->endpoint.addr = self->addr;
    return open_listener(self);
}

torc_err torc_listener_start(torc_listener *self) {
    torc_err err = start(self);

    if (!err && self->other) err = start(self->other);
    if (err && err != TORC_ERR_BUSY) torc_listener_stop(self);
    return err;
}

/* The filters that the endpoint asks for, and on them those that are given. */
static torc_err make_filters(torc_reactor *reactor, const torc_endpoint *endpoint,
                             const torc_listen_options *options, torc_filters *filters) {
    torc_tls_context *context = NULL;
    torc_tls_config *config = NULL;
    torc_err err = TORC_OK;

    if (endpoint->has_tls) {
        const torc_tls_server_options defaults = {.size = sizeof(defaults), .log = reactor->log};
        torc_tls_error error;
        err = torc_endpoint_tls_server(endpoint, &defaults, &error, &config);
        if (err)
            TORC_LOG_ERROR(reactor->log, "transport", "no TLS", TORC_LOG_TEXT("why", error.text));
        context = err ? NULL : torc_tls_context_new(config);
        if (!err && !context) err = TORC_ERR_NO_MEMORY;
        torc_tls_config_unref(config);
    }
    if (!err) err = torc_endpoint_add_stages(endpoint, reactor, context, filters);
    torc_tls_context_unref(context);
    for (size_t i = 0; !err && options->filters && i < options->filters->count; i++)
        err = torc_filters_add(filters, torc_filter_factory_ref(options->filters->factories[i]));
    return err;
}

torc_err torc_listener_new_staged(torc_reactor *reactor, const torc_endpoint *endpoint,
                                  torc_factory *factory, const torc_listen_options *given,
                                  torc_str refusal, torc_listener **listener) {
    torc_listen_options options = {0};
    torc_filters filters = {0};

    TORC_OPTIONS_READ(&options, given);
    torc_err err = make_filters(reactor, endpoint, &options, &filters);
    options.filters = &filters;
    if (!err) err = torc_listener_new(reactor, endpoint, factory, &options, refusal, listener);
    torc_filters_dispose(&filters);
    return err;
}

torc_err torc_endpoint_listen(torc_reactor *reactor, const torc_endpoint *endpoint,
                              torc_factory *factory, const torc_listen_options *options,
                              torc_listener **listener) {
    torc_endpoint found = *endpoint;
    const torc_err err = torc_endpoint_resolve(&found, NULL, NULL);

    if (err) return err;
    return torc_listener_new_staged(reactor, &found, factory, options, torc_str_make(NULL, 0),
                                    listener);
}
