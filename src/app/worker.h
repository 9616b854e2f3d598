/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_WORKER_H
#define TORC_APP_WORKER_H

#include "app/control.h"
#include "app/serve.h"
#include "app/shared.h"
#include "reactor/poller.h"

/*
 * A worker as it sees itself: a process that serves for a slot, and does what its parent says. A
 * worker whose parent has died drains.
 */
typedef struct torc_worker {
    torc_app *app;
    size_t slot;
    int control; /* its end */
    torc_shared_place *place;
    torc_serving *serving; /* while attached */
    torc_io orders;
    torc_timer beat;
    bool is_deaf;    /* the kernel has refused to watch */
    bool has_failed; /* it was told why */
} torc_worker;

/* Serve, in the process that was forked for it, and end that: never returns. */
_Noreturn void torc_worker_run(torc_app *app, size_t slot, int control, torc_shared_place *place);
/* It is set up: tell the parent, and listen to it. False: it was said why. */
bool torc_worker_attach(torc_worker *worker, torc_serving *serving);
/* It ends: say nothing more. */
void torc_worker_detach(torc_worker *worker);
/* Tell the parent why this worker cannot go on. */
void torc_worker_fail(torc_worker *worker, const char *text);

#endif
