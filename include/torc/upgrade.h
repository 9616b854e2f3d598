/* SPDX-License-Identifier: MIT */
#ifndef TORC_UPGRADE_H
#define TORC_UPGRADE_H

#include <torc/request.h>

/**
 * Upgrades: a connection of HTTP/1.1 goes over to another protocol (RFC 9110 §7.8).
 */

TORC_BEGIN_DECLS

/** Whether the peer offers to go over to the protocol `name` ("websocket"), whatever its case. */
TORC_API bool torc_request_offers_upgrade(const torc_request *request, const char *name);
/**
 * Answer 101 (Switching Protocols) with the fields that were set, and `Upgrade: name`; then give
 * the connection, from the byte behind the request on, to a protocol that `factory` builds, which
 * must outlive that. The request is finished. TORC_ERR_UPGRADE, and nothing was done, when the peer
 * did not offer it, its request has a body, or the wire cannot; TORC_ERR_STATE when the response
 * has begun; TORC_ERR_GONE. If the factory fails, the connection is reset.
 */
TORC_API torc_err torc_request_upgrade(torc_request *request, const char *name,
                                       torc_factory *factory) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
