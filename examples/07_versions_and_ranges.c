/* SPDX-License-Identifier: MIT */
/* Content with a version: conditional requests and ranges, for what is no file. */
#include <stdio.h>
#include <torc/torc.h>

/* 1. A document that is made in memory: what identifies its version, and its bytes. */
static torc_render notes(torc_request *request) {
    const torc_validators validators = {.etag = TORC_STR_INIT("\"notes-3\""),
                                        .last_modified = 1767225600};
    return torc_reply_version(request, &validators, "text/plain; charset=utf-8",
                              TORC_STR("Buy milk.\nCall home.\nWrite to Ada.\n"));
}

/* 2. Content that nobody holds as a whole: a gigabyte of numbered lines, of which only what was
 * asked for is made. */
enum {
    LINE_LEN = 16,
    LINE_COUNT = 64 * 1024 * 1024
};

static torc_err write_lines(const torc_representation *self, torc_request *request, uint64_t first,
                            uint64_t len) {
    char line[32];

    (void)self;
    for (const uint64_t end = first + len; first < end;) {
        const size_t at = first % LINE_LEN;
        const size_t rest = LINE_LEN - at;
        const size_t part = end - first < rest ? (size_t)(end - first) : rest;
        snprintf(line, sizeof(line), "line %010llu\n", (unsigned long long)(first / LINE_LEN));
        torc_request_write(request, torc_str_make(line + at, part)); /* waits for a slow peer */
        if (torc_request_is_gone(request)) return TORC_ERR_GONE;
        first += part;
    }
    return TORC_OK;
}

static torc_render lines(torc_request *request) {
    const torc_representation all = {
        .validators = {.etag = TORC_STR_INIT("\"lines\""), .last_modified = TORC_NO_DATE},
        .content_type = TORC_STR_INIT("text/plain"),
        .size = (uint64_t)LINE_LEN * LINE_COUNT,
        .write = write_lines,
    };
    return torc_reply_representation(request, &all);
}

/* 3. A change that must not overwrite what somebody else has changed meanwhile. */
static int visits = 1;

static torc_render count_up(torc_request *request) {
    char tag[32], text[32];

    snprintf(tag, sizeof(tag), "\"%d\"", visits);
    const torc_validators validators = {.etag = torc_str_of(tag), .last_modified = TORC_NO_DATE};
    const torc_condition condition = torc_request_check(request, &validators);
    if (condition != TORC_CONDITION_PROCEED) return torc_reply_condition(request, condition);
    snprintf(text, sizeof(text), "%d\n", ++visits);
    torc_response_remove(request, "ETag"); /* that was of the version before */
    return torc_reply_text(request, 200, text);
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("versions_and_ranges");
    torc_app_set_workers(app, 1); /* it counts in memory, which each worker has its own of */
    torc_app_route(app, "GET /notes", notes);
    torc_app_route(app, "GET /lines", lines);
    torc_app_route(app, "PUT /visits", count_up);
    return torc_app_run(app, argc, argv);
}
