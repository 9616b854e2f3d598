/* SPDX-License-Identifier: MIT */
/*
 * The logs of a program.
 *
 *  - The program's log goes to all that --log names. Its files are written at once, by whoever says
 *    something; their descriptors stay the same when they are opened anew. The access log is
 *    written by threads, and rotated by them when there is only one process.
 */
#include "app/logs.h"

#include <netdb.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "app/app.h"
#include "app/crash.h"
#include "base/log_socket.h"

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

/* ---- sinks ---- */

static bool add_file(torc_app *app, const torc_log_target *target,
                     const torc_log_sink_options *options) {
    const torc_log_format format = target->format ? target->format : app->settings.log.format;
    torc_log_file **file = &app->logs.files[app->logs.file_count];

    if (!open_file(app, "--log", torc_log_target_text(target, target->path), file)) return false;
    app->logs.file_count++;
    const torc_err err = torc_log_add_fd(app->log, torc_log_file_fd(*file), format, options, NULL);
    return !err || torc_app_fail(app, "--log", torc_err_text(err));
}

/* The first address of a host, which the program may wait for: it does not serve yet. */
static bool find_host(const torc_log_target *target, torc_addr *addr) {
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    const char *host = torc_log_target_text(target, target->host);
    struct addrinfo *found = NULL;
    char port[8];

    if (torc_addr_parse(torc_str_of(host), target->port, addr) == TORC_OK) return true;
    snprintf(port, sizeof(port), "%u", (unsigned)target->port);
    if (getaddrinfo(host, port, &hints, &found)) return false;
    const bool fits = found->ai_addrlen <= sizeof(addr->as);
    if (fits) {
        *addr = (torc_addr){.len = found->ai_addrlen};
        memcpy(&addr->as, found->ai_addr, found->ai_addrlen);
    }
    freeaddrinfo(found);
    return fits;
}

/* Whether somebody listens at a socket: else nobody would learn that events are lost. */
static bool is_there(torc_app *app, const char *path) {
    torc_log_socket probe = {0};
    char what[300];
    const torc_err err = torc_log_socket_open(&probe, path, NULL);
    const bool is_connected = !err && atomic_load(&probe.is_connected);

    torc_log_socket_close(&probe);
    snprintf(what, sizeof(what), "--log: the socket %.200s", path);
    return is_connected || torc_app_fail(app, what, "nobody listens there; is the daemon started?");
}

static bool add_syslog(torc_app *app, const torc_log_target *target,
                       const torc_log_sink_options *options) {
    const char *path = torc_log_target_text(target, target->path);
    torc_addr addr;
    torc_log_syslog_options syslog = {
        .size = sizeof(syslog),
        .path = path ? path : "/dev/log",
        .form = target->form,
        .facility = target->facility,
        .app_name = target->tag ? torc_log_target_text(target, target->tag) : app->name,
        .hostname = torc_log_target_text(target, target->hostname),
    };

    if (target->host && !find_host(target, &addr))
        return torc_app_fail(app, "--log: the host of syslog",
                             "not found; write a name that resolves, or an address");
    if (target->host)
        syslog.addr = &addr;
    else if (!is_there(app, syslog.path))
        return false;
    const torc_err err = torc_log_add_syslog(app->log, &syslog, options, NULL);
    return !err || torc_app_fail(app, "--log syslog", torc_err_text(err));
}

static bool add_journal(torc_app *app, const torc_log_target *target,
                        const torc_log_sink_options *options) {
    const char *path = torc_log_target_text(target, target->path);
    const torc_log_journal_options journal = {
        .size = sizeof(journal),
        .path = path ? path : "/run/systemd/journal/socket",
        .identifier = target->tag ? torc_log_target_text(target, target->tag) : app->name,
    };

    if (!is_there(app, journal.path)) return false;
    const torc_err err = torc_log_add_journal(app->log, &journal, options, NULL);
    return !err || torc_app_fail(app, "--log journald", torc_err_text(err));
}

static bool add_target(torc_app *app, const torc_log_target *target) {
    const torc_log_sink_options options = {
        .size = sizeof(options),
        .name = target->kind == TORC_LOG_TARGET_FILE ? torc_log_target_text(target, target->path)
                                                     : NULL,
        .levels = torc_log_target_text(target, target->levels),
    };

    switch (target->kind) {
    case TORC_LOG_TARGET_FILE:
        return add_file(app, target, &options);
    case TORC_LOG_TARGET_SYSLOG:
        return add_syslog(app, target, &options);
    case TORC_LOG_TARGET_JOURNAL:
        return add_journal(app, target, &options);
    }
    return false;
}

static bool add_ring(torc_app *app) {
    const torc_log_settings *settings = &app->settings.log;
    const torc_log_sink_options options = {.size = sizeof(options),
                                           .levels = settings->ring_levels};

    if (!settings->ring_events) return true;
    torc_err err = torc_log_ring_new(NULL, settings->ring_events, &app->logs.ring);
    if (!err) err = torc_log_add_ring(app->log, app->logs.ring, &options, NULL);
    return !err || torc_app_fail(app, "--log-ring", torc_err_text(err));
}

static bool add_all(torc_app *app) {
    const torc_log_settings *settings = &app->settings.log;
    const torc_log_sink_options options = {.size = sizeof(options), .name = "stderr"};

    if (settings->target_count == 0) {
        const torc_err err =
            torc_log_add_fd(app->log, STDERR_FILENO, settings->format, &options, NULL);
        return !err || torc_app_fail(app, "log", torc_err_text(err));
    }
    for (size_t i = 0; i < settings->target_count; i++)
        if (!add_target(app, &settings->targets[i])) return false;
    return true;
}

static bool make_log(torc_app *app) {
    const torc_log_settings *settings = &app->settings.log;
    const torc_err err = torc_log_new(NULL, NULL, NULL, &app->log);

    if (err) return torc_app_fail(app, "log", torc_err_text(err));
    torc_log_set_local_time(app->log, settings->is_local);
    if (torc_log_set_levels(app->log, torc_str_of(settings->levels)))
        return torc_app_fail(app, "--log-level", "not understood");
    return add_ring(app) && add_all(app);
}

void torc_logs_set_verbose(torc_app *app, bool is_verbose) {
    const torc_str levels = is_verbose ? TORC_STR("debug") : torc_str_of(app->settings.log.levels);

    if (torc_log_replace_levels(app->log, levels))
        TORC_LOG_ERROR(app->log, "app", "the levels of the log could not be changed");
    else
        TORC_LOG_INFO(app->log, "app", "the levels of the log were changed",
                      TORC_LOG_STR("levels", levels));
}

/* ---- opening and closing ---- */

/* The standard error of who serves in the background leads nowhere. */
static int crash_fd(const torc_app *app) {
    if (app->logs.crash_file) return torc_log_file_fd(app->logs.crash_file);
    if (app->settings.process.daemonize && app->logs.file_count > 0)
        return torc_log_file_fd(app->logs.files[0]);
    return STDERR_FILENO;
}

static bool watch_crashes(torc_app *app) {
    const char *path = app->settings.log.crash_report;

    if (path && !path[0]) return true;
    if (path && !open_file(app, "--crash-report", path, &app->logs.crash_file)) return false;
    torc_crash_watch(app, crash_fd(app));
    return true;
}

bool torc_logs_open(torc_app *app) {
    const torc_log_settings *settings = &app->settings.log;

    app->logs.app = app;
    tzset(); /* while there is still a file with the local time's rules to be read */
    if ((!settings->access_file ||
         open_file(app, "--access-log", settings->access_file, &app->logs.access_file)) &&
        make_log(app) && watch_crashes(app))
        return true;
    torc_logs_close(app);
    return false;
}

static void close_file(torc_log_file **file) {
    torc_log_file_close(*file);
    *file = NULL;
}

void torc_logs_close(torc_app *app) {
    torc_logs *logs = &app->logs;

    torc_crash_forget();
    torc_log_free(app->log);
    app->log = NULL;
    torc_log_ring_free(logs->ring);
    logs->ring = NULL;
    while (logs->file_count > 0) close_file(&logs->files[--logs->file_count]);
    close_file(&logs->access_file);
    close_file(&logs->crash_file);
}

static torc_err give(torc_log_file *file, uid_t user, gid_t group) {
    return file ? torc_log_file_set_owner(file, user, group) : TORC_OK;
}

bool torc_logs_set_owner(torc_app *app, uid_t user, gid_t group) {
    torc_err err = give(app->logs.access_file, user, group);

    if (!err) err = give(app->logs.crash_file, user, group);
    for (size_t i = 0; i < app->logs.file_count && !err; i++)
        err = give(app->logs.files[i], user, group);
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

static bool rotate_own(torc_app *app) {
    bool rotated = false;

    for (size_t i = 0; i < app->logs.file_count; i++) rotated |= rotate(app, app->logs.files[i]);
    return rotated;
}

bool torc_logs_rotate(torc_app *app) {
    const bool own = rotate_own(app), access = rotate(app, app->logs.access_file);
    return own || access;
}

/* In the only process: its own log, whose lines are written at once. */
static void look_at_rotation(torc_timer *timer) {
    torc_logs *self = torc_container_of(timer, torc_logs, rotation);

    rotate_own(self->app);
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
    for (size_t i = 0; i < app->logs.file_count; i++) reopen(app, app->logs.files[i]);
    reopen(app, app->logs.crash_file);
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
    if (app->logs.file_count && !app->worker && torc_logs_rotate_at_all(app))
        torc_timer_arm(&app->logs.rotation, ROTATION_LOOK_MS);
    return !app->logs.access_file || start_access_log(app);
}

void torc_logs_stop(torc_app *app) {
    torc_access_log_free(app->logs.access);
    torc_log_writer_free(app->logs.writer);
    app->logs.access = NULL;
    app->logs.writer = NULL;
}
