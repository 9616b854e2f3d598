/* SPDX-License-Identifier: MIT */
/* Programs that serve: their arguments, what they print, and how they end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <torc/app.h>
#include <torc/timer.h>
#include <torc/version.h>
#include <unistd.h>

#include "app/app.h"
#include "check.h"
#include "testing/uncounted.h"

static char folder[] = "/tmp/torc-app-XXXXXX";
static char endpoint[80];

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(endpoint, sizeof(endpoint), "unix:%s/socket", folder);
    return 0;
}

static int tear_down(void **state) {
    char path[80];

    (void)state;
    snprintf(path, sizeof(path), "%s/socket", folder);
    unlink(path);
    return rmdir(folder);
}

/* ---- what is printed ---- */

typedef struct printed {
    int code;
    char out[8000], err[8000];
} printed;

/* Let a stream of the process go to a file that has no name; the descriptor it had. */
static int divert(int stream, FILE *file) {
    const int before = dup(stream);
    assert_true(before >= 0 && dup2(fileno(file), stream) >= 0);
    return before;
}

static void restore(int stream, int before, FILE *file, char *text, size_t size) {
    dup2(before, stream);
    close(before);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

/* Run an app with arguments, ended by NULL. */
static printed run(torc_app *app, const char *const *arguments) {
    printed result = {.code = -1};
    char *argv[8] = {(char *)(uintptr_t) "program"};
    FILE *out = tmpfile(), *err = tmpfile();
    int argc = 1;

    for (; arguments[argc - 1]; argc++) argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
    fflush(stdout);
    fflush(stderr);
    const int stdout_before = divert(STDOUT_FILENO, out),
              stderr_before = divert(STDERR_FILENO, err);
    result.code = torc_app_run(app, argc, argv);
    fflush(stdout);
    fflush(stderr);
    restore(STDOUT_FILENO, stdout_before, out, result.out, sizeof(result.out));
    restore(STDERR_FILENO, stderr_before, err, result.err, sizeof(result.err));
    return result;
}

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void check_has(const char *text, const char *part) {
    if (!strstr(text, part)) print_error("no \"%s\" in\n%s\n", part, text);
    assert_non_null(strstr(text, part));
}

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello");
}

static const char *greeting;

static const char *set_greeting(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    greeting = value;
    return NULL;
}

static torc_app *new_app(void) {
    torc_app *app = torc_app_new("greeter");

    torc_app_set_description(app, "It greets.");
    torc_app_set_listen(app, endpoint);
    torc_app_set_workers(app, 0);
    torc_app_add_group(app, "Words");
    torc_app_add_option(app, "greeting", "TEXT", "what is said", set_greeting);
    torc_app_route(app, "GET /", hello);
    return app;
}

static void help_tells_all_options(void **state) {
    const printed result = run(new_app(), ARGUMENTS("--help"));

    (void)state;
    assert_int_equal(result.code, 0);
    assert_string_equal(result.err, "");
    check_has(result.out, "Usage: greeter [OPTION]...\nIt greets.\n");
    check_has(result.out, "--greeting TEXT            what is said\n");
    check_has(result.out, "--listen ENDPOINT");
    check_has(result.out, "--limit LIMIT=VALUE");
    check_has(result.out, "--log-level debug|info|");
    assert_string_equal(run(new_app(), ARGUMENTS("-h")).out, result.out);
}

static void the_version_and_the_limits_are_shown(void **state) {
    printed result = run(new_app(), ARGUMENTS("--version"));

    (void)state;
    assert_int_equal(result.code, 0);
    check_has(result.out, "greeter (Torc " TORC_VERSION ")\nbuilt with ");
    check_has(result.out, torc_built_with());
    assert_string_equal(run(new_app(), ARGUMENTS("-V")).out, result.out);
    result = run(new_app(), ARGUMENTS("--help=limits"));
    assert_int_equal(result.code, 0);
    check_has(result.out, "  fields                           500  ");
}

static void help_shows_a_topic(void **state) {
    static const char *const topics[] = {"words", "serving", "logs", "general", "limits", "json"};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(topics); i++) {
        const printed result = run(new_app(), ARGUMENTS("--help", topics[i]));
        assert_int_equal(result.code, 0);
        assert_string_equal(result.err, "");
    }
    const printed result = run(new_app(), ARGUMENTS("--help=words"));
    check_has(result.out, "\nWords:\n  --greeting TEXT            what is said\n");
    assert_null(strstr(result.out, "--listen"));
    const printed json = run(new_app(), ARGUMENTS("--help=json"));
    check_has(json.out, "{\"name\":\"greeter\",\"version\":\"" TORC_VERSION
                        "\",\"description\":\"It greets.\",\"groups\":[{\"title\":\"Words\"");
}

/* What does not fit is told by the run, not left out in silence. */
static void options_have_a_maximum(void **state) {
    static char names[64][8];
    torc_app *app = new_app(); /* has one */

    (void)state;
    for (int i = 0; i < 64; i++) {
        snprintf(names[i], sizeof(names[i]), "o%d", i);
        torc_app_add_option(app, names[i], "TEXT", "an option", set_greeting);
    }
    const printed result = run(app, ARGUMENTS("--version"));
    assert_int_equal(result.code, 1);
    assert_string_equal(result.err, "greeter: options: a program has at most 64, in 8 groups\n");

    app = new_app();
    for (int i = 0; i < 8; i++) torc_app_add_group(app, "More");
    assert_int_equal(run(app, ARGUMENTS("--version")).code, 1);
}

static void a_mistake_exits_with_2_and_a_line(void **state) {
    static const struct {
        const char *arguments[3];
        const char *line;
    } cases[] = {
        {{"--lsten", NULL}, "greeter: --lsten: no such option; did you mean --listen?\n"},
        {{"--log-format=jason", NULL},
         "greeter: --log-format jason: not one of auto, text, json, logfmt, json-seq; did you mean "
         "json?\n"},
        {{"--help", "weather", NULL},
         "greeter: --help weather: topics are words, serving, tls, process, logs, general, "
         "limits\n"},
        {{"--add-header", "X-A", NULL},
         "greeter: --add-header X-A: write 'Name: value', for example 'X-Frame-Options: DENY'\n"},
        {{"--add-header", "X A: b", NULL},
         "greeter: --add-header X A: b: a field's name is letters, digits and hyphens, right "
         "before "
         "the colon\n"},
        {{"--add-header", "X-A: \001", NULL},
         "greeter: --add-header X-A: ?: a field's value has no control characters\n"},
        {{"--add-header", "content-length: 7", NULL},
         "greeter: --add-header content-length: 7: the server says content-length itself; use "
         "another name\n"},
        {{"--limit=fields=no", NULL},
         "greeter: --limit fields=no: the value is a whole number from 1 up, or `none`\n"},
        {{"--log-level", "loud", NULL},
         "greeter: --log-level loud: levels are debug, info, warn, error, critical, off; or "
         "`info,http=debug`\n"},
        {{"--workers", "-1", NULL},
         "greeter: --workers -1: the number is from 1 to 512, `auto`, or 0 for no process but "
         "this\n"},
        {{"--workers", "513", NULL},
         "greeter: --workers 513: the number is from 1 to 512, `auto`, or 0 for no process but "
         "this\n"},
        {{"--log-format", "xml", NULL},
         "greeter: --log-format xml: not one of auto, text, json, logfmt, json-seq\n"},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const printed result = run(new_app(), cases[i].arguments);
        assert_int_equal(result.code, 2);
        assert_string_equal(result.out, "");
        assert_string_equal(result.err, cases[i].line);
    }
    const printed result = run(new_app(), ARGUMENTS("--listen", "nonsense:1"));
    assert_int_equal(result.code, 2);
    check_has(result.err, "greeter: --listen nonsense:1: ");
}

static void endpoints_have_a_maximum(void **state) {
    char *argv[36] = {(char *)(uintptr_t) "program"};
    torc_app *app = new_app();
    FILE *err = tmpfile();
    char text[1000];

    (void)state;
    for (int i = 1; i < 35; i++) argv[i] = (char *)(uintptr_t)(i % 2 ? "--listen" : "127.0.0.1:0");
    const int before = divert(STDERR_FILENO, err);
    const int code = torc_app_run(app, 35, argv);
    fflush(stderr);
    restore(STDERR_FILENO, before, err, text, sizeof(text));
    assert_int_equal(code, 2);
    check_has(text, "at most 16 endpoints");
}

/* ---- running ---- */

static torc_timer ending;
static int starts, stops, signals_to_send;

static void send_signal(torc_timer *timer) {
    (void)timer;
    for (; signals_to_send > 0; signals_to_send--) raise(signals_to_send % 2 ? SIGTERM : SIGINT);
}

static void start(torc_app *app) {
    starts++;
    assert_non_null(torc_app_reactor(app));
    torc_app_set_context(app, &starts);
    assert_ptr_equal(torc_app_context(app), &starts);
    torc_timer_init(&ending, torc_app_reactor(app), send_signal);
    torc_timer_arm(&ending, 0);
}

static void stop(torc_app *app) {
    assert_non_null(torc_app_reactor(app));
    stops++;
}

static torc_app *new_ending_app(int signals) {
    torc_app *app = new_app();

    assert_null(torc_app_reactor(app));
    torc_app_on_start(app, start);
    torc_app_on_stop(app, stop);
    starts = stops = 0;
    signals_to_send = signals;
    return app;
}

static void a_signal_ends_it_in_order(void **state) {
    const printed result =
        run(new_ending_app(1), ARGUMENTS("--log-format", "json", "--greeting", "hi"));

    (void)state;
    assert_int_equal(result.code, 0);
    assert_int_equal(starts, 1);
    assert_int_equal(stops, 1);
    assert_string_equal(greeting, "hi");
    check_has(result.err, "\"text\":\"listening\"");
    check_has(result.err, "/socket\"");
    check_has(result.err, "\"text\":\"stopping\",\"signal\":\"Terminated\"");
}

/* The mask is as it was, so that another program may follow in the same process. */
static void the_signals_are_the_processes_again(void **state) {
    sigset_t before, after;

    (void)state;
    sigprocmask(SIG_BLOCK, NULL, &before);
    assert_int_equal(run(new_ending_app(1), ARGUMENTS("--log-level=off")).code, 0);
    sigprocmask(SIG_BLOCK, NULL, &after);
    for (int number = 1; number < 32; number++)
        if (number != SIGPIPE)
            assert_int_equal(sigismember(&after, number), sigismember(&before, number));
}

static void a_level_of_off_is_silent(void **state) {
    const printed result = run(new_ending_app(1), ARGUMENTS("--log-level", "off"));

    (void)state;
    assert_int_equal(result.code, 0);
    assert_string_equal(result.err, "");
}

static void what_cannot_be_listened_on_exits_with_1(void **state) {
    torc_app *app = new_ending_app(0);
    const printed result = run(app, ARGUMENTS("--listen", "unix:/nowhere/at/all"));

    (void)state;
    assert_int_equal(result.code, 1);
    check_has(result.err,
              "greeter: unix:/nowhere/at/all: there is no such thing: the folder of the "
              "socket must exist\n");
    assert_int_equal(starts, 0);
    assert_int_equal(stops, 0);
}

static void refuse(torc_app *app) {
    char reason[] = "--greeting: nobody is there";

    starts++;
    raise(SIGTERM); /* waits for who takes signals, whom this start does not come to */
    torc_app_refuse(app, reason);
    memset(reason, 'x', sizeof(reason) - 1); /* it was copied */
    torc_app_refuse(app, "and another reason");
}

static void a_start_that_is_refused_exits_with_1(void **state) {
    torc_app *app = new_ending_app(0);

    (void)state;
    torc_app_on_start(app, refuse);
    const printed result = run(app, (const char *const[]){NULL});
    assert_int_equal(result.code, 1);
    assert_string_equal(result.err, "greeter: --greeting: nobody is there\n");
    assert_int_equal(starts, 1);
    assert_int_equal(stops, 0);
}

/* Tools send it to the process and to its group. */
static void a_signal_that_comes_twice_in_a_moment_is_one(void **state) {
    torc_last_signal last = {0};

    (void)state;
    assert_false(torc_app_is_repeated(&last, SIGTERM, 50));
    assert_true(torc_app_is_repeated(&last, SIGTERM, 149));
    assert_false(torc_app_is_repeated(&last, SIGINT, 150));
    assert_false(torc_app_is_repeated(&last, SIGTERM, 151));
    assert_false(torc_app_is_repeated(&last, SIGTERM, 251));
}

static void a_mistake_in_a_route_exits_with_1(void **state) {
    torc_app *app = new_ending_app(0);

    (void)state;
    torc_app_route(app, "GET /{a b}", hello);
    const printed result = run(app, (const char *const[]){NULL});
    assert_int_equal(result.code, 1);
    check_has(result.err, "greeter: resources: route \"GET /{a b}\": ");
}

static void the_limits_are_the_programs(void **state) {
    torc_app *app = new_app();

    (void)state;
    assert_int_equal(torc_app_limits(app)->size, sizeof(torc_limits));
    torc_app_limits(app)->fields_max = 3;
    assert_non_null(torc_app_root(app));
    torc_app_free(app);
    torc_app_free(NULL);
}

/* ---- memory ---- */

/* Out of memory is told by the run, whatever the program did in between. */
static void a_program_without_memory_is_told_at_the_run(void **state) {
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        torc_test_fail_uncounted(n);
        torc_app *app = torc_app_new("greeter");
        torc_test_fail_uncounted(0);
        torc_app_route(app, "GET /", hello);
        torc_app_on_start(app, start);
        assert_non_null(torc_app_root(app));
        const printed result = run(app, (const char *const[]){NULL});
        assert_int_equal(result.code, 1);
        assert_string_equal(result.err, "program: out of memory, or the memory limit is reached\n");
        torc_app_free(app);
    }
}

/* What the program allocates for itself, one after the other: it says so and exits, or serves. */
static void each_allocation_may_fail(void **state) {
    bool failed = true;

    (void)state;
    for (uint64_t n = 1; failed; n++) {
        torc_app *app = new_ending_app(1);
        torc_test_fail_uncounted(n);
        const printed result = run(app, (const char *const[]){NULL});
        failed = torc_test_uncounted_failed();
        torc_test_fail_uncounted(0);
        assert_true(result.code == 0 || (failed && result.code == 1 && result.err[0]));
        assert_true(n < 1000);
    }
}

static void tell_parent(torc_timer *timer) {
    (void)timer;
    kill(getppid(), SIGTERM);
}

static void start_in_worker(torc_app *app) {
    torc_test_fail_uncounted(0); /* it would fail again in each that replaces it */
    torc_timer_init(&ending, torc_app_reactor(app), tell_parent);
    torc_timer_arm(&ending, 0);
}

/* A worker may tell a parent that has given up already: that waits until it is taken here. */
static void take_late_signals(const sigset_t *signals) {
    const struct timespec now = {0};

    while (sigtimedwait(signals, NULL, &now) > 0) continue;
}

/* What the parent allocates, and its worker until it starts, who inherits the number. */
static void each_allocation_of_a_parent_may_fail(void **state) {
    bool failed = true;
    int code = 1;
    sigset_t late, before;

    (void)state;
    sigemptyset(&late);
    sigaddset(&late, SIGTERM);
    sigprocmask(SIG_BLOCK, &late, &before);
    for (uint64_t n = 1; failed || code; n++) {
        torc_app *app = new_app();
        torc_app_set_workers(app, 1);
        torc_app_on_start(app, start_in_worker);
        torc_test_fail_uncounted(n);
        const printed result = run(app, (const char *const[]){NULL});
        failed = torc_test_uncounted_failed();
        torc_test_fail_uncounted(0);
        code = result.code;
        take_late_signals(&late);
        assert_true(code == 0 || (code == 1 && result.err[0]));
        assert_true(n < 1000);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_tells_all_options),
        cmocka_unit_test(the_version_and_the_limits_are_shown),
        cmocka_unit_test(help_shows_a_topic),
        cmocka_unit_test(options_have_a_maximum),
        cmocka_unit_test(a_mistake_exits_with_2_and_a_line),
        cmocka_unit_test(endpoints_have_a_maximum),
        cmocka_unit_test(a_signal_ends_it_in_order),
        cmocka_unit_test(the_signals_are_the_processes_again),
        cmocka_unit_test(a_level_of_off_is_silent),
        cmocka_unit_test(what_cannot_be_listened_on_exits_with_1),
        cmocka_unit_test(a_start_that_is_refused_exits_with_1),
        cmocka_unit_test(a_signal_that_comes_twice_in_a_moment_is_one),
        cmocka_unit_test(a_mistake_in_a_route_exits_with_1),
        cmocka_unit_test(the_limits_are_the_programs),
        cmocka_unit_test(a_program_without_memory_is_told_at_the_run),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(each_allocation_of_a_parent_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
