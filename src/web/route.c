/* SPDX-License-Identifier: MIT */
/*
 * Routes, groups and mounts: paths like "/users/{id:int}", put into the tree of resources.
 *
 *  - A literal segment is a child; `{name}` the parent's `param`; one of a kind, or with text
 *    around it, is among its `shaped`; `{name...}` and `*` are its `rest`. So a route meets
 *    resources that were put there by hand, and the other way round.
 *  - Names of parameters belong to the route, or to the group, not to the tree: "/a/{x}" and
 *    "/a/{y}/b" share a node.
 *  - A path is checked whole before the tree is touched.
 */
#include <assert.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/options.h"
#include "web/tree.h"

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

static void fail(torc_resource *resource, torc_err err, const char *what, const char *path,
                 const char *wrong) {
    char text[160];

    snprintf(text, sizeof(text), "%s \"%s\": %s", what, path, wrong ? wrong : torc_err_text(err));
    torc_resource_fail(resource, err, text);
}

/* ---- paths ---- */

/* The segments of a path, one by one: start with the path. */
static bool next_segment(torc_str *rest, torc_part *segment) {
    torc_str text;

    if (!torc_str_split(rest, '/', &text)) return false;
    const char *wrong = torc_part_read(text, segment);
    assert(!wrong);
    (void)wrong;
    return true;
}

static torc_str segments_of(torc_str path) {
    return path.len ? torc_str_from(path, 1) : torc_str_make(NULL, 0);
}

/* Check a path, which is "" for the place itself, and count its parameters; NULL, or what is wrong
 * with it. */
static const char *check_path(torc_str path, uint32_t *params) {
    torc_str rest = segments_of(path), text;
    torc_part segment;
    bool ended = false;

    *params = 0;
    if (path.len && path.bytes[0] != '/') return "a path begins with `/`";
    while (torc_str_split(&rest, '/', &text)) {
        if (ended) return "nothing may follow what takes the rest of the path";
        const char *wrong = torc_part_read(text, &segment);
        if (wrong) return wrong;
        ended = segment.kind == TORC_PART_REST;
        if (segment.kind != TORC_PART_LITERAL && ++*params > TORC_ROUTE_PARAMS_MAX)
            return "too many parameters";
    }
    return NULL;
}

/* The names of a checked path's parameters. */
static void read_names(torc_str path, torc_str *names) {
    torc_str rest = segments_of(path);
    torc_part segment;

    while (next_segment(&rest, &segment))
        if (segment.kind != TORC_PART_LITERAL) *names++ = segment.text;
}

/* ---- nodes ---- */

static torc_shaped **place_of(torc_children *children, const torc_shape *shape) {
    torc_shaped **at = &children->shaped;

    while (*at && !torc_shape_goes_before(shape, &(*at)->shape)) at = &(*at)->next;
    return at;
}

static torc_resource *find_shaped(const torc_children *children, const torc_shape *shape) {
    for (const torc_shaped *it = children->shaped; it; it = it->next)
        if (torc_shape_equals(&it->shape, shape)) return it->resource;
    return NULL;
}

static torc_str append(char *text, size_t *len, torc_str str) {
    const torc_str copy = torc_str_make(text + *len, str.len);

    if (str.len) memcpy(text + *len, str.bytes, str.len);
    *len += str.len;
    return copy;
}

static bool put_shaped(torc_children *children, const torc_shape *shape, torc_resource *resource) {
    const size_t size = shape->before.len + shape->after.len + shape->choices.len;
    torc_shaped *it = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*it) + size);
    torc_shaped **place = place_of(children, shape);
    size_t len = 0;

    if (!it) return false;
    it->resource = resource;
    it->shape.kind = shape->kind;
    it->shape.before = append(it->text, &len, shape->before);
    it->shape.after = append(it->text, &len, shape->after);
    it->shape.choices = append(it->text, &len, shape->choices);
    it->next = *place;
    *place = it;
    return true;
}

/* The node beneath `node` for a segment, or NULL. */
static torc_resource *find_node(const torc_resource *node, const torc_part *segment) {
    const torc_children *children = node->children;

    if (!children) return NULL;
    if (segment->kind == TORC_PART_LITERAL) return torc_resource_child(node, segment->text);
    if (segment->kind == TORC_PART_REST) return children->rest;
    return torc_shape_is_plain(&segment->shape) ? children->param
                                                : find_shaped(children, &segment->shape);
}

/* Put a node where there is none. False without memory: it is not taken. */
static bool put_node(torc_resource *node, const torc_part *segment, torc_resource *resource) {
    torc_children *children = torc_children_of(node);

    if (!children) return false;
    if (segment->kind == TORC_PART_LITERAL)
        return torc_children_insert(children, segment->text, resource);
    if (segment->kind == TORC_PART_REST)
        children->rest = resource;
    else if (torc_shape_is_plain(&segment->shape))
        children->param = resource;
    else
        return put_shaped(children, &segment->shape, resource);
    return true;
}

/* The node for a segment, made if there is none; NULL without memory. */
static torc_resource *step(torc_resource *node, const torc_part *segment) {
    torc_resource *found = find_node(node, segment);

    if (found) return found;
    found = torc_folder_new();
    if (found && put_node(node, segment, found)) return found;
    torc_resource_dispose(found);
    return NULL;
}

/* The node at a checked path; NULL without memory, or, without `make`, when there is none. */
static torc_resource *walk(torc_resource *node, torc_str path, bool make) {
    torc_str rest = segments_of(path);
    torc_part segment;

    while (node && next_segment(&rest, &segment))
        node = make ? step(node, &segment) : find_node(node, &segment);
    return node;
}

/* ---- routes ---- */

/* Read "METHOD /path" from the route's own text. */
static const char *read_pattern(torc_route *route, torc_str text, torc_str *path) {
    const ptrdiff_t space = torc_str_find_byte(text, ' ');
    const size_t end = space < 0 ? text.len : (size_t)space;

    if (end == 0) return "a route is a method, one space, and a path: \"GET /users/{id}\"";
    route->method_text = torc_str_head(text, end);
    route->any_method = torc_str_equals(route->method_text, TORC_STR("*"));
    if (!route->any_method && !torc_is_token(route->method_text)) return "the method is no token";
    route->method = route->any_method ? TORC_METHOD_OTHER : torc_method_find(route->method_text);
    *path = torc_str_from(text, end + 1);
    if (space >= 0 && path->len == 0) return "a path begins with `/`";
    return check_path(*path, &route->param_count);
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
    torc_route_free(old);
}

void torc_route_free(torc_route *route) {
    if (route) torc_dealloc(NULL, route->params);
    torc_dealloc(NULL, route);
}

static torc_route *new_route(torc_str pattern, torc_render_fn *render,
                             const torc_route_options *options) {
    torc_route *route =
        torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*route) + pattern.len + 1);

    if (!route) return NULL;
    route->render = render;
    route->options.size = sizeof(route->options);
    TORC_OPTIONS_READ(&route->options, options);
    memcpy(route->text, pattern.bytes, pattern.len);
    return route;
}

/* Make a route from a pattern; NULL, and `*wrong` is what is wrong with it, or NULL: no memory. */
static torc_route *read_route(torc_str text, torc_render_fn *render,
                              const torc_route_options *options, torc_str *path,
                              const char **wrong) {
    torc_route *route = new_route(text, render, options);

    *wrong = route ? read_pattern(route, torc_str_make(route->text, text.len), path) : NULL;
    if (route && !*wrong)
        route->params =
            torc_alloc_zero(NULL, TORC_MEMORY_OTHER, route->param_count, sizeof(torc_str));
    if (route && route->params) {
        read_names(*path, route->params);
        return route;
    }
    torc_route_free(route);
    return NULL;
}

void torc_resource_route_with(torc_resource *resource, const char *pattern, torc_render_fn *render,
                              const torc_route_options *options) {
    const char *wrong;
    torc_str path;
    torc_route *route = read_route(torc_str_of(pattern), render, options, &path, &wrong);
    torc_resource *node = route ? walk(resource, path, true) : NULL;
    torc_children *children = node ? torc_children_of(node) : NULL;

    if (children) {
        attach(children, route);
        return;
    }
    fail(resource, wrong ? TORC_ERR_SYNTAX : TORC_ERR_NO_MEMORY, "route", pattern, wrong);
    torc_route_free(route);
}

void torc_resource_route(torc_resource *resource, const char *pattern, torc_render_fn *render) {
    torc_resource_route_with(resource, pattern, render, NULL);
}

bool torc_resource_remove_route(torc_resource *resource, const char *pattern) {
    const char *wrong;
    torc_str path;
    torc_route *like = read_route(torc_str_of(pattern), NULL, NULL, &path, &wrong);
    const torc_resource *node = like ? walk(resource, path, false) : NULL;
    torc_route **at = node && node->children ? &node->children->routes : NULL;

    while (at && *at && !same_method(*at, like)) at = &(*at)->next;
    torc_route_free(like);
    torc_route *route = at ? *at : NULL;
    if (route) *at = route->next;
    torc_route_free(route);
    return route != NULL;
}

/* ---- groups and mounts ---- */

/* What is wrong with the path of a group or a mount; NULL: nothing. */
static const char *check_prefix(torc_str path, uint32_t *params) {
    const char *wrong = check_path(path, params);
    torc_str rest = segments_of(path);
    torc_part segment;

    if (wrong) return wrong;
    if (torc_str_ends_with(path, TORC_STR("/"))) return "it ends without `/`";
    while (next_segment(&rest, &segment))
        if (segment.kind == TORC_PART_REST) return "it has no rest";
    return NULL;
}

/* What `node` says of all that is beneath it, made if it says nothing; NULL without memory. */
static torc_prefix *prefix_of(torc_resource *node) {
    torc_children *children = torc_children_of(node);

    if (children && !children->prefix)
        children->prefix = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(torc_prefix));
    node->is_passed = true;
    return children ? children->prefix : NULL;
}

static bool has_names(const torc_prefix *prefix, const torc_str *names, uint32_t count) {
    bool same = prefix->name_count == count;

    for (uint32_t i = 0; same && i < count; i++) same = torc_str_equals(prefix->names[i], names[i]);
    return same;
}

/* Note the names of the parameters on the way to `node`. */
static torc_err set_names(torc_resource *node, torc_str path, uint32_t count) {
    torc_str names[TORC_ROUTE_PARAMS_MAX];
    torc_prefix *prefix = count ? prefix_of(node) : NULL;
    size_t len = 0;

    if (count == 0) return TORC_OK;
    if (!prefix) return TORC_ERR_NO_MEMORY;
    read_names(path, names);
    if (prefix->names) return has_names(prefix, names, count) ? TORC_OK : TORC_ERR_STATE;
    prefix->names = torc_alloc(NULL, TORC_MEMORY_OTHER, count * sizeof(torc_str) + path.len);
    if (!prefix->names) return TORC_ERR_NO_MEMORY;
    char *text = (char *)(prefix->names + count);
    for (uint32_t i = 0; i < count; i++) prefix->names[i] = append(text, &len, names[i]);
    prefix->name_count = count;
    return TORC_OK;
}

static const char clash[] = "the same place is a group with other names of parameters";

torc_resource *torc_resource_group(torc_resource *resource, const char *path) {
    const torc_str text = torc_str_of(path);
    uint32_t params;
    const char *wrong = check_prefix(text, &params);
    torc_resource *node = wrong ? NULL : walk(resource, text, true);
    const torc_err err = node ? set_names(node, text, params) : TORC_ERR_NO_MEMORY;

    if (!wrong && !err) return node;
    if (!wrong && err == TORC_ERR_STATE) wrong = clash;
    fail(resource, wrong ? TORC_ERR_SYNTAX : err, "group", path, wrong);
    return resource;
}

/* Put a child at the last segment of a checked path; what is wrong with that, or NULL. */
static const char *mount(torc_resource *resource, torc_str path, torc_resource *child,
                         torc_err *err) {
    size_t slash = path.len;

    while (slash > 0 && path.bytes[slash - 1] != '/') slash--;
    torc_str last = torc_str_from(path, slash);
    torc_resource *node = walk(resource, torc_str_head(path, slash - 1), true);
    torc_part segment;
    const char *wrong = torc_part_read(last, &segment);

    *err = TORC_ERR_NO_MEMORY;
    if (wrong || !node) return wrong;
    if (find_node(node, &segment)) return "there is something already";
    if (put_node(node, &segment, child)) *err = TORC_OK;
    return NULL;
}

void torc_resource_mount(torc_resource *resource, const char *path, torc_resource *child) {
    const torc_str text = torc_str_of(path);
    torc_err err = TORC_ERR_NO_MEMORY;
    uint32_t params;
    const char *wrong = check_prefix(text, &params);

    if (!wrong && text.len == 0) wrong = "a path begins with `/`";
    if (!wrong && child) err = set_names(child, text, params);
    if (err == TORC_ERR_STATE) wrong = clash;
    if (!wrong && !err) wrong = mount(resource, text, child, &err);
    if (!wrong && !err) return;
    torc_resource_dispose(child);
    fail(resource, wrong ? TORC_ERR_SYNTAX : err, "mount", path, wrong);
}

void torc_resource_set_slashes(torc_resource *resource, torc_slashes slashes) {
    torc_prefix *prefix = prefix_of(resource);

    if (prefix)
        prefix->slashes = slashes;
    else
        torc_resource_fail(resource, TORC_ERR_NO_MEMORY, "slashes");
}

/* ---- finding ---- */

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
