/* SPDX-License-Identifier: MIT */
#include <torc/log.h>

#include "faults.h"

typedef struct fixture {
    torc_memory memory;
    torc_log *log;
    int events;
    torc_log_record last;
    torc_log_field last_fields[8];
} fixture;

static fixture self;

static void keep(void *context, const torc_log_record *record) {
    self.events++;
    self.last = *record;
    for (size_t i = 0; i < record->field_count; i++) self.last_fields[i] = record->fields[i];
}

static int64_t at_noon(void *context) {
    return *(int64_t *)context;
}

static int set_up(void **state) {
    self = (fixture){0};
    torc_memory_init(&self.memory, 0);
    return torc_log_new(&self.memory, keep, NULL, &self.log);
}

static int tear_down(void **state) {
    torc_log_free(self.log);
    return self.memory.used_total == 0 ? 0 : -1;
}

static void an_event_reaches_the_sink_whole(void **state) {
    int64_t noon = 1234567;

    torc_log_set_clock(self.log, at_noon, &noon);
    TORC_LOG_WARN(self.log, "http", "a text", TORC_LOG_STR("str", TORC_STR("s")),
                  TORC_LOG_TEXT("text", "t"), TORC_LOG_INT("int", -1), TORC_LOG_UINT("uint", 2),
                  TORC_LOG_DOUBLE("double", 0.5), TORC_LOG_BOOL("bool", true),
                  TORC_LOG_ERR("err", TORC_ERR_LOST));
    assert_int_equal(self.events, 1);
    assert_int_equal(self.last.time_us, 1234567);
    assert_int_equal(self.last.level, TORC_LOG_LEVEL_WARN);
    assert_string_equal(self.last.space, "http");
    assert_string_equal(self.last.text, "a text");
    assert_int_equal(self.last.field_count, 7);
    check_str(self.last_fields[0].value.str, "s");
    check_str(self.last_fields[1].value.str, "t");
    assert_int_equal(self.last_fields[2].value.int_, -1);
    assert_int_equal(self.last_fields[3].value.uint_, 2);
    assert_true(self.last_fields[4].value.double_ == 0.5);
    assert_true(self.last_fields[5].value.bool_);
    check_str(self.last_fields[6].value.str, "LOST");
}

static void an_event_needs_no_fields(void **state) {
    TORC_LOG_INFO(self.log, "http", "a text");
    TORC_LOG_ERROR(self.log, "http", "a text");
    TORC_LOG_CRITICAL(self.log, "http", "a text");
    assert_int_equal(self.events, 3);
    assert_int_equal(self.last.field_count, 0);
    torc_log_event(self.log, TORC_LOG_LEVEL_INFO, NULL, "a text", NULL, 0);
    assert_int_equal(self.events, 4);
}

static int count_evaluation(int *count) {
    return ++*count;
}

static void fields_are_not_evaluated_when_disabled(void **state) {
    torc_log *none = NULL;
    int count = 0;

    TORC_LOG_DEBUG(self.log, "http", "a text", TORC_LOG_INT("n", count_evaluation(&count)));
    TORC_LOG_ERROR(none, "http", "a text", TORC_LOG_INT("n", count_evaluation(&count)));
    assert_int_equal(count, 0);
    assert_int_equal(self.events, 0);
    TORC_LOG_INFO(self.log, "http", "a text", TORC_LOG_INT("n", count_evaluation(&count)));
    assert_int_equal(count, 1);
}

static void a_log_that_is_null_is_silent(void **state) {
    torc_log_event(NULL, TORC_LOG_LEVEL_ERROR, "http", "a text", NULL, 0);
    assert_false(torc_log_is_enabled(NULL, "http", TORC_LOG_LEVEL_CRITICAL));
    assert_int_equal(torc_log_dropped(NULL), 0);
    torc_log_free(NULL);
}

static bool enabled(const char *space, torc_log_level level) {
    const bool is_enabled = torc_log_is_enabled(self.log, space, level);

    assert_int_equal(TORC_LOG_IS_ENABLED(self.log, space, level), is_enabled);
    return is_enabled;
}

static void a_level_counts_for_a_namespace_and_those_within(void **state) {
    check_ok(torc_log_set_level(self.log, "http", TORC_LOG_LEVEL_DEBUG));
    check_ok(torc_log_set_level(self.log, "http.parse", TORC_LOG_LEVEL_ERROR));
    assert_true(enabled("http", TORC_LOG_LEVEL_DEBUG));
    assert_true(enabled("http.body", TORC_LOG_LEVEL_DEBUG));
    assert_false(enabled("https", TORC_LOG_LEVEL_DEBUG));
    assert_false(enabled("htt", TORC_LOG_LEVEL_DEBUG));
    assert_false(enabled("http.parse", TORC_LOG_LEVEL_WARN));
    assert_false(enabled("http.parse.chunk", TORC_LOG_LEVEL_WARN));
    assert_true(enabled("http.parse", TORC_LOG_LEVEL_ERROR));
    assert_true(enabled("other", TORC_LOG_LEVEL_INFO));
    assert_true(enabled(NULL, TORC_LOG_LEVEL_INFO));
}

static void off_is_a_setting_and_no_level_of_events(void **state) {
    check_ok(torc_log_set_level(self.log, NULL, TORC_LOG_LEVEL_OFF));
    assert_false(enabled("http", TORC_LOG_LEVEL_CRITICAL));
    assert_false(enabled("http", TORC_LOG_LEVEL_OFF));
    check_ok(torc_log_set_level(self.log, "", TORC_LOG_LEVEL_DEBUG));
    assert_true(enabled("http", TORC_LOG_LEVEL_DEBUG));
    assert_false(enabled("http", TORC_LOG_LEVEL_OFF));
}

static void levels_come_from_a_text(void **state) {
    check_ok(torc_log_set_levels(self.log, TORC_STR("warn, http=debug ,tls = OFF")));
    assert_false(enabled("other", TORC_LOG_LEVEL_INFO));
    assert_true(enabled("other", TORC_LOG_LEVEL_WARN));
    assert_true(enabled("http", TORC_LOG_LEVEL_DEBUG));
    assert_false(enabled("tls", TORC_LOG_LEVEL_CRITICAL));
    check_ok(torc_log_set_levels(self.log, TORC_STR("http=error")));
    assert_false(enabled("http", TORC_LOG_LEVEL_WARN));
}

static void a_malformed_text_changes_nothing(void **state) {
    static const char *const bad[] = {
        "",       "loud",    "debug,",          ",debug",         "http=",
        "=debug", " =debug", "debug,http=loud", "http=debug=info"};

    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++) {
        check_err(torc_log_set_levels(self.log, torc_str_of(bad[i])), TORC_ERR_SYNTAX);
        assert_false(enabled("http", TORC_LOG_LEVEL_DEBUG));
    }
}

static void names_of_levels_both_ways(void **state) {
    for (int i = TORC_LOG_LEVEL_DEBUG; i <= TORC_LOG_LEVEL_OFF; i++) {
        torc_log_level level;
        check_ok(torc_log_level_parse(torc_str_of(torc_log_level_name((torc_log_level)i)), &level));
        assert_int_equal(level, i);
    }
    assert_string_equal(torc_log_level_name((torc_log_level)77), "unknown");
}

static torc_err make_and_set(torc_memory *memory, void *context) {
    torc_log *log = NULL;
    torc_err err = torc_log_new(memory, keep, NULL, &log);

    if (err) return err;
    err = torc_log_set_levels(log, TORC_STR("a=debug,b=debug,c=debug"));
    torc_log_free(log);
    return err;
}

static void log_when_memory_fails(void **state) {
    faults_each(make_and_set, NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_event_reaches_the_sink_whole),
        CASE(an_event_needs_no_fields),
        CASE(fields_are_not_evaluated_when_disabled),
        CASE(a_log_that_is_null_is_silent),
        CASE(a_level_counts_for_a_namespace_and_those_within),
        CASE(off_is_a_setting_and_no_level_of_events),
        CASE(levels_come_from_a_text),
        CASE(a_malformed_text_changes_nothing),
        CASE(names_of_levels_both_ways),
        CASE(log_when_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
