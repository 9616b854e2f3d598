/* SPDX-License-Identifier: MIT */
/*
 * Fields: names and their ids, lists of them, and the lists in their values.
 *
 *  - Names are looked up by length first: few known names share one, so a look-up compares two or three at most.
 */
#include <torc/fields.h>

#include "message/bytes.h"

static const torc_str names[TORC_FIELDS] = {
    [TORC_FIELD_OTHER] = TORC_STR_INIT(""),
#define NAME(id, name) [TORC_FIELD_##id] = TORC_STR_INIT(name),
    TORC_FIELD_TABLE(NAME)
#undef NAME
};

enum {
    LEN_MAX = 32
};

/* The ids of the known names, the shortest names first. */
static const uint8_t ids[] = {
    TORC_FIELD_TE,
    TORC_FIELD_AGE,
    TORC_FIELD_DNT,
    TORC_FIELD_P3P,
    TORC_FIELD_VIA,
    TORC_FIELD_DATE,
    TORC_FIELD_ETAG,
    TORC_FIELD_FROM,
    TORC_FIELD_HOST,
    TORC_FIELD_LINK,
    TORC_FIELD_VARY,
    TORC_FIELD_ALLOW,
    TORC_FIELD_RANGE,
    TORC_FIELD_ACCEPT,
    TORC_FIELD_COOKIE,
    TORC_FIELD_EXPECT,
    TORC_FIELD_ORIGIN,
    TORC_FIELD_PRAGMA,
    TORC_FIELD_SERVER,
    TORC_FIELD_ALT_SVC,
    TORC_FIELD_EXPIRES,
    TORC_FIELD_REFERER,
    TORC_FIELD_TRAILER,
    TORC_FIELD_UPGRADE,
    TORC_FIELD_IF_MATCH,
    TORC_FIELD_IF_RANGE,
    TORC_FIELD_LOCATION,
    TORC_FIELD_PRIORITY,
    TORC_FIELD_FORWARDED,
    TORC_FIELD_X_REAL_IP,
    TORC_FIELD_CONNECTION,
    TORC_FIELD_KEEP_ALIVE,
    TORC_FIELD_SET_COOKIE,
    TORC_FIELD_TRACESTATE,
    TORC_FIELD_USER_AGENT,
    TORC_FIELD_CONTENT_MD5,
    TORC_FIELD_RETRY_AFTER,
    TORC_FIELD_TRACEPARENT,
    TORC_FIELD_CONTENT_TYPE,
    TORC_FIELD_MAX_FORWARDS,
    TORC_FIELD_X_REQUEST_ID,
    TORC_FIELD_ACCEPT_RANGES,
    TORC_FIELD_AUTHORIZATION,
    TORC_FIELD_CACHE_CONTROL,
    TORC_FIELD_CONTENT_RANGE,
    TORC_FIELD_IF_NONE_MATCH,
    TORC_FIELD_LAST_EVENT_ID,
    TORC_FIELD_LAST_MODIFIED,
    TORC_FIELD_ACCEPT_CHARSET,
    TORC_FIELD_CONTENT_LENGTH,
    TORC_FIELD_ACCEPT_ENCODING,
    TORC_FIELD_ACCEPT_LANGUAGE,
    TORC_FIELD_REFERRER_POLICY,
    TORC_FIELD_X_FORWARDED_FOR,
    TORC_FIELD_X_FRAME_OPTIONS,
    TORC_FIELD_CONTENT_ENCODING,
    TORC_FIELD_CONTENT_LANGUAGE,
    TORC_FIELD_CONTENT_LOCATION,
    TORC_FIELD_PROXY_CONNECTION,
    TORC_FIELD_WWW_AUTHENTICATE,
    TORC_FIELD_X_FORWARDED_HOST,
    TORC_FIELD_X_REQUESTED_WITH,
    TORC_FIELD_X_XSS_PROTECTION,
    TORC_FIELD_IF_MODIFIED_SINCE,
    TORC_FIELD_SEC_WEBSOCKET_KEY,
    TORC_FIELD_TRANSFER_ENCODING,
    TORC_FIELD_X_FORWARDED_PROTO,
    TORC_FIELD_PROXY_AUTHENTICATE,
    TORC_FIELD_AUTHENTICATION_INFO,
    TORC_FIELD_CONTENT_DISPOSITION,
    TORC_FIELD_IF_UNMODIFIED_SINCE,
    TORC_FIELD_PROXY_AUTHORIZATION,
    TORC_FIELD_SEC_WEBSOCKET_ACCEPT,
    TORC_FIELD_SEC_WEBSOCKET_VERSION,
    TORC_FIELD_ACCESS_CONTROL_MAX_AGE,
    TORC_FIELD_SEC_WEBSOCKET_PROTOCOL,
    TORC_FIELD_X_CONTENT_TYPE_OPTIONS,
    TORC_FIELD_CONTENT_SECURITY_POLICY,
    TORC_FIELD_SEC_WEBSOCKET_EXTENSIONS,
    TORC_FIELD_STRICT_TRANSPORT_SECURITY,
    TORC_FIELD_UPGRADE_INSECURE_REQUESTS,
    TORC_FIELD_ACCESS_CONTROL_ALLOW_ORIGIN,
    TORC_FIELD_ACCESS_CONTROL_ALLOW_HEADERS,
    TORC_FIELD_ACCESS_CONTROL_ALLOW_METHODS,
    TORC_FIELD_ACCESS_CONTROL_EXPOSE_HEADERS,
    TORC_FIELD_ACCESS_CONTROL_REQUEST_METHOD,
    TORC_FIELD_ACCESS_CONTROL_REQUEST_HEADERS,
    TORC_FIELD_ACCESS_CONTROL_ALLOW_CREDENTIALS,
};

/* Where in `ids` the names of a length begin. */
static const uint8_t first[LEN_MAX + 2] = {
    0, 0, 0, 1, 5, 11, 13, 19, 24, 28, 30, 35, 38, 41, 48, 50,
    55, 63, 67, 68, 72, 73, 74, 77, 78, 79, 81, 81, 82, 84, 86, 87,
    87, 88,
};

torc_field_id torc_field_find(torc_str name) {
    if (name.len > LEN_MAX) return TORC_FIELD_OTHER;

    const uint8_t *id = ids + first[name.len], *const end = ids + first[name.len + 1];
    for (; id < end; id++) {
        const char *known = names[*id].bytes;
        /* The last letter tells most of a length apart. */
        if (((known[name.len - 1] ^ name.bytes[name.len - 1]) & 0xdf) != 0) continue;
        if (torc_str_equals_nocase(name, names[*id])) return (torc_field_id)*id;
    }
    return TORC_FIELD_OTHER;
}

torc_str torc_field_name(torc_field_id id) {
    return names[id];
}

bool torc_is_token(torc_str text) {
    for (size_t i = 0; i < text.len; i++)
        if (!torc_byte_is(text.bytes[i], TORC_BYTE_TOKEN)) return false;
    return text.len > 0;
}

bool torc_field_name_is_valid(torc_str name) {
    return torc_is_token(name);
}

/* Bits at the top of those of eight bytes that are controls; HTAB counts as one here. */
static inline uint64_t controls_of(const char *bytes) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word, is_del;

    memcpy(&word, bytes, sizeof(word));
    is_del = word ^ ones * 0x7f;
    return (((word - ones * 0x20) & ~word) | ((is_del - ones) & ~is_del)) & (ones << 7);
}

bool torc_field_value_is_valid(torc_str value) {
    size_t at = 0;

    if (value.len == 0) return true;
    if ((unsigned char)value.bytes[0] <= ' ' || (unsigned char)value.bytes[value.len - 1] <= ' ') return false;
    if (value.len >= 8) {
        uint64_t controls = controls_of(value.bytes + value.len - 8);
        for (; at + 8 < value.len; at += 8) controls |= controls_of(value.bytes + at);
        if (!controls) return true;
    }
    for (at = 0; at < value.len; at++)
        if (!torc_byte_is(value.bytes[at], TORC_BYTE_VALUE)) return false;
    return true;
}

/* RFC 9110 §6.5.1: what decides framing, routing, conditions, access or the content cannot come after it. */
bool torc_field_is_allowed_in_trailers(torc_field_id id) {
    switch (id) {
    case TORC_FIELD_ACCEPT:
    case TORC_FIELD_ACCEPT_CHARSET:
    case TORC_FIELD_ACCEPT_ENCODING:
    case TORC_FIELD_ACCEPT_LANGUAGE:
    case TORC_FIELD_AGE:
    case TORC_FIELD_AUTHORIZATION:
    case TORC_FIELD_CACHE_CONTROL:
    case TORC_FIELD_CONNECTION:
    case TORC_FIELD_CONTENT_ENCODING:
    case TORC_FIELD_CONTENT_LENGTH:
    case TORC_FIELD_CONTENT_RANGE:
    case TORC_FIELD_CONTENT_TYPE:
    case TORC_FIELD_COOKIE:
    case TORC_FIELD_DATE:
    case TORC_FIELD_EXPECT:
    case TORC_FIELD_EXPIRES:
    case TORC_FIELD_FORWARDED:
    case TORC_FIELD_HOST:
    case TORC_FIELD_IF_MATCH:
    case TORC_FIELD_IF_MODIFIED_SINCE:
    case TORC_FIELD_IF_NONE_MATCH:
    case TORC_FIELD_IF_RANGE:
    case TORC_FIELD_IF_UNMODIFIED_SINCE:
    case TORC_FIELD_KEEP_ALIVE:
    case TORC_FIELD_LOCATION:
    case TORC_FIELD_MAX_FORWARDS:
    case TORC_FIELD_PRAGMA:
    case TORC_FIELD_PROXY_AUTHENTICATE:
    case TORC_FIELD_PROXY_AUTHORIZATION:
    case TORC_FIELD_PROXY_CONNECTION:
    case TORC_FIELD_RANGE:
    case TORC_FIELD_RETRY_AFTER:
    case TORC_FIELD_SET_COOKIE:
    case TORC_FIELD_TE:
    case TORC_FIELD_TRAILER:
    case TORC_FIELD_TRANSFER_ENCODING:
    case TORC_FIELD_UPGRADE:
    case TORC_FIELD_VARY:
    case TORC_FIELD_WWW_AUTHENTICATE:
    case TORC_FIELD_X_FORWARDED_FOR:
    case TORC_FIELD_X_FORWARDED_HOST:
    case TORC_FIELD_X_FORWARDED_PROTO:
        return false;
    default:
        return true;
    }
}

static bool has_name(const torc_field *field, torc_field_id id, torc_str name) {
    return field->id == id && (id != TORC_FIELD_OTHER || torc_str_equals_nocase(field->name, name));
}

torc_str torc_fields_value(const torc_fields *fields, torc_str name) {
    const torc_field_id id = torc_field_find(name);

    for (uint32_t i = 0; i < fields->count; i++)
        if (has_name(&fields->items[i], id, name)) return fields->items[i].value;
    return torc_str_make(NULL, 0);
}

torc_str torc_fields_value_id(const torc_fields *fields, torc_field_id id) {
    uint32_t place = 0;
    const torc_field *field = torc_fields_next_id(fields, id, &place);
    return field ? field->value : torc_str_make(NULL, 0);
}

const torc_field *torc_fields_next_id(const torc_fields *fields, torc_field_id id, uint32_t *place) {
    while (*place < fields->count) {
        const torc_field *field = &fields->items[(*place)++];
        if (field->id == id) return field;
    }
    return NULL;
}

static torc_err grow(torc_fields *fields, torc_arena *arena) {
    const uint32_t capacity = fields->capacity ? 2 * fields->capacity : 8;
    torc_field *items = torc_arena_alloc(arena, capacity * sizeof(*items));

    if (!items) return TORC_ERR_NO_MEMORY;
    if (fields->count) memcpy(items, fields->items, fields->count * sizeof(*items));
    fields->items = items;
    fields->capacity = capacity;
    return TORC_OK;
}

torc_err torc_fields_add(torc_fields *fields, torc_arena *arena, torc_str name, torc_str value) {
    if (fields->count >= fields->capacity) {
        const torc_err err = grow(fields, arena);
        if (err) return err;
    }
    fields->items[fields->count++] = (torc_field){name, value, torc_field_find(name)};
    return TORC_OK;
}

torc_err torc_fields_add_copy(torc_fields *fields, torc_arena *arena, torc_str name, torc_str value) {
    torc_str own_name, own_value;
    torc_err err = torc_arena_copy(arena, name, &own_name);

    if (!err) err = torc_arena_copy(arena, value, &own_value);
    return err ? err : torc_fields_add(fields, arena, own_name, own_value);
}

uint32_t torc_fields_remove(torc_fields *fields, torc_str name) {
    const torc_field_id id = torc_field_find(name);
    uint32_t kept = 0, before = fields->count;

    for (uint32_t i = 0; i < before; i++)
        if (!has_name(&fields->items[i], id, name)) fields->items[kept++] = fields->items[i];
    fields->count = kept;
    return before - kept;
}

/* Where the member at the front ends: at a comma that is in no quoted string, or at the end. */
static size_t member_end(torc_str text) {
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        const char c = text.bytes[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            return i;
    }
    return text.len;
}

bool torc_list_member_next(torc_str *rest, torc_str *member) {
    while (rest->len > 0) {
        const size_t end = member_end(*rest);
        *member = torc_str_trim(torc_str_head(*rest, end));
        *rest = torc_str_from(*rest, end + 1);
        if (member->len > 0) return true;
    }
    return false;
}

bool torc_list_has_member(torc_str list, torc_str wanted) {
    torc_str member;

    while (torc_list_member_next(&list, &member))
        if (torc_str_equals_nocase(member, wanted)) return true;
    return false;
}
