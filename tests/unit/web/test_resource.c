/* SPDX-License-Identifier: MIT */
/* The tree: children, and what becomes of them. */
#include "check.h"
#include "testing/uncounted.h"
#include "web/tree.h"

static int disposed;

static void count_dispose(torc_resource *resource) {
    (void)resource;
    disposed++;
}

static const torc_resource_ops counted_ops = {.dispose = count_dispose};

static torc_render render(torc_request *request) {
    (void)request;
    return TORC_RENDER_DONE;
}

static void children_are_found_by_name(void **state) {
    (void)state;
    torc_resource *root = torc_folder_new();
    char name[2] = "a";

    for (name[0] = 'z'; name[0] >= 'a'; name[0]--)
        torc_resource_put_child(root, name, torc_folder_new());
    assert_non_null(torc_resource_child(root, TORC_STR("q")));
    assert_null(torc_resource_child(root, TORC_STR("Q")));
    assert_null(torc_resource_child(root, TORC_STR("")));
    assert_int_equal(torc_resource_err(root), TORC_OK);
    torc_resource_dispose(root);
}

static void putting_twice_disposes_of_the_first(void **state) {
    (void)state;
    torc_resource *root = torc_folder_new(), first, second;

    disposed = 0;
    torc_resource_init(&first, &counted_ops);
    torc_resource_init(&second, &counted_ops);
    torc_resource_put_child(root, "x", &first);
    torc_resource_put_child(root, "x", &second);
    assert_int_equal(disposed, 1);
    assert_ptr_equal(torc_resource_child(root, TORC_STR("x")), &second);
    torc_resource_dispose(root);
    assert_int_equal(disposed, 2);
}

static void a_removed_child_is_disposed_of(void **state) {
    (void)state;
    torc_resource *root = torc_folder_new(), child;

    disposed = 0;
    torc_resource_init(&child, &counted_ops);
    torc_resource_put_child(root, "x", &child);
    assert_true(torc_resource_remove_child(root, "x"));
    assert_int_equal(disposed, 1);
    assert_false(torc_resource_remove_child(root, "x"));
    torc_resource_dispose(root);
}

typedef struct listing {
    char names[64];
} listing;

static void add_name(void *context, torc_str name, torc_resource *child) {
    listing *names = context;
    (void)child;
    strncat(names->names, name.bytes, name.len);
    strcat(names->names, ",");
}

static void children_are_listed_in_order(void **state) {
    (void)state;
    torc_resource *root = torc_folder_new();
    listing names = {""};

    torc_resource_put_child(root, "b", torc_folder_new());
    torc_resource_put_child(root, "", torc_folder_new());
    torc_resource_put_child(root, "ab", torc_folder_new());
    torc_resource_put_child(root, "a", torc_folder_new());
    torc_resource_each_child(root, add_name, &names);
    assert_string_equal(names.names, ",a,ab,b,");
    torc_resource_dispose(root);
}

static void no_child_marks_the_tree(void **state) {
    (void)state;
    torc_resource *root = torc_folder_new();

    torc_resource_put_child(root, "deep", torc_folder_new());
    torc_resource_put_child(torc_resource_child(root, TORC_STR("deep")), "x", NULL);
    assert_int_equal(torc_resource_err(root), TORC_ERR_NO_MEMORY);
    assert_string_equal(torc_resource_err_text(root), "x");
    torc_resource_dispose(root);
}

static void the_rest_is_replaced_and_disposed_of(void **state) {
    (void)state;
    torc_resource *root = torc_folder_new(), first, second;

    disposed = 0;
    torc_resource_init(&first, &counted_ops);
    torc_resource_init(&second, &counted_ops);
    torc_resource_put_rest(root, &first);
    torc_resource_put_rest(root, &second);
    assert_int_equal(disposed, 1);
    torc_resource_put_rest(root, NULL);
    assert_int_equal(torc_resource_err(root), TORC_ERR_NO_MEMORY);
    torc_resource_dispose(root);
    assert_int_equal(disposed, 2);
}

static void a_tree_without_memory_stays_marked(void **state) {
    (void)state;
    torc_resource *root = torc_folder_new(), child;

    disposed = 0;
    torc_resource_init(&child, &counted_ops);
    torc_test_fail_uncounted(1);
    torc_resource_put_child(root, "x", &child);
    torc_test_fail_uncounted(0);
    assert_int_equal(disposed, 1);
    assert_int_equal(torc_resource_err(root), TORC_ERR_NO_MEMORY);
    torc_resource_put_child(root, "y", torc_folder_new());
    assert_null(torc_resource_child(root, TORC_STR("y")));
    assert_false(torc_resource_remove_child(root, "y"));
    torc_resource_dispose(root);
}

static void build(torc_resource *root) {
    torc_resource_route(root, "GET /", render);
    torc_resource_route(root, "GET /users/{id}/posts/{post}", render);
    torc_resource_route(root, "* /rest/{all...}", render);
    torc_resource_route(torc_resource_group(root, "/v{n:int}/{x}"), "GET", render);
    torc_resource_mount(root, "/m/{a:any(b|c)}", torc_data_new(TORC_STR("x"), "text/plain"));
    torc_resource_set_slashes(root, TORC_SLASHES_REDIRECT);
    torc_resource_put_child(root, "data", torc_data_new(TORC_STR("x"), "text/plain"));
    torc_resource_put_rest(root, torc_folder_new());
}

/* LeakSanitizer sees what is lost; the mark must say that the tree is not whole. */
static void each_allocation_may_fail(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        torc_resource *root = torc_folder_new();
        torc_test_fail_uncounted(n);
        build(root);
        const bool failed = torc_test_uncounted_failed();
        torc_test_fail_uncounted(0);
        assert_int_equal(torc_resource_err(root), failed ? TORC_ERR_NO_MEMORY : TORC_OK);
        torc_resource_dispose(root);
        if (!failed) break;
        assert_true(n < 1000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_are_found_by_name),
        cmocka_unit_test(putting_twice_disposes_of_the_first),
        cmocka_unit_test(a_removed_child_is_disposed_of),
        cmocka_unit_test(children_are_listed_in_order),
        cmocka_unit_test(no_child_marks_the_tree),
        cmocka_unit_test(the_rest_is_replaced_and_disposed_of),
        cmocka_unit_test(a_tree_without_memory_stays_marked),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
