/* SPDX-License-Identifier: MIT */
#ifndef TORC_RESOURCE_H
#define TORC_RESOURCE_H

#include <torc/cidr.h>
#include <torc/request.h>

/**
 * Resources: the nodes of the tree that a site serves.
 *
 * A request walks the tree by its path's segments. At each node a child that was put there
 * (put_child) is taken first; else a parameter or a wildcard of a route; else the node is asked
 * (find_child). The walk ends when the path does, or at a leaf, which is left with the rest. Then
 * the node renders.
 *
 * A resource is embedded in a struct of its own kind. Its parent owns it: put_child takes it, and
 * it is disposed of with the tree. `find_child` answers a resource of the tree, or one made for the
 * request (in its arena, say) and marked `is_temporary`, which is disposed of when the request has
 * ended.
 */
typedef struct torc_resource_ops {
    /**
     * The child of that name (a segment, decoded), or NULL: 404. May be NULL itself. It may look
     * further at torc_request_segment(). On the reactor's stack.
     */
    torc_resource *(*find_child)(torc_resource *resource, torc_request *request, torc_str name);
    /** Answer. May return TORC_RENDER_NOT_DONE_YET. On the reactor's stack; NULL: 404 (a folder
     * without a face). */
    torc_render (*render)(torc_resource *resource, torc_request *request);
    /**
     * Who the walk goes on from in place of this one, with the same segments left: another
     * resource, as `find_child` may answer them, or this one; NULL: 404. It may change the path by
     * torc_request_set_rest(). May be NULL itself: this one. On the reactor's stack.
     */
    torc_resource *(*stand_in)(torc_resource *resource, torc_request *request);
    /** The tree, or the request, lets go of it: free what it holds, and itself. May be NULL. */
    void (*dispose)(torc_resource *resource);
} torc_resource_ops;

struct torc_resource {
    const torc_resource_ops *ops;
    uint32_t methods;  /* bits of torc_method_bit() that render answers; 0: any but TRACE and
                          CONNECT, it looks itself */
    bool is_leaf;      /* renders whatever segments are left */
    bool on_fiber;     /* render is called on a fiber, and may wait */
    bool is_temporary; /* made by find_child: its request disposes of it */
    bool is_passed;    /* private: another stands in, or something holds for what is beneath */
    struct torc_children *children; /* private */
};

TORC_BEGIN_DECLS

/** Make a resource with a table; nothing is allocated. */
TORC_API void torc_resource_init(torc_resource *resource, const torc_resource_ops *ops);
/** Dispose of a resource that has no parent, with its children. NULL is fine. */
TORC_API void torc_resource_dispose(torc_resource *resource);
/**
 * Put `child` at `name` (one segment, decoded; "" is the folder itself, as in "/a/"). Takes the
 * child, also when it fails (memory): then it is disposed of, and the tree is marked, so that
 * torc_site_new() or torc_app_run() reports it. NULL as a child counts as such a failure. A child
 * there before is disposed of.
 */
TORC_API void torc_resource_put_child(torc_resource *resource, const char *name,
                                      torc_resource *child);
/**
 * Put `child` where every path leads that nothing else beneath `resource` answers: it renders
 * whatever is left of the path, as a leaf does. Takes the child as torc_resource_put_child() does;
 * replaces the one before.
 */
TORC_API void torc_resource_put_rest(torc_resource *resource, torc_resource *child);
/** The child that was put at `name`, or NULL. */
TORC_API torc_resource *torc_resource_child(const torc_resource *resource, torc_str name);
/** Remove and dispose of a child. False when there is none. Not while requests are in it. */
TORC_API bool torc_resource_remove_child(torc_resource *resource, const char *name);
/**
 * Name-based virtual hosts: requests that come to `resource` and address `name` are answered by
 * `host` in its place, with the same segments left. A name is whole ("a.example", "[::1]"), or
 * stands for all beneath another ("*.a.example"), or for any ("*"); the longest that fits is taken,
 * in letters of any case and without a port. What no host is for `resource` answers itself. The
 * middlewares of `resource` are around its hosts, too. Takes the host as torc_resource_put_child()
 * does, and reports as that, also a name that is none.
 */
TORC_API void torc_resource_put_host(torc_resource *resource, const char *name,
                                     torc_resource *host);
/** What was put for that name, as it was given; NULL: nothing. */
TORC_API torc_resource *torc_resource_host(const torc_resource *resource, torc_str name);
/** Remove and dispose of a host. False when there is none. Not while requests are in it. */
TORC_API bool torc_resource_remove_host(torc_resource *resource, const char *name);
/** Call `each` for every child that was put, in the order of their names. */
TORC_API void torc_resource_each_child(const torc_resource *resource,
                                       void (*each)(void *context, torc_str name,
                                                    torc_resource *child),
                                       void *context);
/**
 * The first failure of what was put into this tree, TORC_OK when none. Two routes of one name are
 * found by this call, TORC_ERR_INVALID; it marks the tree with that.
 */
TORC_API torc_err torc_resource_err(const torc_resource *resource);
/** What torc_resource_err() was about, for people; "" when there was none. */
TORC_API const char *torc_resource_err_text(const torc_resource *resource);

/**
 * From a render: let the walk go on from `resource` with the segments that are left, and let it
 * answer whom that finds, with the middlewares on the way; 404 or 405 when it finds nobody. Answers
 * what the render is to return. Routes, and all else that runs on a fiber, are answered only when
 * this render is on one.
 */
TORC_API torc_render torc_resource_serve(torc_resource *resource, torc_request *request);

/** A resource without a face: children only. NULL when out of memory, as all of these. */
TORC_API torc_resource *torc_folder_new(void);
/** Constant bytes, copied; GET and HEAD. */
TORC_API torc_resource *torc_data_new(torc_str bytes, const char *content_type);
/** A redirect of any method from any depth. */
TORC_API torc_resource *torc_redirect_new(int status, const char *location);
/**
 * A redirect of everything to the same path and query at another origin: "https://www.example.org",
 * or "https:" for the host that was asked, at that scheme's own port. To be put as the rest of a
 * root (torc_resource_put_rest()), or as the root itself.
 */
TORC_API torc_resource *torc_origin_redirect_new(int status, const char *origin);
/** A redirect to the folder that it is in, from any depth. */
TORC_API torc_resource *torc_parent_redirect_new(void);
/** A function as a resource: a leaf or not, on a fiber. Methods: bits, 0 for any. */
TORC_API torc_resource *torc_render_new(torc_render_fn *render, uint32_t methods, bool is_leaf);
/**
 * For a front end that writes into the path whom it was asked for: /http/HOST/rest and
 * /https/HOST/rest beneath it are answered by the site's root as if /rest had been asked of HOST
 * ("a.example:8080"). Only of peers within the `count` ranges `trusted`, which are copied; others
 * get a 403.
 */
TORC_API torc_resource *torc_host_in_path_new(const torc_cidr *trusted, size_t count);
/** A page that says that a program of this library runs, and what could be done next: for GET. It
 * is what a program without any resource answers at "/". */
TORC_API torc_resource *torc_demo_new(void);
/** The error page of a status, for any method and every path beneath. */
TORC_API torc_resource *torc_error_page_new(int status, const char *brief, const char *detail);

/**
 * Put a route into the tree beneath `resource`: "GET /users/{id:int}", see <torc/route.h>. The
 * function is called on a fiber. Several methods of a path are several routes; one of the same
 * method and path replaces the former. A mistake in the pattern is reported as by
 * torc_resource_put_child().
 */
TORC_API void torc_resource_route(torc_resource *resource, const char *pattern,
                                  torc_render_fn *render);

TORC_END_DECLS

#endif
