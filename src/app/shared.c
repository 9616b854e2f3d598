/* SPDX-License-Identifier: MIT */
/*
 * The memory that processes share.
 *
 *  - It is reserved whole and touched in parts, so what is never taken costs nothing.
 *  - A count is in a place or among the gone, in both for a moment at most: who sums while a worker
 *    ends may count it twice once, and never loses it.
 */
#include "app/shared.h"

#include <errno.h>
#include <sys/mman.h>

enum {
    ALIGNMENT = 128, /* two cache lines, which are fetched together */
    SEGMENT_BYTES = 8 * 1024 * 1024,
    RATE_KEYS = 128 * 1024 /* 2 MiB, of which pages are used as keys come */
};

torc_err torc_shared_open(torc_shared *shared, size_t place_count) {
    void *memory = mmap(NULL, SEGMENT_BYTES, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) return torc_err_from_errno(errno);
    *shared = (torc_shared){.memory = memory, .size = SEGMENT_BYTES, .place_count = place_count};
    shared->places = torc_shared_take(shared, place_count * sizeof(*shared->places));
    shared->gone = torc_shared_take(shared, TORC_SHARED_COUNTS * sizeof(*shared->gone));
    if (shared->places && shared->gone) return TORC_OK;
    torc_shared_close(shared);
    return TORC_ERR_NO_MEMORY;
}

void *torc_shared_take(torc_shared *shared, size_t size) {
    const size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

    if (rounded < size || rounded > shared->size - shared->taken) return NULL;
    void *part = shared->memory + shared->taken;
    shared->taken += rounded;
    return part;
}

torc_err torc_shared_take_rates(torc_shared *shared, torc_rate_table_store *store) {
    void *block = torc_shared_take(shared, torc_rate_table_bytes(RATE_KEYS));

    if (!block) return TORC_ERR_NO_MEMORY;
    store->table = torc_rate_table_init(block, RATE_KEYS);
    return TORC_OK;
}

void torc_shared_close(torc_shared *shared) {
    if (shared->memory) munmap(shared->memory, shared->size);
    *shared = (torc_shared){0};
}

void torc_shared_enter(torc_shared_place *place, size_t slot, uint64_t generation,
                       uint64_t now_ms) {
    for (size_t i = 0; i < TORC_SHARED_COUNTS; i++) atomic_store(&place->counts[i], 0);
    atomic_store(&place->slot, (uint32_t)slot);
    atomic_store(&place->generation, generation);
    atomic_store(&place->started_ms, now_ms);
    atomic_store(&place->beat_ms, now_ms);
}

void torc_shared_leave(torc_shared *shared, torc_shared_place *place) {
    for (size_t i = 0; i < TORC_SHARED_COUNTS; i++) {
        const uint64_t count = atomic_load(&place->counts[i]);
        if (i != TORC_SHARED_CONNECTIONS) atomic_fetch_add(&shared->gone[i], count);
        atomic_store(&place->counts[i], 0);
    }
    atomic_store(&place->pid, 0);
}

uint64_t torc_shared_sum(const torc_shared *shared, torc_shared_count count) {
    uint64_t sum = atomic_load(&shared->gone[count]);

    for (size_t i = 0; i < shared->place_count; i++)
        sum += atomic_load(&shared->places[i].counts[count]);
    return sum;
}
