/* SPDX-License-Identifier: MIT */
/*
 * SipHash with one round per word and three at the end, as Aumasson and Bernstein define it.
 *
 *  - Words are little-endian whatever the machine, so that a hash means the same everywhere.
 */
#include <sys/random.h>
#include <time.h>

#include "base/siphash.h"

typedef struct sip_state {
    uint64_t a, b, c, d;
} sip_state;

typedef uint64_t fold_fn(uint64_t word);

static inline uint64_t rotated(uint64_t word, int count) {
    return word << count | word >> (64 - count);
}

static inline void turn(sip_state *sip) {
    sip->a += sip->b;
    sip->c += sip->d;
    sip->b = rotated(sip->b, 13) ^ sip->a;
    sip->d = rotated(sip->d, 16) ^ sip->c;
    sip->a = rotated(sip->a, 32) + sip->d;
    sip->c += sip->b;
    sip->d = rotated(sip->d, 21) ^ sip->a;
    sip->b = rotated(sip->b, 17) ^ sip->c;
    sip->c = rotated(sip->c, 32);
}

static inline void take_word(sip_state *sip, uint64_t word) {
    sip->d ^= word;
    turn(sip);
    sip->a ^= word;
}

/* At most 8 bytes as the low end of a word. */
static inline uint64_t word_of(const char *bytes, size_t len) {
    uint64_t word = 0;

    for (size_t i = 0; i < len; i++) word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return word;
}

static inline uint64_t as_it_is(uint64_t word) {
    return word;
}

/* Set bit 5 of each byte that is a capital letter: those where adding to the low seven bits carries
 * past 'A' and does not past 'Z', and bit 7 is clear. */
static inline uint64_t small_letters(uint64_t word) {
    const uint64_t ones = 0x0101010101010101u, low = word & (0x7f * ones);
    const uint64_t from_a = low + (0x80 - 'A') * ones, past_z = low + (0x80 - 'Z' - 1) * ones;
    const uint64_t capitals = from_a & ~past_z & ~word & (0x80 * ones);

    return word | capitals >> 2;
}

static inline uint64_t hash(const torc_siphash_key *key, torc_str bytes, fold_fn *fold) {
    const size_t whole = bytes.len & ~(size_t)7;
    sip_state sip = {
        .a = key->words[0] ^ 0x736f6d6570736575u,
        .b = key->words[1] ^ 0x646f72616e646f6du,
        .c = key->words[0] ^ 0x6c7967656e657261u,
        .d = key->words[1] ^ 0x7465646279746573u,
    };

    for (size_t i = 0; i < whole; i += 8) take_word(&sip, fold(word_of(bytes.bytes + i, 8)));
    const uint64_t rest = bytes.len > whole ? word_of(bytes.bytes + whole, bytes.len - whole) : 0;
    take_word(&sip, fold(rest) | (uint64_t)bytes.len << 56);
    sip.c ^= 0xff;
    for (int i = 0; i < 3; i++) turn(&sip);
    return sip.a ^ sip.b ^ sip.c ^ sip.d;
}

uint64_t torc_siphash(const torc_siphash_key *key, torc_str bytes) {
    return hash(key, bytes, as_it_is);
}

uint64_t torc_siphash_nocase(const torc_siphash_key *key, torc_str bytes) {
    return hash(key, bytes, small_letters);
}

/* Where the kernel has no random bytes to give (early at boot, or by a filter), the time and the
 * addresses of this process have to do: harder to guess than nothing. */
static torc_siphash_key key_of_last_resort(void) {
    torc_siphash_key key = {0};
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    key.words[0] = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^ (uintptr_t)&key;
    key.words[1] = (uint64_t)now.tv_sec ^ rotated((uintptr_t)&clock_gettime, 23);
    key.words[0] = torc_siphash(&key, TORC_STR("0"));
    key.words[1] = torc_siphash(&key, TORC_STR("1"));
    return key;
}

torc_siphash_key torc_siphash_key_random(void) {
    torc_siphash_key key;

    if (getrandom(&key, sizeof key, GRND_NONBLOCK) == (ssize_t)sizeof key) return key;
    return key_of_last_resort();
}
