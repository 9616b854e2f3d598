/* SPDX-License-Identifier: MIT */
/*
 * The JSON writer.
 *
 *  - Bytes are gathered in `stage` and passed on when it is full and at the end; long clean runs of
 *    strings pass it by, in their order.
 *  - `depth` levels are open, of which bit `depth - 1` of `objects` tells the innermost's kind.
 *  - At depth 0, `has_items` says that the one value was begun.
 *  - `has_key` only within an object. A value is due exactly if the innermost level is no object or
 *    `has_key` is set.
 *  - Once `err` is set, nothing is written.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <torc/json.h>
#include <torc/utf8.h>

#include "base/json_scan.h"

void torc_json_init(torc_json *json, torc_json_write_fn *write, void *context,
                    torc_json_options options) {
    json->write = write;
    json->context = context;
    json->objects = 0;
    json->err = TORC_OK;
    json->options = (uint8_t)options;
    json->depth = 0;
    json->has_items = json->has_key = false;
    json->staged = 0;
}

static torc_err write_to_buf(void *context, torc_str bytes) {
    torc_buf_add(context, bytes);
    return torc_buf_err(context);
}

void torc_json_init_buf(torc_json *json, torc_buf *buf, torc_json_options options) {
    torc_json_init(json, write_to_buf, buf, options);
}

void torc_json_fail(torc_json *json, torc_err err) {
    if (!json->err) json->err = (int16_t)err;
}

torc_err torc_json_err(const torc_json *json) {
    return (torc_err)json->err;
}

static void pass_on(torc_json *json, torc_str bytes) {
    if (json->err || bytes.len == 0) return;
    torc_json_fail(json, json->write(json->context, bytes));
}

static void flush(torc_json *json) {
    const torc_str staged = torc_str_make(json->stage, json->staged);

    json->staged = 0;
    pass_on(json, staged);
}

static void put(torc_json *json, torc_str bytes) {
    if (bytes.len > sizeof json->stage - json->staged) flush(json);
    if (bytes.len > sizeof json->stage) {
        pass_on(json, bytes);
        return;
    }
    if (bytes.len > 0) memcpy(json->stage + json->staged, bytes.bytes, bytes.len);
    json->staged = (uint16_t)(json->staged + bytes.len);
}

static void put_byte(torc_json *json, char byte) {
    if (json->staged == sizeof json->stage) flush(json);
    json->stage[json->staged++] = byte;
}

static bool is_in_object(const torc_json *json) {
    return json->depth > 0 && (json->objects >> (json->depth - 1) & 1);
}

/* Before a value: check that one is due, and separate it. False when nothing may be written. */
static bool begin_value(torc_json *json) {
    if (json->err) return false;
    if (is_in_object(json) ? !json->has_key : json->depth == 0 && json->has_items) {
        torc_json_fail(json, TORC_ERR_STATE);
        return false;
    }
    if (json->has_items && !json->has_key) put_byte(json, ',');
    json->has_items = true;
    json->has_key = false;
    return true;
}

static void open_level(torc_json *json, bool is_object) {
    if (!begin_value(json)) return;
    if (json->depth == TORC_JSON_DEPTH_MAX) {
        torc_json_fail(json, TORC_ERR_LIMIT);
        return;
    }
    const uint64_t bit = (uint64_t)1 << json->depth++;
    json->objects = is_object ? json->objects | bit : json->objects & ~bit;
    json->has_items = false;
    put_byte(json, is_object ? '{' : '[');
}

static void close_level(torc_json *json, bool is_object) {
    if (json->err) return;
    if (json->depth == 0 || is_in_object(json) != is_object || json->has_key) {
        torc_json_fail(json, TORC_ERR_STATE);
        return;
    }
    json->depth--;
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
    static const char hex[] = "0123456789abcdef";
    const char text[6] = {
        '\\', 'u', hex[code >> 12 & 15], hex[code >> 8 & 15], hex[code >> 4 & 15], hex[code & 15]};

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

static void put_string(torc_json *json, torc_str text) {
    put_byte(json, '"');
    if (torc_json_is_plain(text)) {
        put(json, text);
    } else if (json->options & TORC_JSON_REPLACE_INVALID) {
        put_replacing(json, text);
    } else if (torc_utf8_is_valid(text)) {
        put_valid(json, text);
    } else {
        torc_json_fail(json, TORC_ERR_UTF8);
    }
    put_byte(json, '"');
}

void torc_json_key_str(torc_json *json, torc_str name) {
    if (json->err) return;
    if (!is_in_object(json) || json->has_key) {
        torc_json_fail(json, TORC_ERR_STATE);
        return;
    }
    if (json->has_items) put_byte(json, ',');
    put_string(json, name);
    put_byte(json, ':');
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

void torc_json_int(torc_json *json, int64_t value) {
    char digits[21];
    torc_buf buf;

    torc_buf_init_fixed(&buf, digits, sizeof digits);
    torc_buf_add_int(&buf, value);
    torc_json_raw(json, torc_buf_str(&buf));
}

void torc_json_uint(torc_json *json, uint64_t value) {
    char digits[20];
    torc_buf buf;

    torc_buf_init_fixed(&buf, digits, sizeof digits);
    torc_buf_add_uint(&buf, value);
    torc_json_raw(json, torc_buf_str(&buf));
}

/* The fewest digits that read back as `value`. Up to 15 always survive the way there and back, so
 * only subnormal numbers, which have fewer, must be tried from the first digit on. */
static int format_shortest(char *text, size_t size, double value) {
    int digits = fpclassify(value) == FP_SUBNORMAL ? 1 : 15, len;

    do {
        len = snprintf(text, size, "%.*g", digits, value);
    } while (digits++ < 17 && strtod(text, NULL) != value);
    return len;
}

static bool is_of_number(char byte) {
    return (byte >= '0' && byte <= '9') || byte == '-' || byte == '+' || byte == 'e';
}

/* printf writes the locale's decimal point, of one byte or more: make it ours. */
static size_t make_point(char *text, size_t len) {
    size_t to = 0;

    for (size_t from = 0; from < len; from++) {
        if (is_of_number(text[from])) {
            text[to++] = text[from];
        } else if (to == 0 || text[to - 1] != '.') {
            text[to++] = '.';
        }
    }
    return to;
}

void torc_json_double(torc_json *json, double value) {
    char text[40];

    if (!isfinite(value)) {
        torc_json_fail(json, TORC_ERR_INVALID);
        return;
    }
    const int len = format_shortest(text, sizeof text, value);
    assert(len > 0 && (size_t)len < sizeof text);
    torc_json_raw(json, torc_str_make(text, make_point(text, (size_t)len)));
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
    flush(json);
    return torc_json_err(json);
}
