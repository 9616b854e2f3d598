/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_BLOCKING_CALL_H
#define TORC_REACTOR_BLOCKING_CALL_H

#include <torc/blocking_call.h>

/* Of the reactor's beginning. */
void torc_blocking_calls_init(torc_reactor *reactor);
/* Of its end: those that wait are told TORC_ERR_STOPPING, and no more come. */
void torc_blocking_calls_stop(torc_reactor *reactor);
/* No thread is left that could call. */
void torc_blocking_calls_dispose(torc_reactor *reactor);

#endif
