/* SPDX-License-Identifier: MIT */
/*
 * Scans by vectors of bytes.
 *
 *  - What is left of a run below a vector's width goes to the scalar twin.
 *  - The choice of AVX2 is made once, when the library is loaded; both ways give the same answer.
 */
#include "protocol/http1/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message/bytes.h"

static bool ends_value(unsigned char byte) {
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

static bool ends_target(unsigned char byte) {
    return byte <= 0x20 || byte >= 0x7f;
}

const char *torc_scan_value_scalar(const char *at, const char *end) {
    while (at < end && !ends_value((unsigned char)*at)) at++;
    return at;
}

const char *torc_scan_target_scalar(const char *at, const char *end) {
    while (at < end && !ends_target((unsigned char)*at)) at++;
    return at;
}

const char *torc_scan_token_scalar(const char *at, const char *end) {
    while (at < end && torc_byte_is(*at, TORC_BYTE_TOKEN)) at++;
    return at;
}

#if defined(__x86_64__)

#include <immintrin.h>

enum {
    LONG_RUN = 64
}; /* below this AVX2 does not pay for the call */

/* As signed bytes: 0x21 to 0x7e are greater than 0x20, and less than 0x7f; the others are not both.
 */
static unsigned target_ends16(__m128i v) {
    const __m128i above = _mm_cmpgt_epi8(v, _mm_set1_epi8(0x20));
    const __m128i fine = _mm_andnot_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)), above);
    return (unsigned)_mm_movemask_epi8(fine) ^ 0xffff;
}

const char *torc_scan_token(const char *at, const char *end) {
    while (end - at >= 16) {
        const unsigned ends = torc_scan_name_ends(torc_scan_load(at));
        if (!ends) {
            at += 16;
            continue;
        }
        at += __builtin_ctz(ends);
        if (!torc_byte_is(*at, TORC_BYTE_TOKEN)) return at;
        at++;
    }
    return torc_scan_token_scalar(at, end);
}

__attribute__((target("avx2"))) static const char *value_avx2(const char *at, const char *end) {
    for (; end - at >= 32; at += 32) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)at);
        const __m256i visible = _mm256_cmpeq_epi8(_mm256_max_epu8(v, _mm256_set1_epi8(0x20)), v);
        const __m256i fine = _mm256_or_si256(visible, _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\t')));
        const __m256i bad = _mm256_andnot_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7f)), fine);
        const unsigned ends = ~(unsigned)_mm256_movemask_epi8(bad);
        if (ends) return at + __builtin_ctz(ends);
    }
    return at;
}

__attribute__((target("avx2"))) static const char *target_avx2(const char *at, const char *end) {
    for (; end - at >= 32; at += 32) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)at);
        const __m256i above = _mm256_cmpgt_epi8(v, _mm256_set1_epi8(0x20));
        const __m256i fine =
            _mm256_andnot_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7f)), above);
        const unsigned ends = ~(unsigned)_mm256_movemask_epi8(fine);
        if (ends) return at + __builtin_ctz(ends);
    }
    return at;
}

static bool has_avx2;

__attribute__((constructor)) static void look_at_machine(void) {
    __builtin_cpu_init();
    has_avx2 = __builtin_cpu_supports("avx2") != 0;
}

const char *torc_scan_value(const char *at, const char *end) {
    if (end - at >= LONG_RUN && has_avx2) {
        for (int i = 0; i < 2; i++, at += 16) { /* most runs end early all the same */
            const unsigned ends = torc_scan_value_ends(torc_scan_load(at));
            if (ends) return at + __builtin_ctz(ends);
        }
        at = value_avx2(at, end);
    }
    for (; end - at >= 16; at += 16) {
        const unsigned ends = torc_scan_value_ends(torc_scan_load(at));
        if (ends) return at + __builtin_ctz(ends);
    }
    return torc_scan_value_scalar(at, end);
}

const char *torc_scan_target(const char *at, const char *end) {
    if (end - at >= LONG_RUN && has_avx2) {
        for (int i = 0; i < 2; i++, at += 16) {
            const unsigned ends = target_ends16(torc_scan_load(at));
            if (ends) return at + __builtin_ctz(ends);
        }
        at = target_avx2(at, end);
    }
    for (; end - at >= 16; at += 16) {
        const unsigned ends = target_ends16(torc_scan_load(at));
        if (ends) return at + __builtin_ctz(ends);
    }
    return torc_scan_target_scalar(at, end);
}

#elif defined(__aarch64__)

#include <arm_neon.h>

/* Four bits for each byte that is 0xff in `ends`. */
static uint64_t mask_of(uint8x16_t ends) {
    const uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(ends), 4);
    return vget_lane_u64(vreinterpret_u64_u8(narrow), 0);
}

static uint8x16_t is_between(uint8x16_t v, uint8_t low, uint8_t span) {
    return vcleq_u8(vsubq_u8(v, vdupq_n_u8(low)), vdupq_n_u8(span));
}

/* What is no letter, digit or `-`: names have hardly anything else. */
static uint64_t plain_ends16(uint8x16_t v) {
    const uint8x16_t letters = is_between(vorrq_u8(v, vdupq_n_u8(0x20)), 'a', 25);
    const uint8x16_t others = vorrq_u8(is_between(v, '0', 9), vceqq_u8(v, vdupq_n_u8('-')));
    return mask_of(vmvnq_u8(vorrq_u8(letters, others)));
}

const char *torc_scan_token(const char *at, const char *end) {
    while (end - at >= 16) {
        const uint64_t ends = plain_ends16(vld1q_u8((const uint8_t *)at));
        if (!ends) {
            at += 16;
            continue;
        }
        at += __builtin_ctzll(ends) / 4;
        if (!torc_byte_is(*at, TORC_BYTE_TOKEN)) return at;
        at++;
    }
    return torc_scan_token_scalar(at, end);
}

const char *torc_scan_value(const char *at, const char *end) {
    for (; end - at >= 16; at += 16) {
        const uint8x16_t v = vld1q_u8((const uint8_t *)at);
        const uint8x16_t control =
            vandq_u8(vcltq_u8(v, vdupq_n_u8(0x20)), vmvnq_u8(vceqq_u8(v, vdupq_n_u8('\t'))));
        const uint64_t ends = mask_of(vorrq_u8(control, vceqq_u8(v, vdupq_n_u8(0x7f))));
        if (ends) return at + __builtin_ctzll(ends) / 4;
    }
    return torc_scan_value_scalar(at, end);
}

const char *torc_scan_target(const char *at, const char *end) {
    for (; end - at >= 16; at += 16) {
        const uint8x16_t v = vld1q_u8((const uint8_t *)at);
        const uint64_t ends =
            mask_of(vorrq_u8(vcleq_u8(v, vdupq_n_u8(0x20)), vcgeq_u8(v, vdupq_n_u8(0x7f))));
        if (ends) return at + __builtin_ctzll(ends) / 4;
    }
    return torc_scan_target_scalar(at, end);
}

#else

const char *torc_scan_token(const char *at, const char *end) {
    return torc_scan_token_scalar(at, end);
}

const char *torc_scan_value(const char *at, const char *end) {
    return torc_scan_value_scalar(at, end);
}

const char *torc_scan_target(const char *at, const char *end) {
    return torc_scan_target_scalar(at, end);
}

#endif
