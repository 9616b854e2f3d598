/* SPDX-License-Identifier: MIT */
/* What a peer would like to get (RFC 9110 §12.5), by tables. */
#include <stdio.h>
#include <torc/accept.h>

#include "base/page.h"
#include "check.h"

/* Fields that all have one name; values are the lines of a text, NULL for no field. */
typedef struct asked {
    torc_memory memory;
    torc_page_pool pages;
    torc_arena arena;
    torc_fields fields;
} asked;

static asked *ask(torc_field_id id, const char *values) {
    static asked self;
    torc_str rest = torc_str_of(values), line;

    self = (asked){0};
    torc_memory_init(&self.memory, 0);
    torc_page_pool_init(&self.pages, &self.memory, 4);
    torc_arena_init(&self.arena, &self.pages, 65536);
    while (torc_str_split(&rest, '\n', &line))
        check_ok(torc_fields_add_id(&self.fields, &self.arena, id, line));
    return &self;
}

static void forget(asked *self) {
    torc_arena_dispose(&self->arena);
    torc_page_pool_dispose(&self->pages);
}

/* ---- members ---- */

static void members_have_names_parameters_and_weights(void **state) {
    static const struct {
        const char *list, *expected;
    } cases[] = {
        {"gzip", "gzip||1000 "},
        {"gzip, br;q=0.5", "gzip||1000 br||500 "},
        {"gzip ; Q=0.25 , *;q=0", "gzip||250 *||0 "},
        {"a;q=1.000, b;q=0.001, c;q=0., d;q=1.", "a||1000 b||1 c||0 d||1000 "},
        {"text/html;level=1;q=0.4", "text/html|;level=1|400 "},
        {"text/html ; a=\"x;q=0.1,\\\"y\"; b=c", "text/html| ; a=\"x;q=0.1,\\\"y\"; b=c|1000 "},
        {"text/html;q=0.5;ext=1", "text/html||500 "},
        {"de-CH, en;;q=0.3", "de-CH||1000 en||300 "},
        /* Malformed members, and what is around them. */
        {"a;q=2, b", "b||1000 "},
        {"a;q=1.001, b;q=0.1234, c;q=, d;q=.5, e;q=-1, f;q=00, g", "g||1000 "},
        {"a b, c;d, /x, x/, x/y/z, \"q\", ;q=1, e", "e||1000 "},
        {"a;q=0,5", "a||0 5||1000 "},
        {"", ""},
        {" , ,", ""},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_str rest = torc_str_of(cases[i].list);
        torc_accept_member member;
        char text[200] = "";
        size_t at = 0;
        while (torc_accept_next(&rest, &member))
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%.*s|%.*s|%d ",
                                   TORC_STR_ARGS(member.name), TORC_STR_ARGS(member.parameters),
                                   member.weight);
        assert_string_equal(text, cases[i].expected);
    }
}

/* ---- codings ---- */

static void codings_have_weights(void **state) {
    static const struct {
        const char *values, *coding;
        int weight;
    } cases[] = {
        {NULL, "gzip", 1000},
        {NULL, "identity", 1000},
        {"", "gzip", 0},
        {"", "identity", 1},
        {"gzip", "gzip", 1000},
        {"gzip", "br", 0},
        {"gzip", "identity", 1},
        {"GZip;q=0.3", "gzip", 300},
        {"x-gzip", "gzip", 1000},
        {"X-Compress", "compress", 1000},
        {"deflate\nbr;q=0.9", "br", 900},
        {"*", "br", 1000},
        {"*;q=0.2, br", "br", 1000},
        {"*;q=0.2, br", "identity", 200},
        {"*;q=0", "identity", 0},
        {"*;q=0, identity;q=0.5", "identity", 500},
        {"identity;q=0", "identity", 0},
        {"gzip;q=0, gzip", "gzip", 0},
        {"gzip;level=9", "gzip", 0},
        {"gzip;q=nan", "gzip", 0},
        {"gzipped", "gzip", 0},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        asked *self = ask(TORC_FIELD_ACCEPT_ENCODING, cases[i].values);
        const int weight = torc_accept_encoding_weight(&self->fields, torc_str_of(cases[i].coding));
        if (weight != cases[i].weight) print_error("%s\n", cases[i].values);
        assert_int_equal(weight, cases[i].weight);
        forget(self);
    }
}

static void the_coding_that_is_liked_best_is_chosen(void **state) {
    static const torc_str codings[] = {TORC_STR_INIT("br"), TORC_STR_INIT("zstd"),
                                       TORC_STR_INIT("gzip")};
    static const struct {
        const char *values;
        int place;
    } cases[] = {
        {NULL, -1},
        {"", -1},
        {"gzip, deflate, br, zstd", 0}, /* a browser */
        {"gzip", 2},
        {"gzip, zstd", 1},
        {"br;q=0.5, gzip;q=0.8", 2},
        {"gzip;q=0.001", 2}, /* as much as what is not named, and smaller */
        {"gzip;q=0.5, identity;q=0.8", -1},
        {"gzip, identity", 2},
        {"gzip;q=0, *", 0},
        {"br;q=0, *;q=0.5", 1},
        {"gzip;q=0.5, *;q=0.8", 0},
        {"deflate", -1},
        {"identity", -1},
        {"*;q=0", -1},
        {"identity;q=0", -1}, /* there is nothing else to give */
        {"gzip;q=1.5", -1},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        asked *self = ask(TORC_FIELD_ACCEPT_ENCODING, cases[i].values);
        const ptrdiff_t place =
            torc_accept_encoding_choose(&self->fields, codings, TORC_COUNT_OF(codings));
        if (place != cases[i].place) print_error("%s\n", cases[i].values);
        assert_int_equal(place, cases[i].place);
        forget(self);
    }
}

static void no_more_than_so_many_members_count(void **state) {
    char list[1000] = "";

    (void)state;
    for (int i = 0; i < 70; i++) strcat(list, "x,");
    strcat(list, "gzip");
    asked *self = ask(TORC_FIELD_ACCEPT_ENCODING, list);
    assert_int_equal(torc_accept_encoding_weight(&self->fields, TORC_STR("gzip")), 0);
    forget(self);
    self = ask(TORC_FIELD_ACCEPT_ENCODING, list + 2 * 10);
    assert_int_equal(torc_accept_encoding_weight(&self->fields, TORC_STR("gzip")), 1000);
    forget(self);
}

/* ---- media types ---- */

static void the_closest_range_weighs_a_type(void **state) {
    static const char *const rfc = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
                                   "text/plain;format=fixed;q=0.4, */*;q=0.5";
    const struct {
        const char *values, *type;
        int weight;
        bool is_named;
    } cases[] = {
        {NULL, "text/html", 1000, false},
        {"", "text/html", 0, false},
        {rfc, "text/plain;format=flowed", 1000, true}, /* the example of RFC 9110 §12.5.1 */
        {rfc, "text/plain", 700, true},
        {rfc, "text/html", 300, true},
        {rfc, "image/jpeg", 500, false},
        {rfc, "text/plain; Format=Fixed", 400, true},
        {rfc, "text/html;level=3", 300, true},
        {"application/json", "application/json", 1000, true},
        {"APPLICATION/JSON", "application/json", 1000, true},
        {"application/json", "text/html", 0, false},
        {"application/*;q=0", "application/json", 0, false},
        {"text/html\napplication/json;q=0.9", "application/json", 900, true},
        {"*", "text/html", 0, false},
        {"te/*", "text/html", 0, false},
        {"text/htm", "text/html", 0, false},
        {"text/*;level=1", "text/html", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        asked *self = ask(TORC_FIELD_ACCEPT, cases[i].values);
        const torc_str type = torc_str_of(cases[i].type);
        if (torc_accept_type_weight(&self->fields, type) != cases[i].weight)
            print_error("%s: %s\n", cases[i].values, cases[i].type);
        assert_int_equal(torc_accept_type_weight(&self->fields, type), cases[i].weight);
        assert_int_equal(torc_accept_names_type(&self->fields, type), cases[i].is_named);
        forget(self);
    }
}

static void the_type_that_is_liked_best_is_chosen(void **state) {
    static const torc_str types[] = {TORC_STR_INIT("text/html"), TORC_STR_INIT("application/json"),
                                     TORC_STR_INIT("text/plain; charset=utf-8")};
    static const struct {
        const char *values;
        int chosen;
    } cases[] = {
        {NULL, 0},
        {"", -1},
        {"*/*", 0},
        {"application/json", 1},
        {"text/plain", 2},
        {"text/*", 0},
        {"text/html;q=0.5, */*;q=0.8", 1},
        {"text/html, application/json", 0},
        /* Liked equally: what is named goes before what is let in. */
        {"application/json, text/xml, */*", 1},
        {"text/*, application/json", 1},
        {"text/*, */*", 0},
        {"text/html;q=0, text/*", 2},
        {"image/png", -1},
        {"*/*;q=0", -1},
        {"image/png\ntext/plain;q=0.1", 2},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 0},
        {"nonsense", -1},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        asked *self = ask(TORC_FIELD_ACCEPT, cases[i].values);
        if (torc_accept_type_choose(&self->fields, types, 3) != cases[i].chosen)
            print_error("%s\n", cases[i].values);
        assert_int_equal(torc_accept_type_choose(&self->fields, types, 3), cases[i].chosen);
        assert_int_equal(torc_accept_type_choose(&self->fields, types, 0), -1);
        forget(self);
    }
}

/* ---- languages ---- */

static void languages_have_weights(void **state) {
    static const struct {
        const char *values, *tag;
        int weight;
    } cases[] = {
        {NULL, "de", 1000},
        {"", "de", 0},
        {"de", "de", 1000},
        {"DE;q=0.5", "de-ch", 500},
        {"de;q=0.5, de-CH;q=0.7", "de-CH", 700},
        {"de;q=0.5, de-CH;q=0.7", "de-AT", 500},
        {"de-CH;q=0.7", "de", 700}, /* who wants one dialect is content with the language */
        {"de-CH;q=0.7, de-AT;q=0.8", "de", 800},
        {"de-CH;q=0.7, de;q=0.1", "de", 100},
        {"de-CH", "de-AT", 0},
        {"de", "den", 0},
        {"den", "de", 0},
        {"de-CH;q=0, *;q=0.3", "de", 300}, /* a refused dialect refuses no language */
        {"de;q=0, *", "de-CH", 0},
        {"*;q=0.2, fr", "de", 200},
        {"zh-Hant-TW", "zh-Hant", 1000},
        {"zh-Hant-TW", "zh", 1000},
        {"de;q=2, en", "de", 0},
        {"de", "", 0},
        {"fr\nde;q=0.4", "de", 400},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        asked *self = ask(TORC_FIELD_ACCEPT_LANGUAGE, cases[i].values);
        const int weight = torc_accept_language_weight(&self->fields, torc_str_of(cases[i].tag));
        if (weight != cases[i].weight) print_error("%s: %s\n", cases[i].values, cases[i].tag);
        assert_int_equal(weight, cases[i].weight);
        forget(self);
    }
}

static void the_language_that_is_liked_best_is_chosen(void **state) {
    static const torc_str tags[] = {TORC_STR_INIT("en"), TORC_STR_INIT("de"),
                                    TORC_STR_INIT("de-CH"), TORC_STR_INIT("zh-Hant"),
                                    TORC_STR_INIT("zh")};
    static const struct {
        const char *values;
        int chosen;
    } cases[] = {
        {NULL, -1},
        {"", -1},
        {"de", 1},
        {"de-CH", 2},
        {"de-AT", 1},
        {"de-AT, en;q=0.9", 1},
        {"de;q=0.8, en;q=0.9", 0},
        {"fr, de-DE;q=0.5, en;q=0.3", 1},
        /* Of what is liked equally what the peer named first. */
        {"zh, de, en", 4},
        {"de, en", 1},
        {"zh-Hant-TW", 3},
        {"fr", -1},
        {"*", 0},
        {"fr, *;q=0.1", 0},
        {"en;q=0, *", 1},
        {"DE-ch", 2},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        asked *self = ask(TORC_FIELD_ACCEPT_LANGUAGE, cases[i].values);
        const ptrdiff_t chosen =
            torc_accept_language_choose(&self->fields, tags, TORC_COUNT_OF(tags));
        if (chosen != cases[i].chosen) print_error("%s\n", cases[i].values);
        assert_int_equal(chosen, cases[i].chosen);
        forget(self);
    }
}

/* However the list is cut into fields at its commas, it means the same. */
static void every_split_into_fields_means_the_same(void **state) {
    static const char whole[] = "de-CH, fr;q=0.4,en ;q=0.9 , , *;q=0.1";
    static const torc_str tag = TORC_STR_INIT("en");
    char values[64];

    (void)state;
    for (const char *at = whole; (at = strchr(at, ',')); at++) {
        snprintf(values, sizeof(values), "%.*s\n%s", (int)(at - whole), whole, at + 1);
        asked *self = ask(TORC_FIELD_ACCEPT_LANGUAGE, NULL);
        torc_str rest = torc_str_of(values), line;
        while (torc_str_split(&rest, '\n', &line))
            check_ok(torc_fields_add_id(&self->fields, &self->arena, TORC_FIELD_ACCEPT_LANGUAGE,
                                        torc_str_trim(line)));
        assert_int_equal(torc_accept_language_weight(&self->fields, tag), 900);
        forget(self);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_have_names_parameters_and_weights),
        cmocka_unit_test(codings_have_weights),
        cmocka_unit_test(the_coding_that_is_liked_best_is_chosen),
        cmocka_unit_test(no_more_than_so_many_members_count),
        cmocka_unit_test(the_closest_range_weighs_a_type),
        cmocka_unit_test(the_type_that_is_liked_best_is_chosen),
        cmocka_unit_test(languages_have_weights),
        cmocka_unit_test(the_language_that_is_liked_best_is_chosen),
        cmocka_unit_test(every_split_into_fields_means_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
