/* SPDX-License-Identifier: MIT */
/*
 * Dates of HTTP, without the C library's time functions: these depend on no locale and no zone.
 */
#include <torc/date.h>

#include "base/civil.h"

static const char days[] = "SunMonTueWedThuFriSat";
static const char *const long_days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};

static void put2(char *to, int number) {
    to[0] = (char)('0' + number / 10);
    to[1] = (char)('0' + number % 10);
}

void torc_date_format(int64_t seconds, char text[TORC_DATE_LEN]) {
    const int64_t first = -62167219200, last = 253402300799; /* the years 0 to 9999 */
    const int64_t clamped = seconds < first ? first : seconds > last ? last : seconds;
    const torc_civil date = torc_civil_of(clamped);

    memcpy(text, "Sun, 00 Jan 0000 00:00:00 GMT", TORC_DATE_LEN);
    memcpy(text, days + 3 * date.weekday, 3);
    put2(text + 5, date.day);
    memcpy(text + 8, torc_civil_months + 3 * (date.month - 1), 3);
    put2(text + 12, (int)(date.year / 100));
    put2(text + 14, (int)(date.year % 100));
    put2(text + 17, date.hour);
    put2(text + 20, date.minute);
    put2(text + 23, date.second);
}

/* ---- reading ---- */

/* A place in a text; failed once it does not match. */
typedef struct date_reader {
    torc_str rest;
    bool failed;
} date_reader;

static void skip(date_reader *reader, const char *text) {
    const torc_str wanted = torc_str_of(text);
    if (!torc_str_starts_with(reader->rest, wanted)) reader->failed = true;
    reader->rest = torc_str_from(reader->rest, wanted.len);
}

static int number(date_reader *reader, size_t digits) {
    int value = 0;

    if (reader->rest.len < digits) reader->failed = true;
    for (size_t i = 0; i < digits && !reader->failed; i++) {
        const char c = reader->rest.bytes[i];
        if (c < '0' || c > '9') reader->failed = true;
        value = value * 10 + (c - '0');
    }
    reader->rest = torc_str_from(reader->rest, digits);
    return value;
}

static int month(date_reader *reader) {
    for (int i = 0; i < 12; i++)
        if (torc_str_starts_with(reader->rest,
                                 torc_str_make(torc_civil_months + 3 * (size_t)i, 3))) {
            reader->rest = torc_str_from(reader->rest, 3);
            return i + 1;
        }
    reader->failed = true;
    return 1;
}

static void clock_time(date_reader *reader, torc_civil *date) {
    date->hour = number(reader, 2);
    skip(reader, ":");
    date->minute = number(reader, 2);
    skip(reader, ":");
    date->second = number(reader, 2);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static void read_fixdate(date_reader *reader, torc_civil *date) {
    reader->rest = torc_str_from(reader->rest, 3);
    skip(reader, ", ");
    date->day = number(reader, 2);
    skip(reader, " ");
    date->month = month(reader);
    skip(reader, " ");
    date->year = number(reader, 4);
    skip(reader, " ");
    clock_time(reader, date);
    skip(reader, " GMT");
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static void read_rfc850(date_reader *reader, torc_civil *date, int64_t now) {
    skip(reader, ", ");
    date->day = number(reader, 2);
    skip(reader, "-");
    date->month = month(reader);
    skip(reader, "-");
    const int64_t this_year = torc_civil_of(now).year;
    date->year = this_year - this_year % 100 + number(reader, 2);
    if (date->year > this_year + 50)
        date->year -= 100;
    else if (date->year <= this_year - 50)
        date->year += 100;
    skip(reader, " ");
    clock_time(reader, date);
    skip(reader, " GMT");
}

/* "Sun Nov  6 08:49:37 1994" */
static void read_asctime(date_reader *reader, torc_civil *date) {
    reader->rest = torc_str_from(reader->rest, 3);
    skip(reader, " ");
    date->month = month(reader);
    skip(reader, " ");
    if (torc_str_starts_with(reader->rest, TORC_STR(" "))) {
        skip(reader, " ");
        date->day = number(reader, 1);
    } else {
        date->day = number(reader, 2);
    }
    skip(reader, " ");
    clock_time(reader, date);
    skip(reader, " ");
    date->year = number(reader, 4);
}

static bool is_real(const torc_civil *date) {
    return date->day >= 1 && date->day <= torc_civil_month_days(date->year, date->month) &&
           date->hour < 24 && date->minute < 60 && date->second <= 60;
}

static bool starts_with_day(torc_str text) {
    for (size_t i = 0; i < 7; i++)
        if (torc_str_starts_with(text, torc_str_make(days + 3 * i, 3))) return true;
    return false;
}

static bool skip_long_day(date_reader *reader) {
    for (size_t i = 0; i < TORC_COUNT_OF(long_days); i++)
        if (torc_str_starts_with(reader->rest, torc_str_of(long_days[i]))) {
            skip(reader, long_days[i]);
            return true;
        }
    return false;
}

torc_err torc_date_parse(torc_str text, int64_t now, int64_t *seconds) {
    date_reader reader = {.rest = text};
    torc_civil date = {.month = 1};

    if (!starts_with_day(text)) return TORC_ERR_SYNTAX;
    if (text.len > 3 && text.bytes[3] == ',')
        read_fixdate(&reader, &date);
    else if (text.len > 3 && text.bytes[3] == ' ')
        read_asctime(&reader, &date);
    else if (skip_long_day(&reader))
        read_rfc850(&reader, &date, now);
    else
        return TORC_ERR_SYNTAX;
    if (reader.failed || reader.rest.len || !is_real(&date)) return TORC_ERR_SYNTAX;
    *seconds = torc_civil_seconds(&date);
    return TORC_OK;
}
