/* SPDX-License-Identifier: MIT */
/*
 * Going through the routes of a tree.
 *
 *  - The way to where it is stands in one array, with the node that each step led to; names are
 *    given to its parameters when there is something to tell: those of groups and mounts from the
 *    root on, then the route's own.
 */
#include "web/route_list.h"

#include "base/alloc.h"
#include "web/hosts.h"
#include "web/middleware_new.h"

enum {
    DEPTH_MAX = 64
};

typedef struct lister {
    const torc_route_query *query;
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
    const char *asked = self->query->name;

    for (; route && !self->is_over; route = route->next) {
        const char *name = route->options.name;
        if (!asked || (name && strcmp(name, asked) == 0)) tell(self, route, node);
    }
    if (!asked && node->ops->render && !self->is_over) tell(self, NULL, node);
}

static void visit(lister *self, const torc_resource *node);

static void enter(lister *self, const torc_route_edge *edge, const torc_resource *node) {
    if (!node || self->is_over) return;
    if (self->depth == DEPTH_MAX) {
        self->err = TORC_ERR_LIMIT;
        return;
    }
    self->edges[self->depth++] = *edge;
    visit(self, node);
    self->depth--;
}

static void enter_shape(lister *self, const torc_shape *shape, const torc_resource *node) {
    enter(self, &(torc_route_edge){.shape = shape}, node);
}

static void enter_host(lister *self, torc_str name, const torc_resource *node) {
    enter(self, &(torc_route_edge){.literal = name, .is_host = true}, node);
}

static void visit_children(lister *self, const torc_children *children) {
    static const torc_shape plain = {.kind = TORC_PARAM_STR}, path = {.kind = TORC_PARAM_PATH};

    for (uint32_t i = 0; i < children->count; i++) {
        const torc_child *child = children->items[i];
        enter(self, &(torc_route_edge){.literal = torc_str_make(child->name, child->name_len)},
              child->resource);
    }
    for (const torc_shaped *it = children->shaped; it; it = it->next)
        enter_shape(self, &it->shape, it->resource);
    enter_shape(self, &plain, children->param);
    enter_shape(self, &path, children->rest);
}

static void visit_hosts(lister *self, const torc_hosts *hosts) {
    size_t count;
    torc_host_entry *entries = torc_hosts_sorted(hosts, &count);

    if (!entries && !self->err) self->err = TORC_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) enter_host(self, entries[i].name, entries[i].resource);
    torc_dealloc(NULL, entries);
}

static void visit(lister *self, const torc_resource *node) {
    const torc_children *children = node->children;
    const torc_hosts *hosts = children && children->scope ? children->scope->hosts : NULL;
    const torc_resource *host =
        hosts && self->query->choose ? self->query->choose(self->query->chooser, hosts) : NULL;

    self->nodes[self->depth] = node;
    if (host) {
        enter_host(self, TORC_STR("*"), host);
        return;
    }
    tell_routes(self, node);
    if (children) visit_children(self, children);
    if (hosts && self->query->has_hosts) visit_hosts(self, hosts);
}

torc_err torc_routes_list(const torc_resource *root, const torc_route_query *query,
                          torc_route_entry_fn *each, void *context) {
    lister self = {.query = query, .each = each, .context = context};

    visit(&self, root);
    return self.err;
}

torc_str torc_route_entry_host(const torc_route_entry *entry, const torc_resource **resource) {
    for (uint32_t i = entry->edge_count; i > 0; i--) {
        if (!entry->edges[i - 1].is_host) continue;
        *resource = entry->nodes[i];
        return entry->edges[i - 1].literal;
    }
    *resource = NULL;
    return torc_str_make(NULL, 0);
}

void torc_route_entry_write_path(const torc_route_entry *entry, torc_buf *text) {
    const size_t start = text->len;

    for (uint32_t i = 0; i < entry->edge_count; i++) {
        const torc_route_edge *edge = &entry->edges[i];
        if (edge->is_host) continue;
        torc_buf_add_byte(text, '/');
        if (edge->shape)
            torc_shape_write(edge->shape, edge->name, text);
        else
            torc_buf_add(text, edge->literal);
    }
    if (text->len == start) torc_buf_add_byte(text, '/');
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
