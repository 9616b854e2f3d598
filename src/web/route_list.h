/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_ROUTE_LIST_H
#define TORC_WEB_ROUTE_LIST_H

#include "web/tree.h"

/*
 * Going through all routes of a tree, each with the way that leads to it: segment by segment, and
 * from a resource to the one that stands in its place for a host.
 */
typedef struct torc_route_edge {
    torc_str literal;        /* unless there is a shape; of a host, its name */
    const torc_shape *shape; /* of a parameter; NULL: a literal, or a host */
    torc_str name;           /* of the parameter: the route's, or its group's; may be empty */
    bool is_host;            /* no segment */
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

struct torc_hosts;

/* Which routes are gone through; zeros: all but those of hosts. */
typedef struct torc_route_query {
    const char *name; /* those of that name; NULL: all, and every resource that renders */
    bool has_hosts;   /* also those of hosts, behind what their resource has itself; or else: */
    /* Who stands in the place of a resource that has hosts; NULL, or no function: it itself. */
    torc_resource *(*choose)(const void *chooser, const struct torc_hosts *hosts);
    const void *chooser;
} torc_route_query;

/*
 * Call `each` for the routes beneath `root`, in the order of their paths. TORC_ERR_LIMIT: the tree
 * is deeper than any that is built by hand; what lies deeper was left out. TORC_ERR_NO_MEMORY: so
 * were hosts.
 */
torc_err torc_routes_list(const torc_resource *root, const torc_route_query *query,
                          torc_route_entry_fn *each, void *context) TORC_MUST_CHECK;
/* The innermost host on the way, and in `*resource` who stands there for it; empty, and NULL: there
 * is none. */
torc_str torc_route_entry_host(const torc_route_entry *entry, const torc_resource **resource);
/* The names of the middlewares on the way, as far as there is room, the outermost first; NULL: it
 * has none. How many there are. */
uint32_t torc_route_entry_middlewares(const torc_route_entry *entry, const char **names,
                                      uint32_t max);
/* Write the way as a pattern: "/users/{id:int}". */
void torc_route_entry_write_path(const torc_route_entry *entry, torc_buf *text);
/* Mark `root` (TORC_ERR_INVALID, with both patterns) if two routes beneath it have one name, and
 * neither or both are of one host. */
void torc_routes_check_names(torc_resource *root);

#endif
