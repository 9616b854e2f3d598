/* SPDX-License-Identifier: MIT */
/*
 * TLS in memory, as servers and clients: what is agreed, what passes, and how it ends.
 */
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_are_secure_each_way),
        cmocka_unit_test(bytes_pass_both_ways_each_way),
        cmocka_unit_test(a_clean_end_is_told_as_one_each_way),
        cmocka_unit_test(one_side_may_end_before_the_other_each_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
