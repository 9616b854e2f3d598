/* SPDX-License-Identifier: MIT */
/*
 * Events as lines: text for people, or a JSON object.
 *
 *  - One event is one line, whatever is in it: controls, line ends of every kind, and what turns or
 *    hides text on a terminal are escaped, and so are bytes that are not UTF-8.
 *  - In a text line, a value that could be taken for something else is quoted.
 */
#include <time.h>
#include <torc/json.h>
#include <torc/utf8.h>

#include "base/log.h"

static void put_time(torc_buf *buf, int64_t time_us) {
    const int64_t rest_us = (time_us % 1000000 + 1000000) % 1000000;
    const time_t seconds = (time_t)((time_us - rest_us) / 1000000);
    struct tm tm = {0};

    gmtime_r(&seconds, &tm);
    torc_buf_addf(buf, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                  tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(rest_us / 1000));
}

/* At most `max` bytes of a text, cut between characters. */
static torc_str cut(torc_str text, size_t max) {
    if (text.len <= max) return text;
    while (max > 0 && ((unsigned char)text.bytes[max] & 0xc0) == 0x80) max--;
    return torc_str_head(text, max);
}

/* C1 controls, and what separates lines, turns the direction of writing, or cannot be seen. */
static bool is_deceptive(uint32_t code) {
    return (code >= 0x7f && code <= 0x9f) || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x2069) ||
           code == 0xfeff;
}

static void put_control(torc_buf *buf, uint32_t code) {
    switch (code) {
    case '\n':
        torc_buf_add(buf, TORC_STR("\\n"));
        break;
    case '\r':
        torc_buf_add(buf, TORC_STR("\\r"));
        break;
    case '\t':
        torc_buf_add(buf, TORC_STR("\\t"));
        break;
    default:
        torc_buf_addf(buf, "\\x%02x", (unsigned)code);
    }
}

static void put_code(torc_buf *buf, uint32_t code, torc_str bytes, bool in_quotes) {
    if (code < 0x20) {
        put_control(buf, code);
    } else if (is_deceptive(code)) {
        torc_buf_addf(buf, "\\u{%x}", (unsigned)code);
    } else {
        if (in_quotes && (code == '"' || code == '\\')) torc_buf_add_byte(buf, '\\');
        torc_buf_add(buf, bytes);
    }
}

static void put_escaped(torc_buf *buf, torc_str text, bool in_quotes) {
    while (text.len > 0) {
        const char *start = text.bytes;
        uint32_t code;

        if (torc_utf8_decode(&text, &code)) {
            torc_buf_addf(buf, "\\x%02x", (unsigned char)*start);
            text = torc_str_from(text, 1);
        } else {
            put_code(buf, code, torc_str_make(start, (size_t)(text.bytes - start)), in_quotes);
        }
    }
}

static bool is_plain(torc_str value) {
    for (size_t i = 0; i < value.len; i++) {
        const char byte = value.bytes[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '=' || byte == '\\') return false;
    }
    return value.len > 0;
}

static void put_str(torc_buf *buf, torc_str value, size_t max) {
    const torc_str shown = cut(value, max);

    if (is_plain(shown)) {
        torc_buf_add(buf, shown);
    } else {
        torc_buf_add_byte(buf, '"');
        put_escaped(buf, shown, true);
        torc_buf_add_byte(buf, '"');
    }
    if (shown.len < value.len) torc_buf_add(buf, TORC_STR("\xe2\x80\xa6"));
}

static void put_value(torc_buf *buf, const torc_log_field *field, size_t max) {
    switch (field->kind) {
    case TORC_LOG_KIND_STR:
        put_str(buf, field->value.str, max);
        break;
    case TORC_LOG_KIND_INT:
        torc_buf_add_int(buf, field->value.int_);
        break;
    case TORC_LOG_KIND_UINT:
        torc_buf_add_uint(buf, field->value.uint_);
        break;
    case TORC_LOG_KIND_DOUBLE:
        torc_buf_addf(buf, "%.6g", field->value.double_);
        break;
    case TORC_LOG_KIND_BOOL:
        torc_buf_add(buf, field->value.bool_ ? TORC_STR("true") : TORC_STR("false"));
        break;
    }
}

static void format_text(torc_buf *buf, const torc_log_record *record, size_t max) {
    put_time(buf, record->time_us);
    torc_buf_addf(buf, " %-8s [", torc_log_level_name(record->level));
    put_escaped(buf, torc_str_of(record->space), false);
    torc_buf_add(buf, TORC_STR("] "));
    put_escaped(buf, cut(torc_str_of(record->text), max), false);
    for (size_t i = 0; i < record->field_count; i++) {
        torc_buf_add_byte(buf, ' ');
        put_escaped(buf, torc_str_of(record->fields[i].key), false);
        torc_buf_add_byte(buf, '=');
        put_value(buf, &record->fields[i], max);
    }
    torc_buf_add_byte(buf, '\n');
}

static void put_member(torc_json *json, const torc_log_field *field, size_t max) {
    torc_json_key(json, field->key);
    switch (field->kind) {
    case TORC_LOG_KIND_STR:
        torc_json_str(json, cut(field->value.str, max));
        break;
    case TORC_LOG_KIND_INT:
        torc_json_int(json, field->value.int_);
        break;
    case TORC_LOG_KIND_UINT:
        torc_json_uint(json, field->value.uint_);
        break;
    case TORC_LOG_KIND_DOUBLE:
        if (__builtin_isfinite(field->value.double_)) {
            torc_json_double(json, field->value.double_);
        } else {
            torc_json_null(json);
        }
        break;
    case TORC_LOG_KIND_BOOL:
        torc_json_bool(json, field->value.bool_);
        break;
    }
}

static void format_json(torc_buf *buf, const torc_log_record *record, size_t max) {
    char bytes[48];
    torc_buf time;
    torc_json json;

    torc_buf_init_fixed(&time, bytes, sizeof bytes);
    put_time(&time, record->time_us);
    torc_json_init_buf(&json, buf, TORC_JSON_REPLACE_INVALID | TORC_JSON_FOR_HTML);
    torc_json_open_object(&json);
    torc_json_member_str(&json, "time", torc_buf_str(&time));
    torc_json_member_text(&json, "level", torc_log_level_name(record->level));
    torc_json_member_str(&json, "namespace", torc_str_of(record->space));
    torc_json_member_str(&json, "text", cut(torc_str_of(record->text), max));
    for (size_t i = 0; i < record->field_count; i++) put_member(&json, &record->fields[i], max);
    torc_json_close_object(&json);
    const torc_err err = torc_json_end(&json);
    if (err) torc_buf_fail(buf, err);
    torc_buf_add_byte(buf, '\n');
}

void torc_log_format_short(torc_buf *buf, const torc_log_record *record, torc_log_format format,
                           size_t value_max) {
    if (format == TORC_LOG_FORMAT_JSON) {
        format_json(buf, record, value_max);
    } else {
        format_text(buf, record, value_max);
    }
}

void torc_log_format_text(torc_buf *buf, const torc_log_record *record) {
    format_text(buf, record, SIZE_MAX);
}

void torc_log_format_json(torc_buf *buf, const torc_log_record *record) {
    format_json(buf, record, SIZE_MAX);
}
