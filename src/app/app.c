/* SPDX-License-Identifier: MIT */
/*
 * A program that serves: what it sets up before its run.
 *
 *  - Nothing of the reactor exists before torc_app_run(), so that a program may fork before.
 */
#include "app/app.h"

#include <stdio.h>

#include "app/cpus.h"
#include "base/alloc.h"
#include "web/tree.h"

/* What torc_app_new() answers when there is no memory: torc_app_run() reports it. */
static torc_app no_app;

/* The root is nothing but its children. */
static const torc_service_ops services_ops = {0};

bool torc_app_is_none(const torc_app *app) {
    return app == &no_app;
}

torc_app *torc_app_new(const char *name) {
    torc_app *app = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*app));

    if (!app) return &no_app;
    app->root = torc_folder_new();
    if (!app->root) {
        torc_dealloc(NULL, app);
        return &no_app;
    }
    snprintf(app->name, sizeof(app->name), "%s", name);
    torc_rate_table_store_init(&app->rates);
    torc_service_init(&app->services, &services_ops, "services");
    app->settings.limits.size = sizeof(app->settings.limits);
    app->default_endpoint = "tcp:8080:interface=127.0.0.1";
    app->settings.log.levels = "info";
    app->settings.log.ring_events = 256;
    app->settings.workers = TORC_APP_WORKERS_AUTO;
    app->settings.stall_ms = -1;
    return app;
}

void torc_app_free(torc_app *app) {
    if (!app || app == &no_app) return;
    torc_resource_dispose(app->root);
    torc_service_free(&app->services);
    torc_dealloc(NULL, app);
}

void torc_app_route(torc_app *app, const char *pattern, torc_render_fn *render) {
    if (app->root) torc_resource_route(app->root, pattern, render);
}

void torc_app_use(torc_app *app, torc_middleware *middleware) {
    torc_resource_use(torc_app_root(app), middleware);
}

/* A stand-in without memory, so that a program may go on building until it is told by
 * torc_app_run(). */
torc_resource *torc_app_root(torc_app *app) {
    static const torc_resource_ops no_ops = {0};
    static torc_resource no_root = {.ops = &no_ops};
    return app->root ? app->root : &no_root;
}

torc_rate_store *torc_app_rate_store(torc_app *app) {
    return &app->rates.base;
}

void torc_app_on_start(torc_app *app, torc_app_start_fn *start) {
    app->start = start;
}

void torc_app_add_service(torc_app *app, torc_service *service) {
    if (!service)
        app->lacks_service = true;
    else if (torc_app_is_none(app))
        torc_service_free(service);
    else
        torc_service_add(&app->services, service);
}

void torc_app_add_observer(torc_app *app, torc_observer *observer) {
    observer->next = app->observers;
    app->observers = observer;
}

void torc_app_on_stop(torc_app *app, torc_app_start_fn *stop) {
    app->stop = stop;
}

torc_reactor *torc_app_reactor(torc_app *app) {
    return app->reactor;
}

void torc_app_set_context(torc_app *app, void *context) {
    app->context = context;
    if (app->site) torc_site_set_context(app->site, context);
}

void *torc_app_context(const torc_app *app) {
    return app->context;
}

void torc_app_set_listen(torc_app *app, const char *endpoint) {
    app->default_endpoint = endpoint;
}

void torc_app_set_workers(torc_app *app, int count) {
    app->settings.workers = count < 0               ? TORC_APP_WORKERS_AUTO
                            : count > TORC_CPUS_MAX ? TORC_CPUS_MAX
                                                    : count;
}

void torc_app_refuse(torc_app *app, const char *text) {
    if (!app->is_refused) snprintf(app->refusal, sizeof(app->refusal), "%s", text);
    app->is_refused = true;
}

torc_limits *torc_app_limits(torc_app *app) {
    return &app->settings.limits;
}

void torc_app_set_description(torc_app *app, const char *description) {
    app->description = description;
}

void torc_app_set_task(torc_app *app, torc_app_task_fn *task) {
    app->task = task;
}

void torc_app_set_subject(torc_app *app, const char *subject) {
    app->subject = subject;
}

void torc_app_add_group(torc_app *app, const char *title) {
    if (app->own_group_count == TORC_APP_OWN_GROUPS_MAX)
        app->has_too_many = true;
    else
        app->own_groups[app->own_group_count++] = (torc_app_group){title, app->own_count, 0};
}

void torc_app_add_option(torc_app *app, const char *name, const char *argument, const char *help,
                         torc_app_option_fn *apply) {
    if (app->own_count == TORC_APP_OWN_OPTIONS_MAX) {
        app->has_too_many = true;
        return;
    }
    if (app->own_group_count == 0) torc_app_add_group(app, "Options");
    app->own[app->own_count++] = (torc_option){name, argument, help, apply};
    app->own_groups[app->own_group_count - 1].count++;
}
