/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <torc/json_value.h>

#include "base/page.h"
#include "check.h"

typedef struct fixture {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
} fixture;

static fixture self;

static int set_up(void **state) {
    torc_memory_init(&self.memory, 0);
    torc_page_pool_init(&self.pages, &self.memory, 4);
    torc_arena_init(&self.arena, &self.pages, 1 << 24);
    return 0;
}

static int tear_down(void **state) {
    torc_arena_dispose(&self.arena);
    torc_page_pool_dispose(&self.pages);
    return self.memory.used_total == 0 ? 0 : -1;
}

static const torc_json_value *read(const char *text) {
    const torc_json_value *value = NULL;
    torc_json_error error;

    if (torc_json_parse(&self.arena, torc_str_of(text), NULL, &value, &error))
        fail_msg("%s: %s", text, error.text);
    return value;
}

static void kinds_are_told(void **state) {
    static const struct {
        const char *text;
        torc_json_kind kind;
        const char *name;
    } kinds[] = {
        {"null", TORC_JSON_NULL, "null"},
        {"true", TORC_JSON_BOOL, "a boolean"},
        {"-1", TORC_JSON_INT, "a number"},
        {"9223372036854775807", TORC_JSON_INT, "a number"},
        {"-9223372036854775808", TORC_JSON_INT, "a number"},
        {"9223372036854775808", TORC_JSON_UINT, "a number"},
        {"18446744073709551615", TORC_JSON_UINT, "a number"},
        {"18446744073709551616", TORC_JSON_DOUBLE, "a number"},
        {"19446744073709551616", TORC_JSON_DOUBLE, "a number"},
        {"99446744073709551616", TORC_JSON_DOUBLE, "a number"},
        {"-9223372036854775809", TORC_JSON_DOUBLE, "a number"},
        {"-0", TORC_JSON_DOUBLE, "a number"},
        {"1.0", TORC_JSON_DOUBLE, "a number"},
        {"1e400", TORC_JSON_DOUBLE, "a number"},
        {"\"\"", TORC_JSON_STR, "a string"},
        {"[]", TORC_JSON_ARRAY, "an array"},
        {"{}", TORC_JSON_OBJECT, "an object"},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(kinds); i++) {
        const torc_json_value *value = read(kinds[i].text);
        assert_int_equal(torc_json_kind_of(value), kinds[i].kind);
        assert_string_equal(torc_json_kind_text(kinds[i].kind), kinds[i].name);
        assert_int_equal(torc_json_is_number(value), strcmp(kinds[i].name, "a number") == 0);
        assert_int_equal(torc_json_is_null(value), kinds[i].kind == TORC_JSON_NULL);
    }
    assert_int_equal(torc_json_kind_of(NULL), TORC_JSON_NONE);
    assert_string_equal(torc_json_kind_text(TORC_JSON_NONE), "nothing");
}

static void check_int(const char *text, bool is_one, int64_t expected) {
    int64_t number = 77;

    assert_int_equal(torc_json_as_int(read(text), &number), is_one);
    assert_true(number == (is_one ? expected : 77));
}

static void check_uint(const char *text, bool is_one, uint64_t expected) {
    uint64_t number = 77;

    assert_int_equal(torc_json_as_uint(read(text), &number), is_one);
    assert_true(number == (is_one ? expected : 77));
}

static void integers_are_told_if_they_are_exact(void **state) {
    check_int("-9223372036854775808", true, INT64_MIN);
    check_int("9223372036854775807", true, INT64_MAX);
    check_int("9223372036854775808", false, 0);
    check_int("1.0", true, 1);
    check_int("-2.5e3", true, -2500);
    check_int("-0", true, 0);
    check_int("1.5", false, 0);
    check_int("9007199254740992", true, INT64_C(9007199254740992));
    check_int("9007199254740991.0", true, INT64_C(9007199254740991));
    check_int("9007199254740992.0", false, 0);
    check_int("9007199254740993.0", false, 0); /* is 2^53, rounded */
    check_int("-9007199254740993e0", false, 0);
    check_int("9007199254740994.0", false, 0);
    check_int("1e400", false, 0);
    check_int("\"1\"", false, 0);
    check_int("true", false, 0);
    check_uint("18446744073709551615", true, UINT64_MAX);
    check_uint("0", true, 0);
    check_uint("-1", false, 0);
    check_uint("1e3", true, 1000);
    check_uint("null", false, 0);
    assert_false(torc_json_as_int(NULL, NULL));
    assert_false(torc_json_as_uint(NULL, NULL));
}

static void doubles_are_what_strtod_makes_of_them(void **state) {
    static const char *const texts[] = {"0.1",
                                        "-0",
                                        "-0.0",
                                        "1e23",
                                        "123456789012345678901234567890",
                                        "0.1e-5",
                                        "1e-400",
                                        "2.2250738585072011e-308",
                                        "1.7976931348623157e308",
                                        "4.9e-324",
                                        "0.000000000000000000001",
                                        "100000000000000000000000000000000000000000000000000",
                                        "9007199254740993",
                                        "18446744073709551615",
                                        "0.10000000000000000000000000000000000001",
                                        "1234567890.12345678901234567890",
                                        "00000"};
    double number = 0;

    for (size_t i = 0; i + 1 < TORC_COUNT_OF(texts); i++) {
        const double expected = strtod(texts[i], NULL);
        assert_true(torc_json_as_double(read(texts[i]), &number));
        assert_memory_equal(&number, &expected, sizeof number);
        check_str_of(torc_json_number_text(read(texts[i])), texts[i]);
    }
    assert_false(torc_json_as_double(read("1e400"), &number));
    assert_false(torc_json_as_double(read("\"1\""), &number));
    assert_false(torc_json_as_double(NULL, &number));
    assert_null(torc_json_number_text(read("\"1\"")).bytes);
}

static void random_numbers_are_what_strtod_makes_of_them(void **state) {
    uint64_t bits = 88172645463325252u;
    char text[900];

    for (int i = 0; i < 30000; i++) {
        double value, number = 0;
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        switch (i % 4) {
        case 0:
            snprintf(text, sizeof text, "%.*e", (int)(bits % 40), value);
            break;
        case 1:
            snprintf(text, sizeof text, "%.*f", (int)(bits % 30), value);
            break;
        case 2:
            snprintf(text, sizeof text, "%.17g", value);
            break;
        default:
            snprintf(text, sizeof text, "%lld.%llu", (long long)bits / 1000003,
                     (unsigned long long)bits);
        }
        assert_true(torc_json_as_double(read(text), &number));
        if (number != strtod(text, NULL)) fail_msg("%s is read as %a", text, number);
        if (i % 100 == 0) torc_arena_dispose(&self.arena);
    }
}

static void members_are_found_by_name(void **state) {
    const torc_json_value *order = read("{\"id\":7,\"items\":[{\"price\":1.5},{\"price\":2}],"
                                        "\"id\":8,\"ok\":true,\"a\\u0000b\":1}");
    int64_t number = 0;
    bool is_true = false;

    assert_true(torc_json_as_int(torc_json_find(order, "id"), &number));
    assert_int_equal(number, 8);
    assert_true(torc_json_as_bool(torc_json_find(order, "ok"), &is_true));
    assert_true(is_true);
    assert_false(torc_json_as_bool(torc_json_find(order, "id"), &is_true));
    assert_null(torc_json_find(order, "i"));
    assert_null(torc_json_find(order, "idx"));
    assert_null(torc_json_find(torc_json_find(order, "ok"), "id"));
    assert_null(torc_json_find(NULL, "id"));
    assert_non_null(torc_json_find_str(order, TORC_STR("a\0b")));
    assert_int_equal(torc_json_count(order), 5);
    assert_int_equal(torc_json_count(torc_json_find(order, "ok")), 0);
    assert_int_equal(torc_json_count(NULL), 0);
}

static void elements_are_found_by_place(void **state) {
    const torc_json_value *array = read("[[1,2],{\"a\":[3]},\"x\"]");
    torc_str str;

    assert_int_equal(torc_json_count(array), 3);
    assert_int_equal(torc_json_count(torc_json_find_at(array, 0)), 2);
    assert_true(torc_json_as_str(torc_json_find_at(array, 2), &str));
    check_str(str, "x");
    assert_null(torc_json_find_at(array, 3));
    assert_null(torc_json_find_at(torc_json_find_at(array, 1), 0));
    assert_null(torc_json_find_at(NULL, 0));
}

static void cursors_go_through_what_is_there(void **state) {
    const torc_json_value *object = read("{\"a\":[1],\"b\":{\"c\":2},\"d\":3}"), *value;
    torc_json_cursor cursor = torc_json_cursor_of(object);
    torc_str name = {0};
    char names[4] = {0};

    for (size_t i = 0; torc_json_next_member(&cursor, &name, &value); i++) names[i] = name.bytes[0];
    assert_string_equal(names, "abd");
    assert_false(torc_json_next_member(&cursor, &name, &value));
    cursor = torc_json_cursor_of(object);
    assert_false(torc_json_next_element(&cursor, &value));
    cursor = torc_json_cursor_of(torc_json_find(object, "a"));
    assert_false(torc_json_next_member(&cursor, &name, &value));
    assert_true(torc_json_next_element(&cursor, &value));
    assert_false(torc_json_next_element(&cursor, &value));
    cursor = torc_json_cursor_of(torc_json_find(object, "d"));
    assert_false(torc_json_next_element(&cursor, &value));
    cursor = torc_json_cursor_of(NULL);
    assert_false(torc_json_next_element(&cursor, &value));
}

static void check_pointer(const torc_json_value *value, const char *pointer, const char *expected) {
    const torc_json_value *found = torc_json_find_pointer(value, torc_str_of(pointer));

    if (!expected) {
        assert_null(found);
    } else {
        check_str_of(torc_json_number_text(found), expected);
    }
}

/* RFC 6901 §5. */
static void pointers_lead_to_values(void **state) {
    const torc_json_value *value =
        read("{\"foo\":[10,11],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"
             "\"k\\\"l\":6,\" \":7,\"m~n\":8,\"x\":{\"y\":[{\"z\":9}]}}");

    assert_ptr_equal(torc_json_find_pointer(value, TORC_STR("")), value);
    assert_int_equal(torc_json_count(torc_json_find_pointer(value, TORC_STR("/foo"))), 2);
    check_pointer(value, "/foo/0", "10");
    check_pointer(value, "/foo/1", "11");
    check_pointer(value, "/", "0");
    check_pointer(value, "/a~1b", "1");
    check_pointer(value, "/c%d", "2");
    check_pointer(value, "/i\\j", "5");
    check_pointer(value, "/k\"l", "6");
    check_pointer(value, "/ ", "7");
    check_pointer(value, "/m~0n", "8");
    check_pointer(value, "/x/y/0/z", "9");
    check_pointer(value, "/foo/2", NULL);
    check_pointer(value, "/foo/00", NULL);
    check_pointer(value, "/foo/-", NULL);
    check_pointer(value, "/foo/", NULL);
    check_pointer(value, "/m~n", NULL);
    check_pointer(value, "/m~", NULL);
    check_pointer(value, "/x/y/0/z/0", NULL);
    check_pointer(value, "foo", NULL);
    assert_null(torc_json_find_pointer(NULL, TORC_STR("/a")));
}

static void deep_values_fail_the_writer(void **state) {
    char text[140];
    const torc_json_limits limits = {.depth_max = 70};
    const torc_json_value *value;
    torc_buf buf;
    torc_json json;

    for (size_t depth = 64; depth < 67; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        check_ok(
            torc_json_parse(&self.arena, torc_str_make(text, 2 * depth), &limits, &value, NULL));
        torc_buf_init(&buf, &self.memory, TORC_MEMORY_OTHER, 1000);
        torc_json_init_buf(&json, &buf, TORC_JSON_PLAIN);
        torc_json_write_value(&json, value);
        check_err(torc_json_end(&json), depth == 64 ? TORC_OK : TORC_ERR_LIMIT);
        torc_buf_dispose(&buf);
    }
}

static void no_value_is_written_as_null(void **state) {
    char bytes[8];
    torc_buf buf;
    torc_json json;

    torc_buf_init_fixed(&buf, bytes, sizeof bytes);
    torc_json_init_buf(&json, &buf, TORC_JSON_PLAIN);
    torc_json_write_value(&json, NULL);
    check_ok(torc_json_end(&json));
    check_str(torc_buf_str(&buf), "null");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(kinds_are_told),
        CASE(integers_are_told_if_they_are_exact),
        CASE(doubles_are_what_strtod_makes_of_them),
        CASE(random_numbers_are_what_strtod_makes_of_them),
        CASE(members_are_found_by_name),
        CASE(elements_are_found_by_place),
        CASE(cursors_go_through_what_is_there),
        CASE(pointers_lead_to_values),
        CASE(deep_values_fail_the_writer),
        CASE(no_value_is_written_as_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
