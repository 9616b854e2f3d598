/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_DAEMON_H
#define TORC_APP_DAEMON_H

#include <torc/types.h>

/*
 * Serving in the background: the process that was started answers only when the one in the
 * background serves, or could not.
 *
 * What goes wrong until then is said on the standard error of who started it; from then on the
 * standard streams lead nowhere.
 */
typedef struct torc_daemon {
    int status_fd; /* to the process that waits; -1: nobody waits */
    int null_fd;   /* /dev/null; -1: this is no daemon */
} torc_daemon;

typedef enum torc_daemon_outcome {
    TORC_DAEMON_FAILED,  /* nothing was begun */
    TORC_DAEMON_STARTED, /* in the process that was started: the end, with `*exit_code` */
    TORC_DAEMON_SERVES   /* in the one in the background: go on */
} torc_daemon_outcome;

/* A process that is no daemon: the calls below do nothing. */
void torc_daemon_init(torc_daemon *daemon);
/*
 * Go on in the background: in a session of its own, with no terminal, never to have one. The folder
 * stays as it is, so that relative paths keep their meaning. Before threads are started.
 */
torc_daemon_outcome torc_daemon_begin(torc_daemon *daemon, int *exit_code);
/* It serves: let go of the standard streams, and let the process that waits answer 0. */
void torc_daemon_ready(torc_daemon *daemon);
/* In a child that was forked meanwhile: it answers for nobody. */
void torc_daemon_forked(torc_daemon *daemon);
/* Let the standard streams lead nowhere; a child does so once it serves. */
void torc_daemon_detach(torc_daemon *daemon);

#endif
