/* SPDX-License-Identifier: MIT */
/*
 * Replies to errors: which status they have, what is logged, and having a page written.
 *
 *  - Once something was sent an error aborts: nothing is ever appended to what was begun.
 *  - The handler writes the page, and may let others reply in its place. What goes wrong meanwhile
 *    is answered by its plain page, and what goes wrong with that by no body at all: `error_step`
 *    says how far it has come, so it never goes round in circles.
 */
#include <execinfo.h>
#include <torc/failure.h>
#include <torc/log.h>

#include "http/staging.h"

enum {
    FAILURE_TEXT = 2048
};

bool torc_response_begin_error(torc_request *request, int status) {
    if (torc_staging_refuses(request)) return false;
    if (request_is_over(request) || request->is_started) {
        torc_request_abort(request);
        return false;
    }
    request->failure = TORC_OK;
    torc_response_clear_body_fields(request, status);
    torc_response_set_status(request, status, NULL);
    return true;
}

void torc_request_write_error(torc_request *request, const torc_error_reply *error) {
    torc_handler *handler = request->handler;
    const bool is_plain = request->error_step > TORC_ERROR_NONE;

    request->error_step = is_plain ? TORC_ERROR_PLAIN : TORC_ERROR_ASKING;
    handler->ops->write_error_page(handler, request, error, is_plain);
    request->error_step = is_plain ? TORC_ERROR_ASKING : TORC_ERROR_NONE;
}

/* Note the stack, from the caller of this library on: `from` is where that goes on. */
__attribute__((noinline, cold)) static void take_trace(torc_trace *trace, const void *from) {
    const int count = backtrace(trace->frames, TORC_TRACE_MAX);
    int first = 0;

    while (first < count && trace->frames[first] != from) first++;
    if (first == count) first = 0;
    trace->count = (uint32_t)(count - first);
    memmove(trace->frames, trace->frames + first, trace->count * sizeof(void *));
}

const torc_trace *torc_request_trace(const torc_request *request) {
    return request->trace;
}

static void write_page(torc_request *request, const torc_error_reply *error) {
    torc_request_write_error(request, error);
    (void)torc_request_finish(request);
}

__attribute__((noinline, cold)) static void
write_traced_page(torc_request *request, const torc_error_reply *error, const void *from) {
    torc_trace trace;

    take_trace(&trace, from);
    request->trace = &trace;
    write_page(request, error);
    request->trace = NULL;
}

/* `from` is the address that the stack is told from; NULL: it says nothing. */
static torc_render reply_page(torc_request *request, const torc_error_reply *error,
                              const void *from) {
    if (!torc_response_begin_error(request, error->status)) return TORC_RENDER_DONE;
    if (from && error->status >= 500 && request->handler->show_errors && !request->trace)
        write_traced_page(request, error, from);
    else
        write_page(request, error);
    return TORC_RENDER_DONE;
}

/* What is for developers only. */
static torc_str shown(const torc_request *request, const char *text) {
    return torc_str_of(request->handler->show_errors ? text : NULL);
}

torc_render torc_reply_status(torc_request *request, int status, const char *detail) {
    const torc_error_reply error = {
        .status = status >= 400 && status <= 599 ? status : 500,
        .detail = torc_str_of(detail),
    };
    return reply_page(request, &error, __builtin_return_address(0));
}

int torc_err_status(torc_err err) {
    switch (err) {
    case TORC_ERR_TOO_LARGE:
        return 413;
    case TORC_ERR_NOT_FOUND:
    case TORC_ERR_NOT_DIRECTORY:
        return 404;
    case TORC_ERR_PERMISSION:
        return 403;
    case TORC_ERR_NO_MEMORY:
    case TORC_ERR_LIMIT:
    case TORC_ERR_BUSY:
    case TORC_ERR_FILE_TABLE_FULL:
    case TORC_ERR_STOPPING:
        return 503;
    case TORC_ERR_MEDIA_TYPE:
        return 415;
    case TORC_ERR_TIMEOUT:
        return 504;
    case TORC_ERR_STALLED:
        return 408;
    case TORC_ERR_SYNTAX:
    case TORC_ERR_UTF8:
    case TORC_ERR_TRUNCATED:
    case TORC_ERR_PEER:
    case TORC_ERR_UPGRADE:
        return 400;
    default:
        return 500;
    }
}

torc_render torc_reply_error(torc_request *request, torc_err err) {
    const torc_error_reply error = {
        .status = torc_err_status(err),
        .err = err,
        .detail = shown(request, torc_err_text(err)),
    };
    return reply_page(request, &error, __builtin_return_address(0));
}

torc_render torc_reply_failure(torc_request *request, const char *text) {
    const torc_error_reply error = {.status = 500, .detail = shown(request, text)};
    const torc_log_field why = TORC_LOG_TEXT("error", text);

    torc_request_log_failure(request, "a render failed", &why);
    return reply_page(request, &error, __builtin_return_address(0));
}

/* What is the peer's doing is worth knowing, but nothing to be woken for. */
static void log_failure(torc_request *request, const torc_failure *failure, int status) {
    torc_log *log = torc_request_log(request);
    const torc_log_field why = TORC_LOG_FAILURE("error", failure);

    if (status >= 500)
        torc_request_log_failure(request, "a render failed", &why);
    else
        TORC_LOG_INFO(log, "http", "a request was refused", TORC_LOG_INT("status", status),
                      TORC_LOG_FAILURE("error", failure),
                      TORC_LOG_STR("method", torc_request_method_text(request)),
                      TORC_LOG_STR("target", torc_request_target_to_log(request)));
}

torc_render torc_reply_failed(torc_request *request, torc_failure *failure) {
    torc_error_reply error = {
        .status = torc_err_status(torc_failure_err(failure)),
        .err = torc_failure_err(failure),
        .failure = failure,
    };
    char bytes[FAILURE_TEXT];
    torc_buf text;

    log_failure(request, failure, error.status);
    torc_buf_init_fixed(&text, bytes, sizeof(bytes));
    if (request->handler->show_errors) torc_failure_format(failure, &text); /* cut, if need be */
    error.detail = torc_buf_str(&text);
    reply_page(request, &error, __builtin_return_address(0));
    torc_failure_free(failure);
    return TORC_RENDER_DONE;
}

void torc_reply_nothing(torc_request *request) {
    static const char text[] = "a render returned without a response";
    const torc_error_reply error = {.status = 500, .detail = shown(request, text)};

    torc_request_log_failure(request, text, NULL);
    reply_page(request, &error, NULL);
}
