/* SPDX-License-Identifier: MIT */
#include <torc/arena.h>

#include "base/page.h"
#include "base/poison.h"
#include "faults.h"

typedef struct fixture {
    torc_memory memory;
    torc_page_pool pool;
    torc_arena arena;
} fixture;

static int set_up(void **state) {
    static fixture self;

    torc_memory_init(&self.memory, 0);
    torc_page_pool_init(&self.pool, &self.memory, 2);
    torc_arena_init(&self.arena, &self.pool, 64 * 1024);
    *state = &self;
    return 0;
}

static int tear_down(void **state) {
    fixture *self = *state;

    torc_arena_dispose(&self->arena);
    torc_page_pool_dispose(&self->pool);
    return self->memory.used_total == 0 ? 0 : -1;
}

static void an_empty_arena_holds_nothing(void **state) {
    fixture *self = *state;

    assert_int_equal(self->memory.allocated, 0);
    assert_int_equal(self->arena.used, 0);
    torc_arena_dispose(&self->arena);
}

static torc_err use_one_of_its_own(torc_memory *memory, void *context) {
    torc_arena *arena = torc_arena_new(memory, 1 << 20);
    const bool is_filled = arena && torc_arena_alloc(arena, 100) &&
                           torc_arena_alloc(arena, 10000) && !torc_arena_alloc(arena, 1 << 20);

    torc_arena_free(arena);
    return is_filled ? TORC_OK : TORC_ERR_NO_MEMORY;
}

static void an_arena_of_its_own_gives_everything_back(void **state) {
    (void)state;
    faults_each(use_one_of_its_own, NULL);
    check_ok(use_one_of_its_own(NULL, NULL));
}

static void pieces_are_aligned_and_apart(void **state) {
    fixture *self = *state;
    unsigned char *pieces[200];

    for (size_t i = 0; i < 200; i++) {
        pieces[i] = torc_arena_alloc(&self->arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)i, i);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t j = 0; j < i; j++) assert_int_equal(pieces[i][j], i);
    }
}

static void text_is_packed(void **state) {
    fixture *self = *state;

    const char *a = torc_arena_bytes(&self->arena, 3);
    const char *b = torc_arena_bytes(&self->arena, 5);
    assert_ptr_equal(b, a + 3);
    assert_int_equal((uintptr_t)torc_arena_alloc(&self->arena, 1) % 16, 0);
}

static void a_page_is_filled_to_its_end(void **state) {
    fixture *self = *state;

    assert_non_null(torc_arena_bytes(&self->arena, TORC_PAGE_BYTES - 1));
    assert_non_null(torc_arena_bytes(&self->arena, 1));
    assert_int_equal(self->arena.used, TORC_PAGE_SIZE);
    assert_non_null(torc_arena_bytes(&self->arena, 1));
    assert_int_equal(self->arena.used, 2 * TORC_PAGE_SIZE);
    assert_int_equal(self->memory.used[TORC_MEMORY_ARENA],
                     2 * (TORC_PAGE_SIZE + TORC_ALLOC_OVERHEAD));
}

static void what_exceeds_a_page_leaves_the_page_in_use(void **state) {
    fixture *self = *state;

    char *before = torc_arena_bytes(&self->arena, 8);
    char *large = torc_arena_alloc(&self->arena, TORC_PAGE_BYTES + 1);
    char *after = torc_arena_bytes(&self->arena, 8);
    assert_non_null(large);
    memset(large, 1, TORC_PAGE_BYTES + 1);
    assert_ptr_equal(after, before + 8);
    assert_true(self->arena.used > TORC_PAGE_SIZE + TORC_PAGE_BYTES);
}

static void maximum_is_kept(void **state) {
    fixture *self = *state;
    torc_arena arena;
    torc_arena_init(&arena, &self->pool, 2 * TORC_PAGE_SIZE);

    assert_null(torc_arena_alloc(&arena, 2 * TORC_PAGE_SIZE));
    assert_non_null(torc_arena_bytes(&arena, TORC_PAGE_BYTES));
    assert_non_null(torc_arena_bytes(&arena, TORC_PAGE_BYTES));
    assert_null(torc_arena_bytes(&arena, 1));
    assert_null(torc_arena_alloc(&arena, SIZE_MAX));
    assert_null(torc_arena_alloc_zero(&arena, SIZE_MAX / 2, 3));
    torc_arena_dispose(&arena);

    torc_arena_init(&arena, &self->pool, TORC_PAGE_SIZE - 1);
    assert_null(torc_arena_alloc(&arena, 0));
    torc_arena_dispose(&arena);
}

static void cleared_pieces_are_clear(void **state) {
    fixture *self = *state;
    const torc_arena_mark mark = torc_arena_mark_take(&self->arena);

    memset(torc_arena_alloc(&self->arena, 1000), 0xff, 1000);
    torc_arena_rewind(&self->arena, mark);
    const char *bytes = torc_arena_alloc_zero(&self->arena, 100, 10);
    for (int i = 0; i < 1000; i++) assert_int_equal(bytes[i], 0);
}

static void copies(void **state) {
    fixture *self = *state;
    torc_str copy = {0};

    check_ok(torc_arena_copy(&self->arena, TORC_STR("hello"), &copy));
    check_str(copy, "hello");
    check_ok(torc_arena_copy(&self->arena, (torc_str){0}, &copy));
    check_str(copy, "");
    assert_string_equal(torc_arena_cstr(&self->arena, TORC_STR("text")), "text");
    assert_string_equal(torc_arena_cstr(&self->arena, (torc_str){0}), "");
}

static void rewinding_gives_back_what_came_after_the_mark(void **state) {
    fixture *self = *state;

    char *kept = torc_arena_cstr(&self->arena, TORC_STR("kept"));
    const torc_arena_mark mark = torc_arena_mark_take(&self->arena);
    char *first = torc_arena_bytes(&self->arena, 10);
    for (int i = 0; i < 5; i++) assert_non_null(torc_arena_alloc(&self->arena, 3000));
    assert_non_null(torc_arena_alloc(&self->arena, 9000));
    torc_arena_rewind(&self->arena, mark);
    assert_int_equal(self->arena.used, TORC_PAGE_SIZE);
    assert_string_equal(kept, "kept");
    assert_ptr_equal(torc_arena_bytes(&self->arena, 10), first);
}

static void a_large_block_before_the_mark_stays(void **state) {
    fixture *self = *state;

    char *large = torc_arena_alloc(&self->arena, 5000);
    const torc_arena_mark mark = torc_arena_mark_take(&self->arena);
    assert_non_null(torc_arena_alloc(&self->arena, 6000));
    assert_non_null(torc_arena_alloc(&self->arena, 1));
    torc_arena_rewind(&self->arena, mark);
    memset(large, 1, 5000);
    assert_true(self->arena.used > 5000 && self->arena.used < 5100);
}

static void a_stream_of_scratch_allocates_nothing(void **state) {
    fixture *self = *state;

    for (int i = 0; i < 100; i++) {
        const torc_arena_mark mark = torc_arena_mark_take(&self->arena);
        assert_non_null(torc_arena_alloc(&self->arena, 3000));
        assert_non_null(torc_arena_alloc(&self->arena, 3000));
        torc_arena_rewind(&self->arena, mark);
    }
    assert_int_equal(self->memory.allocated, 2);
}

static void what_was_rewound_is_poisoned(void **state) {
#ifdef TORC_HAS_POISON
    fixture *self = *state;

    char *kept = torc_arena_alloc(&self->arena, 16);
    const torc_arena_mark mark = torc_arena_mark_take(&self->arena);
    char *gone = torc_arena_alloc(&self->arena, 16);
    assert_true(__asan_address_is_poisoned(gone + 16));
    torc_arena_rewind(&self->arena, mark);
    assert_true(__asan_address_is_poisoned(gone));
    assert_false(__asan_address_is_poisoned(kept + 15));
#endif
}

static torc_err fill(torc_memory *memory, void *context) {
    torc_page_pool pool;
    torc_arena arena;
    torc_str copy;
    bool ok = true;
    torc_page_pool_init(&pool, memory, 1);
    torc_arena_init(&arena, &pool, SIZE_MAX);

    for (size_t size = 1; size < 20000; size *= 3) {
        ok = torc_arena_alloc_zero(&arena, size, 1) && ok;
        ok = !torc_arena_copy(&arena, TORC_STR("copied"), &copy) && ok;
        ok = torc_arena_cstr(&arena, TORC_STR("copied")) && ok;
    }
    torc_arena_dispose(&arena);
    torc_page_pool_dispose(&pool);
    return ok ? TORC_OK : TORC_ERR_NO_MEMORY;
}

static void arena_when_memory_fails(void **state) {
    faults_each(fill, NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_empty_arena_holds_nothing),
        CASE(an_arena_of_its_own_gives_everything_back),
        CASE(pieces_are_aligned_and_apart),
        CASE(text_is_packed),
        CASE(a_page_is_filled_to_its_end),
        CASE(what_exceeds_a_page_leaves_the_page_in_use),
        CASE(maximum_is_kept),
        CASE(cleared_pieces_are_clear),
        CASE(copies),
        CASE(rewinding_gives_back_what_came_after_the_mark),
        CASE(a_large_block_before_the_mark_stays),
        CASE(a_stream_of_scratch_allocates_nothing),
        CASE(what_was_rewound_is_poisoned),
        CASE(arena_when_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
