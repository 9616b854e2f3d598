/* SPDX-License-Identifier: MIT */
/*
 * UTF-8: the whole text, its pieces and its characters one by one tell the same; and what JSON
 * makes of any bytes is UTF-8 without controls. The first byte of an input chooses the pieces.
 */
#include <torc/json.h>
#include <torc/utf8.h>

#include "base/json_scan.h"
#include "fuzz.h"

/* The length of the valid beginning, a character at a time. */
static size_t valid_len(torc_str text) {
    torc_str rest = text;
    uint32_t code;

    while (torc_utf8_decode(&rest, &code) == TORC_OK) {
        char bytes[4];
        const size_t len = torc_utf8_encode(code, bytes);
        FUZZ_CHECK(len > 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000));
        FUZZ_CHECK(memcmp(rest.bytes - len, bytes, len) == 0);
    }
    return text.len - rest.len;
}

static bool is_valid_in_pieces(torc_str text, uint32_t seed) {
    torc_utf8 state = {0};

    while (text.len > 0) {
        const torc_str piece = torc_str_head(text, fuzz_step(&seed));
        if (torc_utf8_check(&state, piece)) return false;
        text = torc_str_from(text, piece.len);
    }
    return torc_utf8_is_whole(&state);
}

static void check_json(torc_str text, torc_json_options options, bool is_valid) {
    torc_memory memory;
    torc_buf buf;
    torc_json json;

    torc_memory_init(&memory, 0);
    torc_buf_init(&buf, &memory, TORC_MEMORY_OTHER, 1 << 24);
    torc_json_init_buf(&json, &buf, options);
    torc_json_str(&json, text);
    const torc_err err = torc_json_end(&json);
    FUZZ_CHECK(err ==
               (is_valid || (options & TORC_JSON_REPLACE_INVALID) ? TORC_OK : TORC_ERR_UTF8));
    FUZZ_CHECK(err || torc_utf8_is_valid(torc_buf_str(&buf)));
    for (size_t i = 0; !err && i < buf.len; i++) {
        FUZZ_CHECK((unsigned char)buf.bytes[i] >= ' ');
        if (options & TORC_JSON_FOR_HTML) FUZZ_CHECK(!strchr("<>&", buf.bytes[i]));
    }
    torc_buf_dispose(&buf);
    FUZZ_CHECK(memory.used_total == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint32_t seed = fuzz_byte(&input);
    char *const bytes = fuzz_copy(input.rest);
    const torc_str text = torc_str_make(bytes, input.rest.len);
    const size_t len = valid_len(text);

    FUZZ_CHECK(torc_utf8_valid_len(text) == len);
    FUZZ_CHECK(torc_utf8_is_valid(text) == (len == text.len));
    FUZZ_CHECK(is_valid_in_pieces(text, seed) == (len == text.len));
    for (int for_html = 0; for_html < 2; for_html++)
        FUZZ_CHECK(torc_json_scan(text, for_html) == torc_json_scan_scalar(text, for_html));
    for (int options = 0; options < 4; options++)
        check_json(text, (torc_json_options)options, len == text.len);
    free(bytes);
    return 0;
}
