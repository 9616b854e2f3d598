/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/page.h"
#include "faults.h"
#include "json_suite.h"
#include "json_trace.h"

typedef struct fixture {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_buf expected;
    json_trace trace;
} fixture;

static fixture self;

static int set_up(void **state) {
    torc_memory_init(&self.memory, 0);
    torc_page_pool_init(&self.pages, &self.memory, 4);
    torc_arena_init(&self.arena, &self.pages, 1 << 24);
    torc_buf_init(&self.expected, &self.memory, TORC_MEMORY_OTHER, 1 << 20);
    return 0;
}

static int tear_down(void **state) {
    torc_buf_dispose(&self.expected);
    torc_arena_dispose(&self.arena);
    torc_page_pool_dispose(&self.pages);
    return self.memory.used_total == 0 ? 0 : -1;
}

/* Feed a piece from memory of its own, which is overwritten afterwards. */
static torc_err feed(torc_str piece) {
    char *copy = malloc(piece.len ? piece.len : 1);

    assert_non_null(copy);
    if (piece.len) memcpy(copy, piece.bytes, piece.len);
    const torc_err err = torc_json_reader_feed(&self.trace.reader, torc_str_make(copy, piece.len));
    memset(copy, '?', piece.len ? piece.len : 1);
    free(copy);
    return err;
}

/* Read in pieces of `step` bytes, the first of them `first`. */
static torc_err read_in_pieces(torc_str text, size_t first, size_t step) {
    for (size_t len = first; text.len > 0; len = step) {
        const torc_str piece = torc_str_head(text, len);
        const torc_err err = feed(piece);
        if (err) return err;
        text = torc_str_from(text, piece.len);
    }
    return torc_json_reader_finish(&self.trace.reader);
}

static void begin(const torc_json_limits *limits, torc_json_reader_mode mode) {
    json_trace_init(&self.trace, &self.memory, limits);
    torc_json_reader_set_mode(&self.trace.reader, mode);
}

static void end(void) {
    json_trace_dispose(&self.trace);
}

static void check_text(torc_str text, size_t first, size_t step, torc_err expected,
                       const torc_json_error *error) {
    begin(NULL, TORC_JSON_READER_ONE);
    const torc_err err = read_in_pieces(text, first, step);
    const torc_json_error *said = &self.trace.reader.error;

    if (err != expected)
        fail_msg("%.*s by %zu, %zu: %s %s", TORC_STR_ARGS(text), first, step, torc_err_name(err),
                 said->text);
    if (!err && !torc_str_equals(torc_buf_str(&self.trace.text), torc_buf_str(&self.expected)))
        fail_msg("%.*s by %zu, %zu:\n%.*s\n%.*s", TORC_STR_ARGS(text), first, step,
                 TORC_STR_ARGS(torc_buf_str(&self.trace.text)),
                 TORC_STR_ARGS(torc_buf_str(&self.expected)));
    if (err && (said->offset != error->offset || said->line != error->line ||
                said->column != error->column || said->err != err))
        fail_msg("%.*s by %zu, %zu: at %zu (%zu), %u:%u (%u:%u), %s", TORC_STR_ARGS(text), first,
                 step, said->offset, error->offset, said->line, said->column, error->line,
                 error->column, said->text);
    if (err) check_err(torc_json_reader_finish(&self.trace.reader), err);
    end();
}

/* As a whole, a byte at a time, and cut at every place: always what the tree says. */
static void check_every_split(torc_str text) {
    torc_json_error error;
    const torc_json_value *value;

    torc_buf_clear(&self.expected);
    const torc_err err = torc_json_parse(&self.arena, text, NULL, &value, &error);
    if (!err) {
        json_trace_value(&self.expected, value, 0);
        torc_buf_add(&self.expected, TORC_STR(" ."));
    }
    for (size_t first = 0; first <= text.len; first++)
        check_text(text, first, text.len, err, &error);
    for (size_t step = 1; step < 5; step++) check_text(text, step, step, err, &error);
    torc_arena_dispose(&self.arena);
}

static void valid_texts_give_the_same_parts_for_every_split(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(json_good); i++) check_every_split(json_good[i]);
}

static void other_texts_give_the_same_error_for_every_split(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(json_bad); i++) check_every_split(json_bad[i].text);
}

static void prefixes_end_too_soon(void **state) {
    const torc_str text =
        TORC_STR("{\"a\":[1.5e3,\"\\u00e9\\ud83d\\ude39\xc3\xa9\",null,{}],\"b\":true}");

    for (size_t len = 0; len < text.len; len++) check_every_split(torc_str_head(text, len));
}

static void check_lines(const char *text, torc_err expected, size_t offset, const char *trace) {
    const torc_str whole = torc_str_of(text);

    for (size_t step = 1; step <= whole.len; step++) {
        begin(NULL, TORC_JSON_READER_LINES);
        check_err(read_in_pieces(whole, step, step), expected);
        if (expected) assert_int_equal(self.trace.reader.error.offset, offset);
        check_str_of(torc_buf_str(&self.trace.text), trace);
        end();
    }
}

static void documents_follow_each_other(void **state) {
    check_lines("{\"a\":1}\n[2]\r\n\n 3 \n", TORC_OK, 0, " {0 k1:a 3:1 /0 . [0 3:2 /0 . 3:3 .");
    check_lines("1\n2", TORC_OK, 0, " 3:1 . 3:2 .");
    check_lines("\x1e{}\n\x1e\"a\"\n\x1e", TORC_OK, 0, " {0 /0 . s1:a .");
    check_lines("\n\n\n", TORC_OK, 0, "");
    check_lines("{\n\"a\":\n1}\n", TORC_OK, 0, " {0 k1:a 3:1 /0 .");
    check_lines("1 2\n", TORC_ERR_SYNTAX, 2, " 3:1 .");
    check_lines("{}{}", TORC_ERR_SYNTAX, 2, " {0 /0 .");
    check_lines("{}\n{", TORC_ERR_TRUNCATED, 4, " {0 /0 . {0");
    check_lines("true\nnul", TORC_ERR_TRUNCATED, 8, " true .");
    check_lines("1\n\x1e,", TORC_ERR_SYNTAX, 3, " 3:1 .");
}

/* A document with a string of `len` bytes. */
static torc_err read_long(size_t len, size_t step, char byte) {
    const torc_json_limits limits = {.token_bytes_max = 100};
    char text[300] = "[\"";

    memset(text + 2, byte, len);
    strcpy(text + 2 + len, "\"]");
    begin(&limits, TORC_JSON_READER_ONE);
    const torc_err err = read_in_pieces(torc_str_of(text), step, step);
    if (err) assert_int_equal(self.trace.reader.error.offset, 1);
    end();
    return err;
}

static void tokens_are_limited_whatever_the_split(void **state) {
    for (size_t step = 1; step < 210; step++) {
        check_ok(read_long(99, step, 'a'));
        check_ok(read_long(100, step, 'a'));
        check_err(read_long(101, step, 'a'), TORC_ERR_LIMIT);
        check_err(read_long(102, step, 'a'), TORC_ERR_LIMIT);
        check_err(read_long(200, step, 'a'), TORC_ERR_LIMIT);
    }
}

static void numbers_are_limited_whatever_the_split(void **state) {
    const torc_json_limits limits = {.token_bytes_max = 10, .number_bytes_max = 8};
    static const struct {
        const char *text;
        torc_err err;
        size_t offset;
    } numbers[] = {
        {"[12345678]", TORC_OK, 0},
        {"[123456789]", TORC_ERR_LIMIT, 1},
        {"[1234567890]", TORC_ERR_LIMIT, 1},
        {"[123456789012345]", TORC_ERR_LIMIT, 1},
        {"[1.x]", TORC_ERR_SYNTAX, 3},
        {"12345678", TORC_OK, 0},
        {"123456789012", TORC_ERR_LIMIT, 0},
        {"[1-2]", TORC_ERR_SYNTAX, 2},
        {"[truetruetruetrue]", TORC_ERR_SYNTAX, 5},
        {"truetruetruetrue", TORC_ERR_SYNTAX, 4},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(numbers); i++) {
        for (size_t step = 1; step < 20; step++) {
            begin(&limits, TORC_JSON_READER_ONE);
            check_err(read_in_pieces(torc_str_of(numbers[i].text), step, step), numbers[i].err);
            if (numbers[i].err) assert_int_equal(self.trace.reader.error.offset, numbers[i].offset);
            end();
        }
    }
}

static void levels_are_limited(void **state) {
    const torc_json_limits limits = {.depth_max = 3};

    for (size_t step = 1; step < 9; step++) {
        begin(&limits, TORC_JSON_READER_ONE);
        check_ok(read_in_pieces(TORC_STR("[[[]],[[]]]"), step, step));
        end();
        begin(&limits, TORC_JSON_READER_ONE);
        check_err(read_in_pieces(TORC_STR("[{\"a\":[[]]}]"), step, step), TORC_ERR_LIMIT);
        assert_int_equal(self.trace.reader.error.offset, 7);
        end();
    }
}

static void many_levels_keep_their_kinds(void **state) {
    const torc_json_limits limits = {.depth_max = 1024};
    torc_buf text;

    torc_buf_init(&text, &self.memory, TORC_MEMORY_OTHER, 1 << 16);
    for (int i = 0; i < 341; i++) torc_buf_add(&text, TORC_STR("[[{\"a\":"));
    torc_buf_add_byte(&text, '0');
    for (int i = 0; i < 341; i++) torc_buf_add(&text, TORC_STR("}]]"));
    begin(&limits, TORC_JSON_READER_ONE);
    check_ok(read_in_pieces(torc_buf_str(&text), 7, 7));
    end();
    text.bytes[text.len - 500] ^= ']' ^ '}';
    begin(&limits, TORC_JSON_READER_ONE);
    check_err(read_in_pieces(torc_buf_str(&text), 7, 7), TORC_ERR_SYNTAX);
    assert_int_equal(self.trace.reader.error.offset, text.len - 500);
    end();
    torc_buf_dispose(&text);
}

static torc_err refuse_numbers(torc_json_reader *reader, const torc_json_part *part) {
    int *count = reader->context;

    (*count)++;
    return part->kind == TORC_JSON_PART_VALUE && torc_json_is_number(part->value) ? TORC_ERR_INVALID
                                                                                  : TORC_OK;
}

static void who_takes_the_parts_may_end_the_reading(void **state) {
    torc_json_reader reader;
    int count = 0;

    torc_json_reader_init(&reader, &self.memory, NULL, refuse_numbers, &count);
    check_ok(torc_json_reader_feed(&reader, TORC_STR("[\"a\",1")));
    check_err(torc_json_reader_feed(&reader, TORC_STR("2,3]")), TORC_ERR_INVALID);
    check_err(torc_json_reader_feed(&reader, TORC_STR("]")), TORC_ERR_INVALID);
    check_err(torc_json_reader_finish(&reader), TORC_ERR_INVALID);
    assert_int_equal(count, 3);
    assert_int_equal(reader.error.column, 8);
    torc_json_reader_dispose(&reader);
}

/* However much is read, no more is held than a token. */
static void memory_is_bounded(void **state) {
    const torc_json_limits limits = {.token_bytes_max = 64};
    torc_json_reader reader;
    int count = 0;

    torc_json_reader_init(&reader, &self.memory, &limits, refuse_numbers, &count);
    const size_t before = self.memory.used_total;
    check_ok(torc_json_reader_feed(&reader, TORC_STR("[")));
    for (int i = 0; i < 10000; i++)
        check_ok(torc_json_reader_feed(&reader,
                                       TORC_STR("\"some \\u0061 text\", [{\"name\": null}], ")));
    assert_true(self.memory.used_peak < before + 1000);
    check_ok(torc_json_reader_feed(&reader, TORC_STR("{}]")));
    check_ok(torc_json_reader_finish(&reader));
    torc_json_reader_dispose(&reader);
}

static torc_err read_with(torc_memory *memory, void *context) {
    torc_json_reader reader;
    int count = 0;

    torc_json_reader_init(&reader, memory, NULL, refuse_numbers, &count);
    torc_err err = torc_json_reader_feed(&reader, TORC_STR("[\"a te"));
    if (!err) err = torc_json_reader_feed(&reader, TORC_STR("xt\\u0061\", \"\\n\", tr"));
    if (!err) err = torc_json_reader_feed(&reader, TORC_STR("ue]"));
    if (!err) err = torc_json_reader_finish(&reader);
    if (err) check_err(err, TORC_ERR_NO_MEMORY);
    torc_json_reader_dispose(&reader);
    return err;
}

static void every_allocation_may_fail(void **state) {
    faults_each(read_with, NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(valid_texts_give_the_same_parts_for_every_split),
        CASE(other_texts_give_the_same_error_for_every_split),
        CASE(prefixes_end_too_soon),
        CASE(documents_follow_each_other),
        CASE(tokens_are_limited_whatever_the_split),
        CASE(numbers_are_limited_whatever_the_split),
        CASE(levels_are_limited),
        CASE(many_levels_keep_their_kinds),
        CASE(who_takes_the_parts_may_end_the_reading),
        CASE(memory_is_bounded),
        CASE(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
