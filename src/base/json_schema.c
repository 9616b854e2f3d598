/* SPDX-License-Identifier: MIT */
/*
 * The table of a struct as a JSON Schema (draft 2020-12).
 *
 *  - A field that may be null has "null" among its types, its names or its alternatives.
 *  - The writer's own limit of levels ends a struct that contains itself.
 */
#include "base/json_field.h"

static void write_schema_of(torc_json *json, const torc_json_field *field, const char *refs);

static void write_type(torc_json *json, const torc_json_field *field, const char *type) {
    torc_json_key(json, "type");
    if (field->nullable) {
        torc_json_open_array(json);
        torc_json_text(json, type);
        torc_json_text(json, "null");
        torc_json_close_array(json);
    } else {
        torc_json_text(json, type);
    }
}

static void write_integer(torc_json *json, const torc_json_field *field) {
    const torc_json_range range = torc_json_field_range(field);
    const bool is_signed = field->kind == TORC_JSON_FIELD_IS_INT;

    write_type(json, field, "integer");
    if (range.min != INT64_MIN) torc_json_member_int(json, "minimum", range.min);
    if (is_signed && range.max != INT64_MAX)
        torc_json_member_int(json, "maximum", (int64_t)range.max);
    if (!is_signed && range.max != UINT64_MAX) torc_json_member_uint(json, "maximum", range.max);
}

static void write_number(torc_json *json, const torc_json_field *field) {
    write_type(json, field, "number");
    if (torc_json_has_low(field)) torc_json_member_double(json, "minimum", field->low);
    if (torc_json_has_high(field)) torc_json_member_double(json, "maximum", field->high);
}

static void write_bounds(torc_json *json, const torc_json_field *field, const char *min,
                         const char *max) {
    torc_json_bounds bounds = torc_json_field_bounds(field);

    /* Bytes are at least as many as characters. */
    if (field->kind == TORC_JSON_FIELD_IS_TEXT && bounds.max > field->size - 1)
        bounds.max = field->size - 1;
    if (bounds.min != 0) torc_json_member_uint(json, min, bounds.min);
    if (bounds.max != UINT64_MAX) torc_json_member_uint(json, max, bounds.max);
}

static void write_names(torc_json *json, const torc_json_field *field) {
    torc_json_member_array(json, "enum");
    for (uint32_t i = 0; i < field->name_count; i++) torc_json_text(json, field->names[i]);
    if (field->nullable) torc_json_null(json);
    torc_json_close_array(json);
}

static void write_array(torc_json *json, const torc_json_field *field, const char *refs) {
    write_type(json, field, "array");
    torc_json_key(json, "items");
    torc_json_open_object(json);
    write_schema_of(json, field->item, refs);
    torc_json_close_object(json);
    write_bounds(json, field, "minItems", "maxItems");
}

static void write_members(torc_json *json, const torc_json_struct *mapping, const char *refs);

static void write_ref(torc_json *json, const torc_json_struct *mapping, const char *refs) {
    char bytes[256];
    torc_buf ref;

    torc_buf_init_fixed(&ref, bytes, sizeof bytes);
    torc_buf_add(&ref, torc_str_of(refs));
    torc_buf_add(&ref, torc_str_of(mapping->name));
    if (torc_buf_err(&ref)) torc_json_fail(json, torc_buf_err(&ref));
    torc_json_member_str(json, "$ref", torc_buf_str(&ref));
}

static void write_struct(torc_json *json, const torc_json_struct *mapping, const char *refs) {
    if (refs) {
        write_ref(json, mapping, refs);
    } else {
        write_members(json, mapping, refs);
    }
}

static void write_field_struct(torc_json *json, const torc_json_field *field, const char *refs) {
    if (!field->nullable) {
        write_struct(json, field->of, refs);
        return;
    }
    torc_json_member_array(json, "anyOf");
    torc_json_open_object(json);
    write_struct(json, field->of, refs);
    torc_json_close_object(json);
    torc_json_open_object(json);
    torc_json_member_text(json, "type", "null");
    torc_json_close_object(json);
    torc_json_close_array(json);
}

/* Into an open object. */
static void write_schema_of(torc_json *json, const torc_json_field *field, const char *refs) {
    if (torc_json_err(json)) return;
    switch (field->kind) {
    case TORC_JSON_FIELD_IS_BOOL:
        write_type(json, field, "boolean");
        break;
    case TORC_JSON_FIELD_IS_INT:
    case TORC_JSON_FIELD_IS_UINT:
        write_integer(json, field);
        break;
    case TORC_JSON_FIELD_IS_DOUBLE:
        write_number(json, field);
        break;
    case TORC_JSON_FIELD_IS_STR:
    case TORC_JSON_FIELD_IS_TEXT:
        write_type(json, field, "string");
        write_bounds(json, field, "minLength", "maxLength");
        break;
    case TORC_JSON_FIELD_IS_ENUM:
        write_names(json, field);
        break;
    case TORC_JSON_FIELD_IS_STRUCT:
        write_field_struct(json, field, refs);
        break;
    case TORC_JSON_FIELD_IS_ARRAY:
        write_array(json, field, refs);
        break;
    case TORC_JSON_FIELD_IS_VALUE:
        break;
    }
}

/* A default that is not what all zeros mean: of fields whose value stands in the struct itself. */
static void write_default(torc_json *json, const torc_json_field *field, const void *defaults) {
    const torc_json_field alone = {.kind = field->kind,
                                   .member = "default",
                                   .offset = field->offset,
                                   .size = field->size,
                                   .names = field->names,
                                   .name_count = field->name_count,
                                   .optional = true};

    if (!defaults || !field->optional || field->has) return;
    if (field->kind >= TORC_JSON_FIELD_IS_STRUCT) return;
    torc_json_write_member(json, &alone, defaults);
}

static void write_properties(torc_json *json, const torc_json_struct *mapping, const char *refs) {
    torc_json_member_object(json, "properties");
    for (size_t i = 0; i < mapping->field_count; i++) {
        const torc_json_field *field = &mapping->fields[i];
        torc_json_member_object(json, torc_json_field_name(field));
        write_schema_of(json, field, refs);
        if (field->description) torc_json_member_text(json, "description", field->description);
        write_default(json, field, mapping->defaults);
        torc_json_close_object(json);
    }
    torc_json_close_object(json);
}

static void write_required(torc_json *json, const torc_json_struct *mapping) {
    torc_json_member_array(json, "required");
    for (size_t i = 0; i < mapping->field_count; i++)
        if (!mapping->fields[i].optional)
            torc_json_text(json, torc_json_field_name(&mapping->fields[i]));
    torc_json_close_array(json);
}

static void write_members(torc_json *json, const torc_json_struct *mapping, const char *refs) {
    torc_json_member_text(json, "type", "object");
    write_properties(json, mapping, refs);
    write_required(json, mapping);
    if (!mapping->ignores_unknown) torc_json_member_bool(json, "additionalProperties", false);
}

void torc_json_write_schema(torc_json *json, const torc_json_struct *mapping, const char *refs) {
    torc_json_open_object(json);
    write_members(json, mapping, refs);
    torc_json_close_object(json);
}
