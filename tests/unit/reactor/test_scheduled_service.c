/* SPDX-License-Identifier: MIT */
#include <torc/fiber.h>
#include <torc/service.h>
#include <torc/testing.h>

#include "check.h"

static torc_reactor *reactor;
static int ticks;
static torc_deferred *answer; /* of the next tick */
static torc_err waited;

static int set_up(void **state) {
    (void)state;
    ticks = 0;
    answer = NULL;
    waited = TORC_OK;
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static torc_deferred *tick(void *context, uint64_t count) {
    torc_deferred *it = answer;

    (void)context;
    ticks += (int)count;
    answer = NULL;
    return it;
}

static torc_err tick_on_fiber(void *context, uint64_t count) {
    (void)context;
    (void)count;
    ticks++;
    waited = torc_sleep(reactor, 5);
    return waited;
}

static torc_err run(void *context, const torc_cron_run *for_what) {
    (void)context;
    (void)for_what;
    ticks++;
    waited = torc_sleep(reactor, 3600000);
    return waited;
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

static taker taking;

static void then(torc_deferred *deferred) {
    taking = (taker){.told = 0};
    torc_deferred_then(deferred, &taking.callback, take);
    torc_test_settle(reactor);
}

static void a_looping_call_is_a_service(void **state) {
    torc_service *service = torc_looping_service_new("ticks", 100, tick, NULL);

    (void)state;
    assert_non_null(service);
    for (int i = 0; i < 2; i++) { /* it may be started again */
        ticks = 0;
        then(torc_service_start(service, reactor));
        torc_test_advance(reactor, 250);
        assert_int_equal(ticks, 3);
        then(torc_service_stop(service, reactor));
        assert_int_equal(taking.told, 1);
        check_ok(taking.err);
        torc_test_advance(reactor, 1000);
        assert_int_equal(ticks, 3);
    }
    torc_service_free(service);
}

static void its_stop_waits_for_the_tick(void **state) {
    torc_service *service = torc_looping_service_new("ticks", 100, tick, NULL);
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    answer = deferred;
    then(torc_service_start(service, reactor));
    torc_test_advance(reactor, 50);
    then(torc_service_stop(service, reactor));
    assert_int_equal(taking.told, 0);
    check_ok(torc_deferred_fire(deferred, NULL, NULL));
    torc_test_settle(reactor);
    assert_int_equal(taking.told, 1);
    torc_service_free(service);
}

static void but_not_for_ever(void **state) {
    torc_service *service = torc_looping_service_new("ticks", 100, tick, NULL);
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    answer = deferred;
    then(torc_service_start(service, reactor));
    torc_test_advance(reactor, 50);
    then(torc_deferred_timeout(torc_service_stop(service, reactor), 1000));
    torc_test_advance(reactor, 1000);
    assert_int_equal(taking.told, 1);
    check_err(taking.err, TORC_ERR_TIMEOUT);
    check_err(torc_deferred_fire(deferred, NULL, NULL), TORC_ERR_CANCELLED);
    torc_service_free(service);
}

static void ticks_may_be_on_fibers(void **state) {
    torc_service *service = torc_looping_service_new_on_fiber("ticks", 100, tick_on_fiber, NULL);

    (void)state;
    assert_non_null(service);
    then(torc_service_start(service, reactor));
    torc_test_advance(reactor, 202); /* in the third */
    then(torc_service_stop(service, reactor));
    assert_int_equal(taking.told, 0);
    torc_test_advance(reactor, 5);
    assert_int_equal(taking.told, 1);
    check_ok(waited);
    assert_int_equal(ticks, 3);
    torc_service_free(service);
}

static void a_cron_job_is_a_service(void **state) {
    const torc_cron_options options = {.size = sizeof(options), .zone = "UTC"};
    torc_service *service = torc_cron_service_new("job", "* * * * *", &options, run, NULL);

    (void)state;
    assert_non_null(service);
    check_ok(torc_service_privileged_start(service, NULL));
    then(torc_service_start(service, reactor));
    torc_test_advance(reactor, 23000);
    assert_int_equal(ticks, 1);
    then(torc_service_stop(service, reactor));
    assert_int_equal(taking.told, 1);
    torc_test_settle(reactor);
    check_err(waited, TORC_ERR_CANCELLED);
    torc_test_advance(reactor, 3600000);
    assert_int_equal(ticks, 1);
    torc_service_free(service);
}

static void a_job_that_cannot_be_does_not_start(void **state) {
    torc_cron_options options = {.size = sizeof(options), .zone = "UTC"};
    torc_service *service = torc_cron_service_new("job", "* * *", &options, run, NULL);

    (void)state;
    check_err(torc_service_privileged_start(service, NULL), TORC_ERR_SYNTAX);
    then(torc_service_start(service, reactor));
    check_err(taking.err, TORC_ERR_SYNTAX);
    torc_service_free(service);
    options.zone = "Europe/Atlantis";
    service = torc_cron_service_new("job", "* * * * *", &options, run, NULL);
    check_err(torc_service_privileged_start(service, NULL), TORC_ERR_NOT_FOUND);
    torc_service_free(service);
}

static void failing_allocations_are_survived(void **state) {
    torc_service *service = torc_looping_service_new("ticks", 100, tick, NULL);

    (void)state;
    for (uint64_t n = 1; n < 20; n++) {
        torc_test_fail_allocation(reactor, n);
        then(torc_service_start(service, reactor));
        torc_test_fail_allocation(reactor, 0);
        if (taking.err) {
            check_err(taking.err, TORC_ERR_NO_MEMORY);
            assert_false(torc_service_is_started(service));
            continue;
        }
        torc_test_fail_allocation(reactor, n);
        then(torc_service_stop(service, reactor));
        torc_test_fail_allocation(reactor, 0);
        if (torc_service_is_started(service)) then(torc_service_stop(service, reactor));
        assert_false(torc_service_is_started(service));
    }
    torc_service_free(service);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_looping_call_is_a_service, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_stop_waits_for_the_tick, set_up, tear_down),
        cmocka_unit_test_setup_teardown(but_not_for_ever, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ticks_may_be_on_fibers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cron_job_is_a_service, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_job_that_cannot_be_does_not_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failing_allocations_are_survived, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
