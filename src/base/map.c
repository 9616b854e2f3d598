/* SPDX-License-Identifier: MIT */
/*
 * Open addressing with linear probing.
 *
 *  - A key stands in the first slot, from its hash's own on, that was free when it came: between
 *    the two no slot is free. Removing keeps that true by moving later keys back, so there are no
 *    tombstones.
 *  - At most three quarters of the slots are taken, so a walk always meets a free one.
 */
#include <assert.h>

#include "base/map.h"

enum {
    SLOTS_MIN = 8
};

void torc_map_init(torc_map *map, torc_memory *memory, torc_memory_class class_, bool nocase) {
    *map = (torc_map){
        .memory = memory,
        .secret = torc_siphash_key_random(),
        .nocase = nocase,
        .class_ = (uint8_t)class_,
    };
}

void torc_map_dispose(torc_map *map) {
    if (map->slots) torc_dealloc(map->memory, map->slots);
    map->slots = NULL;
    map->slot_count = map->count = 0;
}

size_t torc_map_count(const torc_map *map) {
    return map->count;
}

static uint64_t hash_of(const torc_map *map, torc_str key) {
    return map->nocase ? torc_siphash_nocase(&map->secret, key) : torc_siphash(&map->secret, key);
}

static bool is_same(const torc_map *map, torc_str a, torc_str b) {
    return map->nocase ? torc_str_equals_nocase(a, b) : torc_str_equals(a, b);
}

static size_t after(const torc_map *map, size_t place) {
    return (place + 1) & (map->slot_count - 1);
}

static size_t home_of(const torc_map *map, uint64_t hash) {
    return (size_t)hash & (map->slot_count - 1);
}

/* The slot of the key, or the free one where it would go. The map has slots. */
static size_t locate(const torc_map *map, torc_str key, uint64_t hash) {
    size_t place = home_of(map, hash);

    while (map->slots[place].value) {
        const torc_map_slot *slot = &map->slots[place];
        if (slot->hash == hash && is_same(map, slot->key, key)) break;
        place = after(map, place);
    }
    return place;
}

void *torc_map_find(const torc_map *map, torc_str key) {
    if (map->count == 0) return NULL;
    return map->slots[locate(map, key, hash_of(map, key))].value;
}

static torc_err grow(torc_map *map, size_t slot_count) {
    const torc_map old = *map;
    torc_map_slot *slots = torc_alloc_zero(map->memory, (torc_memory_class)map->class_, slot_count,
                                           sizeof(torc_map_slot));

    if (!slots) return TORC_ERR_NO_MEMORY;
    map->slots = slots;
    map->slot_count = slot_count;
    for (size_t i = 0; i < old.slot_count; i++) {
        const torc_map_slot *slot = &old.slots[i];
        if (slot->value) slots[locate(map, slot->key, slot->hash)] = *slot;
    }
    torc_dealloc(map->memory, old.slots);
    return TORC_OK;
}

static bool has_room(size_t slot_count, size_t count) {
    return count <= slot_count / 4 * 3;
}

torc_err torc_map_reserve(torc_map *map, size_t count) {
    size_t slot_count = map->slot_count ? map->slot_count : SLOTS_MIN;

    if (has_room(map->slot_count, count)) return TORC_OK;
    while (!has_room(slot_count, count)) {
        if (slot_count > SIZE_MAX / 2 / sizeof(torc_map_slot)) return TORC_ERR_NO_MEMORY;
        slot_count *= 2;
    }
    return grow(map, slot_count);
}

torc_err torc_map_set(torc_map *map, torc_str key, void *value) {
    assert(value);
    const uint64_t hash = hash_of(map, key);
    const bool is_there = map->count > 0 && map->slots[locate(map, key, hash)].value;

    if (!is_there) {
        const torc_err err = torc_map_reserve(map, map->count + 1);
        if (err) return err;
        map->count++;
    }
    map->slots[locate(map, key, hash)] = (torc_map_slot){key, hash, value};
    return TORC_OK;
}

/* Whether a key at `place` may stand at `hole` before it: its home is not in between. */
static bool may_move_back(const torc_map *map, size_t hole, size_t place) {
    const size_t mask = map->slot_count - 1;
    const size_t from_home = (place - home_of(map, map->slots[place].hash)) & mask;

    return from_home >= ((place - hole) & mask);
}

static void close_hole(torc_map *map, size_t hole) {
    for (size_t place = after(map, hole); map->slots[place].value; place = after(map, place)) {
        if (!may_move_back(map, hole, place)) continue;
        map->slots[hole] = map->slots[place];
        hole = place;
    }
    map->slots[hole] = (torc_map_slot){0};
}

void *torc_map_remove(torc_map *map, torc_str key) {
    if (map->count == 0) return NULL;

    const size_t place = locate(map, key, hash_of(map, key));
    void *value = map->slots[place].value;
    if (value) {
        close_hole(map, place);
        map->count--;
    }
    return value;
}

void torc_map_clear(torc_map *map) {
    if (map->slots) memset(map->slots, 0, map->slot_count * sizeof(torc_map_slot));
    map->count = 0;
}

void *torc_map_next(const torc_map *map, size_t *place, torc_str *key) {
    while (*place < map->slot_count) {
        const torc_map_slot *slot = &map->slots[(*place)++];

        if (!slot->value) continue;
        if (key) *key = slot->key;
        return slot->value;
    }
    return NULL;
}
