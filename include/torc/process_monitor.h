/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROCESS_MONITOR_H
#define TORC_PROCESS_MONITOR_H

#include <torc/process.h>

/**
 * A monitor of processes: keeps children running, as a supervisor does.
 *
 * A child that ends is started again: at once when it ran for at least the threshold, and after a
 * delay when it did not, which doubles each time, up to a maximum, and is the least again once one
 * has run long enough. One that cannot be started is treated as one that ended at once. What the
 * children write to 1 and 2 is logged, a line an event ("process", at INFO), unless their options
 * name descriptors.
 *
 * Its start and stop are those of a service: they return deferreds. It is freed before its reactor.
 */
typedef struct torc_process_monitor torc_process_monitor;

/** `size` first; zero: the default. How long one has from SIGTERM to SIGKILL its spawn options say.
 */
typedef struct torc_process_monitor_options {
    size_t size;           /* sizeof(torc_process_monitor_options) */
    uint64_t threshold_ms; /* 1000 */
    uint64_t delay_min_ms; /* 1000 */
    uint64_t delay_max_ms; /* 3600000 */
} torc_process_monitor_options;

TORC_BEGIN_DECLS

/** Make one that watches nothing and is not started. `options` may be NULL. */
TORC_API torc_err torc_process_monitor_new(torc_reactor *reactor,
                                           const torc_process_monitor_options *options,
                                           torc_process_monitor **monitor) TORC_MUST_CHECK;
/** Let go of its children, which are told to end, and free it; a stop that waits fails with
 * TORC_ERR_CANCELLED. NULL is fine. */
TORC_API void torc_process_monitor_free(torc_process_monitor *monitor);
/**
 * Keep a process running, from the start on, or from now on if it is started. All that `spawn`
 * points to is copied. TORC_ERR_EXISTS when there is one of that name, TORC_ERR_LIMIT when what is
 * to be copied is more than 512 KiB.
 */
TORC_API torc_err torc_process_monitor_add(torc_process_monitor *monitor, const char *name,
                                           const torc_spawn_options *spawn) TORC_MUST_CHECK;
/** Keep it no more: it is told to end, and waited for. TORC_ERR_NOT_FOUND: there is none. */
TORC_API torc_err torc_process_monitor_remove(torc_process_monitor *monitor,
                                              const char *name) TORC_MUST_CHECK;
/** Let it end, and be started again when it has; NULL: all of them. */
TORC_API void torc_process_monitor_restart(torc_process_monitor *monitor, const char *name);
/** The number of the process of that name; 0: it does not run now. */
TORC_API int torc_process_monitor_pid(const torc_process_monitor *monitor, const char *name);
/** How many times children were started again. */
TORC_API uint64_t torc_process_monitor_restarts(const torc_process_monitor *monitor);
/** Start them all. Fires at once, with NULL; TORC_ERR_STATE when it is started, or is being
 * stopped. */
TORC_API torc_deferred *torc_process_monitor_start(torc_process_monitor *monitor);
/** Let all end, and start none again; fires, with NULL, when they have. TORC_ERR_STATE when it is
 * not started. */
TORC_API torc_deferred *torc_process_monitor_stop(torc_process_monitor *monitor);

TORC_END_DECLS

#endif
