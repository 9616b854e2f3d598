/* SPDX-License-Identifier: MIT */
/*
 * The parser for protocols of one's own: it tells the same however the bytes are cut. The first
 * byte of an input chooses responses (1) and leniencies (2, 4), the second one the pieces.
 */
#include <torc/http1_reader.h>

#include "fuzz.h"

enum {
    INPUT_MAX = 16384
};

typedef struct told {
    char *text;
    size_t len;
    torc_err err;
    int status;
} told;

static void tell(told *self, const char *mark, torc_str bytes) {
    self->text[self->len++] = *mark;
    if (bytes.len) memcpy(self->text + self->len, bytes.bytes, bytes.len);
    self->len += bytes.len;
}

static void head_received(torc_http1_reader *reader, void *context, const torc_head *head) {
    (void)reader;
    tell(context, "[", head->status ? head->reason : head->target.text);
    for (uint32_t i = 0; i < head->fields.count; i++)
        tell(context, "=", head->fields.items[i].value);
    tell(context, "|", TORC_STR(""));
}

static void body_received(torc_http1_reader *reader, void *context, torc_str bytes) {
    told *self = context;

    (void)reader;
    FUZZ_CHECK(bytes.len > 0);
    memcpy(self->text + self->len, bytes.bytes, bytes.len);
    self->len += bytes.len;
}

static void message_ended(torc_http1_reader *reader, void *context, const torc_fields *trailers) {
    (void)reader;
    tell(context, "]", TORC_STR(""));
    for (uint32_t i = 0; trailers && i < trailers->count; i++)
        tell(context, "+", trailers->items[i].value);
}

static const torc_http1_reader_ops ops = {head_received, body_received, message_ended};

static told read_by(torc_str bytes, uint8_t choice, size_t piece) {
    const torc_http1_reader_options options = {.size = sizeof(options),
                                               .reads_responses = choice & 1,
                                               .allow_bare_lf = choice & 2,
                                               .allow_folded_fields = choice & 4};
    told self = {.text = malloc(4 * bytes.len + 64)};
    torc_http1_reader *reader;
    torc_memory memory;
    size_t taken = 0;

    torc_memory_init(&memory, 0);
    FUZZ_CHECK(self.text);
    FUZZ_CHECK(!torc_http1_reader_new(&memory, &ops, &options, &self, &reader));
    for (size_t at = 0; at < bytes.len && !self.err; at += taken) {
        char *const copy = fuzz_copy(torc_str_head(torc_str_from(bytes, at), piece));
        const size_t len = bytes.len - at < piece ? bytes.len - at : piece;
        self.err = torc_http1_reader_feed(reader, torc_str_make(copy, len), &taken);
        free(copy);
        FUZZ_CHECK(taken <= len);
        if (!self.err && taken < len) break;
    }
    if (!self.err) self.err = torc_http1_reader_end(reader);
    self.status = torc_http1_reader_status(reader);
    torc_http1_reader_free(reader);
    FUZZ_CHECK(memory.used_total == 0);
    return self;
}

static void check_chunks(torc_str bytes) {
    torc_str rest = bytes, content;
    torc_err err;

    while (rest.len && !(err = torc_chunk_decode(&rest, &content)) && content.len)
        FUZZ_CHECK(fuzz_is_within(content, bytes) && fuzz_is_within(rest, bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint8_t choice = fuzz_byte(&input);
    const size_t piece = fuzz_byte(&input) + 1u;

    if (input.rest.len > INPUT_MAX) return 0;
    const told whole = read_by(input.rest, choice, SIZE_MAX);
    const told pieces = read_by(input.rest, choice, piece);
    FUZZ_CHECK(whole.err == pieces.err && whole.status == pieces.status);
    FUZZ_CHECK(whole.len == pieces.len && memcmp(whole.text, pieces.text, whole.len) == 0);
    check_chunks(input.rest);
    free(whole.text);
    free(pieces.text);
    return 0;
}
