/* SPDX-License-Identifier: MIT */
#ifndef TORC_ROUTE_H
#define TORC_ROUTE_H

#include <torc/resource.h>

/**
 * Routes: patterns that lead to functions, with names, groups, and URLs made from them.
 *
 *     torc_resource *api = torc_resource_group(root, "/api/v1");
 *     torc_resource_route_with(api, "GET /users/{id:int}", show_user,
 *                              TORC_ROUTE_OPTIONS(.name = "user", .summary = "One user"));
 *     …
 *     url = torc_request_url_for(request, "user", TORC_URL_INT("id", 7));  // /api/v1/users/7
 *
 * A pattern is a method, or `*` for any but TRACE and CONNECT, one space, and a path. The method
 * alone, of a group, means the place itself: "GET" in the group "/users" is "GET /users". Each
 * segment of the path is one of:
 *
 *     users            itself, as it is once it is decoded
 *     {id}             any segment that is not empty
 *     {id:int}         a whole number with or without a minus, of 64 bits; `uint`: without
 *     {f:float}        digits, with or without a minus and a fraction; no exponent
 *     {u:uuid}         8-4-4-4-12 hexadecimal digits
 *     {s:slug}         letters, digits, `-` and `_`
 *     {lang:any(en|de)}  one of these
 *     v{n:uint}, {name}.json, @{who}   the same with literal text before or behind it
 *     {rest...}, {rest:path}, *        last: all that is left, at least one segment
 *
 * A segment that does not fit is none of this route's: the next is tried. Literal segments go
 * first, then parameters with text around them or of a kind (the longer text first, then any,
 * uuid, uint, int, float, slug), then `{name}`, then the rest, and a branch in which nothing
 * answers is left again. So the order in which routes are added does not matter. A function is
 * called on a fiber.
 *
 * A path has at most 16 parameters, those of the groups and mounts around it included: a route of
 * more is a mistake, and what is beyond them through groups is answered 503.
 *
 * Strings and tables that options point to must live as long as the tree: they are literals, as a
 * rule.
 */
typedef enum torc_param_kind {
    TORC_PARAM_ANY, /* one of several texts */
    TORC_PARAM_UUID,
    TORC_PARAM_UINT,
    TORC_PARAM_INT,
    TORC_PARAM_FLOAT,
    TORC_PARAM_SLUG,
    TORC_PARAM_STR,
    TORC_PARAM_PATH /* all segments that are left */
} torc_param_kind;

/**
 * Writes a JSON schema, as one value, of what `of` describes: for a document, see <torc/openapi.h>.
 */
typedef void torc_schema_fn(torc_json *json, const void *of);

/** An argument of the query, or a field of the head, that a route reads. */
typedef struct torc_route_input {
    const char *name;
    const char *description;
    const char *choices; /* of TORC_PARAM_ANY: "en|de" */
    torc_param_kind kind;
    bool is_required;
    bool is_field;    /* of the head, not of the query */
    int64_t min, max; /* of whole numbers; none while both are 0 */
} torc_route_input;

/** What a body holds. */
typedef struct torc_route_content {
    const char *type;       /* NULL: application/json if there is a schema, else no body */
    torc_schema_fn *schema; /* NULL: anything */
    const void *of;
} torc_route_content;

/** A status that a route may answer. */
typedef struct torc_route_response {
    int status;
    const char *description;    /* NULL: the status's own words */
    torc_route_content content; /* of an error without one: a problem (RFC 9457) */
} torc_route_response;

/**
 * What else is known of a route. Name and summary are for people and programs alike; inputs, body
 * and responses are told to clients, and inputs are checked if that is asked for.
 */
typedef struct torc_route_options {
    size_t size;      /* sizeof(torc_route_options) */
    const char *name; /* for URLs and documents; NULL: none. A tree in which two routes have the
                         same is refused */
    const char *summary;
    const char *description;
    const char *const *tags; /* ended by NULL */
    bool is_deprecated;
    bool is_hidden;          /* is in no document; for aliases */
    bool has_optional_body;  /* `body` may be lacking */
    torc_route_content body; /* of requests */
    const torc_route_input *inputs;
    size_t input_count;
    const torc_route_response *responses;
    size_t response_count;
    /* Before the function is called, look whether all `inputs` that are required are there and all
     * that are there are of their kind and within their bounds: else a 400 (RFC 9457) names each
     * that is not. Of an argument that comes several times all are looked at. */
    bool checks_inputs;
} torc_route_options;

/** The same, written where it is used: TORC_ROUTE_OPTIONS(.name = "user"). */
#define TORC_ROUTE_OPTIONS(...)                                                                    \
    (&(const torc_route_options){.size = sizeof(torc_route_options), __VA_ARGS__})

/** How a slash at the end of a path is taken, where there is nothing without it, or with it. */
typedef enum torc_slashes {
    TORC_SLASHES_INHERITED, /* as around it; strict at the root */
    TORC_SLASHES_STRICT,    /* "/a" and "/a/" are two places: 404 */
    TORC_SLASHES_REDIRECT,  /* 308 to the one there is; the method, the body and the query stay */
    TORC_SLASHES_EITHER     /* the one there is answers */
} torc_slashes;

TORC_BEGIN_DECLS

/** Put a route into the tree, as torc_resource_route() does, and tell more of it. The options are
 * copied, what they point to is not; NULL: none. */
TORC_API void torc_resource_route_with(torc_resource *resource, const char *pattern,
                                       torc_render_fn *render, const torc_route_options *options);
/**
 * The place at a path beneath `resource`, made if there is none: routes and resources that are put
 * there are beneath the path, and its parameters are theirs, too. Middlewares and handlers of
 * errors that are given to it are the group's. `path` is like that of a route, without a rest, or
 * "" for the resource itself. Owned by the tree. Never NULL: after a mistake the tree is marked,
 * and `resource` itself is answered.
 */
TORC_API torc_resource *torc_resource_group(torc_resource *resource, const char *path);
/**
 * Put a resource, with what is beneath it, at a path. Takes it as torc_resource_put_child() does;
 * where there is something already, that is a mistake.
 */
TORC_API void torc_resource_mount(torc_resource *resource, const char *path, torc_resource *child);
/** What becomes of a path that lacks its slash, or has one too many, at `resource` and beneath. */
TORC_API void torc_resource_set_slashes(torc_resource *resource, torc_slashes slashes);
/**
 * Remove the route of that pattern, as it was given, with `resource` the one it was given to. False
 * when there is none. Requests that have come to it go on.
 */
TORC_API bool torc_resource_remove_route(torc_resource *resource, const char *pattern);

/** A route, or a resource that renders, as it is found in the tree. Lent for the call. */
typedef struct torc_route_info {
    torc_str method; /* "GET", "*"; of a resource: "GET, HEAD", "*" */
    torc_str host;   /* "a.example", "*.a.example", "*"; empty: of no torc_resource_put_host() */
    torc_str path;   /* "/users/{id:int}" */
    torc_resource *resource;
    const torc_route_options *options; /* NULL of a resource */
    torc_render_fn *render;            /* NULL of a resource */
    uint32_t middleware_count;         /* on the way, its own included */
    /* Their names, from the outermost, in brackets those that hold for some requests only; NULL: it
     * has none. */
    const char *const *middlewares;
} torc_route_info;

/**
 * Call `each` for all that answers at `resource` and beneath it, in the order of the paths, which
 * begin there: routes, and resources that render; then for all of its hosts, by their names. What
 * find_child makes is not in the tree. TORC_ERR_LIMIT: the tree is deeper than 64, and what lies
 * deeper was left out. TORC_ERR_NO_MEMORY: hosts were.
 */
TORC_API torc_err torc_resource_each_route(const torc_resource *resource,
                                           void (*each)(void *context, const torc_route_info *info),
                                           void *context) TORC_MUST_CHECK;
/** Write these as a table for people, a line each, with the host in front of the path. */
TORC_API torc_err torc_routes_write_text(const torc_resource *root, torc_buf *text) TORC_MUST_CHECK;
/** The same as an array of objects. */
TORC_API torc_err torc_routes_write_json(const torc_resource *root,
                                         torc_json *json) TORC_MUST_CHECK;

/** A parameter's value for a URL. */
typedef struct torc_url_param {
    const char *name;
    torc_str text;  /* unless `is_number` */
    bool is_number; /* `number`, or its negative */
    bool is_arg;    /* goes into the query */
    bool is_negative;
    uint64_t number;
} torc_url_param;

static inline torc_url_param torc_url_param_str(const char *name, torc_str text, bool is_arg) {
    torc_url_param param = {name, text, false, is_arg, false, 0};
    return param;
}

static inline torc_url_param torc_url_param_int(const char *name, int64_t number, bool is_arg) {
    torc_url_param param = {name, {NULL, 0}, true, is_arg, number < 0, (uint64_t)number};
    if (number < 0) param.number = 0 - param.number;
    return param;
}

/** Parameters of the path … */
#define TORC_URL_STR(name, value) torc_url_param_str(name, value, false)
#define TORC_URL_TEXT(name, value) torc_url_param_str(name, torc_str_of(value), false)
#define TORC_URL_INT(name, value) torc_url_param_int(name, value, false)
/** … and arguments of the query, in their order. */
#define TORC_URL_ARG_STR(name, value) torc_url_param_str(name, value, true)
#define TORC_URL_ARG_TEXT(name, value) torc_url_param_str(name, torc_str_of(value), true)
#define TORC_URL_ARG_INT(name, value) torc_url_param_int(name, value, true)

/**
 * Write the path of the route of that name beneath `root`, its parameters escaped:
 * "/users/7?page=2". A rest keeps its slashes. Looks through the tree, which takes a moment; the
 * routes of hosts are found by giving the host as `root`.
 *
 * TORC_ERR_NOT_FOUND: no route has that name. TORC_ERR_INVALID: a parameter is lacking, is not the
 * route's, or is not of its kind; `*wrong` (may be NULL) is its name; its bytes are NULL where the
 * whole path could be taken for another ("//…"). Then nothing is written.
 */
TORC_API torc_err torc_resource_write_url(const torc_resource *root, const char *name,
                                          const torc_url_param *params, size_t count, torc_buf *url,
                                          torc_str *wrong) TORC_MUST_CHECK;
/**
 * The same by the tree that the request came to, as it is for the host that it asked; the URL lives
 * as long as the request. After a mistake its bytes are NULL, and the log has a line that says what
 * is wrong.
 */
TORC_API torc_str torc_request_url(torc_request *request, const char *name,
                                   const torc_url_param *params, size_t count);
/** torc_request_url() with its parameters written behind the name, if there are any. */
#define torc_request_url_for(request, ...)                                                         \
    TORC_URL_FOR_(request, __VA_ARGS__, torc_url_param_str(NULL, torc_str_make(NULL, 0), false))
/** private */
#define TORC_URL_FOR_(request, name, ...)                                                          \
    torc_request_url(request, name, (const torc_url_param[]){__VA_ARGS__},                         \
                     sizeof((const torc_url_param[]){__VA_ARGS__}) / sizeof(torc_url_param) - 1)

TORC_END_DECLS

#endif
