/* SPDX-License-Identifier: MIT */
#ifndef TORC_ERROR_PAGE_H
#define TORC_ERROR_PAGE_H

#include <torc/reply.h>
#include <torc/resource.h>

/**
 * Error pages: what is answered to what goes wrong in a part of the tree.
 *
 * Without more the answer to an error is a small page: HTML, application/problem+json or
 * text/plain, whichever the peer likes best by its Accept field, and HTML if it does not say. Sites
 * with `show_errors` tell developers more: who answered, the stack, the request.
 *
 * A resource may have its own answers to the errors of itself and of what is beneath it: a 404 of a
 * path that leads into it, a 405, a torc_reply_status(), torc_reply_error() or torc_reply_failure()
 * there, a response that failed before it was sent, a render that returned without one. (Not what a
 * render has written itself, and not torc_reply_problem().) The innermost resource on the path is
 * asked first, its answers in the order in which they were given to it, until one replies.
 */

/**
 * Reply to an error, by any torc_reply_…() or in steps, and answer TORC_RENDER_DONE; the status is
 * set, and may be changed. Or answer TORC_RENDER_NEXT, and the next is asked. It is called where
 * the error was told: it may wait only if that was on a fiber. Nobody else is asked about what goes
 * wrong in here, nor about an error that it replies with: the plain page is sent.
 */
typedef torc_render torc_error_fn(torc_request *request, const torc_error_reply *error,
                                  void *context);

TORC_BEGIN_DECLS

/**
 * Let a function answer errors of `resource` and what is beneath it. Without memory the tree is
 * marked as by torc_resource_put_child(), as by all of these. Not while requests are in the tree.
 */
TORC_API void torc_resource_on_error(torc_resource *resource, torc_error_fn *reply, void *context);
/**
 * Answer errors with a status from `first` to `last` (500 and 599: all that are the server's fault)
 * by a page, copied, of this type ("text/html; charset=utf-8"). The peer who prefers
 * application/problem+json or text/plain to its type is not sent it, and gets these.
 */
TORC_API void torc_resource_set_error_page(torc_resource *resource, int first, int last,
                                           const char *content_type, torc_str page);
/**
 * The same by the content of a file, at most 1 MiB, which is read now; its type is that of its
 * name's extension, text with charset=utf-8. One that cannot be read marks the tree.
 */
TORC_API void torc_resource_set_error_file(torc_resource *resource, int first, int last,
                                           const char *path);

TORC_END_DECLS

#endif
