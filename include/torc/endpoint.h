/* SPDX-License-Identifier: MIT */
#ifndef TORC_ENDPOINT_H
#define TORC_ENDPOINT_H

#include <torc/addr.h>
#include <torc/buf.h>
#include <torc/filter.h>
#include <torc/protocol.h>

/**
 * Endpoints: where to listen or connect, written as a string. What is here is a server's; a
 * client's is in connect.h.
 *
 * `tcp:8080`, `tcp:8080:interface=127.0.0.1:backlog=511`, `tcp6:8080`, `unix:/run/x.sock:mode=660`,
 * `ssl:443:privateKey=key.pem:certKey=cert.pem`, `haproxy:tcp:8080`, `fd:3`, `systemd:name=http`,
 * `stdio:`; and short: `8080`, `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`.
 *
 * `\` escapes the byte behind it, so that `:`, `=` and `\` may be in a value; torc_endpoint_quote()
 * writes it. Arguments go by their place or by their name, as Twisted's do:
 * `tcp:8080:127.0.0.1:511` is the second of those above. The parameters are, with those that need
 * no name first:
 *
 *  - tcp: port, interface, backlog; deferAccept. All IPv4 addresses, unless the interface is one.
 *    With `deferAccept=5` a connection is accepted when there is something to read on it, or after
 *    five seconds.
 *  - tcp6: port, interface, backlog; v6only, deferAccept. All IPv6 ones, and with `v6only=0` IPv4
 *    too.
 *  - unix: address (`@name` is an abstract one), mode, backlog, lockfile; owner, group. With
 *    `lockfile=1` a lock (`address.lock`) is held while it listens. A socket file that nobody
 *    listens on any more is in nobody's way, with a lock or without.
 *  - ssl, also called tls: port, privateKey, certKey, sslmethod, interface, backlog,
 *    extraCertChain, dhParameters; v6only, alpn, minTLS, profile, clientCA, clientAuth, sni,
 *    endpoint. TLS over `tcp:` or `tcp6:`, by the interface; or, instead of the port, over the
 *    server string `endpoint` (`ssl:endpoint=unix\:/run/x.sock`). Without a key the program's own
 *    certificate is meant. See torc_endpoint_tls.
 *  - haproxy: the rest is the server string of what is behind a proxy that begins each connection
 *    with a PROXY header, before TLS if there is that, too. Or
 *    `haproxy:endpoint=…:allow=…:timeout=…`.
 *  - fd: number, of a listening socket that the process inherited.
 *  - systemd: index, name, domain. A socket that the service manager opened (socket activation):
 *    `systemd:0` is the first, `systemd:name=http` the one that is called so (FileDescriptorName=);
 *    `systemd:domain=INET:index=0` says of which kind it must be, too.
 *  - stdio: one connection, over standard input and output (see stdio.h). Its listener is closed
 *    before its reactor is freed.
 *
 * The short forms without a host listen on all addresses of both families, `localhost:8080` on
 * those two of the machine itself.
 *
 * Reading a string looks at nothing but the string. What it names, sockets that were passed and
 * users, is found by torc_endpoint_resolve(), while the process still has its rights.
 */

/** Why an endpoint string cannot be used: what was wrong, where, and what to do. */
typedef struct torc_endpoint_error {
    size_t place;   /* byte in the string where the trouble begins, also in a nested one */
    char text[256]; /* a sentence for people, NUL-ended */
} torc_endpoint_error;

enum {
    TORC_INHERITED_NAMES_MAX = 1024,
    TORC_ENDPOINT_TEXT_MAX = 1024 /* bytes of an endpoint string */
};

/** A text of an endpoint: its place among the endpoint's texts; 0: not given. */
typedef uint16_t torc_endpoint_text;

/** The texts of one endpoint, each NUL-ended; the first byte is a NUL. */
typedef struct torc_endpoint_texts {
    uint16_t len;
    char bytes[TORC_ENDPOINT_TEXT_MAX];
} torc_endpoint_texts;

/**
 * What ssl: and tls: say, as it was written: files are not looked at. Twisted's names are
 * privateKey, certKey (PEM; the private key's file when not given), extraCertChain; on a client
 * also certificate (certKey), trustRoots (caCertsDir).
 */
typedef struct torc_endpoint_tls {
    torc_endpoint_text private_key;
    torc_endpoint_text certificate;
    torc_endpoint_text extra_chain;
    torc_endpoint_text alpn;        /* names parted by commas, the preferred first */
    torc_endpoint_text profile;     /* modern, compatible or strict */
    torc_endpoint_text client_ca;   /* a server's: authorities of its clients' certificates */
    torc_endpoint_text sni;         /* a server's: a folder with more certificates, by names */
    torc_endpoint_text trust_roots; /* a client's: a file or folder, instead of the system's */
    torc_endpoint_text host_name;   /* a client's: who the certificate must be for */
    torc_endpoint_text pin;         /* a client's: the digest of a key, sha256//base64 */
    uint8_t min_version;            /* 12 or 13 for TLS 1.2 or 1.3; 0: not given */
    uint8_t client_auth;            /* torc_endpoint_client_auth */
    bool is_unverified;             /* a client's: verify=0 */
} torc_endpoint_tls;

/** Whether a server asks its clients for certificates. */
typedef enum torc_endpoint_client_auth {
    TORC_CLIENT_AUTH_NONE,
    TORC_CLIENT_AUTH_OPTIONAL,
    TORC_CLIENT_AUTH_REQUIRED /* unless said otherwise, when there is a clientCA */
} torc_endpoint_client_auth;

/** What haproxy: says. */
typedef struct torc_endpoint_proxy {
    torc_endpoint_text allow; /* a server's: ranges of senders (cidr.h) parted by commas */
    uint32_t timeout_ms;      /* a server's: for the header; 0: not given */
    uint8_t version;          /* a client's: of the header that is sent, 1 or 2 */
} torc_endpoint_proxy;

/**
 * A parsed server endpoint; a value that is copied freely. Below is a socket (to be bound,
 * inherited, or standard input and output); on it come the PROXY header and then TLS, each if it is
 * there.
 */
typedef struct torc_endpoint {
    torc_addr addr; /* to bind; none for a descriptor */
    int fd;         /* inherited and listening; -1: none */
    int backlog;
    int defer_accept_s; /* TCP: accept when there is something to read, or after so long; 0: at once
                         */
    uint32_t unix_mode; /* permissions of the socket file */
    bool v6only;
    bool reuse_port;   /* SO_REUSEPORT before binding: join whoever of this user listens there so */
    bool share_port;   /* SO_REUSEPORT after binding: be the first, whom others may join */
    bool is_localhost; /* `addr` is 127.0.0.1, and ::1 is listened on, too, where there is IPv6 */
    bool is_stdio;
    bool is_locked;  /* hold a lock file beside the socket's */
    bool is_systemd; /* `fd` is found by the rest: */
    bool has_proxy;  /* PROXY headers come first */
    bool has_tls;
    int systemd_index;          /* its place among those that were passed; -1: by name */
    int systemd_family;         /* which it must be of; 0: any */
    int64_t unix_uid, unix_gid; /* of the socket file, once resolved; -1: as it comes */
    torc_endpoint_text systemd_name, unix_owner, unix_group;
    torc_endpoint_proxy proxy;
    torc_endpoint_tls tls;
    torc_endpoint_texts texts;
} torc_endpoint;

/** A prefix that a program adds, and a table of them: see endpoint_prefix.h. */
typedef struct torc_endpoint_prefix torc_endpoint_prefix;
typedef struct torc_endpoint_prefixes {
    const torc_endpoint_prefix *items;
    size_t count;
} torc_endpoint_prefixes;

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
/** The same, with more prefixes than Torc's own. */
TORC_API torc_err torc_endpoint_parse_with(const torc_endpoint_prefixes *prefixes, torc_str string,
                                           torc_endpoint *endpoint,
                                           torc_endpoint_error *error) TORC_MUST_CHECK;
/** A text of an endpoint; NULL: not given. Lent as long as the texts. */
TORC_API const char *torc_endpoint_text_of(const torc_endpoint_texts *texts,
                                           torc_endpoint_text text);
/** Append `value` as an argument of an endpoint string, with escapes where it needs them. */
TORC_API void torc_endpoint_quote(torc_str value, torc_buf *string);
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
 * Find what the string names on this machine: the socket of `systemd:` among those that were passed
 * (`inherited` NULL: looks itself), which must listen, as that of `fd:` must; and the owner and the
 * group of a socket file. May read files (/etc/passwd): at a program's start. On failure `error`
 * (may be NULL) says what is there instead. Listening does this itself.
 */
TORC_API torc_err torc_endpoint_resolve(torc_endpoint *endpoint, const torc_inherited *inherited,
                                        torc_endpoint_error *error) TORC_MUST_CHECK;
/**
 * Bind and listen, and make a protocol by `factory` for each connection. The factory must outlive
 * the listener. `options` may be NULL. TORC_ERR_ADDRESS_IN_USE, TORC_ERR_PERMISSION and so on
 * by the kernel.
 */
TORC_API torc_err torc_endpoint_listen(torc_reactor *reactor, const torc_endpoint *endpoint,
                                       torc_factory *factory, const torc_listen_options *options,
                                       torc_listener **listener) TORC_MUST_CHECK;
/** The address that a listener is bound to (with the port that the kernel chose for port 0). */
TORC_API torc_addr torc_listener_addr(const torc_listener *listener);
TORC_API uint32_t torc_listener_connections(const torc_listener *listener);
/** Stop and start accepting; the socket stays open and its queue fills meanwhile. */
TORC_API void torc_listener_pause(torc_listener *listener);
TORC_API void torc_listener_resume(torc_listener *listener);
/**
 * Stop listening; connections go on. A UNIX socket's file is removed. The listener can still be
 * asked, and listen again by torc_listener_start(), until torc_listener_close().
 */
TORC_API void torc_listener_stop(torc_listener *listener);
/**
 * Listen again, at the address and port of before, after torc_listener_stop(). Fine when it
 * listens. TORC_ERR_BUSY: the socket of before is still being closed, try again next turn;
 * TORC_ERR_UNSUPPORTED: it was an inherited descriptor; or what the kernel refused, as in
 * torc_endpoint_listen().
 */
TORC_API torc_err torc_listener_start(torc_listener *listener) TORC_MUST_CHECK;
/** Let go of the listener, which is stopped if it was not; connections go on. NULL is fine. */
TORC_API void torc_listener_close(torc_listener *listener);

TORC_END_DECLS

#endif
