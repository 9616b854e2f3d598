/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_HEAP_H
#define TORC_BASE_HEAP_H

#include <torc/types.h>

/*
 * Intrusive heaps: what comes before all others is on top.
 *
 * A node is embedded in what is ordered, so pushing and removing neither allocate nor fail. Pushing
 * costs one comparison; removing costs O(log n) of them, amortised. A node is in at most one heap;
 * a node of zeros is in none. What orders a node may not change while it is in a heap.
 */

/* Whether `a` comes before `b`: a strict order. Equal nodes come in any order. */
typedef bool torc_heap_before_fn(const torc_heap_node *a, const torc_heap_node *b);

typedef struct torc_heap {
    torc_heap_node *top;
    torc_heap_before_fn *before;
} torc_heap;

/* Make an empty heap. It needs no counterpart. */
void torc_heap_init(torc_heap *heap, torc_heap_before_fn *before);
/* The node must be in no heap. */
void torc_heap_push(torc_heap *heap, torc_heap_node *node);
/* Remove a node from where it is; one that is in no heap is left alone. */
void torc_heap_remove(torc_heap *heap, torc_heap_node *node);

/* The one behind a node on a way through the heap that begins at its top, in no order but that each
 * comes once; NULL at the end. */
torc_heap_node *torc_heap_next(torc_heap_node *node);

/* The node that comes before all others, or NULL. */
static inline torc_heap_node *torc_heap_top(const torc_heap *heap) {
    return heap->top;
}

static inline bool torc_heap_is_empty(const torc_heap *heap) {
    return !heap->top;
}

/* Whether the node is in a heap. */
static inline bool torc_heap_has(const torc_heap_node *node) {
    return node->prev != NULL;
}

#endif
