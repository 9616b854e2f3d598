/* SPDX-License-Identifier: MIT */
/* Pages: read once, when the program starts, and put together for each request. */
#include "page.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    PART_MAX = 32 * 1024,
    PAGE_MAX = 256 * 1024
};

typedef struct part {
    const char *name;
    torc_str title, body;
    char bytes[PART_MAX];
} part;

static part parts[] = {
    {.name = "frame"},  {.name = "index"},   {.name = "engine"},  {.name = "try"},
    {.name = "notes"},  {.name = "files"},   {.name = "cookies"}, {.name = "filters"},
    {.name = "errors"}, {.name = "missing"},
};

static const part *find_part(const char *name) {
    for (size_t i = 0; i < TORC_COUNT_OF(parts); i++)
        if (strcmp(parts[i].name, name) == 0) return &parts[i];
    return NULL;
}

static const char *load(part *it, const char *path, char text[400]) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        snprintf(text, 400, "%.300s: %s; --pages names their folder", path, strerror(errno));
        return text;
    }
    it->body = torc_str_make(it->bytes, fread(it->bytes, 1, PART_MAX, file));
    fclose(file);
    if (it->body.len == PART_MAX || !torc_str_split(&it->body, '\n', &it->title)) {
        snprintf(text, 400, "%.300s: not a title and less than 32 KiB of HTML", path);
        return text;
    }
    return NULL;
}

const char *pages_load(const char *folder, char text[400]) {
    char path[4096];

    for (size_t i = 0; i < TORC_COUNT_OF(parts); i++) {
        snprintf(path, sizeof(path), "%s/%s.html", folder, parts[i].name);
        const char *wrong = load(&parts[i], path, text);
        if (wrong) return wrong;
    }
    return NULL;
}

void html_add(torc_buf *html, torc_str text) {
    for (size_t i = 0; i < text.len; i++) {
        switch (text.bytes[i]) {
        case '<':
            torc_buf_add(html, TORC_STR("&lt;"));
            break;
        case '>':
            torc_buf_add(html, TORC_STR("&gt;"));
            break;
        case '&':
            torc_buf_add(html, TORC_STR("&amp;"));
            break;
        case '"':
            torc_buf_add(html, TORC_STR("&quot;"));
            break;
        case '\'':
            torc_buf_add(html, TORC_STR("&#39;"));
            break;
        default:
            torc_buf_add_byte(html, text.bytes[i]);
        }
    }
}

/* A page that is put together. */
typedef struct page {
    torc_request *request;
    torc_buf html;
    const part *inside; /* the frame's title and body */
    const page_value *values;
    size_t count;
} page;

static void fill(page *it, torc_str rest);

/* The host of the documentation, beside the one that was asked: docs.localhost:8080. */
static void add_docs(page *it) {
    const torc_str authority = torc_request_authority(it->request);
    const torc_str host = torc_request_hostname(it->request);

    torc_buf_add(&it->html, torc_request_scheme(it->request));
    torc_buf_add(&it->html, TORC_STR("://docs.localhost"));
    html_add(&it->html, torc_str_from(authority, host.len));
}

static void add_origin(page *it) {
    torc_buf_add(&it->html, torc_request_scheme(it->request));
    torc_buf_add(&it->html, TORC_STR("://"));
    html_add(&it->html, torc_request_authority(it->request));
}

static void add_theme(page *it) {
    torc_str theme = TORC_STR("auto");
    (void)torc_request_cookie(it->request, "theme", &theme);
    html_add(&it->html, theme);
}

static void add_nonce(page *it) {
    torc_buf_add(&it->html, torc_request_csp_nonce(it->request));
}

static void add_id(page *it) {
    html_add(&it->html, torc_request_id(it->request));
}

static void add_title(page *it) {
    html_add(&it->html, it->inside->title);
}

static void add_body(page *it) {
    fill(it, it->inside->body);
}

static const struct {
    const char *name;
    void (*add)(page *it);
} built_in[] = {
    {"body", add_body},     {"docs", add_docs},   {"id", add_id},       {"nonce", add_nonce},
    {"origin", add_origin}, {"theme", add_theme}, {"title", add_title},
};

static void add_value(page *it, torc_str name) {
    for (size_t i = 0; i < it->count; i++) {
        const page_value *value = &it->values[i];
        if (!torc_str_equals(name, torc_str_of(value->name))) continue;
        if (value->is_html)
            torc_buf_add(&it->html, value->text);
        else
            html_add(&it->html, value->text);
        return;
    }
    for (size_t i = 0; i < TORC_COUNT_OF(built_in); i++)
        if (torc_str_equals(name, torc_str_of(built_in[i].name))) built_in[i].add(it);
}

static void fill(page *it, torc_str rest) {
    while (rest.len) {
        const ptrdiff_t begin = torc_str_find(rest, TORC_STR("{{"));
        const torc_str name = begin < 0 ? rest : torc_str_from(rest, (size_t)begin + 2);
        const ptrdiff_t end = torc_str_find(name, TORC_STR("}}"));

        if (begin < 0 || end < 0) {
            torc_buf_add(&it->html, rest);
            return;
        }
        torc_buf_add(&it->html, torc_str_head(rest, (size_t)begin));
        add_value(it, torc_str_head(name, (size_t)end));
        rest = torc_str_from(name, (size_t)end + 2);
    }
}

torc_render page_reply(torc_request *request, int status, const char *name,
                       const page_value *values, size_t count) {
    page it = {.request = request, .inside = find_part(name), .values = values, .count = count};

    torc_buf_init(&it.html, torc_reactor_memory(torc_request_reactor(request)), TORC_MEMORY_OUTPUT,
                  PAGE_MAX);
    fill(&it, find_part("frame")->body);
    const torc_err err = torc_buf_err(&it.html);
    /* It is the visitor's own, by his cookies: asked for again each time, which costs a 304. */
    torc_response_set(request, "Cache-Control", TORC_STR("private, no-cache"));
    const torc_render answer =
        err ? torc_reply_error(request, err)
            : torc_reply_bytes(request, status, "text/html; charset=utf-8", torc_buf_str(&it.html));
    torc_buf_dispose(&it.html);
    return answer;
}

void page_route(torc_app *app, const char *pattern, torc_render_fn *render) {
    torc_resource_route_with(torc_app_root(app), pattern, render,
                             TORC_ROUTE_OPTIONS(.is_hidden = true));
}
