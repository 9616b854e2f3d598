/* SPDX-License-Identifier: MIT */
/*
 * The routes of a tree, told: to who asks for each, as a table, as JSON.
 */
#include <torc/json.h>

#include "web/route_list.h"

enum {
    PATH_BYTES_MAX = 4096,
    MIDDLEWARES_MAX = 64,
    COLUMN_MAX = 60 /* a longer text does not widen the column */
};

/* ---- each ---- */

typedef struct teller {
    const torc_resource *root;
    void (*each)(void *context, const torc_route_info *info);
    void *context;
} teller;

static torc_str methods_of(const torc_route_entry *entry, char text[TORC_METHODS_TEXT_MAX]) {
    uint32_t methods = entry->resource->methods;

    if (entry->route) return entry->route->method_text;
    if (methods & torc_method_bit(TORC_METHOD_GET)) methods |= torc_method_bit(TORC_METHOD_HEAD);
    return methods ? torc_methods_text(methods, text) : TORC_STR("*");
}

static bool tell(void *context, const torc_route_entry *entry) {
    const teller *self = context;
    const char *names[MIDDLEWARES_MAX];
    char bytes[PATH_BYTES_MAX], methods[TORC_METHODS_TEXT_MAX];
    torc_route_info info = {.resource = entry->resource};
    const torc_resource *host;
    torc_buf path;

    torc_buf_init_fixed(&path, bytes, sizeof(bytes));
    torc_route_entry_write_path(entry, &path);
    info.method = methods_of(entry, methods);
    info.path = torc_buf_str(&path);
    info.host = torc_route_entry_host(entry, &host);
    info.middlewares = names;
    info.middleware_count = torc_route_entry_middlewares(entry, names, MIDDLEWARES_MAX);
    if (entry->route) {
        info.options = &entry->route->options;
        info.render = entry->route->render;
    }
    self->each(self->context, &info);
    return true;
}

torc_err torc_resource_each_route(const torc_resource *resource,
                                  void (*each)(void *context, const torc_route_info *info),
                                  void *context) {
    teller self = {resource, each, context};

    return torc_routes_list(resource, &(torc_route_query){.has_hosts = true}, tell, &self);
}

/* ---- a table ---- */

typedef struct table {
    torc_buf *text;
    size_t method, path, name; /* widths */
} table;

/* A leaf renders what follows, too. */
static const char *rest_of(const torc_route_info *info) {
    return info->resource->is_leaf && !info->options ? "[/*]" : "";
}

static const char *name_of(const torc_route_info *info) {
    return info->options && info->options->name ? info->options->name : "";
}

static void widen(size_t *width, size_t len) {
    if (len > *width && len <= COLUMN_MAX) *width = len;
}

static void measure(void *context, const torc_route_info *info) {
    table *self = context;

    widen(&self->method, info->method.len);
    widen(&self->path, info->host.len + info->path.len + strlen(rest_of(info)));
    widen(&self->name, strlen(name_of(info)));
}

static void add_column(torc_buf *text, torc_str value, size_t width) {
    torc_buf_addf(text, "%-*.*s  ", (int)width, TORC_STR_ARGS(value));
}

static void add_path(torc_buf *text, const torc_route_info *info, size_t width) {
    const char *rest = rest_of(info);
    const size_t len = info->host.len + info->path.len + strlen(rest);

    torc_buf_addf(text, "%.*s%.*s%s%*s  ", TORC_STR_ARGS(info->host), TORC_STR_ARGS(info->path),
                  rest, len < width ? (int)(width - len) : 0, "");
}

static void trim(torc_buf *text) {
    while (text->len && text->bytes[text->len - 1] == ' ') torc_buf_truncate(text, text->len - 1);
}

static void add_line(void *context, const torc_route_info *info) {
    const table *self = context;

    add_column(self->text, info->method, self->method);
    add_path(self->text, info, self->path);
    add_column(self->text, torc_str_of(name_of(info)), self->name);
    for (uint32_t i = 0; i < info->middleware_count; i++)
        torc_buf_addf(self->text, "%s%s", i ? ", " : "",
                      info->middlewares[i] ? info->middlewares[i] : "?");
    trim(self->text);
    torc_buf_add_byte(self->text, '\n');
}

torc_err torc_routes_write_text(const torc_resource *root, torc_buf *text) {
    table self = {.text = text, .method = 6, .path = 4, .name = 4};
    torc_err err = torc_resource_each_route(root, measure, &self);

    torc_buf_addf(text, "%-*s  %-*s  %-*s  MIDDLEWARE\n", (int)self.method, "METHOD",
                  (int)self.path, "PATH", (int)self.name, "NAME");
    if (!err) err = torc_resource_each_route(root, add_line, &self);
    return err ? err : torc_buf_err(text);
}

/* ---- JSON ---- */

static void add_options(torc_json *json, const torc_route_options *options) {
    if (options->name) torc_json_member_text(json, "name", options->name);
    if (options->summary) torc_json_member_text(json, "summary", options->summary);
    if (options->is_deprecated) torc_json_member_bool(json, "deprecated", true);
    if (options->is_hidden) torc_json_member_bool(json, "hidden", true);
}

static void add_object(void *context, const torc_route_info *info) {
    torc_json *json = context;

    torc_json_open_object(json);
    torc_json_member_str(json, "method", info->method);
    if (info->host.len) torc_json_member_str(json, "host", info->host);
    torc_json_member_str(json, "path", info->path);
    if (info->options)
        add_options(json, info->options);
    else if (info->resource->is_leaf)
        torc_json_member_bool(json, "leaf", true);
    torc_json_member_array(json, "middleware");
    for (uint32_t i = 0; i < info->middleware_count; i++)
        torc_json_text(json, info->middlewares[i]);
    torc_json_close_array(json);
    torc_json_close_object(json);
}

torc_err torc_routes_write_json(const torc_resource *root, torc_json *json) {
    torc_json_open_array(json);
    const torc_err err = torc_resource_each_route(root, add_object, json);
    torc_json_close_array(json);
    return err ? err : torc_json_err(json);
}
