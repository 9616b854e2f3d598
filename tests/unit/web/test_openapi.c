/* SPDX-License-Identifier: MIT */
/* Routes told: each, as a table, as JSON, as an OpenAPI document. */
#include <stdio.h>
#include <torc/compress.h>
#include <torc/cors.h>
#include <torc/csrf.h>
#include <torc/etag.h>
#include <torc/front_door.h>
#include <torc/json.h>
#include <torc/middleware.h>
#include <torc/middleware_of.h>
#include <torc/openapi.h>
#include <torc/rate_limit.h>
#include <torc/request_id.h>
#include <torc/route_limits.h>
#include <torc/security_headers.h>
#include <torc/timing.h>

#include "testing/uncounted.h"
#include "web/openapi.h"
#include "web_fixture.h"

static torc_render render(torc_request *request) {
    return torc_reply_text(request, 200, "here");
}

static const torc_openapi_info info = {.title = "Things", .version = "1.2", .description = "All."};

static void let_go(torc_middleware *middleware) {
    (void)middleware;
}

static const torc_middleware_ops named_ops = {.dispose = let_go, .name = "named"};
static const torc_middleware_ops nameless_ops = {.dispose = let_go};

static torc_resource *new_tree(void) {
    static torc_middleware around, inside, shallow;
    torc_resource *root = torc_folder_new();
    torc_resource *api = torc_resource_group(root, "/api/{org}");

    around = (torc_middleware){.ops = &named_ops};
    inside = (torc_middleware){.ops = &nameless_ops};
    shallow = (torc_middleware){.ops = &named_ops, .is_shallow = true};
    torc_resource_use(root, &around);
    torc_resource_use(api, &inside);
    torc_resource_use(api, &shallow);
    torc_resource_route_with(api, "GET", render,
                             TORC_ROUTE_OPTIONS(.name = "org", .summary = "One org"));
    torc_resource_route(api, "POST /users/{id:int}.json", render);
    torc_resource_route_with(root, "* /any/*", render, TORC_ROUTE_OPTIONS(.is_hidden = true));
    torc_resource_put_child(root, "data", torc_data_new(TORC_STR("x"), NULL));
    torc_resource_put_child(root, "leaf", torc_render_new(render, 0, true));
    return root;
}

static void the_table_has_a_line_for_all_that_answers(void **state) {
    static const char expected[] =
        "METHOD     PATH                            NAME  MIDDLEWARE\n"
        "*          /any/*                                named\n"
        "GET        /api/{org}                      org   named, ?, named\n"
        "POST       /api/{org}/users/{id:int}.json        named, ?\n"
        "GET, HEAD  /data                                 named\n"
        "*          /leaf[/*]                             named\n";
    torc_resource *root = new_tree();
    torc_buf text;

    (void)state;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 4096);
    check_ok(torc_routes_write_text(root, &text));
    check_str_of(torc_buf_str(&text), expected);
    torc_buf_dispose(&text);
    torc_resource_dispose(root);
}

/* A shop whose API is for its host alone; "home" is a name in both. */
static torc_resource *new_tree_with_hosts(void) {
    torc_resource *root = torc_folder_new(), *shop = torc_folder_new(), *any = torc_folder_new();
    static torc_middleware around;

    around = (torc_middleware){.ops = &named_ops};
    torc_resource_use(root, &around);
    torc_resource_route_with(root, "GET /", render, TORC_ROUTE_OPTIONS(.name = "home"));
    torc_resource_route_with(shop, "GET /", render, TORC_ROUTE_OPTIONS(.name = "home"));
    torc_resource_route_with(shop, "GET /item/{id:uint}", render,
                             TORC_ROUTE_OPTIONS(.name = "item"));
    torc_resource_put_child(shop, "openapi.json", torc_openapi_new(&info));
    torc_resource_route(any, "GET /page", render);
    torc_resource_put_host(root, "Shop.example", shop);
    torc_resource_put_host(root, "*.shop.example", any);
    torc_resource_put_host(torc_resource_group(root, "/deep"), "*",
                           torc_data_new(TORC_STR("x"), NULL));
    return root;
}

static void routes_of_hosts_are_told_with_their_host(void **state) {
    static const char expected[] = "METHOD     PATH                         NAME  MIDDLEWARE\n"
                                   "GET        /                            home  named\n"
                                   "GET, HEAD  */deep                             named\n"
                                   "GET        *.shop.example/page                named\n"
                                   "GET        shop.example/                home  named\n"
                                   "GET        shop.example/item/{id:uint}  item  named\n"
                                   "GET, HEAD  shop.example/openapi.json          named\n";
    torc_resource *root = new_tree_with_hosts();
    torc_json json;
    torc_buf text;

    (void)state;
    check_ok(torc_resource_err(root));
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 4096);
    check_ok(torc_routes_write_text(root, &text));
    check_str_of(torc_buf_str(&text), expected);
    torc_buf_truncate(&text, 0);
    torc_json_init_buf(&json, &text, TORC_JSON_PLAIN);
    check_ok(torc_routes_write_json(torc_resource_host(root, TORC_STR("*.shop.example")), &json));
    check_ok(torc_json_end(&json));
    check_str_of(torc_buf_str(&text),
                 "[{\"method\":\"GET\",\"path\":\"/page\",\"middleware\":[]}]");
    torc_buf_truncate(&text, 0);
    torc_json_init_buf(&json, &text, TORC_JSON_PLAIN);
    check_ok(torc_routes_write_json(root, &json));
    check_ok(torc_json_end(&json));
    assert_true(torc_str_find(torc_buf_str(&text),
                              TORC_STR("{\"method\":\"GET\",\"host\":\"*.shop.example\","
                                       "\"path\":\"/page\",\"middleware\":[\"named\"]}")) > 0);
    torc_buf_dispose(&text);
    torc_resource_dispose(root);
}

static void check_paths(torc_str document) {
    assert_true(torc_str_find(document, TORC_STR("\"/item/{id}\":")) > 0);
    assert_true(torc_str_find(document, TORC_STR("\"/\":")) > 0);
    assert_true(torc_str_find(document, TORC_STR("\"/page\":")) < 0);
    assert_true(torc_str_find(document, TORC_STR("\"title\":\"Things\"")) > 0);
}

static void a_document_within_a_host_is_of_that_host(void **state) {
    torc_resource *root = new_tree_with_hosts();
    torc_json json;
    torc_buf text;

    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 16384);
    torc_json_init_buf(&json, &text, TORC_JSON_PLAIN);
    check_ok(torc_openapi_write_first(root, NULL, &json));
    check_ok(torc_json_end(&json));
    check_paths(torc_buf_str(&text));
    torc_buf_dispose(&text);
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test = web_ask(*state, site, "GET /openapi.json\nHost: shop.example:81");
    assert_int_equal(torc_test_request_status(test), 200);
    check_paths(torc_test_request_body(test));
    torc_test_request_free(test);
    torc_site_free(site);
}

static void each_host_has_names_of_its_own(void **state) {
    torc_resource *root = new_tree_with_hosts();
    torc_resource *shop = torc_resource_host(root, TORC_STR("shop.example"));

    (void)state;
    check_ok(torc_resource_err(root));
    torc_resource_route_with(shop, "GET /other", render, TORC_ROUTE_OPTIONS(.name = "item"));
    check_err(torc_resource_err(root), TORC_ERR_INVALID);
    assert_string_equal(torc_resource_err_text(root), "two routes have the name \"item\": \"GET "
                                                      "/item/{id:uint}\" and \"GET /other\"");
    torc_resource_dispose(root);
}

/* No matter what they do: all that the library makes have names in the table. */
static void ready_middlewares_have_names(void **state) {
    static const char *const origins[] = {"https://a.example", NULL}, *const paths[] = {"/b", NULL};
    const torc_cors_options cors = {.size = sizeof(cors), .origins = origins};
    const torc_rate_limit_options rate = {.size = sizeof(rate), .rate = "9/s"};
    const torc_route_limits_options limits = {.size = sizeof(limits), .body_bytes_max = 9};
    torc_resource *root = torc_folder_new();
    torc_buf text;

    (void)state;
    torc_resource_use(root, torc_request_id_new(NULL));
    torc_resource_use(root, torc_timing_new(NULL));
    torc_resource_use(root, torc_https_only_new(0));
    torc_resource_use(root, torc_canonical_host_new("a.example"));
    torc_resource_use(root, torc_closed_new(9, NULL));
    torc_resource_use(root, torc_security_headers_new(NULL));
    torc_resource_use(root, torc_cors_new(&cors));
    torc_resource_use(root, torc_csrf_new(NULL));
    torc_resource_use(root, torc_rate_limit_new(&rate));
    torc_resource_use(root, torc_route_limits_new(&limits));
    torc_resource_use(root, torc_compress_new(NULL));
    torc_resource_use(root, torc_middleware_unless_path(paths, torc_etag_new(0)));
    torc_resource_use(root, torc_middleware_of(render, NULL));
    torc_resource_route(root, "GET /a", render);
    check_ok(torc_resource_err(root));
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 4096);
    check_ok(torc_routes_write_text(root, &text));
    check_str_of(torc_buf_str(&text),
                 "METHOD  PATH  NAME  MIDDLEWARE\n"
                 "GET     /a          request id, timing, https only, canonical host, closed, "
                 "security headers, cors, csrf, rate limit, limits, compress, [etag], function\n");
    torc_buf_dispose(&text);
    torc_resource_dispose(root);
}

static void the_same_is_had_as_json(void **state) {
    torc_resource *root = new_tree();
    torc_json json;
    torc_buf text;

    (void)state;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 4096);
    torc_json_init_buf(&json, &text, TORC_JSON_PLAIN);
    check_ok(torc_routes_write_json(root, &json));
    check_ok(torc_json_end(&json));
    check_str(torc_buf_str(&text),
              "[{\"method\":\"*\",\"path\":\"/any/*\",\"hidden\":true,\"middleware\":[\"named\"]},"
              "{\"method\":\"GET\",\"path\":\"/api/{org}\",\"name\":\"org\",\"summary\":\"One "
              "org\",\"middleware\":[\"named\",null,\"named\"]},"
              "{\"method\":\"POST\",\"path\":\"/api/{org}/users/{id:int}.json\","
              "\"middleware\":[\"named\",null]},"
              "{\"method\":\"GET, HEAD\",\"path\":\"/data\",\"middleware\":[\"named\"]},"
              "{\"method\":\"*\",\"path\":\"/leaf\",\"leaf\":true,\"middleware\":[\"named\"]}]");
    torc_buf_dispose(&text);
    torc_resource_dispose(root);
}

static void count_route(void *context, const torc_route_info *route) {
    if (route->render) ++*(int *)context;
}

static void a_tree_that_is_too_deep_is_told_as_far_as_it_goes(void **state) {
    torc_resource *root = torc_folder_new(), *at = root;
    int count = 0;

    (void)state;
    for (int i = 0; i < 70; i++) {
        torc_resource_route(at, "GET", render);
        at = torc_resource_group(at, "/x");
    }
    check_err(torc_resource_each_route(root, count_route, &count), TORC_ERR_LIMIT);
    assert_int_equal(count, 65);
    torc_resource_dispose(root);
}

/* ---- OpenAPI ---- */

#define HEAD                                                                                       \
    "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Things\",\"version\":\"1.2\",\"description\":"   \
    "\"All.\"},\"paths\":{"
#define DEFAULT "\"responses\":{\"default\":{\"description\":\"The answer.\"}}"

/* The paths of the document, which is taken apart no further. */
static void check_paths_at(const torc_resource *root, const char *expected, int line) {
    torc_json json;
    torc_buf text;

    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 65536);
    torc_json_init_buf(&json, &text, TORC_JSON_PLAIN);
    check_ok(torc_openapi_write(root, &info, &json));
    check_ok(torc_json_end(&json));
    assert_true(torc_str_starts_with(torc_buf_str(&text), TORC_STR(HEAD)));
    const torc_str rest = torc_str_from(torc_buf_str(&text), sizeof(HEAD) - 1);
    const ptrdiff_t end = torc_str_find(rest, TORC_STR("},\"components\":{\"schemas\":{\"Problem"));
    assert_true(end >= 0);
    check_str_at(torc_str_head(rest, (size_t)end), torc_str_of(expected), __FILE__, line);
    torc_buf_dispose(&text);
}

#define check_paths(root, expected) check_paths_at((root), (expected), __LINE__)

static void parameters_have_schemas_by_their_kinds(void **state) {
    static const char expected[] =
        "\"/{a}/{b}/{c}/{d}/{e}/{f}/v{g}/{rest}\":{\"get\":{\"parameters\":["
        "{\"name\":\"a\",\"in\":\"path\",\"required\":true,"
        "\"schema\":{\"type\":\"string\",\"minLength\":1}},"
        "{\"name\":\"b\",\"in\":\"path\",\"required\":true,"
        "\"schema\":{\"type\":\"integer\",\"format\":\"int64\"}},"
        "{\"name\":\"c\",\"in\":\"path\",\"required\":true,"
        "\"schema\":{\"type\":\"number\"}},"
        "{\"name\":\"d\",\"in\":\"path\",\"required\":true,"
        "\"schema\":{\"type\":\"string\",\"format\":\"uuid\"}},"
        "{\"name\":\"e\",\"in\":\"path\",\"required\":true,"
        "\"schema\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_-]+$\"}},"
        "{\"name\":\"f\",\"in\":\"path\",\"required\":true,"
        "\"schema\":{\"type\":\"string\",\"enum\":[\"x\",\"y\"]}},"
        "{\"name\":\"g\",\"in\":\"path\",\"required\":true,"
        "\"schema\":{\"type\":\"integer\",\"minimum\":0}},"
        "{\"name\":\"rest\",\"in\":\"path\",\"required\":true,"
        "\"description\":\"All that is left of the path, with slashes.\","
        "\"schema\":{\"type\":\"string\"}}]," DEFAULT "}}";
    torc_resource *root = torc_folder_new();

    (void)state;
    torc_resource_route(
        root, "GET /{a}/{b:int}/{c:float}/{d:uuid}/{e:slug}/{f:any(x|y)}/v{g:uint}/*", render);
    check_paths(root, expected);
    torc_resource_dispose(root);
}

static void what_is_told_of_a_route_is_in_its_operation(void **state) {
    static const char *const tags[] = {"one", "two", NULL};
    static const torc_route_input inputs[] = {
        {.name = "page", .kind = TORC_PARAM_INT, .min = 1, .max = 9, .description = "Which."},
        {.name = "lang", .kind = TORC_PARAM_ANY, .choices = "en|de", .is_required = true},
        {.name = "If-Match", .kind = TORC_PARAM_STR, .is_field = true},
    };
    static const torc_route_content item = {.schema = torc_schema_object};
    static const torc_route_response responses[] = {
        {.status = 200, .content = {.schema = torc_schema_list, .of = &item}},
        {.status = 204, .description = "Gone."},
        {.status = 404},
        {.status = 415, .content = {.type = "text/plain", .schema = torc_schema_text}},
    };
    static const char expected[] =
        "\"/x\":{\"put\":{\"operationId\":\"put_x\",\"summary\":\"Put\",\"description\":\"Puts.\","
        "\"tags\":[\"one\",\"two\"],\"deprecated\":true,\"parameters\":["
        "{\"name\":\"page\",\"in\":\"query\",\"description\":\"Which.\","
        "\"schema\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}},"
        "{\"name\":\"lang\",\"in\":\"query\",\"required\":true,"
        "\"schema\":{\"type\":\"string\",\"enum\":[\"en\",\"de\"]}},"
        "{\"name\":\"If-Match\",\"in\":\"header\",\"schema\":{\"type\":\"string\"}}],"
        "\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{"
        "\"schema\":{\"type\":\"object\"}}}},\"responses\":{"
        "\"200\":{\"description\":\"OK\",\"content\":{\"application/json\":{\"schema\":"
        "{\"type\":\"array\",\"items\":{\"type\":\"object\"}}}}},"
        "\"204\":{\"description\":\"Gone.\"},"
        "\"404\":{\"description\":\"Not Found\",\"content\":{\"application/problem+json\":{"
        "\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}},"
        "\"415\":{\"description\":\"Unsupported Media Type\",\"content\":{\"text/plain\":{"
        "\"schema\":{\"type\":\"string\"}}}}}}}";
    torc_resource *root = torc_folder_new();

    (void)state;
    torc_resource_route_with(
        root, "PUT /x", render,
        TORC_ROUTE_OPTIONS(.name = "put_x", .summary = "Put", .description = "Puts.", .tags = tags,
                           .is_deprecated = true, .body.schema = torc_schema_object,
                           .inputs = inputs, .input_count = TORC_COUNT_OF(inputs),
                           .responses = responses, .response_count = TORC_COUNT_OF(responses)));
    check_paths(root, expected);
    torc_resource_dispose(root);
}

static void patterns_that_differ_in_names_are_one_path(void **state) {
    static const char expected[] =
        "\"/a/{n}\":{\"get\":{\"operationId\":\"number\",\"parameters\":[{\"name\":\"n\",\"in\":"
        "\"path\",\"required\":true,\"schema\":{\"type\":\"integer\",\"minimum\":0}}]," DEFAULT "},"
        "\"put\":{\"operationId\":\"put\",\"parameters\":[{\"name\":\"n\",\"in\":\"path\","
        "\"required\":true,\"schema\":{\"type\":\"string\",\"minLength\":1}}]," DEFAULT "}}";
    torc_resource *root = torc_folder_new();

    (void)state;
    torc_resource_route_with(root, "GET /a/{text}", render, TORC_ROUTE_OPTIONS(.name = "text"));
    torc_resource_route_with(root, "PUT /a/{text}", render, TORC_ROUTE_OPTIONS(.name = "put"));
    torc_resource_route_with(root, "GET /a/{n:uint}", render, TORC_ROUTE_OPTIONS(.name = "number"));
    check_paths(root, expected);
    torc_resource_dispose(root);
}

static void any_method_is_told_as_those_that_nobody_else_answers(void **state) {
    static const char expected[] =
        "\"/\":{\"post\":{\"operationId\":\"post\",\"parameters\":[]," DEFAULT "},"
        "\"get\":{\"operationId\":\"all_get\",\"parameters\":[]," DEFAULT "},"
        "\"put\":{\"operationId\":\"all_put\",\"parameters\":[]," DEFAULT "},"
        "\"patch\":{\"operationId\":\"all_patch\",\"parameters\":[]," DEFAULT "},"
        "\"delete\":{\"operationId\":\"all_delete\",\"parameters\":[]," DEFAULT "}}";
    torc_resource *root = torc_folder_new();

    (void)state;
    torc_resource_route_with(root, "* /", render, TORC_ROUTE_OPTIONS(.name = "all"));
    torc_resource_route_with(root, "POST /", render, TORC_ROUTE_OPTIONS(.name = "post"));
    torc_resource_route_with(root, "HEH /", render, TORC_ROUTE_OPTIONS(.name = "nobody's"));
    torc_resource_route_with(root, "GET /hidden", render, TORC_ROUTE_OPTIONS(.is_hidden = true));
    torc_resource_put_child(root, "data", torc_data_new(TORC_STR("x"), NULL));
    check_paths(root, expected);
    torc_resource_dispose(root);
}

/* Where the server is, if it is not this one, and a body that may be lacking. */
static void what_is_said_otherwise_is_in_the_document(void **state) {
    const torc_openapi_info elsewhere = {
        .title = "Things", .version = "2", .server_url = "https://a.example/api"};
    torc_resource *root = torc_folder_new();
    torc_json json;
    torc_buf text;

    (void)state;
    torc_resource_route_with(
        root, "POST /x", render,
        TORC_ROUTE_OPTIONS(.body.schema = torc_schema_object, .has_optional_body = true));
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 65536);
    torc_json_init_buf(&json, &text, TORC_JSON_PLAIN);
    check_ok(torc_openapi_write(root, &elsewhere, &json));
    check_ok(torc_json_end(&json));
    assert_true(torc_str_find(torc_buf_str(&text),
                              TORC_STR("\"servers\":[{\"url\":\"https://a.example/api\"}]")) > 0);
    assert_true(torc_str_find(torc_buf_str(&text),
                              TORC_STR("\"requestBody\":{\"content\":{\"application/json\":")) > 0);
    torc_buf_dispose(&text);
    torc_resource_dispose(root);
}

static void a_document_without_room_is_none(void **state) {
    torc_resource *root = new_tree();
    char bytes[600];

    (void)state;
    for (size_t size = 1; size < sizeof(bytes); size++) {
        torc_json json;
        torc_buf text;
        torc_buf_init_fixed(&text, bytes, size);
        torc_json_init_buf(&json, &text, TORC_JSON_PLAIN);
        (void)!torc_openapi_write(root, &info, &json);
        check_err(torc_json_end(&json), TORC_ERR_LIMIT);
    }
    torc_resource_dispose(root);
}

static void the_document_is_made_once_and_anew_when_asked(void **state) {
    torc_resource *root = torc_folder_new(), *openapi = torc_openapi_new(&info);

    torc_resource_put_child(root, "openapi.json", openapi);
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *first = web_ask(*state, site, "GET /openapi.json");
    assert_int_equal(torc_test_request_status(first), 200);
    check_str(torc_test_request_field(first, "Content-Type"), "application/json");
    torc_resource_route(root, "GET /new", render);
    torc_test_request *second = web_ask(*state, site, "GET /openapi.json");
    assert_true(torc_str_equals(torc_test_request_body(first), torc_test_request_body(second)));
    torc_openapi_refresh(openapi);
    torc_test_request *third = web_ask(*state, site, "GET /openapi.json");
    assert_true(torc_str_find(torc_test_request_body(third), TORC_STR("/new")) > 0);
    assert_int_equal(web_status(*state, site, "POST /openapi.json"), 405);
    assert_int_equal(web_status(*state, site, "HEAD /openapi.json"), 200);
    torc_test_request_free(first);
    torc_test_request_free(second);
    torc_test_request_free(third);
    torc_site_free(site);
}

static void without_memory_there_is_no_document(void **state) {
    torc_test_fail_uncounted(1);
    assert_null(torc_openapi_new(&info));
    torc_test_fail_uncounted(0);

    torc_resource *root = torc_folder_new();
    torc_resource_put_child(root, "openapi.json", torc_openapi_new(&info));
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test =
        torc_test_request_new(*state, torc_site_acceptor(site), "GET /openapi.json");
    torc_test_fail_uncounted(1);
    web_finish(*state, test);
    assert_true(torc_test_uncounted_failed());
    torc_test_fail_uncounted(0);
    assert_int_equal(torc_test_request_status(test), 503);
    torc_test_request_free(test);
    assert_int_equal(web_status(*state, site, "GET /openapi.json"), 200);
    torc_site_free(site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(a_document_within_a_host_is_of_that_host),
        cmocka_unit_test(routes_of_hosts_are_told_with_their_host),
        cmocka_unit_test(each_host_has_names_of_its_own),
        cmocka_unit_test(the_table_has_a_line_for_all_that_answers),
        cmocka_unit_test(ready_middlewares_have_names),
        cmocka_unit_test(the_same_is_had_as_json),
        cmocka_unit_test(a_tree_that_is_too_deep_is_told_as_far_as_it_goes),
        cmocka_unit_test(parameters_have_schemas_by_their_kinds),
        cmocka_unit_test(what_is_told_of_a_route_is_in_its_operation),
        cmocka_unit_test(patterns_that_differ_in_names_are_one_path),
        cmocka_unit_test(any_method_is_told_as_those_that_nobody_else_answers),
        cmocka_unit_test(what_is_said_otherwise_is_in_the_document),
        cmocka_unit_test(a_document_without_room_is_none),
        WEB_TEST(the_document_is_made_once_and_anew_when_asked),
        WEB_TEST(without_memory_there_is_no_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
