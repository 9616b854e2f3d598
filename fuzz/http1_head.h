/* SPDX-License-Identifier: MIT */
#ifndef TORC_FUZZ_HTTP1_HEAD_H
#define TORC_FUZZ_HTTP1_HEAD_H

#include "base/page.h"
#include "fuzz.h"
#include "protocol/http1/parse.h"
#include "protocol/http1/serialize.h"

/*
 * Heads of requests and responses: whole and in steps, by vectors and byte by byte, the same comes
 * of them; and what was parsed and is written again is parsed as the same. The first byte of an
 * input chooses leniencies (1, 2), small limits (4), and the method that a response answers (8,
 * 16); the second one the steps.
 */
enum {
    HEAD_MAX = 1 << 16,
    SMALL_LIMITS = 4
};

void scalar_http1_parser_init(torc_http1_parser *parser, torc_arena *arena,
                              const torc_limits *limits, bool is_response, unsigned flags);
torc_http1_outcome scalar_http1_parse(torc_http1_parser *parser, torc_str bytes);

typedef struct head_world {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_limits limits;
    bool is_response;
    unsigned flags;
    torc_method method;
} head_world;

typedef struct head_result {
    torc_http1_outcome outcome;
    int status;
    const char *problem;
    uint32_t head_len;
    torc_head head;
    torc_http1_framing framing;
    char *bytes; /* the head's; freed by the caller */
} head_result;

static inline void take_head(head_world *world, torc_http1_parser *parser, head_result *result) {
    result->outcome =
        world->is_response
            ? torc_http1_take_response(parser, result->bytes, world->method, &result->head,
                                       &result->framing)
            : torc_http1_take_request(parser, result->bytes, &result->head, &result->framing);
    for (uint32_t i = 0; result->outcome == TORC_HTTP1_DONE && i < result->head.fields.count; i++) {
        const torc_field *field = &result->head.fields.items[i];
        FUZZ_CHECK(torc_field_name_is_valid(field->name));
        FUZZ_CHECK(torc_field_value_is_valid(field->value));
        FUZZ_CHECK(field->id == torc_field_find(field->name));
    }
}

static inline head_result end_head(head_world *world, torc_http1_parser *parser,
                                   torc_http1_outcome outcome, torc_str shown) {
    head_result result = {.outcome = outcome};

    if (outcome == TORC_HTTP1_DONE) {
        FUZZ_CHECK(parser->head_len <= shown.len);
        result.head_len = parser->head_len;
        result.bytes = fuzz_copy(torc_str_head(shown, parser->head_len));
        take_head(world, parser, &result);
    }
    if (result.outcome == TORC_HTTP1_BAD) {
        result.status = parser->status;
        result.problem = parser->problem;
        FUZZ_CHECK(result.problem && result.status >= 400);
    }
    return result;
}

static inline head_result parse_scalar(head_world *world, torc_str bytes) {
    torc_http1_parser parser;

    scalar_http1_parser_init(&parser, &world->arena, &world->limits, world->is_response,
                             world->flags);
    return end_head(world, &parser, scalar_http1_parse(&parser, bytes), bytes);
}

/* In steps by `seed`, each time in another place; 0: as a whole. */
static inline head_result parse_steps(head_world *world, torc_str bytes, uint32_t seed) {
    torc_http1_parser parser;
    torc_http1_outcome outcome = TORC_HTTP1_MORE;
    size_t len = seed ? 0 : bytes.len;
    char *shown = NULL;

    torc_http1_parser_init(&parser, &world->arena, &world->limits, world->is_response,
                           world->flags);
    do {
        if (seed) len += fuzz_step(&seed);
        if (len > bytes.len) len = bytes.len;
        free(shown);
        shown = fuzz_copy(torc_str_head(bytes, len));
        outcome = torc_http1_parse(&parser, torc_str_make(shown, len));
    } while (outcome == TORC_HTTP1_MORE && len < bytes.len);
    const head_result result = end_head(world, &parser, outcome, torc_str_make(shown, len));
    free(shown);
    return result;
}

static inline void check_same_slice(torc_str a, torc_str b) {
    FUZZ_CHECK(torc_str_equals(a, b));
    FUZZ_CHECK((a.bytes == NULL) == (b.bytes == NULL));
}

static inline void check_same_head(const torc_head *a, const torc_head *b) {
    FUZZ_CHECK(a->version == b->version && a->body_len == b->body_len && a->status == b->status);
    FUZZ_CHECK(a->method == b->method && a->target.form == b->target.form);
    check_same_slice(a->method_text, b->method_text);
    check_same_slice(a->reason, b->reason);
    check_same_slice(a->target.text, b->target.text);
    check_same_slice(a->target.scheme, b->target.scheme);
    check_same_slice(a->target.authority, b->target.authority);
    check_same_slice(a->target.path, b->target.path);
    check_same_slice(a->target.query, b->target.query);
    FUZZ_CHECK(a->fields.count == b->fields.count);
    for (uint32_t i = 0; i < a->fields.count; i++) {
        check_same_slice(a->fields.items[i].name, b->fields.items[i].name);
        check_same_slice(a->fields.items[i].value, b->fields.items[i].value);
        FUZZ_CHECK(a->fields.items[i].id == b->fields.items[i].id);
    }
}

static inline void check_same_result(const head_result *a, const head_result *b) {
    FUZZ_CHECK(a->outcome == b->outcome && a->status == b->status && a->head_len == b->head_len);
    if (a->problem) FUZZ_CHECK(strcmp(a->problem, b->problem) == 0);
    if (a->outcome != TORC_HTTP1_DONE) return;
    check_same_head(&a->head, &b->head);
    FUZZ_CHECK(a->framing.body_len == b->framing.body_len &&
               a->framing.is_chunked == b->framing.is_chunked);
    FUZZ_CHECK(a->framing.until_close == b->framing.until_close &&
               a->framing.keeps_alive == b->framing.keeps_alive);
    FUZZ_CHECK(a->framing.expects_continue == b->framing.expects_continue);
    FUZZ_CHECK(a->framing.has_upgrade == b->framing.has_upgrade);
    FUZZ_CHECK(a->framing.takes_trailers == b->framing.takes_trailers);
}

/* A head cannot be complete, or bad for another reason, when some of it is missing. */
static inline void check_prefix(head_world *world, torc_str bytes, const head_result *whole,
                                uint32_t seed) {
    const size_t max = whole->head_len ? whole->head_len : bytes.len;
    head_result cut;

    if (whole->outcome == TORC_HTTP1_MORE || max == 0) return;
    cut = parse_steps(world, torc_str_head(bytes, seed * 7919 % max), 0);
    FUZZ_CHECK(cut.outcome != TORC_HTTP1_DONE);
    if (cut.outcome == TORC_HTTP1_BAD) FUZZ_CHECK(strcmp(cut.problem, whole->problem) == 0);
    free(cut.bytes);
}

/* What is left out when it is written: the wire's own. */
static inline torc_fields without_wires(const torc_fields *fields, torc_field *items) {
    torc_fields kept = {items, 0, 0};

    for (uint32_t i = 0; i < fields->count; i++) {
        const torc_field_id id = fields->items[i].id;
        if (id != TORC_FIELD_CONTENT_LENGTH && id != TORC_FIELD_TRANSFER_ENCODING &&
            id != TORC_FIELD_KEEP_ALIVE && id != TORC_FIELD_CONNECTION)
            items[kept.count++] = fields->items[i];
    }
    return kept;
}

static inline void check_written(head_world *world, const head_result *whole) {
    static const torc_http1_framing_out framing = {.body = TORC_HTTP1_BODY_NONE};
    const size_t size = torc_http1_head_size(&whole->head);
    char *const text = malloc(size);
    torc_field *items = malloc((whole->head.fields.count + 1) * sizeof(*items));

    FUZZ_CHECK(text && items);
    const size_t len = world->is_response ? torc_http1_write_response(&whole->head, &framing, text)
                                          : torc_http1_write_request(&whole->head, &framing, text);
    FUZZ_CHECK(len <= size);
    const head_result again = parse_steps(world, torc_str_make(text, len), 0);
    FUZZ_CHECK(again.outcome == TORC_HTTP1_DONE && again.head_len == len);
    torc_head expected = whole->head;
    expected.fields = without_wires(&whole->head.fields, items);
    expected.body_len = again.head.body_len;
    expected.version = again.head.version;
    check_same_head(&expected, &again.head);
    free(again.bytes);
    free(items);
    free(text);
}

static inline int fuzz_head(const uint8_t *data, size_t size, bool is_response) {
    static const torc_method methods[] = {TORC_METHOD_GET, TORC_METHOD_HEAD, TORC_METHOD_CONNECT,
                                          TORC_METHOD_POST};
    fuzz_input input = fuzz_begin(data, size);
    const uint8_t choice = fuzz_byte(&input);
    const uint32_t seed = fuzz_byte(&input);
    head_world world = {
        .is_response = is_response, .flags = choice & 3, .method = methods[choice >> 3 & 3]};

    if (input.rest.len > HEAD_MAX) return 0;
    torc_memory_init(&world.memory, 0);
    torc_page_pool_init(&world.pages, &world.memory, 16);
    torc_arena_init(&world.arena, &world.pages, 1 << 22);
    world.limits = torc_limits_default();
    if (choice & SMALL_LIMITS) {
        world.limits.request_line_bytes_max = 40;
        world.limits.section_bytes_max = 150;
        world.limits.fields_max = 20;
    }
    const head_result whole = parse_steps(&world, input.rest, 0);
    const head_result scalar = parse_scalar(&world, input.rest);
    const head_result split = parse_steps(&world, input.rest, seed + 1);
    check_same_result(&whole, &scalar);
    check_same_result(&whole, &split);
    check_prefix(&world, input.rest, &whole, seed);
    /* A request of 1.0 may lack the Host that it needs in the version that is written. */
    if (whole.outcome == TORC_HTTP1_DONE && whole.head.version > 10 && !(choice & SMALL_LIMITS))
        check_written(&world, &whole);
    free(whole.bytes);
    free(scalar.bytes);
    free(split.bytes);
    torc_arena_dispose(&world.arena);
    torc_page_pool_dispose(&world.pages);
    FUZZ_CHECK(world.memory.used_total == 0);
    return 0;
}

#endif
