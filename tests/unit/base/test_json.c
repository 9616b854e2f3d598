/* SPDX-License-Identifier: MIT */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <torc/json.h>

#include "faults.h"

typedef struct fixture {
    torc_memory memory;
    torc_buf buf;
    torc_json json;
} fixture;

static fixture self;

static int set_up(void **state) {
    torc_memory_init(&self.memory, 0);
    torc_buf_init(&self.buf, &self.memory, TORC_MEMORY_OUTPUT, 1 << 20);
    torc_json_init_buf(&self.json, &self.buf, TORC_JSON_PLAIN);
    return 0;
}

static int tear_down(void **state) {
    torc_buf_dispose(&self.buf);
    return self.memory.used_total == 0 ? 0 : -1;
}

#define check_document(literal)                                                                    \
    do {                                                                                           \
        check_ok(torc_json_end(&self.json));                                                       \
        check_str(torc_buf_str(&self.buf), literal);                                               \
    } while (0)

static void restart(torc_json_options options) {
    torc_buf_clear(&self.buf);
    torc_json_init_buf(&self.json, &self.buf, options);
}

static void an_object_with_members_of_every_kind(void **state) {
    torc_json *json = &self.json;

    torc_json_open_object(json);
    torc_json_member_str(json, "str", TORC_STR("a"));
    torc_json_member_text(json, "text", "b");
    torc_json_member_text(json, "no text", NULL);
    torc_json_member_int(json, "int", INT64_MIN);
    torc_json_member_uint(json, "uint", UINT64_MAX);
    torc_json_member_double(json, "double", 0.5);
    torc_json_member_bool(json, "yes", true);
    torc_json_member_bool(json, "no", false);
    torc_json_member_null(json, "null");
    torc_json_member_raw(json, "raw", TORC_STR("[1]"));
    torc_json_key_str(json, TORC_STR("key"));
    torc_json_int(json, -1);
    torc_json_close_object(json);
    check_document("{\"str\":\"a\",\"text\":\"b\",\"no text\":null,\"int\":-9223372036854775808,"
                   "\"uint\":18446744073709551615,\"double\":0.5,\"yes\":true,\"no\":false,"
                   "\"null\":null,\"raw\":[1],\"key\":-1}");
}

static void nested_levels_are_separated(void **state) {
    torc_json *json = &self.json;

    torc_json_open_array(json);
    torc_json_open_array(json);
    torc_json_close_array(json);
    torc_json_open_object(json);
    torc_json_member_array(json, "a");
    torc_json_int(json, 1);
    torc_json_int(json, 2);
    torc_json_close_array(json);
    torc_json_member_object(json, "b");
    torc_json_close_object(json);
    torc_json_close_object(json);
    torc_json_null(json);
    torc_json_close_array(json);
    check_document("[[],{\"a\":[1,2],\"b\":{}},null]");
}

static void a_document_may_be_a_single_value(void **state) {
    torc_json_str(&self.json, TORC_STR(""));
    check_document("\"\"");
    check_document("\"\"");
}

static void strings_are_escaped(void **state) {
    torc_json_str(&self.json, TORC_STR("q\" b\\ s/ \b\f\n\r\t \x01\x1f\x7f nul\0 \xc3\xa9"));
    check_document("\"q\\\" b\\\\ s/ \\b\\f\\n\\r\\t \\u0001\\u001f\x7f nul\\u0000 \xc3\xa9\"");
}

static void strings_for_html_cannot_leave_a_script(void **state) {
    static const torc_str text = TORC_STR_INIT("</a>&\xe2\x80\xa8\xe2\x80\xa9\xe2\x82\xac'");

    restart(TORC_JSON_FOR_HTML);
    torc_json_str(&self.json, text);
    check_document("\"\\u003c/a\\u003e\\u0026\\u2028\\u2029\xe2\x82\xac'\"");
    restart(TORC_JSON_PLAIN);
    torc_json_str(&self.json, text);
    check_document("\"</a>&\xe2\x80\xa8\xe2\x80\xa9\xe2\x82\xac'\"");
}

static void invalid_utf8_is_an_error(void **state) {
    torc_json_str(&self.json, TORC_STR("ab\xff"));
    check_err(torc_json_end(&self.json), TORC_ERR_UTF8);
    restart(TORC_JSON_PLAIN);
    torc_json_open_object(&self.json);
    torc_json_member_int(&self.json, "\xc3", 1);
    torc_json_close_object(&self.json);
    check_err(torc_json_end(&self.json), TORC_ERR_UTF8);
}

static void invalid_utf8_is_replaced_if_asked_for(void **state) {
    restart(TORC_JSON_REPLACE_INVALID);
    torc_json_str(&self.json, TORC_STR("a\xff"
                                       "b\xe2\x82"
                                       "c\xf0\x9f\x98\"\x80\xc3"));
    check_document("\"a\xef\xbf\xbd"
                   "b\xef\xbf\xbd"
                   "c\xef\xbf\xbd\\\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void long_strings_keep_their_order(void **state) {
    static char text[5000];
    torc_json *json = &self.json;

    memset(text, 'x', sizeof text);
    for (size_t len = 0; len < 700; len++) {
        restart(TORC_JSON_PLAIN);
        torc_json_open_array(json);
        torc_json_str(json, torc_str_make(text, len));
        torc_json_str(json, TORC_STR("\n"));
        torc_json_close_array(json);
        check_ok(torc_json_end(json));
        assert_int_equal(self.buf.len, len + 9);
        assert_memory_equal(self.buf.bytes, "[\"", 2);
        if (len > 0) assert_memory_equal(self.buf.bytes + 2, text, len);
        assert_memory_equal(self.buf.bytes + 2 + len, "\",\"\\n\"]", 7);
    }
}

static const struct {
    double value;
    const char *text;
} doubles[] = {
    {0.0, "0"},
    {-0.0, "-0"},
    {1.0, "1"},
    {0.1, "0.1"},
    {-2.5, "-2.5"},
    {100.0, "100"},
    {1e100, "1e+100"},
    {0.30000000000000004, "0.30000000000000004"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
    {5e-324, "5e-324"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {9007199254740993.0, "9007199254740992"},
    {1.0 / 3, "0.3333333333333333"},
};

static void check_doubles(void) {
    for (size_t i = 0; i < TORC_COUNT_OF(doubles); i++) {
        restart(TORC_JSON_PLAIN);
        torc_json_double(&self.json, doubles[i].value);
        check_ok(torc_json_end(&self.json));
        torc_buf_add_byte(&self.buf, '\0');
        assert_string_equal(self.buf.bytes, doubles[i].text);
    }
}

static void doubles_are_as_short_as_they_can_be(void **state) {
    check_doubles();
}

static void doubles_do_not_follow_the_locale(void **state) {
    static const char *const with_comma[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ps_AF"};
    bool is_set = false;

    for (size_t i = 0; i < TORC_COUNT_OF(with_comma) && !is_set; i++) {
        is_set = setlocale(LC_NUMERIC, with_comma[i]) != NULL;
    }
    /* Without any of them there is nothing to see. */
    check_doubles();
    setlocale(LC_NUMERIC, "C");
}

static void random_doubles_read_back_as_they_were(void **state) {
    uint64_t bits = 88172645463325252u;

    for (int i = 0; i < 20000; i++) {
        double value;
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        restart(TORC_JSON_PLAIN);
        torc_json_double(&self.json, value);
        check_ok(torc_json_end(&self.json));
        torc_buf_add_byte(&self.buf, '\0');
        if (strtod(self.buf.bytes, NULL) != value) fail();
    }
}

static void what_is_no_number_is_an_error(void **state) {
    const double bad[] = {NAN, INFINITY, -INFINITY};

    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++) {
        restart(TORC_JSON_PLAIN);
        torc_json_double(&self.json, bad[i]);
        check_err(torc_json_end(&self.json), TORC_ERR_INVALID);
    }
}

/* Calls by letter: { } [ ] are the levels, k a key, v a value. */
static torc_err play(const char *calls) {
    torc_json *json = &self.json;

    restart(TORC_JSON_PLAIN);
    for (; *calls; calls++) {
        if (*calls == '{') torc_json_open_object(json);
        if (*calls == '}') torc_json_close_object(json);
        if (*calls == '[') torc_json_open_array(json);
        if (*calls == ']') torc_json_close_array(json);
        if (*calls == 'k') torc_json_key(json, "k");
        if (*calls == 'v') torc_json_int(json, 1);
    }
    return torc_json_end(json);
}

static void calls_out_of_order_are_an_error(void **state) {
    static const char *const bad[] = {"",   "{",   "[",   "[v",  "{kv",  "k",    "kv",
                                      "}",  "]",   "vv",  "v[",  "{}v",  "{}{}", "{v}",
                                      "{[", "{{",  "{k}", "{kk", "{kvv", "[k",   "[}",
                                      "{]", "{]}", "[]]", "{k",  "[{]}", "v}",   "{kv}]"};
    static const char *const good[] = {"v", "{}", "[]", "{kv}", "{kvkv}", "{k{k[vv]}}", "[[][]v]"};

    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++) check_err(play(bad[i]), TORC_ERR_STATE);
    for (size_t i = 0; i < TORC_COUNT_OF(good); i++) check_ok(play(good[i]));
}

static void depth_has_a_maximum(void **state) {
    for (int depth = TORC_JSON_DEPTH_MAX - 1; depth <= TORC_JSON_DEPTH_MAX + 1; depth++) {
        restart(TORC_JSON_PLAIN);
        for (int i = 0; i < depth; i++) {
            torc_json_open_object(&self.json);
            torc_json_key(&self.json, "k");
        }
        torc_json_int(&self.json, 1);
        for (int i = 0; i < depth; i++) torc_json_close_object(&self.json);
        check_err(torc_json_end(&self.json),
                  depth > TORC_JSON_DEPTH_MAX ? TORC_ERR_LIMIT : TORC_OK);
    }
}

static void the_first_failure_stays(void **state) {
    torc_json_open_array(&self.json);
    torc_json_fail(&self.json, TORC_ERR_BUSY);
    torc_json_str(&self.json, TORC_STR("\xff"));
    check_err(torc_json_err(&self.json), TORC_ERR_BUSY);
    check_err(torc_json_end(&self.json), TORC_ERR_BUSY);
}

static void a_full_buffer_is_told(void **state) {
    char bytes[10];
    torc_buf buf;
    torc_json json;

    torc_buf_init_fixed(&buf, bytes, sizeof bytes);
    torc_json_init_buf(&json, &buf, TORC_JSON_PLAIN);
    torc_json_str(&json, TORC_STR("12345678"));
    check_ok(torc_json_end(&json));
    torc_buf_clear(&buf);
    torc_json_init_buf(&json, &buf, TORC_JSON_PLAIN);
    torc_json_str(&json, TORC_STR("123456789"));
    check_err(torc_json_end(&json), TORC_ERR_LIMIT);
}

typedef struct refuser {
    int calls, fail_at;
} refuser;

static torc_err refuse_one(void *context, torc_str bytes) {
    refuser *refusal = context;
    assert_true(bytes.len > 0);
    return ++refusal->calls == refusal->fail_at ? TORC_ERR_LOST : TORC_OK;
}

static void a_sink_that_failed_is_not_asked_again(void **state) {
    for (int fail_at = 1; fail_at < 5; fail_at++) {
        refuser refusal = {.fail_at = fail_at};
        torc_json json;

        torc_json_init(&json, refuse_one, &refusal, TORC_JSON_PLAIN);
        torc_json_open_array(&json);
        for (int i = 0; i < 1000; i++) torc_json_int(&json, i);
        torc_json_close_array(&json);
        check_err(torc_json_end(&json), TORC_ERR_LOST);
        assert_int_equal(refusal.calls, fail_at);
    }
}

static torc_err write_much(torc_memory *memory, void *context) {
    torc_buf buf;
    torc_json json;
    torc_buf_init(&buf, memory, TORC_MEMORY_OUTPUT, 1 << 20);
    torc_json_init_buf(&json, &buf, TORC_JSON_PLAIN);

    torc_json_open_array(&json);
    for (int i = 0; i < 1000; i++) torc_json_str(&json, TORC_STR("value"));
    torc_json_close_array(&json);
    const torc_err err = torc_json_end(&json);
    torc_buf_dispose(&buf);
    return err;
}

static void json_when_memory_fails(void **state) {
    faults_each(write_much, NULL);
}

static void pretty_documents_have_a_line_for_each_part(void **state) {
    torc_json *json = &self.json;

    restart(TORC_JSON_PRETTY);
    torc_json_open_object(json);
    torc_json_member_int(json, "a", 1);
    torc_json_member_array(json, "b");
    torc_json_str(json, TORC_STR("x"));
    torc_json_open_object(json);
    torc_json_close_object(json);
    torc_json_close_array(json);
    torc_json_member_array(json, "c");
    torc_json_close_array(json);
    torc_json_close_object(json);
    check_document("{\n  \"a\": 1,\n  \"b\": [\n    \"x\",\n    {}\n  ],\n  \"c\": []\n}");
}

/* Rooms of a few bytes each, one after the other in `bytes`. */
typedef struct rooms {
    char bytes[400];
    size_t len, size, asked;
} rooms;

static torc_err give_room(void *context, size_t used, size_t wanted, char **room, size_t *len) {
    rooms *given = context;

    given->len += used;
    if (wanted == 0) return TORC_OK;
    given->asked++;
    if (given->len + given->size > sizeof given->bytes) return TORC_ERR_LIMIT;
    *room = given->bytes + given->len;
    *len = given->size;
    return TORC_OK;
}

static void write_some_of_all(torc_json *json) {
    torc_json_open_array(json);
    torc_json_str(json, TORC_STR("a plain text of more than sixteen bytes"));
    torc_json_str(json, TORC_STR("\n\xc3\xa9\""));
    torc_json_int(json, INT64_MIN);
    torc_json_uint(json, UINT64_MAX);
    torc_json_double(json, -1.2345678901234567e-300);
    torc_json_open_object(json);
    torc_json_member_null(json, "name");
    torc_json_member_raw(json, "raw", TORC_STR("[1]"));
    torc_json_close_object(json);
    torc_json_bool(json, true);
    torc_json_close_array(json);
}

static void rooms_of_any_size_give_the_same(void **state) {
    write_some_of_all(&self.json);
    check_ok(torc_json_end(&self.json));
    for (size_t size = 1; size < 200; size++) {
        rooms given = {.size = size};
        torc_json_init_room(&self.json, give_room, &given, TORC_JSON_PLAIN);
        write_some_of_all(&self.json);
        check_ok(torc_json_end(&self.json));
        check_ok(torc_json_end(&self.json));
        assert_true(given.asked > 0);
        if (!torc_str_equals(torc_str_make(given.bytes, given.len), torc_buf_str(&self.buf)))
            fail_msg("by %zu: %.*s", size, (int)given.len, given.bytes);
    }
}

static void a_room_that_fails_ends_the_writing(void **state) {
    rooms given = {.size = sizeof given.bytes + 1};

    torc_json_init_room(&self.json, give_room, &given, TORC_JSON_PLAIN);
    write_some_of_all(&self.json);
    check_err(torc_json_err(&self.json), TORC_ERR_LIMIT);
    check_err(torc_json_end(&self.json), TORC_ERR_LIMIT);
    assert_int_equal(given.asked, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_object_with_members_of_every_kind),
        CASE(nested_levels_are_separated),
        CASE(a_document_may_be_a_single_value),
        CASE(strings_are_escaped),
        CASE(strings_for_html_cannot_leave_a_script),
        CASE(invalid_utf8_is_an_error),
        CASE(invalid_utf8_is_replaced_if_asked_for),
        CASE(long_strings_keep_their_order),
        CASE(doubles_are_as_short_as_they_can_be),
        CASE(doubles_do_not_follow_the_locale),
        CASE(random_doubles_read_back_as_they_were),
        CASE(pretty_documents_have_a_line_for_each_part),
        CASE(rooms_of_any_size_give_the_same),
        CASE(a_room_that_fails_ends_the_writing),
        CASE(what_is_no_number_is_an_error),
        CASE(calls_out_of_order_are_an_error),
        CASE(depth_has_a_maximum),
        CASE(the_first_failure_stays),
        CASE(a_full_buffer_is_told),
        CASE(a_sink_that_failed_is_not_asked_again),
        CASE(json_when_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
