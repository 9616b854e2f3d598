/* SPDX-License-Identifier: MIT */
/*
 * Forms as in a query: name=value, joined by `&` (URL Standard §5.1).
 *
 *  - The names and values are those that torc_request_arg() gives of the same text: `+` is a space,
 *    what is no escape stands for itself, items without a byte are left out, and one without an `=`
 *    has no value.
 *  - A name is collected; a value is given as it comes: what has no escape in it, where it stands,
 *    and the rest through a few bytes of the parser's own.
 *  - States: NAME → VALUE, or NAME → BARE for an item without `=`; back to NAME behind each item.
 */
#include <torc/target.h>

#include "http/form_parse.h"

typedef enum state {
    NAME,
    VALUE,
    BARE, /* it was told, its end was not */
    BAD
} state;

void torc_urlencoded_init(torc_urlencoded *parser, torc_reactor *reactor,
                          const torc_limits *limits) {
    const uint32_t name_max = limits->form_name_bytes_max;

    *parser = (torc_urlencoded){.base = {.name_bytes_max = name_max}, .state = NAME};
    torc_buf_init(&parser->name, &reactor->memory, TORC_MEMORY_INPUT,
                  TORC_PERCENT_ENCODED_MAX((size_t)name_max));
}

void torc_urlencoded_dispose(torc_urlencoded *parser) {
    torc_buf_dispose(&parser->name);
}

static torc_form_event fail(torc_urlencoded *self, torc_err err, const char *problem) {
    self->state = BAD;
    self->base.err = err;
    self->base.problem = problem;
    return TORC_FORM_BAD;
}

static torc_form_event too_long(torc_urlencoded *self) {
    return fail(self, TORC_ERR_TOO_LARGE, "the name of a field is too long");
}

/* The name is complete: decode it in place. */
static torc_form_event begin_item(torc_urlencoded *self, bool is_bare) {
    const torc_str raw = torc_buf_str(&self->name);
    const size_t len = raw.len ? torc_percent_decode(raw, true, self->name.bytes) : 0;

    if (len > self->base.name_bytes_max) return too_long(self);
    self->base.part = (torc_form_part){
        .name = torc_str_make(raw.len ? raw.bytes : "", len),
        .is_bare = is_bare,
    };
    self->state = is_bare ? BARE : VALUE;
    return TORC_FORM_PART;
}

static torc_form_event end_item(torc_urlencoded *self) {
    self->state = NAME;
    torc_buf_clear(&self->name);
    return TORC_FORM_PART_END;
}

static size_t length_until(torc_str bytes, const char *stops) {
    size_t len = 0;

    while (len < bytes.len && bytes.bytes[len] != stops[0] && bytes.bytes[len] != stops[1] &&
           bytes.bytes[len] != stops[2])
        len++;
    return len;
}

static torc_form_event take_name(torc_urlencoded *self, torc_str *bytes) {
    const torc_str piece = torc_str_head(*bytes, length_until(*bytes, "==&"));

    torc_buf_add(&self->name, piece);
    if (torc_buf_err(&self->name) == TORC_ERR_LIMIT) return too_long(self);
    if (torc_buf_err(&self->name))
        return fail(self, TORC_ERR_NO_MEMORY, torc_err_text(TORC_ERR_NO_MEMORY));
    *bytes = torc_str_from(*bytes, piece.len);
    if (bytes->len == 0) return TORC_FORM_MORE;

    const bool has_value = bytes->bytes[0] == '=';
    *bytes = torc_str_from(*bytes, 1);
    if (has_value || self->name.len > 0) return begin_item(self, !has_value);
    return TORC_FORM_MORE;
}

/* What is held is no escape, or was not to be one. */
static size_t release_held(torc_urlencoded *self, char *to) {
    const size_t len = self->held_len;

    memcpy(to, self->held, len);
    self->held_len = 0;
    return len;
}

/* One byte of a value; `*len` is how many it decodes to. False: it was not taken. */
static bool decode_byte(torc_urlencoded *self, char byte, char *to, size_t *len) {
    if (self->held_len > 0 && torc_hex_digit(byte) < 0) {
        *len = release_held(self, to);
        return false;
    }
    *len = 0;
    if (self->held_len == 0 && byte != '%') {
        to[(*len)++] = byte == '+' ? ' ' : byte;
        return true;
    }
    self->held[self->held_len++] = byte;
    if (self->held_len < 3) return true;
    to[(*len)++] = (char)(torc_hex_digit(self->held[1]) << 4 | torc_hex_digit(self->held[2]));
    self->held_len = 0;
    return true;
}

/* Decode until the buffer is full, or the value or the piece ends. */
static size_t decode(torc_urlencoded *self, torc_str *bytes) {
    size_t len = 0, more;

    while (bytes->len > 0 && len + sizeof(self->held) <= sizeof(self->decoded)) {
        const char byte = bytes->bytes[0];
        if (byte == '&' && self->held_len == 0) break;
        if (decode_byte(self, byte, self->decoded + len, &more)) *bytes = torc_str_from(*bytes, 1);
        len += more;
    }
    return len;
}

static torc_form_event give(torc_str bytes, torc_str *content) {
    *content = bytes;
    return TORC_FORM_CONTENT;
}

static torc_form_event take_value(torc_urlencoded *self, torc_str *bytes, torc_str *content) {
    const torc_str plain = torc_str_head(*bytes, length_until(*bytes, "%+&"));

    if (plain.len > 0 && self->held_len == 0) {
        *bytes = torc_str_from(*bytes, plain.len);
        return give(plain, content);
    }
    const size_t len = decode(self, bytes);
    if (len > 0) return give(torc_str_make(self->decoded, len), content);
    if (bytes->len == 0) return TORC_FORM_MORE;
    *bytes = torc_str_from(*bytes, 1);
    return end_item(self);
}

/* There are no more bytes. */
static torc_form_event conclude(torc_urlencoded *self, torc_str *content) {
    if (self->held_len > 0)
        return give(torc_str_make(self->decoded, release_held(self, self->decoded)), content);
    if (self->state == VALUE) return end_item(self);
    return self->name.len > 0 ? begin_item(self, true) : TORC_FORM_END;
}

torc_form_event torc_urlencoded_parse(torc_urlencoded *parser, torc_str *bytes, bool is_last,
                                      torc_str *content) {
    torc_form_event event = TORC_FORM_MORE;

    if (parser->state == BAD) return TORC_FORM_BAD;
    if (parser->state == BARE) return end_item(parser);
    while (event == TORC_FORM_MORE && bytes->len > 0)
        event =
            parser->state == NAME ? take_name(parser, bytes) : take_value(parser, bytes, content);
    if (event == TORC_FORM_MORE && is_last) return conclude(parser, content);
    return event;
}
