/* SPDX-License-Identifier: MIT */
/*
 * Access logs: what their lines say, of whatever a request was and sent.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <torc/access_log.h>
#include <torc/timer.h>
#include <unistd.h>

#include "testing/uncounted.h"
#include "web_fixture.h"

static char path[64];
static torc_log_file *file;
static torc_log_writer *writer;
static torc_access_log *access_log;
static torc_site *site;

static torc_render hello(torc_request *request) {
    torc_response_set(request, "X-Kind", TORC_STR("a \"greeting\""));
    return torc_reply_text(request, 200, "Hello, World!");
}

static torc_render streamed(torc_request *request) {
    torc_request_write(request, TORC_STR("0123456789"));
    torc_request_flush(request);
    torc_request_write(request, TORC_STR("0123456789"));
    (void)torc_request_finish(request);
    return TORC_RENDER_DONE;
}

static torc_render aborted(torc_request *request) {
    torc_request_abort(request);
    return TORC_RENDER_DONE;
}

static torc_render never(torc_request *request) {
    (void)request;
    return TORC_RENDER_NOT_DONE_YET;
}

static torc_render begun(torc_request *request) {
    torc_request_write(request, TORC_STR("01234"));
    torc_request_flush(request);
    return TORC_RENDER_NOT_DONE_YET;
}

static void observe(torc_reactor *reactor, const char *format) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /", hello);
    torc_resource_route(root, "GET /{name}", hello);
    torc_resource_route(root, "GET /streamed", streamed);
    torc_resource_route(root, "GET /aborted", aborted);
    torc_resource_route(root, "GET /never", never);
    torc_resource_route(root, "GET /begun", begun);
    site = torc_site_new(root, NULL);
    assert_non_null(site);
    snprintf(path, sizeof(path), "/tmp/torc-access-XXXXXX");
    close(mkstemp(path));
    check_ok(torc_log_file_open(path, NULL, &file));
    check_ok(torc_log_writer_new(reactor, file, NULL, &writer));
    check_ok(torc_access_log_new(writer, torc_str_of(format), NULL, &access_log));
    torc_site_add_observer(site, torc_access_log_observer(access_log));
}

/* What was logged since the last look. */
static torc_str logged(torc_reactor *reactor) {
    static char bytes[256 * 1024];

    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    const ssize_t len = read(fd, bytes, sizeof(bytes));
    assert_true(len >= 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    close(fd);
    return torc_str_make(bytes, (size_t)len);
}

static void ask(torc_reactor *reactor, const char *head) {
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);

    assert_non_null(test);
    check_ok(torc_test_request_set_peer(test, "192.0.2.1", 4711));
    web_finish(reactor, test);
    torc_test_request_free(test);
}

static int set_up(void **state) {
    setenv("TZ", "UTC", 1);
    tzset();
    return web_set_up(state);
}

static int tear_down(void **state) {
    torc_site_free(site);
    torc_access_log_free(access_log);
    torc_log_writer_free(writer);
    const int failed = web_tear_down(state);
    torc_log_file_close(file);
    if (path[0]) unlink(path);
    site = NULL;
    access_log = NULL;
    writer = NULL;
    file = NULL;
    path[0] = '\0';
    return failed;
}

static void the_common_format_is_the_known_one(void **state) {
    observe(*state, "common");
    ask(*state, "GET /?a=b\nHost: a.example");
    check_str(logged(*state),
              "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /?a=b HTTP/1.1\" 200 13\n");
    ask(*state, "HEAD /\nHost: a.example");
    ask(*state, "GET /no/where\nHost: a.example");
    const torc_str lines = logged(*state);
    assert_true(torc_str_starts_with(lines, TORC_STR("192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] "
                                                     "\"HEAD / HTTP/1.1\" 200 -\n192.0.2.1 - - ")));
    assert_non_null(memmem(lines.bytes, lines.len, "\" 404 ", 6));
}

static void the_combined_format_adds_referer_and_agent(void **state) {
    observe(*state, "combined");
    ask(*state, "GET / HTTP/1.0\nReferer: http://b.example/\nUser-Agent: curl/8");
    check_str(logged(*state),
              "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] \"GET / HTTP/1.0\" 200 13 "
              "\"http://b.example/\" \"curl/8\"\n");
    ask(*state, "GET /\nHost: a.example");
    check_str(logged(*state),
              "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] \"GET / HTTP/1.1\" 200 13 \"-\" \"-\"\n");
}

static void a_line_of_json_has_numbers_texts_and_null(void **state) {
    observe(*state, "json");
    ask(*state, "GET /x\nHost: a.example:81\nUser-Agent: a \"quoted\" \xc3\xa9 \xff thing");
    check_str(
        logged(*state),
        "{\"time\":\"1994-11-06T08:49:37.000000Z\",\"client\":\"192.0.2.1\",\"user\":null,"
        "\"method\":\"GET\",\"target\":\"/x\",\"protocol\":\"HTTP/1.1\",\"host\":\"a.example\","
        "\"status\":200,\"body_bytes\":13,\"sent_bytes\":0,\"duration_us\":0,\"referer\":null,"
        "\"user_agent\":\"a \\\"quoted\\\" \xc3\xa9 \\ufffd thing\",\"error\":null}\n");
}

static void a_line_of_logfmt_quotes_texts(void **state) {
    observe(*state, "logfmt");
    ask(*state, "GET /x\nHost: a.example");
    check_str(logged(*state),
              "time=1994-11-06T08:49:37.000000Z client=\"192.0.2.1\" user= method=\"GET\" "
              "target=\"/x\" protocol=\"HTTP/1.1\" host=\"a.example\" status=200 body_bytes=13 "
              "sent_bytes=0 duration_us=0 referer= user_agent= error=\n");
}

static void a_format_may_be_ones_own(void **state) {
    observe(*state, "%a %{c}a|%m|%U%q|%H|%v|%p|%s %B %b|%{X-Kind}o|%{x-none}o|%{Host}i|%X|%%|"
                    "%{sec}t %{msec}t %{usec}t %{iso}t|%T %{ms}T %{us}T %D|%{target}r|%W");
    ask(*state, "GET /a?b=c\nHost: a.example:8080");
    check_str(logged(*state),
              "192.0.2.1 192.0.2.1|GET|/a?b=c|HTTP/1.1|a.example|-|200 13 13|a \\\"greeting\\\"|-|"
              "a.example:8080|+|%|784111777 784111777000 784111777000000 "
              "1994-11-06T08:49:37.000000Z|0 0 0 0|/a?b=c|-\n");
}

static void a_process_has_its_number(void **state) {
    char expected[32];

    observe(*state, "%P");
    ask(*state, "GET /\nHost: a");
    snprintf(expected, sizeof(expected), "%d\n", getpid());
    assert_true(torc_str_equals(logged(*state), torc_str_of(expected)));
}

static void a_duration_is_from_the_head_to_the_end(void **state) {
    torc_reactor *reactor = *state;
    torc_test_request *test;

    observe(reactor, "%D %T %{ms}T %s %W");
    test = torc_test_request_new(reactor, torc_site_acceptor(site), "GET /never\nHost: a");
    torc_test_request_run(test);
    torc_test_spend_us(reactor, 2500123);
    torc_test_request_disconnect(test);
    torc_test_request_run(test);
    check_str(logged(reactor), "2500123 2 2500 499 LOST\n");
    torc_test_request_free(test);
}

static void what_never_left_is_not_counted(void **state) {
    torc_reactor *reactor = *state;
    torc_test_request *test;

    observe(reactor, "%s %B %X %W");
    ask(reactor, "GET /streamed\nHost: a");
    check_str(logged(reactor), "200 20 + -\n");
    ask(reactor, "GET /aborted\nHost: a");
    check_str(logged(reactor), "444 0 X ABORTED\n");
    test = torc_test_request_new(reactor, torc_site_acceptor(site), "GET /begun\nHost: a");
    torc_test_request_run(test);
    torc_test_request_free(test);
    check_str(logged(reactor), "200 5 X LOST\n");
}

static void the_text_of_the_time_is_of_its_second(void **state) {
    torc_reactor *reactor = *state;

    observe(reactor, "%t %{iso}t");
    ask(reactor, "GET /\nHost: a");
    torc_test_advance(reactor, 23000);
    ask(reactor, "GET /\nHost: a");
    setenv("TZ", "XXX-05:30", 1);
    tzset();
    torc_test_advance(reactor, 1000);
    ask(reactor, "GET /\nHost: a");
    check_str(logged(reactor), "[06/Nov/1994:08:49:37 +0000] 1994-11-06T08:49:37.000000Z\n"
                               "[06/Nov/1994:08:50:00 +0000] 1994-11-06T08:50:00.000000Z\n"
                               "[06/Nov/1994:14:20:01 +0530] 1994-11-06T08:50:01.000000Z\n");
}

/* ---- what comes from outside ---- */

static void nobody_ends_a_line_or_a_quoted_text(void **state) {
    observe(*state, "\"%{User-Agent}i\"");
    ask(*state, "GET /\nHost: a\nUser-Agent: a\" 200 1 \"b\\\" \t \x80\xff\xc2\x9b[2J");
    check_str(logged(*state), "\"a\\\" 200 1 \\\"b\\\\\\\" \\x09 \\x80\\xff\\xc2\\x9b[2J\"\n");
}

static void nobody_controls_a_terminal_by_json(void **state) {
    observe(*state, "json");
    ask(*state,
        "GET /\nHost: a\nUser-Agent: \t\xc2\x9b[2J \xe2\x80\xae gpj \xe2\x80 \xf0\x9f\x98\x80");
    const torc_str line = logged(*state);
    const char expected[] =
        "\"user_agent\":\"\\u009b[2J \\u202e gpj \\ufffd\\ufffd \xf0\x9f\x98\x80\"";
    assert_non_null(memmem(line.bytes, line.len, expected, sizeof(expected) - 1));
}

/* Whatever bytes a value has: one line, printable, and what is not ASCII as `escape`. */
static void check_every_byte(torc_reactor *reactor, const char *format, const char *escape) {
    observe(reactor, format);
    for (int byte = 1; byte < 256; byte++) {
        char head[64];
        snprintf(head, sizeof(head), "GET /\nHost: a\nUser-Agent: x%cyyyyyyyy%c", byte, byte);
        torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);
        if (!test) continue; /* no field has this byte */
        web_finish(reactor, test);
        torc_test_request_free(test);
        const torc_str line = logged(reactor);
        assert_int_equal(torc_str_find_byte(line, '\n'), line.len - 1);
        for (size_t i = 0; i + 1 < line.len; i++)
            assert_true((unsigned char)line.bytes[i] >= ' ' && line.bytes[i] != 0x7f);
        if (byte >= 0x80) assert_true(torc_str_find(line, torc_str_of(escape)) > 0);
    }
}

static void every_byte_is_safe_in_text(void **state) {
    check_every_byte(*state, "combined", "\\x");
}

static void every_byte_is_safe_in_json(void **state) {
    check_every_byte(*state, "json", "\\ufffd");
}

static void every_byte_is_safe_in_logfmt(void **state) {
    check_every_byte(*state, "logfmt", "\\ufffd");
}

static void a_value_that_is_too_long_is_cut(void **state) {
    static char head[8192];
    const size_t begun_len = (size_t)snprintf(head, sizeof(head), "GET /\nHost: a\nUser-Agent: ");

    observe(*state, "%s \"%{User-Agent}i\"");
    memset(head + begun_len, 'x', 7000);
    ask(*state, head);
    const torc_str plain = logged(*state);
    assert_true(plain.len > 4000 && plain.len <= 4096 + 8);
    assert_true(torc_str_ends_with(plain, TORC_STR("xxx...\"\n")));
    memset(head + begun_len, '\xff', 7000);
    ask(*state, head);
    const torc_str escaped = logged(*state);
    assert_true(escaped.len > 4000 && escaped.len <= 4096 + 8);
    assert_true(torc_str_ends_with(escaped, TORC_STR("\\xff\\xff...\"\n")));
}

static void a_line_is_never_longer_than_its_bound(void **state) {
    static char format[4096], head[8192];
    size_t len = 0;

    for (int i = 0; i < 60; i++)
        len += (size_t)snprintf(format + len, sizeof(format) - len, "%%{User-Agent}i ");
    observe(*state, format);
    len = (size_t)snprintf(head, sizeof(head), "GET /\nHost: a\nUser-Agent: ");
    memset(head + len, '\\', 7000);
    ask(*state, head);
    const torc_str line = logged(*state);
    assert_true(line.len > 30000 && line.len <= TORC_LOG_LINE_MAX);
    assert_int_equal(line.bytes[line.len - 1], '\n');
}

/* A method that leaves no room, or hardly any, for the target. */
static void a_method_that_is_too_long_is_cut(void **state) {
    enum {
        LONG = 4077
    };
    static char head[2 * 8192];

    observe(*state, "%r");
    memset(head, 'M', LONG);
    memset(head + LONG, '/', 8192);
    head[LONG] = ' ';
    for (int cut = 0; cut < 8; cut++) {
        ask(*state, head + cut);
        const torc_str line = logged(*state);
        assert_true(line.len > 4000 && line.len <= 4096 + 1);
        assert_true(torc_str_ends_with(line, TORC_STR(" HTTP/1.1\n")));
    }
}

/* ---- formats ---- */

static void check_mistake(const char *format, size_t place, const char *text) {
    torc_access_format_error error = {0};

    check_err(torc_access_format_check(torc_str_of(format), &error), TORC_ERR_SYNTAX);
    assert_string_equal(error.text, text);
    assert_int_equal(error.place, place);
    check_err(torc_access_format_check(torc_str_of(format), NULL), TORC_ERR_SYNTAX);
}

static void a_mistake_in_a_format_is_named_with_its_place(void **state) {
    (void)state;
    check_mistake("%h %", 3, "a `%` alone: a percent sign is `%%`");
    check_mistake("%h %>", 3, "a `%` alone: a percent sign is `%%`");
    check_mistake("%h %z", 3, "`%z` is no variable");
    check_mistake("%h %{x}h", 3, "`%{x}h` is not known with these braces");
    check_mistake("%h %{never", 3, "a brace is not closed");
    check_mistake("%i", 0, "`%i` names no field: write %{Referer}i");
    check_mistake("%{a b}i", 0, "`%{a b}i` does not name a field");
    check_mistake("%{}o", 0, "`%{}o` does not name a field");
    check_mistake("%h\n", 2, "a line has no control characters");
    check_mistake("%h \x1b[1m", 3, "a line has no control characters");
    check_mistake("combine", 0,
                  "no variable is in it; formats by name are common, combined, json, logfmt");
    check_mistake("", 0,
                  "no variable is in it; formats by name are common, combined, json, logfmt");
}

static void a_format_has_bounds(void **state) {
    static char format[40000];
    size_t len = 0;

    (void)state;
    for (int i = 0; i < 65; i++) len += (size_t)snprintf(format + len, 8, "%%h ");
    check_mistake(format, 194, "more than 128 variables and texts");
    memset(format, 'x', 20000);
    memcpy(format + 20000, "%h", 3);
    check_mistake(format, 0, "it is too long");
}

static void every_allocation_may_fail(void **state) {
    torc_access_log *other = NULL;

    observe(*state, "json");
    for (uint64_t n = 1; n <= 2; n++) {
        torc_test_fail_uncounted(n);
        check_err(torc_access_log_new(writer, TORC_STR("json"), NULL, &other), TORC_ERR_NO_MEMORY);
        torc_test_fail_uncounted(0);
    }
    torc_test_fail_uncounted(1);
    check_err(torc_access_format_check(TORC_STR("json"), NULL), TORC_ERR_NO_MEMORY);
    torc_test_fail_uncounted(0);
    assert_null(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_common_format_is_the_known_one),
        TEST(the_combined_format_adds_referer_and_agent),
        TEST(a_line_of_json_has_numbers_texts_and_null),
        TEST(a_line_of_logfmt_quotes_texts),
        TEST(a_format_may_be_ones_own),
        TEST(a_process_has_its_number),
        TEST(a_duration_is_from_the_head_to_the_end),
        TEST(what_never_left_is_not_counted),
        TEST(the_text_of_the_time_is_of_its_second),
        TEST(nobody_ends_a_line_or_a_quoted_text),
        TEST(nobody_controls_a_terminal_by_json),
        TEST(every_byte_is_safe_in_text),
        TEST(every_byte_is_safe_in_json),
        TEST(every_byte_is_safe_in_logfmt),
        TEST(a_value_that_is_too_long_is_cut),
        TEST(a_line_is_never_longer_than_its_bound),
        TEST(a_method_that_is_too_long_is_cut),
        TEST(a_mistake_in_a_format_is_named_with_its_place),
        TEST(a_format_has_bounds),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
