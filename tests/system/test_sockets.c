/* SPDX-License-Identifier: MIT */
/* The listening sockets of a program: one for each endpoint and slot. */
#include "app/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char folder[] = "/tmp/torc-sockets-XXXXXX";
static char path[64], endpoint[80];
static torc_sockets sockets;
static torc_endpoint_error error;

static int set_up(void **state) {
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof(path), "%s/socket", folder);
    snprintf(endpoint, sizeof(endpoint), "unix:%s", path);
    sockets = (torc_sockets){.slot_count = 3};
    error.text[0] = '\0';
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_sockets_close(&sockets);
    unlink(path);
    return rmdir(folder);
}

static uint16_t port_of(size_t row, size_t slot) {
    torc_addr addr = {.len = sizeof(addr.as)};
    const int fd = torc_sockets_dup(&sockets, row, slot);

    assert_true(fd >= 0);
    assert_int_equal(getsockname(fd, &addr.as.any, &addr.len), 0);
    close(fd);
    return torc_addr_family(&addr) == AF_INET ? ntohs(addr.as.in.sin_port)
                                              : ntohs(addr.as.in6.sin6_port);
}

static void slots_share_a_port(void **state) {
    (void)state;
    check_ok(torc_sockets_add(&sockets, "127.0.0.1:0", &error));
    check_ok(torc_sockets_add(&sockets, "0", &error)); /* of both families */
    for (size_t row = 0; row < 2; row++) {
        assert_true(port_of(row, 0) > 0);
        for (size_t slot = 1; slot < 3; slot++)
            assert_int_equal(port_of(row, slot), port_of(row, 0));
        assert_true(sockets.rows[row]->fds[0] != sockets.rows[row]->fds[1]);
        assert_false(sockets.rows[row]->is_one);
    }
    assert_true(port_of(0, 0) != port_of(1, 0));
    const torc_addr addr = torc_sockets_addr(&sockets, 0);
    assert_int_equal(ntohs(addr.as.in.sin_port), port_of(0, 0));
}

static void localhost_is_a_row_for_each_family(void **state) {
    (void)state;
    check_ok(torc_sockets_add(&sockets, "localhost:0", &error));
    if (sockets.row_count == 1) skip_test("there is no IPv6");
    assert_int_equal(sockets.row_count, 2);
    for (size_t slot = 0; slot < 3; slot++) {
        assert_int_equal(port_of(1, slot), port_of(0, 0));
        assert_int_equal(port_of(0, slot), port_of(0, 0));
    }
    const torc_addr addr = torc_sockets_addr(&sockets, 1);
    assert_int_equal(torc_addr_family(&addr), AF_INET6);
}

/* Also when it is one of the same user's, with the same options. */
static void a_port_in_use_is_not_joined(void **state) {
    torc_sockets others = {.slot_count = 2};
    char text[64];

    (void)state;
    check_ok(torc_sockets_add(&sockets, "127.0.0.1:0", &error));
    snprintf(text, sizeof(text), "127.0.0.1:%u", port_of(0, 0));
    for (others.slot_count = 1; others.slot_count < 3; others.slot_count++) {
        check_err(torc_sockets_add(&others, text, &error), TORC_ERR_ADDRESS_IN_USE);
        assert_non_null(strstr(error.text, "in use: stop the program that listens there"));
    }
    check_err(torc_sockets_add(&sockets, text, &error), TORC_ERR_ADDRESS_IN_USE);
    assert_int_equal(sockets.row_count, 1);
}

static void what_is_wrong_is_told_with_what_to_do(void **state) {
    (void)state;
    check_err(torc_sockets_add(&sockets, "unix:/nowhere/at/all", &error), TORC_ERR_NOT_FOUND);
    assert_non_null(strstr(error.text, "folder of the socket must exist"));
    check_err(torc_sockets_add(&sockets, "192.0.2.1:0", &error), TORC_ERR_ADDRESS_NOT_AVAILABLE);
    assert_non_null(strstr(error.text, "no interface has it"));
    check_err(torc_sockets_add(&sockets, "nonsense", &error), TORC_ERR_SYNTAX);
    assert_true(error.text[0] != '\0');
    assert_int_equal(sockets.row_count, 0);
}

static void a_unix_socket_is_one_for_all(void **state) {
    (void)state;
    check_ok(torc_sockets_add(&sockets, endpoint, &error));
    assert_true(sockets.rows[0]->is_one);
    assert_int_equal(sockets.rows[0]->fds[2], sockets.rows[0]->fds[0]);
    torc_sockets_close(&sockets);
    assert_int_equal(access(path, F_OK), -1);
}

/* Of another process it removes nothing, nor what has taken its place. */
static void only_its_own_file_is_removed(void **state) {
    (void)state;
    check_ok(torc_sockets_add(&sockets, endpoint, &error));
    sockets.is_inherited = true;
    torc_sockets_close(&sockets);
    assert_int_equal(access(path, F_OK), 0);

    sockets = (torc_sockets){.slot_count = 1};
    check_ok(torc_sockets_add(&sockets, endpoint, &error));
    unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    torc_sockets_close(&sockets);
    assert_int_equal(access(path, F_OK), 0);
}

static void an_inherited_socket_is_one_for_all(void **state) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    char text[32];

    (void)state;
    assert_true(fd >= 0);
    snprintf(text, sizeof(text), "fd:%d", fd);
    check_err(torc_sockets_add(&sockets, text, &error), TORC_ERR_INVALID);
    assert_non_null(strstr(error.text, "does not listen"));
    assert_int_equal(listen(fd, 1), 0);
    check_ok(torc_sockets_add(&sockets, text, &error));
    assert_true(sockets.rows[0]->is_one);
    assert_int_equal(port_of(0, 0), port_of(0, 2));
}

static void rows_have_a_maximum(void **state) {
    (void)state;
    for (int i = 0; i < TORC_SOCKETS_ENDPOINTS_MAX; i++)
        check_ok(torc_sockets_add(&sockets, "127.0.0.1:0", &error));
    check_err(torc_sockets_add(&sockets, "127.0.0.1:0", &error), TORC_ERR_LIMIT);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(slots_share_a_port),
        CASE(localhost_is_a_row_for_each_family),
        CASE(a_port_in_use_is_not_joined),
        CASE(what_is_wrong_is_told_with_what_to_do),
        CASE(a_unix_socket_is_one_for_all),
        CASE(only_its_own_file_is_removed),
        CASE(an_inherited_socket_is_one_for_all),
        CASE(rows_have_a_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
