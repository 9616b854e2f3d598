/* SPDX-License-Identifier: MIT */
/*
 * Attempts side by side, with the test clock and without any socket.
 */
#include <stdio.h>
#include <torc/testing.h>

#include "check.h"
#include "transport/race.h"

static torc_reactor *reactor;
static torc_race race;
static char events[200];            /* what the race did, in its order: "b0 b1 a0 " */
static bool refuses[TORC_RACE_MAX]; /* the attempt fails at once */

static void note(const char *what, size_t number) {
    const size_t len = strlen(events);
    snprintf(events + len, sizeof(events) - len, "%s%zu ", what, number);
}

static torc_err begin(torc_race *self, size_t number) {
    assert_ptr_equal(self, &race);
    note("b", number);
    return refuses[number] ? TORC_ERR_UNREACHABLE : TORC_OK;
}

static void abandon(torc_race *self, size_t number) {
    assert_ptr_equal(self, &race);
    note("a", number);
}

static void lost(torc_race *self, torc_err err) {
    assert_ptr_equal(self, &race);
    note("lost", (size_t)-err);
}

static const torc_race_ops ops = {.begin = begin, .abandon = abandon, .lost = lost};

static int set_up(void **state) {
    (void)state;
    events[0] = '\0';
    memset(refuses, 0, sizeof(refuses));
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_race_stop(&race);
    torc_reactor_free(reactor);
    return 0;
}

static void start(size_t count) {
    check_ok(torc_race_start(&race, reactor, &ops, count, 250));
}

static void pass(uint64_t ms) {
    torc_test_advance(reactor, ms);
}

static void one_begins_after_the_other(void **state) {
    (void)state;
    start(3);
    assert_string_equal(events, "b0 ");
    pass(249);
    assert_string_equal(events, "b0 ");
    pass(1);
    assert_string_equal(events, "b0 b1 ");
    pass(250);
    assert_string_equal(events, "b0 b1 b2 ");
    pass(10000);
    assert_string_equal(events, "b0 b1 b2 ");
}

static void the_first_that_succeeds_wins(void **state) {
    (void)state;
    start(4);
    pass(500);
    torc_race_succeeded(&race, 1);
    assert_string_equal(events, "b0 b1 b2 a0 a2 ");
    torc_race_failed(&race, 0, TORC_ERR_CANCELLED); /* their ends are told, and mean nothing */
    torc_race_failed(&race, 2, TORC_ERR_CANCELLED);
    pass(10000);
    assert_string_equal(events, "b0 b1 b2 a0 a2 ");
}

static void a_failure_begins_the_next_at_once(void **state) {
    (void)state;
    start(3);
    pass(100);
    torc_race_failed(&race, 0, TORC_ERR_REFUSED);
    assert_string_equal(events, "b0 b1 ");
    pass(249); /* the moment counts from there */
    assert_string_equal(events, "b0 b1 ");
    pass(1);
    assert_string_equal(events, "b0 b1 b2 ");
}

static void the_last_failure_is_the_reason(void **state) {
    char expected[40];

    (void)state;
    start(2);
    pass(250);
    torc_race_failed(&race, 1, TORC_ERR_REFUSED);
    assert_string_equal(events, "b0 b1 ");
    torc_race_failed(&race, 0, TORC_ERR_TIMEOUT);
    snprintf(expected, sizeof(expected), "b0 b1 lost%d ", -TORC_ERR_TIMEOUT);
    assert_string_equal(events, expected);
}

static void attempts_may_fail_at_once(void **state) {
    char expected[60];

    (void)state;
    refuses[0] = refuses[1] = refuses[3] = true;
    start(4);
    assert_string_equal(events, "b0 b1 b2 ");
    pass(250); /* the one that is left fails, and another still runs */
    assert_string_equal(events, "b0 b1 b2 b3 ");
    torc_race_failed(&race, 2, TORC_ERR_REFUSED);
    snprintf(expected, sizeof(expected), "b0 b1 b2 b3 lost%d ", -TORC_ERR_REFUSED);
    assert_string_equal(events, expected);
}

static void all_may_fail_at_once(void **state) {
    (void)state;
    refuses[0] = refuses[1] = true;
    check_err(torc_race_start(&race, reactor, &ops, 2, 250), TORC_ERR_UNREACHABLE);
    pass(10000);
    assert_string_equal(events, "b0 b1 "); /* `lost` is not told */
}

static void the_rest_may_fail_at_once(void **state) {
    char expected[60];

    (void)state;
    refuses[1] = refuses[2] = true;
    start(3);
    torc_race_failed(&race, 0, TORC_ERR_REFUSED);
    snprintf(expected, sizeof(expected), "b0 b1 b2 lost%d ", -TORC_ERR_UNREACHABLE);
    assert_string_equal(events, expected);
}

static void a_race_that_is_stopped_abandons_all(void **state) {
    (void)state;
    start(3);
    pass(250);
    torc_race_stop(&race);
    torc_race_stop(&race);
    pass(10000);
    assert_string_equal(events, "b0 b1 a0 a1 ");
}

static void there_may_be_many(void **state) {
    (void)state;
    start(TORC_RACE_MAX);
    pass((TORC_RACE_MAX - 1) * 250);
    events[0] = '\0';
    torc_race_succeeded(&race, TORC_RACE_MAX - 1);
    assert_non_null(strstr(events, "a30 "));
    assert_null(strstr(events, "a31 "));
}

int main(void) {
#define RACE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        RACE_TEST(one_begins_after_the_other),
        RACE_TEST(the_first_that_succeeds_wins),
        RACE_TEST(a_failure_begins_the_next_at_once),
        RACE_TEST(the_last_failure_is_the_reason),
        RACE_TEST(attempts_may_fail_at_once),
        RACE_TEST(all_may_fail_at_once),
        RACE_TEST(the_rest_may_fail_at_once),
        RACE_TEST(a_race_that_is_stopped_abandons_all),
        RACE_TEST(there_may_be_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
