/* SPDX-License-Identifier: MIT */
/*
 * The filters of the PROXY header: what stands above sees the right addresses from the beginning,
 * and is never made for a peer that sends no header.
 */
#include <torc/proxy_header.h>

#include "staged.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V1 "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"
#define BYTES(literal) torc_str_make(literal, sizeof(literal) - 1)

static const torc_str v2_with_tlvs =
    TORC_STR_INIT(SIGNATURE "\x21\x11\0\x1e\xc0\0\x02\x01\xc6\x33\x64\x02\x12\x34\x01\xbb"
                            "\x02\0\x07"
                            "a.b.org"
                            "\x20\0\x05\x01\0\0\0\0");

static staged_connection *connect_with(const torc_proxy_header_options *options) {
    torc_filter_factory *factory;

    check_ok(torc_proxy_header_filter_new(staged.reactor, options, &factory));
    staged_add(factory);
    return staged_connect();
}

static void check_ends(staged_connection *it, const char *peer, const char *host) {
    const torc_addr of_peer = torc_transport_peer(staged_transport(it));
    const torc_addr of_host = torc_transport_host(staged_transport(it));
    char text[TORC_ADDR_TEXT_MAX];

    check_str_of(torc_addr_text(&of_peer, text), peer);
    check_str_of(torc_addr_text(&of_host, text), host);
}

static void the_header_tells_the_addresses(void **state) {
    staged_connection *it = connect_with(NULL);

    (void)state;
    assert_int_equal(it->probe.builds, 0);
    staged_say(it, V1 "hello");
    assert_int_equal(it->probe.mades, 1);
    check_got(&it->probe, "hello");
    check_ends(it, "192.0.2.1:56324", "198.51.100.2:443");
    staged_say(it, ", and more");
    check_got(&it->probe, "hello, and more");
    torc_transport_write(staged_transport(it), TORC_STR("answer"));
    staged_settle();
    assert_string_equal(staged_hear(it), "answer");
    const torc_link_info link = torc_transport_link_info(staged_transport(it));
    assert_non_null(link.proxy);
    assert_int_equal(link.proxy->version, 1);
    assert_false(link.is_secure);
}

static void a_header_comes_in_pieces(void **state) {
    staged_connection *it = connect_with(NULL);
    torc_str name = {0};

    (void)state;
    for (size_t i = 0; i < v2_with_tlvs.len; i++) {
        assert_int_equal(it->probe.builds, 0);
        staged_say_bytes(it, torc_str_make(v2_with_tlvs.bytes + i, 1));
    }
    assert_int_equal(it->probe.mades, 1);
    staged_say(it, "hello");
    check_got(&it->probe, "hello");
    const torc_link_info link = torc_transport_link_info(staged_transport(it));
    assert_true(link.is_secure);
    assert_true(torc_proxy_header_tlv(link.proxy, TORC_PROXY_TLV_AUTHORITY, &name));
    check_str(name, "a.b.org");
}

/* What follows the last piece is not lost, however much it is. */
static void much_may_follow_the_last_piece(void **state) {
    const torc_proxy_header_options options = {.size = sizeof(options), .header_bytes_max = 107};
    staged_connection *it = connect_with(&options);
    static char bytes[30000];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    staged_say(it, "PROX");
    memcpy(bytes, &V1[4], sizeof(V1) - 5);
    staged_say_bytes(it, torc_str_make(bytes, sizeof(bytes)));
    assert_int_equal(it->probe.len, sizeof(bytes) - (sizeof(V1) - 5));
    check_ends(it, "192.0.2.1:56324", "198.51.100.2:443");
}

static void extensions_stay(void **state) {
    staged_connection *it = connect_with(NULL);
    torc_str name = {0};

    (void)state;
    staged_say_bytes(it, v2_with_tlvs);
    staged_say(it, "hello");
    const torc_link_info link = torc_transport_link_info(staged_transport(it));
    assert_true(torc_proxy_header_tlv(link.proxy, TORC_PROXY_TLV_AUTHORITY, &name));
    check_str(name, "a.b.org");
}

static void a_proxy_that_speaks_for_itself_is_the_peer(void **state) {
    static const torc_str headers[] = {
        TORC_STR_INIT("PROXY UNKNOWN\r\n"),
        TORC_STR_INIT(SIGNATURE "\x20\0\0\0"),
        TORC_STR_INIT(SIGNATURE "\x21\0\0\0"),
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(headers); i++) {
        staged_connection *it = i ? staged_connect() : connect_with(NULL);
        staged_say_bytes(it, headers[i]);
        assert_int_equal(it->probe.mades, 1);
        const torc_addr peer = torc_transport_peer(staged_transport(it));
        assert_int_equal(torc_addr_family(&peer), AF_UNIX);
    }
}

static void what_is_no_header_is_refused(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        staged_connection *it = i ? staged_connect() : connect_with(NULL);
        staged_say(it, i == 1 ? "PROXY TCP4 x" : "GET / HTTP/1.1\r\n");
        if (i == 1) staged_say(it, "\r\n");
        assert_true(staged_has_ended(it));
        assert_int_equal(it->probe.builds, 0);
    }
    assert_true(staged_has_logged("what came is no PROXY header"));
    const ptrdiff_t first = torc_str_find(torc_buf_str(&staged.logged), TORC_STR("no PROXY"));
    const torc_str rest = torc_str_from(torc_buf_str(&staged.logged), (size_t)first + 1);
    assert_true(torc_str_find(rest, TORC_STR("no PROXY")) < 0); /* once a minute */
    torc_test_advance(staged.reactor, 60000);
    staged_connection *it = staged_connect();
    staged_say(it, "x");
    assert_true(staged_has_logged("\"not_logged\":2"));
}

static void one_that_is_too_long_is_refused(void **state) {
    const torc_proxy_header_options options = {.size = sizeof(options), .header_bytes_max = 40};
    staged_connection *it = connect_with(&options);

    (void)state;
    staged_say_bytes(it, v2_with_tlvs);
    assert_true(staged_has_ended(it));
    it = staged_connect();
    staged_say_bytes(it, torc_str_head(v2_with_tlvs, 20));
    assert_false(staged_has_ended(it));
    staged_say_bytes(it, torc_str_from(v2_with_tlvs, 20));
    assert_true(staged_has_ended(it));
    assert_int_equal(it->probe.builds, 0);
}

static void it_has_to_come_in_time(void **state) {
    staged_connection *it = connect_with(NULL);

    (void)state;
    staged_say(it, "PROXY");
    torc_test_advance(staged.reactor, 4999);
    assert_false(staged_has_ended(it));
    torc_test_advance(staged.reactor, 1);
    assert_true(staged_has_ended(it));
    assert_true(staged_has_logged("no PROXY header came in time"));
    it = staged_connect();
    staged_say(it, V1);
    torc_test_advance(staged.reactor, 100000);
    assert_int_equal(it->probe.losts, 0);
}

static void a_peer_may_go_before(void **state) {
    staged_connection *it = connect_with(NULL);

    (void)state;
    staged_say(it, "PROXY");
    shutdown(it->fd, SHUT_WR);
    staged_settle();
    assert_true(staged_has_ended(it));
    assert_int_equal(it->probe.builds, 0);
}

static void not_everybody_is_trusted(void **state) {
    torc_cidr trusted;
    const torc_proxy_header_options options = {
        .size = sizeof(options), .trusted = &trusted, .trusted_count = 1};

    (void)state;
    check_ok(torc_cidr_parse(TORC_STR("192.0.2.0/24"), &trusted));
    staged_connection *it = connect_with(&options);
    assert_true(staged_has_ended(it));
    check_err(staged.failure, TORC_ERR_PERMISSION);
    assert_true(staged_has_logged("not taken from this peer"));
    torc_filters_dispose(&staged.stages.filters);
    check_ok(torc_cidr_parse(TORC_STR("unix:"), &trusted));
    it = connect_with(&options);
    staged_say(it, V1);
    assert_int_equal(it->probe.mades, 1);
}

static void a_client_sends_one(void **state) {
    torc_proxy_header header = {.version = 1};
    torc_filter_factory *factory;

    (void)state;
    check_ok(torc_addr_parse(TORC_STR("192.0.2.1"), 56324, &header.source));
    check_ok(torc_addr_parse(TORC_STR("198.51.100.2"), 443, &header.destination));
    check_ok(torc_proxy_header_sender_new(staged.reactor, &header, &factory));
    staged_add(factory);
    staged_connection *it = staged_connect();
    torc_transport_write(staged_transport(it), TORC_STR("hello"));
    staged_settle();
    assert_string_equal(staged_hear(it), V1 "hello");
    staged_say(it, "answer");
    check_got(&it->probe, "answer");
    torc_filters_dispose(&staged.stages.filters);
    check_ok(torc_proxy_header_sender_new(staged.reactor, NULL, &factory));
    staged_add(factory);
    it = staged_connect();
    (void)staged_hear(it);
    assert_memory_equal(it->heard, SIGNATURE "\x20\0\0\0", 16);
}

static void what_cannot_be_sent_is_refused(void **state) {
    torc_proxy_header header = {.version = 2};
    torc_filter_factory *factory;

    (void)state;
    check_ok(torc_addr_parse(TORC_STR("192.0.2.1"), 1, &header.source));
    check_err(torc_proxy_header_sender_new(staged.reactor, &header, &factory), TORC_ERR_INVALID);
}

static void every_allocation_may_fail(void **state) {
    bool has_failed = true;

    (void)state;
    for (uint64_t n = 1; has_failed; n++) {
        torc_filter_factory *taker = NULL, *sender = NULL;
        const size_t before = staged.reactor->memory.used_total;

        assert_true(n < 200);
        torc_test_fail_allocation(staged.reactor, n);
        torc_err err = torc_proxy_header_filter_new(staged.reactor, NULL, &taker);
        if (!err) err = torc_proxy_header_sender_new(staged.reactor, NULL, &sender);
        if (!err) {
            staged_add(taker);
            staged_add(sender);
            staged_connection *it = staged_connect();
            if (it && !staged_has_ended(it)) staged_say_bytes(it, v2_with_tlvs);
            staged_end();
            torc_filters_dispose(&staged.stages.filters);
        } else {
            check_err(err, TORC_ERR_NO_MEMORY);
            torc_filter_factory_unref(taker);
        }
        has_failed = torc_test_allocation_failed(staged.reactor);
        torc_test_fail_allocation(staged.reactor, 0);
        torc_reactor_trim(staged.reactor);
        if (has_failed && err) assert_int_equal(staged.reactor->memory.used_total, before);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STAGED(the_header_tells_the_addresses),
        STAGED(a_header_comes_in_pieces),
        STAGED(much_may_follow_the_last_piece),
        STAGED(extensions_stay),
        STAGED(a_proxy_that_speaks_for_itself_is_the_peer),
        STAGED(what_is_no_header_is_refused),
        STAGED(one_that_is_too_long_is_refused),
        STAGED(it_has_to_come_in_time),
        STAGED(a_peer_may_go_before),
        STAGED(not_everybody_is_trusted),
        STAGED(a_client_sends_one),
        STAGED(what_cannot_be_sent_is_refused),
        STAGED(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
