/* SPDX-License-Identifier: MIT */
/*
 * Buckets by key, shared without locks: a process that dies anywhere in here holds up nobody.
 *
 *  - A slot belongs to the key whose hash is its tag. Its word tells whose moment it has: after a
 *    slot has changed hands, and until its new owner has written its own, the old word is there,
 *    and its 12 bits of the hash say that it is not the new owner's, whose bucket is full then.
 *  - A moment is changed by comparing and exchanging the word that was looked at, so of two who
 *    take at once the second looks again.
 *  - A key is in the slots of one set. When none of these is free, that with the earliest moment is
 *    taken: a bucket that is full loses nothing by that, any other as little as possible.
 *    Who floods the table with keys has buckets that are nearly full, and displaces those.
 *  - Two who bring the same new key at the same moment may take two slots; the second of these is
 *    never looked at again. So what is lost is what was taken in that moment.
 *  - The hash has a secret key, so that nobody can choose keys for one set.
 *  - Moments count in 1/16 µs from a second before the table was first asked, and begin again at 0
 *    after 8 years: one that seems to be more than a year ahead has passed.
 */
#include "web/rate_table.h"

#include "base/alloc.h"

enum {
    MOMENT_BITS = 52,
    UNITS_PER_US = 16,
    SECOND_US = 1000000,
    KEYS_MAX = 1 << 24,
    BLOCK_ALIGNMENT = 128
};
#define MOMENT_MASK (((uint64_t)1 << MOMENT_BITS) - 1)
#define AHEAD_MAX ((uint64_t)1 << 49) /* 407 days: a bucket is full within a year */

static size_t sets_for(size_t keys) {
    size_t sets = 1;

    if (keys > KEYS_MAX) keys = KEYS_MAX;
    while (sets * TORC_RATE_SET_SLOTS < keys) sets *= 2;
    return sets;
}

size_t torc_rate_table_bytes(size_t keys) {
    return sizeof(torc_rate_table) + sets_for(keys) * TORC_RATE_SET_SLOTS * sizeof(torc_rate_slot);
}

torc_rate_table *torc_rate_table_init(void *block, size_t keys) {
    torc_rate_table *table = block;

    table->key = torc_siphash_key_random();
    table->set_mask = sets_for(keys) - 1;
    return table;
}

/* The present moment on the table's clock. Clocks of processes are read at different times: one
 * that is behind the first is at 0. */
static uint64_t moment_of(torc_rate_table *table, uint64_t now_us) {
    uint64_t epoch_us = atomic_load_explicit(&table->epoch_us, memory_order_relaxed);

    if (!epoch_us) {
        const uint64_t mine = now_us > SECOND_US ? now_us - SECOND_US : 1;
        if (atomic_compare_exchange_strong(&table->epoch_us, &epoch_us, mine)) epoch_us = mine;
    }
    return now_us > epoch_us ? (now_us - epoch_us) * UNITS_PER_US : 0;
}

/* ---- slots ---- */

static uint64_t check_of(uint64_t tag) {
    return tag & ~MOMENT_MASK;
}

/* Units from `now` until the bucket of a tag is full, as a word tells: none, if it is another's. */
static uint64_t ahead_in(uint64_t word, uint64_t tag, uint64_t now) {
    const uint64_t ahead = (word - now) & MOMENT_MASK;

    return check_of(word) == check_of(tag) && ahead <= AHEAD_MAX ? ahead : 0;
}

/* The slot of a tag, or NULL and the one to take. */
static torc_rate_slot *find(torc_rate_slot *set, uint64_t tag, uint64_t now,
                            torc_rate_slot **victim, uint64_t *victim_tag) {
    uint64_t earliest = UINT64_MAX;

    for (size_t i = 0; i < TORC_RATE_SET_SLOTS; i++) {
        const uint64_t present = atomic_load_explicit(&set[i].tag, memory_order_acquire);
        if (present == tag) return &set[i];
        const uint64_t word = atomic_load_explicit(&set[i].word, memory_order_relaxed);
        const uint64_t ahead = present ? ahead_in(word, present, now) : 0;
        if (ahead < earliest) {
            earliest = ahead;
            *victim = &set[i];
            *victim_tag = present;
        }
    }
    return NULL;
}

/* The slot of a tag, which takes one if it has none. */
static torc_rate_slot *claim(torc_rate_table *table, uint64_t tag, uint64_t now) {
    torc_rate_slot *set = table->slots + (tag & table->set_mask) * TORC_RATE_SET_SLOTS;

    for (;;) {
        torc_rate_slot *victim = set;
        uint64_t victim_tag = 0;
        torc_rate_slot *slot = find(set, tag, now, &victim, &victim_tag);
        if (slot) return slot;
        if (atomic_compare_exchange_strong(&victim->tag, &victim_tag, tag)) return victim;
    }
}

/* ---- taking ---- */

/* Units from token to token, rounded up: never more than the rate. */
static uint64_t interval_of(const torc_rate *rate) {
    const uint64_t second = (uint64_t)SECOND_US * UNITS_PER_US;

    return (rate->per_s * second + rate->count - 1) / rate->count;
}

static uint64_t in_ms(uint64_t units) {
    const uint64_t ms = (uint64_t)1000 * UNITS_PER_US;

    return (units + ms - 1) / ms;
}

/* What a bucket that is full in `ahead` units allows; in how many it is full from then on. */
static uint64_t decide(const torc_rate *rate, uint32_t cost, uint64_t ahead,
                       torc_rate_answer *answer) {
    const uint64_t interval = interval_of(rate), size = interval * torc_rate_burst(rate);
    const uint64_t wanted = ahead + interval * cost;

    answer->is_allowed = wanted <= size;
    answer->retry_ms = answer->is_allowed ? 0 : in_ms(wanted - size);
    if (answer->is_allowed) ahead = wanted;
    answer->left = ahead < size ? (uint32_t)((size - ahead) / interval) : 0;
    answer->full_ms = in_ms(ahead);
    return ahead;
}

void torc_rate_table_take(torc_rate_table *table, torc_str key, const torc_rate *rate,
                          uint32_t cost, uint64_t now_us, torc_rate_answer *answer) {
    const uint64_t hash = torc_siphash(&table->key, key), tag = hash ? hash : 1;
    const uint64_t now = moment_of(table, now_us);
    torc_rate_slot *slot;
    uint64_t word, ahead;

    if (cost > torc_rate_burst(rate)) cost = torc_rate_burst(rate);
    do {
        slot = claim(table, tag, now);
        word = atomic_load_explicit(&slot->word, memory_order_relaxed);
        ahead = decide(rate, cost, ahead_in(word, tag, now), answer);
        if (!answer->is_allowed) return;
    } while (!atomic_compare_exchange_weak(&slot->word, &word,
                                           check_of(tag) | ((now + ahead) & MOMENT_MASK)));
}

/* ---- stores ---- */

static torc_err take(torc_rate_store *store, torc_str key, const torc_rate *rate, uint32_t cost,
                     uint64_t now_us, torc_rate_answer *answer) {
    torc_rate_table *table = torc_container_of(store, torc_rate_table_store, base)->table;

    if (!table) return TORC_ERR_STATE;
    torc_rate_table_take(table, key, rate, cost, now_us, answer);
    return TORC_OK;
}

static const torc_rate_store_ops lent_ops = {.take = take};

void torc_rate_table_store_init(torc_rate_table_store *store) {
    *store = (torc_rate_table_store){.base.ops = &lent_ops};
}

static void dispose(torc_rate_store *store) {
    torc_dealloc(NULL, torc_container_of(store, torc_rate_table_store, base));
}

static const torc_rate_store_ops own_ops = {.take = take, .dispose = dispose};

torc_rate_store *torc_rate_store_new(size_t keys) {
    const size_t bytes = torc_rate_table_bytes(keys);
    torc_rate_table_store *store =
        torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*store) + bytes + BLOCK_ALIGNMENT);

    if (!store) return NULL;
    const uintptr_t behind = (uintptr_t)(store + 1) + BLOCK_ALIGNMENT - 1;
    void *block = (char *)store + (behind - behind % BLOCK_ALIGNMENT - (uintptr_t)store);
    store->base.ops = &own_ops;
    store->table = torc_rate_table_init(block, keys);
    return &store->base;
}

void torc_rate_store_free(torc_rate_store *store) {
    if (store && store->ops->dispose) store->ops->dispose(store);
}
