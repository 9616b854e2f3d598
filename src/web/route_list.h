/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_ROUTE_LIST_H
#define TORC_WEB_ROUTE_LIST_H

#include "web/tree.h"

/*
 * Going through all routes of a tree, each with the way that leads to it.
 */
typedef struct torc_route_edge {
    torc_str literal;        /* unless there is a shape */
    const torc_shape *shape; /* of a parameter; NULL: a literal */
    torc_str name;           /* of the parameter: the route's, or its group's; may be empty */
} torc_route_edge;

typedef struct torc_route_entry {
    const torc_route *route; /* NULL: the resource renders itself */
    torc_resource *resource;
    const torc_route_edge *edges;
    const torc_resource *const *nodes; /* that the edges lead to, the root first: one more */
    uint32_t edge_count;
} torc_route_entry;

/* False ends the going through. */
typedef bool torc_route_entry_fn(void *context, const torc_route_entry *entry);

/*
 * Call `each` for every route, and every resource that renders, beneath `root`, in the order of
 * their paths: or, with a name, for the routes of that name alone. TORC_ERR_LIMIT: the tree is
 * deeper than any that is built by hand; what lies deeper was left out.
 */
torc_err torc_routes_list(const torc_resource *root, const char *name, torc_route_entry_fn *each,
                          void *context) TORC_MUST_CHECK;
/* The names of the middlewares on the way, as far as there is room, the outermost first; NULL: it
 * has none. How many there are. */
uint32_t torc_route_entry_middlewares(const torc_route_entry *entry, const char **names,
                                      uint32_t max);
/* Write the way as a pattern: "/users/{id:int}". */
void torc_route_entry_write_path(const torc_route_entry *entry, torc_buf *text);
/* Mark `root` (TORC_ERR_INVALID, with both patterns) if two routes beneath it have one name. */
void torc_routes_check_names(torc_resource *root);

#endif
