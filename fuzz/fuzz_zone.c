/* SPDX-License-Identifier: MIT */
/*
 * Time zones: whatever a file or a rule says, every moment is in a period, and the next period
 * begins where it ends. The first byte of an input says which of the two it is.
 */
#include <torc/zone.h>

#include "fuzz.h"

static void check_zone(const torc_zone *zone) {
    for (int64_t at = -4000000000; at < 8000000000; at += 777777777) {
        const torc_zone_period period = torc_zone_period_at(zone, at);
        const torc_civil civil = torc_zone_civil(zone, at);
        FUZZ_CHECK(period.begin <= at && at < period.end);
        FUZZ_CHECK(civil.month >= 1 && civil.month <= 12 && civil.day >= 1 && civil.day <= 31);
        FUZZ_CHECK(torc_civil_seconds(&civil) == at + period.offset);
        if (period.end != INT64_MAX)
            FUZZ_CHECK(torc_zone_period_at(zone, period.end).begin <= period.end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const bool is_rule = fuzz_byte(&input) & 1;
    char *const bytes = fuzz_copy(input.rest);
    const torc_str text = torc_str_make(bytes, input.rest.len);
    torc_zone *zone = NULL;

    const torc_err err =
        is_rule ? torc_zone_parse_rule(NULL, text, &zone) : torc_zone_parse(NULL, text, &zone);
    FUZZ_CHECK(!err || err == TORC_ERR_SYNTAX);
    if (!err) check_zone(zone);
    torc_zone_free(zone);
    free(bytes);
    return 0;
}
