/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <torc/fields.h>

#include "base/page.h"
#include "check.h"
#include "faults.h"
#include "guarded.h"
#include "message/field_find.h"

typedef struct world {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_fields fields;
} world;

static world *the;

static int set_up(void **state) {
    static world self;

    (void)state;
    the = &self;
    self = (world){0};
    torc_memory_init(&self.memory, 0);
    torc_page_pool_init(&self.pages, &self.memory, 4);
    torc_arena_init(&self.arena, &self.pages, 1 << 20);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_arena_dispose(&the->arena);
    torc_page_pool_dispose(&the->pages);
    return the->memory.used_total == 0 ? 0 : -1;
}

static void add(const char *name, const char *value) {
    check_ok(torc_fields_add(&the->fields, &the->arena, torc_str_of(name), torc_str_of(value)));
}

/* ---- names ---- */

static void known_names_are_found_in_any_case(void **state) {
    guarded memory = guarded_new(1);

    (void)state;
    for (int id = 1; id < TORC_FIELDS; id++) {
        const torc_str name = torc_field_name((torc_field_id)id);
        char upper[64], lower[64], mixed[64];
        assert_true(name.len > 0 && name.len < sizeof(upper));
        for (size_t i = 0; i < name.len; i++) {
            upper[i] = (char)toupper(name.bytes[i]);
            lower[i] = (char)tolower(name.bytes[i]);
            mixed[i] = i % 2 ? upper[i] : lower[i];
        }
        assert_int_equal(torc_field_find(guarded_at_end(&memory, name)), id);
        assert_int_equal(torc_field_find(guarded_at_start(&memory, name)), id);
        assert_int_equal(torc_field_find(torc_str_make(upper, name.len)), id);
        assert_int_equal(torc_field_find(torc_str_make(lower, name.len)), id);
        assert_int_equal(torc_field_find(torc_str_make(mixed, name.len)), id);
    }
    guarded_free(&memory);
}

/* Each known name with one byte changed in each way is that of another field. */
static void names_that_differ_are_others(void **state) {
    (void)state;
    for (int id = 1; id < TORC_FIELDS; id++) {
        const torc_str name = torc_field_name((torc_field_id)id);
        char changed[64];
        for (size_t i = 0; i < name.len; i++)
            for (int c = 0; c < 256; c++) {
                if (tolower(c) == tolower(name.bytes[i])) continue;
                memcpy(changed, name.bytes, name.len);
                changed[i] = (char)c;
                const torc_field_id found = torc_field_find(torc_str_make(changed, name.len));
                if (found == TORC_FIELD_OTHER) continue;
                assert_int_not_equal(found, id);
                assert_true(torc_str_equals_nocase(torc_field_name(found),
                                                   torc_str_make(changed, name.len)));
            }
    }
}

static void other_names_have_no_id(void **state) {
    static const torc_str others[] = {
        TORC_STR_INIT(""),
        TORC_STR_INIT("X"),
        TORC_STR_INIT("Hos"),
        TORC_STR_INIT("Hosts"),
        TORC_STR_INIT("Host "),
        TORC_STR_INIT("Content_Length"),
        TORC_STR_INIT("X-This-Name-Is-Longer-Than-Any-That-Is-Known-Here"),
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(others); i++)
        assert_int_equal(torc_field_find(others[i]), TORC_FIELD_OTHER);
    assert_int_equal(torc_field_find((torc_str){0}), TORC_FIELD_OTHER);
    check_str(torc_field_name(TORC_FIELD_OTHER), "");
}

/* ---- what can be a name, what a value ---- */

static bool is_value_byte(int c) {
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

static void values_have_no_controls(void **state) {
    guarded memory = guarded_new(1);

    (void)state;
    for (size_t len = 1; len < 40; len++)
        for (size_t at = 0; at < len; at++)
            for (int c = 0; c < 256; c++) {
                char text[40];
                memset(text, 'a', len);
                text[at] = (char)c;
                const bool is_end = at == 0 || at == len - 1, is_blank = c == ' ' || c == '\t';
                const torc_str value = guarded_at_end(&memory, torc_str_make(text, len));
                if (torc_field_value_is_valid(value) != (is_value_byte(c) && !(is_end && is_blank)))
                    fail_msg("byte %d at %zu of %zu", c, at, len);
            }
    assert_true(torc_field_value_is_valid((torc_str){0}));
    guarded_free(&memory);
}

/* What borrows in the sums of eight bytes at once. */
static void neighbours_make_no_difference(void **state) {
    (void)state;
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b++) {
            const char text[] = {'x', 'x', 'x', (char)a, (char)b, 'x', 'x', 'x', 'x'};
            assert_int_equal(torc_field_value_is_valid(torc_str_make(text, sizeof(text))),
                             is_value_byte(a) && is_value_byte(b));
        }
}

static void names_are_tokens(void **state) {
    (void)state;
    assert_true(torc_field_name_is_valid(TORC_STR("X-a_b!#$%&'*+.^`|~1")));
    assert_false(torc_field_name_is_valid(TORC_STR("")));
    assert_false(torc_field_name_is_valid(TORC_STR("a b")));
    assert_false(torc_field_name_is_valid(TORC_STR("a:")));
    assert_false(torc_field_name_is_valid(TORC_STR("a\0")));
    assert_false(torc_field_name_is_valid(TORC_STR("\303\244")));
    assert_true(torc_is_token(TORC_STR("chunked")));
    assert_false(torc_is_token(TORC_STR("a/b")));
}

static void trailers_have_nothing_that_decides(void **state) {
    static const torc_field_id never[] = {
        TORC_FIELD_TRANSFER_ENCODING,
        TORC_FIELD_CONTENT_LENGTH,
        TORC_FIELD_HOST,
        TORC_FIELD_TRAILER,
        TORC_FIELD_CONNECTION,
        TORC_FIELD_TE,
        TORC_FIELD_UPGRADE,
        TORC_FIELD_AUTHORIZATION,
        TORC_FIELD_COOKIE,
        TORC_FIELD_SET_COOKIE,
        TORC_FIELD_WWW_AUTHENTICATE,
        TORC_FIELD_CONTENT_TYPE,
        TORC_FIELD_CONTENT_ENCODING,
        TORC_FIELD_CONTENT_RANGE,
        TORC_FIELD_CACHE_CONTROL,
        TORC_FIELD_EXPECT,
        TORC_FIELD_RANGE,
        TORC_FIELD_IF_MATCH,
        TORC_FIELD_MAX_FORWARDS,
        TORC_FIELD_VARY,
        TORC_FIELD_LOCATION,
        TORC_FIELD_X_FORWARDED_FOR,
        TORC_FIELD_X_FORWARDED_PORT,
        TORC_FIELD_X_REAL_IP,
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(never); i++)
        assert_false(torc_field_is_allowed_in_trailers(never[i]));
    assert_true(torc_field_is_allowed_in_trailers(TORC_FIELD_OTHER));
    assert_true(torc_field_is_allowed_in_trailers(TORC_FIELD_ETAG));
    assert_true(torc_field_is_allowed_in_trailers(TORC_FIELD_CONTENT_DIGEST));
    assert_true(torc_field_is_allowed_in_trailers(TORC_FIELD_SERVER_TIMING));
}

/* ---- lists of fields ---- */

static void fields_stand_in_order(void **state) {
    uint32_t place = 0;

    (void)state;
    add("Set-Cookie", "a=1");
    add("X-Own", "x");
    add("set-cookie", "b=2");
    check_str(torc_fields_value(&the->fields, TORC_STR("SET-COOKIE")), "a=1");
    check_str(torc_fields_value_id(&the->fields, TORC_FIELD_SET_COOKIE), "a=1");
    check_str(torc_fields_value(&the->fields, TORC_STR("x-own")), "x");
    assert_null(torc_fields_value(&the->fields, TORC_STR("x-owner")).bytes);
    assert_null(torc_fields_value_id(&the->fields, TORC_FIELD_DATE).bytes);
    assert_true(torc_fields_has(&the->fields, TORC_STR("X-OWN")));
    assert_false(torc_fields_has(&the->fields, TORC_STR("Date")));
    check_str(torc_fields_next_id(&the->fields, TORC_FIELD_SET_COOKIE, &place)->value, "a=1");
    check_str(torc_fields_next_id(&the->fields, TORC_FIELD_SET_COOKIE, &place)->value, "b=2");
    assert_null(torc_fields_next_id(&the->fields, TORC_FIELD_SET_COOKIE, &place));
    assert_null(torc_fields_next_id(&the->fields, TORC_FIELD_SET_COOKIE, &place));
    place = 0;
    check_str(torc_fields_next(&the->fields, TORC_STR("X-Own"), &place)->value, "x");
    assert_int_equal(place, 2);
    assert_null(torc_fields_next(&the->fields, TORC_STR("X-Own"), &place));
}

static void nothing_is_injected(void **state) {
    static const torc_str names[] = {TORC_STR_INIT(""), TORC_STR_INIT("A b"), TORC_STR_INIT("A:"),
                                     TORC_STR_INIT("A\r\nB")};
    static const torc_str values[] = {
        TORC_STR_INIT("a\r\nB: c"), TORC_STR_INIT("a\nb"),
        TORC_STR_INIT("a\rb"),      TORC_STR_INIT("a\0b"),
        TORC_STR_INIT(" a"),        TORC_STR_INIT("a\t"),
        TORC_STR_INIT("\177"),      TORC_STR_INIT("a longer one, that ends in LF\n"),
    };
    torc_fields *fields = &the->fields;

    (void)state;
    add("Kept", "as it is");
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) {
        check_err(torc_fields_add(fields, &the->arena, names[i], TORC_STR("v")), TORC_ERR_INVALID);
        check_err(torc_fields_add_copy(fields, &the->arena, names[i], TORC_STR("v")),
                  TORC_ERR_INVALID);
        check_err(torc_fields_set(fields, &the->arena, names[i], TORC_STR("v")), TORC_ERR_INVALID);
    }
    for (size_t i = 0; i < TORC_COUNT_OF(values); i++) {
        check_err(torc_fields_add(fields, &the->arena, TORC_STR("A"), values[i]), TORC_ERR_INVALID);
        check_err(torc_fields_add_copy(fields, &the->arena, TORC_STR("A"), values[i]),
                  TORC_ERR_INVALID);
        check_err(torc_fields_add_id(fields, &the->arena, TORC_FIELD_DATE, values[i]),
                  TORC_ERR_INVALID);
        check_err(torc_fields_set(fields, &the->arena, TORC_STR("Kept"), values[i]),
                  TORC_ERR_INVALID);
    }
    assert_int_equal(fields->count, 1);
    check_str(fields->items[0].value, "as it is");
}

static void setting_replaces_all_of_a_name(void **state) {
    torc_fields *fields = &the->fields;

    (void)state;
    add("A", "1");
    add("B", "2");
    add("a", "3");
    add("C", "4");
    add("A", "5");
    check_ok(torc_fields_set(fields, &the->arena, TORC_STR("a"), TORC_STR("6")));
    assert_int_equal(fields->count, 3);
    check_str(fields->items[0].name, "a");
    check_str(fields->items[0].value, "6");
    check_str(fields->items[1].name, "B");
    check_str(fields->items[2].name, "C");
    check_ok(torc_fields_set(fields, &the->arena, TORC_STR("Date"), TORC_STR("7")));
    assert_int_equal(fields->items[3].id, TORC_FIELD_DATE);
}

static void removing_tells_how_many(void **state) {
    (void)state;
    add("A", "1");
    add("ETag", "2");
    add("a", "3");
    assert_int_equal(torc_fields_remove(&the->fields, TORC_STR("A")), 2);
    assert_int_equal(torc_fields_remove(&the->fields, TORC_STR("A")), 0);
    assert_int_equal(torc_fields_remove(&the->fields, TORC_STR("etag")), 1);
    assert_int_equal(the->fields.count, 0);
}

static void copies_stand_alone(void **state) {
    char name[] = "X-Name", value[] = "value";

    (void)state;
    check_ok(
        torc_fields_add_copy(&the->fields, &the->arena, torc_str_of(name), torc_str_of(value)));
    memset(name, '!', sizeof(name) - 1);
    memset(value, '!', sizeof(value) - 1);
    check_str(the->fields.items[0].name, "X-Name");
    check_str(the->fields.items[0].value, "value");
}

static torc_err fill(torc_memory *memory, void *context) {
    torc_page_pool pages;
    torc_arena arena;
    torc_fields fields = {0};
    torc_err err = TORC_OK;
    uint32_t added = 0;

    (void)context;
    torc_page_pool_init(&pages, memory, 0);
    torc_arena_init(&arena, &pages, 1 << 20);
    for (int i = 0; i < 300 && !err; i++) {
        err = torc_fields_add_copy(&fields, &arena, TORC_STR("Name"), TORC_STR("some value"));
        if (!err) added++;
    }
    if (!err) err = torc_fields_add_id(&fields, &arena, TORC_FIELD_AGE, TORC_STR("1"));
    if (!err) added++;
    if (!err) err = torc_fields_set(&fields, &arena, TORC_STR("New"), TORC_STR("1"));
    if (!err) added++;
    assert_int_equal(fields.count, added); /* what failed has changed nothing */
    assert_true(err == TORC_OK || err == TORC_ERR_NO_MEMORY);
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    return err;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    faults_each(fill, NULL);
}

/* ---- lists in values ---- */

static void members_are_what_stands_between_commas(void **state) {
    torc_str rest = TORC_STR(" , a,b ,\t, \"c, \\\"d\" ;e=\"f,g\",,h , "), member;

    (void)state;
    assert_true(torc_list_member_next(&rest, &member));
    check_str(member, "a");
    assert_true(torc_list_member_next(&rest, &member));
    check_str(member, "b");
    assert_true(torc_list_member_next(&rest, &member));
    check_str(member, "\"c, \\\"d\" ;e=\"f,g\"");
    assert_true(torc_list_member_next(&rest, &member));
    check_str(member, "h");
    assert_false(torc_list_member_next(&rest, &member));
    assert_false(torc_list_member_next(&rest, &member));
    rest = (torc_str){0};
    assert_false(torc_list_member_next(&rest, &member));
}

static void quotes_that_do_not_close_go_on_to_the_end(void **state) {
    static const torc_str lists[] = {TORC_STR_INIT("a,\"b,c"), TORC_STR_INIT("a,\"b,\\"),
                                     TORC_STR_INIT("a,\"b,\\\"")};
    guarded memory = guarded_new(1);
    torc_str member;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(lists); i++) {
        torc_str rest = guarded_at_end(&memory, lists[i]);
        assert_true(torc_list_member_next(&rest, &member));
        check_str(member, "a");
        assert_true(torc_list_member_next(&rest, &member));
        assert_int_equal(member.len, lists[i].len - 2);
        assert_false(torc_list_member_next(&rest, &member));
    }
    guarded_free(&memory);
}

static void a_list_has_its_members(void **state) {
    (void)state;
    assert_true(torc_list_has_member(TORC_STR("close"), TORC_STR("close")));
    assert_true(torc_list_has_member(TORC_STR(" CLOSE\t"), TORC_STR("close")));
    assert_true(torc_list_has_member(TORC_STR("a, Close ,b"), TORC_STR("close")));
    assert_true(torc_list_has_member(TORC_STR(",close"), TORC_STR("close")));
    assert_false(torc_list_has_member(TORC_STR("closed, unclose, close d"), TORC_STR("close")));
    assert_false(torc_list_has_member(TORC_STR("\"close\", \"a,close\""), TORC_STR("close")));
    assert_false(torc_list_has_member(TORC_STR(""), TORC_STR("close")));
    assert_false(torc_list_has_member((torc_str){0}, TORC_STR("close")));
    assert_false(torc_list_has_member(TORC_STR("clos"), TORC_STR("close")));
}

static void fields_make_one_list(void **state) {
    (void)state;
    add("Connection", "keep-alive");
    add("Date", "close");
    assert_false(torc_fields_have_member(&the->fields, TORC_FIELD_CONNECTION, TORC_STR("close")));
    add("CONNECTION", "x, Close");
    assert_true(torc_fields_have_member(&the->fields, TORC_FIELD_CONNECTION, TORC_STR("close")));
}

static void check_usual(const char *name, size_t len, torc_field_id id) {
    char lines[16 + 1];

    memset(lines, 'x', sizeof(lines)); /* what stands behind it does not matter */
    memcpy(lines, name, len);
    assert_int_equal(torc_field_find_usual(lines, (unsigned)len), id);
}

static void usual_names_are_found_by_words(void **state) {
    (void)state;
    for (int id = TORC_FIELD_OTHER + 1; id < TORC_FIELDS; id++) {
        const torc_str name = torc_field_name((torc_field_id)id);
        char other[64];

        if (name.len > TORC_FIELD_USUAL_LEN) continue;
        check_usual(name.bytes, name.len, (torc_field_id)id);
        for (size_t at = 0; at < name.len; at++) {
            memcpy(other, name.bytes, name.len);
            other[at] =
                (char)(isupper((unsigned char)other[at]) ? tolower(other[at]) : toupper(other[at]));
            check_usual(other, name.len, (torc_field_id)id);
            other[at] = other[at] == 'q' ? 'z' : 'q';
            check_usual(other, name.len, torc_field_find(torc_str_make(other, name.len)));
        }
        check_usual(name.bytes, name.len - 1,
                    torc_field_find(torc_str_make(name.bytes, name.len - 1)));
    }
}

/* ---- as a multimap ---- */

static torc_fields fields_of(const char *lines) {
    torc_fields fields = {0};
    torc_str rest = torc_str_of(lines), line;

    while (torc_str_split(&rest, '\n', &line)) {
        const ptrdiff_t colon = torc_str_find_byte(line, ':');
        check_ok(torc_fields_add(&fields, &the->arena, torc_str_head(line, (size_t)colon),
                                 torc_str_from(line, (size_t)colon + 1)));
    }
    return fields;
}

static void equality_is_by_the_values_of_each_name(void **state) {
    static const struct {
        const char *a, *b;
        bool are_equal;
    } cases[] = {
        {NULL, NULL, true},
        {"A:1", "a:1", true},
        {"A:1\nB:2\nA:3", "b:2\na:1\nA:3", true},
        {"A:1\nA:3", "A:3\nA:1", false},
        {"A:1", "A:2", false},
        {"A:1", "B:1", false},
        {"A:1\nA:1", "A:1\nB:1", false},
        {"A:1", "A:1\nA:1", false},
        {"ETag:x\nX-Y:", "x-y:\nETAG:x", true},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const torc_fields a = fields_of(cases[i].a), b = fields_of(cases[i].b);
        assert_int_equal(torc_fields_equal(&a, &b), cases[i].are_equal);
        assert_int_equal(torc_fields_equal(&b, &a), cases[i].are_equal);
    }
}

static void a_copy_is_equal_and_its_own(void **state) {
    char value[] = "1";
    torc_fields fields = {0}, copy = {0};

    (void)state;
    check_ok(torc_fields_add(&fields, &the->arena, TORC_STR("X-A"), torc_str_of(value)));
    check_ok(torc_fields_copy(&fields, &the->arena, &copy));
    assert_true(torc_fields_equal(&fields, &copy));
    value[0] = '2';
    check_str(torc_fields_value(&copy, TORC_STR("x-a")), "1");
    check_ok(torc_fields_add(&copy, &the->arena, TORC_STR("ETag"), TORC_STR("x")));
    assert_int_equal(fields.count, 1);
    assert_int_equal(copy.count, 2);
}

static torc_err copy_much(torc_memory *memory, void *context) {
    static char value[5000];
    torc_page_pool pages;
    torc_arena arena;
    torc_field item = {TORC_STR("X-A"), torc_str_make(value, sizeof(value)), TORC_FIELD_OTHER};
    const torc_fields fields = {.items = &item, .count = 1};
    torc_fields copy = {0};

    (void)context;
    torc_page_pool_init(&pages, memory, 4);
    torc_arena_init(&arena, &pages, 1 << 20);
    const torc_err err = torc_fields_copy(&fields, &arena, &copy);
    assert_int_equal(copy.count, err ? 0 : 1);
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pages);
    return err;
}

static void copying_may_find_no_memory(void **state) {
    (void)state;
    faults_each(copy_much, NULL);
}

static void names_have_a_usual_spelling(void **state) {
    static const char *const usual[] = {
        "ETag", "TE",           "DNT",        "WWW-Authenticate", "Content-MD5", "X-XSS-Protection",
        "P3P",  "Content-Type", "X-My-Field", "X-1a-B_c",         "Host"};
    char name[32], to[32];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(usual); i++)
        for (int upper = 0; upper < 2; upper++) {
            const size_t len = strlen(usual[i]);
            for (size_t at = 0; at < len; at++)
                name[at] = (char)(upper ? toupper(usual[i][at]) : tolower(usual[i][at]));
            const torc_str text = torc_field_name_usual(torc_str_make(name, len), to);
            check_str_of(text, usual[i]);
        }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(usual_names_are_found_by_words),
        TEST(known_names_are_found_in_any_case),
        TEST(names_that_differ_are_others),
        TEST(other_names_have_no_id),
        TEST(values_have_no_controls),
        TEST(neighbours_make_no_difference),
        TEST(names_are_tokens),
        TEST(trailers_have_nothing_that_decides),
        TEST(fields_stand_in_order),
        TEST(nothing_is_injected),
        TEST(setting_replaces_all_of_a_name),
        TEST(removing_tells_how_many),
        TEST(copies_stand_alone),
        TEST(each_allocation_may_fail),
        TEST(members_are_what_stands_between_commas),
        TEST(quotes_that_do_not_close_go_on_to_the_end),
        TEST(a_list_has_its_members),
        TEST(fields_make_one_list),
        TEST(equality_is_by_the_values_of_each_name),
        TEST(a_copy_is_equal_and_its_own),
        TEST(copying_may_find_no_memory),
        TEST(names_have_a_usual_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
