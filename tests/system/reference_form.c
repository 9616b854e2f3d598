/* SPDX-License-Identifier: MIT */
/*
 * `/form` of the reference site: sorted `key=v1|v2` lines of the query's arguments, in which a
 * posted form's fields take the place of those of the same name, and sorted cookies behind them.
 */
#include "reference_form.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ITEMS_MAX = 2000
};

typedef struct item {
    torc_str name, value;
    const torc_form_entry *entry; /* NULL: an argument, or a cookie */
    size_t place;                 /* so that equal names keep their order */
} item;

typedef struct items {
    item *list;
    size_t count;
} items;

static void add(items *self, torc_str name, torc_str value, const torc_form_entry *entry) {
    if (self->count == ITEMS_MAX) return;
    self->list[self->count] =
        (item){.name = name, .value = value, .entry = entry, .place = self->count};
    self->count++;
}

static int compare(const void *a, const void *b) {
    const item *one = a, *other = b;
    const int order = torc_str_compare(one->name, other->name);

    if (order) return order;
    return one->place < other->place ? -1 : 1;
}

static bool has_name(const torc_form_entries *form, torc_str name) {
    for (size_t i = 0; i < form->count; i++)
        if (torc_str_equals(form->items[i].name, name)) return true;
    return false;
}

static void add_arguments(items *self, torc_request *request, const torc_form_entries *form) {
    torc_str name, value;
    size_t place = 0;

    while (torc_request_arg_next(request, &place, &name, &value))
        if (value.bytes && !has_name(form, name)) add(self, name, value, NULL);
    for (size_t i = 0; i < form->count; i++)
        if (form->items[i].value.bytes || form->items[i].fd >= 0)
            add(self, form->items[i].name, form->items[i].value, &form->items[i]);
}

static void write_file(torc_request *request, const torc_form_entry *entry) {
    char block[4096];
    ssize_t len;

    for (uint64_t at = 0; (len = pread(entry->fd, block, sizeof(block), (off_t)at)) > 0;
         at += (uint64_t)len)
        torc_request_write(request, torc_str_make(block, (size_t)len));
}

static void write_arguments(torc_request *request, const items *self) {
    for (size_t i = 0; i < self->count; i++) {
        const item *one = &self->list[i];
        const bool goes_on = i > 0 && torc_str_equals(one->name, self->list[i - 1].name);
        if (i > 0) torc_request_write(request, goes_on ? TORC_STR("|") : TORC_STR("\n"));
        if (!goes_on) torc_request_write(request, one->name);
        if (!goes_on) torc_request_write(request, TORC_STR("="));
        if (one->entry && one->entry->fd >= 0)
            write_file(request, one->entry);
        else
            torc_request_write(request, one->value);
    }
}

static void write_cookies(torc_request *request, items *self) {
    torc_cookie_place place = {0};
    torc_str name, value;

    self->count = 0;
    while (torc_request_cookie_next(request, &place, &name, &value)) add(self, name, value, NULL);
    qsort(self->list, self->count, sizeof(self->list[0]), compare);
    torc_request_write(request, TORC_STR("\n#"));
    for (size_t i = 0; i < self->count; i++) {
        if (i > 0) torc_request_write(request, TORC_STR(","));
        torc_request_write(request, self->list[i].name);
        torc_request_write(request, TORC_STR(":"));
        torc_request_write(request, self->list[i].value);
    }
}

/* Other content than a form adds nothing. */
static torc_err read_form(torc_request *request, const torc_form_entries **form) {
    static const torc_form_entries none;
    torc_err err = TORC_OK;

    *form = &none;
    if (torc_request_method(request) != TORC_METHOD_POST) return TORC_OK;
    torc_request_limits(request)->body_bytes_max = 64u * 1024 * 1024;
    err = torc_request_form(request, form);
    return err == TORC_ERR_MEDIA_TYPE ? TORC_OK : err;
}

torc_render reference_form(torc_request *request) {
    const torc_form_entries *form;
    items all = {.count = 0};

    const torc_err err = read_form(request, &form);
    if (err) return torc_reply_error(request, err);
    all.list = torc_arena_alloc_zero(torc_request_arena(request), ITEMS_MAX, sizeof(all.list[0]));
    if (!all.list) return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    add_arguments(&all, request, form);
    qsort(all.list, all.count, sizeof(all.list[0]), compare);
    write_arguments(request, &all);
    write_cookies(request, &all);
    return torc_reply_end(request);
}
