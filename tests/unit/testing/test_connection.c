/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <torc/testing.h>
#include <torc/testing_transport.h>
#include <unistd.h>

#include "probe.h"
#include "reactor/reactor.h"

static torc_reactor *reactor;
static probe self;
static torc_test_connection *peer;

static int set_up(void **state) {
    (void)state;
    probe_init(&self);
    if (torc_test_reactor_new(NULL, &reactor)) return -1;
    peer = torc_test_connection_new(reactor, &self.factory);
    return peer ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    torc_test_connection_free(peer);
    torc_reactor_free(reactor);
    probe_dispose(&self);
    return 0;
}

static void settle(void) {
    torc_test_settle(reactor);
}

static void the_factory_makes_the_protocol_in_the_next_turn(void **state) {
    (void)state;
    assert_int_equal(self.builds, 0);
    check_ok(torc_reactor_turn(reactor, 0));
    assert_int_equal(self.builds, 1);
    assert_int_equal(self.mades, 1);
    assert_ptr_equal(torc_test_connection_transport(peer), self.base.transport);
}

static void a_factory_may_refuse(void **state) {
    (void)state;
    self.refuses = TORC_ERR_LIMIT;
    settle();
    assert_true(torc_test_connection_is_over(peer));
    assert_true(torc_test_connection_was_reset(peer));
    check_err(torc_test_connection_reason(peer), TORC_ERR_LIMIT);
    assert_null(torc_test_connection_transport(peer));
}

static void a_protocol_may_be_given(void **state) {
    probe other;
    torc_test_connection *given;

    (void)state;
    probe_init(&other);
    given = torc_test_connection_new_over(reactor, &other.base);
    settle();
    assert_int_equal(other.builds, 0);
    assert_int_equal(other.mades, 1);
    torc_test_connection_free(given);
    assert_int_equal(other.losts, 1);

    probe_dispose(&other);
    probe_init(&other);
    torc_test_connection_free(torc_test_connection_new_over(reactor, &other.base));
    assert_int_equal(other.losts, 1); /* it ends there, though no turn was made */
    probe_dispose(&other);
}

static void each_send_is_a_delivery(void **state) {
    (void)state;
    torc_test_connection_send(peer, TORC_STR("hello, "));
    torc_test_connection_send(peer, TORC_STR("world"));
    settle();
    assert_int_equal(self.receives, 2);
    check_got(&self, "hello, world");
    assert_int_equal(torc_test_connection_unread(peer), 0);
}

static void one_delivery_comes_a_turn(void **state) {
    (void)state;
    torc_test_connection_send(peer, TORC_STR("a"));
    torc_test_connection_send(peer, TORC_STR("b"));
    check_ok(torc_reactor_turn(reactor, 0));
    check_got(&self, "a");
    check_ok(torc_reactor_turn(reactor, 0));
    check_got(&self, "ab");
}

static void pieces_may_be_small(void **state) {
    (void)state;
    torc_test_connection_set_pieces(peer, 1);
    torc_test_connection_send(peer, TORC_STR("hello"));
    settle();
    assert_int_equal(self.receives, 5);
    check_got(&self, "hello");
}

static void what_is_not_consumed_is_given_again(void **state) {
    (void)state;
    self.take = 3;
    torc_test_connection_send(peer, TORC_STR("hello"));
    settle();
    check_got(&self, "hel");
    assert_int_equal(torc_test_connection_unread(peer), 2);
    assert_false(torc_test_connection_is_receiving(peer));
    torc_transport_resume(self.base.transport);
    settle();
    check_got(&self, "hello");
    assert_true(torc_test_connection_is_receiving(peer));
}

static void what_is_written_is_recorded_once_a_turn(void **state) {
    (void)state;
    settle();
    torc_transport_write(self.base.transport, TORC_STR("one "));
    torc_transport_write(self.base.transport, TORC_STR("two"));
    check_str(torc_test_connection_written(peer), "");
    settle();
    check_str(torc_test_connection_written(peer), "one two");
    assert_int_equal(torc_test_connection_send_count(peer), 1);
    torc_test_connection_clear(peer);
    check_str(torc_test_connection_written(peer), "");
}

static void a_slow_peer_holds_back(void **state) {
    (void)state;
    settle();
    torc_test_connection_hold_back(peer);
    torc_transport_write(self.base.transport, TORC_STR("hello"));
    settle();
    check_str(torc_test_connection_written(peer), "");
    torc_test_connection_take(peer, 2);
    settle();
    check_str(torc_test_connection_written(peer), "he");
    assert_int_equal(torc_transport_unsent(self.base.transport), 3);
    torc_test_connection_take(peer, SIZE_MAX);
    settle();
    check_str(torc_test_connection_written(peer), "hello");
}

static int open_file(const char *text) {
    const int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

static void ranges_of_files_are_read(void **state) {
    (void)state;
    settle();
    torc_transport_write(self.base.transport, TORC_STR("<"));
    torc_transport_write_file(self.base.transport, open_file("0123456789"), 2, 5);
    torc_transport_write(self.base.transport, TORC_STR(">"));
    settle();
    check_str(torc_test_connection_written(peer), "<23456>");
    assert_int_equal(torc_test_connection_file_bytes(peer), 5);
}

static void a_file_that_is_too_short_breaks_the_connection(void **state) {
    (void)state;
    settle();
    torc_transport_write_file(self.base.transport, open_file("0123456789"), 2, 9);
    settle();
    check_err(self.reason, TORC_ERR_TRUNCATED);
    assert_false(torc_test_connection_has_ended(peer));
}

static void the_end_comes_after_the_bytes(void **state) {
    (void)state;
    torc_test_connection_send(peer, TORC_STR("hello"));
    torc_test_connection_send_end(peer);
    settle();
    check_got(&self, "hello");
    assert_int_equal(self.ends, 1);
    assert_int_equal(self.input_ends, 1);
    assert_int_equal(self.losts, 0);
    torc_transport_close(self.base.transport);
    settle();
    assert_true(torc_test_connection_has_ended(peer));
    assert_false(torc_test_connection_was_reset(peer));
    check_err(self.reason, TORC_ERR_CLOSED);
}

static void the_end_is_seen_while_paused(void **state) {
    (void)state;
    settle();
    torc_transport_pause(self.base.transport);
    torc_test_connection_send(peer, TORC_STR("hello"));
    torc_test_connection_send_end(peer);
    settle();
    assert_int_equal(self.ends, 1);
    assert_int_equal(self.input_ends, 0);
    assert_int_equal(self.len, 0);
    torc_transport_resume(self.base.transport);
    settle();
    check_got(&self, "hello");
    assert_int_equal(self.input_ends, 1);
}

static void a_reset_is_the_loss(void **state) {
    (void)state;
    torc_test_connection_send(peer, TORC_STR("hello"));
    torc_test_connection_reset(peer);
    settle();
    check_got(&self, "hello");
    assert_int_equal(self.losts, 1);
    check_err(self.reason, TORC_ERR_RESET);
    check_err(torc_test_connection_reason(peer), TORC_ERR_RESET);
}

static void who_is_joined_holds_the_other_back(void **state) {
    static char bytes[100000];
    torc_test_connection *joined;
    probe other;

    (void)state;
    probe_init(&other);
    joined = torc_test_connection_new(reactor, &other.factory);
    torc_test_connection_join(peer, joined);
    settle();
    torc_transport_pause(other.base.transport);
    torc_transport_write(self.base.transport, torc_str_make(bytes, sizeof(bytes)));
    settle();
    assert_int_equal(torc_test_connection_unread(joined), 32768);
    assert_int_equal(torc_transport_unsent(self.base.transport), sizeof(bytes) - 32768);
    assert_int_equal(self.drains, 0);
    torc_transport_resume(other.base.transport);
    settle();
    assert_int_equal(other.len, sizeof(bytes));
    assert_int_equal(self.drains, 1);
    torc_test_connection_free(joined);
    probe_dispose(&other);
}

static void two_may_be_joined(void **state) {
    probe other;
    torc_test_connection *joined;

    (void)state;
    probe_init(&other);
    joined = torc_test_connection_new(reactor, &other.factory);
    torc_test_connection_join(peer, joined);
    settle();
    torc_transport_write(self.base.transport, TORC_STR("ping"));
    torc_transport_write(other.base.transport, TORC_STR("pong"));
    torc_transport_close_write(self.base.transport);
    settle();
    check_got(&other, "ping");
    check_got(&self, "pong");
    assert_int_equal(other.input_ends, 1);
    torc_transport_abort(other.base.transport);
    settle();
    check_err(other.reason, TORC_ERR_ABORTED);
    check_err(self.reason, TORC_ERR_RESET);
    torc_test_connection_free(joined);
    probe_dispose(&other);
}

static void addresses_are_the_tests(void **state) {
    torc_addr host, client;
    char text[TORC_ADDR_TEXT_MAX];

    (void)state;
    settle();
    assert_int_equal(torc_transport_peer(self.base.transport).len, 0);
    check_ok(torc_addr_parse(TORC_STR("192.0.2.1"), 80, &host));
    check_ok(torc_addr_parse(TORC_STR("2001:db8::1"), 12345, &client));
    torc_test_connection_set_addrs(peer, &client, &host);
    torc_addr told = torc_transport_peer(self.base.transport);
    check_str(torc_addr_text(&told, text), "[2001:db8::1]:12345");
    told = torc_transport_host(self.base.transport);
    check_str(torc_addr_text(&told, text), "192.0.2.1:80");
}

static char pattern(size_t i) {
    return (char)('a' + i * 7 % 23);
}

/* Many bytes both ways through the scrambler, with every seed the same bytes. */
static void scrambled_bytes_are_the_same(void **state) {
    enum {
        LEN = 70000
    };
    char *bytes = malloc(LEN);

    (void)state;
    for (size_t i = 0; i < LEN; i++) bytes[i] = pattern(i);
    for (uint64_t seed = 0; seed < 20; seed++) {
        probe other;
        probe_init(&other);
        torc_test_connection *scrambled = torc_test_connection_new(reactor, &other.factory);
        check_ok(torc_test_connection_scramble(scrambled, seed));
        if (seed % 2) check_ok(torc_test_connection_scramble(scrambled, seed + 1000));
        torc_test_connection_send(scrambled, torc_str_make(bytes, LEN));
        torc_test_connection_send_end(scrambled);
        check_ok(torc_reactor_turn(reactor, 0));
        torc_transport_write(other.base.transport, torc_str_make(bytes, LEN));
        torc_transport_write_file(other.base.transport, open_file("0123456789"), 2, 5);
        torc_transport_close_write(other.base.transport);
        for (int i = 0; i < 100 && !torc_test_connection_has_ended(scrambled); i++) settle();
        torc_test_finish_jobs(reactor);
        for (int i = 0; i < 100 && !torc_test_connection_has_ended(scrambled); i++) settle();
        assert_int_equal(other.len, LEN);
        assert_memory_equal(other.got, bytes, LEN);
        assert_true(other.receives > 2);
        assert_int_equal(other.input_ends, 1);
        assert_int_equal(torc_test_connection_file_bytes(scrambled), 0);
        const torc_str written = torc_test_connection_written(scrambled);
        assert_int_equal(written.len, LEN + 5);
        assert_memory_equal(written.bytes, bytes, LEN);
        check_str(torc_str_from(written, LEN), "23456");
        torc_test_connection_free(scrambled);
        check_err(other.reason, TORC_ERR_LOST);
        probe_dispose(&other);
    }
    free(bytes);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_factory_makes_the_protocol_in_the_next_turn),
        TEST(a_factory_may_refuse),
        TEST(a_protocol_may_be_given),
        TEST(each_send_is_a_delivery),
        TEST(one_delivery_comes_a_turn),
        TEST(pieces_may_be_small),
        TEST(what_is_not_consumed_is_given_again),
        TEST(what_is_written_is_recorded_once_a_turn),
        TEST(a_slow_peer_holds_back),
        TEST(ranges_of_files_are_read),
        TEST(a_file_that_is_too_short_breaks_the_connection),
        TEST(the_end_comes_after_the_bytes),
        TEST(the_end_is_seen_while_paused),
        TEST(a_reset_is_the_loss),
        TEST(two_may_be_joined),
        TEST(who_is_joined_holds_the_other_back),
        TEST(addresses_are_the_tests),
        TEST(scrambled_bytes_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
