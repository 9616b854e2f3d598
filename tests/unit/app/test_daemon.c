/* SPDX-License-Identifier: MIT */
/* Going into the background: three processes, of which the first answers for the last. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/daemon.h"
#include "check.h"

/* What the one in the background says of itself, to the test. */
typedef struct facts {
    pid_t pid, session, group, parent;
    bool keeps_folder, has_error, leads_nowhere;
} facts;

static int line[2]; /* to the test, and back */

static ino_t folder(void) {
    struct stat about;
    return stat(".", &about) == 0 ? about.st_ino : 0;
}

static bool is_null(int fd) {
    struct stat about, null;
    return fstat(fd, &about) == 0 && stat("/dev/null", &null) == 0 && about.st_rdev == null.st_rdev;
}

/* In the background: say what is, wait until the test has it, then serve or fail. */
static void serve(torc_daemon *daemon, ino_t folder_before, bool fails) {
    facts own = {.pid = getpid(), .session = getsid(0), .group = getpgrp(), .parent = getppid()};
    char byte;

    own.keeps_folder = folder() == folder_before;
    own.has_error = !is_null(STDERR_FILENO);
    (void)!send(line[1], &own, sizeof(own), 0);
    (void)!recv(line[1], &byte, 1, 0);
    if (fails) _exit(1);
    torc_daemon_ready(daemon);
    own.leads_nowhere = is_null(0) && is_null(1) && is_null(2);
    (void)!send(line[1], &own, sizeof(own), 0);
    _exit(0);
}

/* Start one: the process that was started, which answers by its exit code. */
static pid_t start(bool fails) {
    const ino_t before = folder();

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, line), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        torc_daemon daemon;
        int code = 100;
        const torc_daemon_outcome outcome = torc_daemon_begin(&daemon, &code);
        if (outcome == TORC_DAEMON_SERVES) serve(&daemon, before, fails);
        _exit(outcome == TORC_DAEMON_STARTED ? code : 101);
    }
    close(line[1]);
    return pid;
}

static int exit_code(pid_t pid) {
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static facts hear(void) {
    facts told;
    assert_int_equal(recv(line[0], &told, sizeof(told), 0), sizeof(told));
    return told;
}

static void it_has_a_session_that_it_does_not_lead(void **state) {
    const pid_t started = start(false);
    const facts told = hear();

    (void)state;
    assert_int_not_equal(told.pid, started);
    assert_int_not_equal(told.session, getsid(0));
    assert_int_not_equal(told.session, told.pid);
    assert_int_equal(told.session, told.group);
    assert_true(told.keeps_folder);
    assert_true(told.has_error);
    assert_int_equal(send(line[0], "", 1, 0), 1);
    assert_true(hear().leads_nowhere);
    assert_int_equal(exit_code(started), 0);
    close(line[0]);
}

static void who_started_it_waits_until_it_serves(void **state) {
    const pid_t started = start(false);

    (void)state;
    (void)hear();
    assert_int_equal(waitpid(started, NULL, WNOHANG), 0);
    assert_int_equal(send(line[0], "", 1, 0), 1);
    assert_int_equal(exit_code(started), 0);
    close(line[0]);
}

static void one_that_does_not_come_to_serve_is_told(void **state) {
    const pid_t started = start(true);

    (void)state;
    (void)hear();
    assert_int_equal(send(line[0], "", 1, 0), 1);
    assert_int_equal(exit_code(started), 1);
    close(line[0]);
}

/* The end of the parent is noticed although a child of it lives. */
static void children_do_not_keep_anybody_waiting(void **state) {
    char byte;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, line), 0);
    const pid_t started = fork();
    if (started == 0) {
        torc_daemon daemon;
        int code = 100;
        if (torc_daemon_begin(&daemon, &code) != TORC_DAEMON_SERVES) _exit(code);
        close(line[0]);
        if (fork() != 0) _exit(1);
        torc_daemon_forked(&daemon);
        torc_daemon_detach(&daemon);
        (void)!recv(line[1], &byte, 1, 0); /* until the test has gone */
        _exit(0);
    }
    assert_int_equal(exit_code(started), 1);
    close(line[0]);
    close(line[1]);
}

static void who_is_no_daemon_keeps_its_streams(void **state) {
    torc_daemon daemon;

    (void)state;
    torc_daemon_init(&daemon);
    torc_daemon_forked(&daemon);
    torc_daemon_ready(&daemon);
    torc_daemon_detach(&daemon);
    assert_false(is_null(STDOUT_FILENO));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_a_session_that_it_does_not_lead),
        cmocka_unit_test(who_started_it_waits_until_it_serves),
        cmocka_unit_test(one_that_does_not_come_to_serve_is_told),
        cmocka_unit_test(children_do_not_keep_anybody_waiting),
        cmocka_unit_test(who_is_no_daemon_keeps_its_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
