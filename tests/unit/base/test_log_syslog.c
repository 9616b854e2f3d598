/* SPDX-License-Identifier: MIT */
/*
 * Events for syslog: the bytes of messages, and a daemon that comes, is full, and goes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <torc/log_sinks.h>
#include <unistd.h>

#include "faults.h"

static torc_log *log_;
static char folder[64], path[96];
static int daemon_ = -1; /* its socket */

static int64_t at_a_time(void *context) {
    return 1700000000123456;
}

static int set_up(void **state) {
    snprintf(folder, sizeof folder, "/tmp/torc-log-syslog-XXXXXX");
    if (!mkdtemp(folder) || torc_log_new(NULL, NULL, NULL, &log_)) return -1;
    snprintf(path, sizeof path, "%s/log", folder);
    torc_log_set_clock(log_, at_a_time, NULL);
    return 0;
}

static void end_daemon(void) {
    if (daemon_ >= 0) close(daemon_);
    daemon_ = -1;
    unlink(path);
}

static int tear_down(void **state) {
    torc_log_free(log_);
    end_daemon();
    return rmdir(folder);
}

static void start_daemon(void) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    daemon_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
    assert_int_equal(bind(daemon_, (struct sockaddr *)&addr, sizeof addr), 0);
}

static torc_str received(void) {
    static char bytes[8192];
    const ssize_t len = recv(daemon_, bytes, sizeof bytes, 0);
    return torc_str_make(bytes, len < 0 ? 0 : (size_t)len);
}

static torc_log_syslog_options to_daemon(void) {
    return (torc_log_syslog_options){
        .size = sizeof(torc_log_syslog_options),
        .path = path,
        .facility = 3,
        .hostname = "host",
        .app_name = "app",
    };
}

/* A message with what varies from run to run. */
static const char *with_pid(const char *format) {
    static char text[1000];
    snprintf(text, sizeof text, format, (int)getpid());
    return text;
}

#define check_received(format)                                                                     \
    check_str_at(received(), torc_str_of(with_pid(format)), __FILE__, __LINE__)

static void a_message_of_rfc_5424(void **state) {
    const torc_log_syslog_options options = to_daemon();

    start_daemon();
    check_ok(torc_log_add_syslog(log_, &options, NULL, NULL));
    TORC_LOG_WARN(log_, "http.parse", "it happened", TORC_LOG_TEXT("path", "/a b"),
                  TORC_LOG_INT("status", 200), TORC_LOG_DURATION("took", 1500));
    check_received("<28>1 2023-11-14T22:13:20.123456Z host app %d http.parse "
                   "[torc@32473 path=\"/a b\" status=\"200\" took=\"0.0015\"] it happened");
    TORC_LOG_CRITICAL(log_, "", "no fields");
    check_received("<26>1 2023-11-14T22:13:20.123456Z host app %d - - no fields");
}

static void what_could_mislead_is_escaped(void **state) {
    const torc_log_syslog_options options = to_daemon();

    start_daemon();
    check_ok(torc_log_add_syslog(log_, &options, NULL, NULL));
    TORC_LOG_INFO(log_, "a b\n", "t\nu", TORC_LOG_TEXT("k]=\" x", "a\"b\\c]d\ne\xff\xc3\xa9\x1b"),
                  TORC_LOG_BYTES("b", TORC_STR("\0\1")));
    check_received("<30>1 2023-11-14T22:13:20.123456Z host app %d a_b_ "
                   "[torc@32473 k____x=\"a\\\"b\\\\c\\]d\\\\ne\\\\xff\xc3\xa9\\\\x1b\" "
                   "b=\"0001\"] t\\nu");
}

static void characters_are_not_torn_by_pieces(void **state) {
    const torc_log_syslog_options options = to_daemon();
    char text[302];

    start_daemon();
    check_ok(torc_log_add_syslog(log_, &options, NULL, NULL));
    for (size_t i = 0; i < 300; i += 3) memcpy(text + i, "\xe2\x82\xac", 3);
    TORC_LOG_INFO(log_, "a", "t", TORC_LOG_STR("k", torc_str_make(text, 300)));
    const torc_str message = received();
    assert_true(torc_str_find(message, torc_str_make(text, 300)) > 0);
}

static void names_are_what_the_protocol_allows(void **state) {
    torc_log_syslog_options options = to_daemon();
    char name[400], buf_bytes[2000];
    torc_buf buf;
    const torc_log_record record = {.space = "", .text = "t"};

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    name[1] = ' ';
    options.hostname = options.app_name = name;
    torc_buf_init_fixed(&buf, buf_bytes, sizeof buf_bytes);
    torc_log_format_syslog(&buf, &record, &options, 100);
    torc_str rest = torc_buf_str(&buf), part;
    assert_true(torc_str_split(&rest, ' ', &part) && torc_str_split(&rest, ' ', &part));
    assert_true(torc_str_split(&rest, ' ', &part));
    assert_int_equal(part.len, 255);
    assert_true(torc_str_starts_with(part, TORC_STR("n_n")));
    assert_true(torc_str_split(&rest, ' ', &part));
    assert_int_equal(part.len, 48);
}

static void a_message_of_the_older_form(void **state) {
    torc_log_syslog_options options = to_daemon();

    options.form = TORC_LOG_SYSLOG_BSD;
    start_daemon();
    check_ok(torc_log_add_syslog(log_, &options, NULL, NULL));
    TORC_LOG_ERROR(log_, "http", "it happened", TORC_LOG_TEXT("path", "/a b"));
    check_received("<27>Nov 14 22:13:20 app[%d]: [http] it happened path=\"/a b\"");
}

static void a_message_has_a_bound(void **state) {
    const torc_log_syslog_options options = to_daemon();
    static char text[100000];
    torc_log_field fields[200];

    memset(text, '"', sizeof text);
    for (size_t i = 0; i < TORC_COUNT_OF(fields); i++)
        fields[i] = torc_log_field_str("key", torc_str_make(text, sizeof text));
    start_daemon();
    check_ok(torc_log_add_syslog(log_, &options, NULL, NULL));
    for (size_t count = 0; count <= TORC_COUNT_OF(fields); count += 10) {
        torc_log_event(log_, TORC_LOG_LEVEL_INFO, "a", "the text", fields, count);
        const torc_str message = received();
        assert_true(message.len > 50 && message.len <= 4096);
        assert_true(torc_str_ends_with(message, TORC_STR(" the text")));
    }
}

static void by_udp(void **state) {
    torc_log_syslog_options options = to_daemon();
    torc_addr addr = {.len = sizeof(struct sockaddr_in)};

    daemon_ = socket(AF_INET, SOCK_DGRAM, 0);
    addr.as.in.sin_family = AF_INET;
    addr.as.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(daemon_, &addr.as.any, addr.len), 0);
    assert_int_equal(getsockname(daemon_, &addr.as.any, &addr.len), 0);
    options.addr = &addr;
    check_ok(torc_log_add_syslog(log_, &options, NULL, NULL));
    TORC_LOG_INFO(log_, "a", "over the wire");
    check_received("<30>1 2023-11-14T22:13:20.123456Z host app %d a - over the wire");
    end_daemon();
    for (int i = 0; i < 3; i++) TORC_LOG_INFO(log_, "a", "nobody listens");
}

/* Nothing waits: what cannot be sent is lost and counted, and a daemon that was started anew is
 * found at once. */
static void a_daemon_may_come_be_full_and_go(void **state) {
    const torc_log_syslog_options options = to_daemon();
    torc_log_sink *sink;

    check_ok(torc_log_add_syslog(log_, &options, NULL, &sink));
    TORC_LOG_INFO(log_, "a", "nobody listens yet");
    assert_int_equal(torc_log_sink_lost(sink), 1);
    torc_log_free(log_);
    check_ok(torc_log_new(NULL, NULL, NULL, &log_));

    start_daemon();
    check_ok(torc_log_add_syslog(log_, &options, NULL, &sink));
    for (int i = 0; i < 100000 && torc_log_sink_lost(sink) == 0; i++)
        TORC_LOG_INFO(log_, "a", "filling");
    assert_int_equal(torc_log_sink_lost(sink), 1);
    assert_true(torc_log_sink_is_failing(sink));
    while (received().len > 0) continue;
    TORC_LOG_INFO(log_, "a", "room again");
    assert_true(torc_str_ends_with(received(), TORC_STR("room again")));

    end_daemon();
    start_daemon();
    TORC_LOG_INFO(log_, "a", "another one");
    assert_true(torc_str_ends_with(received(), TORC_STR("another one")));
    assert_int_equal(torc_log_sink_lost(sink), 1);
}

static void what_is_no_daemon_is_refused(void **state) {
    torc_log_syslog_options options = to_daemon();
    static char long_path[200];
    const torc_addr none = {0};

    options.facility = 24;
    check_err(torc_log_add_syslog(log_, &options, NULL, NULL), TORC_ERR_INVALID);
    options = to_daemon();
    memset(long_path, 'a', sizeof long_path - 1);
    options.path = long_path;
    check_err(torc_log_add_syslog(log_, &options, NULL, NULL), TORC_ERR_INVALID);
    options.path = "";
    check_err(torc_log_add_syslog(log_, &options, NULL, NULL), TORC_ERR_INVALID);
    options.addr = &none;
    check_err(torc_log_add_syslog(log_, &options, NULL, NULL), TORC_ERR_INVALID);
    assert_int_equal(torc_log_facility_parse(TORC_STR("LOCAL7")), 23);
    assert_int_equal(torc_log_facility_parse(TORC_STR("user")), 1);
    assert_int_equal(torc_log_facility_parse(TORC_STR("local8")), -1);
}

static torc_err make_both(torc_memory *memory, void *context) {
    torc_log *log = NULL;
    torc_err err = torc_log_new(memory, NULL, NULL, &log);

    if (err) return err;
    err = torc_log_add_syslog(log, NULL, NULL, NULL);
    if (!err) err = torc_log_add_journal(log, NULL, NULL, NULL);
    torc_log_free(log);
    return err;
}

static void sinks_when_memory_fails(void **state) {
    faults_each(make_both, NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_message_of_rfc_5424),
        CASE(what_could_mislead_is_escaped),
        CASE(characters_are_not_torn_by_pieces),
        CASE(names_are_what_the_protocol_allows),
        CASE(a_message_of_the_older_form),
        CASE(a_message_has_a_bound),
        CASE(by_udp),
        CASE(a_daemon_may_come_be_full_and_go),
        CASE(what_is_no_daemon_is_refused),
        CASE(sinks_when_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
