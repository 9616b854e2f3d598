/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTS_FORM_EVENTS_H
#define TORC_TESTS_FORM_EVENTS_H

#include <stdlib.h>

#include "check.h"
#include "http/form_parse.h"
#include "reactor/reactor.h"

/*
 * What comes of a form, as text: "[name|filename|type] content ." for each part, "=" for its end,
 * "!ERR" for what is wrong. How the content was cut is not told.
 */
typedef struct form_events {
    char text[4096];
    size_t len;
    const char *problem;
} form_events;

static inline void form_events_add(form_events *self, torc_str text) {
    for (size_t i = 0; i < text.len && self->len + 1 < sizeof(self->text); i++)
        self->text[self->len++] = text.bytes[i];
    self->text[self->len] = '\0';
}

static inline void form_events_add_part(form_events *self, const torc_form_part *part) {
    form_events_add(self, TORC_STR("["));
    form_events_add(self, part->name);
    if (part->filename.bytes) form_events_add(self, TORC_STR("|"));
    form_events_add(self, part->filename);
    if (part->content_type.bytes) form_events_add(self, TORC_STR(";"));
    form_events_add(self, part->content_type);
    form_events_add(self, part->is_bare ? TORC_STR("?]") : TORC_STR("]"));
}

/* A parser of either kind. */
typedef struct form_parsing {
    torc_reactor *reactor;
    torc_limits limits;
    const char *boundary; /* NULL: urlencoded */
    union {
        torc_form_parser base;
        torc_urlencoded urlencoded;
        torc_multipart multipart;
    } by;
} form_parsing;

static inline void form_parsing_begin(form_parsing *self) {
    if (self->boundary)
        torc_multipart_init(&self->by.multipart, self->reactor, &self->limits,
                            torc_str_of(self->boundary));
    else
        torc_urlencoded_init(&self->by.urlencoded, self->reactor, &self->limits);
}

static inline void form_parsing_end(form_parsing *self) {
    if (self->boundary)
        torc_multipart_dispose(&self->by.multipart);
    else
        torc_urlencoded_dispose(&self->by.urlencoded);
}

/* Give a piece, in memory of its own. False: nothing more comes. */
static inline bool form_parsing_give(form_parsing *self, torc_str piece, bool is_last,
                                     form_events *events) {
    char *copy = malloc(piece.len ? piece.len : 1);
    torc_str bytes = torc_str_make(copy, piece.len), content;
    torc_form_event event;

    assert_non_null(copy);
    if (piece.len) memcpy(copy, piece.bytes, piece.len);
    do {
        content = torc_str_make(NULL, 0);
        event = self->boundary
                    ? torc_multipart_parse(&self->by.multipart, &bytes, is_last, &content)
                    : torc_urlencoded_parse(&self->by.urlencoded, &bytes, is_last, &content);
        if (event == TORC_FORM_PART) form_events_add_part(events, &self->by.base.part);
        if (event == TORC_FORM_CONTENT) assert_true(content.len > 0);
        if (event == TORC_FORM_CONTENT) form_events_add(events, content);
        if (event == TORC_FORM_PART_END) form_events_add(events, TORC_STR("."));
        if (event == TORC_FORM_END) form_events_add(events, TORC_STR("="));
    } while (event != TORC_FORM_MORE && event != TORC_FORM_END && event != TORC_FORM_BAD);
    if (event == TORC_FORM_MORE) assert_int_equal(bytes.len, 0);
    free(copy);
    if (event == TORC_FORM_BAD) {
        form_events_add(events, TORC_STR("!"));
        form_events_add(events, torc_str_of(torc_err_name(self->by.base.err)));
        events->problem = self->by.base.problem;
        assert_non_null(events->problem);
    }
    return event == TORC_FORM_MORE;
}

/* Give it in pieces that end at these places (in order, SIZE_MAX ends the list), and its end. */
static inline form_events form_parse(form_parsing *self, torc_str form, const size_t *cuts) {
    form_events events = {.len = 0};
    size_t start = 0;
    bool goes_on = true;

    form_parsing_begin(self);
    for (; goes_on && *cuts < form.len; start = *cuts++)
        goes_on = form_parsing_give(self, torc_str_head(torc_str_from(form, start), *cuts - start),
                                    false, &events);
    if (goes_on) goes_on = form_parsing_give(self, torc_str_from(form, start), false, &events);
    if (goes_on) goes_on = form_parsing_give(self, torc_str_make("", 0), true, &events);
    assert_false(goes_on);
    form_parsing_end(self);
    return events;
}

/* Whole, in every two pieces, and byte by byte it comes to this. */
static inline void check_form(form_parsing *self, torc_str form, const char *expected) {
    const size_t never = SIZE_MAX;
    size_t *all = malloc((form.len + 1) * sizeof(*all));
    form_events events = form_parse(self, form, &never);

    assert_non_null(all);
    assert_string_equal(events.text, expected);
    const char *problem = events.problem;
    for (size_t at = 0; at <= form.len; at++) {
        const size_t cuts[] = {at, SIZE_MAX};
        events = form_parse(self, form, cuts);
        assert_string_equal(events.text, expected);
        assert_ptr_equal(events.problem, problem);
        all[at] = at < form.len ? at : SIZE_MAX;
    }
    events = form_parse(self, form, all);
    assert_string_equal(events.text, expected);
    free(all);
}

#endif
