/* SPDX-License-Identifier: MIT */
#ifndef TORC_ENDPOINT_H
#define TORC_ENDPOINT_H

#include <torc/addr.h>
#include <torc/protocol.h>

/**
 * Endpoints: where to listen or connect, written as a string.
 *
 * A server's: `tcp:8080`, `tcp:8080:interface=127.0.0.1:backlog=511`, `tcp6:8080`,
 * `unix:/run/x.sock:mode=660`, `fd:3`; and short: `8080`, `:8080`, `127.0.0.1:8080`, `[::1]:8080`,
 * `localhost:8080`. `\` escapes the byte behind it, so that `:`, `=` and `\` may be in a value.
 * Arguments go by their place or by their name, as Twisted's do: `tcp:8080:127.0.0.1:511` is the
 * second of those above. The parameters are, of tcp: port, interface, backlog; of tcp6: these and
 * v6only; of unix: address (`@name` is an abstract one), mode, backlog, lockfile (ignored: a socket
 * file that nobody listens on any more is in nobody's way). `tcp:` listens on all IPv4 addresses,
 * `tcp6:` on all IPv6 ones and, with `v6only=0`, on IPv4 too; the short forms without a host listen
 * on both.
 */

/** Why an endpoint string cannot be used: what was wrong, where, and what to do. */
typedef struct torc_endpoint_error {
    size_t place;   /* byte in the string where the trouble begins */
    char text[160]; /* a sentence for people, NUL-ended */
} torc_endpoint_error;

/** A parsed server endpoint; a value. */
typedef struct torc_endpoint {
    torc_addr addr; /* to bind; none for a descriptor */
    int fd;         /* inherited and listening; -1: none */
    int backlog;
    uint32_t unix_mode; /* permissions of the socket file */
    bool v6only;
    bool reuse_port;
} torc_endpoint;

/** How a listener treats its connections. `size` first; zero means the default. */
typedef struct torc_listen_options {
    size_t size;              /* sizeof(torc_listen_options) */
    uint32_t connections_max; /* 0: no limit of its own; beyond it a new one is refused */
    uint32_t connections_per_address_max; /* 0: no limit; IPv6 by /64 */
    size_t output_max; /* bytes unsent on a connection before it is aborted; 64 MiB */
} torc_listen_options;

TORC_BEGIN_DECLS

/** Read an endpoint string; on failure TORC_ERR_SYNTAX, and `error` (may be NULL) says why. */
TORC_API torc_err torc_endpoint_parse(torc_str string, torc_endpoint *endpoint,
                                      torc_endpoint_error *error) TORC_MUST_CHECK;
/**
 * Bind and listen, and make a protocol by `factory` for each connection. The factory must outlive
 * the listener. `options` may be NULL. TORC_ERR_ADDRESS_IN_USE, TORC_ERR_PERMISSION and so on
 * by the kernel.
 */
TORC_API torc_err torc_endpoint_listen(torc_reactor *reactor, const torc_endpoint *endpoint,
                                       torc_factory *factory, const torc_listen_options *options,
                                       torc_listener **listener) TORC_MUST_CHECK;
/** Connect to a numeric address or a UNIX path; `failed` is called if nothing comes of it. */
typedef void torc_connect_failed_fn(torc_factory *factory, void *context, torc_err err);
TORC_API torc_err torc_connect_addr(torc_reactor *reactor, const torc_addr *addr,
                                    uint64_t timeout_ms, torc_factory *factory,
                                    torc_connect_failed_fn *failed, void *context) TORC_MUST_CHECK;
/** The address that a listener is bound to (with the port that the kernel chose for port 0). */
TORC_API torc_addr torc_listener_addr(const torc_listener *listener);
TORC_API uint32_t torc_listener_connections(const torc_listener *listener);
/** Stop and start accepting; the socket stays open and its queue fills meanwhile. */
TORC_API void torc_listener_pause(torc_listener *listener);
TORC_API void torc_listener_resume(torc_listener *listener);
/**
 * Stop listening for good; connections go on. A UNIX socket's file is removed. The listener can
 * still be asked, until torc_listener_close().
 */
TORC_API void torc_listener_stop(torc_listener *listener);
/** Let go of the listener, which is stopped if it was not; connections go on. NULL is fine. */
TORC_API void torc_listener_close(torc_listener *listener);

TORC_END_DECLS

#endif
