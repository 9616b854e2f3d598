/* SPDX-License-Identifier: MIT */
/*
 * URLs made from the names of routes.
 *
 *  - What is written leads back to the route: each value is of its parameter's kind, and escaped.
 *  - A segment `.` or `..`, which clients take away, and a path that begins with `//`, which they
 *    take for a host, are mistakes.
 */
#include <stdio.h>

#include <torc/log.h>
#include <torc/url.h>

#include "http/request.h"
#include "web/hosts.h"
#include "web/route_list.h"
#include "web/site.h"

enum {
    URL_BYTES_MAX = 16 * 1024
};

typedef struct writer {
    const torc_url_param *params;
    size_t count;
    torc_buf *url;
    torc_str wrong; /* the name of a parameter */
    bool is_found;
    torc_err err;
} writer;

static torc_str text_of(const torc_url_param *param, char number[24]) {
    if (!param->is_number) return param->text.bytes ? param->text : torc_str_make("", 0);
    const int len = snprintf(number, 24, "%s%llu", param->is_negative ? "-" : "",
                             (unsigned long long)param->number);
    return torc_str_make(number, (size_t)len);
}

static const torc_url_param *find(const writer *self, torc_str name) {
    for (size_t i = 0; i < self->count; i++)
        if (!self->params[i].is_arg && torc_str_equals(torc_str_of(self->params[i].name), name))
            return &self->params[i];
    return NULL;
}

static bool is_dots(torc_str segment) {
    return torc_str_equals(segment, TORC_STR(".")) || torc_str_equals(segment, TORC_STR(".."));
}

/* All that is left of the path, its slashes kept; false: a client would read it otherwise. */
static bool add_rest(torc_buf *url, torc_str text) {
    torc_str rest = text, segment;

    for (bool is_first = true; torc_str_split(&rest, '/', &segment); is_first = false) {
        if (is_dots(segment)) return false;
        if (!is_first) torc_buf_add_byte(url, '/');
        torc_url_add_escaped(url, segment);
    }
    return true;
}

static bool add_param(torc_buf *url, const torc_shape *shape, torc_str text) {
    if (shape->kind == TORC_PARAM_PATH) return add_rest(url, text);
    if (!torc_shape_takes(shape, text)) return false;
    if (shape->before.len + shape->after.len == 0 && is_dots(text)) return false;
    torc_url_add_escaped(url, shape->before);
    torc_url_add_escaped(url, text);
    torc_url_add_escaped(url, shape->after);
    return true;
}

static void write_edge(writer *self, const torc_route_edge *edge) {
    char number[24];

    torc_buf_add_byte(self->url, '/');
    if (!edge->shape) {
        torc_url_add_escaped(self->url, edge->literal);
        return;
    }
    const torc_url_param *param = edge->name.len ? find(self, edge->name) : NULL;
    if (param && add_param(self->url, edge->shape, text_of(param, number))) return;
    self->wrong = edge->name;
    self->err = TORC_ERR_INVALID;
}

static bool is_of(const torc_route_entry *entry, torc_str name) {
    for (uint32_t i = 0; i < entry->edge_count; i++)
        if (entry->edges[i].shape && torc_str_equals(entry->edges[i].name, name)) return true;
    return false;
}

static void check_params(writer *self, const torc_route_entry *entry) {
    for (size_t i = 0; !self->err && i < self->count; i++) {
        if (self->params[i].is_arg || is_of(entry, torc_str_of(self->params[i].name))) continue;
        self->wrong = torc_str_of(self->params[i].name);
        self->err = TORC_ERR_INVALID;
    }
}

static void write_args(const writer *self) {
    char number[24];
    size_t count = 0;

    for (size_t i = 0; i < self->count; i++)
        if (self->params[i].is_arg)
            torc_url_add_argument(self->url, &count, torc_str_of(self->params[i].name),
                                  text_of(&self->params[i], number));
}

static bool write_entry(void *context, const torc_route_entry *entry) {
    writer *self = context;
    const size_t start = self->url->len;

    self->is_found = true;
    for (uint32_t i = 0; !self->err && i < entry->edge_count; i++)
        if (!entry->edges[i].is_host) write_edge(self, &entry->edges[i]);
    if (!self->err && self->url->len == start) torc_buf_add_byte(self->url, '/');
    if (!self->err &&
        torc_str_starts_with(torc_str_from(torc_buf_str(self->url), start), TORC_STR("//")))
        self->err = TORC_ERR_INVALID;
    check_params(self, entry);
    write_args(self);
    return false;
}

static torc_err write_url(writer *self, const torc_resource *root, const torc_route_query *query) {
    const size_t start = self->url->len;
    const torc_err err = torc_routes_list(root, query, write_entry, self);

    if (!self->err && !self->is_found) self->err = err ? err : TORC_ERR_NOT_FOUND;
    if (!self->err) self->err = torc_buf_err(self->url);
    if (self->err && self->url->len > start) torc_buf_truncate(self->url, start);
    return self->err;
}

torc_err torc_resource_write_url(const torc_resource *root, const char *name,
                                 const torc_url_param *params, size_t count, torc_buf *url,
                                 torc_str *wrong) {
    writer self = {.params = params, .count = count, .url = url};
    const torc_err err = write_url(&self, root, &(torc_route_query){.name = name});

    if (err && wrong) *wrong = self.wrong;
    return err;
}

/* The host that the request has asked. */
static torc_resource *choose_host(const void *request, const torc_hosts *hosts) {
    return torc_hosts_find(hosts, request);
}

static void complain(torc_request *request, torc_err err, const char *name, torc_str wrong) {
    TORC_LOG_ERROR(torc_request_log(request), "web", "a URL could not be made",
                   TORC_LOG_TEXT("route", name), TORC_LOG_STR("parameter", wrong),
                   TORC_LOG_ERR("error", err));
}

torc_str torc_request_url(torc_request *request, const char *name, const torc_url_param *params,
                          size_t count) {
    const torc_resource *root = torc_site_root_of(request);
    const torc_route_query query = {.name = name, .choose = choose_host, .chooser = request};
    writer self = {.params = params, .count = count};
    torc_str result = {NULL, 0};
    torc_err err = TORC_ERR_NOT_FOUND;
    torc_buf url;

    self.url = &url;
    torc_buf_init(&url, torc_reactor_memory(torc_request_reactor(request)), TORC_MEMORY_OTHER,
                  URL_BYTES_MAX);
    if (root) err = write_url(&self, root, &query);
    if (!err) err = torc_arena_copy(torc_request_arena(request), torc_buf_str(&url), &result);
    if (err) complain(request, err, name, self.wrong);
    torc_buf_dispose(&url);
    return result;
}
