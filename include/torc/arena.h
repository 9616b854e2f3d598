/* SPDX-License-Identifier: MIT */
#ifndef TORC_ARENA_H
#define TORC_ARENA_H

#include <torc/memory.h>
#include <torc/str.h>

/**
 * Arenas: memory that is taken piece by piece and given back all at once.
 *
 * An arena takes pages from its pool, and larger blocks from the memory for what does not fit into
 * one. Taking costs an addition and a comparison. A mark and a rewind give back what was taken in
 * between: each message of a long stream uses scratch that is rewound. Belongs to one thread.
 */
struct torc_arena {
    struct torc_page_pool *pool;    /* private, as all of it */
    struct torc_page *page;         /* the newest, from which is taken */
    struct torc_arena_large *large; /* the newest of those that did not fit into a page */
    char *next, *end;               /* what is free in the page */
    size_t used, max;               /* bytes held, and their limit */
};

/** A place to rewind to. */
typedef struct torc_arena_mark {
    struct torc_page *page; /* private, as all of it */
    struct torc_arena_large *large;
    char *next;
} torc_arena_mark;

TORC_BEGIN_DECLS

/**
 * Make an empty arena that will hold at most `max` bytes, counted in whole pages (4096) and larger
 * blocks. Allocates nothing yet.
 */
TORC_API void torc_arena_init(torc_arena *arena, struct torc_page_pool *pool, size_t max);
/**
 * An arena with pages of its own, for work without a request. `memory` may be NULL. Returns NULL
 * when out of memory.
 */
TORC_API torc_arena *torc_arena_new(torc_memory *memory, size_t max) TORC_MUST_CHECK;
/** Free an arena of torc_arena_new() and all that is in it. NULL is fine. */
TORC_API void torc_arena_free(torc_arena *arena);
/** Give everything back and leave the arena empty and usable. */
TORC_API void torc_arena_dispose(torc_arena *arena);
/** `size` bytes aligned for any type, not cleared, or NULL: out of memory or beyond the maximum. */
TORC_API void *torc_arena_alloc(torc_arena *arena, size_t size) TORC_MUST_CHECK;
/** The same, cleared, for `count` elements; NULL also when the product overflows. */
TORC_API void *torc_arena_alloc_zero(torc_arena *arena, size_t count, size_t size) TORC_MUST_CHECK;
/** `size` bytes with no alignment, for text. */
TORC_API char *torc_arena_bytes(torc_arena *arena, size_t size) TORC_MUST_CHECK;
/** Copy a slice into the arena; `copy` lives as long as the arena. */
TORC_API torc_err torc_arena_copy(torc_arena *arena, torc_str str, torc_str *copy) TORC_MUST_CHECK;
/** Copy a slice and end it by NUL; NULL when out of memory. */
TORC_API char *torc_arena_cstr(torc_arena *arena, torc_str str) TORC_MUST_CHECK;
/** Where the arena is now. */
TORC_API torc_arena_mark torc_arena_mark_take(const torc_arena *arena);
/** Give back all that was taken since `mark`. Marks taken later become invalid. */
TORC_API void torc_arena_rewind(torc_arena *arena, torc_arena_mark mark);

TORC_END_DECLS

#endif
