/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_LOGS_H
#define TORC_APP_LOGS_H

#include <signal.h>
#include <sys/types.h>
#include <torc/access_log.h>
#include <torc/log_ring.h>
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
    torc_log_file *files[TORC_LOG_TARGETS_MAX]; /* of the program's log */
    size_t file_count;
    torc_log_file *crash_file;  /* NULL: reports go to the standard error */
    torc_log_ring *ring;        /* NULL: nothing is kept */
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
/* The signals by which that is asked for, as systemd itself takes them; no constants in C. */
#define TORC_SIGNAL_VERBOSE (SIGRTMIN + 22)
#define TORC_SIGNAL_USUAL (SIGRTMIN + 23)
/* Log everything, down to what is for debugging, or again what the settings say. */
void torc_logs_set_verbose(torc_app *app, bool is_verbose);
/* Whether anything is ever rotated. */
bool torc_logs_rotate_at_all(const torc_app *app);

#endif
