/* SPDX-License-Identifier: MIT */
/* Media types by names, what is added to those that are built in, and files of them. */
#include <stdio.h>
#include <stdlib.h>
#include <torc/media_types.h>
#include <unistd.h>

#include "check.h"
#include "testing/uncounted.h"

static void names_have_the_type_of_their_last_extension(void **state) {
    (void)state;
    check_str(torc_media_types_find(NULL, TORC_STR("a.html")), "text/html");
    check_str(torc_media_types_find(NULL, TORC_STR("a.min.js")), "text/javascript");
    check_str(torc_media_types_find(NULL, TORC_STR("a.tar.gz")), "application/gzip");
    check_str(torc_media_types_find(NULL, TORC_STR("A.JPEG")), "image/jpeg");
    check_str(torc_media_types_find(NULL, TORC_STR(".css")), "text/css");
    check_str(torc_media_types_find(NULL, TORC_STR("x.webmanifest")), "application/manifest+json");
}

static void names_without_a_known_extension_have_none(void **state) {
    static const char *const names[] = {
        "",
        "html",
        "a.",
        "a.xyz",
        ".",
        "..",
        "a.html~",
        "a.htmlx",
        "a.longerthanall",
        "a.more than thirty-two bytes behind the dot.html.",
    };
    torc_media_types *types = torc_media_types_new();

    (void)state;
    check_ok(torc_media_types_add(types, TORC_STR("known"), TORC_STR("a/b")));
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) {
        assert_null(torc_media_types_find(NULL, torc_str_of(names[i])).bytes);
        assert_null(torc_media_types_find(types, torc_str_of(names[i])).bytes);
    }
    assert_null(torc_media_types_find(NULL, torc_str_make(NULL, 0)).bytes);
    torc_media_types_free(types);
}

static void what_is_added_goes_before_what_is_built_in(void **state) {
    torc_media_types *types = torc_media_types_new();

    (void)state;
    check_ok(torc_media_types_add(types, TORC_STR("HTML"), TORC_STR("text/x-own")));
    check_ok(torc_media_types_add(types, TORC_STR(".xyz"), TORC_STR("text/x; charset=utf-8")));
    check_str(torc_media_types_find(types, TORC_STR("a.html")), "text/x-own");
    check_str(torc_media_types_find(types, TORC_STR("a.XYZ")), "text/x; charset=utf-8");
    check_str(torc_media_types_find(types, TORC_STR("a.css")), "text/css");
    check_str(torc_media_types_find(NULL, TORC_STR("a.html")), "text/html");
    check_ok(torc_media_types_add(types, TORC_STR("xyz"), TORC_STR("text/other")));
    check_str(torc_media_types_find(types, TORC_STR("a.xyz")), "text/other");
    torc_media_types_free(types);
}

static void the_longest_extension_decides(void **state) {
    torc_media_types *types = torc_media_types_new();

    (void)state;
    check_ok(torc_media_types_add(types, TORC_STR("tar.gz"), TORC_STR("a/tar-gz")));
    check_ok(torc_media_types_add(types, TORC_STR("gz"), TORC_STR("a/gz")));
    check_ok(torc_media_types_add(types, TORC_STR("a.b.c"), TORC_STR("a/abc")));
    check_str(torc_media_types_find(types, TORC_STR("x.tar.gz")), "a/tar-gz");
    check_str(torc_media_types_find(types, TORC_STR("x.1.tar.gz")), "a/tar-gz");
    check_str(torc_media_types_find(types, TORC_STR("x.star.gz")), "a/gz");
    check_str(torc_media_types_find(types, TORC_STR("x.a.b.c")), "a/abc");
    check_str(torc_media_types_find(types, TORC_STR("x.B.c")), "text/x-c");
    torc_media_types_free(types);
}

static void what_cannot_be_sent_is_refused(void **state) {
    static const char *const types[] = {"",      "text",  "/x",        "x/",
                                        "a/b c", "a/b\n", "a/b;c\r",   "text/ html",
                                        " a/b",  "a;b/c", "te xt/html"};
    static const char *const extensions[] = {
        "", ".", "a.", "..a", "a b", "a/b", "a\n", "123456789012345678901234567890123"};
    torc_media_types *self = torc_media_types_new();
    char longest[200] = "a/";

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(types); i++) {
        if (torc_media_type_is_valid(torc_str_of(types[i]))) print_error("%s\n", types[i]);
        assert_false(torc_media_type_is_valid(torc_str_of(types[i])));
        check_err(torc_media_types_add(self, TORC_STR("x"), torc_str_of(types[i])),
                  TORC_ERR_INVALID);
    }
    for (size_t i = 0; i < TORC_COUNT_OF(extensions); i++)
        check_err(torc_media_types_add(self, torc_str_of(extensions[i]), TORC_STR("a/b")),
                  TORC_ERR_INVALID);
    memset(longest + 2, 'x', 125);
    assert_true(torc_media_type_is_valid(torc_str_of(longest)));
    longest[127] = 'x';
    assert_false(torc_media_type_is_valid(torc_str_of(longest)));
    torc_media_types_free(self);
}

static void pairs_are_an_extension_and_a_type(void **state) {
    torc_media_types *types = torc_media_types_new();

    (void)state;
    check_ok(torc_media_types_add_pair(types, TORC_STR("md=text/markdown; charset=utf-8")));
    check_ok(torc_media_types_add_pair(types, TORC_STR(" .q = a/b ")));
    check_str(torc_media_types_find(types, TORC_STR("x.md")), "text/markdown; charset=utf-8");
    check_str(torc_media_types_find(types, TORC_STR("x.q")), "a/b");
    check_err(torc_media_types_add_pair(types, TORC_STR("md")), TORC_ERR_INVALID);
    check_err(torc_media_types_add_pair(types, TORC_STR("=a/b")), TORC_ERR_INVALID);
    check_err(torc_media_types_add_pair(types, TORC_STR("md=")), TORC_ERR_INVALID);
    check_err(torc_media_types_add_pair(types, TORC_STR("md=markdown")), TORC_ERR_INVALID);
    torc_media_types_free(types);
}

static void texts_are_read_as_mime_types(void **state) {
    torc_media_types *types = torc_media_types_new();
    torc_media_types_error error;

    (void)state;
    check_ok(torc_media_types_parse(types,
                                    TORC_STR("# a comment\n"
                                             "\n"
                                             "text/one\t\tone Eins # more\r\n"
                                             "  text/none\n"
                                             "two=text/two; charset=utf-8\n"
                                             "text/three three"),
                                    &error));
    assert_int_equal(error.line, 0);
    assert_string_equal(error.text, "");
    check_str(torc_media_types_find(types, TORC_STR("x.one")), "text/one");
    check_str(torc_media_types_find(types, TORC_STR("x.eins")), "text/one");
    check_str(torc_media_types_find(types, TORC_STR("x.two")), "text/two; charset=utf-8");
    check_str(torc_media_types_find(types, TORC_STR("x.three")), "text/three");
    torc_media_types_free(types);
}

static void mistakes_are_told_with_their_line(void **state) {
    static const struct {
        const char *text;
        size_t line;
        const char *error;
    } cases[] = {
        {"texthtml html", 1, "\"texthtml\" is no media type (TYPE/SUBTYPE)"},
        {"a/b c\n\ntypes {", 3, "\"types\" is no media type (TYPE/SUBTYPE)"},
        {"a/b c/d", 1, "\"c/d\" is no extension"},
        {"\nmd=x", 2, "\"md=x\" is not EXTENSION=TYPE/SUBTYPE"},
        {"a\x1b[1m b", 1, "\"a?[1m\" is no media type (TYPE/SUBTYPE)"},
        {"0123456789012345678901234567890123456789xyz b", 1,
         "\"0123456789012345678901234567890123456789...\" is no media type (TYPE/SUBTYPE)"},
    };
    torc_media_types_error error;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_media_types *types = torc_media_types_new();
        check_err(torc_media_types_parse(types, torc_str_of(cases[i].text), &error),
                  TORC_ERR_INVALID);
        assert_int_equal(error.line, cases[i].line);
        assert_string_equal(error.text, cases[i].error);
        check_err(torc_media_types_parse(types, torc_str_of(cases[i].text), NULL),
                  TORC_ERR_INVALID);
        torc_media_types_free(types);
    }
}

/* ---- files ---- */

static void files_are_loaded(void **state) {
    char path[] = "/tmp/torc-types-XXXXXX";
    const int fd = mkstemp(path);
    torc_media_types *types = torc_media_types_new();
    torc_media_types_error error;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a/b c\n", 6), 6);
    check_ok(torc_media_types_load(types, path, &error));
    check_str(torc_media_types_find(types, TORC_STR("x.c")), "a/b");
    assert_int_equal(write(fd, "wrong\n", 6), 6);
    check_err(torc_media_types_load(types, path, &error), TORC_ERR_INVALID);
    assert_int_equal(error.line, 2);
    assert_int_equal(ftruncate(fd, 1024 * 1024 + 1), 0);
    check_err(torc_media_types_load(types, path, &error), TORC_ERR_TOO_LARGE);
    assert_int_equal(error.line, 0);
    assert_string_equal(error.text, torc_err_text(TORC_ERR_TOO_LARGE));
    check_err(torc_media_types_load(types, "/dev/zero", NULL), TORC_ERR_TOO_LARGE);
    close(fd);
    unlink(path);
    check_err(torc_media_types_load(types, path, &error), TORC_ERR_NOT_FOUND);
    check_err(torc_media_types_load(types, "/tmp", NULL), TORC_ERR_IS_DIRECTORY);
    torc_media_types_free(types);
}

/* Whatever fails, the table stays one that can be asked and freed. */
static void each_allocation_may_fail(void **state) {
    torc_err err = TORC_ERR_NO_MEMORY;

    (void)state;
    for (uint64_t n = 1; err; n++) {
        torc_test_fail_uncounted(n);
        torc_media_types *types = torc_media_types_new();
        err = types ? torc_media_types_parse(types, TORC_STR("a/b c d\nc=e/f"), NULL)
                    : TORC_ERR_NO_MEMORY;
        torc_test_fail_uncounted(0);
        if (err) check_err(err, TORC_ERR_NO_MEMORY);
        if (!err) check_str(torc_media_types_find(types, TORC_STR("x.c")), "e/f");
        torc_media_types_free(types);
        assert_true(n < 20);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_the_type_of_their_last_extension),
        cmocka_unit_test(names_without_a_known_extension_have_none),
        cmocka_unit_test(what_is_added_goes_before_what_is_built_in),
        cmocka_unit_test(the_longest_extension_decides),
        cmocka_unit_test(what_cannot_be_sent_is_refused),
        cmocka_unit_test(pairs_are_an_extension_and_a_type),
        cmocka_unit_test(texts_are_read_as_mime_types),
        cmocka_unit_test(mistakes_are_told_with_their_line),
        cmocka_unit_test(files_are_loaded),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
