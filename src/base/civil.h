/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_CIVIL_H
#define TORC_BASE_CIVIL_H

#include <torc/zone.h>

/*
 * The calendar: days since 1970, and the dates that they are. Safe in handlers of signals.
 */
enum {
    TORC_DAY_S = 86400
};

/* Rounded down, also below 0. */
static inline int64_t torc_floor_div(int64_t number, int64_t by) {
    return number / by - (number % by < 0);
}

extern const char torc_civil_months[]; /* "Jan" to "Dec", one behind the other */

/* Days since 1970 of a date; months are 1 to 12, days carry over. */
int64_t torc_civil_days(int64_t year, int month, int day);
/* The date of a day, at midnight. */
torc_civil torc_civil_of_day(int64_t days);
/* The date and the time of day of a moment, in seconds since 1970. */
torc_civil torc_civil_of(int64_t seconds);
int torc_civil_month_days(int64_t year, int month);
bool torc_civil_is_leap(int64_t year);

#endif
