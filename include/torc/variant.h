/* SPDX-License-Identifier: MIT */
#ifndef TORC_VARIANT_H
#define TORC_VARIANT_H

#include <torc/reply.h>

/**
 * Variants: the same data in several media types, chosen by what the peer would like.
 *
 *     static const torc_variant variants[] = {{"text/html", page}, {"application/json", json}};
 *     return torc_reply_variant(request, variants, 2, &notes);
 *
 * See torc_accept_type_weight() for how the Accept field is read.
 */
typedef torc_render torc_variant_fn(torc_request *request, const void *data);

typedef struct torc_variant {
    const char *type; /* without parameters: "text/html" */
    torc_variant_fn *reply;
} torc_variant;

TORC_BEGIN_DECLS

/**
 * Reply with the variant that is liked best, and of those that are liked equally with the first:
 * its function is called with `data`. `Vary: Accept` is added. 406 when none is acceptable.
 */
TORC_API torc_render torc_reply_variant(torc_request *request, const torc_variant *variants,
                                        size_t count, const void *data);

TORC_END_DECLS

#endif
