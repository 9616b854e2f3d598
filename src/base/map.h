/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_MAP_H
#define TORC_BASE_MAP_H

#include <torc/memory.h>

#include "base/siphash.h"

/*
 * Maps from texts to pointers.
 *
 * A map holds slices of the keys, not copies: the bytes of a key must stay where they are for as
 * long as it is in the map (they mostly are the value's own). Values are not NULL, and belong to
 * the caller. Hashes are keyed with random bytes, so that keys from outside cannot be made to
 * collide. Finding costs one hash and mostly one comparison. Belongs to one thread.
 */
typedef struct torc_map_slot {
    torc_str key;
    uint64_t hash;
    void *value; /* NULL: the slot is free */
} torc_map_slot;

typedef struct torc_map {
    torc_memory *memory;
    torc_map_slot *slots;
    size_t slot_count; /* a power of 2, or 0 */
    size_t count;
    torc_siphash_key secret;
    bool nocase;
    uint8_t class_;
} torc_map;

/* Make an empty map. `nocase`: keys that differ in the case of ASCII letters are the same. */
void torc_map_init(torc_map *map, torc_memory *memory, torc_memory_class class_, bool nocase);
/* Free the table; the values stay the caller's. The map is then empty and usable. */
void torc_map_dispose(torc_map *map);
size_t torc_map_count(const torc_map *map);
/* The value of a key, or NULL. */
void *torc_map_find(const torc_map *map, torc_str key);
/* Make room for `count` keys in all, so that setting up to as many cannot fail. */
torc_err torc_map_reserve(torc_map *map, size_t count) TORC_MUST_CHECK;
/* Set the value of a key; of one that is there already, the key's slice is replaced, too. */
torc_err torc_map_set(torc_map *map, torc_str key, void *value) TORC_MUST_CHECK;
/* Remove a key; answers its value, or NULL when there is none. */
void *torc_map_remove(torc_map *map, torc_str key);
/* Remove all keys, keep the table. */
void torc_map_clear(torc_map *map);
/*
 * Walk in no order: begin with `*place` 0; answers the next value and, unless `key` is NULL, its
 * key; NULL at the end. The map may not change meanwhile, but for values that are set to others.
 */
void *torc_map_next(const torc_map *map, size_t *place, torc_str *key);

#endif
