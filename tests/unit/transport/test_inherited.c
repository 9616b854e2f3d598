/* SPDX-License-Identifier: MIT */
/* Sockets that somebody else opened: which of them is meant, and whether it listens. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <torc/endpoint.h>
#include <unistd.h>

#include "check.h"

static int tear_down(void **state) {
    (void)state;
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
    return 0;
}

static void set_environment(const char *count, const char *names) {
    char pid[24];

    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", count, 1);
    if (names) setenv("LISTEN_FDNAMES", names, 1);
}

static torc_endpoint parse(const char *string) {
    torc_endpoint endpoint;
    torc_endpoint_error error = {0};

    if (torc_endpoint_parse(torc_str_of(string), &endpoint, &error))
        fail_msg("%s: %s", string, error.text);
    return endpoint;
}

static void check_name(const char *string, const char *name) {
    const torc_endpoint endpoint = parse(string);
    assert_string_equal(torc_endpoint_text_of(&endpoint.texts, endpoint.systemd_name), name);
}

static void strings_name_a_place_or_a_name(void **state) {
    (void)state;
    assert_true(parse("systemd:0").is_systemd);
    assert_int_equal(parse("systemd:0").fd, -1);
    assert_int_equal(parse("systemd:0").systemd_index, 0);
    assert_int_equal(parse("systemd:index=7").systemd_index, 7);
    assert_int_equal(parse("systemd:name=http").systemd_index, -1);
    check_name("systemd:name=http", "http");
    check_name("systemd:name=torc.socket", "torc.socket");
    check_name("systemd:name=a\\:b", "a:b");
    assert_int_equal(parse("systemd:domain=INET:index=0").systemd_family, AF_INET);
    assert_int_equal(parse("systemd:domain=INET6:index=0").systemd_family, AF_INET6);
    assert_int_equal(parse("systemd:domain=UNIX:name=x").systemd_family, AF_UNIX);
    assert_int_equal(parse("systemd:0").systemd_family, 0);
    assert_false(parse("fd:3").is_systemd);
}

static void mistakes_in_strings_are_told(void **state) {
    static const struct {
        const char *string, *text;
    } cases[] = {
        {"systemd:", "which of the sockets"},
        {"systemd", "which of the sockets"},
        {"systemd:name=", "which of the sockets"},
        {"systemd:index=0:name=x", "which of the sockets"},
        {"systemd:http", "index is a number"},
        {"systemd:index=-1", "index is a number"},
        {"systemd:domain=IPX:index=0", "the domain is INET, INET6 or UNIX"},
        {"systemd:port=80", "no argument `port`; there are index, name, domain"},
    };
    torc_endpoint endpoint;
    torc_endpoint_error error;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        check_err(torc_endpoint_parse(torc_str_of(cases[i].string), &endpoint, &error),
                  TORC_ERR_SYNTAX);
        if (!strstr(error.text, cases[i].text)) fail_msg("%s: %s", cases[i].string, error.text);
    }
}

static void the_environment_is_read_and_left(void **state) {
    torc_inherited inherited;

    (void)state;
    torc_inherited_read(&inherited);
    assert_int_equal(inherited.count, 0);
    set_environment("2", "http:https");
    torc_inherited_read(&inherited);
    assert_int_equal(inherited.count, 2);
    assert_memory_equal(inherited.names, "http\0https", 11);
    assert_non_null(getenv("LISTEN_FDS"));
}

static void what_is_meant_for_another_process_is_none(void **state) {
    torc_inherited inherited;

    (void)state;
    set_environment("2", NULL);
    setenv("LISTEN_PID", "1", 1);
    torc_inherited_read(&inherited);
    assert_int_equal(inherited.count, 0);
    unsetenv("LISTEN_PID");
    torc_inherited_read(&inherited);
    assert_int_equal(inherited.count, 0);
    set_environment("many", NULL);
    torc_inherited_read(&inherited);
    assert_int_equal(inherited.count, 0);
    set_environment("4000000000", NULL);
    torc_inherited_read(&inherited);
    assert_int_equal(inherited.count, 0);
}

static void names_of_any_length_are_bounded(void **state) {
    char names[3 * TORC_INHERITED_NAMES_MAX];
    torc_inherited inherited;
    torc_endpoint endpoint = parse("systemd:name=x");
    torc_endpoint_error error;

    (void)state;
    memset(names, ':', sizeof(names));
    names[sizeof(names) - 1] = '\0';
    set_environment("1000", names);
    torc_inherited_read(&inherited);
    assert_int_equal(inherited.count, 1000);
    check_err(torc_endpoint_resolve(&endpoint, &inherited, &error), TORC_ERR_NOT_FOUND);
    memset(names, 'n', sizeof(names) - 1);
    setenv("LISTEN_FDNAMES", names, 1);
    torc_inherited_read(&inherited);
    check_err(torc_endpoint_resolve(&endpoint, &inherited, &error), TORC_ERR_NOT_FOUND);
    assert_true(strlen(error.text) < sizeof(error.text));
}

static void owners_are_found(void **state) {
    torc_endpoint endpoint = parse("unix:/x:owner=root:group=7");
    torc_endpoint_error error = {0};

    (void)state;
    assert_int_equal(endpoint.unix_uid, -1);
    check_ok(torc_endpoint_resolve(&endpoint, NULL, &error));
    assert_int_equal(endpoint.unix_uid, 0);
    assert_int_equal(endpoint.unix_gid, 7);
    endpoint = parse("unix:/x");
    check_ok(torc_endpoint_resolve(&endpoint, NULL, &error));
    assert_int_equal(endpoint.unix_uid, -1);
    assert_int_equal(endpoint.unix_gid, -1);
    endpoint = parse("unix:/x:owner=no-such-user");
    check_err(torc_endpoint_resolve(&endpoint, NULL, &error), TORC_ERR_NOT_FOUND);
    assert_non_null(strstr(error.text, "no user no-such-user"));
    endpoint = parse("unix:/x:group=no-such-group");
    check_err(torc_endpoint_resolve(&endpoint, NULL, &error), TORC_ERR_NOT_FOUND);
    assert_non_null(strstr(error.text, "no group no-such-group"));
}

static void a_program_takes_it_away_from_its_children(void **state) {
    torc_inherited inherited;

    (void)state;
    set_environment("0", "");
    torc_inherited_take(&inherited);
    assert_null(getenv("LISTEN_FDS"));
    assert_null(getenv("LISTEN_PID"));
    assert_null(getenv("LISTEN_FDNAMES"));
}

/* ---- with descriptors ---- */

/* A UNIX socket without a name. */
static int open_socket(int type, bool listens) {
    const struct sockaddr addr = {.sa_family = AF_UNIX};
    const int fd = socket(AF_UNIX, type, 0);

    assert_true(fd >= 0);
    if (listens) {
        assert_int_equal(bind(fd, &addr, sizeof(addr.sa_family)), 0);
        assert_int_equal(listen(fd, 1), 0);
    }
    return fd;
}

static torc_err inherit(const char *string, const torc_inherited *inherited, int *fd,
                        torc_endpoint_error *error) {
    torc_endpoint endpoint = parse(string);
    const torc_err err = torc_endpoint_resolve(&endpoint, inherited, error);

    *fd = endpoint.fd;
    return err;
}

static void check_told(const char *string, const torc_inherited *inherited, const char *text) {
    torc_endpoint_error error = {0};
    int fd;

    assert_int_not_equal(inherit(string, inherited, &fd, &error), TORC_OK);
    if (!strstr(error.text, text)) fail_msg("%s: %s", string, error.text);
}

static void what_was_not_passed_is_told_with_what_was(void **state) {
    static const torc_inherited none = {0};
    static const torc_inherited two = {.count = 2, .names = "http\0https"};
    static const torc_inherited nameless = {.count = 1};
    static const torc_inherited twins = {.count = 3, .names = "a\0http\0http"};

    (void)state;
    check_told("systemd:0", &none, "no sockets were passed to this process");
    check_told("systemd:2", &two,
               "2 sockets were passed, none with the index 2; there is 0 (http), 1 (https)");
    check_told("systemd:name=htp", &two,
               "2 sockets were passed, none with the name htp; there is 0 (http), 1 (https)");
    check_told("systemd:1", &nameless, "1 socket was passed, none with the index 1; there is 0");
    check_told("systemd:name=http", &twins,
               "the sockets 1 and 2 are both called http; write systemd:1 or systemd:2");
}

/* The descriptors that would be passed are the test's own: it moves one to number 3. */
static void the_socket_is_found_by_place_and_name(void **state) {
    static const torc_inherited one = {.count = 1, .names = "http"};
    const int before = fcntl(3, F_DUPFD_CLOEXEC, 10), own = open_socket(SOCK_STREAM, true);
    torc_endpoint_error error;
    int fd = -1;

    (void)state;
    if (own != 3) assert_int_equal(dup2(own, 3), 3);
    check_ok(inherit("systemd:0", &one, &fd, &error));
    assert_int_equal(fd, 3);
    check_ok(inherit("systemd:name=http", &one, &fd, NULL));
    assert_int_equal(fd, 3);
    check_ok(inherit("systemd:domain=UNIX:index=0", &one, &fd, &error));
    check_told("systemd:domain=INET:index=0", &one, "the socket 3 is of the domain UNIX, not INET");
    set_environment("1", "http");
    check_ok(inherit("systemd:name=http", NULL, &fd, &error));
    torc_inherited inherited;
    torc_inherited_take(&inherited);
    assert_int_equal(fcntl(3, F_GETFD), FD_CLOEXEC);
    close(own);
    if (before >= 0) assert_int_equal(dup2(before, 3), 3);
    if (before >= 0) close(before);
}

static void descriptors_that_do_not_listen_are_told(void **state) {
    const int idle = open_socket(SOCK_STREAM, false), datagram = open_socket(SOCK_DGRAM, false);
    const int file = open("/dev/null", O_RDONLY | O_CLOEXEC), fine = open_socket(SOCK_STREAM, true);
    char string[24];
    int fd;

    (void)state;
    snprintf(string, sizeof(string), "fd:%d", idle);
    check_told(string, NULL, "does not listen");
    snprintf(string, sizeof(string), "fd:%d", datagram);
    check_told(string, NULL, "is no stream socket");
    snprintf(string, sizeof(string), "fd:%d", file);
    check_told(string, NULL, "is no socket");
    check_told("fd:65535", NULL, "the descriptor 65535 is not open");
    snprintf(string, sizeof(string), "fd:%d", fine);
    check_ok(inherit(string, NULL, &fd, NULL));
    check_ok(inherit("tcp:0", NULL, &fd, NULL));
    close(idle);
    close(datagram);
    close(file);
    close(fine);
}

#define INHERITED_TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        INHERITED_TEST(strings_name_a_place_or_a_name),
        cmocka_unit_test(owners_are_found),
        INHERITED_TEST(mistakes_in_strings_are_told),
        INHERITED_TEST(the_environment_is_read_and_left),
        INHERITED_TEST(what_is_meant_for_another_process_is_none),
        INHERITED_TEST(names_of_any_length_are_bounded),
        INHERITED_TEST(a_program_takes_it_away_from_its_children),
        INHERITED_TEST(what_was_not_passed_is_told_with_what_was),
        INHERITED_TEST(the_socket_is_found_by_place_and_name),
        INHERITED_TEST(descriptors_that_do_not_listen_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
