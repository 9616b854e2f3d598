/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_TLS_H
#define TORC_APP_TLS_H

#include <torc/app.h>
#include <torc/filter.h>
#include <torc/tls.h>

#include "app/sockets.h"

/*
 * TLS of a program's listeners: a context for each endpoint that has it. The process that was
 * started makes them, before it gives up its rights; workers have them by fork, and read the files
 * themselves when they are told that these have changed.
 */
typedef struct torc_app_tls {
    torc_tls_context *contexts[TORC_SOCKETS_ENDPOINTS_MAX]; /* of each row; NULL: it has no TLS */
    torc_tls_ticket_keys *ticket_keys; /* of all processes; NULL: there are no tickets */
    torc_buf own_cert, own_key;        /* PEM, of --tls-self-signed */
    uint64_t read_state, seen_state;   /* of the files: when they were read, and looked at last */
    bool is_used;
} torc_app_tls;

/* A phase of the start and of the end. False: it was said why. */
bool torc_app_tls_open(torc_app *app);
void torc_app_tls_close(torc_app *app);
/*
 * Read all files anew: connections from now on have what is there. Endpoints whose files cannot be
 * used keep what they have, which is logged by who is no worker. Whether any was read.
 */
bool torc_app_tls_reload(torc_app *app);
/* Whether there are files that may change. */
bool torc_app_tls_is_watched(const torc_app *app);
/* To be asked every second: whether files have changed since they were read, and not since the last
 * time: who replaces two is not met in between. */
bool torc_app_tls_has_changed(torc_app *app);
/* Put the stage of a row on top, if it has TLS. */
torc_err torc_app_tls_add_filter(const torc_app *app, size_t row,
                                 torc_filters *filters) TORC_MUST_CHECK;

#endif
