/* SPDX-License-Identifier: MIT */
/* The client of tests: what it asks, what it expects, and what it finds left over. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <torc/body.h>
#include <torc/form.h>
#include <torc/testing_client.h>
#include <torc/torc.h>
#include <unistd.h>

#include "failing.h"

/* ---- what is asked ---- */

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

/* What came: the method, a field, the type, the body, and how many pieces that came in. */
static torc_render tell(torc_request *request) {
    char bytes[4096];
    torc_buf text;
    torc_str piece;
    unsigned pieces = 0;
    torc_err err;

    torc_buf_init_fixed(&text, bytes, sizeof(bytes));
    torc_buf_addf(&text, "%.*s %.*s|%.*s|%.*s|", TORC_STR_ARGS(torc_request_method_text(request)),
                  TORC_STR_ARGS(torc_request_target(request)),
                  TORC_STR_ARGS(torc_request_field(request, "X-Word")),
                  TORC_STR_ARGS(torc_request_field(request, "Content-Type")));
    while ((err = torc_body_read(request, &piece)) == TORC_OK && piece.len > 0) {
        torc_buf_add(&text, piece);
        pieces++;
    }
    if (err && err != TORC_ERR_CLOSED) return torc_reply_error(request, err);
    torc_buf_addf(&text, "|%u", pieces);
    torc_buf_add_byte(&text, '\0');
    return torc_reply_text(request, 200, bytes);
}

static torc_render who(torc_request *request) {
    const torc_addr peer = torc_request_peer(request);
    char text[TORC_ADDR_TEXT_MAX];

    return torc_reply_bytes(request, 200, "text/plain", torc_addr_host_text(&peer, text));
}

static torc_render host(torc_request *request) {
    const torc_str value = torc_request_field(request, "Host");
    return torc_reply_bytes(request, 200, "text/plain", value);
}

static torc_render redirect(torc_request *request) {
    torc_str to = {0}, status = {0};
    char location[200], number[8];

    (void)torc_request_arg(request, "to", &to);
    (void)torc_request_arg(request, "status", &status);
    snprintf(location, sizeof(location), "%.*s", TORC_STR_ARGS(to));
    snprintf(number, sizeof(number), "%.*s", TORC_STR_ARGS(status));
    torc_response_set(request, "Location", torc_str_of(location));
    return torc_reply_text(request, number[0] ? atoi(number) : 302, "elsewhere");
}

static torc_render long_answer(torc_request *request) {
    for (int i = 0; i < 100; i++) torc_request_write(request, TORC_STR("0123456789"));
    return torc_reply_end(request);
}

static torc_render break_off(torc_request *request) {
    torc_request_write(request, TORC_STR("half"));
    torc_request_abort(request);
    return TORC_RENDER_DONE;
}

static torc_render log_an_error(torc_request *request) {
    TORC_LOG_ERROR(torc_reactor_log(torc_request_reactor(request)), "shop", "out of tea",
                   TORC_LOG_INT("left", 0));
    return torc_reply_text(request, 200, "sorry");
}

static void never(torc_timer *timer) {
    (void)timer;
}

static torc_timer forgotten_timer;
static torc_deferred *forgotten_deferred;
static int forgotten_fd = -1;

static torc_render forget_timer(torc_request *request) {
    torc_timer_init(&forgotten_timer, torc_request_reactor(request), never);
    torc_timer_arm(&forgotten_timer, 60000);
    return torc_reply_text(request, 200, "");
}

static void give_up(torc_deferred *deferred, void *context) {
    (void)context;
    (void)torc_deferred_fail(deferred, TORC_ERR_CANCELLED);
}

static torc_render forget_deferred(torc_request *request) {
    forgotten_deferred = torc_deferred_new(torc_request_reactor(request));
    torc_deferred_set_canceller(forgotten_deferred, give_up, NULL);
    return torc_reply_text(request, 200, "");
}

static torc_err sleep_long(void *context) {
    return torc_sleep(context, 1000000);
}

static torc_render forget_fiber(torc_request *request) {
    torc_deferred_detach(torc_defer_to_fiber(torc_request_reactor(request), sleep_long,
                                             torc_request_reactor(request), NULL));
    return torc_reply_text(request, 200, "");
}

static torc_render forget_fd(torc_request *request) {
    forgotten_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return torc_reply_text(request, 200, "");
}

static torc_resource *routes(void) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET /greet/{name}", greet);
    torc_resource_route(root, "GET /remind", remind);
    torc_resource_route(root, "* /tell", tell);
    torc_resource_route(root, "* /a/b/tell", tell);
    torc_resource_route(root, "GET /host", host);
    torc_resource_route(root, "GET /who", who);
    torc_resource_route(root, "* /redirect", redirect);
    torc_resource_route(root, "* /a/redirect", redirect);
    torc_resource_route(root, "GET /long", long_answer);
    torc_resource_route(root, "GET /broken", break_off);
    torc_resource_route(root, "GET /error", log_an_error);
    torc_resource_route(root, "GET /timer", forget_timer);
    torc_resource_route(root, "GET /deferred", forget_deferred);
    torc_resource_route(root, "GET /fiber", forget_fiber);
    torc_resource_route(root, "GET /fd", forget_fd);
    return root;
}

/* ---- asking ---- */

static void answers_are_looked_at(void **state) {
    torc_test_client *client = torc_test_client_new_resource(routes());

    torc_test_get(client, "/greet/M%C3%BCnchen");
    torc_test_expect_status(client, 200);
    torc_test_expect_field(client, "content-type", "application/json");
    torc_test_expect_field_contains(client, "Content-Type", "json");
    torc_test_expect_no_field(client, "Location");
    torc_test_expect_body(client, "{\"hello\":\"München\"}");
    torc_test_expect_body_contains(client, "München");
    torc_test_expect_whole(client);
    check_str(torc_test_field(client, "Content-Type"), "application/json");
    check_str(torc_test_body(client), "{\"hello\":\"München\"}");
    torc_test_head(client, "/greet/you");
    torc_test_expect_status(client, 200);
    torc_test_expect_body(client, "");
    torc_test_delete(client, "/greet/you");
    torc_test_expect_status(client, 405);
    torc_test_expect_field(client, "Allow", "GET, HEAD, OPTIONS");
    assert_true(torc_test_client_free(client));
}

static void bodies_and_fields_are_sent(void **state) {
    torc_test_client *client = torc_test_client_new_route(tell);

    torc_test_client_set_field(client, "X-Word", "always");
    torc_test_post(client, "/", "text/plain", "abc");
    torc_test_expect_body(client, "POST /|always|text/plain|abc|1");
    torc_test_client_set_field(client, "X-Word", NULL);
    torc_test_client_add_field(client, "X-Word", "once");
    torc_test_put_json(client, "/x", "{}");
    torc_test_expect_body(client, "PUT /x|once|application/json|{}|1");
    torc_test_patch_json(client, "/x", "[]");
    torc_test_expect_body_bytes(client, TORC_STR("PATCH /x||application/json|[]|1"));
    torc_test_post_form(client, "/", "name", "J&J", "of", "ten");
    torc_test_expect_body(client, "POST /||application/x-www-form-urlencoded|name=J%26J&of=ten|1");
    torc_test_client_set_pieces(client, 2, 1000);
    torc_test_post_json(client, "/", "[1,2]");
    torc_test_expect_body(client, "POST /||application/json|[1,2]|3");
    assert_true(torc_test_client_free(client));
}

static void a_body_may_pause(void **state) {
    torc_test_client *client = torc_test_client_new_route(tell);
    const uint64_t before = torc_reactor_now_ms(torc_test_client_reactor(client));

    torc_test_client_set_pieces(client, 1, 1000);
    torc_test_post(client, "/", "text/plain", "abcd");
    torc_test_expect_status(client, 200);
    assert_int_equal(torc_reactor_now_ms(torc_test_client_reactor(client)) - before, 3000);
    assert_true(torc_test_client_free(client));
}

static void time_passes_by_hand(void **state) {
    torc_test_client *client = torc_test_client_new_resource(routes());

    torc_test_get(client, "/remind");
    torc_test_client_advance(client, 3599999);
    torc_test_expect_no_answer(client);
    torc_test_client_advance(client, 1);
    torc_test_expect_body(client, "An hour has passed.\n");
    torc_test_get(client, "/remind");
    assert_false(torc_test_client_wait(client, 3599999));
    assert_true(torc_test_client_wait(client, 7200000));
    torc_test_expect_status(client, 200);
    assert_true(torc_test_client_free(client));
}

static void several_are_asked_at_once(void **state) {
    torc_test_client *client = torc_test_client_new_resource(routes());
    torc_test_request *first = torc_test_begin(client, "POST /tell\nTransfer-Encoding: chunked");
    torc_test_request *second = torc_test_begin(client, "POST /tell\nContent-Length: 1");

    torc_test_client_run(client);
    torc_test_expect_no_answer(client);
    torc_test_request_send(second, TORC_STR("2"));
    torc_test_request_send_end(second);
    torc_test_client_run(client);
    torc_test_expect_body(client, "POST /tell|||2|1");
    torc_test_client_look_at(client, first);
    torc_test_expect_no_answer(client);
    torc_test_request_send(first, TORC_STR("1"));
    torc_test_request_send_end(first);
    torc_test_client_run(client);
    torc_test_expect_body(client, "POST /tell|||1|1");
    assert_ptr_equal(torc_test_client_answer(client), first);
    assert_true(torc_test_client_free(client));
}

static void a_client_goes_away(void **state) {
    torc_test_client *client = torc_test_client_new_resource(routes());
    torc_test_request *request = torc_test_begin(client, "GET /remind");

    torc_test_client_advance(client, 1000);
    torc_test_request_disconnect(request);
    torc_test_client_run(client);
    torc_test_expect_status(client, 200);
    failed_with("there is no status");
    assert_true(torc_test_client_free(client));
}

static void a_slow_client_gets_everything(void **state) {
    torc_test_client *client = torc_test_client_new_resource(routes());
    const uint64_t before = torc_reactor_now_ms(torc_test_client_reactor(client));

    torc_test_client_set_slow(client, 10, 100);
    torc_test_get(client, "/long");
    torc_test_expect_whole(client);
    assert_int_equal(torc_test_body(client).len, 1000);
    assert_true(torc_reactor_now_ms(torc_test_client_reactor(client)) >= before);
    assert_true(torc_test_client_free(client));
}

static void broken_answers_are_told_from_whole_ones(void **state) {
    torc_test_client *client = torc_test_client_new_resource(routes());

    torc_test_get(client, "/broken");
    torc_test_expect_aborted(client);
    assert_false(torc_test_expect_whole(client));
    failed_with("is not whole");
    torc_test_get(client, "/long");
    assert_false(torc_test_expect_aborted(client));
    failed_with("should have been broken off");
    assert_true(torc_test_client_free(client));
}

static void peers_have_addresses(void **state) {
    torc_test_client *client = torc_test_client_new_resource(routes());

    torc_test_get(client, "/who");
    torc_test_expect_body(client, "127.0.0.1");
    assert_int_equal(torc_test_client_set_peer(client, "192.0.2.7", 1), 0);
    assert_int_not_equal(torc_test_client_set_peer(client, "nobody", 1), 0);
    torc_test_get(client, "/who");
    torc_test_expect_body(client, "192.0.2.7");
    torc_test_get(client, "/host");
    torc_test_expect_body(client, "localhost");
    torc_test_client_set_field(client, "Host", "example.org");
    torc_test_get(client, "/host");
    torc_test_expect_body(client, "example.org");
    assert_true(torc_test_client_free(client));
}

static torc_render tell_form(torc_request *request) {
    const torc_form_entries *entries;
    const torc_err err = torc_request_form(request, &entries);
    char text[100];

    if (err) return torc_reply_error(request, err);
    const torc_str name = torc_form_value(entries, "name"), of = torc_form_value(entries, "of");
    snprintf(text, sizeof(text), "%.*s of %.*s", TORC_STR_ARGS(name), TORC_STR_ARGS(of));
    return torc_reply_text(request, 200, text);
}

static void forms_are_read_by_their_readers(void **state) {
    const torc_test_part parts[] = {
        {.name = "of", .body = TORC_STR("ten\r\n")},
        {.name = "name", .type = "text/plain", .body = TORC_STR("J&J ü")},
    };
    torc_test_client *client = torc_test_client_new_route(tell_form);

    torc_test_post_form(client, "/", "name", "J&J ü", "of", "ten\r\n");
    torc_test_expect_body(client, "J&J ü of ten\r\n");
    torc_test_client_set_pieces(client, 3, 10);
    torc_test_post_parts(client, "/", parts, TORC_COUNT_OF(parts));
    torc_test_expect_body(client, "J&J ü of ten\r\n");
    assert_true(torc_test_client_free(client));
}

static void forms_may_have_files(void **state) {
    const torc_test_part parts[] = {
        {.name = "note", .body = TORC_STR("torc-test-0")},
        {.name = "a\"b", .file_name = "x\n.txt", .type = "text/plain", .body = TORC_STR("abc")},
    };
    torc_test_client *client = torc_test_client_new_route(tell);

    torc_test_post_parts(client, "/", parts, TORC_COUNT_OF(parts));
    torc_test_expect_body_contains(client, "|multipart/form-data; boundary=torc-test-1|");
    torc_test_expect_body_contains(
        client, "--torc-test-1\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n"
                "torc-test-0\r\n--torc-test-1\r\nContent-Disposition: form-data; "
                "name=\"a%22b\"; filename=\"x%0A.txt\"\r\nContent-Type: text/plain\r\n\r\nabc\r\n"
                "--torc-test-1--\r\n");
    assert_true(torc_test_client_free(client));
}

/* Whichever allocation fails: the client has an answer, or sees a broken one. */
static void memory_may_be_short(void **state) {
    torc_test_client *client = torc_test_client_new_resource(routes());
    torc_reactor *reactor = torc_test_client_reactor(client);
    bool has_failed = true;
    uint64_t n = 0;

    while (has_failed) {
        torc_test_fail_allocation(reactor, ++n);
        torc_test_get(client, "/greet/you");
        has_failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        assert_true(torc_test_request_is_over(torc_test_client_answer(client)));
    }
    torc_test_expect_status(client, 200);
    assert_true(n > 3);
    torc_test_log_clear(torc_test_client_log(client));
    assert_true(torc_test_client_free(client));
}

/* ---- redirects ---- */

static void redirects_are_followed(void **state) {
    static const struct {
        const char *from, *status, *to, *is;
    } cases[] = {
        {"/redirect", "302", "/tell?a=1", "GET /tell?a=1|||"},
        {"/redirect", "301", "tell", "GET /tell|||"},
        {"/a/redirect", "302", "b/tell", "GET /a/b/tell|||"},
        {"/a/redirect", "302", "../tell", "GET /tell|||"},
        {"/a/redirect", "302", "./b/../../tell%23x", "GET /tell%23x|||"},
        {"/a/redirect", "302", "b/tell%3Fq=1%23f", "GET /a/b/tell?q=1|||"},
        {"/redirect", "302", "http://example.org/tell", "GET /tell|||"},
        {"/redirect", "302", "//example.org/tell", "GET /tell|||"},
    };
    torc_test_client *client = torc_test_client_new_resource(routes());
    char target[200];

    torc_test_client_follow_redirects(client, 5);
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        snprintf(target, sizeof(target), "%s?status=%s&to=%s", cases[i].from, cases[i].status,
                 cases[i].to);
        torc_test_get(client, target);
        if (i == 4) continue; /* its answer is 404: the segment is another one */
        torc_test_expect_body_contains(client, cases[i].is);
        assert_int_equal(torc_test_client_redirect_count(client), 1);
    }
    torc_test_get(client, "/host");
    torc_test_expect_body(client, "example.org");
    assert_true(torc_test_client_free(client));
}

static torc_render secure(torc_request *request) {
    return torc_reply_text(request, 200, torc_request_is_secure(request) ? "secure" : "open");
}

static void redirects_lead_to_https_and_back(void **state) {
    torc_resource *root = routes();
    torc_resource_route(root, "GET /secure", secure);
    torc_test_client *client = torc_test_client_new_resource(root);

    torc_test_client_follow_redirects(client, 1);
    torc_test_get(client, "/redirect?to=https://example.org/secure");
    torc_test_expect_body(client, "secure");
    torc_test_get(client, "/redirect?to=/secure");
    torc_test_expect_body(client, "secure");
    torc_test_get(client, "/redirect?to=http://example.org/secure");
    torc_test_expect_body(client, "open");
    torc_test_get(client, "/a/redirect?to=https://example.org");
    torc_test_expect_status(client, 404); /* of "/" */
    assert_int_equal(torc_test_client_redirect_count(client), 1);
    assert_true(torc_test_client_free(client));
}

static void methods_change_as_in_browsers(void **state) {
    torc_test_client *client = torc_test_client_new_resource(routes());

    torc_test_client_follow_redirects(client, 1);
    torc_test_post(client, "/redirect?status=302&to=/tell", "text/plain", "abc");
    torc_test_expect_body(client, "GET /tell||||0");
    torc_test_post(client, "/redirect?status=303&to=/tell", "text/plain", "abc");
    torc_test_expect_body(client, "GET /tell||||0");
    torc_test_post(client, "/redirect?status=307&to=/tell", "text/plain", "abc");
    torc_test_expect_body(client, "POST /tell||text/plain|abc|1");
    torc_test_send(client, "PUT", "/redirect?status=302&to=/tell", "text/plain", "abc");
    torc_test_expect_body(client, "PUT /tell||text/plain|abc|1");
    torc_test_get(client, "/redirect?to=/redirect?to=/tell");
    torc_test_expect_status(client, 302);
    assert_int_equal(torc_test_client_redirect_count(client), 1);
    torc_test_client_follow_redirects(client, 0);
    torc_test_get(client, "/redirect?to=/tell");
    torc_test_expect_status(client, 302);
    torc_test_expect_field(client, "Location", "/tell");
    assert_true(torc_test_client_free(client));
}

/* ---- JSON ---- */

static torc_render order(torc_request *request) {
    return torc_reply_bytes(request, 200, "application/json",
                            TORC_STR("{\"id\": 7, \"items\": [{\"name\": \"tea\", \"price\": 2.50},"
                                     " {\"name\": \"a/b~c\", \"price\": 1e2}], \"note\": null}"));
}

static void json_is_compared_by_what_it_means(void **state) {
    torc_test_client *client = torc_test_client_new_route(order);
    int64_t id;

    torc_test_get(client, "/");
    torc_test_expect_json(client, "",
                          "{\"note\":null,\"items\":[{\"price\":2.5,\"name\":\"tea\"},"
                          "{\"name\":\"a\\/b~c\",\"price\":100}],\"id\":7.0}");
    torc_test_expect_json(client, "/items/0/price", "2.5");
    torc_test_expect_json(client, "/items/1", "{\"price\":100,\"name\":\"a/b~c\"}");
    torc_test_expect_json(client, "/note", "null");
    torc_test_expect_no_json(client, "/items/2");
    assert_true(torc_json_as_int(torc_test_json(client, "/id"), &id));
    assert_int_equal(id, 7);
    assert_null(torc_test_json(client, "/nothing"));
    assert_true(torc_test_client_free(client));
}

static void json_that_differs_says_where(void **state) {
    torc_test_client *client = torc_test_client_new_route(order);

    torc_test_get(client, "/");
    assert_false(torc_test_expect_json(
        client, "", "{\"id\":8,\"items\":[{\"name\":\"tea\"}],\"note\":false,\"a/b\":[]}"));
    failed_with("GET /: the JSON is not what it should be:");
    and_with("/id is 7, and should be 8");
    and_with("/items/0/price should not be there: 2.50");
    and_with("/items/1 should not be there: {\"name\":\"a/b~c\"");
    and_with("/note is null, and should be false");
    and_with("/a~1b is missing, which should be: []");
    assert_false(torc_test_expect_json(client, "/items/0/name", "\"coffee\""));
    failed_with("/items/0/name is \"tea\", and should be \"coffee\"");
    assert_false(torc_test_expect_json(client, "/nothing", "1"));
    failed_with("there is nothing at /nothing, which should be 1");
    assert_false(torc_test_expect_no_json(client, "/id"));
    failed_with("there is a value at /id");
    assert_false(torc_test_expect_json(client, "", "{"));
    failed_with("what should be is no JSON: line 1");
    assert_true(torc_test_client_free(client));
    client = torc_test_client_new_route(host);
    torc_test_get(client, "/");
    assert_false(torc_test_expect_json(client, "", "1"));
    failed_with("the body is no JSON: line 1, column 1");
    and_with("localhost");
    assert_null(torc_test_json(client, ""));
    assert_true(torc_test_client_free(client));
    assert_true(torc_test_expect_same_json(TORC_STR("[1, 2]"), TORC_STR("[1.0,2]")));
    assert_false(torc_test_expect_same_json(TORC_STR("[1]"), TORC_STR("[1,2]")));
    failed_with("/1 is missing, which should be: 2");
    assert_false(torc_test_expect_same_json(TORC_STR("[1]"), TORC_STR("[")));
    failed_with("what should be is no JSON");
    assert_false(torc_test_expect_same_json(TORC_STR("[0,0,0,0,0,0,0,0,0,0,0,0]"),
                                            TORC_STR("[1,1,1,1,1,1,1,1,1,1,1,1]")));
    failed_with("and 2 differences more");
    assert_false(torc_test_expect_same_json(TORC_STR("\"1\""), TORC_STR("1")));
    failed_with("the document is \"1\", and should be 1");
}

/* ---- cookies ---- */

static torc_render set_cookies(torc_request *request) {
    torc_str wanted = {0};

    (void)torc_request_arg(request, "set", &wanted);
    torc_response_add(request, "Set-Cookie", wanted);
    return torc_reply_bytes(request, 200, "text/plain", torc_request_field(request, "Cookie"));
}

static void expect_cookies(torc_test_client *client, const char *target, const char *cookies) {
    torc_test_get(client, target);
    torc_test_expect_body(client, cookies);
}

static void cookies_are_kept(void **state) {
    torc_test_client *client = torc_test_client_new_route(set_cookies);

    torc_test_get(client, "/?set=session%3D1");
    expect_cookies(client, "/", "session=1");
    torc_test_get(client, "/deep/down?set=here%3Dyes");
    expect_cookies(client, "/", "session=1");
    expect_cookies(client, "/deep/x", "here=yes; session=1");
    check_str(torc_test_client_cookie(client, "/deep/x", "here"), "yes");
    assert_null(torc_test_client_cookie(client, "/", "here").bytes);
    torc_test_get(client, "/?set=session%3D2");
    expect_cookies(client, "/", "session=2");
    torc_test_get(client, "/?set=session%3D2%3B%20Max-Age%3D0");
    expect_cookies(client, "/", "");
    torc_test_client_set_cookie(client, "own", "made");
    expect_cookies(client, "/any/where", "own=made");
    torc_test_client_add_field(client, "Cookie", "mine=1");
    expect_cookies(client, "/", "mine=1");
    torc_test_client_set_cookie(client, "own", NULL);
    expect_cookies(client, "/", "");
    torc_test_client_set_cookie(client, "own", "made");
    torc_test_client_clear_cookies(client);
    expect_cookies(client, "/deep/x", "");
    torc_test_client_keep_cookies(client, false);
    torc_test_get(client, "/?set=a%3D1");
    expect_cookies(client, "/", "");
    assert_true(torc_test_client_free(client));
}

static void cookies_are_for_hosts_and_times(void **state) {
    torc_test_client *client = torc_test_client_new_route(set_cookies);

    torc_test_client_set_field(client, "Host", "www.example.org:8080");
    torc_test_get(client, "/?set=wide%3D1%3B%20Domain%3Dexample.org");
    torc_test_get(client, "/?set=narrow%3D2");
    torc_test_get(client, "/?set=foreign%3D3%3B%20Domain%3Dexample.com");
    torc_test_get(client, "/?set=short%3D4%3B%20Max-Age%3D60");
    torc_test_get(client, "/?set=safe%3D5%3B%20Secure");
    expect_cookies(client, "/", "wide=1; narrow=2; short=4");
    torc_test_client_add_field(client, "Host", "shop.example.org");
    expect_cookies(client, "/", "wide=1");
    torc_test_client_add_field(client, "Host", "example.com");
    expect_cookies(client, "/", "");
    torc_test_client_advance(client, 60000);
    expect_cookies(client, "/", "wide=1; narrow=2");
    torc_test_client_set_secure(client, true);
    torc_test_get(client, "/?set=safe%3D5%3B%20Secure");
    expect_cookies(client, "/", "wide=1; narrow=2; safe=5");
    torc_test_client_set_secure(client, false);
    expect_cookies(client, "/", "wide=1; narrow=2");
    assert_true(torc_test_client_free(client));
}

/* ---- failing ---- */

static void failures_say_what_came(void **state) {
    torc_test_client *client = torc_test_client_new_resource(routes());

    assert_false(torc_test_expect_status(client, 200));
    failed_with("nothing was asked");
    torc_test_get(client, "/greet/you?x=1");
    assert_false(torc_test_expect_status(client, 404));
    failed_with("GET /greet/you?x=1: the status is 200, and should be 404");
    and_with("200 OK");
    and_with("Content-Type: application/json");
    and_with("{\"hello\":\"you\"}");
    assert_non_null(strstr(failed_place, "test_client.c:"));
    assert_false(torc_test_expect_field(client, "Content-Type", "text/plain"));
    failed_with("Content-Type is \"application/json\", and should be \"text/plain\"");
    assert_false(torc_test_expect_field(client, "ETag", "x"));
    failed_with("there is no field ETag");
    assert_false(torc_test_expect_no_field(client, "Content-Type"));
    failed_with("should not be there");
    assert_false(torc_test_expect_body(client, "{\"hello\":\"me\"}"));
    failed_with("from byte 10 on");
    assert_false(torc_test_expect_body_contains(client, "me"));
    failed_with("should have in it: me");
    assert_false(torc_test_expect_no_answer(client));
    failed_with("it is answered");
    assert_null(torc_test_get(client, "not a target"));
    failed_with("it cannot be asked");
    assert_true(torc_test_client_free(client));
}

static void no_answer_says_what_is_waited_for(void **state) {
    torc_test_client *client = torc_test_client_new_resource(routes());

    torc_test_get(client, "/remind");
    assert_false(torc_test_expect_status(client, 200));
    failed_with("no answer has come");
    and_with("GET /remind, for 0 ms");
    and_with("torc_sleep");
    assert_false(torc_test_client_free(client));
    failed_with("request: GET /remind, asked at");
    and_with("torc_sleep");
}

/* ---- deferring ---- */

static torc_request *waiting;

static torc_render put_off(torc_resource *resource, torc_request *request) {
    (void)resource;
    waiting = request;
    return TORC_RENDER_NOT_DONE_YET;
}

static const torc_resource_ops put_off_ops = {.render = put_off};

static torc_render hold_up(torc_middleware *middleware, torc_request *request) {
    (void)middleware;
    (void)request;
    return TORC_RENDER_NOT_DONE_YET;
}

static const torc_middleware_ops hold_up_ops = {.request_received = hold_up};
static const torc_middleware_ops let_pass_ops = {0};

/* Also where there is no fiber whose stack would tell. */
static void who_has_deferred_is_named(void **state) {
    torc_resource resource, held;
    torc_middleware gate = {.ops = &hold_up_ops}, door = {.ops = &let_pass_ops};
    torc_resource *root = torc_folder_new();

    torc_resource_init(&resource, &put_off_ops);
    torc_resource_init(&held, &put_off_ops);
    torc_resource_put_child(root, "later", &resource);
    torc_resource_put_child(root, "held", &held);
    torc_resource_use(&held, &door);
    torc_resource_use(&held, &gate);
    torc_test_client *client = torc_test_client_new_resource(root);
    torc_test_get(client, "/later");
    assert_false(torc_test_expect_status(client, 200));
    failed_with("no answer has come; it waits in, or was deferred by, put_off");
    torc_reply_text(waiting, 200, "now");
    torc_test_client_run(client);
    torc_test_expect_body(client, "now");
    torc_test_get(client, "/held");
    assert_false(torc_test_client_free(client));
    failed_with("GET /held, asked at");
    and_with("deferred by, hold_up");
}

/* ---- threads, and sites of the test's own ---- */

static torc_err compute(void *data) {
    *(int *)data = 42;
    return TORC_OK;
}

static torc_render answer_from_thread(torc_request *request) {
    int value = 0;
    const torc_err err = torc_await(
        torc_defer_to_thread(torc_request_reactor(request), TORC_THREAD_CPU, compute, &value, NULL),
        NULL);

    return err ? torc_reply_error(request, err)
               : torc_reply_text(request, 200, value == 42 ? "42" : "?");
}

static void jobs_of_threads_are_waited_for(void **state) {
    torc_test_client *client = torc_test_client_new_route(answer_from_thread);

    torc_test_get(client, "/");
    torc_test_expect_body(client, "42");
    assert_true(torc_test_client_free(client));
}

static void a_site_of_the_tests_own_is_asked(void **state) {
    const torc_reactor_options options = {.size = sizeof(options), .fibers_max = 1};
    torc_test_client *client = torc_test_client_new(&options);
    torc_site *site = torc_site_new(routes(), NULL);

    torc_test_client_set_acceptor(client, torc_site_acceptor(site));
    torc_test_get(client, "/host");
    torc_test_expect_body(client, "localhost");
    torc_test_get(client, "/remind");
    torc_test_expect_no_answer(client);
    torc_test_get(client, "/host");
    torc_test_expect_status(client, 503);
    torc_test_client_advance(client, 3600000);
    torc_site_free(site);
    assert_true(torc_test_client_free(client));
}

/* ---- left over ---- */

static torc_test_client *after(const char *target) {
    torc_test_client *client = torc_test_client_new_resource(routes());

    torc_test_get(client, target);
    torc_test_expect_status(client, 200);
    return client;
}

static void what_is_left_over_is_named(void **state) {
    assert_false(torc_test_client_free(after("/timer")));
    failed_with("timer: in 60000 ms, never");
    torc_test_client *client = after("/deferred");
    assert_false(torc_test_client_free(client));
    failed_with("deferred: made at");
    and_with("test_client.c");
    assert_false(torc_test_client_free(after("/fiber")));
    failed_with("fiber: waits");
    and_with("torc_sleep");
    assert_false(torc_test_client_free(after("/fd")));
    close(forgotten_fd);
    failed_with("not closed, /dev/null");
    client = torc_test_client_new_resource(routes());
    torc_test_client_ignore_descriptors(client);
    torc_test_get(client, "/fd");
    assert_true(torc_test_client_free(client));
    close(forgotten_fd);
}

static void errors_in_the_log_must_be_expected(void **state) {
    assert_false(torc_test_client_free(after("/error")));
    failed_with("logged: ");
    and_with("out of tea");
    torc_test_client *client = after("/error");
    assert_false(torc_test_expect_no_errors(torc_test_client_log(client)));
    failed_with("out of tea");
    assert_true(torc_test_expect_logged(client, "shop", "out of tea"));
    assert_false(torc_test_expect_logged(client, "shop", "out of tea"));
    failed_with("the log has no event \"out of tea\" of shop");
    assert_true(torc_test_client_free(client));
}

static void a_tree_that_is_broken_is_told(void **state) {
    torc_resource *root = torc_folder_new();

    torc_resource_route(root, "GET no slash", greet);
    torc_test_client *client = torc_test_client_new_resource(root);
    failed_with("no site: ");
    assert_null(torc_test_get(client, "/"));
    failed_with("there is nobody to ask");
    assert_true(torc_test_client_free(client));
}

/* ---- apps ---- */

static int started, stopped;

static torc_render count_visits(torc_request *request) {
    int *visits = torc_request_context(request);
    char text[20];

    snprintf(text, sizeof(text), "%d", ++*visits);
    return torc_reply_text(request, 200, text);
}

static void app_started(torc_app *app) {
    started++;
    assert_non_null(torc_app_reactor(app));
    torc_app_set_context(app, calloc(1, sizeof(int)));
}

static void app_stopped(torc_app *app) {
    stopped++;
    free(torc_app_context(app));
}

static char word[20];

static const char *take_word(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    snprintf(word, sizeof(word), "%s", value);
    return strcmp(value, "bad") == 0 ? "it is bad" : NULL;
}

static torc_render say_word(torc_request *request) {
    return torc_reply_text(request, 200, word);
}

static torc_app *shop(void) {
    torc_app *app = torc_app_new("shop");

    torc_app_add_option(app, "word", "WORD", "what is said", take_word);
    torc_app_route(app, "GET /visits", count_visits);
    torc_app_route(app, "GET /word", say_word);
    torc_app_route(app, "* /tell", tell);
    torc_app_on_start(app, app_started);
    torc_app_on_stop(app, app_stopped);
    return app;
}

static void apps_start_and_stop(void **state) {
    started = stopped = 0;
    torc_test_client *client = torc_test_client_new_app(shop());
    assert_int_equal(started, 1);
    assert_non_null(torc_test_client_site(client));
    torc_test_get(client, "/visits");
    torc_test_get(client, "/visits");
    torc_test_expect_body(client, "2");
    assert_int_equal(stopped, 0);
    assert_true(torc_test_client_free(client));
    assert_int_equal(stopped, 1);
}

static void apps_have_arguments(void **state) {
    static const char *const arguments[] = {"--word", "yes", "--limit", "body-bytes=4", NULL};
    torc_test_client *client = torc_test_client_new_app_with(shop(), arguments);

    torc_test_get(client, "/word");
    torc_test_expect_body(client, "yes");
    torc_test_post(client, "/tell", "text/plain", "abcd");
    torc_test_expect_status(client, 200);
    torc_test_post(client, "/tell", "text/plain", "abcde");
    torc_test_expect_status(client, 413);
    assert_true(torc_test_client_free(client));
}

/* Middlewares of the app are on the way, and rates are counted in moved time. */
static void apps_have_middlewares(void **state) {
    torc_app *app = torc_app_new("shop");
    const torc_rate_limit_options options = {.size = sizeof(options), .rate = "2/min"};

    torc_app_route(app, "GET /word", say_word);
    torc_app_use(app, torc_rate_limit_new(&options));
    torc_test_client *client = torc_test_client_new_app(app);
    for (int i = 0; i < 2; i++) {
        torc_test_get(client, "/word");
        torc_test_expect_status(client, 200);
    }
    torc_test_get(client, "/word");
    torc_test_expect_status(client, 429);
    torc_test_client_advance(client, 60000);
    torc_test_get(client, "/word");
    torc_test_expect_status(client, 200);
    assert_true(torc_test_client_free(client));
}

static void refuse(torc_app *app) {
    torc_app_refuse(app, "there is no shop");
}

static void apps_that_cannot_start_are_told(void **state) {
    torc_app *app = torc_app_new("shop");

    torc_app_on_start(app, refuse);
    torc_test_client *client = torc_test_client_new_app(app);
    failed_with("the app cannot start: there is no shop");
    assert_null(torc_test_get(client, "/"));
    failed_with("there is nobody to ask");
    assert_true(torc_test_client_free(client));
}

static int ticks;

static torc_deferred *tick(void *context, uint64_t count) {
    (void)context;
    (void)count;
    ticks++;
    return NULL;
}

static void services_run_in_moved_time(void **state) {
    torc_app *app = torc_app_new("shop");

    ticks = 0;
    torc_app_route(app, "GET /word", say_word);
    torc_app_add_service(app, torc_looping_service_new("ticks", 1000, tick, NULL));
    torc_test_client *client = torc_test_client_new_app(app);
    torc_test_client_advance(client, 10000);
    assert_true(ticks >= 10);
    torc_test_get(client, "/word");
    torc_test_expect_status(client, 200);
    assert_true(torc_test_client_free(client));
}

static void what_is_not_freed_is_missed_at_the_end(void **state) {
    torc_test_client *client = torc_test_client_new_resource(routes());
    const uint64_t before = torc_test_failure_count();

    assert_int_equal(torc_test_end(), 1);
    failed_with("1 test clients were not freed");
    assert_int_equal(torc_test_failure_count(), before + 1);
    assert_true(torc_test_client_free(client));
    assert_true(torc_test_client_free(NULL));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, failing_begin, failing_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(answers_are_looked_at),
        CASE(bodies_and_fields_are_sent),
        CASE(forms_are_read_by_their_readers),
        CASE(forms_may_have_files),
        CASE(a_body_may_pause),
        CASE(time_passes_by_hand),
        CASE(several_are_asked_at_once),
        CASE(a_client_goes_away),
        CASE(a_slow_client_gets_everything),
        CASE(broken_answers_are_told_from_whole_ones),
        CASE(peers_have_addresses),
        CASE(memory_may_be_short),
        CASE(redirects_are_followed),
        CASE(redirects_lead_to_https_and_back),
        CASE(methods_change_as_in_browsers),
        CASE(json_is_compared_by_what_it_means),
        CASE(json_that_differs_says_where),
        CASE(cookies_are_kept),
        CASE(cookies_are_for_hosts_and_times),
        CASE(failures_say_what_came),
        CASE(no_answer_says_what_is_waited_for),
        CASE(who_has_deferred_is_named),
        CASE(jobs_of_threads_are_waited_for),
        CASE(a_site_of_the_tests_own_is_asked),
        CASE(what_is_left_over_is_named),
        CASE(errors_in_the_log_must_be_expected),
        CASE(a_tree_that_is_broken_is_told),
        CASE(apps_start_and_stop),
        CASE(apps_have_arguments),
        CASE(apps_have_middlewares),
        CASE(apps_that_cannot_start_are_told),
        CASE(services_run_in_moved_time),
        CASE(what_is_not_freed_is_missed_at_the_end),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
