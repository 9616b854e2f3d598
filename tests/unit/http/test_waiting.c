/* SPDX-License-Identifier: MIT */
/* Requests that wait: deadlines, what they lose nothing of, and thousands that are left. */
#include <stdlib.h>
#include <torc/deferred.h>

#include "hand_clock.h"
#include "http_fixture.h"

static hand_clock waiting_clock;

/* As http_set_up(), with time that the test moves. */
static int set_up_clock(void **state) {
    if (http_set_up(state)) return -1;
    http_fixture *self = *state;
    torc_reactor_free(self->reactor);
    return hand_clock_reactor(&waiting_clock, NULL, &self->reactor) ? -1 : 0;
}

#define WAITING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_clock, http_tear_down)

/* ---- reading with a deadline ---- */

typedef struct patient {
    int timeouts;
    char bytes[64];
    size_t len;
    torc_err err;
} patient;

static torc_render read_patiently(torc_request *request, void *context) {
    torc_reactor *reactor = torc_request_reactor(request);
    patient *self = context;
    torc_str chunk = {0};

    do {
        torc_deadline deadline;
        torc_deadline_begin(reactor, &deadline, 10);
        self->err = torc_body_read(request, &chunk);
        torc_deadline_end(reactor, &deadline);
        if (self->err == TORC_ERR_TIMEOUT) self->timeouts++;
        for (size_t i = 0; !self->err && i < chunk.len; i++)
            self->bytes[self->len++] = chunk.bytes[i];
    } while (self->err == TORC_ERR_TIMEOUT || (!self->err && chunk.len > 0));
    return torc_reply_text(request, 200, "");
}

/* What comes too late for one read is the next one's, and what comes in the last moment in time. */
static void a_read_that_is_given_up_loses_nothing(void **state) {
    http_fixture *self = *state;
    patient reading = {.len = 0};
    self->context = &reading;
    self->on_fiber = true;
    torc_test_request *test = http_ask(self, read_patiently, "POST /\nTransfer-Encoding: chunked");

    for (int i = 0; i < 8; i++) {
        hand_clock_move(&waiting_clock, i % 2 ? 10 : 5);
        torc_test_request_send(test, torc_str_make(&"abcdefgh"[i], 1));
        torc_test_request_run(test);
    }
    assert_in_range(reading.timeouts, 1, 4);
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    check_ok(reading.err);
    check_str(torc_str_make(reading.bytes, reading.len), "abcdefgh");
    assert_int_equal(torc_test_request_status(test), 200);
    torc_test_request_free(test);
}

typedef struct one_read {
    torc_request *request;
    torc_str chunk;
} one_read;

static torc_err read_one(void *data) {
    one_read *self = data;
    return torc_body_read(self->request, &self->chunk);
}

static torc_render race_reads(torc_request *request, void *context) {
    torc_reactor *reactor = torc_request_reactor(request);
    patient *self = context;
    void *winner = NULL;

    for (int i = 0; i < 3; i++) {
        one_read reading = {.request = request};
        torc_deferred *some[2] = {torc_defer_to_fiber(reactor, read_one, &reading, NULL),
                                  torc_defer_later(reactor, 10, self, NULL)};
        self->err = torc_await(torc_deferred_race(reactor, some, 2, NULL), &winner);
        if (winner == self) self->timeouts++;
        for (size_t at = 0; winner == &reading && at < reading.chunk.len; at++)
            self->bytes[self->len++] = reading.chunk.bytes[at];
    }
    return torc_reply_text(request, 200, "");
}

static void a_read_that_loses_a_race_loses_nothing(void **state) {
    http_fixture *self = *state;
    patient reading = {.len = 0};
    self->context = &reading;
    self->on_fiber = true;
    torc_test_request *test = http_ask(self, race_reads, "POST /\nContent-Length: 4");

    hand_clock_move(&waiting_clock, 10); /* the timer wins */
    torc_test_request_run(test);
    assert_int_equal(reading.timeouts, 1);
    torc_test_request_send(test, TORC_STR("ab"));
    torc_test_request_run(test);
    torc_test_request_send(test, TORC_STR("cd"));
    torc_test_request_send_end(test);
    torc_test_request_run(test);
    check_str(torc_str_make(reading.bytes, reading.len), "abcd");
    assert_int_equal(torc_test_request_status(test), 200);
    torc_test_request_free(test);
}

/* ---- the limit of all that a route waits for ---- */

static torc_render sleep_twice(torc_request *request, void *context) {
    torc_reactor *reactor = torc_request_reactor(request);
    torc_err err = torc_sleep(reactor, 30);

    if (!err) err = torc_sleep(reactor, 30);
    *(torc_err *)context = err;
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "");
}

static int status_with(http_fixture *self, const torc_limits *limits) {
    torc_err err = TORC_OK;
    self->context = &err;
    self->on_fiber = true;
    self->handler.limits = limits;
    torc_test_request *test = http_ask(self, sleep_twice, "GET /");

    for (int i = 0; i < 6; i++) {
        hand_clock_move(&waiting_clock, 10);
        torc_test_request_run(test);
    }
    const int status = torc_test_request_status(test);
    check_err(err, status == 504 ? TORC_ERR_TIMEOUT : TORC_OK);
    torc_test_request_free(test);
    self->handler.limits = NULL;
    return status;
}

static void a_site_bounds_what_its_routes_wait_for(void **state) {
    const torc_limits narrow = {.size = sizeof(narrow), .answer_ms = 50},
                      wide = {.size = sizeof(wide), .answer_ms = 100},
                      none = {.size = sizeof(none)};

    assert_int_equal(status_with(*state, &narrow), 504);
    assert_int_equal(status_with(*state, &wide), 200);
    assert_int_equal(status_with(*state, &none), 200);
    assert_int_equal(status_with(*state, NULL), 200);
}

/* ---- thousands ---- */

enum {
    PENDING = 5000
};

typedef struct pending {
    http_fixture *self;
    torc_test_request *test;
    torc_deferred *deferred; /* NULL: it was fired, or cancelled */
    torc_callback callback;
    torc_ticket ticket;
    bool by_callback;
} pending;

static pending all[PENDING];
static int let_go, disposed;

static void cancelled(torc_deferred *deferred, void *context) {
    pending *self = context;

    let_go++;
    self->deferred = NULL;
    torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

static void dispose_value(void *value) {
    if (value) disposed++;
}

static torc_deferred *make_pending(pending *self) {
    torc_deferred *deferred = torc_deferred_new(self->self->reactor);

    self->deferred = deferred;
    torc_deferred_set_canceller(deferred, cancelled, self);
    return deferred;
}

static void told(torc_callback *callback, torc_err err, void *value) {
    pending *self = torc_container_of(callback, pending, callback);
    torc_request *request = torc_ticket_request(&self->ticket);

    if (value) disposed++;
    if (request) torc_reply_text(request, err ? 503 : 200, "");
    torc_ticket_return(&self->ticket);
}

/* Half of them wait on a fiber, below a timeout and a race; half by callbacks and tickets. */
static torc_render wait_for_it(torc_request *request, void *context) {
    pending *self = context;
    torc_reactor *reactor = torc_request_reactor(request);
    torc_deferred *deferred = torc_deferred_timeout(make_pending(self), 60000);
    void *value = NULL;

    if (self->by_callback) {
        check_ok(torc_ticket_take(request, &self->ticket));
        torc_deferred_then(deferred, &self->callback, told);
        return TORC_RENDER_NOT_DONE_YET;
    }
    torc_deferred *some[2] = {torc_defer_later(reactor, 90000, self, dispose_value), deferred};
    const torc_err err = torc_await(torc_deferred_race(reactor, some, 2, NULL), &value);
    if (value) disposed++;
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "");
}

static uint32_t seed;

static uint32_t next_number(uint32_t below) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void end_one(pending *self) {
    const uint32_t how = next_number(4);
    torc_deferred *deferred = self->deferred;

    if (how < 2) torc_test_request_disconnect(self->test);
    if (how == 0 || how == 3 || !deferred) return; /* still pending, when all time is up */
    self->deferred = NULL;
    if (how == 1)
        torc_deferred_fail(deferred, TORC_ERR_BUSY);
    else
        torc_deferred_fire(deferred, self, dispose_value);
}

static void thousands_leave_nothing_behind(void **state) {
    http_fixture *self = *state;
    torc_reactor *reactor = self->reactor;

    self->on_fiber = true;
    seed = 4711;
    let_go = disposed = 0;
    for (int i = 0; i < PENDING; i++) {
        all[i] = (pending){.self = self, .by_callback = i % 2};
        self->context = &all[i];
        all[i].test = http_begin(self, wait_for_it, "GET /");
        check_ok(torc_reactor_turn(reactor, 0));
    }
    const torc_reactor_open before = torc_reactor_count_open(reactor);
    assert_in_range(before.fibers, PENDING / 2, PENDING);
    assert_in_range(before.deferreds, PENDING, 8 * PENDING);
    assert_in_range(before.timers, PENDING, 4 * PENDING);

    for (int i = 0; i < PENDING; i++) {
        end_one(&all[next_number(PENDING)]);
        if (next_number(16) == 0) check_ok(torc_reactor_turn(reactor, 0));
    }
    for (int i = 0; i < 8; i++) {
        check_ok(torc_reactor_turn(reactor, 0));
        hand_clock_move(&waiting_clock, 50000);
    }
    const torc_reactor_open after = torc_reactor_count_open(reactor);
    assert_int_equal(after.fibers, 0);
    for (int i = 0; i < PENDING; i++) {
        torc_callback_cancel(&all[i].callback);
        torc_ticket_return(&all[i].ticket);
        torc_test_request_free(all[i].test);
        assert_null(all[i].deferred);
    }
    assert_true(let_go > 0 && disposed > 0);
    check_ok(torc_reactor_turn(reactor, 0));
    const torc_reactor_open end = torc_reactor_count_open(reactor);
    assert_int_equal(end.ios + end.timers + end.fibers + end.deferreds + end.calls, 0);
    assert_int_equal(self->received, PENDING);
    assert_int_equal(self->ended, PENDING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WAITING_TEST(a_read_that_is_given_up_loses_nothing),
        WAITING_TEST(a_read_that_loses_a_race_loses_nothing),
        WAITING_TEST(a_site_bounds_what_its_routes_wait_for),
        WAITING_TEST(thousands_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
