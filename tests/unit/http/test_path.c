/* SPDX-License-Identifier: MIT */
/* Segments, parameters and query arguments. */
#include <stdio.h>

#include "http_fixture.h"

static torc_render wait_for_test(torc_request *request, void *context) {
    (void)request;
    (void)context;
    return TORC_RENDER_NOT_DONE_YET;
}

/* Ask for a target and give the request, which waits. */
static torc_request *request_of(http_fixture *self, torc_test_request **test, const char *target) {
    char head[600];

    snprintf(head, sizeof(head), "GET %s\nHost: a", target);
    *test = http_ask(self, wait_for_test, head);
    return self->request;
}

static void a_path_is_split_at_its_slashes(void **state) {
    static const struct {
        const char *target;
        size_t count;
        const char *segments[4];
    } cases[] = {
        {"/", 1, {""}},
        {"/a", 1, {"a"}},
        {"/a/", 2, {"a", ""}},
        {"/a/b", 2, {"a", "b"}},
        {"//", 2, {"", ""}},
        {"/a//b", 3, {"a", "", "b"}},
        {"/a%2Fb/c%20d", 2, {"a/b", "c d"}},
        {"/%e1%bf%86", 1, {"\xe1\xbf\x86"}},
        {"/a+b?x=/y", 1, {"a+b"}},
    };
    http_fixture *self = *state;

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test;
        torc_request *request = request_of(self, &test, cases[i].target);
        assert_int_equal(torc_request_segment_count(request), cases[i].count);
        for (size_t place = 0; place < cases[i].count; place++)
            assert_true(torc_str_equals(torc_request_segment(request, place),
                                        torc_str_of(cases[i].segments[place])));
        assert_int_equal(torc_request_segment(request, cases[i].count).len, 0);
        assert_int_equal(torc_request_segment_raw(request, cases[i].count).len, 0);
        assert_int_equal(torc_request_depth(request), 0);
        torc_test_request_free(test);
    }
}

static void raw_segments_are_as_sent(void **state) {
    http_fixture *self = *state;
    torc_test_request *test;
    torc_request *request = request_of(self, &test, "/a%2fb/c");

    check_str(torc_request_segment_raw(request, 0), "a%2fb");
    check_str(torc_request_segment(request, 0), "a/b");
    check_str(torc_request_segment_raw(request, 1), "c");
    check_str(torc_request_path(request), "/a%2fb/c");
    torc_test_request_free(test);
}

static void the_newest_parameter_of_a_name_is_found(void **state) {
    http_fixture *self = *state;
    torc_test_request *test;
    torc_request *request = request_of(self, &test, "/");

    assert_int_equal(torc_request_param(request, "id").len, 0);
    check_ok(torc_request_add_param(request, TORC_STR("id"), TORC_STR("1"), TORC_STR("%31")));
    check_ok(torc_request_add_param(request, TORC_STR("id"), TORC_STR("2"), TORC_STR("%32")));
    check_ok(torc_request_add_param(request, TORC_STR("x"), TORC_STR("y"), TORC_STR("y")));
    check_str(torc_request_param(request, "id"), "2");
    check_str(torc_request_param(request, "x"), "y");
    check_str(torc_request_param_raw(request, "id"), "%32");
    assert_int_equal(torc_request_param(request, "i").len, 0);
    assert_int_equal(torc_request_param_raw(request, "i").len, 0);
    torc_test_request_free(test);
}

static void numbers_of_parameters_are_read_to_their_ends(void **state) {
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"-7", -7},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775808", 0}, /* no int, so none of a route's */
        {"-9223372036854775809", 0},
        {"-", 0},
        {"x", 0},
        {"", 0},
    };
    http_fixture *self = *state;
    torc_test_request *test;
    torc_request *request = request_of(self, &test, "/");

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const torc_str text = torc_str_of(cases[i].text);
        check_ok(torc_request_add_param(request, TORC_STR("n"), text, text));
        assert_true(torc_request_param_int(request, "n") == cases[i].value);
    }
    const torc_str max = TORC_STR("18446744073709551615");
    check_ok(torc_request_add_param(request, TORC_STR("n"), max, max));
    assert_true(torc_request_param_uint(request, "n") == UINT64_MAX);
    assert_true(torc_request_param_uint(request, "none") == 0);
    assert_true(torc_request_param_int(request, "none") == 0);
    torc_test_request_free(test);
}

static void fractions_of_parameters_are_rounded_to_the_nearest(void **state) {
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"0", 0},
        {"-1.5", -1.5},
        {"0.1", 0.1},
        {"12345678901234567890123", 12345678901234567890123.0},
        {"-0.1234567890123456789012345", -0.1234567890123456789012345},
        {"9007199254740993", 9007199254740993.0},
        {"0.00000000000000000000000000000000000001", 1e-38},
    };
    http_fixture *self = *state;
    torc_test_request *test;
    torc_request *request = request_of(self, &test, "/");

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        const torc_str text = torc_str_of(cases[i].text);
        check_ok(torc_request_add_param(request, TORC_STR("n"), text, text));
        assert_true(torc_request_param_double(request, "n") == cases[i].value);
    }
    assert_true(torc_request_param_double(request, "none") == 0);
    torc_test_request_free(test);
}

/* The segments, decoded and as sent, each with a bar behind it. */
static void check_segments_at(const torc_request *request, const char *expected, int line) {
    char text[200] = "";

    for (size_t i = 0; i < torc_request_segment_count(request); i++) {
        strncat(text, torc_request_segment(request, i).bytes, torc_request_segment(request, i).len);
        strcat(text, ":");
        strncat(text, torc_request_segment_raw(request, i).bytes,
                torc_request_segment_raw(request, i).len);
        strcat(text, "|");
    }
    check_str_at(torc_str_of(text), torc_str_of(expected), __FILE__, line);
}

static void a_slash_at_the_end_is_added_and_taken(void **state) {
    static const struct {
        const char *target, *toggled;
    } cases[] = {
        {"/a", "a:a|:|"},
        {"/a/", "a:a|"},
        {"/%61", "a:%61|:|"},
        {"/%61/", "a:%61|"},
        {"//", ":|"},
        {"/1/2/3/4/5/6/7/8", "1:1|2:2|3:3|4:4|5:5|6:6|7:7|8:8|:|"},
        {"/1/2/3/4/5/6/7/8/9", "1:1|2:2|3:3|4:4|5:5|6:6|7:7|8:8|9:9|:|"},
    };
    http_fixture *self = *state;

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_test_request *test;
        torc_request *request = request_of(self, &test, cases[i].target);
        assert_true(torc_request_toggle_slash(request));
        check_segments_at(request, cases[i].toggled, __LINE__);
        torc_test_request_free(test);
    }
}

static void the_root_has_no_slash_to_lose(void **state) {
    http_fixture *self = *state;
    torc_test_request *test;
    torc_request *request = request_of(self, &test, "/");

    assert_false(torc_request_toggle_slash(request));
    check_segments_at(request, ":|", __LINE__);
    torc_test_request_free(test);
}

static void arguments_are_decoded_in_their_order(void **state) {
    http_fixture *self = *state;
    torc_test_request *test;
    torc_request *request = request_of(self, &test, "/?a=1&b=x+y%26&&a=2&flag&=v&c=");
    torc_str name, value;
    size_t place = 0;

    check_str(torc_request_query(request), "a=1&b=x+y%26&&a=2&flag&=v&c=");
    assert_true(torc_request_arg(request, "a", &value));
    check_str(value, "1");
    assert_true(torc_request_arg(request, "b", &value));
    check_str(value, "x y&");
    assert_true(torc_request_arg(request, "flag", &value));
    assert_null(value.bytes);
    assert_true(torc_request_arg(request, "c", &value));
    assert_non_null(value.bytes);
    assert_int_equal(value.len, 0);
    assert_false(torc_request_arg(request, "d", &value));

    static const char *const names[] = {"a", "b", "a", "flag", "", "c"};
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) {
        assert_true(torc_request_arg_next(request, &place, &name, &value));
        assert_true(torc_str_equals(name, torc_str_of(names[i])));
    }
    assert_false(torc_request_arg_next(request, &place, &name, &value));
    torc_test_request_free(test);
}

static void a_target_without_a_query_has_no_arguments(void **state) {
    http_fixture *self = *state;
    torc_test_request *test;
    torc_request *request = request_of(self, &test, "/a");
    torc_str value;

    assert_null(torc_request_query(request).bytes);
    assert_false(torc_request_arg(request, "a", &value));
    torc_test_request_free(test);
    request = request_of(self, &test, "/a?");
    assert_non_null(torc_request_query(request).bytes);
    assert_false(torc_request_arg(request, "", &value));
    torc_test_request_free(test);
}

static void what_was_asked_can_be_read(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_ask(
        self, wait_for_test, "GET /p?q\nHost: example.org:8080\nX-A: 1\nX-A: 2\nContent-Type: a/b");
    torc_request *request = self->request;

    assert_int_equal(torc_request_method(request), TORC_METHOD_GET);
    check_str(torc_request_method_text(request), "GET");
    check_str(torc_request_target(request), "/p?q");
    check_str(torc_request_path(request), "/p");
    check_str(torc_request_authority(request), "example.org:8080");
    check_str(torc_request_hostname(request), "example.org");
    check_str(torc_request_scheme(request), "http");
    assert_false(torc_request_is_secure(request));
    assert_int_equal(torc_request_version(request), 11);
    assert_int_equal(torc_request_fields(request)->count, 4);
    check_str(torc_request_field(request, "x-a"), "1");
    assert_null(torc_request_field(request, "x-b").bytes);
    check_str(torc_request_field_id(request, TORC_FIELD_CONTENT_TYPE), "a/b");
    assert_int_equal(torc_request_content_length(request), 0);
    assert_int_equal(torc_request_peer(request).len, 0);
    assert_ptr_equal(torc_request_reactor(request), self->reactor);
    assert_null(torc_request_data(request));
    torc_request_set_data(request, self);
    assert_ptr_equal(torc_request_data(request), self);
    torc_test_request_free(test);
}

static void an_address_keeps_its_brackets(void **state) {
    http_fixture *self = *state;
    torc_test_request *test = http_ask(self, wait_for_test, "GET /\nHost: [::1]:80");

    check_str(torc_request_hostname(self->request), "[::1]");
    torc_test_request_free(test);
}

static void limits_are_the_narrowest(void **state) {
    http_fixture *self = *state;
    torc_limits narrow = {.size = sizeof(narrow), .body_bytes_max = 10};
    torc_test_request *test = http_ask(self, wait_for_test, "GET /");

    assert_int_equal(torc_request_limits(self->request)->body_bytes_max,
                     torc_limits_default().body_bytes_max);
    torc_test_request_free(test);
    self->handler.limits = &narrow;
    test = http_ask(self, wait_for_test, "GET /");
    assert_int_equal(torc_request_limits(self->request)->body_bytes_max, 10);
    torc_request_limits(self->request)->body_bytes_max = 20;
    assert_int_equal(torc_request_limits(self->request)->body_bytes_max, 20);
    torc_test_request_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_path_is_split_at_its_slashes),
        HTTP_TEST(raw_segments_are_as_sent),
        HTTP_TEST(the_newest_parameter_of_a_name_is_found),
        HTTP_TEST(numbers_of_parameters_are_read_to_their_ends),
        HTTP_TEST(fractions_of_parameters_are_rounded_to_the_nearest),
        HTTP_TEST(a_slash_at_the_end_is_added_and_taken),
        HTTP_TEST(the_root_has_no_slash_to_lose),
        HTTP_TEST(arguments_are_decoded_in_their_order),
        HTTP_TEST(a_target_without_a_query_has_no_arguments),
        HTTP_TEST(what_was_asked_can_be_read),
        HTTP_TEST(an_address_keeps_its_brackets),
        HTTP_TEST(limits_are_the_narrowest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
