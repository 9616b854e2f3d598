/* SPDX-License-Identifier: MIT */
/*
 * Cron expressions: what is read has a next time, which is what the expression says, and what is
 * not read is refused with a place in the text. The first bytes of an input choose where clocks
 * are, and when it is.
 */
#include <torc/cron.h>

#include "fuzz.h"

static torc_zone *choose_zone(fuzz_input *input) {
    static const char *const rules[] = {"UTC0", "CET-1CEST,M3.5.0,M10.5.0/3",
                                        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "XXX3"};
    torc_zone *zone;

    FUZZ_CHECK(!torc_zone_parse_rule(
        NULL, torc_str_of(rules[fuzz_byte(input) % TORC_COUNT_OF(rules)]), &zone));
    return zone;
}

static int64_t choose_moment(fuzz_input *input) {
    int64_t moment = 0;

    for (int i = 0; i < 4; i++) moment = moment << 8 | fuzz_byte(input);
    return moment;
}

static void check_next(const torc_cron *cron, const torc_zone *zone, int64_t after) {
    for (int i = 0; i < 4; i++) {
        const int64_t next = torc_cron_next(cron, zone, after);
        if (zone && next == INT64_MAX) return; /* in hours that the clocks leave out alone */
        const torc_civil civil = torc_zone_civil(zone, next);
        FUZZ_CHECK(next > after && next != INT64_MAX);
        FUZZ_CHECK(civil.second == 0);
        /* Or it is the moment at which a clock was set forward. */
        FUZZ_CHECK(torc_zone_period_at(zone, next).begin == next ||
                   ((cron->minutes >> civil.minute & 1) && (cron->hours >> civil.hour & 1) &&
                    (cron->months >> civil.month & 1)));
        after = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    torc_zone *zone = choose_zone(&input);
    const int64_t moment = choose_moment(&input);
    char *const text = fuzz_copy(input.rest);
    torc_cron_error error = {.place = SIZE_MAX};
    torc_cron cron;

    const torc_err err = torc_cron_parse(torc_str_make(text, input.rest.len), &cron, &error);
    if (!err) {
        check_next(&cron, zone, moment);
    } else {
        FUZZ_CHECK(err == TORC_ERR_SYNTAX || err == TORC_ERR_INVALID);
        FUZZ_CHECK(error.place <= input.rest.len && error.text[0] != '\0');
    }
    torc_zone_free(zone);
    free(text);
    return 0;
}
