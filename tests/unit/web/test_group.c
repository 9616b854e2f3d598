/* SPDX-License-Identifier: MIT */
/* Groups and mounts, what a slash at the end means there, and URLs made from names. */
#include <stdio.h>
#include <torc/error_page.h>
#include <torc/log.h>
#include <torc/rewrite.h>

#include "testing/uncounted.h"
#include "web/tree.h"
#include "web_fixture.h"

static torc_render show(torc_request *request) {
    static const char *const names[] = {"org", "id", "rest"};
    char text[300] = "";

    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) {
        const torc_str value = torc_request_param(request, names[i]);
        if (!value.len) continue;
        snprintf(text + strlen(text), 90, "%s=%.*s;", names[i], TORC_STR_ARGS(value));
    }
    snprintf(text + strlen(text), 20, "depth %zu", torc_request_depth(request));
    return torc_reply_text(request, 200, text);
}

static torc_render show_resource(torc_resource *resource, torc_request *request) {
    (void)resource;
    return show(request);
}

static torc_resource *new_leaf(void) {
    return torc_render_new(show, 0, true);
}

static void a_group_shares_its_prefix_and_parameters(void **state) {
    torc_resource *root = torc_folder_new();
    torc_resource *orgs = torc_resource_group(root, "/api/orgs/{org}");
    torc_resource *users = torc_resource_group(orgs, "/users");

    torc_resource_route(orgs, "GET", show);
    torc_resource_route(users, "GET", show);
    torc_resource_route(users, "GET /", show);
    torc_resource_route(users, "GET /{id:int}", show);
    torc_resource_route(users, "GET /{org}", show); /* hides the group's */
    torc_resource_put_child(orgs, "leaf", new_leaf());
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /api/orgs/acme", 200, "org=acme;depth 3");
    web_check(*state, site, "GET /api/orgs/acme/users", 200, "org=acme;depth 4");
    web_check(*state, site, "GET /api/orgs/acme/users/", 200, "org=acme;depth 5");
    web_check(*state, site, "GET /api/orgs/acme/users/7", 200, "org=acme;id=7;depth 5");
    web_check(*state, site, "GET /api/orgs/acme/users/x", 200, "org=x;depth 5");
    web_check(*state, site, "GET /api/orgs/acme/leaf/x/y", 200, "org=acme;depth 4");
    assert_int_equal(web_status(*state, site, "GET /api/orgs"), 404);
    assert_int_equal(web_status(*state, site, "GET /api/orgs/"), 404);
    torc_site_free(site);
}

static void the_same_path_is_the_same_group(void **state) {
    (void)state;
    torc_resource *root = torc_folder_new();
    torc_resource *group = torc_resource_group(root, "/a/{x:int}");

    assert_ptr_equal(torc_resource_group(root, "/a/{x:int}"), group);
    assert_ptr_equal(torc_resource_group(torc_resource_group(root, "/a"), "/{x:int}"), group);
    assert_ptr_equal(torc_resource_group(root, ""), root);
    assert_ptr_not_equal(torc_resource_group(root, "/a/{x}"), group);
    check_ok(torc_resource_err(root));
    torc_resource_dispose(root);
}

static void a_mistake_in_a_group_or_a_mount_is_told(void **state) {
    static const struct {
        const char *path, *group, *mount;
    } cases[] = {
        {"a", "group \"a\": a path begins with `/`", "mount \"a\": a path begins with `/`"},
        {"/a/", "group \"/a/\": it ends without `/`", "mount \"/a/\": it ends without `/`"},
        {"/*", "group \"/*\": it has no rest", "mount \"/*\": it has no rest"},
        {"/{a", "group \"/{a\": a parameter stands in braces: {name}",
         "mount \"/{a\": a parameter stands in braces: {name}"},
        {"/is/{b}", "group \"/is/{b}\": the same place is a group with other names of parameters",
         "mount \"/is/{b}\": there is something already"},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        torc_resource *root = torc_folder_new();
        torc_resource_group(root, "/is/{a}");
        assert_ptr_equal(torc_resource_group(root, cases[i].path), root);
        check_err(torc_resource_err(root), TORC_ERR_SYNTAX);
        check_str_of(torc_str_of(torc_resource_err_text(root)), cases[i].group);
        torc_resource_dispose(root);
        root = torc_folder_new();
        torc_resource_group(root, "/is/{a}");
        torc_resource_mount(root, cases[i].path, torc_folder_new());
        check_str_of(torc_str_of(torc_resource_err_text(root)), cases[i].mount);
        torc_resource_dispose(root);
    }
    torc_resource *root = torc_folder_new();
    torc_resource_mount(root, "", torc_folder_new());
    check_str(torc_str_of(torc_resource_err_text(root)), "mount \"\": a path begins with `/`");
    torc_resource_dispose(root);
    root = torc_folder_new();
    torc_resource_mount(root, "/x", NULL);
    check_err(torc_resource_err(root), TORC_ERR_NO_MEMORY);
    torc_resource_dispose(root);
}

static const torc_resource_ops temporary_ops = {.render = show_resource};

static torc_resource *find_temporary(torc_resource *resource, torc_request *request,
                                     torc_str name) {
    torc_resource *child = torc_arena_alloc(torc_request_arena(request), sizeof(*child));

    (void)resource;
    if (!child || !torc_str_equals(name, TORC_STR("made"))) return NULL;
    torc_resource_init(child, &temporary_ops);
    child->is_temporary = true;
    return child;
}

static const torc_resource_ops finding_ops = {.find_child = find_temporary};

static void what_is_mounted_is_reached_with_its_parameters(void **state) {
    static torc_resource finding;
    torc_resource *root = torc_folder_new(), *child = torc_folder_new();

    torc_resource_init(&finding, &finding_ops);
    torc_resource_route(child, "GET /x/{id}", show);
    torc_resource_mount(root, "/api/v{org:uint}", child);
    torc_resource_mount(root, "/{org}/found", &finding);
    torc_resource_mount(root, "/files/{id}", new_leaf());
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /api/v2/x/7", 200, "org=2;id=7;depth 4");
    web_check(*state, site, "GET /me/found/made", 200, "org=me;depth 3");
    web_check(*state, site, "GET /files/a/b/c", 200, "id=a;depth 2");
    assert_int_equal(web_status(*state, site, "GET /api/v/x/7"), 404);
    assert_int_equal(web_status(*state, site, "GET /me/found/other"), 404);
    torc_site_free(site);
}

/* ---- slashes ---- */

static void check_redirect(void *reactor, torc_site *site, const char *head, const char *location) {
    torc_test_request *test = web_ask(reactor, site, head);

    assert_int_equal(torc_test_request_status(test), 308);
    check_str_of(torc_test_request_field(test, "Location"), location);
    torc_test_request_free(test);
}

static void a_slash_is_redirected_where_it_is_said(void **state) {
    torc_resource *root = torc_folder_new();
    torc_resource *lenient = torc_resource_group(root, "/l");
    torc_resource *strict = torc_resource_group(lenient, "/strict");

    torc_resource_set_slashes(lenient, TORC_SLASHES_REDIRECT);
    torc_resource_set_slashes(strict, TORC_SLASHES_STRICT);
    torc_resource_route(lenient, "GET /a b", show);
    torc_resource_route(lenient, "GET /dir/", show);
    torc_resource_route(lenient, "PUT /{id:int}", show);
    torc_resource_route(strict, "GET /a", show);
    torc_resource_route(root, "GET /a", show);
    torc_site *site = torc_site_new(root, NULL);
    check_redirect(*state, site, "GET /l/a%20b/?x=1&y=%2F", "/l/a%20b?x=1&y=%2F");
    check_redirect(*state, site, "HEAD /l/dir?", "/l/dir/?");
    check_redirect(*state, site, "PUT /l/7/", "/l/7");
    web_check(*state, site, "GET /l/dir/", 200, "depth 3");
    assert_int_equal(web_status(*state, site, "PUT /l/x/"), 404);
    assert_int_equal(web_status(*state, site, "GET /l/7/"), 404);
    assert_int_equal(web_status(*state, site, "POST /l/dir/"), 405);
    check_redirect(*state, site, "GET /l/dir//", "/l/dir/");
    assert_int_equal(web_status(*state, site, "GET /l/dir///"), 404);
    assert_int_equal(web_status(*state, site, "GET /l/strict/a/"), 404);
    assert_int_equal(web_status(*state, site, "GET /a/"), 404);
    assert_int_equal(web_status(*state, site, "GET /"), 404);
    torc_site_free(site);
}

static void a_slash_may_be_either(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_set_slashes(root, TORC_SLASHES_EITHER);
    torc_resource_route(root, "GET /a", show);
    torc_resource_route(root, "GET /dir/", show);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /a/", 200, "depth 1");
    web_check(*state, site, "GET /dir", 200, "depth 2");
    assert_int_equal(web_status(*state, site, "GET /b/"), 404);
    torc_site_free(site);
}

static torc_render tell_path(torc_request *request, const torc_error_reply *error, void *context) {
    (void)context;
    return torc_reply_bytes(request, error->status, "text/plain", torc_request_path(request));
}

/* What a rule makes of the other path was not asked for: the client is not sent there. */
static void a_slash_does_not_redirect_to_what_was_rewritten(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_set_slashes(root, TORC_SLASHES_REDIRECT);
    torc_resource_rewrite(root, "/old$", "/1/2/3/4/5/6/7/8/new");
    torc_resource_route(root, "GET /1/2/3/4/5/6/7/8/new", show);
    torc_resource_on_error(root, tell_path, NULL);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /old", 200, "depth 9");
    web_check(*state, site, "GET /old/", 404, "/old/");
    torc_site_free(site);

    root = torc_folder_new();
    torc_resource_set_slashes(root, TORC_SLASHES_EITHER);
    torc_resource_rewrite(root, "/old$", "/new");
    torc_resource_route(root, "GET /new", show);
    site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /old/", 200, "depth 1");
    torc_site_free(site);
}

/* "//host/" would be a redirect to another host, and so would "/\\host/" for browsers. */
static void a_path_like_a_host_is_not_redirected(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_set_slashes(root, TORC_SLASHES_REDIRECT);
    torc_resource_route(root, "GET //{id}/x", show);
    torc_resource_route(root, "GET /{id}", show);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET //evil.example/x", 200, "id=evil.example;depth 3");
    assert_int_equal(web_status(*state, site, "GET //evil.example/x/"), 404);
    assert_int_equal(web_status(*state, site, "GET /\\evil.example/"), 404);
    check_redirect(*state, site, "GET /a\\b/", "/a\\b");
    torc_site_free(site);
}

/* ---- URLs ---- */

static torc_resource *new_named(void) {
    torc_resource *root = torc_folder_new();
    torc_resource *orgs = torc_resource_group(root, "/api/orgs/{org:slug}");

    torc_resource_route_with(root, "GET /", show, TORC_ROUTE_OPTIONS(.name = "home"));
    torc_resource_route_with(orgs, "GET", show, TORC_ROUTE_OPTIONS(.name = "org"));
    torc_resource_route_with(orgs, "GET /users/{id:int}", show, TORC_ROUTE_OPTIONS(.name = "user"));
    torc_resource_route_with(root, "GET /a b/v{v:uint}.txt/{who}", show,
                             TORC_ROUTE_OPTIONS(.name = "odd"));
    torc_resource_route_with(root, "GET /files/{rest...}", show,
                             TORC_ROUTE_OPTIONS(.name = "file"));
    torc_resource_route_with(root, "GET /{rest...}", show, TORC_ROUTE_OPTIONS(.name = "all"));
    torc_resource_route_with(root, "GET /star/*", show, TORC_ROUTE_OPTIONS(.name = "star"));
    check_ok(torc_resource_err(root));
    return root;
}

static void a_name_is_that_of_one_route(void **state) {
    torc_resource *root = new_named();
    torc_resource *users = torc_resource_group(root, "/users");

    (void)state;
    torc_resource_route_with(users, "PUT /{id}", show, TORC_ROUTE_OPTIONS(.name = "user"));
    check_ok(torc_resource_err(users)); /* in itself it is sound */
    assert_int_equal(torc_resource_err(root), TORC_ERR_INVALID);
    assert_string_equal(torc_resource_err_text(root),
                        "two routes have the name \"user\": \"GET /users/{id:int}\" and "
                        "\"PUT /{id}\"");
    assert_null(torc_site_new(root, NULL));
}

static void a_route_in_place_of_another_may_have_its_name(void **state) {
    torc_resource *root = new_named();

    (void)state;
    torc_resource_route_with(root, "GET /", show, TORC_ROUTE_OPTIONS(.name = "home"));
    check_ok(torc_resource_err(root));
    torc_resource_dispose(root);
}

#define check_url(root, name, ...)                                                                 \
    check_url_of(root, name, __VA_ARGS__, torc_url_param_int(NULL, 0, false))
#define check_url_of(root, name, literal, ...)                                                     \
    check_url_at((root), (name), (const torc_url_param[]){__VA_ARGS__},                            \
                 TORC_COUNT_OF(((const torc_url_param[]){__VA_ARGS__})) - 1, (literal), __LINE__)

/* The URL, or "!" and the name of the parameter that is wrong. */
static void check_url_at(const torc_resource *root, const char *name, const torc_url_param *params,
                         size_t count, const char *expected, int line) {
    char bytes[300], text[80];
    torc_str wrong = {NULL, 0};
    torc_buf url;

    torc_buf_init_fixed(&url, bytes, sizeof(bytes));
    torc_buf_add(&url, TORC_STR("="));
    const torc_err err = torc_resource_write_url(root, name, params, count, &url, &wrong);
    if (err) {
        check_str(torc_buf_str(&url), "=");
        snprintf(text, sizeof(text), "%s!%.*s", torc_err_name(err), TORC_STR_ARGS(wrong));
        check_str_at(torc_str_of(text), torc_str_of(expected), __FILE__, line);
        return;
    }
    check_str_at(torc_str_from(torc_buf_str(&url), 1), torc_str_of(expected), __FILE__, line);
}

static void urls_lead_back_to_their_routes(void **state) {
    (void)state;
    torc_resource *root = new_named();

    check_url(root, "home", "/");
    check_url(root, "org", "/api/orgs/acme", TORC_URL_TEXT("org", "acme"));
    check_url(root, "user", "/api/orgs/acme/users/-7", TORC_URL_INT("id", -7),
              TORC_URL_TEXT("org", "acme"));
    check_url(root, "user", "/api/orgs/acme/users/-9223372036854775808",
              TORC_URL_INT("id", INT64_MIN), TORC_URL_TEXT("org", "acme"));
    check_url(root, "odd", "/a%20b/v1.txt/%2F%3F%23%25%C3%A4", TORC_URL_INT("v", 1),
              TORC_URL_STR("who", TORC_STR("/?#%\xc3\xa4")));
    check_url(root, "file", "/files/a/b%20c/", TORC_URL_TEXT("rest", "a/b c/"));
    check_url(root, "file", "/files/", TORC_URL_TEXT("rest", ""));
    check_url(root, "home", "/?q=a%26b&page=2&q=", TORC_URL_ARG_TEXT("q", "a&b"),
              TORC_URL_ARG_INT("page", 2), TORC_URL_ARG_STR("q", TORC_STR("")));
    torc_resource_dispose(root);
}

static void what_would_not_lead_back_is_refused(void **state) {
    (void)state;
    torc_resource *root = new_named();

    check_url(root, "nobody", "NOT_FOUND!");
    check_url(root, "org", "INVALID!org");
    check_url(root, "org", "INVALID!org", TORC_URL_TEXT("org", "a b"));
    check_url(root, "org", "INVALID!org", TORC_URL_TEXT("org", ""));
    check_url(root, "org", "INVALID!other", TORC_URL_TEXT("org", "a"), TORC_URL_TEXT("other", "b"));
    check_url(root, "user", "INVALID!id", TORC_URL_TEXT("id", "x"), TORC_URL_TEXT("org", "a"));
    check_url(root, "odd", "INVALID!v", TORC_URL_INT("v", -1), TORC_URL_TEXT("who", "me"));
    check_url(root, "odd", "INVALID!who", TORC_URL_INT("v", 1), TORC_URL_TEXT("who", ".."));
    check_url(root, "file", "INVALID!rest", TORC_URL_TEXT("rest", "a/../../b"));
    check_url(root, "all", "INVALID!", TORC_URL_TEXT("rest", "/evil.example"));
    check_url(root, "star", "INVALID!");
    torc_resource_dispose(root);
}

static void a_url_without_room_is_not_written(void **state) {
    (void)state;
    torc_resource *root = new_named();
    const torc_url_param params[] = {TORC_URL_TEXT("rest", "a/b c/d e f g h")};
    char bytes[64];

    for (size_t size = 1; size < sizeof("/files/a/b%20c/d%20e%20f%20g%20h") - 1; size++) {
        torc_buf url;
        torc_buf_init_fixed(&url, bytes, size);
        check_err(torc_resource_write_url(root, "file", params, 1, &url, NULL), TORC_ERR_LIMIT);
    }
    torc_resource_dispose(root);
}

static torc_render link_to(torc_request *request) {
    const torc_str url = torc_request_url_for(request, "user", TORC_URL_INT("id", 7),
                                              TORC_URL_STR("org", TORC_STR("acme")));
    const torc_str home = torc_request_url_for(request, "home");
    const torc_str wrong = torc_request_url_for(request, "user", TORC_URL_INT("di", 7));
    char text[200];

    assert_null(wrong.bytes);
    snprintf(text, sizeof(text), "%.*s %.*s", TORC_STR_ARGS(home), TORC_STR_ARGS(url));
    return torc_reply_text(request, 200, text);
}

static void a_request_makes_urls_by_its_own_tree(void **state) {
    torc_resource *root = new_named();

    torc_resource_route(root, "GET /link", link_to);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /link", 200, "/ /api/orgs/acme/users/7");
    torc_site_free(site);
}

/* Groups within groups, each with a parameter: to a depth, and beyond it none is left out. */
static void groups_have_a_maximum_of_parameters_together(void **state) {
    for (int depth = TORC_ROUTE_PARAMS_MAX - 1; depth <= TORC_ROUTE_PARAMS_MAX + 1; depth++) {
        torc_resource *root = torc_folder_new(), *group = root;
        char head[200] = "GET ", pattern[16];
        for (int i = 0; i < depth; i++) {
            snprintf(pattern, sizeof(pattern), "/{p%d}", i);
            group = torc_resource_group(group, pattern);
            strcat(head, "/x");
        }
        torc_resource_route(group, "GET", show);
        torc_site *site = torc_site_new(root, NULL);
        assert_non_null(site);
        assert_int_equal(web_status(*state, site, head),
                         depth <= TORC_ROUTE_PARAMS_MAX ? 200 : 503);
        assert_int_equal(web_status(*state, site, "GET /x"), 404);
        torc_site_free(site);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(groups_have_a_maximum_of_parameters_together),
        WEB_TEST(a_group_shares_its_prefix_and_parameters),
        cmocka_unit_test(the_same_path_is_the_same_group),
        cmocka_unit_test(a_mistake_in_a_group_or_a_mount_is_told),
        WEB_TEST(what_is_mounted_is_reached_with_its_parameters),
        WEB_TEST(a_slash_is_redirected_where_it_is_said),
        WEB_TEST(a_slash_may_be_either),
        WEB_TEST(a_slash_does_not_redirect_to_what_was_rewritten),
        WEB_TEST(a_path_like_a_host_is_not_redirected),
        cmocka_unit_test(a_name_is_that_of_one_route),
        cmocka_unit_test(a_route_in_place_of_another_may_have_its_name),
        cmocka_unit_test(urls_lead_back_to_their_routes),
        cmocka_unit_test(what_would_not_lead_back_is_refused),
        cmocka_unit_test(a_url_without_room_is_not_written),
        WEB_TEST(a_request_makes_urls_by_its_own_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
