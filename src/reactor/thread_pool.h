/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_THREAD_POOL_H
#define TORC_REACTOR_THREAD_POOL_H

#include <torc/thread.h>

/*
 * End the threads of a reactor that is about to be freed, waiting for what they have begun; the
 * jobs that were not begun are told TORC_ERR_STOPPING. Their `done` is called in the reactor's last
 * turns.
 */
void torc_threads_stop(torc_reactor *reactor);
/* Free the pool, whose threads have ended. */
void torc_threads_free(torc_reactor *reactor);

#endif
