/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_LIST_H
#define TORC_BASE_LIST_H

#include <torc/types.h>

/*
 * Intrusive doubly linked lists: a ring through a head node.
 *
 * A node is in at most one list; a node of zeros is in none, and removing it does nothing. Nothing
 * allocates and nothing fails. To walk a list whose nodes may go meanwhile, move it to a head of
 * your own (torc_list_take) and pop.
 */
typedef struct torc_list {
    torc_list_node head;
} torc_list;

static inline void torc_list_init(torc_list *list) {
    list->head.next = list->head.prev = &list->head;
}

static inline bool torc_list_is_empty(const torc_list *list) {
    return list->head.next == &list->head;
}

static inline bool torc_list_has(const torc_list_node *node) {
    return node->next != NULL;
}

static inline void torc_list_insert_before(torc_list_node *next, torc_list_node *node) {
    node->next = next;
    node->prev = next->prev;
    next->prev->next = node;
    next->prev = node;
}

static inline void torc_list_push(torc_list *list, torc_list_node *node) {
    torc_list_insert_before(&list->head, node);
}

static inline void torc_list_push_front(torc_list *list, torc_list_node *node) {
    torc_list_insert_before(list->head.next, node);
}

static inline void torc_list_remove(torc_list_node *node) {
    if (!node->next) return;
    node->next->prev = node->prev;
    node->prev->next = node->next;
    node->next = node->prev = NULL;
}

static inline torc_list_node *torc_list_first(const torc_list *list) {
    return torc_list_is_empty(list) ? NULL : list->head.next;
}

static inline torc_list_node *torc_list_last(const torc_list *list) {
    return torc_list_is_empty(list) ? NULL : list->head.prev;
}

/* The node after `node`, or NULL at the end. */
static inline torc_list_node *torc_list_next(const torc_list *list, const torc_list_node *node) {
    return node->next == &list->head ? NULL : node->next;
}

static inline torc_list_node *torc_list_pop(torc_list *list) {
    torc_list_node *node = torc_list_first(list);
    if (node) torc_list_remove(node);
    return node;
}

/* Move all of `from` to the end of `to`. */
static inline void torc_list_take(torc_list *to, torc_list *from) {
    if (torc_list_is_empty(from)) return;
    from->head.next->prev = to->head.prev;
    from->head.prev->next = &to->head;
    to->head.prev->next = from->head.next;
    to->head.prev = from->head.prev;
    torc_list_init(from);
}

#endif
