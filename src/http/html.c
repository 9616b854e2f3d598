/* SPDX-License-Identifier: MIT */
/*
 * HTML as text: escaping, and the one small page that errors and redirects use.
 */
#include "http/html.h"

static torc_str entity(char c) {
    switch (c) {
    case '&':
        return TORC_STR("&amp;");
    case '<':
        return TORC_STR("&lt;");
    case '>':
        return TORC_STR("&gt;");
    case '"':
        return TORC_STR("&quot;");
    case '\'':
        return TORC_STR("&#39;");
    default:
        return torc_str_make(NULL, 0);
    }
}

void torc_html_add(torc_buf *page, torc_str text) {
    size_t clean = 0;

    for (size_t i = 0; i < text.len; i++) {
        const torc_str escaped = entity(text.bytes[i]);
        if (!escaped.len) continue;
        torc_buf_add(page, torc_str_make(text.bytes + clean, i - clean));
        torc_buf_add(page, escaped);
        clean = i + 1;
    }
    torc_buf_add(page, torc_str_from(text, clean));
}

void torc_html_add_page(torc_buf *page, torc_str title, torc_str heading, torc_str paragraph) {
    torc_buf_add(page,
                 TORC_STR("<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
                          "<title>"));
    torc_html_add(page, title);
    torc_buf_add(page, TORC_STR("</title></head>\n<body>\n<h1>"));
    torc_html_add(page, heading);
    torc_buf_add(page, TORC_STR("</h1>\n"));
    if (paragraph.len) {
        torc_buf_add(page, TORC_STR("<p>"));
        torc_html_add(page, paragraph);
        torc_buf_add(page, TORC_STR("</p>\n"));
    }
    torc_buf_add(page, TORC_STR("</body>\n</html>\n"));
}
