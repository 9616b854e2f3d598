/* SPDX-License-Identifier: MIT */
/*
 * What arguments of --log name, and what is wrong with those that name nothing.
 */
#include "app/log_target.h"
#include "check.h"

static torc_log_target target;
static char wrong[160];

static void read_fine(const char *argument) {
    const char *why = torc_log_target_parse(argument, &target, wrong);
    if (why) print_error("%s: %s\n", argument, why);
    assert_null(why);
}

static void check_text(size_t place, const char *expected) {
    const char *text = torc_log_target_text(&target, place);

    if (expected)
        assert_string_equal(text, expected);
    else
        assert_null(text);
}

static void files(void **state) {
    static const char *const plain[] = {"/var/log/x.log", "-",     "+",       "syslog.log",
                                        "files",          "a,b=c", "./syslog"};

    for (size_t i = 0; i < TORC_COUNT_OF(plain); i++) {
        read_fine(plain[i]);
        assert_int_equal(target.kind, TORC_LOG_TARGET_FILE);
        assert_int_equal(target.format, TORC_LOG_FORMAT_AUTO);
        check_text(target.path, plain[i]);
        check_text(target.levels, NULL);
    }
    read_fine("file:/var/log/x:y,format=logfmt,level=warn;http=debug");
    check_text(target.path, "/var/log/x:y");
    check_text(target.levels, "warn,http=debug");
    assert_int_equal(target.format, TORC_LOG_FORMAT_LOGFMT);
}

static void standard_streams(void **state) {
    read_fine("stderr");
    assert_int_equal(target.kind, TORC_LOG_TARGET_FILE);
    check_text(target.path, "+");
    read_fine("stdout:format=json-seq,level=error");
    check_text(target.path, "-");
    check_text(target.levels, "error");
    assert_int_equal(target.format, TORC_LOG_FORMAT_JSON_SEQ);
}

static void syslog_daemons(void **state) {
    read_fine("syslog");
    assert_int_equal(target.kind, TORC_LOG_TARGET_SYSLOG);
    assert_int_equal(target.facility, -1);
    assert_int_equal(target.form, TORC_LOG_SYSLOG_RFC5424);
    check_text(target.path, NULL);
    check_text(target.host, NULL);
    read_fine("syslog:server=unix:/run/log:x,facility=local3,tag=shop,hostname=h,form=bsd,"
              "level=off");
    assert_int_equal(target.facility, 19);
    assert_int_equal(target.form, TORC_LOG_SYSLOG_BSD);
    check_text(target.path, "/run/log:x");
    check_text(target.tag, "shop");
    check_text(target.hostname, "h");
    check_text(target.levels, "off");
}

static void check_server(const char *argument, const char *host, unsigned port) {
    read_fine(argument);
    check_text(target.host, host);
    assert_int_equal(target.port, port);
}

static void servers_of_syslog(void **state) {
    check_server("syslog:server=logs.example", "logs.example", 514);
    check_server("syslog:server=192.0.2.1:5140,tag=x", "192.0.2.1", 5140);
    check_server("syslog:server=[2001:db8::1]:5140", "2001:db8::1", 5140);
    check_server("syslog:server=[2001:db8::1]", "2001:db8::1", 514);
    check_server("syslog:server=2001:db8::1", "2001:db8::1", 514);
}

static void the_journal(void **state) {
    read_fine("journald");
    assert_int_equal(target.kind, TORC_LOG_TARGET_JOURNAL);
    read_fine("journald:socket=/tmp/j,tag=shop,level=debug");
    check_text(target.path, "/tmp/j");
    check_text(target.tag, "shop");
    check_text(target.levels, "debug");
}

static void what_is_wrong_is_told(void **state) {
    static const struct {
        const char *argument, *why;
    } bad[] = {
        {"", "name a file, stderr, syslog or journald"},
        {"file:", "name the file"},
        {"file", "name the file"},
        {"file:x,", "write KEY=VALUE, with commas between"},
        {"file:x,format=xml", "format is auto, text, json, logfmt or json-seq"},
        {"file:x,tag=y", "known are format, level"},
        {"stderr:level=loud", "level is as warn, or warn;http=debug"},
        {"syslog:/dev/log", "write KEY=VALUE, with commas between"},
        {"syslog:severity=info", "known are server, facility, tag, hostname, form, level"},
        {"syslog:facility=local8", "facilities are user, daemon, local0 to local7 …"},
        {"syslog:form=cef", "form is rfc5424 or bsd"},
        {"syslog:tag=", "tag is a word"},
        {"syslog:tag=a b", "tag is a word"},
        {"syslog:hostname=", "hostname is a word"},
        {"syslog:server=", "server is unix:PATH, HOST or HOST:PORT"},
        {"syslog:server=unix:", "server is unix:PATH, HOST or HOST:PORT"},
        {"syslog:server=h:0", "server is unix:PATH, HOST or HOST:PORT"},
        {"syslog:server=h:65536", "server is unix:PATH, HOST or HOST:PORT"},
        {"syslog:server=:514", "server is unix:PATH, HOST or HOST:PORT"},
        {"syslog:server=[::1", "server is unix:PATH, HOST or HOST:PORT"},
        {"syslog:server=[::1]x", "server is unix:PATH, HOST or HOST:PORT"},
        {"syslog:server=[]", "server is unix:PATH, HOST or HOST:PORT"},
        {"journald:server=x", "known are socket, tag, level"},
        {"journald:socket=", "socket is the path of the journal's"},
    };
    static char long_one[2000];

    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++)
        assert_string_equal(torc_log_target_parse(bad[i].argument, &target, wrong), bad[i].why);
    memset(long_one, 'a', sizeof long_one - 1);
    assert_string_equal(torc_log_target_parse(long_one, &target, wrong), "it is too long");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),          cmocka_unit_test(standard_streams),
        cmocka_unit_test(syslog_daemons), cmocka_unit_test(servers_of_syslog),
        cmocka_unit_test(the_journal),    cmocka_unit_test(what_is_wrong_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
