/* SPDX-License-Identifier: MIT */
#ifndef TORC_ENDPOINT_H
#define TORC_ENDPOINT_H

#include <torc/addr.h>
#include <torc/filter.h>
#include <torc/protocol.h>

/**
 * Endpoints: where to listen or connect, written as a string.
 *
 * A server's: `tcp:8080`, `tcp:8080:interface=127.0.0.1:backlog=511`, `tcp6:8080`,
 * `unix:/run/x.sock:mode=660`, `fd:3`, `systemd:name=http`; and short: `8080`, `:8080`,
 * `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`. `\` escapes the byte behind it, so that `:`,
 * `=` and `\` may be in a value. Arguments go by their place or by their name, as Twisted's do:
 * `tcp:8080:127.0.0.1:511` is the second of those above. The parameters are, of tcp: port,
 * interface, backlog; of tcp6: these and v6only; of unix: address (`@name` is an abstract one),
 * mode, backlog, lockfile (ignored: a socket file that nobody listens on any more is in nobody's
 * way). `tcp:` listens on all IPv4 addresses, `tcp6:` on all IPv6 ones and, with `v6only=0`, on
 * IPv4 too; the short forms without a host listen on both.
 *
 * `fd:N` is a listening socket that the process inherited. `systemd:` is one that the service
 * manager opened for it (socket activation): `systemd:0` or `systemd:index=0` is the first of them,
 * `systemd:name=http` the one that is called so (FileDescriptorName=); Twisted's
 * `systemd:domain=INET:index=0` says of which kind it must be, too. Reading such a string looks at
 * nothing but the string: the socket is found, and checked, by torc_endpoint_inherit().
 */

/** Why an endpoint string cannot be used: what was wrong, where, and what to do. */
typedef struct torc_endpoint_error {
    size_t place;   /* byte in the string where the trouble begins */
    char text[160]; /* a sentence for people, NUL-ended */
} torc_endpoint_error;

enum {
    TORC_INHERITED_NAMES_MAX = 1024,
    TORC_ENDPOINT_NAME_MAX = 128
};

/** A parsed server endpoint; a value. */
typedef struct torc_endpoint {
    torc_addr addr; /* to bind; none for a descriptor */
    int fd;         /* inherited and listening; -1: none */
    int backlog;
    uint32_t unix_mode; /* permissions of the socket file */
    bool v6only;
    bool reuse_port;   /* SO_REUSEPORT before binding: join whoever of this user listens there so */
    bool share_port;   /* SO_REUSEPORT after binding: be the first, whom others may join */
    bool is_systemd;   /* `fd` is found by the rest: */
    int systemd_index; /* its place among those that were passed; -1: by name */
    int systemd_family; /* which it must be of; 0: any */
    char systemd_name[TORC_ENDPOINT_NAME_MAX];
} torc_endpoint;

/** The sockets that the service manager passed; a value. */
typedef struct torc_inherited {
    int count; /* they are the descriptors from 3 on */
    /* The names, in their order, each NUL-ended. */
    char names[TORC_INHERITED_NAMES_MAX];
} torc_inherited;

/** How a listener treats its connections. `size` first; zero means the default. */
typedef struct torc_listen_options {
    size_t size;              /* sizeof(torc_listen_options) */
    uint32_t connections_max; /* 0: no limit of its own; beyond it a new one is refused */
    uint32_t connections_per_address_max; /* 0: no limit; IPv6 by /64 */
    size_t output_max;           /* bytes unsent on a connection before it is aborted; 64 MiB */
    const torc_filters *filters; /* between the sockets and the protocols; held by the listener */
} torc_listen_options;

TORC_BEGIN_DECLS

/** Read an endpoint string; on failure TORC_ERR_SYNTAX, and `error` (may be NULL) says why. */
TORC_API torc_err torc_endpoint_parse(torc_str string, torc_endpoint *endpoint,
                                      torc_endpoint_error *error) TORC_MUST_CHECK;
/**
 * Look at which sockets were passed to this process (LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES of
 * the environment); none is no error. The environment stays as it is.
 */
TORC_API void torc_inherited_read(torc_inherited *inherited);
/**
 * The same, for a program's start: the variables are removed, so that no child takes the sockets
 * for its own, and the sockets are closed by exec. What torc_app_run() does.
 */
TORC_API void torc_inherited_take(torc_inherited *inherited);
/**
 * Find the socket of `systemd:` among those that were passed (`inherited` NULL: looks itself), and
 * see that it, or that of `fd:`, is a socket that listens. Others are left as they are. On
 * failure `error` (may be NULL) says what is there instead. Listening does this itself.
 */
TORC_API torc_err torc_endpoint_inherit(torc_endpoint *endpoint, const torc_inherited *inherited,
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
