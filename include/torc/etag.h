/* SPDX-License-Identifier: MIT */
#ifndef TORC_ETAG_H
#define TORC_ETAG_H

#include <torc/middleware.h>

/**
 * Entity tags of small bodies: a response with status 200 to GET or HEAD that has none, and whose
 * body is there as a whole, gets a strong ETag made of its bytes; then the conditions of the
 * request hold (RFC 9110 §13): 304 for who has these bytes, 412 where If-Match names others.
 *
 * The body is made all the same: what is saved is sending it. A coding of bodies is to be used
 * before this, so that it stands around it, and weakens the tag.
 */
TORC_BEGIN_DECLS

/** Make it, for bodies of at most `body_bytes_max` bytes; 0: 64 KiB. NULL when out of memory. */
TORC_API torc_middleware *torc_etag_new(size_t body_bytes_max);

TORC_END_DECLS

#endif
