/* SPDX-License-Identifier: MIT */
/* Content-Security-Policy: text from directives, and what is wrong with these. */
#include "check.h"
#include "web/csp.h"

#define check_policy(directives, has_nonce, literal)                                               \
    check_policy_at((directives), (has_nonce), TORC_STR(literal), __LINE__)

static void check_policy_at(const torc_csp_directive *directives, bool has_nonce, torc_str expected,
                            int line) {
    char text[200], policy[TORC_CSP_BYTES_MAX];
    const size_t len = torc_csp_len(directives, has_nonce);

    assert_null(torc_csp_check(directives, text));
    torc_csp_write(directives, has_nonce, policy);
    for (size_t i = 0; i < len; i++)
        if (!policy[i]) policy[i] = 'N';
    check_str_at(torc_str_make(policy, len), expected, __FILE__, line);
}

static void directives_become_a_policy(void **state) {
    static const torc_csp_directive plain[] = {
        {"default-src", "'self'"},
        {"img-src", "'self'  data: https://*.cdn.example"},
        {"upgrade-insecure-requests", ""},
        {"sandbox", NULL},
        {NULL, NULL},
    };

    (void)state;
    check_policy(plain, true,
                 "default-src 'self'; img-src 'self' data: https://*.cdn.example; "
                 "upgrade-insecure-requests; sandbox");
    assert_false(torc_csp_has_nonce(plain));
}

static void nonces_have_their_place_or_are_left_out(void **state) {
    static const torc_csp_directive nonces[] = {
        {"script-src", "'nonce' 'strict-dynamic'"},
        {"style-src", "'nonce'"},
        {NULL, NULL},
    };

    (void)state;
    assert_true(torc_csp_has_nonce(nonces));
    check_policy(nonces, true,
                 "script-src 'nonce-NNNNNNNNNNNNNNNNNNNNNN' 'strict-dynamic'; style-src "
                 "'nonce-NNNNNNNNNNNNNNNNNNNNNN'");
    check_policy(nonces, false, "script-src 'strict-dynamic'; style-src 'none'");
}

static void what_browsers_would_ignore_is_told(void **state) {
    static const struct {
        torc_csp_directive directives[3];
        const char *text;
    } cases[] = {
        {{{NULL, NULL}}, "a policy without directives forbids nothing"},
        {{{"scrpt-src", "'self'"}}, "there is no directive 'scrpt-src'; did you mean script-src?"},
        {{{"Script-Src", "'self'"}}, NULL},
        {{{"script-src", "self"}},
         "the directive script-src has self without its quotes: write 'self'"},
        {{{"script-src", "nonce"}}, NULL},
        {{{"script-src", "'self'; img-src *"}}, NULL},
        {{{"script-src", "a,b"}}, NULL},
        {{{"script-src", "a\nb"}}, NULL},
        {{{"script-src", "caf\xc3\xa9.example"}}, NULL},
        {{{"img-src", "a"}, {"img-src", "b"}},
         "the directive img-src is there twice: the second would not count"},
    };
    char text[200];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const char *wrong = torc_csp_check(cases[i].directives, text);
        assert_non_null(wrong);
        if (cases[i].text) assert_string_equal(wrong, cases[i].text);
    }
    assert_null(torc_csp_check(torc_csp_strict(), text));
    assert_true(torc_csp_has_nonce(torc_csp_strict()));
}

static void a_policy_has_an_end(void **state) {
    static char sources[TORC_CSP_BYTES_MAX];
    const torc_csp_directive directives[] = {{"img-src", sources}, {NULL, NULL}};
    char text[200];

    (void)state;
    memset(sources, 'a', sizeof(sources) - 1);
    assert_string_equal(torc_csp_check(directives, text), "the policy is too long");
    sources[TORC_CSP_BYTES_MAX - strlen("img-src ")] = '\0';
    assert_null(torc_csp_check(directives, text));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directives_become_a_policy),
        cmocka_unit_test(nonces_have_their_place_or_are_left_out),
        cmocka_unit_test(what_browsers_would_ignore_is_told),
        cmocka_unit_test(a_policy_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
