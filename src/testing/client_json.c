/* SPDX-License-Identifier: MIT */
/*
 * Documents of JSON, compared by what they mean.
 *
 *  - The order of members does not count, that of elements does; numbers are compared by value: 1,
 *    1.0 and 1e0 are the same.
 *  - What differs is told by JSON pointers (RFC 6901), DIFFERENCES_MAX of it.
 */
#include <stdio.h>
#include <torc/json_value.h>

#include "testing/client.h"
#include "testing/expect.h"

enum {
    ARENA_MAX = 256 * 1024 * 1024,
    DIFFERENCES_MAX = 10,
    POINTER_MAX = 1024,
    SHOWN_MAX = 200
};

typedef struct comparison {
    torc_buf *text;
    char pointer[POINTER_MAX]; /* where it is now; cut */
    size_t len;
    unsigned differences;
} comparison;

/* ---- what differs ---- */

/* One more difference, if it is still told. */
static bool differs(comparison *self) {
    if (++self->differences > DIFFERENCES_MAX) return false;
    torc_buf_addf(self->text, "\n    ");
    if (self->len)
        torc_buf_add(self->text, torc_str_make(self->pointer, self->len));
    else
        torc_buf_addf(self->text, "the document");
    return true;
}

static void add_value(torc_buf *text, const torc_json_value *value) {
    torc_json json;
    torc_buf whole;

    torc_buf_init(&whole, NULL, TORC_MEMORY_OTHER, ARENA_MAX);
    torc_json_init_buf(&json, &whole, TORC_JSON_REPLACE_INVALID);
    torc_json_write_value(&json, value);
    (void)!torc_json_end(&json);
    const torc_str all = torc_buf_str(&whole), shown = torc_str_head(all, SHOWN_MAX);
    torc_buf_addf(text, " %.*s%s", TORC_STR_ARGS(shown), shown.len < all.len ? "…" : "");
    torc_buf_dispose(&whole);
}

static void tell_values(comparison *self, const torc_json_value *is,
                        const torc_json_value *should) {
    if (!differs(self)) return;
    torc_buf_addf(self->text, " is");
    add_value(self->text, is);
    torc_buf_addf(self->text, ", and should be");
    add_value(self->text, should);
}

static void tell_one(comparison *self, const char *what, const torc_json_value *value) {
    if (!differs(self)) return;
    torc_buf_addf(self->text, " %s:", what);
    add_value(self->text, value);
}

/* ---- pointers ---- */

static void add_byte(comparison *self, char byte) {
    if (self->len < POINTER_MAX) self->pointer[self->len++] = byte;
}

static size_t enter(comparison *self, torc_str name) {
    const size_t before = self->len;

    add_byte(self, '/');
    for (size_t i = 0; i < name.len; i++) {
        const char byte = name.bytes[i];
        if (byte == '~' || byte == '/') add_byte(self, '~');
        add_byte(self, byte == '~' ? '0' : byte == '/' ? '1' : byte);
    }
    return before;
}

static size_t enter_at(comparison *self, size_t place) {
    char digits[24];
    const int len = snprintf(digits, sizeof(digits), "%zu", place);

    return enter(self, torc_str_make(digits, (size_t)len));
}

/* ---- comparing ---- */

static bool same_number(const torc_json_value *is, const torc_json_value *should) {
    int64_t a, b;
    uint64_t c, d;
    double e, f;

    if (torc_json_as_int(is, &a) && torc_json_as_int(should, &b)) return a == b;
    if (torc_json_as_uint(is, &c) && torc_json_as_uint(should, &d)) return c == d;
    if (torc_json_as_double(is, &e) && torc_json_as_double(should, &f)) return !(e < f || e > f);
    return torc_str_equals(torc_json_number_text(is), torc_json_number_text(should));
}

static bool same_simple(const torc_json_value *is, const torc_json_value *should) {
    bool a, b;
    torc_str c, d;

    if (torc_json_is_number(is) && torc_json_is_number(should)) return same_number(is, should);
    if (torc_json_kind_of(is) != torc_json_kind_of(should)) return false;
    if (torc_json_as_bool(is, &a) && torc_json_as_bool(should, &b)) return a == b;
    if (torc_json_as_str(is, &c) && torc_json_as_str(should, &d)) return torc_str_equals(c, d);
    return torc_json_is_null(is);
}

static void compare(comparison *self, const torc_json_value *is, const torc_json_value *should);

static void compare_objects(comparison *self, const torc_json_value *is,
                            const torc_json_value *should) {
    torc_json_cursor cursor = torc_json_cursor_of(should);
    const torc_json_value *value, *other;
    torc_str name;

    while (torc_json_next_member(&cursor, &name, &value)) {
        const size_t before = enter(self, name);
        other = torc_json_find_str(is, name);
        if (other)
            compare(self, other, value);
        else
            tell_one(self, "is missing, which should be", value);
        self->len = before;
    }
    cursor = torc_json_cursor_of(is);
    while (torc_json_next_member(&cursor, &name, &value)) {
        if (torc_json_find_str(should, name)) continue;
        const size_t before = enter(self, name);
        tell_one(self, "should not be there", value);
        self->len = before;
    }
}

static void compare_arrays(comparison *self, const torc_json_value *is,
                           const torc_json_value *should) {
    torc_json_cursor one = torc_json_cursor_of(is), other = torc_json_cursor_of(should);
    const torc_json_value *a, *b;

    for (size_t i = 0;; i++) {
        const bool has_one = torc_json_next_element(&one, &a);
        const bool has_other = torc_json_next_element(&other, &b);
        if (!has_one && !has_other) return;
        const size_t before = enter_at(self, i);
        if (has_one && has_other)
            compare(self, a, b);
        else if (has_one)
            tell_one(self, "should not be there", a);
        else
            tell_one(self, "is missing, which should be", b);
        self->len = before;
    }
}

/* As deep as documents may be. */
static void compare(comparison *self, const torc_json_value *is, const torc_json_value *should) {
    const torc_json_kind kind = torc_json_kind_of(should);

    if (kind == TORC_JSON_OBJECT && torc_json_kind_of(is) == kind)
        compare_objects(self, is, should);
    else if (kind == TORC_JSON_ARRAY && torc_json_kind_of(is) == kind)
        compare_arrays(self, is, should);
    else if (!same_simple(is, should))
        tell_values(self, is, should);
}

/* Append what differs; whether anything does. */
static bool add_differences(torc_buf *text, const torc_json_value *is,
                            const torc_json_value *should, torc_str pointer) {
    comparison self = {.text = text};

    self.len = pointer.len < POINTER_MAX ? pointer.len : POINTER_MAX;
    if (self.len) memcpy(self.pointer, pointer.bytes, self.len);
    compare(&self, is, should);
    if (self.differences > DIFFERENCES_MAX)
        torc_buf_addf(text, "\n    and %u differences more", self.differences - DIFFERENCES_MAX);
    return self.differences > 0;
}

/* ---- reading ---- */

static const torc_json_value *read_into(torc_arena *arena, torc_str text, const char *what,
                                        torc_buf *why) {
    const torc_json_value *value;
    torc_json_error error;

    if (!torc_json_parse(arena, text, NULL, &value, &error)) return value;
    torc_buf_addf(why, "%s is no JSON: line %u, column %u: %s", what, error.line, error.column,
                  error.text);
    return NULL;
}

bool torc_test_expect_same_json_at(const char *place, torc_str is, torc_str should) {
    torc_page_pool pages;
    torc_arena arena;
    torc_buf text;

    torc_page_pool_init(&pages, NULL, 0);
    torc_arena_init(&arena, &pages, ARENA_MAX);
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, TORC_TEST_TEXT_MAX);
    const torc_json_value *a = read_into(&arena, is, "what is", &text);
    const torc_json_value *b = a ? read_into(&arena, should, "what should be", &text) : NULL;
    bool is_right = false;
    if (a && b) {
        torc_buf_addf(&text, "the documents differ:");
        is_right = !add_differences(&text, a, b, torc_str_make("", 0));
    }
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    if (is_right)
        torc_buf_dispose(&text);
    else
        torc_test_fail_buf(place, &text);
    return is_right;
}

/* ---- of an answer ---- */

/* The body's document, read once; NULL: it is none, as `why` says. */
static const torc_json_value *document_of(torc_test_client *self, torc_buf *why) {
    torc_str body, kept;

    if (!self->looked_at) return NULL;
    torc_test_asked *asked = self->looked_at;
    body = torc_test_request_body(asked->request);
    if (asked->json && asked->json_len == body.len) return asked->json;
    if (torc_arena_copy(&self->arena, body, &kept)) {
        torc_buf_addf(why, "there is no memory for it");
        return NULL;
    }
    asked->json = read_into(&self->arena, kept, "the body", why);
    asked->json_len = body.len;
    return asked->json;
}

const torc_json_value *torc_test_json(torc_test_client *self, const char *pointer) {
    torc_buf why;

    torc_buf_init(&why, NULL, TORC_MEMORY_OTHER, TORC_TEST_TEXT_MAX);
    const torc_json_value *value = document_of(self, &why);
    torc_buf_dispose(&why);
    return torc_json_find_pointer(value, torc_str_of(pointer));
}

bool torc_test_expect_json_at(const char *place, torc_test_client *self, const char *pointer,
                              const char *should) {
    const torc_test_asked *asked = torc_test_client_looked_at(place, self);
    torc_buf text;

    if (!asked) return false;
    torc_test_begin_failure(&text, asked);
    const torc_json_value *all = document_of(self, &text);
    const torc_json_value *is = torc_json_find_pointer(all, torc_str_of(pointer));
    const torc_json_value *wanted =
        all ? read_into(&self->arena, torc_str_of(should), "what should be", &text) : NULL;
    bool is_right = false;
    if (all && wanted && !is) {
        torc_buf_addf(&text, "there is nothing at %s, which should be %s", pointer, should);
    } else if (is && wanted) {
        torc_buf_addf(&text, "the JSON is not what it should be:");
        is_right = !add_differences(&text, is, wanted, torc_str_of(pointer));
    }
    if (!is_right) return torc_test_end_failure(place, &text, self, asked);
    torc_buf_dispose(&text);
    return true;
}

bool torc_test_expect_no_json_at(const char *place, torc_test_client *self, const char *pointer) {
    const torc_test_asked *asked = torc_test_client_looked_at(place, self);
    torc_buf text;

    if (!asked) return false;
    torc_test_begin_failure(&text, asked);
    const torc_json_value *all = document_of(self, &text);
    if (all && !torc_json_find_pointer(all, torc_str_of(pointer))) {
        torc_buf_dispose(&text);
        return true;
    }
    if (all) torc_buf_addf(&text, "there is a value at %s, where there should be none", pointer);
    return torc_test_end_failure(place, &text, self, asked);
}
