/* SPDX-License-Identifier: MIT */
/*
 * The only place that calls malloc and free.
 *
 *  - A block is preceded by a header with its size and class, so that giving it back needs neither;
 *    but for objects, whose owners know both.
 *  - used_total is the sum of used[], and at most the limit when there is one.
 *  - Nothing changes when an allocation fails, but for the count of those.
 *  - Without a torc_memory (NULL) nothing is counted or limited: what a program sets up before
 *    there is a reactor, such as its tree of resources, is allocated so.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/uncounted.h"

typedef struct header {
    size_t size; /* as asked for */
    uint32_t class_;
    uint32_t magic; /* a block that was not allocated here, or given back twice, lacks it */
} header;

enum {
    MAGIC = 0x70726374
};

static_assert(sizeof(header) == TORC_ALLOC_OVERHEAD, "the header is what the overhead says");

static header *header_of(const void *pointer) {
    header *block = (header *)(uintptr_t)pointer - 1;
    assert(block->magic == MAGIC);
    return block;
}

void torc_memory_init(torc_memory *memory, size_t limit) {
    *memory = (torc_memory){.limit = limit};
}

static bool fits(const torc_memory *memory, size_t bytes) {
    const size_t limit = memory->limit ? memory->limit : SIZE_MAX;
    return memory->used_total <= limit && bytes <= limit - memory->used_total;
}

static void count(torc_memory *memory, uint32_t class_, size_t bytes) {
    if (!memory) return;
    memory->used[class_] += bytes;
    memory->used_total += bytes;
    if (memory->used_total > memory->used_peak) memory->used_peak = memory->used_total;
}

static void uncount(torc_memory *memory, uint32_t class_, size_t bytes) {
    if (!memory) return;
    assert(memory->used[class_] >= bytes);
    memory->used[class_] -= bytes;
    memory->used_total -= bytes;
}

/* Whether `size` more bytes may be had now: no fault is asked for, and the limit allows it. */
static bool may_allocate(torc_memory *memory, size_t size, size_t bytes) {
    if (!memory) return !torc_uncounted_fault || !torc_uncounted_fault(size);
    if (memory->fault && memory->fault(memory->fault_context, size)) return false;
    return fits(memory, bytes);
}

static void *refuse(torc_memory *memory) {
    if (memory) memory->refused++;
    return NULL;
}

static void *allocate(torc_memory *memory, torc_memory_class class_, size_t size, bool clear) {
    assert((unsigned)class_ < TORC_MEMORY_CLASSES);
    if (size > PTRDIFF_MAX - sizeof(header)) return refuse(memory);

    const size_t bytes = size + sizeof(header);
    if (!may_allocate(memory, size, bytes)) return refuse(memory);

    header *block = clear ? calloc(1, bytes) : malloc(bytes);
    if (!block) return refuse(memory);

    *block = (header){.size = size, .class_ = class_, .magic = MAGIC};
    count(memory, class_, bytes);
    if (memory) memory->allocated++;
    return block + 1;
}

void *torc_alloc(torc_memory *memory, torc_memory_class class_, size_t size) {
    return allocate(memory, class_, size, false);
}

void *torc_alloc_zero(torc_memory *memory, torc_memory_class class_, size_t number, size_t size) {
    size_t total;

    if (__builtin_mul_overflow(number, size, &total)) return refuse(memory);
    return allocate(memory, class_, total, true);
}

void *torc_realloc(torc_memory *memory, void *pointer, size_t size) {
    header *old = header_of(pointer);
    const size_t old_size = old->size;
    const uint32_t class_ = old->class_;

    if (size > PTRDIFF_MAX - sizeof(header)) return refuse(memory);
    if (!may_allocate(memory, size, size > old_size ? size - old_size : 0)) return refuse(memory);

    header *block = realloc(old, size + sizeof(header));
    if (!block) return refuse(memory);

    block->size = size;
    uncount(memory, class_, old_size);
    count(memory, class_, size);
    if (memory) memory->allocated++;
    return block + 1;
}

void torc_dealloc(torc_memory *memory, void *pointer) {
    if (!pointer) return;

    header *block = header_of(pointer);
    uncount(memory, block->class_, block->size + sizeof(header));
    block->magic = 0;
    free(block);
}

void *torc_object_alloc(torc_memory *memory, torc_memory_class class_, size_t size) {
    if (!may_allocate(memory, size, size)) return refuse(memory);

    void *object = malloc(size);
    if (!object) return refuse(memory);
    count(memory, class_, size);
    if (memory) memory->allocated++;
    return object;
}

void torc_object_dealloc(torc_memory *memory, torc_memory_class class_, void *object, size_t size) {
    uncount(memory, class_, size);
    free(object);
}

torc_err torc_memory_charge(torc_memory *memory, torc_memory_class class_, size_t bytes) {
    if (!may_allocate(memory, bytes, bytes)) {
        if (memory) memory->refused++;
        return TORC_ERR_NO_MEMORY;
    }
    count(memory, class_, bytes);
    return TORC_OK;
}

void torc_memory_discharge(torc_memory *memory, torc_memory_class class_, size_t bytes) {
    uncount(memory, class_, bytes);
}

void torc_alloc_reclass(torc_memory *memory, void *pointer, torc_memory_class class_) {
    header *block = header_of(pointer);
    const size_t bytes = block->size + sizeof(header);

    if (memory) {
        memory->used[block->class_] -= bytes;
        memory->used[class_] += bytes;
    }
    block->class_ = class_;
}

size_t torc_alloc_size(const void *pointer) {
    return header_of(pointer)->size;
}
