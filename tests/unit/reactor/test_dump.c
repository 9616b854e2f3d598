/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <torc/deferred.h>
#include <torc/dump.h>
#include <torc/testing.h>
#include <torc/watch.h>
#include <unistd.h>

#include "base/symbol.h"
#include "check.h"
#include "reactor/fiber.h"

static torc_reactor *reactor;
static char told[65536];
static size_t lines;

static int set_up(void **state) {
    (void)state;
    return torc_test_reactor_new(NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    return 0;
}

static void note(void *context, torc_str line) {
    const size_t len = strlen(told);

    assert_ptr_equal(context, told);
    assert_true(line.len <= 300 && len + line.len + 2 < sizeof(told));
    memcpy(told + len, line.bytes, line.len);
    told[len + line.len] = '\n';
    told[len + line.len + 1] = '\0';
    lines++;
}

static void dump(void) {
    told[0] = '\0';
    lines = 0;
    torc_reactor_dump(reactor, note, told);
}

static void check_told(const char *words) {
    if (!strstr(told, words)) print_error("no \"%s\" in\n%s", words, told);
    assert_non_null(strstr(told, words));
}

static size_t count(const char *words) {
    size_t n = 0;

    for (const char *at = told; (at = strstr(at, words)) != NULL; at++) n++;
    return n;
}

static void an_idle_one_has_nothing(void **state) {
    (void)state;
    dump();
    check_told("reactor: turn 0");
    check_told("fibers:");
    assert_int_equal(count("  "), 0);
}

static void that_expires(torc_timer *timer) {
    (void)timer;
}

static void timers_are_told_with_their_functions(void **state) {
    torc_timer timers[30];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(timers); i++) {
        torc_timer_init(&timers[i], reactor, that_expires);
        torc_timer_arm(&timers[i], 100 * (i * 7 % 30));
    }
    torc_test_advance(reactor, 50); /* the heap has been melded: one has expired */
    dump();
    assert_int_equal(count("timer: in "), 29);
    check_told("in 50 ms, ");
    check_told("in 2850 ms, ");
    check_told("that_expires+0x0 (");
    for (size_t i = 0; i < TORC_COUNT_OF(timers); i++) torc_timer_cancel(&timers[i]);
}

static void of_many_the_first_are_told(void **state) {
    torc_timer timers[250];

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(timers); i++) {
        torc_timer_init(&timers[i], reactor, that_expires);
        torc_timer_arm(&timers[i], i);
    }
    dump();
    assert_int_equal(count("timer: in "), 200);
    check_told("and 50 more");
    for (size_t i = 0; i < TORC_COUNT_OF(timers); i++) torc_timer_cancel(&timers[i]);
}

static volatile int sleeps;

__attribute__((noinline)) static torc_err where_it_waits(void) {
    const torc_err err = torc_sleep(reactor, 1000);
    sleeps++; /* so that it is no tail call, whose frame is gone */
    return err;
}

static torc_err slept;

static torc_err waiting_fiber(void *context) {
    volatile int kept = *(int *)context;

    slept = where_it_waits();
    assert_int_equal(kept, 42);
    return TORC_OK;
}

static void fibers_are_told_with_their_stacks(void **state) {
    int number = 42;
    torc_fiber *fiber;

    (void)state;
    check_ok(torc_fiber_spawn(reactor, waiting_fiber, &number, NULL));
    check_ok(torc_fiber_spawn(reactor, waiting_fiber, &number, &fiber));
    dump();
    assert_int_equal(count("fiber: has not begun"), 2);
    torc_test_settle(reactor);
    torc_fiber_cancel(fiber, TORC_ERR_CANCELLED);
    for (int i = 0; i < 3; i++) { /* it changes nothing */
        dump();
        assert_int_equal(count("fiber: waits"), 2);
        assert_int_equal(count("fiber: waits, cancelled"), 1);
        check_told("runs waiting_fiber+0x0");
        check_told("    where_it_waits+0x");
        check_told("    waiting_fiber+0x");
        check_told("torc_sleep");
    }
    slept = TORC_ERR_AGAIN;
    torc_test_advance(reactor, 1000);
    check_ok(slept);
    torc_fiber_detach(fiber);
}

static torc_err dumping_fiber(void *context) {
    (void)context;
    dump();
    return TORC_OK;
}

static void a_fiber_may_ask_itself(void **state) {
    int number = 42;

    (void)state;
    dump(); /* the unwinder is loaded */
    check_ok(torc_fiber_spawn(reactor, waiting_fiber, &number, NULL));
    check_ok(torc_fiber_spawn(reactor, dumping_fiber, NULL, NULL));
    torc_test_settle(reactor);
    check_told("fiber: waits, runs waiting_fiber");
    check_told("fiber: runs, runs dumping_fiber");
    check_told("    where_it_waits+0x");
}

static void told_ready(void *context, torc_watch *watch, uint32_t events) {
    (void)context;
    (void)watch;
    (void)events;
}

static size_t received(torc_io *io, torc_str bytes) {
    (void)io;
    return bytes.len;
}

static void closed(torc_io *io) {
    (void)io;
}

static void failed(torc_io *io, torc_err err) {
    (void)io;
    (void)err;
}

static void descriptors_are_told(void **state) {
    static const torc_io_ops ops = {.received = received, .failed = failed, .closed = closed};
    torc_watch *watch;
    torc_io io;
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    check_ok(torc_io_open(&io, reactor, TORC_IO_STREAM, ends[0], AF_UNIX, &ops));
    check_ok(torc_watch_new(reactor, ends[1], TORC_WATCH_READ, told_ready, NULL, &watch));
    dump();
    assert_int_equal(count("connection: fd "), 1);
    check_told("peer unix:");
    assert_int_equal(count("watch: fd "), 1);
    torc_io_receive_start(&io);
    assert_int_equal(write(ends[1], "x", 1), 1);
    check_ok(torc_reactor_turn(reactor, 0));
    dump(); /* it is in a list of the poller's now, perhaps */
    assert_int_equal(count("connection: fd "), 1);
    torc_io_close(&io, false);
    torc_watch_free(watch);
    torc_test_settle(reactor);
    close(ends[1]);
    dump();
    assert_int_equal(count("fd "), 0);
}

static void deferreds_are_told(void **state) {
    torc_deferred *deferred = torc_deferred_new(reactor);

    (void)state;
    dump();
    assert_int_equal(count("deferred: made at "), 1);
    check_told("nobody waits yet");
    torc_deferred_drop(deferred);
    check_err(torc_deferred_fire(deferred, NULL, NULL), TORC_ERR_CANCELLED);
}

static void addresses_have_names(void **state) {
    char text[TORC_SYMBOL_TEXT];

    (void)state;
    torc_symbol_text((const void *)(uintptr_t)where_it_waits, text);
    assert_non_null(strstr(text, "where_it_waits+0x0 (test_reactor_dump"));
    torc_symbol_text((const void *)(uintptr_t)getpid, text);
    assert_non_null(strstr(text, "(libc"));
    torc_symbol_text((const void *)(uintptr_t)16, text);
    assert_string_equal(text, "0x10");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_idle_one_has_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(timers_are_told_with_their_functions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_many_the_first_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fibers_are_told_with_their_stacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fiber_may_ask_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(descriptors_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deferreds_are_told, set_up, tear_down),
        cmocka_unit_test(addresses_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
