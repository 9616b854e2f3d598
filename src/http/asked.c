/* SPDX-License-Identifier: MIT */
/*
 * What the peer asked, read from the head; and what belongs to the request as a whole.
 */
#include <torc/log.h>

#include "http/request_state.h"

torc_method torc_request_method(const torc_request *request) {
    return request->head->method;
}

torc_str torc_request_method_text(const torc_request *request) {
    return request->head->method_text;
}

torc_str torc_request_target(const torc_request *request) {
    return request->head->target.text;
}

torc_str torc_request_path(const torc_request *request) {
    return request->rewritten ? request->rewritten->path : request->head->target.path;
}

torc_str torc_request_query(const torc_request *request) {
    return request->rewritten ? request->rewritten->query : request->head->target.query;
}

bool torc_request_is_secure(const torc_request *request) {
    if (request->origin) return request->origin->is_secure;
    return torc_request_link_info(request)->is_secure;
}

torc_str torc_request_scheme(const torc_request *request) {
    return torc_request_is_secure(request) ? TORC_STR("https") : TORC_STR("http");
}

bool torc_request_is_misdirected(const torc_request *request) {
    return torc_str_equals_nocase(request->head->target.scheme, TORC_STR("https")) &&
           !request->origin && !torc_request_link_info(request)->is_secure;
}

torc_str torc_request_authority(const torc_request *request) {
    const torc_request_origin *origin = request->origin;
    const torc_str authority = request->head->target.authority;

    if (origin && origin->authority.len) return origin->authority;
    return authority.bytes ? authority : torc_request_field_id(request, TORC_FIELD_HOST);
}

/* "[::1]:80" gives "[::1]", "a.example:80" gives "a.example". */
torc_str torc_request_hostname(const torc_request *request) {
    const torc_str authority = torc_request_authority(request);
    const ptrdiff_t end =
        torc_str_find_byte(authority, authority.len && authority.bytes[0] == '[' ? ']' : ':');

    if (end < 0) return authority;
    return torc_str_head(authority, (size_t)end + (authority.bytes[0] == '[' ? 1 : 0));
}

int torc_request_version(const torc_request *request) {
    return request->head->version;
}

const torc_fields *torc_request_fields(const torc_request *request) {
    return &request->head->fields;
}

torc_str torc_request_field(const torc_request *request, const char *name) {
    return torc_fields_value(&request->head->fields, torc_str_of(name));
}

torc_str torc_request_field_id(const torc_request *request, torc_field_id id) {
    return torc_fields_value_id(&request->head->fields, id);
}

int64_t torc_request_content_length(const torc_request *request) {
    return request->head->body_len;
}

torc_addr torc_request_peer(const torc_request *request) {
    return torc_request_link_info(request)->peer;
}

torc_addr torc_request_host(const torc_request *request) {
    return torc_request_link_info(request)->host;
}

const torc_link_info *torc_request_link_info(const torc_request *request) {
    return request->exchange->wire->link(request->exchange);
}

torc_reactor *torc_request_reactor(const torc_request *request) {
    return request->reactor;
}

torc_arena *torc_request_arena(torc_request *request) {
    return request->arena;
}

void *torc_request_context(const torc_request *request) {
    return request->handler->context;
}

void torc_request_set_data(torc_request *request, void *data) {
    request->data = data;
}

void *torc_request_data(const torc_request *request) {
    return request->data;
}

torc_err torc_request_set_value(torc_request *request, const void *key, void *value) {
    torc_kept_value *kept = request->values;

    while (kept && kept->key != key) kept = kept->next;
    if (!kept) {
        kept = torc_arena_alloc(request->arena, sizeof(*kept));
        if (!kept) return TORC_ERR_NO_MEMORY;
        *kept = (torc_kept_value){.next = request->values, .key = key};
        request->values = kept;
    }
    kept->value = value;
    return TORC_OK;
}

void *torc_request_value(const torc_request *request, const void *key) {
    for (const torc_kept_value *kept = request->values; kept; kept = kept->next)
        if (kept->key == key) return kept->value;
    return NULL;
}

const torc_limits *torc_request_limits_now(torc_request *request) {
    if (request->limits_are_own || request->handler->limits) return torc_request_limits(request);
    return request->exchange->limits;
}

/* The wire reads the exchange's limits, too: those of scope route are changed for it as well. */
torc_limits *torc_request_limits(torc_request *request) {
    if (!request->limits_are_own) {
        request->limits = torc_limits_inherit(request->handler->limits, request->exchange->limits);
        request->limits_are_own = true;
        request->exchange->limits = &request->limits;
    }
    return &request->limits;
}

torc_request_step_fn *torc_request_step(const torc_request *request, void **context) {
    *context = request->step_context;
    return request->step;
}

torc_handler *torc_request_handler(const torc_request *request) {
    return request->handler;
}

torc_log *torc_request_log(const torc_request *request) {
    return request->handler->log ? request->handler->log : request->reactor->log;
}

const char torc_request_id_key;

torc_str torc_request_target_to_log(const torc_request *request) {
    const torc_str target = request->head->target.text;
    const ptrdiff_t mark = torc_str_find_byte(target, '?');

    return mark < 0 ? target : torc_str_head(target, (size_t)mark);
}

void torc_request_log_failure(torc_request *request, const char *text, const torc_log_field *why) {
    torc_log *log = torc_request_log(request);
    const torc_str *id = torc_request_value(request, &torc_request_id_key);
    torc_log_field fields[4];
    size_t count = 0;

    if (!TORC_LOG_IS_ENABLED(log, "http", TORC_LOG_LEVEL_ERROR)) return;
    if (why) fields[count++] = *why;
    fields[count++] = TORC_LOG_STR("method", torc_request_method_text(request));
    fields[count++] = TORC_LOG_STR("target", torc_request_target_to_log(request));
    if (id) fields[count++] = TORC_LOG_STR("request_id", *id);
    torc_log_event(log, TORC_LOG_LEVEL_ERROR, "http", text, fields, count);
}

const torc_head *torc_request_head(const torc_request *request) {
    return request->head;
}

uint64_t torc_request_duration_us(const torc_request *request) {
    torc_clock *clock = request->reactor->clock;
    const uint64_t now_us = clock->monotonic_us(clock);

    return now_us > request->started_us ? now_us - request->started_us : 0;
}
