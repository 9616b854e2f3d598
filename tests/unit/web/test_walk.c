/* SPDX-License-Identifier: MIT */
/* Finding who answers: resources that find their children, and those made for one request. */
#include <stdio.h>

#include "web_fixture.h"

static int made, disposed, unmade;
static bool exhausts; /* a child takes all that is left of the arena */

/* A resource that shows where it stands, and finds itself for any name but "end". */
typedef struct node {
    torc_resource base;
    char name[16];
} node;

static torc_render render(torc_resource *resource, torc_request *request) {
    const node *self = torc_container_of(resource, node, base);
    char text[64];

    snprintf(text, sizeof(text), "%s at %zu", self->name, torc_request_depth(request));
    return torc_reply_text(request, 200, text);
}

static void dispose(torc_resource *resource) {
    (void)resource;
    disposed++;
}

static torc_resource *find_child(torc_resource *resource, torc_request *request, torc_str name);
static const torc_resource_ops ops = {
    .find_child = find_child, .render = render, .dispose = dispose};

static torc_resource *find_child(torc_resource *resource, torc_request *request, torc_str name) {
    node *child;

    (void)resource;
    if (torc_str_equals(name, TORC_STR("none"))) return NULL;
    child = torc_arena_alloc(torc_request_arena(request), sizeof(*child));
    while (exhausts && torc_arena_alloc(torc_request_arena(request), 16)) continue;
    if (!child) unmade++;
    if (!child) return NULL;
    torc_resource_init(&child->base, &ops);
    child->base.is_temporary = true;
    child->base.is_leaf = torc_str_equals(name, TORC_STR("leaf"));
    snprintf(child->name, sizeof(child->name), "%.*s", TORC_STR_ARGS(name));
    made++;
    return &child->base;
}

static node root;

static torc_site *new_site(void) {
    made = disposed = 0;
    torc_resource_init(&root.base, &ops);
    torc_resource_put_child(&root.base, "fixed", torc_data_new(TORC_STR("fixed"), NULL));
    return torc_site_new(&root.base, NULL);
}

static void children_are_asked_for_segment_by_segment(void **state) {
    torc_site *site = new_site();

    web_check(*state, site, "GET /a/b%20c", 200, "b c at 2");
    assert_int_equal(made, 2);
    web_check(*state, site, "GET /a/", 200, " at 2");
    web_check(*state, site, "GET /", 200, " at 1");
    web_check(*state, site, "GET //a", 200, "a at 2");
    web_check(*state, site, "GET /a/../b/.", 200, ". at 4");
    web_check(*state, site, "GET /a/%2e%2E", 200, ".. at 2");
    web_check(*state, site, "GET /a/b%2Fc", 200, "b/c at 2");
    assert_int_equal(web_status(*state, site, "GET /a/none/c"), 404);
    assert_int_equal(disposed, made);
    torc_site_free(site);
    assert_int_equal(disposed, made + 1);
}

static void a_leaf_is_left_with_the_rest(void **state) {
    torc_site *site = new_site();

    web_check(*state, site, "GET /a/leaf/b/c", 200, "leaf at 2");
    torc_site_free(site);
}

static void what_was_put_hides_what_would_be_found(void **state) {
    torc_site *site = new_site();

    web_check(*state, site, "GET /fixed", 200, "fixed");
    assert_int_equal(web_status(*state, site, "POST /fixed"), 405);
    assert_int_equal(made, 0);
    torc_site_free(site);
}

static torc_render decline(torc_resource *resource, torc_request *request) {
    (void)resource;
    (void)request;
    return TORC_RENDER_DECLINED;
}

/* A render that declines makes the tree be walked again: all that was made is disposed of, too. */
static void whoever_was_made_is_disposed_of_after_a_refusal(void **state) {
    static const torc_resource_ops declining = {
        .find_child = find_child, .render = decline, .dispose = dispose};
    torc_site *site = new_site();

    root.base.ops = &declining;
    torc_test_request *test = web_ask(*state, site, "GET /a/b");
    assert_int_equal(torc_test_request_status(test), 200);
    torc_test_request_free(test);
    assert_int_equal(disposed, made);
    torc_site_free(site);
}

static torc_resource *find_self(torc_resource *resource, torc_request *request, torc_str name) {
    (void)request;
    (void)name;
    return resource;
}

static void a_resource_may_find_itself(void **state) {
    static const torc_resource_ops self_ops = {.find_child = find_self, .render = render};
    static node self = {.name = "self"};

    torc_resource_init(&self.base, &self_ops);
    torc_site *site = torc_site_new(&self.base, NULL);
    web_check(*state, site, "GET /a/b/c/", 200, "self at 4");
    torc_site_free(site);
}

/* A path of a thousand segments takes no more stack than a short one. */
static void a_long_path_is_no_deep_stack(void **state) {
    static const torc_resource_ops self_ops = {.find_child = find_self, .render = render};
    static node self = {.name = "self"};
    char head[2100] = "GET ";

    torc_resource_init(&self.base, &self_ops);
    torc_site *site = torc_site_new(&self.base, NULL);
    for (int i = 0; i < 1000; i++) memcpy(head + 4 + 2 * i, "/x", 3);
    web_check(*state, site, head, 200, "self at 1000");
    torc_site_free(site);
}

/* A child was found, and there is no memory to hold it: it is disposed of, and the peer told to
 * come back. */
static void no_memory_is_not_the_same_as_not_found(void **state) {
    torc_site *site = new_site();

    exhausts = true;
    torc_test_request *test = web_ask(*state, site, "GET /a/b");
    exhausts = false;
    assert_true(torc_test_request_status(test) == 503 || torc_test_request_was_reset(test));
    assert_int_equal(made, 1);
    assert_int_equal(disposed, 1);
    torc_test_request_free(test);
    assert_int_equal(disposed, 1);
    torc_site_free(site);
}

static void each_allocation_may_fail(void **state) {
    torc_site *site = new_site();
    bool failed = true;

    for (uint64_t n = 1; failed; n++) {
        torc_test_request *test =
            torc_test_request_new(*state, torc_site_acceptor(site), "GET /a/b/c/d/e/f");
        made = disposed = unmade = 0;
        torc_test_fail_allocation(*state, n);
        torc_test_request_run(test);
        failed = torc_test_allocation_failed(*state);
        torc_test_fail_allocation(*state, 0);
        const int status = torc_test_request_status(test);
        assert_true(torc_test_request_was_reset(test) || status == 503 || status == 200 ||
                    (status == 404 && unmade));
        if (!failed) assert_int_equal(status, 200);
        torc_test_request_free(test);
        assert_int_equal(disposed, made);
    }
    torc_site_free(site);
}

static torc_render render_any(torc_resource *resource, torc_request *request) {
    (void)resource;
    return torc_reply_text(request, 200, "any");
}

static void who_looks_itself_gets_all_but_trace_and_connect(void **state) {
    static const torc_resource_ops any_ops = {.render = render_any};
    static torc_resource any, naming;
    torc_resource *folder = torc_folder_new();

    torc_resource_init(&any, &any_ops);
    torc_resource_init(&naming, &any_ops);
    any.is_leaf = naming.is_leaf = true;
    naming.methods = torc_method_bit(TORC_METHOD_TRACE) | torc_method_bit(TORC_METHOD_CONNECT);
    torc_resource_put_child(folder, "any", &any);
    torc_resource_put_child(folder, "", &naming);
    torc_site *site = torc_site_new(folder, NULL);
    web_check(*state, site, "OPTIONS /any", 200, "any");
    web_check(*state, site, "FOO /any/x", 200, "any");
    torc_test_request *test = web_ask(*state, site, "TRACE /any");
    assert_int_equal(torc_test_request_status(test), 405);
    check_str(torc_test_request_field(test, "Allow"),
              "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH");
    torc_test_request_free(test);
    web_check(*state, site, "TRACE /", 200, "any");
    assert_int_equal(web_status(*state, site, "CONNECT host:1"), 200);
    assert_int_equal(web_status(*state, site, "GET /"), 405);
    torc_site_free(site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(children_are_asked_for_segment_by_segment),
        WEB_TEST(a_leaf_is_left_with_the_rest),
        WEB_TEST(what_was_put_hides_what_would_be_found),
        WEB_TEST(whoever_was_made_is_disposed_of_after_a_refusal),
        WEB_TEST(a_resource_may_find_itself),
        WEB_TEST(a_long_path_is_no_deep_stack),
        WEB_TEST(no_memory_is_not_the_same_as_not_found),
        WEB_TEST(each_allocation_may_fail),
        WEB_TEST(who_looks_itself_gets_all_but_trace_and_connect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
