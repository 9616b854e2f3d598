/* SPDX-License-Identifier: MIT */
/*
 * Rates as values: reading, checking and writing them.
 *
 *  - Whatever is read is valid, so whoever counts by it needs no care of overflows.
 */
#include <torc/rate.h>

#include <stdio.h>

#include "base/ascii.h"

enum {
    COUNT_MAX = 1000000,
    SECONDS_MAX = 31 * 86400,
    RATE_MAX = 100000,       /* a second */
    FULL_MAX_S = 366 * 86400 /* until an empty bucket is full */
};

static const struct unit {
    const char *name;
    uint32_t seconds;
} units[] = {
    {"s", 1},    {"sec", 1},     {"second", 1}, {"min", 60},    {"minute", 60},
    {"h", 3600}, {"hour", 3600}, {"d", 86400},  {"day", 86400},
};

uint32_t torc_rate_burst(const torc_rate *rate) {
    return rate->burst ? rate->burst : rate->count;
}

bool torc_rate_is_valid(const torc_rate *rate) {
    const uint64_t burst = torc_rate_burst(rate);

    if (rate->count < 1 || rate->count > COUNT_MAX) return false;
    if (rate->per_s < 1 || rate->per_s > SECONDS_MAX || burst > COUNT_MAX) return false;
    return rate->count <= (uint64_t)RATE_MAX * rate->per_s &&
           burst * rate->per_s <= (uint64_t)FULL_MAX_S * rate->count;
}

/* Digits at the beginning of `*rest`, which are taken; 0 when there are none, or too many. */
static torc_err read_number(torc_str *rest, uint32_t *number) {
    size_t len = 0;
    uint64_t value;

    while (len < rest->len && torc_is_digit(rest->bytes[len])) len++;
    const torc_err err = torc_str_parse_uint(torc_str_head(*rest, len), UINT32_MAX, &value);
    if (err) return err;
    *number = (uint32_t)value;
    *rest = torc_str_from(*rest, len);
    return TORC_OK;
}

/* "s", "10s", "min": seconds. */
static torc_err read_time(torc_str text, uint32_t *seconds) {
    uint32_t times = 1;

    if (text.len && torc_is_digit(text.bytes[0])) {
        const torc_err err = read_number(&text, &times);
        if (err) return err;
    }
    for (size_t i = 0; i < TORC_COUNT_OF(units); i++) {
        if (!torc_str_equals(text, torc_str_of(units[i].name))) continue;
        if (times > SECONDS_MAX / units[i].seconds) return TORC_ERR_LIMIT;
        *seconds = times * units[i].seconds;
        return TORC_OK;
    }
    return TORC_ERR_SYNTAX;
}

static torc_err read_burst(torc_str text, uint32_t *burst) {
    const torc_str name = TORC_STR("burst=");

    if (!torc_str_starts_with(text, name)) return TORC_ERR_SYNTAX;
    text = torc_str_from(text, name.len);
    const torc_err err = read_number(&text, burst);
    if (err) return err;
    if (text.len) return TORC_ERR_SYNTAX;
    return *burst ? TORC_OK : TORC_ERR_LIMIT;
}

torc_err torc_rate_parse(torc_str text, torc_rate *rate) {
    torc_rate read = {0};
    torc_str rest = text, time;

    torc_err err = read_number(&rest, &read.count);
    if (err) return err;
    if (rest.len == 0 || rest.bytes[0] != '/') return TORC_ERR_SYNTAX;
    rest = torc_str_from(rest, 1);
    if (!torc_str_split(&rest, ',', &time)) return TORC_ERR_SYNTAX;
    err = read_time(time, &read.per_s);
    if (!err && rest.bytes) err = read_burst(rest, &read.burst);
    if (err) return err;
    if (!torc_rate_is_valid(&read)) return TORC_ERR_LIMIT;
    *rate = read;
    return TORC_OK;
}

torc_str torc_rate_text(const torc_rate *rate, char text[TORC_RATE_TEXT_MAX]) {
    static const struct unit written[] = {{"day", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
    const struct unit *unit = written;
    char burst[20] = "", times[12] = "";

    while (rate->per_s % unit->seconds) unit++;
    const uint32_t number = rate->per_s / unit->seconds;
    if (number > 1) snprintf(times, sizeof(times), "%u", (unsigned)number);
    if (rate->burst && rate->burst != rate->count)
        snprintf(burst, sizeof(burst), ",burst=%u", (unsigned)rate->burst);
    const int len = snprintf(text, TORC_RATE_TEXT_MAX, "%u/%s%s%s", (unsigned)rate->count, times,
                             unit->name, burst);
    return torc_str_make(text, (size_t)len);
}
