/* SPDX-License-Identifier: MIT */
#ifndef TORC_STATUS_H
#define TORC_STATUS_H

#include <torc/str.h>

/** Status codes (RFC 9110 §15) and their phrases. Any thread may use these functions. */

TORC_BEGIN_DECLS

/** The standard phrase of a status, "Not Found" of 404; empty for one that has none. */
TORC_API torc_str torc_status_phrase(int status);
/** The status line of HTTP/1.1 with the standard phrase and CR LF; `.bytes` NULL for one that has
 * none. */
TORC_API torc_str torc_status_line(int status);
/** Whether a response of this status never has a body: 1xx, 204, 304. */
TORC_API bool torc_status_is_bodiless(int status);
/** Whether it sends clients to the Location that is given: 301, 302, 303, 307, 308. */
TORC_API bool torc_status_is_redirect(int status);

TORC_END_DECLS

#endif
