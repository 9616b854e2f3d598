/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_HTTP1_SCAN_H
#define TORC_PROTOCOL_HTTP1_SCAN_H

/*
 * Scans: the first byte of a run that ends it. Bytes outside of [at, end) are never read.
 *
 *  - values end at a byte that a field's value cannot have (RFC 9110 §5.5): controls but HTAB, and
 *    DEL;
 *  - targets end at a byte that is no visible ASCII: SP, controls, DEL, 0x80 and above;
 *  - tokens end at a byte that a name cannot have (RFC 9110 §5.6.2).
 *
 * Each has a scalar twin, against which the vectorised one is tested and fuzzed. The vectorised
 * ones take 16 bytes at a time (SSE2, NEON), and 32 where the machine has AVX2 and the run is long.
 */
typedef const char *torc_scan_fn(const char *at, const char *end);

const char *torc_scan_value(const char *at, const char *end);
const char *torc_scan_target(const char *at, const char *end);

const char *torc_scan_token(const char *at, const char *end);

/*
 * How many of the 16 bytes at `at` go before the first that no usual name has (something else than
 * a letter, a digit or `-`), or before the first that ends a value: the short way for most names
 * and values.
 */
static inline unsigned torc_scan_name16(const char *at);
static inline unsigned torc_scan_value16(const char *at);

const char *torc_scan_value_scalar(const char *at, const char *end);
const char *torc_scan_target_scalar(const char *at, const char *end);
const char *torc_scan_token_scalar(const char *at, const char *end);

#if defined(__SSE2__)

#include <emmintrin.h>

/* v - low <= span, as unsigned. */
static inline __m128i torc_scan_between(__m128i v, char low, char span) {
    const __m128i above = _mm_sub_epi8(v, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(span)), above);
}

/* A bit for each byte that is no letter, digit or `-`: names have hardly anything else. */
static inline unsigned torc_scan_name_ends(__m128i v) {
    const __m128i letters = torc_scan_between(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 25);
    const __m128i others =
        _mm_or_si128(torc_scan_between(v, '0', 9), _mm_cmpeq_epi8(v, _mm_set1_epi8('-')));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(letters, others)) ^ 0xffff;
}

/* A bit for each byte that ends a value: v <= 0x1f (as unsigned: max(v, 0x20) != v) and no HTAB; or
 * DEL. */
static inline unsigned torc_scan_value_ends(__m128i v) {
    const __m128i visible = _mm_cmpeq_epi8(_mm_max_epu8(v, _mm_set1_epi8(0x20)), v);
    const __m128i fine = _mm_or_si128(visible, _mm_cmpeq_epi8(v, _mm_set1_epi8('\t')));
    const __m128i bad = _mm_andnot_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)), fine);
    return (unsigned)_mm_movemask_epi8(bad) ^ 0xffff;
}

static inline __m128i torc_scan_load(const char *at) {
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline unsigned torc_scan_name16(const char *at) {
    return (unsigned)__builtin_ctz(torc_scan_name_ends(torc_scan_load(at)) | 0x10000);
}

static inline unsigned torc_scan_value16(const char *at) {
    return (unsigned)__builtin_ctz(torc_scan_value_ends(torc_scan_load(at)) | 0x10000);
}

#else

static inline unsigned torc_scan_name16(const char *at) {
    return (unsigned)(torc_scan_token(at, at + 16) - at);
}

static inline unsigned torc_scan_value16(const char *at) {
    return (unsigned)(torc_scan_value(at, at + 16) - at);
}

#endif

#endif
