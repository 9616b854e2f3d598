/* SPDX-License-Identifier: MIT */
/* Testing routes: a client in memory, and a clock that the test moves. */
#include <torc/testing_client.h>
#include <torc/testing_run.h>
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

static torc_app *make_app(void) {
    torc_app *app = torc_app_new("greeter");
    torc_app_route(app, "GET /greet/{name}", greet);
    torc_app_route(app, "GET /remind", remind);
    return app;
}

/* ---- the tests ---- */

TORC_TEST(names_are_decoded) {
    torc_test_client *client = torc_test_client_new_app(make_app());

    torc_test_get(client, "/greet/M%C3%BCnchen");
    torc_test_expect_status(client, 200);
    torc_test_expect_field(client, "Content-Type", "application/json");
    torc_test_expect_body(client, "{\"hello\":\"München\"}");
    torc_test_client_free(client);
}

TORC_TEST(other_methods_are_refused) {
    torc_test_client *client = torc_test_client_new_app(make_app());

    torc_test_delete(client, "/greet/you");
    torc_test_expect_status(client, 405);
    torc_test_expect_field(client, "Allow", "GET, HEAD, OPTIONS");
    torc_test_client_free(client);
}

/* No time passes but what the test lets pass. */
TORC_TEST(the_reminder_comes_after_an_hour) {
    torc_test_client *client = torc_test_client_new_app(make_app());

    torc_test_get(client, "/remind");
    torc_test_client_advance(client, 3599999);
    torc_test_expect_no_answer(client);
    torc_test_client_advance(client, 1);
    torc_test_expect_status(client, 200);
    torc_test_client_free(client);
}

int main(int argc, char **argv) {
    return torc_test_main(argc, argv);
}
