/* SPDX-License-Identifier: MIT */
/*
 * Looping calls and cron jobs as services.
 *
 *  - The call or the job is there from the start to the end of the stop.
 */
#include <string.h>
#include <torc/log.h>
#include <torc/service.h>

#include "base/alloc.h"
#include "base/options.h"

/* ---- looping calls ---- */

typedef struct looping_service {
    torc_service base;
    torc_looping_call *call;
    torc_callback ended;    /* of the call, while it stops */
    torc_deferred *stopped; /* who waits for that */
    uint64_t interval_ms;
    torc_looping_fn *tick;
    torc_looping_fiber_fn *tick_on_fiber;
    void *context;
} looping_service;

static looping_service *looping_of(torc_service *service) {
    return torc_container_of(service, looping_service, base);
}

static torc_deferred *looping_start(torc_service *service, torc_reactor *reactor) {
    looping_service *self = looping_of(service);
    const torc_err err =
        self->tick ? torc_looping_call_new(reactor, self->tick, self->context, &self->call)
                   : torc_looping_call_new_on_fiber(reactor, self->tick_on_fiber, self->context,
                                                    &self->call);

    if (err) return torc_deferred_failed(reactor, err);
    torc_looping_call_start(self->call, self->interval_ms, true);
    return NULL;
}

static void free_call(looping_service *self) {
    torc_looping_call_free(self->call);
    self->call = NULL;
}

/* With an error, too: a tick may have failed. */
static void looping_ended(torc_callback *callback, torc_err err, void *value) {
    looping_service *self = torc_container_of(callback, looping_service, ended);
    torc_deferred *stopped = self->stopped;

    (void)err;
    (void)value;
    self->stopped = NULL;
    free_call(self);
    (void)torc_deferred_fire(stopped, NULL, NULL);
}

/* It takes too long: the tick is cancelled, and not waited for. */
static void cancel_stop(torc_deferred *deferred, void *context) {
    looping_service *self = context;

    torc_callback_cancel(&self->ended);
    self->stopped = NULL;
    free_call(self);
    (void)torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

static torc_deferred *looping_stop(torc_service *service) {
    looping_service *self = looping_of(service);
    torc_deferred *stopped = torc_deferred_new(service->reactor);

    if (torc_deferred_is_out_of_memory(stopped)) {
        free_call(self);
        return NULL;
    }
    self->stopped = stopped;
    torc_deferred_set_canceller(stopped, cancel_stop, self);
    torc_deferred_then(torc_looping_call_ended(self->call), &self->ended, looping_ended);
    torc_looping_call_stop(self->call);
    return stopped;
}

static void looping_dispose(torc_service *service) {
    torc_dealloc(NULL, looping_of(service));
}

static looping_service *looping_make(const char *name, uint64_t interval_ms, void *context) {
    static const torc_service_ops ops = {
        .start = looping_start, .stop = looping_stop, .dispose = looping_dispose};
    looping_service *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    torc_service_init(&self->base, &ops, name);
    self->interval_ms = interval_ms;
    self->context = context;
    return self;
}

torc_service *torc_looping_service_new(const char *name, uint64_t interval_ms,
                                       torc_looping_fn *tick, void *context) {
    looping_service *self = looping_make(name, interval_ms, context);

    if (!self) return NULL;
    self->tick = tick;
    return &self->base;
}

torc_service *torc_looping_service_new_on_fiber(const char *name, uint64_t interval_ms,
                                                torc_looping_fiber_fn *tick, void *context) {
    looping_service *self = looping_make(name, interval_ms, context);

    if (!self) return NULL;
    self->tick_on_fiber = tick;
    return &self->base;
}

/* ---- cron jobs ---- */

typedef struct cron_service {
    torc_service base;
    torc_cron_job *job;
    const char *expression;
    torc_cron_options options;
    torc_cron_fiber_fn *run;
    void *context;
} cron_service;

static cron_service *cron_of(torc_service *service) {
    return torc_container_of(service, cron_service, base);
}

static torc_err cron_privileged_start(torc_service *service) {
    const cron_service *self = cron_of(service);
    torc_cron cron;
    torc_zone *zone;
    torc_err err = torc_cron_parse(torc_str_of(self->expression), &cron, NULL);

    if (!err) err = torc_zone_load(NULL, self->options.zone ? self->options.zone : "local", &zone);
    if (!err) torc_zone_free(zone);
    return err;
}

static torc_deferred *cron_start(torc_service *service, torc_reactor *reactor) {
    cron_service *self = cron_of(service);
    torc_cron_error error;
    const torc_err err = torc_cron_job_new_on_fiber(reactor, self->expression, &self->options,
                                                    self->run, self->context, &error, &self->job);

    if (!err) return NULL;
    if (err != TORC_ERR_NO_MEMORY)
        TORC_LOG_ERROR(torc_reactor_log(reactor), "cron", "a job cannot be planned",
                       TORC_LOG_TEXT("why", error.text));
    return torc_deferred_failed(reactor, err);
}

static torc_deferred *cron_stop(torc_service *service) {
    cron_service *self = cron_of(service);

    torc_cron_job_free(self->job);
    self->job = NULL;
    return NULL;
}

static void cron_dispose(torc_service *service) {
    torc_dealloc(NULL, cron_of(service));
}

torc_service *torc_cron_service_new(const char *name, const char *expression,
                                    const torc_cron_options *options, torc_cron_fiber_fn *run,
                                    void *context) {
    static const torc_service_ops ops = {.privileged_start = cron_privileged_start,
                                         .start = cron_start,
                                         .stop = cron_stop,
                                         .dispose = cron_dispose};
    cron_service *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    torc_service_init(&self->base, &ops, name);
    self->expression = expression;
    TORC_OPTIONS_READ(&self->options, options);
    if (!self->options.name) self->options.name = name;
    self->run = run;
    self->context = context;
    return &self->base;
}
