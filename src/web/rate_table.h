/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_RATE_TABLE_H
#define TORC_WEB_RATE_TABLE_H

#include <stdatomic.h>
#include <torc/rate.h>

#include "base/siphash.h"

/*
 * Buckets by key in one block of memory of a fixed size, which threads and processes may share.
 *
 * A bucket is a moment: when it will be full again (the generic cell rate algorithm), so that it
 * is changed by one atomic operation, filled by time alone, and forgotten at no cost once that
 * moment has passed.
 */
typedef struct torc_rate_slot {
    _Atomic uint64_t tag;  /* the key's hash; 0: nobody's */
    _Atomic uint64_t word; /* 12 bits of the hash, 52 of the moment */
} torc_rate_slot;

enum {
    TORC_RATE_SET_SLOTS = 8 /* of one set: two cache lines */
};

typedef struct torc_rate_table {
    _Alignas(128) torc_siphash_key key;
    uint64_t set_mask;
    _Atomic uint64_t epoch_us; /* moments count from here; 0: nobody has asked yet */
    _Alignas(128) torc_rate_slot slots[];
} torc_rate_table;

/* How large the block for so many keys is. */
size_t torc_rate_table_bytes(size_t keys);
/* Make a table of a block of zeros, aligned to 128 bytes, before anybody shares it. */
torc_rate_table *torc_rate_table_init(void *block, size_t keys);
/* As torc_rate_store_ops.take; never fails. Any thread of any process. */
void torc_rate_table_take(torc_rate_table *table, torc_str key, const torc_rate *rate,
                          uint32_t cost, uint64_t now_us, torc_rate_answer *answer);

/* A store over a table, which is lent and may come later: nothing is limited before. */
typedef struct torc_rate_table_store {
    torc_rate_store base;
    torc_rate_table *table;
} torc_rate_table_store;
void torc_rate_table_store_init(torc_rate_table_store *store);

#endif
