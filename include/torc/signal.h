/* SPDX-License-Identifier: MIT */
#ifndef TORC_SIGNAL_H
#define TORC_SIGNAL_H

#include <torc/deferred.h>

/**
 * Signals as events on the reactor's thread, by signalfd: no handler is installed.
 *
 * There may be several watches of one signal: each is told of every arrival. What arrives again
 * before it was told is told once, as the kernel does.
 *
 * The signal is blocked in the mask of the calling thread while it is watched, and unblocked
 * afterwards if it was not blocked before. Threads that are made meanwhile inherit the mask; those
 * made before must have it blocked themselves, or the signal may go to them and take its default
 * action (the threads of the reactor's pools take none). So a program makes its watches first. One
 * reactor of a process watches a signal: of two, either would be told.
 *
 * Children get their signals as any program has them: see torc/spawn.h. Their ends are not told by
 * SIGCHLD but by torc_process, so SIGCHLD is free to be watched; but whoever then waits for all
 * children takes the statuses of those, too.
 *
 * torc_app_run() watches those that end and reload a program; watches of the program's own come on
 * top.
 */
typedef struct torc_signal torc_signal;
typedef void torc_signal_fn(void *context, int number);

TORC_BEGIN_DECLS

/**
 * Call `received` for each arrival of signal `number`, SIGTERM for example; NULL: arrivals are
 * waited for. TORC_ERR_INVALID for what is no signal, what cannot be blocked (SIGKILL, SIGSTOP),
 * and what the program's own instructions cause (SIGSEGV, SIGBUS, SIGFPE, SIGILL).
 */
TORC_API torc_err torc_signal_new(torc_reactor *reactor, int number, torc_signal_fn *received,
                                  void *context, torc_signal **signal) TORC_MUST_CHECK;
/** Watch no more. Who waits gets TORC_ERR_CANCELLED. NULL is fine. */
TORC_API void torc_signal_free(torc_signal *signal);
/**
 * Fires, with NULL, at the next arrival: at once, if there was one since the watch was made or
 * somebody waited last, so that none is lost between two waits. TORC_ERR_BUSY while another waits.
 */
TORC_API torc_deferred *torc_signal_next(torc_signal *signal);
/** The same on a fiber. */
TORC_API torc_err torc_signal_await(torc_signal *signal) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
