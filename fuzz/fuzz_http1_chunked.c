/* SPDX-License-Identifier: MIT */
/*
 * Bodies in chunks, with their trailers: whole, in pieces and with little asked for at a time, the
 * same comes of them; and content that is written in chunks is read as it was. The first byte of an
 * input chooses the pieces, the second one how much is asked for.
 */
#include "base/page.h"
#include "fuzz.h"
#include "protocol/http1/chunked.h"
#include "protocol/http1/parse.h"

enum {
    LINE_BYTES_MAX = 64
};

typedef struct decoded {
    torc_chunked_outcome outcome;
    const char *problem;
    char *content;
    size_t len, taken;
} decoded;

/* Decode one piece as far as it goes. */
static void decode_piece(torc_chunked_decoder *decoder, torc_str piece, size_t ask,
                         decoded *result) {
    torc_str content;
    size_t taken;

    do {
        result->outcome = torc_chunked_decode(decoder, piece, ask, &taken, &content);
        FUZZ_CHECK(taken <= piece.len);
        if (result->outcome == TORC_CHUNKED_CONTENT) {
            FUZZ_CHECK(content.len > 0 && content.len <= ask && fuzz_is_within(content, piece));
            memcpy(result->content + result->len, content.bytes, content.len);
            result->len += content.len;
        }
        piece = torc_str_from(piece, taken);
        result->taken += taken;
    } while (result->outcome == TORC_CHUNKED_CONTENT);
    if (result->outcome == TORC_CHUNKED_MORE) FUZZ_CHECK(piece.len == 0);
}

/* In pieces by `seed`; 0: as a whole. */
static decoded decode(torc_str bytes, uint32_t seed, size_t ask) {
    torc_chunked_decoder decoder;
    decoded result = {.outcome = TORC_CHUNKED_MORE, .content = fuzz_copy(bytes)}; /* room for it */

    torc_chunked_decoder_init(&decoder, LINE_BYTES_MAX);
    while (result.outcome == TORC_CHUNKED_MORE && bytes.len > 0) {
        const torc_str piece = torc_str_head(bytes, seed ? fuzz_step(&seed) : bytes.len);
        char *const shown = fuzz_copy(piece);
        decode_piece(&decoder, torc_str_make(shown, piece.len), ask, &result);
        free(shown);
        bytes = torc_str_from(bytes, piece.len);
    }
    if (result.outcome == TORC_CHUNKED_BAD) {
        result.problem = decoder.problem;
        FUZZ_CHECK(result.problem);
    }
    return result;
}

static void check_same(const decoded *a, const decoded *b) {
    FUZZ_CHECK(a->outcome == b->outcome && a->problem == b->problem);
    FUZZ_CHECK(a->taken == b->taken && a->len == b->len);
    FUZZ_CHECK(memcmp(a->content, b->content, a->len) == 0);
}

/* ---- trailers ---- */

typedef struct trailers {
    torc_http1_outcome outcome;
    int status;
    uint32_t count, len;
} trailers;

static trailers parse_trailers(torc_str bytes, uint32_t seed) {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_http1_parser parser;
    torc_limits limits = torc_limits_default();
    torc_fields fields = {0};
    trailers result = {.outcome = TORC_HTTP1_MORE};
    size_t len = seed ? 0 : bytes.len;

    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pages, &memory, 4);
    torc_arena_init(&arena, &pages, 1 << 20);
    limits.trailers_bytes_max = 200;
    torc_http1_parser_init_trailers(&parser, &arena, &limits, 0);
    do {
        if (seed) len += fuzz_step(&seed);
        if (len > bytes.len) len = bytes.len;
        char *const shown = fuzz_copy(torc_str_head(bytes, len));
        result.outcome = torc_http1_parse(&parser, torc_str_make(shown, len));
        if (result.outcome == TORC_HTTP1_DONE) {
            result.outcome = torc_http1_take_trailers(&parser, shown, &fields);
            result.len = parser.head_len;
        }
        free(shown);
    } while (result.outcome == TORC_HTTP1_MORE && len < bytes.len);
    result.count = fields.count;
    if (result.outcome == TORC_HTTP1_BAD) result.status = parser.status;
    for (uint32_t i = 0; result.outcome == TORC_HTTP1_DONE && i < fields.count; i++)
        FUZZ_CHECK(torc_field_is_allowed_in_trailers(fields.items[i].id));
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    return result;
}

static void check_trailers(torc_str bytes, uint32_t seed) {
    const trailers whole = parse_trailers(bytes, 0), split = parse_trailers(bytes, seed);

    FUZZ_CHECK(whole.outcome == split.outcome && whole.status == split.status);
    FUZZ_CHECK(whole.count == split.count && whole.len == split.len);
}

/* ---- writing ---- */

static size_t write_chunks(torc_str content, uint32_t seed, char *to) {
    char *at = to;

    while (content.len > 0) {
        const torc_str chunk = torc_str_head(content, fuzz_step(&seed));
        at += torc_chunked_write_line(chunk.len, at);
        memcpy(at, chunk.bytes, chunk.len);
        at += chunk.len;
        memcpy(at, "\r\n", 2);
        at += 2;
        content = torc_str_from(content, chunk.len);
    }
    memcpy(at, "0\r\n", 3);
    return (size_t)(at + 3 - to);
}

static void check_written(torc_str content, uint32_t seed) {
    char *const text = malloc(content.len * (TORC_CHUNKED_LINE_MAX + 3) + 3);

    FUZZ_CHECK(text);
    const size_t len = write_chunks(content, seed, text);
    const decoded result = decode(torc_str_make(text, len), 0, SIZE_MAX);
    FUZZ_CHECK(result.outcome == TORC_CHUNKED_LAST && result.taken == len);
    FUZZ_CHECK(torc_str_equals(torc_str_make(result.content, result.len), content));
    free(result.content);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint32_t seed = fuzz_byte(&input) + 1u;
    const size_t ask = fuzz_byte(&input) + 1u;

    const decoded whole = decode(input.rest, 0, SIZE_MAX);
    const decoded split = decode(input.rest, seed, SIZE_MAX);
    const decoded little = decode(input.rest, seed, ask);
    check_same(&whole, &split);
    check_same(&whole, &little);
    if (whole.outcome == TORC_CHUNKED_LAST)
        check_trailers(torc_str_from(input.rest, whole.taken), seed);
    check_written(input.rest, seed);
    free(whole.content);
    free(split.content);
    free(little.content);
    return 0;
}
