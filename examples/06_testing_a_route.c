/* SPDX-License-Identifier: MIT */
/* Testing routes: requests without a socket, and a clock that the test moves. */
#include <stdio.h>
#include <stdlib.h>
#include <torc/testing.h>
#include <torc/testing_request.h>
#include <torc/torc.h>

/* ---- what is tested ---- */

static torc_render greet(torc_request *request) {
    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_member_str(json, "hello", torc_request_param(request, "name"));
    torc_json_close_object(json);
    return torc_reply_end(request);
}

static torc_render remind(torc_request *request) {
    const torc_err err = torc_sleep(torc_request_reactor(request), 3600000);
    if (err) return torc_reply_error(request, err);
    return torc_reply_text(request, 200, "An hour has passed.\n");
}

static torc_resource *routes(void) {
    torc_resource *root = torc_folder_new();
    torc_resource_route(root, "GET /greet/{name}", greet);
    torc_resource_route(root, "GET /remind", remind);
    return root;
}

/* ---- the tests ---- */

static void check(bool is_right, const char *what) {
    if (is_right) return;
    fprintf(stderr, "wrong: %s\n", what);
    exit(1);
}

static void names_are_decoded(torc_reactor *reactor) {
    torc_test_request *test =
        torc_test_request_resource(reactor, routes(), "GET /greet/M%C3%BCnchen");

    torc_test_request_run(test);
    check(torc_test_request_status(test) == 200, "the status");
    check(torc_str_equals(torc_test_request_field(test, "Content-Type"),
                          TORC_STR("application/json")),
          "the type");
    check(torc_str_equals(torc_test_request_body(test), TORC_STR("{\"hello\":\"München\"}")),
          "the greeting");
    torc_test_request_free(test);
}

static void other_methods_are_refused(torc_reactor *reactor) {
    torc_test_request *test = torc_test_request_resource(reactor, routes(), "DELETE /greet/you");

    torc_test_request_run(test);
    check(torc_test_request_status(test) == 405, "DELETE is refused");
    check(torc_str_equals(torc_test_request_field(test, "Allow"), TORC_STR("GET, HEAD, OPTIONS")),
          "what is allowed");
    torc_test_request_free(test);
}

/* No time passes but what the test lets pass. */
static void the_reminder_comes_after_an_hour(torc_reactor *reactor) {
    torc_test_request *test = torc_test_request_resource(reactor, routes(), "GET /remind");

    torc_test_request_run(test);
    torc_test_advance(reactor, 3599999);
    check(torc_test_request_status(test) == 0, "no answer before the hour");
    torc_test_advance(reactor, 1);
    torc_test_request_run(test);
    check(torc_test_request_status(test) == 200, "the answer at the hour");
    torc_test_request_free(test);
}

/* Whichever allocation fails: the peer gets an answer or sees a broken one, and nothing is kept. */
static void memory_may_be_short(torc_reactor *reactor) {
    bool has_failed = true;

    for (uint64_t n = 1; has_failed; n++) {
        torc_test_request *test = torc_test_request_resource(reactor, routes(), "GET /greet/you");
        torc_test_fail_allocation(reactor, n);
        torc_test_request_run(test);
        has_failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        check(torc_test_request_is_complete(test) || torc_test_request_was_reset(test),
              "there is an end");
        check(has_failed || torc_test_request_status(test) == 200, "the answer when nothing fails");
        torc_test_request_free(test);
    }
}

int main(void) {
    torc_reactor *reactor;

    if (torc_test_reactor_new(NULL, &reactor)) return 1;
    names_are_decoded(reactor);
    other_methods_are_refused(reactor);
    the_reminder_comes_after_an_hour(reactor);
    memory_may_be_short(reactor);
    torc_reactor_free(reactor);
    puts("all is well");
    return 0;
}
