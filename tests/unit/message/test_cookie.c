/* SPDX-License-Identifier: MIT */
/* Cookies as a server has them: what is read, what may be written, and how. */
#include <stdio.h>
#include <torc/cookie.h>

#include "base/page.h"
#include "check.h"
#include "guarded.h"

/* ---- reading ---- */

/* Fields with these values: lines, NULL for none. */
typedef struct brought {
    torc_field items[TORC_COOKIES_MAX];
    torc_fields fields;
} brought;

static brought bring(const char *lines) {
    brought self = {0};
    torc_str rest = torc_str_of(lines), line;

    while (torc_str_split(&rest, '\n', &line))
        self.items[self.fields.count++] = (torc_field){TORC_STR("Cookie"), line, TORC_FIELD_COOKIE};
    return self;
}

/* What is read, as "name|value " for each. */
static const char *list(brought *self) {
    static char text[8192];
    torc_cookie_place place = {0};
    torc_str name, value;
    size_t at = 0;

    self->fields.items = self->items;
    text[0] = 0;
    while (torc_cookies_next(&self->fields, &place, &name, &value))
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%.*s|%.*s ", TORC_STR_ARGS(name),
                               TORC_STR_ARGS(value));
    assert_false(torc_cookies_next(&self->fields, &place, &name, &value));
    return text;
}

static void cookies_are_read_in_order(void **state) {
    static const struct {
        const char *lines, *expected;
    } cases[] = {
        {NULL, ""},
        {"", ""},
        {"a=1", "a|1 "},
        {"a=1; b=2", "a|1 b|2 "},
        {"a=1;b=2;c=3", "a|1 b|2 c|3 "},
        {"b=1; a=2; b=3", "b|1 a|2 b|3 "},
        /* All fields together: HTTP/2 sends crumbs. */
        {"a=1; b=2\nc=3", "a|1 b|2 c|3 "},
        {"a=1;\n\n;b=2", "a|1 b|2 "},
        /* Quotes, further equals and what else a value may have stay. */
        {"a=\"x y\"; b=c=d=; e=", "a|\"x y\" b|c=d= e| "},
        {"a=\"x;y\"", "a|\"x "},
        {" a = 1 ;\tb\t=\t2 ", "a|1 b|2 "},
        {"a=x,y; b=\xc3\xa9", "a|x,y b|\xc3\xa9 "},
        {"a[b]=1; $Version=1", "a[b]|1 $Version|1 "},
        /* What has no name. */
        {"a; =b; c=1; ; =", "c|1 "},
        {" =b; c=1", "c|1 "},
        {"A=1; a=2", "A|1 a|2 "},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        brought self = bring(cases[i].lines);
        assert_string_equal(list(&self), cases[i].expected);
    }
}

static void the_first_of_a_name_is_found(void **state) {
    brought self = bring("b=1; a=2; a=3\nA=4; c=");
    torc_str value = TORC_STR("untouched");

    (void)state;
    self.fields.items = self.items;
    assert_false(torc_cookies_find(&self.fields, TORC_STR("d"), &value));
    assert_false(torc_cookies_find(&self.fields, TORC_STR(""), &value));
    check_str(value, "untouched");
    assert_true(torc_cookies_find(&self.fields, TORC_STR("a"), &value));
    check_str(value, "2");
    assert_true(torc_cookies_find(&self.fields, TORC_STR("A"), &value));
    check_str(value, "4");
    assert_true(torc_cookies_find(&self.fields, TORC_STR("c"), &value));
    check_str(value, "");
}

static void no_more_than_the_first_are_looked_at(void **state) {
    char text[4096];
    size_t at = 0, count = 0;
    torc_cookie_place place = {0};
    torc_str name, value;

    (void)state;
    for (int i = 0; i < 300; i++) at += (size_t)snprintf(text + at, sizeof(text) - at, "a%d=;", i);
    brought self = bring(text);
    self.fields.items = self.items;
    while (torc_cookies_next(&self.fields, &place, &name, &value)) count++;
    assert_int_equal(count, TORC_COOKIES_MAX);
    check_str(name, "a255");
    assert_false(torc_cookies_find(&self.fields, TORC_STR("a256"), &value));
}

/* However a value is cut into fields at its semicolons, the cookies are the same. */
static void every_split_into_fields_reads_the_same(void **state) {
    static const char whole[] = "a=1; b=\"2\";c = x=y ;; d; e=; =f; a=3";
    const char *at = whole;
    char text[100], expected[100];
    brought self = bring(whole);

    (void)state;
    snprintf(expected, sizeof(expected), "%s", list(&self));
    while ((at = strchr(at, ';'))) {
        snprintf(text, sizeof(text), "%.*s\n%s", (int)(at - whole), whole, at + 1);
        self = bring(text);
        assert_string_equal(list(&self), expected);
        at++;
    }
}

static void nothing_beyond_a_value_is_read(void **state) {
    guarded memory = guarded_new(1);
    const torc_str whole = TORC_STR("a=1; b=\"2\" ; =; c; d==");

    (void)state;
    for (size_t len = 0; len <= whole.len; len++) {
        const torc_str text = guarded_at_end(&memory, torc_str_head(whole, len));
        torc_field field = {TORC_STR("Cookie"), text, TORC_FIELD_COOKIE};
        const torc_fields fields = {.items = &field, .count = 1};
        torc_cookie_place place = {0};
        torc_str name, value;
        size_t count = 0;
        while (torc_cookies_next(&fields, &place, &name, &value)) {
            assert_true(name.len > 0 && name.bytes >= text.bytes);
            assert_true(value.bytes + value.len <= text.bytes + text.len);
            count++;
        }
        assert_true(count <= 3);
    }
    guarded_free(&memory);
}

/* ---- what may be set ---- */

static torc_err check(const char *name, const char *value) {
    const torc_cookie cookie = {.name = torc_str_of(name), .value = torc_str_of(value)};
    return torc_cookie_check(&cookie);
}

static void names_and_values_are_refused_not_rewritten(void **state) {
    static const char *const names[] = {"",     "a b",      "a=b", "a;b", "a,b",
                                        "a\nb", "\xc3\xa9", "a\"", "a(b"};
    static const char *const values[] = {"v; x\ny", "a b", "a;b",  "a,b",   "a\\b",     "\"",
                                         "a\"b",    "\"a", "a\tb", "a\x7f", "\xc3\xa9", "\"a b\""};

    (void)state;
    check_ok(check("a", "1"));
    check_ok(check("a", ""));
    check_ok(check("a", "\"\""));
    check_ok(check("a", "\"b=c\""));
    check_ok(check("!#$%&'*+-.^_`|~9Az", "!#$%&'()*+-./:<=>?@[]^_`{|}~"));
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++)
        check_err(check(names[i], "1"), TORC_ERR_INVALID);
    for (size_t i = 0; i < TORC_COUNT_OF(values); i++)
        check_err(check("a", values[i]), TORC_ERR_INVALID);
}

static torc_err check_where(const char *domain, const char *path) {
    const torc_cookie cookie = {
        .name = TORC_STR("a"), .domain = torc_str_of(domain), .path = torc_str_of(path)};
    return torc_cookie_check(&cookie);
}

static void domains_and_paths_have_their_grammar(void **state) {
    static const char *const domains[] = {".",    "a..b", "a b",  "a;b",   "a.example.",
                                          "-a.b", "a-.b", "a:80", "[::1]", "a\nb"};
    static const char *const paths[] = {"a", "/a;b", "/a\n", "/\x7f", "/\xc3\xa9", "/a "};

    (void)state;
    check_ok(check_where("a.example", "/"));
    check_ok(check_where(".a.example", "/a b/%20"));
    check_ok(check_where("xn--e1afmkfd.example", ""));
    check_ok(check_where("127.0.0.1", ""));
    for (size_t i = 0; i < TORC_COUNT_OF(domains); i++)
        check_err(check_where(domains[i], ""), TORC_ERR_INVALID);
    for (size_t i = 0; i < TORC_COUNT_OF(paths); i++)
        check_err(check_where("", paths[i]), TORC_ERR_INVALID);
}

static void what_is_for_other_sites_is_secure(void **state) {
    torc_cookie cookie = {.name = TORC_STR("a"), .same_site = TORC_SAME_SITE_NONE};

    (void)state;
    check_err(torc_cookie_check(&cookie), TORC_ERR_INVALID);
    cookie.is_secure = true;
    check_ok(torc_cookie_check(&cookie));
    cookie = (torc_cookie){.name = TORC_STR("a"), .is_partitioned = true};
    check_err(torc_cookie_check(&cookie), TORC_ERR_INVALID);
    cookie.is_secure = true;
    check_ok(torc_cookie_check(&cookie));
    cookie.same_site = (torc_same_site)4;
    check_err(torc_cookie_check(&cookie), TORC_ERR_INVALID);
}

static void prefixes_of_names_keep_what_they_promise(void **state) {
    static const struct {
        const char *name, *domain, *path;
        bool is_secure, is_http_only;
        torc_err err;
    } cases[] = {
        {"__Secure-a", "", "", false, true, TORC_ERR_INVALID},
        {"__Secure-a", "a.example", "", true, false, TORC_OK},
        {"__SECURE-a", "", "", false, false, TORC_ERR_INVALID},
        {"__Host-a", "", "/", true, false, TORC_OK},
        {"__Host-a", "", "/", false, false, TORC_ERR_INVALID},
        {"__Host-a", "a.example", "/", true, false, TORC_ERR_INVALID},
        {"__Host-a", "", "", true, false, TORC_ERR_INVALID},
        {"__host-a", "", "/b", true, false, TORC_ERR_INVALID},
        {"__Http-a", "a.example", "", true, true, TORC_OK},
        {"__http-a", "", "", true, false, TORC_ERR_INVALID},
        {"__Http-a", "", "", false, true, TORC_ERR_INVALID},
        {"__Host-Http-a", "", "/", true, true, TORC_OK},
        {"__Host-Http-a", "", "/", true, false, TORC_ERR_INVALID},
        {"__HOST-HTTP-a", "", "", true, true, TORC_ERR_INVALID},
        {"__Hos", "", "", false, false, TORC_OK},
        {"_Host-a", "", "", false, false, TORC_OK},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const torc_cookie cookie = {
            .name = torc_str_of(cases[i].name),
            .domain = torc_str_of(cases[i].domain),
            .path = torc_str_of(cases[i].path),
            .is_secure = cases[i].is_secure,
            .is_http_only = cases[i].is_http_only,
        };
        if (torc_cookie_check(&cookie) != cases[i].err) print_error("%zu\n", i);
        check_err(torc_cookie_check(&cookie), cases[i].err);
    }
}

static void cookies_have_a_largest_size(void **state) {
    static char text[TORC_COOKIE_BYTES_MAX + 1];
    torc_cookie cookie = {.name = TORC_STR("a"), .value = torc_str_make(text, 4095)};

    (void)state;
    memset(text, 'x', sizeof(text));
    check_ok(torc_cookie_check(&cookie));
    cookie.value.len++;
    check_err(torc_cookie_check(&cookie), TORC_ERR_TOO_LARGE);
    text[0] = '/';
    cookie = (torc_cookie){.name = TORC_STR("a"), .path = torc_str_make(text, 1024)};
    check_ok(torc_cookie_check(&cookie));
    cookie.path.len++;
    check_err(torc_cookie_check(&cookie), TORC_ERR_TOO_LARGE);
}

/* ---- how it is written ---- */

static const char *written(const torc_cookie *cookie) {
    static char text[8192];
    torc_buf buf;

    torc_buf_init_fixed(&buf, text, torc_set_cookie_bytes_max(cookie));
    check_ok(torc_set_cookie_format(cookie, &buf));
    text[buf.len] = 0;
    return text;
}

static void attributes_are_written_in_order(void **state) {
    torc_cookie cookie = {.name = TORC_STR("a"), .value = TORC_STR("1")};

    (void)state;
    assert_string_equal(written(&cookie), "a=1");
    cookie = (torc_cookie){
        .name = TORC_STR("k"),
        .value = TORC_STR("v"),
        .domain = TORC_STR("a.example"),
        .path = TORC_STR("/"),
        .expires = 253402300799,
        .max_age = INT64_MIN,
        .same_site = TORC_SAME_SITE_STRICT,
        .has_expires = true,
        .has_max_age = true,
        .is_secure = true,
        .is_http_only = true,
        .is_partitioned = true,
    };
    assert_string_equal(written(&cookie),
                        "k=v; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Domain=a.example; Path=/; "
                        "Max-Age=-9223372036854775808; Secure; HttpOnly; SameSite=Strict; "
                        "Partitioned");
    cookie = (torc_cookie){.name = TORC_STR("k"), .same_site = TORC_SAME_SITE_LAX};
    assert_string_equal(written(&cookie), "k=; SameSite=Lax");
    cookie.same_site = TORC_SAME_SITE_NONE;
    cookie.is_secure = true;
    assert_string_equal(written(&cookie), "k=; Secure; SameSite=None");
}

static void what_is_refused_writes_nothing(void **state) {
    const torc_cookie bad = {.name = TORC_STR("k"), .value = TORC_STR("v; x\ny")};
    const torc_cookie good = {.name = TORC_STR("k"), .value = TORC_STR("v")};
    char text[64];
    torc_buf buf;

    (void)state;
    torc_buf_init_fixed(&buf, text, sizeof(text));
    check_err(torc_set_cookie_format(&bad, &buf), TORC_ERR_INVALID);
    assert_int_equal(buf.len, 0);
    torc_buf_init_fixed(&buf, text, 2);
    check_err(torc_set_cookie_format(&good, &buf), TORC_ERR_LIMIT);
}

/* ---- signatures ---- */

static void signed_values_cannot_be_changed(void **state) {
    torc_memory memory;
    torc_signer *signer, *other;
    char text[256];
    torc_buf buf;
    torc_str value;

    (void)state;
    torc_memory_init(&memory, 0);
    check_ok(torc_signer_new(&memory, TORC_DIGEST_SHA256, TORC_STR("key"), &signer));
    check_ok(torc_signer_new(&memory, TORC_DIGEST_SHA256, TORC_STR("kez"), &other));
    torc_buf_init_fixed(&buf, text, sizeof(text));
    check_ok(torc_cookie_sign(signer, TORC_STR("user"), TORC_STR("joe.7"), &buf));
    assert_int_equal(buf.len, 5 + 1 + 43);
    check_ok(check("user", "joe.7"));

    const torc_str whole = torc_buf_str(&buf);
    assert_true(torc_cookie_verify(signer, TORC_STR("user"), whole, &value));
    check_str(value, "joe.7");
    assert_false(torc_cookie_verify(other, TORC_STR("user"), whole, &value));
    assert_false(torc_cookie_verify(signer, TORC_STR("use"), whole, &value));
    for (size_t len = 0; len < whole.len; len++)
        assert_false(
            torc_cookie_verify(signer, TORC_STR("user"), torc_str_head(whole, len), &value));
    for (size_t i = 0; i < whole.len; i++) {
        text[i] ^= 1;
        assert_false(torc_cookie_verify(signer, TORC_STR("user"), whole, &value));
        text[i] ^= 1;
    }
    assert_true(torc_cookie_verify(signer, TORC_STR("user"), whole, &value));
    torc_signer_free(signer);
    torc_signer_free(other);
    assert_int_equal(memory.used_total, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies_are_read_in_order),
        cmocka_unit_test(the_first_of_a_name_is_found),
        cmocka_unit_test(no_more_than_the_first_are_looked_at),
        cmocka_unit_test(every_split_into_fields_reads_the_same),
        cmocka_unit_test(nothing_beyond_a_value_is_read),
        cmocka_unit_test(names_and_values_are_refused_not_rewritten),
        cmocka_unit_test(domains_and_paths_have_their_grammar),
        cmocka_unit_test(what_is_for_other_sites_is_secure),
        cmocka_unit_test(prefixes_of_names_keep_what_they_promise),
        cmocka_unit_test(cookies_have_a_largest_size),
        cmocka_unit_test(attributes_are_written_in_order),
        cmocka_unit_test(what_is_refused_writes_nothing),
        cmocka_unit_test(signed_values_cannot_be_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
