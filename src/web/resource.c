/* SPDX-License-Identifier: MIT */
/*
 * The tree: resources and what is put beneath them.
 *
 *  - A resource owns what is attached to it; a child has one parent.
 *  - Children are sorted by name, so that looking one up is a binary search.
 *  - A failure while the tree is built marks the place; nothing is half attached. A tree that has a
 *    mark is refused as a whole by whoever would serve it.
 */
#include <assert.h>
#include <stdio.h>

#include "base/alloc.h"
#include "web/hosts.h"
#include "web/route_list.h"
#include "web/tree.h"

/* Stands in for the children of a resource that could not be given any. */
static torc_children no_memory = {.err = TORC_ERR_NO_MEMORY, .err_text = "the resource tree"};

static torc_str child_name(const torc_child *child) {
    return torc_str_make(child->name, child->name_len);
}

/* Where `name` stands among the children, or would stand: the answer tells which. */
static bool find_place(const torc_children *children, torc_str name, uint32_t *place) {
    uint32_t low = 0, high = children->count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = torc_str_compare(child_name(children->items[middle]), name);
        if (order == 0) {
            *place = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *place = low;
    return false;
}

torc_children *torc_children_of(torc_resource *resource) {
    if (!resource->children)
        resource->children = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(torc_children));
    if (!resource->children) resource->children = &no_memory;
    return resource->children == &no_memory ? NULL : resource->children;
}

torc_scope *torc_scope_of(torc_resource *resource) {
    torc_children *children = torc_children_of(resource);

    if (!children) return NULL;
    if (!children->scope)
        children->scope = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(torc_scope));
    if (!children->scope)
        torc_resource_fail(resource, TORC_ERR_NO_MEMORY, "what holds for a part of the tree");
    resource->is_passed = true;
    return children->scope;
}

void torc_resource_fail(torc_resource *resource, torc_err err, const char *text) {
    torc_children *children = torc_children_of(resource);

    if (!children || children->err) return;
    children->err = err;
    snprintf(children->err_text, sizeof(children->err_text), "%s", text);
}

void torc_resource_init(torc_resource *resource, const torc_resource_ops *ops) {
    *resource = (torc_resource){.ops = ops, .is_passed = ops->stand_in != NULL};
}

static void dispose_routes(torc_route *route) {
    while (route) {
        torc_route *next = route->next;
        torc_route_free(route);
        route = next;
    }
}

static void dispose_shaped(torc_shaped *shaped) {
    while (shaped) {
        torc_shaped *next = shaped->next;
        torc_resource_dispose(shaped->resource);
        torc_dealloc(NULL, shaped);
        shaped = next;
    }
}

static void free_prefix(torc_prefix *prefix) {
    if (prefix) torc_dealloc(NULL, prefix->names);
    torc_dealloc(NULL, prefix);
}

void torc_children_dispose(torc_children *children) {
    if (!children || children == &no_memory) return;

    for (uint32_t i = 0; i < children->count; i++) {
        torc_resource_dispose(children->items[i]->resource);
        torc_dealloc(NULL, children->items[i]);
    }
    torc_dealloc(NULL, children->items);
    dispose_shaped(children->shaped);
    torc_resource_dispose(children->param);
    torc_resource_dispose(children->rest);
    dispose_routes(children->routes);
    torc_scope_dispose(children->scope);
    free_prefix(children->prefix);
    torc_dealloc(NULL, children);
}

void torc_resource_dispose(torc_resource *resource) {
    if (!resource) return;

    torc_children *children = resource->children;
    resource->children = NULL;
    torc_children_dispose(children);
    if (resource->ops->dispose) resource->ops->dispose(resource);
}

static bool grow(torc_children *children) {
    if (children->count < children->capacity) return true;

    const uint32_t capacity = children->capacity ? 2 * children->capacity : 8;
    const size_t size = capacity * sizeof(torc_child *);
    torc_child **items = children->items ? torc_realloc(NULL, children->items, size)
                                         : torc_alloc(NULL, TORC_MEMORY_OTHER, size);
    if (!items) return false;
    children->items = items;
    children->capacity = capacity;
    return true;
}

static bool insert(torc_children *children, uint32_t place, torc_str name,
                   torc_resource *resource) {
    if (!grow(children)) return false;

    torc_child *child = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(torc_child) + name.len);
    if (!child) return false;
    child->resource = resource;
    child->name_len = (uint32_t)name.len;
    if (name.len) memcpy(child->name, name.bytes, name.len);

    memmove(children->items + place + 1, children->items + place,
            (children->count - place) * sizeof(torc_child *));
    children->items[place] = child;
    children->count++;
    return true;
}

bool torc_children_insert(torc_children *children, torc_str name, torc_resource *child) {
    uint32_t place;
    const bool is_taken = find_place(children, name, &place);

    assert(!is_taken);
    (void)is_taken;
    return insert(children, place, name, child);
}

void torc_resource_put_child(torc_resource *resource, const char *name, torc_resource *child) {
    torc_children *children = torc_children_of(resource);
    uint32_t place;

    if (!child) torc_resource_fail(resource, TORC_ERR_NO_MEMORY, name);
    if (!child || !children) {
        torc_resource_dispose(child);
        return;
    }
    if (find_place(children, torc_str_of(name), &place)) {
        torc_resource_dispose(children->items[place]->resource);
        children->items[place]->resource = child;
    } else if (!insert(children, place, torc_str_of(name), child)) {
        torc_resource_dispose(child);
        torc_resource_fail(resource, TORC_ERR_NO_MEMORY, name);
    }
}

void torc_resource_put_rest(torc_resource *resource, torc_resource *child) {
    torc_children *children = torc_children_of(resource);

    if (!child) torc_resource_fail(resource, TORC_ERR_NO_MEMORY, "*");
    if (!child || !children) {
        torc_resource_dispose(child);
        return;
    }
    torc_resource_dispose(children->rest);
    children->rest = child;
}

bool torc_resource_is_bare(const torc_resource *resource) {
    const torc_children *children = resource->children;

    return !children ||
           (!children->err && !children->count && !children->shaped && !children->param &&
            !children->rest && !children->routes && !children->scope);
}

torc_resource *torc_resource_child(const torc_resource *resource, torc_str name) {
    const torc_children *children = resource->children;
    uint32_t place;

    return children && find_place(children, name, &place) ? children->items[place]->resource : NULL;
}

bool torc_resource_remove_child(torc_resource *resource, const char *name) {
    torc_children *children = resource->children;
    uint32_t place;

    if (!children || !find_place(children, torc_str_of(name), &place)) return false;

    torc_child *child = children->items[place];
    children->count--;
    memmove(children->items + place, children->items + place + 1,
            (children->count - place) * sizeof(torc_child *));
    torc_resource_dispose(child->resource);
    torc_dealloc(NULL, child);
    return true;
}

void torc_resource_each_child(const torc_resource *resource,
                              void (*each)(void *context, torc_str name, torc_resource *child),
                              void *context) {
    const torc_children *children = resource->children;

    for (uint32_t i = 0; children && i < children->count; i++)
        each(context, child_name(children->items[i]), children->items[i]->resource);
}

static const torc_children *find_failure(const torc_resource *resource);

static void look_at_host(void *context, torc_str name, torc_resource *resource) {
    const torc_children **failure = context;

    (void)name;
    if (!*failure) *failure = find_failure(resource);
}

/* The first resource of a tree that was marked, or NULL. */
static const torc_children *find_failure(const torc_resource *resource) {
    const torc_children *children = resource ? resource->children : NULL;
    const torc_children *failure = NULL;

    if (!children) return NULL;
    if (children->err) return children;
    for (uint32_t i = 0; !failure && i < children->count; i++)
        failure = find_failure(children->items[i]->resource);
    for (const torc_shaped *it = children->shaped; !failure && it; it = it->next)
        failure = find_failure(it->resource);
    if (!failure) failure = find_failure(children->param);
    if (!failure) failure = find_failure(children->rest);
    if (!failure && children->scope && children->scope->hosts)
        torc_hosts_each(children->scope->hosts, look_at_host, &failure);
    return failure;
}

/* The names of routes are looked at here, where the tree is whole; what is wrong with them is a
 * mark like others, so that the text can be asked for. */
torc_err torc_resource_err(const torc_resource *resource) {
    const torc_children *failure = find_failure(resource);

    if (!failure && resource && resource->children) {
        torc_routes_check_names((torc_resource *)(uintptr_t)resource);
        failure = find_failure(resource);
    }
    return failure ? failure->err : TORC_OK;
}

const char *torc_resource_err_text(const torc_resource *resource) {
    const torc_children *failure = find_failure(resource);
    return failure ? failure->err_text : "";
}
