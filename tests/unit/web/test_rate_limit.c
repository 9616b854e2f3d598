/* SPDX-License-Identifier: MIT */
/* Rate limits: whose bucket is taken from, what is told, and what is not counted. */
#include <stdio.h>
#include <torc/fiber.h>
#include <torc/log_sinks.h>
#include <torc/rate_limit.h>

#include "faults.h"
#include "web_fixture.h"

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello");
}

static torc_rate_limit_options with_rate(const char *rate) {
    return (torc_rate_limit_options){.size = sizeof(torc_rate_limit_options), .rate = rate};
}

static torc_site *new_site(const torc_rate_limit_options *options) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /", hello);
    torc_resource_use(root, torc_rate_limit_new(options));
    torc_site *site = torc_site_new(root, NULL);
    assert_non_null(site);
    return site;
}

static torc_test_request *ask_from(torc_reactor *reactor, torc_site *site, const char *host,
                                   const char *head) {
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);

    assert_non_null(test);
    if (host) check_ok(torc_test_request_set_peer(test, host, 5000));
    web_finish(reactor, test);
    return test;
}

static int status_from(torc_reactor *reactor, torc_site *site, const char *host, const char *head) {
    torc_test_request *test = ask_from(reactor, site, host, head);
    const int status = torc_test_request_status(test);

    torc_test_request_free(test);
    return status;
}

static void check_has(const torc_test_request *test, const char *name, const char *value) {
    const torc_str got = torc_test_request_field(test, name);

    if (value)
        check_str_of(got, value);
    else
        assert_null(got.bytes);
}

/* ---- the limit ---- */

static void who_comes_too_soon_is_told_when_to_come_again(void **state) {
    const torc_rate_limit_options options = with_rate("2/min");
    torc_site *site = new_site(&options);
    torc_test_request *test = ask_from(*state, site, "192.0.2.1", "GET /");

    assert_int_equal(torc_test_request_status(test), 200);
    check_has(test, "RateLimit-Policy", "\"default\";q=2;w=60");
    check_has(test, "RateLimit", "\"default\";r=1;t=30");
    check_has(test, "Retry-After", NULL);
    torc_test_request_free(test);

    test = ask_from(*state, site, "192.0.2.1", "GET /");
    assert_int_equal(torc_test_request_status(test), 200);
    check_has(test, "RateLimit", "\"default\";r=0;t=30");
    torc_test_request_free(test);

    test = ask_from(*state, site, "192.0.2.1", "GET /");
    assert_int_equal(torc_test_request_status(test), 429);
    check_has(test, "RateLimit-Policy", "\"default\";q=2;w=60");
    check_has(test, "RateLimit", "\"default\";r=0;t=30");
    check_has(test, "Retry-After", "30");
    assert_true(torc_str_find(torc_test_request_body(test), TORC_STR("again in 30 seconds")) > 0);
    torc_test_request_free(test);

    torc_test_advance(*state, 29000);
    test = ask_from(*state, site, "192.0.2.1", "GET /");
    assert_int_equal(torc_test_request_status(test), 429);
    check_has(test, "Retry-After", "1");
    torc_test_request_free(test);
    torc_test_advance(*state, 1000);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /"), 200);
    torc_site_free(site);
}

static void error_pages_head_and_options_count_too(void **state) {
    const torc_rate_limit_options options = with_rate("4/min");
    torc_site *site = new_site(&options);

    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /none"), 404);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "PUT /"), 405);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "OPTIONS /"), 204);
    torc_test_request *test = ask_from(*state, site, "192.0.2.1", "HEAD /");
    assert_int_equal(torc_test_request_status(test), 200);
    check_has(test, "RateLimit", "\"default\";r=0;t=15");
    torc_test_request_free(test);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "HEAD /"), 429);
    torc_site_free(site);
}

static void addresses_are_counted_apart_and_ipv6_by_network(void **state) {
    const torc_rate_limit_options options = with_rate("1/min");
    torc_site *site = new_site(&options);

    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /"), 200);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /"), 429);
    assert_int_equal(status_from(*state, site, "::ffff:192.0.2.1", "GET /"), 429);
    assert_int_equal(status_from(*state, site, "192.0.2.2", "GET /"), 200);
    assert_int_equal(status_from(*state, site, "2001:db8:0:1::1", "GET /"), 200);
    assert_int_equal(status_from(*state, site, "2001:db8:0:1:ffff::9", "GET /"), 429);
    assert_int_equal(status_from(*state, site, "2001:db8:0:2::1", "GET /"), 200);
    /* Who has no address is not counted. */
    for (int i = 0; i < 3; i++) assert_int_equal(status_from(*state, site, NULL, "GET /"), 200);
    torc_site_free(site);
}

static void a_trusted_proxy_tells_who_asks(void **state) {
    const torc_rate_limit_options options = with_rate("1/min");
    torc_site *site = new_site(&options);
    torc_cidr proxy;

    check_ok(torc_cidr_parse(TORC_STR("10.0.0.1"), &proxy));
    check_ok(torc_site_trust_proxies(site, &proxy, 1, TORC_PROXY_FIELD_X_FORWARDED_FOR));
    assert_int_equal(status_from(*state, site, "10.0.0.1", "GET /\nX-Forwarded-For: 192.0.2.1"),
                     200);
    assert_int_equal(status_from(*state, site, "10.0.0.1", "GET /\nX-Forwarded-For: 192.0.2.1"),
                     429);
    assert_int_equal(status_from(*state, site, "10.0.0.1", "GET /\nX-Forwarded-For: 192.0.2.2"),
                     200);
    /* Others cannot make themselves somebody else. */
    assert_int_equal(status_from(*state, site, "192.0.2.9", "GET /\nX-Forwarded-For: 192.0.2.3"),
                     200);
    assert_int_equal(status_from(*state, site, "192.0.2.9", "GET /\nX-Forwarded-For: 192.0.2.4"),
                     429);
    torc_site_free(site);
}

static void keys_are_fields_too(void **state) {
    torc_rate_limit_options options = with_rate("1/min");
    char first[300], second[300];

    options.field = "X-Api-Key";
    torc_site *site = new_site(&options);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /\nX-Api-Key: a"), 200);
    assert_int_equal(status_from(*state, site, "192.0.2.2", "GET /\nX-Api-Key: a"), 429);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /\nX-Api-Key: b"), 200);
    /* Long ones differ in whichever byte. */
    snprintf(first, sizeof(first), "GET /\nX-Api-Key: %0200d", 1);
    snprintf(second, sizeof(second), "GET /\nX-Api-Key: %0200d", 2);
    assert_int_equal(status_from(*state, site, "192.0.2.1", first), 200);
    assert_int_equal(status_from(*state, site, "192.0.2.1", second), 200);
    assert_int_equal(status_from(*state, site, "192.0.2.1", first), 429);
    /* Without the field by address. */
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /"), 200);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /"), 429);
    torc_site_free(site);
}

static torc_str by_user(void *context, torc_request *request) {
    (void)context;
    return torc_request_field(request, "X-User");
}

static uint32_t by_method(void *context, torc_request *request) {
    (void)context;
    return torc_request_method(request) == TORC_METHOD_HEAD ? 0 : 5;
}

static bool is_internal(void *context, torc_request *request) {
    (void)context;
    return torc_request_field(request, "X-Internal").bytes != NULL;
}

static void functions_tell_whose_how_much_and_whether(void **state) {
    torc_rate_limit_options options = with_rate("10/min");

    options.key = by_user;
    options.cost_of = by_method;
    options.skips = is_internal;
    torc_site *site = new_site(&options);
    assert_int_equal(status_from(*state, site, NULL, "GET /\nX-User: a"), 200);
    assert_int_equal(status_from(*state, site, NULL, "GET /\nX-User: a"), 200);
    assert_int_equal(status_from(*state, site, NULL, "GET /\nX-User: a"), 429);
    torc_test_request *test = ask_from(*state, site, NULL, "HEAD /\nX-User: a");
    assert_int_equal(torc_test_request_status(test), 200);
    check_has(test, "RateLimit", "\"default\";r=0;t=6");
    torc_test_request_free(test);
    test = ask_from(*state, site, NULL, "GET /\nX-User: a\nX-Internal: 1");
    assert_int_equal(torc_test_request_status(test), 200);
    check_has(test, "RateLimit", NULL);
    torc_test_request_free(test);
    for (int i = 0; i < 5; i++) assert_int_equal(status_from(*state, site, NULL, "GET /"), 200);
    torc_site_free(site);
}

static void whose_bucket_it_was_is_told_by_choice(void **state) {
    char asked[220] = "GET /\nX-Api-Key: ";
    const struct {
        const char *head, *told;
    } rows[] = {
        /* SHA-256 of "default", NUL, and "a" with the address, "v" with the value, or "d" with its
         * digest. */
        {"GET /", "\"default\";r=1;t=30;pk=:P251ITKQX3DgjpCy:"},
        {"GET /", "\"default\";r=0;t=30;pk=:P251ITKQX3DgjpCy:"},
        {"GET /\nX-Api-Key: k1", "\"default\";r=1;t=30;pk=:jiYn9NY6pmIFT6Ft:"},
        {asked, "\"default\";r=1;t=30;pk=:VA9A8KD8QjKlLyQ1:"},
    };
    torc_rate_limit_options options = with_rate("2/min");

    memset(asked + strlen(asked), 'x', 200);
    options.field = "X-Api-Key";
    options.shows_partition = true;
    torc_site *site = new_site(&options);
    for (size_t i = 0; i < TORC_COUNT_OF(rows); i++) {
        torc_test_request *test = ask_from(*state, site, "192.0.2.1", rows[i].head);
        assert_int_equal(torc_test_request_status(test), 200);
        check_has(test, "RateLimit", rows[i].told);
        check_has(test, "RateLimit-Policy", "\"default\";q=2;w=60");
        torc_test_request_free(test);
    }
    torc_site_free(site);
}

static void refusals_are_logged_without_queries(void **state) {
    const torc_rate_limit_options options = with_rate("1/min");
    torc_resource *root = torc_folder_new();
    torc_buf lines;
    torc_log *log;

    torc_buf_init(&lines, NULL, TORC_MEMORY_OTHER, 10000);
    check_ok(torc_log_new_buf(NULL, &lines, TORC_LOG_FORMAT_TEXT, &log));
    torc_resource_route(root, "GET /a", hello);
    torc_resource_use(root, torc_rate_limit_new(&options));
    torc_site *site =
        torc_site_new(root, &(torc_site_options){.size = sizeof(torc_site_options), .log = log});
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /a?key=secret"), 200);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /a?key=secret"), 429);
    assert_true(torc_str_find(torc_buf_str(&lines), TORC_STR("beyond the rate")) >= 0);
    assert_true(torc_str_find(torc_buf_str(&lines), TORC_STR("/a")) >= 0);
    assert_true(torc_str_find(torc_buf_str(&lines), TORC_STR("secret")) < 0);
    torc_site_free(site);
    torc_log_free(log);
    torc_buf_dispose(&lines);
}

static void requests_may_cost_more_than_one(void **state) {
    torc_rate_limit_options options = with_rate("10/min,burst=3");

    options.cost = 2;
    options.hides_fields = true;
    torc_site *site = new_site(&options);
    torc_test_request *test = ask_from(*state, site, "192.0.2.1", "GET /");
    assert_int_equal(torc_test_request_status(test), 200);
    check_has(test, "RateLimit", NULL);
    check_has(test, "RateLimit-Policy", NULL);
    torc_test_request_free(test);
    test = ask_from(*state, site, "192.0.2.1", "GET /");
    assert_int_equal(torc_test_request_status(test), 429);
    check_has(test, "Retry-After", "6");
    check_has(test, "RateLimit", NULL);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void a_dry_run_refuses_nobody(void **state) {
    torc_rate_limit_options options = with_rate("1/min");

    options.is_dry_run = true;
    torc_site *site = new_site(&options);
    for (int i = 0; i < 5; i++) {
        torc_test_request *test = ask_from(*state, site, "192.0.2.1", "GET /");
        assert_int_equal(torc_test_request_status(test), 200);
        check_has(test, "RateLimit", NULL);
        torc_test_request_free(test);
    }
    torc_site_free(site);
}

/* ---- several ---- */

static void limits_within_limits_tell_each_of_their_own(void **state) {
    torc_resource *root = torc_folder_new(), *in = torc_folder_new();
    torc_rate_limit_options outer = with_rate("10/min"), inner = with_rate("1/h");

    inner.name = "login";
    torc_resource_put_child(root, "in", in);
    torc_resource_route(in, "GET /", hello);
    torc_resource_route(root, "GET /", hello);
    torc_resource_use(root, torc_rate_limit_new(&outer));
    torc_resource_use(in, torc_rate_limit_new(&inner));
    torc_site *site = torc_site_new(root, NULL);
    torc_test_request *test = ask_from(*state, site, "192.0.2.1", "GET /in/");
    uint32_t place = 0;

    assert_int_equal(torc_test_request_status(test), 200);
    const torc_field *field =
        torc_fields_next(torc_test_request_fields(test), TORC_STR("RateLimit"), &place);
    check_str(field->value, "\"login\";r=0;t=3600");
    field = torc_fields_next(torc_test_request_fields(test), TORC_STR("RateLimit"), &place);
    check_str(field->value, "\"default\";r=9;t=6");
    torc_test_request_free(test);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /in/"), 429);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /"), 200);
    torc_site_free(site);
}

static void limits_of_one_name_share_what_they_count(void **state) {
    torc_resource *root = torc_folder_new(), *a = torc_folder_new(), *b = torc_folder_new();
    const torc_rate_limit_options options = with_rate("1/min");

    torc_resource_put_child(root, "a", a);
    torc_resource_put_child(root, "b", b);
    torc_resource_route(a, "GET /", hello);
    torc_resource_route(b, "GET /", hello);
    torc_resource_use(a, torc_rate_limit_new(&options));
    torc_resource_use(b, torc_rate_limit_new(&options));
    torc_site *site = torc_site_new(root, NULL);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /a/"), 200);
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /b/"), 429);
    torc_site_free(site);
}

/* ---- stores ---- */

typedef struct slow_store {
    torc_rate_store base;
    torc_reactor *reactor;
    torc_err err;
    int asked;
} slow_store;

static torc_err take_slowly(torc_rate_store *store, torc_str key, const torc_rate *rate,
                            uint32_t cost, uint64_t now_us, torc_rate_answer *answer) {
    slow_store *self = torc_container_of(store, slow_store, base);

    (void)key;
    (void)rate;
    (void)cost;
    (void)now_us;
    self->asked++;
    if (store->may_wait) {
        const torc_err err = torc_sleep(self->reactor, 100);
        if (err) return err;
    }
    *answer = (torc_rate_answer){.is_allowed = self->asked % 2, .left = 7};
    return self->err;
}

static const torc_rate_store_ops slow_ops = {.take = take_slowly};

static void a_store_of_ones_own_may_wait(void **state) {
    slow_store store = {.base = {.ops = &slow_ops, .may_wait = true}, .reactor = *state};
    torc_rate_limit_options options = with_rate("1/min");

    options.store = &store.base;
    torc_site *site = new_site(&options);
    torc_test_request *test = torc_test_request_new(*state, torc_site_acceptor(site), "GET /");
    check_ok(torc_test_request_set_peer(test, "192.0.2.1", 1));
    web_finish(*state, test);
    assert_int_equal(torc_test_request_status(test), 0);
    torc_test_advance(*state, 100);
    web_finish(*state, test);
    assert_int_equal(torc_test_request_status(test), 200);
    check_has(test, "RateLimit", "\"default\";r=7;t=0");
    torc_test_request_free(test);

    /* A client that goes while the store waits. */
    test = torc_test_request_new(*state, torc_site_acceptor(site), "GET /");
    check_ok(torc_test_request_set_peer(test, "192.0.2.1", 1));
    web_finish(*state, test);
    torc_test_request_disconnect(test);
    web_finish(*state, test);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void a_store_that_cannot_answer_refuses_nobody(void **state) {
    slow_store store = {.base = {.ops = &slow_ops}, .err = TORC_ERR_LOST};
    const torc_rate_limit_options options = with_rate("1/min");
    torc_site *site = new_site(&options);

    torc_site_set_rate_store(site, &store.base);
    for (int i = 0; i < 3; i++)
        assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /"), 200);
    assert_int_equal(store.asked, 3);
    store.err = TORC_OK;
    assert_int_equal(status_from(*state, site, "192.0.2.1", "GET /"), 429);
    torc_site_free(site);
}

/* ---- mistakes and failures ---- */

static void wrong_options_are_told_at_the_start(void **state) {
    torc_rate_limit_options cases[] = {
        with_rate(NULL),  with_rate("100"), with_rate("9999999/s"), with_rate("1/s"),
        with_rate("1/s"), with_rate("1/s"), with_rate("1/s"),
    };
    char text[200];

    (void)state;
    cases[3].name = "a name";
    cases[4].name = "";
    cases[5].field = "X Y";
    cases[6].field = "X";
    cases[6].key = by_user;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        assert_non_null(torc_rate_limit_check(&cases[i], text));
        torc_resource *root = torc_folder_new();
        torc_resource_use(root, torc_rate_limit_new(&cases[i]));
        check_err(torc_resource_err(root), TORC_ERR_INVALID);
        torc_resource_dispose(root);
    }
    assert_string_equal(torc_rate_limit_check(&cases[1], text),
                        "'100' is no rate: write it as 100/s, 30/min or 10/s,burst=50");
}

static void without_memory_a_request_fails_and_the_next_does_not(void **state) {
    torc_reactor *reactor = *state;
    const torc_rate_limit_options options = with_rate("1000/min");
    torc_site *site = new_site(&options);
    faults self = {.hit = true};

    for (uint64_t fail_at = 1; self.hit && fail_at < 200; fail_at++) {
        torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), "GET /");
        assert_non_null(test);
        check_ok(torc_test_request_set_peer(test, "192.0.2.1", 1));
        faults_arm(&self, torc_reactor_memory(reactor), fail_at);
        web_finish(reactor, test);
        faults_disarm(torc_reactor_memory(reactor));
        if (!self.hit) assert_int_equal(torc_test_request_status(test), 200);
        torc_test_request_free(test);
    }
    assert_false(self.hit);
    torc_site_free(site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(who_comes_too_soon_is_told_when_to_come_again),
        WEB_TEST(error_pages_head_and_options_count_too),
        WEB_TEST(addresses_are_counted_apart_and_ipv6_by_network),
        WEB_TEST(a_trusted_proxy_tells_who_asks),
        WEB_TEST(keys_are_fields_too),
        WEB_TEST(functions_tell_whose_how_much_and_whether),
        WEB_TEST(whose_bucket_it_was_is_told_by_choice),
        WEB_TEST(refusals_are_logged_without_queries),
        WEB_TEST(requests_may_cost_more_than_one),
        WEB_TEST(a_dry_run_refuses_nobody),
        WEB_TEST(limits_within_limits_tell_each_of_their_own),
        WEB_TEST(limits_of_one_name_share_what_they_count),
        WEB_TEST(a_store_of_ones_own_may_wait),
        WEB_TEST(a_store_that_cannot_answer_refuses_nobody),
        cmocka_unit_test(wrong_options_are_told_at_the_start),
        WEB_TEST(without_memory_a_request_fails_and_the_next_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
