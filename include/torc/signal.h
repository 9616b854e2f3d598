/* SPDX-License-Identifier: MIT */
#ifndef TORC_SIGNAL_H
#define TORC_SIGNAL_H

#include <torc/err.h>

/**
 * Signals as events on the reactor's thread, by signalfd: no handler is installed.
 *
 * The signal is blocked in the mask of the calling thread while it is watched, and unblocked
 * afterwards if it was not blocked before. Threads that are made meanwhile inherit the mask; those
 * made before must have it blocked themselves, or the signal may go to them. One watch per signal
 * and process.
 */
typedef struct torc_signal torc_signal;
typedef void torc_signal_fn(void *context, int number);

TORC_BEGIN_DECLS

/** Call `received` for each arrival of signal `number`, SIGTERM for example. */
TORC_API torc_err torc_signal_new(torc_reactor *reactor, int number, torc_signal_fn *received,
                                  void *context, torc_signal **signal) TORC_MUST_CHECK;
/** Watch no more. NULL is fine. */
TORC_API void torc_signal_free(torc_signal *signal);

TORC_END_DECLS

#endif
