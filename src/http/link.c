/* SPDX-License-Identifier: MIT */
/*
 * Links: where the client sees the place that renders, and how it gets from there to others.
 *
 *  - What the client sent goes back as it was sent; only names that the application gives are
 *    escaped.
 */
#include <torc/link.h>

#include "http/request_state.h"

static void add_host(const torc_request *request, torc_buf *url) {
    const torc_str authority = torc_request_authority(request);
    char text[TORC_ADDR_TEXT_MAX];

    if (authority.len) {
        torc_buf_add(url, authority);
        return;
    }
    const torc_addr addr = torc_request_host(request);
    torc_buf_add(url, torc_addr_text(&addr, text));
}

void torc_request_add_url(const torc_request *request, size_t depth, torc_buf *url) {
    const torc_path *path = &request->path;

    torc_buf_add(url, torc_request_scheme(request));
    torc_buf_add(url, TORC_STR("://"));
    add_host(request, url);
    if (depth == 0) torc_buf_add_byte(url, '/');
    for (size_t i = 0; i < depth && i < path->count; i++) {
        torc_buf_add_byte(url, '/');
        torc_buf_add(url, path->raw[i]);
    }
}

/* A name as a segment: escaped, and not to be taken for a scheme, nor for the present place. */
static void add_segment(torc_buf *link, torc_str name) {
    char escaped[TORC_PERCENT_ENCODED_MAX(64)];

    while (name.len) {
        const torc_str part = torc_str_head(name, name.len < 64 ? name.len : 64);
        torc_buf_add(link, torc_str_make(escaped, torc_percent_encode(part, escaped)));
        name = torc_str_from(name, part.len);
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
    add_segment(link, name);
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
    add_segment(link, name);
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
    origin = torc_arena_alloc(request->arena, sizeof(*origin) + authority.len);
    if (!origin) return TORC_ERR_NO_MEMORY;
    origin->is_secure = is_secure;
    origin->len = authority.len;
    memcpy(origin->authority, authority.bytes, authority.len);
    request->origin = origin;
    return TORC_OK;
}
