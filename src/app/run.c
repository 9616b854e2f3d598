/* SPDX-License-Identifier: MIT */
/*
 * The run of a program, in phases: each does one thing, and is undone in reverse.
 *
 *  - The order of the phases is what makes them safe: mistakes in the arguments are told before
 *    anything is opened; what needs rights is opened before these are given up; and all of it
 *    before anything is forked.
 *  - What cannot be done is said in one line on the standard error, before the log exists and
 *    after.
 *  - Only the process that was started undoes: workers leave by _exit().
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/app.h"
#include "app/cpus.h"
#include "app/parent.h"
#include "app/worker.h"

enum {
    SAME_SIGNAL_MS = 100
};

bool torc_app_fail(const torc_app *app, const char *what, const char *why) {
    char text[400];

    snprintf(text, sizeof(text), "%s%s%s", what, why ? ": " : "", why ? why : "");
    if (app->worker)
        torc_worker_fail(app->worker, text);
    else if (app->failed)
        app->failed(app->failed_context, text);
    else
        fprintf(stderr, "%s: %s\n", app->name, text);
    return false;
}

/* ---- the phases ---- */

/* From before the pidfile says whom to signal, until it says so no more: what comes while the rest
 * is opened waits for who takes signals. */
static const int held_signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};

static bool hold_signals(torc_app *app) {
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < TORC_COUNT_OF(held_signals); i++) sigaddset(&set, held_signals[i]);
    sigprocmask(SIG_BLOCK, &set, &app->signals_before);
    return true;
}

/* Only these: a reactor leaves others blocked, one of which may have come (torc/reactor.h). What
 * has come and nobody took goes, as it is over: it would take its default action now. */
static void release_signals(torc_app *app) {
    const struct timespec now = {0};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < TORC_COUNT_OF(held_signals); i++)
        if (sigismember(&app->signals_before, held_signals[i]) == 0)
            sigaddset(&set, held_signals[i]);
    while (sigtimedwait(&set, NULL, &now) > 0) continue;
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Each connection needs a descriptor, and the usual soft limit of 1024 is for programs that use
 * select(). What cannot be raised is left. */
static bool raise_file_limit(torc_app *app) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= limit.rlim_max) return true;
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0) app->files_before = before;
    return true;
}

static void restore_file_limit(torc_app *app) {
    struct rlimit limit;

    if (app->files_before == 0 || getrlimit(RLIMIT_NOFILE, &limit)) return;
    limit.rlim_cur = app->files_before;
    (void)!setrlimit(RLIMIT_NOFILE, &limit);
}

static const char default_tls_endpoint[] = "ssl:8443:interface=127.0.0.1";

static bool open_sockets(torc_app *app) {
    torc_app_settings *settings = &app->settings;
    torc_endpoint_error error = {0};

    if (settings->workers == TORC_APP_WORKERS_AUTO) settings->workers = (int)torc_cpus_usable();
    app->sockets.inherited = &app->process.inherited;
    app->sockets.slot_count = settings->workers > 0 ? (size_t)settings->workers : 1;
    if (settings->endpoint_count == 0)
        settings->endpoints[settings->endpoint_count++] =
            settings->tls.cert_count || settings->tls.self_signed ? default_tls_endpoint
                                                                  : app->default_endpoint;
    for (size_t i = 0; i < settings->endpoint_count; i++) {
        if (torc_sockets_add(&app->sockets, settings->endpoints[i], &error))
            return torc_app_fail(app, settings->endpoints[i], error.text);
        if (settings->workers > 0 &&
            app->sockets.rows[app->sockets.row_count - 1]->endpoint.is_stdio)
            return torc_app_fail(app, settings->endpoints[i],
                                 "standard input is served by one process: add --workers 0");
    }
    return true;
}

static bool start_with_rights(torc_app *app) {
    torc_service *failed = NULL;
    const torc_err err = app->lacks_service
                             ? TORC_ERR_NO_MEMORY
                             : torc_service_privileged_start(&app->services, &failed);

    if (!err) return true;
    return torc_app_fail(app, failed && failed->name ? failed->name : "a service",
                         torc_err_text(err));
}

static void close_sockets(torc_app *app) {
    torc_sockets_close(&app->sockets);
}

/* In the order of entering; left in reverse. Either may be NULL. */
static const struct {
    bool (*enter)(torc_app *app); /* false: it was said why */
    void (*leave)(torc_app *app);
} phases[] = {
    {hold_signals, release_signals},
    {torc_app_process_write_pidfile, torc_app_process_remove_pidfile},
    {torc_logs_open, torc_logs_close},
    {raise_file_limit, restore_file_limit},
    {open_sockets, close_sockets},
    {torc_app_tls_open, torc_app_tls_close},
    {start_with_rights, NULL},
    {torc_app_process_drop_rights, NULL},
    {torc_app_process_confine, NULL},
};

void torc_app_forked(torc_app *app) {
    app->sockets.is_inherited = true;
    torc_app_process_forked(app);
}

static bool serve(torc_app *app) {
    return app->settings.workers > 0 ? torc_parent_run(app) : torc_app_serve(app);
}

/* Enter all phases, serve, and leave those that were entered. */
static bool run(torc_app *app) {
    size_t entered = 0;

    while (entered < TORC_COUNT_OF(phases) && phases[entered].enter(app)) entered++;
    const bool fine = entered == TORC_COUNT_OF(phases) && serve(app);
    while (entered-- > 0)
        if (phases[entered].leave) phases[entered].leave(app);
    return fine;
}

static int begin(torc_app *app) {
    int exit_code = 1;

    return torc_app_process_begin(app, &exit_code) ? (run(app) ? 0 : 1) : exit_code;
}

int torc_app_run(torc_app *app, int argc, char **argv) {
    int exit_code = 1;

    if (torc_app_is_none(app)) {
        fprintf(stderr, "%s: %s\n", argc > 0 ? argv[0] : "torc", torc_err_text(TORC_ERR_NO_MEMORY));
        return 1;
    }
    if (app->has_too_many)
        torc_app_fail(app, "options", "a program has at most 64, in 8 groups");
    else if (torc_app_read_arguments(app, argc, argv, &exit_code))
        exit_code = app->task ? app->task(app) : begin(app);
    torc_app_process_end(app);
    torc_app_free(app);
    return exit_code;
}

/* ---- what is told while it runs ---- */

void torc_app_tell_counts(const torc_app *app, const uint64_t counts[TORC_SHARED_COUNTS]) {
    TORC_LOG_INFO(app->log, "app", "stopped",
                  TORC_LOG_UINT("connections", counts[TORC_SHARED_ACCEPTED]),
                  TORC_LOG_UINT("requests", counts[TORC_SHARED_REQUESTS]));
}

bool torc_app_is_repeated(torc_last_signal *last, int number, uint64_t now_ms) {
    const bool is_same = last->number == number && now_ms - last->at_ms < SAME_SIGNAL_MS;

    *last = (torc_last_signal){number, now_ms};
    return is_same;
}

void torc_app_tell(torc_app *app, torc_app_event event) {
    static const char *const names[] = {
        [TORC_APP_READY] = "ready",
        [TORC_APP_RELOADING] = "reloading",
        [TORC_APP_STOPPING] = "stopping",
    };

    TORC_LOG_DEBUG(app->log, "app", "state", TORC_LOG_TEXT("is", names[event]));
    switch (event) {
    case TORC_APP_READY:
        torc_app_process_ready(app);
        break;
    case TORC_APP_RELOADING:
        torc_app_process_reloading(app);
        break;
    case TORC_APP_STOPPING:
        torc_app_process_stopping(app);
        break;
    }
}
