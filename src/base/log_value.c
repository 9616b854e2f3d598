/* SPDX-License-Identifier: MIT */
/*
 * The parts of a line of a log.
 *
 *  - Nothing here takes a lock or allocates, so a handler of signals may call it: dates are
 *    counted, not asked of the C library.
 */
#include "base/log_value.h"

#include <torc/failure.h>
#include <torc/utf8.h>

#include "base/ascii.h"
#include "base/civil.h"

static const int64_t SECOND_US = 1000000;

/* ---- times ---- */

void torc_log_put_digits(torc_buf *buf, uint64_t number, int digits) {
    char text[20];
    int count = 0;

    do {
        text[sizeof(text) - 1 - (size_t)count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number || (count < digits && count < (int)sizeof(text)));
    torc_buf_add(buf, torc_str_make(text + sizeof(text) - (size_t)count, (size_t)count));
}

static void put_offset(torc_buf *buf, int32_t offset_s) {
    const int32_t minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;

    if (minutes == 0) {
        torc_buf_add_byte(buf, 'Z');
        return;
    }
    torc_buf_add_byte(buf, offset_s < 0 ? '-' : '+');
    torc_log_put_digits(buf, (uint64_t)minutes / 60, 2);
    torc_buf_add_byte(buf, ':');
    torc_log_put_digits(buf, (uint64_t)minutes % 60, 2);
}

void torc_log_put_clock(torc_buf *buf, const torc_civil *time) {
    torc_log_put_digits(buf, (uint64_t)time->hour, 2);
    torc_buf_add_byte(buf, ':');
    torc_log_put_digits(buf, (uint64_t)time->minute, 2);
    torc_buf_add_byte(buf, ':');
    torc_log_put_digits(buf, (uint64_t)time->second, 2);
}

void torc_log_put_time(torc_buf *buf, int64_t time_us, int32_t offset_s, int digits) {
    const int64_t seconds = torc_floor_div(time_us, SECOND_US);
    const int64_t rest_us = time_us - seconds * SECOND_US;
    const torc_civil civil = torc_civil_of(seconds + offset_s);

    torc_log_put_digits(buf, civil.year < 0 ? 0 : (uint64_t)civil.year, 4);
    torc_buf_add_byte(buf, '-');
    torc_log_put_digits(buf, (uint64_t)civil.month, 2);
    torc_buf_add_byte(buf, '-');
    torc_log_put_digits(buf, (uint64_t)civil.day, 2);
    torc_buf_add_byte(buf, 'T');
    torc_log_put_clock(buf, &civil);
    torc_buf_add_byte(buf, '.');
    torc_log_put_digits(buf, (uint64_t)(digits == 3 ? rest_us / 1000 : rest_us), digits);
    put_offset(buf, offset_s);
}

/* `number` / 10^digits, without zeros at the end. */
static void put_fraction(torc_buf *buf, uint64_t number, int digits) {
    uint64_t unit = 1;

    for (int i = 0; i < digits; i++) unit *= 10;
    torc_buf_add_uint(buf, number / unit);
    number %= unit;
    if (number == 0) return;
    torc_buf_add_byte(buf, '.');
    while (number % 10 == 0) {
        number /= 10;
        digits--;
    }
    torc_log_put_digits(buf, number, digits);
}

static uint64_t without_sign(torc_buf *buf, int64_t us) {
    if (us >= 0) return (uint64_t)us;
    torc_buf_add_byte(buf, '-');
    return -(uint64_t)us;
}

void torc_log_put_seconds(torc_buf *buf, int64_t us) {
    put_fraction(buf, without_sign(buf, us), 6);
}

static void put_duration(torc_buf *buf, int64_t us) {
    const uint64_t amount = without_sign(buf, us);

    if (amount < 1000) {
        torc_buf_add_uint(buf, amount);
        torc_buf_add(buf, TORC_STR("us"));
    } else if (amount < 1000000) {
        put_fraction(buf, amount, 3);
        torc_buf_add(buf, TORC_STR("ms"));
    } else {
        put_fraction(buf, amount, 6);
        torc_buf_add_byte(buf, 's');
    }
}

/* ---- texts ---- */

torc_str torc_log_cut(torc_str text, size_t max) {
    if (text.len <= max) return text;
    while (max > 0 && ((unsigned char)text.bytes[max] & 0xc0) == 0x80) max--;
    return torc_str_head(text, max);
}

bool torc_log_is_deceptive(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0xad || code == 0x61c ||
           code == 0x180e || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x2069) ||
           code == 0xfeff;
}

static void put_hex_byte(torc_buf *buf, unsigned char byte) {
    const char bytes[] = {(char)byte};

    torc_buf_add(buf, TORC_STR("\\x"));
    torc_buf_add_hex(buf, torc_str_make(bytes, 1));
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
        put_hex_byte(buf, (unsigned char)code);
    }
}

/* "\u{2028}": as few digits as do, two at least. */
static void put_named(torc_buf *buf, uint32_t code) {
    int shift = 4;

    while (code >> shift > 15) shift += 4;
    torc_buf_add(buf, TORC_STR("\\u{"));
    for (; shift >= 0; shift -= 4) torc_buf_add_byte(buf, torc_hex_of(code >> shift));
    torc_buf_add_byte(buf, '}');
}

static void put_code(torc_buf *buf, uint32_t code, torc_str bytes, bool in_quotes) {
    if (code < 0x20) {
        put_control(buf, code);
    } else if (torc_log_is_deceptive(code)) {
        put_named(buf, code);
    } else {
        if (in_quotes && (code == '"' || code == '\\')) torc_buf_add_byte(buf, '\\');
        torc_buf_add(buf, bytes);
    }
}

void torc_log_put_escaped(torc_buf *buf, torc_str text, bool in_quotes) {
    while (text.len > 0 && !torc_buf_err(buf)) {
        const char *start = text.bytes;
        uint32_t code;

        if (torc_utf8_decode(&text, &code)) {
            put_hex_byte(buf, (unsigned char)*start);
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

void torc_log_put_str(torc_buf *buf, torc_str value, size_t max) {
    const torc_str shown = torc_log_cut(value, max);

    if (is_plain(shown)) {
        torc_buf_add(buf, shown);
    } else {
        torc_buf_add_byte(buf, '"');
        torc_log_put_escaped(buf, shown, true);
        torc_buf_add_byte(buf, '"');
    }
    if (shown.len < value.len) torc_buf_add(buf, TORC_STR("\xe2\x80\xa6"));
}

/* ---- values ---- */

static void put_hex(torc_buf *buf, torc_str bytes, size_t max) {
    const torc_str shown = torc_str_head(bytes, max / 2 < bytes.len ? max / 2 : bytes.len);

    torc_buf_add_hex(buf, shown);
    if (shown.len < bytes.len) torc_buf_add(buf, TORC_STR("\xe2\x80\xa6"));
}

static void put_failure(torc_buf *buf, const torc_failure *failure, size_t max) {
    char bytes[1024];
    torc_buf text;

    torc_buf_init_fixed(&text, bytes, sizeof(bytes));
    torc_failure_format(failure, &text);
    torc_log_put_str(buf, torc_buf_str(&text), max);
}

void torc_log_put_value(torc_buf *buf, const torc_log_field *field, size_t max) {
    switch (field->kind) {
    case TORC_LOG_KIND_STR:
        torc_log_put_str(buf, field->value.str, max);
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
    case TORC_LOG_KIND_DURATION:
        put_duration(buf, field->value.int_);
        break;
    case TORC_LOG_KIND_TIME:
        torc_log_put_time(buf, field->value.int_, 0, 6);
        break;
    case TORC_LOG_KIND_BYTES:
        put_hex(buf, field->value.str, max);
        break;
    case TORC_LOG_KIND_FAILURE:
        put_failure(buf, field->value.failure, max);
        break;
    }
}

torc_str torc_log_plain_value(torc_buf *buf, const torc_log_field *field, size_t max) {
    const size_t before = buf->len;

    if (field->kind == TORC_LOG_KIND_STR) return torc_log_cut(field->value.str, max);
    if (field->kind == TORC_LOG_KIND_DURATION)
        torc_log_put_seconds(buf, field->value.int_);
    else if (field->kind == TORC_LOG_KIND_FAILURE)
        torc_failure_format(field->value.failure, buf);
    else
        torc_log_put_value(buf, field, max);
    return torc_str_make(buf->bytes + before, buf->len - before);
}

/* A key is a word; what it may not have in it is shown as `_`. */
static void put_key(torc_buf *buf, torc_str key) {
    for (size_t i = 0; i < key.len; i++) {
        const char byte = key.bytes[i];
        torc_buf_add_byte(buf,
                          byte > ' ' && byte < 0x7f && byte != '"' && byte != '=' ? byte : '_');
    }
}

void torc_log_put_fields(torc_buf *buf, const torc_log_record *record, size_t max) {
    for (size_t i = 0; i < record->field_count; i++) {
        torc_buf_add_byte(buf, ' ');
        put_key(buf, torc_str_of(record->fields[i].key));
        torc_buf_add_byte(buf, '=');
        torc_log_put_value(buf, &record->fields[i], max);
    }
}
