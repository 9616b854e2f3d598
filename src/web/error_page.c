/* SPDX-License-Identifier: MIT */
/*
 * The small page of an error, in the form that the peer likes best.
 *
 *  - The weights in Accept decide; of what is liked equally, what is named goes before what is let
 *    in by a wildcard; then HTML before problem+json before text.
 *  - Who accepts none of them gets HTML: a page is better than none (RFC 9110 §12.5.1).
 */
#include "web/error_page.h"

#include <stdio.h>

#include <torc/accept.h>
#include <torc/problem.h>
#include <torc/status.h>

#include "http/html.h"
#include "http/request.h"
#include "web/error_report.h"

enum {
    PAGE_MAX = 16 * 1024,
    OPEN_PAGE_MAX = 1024 * 1024
};

/* ---- which form ---- */

/* By weight, and what is named before what is not. */
static int liking(const torc_fields *fields, torc_str type) {
    return 2 * torc_accept_type_weight(fields, type) + torc_accept_names_type(fields, type);
}

static int liking_of_problems(const torc_fields *fields) {
    const int own = liking(fields, TORC_STR("application/problem+json"));
    const int json = liking(fields, TORC_STR("application/json"));
    return own > json ? own : json;
}

torc_error_form torc_error_form_choose(torc_request *request, torc_str html) {
    const torc_fields *fields = torc_request_fields(request);
    torc_error_form chosen = TORC_ERROR_FORM_HTML;

    torc_response_add_vary(request, "Accept");
    if (!torc_fields_value_id(fields, TORC_FIELD_ACCEPT).bytes) return chosen;
    int best = liking(fields, html);
    const int problem = liking_of_problems(fields), text = liking(fields, TORC_STR("text/plain"));
    if (problem > best) {
        best = problem;
        chosen = TORC_ERROR_FORM_PROBLEM;
    }
    return text > best ? TORC_ERROR_FORM_TEXT : chosen;
}

/* ---- the forms ---- */

typedef struct error_page {
    torc_request *request;
    int status;
    torc_str brief, detail;
    const torc_error_reply *error; /* what developers are told of; NULL: nothing */
} error_page;

/* Send what was written; without memory for it the response fails. */
static void send_page(const error_page *self, const char *type, torc_buf *page) {
    if (torc_buf_err(page)) torc_response_fail(self->request, torc_buf_err(page));
    torc_reply_bytes(self->request, self->status, type, torc_buf_str(page));
    torc_buf_dispose(page);
}

static void begin(const error_page *self, torc_buf *page) {
    torc_buf_init(page, torc_reactor_memory(torc_request_reactor(self->request)),
                  TORC_MEMORY_OUTPUT, self->error ? OPEN_PAGE_MAX : PAGE_MAX);
}

static void reply_html(const error_page *self) {
    char title[160];
    torc_buf page;

    begin(self, &page);
    snprintf(title, sizeof(title), "%d %.*s", self->status, TORC_STR_ARGS(self->brief));
    if (self->error)
        torc_error_report_add_html(&page, self->request, self->error, torc_str_of(title),
                                   self->brief, self->detail);
    else
        torc_html_add_page(&page, torc_str_of(title), self->brief, self->detail);
    send_page(self, "text/html; charset=utf-8", &page);
}

static void reply_text(const error_page *self) {
    torc_buf page;

    begin(self, &page);
    torc_buf_addf(&page, "%d %.*s\n", self->status, TORC_STR_ARGS(self->brief));
    if (self->detail.len) torc_buf_addf(&page, "\n%.*s\n", TORC_STR_ARGS(self->detail));
    if (self->error) torc_error_report_add_text(&page, self->request, self->error);
    send_page(self, "text/plain; charset=utf-8", &page);
}

static void extend(torc_json *json, void *context) {
    const error_page *self = context;
    torc_error_report_write_json(json, self->request, self->error);
}

static void reply_problem(error_page *self) {
    torc_arena *arena = torc_request_arena(self->request);
    const torc_problem problem = {
        .status = self->status,
        .title = torc_arena_cstr(arena, self->brief),
        .detail = self->detail.len ? torc_arena_cstr(arena, self->detail) : NULL,
        .extend = self->error ? extend : NULL,
        .context = self,
    };
    torc_reply_problem(self->request, &problem);
}

static void reply(error_page *self) {
    switch (torc_error_form_choose(self->request, TORC_STR("text/html"))) {
    case TORC_ERROR_FORM_PROBLEM:
        reply_problem(self);
        break;
    case TORC_ERROR_FORM_TEXT:
        reply_text(self);
        break;
    default:
        reply_html(self);
    }
}

void torc_error_page_reply(torc_request *request, int status, torc_str brief, torc_str detail) {
    error_page self = {.request = request, .status = status, .brief = brief, .detail = detail};
    reply(&self);
}

/* There is a phrase for most statuses. */
static torc_str brief_of(int status) {
    const torc_str phrase = torc_status_phrase(status);
    return phrase.len ? phrase : TORC_STR("Error");
}

void torc_error_page_reply_plain(torc_request *request, const torc_error_reply *error) {
    torc_error_page_reply(request, error->status, brief_of(error->status), error->detail);
}

void torc_error_page_reply_open(torc_request *request, const torc_error_reply *error) {
    error_page self = {
        .request = request,
        .status = error->status,
        .brief = brief_of(error->status),
        .detail = error->detail,
        .error = error,
    };
    /* What it tells is for this moment and this peer. */
    torc_response_set(request, "Cache-Control", TORC_STR("no-store"));
    reply(&self);
}
