/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_LOGS_H
#define TORC_APP_LOGS_H

#include <sys/types.h>
#include <torc/access_log.h>
#include <torc/timer.h>

#include "app/log_options.h"

/*
 * The logs of a program: its own, and that of its requests.
 *
 * Both files are opened by the process that was started, before rights are dropped and before it
 * forks; a process that serves writes to them, and one process alone rotates them: the one that has
 * workers, or the only one. Zeroed: none is open.
 */
typedef struct torc_logs {
    torc_app *app;
    torc_log_file *file;        /* of the program's log; NULL: it is the standard error */
    torc_log_file *access_file; /* NULL: there is no access log */
    torc_log_writer *writer;    /* while this process serves */
    torc_access_log *access;
    torc_timer rotation; /* of the program's log, in the only process */
} torc_logs;

/* Open what the settings name, and make app->log. False: it was said why. */
bool torc_logs_open(torc_app *app);
/* Free app->log, and close the files. */
void torc_logs_close(torc_app *app);
/* Whose the files are to be, for who will drop rights. False: it was said why. */
bool torc_logs_set_owner(torc_app *app, uid_t user, gid_t group);
/* In a process that serves, with its reactor and site: log their requests. False: it was said why.
 */
bool torc_logs_start(torc_app *app);
/* The reactor and the site are freed: all lines are written when this returns. */
void torc_logs_stop(torc_app *app);
/* In the process that has workers, now and then: whether a file was rotated, so that the workers
 * are to open theirs anew. */
bool torc_logs_rotate(torc_app *app);
/* Whether anything is ever rotated. */
bool torc_logs_rotate_at_all(const torc_app *app);

#endif
