/* SPDX-License-Identifier: MIT */
/*
 * Middlewares of functions, and such that hold for some requests only.
 *
 *  - Whether one holds is asked once, when the request comes, and kept for its response under the
 *    middleware's own address.
 *  - One that was refused when it was made stays what it is, so that this is told.
 */
#include <stdio.h>
#include <torc/middleware_of.h>
#include <torc/reply.h>

#include "base/alloc.h"
#include "web/middleware_new.h"

static void dispose_of(torc_middleware *middleware) {
    if (middleware && middleware->ops->dispose) middleware->ops->dispose(middleware);
}

/* ---- functions ---- */

typedef struct functions {
    torc_middleware base;
    torc_render_fn *received;
    torc_starting_fn *starting;
} functions;

static functions *functions_of(torc_middleware *middleware) {
    return torc_container_of(middleware, functions, base);
}

static torc_render call_received(torc_middleware *middleware, torc_request *request) {
    const functions *self = functions_of(middleware);
    return self->received ? self->received(request) : TORC_RENDER_NEXT;
}

static void call_starting(torc_middleware *middleware, torc_request *request) {
    const functions *self = functions_of(middleware);
    if (self->starting) self->starting(request);
}

static void dispose_functions(torc_middleware *middleware) {
    torc_dealloc(NULL, functions_of(middleware));
}

static const torc_middleware_ops function_ops = {
    .request_received = call_received,
    .response_starting = call_starting,
    .dispose = dispose_functions,
    .name = "function",
};

torc_middleware *torc_middleware_of(torc_render_fn *received, torc_starting_fn *starting) {
    functions *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    *self = (functions){
        .base = {.ops = &function_ops, .on_fiber = received != NULL},
        .received = received,
        .starting = starting,
    };
    return &self->base;
}

/* ---- conditions ---- */

enum {
    NAME_BYTES = 40
};

typedef struct conditional {
    torc_middleware base;
    char name[NAME_BYTES]; /* where routes are listed: what is inside, in brackets */
    torc_middleware *inside;
    torc_request_holds_fn *holds;
    void *context;
    size_t path_count;
    torc_str paths[];
} conditional;

static conditional *conditional_of(torc_middleware *middleware) {
    return torc_container_of(middleware, conditional, base);
}

static bool is_path(torc_str path, torc_str of) {
    if (torc_str_ends_with(of, TORC_STR("/"))) return torc_str_starts_with(path, of);
    return torc_str_equals(path, of);
}

static bool holds(conditional *self, torc_request *request) {
    if (self->holds) return self->holds(self->context, request);
    for (size_t i = 0; i < self->path_count; i++)
        if (is_path(torc_request_path(request), self->paths[i])) return false;
    return true;
}

static torc_render pass_request(torc_middleware *middleware, torc_request *request) {
    conditional *self = conditional_of(middleware);
    torc_middleware *inside = self->inside;

    if (!holds(self, request)) return TORC_RENDER_NEXT;
    if (torc_request_set_value(request, self, self))
        return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    return inside->ops->request_received ? inside->ops->request_received(inside, request)
                                         : TORC_RENDER_NEXT;
}

static void pass_response(torc_middleware *middleware, torc_request *request) {
    conditional *self = conditional_of(middleware);
    torc_middleware *inside = self->inside;

    if (inside->ops->response_starting && torc_request_value(request, self))
        inside->ops->response_starting(inside, request);
}

static void dispose_conditional(torc_middleware *middleware) {
    conditional *self = conditional_of(middleware);

    dispose_of(self->inside);
    torc_dealloc(NULL, self);
}

static const torc_middleware_ops conditional_ops = {
    .request_received = pass_request,
    .response_starting = pass_response,
    .dispose = dispose_conditional,
};

const char *torc_middleware_name(const torc_middleware *middleware) {
    if (middleware->ops != &conditional_ops) return middleware->ops->name;
    return torc_container_of(middleware, conditional, base)->name;
}

static void name_by_inside(conditional *self) {
    const char *name = torc_middleware_name(self->inside);
    const bool is_bracketed = self->inside->ops == &conditional_ops;

    snprintf(self->name, sizeof(self->name), is_bracketed ? "%.37s" : "[%.37s]", name ? name : "?");
}

/* With so much room behind the paths; NULL: `inside` was disposed of. */
static conditional *new_conditional(torc_middleware *inside, size_t path_count, size_t bytes) {
    conditional *self = inside
                            ? torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1,
                                              sizeof(*self) + path_count * sizeof(torc_str) + bytes)
                            : NULL;

    if (!self) {
        dispose_of(inside);
        return NULL;
    }
    self->base = (torc_middleware){
        .ops = &conditional_ops, .on_fiber = inside->on_fiber, .is_shallow = inside->is_shallow};
    self->inside = inside;
    name_by_inside(self);
    inside->around = &self->base;
    self->path_count = path_count;
    return self;
}

torc_middleware *torc_middleware_when(torc_request_holds_fn *holds_, void *context,
                                      torc_middleware *inside) {
    if (inside && torc_middleware_refusal(inside)) return inside;
    conditional *self = new_conditional(inside, 0, 0);
    if (!self) return NULL;
    self->holds = holds_;
    self->context = context;
    return &self->base;
}

torc_middleware *torc_middleware_unless_path(const char *const *paths, torc_middleware *inside) {
    size_t count = 0, bytes = 0;

    if (inside && torc_middleware_refusal(inside)) return inside;
    for (; paths[count]; count++) bytes += strlen(paths[count]);
    conditional *self = new_conditional(inside, count, bytes);
    if (!self) return NULL;
    char *at = (char *)(self->paths + count);
    for (size_t i = 0; i < count; i++) {
        self->paths[i] = torc_str_make(at, strlen(paths[i]));
        memcpy(at, paths[i], self->paths[i].len);
        at += self->paths[i].len;
    }
    return &self->base;
}
