/* SPDX-License-Identifier: MIT */
#include "protocol/exchange.h"

#include <torc/testing.h>

#include "check.h"
#include "reactor/reactor.h"

/* A wire that carries nothing: what is tested here is the life of an exchange. */
typedef struct world {
    torc_reactor *reactor;
    torc_limits limits;
    torc_arena arena;
    torc_exchange exchange;
    int closes, frees;
    torc_err reason;
    bool lets_go_in_closed;
    bool was_closed_in_closed;
} world;

static world *the;

static void freed(torc_exchange *exchange) {
    assert_ptr_equal(exchange, &the->exchange);
    the->frees++;
}

static void closed(torc_exchange *exchange, torc_err reason) {
    assert_ptr_equal(exchange->above, the);
    the->closes++;
    the->reason = reason;
    the->was_closed_in_closed = torc_exchange_is_closed(exchange);
    if (the->lets_go_in_closed) torc_exchange_let_go(exchange);
}

static const torc_exchange_wire wire = {.free = freed};
static const torc_exchange_events events = {.closed = closed};

static int set_up(void **state) {
    static world self;

    (void)state;
    the = &self;
    self = (world){.limits = torc_limits_default()};
    if (torc_test_reactor_new(NULL, &self.reactor)) return -1;
    torc_arena_init(&self.arena, &self.reactor->pages, 4096);
    torc_exchange_init(&self.exchange, self.reactor, &wire, &self.arena, &self.limits);
    self.exchange.events = &events;
    self.exchange.above = the;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(the->reactor);
    return the->frees == 1 ? 0 : -1;
}

static void turn(void) {
    torc_test_settle(the->reactor);
}

static void a_new_one_has_both_holders(void **state) {
    torc_exchange fresh;

    (void)state;
    torc_exchange_init(&fresh, the->reactor, &wire, &the->arena, &the->limits);
    assert_false(torc_exchange_is_closed(&fresh));
    assert_ptr_equal(fresh.events, &torc_exchange_no_events);
    assert_ptr_equal(fresh.limits, &the->limits);
    assert_false(fresh.is_client);
    assert_null(fresh.above);

    torc_exchange_closed(&the->exchange, TORC_OK);
    torc_exchange_let_go(&the->exchange);
    turn();
}

static void the_end_is_told_once_and_last(void **state) {
    (void)state;
    torc_exchange_closed(&the->exchange, TORC_ERR_LOST);
    assert_int_equal(the->closes, 1);
    check_err(the->reason, TORC_ERR_LOST);
    assert_true(the->was_closed_in_closed);
    turn();
    assert_int_equal(the->frees, 0); /* above still holds it */
    torc_exchange_let_go(&the->exchange);
    assert_int_equal(the->frees, 0); /* not before the end of the turn */
    turn();
    assert_int_equal(the->frees, 1);
    assert_int_equal(the->closes, 1);
}

static void whoever_has_let_go_is_told_nothing(void **state) {
    (void)state;
    torc_exchange_let_go(&the->exchange);
    assert_ptr_equal(the->exchange.events, &torc_exchange_no_events);
    assert_false(torc_exchange_is_closed(&the->exchange));
    turn();
    assert_int_equal(the->frees, 0); /* the wire still holds it */
    torc_exchange_closed(&the->exchange, TORC_OK);
    assert_int_equal(the->closes, 0);
    turn();
    assert_int_equal(the->frees, 1);
}

static void both_may_go_at_once(void **state) {
    (void)state;
    the->lets_go_in_closed = true;
    torc_exchange_closed(&the->exchange, TORC_OK);
    assert_int_equal(the->closes, 1);
    check_ok(the->reason);
    assert_int_equal(the->frees, 0);
    turn();
    assert_int_equal(the->frees, 1);
}

static void events_that_nobody_wants_do_nothing(void **state) {
    const torc_exchange_events *none = &torc_exchange_no_events;
    const torc_exchange before = the->exchange;

    (void)state;
    none->head_received(&the->exchange, NULL);
    none->body_received(&the->exchange, TORC_STR("bytes"));
    none->body_ended(&the->exchange, NULL);
    none->drained(&the->exchange);
    none->draining(&the->exchange);
    none->closed(&the->exchange, TORC_ERR_LOST);
    assert_memory_equal(&before, &the->exchange, sizeof(before));
    torc_exchange_let_go(&the->exchange);
    torc_exchange_closed(&the->exchange, TORC_OK);
    turn();
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_new_one_has_both_holders),          TEST(the_end_is_told_once_and_last),
        TEST(whoever_has_let_go_is_told_nothing),  TEST(both_may_go_at_once),
        TEST(events_that_nobody_wants_do_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
