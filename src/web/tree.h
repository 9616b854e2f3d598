/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_TREE_H
#define TORC_WEB_TREE_H

#include <torc/middleware.h>
#include <torc/route.h>

#include "web/pattern.h"

/*
 * What a resource has beneath it: children by name, one for parameters, one for all the rest, and
 * the routes that end at it. Attached to a resource with the first of these.
 */
typedef struct torc_child {
    torc_resource *resource;
    uint32_t name_len;
    char name[];
} torc_child;

/* A method and a function at the end of a path. */
typedef struct torc_route torc_route;
struct torc_route {
    torc_route *next;
    torc_render_fn *render;
    torc_method method; /* TORC_METHOD_OTHER: see method_text */
    bool any_method;
    torc_str method_text;
    torc_str *params; /* the names of the path's parameters, in their order */
    uint32_t param_count;
    torc_route_options options;
    char text[]; /* the pattern, into which the slices point */
};

/* A child for the segments that fit a shape; one for segments of any kind has a place of its own.
 */
typedef struct torc_shaped torc_shaped;
struct torc_shaped {
    torc_shaped *next;
    torc_resource *resource;
    torc_shape shape;
    char text[]; /* into which it points */
};

/* What a group, or a mounted resource, has to say about all that is beneath it. */
typedef struct torc_prefix {
    torc_slashes slashes;
    torc_str *names; /* of the parameters that led to it from where it was put, in their order */
    uint32_t name_count;
} torc_prefix;

enum {
    TORC_ROUTE_PARAMS_MAX = 16
};

/* What holds for a resource and all beneath it. */
typedef struct torc_scope {
    torc_middleware *first;   /* the outermost */
    struct torc_hosts *hosts; /* who answers in the resource's place; NULL: nobody. See hosts.h */
    struct torc_error_handler *errors; /* who answers them; NULL: nobody. See error_page.h */
    struct torc_rewrites *rewrites;    /* rules; NULL: none. See rewrite.h */
} torc_scope;

typedef struct torc_children {
    torc_child **items; /* sorted by name */
    uint32_t count, capacity;
    torc_shaped *shaped;  /* in the order in which they are tried */
    torc_resource *param; /* any one segment that is not empty */
    torc_resource *rest;  /* all segments that are left, at least one */
    torc_route *routes;   /* in the order in which they were added */
    torc_scope *scope;    /* NULL: nothing does */
    torc_prefix *prefix;  /* NULL: nothing to say */
    torc_err err;         /* the first failure */
    char err_text[160];   /* what about, for people */
} torc_children;

/* The children of a resource, made if there are none; NULL (and the resource marked) without
 * memory. */
torc_children *torc_children_of(torc_resource *resource);
/* The scope of a resource, made if there is none; NULL (and the resource marked) without memory. */
torc_scope *torc_scope_of(torc_resource *resource);
/* Dispose of a scope, and of what is in it. NULL is fine. */
void torc_scope_dispose(torc_scope *scope);
/* Mark a tree as broken at `resource`. */
void torc_resource_fail(torc_resource *resource, torc_err err, const char *text);
/* Put `child`, which is not NULL, at a name that is free. False without memory: it is not taken. */
bool torc_children_insert(torc_children *children, torc_str name, torc_resource *child);
/* Dispose of all that is attached. */
void torc_children_dispose(torc_children *children);

/* Whether a resource has nothing beneath it or around it. */
bool torc_resource_is_bare(const torc_resource *resource);
/* The code that renders a resource: of one that is a function, that. */
const void *torc_resource_code(const torc_resource *resource);

/* TRACE and CONNECT go to nobody who does not name them: neither to `*` nor to who looks itself. */
static inline bool torc_method_is_named_only(torc_method method) {
    return method == TORC_METHOD_TRACE || method == TORC_METHOD_CONNECT;
}

/* The route for a method at this place, HEAD by GET; NULL when none answers it. */
const torc_route *torc_route_find(const torc_children *children, torc_method method, torc_str text);
/* Dispose of one that is in no list. NULL is fine. */
void torc_route_free(torc_route *route);
/* The bits of the methods that the routes at this place answer. */
uint32_t torc_route_methods(const torc_children *children);

#endif
