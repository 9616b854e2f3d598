/* SPDX-License-Identifier: MIT */
/*
 * Resources whose answer is known when they are made: data, redirects, error pages, functions.
 */
#include <torc/reply.h>
#include <torc/resource.h>

#include "base/alloc.h"
#include "http/request.h"
#include "web/error_page.h"

typedef struct constant {
    torc_resource base;
    torc_render_fn *render;
    int status;
    const char *text; /* content type, location or brief: in `bytes`, ended by NUL; NULL: none */
    torc_str body;    /* in `bytes`, ended by NUL */
    char bytes[];
} constant;

static constant *self_of(torc_resource *resource) {
    return torc_container_of(resource, constant, base);
}

static void dispose(torc_resource *resource) {
    torc_dealloc(NULL, self_of(resource));
}

/* A constant with copies of a text and a body. */
static constant *new_constant(const torc_resource_ops *ops, const char *text, torc_str body) {
    const size_t text_size = text ? strlen(text) + 1 : 0;
    constant *self =
        torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self) + text_size + body.len + 1);

    if (!self) return NULL;
    torc_resource_init(&self->base, ops);
    if (text) self->text = memcpy(self->bytes, text, text_size);
    if (body.len) memcpy(self->bytes + text_size, body.bytes, body.len);
    self->body = torc_str_make(self->bytes + text_size, body.len);
    return self;
}

static torc_render render_data(torc_resource *resource, torc_request *request) {
    const constant *self = self_of(resource);
    return torc_reply_bytes(request, 200, self->text, self->body);
}

static const torc_resource_ops data_ops = {.render = render_data, .dispose = dispose};

torc_resource *torc_data_new(torc_str bytes, const char *content_type) {
    constant *self = new_constant(&data_ops, content_type, bytes);
    if (!self) return NULL;
    self->base.methods = torc_method_bit(TORC_METHOD_GET);
    return &self->base;
}

static torc_resource *find_self(torc_resource *resource, torc_request *request, torc_str name) {
    (void)request;
    (void)name;
    return resource;
}

static torc_render render_redirect(torc_resource *resource, torc_request *request) {
    const constant *self = self_of(resource);
    return torc_reply_redirect(request, self->status, self->text);
}

static const torc_resource_ops redirect_ops = {
    .find_child = find_self,
    .render = render_redirect,
    .dispose = dispose,
};

torc_resource *torc_redirect_new(int status, const char *location) {
    constant *self = new_constant(&redirect_ops, location, torc_str_make(NULL, 0));
    if (!self) return NULL;
    self->status = status;
    return &self->base;
}

/*
 * "/a/b" and "/a/b?x" lead to "/a/"; from deeper paths there are steps up. The reference is
 * relative to the path as the peer wrote it. A resource that is itself the face of a folder ("/a/")
 * leads out of it; that of the root has no parent.
 */
static torc_render render_parent_redirect(torc_resource *resource, torc_request *request) {
    const size_t depth = torc_request_depth(request);
    const bool is_face = depth > 0 && torc_request_segment(request, depth - 1).len == 0;
    const size_t steps = torc_request_segment_count(request) - depth + is_face;
    char location[3 * 1000 + 1] = "./";

    (void)resource;
    if ((is_face && depth == 1) || steps > 1000) return torc_reply_status(request, 404, NULL);
    for (size_t i = 0; i < steps; i++) memcpy(location + 3 * i, "../", 4);
    return torc_reply_redirect(request, 302, location);
}

static const torc_resource_ops parent_redirect_ops = {
    .render = render_parent_redirect,
    .dispose = dispose,
};

torc_resource *torc_parent_redirect_new(void) {
    constant *self = new_constant(&parent_redirect_ops, NULL, torc_str_make(NULL, 0));
    if (!self) return NULL;
    self->base.is_leaf = true;
    return &self->base;
}

/* "https:" is the host that was asked; "https://a.example" another. */
static torc_render render_origin_redirect(torc_resource *resource, torc_request *request) {
    torc_str authority = torc_str_of(self_of(resource)->text), scheme;

    if (!torc_str_split(&authority, ':', &scheme) || !authority.bytes ||
        (authority.len && !torc_str_starts_with(authority, TORC_STR("//"))))
        return torc_reply_failure(request, "what a redirect leads to is no origin");
    authority = authority.len ? torc_str_from(authority, 2) : torc_request_hostname(request);
    return torc_reply_redirect_elsewhere(request, self_of(resource)->status, scheme, authority);
}

static const torc_resource_ops origin_redirect_ops = {
    .render = render_origin_redirect,
    .dispose = dispose,
};

torc_resource *torc_origin_redirect_new(int status, const char *origin) {
    constant *self = new_constant(&origin_redirect_ops, origin, torc_str_make(NULL, 0));
    if (!self) return NULL;
    self->status = status;
    self->base.is_leaf = true;
    return &self->base;
}

static torc_render render_function(torc_resource *resource, torc_request *request) {
    return self_of(resource)->render(request);
}

static const torc_resource_ops function_ops = {.render = render_function, .dispose = dispose};

torc_resource *torc_render_new(torc_render_fn *render, uint32_t methods, bool is_leaf) {
    constant *self = new_constant(&function_ops, NULL, torc_str_make(NULL, 0));
    if (!self) return NULL;
    self->render = render;
    self->base.methods = methods;
    self->base.is_leaf = is_leaf;
    self->base.on_fiber = true;
    return &self->base;
}

const void *torc_resource_code(const torc_resource *resource) {
    if (resource->ops == &function_ops)
        return (const void *)(uintptr_t)torc_container_of(resource, constant, base)->render;
    return (const void *)(uintptr_t)resource->ops->render;
}

static torc_render render_error_page(torc_resource *resource, torc_request *request) {
    const constant *self = self_of(resource);

    torc_error_page_reply(request, self->status, torc_str_of(self->text), self->body);
    return TORC_RENDER_DONE;
}

static const torc_resource_ops error_page_ops = {
    .find_child = find_self,
    .render = render_error_page,
    .dispose = dispose,
};

torc_resource *torc_error_page_new(int status, const char *brief, const char *detail) {
    constant *self = new_constant(&error_page_ops, brief, torc_str_of(detail));
    if (!self) return NULL;
    self->status = status;
    return &self->base;
}
