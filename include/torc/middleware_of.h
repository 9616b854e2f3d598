/* SPDX-License-Identifier: MIT */
#ifndef TORC_MIDDLEWARE_OF_H
#define TORC_MIDDLEWARE_OF_H

#include <torc/middleware.h>

/**
 * Middlewares of functions, and such that hold for some requests only.
 */

/** What a response is changed by when it starts, see torc_middleware_ops. */
typedef void torc_starting_fn(torc_request *request);
/** Whether something holds for a request. */
typedef bool torc_request_holds_fn(void *context, torc_request *request);

TORC_BEGIN_DECLS

/**
 * Functions as a middleware: `received` is called with a request that comes, on a fiber, so that it
 * may wait, and answers as `request_received` does; `starting` with a response that is about to go.
 * Either may be NULL. NULL when out of memory.
 */
TORC_API torc_middleware *torc_middleware_of(torc_render_fn *received, torc_starting_fn *starting);
/**
 * `inside`, which this takes, for those requests only for which `holds` when they come. NULL when
 * out of memory, or when `inside` is NULL; then nothing is leaked.
 */
TORC_API torc_middleware *torc_middleware_when(torc_request_holds_fn *holds, void *context,
                                               torc_middleware *inside);
/**
 * `inside`, which this takes, but for these paths, a list that ends in NULL and is copied:
 * "/health" is that path, "/static/" all that begins so.
 */
TORC_API torc_middleware *torc_middleware_unless_path(const char *const *paths,
                                                      torc_middleware *inside);

TORC_END_DECLS

#endif
