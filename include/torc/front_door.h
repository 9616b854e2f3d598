/* SPDX-License-Identifier: MIT */
#ifndef TORC_FRONT_DOOR_H
#define TORC_FRONT_DOOR_H

#include <torc/middleware.h>

/**
 * What stands at the door of a site: sending clients to its secure side or to its one name, and a
 * closed sign. Redirects are 301 for GET and HEAD, 308 for what has a body; path and query stay.
 * Behind a front end that is trusted, scheme and host are those that it was asked for.
 */
TORC_BEGIN_DECLS

/** Send who comes without TLS to https, at this port (0: 443). NULL when out of memory. */
TORC_API torc_middleware *torc_https_only_new(uint16_t port);
/**
 * Send who asks for any other host to this one, with the scheme of the request and no port but
 * what stands in `host` ("www.example.com"). NULL when out of memory; what is no host is reported
 * where it is used, as by torc_resource_use().
 */
TORC_API torc_middleware *torc_canonical_host_new(const char *host);
/**
 * Answer everything with 503, Retry-After (0: none) and this detail, which is copied and may be
 * NULL. Use it with torc_middleware_when(), whose function says whether the site is closed.
 */
TORC_API torc_middleware *torc_closed_new(uint32_t retry_after_s, const char *detail);

TORC_END_DECLS

#endif
