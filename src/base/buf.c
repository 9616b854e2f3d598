/* SPDX-License-Identifier: MIT */
/*
 * Buffers that grow up to a maximum and fail for good.
 *
 *  - len <= capacity <= max.
 *  - A buffer that grows has one byte more than its capacity, for the NUL that vsnprintf writes.
 *  - Once `err` is set, nothing is appended until the buffer is cleared.
 */
#include <assert.h>
#include <stdio.h>
#include <torc/buf.h>

#include "base/ascii.h"

enum {
    FIRST_CAPACITY = 64
};

void torc_buf_init(torc_buf *buf, torc_memory *memory, torc_memory_class class_, size_t max) {
    *buf = (torc_buf){.memory = memory, .class_ = (uint8_t)class_, .max = max};
}

void torc_buf_init_fixed(torc_buf *buf, void *bytes, size_t size) {
    *buf = (torc_buf){.bytes = bytes, .capacity = size, .max = size, .fixed = true};
}

void torc_buf_dispose(torc_buf *buf) {
    if (!buf->fixed) {
        if (buf->bytes) torc_dealloc(buf->memory, buf->bytes);
        buf->bytes = NULL;
        buf->capacity = 0;
    }
    torc_buf_clear(buf);
}

void torc_buf_clear(torc_buf *buf) {
    buf->len = 0;
    buf->err = TORC_OK;
}

torc_err torc_buf_err(const torc_buf *buf) {
    return (torc_err)buf->err;
}

void torc_buf_fail(torc_buf *buf, torc_err err) {
    if (!buf->err) buf->err = (int16_t)err;
}

/* The capacity to grow to for `need` bytes: twice what there is, within the maximum. */
static size_t grown(const torc_buf *buf, size_t need) {
    size_t capacity = buf->capacity < FIRST_CAPACITY / 2 ? FIRST_CAPACITY : buf->capacity;

    if (buf->capacity > 0) capacity = capacity > buf->max / 2 ? buf->max : capacity * 2;
    if (capacity < need) capacity = need;
    return capacity > buf->max ? buf->max : capacity;
}

static char *grow(torc_buf *buf, size_t len) {
    if (len > buf->max - buf->len) {
        torc_buf_fail(buf, TORC_ERR_LIMIT);
        return NULL;
    }
    const size_t capacity = grown(buf, buf->len + len);
    if (capacity == SIZE_MAX) {
        torc_buf_fail(buf, TORC_ERR_NO_MEMORY);
        return NULL;
    }
    char *bytes = buf->bytes
                      ? torc_realloc(buf->memory, buf->bytes, capacity + 1)
                      : torc_alloc(buf->memory, (torc_memory_class)buf->class_, capacity + 1);
    if (!bytes) {
        torc_buf_fail(buf, TORC_ERR_NO_MEMORY);
        return NULL;
    }
    buf->bytes = bytes;
    buf->capacity = capacity;
    return bytes + buf->len;
}

char *torc_buf_reserve(torc_buf *buf, size_t len) {
    if (buf->err) return NULL;
    if (buf->bytes && len <= buf->capacity - buf->len) return buf->bytes + buf->len;
    return grow(buf, len);
}

void torc_buf_commit(torc_buf *buf, size_t len) {
    assert(len <= buf->capacity - buf->len);
    buf->len += len;
}

void torc_buf_add(torc_buf *buf, torc_str str) {
    if (str.len == 0) return;

    char *to = torc_buf_reserve(buf, str.len);
    if (!to) return;
    memcpy(to, str.bytes, str.len);
    buf->len += str.len;
}

void torc_buf_add_byte(torc_buf *buf, char byte) {
    char *to = torc_buf_reserve(buf, 1);
    if (!to) return;
    *to = byte;
    buf->len++;
}

void torc_buf_add_uint(torc_buf *buf, uint64_t value) {
    char digits[20], *first = digits + sizeof digits;

    do {
        *--first = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    torc_buf_add(buf, torc_str_make(first, (size_t)(digits + sizeof digits - first)));
}

void torc_buf_add_int(torc_buf *buf, int64_t value) {
    if (value >= 0) {
        torc_buf_add_uint(buf, (uint64_t)value);
        return;
    }
    char text[21];
    torc_buf whole;

    /* Sign and digits are appended together: all of the number or nothing. */
    torc_buf_init_fixed(&whole, text, sizeof text);
    torc_buf_add_byte(&whole, '-');
    torc_buf_add_uint(&whole, 0 - (uint64_t)value);
    torc_buf_add(buf, torc_buf_str(&whole));
}

void torc_buf_add_hex(torc_buf *buf, torc_str bytes) {
    const size_t len = bytes.len > SIZE_MAX / 2 ? SIZE_MAX : bytes.len * 2;
    char *to = torc_buf_reserve(buf, len);

    if (!to) return;
    for (size_t i = 0; i < bytes.len; i++) {
        const unsigned char byte = (unsigned char)bytes.bytes[i];
        *to++ = torc_hex_of(byte >> 4);
        *to++ = torc_hex_of(byte);
    }
    torc_buf_commit(buf, len);
}

void torc_buf_addf(torc_buf *buf, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    torc_buf_vaddf(buf, format, arguments);
    va_end(arguments);
}

/* The room that vsnprintf may use, with the byte for the NUL. */
static size_t room_for_text(const torc_buf *buf) {
    if (!buf->bytes) return 0;
    return buf->capacity - buf->len + (buf->fixed ? 0 : 1);
}

static int format_once(torc_buf *buf, const char *format, va_list arguments) {
    const size_t room = room_for_text(buf);
    va_list copy;

    va_copy(copy, arguments);
    const int len = vsnprintf(room ? buf->bytes + buf->len : NULL, room, format, copy);
    va_end(copy);
    return len;
}

void torc_buf_vaddf(torc_buf *buf, const char *format, va_list arguments) {
    if (buf->err) return;

    int len = format_once(buf, format, arguments);
    if (len < 0) {
        torc_buf_fail(buf, TORC_ERR_INVALID);
        return;
    }
    if ((size_t)len >= room_for_text(buf)) {
        if (!torc_buf_reserve(buf, (size_t)len + (buf->fixed ? 1 : 0))) return;
        len = format_once(buf, format, arguments);
    }
    torc_buf_commit(buf, (size_t)len);
}

void torc_buf_consume(torc_buf *buf, size_t len) {
    assert(len <= buf->len);
    buf->len -= len;
    if (buf->len > 0 && len > 0) memmove(buf->bytes, buf->bytes + len, buf->len);
}

void torc_buf_truncate(torc_buf *buf, size_t len) {
    if (len < buf->len) buf->len = len;
}
