/* SPDX-License-Identifier: MIT */
#ifndef TORC_ADDR_H
#define TORC_ADDR_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <torc/str.h>

/**
 * Addresses of one end of a connection: IPv4, IPv6, UNIX, or none. A value; `{0}` is no address.
 */
struct torc_addr {
    socklen_t len; /* of `any` and the rest; 0: no address */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } as;
};

/** Enough for any address as text, with the NUL. */
#define TORC_ADDR_TEXT_MAX 128

TORC_BEGIN_DECLS

/** AF_INET, AF_INET6, AF_UNIX, or AF_UNSPEC. */
TORC_API int torc_addr_family(const torc_addr *addr);
/** The port, or 0 where there is none. */
TORC_API uint16_t torc_addr_port(const torc_addr *addr);
/**
 * The host alone: "192.0.2.1", "2001:db8::1" (no brackets; an IPv4-mapped address as IPv4; a scope
 * as its number, "fe80::1%2"), the path of a UNIX socket ("@name" for an abstract one), "" for no
 * address. NUL-ended; returns its slice.
 */
TORC_API torc_str torc_addr_host_text(const torc_addr *addr, char text[TORC_ADDR_TEXT_MAX]);
/** Host and port: "192.0.2.1:80", "[2001:db8::1]:80", or as torc_addr_host_text(). */
TORC_API torc_str torc_addr_text(const torc_addr *addr, char text[TORC_ADDR_TEXT_MAX]);
/**
 * Read a numeric IPv4 or IPv6 address (no brackets). The scope of the latter may be a number or an
 * interface of this machine, "fe80::1%eth0". TORC_ERR_SYNTAX if it is none.
 */
TORC_API torc_err torc_addr_parse(torc_str host, uint16_t port, torc_addr *addr) TORC_MUST_CHECK;
/** Make a UNIX address of a path, or of an abstract name behind an `@`. TORC_ERR_SYNTAX: empty, or
 * with a NUL in it; TORC_ERR_LIMIT: longer than it can be. */
TORC_API torc_err torc_addr_parse_unix(torc_str path, torc_addr *addr) TORC_MUST_CHECK;
/**
 * Read what torc_addr_text() writes: "192.0.2.1:80", "[2001:db8::1]:80", "/a/path", "@name".
 * TORC_ERR_SYNTAX for anything else.
 */
TORC_API torc_err torc_addr_parse_text(torc_str text, torc_addr *addr) TORC_MUST_CHECK;
TORC_API bool torc_addr_equals(const torc_addr *a, const torc_addr *b);

TORC_END_DECLS

#endif
