/* SPDX-License-Identifier: MIT */
/*
 * Fields: names and their ids, lists of them, and the lists in their values.
 *
 *  - Each known name has a slot of its own in a hash table, so a look-up compares one name at most.
 *  - What torc_fields_add() and its kin let in can be written as it is; so only values from a
 *    parsed head, which has been checked as well, are put in beside them.
 */
#include <torc/fields.h>

#include "message/bytes.h"
#include "message/field_hash.h"

static const torc_str names[TORC_FIELDS] = {[TORC_FIELD_OTHER] = TORC_STR_INIT(""),
#define NAME(id, name) [TORC_FIELD_##id] = TORC_STR_INIT(name),
                                            TORC_FIELD_TABLE(NAME)
#undef NAME
};

/* Whether eight bytes are those of a known name, whatever the case of its letters: only their bit
 * 0x20 may differ. In known names exactly the letters have the bit 0x40. */
static inline bool same8(const char *bytes, const char *known) {
    uint64_t a, b;

    memcpy(&a, bytes, 8);
    memcpy(&b, known, 8);
    return ((a ^ b) & ~((b & UINT64_C(0x4040404040404040)) >> 1)) == 0;
}

static inline bool same4(const char *bytes, const char *known) {
    uint32_t a, b;

    memcpy(&a, bytes, 4);
    memcpy(&b, known, 4);
    return ((a ^ b) & ~((b & UINT32_C(0x40404040)) >> 1)) == 0;
}

/* Both have the length `len`; the last word overlaps the one before it. */
static inline bool same_name(const char *bytes, const char *known, size_t len) {
    if (len >= 8) {
        for (size_t at = 0; at + 8 < len; at += 8)
            if (!same8(bytes + at, known + at)) return false;
        return same8(bytes + len - 8, known + len - 8);
    }
    if (len >= 4) return same4(bytes, known) && same4(bytes + len - 4, known + len - 4);
    return torc_str_equals_nocase(torc_str_make(bytes, len), torc_str_make(known, len));
}

static inline uint32_t hash_of(torc_str name) {
    const uint8_t *bytes = (const uint8_t *)name.bytes;
    const uint32_t key = bytes[0] | (uint32_t)bytes[name.len / 2] << 8 |
                         (uint32_t)bytes[name.len * 3 / 4] << 16 |
                         (uint32_t)bytes[name.len - 1] << 24;
    const uint32_t mixed = (key | UINT32_C(0x20202020)) ^ (uint32_t)name.len << 13;
    return mixed * FIELD_HASH_FACTOR >> (32 - FIELD_HASH_BITS);
}

torc_field_id torc_field_find(torc_str name) {
    if (name.len - 1 >= FIELD_NAME_LEN_MAX) return TORC_FIELD_OTHER; /* 0 wraps */

    const uint8_t id = field_hash[hash_of(name)];
    if (names[id].len != name.len || !same_name(name.bytes, names[id].bytes, name.len))
        return TORC_FIELD_OTHER;
    return (torc_field_id)id;
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

/* Controls; HTAB is looked at again. */
static inline torc_bytes16 controls(torc_bytes16 v) {
    return (torc_bytes16)((v < 0x20) | (v == 0x7f));
}

bool torc_field_value_is_valid(torc_str value) {
    if (value.len == 0) return true;
    if ((unsigned char)value.bytes[0] <= ' ' || (unsigned char)value.bytes[value.len - 1] <= ' ')
        return false;
    if (value.len >= 8 && !torc_bytes_have(value.bytes, value.len, controls)) return true;
    for (size_t at = 0; at < value.len; at++)
        if (!torc_byte_is(value.bytes[at], TORC_BYTE_VALUE)) return false;
    return true;
}

/* RFC 9110 §6.5.1: what decides framing, routing, conditions, access or the content cannot come
 * after it. */
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
    case TORC_FIELD_X_FORWARDED_PORT:
    case TORC_FIELD_X_FORWARDED_PROTO:
    case TORC_FIELD_X_REAL_IP:
        return false;
    default:
        return true;
    }
}

static bool has_name(const torc_field *field, torc_field_id id, torc_str name) {
    return field->id == id && (id != TORC_FIELD_OTHER || torc_str_equals_nocase(field->name, name));
}

const torc_field *torc_fields_next(const torc_fields *fields, torc_str name, uint32_t *place) {
    const torc_field_id id = torc_field_find(name);

    while (*place < fields->count) {
        const torc_field *field = &fields->items[(*place)++];
        if (has_name(field, id, name)) return field;
    }
    return NULL;
}

torc_str torc_fields_value(const torc_fields *fields, torc_str name) {
    uint32_t place = 0;
    const torc_field *field = torc_fields_next(fields, name, &place);
    return field ? field->value : torc_str_make(NULL, 0);
}

torc_str torc_fields_value_id(const torc_fields *fields, torc_field_id id) {
    uint32_t place = 0;
    const torc_field *field = torc_fields_next_id(fields, id, &place);
    return field ? field->value : torc_str_make(NULL, 0);
}

bool torc_fields_has(const torc_fields *fields, torc_str name) {
    uint32_t place = 0;
    return torc_fields_next(fields, name, &place) != NULL;
}

const torc_field *torc_fields_next_id(const torc_fields *fields, torc_field_id id,
                                      uint32_t *place) {
    while (*place < fields->count) {
        const torc_field *field = &fields->items[(*place)++];
        if (field->id == id) return field;
    }
    return NULL;
}

/* The capacity of fields that were parsed is 0: they are in memory that is just large enough. */
static torc_err grow(torc_fields *fields, torc_arena *arena) {
    const size_t capacity = fields->count < 4 ? 8 : 2 * (size_t)fields->count;
    torc_field *items =
        capacity <= UINT32_MAX ? torc_arena_alloc(arena, capacity * sizeof(*items)) : NULL;

    if (!items) return TORC_ERR_NO_MEMORY;
    if (fields->count) memcpy(items, fields->items, fields->count * sizeof(*items));
    fields->items = items;
    fields->capacity = (uint32_t)capacity;
    return TORC_OK;
}

static torc_err push(torc_fields *fields, torc_arena *arena, torc_field field) {
    if (fields->count >= fields->capacity) {
        const torc_err err = grow(fields, arena);
        if (err) return err;
    }
    fields->items[fields->count++] = field;
    return TORC_OK;
}

torc_err torc_fields_add(torc_fields *fields, torc_arena *arena, torc_str name, torc_str value) {
    if (!torc_field_name_is_valid(name) || !torc_field_value_is_valid(value))
        return TORC_ERR_INVALID;
    return push(fields, arena, (torc_field){name, value, torc_field_find(name)});
}

torc_err torc_fields_add_copy(torc_fields *fields, torc_arena *arena, torc_str name,
                              torc_str value) {
    torc_str own_name, own_value;

    if (!torc_field_name_is_valid(name) || !torc_field_value_is_valid(value))
        return TORC_ERR_INVALID;
    torc_err err = torc_arena_copy(arena, name, &own_name);
    if (!err) err = torc_arena_copy(arena, value, &own_value);
    return err ? err
               : push(fields, arena, (torc_field){own_name, own_value, torc_field_find(name)});
}

torc_err torc_fields_add_id(torc_fields *fields, torc_arena *arena, torc_field_id id,
                            torc_str value) {
    if (!torc_field_value_is_valid(value)) return TORC_ERR_INVALID;
    return push(fields, arena, (torc_field){names[id], value, id});
}

/* Remove the fields of a name from place `from` on. */
static uint32_t remove_from(torc_fields *fields, uint32_t from, torc_field_id id, torc_str name) {
    const uint32_t before = fields->count;
    uint32_t kept = from;

    for (uint32_t i = from; i < before; i++)
        if (!has_name(&fields->items[i], id, name)) fields->items[kept++] = fields->items[i];
    fields->count = kept;
    return before - kept;
}

torc_err torc_fields_set(torc_fields *fields, torc_arena *arena, torc_str name, torc_str value) {
    const torc_field_id id = torc_field_find(name);

    if (!torc_field_name_is_valid(name) || !torc_field_value_is_valid(value))
        return TORC_ERR_INVALID;
    for (uint32_t i = 0; i < fields->count; i++) {
        if (!has_name(&fields->items[i], id, name)) continue;
        fields->items[i] = (torc_field){name, value, id};
        remove_from(fields, i + 1, id, name);
        return TORC_OK;
    }
    return push(fields, arena, (torc_field){name, value, id});
}

uint32_t torc_fields_remove(torc_fields *fields, torc_str name) {
    return remove_from(fields, 0, torc_field_find(name), name);
}

torc_err torc_fields_copy(const torc_fields *fields, torc_arena *arena, torc_fields *copy) {
    torc_field *items = torc_arena_alloc(arena, (fields->count + 1) * sizeof(*items));
    torc_err err = items ? TORC_OK : TORC_ERR_NO_MEMORY;

    for (uint32_t i = 0; !err && i < fields->count; i++) {
        items[i].id = fields->items[i].id;
        err = torc_arena_copy(arena, fields->items[i].name, &items[i].name);
        if (!err) err = torc_arena_copy(arena, fields->items[i].value, &items[i].value);
    }
    if (!err) *copy = (torc_fields){items, fields->count, fields->count + 1};
    return err;
}

/* The field with the name of `items[at]` that has as many of them before it. */
static const torc_field *find_twin(const torc_fields *a, uint32_t at, const torc_fields *b) {
    const torc_field *wanted = &a->items[at];
    uint32_t place = 0;

    for (uint32_t i = 0; i < at; i++)
        if (has_name(&a->items[i], wanted->id, wanted->name) &&
            !torc_fields_next(b, wanted->name, &place))
            return NULL;
    return torc_fields_next(b, wanted->name, &place);
}

bool torc_fields_equal(const torc_fields *a, const torc_fields *b) {
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const torc_field *twin = find_twin(a, i, b);
        if (!twin || !torc_str_equals(twin->value, a->items[i].value)) return false;
    }
    return true;
}

torc_str torc_field_name_usual(torc_str name, char *to) {
    const torc_field_id id = torc_field_find(name);
    bool begins = true;

    if (id != TORC_FIELD_OTHER) return names[id];
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.bytes[i], letter = (char)(c | 0x20);
        const bool is_letter = letter >= 'a' && letter <= 'z';
        to[i] = !is_letter ? c : begins ? (char)(c & ~0x20) : letter;
        begins = c == '-';
    }
    return torc_str_make(to, name.len);
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

    if (list.len < wanted.len || list.len == 0) return false;
    if (!memchr(list.bytes, ',', list.len))
        return torc_str_equals_nocase(torc_str_trim(list), wanted);
    while (torc_list_member_next(&list, &member))
        if (torc_str_equals_nocase(member, wanted)) return true;
    return false;
}

bool torc_fields_have_member(const torc_fields *fields, torc_field_id id, torc_str member) {
    const torc_field *field;
    uint32_t place = 0;

    while ((field = torc_fields_next_id(fields, id, &place)) != NULL)
        if (torc_list_has_member(field->value, member)) return true;
    return false;
}
