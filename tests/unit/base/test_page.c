/* SPDX-License-Identifier: MIT */
#include "base/page.h"
#include "base/poison.h"
#include "faults.h"

static const size_t page_cost = TORC_PAGE_SIZE + TORC_ALLOC_OVERHEAD;

static void page_in_use_is_counted_under_its_class(void **state) {
    torc_memory memory;
    torc_page_pool pool;
    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pool, &memory, 4);

    torc_page *page = torc_page_take(&pool, TORC_MEMORY_OUTPUT);
    assert_non_null(page);
    memset(page->bytes, 'x', TORC_PAGE_BYTES);
    assert_int_equal((uintptr_t)page->bytes % 16, 0);
    assert_int_equal(memory.used[TORC_MEMORY_OUTPUT], page_cost);
    torc_page_unref(page);
    assert_int_equal(memory.used[TORC_MEMORY_OUTPUT], 0);
    assert_int_equal(memory.used[TORC_MEMORY_OTHER], page_cost);
    torc_page_pool_dispose(&pool);
    assert_int_equal(memory.used_total, 0);
}

static void the_page_freed_last_is_taken_first(void **state) {
    torc_memory memory;
    torc_page_pool pool;
    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pool, &memory, 4);

    torc_page *a = torc_page_take(&pool, TORC_MEMORY_INPUT);
    torc_page *b = torc_page_take(&pool, TORC_MEMORY_INPUT);
    torc_page_unref(a);
    torc_page_unref(b);
    assert_ptr_equal(torc_page_take(&pool, TORC_MEMORY_ARENA), b);
    assert_ptr_equal(torc_page_take(&pool, TORC_MEMORY_ARENA), a);
    assert_int_equal(memory.allocated, 2);
    assert_int_equal(memory.used[TORC_MEMORY_ARENA], 2 * page_cost);
    torc_page_unref(a);
    torc_page_unref(b);
    torc_page_pool_dispose(&pool);
}

static void pool_keeps_no_more_than_its_maximum(void **state) {
    torc_memory memory;
    torc_page_pool pool;
    torc_page *pages[3];
    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pool, &memory, 2);

    for (int i = 0; i < 3; i++) pages[i] = torc_page_take(&pool, TORC_MEMORY_INPUT);
    for (int i = 0; i < 3; i++) torc_page_unref(pages[i]);
    assert_int_equal(pool.free_count, 2);
    assert_int_equal(memory.used_total, 2 * page_cost);
    torc_page_pool_dispose(&pool);
    assert_int_equal(memory.used_total, 0);
}

static void a_trimmed_pool_keeps_what_is_used(void **state) {
    torc_memory memory;
    torc_page_pool pool;
    torc_page *pages[3];
    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pool, &memory, 3);

    for (int i = 0; i < 3; i++) pages[i] = torc_page_take(&pool, TORC_MEMORY_INPUT);
    torc_page_unref(pages[0]);
    torc_page_unref(pages[1]);
    torc_page_pool_trim(&pool);
    torc_page_pool_trim(&pool);
    assert_int_equal(pool.free_count, 0);
    assert_int_equal(memory.used_total, page_cost);
    torc_page_unref(pages[2]);
    assert_int_equal(pool.free_count, 1);
    torc_page_pool_dispose(&pool);
}

static void page_lives_until_its_last_reference(void **state) {
    torc_memory memory;
    torc_page_pool pool;
    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pool, &memory, 0);

    torc_page *page = torc_page_take(&pool, TORC_MEMORY_INPUT);
    torc_page_ref(page);
    torc_page_unref(page);
    assert_int_equal(memory.used_total, page_cost);
    torc_page_unref(page);
    assert_int_equal(memory.used_total, 0);
    torc_page_pool_dispose(&pool);
}

static void free_page_is_poisoned(void **state) {
#ifdef TORC_HAS_POISON
    torc_memory memory;
    torc_page_pool pool;
    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pool, &memory, 1);

    torc_page *page = torc_page_take(&pool, TORC_MEMORY_INPUT);
    assert_false(__asan_address_is_poisoned(page->bytes));
    torc_page_unref(page);
    assert_true(__asan_address_is_poisoned(page->bytes));
    assert_true(__asan_address_is_poisoned(page->bytes + TORC_PAGE_BYTES - 1));
    torc_page_pool_dispose(&pool);
#endif
}

static torc_err take_two(torc_memory *memory, void *context) {
    torc_page_pool pool;
    torc_page_pool_init(&pool, memory, 1);

    torc_page *a = torc_page_take(&pool, TORC_MEMORY_INPUT);
    torc_page *b = torc_page_take(&pool, TORC_MEMORY_INPUT);
    const bool ok = a && b;
    if (a) torc_page_unref(a);
    if (b) torc_page_unref(b);
    torc_page_pool_dispose(&pool);
    return ok ? TORC_OK : TORC_ERR_NO_MEMORY;
}

static void pages_when_memory_fails(void **state) {
    faults_each(take_two, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_in_use_is_counted_under_its_class),
        cmocka_unit_test(the_page_freed_last_is_taken_first),
        cmocka_unit_test(pool_keeps_no_more_than_its_maximum),
        cmocka_unit_test(a_trimmed_pool_keeps_what_is_used),
        cmocka_unit_test(page_lives_until_its_last_reference),
        cmocka_unit_test(free_page_is_poisoned),
        cmocka_unit_test(pages_when_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
