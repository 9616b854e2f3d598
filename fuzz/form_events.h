/* SPDX-License-Identifier: MIT */
#ifndef TORC_FUZZ_FORM_EVENTS_H
#define TORC_FUZZ_FORM_EVENTS_H

#include "fuzz.h"
#include "http/form_parse.h"

/*
 * A form through its parser, in pieces: what comes of it is the same as when it comes whole. All
 * that is told is written to a buffer, behind tags.
 */
typedef torc_form_event form_step_fn(void *parser, torc_str *bytes, bool is_last,
                                     torc_str *content);

typedef struct form_told {
    torc_buf text;
    bool is_bad;
    torc_err err;
    const char *problem;
    size_t parts;
} form_told;

static inline void form_tell_part(form_told *told, const torc_form_part *part) {
    torc_buf_addf(&told->text, "\n[%zu,%zu,%zu,%d]", part->name.len, part->filename.len,
                  part->content_type.len, part->is_bare);
    torc_buf_add(&told->text, part->name);
    torc_buf_add(&told->text, part->filename);
    torc_buf_add(&told->text, part->content_type);
    told->parts++;
}

/* One piece; false: nothing more is told. */
static inline bool form_give(form_told *told, torc_form_parser *parser, form_step_fn *step,
                             torc_str piece, bool is_last) {
    char *const shown = fuzz_copy(piece);
    torc_str bytes = torc_str_make(shown, piece.len), content = {NULL, 0};
    torc_form_event event;

    do {
        event = step(parser, &bytes, is_last, &content);
        FUZZ_CHECK(bytes.len <= piece.len);
        if (event == TORC_FORM_PART) form_tell_part(told, &parser->part);
        if (event == TORC_FORM_CONTENT) {
            FUZZ_CHECK(content.len > 0);
            torc_buf_add(&told->text, content);
        }
        if (event == TORC_FORM_PART_END) torc_buf_add_byte(&told->text, '.');
    } while (event == TORC_FORM_PART || event == TORC_FORM_CONTENT || event == TORC_FORM_PART_END);
    FUZZ_CHECK(event == TORC_FORM_BAD || bytes.len == 0);
    FUZZ_CHECK(event != TORC_FORM_END || is_last);
    free(shown);
    told->is_bad = event == TORC_FORM_BAD;
    if (!told->is_bad) return event == TORC_FORM_MORE;
    told->err = parser->err;
    told->problem = parser->problem;
    FUZZ_CHECK(told->err && told->problem);
    return false;
}

/* In pieces by `seed`; 0: as a whole. */
static inline form_told form_tell(torc_form_parser *parser, form_step_fn *step, torc_str bytes,
                                  uint32_t seed) {
    form_told told = {.is_bad = false};
    bool goes_on = true;

    torc_buf_init(&told.text, NULL, TORC_MEMORY_OTHER, SIZE_MAX / 2);
    while (goes_on && bytes.len > 0) {
        const torc_str piece = torc_str_head(bytes, seed ? fuzz_step(&seed) : bytes.len);
        goes_on = form_give(&told, parser, step, piece, false);
        bytes = torc_str_from(bytes, piece.len);
    }
    if (goes_on) goes_on = form_give(&told, parser, step, bytes, true);
    FUZZ_CHECK(!goes_on && torc_buf_err(&told.text) == TORC_OK);
    return told;
}

static inline void form_check_same(form_told *a, form_told *b) {
    FUZZ_CHECK(a->is_bad == b->is_bad && a->err == b->err && a->problem == b->problem);
    FUZZ_CHECK(torc_str_equals(torc_buf_str(&a->text), torc_buf_str(&b->text)));
    torc_buf_dispose(&a->text);
    torc_buf_dispose(&b->text);
}

#endif
