/* SPDX-License-Identifier: MIT */
/*
 * The resource that answers with the OpenAPI document of the tree that it is in.
 *
 *  - Whose document it is depends on where the resource is, not on who asks: where resources have
 *    hosts, those that it is in stand in their places. So it can be kept.
 */
#include <torc/reply.h>

#include "base/alloc.h"
#include "web/hosts.h"
#include "web/openapi.h"
#include "web/site.h"

enum {
    DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
};

typedef struct openapi {
    torc_resource base;
    const torc_openapi_info *info;
    torc_buf document; /* empty: it is to be made */
} openapi;

static openapi *self_of(torc_resource *resource) {
    return torc_container_of(resource, openapi, base);
}

/* ---- the document of the hosts that the resource is in ---- */

/* For a resource, and the host that it is in. */
typedef struct search {
    const torc_resource *resource;
    torc_resource *host; /* NULL: in none so far */
    bool is_found;
} search;

static bool look(void *context, const torc_route_entry *entry) {
    search *self = context;

    self->is_found = entry->resource == self->resource;
    return !self->is_found;
}

static void look_into_host(void *context, torc_str name, torc_resource *host) {
    search *self = context;

    (void)name;
    if (self->is_found) return;
    (void)!torc_routes_list(host, &(torc_route_query){.has_hosts = true}, look, self);
    if (self->is_found) self->host = host;
}

/* Among hosts the one that a resource is in, so that paths are told as they are there. */
static torc_resource *choose_host_of(const void *resource, const torc_hosts *hosts) {
    search self = {.resource = resource};

    torc_hosts_each(hosts, look_into_host, &self);
    return self.host;
}

static torc_err write_document_of(const openapi *self, const torc_resource *root, torc_json *json) {
    const torc_route_query query = {.choose = choose_host_of, .chooser = &self->base};
    return torc_openapi_write_by(root, &query, self->info, json);
}

static torc_err make(openapi *self, const torc_request *request) {
    const torc_resource *root = torc_site_root_of(request);
    torc_json json;
    torc_err err, end;

    torc_json_init_buf(&json, &self->document, TORC_JSON_PLAIN);
    err = root ? write_document_of(self, root, &json) : TORC_ERR_STATE;
    end = torc_json_end(&json);
    if (!err) err = end;
    if (err) torc_openapi_refresh(&self->base);
    return err;
}

static torc_render render(torc_resource *resource, torc_request *request) {
    openapi *self = self_of(resource);
    const torc_err err = self->document.len ? TORC_OK : make(self, request);

    if (err) return torc_reply_error(request, err);
    return torc_reply_bytes(request, 200, "application/json", torc_buf_str(&self->document));
}

static void dispose(torc_resource *resource) {
    torc_buf_dispose(&self_of(resource)->document);
    torc_dealloc(NULL, self_of(resource));
}

static const torc_resource_ops ops = {.render = render, .dispose = dispose};

torc_resource *torc_openapi_new(const torc_openapi_info *info) {
    openapi *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    torc_resource_init(&self->base, &ops);
    self->base.methods = torc_method_bit(TORC_METHOD_GET);
    self->info = info;
    torc_buf_init(&self->document, NULL, TORC_MEMORY_OTHER, DOCUMENT_BYTES_MAX);
    return &self->base;
}

static bool find_first(void *context, const torc_route_entry *entry) {
    openapi **found = context;

    if (entry->route || entry->resource->ops != &ops) return true;
    *found = self_of(entry->resource);
    return false;
}

torc_err torc_openapi_write_first(const torc_resource *root, const torc_openapi_info *info,
                                  torc_json *json) {
    openapi *found = NULL;

    (void)!torc_routes_list(root, &(torc_route_query){.has_hosts = true}, find_first, &found);
    return found ? write_document_of(found, root, json) : torc_openapi_write(root, info, json);
}

void torc_openapi_refresh(torc_resource *resource) {
    openapi *self = self_of(resource);

    torc_buf_dispose(&self->document);
    torc_buf_init(&self->document, NULL, TORC_MEMORY_OTHER, DOCUMENT_BYTES_MAX);
}
