/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_GUARDED_H
#define TORC_TESTS_GUARDED_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

/*
 * Memory between two pages that nobody may touch: who reads one byte before or behind it is found,
 * in any build.
 */
typedef struct guarded {
    char *start; /* of what may be touched */
    size_t size;
} guarded;

static inline guarded guarded_new(size_t pages) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = pages * page;
    char *all = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(all, MAP_FAILED);
    assert_int_equal(mprotect(all + page, size, PROT_READ | PROT_WRITE), 0);
    return (guarded){all + page, size};
}

static inline void guarded_free(guarded *self) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(self->start - page, self->size + 2 * page);
}

/* A copy that ends where the memory does. */
static inline torc_str guarded_at_end(const guarded *self, torc_str bytes) {
    char *to = self->start + self->size - bytes.len;

    assert_true(bytes.len <= self->size);
    if (bytes.len) memcpy(to, bytes.bytes, bytes.len);
    return torc_str_make(to, bytes.len);
}

/* A copy that begins where the memory does. */
static inline torc_str guarded_at_start(const guarded *self, torc_str bytes) {
    assert_true(bytes.len <= self->size);
    if (bytes.len) memcpy(self->start, bytes.bytes, bytes.len);
    return torc_str_make(self->start, bytes.len);
}

#endif
