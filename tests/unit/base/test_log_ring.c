/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <torc/log_ring.h>
#include <unistd.h>

#include "faults.h"

static torc_memory memory;
static torc_log *log_;
static torc_log_ring *ring;
static torc_buf said;
static int64_t now_us;

static int64_t tell_time(void *context) {
    return now_us;
}

static torc_log_sink_options debug(void) {
    return (torc_log_sink_options){.size = sizeof(torc_log_sink_options), .levels = "debug"};
}

static int set_up(void **state) {
    const torc_log_sink_options options = debug();

    torc_memory_init(&memory, 0);
    torc_buf_init(&said, NULL, TORC_MEMORY_OTHER, 100000);
    now_us = 0;
    if (torc_log_new(&memory, NULL, NULL, &log_)) return -1;
    torc_log_set_clock(log_, tell_time, NULL);
    return torc_log_ring_new(&memory, 4, &ring) || torc_log_add_ring(log_, ring, &options, NULL);
}

static int tear_down(void **state) {
    torc_log_free(log_);
    torc_log_ring_free(ring);
    torc_buf_dispose(&said);
    return memory.used_total == 0 ? 0 : -1;
}

static void show(void *context, const torc_log_record *record) {
    torc_log_format_text(&said, record);
}

static torc_str kept(void) {
    torc_buf_clear(&said);
    torc_log_ring_each(ring, show, NULL);
    return torc_buf_str(&said);
}

static void an_event_is_kept_whole(void **state) {
    now_us = 1700000000123456;
    torc_log_set_local_time(log_, false);
    TORC_LOG_WARN(log_, "a.b", "a text", TORC_LOG_TEXT("s", "a b"), TORC_LOG_INT("i", -1),
                  TORC_LOG_UINT("u", UINT64_MAX), TORC_LOG_DOUBLE("d", 0.5),
                  TORC_LOG_BOOL("b", true), TORC_LOG_DURATION("t", 1500),
                  TORC_LOG_BYTES("x", TORC_STR("\0\1")), TORC_LOG_TIME("when", 0));
    check_str(kept(), "2023-11-14T22:13:20.123Z warn     [a.b] a text s=\"a b\" i=-1 "
                      "u=18446744073709551615 d=0.5 b=true t=1.5ms x=0001 "
                      "when=1970-01-01T00:00:00.000000Z\n");
}

static void the_last_ones_stay_in_their_order(void **state) {
    check_str(kept(), "");
    for (int i = 0; i < 6; i++) TORC_LOG_DEBUG(log_, "a", "x", TORC_LOG_INT("n", i));
    check_str(kept(), "1970-01-01T00:00:00.000Z debug    [a] x n=2\n"
                      "1970-01-01T00:00:00.000Z debug    [a] x n=3\n"
                      "1970-01-01T00:00:00.000Z debug    [a] x n=4\n"
                      "1970-01-01T00:00:00.000Z debug    [a] x n=5\n");
}

static void what_is_critical_is_shown_first(void **state) {
    TORC_LOG_INFO(log_, "a", "one");
    TORC_LOG_CRITICAL(log_, "a", "two");
    TORC_LOG_INFO(log_, "a", "three");
    check_str(kept(), "1970-01-01T00:00:00.000Z critical [a] two\n"
                      "1970-01-01T00:00:00.000Z info     [a] one\n"
                      "1970-01-01T00:00:00.000Z info     [a] three\n");
}

static void events_too_large_for_a_slot_are_cut(void **state) {
    static char text[1000];
    torc_log_field fields[40];

    memset(text, 'a', sizeof text - 1);
    for (size_t i = 0; i < TORC_COUNT_OF(fields); i++)
        fields[i] = torc_log_field_str(text, torc_str_make(text, sizeof text - 1));
    for (size_t count = 0; count <= TORC_COUNT_OF(fields); count++) {
        torc_log_event(log_, TORC_LOG_LEVEL_INFO, text, text, fields, count);
        const torc_str all = kept();
        assert_true(all.len > 200);
        assert_int_equal(all.bytes[all.len - 1], '\n');
    }
    for (size_t i = 0; i < TORC_COUNT_OF(fields); i++) fields[i] = torc_log_field_int("n", 7);
    torc_log_event(log_, TORC_LOG_LEVEL_CRITICAL, "a", "t", fields, TORC_COUNT_OF(fields));
    torc_str all = kept(), line;
    assert_true(torc_str_split(&all, '\n', &line));
    assert_int_equal(line.len, sizeof "1970-01-01T00:00:00.000Z critical [a] t" - 1 + 24 * 4);
}

static void a_dump_is_lines_of_text(void **state) {
    char bytes[4096];
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    TORC_LOG_INFO(log_, "a", "one", TORC_LOG_TEXT("k", "v\n"));
    TORC_LOG_CRITICAL(log_, "a", "two");
    torc_log_ring_dump(ring, fds[1]);
    const ssize_t len = read(fds[0], bytes, sizeof bytes);
    close(fds[0]);
    close(fds[1]);
    check_str(torc_str_make(bytes, (size_t)len),
              "1970-01-01T00:00:00.000Z info     [a] one k=\"v\\n\"\n"
              "1970-01-01T00:00:00.000Z critical [a] two\n");
}

static void what_was_logged_before_is_told_to_a_sink_that_comes_later(void **state) {
    const torc_log_sink_options options = {
        .size = sizeof options, .levels = "info", .replay = ring};
    torc_log_sink *sink;

    TORC_LOG_INFO(log_, "a", "early");
    TORC_LOG_DEBUG(log_, "a", "not for it");
    TORC_LOG_CRITICAL(log_, "a", "bad");
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    check_ok(torc_log_add_fd(log_, fds[1], TORC_LOG_FORMAT_LOGFMT, &options, &sink));
    TORC_LOG_INFO(log_, "a", "late");
    char bytes[4096];
    const ssize_t len = read(fds[0], bytes, sizeof bytes);
    close(fds[0]);
    close(fds[1]);
    check_str(torc_str_make(bytes, (size_t)len),
              "time=1970-01-01T00:00:00.000Z level=critical namespace=a text=bad\n"
              "time=1970-01-01T00:00:00.000Z level=info namespace=a text=early\n"
              "time=1970-01-01T00:00:00.000Z level=info namespace=a text=late\n");
    assert_int_equal(torc_log_sink_lost(sink), 0);
    assert_false(torc_log_sink_is_failing(sink));
}

static void sizes_that_make_no_sense(void **state) {
    torc_log_ring *none = NULL;

    check_err(torc_log_ring_new(&memory, 0, &none), TORC_ERR_INVALID);
    check_err(torc_log_ring_new(&memory, TORC_LOG_RING_EVENTS_MAX + 1, &none), TORC_ERR_INVALID);
    assert_null(none);
    torc_log_ring_free(NULL);
}

static torc_err make(torc_memory *tried, void *context) {
    torc_log_ring *made = NULL;
    const torc_err err = torc_log_ring_new(tried, 2, &made);

    torc_log_ring_free(made);
    return err;
}

static void rings_when_memory_fails(void **state) {
    faults_each(make, NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_event_is_kept_whole),
        CASE(the_last_ones_stay_in_their_order),
        CASE(what_is_critical_is_shown_first),
        CASE(events_too_large_for_a_slot_are_cut),
        CASE(a_dump_is_lines_of_text),
        CASE(what_was_logged_before_is_told_to_a_sink_that_comes_later),
        CASE(sizes_that_make_no_sense),
        CASE(rings_when_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
