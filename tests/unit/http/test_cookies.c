/* SPDX-License-Identifier: MIT */
/* The cookies of a request, and those that its response sets. */
#include <stdio.h>
#include <torc/cookie.h>

#include "http_fixture.h"

static char seen[256];

static torc_render tell_cookies(torc_request *request, void *context) {
    torc_cookie_place place = {0};
    torc_str name, value;
    size_t at = 0;

    (void)context;
    seen[0] = 0;
    while (torc_request_cookie_next(request, &place, &name, &value))
        at += (size_t)snprintf(seen + at, sizeof(seen) - at, "%.*s=%.*s ", TORC_STR_ARGS(name),
                               TORC_STR_ARGS(value));
    if (torc_request_cookie(request, "a", &value))
        snprintf(seen + at, sizeof(seen) - at, "first %.*s", TORC_STR_ARGS(value));
    return torc_reply_text(request, 200, "");
}

static void all_cookie_fields_are_read(void **state) {
    torc_test_request_free(
        http_ask(*state, tell_cookies, "GET /\nCookie: b=1; a=\"2\"\nX: a=0\ncookie: a=3"));
    assert_string_equal(seen, "b=1 a=\"2\" a=3 first \"2\"");
    torc_test_request_free(http_ask(*state, tell_cookies, "GET /"));
    assert_string_equal(seen, "");
}

static torc_render set_cookies(torc_request *request, void *context) {
    static const torc_cookie first = {.name = TORC_STR_INIT("a"), .value = TORC_STR_INIT("1")};
    static const torc_cookie second = {.name = TORC_STR_INIT("__Host-b"),
                                       .path = TORC_STR_INIT("/"),
                                       .is_secure = true,
                                       .same_site = TORC_SAME_SITE_LAX};

    (void)context;
    torc_response_add_cookie(request, &first);
    torc_response_delete_cookie(request, &second);
    return torc_reply_text(request, 200, "");
}

static void each_cookie_is_a_field(void **state) {
    torc_test_request *test = http_ask(*state, set_cookies, "GET /");
    const torc_fields *fields = torc_test_request_fields(test);
    uint32_t place = 0;

    check_str(torc_fields_next_id(fields, TORC_FIELD_SET_COOKIE, &place)->value, "a=1");
    check_str(torc_fields_next_id(fields, TORC_FIELD_SET_COOKIE, &place)->value,
              "__Host-b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Max-Age=0; Secure; "
              "SameSite=Lax");
    assert_null(torc_fields_next_id(fields, TORC_FIELD_SET_COOKIE, &place));
    torc_test_request_free(test);
}

static torc_render set_bad_cookie(torc_request *request, void *context) {
    const torc_cookie cookie = {.name = TORC_STR("k"), .value = TORC_STR("v; x\ny")};

    (void)context;
    torc_response_add_cookie(request, &cookie);
    return torc_reply_text(request, 200, "");
}

static torc_render set_late_cookie(torc_request *request, void *context) {
    const torc_cookie cookie = {.name = TORC_STR("k"), .value = TORC_STR("v")};

    (void)context;
    torc_request_write(request, TORC_STR("x"));
    torc_response_add_cookie(request, &cookie);
    (void)!torc_request_finish(request);
    torc_response_add_cookie(request, &cookie);
    return TORC_RENDER_DONE;
}

static void a_cookie_that_may_not_be_set_fails_the_response(void **state) {
    torc_test_request *test = http_ask(*state, set_bad_cookie, "GET /");

    assert_int_equal(torc_test_request_status(test), 500);
    assert_null(torc_test_request_field(test, "Set-Cookie").bytes);
    torc_test_request_free(test);

    test = http_ask(*state, set_late_cookie, "GET /");
    assert_true(torc_test_request_was_reset(test));
    torc_test_request_free(test);
}

/* What `a` is set to, for a domain and a path. */
static void set_a(torc_request *request, const char *value, const char *domain, const char *path) {
    const torc_cookie cookie = {.name = TORC_STR("a"),
                                .value = torc_str_of(value),
                                .domain = torc_str_of(domain),
                                .path = torc_str_of(path)};
    torc_response_add_cookie(request, &cookie);
}

static torc_render set_again(torc_request *request, void *context) {
    const torc_cookie apart = {
        .name = TORC_STR("a"), .value = TORC_STR("9"), .is_secure = true, .is_partitioned = true};
    const torc_cookie gone = {.name = TORC_STR("a"), .domain = TORC_STR("ExAmple.org")};

    (void)context;
    set_a(request, "1", NULL, NULL);
    torc_response_add(request, "set-cookie", TORC_STR("a=2; domain=.example.org; Secure"));
    torc_response_add(request, "Set-Cookie", TORC_STR("; nothing"));
    set_a(request, "3", NULL, "/x");
    torc_response_add(request, "X-Other", TORC_STR("a=1"));
    torc_response_add_cookie(request, &apart);
    set_a(request, "4", NULL, NULL);
    set_a(request, "5", NULL, "/x/");
    torc_response_delete_cookie(request, &gone);
    return torc_reply_text(request, 200, "");
}

static void a_cookie_that_is_set_again_stands_in_place_of_the_first(void **state) {
    static const char *const expected[] = {
        "a=4",
        "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Domain=ExAmple.org; Max-Age=0",
        "; nothing",
        "a=3; Path=/x",
        "a=9; Secure; Partitioned",
        "a=5; Path=/x/",
    };
    torc_test_request *test = http_ask(*state, set_again, "GET /");
    const torc_fields *fields = torc_test_request_fields(test);
    uint32_t place = 0;

    for (size_t i = 0; i < TORC_COUNT_OF(expected); i++)
        assert_true(
            torc_str_equals(torc_fields_next_id(fields, TORC_FIELD_SET_COOKIE, &place)->value,
                            torc_str_of(expected[i])));
    assert_null(torc_fields_next_id(fields, TORC_FIELD_SET_COOKIE, &place));
    check_str(torc_test_request_field(test, "X-Other"), "a=1");
    torc_test_request_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(all_cookie_fields_are_read),
        HTTP_TEST(each_cookie_is_a_field),
        HTTP_TEST(a_cookie_that_is_set_again_stands_in_place_of_the_first),
        HTTP_TEST(a_cookie_that_may_not_be_set_fails_the_response),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
