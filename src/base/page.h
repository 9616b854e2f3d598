/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_PAGE_H
#define TORC_BASE_PAGE_H

#include <stdalign.h>
#include <torc/memory.h>

/*
 * Pages of one fixed size, pooled: what arenas, output chains and kept input are made of.
 *
 * A page is counted by class while it is in use; a free one waits in the pool (counted as OTHER),
 * hot ones first, and the pool keeps at most `free_max`. One pool per reactor; belongs to its
 * thread.
 */
enum {
    TORC_PAGE_SIZE = 4096,
    TORC_PAGE_BYTES = TORC_PAGE_SIZE - 32
};

typedef struct torc_page {
    struct torc_page *next; /* in whatever list holds the page */
    uint32_t refs;          /* 1 when taken; the last unref returns it to the pool */
    uint8_t class_;
    struct torc_page_pool *pool;
    alignas(16) char bytes[]; /* TORC_PAGE_BYTES of them */
} torc_page;

typedef struct torc_page_pool {
    torc_memory *memory;
    torc_page *free;
    uint32_t free_count, free_max;
    uint32_t used_count; /* taken and not come back */
} torc_page_pool;

void torc_page_pool_init(torc_page_pool *pool, torc_memory *memory, uint32_t free_max);
/* Every page must have come back. */
void torc_page_pool_dispose(torc_page_pool *pool);
/* Free the pages that nobody uses. */
void torc_page_pool_trim(torc_page_pool *pool);
/* A page with one reference, its bytes not cleared; NULL when out of memory. */
torc_page *torc_page_take(torc_page_pool *pool, torc_memory_class class_) TORC_MUST_CHECK;
void torc_page_ref(torc_page *page);
/* The last reference returns the page to its pool, or frees it when the pool is full. */
void torc_page_unref(torc_page *page);

#endif
