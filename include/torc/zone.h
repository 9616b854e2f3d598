/* SPDX-License-Identifier: MIT */
#ifndef TORC_ZONE_H
#define TORC_ZONE_H

#include <torc/err.h>
#include <torc/memory.h>
#include <torc/str.h>

/**
 * Time zones: what clocks on the wall show somewhere.
 *
 * A zone is read from the system's tz database (package tzdata), once; the process's own zone (TZ)
 * is neither used nor changed by that, so a program may have several. After that it is only read:
 * any thread may use it. Leap seconds are not counted, as everywhere in POSIX.
 *
 * A zone is a row of periods with one offset each. Between two of them clocks are set forward (the
 * times between do not exist: a gap), or back (they come twice).
 */
typedef struct torc_zone torc_zone;

/** A time in which clocks are not set: from `begin` to before `end`, in seconds since 1970 UTC. */
typedef struct torc_zone_period {
    int64_t begin, end; /* INT64_MIN, INT64_MAX: unbounded */
    int32_t offset;     /* seconds that local time is ahead of UTC */
    bool is_dst;        /* daylight saving time */
} torc_zone_period;

/** A date and a time of day, of the calendar that everybody has. */
typedef struct torc_civil {
    int64_t year;
    int month, day;           /* from 1 */
    int hour, minute, second; /* from 0 */
    int weekday;              /* 0: Sunday */
} torc_civil;

TORC_BEGIN_DECLS

/**
 * Read a zone: "UTC"; a name of the database ("Europe/Berlin"); or "local": what TZ says, or the
 * system's /etc/localtime. `memory` (NULL: uncounted) must outlive it. TORC_ERR_NOT_FOUND: there is
 * no such zone, or no database; TORC_ERR_INVALID: this cannot be a name; TORC_ERR_SYNTAX: the file
 * is none of the database's; TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_zone_load(torc_memory *memory, const char *name,
                                 torc_zone **zone) TORC_MUST_CHECK;
/** The same from the bytes of a file of the database (RFC 8536). */
TORC_API torc_err torc_zone_parse(torc_memory *memory, torc_str bytes,
                                  torc_zone **zone) TORC_MUST_CHECK;
/** The same from a rule as POSIX has it for TZ: "CET-1CEST,M3.5.0,M10.5.0/3". */
TORC_API torc_err torc_zone_parse_rule(torc_memory *memory, torc_str rule,
                                       torc_zone **zone) TORC_MUST_CHECK;
/** NULL is fine. */
TORC_API void torc_zone_free(torc_zone *zone);
/** The period that a moment is in. */
TORC_API torc_zone_period torc_zone_period_at(const torc_zone *zone, int64_t seconds);
/** What a clock there shows at a moment. NULL: UTC. */
TORC_API torc_civil torc_zone_civil(const torc_zone *zone, int64_t seconds);
/** The moment in UTC of a date and time; `weekday` is not looked at. Out of range values carry over
 * (day 0 is the last of the month before). */
TORC_API int64_t torc_civil_seconds(const torc_civil *civil);

TORC_END_DECLS

#endif
