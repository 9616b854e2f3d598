/* SPDX-License-Identifier: MIT */
/*
 * Finding what a JSON string may not hold as it is: 16 bytes at a time with SSE2, or one by one.
 *
 *  - Both forms give the same answers, and read no byte beyond the text.
 */
#include "base/json_scan.h"

enum {
    STOPS = 1,
    STOPS_FOR_HTML = 2
};

static const uint8_t classes[256] = {
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS,
    STOPS, /* the controls */
    ['"'] = STOPS,
    ['\\'] = STOPS,
    ['<'] = STOPS_FOR_HTML,
    ['>'] = STOPS_FOR_HTML,
    ['&'] = STOPS_FOR_HTML,
    [0xe2] = STOPS_FOR_HTML,
};

size_t torc_json_scan_scalar(torc_str text, bool for_html) {
    const unsigned mask = for_html ? STOPS | STOPS_FOR_HTML : STOPS;
    size_t at = 0;

    while (at < text.len && !(classes[(unsigned char)text.bytes[at]] & mask)) at++;
    return at;
}

#ifdef __SSE2__
#include <emmintrin.h>

static inline __m128i is_byte(__m128i bytes, int byte) {
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)byte));
}

/* Of the unsigned bytes: the smaller of a byte and 31 is the byte itself in controls only. */
static inline __m128i stops(__m128i bytes) {
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(31)), bytes);
    return _mm_or_si128(control, _mm_or_si128(is_byte(bytes, '"'), is_byte(bytes, '\\')));
}

static inline __m128i stops_for_html(__m128i bytes) {
    return _mm_or_si128(_mm_or_si128(is_byte(bytes, '<'), is_byte(bytes, '>')),
                        _mm_or_si128(is_byte(bytes, '&'), is_byte(bytes, 0xe2)));
}

size_t torc_json_scan(torc_str text, bool for_html) {
    size_t at = 0;

    for (; text.len - at >= 16; at += 16) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text.bytes + at));
        __m128i found = stops(bytes);
        if (for_html) found = _mm_or_si128(found, stops_for_html(bytes));
        const int places = _mm_movemask_epi8(found);
        if (places) return at + (size_t)__builtin_ctz((unsigned)places);
    }
    return at + torc_json_scan_scalar(torc_str_from(text, at), for_html);
}

#else

size_t torc_json_scan(torc_str text, bool for_html) {
    return torc_json_scan_scalar(text, for_html);
}

#endif
