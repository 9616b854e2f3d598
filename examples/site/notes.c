/* SPDX-License-Identifier: MIT */
/* Notes, and what they are as JSON. */
#include "notes.h"

#include <string.h>

static const torc_json_field input_fields[] = {
    TORC_JSON_FIELD_TEXT(note, title, .min = 1, .max = 40),
    TORC_JSON_FIELD_TEXT(note, text, .optional = true, .max = 400),
    TORC_JSON_FIELD_BOOL(note, done, .optional = true),
};
const torc_json_struct input_json = TORC_JSON_STRUCT(note, input_fields);

static const torc_json_field note_fields[] = {
    TORC_JSON_FIELD_INT(note, id, .min = 1, .max = -1),
    TORC_JSON_FIELD_TEXT(note, title, .min = 1, .max = 40),
    TORC_JSON_FIELD_TEXT(note, text, .max = 400),
    TORC_JSON_FIELD_BOOL(note, done),
};
const torc_json_struct note_json = TORC_JSON_STRUCT(note, note_fields);

static note notes[NOTES_MAX] = {{1, "Read the tutorial", "It begins with hello.", false, 1}};
static size_t count = 1;
static int64_t last_id = 1;

size_t note_count(void) {
    return count;
}

const note *note_at(size_t place) {
    return &notes[count - 1 - place];
}

static note *find(int64_t id) {
    for (size_t i = 0; i < count; i++)
        if (notes[i].id == id) return &notes[i];
    return NULL;
}

const note *note_find(int64_t id) {
    return find(id);
}

const note *note_add(const note *input) {
    if (count == NOTES_MAX) return NULL;

    note *it = &notes[count++];
    *it = *input;
    it->id = ++last_id;
    it->version = 1;
    return it;
}

void note_change(int64_t id, const note *input) {
    note *it = find(id);
    const uint32_t version = it->version + 1;

    *it = *input;
    it->id = id;
    it->version = version;
}

void note_remove(int64_t id) {
    note *it = find(id);
    const size_t place = (size_t)(it - notes);

    memmove(it, it + 1, (--count - place) * sizeof(*it));
}
