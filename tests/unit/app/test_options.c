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

static const torc_option first[] = {{"port", "P", "where to listen", apply_port}};
static const torc_option second[] = {{"quiet", NULL, "say nothing", apply_quiet}};
static const torc_option_set set = {
    .groups = {{"First", first, 1}, {"Empty", NULL, 0}, {"Second", second, 1}},
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
                                   "\nSecond:\n  --quiet                    say nothing\n");
    torc_buf_dispose(&text);
}

static void the_nearest_name_is_one_that_could_have_been_meant(void **state) {
    static const char *const names[] = {"listen", "limit", "log-level"};

    (void)state;
    assert_string_equal(torc_nearest_name(TORC_STR("lisen"), names, 3), "listen");
    assert_string_equal(torc_nearest_name(TORC_STR("limits"), names, 3), "limit");
    assert_string_equal(torc_nearest_name(TORC_STR("loglevel"), names, 3), "log-level");
    assert_null(torc_nearest_name(TORC_STR("zebra"), names, 3));
    assert_null(
        torc_nearest_name(TORC_STR("listen-to-a-name-that-is-longer-than-all-options"), names, 3));
    assert_null(torc_nearest_name(TORC_STR("x"), names, 0));
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
        cmocka_unit_test(what_follows_a_mistake_is_not_applied),
        cmocka_unit_test(help_lists_the_groups_that_have_options),
        cmocka_unit_test(the_nearest_name_is_one_that_could_have_been_meant),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
