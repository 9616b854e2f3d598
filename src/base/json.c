/* SPDX-License-Identifier: MIT */
/*
 * The JSON writer.
 *
 *  - Bytes are written to the room from `start` to `end`, of which what is before `next` is in use:
 *    a part of a buffer or of a page, or `stage`, which is passed on when it is full.
 *  - `depth` levels are open, of which bit `depth - 1` of `objects` tells the innermost's kind, and
 *    `is_in_object`, too.
 *  - At depth 0, `has_items` says that the one value was begun.
 *  - `has_key` only within an object. A value is due exactly if the innermost level is no object or
 *    `has_key` is set.
 *  - Once `err` is set, there is no room, so that nothing is written.
 */
#include <math.h>
#include <torc/json.h>
#include <torc/utf8.h>

#include "base/ascii.h"
#include "base/decimal.h"
#include "base/json_scan.h"

enum {
    NUMBER_MAX = TORC_DECIMAL_TEXT_MAX /* the longest number, of any kind */
};

static void init(torc_json *json, void *context, torc_json_options options) {
    json->next = json->end = json->start = NULL;
    json->room = NULL;
    json->write = NULL;
    json->context = context;
    json->objects = 0;
    json->err = TORC_OK;
    json->options = (uint8_t)options;
    json->depth = 0;
    json->is_in_object = json->has_items = json->has_key = false;
}

void torc_json_init_room(torc_json *json, torc_json_room_fn *room, void *context,
                         torc_json_options options) {
    init(json, context, options);
    json->room = room;
}

/* What is staged is passed on, and its place is the room again. */
static torc_err pass_stage(void *context, size_t used, size_t wanted, char **room, size_t *len) {
    torc_json *json = context;

    *room = json->stage;
    *len = sizeof json->stage;
    return used == 0 ? TORC_OK : json->write(json->context, torc_str_make(json->stage, used));
}

void torc_json_init(torc_json *json, torc_json_write_fn *write, void *context,
                    torc_json_options options) {
    init(json, context, options);
    json->room = pass_stage;
    json->write = write;
}

static torc_err room_of_buf(void *context, size_t used, size_t wanted, char **room, size_t *len) {
    torc_buf *buf = context;

    if (used > 0) torc_buf_commit(buf, used);
    if (wanted == 0 || torc_buf_err(buf)) return torc_buf_err(buf);
    if (buf->bytes && buf->len < buf->capacity) wanted = 1;
    *room = torc_buf_reserve(buf, wanted);
    *len = buf->capacity - buf->len;
    return torc_buf_err(buf);
}

void torc_json_init_buf(torc_json *json, torc_buf *buf, torc_json_options options) {
    torc_json_init_room(json, room_of_buf, buf, options);
}

void torc_json_fail(torc_json *json, torc_err err) {
    if (!json->err) json->err = (int16_t)err;
    json->next = json->end = json->start = NULL;
}

torc_err torc_json_err(const torc_json *json) {
    return (torc_err)json->err;
}

/* ---- room ---- */

/* Give up the room in use for another; false when there is none. */
static __attribute__((noinline)) bool ask(torc_json *json, size_t wanted) {
    const size_t used = (size_t)(json->next - json->start);
    size_t len = 0;

    if (json->err) return false;
    void *const context = json->write ? json : json->context;
    const torc_err err = json->room(context, used, wanted, &json->start, &len);
    if (err) {
        torc_json_fail(json, err);
        return false;
    }
    json->next = json->start;
    json->end = json->start + len;
    return true;
}

static inline size_t room_left(const torc_json *json) {
    return (size_t)(json->end - json->next);
}

/* A long text that goes to a function is not copied. */
static void pass_on(torc_json *json, torc_str bytes) {
    if (!ask(json, 1)) return;
    const torc_err err = json->write(json->context, bytes);
    if (err) torc_json_fail(json, err);
}

static __attribute__((noinline)) void put_in_parts(torc_json *json, torc_str bytes) {
    if (json->write && bytes.len > sizeof json->stage) {
        pass_on(json, bytes);
        return;
    }
    while (bytes.len > 0) {
        if (json->next == json->end && !ask(json, bytes.len)) return;
        const torc_str part = torc_str_head(bytes, room_left(json));
        memcpy(json->next, part.bytes, part.len);
        json->next += part.len;
        bytes = torc_str_from(bytes, part.len);
    }
}

static inline void put(torc_json *json, torc_str bytes) {
    if (bytes.len > room_left(json)) {
        put_in_parts(json, bytes);
    } else if (bytes.len > 0) {
        memcpy(json->next, bytes.bytes, bytes.len);
        json->next += bytes.len;
    }
}

static inline void put_byte(torc_json *json, char byte) {
    if (json->next == json->end && !ask(json, 1)) return;
    *json->next++ = byte;
}

/* ---- structure ---- */

static void put_line(torc_json *json) {
    put_byte(json, '\n');
    for (unsigned i = 0; i < json->depth; i++) put(json, TORC_STR("  "));
}

/* Before an element, or the name of a member. */
static inline void separate(torc_json *json) {
    if (json->has_items) put_byte(json, ',');
    if (json->depth > 0 && (json->options & TORC_JSON_PRETTY)) put_line(json);
    json->has_items = true;
}

/* Before a value: check that one is due, and separate it. False when nothing may be written. */
static inline bool begin_value(torc_json *json) {
    if (json->err) return false;
    if (json->has_key) {
        json->has_key = false;
        return true;
    }
    if (json->is_in_object || (json->depth == 0 && json->has_items)) {
        torc_json_fail(json, TORC_ERR_STATE);
        return false;
    }
    separate(json);
    return true;
}

static inline void open_level(torc_json *json, bool is_object) {
    if (!begin_value(json)) return;
    if (json->depth == TORC_JSON_DEPTH_MAX) {
        torc_json_fail(json, TORC_ERR_LIMIT);
        return;
    }
    const uint64_t bit = (uint64_t)1 << json->depth++;
    json->objects = is_object ? json->objects | bit : json->objects & ~bit;
    json->is_in_object = is_object;
    json->has_items = false;
    put_byte(json, is_object ? '{' : '[');
}

static inline void close_level(torc_json *json, bool is_object) {
    if (json->err) return;
    if (json->depth == 0 || json->is_in_object != is_object || json->has_key) {
        torc_json_fail(json, TORC_ERR_STATE);
        return;
    }
    json->depth--;
    json->is_in_object = json->depth > 0 && (json->objects >> (json->depth - 1) & 1);
    if (json->has_items && (json->options & TORC_JSON_PRETTY)) put_line(json);
    json->has_items = true;
    put_byte(json, is_object ? '}' : ']');
}

void torc_json_open_object(torc_json *json) {
    open_level(json, true);
}

void torc_json_close_object(torc_json *json) {
    close_level(json, true);
}

void torc_json_open_array(torc_json *json) {
    open_level(json, false);
}

void torc_json_close_array(torc_json *json) {
    close_level(json, false);
}

static void put_escaped(torc_json *json, unsigned code) {
    const char text[6] = {'\\',
                          'u',
                          torc_hex_of(code >> 12),
                          torc_hex_of(code >> 8),
                          torc_hex_of(code >> 4),
                          torc_hex_of(code)};

    put(json, torc_str_make(text, sizeof text));
}

static void put_special(torc_json *json, unsigned char byte) {
    static const char letters[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                   ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};

    if (byte >= sizeof letters || !letters[byte]) {
        put_escaped(json, byte);
        return;
    }
    put_byte(json, '\\');
    put_byte(json, letters[byte]);
}

/* Write what the scan stopped at, and answer how many bytes that was. */
static size_t put_stopped(torc_json *json, torc_str rest) {
    static const torc_str separators[] = {TORC_STR_INIT("\xe2\x80\xa8"),
                                          TORC_STR_INIT("\xe2\x80\xa9")};

    for (unsigned i = 0; i < 2; i++) {
        if (!torc_str_starts_with(rest, separators[i])) continue;
        put_escaped(json, 0x2028 + i);
        return 3;
    }
    if ((unsigned char)rest.bytes[0] == 0xe2) {
        put_byte(json, rest.bytes[0]);
    } else {
        put_special(json, (unsigned char)rest.bytes[0]);
    }
    return 1;
}

/* Write valid UTF-8 within a string. */
static void put_valid(torc_json *json, torc_str text) {
    const bool for_html = json->options & TORC_JSON_FOR_HTML;

    while (text.len > 0) {
        const size_t clean = torc_json_scan(text, for_html);
        put(json, torc_str_head(text, clean));
        text = torc_str_from(text, clean);
        if (text.len > 0) text = torc_str_from(text, put_stopped(json, text));
    }
}

/* The length of what one U+FFFD replaces: a cut character as far as it is good, or one byte. */
static size_t invalid_len(torc_str text) {
    torc_utf8 state = {0};
    size_t len = 0;

    while (len < text.len && !torc_utf8_check(&state, torc_str_make(text.bytes + len, 1))) len++;
    return len > 0 ? len : 1;
}

static void put_replacing(torc_json *json, torc_str text) {
    for (;;) {
        const size_t valid = torc_utf8_valid_len(text);
        put_valid(json, torc_str_head(text, valid));
        text = torc_str_from(text, valid);
        if (text.len == 0) return;
        put(json, TORC_STR("\xef\xbf\xbd"));
        text = torc_str_from(text, invalid_len(text));
    }
}

static void put_content(torc_json *json, torc_str text) {
    if (json->options & TORC_JSON_REPLACE_INVALID) {
        put_replacing(json, text);
    } else if (torc_utf8_is_valid(text)) {
        put_valid(json, text);
    } else {
        torc_json_fail(json, TORC_ERR_UTF8);
    }
}

static __attribute__((noinline)) void put_any_string(torc_json *json, torc_str text) {
    put_byte(json, '"');
    put_content(json, text);
    put_byte(json, '"');
}

static inline void put_string(torc_json *json, torc_str text) {
    if (json->next == json->end && !ask(json, 1)) return;

    char *const to = json->next;
    if (room_left(json) < 2 || text.len > room_left(json) - 2 ||
        !torc_json_copy_plain(to + 1, text, json->options & TORC_JSON_FOR_HTML)) {
        put_any_string(json, text);
        return;
    }
    to[0] = to[1 + text.len] = '"';
    json->next = to + text.len + 2;
}

void torc_json_key_str(torc_json *json, torc_str name) {
    if (json->err) return;
    if (!json->is_in_object || json->has_key) {
        torc_json_fail(json, TORC_ERR_STATE);
        return;
    }
    separate(json);
    put_string(json, name);
    put_byte(json, ':');
    if (json->options & TORC_JSON_PRETTY) put_byte(json, ' ');
    json->has_key = true;
}

void torc_json_key(torc_json *json, const char *name) {
    torc_json_key_str(json, torc_str_of(name));
}

void torc_json_raw(torc_json *json, torc_str value) {
    if (begin_value(json)) put(json, value);
}

void torc_json_str(torc_json *json, torc_str value) {
    if (begin_value(json)) put_string(json, value);
}

void torc_json_null(torc_json *json) {
    torc_json_raw(json, TORC_STR("null"));
}

void torc_json_text(torc_json *json, const char *value) {
    if (value) {
        torc_json_str(json, torc_str_of(value));
    } else {
        torc_json_null(json);
    }
}

void torc_json_bool(torc_json *json, bool value) {
    torc_json_raw(json, value ? TORC_STR("true") : TORC_STR("false"));
}

/* Where a number can be written at once: in the room, or in `aside` if there is too little. */
static inline char *number_at(torc_json *json, char *aside) {
    return room_left(json) >= NUMBER_MAX ? json->next : aside;
}

static inline void end_number(torc_json *json, const char *at, size_t len) {
    if (at == json->next) {
        json->next += len;
    } else {
        put(json, torc_str_make(at, len));
    }
}

static void put_integer(torc_json *json, uint64_t value, bool is_negative) {
    char aside[NUMBER_MAX];

    if (!begin_value(json)) return;
    char *const at = number_at(json, aside);
    at[0] = '-';
    end_number(json, at, is_negative + torc_decimal_format_uint(value, at + is_negative));
}

void torc_json_int(torc_json *json, int64_t value) {
    put_integer(json, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

void torc_json_uint(torc_json *json, uint64_t value) {
    put_integer(json, value, false);
}

void torc_json_double(torc_json *json, double value) {
    char aside[NUMBER_MAX];

    if (!isfinite(value)) {
        torc_json_fail(json, TORC_ERR_INVALID);
        return;
    }
    if (!begin_value(json)) return;
    char *const at = number_at(json, aside);
    end_number(json, at, torc_decimal_format(value, at));
}

void torc_json_member_str(torc_json *json, const char *name, torc_str value) {
    torc_json_key(json, name);
    torc_json_str(json, value);
}

void torc_json_member_text(torc_json *json, const char *name, const char *value) {
    torc_json_key(json, name);
    torc_json_text(json, value);
}

void torc_json_member_int(torc_json *json, const char *name, int64_t value) {
    torc_json_key(json, name);
    torc_json_int(json, value);
}

void torc_json_member_uint(torc_json *json, const char *name, uint64_t value) {
    torc_json_key(json, name);
    torc_json_uint(json, value);
}

void torc_json_member_double(torc_json *json, const char *name, double value) {
    torc_json_key(json, name);
    torc_json_double(json, value);
}

void torc_json_member_bool(torc_json *json, const char *name, bool value) {
    torc_json_key(json, name);
    torc_json_bool(json, value);
}

void torc_json_member_null(torc_json *json, const char *name) {
    torc_json_key(json, name);
    torc_json_null(json);
}

void torc_json_member_raw(torc_json *json, const char *name, torc_str value) {
    torc_json_key(json, name);
    torc_json_raw(json, value);
}

void torc_json_member_object(torc_json *json, const char *name) {
    torc_json_key(json, name);
    torc_json_open_object(json);
}

void torc_json_member_array(torc_json *json, const char *name) {
    torc_json_key(json, name);
    torc_json_open_array(json);
}

torc_err torc_json_end(torc_json *json) {
    if (json->depth > 0 || !json->has_items) torc_json_fail(json, TORC_ERR_STATE);
    if (ask(json, 0)) json->next = json->end = json->start;
    return torc_json_err(json);
}
