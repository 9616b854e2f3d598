/* SPDX-License-Identifier: MIT */
/*
 * Chains of bytes on their way out.
 *
 *  - `len` is the sum of the segments' lengths. Only the last segment may be empty: room that was
 *    reserved and not yet committed to.
 *  - An open segment ends where its page is free: bytes may be added behind it. A page has one open
 *    segment at most, however many refer to it.
 */
#include "reactor/chain.h"

#include <unistd.h>

enum {
    SHORT_BYTES = 512
};

void torc_chain_pool_init(torc_chain_pool *pool, torc_page_pool *pages, uint32_t free_max) {
    *pool = (torc_chain_pool){.pages = pages, .free_max = free_max};
}

void torc_chain_pool_dispose(torc_chain_pool *pool) {
    while (pool->free) {
        torc_segment *segment = pool->free;
        pool->free = segment->next;
        torc_dealloc(pool->pages->memory, segment);
    }
    pool->free_count = 0;
}

static torc_segment *take_segment(torc_chain_pool *pool) {
    torc_segment *segment = pool->free;

    if (!segment) return torc_alloc(pool->pages->memory, TORC_MEMORY_OUTPUT, sizeof(*segment));
    pool->free = segment->next;
    pool->free_count--;
    return segment;
}

static void give_segment(torc_chain_pool *pool, torc_segment *segment) {
    if (pool->free_count >= pool->free_max) {
        torc_dealloc(pool->pages->memory, segment);
        return;
    }
    segment->next = pool->free;
    pool->free = segment;
    pool->free_count++;
}

static void drop(torc_chain_pool *pool, torc_segment *segment) {
    if (segment->kind == TORC_SEGMENT_PAGE)
        torc_page_unref(segment->owner.page);
    else if (segment->kind == TORC_SEGMENT_CHUNK)
        torc_chunk_unref(segment->owner.chunk);
    else
        torc_shared_file_unref(segment->owner.file);
    give_segment(pool, segment);
}

static void append(torc_chain *chain, torc_segment *segment) {
    segment->next = NULL;
    if (chain->last)
        chain->last->next = segment;
    else
        chain->first = segment;
    chain->last = segment;
    chain->len += segment->len;
}

void torc_chain_init(torc_chain *chain, torc_chain_pool *pool) {
    *chain = (torc_chain){.pool = pool};
}

/* Drop the segments behind `last` (NULL: all), whose bytes are not counted any more. */
static void cut_after(torc_chain *chain, torc_segment *last) {
    torc_segment *segment = last ? last->next : chain->first;

    while (segment) {
        torc_segment *next = segment->next;
        drop(chain->pool, segment);
        segment = next;
    }
    if (last)
        last->next = NULL;
    else
        chain->first = NULL;
    chain->last = last;
}

void torc_chain_clear(torc_chain *chain) {
    cut_after(chain, NULL);
    chain->len = 0;
}

/* Bytes that are free behind the last segment. */
static size_t tail_room(const torc_chain *chain) {
    const torc_segment *last = chain->last;

    if (!last || last->kind != TORC_SEGMENT_PAGE || !last->is_open) return 0;
    return (size_t)(last->owner.page->bytes + TORC_PAGE_BYTES - (last->bytes + last->len));
}

static bool add_page(torc_chain *chain) {
    torc_page *page = torc_page_take(chain->pool->pages, TORC_MEMORY_OUTPUT);
    torc_segment *segment = page ? take_segment(chain->pool) : NULL;

    if (!segment) {
        if (page) torc_page_unref(page);
        return false;
    }
    *segment = (torc_segment){
        .kind = TORC_SEGMENT_PAGE,
        .is_open = true,
        .bytes = page->bytes,
        .owner.page = page,
    };
    append(chain, segment);
    return true;
}

char *torc_chain_reserve(torc_chain *chain, size_t len) {
    if (tail_room(chain) < len && !add_page(chain)) return NULL;
    torc_segment *last = chain->last;
    return last->owner.page->bytes + (last->bytes - last->owner.page->bytes) + last->len;
}

char *torc_chain_room(torc_chain *chain, size_t *len) {
    char *const room = torc_chain_reserve(chain, 1);

    if (room) *len = tail_room(chain);
    return room;
}

void torc_chain_commit(torc_chain *chain, size_t len) {
    chain->last->len += len;
    chain->len += len;
}

torc_err torc_chain_add_bytes(torc_chain *chain, torc_str bytes) {
    torc_segment *const last = chain->last;
    const size_t last_len = last ? last->len : 0, chain_len = chain->len;

    while (bytes.len > 0) {
        const size_t room = tail_room(chain);
        const size_t max = room > 0 ? room : TORC_PAGE_BYTES;
        const size_t part = bytes.len < max ? bytes.len : max;
        char *to = torc_chain_reserve(chain, part);
        if (!to) {
            cut_after(chain, last);
            if (last) last->len = last_len;
            chain->len = chain_len;
            return TORC_ERR_NO_MEMORY;
        }
        memcpy(to, bytes.bytes, part);
        torc_chain_commit(chain, part);
        bytes = torc_str_from(bytes, part);
    }
    return TORC_OK;
}

torc_err torc_chain_add_chunk(torc_chain *chain, torc_chunk *chunk, size_t offset, size_t len) {
    if (len == 0) return TORC_OK;

    torc_segment *segment = take_segment(chain->pool);
    if (!segment) return TORC_ERR_NO_MEMORY;
    *segment = (torc_segment){
        .kind = TORC_SEGMENT_CHUNK,
        .len = len,
        .bytes = chunk->bytes + offset,
        .owner.chunk = torc_chunk_ref(chunk),
    };
    append(chain, segment);
    return TORC_OK;
}

torc_err torc_chain_add_file(torc_chain *chain, torc_shared_file *file, uint64_t offset,
                             uint64_t len) {
    if (len == 0) return TORC_OK;

    torc_segment *segment = take_segment(chain->pool);
    if (!segment) return TORC_ERR_NO_MEMORY;
    *segment = (torc_segment){
        .kind = TORC_SEGMENT_FILE,
        .len = len,
        .offset = offset,
        .owner.file = torc_shared_file_ref(file),
    };
    append(chain, segment);
    return TORC_OK;
}

/* Copy a short first segment of bytes into what is free behind `to`: whether that was possible. */
static bool join(torc_chain *to, const torc_segment *segment) {
    if (segment->kind == TORC_SEGMENT_FILE || segment->len > SHORT_BYTES ||
        tail_room(to) < segment->len)
        return false;
    memcpy(torc_chain_reserve(to, segment->len), segment->bytes, segment->len);
    torc_chain_commit(to, segment->len);
    return true;
}

void torc_chain_move(torc_chain *to, torc_chain *from) {
    torc_segment *segment = from->first;

    if (segment && join(to, segment)) {
        from->first = segment->next;
        from->len -= segment->len;
        drop(from->pool, segment);
        segment = from->first;
    }
    if (segment) {
        if (to->last)
            to->last->next = segment;
        else
            to->first = segment;
        to->last = from->last;
        to->len += from->len;
    }
    *from = (torc_chain){.pool = from->pool};
}

/* Take another reference to what a segment refers to. */
static void ref_owner(const torc_segment *segment) {
    if (segment->kind == TORC_SEGMENT_PAGE)
        torc_page_ref(segment->owner.page);
    else if (segment->kind == TORC_SEGMENT_CHUNK)
        torc_chunk_ref(segment->owner.chunk);
    else
        torc_shared_file_ref(segment->owner.file);
}

static void advance(torc_segment *segment, size_t len) {
    segment->len -= len;
    segment->offset += len;
    if (segment->bytes) segment->bytes += len;
}

torc_err torc_chain_move_head(torc_chain *to, torc_chain *from, size_t len) {
    torc_segment *split = NULL, *segment = from->first;
    size_t whole = 0; /* bytes of the segments that move as they are */

    if (len >= from->len) {
        torc_chain_move(to, from);
        return TORC_OK;
    }
    for (; whole + segment->len <= len; segment = segment->next) whole += segment->len;
    if (whole < len) {
        split = take_segment(from->pool);
        if (!split) return TORC_ERR_NO_MEMORY;
        *split = *segment;
        split->len = len - whole;
        split->is_open = false;
        ref_owner(segment);
        advance(segment, len - whole);
    }
    while (from->first != segment) {
        torc_segment *moved = from->first;
        from->first = moved->next;
        append(to, moved);
    }
    if (split) append(to, split);
    from->len -= len;
    return TORC_OK;
}

/* Empty segments at the front are dropped, too. */
void torc_chain_consume(torc_chain *chain, size_t len) {
    if (len >= chain->len) {
        torc_chain_clear(chain);
        return;
    }
    chain->len -= len;
    for (torc_segment *first = chain->first; len >= first->len; first = chain->first) {
        len -= first->len;
        chain->first = first->next;
        drop(chain->pool, first);
    }
    advance(chain->first, len);
}

int torc_chain_iov(const torc_chain *chain, struct iovec *iov, int max, size_t limit,
                   size_t *total) {
    int count = 0;

    *total = 0;
    for (const torc_segment *segment = chain->first; segment && count < max && *total < limit;
         segment = segment->next) {
        if (segment->kind == TORC_SEGMENT_FILE) break;
        if (segment->len == 0) continue;
        const size_t left = limit - *total, len = segment->len < left ? segment->len : left;
        iov[count++] =
            (struct iovec){.iov_base = (void *)(uintptr_t)segment->bytes, .iov_len = len};
        *total += len;
    }
    return count;
}

torc_chunk *torc_chunk_ref(torc_chunk *chunk) {
    chunk->refs++;
    return chunk;
}

void torc_chunk_unref(torc_chunk *chunk) {
    if (--chunk->refs == 0) chunk->free(chunk);
}

typedef struct copied_chunk {
    torc_chunk base;
    torc_memory *memory;
    char bytes[];
} copied_chunk;

static void free_copy(torc_chunk *chunk) {
    copied_chunk *self = torc_container_of(chunk, copied_chunk, base);
    torc_dealloc(self->memory, self);
}

torc_chunk *torc_chunk_copy(torc_memory *memory, torc_str bytes) {
    copied_chunk *self = torc_alloc(memory, TORC_MEMORY_OUTPUT, sizeof(*self) + bytes.len);

    if (!self) return NULL;
    self->base = (torc_chunk){.bytes = self->bytes, .len = bytes.len, .refs = 1, .free = free_copy};
    self->memory = memory;
    if (bytes.len) memcpy(self->bytes, bytes.bytes, bytes.len);
    return &self->base;
}

torc_shared_file *torc_shared_file_ref(torc_shared_file *file) {
    file->refs++;
    return file;
}

void torc_shared_file_unref(torc_shared_file *file) {
    if (--file->refs == 0) file->free(file);
}

typedef struct owned_file {
    torc_shared_file base;
    torc_memory *memory;
} owned_file;

static void free_file(torc_shared_file *file) {
    owned_file *self = torc_container_of(file, owned_file, base);
    close(file->fd);
    torc_dealloc(self->memory, self);
}

torc_shared_file *torc_shared_file_new(torc_memory *memory, int fd) {
    owned_file *self = torc_alloc(memory, TORC_MEMORY_OUTPUT, sizeof(*self));

    if (!self) return NULL;
    self->base = (torc_shared_file){.fd = fd, .refs = 1, .free = free_file};
    self->memory = memory;
    return &self->base;
}
