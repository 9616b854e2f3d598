/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <torc/fiber.h>
#include <torc/schedule.h>
#include <torc/testing.h>

#include "check.h"
#include "reactor/reactor.h"

/* The test clock begins at 1994-11-06 08:49:37 UTC, a Sunday. */
enum {
    MINUTE = 60,
    HOUR = 3600
};

static const int64_t AT_0850 = 784111777 + 23;

static torc_reactor *reactor;
static torc_cron_job *job;

static struct {
    int count, disposed, free_at;
    int64_t at[64], due[64];
    uint64_t missed[64];
    torc_deferred *answer;
    uint64_t takes_ms;
    torc_err err, waited;
} runs;

static int set_up(void **state) {
    (void)state;
    memset(&runs, 0, sizeof(runs));
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static void note(const torc_cron_run *run) {
    assert_true(runs.count < 64);
    runs.at[runs.count] = torc_reactor_wall_seconds(reactor);
    runs.missed[runs.count] = run->missed;
    runs.due[runs.count++] = run->due;
}

static torc_deferred *on_due(void *context, const torc_cron_run *run) {
    torc_deferred *answer = runs.answer;

    assert_ptr_equal(context, &runs);
    note(run);
    runs.answer = NULL;
    if (runs.count == runs.free_at) torc_cron_job_free(job);
    return answer;
}

static torc_err on_due_on_fiber(void *context, const torc_cron_run *run) {
    (void)context;
    note(run);
    if (runs.takes_ms) runs.waited = torc_sleep(reactor, runs.takes_ms);
    return runs.waited ? runs.waited : runs.err;
}

static void dispose(void *context) {
    assert_ptr_equal(context, &runs);
    runs.disposed++;
}

static torc_cron_options options_of(void) {
    return (torc_cron_options){
        .size = sizeof(torc_cron_options), .zone = "UTC", .dispose = dispose};
}

static void make(const char *expression, const torc_cron_options *options) {
    check_ok(torc_cron_job_new(reactor, expression, options, on_due, &runs, NULL, &job));
}

static void pass(uint64_t seconds) {
    torc_test_advance(reactor, seconds * 1000);
}

static void it_is_done_at_its_times(void **state) {
    const torc_cron_options options = options_of();

    (void)state;
    make("*/10 * * * *", &options);
    assert_int_equal(torc_cron_job_next(job), AT_0850);
    pass(22);
    assert_int_equal(runs.count, 0);
    pass(1);
    assert_int_equal(runs.count, 1);
    assert_int_equal(runs.at[0], AT_0850);
    assert_int_equal(runs.due[0], AT_0850);
    pass(HOUR);
    assert_int_equal(runs.count, 7);
    assert_int_equal(runs.at[6], AT_0850 + HOUR);
    assert_int_equal(torc_cron_job_runs(job), 7);
    assert_int_equal(torc_cron_job_missed(job), 0);
    torc_cron_job_free(job);
    pass(HOUR);
    assert_int_equal(runs.count, 7);
    assert_int_equal(runs.disposed, 1);
}

static void what_cannot_be_used_is_told(void **state) {
    torc_cron_options options = options_of();
    torc_cron_error error;

    (void)state;
    check_err(torc_cron_job_new(reactor, "* * * *", &options, on_due, &runs, &error, &job),
              TORC_ERR_SYNTAX);
    assert_non_null(strstr(error.text, "day of the week"));
    options.zone = "Europe/Atlantis";
    check_err(torc_cron_job_new(reactor, "* * * * *", &options, on_due, &runs, &error, &job),
              TORC_ERR_NOT_FOUND);
    assert_non_null(strstr(error.text, "\"Europe/Atlantis\""));
    options.zone = "/etc/passwd";
    check_err(torc_cron_job_new(reactor, "* * * * *", &options, on_due, &runs, NULL, &job),
              TORC_ERR_NOT_FOUND);
    assert_int_equal(runs.disposed, 0);
}

static void a_run_that_overlaps_is_missed(void **state) {
    const torc_cron_options options = options_of();
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    make("* * * * *", &options);
    runs.answer = deferred;
    pass(23 + 3 * MINUTE + 30);
    assert_int_equal(runs.count, 1);
    assert_true(torc_cron_job_is_busy(job));
    check_ok(torc_deferred_fire(deferred, NULL, NULL));
    pass(MINUTE);
    assert_false(torc_cron_job_is_busy(job));
    assert_int_equal(runs.count, 2);
    assert_int_equal(runs.due[1], AT_0850 + 4 * MINUTE);
    assert_int_equal(runs.missed[1], 3);
    assert_int_equal(torc_cron_job_missed(job), 3);
    torc_cron_job_free(job);
}

static void or_is_done_when_the_last_is_over(void **state) {
    torc_cron_options options = options_of();
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    options.overlap = TORC_OVERLAP_QUEUE;
    make("* * * * *", &options);
    runs.answer = deferred;
    pass(23 + 2 * MINUTE + 30);
    assert_int_equal(runs.count, 1);
    check_ok(torc_deferred_fire(deferred, NULL, NULL));
    pass(1);
    assert_int_equal(runs.count, 2);
    assert_int_equal(runs.due[1], AT_0850 + 2 * MINUTE);
    assert_int_equal(runs.missed[1], 1);
    pass(29);
    assert_int_equal(runs.count, 3);
    assert_int_equal(runs.missed[2], 0);
    torc_cron_job_free(job);
}

static void a_run_that_fails_does_not_end_it(void **state) {
    const torc_cron_options options = options_of();

    (void)state;
    make("* * * * *", &options);
    runs.answer = torc_deferred_failed(reactor, TORC_ERR_NO_SPACE);
    pass(23 + MINUTE);
    assert_int_equal(runs.count, 2);
    torc_cron_job_free(job);
}

static void a_run_on_a_fiber_may_wait(void **state) {
    const torc_cron_options options = options_of();

    (void)state;
    check_ok(torc_cron_job_new_on_fiber(reactor, "* * * * *", &options, on_due_on_fiber, &runs,
                                        NULL, &job));
    runs.takes_ms = 90000;
    pass(23 + 2 * MINUTE);
    assert_int_equal(runs.count, 2);
    assert_int_equal(runs.missed[1], 1);
    torc_cron_job_free(job);
    assert_int_equal(runs.disposed, 0);
    torc_test_settle(reactor);
    check_err(runs.waited, TORC_ERR_CANCELLED);
    assert_int_equal(runs.disposed, 1);
}

static void one_without_a_fiber_is_missed(void **state) {
    const torc_reactor_options few = {.size = sizeof(few), .fibers_max = 1};
    const torc_cron_options options = options_of();
    torc_cron_job *other;

    (void)state;
    torc_reactor_free(reactor);
    check_ok(torc_test_reactor_new(&few, &reactor));
    check_ok(torc_cron_job_new_on_fiber(reactor, "50 * * * *", &options, on_due_on_fiber, &runs,
                                        NULL, &other));
    runs.takes_ms = 150000;
    pass(24);
    check_ok(torc_cron_job_new_on_fiber(reactor, "* * * * *", &options, on_due_on_fiber, &runs,
                                        NULL, &job));
    pass(3 * MINUTE);
    assert_int_equal(runs.count, 2);
    assert_int_equal(runs.missed[1], 2);
    assert_int_equal(torc_cron_job_runs(job), 1);
    torc_cron_job_free(job);
    torc_cron_job_free(other);
}

static void it_may_be_freed_by_its_run(void **state) {
    const torc_cron_options options = options_of();

    (void)state;
    make("* * * * *", &options);
    runs.free_at = 2;
    pass(10 * MINUTE);
    assert_int_equal(runs.count, 2);
    assert_int_equal(runs.disposed, 1);
}

static void jitter_lets_it_be_later(void **state) {
    torc_cron_options options = options_of();
    int64_t differing = 0;

    (void)state;
    options.jitter_ms = 30000;
    make("* * * * *", &options);
    pass(23 + 40 * MINUTE - 1);
    assert_int_equal(runs.count, 40);
    for (int i = 0; i < 40; i++) {
        const int64_t late = runs.at[i] - runs.due[i];
        assert_int_equal(runs.due[i], AT_0850 + i * MINUTE);
        assert_true(late >= 0 && late <= 30);
        differing += late != runs.at[0] - runs.due[0];
    }
    assert_true(differing > 0);
    assert_int_equal(torc_cron_job_missed(job), 0);
    torc_cron_job_free(job);
}

static void a_clock_that_jumps_ahead_is_noticed_within_a_minute(void **state) {
    const torc_cron_options options = options_of();

    (void)state;
    make("0 * * * *", &options);
    torc_test_set_wall(reactor, AT_0850 + 4 * HOUR + 60); /* 12:51: past 9, 10, 11 and 12 */
    assert_int_equal(runs.count, 0);
    pass(MINUTE);
    assert_int_equal(runs.count, 1);
    assert_int_equal(runs.due[0], AT_0850 - 50 * MINUTE + 4 * HOUR);
    assert_int_equal(runs.missed[0], 3);
    pass(10 * MINUTE);
    assert_int_equal(runs.count, 2);
    assert_int_equal(runs.due[1], AT_0850 + 10 * MINUTE + 4 * HOUR);
    torc_cron_job_free(job);
}

static void a_clock_that_is_set_back_lets_nothing_be_done_twice(void **state) {
    const torc_cron_options options = options_of();

    (void)state;
    make("0 * * * *", &options);
    pass(23 + 11 * MINUTE); /* 9:01 */
    assert_int_equal(runs.count, 1);
    torc_test_set_wall(reactor, AT_0850 - 20 * MINUTE); /* 8:30 */
    pass(80 * MINUTE);                                  /* 9:50 */
    assert_int_equal(runs.count, 1);
    pass(10 * MINUTE); /* 10:00 */
    assert_int_equal(runs.count, 2);
    assert_int_equal(runs.missed[1], 0);
    torc_cron_job_free(job);
}

static void one_that_is_set_back_by_hours_was_wrong(void **state) {
    const torc_cron_options options = options_of();

    (void)state;
    make("0 * * * *", &options);
    torc_test_set_wall(reactor, AT_0850 - 12 * HOUR); /* 20:50, the day before */
    pass(10 * MINUTE + 1);
    assert_int_equal(runs.count, 1);
    assert_int_equal(runs.due[0], AT_0850 - 12 * HOUR + 10 * MINUTE);
    torc_cron_job_free(job);
}

static void without_memory_there_is_none(void **state) {
    const torc_cron_options options = options_of();
    uint64_t n = 1;

    (void)state;
    for (;; n++) {
        torc_test_fail_allocation(reactor, n);
        const torc_err err =
            torc_cron_job_new(reactor, "* * * * *", &options, on_due, &runs, NULL, &job);
        if (!torc_test_allocation_failed(reactor)) {
            check_ok(err);
            break;
        }
        check_err(err, TORC_ERR_NO_MEMORY);
    }
    assert_true(n > 2);
    torc_test_fail_allocation(reactor, 0);
    torc_cron_job_free(job);
    torc_cron_job_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_done_at_its_times, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_used_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_overlaps_is_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(or_is_done_when_the_last_is_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_fails_does_not_end_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_on_a_fiber_may_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_without_a_fiber_is_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_may_be_freed_by_its_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(jitter_lets_it_be_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_jumps_ahead_is_noticed_within_a_minute, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_is_set_back_lets_nothing_be_done_twice, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_set_back_by_hours_was_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_there_is_none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
