/* SPDX-License-Identifier: MIT */
/* Replies in one call. */
#include "http_fixture.h"

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

static void reply_bytes(torc_request *request) {
    char bytes[] = "abc";

    torc_response_set(request, "Content-Type", TORC_STR("x/y"));
    torc_reply_bytes(request, 202, "a/b", torc_str_make(bytes, 3));
    memset(bytes, 'z', sizeof(bytes));
}

static void bytes_are_copied(void **state) {
    torc_test_request *test = ask(*state, reply_bytes, "GET /");

    assert_int_equal(torc_test_request_status(test), 202);
    check_str(torc_test_request_body(test), "abc");
    check_str(torc_test_request_field(test, "Content-Type"), "a/b");
    assert_int_equal(torc_test_request_fields(test)->count, 3);
    torc_test_request_free(test);
}

static void reply_untyped(torc_request *request) {
    torc_reply_bytes(request, 200, NULL, TORC_STR("x"));
}

static void no_type_is_the_default_type(void **state) {
    torc_test_request *test = ask(*state, reply_untyped, "GET /");
    check_str(torc_test_request_field(test, "Content-Type"), "text/html");
    torc_test_request_free(test);
}

/* ---- JSON ---- */

static int json_items;
static const char *json_text;

static void reply_json(torc_request *request) {
    torc_json *json = torc_reply_json(request, 201);

    torc_json_open_array(json);
    for (int i = 0; i < json_items; i++) torc_json_text(json, json_text);
    torc_json_close_array(json);
    torc_reply_end(request);
}

static void a_document_is_the_response(void **state) {
    json_items = 2;
    json_text = "a\"b";
    torc_test_request *test = ask(*state, reply_json, "GET /");
    assert_int_equal(torc_test_request_status(test), 201);
    check_str(torc_test_request_field(test, "Content-Type"), "application/json");
    check_str(torc_test_request_body(test), "[\"a\\\"b\",\"a\\\"b\"]");
    assert_int_equal(torc_test_request_length(test), 15);
    torc_test_request_free(test);
}

static void a_large_document_has_its_length(void **state) {
    json_items = 10000;
    json_text = "0123456789";
    torc_test_request *test = ask(*state, reply_json, "GET /");
    assert_int_equal(torc_test_request_length(test), 10000 * 13 + 1);
    assert_int_equal(torc_test_request_body(test).len, 10000 * 13 + 1);
    torc_test_request_free(test);
}

static void a_broken_document_is_a_500_and_nothing_of_it(void **state) {
    json_items = 1000;
    json_text = "0123456789\xff";
    torc_test_request *test = ask(*state, reply_json, "GET /");
    assert_int_equal(torc_test_request_status(test), 500);
    check_str(torc_test_request_body(test), "error");
    torc_test_request_free(test);
}

static void a_document_has_a_bound(void **state) {
    http_fixture *self = *state;
    torc_limits limits = {.size = sizeof(limits), .output_bytes_max = 10000};

    self->handler.limits = &limits;
    json_text = "0123456789";
    json_items = 769; /* 769 * 13 + 1 = 9998 */
    torc_test_request *test = ask(self, reply_json, "GET /");
    assert_int_equal(torc_test_request_status(test), 201);
    torc_test_request_free(test);
    json_items = 770;
    test = ask(self, reply_json, "GET /");
    assert_int_equal(torc_test_request_status(test), 503);
    torc_test_request_free(test);
}

static void lower_the_bound_while_writing(torc_request *request) {
    torc_json *json = torc_reply_json(request, 200);

    torc_json_open_array(json);
    for (int i = 0; i < 20000; i++) {
        if (i == 10000) torc_request_limits(request)->output_bytes_max = 10000;
        torc_json_text(json, "0123456789");
    }
    torc_json_close_array(json);
    torc_reply_end(request);
}

static void a_bound_may_fall_below_what_is_written(void **state) {
    torc_test_request *test = ask(*state, lower_the_bound_while_writing, "GET /");
    assert_int_equal(torc_test_request_status(test), 503);
    torc_test_request_free(test);
}

static void leave_json_open(torc_request *request) {
    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_member_int(json, "a", 1);
}

static void a_document_that_is_not_ended_is_a_500(void **state) {
    torc_test_request *test = ask(*state, leave_json_open, "GET /");
    assert_int_equal(torc_test_request_status(test), 500);
    torc_test_request_free(test);
}

static void begin_json_twice(torc_request *request) {
    torc_json_open_array(torc_reply_json(request, 200));
    torc_json_int(torc_reply_json(request, 200), 1);
    torc_reply_end(request);
}

static void beginning_again_forgets_the_first(void **state) {
    torc_test_request *test = ask(*state, begin_json_twice, "GET /");
    check_str(torc_test_request_body(test), "1");
    assert_int_equal(torc_test_request_fields(test)->count, 3);
    torc_test_request_free(test);
}

static void change_mind(torc_request *request) {
    torc_json_open_array(torc_reply_json(request, 200));
    torc_reply_error(request, TORC_ERR_NOT_FOUND);
}

static void an_error_may_take_the_place_of_a_document(void **state) {
    torc_test_request *test = ask(*state, change_mind, "GET /");
    assert_int_equal(torc_test_request_status(test), 404);
    check_str(torc_test_request_field(test, "Content-Type"), "text/x-error");
    torc_test_request_free(test);
}

/* ---- redirects ---- */

static int redirect_status;
static const char *redirect_to;

static void reply_redirect(torc_request *request) {
    torc_reply_redirect(request, redirect_status, redirect_to);
}

static void a_redirect_has_a_short_page(void **state) {
    static const int statuses[] = {301, 302, 303, 307, 308};

    redirect_to = "/a?b=1&c=\"x\"<";
    for (size_t i = 0; i < TORC_COUNT_OF(statuses); i++) {
        redirect_status = statuses[i];
        torc_test_request *test = ask(*state, reply_redirect, "GET /");
        assert_int_equal(torc_test_request_status(test), statuses[i]);
        check_str(torc_test_request_field(test, "Location"), "/a?b=1&c=\"x\"<");
        check_str(torc_test_request_field(test, "Content-Type"), "text/html; charset=utf-8");
        assert_true(torc_str_find(torc_test_request_body(test),
                                  TORC_STR("<a href=\"/a?b=1&amp;c=&quot;x&quot;&lt;\">")) > 0);
        torc_test_request_free(test);
    }
}

static void a_bad_redirect_is_a_500(void **state) {
    static const struct {
        int status;
        const char *to;
    } cases[] = {{302, "/a\r\nX: y"}, {302, "/a b"}, {302, ""}, {302, NULL},
                 {302, "/\xc3\xa9"},  {300, "/"},    {304, "/"}};

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        redirect_status = cases[i].status;
        redirect_to = cases[i].to;
        torc_test_request *test = ask(*state, reply_redirect, "GET /");
        assert_int_equal(torc_test_request_status(test), 500);
        assert_null(torc_test_request_field(test, "Location").bytes);
        torc_test_request_free(test);
    }
}

static const char *location;
static bool is_local;

static void redirect_local(torc_request *request) {
    is_local = torc_request_is_local(request, torc_str_of(location));
    torc_reply_redirect_local(request, 303, torc_str_of(location), "/home");
}

static void redirect_local_or_refuse(torc_request *request) {
    torc_reply_redirect_local(request, 303, torc_str_of(location), NULL);
}

static void a_redirect_that_a_peer_has_given_stays_here(void **state) {
    static const char *const local[] = {"/", "/a?b=//c", "/a/b#c", "http://h.example:81/x",
                                        "http://H.EXAMPLE:81"};
    static const char *const foreign[] = {"",
                                          "//evil",
                                          "/\\evil",
                                          "\\\\evil",
                                          "/a\\b",
                                          "http://evil/",
                                          "https://h.example:81/",
                                          "http://h.example:81.evil/",
                                          "http://h.example:81@evil/",
                                          "http://h.example:81//evil",
                                          "http:evil",
                                          "x",
                                          "javascript:alert(1)",
                                          "/\t/evil",
                                          " /x",
                                          "/a\r\nX: y"};

    for (size_t i = 0; i < TORC_COUNT_OF(local); i++) {
        location = local[i];
        torc_test_request *test = ask(*state, redirect_local, "GET /\nHost: h.example:81");
        check_str_at(torc_test_request_field(test, "Location"), torc_str_of(local[i]), local[i], 0);
        assert_true(is_local);
        torc_test_request_free(test);
    }
    for (size_t i = 0; i < TORC_COUNT_OF(foreign); i++) {
        location = foreign[i];
        torc_test_request *test = ask(*state, redirect_local, "GET /\nHost: h.example:81");
        check_str_at(torc_test_request_field(test, "Location"), TORC_STR("/home"), foreign[i], 0);
        assert_false(is_local);
        torc_test_request_free(test);
        test = ask(*state, redirect_local_or_refuse, "GET /\nHost: h.example:81");
        assert_int_equal(torc_test_request_status(test), 400);
        assert_null(torc_test_request_field(test, "Location").bytes);
        torc_test_request_free(test);
    }
}

static void redirect_with_query(torc_request *request) {
    torc_reply_redirect_with_query(request, 307, location);
}

static void a_redirect_may_keep_the_query(void **state) {
    static const struct {
        const char *to, *head, *location;
    } cases[] = {
        {"/x", "GET /?a=1&b", "/x?a=1&b"},
        {"/x?c", "GET /?a=1", "/x?c&a=1"},
        {"/x#f", "GET /?a=1", "/x?a=1#f"},
        {"/x#f?", "GET /?a", "/x?a#f?"},
        {"http://h/x?c#f", "GET /", "http://h/x?c#f"},
        {"/x", "GET /?", "/x?"},
        {"/x?c", "GET /?", "/x?c"},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        location = cases[i].to;
        torc_test_request *test = ask(*state, redirect_with_query, cases[i].head);
        assert_int_equal(torc_test_request_status(test), 307);
        check_str_at(torc_test_request_field(test, "Location"), torc_str_of(cases[i].location),
                     __FILE__, __LINE__);
        torc_test_request_free(test);
    }
}

static void refresh(torc_request *request) {
    torc_response_set_refresh(request, 5, location);
    torc_reply_text(request, 200, "wait");
}

static void a_page_may_be_loaded_again(void **state) {
    static const struct {
        const char *to, *refresh;
    } cases[] = {{NULL, "5"}, {"/x?y", "5; url=/x?y"}};

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        location = cases[i].to;
        torc_test_request *test = ask(*state, refresh, "GET /");
        check_str_at(torc_test_request_field(test, "Refresh"), torc_str_of(cases[i].refresh),
                     __FILE__, __LINE__);
        torc_test_request_free(test);
    }
    location = "/a b";
    torc_test_request *test = ask(*state, refresh, "GET /");
    assert_int_equal(torc_test_request_status(test), 500);
    torc_test_request_free(test);
}

/* ---- errors ---- */

static torc_err error_to_reply;

static void reply_error(torc_request *request) {
    torc_reply_error(request, error_to_reply);
}

static void errors_have_their_statuses(void **state) {
    static const struct {
        torc_err err;
        int status;
    } cases[] = {
        {TORC_ERR_TOO_LARGE, 413}, {TORC_ERR_NOT_FOUND, 404}, {TORC_ERR_PERMISSION, 403},
        {TORC_ERR_NO_MEMORY, 503}, {TORC_ERR_LIMIT, 503},     {TORC_ERR_STOPPING, 503},
        {TORC_ERR_TIMEOUT, 504},   {TORC_ERR_SYNTAX, 400},    {TORC_ERR_UTF8, 400},
        {TORC_ERR_PEER, 400},      {TORC_ERR_STALLED, 408},   {TORC_ERR_SYSTEM, 500},
        {TORC_ERR_INVALID, 500},
    };
    http_fixture *self = *state;

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        error_to_reply = cases[i].err;
        torc_test_request *test = ask(self, reply_error, "GET /");
        assert_int_equal(torc_test_request_status(test), cases[i].status);
        assert_int_equal(torc_err_status(cases[i].err), cases[i].status);
        check_str(torc_test_request_body(test), "error");
        torc_test_request_free(test);
    }
    self->handler.show_errors = true;
    error_to_reply = TORC_ERR_TIMEOUT;
    torc_test_request *test = ask(self, reply_error, "GET /");
    check_str(torc_test_request_body(test), "errorit took too long");
    torc_test_request_free(test);
}

static void reply_status_with_fields(torc_request *request) {
    torc_response_set(request, "Allow", TORC_STR("GET"));
    torc_response_set(request, "ETag", TORC_STR("\"x\""));
    torc_response_set(request, "Content-Encoding", TORC_STR("gzip"));
    torc_response_set_length(request, 12345);
    torc_reply_status(request, 405, "detail");
}

static void an_error_page_keeps_what_is_not_of_the_body(void **state) {
    torc_test_request *test = ask(*state, reply_status_with_fields, "GET /");
    assert_int_equal(torc_test_request_status(test), 405);
    check_str(torc_test_request_field(test, "Allow"), "GET");
    assert_null(torc_test_request_field(test, "ETag").bytes);
    assert_null(torc_test_request_field(test, "Content-Encoding").bytes);
    check_str(torc_test_request_body(test), "errordetail");
    torc_test_request_free(test);
}

static void reply_strange_status(torc_request *request) {
    torc_reply_status(request, 200, NULL);
}

static void a_status_that_is_no_error_is_a_500(void **state) {
    torc_test_request *test = ask(*state, reply_strange_status, "GET /");
    assert_int_equal(torc_test_request_status(test), 500);
    torc_test_request_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(bytes_are_copied),
        HTTP_TEST(no_type_is_the_default_type),
        HTTP_TEST(a_document_is_the_response),
        HTTP_TEST(a_large_document_has_its_length),
        HTTP_TEST(a_broken_document_is_a_500_and_nothing_of_it),
        HTTP_TEST(a_document_has_a_bound),
        HTTP_TEST(a_bound_may_fall_below_what_is_written),
        HTTP_TEST(a_document_that_is_not_ended_is_a_500),
        HTTP_TEST(beginning_again_forgets_the_first),
        HTTP_TEST(an_error_may_take_the_place_of_a_document),
        HTTP_TEST(a_redirect_has_a_short_page),
        HTTP_TEST(a_bad_redirect_is_a_500),
        HTTP_TEST(a_redirect_that_a_peer_has_given_stays_here),
        HTTP_TEST(a_redirect_may_keep_the_query),
        HTTP_TEST(a_page_may_be_loaded_again),
        HTTP_TEST(errors_have_their_statuses),
        HTTP_TEST(an_error_page_keeps_what_is_not_of_the_body),
        HTTP_TEST(a_status_that_is_no_error_is_a_500),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
