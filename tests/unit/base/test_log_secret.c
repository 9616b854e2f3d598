/* SPDX-License-Identifier: MIT */
/*
 * What is never logged.
 */
#include <torc/failure.h>

#include "base/log.h"
#include "check.h"

static torc_log *log_;
static torc_buf buf;

static int64_t at_zero(void *context) {
    return 0;
}

static int set_up(void **state) {
    torc_buf_init(&buf, NULL, TORC_MEMORY_OTHER, 100000);
    if (torc_log_new_buf(NULL, &buf, TORC_LOG_FORMAT_TEXT, &log_)) return -1;
    torc_log_set_clock(log_, at_zero, NULL);
    return 0;
}

static int tear_down(void **state) {
    torc_log_free(log_);
    torc_buf_dispose(&buf);
    return 0;
}

/* The fields of the one line that there is. */
static torc_str fields(void) {
    static const torc_str before = TORC_STR_INIT("1970-01-01T00:00:00.000Z info     [a] t ");
    static char last[100000];
    const torc_str line = torc_str_from(torc_buf_str(&buf), before.len);

    memcpy(last, line.bytes, line.len);
    torc_buf_clear(&buf);
    return torc_str_make(last, line.len - 1);
}

static void keys_that_name_credentials(void **state) {
    static const char *const secret[] = {"authorization",  "Authorization", "Proxy-Authorization",
                                         "cookie",         "Set-Cookie",    "cookies",
                                         "password",       "db_password",   "passwd",
                                         "passphrase",     "client_secret", "token",
                                         "accessToken",    "X-Auth-Token",  "csrf.token",
                                         "api_key",        "X-Api-Key",     "apikey",
                                         "private-key",    "session_id",    "SessionID",
                                         "aws_credentials"};
    static const char *const open[] = {"",       "path",    "status", "auth",
                                       "author", "session", "key",    "www-authenticate",
                                       "user",   "pass",    "cook",   "api"};

    for (size_t i = 0; i < TORC_COUNT_OF(secret); i++)
        assert_true(torc_log_is_secret(torc_str_of(secret[i])));
    for (size_t i = 0; i < TORC_COUNT_OF(open); i++)
        assert_false(torc_log_is_secret(torc_str_of(open[i])));
    assert_false(torc_log_is_secret(torc_str_of(NULL)));
}

static void their_values_reach_no_sink(void **state) {
    TORC_LOG_INFO(log_, "a", "t", TORC_LOG_TEXT("Authorization", "Basic cm9vdDpyb290"),
                  TORC_LOG_TEXT("path", "/a"), TORC_LOG_BYTES("secret", TORC_STR("\1\2")),
                  TORC_LOG_INT("token_count", 3));
    check_str(fields(), "Authorization=[redacted] path=/a secret=[redacted] token_count=3");
}

static void what_a_program_hides_besides(void **state) {
    TORC_LOG_INFO(log_, "a", "t", TORC_LOG_TEXT("iban", "DE02"));
    check_str(fields(), "iban=DE02");
    check_ok(torc_log_hide(log_, "I.B.A.N"));
    check_ok(torc_log_set_levels(log_, TORC_STR("debug")));
    TORC_LOG_INFO(log_, "a", "t", TORC_LOG_TEXT("iban", "DE02"), TORC_LOG_TEXT("ibans", "DE02"));
    check_str(fields(), "iban=[redacted] ibans=DE02");
}

#define check_url(given, shown)                                                                    \
    do {                                                                                           \
        TORC_LOG_INFO(log_, "a", "t", TORC_LOG_TEXT("u", given));                                  \
        check_str(fields(), "u=" shown);                                                           \
    } while (0)

static void urls_lose_what_stands_before_the_host(void **state) {
    check_url("http://user:pass@host/a", "http://[redacted]@host/a");
    check_url("postgres://u@h", "postgres://[redacted]@h");
    check_url("http://u:p@ss@h", "http://[redacted]@h");
    check_url("see http://h/ and ftp://u:p@h, too",
              "\"see http://h/ and ftp://[redacted]@h, too\"");
    check_url("a://u@b c://v@d", "\"a://[redacted]@b c://[redacted]@d\"");
    check_url("http://host/a@b", "http://host/a@b");
    check_url("http://host?a@b", "http://host?a@b");
    check_url("someone@example.com", "someone@example.com");
    check_url("http://", "http://");
    check_url("://", "://");
}

static void a_url_without_room_goes_as_a_whole(void **state) {
    static char url[3000];

    memset(url, 'a', sizeof url);
    memcpy(url, "http://u:p@h/", 13);
    TORC_LOG_INFO(log_, "a", "t", TORC_LOG_STR("u", torc_str_make(url, sizeof url)),
                  TORC_LOG_TEXT("v", "x://y@z"));
    check_str(fields(), "u=[redacted] v=x://[redacted]@z");
}

static void an_event_of_many_fields_loses_the_last_rather_than_a_secret(void **state) {
    torc_log_field many[100];

    for (size_t i = 0; i < TORC_COUNT_OF(many); i++) many[i] = torc_log_field_int("n", 1);
    many[99] = torc_log_field_str("password", TORC_STR("123456"));
    torc_log_event(log_, TORC_LOG_LEVEL_INFO, "a", "t", many, TORC_COUNT_OF(many));
    const torc_str shown = fields();
    assert_int_equal(shown.len, 64 * 4 - 1);
    assert_true(torc_str_find(shown, TORC_STR("123456")) < 0);
}

static void a_failure_is_told_with_its_causes(void **state) {
    torc_failure *failure = torc_failure_new_at(NULL, "shop.c:7", TORC_ERR_NOT_FOUND, "no shop");

    torc_failure_add_cause(failure, torc_failure_new_at(NULL, "db.c:9", TORC_ERR_REFUSED,
                                                        "asked %s", "http://u:secret@db/"));
    TORC_LOG_INFO(log_, "a", "t", TORC_LOG_FAILURE("failure", failure), TORC_LOG_INT("n", 1),
                  TORC_LOG_FAILURE("none", NULL));
    const torc_str shown = fields();
    assert_true(torc_str_starts_with(shown, TORC_STR("failure=\"no shop: ")));
    assert_true(torc_str_find(shown, TORC_STR("http://[redacted]@db/")) > 0);
    assert_true(torc_str_find(shown, TORC_STR("db.c:9")) > 0);
    assert_true(torc_str_find(shown, TORC_STR("secret")) < 0);
    assert_true(torc_str_find(shown, TORC_STR(" n=1 none=")) > 0);
    torc_failure_free(failure);
}

/* The same for who formats by itself. */
static void a_failure_of_a_record(void **state) {
    torc_failure *failure = torc_failure_new_at(NULL, NULL, TORC_ERR_NOT_FOUND, "no \"shop\"");
    const torc_log_field field = TORC_LOG_FAILURE("f", failure);
    const torc_log_record record = {.space = "a", .text = "t", .fields = &field, .field_count = 1};

    torc_log_format_text(&buf, &record);
    torc_log_format_json(&buf, &record);
    assert_true(torc_str_find(torc_buf_str(&buf), TORC_STR(" f=\"no \\\"shop\\\"")) > 0);
    assert_true(torc_str_find(torc_buf_str(&buf), TORC_STR("\"f\":\"no \\\"shop\\\"")) > 0);
    torc_failure_free(failure);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(keys_that_name_credentials),
        CASE(their_values_reach_no_sink),
        CASE(what_a_program_hides_besides),
        CASE(urls_lose_what_stands_before_the_host),
        CASE(a_url_without_room_goes_as_a_whole),
        CASE(a_failure_is_told_with_its_causes),
        CASE(a_failure_of_a_record),
        CASE(an_event_of_many_fields_loses_the_last_rather_than_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
