/* SPDX-License-Identifier: MIT */
#ifndef TORC_DATE_H
#define TORC_DATE_H

#include <torc/str.h>

/** Dates of HTTP (RFC 9110 §5.6.7), in seconds since 1970 UTC. Any thread may use these functions.
 */

/** Length of "Sun, 06 Nov 1994 08:49:37 GMT". */
#define TORC_DATE_LEN 29

TORC_BEGIN_DECLS

/** Write a date; without a NUL. Seconds beyond the years 0 to 9999 are clamped. */
TORC_API void torc_date_format(int64_t seconds, char text[TORC_DATE_LEN]);
/**
 * Read a date in one of the three forms. The two-digit year of the second is taken as the one that
 * is at most 50 years after `now`, and less than 50 years before. TORC_ERR_SYNTAX for anything
 * else.
 */
TORC_API torc_err torc_date_parse(torc_str text, int64_t now, int64_t *seconds) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
