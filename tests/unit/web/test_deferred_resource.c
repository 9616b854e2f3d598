/* SPDX-License-Identifier: MIT */
/* Resources that a deferred will tell, and resources that find theirs later. */
#include <stdio.h>
#include <torc/deferred_resource.h>
#include <torc/route.h>

#include "testing/uncounted.h"
#include "web_fixture.h"

static torc_render show(torc_request *request) {
    char text[64];

    snprintf(text, sizeof(text), "%.*s at %zu", TORC_STR_ARGS(torc_request_param(request, "id")),
             torc_request_depth(request));
    return torc_reply_text(request, 200, text);
}

static torc_resource *new_inner(void) {
    torc_resource *inner = torc_folder_new();

    torc_resource_route(inner, "GET /x/{id}", show);
    torc_resource_route(inner, "PUT /x/{id}", show);
    return inner;
}

static torc_site *new_site(torc_reactor *reactor, torc_deferred *deferred) {
    torc_resource *root = torc_folder_new();

    torc_resource_mount(root, "/a/b", torc_deferred_resource_new(reactor, deferred));
    return torc_site_new(root, NULL);
}

static void requests_wait_until_it_is_told(void **state) {
    torc_deferred *deferred = torc_deferred_new(*state);
    torc_site *site = new_site(*state, deferred);
    torc_test_request *first = web_ask(*state, site, "GET /a/b/x/7");
    torc_test_request *second = web_ask(*state, site, "GET /a/b/y");

    assert_int_equal(torc_test_request_status(first), 0);
    check_ok(torc_deferred_fire(deferred, new_inner(), NULL));
    web_finish(*state, first);
    web_finish(*state, second);
    assert_int_equal(torc_test_request_status(first), 200);
    check_str(torc_test_request_body(first), "7 at 4");
    assert_int_equal(torc_test_request_status(second), 404);
    torc_test_request_free(first);
    torc_test_request_free(second);
    web_check(*state, site, "GET /a/b/x/8", 200, "8 at 4");
    assert_int_equal(web_status(*state, site, "HEAD /a/b/x/8"), 200);
    torc_test_request *refused = web_ask(*state, site, "POST /a/b/x/8");
    assert_int_equal(torc_test_request_status(refused), 405);
    check_str(torc_test_request_field(refused, "Allow"), "GET, HEAD, PUT, OPTIONS");
    torc_test_request_free(refused);
    assert_int_equal(web_status(*state, site, "FOO /a/b/x/8"), 501);
    torc_site_free(site);
}

static void a_failure_is_an_error_of_the_server(void **state) {
    torc_site *site = new_site(*state, torc_deferred_failed(*state, TORC_ERR_NOT_FOUND));

    assert_int_equal(web_status(*state, site, "GET /a/b/x/7"), 500);
    assert_int_equal(web_status(*state, site, "GET /a/b"), 500);
    torc_site_free(site);
}

/* One that could not be built is never served by halves. */
static void a_broken_tree_is_an_error_of_the_server(void **state) {
    torc_deferred *deferred = torc_deferred_new(*state);
    torc_site *site = new_site(*state, deferred);
    torc_resource *inner = new_inner();

    torc_resource_route(inner, "GET no/slash", show);
    check_ok(torc_deferred_fire(deferred, inner, NULL));
    assert_int_equal(web_status(*state, site, "GET /a/b/x/7"), 500);
    torc_site_free(site);
}

static void nobody_is_not_found(void **state) {
    torc_site *site = new_site(*state, torc_deferred_of(*state, NULL, NULL));

    assert_int_equal(web_status(*state, site, "GET /a/b/x/7"), 404);
    torc_site_free(site);
}

static void cancelled(torc_deferred *deferred, void *context) {
    ++*(int *)context;
    (void)torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

static void who_is_not_told_in_time_is_not_wanted(void **state) {
    torc_deferred *deferred = torc_deferred_new(*state);
    int count = 0;

    torc_deferred_set_canceller(deferred, cancelled, &count);
    torc_site *site = new_site(*state, deferred);
    torc_site_free(site);
    torc_test_advance(*state, 1);
    assert_int_equal(count, 1);
}

static torc_render wait(torc_resource *resource, torc_request *request);
static const torc_resource_ops waiting_ops = {.render = wait};

static torc_render wait(torc_resource *resource, torc_request *request) {
    (void)resource;
    return torc_reply_text(request, 200, "found late");
}

static torc_resource late = {.ops = &waiting_ops};

/* Who is asked by a request, and has to ask somebody first. */
static torc_resource *find_late(torc_resource *resource, torc_request *request, torc_str name) {
    torc_reactor *reactor = torc_request_reactor(request);

    (void)resource;
    if (!torc_str_equals(name, TORC_STR("late"))) return NULL;
    torc_resource_init(&late, &waiting_ops);
    torc_resource *found =
        torc_deferred_resource_new(reactor, torc_defer_later(reactor, 500, &late, NULL));
    if (found) found->is_temporary = true;
    return found;
}

static void a_child_may_be_found_later(void **state) {
    static const torc_resource_ops ops = {.find_child = find_late};
    torc_resource root;

    torc_resource_init(&root, &ops);
    torc_site *site = torc_site_new(&root, NULL);
    torc_test_request *test = web_ask(*state, site, "GET /late");
    assert_int_equal(torc_test_request_status(test), 0);
    torc_test_advance(*state, 500);
    web_finish(*state, test);
    assert_int_equal(torc_test_request_status(test), 200);
    check_str(torc_test_request_body(test), "found late");
    torc_test_request_free(test);
    /* A client that does not wait. */
    test = web_ask(*state, site, "GET /late");
    torc_test_request_disconnect(test);
    torc_test_advance(*state, 500);
    web_finish(*state, test);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void without_memory_the_deferred_is_dropped(void **state) {
    torc_deferred *deferred = torc_deferred_new(*state);
    int count = 0;

    torc_deferred_set_canceller(deferred, cancelled, &count);
    torc_test_fail_uncounted(1);
    assert_null(torc_deferred_resource_new(*state, deferred));
    torc_test_fail_uncounted(0);
    torc_test_advance(*state, 1);
    assert_int_equal(count, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(requests_wait_until_it_is_told),
        WEB_TEST(a_failure_is_an_error_of_the_server),
        WEB_TEST(a_broken_tree_is_an_error_of_the_server),
        WEB_TEST(nobody_is_not_found),
        WEB_TEST(who_is_not_told_in_time_is_not_wanted),
        WEB_TEST(a_child_may_be_found_later),
        WEB_TEST(without_memory_the_deferred_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
