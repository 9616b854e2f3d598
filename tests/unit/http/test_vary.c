/* SPDX-License-Identifier: MIT */
/* Vary: each member once, in one field. */
#include <stdio.h>

#include "http_fixture.h"

static const char *first, *second; /* Vary fields that are there before */
static const char *added;

static torc_render vary(torc_request *request, void *context) {
    (void)context;
    if (first) torc_response_add(request, "Vary", torc_str_of(first));
    if (second) torc_response_add(request, "vary", torc_str_of(second));
    torc_response_add_vary(request, added);
    return torc_reply_text(request, 200, "");
}

static void members_are_added_once(void **state) {
    static const struct {
        const char *first, *second, *added, *expected;
    } cases[] = {
        {NULL, NULL, "Accept", "Accept"},
        {NULL, NULL, "Accept, Accept-Language,Accept", "Accept, Accept-Language"},
        {NULL, NULL, "", NULL},
        {"Accept", NULL, "accept", "Accept"},
        {"Accept", NULL, "Accept-Encoding", "Accept, Accept-Encoding"},
        {"Accept", "Origin", "Cookie", "Accept, Origin, Cookie"},
        {"Accept", "Origin", "origin", "Accept"}, /* nothing to do: both fields stay */
        {"*", NULL, "Accept", "*"},
        {"Accept", NULL, "*", "*"},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        first = cases[i].first;
        second = cases[i].second;
        added = cases[i].added;
        torc_test_request *test = http_ask(*state, vary, "GET /");
        assert_int_equal(torc_test_request_status(test), 200);
        check_str_of(torc_test_request_field(test, "Vary"), cases[i].expected);
        torc_test_request_free(test);
    }
}

static void what_is_no_name_fails_the_response(void **state) {
    first = second = NULL;
    added = "a\nb: c";
    torc_test_request *test = http_ask(*state, vary, "GET /");

    assert_int_equal(torc_test_request_status(test), 500);
    assert_null(torc_test_request_field(test, "Vary").bytes);
    torc_test_request_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(members_are_added_once),
        HTTP_TEST(what_is_no_name_fails_the_response),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
