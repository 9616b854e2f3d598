/* SPDX-License-Identifier: MIT */
#include <torc/target.h>

#include "check.h"
#include "guarded.h"

static torc_target target;

static torc_err parse(const char *text, torc_method method) {
    return torc_target_parse(torc_str_of(text), method, &target);
}

/* ---- the four forms ---- */

static void the_origin_form_has_path_and_query(void **state) {
    (void)state;
    check_ok(parse("/a/b%20c?d=e?f", TORC_METHOD_GET));
    assert_int_equal(target.form, TORC_TARGET_ORIGIN);
    check_str(target.path, "/a/b%20c");
    check_str(target.query, "d=e?f");
    check_str(target.text, "/a/b%20c?d=e?f");
    assert_null(target.authority.bytes);
    check_ok(parse("/", TORC_METHOD_GET));
    check_str(target.path, "/");
    assert_null(target.query.bytes);
    check_ok(parse("/?", TORC_METHOD_GET));
    assert_non_null(target.query.bytes);
    assert_int_equal(target.query.len, 0);
    check_ok(parse("//a/../b", TORC_METHOD_GET));
    check_str(target.path, "//a/../b");
}

static void the_absolute_form_has_an_authority(void **state) {
    (void)state;
    check_ok(parse("http://a.example:81/b?c", TORC_METHOD_GET));
    assert_int_equal(target.form, TORC_TARGET_ABSOLUTE);
    check_str(target.scheme, "http");
    check_str(target.authority, "a.example:81");
    check_str(target.path, "/b");
    check_str(target.query, "c");
    check_ok(parse("HTTPS://[::1]", TORC_METHOD_OPTIONS));
    check_str(target.authority, "[::1]");
    check_str(target.path, "/");
    assert_null(target.query.bytes);
    check_ok(parse("http://a?b/c", TORC_METHOD_GET));
    check_str(target.authority, "a");
    check_str(target.path, "/");
    check_str(target.query, "b/c");
    check_ok(parse("svn+ssh-1.0://a/", TORC_METHOD_GET));
    check_str(target.scheme, "svn+ssh-1.0");
}

static void connect_has_the_authority_alone(void **state) {
    (void)state;
    check_ok(parse("a.example:443", TORC_METHOD_CONNECT));
    assert_int_equal(target.form, TORC_TARGET_AUTHORITY);
    check_str(target.authority, "a.example:443");
    check_str(target.path, "");
    check_ok(parse("[2001:db8::1]:443", TORC_METHOD_CONNECT));
    static const char *const wrong[] = {"a.example", "a.example:", "/", "http://a/", "u@a:1",
                                        "a:1/",      ":1",         "*", ""};
    for (size_t i = 0; i < TORC_COUNT_OF(wrong); i++)
        check_err(parse(wrong[i], TORC_METHOD_CONNECT), TORC_ERR_SYNTAX);
    check_err(parse("a.example:443", TORC_METHOD_GET), TORC_ERR_SYNTAX);
}

static void the_asterisk_is_of_options(void **state) {
    (void)state;
    check_ok(parse("*", TORC_METHOD_OPTIONS));
    assert_int_equal(target.form, TORC_TARGET_ASTERISK);
    check_str(target.path, "*");
    check_err(parse("*", TORC_METHOD_GET), TORC_ERR_SYNTAX);
    check_err(parse("**", TORC_METHOD_OPTIONS), TORC_ERR_SYNTAX);
    check_err(parse("*?a", TORC_METHOD_OPTIONS), TORC_ERR_SYNTAX);
}

static void what_is_no_target_is_refused(void **state) {
    static const char *const wrong[] = {
        "",
        "a",
        "a/b",
        "/a#b",
        "#",
        "/%",
        "/%4",
        "/%4g",
        "/%g4",
        "/%00",
        "/a?b=%00",
        "/a?%",
        "/a?b#c",
        "http:/a",
        "http:a",
        "http://",
        "http:///a",
        "http://?a",
        "http://u@a/",
        "http://a:b/",
        "http://a b/",
        "http://a#b",
        "http://a/#b",
        "http://:80/",
        "://a/",
        "1http://a/",
        "ht_tp://a/",
        "http://a:65536/",
        "http://[::1/",
        "http://[::g]",
        "http://a/%zz",
        "http://a\\b",
        "?a",
        "http://%00/",
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(wrong); i++)
        if (parse(wrong[i], TORC_METHOD_GET) != TORC_ERR_SYNTAX) fail_msg("taken: %s", wrong[i]);
}

/* Each byte at each place, in path and query, and near the end of what may be read. */
static void bytes_are_checked_at_every_place(void **state) {
    guarded memory = guarded_new(1);

    (void)state;
    for (size_t len = 2; len < 50; len++)
        for (size_t at = 1; at < len; at++)
            for (int c = 0; c < 256; c++) {
                char text[50];
                memset(text, 'a', len);
                text[0] = '/';
                if (len % 2 && at > 2) text[2] = '?';
                text[at] = (char)c;
                const torc_str whole = guarded_at_end(&memory, torc_str_make(text, len));
                const bool is_fine = c == '%' ? at + 2 < len : c > ' ' && c < 0x7f && c != '#';
                if (torc_target_parse(whole, TORC_METHOD_GET, &target) !=
                    (is_fine ? TORC_OK : TORC_ERR_SYNTAX))
                    fail_msg("byte %d at %zu of %zu", c, at, len);
            }
    guarded_free(&memory);
}

static void the_first_question_mark_counts(void **state) {
    (void)state;
    for (size_t at = 1; at < 60; at++) {
        char text[80];
        memset(text, 'a', sizeof(text));
        text[0] = '/';
        text[at] = '?';
        text[at + 7] = '?';
        check_ok(torc_target_parse(torc_str_make(text, sizeof(text)), TORC_METHOD_GET, &target));
        assert_int_equal(target.path.len, at);
        assert_int_equal(target.query.len, sizeof(text) - at - 1);
    }
}

/* ---- authorities ---- */

static void authorities_are_host_and_port(void **state) {
    static const struct {
        const char *text, *host;
        int port;
    } cases[] = {
        {"a", "a", -1},
        {"a.example:8080", "a.example", 8080},
        {"a:", "a", -1},
        {"a:0", "a", 0},
        {"a:65535", "a", 65535},
        {"a:00080", "a", 80},
        {"127.0.0.1:80", "127.0.0.1", 80},
        {"[::1]", "[::1]", -1},
        {"[::1]:80", "[::1]", 80},
        {"[2001:DB8::192.0.2.1]:", "[2001:DB8::192.0.2.1]", -1},
        {"[v1.a:b]:1", "[v1.a:b]", 1},
        {"[VF.~]", "[VF.~]", -1},
        {"%C3%A4", "%C3%A4", -1},
        {"a_b-c~d!$&'()*+,;=e", "a_b-c~d!$&'()*+,;=e", -1},
        {"localhost", "localhost", -1},
        {"www.a.example:65535", "www.a.example", 65535},
        {"www.a.example:0", "www.a.example", 0},
        {"www.a.example:", "www.a.example", -1},
        {"www.a.example:0000080", "www.a.example", 80},
        {"192.168.100.100:8080", "192.168.100.100", 8080},
        {"12345678901234567890", "12345678901234567890", -1},
        {"a-long-name-with_others.example:81", "a-long-name-with_others.example", 81},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_authority authority;
        check_ok(torc_authority_parse(torc_str_of(cases[i].text), &authority));
        assert_true(torc_str_equals(authority.host, torc_str_of(cases[i].host)));
        assert_int_equal(authority.port, cases[i].port);
        assert_true(torc_authority_is_valid(torc_str_of(cases[i].text)));
    }
}

static void what_is_no_authority_is_refused(void **state) {
    static const torc_str wrong[] = {
        TORC_STR_INIT(""),
        TORC_STR_INIT(":"),
        TORC_STR_INIT(":80"),
        TORC_STR_INIT("u@a"),
        TORC_STR_INIT("u:p@a:80"),
        TORC_STR_INIT("@"),
        TORC_STR_INIT("a b"),
        TORC_STR_INIT("a/"),
        TORC_STR_INIT("a?"),
        TORC_STR_INIT("a#"),
        TORC_STR_INIT("a\\"),
        TORC_STR_INIT("a:80:80"),
        TORC_STR_INIT("a:-1"),
        TORC_STR_INIT("a:+1"),
        TORC_STR_INIT("a: 1"),
        TORC_STR_INIT("a:1 "),
        TORC_STR_INIT("a:65536"),
        TORC_STR_INIT("a:99999999999999999999"),
        TORC_STR_INIT("a:0x50"),
        TORC_STR_INIT("::1"),
        TORC_STR_INIT("[]"),
        TORC_STR_INIT("[::1"),
        TORC_STR_INIT("::1]"),
        TORC_STR_INIT("[::1]a"),
        TORC_STR_INIT("[::1]80"),
        TORC_STR_INIT("[1.2.3.4]"),
        TORC_STR_INIT("[fe80::1%eth0]"),
        TORC_STR_INIT("[fe80::1%25eth0]"),
        TORC_STR_INIT("[::1\0]"),
        TORC_STR_INIT("[v.a]"),
        TORC_STR_INIT("[v1.]"),
        TORC_STR_INIT("[v1]"),
        TORC_STR_INIT("[vg.a]"),
        TORC_STR_INIT("[[::1]]"),
        TORC_STR_INIT("a%"),
        TORC_STR_INIT("a%0"),
        TORC_STR_INIT("a%00"),
        TORC_STR_INIT("a\0"),
        TORC_STR_INIT("\303\244"),
        TORC_STR_INIT("<a>"),
        TORC_STR_INIT("a\"b"),
        TORC_STR_INIT("a^b"),
        TORC_STR_INIT("www.a.example:65536"),
        TORC_STR_INIT("www.a.example:99999"),
        TORC_STR_INIT("www.a.example:80:80"),
        TORC_STR_INIT("www.a.example:8o80"),
        TORC_STR_INIT("www.a/example:80"),
        TORC_STR_INIT("user@www.a.example"),
        TORC_STR_INIT("www.a.example\0.example"),
        TORC_STR_INIT("www.a.example.\303\244.example"),
        TORC_STR_INIT("::ffff:192.168.1.1:80"),
        TORC_STR_INIT("[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]"),
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(wrong); i++) {
        torc_authority authority = {.port = 7};
        if (torc_authority_parse(wrong[i], &authority) != TORC_ERR_SYNTAX || authority.port != 7 ||
            torc_authority_is_valid(wrong[i]))
            fail_msg("taken: %.*s", TORC_STR_ARGS(wrong[i]));
    }
    check_err(torc_authority_parse((torc_str){0}, &(torc_authority){0}), TORC_ERR_SYNTAX);
}

static void authorities_are_read_within_their_bytes(void **state) {
    static const torc_str texts[] = {TORC_STR_INIT("a.example:8080"), TORC_STR_INIT("[v1.a%41]:80"),
                                     TORC_STR_INIT("[2001:db8::192.0.2.1]:80"),
                                     TORC_STR_INIT("%41%42:1")};
    guarded memory = guarded_new(1);

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(texts); i++)
        for (size_t len = 0; len <= texts[i].len; len++) {
            torc_authority authority;
            const torc_str cut = guarded_at_end(&memory, torc_str_head(texts[i], len));
            if (torc_authority_parse(cut, &authority) == TORC_OK)
                assert_true(authority.host.len <= len);
        }
    guarded_free(&memory);
}

/* ---- percent-encoding ---- */

static torc_str decode(const char *text, bool plus) {
    static char to[64];
    return torc_str_make(to, torc_percent_decode(torc_str_of(text), plus, to));
}

static void escapes_are_decoded(void **state) {
    (void)state;
    check_str(decode("a%20b%2fC", false), "a b/C");
    check_str(decode("%41%6a%6A", false), "Ajj");
    check_str(decode("%00", false), "\0");
    check_str(decode("a+b", false), "a+b");
    check_str(decode("a+b%2B", true), "a b+");
}

static void what_is_no_escape_stays(void **state) {
    (void)state;
    check_str(decode("%", false), "%");
    check_str(decode("%4", false), "%4");
    check_str(decode("%4g%g4%%41", false), "%4g%g4%A");
    check_str(decode("100%+", true), "100% ");
    assert_int_equal(torc_percent_decode((torc_str){0}, true, NULL), 0);
}

static void decoding_in_place_is_fine(void **state) {
    char text[] = "%41b%43";

    (void)state;
    assert_int_equal(torc_percent_decode(torc_str_of(text), false, text), 3);
    assert_memory_equal(text, "AbC", 3);
}

static void all_but_the_unreserved_is_encoded(void **state) {
    char bytes[256], to[TORC_PERCENT_ENCODED_MAX(256)], back[TORC_PERCENT_ENCODED_MAX(256)];

    (void)state;
    for (int c = 0; c < 256; c++) bytes[c] = (char)c;
    const torc_str encoded = torc_str_make(to, torc_percent_encode(torc_str_make(bytes, 256), to));
    assert_int_equal(encoded.len, 66 + 3 * (256 - 66));
    assert_int_equal(torc_percent_decode(encoded, true, back), 256);
    assert_memory_equal(back, bytes, 256);
    check_str(torc_str_make(to, torc_percent_encode(TORC_STR("a b/~\377"), to)), "a%20b%2F~%FF");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_origin_form_has_path_and_query),
        cmocka_unit_test(the_absolute_form_has_an_authority),
        cmocka_unit_test(connect_has_the_authority_alone),
        cmocka_unit_test(the_asterisk_is_of_options),
        cmocka_unit_test(what_is_no_target_is_refused),
        cmocka_unit_test(bytes_are_checked_at_every_place),
        cmocka_unit_test(the_first_question_mark_counts),
        cmocka_unit_test(authorities_are_host_and_port),
        cmocka_unit_test(what_is_no_authority_is_refused),
        cmocka_unit_test(authorities_are_read_within_their_bytes),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(what_is_no_escape_stays),
        cmocka_unit_test(decoding_in_place_is_fine),
        cmocka_unit_test(all_but_the_unreserved_is_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
