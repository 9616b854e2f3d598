/* SPDX-License-Identifier: MIT */
/*
 * Listening, accepting, counting.
 *
 *  - A connection that may not be is closed at once, after the refusal, and counted.
 *  - When no descriptor is left accepting pauses for a moment: the queue waits, and nothing spins.
 *  - The factory is used by the listener until it is freed; `stopped` is told by the last user.
 */
#include "transport/listener.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <torc/log.h>
#include <unistd.h>

#include "base/alloc.h"

enum {
    PAUSE_MS = 100
};

static torc_listener *of_io(torc_io *io) {
    return torc_container_of(io, torc_listener, io);
}

/* ---- the end ---- */

static void free_when_unused(torc_listener *self) {
    torc_factory *factory = self->stages.factory;

    if (self->is_held || !self->is_gone || self->connections > 0) return;
    torc_metric_remove(&self->accepted.metric);
    torc_metric_remove(&self->refused.metric);
    torc_metric_remove(&self->exhausted.metric);
    torc_accounts_dispose(&self->accounts);
    torc_stages_dispose(&self->stages);
    torc_dealloc(&self->reactor->memory, self->unlink_path);
    torc_dealloc(&self->reactor->memory, self);
    if (--factory->users == 0 && factory->ops->stopped) factory->ops->stopped(factory);
}

/* Closed by its owner, or with the reactor. */
static void let_go(torc_listener *self) {
    torc_timer_cancel(&self->pause);
    if (self->unlink_path && !self->is_closed) unlink(self->unlink_path);
    self->is_closed = true;
}

static void closed(torc_io *io) {
    torc_listener *self = of_io(io);

    let_go(self);
    self->is_gone = true;
    free_when_unused(self);
}

void torc_listener_stop(torc_listener *self) {
    if (self->is_closed) return;
    self->is_held = true;
    let_go(self);
    torc_io_close(&self->io, false);
}

void torc_listener_close(torc_listener *self) {
    if (!self) return;
    torc_listener_stop(self);
    self->is_held = false;
    free_when_unused(self);
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

static void accepted(torc_io *io, int fd) {
    torc_listener *self = of_io(io);
    torc_account *account;
    torc_stream *stream;

    if (self->connections >= self->options.connections_max || count_peer(self, fd, &account)) {
        refuse(self, fd);
        return;
    }
    if (torc_stream_new(self->reactor, fd, self->io.family, &stream)) {
        torc_accounts_let_go(&self->accounts, account);
        refuse(self, fd);
        return;
    }
    torc_counter_add(&self->accepted, 1);
    self->is_exhausted = false;
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
    if (!self->is_exhausted)
        TORC_LOG_WARN(self->reactor->log, "transport", "cannot accept; trying again",
                      TORC_LOG_ERR("error", err));
    self->is_exhausted = true;
    torc_io_receive_stop(&self->io);
    torc_timer_arm(&self->pause, PAUSE_MS);
}

static const torc_io_ops io_ops = {.accepted = accepted, .failed = failed, .closed = closed};

void torc_listener_pause(torc_listener *self) {
    self->is_paused = true;
    if (!self->is_closed) torc_io_receive_stop(&self->io);
}

void torc_listener_resume(torc_listener *self) {
    self->is_paused = false;
    if (!self->is_closed && !torc_timer_is_armed(&self->pause)) torc_io_receive_start(&self->io);
}

torc_addr torc_listener_addr(const torc_listener *self) {
    return self->addr;
}

uint32_t torc_listener_connections(const torc_listener *self) {
    return self->connections;
}

/* ---- the beginning ---- */

/* A socket's file that nobody listens on any more is in the way: remove it. */
static void remove_stale(const torc_addr *addr) {
    struct stat about;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) return;
    if (lstat(addr->as.un.sun_path, &about) == 0 && S_ISSOCK(about.st_mode) &&
        connect(fd, &addr->as.any, addr->len) && errno == ECONNREFUSED)
        unlink(addr->as.un.sun_path);
    close(fd);
}

static torc_err set_options(int fd, const torc_endpoint *endpoint, int family) {
    const int on = 1, v6only = endpoint->v6only;

    if (family == AF_UNIX) return TORC_OK;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        (endpoint->reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on))) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) || /* connections inherit it */
        (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only))))
        return torc_err_from_errno(errno);
    return TORC_OK;
}

/* Let more sockets listen at the address of this one, which was bound as the only one: so who else
 * listens there already was not joined unknowingly. */
static bool let_share(int fd, const torc_endpoint *endpoint, int family) {
    const int on = 1;

    if (!endpoint->share_port || family == AF_UNIX) return true;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0;
}

static torc_err bind_and_listen(int fd, const torc_endpoint *endpoint, int family) {
    const bool has_file = family == AF_UNIX && endpoint->addr.as.un.sun_path[0];
    torc_err err = set_options(fd, endpoint, family);

    if (err) return err;
    if (has_file) remove_stale(&endpoint->addr);
    if (bind(fd, &endpoint->addr.as.any, endpoint->addr.len)) return torc_err_from_errno(errno);
    if ((has_file && chmod(endpoint->addr.as.un.sun_path, endpoint->unix_mode)) ||
        !let_share(fd, endpoint, family) || listen(fd, endpoint->backlog)) {
        err = torc_err_from_errno(errno);
        if (has_file) unlink(endpoint->addr.as.un.sun_path);
    }
    return err;
}

/* An inherited descriptor: a socket that listens already, made non-blocking. */
static torc_err adopt(int fd, int *family) {
    const int on = 1;
    int listening = 0;
    socklen_t len = sizeof(listening), family_len = sizeof(*family);

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) ||
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, family, &family_len))
        return torc_err_from_errno(errno);
    if (!listening) return TORC_ERR_INVALID;
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC) ||
        (*family != AF_UNIX && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on))))
        return torc_err_from_errno(errno);
    return TORC_OK;
}

static torc_err open_socket(const torc_endpoint *endpoint, int *fd, int *family) {
    torc_err err;

    if (endpoint->has_tls || endpoint->has_proxy || endpoint->is_stdio) return TORC_ERR_UNSUPPORTED;
    *fd = endpoint->fd;
    if (endpoint->fd >= 0) return adopt(endpoint->fd, family);
    *family = torc_addr_family(&endpoint->addr);
    *fd = socket(*family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    err = *fd < 0 ? torc_err_from_errno(errno) : bind_and_listen(*fd, endpoint, *family);
    /* A machine without IPv6 serves IPv4 all the same, where both were meant. */
    if (err == TORC_ERR_UNSUPPORTED && *family == AF_INET6 && !endpoint->v6only) {
        torc_endpoint v4 = *endpoint;
        v4.addr = (torc_addr){.len = sizeof(v4.addr.as.in)};
        v4.addr.as.in.sin_family = AF_INET;
        v4.addr.as.in.sin_port = endpoint->addr.as.in6.sin6_port;
        return open_socket(&v4, fd, family);
    }
    if (err && *fd >= 0) close(*fd);
    return err;
}

torc_err torc_endpoint_open(const torc_endpoint *endpoint, int *fd) {
    int family;
    return open_socket(endpoint, fd, &family);
}

static torc_listen_options read_options(const torc_listen_options *given) {
    torc_listen_options options = {0};

    if (given)
        memcpy(&options, given, given->size < sizeof(options) ? given->size : sizeof(options));
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

static torc_err keep_path(torc_listener *self, const torc_endpoint *endpoint) {
    const char *path = endpoint->addr.as.un.sun_path;

    if (endpoint->fd >= 0 || torc_addr_family(&endpoint->addr) != AF_UNIX || !path[0])
        return TORC_OK;
    self->unlink_path = torc_alloc(&self->reactor->memory, TORC_MEMORY_OTHER, strlen(path) + 1);
    if (!self->unlink_path) return TORC_ERR_NO_MEMORY;
    strcpy(self->unlink_path, path);
    return TORC_OK;
}

torc_err torc_listener_new(torc_reactor *reactor, const torc_endpoint *endpoint,
                           torc_factory *factory, const torc_listen_options *options,
                           torc_str refusal, torc_listener **listener) {
    torc_listener *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    int fd = -1, family = 0;

    if (!self) return TORC_ERR_NO_MEMORY;
    self->reactor = reactor;
    self->owner.ended = stream_ended;
    self->options = read_options(options);
    torc_stages_init(&self->stages, self->options.filters, factory);
    self->options.filters = NULL; /* the caller's */
    self->stages.output_max = self->options.output_max;
    self->refusal = refusal;
    torc_accounts_init(&self->accounts, &reactor->memory, sizeof(torc_account), SIZE_MAX);
    torc_timer_init(&self->pause, reactor, pause_over);
    torc_err err = keep_path(self, endpoint);
    if (!err) err = open_socket(endpoint, &fd, &family);
    if (!err) {
        err = torc_io_open(&self->io, reactor, TORC_IO_LISTENER, fd, family, &io_ops);
        if (err && self->unlink_path) unlink(self->unlink_path);
        if (err && endpoint->fd < 0) close(fd);
    }
    if (err) {
        torc_stages_dispose(&self->stages);
        torc_dealloc(&reactor->memory, self->unlink_path);
        torc_dealloc(&reactor->memory, self);
        return err;
    }
    self->addr.len = sizeof(self->addr.as);
    if (getsockname(fd, &self->addr.as.any, &self->addr.len)) self->addr.len = 0;
    factory->users++;
    register_metrics(self);
    torc_io_receive_start(&self->io);
    *listener = self;
    return TORC_OK;
}

torc_err torc_endpoint_listen(torc_reactor *reactor, const torc_endpoint *endpoint,
                              torc_factory *factory, const torc_listen_options *options,
                              torc_listener **listener) {
    torc_endpoint found = *endpoint;
    const torc_err err = torc_endpoint_resolve(&found, NULL, NULL);

    if (err) return err;
    return torc_listener_new(reactor, &found, factory, options, torc_str_make(NULL, 0), listener);
}
