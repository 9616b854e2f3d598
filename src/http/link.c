/* SPDX-License-Identifier: MIT */
/*
 * Links: where the client sees the place that renders, and how it gets from there to others.
 *
 *  - What the client sent goes back as it was sent; only names that the application gives are
 *    escaped.
 */
#include <sys/socket.h>
#include <torc/link.h>
#include <torc/url.h>

#include "http/request_state.h"

static void add_host(const torc_request *request, torc_buf *url) {
    const torc_str authority = torc_request_authority(request);
    char text[TORC_ADDR_TEXT_MAX];

    if (authority.len) {
        torc_buf_add(url, authority);
        return;
    }
    /* The address that was asked; a port that goes without saying is left out. */
    const torc_addr addr = torc_request_host(request);
    const bool has_port = torc_addr_family(&addr) == AF_INET || torc_addr_family(&addr) == AF_INET6;
    torc_str host = has_port ? torc_addr_text(&addr, text) : TORC_STR("localhost");
    if (torc_addr_port(&addr) == torc_scheme_port(torc_request_scheme(request)))
        while (host.len && host.bytes[--host.len] != ':') continue;
    torc_buf_add(url, host);
}

torc_str torc_request_prefix(const torc_request *request) {
    return request->origin ? request->origin->prefix : torc_str_make("", 0);
}

static void add_start(const torc_request *request, torc_buf *url) {
    torc_buf_add(url, torc_request_scheme(request));
    torc_buf_add(url, TORC_STR("://"));
    add_host(request, url);
    torc_buf_add(url, torc_request_prefix(request));
}

void torc_request_add_asked_url(const torc_request *request, torc_buf *url) {
    const torc_target *target = &request->head->target;

    add_start(request, url);
    if (target->form == TORC_TARGET_ORIGIN || target->form == TORC_TARGET_ABSOLUTE)
        torc_buf_add(url, target->path);
    if (!target->query.bytes) return;
    torc_buf_add_byte(url, '?');
    torc_buf_add(url, target->query);
}

void torc_request_add_url(const torc_request *request, size_t depth, torc_buf *url) {
    const torc_path *path = &request->path;

    add_start(request, url);
    if (depth == 0) torc_buf_add_byte(url, '/');
    for (size_t i = 0; i < depth && i < path->count; i++) {
        torc_buf_add_byte(url, '/');
        torc_buf_add(url, path->raw[i]);
    }
}

static void add_ups(torc_buf *link, size_t count) {
    while (count-- > 0) torc_buf_add(link, TORC_STR("../"));
}

/* How many segments of what was asked for lie behind the one that renders. */
static size_t rest_of(const torc_request *request) {
    return request->path.count - request->path.depth;
}

void torc_request_add_sibling_link(const torc_request *request, torc_str name, torc_buf *link) {
    add_ups(link, rest_of(request));
    torc_url_add_escaped(link, name);
}

void torc_request_add_child_link(const torc_request *request, torc_str name, torc_buf *link) {
    const torc_path *path = &request->path;
    const size_t rest = rest_of(request);

    if (rest > 0) {
        add_ups(link, rest - 1);
    } else if (path->raw[path->count - 1].len) { /* "/a" renders: its child is "a/name" */
        torc_buf_add(link, TORC_STR("./"));
        torc_buf_add(link, path->raw[path->count - 1]);
        torc_buf_add_byte(link, '/');
    }
    torc_url_add_escaped(link, name);
}

void torc_request_remember_root(torc_request *request) {
    request->path.root_depth = request->path.depth;
}

size_t torc_request_root_depth(const torc_request *request) {
    return request->path.root_depth;
}

torc_err torc_request_set_origin(torc_request *request, torc_str authority, bool is_secure) {
    torc_request_origin *origin;

    if (!torc_authority_is_valid(authority)) return TORC_ERR_SYNTAX;
    origin = torc_arena_alloc(request->arena, sizeof(*origin));
    if (!origin) return TORC_ERR_NO_MEMORY;
    *origin = (torc_request_origin){.is_secure = is_secure, .prefix = torc_request_prefix(request)};
    const torc_err err = torc_arena_copy(request->arena, authority, &origin->authority);
    if (!err) request->origin = origin;
    return err;
}
