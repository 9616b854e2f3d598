/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_ERROR_PAGE_H
#define TORC_WEB_ERROR_PAGE_H

#include <torc/error_page.h>

#include "web/walk.h"

/*
 * What is sent to a peer in place of what it has asked for.
 */

/* In which form an error is told. */
typedef enum torc_error_form {
    TORC_ERROR_FORM_HTML,
    TORC_ERROR_FORM_PROBLEM,
    TORC_ERROR_FORM_TEXT
} torc_error_form;

/* The form that the peer likes best, `html` being the type of the page that is there in HTML's
 * place. The response says that it depends on Accept. */
torc_error_form torc_error_form_choose(torc_request *request, torc_str html);

/* Reply with the small page: `brief` is its heading. */
void torc_error_page_reply(torc_request *request, int status, torc_str brief, torc_str detail);
/* Reply with the one of an error. */
void torc_error_page_reply_plain(torc_request *request, const torc_error_reply *error);
/* The same, with all that there is to tell developers of an error. */
void torc_error_page_reply_open(torc_request *request, const torc_error_reply *error);

/* What a scope has to say of errors. */
typedef struct torc_error_handler torc_error_handler;
void torc_error_handlers_dispose(torc_error_handler *first);
/* Remember who is asked about errors of a request that has come to the end of a walk, besides those
 * of walks before. Without memory they are not. */
void torc_errors_note(const torc_walk *walk);
/* Ask them, the innermost first; those of `root` when no walk was made. False: none has replied. */
bool torc_errors_answer(const torc_resource *root, torc_request *request,
                        const torc_error_reply *error);

#endif
