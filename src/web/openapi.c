/* SPDX-License-Identifier: MIT */
/*
 * OpenAPI 3.1 documents from routes.
 *
 *  - Nothing is gathered: the first route of each path goes through the tree again for the others
 *    of that path. The tree is small, and the document is made once (openapi_resource.c).
 *  - Paths are one when their segments are, whatever the parameters are called and take: then they
 *    have the names that the first of them has.
 */
#include <torc/openapi.h>

#include <stdio.h>
#include <torc/json_struct.h>
#include <torc/status.h>

#include "web/openapi.h"

enum {
    PATH_BYTES_MAX = 4096
};

static const torc_method told[] = {TORC_METHOD_GET,     TORC_METHOD_HEAD,  TORC_METHOD_POST,
                                   TORC_METHOD_PUT,     TORC_METHOD_PATCH, TORC_METHOD_DELETE,
                                   TORC_METHOD_OPTIONS, TORC_METHOD_TRACE};
static const torc_method any[] = {TORC_METHOD_GET, TORC_METHOD_POST, TORC_METHOD_PUT,
                                  TORC_METHOD_PATCH, TORC_METHOD_DELETE};

/* ---- schemas ---- */

static void write_type(torc_json *json, const char *type) {
    torc_json_member_text(json, "type", type);
}

static void write_choices(torc_json *json, torc_str choices) {
    torc_str choice;

    write_type(json, "string");
    torc_json_member_array(json, "enum");
    while (torc_str_split(&choices, '|', &choice)) torc_json_str(json, choice);
    torc_json_close_array(json);
}

static void write_integer(torc_json *json, bool is_signed) {
    write_type(json, "integer");
    if (is_signed)
        torc_json_member_text(json, "format", "int64");
    else
        torc_json_member_int(json, "minimum", 0);
}

/* The members of the schema of a kind. */
static void write_kind(torc_json *json, torc_param_kind kind, torc_str choices) {
    switch (kind) {
    case TORC_PARAM_ANY:
        write_choices(json, choices);
        break;
    case TORC_PARAM_UUID:
        write_type(json, "string");
        torc_json_member_text(json, "format", "uuid");
        break;
    case TORC_PARAM_UINT:
    case TORC_PARAM_INT:
        write_integer(json, kind == TORC_PARAM_INT);
        break;
    case TORC_PARAM_FLOAT:
        write_type(json, "number");
        break;
    case TORC_PARAM_SLUG:
        write_type(json, "string");
        torc_json_member_text(json, "pattern", "^[A-Za-z0-9_-]+$");
        break;
    case TORC_PARAM_STR:
    case TORC_PARAM_PATH:
        write_type(json, "string");
        break;
    }
}

void torc_schema_text(torc_json *json, const void *of) {
    (void)of;
    torc_json_open_object(json);
    write_type(json, "string");
    torc_json_close_object(json);
}

void torc_schema_object(torc_json *json, const void *of) {
    (void)of;
    torc_json_open_object(json);
    write_type(json, "object");
    torc_json_close_object(json);
}

static void write_schema(torc_json *json, torc_schema_fn *schema, const void *of) {
    if (schema) {
        schema(json, of);
        return;
    }
    torc_json_open_object(json);
    torc_json_close_object(json);
}

void torc_schema_list(torc_json *json, const void *of) {
    const torc_route_content *item = of;

    torc_json_open_object(json);
    write_type(json, "array");
    torc_json_key(json, "items");
    write_schema(json, item->schema, item->of);
    torc_json_close_object(json);
}

void torc_schema_struct(torc_json *json, const void *of) {
    torc_json_write_schema(json, of, NULL);
}

void torc_schema_structs(torc_json *json, const void *of) {
    const torc_route_content item = {.schema = torc_schema_struct, .of = of};

    torc_schema_list(json, &item);
}

/* ---- operations ---- */

typedef struct writer {
    const torc_resource *root;
    torc_route_query query;
    torc_json *json;
    const torc_route_entry *first; /* of the path that is being written */
    uint32_t written;              /* bits of its methods so far */
    bool is_open;                  /* its object is */
    torc_err err;
} writer;

/* A parameter's name in the document; of `*`: "rest". */
static torc_str name_of(const torc_route_edge *edge) {
    return edge->name.len ? edge->name : TORC_STR("rest");
}

static void write_path_param(torc_json *json, const torc_route_edge *edge, torc_str name) {
    torc_json_open_object(json);
    torc_json_member_str(json, "name", name);
    torc_json_member_text(json, "in", "path");
    torc_json_member_bool(json, "required", true);
    if (edge->shape->kind == TORC_PARAM_PATH)
        torc_json_member_text(json, "description", "All that is left of the path, with slashes.");
    torc_json_member_object(json, "schema");
    write_kind(json, edge->shape->kind, edge->shape->choices);
    if (edge->shape->kind == TORC_PARAM_STR) torc_json_member_int(json, "minLength", 1);
    torc_json_close_object(json);
    torc_json_close_object(json);
}

static void write_input(torc_json *json, const torc_route_input *input) {
    torc_json_open_object(json);
    torc_json_member_text(json, "name", input->name);
    torc_json_member_text(json, "in", input->is_field ? "header" : "query");
    if (input->is_required) torc_json_member_bool(json, "required", true);
    if (input->description) torc_json_member_text(json, "description", input->description);
    torc_json_member_object(json, "schema");
    if (input->min == 0 && input->max == 0) {
        write_kind(json, input->kind, torc_str_of(input->choices));
    } else {
        write_type(json, "integer");
        torc_json_member_int(json, "minimum", input->min);
        torc_json_member_int(json, "maximum", input->max);
    }
    torc_json_close_object(json);
    torc_json_close_object(json);
}

/* The names of the path are those of the first of its routes. */
static void write_parameters(writer *self, const torc_route_entry *entry) {
    const torc_route_options *options = &entry->route->options;
    torc_json *json = self->json;

    torc_json_member_array(json, "parameters");
    for (uint32_t i = 0; i < entry->edge_count; i++)
        if (entry->edges[i].shape)
            write_path_param(json, &entry->edges[i], name_of(&self->first->edges[i]));
    for (size_t i = 0; i < options->input_count; i++) write_input(json, &options->inputs[i]);
    torc_json_close_array(json);
}

static void write_content(torc_json *json, const torc_route_content *content) {
    if (!content->type && !content->schema) return;
    torc_json_member_object(json, "content");
    torc_json_member_object(json, content->type ? content->type : "application/json");
    torc_json_key(json, "schema");
    write_schema(json, content->schema, content->of);
    torc_json_close_object(json);
    torc_json_close_object(json);
}

static void write_body(torc_json *json, const torc_route_options *options) {
    if (!options->body.type && !options->body.schema) return;
    torc_json_member_object(json, "requestBody");
    if (!options->has_optional_body) torc_json_member_bool(json, "required", true);
    write_content(json, &options->body);
    torc_json_close_object(json);
}

static void write_problem_content(torc_json *json) {
    torc_json_member_object(json, "content");
    torc_json_member_object(json, "application/problem+json");
    torc_json_member_object(json, "schema");
    torc_json_member_text(json, "$ref", "#/components/schemas/Problem");
    torc_json_close_object(json);
    torc_json_close_object(json);
    torc_json_close_object(json);
}

static void write_response(torc_json *json, const torc_route_response *response) {
    const torc_str phrase = torc_status_phrase(response->status);
    char status[12];

    snprintf(status, sizeof(status), "%d", response->status);
    torc_json_member_object(json, status);
    if (response->description)
        torc_json_member_text(json, "description", response->description);
    else
        torc_json_member_str(json, "description", phrase);
    if (response->status >= 400 && !response->content.type && !response->content.schema)
        write_problem_content(json);
    else
        write_content(json, &response->content);
    torc_json_close_object(json);
}

static bool tells(const torc_route_options *options, int status) {
    for (size_t i = 0; i < options->response_count; i++)
        if (options->responses[i].status == status) return true;
    return false;
}

static void write_responses(torc_json *json, const torc_route_options *options) {
    torc_json_member_object(json, "responses");
    for (size_t i = 0; i < options->response_count; i++)
        write_response(json, &options->responses[i]);
    if (options->response_count > 0 && options->checks_inputs && !tells(options, 400))
        write_response(json, &(torc_route_response){.status = 400});
    if (options->response_count == 0) {
        torc_json_member_object(json, "default");
        torc_json_member_text(json, "description", "The answer.");
        torc_json_close_object(json);
    }
    torc_json_close_object(json);
}

static void write_tags(torc_json *json, const char *const *tags) {
    if (!tags) return;
    torc_json_member_array(json, "tags");
    for (; *tags; tags++) torc_json_text(json, *tags);
    torc_json_close_array(json);
}

/* Methods in small letters, as the document has them. */
static const char *small(torc_method method, char text[16]) {
    const torc_str name = torc_method_text(method);

    for (size_t i = 0; i < name.len; i++) text[i] = (char)(name.bytes[i] | 0x20);
    text[name.len] = 0;
    return text;
}

static void write_id(torc_json *json, const torc_route *route, const char *method) {
    char id[200];

    if (!route->options.name) return;
    if (!route->any_method) {
        torc_json_member_text(json, "operationId", route->options.name);
        return;
    }
    snprintf(id, sizeof(id), "%s_%s", route->options.name, method);
    torc_json_member_text(json, "operationId", id);
}

static void write_operation(writer *self, const torc_route_entry *entry, torc_method method) {
    const torc_route_options *options = &entry->route->options;
    torc_json *json = self->json;
    char text[16];

    if (self->written & torc_method_bit(method)) return;
    self->written |= torc_method_bit(method);
    torc_json_member_object(json, small(method, text));
    write_id(json, entry->route, text);
    if (options->summary) torc_json_member_text(json, "summary", options->summary);
    if (options->description) torc_json_member_text(json, "description", options->description);
    write_tags(json, options->tags);
    if (options->is_deprecated) torc_json_member_bool(json, "deprecated", true);
    write_parameters(self, entry);
    write_body(json, options);
    write_responses(json, options);
    torc_json_close_object(json);
}

/* ---- paths ---- */

static bool is_told(const torc_route_entry *entry) {
    if (!entry->route || entry->route->options.is_hidden) return false;
    if (entry->route->any_method) return true;
    for (size_t i = 0; i < TORC_COUNT_OF(told); i++)
        if (told[i] == entry->route->method) return true;
    return false;
}

static bool same_edge(const torc_route_edge *a, const torc_route_edge *b) {
    if (!a->shape || !b->shape)
        return !a->shape && !b->shape && a->is_host == b->is_host &&
               torc_str_equals(a->literal, b->literal);
    return torc_str_equals(a->shape->before, b->shape->before) &&
           torc_str_equals(a->shape->after, b->shape->after);
}

static bool same_path(const torc_route_entry *a, const torc_route_entry *b) {
    bool same = a->edge_count == b->edge_count;

    for (uint32_t i = 0; same && i < a->edge_count; i++)
        same = same_edge(&a->edges[i], &b->edges[i]);
    return same;
}

/* The path as OpenAPI writes it: "/users/{id}". */
static void write_path_key(writer *self, const torc_route_entry *entry) {
    char bytes[PATH_BYTES_MAX];
    torc_buf text;

    torc_buf_init_fixed(&text, bytes, sizeof(bytes));
    for (uint32_t i = 0; i < entry->edge_count; i++) {
        const torc_route_edge *edge = &entry->edges[i];
        if (edge->is_host) continue;
        torc_buf_add_byte(&text, '/');
        if (!edge->shape) {
            torc_buf_add(&text, edge->literal);
            continue;
        }
        torc_buf_add(&text, edge->shape->before);
        torc_buf_addf(&text, "{%.*s}", TORC_STR_ARGS(name_of(edge)));
        torc_buf_add(&text, edge->shape->after);
    }
    if (text.len == 0) torc_buf_add_byte(&text, '/');
    if (torc_buf_err(&text)) torc_json_fail(self->json, torc_buf_err(&text));
    torc_json_key_str(self->json, torc_buf_str(&text));
}

static bool write_if_same(void *context, const torc_route_entry *entry) {
    writer *self = context;

    if (!is_told(entry) || !same_path(entry, self->first)) return true;
    if (!entry->route->any_method) write_operation(self, entry, entry->route->method);
    return true;
}

/* Those for any method come last: what is told of a method alone is more. */
static bool write_if_same_any(void *context, const torc_route_entry *entry) {
    writer *self = context;

    if (!is_told(entry) || !entry->route->any_method || !same_path(entry, self->first)) return true;
    for (size_t i = 0; i < TORC_COUNT_OF(any); i++) write_operation(self, entry, any[i]);
    return true;
}

static bool find_same(void *context, const torc_route_entry *entry) {
    writer *self = context;

    if (!is_told(entry) || !same_path(entry, self->first)) return true;
    self->is_open = entry->route == self->first->route; /* it is the first of its path */
    return false;
}

static bool write_path(void *context, const torc_route_entry *entry) {
    writer *self = context;

    if (!is_told(entry)) return true;
    self->first = entry;
    self->written = 0;
    (void)!torc_routes_list(self->root, &self->query, find_same, self);
    if (!self->is_open) return true;
    write_path_key(self, entry);
    torc_json_open_object(self->json);
    (void)!torc_routes_list(self->root, &self->query, write_if_same, self);
    (void)!torc_routes_list(self->root, &self->query, write_if_same_any, self);
    torc_json_close_object(self->json);
    return true;
}

/* ---- the document ---- */

static void write_info(const torc_openapi_info *info, torc_json *json) {
    torc_json_member_object(json, "info");
    torc_json_member_text(json, "title", info->title);
    torc_json_member_text(json, "version", info->version);
    if (info->description) torc_json_member_text(json, "description", info->description);
    torc_json_close_object(json);
    if (!info->server_url) return;
    torc_json_member_array(json, "servers");
    torc_json_open_object(json);
    torc_json_member_text(json, "url", info->server_url);
    torc_json_close_object(json);
    torc_json_close_array(json);
}

/* RFC 9457, as torc_reply_problem() writes it. */
static const char components[] =
    "{\"schemas\":{\"Problem\":{\"type\":\"object\",\"properties\":{"
    "\"type\":{\"type\":\"string\",\"format\":\"uri-reference\"},\"title\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\"},\"detail\":{\"type\":\"string\"},"
    "\"instance\":{\"type\":\"string\",\"format\":\"uri-reference\"},"
    "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}}}}}";

torc_err torc_openapi_write_by(const torc_resource *root, const torc_route_query *query,
                               const torc_openapi_info *info, torc_json *json) {
    writer self = {.root = root, .query = *query, .json = json};

    torc_json_open_object(json);
    torc_json_member_text(json, "openapi", "3.1.0");
    write_info(info, json);
    torc_json_member_object(json, "paths");
    self.err = torc_routes_list(root, query, write_path, &self);
    torc_json_close_object(json);
    torc_json_member_raw(json, "components", torc_str_of(components));
    torc_json_close_object(json);
    return self.err ? self.err : torc_json_err(json);
}

torc_err torc_openapi_write(const torc_resource *root, const torc_openapi_info *info,
                            torc_json *json) {
    return torc_openapi_write_by(root, &(torc_route_query){0}, info, json);
}
