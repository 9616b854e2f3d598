/* SPDX-License-Identifier: MIT */
/* Cache-Control by patterns. */
#include "check.h"
#include "web/cache_rules.h"

static void patterns_describe_texts(void **state) {
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "abc", true},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"*.css", "a.css", true},
        {"*.css", "a.css.map", false},
        {"*.css", ".css", true},
        {"a*b*c", "a-b-b-c", true},
        {"a*b*c", "a-c-b", false},
        {"**a", "bca", true},
        {"/a/*", "/a/b/c", true},
        {"/a/*", "/ab", false},
        {"abc", "ab", false},
        {"ab", "abc", false},
        {"*a", "aaaa", true},
        {"*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const bool matches =
            torc_glob_matches(torc_str_of(cases[i].pattern), torc_str_of(cases[i].text));
        if (matches != cases[i].matches) print_error("%s %s\n", cases[i].pattern, cases[i].text);
        assert_int_equal(matches, cases[i].matches);
    }
}

static void the_first_rule_that_matches_counts(void **state) {
    static const char *const texts[] = {"/assets/*.txt=no-store", "*.css=max-age=3600",
                                        "/assets/*=public, max-age=31536000, immutable",
                                        "index.html=no-cache"};
    torc_cache_rule rules[TORC_COUNT_OF(texts)];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(texts); i++)
        assert_null(torc_cache_rule_parse(torc_str_of(texts[i]), &rules[i]));
    const struct {
        const char *path, *value;
    } cases[] = {
        {"/a.css", "max-age=3600"},
        {"/assets/b/a.css", "max-age=3600"},
        {"/assets/x.js", "public, max-age=31536000, immutable"},
        {"/assets/b/x.txt", "no-store"},
        {"/index.html", "no-cache"},
        {"/sub/index.html", "no-cache"},
        {"/sub/assets/x", ""},
        {"/x", ""},
    };
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++)
        check_str_at(torc_cache_rules_find(rules, TORC_COUNT_OF(rules), torc_str_of(cases[i].path)),
                     torc_str_of(cases[i].value), __FILE__, __LINE__);
}

static void mistakes_in_rules_are_told(void **state) {
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"*.css", "is not PATTERN=VALUE"},
        {"", "is not PATTERN=VALUE"},
        {"=no-store", "has no pattern before the ="},
        {"*.css=", "has no value behind the ="},
        {"a/b=no-store", "has a pattern for a path that does not begin with /"},
        {"*=max-age", "has no Cache-Control directives behind the =, as in *.css=max-age=3600"},
        {"*=max-age=1h", "has no Cache-Control directives behind the =, as in *.css=max-age=3600"},
        {"*=public max-age=1",
         "has no Cache-Control directives behind the =, as in *.css=max-age=3600"},
        {"*=a\r\nb", "has no Cache-Control directives behind the =, as in *.css=max-age=3600"},
        {"*=,", "has no Cache-Control directives behind the =, as in *.css=max-age=3600"},
    };
    torc_cache_rule rule;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const char *fault = torc_cache_rule_parse(torc_str_of(cases[i].text), &rule);
        assert_non_null(fault);
        assert_string_equal(fault, cases[i].fault);
    }
    assert_null(torc_cache_rule_parse(TORC_STR("*= private=\"set-cookie\", s-maxage=0 "), &rule));
    check_str(rule.value, "private=\"set-cookie\", s-maxage=0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_describe_texts),
        cmocka_unit_test(the_first_rule_that_matches_counts),
        cmocka_unit_test(mistakes_in_rules_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
