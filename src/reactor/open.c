/* SPDX-License-Identifier: MIT */
/*
 * What is open on a reactor: counted when somebody asks, by walking through its lists.
 */
#include "reactor/fiber.h"
#include "reactor/reactor.h"

static size_t count_list(const torc_list *list) {
    size_t count = 0;

    for (const torc_list_node *node = torc_list_first(list); node;
         node = torc_list_next(list, node))
        count++;
    return count;
}

/* The one above: before the first of those below it. */
static const torc_heap_node *above(const torc_heap_node *node) {
    while (node->prev->child != node) node = node->prev;
    return node->prev;
}

static size_t count_heap(const torc_heap *heap) {
    const torc_heap_node *node = heap->top;
    size_t count = 0;

    while (node) {
        count++;
        if (node->child) {
            node = node->child;
            continue;
        }
        while (node != heap->top && !node->next) node = above(node);
        node = node == heap->top ? NULL : node->next;
    }
    return count;
}

torc_reactor_open torc_reactor_count_open(const torc_reactor *reactor) {
    return (torc_reactor_open){
        .ios = count_list(&reactor->ios),
        .timers = count_heap(&reactor->timers),
        .fibers = torc_fibers_count(reactor),
        .deferreds = count_list(&reactor->deferreds) + count_list(&reactor->untaken),
        .calls = count_list(&reactor->calls),
    };
}
