/* SPDX-License-Identifier: MIT */
/*
 * Policies: limits of connections, throttling, idle timeouts, traffic logs. Addresses are told by
 * PROXY headers, since the connections are pairs of UNIX sockets.
 */
#include <stdio.h>
#include <torc/policy.h>
#include <torc/proxy_header.h>

#include "staged.h"
#include "transport/accounts.h"

/* ---- accounts ---- */

static torc_addr addr_of(const char *text) {
    torc_addr addr;

    check_ok(torc_addr_parse(torc_str_of(text), 1, &addr));
    return addr;
}

static torc_account *use(torc_accounts *accounts, const char *text, uint64_t now_ms) {
    const torc_addr addr = addr_of(text);
    torc_account *account = NULL;

    return torc_accounts_use(accounts, &addr, now_ms, &account) ? NULL : account;
}

static void an_account_is_an_addresss(void **state) {
    static const torc_addr none = {0};
    torc_accounts accounts;
    torc_account *account;

    (void)state;
    torc_accounts_init(&accounts, NULL, sizeof(torc_account), 10);
    account = use(&accounts, "192.0.2.1", 0);
    assert_ptr_equal(use(&accounts, "::ffff:192.0.2.1", 0), account);
    assert_int_equal(account->users, 2);
    assert_ptr_not_equal(use(&accounts, "192.0.2.2", 0), account);
    account = use(&accounts, "2001:db8:1:2:3::", 0);
    assert_ptr_equal(use(&accounts, "2001:db8:1:2:ffff::1", 0), account);
    assert_ptr_not_equal(use(&accounts, "2001:db8:1:3::", 0), account);
    check_ok(torc_accounts_use(&accounts, &none, 0, &account));
    assert_null(account);
    torc_accounts_let_go(&accounts, NULL);
    torc_accounts_dispose(&accounts);
}

static bool may_forget;

static bool can_forget(torc_account *account, void *context) {
    assert_non_null(account);
    assert_null(context);
    return may_forget;
}

static void there_are_so_many_accounts(void **state) {
    torc_accounts accounts;
    torc_account *of[40];
    char text[32];

    (void)state;
    may_forget = false;
    torc_accounts_init(&accounts, NULL, sizeof(torc_account), 40);
    accounts.can_forget = can_forget;
    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof(text), "192.0.2.%d", i);
        of[i] = use(&accounts, text, 0);
        assert_non_null(of[i]);
    }
    assert_null(use(&accounts, "192.0.2.200", 5));
    for (int i = 0; i < 30; i++) torc_accounts_let_go(&accounts, of[i]);
    may_forget = true;
    assert_null(use(&accounts, "192.0.2.200", 1004)); /* looked at once a second */
    assert_non_null(use(&accounts, "192.0.2.200", 1005));
    assert_int_equal(torc_map_count(&accounts.map), 11);
    torc_accounts_let_go(&accounts, of[39]); /* forgotten at once */
    assert_int_equal(torc_map_count(&accounts.map), 10);
    torc_accounts_dispose(&accounts);
}

/* ---- connections of a policy ---- */

static void add_proxy_headers(void) {
    torc_filter_factory *factory;

    check_ok(torc_proxy_header_filter_new(staged.reactor, NULL, &factory));
    staged_add(factory);
}

static staged_connection *connect_from(const char *address) {
    staged_connection *it = staged_connect();
    char header[128];

    snprintf(header, sizeof(header), "PROXY %s %s %s 1 2\r\n",
             strchr(address, ':') ? "TCP6" : "TCP4", address, address);
    staged_say(it, header);
    return it;
}

static void limit(const torc_connection_limit_options *options) {
    torc_filter_factory *factory;

    check_ok(torc_connection_limit_new(staged.reactor, options, &factory));
    staged_add(factory);
}

static bool is_there(const staged_connection *it) {
    return it->probe.mades > it->probe.losts;
}

static void leave(staged_connection *it) {
    torc_transport_close(staged_transport(it));
    staged_settle();
}

static void connections_are_limited_together(void **state) {
    const torc_connection_limit_options options = {.size = sizeof(options), .connections_max = 2};

    (void)state;
    limit(&options);
    staged_connection *one = staged_connect(), *two = staged_connect();
    assert_true(is_there(one) && is_there(two));
    staged_connection *three = staged_connect();
    assert_true(staged_has_ended(three));
    assert_int_equal(three->probe.builds, 0);
    assert_true(staged_has_logged("too many connections"));
    leave(one);
    assert_true(is_there(staged_connect()));
    staged_say(two, "hello");
    check_got(&two->probe, "hello");
}

static void connections_of_an_address_are_limited(void **state) {
    const torc_connection_limit_options options = {.size = sizeof(options),
                                                   .connections_per_address_max = 1};

    (void)state;
    add_proxy_headers();
    limit(&options);
    staged_connection *one = connect_from("2001:db8::1");
    assert_true(is_there(one));
    assert_true(staged_has_ended(connect_from("2001:db8::2"))); /* of the same /64 */
    assert_true(is_there(connect_from("2001:db8:0:1::1")));
    assert_true(is_there(connect_from("192.0.2.1")));
    leave(one);
    assert_true(is_there(connect_from("2001:db8::2")));
    assert_true(staged_has_logged("too many connections of one address"));
}

static void new_connections_of_an_address_are_limited(void **state) {
    const torc_connection_limit_options options = {
        .size = sizeof(options), .opened_per_second_max = 1, .opened_at_once_max = 2};

    (void)state;
    add_proxy_headers();
    limit(&options);
    leave(connect_from("192.0.2.1"));
    leave(connect_from("192.0.2.1"));
    assert_true(staged_has_ended(connect_from("192.0.2.1")));
    assert_true(is_there(connect_from("192.0.2.2")));
    torc_test_advance(staged.reactor, 1000);
    assert_true(is_there(connect_from("192.0.2.1")));
    assert_true(staged_has_ended(connect_from("192.0.2.1")));
    assert_true(staged_has_logged("come too fast"));
}

static void addresses_are_remembered_up_to_a_limit(void **state) {
    const torc_connection_limit_options options = {
        .size = sizeof(options), .opened_per_second_max = 1, .addresses_max = 2};

    (void)state;
    add_proxy_headers();
    limit(&options);
    leave(connect_from("192.0.2.1"));
    leave(connect_from("192.0.2.2"));
    assert_true(staged_has_ended(connect_from("192.0.2.3")));
    assert_true(staged_has_logged("too many addresses"));
    torc_test_advance(staged.reactor, 1000);
    assert_true(is_there(connect_from("192.0.2.3")));
}

/* ---- throttling ---- */

static void throttle(const torc_throttle_options *options) {
    torc_filter_factory *factory;

    check_ok(torc_throttle_new(staged.reactor, options, &factory));
    staged_add(factory);
}

static size_t heard_len(staged_connection *it) {
    size_t len = 0;
    ssize_t part;
    char bytes[8192];

    while ((part = read(it->fd, bytes, sizeof(bytes))) > 0) len += (size_t)part;
    return len;
}

static char much[20000];

static void receiving_waits(void **state) {
    const torc_throttle_options options = {.size = sizeof(options),
                                           .received_per_connection_max = 1000};

    (void)state;
    throttle(&options);
    staged_connection *it = staged_connect();
    staged_say_bytes(it, torc_str_make(much, 3500));
    assert_int_equal(it->probe.len, 1000); /* the burst */
    torc_test_advance(staged.reactor, 999);
    assert_true(it->probe.len >= 1000 && it->probe.len < 2010);
    torc_test_advance(staged.reactor, 1100);
    assert_true(it->probe.len >= 2000 && it->probe.len < 3110);
    torc_test_advance(staged.reactor, 1000);
    assert_int_equal(it->probe.len, 3500);
    shutdown(it->fd, SHUT_WR);
    staged_settle();
    assert_int_equal(it->probe.input_ends, 1);
}

static void sending_waits(void **state) {
    const torc_throttle_options options = {
        .size = sizeof(options), .sent_per_connection_max = 1000, .burst_ms = 2000};

    (void)state;
    throttle(&options);
    staged_connection *it = staged_connect();
    torc_transport_write(staged_transport(it), torc_str_make(much, 5000));
    torc_transport_close(staged_transport(it));
    staged_settle();
    assert_int_equal(heard_len(it), 2000);
    torc_test_advance(staged.reactor, 1002);
    const size_t second = heard_len(it);
    assert_true(second <= 1002);
    assert_false(staged_has_ended(it));
    torc_test_advance(staged.reactor, 2010);
    assert_int_equal(2000 + second + heard_len(it), 5000);
    assert_true(staged_has_ended(it));
    check_err(it->probe.reason, TORC_ERR_CLOSED);
}

/* More than the stage below has room for: the rest stays above, and comes in its time. */
static void backpressure_reaches_above(void **state) {
    const torc_throttle_options options = {.size = sizeof(options),
                                           .sent_per_connection_max = 100000};
    static char bytes[500000];
    size_t len;

    (void)state;
    throttle(&options);
    staged_connection *it = staged_connect();
    torc_transport_write(staged_transport(it), torc_str_make(bytes, sizeof(bytes)));
    staged_settle();
    assert_int_equal(torc_transport_room(staged_transport(it)), 0);
    len = heard_len(it);
    assert_true(len <= 100000);
    for (int i = 0; i < 4100 && len < sizeof(bytes); i++) {
        torc_test_advance(staged.reactor, 1);
        len += heard_len(it);
        assert_true(len <= 100000 + (size_t)(i + 1) * 100);
    }
    assert_int_equal(len, sizeof(bytes));
    assert_true(torc_transport_room(staged_transport(it)) > 0);
}

static void files_are_throttled_as_they_are(void **state) {
    const torc_throttle_options options = {.size = sizeof(options),
                                           .sent_per_connection_max = 1000};
    char path[] = "/tmp/torc-test-XXXXXX";
    const int fd = mkstemp(path);

    (void)state;
    unlink(path);
    assert_int_equal(write(fd, much, 2500), 2500);
    throttle(&options);
    staged_connection *it = staged_connect();
    torc_transport_write_file(staged_transport(it), fd, 0, 2500);
    torc_transport_close(staged_transport(it));
    torc_test_finish_jobs(staged.reactor);
    staged_settle();
    size_t len = heard_len(it);
    assert_true(len <= 1000);
    for (int i = 0; i < 30; i++) {
        torc_test_advance(staged.reactor, 100);
        torc_test_finish_jobs(staged.reactor);
        len += heard_len(it);
    }
    assert_int_equal(len, 2500);
    assert_true(staged_has_ended(it));
}

static void all_share_what_there_is(void **state) {
    const torc_throttle_options options = {
        .size = sizeof(options), .received_max = 3000, .received_per_address_max = 1000};

    (void)state;
    add_proxy_headers();
    throttle(&options);
    staged_connection *one = connect_from("192.0.2.1"), *two = connect_from("192.0.2.1"),
                      *other = connect_from("192.0.2.2");
    staged_say_bytes(one, torc_str_make(much, 5000));
    staged_say_bytes(two, torc_str_make(much, 5000));
    staged_say_bytes(other, torc_str_make(much, 5000));
    assert_int_equal(one->probe.len + two->probe.len, 1000);
    assert_int_equal(other->probe.len, 1000);
    torc_test_advance(staged.reactor, 2000);
    assert_true(one->probe.len + two->probe.len <= 3000);
    assert_true(other->probe.len <= 3000 && other->probe.len > 1900);
    torc_test_advance(staged.reactor, 20000);
    assert_int_equal(one->probe.len, 5000);
    assert_int_equal(two->probe.len, 5000);
    assert_int_equal(other->probe.len, 5000);
}

static void a_connection_may_be_lost_while_it_waits(void **state) {
    const torc_throttle_options options = {
        .size = sizeof(options), .received_max = 10, .sent_max = 10};

    (void)state;
    throttle(&options);
    staged_connection *it = staged_connect();
    staged_say_bytes(it, torc_str_make(much, 100));
    torc_transport_write(staged_transport(it), torc_str_make(much, 100));
    staged_settle();
    torc_transport_abort(staged_transport(it));
    staged_settle();
    assert_int_equal(it->probe.losts, 1);
    torc_test_advance(staged.reactor, 100000);
}

/* ---- idle timeouts ---- */

static void idle_after(uint32_t idle_ms) {
    torc_filter_factory *factory;

    check_ok(torc_idle_timeout_new(staged.reactor, idle_ms, &factory));
    staged_add(factory);
}

static void who_is_silent_is_lost(void **state) {
    (void)state;
    idle_after(1000);
    staged_connection *it = staged_connect();
    torc_test_advance(staged.reactor, 900);
    staged_say(it, "x");
    torc_test_advance(staged.reactor, 900);
    torc_transport_write(staged_transport(it), TORC_STR("y"));
    staged_settle();
    torc_test_advance(staged.reactor, 999);
    assert_true(is_there(it));
    torc_test_advance(staged.reactor, 1);
    assert_false(is_there(it));
    check_err(it->probe.reason, TORC_ERR_TIMEOUT);
}

/* It has much to take, and takes nothing. */
static void who_takes_nothing_is_silent(void **state) {
    static char bytes[4000000];

    (void)state;
    idle_after(1000);
    staged_connection *it = staged_connect();
    torc_transport_write(staged_transport(it), torc_str_make(bytes, sizeof(bytes)));
    torc_test_advance(staged.reactor, 1100);
    assert_false(is_there(it));
}

static void no_time_at_all_is_refused(void **state) {
    torc_filter_factory *factory;

    (void)state;
    check_err(torc_idle_timeout_new(staged.reactor, 0, &factory), TORC_ERR_INVALID);
}

/* ---- traffic logs ---- */

static char noted[1000];

static void note(void *context, uint64_t connection, torc_traffic_kind kind, torc_str bytes,
                 uint64_t len) {
    assert_ptr_equal(context, noted);
    snprintf(noted + strlen(noted), sizeof(noted) - strlen(noted), "%llu:%d:%.*s/%llu ",
             (unsigned long long)connection, kind, TORC_STR_ARGS(bytes), (unsigned long long)len);
}

static void traffic_is_told(void **state) {
    torc_filter_factory *factory;

    (void)state;
    noted[0] = '\0';
    check_ok(torc_traffic_log_new(staged.reactor, note, noted, &factory));
    staged_add(factory);
    staged_connection *one = staged_connect(), *two = staged_connect();
    staged_say(two, "hello");
    check_got(&two->probe, "hello");
    torc_transport_write(staged_transport(two), TORC_STR("hi"));
    staged_settle();
    assert_string_equal(staged_hear(two), "hi");
    torc_transport_close_write(staged_transport(two));
    shutdown(two->fd, SHUT_WR);
    staged_settle();
    assert_string_equal(noted, "1:0:/0 2:0:/0 2:1:hello/5 2:2:hi/2 2:4:/0 2:3:/0 ");
    noted[0] = '\0';
    leave(one);
    assert_string_equal(noted, "1:4:/0 1:5:/0 ");
}

static void traffic_is_logged(void **state) {
    torc_filter_factory *factory;

    (void)state;
    check_ok(torc_log_set_level(staged.log, "transport.traffic", TORC_LOG_LEVEL_DEBUG));
    check_ok(torc_traffic_log_new(staged.reactor, NULL, NULL, &factory));
    staged_add(factory);
    staged_connection *it = staged_connect();
    memset(much, 'x', sizeof(much));
    staged_say_bytes(it, torc_str_make(much, 300));
    assert_true(staged_has_logged("\"len\":300"));
    much[256] = '\0';
    assert_true(staged_has_logged(much));
    much[256] = 'x';
    much[257] = '\0';
    assert_false(staged_has_logged(much));
    memset(much, 0, sizeof(much));
}

/* ---- out of memory ---- */

static torc_err add_all(void) {
    static const torc_connection_limit_options limits = {
        .size = sizeof(limits), .connections_max = 5, .connections_per_address_max = 5};
    static const torc_throttle_options rates = {
        .size = sizeof(rates), .received_per_address_max = 100, .sent_max = 100};
    torc_filter_factory *factory;
    torc_err err = torc_proxy_header_filter_new(staged.reactor, NULL, &factory);

    if (!err) staged_add(factory);
    if (!err) err = torc_connection_limit_new(staged.reactor, &limits, &factory);
    if (!err) staged_add(factory);
    if (!err) err = torc_throttle_new(staged.reactor, &rates, &factory);
    if (!err) staged_add(factory);
    if (!err) err = torc_idle_timeout_new(staged.reactor, 10000, &factory);
    if (!err) staged_add(factory);
    if (!err) err = torc_traffic_log_new(staged.reactor, note, noted, &factory);
    if (!err) staged_add(factory);
    return err;
}

static void every_allocation_may_fail(void **state) {
    bool has_failed = true;

    (void)state;
    for (uint64_t n = 1; has_failed; n++) {
        assert_true(n < 300);
        noted[0] = '\0';
        torc_test_fail_allocation(staged.reactor, n);
        const torc_err err = add_all();
        staged_connection *it = err ? NULL : staged_connect();
        if (it && !staged_has_ended(it)) {
            staged_say(it, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nhello");
            if (is_there(it)) torc_transport_write(staged_transport(it), torc_str_make(much, 300));
            torc_test_advance(staged.reactor, 1000);
        }
        has_failed = torc_test_allocation_failed(staged.reactor);
        torc_test_fail_allocation(staged.reactor, 0);
        if (!has_failed) check_got(&it->probe, "hello");
        staged_end();
        torc_filters_dispose(&staged.stages.filters);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_an_addresss),
        cmocka_unit_test(there_are_so_many_accounts),
        STAGED(connections_are_limited_together),
        STAGED(connections_of_an_address_are_limited),
        STAGED(new_connections_of_an_address_are_limited),
        STAGED(addresses_are_remembered_up_to_a_limit),
        STAGED(receiving_waits),
        STAGED(sending_waits),
        STAGED(backpressure_reaches_above),
        STAGED(files_are_throttled_as_they_are),
        STAGED(all_share_what_there_is),
        STAGED(a_connection_may_be_lost_while_it_waits),
        STAGED(who_is_silent_is_lost),
        STAGED(who_takes_nothing_is_silent),
        STAGED(no_time_at_all_is_refused),
        STAGED(traffic_is_told),
        STAGED(traffic_is_logged),
        STAGED(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
