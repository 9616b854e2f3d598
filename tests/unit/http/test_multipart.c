/* SPDX-License-Identifier: MIT */
/* Multipart forms: the same events for every split, and what is no form. */
#include <stdio.h>

#include "faults.h"
#include "form_events.h"

static int set_up(void **state) {
    static form_parsing self;

    memset(&self, 0, sizeof(self));
    if (torc_reactor_new(NULL, &self.reactor)) return -1;
    self.limits = torc_limits_default();
    self.boundary = "b";
    *state = &self;
    return 0;
}

static int tear_down(void **state) {
    form_parsing *self = *state;

    if (self->reactor->pages.used_count > 0) return -1;
    torc_reactor_free(self->reactor);
    return 0;
}

#define MULTIPART_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#define PART "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
#define CHECK(form, expected) check_form(*state, TORC_STR(form), expected)

/* ---- forms ---- */

static void fields_and_files_come_in_order(void **state) {
    CHECK("--b" PART "1\r\n--b" PART "22\r\n--b--\r\n", "[a]1.[a]22.=");
    CHECK("--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n"
          "Content-Type: text/plain\r\n\r\nfile\r\n--b--\r\n",
          "[f|x.txt;text/plain]file.=");
}

static void a_form_may_be_empty(void **state) {
    CHECK("--b--\r\n", "=");
    CHECK("--b--", "=");
    CHECK("\r\n--b--", "=");
}

static void content_may_be_empty(void **state) {
    CHECK("--b" PART "\r\n--b--", "[a].=");
    CHECK("--b" PART "--b--", "[a].=");
    CHECK("--b" PART "--b" PART "x\r\n--b--", "[a].[a]x.=");
    CHECK("--b" PART "\r\n\r\n--b--", "[a]\r\n.=");
}

static void preamble_and_epilogue_are_passed_over(void **state) {
    CHECK("a preamble --b\r\n-- \r\n--bb\r\n\r\n--b" PART "1\r\n--b--\r\nan epilogue\r\n--b" PART,
          "[a]1.=");
}

static void white_space_may_stand_behind_a_boundary(void **state) {
    CHECK("--b \t " PART "1\r\n--b\t" PART "2\r\n--b-- \r\n", "[a]1.[a]2.=");
}

/* What is nearly a delimiter is content: of it nothing is lost, wherever it is cut. */
static void what_is_nearly_a_boundary_is_content(void **state) {
    CHECK("--b" PART "--c\r\n--bx\r\n--b-x\r\n-\r\r\n\r\n--\r\r\r\n--\r\n--b--",
          "[a]--c\r\n--bx\r\n--b-x\r\n-\r\r\n\r\n--\r\r\r\n--.=");
    CHECK("--b" PART "--bc\r\n--b--", "[a]--bc.=");
    CHECK("--b" PART "-\r\n--b--", "[a]-.=");
    CHECK("--b" PART "x--b--\r\n--b--", "[a]x--b--.=");
    CHECK("--b" PART "\n--b--\r\r\n--b--", "[a]\n--b--\r.=");
}

static void boundaries_may_be_long(void **state) {
    form_parsing *self = *state;
    self->boundary = "0123456789'()+_,-./:=? 0123456789012345678901234567890123456789012345z";
    assert_int_equal(strlen(self->boundary), TORC_BOUNDARY_MAX);
#define LONG "0123456789'()+_,-./:=? 0123456789012345678901234567890123456789012345z"
    CHECK("--" LONG PART "\r\n--0123456789'()\r\n\r\n--" LONG "--", "[a]\r\n--0123456789'()\r\n.=");
#undef LONG
}

/* Blocks of 16 bytes are looked at together: a delimiter is found at each place of them. */
static void a_boundary_is_found_at_every_place(void **state) {
    form_parsing *self = *state;
    char content[100], form[300], expected[300];

    for (size_t len = 0; len < sizeof(content); len++) {
        for (size_t i = 0; i < len; i++) content[i] = "\r\nx-"[(i * i + len) % 4];
        /* No delimiter by chance, which needs the b. */
        const int size =
            snprintf(form, sizeof(form), "--b" PART "x%.*s\r\n--b--", (int)len, content);
        snprintf(expected, sizeof(expected), "[a]x%.*s.=", (int)len, content);
        check_form(self, torc_str_make(form, (size_t)size), expected);
    }
}

static void a_nested_multipart_is_content(void **state) {
    CHECK("--b\r\nContent-Disposition: form-data; name=files\r\n"
          "Content-Type: multipart/mixed; boundary=bb\r\n\r\n"
          "--bb\r\nContent-Disposition: file; filename=x\r\n\r\n1\r\n--bb--\r\n--b--",
          "[files;multipart/mixed; boundary=bb]"
          "--bb\r\nContent-Disposition: file; filename=x\r\n\r\n1\r\n--bb--.=");
}

/* ---- heads ---- */

#define HEAD(text) "--b\r\n" text "\r\n\r\nx\r\n--b--"
#define DISPOSITION(text) HEAD("Content-Disposition: " text)

static void names_are_decoded_as_browsers_and_others_write_them(void **state) {
    CHECK(DISPOSITION("form-data; name=\"a%22%0d%0A%20b\""), "[a\"\r\n%20b]x.=");
    CHECK(DISPOSITION("form-data; name=\"a\\\"b\\\\c\\d\""), "[a\"b\\c\\d]x.=");
    CHECK(DISPOSITION("form-data; name=a; filename=\"C:\\dir\\x;y=z.txt\""),
          "[a|C:\\dir\\x;y=z.txt]x.=");
    CHECK(DISPOSITION("Form-Data ;NAME = \"a\" ; filename=\"\" ;"), "[a|]x.=");
    CHECK(DISPOSITION("form-data; name=\"\xc3\xa4\"; filename=\xc3\xb6.txt"),
          "[\xc3\xa4|\xc3\xb6.txt]x.=");
    CHECK(DISPOSITION("form-data; name=\"\""), "[]x.=");
    CHECK(DISPOSITION("form-data; name=a; creation-date=\"x\""), "[a]x.=");
}

static void extended_file_names_count_where_there_is_no_other(void **state) {
    CHECK(DISPOSITION("form-data; name=a; filename*=UTF-8'en'%e2%82%ac%20.txt"),
          "[a|\xe2\x82\xac .txt]x.=");
    CHECK(DISPOSITION("form-data; name=a; filename*=utf-8''b; filename=\"c\""), "[a|c]x.=");
    CHECK(DISPOSITION("form-data; name=a; filename*=iso-8859-1''b"), "!SYNTAX");
    CHECK(DISPOSITION("form-data; name=a; filename*=utf-8''%ff"), "!SYNTAX");
    CHECK(DISPOSITION("form-data; name=a; filename*=utf-8''a.php%00.png"), "!SYNTAX");
    CHECK(DISPOSITION("form-data; name=a; filename*=b"), "!SYNTAX");
    CHECK(DISPOSITION("form-data; name=a; filename*=\"utf-8''b\""), "!SYNTAX");
}

static void fields_may_be_folded_and_of_any_case(void **state) {
    CHECK(HEAD("content-disposition: form-data;\r\n name=\"a\";\r\n\tfilename=f\r\nX-Y:z"),
          "[a|f]x.=");
}

static void all_fields_of_a_part_are_told(void **state) {
    form_parsing *self = *state;
    torc_str form = TORC_STR("--b\r\nX-One: 1\r\nContent-Disposition: form-data; name=a\r\n"
                             "x-two:  2 \r\n\r\n"),
             content;

    form_parsing_begin(self);
    assert_int_equal(torc_multipart_parse(&self->by.multipart, &form, false, &content),
                     TORC_FORM_PART);
    const torc_fields *fields = self->by.base.part.fields;
    assert_int_equal(fields->count, 3);
    assert_true(torc_str_equals(torc_fields_value(fields, TORC_STR("X-Two")), TORC_STR("2")));
    form_parsing_end(self);
}

/* ---- what is no form ---- */

static void a_form_that_ends_too_soon_is_truncated(void **state) {
    form_parsing *self = *state;
    const torc_str form = TORC_STR("--b" PART "1\r\n--b" PART "2\r\n--b--");
    const size_t never = SIZE_MAX;

    for (size_t len = 0; len < form.len; len++) {
        const form_events events = form_parse(self, torc_str_head(form, len), &never);
        assert_true(
            torc_str_ends_with(torc_str_make(events.text, events.len), TORC_STR("!TRUNCATED")));
    }
    CHECK("", "!TRUNCATED");
    CHECK("nothing of the kind", "!TRUNCATED");
    CHECK("--b" PART "a boundary that never ends\r\n--", "[a]a boundary that never ends!TRUNCATED");
}

static void line_feeds_alone_end_no_line(void **state) {
    CHECK("--b\nContent-Disposition: form-data; name=a\n\nx\n--b--\n", "!TRUNCATED");
    CHECK("--b\r\nContent-Disposition: form-data; name=a\n\r\nx\r\n--b--", "!SYNTAX");
    CHECK("--b\r\nContent-Disposition: form-data; name=a\r\n\nx\r\n--b--", "!SYNTAX");
    CHECK("--b" PART "x\n--b--\r\n", "[a]x\n--b--!TRUNCATED");
    CHECK("--b\rContent-Disposition: form-data; name=a\r\n\r\n", "!SYNTAX");
    CHECK("--b \n", "!SYNTAX");
}

static void heads_that_are_none_are_refused(void **state) {
    CHECK(HEAD("X: y"), "!SYNTAX");
    CHECK("--b\r\n\r\nx\r\n--b--", "!SYNTAX");
    CHECK(DISPOSITION("form-data"), "!SYNTAX");
    CHECK(DISPOSITION("form-data; filename=x"), "!SYNTAX");
    CHECK(DISPOSITION("attachment; name=a"), "!SYNTAX");
    CHECK(DISPOSITION(""), "!SYNTAX");
    CHECK(DISPOSITION("form-data; name=\"a"), "!SYNTAX");
    CHECK(DISPOSITION("form-data; name=\"a\\\""), "!SYNTAX");
    CHECK(DISPOSITION("form-data; name=\"a\"b"), "!SYNTAX");
    CHECK(DISPOSITION("form-data; name=a\"b\""), "!SYNTAX");
    CHECK(DISPOSITION("form-data; name"), "!SYNTAX");
    CHECK(DISPOSITION("form-data; name=a; name=b"), "!SYNTAX");
    CHECK(DISPOSITION("form-data; name=a; filename=b; filename=c"), "!SYNTAX");
    CHECK(DISPOSITION("form-data; na me=a"), "!SYNTAX");
    CHECK(DISPOSITION("form-data; name=a\r\nContent-Disposition: form-data; name=b"), "!SYNTAX");
    CHECK(HEAD("no colon\r\nContent-Disposition: form-data; name=a"), "!SYNTAX");
    CHECK(HEAD("Bad Name: x\r\nContent-Disposition: form-data; name=a"), "!SYNTAX");
    CHECK(HEAD(" X: y\r\nContent-Disposition: form-data; name=a"), "!SYNTAX");
    CHECK(HEAD("Content-Disposition: form-data; name=a\0b"), "!SYNTAX");
    CHECK(HEAD("Content-Disposition: form-data;\r name=a"), "!SYNTAX");
}

static void heads_have_limits(void **state) {
    form_parsing *self = *state;

    self->limits.form_part_head_bytes_max =
        sizeof(PART) - 1 - 2; /* but the boundary's line break */
    CHECK("--b" PART "x\r\n--b--", "[a]x.=");
    self->limits.form_part_head_bytes_max--;
    CHECK("--b" PART "x\r\n--b--", "!TOO_LARGE");
    CHECK("--b\r\nan endless line that does not end, and has no colon either", "!TOO_LARGE");

    self->limits = torc_limits_default();
    self->limits.form_part_fields_max = 2;
    CHECK(HEAD("X: y\r\nContent-Disposition: form-data; name=a"), "[a]x.=");
    CHECK(HEAD("X: y\r\nX: y\r\nContent-Disposition: form-data; name=a"), "!TOO_LARGE");

    self->limits.form_name_bytes_max = 3;
    CHECK(DISPOSITION("form-data; name=\"%22bc\""), "[\"bc]x.=");
    CHECK(DISPOSITION("form-data; name=abcd"), "!TOO_LARGE");
}

/* ---- content types ---- */

static void kinds_are_told_by_the_content_type(void **state) {
    (void)state;
    assert_int_equal(torc_form_kind_of(TORC_STR("multipart/form-data; boundary=x")),
                     TORC_FORM_KIND_MULTIPART);
    assert_int_equal(torc_form_kind_of(TORC_STR("Application/X-WWW-Form-Urlencoded ; charset=x")),
                     TORC_FORM_KIND_URLENCODED);
    assert_int_equal(torc_form_kind_of(TORC_STR("multipart/form-data-not")), TORC_FORM_KIND_NONE);
    assert_int_equal(torc_form_kind_of(TORC_STR("multipart/mixed; boundary=x")),
                     TORC_FORM_KIND_NONE);
    assert_int_equal(torc_form_kind_of(torc_str_make(NULL, 0)), TORC_FORM_KIND_NONE);
}

static void check_boundary(const char *parameters, const char *expected) {
    char type[200], bytes[TORC_BOUNDARY_MAX];
    torc_str boundary;

    snprintf(type, sizeof(type), "multipart/form-data%s", parameters);
    const bool has_one = torc_multipart_boundary(torc_str_of(type), bytes, &boundary);
    assert_int_equal(has_one, expected != NULL);
    if (expected) assert_true(torc_str_equals(boundary, torc_str_of(expected)));
}

static void boundaries_are_read_from_the_content_type(void **state) {
    (void)state;
    check_boundary("; boundary=abc", "abc");
    check_boundary(";charset=utf-8; Boundary=\"a b\"; x=y", "a b");
    check_boundary("; boundary=----=_Part_1/2:3 ; x=y", "----=_Part_1/2:3");
    check_boundary("", NULL);
    check_boundary("; boundary", NULL);
    check_boundary("; boundary=", NULL);
    check_boundary("; boundary=\"\"", NULL);
    check_boundary("; boundary=\"a", NULL);
    check_boundary("; boundary=\"a \"", NULL);
    check_boundary("; boundary=\"a\\\"\"", NULL);
    check_boundary("; boundary=a\"b", NULL);
    check_boundary("; boundary=a@b", NULL);
    check_boundary("; boundary=\xc3\xa4", NULL);
    check_boundary("; boundary=a; boundary=b", NULL);
    check_boundary("; boundary="
                   "0123456789012345678901234567890123456789012345678901234567890123456789",
                   "0123456789012345678901234567890123456789012345678901234567890123456789");
    check_boundary("; boundary="
                   "01234567890123456789012345678901234567890123456789012345678901234567890",
                   NULL);
}

/* ---- memory ---- */

static void failing_allocations_are_told(void **state) {
    const torc_str form = TORC_STR("--b" PART "1\r\n--b--");
    const size_t never = SIZE_MAX;
    faults injected;

    for (uint64_t fail_at = 1; fail_at < 100; fail_at++) {
        tear_down(state); /* a fresh reactor, so that its pools hide nothing */
        assert_int_equal(set_up(state), 0);
        form_parsing *self = *state;
        faults_arm(&injected, torc_reactor_memory(self->reactor), fail_at);
        const form_events events = form_parse(self, form, &never);
        faults_disarm(torc_reactor_memory(self->reactor));
        if (!injected.hit) {
            assert_string_equal(events.text, "[a]1.=");
            assert_true(fail_at > 1);
            return;
        }
        assert_string_equal(events.text, "!NO_MEMORY");
    }
    fail();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        MULTIPART_TEST(fields_and_files_come_in_order),
        MULTIPART_TEST(a_form_may_be_empty),
        MULTIPART_TEST(content_may_be_empty),
        MULTIPART_TEST(preamble_and_epilogue_are_passed_over),
        MULTIPART_TEST(white_space_may_stand_behind_a_boundary),
        MULTIPART_TEST(what_is_nearly_a_boundary_is_content),
        MULTIPART_TEST(boundaries_may_be_long),
        MULTIPART_TEST(a_boundary_is_found_at_every_place),
        MULTIPART_TEST(a_nested_multipart_is_content),
        MULTIPART_TEST(names_are_decoded_as_browsers_and_others_write_them),
        MULTIPART_TEST(extended_file_names_count_where_there_is_no_other),
        MULTIPART_TEST(fields_may_be_folded_and_of_any_case),
        MULTIPART_TEST(all_fields_of_a_part_are_told),
        MULTIPART_TEST(a_form_that_ends_too_soon_is_truncated),
        MULTIPART_TEST(line_feeds_alone_end_no_line),
        MULTIPART_TEST(heads_that_are_none_are_refused),
        MULTIPART_TEST(heads_have_limits),
        MULTIPART_TEST(kinds_are_told_by_the_content_type),
        MULTIPART_TEST(boundaries_are_read_from_the_content_type),
        MULTIPART_TEST(failing_allocations_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
