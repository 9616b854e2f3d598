/* SPDX-License-Identifier: MIT */
/* Bodies of requests as JSON, and what is answered if they are none. */
#include <stdio.h>
#include <torc/request_json.h>

#include "http_fixture.h"

typedef struct point {
    int x;
    torc_str name;
} point;

static const torc_json_field point_fields[] = {
    TORC_JSON_FIELD_INT(point, x, .min = 0, .max = 9),
    TORC_JSON_FIELD_STR(point, name, .optional = true, .max = 5),
};
static const torc_json_struct point_json = TORC_JSON_STRUCT(point, point_fields);

static torc_render echo_value(torc_request *request, void *context) {
    const torc_json_value *value;

    (void)context;
    if (torc_request_json(request, &value)) return TORC_RENDER_DONE;
    torc_json_write_value(torc_reply_json(request, 200), value);
    return torc_reply_end(request);
}

static torc_render echo_struct(torc_request *request, void *context) {
    point it;

    (void)context;
    if (torc_request_json_struct(request, &point_json, &it)) return TORC_RENDER_DONE;
    torc_json_write_struct(torc_reply_json(request, 200), &point_json, &it);
    return torc_reply_end(request);
}

static torc_render echo_strictly(torc_request *request, void *context) {
    const torc_json_limits limits = {.rules = TORC_JSON_I_JSON, .depth_max = 2};
    const torc_json_value *value;

    (void)context;
    if (torc_request_json_by(request, &limits, &value)) return TORC_RENDER_DONE;
    torc_json_write_value(torc_reply_json(request, 200), value);
    return torc_reply_end(request);
}

static void told(torc_request *request, torc_err err, const torc_json_value *value, void *context) {
    point it;

    if (context) *(torc_err *)context = err;
    if (err || torc_request_json_map(request, value, &point_json, &it)) return;
    torc_json_write_struct(torc_reply_json(request, 200), &point_json, &it);
    torc_reply_end(request);
}

static torc_err told_err;

static torc_render answer_later(torc_request *request, void *context) {
    (void)context;
    check_ok(torc_request_json_later(request, told, &told_err));
    return TORC_RENDER_NOT_DONE_YET;
}

/* Post a body in pieces of `step` bytes, and check the answer. */
static void check_answer(http_fixture *self, torc_request_step_fn *step, const char *type,
                         torc_str body, int status, const char *answer) {
    char head[200];

    self->on_fiber = step != answer_later;
    snprintf(head, sizeof head, "POST /\nTransfer-Encoding: chunked\nContent-Type: %s", type);
    torc_test_request *test = http_begin(self, step, head);
    for (; body.len > 0; body = torc_str_from(body, 5))
        torc_test_request_send(test, torc_str_head(body, 5));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_status(test), status);
    check_str_of(torc_test_request_field(test, "Content-Type"),
                 status == 200 ? "application/json" : "application/problem+json");
    check_str_of(torc_test_request_body(test), answer);
    torc_test_request_free(test);
}

#define JSON "application/json"

static void a_body_is_read_as_values(void **state) {
    check_answer(*state, echo_value, JSON, TORC_STR(" { \"b\" : 1.0, \"a\": [], \"b\": null } "),
                 200, "{\"b\":1.0,\"a\":[],\"b\":null}");
    check_answer(*state, echo_value, "application/merge-patch+json; a=b", TORC_STR("1"), 200, "1");
    check_answer(*state, echo_value, "Application/JSON; charset=\"UTF-8\"", TORC_STR("1"), 200,
                 "1");
    check_answer(*state, echo_value, JSON " ; a=\"; charset=utf-16\";", TORC_STR("1"), 200, "1");
}

static void another_type_is_refused(void **state) {
    static const char *const types[] = {"text/plain",
                                        "application/jsonp",
                                        "+json",
                                        "json",
                                        "application/json; charset=utf-16",
                                        "x/json",
                                        "application/xml+jsonx",
                                        "application/json; charset",
                                        "application/json; a=\"b"};

    for (size_t i = 0; i < TORC_COUNT_OF(types); i++)
        check_answer(*state, echo_value, types[i], TORC_STR("1"), 415,
                     "{\"title\":\"Unsupported Media Type\",\"status\":415,"
                     "\"detail\":\"The body is to be application/json, in UTF-8.\"}");
}

static void what_is_no_json_is_told_with_its_place(void **state) {
    check_answer(*state, echo_value, JSON, TORC_STR("{\"a\":1,\n \"b\" 2}"), 400,
                 "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"Line 2, column 6 of the "
                 "body: expected `:` after the name, found `2`.\"}");
    check_answer(*state, echo_struct, JSON, TORC_STR(""), 400,
                 "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"Line 1, column 1 of the "
                 "body: expected a value, found the end.\"}");
}

static void what_is_too_large_is_a_413(void **state) {
    http_fixture *self = *state;
    torc_buf body;

    torc_buf_init(&body, NULL, TORC_MEMORY_OTHER, 4 << 20);
    for (int i = 0; i < 1100; i++) torc_buf_addf(&body, "%c\"%01000d\"", i == 0 ? '[' : ',', i);
    torc_buf_add_byte(&body, ']');
    self->on_fiber = true;
    torc_test_request *test = http_begin(
        self, echo_value, "POST /\nTransfer-Encoding: chunked\nContent-Type: application/json");
    torc_test_request_send(test, torc_buf_str(&body));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_status(test), 413);
    torc_test_request_free(test);
    torc_buf_dispose(&body);
    check_answer(self, echo_strictly, JSON, TORC_STR("[[[]]]"), 413,
                 "{\"title\":\"Content Too Large\",\"status\":413,\"detail\":\"Line 1, column 3 of "
                 "the body: the document has too many levels.\"}");
}

static void rules_are_those_that_were_asked_for(void **state) {
    check_answer(*state, echo_strictly, JSON, TORC_STR("{\"a\":1,\"a\":2}"), 400,
                 "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"Line 1, column 13 of the "
                 "body: a name comes twice in the object.\"}");
}

static void a_body_is_read_into_a_struct(void **state) {
    check_answer(*state, echo_struct, JSON, TORC_STR("{\"name\":\"\\u0061\",\"x\":3}"), 200,
                 "{\"x\":3,\"name\":\"a\"}");
}

static void mistakes_are_a_422_with_their_places(void **state) {
    static const char answer[] =
        "{\"title\":\"Unprocessable Content\",\"status\":422,"
        "\"detail\":\"The body is JSON, but not what is wanted here.\",\"errors\":["
        "{\"detail\":\"must be an integer from 0 to 9\",\"pointer\":\"#/x\"},"
        "{\"detail\":\"is not known here\",\"pointer\":\"#/y\"}]}";

    check_answer(*state, echo_struct, JSON, TORC_STR("{\"x\":10,\"y\":1}"), 422, answer);
    check_answer(*state, answer_later, JSON, TORC_STR("{\"x\":10,\"y\":1}"), 422, answer);
    check_answer(*state, echo_struct, JSON, TORC_STR("[]"), 422,
                 "{\"title\":\"Unprocessable Content\",\"status\":422,"
                 "\"detail\":\"The body is JSON, but not what is wanted here.\",\"errors\":["
                 "{\"detail\":\"must be an object\",\"pointer\":\"#\"}]}");
}

static void a_callback_is_told_once(void **state) {
    told_err = TORC_ERR_STATE;
    check_answer(*state, answer_later, JSON, TORC_STR("{\"x\":1}"), 200, "{\"x\":1}");
    check_ok(told_err);
    check_answer(*state, answer_later, "text/plain", TORC_STR("1"), 415,
                 "{\"title\":\"Unsupported Media Type\",\"status\":415,"
                 "\"detail\":\"The body is to be application/json, in UTF-8.\"}");
    check_err(told_err, TORC_ERR_MEDIA_TYPE);
    check_answer(*state, answer_later, JSON, TORC_STR("{\"x\""), 400,
                 "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"Line 1, column 5 of the "
                 "body: expected `:` after the name, found the end.\"}");
    check_err(told_err, TORC_ERR_TRUNCATED);
}

static void a_peer_that_leaves_gets_nothing(void **state) {
    http_fixture *self = *state;

    for (int on_fiber = 0; on_fiber < 2; on_fiber++) {
        self->on_fiber = on_fiber;
        torc_test_request *test =
            http_begin(self, on_fiber ? echo_value : answer_later,
                       "POST /\nTransfer-Encoding: chunked\nContent-Type: application/json");
        torc_test_request_send(test, TORC_STR("{\"x\""));
        torc_test_request_run(test);
        torc_test_request_disconnect(test);
        torc_test_request_run(test);
        assert_int_equal(torc_test_request_status(test), 0);
        torc_test_request_free(test);
    }
}

/* A value of 600 KB of the shortest elements takes far more than a request has for itself. */
static void large_values_have_memory_of_their_own(void **state) {
    http_fixture *self = *state;
    torc_buf body;

    torc_buf_init(&body, NULL, TORC_MEMORY_OTHER, 4 << 20);
    torc_buf_add(&body, TORC_STR("[1"));
    for (int i = 0; i < 300000; i++) torc_buf_add(&body, TORC_STR(",1"));
    torc_buf_add_byte(&body, ']');
    self->on_fiber = true;
    torc_test_request *test = http_begin(
        self, echo_value, "POST /\nTransfer-Encoding: chunked\nContent-Type: application/json");
    torc_test_request_send(test, torc_buf_str(&body));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    assert_int_equal(torc_test_request_status(test), 200);
    assert_true(torc_str_equals(torc_test_request_body(test), torc_buf_str(&body)));
    torc_test_request_free(test);
    torc_buf_dispose(&body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_body_is_read_as_values),
        HTTP_TEST(another_type_is_refused),
        HTTP_TEST(what_is_no_json_is_told_with_its_place),
        HTTP_TEST(what_is_too_large_is_a_413),
        HTTP_TEST(rules_are_those_that_were_asked_for),
        HTTP_TEST(a_body_is_read_into_a_struct),
        HTTP_TEST(mistakes_are_a_422_with_their_places),
        HTTP_TEST(a_callback_is_told_once),
        HTTP_TEST(a_peer_that_leaves_gets_nothing),
        HTTP_TEST(large_values_have_memory_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
