/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <torc/json_value.h>

#include "base/page.h"
#include "faults.h"
#include "json_suite.h"

typedef struct fixture {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_json_error error;
    const torc_json_value *value;
} fixture;

static fixture self;

static int set_up(void **state) {
    torc_memory_init(&self.memory, 0);
    torc_page_pool_init(&self.pages, &self.memory, 4);
    torc_arena_init(&self.arena, &self.pages, 1 << 26);
    return 0;
}

static int tear_down(void **state) {
    torc_arena_dispose(&self.arena);
    torc_page_pool_dispose(&self.pages);
    return self.memory.used_total == 0 ? 0 : -1;
}

static torc_err parse_by(torc_str text, const torc_json_limits *limits) {
    char *copy = malloc(text.len ? text.len : 1);

    /* From memory that ends with the text, so that a look beyond it is found. The values are lost
     * with it; check_written() keeps it. */
    assert_non_null(copy);
    if (text.len) memcpy(copy, text.bytes, text.len);
    const torc_err err = torc_json_parse(&self.arena, torc_str_make(copy, text.len), limits,
                                         &self.value, &self.error);
    free(copy);
    return err;
}

static torc_err parse(torc_str text) {
    return parse_by(text, NULL);
}

static void forget(void) {
    torc_arena_dispose(&self.arena);
}

/* What is read is written again, compact. */
static void check_written(torc_str text, unsigned rules, const char *compact) {
    const torc_json_limits limits = {.rules = rules};
    torc_buf buf;
    torc_json json;

    check_ok(torc_json_parse(&self.arena, text, &limits, &self.value, &self.error));
    torc_buf_init(&buf, &self.memory, TORC_MEMORY_OTHER, 1 << 20);
    torc_json_init_buf(&json, &buf, TORC_JSON_PLAIN);
    torc_json_write_value(&json, self.value);
    check_ok(torc_json_end(&json));
    torc_buf_add_byte(&buf, '\0');
    assert_string_equal(buf.bytes, compact);
    torc_buf_dispose(&buf);
    forget();
}

static void every_valid_text_is_accepted(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(json_good); i++) {
        if (parse(json_good[i])) fail_msg("%.*s: %s", TORC_STR_ARGS(json_good[i]), self.error.text);
        forget();
    }
}

static void every_other_text_is_refused_at_its_place(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(json_bad); i++) {
        const json_bad_text *bad = &json_bad[i];
        const torc_err err = parse(bad->text);
        if (err != bad->err || self.error.err != err || self.error.offset != bad->offset)
            fail_msg("%.*s: %s at %zu: %s", TORC_STR_ARGS(bad->text), torc_err_name(err),
                     self.error.offset, self.error.text);
        assert_int_equal(self.arena.used, 0);
    }
}

static void a_prefix_is_a_document_or_ends_too_soon(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(json_good); i++) {
        for (size_t len = 0; len < json_good[i].len; len++) {
            const torc_err err = parse(torc_str_head(json_good[i], len));
            if (err != TORC_OK && err != TORC_ERR_TRUNCATED)
                fail_msg("%zu of %.*s: %s", len, TORC_STR_ARGS(json_good[i]), self.error.text);
            if (err) assert_int_equal(self.error.offset, len);
            forget();
        }
    }
}

static const struct {
    const char *text;
    uint32_t line, column;
    const char *said;
} mistakes[] = {
    {"", 1, 1, "expected a value, found the end"},
    {"{\"a\": 1 5}", 1, 9, "expected `,` or `}` after the member \"a\", found `5`"},
    {"{\n \"x\": [],\n \"\\u00e9\": {\"a\": 1}\n ]", 4, 2,
     "expected `,` or `}` after the member \"\xc3\xa9\", found `]`"},
    {"[1,\n\xc3\xa9]", 2, 1, "expected a value, found `\xc3\xa9`"},
    {"[\"\xc3\xa9\xe2\x82\xac\" x", 1, 7, "expected `,` or `]`, found `x`"},
    {"{1", 1, 2, "expected the name of a member, or `}`, found `1`"},
    {"{\"a\":1,}", 1, 8, "expected the name of a member, found `}`"},
    {"{\"a\"", 1, 5, "expected `:` after the name, found the end"},
    {"[1] 2", 1, 5, "expected the end of the document, found `2`"},
    {"[tru]", 1, 5, "expected `true`, found `]`"},
    {"\"a\\ud800\"", 1, 3, "expected both halves of a surrogate pair, found `\\`"},
    {"\"\xff\"", 1, 2, "expected a character in UTF-8, found the byte 0xff"},
    {"\"\x01\"", 1, 2, "expected no control character within a string, found U+0001"},
    {"\xef\xbb\xbf[]", 1, 1, "expected no byte order mark, found U+FEFF"},
    {"01", 1, 2, "expected no digit after a leading `0`, found `1`"},
    {"1.x", 1, 3, "expected a digit after the point, found `x`"},
    {"\r\n\r\n@", 3, 1, "expected a value, found `@`"},
};

static void a_mistake_is_told_with_line_and_column(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(mistakes); i++) {
        assert_true(parse(torc_str_of(mistakes[i].text)) != TORC_OK);
        assert_string_equal(self.error.text, mistakes[i].said);
        assert_int_equal(self.error.line, mistakes[i].line);
        assert_int_equal(self.error.column, mistakes[i].column);
    }
}

static void a_long_name_is_cut_in_the_error(void **state) {
    check_err(parse(TORC_STR("{\"123456789012345678901234567890123456789\xc3\xa9\":1")),
              TORC_ERR_TRUNCATED);
    assert_string_equal(self.error.text, "expected `,` or `}` after the member "
                                         "\"123456789012345678901234567890123456789\"…, found "
                                         "the end");
    check_err(torc_json_parse(&self.arena, TORC_STR("["), NULL, &self.value, NULL),
              TORC_ERR_TRUNCATED);
}

static void what_is_read_is_written_as_it_was(void **state) {
    check_written(TORC_STR(" { \"b\" : [ 1 , 2.50 , -0 , 1E+2 ] , \"a\" : { } , \"b\" : null } "),
                  0, "{\"b\":[1,2.50,-0,1E+2],\"a\":{},\"b\":null}");
    check_written(TORC_STR("[\"\\u00e9\\ud83d\\ude39\\/\\n\",\"\\u0000\",[[]],true,false]"), 0,
                  "[\"\xc3\xa9\xf0\x9f\x98\xb9/\\n\",\"\\u0000\",[[]],true,false]");
    check_written(TORC_STR("\"\\ud800x\\udc00\""), TORC_JSON_REPLACE_SURROGATES,
                  "\"\xef\xbf\xbdx\xef\xbf\xbd\"");
    check_written(TORC_STR("123456789012345678901234567890"), 0, "123456789012345678901234567890");
}

static void strings_are_slices_or_copies(void **state) {
    const torc_str text = TORC_STR("[\"plain\",\"\\u0065scaped\",\"\",\"\xc3\xa9\"]");
    static const char *const texts[] = {"plain", "escaped", "", "\xc3\xa9"};
    const torc_json_limits copy = {.rules = TORC_JSON_COPY};

    for (int copied = 0; copied < 2; copied++) {
        check_ok(torc_json_parse(&self.arena, text, copied ? &copy : NULL, &self.value, NULL));
        for (size_t i = 0; i < 4; i++) {
            torc_str str = {0};
            assert_true(torc_json_as_str(torc_json_find_at(self.value, i), &str));
            const bool is_slice = str.bytes >= text.bytes && str.bytes < text.bytes + text.len;
            assert_int_equal(is_slice, i != 1 && !copied);
            check_str_of(str, texts[i]);
        }
        forget();
    }
}

static void names_that_come_twice_are_refused_if_asked_for(void **state) {
    const torc_json_limits unique = {.rules = TORC_JSON_UNIQUE_NAMES};

    check_err(parse_by(TORC_STR("{\"a\":1,\"b\":{},\"a\":2}"), &unique), TORC_ERR_EXISTS);
    assert_string_equal(self.error.text, "a name comes twice in the object");
    check_err(parse_by(TORC_STR("[{\"a\":{\"x\":1,\"x\":1}}]"), &unique), TORC_ERR_EXISTS);
    check_err(parse_by(TORC_STR("{\"\\u0061\":1,\"a\":1}"), &unique), TORC_ERR_EXISTS);
    check_err(parse_by(TORC_STR("{\"\":1,\"\":1}"), &unique), TORC_ERR_EXISTS);
    check_ok(parse_by(TORC_STR("{\"a\":{\"a\":1},\"b\":{\"a\":1},\"ab\":[{\"a\":1},{\"a\":1}]}"),
                      &unique));
    forget();
}

/* "{"0":0,"1":1,…}" */
static torc_str numbered(torc_buf *buf, int count, int last) {
    torc_buf_init(buf, &self.memory, TORC_MEMORY_OTHER, 1 << 24);
    for (int i = 0; i < count; i++)
        torc_buf_addf(buf, "%c\"%d\":{\"x\":%d}", i == 0 ? '{' : ',', i == count - 1 ? last : i, i);
    torc_buf_add_byte(buf, '}');
    return torc_buf_str(buf);
}

static void large_objects_are_checked_for_names_too(void **state) {
    const torc_json_limits unique = {.rules = TORC_JSON_I_JSON};
    torc_buf buf;

    check_ok(parse_by(numbered(&buf, 20000, 19999), &unique));
    assert_int_equal(torc_json_count(self.value), 20000);
    forget();
    torc_buf_dispose(&buf);
    check_err(parse_by(numbered(&buf, 20000, 777), &unique), TORC_ERR_EXISTS);
    torc_buf_dispose(&buf);
}

static void i_json_refuses_what_others_cannot_read(void **state) {
    static const char *const bad[] = {
        "\"\\ufffe\"",      "\"\\uffff\"",          "\"\\ufdd0\"", "\"\\ud83f\\udfff\"",
        "\"\xef\xbf\xbf\"", "\"\xf0\x9f\xbf\xbe\"", "1e400",       "-1e400",
        "\"\xef\xb7\xaf\""};
    const torc_json_limits limits = {.rules = TORC_JSON_I_JSON};

    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++) {
        assert_true(parse_by(torc_str_of(bad[i]), &limits) != TORC_OK);
        check_ok(parse(torc_str_of(bad[i])));
        forget();
    }
    check_ok(parse_by(TORC_STR("[\"\xef\xbf\xbd\xc3\xa9\\ufffd\",1e300]"), &limits));
    forget();
}

static void nested(torc_buf *buf, uint32_t levels) {
    torc_buf_clear(buf);
    for (uint32_t i = 0; i < levels; i++) torc_buf_add(buf, TORC_STR("[{\"a\":"));
    torc_buf_add_byte(buf, '1');
    for (uint32_t i = 0; i < levels; i++) torc_buf_add(buf, TORC_STR("}]"));
}

static void levels_are_limited(void **state) {
    torc_json_limits limits = {.depth_max = 20};
    torc_buf buf;

    torc_buf_init(&buf, &self.memory, TORC_MEMORY_OTHER, 1 << 20);
    nested(&buf, 10);
    check_ok(parse_by(torc_buf_str(&buf), &limits));
    forget();
    limits.depth_max = 19;
    check_err(parse_by(torc_buf_str(&buf), &limits), TORC_ERR_LIMIT);
    assert_string_equal(self.error.text, "the document has too many levels");
    assert_int_equal(self.error.column, 9 * 6 + 2);
    nested(&buf, 32);
    check_ok(parse(torc_buf_str(&buf)));
    forget();
    nested(&buf, 33);
    check_err(parse(torc_buf_str(&buf)), TORC_ERR_LIMIT);
    nested(&buf, 512);
    limits.depth_max = UINT32_MAX;
    check_ok(parse_by(torc_buf_str(&buf), &limits));
    forget();
    nested(&buf, 513);
    check_err(parse_by(torc_buf_str(&buf), &limits), TORC_ERR_LIMIT);
    torc_buf_dispose(&buf);
}

static void values_are_limited(void **state) {
    const torc_json_limits limits = {.value_count_max = 5};

    check_ok(parse_by(TORC_STR("{\"a\":[1,2]}"), &limits));
    forget();
    check_err(parse_by(TORC_STR("{\"a\":[1,2,3]}"), &limits), TORC_ERR_LIMIT);
    assert_int_equal(self.error.offset, 10);
    assert_string_equal(self.error.text, "the document has too many values");
}

static void length_and_digits_are_limited(void **state) {
    const torc_json_limits bytes = {.bytes_max = 4}, digits = {.number_bytes_max = 5};

    check_ok(parse_by(TORC_STR("[12]"), &bytes));
    check_err(parse_by(TORC_STR("[123]"), &bytes), TORC_ERR_LIMIT);
    assert_string_equal(self.error.text, "the document is too long");
    check_ok(parse_by(TORC_STR("[12345,-1e10]"), &digits));
    check_err(parse_by(TORC_STR("[123456]"), &digits), TORC_ERR_LIMIT);
    assert_string_equal(self.error.text, "the number has too many digits");
    check_err(parse_by(TORC_STR("[-1.2e5]"), &digits), TORC_ERR_LIMIT);
    forget();
}

static void many_values_stand_in_pieces(void **state) {
    torc_buf buf;
    torc_json_cursor cursor;
    const torc_json_value *element;
    int64_t number, sum = 0;

    torc_buf_init(&buf, &self.memory, TORC_MEMORY_OTHER, 1 << 20);
    torc_buf_add_byte(&buf, '[');
    for (int i = 0; i < 40000; i++) torc_buf_addf(&buf, "%s[%d]", i ? "," : "", i);
    torc_buf_add_byte(&buf, ']');
    check_ok(parse(torc_buf_str(&buf)));
    cursor = torc_json_cursor_of(self.value);
    for (int64_t i = 0; torc_json_next_element(&cursor, &element); i++) {
        assert_int_equal(torc_json_count(element), 1);
        assert_true(torc_json_as_int(torc_json_find_at(element, 0), &number));
        assert_int_equal(number, i);
        sum++;
    }
    assert_int_equal(sum, 40000);
    torc_buf_dispose(&buf);
}

static torc_err parse_with(torc_memory *memory, void *context) {
    const torc_json_limits limits = {.rules = TORC_JSON_I_JSON | TORC_JSON_COPY};
    torc_page_pool pages;
    torc_arena arena;
    const torc_json_value *value;
    torc_json_error error;

    torc_page_pool_init(&pages, memory, 0);
    torc_arena_init(&arena, &pages, 1 << 24);
    const torc_err err = torc_json_parse(&arena, *(torc_str *)context, &limits, &value, &error);
    if (err) {
        check_err(err, TORC_ERR_NO_MEMORY);
        check_err(error.err, TORC_ERR_NO_MEMORY);
        assert_int_equal(arena.used, 0);
    }
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    return err;
}

static void every_allocation_may_fail(void **state) {
    torc_buf buf;
    torc_str text = numbered(&buf, 3000, 2999);

    faults_each(parse_with, &text);
    text = TORC_STR("[\"\\n\", \"a\", {\"\\u0061\": {}}]");
    faults_each(parse_with, &text);
    torc_buf_dispose(&buf);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(every_valid_text_is_accepted),
        CASE(every_other_text_is_refused_at_its_place),
        CASE(a_prefix_is_a_document_or_ends_too_soon),
        CASE(a_mistake_is_told_with_line_and_column),
        CASE(a_long_name_is_cut_in_the_error),
        CASE(what_is_read_is_written_as_it_was),
        CASE(strings_are_slices_or_copies),
        CASE(names_that_come_twice_are_refused_if_asked_for),
        CASE(large_objects_are_checked_for_names_too),
        CASE(i_json_refuses_what_others_cannot_read),
        CASE(levels_are_limited),
        CASE(values_are_limited),
        CASE(length_and_digits_are_limited),
        CASE(many_values_stand_in_pieces),
        CASE(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
