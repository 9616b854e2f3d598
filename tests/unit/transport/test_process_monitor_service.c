/* SPDX-License-Identifier: MIT */
/*
 * Children that are kept running, as a service of a tree.
 */
#include <signal.h>
#include <torc/process_monitor_service.h>

#include "children.h"
#include "faults.h"
#include "reactor/reactor.h"

static const char *const arguments[] = {"1000", NULL};
static const torc_spawn_options sleeper = {
    .size = sizeof(sleeper), .program = "/bin/sleep", .arguments = arguments, .grace_ms = 2000};

static torc_reactor *reactor;
static torc_service *tree, *service;
static int fds_before;

static int set_up(void **state) {
    (void)state;
    fds_before = open_fd_count();
    if (torc_test_reactor_new(NULL, &reactor)) return -1;
    tree = torc_service_group_new("tree");
    if (!tree || torc_process_monitor_service_new("helpers", NULL, &service)) return -1;
    torc_service_add(tree, service);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_service_free(tree);
    torc_reactor_free(reactor);
    check_no_children();
    return open_fd_count() != fds_before;
}

typedef struct taker {
    torc_callback callback;
    torc_err err;
    bool is_told;
} taker;

static void take(torc_callback *callback, torc_err err, void *value) {
    taker *self = torc_container_of(callback, taker, callback);

    (void)value;
    self->err = err;
    self->is_told = true;
}

static torc_err result_of(torc_deferred *deferred) {
    taker self = {.err = TORC_ERR_AGAIN};

    torc_deferred_then(deferred, &self.callback, take);
    until(reactor, self.is_told);
    return self.err;
}

static int pid(const char *name) {
    return torc_process_monitor_pid(torc_process_monitor_service_monitor(service), name);
}

static void children_run_from_the_start_to_the_stop(void **state) {
    (void)state;
    check_ok(torc_process_monitor_service_add(service, "one", &sleeper));
    check_ok(torc_process_monitor_service_add(service, "two", &sleeper));
    check_err(torc_process_monitor_service_add(service, "one", &sleeper), TORC_ERR_EXISTS);
    for (int times = 0; times < 2; times++) {
        assert_null(torc_process_monitor_service_monitor(service));
        check_ok(result_of(torc_service_start(tree, reactor)));
        assert_true(pid("one") > 1);
        assert_true(pid("two") > 1 && pid("two") != pid("one"));
        check_ok(result_of(torc_service_stop(tree, reactor)));
        assert_null(torc_process_monitor_service_monitor(service));
        check_no_children();
    }
}

static void options_are_kept(void **state) {
    const torc_process_monitor_options options = {.size = sizeof(options), .delay_min_ms = 7};
    torc_service *other;

    (void)state;
    check_ok(torc_process_monitor_service_new("other", &options, &other));
    check_ok(torc_process_monitor_service_add(other, "one", &sleeper));
    torc_service_remove(service);
    torc_service_free(service);
    service = other;
    torc_service_add(tree, other);
    check_ok(result_of(torc_service_start(tree, reactor)));
    kill(pid("one"), SIGKILL);
    until(reactor, !pid("one"));
    torc_test_advance(reactor, 6);
    assert_int_equal(pid("one"), 0);
    torc_test_advance(reactor, 1);
    assert_true(pid("one") > 1);
    check_ok(result_of(torc_service_stop(tree, reactor)));
}

static void a_stop_that_is_given_up_lets_go_of_them(void **state) {
    (void)state;
    check_ok(torc_process_monitor_service_add(service, "one", &sleeper));
    check_ok(result_of(torc_service_start(tree, reactor)));
    const int one = pid("one");
    torc_deferred_drop(torc_service_stop(tree, reactor));
    torc_test_settle(reactor);
    assert_null(torc_process_monitor_service_monitor(service));
    until(reactor, kill(one, 0) && errno == ESRCH);
}

/* One that cannot be kept is told, and the others do not run. */
static void what_cannot_be_is_told(void **state) {
    char *large = calloc(1, 2 << 20);
    const torc_spawn_options too_large = {.size = sizeof(too_large), .program = large};

    (void)state;
    assert_non_null(large);
    memset(large, 'x', (2 << 20) - 1);
    check_ok(torc_process_monitor_service_add(service, "one", &sleeper));
    check_ok(torc_process_monitor_service_add(service, "large", &too_large));
    check_err(result_of(torc_service_start(tree, reactor)), TORC_ERR_LIMIT);
    assert_null(torc_process_monitor_service_monitor(service));
    free(large);
}

/* Whatever cannot be had: it is told, or tried again, and nothing is left. */
static void every_allocation_may_fail(void **state) {
    faults self;
    siginfo_t info;
    bool is_over = false;
    int fails = 0;

    (void)state;
    check_ok(torc_process_monitor_service_add(service, "one", &sleeper));
    for (uint64_t fail_at = 1; !is_over; fail_at++) {
        faults_arm(&self, &reactor->memory, fail_at);
        const torc_err err = result_of(torc_service_start(tree, reactor));
        if (err) check_err(err, TORC_ERR_NO_MEMORY);
        const torc_err stopped = result_of(torc_service_stop(tree, reactor));
        if (stopped) check_err(stopped, TORC_ERR_NO_MEMORY);
        is_over = !self.hit;
        faults_disarm(&reactor->memory);
        if (stopped) check_ok(result_of(torc_service_stop(tree, reactor)));
        assert_null(torc_process_monitor_service_monitor(service));
        until(reactor, waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0);
        fails += err != TORC_OK;
        assert_in_range(fail_at, 1, 1000);
    }
    assert_true(fails > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(children_run_from_the_start_to_the_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(options_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_that_is_given_up_lets_go_of_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
