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
    TORC_FORWARDED_MAX = 32 /* hops that are looked at: the last ones */
};

/*
 * Take the last element of what is left of a line. TORC_ERR_SYNTAX: it is none, and of what stands
 * before it nothing is to be believed. Who adds an element to a line, well-formed and behind a
 * comma, has it taken as it is, whatever the line was.
 */
torc_err torc_forwarded_take_last(torc_str *rest, torc_forwarded *element) TORC_MUST_CHECK;
/* Read an address as proxies write it: with or without a port, IPv6 in brackets or not. */
torc_err torc_forwarded_parse_addr(torc_str text, torc_addr *addr) TORC_MUST_CHECK;

#endif
