/* SPDX-License-Identifier: MIT */
/*
 * The walk through the tree.
 *
 *  - At each node a literal child goes before parameters of a kind, these before any other, that
 *    before the rest, and that before find_child; a branch in which nothing answers the method is
 *    left again, but for find_child's, which comes last and is entered once.
 *  - A place that is found but does not answer the method adds to `allow`.
 *  - The scopes of the branch that is being tried are in `scopes`, its groups in `prefixes`: who
 *    tries another takes back those of the first. Where the way ends, the scopes are noted if it
 *    came farther than before.
 *  - A branch on which the path was rewritten is not taken back: no other is tried then.
 *  - The stack grows with the depth of the tree that was built, not with the path: the last branch
 *    of a node is entered by going round the loop.
 */
#include "web/walk.h"

#include "web/hosts.h"
#include "web/rewrite.h"

static uint32_t bits_answering(torc_method method) {
    uint32_t bits = torc_method_bit(method);
    if (method == TORC_METHOD_HEAD) bits |= torc_method_bit(TORC_METHOD_GET);
    return bits;
}

/* What a resource that looks itself is taken to answer, when others are refused. */
static uint32_t any_bits(void) {
    return torc_method_bit(TORC_METHOD_GET) | torc_method_bit(TORC_METHOD_POST) |
           torc_method_bit(TORC_METHOD_PUT) | torc_method_bit(TORC_METHOD_PATCH) |
           torc_method_bit(TORC_METHOD_DELETE);
}

/* Whether a resource's own render takes the method. */
static bool renders(torc_walk *walk, const torc_resource *resource) {
    if (!resource->ops->render) return false;
    if (!resource->methods && !torc_method_is_named_only(walk->end.method)) return true;
    walk->end.allow |= resource->methods ? resource->methods : any_bits();
    walk->end.is_refused = true;
    return (resource->methods & bits_answering(walk->end.method)) != 0;
}

/* Note the methods of a place's routes, which would have answered them. */
static void note_routes(torc_walk *walk, const torc_children *children) {
    walk->end.allow |= torc_route_methods(children);
    walk->end.is_refused = true;
    for (const torc_route *route = children->routes; route; route = route->next)
        if (!route->any_method && route->method == TORC_METHOD_OTHER &&
            walk->end.other_count < TORC_WALK_OTHERS_MAX)
            walk->end.others[walk->end.other_count++] = route->method_text;
}

/* The path has ended at `node`, or the node is a leaf: does it answer? */
static bool arrive(torc_walk *walk, torc_resource *node, uint32_t depth) {
    const torc_children *children = node->children;

    if (children && children->routes) {
        walk->end.route = torc_route_find(children, walk->end.method, walk->end.method_text);
        if (!walk->end.route) note_routes(walk, children);
    }
    if (!walk->end.route && !renders(walk, node)) return false;
    walk->end.found = node;
    walk->path->depth = depth;
    return true;
}

/* What is left of the path from `depth` on, decoded, its segments joined again. */
static torc_str rest_of(torc_walk *walk, uint32_t depth) {
    const torc_path *path = walk->path;
    size_t len = path->count - depth - 1;

    for (uint32_t i = depth; i < path->count; i++) len += path->decoded[i].len;
    if (path->count - depth == 1) return path->decoded[depth];

    char *bytes = torc_arena_bytes(torc_request_arena(walk->end.request), len);
    size_t at = 0;
    if (!bytes) walk->end.err = TORC_ERR_NO_MEMORY;
    for (uint32_t i = depth; bytes && i < path->count; i++) {
        if (i > depth) bytes[at++] = '/';
        memcpy(bytes + at, path->decoded[i].bytes, path->decoded[i].len);
        at += path->decoded[i].len;
    }
    return torc_str_make(bytes, bytes ? len : 0);
}

static bool descend(torc_walk *walk, torc_resource *node, uint32_t depth);

static bool push_value(torc_walk *walk, torc_str text, torc_str raw) {
    if (walk->value_count == TORC_ROUTE_PARAMS_MAX) {
        walk->end.err = TORC_ERR_LIMIT; /* of groups within groups: never is one left out */
        return false;
    }
    walk->values[walk->value_count++] = (torc_walk_value){text, raw};
    return true;
}

/* Go down a branch; when nothing answers there, what was noted on the way is forgotten. */
static bool branch(torc_walk *walk, torc_resource *node, uint32_t depth) {
    const uint32_t scopes = walk->scope_count, prefixes = walk->prefix_count;

    if (descend(walk, node, depth)) return true;
    walk->scope_count = scopes;
    walk->prefix_count = prefixes;
    return false;
}

/* The same with a value that led there. */
static bool branch_with(torc_walk *walk, torc_resource *node, uint32_t depth, torc_str text,
                        torc_str raw) {
    if (!push_value(walk, text, raw)) return false;
    if (branch(walk, node, depth + 1)) return true;
    walk->value_count--;
    return false;
}

/* The raw form of a part of a segment: so many decoded bytes before it, so many of it. */
static torc_str raw_part(torc_str raw, size_t before, size_t len) {
    size_t from = 0, to;

    while (before-- > 0) from += raw.bytes[from] == '%' ? 3 : 1;
    for (to = from; len > 0; len--) to += raw.bytes[to] == '%' ? 3 : 1;
    return torc_str_make(raw.bytes + from, to - from);
}

static bool try_shaped(torc_walk *walk, const torc_shaped *it, uint32_t depth) {
    const torc_path *path = walk->path;
    const uint32_t rewritten = walk->rewritten;
    torc_str value;

    for (; it; it = it->next) {
        if (!torc_shape_fits(&it->shape, path->decoded[depth], &value)) continue;
        const torc_str raw = raw_part(path->raw[depth], it->shape.before.len, value.len);
        if (branch_with(walk, it->resource, depth, value, raw)) return true;
        if (walk->rewritten != rewritten) return false;
    }
    return false;
}

static bool try_param(torc_walk *walk, torc_resource *param, uint32_t depth) {
    const torc_str value = walk->path->decoded[depth];

    return param && value.len && branch_with(walk, param, depth, value, walk->path->raw[depth]);
}

/* What is left of the path from `depth` on, as sent: its segments stand one behind the other. */
static torc_str raw_rest_of(const torc_walk *walk, uint32_t depth) {
    const torc_path *path = walk->path;
    const torc_str first = path->raw[depth], last = path->raw[path->count - 1];

    return torc_str_make(first.bytes, (size_t)(last.bytes - first.bytes) + last.len);
}

static torc_scope *scope_of(const torc_resource *node) {
    return node->children ? node->children->scope : NULL;
}

static bool has_entered(const torc_walk *walk, const torc_scope *scope) {
    for (uint32_t i = 0; i < walk->scope_count; i++)
        if (walk->scopes[i].scope == scope) return true;
    return false;
}

/* The request comes to a resource: what holds for all beneath it holds for the request, once. */
static bool enter(torc_walk *walk, const torc_resource *node) {
    const torc_scope *scope = scope_of(node);

    if (!scope || !(scope->first || scope->errors) || has_entered(walk, scope)) return true;
    if (walk->scope_count == TORC_MIDDLEWARE_DEPTH_MAX) {
        walk->end.err = TORC_ERR_LIMIT; /* never is one left out */
        return false;
    }
    walk->scopes[walk->scope_count++] = (torc_walk_scope){scope, node};
    return true;
}

/* The same of what a group or a mount says. */
static bool enter_prefix(torc_walk *walk, const torc_resource *node) {
    const torc_prefix *prefix = node->children ? node->children->prefix : NULL;

    if (!prefix) return true;
    if (walk->prefix_count == TORC_WALK_PREFIXES_MAX) {
        walk->end.err = TORC_ERR_LIMIT;
        return false;
    }
    if (prefix->slashes) walk->has_slashes = true;
    walk->prefixes[walk->prefix_count++] = (torc_walk_prefix){prefix, walk->value_count};
    return true;
}

/* Nobody answers where the way has ended. */
__attribute__((noinline, cold)) static bool miss(torc_walk *walk) {
    if (walk->scope_count > walk->missed_count && !walk->is_second) {
        memcpy(walk->missed, walk->scopes, walk->scope_count * sizeof(walk->scopes[0]));
        walk->missed_count = walk->scope_count;
    }
    return false;
}

static bool try_rest(torc_walk *walk, torc_resource *rest, uint32_t depth) {
    const uint32_t scopes = walk->scope_count;

    if (!rest || !push_value(walk, rest_of(walk, depth), raw_rest_of(walk, depth))) return false;
    if (enter(walk, rest) && (arrive(walk, rest, depth) || miss(walk))) return true;
    walk->scope_count = scopes;
    walk->value_count--;
    return false;
}

/* A resource that was made for one request, and goes with it. */
typedef struct temporary {
    torc_holding base;
    torc_resource *resource;
} temporary;

static void release(torc_holding *holding) {
    torc_resource_dispose(torc_container_of(holding, temporary, base)->resource);
}

/* Let the request dispose of a resource; false without memory: it was disposed of now. */
static bool hold(torc_walk *walk, torc_resource *resource) {
    temporary *held = torc_arena_alloc(torc_request_arena(walk->end.request), sizeof(*held));

    if (!held) {
        torc_resource_dispose(resource);
        walk->end.err = TORC_ERR_NO_MEMORY;
        return false;
    }
    held->base.release = release;
    held->resource = resource;
    torc_request_hold(walk->end.request, &held->base);
    return true;
}

static torc_resource *ask(torc_walk *walk, torc_resource *node, uint32_t depth) {
    torc_resource *child;

    if (!node->ops->find_child) return NULL;
    walk->path->depth = depth;
    child = node->ops->find_child(node, walk->end.request, walk->path->decoded[depth]);
    if (!child || child == node || !child->is_temporary) return child;
    return hold(walk, child) ? child : NULL;
}

/* Who answers in place of a node: a redirect, the host that was asked, or whom it names itself. */
static torc_resource *ask_for_other(torc_walk *walk, torc_resource *node) {
    const torc_scope *scope = scope_of(node);
    torc_resource *other = NULL;

    if (scope && scope->rewrites)
        walk->end.err = torc_rewrites_apply(scope->rewrites, walk->end.request, &other);
    if (walk->end.err) return NULL;
    if (other) return other;
    if (scope && scope->hosts) other = torc_hosts_find(scope->hosts, walk->end.request);
    if (other) return other;
    return node->ops->stand_in ? node->ops->stand_in(node, walk->end.request) : node;
}

/* Who the walk goes on from in place of `node`, at the path's depth; NULL: nobody, or an error. */
static torc_resource *replace(torc_walk *walk, torc_resource *node) {
    const char *path = torc_request_path(walk->end.request).bytes;
    torc_resource *other = ask_for_other(walk, node);

    if (torc_request_path(walk->end.request).bytes != path) walk->rewritten++;
    if (!other || other == node) return other;
    if (++walk->stand_ins > TORC_WALK_STAND_INS_MAX) {
        walk->end.err = TORC_ERR_LIMIT; /* they go round in circles */
        return NULL;
    }
    if (!other->is_temporary) return other;
    return hold(walk, other) ? other : NULL;
}

/* Come to a node with a scope, or for which another stands in: who the walk goes on from, at the
 * path's depth. NULL: the way ends here. */
__attribute__((noinline, cold)) static torc_resource *come_to(torc_walk *walk, torc_resource *node,
                                                              uint32_t depth) {
    torc_resource *at = NULL;

    walk->path->depth = depth;
    while (node && node != at && enter(walk, node) && enter_prefix(walk, node)) {
        at = node;
        node = replace(walk, at);
    }
    return walk->end.err ? NULL : node;
}

/* Whether the one way on from a node is a child that was put there. */
static bool has_names_only(const torc_resource *node) {
    const torc_children *children = node->children;

    return !node->ops->find_child &&
           !(children && (children->param || children->rest || children->shaped));
}

/* The ways on from a node that have no name, each unless the path was rewritten on the one before.
 */
static bool try_others(torc_walk *walk, const torc_children *children, uint32_t depth) {
    const uint32_t rewritten = walk->rewritten;

    if (try_shaped(walk, children->shaped, depth)) return true;
    if (walk->rewritten == rewritten && try_param(walk, children->param, depth)) return true;
    return walk->rewritten == rewritten && try_rest(walk, children->rest, depth);
}

/* The ways on from a node of which there are several. True: one of them has led to who answers. */
static bool try_all(torc_walk *walk, torc_resource *child, const torc_children *children,
                    uint32_t depth) {
    const uint32_t rewritten = walk->rewritten;

    if (child && branch(walk, child, depth + 1)) return true;
    return walk->rewritten == rewritten && children && try_others(walk, children, depth);
}

static bool descend(torc_walk *walk, torc_resource *node, uint32_t depth) {
    while (node) {
        if (node->is_passed) {
            node = come_to(walk, node, depth);
            if (!node) break;
            depth = walk->path->depth;
        }
        if (depth >= walk->path->count || node->is_leaf)
            return arrive(walk, node, depth) || miss(walk);

        const torc_children *children = node->children;
        torc_resource *child = torc_resource_child(node, walk->path->decoded[depth]);
        if (child && has_names_only(node)) {
            node = child;
        } else {
            const uint32_t rewritten = walk->rewritten;
            if (try_all(walk, child, children, depth)) return true;
            if (child || walk->rewritten != rewritten)
                return false; /* a child that was put hides what find_child would answer */
            node = ask(walk, node, depth);
        }
        depth++;
    }
    return miss(walk);
}

/* Name the last of the values that there are `end` of. */
static void add_named(torc_walk *walk, const torc_str *names, uint32_t count, uint32_t end) {
    const uint32_t first = end > count ? end - count : 0;

    for (uint32_t i = 0; !walk->end.err && i < count && first + i < end; i++) {
        const torc_walk_value *value = &walk->values[first + i];
        if (names[i].len)
            walk->end.err =
                torc_request_add_param(walk->end.request, names[i], value->text, value->raw);
    }
}

/* Those of the groups, and those of the route, which hide the former. */
static void add_params(torc_walk *walk) {
    const torc_route *route = walk->end.route;

    for (uint32_t i = 0; i < walk->prefix_count; i++)
        add_named(walk, walk->prefixes[i].prefix->names, walk->prefixes[i].prefix->name_count,
                  walk->prefixes[i].value_count);
    if (route) add_named(walk, route->params, route->param_count, walk->value_count);
}

/* What the innermost of the places on the way says. */
static torc_slashes slashes_of(const torc_walk *walk) {
    for (uint32_t i = walk->prefix_count; i-- > 0;)
        if (walk->prefixes[i].prefix->slashes) return walk->prefixes[i].prefix->slashes;
    return TORC_SLASHES_STRICT;
}

/* Somebody answers, at another path than was asked for: nobody answers, but by a redirect. */
static void turn_to_redirect(torc_walk *walk) {
    memcpy(walk->missed, walk->scopes, walk->scope_count * sizeof(walk->scopes[0]));
    walk->missed_count = walk->scope_count;
    walk->end.is_by_slash = true;
}

/* The path with one slash less at its end, or one more: what the place says that answers there. */
static torc_slashes look_by_slash(torc_walk *walk, torc_resource *resource, uint32_t start) {
    walk->stand_ins = walk->value_count = walk->prefix_count = walk->scope_count = 0;
    walk->is_second = true;
    walk->path->depth = start;
    return descend(walk, resource, start) && !walk->end.err ? slashes_of(walk)
                                                            : TORC_SLASHES_STRICT;
}

/*
 * Nothing was found: is there something with one slash less at the end, or one more, where that may
 * be? True: it answers. Else the path is again the one that was asked for. Where a rule has changed
 * the path there is no redirect: the client never asked for what it made.
 */
__attribute__((noinline, cold)) static bool find_by_slash(torc_walk *walk, torc_resource *resource,
                                                          uint32_t start) {
    torc_path_mark asked;
    torc_slashes slashes;

    if (walk->end.is_refused || walk->rewritten || walk->end.err) return false;
    torc_request_mark_path(walk->end.request, &asked);
    if (!torc_request_toggle_slash(walk->end.request)) return false;
    slashes = look_by_slash(walk, resource, start);
    if (slashes == TORC_SLASHES_EITHER) return true;
    if (slashes == TORC_SLASHES_REDIRECT && !walk->rewritten) turn_to_redirect(walk);
    torc_request_return_to_path(walk->end.request, &asked);
    walk->end.found = NULL;
    walk->end.route = NULL;
    walk->end.allow = walk->end.other_count = 0;
    walk->end.is_refused = false;
    return false;
}

/* Nobody answers: the request came as far as it came. */
__attribute__((noinline, cold)) static void restore_missed(torc_walk *walk) {
    memcpy(walk->scopes, walk->missed, walk->missed_count * sizeof(walk->missed[0]));
    walk->scope_count = walk->missed_count;
}

bool torc_walk_from(torc_walk *walk, torc_request *request, torc_resource *resource) {
    const torc_head *head = torc_request_head(request);

    /* All but the arrays, of which only so many as are counted mean something. */
    walk->end.request = request;
    walk->end.method = head->method;
    walk->end.method_text = head->method_text;
    walk->path = torc_request_path_of(request);
    walk->end.found = NULL;
    walk->end.route = NULL;
    walk->end.allow = walk->end.other_count = 0;
    walk->stand_ins = walk->value_count = walk->scope_count = walk->missed_count = 0;
    walk->prefix_count = walk->rewritten = 0;
    walk->end.is_refused = walk->end.is_by_slash = false;
    walk->has_slashes = walk->is_second = false;
    walk->end.err = TORC_OK;
    const uint32_t start = walk->path->depth;
    const bool is_found = descend(walk, resource, start) ||
                          (walk->has_slashes && find_by_slash(walk, resource, start));
    if (is_found && walk->value_count > 0) add_params(walk);
    if (!is_found) restore_missed(walk);
    return is_found;
}
