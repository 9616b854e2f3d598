/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <torc/service.h>
#include <torc/testing.h>

#include "check.h"

static torc_reactor *reactor;
static char order[64];

/* Notes what is done with it: P, then its name as it starts, in capitals as it stops. */
typedef struct noted {
    torc_service base;
    char name;
    torc_err privileged;
    torc_deferred *starting, *stopping;
    int disposed;
} noted;

/* a holds b (which holds c and d) and e. */
static noted a, b, c, d, e;

static void note(char name) {
    const size_t len = strlen(order);

    assert_true(len + 1 < sizeof(order));
    order[len] = name;
    order[len + 1] = '\0';
}

static noted *self_of(torc_service *service) {
    return torc_container_of(service, noted, base);
}

static torc_err privileged_start(torc_service *service) {
    note(self_of(service)->name);
    return self_of(service)->privileged;
}

static void (*while_it_starts)(void), (*while_it_stops)(void);

static void call_once(void (**call)(void)) {
    void (*const called)(void) = *call;

    *call = NULL;
    if (called) called();
}

static torc_deferred *start(torc_service *service, torc_reactor *with) {
    assert_ptr_equal(with, reactor);
    assert_ptr_equal(service->reactor, reactor);
    note(self_of(service)->name);
    if (service == &b.base) call_once(&while_it_starts);
    return self_of(service)->starting;
}

static torc_deferred *stop(torc_service *service) {
    note((char)(self_of(service)->name - 'a' + 'A'));
    if (service == &b.base) call_once(&while_it_stops);
    return self_of(service)->stopping;
}

static void dispose(torc_service *service) {
    self_of(service)->disposed++;
}

static const torc_service_ops ops = {
    .privileged_start = privileged_start, .start = start, .stop = stop, .dispose = dispose};

static void make(noted *self, char name, const char *text) {
    memset(self, 0, sizeof(*self));
    self->name = name;
    torc_service_init(&self->base, &ops, text);
}

static int set_up(void **state) {
    (void)state;
    order[0] = '\0';
    make(&a, 'a', "a");
    make(&b, 'b', "b");
    make(&c, 'c', "c");
    make(&d, 'd', NULL);
    make(&e, 'e', "e");
    torc_service_add(&a.base, &b.base);
    torc_service_add(&b.base, &c.base);
    torc_service_add(&b.base, &d.base);
    torc_service_add(&a.base, &e.base);
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_service_free(&a.base);
    torc_reactor_free(reactor);
    return a.disposed + b.disposed + c.disposed + d.disposed + e.disposed == 5 ? 0 : -1;
}

typedef struct taker {
    torc_callback callback;
    int told;
    torc_err err;
} taker;

static void take(torc_callback *callback, torc_err err, void *value) {
    taker *self = torc_container_of(callback, taker, callback);

    assert_null(value);
    self->told++;
    self->err = err;
}

static void then(torc_deferred *deferred, taker *self) {
    *self = (taker){.told = 0};
    torc_deferred_then(deferred, &self->callback, take);
}

static taker starting, stopping;

static void begin(void) {
    then(torc_service_start(&a.base, reactor), &starting);
    torc_test_settle(reactor);
}

static void finish(void) {
    then(torc_service_stop(&a.base, reactor), &stopping);
    torc_test_settle(reactor);
}

static void it_starts_in_order_and_stops_in_reverse(void **state) {
    (void)state;
    then(torc_service_start(&a.base, reactor), &starting);
    assert_string_equal(order, ""); /* calls do not call back */
    torc_test_settle(reactor);
    assert_string_equal(order, "abcde");
    assert_int_equal(starting.told, 1);
    check_ok(starting.err);
    assert_true(torc_service_is_started(&d.base));
    finish();
    assert_string_equal(order, "abcdeEDCBA");
    check_ok(stopping.err);
    assert_int_equal(stopping.told, 1);
    assert_false(torc_service_is_started(&a.base));
    begin();
    finish();
    assert_string_equal(order, "abcdeEDCBAabcdeEDCBA");
}

static void each_is_waited_for(void **state) {
    torc_deferred *first = torc_deferred_new(reactor), *second = torc_deferred_new(reactor);

    (void)state;
    b.starting = first;
    c.stopping = second;
    begin();
    assert_string_equal(order, "ab");
    assert_int_equal(starting.told, 0);
    check_ok(torc_deferred_fire(first, NULL, NULL));
    torc_test_settle(reactor);
    assert_string_equal(order, "abcde");
    finish();
    assert_string_equal(order, "abcdeEDC");
    assert_int_equal(stopping.told, 0);
    check_ok(torc_deferred_fail(second, TORC_ERR_LOST)); /* is logged */
    torc_test_settle(reactor);
    assert_string_equal(order, "abcdeEDCBA");
    check_ok(stopping.err);
}

static void when_one_cannot_start_the_others_stop(void **state) {
    (void)state;
    d.starting = torc_deferred_failed(reactor, TORC_ERR_ADDRESS_IN_USE);
    begin();
    assert_string_equal(order, "abcdCBA");
    check_err(starting.err, TORC_ERR_ADDRESS_IN_USE);
    assert_false(torc_service_is_started(&a.base));
    finish(); /* nothing to do */
    assert_string_equal(order, "abcdCBA");
    check_ok(stopping.err);
}

static void a_start_is_cancelled(void **state) {
    torc_deferred *first = torc_deferred_new(reactor);
    torc_deferred *deferred = torc_service_start(&a.base, reactor);

    (void)state;
    c.starting = first;
    then(deferred, &starting);
    torc_test_settle(reactor);
    torc_deferred_cancel(deferred);
    torc_test_settle(reactor);
    assert_string_equal(order, "abcBA");
    check_err(starting.err, TORC_ERR_CANCELLED);
    check_err(torc_deferred_fire(first, NULL, NULL), TORC_ERR_CANCELLED);
}

static void a_stop_ends_a_start(void **state) {
    torc_deferred *first = torc_deferred_new(reactor);
    taker again;

    (void)state;
    c.starting = first;
    begin();
    then(torc_service_start(&a.base, reactor), &again);
    finish();
    check_err(again.err, TORC_ERR_BUSY);
    assert_string_equal(order, "abcBA");
    check_err(starting.err, TORC_ERR_CANCELLED);
    check_ok(stopping.err);
    check_err(torc_deferred_fire(first, NULL, NULL), TORC_ERR_CANCELLED);
}

static void a_stop_that_takes_too_long_hurries(void **state) {
    torc_deferred *first = torc_deferred_new(reactor), *second = torc_deferred_new(reactor);

    (void)state;
    e.stopping = first;
    c.stopping = second;
    begin();
    then(torc_deferred_timeout(torc_service_stop(&a.base, reactor), 1000), &stopping);
    torc_test_advance(reactor, 999);
    assert_string_equal(order, "abcdeE");
    torc_test_advance(reactor, 1);
    assert_string_equal(order, "abcdeEDCBA");
    check_err(stopping.err, TORC_ERR_TIMEOUT);
    check_err(torc_deferred_fire(first, NULL, NULL), TORC_ERR_CANCELLED);
    check_err(torc_deferred_fire(second, NULL, NULL), TORC_ERR_CANCELLED);
    assert_false(torc_service_is_started(&a.base));
}

static void what_needs_rights_comes_first(void **state) {
    torc_service *failed = NULL;

    (void)state;
    check_ok(torc_service_privileged_start(&a.base, &failed));
    assert_string_equal(order, "abcde");
    order[0] = '\0';
    c.privileged = TORC_ERR_PERMISSION;
    check_err(torc_service_privileged_start(&a.base, &failed), TORC_ERR_PERMISSION);
    check_err(torc_service_privileged_start(&a.base, NULL), TORC_ERR_PERMISSION);
    assert_string_equal(order, "abcabc");
    assert_ptr_equal(failed, &c.base);
}

static void a_branch_may_start_alone(void **state) {
    (void)state;
    then(torc_service_start(&b.base, reactor), &starting);
    torc_test_settle(reactor);
    assert_string_equal(order, "bcd");
    begin(); /* the others */
    assert_string_equal(order, "bcdae");
    finish();
    assert_string_equal(order, "bcdaeEDCBA");
}

static void services_are_found_moved_and_taken_out(void **state) {
    (void)state;
    assert_ptr_equal(torc_service_find(&a.base, "e"), &e.base);
    assert_null(torc_service_find(&a.base, "c")); /* deeper */
    torc_service_add(&a.base, &c.base);
    assert_ptr_equal(torc_service_find(&a.base, "c"), &c.base);
    torc_service_remove(&b.base);
    begin();
    assert_string_equal(order, "aec");
    finish();
    torc_service_add(&a.base, &b.base);
    torc_service_remove(&a.base);
}

static void a_group_is_its_children(void **state) {
    torc_service *group = torc_service_group_new("group");
    noted f;

    (void)state;
    make(&f, 'f', "f");
    assert_non_null(group);
    torc_service_add(group, &f.base);
    check_ok(torc_service_privileged_start(group, NULL));
    then(torc_service_start(group, reactor), &starting);
    torc_test_settle(reactor);
    then(torc_service_stop(group, reactor), &stopping);
    torc_test_settle(reactor);
    assert_string_equal(order, "ffF");
    torc_service_free(group);
    assert_int_equal(f.disposed, 1);
    torc_service_free(NULL);
}

static void stop_all(void) {
    then(torc_service_stop(&a.base, reactor), &stopping);
}

static void cancel_start(void) {
    torc_callback_cancel(&starting.callback);
}

static void cancel_stop(void) {
    torc_callback_cancel(&stopping.callback);
}

static void one_may_stop_all_while_it_starts(void **state) {
    torc_deferred *first = torc_deferred_new(reactor);

    (void)state;
    b.starting = first;
    while_it_starts = stop_all;
    begin();
    assert_string_equal(order, "abA"); /* b was not there yet */
    check_err(starting.err, TORC_ERR_CANCELLED);
    check_ok(stopping.err);
    assert_int_equal(stopping.told, 1);
    check_err(torc_deferred_fire(first, NULL, NULL), TORC_ERR_CANCELLED);
    torc_test_settle(reactor);
    assert_false(torc_service_is_started(&b.base));
    b.starting = NULL;
    begin();
    check_ok(starting.err);
    finish();
    check_ok(stopping.err);
}

static void one_may_end_the_start_that_it_is_part_of(void **state) {
    (void)state;
    while_it_starts = cancel_start;
    begin();
    assert_string_equal(order, "abA");
    assert_int_equal(starting.told, 0);
    assert_false(torc_service_is_started(&a.base));
    begin();
    while_it_stops = cancel_stop;
    b.stopping = torc_deferred_new(reactor);
    finish();
    assert_string_equal(order, "abAabcdeEDCBA");
    assert_false(torc_service_is_started(&a.base));
    check_err(torc_deferred_fire(b.stopping, NULL, NULL), TORC_ERR_CANCELLED);
}

static void without_memory_it_neither_starts_nor_stops(void **state) {
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        torc_test_fail_allocation(reactor, n);
        begin();
        check_err(starting.err, TORC_ERR_NO_MEMORY);
    }
    begin();
    check_ok(starting.err);
    for (uint64_t n = 1; n <= 2; n++) {
        torc_test_fail_allocation(reactor, n);
        finish();
        check_err(stopping.err, TORC_ERR_NO_MEMORY);
        assert_true(torc_service_is_started(&a.base));
    }
    finish();
    check_ok(stopping.err);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_starts_in_order_and_stops_in_reverse, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_is_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(when_one_cannot_start_the_others_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_is_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_ends_a_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_that_takes_too_long_hurries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_needs_rights_comes_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_branch_may_start_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(services_are_found_moved_and_taken_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_group_is_its_children, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_may_stop_all_while_it_starts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_may_end_the_start_that_it_is_part_of, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_memory_it_neither_starts_nor_stops, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
