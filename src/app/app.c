/* SPDX-License-Identifier: MIT */
/*
 * A program that serves: its arguments, its listeners, its signals, its end.
 *
 * States: set up (routes are added) → running → draining (the first signal: nothing new is
 * accepted, what is in progress ends) → stopped (all ended, the deadline passed, or a second
 * signal).
 *
 *  - Nothing of the reactor exists before torc_app_run(), so that a program may fork before.
 *  - What cannot be done is said in one line on the standard error, before the log exists and
 * after.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <torc/listen.h>
#include <torc/log.h>
#include <torc/signal.h>
#include <torc/timer.h>
#include <torc/version.h>

#include "app/listen.h"
#include "app/options.h"
#include "base/alloc.h"
#include "web/tree.h"

enum {
    LISTENERS_MAX = 16,
    OWN_OPTIONS_MAX = 32
};

static const int ending_signals[] = {SIGTERM, SIGINT, SIGQUIT};

struct torc_app {
    char name[64];
    const char *description;
    torc_resource *root;
    torc_app_start_fn *start, *stop;
    void *context;
    torc_limits limits;
    const char *endpoints[LISTENERS_MAX];
    size_t endpoint_count;
    const char *default_endpoint;
    torc_option own[OWN_OPTIONS_MAX];
    size_t own_count;
    torc_log_format log_format;
    const char *log_levels;
    bool show_errors;
    bool wants_help, wants_limits, wants_version;

    torc_log *log;
    torc_reactor *reactor;
    torc_site *site;
    torc_listener *listeners[LISTENERS_MAX];
    size_t listener_count;
    torc_signal *signals[TORC_COUNT_OF(ending_signals)];
    size_t signal_count;
    torc_timer drained; /* looks whether all has ended; and is the deadline */
    uint64_t drain_until_ms;
    bool is_draining;
};

/* What torc_app_new() answers when there is no memory: torc_app_run() reports it. */
static torc_app no_app;

/* ---- set-up ---- */

torc_app *torc_app_new(const char *name) {
    torc_app *app = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*app));

    if (!app) return &no_app;
    app->root = torc_folder_new();
    if (!app->root) {
        torc_dealloc(NULL, app);
        return &no_app;
    }
    snprintf(app->name, sizeof(app->name), "%s", name);
    app->limits.size = sizeof(app->limits);
    app->default_endpoint = "tcp:8080:interface=127.0.0.1";
    app->log_levels = "info";
    return app;
}

void torc_app_free(torc_app *app) {
    if (!app || app == &no_app) return;
    torc_resource_dispose(app->root);
    torc_dealloc(NULL, app);
}

void torc_app_route(torc_app *app, const char *pattern, torc_render_fn *render) {
    if (app->root) torc_resource_route(app->root, pattern, render);
}

/* A stand-in without memory, so that a program may go on building until it is told by
 * torc_app_run(). */
torc_resource *torc_app_root(torc_app *app) {
    static const torc_resource_ops no_ops = {0};
    static torc_resource no_root = {.ops = &no_ops};
    return app->root ? app->root : &no_root;
}

void torc_app_on_start(torc_app *app, torc_app_start_fn *start) {
    app->start = start;
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

torc_limits *torc_app_limits(torc_app *app) {
    return &app->limits;
}

void torc_app_set_description(torc_app *app, const char *description) {
    app->description = description;
}

void torc_app_add_option(torc_app *app, const char *name, const char *argument, const char *help,
                         torc_app_option_fn *apply) {
    if (app->own_count < OWN_OPTIONS_MAX)
        app->own[app->own_count++] = (torc_option){name, argument, help, apply};
}

/* ---- options ---- */

static const char *apply_listen(torc_app *app, const char *value, char text[160]) {
    torc_endpoint_error error;
    torc_endpoint endpoint;

    if (app->endpoint_count == LISTENERS_MAX) return "at most 16 endpoints";
    if (torc_endpoint_parse(torc_str_of(value), &endpoint, &error)) {
        snprintf(text, 160, "%s", error.text);
        return text;
    }
    app->endpoints[app->endpoint_count++] = value;
    return NULL;
}

static const char *apply_limit(torc_app *app, const char *value, char text[160]) {
    return torc_limit_option_apply(&app->limits, value, text);
}

static const char *apply_log_level(torc_app *app, const char *value, char text[160]) {
    torc_log *log;
    torc_buf buf;
    char nothing[1];

    (void)text;
    torc_buf_init_fixed(&buf, nothing, sizeof(nothing));
    if (torc_log_new_buf(NULL, &buf, TORC_LOG_FORMAT_TEXT, &log)) return "out of memory";
    const torc_err err = torc_log_set_levels(log, torc_str_of(value));
    torc_log_free(log);
    if (err) return "levels are debug, info, warn, error, critical, off; or `info,http=debug`";
    app->log_levels = value;
    return NULL;
}

static const char *apply_log_format(torc_app *app, const char *value, char text[160]) {
    static const char *const names[] = {"auto", "text", "json"};

    (void)text;
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++)
        if (strcmp(value, names[i]) == 0) {
            app->log_format = (torc_log_format)i;
            return NULL;
        }
    return "formats are auto, text and json";
}

static const char *apply_show_errors(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->show_errors = true;
    return NULL;
}

static const char *apply_help(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->wants_help = true;
    return NULL;
}

static const char *apply_help_limits(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->wants_limits = true;
    return NULL;
}

static const char *apply_version(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->wants_version = true;
    return NULL;
}

static const torc_option serving_options[] = {
    {"listen", "ENDPOINT", "where to listen: 8080, 127.0.0.1:8080, unix:/run/x.sock … (repeatable)",
     apply_listen},
    {"limit", "NAME=VALUE", "set a limit; --help-limits lists them (repeatable)", apply_limit},
    {"show-errors", NULL, "tell details on error pages; for development", apply_show_errors},
};

static const torc_option log_options[] = {
    {"log-level", "LEVELS", "debug, info, warn, error, critical, off; or info,http=debug",
     apply_log_level},
    {"log-format", "FORMAT", "auto (text on a terminal, else json), text, json", apply_log_format},
};

static const torc_option general_options[] = {
    {"help", NULL, "show this help", apply_help},
    {"help-limits", NULL, "list the limits with their defaults", apply_help_limits},
    {"version", NULL, "show the version", apply_version},
};

static torc_option_set option_set(const torc_app *app) {
    return (torc_option_set){
        .groups =
            {
                {"Options", app->own, app->own_count},
                {"Serving", serving_options, TORC_COUNT_OF(serving_options)},
                {"Logs", log_options, TORC_COUNT_OF(log_options)},
                {"General", general_options, TORC_COUNT_OF(general_options)},
            },
        .count = 4,
    };
}

static int print(const torc_buf *text, FILE *stream) {
    fwrite(text->bytes, 1, text->len, stream);
    return fflush(stream) ? 1 : 0;
}

/* Answer --help and its like: whether one was asked for. */
static bool show_texts(const torc_app *app, const torc_option_set *set, int *exit_code) {
    torc_buf text;

    if (!app->wants_help && !app->wants_limits && !app->wants_version) return false;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 64 * 1024);
    if (app->wants_help) {
        torc_buf_addf(&text, "Usage: %s [OPTION]...\n", app->name);
        if (app->description) torc_buf_addf(&text, "%s\n", app->description);
        torc_options_write_help(set, &text);
    } else if (app->wants_limits) {
        torc_buf_addf(&text, "Limits, for --limit NAME=VALUE, with their defaults:\n");
        torc_limit_options_write(&text);
    } else {
        torc_buf_addf(&text, "%s (Torc %s)\n", app->name, torc_version());
    }
    *exit_code = print(&text, stdout);
    torc_buf_dispose(&text);
    return true;
}

static bool read_arguments(torc_app *app, int argc, char **argv, int *exit_code) {
    const torc_option_set set = option_set(app);
    torc_buf mistake;

    torc_buf_init(&mistake, NULL, TORC_MEMORY_OTHER, 4096);
    const bool fine = torc_options_read(&set, app, argc, argv, &mistake);
    if (!fine) {
        fprintf(stderr, "%s: %.*s\n", app->name, (int)mistake.len, mistake.bytes);
        *exit_code = 2;
    }
    torc_buf_dispose(&mistake);
    return fine && !show_texts(app, &set, exit_code);
}

/* ---- running ---- */

static bool fail(torc_app *app, const char *what, const char *why) {
    fprintf(stderr, "%s: %s: %s\n", app->name, what, why);
    return false;
}

static bool make_log(torc_app *app) {
    const torc_err err = torc_log_new_fd(NULL, STDERR_FILENO, app->log_format, &app->log);
    if (err) return fail(app, "log", torc_err_text(err));
    return !torc_log_set_levels(app->log, torc_str_of(app->log_levels)) ||
           fail(app, "--log-level", "not understood");
}

static bool make_reactor(torc_app *app) {
    const torc_limits wide = torc_limits_default();
    const torc_limits limits = torc_limits_inherit(&app->limits, &wide);
    const torc_reactor_options options = {
        .size = sizeof(options),
        .memory_max = limits.memory_max == TORC_UNLIMITED_BYTES ? 0 : (size_t)limits.memory_max,
        .fibers_max = limits.fibers_max,
        .log = app->log,
    };
    const torc_err err = torc_reactor_new(&options, &app->reactor);
    return !err || fail(app, "reactor", torc_err_text(err));
}

static bool make_site(torc_app *app) {
    const torc_site_options options = {
        .size = sizeof(options),
        .show_errors = app->show_errors,
        .log = app->log,
    };

    if (app->start) app->start(app);
    if (torc_resource_err(app->root))
        return fail(app, "resources", torc_resource_err_text(app->root));
    app->site = torc_site_new(app->root, &options);
    app->root = NULL; /* taken, whatever happened */
    if (!app->site) return fail(app, "site", torc_err_text(TORC_ERR_NO_MEMORY));
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

static bool listen_on(torc_app *app, const char *endpoint) {
    torc_endpoint_error error = {0};
    torc_listener *listener;
    const torc_http_options options = {.size = sizeof(options), .limits = &app->limits};
    const torc_err err = torc_listen_http(app->reactor, endpoint, torc_site_acceptor(app->site),
                                          &options, &error, &listener);

    if (err) return fail(app, endpoint, error.text[0] ? error.text : torc_err_text(err));
    app->listeners[app->listener_count++] = listener;
    announce(app, listener);
    return true;
}

static bool make_listeners(torc_app *app) {
    if (app->endpoint_count == 0) app->endpoints[app->endpoint_count++] = app->default_endpoint;
    for (size_t i = 0; i < app->endpoint_count; i++)
        if (!listen_on(app, app->endpoints[i])) return false;
    return true;
}

static size_t connections(const torc_app *app) {
    size_t count = 0;
    for (size_t i = 0; i < app->listener_count; i++)
        count += torc_listener_connections(app->listeners[i]);
    return count;
}

/* While draining: every so often, has all ended? */
static void drained(torc_timer *timer) {
    torc_app *app = torc_container_of(timer, torc_app, drained);
    const bool is_late = torc_reactor_now_ms(app->reactor) >= app->drain_until_ms;

    if (connections(app) == 0 || is_late)
        torc_reactor_stop(app->reactor);
    else
        torc_timer_arm(timer, 10);
}

static void drain(torc_app *app) {
    const torc_limits wide = torc_limits_default();
    const torc_limits limits = torc_limits_inherit(&app->limits, &wide);

    app->is_draining = true;
    app->drain_until_ms = torc_reactor_now_ms(app->reactor) + limits.drain_ms;
    for (size_t i = 0; i < app->listener_count; i++) torc_listener_drain(app->listeners[i]);
    torc_timer_arm(&app->drained, 0);
}

static void signalled(void *context, int number) {
    torc_app *app = context;

    TORC_LOG_INFO(app->log, "app", app->is_draining ? "stopping at once" : "stopping",
                  TORC_LOG_TEXT("signal", strsignal(number)));
    if (app->is_draining)
        torc_reactor_stop(app->reactor);
    else
        drain(app);
}

static bool take_signals(torc_app *app) {
    for (size_t i = 0; i < TORC_COUNT_OF(ending_signals); i++) {
        const torc_err err =
            torc_signal_new(app->reactor, ending_signals[i], signalled, app, &app->signals[i]);
        if (err) return fail(app, "signals", torc_err_text(err));
        app->signal_count++;
    }
    return true;
}

static bool serve(torc_app *app) {
    torc_timer_init(&app->drained, app->reactor, drained);
    const torc_err err = torc_reactor_run(app->reactor);
    return !err || fail(app, "reactor", torc_err_text(err));
}

/* Undo what was done, in whatever state it is. */
static void finish(torc_app *app, bool was_serving) {
    if (app->reactor) torc_timer_cancel(&app->drained);
    if (was_serving && app->stop) app->stop(app);
    for (size_t i = 0; i < app->listener_count; i++) torc_listener_close(app->listeners[i]);
    for (size_t i = 0; i < app->signal_count; i++) torc_signal_free(app->signals[i]);
    torc_reactor_free(app->reactor);
    torc_site_free(app->site);
    torc_log_free(app->log);
    torc_app_free(app);
}

int torc_app_run(torc_app *app, int argc, char **argv) {
    int exit_code = 1;
    bool fine, serving = false;

    if (app == &no_app) {
        fprintf(stderr, "%s: %s\n", argc > 0 ? argv[0] : "torc", torc_err_text(TORC_ERR_NO_MEMORY));
        return 1;
    }
    if (!read_arguments(app, argc, argv, &exit_code)) {
        torc_app_free(app);
        return exit_code;
    }
    fine = make_log(app) && make_reactor(app) && make_site(app) && make_listeners(app) &&
           take_signals(app);
    if (fine) {
        serving = true;
        fine = serve(app);
    }
    finish(app, serving);
    return fine ? 0 : 1;
}
