/* SPDX-License-Identifier: MIT */
/*
 * Routes: patterns like "GET /users/{id}", put into the tree of resources.
 *
 *  - A literal segment is a child; `{name}` the parent's `param`; `{name...}` and `*` its `rest`.
 *    So a route meets resources that were put there by hand, and the other way round.
 *  - Names of parameters belong to the route, not to the tree: "/a/{x}" and "/a/{y}/b" share a
 *    node.
 *  - A pattern is checked whole before the tree is touched.
 */
#include <assert.h>
#include <stdio.h>

#include "base/alloc.h"
#include "web/tree.h"

typedef enum segment_kind {
    LITERAL,
    PARAM,
    REST
} segment_kind;

static void dispose_folder(torc_resource *resource) {
    torc_dealloc(NULL, resource);
}

/* A place in the tree that is there for its children and routes only. */
static const torc_resource_ops folder_ops = {.dispose = dispose_folder};

torc_resource *torc_folder_new(void) {
    torc_resource *folder = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*folder));
    if (folder) torc_resource_init(folder, &folder_ops);
    return folder;
}

static bool is_name(torc_str name) {
    if (name.len == 0) return false;
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.bytes[i];
        const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                          c == '-' || (c >= '0' && c <= '9');
        if (!fine) return false;
    }
    return true;
}

/* What a segment of a pattern is, and the name of its parameter; NULL, or what is wrong with it. */
static const char *read_segment(torc_str segment, segment_kind *kind, torc_str *name) {
    *kind = LITERAL;
    *name = segment;
    if (torc_str_equals(segment, TORC_STR("*"))) {
        *kind = REST;
        return NULL;
    }
    if (torc_str_find_byte(segment, '{') < 0 && torc_str_find_byte(segment, '}') < 0) return NULL;
    if (segment.bytes[0] != '{' || segment.bytes[segment.len - 1] != '}')
        return "a parameter is a whole segment: /{name}/";

    *name = torc_str_make(segment.bytes + 1, segment.len - 2);
    *kind = PARAM;
    if (torc_str_ends_with(*name, TORC_STR("..."))) {
        name->len -= 3;
        *kind = REST;
    }
    return is_name(*name) ? NULL : "a parameter's name is made of letters, digits, `-` and `_`";
}

/* Check the path of a pattern and count its parameters; NULL, or what is wrong with it. */
static const char *check_path(torc_str path, uint32_t *params) {
    torc_str rest = torc_str_from(path, 1), segment, name;
    segment_kind kind;
    bool ended = false;

    if (path.len == 0 || path.bytes[0] != '/') return "a path begins with `/`";
    *params = 0;
    while (torc_str_split(&rest, '/', &segment)) {
        if (ended) return "nothing may follow what takes the rest of the path";
        const char *wrong = read_segment(segment, &kind, &name);
        if (wrong) return wrong;
        ended = kind == REST;
        if (kind != LITERAL && ++*params > TORC_ROUTE_PARAMS_MAX) return "too many parameters";
    }
    return NULL;
}

/* Read "METHOD /path" from the route's own text. */
static const char *read_pattern(torc_route *route, torc_str text, torc_str *path) {
    const ptrdiff_t space = torc_str_find_byte(text, ' ');

    if (space <= 0) return "a route is a method, one space, and a path: \"GET /users/{id}\"";
    route->method_text = torc_str_head(text, (size_t)space);
    route->any_method = torc_str_equals(route->method_text, TORC_STR("*"));
    if (!route->any_method && !torc_is_token(route->method_text)) return "the method is no token";
    route->method = route->any_method ? TORC_METHOD_OTHER : torc_method_find(route->method_text);
    *path = torc_str_from(text, (size_t)space + 1);
    return check_path(*path, &route->param_count);
}

static torc_resource **slot_of(torc_children *children, segment_kind kind) {
    return kind == PARAM ? &children->param : &children->rest;
}

/* The node beneath `node` for a segment, made if there is none; NULL without memory. */
static torc_resource *step(torc_resource *node, segment_kind kind, torc_str name) {
    torc_children *children = torc_children_of(node);
    char text[256];

    if (!children) return NULL;
    if (kind != LITERAL) {
        torc_resource **slot = slot_of(children, kind);
        if (!*slot) *slot = torc_folder_new();
        return *slot;
    }

    torc_resource *child = torc_resource_child(node, name);
    if (child) return child;
    if (name.len >= sizeof(text)) return NULL;
    snprintf(text, sizeof(text), "%.*s", TORC_STR_ARGS(name));
    torc_resource_put_child(node, text, torc_folder_new());
    return torc_resource_child(node, name);
}

/* Walk the pattern from `node`, making what is missing, and note the parameters' names. */
static torc_resource *walk(torc_resource *node, torc_route *route, torc_str path) {
    torc_str rest = torc_str_from(path, 1), segment, name;
    uint32_t param = 0;
    segment_kind kind;

    while (node && torc_str_split(&rest, '/', &segment)) {
        const char *wrong = read_segment(segment, &kind, &name);
        assert(!wrong);
        (void)wrong;
        if (kind != LITERAL) route->params[param++] = name;
        node = step(node, kind, name);
    }
    return node;
}

static bool same_method(const torc_route *a, const torc_route *b) {
    return torc_str_equals(a->method_text, b->method_text);
}

/* Append a route to its node, or replace the one of the same method. */
static void attach(torc_children *children, torc_route *route) {
    torc_route **end = &children->routes;

    while (*end && !same_method(*end, route)) end = &(*end)->next;
    torc_route *old = *end;
    route->next = old ? old->next : NULL;
    *end = route;
    if (old) {
        torc_dealloc(NULL, old->params);
        torc_dealloc(NULL, old);
    }
}

static torc_route *new_route(torc_str pattern, torc_render_fn *render) {
    torc_route *route = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*route) + pattern.len);
    if (!route) return NULL;
    route->render = render;
    memcpy(route->text, pattern.bytes, pattern.len);
    return route;
}

static void fail(torc_resource *resource, torc_err err, const char *pattern, const char *wrong) {
    char text[120];

    snprintf(text, sizeof(text), "route \"%s\": %s", pattern, wrong);
    torc_resource_fail(resource, err, text);
}

void torc_resource_route(torc_resource *resource, const char *pattern, torc_render_fn *render) {
    const torc_str text = torc_str_of(pattern);
    torc_route *route = new_route(text, render);
    torc_resource *node = NULL;
    torc_str path;

    const char *wrong =
        route ? read_pattern(route, torc_str_make(route->text, text.len), &path) : NULL;
    if (wrong) {
        fail(resource, TORC_ERR_SYNTAX, pattern, wrong);
        torc_dealloc(NULL, route);
        return;
    }
    if (route)
        route->params =
            torc_alloc_zero(NULL, TORC_MEMORY_OTHER, route->param_count, sizeof(torc_str));
    if (route && route->params) node = walk(resource, route, path);
    torc_children *children = node ? torc_children_of(node) : NULL;
    if (!children) {
        fail(resource, TORC_ERR_NO_MEMORY, pattern, torc_err_text(TORC_ERR_NO_MEMORY));
        if (route) torc_dealloc(NULL, route->params);
        torc_dealloc(NULL, route);
        return;
    }
    attach(children, route);
}

static bool answers(const torc_route *route, torc_method method, torc_str text) {
    if (route->any_method) return !torc_method_is_named_only(method);
    if (method != TORC_METHOD_OTHER) return route->method == method;
    return torc_str_equals(route->method_text, text);
}

const torc_route *torc_route_find(const torc_children *children, torc_method method,
                                  torc_str text) {
    const torc_route *by_get = NULL;

    for (const torc_route *route = children->routes; route; route = route->next) {
        if (answers(route, method, text)) return route;
        if (method == TORC_METHOD_HEAD && route->method == TORC_METHOD_GET) by_get = route;
    }
    return by_get;
}

uint32_t torc_route_methods(const torc_children *children) {
    uint32_t methods = 0;

    for (const torc_route *route = children->routes; route; route = route->next)
        if (!route->any_method && route->method != TORC_METHOD_OTHER)
            methods |= torc_method_bit(route->method);
    return methods;
}
