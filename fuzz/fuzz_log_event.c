/* SPDX-License-Identifier: MIT */
/*
 * Events of any bytes: in every form they are one line of printable UTF-8; values of structured
 * data end where they should; what is left of a URL has no user in it. The same bytes, as an
 * argument of
 * --log, name something or are told what is wrong.
 */
#include <torc/log_ring.h>
#include <torc/log_sinks.h>
#include <torc/utf8.h>

#include "app/log_target.h"
#include "base/log.h"
#include "fuzz.h"

enum {
    ROOM = 1 << 20
};

static char room[ROOM];

/* All but the last byte, if that is a line end. */
static torc_str without_end(torc_str line) {
    return torc_str_ends_with(line, TORC_STR("\n")) ? torc_str_head(line, line.len - 1) : line;
}

static void check_line(torc_str line) {
    FUZZ_CHECK(torc_utf8_is_valid(line));
    for (size_t i = 0; i < line.len; i++) FUZZ_CHECK((unsigned char)line.bytes[i] >= ' ');
}

static void check_forms(const torc_log_record *record) {
    for (int format = TORC_LOG_FORMAT_TEXT; format <= TORC_LOG_FORMAT_JSON_SEQ; format++) {
        torc_buf buf;
        torc_buf_init_fixed(&buf, room, sizeof(room));
        torc_log_format_short(&buf, record, (torc_log_format)format, SIZE_MAX);
        FUZZ_CHECK(!torc_buf_err(&buf));
        const bool has_mark = format == TORC_LOG_FORMAT_JSON_SEQ;
        check_line(without_end(torc_str_from(torc_buf_str(&buf), has_mark)));
    }
}

/* Structured data of one parameter: `[id name="value"] `, as RFC 5424 has it. */
static void check_structure(torc_str message) {
    const ptrdiff_t start = torc_str_find(message, TORC_STR("=\""));

    FUZZ_CHECK(start > 0);
    size_t at = (size_t)start + 2;
    for (; at < message.len && message.bytes[at] != '"'; at++) {
        FUZZ_CHECK(message.bytes[at] != ']');
        if (message.bytes[at] != '\\') continue;
        at++;
        FUZZ_CHECK(at < message.len && strchr("\"\\]", message.bytes[at]));
    }
    FUZZ_CHECK(torc_str_starts_with(torc_str_from(message, at), TORC_STR("\"] ")));
}

static void check_syslog(const torc_log_record *record) {
    torc_log_syslog_options options = {.size = sizeof(options), .hostname = "h", .app_name = "a"};
    torc_buf buf;

    torc_buf_init_fixed(&buf, room, sizeof(room));
    torc_log_format_syslog(&buf, record, &options, SIZE_MAX);
    FUZZ_CHECK(!torc_buf_err(&buf));
    check_line(torc_buf_str(&buf));
    check_structure(torc_buf_str(&buf));
    options.form = TORC_LOG_SYSLOG_BSD;
    torc_buf_clear(&buf);
    torc_log_format_syslog(&buf, record, &options, SIZE_MAX);
    check_line(torc_buf_str(&buf));
}

static void check_redacted(void *context, const torc_log_record *record) {
    (void)context;
    for (size_t i = 0; i < record->field_count; i++) {
        const torc_log_field *field = &record->fields[i];
        size_t from = 0, start, end;
        while (torc_log_find_userinfo(field->value.str, from, &start, &end)) {
            FUZZ_CHECK(torc_str_equals(torc_str_make(field->value.str.bytes + start, end - start),
                                       TORC_STR("[redacted]")));
            from = end;
        }
        if (torc_log_is_secret(torc_str_of(field->key)))
            FUZZ_CHECK(torc_str_equals(field->value.str, TORC_STR("[redacted]")));
    }
}

/* A ring may cut a value, and so a part of it stands for the whole: it is only to be read well. */
static void look(void *context, const torc_log_record *record) {
    (void)context;
    check_forms(record);
}

static void check_sinks(const torc_log_record *record) {
    torc_log_ring *ring;
    torc_log *log;

    if (torc_log_new(NULL, check_redacted, NULL, &log)) return;
    if (!torc_log_ring_new(NULL, 1, &ring)) {
        if (!torc_log_add_ring(log, ring, NULL, NULL))
            torc_log_event(log, record->level, record->space, record->text, record->fields,
                           record->field_count);
        torc_log_ring_each(ring, look, NULL);
        torc_log_free(log);
        torc_log_ring_free(ring);
        return;
    }
    torc_log_free(log);
}

static void check_target(const char *argument) {
    torc_log_target target;
    char wrong[160] = "";
    const char *why = torc_log_target_parse(argument, &target, wrong);

    if (why) {
        FUZZ_CHECK(why[0]);
        return;
    }
    const char *levels = torc_log_target_text(&target, target.levels);
    FUZZ_CHECK(!levels || !torc_log_levels_check(torc_str_of(levels)));
    FUZZ_CHECK(target.kind != TORC_LOG_TARGET_FILE || target.path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const size_t chosen = fuzz_byte(&input);
    const size_t key_len = chosen < input.rest.len ? chosen : input.rest.len;
    char key[256], *const bytes = fuzz_copy(input.rest), *argument = NULL;

    memcpy(key, input.rest.bytes ? input.rest.bytes : "", key_len);
    key[key_len] = '\0';
    const torc_log_field field = torc_log_field_str(
        key, torc_str_make(bytes, input.rest.len < 20000 ? input.rest.len : 20000));
    const torc_log_record record = {.level = TORC_LOG_LEVEL_INFO,
                                    .space = "fuzz",
                                    .text = key,
                                    .fields = &field,
                                    .field_count = 1};
    check_forms(&record);
    check_syslog(&record);
    check_sinks(&record);
    argument = malloc(input.rest.len + 1);
    if (argument) {
        memcpy(argument, bytes, input.rest.len);
        argument[input.rest.len] = '\0';
        check_target(argument);
    }
    free(argument);
    free(bytes);
    return 0;
}
