/* SPDX-License-Identifier: MIT */
/*
 * Connections that are kept up, as services.
 *
 *  - `client` is made by the start, since it needs a reactor, and freed when the stop is over,
 *    however that ends.
 */
#include <torc/connection_service.h>

#include <torc/log.h>

#include "base/alloc.h"
#include "base/options.h"
#include "reactor/reactor.h"

typedef struct connection_service {
    torc_service base;
    const char *endpoint;
    torc_factory *factory;
    torc_client_service_options options;
    torc_client_service *client;
} connection_service;

static connection_service *self_of(const torc_service *service) {
    return torc_container_of((uintptr_t)service, connection_service, base);
}

static torc_deferred *start(torc_service *service, torc_reactor *reactor) {
    connection_service *self = self_of(service);
    torc_endpoint_error error = {0};
    const torc_err err = torc_client_service_new(reactor, self->endpoint, self->factory,
                                                 &self->options, &error, &self->client);

    if (err) {
        TORC_LOG_ERROR(reactor->log, "transport", "a connection cannot be kept up",
                       TORC_LOG_TEXT("endpoint", self->endpoint), TORC_LOG_ERR("error", err),
                       TORC_LOG_TEXT("why", error.text));
        return torc_deferred_failed(reactor, err);
    }
    torc_client_service_start(self->client);
    return NULL;
}

static void stopped(void *context) {
    connection_service *self = context;

    torc_client_service_free(self->client);
    self->client = NULL;
}

static torc_deferred *stop(torc_service *service) {
    connection_service *self = self_of(service);

    return torc_deferred_finally(torc_client_service_stop(self->client), stopped, self);
}

static void dispose(torc_service *service) {
    torc_dealloc(NULL, self_of(service));
}

torc_err torc_connection_service_new(const char *name, const char *endpoint, torc_factory *factory,
                                     const torc_client_service_options *options,
                                     torc_endpoint_error *error, torc_service **service) {
    static const torc_service_ops ops = {.start = start, .stop = stop, .dispose = dispose};
    connection_service *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));
    torc_client_endpoint parsed;

    if (!self) return TORC_ERR_NO_MEMORY;
    TORC_OPTIONS_READ(&self->options, options);
    const torc_err err = torc_client_endpoint_parse_with(self->options.prefixes,
                                                         torc_str_of(endpoint), &parsed, error);
    if (err) {
        torc_dealloc(NULL, self);
        return err;
    }
    torc_service_init(&self->base, &ops, name);
    self->endpoint = endpoint;
    self->factory = factory;
    *service = &self->base;
    return TORC_OK;
}

torc_client_service *torc_connection_service_client(const torc_service *service) {
    return self_of(service)->client;
}
