/* SPDX-License-Identifier: MIT */
#ifndef TORC_CRON_H
#define TORC_CRON_H

#include <torc/zone.h>

/**
 * Cron expressions: at which minutes something is to be done.
 *
 * Five fields, as crontab(5) has them: minute (0-59), hour (0-23), day of the month (1-31), month
 * (1-12, or jan to dec), day of the week (0-7, 0 and 7 are Sunday, or sun to sat). Each is `*`, or
 * a list by commas of values and ranges (`1-5`), and `*` and ranges may have a step: every n-th of
 * them. Or one of `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`.
 *
 * When both the day of the month and the day of the week are restricted, that is, neither begins
 * with `*`, one of them is enough: `0 0 13 * fri` is every 13th and every Friday. Otherwise both
 * must be met.
 *
 * Where clocks are set: a job at a fixed time (neither its minute nor its hour begins with `*`) is
 * done once a day whatever happens: one whose time does not exist is done when the clock has been
 * set, and one whose time comes twice is done at the first. One that is to be done at intervals
 * (`0 * * * *`) goes on in even steps of real time: what does not exist is left out, and what comes
 * twice is done twice.
 */
typedef struct torc_cron {
    uint64_t minutes; /* a bit for each */
    uint32_t hours, days;
    uint16_t months;
    uint8_t weekdays;
    bool any_minute, any_hour, any_day, any_weekday; /* the field begins with `*` */
} torc_cron;

/** Why an expression cannot be used. */
typedef struct torc_cron_error {
    size_t place;   /* byte in the text where the trouble begins */
    char text[160]; /* a sentence part for people, NUL-ended */
} torc_cron_error;

TORC_BEGIN_DECLS

/**
 * Read an expression. TORC_ERR_SYNTAX: it is none; TORC_ERR_INVALID: its dates never come (`0 0 30
 * feb *`). Then `error`, which may be NULL, says what is wrong and where.
 */
TORC_API torc_err torc_cron_parse(torc_str text, torc_cron *cron,
                                  torc_cron_error *error) TORC_MUST_CHECK;
/** The first moment after `after` (seconds since 1970 UTC) at which it is to be done, by clocks of
 * `zone` (NULL: UTC). INT64_MAX: never, since the zone's clocks leave out all of its hours. */
TORC_API int64_t torc_cron_next(const torc_cron *cron, const torc_zone *zone, int64_t after);

TORC_END_DECLS

#endif
