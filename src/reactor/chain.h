/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_CHAIN_H
#define TORC_REACTOR_CHAIN_H

#include <sys/uio.h>
#include <torc/str.h>

#include "base/page.h"

/*
 * Chains: bytes on their way out, in order, in pieces.
 *
 * A segment is a part of a pooled page (bytes that were copied or serialised), a reference to a
 * counted chunk (large bytes that are not copied), or a range of a file. Segments come from a free
 * list of the pool, so the hot path allocates nothing. A chain owns its segments, and each segment
 * holds a reference to its page, chunk or file. Everything belongs to one thread.
 */

/* Counted bytes that never change. `free` is called with the last reference. */
typedef struct torc_chunk torc_chunk;
struct torc_chunk {
    const char *bytes;
    size_t len;
    uint32_t refs;
    void (*free)(torc_chunk *chunk);
};

/* A counted open file; `free` is called with the last reference and closes it. */
typedef struct torc_shared_file torc_shared_file;
struct torc_shared_file {
    int fd;
    uint32_t refs;
    void (*free)(torc_shared_file *file);
    /* Bytes that were in the page cache at a time of the reactor's; private to file_warmer.c. */
    uint64_t warm_from, warm_to, warm_ms;
};

typedef enum torc_segment_kind {
    TORC_SEGMENT_PAGE,
    TORC_SEGMENT_CHUNK,
    TORC_SEGMENT_FILE
} torc_segment_kind;

typedef struct torc_segment {
    struct torc_segment *next;
    uint8_t kind;
    bool is_open;      /* private to chain.c */
    size_t len;        /* what is left of it */
    const char *bytes; /* what is left; not of a file */
    uint64_t offset;   /* where in the file what is left begins */
    union {
        torc_page *page;
        torc_chunk *chunk;
        torc_shared_file *file;
    } owner;
} torc_segment;

/* Where segments and pages come from; one per reactor. */
typedef struct torc_chain_pool {
    torc_page_pool *pages;
    torc_segment *free;
    uint32_t free_count, free_max;
} torc_chain_pool;

struct torc_chain {
    torc_chain_pool *pool;
    torc_segment *first, *last;
    size_t len; /* bytes of all segments, those in files too */
};

void torc_chain_pool_init(torc_chain_pool *pool, torc_page_pool *pages, uint32_t free_max);
void torc_chain_pool_dispose(torc_chain_pool *pool);

void torc_chain_init(torc_chain *chain, torc_chain_pool *pool);
/* Drop all that is in the chain. */
void torc_chain_clear(torc_chain *chain);
/*
 * `len` contiguous bytes (at most TORC_PAGE_BYTES) at the end, to be written and then counted by
 * torc_chain_commit(); NULL when out of memory. Until then the chain is unchanged.
 */
char *torc_chain_reserve(torc_chain *chain, size_t len) TORC_MUST_CHECK;
void torc_chain_commit(torc_chain *chain, size_t len);
/* The same for as many bytes as are free in the last page, or in a new one: `*len` of them. */
char *torc_chain_room(torc_chain *chain, size_t *len) TORC_MUST_CHECK;
/* Copy bytes to the end, over as many pages as it takes: all of them or none. */
torc_err torc_chain_add_bytes(torc_chain *chain, torc_str bytes) TORC_MUST_CHECK;
/* Refer to a part of a chunk; takes a reference of its own on success. */
torc_err torc_chain_add_chunk(torc_chain *chain, torc_chunk *chunk, size_t offset,
                              size_t len) TORC_MUST_CHECK;
/* Refer to a range of a file; takes a reference of its own on success. */
torc_err torc_chain_add_file(torc_chain *chain, torc_shared_file *file, uint64_t offset,
                             uint64_t len) TORC_MUST_CHECK;
/*
 * Move all of `from` to the end of `to`, leaving `from` empty. Short bytes (at most 512) are copied
 * into what is free of the last page of `to`, so that they leave in one piece with it.
 */
void torc_chain_move(torc_chain *to, torc_chain *from);
/* Move the first `len` bytes; splits a segment where needed, which may fail and then moves nothing.
 */
torc_err torc_chain_move_head(torc_chain *to, torc_chain *from, size_t len) TORC_MUST_CHECK;
/* Drop the first `len` bytes, at most all. */
void torc_chain_consume(torc_chain *chain, size_t len);
/*
 * Describe the bytes at the front for writev: at most `max` pieces and `limit` bytes, ending before
 * the first file range. Returns the number of pieces, and their bytes in `*total`.
 */
int torc_chain_iov(const torc_chain *chain, struct iovec *iov, int max, size_t limit,
                   size_t *total);

torc_chunk *torc_chunk_ref(torc_chunk *chunk);
void torc_chunk_unref(torc_chunk *chunk);
/* A chunk with its own copy of the bytes, counted as output; NULL when out of memory. */
torc_chunk *torc_chunk_copy(torc_memory *memory, torc_str bytes) TORC_MUST_CHECK;
torc_shared_file *torc_shared_file_ref(torc_shared_file *file);
void torc_shared_file_unref(torc_shared_file *file);
/* Take `fd`, which the last unref closes; NULL when out of memory, and the fd stays the caller's.
 */
torc_shared_file *torc_shared_file_new(torc_memory *memory, int fd) TORC_MUST_CHECK;

#endif
