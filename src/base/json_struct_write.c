/* SPDX-License-Identifier: MIT */
/*
 * Structs to objects of JSON, by the table that reads them.
 *
 *  - The writer's own limit of levels ends a struct that leads to itself.
 */
#include "base/json_field.h"

static void write_field(torc_json *json, const torc_json_field *field, const void *at);

/* Whether there is nothing to write. */
static bool is_absent(const torc_json_field *field, const void *within) {
    const void *const at = torc_json_field_at(field, within);
    const void *pointer;
    torc_str text;
    bool has;

    if (field->has) {
        memcpy(&has, (const char *)within + field->has - 1, sizeof has);
        if (!has) return true;
    }
    if (field->kind == TORC_JSON_FIELD_IS_STR) {
        memcpy(&text, at, sizeof text);
        return !text.bytes && (field->optional || field->nullable);
    }
    if (field->kind != TORC_JSON_FIELD_IS_VALUE) return false;
    memcpy(&pointer, at, sizeof pointer);
    return !pointer;
}

static void write_element(torc_json *json, const torc_json_field *item, const void *at) {
    if (is_absent(item, at))
        torc_json_null(json);
    else
        write_field(json, item, at);
}

static void write_array(torc_json *json, const torc_json_field *field, const void *within) {
    const char *items = torc_json_field_at(field, within);
    size_t count;

    memcpy(&count, (const char *)within + field->count_offset, sizeof count);
    if (field->fixed_count == 0) items = *(const char *const *)(const void *)items;
    assert(field->fixed_count == 0 || count <= field->fixed_count);
    torc_json_open_array(json);
    for (size_t i = 0; i < count && !torc_json_err(json); i++)
        write_element(json, field->item, items + i * field->item->size);
    torc_json_close_array(json);
}

static void write_double(torc_json *json, const torc_json_field *field, const void *at) {
    float narrow;
    double number;

    if (field->size == sizeof narrow) {
        memcpy(&narrow, at, sizeof narrow);
        number = (double)narrow;
    } else {
        memcpy(&number, at, sizeof number);
    }
    torc_json_double(json, number);
}

static void write_enum(torc_json *json, const torc_json_field *field, const void *at) {
    const uint64_t place = torc_json_field_unsigned(field, at);

    if (place >= field->name_count) {
        torc_json_fail(json, TORC_ERR_INVALID);
        return;
    }
    torc_json_text(json, field->names[place]);
}

static void write_str(torc_json *json, const void *at) {
    torc_str text;
    memcpy(&text, at, sizeof text);
    torc_json_str(json, text);
}

static void write_value(torc_json *json, const void *at) {
    const torc_json_value *value;
    memcpy(&value, at, sizeof value);
    torc_json_write_value(json, value);
}

static void write_field(torc_json *json, const torc_json_field *field, const void *at) {
    switch (field->kind) {
    case TORC_JSON_FIELD_IS_BOOL:
        torc_json_bool(json, *(const bool *)at);
        break;
    case TORC_JSON_FIELD_IS_INT:
        torc_json_int(json, torc_json_field_signed(field, at));
        break;
    case TORC_JSON_FIELD_IS_UINT:
        torc_json_uint(json, torc_json_field_unsigned(field, at));
        break;
    case TORC_JSON_FIELD_IS_DOUBLE:
        write_double(json, field, at);
        break;
    case TORC_JSON_FIELD_IS_STR:
        write_str(json, at);
        break;
    case TORC_JSON_FIELD_IS_TEXT:
        torc_json_str(json, torc_str_make(at, strnlen(at, field->size)));
        break;
    case TORC_JSON_FIELD_IS_ENUM:
        write_enum(json, field, at);
        break;
    case TORC_JSON_FIELD_IS_STRUCT:
        torc_json_write_struct(json, field->of, at);
        break;
    case TORC_JSON_FIELD_IS_VALUE:
        write_value(json, at);
        break;
    case TORC_JSON_FIELD_IS_ARRAY: /* told by its struct */
        torc_json_fail(json, TORC_ERR_INVALID);
    }
}

void torc_json_write_member(torc_json *json, const torc_json_field *field, const void *from) {
    const bool absent = is_absent(field, from);

    if (absent && field->optional) return;
    torc_json_key(json, torc_json_field_name(field));
    if (absent) {
        torc_json_null(json);
    } else if (field->kind == TORC_JSON_FIELD_IS_ARRAY) {
        write_array(json, field, from);
    } else {
        write_field(json, field, torc_json_field_at(field, from));
    }
}

void torc_json_write_struct(torc_json *json, const torc_json_struct *mapping, const void *from) {
    torc_json_open_object(json);
    for (size_t i = 0; i < mapping->field_count && !torc_json_err(json); i++)
        torc_json_write_member(json, &mapping->fields[i], from);
    torc_json_close_object(json);
}
