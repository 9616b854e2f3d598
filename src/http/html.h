/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP_HTML_H
#define TORC_HTTP_HTML_H

#include <torc/buf.h>

/* Append text to an HTML page, in an element or a quoted attribute value: & < > " ' are escaped. */
void torc_html_add(torc_buf *page, torc_str text);
/* Append a small page whose title, heading and paragraph are given as text. */
void torc_html_add_page(torc_buf *page, torc_str title, torc_str heading, torc_str paragraph);

#endif
