/* SPDX-License-Identifier: MIT */
/*
 * Several sinks of one log: what each is given, and what is told of those that fail.
 */
#include <stdio.h>
#include <torc/log.h>

#include "faults.h"

enum {
    SECOND_US = 1000000
};

/* A sink that collects lines, or fails. */
typedef struct witness {
    torc_buf said;
    torc_err answer;
    int disposed;
} witness;

typedef struct fixture {
    torc_memory memory;
    torc_log *log;
    witness first, second;
    int64_t now_us;
} fixture;

static fixture self;

static torc_err take(void *context, const torc_log_record *record) {
    witness *it = context;

    if (it->answer) return it->answer;
    torc_buf_addf(&it->said, "%s:%s", torc_log_level_name(record->level), record->text);
    for (size_t i = 0; i < record->field_count; i++) {
        const torc_log_field *field = &record->fields[i];
        if (field->kind == TORC_LOG_KIND_STR)
            torc_buf_addf(&it->said, " %s=%.*s", field->key, TORC_STR_ARGS(field->value.str));
        else
            torc_buf_addf(&it->said, " %s=%d", field->key, (int)field->value.int_);
    }
    torc_buf_add_byte(&it->said, '\n');
    return TORC_OK;
}

static void gone(void *context) {
    ((witness *)context)->disposed++;
}

static int64_t now_us(void *context) {
    return self.now_us;
}

static torc_err add(witness *it, const char *name, const char *levels) {
    const torc_log_sink_options options = {.size = sizeof options, .name = name, .levels = levels};
    return torc_log_add_sink(self.log, take, gone, it, &options, NULL);
}

static int set_up(void **state) {
    self = (fixture){0};
    torc_memory_init(&self.memory, 0);
    torc_buf_init(&self.first.said, NULL, TORC_MEMORY_OTHER, 10000);
    torc_buf_init(&self.second.said, NULL, TORC_MEMORY_OTHER, 10000);
    if (torc_log_new(&self.memory, NULL, NULL, &self.log)) return -1;
    torc_log_set_clock(self.log, now_us, NULL);
    return 0;
}

static int tear_down(void **state) {
    torc_log_free(self.log);
    torc_buf_dispose(&self.first.said);
    torc_buf_dispose(&self.second.said);
    return self.memory.used_total == 0 ? 0 : -1;
}

#define check_said(witness, literal)                                                               \
    do {                                                                                           \
        check_str(torc_buf_str(&(witness).said), literal);                                         \
        torc_buf_clear(&(witness).said);                                                           \
    } while (0)

static void every_sink_has_the_event(void **state) {
    check_ok(add(&self.first, "first", NULL));
    check_ok(add(&self.second, "second", NULL));
    TORC_LOG_INFO(self.log, "a", "one", TORC_LOG_INT("n", 1));
    check_said(self.first, "info:one n=1\n");
    check_said(self.second, "info:one n=1\n");
    torc_log_free(self.log);
    self.log = NULL;
    assert_int_equal(self.first.disposed, 1);
    assert_int_equal(self.second.disposed, 1);
}

static void a_log_without_sinks_enables_nothing(void **state) {
    assert_false(torc_log_is_enabled(self.log, "a", TORC_LOG_LEVEL_CRITICAL));
    assert_false(TORC_LOG_IS_ENABLED(self.log, "a", TORC_LOG_LEVEL_CRITICAL));
    TORC_LOG_CRITICAL(self.log, "a", "nobody hears");
}

static void a_sink_with_levels_goes_by_them_alone(void **state) {
    check_ok(add(&self.first, "first", "error,loud=debug"));
    check_ok(add(&self.second, "second", NULL));
    TORC_LOG_WARN(self.log, "a", "warn");
    TORC_LOG_DEBUG(self.log, "loud.er", "debug");
    check_ok(torc_log_set_level(self.log, NULL, TORC_LOG_LEVEL_OFF));
    TORC_LOG_ERROR(self.log, "a", "error");
    check_said(self.first, "debug:debug\nerror:error\n");
    check_said(self.second, "warn:warn\n");
}

static void levels_of_a_sink_can_change(void **state) {
    torc_log_sink *sink;

    check_ok(torc_log_add_sink(self.log, take, NULL, &self.first, NULL, &sink));
    check_err(torc_log_sink_set_levels(sink, TORC_STR("loud")), TORC_ERR_SYNTAX);
    check_ok(torc_log_sink_set_levels(sink, TORC_STR("off")));
    TORC_LOG_CRITICAL(self.log, "a", "not heard");
    check_ok(torc_log_sink_set_levels(sink, TORC_STR("debug")));
    TORC_LOG_DEBUG(self.log, "a", "heard");
    check_said(self.first, "debug:heard\n");
}

static void levels_are_replaced_as_a_whole(void **state) {
    check_ok(add(&self.first, "first", NULL));
    check_ok(torc_log_set_levels(self.log, TORC_STR("off,http=debug")));
    check_ok(torc_log_replace_levels(self.log, TORC_STR("tls=warn")));
    assert_false(torc_log_is_enabled(self.log, "http", TORC_LOG_LEVEL_DEBUG));
    assert_true(torc_log_is_enabled(self.log, "http", TORC_LOG_LEVEL_INFO));
    assert_false(torc_log_is_enabled(self.log, "tls", TORC_LOG_LEVEL_INFO));
    check_err(torc_log_replace_levels(self.log, TORC_STR("x=")), TORC_ERR_SYNTAX);
    assert_false(torc_log_is_enabled(self.log, "tls", TORC_LOG_LEVEL_INFO));
}

static void settings_are_bounded(void **state) {
    char name[16];
    torc_err err = TORC_OK;
    int count = 0;

    while (!err && count < 1000) {
        snprintf(name, sizeof name, "n%d", count++);
        err = torc_log_set_level(self.log, name, TORC_LOG_LEVEL_WARN);
    }
    check_err(err, TORC_ERR_LIMIT);
    assert_int_equal(count, 256);
    check_ok(torc_log_set_level(self.log, "n7", TORC_LOG_LEVEL_DEBUG));
    check_err(add(&self.first, "first", "warn"), TORC_ERR_LIMIT);
}

static bool is_odd(void *context, const torc_log_record *record) {
    const torc_log_field *field = torc_log_record_field(record, "n");

    assert_null(torc_log_record_field(record, "m"));
    return field && field->value.int_ % 2;
}

static void a_filter_chooses(void **state) {
    const torc_log_sink_options options = {.size = sizeof options, .filter = is_odd};

    check_ok(torc_log_add_sink(self.log, take, NULL, &self.first, &options, NULL));
    for (int i = 0; i < 4; i++) TORC_LOG_INFO(self.log, "a", "x", TORC_LOG_INT("n", i));
    check_said(self.first, "info:x n=1\ninfo:x n=3\n");
}

static void sinks_are_bounded_and_disposed_of_when_refused(void **state) {
    for (int i = 0; i < TORC_LOG_SINKS_MAX; i++) check_ok(add(&self.first, "first", NULL));
    check_err(add(&self.second, "second", NULL), TORC_ERR_LIMIT);
    assert_int_equal(self.second.disposed, 1);
    check_err(add(&self.second, "second", "loud"), TORC_ERR_SYNTAX);
    assert_int_equal(self.second.disposed, 2);
    assert_int_equal(self.first.disposed, 0);
}

static void a_sink_that_fails_is_told_of_once_and_when_it_works_again(void **state) {
    check_ok(add(&self.first, "first", NULL));
    check_ok(add(&self.second, "second", NULL));
    self.second.answer = TORC_ERR_NO_SPACE;
    TORC_LOG_INFO(self.log, "a", "one");
    TORC_LOG_INFO(self.log, "a", "two");
    check_said(self.first, "info:one\n"
                           "error:a log cannot be written; events are lost sink=second "
                           "error=no space is left on the device\n"
                           "info:two\n");
    assert_int_equal(torc_log_dropped(self.log), 2);

    self.second.answer = TORC_OK;
    self.now_us += SECOND_US / 2; /* it may fail again at once: not told yet */
    TORC_LOG_INFO(self.log, "a", "three");
    self.now_us += SECOND_US / 2;
    TORC_LOG_INFO(self.log, "a", "four");
    check_said(self.first,
               "info:three\ninfo:four\nwarn:a log is written again sink=second lost=2\n");
    check_said(self.second,
               "info:three\ninfo:four\nwarn:a log is written again sink=second lost=2\n");
    TORC_LOG_INFO(self.log, "a", "five");
    check_said(self.first, "info:five\n");
}

static void a_sink_that_is_full_is_said_to_be_so(void **state) {
    check_ok(add(&self.first, "first", NULL));
    check_ok(add(&self.second, "second", NULL));
    self.first.answer = TORC_ERR_AGAIN;
    TORC_LOG_INFO(self.log, "a", "one");
    check_said(self.second, "error:a log takes nothing now; events are lost sink=first "
                            "error=nothing to be had now; try later\ninfo:one\n");
}

static void all_sinks_may_fail(void **state) {
    check_ok(add(&self.first, "first", NULL));
    check_ok(add(&self.second, "second", NULL));
    self.first.answer = self.second.answer = TORC_ERR_SYSTEM;
    TORC_LOG_INFO(self.log, "a", "one");
    TORC_LOG_INFO(self.log, "a", "two");
    assert_true(torc_log_dropped(self.log) >= 4);
    self.first.answer = self.second.answer = TORC_OK;
    self.now_us += 2 * SECOND_US;
    TORC_LOG_INFO(self.log, "a", "three");
    assert_true(torc_str_find(torc_buf_str(&self.first.said), TORC_STR("again sink=first")) >= 0);
    assert_true(torc_str_find(torc_buf_str(&self.second.said), TORC_STR("again sink=second")) >= 0);
}

static torc_err make_all(torc_memory *memory, void *context) {
    torc_log *log = NULL;
    torc_err err = torc_log_new(memory, NULL, NULL, &log);
    const torc_log_sink_options options = {.size = sizeof options, .levels = "warn,b=debug"};
    witness it = {0};

    if (err) return err;
    torc_buf_init(&it.said, NULL, TORC_MEMORY_OTHER, 10000);
    err = torc_log_add_sink(log, take, gone, &it, &options, NULL);
    TORC_LOG_DEBUG(log, "b", "heard");
    assert_int_equal(it.said.len > 0, err == TORC_OK);
    if (!err) err = torc_log_replace_levels(log, TORC_STR("a=debug"));
    if (!err) err = torc_log_hide(log, "iban");
    torc_log_free(log);
    assert_int_equal(it.disposed, 1);
    torc_buf_dispose(&it.said);
    return err;
}

static void sinks_when_memory_fails(void **state) {
    faults_each(make_all, NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(every_sink_has_the_event),
        CASE(a_log_without_sinks_enables_nothing),
        CASE(a_sink_with_levels_goes_by_them_alone),
        CASE(levels_of_a_sink_can_change),
        CASE(levels_are_replaced_as_a_whole),
        CASE(settings_are_bounded),
        CASE(a_filter_chooses),
        CASE(sinks_are_bounded_and_disposed_of_when_refused),
        CASE(a_sink_that_fails_is_told_of_once_and_when_it_works_again),
        CASE(a_sink_that_is_full_is_said_to_be_so),
        CASE(all_sinks_may_fail),
        CASE(sinks_when_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
