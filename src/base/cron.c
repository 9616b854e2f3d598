/* SPDX-License-Identifier: MIT */
/*
 * Cron expressions.
 *
 *  - A field is a set of small numbers, kept as bits.
 *  - The next time is looked for in what clocks show, period by period: within one, clocks go as
 *    time does. What is special happens where two periods meet.
 *  - An expression that was read has a date at least every 40 years (February 29 on a Sunday, with
 *    1900 and its like in between).
 */
#include <torc/cron.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/civil.h"

enum {
    FIELDS = 5,
    DIGITS_MAX = 4
};

static const int64_t NEVER = INT64_MAX;
static const int64_t SEARCH_MAX = INT64_C(60) * 366 * TORC_DAY_S;

/* ---- reading ---- */

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct field {
    const char *name;
    int least, most;
    const char *const *names; /* of `least` and on */
    const char *example;
} fields[FIELDS] = {
    {"minute", 0, 59, NULL, "0-59"},
    {"hour", 0, 23, NULL, "0-23"},
    {"day of the month", 1, 31, NULL, "1-31"},
    {"month", 1, 12, month_names, "1-12 or jan-dec"},
    {"day of the week", 0, 7, weekday_names, "0-7 or sun-sat"},
};

static const struct {
    const char *name, *text;
} nicknames[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

typedef struct reader {
    torc_str text;
    size_t at;
    const struct field *field; /* that is being read */
    torc_cron_error *error;
    bool is_bad;
} reader;

static char peek(const reader *self) {
    return self->at < self->text.len ? self->text.bytes[self->at] : '\0';
}

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t';
}

static bool take(reader *self, char byte) {
    if (self->at >= self->text.len || self->text.bytes[self->at] != byte) return false;
    self->at++;
    return true;
}

/* Note what is wrong, the first time. */
__attribute__((format(printf, 3, 4))) static void refuse(reader *self, size_t place,
                                                         const char *format, ...) {
    va_list arguments;

    if (!self->is_bad && self->error) {
        self->error->place = place;
        va_start(arguments, format);
        vsnprintf(self->error->text, sizeof(self->error->text), format, arguments);
        va_end(arguments);
    }
    self->is_bad = true;
}

static void refuse_value(reader *self, size_t place) {
    refuse(self, place, "the %s at byte %zu is to be %s, a range, a list of these, or *",
           self->field->name, place, self->field->example);
}

/* The place of a name in a table, or -1; case does not matter. */
static int find_name(torc_str word, const char *const *names) {
    for (int i = 0; names && names[i]; i++)
        if (torc_str_equals_nocase(word, torc_str_of(names[i]))) return i;
    return -1;
}

static torc_str take_word(reader *self, bool (*belongs)(char byte)) {
    const size_t begin = self->at;

    while (self->at < self->text.len && belongs(self->text.bytes[self->at])) self->at++;
    return torc_str_make(self->text.bytes + begin, self->at - begin);
}

/* -1: there is none that could be meant. */
static int take_number(reader *self) {
    const torc_str digits = take_word(self, torc_is_digit);
    int number = 0;

    if (digits.len == 0 || digits.len > DIGITS_MAX) return -1;
    for (size_t i = 0; i < digits.len; i++) number = number * 10 + (digits.bytes[i] - '0');
    return number;
}

static int take_value(reader *self) {
    const struct field *field = self->field;
    const size_t place = self->at;
    int value;

    if (torc_is_letter(peek(self))) {
        value = find_name(take_word(self, torc_is_letter), field->names);
        if (value >= 0) return value + field->least;
        refuse_value(self, place);
        return field->least;
    }
    value = take_number(self);
    if (value >= field->least && value <= field->most) return value;
    refuse_value(self, place);
    return field->least;
}

static int take_step(reader *self) {
    const size_t place = self->at;
    const int step = take_number(self);

    if (step >= 1 && step <= self->field->most) return step;
    refuse(self, place, "the step of the %s at byte %zu is to be a number from 1 to %d",
           self->field->name, place, self->field->most);
    return 1;
}

/* `*`, a value or a range, and a step. */
static uint64_t take_part(reader *self) {
    const struct field *field = self->field;
    const size_t place = self->at;
    const bool is_any = take(self, '*');
    bool is_range = is_any;
    int first = field->least, last = field->most, step = 1;
    uint64_t set = 0;

    if (!is_any) {
        first = last = take_value(self);
        is_range = take(self, '-');
        if (is_range) last = take_value(self);
        if (is_range && last == 0 && first > 0 && field->most == 7) last = 7; /* fri-sun */
    }
    if (last < first)
        refuse(self, place, "the range of the %s at byte %zu ends before it begins", field->name,
               place);
    if (peek(self) == '/' && !is_range)
        refuse(self, self->at, "the step at byte %zu needs a range or * in front of it: %d-%d/…",
               self->at, first, field->most);
    if (take(self, '/')) step = take_step(self);
    for (int i = first; i <= last && !self->is_bad; i += step) set |= UINT64_C(1) << i;
    return set;
}

static uint64_t take_field(reader *self, const struct field *field, bool *is_any) {
    uint64_t set = 0;

    self->field = field;
    while (is_blank(peek(self))) self->at++;
    *is_any = peek(self) == '*';
    if (self->at >= self->text.len)
        refuse(self, self->at,
               "there is no %s: five fields are needed, minute, hour, day, month, weekday",
               field->name);
    do {
        set |= take_part(self);
    } while (!self->is_bad && take(self, ','));
    if (self->at < self->text.len && !is_blank(peek(self))) refuse_value(self, self->at);
    return set;
}

static void check_end(reader *self) {
    while (is_blank(peek(self))) self->at++;
    if (self->at < self->text.len)
        refuse(self, self->at,
               "there is more than five fields at byte %zu: minute, hour, day, month, weekday",
               self->at);
}

/* What stands for a nickname; the same text, if it is none. */
static torc_str expand(reader *self, torc_str text) {
    const torc_str word = torc_str_trim(text);
    const size_t skipped = (size_t)(word.bytes - text.bytes);

    if (word.len == 0 || word.bytes[0] != '@') return text;
    for (size_t i = 0; i < TORC_COUNT_OF(nicknames); i++)
        if (torc_str_equals_nocase(word, torc_str_of(nicknames[i].name)))
            return torc_str_of(nicknames[i].text);
    if (torc_str_equals_nocase(word, TORC_STR("@reboot")))
        refuse(self, skipped, "@reboot is no time: do it where the program starts");
    else
        refuse(self, skipped,
               "the word at byte %zu is none of @hourly, @daily, @weekly, @monthly, @yearly",
               skipped);
    return text;
}

static bool one_day_is_enough(const torc_cron *cron) {
    return !cron->any_day && !cron->any_weekday;
}

/* Whether some of the days exists in some of the months, in some year. */
static bool has_dates(const torc_cron *cron) {
    if (one_day_is_enough(cron)) return true;
    for (int month = 1; month <= 12; month++) {
        const uint64_t days = (UINT64_C(2) << torc_civil_month_days(2000, month)) - 2;
        if ((cron->months >> month & 1) && (cron->days & days)) return true;
    }
    return false;
}

torc_err torc_cron_parse(torc_str text, torc_cron *cron, torc_cron_error *error) {
    reader self = {.text = text, .error = error};
    torc_cron read = {.minutes = 0};
    bool any_month;

    self.text = expand(&self, text);
    if (self.is_bad) return TORC_ERR_SYNTAX;
    read.minutes = take_field(&self, &fields[0], &read.any_minute);
    if (!self.is_bad) read.hours = (uint32_t)take_field(&self, &fields[1], &read.any_hour);
    if (!self.is_bad) read.days = (uint32_t)take_field(&self, &fields[2], &read.any_day);
    if (!self.is_bad) read.months = (uint16_t)take_field(&self, &fields[3], &any_month);
    if (!self.is_bad) read.weekdays = (uint8_t)take_field(&self, &fields[4], &read.any_weekday);
    if (!self.is_bad) check_end(&self);
    if (self.is_bad) return TORC_ERR_SYNTAX;
    if (read.weekdays & 0x80) read.weekdays |= 1; /* 7 is Sunday, too */
    read.weekdays &= 0x7f;
    if (!has_dates(&read)) {
        refuse(&self, 0, "such a date never comes: these days are not in these months");
        return TORC_ERR_INVALID;
    }
    *cron = read;
    return TORC_OK;
}

/* ---- the next time ---- */

/* What follows counts in seconds that clocks show: `local` ones, as if of UTC. */

static bool is_day(const torc_cron *cron, const torc_civil *date) {
    const bool day = cron->days >> date->day & 1, weekday = cron->weekdays >> date->weekday & 1;
    return one_day_is_enough(cron) ? day || weekday : day && weekday;
}

/* The first time of a day from a minute of it on; -1: none. */
static int first_minute(const torc_cron *cron, int from) {
    for (int hour = from / 60, minute = from % 60; hour < 24; hour++, minute = 0) {
        const uint64_t left = cron->minutes >> minute;
        if ((cron->hours >> hour & 1) && left) return hour * 60 + minute + __builtin_ctzll(left);
    }
    return -1;
}

/* The first local time from `from` on and before `limit`; or NEVER. */
static int64_t find(const torc_cron *cron, int64_t from, int64_t limit) {
    const int64_t begin = torc_floor_div(from + 59, 60) * 60;
    int64_t day = torc_floor_div(begin, TORC_DAY_S);
    int minute = (int)((begin - day * TORC_DAY_S) / 60);

    while (day * TORC_DAY_S < limit) {
        const torc_civil date = torc_civil_of_day(day);
        if (!(cron->months >> date.month & 1)) {
            day += torc_civil_month_days(date.year, date.month) - date.day + 1;
        } else {
            const int found = is_day(cron, &date) ? first_minute(cron, minute) : -1;
            const int64_t local = day * TORC_DAY_S + (int64_t)found * 60;
            if (found >= 0) return local < limit ? local : NEVER;
            day++;
        }
        minute = 0;
    }
    return NEVER;
}

static bool is_at_fixed_times(const torc_cron *cron) {
    return !cron->any_minute && !cron->any_hour;
}

/*
 * The first moment of a period, from `from` on. Where clocks were set forward at its beginning,
 * that is the moment of what was due in between; where they were set back, what came before does
 * not come again.
 */
static int64_t find_in(const torc_cron *cron, const torc_zone *zone, const torc_zone_period *period,
                       int64_t from) {
    const bool begins = period->begin >= from;
    const int64_t most = from + SEARCH_MAX, end = period->end < most ? period->end : most;
    int64_t local = (begins ? period->begin : from) + period->offset;

    if (period->begin != INT64_MIN && is_at_fixed_times(cron)) {
        const int64_t before = period->begin + torc_zone_period_at(zone, period->begin - 1).offset;
        if (begins && before < local && find(cron, before, local) != NEVER) return period->begin;
        if (before > local) local = before;
    }
    const int64_t found = find(cron, local, end + period->offset);
    return found == NEVER ? NEVER : found - period->offset;
}

int64_t torc_cron_next(const torc_cron *cron, const torc_zone *zone, int64_t after) {
    const int64_t most = after + SEARCH_MAX;
    int64_t from = after + 1;

    for (;;) {
        const torc_zone_period period = zone ? torc_zone_period_at(zone, from)
                                             : (torc_zone_period){INT64_MIN, INT64_MAX, 0, false};
        const int64_t found = find_in(cron, zone, &period, from);
        if (found != NEVER || period.end >= most) return found;
        from = period.end;
    }
}
