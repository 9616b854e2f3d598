/* SPDX-License-Identifier: MIT */
/*
 * The calendar that everybody has, without the C library's, which asks zones and takes locks.
 */
#include "base/civil.h"

const char torc_civil_months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

bool torc_civil_is_leap(int64_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int torc_civil_month_days(int64_t year, int month) {
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && torc_civil_is_leap(year));
}

/* Years begin in March here, so that the leap day is the last of them. */
int64_t torc_civil_days(int64_t year, int month, int day) {
    const int64_t y = year - (month <= 2), era = torc_floor_div(y, 400);
    const int64_t of_era = y - era * 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

torc_civil torc_civil_of_day(int64_t days) {
    const int64_t z = days + 719468, era = torc_floor_div(z, 146097), of_era = z - era * 146097;
    const int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;
    const int month = (int)(m < 10 ? m + 3 : m - 9);

    return (torc_civil){
        .year = y + era * 400 + (month <= 2),
        .month = month,
        .day = (int)(of_year - (153 * m + 2) / 5 + 1),
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
    };
}

torc_civil torc_civil_of(int64_t seconds) {
    const int64_t day = torc_floor_div(seconds, TORC_DAY_S);
    const int of_day = (int)(seconds - day * TORC_DAY_S);
    torc_civil civil = torc_civil_of_day(day);

    civil.hour = of_day / 3600;
    civil.minute = of_day / 60 % 60;
    civil.second = of_day % 60;
    return civil;
}

int64_t torc_civil_seconds(const torc_civil *civil) {
    const int64_t months = civil->month - 1, year = civil->year + torc_floor_div(months, 12);
    const int month = (int)(months - torc_floor_div(months, 12) * 12) + 1;

    return torc_civil_days(year, month, civil->day) * TORC_DAY_S + (int64_t)civil->hour * 3600 +
           (int64_t)civil->minute * 60 + civil->second;
}
