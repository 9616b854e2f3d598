/* SPDX-License-Identifier: MIT */
/* Forms that others cannot send: cookies, tokens, and who has neither. */
#include <stdio.h>
#include <torc/csrf.h>
#include <torc/route.h>

#include "testing/uncounted.h"
#include "web/tree.h"
#include "web_fixture.h"

static torc_render page(torc_request *request) {
    return torc_reply_bytes(request, 200, "text/plain", torc_csrf_token(request));
}

static torc_render plain(torc_request *request) {
    return torc_reply_text(request, 200, "plain");
}

static torc_render post(torc_request *request) {
    return torc_reply_text(request, 200, "done");
}

static torc_site *new_site(torc_str key) {
    const torc_csrf_options options = {.size = sizeof(options), .key = key};
    torc_resource *root = torc_folder_new();

    torc_resource_use(root, torc_csrf_new(&options));
    torc_resource_route(root, "GET /page", page);
    torc_resource_route(root, "GET /plain", plain);
    torc_resource_route(root, "POST /page", post);
    return torc_site_new(root, NULL);
}

typedef struct tokens {
    char cookie[200], token[100];
} tokens;

/* Load the page; what it brought. */
static tokens load(torc_reactor *reactor, torc_site *site, const char *cookie) {
    char head[300];
    tokens got = {"", ""};

    snprintf(head, sizeof(head), "GET /page%s%s", cookie ? "\nCookie: " : "", cookie ? cookie : "");
    torc_test_request *test = web_ask(reactor, site, head);
    assert_int_equal(torc_test_request_status(test), 200);
    torc_str set = torc_test_request_field(test, "Set-Cookie"), first = {NULL, 0};
    if (set.bytes) assert_true(torc_str_find(set, TORC_STR("HttpOnly")) > 0);
    if (set.bytes) (void)torc_str_split(&set, ';', &first);
    snprintf(got.cookie, sizeof(got.cookie), "%.*s", TORC_STR_ARGS(first));
    snprintf(got.token, sizeof(got.token), "%.*s", TORC_STR_ARGS(torc_test_request_body(test)));
    torc_test_request_free(test);
    return got;
}

static int post_form(torc_reactor *reactor, torc_site *site, const char *fields, const char *body) {
    char head[700];

    snprintf(head, sizeof(head),
             "POST /page\nContent-Type: application/x-www-form-urlencoded\nContent-Length: %zu%s",
             strlen(body), fields);
    torc_test_request *test = torc_test_request_new(reactor, torc_site_acceptor(site), head);
    assert_non_null(test);
    torc_test_request_send(test, torc_str_of(body));
    torc_test_request_send_end(test);
    web_finish(reactor, test);
    const int status = torc_test_request_status(test);
    torc_test_request_free(test);
    return status;
}

static void who_has_cookie_and_token_may_send(void **state) {
    torc_site *site = new_site(torc_str_make(NULL, 0));
    const tokens got = load(*state, site, NULL);
    char fields[500], body[200];

    assert_true(strncmp(got.cookie, "csrf=", 5) == 0);
    snprintf(fields, sizeof(fields), "\nCookie: %s\nX-CSRF-Token: %s", got.cookie, got.token);
    assert_int_equal(post_form(*state, site, fields, "a=b"), 200);
    snprintf(fields, sizeof(fields), "\nCookie: %s", got.cookie);
    snprintf(body, sizeof(body), "a=b&csrf_token=%s", got.token);
    assert_int_equal(post_form(*state, site, fields, body), 200);
    torc_site_free(site);
}

static void tokens_differ_and_the_secret_stays(void **state) {
    torc_site *site = new_site(TORC_STR("a key of sixteen and more bytes"));
    const tokens first = load(*state, site, NULL), second = load(*state, site, first.cookie);
    char fields[500];

    assert_string_equal(second.cookie, "");
    assert_string_not_equal(first.token, second.token);
    snprintf(fields, sizeof(fields), "\nCookie: %s\nX-CSRF-Token: %s", first.cookie, second.token);
    assert_int_equal(post_form(*state, site, fields, ""), 200);
    torc_site_free(site);
}

static void who_lacks_one_is_refused(void **state) {
    torc_site *site = new_site(torc_str_make(NULL, 0)), *other = new_site(torc_str_make(NULL, 0));
    const tokens mine = load(*state, site, NULL), yours = load(*state, site, NULL);
    const tokens forged = load(*state, other, NULL);
    const struct {
        const char *cookie, *token;
    } cases[] = {
        {"a=b", mine.token},
        {mine.cookie, ""},
        {mine.cookie, "x"},
        {mine.cookie, yours.token},
        {forged.cookie, forged.token},
        {"csrf=", mine.token},
        {"csrf=x.y", mine.token},
    };
    char fields[500];

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        snprintf(fields, sizeof(fields), "\nCookie: %s\nX-CSRF-Token: %s", cases[i].cookie,
                 cases[i].token);
        assert_int_equal(post_form(*state, site, fields, "a=b"), 403);
    }
    snprintf(fields, sizeof(fields), "\nCookie: %s", mine.cookie);
    assert_int_equal(post_form(*state, site, fields, "a=b"), 403);
    assert_int_equal(post_form(*state, site, "", "a=b"), 403);
    torc_site_free(site);
    torc_site_free(other);
}

static void who_asks_for_no_token_gets_no_cookie(void **state) {
    torc_site *site = new_site(torc_str_make(NULL, 0));
    torc_test_request *test = web_ask(*state, site, "GET /plain");

    assert_int_equal(torc_test_request_status(test), 200);
    assert_null(torc_test_request_field(test, "Set-Cookie").bytes);
    torc_test_request_free(test);
    torc_site_free(site);
}

static void a_short_key_is_told(void **state) {
    const torc_csrf_options options = {.size = sizeof(options), .key = TORC_STR("short")};
    torc_resource *root = torc_folder_new();

    (void)state;
    torc_resource_use(root, torc_csrf_new(&options));
    assert_int_not_equal(torc_resource_err(root), TORC_OK);
    assert_non_null(strstr(torc_resource_err_text(root), "a key has from 16 to 1024 bytes"));
    torc_resource_dispose(root);
}

static void without_memory_there_is_none(void **state) {
    (void)state;
    torc_test_fail_uncounted(1);
    assert_null(torc_csrf_new(NULL));
    torc_test_fail_uncounted(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WEB_TEST(who_has_cookie_and_token_may_send), WEB_TEST(tokens_differ_and_the_secret_stays),
        WEB_TEST(who_lacks_one_is_refused),          WEB_TEST(who_asks_for_no_token_gets_no_cookie),
        cmocka_unit_test(a_short_key_is_told),       cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
