/* SPDX-License-Identifier: MIT */
/*
 * Events as lines: text for people, logfmt, or a JSON object.
 *
 *  - One event is one line, whatever is in it: controls, line ends of every kind, and what turns or
 *    hides text on a terminal are escaped, and so are bytes that are not UTF-8.
 *  - In text and logfmt, a value that could be taken for something else is quoted.
 *  - A field that has the name of what every event has (`time`, `level` …) gets a `_` behind it.
 */
#include <torc/json.h>

#include "base/log.h"
#include "base/log_value.h"

static void pad(torc_buf *buf, size_t len, size_t to) {
    for (; len < to; len++) torc_buf_add_byte(buf, ' ');
}

static void format_text(torc_buf *buf, const torc_log_record *record, size_t max) {
    const torc_str level = torc_str_of(torc_log_level_name(record->level));

    torc_log_put_time(buf, record->time_us, record->offset_s, 3);
    torc_buf_add_byte(buf, ' ');
    torc_buf_add(buf, level);
    pad(buf, level.len, 8);
    torc_buf_add(buf, TORC_STR(" ["));
    torc_log_put_escaped(buf, torc_str_of(record->space), false);
    torc_buf_add(buf, TORC_STR("] "));
    torc_log_put_escaped(buf, torc_log_cut(torc_str_of(record->text), max), false);
    torc_log_put_fields(buf, record, max);
    torc_buf_add_byte(buf, '\n');
}

static bool is_taken(const char *key) {
    static const char *const taken[] = {"time", "level", "namespace", "text"};

    for (size_t i = 0; i < TORC_COUNT_OF(taken); i++)
        if (strcmp(key, taken[i]) == 0) return true;
    return false;
}

static void put_pair(torc_buf *buf, const torc_log_field *field, size_t max) {
    const torc_log_record alone = {.fields = field, .field_count = 1};

    if (!is_taken(field->key)) {
        torc_log_put_fields(buf, &alone, max);
        return;
    }
    torc_buf_add_byte(buf, ' ');
    torc_buf_add(buf, torc_str_of(field->key));
    torc_buf_add(buf, TORC_STR("_="));
    torc_log_put_value(buf, field, max);
}

static void format_logfmt(torc_buf *buf, const torc_log_record *record, size_t max) {
    torc_buf_add(buf, TORC_STR("time="));
    torc_log_put_time(buf, record->time_us, record->offset_s, 3);
    torc_buf_add(buf, TORC_STR(" level="));
    torc_buf_add(buf, torc_str_of(torc_log_level_name(record->level)));
    torc_buf_add(buf, TORC_STR(" namespace="));
    torc_log_put_str(buf, torc_str_of(record->space), max);
    torc_buf_add(buf, TORC_STR(" text="));
    torc_log_put_str(buf, torc_str_of(record->text), max);
    for (size_t i = 0; i < record->field_count; i++) put_pair(buf, &record->fields[i], max);
    torc_buf_add_byte(buf, '\n');
}

static void put_key(torc_json *json, const char *key) {
    char changed[64];
    torc_buf buf;

    if (!is_taken(key)) {
        torc_json_key(json, key);
        return;
    }
    torc_buf_init_fixed(&buf, changed, sizeof(changed));
    torc_buf_add(&buf, torc_str_of(key));
    torc_buf_add_byte(&buf, '_');
    torc_json_key_str(json, torc_buf_str(&buf));
}

static void put_double(torc_json *json, double number) {
    if (__builtin_isfinite(number))
        torc_json_double(json, number);
    else
        torc_json_null(json);
}

/* What is shown as a text, but is none. */
static void put_other(torc_json *json, const torc_log_field *field, size_t max) {
    char bytes[1024];
    torc_buf buf;

    torc_buf_init_fixed(&buf, bytes, sizeof(bytes));
    const torc_str shown =
        torc_log_plain_value(&buf, field, max < sizeof(bytes) / 2 ? max : sizeof(bytes) / 2);
    if (field->kind == TORC_LOG_KIND_DURATION)
        torc_json_raw(json, shown);
    else
        torc_json_str(json, shown);
}

static void put_member(torc_json *json, const torc_log_field *field, size_t max) {
    put_key(json, field->key);
    switch (field->kind) {
    case TORC_LOG_KIND_STR:
        torc_json_str(json, torc_log_cut(field->value.str, max));
        break;
    case TORC_LOG_KIND_INT:
        torc_json_int(json, field->value.int_);
        break;
    case TORC_LOG_KIND_UINT:
        torc_json_uint(json, field->value.uint_);
        break;
    case TORC_LOG_KIND_DOUBLE:
        put_double(json, field->value.double_);
        break;
    case TORC_LOG_KIND_BOOL:
        torc_json_bool(json, field->value.bool_);
        break;
    case TORC_LOG_KIND_DURATION:
    case TORC_LOG_KIND_TIME:
    case TORC_LOG_KIND_BYTES:
    case TORC_LOG_KIND_FAILURE:
        put_other(json, field, max);
        break;
    }
}

static void format_json(torc_buf *buf, const torc_log_record *record, size_t max) {
    char bytes[48];
    torc_buf time;
    torc_json json;

    torc_buf_init_fixed(&time, bytes, sizeof(bytes));
    torc_log_put_time(&time, record->time_us, record->offset_s, 3);
    torc_json_init_buf(&json, buf, TORC_JSON_REPLACE_INVALID | TORC_JSON_FOR_HTML);
    torc_json_open_object(&json);
    torc_json_member_str(&json, "time", torc_buf_str(&time));
    torc_json_member_text(&json, "level", torc_log_level_name(record->level));
    torc_json_member_str(&json, "namespace", torc_str_of(record->space));
    torc_json_member_str(&json, "text", torc_log_cut(torc_str_of(record->text), max));
    for (size_t i = 0; i < record->field_count; i++) put_member(&json, &record->fields[i], max);
    torc_json_close_object(&json);
    const torc_err err = torc_json_end(&json);
    if (err) torc_buf_fail(buf, err);
    torc_buf_add_byte(buf, '\n');
}

void torc_log_format_short(torc_buf *buf, const torc_log_record *record, torc_log_format format,
                           size_t value_max) {
    switch (format) {
    case TORC_LOG_FORMAT_JSON_SEQ:
        torc_buf_add_byte(buf, 0x1e);
        format_json(buf, record, value_max);
        break;
    case TORC_LOG_FORMAT_JSON:
        format_json(buf, record, value_max);
        break;
    case TORC_LOG_FORMAT_LOGFMT:
        format_logfmt(buf, record, value_max);
        break;
    case TORC_LOG_FORMAT_AUTO:
    case TORC_LOG_FORMAT_TEXT:
        format_text(buf, record, value_max);
        break;
    }
}

torc_err torc_log_make_line(torc_buf *line, const torc_log_record *record, torc_log_format format) {
    static const size_t value_max[] = {SIZE_MAX, 512, 64, 8};
    torc_log_record bare = *record;

    for (size_t i = 0; i < TORC_COUNT_OF(value_max); i++) {
        torc_buf_clear(line);
        torc_log_format_short(line, record, format, value_max[i]);
        if (!torc_buf_err(line)) return TORC_OK;
    }
    bare.field_count = 0;
    torc_buf_clear(line);
    torc_log_format_short(line, &bare, format, 512);
    return torc_buf_err(line);
}

void torc_log_format_text(torc_buf *buf, const torc_log_record *record) {
    format_text(buf, record, SIZE_MAX);
}

void torc_log_format_json(torc_buf *buf, const torc_log_record *record) {
    format_json(buf, record, SIZE_MAX);
}

void torc_log_format_logfmt(torc_buf *buf, const torc_log_record *record) {
    format_logfmt(buf, record, SIZE_MAX);
}
