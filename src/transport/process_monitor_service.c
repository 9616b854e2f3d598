/* SPDX-License-Identifier: MIT */
/*
 * Monitors of processes, as services.
 *
 *  - `monitor` is made by the start, since it needs a reactor, and freed when the stop is over,
 *    however that ends.
 */
#include <torc/process_monitor_service.h>

#include <torc/log.h>

#include "base/alloc.h"
#include "base/options.h"
#include "reactor/reactor.h"

/* What a child will be started with; in the order of their adding. */
typedef struct planned {
    struct planned *next;
    const char *name;
    torc_spawn_options spawn;
} planned;

typedef struct monitor_service {
    torc_service base;
    torc_process_monitor_options options;
    planned *first, **last;
    torc_process_monitor *monitor;
} monitor_service;

static monitor_service *self_of(const torc_service *service) {
    return torc_container_of((uintptr_t)service, monitor_service, base);
}

/* Which child could not be added is in `*child`; NULL: it is not about one. */
static torc_err make_monitor(monitor_service *self, torc_reactor *reactor, const char **child) {
    torc_err err = torc_process_monitor_new(reactor, &self->options, &self->monitor);

    *child = NULL;
    for (const planned *it = self->first; it && !err; it = it->next) {
        err = torc_process_monitor_add(self->monitor, it->name, &it->spawn);
        if (err) *child = it->name;
    }
    return err;
}

static void free_monitor(void *context) {
    monitor_service *self = context;

    torc_process_monitor_free(self->monitor);
    self->monitor = NULL;
}

static torc_deferred *start(torc_service *service, torc_reactor *reactor) {
    monitor_service *self = self_of(service);
    const char *child;
    const torc_err err = make_monitor(self, reactor, &child);

    if (!err) {
        torc_deferred_drop(torc_process_monitor_start(self->monitor)); /* it has, at once */
        return NULL;
    }
    TORC_LOG_ERROR(reactor->log, "process", "children cannot be kept running",
                   TORC_LOG_TEXT("service", service->name), TORC_LOG_TEXT("child", child),
                   TORC_LOG_ERR("error", err));
    free_monitor(self);
    return torc_deferred_failed(reactor, err);
}

static torc_deferred *stop(torc_service *service) {
    monitor_service *self = self_of(service);

    return torc_deferred_finally(torc_process_monitor_stop(self->monitor), free_monitor, self);
}

static void dispose(torc_service *service) {
    monitor_service *self = self_of(service);
    planned *it = self->first;

    while (it) {
        planned *next = it->next;
        torc_dealloc(NULL, it);
        it = next;
    }
    torc_dealloc(NULL, self);
}

torc_err torc_process_monitor_service_new(const char *name,
                                          const torc_process_monitor_options *options,
                                          torc_service **service) {
    static const torc_service_ops ops = {.start = start, .stop = stop, .dispose = dispose};
    monitor_service *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    torc_service_init(&self->base, &ops, name);
    self->options.size = sizeof(self->options);
    TORC_OPTIONS_READ(&self->options, options);
    self->last = &self->first;
    *service = &self->base;
    return TORC_OK;
}

torc_err torc_process_monitor_service_add(torc_service *service, const char *child,
                                          const torc_spawn_options *spawn) {
    monitor_service *self = self_of(service);

    for (const planned *it = self->first; it; it = it->next)
        if (strcmp(it->name, child) == 0) return TORC_ERR_EXISTS;
    planned *made = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*made));
    if (!made) return TORC_ERR_NO_MEMORY;
    made->name = child;
    TORC_OPTIONS_READ(&made->spawn, spawn);
    *self->last = made;
    self->last = &made->next;
    return TORC_OK;
}

torc_process_monitor *torc_process_monitor_service_monitor(const torc_service *service) {
    return self_of(service)->monitor;
}
