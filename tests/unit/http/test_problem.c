/* SPDX-License-Identifier: MIT */
/* Errors as JSON, for programs. */
#include <torc/problem.h>

#include "http_fixture.h"
#include "testing/uncounted.h"

static const torc_problem *problem;

static torc_render reply(torc_request *request, void *context) {
    (void)context;
    return torc_reply_problem(request, problem);
}

/* Ask for a problem, and check the whole of the answer. */
static void check_problem(http_fixture *self, const torc_problem *it, int status,
                          const char *body) {
    problem = it;
    torc_test_request *test = http_ask(self, reply, "GET /");
    assert_int_equal(torc_test_request_status(test), status);
    check_str(torc_test_request_field(test, "Content-Type"), "application/problem+json");
    check_str_at(torc_test_request_body(test), torc_str_of(body), __FILE__, __LINE__);
    assert_int_equal(torc_test_request_length(test), strlen(body));
    torc_test_request_free(test);
}

static void what_is_not_known_is_left_out(void **state) {
    check_problem(*state, &(torc_problem){.status = 404}, 404,
                  "{\"title\":\"Not Found\",\"status\":404}");
    check_problem(*state, &(torc_problem){.status = 499}, 499, "{\"status\":499}");
}

static void a_status_that_is_no_error_is_a_500(void **state) {
    check_problem(*state, &(torc_problem){0}, 500,
                  "{\"title\":\"Internal Server Error\",\"status\":500}");
    check_problem(*state, &(torc_problem){.status = 200}, 500,
                  "{\"title\":\"Internal Server Error\",\"status\":500}");
}

static void every_member_is_written(void **state) {
    check_problem(*state,
                  &(torc_problem){.status = 403,
                                  .type = "https://example.com/probs/out-of-credit",
                                  .title = "You do not have enough credit.",
                                  .detail = "It costs 50, but you have \"30\".",
                                  .instance = "/account/12345/msgs/abc"},
                  403,
                  "{\"type\":\"https://example.com/probs/out-of-credit\","
                  "\"title\":\"You do not have enough credit.\",\"status\":403,"
                  "\"detail\":\"It costs 50, but you have \\\"30\\\".\","
                  "\"instance\":\"/account/12345/msgs/abc\"}");
}

static void errors_point_into_the_body(void **state) {
    const torc_problem_error errors[] = {
        {.pointer = TORC_STR("/items/0/a b~1\xc3\xbc%"), .detail = TORC_STR("is no number")},
        {.pointer = TORC_STR(""), .detail = TORC_STR("is no object")},
        {.parameter = TORC_STR("page"), .detail = TORC_STR("is above 10")},
    };

    check_problem(*state, &(torc_problem){.status = 422, .errors = errors, .error_count = 3}, 422,
                  "{\"title\":\"Unprocessable Content\",\"status\":422,\"errors\":["
                  "{\"detail\":\"is no number\",\"pointer\":\"#/items/0/a%20b~1%C3%BC%25\"},"
                  "{\"detail\":\"is no object\",\"pointer\":\"#\"},"
                  "{\"detail\":\"is above 10\",\"parameter\":\"page\"}]}");
}

static void write_balance(torc_json *json, void *context) {
    torc_json_member_int(json, "balance", *(const int *)context);
}

static void members_of_ones_own_stand_at_the_end(void **state) {
    int balance = 30;

    check_problem(*state,
                  &(torc_problem){.status = 403, .extend = write_balance, .context = &balance}, 403,
                  "{\"title\":\"Forbidden\",\"status\":403,\"balance\":30}");
}

static torc_render reply_in_steps(torc_request *request, void *context) {
    torc_json *json = torc_reply_problem_json(request, &(torc_problem){.status = 429});

    (void)context;
    torc_json_member_int(json, "wait", 7);
    torc_json_close_object(json);
    return torc_reply_end(request);
}

static void it_may_be_gone_on_with(void **state) {
    torc_test_request *test = http_ask(*state, reply_in_steps, "GET /");

    assert_int_equal(torc_test_request_status(test), 429);
    check_str(torc_test_request_body(test),
              "{\"title\":\"Too Many Requests\",\"status\":429,\"wait\":7}");
    torc_test_request_free(test);
}

static void what_is_no_utf8_is_replaced(void **state) {
    check_problem(*state, &(torc_problem){.status = 400, .detail = "a\xff"}, 400,
                  "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"a\xef\xbf\xbd\"}");
}

static void it_is_part_of_other_documents(void **state) {
    char bytes[200];
    torc_buf buf;
    torc_json json;
    int balance = 1;

    (void)state;
    torc_buf_init_fixed(&buf, bytes, sizeof(bytes));
    torc_json_init_buf(&json, &buf, TORC_JSON_PLAIN);
    torc_json_open_array(&json);
    torc_problem_write(&(torc_problem){.status = 409, .extend = write_balance, .context = &balance},
                       &json);
    torc_json_close_array(&json);
    assert_int_equal(torc_json_end(&json), TORC_OK);
    check_str(torc_buf_str(&buf), "[{\"title\":\"Conflict\",\"status\":409,\"balance\":1}]");
}

static torc_render reply_over_fields(torc_request *request, void *context) {
    torc_response_set(request, "Allow", TORC_STR("GET"));
    torc_response_set(request, "ETag", TORC_STR("\"x\""));
    torc_response_set(request, "Bad", TORC_STR("a\nb"));
    return reply(request, context);
}

static void what_was_set_of_a_body_is_forgotten(void **state) {
    problem = &(torc_problem){.status = 405};
    torc_test_request *test = http_ask(*state, reply_over_fields, "GET /");

    assert_int_equal(torc_test_request_status(test), 405);
    check_str(torc_test_request_field(test, "Allow"), "GET");
    assert_null(torc_test_request_field(test, "ETag").bytes);
    torc_test_request_free(test);
}

static torc_render reply_late(torc_request *request, void *context) {
    torc_request_write(request, TORC_STR("begun"));
    return reply(request, context);
}

static void after_the_first_byte_it_aborts(void **state) {
    problem = &(torc_problem){.status = 500};
    torc_test_request *test = http_ask(*state, reply_late, "GET /");

    check_str(torc_test_request_body(test), "begun");
    assert_true(torc_test_request_was_reset(test));
    assert_false(torc_test_request_is_complete(test));
    torc_test_request_free(test);
}

static void head_has_the_length_only(void **state) {
    problem = &(torc_problem){.status = 404};
    torc_test_request *test = http_ask(*state, reply, "HEAD /");

    assert_int_equal(torc_test_request_length(test),
                     strlen("{\"title\":\"Not Found\",\"status\":404}"));
    check_str(torc_test_request_body(test), "");
    torc_test_request_free(test);
}

static void without_memory_for_a_pointer_it_is_a_503(void **state) {
    const torc_problem_error errors[] = {{.pointer = TORC_STR("/a"), .detail = TORC_STR("b")}};

    problem = &(torc_problem){.status = 422, .errors = errors, .error_count = 1};
    torc_test_request *test = http_begin(*state, reply, "GET /");
    torc_test_fail_uncounted(1);
    torc_test_request_run(test);
    torc_test_fail_uncounted(0);
    assert_int_equal(torc_test_request_status(test), 503);
    torc_test_request_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(what_is_not_known_is_left_out),
        HTTP_TEST(a_status_that_is_no_error_is_a_500),
        HTTP_TEST(every_member_is_written),
        HTTP_TEST(errors_point_into_the_body),
        HTTP_TEST(members_of_ones_own_stand_at_the_end),
        HTTP_TEST(it_may_be_gone_on_with),
        HTTP_TEST(what_is_no_utf8_is_replaced),
        HTTP_TEST(it_is_part_of_other_documents),
        HTTP_TEST(what_was_set_of_a_body_is_forgotten),
        HTTP_TEST(after_the_first_byte_it_aborts),
        HTTP_TEST(head_has_the_length_only),
        HTTP_TEST(without_memory_for_a_pointer_it_is_a_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
