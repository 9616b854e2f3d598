/* SPDX-License-Identifier: MIT */
#include <torc/deferred.h>

#include "deferred_fixture.h"

static void all_have_their_values_in_order(void **state) {
    torc_deferred *some[3] = {torc_deferred_new(reactor),
                              torc_deferred_of(reactor, &value_b, dispose),
                              torc_deferred_new(reactor)};
    taker taking;

    (void)state;
    consume(&taking, torc_deferred_all(reactor, some, 3));
    torc_deferred_fire(some[2], &value_c, dispose);
    turns(2);
    assert_int_equal(taking.told, 0);
    torc_deferred_fire(some[0], &value_a, dispose);
    turns(2);
    check_ok(taking.err);
    torc_results *results = taking.value;
    assert_int_equal(results->count, 3);
    assert_ptr_equal(torc_results_take(results, 0), &value_a);
    assert_ptr_equal(results->each[1].value, &value_b);
    assert_ptr_equal(results->each[2].value, &value_c);
    torc_results_dispose(results);
    assert_int_equal(disposed, 2); /* the first was taken */
    torc_results_dispose(NULL);
}

static void the_first_failure_of_all_cancels_the_rest(void **state) {
    torc_deferred *slow = make_with(cancel_later), *quick = make_with(cancel_now);
    torc_deferred *failing = torc_deferred_new(reactor);
    torc_deferred *some[4] = {torc_deferred_of(reactor, &value_a, dispose), quick, failing, slow};
    taker taking;

    (void)state;
    consume(&taking, torc_deferred_all(reactor, some, 4));
    turns(1);
    torc_deferred_fail_with(failing, TORC_ERR_REFUSED,
                            torc_failure_new_at(NULL, "x.c:1", TORC_ERR_REFUSED, "no"));
    turns(2);
    assert_int_equal(cancels, 2);
    assert_int_equal(taking.told, 0); /* one has not let go */
    torc_deferred_fire(slow, &value_b, dispose);
    turns(2);
    check_err(taking.err, TORC_ERR_REFUSED);
    assert_int_equal(disposed, 2);
    assert_string_equal(text_of(taking.failure),
                        "number 3 of 4 failed: the connection was refused (x.c:1), because no: the "
                        "connection was refused (x.c:1)");
    torc_failure_free(taking.failure);
}

static void all_settled_tells_each(void **state) {
    torc_deferred *some[3] = {torc_deferred_new(reactor),
                              torc_deferred_failed(reactor, TORC_ERR_LOST),
                              torc_deferred_of(reactor, &value_b, dispose)};
    taker taking;

    (void)state;
    consume(&taking, torc_deferred_all_settled(reactor, some, 3));
    turns(2);
    assert_int_equal(taking.told, 0);
    torc_deferred_fail(some[0], TORC_ERR_TIMEOUT);
    turns(2);
    check_ok(taking.err);
    torc_results *results = taking.value;
    check_err(results->each[0].err, TORC_ERR_TIMEOUT);
    check_err(results->each[1].err, TORC_ERR_LOST);
    assert_non_null(strstr(torc_failure_place(results->each[1].failure), "test_deferred_group.c"));
    assert_null(torc_results_take(results, 1));
    check_ok(results->each[2].err);
    torc_results_dispose(results);
    assert_int_equal(disposed, 1);
}

static void the_first_value_wins_a_race(void **state) {
    torc_deferred *loser = make_with(cancel_now), *winner_ = torc_deferred_new(reactor);
    torc_deferred *some[3] = {torc_deferred_failed(reactor, TORC_ERR_LOST), loser, winner_};
    size_t winner = 9;
    taker taking;

    (void)state;
    consume(&taking, torc_deferred_race(reactor, some, 3, &winner));
    turns(2);
    assert_int_equal(taking.told, 0);
    torc_deferred_fire(winner_, &value_c, dispose);
    assert_false(torc_deferred_is_wanted(loser)); /* at once, so that it takes nothing */
    assert_int_equal(cancels, 0);                 /* but nobody is called by who fires */
    turns(2);
    assert_int_equal(cancels, 1);
    assert_ptr_equal(taking.value, &value_c);
    assert_int_equal(winner, 2);
    assert_int_equal(disposed, 0);
}

static void a_race_waits_until_the_losers_have_let_go(void **state) {
    torc_deferred *some[2] = {make_with(cancel_later), torc_deferred_new(reactor)};
    taker taking;

    (void)state;
    consume(&taking, torc_deferred_race(reactor, some, 2, NULL));
    torc_deferred_fire(some[1], &value_a, dispose);
    turns(2);
    assert_int_equal(taking.told, 0);
    torc_deferred_fail(some[0], TORC_ERR_CANCELLED);
    turns(2);
    assert_ptr_equal(taking.value, &value_a);
}

static void when_all_have_failed_so_has_the_race(void **state) {
    torc_deferred *some[2] = {torc_deferred_new(reactor),
                              torc_deferred_failed(reactor, TORC_ERR_LOST)};
    taker taking;

    (void)state;
    consume(&taking, torc_deferred_race(reactor, some, 2, NULL));
    turns(1);
    torc_deferred_fail(some[0], TORC_ERR_REFUSED);
    turns(2);
    check_err(taking.err, TORC_ERR_REFUSED);
    assert_non_null(torc_failure_find(taking.failure, TORC_ERR_LOST));
    assert_string_equal(torc_failure_message(taking.failure), "none of 2 had a value");
    torc_failure_free(taking.failure);
}

static void the_first_to_end_decides_also_by_a_failure(void **state) {
    torc_deferred *some[2] = {make_with(cancel_now), torc_deferred_new(reactor)};
    size_t winner = 9;
    taker taking;

    (void)state;
    consume(&taking, torc_deferred_first(reactor, some, 2, &winner));
    torc_deferred_fail(some[1], TORC_ERR_REFUSED);
    turns(3);
    check_err(taking.err, TORC_ERR_REFUSED);
    assert_int_equal(cancels, 1);
    assert_int_equal(winner, 9);
    torc_failure_free(taking.failure);

    some[0] = make_with(cancel_now);
    some[1] = torc_deferred_of(reactor, &value_b, dispose);
    consume(&taking, torc_deferred_first(reactor, some, 2, &winner));
    turns(3);
    assert_ptr_equal(taking.value, &value_b);
    assert_int_equal(winner, 1);
}

static void of_none(void **state) {
    taker all, settled, race, first;

    (void)state;
    consume(&all, torc_deferred_all(reactor, NULL, 0));
    consume(&settled, torc_deferred_all_settled(reactor, NULL, 0));
    consume(&race, torc_deferred_race(reactor, NULL, 0, NULL));
    consume(&first, torc_deferred_first(reactor, NULL, 0, NULL));
    turns(1);
    assert_int_equal(((torc_results *)all.value)->count, 0);
    assert_int_equal(((torc_results *)settled.value)->count, 0);
    check_err(race.err, TORC_ERR_INVALID);
    check_err(first.err, TORC_ERR_INVALID);
    torc_results_dispose(all.value);
    torc_results_dispose(settled.value);
    torc_failure_free(race.failure);
    torc_failure_free(first.failure);
}

/* A source of numbers that takes one only for who still wants it, as queues do. */
typedef struct source {
    torc_deferred *waiting;
    int next;
    int numbers[4];
} source;

static void source_gives(source *self) {
    if (!self->waiting || !torc_deferred_is_wanted(self->waiting)) return;
    torc_deferred *deferred = self->waiting;
    self->waiting = NULL;
    torc_deferred_fire(deferred, &self->numbers[self->next++], dispose);
}

static void cancel_source(torc_deferred *deferred, void *context) {
    ((source *)context)->waiting = NULL;
    cancels++;
    torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

static torc_deferred *take_one(source *self) {
    self->waiting = torc_deferred_new(reactor);
    torc_deferred_set_canceller(self->waiting, cancel_source, self);
    return self->waiting;
}

static void nothing_is_lost_with_a_race(void **state) {
    source a = {.next = 0}, b = {.next = 0};
    taker taking;

    (void)state;
    /* Both have something in the same turn, one deep below others. */
    torc_deferred *some[2] = {torc_deferred_timeout(take_one(&a), 100), take_one(&b)};
    torc_deferred *inner = torc_deferred_race(reactor, some, 2, NULL);
    consume(&taking, torc_deferred_timeout(inner, 50));
    source_gives(&b);
    source_gives(&a);
    hand_clock_move(&deferred_clock, 200); /* and all timers are due */
    turns(3);
    check_ok(taking.err);
    assert_ptr_equal(taking.value, &b.numbers[0]);
    assert_int_equal(a.next, 0);
    assert_int_equal(cancels, 1);
    assert_int_equal(disposed, 0);
}

static void what_has_a_value_cannot_be_cancelled(void **state) {
    source a = {.next = 0};
    torc_deferred *slow = make_with(cancel_later);
    torc_deferred *some[2] = {take_one(&a), slow}, *result;
    taker taking;

    (void)state;
    result = torc_deferred_race(reactor, some, 2, NULL);
    consume(&taking, result);
    source_gives(&a);
    torc_deferred_cancel(result);
    turns(2);
    torc_deferred_cancel(result);
    torc_deferred_fail(slow, TORC_ERR_CANCELLED);
    turns(2);
    assert_ptr_equal(taking.value, &a.numbers[0]);
}

static void cancelling_reaches_every_member(void **state) {
    torc_deferred *(*const make[])(torc_reactor *, torc_deferred *const *,
                                   size_t) = {torc_deferred_all, torc_deferred_all_settled};

    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        torc_deferred *inner[2] = {make_with(cancel_now), make_with(cancel_now)};
        torc_deferred *some[2] = {torc_deferred_all(reactor, inner, 2), make_with(cancel_now)};
        torc_deferred *result = kind < 2    ? make[kind](reactor, some, 2)
                                : kind == 2 ? torc_deferred_race(reactor, some, 2, NULL)
                                            : torc_deferred_first(reactor, some, 2, NULL);
        taker taking;
        cancels = 0;
        consume(&taking, result);
        torc_deferred_cancel(result);
        turns(4);
        assert_int_equal(cancels, 3);
        check_err(taking.err, TORC_ERR_CANCELLED);
        torc_failure_free(taking.failure);
    }
}

static void a_dropped_group_disposes_of_everything(void **state) {
    torc_deferred *some[3] = {torc_deferred_of(reactor, &value_a, dispose), make_with(cancel_later),
                              torc_deferred_new(reactor)};
    torc_deferred *slow = some[1], *never = some[2];
    size_t winner = 9;

    (void)state;
    torc_deferred_drop(torc_deferred_race(reactor, some, 3, &winner));
    turns(2);
    torc_deferred_fire(slow, &value_b, dispose);
    torc_deferred_fire(never, &value_c, dispose);
    turns(2);
    assert_int_equal(disposed, 3);
    assert_int_equal(winner, 9);
}

static torc_err race_on_fiber(void *context) {
    size_t winner = 9;
    void *value;
    torc_deferred *some[2] = {torc_defer_later(reactor, 50, &value_a, dispose),
                              torc_defer_later(reactor, 20, &value_b, dispose)};
    torc_err err = torc_await(torc_deferred_race(reactor, some, 2, &winner), &value);

    assert_int_equal(winner, 1);
    assert_ptr_equal(value, &value_b);
    *(bool *)context = true;
    return err;
}

static void a_fiber_waits_for_a_race(void **state) {
    torc_fiber *fiber;
    bool has_ended = false;

    (void)state;
    check_ok(torc_fiber_start(reactor, race_on_fiber, &has_ended, &fiber));
    move_ms(20);
    assert_true(has_ended);
    assert_int_equal(disposed, 1);
}

static torc_err run_groups(void) {
    torc_deferred *some[2] = {torc_deferred_of(reactor, &value_a, dispose),
                              torc_deferred_of(reactor, &value_b, dispose)};
    torc_deferred *more[2] = {torc_deferred_all(reactor, some, 2),
                              torc_deferred_of(reactor, &value_c, dispose)};
    torc_deferred *settled[1] = {torc_deferred_race(reactor, more, 2, NULL)};
    taker taking;

    consume(&taking, torc_deferred_all_settled(reactor, settled, 1));
    turns(4);
    torc_failure_free(taking.failure);
    const torc_err err = taking.err ? taking.err : ((torc_results *)taking.value)->each[0].err;
    if (!taking.err) torc_results_dispose(taking.value);
    assert_int_equal(taking.told, 1);
    return err;
}

static void every_allocation_may_fail(void **state) {
    bool is_untouched = false;

    (void)state;
    for (uint64_t fail_at = 1; !is_untouched; fail_at++) {
        faults injected;
        assert_int_equal(set_up(NULL), 0);
        const size_t before = torc_reactor_memory(reactor)->used_total;
        faults_arm(&injected, torc_reactor_memory(reactor), fail_at);
        const torc_err err = run_groups();
        is_untouched = !injected.hit;
        faults_disarm(torc_reactor_memory(reactor));
        if (is_untouched) check_ok(err);
        assert_int_equal(torc_reactor_memory(reactor)->used_total, before);
        assert_in_range(disposed, 0, 3);
        if (is_untouched) assert_int_equal(disposed, 3);
        tear_down(NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DEFERRED_TEST(all_have_their_values_in_order),
        DEFERRED_TEST(the_first_failure_of_all_cancels_the_rest),
        DEFERRED_TEST(all_settled_tells_each),
        DEFERRED_TEST(the_first_value_wins_a_race),
        DEFERRED_TEST(a_race_waits_until_the_losers_have_let_go),
        DEFERRED_TEST(when_all_have_failed_so_has_the_race),
        DEFERRED_TEST(the_first_to_end_decides_also_by_a_failure),
        DEFERRED_TEST(of_none),
        DEFERRED_TEST(nothing_is_lost_with_a_race),
        DEFERRED_TEST(what_has_a_value_cannot_be_cancelled),
        DEFERRED_TEST(cancelling_reaches_every_member),
        DEFERRED_TEST(a_dropped_group_disposes_of_everything),
        DEFERRED_TEST(a_fiber_waits_for_a_race),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
