/* SPDX-License-Identifier: MIT */
#ifndef TORC_CONNECT_H
#define TORC_CONNECT_H

#include <torc/deferred.h>
#include <torc/endpoint.h>
#include <torc/proxy_header.h>
#include <torc/tls.h>

/**
 * Connecting: a client's endpoints.
 *
 * `tcp:example.org:80`, `tcp:192.0.2.1:80:timeout=5:bindAddress=192.0.2.7`, `unix:/run/x.sock`,
 * `tls:example.org:443`, `haproxy:tcp:10.0.0.1:80`; and short: `example.org:80`, `[::1]:80`. How
 * strings are cut and escaped, endpoint.h says. The parameters are, with those that need no name
 * first:
 *
 *  - tcp: host, port, timeout (seconds, 30, for all of it), bindAddress; attemptDelay. A host that
 *    is a name is resolved, and its addresses tried one after the other and side by side
 *    (RFC 8305), each a moment (attemptDelay, 0.25 s) after the one before.
 *  - unix: path (`@name` is an abstract one), lockfile (ignored), timeout.
 *  - tls: host, port, timeout, bindAddress, certificate, privateKey, trustRoots, endpoint;
 *    hostname, alpn, minTLS, profile, pin, verify, attemptDelay. The peer's certificate is
 *    verified, and must be for the host. With `endpoint` the connection is made to that client
 *    string instead (`tls:example.org:endpoint=unix\:/run/x.sock`), and `host` is who must be
 *    there.
 *  - ssl: the same with the order of Twisted's: host, port, certKey, privateKey, sslmethod,
 *    hostname, caCertsDir, timeout, bindAddress. It verifies, too.
 *  - haproxy: the rest is the client string of a server that expects a PROXY header, which is sent
 *    first. Or `haproxy:endpoint=…:version=1`.
 */

enum {
    TORC_CONNECT_TIMEOUT_MS = 30000,
    TORC_CONNECT_ATTEMPT_DELAY_MS = 250 /* RFC 8305 §5 */
};

/** A parsed client endpoint; a value that is copied freely. */
struct torc_client_endpoint {
    torc_addr addr;          /* numeric, or a UNIX path; none: a name is to be resolved */
    torc_addr local;         /* to connect from, with the port 0; none: as the kernel chooses */
    torc_endpoint_text host; /* as it was written; 0 of a UNIX path */
    uint16_t port;
    bool has_proxy, has_tls;   /* a PROXY header is sent first; then comes TLS */
    uint64_t timeout_ms;       /* of all */
    uint64_t attempt_delay_ms; /* between attempts */
    torc_endpoint_proxy proxy;
    torc_endpoint_tls tls;
    torc_endpoint_texts texts;
};
typedef struct torc_client_endpoint torc_client_endpoint;

/**
 * How it is connected. `size` first; zero means the default. All that is pointed to is lent for the
 * call alone, but for `error`.
 */
typedef struct torc_connect_options {
    size_t size;                            /* sizeof(torc_connect_options) */
    uint64_t timeout_ms;                    /* of all; 0: as the string says */
    const torc_filters *filters;            /* on top of those that the string asks for; held */
    const torc_proxy_header *proxy_header;  /* what haproxy: sends; NULL: LOCAL */
    const torc_endpoint_prefixes *prefixes; /* that are added to Torc's own */
    /* What tls: uses in place of what the string says of it, but for the host: one that is made
     * once (torc_client_endpoint_tls()) spares reading the trusted certificates each time, and
     * resumes sessions. NULL: one is made of the string. */
    torc_tls_config *tls;
    /* Which part of the string is wrong, or which address failed why: written before the deferred
     * fires, as long as it is wanted. May be NULL. */
    torc_endpoint_error *error;
} torc_connect_options;

/**
 * A connection that was made, until it is taken by torc_connection_take(), which gives the
 * protocol: that may have lost its connection in the time between.
 */
typedef struct torc_connection torc_connection;

/** Told by torc_connect_addr() if nothing comes of it. */
typedef void torc_connect_failed_fn(torc_factory *factory, void *context, torc_err err);

TORC_BEGIN_DECLS

/** Read an endpoint string; on failure TORC_ERR_SYNTAX, and `error` (may be NULL) says why. */
TORC_API torc_err torc_client_endpoint_parse(torc_str string, torc_client_endpoint *endpoint,
                                             torc_endpoint_error *error) TORC_MUST_CHECK;
/** The same, with more prefixes than Torc's own (endpoint_prefix.h). */
TORC_API torc_err torc_client_endpoint_parse_with(const torc_endpoint_prefixes *prefixes,
                                                  torc_str string, torc_client_endpoint *endpoint,
                                                  torc_endpoint_error *error) TORC_MUST_CHECK;

/**
 * Connect, and let the factory build a protocol: fires with a torc_connection when that is there,
 * which is after a handshake of TLS. `options` may be NULL. Cancelled, it lets go of all attempts,
 * and then fails. Fails with TORC_ERR_SYNTAX for the string, with those of torc_resolve() for the
 * name, with the last attempt's error, TORC_ERR_TIMEOUT, or the filters' (certificates).
 */
TORC_API torc_deferred *torc_connect(torc_reactor *reactor, const char *endpoint,
                                     torc_factory *factory, const torc_connect_options *options);
/** The same of an endpoint that was read already. */
TORC_API torc_deferred *torc_connect_endpoint(torc_reactor *reactor,
                                              const torc_client_endpoint *endpoint,
                                              torc_factory *factory,
                                              const torc_connect_options *options);
/** On a fiber: connect, and wait for it. */
TORC_API torc_err torc_connect_await(torc_reactor *reactor, const char *endpoint,
                                     torc_factory *factory, const torc_connect_options *options,
                                     torc_protocol **protocol) TORC_MUST_CHECK;
/** Frees `connection`, and gives its protocol; TORC_ERR_LOST: its connection was lost already. */
TORC_API torc_err torc_connection_take(torc_connection *connection,
                                       torc_protocol **protocol) TORC_MUST_CHECK;
/** Nobody wants it: abort it. Takes a torc_connection *, and so disposes of a deferred's value. */
TORC_API void torc_connection_drop(void *connection);

/** Connect to a numeric address or a UNIX path; `failed` is called if nothing comes of it. */
TORC_API torc_err torc_connect_addr(torc_reactor *reactor, const torc_addr *addr,
                                    uint64_t timeout_ms, torc_factory *factory,
                                    torc_connect_failed_fn *failed, void *context) TORC_MUST_CHECK;
/**
 * Make a connection of a connected stream socket that came from elsewhere (inherited, or passed by
 * another process), and let the factory build a protocol, later. Takes `fd` on success; `filters`
 * may be NULL.
 */
TORC_API torc_err torc_adopt_connection(torc_reactor *reactor, int fd, torc_factory *factory,
                                        const torc_filters *filters) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
