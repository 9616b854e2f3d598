/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP_FORWARDED_H
#define TORC_HTTP_FORWARDED_H

#include <torc/addr.h>
#include <torc/fields.h>

/*
 * What proxies tell of whom they ask for: Forwarded (RFC 7239) and X-Forwarded-For.
 *
 * Values in a field's bytes. Elements stand in the order of the way: the first is the client's, the
 * last was added by the peer.
 */

/* An element of Forwarded: parameters that are not there have `.bytes` NULL. */
typedef struct torc_forwarded {
    torc_addr client;          /* of `for`, with its port if there is one; {0}: unknown or hidden */
    torc_str by, host, scheme; /* as they came, without their quotes; `scheme` of `proto` */
} torc_forwarded;

enum {
    TORC_FORWARDED_MAX = 32 /* elements of a line that are looked at: the last ones */
};

/* Elements of a line, the last `count` of those that there are. */
typedef struct torc_forwarded_list {
    torc_forwarded items[TORC_FORWARDED_MAX];
    uint32_t count;
} torc_forwarded_list;

/* Read a line of Forwarded. TORC_ERR_SYNTAX: all of it is worthless, since any part may be quoted.
 */
torc_err torc_forwarded_parse(torc_str value, torc_forwarded_list *list) TORC_MUST_CHECK;
/* Read an address as proxies write it: with or without a port, IPv6 in brackets or not. */
torc_err torc_forwarded_parse_addr(torc_str text, torc_addr *addr) TORC_MUST_CHECK;

#endif
