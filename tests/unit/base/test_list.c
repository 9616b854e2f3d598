/* SPDX-License-Identifier: MIT */
#include "base/list.h"
#include "check.h"

static void a_new_list_is_empty(void **state) {
    torc_list list;
    torc_list_init(&list);

    assert_true(torc_list_is_empty(&list));
    assert_null(torc_list_first(&list));
    assert_null(torc_list_last(&list));
    assert_null(torc_list_pop(&list));
}

static void nodes_come_in_the_order_they_were_pushed_in(void **state) {
    torc_list list;
    torc_list_node nodes[3] = {{0}};
    torc_list_init(&list);

    torc_list_push(&list, &nodes[1]);
    torc_list_push(&list, &nodes[2]);
    torc_list_push_front(&list, &nodes[0]);
    assert_ptr_equal(torc_list_first(&list), &nodes[0]);
    assert_ptr_equal(torc_list_next(&list, &nodes[0]), &nodes[1]);
    assert_null(torc_list_next(&list, &nodes[2]));
    assert_ptr_equal(torc_list_last(&list), &nodes[2]);
    for (int i = 0; i < 3; i++) assert_ptr_equal(torc_list_pop(&list), &nodes[i]);
    assert_true(torc_list_is_empty(&list));
}

static void removing_is_safe_to_repeat(void **state) {
    torc_list list;
    torc_list_node a = {0}, b = {0};
    torc_list_init(&list);

    torc_list_remove(&a);
    torc_list_push(&list, &a);
    torc_list_push(&list, &b);
    assert_true(torc_list_has(&a));
    torc_list_remove(&a);
    torc_list_remove(&a);
    assert_false(torc_list_has(&a));
    assert_ptr_equal(torc_list_pop(&list), &b);
}

static void taking_moves_all_to_the_end(void **state) {
    torc_list to, from;
    torc_list_node nodes[3] = {{0}};
    torc_list_init(&to);
    torc_list_init(&from);

    torc_list_take(&to, &from);
    assert_true(torc_list_is_empty(&to));
    torc_list_push(&to, &nodes[0]);
    torc_list_push(&from, &nodes[1]);
    torc_list_push(&from, &nodes[2]);
    torc_list_take(&to, &from);
    assert_true(torc_list_is_empty(&from));
    for (int i = 0; i < 3; i++) assert_ptr_equal(torc_list_pop(&to), &nodes[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_list_is_empty),
        cmocka_unit_test(nodes_come_in_the_order_they_were_pushed_in),
        cmocka_unit_test(removing_is_safe_to_repeat),
        cmocka_unit_test(taking_moves_all_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
