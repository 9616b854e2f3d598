/* SPDX-License-Identifier: MIT */
/*
 * What stands at the door of a site: redirects to https and to one host, and a closed sign.
 *
 *  - A redirect leads to the host that was asked for, or to the one of set-up; a request without a
 *    host (HTTP/1.0) cannot be sent anywhere, and is refused with 400.
 */
#include <torc/front_door.h>

#include <stdio.h>
#include <torc/reply.h>
#include <torc/target.h>

#include "base/alloc.h"
#include "http/request.h"
#include "web/middleware_new.h"

enum {
    HTTPS_PORT = 443
};

typedef struct front_door {
    torc_middleware base;
    uint32_t number; /* a port, or seconds */
    bool has_text;
    char text[]; /* a host, or a detail */
} front_door;

static front_door *self_of(torc_middleware *middleware) {
    return torc_container_of(middleware, front_door, base);
}

static void dispose(torc_middleware *middleware) {
    torc_dealloc(NULL, self_of(middleware));
}

static torc_middleware *new_door(const torc_middleware_ops *ops, uint32_t number,
                                 const char *text) {
    const size_t size = text ? strlen(text) + 1 : 1;
    front_door *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self) + size);

    if (!self) return NULL;
    self->base.ops = ops;
    self->number = number;
    self->has_text = text != NULL;
    if (text) memcpy(self->text, text, size);
    return &self->base;
}

/* ---- redirects ---- */

static torc_render redirect(torc_request *request, torc_str scheme, torc_str authority) {
    const bool is_read = torc_request_method(request) == TORC_METHOD_GET ||
                         torc_request_method(request) == TORC_METHOD_HEAD;

    return torc_reply_redirect_elsewhere(request, is_read ? 301 : 308, scheme, authority);
}

static torc_render to_https(torc_middleware *middleware, torc_request *request) {
    const torc_str host = torc_request_hostname(request);
    const uint32_t port = self_of(middleware)->number;
    char *text;

    if (torc_request_is_secure(request)) return TORC_RENDER_NEXT;
    if (!host.len || !port || port == HTTPS_PORT) return redirect(request, TORC_STR("https"), host);
    text = torc_arena_bytes(torc_request_arena(request), host.len + sizeof(":65535"));
    if (!text) return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    sprintf(text, "%.*s:%u", TORC_STR_ARGS(host), (unsigned)port);
    return redirect(request, TORC_STR("https"), torc_str_of(text));
}

static const torc_middleware_ops https_ops = {
    .request_received = to_https,
    .dispose = dispose,
    .name = "https only",
};

torc_middleware *torc_https_only_new(uint16_t port) {
    return new_door(&https_ops, port, NULL);
}

static torc_render to_host(torc_middleware *middleware, torc_request *request) {
    const torc_str host = torc_str_of(self_of(middleware)->text);

    if (torc_str_equals_nocase(torc_request_authority(request), host)) return TORC_RENDER_NEXT;
    return redirect(request, torc_request_scheme(request), host);
}

static const torc_middleware_ops host_ops = {
    .request_received = to_host,
    .dispose = dispose,
    .name = "canonical host",
};

torc_middleware *torc_canonical_host_new(const char *host) {
    char text[120];

    if (torc_authority_is_valid(torc_str_of(host))) return new_door(&host_ops, 0, host);
    snprintf(text, sizeof(text), "'%.60s' is no host: write it as www.example.com", host);
    return torc_middleware_refused("canonical host", text);
}

/* ---- closed ---- */

static torc_render refuse(torc_middleware *middleware, torc_request *request) {
    const front_door *self = self_of(middleware);
    char seconds[12];

    snprintf(seconds, sizeof(seconds), "%u", (unsigned)self->number);
    if (self->number) torc_response_set(request, "Retry-After", torc_str_of(seconds));
    return torc_reply_status(request, 503, self->has_text ? self->text : NULL);
}

static const torc_middleware_ops closed_ops = {
    .request_received = refuse,
    .dispose = dispose,
    .name = "closed",
};

torc_middleware *torc_closed_new(uint32_t retry_after_s, const char *detail) {
    return new_door(&closed_ops, retry_after_s, detail);
}
