/* SPDX-License-Identifier: MIT */
/* Arguments by a table, and help from it. */
#include "faults.h"

#include "app/options.h"

/* What the options were applied to, in order. */
static char applied[200];

static void note(const char *name, const char *value) {
    strcat(applied, name);
    strcat(applied, "=");
    strcat(applied, value ? value : "-");
    strcat(applied, ";");
}

static const char *apply_port(torc_app *app, const char *value, char text[160]) {
    (void)app;
    if (strcmp(value, "bad") == 0) {
        strcpy(text, "a port is a number");
        return text;
    }
    note("port", value);
    return NULL;
}

static const char *apply_quiet(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    note("quiet", value);
    return NULL;
}

static const char *apply_form(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    note("form", value);
    return NULL;
}

static const char *apply_help(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    note("help", value);
    return NULL;
}

static const torc_option first[] = {{"port", "P", "where to listen", apply_port}};
static const torc_option second[] = {
    {"quiet", NULL, "say nothing", apply_quiet},
    {"form", "plain|fancy", "how it looks", apply_form},
    {"out", "auto|DIR...", "where to write\nTwo lines.\nOf manual.", apply_form},
    {"help", "[TOPIC]", "show this", apply_help},
};
static const torc_option_set set = {
    .groups = {{"First", first, 1}, {"Empty", NULL, 0}, {"Second One", second, 4}},
    .count = 3,
};

/* Read arguments, ended by NULL; whether they were right. */
static bool read_all(torc_buf *mistake, const char *const *arguments) {
    char *argv[8] = {(char *)(uintptr_t) "program"};
    int argc = 1;

    for (; arguments[argc - 1]; argc++) argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
    applied[0] = '\0';
    torc_buf_init(mistake, NULL, TORC_MEMORY_OTHER, 1000);
    return torc_options_read(&set, NULL, argc, argv, mistake);
}

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void options_are_applied_in_order(void **state) {
    torc_buf mistake;

    (void)state;
    assert_true(read_all(
        &mistake, ARGUMENTS("--port", "1", "--quiet", "--port=2", "--port=", "--port", "--quiet")));
    assert_string_equal(applied, "port=1;quiet=-;port=2;port=;port=--quiet;");
    assert_true(read_all(&mistake, (const char *const[]){NULL}));
    assert_string_equal(applied, "");
}

static void words_are_told_from_names(void **state) {
    torc_buf mistake;

    (void)state;
    assert_true(read_all(&mistake, ARGUMENTS("--form", "fancy", "--out=auto", "--out", "/x")));
    assert_string_equal(applied, "form=fancy;form=auto;form=/x;");
    assert_true(read_all(&mistake, ARGUMENTS("--help", "--help", "x", "-h", "--help=", "-h")));
    assert_string_equal(applied, "help=-;help=x;help=-;help=;help=-;");
}

static void a_mistake_is_a_line_with_the_fix(void **state) {
    static const struct {
        const char *arguments[3];
        const char *line;
    } cases[] = {
        {{"--prt", NULL}, "--prt: no such option; did you mean --port?"},
        {{"--prt=7", NULL}, "--prt: no such option; did you mean --port?"},
        {{"--colours", NULL}, "--colours: no such option; --help lists them"},
        {{"file", NULL}, "file: options begin with `--`; --help lists them"},
        {{"-p", NULL}, "-p: options begin with `--`; --help lists them"},
        {{"--", NULL}, "--: options begin with `--`; --help lists them"},
        {{"-V", NULL}, "-V: options begin with `--`; --help lists them"},
        {{"", NULL}, ": options begin with `--`; --help lists them"},
        {{"--form", "plane", NULL}, "--form plane: not one of plain, fancy; did you mean plain?"},
        {{"--form=", NULL}, "--form : not one of plain, fancy"},
        {{"--form", NULL}, "--form: needs a value: --form plain|fancy"},
        {{"--out", NULL}, "--out: needs a value: --out auto|DIR"},
        {{"--port", NULL}, "--port: needs a value: --port P"},
        {{"--quiet=yes", NULL}, "--quiet: takes no value"},
        {{"--port", "bad", NULL}, "--port bad: a port is a number"},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_buf mistake;
        assert_false(read_all(&mistake, cases[i].arguments));
        check_str_at(torc_buf_str(&mistake), torc_str_of(cases[i].line), __FILE__, __LINE__);
        torc_buf_dispose(&mistake);
    }
}

static void a_mistake_is_one_line_whatever_is_written(void **state) {
    static char longest[5000];
    torc_buf mistake;

    (void)state;
    memset(longest, 'x', sizeof(longest) - 1);
    assert_false(read_all(&mistake, ARGUMENTS("--form", "a\nb\r\x1b\x7f\xc3\xa9")));
    check_str(torc_buf_str(&mistake), "--form a?b???\xc3\xa9: not one of plain, fancy");
    torc_buf_dispose(&mistake);
    assert_false(read_all(&mistake, ARGUMENTS("--form", longest)));
    assert_true(
        torc_str_ends_with(torc_buf_str(&mistake), TORC_STR("xxx...: not one of plain, fancy")));
    torc_buf_dispose(&mistake);
    memcpy(longest, "--", 2);
    assert_false(read_all(&mistake, ARGUMENTS(longest)));
    assert_true(torc_str_ends_with(torc_buf_str(&mistake),
                                   TORC_STR("xxx...: no such option; --help lists them")));
    torc_buf_dispose(&mistake);
    longest[0] = 'x';
    assert_false(read_all(&mistake, ARGUMENTS(longest)));
    assert_true(torc_str_ends_with(torc_buf_str(&mistake),
                                   TORC_STR("xxx...: options begin with `--`; --help lists them")));
    torc_buf_dispose(&mistake);
}

static void what_follows_a_mistake_is_not_applied(void **state) {
    torc_buf mistake;

    (void)state;
    assert_false(read_all(&mistake, ARGUMENTS("--quiet", "--nothing-like-it", "--port=1")));
    assert_string_equal(applied, "quiet=-;");
    torc_buf_dispose(&mistake);
}

static void help_lists_the_groups_that_have_options(void **state) {
    torc_buf text;

    (void)state;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 1000);
    torc_options_write_help(&set, &text);
    check_str(torc_buf_str(&text), "\nFirst:\n  --port P                   where to listen\n"
                                   "\nSecond One:\n  --quiet                    say nothing\n"
                                   "  --form plain|fancy         how it looks\n"
                                   "  --out auto|DIR...          where to write\n"
                                   "  -h, --help [TOPIC]         show this\n");
    torc_buf_dispose(&text);
}

static void help_is_wrapped(void **state) {
    static const torc_option options[] = {
        {"an-option-with-a-long-name", "N",
         "these are the words of a help that is longer than a line can be", apply_form},
        {"b", NULL, "a-word-that-is-longer-than-a-whole-line-can-be-stays-a-word x", apply_form},
    };
    const torc_option_set wide = {.groups = {{"Wide", options, 2}}, .count = 1};
    torc_buf text;

    (void)state;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 1000);
    torc_options_write_help(&wide, &text);
    check_str(torc_buf_str(&text),
              "\nWide:\n  --an-option-with-a-long-name N\n"
              "                             these are the words of a help that is longer than\n"
              "                             a line can be\n"
              "  --b                        "
              "a-word-that-is-longer-than-a-whole-line-can-be-stays-a-word\n"
              "                             x\n");
    torc_buf_dispose(&text);
}

static void groups_are_topics(void **state) {
    torc_buf text;

    (void)state;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 1000);
    torc_options_write_topics(&set, &text);
    check_str(torc_buf_str(&text), "first, second-one");
    torc_buf_clear(&text);
    assert_true(torc_options_has_topic(&set, TORC_STR("second-one")));
    assert_false(torc_options_has_topic(&set, TORC_STR("empty")));
    assert_false(torc_options_has_topic(&set, TORC_STR("Second One")));
    torc_options_write_group(&set, TORC_STR("first"), &text);
    check_str(torc_buf_str(&text), "\nFirst:\n  --port P                   where to listen\n");
    torc_options_write_group(&set, TORC_STR("empty"), &text);
    check_str(torc_buf_str(&text), "\nFirst:\n  --port P                   where to listen\n");
    torc_buf_dispose(&text);
}

static void the_table_is_written_as_json(void **state) {
    torc_buf text;
    torc_json json;

    (void)state;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 2000);
    torc_json_init_buf(&json, &text, TORC_JSON_PLAIN);
    torc_json_open_object(&json);
    torc_options_write_json(&set, &json);
    torc_json_close_object(&json);
    check_ok(torc_json_end(&json));
    check_str(
        torc_buf_str(&text),
        "{\"groups\":[{\"title\":\"First\",\"topic\":\"first\",\"options\":["
        "{\"name\":\"port\",\"help\":\"where to listen\",\"argument\":\"P\","
        "\"kind\":\"text\",\"may_lack_value\":false,\"is_repeatable\":false,\"words\":[]}]},"
        "{\"title\":\"Second One\",\"topic\":\"second-one\",\"options\":["
        "{\"name\":\"quiet\",\"help\":\"say nothing\"},"
        "{\"name\":\"form\",\"help\":\"how it looks\",\"argument\":\"plain|fancy\","
        "\"kind\":\"text\",\"may_lack_value\":false,\"is_repeatable\":false,"
        "\"words\":[\"plain\",\"fancy\"]},"
        "{\"name\":\"out\",\"help\":\"where to write\",\"manual\":\"Two lines.\\nOf manual.\","
        "\"argument\":\"auto|DIR...\",\"kind\":\"folder\",\"may_lack_value\":false,"
        "\"is_repeatable\":true,\"words\":[\"auto\"]},"
        "{\"name\":\"help\",\"letter\":\"h\",\"help\":\"show this\",\"argument\":\"[TOPIC]\","
        "\"kind\":\"topic\",\"may_lack_value\":true,\"is_repeatable\":false,\"words\":[]}]}]}");
    torc_buf_dispose(&text);
}

static torc_err write_help(torc_memory *memory, void *context) {
    torc_buf text;

    (void)context;
    torc_buf_init(&text, memory, TORC_MEMORY_OTHER, 1000);
    torc_options_write_help(&set, &text);
    const torc_err err = torc_buf_err(&text);
    torc_buf_dispose(&text);
    return err;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    faults_each(write_help, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_applied_in_order),
        cmocka_unit_test(a_mistake_is_a_line_with_the_fix),
        cmocka_unit_test(a_mistake_is_one_line_whatever_is_written),
        cmocka_unit_test(what_follows_a_mistake_is_not_applied),
        cmocka_unit_test(help_lists_the_groups_that_have_options),
        cmocka_unit_test(words_are_told_from_names),
        cmocka_unit_test(help_is_wrapped),
        cmocka_unit_test(groups_are_topics),
        cmocka_unit_test(the_table_is_written_as_json),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
