/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_WALK_H
#define TORC_WEB_WALK_H

#include "http/request.h"
#include "web/tree.h"

enum {
    TORC_WALK_OTHERS_MAX = 8,
    TORC_WALK_STAND_INS_MAX = 16,
    TORC_WALK_PREFIXES_MAX = 32 /* that are within each other */
};

/* What a parameter of the path matched. */
typedef struct torc_walk_value {
    torc_str text, raw;
} torc_walk_value;

/* A group or mount on the way, and how many values there were there. */
typedef struct torc_walk_prefix {
    const torc_prefix *prefix;
    uint32_t value_count;
} torc_walk_prefix;

/* A scope on the way, and whose it is. */
typedef struct torc_walk_scope {
    const torc_scope *scope;
    const torc_resource *resource;
} torc_walk_scope;

/* Where a walk has ended. */
typedef struct torc_walk_end {
    torc_request *request;
    torc_method method;
    torc_str method_text;
    torc_resource *found; /* who answers: by `route` if that is set, else by its render; NULL:
                             nobody does */
    const torc_route *route;
    uint32_t allow;                        /* methods that places on the path would have answered */
    torc_str others[TORC_WALK_OTHERS_MAX]; /* the same of methods that have no bit, as far as there
                                              is room */
    uint32_t other_count;
    bool is_refused;  /* a place was found, but not for this method */
    bool is_by_slash; /* nobody does, but with one slash less at the end, or one more: redirect */
    torc_err err;     /* memory was short on the way, or a bound was reached: neither found nor not
                         found */
} torc_walk_end;

/*
 * Finding who answers a request: the walk from a resource down the path's segments.
 */
typedef struct torc_walk {
    torc_walk_end end;
    torc_path *path;
    uint32_t rewritten; /* how often the path was changed on the way */
    uint32_t stand_ins;
    bool has_slashes; /* a place on the way says how a slash at the end is taken */
    bool is_second;   /* the path is another than was asked for: nothing is missed there */
    uint32_t value_count, prefix_count, scope_count, missed_count;
    torc_walk_value values[TORC_ROUTE_PARAMS_MAX];
    torc_walk_prefix prefixes[TORC_WALK_PREFIXES_MAX];
    /* What the request comes through, from the outside: to who answers; when nobody does, to where
     * it came farthest. */
    torc_walk_scope scopes[TORC_MIDDLEWARE_DEPTH_MAX], missed[TORC_MIDDLEWARE_DEPTH_MAX];
} torc_walk;

/*
 * Walk from `resource`, which stands at the path's depth. True: somebody answers, the path's depth
 * is set, and the parameters are the request's, unless there is an error.
 */
bool torc_walk_from(torc_walk *walk, torc_request *request, torc_resource *resource);

#endif
