/* SPDX-License-Identifier: MIT */
/*
 * Ranges of bytes.
 *
 *  - A field that is malformed anywhere is not heeded at all; nobody is worse off with the whole.
 *  - `ranges` holds only what exists.
 */
#include <torc/fields.h>
#include <torc/range.h>

#include <stdio.h>

enum {
    OVERLAPS_MAX = 2 /* ranges that share bytes with one before them */
};

/* A number of digits only; one that is too large is as good as the largest. */
static bool read_number(torc_str text, uint64_t *number) {
    const torc_err err = torc_str_parse_uint(text, UINT64_MAX, number);

    if (err == TORC_ERR_LIMIT) *number = UINT64_MAX;
    return !err || err == TORC_ERR_LIMIT;
}

/* "-500": the last so many bytes. */
static bool read_suffix(torc_str text, uint64_t size, torc_range *range) {
    uint64_t len;

    if (!read_number(text, &len)) return false;
    range->len = len < size ? len : size;
    range->first = size - range->len;
    return true;
}

/* "0-499" or "500-"; a range of nothing when it begins behind the end. */
static bool read_range(torc_str text, uint64_t size, torc_range *range) {
    const ptrdiff_t dash = torc_str_find_byte(text, '-');
    uint64_t first, last = UINT64_MAX;

    if (dash < 0) return false;
    const torc_str after = torc_str_from(text, (size_t)dash + 1);
    if (dash == 0) return read_suffix(after, size, range);
    if (!read_number(torc_str_head(text, (size_t)dash), &first)) return false;
    if (after.len > 0 && !read_number(after, &last)) return false;
    if (last < first) return false;
    *range = (torc_range){0};
    if (first >= size) return true;
    range->first = first;
    range->len = (last < size ? last + 1 : size) - first;
    return true;
}

static bool overlaps(const torc_ranges *ranges, const torc_range *range) {
    for (uint32_t i = 0; i < ranges->count; i++) {
        const torc_range *other = &ranges->items[i];
        if (range->first < other->first + other->len && other->first < range->first + range->len)
            return true;
    }
    return false;
}

torc_range_outcome torc_range_parse(torc_str value, uint64_t size, torc_ranges *ranges) {
    torc_str unit, member;
    unsigned asked = 0, overlapping = 0;
    torc_range range;

    ranges->count = 0;
    if (!torc_str_split(&value, '=', &unit) || !torc_str_equals_nocase(unit, TORC_STR("bytes")))
        return TORC_RANGE_WHOLE;
    while (torc_list_member_next(&value, &member)) {
        if (++asked > TORC_RANGES_MAX || !read_range(member, size, &range)) return TORC_RANGE_WHOLE;
        if (range.len == 0) continue;
        if (overlaps(ranges, &range) && ++overlapping > OVERLAPS_MAX) return TORC_RANGE_WHOLE;
        ranges->items[ranges->count++] = range;
    }
    if (asked == 0) return TORC_RANGE_WHOLE;
    return ranges->count ? TORC_RANGE_PARTIAL : TORC_RANGE_UNSATISFIABLE;
}

torc_str torc_content_range_format(const torc_range *range, uint64_t size,
                                   char text[TORC_CONTENT_RANGE_SIZE]) {
    const unsigned long long whole = size;
    int len;

    if (range)
        len = snprintf(text, TORC_CONTENT_RANGE_SIZE, "bytes %llu-%llu/%llu",
                       (unsigned long long)range->first,
                       (unsigned long long)(range->first + range->len - 1), whole);
    else
        len = snprintf(text, TORC_CONTENT_RANGE_SIZE, "bytes */%llu", whole);
    return torc_str_make(text, (size_t)len);
}

void torc_range_add_part_head(torc_buf *buf, torc_str boundary, torc_str content_type,
                              const torc_range *range, uint64_t size) {
    char text[TORC_CONTENT_RANGE_SIZE];

    torc_buf_addf(buf, "\r\n--%.*s%s\r\n", TORC_STR_ARGS(boundary), range ? "" : "--");
    if (!range) return;
    if (content_type.len) torc_buf_addf(buf, "Content-Type: %.*s\r\n", TORC_STR_ARGS(content_type));
    torc_buf_addf(buf, "Content-Range: %.*s\r\n\r\n",
                  TORC_STR_ARGS(torc_content_range_format(range, size, text)));
}

/* "5-9" */
static torc_err parse_places(torc_str text, torc_range *range) {
    const ptrdiff_t dash = torc_str_find_byte(text, '-');
    uint64_t first, last;

    if (dash < 0 || torc_str_parse_uint(torc_str_head(text, (size_t)dash), INT64_MAX, &first) ||
        torc_str_parse_uint(torc_str_from(text, (size_t)dash + 1), INT64_MAX, &last) ||
        last < first)
        return TORC_ERR_SYNTAX;
    *range = (torc_range){.first = first, .len = last - first + 1};
    return TORC_OK;
}

torc_err torc_content_range_parse(torc_str value, torc_range *range, uint64_t *size) {
    const torc_str unit = TORC_STR("bytes ");
    const torc_str rest = torc_str_from(value, unit.len);
    const ptrdiff_t slash = torc_str_find_byte(rest, '/');
    torc_range found = {0};
    uint64_t whole = UINT64_MAX;

    if (!torc_str_equals_nocase(torc_str_head(value, unit.len), unit) || slash < 0)
        return TORC_ERR_SYNTAX;
    const torc_str places = torc_str_head(rest, (size_t)slash);
    const torc_str after = torc_str_from(rest, (size_t)slash + 1);
    const bool is_known = !torc_str_equals(after, TORC_STR("*"));
    if (is_known && torc_str_parse_uint(after, INT64_MAX, &whole)) return TORC_ERR_SYNTAX;
    if (!torc_str_equals(places, TORC_STR("*"))) {
        if (parse_places(places, &found) || found.first + found.len > whole) return TORC_ERR_SYNTAX;
    } else if (!is_known) {
        return TORC_ERR_SYNTAX;
    }
    *range = found;
    *size = whole;
    return TORC_OK;
}
