/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_THREAD_POOL_H
#define TORC_REACTOR_THREAD_POOL_H

#include <torc/thread.h>

/* Fill in what was left 0. */
void torc_threads_default(torc_thread_limits limits[TORC_THREAD_CLASSES]);
/*
 * End the threads of a reactor that is about to be freed, waiting for what they have begun, but for
 * what may be left behind; the jobs that were not begun are told TORC_ERR_STOPPING, and so are
 * those that are left. Their `done` is called in the reactor's last turns. No job is taken any
 * more.
 */
void torc_threads_stop(torc_reactor *reactor);
/* Free the pools, whose threads have ended or are left behind. */
void torc_threads_free(torc_reactor *reactor);

#endif
