/* SPDX-License-Identifier: MIT */
/*
 * Expectations that fail, and who is told.
 *
 *  - What is told lives until the function that is told returns, or until the next failure if it
 *    does not return: so a test that is left by a jump leaves nothing behind.
 *  - The state is the process's: for tests of one thread.
 */
#include "testing/expect.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    SHOWN_MAX = 300 /* bytes of a text on each side */
};

static torc_test_failure_fn *told;
static void *told_context;
static uint64_t failures;
static torc_buf last; /* the text of the failure that is told */
static int clients;   /* that were not freed */
static int missed;    /* of them, of which that was told */

void torc_test_on_failure(torc_test_failure_fn *failed, void *context) {
    told = failed;
    told_context = context;
}

static void tell(const char *place) {
    torc_buf_add_byte(&last, '\0');
    const char *text = torc_buf_err(&last) ? "an expectation failed; no memory to say which"
                                           : torc_buf_str(&last).bytes;

    failures++;
    if (told)
        told(told_context, place, text);
    else
        fprintf(stderr, "%s: %s\n", place, text);
    torc_buf_dispose(&last);
}

static void begin(void) {
    torc_buf_dispose(&last);
    torc_buf_init(&last, NULL, TORC_MEMORY_OTHER, TORC_TEST_TEXT_MAX);
}

void torc_test_fail_at(const char *place, const char *format, ...) {
    va_list arguments;

    begin();
    va_start(arguments, format);
    torc_buf_vaddf(&last, format, arguments);
    va_end(arguments);
    tell(place);
}

void torc_test_fail_buf(const char *place, torc_buf *text) {
    torc_buf_dispose(&last);
    last = *text;
    *text = (torc_buf){0};
    tell(place);
}

uint64_t torc_test_failure_count(void) {
    return failures;
}

void torc_test_count_clients(int more) {
    clients += more;
    if (missed > clients) missed = clients;
}

int torc_test_end(void) {
    const int more = clients - missed;

    missed = clients;
    if (more > 0) torc_test_fail_at("the end", "%d test clients were not freed", more);
    return failures > 0;
}

/* ---- values ---- */

bool torc_test_expect_at(const char *place, bool is_fulfilled, const char *condition) {
    if (!is_fulfilled) torc_test_fail_at(place, "this is not so: %s", condition);
    return is_fulfilled;
}

bool torc_test_expect_int_at(const char *place, int64_t is, int64_t should) {
    if (is != should)
        torc_test_fail_at(place, "it is %lld, and should be %lld", (long long)is,
                          (long long)should);
    return is == should;
}

bool torc_test_expect_text_at(const char *place, const char *is, const char *should) {
    if (is && should) return torc_test_expect_str_at(place, torc_str_of(is), torc_str_of(should));
    if (is == should) return true;
    torc_test_fail_at(place, "it is %s, and should be %s", is ? is : "NULL",
                      should ? should : "NULL");
    return false;
}

bool torc_test_expect_str_at(const char *place, torc_str is, torc_str should) {
    torc_buf text;

    if (torc_str_equals(is, should)) return true;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, TORC_TEST_TEXT_MAX);
    torc_buf_addf(&text, "it is not what it should be");
    torc_test_add_difference(&text, is, should);
    torc_test_fail_buf(place, &text);
    return false;
}

void torc_test_add_shown(torc_buf *text, torc_str bytes, size_t max) {
    const torc_str shown = torc_str_head(bytes, max);

    for (size_t i = 0; i < shown.len; i++) {
        const unsigned char byte = (unsigned char)shown.bytes[i];
        if (byte == '\n')
            torc_buf_addf(text, "\n    ");
        else if (byte < ' ' || byte == 127)
            torc_buf_addf(text, "\\x%02x", byte);
        else
            torc_buf_add_byte(text, (char)byte);
    }
    if (shown.len < bytes.len)
        torc_buf_addf(text, "\n    … and %zu bytes more", bytes.len - shown.len);
}

static void add_side(torc_buf *text, const char *which, torc_str bytes, size_t from) {
    torc_buf_addf(text, "\n  %s (%zu bytes):\n    ", which, bytes.len);
    if (from) torc_buf_addf(text, "… ");
    torc_test_add_shown(text, torc_str_from(bytes, from), SHOWN_MAX);
}

void torc_test_add_difference(torc_buf *text, torc_str is, torc_str should) {
    size_t at = 0, line = 1;

    for (; at < is.len && at < should.len && is.bytes[at] == should.bytes[at]; at++)
        if (is.bytes[at] == '\n') line++;
    const size_t from = at > SHOWN_MAX / 2 ? at - SHOWN_MAX / 4 : 0;
    torc_buf_addf(text, ": they differ from byte %zu on (line %zu)", at, line);
    add_side(text, "is", is, from);
    add_side(text, "should be", should, from);
}

/* ---- logs ---- */

bool torc_test_expect_event_at(const char *place, torc_test_log *captured, const char *space,
                               const char *text) {
    torc_buf said;

    if (torc_test_log_forget(captured, space, text) > 0) return true;
    torc_buf_init(&said, NULL, TORC_MEMORY_OTHER, TORC_TEST_TEXT_MAX);
    torc_buf_addf(&said, "the log has no event \"%s\" of %s; it has:", text, space);
    for (size_t i = 0; i < torc_test_log_count(captured); i++) {
        const torc_log_record *record = torc_test_log_at(captured, i);
        torc_buf_addf(&said, "\n    %s %s: %s", torc_log_level_name(record->level), record->space,
                      record->text);
    }
    torc_test_fail_buf(place, &said);
    return false;
}

void torc_test_add_errors(torc_buf *text, const torc_test_log *captured) {
    for (size_t i = 0; i < torc_test_log_count(captured); i++) {
        const torc_log_record *record = torc_test_log_at(captured, i);
        if (record->level < TORC_LOG_LEVEL_ERROR) continue;
        torc_buf_addf(text, "\n  logged: ");
        torc_log_format_text(text, record);
        torc_buf_truncate(text, text->len - 1); /* the end of its line */
    }
}

bool torc_test_expect_no_errors_at(const char *place, const torc_test_log *captured) {
    torc_buf text;

    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, TORC_TEST_TEXT_MAX);
    torc_test_add_errors(&text, captured);
    if (text.len == 0) return true;
    const torc_str events = torc_buf_str(&text);
    torc_test_fail_at(place, "errors were logged that nobody expected:%.*s", TORC_STR_ARGS(events));
    torc_buf_dispose(&text);
    return false;
}
