/* SPDX-License-Identifier: MIT */
/*
 * The process and the system: in which order they meet.
 *
 *  - The background comes first, for the number of the process changes; then what needs rights is
 *    opened; then these are dropped; then the calls are filtered, for the rest needs no others.
 *  - All of this is done before there are workers, so that each of them has no more rights, and
 *    one that replaces another has no fewer, than the first.
 *  - Whoever waits is told of readiness once all of it is done and the sites are served.
 *  - The numbers of the standard streams are theirs, whatever was closed by who started it.
 */
#include "app/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/app.h"
#include "app/seccomp.h"

enum {
    DAEMON_UMASK = 027
};

static void set_umask(const torc_app_process_settings *settings) {
    if (settings->has_umask)
        umask(settings->umask);
    else if (settings->daemonize)
        umask(DAEMON_UMASK);
}

/* A standard stream that was given closed would be the next thing that is opened, and the log be
 * written to that: a pidfile, a connection. Each open() takes the lowest number that is free. */
static void open_standard_streams(void) {
    int fd;

    do fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) close(fd);
}

static bool go_to_background(torc_app *app, int *exit_code) {
    torc_app_process *process = &app->process;

    if (!app->settings.process.daemonize) return true;
    const torc_daemon_outcome outcome = torc_daemon_begin(&process->daemon, exit_code);
    if (outcome == TORC_DAEMON_FAILED)
        return torc_app_fail(app, "--daemonize", "no process can be started");
    process->is_daemon = outcome == TORC_DAEMON_SERVES;
    return process->is_daemon;
}

bool torc_app_process_begin(torc_app *app, int *exit_code) {
    torc_app_process *process = &app->process;

    process->has_begun = true;
    open_standard_streams();
    torc_daemon_init(&process->daemon);
    torc_inherited_take(&process->inherited);
    (void)torc_notify_open(&process->notify); /* who cannot be reached cannot be told */
    set_umask(&app->settings.process);
    return go_to_background(app, exit_code);
}

bool torc_app_process_write_pidfile(torc_app *app) {
    const char *path = app->settings.process.pidfile;
    char text[160], what[300];

    if (!path) return true;
    const char *wrong = torc_pidfile_open(&app->process.pidfile, path, text);
    snprintf(what, sizeof(what), "--pidfile %s", path);
    return !wrong || torc_app_fail(app, what, wrong);
}

void torc_app_process_remove_pidfile(torc_app *app) {
    torc_pidfile_close(&app->process.pidfile);
}

bool torc_app_process_drop_rights(torc_app *app) {
    const torc_rights *rights = &app->settings.process.rights;
    char text[160];

    if (rights->user && !torc_logs_set_owner(app, rights->uid, rights->gid)) return false;
    const char *wrong = torc_rights_drop(rights, text);
    return !wrong || torc_app_fail(app, wrong, NULL);
}

static bool confine(torc_app *app, torc_seccomp_role role) {
    char text[160];

    if (!app->settings.process.seccomp) return true;
    const char *wrong = torc_seccomp_install(role, text);
    return !wrong || torc_app_fail(app, "--seccomp", wrong);
}

bool torc_app_process_confine(torc_app *app) {
    return confine(app, TORC_SECCOMP_PARENT);
}

bool torc_app_process_confine_server(torc_app *app) {
    if (!confine(app, TORC_SECCOMP_SERVES)) return false;
    if (app->worker) torc_daemon_detach(&app->process.daemon);
    return true;
}

/* ---- while it runs ---- */

void torc_app_process_forked(torc_app *app) {
    torc_app_process *process = &app->process;

    torc_daemon_forked(&process->daemon);
    torc_notify_close(&process->notify);
    if (process->pidfile.path) close(process->pidfile.fd);
    process->pidfile = (torc_pidfile){.fd = -1};
}

static void first_ready(torc_app *app) {
    app->process.is_ready = true;
    if (geteuid() == 0)
        TORC_LOG_WARN(app->log, "app", "serving as root; --user NAME drops its rights");
    torc_daemon_ready(&app->process.daemon);
}

void torc_app_process_ready(torc_app *app) {
    torc_app_process *process = &app->process;
    char text[64];

    if (!process->is_ready) first_ready(app);
    if (app->settings.workers > 0)
        snprintf(text, sizeof(text), "serving by %d workers", app->settings.workers);
    else
        snprintf(text, sizeof(text), "serving");
    torc_notify_status(&process->notify, text);
    torc_notify_ready(&process->notify, process->is_daemon ? getpid() : 0);
}

void torc_app_process_reloading(torc_app *app) {
    torc_notify_reloading(&app->process.notify);
}

void torc_app_process_stopping(torc_app *app) {
    torc_notify_stopping(&app->process.notify);
    torc_notify_status(&app->process.notify, "finishing what is in progress");
}

void torc_app_process_tick(torc_app *app, uint64_t now_ms) {
    torc_app_process *process = &app->process;

    if (process->notify.watchdog_ms == 0 || now_ms < process->alive_at_ms) return;
    torc_notify_alive(&process->notify);
    process->alive_at_ms = now_ms + process->notify.watchdog_ms;
}

uint64_t torc_app_process_due_ms(const torc_app *app) {
    return app->process.notify.watchdog_ms ? app->process.alive_at_ms : UINT64_MAX;
}

static void alive(torc_timer *timer) {
    torc_app *app = torc_container_of(timer, torc_app, process.alive);

    torc_notify_alive(&app->process.notify);
    torc_timer_arm(timer, app->process.notify.watchdog_ms);
}

void torc_app_process_tick_on(torc_app *app) {
    torc_timer_init(&app->process.alive, app->reactor, alive);
    if (app->process.notify.watchdog_ms) torc_timer_arm(&app->process.alive, 0);
}

void torc_app_process_tick_off(torc_app *app) {
    torc_timer_cancel(&app->process.alive);
}

void torc_app_process_end(torc_app *app) {
    if (app->process.has_begun) torc_notify_close(&app->process.notify);
}
