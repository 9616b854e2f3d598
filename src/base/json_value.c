/* SPDX-License-Identifier: MIT */
/*
 * Looking at the values of a document, and writing them again.
 *
 *  - A cursor's `next` is a place that may hold a jump; it is only looked at while `left` is not 0.
 */
#include "base/json_node.h"

#include <math.h>

/* Below it doubles hold every integer, so that one that was written 1.0 means itself. It is itself
 * what 2^53 + 1 is rounded to. */
#define WHOLE_END 9007199254740992.0

torc_json_kind torc_json_kind_of(const torc_json_value *value) {
    return value ? (torc_json_kind)value->kind : TORC_JSON_NONE;
}

const char *torc_json_kind_text(torc_json_kind kind) {
    static const char *const texts[] = {
        [TORC_JSON_NONE] = "nothing",    [TORC_JSON_NULL] = "null",
        [TORC_JSON_BOOL] = "a boolean",  [TORC_JSON_INT] = "a number",
        [TORC_JSON_UINT] = "a number",   [TORC_JSON_DOUBLE] = "a number",
        [TORC_JSON_STR] = "a string",    [TORC_JSON_ARRAY] = "an array",
        [TORC_JSON_OBJECT] = "an object"};
    return texts[kind];
}

bool torc_json_is_null(const torc_json_value *value) {
    return torc_json_kind_of(value) == TORC_JSON_NULL;
}

bool torc_json_is_number(const torc_json_value *value) {
    const torc_json_kind kind = torc_json_kind_of(value);
    return kind >= TORC_JSON_INT && kind <= TORC_JSON_DOUBLE;
}

bool torc_json_as_bool(const torc_json_value *value, bool *is_true) {
    if (torc_json_kind_of(value) != TORC_JSON_BOOL) return false;
    *is_true = value->as.is_true;
    return true;
}

static bool is_whole(const torc_json_value *value) {
    return value->kind == TORC_JSON_DOUBLE && fabs(value->as.real) < WHOLE_END &&
           trunc(value->as.real) == value->as.real;
}

bool torc_json_as_int(const torc_json_value *value, int64_t *number) {
    if (!value) return false;
    if (value->kind == TORC_JSON_INT) {
        *number = value->as.signed_;
        return true;
    }
    if (!is_whole(value)) return false;
    *number = (int64_t)value->as.real;
    return true;
}

bool torc_json_as_uint(const torc_json_value *value, uint64_t *number) {
    int64_t whole;

    if (value && value->kind == TORC_JSON_UINT) {
        *number = value->as.unsigned_;
        return true;
    }
    if (!torc_json_as_int(value, &whole) || whole < 0) return false;
    *number = (uint64_t)whole;
    return true;
}

bool torc_json_as_double(const torc_json_value *value, double *number) {
    switch (torc_json_kind_of(value)) {
    case TORC_JSON_INT:
        *number = (double)value->as.signed_;
        return true;
    case TORC_JSON_UINT:
        *number = (double)value->as.unsigned_;
        return true;
    case TORC_JSON_DOUBLE:
        if (isinf(value->as.real)) return false;
        *number = value->as.real;
        return true;
    default:
        return false;
    }
}

bool torc_json_as_str(const torc_json_value *value, torc_str *str) {
    if (torc_json_kind_of(value) != TORC_JSON_STR) return false;
    *str = torc_json_text_of(value);
    return true;
}

torc_str torc_json_number_text(const torc_json_value *value) {
    return torc_json_is_number(value) ? torc_json_text_of(value) : torc_str_make(NULL, 0);
}

size_t torc_json_count(const torc_json_value *value) {
    return value && torc_json_is_container(value) ? value->len : 0;
}

torc_json_cursor torc_json_cursor_of(const torc_json_value *value) {
    if (!value || !torc_json_is_container(value)) return (torc_json_cursor){0};
    return (torc_json_cursor){
        .next = value + 1, .left = value->len, .is_object = value->kind == TORC_JSON_OBJECT};
}

static const torc_json_value *step(torc_json_cursor *cursor) {
    const torc_json_value *value = torc_json_landed(cursor->next);

    cursor->next = torc_json_behind(value);
    return value;
}

bool torc_json_next_member(torc_json_cursor *cursor, torc_str *name,
                           const torc_json_value **value) {
    if (!cursor->is_object || cursor->left == 0) return false;
    cursor->left--;
    *name = torc_json_text_of(step(cursor));
    *value = step(cursor);
    return true;
}

bool torc_json_next_element(torc_json_cursor *cursor, const torc_json_value **value) {
    if (cursor->is_object || cursor->left == 0) return false;
    cursor->left--;
    *value = step(cursor);
    return true;
}

const torc_json_value *torc_json_find_str(const torc_json_value *object, torc_str name) {
    torc_json_cursor cursor = torc_json_cursor_of(object);
    const torc_json_value *value, *found = NULL;
    torc_str there;

    while (torc_json_next_member(&cursor, &there, &value))
        if (torc_str_equals(there, name)) found = value;
    return found;
}

const torc_json_value *torc_json_find(const torc_json_value *object, const char *name) {
    return torc_json_find_str(object, torc_str_of(name));
}

const torc_json_value *torc_json_find_at(const torc_json_value *array, size_t place) {
    torc_json_cursor cursor = torc_json_cursor_of(array);
    const torc_json_value *value;

    if (place >= torc_json_count(array)) return NULL;
    while (torc_json_next_element(&cursor, &value))
        if (place-- == 0) return value;
    return NULL;
}

/* ---- pointers ---- */

/* Whether a token of a pointer, in which ~1 means / and ~0 means ~, is a name. */
static bool names(torc_str token, torc_str name) {
    size_t at = 0;

    for (size_t i = 0; i < token.len; i++, at++) {
        char byte = token.bytes[i];
        if (byte == '~') {
            const char next = i + 1 < token.len ? token.bytes[++i] : '\0';
            if (next != '0' && next != '1') return false;
            byte = next == '0' ? '~' : '/';
        }
        if (at >= name.len || name.bytes[at] != byte) return false;
    }
    return at == name.len;
}

static const torc_json_value *find_named(const torc_json_value *object, torc_str token) {
    torc_json_cursor cursor = torc_json_cursor_of(object);
    const torc_json_value *value, *found = NULL;
    torc_str name;

    while (torc_json_next_member(&cursor, &name, &value))
        if (names(token, name)) found = value;
    return found;
}

static const torc_json_value *find_token(const torc_json_value *value, torc_str token) {
    uint64_t place;

    if (torc_json_kind_of(value) != TORC_JSON_ARRAY) return find_named(value, token);
    if (token.len > 1 && token.bytes[0] == '0') return NULL;
    return torc_str_parse_uint(token, UINT32_MAX, &place) ? NULL : torc_json_find_at(value, place);
}

const torc_json_value *torc_json_find_pointer(const torc_json_value *value, torc_str pointer) {
    torc_str token;

    if (pointer.len == 0) return value;
    if (pointer.bytes[0] != '/') return NULL;
    pointer = torc_str_from(pointer, 1);
    while (value && torc_str_split(&pointer, '/', &token)) value = find_token(value, token);
    return value;
}

/* ---- writing ---- */

static void write_scalar(torc_json *json, const torc_json_value *value) {
    switch (value->kind) {
    case TORC_JSON_STR:
        torc_json_str(json, torc_json_text_of(value));
        break;
    case TORC_JSON_BOOL:
        torc_json_bool(json, value->as.is_true);
        break;
    case TORC_JSON_NULL:
        torc_json_null(json);
        break;
    default:
        torc_json_raw(json, torc_json_text_of(value));
    }
}

static void open_value(torc_json *json, const torc_json_value *value) {
    if (value->kind == TORC_JSON_OBJECT)
        torc_json_open_object(json);
    else
        torc_json_open_array(json);
}

static void close_value(torc_json *json, bool is_object) {
    if (is_object)
        torc_json_close_object(json);
    else
        torc_json_close_array(json);
}

void torc_json_write_value(torc_json *json, const torc_json_value *value) {
    torc_json_cursor open[TORC_JSON_DEPTH_MAX];
    size_t depth = 0;
    torc_str name;

    if (!value) {
        torc_json_null(json);
        return;
    }
    for (;;) {
        if (!torc_json_is_container(value)) {
            write_scalar(json, value);
        } else {
            open_value(json, value);
            if (torc_json_err(json) || depth == TORC_JSON_DEPTH_MAX) return;
            open[depth++] = torc_json_cursor_of(value);
        }
        for (; depth > 0; depth--) {
            torc_json_cursor *const top = &open[depth - 1];
            if (torc_json_next_element(top, &value)) break;
            if (torc_json_next_member(top, &name, &value)) {
                torc_json_key_str(json, name);
                break;
            }
            close_value(json, top->is_object);
        }
        if (depth == 0) return;
    }
}
