/* SPDX-License-Identifier: MIT */
/* URLs and references: the examples of RFC 3986, and what is refused. */
#include <torc/url.h>

#include "check.h"
#include "guarded.h"

static torc_url url;

static torc_err parse(const char *text) {
    return torc_url_parse(torc_str_of(text), &url);
}

/* ---- taking apart ---- */

static void a_url_has_its_parts(void **state) {
    (void)state;
    check_ok(parse("https://me:secret@a.example:8042/over/there?name=ferret&x#nose"));
    check_str(url.scheme, "https");
    check_str(url.authority, "me:secret@a.example:8042");
    check_str(url.user, "me:secret");
    check_str(url.host, "a.example");
    assert_int_equal(url.port, 8042);
    check_str(url.path, "/over/there");
    check_str(url.query, "name=ferret&x");
    check_str(url.fragment, "nose");
    check_ok(parse("urn:example:animal:ferret:nose"));
    check_str(url.scheme, "urn");
    assert_null(url.authority.bytes);
    check_str(url.path, "example:animal:ferret:nose");
    assert_null(url.query.bytes);
    assert_null(url.fragment.bytes);
}

static void what_is_absent_and_what_is_empty_differ(void **state) {
    (void)state;
    check_ok(parse("http://[2001:db8::1]:?#"));
    check_str(url.host, "[2001:db8::1]");
    assert_int_equal(url.port, -1);
    check_str(url.path, "");
    assert_non_null(url.query.bytes);
    assert_non_null(url.fragment.bytes);
    assert_int_equal(url.query.len + url.fragment.len, 0);
    check_ok(parse("file:///etc/hosts"));
    assert_non_null(url.authority.bytes);
    check_str(url.host, "");
    check_str(url.path, "/etc/hosts");
    check_ok(parse(""));
    assert_null(url.scheme.bytes);
    check_str(url.path, "");
    check_ok(parse("?a"));
    check_str(url.query, "a");
    check_ok(parse("#a?b"));
    check_str(url.fragment, "a?b");
    check_ok(parse("//host"));
    assert_null(url.scheme.bytes);
    check_str(url.host, "host");
    check_ok(parse("a/b:c"));
    check_str(url.path, "a/b:c");
    check_ok(torc_url_parse((torc_str){0}, &url));
    assert_non_null(url.path.bytes);
}

static void what_is_no_url_is_refused(void **state) {
    static const char *const cases[] = {
        "http://a b/",
        "http://a/ b",
        "http://a/b\n",
        "http://a/%",
        "http://a/%4",
        "http://a/%zz",
        "http://a/?%",
        "http://a/#%4g",
        "http://a/#b#c",
        "http://a:65536/",
        "http://a:x/",
        "http://[::1/",
        "http://[::g]/",
        "http://a@b@c/",
        "http://a/\x7f",
        "http://a/\xc3\xa9",
        "1http://a/",
        ":a",
        "a b:c",
        "http://:80/",
        "http://u\"ser@host",
        "http://us%er@h/",
        "-x:y",
        "http://a\\b/",
    };

    (void)state;
    url.port = 7;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        if (parse(cases[i]) != TORC_ERR_SYNTAX) print_error("case %zu\n", i);
        check_err(parse(cases[i]), TORC_ERR_SYNTAX);
    }
    assert_int_equal(url.port, 7);
}

static void ports_follow_from_schemes(void **state) {
    (void)state;
    check_ok(parse("HTTP://a"));
    assert_int_equal(torc_url_port(&url), 80);
    check_ok(parse("https://a:80"));
    assert_int_equal(torc_url_port(&url), 80);
    check_ok(parse("wss://a"));
    assert_int_equal(torc_url_port(&url), 443);
    check_ok(parse("ftp://a"));
    assert_int_equal(torc_url_port(&url), -1);
    assert_int_equal(torc_scheme_port(TORC_STR("ws")), 80);
}

/* Every prefix is a URL or refused, within its bounds; what is one is put together as it was. */
static void parts_put_together_are_the_text(void **state) {
    guarded memory = guarded_new(1);
    const torc_str whole =
        TORC_STR("https://m%41:x@[2001:db8::1]:8042/o%20ver//there;a=[|]?na=f?/&%7e#no/s?e");
    char bytes[128];
    size_t good = 0;

    (void)state;
    for (size_t len = 0; len <= whole.len; len++) {
        const torc_str text = guarded_at_end(&memory, torc_str_head(whole, len));
        torc_buf buf;
        if (torc_url_parse(text, &url)) continue;
        good++;
        torc_buf_init_fixed(&buf, bytes, sizeof(bytes));
        torc_url_format(&url, &buf);
        assert_true(torc_str_equals(torc_buf_str(&buf), text));
    }
    assert_true(good > 40);
    guarded_free(&memory);
}

/* ---- resolving ---- */

static void check_resolved(const char *base, const char *reference, const char *expected) {
    char bytes[300] = "";
    torc_buf buf;

    torc_buf_init_fixed(&buf, bytes, sizeof(bytes));
    check_ok(torc_url_resolve(torc_str_of(base), torc_str_of(reference), &buf));
    if (!torc_str_equals(torc_buf_str(&buf), torc_str_of(expected)))
        print_error("%s at %s\n", reference, base);
    check_str_of(torc_buf_str(&buf), expected);
}

/* RFC 3986 §5.4 */
static void references_are_resolved_as_in_the_standard(void **state) {
    static const char *const cases[][2] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y#s"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/./x", "http://a/b/c/g#s/./x"},
        {"g#s/../x", "http://a/b/c/g#s/../x"},
        {"http:g", "http:g"},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++)
        check_resolved("http://a/b/c/d;p?q", cases[i][0], cases[i][1]);
}

static void bases_of_all_kinds_are_resolved_against(void **state) {
    (void)state;
    check_resolved("http://a", "b", "http://a/b");
    check_resolved("http://a", "", "http://a");
    check_resolved("http://a?q", "..", "http://a/");
    check_resolved("http://[::1]:81/x", "y?z", "http://[::1]:81/y?z");
    check_resolved("mailto:x", "y", "mailto:y");
    check_resolved("a:b/c", "../../d", "a:/d");
    check_resolved("mailto:x", "../y", "mailto:y");
    check_resolved("mailto:x", "./y", "mailto:y");
    check_resolved("mailto:x", "..", "mailto:");
    check_resolved("mailto:x", ".", "mailto:");
    check_resolved("http://a//b//c", "d", "http://a//b//d");
    check_resolved("http://a/b", "../../..//c", "http://a//c");
    check_resolved("https://u@a:1/b#f", "//c", "https://c");
    check_resolved("x:/a/b", "../../c", "x:/c");
    check_resolved("http://a/b", "HTTPS://C/../D/.", "HTTPS://C/D/");
}

static void what_cannot_be_resolved_appends_nothing(void **state) {
    char bytes[64];
    torc_buf buf;

    (void)state;
    torc_buf_init_fixed(&buf, bytes, sizeof(bytes));
    check_err(torc_url_resolve(TORC_STR("/a"), TORC_STR("b"), &buf), TORC_ERR_INVALID);
    check_err(torc_url_resolve(TORC_STR("http://a b"), TORC_STR("b"), &buf), TORC_ERR_SYNTAX);
    check_err(torc_url_resolve(TORC_STR("http://a/"), TORC_STR("b c"), &buf), TORC_ERR_SYNTAX);
    check_err(torc_url_resolve(TORC_STR("x:/a"), TORC_STR("/.//b"), &buf), TORC_ERR_INVALID);
    assert_int_equal(buf.len, 0);
    torc_buf_init_fixed(&buf, bytes, 5);
    check_err(torc_url_resolve(TORC_STR("http://a/"), TORC_STR("b"), &buf), TORC_ERR_LIMIT);
}

/* ---- building, queries ---- */

static void segments_and_arguments_are_escaped(void **state) {
    char bytes[200];
    torc_buf buf;
    size_t count = 0;

    (void)state;
    torc_buf_init_fixed(&buf, bytes, sizeof(bytes));
    torc_buf_add(&buf, TORC_STR("https://a.example"));
    torc_url_add_segment(&buf, TORC_STR("a/b c"));
    torc_url_add_segment(&buf, TORC_STR(""));
    torc_url_add_argument(&buf, &count, TORC_STR("x&y"), TORC_STR("1=2+\xc3\xa9"));
    torc_url_add_argument(&buf, &count, TORC_STR("flag"), (torc_str){0});
    torc_url_add_argument(&buf, &count, TORC_STR("e"), TORC_STR(""));
    check_ok(torc_buf_err(&buf));
    check_str(torc_buf_str(&buf), "https://a.example/a%2Fb%20c/?x%26y=1%3D2%2B%C3%A9&flag&e=");
    assert_int_equal(count, 3);
}

static void arguments_are_taken_one_by_one(void **state) {
    torc_str rest = TORC_STR("a=1&&b&=c&d=e=f&a=+%20"), name, value;

    (void)state;
    assert_true(torc_query_next(&rest, &name, &value));
    check_str(name, "a");
    check_str(value, "1");
    assert_true(torc_query_next(&rest, &name, &value));
    check_str(name, "b");
    assert_null(value.bytes);
    assert_true(torc_query_next(&rest, &name, &value));
    check_str(name, "");
    check_str(value, "c");
    assert_true(torc_query_next(&rest, &name, &value));
    check_str(value, "e=f");
    assert_true(torc_query_next(&rest, &name, &value));
    check_str(value, "+%20");
    assert_false(torc_query_next(&rest, &name, &value));
    rest = TORC_STR("");
    assert_false(torc_query_next(&rest, &name, &value));
    rest = (torc_str){0};
    assert_false(torc_query_next(&rest, &name, &value));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_has_its_parts),
        cmocka_unit_test(what_is_absent_and_what_is_empty_differ),
        cmocka_unit_test(what_is_no_url_is_refused),
        cmocka_unit_test(ports_follow_from_schemes),
        cmocka_unit_test(parts_put_together_are_the_text),
        cmocka_unit_test(references_are_resolved_as_in_the_standard),
        cmocka_unit_test(bases_of_all_kinds_are_resolved_against),
        cmocka_unit_test(what_cannot_be_resolved_appends_nothing),
        cmocka_unit_test(segments_and_arguments_are_escaped),
        cmocka_unit_test(arguments_are_taken_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
