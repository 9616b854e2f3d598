/* SPDX-License-Identifier: MIT */
/*
 * JSON: the tree and the reader of pieces tell the same of any text; what is read is written and
 * reads back the same, compact and indented. The first bytes of an input choose the pieces and the
 * rules.
 */
#include <torc/json_reader.h>

#include "../tests/support/json_trace.h"
#include "fuzz.h"

static torc_memory memory;

/* Read a text in pieces, each in memory of its own. */
static torc_err read_in_pieces(torc_json_reader *reader, torc_str text, uint32_t seed) {
    while (text.len > 0) {
        const torc_str piece = torc_str_head(text, fuzz_step(&seed));
        char *const bytes = fuzz_copy(piece);
        const torc_err err = torc_json_reader_feed(reader, torc_str_make(bytes, piece.len));
        free(bytes);
        if (err) return err;
        text = torc_str_from(text, piece.len);
    }
    return torc_json_reader_finish(reader);
}

static void write_out(torc_buf *buf, const torc_json_value *value, torc_json_options options) {
    torc_json json;

    torc_buf_init(buf, &memory, TORC_MEMORY_OTHER, 1 << 26);
    torc_json_init_buf(&json, buf, options);
    torc_json_write_value(&json, value);
    FUZZ_CHECK(torc_json_end(&json) == TORC_OK);
}

/* What is written reads back as what it was. */
static void check_written(torc_arena *arena, const torc_json_value *value, torc_str trace,
                          unsigned rules, torc_json_options options) {
    const torc_json_limits limits = {.rules = rules};
    const torc_json_value *again;
    torc_buf text, traced;

    write_out(&text, value, options);
    FUZZ_CHECK(torc_json_parse(arena, torc_buf_str(&text), &limits, &again, NULL) == TORC_OK);
    torc_buf_init(&traced, &memory, TORC_MEMORY_OTHER, 1 << 26);
    json_trace_value(&traced, again, 0);
    FUZZ_CHECK(torc_str_equals(torc_buf_str(&traced), trace));
    torc_buf_dispose(&traced);
    torc_buf_dispose(&text);
}

static void check_text(torc_str text, uint32_t seed, unsigned rules) {
    const torc_json_limits limits = {.rules = rules, .token_bytes_max = 1 << 24};
    torc_arena *arena = torc_arena_new(&memory, (size_t)1 << 30);
    const torc_json_value *value;
    torc_json_error error;
    torc_buf expected;
    json_trace trace;

    FUZZ_CHECK(arena);
    torc_buf_init(&expected, &memory, TORC_MEMORY_OTHER, 1 << 26);
    json_trace_init(&trace, &memory, &limits);
    const torc_err err = torc_json_parse(arena, text, &limits, &value, &error);
    const torc_err piecewise = read_in_pieces(&trace.reader, text, seed);
    const torc_json_error *said = &trace.reader.error;
    FUZZ_CHECK(err == piecewise);
    FUZZ_CHECK(!err || (said->offset == error.offset && said->line == error.line &&
                        said->column == error.column && error.offset <= text.len));
    if (!err) {
        json_trace_value(&expected, value, 0);
        check_written(arena, value, torc_buf_str(&expected), rules, TORC_JSON_PLAIN);
        check_written(arena, value, torc_buf_str(&expected), rules, TORC_JSON_PRETTY);
        check_written(arena, value, torc_buf_str(&expected), rules, TORC_JSON_FOR_HTML);
        torc_buf_add(&expected, TORC_STR(" ."));
        FUZZ_CHECK(torc_str_equals(torc_buf_str(&expected), torc_buf_str(&trace.text)));
    }
    json_trace_dispose(&trace);
    torc_buf_dispose(&expected);
    torc_arena_free(arena);
    FUZZ_CHECK(memory.used_total == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint32_t seed = fuzz_byte(&input);
    const uint8_t choice = fuzz_byte(&input);
    char *const bytes = fuzz_copy(input.rest);
    const torc_str text = torc_str_make(bytes, input.rest.len);

    torc_memory_init(&memory, 0);
    check_text(text, seed,
               (choice & 1 ? TORC_JSON_REPLACE_SURROGATES : 0) | (choice & 2 ? TORC_JSON_COPY : 0));
    free(bytes);
    return 0;
}
