/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_HTTP1_WORLD_H
#define TORC_TESTS_HTTP1_WORLD_H

#include <stdio.h>

#include "base/page.h"
#include "guarded.h"
#include "protocol/http1/parse.h"

/*
 * Parsing heads with the parser's promises checked on the way: an input is presented as a whole, by
 * each of its prefixes, in two pieces cut anywhere, and in steps of a few bytes; each time in
 * another place, and so that one byte read too far is found. What comes of it has to be the same.
 */
enum {
    WORLD_BYTES_MAX = 1 << 17,
    WORLD_TEXT_MAX = 1 << 18
};

typedef struct world {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_limits limits;
    guarded places[2];
    char bytes[WORLD_BYTES_MAX];
} world;

static world *the;

static int set_up(void **state) {
    static world self;

    (void)state;
    the = &self;
    torc_memory_init(&self.memory, 0);
    torc_page_pool_init(&self.pages, &self.memory, 16);
    torc_arena_init(&self.arena, &self.pages, 1 << 22);
    self.limits = torc_limits_default();
    for (int i = 0; i < 2; i++) self.places[i] = guarded_new(WORLD_BYTES_MAX / 4096);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_arena_dispose(&the->arena);
    torc_page_pool_dispose(&the->pages);
    for (int i = 0; i < 2; i++) guarded_free(&the->places[i]);
    return the->memory.used_total == 0 ? 0 : -1;
}

typedef struct given {
    torc_str bytes;
    unsigned flags;
    bool is_response;
    torc_method method; /* of the request that a response answers */
    bool is_trailers;
} given;

typedef struct parsed {
    torc_http1_outcome outcome;
    int status;
    const char *problem;
    torc_head head;
    torc_http1_framing framing;
    uint32_t head_len;
} parsed;

static inline void begin(torc_http1_parser *parser, const given *input) {
    if (input->is_trailers)
        torc_http1_parser_init_trailers(parser, &the->arena, &the->limits, input->flags);
    else
        torc_http1_parser_init(parser, &the->arena, &the->limits, input->is_response, input->flags);
}

/* Present all bytes up to each of `ends`, until that is enough. */
static inline parsed parse_by(const given *input, const size_t *ends, size_t count) {
    parsed result = {.outcome = TORC_HTTP1_MORE};
    torc_http1_parser parser;
    torc_str shown = {0};

    begin(&parser, input);
    for (size_t i = 0; i < count && result.outcome == TORC_HTTP1_MORE; i++) {
        shown = guarded_at_end(&the->places[i % 2], torc_str_head(input->bytes, ends[i]));
        result.outcome = torc_http1_parse(&parser, shown);
    }
    if (result.outcome == TORC_HTTP1_DONE) {
        result.head_len = parser.head_len;
        assert_true(parser.head_len <= shown.len);
        memcpy(the->bytes, shown.bytes, parser.head_len);
        if (input->is_trailers)
            result.outcome = torc_http1_take_trailers(&parser, the->bytes, &result.head.fields);
        else if (input->is_response)
            result.outcome = torc_http1_take_response(&parser, the->bytes, input->method,
                                                      &result.head, &result.framing);
        else
            result.outcome =
                torc_http1_take_request(&parser, the->bytes, &result.head, &result.framing);
    }
    if (result.outcome == TORC_HTTP1_BAD) {
        result.status = parser.status;
        result.problem = parser.problem;
        assert_non_null(result.problem);
    }
    return result;
}

static inline int put_str(char *at, const char *what, torc_str str) {
    if (!str.bytes) return sprintf(at, "%s none\n", what);
    return sprintf(at, "%s <%.*s>\n", what, TORC_STR_ARGS(str));
}

/* All that is known of the result, as text. */
static inline void describe(const parsed *result, char *to) {
    const torc_head *head = &result->head;
    const torc_http1_framing *framing = &result->framing;

    to += sprintf(to, "outcome %d status %d problem %s\n", (int)result->outcome, result->status,
                  result->problem ? result->problem : "none");
    if (result->outcome != TORC_HTTP1_DONE) return;
    to += sprintf(to, "len %u version %d status %d method %d form %d\n", (unsigned)result->head_len,
                  head->version, head->status, (int)head->method, (int)head->target.form);
    to += put_str(to, "method", head->method_text);
    to += put_str(to, "reason", head->reason);
    to += put_str(to, "target", head->target.text);
    to += put_str(to, "scheme", head->target.scheme);
    to += put_str(to, "authority", head->target.authority);
    to += put_str(to, "path", head->target.path);
    to += put_str(to, "query", head->target.query);
    for (uint32_t i = 0; i < head->fields.count; i++) {
        to += sprintf(to, "%d ", (int)head->fields.items[i].id);
        to += put_str(to, "name", head->fields.items[i].name);
        to += put_str(to, "value", head->fields.items[i].value);
    }
    sprintf(to, "body %lld %lld chunked %d close %d alive %d continue %d upgrade %d trailers %d\n",
            (long long)head->body_len, (long long)framing->body_len, framing->is_chunked,
            framing->until_close, framing->keeps_alive, framing->expects_continue,
            framing->has_upgrade, framing->takes_trailers);
}

static char whole_text[WORLD_TEXT_MAX];

/* What was presented so is what was presented as a whole. */
static inline void check_by(const given *input, const size_t *ends, size_t count) {
    static char text[WORLD_TEXT_MAX];
    const torc_arena_mark mark = torc_arena_mark_take(&the->arena);
    const parsed result = parse_by(input, ends, count);

    describe(&result, text);
    assert_string_equal(text, whole_text);
    torc_arena_rewind(&the->arena, mark);
}

/* A prefix wants more; or it is as bad as the whole, if that is bad. */
static inline void check_prefix(const given *input, size_t len, const parsed *whole) {
    const torc_arena_mark mark = torc_arena_mark_take(&the->arena);
    const parsed result = parse_by(input, &len, 1);

    if (result.outcome == TORC_HTTP1_DONE) fail_msg("%zu bytes are enough", len);
    if (result.outcome == TORC_HTTP1_BAD) {
        assert_int_equal(whole->outcome, TORC_HTTP1_BAD);
        assert_int_equal(whole->status, result.status);
        assert_string_equal(whole->problem, result.problem);
    }
    torc_arena_rewind(&the->arena, mark);
}

static inline void check_steps(const given *input, size_t step) {
    static size_t ends[WORLD_BYTES_MAX];
    size_t count = 0;

    for (size_t at = step; at < input->bytes.len; at += step) ends[count++] = at;
    ends[count++] = input->bytes.len;
    check_by(input, ends, count);
}

/* The last result's slices are valid until the next one. */
static inline parsed parse_input(const given *input) {
    const size_t len = input->bytes.len;
    const parsed whole = parse_by(input, &len, 1);
    const size_t decided = whole.head_len ? whole.head_len : len;

    describe(&whole, whole_text);
    for (size_t at = 0; at < len; at++) {
        const size_t ends[] = {at, len};
        if (at < decided && whole.outcome != TORC_HTTP1_MORE) check_prefix(input, at, &whole);
        check_by(input, ends, 2);
    }
    for (size_t step = 1; step < 8 && step < len; step++) check_steps(input, step);
    return parse_by(input, &len, 1);
}

static inline parsed parse(torc_str bytes) {
    const given input = {.bytes = bytes};
    return parse_input(&input);
}

#define REQUEST(text) parse(TORC_STR(text))
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
