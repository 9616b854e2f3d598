/* SPDX-License-Identifier: MIT */
/* Limits of a part of the tree: bodies, answers, and how many at a time. */
#include <stdio.h>
#include <torc/fiber.h>
#include <torc/route_limits.h>

#include "faults.h"
#include "web_fixture.h"

static torc_request *left;
static int lost;

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello");
}

static torc_render take_body(torc_request *request) {
    torc_str body;
    const torc_err err = torc_body_read_all(request, 1 << 20, &body);

    return err ? torc_reply_error(request, err) : torc_reply_bytes(request, 200, NULL, body);
}

static torc_render sleep_long(torc_request *request) {
    const torc_err err = torc_sleep(torc_request_reactor(request), 1000);

    if (err) lost++;
    return err ? torc_reply_error(request, err) : torc_reply_text(request, 200, "slept");
}

static torc_render leave(torc_resource *resource, torc_request *request) {
    (void)resource;
    left = request;
    return TORC_RENDER_NOT_DONE_YET;
}

static torc_render begin_and_leave(torc_resource *resource, torc_request *request) {
    (void)resource;
    left = request;
    torc_request_write(request, TORC_STR("begun "));
    return TORC_RENDER_NOT_DONE_YET;
}

static const torc_resource_ops leave_ops = {.render = leave};
static const torc_resource_ops begin_ops = {.render = begin_and_leave};

static torc_site *new_site(const torc_route_limits_options *options) {
    static torc_resource leaves, begins;
    torc_resource *root = torc_folder_new(), *in = torc_folder_new();

    torc_resource_init(&leaves, &leave_ops);
    torc_resource_init(&begins, &begin_ops);
    torc_resource_put_child(root, "in", in);
    torc_resource_route(root, "POST /body", take_body);
    torc_resource_route(in, "GET /", hello);
    torc_resource_route(in, "POST /body", take_body);
    torc_resource_route(in, "GET /sleep", sleep_long);
    torc_resource_put_child(in, "leave", &leaves);
    torc_resource_put_child(in, "begin", &begins);
    torc_resource_use(in, torc_route_limits_new(options));
    left = NULL;
    lost = 0;
    torc_site *site = torc_site_new(root, NULL);
    assert_non_null(site);
    return site;
}

static torc_test_request *begin(torc_reactor *reactor, torc_site *site, const char *head) {
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);

    assert_non_null(test);
    web_finish(reactor, test);
    return test;
}

static void finish(torc_reactor *reactor, torc_test_request *test, int status) {
    web_finish(reactor, test);
    assert_int_equal(torc_test_request_status(test), status);
    torc_test_request_free(test);
}

/* ---- bodies ---- */

static void send_body(torc_reactor *reactor, torc_site *site, const char *head, size_t len,
                      int status, bool is_asked_for) {
    static char bytes[4096];
    torc_test_request *test = begin(reactor, site, head);

    torc_test_request_send(test, torc_str_make(bytes, len));
    torc_test_request_send_end(test);
    web_finish(reactor, test);
    assert_int_equal(torc_test_request_consumed(test) > 0, is_asked_for);
    finish(reactor, test, status);
}

static void bodies_are_limited_inside_only(void **state) {
    const torc_route_limits_options options = {.size = sizeof(options), .body_bytes_max = 1000};
    torc_site *site = new_site(&options);

    send_body(*state, site, "POST /in/body\nContent-Length: 1000", 1000, 200, true);
    send_body(*state, site, "POST /in/body\nContent-Length: 1001", 1001, 413, false);
    send_body(*state, site, "POST /in/body\nTransfer-Encoding: chunked", 1001, 413, true);
    send_body(*state, site, "POST /body\nContent-Length: 1001", 1001, 200, true);
    /* Also where nobody reads it. */
    send_body(*state, site, "PUT /in/\nContent-Length: 1001", 1001, 413, false);
    torc_site_free(site);
}

static torc_limits seen;

static torc_render look(torc_request *request) {
    seen = *torc_request_limits(request);
    return torc_reply_text(request, 200, "");
}

static void other_limits_of_bodies_are_the_requests(void **state) {
    const torc_route_limits_options options = {
        .size = sizeof(options),
        .body_bytes_max = 1 << 30,
        .body_memory_max = 5,
        .body_stall_ms = 6,
        .body_rate_min = 7,
        .body_ms = 8,
    };
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "POST /", look);
    torc_resource_use(root, torc_route_limits_new(&options));
    torc_test_request *test = torc_test_request_resource(*state, root, "POST /\nContent-Length: 1");
    finish(*state, test, 200);
    assert_int_equal(seen.body_bytes_max, 1 << 30);
    assert_int_equal(seen.body_memory_max, 5);
    assert_int_equal(seen.body_stall_ms, 6);
    assert_int_equal(seen.body_rate_min, 7);
    assert_int_equal(seen.body_ms, 8);
}

/* ---- answers ---- */

static const torc_route_limits_options quick = {.size = sizeof(quick), .answer_ms = 100};

static void a_fiber_that_waits_for_too_long_is_told(void **state) {
    torc_site *site = new_site(&quick);
    torc_test_request *test = begin(*state, site, "GET /in/sleep");

    torc_test_advance(*state, 99);
    assert_int_equal(torc_test_request_status(test), 0);
    torc_test_advance(*state, 1);
    finish(*state, test, 504);
    assert_int_equal(lost, 1);
    torc_site_free(site);
}

static torc_request_watch watch;

static void left_ended(torc_request_watch *of, torc_request *request, torc_err reason) {
    (void)of;
    (void)request;
    (void)reason;
    left = NULL;
}

static void what_was_left_is_answered_when_its_time_is_over(void **state) {
    torc_site *site = new_site(&quick);
    torc_test_request *test = begin(*state, site, "GET /in/leave");
    torc_ticket ticket;

    check_ok(torc_ticket_take(left, &ticket));
    torc_request_watch_end(left, &watch, left_ended);
    torc_test_advance(*state, 99);
    assert_non_null(torc_ticket_request(&ticket));
    torc_test_advance(*state, 1);
    assert_null(torc_ticket_request(&ticket));
    assert_null(left);
    torc_ticket_return(&ticket);
    finish(*state, test, 504);

    /* One that is answered in time is not answered twice. */
    test = begin(*state, site, "GET /in/leave");
    torc_test_advance(*state, 50);
    torc_reply_text(left, 200, "in time");
    torc_test_advance(*state, 100);
    check_str(torc_test_request_body(test), "in time");
    finish(*state, test, 200);

    /* A client that is gone. */
    test = begin(*state, site, "GET /in/leave");
    torc_test_request_disconnect(test);
    web_finish(*state, test);
    torc_test_advance(*state, 100);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void what_has_begun_may_take_longer(void **state) {
    torc_site *site = new_site(&quick);
    torc_test_request *test = begin(*state, site, "GET /in/begin");

    torc_test_advance(*state, 1000);
    torc_request_write(left, TORC_STR("ended"));
    (void)!torc_request_finish(left);
    web_finish(*state, test);
    check_str(torc_test_request_body(test), "begun ended");
    finish(*state, test, 200);
    torc_site_free(site);
}

static void the_narrower_of_two_counts(void **state) {
    const torc_limits limits = {.size = sizeof(limits), .answer_ms = 50};
    const torc_site_options options = {.size = sizeof(options), .limits = &limits};
    const torc_route_limits_options inner = {.size = sizeof(inner), .answer_ms = 30},
                                    outer = {.size = sizeof(outer), .answer_ms = 60};
    torc_resource *root = torc_folder_new(), *in = torc_folder_new();

    torc_resource_put_child(root, "in", in);
    torc_resource_route(in, "GET /sleep", sleep_long);
    torc_resource_route(root, "GET /sleep", sleep_long);
    torc_resource_use(root, torc_route_limits_new(&outer));
    torc_resource_use(in, torc_route_limits_new(&inner));
    torc_site *site = torc_site_new(root, &options);
    torc_test_request *test = begin(*state, site, "GET /in/sleep");
    torc_test_request *other = begin(*state, site, "GET /sleep");
    torc_test_advance(*state, 30);
    finish(*state, test, 504);
    assert_int_equal(torc_test_request_status(other), 0);
    torc_test_advance(*state, 20);
    finish(*state, other, 504);
    torc_site_free(site);
}

/* ---- how many at a time ---- */

static void those_beyond_are_refused(void **state) {
    const torc_route_limits_options options = {
        .size = sizeof(options), .requests_max = 2, .retry_after_s = 7};
    torc_site *site = new_site(&options);
    torc_test_request *first = begin(*state, site, "GET /in/sleep");
    torc_test_request *second = begin(*state, site, "GET /in/sleep");
    torc_test_request *third = begin(*state, site, "GET /in/");

    check_str(torc_test_request_field(third, "Retry-After"), "7");
    finish(*state, third, 503);
    torc_test_advance(*state, 1000);
    finish(*state, first, 200);
    finish(*state, second, 200);
    finish(*state, begin(*state, site, "GET /in/"), 200);
    finish(*state, begin(*state, site, "GET /in/none"), 404);
    finish(*state, begin(*state, site, "GET /in/"), 200);
    torc_site_free(site);
}

static const torc_route_limits_options one_at_a_time = {
    .size = sizeof(one_at_a_time), .requests_max = 1, .queue_max = 2, .queue_ms = 3000};

static void those_beyond_wait_in_line(void **state) {
    torc_site *site = new_site(&one_at_a_time);
    torc_test_request *tests[4];

    for (int i = 0; i < 4; i++) tests[i] = begin(*state, site, "GET /in/sleep");
    assert_int_equal(torc_test_request_status(tests[3]), 503);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(torc_test_request_status(tests[i]), 0);
        torc_test_advance(*state, 1000);
        web_finish(*state, tests[i]);
        assert_int_equal(torc_test_request_status(tests[i]), 200);
    }
    for (int i = 0; i < 4; i++) torc_test_request_free(tests[i]);
    torc_site_free(site);
}

static void those_who_wait_may_go_or_be_sent_away(void **state) {
    torc_site *site = new_site(&one_at_a_time);
    torc_test_request *holds = begin(*state, site, "GET /in/leave");
    torc_request *held = left;
    torc_test_request *goes = begin(*state, site, "GET /in/");
    torc_test_request *waits = begin(*state, site, "GET /in/");

    torc_test_advance(*state, 1000);
    torc_test_request_disconnect(goes);
    web_finish(*state, goes);
    torc_test_request_free(goes);
    torc_test_request *next = begin(*state, site, "GET /in/");
    torc_test_advance(*state, 1999);
    assert_int_equal(torc_test_request_status(waits), 0);
    torc_test_advance(*state, 1);
    check_str(torc_test_request_field(waits, "Retry-After"), "1");
    finish(*state, waits, 503);
    assert_int_equal(torc_test_request_status(next), 0);
    torc_reply_text(held, 200, "");
    finish(*state, holds, 200);
    finish(*state, next, 200);
    torc_site_free(site);
}

static void one_that_is_lost_lets_the_next_in(void **state) {
    torc_site *site = new_site(&one_at_a_time);
    torc_test_request *holds = begin(*state, site, "GET /in/sleep");
    torc_test_request *waits = begin(*state, site, "GET /in/");

    torc_test_request_disconnect(holds);
    web_finish(*state, holds);
    torc_test_request_free(holds);
    finish(*state, waits, 200);
    torc_site_free(site);
}

static void without_memory_a_request_fails_and_the_next_does_not(void **state) {
    const torc_route_limits_options options = {
        .size = sizeof(options), .body_bytes_max = 10, .answer_ms = 1000, .requests_max = 1};
    torc_reactor *reactor = *state;
    torc_site *site = new_site(&options);
    faults self = {.hit = true};

    for (uint64_t fail_at = 1; self.hit && fail_at < 200; fail_at++) {
        torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site),
                                                        "POST /in/body\nContent-Length: 1");
        assert_non_null(test);
        torc_test_request_send(test, TORC_STR("x"));
        torc_test_request_send_end(test);
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
        WEB_TEST(bodies_are_limited_inside_only),
        WEB_TEST(other_limits_of_bodies_are_the_requests),
        WEB_TEST(a_fiber_that_waits_for_too_long_is_told),
        WEB_TEST(what_was_left_is_answered_when_its_time_is_over),
        WEB_TEST(what_has_begun_may_take_longer),
        WEB_TEST(the_narrower_of_two_counts),
        WEB_TEST(those_beyond_are_refused),
        WEB_TEST(those_beyond_wait_in_line),
        WEB_TEST(those_who_wait_may_go_or_be_sent_away),
        WEB_TEST(one_that_is_lost_lets_the_next_in),
        WEB_TEST(without_memory_a_request_fails_and_the_next_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
