/* SPDX-License-Identifier: MIT */
#ifndef NOTES_H
#define NOTES_H

#include <torc/torc.h>

/*
 * The notes: in the memory of the one process that serves, at most NOTES_MAX of them, gone when it
 * ends. notes_api.c answers programs, notes_page.c people.
 */
typedef struct note {
    int64_t id;
    char title[161]; /* 40 characters of UTF-8 */
    char text[1601]; /* 400 */
    bool done;
    uint32_t version; /* 1, and one more by each change */
} note;

enum {
    NOTES_MAX = 100,
    NOTE_BODY_MAX = 8192
};

extern const torc_json_struct note_json;  /* what is sent */
extern const torc_json_struct input_json; /* what is taken: checked by its fields */

size_t note_count(void);
/* From the newest, 0, on. */
const note *note_at(size_t place);
const note *note_find(int64_t id);
/* Keep a new note; NULL: there are too many. */
const note *note_add(const note *input);
void note_change(int64_t id, const note *input);
void note_remove(int64_t id);

/* The routes, in a group of their own, with all that holds for programs. */
void notes_use_api(torc_app *app);
/* The page, which needs no script. */
void notes_use_page(torc_app *app);

#endif
