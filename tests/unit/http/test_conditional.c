/* SPDX-License-Identifier: MIT */
/* Conditional requests (RFC 9110 §13), by tables. */
#include <stdio.h>
#include <torc/conditional.h>
#include <torc/date.h>

#include "base/page.h"
#include "check.h"

#define TAG "\"v1\""
#define AT_VERSION "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"

enum {
    CHANGED = 784111777, /* AT_VERSION */
    NOW = CHANGED + 1000
};

/* Fields from lines, in memory that the test keeps. */
typedef struct fields_of {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_fields fields;
} fields_of;

static void read_lines(fields_of *self, const char *lines) {
    torc_str rest = torc_str_of(lines), line, name;

    torc_memory_init(&self->memory, 0);
    torc_page_pool_init(&self->pages, &self->memory, 4);
    torc_arena_init(&self->arena, &self->pages, 65536);
    self->fields = (torc_fields){0};
    while (torc_str_split(&rest, '\n', &line)) {
        if (line.len == 0 || !torc_str_split(&line, ':', &name)) continue;
        check_ok(torc_fields_add_copy(&self->fields, &self->arena, name, torc_str_trim(line)));
    }
}

static void drop_lines(fields_of *self) {
    torc_arena_dispose(&self->arena);
    torc_page_pool_dispose(&self->pages);
}

static void check_condition(const char *lines, torc_method method,
                            const torc_validators *validators, torc_condition expected) {
    fields_of of;

    read_lines(&of, lines);
    const torc_condition got = torc_conditional_check(&of.fields, method, validators, NOW);
    drop_lines(&of);
    if (got != expected) print_error("%s\n", lines);
    assert_int_equal(got, expected);
}

static const torc_validators strong = {.etag = {TAG, sizeof(TAG) - 1}, .last_modified = CHANGED};
static const torc_validators weak = {.etag = {"W/" TAG, sizeof(TAG) + 1}, .last_modified = CHANGED};
static const torc_validators unknown = {.last_modified = TORC_NO_DATE};
static const torc_validators missing = {.last_modified = TORC_NO_DATE, .is_missing = true};

static void tags_have_a_grammar(void **state) {
    static const char *const good[] = {"\"\"", "\"a\"", "\"\xc3\xa4!\"", "W/\"\""};
    static const char *const bad[] = {"",          "a",       "\"",       "W/a",
                                      "w/\"a\"",   "\"a",     "a\"",      "\"a\"b\"",
                                      "\"a\x7f\"", "\"a b\"", "\"a\tb\"", "W/\""};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(good); i++)
        assert_true(torc_etag_is_valid(torc_str_of(good[i])));
    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++)
        assert_false(torc_etag_is_valid(torc_str_of(bad[i])));
}

static void tags_are_compared_in_two_ways(void **state) {
    /* The table of RFC 9110 §8.8.3.2. */
    static const struct {
        const char *a, *b;
        bool strongly, weakly;
    } cases[] = {
        {"W/\"1\"", "W/\"1\"", false, true},
        {"W/\"1\"", "W/\"2\"", false, false},
        {"W/\"1\"", "\"1\"", false, true},
        {"\"1\"", "\"1\"", true, true},
        {"1", "1", false, false},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const torc_str a = torc_str_of(cases[i].a), b = torc_str_of(cases[i].b);
        assert_int_equal(torc_etag_equals_strongly(a, b), cases[i].strongly);
        assert_int_equal(torc_etag_equals_weakly(a, b), cases[i].weakly);
        assert_int_equal(torc_etag_equals_weakly(b, a), cases[i].weakly);
    }
}

static const struct {
    const char *lines;
    torc_condition get, put; /* of a version with a strong tag and a date */
} cases[] = {
    {"", TORC_CONDITION_PROCEED, TORC_CONDITION_PROCEED},
    {"If-Match: " TAG, TORC_CONDITION_PROCEED, TORC_CONDITION_PROCEED},
    {"If-Match: \"x\", " TAG, TORC_CONDITION_PROCEED, TORC_CONDITION_PROCEED},
    {"If-Match: \"x\"\nIf-Match: " TAG, TORC_CONDITION_PROCEED, TORC_CONDITION_PROCEED},
    {"If-Match: *", TORC_CONDITION_PROCEED, TORC_CONDITION_PROCEED},
    {"If-Match: \"x\"", TORC_CONDITION_FAILED, TORC_CONDITION_FAILED},
    {"If-Match: W/" TAG, TORC_CONDITION_FAILED, TORC_CONDITION_FAILED},
    {"If-Match: v1", TORC_CONDITION_FAILED, TORC_CONDITION_FAILED},
    {"If-None-Match: " TAG, TORC_CONDITION_NOT_MODIFIED, TORC_CONDITION_FAILED},
    {"If-None-Match: W/" TAG, TORC_CONDITION_NOT_MODIFIED, TORC_CONDITION_FAILED},
    {"If-None-Match: *", TORC_CONDITION_NOT_MODIFIED, TORC_CONDITION_FAILED},
    {"If-None-Match: \"x\"", TORC_CONDITION_PROCEED, TORC_CONDITION_PROCEED},
    {"If-Modified-Since: " AT_VERSION, TORC_CONDITION_NOT_MODIFIED, TORC_CONDITION_PROCEED},
    {"If-Modified-Since: " LATER, TORC_CONDITION_NOT_MODIFIED, TORC_CONDITION_PROCEED},
    {"If-Modified-Since: " EARLIER, TORC_CONDITION_PROCEED, TORC_CONDITION_PROCEED},
    {"If-Modified-Since: yesterday", TORC_CONDITION_PROCEED, TORC_CONDITION_PROCEED},
    {"If-Modified-Since: " AT_VERSION "\nIf-Modified-Since: " AT_VERSION, TORC_CONDITION_PROCEED,
     TORC_CONDITION_PROCEED},
    {"If-Unmodified-Since: " AT_VERSION, TORC_CONDITION_PROCEED, TORC_CONDITION_PROCEED},
    {"If-Unmodified-Since: " EARLIER, TORC_CONDITION_FAILED, TORC_CONDITION_FAILED},
    {"If-Unmodified-Since: junk", TORC_CONDITION_PROCEED, TORC_CONDITION_PROCEED},
    /* The order: tags before dates, what is wanted before what is known. */
    {"If-Match: " TAG "\nIf-Unmodified-Since: " EARLIER, TORC_CONDITION_PROCEED,
     TORC_CONDITION_PROCEED},
    {"If-None-Match: \"x\"\nIf-Modified-Since: " AT_VERSION, TORC_CONDITION_PROCEED,
     TORC_CONDITION_PROCEED},
    {"If-Match: \"x\"\nIf-None-Match: " TAG, TORC_CONDITION_FAILED, TORC_CONDITION_FAILED},
    {"If-Match: " TAG "\nIf-None-Match: " TAG, TORC_CONDITION_NOT_MODIFIED, TORC_CONDITION_FAILED},
    {"If-Unmodified-Since: " AT_VERSION "\nIf-Modified-Since: " AT_VERSION,
     TORC_CONDITION_NOT_MODIFIED, TORC_CONDITION_PROCEED},
};

static void conditions_are_looked_at_in_their_order(void **state) {
    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        check_condition(cases[i].lines, TORC_METHOD_GET, &strong, cases[i].get);
        check_condition(cases[i].lines, TORC_METHOD_HEAD, &strong, cases[i].get);
        check_condition(cases[i].lines, TORC_METHOD_PUT, &strong, cases[i].put);
        check_condition(cases[i].lines, TORC_METHOD_DELETE, &strong, cases[i].put);
    }
}

static void a_weak_version_is_never_what_is_wanted(void **state) {
    (void)state;
    check_condition("If-Match: W/" TAG, TORC_METHOD_GET, &weak, TORC_CONDITION_FAILED);
    check_condition("If-Match: " TAG, TORC_METHOD_GET, &weak, TORC_CONDITION_FAILED);
    check_condition("If-None-Match: " TAG, TORC_METHOD_GET, &weak, TORC_CONDITION_NOT_MODIFIED);
}

static void what_has_no_validators_matches_the_star_alone(void **state) {
    (void)state;
    check_condition("If-Match: \"\"", TORC_METHOD_PUT, &unknown, TORC_CONDITION_FAILED);
    check_condition("If-Match: *", TORC_METHOD_PUT, &unknown, TORC_CONDITION_PROCEED);
    check_condition("If-None-Match: *", TORC_METHOD_PUT, &unknown, TORC_CONDITION_FAILED);
    check_condition("If-Modified-Since: " LATER, TORC_METHOD_GET, &unknown, TORC_CONDITION_PROCEED);
    check_condition("If-Unmodified-Since: " EARLIER, TORC_METHOD_PUT, &unknown,
                    TORC_CONDITION_PROCEED);
}

static void what_is_missing_may_be_made_but_not_changed(void **state) {
    (void)state;
    check_condition("If-None-Match: *", TORC_METHOD_PUT, &missing, TORC_CONDITION_PROCEED);
    check_condition("If-Match: *", TORC_METHOD_PUT, &missing, TORC_CONDITION_FAILED);
}

static void a_range_is_heeded_for_the_same_version_only(void **state) {
    static const struct {
        const char *lines;
        bool with_strong, with_weak;
    } ranges[] = {
        {"", true, true},
        {"If-Range: " TAG, true, false},
        {"If-Range: W/" TAG, false, false},
        {"If-Range: \"x\"", false, false},
        {"If-Range: " AT_VERSION, true, true},
        {"If-Range: " EARLIER, false, false},
        {"If-Range: " LATER, false, false},
        {"If-Range: junk", false, false},
    };
    fields_of of;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(ranges); i++) {
        read_lines(&of, ranges[i].lines);
        assert_int_equal(torc_conditional_allows_range(&of.fields, &strong, NOW),
                         ranges[i].with_strong);
        assert_int_equal(torc_conditional_allows_range(&of.fields, &weak, NOW),
                         ranges[i].with_weak);
        drop_lines(&of);
    }
    /* A date within the last second is no strong validator. */
    read_lines(&of, "If-Range: " AT_VERSION);
    assert_false(torc_conditional_allows_range(&of.fields, &strong, CHANGED + 1));
    assert_true(torc_conditional_allows_range(&of.fields, &strong, CHANGED + 2));
    drop_lines(&of);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_have_a_grammar),
        cmocka_unit_test(tags_are_compared_in_two_ways),
        cmocka_unit_test(conditions_are_looked_at_in_their_order),
        cmocka_unit_test(a_weak_version_is_never_what_is_wanted),
        cmocka_unit_test(what_has_no_validators_matches_the_star_alone),
        cmocka_unit_test(what_is_missing_may_be_made_but_not_changed),
        cmocka_unit_test(a_range_is_heeded_for_the_same_version_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
