/* SPDX-License-Identifier: MIT */
/*
 * A process that serves: its reactor, site and listeners, its signals, its end.
 *
 * States: set up → running → draining (the first signal: nothing new is accepted, what is in
 * progress ends) → stopped (all ended, the deadline passed, or a second signal).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <torc/listen.h>
#include <torc/signal.h>

#include "app/app.h"
#include "app/listen.h"
#include "web/tree.h"

static const int ending_signals[] = {SIGTERM, SIGINT, SIGQUIT};

typedef struct serving {
    torc_app *app;
    torc_listener *listeners[TORC_APP_LISTENERS_MAX];
    size_t listener_count;
    torc_signal *signals[TORC_COUNT_OF(ending_signals)];
    size_t signal_count;
    torc_timer drained; /* looks whether all has ended; and is the deadline */
    uint64_t drain_until_ms;
    bool is_draining;
} serving;

static bool make_reactor(torc_app *app) {
    const torc_limits wide = torc_limits_default();
    const torc_limits limits = torc_limits_inherit(&app->settings.limits, &wide);
    const torc_reactor_options options = {
        .size = sizeof(options),
        .memory_max = limits.memory_max == TORC_UNLIMITED_BYTES ? 0 : (size_t)limits.memory_max,
        .fibers_max = limits.fibers_max,
        .log = app->log,
    };
    const torc_err err = torc_reactor_new(&options, &app->reactor);
    return !err || torc_app_fail(app, "reactor", torc_err_text(err));
}

static bool make_site(torc_app *app) {
    const torc_site_options options = {
        .size = sizeof(options),
        .show_errors = app->settings.show_errors,
        .fields = app->settings.fields,
        .field_count = app->settings.field_count,
        .log = app->log,
    };

    if (app->start) app->start(app);
    if (torc_resource_err(app->root))
        return torc_app_fail(app, "resources", torc_resource_err_text(app->root));
    app->site = torc_site_new(app->root, &options);
    app->root = NULL; /* taken, whatever happened */
    if (!app->site) return torc_app_fail(app, "site", torc_err_text(TORC_ERR_NO_MEMORY));
    torc_site_set_context(app->site, app->context);
    return true;
}

/* Tell where the site can be reached: a URL where there is one. */
static void announce(torc_app *app, const torc_listener *listener) {
    const torc_addr addr = torc_listener_addr(listener);
    char text[TORC_ADDR_TEXT_MAX], url[TORC_ADDR_TEXT_MAX + 16];
    const torc_str where = torc_addr_text(&addr, text);
    const bool is_unix = torc_addr_family(&addr) == AF_UNIX;

    snprintf(url, sizeof(url), is_unix ? "unix:%.*s" : "http://%.*s/", TORC_STR_ARGS(where));
    TORC_LOG_INFO(app->log, "app", "listening", TORC_LOG_TEXT("url", url),
                  TORC_LOG_INT("pid", getpid()));
}

static bool listen_on(serving *self, const char *endpoint) {
    torc_endpoint_error error = {0};
    torc_listener *listener;
    const torc_http_options options = {.size = sizeof(options),
                                       .limits = &self->app->settings.limits};
    const torc_err err =
        torc_listen_http(self->app->reactor, endpoint, torc_site_acceptor(self->app->site),
                         &options, &error, &listener);

    if (err)
        return torc_app_fail(self->app, endpoint, error.text[0] ? error.text : torc_err_text(err));
    self->listeners[self->listener_count++] = listener;
    announce(self->app, listener);
    return true;
}

static bool make_listeners(serving *self) {
    torc_app_settings *settings = &self->app->settings;

    if (settings->endpoint_count == 0)
        settings->endpoints[settings->endpoint_count++] = self->app->default_endpoint;
    for (size_t i = 0; i < settings->endpoint_count; i++)
        if (!listen_on(self, settings->endpoints[i])) return false;
    return true;
}

static size_t connections(const serving *self) {
    size_t count = 0;
    for (size_t i = 0; i < self->listener_count; i++)
        count += torc_listener_connections(self->listeners[i]);
    return count;
}

/* While draining: every so often, has all ended? */
static void drained(torc_timer *timer) {
    serving *self = torc_container_of(timer, serving, drained);
    const bool is_late = torc_reactor_now_ms(self->app->reactor) >= self->drain_until_ms;

    if (connections(self) == 0 || is_late)
        torc_reactor_stop(self->app->reactor);
    else
        torc_timer_arm(timer, 10);
}

static void drain(serving *self) {
    const torc_limits wide = torc_limits_default();
    const torc_limits limits = torc_limits_inherit(&self->app->settings.limits, &wide);

    self->is_draining = true;
    self->drain_until_ms = torc_reactor_now_ms(self->app->reactor) + limits.drain_ms;
    for (size_t i = 0; i < self->listener_count; i++) torc_listener_drain(self->listeners[i]);
    torc_timer_arm(&self->drained, 0);
}

static void signalled(void *context, int number) {
    serving *self = context;

    TORC_LOG_INFO(self->app->log, "app", self->is_draining ? "stopping at once" : "stopping",
                  TORC_LOG_TEXT("signal", strsignal(number)));
    if (self->is_draining)
        torc_reactor_stop(self->app->reactor);
    else
        drain(self);
}

static bool take_signals(serving *self) {
    for (size_t i = 0; i < TORC_COUNT_OF(ending_signals); i++) {
        const torc_err err = torc_signal_new(self->app->reactor, ending_signals[i], signalled, self,
                                             &self->signals[i]);
        if (err) return torc_app_fail(self->app, "signals", torc_err_text(err));
        self->signal_count++;
    }
    return true;
}

static bool run(serving *self) {
    const torc_err err = torc_reactor_run(self->app->reactor);
    return !err || torc_app_fail(self->app, "reactor", torc_err_text(err));
}

/* Undo what was done, in whatever state it is. */
static void finish(serving *self) {
    torc_timer_cancel(&self->drained);
    for (size_t i = 0; i < self->listener_count; i++) torc_listener_close(self->listeners[i]);
    for (size_t i = 0; i < self->signal_count; i++) torc_signal_free(self->signals[i]);
}

/* With a reactor: make what serves, and serve until the end. */
static bool serve(torc_app *app) {
    serving self = {.app = app};
    bool fine;

    torc_timer_init(&self.drained, app->reactor, drained);
    fine = make_site(app) && make_listeners(&self) && take_signals(&self);
    if (fine) {
        fine = run(&self);
        if (app->stop) app->stop(app);
    }
    finish(&self);
    return fine;
}

bool torc_app_serve(torc_app *app) {
    const bool fine = make_reactor(app) && serve(app);

    torc_reactor_free(app->reactor);
    torc_site_free(app->site);
    return fine;
}
