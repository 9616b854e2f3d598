/* SPDX-License-Identifier: MIT */
#include "reactor/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <torc/testing.h>
#include <unistd.h>

#include "check.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static torc_io io;
static torc_chain chain;
static int other;

/* An io that no poller knows: what is tested here asks none. */
static int set_up(void **state) {
    int ends[2];

    (void)state;
    if (torc_test_reactor_new(NULL, &reactor)) return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends)) return -1;
    torc_chain_init(&chain, &reactor->chains);
    io = (torc_io){.reactor = reactor,
                   .fd = ends[0],
                   .kind = TORC_IO_STREAM,
                   .family = AF_UNIX,
                   .sending = &chain};
    other = ends[1];
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_chain_clear(&chain);
    torc_reactor_free(reactor);
    close(io.fd);
    close(other);
    return 0;
}

static void check_arrived(const char *expected) {
    char bytes[200];
    const ssize_t len = read(other, bytes, sizeof(bytes));

    assert_int_equal(len, strlen(expected));
    assert_memory_equal(bytes, expected, strlen(expected));
}

static void add_chunk(const char *text) {
    torc_chunk *chunk = torc_chunk_copy(&reactor->memory, torc_str_of(text));

    assert_non_null(chunk);
    check_ok(torc_chain_add_chunk(&chain, chunk, 0, chunk->len));
    torc_chunk_unref(chunk);
}

static void add_file(const char *text, size_t offset, size_t len) {
    const int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    torc_shared_file *file = torc_shared_file_new(&reactor->memory, fd);

    assert_non_null(file);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    check_ok(torc_chain_add_file(&chain, file, offset, len));
    torc_shared_file_unref(file);
}

static ssize_t send_some(size_t max) {
    io.sending_len = (uint32_t)chain.len;
    return torc_socket_send(&io, max);
}

static void pieces_leave_in_one_call(void **state) {
    (void)state;
    add_chunk("one ");
    add_chunk("two ");
    add_chunk("three");
    assert_int_equal(send_some(SIZE_MAX), 13);
    check_arrived("one two three");
    assert_int_equal(chain.len, 13); /* consumed by who told of it */
    assert_int_equal(send_some(6), 6);
    check_arrived("one tw");
}

static void a_single_piece_does_too(void **state) {
    (void)state;
    check_ok(torc_chain_add_bytes(&chain, TORC_STR("hello")));
    assert_int_equal(send_some(3), 3);
    check_arrived("hel");
}

static void a_range_of_a_file_is_a_call_of_its_own(void **state) {
    (void)state;
    add_chunk("<");
    add_file("0123456789", 2, 5);
    add_chunk(">");
    for (const char *const *expected = (const char *const[]){"<", "23456", ">", NULL}; *expected;
         expected++) {
        const ssize_t sent = send_some(SIZE_MAX);
        assert_int_equal(sent, strlen(*expected));
        check_arrived(*expected);
        torc_chain_consume(&chain, (size_t)sent);
    }
    assert_int_equal(chain.len, 0);
}

static void a_range_may_be_sent_in_parts(void **state) {
    (void)state;
    add_file("0123456789", 2, 8);
    assert_int_equal(send_some(3), 3);
    check_arrived("234");
    torc_chain_consume(&chain, 3);
    assert_int_equal(send_some(SIZE_MAX), 5);
    check_arrived("56789");
}

/* As this one of procfs, on most kernels. */
static void a_file_that_takes_no_sendfile_is_copied(void **state) {
    const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    torc_shared_file *file = torc_shared_file_new(&reactor->memory, fd);
    char text[200] = "";

    (void)state;
    assert_non_null(file);
    assert_true(pread(fd, text, 30, 0) > 1);
    const size_t len = strlen(text);
    check_ok(torc_chain_add_file(&chain, file, 1, 100000));
    torc_shared_file_unref(file);
    assert_int_equal(send_some(len - 1), len - 1);
    check_arrived(text + 1);
    torc_chain_consume(&chain, len - 1);
    while (chain.len > 0) {
        const ssize_t sent = send_some(SIZE_MAX);
        if (sent < 0) break;
        torc_chain_consume(&chain, (size_t)sent);
    }
    assert_int_equal(errno, ENODATA); /* it is not as long as that */
}

static void a_file_that_is_shorter_has_no_data(void **state) {
    (void)state;
    add_file("0123", 4, 5);
    assert_int_equal(send_some(SIZE_MAX), -1);
    assert_int_equal(errno, ENODATA);
    check_err(torc_socket_send_err(errno), TORC_ERR_TRUNCATED);
}

static void what_was_reserved_only_is_passed_over(void **state) {
    (void)state;
    add_chunk("a");
    torc_chain_consume(&chain, 1);
    check_ok(torc_chain_add_bytes(&chain, TORC_STR("b")));
    assert_int_equal(send_some(SIZE_MAX), 1);
    check_arrived("b");
}

static void a_peer_that_is_gone_is_an_error_and_no_signal(void **state) {
    (void)state;
    close(other);
    other = -1;
    add_chunk("hello");
    assert_int_equal(send_some(SIZE_MAX), -1);
    assert_int_equal(errno, EPIPE);
    check_err(torc_socket_send_err(errno), torc_err_from_errno(EPIPE));
    torc_chain_clear(&chain);
    add_file("hello", 0, 5); /* sendfile has no flag against it: the mask is what helps */
    assert_int_equal(send_some(SIZE_MAX), -1);
    assert_int_equal(errno, EPIPE);
}

static void more_pieces_than_a_call_takes_go_in_the_next(void **state) {
    size_t total = 0;

    (void)state;
    for (int i = 0; i < 100; i++) add_chunk("x");
    for (int calls = 0; chain.len > 0; calls++) {
        const ssize_t sent = send_some(SIZE_MAX);
        assert_true(sent > 0 && calls < 3);
        torc_chain_consume(&chain, (size_t)sent);
        total += (size_t)sent;
    }
    assert_int_equal(total, 100);
}

static void a_full_socket_is_told_from_a_broken_one(void **state) {
    (void)state;
    assert_true(torc_socket_is_full(EAGAIN));
    assert_true(torc_socket_is_full(EWOULDBLOCK));
    assert_false(torc_socket_is_full(EPIPE));
    assert_false(torc_socket_is_full(EINTR));
}

static void the_kernels_error_is_taken_once(void **state) {
    (void)state;
    check_ok(torc_socket_take_err(io.fd));
    assert_int_equal(write(io.fd, "x", 1), 1);
    close(other); /* with a byte unread: a reset, on a UNIX socket */
    check_err(torc_socket_take_err(io.fd), TORC_ERR_RESET);
    check_ok(torc_socket_take_err(io.fd));
    assert_true(torc_socket_take_err(-1) != TORC_OK);
    other = -1;
}

static void accepts_fail_in_four_ways(void **state) {
    static const int next[] = {EINTR,       ECONNABORTED, EPROTO, EPERM,        ENETDOWN,
                               ENOPROTOOPT, EHOSTDOWN,    ENONET, EHOSTUNREACH, ENETUNREACH};

    (void)state;
    assert_int_equal(torc_socket_accept_failure(EAGAIN), TORC_ACCEPT_NOBODY);
    for (size_t i = 0; i < TORC_COUNT_OF(next); i++)
        assert_int_equal(torc_socket_accept_failure(next[i]), TORC_ACCEPT_NEXT);
    assert_int_equal(torc_socket_accept_failure(EMFILE), TORC_ACCEPT_FULL);
    assert_int_equal(torc_socket_accept_failure(ENFILE), TORC_ACCEPT_FULL);
    assert_int_equal(torc_socket_accept_failure(ENOMEM), TORC_ACCEPT_FAILED);
    assert_int_equal(torc_socket_accept_failure(EBADF), TORC_ACCEPT_FAILED);
}

/* Who waits learns that there is no descriptor, and the spare one is there again. */
static void who_waits_is_refused_by_a_close(void **state) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    const int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(addr);
    int spare = torc_socket_open_spare();
    char byte;

    (void)state;
    assert_true(spare >= 0);
    assert_int_equal(bind(listening, (struct sockaddr *)(void *)&addr, sizeof(sa_family_t)),
                     0); /* a name of the kernel's */
    assert_int_equal(listen(listening, 5), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)(void *)&addr, &len), 0);
    assert_int_equal(connect(client, (struct sockaddr *)(void *)&addr, len), 0);
    torc_socket_refuse(listening, &spare);
    assert_true(spare >= 0);
    assert_int_equal(read(client, &byte, 1), 0);
    torc_socket_refuse(listening, &spare); /* nobody waits */
    assert_true(spare >= 0);
    close(spare);
    close(client);
    close(listening);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(pieces_leave_in_one_call),
        TEST(a_single_piece_does_too),
        TEST(a_range_of_a_file_is_a_call_of_its_own),
        TEST(a_range_may_be_sent_in_parts),
        TEST(a_file_that_takes_no_sendfile_is_copied),
        TEST(a_file_that_is_shorter_has_no_data),
        TEST(what_was_reserved_only_is_passed_over),
        TEST(a_peer_that_is_gone_is_an_error_and_no_signal),
        TEST(more_pieces_than_a_call_takes_go_in_the_next),
        TEST(a_full_socket_is_told_from_a_broken_one),
        TEST(the_kernels_error_is_taken_once),
        TEST(accepts_fail_in_four_ways),
        TEST(who_waits_is_refused_by_a_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
