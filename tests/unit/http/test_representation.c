/* SPDX-License-Identifier: MIT */
/* Representations: conditions and ranges of any resource's content. */
#include <torc/representation.h>

#include <stdio.h>

#include "http_fixture.h"

#define TEXT "0123456789abcdef"

static const torc_validators known = {.etag = TORC_STR_INIT("\"v1\""), .last_modified = 784111777};
static const torc_validators unknown = {.last_modified = TORC_NO_DATE};
static const torc_validators *validators;
static const char *type, *text;

static torc_render reply_version(torc_request *request, void *context) {
    (void)context;
    return torc_reply_version(request, validators, type, torc_str_of(text));
}

static torc_test_request *ask(http_fixture *self, const char *head) {
    return http_ask(self, reply_version, head);
}

static int set_up(void **state) {
    validators = &known;
    type = "text/plain";
    text = TEXT;
    return http_set_up(state);
}

static void check_reply(torc_test_request *test, int status, const char *body) {
    assert_int_equal(torc_test_request_status(test), status);
    assert_true(torc_test_request_is_complete(test));
    assert_true(torc_str_equals(torc_test_request_body(test), torc_str_of(body)));
}

static void the_whole_has_validators_and_takes_ranges(void **state) {
    torc_test_request *test = ask(*state, "GET /");

    check_reply(test, 200, TEXT);
    check_str(torc_test_request_field(test, "ETag"), "\"v1\"");
    check_str(torc_test_request_field(test, "Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
    check_str(torc_test_request_field(test, "Accept-Ranges"), "bytes");
    check_str(torc_test_request_field(test, "Content-Type"), "text/plain");
    assert_int_equal(torc_test_request_length(test), 16);
    torc_test_request_free(test);
}

/* ---- in a coding ---- */

static torc_err write_x(const torc_representation *self, torc_request *request, uint64_t first,
                        uint64_t len) {
    (void)self;
    (void)first;
    while (len-- > 0) torc_request_write(request, TORC_STR("x"));
    return TORC_OK;
}

static torc_render reply_coded(torc_request *request, void *context) {
    const torc_representation coded = {.validators = known,
                                       .content_type = TORC_STR("text/css"),
                                       .content_encoding = TORC_STR("gzip"),
                                       .size = 10,
                                       .write = write_x};

    (void)context;
    torc_response_set(request, "Cache-Control", TORC_STR("max-age=60"));
    torc_response_set(request, "Expires", TORC_STR("Sun, 06 Nov 1994 08:49:37 GMT"));
    return torc_reply_representation(request, &coded);
}

/* The coding is said of content, and how long it may be kept of what is no refusal. */
static void what_is_said_of_the_content_is_said_with_it(void **state) {
    static const struct {
        const char *head;
        int status;
        bool is_coded, is_kept;
    } cases[] = {
        {"GET /", 200, true, true},
        {"HEAD /", 200, true, true},
        {"GET /\nRange: bytes=0-1", 206, true, true},
        {"GET /\nRange: bytes=0-1,4-5", 206, true, true},
        {"GET /\nIf-None-Match: *", 304, false, true},
        {"GET /\nIf-Match: \"v0\"", 412, false, false},
        {"GET /\nRange: bytes=10-", 416, false, false},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test = http_ask(*state, reply_coded, cases[i].head);
        assert_int_equal(torc_test_request_status(test), cases[i].status);
        assert_int_equal(torc_test_request_field(test, "Content-Encoding").len,
                         cases[i].is_coded ? 4 : 0);
        assert_int_equal(torc_test_request_field(test, "Cache-Control").len,
                         cases[i].is_kept ? 10 : 0);
        assert_int_equal(torc_test_request_field(test, "Expires").len, cases[i].is_kept ? 29 : 0);
        torc_test_request_free(test);
    }
}

static void what_is_not_known_is_not_told(void **state) {
    validators = &unknown;
    torc_test_request *test = ask(*state, "GET /\nIf-None-Match: \"v1\"");

    check_reply(test, 200, TEXT);
    assert_null(torc_test_request_field(test, "ETag").bytes);
    assert_null(torc_test_request_field(test, "Last-Modified").bytes);
    torc_test_request_free(test);
}

static void conditions_are_heeded_before_ranges(void **state) {
    static const struct {
        const char *head;
        int status;
        const char *body;
    } cases[] = {
        {"GET /\nIf-None-Match: \"v1\"", 304, ""},
        {"GET /\nIf-None-Match: \"v1\"\nRange: bytes=0-1", 304, ""},
        {"GET /\nIf-None-Match: \"v0\"\nRange: bytes=0-1", 206, "01"},
        {"GET /\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 304, ""},
        {"PUT /\nIf-None-Match: \"v1\"", 412, "error"},
        {"GET /\nIf-Match: \"v0\"\nRange: bytes=0-1", 412, "error"},
        {"GET /\nIf-Match: \"v1\"", 200, TEXT},
        {"GET /\nIf-Range: \"v1\"\nRange: bytes=4-5", 206, "45"},
        {"GET /\nIf-Range: \"v0\"\nRange: bytes=4-5", 200, TEXT},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test = ask(*state, cases[i].head);
        check_reply(test, cases[i].status, cases[i].body);
        if (cases[i].status < 400) check_str(torc_test_request_field(test, "ETag"), "\"v1\"");
        torc_test_request_free(test);
    }
}

static torc_render reply_by_condition(torc_request *request, void *context) {
    const torc_condition condition = torc_request_check(request, validators);

    (void)context;
    if (condition != TORC_CONDITION_PROCEED) return torc_reply_condition(request, condition);
    return torc_reply_bytes(request, 200, type, torc_str_of(text));
}

/* For who answers otherwise: its conditions alone, and no ranges. */
static void conditions_are_answered_alone(void **state) {
    static const struct {
        const char *head;
        int status;
        const char *body;
    } cases[] = {
        {"GET /", 200, TEXT},
        {"GET /\nRange: bytes=0-1", 200, TEXT},
        {"GET /\nIf-None-Match: \"v1\"", 304, ""},
        {"HEAD /\nIf-None-Match: \"v0\", W/\"v1\"", 304, ""},
        {"GET /\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 304, ""},
        {"GET /\nIf-None-Match: \"v0\"\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 200,
         TEXT},
        {"PUT /\nIf-None-Match: \"v1\"", 412, "error"},
        {"PUT /\nIf-Match: \"v0\"", 412, "error"},
        {"PUT /\nIf-Match: \"v1\"", 200, TEXT},
        {"PUT /\nIf-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 412, "error"},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test = http_ask(*state, reply_by_condition, cases[i].head);
        check_reply(test, cases[i].status, cases[i].body);
        if (cases[i].status < 400) check_str(torc_test_request_field(test, "ETag"), "\"v1\"");
        torc_test_request_free(test);
    }
}

static void a_range_is_a_part(void **state) {
    torc_test_request *test = ask(*state, "GET /\nRange: bytes=-3");

    check_reply(test, 206, "def");
    check_str(torc_test_request_field(test, "Content-Range"), "bytes 13-15/16");
    check_str(torc_test_request_field(test, "Content-Type"), "text/plain");
    torc_test_request_free(test);
}

static void several_ranges_are_a_multipart_body_of_the_announced_length(void **state) {
    torc_test_request *test = ask(*state, "GET /\nRange: bytes=0-1,14-");
    const torc_str its_type = torc_test_request_field(test, "Content-Type");
    const torc_str start = TORC_STR("multipart/byteranges; boundary=");
    char expected[512];

    assert_true(torc_str_starts_with(its_type, start));
    const torc_str boundary = torc_str_from(its_type, start.len);
    snprintf(expected, sizeof(expected),
             "\r\n--%.*s\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/16\r\n\r\n01"
             "\r\n--%.*s\r\nContent-Type: text/plain\r\nContent-Range: bytes 14-15/16\r\n\r\nef"
             "\r\n--%.*s--\r\n",
             TORC_STR_ARGS(boundary), TORC_STR_ARGS(boundary), TORC_STR_ARGS(boundary));
    check_reply(test, 206, expected);
    assert_int_equal(torc_test_request_length(test), strlen(expected));
    torc_test_request_free(test);
}

static void ranges_are_of_get_only(void **state) {
    torc_test_request *test = ask(*state, "HEAD /\nRange: bytes=0-1");

    check_reply(test, 200, "");
    assert_int_equal(torc_test_request_length(test), 16);
    torc_test_request_free(test);
}

static void nothing_in_a_range_is_told_with_the_size(void **state) {
    torc_test_request *test = ask(*state, "GET /\nRange: bytes=16-");

    check_reply(test, 416, "error");
    check_str(torc_test_request_field(test, "Content-Range"), "bytes */16");
    torc_test_request_free(test);
}

static void an_empty_version_is_sent(void **state) {
    text = "";
    torc_test_request *test = ask(*state, "GET /");

    check_reply(test, 200, "");
    assert_int_equal(torc_test_request_length(test), 0);
    torc_test_request_free(test);
}

/* ---- writing that fails ---- */

static int writes, writes_fine;

static torc_err write_or_fail(const torc_representation *self, torc_request *request,
                              uint64_t first, uint64_t len) {
    (void)self;
    if (++writes > writes_fine) return TORC_ERR_NOT_FOUND;
    torc_request_write(request, torc_str_make(&TEXT[first], (size_t)len));
    return TORC_OK;
}

static torc_render reply_failing(torc_request *request, void *context) {
    const torc_representation representation = {
        .validators = known, .size = 16, .write = write_or_fail};
    (void)context;
    return torc_reply_representation(request, &representation);
}

static void a_first_write_that_fails_is_an_error_page(void **state) {
    writes = writes_fine = 0;
    torc_test_request *test = http_ask(*state, reply_failing, "GET /");

    check_reply(test, 404, "error");
    assert_null(torc_test_request_field(test, "ETag").bytes);
    assert_int_equal(writes, 1);
    torc_test_request_free(test);
}

static void a_later_write_that_fails_aborts(void **state) {
    writes = 0;
    writes_fine = 1;
    torc_test_request *test = http_ask(*state, reply_failing, "GET /\nRange: bytes=0-0,4-4,8-8");

    assert_true(torc_test_request_was_reset(test));
    assert_false(torc_test_request_is_complete(test));
    assert_int_equal(writes, 2);
    torc_test_request_free(test);
}

static void head_reads_nothing(void **state) {
    writes = writes_fine = 0;
    torc_test_request *test = http_ask(*state, reply_failing, "HEAD /");

    check_reply(test, 200, "");
    assert_int_equal(writes, 0);
    torc_test_request_free(test);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, http_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_whole_has_validators_and_takes_ranges),
        TEST(what_is_said_of_the_content_is_said_with_it),
        TEST(what_is_not_known_is_not_told),
        TEST(conditions_are_heeded_before_ranges),
        TEST(conditions_are_answered_alone),
        TEST(a_range_is_a_part),
        TEST(several_ranges_are_a_multipart_body_of_the_announced_length),
        TEST(ranges_are_of_get_only),
        TEST(nothing_in_a_range_is_told_with_the_size),
        TEST(an_empty_version_is_sent),
        TEST(a_first_write_that_fails_is_an_error_page),
        TEST(a_later_write_that_fails_aborts),
        TEST(head_reads_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
