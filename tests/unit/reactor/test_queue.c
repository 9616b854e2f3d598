/* SPDX-License-Identifier: MIT */
#include <torc/queue.h>

#include "deferred_fixture.h"

static int numbers[64];

static torc_queue *make(size_t size_max, size_t backlog_max) {
    torc_queue *queue;

    check_ok(torc_queue_new(reactor, size_max, backlog_max, &queue));
    for (int i = 0; i < 64; i++) numbers[i] = i;
    return queue;
}

static void put(torc_queue *queue, int number) {
    check_ok(torc_queue_try_put(queue, &numbers[number], dispose));
}

static int get(torc_queue *queue) {
    void *value;

    check_ok(torc_queue_try_get(queue, &value));
    return *(int *)value;
}

static void values_leave_in_their_order(void **state) {
    torc_queue *queue = make(20, 4);
    void *value;

    (void)state;
    check_err(torc_queue_try_get(queue, &value), TORC_ERR_AGAIN);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 13; i++) put(queue, i);
        assert_int_equal(torc_queue_count(queue), 13);
        for (int i = 0; i < 13; i++) assert_int_equal(get(queue), i);
    }
    for (int i = 0; i < 20; i++) put(queue, i);
    check_err(torc_queue_try_put(queue, &numbers[20], dispose), TORC_ERR_LIMIT);
    assert_int_equal(disposed, 1);
    torc_queue_free(queue);
    assert_int_equal(disposed, 21);
    torc_queue_free(NULL);
}

static void who_waits_is_served_first_come_first_served(void **state) {
    torc_queue *queue = make(1, 2);
    taker takers[3];

    (void)state;
    for (int i = 0; i < 3; i++) consume(&takers[i], torc_queue_get(queue));
    turns(1);
    check_err(takers[2].err, TORC_ERR_LIMIT); /* the backlog is full */
    torc_failure_free(takers[2].failure);
    put(queue, 1);
    put(queue, 2);
    turns(1);
    assert_ptr_equal(takers[0].value, &numbers[1]);
    assert_ptr_equal(takers[1].value, &numbers[2]);
    assert_int_equal(torc_queue_count(queue), 0);
    torc_queue_free(queue);
}

static void putting_waits_for_room(void **state) {
    torc_queue *queue = make(1, 1);
    taker takers[3];

    (void)state;
    for (int i = 0; i < 3; i++) consume(&takers[i], torc_queue_put(queue, &numbers[i], dispose));
    turns(2);
    assert_int_equal(takers[0].told, 1);
    assert_int_equal(takers[1].told, 0);
    check_err(takers[2].err, TORC_ERR_LIMIT);
    torc_failure_free(takers[2].failure);
    assert_int_equal(disposed, 1);
    assert_int_equal(get(queue), 0);
    turns(1);
    assert_int_equal(takers[1].told, 1);
    assert_int_equal(get(queue), 1);
    put(queue, 3);
    consume(&takers[0], torc_queue_put(queue, &numbers[4], dispose));
    torc_callback_cancel(&takers[0].callback);
    assert_int_equal(disposed, 2);
    assert_int_equal(get(queue), 3);
    torc_queue_free(queue);
}

typedef struct side {
    torc_queue *queue;
    torc_fiber *fiber;
    int count, sum;
    torc_err err;
    bool has_ended;
} side;

static torc_err make_numbers(void *context) {
    side *self = context;

    for (int i = 0; i < self->count && !self->err; i++)
        self->err = torc_queue_put_await(self->queue, &numbers[i], dispose);
    self->has_ended = true;
    return self->err;
}

static torc_err take_numbers(void *context) {
    side *self = context;
    void *value;

    while (self->count-- > 0 && !(self->err = torc_queue_get_await(self->queue, &value)))
        self->sum += *(int *)value;
    self->has_ended = true;
    return self->err;
}

static void fibers_hand_over(void **state) {
    (void)state;
    for (size_t size_max = 0; size_max < 3; size_max++) {
        side maker = {.queue = make(size_max, 4), .count = 50};
        side user = {.queue = maker.queue, .count = 50};
        check_ok(torc_fiber_start(reactor, make_numbers, &maker, &maker.fiber));
        assert_false(maker.has_ended);
        check_ok(torc_fiber_start(reactor, take_numbers, &user, &user.fiber));
        turns(50);
        assert_true(maker.has_ended && user.has_ended);
        check_ok(user.err);
        assert_int_equal(user.sum, 49 * 50 / 2);
        torc_queue_free(maker.queue);
    }
    assert_int_equal(disposed, 0);
}

static void a_full_backlog_refuses_fibers_too(void **state) {
    torc_queue *queue = make(1, 0);
    side user = {.queue = queue, .count = 1}, maker = {.queue = queue, .count = 3};

    (void)state;
    check_ok(torc_fiber_start(reactor, take_numbers, &user, &user.fiber));
    check_err(user.err, TORC_ERR_LIMIT);
    check_ok(torc_fiber_start(reactor, make_numbers, &maker, &maker.fiber));
    check_err(maker.err, TORC_ERR_LIMIT);
    assert_int_equal(disposed, 1);
    user = (side){.queue = queue, .count = 1};
    check_ok(torc_fiber_start(reactor, take_numbers, &user, &user.fiber));
    check_ok(user.err); /* it did not have to wait */
    torc_queue_free(queue);
}

static void a_cancelled_fiber_leaves_the_line(void **state) {
    torc_queue *queue = make(1, 4);
    side user = {.queue = queue, .count = 1}, maker = {.queue = queue, .count = 2};

    (void)state;
    check_ok(torc_fiber_start(reactor, take_numbers, &user, &user.fiber));
    torc_fiber_cancel(user.fiber, TORC_ERR_LOST);
    put(queue, 7);
    turns(1);
    check_err(user.err, TORC_ERR_LOST);
    assert_int_equal(torc_queue_count(queue), 1);
    check_ok(torc_fiber_start(reactor, make_numbers, &maker, &maker.fiber));
    torc_fiber_cancel(maker.fiber, TORC_ERR_LOST);
    turns(1);
    check_err(maker.err, TORC_ERR_LOST);
    assert_int_equal(disposed, 1);
    assert_int_equal(get(queue), 7);
    torc_queue_free(queue);
}

static void nothing_is_lost_with_a_race(void **state) {
    torc_queue *a = make(4, 4), *b = make(4, 4);
    taker taking;
    size_t winner;

    (void)state;
    /* Both have something already. */
    put(a, 1);
    put(a, 2);
    put(b, 3);
    torc_deferred *some[3] = {torc_deferred_timeout(torc_queue_get(b), 10), torc_queue_get(a),
                              torc_queue_get(a)};
    consume(&taking, torc_deferred_race(reactor, some, 3, &winner));
    turns(3);
    assert_int_equal(taking.told, 1);
    check_ok(taking.err);
    assert_int_equal(torc_queue_count(a) + torc_queue_count(b), 2);
    assert_int_equal(disposed, 0);

    /* A timeout in the turn of the value, and one before it. */
    while (torc_queue_count(a)) (void)get(a);
    consume(&taking, torc_deferred_timeout(torc_queue_get(a), 10));
    turns(1);
    put(a, 5);
    hand_clock_move(&deferred_clock, 20);
    turns(2);
    assert_ptr_equal(taking.value, &numbers[5]);
    consume(&taking, torc_deferred_timeout(torc_queue_get(a), 10));
    turns(1);
    hand_clock_move(&deferred_clock, 20);
    turns(2);
    put(a, 6);
    check_err(taking.err, TORC_ERR_TIMEOUT);
    torc_failure_free(taking.failure);
    assert_int_equal(get(a), 6);
    torc_queue_free(a);
    torc_queue_free(b);
}

static torc_err get_within(void *context) {
    side *self = context;
    torc_deadline deadline;
    void *value;

    torc_deadline_begin(reactor, &deadline, 10);
    self->err = torc_queue_get_await(self->queue, &value);
    torc_deadline_end(reactor, &deadline);
    if (!self->err) self->sum = *(int *)value;
    self->has_ended = true;
    return self->err;
}

static void nothing_is_lost_with_a_deadline(void **state) {
    torc_queue *queue = make(4, 4);
    side early = {.queue = queue}, late = {.queue = queue};

    (void)state;
    check_ok(torc_fiber_start(reactor, get_within, &early, &early.fiber));
    put(queue, 1);
    hand_clock_move(&deferred_clock, 20);
    turns(2);
    check_ok(early.err);
    assert_int_equal(early.sum, 1);
    check_ok(torc_fiber_start(reactor, get_within, &late, &late.fiber));
    move_ms(20);
    check_err(late.err, TORC_ERR_TIMEOUT);
    put(queue, 2);
    assert_int_equal(get(queue), 2);
    torc_queue_free(queue);
}

static void closed_it_is_emptied_and_no_more(void **state) {
    torc_queue *queue = make(1, 4);
    side maker = {.queue = queue, .count = 3}, user = {.queue = queue, .count = 9};
    taker taking;
    void *value;

    (void)state;
    check_ok(torc_fiber_start(reactor, make_numbers, &maker, &maker.fiber));
    consume(&taking, torc_queue_put(queue, &numbers[9], dispose));
    turns(1);
    torc_queue_close(queue);
    turns(2);
    check_err(maker.err, TORC_ERR_CLOSED);
    check_err(taking.err, TORC_ERR_CLOSED);
    torc_failure_free(taking.failure);
    assert_int_equal(disposed, 2);
    check_err(torc_queue_try_put(queue, &numbers[1], dispose), TORC_ERR_CLOSED);
    check_ok(torc_fiber_start(reactor, take_numbers, &user, &user.fiber));
    check_err(user.err, TORC_ERR_CLOSED);
    assert_int_equal(user.count, 7); /* one was there */
    check_err(torc_queue_try_get(queue, &value), TORC_ERR_CLOSED);
    consume(&taking, torc_queue_get(queue));
    turns(1);
    check_err(taking.err, TORC_ERR_CLOSED);
    torc_failure_free(taking.failure);
    torc_queue_free(queue);
}

static void who_waits_is_told_when_it_is_freed(void **state) {
    torc_queue *queue = make(1, 4);
    taker getting, putting;

    (void)state;
    consume(&getting, torc_queue_get(queue));
    torc_queue_free(queue);
    queue = make(0, 4);
    consume(&putting, torc_queue_put(queue, &numbers[1], dispose));
    torc_queue_free(queue);
    turns(1);
    check_err(getting.err, TORC_ERR_CLOSED);
    check_err(putting.err, TORC_ERR_CLOSED);
    torc_failure_free(getting.failure);
    torc_failure_free(putting.failure);
    assert_int_equal(disposed, 1);
}

static void every_allocation_may_fail(void **state) {
    bool is_untouched = false;

    (void)state;
    for (uint64_t fail_at = 1; !is_untouched; fail_at++) {
        torc_queue *queue = NULL;
        taker getting, putting;
        int taken = 0;
        faults injected;
        assert_int_equal(set_up(NULL), 0);
        const size_t before = torc_reactor_memory(reactor)->used_total;
        faults_arm(&injected, torc_reactor_memory(reactor), fail_at);
        if (!torc_queue_new(reactor, 16, 4, &queue)) {
            for (int i = 0; i < 12; i++) (void)!torc_queue_try_put(queue, &numbers[i], dispose);
            consume(&putting, torc_queue_put(queue, &numbers[12], dispose));
            consume(&getting, torc_queue_get(queue));
            turns(3);
            torc_failure_free(putting.failure);
            torc_failure_free(getting.failure);
            if (!getting.err) taken++;
        }
        is_untouched = !injected.hit;
        faults_disarm(torc_reactor_memory(reactor));
        torc_queue_free(queue);
        if (queue) assert_int_equal(disposed + taken, 13);
        assert_int_equal(torc_reactor_memory(reactor)->used_total, before);
        tear_down(NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DEFERRED_TEST(values_leave_in_their_order),
        DEFERRED_TEST(who_waits_is_served_first_come_first_served),
        DEFERRED_TEST(putting_waits_for_room),
        DEFERRED_TEST(fibers_hand_over),
        DEFERRED_TEST(a_full_backlog_refuses_fibers_too),
        DEFERRED_TEST(a_cancelled_fiber_leaves_the_line),
        DEFERRED_TEST(nothing_is_lost_with_a_race),
        DEFERRED_TEST(nothing_is_lost_with_a_deadline),
        DEFERRED_TEST(closed_it_is_emptied_and_no_more),
        DEFERRED_TEST(who_waits_is_told_when_it_is_freed),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
