/* SPDX-License-Identifier: MIT */
/*
 * Problems, as application/problem+json (RFC 9457).
 *
 *  - Members of which nothing is known are left out; the status never is.
 *  - A JSON pointer is sent as a fragment of a URI (RFC 6901 §6), as in the examples of RFC 9457.
 */
#include <torc/problem.h>
#include <torc/status.h>

#include "base/ascii.h"
#include "http/request_state.h"

enum {
    POINTER_MAX = 64 * 1024
};

static int status_of(const torc_problem *problem) {
    return problem->status >= 400 && problem->status <= 599 ? problem->status : 500;
}

/* What stands for itself in a fragment (RFC 3986 §3.5). */
static bool is_plain(char byte) {
    if (torc_is_alnum(byte)) return true;
    return byte && strchr("-._~!$&'()*+,;=:@/?", byte);
}

static void add_fragment(torc_buf *text, torc_str pointer) {
    torc_buf_add_byte(text, '#');
    for (size_t i = 0; i < pointer.len; i++) {
        if (is_plain(pointer.bytes[i]))
            torc_buf_add_byte(text, pointer.bytes[i]);
        else
            torc_buf_addf(text, "%%%02X", (unsigned char)pointer.bytes[i]);
    }
}

static void write_pointer(torc_json *json, torc_str pointer) {
    torc_buf text;

    torc_buf_init(&text, NULL, TORC_MEMORY_OUTPUT, POINTER_MAX);
    add_fragment(&text, pointer);
    if (torc_buf_err(&text)) torc_json_fail(json, torc_buf_err(&text));
    torc_json_member_str(json, "pointer", torc_buf_str(&text));
    torc_buf_dispose(&text);
}

static void write_errors(torc_json *json, const torc_problem *problem) {
    torc_json_member_array(json, "errors");
    for (size_t i = 0; i < problem->error_count; i++) {
        const torc_problem_error *error = &problem->errors[i];
        torc_json_open_object(json);
        torc_json_member_str(json, "detail", error->detail);
        if (error->pointer.bytes) write_pointer(json, error->pointer);
        if (error->parameter.len) torc_json_member_str(json, "parameter", error->parameter);
        torc_json_close_object(json);
    }
    torc_json_close_array(json);
}

/* Open the object, and write all but the members of the caller's own. */
static void write_members(torc_json *json, const torc_problem *problem) {
    const int status = status_of(problem);
    const torc_str title =
        problem->title ? torc_str_of(problem->title) : torc_status_phrase(status);

    torc_json_open_object(json);
    if (problem->type) torc_json_member_text(json, "type", problem->type);
    if (title.len) torc_json_member_str(json, "title", title);
    torc_json_member_int(json, "status", status);
    if (problem->detail) torc_json_member_text(json, "detail", problem->detail);
    if (problem->instance) torc_json_member_text(json, "instance", problem->instance);
    if (problem->error_count) write_errors(json, problem);
}

void torc_problem_write(const torc_problem *problem, torc_json *json) {
    write_members(json, problem);
    if (problem->extend) problem->extend(json, problem->context);
    torc_json_close_object(json);
}

torc_json *torc_reply_problem_json(torc_request *request, const torc_problem *problem) {
    torc_response_begin_error(request, status_of(problem));
    torc_json *json = torc_reply_json(request, status_of(problem));
    torc_response_set_type(request, TORC_STR("application/problem+json"));
    json->options = TORC_JSON_REPLACE_INVALID;
    write_members(json, problem);
    return json;
}

torc_render torc_reply_problem(torc_request *request, const torc_problem *problem) {
    torc_json *json = torc_reply_problem_json(request, problem);

    if (problem->extend) problem->extend(json, problem->context);
    torc_json_close_object(json);
    return torc_reply_end(request);
}
