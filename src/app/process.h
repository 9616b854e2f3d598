/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_PROCESS_H
#define TORC_APP_PROCESS_H

#include <torc/app.h>
#include <torc/endpoint.h>
#include <torc/timer.h>

#include "app/daemon.h"
#include "app/notify.h"
#include "app/pidfile.h"

/*
 * What is between a program that runs and the system: the background, the pidfile, its rights, and
 * the service manager. It belongs to the process that was started (with --daemonize: to the one in
 * the background); workers let go of it.
 */
typedef struct torc_app_process {
    torc_inherited inherited; /* sockets that the service manager passed */
    torc_notify notify;
    torc_daemon daemon;
    torc_pidfile pidfile;
    bool has_begun, is_daemon, is_ready;
    uint64_t alive_at_ms; /* when the service manager is told next that it lives */
    torc_timer alive;     /* does so, where there is a reactor */
} torc_app_process;

/* ---- phases of the start: false: it was said why ---- */

/*
 * Take what the environment says, and go into the background if that is wanted. False also in the
 * process that was started, when another one serves now: it ends with `*exit_code`.
 */
bool torc_app_process_begin(torc_app *app, int *exit_code);
bool torc_app_process_write_pidfile(torc_app *app);
bool torc_app_process_drop_rights(torc_app *app);
/* Filter the calls of this process, and of those that it forks, as far as a parent's go. */
bool torc_app_process_confine(torc_app *app);
/* In a process that is set up to serve, worker or not: filter them as far as serving goes, and let
 * go of the terminal. */
bool torc_app_process_confine_server(torc_app *app);

/* ---- while it runs ---- */

/* In a worker that was forked: it answers for nobody. */
void torc_app_process_forked(torc_app *app);
/* It serves, after the start and after each reload: tell the service manager, and whoever waits
 * for a daemon. */
void torc_app_process_ready(torc_app *app);
void torc_app_process_reloading(torc_app *app);
void torc_app_process_stopping(torc_app *app);
/* In a loop of one's own: tell that it lives, when that is due; and when it is, UINT64_MAX: never.
 */
void torc_app_process_tick(torc_app *app, uint64_t now_ms);
uint64_t torc_app_process_due_ms(const torc_app *app);
/* The same by a timer of the app's reactor. */
void torc_app_process_tick_on(torc_app *app);
void torc_app_process_tick_off(torc_app *app);

/* ---- phases of the end ---- */

void torc_app_process_remove_pidfile(torc_app *app);
void torc_app_process_end(torc_app *app);

#endif
