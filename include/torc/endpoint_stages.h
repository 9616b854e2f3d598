/* SPDX-License-Identifier: MIT */
#ifndef TORC_ENDPOINT_STAGES_H
#define TORC_ENDPOINT_STAGES_H

#include <torc/connect.h>
#include <torc/tls.h>

/**
 * The stages of endpoints: what ssl:, tls: and haproxy: become.
 *
 * Listening and connecting by a string does this itself. A program that reads certificates before
 * it gives up its rights, shares ticket keys among workers, or reloads certificates, makes the
 * parts here: a configuration, which needs no reactor, and then the filters of each reactor.
 */

TORC_BEGIN_DECLS

/**
 * Make the configuration of a server's `ssl:` or `tls:`; the files are read now. What the string
 * says goes before what `defaults` (may be NULL) say; without a key in the string their
 * certificates are used. TORC_ERR_INVALID: there are none either; or as torc_tls_server_new().
 */
TORC_API torc_err torc_endpoint_tls_server(const torc_endpoint *endpoint,
                                           const torc_tls_server_options *defaults,
                                           torc_tls_error *error,
                                           torc_tls_config **config) TORC_MUST_CHECK;
/**
 * Add the filters that an endpoint asks for to those of a listener: the PROXY header's first, then
 * TLS, with the configuration in `tls` (NULL is fine for an endpoint without TLS).
 */
TORC_API torc_err torc_endpoint_add_stages(const torc_endpoint *endpoint, torc_reactor *reactor,
                                           torc_tls_context *tls,
                                           torc_filters *filters) TORC_MUST_CHECK;
/**
 * Make the configuration of a client's `tls:` or `ssl:`; the files are read now, and the system's
 * trusted certificates unless others are named. As torc_endpoint_tls_server().
 */
TORC_API torc_err torc_client_endpoint_tls(const torc_client_endpoint *endpoint,
                                           const torc_tls_client_options *defaults,
                                           torc_tls_error *error,
                                           torc_tls_config **config) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
