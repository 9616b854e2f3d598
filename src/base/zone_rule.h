/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_ZONE_RULE_H
#define TORC_BASE_ZONE_RULE_H

#include <torc/zone.h>

/*
 * The rule by which clocks are set every year, as POSIX has it for TZ.
 */

/* A day of the year, and the time of it on the clock that is to be set. */
typedef struct torc_zone_day {
    char kind; /* 'M': a weekday of a month; 'J': a day without February 29; 'D': a day from 0 on */
    int month, week, day;
    int32_t seconds; /* may be below 0, and a week */
} torc_zone_day;

typedef struct torc_zone_rule {
    int32_t offset, dst_offset; /* ahead of UTC */
    bool has_dst;
    torc_zone_day start, end; /* of daylight saving time */
} torc_zone_rule;

/* TORC_ERR_SYNTAX. */
torc_err torc_zone_rule_parse(torc_str text, torc_zone_rule *rule) TORC_MUST_CHECK;
torc_zone_period torc_zone_rule_period(const torc_zone_rule *rule, int64_t seconds);

#endif
