/* SPDX-License-Identifier: MIT */
/*
 * Finding what a JSON string may not hold as it is: 16 bytes at a time with SSE2, or one by one.
 *
 *  - Both forms give the same answers, and read no byte beyond the text.
 *  - A plain text is copied while it is looked at, in steps of which the last two overlap.
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

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* A high bit if one of eight bytes is 0: right for all of them together, not for each. */
static inline uint64_t zero_in(uint64_t word) {
    return (word - ONES) & ~word & HIGHS;
}

/* '<' and '>' differ in the bit 2 alone. */
static inline bool is_plain8(uint64_t word, bool for_html) {
    const uint64_t controls = (word - ONES * 0x20) & ~word;
    uint64_t marks = zero_in(word ^ ONES * '"') | zero_in(word ^ ONES * '\\');

    if (for_html) marks |= zero_in(word ^ ONES * '&') | zero_in((word | ONES * 2) ^ ONES * '>');
    return (((controls | word) & HIGHS) | marks) == 0;
}

static inline uint64_t load8(const char *from) {
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

static inline void store8(char *to, uint64_t word) {
    memcpy(to, &word, sizeof word);
}

/* Up to seven bytes, of which some are looked at twice. */
static inline bool copy_few(char *to, torc_str text, bool for_html) {
    uint32_t low, high;

    if (text.len >= 4) {
        memcpy(&low, text.bytes, 4);
        memcpy(&high, text.bytes + text.len - 4, 4);
        memcpy(to, &low, 4);
        memcpy(to + text.len - 4, &high, 4);
        return is_plain8(low | (uint64_t)high << 32, for_html);
    }
    const char first = text.bytes[0], middle = text.bytes[text.len / 2];
    const char last = text.bytes[text.len - 1];
    to[0] = first;
    to[text.len / 2] = middle;
    to[text.len - 1] = last;
    return is_plain8((uint8_t)first * ONES >> 16 | (uint64_t)(uint8_t)middle << 48 |
                         (uint64_t)(uint8_t)last << 56,
                     for_html);
}

static inline bool copy8(char *to, const char *from, bool for_html) {
    const uint64_t word = load8(from);

    store8(to, word);
    return is_plain8(word, for_html);
}

/* From eight bytes on. */
static inline bool copy_words(char *to, torc_str text, bool for_html) {
    size_t at = 0;

    for (; at + 8 < text.len; at += 8)
        if (!copy8(to + at, text.bytes + at, for_html)) return false;
    at = text.len - 8;
    return copy8(to + at, text.bytes + at, for_html);
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

static inline bool copy16(char *to, const char *from, bool for_html) {
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i found = _mm_or_si128(_mm_or_si128(is_byte(bytes, '"'), is_byte(bytes, '\\')),
                                 _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '))); /* or beyond ASCII */

    if (for_html) found = _mm_or_si128(found, stops_for_html(bytes));
    _mm_storeu_si128((__m128i *)(void *)to, bytes);
    return _mm_movemask_epi8(found) == 0;
}

static inline bool copy_long(char *to, torc_str text, bool for_html) {
    size_t at = 0;

    for (; at + 16 < text.len; at += 16)
        if (!copy16(to + at, text.bytes + at, for_html)) return false;
    at = text.len - 16;
    return copy16(to + at, text.bytes + at, for_html);
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

static inline bool copy_long(char *to, torc_str text, bool for_html) {
    return copy_words(to, text, for_html);
}

size_t torc_json_scan(torc_str text, bool for_html) {
    return torc_json_scan_scalar(text, for_html);
}

#endif

bool torc_json_copy_plain(char *to, torc_str text, bool for_html) {
    if (text.len >= 16) return copy_long(to, text, for_html);
    if (text.len >= 8) return copy_words(to, text, for_html);
    return text.len == 0 || copy_few(to, text, for_html);
}
