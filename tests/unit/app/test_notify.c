/* SPDX-License-Identifier: MIT */
/* What a service manager is told, by one that is a socket of the test's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/notify.h"
#include "check.h"

static char folder[] = "/tmp/torc-notify-XXXXXX";
static char path[64];
static int manager = -1;

/* A socket of this name, without the NUL that an abstract one has in place of `@`. */
static void listen_as(const char *name) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    const size_t len = strlen(name);

    memcpy(addr.sun_path, name, len);
    if (name[0] == '@') addr.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(manager >= 0);
    assert_int_equal(
        bind(manager, (const struct sockaddr *)&addr,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] != '@'))),
        0);
}

static int set_up(void **state) {
    (void)state;
    memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/socket", folder);
    listen_as(path);
    return setenv("NOTIFY_SOCKET", path, 1);
}

static int tear_down(void **state) {
    (void)state;
    close(manager);
    unlink(path);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return rmdir(folder);
}

/* The next datagram; empty when there is none. */
static const char *told(void) {
    static char text[512];
    const ssize_t len = recv(manager, text, sizeof(text) - 1, 0);

    text[len > 0 ? len : 0] = '\0';
    return text;
}

static void each_state_is_a_datagram(void **state) {
    torc_notify notify;

    (void)state;
    assert_true(torc_notify_open(&notify));
    torc_notify_ready(&notify, 0);
    assert_string_equal(told(), "READY=1");
    torc_notify_ready(&notify, 4711);
    assert_string_equal(told(), "READY=1\nMAINPID=4711");
    torc_notify_stopping(&notify);
    assert_string_equal(told(), "STOPPING=1");
    torc_notify_alive(&notify);
    assert_string_equal(told(), "WATCHDOG=1");
    torc_notify_close(&notify);
}

static void a_reload_tells_when_it_began(void **state) {
    unsigned long long first = 0, second = 0;
    torc_notify notify;

    (void)state;
    assert_true(torc_notify_open(&notify));
    torc_notify_reloading(&notify);
    assert_int_equal(sscanf(told(), "RELOADING=1\nMONOTONIC_USEC=%llu", &first), 1);
    torc_notify_reloading(&notify);
    assert_int_equal(sscanf(told(), "RELOADING=1\nMONOTONIC_USEC=%llu", &second), 1);
    assert_true(first > 0 && second >= first);
    torc_notify_close(&notify);
}

/* A line end in it would set something else. */
static void a_status_is_one_line(void **state) {
    char lengthy[600];
    torc_notify notify;

    (void)state;
    assert_true(torc_notify_open(&notify));
    torc_notify_status(&notify, "serving\nMAINPID=1");
    assert_string_equal(told(), "STATUS=serving MAINPID=1");
    memset(lengthy, 'x', sizeof(lengthy) - 1);
    lengthy[sizeof(lengthy) - 1] = '\0';
    torc_notify_status(&notify, lengthy);
    assert_int_equal(strlen(told()), 255);
    torc_notify_close(&notify);
}

static void children_are_told_of_no_manager(void **state) {
    torc_notify notify;

    (void)state;
    setenv("WATCHDOG_USEC", "1000000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    assert_true(torc_notify_open(&notify));
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
    torc_notify_close(&notify);
}

static void abstract_names_are_reached(void **state) {
    char name[40];
    torc_notify notify;

    (void)state;
    snprintf(name, sizeof(name), "@torc-notify-%ld", (long)getpid());
    close(manager);
    listen_as(name);
    setenv("NOTIFY_SOCKET", name, 1);
    assert_true(torc_notify_open(&notify));
    torc_notify_ready(&notify, 0);
    assert_string_equal(told(), "READY=1");
    torc_notify_close(&notify);
}

static uint64_t watchdog_of(const char *time_us, const char *pid) {
    torc_notify notify;

    setenv("NOTIFY_SOCKET", path, 1);
    setenv("WATCHDOG_USEC", time_us, 1);
    if (pid) setenv("WATCHDOG_PID", pid, 1);
    assert_true(torc_notify_open(&notify));
    const uint64_t time_ms = notify.watchdog_ms;
    torc_notify_close(&notify);
    return time_ms;
}

static void the_watchdog_is_fed_twice_as_often_as_it_asks(void **state) {
    char own[24];

    (void)state;
    snprintf(own, sizeof(own), "%ld", (long)getpid());
    assert_int_equal(watchdog_of("30000000", own), 15000);
    assert_int_equal(watchdog_of("3000", own), 1);
    assert_int_equal(watchdog_of("1", own), 1);
    assert_int_equal(watchdog_of("30000000", NULL), 15000);
    assert_int_equal(watchdog_of("30000000", "1"), 0); /* another process's */
    assert_int_equal(watchdog_of("30000000", "me"), 0);
    assert_int_equal(watchdog_of("0", own), 0);
    assert_int_equal(watchdog_of("soon", own), 0);
}

static void who_is_not_there_is_not_told(void **state) {
    static const char *const names[] = {"/nowhere/at/all", "relative", "", "@", "vsock:2:1"};
    char lengthy[200];
    torc_notify notify;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        assert_false(torc_notify_open(&notify));
        torc_notify_ready(&notify, 0);
        torc_notify_close(&notify);
    }
    memset(lengthy, '/', sizeof(lengthy) - 1);
    lengthy[sizeof(lengthy) - 1] = '\0';
    setenv("NOTIFY_SOCKET", lengthy, 1);
    assert_false(torc_notify_open(&notify));
    assert_true(torc_notify_open(&notify)); /* nobody is to be told */
    torc_notify_alive(&notify);
    torc_notify_close(&notify);
    assert_string_equal(told(), "");
}

#define NOTIFY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        NOTIFY_TEST(each_state_is_a_datagram),
        NOTIFY_TEST(a_reload_tells_when_it_began),
        NOTIFY_TEST(a_status_is_one_line),
        NOTIFY_TEST(children_are_told_of_no_manager),
        NOTIFY_TEST(abstract_names_are_reached),
        NOTIFY_TEST(the_watchdog_is_fed_twice_as_often_as_it_asks),
        NOTIFY_TEST(who_is_not_there_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
