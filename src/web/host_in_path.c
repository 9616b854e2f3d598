/* SPDX-License-Identifier: MIT */
/*
 * Front ends that write into the path whom they were asked for: /http/HOST/rest, /https/HOST/rest.
 *
 *  - Who is not trusted is refused: anybody could make itself any host.
 *  - The walk begins anew at the root of the site, as if the rest had been asked of that host.
 */
#include <torc/link.h>
#include <torc/resource.h>
#include <torc/site.h>

#include "base/alloc.h"
#include "http/request.h"
#include "web/site.h"

typedef struct host_in_path {
    torc_resource base;
    torc_resource *forbidden, *unavailable;
    size_t count;
    torc_cidr trusted[];
} host_in_path;

static host_in_path *self_of(torc_resource *resource) {
    return torc_container_of(resource, host_in_path, base);
}

/* The path from a segment on, as it was sent: its segments stand one behind the other. */
static torc_str rest_from(const torc_request *request, size_t place) {
    const size_t count = torc_request_segment_count(request);

    if (place >= count) return TORC_STR("/"); /* of a host alone */
    const torc_str first = torc_request_segment_raw(request, place),
                   last = torc_request_segment_raw(request, count - 1);
    return torc_str_make(first.bytes - 1, (size_t)(last.bytes - first.bytes) + last.len + 1);
}

static torc_resource *stand_in(torc_resource *resource, torc_request *request) {
    host_in_path *self = self_of(resource);
    const size_t depth = torc_request_depth(request);
    const torc_str scheme = torc_request_segment(request, depth);
    const torc_addr peer = torc_request_peer(request);
    const bool is_secure = torc_str_equals(scheme, TORC_STR("https"));
    torc_err err;

    if (!torc_cidr_any_contains(self->trusted, self->count, &peer)) return self->forbidden;
    if (!is_secure && !torc_str_equals(scheme, TORC_STR("http"))) return NULL;
    err = torc_request_set_origin(request, torc_request_segment(request, depth + 1), is_secure);
    if (!err) err = torc_request_set_rest(request, 0, rest_from(request, depth + 2));
    if (err == TORC_ERR_NO_MEMORY) return self->unavailable;
    return err ? NULL : torc_site_root(torc_request_site(request));
}

static void dispose(torc_resource *resource) {
    host_in_path *self = self_of(resource);

    torc_resource_dispose(self->forbidden);
    torc_resource_dispose(self->unavailable);
    torc_dealloc(NULL, self);
}

static const torc_resource_ops ops = {.stand_in = stand_in, .dispose = dispose};

torc_resource *torc_host_in_path_new(const torc_cidr *trusted, size_t count) {
    host_in_path *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1,
                                         sizeof(*self) + count * sizeof(self->trusted[0]));

    if (!self) return NULL;
    torc_resource_init(&self->base, &ops);
    self->forbidden = torc_error_page_new(403, "Forbidden", NULL);
    self->unavailable = torc_error_page_new(503, "Service Unavailable", NULL);
    self->count = count;
    if (count) memcpy(self->trusted, trusted, count * sizeof(*trusted));
    if (self->forbidden && self->unavailable) return &self->base;
    dispose(&self->base);
    return NULL;
}
