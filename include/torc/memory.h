/* SPDX-License-Identifier: MIT */
#ifndef TORC_MEMORY_H
#define TORC_MEMORY_H

#include <torc/err.h>

/**
 * Memory as a parameter: what a reactor and all that belongs to it allocates from.
 *
 * A torc_memory counts the bytes in use by class, refuses what would exceed its limit, and can be
 * told to let the n-th allocation fail, so that tests see what happens then. What is counted is the
 * size asked for and TORC_ALLOC_OVERHEAD bytes. It holds no memory itself. Every object that
 * allocates is given one when it is made and keeps it until it is freed.
 *
 * NULL in place of a torc_memory is fine: then nothing is counted or limited. What a program sets
 * up before it has a reactor is allocated so.
 *
 * A torc_memory and what comes from it belong to one thread at a time; a reactor has its own.
 */

/** What bytes are used for; each class has a counter. */
typedef enum torc_memory_class {
    TORC_MEMORY_OTHER,      /* objects with a life: reactors, sites, trees, listeners */
    TORC_MEMORY_CONNECTION, /* what each connection costs while it is idle */
    TORC_MEMORY_INPUT,      /* received and not yet consumed */
    TORC_MEMORY_OUTPUT,     /* written and not yet sent */
    TORC_MEMORY_ARENA,      /* requests in progress */
    TORC_MEMORY_FIBER,      /* stacks */
    TORC_MEMORY_TLS,
    TORC_MEMORY_CACHE,
    TORC_MEMORY_CLASSES
} torc_memory_class;

/** Bytes that an allocation costs on top of its size. */
#define TORC_ALLOC_OVERHEAD ((size_t)16)

/** Asked before each allocation while set: answer true to let it fail. */
typedef bool torc_memory_fault_fn(void *context, size_t size);

struct torc_memory {
    size_t used[TORC_MEMORY_CLASSES]; /* bytes in use now */
    size_t used_total;
    size_t used_peak;
    size_t limit;       /* bytes in all; 0: no limit */
    uint64_t allocated; /* number of allocations made so far */
    uint64_t refused;   /* number of allocations that failed */
    torc_memory_fault_fn *fault;
    void *fault_context;
};

TORC_BEGIN_DECLS

/** Make a memory with all counters 0 and a limit in bytes (0: none). Needs no counterpart. */
TORC_API void torc_memory_init(torc_memory *memory, size_t limit);
/** `size` bytes, not cleared, aligned for any type; NULL when out of memory. 0 gives a valid
 * pointer. */
TORC_API void *torc_alloc(torc_memory *memory, torc_memory_class class_,
                          size_t size) TORC_MUST_CHECK;
/** The same, cleared, for `count` elements of `size` bytes; NULL also when the product overflows.
 */
TORC_API void *torc_alloc_zero(torc_memory *memory, torc_memory_class class_, size_t count,
                               size_t size) TORC_MUST_CHECK;
/**
 * Change the size of an allocation, which may move; its class stays. On failure the old one is
 * untouched and NULL is returned. `pointer` may not be NULL.
 */
TORC_API void *torc_realloc(torc_memory *memory, void *pointer, size_t size) TORC_MUST_CHECK;
/** Give an allocation back. NULL is fine. */
TORC_API void torc_dealloc(torc_memory *memory, void *pointer);
/**
 * Count bytes that do not come from here (a mapped stack, a library's own memory) against the
 * limit. Returns TORC_ERR_NO_MEMORY, and counts nothing, when they do not fit.
 */
TORC_API torc_err torc_memory_charge(torc_memory *memory, torc_memory_class class_,
                                     size_t bytes) TORC_MUST_CHECK;
/** Take back a charge. */
TORC_API void torc_memory_discharge(torc_memory *memory, torc_memory_class class_, size_t bytes);

TORC_END_DECLS

#endif
