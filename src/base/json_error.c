/* SPDX-License-Identifier: MIT */
/*
 * Telling what is wrong with a document: where it is, what would have been right, what was found.
 *
 *  - Lines end with LF. Columns count characters: all bytes but those that follow in UTF-8.
 */
#include <stdio.h>
#include <torc/utf8.h>

#include "base/json_token.h"

enum {
    DEPTH_DEFAULT = 64,
    VALUES_DEFAULT = 1000000,
    NUMBER_DEFAULT = 1024,
    TOKEN_DEFAULT = 65536,
    NAME_SHOWN = 40
};

torc_json_limits torc_json_limits_of(const torc_json_limits *limits) {
    torc_json_limits full = limits ? *limits : (torc_json_limits){0};

    if (!full.depth_max) full.depth_max = DEPTH_DEFAULT;
    if (full.depth_max > TORC_JSON_LEVELS_MAX) full.depth_max = TORC_JSON_LEVELS_MAX;
    if (!full.bytes_max) full.bytes_max = UINT32_MAX;
    if (!full.value_count_max) full.value_count_max = VALUES_DEFAULT;
    if (!full.number_bytes_max) full.number_bytes_max = NUMBER_DEFAULT;
    if (!full.token_bytes_max) full.token_bytes_max = TOKEN_DEFAULT;
    return full;
}

void torc_json_place_advance(torc_json_place *place, torc_str bytes) {
    const char *const end = bytes.bytes + bytes.len, *line = bytes.bytes, *feed;

    place->offset += bytes.len;
    if (bytes.len == 0) return;
    while ((feed = memchr(line, '\n', (size_t)(end - line)))) {
        place->line++;
        place->column = 0;
        line = feed + 1;
    }
    for (; line < end; line++) place->column += ((unsigned char)*line & 0xc0) != 0x80;
}

/* Append a name as a JSON string, cut if it is long. */
static void add_name(torc_buf *text, torc_str name) {
    torc_str shown = torc_str_head(name, NAME_SHOWN);
    torc_json json;

    if (shown.len < name.len) shown.len = torc_utf8_valid_len(shown);
    torc_json_init_buf(&json, text, TORC_JSON_REPLACE_INVALID);
    torc_json_str(&json, shown);
    (void)!torc_json_end(&json);
    if (shown.len < name.len) torc_buf_add(text, TORC_STR("…"));
}

static void add_found(torc_buf *text, torc_str rest) {
    torc_str after = rest;
    uint32_t code;

    torc_buf_add(text, TORC_STR(", found "));
    if (rest.len == 0) {
        torc_buf_add(text, TORC_STR("the end"));
    } else if (torc_utf8_decode(&after, &code)) {
        torc_buf_addf(text, "the byte 0x%02x", (unsigned char)rest.bytes[0]);
    } else if (code < ' ' || (code >= 0x7f && code < 0xa0) || code == 0xfeff) {
        torc_buf_addf(text, "U+%04X", code);
    } else {
        torc_buf_addf(text, "`%.*s`", (int)(rest.len - after.len), rest.bytes);
    }
}

torc_err torc_json_tell(torc_json_error *error, const torc_json_fault *fault, torc_json_place place,
                        torc_str rest, const char *after_text, torc_str after) {
    torc_buf text;

    if (!error) return fault->err;
    *error = (torc_json_error){.err = fault->err,
                               .line = place.line + 1,
                               .column = place.column + 1,
                               .offset = place.offset};
    torc_buf_init_fixed(&text, error->text, sizeof error->text - 1);
    torc_buf_add(&text, fault->is_sentence ? TORC_STR("") : TORC_STR("expected "));
    torc_buf_add(&text, torc_str_of(fault->expected));
    if (after_text) {
        torc_buf_add(&text, torc_str_of(after_text));
        add_name(&text, after);
    }
    if (!fault->is_sentence) add_found(&text, rest);
    return fault->err;
}
