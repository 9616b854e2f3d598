/* SPDX-License-Identifier: MIT */
#include "transport/outgoing.h"

#include <torc/testing.h>

#include "check.h"

static torc_reactor *reactor;
static int flushes;

static int set_up(void **state) {
    (void)state;
    flushes = 0;
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static void flush(torc_flushable *flushable) {
    (void)flushable;
    flushes++;
}

static void what_was_given_back_is_taken_again_empty(void **state) {
    torc_outgoing *first = torc_outgoing_new(NULL, reactor, flush), *again;

    (void)state;
    assert_non_null(first);
    check_ok(torc_chain_add_bytes(&first->chain, TORC_STR("unsent")));
    first->sending = 3;
    torc_reactor_flush_later(reactor, &first->flushable);
    torc_outgoing_free(first, reactor);

    const uint64_t allocated = reactor->memory.allocated;
    again = torc_outgoing_new(NULL, reactor, flush);
    assert_ptr_equal(again, first);
    assert_int_equal(reactor->memory.allocated, allocated);
    assert_int_equal(again->chain.len, 0);
    assert_int_equal(again->sending, 0);
    assert_null(again->producer);
    torc_test_settle(reactor);
    assert_int_equal(flushes, 0); /* it was to be flushed before it was given back */
    torc_outgoing_free(again, reactor);
}

/* As many as there are at once; what more than the pool keeps comes back is freed. */
static void a_great_many_leave_little_behind(void **state) {
    enum {
        MANY = 3000
    };
    static torc_outgoing *all[MANY];

    (void)state;
    for (int i = 0; i < MANY; i++)
        assert_non_null(all[i] = torc_outgoing_new(NULL, reactor, flush));
    const size_t most = reactor->memory.used[TORC_MEMORY_OUTPUT];
    for (int i = 0; i < MANY; i++) torc_outgoing_free(all[i], reactor);
    assert_true(reactor->memory.used[TORC_MEMORY_OUTPUT] < most / 2);
}

static torc_err take_two(torc_memory *memory, void *context) {
    torc_outgoing *one, *two;

    (void)memory;
    (void)context;
    one = torc_outgoing_new(NULL, reactor, flush);
    two = torc_outgoing_new(NULL, reactor, flush);
    const bool are_there = one && two;
    torc_outgoing_free(one, reactor);
    torc_outgoing_free(two, reactor);
    return are_there ? TORC_OK : TORC_ERR_NO_MEMORY;
}

static bool always(void *context, size_t size) {
    (void)context;
    (void)size;
    return true;
}

static void without_memory_there_is_none(void **state) {
    (void)state;
    reactor->memory.fault = always;
    check_err(take_two(&reactor->memory, NULL), TORC_ERR_NO_MEMORY);
    reactor->memory.fault = NULL;
    check_ok(take_two(&reactor->memory, NULL));
}

static void none_is_fine_to_give_back(void **state) {
    (void)state;
    torc_outgoing_free(NULL, reactor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_given_back_is_taken_again_empty, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_great_many_leave_little_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_there_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(none_is_fine_to_give_back, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
