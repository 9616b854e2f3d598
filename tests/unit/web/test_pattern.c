/* SPDX-License-Identifier: MIT */
/* The kinds of parameters: what each takes, and what it does not. */
#include "check.h"
#include "web/pattern.h"

static torc_shape shape_of(const char *pattern) {
    torc_part part;

    assert_null(torc_part_read(torc_str_of(pattern), &part));
    return part.shape;
}

static void each_kind_takes_what_is_of_it(void **state) {
    static const struct {
        const char *pattern, *taken[8], *refused[8];
    } cases[] = {
        {"{x}", {"a", ".", "-", " ", "\xff"}, {""}},
        {"{x:str}", {"a"}, {""}},
        {"{x:int}",
         {"0", "-1", "00", "9223372036854775807", "-9223372036854775808"},
         {"", "-", "+1", "1.0", "--1", "9223372036854775808", "-9223372036854775809"}},
        {"{x:uint}", {"0", "18446744073709551615"}, {"", "-1", "18446744073709551616", "1 "}},
        {"{x:float}",
         {"0", "-1.5", "12", "0.000", "1234567890123456789012345678901234567890"},
         {"", "-", ".5", "5.", "1e5", "nan", "1.2.3", "12345678901234567890123456789012345678901"}},
        {"{x:uuid}",
         {"123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"},
         {"", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g",
          "123e4567-e89b-12d3-a456-4266141740001", "123e4567-e89b-12d3-a456_426614174000"}},
        {"{x:slug}", {"a-b_C9", "-"}, {"", "a.b", "a b", "\xc3\xa4"}},
        {"{x:any(en|de)}", {"en", "de"}, {"", "e", "en|de", "EN", "|"}},
        {"v{x:int}.txt", {"v1.txt", "v-1.txt"}, {"v.txt", "v1", "1.txt", "vv1.txt", "v1.txt.txt"}},
        {"a{x}a", {"aaa", "aba", "aaaa"}, {"aa", "a", ""}},
    };
    torc_str value;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const torc_shape shape = shape_of(cases[i].pattern);
        for (size_t k = 0; k < 8 && cases[i].taken[k]; k++)
            if (!torc_shape_fits(&shape, torc_str_of(cases[i].taken[k]), &value))
                fail_msg("%s refused %s", cases[i].pattern, cases[i].taken[k]);
        for (size_t k = 0; k < 8 && cases[i].refused[k]; k++)
            if (torc_shape_fits(&shape, torc_str_of(cases[i].refused[k]), &value))
                fail_msg("%s took %s", cases[i].pattern, cases[i].refused[k]);
    }
}

static void a_shape_is_written_as_it_is_read(void **state) {
    static const struct {
        const char *pattern, *written;
    } cases[] = {
        {"{x}", "{x}"},
        {"{x:str}", "{x}"},
        {"a{x:int}b", "a{x:int}b"},
        {"{x:any(a|b)}", "{x:any(a|b)}"},
        {"{x:path}", "{x...}"},
        {"{x...}", "{x...}"},
        {"*", "*"},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        char bytes[100];
        torc_buf text;
        torc_part part;
        assert_null(torc_part_read(torc_str_of(cases[i].pattern), &part));
        torc_buf_init_fixed(&text, bytes, sizeof(bytes));
        torc_shape_write(&part.shape, part.text, &text);
        check_str_of(torc_buf_str(&text), cases[i].written);
    }
}

/* Each goes before all that follow it. */
static void what_says_more_goes_first(void **state) {
    static const char *const ordered[] = {
        "{x}.min.js", "v{x:uint}.a", "{x:int}.js", "v{x:uint}", "v{x}",     "{x:any(a|b)}",
        "{x:uuid}",   "{x:uint}",    "{x:int}",    "{x:float}", "{x:slug}", "{x}",
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(ordered); i++) {
        for (size_t k = i + 1; k < TORC_COUNT_OF(ordered); k++) {
            const torc_shape a = shape_of(ordered[i]), b = shape_of(ordered[k]);
            if (!torc_shape_goes_before(&a, &b) || torc_shape_goes_before(&b, &a))
                fail_msg("%s does not go before %s", ordered[i], ordered[k]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_takes_what_is_of_it),
        cmocka_unit_test(a_shape_is_written_as_it_is_read),
        cmocka_unit_test(what_says_more_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
