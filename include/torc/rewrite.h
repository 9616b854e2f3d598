/* SPDX-License-Identifier: MIT */
#ifndef TORC_REWRITE_H
#define TORC_REWRITE_H

#include <torc/resource.h>

/**
 * Rewriting: rules by which a path is changed before what it leads to is looked for.
 *
 * Rules belong to a resource and concern the segments that are left when a request comes to it,
 * before its hosts and children are asked. They are tried in the order in which they were added,
 * and each sees what the one before has made.
 *
 *     torc_resource_rewrite(root, "/~{user}", "/users/{user}");
 *     torc_resource_rewrite(root, "/{page}.php$", "/{page}");
 *     torc_resource_rewrite_redirect(root, 308, "/old", "https://new.example/archive");
 *
 * A pattern is the beginning of a path by whole segments: "/old" is for "/old", "/old/" and
 * "/old/x", and what it does not name stays behind what takes its place. With a `$` at its end it
 * is a whole path. A segment is literal, or has one `{name}` in it, which stands for one byte or
 * more; both are compared decoded. In the template `{name}` is that value, escaped anew. A template
 * with a query puts it in front of the one that was asked; one that ends in `?` drops that.
 */

/**
 * Decides about a request whose segments are left as torc_request_segment() from
 * torc_request_depth() on tell: it may change them by torc_request_set_rest(). An error is replied
 * to the request as by torc_reply_error(); TORC_ERR_NOT_FOUND is a 404.
 */
typedef torc_err torc_rewrite_fn(torc_request *request, void *context);

TORC_BEGIN_DECLS

/**
 * Add a rule: go on with `to`, a path, in place of `from`. The client does not see that. A mistake
 * is reported as by torc_resource_put_child(). Not while requests are in the tree; as all of these.
 */
TORC_API void torc_resource_rewrite(torc_resource *resource, const char *from, const char *to);
/**
 * The same, but answer with a redirect (301, 302, 303, 307, 308) to `to`: a path beneath the
 * resource, or a whole URL.
 */
TORC_API void torc_resource_rewrite_redirect(torc_resource *resource, int status, const char *from,
                                             const char *to);
/** Add a rule that is a function. */
TORC_API void torc_resource_rewrite_by(torc_resource *resource, torc_rewrite_fn *rewrite,
                                       void *context);

TORC_END_DECLS

#endif
