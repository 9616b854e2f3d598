/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <time.h>

#include "base/log.h"
#include "base/log_value.h"
#include "check.h"

static char room[2000];
static torc_buf buf;

static torc_log_record record_of(const char *text, const torc_log_field *fields, size_t count) {
    return (torc_log_record){
        .time_us = 1700000000123456,
        .level = TORC_LOG_LEVEL_INFO,
        .space = "http",
        .text = text,
        .fields = fields,
        .field_count = count,
    };
}

static torc_str as_text(const torc_log_record *record) {
    torc_buf_init_fixed(&buf, room, sizeof room);
    torc_log_format_text(&buf, record);
    check_ok(torc_buf_err(&buf));
    return torc_buf_str(&buf);
}

static torc_str as_json(const torc_log_record *record) {
    torc_buf_init_fixed(&buf, room, sizeof room);
    torc_log_format_json(&buf, record);
    check_ok(torc_buf_err(&buf));
    return torc_buf_str(&buf);
}

static void a_line_for_people(void **state) {
    const torc_log_field fields[] = {
        TORC_LOG_STR("path", TORC_STR("/a")),
        TORC_LOG_INT("int", -5),
        TORC_LOG_UINT("uint", 5),
        TORC_LOG_DOUBLE("double", 0.25),
        TORC_LOG_BOOL("yes", true),
        TORC_LOG_BOOL("no", false),
    };
    torc_log_record record = record_of("it happened", fields, TORC_COUNT_OF(fields));

    check_str(as_text(&record), "2023-11-14T22:13:20.123Z info     [http] it happened path=/a "
                                "int=-5 uint=5 double=0.25 yes=true no=false\n");
    record = record_of("it happened", NULL, 0);
    check_str(as_text(&record), "2023-11-14T22:13:20.123Z info     [http] it happened\n");
}

static void a_line_of_json(void **state) {
    const torc_log_field fields[] = {
        TORC_LOG_STR("path", TORC_STR("/a")),
        TORC_LOG_INT("int", -5),
        TORC_LOG_UINT("uint", 5),
        TORC_LOG_DOUBLE("double", 0.25),
        TORC_LOG_BOOL("yes", true),
        TORC_LOG_DOUBLE("nan", (double)NAN),
    };
    const torc_log_record record = record_of("it \"happened\"", fields, TORC_COUNT_OF(fields));

    check_str(as_json(&record),
              "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"info\",\"namespace\":\"http\","
              "\"text\":\"it \\\"happened\\\"\",\"path\":\"/a\",\"int\":-5,\"uint\":5,"
              "\"double\":0.25,\"yes\":true,\"nan\":null}\n");
}

static torc_str as(torc_log_format format, const torc_log_record *record) {
    torc_buf_init_fixed(&buf, room, sizeof room);
    torc_log_format_short(&buf, record, format, SIZE_MAX);
    check_ok(torc_buf_err(&buf));
    return torc_buf_str(&buf);
}

static void a_line_of_logfmt(void **state) {
    const torc_log_field fields[] = {
        TORC_LOG_STR("path", TORC_STR("/a b")),
        TORC_LOG_INT("int", -5),
        TORC_LOG_TEXT("level", "mine"),
        TORC_LOG_TEXT("a key=\"", "v"),
    };
    const torc_log_record record = record_of("it \"happened\"", fields, TORC_COUNT_OF(fields));

    check_str(
        as(TORC_LOG_FORMAT_LOGFMT, &record),
        "time=2023-11-14T22:13:20.123Z level=info namespace=http text=\"it \\\"happened\\\"\" "
        "path=\"/a b\" int=-5 level_=mine a_key__=v\n");
}

static void a_sequence_of_json(void **state) {
    const torc_log_field field = TORC_LOG_TEXT("time", "mine");
    const torc_log_record record = record_of("t", &field, 1);

    check_str(as(TORC_LOG_FORMAT_JSON_SEQ, &record),
              "\x1e{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"info\",\"namespace\":"
              "\"http\",\"text\":\"t\",\"time_\":\"mine\"}\n");
}

static void times_durations_and_bytes(void **state) {
    static const int64_t durations[] = {0, 999, 1000, -1500, 999999, 1000000, 61000001, INT64_MIN};
    torc_log_field fields[TORC_COUNT_OF(durations) + 2];
    size_t count = 0;

    for (; count < TORC_COUNT_OF(durations); count++)
        fields[count] = TORC_LOG_DURATION("d", durations[count]);
    fields[count++] = TORC_LOG_TIME("at", 1700000000000001);
    fields[count++] = TORC_LOG_BYTES("x", TORC_STR("\0\xff"));
    const torc_log_record record = record_of("t", fields, count);
    check_str(torc_str_from(as_text(&record), sizeof "2023-11-14T22:13:20.123Z info     [http]"),
              "t d=0us d=999us d=1ms d=-1.5ms d=999.999ms d=1s d=61.000001s "
              "d=-9223372036854.775808s at=2023-11-14T22:13:20.000001Z x=00ff\n");
    const torc_str json = as_json(&record);
    check_str(torc_str_from(json, (size_t)torc_str_find(json, TORC_STR("\"d\""))),
              "\"d\":0,\"d\":0.000999,\"d\":0.001,\"d\":-0.0015,\"d\":0.999999,\"d\":1,"
              "\"d\":61.000001,\"d\":-9223372036854.775808,"
              "\"at\":\"2023-11-14T22:13:20.000001Z\",\"x\":\"00ff\"}\n");
}

static void local_times_have_their_offset(void **state) {
    torc_log_record record = record_of("t", NULL, 0);

    record.offset_s = 2 * 3600;
    assert_true(torc_str_starts_with(as_text(&record), TORC_STR("2023-11-15T00:13:20.123+02:00 ")));
    record.offset_s = -(3 * 3600 + 1800);
    assert_true(torc_str_starts_with(as_text(&record), TORC_STR("2023-11-14T18:43:20.123-03:30 ")));
}

static void times_before_1970_are_right_too(void **state) {
    torc_log_record record = record_of("x", NULL, 0);

    record.time_us = -1;
    assert_true(torc_str_starts_with(as_text(&record), TORC_STR("1969-12-31T23:59:59.999Z ")));
    record.time_us = 0;
    assert_true(torc_str_starts_with(as_text(&record), TORC_STR("1970-01-01T00:00:00.000Z ")));
}

#define check_quoted(value, literal)                                                               \
    do {                                                                                           \
        const torc_log_field field = TORC_LOG_STR("k", TORC_STR(value));                           \
        const torc_log_record record = record_of("t", &field, 1);                                  \
        check_str(torc_str_from(as_text(&record), PREFIX_LEN), "k=" literal "\n");                 \
    } while (0)

enum {
    PREFIX_LEN = sizeof "2023-11-14T22:13:20.123Z info     [http] t " - 1
};

static void values_that_could_mislead_are_quoted(void **state) {
    check_quoted("plain-1.2/3:4", "plain-1.2/3:4");
    check_quoted("", "\"\"");
    check_quoted("a b", "\"a b\"");
    check_quoted("a=b", "\"a=b\"");
    check_quoted("a\"b\\", "\"a\\\"b\\\\\"");
    check_quoted("caf\xc3\xa9", "\"caf\xc3\xa9\"");
}

static void nothing_forges_a_line_or_controls_a_terminal(void **state) {
    check_quoted("a\r\nb\tc", "\"a\\r\\nb\\tc\"");
    check_quoted("\x1b[31m\x7f", "\"\\x1b[31m\\u{7f}\"");
    check_quoted("nul\0", "\"nul\\x00\"");
    check_quoted("\xc2\x9b", "\"\\u{9b}\"");
    check_quoted("\xc2\xad\xd8\x9c\xe1\xa0\x8e", "\"\\u{ad}\\u{61c}\\u{180e}\"");
    check_quoted("\xe2\x80\xa8\xe2\x80\xae", "\"\\u{2028}\\u{202e}\"");
    check_quoted("\xff\xe2\x82", "\"\\xff\\xe2\\x82\"");

    const torc_log_record record = record_of("t\ninjected \x1b", NULL, 0);
    check_str(torc_str_from(as_text(&record), PREFIX_LEN - 2), "t\\ninjected \\x1b\n");
}

static void json_of_anything_is_one_line(void **state) {
    const torc_log_field field = TORC_LOG_STR("k", TORC_STR("\r\n\xff\xe2\x80\xa8</script>"));
    const torc_log_record record = record_of("t", &field, 1);
    const torc_str line = as_json(&record);

    assert_int_equal(torc_str_find_byte(line, '\n'), line.len - 1);
    assert_true(torc_str_find(line, TORC_STR("\"k\":\"\\r\\n\xef\xbf\xbd\\u2028\\u003c/script"
                                             "\\u003e\"")) > 0);
}

static void values_are_cut_between_characters(void **state) {
    const torc_log_field field = TORC_LOG_STR("k", TORC_STR("ab\xe2\x82\xac"
                                                            "cd"));
    const torc_log_record record = record_of("t", &field, 1);
    static const char *const expected[] = {
        "k=\"\"\xe2\x80\xa6\n",
        "k=a\xe2\x80\xa6\n",
        "k=ab\xe2\x80\xa6\n",
        "k=ab\xe2\x80\xa6\n",
        "k=ab\xe2\x80\xa6\n",
        "k=\"ab\xe2\x82\xac\"\xe2\x80\xa6\n",
        "k=\"ab\xe2\x82\xac"
        "c\"\xe2\x80\xa6\n",
        "k=\"ab\xe2\x82\xac"
        "cd\"\n",
    };

    for (size_t max = 1; max < TORC_COUNT_OF(expected); max++) {
        torc_buf_init_fixed(&buf, room, sizeof room);
        torc_log_format_short(&buf, &record, TORC_LOG_FORMAT_TEXT, max);
        assert_true(torc_str_ends_with(torc_buf_str(&buf), torc_str_of(expected[max])));
    }
}

static void a_buffer_that_is_full_fails(void **state) {
    const torc_log_record record = record_of("it happened", NULL, 0);
    char small[20];

    torc_buf_init_fixed(&buf, small, sizeof small);
    torc_log_format_text(&buf, &record);
    check_err(torc_buf_err(&buf), TORC_ERR_LIMIT);
    torc_buf_init_fixed(&buf, small, sizeof small);
    torc_log_format_json(&buf, &record);
    check_err(torc_buf_err(&buf), TORC_ERR_LIMIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_for_people),
        cmocka_unit_test(a_line_of_json),
        cmocka_unit_test(a_line_of_logfmt),
        cmocka_unit_test(a_sequence_of_json),
        cmocka_unit_test(times_durations_and_bytes),
        cmocka_unit_test(local_times_have_their_offset),
        cmocka_unit_test(times_before_1970_are_right_too),
        cmocka_unit_test(values_that_could_mislead_are_quoted),
        cmocka_unit_test(nothing_forges_a_line_or_controls_a_terminal),
        cmocka_unit_test(json_of_anything_is_one_line),
        cmocka_unit_test(values_are_cut_between_characters),
        cmocka_unit_test(a_buffer_that_is_full_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
