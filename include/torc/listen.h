/* SPDX-License-Identifier: MIT */
#ifndef TORC_LISTEN_H
#define TORC_LISTEN_H

#include <torc/endpoint.h>
#include <torc/limits.h>
#include <torc/site.h>

/**
 * Serving HTTP: a listener that hands its requests to an acceptor, which a site is. The listener is
 * closed by torc_listener_close(); requests in progress go on.
 */

TORC_BEGIN_DECLS

/**
 * Listen on an endpoint string and serve HTTP there. `limits` may be NULL (the defaults). The acceptor's
 * site must outlive the listener. On failure `error` (may be NULL) says what is wrong with the string, or
 * what the system refused.
 */
TORC_API torc_err torc_listen_http(torc_reactor *reactor, const char *endpoint, torc_acceptor *acceptor,
                                   const torc_limits *limits, torc_endpoint_error *error,
                                   torc_listener **listener) TORC_MUST_CHECK;
/** The short form: listen, or return NULL after a line in the reactor's log. */
TORC_API torc_listener *torc_listen(torc_reactor *reactor, const char *endpoint,
                                    torc_acceptor *acceptor, const torc_limits *limits);

TORC_END_DECLS

#endif
