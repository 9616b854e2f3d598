/* SPDX-License-Identifier: MIT */
/*
 * TLS in memory, as servers and clients: what is agreed, what passes, and how it ends.
 */
#include "kernel.h"
#include "tls_pair.h"

/* ---- each way of passing bytes ---- */

typedef void pair_case_fn(tls_pair *self);

/* Over what splits, delays and holds back; with both versions. */
static void each(pair_case_fn *run) {
    static const tls_like ways[] = {
        {.host = NULL},
        {.pieces = 1},
        {.scrambled = 7},
        {.is_late = true},
        {.is_late = true, .scrambled = 42},
        {.client.preset = TORC_TLS_STRICT, .pieces = 100},
    };

    for (size_t i = 0; i < TORC_COUNT_OF(ways); i++) {
        tls_pair self;
        pair_open(&self, &ways[i]);
        torc_test_settle(self.reactor);
        run(&self);
        pair_close(&self);
    }
}

#define EACH_TEST(name)                                                                            \
    static void name##_each_way(void **state) {                                                    \
        (void)state;                                                                               \
        each(name);                                                                                \
    }

static void write_to(tls_end *end, torc_str bytes) {
    torc_transport_write(end->probe.base.transport, bytes);
}

static void both_are_secure(tls_pair *self) {
    assert_true(pair_is_secure(self));
    check_str(pair_link(&self->server).tls->version, "TLSv1.3");
    check_str(pair_link(&self->client).tls->cipher, "TLS_AES_128_GCM_SHA256");
    check_str(pair_link(&self->server).tls->server_name, "a.example");
    check_str(pair_link(&self->client).tls->peer_name, "CN=a.example");
    assert_true(pair_link(&self->client).tls->peer_certificate.len > 100);
    assert_int_equal(pair_link(&self->server).tls->peer_name.len, 0);
    assert_true(pair_link(&self->server).is_secure);
    assert_true(pair_link(&self->client).is_secure);
}
EACH_TEST(both_are_secure)

static void bytes_pass_both_ways(tls_pair *self) {
    write_to(&self->client, TORC_STR("hello"));
    torc_test_settle(self->reactor);
    check_got(&self->server.probe, "hello");
    write_to(&self->server, TORC_STR("hi "));
    write_to(&self->server, TORC_STR("there"));
    torc_test_settle(self->reactor);
    check_got(&self->client.probe, "hi there");
    assert_true(torc_str_find(torc_test_connection_written(self->client.connection),
                              TORC_STR("hello")) < 0);
}
EACH_TEST(bytes_pass_both_ways)

static void a_clean_end_is_told_as_one(tls_pair *self) {
    write_to(&self->client, TORC_STR("bye"));
    torc_transport_close(self->client.probe.base.transport);
    torc_test_settle(self->reactor);
    check_got(&self->server.probe, "bye");
    assert_int_equal(self->server.probe.ends, 1);
    assert_int_equal(self->server.probe.input_ends, 1);
    assert_int_equal(self->client.probe.losts, 1);
    check_err(self->client.probe.reason, TORC_ERR_CLOSED);
    torc_transport_close(self->server.probe.base.transport);
    torc_test_settle(self->reactor);
    check_err(self->server.probe.reason, TORC_ERR_CLOSED);
}
EACH_TEST(a_clean_end_is_told_as_one)

static void one_side_may_end_before_the_other(tls_pair *self) {
    torc_transport_close_write(self->client.probe.base.transport);
    torc_test_settle(self->reactor);
    assert_int_equal(self->server.probe.input_ends, 1);
    write_to(&self->server, TORC_STR("late"));
    torc_test_settle(self->reactor);
    check_got(&self->client.probe, "late");
    torc_transport_close(self->server.probe.base.transport);
    torc_test_settle(self->reactor);
    assert_int_equal(self->client.probe.input_ends, 1);
}
EACH_TEST(one_side_may_end_before_the_other)

/* ---- how much is held, and how it leaves ---- */

enum {
    MANY = 300000
};

static char many[MANY];

static void check_many(const probe *got) {
    assert_int_equal(got->len, MANY);
    for (size_t i = 0; i < MANY; i++)
        if (got->got[i] != many[i]) fail();
}

/* The scrambler takes more turns for it than are made at once. */
static void settle_until(tls_pair *self, const probe *got) {
    for (int i = 0; i < 50 && got->len < MANY; i++) torc_test_settle(self->reactor);
}

static void much_passes_both_ways(tls_pair *self) {
    for (size_t i = 0; i < MANY; i++) many[i] = (char)(i * 7 + i / 1000);
    torc_test_connection_set_pieces(self->server.connection, 0);
    torc_test_connection_set_pieces(self->client.connection, 0);
    write_to(&self->client, torc_str_make(many, MANY));
    write_to(&self->server, torc_str_make(many, MANY));
    settle_until(self, &self->client.probe);
    settle_until(self, &self->server.probe);
    check_many(&self->client.probe);
    check_many(&self->server.probe);
}
EACH_TEST(much_passes_both_ways)

static void a_reader_that_pauses_holds_the_writer_back(tls_pair *self) {
    torc_transport *server = self->server.probe.base.transport;

    torc_test_connection_set_pieces(self->server.connection, 0);
    torc_transport_pause(server);
    write_to(&self->client, torc_str_make(many, MANY));
    torc_test_settle(self->reactor);
    assert_true(self->server.probe.len < 100000);
    assert_true(torc_transport_unsent(self->client.probe.base.transport) > MANY / 2);
    assert_true(self->reactor->memory.used[TORC_MEMORY_INPUT] < 200000);
    torc_transport_resume(server);
    settle_until(self, &self->server.probe);
    check_many(&self->server.probe);
}
EACH_TEST(a_reader_that_pauses_holds_the_writer_back)

static void a_reader_that_takes_little_gets_all(tls_pair *self) {
    self->server.probe.take = 3;
    write_to(&self->client, TORC_STR("abcdefgh"));
    for (int i = 0; i < 4; i++) {
        torc_test_settle(self->reactor);
        torc_transport_resume(self->server.probe.base.transport);
    }
    torc_test_settle(self->reactor);
    check_got(&self->server.probe, "abcdefgh");
}
EACH_TEST(a_reader_that_takes_little_gets_all)

/* The records of application data in what was written, and the longest. */
static size_t count_records(torc_str wire, size_t *longest) {
    size_t count = 0;

    *longest = 0;
    while (wire.len >= 5) {
        const unsigned char *head = (const unsigned char *)wire.bytes;
        const size_t len = (size_t)head[3] << 8 | head[4];
        if (head[0] == 23) count++;
        if (len > *longest) *longest = len;
        wire = torc_str_from(wire, 5 + len);
    }
    assert_int_equal(wire.len, 0);
    return count;
}

static void what_is_written_in_a_turn_is_gathered_into_records(void **state) {
    const int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    tls_pair self;
    size_t longest;

    (void)state;
    pair_open(&self, &(tls_like){.host = NULL});
    torc_test_settle(self.reactor);
    torc_test_connection_clear(self.server.connection);
    const uint32_t sends = torc_test_connection_send_count(self.server.connection);
    for (int i = 0; i < 100; i++) write_to(&self.server, TORC_STR("0123456789"));
    assert_int_equal(write(fd, many, 1000), 1000);
    if (!kernel_reads_at_once(fd)) {
        close(fd);
        pair_close(&self);
        skip_test("a thread reads the file, and that is another turn");
    }
    torc_transport_write_file(self.server.probe.base.transport, fd, 0, 1000);
    torc_test_settle(self.reactor);
    assert_int_equal(self.client.probe.len, 2000);
    assert_int_equal(count_records(torc_test_connection_written(self.server.connection), &longest),
                     1);
    assert_int_equal(torc_test_connection_send_count(self.server.connection) - sends, 1);
    torc_test_connection_clear(self.server.connection);
    write_to(&self.server, torc_str_make(many, 16384 + 16384 * 3)); /* the first are small */
    torc_test_settle(self.reactor);
    assert_int_equal(count_records(torc_test_connection_written(self.server.connection), &longest),
                     4 + 3);
    assert_in_range(longest, 16384, 16384 + 256);
    pair_close(&self);
}

static void idle_connections_have_little(void **state) {
    tls_pair self;

    (void)state;
    pair_open(&self, &(tls_like){.host = NULL});
    torc_test_settle(self.reactor);
    const size_t idle = self.reactor->memory.used[TORC_MEMORY_TLS];
    const size_t input = self.reactor->memory.used[TORC_MEMORY_INPUT];
    write_to(&self.client, torc_str_make(many, 100000));
    torc_test_settle(self.reactor);
    assert_int_equal(self.reactor->memory.used[TORC_MEMORY_TLS], idle);
    assert_int_equal(self.reactor->memory.used[TORC_MEMORY_INPUT], input);
    pair_close(&self);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_are_secure_each_way),
        cmocka_unit_test(bytes_pass_both_ways_each_way),
        cmocka_unit_test(a_clean_end_is_told_as_one_each_way),
        cmocka_unit_test(one_side_may_end_before_the_other_each_way),
        cmocka_unit_test(much_passes_both_ways_each_way),
        cmocka_unit_test(a_reader_that_pauses_holds_the_writer_back_each_way),
        cmocka_unit_test(a_reader_that_takes_little_gets_all_each_way),
        cmocka_unit_test(what_is_written_in_a_turn_is_gathered_into_records),
        cmocka_unit_test(idle_connections_have_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
