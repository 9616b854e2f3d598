/* SPDX-License-Identifier: MIT */
#ifndef TORC_POLICY_H
#define TORC_POLICY_H

#include <torc/filter.h>
#include <torc/str.h>

/**
 * Policies: filters that say how many connections there may be, how fast and how long, and what is
 * noted of them. They stack on any listener or connector, in the order in which they were added;
 * behind a filter that takes PROXY headers they see the addresses that these tell.
 *
 * Addresses are counted as IPv4 whole and IPv6 by /64; peers of UNIX sockets have none. A factory
 * belongs to a reactor's thread, and what it limits is what passes through it: of several workers
 * each has its own. Option structs have their `size` first; zeros mean the default.
 */

/** How many connections there may be. One too many is reset at once. */
typedef struct torc_connection_limit_options {
    size_t size;                          /* sizeof(torc_connection_limit_options) */
    uint32_t connections_max;             /* together; 0: no limit */
    uint32_t connections_per_address_max; /* at the same time; 0: no limit */
    uint32_t opened_per_second_max;       /* by an address, over time; 0: no limit */
    uint32_t opened_at_once_max;          /* of those, without waiting; opened_per_second_max */
    uint32_t addresses_max; /* that are remembered, 65536; then new ones are refused */
} torc_connection_limit_options;

/** How many bytes a second may come and go. Whoever is faster waits. 0: no limit. */
typedef struct torc_throttle_options {
    size_t size;                     /* sizeof(torc_throttle_options) */
    uint64_t received_max, sent_max; /* of all connections together */
    uint64_t received_per_address_max, sent_per_address_max;
    uint64_t received_per_connection_max, sent_per_connection_max;
    uint32_t burst_ms;      /* so long nobody waits who was silent before; 1000 */
    uint32_t addresses_max; /* 65536; connections of new ones are then refused */
} torc_throttle_options;

/** What happened on a connection, for a traffic log. */
typedef enum torc_traffic_kind {
    TORC_TRAFFIC_MADE,
    TORC_TRAFFIC_RECEIVED,
    TORC_TRAFFIC_SENT,
    TORC_TRAFFIC_PEER_ENDED, /* it sends no more */
    TORC_TRAFFIC_ENDED,      /* we send no more */
    TORC_TRAFFIC_LOST
} torc_traffic_kind;

/**
 * Told of traffic. `connection` numbers those of a factory, from 1 on; `bytes`, lent, are what was
 * received or sent; of files only how many, by `len`.
 */
typedef void torc_traffic_fn(void *context, uint64_t connection, torc_traffic_kind kind,
                             torc_str bytes, uint64_t len);

TORC_BEGIN_DECLS

TORC_API torc_err torc_connection_limit_new(torc_reactor *reactor,
                                            const torc_connection_limit_options *options,
                                            torc_filter_factory **factory) TORC_MUST_CHECK;
TORC_API torc_err torc_throttle_new(torc_reactor *reactor, const torc_throttle_options *options,
                                    torc_filter_factory **factory) TORC_MUST_CHECK;
/**
 * Abort a connection, with TORC_ERR_TIMEOUT, on which nothing has come and nothing has left for
 * `idle_ms`, which is not 0.
 */
TORC_API torc_err torc_idle_timeout_new(torc_reactor *reactor, uint32_t idle_ms,
                                        torc_filter_factory **factory) TORC_MUST_CHECK;
/**
 * Tell `traffic` of all that passes; NULL: write it to the reactor's log, at the level debug in the
 * namespace "transport.traffic", the first 256 bytes of each piece. What passes may be secret:
 * passwords, cookies. So this is for looking into what a program says, not for everyday.
 */
TORC_API torc_err torc_traffic_log_new(torc_reactor *reactor, torc_traffic_fn *traffic,
                                       void *context,
                                       torc_filter_factory **factory) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
