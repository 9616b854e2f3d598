/* SPDX-License-Identifier: MIT */
/*
 * Arenas: pages of a pool, filled from front to back, and large blocks beside them.
 *
 *  - `next` and `end` delimit what is free in the newest page; both are NULL while there is none.
 *    `end` is aligned, so rounding `next` up cannot pass it.
 *  - Pages and large blocks are listed newest first; a mark names the newest of both.
 *  - `used` is the sum of TORC_PAGE_SIZE per page and of each large block with its header.
 *  - Free bytes of the newest page are poisoned.
 */
#include <assert.h>
#include <torc/arena.h>

#include "base/page.h"
#include "base/poison.h"

enum {
    ALIGNMENT = 16
};

typedef struct torc_arena_large {
    struct torc_arena_large *older;
    size_t size; /* with this header */
    alignas(ALIGNMENT) char bytes[];
} torc_arena_large;

void torc_arena_init(torc_arena *arena, torc_page_pool *pool, size_t max) {
    *arena = (torc_arena){.pool = pool, .max = max};
}

static void drop_large(torc_arena *arena) {
    torc_arena_large *large = arena->large;

    arena->large = large->older;
    arena->used -= large->size;
    torc_dealloc(arena->pool->memory, large);
}

static void drop_page(torc_arena *arena) {
    torc_page *page = arena->page;

    arena->page = page->next;
    arena->used -= TORC_PAGE_SIZE;
    torc_unpoison(page->bytes, TORC_PAGE_BYTES);
    torc_page_unref(page);
}

void torc_arena_rewind(torc_arena *arena, torc_arena_mark mark) {
    while (arena->large != mark.large) drop_large(arena);
    while (arena->page != mark.page) drop_page(arena);
    arena->next = mark.next;
    arena->end = mark.page ? mark.page->bytes + TORC_PAGE_BYTES : NULL;
    if (mark.page) torc_poison(mark.next, (size_t)(arena->end - mark.next));
}

void torc_arena_dispose(torc_arena *arena) {
    torc_arena_rewind(arena, (torc_arena_mark){0});
    assert(arena->used == 0);
}

/* An arena and what it takes its pages from. */
typedef struct own_arena {
    torc_arena arena;
    torc_page_pool pool;
} own_arena;

enum {
    OWN_PAGES_KEPT = 16
};

torc_arena *torc_arena_new(torc_memory *memory, size_t max) {
    own_arena *own = torc_alloc(memory, TORC_MEMORY_ARENA, sizeof *own);

    if (!own) return NULL;
    torc_page_pool_init(&own->pool, memory, OWN_PAGES_KEPT);
    torc_arena_init(&own->arena, &own->pool, max);
    return &own->arena;
}

void torc_arena_free(torc_arena *arena) {
    if (!arena) return;
    own_arena *own = torc_container_of(arena, own_arena, arena);
    torc_memory *memory = own->pool.memory;

    torc_arena_dispose(arena);
    torc_page_pool_dispose(&own->pool);
    torc_dealloc(memory, own);
}

torc_arena_mark torc_arena_mark_take(const torc_arena *arena) {
    return (torc_arena_mark){.page = arena->page, .large = arena->large, .next = arena->next};
}

static bool has_room(const torc_arena *arena, size_t size) {
    return arena->used <= arena->max && size <= arena->max - arena->used;
}

static void *take_large(torc_arena *arena, size_t size) {
    size_t whole;

    if (__builtin_add_overflow(size, sizeof(torc_arena_large), &whole)) return NULL;
    if (!has_room(arena, whole)) return NULL;

    torc_arena_large *large = torc_alloc(arena->pool->memory, TORC_MEMORY_ARENA, whole);
    if (!large) return NULL;

    large->older = arena->large;
    large->size = whole;
    arena->large = large;
    arena->used += whole;
    return large->bytes;
}

static bool add_page(torc_arena *arena) {
    if (!has_room(arena, TORC_PAGE_SIZE)) return false;

    torc_page *page = torc_page_take(arena->pool, TORC_MEMORY_ARENA);
    if (!page) return false;

    page->next = arena->page;
    arena->page = page;
    arena->used += TORC_PAGE_SIZE;
    arena->next = page->bytes;
    arena->end = page->bytes + TORC_PAGE_BYTES;
    torc_poison(page->bytes, TORC_PAGE_BYTES);
    return true;
}

static void *take(torc_arena *arena, char *from, size_t size) {
    arena->next = from + size;
    torc_unpoison(from, size);
    return from;
}

static __attribute__((noinline)) void *take_elsewhere(torc_arena *arena, size_t size) {
    if (size > TORC_PAGE_BYTES) return take_large(arena, size);
    if (!add_page(arena)) return NULL;
    return take(arena, arena->next, size);
}

static char *aligned(char *pointer) {
    const uintptr_t mask = ALIGNMENT - 1;
    return pointer + (-(uintptr_t)pointer & mask);
}

void *torc_arena_alloc(torc_arena *arena, size_t size) {
    if (!arena->next) return take_elsewhere(arena, size);

    char *from = aligned(arena->next);
    if (size > (size_t)(arena->end - from)) return take_elsewhere(arena, size);
    return take(arena, from, size);
}

char *torc_arena_bytes(torc_arena *arena, size_t size) {
    if (!arena->next || size > (size_t)(arena->end - arena->next)) {
        return take_elsewhere(arena, size);
    }
    return take(arena, arena->next, size);
}

void *torc_arena_alloc_zero(torc_arena *arena, size_t count, size_t size) {
    size_t total;

    if (__builtin_mul_overflow(count, size, &total)) return NULL;
    void *bytes = torc_arena_alloc(arena, total);
    return bytes ? memset(bytes, 0, total) : NULL;
}

torc_err torc_arena_copy(torc_arena *arena, torc_str str, torc_str *copy) {
    char *bytes = torc_arena_bytes(arena, str.len);

    if (!bytes) return TORC_ERR_NO_MEMORY;
    if (str.len > 0) memcpy(bytes, str.bytes, str.len);
    *copy = torc_str_make(bytes, str.len);
    return TORC_OK;
}

char *torc_arena_cstr(torc_arena *arena, torc_str str) {
    if (str.len == SIZE_MAX) return NULL;

    char *text = torc_arena_bytes(arena, str.len + 1);
    if (!text) return NULL;
    if (str.len > 0) memcpy(text, str.bytes, str.len);
    text[str.len] = '\0';
    return text;
}
