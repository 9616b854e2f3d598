/* SPDX-License-Identifier: MIT */
/*
 * A field of a mapping, looked at: its bounds, its width, and in words what it must be.
 */
#include "base/json_field.h"

static bool is_bounded(const torc_json_field *field) {
    return field->min != 0 || field->max != 0;
}

static unsigned bits_of(const torc_json_field *field) {
    assert(field->size == 1 || field->size == 2 || field->size == 4 || field->size == 8);
    return field->size * 8;
}

torc_json_range torc_json_field_range(const torc_json_field *field) {
    const unsigned bits = bits_of(field);
    const bool is_signed = field->kind == TORC_JSON_FIELD_IS_INT;
    torc_json_range range = {.min = is_signed ? INT64_MIN >> (64 - bits) : 0,
                             .max = UINT64_MAX >> (64 - bits + is_signed)};

    if (!is_bounded(field)) return range;
    if (field->min > range.min) range.min = field->min;
    if (field->max >= field->min && (field->max < 0 || (uint64_t)field->max < range.max))
        range.max = (uint64_t)field->max;
    return range;
}

torc_json_bounds torc_json_field_bounds(const torc_json_field *field) {
    torc_json_bounds bounds = {.min = (uint64_t)field->min, .max = UINT64_MAX};

    if (is_bounded(field) && field->max >= field->min) bounds.max = (uint64_t)field->max;
    if (field->kind != TORC_JSON_FIELD_IS_ARRAY) return bounds;
    if (field->fixed_count > 0 && bounds.max > field->fixed_count) bounds.max = field->fixed_count;
    if (bounds.max == UINT64_MAX) bounds.max = TORC_JSON_ELEMENTS_DEFAULT;
    return bounds;
}

int64_t torc_json_field_signed(const torc_json_field *field, const void *at) {
    const unsigned unused = 64 - bits_of(field);
    return (int64_t)(torc_json_field_unsigned(field, at) << unused) >> unused;
}

uint64_t torc_json_field_unsigned(const torc_json_field *field, const void *at) {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;

    switch (bits_of(field)) {
    case 8:
        memcpy(&u8, at, sizeof u8);
        return u8;
    case 16:
        memcpy(&u16, at, sizeof u16);
        return u16;
    case 32:
        memcpy(&u32, at, sizeof u32);
        return u32;
    default:
        memcpy(&u64, at, sizeof u64);
        return u64;
    }
}

/* " of 1 to 40 characters" */
static void describe_bounds(torc_json_bounds bounds, const char *unit, torc_buf *text) {
    if (bounds.min == 0 && bounds.max == UINT64_MAX) return;
    torc_buf_add(text, TORC_STR(" of "));
    if (bounds.max == UINT64_MAX) {
        torc_buf_add(text, TORC_STR("at least "));
    } else if (bounds.min == 0) {
        torc_buf_add(text, TORC_STR("at most "));
    }
    if (bounds.min != 0 || bounds.max == UINT64_MAX) torc_buf_add_uint(text, bounds.min);
    if (bounds.max != UINT64_MAX) {
        if (bounds.min != 0) torc_buf_add(text, TORC_STR(" to "));
        torc_buf_add_uint(text, bounds.max);
    }
    torc_buf_add_byte(text, ' ');
    torc_buf_add(text, torc_str_of(unit));
}

static void describe_integer(const torc_json_field *field, torc_buf *text) {
    const torc_json_range range = torc_json_field_range(field);

    torc_buf_add(text, TORC_STR("an integer from "));
    torc_buf_add_int(text, range.min);
    torc_buf_add(text, TORC_STR(" to "));
    if (field->kind == TORC_JSON_FIELD_IS_INT) {
        torc_buf_add_int(text, (int64_t)range.max);
    } else {
        torc_buf_add_uint(text, range.max);
    }
}

static void add_double(torc_buf *text, double value) {
    torc_json json;

    torc_json_init_buf(&json, text, TORC_JSON_PLAIN);
    torc_json_double(&json, value);
    if (torc_json_end(&json)) torc_buf_fail(text, torc_json_err(&json));
}

static void describe_double(const torc_json_field *field, torc_buf *text) {
    torc_buf_add(text, TORC_STR("a number"));
    if (!torc_json_has_low(field)) return;
    torc_buf_add(text, torc_json_has_high(field) ? TORC_STR(" from ") : TORC_STR(" of at least "));
    add_double(text, field->low);
    if (!torc_json_has_high(field)) return;
    torc_buf_add(text, TORC_STR(" to "));
    add_double(text, field->high);
}

static void describe_names(const torc_json_field *field, torc_buf *text) {
    torc_buf_add(text, TORC_STR("one of"));
    for (uint32_t i = 0; i < field->name_count; i++)
        torc_buf_addf(text, "%s \"%s\"", i ? "," : "", field->names[i]);
}

static void describe_kind(const torc_json_field *field, torc_buf *text) {
    switch (field->kind) {
    case TORC_JSON_FIELD_IS_BOOL:
        torc_buf_add(text, TORC_STR("true or false"));
        break;
    case TORC_JSON_FIELD_IS_INT:
    case TORC_JSON_FIELD_IS_UINT:
        describe_integer(field, text);
        break;
    case TORC_JSON_FIELD_IS_DOUBLE:
        describe_double(field, text);
        break;
    case TORC_JSON_FIELD_IS_STR:
        torc_buf_add(text, TORC_STR("a string"));
        describe_bounds(torc_json_field_bounds(field), "characters", text);
        break;
    case TORC_JSON_FIELD_IS_TEXT:
        torc_buf_add(text, TORC_STR("a string"));
        describe_bounds(torc_json_field_bounds(field), "characters", text);
        torc_buf_addf(text, ", of at most %u bytes and without NUL", field->size - 1);
        break;
    case TORC_JSON_FIELD_IS_ENUM:
        describe_names(field, text);
        break;
    case TORC_JSON_FIELD_IS_STRUCT:
        torc_buf_add(text, TORC_STR("an object"));
        break;
    case TORC_JSON_FIELD_IS_ARRAY:
        torc_buf_add(text, TORC_STR("an array"));
        describe_bounds(torc_json_field_bounds(field), "elements", text);
        break;
    case TORC_JSON_FIELD_IS_VALUE:
        torc_buf_add(text, TORC_STR("a value"));
    }
}

void torc_json_field_describe(const torc_json_field *field, torc_buf *text) {
    describe_kind(field, text);
    if (field->nullable) torc_buf_add(text, TORC_STR(", or null"));
}
