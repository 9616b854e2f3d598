/* SPDX-License-Identifier: MIT */
#ifndef TORC_CONNECT_H
#define TORC_CONNECT_H

#include <torc/endpoint.h>

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
 * hostname, alpn, minTLS, profile, pin, verify, attemptDelay. The peer's certificate is verified,
 * and must be for the host. With `endpoint` the connection is made to that client string instead
 *    (`tls:example.org:endpoint=unix\:/run/x.sock`), and `host` is who must be there.
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

TORC_BEGIN_DECLS

/** Read an endpoint string; on failure TORC_ERR_SYNTAX, and `error` (may be NULL) says why. */
TORC_API torc_err torc_client_endpoint_parse(torc_str string, torc_client_endpoint *endpoint,
                                             torc_endpoint_error *error) TORC_MUST_CHECK;
/** The same, with more prefixes than Torc's own (endpoint_prefix.h). */
TORC_API torc_err torc_client_endpoint_parse_with(const torc_endpoint_prefixes *prefixes,
                                                  torc_str string, torc_client_endpoint *endpoint,
                                                  torc_endpoint_error *error) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
