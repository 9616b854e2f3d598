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

static size_t count_heap(const torc_heap *heap) {
    size_t count = 0;

    for (torc_heap_node *node = torc_heap_top(heap); node; node = torc_heap_next(node)) count++;
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
