/* SPDX-License-Identifier: MIT */
#ifndef TORC_CONNECTION_SERVICE_H
#define TORC_CONNECTION_SERVICE_H

#include <torc/client_service.h>
#include <torc/service.h>

/**
 * Connections that are kept up, as services of a program's tree: each worker has one of its own,
 * from the start of the tree on.
 *
 * The start does not wait for the connection, since the peer may come later than this program; the
 * stop waits until it is closed. It may be started again.
 */

TORC_BEGIN_DECLS

/**
 * Make such a service of a client's endpoint string, which is read now; files that it names for TLS
 * are read at the start. The string, the factory and what `options` (copied, may be NULL) refers to
 * must outlive it. TORC_ERR_SYNTAX: `error` (may be NULL) says what is wrong with the string;
 * TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_connection_service_new(const char *name, const char *endpoint,
                                              torc_factory *factory,
                                              const torc_client_service_options *options,
                                              torc_endpoint_error *error,
                                              torc_service **service) TORC_MUST_CHECK;
/** What keeps the connection up, from its start until its stop is over; else NULL. */
TORC_API torc_client_service *torc_connection_service_client(const torc_service *service);

TORC_END_DECLS

#endif
