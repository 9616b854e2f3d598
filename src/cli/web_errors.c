/* SPDX-License-Identifier: MIT */
/*
 * torc web: pages of one's own for errors.
 *
 *  - Files are read where the program starts to serve, so that a reload reads them anew.
 */
#include "web_errors.h"

#include <stdio.h>
#include <string.h>

enum {
    PAGES_MAX = 64
};

typedef struct page {
    int first, last;
    const char *path;
    const char *option; /* as it was given */
} page;

#define SPELLING                                                                                   \
    "write STATUS=FILE, as 404=/srv/lost.html; STATUS may be 5xx, 500-504 or a list: 404,410"

static page pages[PAGES_MAX];
static size_t page_count;

static bool read_status(torc_str text, int *status) {
    uint64_t number;

    if (text.len != 3 || torc_str_parse_uint(text, 599, &number) || number < 400) return false;
    *status = (int)number;
    return true;
}

/* "404", "4xx", "500-504". */
static bool read_statuses(torc_str text, page *to) {
    const ptrdiff_t dash = torc_str_find_byte(text, '-');

    if (torc_str_equals_nocase(text, TORC_STR("4xx")) ||
        torc_str_equals_nocase(text, TORC_STR("5xx"))) {
        to->first = (text.bytes[0] - '0') * 100;
        to->last = to->first + 99;
        return true;
    }
    if (dash < 0) {
        if (!read_status(text, &to->first)) return false;
        to->last = to->first;
        return true;
    }
    return read_status(torc_str_head(text, (size_t)dash), &to->first) &&
           read_status(torc_str_from(text, (size_t)dash + 1), &to->last) && to->first <= to->last;
}

/* "404,410=FILE" is a page for each of the list; they count once all of it was understood. */
static const char *apply_error_page(torc_app *app, const char *value, char text[160]) {
    const char *equals = strchr(value, '=');
    torc_str list = torc_str_make(value, equals ? (size_t)(equals - value) : 0), statuses;
    size_t count = page_count;

    (void)app;
    (void)text;
    if (!equals || !equals[1]) return SPELLING;
    while (torc_str_split(&list, ',', &statuses)) {
        if (count == PAGES_MAX) return "given too often";
        page *it = &pages[count++];
        if (!read_statuses(torc_str_trim(statuses), it)) return SPELLING;
        it->path = equals + 1;
        it->option = value;
    }
    page_count = count;
    return NULL;
}

void torc_web_errors_add_option(torc_app *app) {
    torc_app_add_option(app, "error-page", "STATUS[,STATUS]=FILE...",
                        "a page for errors: 404=lost.html, 5xx=sorry.html\n"
                        "STATUS is one from 400 to 599, `4xx` or `5xx`, or two with a dash "
                        "between, or several of these with commas; of several pages for a status "
                        "the first is sent. FILE is any "
                        "file of at most 1 MiB, which is read at the start, and at each reload. "
                        "Who likes application/problem+json or text/plain better gets these. "
                        "`--not-found`, a page in the folder that is served, goes before it.",
                        apply_error_page);
}

void torc_web_errors_put(torc_app *app) {
    torc_resource *root = torc_app_root(app);
    char text[240];

    for (size_t i = 0; i < page_count; i++) {
        const page *it = &pages[i];
        torc_resource_set_error_file(root, it->first, it->last, it->path);
        if (!torc_resource_err(root)) continue;
        snprintf(text, sizeof(text), "--error-page %.80s: %s", it->option,
                 torc_resource_err_text(root));
        torc_app_refuse(app, text);
        return;
    }
}
