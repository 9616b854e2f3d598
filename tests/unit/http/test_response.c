/* SPDX-License-Identifier: MIT */
/* The response: head, body, framing, failures. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http_fixture.h"

/* A step is a function of the request alone, given as the context. */
typedef void plain_fn(torc_request *request);
static plain_fn *plain;

static torc_render run_plain(torc_request *request, void *context) {
    (void)context;
    plain(request);
    return TORC_RENDER_DONE;
}

static torc_test_request *ask(http_fixture *self, plain_fn *fn, const char *head) {
    plain = fn;
    return http_ask(self, run_plain, head);
}

static void is_500(torc_test_request *test) {
    assert_int_equal(torc_test_request_status(test), 500);
    check_str(torc_test_request_body(test), "error");
    check_str(torc_test_request_field(test, "Content-Type"), "text/x-error");
    assert_true(torc_test_request_is_complete(test));
    assert_null(torc_test_request_field(test, "X-A").bytes);
}

static torc_err finish_err;

static void write_in_steps(torc_request *request) {
    torc_response_set_status(request, 201, "Made it");
    torc_response_set(request, "X-A", TORC_STR("1"));
    torc_response_set(request, "x-a", TORC_STR("2"));
    torc_response_add(request, "X-B", TORC_STR("1"));
    torc_response_add(request, "X-B", TORC_STR("2"));
    torc_response_add(request, "X-C", TORC_STR("1"));
    torc_response_remove(request, "x-c");
    check_str(torc_response_field(request, "X-A"), "2");
    assert_int_equal(torc_response_status(request), 201);
    assert_false(torc_response_is_started(request));
    torc_request_write(request, TORC_STR("Hello"));
    assert_true(torc_response_is_started(request));
    torc_request_write(request, TORC_STR(""));
    torc_request_write(request, TORC_STR("World!"));
    finish_err = torc_request_finish(request);
}

static void a_response_is_written_in_steps(void **state) {
    torc_test_request *test = ask(*state, write_in_steps, "GET /");
    const torc_fields *fields = torc_test_request_fields(test);

    check_ok(finish_err);
    assert_int_equal(torc_test_request_status(test), 201);
    check_str(torc_test_request_reason(test), "Made it");
    check_str(torc_test_request_body(test), "HelloWorld!");
    assert_int_equal(torc_test_request_length(test), -1);
    assert_int_equal(torc_test_request_piece_count(test), 2);
    assert_int_equal(fields->count, 6);
    check_str(fields->items[0].name, "Server");
    check_str(fields->items[1].name, "Date");
    check_str(fields->items[2].value, "2");
    check_str(fields->items[3].value, "1");
    check_str(fields->items[4].value, "2");
    check_str(fields->items[5].name, "Content-Type");
    check_str(fields->items[5].value, "text/html");
    torc_test_request_free(test);
}

static void look_at_fields(torc_request *request) {
    torc_response_set(request, "X-A", TORC_STR("1"));
    torc_response_add(request, "X-B", TORC_STR("2"));
    torc_response_add(request, "x-a", TORC_STR("3"));
    torc_fields fields = torc_response_fields(request);
    assert_int_equal(fields.count, 3);
    check_str(fields.items[0].name, "X-A");
    check_str(fields.items[1].value, "2");
    check_str(fields.items[2].value, "3");
    torc_response_remove(request, "X-A");
    fields = torc_response_fields(request);
    assert_int_equal(fields.count, 1);
    check_str(fields.items[0].name, "X-B");
    torc_reply_text(request, 200, "");
}

static void what_was_set_can_be_looked_at(void **state) {
    torc_test_request *test = ask(*state, look_at_fields, "GET /");

    assert_int_equal(torc_test_request_status(test), 200);
    check_str(torc_test_request_field(test, "X-B"), "2");
    torc_test_request_free(test);
}

/* An empty write sends the head, and nothing else. */
static void write_nothing_first(torc_request *request) {
    torc_request_write(request, TORC_STR(""));
    assert_true(torc_response_is_started(request));
    finish_err = torc_request_finish(request);
}

static void an_empty_write_sends_the_head(void **state) {
    torc_test_request *test = ask(*state, write_nothing_first, "GET /");

    check_ok(finish_err);
    assert_int_equal(torc_test_request_status(test), 200);
    assert_int_equal(torc_test_request_body(test).len, 0);
    assert_int_equal(torc_test_request_piece_count(test), 0);
    assert_true(torc_test_request_is_complete(test));
    torc_test_request_free(test);
}

static void many_fields(torc_request *request) {
    char name[16];

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "X-%d", i);
        torc_response_add(request, name, torc_str_of(name));
    }
    torc_reply_text(request, 200, "");
}

static void fields_may_be_many(void **state) {
    torc_test_request *test = ask(*state, many_fields, "GET /");

    assert_int_equal(torc_test_request_fields(test)->count, 103);
    check_str(torc_test_request_field(test, "X-0"), "X-0");
    check_str(torc_test_request_field(test, "X-99"), "X-99");
    torc_test_request_free(test);
}

static void own_server_and_date(torc_request *request) {
    torc_response_set(request, "Server", TORC_STR("Mine"));
    torc_response_set(request, "Date", TORC_STR("never"));
    torc_response_set(request, "Content-Type", TORC_STR("a/b"));
    torc_request_write(request, TORC_STR("x"));
    finish_err = torc_request_finish(request);
}

static void what_the_application_sets_is_not_added(void **state) {
    torc_test_request *test = ask(*state, own_server_and_date, "GET /");

    assert_int_equal(torc_test_request_fields(test)->count, 3);
    check_str(torc_test_request_field(test, "Server"), "Mine");
    check_str(torc_test_request_field(test, "Date"), "never");
    check_str(torc_test_request_field(test, "Content-Type"), "a/b");
    torc_test_request_free(test);
}

static void finish_only(torc_request *request) {
    finish_err = torc_request_finish(request);
}

static void an_empty_response_has_no_type(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = ask(self, finish_only, "GET /");

    assert_null(torc_test_request_field(test, "Content-Type").bytes);
    assert_int_equal(torc_test_request_length(test), 0);
    torc_test_request_free(test);

    self->handler.server = torc_str_make(NULL, 0);
    test = ask(self, finish_only, "GET /");
    assert_null(torc_test_request_field(test, "Server").bytes);
    torc_test_request_free(test);
}

/* ---- what is invalid ---- */

static void set_bad_value(torc_request *request) {
    torc_response_set(request, "X-A", TORC_STR("a\nb: c"));
    torc_response_set(request, "X-B", TORC_STR("fine"));
    torc_request_write(request, TORC_STR("text"));
    finish_err = torc_request_finish(request);
}

static void set_bad_name(torc_request *request) {
    torc_response_add(request, "X A", TORC_STR("a"));
    finish_err = torc_request_finish(request);
}

static void set_bad_reason(torc_request *request) {
    torc_response_set_status(request, 200, "OK\r\nX: y");
    finish_err = torc_request_finish(request);
}

static void set_bad_status(torc_request *request) {
    torc_response_set_status(request, 199, NULL);
    finish_err = torc_request_finish(request);
}

static void set_length_by_field(torc_request *request) {
    torc_response_set(request, "content-length", TORC_STR("5"));
    torc_request_write(request, TORC_STR("hel"));
    torc_request_write(request, TORC_STR("lo"));
    finish_err = torc_request_finish(request);
}

static void a_length_may_be_set_as_a_field(void **state) {
    torc_test_request *test = ask(*state, set_length_by_field, "GET /");

    check_ok(finish_err);
    assert_int_equal(torc_test_request_length(test), 5);
    check_str(torc_test_request_body(test), "hello");
    torc_test_request_free(test);
}

static void set_too_large_length(torc_request *request) {
    torc_response_set_length(request, UINT64_MAX);
    finish_err = torc_request_finish(request);
}

static void set_bad_length(torc_request *request) {
    torc_response_set(request, "Content-Length", TORC_STR("+1"));
    finish_err = torc_request_finish(request);
}

static void set_transfer_encoding(torc_request *request) {
    torc_response_set(request, "Transfer-Encoding", TORC_STR("chunked"));
    finish_err = torc_request_finish(request);
}

static void set_bad_type(torc_request *request) {
    torc_reply_bytes(request, 200, "a/b\r\nX-A: y", TORC_STR("x"));
    finish_err = TORC_ERR_INVALID;
}

static void set_bad_trailer(torc_request *request) {
    torc_response_set_trailer(request, "Content-Length", TORC_STR("1"));
    finish_err = torc_request_finish(request);
}

static void what_is_invalid_becomes_a_500(void **state) {
    static plain_fn *const cases[] = {
        set_too_large_length, set_bad_value,         set_bad_name, set_bad_reason,  set_bad_status,
        set_bad_length,       set_transfer_encoding, set_bad_type, set_bad_trailer,
    };

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test = ask(*state, cases[i], "GET /");
        assert_int_equal(finish_err, TORC_ERR_INVALID);
        is_500(test);
        torc_test_request_free(test);
    }
}

static void set_after_start(torc_request *request) {
    torc_request_write(request, TORC_STR("text"));
    torc_response_set(request, "X-A", TORC_STR("a"));
    torc_request_write(request, TORC_STR("more"));
    assert_true(torc_request_is_gone(request));
    finish_err = torc_request_finish(request);
    assert_int_equal(torc_request_finish(request), TORC_ERR_GONE);
}

static void a_failure_after_the_head_resets(void **state) {
    torc_test_request *test = ask(*state, set_after_start, "GET /");

    assert_int_equal(finish_err, TORC_ERR_STATE);
    assert_true(torc_test_request_was_reset(test));
    check_str(torc_test_request_body(test), "text");
    torc_test_request_free(test);
}

static void reply_after_start(torc_request *request) {
    torc_request_write(request, TORC_STR("text"));
    torc_reply_text(request, 200, "another");
}

static void error_after_start(torc_request *request) {
    torc_request_write(request, TORC_STR("text"));
    torc_reply_error(request, TORC_ERR_SYSTEM);
}

static void nothing_is_appended_to_a_body(void **state) {
    static plain_fn *const cases[] = {reply_after_start, error_after_start};

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test = ask(*state, cases[i], "GET /");
        assert_true(torc_test_request_was_reset(test));
        check_str(torc_test_request_body(test), "text");
        torc_test_request_free(test);
    }
}

static void values_from_outside_can_be_asked_for(void **state) {
    (void)state;
    assert_true(torc_response_accepts(TORC_STR("X-A"), TORC_STR("a b")));
    assert_false(torc_response_accepts(TORC_STR("X-A"), TORC_STR("a\rb")));
    assert_false(torc_response_accepts(TORC_STR("X A"), TORC_STR("a")));
    assert_false(torc_response_accepts(TORC_STR(""), TORC_STR("a")));
}

/* ---- lengths ---- */

static uint64_t announce;
static const char *content;

static void write_announced(torc_request *request) {
    torc_response_set_length(request, announce);
    for (const char *c = content; *c; c++) torc_request_write(request, torc_str_make(c, 1));
    finish_err = torc_request_finish(request);
}

static void an_announced_length_holds(void **state) {
    announce = 3;
    content = "abc";
    torc_test_request *test = ask(*state, write_announced, "GET /");
    check_ok(finish_err);
    assert_int_equal(torc_test_request_length(test), 3);
    check_str(torc_test_request_body(test), "abc");
    torc_test_request_free(test);
}

static void too_few_bytes_reset(void **state) {
    announce = 4;
    content = "abc";
    torc_test_request *test = ask(*state, write_announced, "GET /");
    assert_int_equal(finish_err, TORC_ERR_STATE);
    assert_true(torc_test_request_was_reset(test));
    torc_test_request_free(test);
}

static void too_many_bytes_reset(void **state) {
    announce = 2;
    content = "abc";
    torc_test_request *test = ask(*state, write_announced, "GET /");
    assert_int_equal(finish_err, TORC_ERR_STATE);
    assert_true(torc_test_request_was_reset(test));
    check_str(torc_test_request_body(test), "ab");
    torc_test_request_free(test);
}

static void a_wrong_length_known_before_the_head_is_a_500(void **state) {
    announce = 0;
    content = "abc";
    torc_test_request *test = ask(*state, write_announced, "GET /");
    assert_int_equal(finish_err, TORC_ERR_STATE);
    is_500(test);
    torc_test_request_free(test);

    announce = 5;
    content = "";
    test = ask(*state, write_announced, "GET /");
    assert_int_equal(finish_err, TORC_ERR_STATE);
    is_500(test);
    torc_test_request_free(test);
}

static void reply_hello(torc_request *request) {
    torc_reply_text(request, 200, "hello");
}

static void the_answer_to_head_counts_its_body(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = ask(self, reply_hello, "HEAD /");

    assert_int_equal(torc_test_request_length(test), 5);
    assert_int_equal(torc_test_request_body(test).len, 0);
    assert_int_equal(torc_test_request_piece_count(test), 0);
    check_str(torc_test_request_field(test, "Content-Type"), "text/plain; charset=utf-8");
    assert_true(torc_test_request_is_complete(test));
    torc_test_request_free(test);

    test = ask(self, write_in_steps, "HEAD /");
    check_ok(finish_err);
    assert_int_equal(torc_test_request_length(test), -1);
    assert_int_equal(torc_test_request_body(test).len, 0);
    torc_test_request_free(test);
}

static int bodyless;

static void reply_bodyless(torc_request *request) {
    torc_reply_bytes(request, bodyless, "a/b", TORC_STR("ignored"));
}

static void some_statuses_have_no_body(void **state) {
    static const int statuses[] = {204, 205, 304}; /* RFC 9110 15.3.5, 15.3.6, 15.4.5 */

    for (size_t i = 0; i < TORC_COUNT_OF(statuses); i++) {
        bodyless = statuses[i];
        torc_test_request *test = ask(*state, reply_bodyless, "GET /");
        assert_int_equal(torc_test_request_status(test), bodyless);
        assert_int_equal(torc_test_request_body(test).len, 0);
        assert_true(torc_test_request_is_complete(test));
        torc_test_request_free(test);
    }
}

/* ---- files, static bytes, trailers, interim ---- */

static int temporary_file(const char *text) {
    char name[] = "/tmp/torc-test-XXXXXX";
    const int fd = mkstemp(name);

    assert_true(fd >= 0);
    unlink(name);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static int file;

static void write_a_file(torc_request *request) {
    torc_request_write(request, TORC_STR("<"));
    torc_request_write_file(request, file, 2, 3);
    torc_request_write(request, TORC_STR(">"));
    finish_err = torc_request_finish(request);
}

static void a_range_of_a_file_is_sent_and_closed(void **state) {
    file = temporary_file("0123456789");
    torc_test_request *test = ask(*state, write_a_file, "GET /");
    check_ok(finish_err);
    check_str(torc_test_request_body(test), "<234>");
    torc_test_request_free(test);
    assert_int_equal(fcntl(file, F_GETFD), -1);
}

static void a_file_is_closed_whatever_happens(void **state) {
    file = temporary_file("0123456789");
    torc_test_request *test = ask(*state, write_a_file, "HEAD /");
    assert_int_equal(fcntl(file, F_GETFD), -1);
    torc_test_request_free(test);
}

static char large[100000];

static void reply_large(torc_request *request) {
    torc_reply_static(request, 200, "a/b", torc_str_make(large, sizeof(large)));
}

static void static_bytes_are_not_copied(void **state) {
    memset(large, 'x', sizeof(large));
    torc_test_request *test = ask(*state, reply_large, "GET /");
    assert_int_equal(torc_test_request_body(test).len, sizeof(large));
    assert_int_equal(torc_test_request_length(test), sizeof(large));
    torc_test_request_free(test);
}

static void send_trailers(torc_request *request) {
    torc_response_set_trailer(request, "X-Sum", TORC_STR("1"));
    torc_request_write(request, TORC_STR("x"));
    torc_response_set_trailer(request, "X-Late", TORC_STR("2"));
    finish_err = torc_request_finish(request);
}

static void trailers_follow_the_body(void **state) {
    torc_test_request *test = ask(*state, send_trailers, "GET /");
    check_ok(finish_err);
    assert_int_equal(torc_test_request_trailers(test)->count, 2);
    torc_test_request_free(test);
}

static torc_err interim_errs[4];

static void send_interim(torc_request *request) {
    interim_errs[0] = torc_response_send_interim(request, 103);
    torc_response_set(request, "Link", TORC_STR("</a>"));
    interim_errs[1] = torc_response_send_interim(request, 103);
    interim_errs[2] = torc_response_send_interim(request, 200);
    torc_request_write(request, TORC_STR("x"));
    interim_errs[3] = torc_response_send_interim(request, 103);
    finish_err = torc_request_finish(request);
}

static void interim_responses_go_first(void **state) {
    torc_test_request *test = ask(*state, send_interim, "GET /");
    check_ok(interim_errs[0]);
    check_ok(interim_errs[1]);
    check_err(interim_errs[2], TORC_ERR_INVALID);
    check_err(interim_errs[3], TORC_ERR_STATE);
    check_ok(finish_err);
    assert_int_equal(torc_test_request_interim_count(test), 2);
    assert_int_equal(torc_test_request_interim_status(test), 103);
    check_str(torc_test_request_field(test, "Link"), "</a>");
    torc_test_request_free(test);

    test = ask(*state, send_interim, "GET / HTTP/1.0");
    assert_int_equal(torc_test_request_interim_count(test), 0);
    torc_test_request_free(test);
}

/* ---- too much ---- */

static void write_a_lot(torc_request *request) {
    const torc_limits limits = torc_limits_default();
    size_t written = 0;

    while (written < limits.output_bytes_max) {
        torc_request_write(request, torc_str_make(large, sizeof(large)));
        written += sizeof(large);
    }
    assert_false(torc_request_is_gone(request));
    assert_int_equal(torc_request_room(request), 0);
    torc_request_write(request, TORC_STR("x"));
    assert_true(torc_request_is_gone(request));
    finish_err = torc_request_finish(request);
}

static void writing_on_above_the_hard_mark_aborts(void **state) {
    torc_test_request *test = ask(*state, write_a_lot, "GET /");
    assert_int_equal(finish_err, TORC_ERR_LIMIT);
    assert_true(torc_test_request_was_reset(test));
    torc_test_request_free(test);
}

static void flush_first(torc_request *request) {
    torc_request_flush(request);
    assert_true(torc_response_is_started(request));
    torc_reply_end(request);
}

static void a_flush_sends_the_head(void **state) {
    torc_test_request *test = ask(*state, flush_first, "GET /");
    assert_int_equal(torc_test_request_length(test), -1);
    assert_true(torc_test_request_is_complete(test));
    torc_test_request_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_response_is_written_in_steps),
        HTTP_TEST(what_was_set_can_be_looked_at),
        HTTP_TEST(an_empty_write_sends_the_head),
        HTTP_TEST(fields_may_be_many),
        HTTP_TEST(what_the_application_sets_is_not_added),
        HTTP_TEST(an_empty_response_has_no_type),
        HTTP_TEST(what_is_invalid_becomes_a_500),
        HTTP_TEST(a_failure_after_the_head_resets),
        HTTP_TEST(nothing_is_appended_to_a_body),
        HTTP_TEST(values_from_outside_can_be_asked_for),
        HTTP_TEST(a_length_may_be_set_as_a_field),
        HTTP_TEST(an_announced_length_holds),
        HTTP_TEST(too_few_bytes_reset),
        HTTP_TEST(too_many_bytes_reset),
        HTTP_TEST(a_wrong_length_known_before_the_head_is_a_500),
        HTTP_TEST(the_answer_to_head_counts_its_body),
        HTTP_TEST(some_statuses_have_no_body),
        HTTP_TEST(a_range_of_a_file_is_sent_and_closed),
        HTTP_TEST(a_file_is_closed_whatever_happens),
        HTTP_TEST(static_bytes_are_not_copied),
        HTTP_TEST(trailers_follow_the_body),
        HTTP_TEST(interim_responses_go_first),
        HTTP_TEST(writing_on_above_the_hard_mark_aborts),
        HTTP_TEST(a_flush_sends_the_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
