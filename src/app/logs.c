/* SPDX-License-Identifier: MIT */
/*
 * The logs of a program.
 *
 *  - The program's log is written at once, by whoever says something; its descriptor stays the same
 *    when the file is opened anew. The access log is written by threads, and rotated by them when
 *    there is only one process.
 */
#include "app/logs.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "app/app.h"

enum {
    ROTATION_LOOK_MS = 1000
};

static const char *why(torc_err err) {
    if (err == TORC_ERR_REFUSED) return "nobody reads this pipe; start its reader first";
    if (err == TORC_ERR_PERMISSION && geteuid() == 0)
        return "permission denied; is it a symbolic link that is not root's?";
    return torc_err_text(err);
}

static bool open_file(torc_app *app, const char *option, const char *path, torc_log_file **file) {
    const torc_log_settings *settings = &app->settings.log;
    const torc_log_file_options options = {
        .size = sizeof(options),
        .rotate_bytes = settings->rotate_bytes,
        .rotate_seconds = settings->rotate_seconds,
        .keep = settings->keep,
    };
    const torc_err err = torc_log_file_open(path, &options, file);
    char what[300];

    if (!err) return true;
    snprintf(what, sizeof(what), "%s %.200s", option, path);
    return torc_app_fail(app, what, why(err));
}

static bool make_log(torc_app *app) {
    const torc_log_settings *settings = &app->settings.log;
    const int fd = app->logs.file ? torc_log_file_fd(app->logs.file) : STDERR_FILENO;
    const torc_err err = torc_log_new_fd(NULL, fd, settings->format, &app->log);

    if (err) return torc_app_fail(app, "log", torc_err_text(err));
    return !torc_log_set_levels(app->log, torc_str_of(settings->levels)) ||
           torc_app_fail(app, "--log-level", "not understood");
}

bool torc_logs_open(torc_app *app) {
    const torc_log_settings *settings = &app->settings.log;

    app->logs.app = app;
    tzset(); /* while there is still a file with the local time's rules to be read */
    if ((!settings->file || open_file(app, "--log-file", settings->file, &app->logs.file)) &&
        (!settings->access_file ||
         open_file(app, "--access-log", settings->access_file, &app->logs.access_file)) &&
        make_log(app))
        return true;
    torc_logs_close(app);
    return false;
}

void torc_logs_close(torc_app *app) {
    torc_log_free(app->log);
    app->log = NULL;
    torc_log_file_close(app->logs.file);
    torc_log_file_close(app->logs.access_file);
    app->logs.file = app->logs.access_file = NULL;
}

bool torc_logs_set_owner(torc_app *app, uid_t user, gid_t group) {
    torc_err err = TORC_OK;

    if (app->logs.file) err = torc_log_file_set_owner(app->logs.file, user, group);
    if (!err && app->logs.access_file)
        err = torc_log_file_set_owner(app->logs.access_file, user, group);
    return !err || torc_app_fail(app, "the owner of the logs", torc_err_text(err));
}

/* ---- rotation, and opening anew ---- */

bool torc_logs_rotate_at_all(const torc_app *app) {
    return app->settings.log.rotate_bytes || app->settings.log.rotate_seconds;
}

static bool rotate(torc_app *app, torc_log_file *file) {
    bool rotated = false;

    if (file && torc_log_file_rotate_if_due(file, &rotated))
        TORC_LOG_ERROR(app->log, "app", "a log cannot be rotated",
                       TORC_LOG_TEXT("file", torc_log_file_path(file)));
    return rotated;
}

bool torc_logs_rotate(torc_app *app) {
    const bool own = rotate(app, app->logs.file), access = rotate(app, app->logs.access_file);
    return own || access;
}

/* In the only process: its own log, whose lines are written at once. */
static void look_at_rotation(torc_timer *timer) {
    torc_logs *self = torc_container_of(timer, torc_logs, rotation);

    rotate(self->app, self->file);
    torc_timer_arm(timer, ROTATION_LOOK_MS);
}

static void reopen(torc_app *app, torc_log_file *file) {
    const torc_err err = file ? torc_log_file_reopen(file) : TORC_OK;

    if (err)
        TORC_LOG_ERROR(app->log, "app", "a log cannot be opened anew",
                       TORC_LOG_TEXT("file", torc_log_file_path(file)),
                       TORC_LOG_TEXT("error", torc_err_text(err)));
}

void torc_app_reopen_logs(torc_app *app) {
    reopen(app, app->logs.file);
    if (app->logs.writer)
        torc_log_writer_reopen(app->logs.writer);
    else
        reopen(app, app->logs.access_file);
    TORC_LOG_DEBUG(app->log, "app", "logs are reopened");
}

/* ---- serving ---- */

static bool start_access_log(torc_app *app) {
    const char *format = app->settings.log.access_format;
    const torc_log_writer_options options = {
        .size = sizeof(options),
        .log = app->log,
        .rotates = !app->worker && torc_logs_rotate_at_all(app),
    };
    torc_err err =
        torc_log_writer_new(app->reactor, app->logs.access_file, &options, &app->logs.writer);

    if (!err)
        err = torc_access_log_new(app->logs.writer, torc_str_of(format ? format : "combined"), NULL,
                                  &app->logs.access);
    if (err) return torc_app_fail(app, "--access-log", torc_err_text(err));
    torc_site_add_observer(app->site, torc_access_log_observer(app->logs.access));
    return true;
}

bool torc_logs_start(torc_app *app) {
    torc_timer_init(&app->logs.rotation, app->reactor, look_at_rotation);
    if (app->logs.file && !app->worker && torc_logs_rotate_at_all(app))
        torc_timer_arm(&app->logs.rotation, ROTATION_LOOK_MS);
    return !app->logs.access_file || start_access_log(app);
}

void torc_logs_stop(torc_app *app) {
    torc_access_log_free(app->logs.access);
    torc_log_writer_free(app->logs.writer);
    app->logs.access = NULL;
    app->logs.writer = NULL;
}
