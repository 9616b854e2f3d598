/* SPDX-License-Identifier: MIT */
#ifndef TORC_MIDDLEWARE_H
#define TORC_MIDDLEWARE_H

#include <torc/resource.h>

/**
 * Middleware: filters around a part of the tree, for what concerns many resources alike.
 *
 * A middleware is used on a resource and holds for it and for all beneath it. A request passes
 * those of the resources on its way, the outermost first, before it is rendered; its response
 * passes them in the opposite order when its head is about to go. That is so for error pages of
 * that part of the tree, too: a 404 of a path that leads into it, a 405, a 500.
 *
 *     static torc_render request_received(torc_middleware *self, torc_request *request) {
 *         if (is_closed_today()) return torc_reply_status(request, 503, NULL);
 *         return TORC_RENDER_NEXT;
 *     }
 *
 * It is embedded in a struct of its own kind, serves many requests at a time, and belongs to one
 * reactor's thread. What it keeps for one request it keeps by torc_request_set_value().
 */
typedef struct torc_middleware torc_middleware;

typedef struct torc_middleware_ops {
    /**
     * A request for what is inside. Answers TORC_RENDER_NEXT to let it go on; or it replies, as a
     * render does, and nothing inside is told of the request. TORC_RENDER_NOT_DONE_YET: it replies
     * later, or calls torc_middleware_proceed(). May be NULL.
     */
    torc_render (*request_received)(torc_middleware *middleware, torc_request *request);
    /**
     * The response to a request that this was told of is about to go, its own too: status and
     * fields can be asked and changed, and stages added (see <torc/body_stage.h>). It must not
     * reply or write. Told of the 101 of an upgrade, but of no other interim response, nor of what
     * replaces a response that failed in here. May be NULL.
     */
    void (*response_starting)(torc_middleware *middleware, torc_request *request);
    /** The tree lets go of it: free what it holds, and itself. May be NULL. */
    void (*dispose)(torc_middleware *middleware);
    /** What it is called where routes are listed: "cors". May be NULL. */
    const char *name;
} torc_middleware_ops;

struct torc_middleware {
    const torc_middleware_ops *ops;
    bool on_fiber;   /* request_received and all that is inside are called on a fiber: both may
                        wait */
    bool is_shallow; /* for the resource itself, not for what is beneath it */
    torc_middleware *next, *around; /* private */
};

enum {
    TORC_MIDDLEWARE_DEPTH_MAX = 16 /* resources with middleware on the way to one; a request that
                                      passes more is answered with an error */
};

TORC_BEGIN_DECLS

/**
 * Put a middleware around a resource and what is beneath it, inside of those before. Takes it, also
 * when that fails: then it is disposed of, and the tree is marked as by torc_resource_put_child().
 * NULL counts as such a failure. Not while requests are in the tree.
 */
TORC_API void torc_resource_use(torc_resource *resource, torc_middleware *middleware);
/**
 * Go on to what is inside, after `request_received` of this middleware has answered
 * TORC_RENDER_NOT_DONE_YET; it may be called before that has returned. Does nothing when the
 * request is gone, or does not wait for this middleware: so nobody speaks for another.
 */
TORC_API void torc_middleware_proceed(torc_middleware *middleware, torc_request *request);

TORC_END_DECLS

#endif
