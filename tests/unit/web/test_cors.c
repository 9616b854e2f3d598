/* SPDX-License-Identifier: MIT */
/* CORS: who is allowed what, preflights, and what caches are told. */
#include <torc/cors.h>

#include "web/middleware_new.h"
#include "web_fixture.h"

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello");
}

static torc_render says_itself(torc_request *request) {
    torc_response_set(request, "Access-Control-Allow-Origin", TORC_STR("https://own.example"));
    return torc_reply_text(request, 200, "own");
}

static torc_render varies(torc_request *request) {
    torc_response_set(request, "Vary", TORC_STR("Accept"));
    return torc_reply_text(request, 200, "x");
}

static torc_site *new_site(const torc_cors_options *options) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /", hello);
    torc_resource_route(root, "GET /own", says_itself);
    torc_resource_route(root, "GET /varies", varies);
    torc_resource_use(root, torc_cors_new(options));
    torc_site *site = torc_site_new(root, NULL);
    assert_non_null(site);
    return site;
}

static const char *const origins[] = {"https://a.example", "https://*.b.example", NULL};
static const torc_cors_options named = {.size = sizeof(named), .origins = origins};

typedef struct expected {
    int status;
    const char *origin, *vary, *credentials, *methods, *fields, *exposed, *age;
} expected;

static void check_field(const torc_test_request *test, const char *name, const char *value,
                        int line) {
    const torc_str got = torc_test_request_field(test, name);

    if ((got.bytes != NULL) != (value != NULL)) print_error("%s\n", name);
    _assert_int_equal(got.bytes != NULL, value != NULL, __FILE__, line);
    if (value) check_str_at(got, torc_str_of(value), __FILE__, line);
}

#define check(reactor, site, head, ...)                                                            \
    check_at((reactor), (site), (head), (const expected){__VA_ARGS__}, __LINE__)

static void check_at(torc_reactor *reactor, torc_site *site, const char *head, expected of,
                     int line) {
    torc_test_request *test = web_ask(reactor, site, head);

    _assert_int_equal((uintmax_t)torc_test_request_status(test), (uintmax_t)of.status, __FILE__,
                      line);
    check_field(test, "Access-Control-Allow-Origin", of.origin, line);
    check_field(test, "Vary", of.vary, line);
    check_field(test, "Access-Control-Allow-Credentials", of.credentials, line);
    check_field(test, "Access-Control-Allow-Methods", of.methods, line);
    check_field(test, "Access-Control-Allow-Headers", of.fields, line);
    check_field(test, "Access-Control-Expose-Headers", of.exposed, line);
    check_field(test, "Access-Control-Max-Age", of.age, line);
    torc_test_request_free(test);
}

#define VARY_PREFLIGHT "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
#define ALL_METHODS "GET, HEAD, POST, PUT, PATCH, DELETE"

static void origins_are_allowed_by_name(void **state) {
    torc_site *site = new_site(&named);

    check(*state, site, "GET /\nOrigin: https://a.example", .status = 200,
          .origin = "https://a.example", .vary = "Origin");
    check(*state, site, "GET /\nOrigin: https://x.b.example", .status = 200,
          .origin = "https://x.b.example", .vary = "Origin");
    check(*state, site, "GET /\nOrigin: https://evil.example", .status = 200, .origin = NULL,
          .vary = "Origin");
    check(*state, site, "GET /\nOrigin: null", .status = 200, .origin = NULL, .vary = "Origin");
    check(*state, site, "GET /", .status = 200, .origin = NULL, .vary = "Origin");
    check(*state, site, "HEAD /\nOrigin: https://a.example", .status = 200,
          .origin = "https://a.example", .vary = "Origin");
    torc_site_free(site);
}

static void errors_are_readable_too(void **state) {
    torc_site *site = new_site(&named);

    check(*state, site, "GET /none\nOrigin: https://a.example", .status = 404,
          .origin = "https://a.example", .vary = "Accept, Origin");
    check(*state, site, "PUT /\nOrigin: https://a.example", .status = 405,
          .origin = "https://a.example", .vary = "Accept, Origin");
    torc_site_free(site);
}

static void everybody_is_one_answer_for_all(void **state) {
    static const char *const all[] = {"*", NULL};
    static const char *const exposed[] = {"*", NULL};
    const torc_cors_options options = {
        .size = sizeof(options), .origins = all, .exposed_fields = exposed};
    torc_site *site = new_site(&options);

    check(*state, site, "GET /\nOrigin: https://a.example", .status = 200, .origin = "*",
          .exposed = "*");
    check(*state, site, "GET /\nOrigin: null", .status = 200, .origin = "*", .exposed = "*");
    check(*state, site, "GET /", .status = 200, .origin = NULL, .vary = NULL);
    torc_site_free(site);
}

static void credentials_are_allowed_to_who_is_named(void **state) {
    static const char *const exposed[] = {"X-Total", "X-Next", NULL};
    torc_cors_options options = named;

    options.credentials = true;
    options.exposed_fields = exposed;
    torc_site *site = new_site(&options);
    check(*state, site, "GET /\nOrigin: https://a.example", .status = 200,
          .origin = "https://a.example", .vary = "Origin", .credentials = "true",
          .exposed = "X-Total, X-Next");
    check(*state, site, "GET /\nOrigin: https://evil.example", .status = 200, .origin = NULL,
          .vary = "Origin");
    torc_site_free(site);
}

static void preflights_are_answered_before_the_route(void **state) {
    torc_site *site = new_site(&named);

    check(*state, site,
          "OPTIONS /\nOrigin: https://a.example\nAccess-Control-Request-Method: PUT\n"
          "Access-Control-Request-Headers: x-a, authorization",
          .status = 204, .origin = "https://a.example", .vary = VARY_PREFLIGHT,
          .methods = ALL_METHODS, .fields = "x-a, authorization");
    check(*state, site,
          "OPTIONS /nowhere\nOrigin: https://a.example\nAccess-Control-Request-Method: GET",
          .status = 204, .origin = "https://a.example", .vary = VARY_PREFLIGHT,
          .methods = ALL_METHODS);
    check(*state, site,
          "OPTIONS /\nOrigin: https://evil.example\nAccess-Control-Request-Method: PUT",
          .status = 204, .origin = NULL, .vary = VARY_PREFLIGHT);
    torc_site_free(site);
}

static void what_is_no_preflight_goes_on(void **state) {
    torc_site *site = new_site(&named);

    check(*state, site, "OPTIONS /\nOrigin: https://a.example", .status = 204,
          .origin = "https://a.example", .vary = "Origin");
    torc_test_request *test = web_ask(*state, site, "OPTIONS /\nOrigin: https://a.example");
    check_str(torc_test_request_field(test, "Allow"), "GET, HEAD, OPTIONS");
    torc_test_request_free(test);
    check(*state, site, "OPTIONS /\nAccess-Control-Request-Method: PUT", .status = 204,
          .origin = NULL, .vary = "Origin");
    check(*state, site, "PUT /\nOrigin: https://a.example\nAccess-Control-Request-Method: PUT",
          .status = 405, .origin = "https://a.example", .vary = "Accept, Origin");
    torc_site_free(site);
}

static void preflights_tell_what_was_set(void **state) {
    static const char *const methods[] = {"GET", "DELETE", NULL};
    static const char *const fields[] = {"Content-Type", "X-A", NULL};
    torc_cors_options options = named;

    options.methods = methods;
    options.request_fields = fields;
    options.max_age_s = 600;
    torc_site *site = new_site(&options);
    check(*state, site,
          "OPTIONS /\nOrigin: https://a.example\nAccess-Control-Request-Method: PUT\n"
          "Access-Control-Request-Headers: x-other",
          .status = 204, .origin = "https://a.example", .vary = VARY_PREFLIGHT,
          .methods = "GET, DELETE", .fields = "Content-Type, X-A", .age = "600");
    torc_site_free(site);
}

static void what_is_no_list_of_fields_is_not_given_back(void **state) {
    torc_site *site = new_site(&named);

    check(*state, site,
          "OPTIONS /\nOrigin: https://a.example\nAccess-Control-Request-Method: PUT\n"
          "Access-Control-Request-Headers: x-a, (bad)",
          .status = 204, .origin = "https://a.example", .vary = VARY_PREFLIGHT,
          .methods = ALL_METHODS);
    torc_site_free(site);
}

static void private_networks_are_opened_where_asked_for(void **state) {
    torc_cors_options options = named;
    static const char head[] =
        "OPTIONS /\nOrigin: https://a.example\nAccess-Control-Request-Method: PUT\n"
        "Access-Control-Request-Private-Network: true";

    torc_site *site = new_site(&options);
    torc_test_request *test = web_ask(*state, site, head);
    assert_null(torc_test_request_field(test, "Access-Control-Allow-Private-Network").bytes);
    torc_test_request_free(test);
    torc_site_free(site);

    options.private_network = true;
    site = new_site(&options);
    test = web_ask(*state, site, head);
    check_str(torc_test_request_field(test, "Access-Control-Allow-Private-Network"), "true");
    torc_test_request_free(test);
    torc_site_free(site);
}

static bool is_from_c(void *context, torc_request *request, torc_str origin) {
    ++*(int *)context;
    return torc_request_method(request) == TORC_METHOD_GET &&
           torc_str_equals(origin, TORC_STR("https://c.example"));
}

static void a_function_is_asked_about_the_others(void **state) {
    int asked = 0;
    torc_cors_options options = named;

    options.allows_origin = is_from_c;
    options.context = &asked;
    torc_site *site = new_site(&options);
    check(*state, site, "GET /\nOrigin: https://a.example", .status = 200,
          .origin = "https://a.example", .vary = "Origin");
    assert_int_equal(asked, 0);
    check(*state, site, "GET /\nOrigin: https://c.example", .status = 200,
          .origin = "https://c.example", .vary = "Origin");
    check(*state, site, "GET /\nOrigin: https://d.example", .status = 200, .origin = NULL,
          .vary = "Origin");
    assert_int_equal(asked, 2);
    torc_site_free(site);
}

static void routes_know_better_and_vary_is_added_to(void **state) {
    torc_site *site = new_site(&named);

    check(*state, site, "GET /own\nOrigin: https://a.example", .status = 200,
          .origin = "https://own.example", .vary = NULL);
    check(*state, site, "GET /varies\nOrigin: https://a.example", .status = 200,
          .origin = "https://a.example", .vary = "Accept, Origin");
    torc_site_free(site);
}

/* ---- options ---- */

static void wrong_options_are_told_at_the_start(void **state) {
    static const char *const all[] = {"*", NULL}, *const slash[] = {"https://a.example/", NULL},
                             *const spaced[] = {"GET PUT", NULL};
    const torc_cors_options cases[] = {
        {.size = sizeof(torc_cors_options)},
        {.size = sizeof(torc_cors_options), .origins = all, .credentials = true},
        {.size = sizeof(torc_cors_options), .origins = slash},
        {.size = sizeof(torc_cors_options), .origins = all, .methods = spaced},
        {.size = sizeof(torc_cors_options), .origins = all, .request_fields = spaced},
        {.size = sizeof(torc_cors_options), .origins = all, .exposed_fields = spaced},
        {.size = sizeof(torc_cors_options),
         .origins = origins,
         .credentials = true,
         .exposed_fields = all},
        {.size = sizeof(torc_cors_options),
         .origins = origins,
         .credentials = true,
         .methods = all},
    };
    char text[200];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        assert_non_null(torc_cors_check(&cases[i], text));
        torc_resource *root = torc_folder_new();
        torc_resource_use(root, torc_cors_new(&cases[i]));
        check_err(torc_resource_err(root), TORC_ERR_INVALID);
        assert_null(torc_site_new(root, NULL));
    }
    assert_string_equal(torc_cors_check(&cases[2], text),
                        "the origin 'https://a.example/' has a path or a slash at its end");
    torc_middleware *refused = torc_cors_new(&cases[1]);
    assert_string_equal(torc_middleware_refusal(refused),
                        "CORS: credentials cannot be allowed to every origin: name the origins "
                        "instead of '*'");
    refused->ops->dispose(refused);
    assert_null(torc_cors_check(&named, text));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(origins_are_allowed_by_name),
        WEB_TEST(errors_are_readable_too),
        WEB_TEST(everybody_is_one_answer_for_all),
        WEB_TEST(credentials_are_allowed_to_who_is_named),
        WEB_TEST(preflights_are_answered_before_the_route),
        WEB_TEST(what_is_no_preflight_goes_on),
        WEB_TEST(preflights_tell_what_was_set),
        WEB_TEST(what_is_no_list_of_fields_is_not_given_back),
        WEB_TEST(private_networks_are_opened_where_asked_for),
        WEB_TEST(a_function_is_asked_about_the_others),
        WEB_TEST(routes_know_better_and_vary_is_added_to),
        cmocka_unit_test(wrong_options_are_told_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
