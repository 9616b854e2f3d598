/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_ALLOC_H
#define TORC_BASE_ALLOC_H

#include <torc/memory.h>

/*
 * Of allocations, what only the base needs.
 */

/* Count an allocation under another class from now on. Cannot fail. */
void torc_alloc_reclass(torc_memory *memory, void *pointer, torc_memory_class class_);
/*
 * Memory for an object of which there are many, and whose size and class its owner knows: without
 * the header that others have in front, so that nothing but its size is counted. It is given back
 * by torc_object_dealloc() alone, with the same of both.
 */
void *torc_object_alloc(torc_memory *memory, torc_memory_class class_, size_t size) TORC_MUST_CHECK;
void torc_object_dealloc(torc_memory *memory, torc_memory_class class_, void *object, size_t size);
/* The size that was asked for. */
size_t torc_alloc_size(const void *pointer);

#endif
