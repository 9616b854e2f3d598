/* SPDX-License-Identifier: MIT */
#ifndef TORC_CIDR_H
#define TORC_CIDR_H

#include <torc/addr.h>

/**
 * Ranges of addresses: "192.0.2.0/24", "2001:db8::/32", a single address, or "unix:" for all
 * peers of UNIX sockets. A value.
 */
typedef struct torc_cidr {
    int family; /* AF_INET, AF_INET6, AF_UNIX */
    uint8_t bits;
    uint8_t bytes[16]; /* 4 of them for IPv4; 0 beyond `bits` */
} torc_cidr;

TORC_BEGIN_DECLS

/**
 * Read a range. TORC_ERR_SYNTAX: it is none; TORC_ERR_INVALID: bits beyond the length are set, as
 * in "192.0.2.1/24", so that it is not clear what is meant.
 */
TORC_API torc_err torc_cidr_parse(torc_str text, torc_cidr *cidr) TORC_MUST_CHECK;
/** Whether an address is within the range; one of IPv4 mapped into IPv6 is one of IPv4. */
TORC_API bool torc_cidr_contains(const torc_cidr *cidr, const torc_addr *addr);
/** Whether it is within any of `count` ranges. */
TORC_API bool torc_cidr_any_contains(const torc_cidr *cidrs, size_t count, const torc_addr *addr);

TORC_END_DECLS

#endif
