/* SPDX-License-Identifier: MIT */
/*
 * Objects of JSON to structs, by a table of fields.
 *
 *  - A struct holds its defaults before the first member is looked at.
 *  - `seen` has a bit for each field whose member was there; `next` is the field that the next
 *    member most likely is for: senders keep to an order.
 *  - A step is where a value stands: the steps up to the document are on the C stack, of which
 *    there are at most TORC_JSON_DEPTH_MAX.
 *  - Mistakes are gathered as long as there is room for them; `err` is set once there is one.
 */
#include "base/json_field.h"

#include <math.h>
#include <torc/utf8.h>

typedef struct step {
    const struct step *above; /* NULL: the document itself */
    torc_str name;            /* of a member */
    size_t place;             /* of an element, if `name.bytes` is NULL */
    unsigned depth;
} step;

typedef struct mapper {
    torc_arena *arena;
    torc_json_mistakes *mistakes;
    torc_err err;
} mapper;

enum {
    TEXT_MAX = 300
};

/* ---- mistakes ---- */

static void add_pointer(torc_buf *text, const step *at) {
    if (!at->above) return;
    add_pointer(text, at->above);
    torc_buf_add_byte(text, '/');
    if (!at->name.bytes) torc_buf_add_uint(text, at->place);
    for (size_t i = 0; i < at->name.len; i++) {
        const char byte = at->name.bytes[i];
        if (byte == '~' || byte == '/') {
            torc_buf_add(text, byte == '~' ? TORC_STR("~0") : TORC_STR("~1"));
        } else {
            torc_buf_add_byte(text, byte);
        }
    }
}

/* Keep a text; one that did not fit is cut, between characters. */
static torc_str kept(mapper *self, const torc_buf *text) {
    const torc_str whole = torc_buf_str(text);
    torc_str copy = {0};

    if (torc_arena_copy(self->arena, torc_str_head(whole, torc_utf8_valid_len(whole)), &copy))
        self->err = TORC_ERR_NO_MEMORY;
    return copy;
}

static void tell(mapper *self, const step *at, const torc_buf *text) {
    char bytes[TEXT_MAX];
    torc_buf pointer;

    if (self->err != TORC_ERR_NO_MEMORY) self->err = TORC_ERR_INVALID;
    if (!self->mistakes || self->mistakes->count == TORC_JSON_MISTAKES_MAX) return;
    torc_buf_init_fixed(&pointer, bytes, sizeof bytes);
    add_pointer(&pointer, at);
    self->mistakes->items[self->mistakes->count++] =
        (torc_json_mistake){.pointer = kept(self, &pointer), .text = kept(self, text)};
}

static void tell_text(mapper *self, const step *at, const char *sentence) {
    char bytes[TEXT_MAX];
    torc_buf text;

    torc_buf_init_fixed(&text, bytes, sizeof bytes);
    torc_buf_add(&text, torc_str_of(sentence));
    tell(self, at, &text);
}

/* It is not what the field says. */
static void refuse(mapper *self, const step *at, const torc_json_field *field) {
    char bytes[TEXT_MAX];
    torc_buf text;

    torc_buf_init_fixed(&text, bytes, sizeof bytes);
    torc_buf_add(&text, TORC_STR("must be "));
    torc_json_field_describe(field, &text);
    tell(self, at, &text);
}

/* ---- values without parts ---- */

static void set_integer(const torc_json_field *field, void *at, uint64_t number) {
    const uint8_t u8 = (uint8_t)number;
    const uint16_t u16 = (uint16_t)number;
    const uint32_t u32 = (uint32_t)number;

    switch (field->size) {
    case 1:
        memcpy(at, &u8, sizeof u8);
        break;
    case 2:
        memcpy(at, &u16, sizeof u16);
        break;
    case 4:
        memcpy(at, &u32, sizeof u32);
        break;
    default:
        assert(field->size == 8);
        memcpy(at, &number, sizeof number);
    }
}

static bool read_int(const torc_json_field *field, const torc_json_value *value, void *at) {
    const torc_json_range range = torc_json_field_range(field);
    int64_t number;

    if (!torc_json_as_int(value, &number)) return false;
    if (number < range.min || number > (int64_t)range.max) return false;
    set_integer(field, at, (uint64_t)number);
    return true;
}

static bool read_uint(const torc_json_field *field, const torc_json_value *value, void *at) {
    const torc_json_range range = torc_json_field_range(field);
    uint64_t number;

    if (!torc_json_as_uint(value, &number)) return false;
    if (number < (uint64_t)range.min || number > range.max) return false;
    set_integer(field, at, number);
    return true;
}

static bool read_double(const torc_json_field *field, const torc_json_value *value, void *at) {
    double number;

    if (!torc_json_as_double(value, &number)) return false;
    if (torc_json_has_low(field) && number < field->low) return false;
    if (torc_json_has_high(field) && number > field->high) return false;
    if (field->size == sizeof(float)) {
        const float narrow = (float)number; /* rounded: "3.4028235e38" is its largest */
        if (isinf(narrow)) return false;
        memcpy(at, &narrow, sizeof narrow);
    } else {
        memcpy(at, &number, sizeof number);
    }
    return true;
}

static size_t count_characters(torc_str text) {
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) count += ((unsigned char)text.bytes[i] & 0xc0) != 0x80;
    return count;
}

static bool is_within(uint64_t count, torc_json_bounds bounds) {
    return count >= bounds.min && count <= bounds.max;
}

static bool read_characters(const torc_json_field *field, const torc_json_value *value,
                            torc_str *text) {
    const torc_json_bounds bounds = torc_json_field_bounds(field);
    return torc_json_as_str(value, text) && ((bounds.min == 0 && bounds.max == UINT64_MAX) ||
                                             is_within(count_characters(*text), bounds));
}

static bool read_text(const torc_json_field *field, const torc_json_value *value, char *at) {
    torc_str text;

    if (!read_characters(field, value, &text) || text.len >= field->size) return false;
    if (torc_str_find_byte(text, '\0') >= 0) return false;
    memset(at, 0, field->size);
    if (text.len > 0) memcpy(at, text.bytes, text.len);
    return true;
}

static bool read_enum(const torc_json_field *field, const torc_json_value *value, void *at) {
    torc_str text;

    if (!torc_json_as_str(value, &text)) return false;
    for (uint32_t i = 0; i < field->name_count; i++) {
        if (!torc_str_equals(text, torc_str_of(field->names[i]))) continue;
        set_integer(field, at, i);
        return true;
    }
    return false;
}

/* ---- values with parts ---- */

static void read_struct(mapper *self, const torc_json_struct *mapping, const step *here,
                        const torc_json_value *value, void *into);
static void read_field(mapper *self, const torc_json_field *field, const step *here,
                       const torc_json_value *value, void *at);

static void read_elements(mapper *self, const torc_json_field *item, const step *here,
                          const torc_json_value *array, char *into) {
    torc_json_cursor cursor = torc_json_cursor_of(array);
    step at = {.above = here, .depth = here->depth + 1};
    const torc_json_value *element;

    for (; torc_json_next_element(&cursor, &element); at.place++) {
        char *const to = into + at.place * item->size;
        if (item->nullable && torc_json_is_null(element))
            memset(to, 0, item->size);
        else
            read_field(self, item, &at, element, to);
    }
}

/* Beside the place of the items themselves, that of their number is told by the struct's start. */
static void read_array(mapper *self, const torc_json_field *field, const step *here,
                       const torc_json_value *value, char *within) {
    const size_t count = torc_json_count(value);
    char *items = within + field->offset;

    if (torc_json_kind_of(value) != TORC_JSON_ARRAY ||
        !is_within(count, torc_json_field_bounds(field))) {
        refuse(self, here, field);
        return;
    }
    if (field->fixed_count == 0) {
        char **const pointer = (char **)(void *)items;
        items = torc_arena_alloc_zero(self->arena, count, field->item->size);
        if (!items) {
            self->err = TORC_ERR_NO_MEMORY;
            return;
        }
        *pointer = items;
    }
    memcpy(within + field->count_offset, &count, sizeof count);
    read_elements(self, field->item, here, value, items);
}

static bool read_scalar(const torc_json_field *field, const torc_json_value *value, void *at) {
    torc_str text;

    switch (field->kind) {
    case TORC_JSON_FIELD_IS_BOOL:
        return torc_json_as_bool(value, at);
    case TORC_JSON_FIELD_IS_INT:
        return read_int(field, value, at);
    case TORC_JSON_FIELD_IS_UINT:
        return read_uint(field, value, at);
    case TORC_JSON_FIELD_IS_DOUBLE:
        return read_double(field, value, at);
    case TORC_JSON_FIELD_IS_STR:
        if (!read_characters(field, value, &text)) return false;
        memcpy(at, &text, sizeof text);
        return true;
    case TORC_JSON_FIELD_IS_TEXT:
        return read_text(field, value, at);
    case TORC_JSON_FIELD_IS_ENUM:
        return read_enum(field, value, at);
    default:
        memcpy(at, &value, sizeof value);
        return true;
    }
}

/* A value at its place; an array's is told by its struct, so that is not for here. */
static void read_field(mapper *self, const torc_json_field *field, const step *here,
                       const torc_json_value *value, void *at) {
    if (field->kind == TORC_JSON_FIELD_IS_STRUCT) {
        read_struct(self, field->of, here, value, at);
    } else if (!read_scalar(field, value, at)) {
        refuse(self, here, field);
    }
}

static void set_has(const torc_json_field *field, char *within, bool has) {
    if (field->has) memcpy(within + field->has - 1, &has, sizeof has);
}

static void read_member(mapper *self, const torc_json_field *field, const step *here,
                        const torc_json_value *value, char *within) {
    if (field->nullable && torc_json_is_null(value)) return;
    set_has(field, within, true);
    if (field->kind == TORC_JSON_FIELD_IS_ARRAY) {
        read_array(self, field, here, value, within);
    } else {
        read_field(self, field, here, value, within + field->offset);
    }
}

/* The place of a member's field, looked for from `next` on; field_count: there is none. */
static size_t find_field(const torc_json_struct *mapping, torc_str name, size_t next) {
    for (size_t i = 0; i < mapping->field_count; i++) {
        const size_t place = (next + i) % mapping->field_count;
        if (torc_str_equals(name, torc_str_of(torc_json_field_name(&mapping->fields[place]))))
            return place;
    }
    return mapping->field_count;
}

static bool is_seen(const uint64_t *seen, size_t place) {
    return seen[place / 64] >> (place % 64) & 1;
}

static void read_members(mapper *self, const torc_json_struct *mapping, const step *here,
                         const torc_json_value *object, char *into, uint64_t *seen) {
    torc_json_cursor cursor = torc_json_cursor_of(object);
    step at = {.above = here, .depth = here->depth + 1};
    const torc_json_value *value;
    size_t next = 0;

    while (torc_json_next_member(&cursor, &at.name, &value)) {
        const size_t place = find_field(mapping, at.name, next);
        if (place == mapping->field_count) {
            if (!mapping->ignores_unknown) tell_text(self, &at, "is not known here");
        } else if (is_seen(seen, place)) {
            tell_text(self, &at, "comes twice");
        } else {
            seen[place / 64] |= UINT64_C(1) << (place % 64);
            read_member(self, &mapping->fields[place], &at, value, into);
            next = place + 1;
        }
    }
}

static void tell_missing(mapper *self, const torc_json_struct *mapping, const step *here,
                         const uint64_t *seen) {
    step at = {.above = here, .depth = here->depth + 1};

    for (size_t i = 0; i < mapping->field_count; i++) {
        if (is_seen(seen, i) || mapping->fields[i].optional) continue;
        at.name = torc_str_of(torc_json_field_name(&mapping->fields[i]));
        tell_text(self, &at, "is required");
    }
}

static void set_defaults(const torc_json_struct *mapping, char *into) {
    if (mapping->defaults) {
        memcpy(into, mapping->defaults, mapping->size);
    } else {
        memset(into, 0, mapping->size);
    }
    for (size_t i = 0; i < mapping->field_count; i++) {
        const torc_json_field *field = &mapping->fields[i];
        set_has(field, into, false);
        if (field->kind == TORC_JSON_FIELD_IS_STRUCT && !mapping->defaults)
            set_defaults(field->of, into + field->offset);
    }
}

static void read_struct(mapper *self, const torc_json_struct *mapping, const step *here,
                        const torc_json_value *value, void *into) {
    uint64_t seen[TORC_JSON_FIELDS_MAX / 64] = {0};

    assert(mapping->field_count > 0 && mapping->field_count <= TORC_JSON_FIELDS_MAX);
    set_defaults(mapping, into);
    if (torc_json_kind_of(value) != TORC_JSON_OBJECT) {
        tell_text(self, here, "must be an object");
    } else if (here->depth > TORC_JSON_DEPTH_MAX) {
        tell_text(self, here, "has too many levels");
    } else {
        read_members(self, mapping, here, value, into, seen);
        tell_missing(self, mapping, here, seen);
    }
}

torc_err torc_json_to_struct(torc_arena *arena, const torc_json_value *value,
                             const torc_json_struct *mapping, void *into,
                             torc_json_mistakes *mistakes) {
    mapper self = {.arena = arena, .mistakes = mistakes};
    const step top = {0};

    if (mistakes) mistakes->count = 0;
    read_struct(&self, mapping, &top, value, into);
    return self.err;
}

static void copy_text(char *to, size_t size, torc_str text) {
    torc_str part = torc_str_head(text, size - 1);

    part.len = torc_utf8_valid_len(part);
    if (part.len > 0) memcpy(to, part.bytes, part.len);
    to[part.len] = '\0';
}

torc_err torc_json_parse_struct(torc_arena *arena, torc_str text, const torc_json_limits *limits,
                                const torc_json_struct *mapping, void *into,
                                torc_json_error *error) {
    const torc_json_value *value;
    torc_json_mistakes mistakes;
    torc_err err = torc_json_parse(arena, text, limits, &value, error);

    if (err) return err;
    err = torc_json_to_struct(arena, value, mapping, into, &mistakes);
    if (!err || !error) return err;
    *error = (torc_json_error){.err = err};
    if (err != TORC_ERR_INVALID) {
        copy_text(error->text, sizeof error->text, torc_str_of(torc_err_text(err)));
        return err;
    }
    copy_text(error->pointer, sizeof error->pointer, mistakes.items[0].pointer);
    copy_text(error->text, sizeof error->text, mistakes.items[0].text);
    return err;
}
