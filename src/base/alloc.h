/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_ALLOC_H
#define TORC_BASE_ALLOC_H

#include <torc/memory.h>

/*
 * Of allocations, what only the base needs.
 */

/* Count an allocation under another class from now on. Cannot fail. */
void torc_alloc_reclass(torc_memory *memory, void *pointer, torc_memory_class class_);
/* The size that was asked for. */
size_t torc_alloc_size(const void *pointer);

#endif
