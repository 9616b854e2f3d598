/* SPDX-License-Identifier: MIT */
/*
 * Pairing heaps, by pointers within the nodes.
 *
 *  - No node comes before the one above it.
 *  - The nodes directly below one are a list from its `child`, through `next`. The `prev` of the
 *    first of them is the one above, of the others the one before; the top's is the top itself.
 *    So `prev` is NULL exactly in a node that is in no heap.
 *  - Nothing recurses, whatever the shape.
 */
#include <assert.h>

#include "base/heap.h"

void torc_heap_init(torc_heap *heap, torc_heap_before_fn *before) {
    *heap = (torc_heap){.before = before};
}

static void put_below(torc_heap_node *above, torc_heap_node *node) {
    node->prev = above;
    node->next = above->child;
    if (node->next) node->next->prev = node;
    above->child = node;
}

/* Join two heaps, each with its top, into one; answers its top, whose links to others are stale. */
static torc_heap_node *meld(const torc_heap *heap, torc_heap_node *a, torc_heap_node *b) {
    if (heap->before(b, a)) {
        put_below(b, a);
        return b;
    }
    put_below(a, b);
    return a;
}

/* Meld siblings two by two, from the first on; answers the results in reverse, through `next`. */
static torc_heap_node *meld_pairs(const torc_heap *heap, torc_heap_node *node) {
    torc_heap_node *done = NULL;

    while (node) {
        torc_heap_node *a = node, *b = node->next;

        node = b ? b->next : NULL;
        if (b) a = meld(heap, a, b);
        a->next = done;
        done = a;
    }
    return done;
}

/* Make one heap of siblings; answers its top, or NULL for none. */
static torc_heap_node *meld_all(const torc_heap *heap, torc_heap_node *first) {
    torc_heap_node *node = meld_pairs(heap, first), *top = node;

    if (!top) return NULL;
    for (node = node->next; node;) {
        torc_heap_node *next = node->next;
        top = meld(heap, top, node);
        node = next;
    }
    return top;
}

static void set_top(torc_heap *heap, torc_heap_node *top) {
    heap->top = top;
    if (!top) return;
    top->prev = top;
    top->next = NULL;
}

void torc_heap_push(torc_heap *heap, torc_heap_node *node) {
    assert(!torc_heap_has(node));
    node->child = node->next = NULL;
    set_top(heap, heap->top ? meld(heap, heap->top, node) : node);
}

static void unlink_from_siblings(torc_heap_node *node) {
    if (node->prev->child == node) {
        node->prev->child = node->next;
    } else {
        node->prev->next = node->next;
    }
    if (node->next) node->next->prev = node->prev;
}

void torc_heap_remove(torc_heap *heap, torc_heap_node *node) {
    if (!torc_heap_has(node)) return;

    torc_heap_node *below = meld_all(heap, node->child);
    if (heap->top == node) {
        set_top(heap, below);
    } else {
        unlink_from_siblings(node);
        if (below) set_top(heap, meld(heap, heap->top, below));
    }
    *node = (torc_heap_node){0};
}

/* The one above: before the first of those below it. */
static torc_heap_node *above(torc_heap_node *node) {
    while (node->prev->child != node) node = node->prev;
    return node->prev;
}

torc_heap_node *torc_heap_next(torc_heap_node *node) {
    if (node->child) return node->child;
    while (node->prev != node) { /* the top's is itself */
        if (node->next) return node->next;
        node = above(node);
    }
    return NULL;
}
