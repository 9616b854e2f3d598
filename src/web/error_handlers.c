/* SPDX-License-Identifier: MIT */
/*
 * Who answers errors in place of the small page: functions and pages that parts of the tree have.
 *
 *  - They hang in the scopes of resources; which of them a request has come through is remembered
 *    when it has come to the end of its walk, so that a request without errors pays one look.
 *  - A function that says that it has replied and has not, is as if it had passed on; one that has
 *    begun and not ended a response is ended by an abort.
 */
#include <stdio.h>

#include <torc/log.h>
#include <torc/media_types.h>

#include "base/alloc.h"
#include "web/error_page.h"
#include "web/file_text.h"

enum {
    FILE_BYTES_MAX = 1024 * 1024
};

struct torc_error_handler {
    torc_error_handler *next;
    torc_error_fn *reply; /* NULL: a page */
    void *context;
    int first, last;
    torc_str page;
    char *type; /* of the page, in `bytes`, ended by NUL */
    char bytes[];
};

/* What errors of a request are answered by: lists of scopes, the outermost first. */
typedef struct noted {
    uint32_t count;
    const torc_error_handler *lists[];
} noted;

static const char key;

/* ---- giving them to the tree ---- */

void torc_error_handlers_dispose(torc_error_handler *first) {
    while (first) {
        torc_error_handler *next = first->next;
        torc_dealloc(NULL, first);
        first = next;
    }
}

/* Put one behind those that a resource has; its text is copied. */
static torc_error_handler *add(torc_resource *resource, const char *type, torc_str page) {
    torc_scope *scope = torc_scope_of(resource);
    const size_t type_size = strlen(type) + 1;
    torc_error_handler *self =
        scope ? torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self) + type_size + page.len)
              : NULL;
    torc_error_handler **last;

    if (!self) {
        torc_resource_fail(resource, TORC_ERR_NO_MEMORY, "an error page");
        return NULL;
    }
    self->type = memcpy(self->bytes, type, type_size);
    if (page.len) memcpy(self->bytes + type_size, page.bytes, page.len);
    self->page = torc_str_make(self->bytes + type_size, page.len);
    for (last = &scope->errors; *last; last = &(*last)->next) continue;
    *last = self;
    return self;
}

void torc_resource_on_error(torc_resource *resource, torc_error_fn *reply, void *context) {
    torc_error_handler *self = add(resource, "", torc_str_make(NULL, 0));

    if (!self) return;
    self->reply = reply;
    self->context = context;
}

void torc_resource_set_error_page(torc_resource *resource, int first, int last,
                                  const char *content_type, torc_str page) {
    char text[120];

    if (first < 400 || last > 599 || first > last) {
        snprintf(text, sizeof(text), "an error page for %d to %d: statuses are from 400 to 599",
                 first, last);
        torc_resource_fail(resource, TORC_ERR_INVALID, text);
    } else if (!torc_media_type_is_valid(torc_str_of(content_type))) {
        torc_resource_fail(resource, TORC_ERR_INVALID, "an error page: its type is none");
    } else {
        torc_error_handler *self = add(resource, content_type, page);
        if (!self) return;
        self->first = first;
        self->last = last;
    }
}

/* The type of a file's name; text is taken to be in UTF-8. */
static void type_of(const char *path, char *type, size_t size) {
    const char *slash = strrchr(path, '/');
    const torc_str found = torc_media_types_find(NULL, torc_str_of(slash ? slash + 1 : path));
    const torc_str known = found.bytes ? found : TORC_STR("application/octet-stream");
    const bool is_text =
        torc_str_starts_with(known, TORC_STR("text/")) && torc_str_find_byte(known, ';') < 0;

    snprintf(type, size, "%.*s%s", TORC_STR_ARGS(known), is_text ? "; charset=utf-8" : "");
}

void torc_resource_set_error_file(torc_resource *resource, int first, int last, const char *path) {
    char type[160], text[120];
    torc_buf page;

    torc_buf_init(&page, NULL, TORC_MEMORY_OTHER, 2 * FILE_BYTES_MAX);
    const torc_err err = torc_file_text_read(path, FILE_BYTES_MAX, &page);
    if (err) {
        snprintf(text, sizeof(text), "the error page %.80s: %s", path, torc_err_text(err));
        torc_resource_fail(resource, err, text);
    } else {
        type_of(path, type, sizeof(type));
        torc_resource_set_error_page(resource, first, last, type, torc_buf_str(&page));
    }
    torc_buf_dispose(&page);
}

/* ---- remembering them ---- */

static uint32_t count_of(const torc_walk *walk) {
    uint32_t count = 0;

    for (uint32_t i = 0; i < walk->scope_count; i++)
        if (walk->scopes[i].scope->errors) count++;
    return count;
}

void torc_errors_note(const torc_walk *walk) {
    const uint32_t more = count_of(walk);
    torc_request *request = walk->end.request;

    if (!more) return;
    const noted *former = torc_request_value(request, &key);
    const uint32_t before = former ? former->count : 0;
    noted *self = torc_arena_alloc(torc_request_arena(request),
                                   sizeof(*self) + (before + more) * sizeof(self->lists[0]));
    if (!self) return;
    if (before) memcpy(self->lists, former->lists, before * sizeof(self->lists[0]));
    self->count = before;
    for (uint32_t i = 0; i < walk->scope_count; i++)
        if (walk->scopes[i].scope->errors)
            self->lists[self->count++] = walk->scopes[i].scope->errors;
    (void)!torc_request_set_value(request, &key, self);
}

/* ---- asking them ---- */

/* Whether a function has replied. */
static bool has_replied(torc_request *request, const torc_error_reply *error, torc_render answer) {
    if (torc_request_is_gone(request)) return true;
    if (answer != TORC_RENDER_NEXT)
        TORC_LOG_ERROR(torc_request_log(request), "http",
                       "a handler of errors returned without a response",
                       TORC_LOG_STR("target", torc_request_target_to_log(request)));
    /* What it has begun of a page is forgotten; of a response, aborted. */
    return !torc_response_begin_error(request, error->status);
}

static bool reply_by_page(const torc_error_handler *self, torc_request *request,
                          const torc_error_reply *error) {
    if (error->status < self->first || error->status > self->last) return false;
    if (torc_error_form_choose(request, torc_str_of(self->type)) != TORC_ERROR_FORM_HTML)
        return false;
    torc_reply_bytes(request, error->status, self->type, self->page);
    return true;
}

static bool ask_list(const torc_error_handler *self, torc_request *request,
                     const torc_error_reply *error) {
    for (; self; self = self->next) {
        if (self->reply ? has_replied(request, error, self->reply(request, error, self->context))
                        : reply_by_page(self, request, error))
            return true;
    }
    return false;
}

bool torc_errors_answer(const torc_resource *root, torc_request *request,
                        const torc_error_reply *error) {
    const noted *self = torc_request_value(request, &key);
    const torc_children *children = root->children;

    if (!self) {
        const torc_scope *scope = children ? children->scope : NULL;
        return scope && ask_list(scope->errors, request, error);
    }
    for (uint32_t i = self->count; i > 0; i--)
        if (ask_list(self->lists[i - 1], request, error)) return true;
    return false;
}
