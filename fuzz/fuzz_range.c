/* SPDX-License-Identifier: MIT */
/*
 * Ranges: whatever the field says, what comes of it exists, and is bounded. The first two bytes of
 * an input choose the size.
 */
#include <torc/range.h>

#include "fuzz.h"

static uint64_t choose_size(fuzz_input *input) {
    static const uint64_t large[] = {UINT64_MAX, UINT64_MAX - 1, INT64_MAX, UINT64_C(1) << 32};
    const uint8_t kind = fuzz_byte(input), number = fuzz_byte(input);

    return kind < 4 ? large[kind] : (uint64_t)(kind & 7) * 256 + number;
}

static void check_ranges(const torc_ranges *ranges, uint64_t size) {
    char text[TORC_CONTENT_RANGE_SIZE];
    uint64_t sum = 0;

    FUZZ_CHECK(ranges->count >= 1 && ranges->count <= TORC_RANGES_MAX);
    for (uint32_t i = 0; i < ranges->count; i++) {
        const torc_range *range = &ranges->items[i];
        FUZZ_CHECK(range->len > 0 && range->first < size && range->len <= size - range->first);
        FUZZ_CHECK(torc_content_range_format(range, size, text).len < sizeof(text));
        sum += range->len / TORC_RANGES_MAX;
    }
    /* At most two that overlap: no more than three times the whole. */
    FUZZ_CHECK(sum / 4 <= size / TORC_RANGES_MAX + TORC_RANGES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint64_t whole = choose_size(&input);
    char *const text = fuzz_copy(input.rest);
    torc_ranges ranges;

    switch (torc_range_parse(torc_str_make(text, input.rest.len), whole, &ranges)) {
    case TORC_RANGE_PARTIAL:
        check_ranges(&ranges, whole);
        break;
    case TORC_RANGE_UNSATISFIABLE:
        FUZZ_CHECK(ranges.count == 0);
        break;
    case TORC_RANGE_WHOLE:
        break;
    }
    free(text);
    return 0;
}
