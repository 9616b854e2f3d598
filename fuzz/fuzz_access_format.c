/* SPDX-License-Identifier: MIT */
/*
 * Formats of access logs, and the lines that are made by them: the first line of the input is a
 * format, the rest are values of fields. Whatever both are, a line is one, printable, within its
 * bound, and its quotes are those of the format.
 */
#include <torc/access_log.h>
#include <torc/reply.h>
#include <torc/testing.h>
#include <torc/testing_request.h>
#include <torc/utf8.h>

#include "fuzz.h"

static torc_reactor *reactor;
static torc_log_file *file;
static torc_log_writer *writer;

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "Hello, World!");
}

static void set_up(void) {
    if (reactor) return;
    FUZZ_CHECK(!torc_test_reactor_new(NULL, &reactor));
    FUZZ_CHECK(!torc_log_file_open("/dev/null", NULL, &file));
    FUZZ_CHECK(!torc_log_writer_new(reactor, file, NULL, &writer));
}

/* A request with these values; false: no request has such. */
static bool ask(torc_site *site, torc_str values) {
    char head[4096];
    torc_test_request *test;

    if (values.len && memchr(values.bytes, 0, values.len)) return false;
    if (values.len > 2000) values.len = 2000;
    snprintf(head, sizeof(head), "GET /x?y=%%22\nHost: a.example\nUser-Agent: %.*s",
             TORC_STR_ARGS(values));
    test = torc_test_request_new(reactor, torc_site_acceptor(site), head);
    if (!test) return false;
    torc_test_request_run(test);
    torc_test_request_free(test);
    return true;
}

/* What was written behind `before`, which was room for it. */
static torc_str line_at(const char *before) {
    const char *end = memchr(before, '\n', TORC_LOG_LINE_MAX);

    FUZZ_CHECK(end != NULL);
    return torc_str_make(before, (size_t)(end - before));
}

static bool is_ascii(torc_str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.bytes[i] & 0x80 || text.bytes[i] == 0x7f) return false;
    return true;
}

static void check_line(torc_str line, bool is_text) {
    for (size_t i = 0; i < line.len; i++) {
        const unsigned char byte = (unsigned char)line.bytes[i];
        FUZZ_CHECK(byte >= ' ' || byte == '\t');
        FUZZ_CHECK(byte != 0x7f);
        if (is_text) FUZZ_CHECK(byte < 0x7f);
    }
}

/* Quotes that no backslash stands before: they open and close texts. */
static size_t count_quotes(torc_str line) {
    size_t count = 0;

    for (size_t i = 0; i < line.len; i++) {
        if (line.bytes[i] == '\\')
            i++;
        else
            count += line.bytes[i] == '"';
    }
    return count;
}

static void log_one(torc_str format, torc_str values) {
    torc_resource *root = torc_folder_new();
    torc_access_log *log;
    const bool is_known =
        torc_str_equals(format, TORC_STR("json")) || torc_str_equals(format, TORC_STR("logfmt"));

    torc_resource_route(root, "GET /x", hello);
    torc_site *site = torc_site_new(root, NULL);
    FUZZ_CHECK(!torc_access_log_new(writer, format, NULL, &log));
    torc_site_add_observer(site, torc_access_log_observer(log));
    torc_log_writer_flush(writer);
    torc_test_finish_jobs(reactor);
    const char *before = torc_log_writer_reserve(writer, TORC_LOG_LINE_MAX);
    if (ask(site, values)) {
        const torc_str line = line_at(before);
        if (is_known) {
            check_line(line, false);
            FUZZ_CHECK(torc_utf8_is_valid(line));
            FUZZ_CHECK(count_quotes(line) % 2 == 0);
        } else if (torc_str_equals(format, TORC_STR("combined"))) {
            check_line(line, true);
            FUZZ_CHECK(count_quotes(line) == 6);
        } else if (is_ascii(format)) {
            check_line(line, true);
        }
    }
    torc_site_free(site);
    torc_access_log_free(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *const text = fuzz_copy(torc_str_make((const char *)data, size));
    const torc_str all = torc_str_make(text, size);
    const ptrdiff_t end = torc_str_find_byte(all, '\n');
    const torc_str format = torc_str_head(all, end < 0 ? size : (size_t)end);
    const torc_str values = torc_str_from(all, end < 0 ? size : (size_t)end + 1);
    torc_access_format_error error;

    set_up();
    memset(&error, 'x', sizeof(error));
    const torc_err err = torc_access_format_check(format, &error);
    FUZZ_CHECK(err == TORC_OK || err == TORC_ERR_SYNTAX);
    if (err) {
        FUZZ_CHECK(memchr(error.text, '\0', sizeof(error.text)) != NULL && error.text[0] != '\0');
        FUZZ_CHECK(error.place <= format.len);
    } else {
        log_one(format, values);
    }
    log_one(TORC_STR("combined"), values);
    log_one(TORC_STR("json"), values);
    free(text);
    return 0;
}
