/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_ERROR_REPORT_H
#define TORC_WEB_ERROR_REPORT_H

#include <torc/json.h>
#include <torc/reply.h>

/*
 * What developers are told of an error, besides its page: who answered, what failed and where, the
 * stack, and the request, in which credentials are hidden.
 */

/* A page of its own: `heading` and `detail` as on the small one. */
void torc_error_report_add_html(torc_buf *page, torc_request *request,
                                const torc_error_reply *error, torc_str title, torc_str heading,
                                torc_str detail);
/* Lines behind a page of text. */
void torc_error_report_add_text(torc_buf *page, torc_request *request,
                                const torc_error_reply *error);
/* The member "debug" of an open object. */
void torc_error_report_write_json(torc_json *json, torc_request *request,
                                  const torc_error_reply *error);

#endif
