/* SPDX-License-Identifier: MIT */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <torc/json_struct.h>
#include <torc/utf8.h>

#include "base/page.h"
#include "faults.h"

typedef enum role {
    ROLE_READER,
    ROLE_WRITER,
    ROLE_ADMIN
} role;

static const char *const role_names[] = {"reader", "writer", "admin"};

typedef struct item {
    torc_str title;
    double price;
    uint8_t count;
} item;

static const item item_defaults = {.count = 1};
static const torc_json_field item_fields[] = {
    TORC_JSON_FIELD_STR(item, title, .min = 1, .max = 5, .description = "What it is called."),
    TORC_JSON_FIELD_DOUBLE(item, price, .low = 0, .high = 1000.5),
    TORC_JSON_FIELD_INT(item, count, .optional = true),
};
static const torc_json_struct item_json =
    TORC_JSON_STRUCT(item, item_fields, .defaults = &item_defaults);

typedef struct order {
    bool is_paid;
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    double amount;
    float share;
    torc_str note;
    char code[8];
    role role;
    item main;
    item *items;
    size_t item_count;
    int64_t scores[3];
    size_t score_count;
    torc_str *tags;
    size_t tag_count;
    const torc_json_value *extra;
    bool has_age;
    int age;
} order;

static const torc_json_field order_fields[] = {
    TORC_JSON_FIELD_BOOL(order, is_paid, .name = "paid"),
    TORC_JSON_FIELD_INT(order, i8, .optional = true),
    TORC_JSON_FIELD_INT(order, i16, .optional = true),
    TORC_JSON_FIELD_INT(order, i32, .optional = true, .min = -5, .max = 5),
    TORC_JSON_FIELD_INT(order, i64, .optional = true),
    TORC_JSON_FIELD_INT(order, u8, .optional = true, .min = 10, .max = 0),
    TORC_JSON_FIELD_INT(order, u16, .optional = true),
    TORC_JSON_FIELD_INT(order, u32, .optional = true),
    TORC_JSON_FIELD_INT(order, u64, .optional = true),
    TORC_JSON_FIELD_DOUBLE(order, amount, .optional = true),
    TORC_JSON_FIELD_DOUBLE(order, share, .optional = true, .low = 0.5, .high = 0),
    TORC_JSON_FIELD_STR(order, note, .optional = true, .nullable = true),
    TORC_JSON_FIELD_TEXT(order, code, .optional = true, .min = 2),
    TORC_JSON_FIELD_ENUM(order, role, role_names, .optional = true),
    TORC_JSON_FIELD_STRUCT(order, main, &item_json, .optional = true),
    TORC_JSON_FIELD_ARRAY(order, items, item_count, TORC_JSON_ITEM_STRUCT(item, &item_json),
                          .optional = true, .max = 4),
    TORC_JSON_FIELD_FIXED_ARRAY(order, scores, score_count,
                                TORC_JSON_ITEM_INT(int64_t, .min = 0, .max = 9), .optional = true,
                                .min = 1),
    TORC_JSON_FIELD_ARRAY(order, tags, tag_count, TORC_JSON_ITEM_STR(.max = 3), .optional = true),
    TORC_JSON_FIELD_VALUE(order, extra, .optional = true),
    TORC_JSON_FIELD_INT(order, age, .optional = true, .nullable = true, .max = 150,
                        TORC_JSON_HAS(order, has_age)),
};
static const torc_json_struct order_json = TORC_JSON_STRUCT(order, order_fields);

typedef struct fixture {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_json_error error;
    torc_buf buf;
    order order;
} fixture;

static fixture self;

static int set_up(void **state) {
    torc_memory_init(&self.memory, 0);
    torc_page_pool_init(&self.pages, &self.memory, 4);
    torc_arena_init(&self.arena, &self.pages, 1 << 24);
    torc_buf_init(&self.buf, &self.memory, TORC_MEMORY_OTHER, 1 << 20);
    return 0;
}

static int tear_down(void **state) {
    torc_buf_dispose(&self.buf);
    torc_arena_dispose(&self.arena);
    torc_page_pool_dispose(&self.pages);
    return self.memory.used_total == 0 ? 0 : -1;
}

static torc_err read_as(const torc_json_struct *mapping, void *into, const char *text) {
    return torc_json_parse_struct(&self.arena, torc_str_of(text), NULL, mapping, into, &self.error);
}

static void read(const char *text) {
    memset(&self.order, 0x5a, sizeof self.order);
    if (read_as(&order_json, &self.order, text))
        fail_msg("%s: %s %s", text, self.error.pointer, self.error.text);
}

static void all_kinds_are_read(void **state) {
    read("{\"paid\":true,\"i8\":-128,\"i16\":-32768,\"i32\":-5,\"i64\":-9223372036854775808,"
         "\"u8\":255,\"u16\":65535,\"u32\":4294967295,\"u64\":18446744073709551615,"
         "\"amount\":1.5e3,\"share\":0.5,\"note\":\"\\u00e9\",\"code\":\"abcdefg\","
         "\"role\":\"admin\",\"main\":{\"title\":\"t\",\"price\":2},"
         "\"items\":[{\"price\":1,\"title\":\"a\",\"count\":7},{\"title\":\"b\",\"price\":0}],"
         "\"scores\":[1,2.0],\"tags\":[\"x\",\"yyy\"],\"extra\":{\"deep\":[1]},\"age\":30}");
    const order *got = &self.order;

    assert_true(got->is_paid);
    assert_int_equal(got->i8, INT8_MIN);
    assert_int_equal(got->i16, INT16_MIN);
    assert_int_equal(got->i32, -5);
    assert_true(got->i64 == INT64_MIN);
    assert_int_equal(got->u8, 255);
    assert_int_equal(got->u16, 65535);
    assert_true(got->u32 == UINT32_MAX);
    assert_true(got->u64 == UINT64_MAX);
    assert_true(got->amount == 1500);
    assert_true(got->share == 0.5f);
    check_str(got->note, "\xc3\xa9");
    assert_string_equal(got->code, "abcdefg");
    assert_int_equal(got->role, ROLE_ADMIN);
    check_str(got->main.title, "t");
    assert_int_equal(got->main.count, 1);
    assert_int_equal(got->item_count, 2);
    assert_int_equal(got->items[0].count, 7);
    check_str(got->items[1].title, "b");
    assert_int_equal(got->items[1].count, 1);
    assert_int_equal(got->score_count, 2);
    assert_int_equal(got->scores[1], 2);
    assert_int_equal(got->tag_count, 2);
    check_str(got->tags[1], "yyy");
    assert_non_null(torc_json_find_pointer(got->extra, TORC_STR("/deep/0")));
    assert_true(got->has_age);
    assert_int_equal(got->age, 30);
    read("{\"paid\":true,\"share\":3.4028235e38}"); /* the largest, as most write it */
    assert_true(self.order.share == FLT_MAX);
}

static void what_is_not_there_is_its_default(void **state) {
    item one;

    read("{\"paid\":false}");
    assert_false(self.order.is_paid);
    assert_int_equal(self.order.i32, 0);
    assert_null(self.order.note.bytes);
    assert_string_equal(self.order.code, "");
    assert_int_equal(self.order.main.count, 1); /* the default of the struct within */
    assert_int_equal(self.order.item_count, 0);
    assert_null(self.order.extra);
    assert_false(self.order.has_age);
    check_ok(read_as(&item_json, &one, "{\"title\":\"a\",\"price\":1}"));
    assert_int_equal(one.count, 1);
    read("{\"paid\":true,\"age\":null,\"note\":null}");
    assert_false(self.order.has_age);
    assert_null(self.order.note.bytes);
}

static const struct {
    const char *text, *pointer, *said;
} mistakes[] = {
    {"{}", "/paid", "is required"},
    {"[]", "", "must be an object"},
    {"{\"paid\":1}", "/paid", "must be true or false"},
    {"{\"paid\":null}", "/paid", "must be true or false"},
    {"{\"paid\":true,\"paid\":true}", "/paid", "comes twice"},
    {"{\"paid\":true,\"is_paid\":true}", "/is_paid", "is not known here"},
    {"{\"paid\":true,\"a/b~c\":true}", "/a~1b~0c", "is not known here"},
    {"{\"paid\":true,\"i8\":128}", "/i8", "must be an integer from -128 to 127"},
    {"{\"paid\":true,\"i8\":-129}", "/i8", "must be an integer from -128 to 127"},
    {"{\"paid\":true,\"i8\":1.5}", "/i8", "must be an integer from -128 to 127"},
    {"{\"paid\":true,\"i8\":\"1\"}", "/i8", "must be an integer from -128 to 127"},
    {"{\"paid\":true,\"i16\":32768}", "/i16", "must be an integer from -32768 to 32767"},
    {"{\"paid\":true,\"i32\":6}", "/i32", "must be an integer from -5 to 5"},
    {"{\"paid\":true,\"i64\":9223372036854775808}", "/i64",
     "must be an integer from -9223372036854775808 to 9223372036854775807"},
    {"{\"paid\":true,\"u8\":256}", "/u8", "must be an integer from 10 to 255"},
    {"{\"paid\":true,\"u8\":9}", "/u8", "must be an integer from 10 to 255"},
    {"{\"paid\":true,\"u16\":-1}", "/u16", "must be an integer from 0 to 65535"},
    {"{\"paid\":true,\"u64\":18446744073709551616}", "/u64",
     "must be an integer from 0 to 18446744073709551615"},
    {"{\"paid\":true,\"amount\":\"x\"}", "/amount", "must be a number"},
    {"{\"paid\":true,\"amount\":1e999}", "/amount", "must be a number"},
    {"{\"paid\":true,\"share\":0.4}", "/share", "must be a number of at least 0.5"},
    {"{\"paid\":true,\"share\":3.5e38}", "/share", "must be a number of at least 0.5"},
    {"{\"paid\":true,\"note\":1}", "/note", "must be a string, or null"},
    {"{\"paid\":true,\"code\":\"12345678\"}", "/code",
     "must be a string of at least 2 characters, of at most 7 bytes and without NUL"},
    {"{\"paid\":true,\"code\":\"a\"}", "/code",
     "must be a string of at least 2 characters, of at most 7 bytes and without NUL"},
    {"{\"paid\":true,\"code\":\"a\\u0000b\"}", "/code",
     "must be a string of at least 2 characters, of at most 7 bytes and without NUL"},
    {"{\"paid\":true,\"role\":\"boss\"}", "/role",
     "must be one of \"reader\", \"writer\", \"admin\""},
    {"{\"paid\":true,\"role\":1}", "/role", "must be one of \"reader\", \"writer\", \"admin\""},
    {"{\"paid\":true,\"main\":[]}", "/main", "must be an object"},
    {"{\"paid\":true,\"main\":null}", "/main", "must be an object"},
    {"{\"paid\":true,\"main\":{\"title\":\"a\"}}", "/main/price", "is required"},
    {"{\"paid\":true,\"items\":{}}", "/items", "must be an array of at most 4 elements"},
    {"{\"paid\":true,\"items\":[1,2,3,4,5]}", "/items", "must be an array of at most 4 elements"},
    {"{\"paid\":true,\"items\":[{\"title\":\"a\",\"price\":1},{\"title\":\"b\",\"price\":-1}]}",
     "/items/1/price", "must be a number from 0 to 1000.5"},
    {"{\"paid\":true,\"items\":[{\"title\":\"\",\"price\":1}]}", "/items/0/title",
     "must be a string of 1 to 5 characters"},
    {"{\"paid\":true,\"items\":[{\"title\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\",\"price\":"
     "1},"
     "{\"title\":\"123456\",\"price\":1}]}",
     "/items/1/title", "must be a string of 1 to 5 characters"},
    {"{\"paid\":true,\"scores\":[]}", "/scores", "must be an array of 1 to 3 elements"},
    {"{\"paid\":true,\"scores\":[1,2,3,4]}", "/scores", "must be an array of 1 to 3 elements"},
    {"{\"paid\":true,\"scores\":[1,10]}", "/scores/1", "must be an integer from 0 to 9"},
    {"{\"paid\":true,\"tags\":[\"abcd\"]}", "/tags/0", "must be a string of at most 3 characters"},
    {"{\"paid\":true,\"age\":151}", "/age", "must be an integer from 0 to 150, or null"},
};

static void mistakes_are_told_with_their_place(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(mistakes); i++) {
        check_err(read_as(&order_json, &self.order, mistakes[i].text), TORC_ERR_INVALID);
        check_err(self.error.err, TORC_ERR_INVALID);
        assert_string_equal(self.error.pointer, mistakes[i].pointer);
        assert_string_equal(self.error.text, mistakes[i].said);
    }
}

static void many_mistakes_are_told_at_once(void **state) {
    const torc_json_value *value;
    torc_json_mistakes found;

    check_ok(torc_json_parse(&self.arena, TORC_STR("{\"i8\":true,\"x\":1,\"tags\":[1,\"a\",2]}"),
                             NULL, &value, NULL));
    check_err(torc_json_to_struct(&self.arena, value, &order_json, &self.order, &found),
              TORC_ERR_INVALID);
    assert_int_equal(found.count, 5);
    check_str(found.items[0].pointer, "/i8");
    check_str(found.items[1].pointer, "/x");
    check_str(found.items[2].pointer, "/tags/0");
    check_str(found.items[3].pointer, "/tags/2");
    check_str(found.items[4].pointer, "/paid");
    check_str(found.items[4].text, "is required");
    check_err(torc_json_to_struct(&self.arena, value, &order_json, &self.order, NULL),
              TORC_ERR_INVALID);
}

static void mistakes_are_counted_up_to_a_bound(void **state) {
    const torc_json_value *value;
    torc_json_mistakes found;

    torc_buf_add(&self.buf, TORC_STR("{\"paid\":true,\"tags\":["));
    for (int i = 0; i < 100; i++) torc_buf_addf(&self.buf, "%s%d", i ? "," : "", i);
    torc_buf_add(&self.buf, TORC_STR("]}"));
    check_ok(torc_json_parse(&self.arena, torc_buf_str(&self.buf), NULL, &value, NULL));
    check_err(torc_json_to_struct(&self.arena, value, &order_json, &self.order, &found),
              TORC_ERR_INVALID);
    assert_int_equal(found.count, TORC_JSON_MISTAKES_MAX);
    check_str(found.items[15].pointer, "/tags/15");
}

static void a_long_pointer_is_cut(void **state) {
    torc_buf_add(&self.buf, TORC_STR("{\"paid\":true,\""));
    for (int i = 0; i < 100; i++) torc_buf_add(&self.buf, TORC_STR("12345"));
    torc_buf_add(&self.buf, TORC_STR("\":1}"));
    check_err(torc_json_parse_struct(&self.arena, torc_buf_str(&self.buf), NULL, &order_json,
                                     &self.order, &self.error),
              TORC_ERR_INVALID);
    assert_string_equal(self.error.text, "is not known here");
    assert_int_equal(strlen(self.error.pointer), sizeof self.error.pointer - 1);
}

static void a_pointer_is_cut_between_characters(void **state) {
    for (size_t shift = 0; shift < 3; shift++) {
        torc_buf_clear(&self.buf);
        torc_buf_add(&self.buf, TORC_STR("{\"paid\":true,\""));
        torc_buf_add(&self.buf, torc_str_head(TORC_STR("ab"), shift));
        for (int i = 0; i < 200; i++) torc_buf_add(&self.buf, TORC_STR("\xe2\x82\xac"));
        torc_buf_add(&self.buf, TORC_STR("\":1}"));
        const torc_json_value *value;
        torc_json_mistakes found;
        check_ok(torc_json_parse(&self.arena, torc_buf_str(&self.buf), NULL, &value, NULL));
        check_err(torc_json_to_struct(&self.arena, value, &order_json, &self.order, &found),
                  TORC_ERR_INVALID);
        assert_true(torc_utf8_is_valid(found.items[0].pointer));
        assert_in_range(found.items[0].pointer.len, 298, 300);
        check_err(torc_json_parse_struct(&self.arena, torc_buf_str(&self.buf), NULL, &order_json,
                                         &self.order, &self.error),
                  TORC_ERR_INVALID);
        assert_true(torc_utf8_is_valid(torc_str_of(self.error.pointer)));
        assert_in_range(strlen(self.error.pointer), 253, 255);
    }
}

static void mistakes_of_the_text_come_first(void **state) {
    check_err(read_as(&order_json, &self.order, "{\"paid\":1,"), TORC_ERR_TRUNCATED);
    assert_int_equal(self.error.column, 11);
    assert_string_equal(self.error.pointer, "");
    check_err(
        torc_json_parse_struct(&self.arena, TORC_STR("{}"), NULL, &order_json, &self.order, NULL),
        TORC_ERR_INVALID);
}

typedef struct loose {
    int a;
} loose;

static void unknown_members_may_be_ignored(void **state) {
    static const torc_json_field fields[] = {TORC_JSON_FIELD_INT(loose, a)};
    static const torc_json_struct mapping =
        TORC_JSON_STRUCT(loose, fields, .ignores_unknown = true);
    loose one = {0};

    check_ok(read_as(&mapping, &one, "{\"b\":[1],\"a\":3,\"c\":{\"a\":4}}"));
    assert_int_equal(one.a, 3);
    check_err(read_as(&mapping, &one, "{\"a\":3,\"a\":4}"), TORC_ERR_INVALID);
}

typedef struct tree {
    int value;
    struct tree *children;
    size_t child_count;
} tree;

extern const torc_json_struct tree_json;
static const torc_json_field tree_fields[] = {
    TORC_JSON_FIELD_INT(tree, value),
    TORC_JSON_FIELD_ARRAY(tree, children, child_count, TORC_JSON_ITEM_STRUCT(tree, &tree_json),
                          .optional = true),
};
const torc_json_struct tree_json = TORC_JSON_STRUCT(tree, tree_fields);

static void check_structure(torc_json *json, const char *expected) {
    check_ok(torc_json_end(json));
    check_str_of(torc_buf_str(&self.buf), expected);
    torc_buf_clear(&self.buf);
}

static void structs_may_hold_their_own_kind(void **state) {
    const char text[] = "{\"value\":1,\"children\":[{\"value\":2,\"children\":[]},"
                        "{\"value\":3,\"children\":[{\"value\":4,\"children\":[]}]}]}";
    torc_json json;
    tree top;

    check_ok(read_as(&tree_json, &top, text));
    assert_int_equal(top.children[1].children[0].value, 4);
    torc_json_init_buf(&json, &self.buf, TORC_JSON_PLAIN);
    torc_json_write_struct(&json, &tree_json, &top);
    check_structure(&json, text);
    check_err(read_as(&tree_json, &top, "{\"value\":1,\"children\":[{\"value\":2},{}]}"),
              TORC_ERR_INVALID);
    assert_string_equal(self.error.pointer, "/children/1/value");
}

static void levels_of_structs_are_limited(void **state) {
    const torc_json_limits limits = {.depth_max = 1000};
    tree top;

    for (int levels = 30; levels <= 40; levels += 10) {
        torc_buf_clear(&self.buf);
        for (int i = 0; i < levels; i++)
            torc_buf_add(&self.buf, TORC_STR("{\"value\":1,\"children\":["));
        for (int i = 0; i < levels; i++) torc_buf_add(&self.buf, TORC_STR("]}"));
        check_err(torc_json_parse_struct(&self.arena, torc_buf_str(&self.buf), &limits, &tree_json,
                                         &top, &self.error),
                  levels == 30 ? TORC_OK : TORC_ERR_INVALID);
    }
    assert_string_equal(self.error.text, "has too many levels");
}

static void structs_are_written(void **state) {
    static const char text[] =
        "{\"paid\":true,\"i8\":-1,\"i16\":-300,\"i32\":0,\"i64\":-9223372036854775808,\"u8\":200,"
        "\"u16\":0,\"u32\":4294967295,\"u64\":18446744073709551615,\"amount\":0.1,\"share\":0.5,"
        "\"note\":\"a\\\"\",\"code\":\"ab\",\"role\":\"writer\","
        "\"main\":{\"title\":\"t\",\"price\":2,\"count\":1},"
        "\"items\":[{\"title\":\"a\",\"price\":1,\"count\":7}],\"scores\":[1,2],"
        "\"tags\":[],\"extra\":{\"deep\":[1.50]},\"age\":0}";
    torc_json json;

    torc_json_init_buf(&json, &self.buf, TORC_JSON_PLAIN);
    read("{\"paid\":true,\"i8\":-1,\"i16\":-300,\"i64\":-9223372036854775808,\"u8\":200,"
         "\"u32\":4294967295,\"u64\":18446744073709551615,\"amount\":0.1,\"share\":0.5,"
         "\"note\":\"a\\\"\",\"code\":\"ab\",\"role\":\"writer\",\"main\":{\"title\":\"t\","
         "\"price\":2},"
         "\"items\":[{\"title\":\"a\",\"price\":1,\"count\":7}],\"scores\":[1,2],\"extra\":{"
         "\"deep\":[1.50]},"
         "\"age\":0}");
    torc_json_write_struct(&json, &order_json, &self.order);
    check_structure(&json, text);
}

/* Arrays of what else there is. */
typedef struct arrays {
    bool *flags;
    size_t flag_count;
    double halves[2];
    size_t half_count;
    role *roles;
    size_t role_count;
    const torc_json_value **values;
    size_t value_count;
    uint8_t bytes[4];
    size_t byte_count;
} arrays;

static const torc_json_field array_fields[] = {
    TORC_JSON_FIELD_ARRAY(arrays, flags, flag_count, TORC_JSON_ITEM_BOOL(), .optional = true),
    TORC_JSON_FIELD_FIXED_ARRAY(arrays, halves, half_count,
                                TORC_JSON_ITEM_DOUBLE(.low = -0.5, .high = 0.5), .optional = true),
    TORC_JSON_FIELD_ARRAY(arrays, roles, role_count, TORC_JSON_ITEM_ENUM(role, role_names),
                          .optional = true),
    TORC_JSON_FIELD_ARRAY(arrays, values, value_count, TORC_JSON_ITEM_VALUE(), .optional = true),
    TORC_JSON_FIELD_FIXED_ARRAY(arrays, bytes, byte_count, TORC_JSON_ITEM_INT(uint8_t),
                                .optional = true),
};
static const torc_json_struct array_json = TORC_JSON_STRUCT(arrays, array_fields);

static void arrays_are_of_all_kinds(void **state) {
    static const char text[] =
        "{\"flags\":[true,false,true],\"halves\":[-0.5,0.25],\"roles\":[\"admin\",\"reader\"],"
        "\"values\":[null,{\"a\":[1]},\"b\"],\"bytes\":[0,255,7,8]}";
    torc_json json;
    arrays got;

    check_ok(read_as(&array_json, &got, text));
    assert_int_equal(got.flag_count, 3);
    assert_true(got.flags[0] && !got.flags[1] && got.flags[2]);
    assert_int_equal(got.half_count, 2);
    assert_true(got.halves[0] == -0.5 && got.halves[1] == 0.25);
    assert_int_equal(got.role_count, 2);
    assert_int_equal(got.roles[0], ROLE_ADMIN);
    assert_int_equal(got.value_count, 3);
    assert_non_null(torc_json_find_pointer(got.values[1], TORC_STR("/a/0")));
    assert_int_equal(got.byte_count, 4);
    assert_int_equal(got.bytes[1], 255);
    torc_json_init_buf(&json, &self.buf, TORC_JSON_PLAIN);
    torc_json_write_struct(&json, &array_json, &got);
    check_structure(&json, text);

    static const struct {
        const char *text, *pointer;
    } wrong[] = {
        {"{\"flags\":[true,1]}", "/flags/1"},          {"{\"halves\":[0.5,0.75]}", "/halves/1"},
        {"{\"halves\":[0,0,0]}", "/halves"},           {"{\"roles\":[\"Admin\"]}", "/roles/0"},
        {"{\"bytes\":[1,256]}", "/bytes/1"},           {"{\"bytes\":[1,-1]}", "/bytes/1"},
        {"{\"bytes\":[1,2,3,4,5]}", "/bytes"},         {"{\"values\":{}}", "/values"},
        {"{\"roles\":[\"reader\",null]}", "/roles/1"},
    };
    for (size_t i = 0; i < TORC_COUNT_OF(wrong); i++) {
        assert_int_not_equal(read_as(&array_json, &got, wrong[i].text), TORC_OK);
        assert_string_equal(self.error.pointer, wrong[i].pointer);
    }
}

typedef struct gaps {
    torc_str *names;
    size_t name_count;
    int32_t numbers[3];
    size_t number_count;
} gaps;

static const torc_json_field gap_fields[] = {
    TORC_JSON_FIELD_ARRAY(gaps, names, name_count, TORC_JSON_ITEM_STR(.nullable = true)),
    TORC_JSON_FIELD_FIXED_ARRAY(gaps, numbers, number_count,
                                TORC_JSON_ITEM_INT(int32_t, .nullable = true, .min = 1)),
};
static const gaps gap_defaults = {.numbers = {7, 7, 7}};
static const torc_json_struct gaps_json =
    TORC_JSON_STRUCT(gaps, gap_fields, .defaults = &gap_defaults);

static void elements_may_be_null(void **state) {
    torc_json json;
    gaps one;

    check_ok(read_as(&gaps_json, &one, "{\"names\":[\"a\",null,\"\"],\"numbers\":[null,5]}"));
    assert_int_equal(one.name_count, 3);
    assert_null(one.names[1].bytes);
    assert_non_null(one.names[2].bytes);
    assert_int_equal(one.number_count, 2);
    assert_int_equal(one.numbers[0], 0);
    assert_int_equal(one.numbers[1], 5);
    torc_json_init_buf(&json, &self.buf, TORC_JSON_PLAIN);
    torc_json_write_struct(&json, &gaps_json, &one);
    check_structure(&json, "{\"names\":[\"a\",null,\"\"],\"numbers\":[0,5]}");
    check_err(read_as(&gaps_json, &one, "{\"names\":[1],\"numbers\":[]}"), TORC_ERR_INVALID);
    assert_string_equal(self.error.text, "must be a string, or null");
}

typedef struct sparse {
    torc_str a, b, c;
    const torc_json_value *d, *e;
    bool has_f;
    int f, g;
} sparse;

static void what_is_absent_is_left_out_or_null(void **state) {
    static const torc_json_field fields[] = {
        TORC_JSON_FIELD_STR(sparse, a),
        TORC_JSON_FIELD_STR(sparse, b, .optional = true),
        TORC_JSON_FIELD_STR(sparse, c, .nullable = true),
        TORC_JSON_FIELD_VALUE(sparse, d),
        TORC_JSON_FIELD_VALUE(sparse, e, .optional = true),
        TORC_JSON_FIELD_INT(sparse, f, .nullable = true, TORC_JSON_HAS(sparse, has_f)),
        TORC_JSON_FIELD_INT(sparse, g, .optional = true, TORC_JSON_HAS(sparse, has_f)),
    };
    static const torc_json_struct mapping = TORC_JSON_STRUCT(sparse, fields);
    const sparse one = {0};
    torc_json json;

    torc_json_init_buf(&json, &self.buf, TORC_JSON_PLAIN);
    torc_json_write_struct(&json, &mapping, &one);
    check_structure(&json, "{\"a\":\"\",\"c\":null,\"d\":null,\"f\":null}");
}

static void what_json_cannot_say_fails_the_writer(void **state) {
    torc_json json;

    read("{\"paid\":true}");
    self.order.role = (role)3;
    torc_json_init_buf(&json, &self.buf, TORC_JSON_PLAIN);
    torc_json_write_struct(&json, &order_json, &self.order);
    check_err(torc_json_end(&json), TORC_ERR_INVALID);
    self.order.role = ROLE_READER;
    self.order.amount = NAN;
    torc_json_init_buf(&json, &self.buf, TORC_JSON_PLAIN);
    torc_json_write_struct(&json, &order_json, &self.order);
    check_err(torc_json_end(&json), TORC_ERR_INVALID);
}

static void the_schema_says_what_is_read(void **state) {
    torc_json json;

    torc_json_init_buf(&json, &self.buf, TORC_JSON_PLAIN);
    torc_json_write_schema(&json, &item_json, NULL);
    check_structure(&json,
                    "{\"type\":\"object\",\"properties\":{"
                    "\"title\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":5,"
                    "\"description\":\"What it is called.\"},"
                    "\"price\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1000.5},"
                    "\"count\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":255,\"default\":1}},"
                    "\"required\":[\"title\",\"price\"],\"additionalProperties\":false}");
    torc_json_init_buf(&json, &self.buf, TORC_JSON_PLAIN);
    torc_json_write_schema(&json, &tree_json, "#/components/schemas/");
    check_structure(
        &json,
        "{\"type\":\"object\",\"properties\":{"
        "\"value\":{\"type\":\"integer\",\"minimum\":-2147483648,\"maximum\":2147483647},"
        "\"children\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/tree\"},"
        "\"maxItems\":1000}},\"required\":[\"value\"],\"additionalProperties\":false}");
}

static void the_schema_of_every_kind(void **state) {
    static const char *const parts[] = {
        "\"paid\":{\"type\":\"boolean\"}",
        "\"i64\":{\"type\":\"integer\"}",
        "\"u64\":{\"type\":\"integer\",\"minimum\":0}",
        "\"u8\":{\"type\":\"integer\",\"minimum\":10,\"maximum\":255}",
        "\"share\":{\"type\":\"number\",\"minimum\":0.5}",
        "\"note\":{\"type\":[\"string\",\"null\"]}",
        "\"code\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":7}",
        "\"role\":{\"enum\":[\"reader\",\"writer\",\"admin\"]}",
        "\"main\":{\"type\":\"object\",\"properties\":{\"title\":",
        "\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":9}",
        "\"minItems\":1,\"maxItems\":3}",
        "\"extra\":{}",
        "\"age\":{\"type\":[\"integer\",\"null\"],\"minimum\":0,\"maximum\":150}",
        "\"required\":[\"paid\"]",
    };
    torc_json json;

    torc_json_init_buf(&json, &self.buf, TORC_JSON_PLAIN);
    torc_json_write_schema(&json, &order_json, NULL);
    check_ok(torc_json_end(&json));
    for (size_t i = 0; i < TORC_COUNT_OF(parts); i++)
        if (torc_str_find(torc_buf_str(&self.buf), torc_str_of(parts[i])) < 0)
            fail_msg("%s is not in %.*s", parts[i], (int)self.buf.len, self.buf.bytes);
}

typedef struct maybe {
    bool has_item;
    item item;
    role role;
} maybe;

static void the_schema_of_what_may_be_null(void **state) {
    static const torc_json_field fields[] = {
        TORC_JSON_FIELD_STRUCT(maybe, item, &item_json, .nullable = true,
                               TORC_JSON_HAS(maybe, has_item)),
        TORC_JSON_FIELD_ENUM(maybe, role, role_names, .nullable = true, .optional = true),
    };
    static const torc_json_struct mapping =
        TORC_JSON_STRUCT(maybe, fields, .ignores_unknown = true);
    torc_json json;
    maybe one;

    torc_json_init_buf(&json, &self.buf, TORC_JSON_PLAIN);
    torc_json_write_schema(&json, &mapping, "#/");
    check_structure(&json, "{\"type\":\"object\",\"properties\":{"
                           "\"item\":{\"anyOf\":[{\"$ref\":\"#/item\"},{\"type\":\"null\"}]},"
                           "\"role\":{\"enum\":[\"reader\",\"writer\",\"admin\",null]}},"
                           "\"required\":[\"item\"]}");
    check_ok(read_as(&mapping, &one, "{\"item\":null,\"role\":null}"));
    assert_false(one.has_item);
    assert_int_equal(one.item.count, 1);
}

static void a_schema_that_contains_itself_needs_references(void **state) {
    torc_json json;

    torc_json_init_buf(&json, &self.buf, TORC_JSON_PLAIN);
    torc_json_write_schema(&json, &tree_json, NULL);
    check_err(torc_json_end(&json), TORC_ERR_LIMIT);
}

static torc_err read_with(torc_memory *memory, void *context) {
    torc_page_pool pages;
    torc_arena arena;
    torc_json_error error;
    order one;

    torc_page_pool_init(&pages, memory, 0);
    torc_arena_init(&arena, &pages, 1 << 24);
    const torc_err err =
        torc_json_parse_struct(&arena, *(torc_str *)context, NULL, &order_json, &one, &error);
    if (err) check_err(err, TORC_ERR_NO_MEMORY);
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    return err;
}

static torc_err refuse_with(torc_memory *memory, void *context) {
    torc_page_pool pages;
    torc_arena arena;
    torc_json_error error;
    order one;

    torc_page_pool_init(&pages, memory, 0);
    torc_arena_init(&arena, &pages, 1 << 24);
    const torc_err err =
        torc_json_parse_struct(&arena, *(torc_str *)context, NULL, &order_json, &one, &error);
    if (err != TORC_ERR_INVALID) check_err(err, TORC_ERR_NO_MEMORY);
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    return err == TORC_ERR_INVALID ? TORC_OK : err;
}

static void every_allocation_may_fail(void **state) {
    torc_buf_add(&self.buf, TORC_STR("{\"paid\":true,\"tags\":["));
    for (int i = 0; i < 1000; i++) torc_buf_addf(&self.buf, "%s\"\\u0041%d\"", i ? "," : "", i % 9);
    torc_buf_add(&self.buf, TORC_STR("],\"items\":[{\"title\":\"a\",\"price\":1}]}"));
    torc_str text = torc_buf_str(&self.buf);

    faults_each(read_with, &text);
    text = TORC_STR("{\"paid\":1,\"x\":[[[]]],\"tags\":[1,2,3,4,5,6,7,8,9]}");
    faults_each(refuse_with, &text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(all_kinds_are_read),
        CASE(what_is_not_there_is_its_default),
        CASE(mistakes_are_told_with_their_place),
        CASE(many_mistakes_are_told_at_once),
        CASE(mistakes_are_counted_up_to_a_bound),
        CASE(a_long_pointer_is_cut),
        CASE(a_pointer_is_cut_between_characters),
        CASE(mistakes_of_the_text_come_first),
        CASE(unknown_members_may_be_ignored),
        CASE(structs_may_hold_their_own_kind),
        CASE(levels_of_structs_are_limited),
        CASE(structs_are_written),
        CASE(arrays_are_of_all_kinds),
        CASE(elements_may_be_null),
        CASE(what_is_absent_is_left_out_or_null),
        CASE(what_json_cannot_say_fails_the_writer),
        CASE(the_schema_says_what_is_read),
        CASE(the_schema_of_every_kind),
        CASE(the_schema_of_what_may_be_null),
        CASE(a_schema_that_contains_itself_needs_references),
        CASE(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
