/* SPDX-License-Identifier: MIT */
/*
 * The head of the response: its status and fields, and sending it.
 *
 *  - The first RESERVED items of `fields` are for what the library adds (Server, Date), so that
 *    they go out in front of the application's without anything being moved.
 *  - Names and values of the others are copies in the arena, or names of the table of known fields.
 *  - Once the head has gone nothing of it changes; what is invalid before makes the response fail.
 *  - Content-Length is not among the fields: it is `length`. The wire adds it, or the chunks.
 */
#include <torc/log.h>
#include <torc/status.h>

#include "http/staging.h"

enum {
    RESERVED = 2,
    FIELDS_MAX = 1000,
    SHORT_MAX = 1024 /* bytes of a body that goes the wire's short way, which copies */
};

static const torc_str name_of_date = TORC_STR_INIT("Date");
static const torc_str name_of_server = TORC_STR_INIT("Server");
static const torc_str name_of_type = TORC_STR_INIT("Content-Type");

void torc_response_init(torc_request *request) {
    request->sent.status = 200;
    request->fields = request->first_fields;
    request->field_count = RESERVED;
    request->field_capacity = TORC_REQUEST_FIELDS;
}

bool torc_response_allows_body(const torc_request *request) {
    const int status = request->sent.status;
    return status != 204 && status != 205 && status != 304;
}

void torc_response_fail(torc_request *request, torc_err err) {
    if (request_is_over(request)) return;
    if (!request->failure) request->failure = (int16_t)err;
    if (request->is_started) torc_request_reset(request, err);
}

/* Whether the head can still be changed. */
static bool is_open(torc_request *request) {
    if (request_is_over(request) || request->failure) return false;
    if (!request->is_started) return true;
    torc_response_fail(request, TORC_ERR_STATE);
    return false;
}

void torc_response_set_status(torc_request *request, int status, const char *reason) {
    const torc_str phrase = torc_str_of(reason);

    if (!is_open(request)) return;
    if (status < 200 || status > 999 || !torc_field_value_is_valid(phrase)) {
        torc_response_fail(request, TORC_ERR_INVALID);
        return;
    }
    request->sent.status = status;
    request->sent.reason = torc_str_make(NULL, 0);
    if (phrase.len && torc_arena_copy(request->arena, phrase, &request->sent.reason))
        torc_response_fail(request, TORC_ERR_NO_MEMORY);
}

int torc_response_status(const torc_request *request) {
    return request->sent.status;
}

bool torc_response_is_started(const torc_request *request) {
    return request->is_started;
}

bool torc_response_accepts(torc_str name, torc_str value) {
    return torc_field_name_is_valid(name) && torc_field_value_is_valid(value);
}

static bool has_name(const torc_field *field, torc_field_id id, torc_str name) {
    if (id != TORC_FIELD_OTHER) return field->id == id;
    return field->id == TORC_FIELD_OTHER && torc_str_equals_nocase(field->name, name);
}

/* What the library would add, were it not there. */
static void note_own(torc_request *request, torc_field_id id, bool has) {
    if (id == TORC_FIELD_CONTENT_TYPE) request->has_type = has;
    if (id == TORC_FIELD_SERVER) request->has_server = has;
    if (id == TORC_FIELD_DATE) request->has_date = has;
}

static void remove_named(torc_request *request, torc_field_id id, torc_str name) {
    uint32_t kept = RESERVED;

    while (kept < request->field_count && !has_name(&request->fields[kept], id, name)) kept++;
    if (kept == request->field_count) return;
    for (uint32_t i = kept + 1; i < request->field_count; i++)
        if (!has_name(&request->fields[i], id, name)) request->fields[kept++] = request->fields[i];
    request->field_count = kept;
    note_own(request, id, false);
}

static torc_err grow(torc_request *request) {
    torc_field *fields;

    if (request->field_count >= FIELDS_MAX) return TORC_ERR_LIMIT;
    fields = torc_arena_alloc(request->arena, 2 * request->field_capacity * sizeof(*fields));
    if (!fields) return TORC_ERR_NO_MEMORY;
    memcpy(fields, request->fields, request->field_count * sizeof(*fields));
    request->fields = fields;
    request->field_capacity *= 2;
    return TORC_OK;
}

/* Put a field behind the others; name and value must live as long as the head is needed. */
static inline torc_err push(torc_request *request, torc_field_id id, torc_str name,
                            torc_str value) {
    if (request->field_count == request->field_capacity) {
        const torc_err err = grow(request);
        if (err) return err;
    }
    torc_field *field = &request->fields[request->field_count++];
    field->name = name;
    field->value = value;
    field->id = id;
    note_own(request, id, true);
    return TORC_OK;
}

static torc_err push_copy(torc_request *request, torc_field_id id, torc_str name, torc_str value) {
    torc_str own_name, own_value;
    torc_err err = TORC_OK;

    if (id != TORC_FIELD_OTHER)
        own_name = torc_field_name(id);
    else
        err = torc_arena_copy(request->arena, name, &own_name);
    if (!err) err = torc_arena_copy(request->arena, value, &own_value);
    return err ? err : push(request, id, own_name, own_value);
}

static void set_length_from(torc_request *request, torc_str value) {
    uint64_t len;

    if (torc_str_parse_uint(value, INT64_MAX, &len))
        torc_response_fail(request, TORC_ERR_INVALID);
    else
        torc_response_set_length(request, len);
}

/* Set or add; what frames the message is the library's to say. */
static void change(torc_request *request, torc_str name, torc_str value, bool replace) {
    const torc_field_id id = torc_field_find(name);
    torc_err err;

    if (!is_open(request)) return;
    if (id == TORC_FIELD_CONTENT_LENGTH) {
        set_length_from(request, value);
        return;
    }
    if (id == TORC_FIELD_TRANSFER_ENCODING || !torc_response_accepts(name, value)) {
        torc_response_fail(request, TORC_ERR_INVALID);
        return;
    }
    if (replace) remove_named(request, id, name);
    err = push_copy(request, id, name, value);
    if (err) torc_response_fail(request, err);
}

void torc_response_set(torc_request *request, const char *name, torc_str value) {
    change(request, torc_str_of(name), value, true);
}

void torc_response_put(torc_request *request, torc_field_id id, torc_str value) {
    const torc_str name = torc_field_name(id);
    torc_err err = TORC_OK;

    if (!is_open(request)) return;
    if (!torc_field_value_is_valid(value)) err = TORC_ERR_INVALID;
    if (!err) {
        remove_named(request, id, name);
        err = push_copy(request, id, name, value);
    }
    if (err) torc_response_fail(request, err);
}

bool torc_response_put_made(torc_request *request, const torc_made_fields *made) {
    char *text;

    if (!is_open(request) || request->field_count > RESERVED) return false;
    if (made->count > TORC_REQUEST_FIELDS - RESERVED) return false;
    text = torc_arena_bytes(request->arena, made->text.len);
    if (!text) return false;
    memcpy(text, made->text.bytes, made->text.len);
    for (uint32_t i = 0; i < made->count; i++) {
        const torc_field_id id = made->items[i].id;
        request->fields[request->field_count++] = (torc_field){
            .name = torc_field_name(id),
            .value = torc_str_make(text + made->items[i].at, made->items[i].len),
            .id = id,
        };
        note_own(request, id, true);
    }
    return true;
}

/* The known names that a response has, as bits. */
typedef struct field_set {
    uint64_t words[(TORC_FIELDS + 63) / 64];
} field_set;

static field_set fields_of(const torc_request *request) {
    field_set set = {0};

    for (uint32_t i = RESERVED; i < request->field_count; i++) {
        const torc_field_id id = request->fields[i].id;
        set.words[id / 64] |= (uint64_t)1 << id % 64;
    }
    return set;
}

static bool has_field(const torc_request *request, const field_set *set, const torc_field *field) {
    if (field->id != TORC_FIELD_OTHER)
        return (set->words[field->id / 64] >> field->id % 64 & 1) != 0;
    for (uint32_t i = RESERVED; i < request->field_count; i++)
        if (has_name(&request->fields[i], field->id, field->name)) return true;
    return false;
}

void torc_response_lend(torc_request *request, const torc_field *fields, size_t count) {
    torc_err err = TORC_OK;

    if (!is_open(request)) return;
    const field_set set = fields_of(request);
    for (size_t i = 0; i < count && !err; i++)
        if (!has_field(request, &set, &fields[i]))
            err = push(request, fields[i].id, fields[i].name, fields[i].value);
    if (err) torc_response_fail(request, err);
}

void torc_response_add(torc_request *request, const char *name, torc_str value) {
    change(request, torc_str_of(name), value, false);
}

void torc_response_remove(torc_request *request, const char *name) {
    const torc_str text = torc_str_of(name);
    const torc_field_id id = torc_field_find(text);

    if (!is_open(request)) return;
    if (id == TORC_FIELD_CONTENT_LENGTH) request->has_length = false;
    remove_named(request, id, text);
}

torc_str torc_response_field(const torc_request *request, const char *name) {
    const torc_str text = torc_str_of(name);
    const torc_field_id id = torc_field_find(text);

    for (uint32_t i = RESERVED; i < request->field_count; i++)
        if (has_name(&request->fields[i], id, text)) return request->fields[i].value;
    return torc_str_make(NULL, 0);
}

torc_fields torc_response_fields(const torc_request *request) {
    return (torc_fields){.items = request->fields + RESERVED,
                         .count = request->field_count - RESERVED};
}

void torc_response_set_type(torc_request *request, torc_str type) {
    torc_err err = TORC_OK;

    if (!is_open(request)) return;
    if (!torc_field_value_is_valid(type)) err = TORC_ERR_INVALID;
    if (request->has_type) remove_named(request, TORC_FIELD_CONTENT_TYPE, torc_str_make(NULL, 0));
    if (!err)
        err =
            push(request, TORC_FIELD_CONTENT_TYPE, torc_field_name(TORC_FIELD_CONTENT_TYPE), type);
    if (err) torc_response_fail(request, err);
}

void torc_response_set_length(torc_request *request, uint64_t len) {
    if (!is_open(request)) return;
    if (len > INT64_MAX) {
        torc_response_fail(request, TORC_ERR_INVALID);
        return;
    }
    request->has_length = true;
    request->length = len;
}

void torc_response_set_trailer(torc_request *request, const char *name, torc_str value) {
    torc_err err = TORC_OK;

    if (request_is_over(request) || request->failure) return;
    if (!request->trailers) {
        request->trailers = torc_arena_alloc_zero(request->arena, 1, sizeof(*request->trailers));
        if (!request->trailers) err = TORC_ERR_NO_MEMORY;
    }
    if (!err && (!torc_response_accepts(torc_str_of(name), value) ||
                 !torc_field_is_allowed_in_trailers(torc_field_find(torc_str_of(name)))))
        err = TORC_ERR_INVALID;
    if (!err)
        err = torc_fields_add_copy(request->trailers, request->arena, torc_str_of(name), value);
    if (err) torc_response_fail(request, err);
}

void torc_response_clear(torc_request *request) {
    request->sent.status = 200;
    request->sent.reason = torc_str_make(NULL, 0);
    request->field_count = RESERVED;
    request->has_type = request->has_server = request->has_date = false;
    request->has_length = false;
    request->trailers = NULL;
    request->failure = TORC_OK;
    if (request->staging) torc_staging_drop(request);
}

void torc_response_clear_body_fields(torc_request *request, int status) {
    static const torc_field_id of_bodies[] = {
        TORC_FIELD_CONTENT_DISPOSITION,
        TORC_FIELD_CONTENT_ENCODING,
        TORC_FIELD_CONTENT_LANGUAGE,
        TORC_FIELD_CONTENT_LOCATION,
        TORC_FIELD_CONTENT_RANGE,
        TORC_FIELD_CONTENT_TYPE,
        TORC_FIELD_ETAG,
        TORC_FIELD_LAST_MODIFIED,
    };

    if (request->field_count > RESERVED)
        for (size_t i = 0; i < TORC_COUNT_OF(of_bodies); i++)
            if (status != 416 || of_bodies[i] != TORC_FIELD_CONTENT_RANGE)
                remove_named(request, of_bodies[i], torc_str_make(NULL, 0));
    request->has_length = false;
    request->trailers = NULL;
}

/* Fill the reserved places in front; the number of those that stay unused. */
static uint32_t add_own_fields(torc_request *request) {
    uint32_t place = RESERVED;

    const torc_str now = torc_date_now(request->reactor);

    if (!request->has_date && now.len) {
        torc_field *date = &request->fields[--place];
        date->name = name_of_date;
        date->value = now;
        date->id = TORC_FIELD_DATE;
    }
    if (!request->has_server && request->handler->server.len) {
        torc_field *server = &request->fields[--place];
        server->name = name_of_server;
        server->value = request->handler->server;
        server->id = TORC_FIELD_SERVER;
    }
    return place;
}

static torc_err add_default_type(torc_request *request, int64_t body_len) {
    const torc_str type = request->handler->default_content_type;

    if (request->has_type || body_len == 0 || type.len == 0) return TORC_OK;
    if (!torc_response_allows_body(request)) return TORC_OK;
    return push(request, TORC_FIELD_CONTENT_TYPE, name_of_type, type);
}

/* What every response of the handler has stands behind the response's own. */
static torc_err add_common_fields(torc_request *request) {
    const torc_fields *common = request->handler->fields;
    torc_err err = TORC_OK;

    for (uint32_t i = 0; common && i < common->count && !err; i++)
        err = push(request, common->items[i].id, common->items[i].name, common->items[i].value);
    return err;
}

/* Complete the final head with what the library adds in front of the application's fields. */
static const torc_head *fill_head(torc_request *request) {
    const uint32_t unused = add_own_fields(request);
    torc_head *head = &request->sent;

    head->version = 11;
    head->fields.items = request->fields + unused;
    head->fields.count = request->field_count - unused;
    return head;
}

void torc_response_send_head(torc_request *request, int64_t body_len) {
    const torc_exchange_wire *wire = request->exchange->wire;
    torc_err err = add_default_type(request, body_len);

    if (!err) err = add_common_fields(request);
    if (err) {
        torc_response_fail(request, err);
        return;
    }
    err = wire->send_head(request->exchange, fill_head(request), body_len);
    request->is_started = true;
    if (err) torc_response_fail(request, err);
}

/* Nothing was sent or has failed, and the head needs nothing that the short way does not do. */
static bool is_plain(const torc_request *request, int status, torc_str type) {
    return !request_is_over(request) && !request->is_started && !request->failure &&
           !request->trailers && !(request->has_type && type.bytes) && status >= 200 &&
           status <= 599 && status != 204 && status != 205 && status != 304 &&
           torc_field_value_is_valid(type);
}

bool torc_response_send_short(torc_request *request, int status, torc_str type, torc_str body) {
    const torc_exchange_wire *wire = request->exchange->wire;
    torc_err err;

    if (!wire->send_whole || body.len > SHORT_MAX || !is_plain(request, status, type)) return false;
    err = type.bytes ? push(request, TORC_FIELD_CONTENT_TYPE, name_of_type, type)
                     : add_default_type(request, (int64_t)body.len);
    if (!err) err = add_common_fields(request);
    if (err) return false;
    request->sent.status = status;
    request->sent.reason = torc_str_make(NULL, 0);
    request->body_sent = body.len;
    request->is_started = true;
    err = wire->send_whole(request->exchange, fill_head(request), body);
    if (err) torc_response_fail(request, err);
    (void)torc_response_conclude(request);
    return true;
}

bool torc_response_send_short_body(torc_request *request, torc_str body) {
    if (request->sent.reason.bytes || request->staging) return false;
    return torc_response_send_short(request, request->sent.status, torc_str_make(NULL, 0), body);
}

torc_err torc_response_send_interim(torc_request *request, int status) {
    torc_head head = {.status = status};

    if (request_is_over(request)) return TORC_ERR_GONE;
    if (request->is_started) return TORC_ERR_STATE;
    if (status < 100 || status > 199 || status == 101) return TORC_ERR_INVALID;
    if (request->failure) return (torc_err)request->failure;
    if (request->head->version < 11) return TORC_OK;
    head.fields.items = request->fields + RESERVED;
    head.fields.count = request->field_count - RESERVED;
    return request->exchange->wire->send_head(request->exchange, &head, 0);
}
