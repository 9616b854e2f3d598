/* SPDX-License-Identifier: MIT */
/*
 * Events for the journal: a double of it at a socket, which reads its native protocol.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <torc/log_sinks.h>
#include <unistd.h>

#include "check.h"
#include "kernel.h"

static torc_log *log_;
static char folder[64], path[96];
static int journal = -1;

static int set_up(void **state) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    snprintf(folder, sizeof folder, "/tmp/torc-log-journal-XXXXXX");
    if (!mkdtemp(folder) || torc_log_new(NULL, NULL, NULL, &log_)) return -1;
    snprintf(path, sizeof path, "%s/socket", folder);
    journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
    if (bind(journal, (struct sockaddr *)&addr, sizeof addr)) return -1;
    const torc_log_journal_options options = {
        .size = sizeof options, .path = path, .identifier = "app"};
    return torc_log_add_journal(log_, &options, NULL, NULL);
}

static int tear_down(void **state) {
    torc_log_free(log_);
    close(journal);
    unlink(path);
    return rmdir(folder);
}

static torc_str received(void) {
    static char bytes[8192];
    const ssize_t len = recv(journal, bytes, sizeof bytes, 0);
    return torc_str_make(bytes, len < 0 ? 0 : (size_t)len);
}

static void an_event_is_fields(void **state) {
    TORC_LOG_WARN(log_, "http", "it happened", TORC_LOG_TEXT("path", "/a b"),
                  TORC_LOG_INT("status", 200), TORC_LOG_DURATION("took", 1500),
                  TORC_LOG_TEXT("empty", ""));
    check_str(received(), "MESSAGE=it happened path=\"/a b\" status=200 took=1.5ms empty=\"\"\n"
                          "PRIORITY=4\nSYSLOG_IDENTIFIER=app\nTORC_NAMESPACE=http\n"
                          "PATH=/a b\nSTATUS=200\nTOOK=0.0015\nEMPTY=\n");
}

static void a_value_of_lines_has_its_length(void **state) {
    TORC_LOG_INFO(log_, "a", "t", TORC_LOG_TEXT("k", "one\nMESSAGE=forged\n"));
    check_str(received(), "MESSAGE=t k=\"one\\nMESSAGE=forged\\n\"\n"
                          "PRIORITY=6\nSYSLOG_IDENTIFIER=app\nTORC_NAMESPACE=a\n"
                          "K\n\x13\0\0\0\0\0\0\0one\nMESSAGE=forged\n\n");
}

static void names_are_those_that_the_journal_takes(void **state) {
    TORC_LOG_INFO(log_, "a", "t", TORC_LOG_INT("_boot.id-x", 1), TORC_LOG_INT("9x", 2),
                  TORC_LOG_INT("message", 3), TORC_LOG_INT("code_file", 4), TORC_LOG_INT("", 5));
    const torc_str all = received();
    check_str(torc_str_from(all, (size_t)torc_str_find(all, TORC_STR("NAMESPACE="))),
              "NAMESPACE=a\nTORC__BOOT_ID_X=1\nTORC_9X=2\nTORC_MESSAGE=3\nTORC_CODE_FILE=4\n"
              "TORC_=5\n");
}

/* What no datagram holds comes as a file that nobody can change any more. */
static void a_large_event_is_a_sealed_file(void **state) {
    static char value[1 << 20], bytes[(1 << 20) + 4096];
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof control};
    int fd;

    if (kernel_is_emulated()) skip_test("no descriptor is passed here");
    memset(value, 'v', sizeof value);
    TORC_LOG_INFO(log_, "a", "t", TORC_LOG_STR("k", torc_str_make(value, sizeof value)));
    assert_int_equal(recvmsg(journal, &message, 0), 0);
    assert_int_equal(control.head.cmsg_type, SCM_RIGHTS);
    memcpy(&fd, CMSG_DATA(&control.head), sizeof fd);
    assert_int_equal(fcntl(fd, F_GET_SEALS),
                     F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    const ssize_t len = pread(fd, bytes, sizeof bytes, 0);
    close(fd);
    const torc_str all = torc_str_make(bytes, (size_t)len);
    assert_true(torc_str_starts_with(all, TORC_STR("MESSAGE=t k=vvvv")));
    const ptrdiff_t place = torc_str_find(all, TORC_STR("\nK="));
    assert_true(place > 0);
    assert_int_equal(all.len - (size_t)place - 4, sizeof value);
    assert_memory_equal(all.bytes + place + 3, value, sizeof value);
}

static void many_fields_are_bounded(void **state) {
    torc_log_field fields[300];

    for (size_t i = 0; i < TORC_COUNT_OF(fields); i++) fields[i] = torc_log_field_int("key", 1);
    for (size_t count = 0; count <= TORC_COUNT_OF(fields); count += 7) {
        torc_log_event(log_, TORC_LOG_LEVEL_INFO, "a", "t", fields, count);
        const torc_str all = received();
        assert_true(torc_str_starts_with(all, TORC_STR("MESSAGE=t")));
        assert_int_equal(all.bytes[all.len - 1], '\n');
    }
    assert_int_equal(torc_log_dropped(log_), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_event_is_fields),
        CASE(a_value_of_lines_has_its_length),
        CASE(names_are_those_that_the_journal_takes),
        CASE(a_large_event_is_a_sealed_file),
        CASE(many_fields_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
