/* SPDX-License-Identifier: MIT */
/*
 * Descriptors as a connection: pipes, a socket, terminals, files.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <torc/endpoint.h>
#include <torc/stdio.h>
#include <torc/testing.h>
#include <unistd.h>

#include "both_pollers.h"
#include "children.h"
#include "probe.h"
#include "reactor/reactor.h"
#include "terminals.h"

static torc_reactor *reactor;
static probe it;
static int fds_before;
/* What it is opened over, and the other sides. */
static int input, output, giver, taker;

static int set_up(bool is_late) {
    fds_before = open_fd_count();
    probe_init(&it);
    input = output = giver = taker = -1;
    return new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static void close_one(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    assert_int_equal(it.mades, it.losts);
    close_one(&input);
    close_one(&output);
    close_one(&giver);
    close_one(&taker);
    probe_dispose(&it);
    if (open_fd_count() != fds_before) print_error("a descriptor was left open\n");
    return open_fd_count() != fds_before;
}

static void make_pipes(void) {
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    input = ends[0];
    giver = ends[1];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    taker = ends[0];
    output = ends[1];
}

static int make_file(const char *text) {
    char path[] = "/tmp/torc-test-XXXXXX";
    const int fd = mkostemp(path, O_CLOEXEC);

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* The protocol's own descriptors are the only ones from here on. */
static void open_it(void) {
    check_ok(torc_descriptors_open(reactor, input, output, &it.base));
    assert_int_equal(it.mades, 0); /* not from inside the call */
    const bool is_one = input == output;
    close_one(&input);
    if (is_one) output = -1;
    close_one(&output);
    torc_test_settle(reactor);
    assert_int_equal(it.mades, 1);
}

static void give(const char *text) {
    assert_int_equal(write(giver, text, strlen(text)), (ssize_t)strlen(text));
}

static void check_taken(const char *text) {
    char taken[256];
    size_t len = 0;

    while (len < strlen(text)) {
        struct pollfd wanted = {.fd = taker, .events = POLLIN};
        children_turn(reactor);
        if (poll(&wanted, 1, 0) <= 0) continue;
        const ssize_t got = read(taker, taken + len, sizeof(taken) - len);
        assert_true(got > 0);
        len += (size_t)got;
    }
    check_str_at(torc_str_make(taken, len), torc_str_of(text), __FILE__, __LINE__);
}

static void check_taken_end(void) {
    char byte;

    until(reactor, read(taker, &byte, 1) == 0);
}

/* ---- pipes ---- */

static void a_protocol_speaks_over_pipes(void **state) {
    (void)state;
    make_pipes();
    open_it();
    give("in");
    until(reactor, it.len == 2);
    check_got(&it, "in");
    torc_transport_write(it.base.transport, TORC_STR("out"));
    check_taken("out");
    close_one(&giver);
    until(reactor, it.input_ends);
    torc_transport_write(it.base.transport, TORC_STR("last"));
    torc_transport_close(it.base.transport);
    check_taken("last");
    check_taken_end();
    until(reactor, it.losts);
    check_err(it.reason, TORC_ERR_CLOSED);
}

static void the_mode_of_pipes_stays(void **state) {
    (void)state;
    make_pipes();
    const int input_too = dup(input), output_too = dup(output);
    open_it();
    assert_int_equal(fcntl(input_too, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(fcntl(output_too, F_GETFL) & O_NONBLOCK, 0);
    close(input_too);
    close(output_too);
}

static void or_is_set_back(void **state) {
    (void)state;
    make_pipes();
    const int input_too = dup(input), output_too = dup(output);
    torc_test_fail_calls(reactor, TORC_TEST_OPEN, 1, 1, EACCES);
    open_it();
    assert_int_equal(fcntl(input_too, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    assert_int_equal(fcntl(output_too, F_GETFL) & O_NONBLOCK, 0);
    give("in");
    until(reactor, it.len == 2);
    torc_transport_close(it.base.transport);
    until(reactor, it.losts);
    assert_int_equal(fcntl(input_too, F_GETFL) & O_NONBLOCK, 0);
    close(input_too);
    close(output_too);
}

static void the_output_may_end_alone(void **state) {
    (void)state;
    make_pipes();
    open_it();
    torc_transport_write(it.base.transport, TORC_STR("bye"));
    torc_transport_close_write(it.base.transport);
    check_taken("bye");
    check_taken_end();
    give("more");
    until(reactor, it.len == 4);
    assert_int_equal(it.losts, 0);
    torc_transport_write(it.base.transport, TORC_STR("not this"));
    torc_transport_close(it.base.transport);
    until(reactor, it.losts);
}

static void an_output_that_nobody_reads_is_a_loss(void **state) {
    (void)state;
    make_pipes();
    open_it();
    close_one(&taker);
    torc_transport_write(it.base.transport, TORC_STR("out"));
    until(reactor, it.losts);
    check_err(it.reason, TORC_ERR_LOST);
}

static void pausing_holds_back(void **state) {
    char bytes[4096] = {0};
    size_t given = 0;

    (void)state;
    make_pipes();
    open_it();
    torc_transport_pause(it.base.transport);
    fcntl(giver, F_SETFL, O_WRONLY | O_NONBLOCK);
    for (ssize_t len; (len = write(giver, bytes, sizeof(bytes))) > 0;) given += (size_t)len;
    torc_test_settle(reactor);
    assert_int_equal(it.len, 0);
    torc_transport_resume(it.base.transport);
    until(reactor, it.len == given);
}

static void marks_hold_for_pipes(void **state) {
    enum {
        LEN = 300000
    };
    char *bytes = calloc(1, LEN), taken[8192];
    size_t len = 0;

    (void)state;
    make_pipes();
    open_it();
    torc_transport_write(it.base.transport, torc_str_make(bytes, LEN));
    torc_test_settle(reactor);
    assert_int_equal(torc_transport_room(it.base.transport), 0);
    fcntl(taker, F_SETFL, O_RDONLY | O_NONBLOCK);
    while (len < LEN) {
        const ssize_t got = read(taker, taken, sizeof(taken));
        if (got > 0) len += (size_t)got;
        torc_test_settle(reactor);
    }
    assert_int_equal(it.drains, 1);
    free(bytes);
}

/* ---- a socket ---- */

static void a_socket_for_both_is_one_connection(void **state) {
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    input = ends[0];
    output = dup(ends[0]);
    giver = ends[1];
    taker = dup(ends[1]);
    const int too = dup(ends[0]);
    open_it();
    give("in");
    until(reactor, it.len == 2);
    torc_transport_write(it.base.transport, TORC_STR("out"));
    check_taken("out");
    assert_int_equal(fcntl(too, F_GETFL) & O_NONBLOCK, 0);
    torc_transport_close_write(it.base.transport);
    check_taken_end();
    give("more");
    until(reactor, it.len == 6);
    torc_transport_close(it.base.transport);
    until(reactor, it.losts);
    close(too);
}

/* ---- a terminal ---- */

static void a_terminal_is_read_by_lines(void **state) {
    (void)state;
    if (!terminals_are_there()) skip_test("there is no /dev/pts");
    const int here = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(here >= 0 && unlockpt(here) == 0);
    input = output = open(ptsname(here), O_RDWR | O_NOCTTY | O_CLOEXEC);
    const int too = dup(input);
    giver = here;
    taker = dup(here);
    check_ok(torc_descriptors_open(reactor, input, output, &it.base));
    close_one(&input);
    output = -1;
    give("line\n");
    until(reactor, it.len == 5);
    torc_transport_write(it.base.transport, TORC_STR("answer\n"));
    check_taken("line\r\nanswer\r\n");
    assert_int_equal(fcntl(too, F_GETFL) & O_NONBLOCK, 0);
    give("\004");
    until(reactor, it.input_ends);
    close(too);
}

/* ---- files, which threads read and write ---- */

static void files_are_read_and_written(void **state) {
    char text[16] = "";

    (void)state;
    input = make_file("0123456789");
    output = make_file("old");
    lseek(output, 3, SEEK_SET);
    taker = dup(output);
    open_it();
    until(reactor, it.input_ends);
    check_got(&it, "0123456789");
    torc_transport_write(it.base.transport, TORC_STR(" new"));
    torc_transport_write_file(it.base.transport, make_file("a file"), 2, 4);
    torc_transport_close(it.base.transport);
    until(reactor, it.losts);
    check_err(it.reason, TORC_ERR_CLOSED);
    assert_int_equal(pread(taker, text, sizeof(text), 0), 11);
    assert_string_equal(text, "old newfile");
}

static void much_of_files_is_read_with_pauses(void **state) {
    enum {
        LEN = 500000
    };
    char *bytes = malloc(LEN + 1);

    (void)state;
    for (size_t i = 0; i < LEN; i++) bytes[i] = (char)('a' + i % 26);
    bytes[LEN] = 0;
    input = make_file(bytes);
    output = open("/dev/null", O_WRONLY | O_CLOEXEC);
    it.take = 30000;
    open_it();
    until(reactor, it.len == 30000);
    for (int i = 0; i < 5; i++) children_turn(reactor);
    assert_int_equal(it.len, 30000); /* what is not consumed pauses */
    while (it.len < LEN) {
        torc_transport_resume(it.base.transport);
        children_turn(reactor);
    }
    until(reactor, it.input_ends);
    assert_memory_equal(it.got, bytes, LEN);
    free(bytes);
}

static void a_full_disk_is_a_loss(void **state) {
    (void)state;
    input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    output = open("/dev/full", O_WRONLY | O_CLOEXEC);
    open_it();
    until(reactor, it.input_ends);
    torc_transport_write(it.base.transport, TORC_STR("out"));
    until(reactor, it.losts);
    check_err(it.reason, TORC_ERR_NO_SPACE);
}

static void a_folder_is_no_input(void **state) {
    (void)state;
    input = open("/", O_RDONLY | O_CLOEXEC);
    output = open("/dev/null", O_WRONLY | O_CLOEXEC);
    open_it();
    until(reactor, it.losts);
    check_err(it.reason, TORC_ERR_IS_DIRECTORY);
}

static void closing_waits_for_the_thread(void **state) {
    (void)state;
    input = make_file("0123456789");
    output = make_file("");
    open_it();
    torc_transport_write(it.base.transport, TORC_STR("dropped, or not"));
    torc_transport_abort(it.base.transport);
    until(reactor, it.losts);
    check_err(it.reason, TORC_ERR_ABORTED);
}

/* ---- life ---- */

static void a_freed_reactor_is_a_loss(void **state) {
    (void)state;
    make_pipes();
    open_it();
    torc_reactor_free(reactor);
    assert_int_equal(it.losts, 1);
    probe_dispose(&it);
    probe_init(&it);
    check_ok(torc_test_reactor_new(NULL, &reactor));
    input = make_file("abc");
    output = make_file("");
    check_ok(torc_descriptors_open(reactor, input, output, &it.base));
    torc_reactor_free(reactor);
    assert_int_equal(it.mades, 1);
    assert_int_equal(it.losts, 1);
    check_ok(torc_test_reactor_new(NULL, &reactor));
}

static void what_is_closed_is_refused(void **state) {
    (void)state;
    make_pipes();
    check_err(torc_descriptors_open(reactor, 999, output, &it.base), TORC_ERR_INVALID);
    check_err(torc_descriptors_open(reactor, input, 999, &it.base), TORC_ERR_INVALID);
    torc_test_settle(reactor);
    assert_int_equal(it.mades, 0);
}

static void every_call_and_allocation_may_fail(void **state) {
    bool was_hit = true;

    (void)state;
    make_pipes();
    for (uint64_t n = 1; was_hit; n++) {
        assert_true(n < 20);
        const int open_before = open_fd_count();
        torc_test_fail_allocation(reactor, n);
        const torc_err err = torc_descriptors_open(reactor, input, output, &it.base);
        was_hit = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        check_err(err, was_hit ? TORC_ERR_NO_MEMORY : TORC_OK);
        torc_test_settle(reactor);
        if (err)
            assert_int_equal(open_fd_count(), open_before);
        else
            torc_transport_abort(it.base.transport);
    }
    until(reactor, it.losts);
    it.mades = it.losts = 0;
    for (uint64_t n = 1; n <= 2; n++) {
        const int open_before = open_fd_count();
        torc_test_fail_calls(reactor, TORC_TEST_REGISTER, n, 1, ENOSPC);
        check_err(torc_descriptors_open(reactor, input, output, &it.base), TORC_ERR_NO_SPACE);
        torc_test_fail_calls(reactor, TORC_TEST_REGISTER, 0, 0, 0);
        torc_test_settle(reactor);
        assert_int_equal(open_fd_count(), open_before);
        /* Neither a way to open it anew, nor a descriptor. */
        torc_test_fail_calls(reactor, TORC_TEST_OPEN, n, 3, EMFILE);
        check_err(torc_descriptors_open(reactor, input, output, &it.base),
                  TORC_ERR_FILE_TABLE_FULL);
        torc_test_fail_calls(reactor, TORC_TEST_OPEN, 0, 0, 0);
        assert_int_equal(open_fd_count(), open_before);
    }
}

/* ---- the standard streams: the test's own are put aside meanwhile ---- */

static int own_input, own_output;

static void put_aside(void) {
    make_pipes();
    own_input = fcntl(0, F_DUPFD_CLOEXEC, 3);
    own_output = fcntl(1, F_DUPFD_CLOEXEC, 3);
    fflush(stdout);
    dup2(input, 0);
    dup2(output, 1);
    close_one(&input);
    close_one(&output);
}

static void put_back(void) {
    dup2(own_input, 0);
    dup2(own_output, 1);
    close(own_input);
    close(own_output);
}

static void the_standard_streams_are_taken_once(void **state) {
    struct stat stat;

    (void)state;
    put_aside();
    const torc_err first = torc_stdio_open(reactor, &it.base),
                   again = torc_stdio_open(reactor, &it.base);
    const bool is_null = fstat(0, &stat) == 0 && S_ISCHR(stat.st_mode) && fstat(1, &stat) == 0 &&
                         S_ISCHR(stat.st_mode);
    put_back();
    check_ok(first);
    check_err(again, TORC_ERR_BUSY);
    assert_true(is_null);
    give("in");
    until(reactor, it.len == 2);
    torc_transport_write(it.base.transport, TORC_STR("out"));
    torc_transport_close(it.base.transport);
    check_taken("out");
    check_taken_end();
    until(reactor, it.losts);
}

static void an_endpoint_accepts_them_once(void **state) {
    torc_listener *listener = NULL, *other = NULL;
    torc_endpoint endpoint;

    (void)state;
    check_ok(torc_endpoint_parse(TORC_STR("stdio:"), &endpoint, NULL));
    put_aside();
    const torc_err err = torc_endpoint_listen(reactor, &endpoint, &it.factory, NULL, &listener);
    const int early = it.mades;
    for (int i = 0; i < 10; i++) torc_test_settle(reactor);
    const torc_err again = torc_endpoint_listen(reactor, &endpoint, &it.factory, NULL, &other);
    put_back();
    check_ok(err);
    check_err(again, TORC_ERR_BUSY);
    assert_int_equal(early, 0);
    assert_int_equal(it.mades, 1);
    assert_int_equal(torc_listener_connections(listener), 1);
    give("in");
    until(reactor, it.len == 2);
    torc_listener_close(listener);
    torc_test_settle(reactor);
    assert_int_equal(it.stops, 0); /* its connection goes on */
    torc_transport_write(it.base.transport, TORC_STR("out"));
    torc_transport_close(it.base.transport);
    check_taken("out");
    check_taken_end();
    until(reactor, it.losts);
    until(reactor, it.stops == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(a_protocol_speaks_over_pipes),
        BOTH(the_mode_of_pipes_stays),
        BOTH(or_is_set_back),
        BOTH(the_output_may_end_alone),
        BOTH(an_output_that_nobody_reads_is_a_loss),
        BOTH(pausing_holds_back),
        BOTH(marks_hold_for_pipes),
        BOTH(a_socket_for_both_is_one_connection),
        BOTH(a_terminal_is_read_by_lines),
        BOTH(files_are_read_and_written),
        BOTH(much_of_files_is_read_with_pauses),
        BOTH(a_full_disk_is_a_loss),
        BOTH(a_folder_is_no_input),
        BOTH(closing_waits_for_the_thread),
        BOTH(a_freed_reactor_is_a_loss),
        BOTH(what_is_closed_is_refused),
        BOTH(every_call_and_allocation_may_fail),
        BOTH(the_standard_streams_are_taken_once),
        BOTH(an_endpoint_accepts_them_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
