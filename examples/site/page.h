/* SPDX-License-Identifier: MIT */
#ifndef PAGE_H
#define PAGE_H

#include <torc/torc.h>

/*
 * The pages of the site: files of HTML whose first line is the title, within a frame that all of
 * them have. `{{name}}` in them is replaced: by a value of the reply, with what HTML would take for
 * its own escaped, or by what every page has:
 *
 *     nonce   of the request, which lets this page's own scripts run
 *     id      of the request
 *     theme   that the visitor has chosen, see cookies.c
 *     origin  "http://localhost:8080", as the visitor sees it
 *     docs    the same of the host of the documentation
 */
typedef struct page_value {
    const char *name;
    torc_str text;
    bool is_html; /* goes in as it is */
} page_value;

/* Read the pages in `folder`; NULL, or what is wrong, in `text`. */
const char *pages_load(const char *folder, char text[400]);
/* Reply with the page of that name: "notes". */
torc_render page_reply(torc_request *request, int status, const char *name,
                       const page_value *values, size_t count);
/* Append text to HTML. */
void html_add(torc_buf *html, torc_str text);

/* Put a page or the answer to a form into the tree; it is in no document of the API. */
void page_route(torc_app *app, const char *pattern, torc_render_fn *render);

#endif
