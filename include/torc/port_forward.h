/* SPDX-License-Identifier: MIT */
#ifndef TORC_PORT_FORWARD_H
#define TORC_PORT_FORWARD_H

#include <torc/connect.h>

/**
 * Port forwarders: for each connection that comes, one is made to an endpoint, and what comes from
 * the one goes to the other, no faster than that takes it. An end is passed on as an end, while the
 * other direction goes on; a reset as a reset.
 *
 * A forwarder is a factory, for listeners with what filters they like: TLS taken off or put on
 * (`tls:` as the endpoint), limits, idle timeouts, throttling. With an endpoint `haproxy:…` the
 * peer's address is told on by a PROXY header.
 */
typedef struct torc_port_forward torc_port_forward;

TORC_BEGIN_DECLS

/**
 * Make a forwarder to a client's endpoint string. Its `timeout` is that of connecting. Connections
 * that cannot be made are logged (namespace "protocol.forward"), and the one that came is reset.
 * TORC_ERR_SYNTAX: `error`, which may be NULL, says what is wrong with the string.
 */
TORC_API torc_err torc_port_forward_new(torc_reactor *reactor, const char *endpoint,
                                        torc_endpoint_error *error,
                                        torc_port_forward **forward) TORC_MUST_CHECK;
/** What listeners are given. */
TORC_API torc_factory *torc_port_forward_factory(torc_port_forward *forward);
/** Connections that are forwarded now. */
TORC_API uint32_t torc_port_forward_connections(const torc_port_forward *forward);
/** Bytes that the kernel passed on alone, by splice(2): those of plain sockets without filters,
 * once 256 KiB of a connection have passed. */
TORC_API uint64_t torc_port_forward_spliced(const torc_port_forward *forward);
/**
 * Let go of it; no listener uses it any more. Connections go on, and the memory goes with the last
 * of them. NULL is fine.
 */
TORC_API void torc_port_forward_free(torc_port_forward *forward);

TORC_END_DECLS

#endif
