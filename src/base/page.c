/* SPDX-License-Identifier: MIT */
/*
 * Pooled pages.
 *
 *  - A page in use has references and is counted under its class; a free one is in the pool's list,
 *    counted as TORC_MEMORY_OTHER, and its bytes are poisoned.
 *  - The page freed last is taken first: it is hot in the cache.
 */
#include <assert.h>

#include "base/alloc.h"
#include "base/page.h"
#include "base/poison.h"

static_assert(offsetof(torc_page, bytes) == TORC_PAGE_SIZE - TORC_PAGE_BYTES,
              "the bytes fill the page");

void torc_page_pool_init(torc_page_pool *pool, torc_memory *memory, uint32_t free_max) {
    *pool = (torc_page_pool){.memory = memory, .free_max = free_max};
}

void torc_page_pool_dispose(torc_page_pool *pool) {
    assert(pool->used_count == 0);
    torc_page_pool_trim(pool);
}

void torc_page_pool_trim(torc_page_pool *pool) {
    while (pool->free) {
        torc_page *page = pool->free;

        pool->free = page->next;
        torc_unpoison(page->bytes, TORC_PAGE_BYTES);
        torc_dealloc(pool->memory, page);
    }
    pool->free_count = 0;
}

static torc_page *take_free(torc_page_pool *pool, torc_memory_class class_) {
    torc_page *page = pool->free;

    pool->free = page->next;
    pool->free_count--;
    torc_unpoison(page->bytes, TORC_PAGE_BYTES);
    torc_alloc_reclass(pool->memory, page, class_);
    return page;
}

torc_page *torc_page_take(torc_page_pool *pool, torc_memory_class class_) {
    torc_page *page =
        pool->free ? take_free(pool, class_) : torc_alloc(pool->memory, class_, TORC_PAGE_SIZE);

    if (!page) return NULL;
    page->next = NULL;
    page->refs = 1;
    page->class_ = (uint8_t)class_;
    page->pool = pool;
    pool->used_count++;
    return page;
}

void torc_page_ref(torc_page *page) {
    assert(page->refs > 0);
    page->refs++;
}

static void give_back(torc_page *page) {
    torc_page_pool *pool = page->pool;

    pool->used_count--;
    if (pool->free_count >= pool->free_max) {
        torc_dealloc(pool->memory, page);
        return;
    }
    torc_alloc_reclass(pool->memory, page, TORC_MEMORY_OTHER);
    torc_poison(page->bytes, TORC_PAGE_BYTES);
    page->next = pool->free;
    pool->free = page;
    pool->free_count++;
}

void torc_page_unref(torc_page *page) {
    assert(page->refs > 0);
    if (--page->refs == 0) give_back(page);
}
