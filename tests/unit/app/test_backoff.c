/* SPDX-License-Identifier: MIT */
/* How long what died waits before it is started again. */
#include "app/backoff.h"

#include "check.h"

static void the_first_time_it_is_at_once(void **state) {
    torc_restart backoff = {0};

    (void)state;
    assert_int_equal(torc_restart_next(&backoff, 0), 0);
}

static void then_it_doubles_up_to_the_most(void **state) {
    static const uint32_t delays_ms[] = {0,    100,  200,   400,   800,   1600,
                                         3200, 6400, 12800, 25600, 30000, 30000};
    torc_restart backoff = {0};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(delays_ms); i++)
        assert_int_equal(torc_restart_next(&backoff, TORC_RESTART_WELL_MS - 1), delays_ms[i]);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(torc_restart_next(&backoff, 0), TORC_RESTART_MOST_MS);
}

static void what_ran_well_begins_anew(void **state) {
    torc_restart backoff = {0};

    (void)state;
    for (int i = 0; i < 100; i++) (void)torc_restart_next(&backoff, 0);
    assert_int_equal(torc_restart_next(&backoff, 0), TORC_RESTART_MOST_MS);
    assert_int_equal(torc_restart_next(&backoff, TORC_RESTART_WELL_MS), 0);
    assert_int_equal(torc_restart_next(&backoff, 0), 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_time_it_is_at_once),
        cmocka_unit_test(then_it_doubles_up_to_the_most),
        cmocka_unit_test(what_ran_well_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
