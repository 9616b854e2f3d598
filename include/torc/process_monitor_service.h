/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROCESS_MONITOR_SERVICE_H
#define TORC_PROCESS_MONITOR_SERVICE_H

#include <torc/process_monitor.h>
#include <torc/service.h>

/**
 * A monitor of processes as a service of a program's tree: its children run from the start of the
 * tree to its stop, which waits until they have ended. Each worker has children of its own; for
 * one of each, serve with one worker or none.
 *
 *     torc_process_monitor_service_new("helpers", NULL, &helpers);
 *     torc_process_monitor_service_add(helpers, "ticker", &ticker);
 *     torc_app_add_service(app, helpers);
 */

TORC_BEGIN_DECLS

/** Make such a service, without children. `options` (copied) may be NULL. TORC_ERR_NO_MEMORY. */
TORC_API torc_err torc_process_monitor_service_new(const char *name,
                                                   const torc_process_monitor_options *options,
                                                   torc_service **service) TORC_MUST_CHECK;
/**
 * Keep a process running from the next start on. `spawn` is copied; `child` and what `spawn` points
 * to must outlive the service. TORC_ERR_EXISTS: there is one of that name; TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_process_monitor_service_add(torc_service *service, const char *child,
                                                   const torc_spawn_options *spawn) TORC_MUST_CHECK;
/** The monitor, from the start until the stop is over; else NULL. */
TORC_API torc_process_monitor *torc_process_monitor_service_monitor(const torc_service *service);

TORC_END_DECLS

#endif
