/* SPDX-License-Identifier: MIT */
/*
 * Listeners as services.
 *
 *  - `fd` is the socket of `privileged_start`, kept as long as the service; each start listens on a
 *    duplicate.
 */
#include <torc/listener_service.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/options.h"
#include "transport/listening.h"

typedef struct listener_service {
    torc_service base;
    torc_endpoint endpoint;
    torc_factory *factory;
    torc_listen_options options;
    torc_listener *listener;
    torc_listening opened; /* by `privileged_start`, with the lock of a UNIX socket */
    int fd;
} listener_service;

static listener_service *self_of(const torc_service *service) {
    return torc_container_of((uintptr_t)service, listener_service, base);
}

static torc_err privileged_start(torc_service *service) {
    listener_service *self = self_of(service);
    torc_err err = torc_endpoint_resolve(&self->endpoint, NULL, NULL);

    if (!err) err = torc_listening_open(&self->endpoint, &self->opened);
    if (!err) self->fd = self->opened.fd;
    return err;
}

/* What to listen on: the socket that is there, or one that is opened now. */
static torc_err prepare(const listener_service *self, torc_endpoint *endpoint) {
    *endpoint = self->endpoint;
    if (self->fd < 0) return torc_endpoint_resolve(endpoint, NULL, NULL);
    endpoint->is_systemd = false;
    endpoint->fd = fcntl(self->fd, F_DUPFD_CLOEXEC, 3);
    return endpoint->fd < 0 ? torc_err_from_errno(errno) : TORC_OK;
}

static torc_deferred *start(torc_service *service, torc_reactor *reactor) {
    listener_service *self = self_of(service);
    torc_endpoint endpoint;
    torc_err err = prepare(self, &endpoint);

    if (err) return torc_deferred_failed(reactor, err);
    err = torc_endpoint_listen(reactor, &endpoint, self->factory, &self->options, &self->listener);
    if (err && self->fd >= 0) close(endpoint.fd);
    return err ? torc_deferred_failed(reactor, err) : NULL;
}

static torc_deferred *stop(torc_service *service) {
    listener_service *self = self_of(service);

    torc_listener_close(self->listener);
    self->listener = NULL;
    return NULL;
}

static void dispose(torc_service *service) {
    listener_service *self = self_of(service);

    if (self->fd >= 0) {
        close(self->fd);
        torc_listening_unlock(&self->opened, &self->endpoint);
    }
    torc_dealloc(NULL, self);
}

torc_err torc_listener_service_new(const char *name, const char *endpoint, torc_factory *factory,
                                   const torc_listen_options *options, torc_endpoint_error *error,
                                   torc_service **service) {
    static const torc_service_ops ops = {
        .privileged_start = privileged_start, .start = start, .stop = stop, .dispose = dispose};
    listener_service *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    const torc_err err = torc_endpoint_parse(torc_str_of(endpoint), &self->endpoint, error);
    if (err) {
        torc_dealloc(NULL, self);
        return err;
    }
    torc_service_init(&self->base, &ops, name);
    self->factory = factory;
    TORC_OPTIONS_READ(&self->options, options);
    self->fd = -1;
    *service = &self->base;
    return TORC_OK;
}

torc_listener *torc_listener_service_listener(const torc_service *service) {
    return self_of(service)->listener;
}
