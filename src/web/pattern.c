/* SPDX-License-Identifier: MIT */
/*
 * Segments of patterns: `users`, `{id}`, `{id:int}`, `v{major:uint}`, `{name}.json`, `{rest...}`.
 *
 *  - A segment has one parameter at most, so whether a path's segment fits is seen in one pass, and
 *    no input makes that slower.
 *  - A parameter is never empty.
 *  - What stands around a parameter is compared with the decoded segment.
 */
#include "web/pattern.h"

#include <torc/fields.h>

#include "base/ascii.h"

enum {
    FLOAT_BYTES_MAX = 40,
    UUID_BYTES = 36
};

static bool is_word(char c) {
    return torc_is_alnum(c) || c == '_' || c == '-';
}

/* ---- kinds ---- */

static bool takes_all(const torc_shape *shape, torc_str value) {
    (void)shape;
    (void)value;
    return true;
}

static bool takes_uint(const torc_shape *shape, torc_str value) {
    uint64_t number;

    (void)shape;
    return torc_str_parse_uint(value, UINT64_MAX, &number) == TORC_OK;
}

static bool takes_int(const torc_shape *shape, torc_str value) {
    const bool is_negative = value.bytes[0] == '-';
    const uint64_t max = (uint64_t)INT64_MAX + is_negative;
    uint64_t number;

    (void)shape;
    return torc_str_parse_uint(torc_str_from(value, is_negative), max, &number) == TORC_OK;
}

static size_t count_digits(torc_str text, size_t at) {
    size_t count = 0;

    while (at + count < text.len && torc_is_digit(text.bytes[at + count])) count++;
    return count;
}

/* `-12`, `12.5`: no exponent, and no more digits than a reader of numbers is given. */
static bool takes_float(const torc_shape *shape, torc_str value) {
    size_t at = value.bytes[0] == '-', count = count_digits(value, at);

    (void)shape;
    if (count == 0 || value.len > FLOAT_BYTES_MAX) return false;
    at += count;
    if (at == value.len) return true;
    count = count_digits(value, at + 1);
    return value.bytes[at] == '.' && count > 0 && at + 1 + count == value.len;
}

static bool takes_uuid(const torc_shape *shape, torc_str value) {
    (void)shape;
    if (value.len != UUID_BYTES) return false;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? value.bytes[i] != '-' : torc_hex_digit(value.bytes[i]) < 0) return false;
    }
    return true;
}

static bool takes_slug(const torc_shape *shape, torc_str value) {
    (void)shape;
    for (size_t i = 0; i < value.len; i++)
        if (!is_word(value.bytes[i])) return false;
    return true;
}

static bool takes_any(const torc_shape *shape, torc_str value) {
    torc_str rest = shape->choices, choice;

    while (torc_str_split(&rest, '|', &choice))
        if (torc_str_equals(choice, value)) return true;
    return false;
}

/* In the order in which they are tried: those that take less go first. */
static const struct {
    const char *name;
    bool (*takes)(const torc_shape *shape, torc_str value); /* a value that is not empty */
} kinds[] = {
    [TORC_PARAM_ANY] = {"any", takes_any},       [TORC_PARAM_UUID] = {"uuid", takes_uuid},
    [TORC_PARAM_UINT] = {"uint", takes_uint},    [TORC_PARAM_INT] = {"int", takes_int},
    [TORC_PARAM_FLOAT] = {"float", takes_float}, [TORC_PARAM_SLUG] = {"slug", takes_slug},
    [TORC_PARAM_STR] = {"str", takes_all},       [TORC_PARAM_PATH] = {"path", takes_all},
};

const char *torc_param_kind_name(torc_param_kind kind) {
    return kinds[kind].name;
}

static bool find_kind(torc_str name, torc_param_kind *kind) {
    for (size_t i = 0; i < TORC_COUNT_OF(kinds); i++) {
        if (!torc_str_equals(name, torc_str_of(kinds[i].name))) continue;
        *kind = (torc_param_kind)i;
        return true;
    }
    return false;
}

/* ---- reading ---- */

static bool is_name(torc_str name) {
    for (size_t i = 0; i < name.len; i++)
        if (!is_word(name.bytes[i])) return false;
    return name.len > 0;
}

static bool has_choices(torc_str choices) {
    torc_str rest = choices, choice;

    while (torc_str_split(&rest, '|', &choice))
        if (choice.len == 0) return false;
    return choices.len > 0;
}

/* What stands behind the colon: a kind, or `any(…)`. */
static const char *read_kind(torc_str text, torc_shape *shape) {
    static const torc_str any = TORC_STR_INIT("any(");

    if (torc_str_starts_with(text, any) && torc_str_ends_with(text, TORC_STR(")"))) {
        shape->kind = TORC_PARAM_ANY;
        shape->choices = torc_str_make(text.bytes + any.len, text.len - any.len - 1);
        return has_choices(shape->choices) ? NULL : "choices are written {name:any(one|other)}";
    }
    if (torc_str_equals(text, TORC_STR("any"))) return "choices are written {name:any(one|other)}";
    if (find_kind(text, &shape->kind)) return NULL;
    return "a parameter is of a kind of these: str, int, uint, float, uuid, slug, any(…), path";
}

/* What stands between the braces. */
static const char *read_param(torc_str text, torc_part *segment) {
    const ptrdiff_t colon = torc_str_find_byte(text, ':');
    const char *wrong = NULL;

    segment->text = colon < 0 ? text : torc_str_head(text, (size_t)colon);
    if (colon >= 0) {
        wrong = read_kind(torc_str_from(text, (size_t)colon + 1), &segment->shape);
    } else if (torc_str_ends_with(text, TORC_STR("..."))) {
        segment->text.len -= 3;
        segment->shape.kind = TORC_PARAM_PATH;
    }
    if (wrong) return wrong;
    return is_name(segment->text) ? NULL
                                  : "a parameter's name is made of letters, digits, `-` and `_`";
}

const char *torc_part_read(torc_str text, torc_part *segment) {
    const ptrdiff_t open = torc_str_find_byte(text, '{'), close = torc_str_find_byte(text, '}');

    *segment = (torc_part){.text = text, .shape.kind = TORC_PARAM_STR};
    if (text.len > TORC_PART_BYTES_MAX) return "a segment is too long";
    if (torc_str_equals(text, TORC_STR("*"))) {
        *segment = (torc_part){.kind = TORC_PART_REST, .shape.kind = TORC_PARAM_PATH};
        return NULL;
    }
    if (open < 0 && close < 0) return NULL;
    if (open < 0 || close < open) return "a parameter stands in braces: {name}";

    const torc_str after = torc_str_from(text, (size_t)close + 1);
    segment->kind = TORC_PART_PARAM;
    segment->shape.before = torc_str_head(text, (size_t)open);
    segment->shape.after = after;
    if (torc_str_find_byte(after, '{') >= 0 || torc_str_find_byte(after, '}') >= 0)
        return "a segment has one parameter at most";
    const char *wrong =
        read_param(torc_str_make(text.bytes + open + 1, (size_t)(close - open) - 1), segment);
    if (wrong || segment->shape.kind != TORC_PARAM_PATH) return wrong;
    segment->kind = TORC_PART_REST;
    return after.len + segment->shape.before.len ? "what takes the rest of the path stands alone"
                                                 : NULL;
}

/* ---- shapes ---- */

void torc_shape_write(const torc_shape *shape, torc_str name, torc_buf *text) {
    if (shape->kind == TORC_PARAM_PATH && name.len == 0) {
        torc_buf_add(text, TORC_STR("*"));
        return;
    }
    torc_buf_add(text, shape->before);
    torc_buf_add(text, TORC_STR("{"));
    torc_buf_add(text, name);
    if (shape->kind == TORC_PARAM_PATH)
        torc_buf_add(text, TORC_STR("..."));
    else if (shape->kind == TORC_PARAM_ANY)
        torc_buf_addf(text, ":any(%.*s)", TORC_STR_ARGS(shape->choices));
    else if (shape->kind != TORC_PARAM_STR)
        torc_buf_addf(text, ":%s", kinds[shape->kind].name);
    torc_buf_add(text, TORC_STR("}"));
    torc_buf_add(text, shape->after);
}

bool torc_shape_is_plain(const torc_shape *shape) {
    return shape->kind == TORC_PARAM_STR && shape->before.len + shape->after.len == 0;
}

bool torc_shape_equals(const torc_shape *a, const torc_shape *b) {
    return a->kind == b->kind && torc_str_equals(a->before, b->before) &&
           torc_str_equals(a->after, b->after) && torc_str_equals(a->choices, b->choices);
}

bool torc_shape_goes_before(const torc_shape *a, const torc_shape *b) {
    const size_t a_len = a->before.len + a->after.len, b_len = b->before.len + b->after.len;

    return a_len != b_len ? a_len > b_len : a->kind < b->kind;
}

bool torc_shape_takes(const torc_shape *shape, torc_str value) {
    return value.len > 0 && kinds[shape->kind].takes(shape, value);
}

bool torc_shape_fits(const torc_shape *shape, torc_str segment, torc_str *value) {
    const size_t around = shape->before.len + shape->after.len;

    if (segment.len <= around || !torc_str_starts_with(segment, shape->before) ||
        !torc_str_ends_with(segment, shape->after))
        return false;
    *value = torc_str_make(segment.bytes + shape->before.len, segment.len - around);
    return torc_shape_takes(shape, *value);
}
