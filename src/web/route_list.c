/* SPDX-License-Identifier: MIT */
/*
 * Going through the routes of a tree.
 *
 *  - The way to where it is stands in one array, with the node that each step led to; names are
 *    given to its parameters when there is something to tell: those of groups and mounts from the
 *    root on, then the route's own.
 */
#include "web/route_list.h"

#include "web/middleware_new.h"

enum {
    DEPTH_MAX = 64
};

typedef struct lister {
    const char *name; /* NULL: all */
    torc_route_entry_fn *each;
    void *context;
    torc_route_edge edges[DEPTH_MAX];
    const torc_resource *nodes[DEPTH_MAX + 1]; /* nodes[i]: where the first i edges lead */
    uint32_t depth;
    bool is_over;
    torc_err err;
} lister;

/* Name the last `count` parameters among the first `depth` edges. */
static void name_edges(lister *self, uint32_t depth, const torc_str *names, uint32_t count) {
    while (depth > 0 && count > 0) {
        torc_route_edge *edge = &self->edges[--depth];
        if (!edge->shape) continue;
        count--;
        if (names[count].len) edge->name = names[count];
    }
}

static void tell(lister *self, const torc_route *route, const torc_resource *resource) {
    const torc_route_entry entry = {
        .route = route,
        .resource = (torc_resource *)(uintptr_t)resource,
        .edges = self->edges,
        .nodes = self->nodes,
        .edge_count = self->depth,
    };

    for (uint32_t i = 0; i < self->depth; i++) self->edges[i].name = torc_str_make(NULL, 0);
    for (uint32_t i = 0; i <= self->depth; i++) {
        const torc_children *children = self->nodes[i]->children;
        if (children && children->prefix)
            name_edges(self, i, children->prefix->names, children->prefix->name_count);
    }
    if (route) name_edges(self, self->depth, route->params, route->param_count);
    if (!self->each(self->context, &entry)) self->is_over = true;
}

static void tell_routes(lister *self, const torc_resource *node) {
    const torc_route *route = node->children ? node->children->routes : NULL;

    for (; route && !self->is_over; route = route->next) {
        const char *name = route->options.name;
        if (!self->name || (name && strcmp(name, self->name) == 0)) tell(self, route, node);
    }
    if (!self->name && node->ops->render && !self->is_over) tell(self, NULL, node);
}

static void visit(lister *self, const torc_resource *node);

static void enter(lister *self, torc_str literal, const torc_shape *shape,
                  const torc_resource *node) {
    if (!node || self->is_over) return;
    if (self->depth == DEPTH_MAX) {
        self->err = TORC_ERR_LIMIT;
        return;
    }
    self->edges[self->depth++] = (torc_route_edge){.literal = literal, .shape = shape};
    visit(self, node);
    self->depth--;
}

static void visit(lister *self, const torc_resource *node) {
    static const torc_shape plain = {.kind = TORC_PARAM_STR}, path = {.kind = TORC_PARAM_PATH};
    const torc_str none = {NULL, 0};
    const torc_children *children = node->children;

    self->nodes[self->depth] = node;
    tell_routes(self, node);
    if (!children) return;
    for (uint32_t i = 0; i < children->count; i++)
        enter(self, torc_str_make(children->items[i]->name, children->items[i]->name_len), NULL,
              children->items[i]->resource);
    for (const torc_shaped *it = children->shaped; it; it = it->next)
        enter(self, none, &it->shape, it->resource);
    enter(self, none, &plain, children->param);
    enter(self, none, &path, children->rest);
}

torc_err torc_routes_list(const torc_resource *root, const char *name, torc_route_entry_fn *each,
                          void *context) {
    lister self = {.name = name, .each = each, .context = context};

    visit(&self, root);
    return self.err;
}

void torc_route_entry_write_path(const torc_route_entry *entry, torc_buf *text) {
    if (entry->edge_count == 0) torc_buf_add_byte(text, '/');
    for (uint32_t i = 0; i < entry->edge_count; i++) {
        const torc_route_edge *edge = &entry->edges[i];
        torc_buf_add_byte(text, '/');
        if (edge->shape)
            torc_shape_write(edge->shape, edge->name, text);
        else
            torc_buf_add(text, edge->literal);
    }
}

static uint32_t add_names(const torc_resource *node, bool is_last, const char **names,
                          uint32_t count, uint32_t max) {
    const torc_scope *scope = node->children ? node->children->scope : NULL;

    for (const torc_middleware *at = scope ? scope->first : NULL; at && count < max; at = at->next)
        if (is_last || !at->is_shallow) names[count++] = torc_middleware_name(at);
    return count;
}

uint32_t torc_route_entry_middlewares(const torc_route_entry *entry, const char **names,
                                      uint32_t max) {
    uint32_t count = 0;

    for (uint32_t i = 0; i <= entry->edge_count; i++)
        count = add_names(entry->nodes[i], i == entry->edge_count, names, count, max);
    return count;
}
