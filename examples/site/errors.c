/* SPDX-License-Identifier: MIT */
/* Errors: a page of the site's own for people; programs get a problem by Accept, as everywhere. */
#include "page.h"
#include "parts.h"

static torc_render show_error(torc_request *request, const torc_error_reply *error, void *context) {
    static const torc_str types[] = {{"text/html", 9},
                                     {"application/problem+json", 24},
                                     {"application/json", 16},
                                     {"text/plain", 10}};
    const ptrdiff_t liked =
        torc_accept_type_choose(torc_request_fields(request), types, TORC_COUNT_OF(types));
    char digits[24];
    torc_buf buf;
    (void)context;

    /* What is built in: a problem, text, or, of our own faults, a page that can tell developers. */
    if (liked > 0 || error->status >= 500) return TORC_RENDER_NEXT;
    torc_buf_init_fixed(&buf, digits, sizeof(digits));
    torc_buf_add_int(&buf, error->status);
    const page_value values[] = {
        {"status", torc_buf_str(&buf), false},
        {"phrase", torc_status_phrase(error->status), false},
        {"detail", error->detail, false},
        {"path", torc_request_path(request), false},
    };
    torc_response_add_vary(request, "Accept");
    return page_reply(request, error->status, "missing", values, TORC_COUNT_OF(values));
}

/* The text is for the log, and for developers (--show-errors). */
static torc_render fail(torc_request *request) {
    return torc_reply_failure(request, "This was asked for.");
}

void errors_use(torc_app *app) {
    torc_resource_on_error(torc_app_root(app), show_error, NULL);
    page_route(app, "GET /fail", fail);
}
