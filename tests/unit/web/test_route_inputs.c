/* SPDX-License-Identifier: MIT */
/* Arguments and fields that a route has declared, checked before it is called. */
#include <stdio.h>
#include <torc/middleware_of.h>
#include <torc/openapi.h>
#include <torc/route.h>

#include "web_fixture.h"

static torc_render render(torc_request *request) {
    return torc_reply_text(request, 200, "fine");
}

static const torc_route_input inputs[] = {
    {.name = "n", .kind = TORC_PARAM_INT, .min = -5, .max = 10},
    {.name = "u", .kind = TORC_PARAM_UINT},
    {.name = "f", .kind = TORC_PARAM_FLOAT},
    {.name = "id", .kind = TORC_PARAM_UUID},
    {.name = "s", .kind = TORC_PARAM_SLUG},
    {.name = "lang", .kind = TORC_PARAM_ANY, .choices = "en|de"},
    {.name = "q", .kind = TORC_PARAM_STR, .is_required = true},
    {.name = "X-Count", .kind = TORC_PARAM_UINT, .is_field = true, .min = 1, .max = 3},
    {.name = "X-Key", .kind = TORC_PARAM_STR, .is_field = true, .is_required = true},
};

static torc_site *new_site(bool checks) {
    torc_resource *root = torc_folder_new();

    torc_resource_route_with(root, "GET /", render,
                             TORC_ROUTE_OPTIONS(.inputs = inputs,
                                                .input_count = TORC_COUNT_OF(inputs),
                                                .checks_inputs = checks));
    return torc_site_new(root, NULL);
}

static void what_is_as_declared_is_let_through(void **state) {
    static const char *const queries[] = {
        "q=",
        "q&n=10",
        "q=1&n=-5&u=0&f=-1.5&id=01234567-89ab-cdef-0123-456789ABCDEF&s=a_b-1&lang=de",
        "q=1&q=2&n=1&n=2&other=x",
        "u=18446744073709551615&q=x",
        "q=%20&n=%31",
    };
    torc_site *site = new_site(true);
    char head[300];

    for (size_t i = 0; i < TORC_COUNT_OF(queries); i++) {
        snprintf(head, sizeof(head), "GET /?%s\nX-Key: a\nX-Count: 3", queries[i]);
        web_check(*state, site, head, 200, "fine");
    }
    web_check(*state, site, "HEAD /?q\nX-Key: a", 200, "");
    torc_site_free(site);
}

static void what_is_not_is_told_by_name(void **state) {
    static const struct {
        const char *query, *name, *said;
    } cases[] = {
        {"q&n=11", "n", "must be a whole number from -5 to 10"},
        {"q&n=-6", "n", "must be a whole number from -5 to 10"},
        {"q&n=", "n", "must be a whole number from -5 to 10"},
        {"q&n", "n", "must be a whole number from -5 to 10"},
        {"q&n=1&n=x", "n", "must be a whole number from -5 to 10"},
        {"q&n=99999999999999999999", "n", "must be a whole number from -5 to 10"},
        {"q&n=9223372036854775808", "n", "must be a whole number from -5 to 10"},
        {"q&n=-9223372036854775808", "n", "must be a whole number from -5 to 10"},
        {"q&u=-1", "u", "must be a whole number, not negative"},
        {"q&u=18446744073709551616", "u", "must be a whole number, not negative"},
        {"q&f=1e3", "f", "must be a number"},
        {"q&id=1", "id", "must be a UUID"},
        {"q&s=a%20b", "s", "must be letters, digits, `-` and `_`"},
        {"q&lang=fr", "lang", "must be one of en|de"},
        {"", "q", "is required"},
    };
    torc_site *site = new_site(true);
    char head[300], expected[300];

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        snprintf(head, sizeof(head), "GET /?%s\nX-Key: a", cases[i].query);
        snprintf(expected, sizeof(expected),
                 "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"Arguments or fields are "
                 "not as they must be.\",\"errors\":[{\"detail\":\"%s\",\"parameter\":\"%s\"}]}",
                 cases[i].said, cases[i].name);
        torc_test_request *test = web_ask(*state, site, head);
        assert_int_equal(torc_test_request_status(test), 400);
        check_str(torc_test_request_field(test, "Content-Type"), "application/problem+json");
        check_str_of(torc_test_request_body(test), expected);
        torc_test_request_free(test);
    }
    torc_site_free(site);
}

static void all_that_is_wrong_is_told_at_once(void **state) {
    torc_site *site = new_site(true);

    web_check(*state, site, "GET /?n=x&lang\nX-Count: 4", 400,
              "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"Arguments or fields are not "
              "as they must be.\",\"errors\":["
              "{\"detail\":\"must be a whole number from -5 to 10\",\"parameter\":\"n\"},"
              "{\"detail\":\"must be one of en|de\",\"parameter\":\"lang\"},"
              "{\"detail\":\"is required\",\"parameter\":\"q\"},"
              "{\"detail\":\"must be a whole number from 1 to 3\",\"parameter\":\"X-Count\"},"
              "{\"detail\":\"is required\",\"parameter\":\"X-Key\"}]}");
    torc_site_free(site);
}

/* Also behind middleware, whose way to the route is another. */
static torc_render pass(torc_request *request) {
    (void)request;
    return TORC_RENDER_NEXT;
}

static void it_does_not_matter_what_is_around(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_use(root, torc_middleware_of(pass, NULL));
    torc_resource_route_with(
        root, "GET /", render,
        TORC_ROUTE_OPTIONS(.inputs = inputs, .input_count = 1, .checks_inputs = true));
    torc_site *site = torc_site_new(root, NULL);
    assert_int_equal(web_status(*state, site, "GET /?n=x"), 400);
    assert_int_equal(web_status(*state, site, "GET /?n=1"), 200);
    torc_site_free(site);
}

static void who_does_not_ask_for_it_checks_himself(void **state) {
    torc_site *site = new_site(false);

    web_check(*state, site, "GET /?n=x", 200, "fine");
    torc_site_free(site);
}

static void bounds_at_the_ends_of_numbers_hold(void **state) {
    static const torc_route_input wide[] = {
        {.name = "n", .kind = TORC_PARAM_INT, .min = INT64_MIN, .max = INT64_MAX},
        {.name = "u", .kind = TORC_PARAM_UINT, .min = 1, .max = INT64_MAX},
    };
    torc_resource *root = torc_folder_new();

    torc_resource_route_with(
        root, "GET /", render,
        TORC_ROUTE_OPTIONS(.inputs = wide, .input_count = 2, .checks_inputs = true));
    torc_site *site = torc_site_new(root, NULL);
    assert_int_equal(web_status(*state, site, "GET /?n=-9223372036854775808"), 200);
    assert_int_equal(web_status(*state, site, "GET /?n=9223372036854775807"), 200);
    assert_int_equal(web_status(*state, site, "GET /?n=-9223372036854775809"), 400);
    assert_int_equal(web_status(*state, site, "GET /?u=9223372036854775807"), 200);
    assert_int_equal(web_status(*state, site, "GET /?u=9223372036854775808"), 400);
    assert_int_equal(web_status(*state, site, "GET /?u=0"), 400);
    torc_site_free(site);
}

static void the_document_tells_of_the_400(void **state) {
    static const torc_route_response responses[] = {{.status = 200}};
    static const torc_openapi_info info = {.title = "t", .version = "1"};
    torc_resource *root = torc_folder_new();
    torc_json json;
    torc_buf text;

    (void)state;
    torc_resource_route_with(root, "GET /", render,
                             TORC_ROUTE_OPTIONS(.inputs = inputs, .input_count = 1,
                                                .checks_inputs = true, .responses = responses,
                                                .response_count = 1));
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 8192);
    torc_json_init_buf(&json, &text, TORC_JSON_PLAIN);
    check_ok(torc_openapi_write(root, &info, &json));
    check_ok(torc_json_end(&json));
    assert_true(torc_str_find(torc_buf_str(&text),
                              TORC_STR("\"400\":{\"description\":\"Bad Request\"")) > 0);
    torc_buf_dispose(&text);
    torc_resource_dispose(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(what_is_as_declared_is_let_through),
        WEB_TEST(what_is_not_is_told_by_name),
        WEB_TEST(all_that_is_wrong_is_told_at_once),
        WEB_TEST(it_does_not_matter_what_is_around),
        WEB_TEST(who_does_not_ask_for_it_checks_himself),
        WEB_TEST(bounds_at_the_ends_of_numbers_hold),
        cmocka_unit_test(the_document_tells_of_the_400),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
