/* SPDX-License-Identifier: MIT */
/*
 * An app in memory: it starts and stops on a test's reactor as in a process that serves, but for
 * what belongs to the process: arguments that concern it are read and not acted on, nothing is
 * listened on, and no log is opened.
 */
#include <stdio.h>

#include "app/serve.h"
#include "base/alloc.h"
#include "testing/client.h"
#include "testing/expect.h"

enum {
    ARGUMENTS_MAX = 128,
    START_MS = 30000,
    STOP_MS = 30000
};

static void failed(void *context, const char *text) {
    const torc_test_client *self = context;

    torc_test_fail_at(self->place, "the app cannot start: %s", text);
}

/* Wait for services, in time that is moved. False: it was told. */
static bool await(const torc_test_client *self, torc_deferred *deferred, uint64_t ms) {
    const uint64_t before = torc_test_failure_count();

    (void)torc_test_await_value_at(self->place, deferred, ms);
    return torc_test_failure_count() == before;
}

static bool start_services(torc_test_client *self) {
    torc_app *app = self->app;
    torc_service *service = NULL;
    const torc_err err = app->lacks_service
                             ? TORC_ERR_NO_MEMORY
                             : torc_service_privileged_start(&app->services, &service);

    if (err)
        return torc_app_fail(app, service && service->name ? service->name : "a service",
                             torc_err_text(err));
    return await(self, torc_service_start(&app->services, self->reactor), START_MS);
}

static bool read_arguments(torc_app *app, const char *const *arguments) {
    char *argv[ARGUMENTS_MAX + 2] = {app->name};
    int argc = 1, exit_code;

    for (; arguments && *arguments && argc <= ARGUMENTS_MAX; arguments++)
        argv[argc++] = (char *)(uintptr_t)*arguments;
    if (torc_app_read_arguments(app, argc, argv, &exit_code)) return true;
    return torc_app_fail(app, "it does not take its arguments, as was said", NULL);
}

static bool open_rates(torc_test_client *self) {
    self->shared = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self->shared));
    if (!self->shared) return torc_app_fail(self->app, "rates", torc_err_text(TORC_ERR_NO_MEMORY));
    return torc_app_open_rates(self->app, self->shared);
}

static void close_rates(torc_test_client *self) {
    if (!self->shared) return;
    self->app->rates.table = NULL;
    torc_shared_close(self->shared);
    torc_dealloc(NULL, self->shared);
}

static bool start(torc_test_client *self, const char *const *arguments) {
    torc_app *app = self->app;
    const torc_limits wide = torc_limits_default();

    if (app->has_too_many) return torc_app_fail(app, "too many options or groups", NULL);
    if (!read_arguments(app, arguments)) return false;
    app->log = torc_test_log_log(self->log);
    app->reactor = self->reactor;
    if (!open_rates(self) || !torc_app_make_site(app) || !start_services(self)) return false;
    self->limits = torc_limits_inherit(&app->settings.limits, &wide);
    self->acceptor = torc_site_acceptor(app->site);
    return true;
}

torc_test_client *torc_test_client_new_app_with_at(const char *place, torc_app *app,
                                                   const char *const *arguments) {
    torc_test_client *self = torc_test_client_make(place, NULL, NULL);

    if (!self || !self->reactor || torc_app_is_none(app)) {
        if (self && self->reactor) torc_test_fail_at(place, "there is no memory for the app");
        torc_app_free(app);
        return self;
    }
    self->app = app;
    app->failed = failed;
    app->failed_context = self;
    self->has_started = start(self, arguments);
    return self;
}

torc_test_client *torc_test_client_new_app_at(const char *place, torc_app *app) {
    return torc_test_client_new_app_with_at(place, app, NULL);
}

void torc_test_client_stop_app(torc_test_client *self) {
    torc_app *app = self->app;

    if (self->has_started && app->stop) app->stop(app);
    if (torc_service_is_started(&app->services))
        (void)await(self, torc_service_stop(&app->services, self->reactor), STOP_MS);
    torc_site_free(app->site);
    app->site = NULL;
    close_rates(self);
    app->reactor = NULL;
    app->log = NULL;
    torc_app_process_end(app);
    torc_app_free(app);
    self->app = NULL;
    torc_test_settle_all(self->reactor);
}
