/* SPDX-License-Identifier: MIT */
#ifndef TORC_LISTENER_SERVICE_H
#define TORC_LISTENER_SERVICE_H

#include <torc/endpoint.h>
#include <torc/service.h>

/**
 * Listeners as services, for protocols of one's own beside the site of a program.
 *
 * The socket is opened by the service's `privileged_start`, so a port below 1024 needs no rights
 * later; all workers accept from it. Without that it is opened at the start. Stopping it closes it;
 * connections go on. It may be started again.
 */

TORC_BEGIN_DECLS

/**
 * Make such a service. The endpoint string, the factory and what `options` (copied, may be NULL)
 * refers to must outlive it. TORC_ERR_SYNTAX: `error` (may be NULL) says what is wrong with the
 * string; TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_listener_service_new(const char *name, const char *endpoint,
                                            torc_factory *factory,
                                            const torc_listen_options *options,
                                            torc_endpoint_error *error,
                                            torc_service **service) TORC_MUST_CHECK;
/** Its listener, while it is started; else NULL. */
TORC_API torc_listener *torc_listener_service_listener(const torc_service *service);

TORC_END_DECLS

#endif
