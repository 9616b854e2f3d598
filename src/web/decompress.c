/* SPDX-License-Identifier: MIT */
/*
 * Bodies of requests in a content coding: which are taken.
 *
 *  - It only says how the body is to be read: nothing is decoded that nobody reads.
 */
#include <torc/decompress.h>

#include <stdio.h>
#include <torc/reply.h>

#include "base/alloc.h"
#include "base/options.h"
#include "http/request.h"

enum {
    NAMES_BYTES = 64 /* of all codings in a list */
};

typedef struct decompress {
    torc_middleware base;
    unsigned taken; /* bits of codings */
    uint32_t ratio_max;
    char names[NAMES_BYTES];
} decompress;

static decompress *self_of(torc_middleware *middleware) {
    return torc_container_of(middleware, decompress, base);
}

static torc_render request_received(torc_middleware *middleware, torc_request *request) {
    const decompress *self = self_of(middleware);
    torc_coding coding;
    torc_str name;
    const unsigned count = torc_request_codings(request, &name);

    if (count == 0) return TORC_RENDER_NEXT;
    if (count == 1 && torc_coding_find(name, &coding) && (self->taken & 1u << coding)) {
        torc_request_decode_body(request, coding, self->ratio_max);
        return TORC_RENDER_NEXT;
    }
    torc_response_set(request, "Accept-Encoding", torc_str_of(self->names));
    return torc_reply_status(request, 415, "The body is in a content coding that is not taken.");
}

static void dispose(torc_middleware *middleware) {
    torc_dealloc(NULL, self_of(middleware));
}

static const torc_middleware_ops ops = {
    .request_received = request_received,
    .dispose = dispose,
    .name = "decompress",
};

static void add(decompress *self, torc_coding coding) {
    const size_t len = strlen(self->names);

    if (!torc_coding_can_decode(coding) || (self->taken & 1u << coding)) return;
    self->taken |= 1u << coding;
    snprintf(self->names + len, sizeof(self->names) - len, "%s%.*s", len ? ", " : "",
             TORC_STR_ARGS(torc_coding_name(coding)));
}

torc_middleware *torc_decompress_new(const torc_decompress_options *given) {
    decompress *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));
    torc_decompress_options options = {.size = sizeof(options)};

    if (!self) return NULL;
    TORC_OPTIONS_READ(&options, given);
    self->base.ops = &ops;
    self->ratio_max = options.ratio_max;
    for (size_t i = 0; options.codings && i < options.coding_count; i++)
        add(self, options.codings[i]);
    for (int i = 0; !options.codings && i < TORC_CODINGS; i++) add(self, (torc_coding)i);
    if (!self->taken) snprintf(self->names, sizeof(self->names), "identity");
    return &self->base;
}
