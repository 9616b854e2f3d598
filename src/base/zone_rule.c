/* SPDX-License-Identifier: MIT */
/*
 * Rules of time zones: their text, and the periods that they make.
 *
 *  - A year of a rule has two moments at which clocks are set. A period is found among those of
 *    three years, for an offset may move a moment into the next.
 *  - POSIX counts offsets west of Greenwich; here they are east, from the parser on.
 */
#include "base/zone_rule.h"

#include "base/ascii.h"
#include "base/civil.h"

/* A thousand million years: nobody moves clocks then, and all that is reckoned here has room. */
static const int64_t FAR = INT64_C(1) << 55;

enum {
    HOURS_MAX = 24,       /* of an offset */
    RULE_HOURS_MAX = 167, /* of a time: RFC 8536 §3.3.1 */
    TURNS = 6             /* in three years */
};

/* ---- the text ---- */

typedef struct reader {
    torc_str rest;
    bool is_bad;
} reader;

static char peek(const reader *self) {
    return self->rest.len > 0 ? self->rest.bytes[0] : '\0';
}

static bool take(reader *self, char byte) {
    if (self->rest.len == 0 || self->rest.bytes[0] != byte) return false;
    self->rest = torc_str_from(self->rest, 1);
    return true;
}

static void expect(reader *self, char byte) {
    if (!take(self, byte)) self->is_bad = true;
}

static int32_t number(reader *self, int32_t least, int32_t most) {
    int32_t value = 0;

    if (!torc_is_digit(peek(self))) self->is_bad = true;
    while (torc_is_digit(peek(self)) && value <= most) {
        value = value * 10 + (peek(self) - '0');
        self->rest = torc_str_from(self->rest, 1);
    }
    if (value < least || value > most) self->is_bad = true;
    return self->is_bad ? least : value;
}

/* `CET` or `<-03>`. */
static void name(reader *self) {
    const bool is_quoted = take(self, '<');
    size_t len = 0;

    while (torc_is_letter(peek(self)) ||
           (is_quoted && (torc_is_digit(peek(self)) || peek(self) == '+' || peek(self) == '-'))) {
        self->rest = torc_str_from(self->rest, 1);
        len++;
    }
    if (len < 3) self->is_bad = true;
    if (is_quoted) expect(self, '>');
}

static int32_t time_of(reader *self, int32_t hours_max) {
    const bool is_negative = take(self, '-');
    int32_t seconds;

    if (!is_negative) (void)take(self, '+');
    seconds = number(self, 0, hours_max) * 3600;
    if (take(self, ':')) seconds += number(self, 0, 59) * 60;
    if (take(self, ':')) seconds += number(self, 0, 59);
    return is_negative ? -seconds : seconds;
}

static torc_zone_day day_of(reader *self) {
    torc_zone_day day = {.seconds = 2 * 3600};

    expect(self, ',');
    if (take(self, 'M')) {
        day.kind = 'M';
        day.month = number(self, 1, 12);
        expect(self, '.');
        day.week = number(self, 1, 5);
        expect(self, '.');
        day.day = number(self, 0, 6);
    } else if (take(self, 'J')) {
        day.kind = 'J';
        day.day = number(self, 1, 365);
    } else {
        day.kind = 'D';
        day.day = number(self, 0, 365);
    }
    if (take(self, '/')) day.seconds = time_of(self, RULE_HOURS_MAX);
    return day;
}

torc_err torc_zone_rule_parse(torc_str text, torc_zone_rule *rule) {
    reader self = {.rest = text};
    torc_zone_rule read = {.has_dst = false};

    name(&self);
    read.offset = -time_of(&self, HOURS_MAX);
    if (self.rest.len > 0) {
        name(&self);
        const char byte = peek(&self);
        read.has_dst = true;
        read.dst_offset =
            byte == ',' || byte == '\0' ? read.offset + 3600 : -time_of(&self, HOURS_MAX);
        read.start = day_of(&self);
        read.end = day_of(&self);
    }
    if (self.is_bad || self.rest.len > 0) return TORC_ERR_SYNTAX;
    *rule = read;
    return TORC_OK;
}

/* ---- periods ---- */

/* The day of a year, as days since 1970. */
static int64_t find_day(const torc_zone_day *day, int64_t year) {
    const int64_t first = torc_civil_days(year, 1, 1);
    int64_t at;

    if (day->kind == 'D') return first + day->day;
    if (day->kind == 'J')
        return first + day->day - 1 + (day->day >= 60 && torc_civil_is_leap(year));
    at = torc_civil_days(year, day->month, 1);
    at += (day->day - torc_civil_of_day(at).weekday + 7) % 7 + (day->week - 1) * 7;
    const int64_t end = torc_civil_days(year, day->month, torc_civil_month_days(year, day->month));
    return at > end ? at - 7 : at; /* the fifth is the last */
}

/* A moment at which clocks are set. */
typedef struct turn {
    int64_t at;
    bool is_start; /* of daylight saving time */
} turn;

/* Where one ends as the next begins (it is always in force) the beginning is the later. */
static bool is_before(const turn *a, const turn *b) {
    return a->at != b->at ? a->at < b->at : b->is_start && !a->is_start;
}

static void add_turn(turn *turns, size_t count, turn added) {
    while (count > 0 && is_before(&added, &turns[count - 1])) {
        turns[count] = turns[count - 1];
        count--;
    }
    turns[count] = added;
}

static void list_turns(const torc_zone_rule *rule, int64_t year, turn turns[TURNS]) {
    for (int i = 0; i < 3; i++) {
        const int64_t start = find_day(&rule->start, year + i - 1) * TORC_DAY_S;
        const int64_t end = find_day(&rule->end, year + i - 1) * TORC_DAY_S;

        add_turn(turns, (size_t)i * 2, (turn){start + rule->start.seconds - rule->offset, true});
        add_turn(turns, (size_t)i * 2 + 1,
                 (turn){end + rule->end.seconds - rule->dst_offset, false});
    }
}

torc_zone_period torc_zone_rule_period(const torc_zone_rule *rule, int64_t seconds) {
    turn turns[TURNS];
    size_t next = 0;

    if (!rule->has_dst || seconds > FAR || seconds < -FAR)
        return (torc_zone_period){INT64_MIN, INT64_MAX, rule->offset, false};
    list_turns(rule, torc_civil_of_day(torc_floor_div(seconds + rule->offset, TORC_DAY_S)).year,
               turns);
    while (next < TURNS && turns[next].at <= seconds) next++;
    /* Three years hold whatever moment is in the second of them. */
    const bool is_dst = next > 0 ? turns[next - 1].is_start : !turns[0].is_start;
    return (torc_zone_period){
        .begin = next > 0 ? turns[next - 1].at : seconds,
        .end = next < TURNS ? turns[next].at : seconds + 1,
        .offset = is_dst ? rule->dst_offset : rule->offset,
        .is_dst = is_dst,
    };
}
