/* SPDX-License-Identifier: MIT */
/*
 * A resource that a deferred will tell.
 *
 *  - The deferred is told to a callback; requests wait for an event, any number of them. The site,
 *    and so the resource, outlives its requests.
 *  - The value is owned from when it is told; a deferred that is dropped before disposes of its
 * own.
 */
#include <torc/deferred_resource.h>

#include <torc/event.h>
#include <torc/reply.h>

#include "base/alloc.h"

typedef struct deferred_resource {
    torc_resource base;
    torc_callback callback;
    torc_event *told;
    torc_resource *resource; /* once it was told; NULL: there is none */
    torc_err err;
} deferred_resource;

static deferred_resource *self_of(torc_resource *resource) {
    return torc_container_of(resource, deferred_resource, base);
}

static void fired(torc_callback *callback, torc_err err, void *value) {
    deferred_resource *self = torc_container_of(callback, deferred_resource, callback);

    self->err = err;
    self->resource = err ? NULL : value;
    if (self->resource) self->err = torc_resource_err(self->resource);
    torc_event_set(self->told);
}

static torc_render render(torc_resource *resource, torc_request *request) {
    deferred_resource *self = self_of(resource);
    const torc_err err = torc_event_wait_await(self->told);

    if (err) return torc_reply_error(request, err);
    if (self->resource && self->err)
        return torc_reply_failure(request, torc_resource_err_text(self->resource));
    if (self->err) return torc_reply_failure(request, torc_err_text(self->err));
    if (!self->resource) return torc_reply_status(request, 404, NULL);
    return torc_resource_serve(self->resource, request);
}

static void dispose(torc_resource *resource) {
    deferred_resource *self = self_of(resource);

    torc_callback_cancel(&self->callback);
    torc_event_free(self->told);
    torc_resource_dispose(self->resource);
    torc_dealloc(NULL, self);
}

torc_resource *torc_deferred_resource_new(torc_reactor *reactor, torc_deferred *deferred) {
    static const torc_resource_ops ops = {.render = render, .dispose = dispose};
    deferred_resource *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self || torc_event_new(reactor, &self->told)) {
        torc_deferred_drop(deferred);
        torc_dealloc(NULL, self);
        return NULL;
    }
    torc_resource_init(&self->base, &ops);
    self->base.is_leaf = true;
    self->base.on_fiber = true;
    torc_deferred_then(deferred, &self->callback, fired);
    return &self->base;
}
