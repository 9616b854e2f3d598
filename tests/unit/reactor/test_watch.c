/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <torc/fiber.h>
#include <torc/testing.h>
#include <torc/watch.h>
#include <unistd.h>

#include "both_pollers.h"
#include "check.h"

static torc_reactor *reactor;
static int ends[2];

static struct {
    int count;
    uint32_t events;
    bool frees;
} told;

static int set_up(bool is_late) {
    told.count = 0;
    told.events = 0;
    told.frees = false;
    return pipe2(ends, O_CLOEXEC | O_NONBLOCK) || new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void ready(void *context, torc_watch *watch, uint32_t events) {
    assert_ptr_equal(context, &told);
    assert_int_equal(torc_watch_fd(watch), ends[0]);
    told.count++;
    told.events = events;
    if (told.frees) torc_watch_free(watch);
}

static torc_watch *watch_input(void) {
    torc_watch *watch;

    check_ok(torc_watch_new(reactor, ends[0], TORC_WATCH_READ, ready, &told, &watch));
    return watch;
}

static void turns(int count) {
    while (count-- > 0) check_ok(torc_reactor_turn(reactor, 0));
}

static void put(void) {
    assert_int_equal(write(ends[1], "x", 1), 1);
}

static void it_tells_as_long_as_it_is_ready(void **state) {
    torc_watch *watch = watch_input();
    char byte;

    (void)state;
    turns(3);
    assert_int_equal(told.count, 0);
    put();
    turns(12);
    assert_true(told.count >= 2);
    assert_true(told.events & TORC_WATCH_READ);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    turns(3);
    told.count = 0;
    turns(3);
    assert_int_equal(told.count, 0);
    torc_watch_free(watch);
}

static void it_asks_for_other_events(void **state) {
    torc_watch *watch = watch_input();

    (void)state;
    put();
    torc_watch_set(watch, 0);
    turns(3);
    told.count = 0;
    turns(6);
    assert_int_equal(told.count, 0);
    torc_watch_set(watch, TORC_WATCH_READ);
    turns(6);
    assert_true(told.count > 0);
    torc_watch_free(watch);
}

static void it_may_be_freed_in_its_callback(void **state) {
    (void)state;
    told.frees = true;
    (void)watch_input();
    put();
    turns(8);
    assert_int_equal(told.count, 1);
}

static void the_end_is_told(void **state) {
    torc_watch *watch = watch_input();

    (void)state;
    close(ends[1]);
    ends[1] = -1;
    turns(8);
    assert_true(told.events & TORC_WATCH_HUP);
    torc_watch_free(watch);
}

/* The number is used anew at once; its watch is about what it was made of. */
static void the_descriptor_is_closed_by_who_has_it(void **state) {
    torc_watch *watch = watch_input();
    const int fd = ends[0];
    char byte;

    (void)state;
    close(ends[0]);
    ends[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(ends[0], fd);
    torc_watch_free(watch);
    turns(8);
    assert_int_equal(read(ends[0], &byte, 1), 0); /* it is open */
    assert_int_equal(told.count, 0);
}

static void what_cannot_be_watched_is_told(void **state) {
    const int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    torc_watch *watch;

    (void)state;
    check_err(torc_watch_new(reactor, file, TORC_WATCH_READ, ready, &told, &watch),
              TORC_ERR_UNSUPPORTED);
    close(file);
    assert_true(torc_watch_new(reactor, -1, TORC_WATCH_READ, ready, &told, &watch) != TORC_OK);
    torc_watch_free(NULL);
}

typedef struct taker {
    torc_callback callback;
    int count;
    torc_err err;
    void *value;
} taker;

static void take(torc_callback *callback, torc_err err, void *value) {
    taker *self = torc_container_of(callback, taker, callback);

    self->count++;
    self->err = err;
    self->value = value;
}

static void a_deferred_fires_once(void **state) {
    taker taking = {.count = 0};

    (void)state;
    torc_deferred_then(torc_defer_fd(reactor, ends[1], TORC_WATCH_WRITE), &taking.callback, take);
    turns(12);
    assert_int_equal(taking.count, 1);
    check_ok(taking.err);
    assert_true((uint32_t)(uintptr_t)taking.value & TORC_WATCH_WRITE);
}

static void a_deferred_is_cancelled(void **state) {
    taker taking = {.count = 0};
    torc_deferred *deferred = torc_defer_fd(reactor, ends[0], TORC_WATCH_READ);

    (void)state;
    torc_deferred_then(deferred, &taking.callback, take);
    turns(2);
    torc_deferred_cancel(deferred);
    put();
    turns(12);
    assert_int_equal(taking.count, 1);
    check_err(taking.err, TORC_ERR_CANCELLED);
    torc_deferred_drop(torc_defer_fd(reactor, ends[0], TORC_WATCH_READ));
}

static torc_err waited;
static uint32_t waited_events;

static torc_err wait_on_fiber(void *context) {
    (void)context;
    waited = torc_wait_fd(reactor, ends[0], TORC_WATCH_READ, &waited_events);
    return TORC_OK;
}

static void a_fiber_waits(void **state) {
    torc_fiber *fiber;

    (void)state;
    waited = TORC_ERR_AGAIN;
    check_ok(torc_fiber_spawn(reactor, wait_on_fiber, NULL, NULL));
    turns(4);
    check_err(waited, TORC_ERR_AGAIN);
    put();
    turns(12);
    check_ok(waited);
    assert_true(waited_events & TORC_WATCH_READ);
    assert_int_equal(read(ends[0], &(char){0}, 1), 1);
    check_ok(torc_fiber_spawn(reactor, wait_on_fiber, NULL, &fiber));
    turns(4);
    torc_fiber_cancel(fiber, TORC_ERR_STOPPING);
    turns(12);
    check_err(waited, TORC_ERR_STOPPING);
    torc_fiber_detach(fiber);
}

static void what_the_kernel_refuses_is_asked_for_again(void **state) {
    torc_watch *watch;

    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_REGISTER, 2, 1, ENOMEM);
    watch = watch_input();
    put();
    torc_test_settle(reactor);
    assert_int_equal(told.count, 0);
    told.frees = true;
    torc_test_advance(reactor, 100);
    assert_int_equal(told.count, 1);
    (void)watch;
}

static void without_memory_there_is_none(void **state) {
    taker taking = {.count = 0};
    torc_watch *watch;

    (void)state;
    torc_test_fail_allocation(reactor, 1);
    check_err(torc_watch_new(reactor, ends[0], 0, ready, &told, &watch), TORC_ERR_NO_MEMORY);
    torc_test_fail_allocation(reactor, 2);
    torc_deferred_then(torc_defer_fd(reactor, ends[0], TORC_WATCH_READ), &taking.callback, take);
    turns(2);
    check_err(taking.err, TORC_ERR_NO_MEMORY);
    torc_test_fail_calls(reactor, TORC_TEST_REGISTER, 1, 1, ENOMEM);
    check_err(torc_watch_new(reactor, ends[0], 0, ready, &told, &watch), TORC_ERR_NO_MEMORY);
}

static void one_that_is_left_goes_with_the_reactor(void **state) {
    (void)state;
    (void)watch_input();
    put();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(it_tells_as_long_as_it_is_ready),
        BOTH(it_asks_for_other_events),
        BOTH(it_may_be_freed_in_its_callback),
        BOTH(the_end_is_told),
        BOTH(the_descriptor_is_closed_by_who_has_it),
        cmocka_unit_test_setup_teardown(what_cannot_be_watched_is_told, set_up_epoll, tear_down),
        BOTH(a_deferred_fires_once),
        BOTH(a_deferred_is_cancelled),
        BOTH(a_fiber_waits),
        cmocka_unit_test_setup_teardown(what_the_kernel_refuses_is_asked_for_again, set_up_epoll,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_memory_there_is_none, set_up_epoll, tear_down),
        BOTH(one_that_is_left_goes_with_the_reactor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
