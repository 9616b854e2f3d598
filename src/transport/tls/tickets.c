/* SPDX-License-Identifier: MIT */
/*
 * The keys of session tickets, which several processes may share.
 *
 *  - `state` is even while nobody writes, and counts up by two with each new key. A reader copies
 *    what it needs and looks whether `state` is as before; else it copies again.
 *  - Who writes makes it odd, which one of several succeeds in; the others find the key made.
 *  - All is read and written in whole words, so that a torn copy is noticed and never undefined.
 *  - A writer that dies in between (some hundred nanoseconds) leaves `state` odd: readers give up
 *    after a while, and no tickets are made or taken from then on. Handshakes are full, and work.
 */
#include "transport/tls/tickets.h"

#include <string.h>
#include <time.h>
#include <torc/random.h>

enum {
    LIFE_S = 12 * 3600,
    TRIES = 10000,
    TIME_WORD = 10
};

static int64_t wall_seconds(void) {
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

/* Acquiring, so that who has read a new word sees in `state` that it is new. */
static uint64_t load(const uint64_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void copy_out(const torc_tls_ticket_keys *keys, int place, torc_tls_ticket_key *key) {
    for (int i = 0; i < TORC_TLS_TICKET_KEY_WORDS; i++)
        key->words[i] = load(&keys->words[place][i]);
}

static void copy_in(torc_tls_ticket_keys *keys, int place, const torc_tls_ticket_key *key) {
    for (int i = 0; i < TORC_TLS_TICKET_KEY_WORDS; i++)
        __atomic_store_n(&keys->words[place][i], key->words[i], __ATOMIC_RELEASE);
}

/* All keys as they were at one moment; false: somebody writes and does not end. */
static bool snapshot(torc_tls_ticket_keys *keys, uint32_t *state,
                     torc_tls_ticket_key copies[TORC_TLS_TICKET_KEYS]) {
    for (int i = 0; i < TRIES; i++) {
        const uint32_t before = __atomic_load_n(&keys->state, __ATOMIC_ACQUIRE);
        if (before % 2) continue;
        for (int place = 0; place < TORC_TLS_TICKET_KEYS; place++)
            copy_out(keys, place, &copies[place]);
        if (__atomic_load_n(&keys->state, __ATOMIC_RELAXED) != before) continue;
        *state = before;
        return true;
    }
    return false;
}

static torc_err make_key(torc_tls_ticket_key *key, int64_t now_s) {
    const torc_err err = torc_random_bytes(key->words, TIME_WORD * sizeof(uint64_t));

    key->words[TIME_WORD] = (uint64_t)now_s;
    return err;
}

/* Put a new key in front, if nothing has changed since `state`. */
static torc_err push(torc_tls_ticket_keys *keys, uint32_t state, int64_t now_s) {
    torc_tls_ticket_key made, older;
    const torc_err err = make_key(&made, now_s);

    if (err) return err;
    if (!__atomic_compare_exchange_n(&keys->state, &state, state + 1, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
        return TORC_OK; /* somebody else has just made one */
    for (int place = TORC_TLS_TICKET_KEYS - 1; place > 0; place--) {
        copy_out(keys, place - 1, &older);
        copy_in(keys, place, &older);
    }
    copy_in(keys, 0, &made);
    __atomic_store_n(&keys->state, state + 2, __ATOMIC_RELEASE);
    return TORC_OK;
}

torc_err torc_tls_ticket_keys_init(torc_tls_ticket_keys *keys, uint32_t life_s) {
    torc_tls_ticket_key first;
    const torc_err err = make_key(&first, wall_seconds());

    *keys = (torc_tls_ticket_keys){.life_s = life_s ? life_s : LIFE_S};
    copy_in(keys, 0, &first);
    return err;
}

torc_err torc_tls_ticket_keys_rotate(torc_tls_ticket_keys *keys) {
    return push(keys, __atomic_load_n(&keys->state, __ATOMIC_RELAXED) & ~1u, wall_seconds());
}

static bool is_old(const torc_tls_ticket_keys *keys, const torc_tls_ticket_key *key,
                   int64_t now_s) {
    return now_s - (int64_t)key->words[TIME_WORD] >= keys->life_s;
}

torc_err torc_tls_ticket_keys_newest(torc_tls_ticket_keys *keys, int64_t now_s,
                                     torc_tls_ticket_key *key) {
    torc_tls_ticket_key copies[TORC_TLS_TICKET_KEYS];
    uint32_t state;

    if (!snapshot(keys, &state, copies)) return TORC_ERR_BUSY;
    if (is_old(keys, &copies[0], now_s)) {
        const torc_err err = push(keys, state, now_s);
        if (err) return err;
        if (!snapshot(keys, &state, copies)) return TORC_ERR_BUSY;
    }
    *key = copies[0];
    return TORC_OK;
}

bool torc_tls_ticket_keys_find(torc_tls_ticket_keys *keys, const unsigned char name[16],
                               int64_t now_s, torc_tls_ticket_key *key, bool *is_newest) {
    torc_tls_ticket_key copies[TORC_TLS_TICKET_KEYS];
    uint32_t state;

    if (!snapshot(keys, &state, copies)) return false;
    for (int place = 0; place < TORC_TLS_TICKET_KEYS; place++) {
        torc_tls_ticket_key *one = &copies[place];
        if (one->words[TIME_WORD] == 0 || memcmp(torc_tls_ticket_name(one), name, 16) != 0)
            continue;
        if (now_s - (int64_t)one->words[TIME_WORD] >= (int64_t)keys->life_s * TORC_TLS_TICKET_KEYS)
            return false;
        *key = *one;
        *is_newest = place == 0 && !is_old(keys, one, now_s);
        return true;
    }
    return false;
}
