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

/** How HTTP is served on a listener. `size` first; zero means the default. */
typedef struct torc_http_options {
    size_t size;               /* sizeof(torc_http_options) */
    const torc_limits *limits; /* copied; NULL: the defaults */
    /* Leniencies, off by default (RFC 9112 says to refuse); one that is on is logged when listening
     * begins. */
    bool allow_bare_lf;          /* lines of a head may end in LF alone (RFC 9112 §2.2) */
    bool allow_folded_fields;    /* a field's value may go on in the next line (obs-fold, RFC 9112
                                    §5.2) */
    const torc_filters *filters; /* between the sockets and HTTP: TLS, limits …; held. NULL: none */
} torc_http_options;

TORC_BEGIN_DECLS

/**
 * Listen on an endpoint string and serve HTTP there. `options` may be NULL. The acceptor's
 * site stays until the last connection has gone, also when torc_site_free() was called. On failure
 * `error` (may be NULL) says what is wrong with the string, or what the system refused.
 */
TORC_API torc_err torc_listen_http(torc_reactor *reactor, const char *endpoint,
                                   torc_acceptor *acceptor, const torc_http_options *options,
                                   torc_endpoint_error *error,
                                   torc_listener **listener) TORC_MUST_CHECK;
/** The short form: listen, or return NULL after a line in the reactor's log. */
TORC_API torc_listener *torc_listen(torc_reactor *reactor, const char *endpoint,
                                    torc_acceptor *acceptor, const torc_http_options *options);

TORC_END_DECLS

#endif
