/* SPDX-License-Identifier: MIT */
#include "base/heap.h"
#include "check.h"

enum {
    COUNT = 500
};

typedef struct item {
    unsigned key;
    torc_heap_node node;
} item;

static unsigned random_state;

static unsigned next_random(void) {
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

static bool before(const torc_heap_node *a, const torc_heap_node *b) {
    return torc_container_of(a, item, node)->key < torc_container_of(b, item, node)->key;
}

static unsigned top_key(const torc_heap *heap) {
    return torc_container_of(torc_heap_top(heap), item, node)->key;
}

/* Every node of a heap comes after the one above it, and its links agree. */
static size_t check_below(const torc_heap_node *above) {
    size_t count = 1;
    const torc_heap_node *prev = above;

    for (const torc_heap_node *node = above->child; node; node = node->next) {
        assert_ptr_equal(node->prev, prev);
        assert_false(before(node, above));
        count += check_below(node);
        prev = node;
    }
    return count;
}

static size_t check_heap(const torc_heap *heap) {
    if (!heap->top) return 0;
    assert_ptr_equal(heap->top->prev, heap->top);
    assert_null(heap->top->next);
    return check_below(heap->top);
}

static void an_empty_heap_has_no_top(void **state) {
    torc_heap heap;
    item one = {.key = 1};
    torc_heap_init(&heap, before);

    assert_true(torc_heap_is_empty(&heap));
    assert_null(torc_heap_top(&heap));
    torc_heap_remove(&heap, &one.node);
    assert_false(torc_heap_has(&one.node));
}

static void a_node_knows_whether_it_is_in(void **state) {
    torc_heap heap;
    item one = {.key = 1};
    torc_heap_init(&heap, before);

    torc_heap_push(&heap, &one.node);
    assert_true(torc_heap_has(&one.node));
    assert_ptr_equal(torc_heap_top(&heap), &one.node);
    torc_heap_remove(&heap, &one.node);
    assert_false(torc_heap_has(&one.node));
    assert_true(torc_heap_is_empty(&heap));
    torc_heap_remove(&heap, &one.node);
    torc_heap_push(&heap, &one.node);
    assert_true(torc_heap_has(&one.node));
}

static void nodes_leave_in_order(void **state) {
    static item items[COUNT];
    torc_heap heap;
    unsigned last = 0;
    torc_heap_init(&heap, before);

    for (int i = 0; i < COUNT; i++) {
        items[i] = (item){.key = next_random() % 100};
        torc_heap_push(&heap, &items[i].node);
    }
    assert_int_equal(check_heap(&heap), COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_true(top_key(&heap) >= last);
        last = top_key(&heap);
        torc_heap_remove(&heap, torc_heap_top(&heap));
        assert_int_equal(check_heap(&heap), COUNT - 1 - i);
    }
}

static void nodes_are_removed_from_anywhere(void **state) {
    static item items[COUNT];
    torc_heap heap;
    size_t count = 0;
    torc_heap_init(&heap, before);

    for (int i = 0; i < COUNT; i++) items[i] = (item){.key = next_random() % 1000};
    for (int step = 0; step < 5000; step++) {
        item *one = &items[next_random() % COUNT];

        if (torc_heap_has(&one->node)) {
            torc_heap_remove(&heap, &one->node);
            count--;
        } else {
            one->key = next_random() % 1000;
            torc_heap_push(&heap, &one->node);
            count++;
        }
        if (step % 16 == 0) assert_int_equal(check_heap(&heap), count);
        if (step % 7 == 0 && count > 0) {
            torc_heap_remove(&heap, torc_heap_top(&heap));
            count--;
        }
    }
    assert_int_equal(check_heap(&heap), count);
}

static void each_node_is_met_once(void **state) {
    static item items[COUNT];
    torc_heap heap;

    (void)state;
    torc_heap_init(&heap, before);
    for (size_t count = 0; count < COUNT; count++) {
        size_t met = 0, sum = 0;
        for (torc_heap_node *node = torc_heap_top(&heap); node; node = torc_heap_next(node)) {
            met++;
            sum += (size_t)(torc_container_of(node, item, node) - items) + 1;
        }
        assert_int_equal(met, count);
        assert_int_equal(sum, count * (count + 1) / 2);
        items[count].key = next_random();
        torc_heap_push(&heap, &items[count].node);
        if (count % 7 == 6) { /* some leave and come again, which makes trees */
            torc_heap_node *top = torc_heap_top(&heap);
            torc_heap_remove(&heap, top);
            torc_heap_push(&heap, top);
        }
    }
}

static void rising_and_falling_keys_do_not_recurse(void **state) {
    enum {
        MANY = 200000
    };
    item *items = test_calloc(MANY, sizeof(item));
    torc_heap heap;
    torc_heap_init(&heap, before);

    for (unsigned i = 0; i < MANY; i++) {
        items[i].key = i < MANY / 2 ? i : MANY - i;
        torc_heap_push(&heap, &items[i].node);
    }
    unsigned last = 0;
    while (!torc_heap_is_empty(&heap)) {
        assert_true(top_key(&heap) >= last);
        last = top_key(&heap);
        torc_heap_remove(&heap, torc_heap_top(&heap));
    }
    test_free(items);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_has_no_top),
        cmocka_unit_test(a_node_knows_whether_it_is_in),
        cmocka_unit_test(nodes_leave_in_order),
        cmocka_unit_test(nodes_are_removed_from_anywhere),
        cmocka_unit_test(each_node_is_met_once),
        cmocka_unit_test(rising_and_falling_keys_do_not_recurse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
