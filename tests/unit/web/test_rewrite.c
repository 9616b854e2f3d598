/* SPDX-License-Identifier: MIT */
/* Rules that change paths before they are looked for. */
#include <torc/link.h>
#include <torc/middleware.h>
#include <torc/rewrite.h>

#include "web_fixture.h"

/* Says where it is, what is left, and the query. */
static torc_render show(torc_request *request) {
    torc_buf text;
    torc_str value;
    char bytes[400];

    torc_buf_init_fixed(&text, bytes, sizeof(bytes));
    torc_buf_add(&text, torc_request_path(request));
    for (size_t i = 0; i < torc_request_segment_count(request); i++)
        torc_buf_addf(&text, "%c%.*s", i == torc_request_depth(request) ? '|' : ' ',
                      TORC_STR_ARGS(torc_request_segment(request, i)));
    if (torc_request_query(request).bytes)
        torc_buf_addf(&text, "?%.*s", TORC_STR_ARGS(torc_request_query(request)));
    if (torc_request_arg(request, "q", &value))
        torc_buf_addf(&text, " q=%.*s", TORC_STR_ARGS(value));
    torc_buf_addf(&text, " for %.*s", TORC_STR_ARGS(torc_request_target(request)));
    return torc_reply_bytes(request, 200, "text/plain", torc_buf_str(&text));
}

static torc_resource *shows(void) {
    return torc_render_new(show, 0, true);
}

static torc_site *site_with(const char *from, const char *to) {
    torc_resource *root = torc_folder_new();

    torc_resource_put_child(root, "new", shows());
    torc_resource_put_child(root, "users", shows());
    torc_resource_rewrite(root, from, to);
    torc_site *site = torc_site_new(root, NULL);
    assert_non_null(site);
    return site;
}

static void the_beginning_of_a_path_is_replaced(void **state) {
    torc_site *site = site_with("/old", "/new");

    web_check(*state, site, "GET /old", 200, "/new new for /old");
    web_check(*state, site, "GET /old/", 200, "/new/ new| for /old/");
    web_check(*state, site, "GET /old/a%2Fb/c?x=1", 200,
              "/new/a%2Fb/c new|a/b c?x=1 for /old/a%2Fb/c?x=1");
    web_check(*state, site, "GET /old/a//b/", 200, "/new/a//b/ new|a  b  for /old/a//b/");
    web_check(*state, site, "GET /ol%64", 200, "/new new for /ol%64");
    web_check(*state, site, "GET /new/x", 200, "/new/x new|x for /new/x");
    assert_int_equal(web_status(*state, site, "GET /older"), 404);
    assert_int_equal(web_status(*state, site, "GET /x/old"), 404);
    torc_site_free(site);
}

static void what_a_name_stands_for_is_put_in_again(void **state) {
    torc_site *site = site_with("/~{user}", "/users/{user}");

    web_check(*state, site, "GET /~joe/a", 200, "/users/joe/a users|joe a for /~joe/a");
    web_check(*state, site, "GET /%7Ejoe", 200, "/users/joe users|joe for /%7Ejoe");
    web_check(*state, site, "GET /~a%2F%3F", 200, "/users/a%2F%3F users|a/? for /~a%2F%3F");
    assert_int_equal(web_status(*state, site, "GET /~"), 404);
    torc_site_free(site);

    site = site_with("/{a}/{b}.php$", "/new/{b}/{a}/x?q={a}");
    web_check(*state, site, "GET /1/2.php", 200, "/new/2/1/x new|2 1 x?q=1 q=1 for /1/2.php");
    web_check(*state, site, "GET /%26/2.php?y", 200,
              "/new/2/%26/x new|2 & x?q=%26&y q=& for /%26/2.php?y");
    assert_int_equal(web_status(*state, site, "GET /1/2.php/"), 404);
    assert_int_equal(web_status(*state, site, "GET /1/.php"), 404);
    torc_site_free(site);
}

static void a_query_may_be_dropped(void **state) {
    torc_site *site = site_with("/old", "/new?");

    web_check(*state, site, "GET /old/a?x=1", 200, "/new/a new|a? for /old/a?x=1");
    torc_site_free(site);
}

static void everything_may_be_put_elsewhere(void **state) {
    torc_site *site = site_with("/", "/new");

    web_check(*state, site, "GET /", 200, "/new/ new| for /");
    web_check(*state, site, "GET /a/b", 200, "/new/a/b new|a b for /a/b");
    torc_site_free(site);

    site = site_with("/$", "/new/home");
    web_check(*state, site, "GET /", 200, "/new/home new|home for /");
    assert_int_equal(web_status(*state, site, "GET /a"), 404);
    torc_site_free(site);
}

static void rules_apply_in_their_order_and_beneath_their_resource(void **state) {
    torc_resource *root = torc_folder_new(), *part = torc_folder_new();

    torc_resource_put_child(root, "part", part);
    torc_resource_put_child(part, "c", shows());
    torc_resource_rewrite(part, "/a", "/b/1");
    torc_resource_rewrite(part, "/b", "/c/2/");
    torc_resource_rewrite(part, "/a", "/never");
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /part/a/x", 200, "/part/c/2/1/x part c|2 1 x for /part/a/x");
    assert_int_equal(web_status(*state, site, "GET /a/x"), 404);
    torc_site_free(site);
}

static void check_location(torc_reactor *reactor, torc_site *site, const char *head, int status,
                           const char *location) {
    torc_test_request *test = web_ask(reactor, site, head);

    assert_int_equal(torc_test_request_status(test), status);
    check_str_at(torc_test_request_field(test, "Location"), torc_str_of(location), __FILE__,
                 __LINE__);
    torc_test_request_free(test);
}

static void a_rule_may_redirect(void **state) {
    torc_resource *root = torc_folder_new(), *part = torc_folder_new();

    torc_resource_put_child(root, "part", part);
    torc_resource_rewrite_redirect(part, 301, "/{x}", "/new/{x}?");
    torc_resource_rewrite_redirect(root, 308, "/old", "https://new.example/archive");
    torc_site *site = torc_site_new(root, NULL);
    check_location(*state, site, "GET /part/a%20b/c?q", 301, "/part/new/a%20b/c");
    check_location(*state, site, "POST /old/x?q=1", 308, "https://new.example/archive/x?q=1");
    check_location(*state, site, "GET /old", 308, "https://new.example/archive");
    check_location(*state, site, "GET /old?a", 308, "https://new.example/archive?a");
    torc_site_free(site);
}

/* Who asks for "/old/\\evil.example" is not sent to another host by a rule that has not named one.
 */
static void a_redirect_leads_to_no_other_host(void **state) {
    torc_resource *root = torc_folder_new(), *part = torc_folder_new();

    torc_resource_put_child(root, "", part);
    torc_resource_rewrite_redirect(part, 302, "/{x}", "/{x}/");
    torc_resource_rewrite_redirect(root, 302, "/old", "/");
    torc_resource_rewrite_redirect(root, 302, "/cdn", "//cdn.example/");
    torc_site *site = torc_site_new(root, NULL);
    check_location(*state, site, "GET /old/\\evil.example/x", 302, "/./\\evil.example/x");
    check_location(*state, site, "GET /old//evil.example/x", 302, "/.//evil.example/x");
    check_location(*state, site, "GET //evil.example", 302, "/.//evil.example/");
    check_location(*state, site, "GET /old/x", 302, "/x");
    check_location(*state, site, "GET /cdn/x", 302, "//cdn.example/x");
    torc_site_free(site);
}

static torc_err upwards(torc_request *request, void *context) {
    const torc_str first = torc_request_segment(request, torc_request_depth(request));

    if (torc_str_equals(first, TORC_STR("gone"))) return TORC_ERR_NOT_FOUND;
    if (torc_str_equals(first, TORC_STR("bad"))) return TORC_ERR_PERMISSION;
    if (torc_str_equals(first, TORC_STR("wrong")))
        return torc_request_set_rest(request, 0, TORC_STR("no path"));
    if (torc_str_equals(first, TORC_STR("far")))
        return torc_request_set_rest(request, 9, TORC_STR("/x"));
    return torc_request_set_rest(request, torc_request_depth(request), torc_str_of(context));
}

static void a_rule_may_be_a_function(void **state) {
    torc_resource *root = torc_folder_new();
    char target[] = "/new/by%20function?q=2";

    torc_resource_put_child(root, "new", shows());
    torc_resource_rewrite_by(root, upwards, target);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /x?q=1", 200,
              "/new/by%20function new|by function?q=2 q=2 for /x?q=1");
    assert_int_equal(web_status(*state, site, "GET /gone"), 404);
    assert_int_equal(web_status(*state, site, "GET /bad"), 403);
    assert_int_equal(web_status(*state, site, "GET /wrong"), 400);
    assert_int_equal(web_status(*state, site, "GET /far"), 400);
    torc_site_free(site);
}

/* A branch in which the path was rewritten is not left again for another. */
static void what_was_rewritten_is_not_tried_elsewhere(void **state) {
    torc_resource *root = torc_folder_new(), *a = torc_folder_new();

    torc_resource_put_child(root, "a", a);
    torc_resource_rewrite(a, "/x", "/none");
    torc_resource_route(root, "GET /{p}/{q}", show);
    torc_site *site = torc_site_new(root, NULL);
    assert_int_equal(web_status(*state, site, "GET /a/x"), 404);
    web_check(*state, site, "GET /a/y", 200, "/a/y a y for /a/y");
    torc_site_free(site);
}

/* Behind the rewriting all ways are tried. */
static void parameters_are_found_behind_it(void **state) {
    torc_resource *root = torc_folder_new(), *a = torc_folder_new();

    torc_resource_put_host(root, "a", a);
    torc_resource_rewrite(a, "/item-{id}.html$", "/items/{id}");
    torc_resource_route(a, "GET /items/one/more", show);
    torc_resource_route(a, "GET /items/{id}", show);
    torc_site *site = torc_site_new(root, NULL);
    web_check(*state, site, "GET /item-7.html\nHost: a", 200, "/items/7 items 7 for /item-7.html");
    web_check(*state, site, "GET /item-one.html\nHost: a", 200,
              "/items/one items one for /item-one.html");
    torc_site_free(site);
}

static void mistakes_in_rules_are_told(void **state) {
    static const struct {
        const char *from, *to;
        int status;
    } wrong[] = {
        {"old", "/new", 0},
        {"/a", "new", 0},
        {"/{a", "/b", 0},
        {"/a}", "/b", 0},
        {"/{a}{b}", "/{a}", 0},
        {"/{}", "/b", 0},
        {"/{a b}", "/b", 0},
        {"/{a}", "/{b}", 0},
        {"/{a}/{a}", "/{a}", 0},
        {"/a", "/b c", 0},
        {"/a", "/b#c", 0},
        {"/a", "/b?{c}", 0},
        {"/a", "http://x/", 0},
        {"/a", "/b", 200},
        {"/a", "/b", 304},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", "/", 0},
        {"", "/", 0},
        {"/a", "", 0},
        {"/a", "/\xc3\xbc", 0},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(wrong); i++) {
        torc_resource *root = torc_folder_new();
        if (wrong[i].status)
            torc_resource_rewrite_redirect(root, wrong[i].status, wrong[i].from, wrong[i].to);
        else
            torc_resource_rewrite(root, wrong[i].from, wrong[i].to);
        if (torc_resource_err(root) != TORC_ERR_SYNTAX) print_error("%s\n", wrong[i].from);
        assert_int_equal(torc_resource_err(root), TORC_ERR_SYNTAX);
        torc_resource_dispose(root);
    }
    (void)state;
}

static torc_render decline(torc_request *request) {
    (void)request;
    return TORC_RENDER_DECLINED;
}

/* Allow is found by a second walk, which begins where the first did. */
static void a_rule_is_applied_once_to_what_declines(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /a/b", show);
    torc_resource_route(root, "POST /a/{x}", decline);
    torc_resource_rewrite(root, "/a", "/a/b");
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test = web_ask(*state, site, "POST /a");
    assert_int_equal(torc_test_request_status(test), 405);
    check_str(torc_test_request_field(test, "Allow"), "GET, HEAD, OPTIONS");
    torc_test_request_free(test);
    torc_site_free(site);
}

static void memory_may_be_short(void **state) {
    torc_site *site = site_with("/old/{x}", "/new/{x}/{x}?q={x}");
    bool has_failed = true;

    for (uint64_t n = 1; has_failed && n < 200; n++) {
        torc_test_request *test =
            torc_test_request_new(*state, torc_site_acceptor(site), "GET /old/a/b/c/d/e/f/g/h/i?x");
        torc_test_fail_allocation(*state, n);
        if (test) web_finish(*state, test);
        has_failed = torc_test_allocation_failed(*state);
        torc_test_fail_allocation(*state, 0);
        assert_true(torc_test_request_is_complete(test) || torc_test_request_was_reset(test));
        if (!has_failed) assert_int_equal(torc_test_request_status(test), 200);
        torc_test_request_free(test);
    }
    torc_site_free(site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(the_beginning_of_a_path_is_replaced),
        WEB_TEST(what_a_name_stands_for_is_put_in_again),
        WEB_TEST(a_query_may_be_dropped),
        WEB_TEST(everything_may_be_put_elsewhere),
        WEB_TEST(rules_apply_in_their_order_and_beneath_their_resource),
        WEB_TEST(a_rule_may_redirect),
        WEB_TEST(a_redirect_leads_to_no_other_host),
        WEB_TEST(a_rule_may_be_a_function),
        WEB_TEST(what_was_rewritten_is_not_tried_elsewhere),
        WEB_TEST(parameters_are_found_behind_it),
        WEB_TEST(mistakes_in_rules_are_told),
        WEB_TEST(a_rule_is_applied_once_to_what_declines),
        WEB_TEST(memory_may_be_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
