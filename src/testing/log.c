/* SPDX-License-Identifier: MIT */
/*
 * A log that keeps its events for a test.
 *
 *  - An event is one piece of memory: the record, its fields, and copies of all texts.
 *  - Without memory an event is lost, which the log counts.
 */
#include <assert.h>
#include <torc/testing_log.h>

enum {
    STEP = 32 /* events for which there is room at a time */
};

struct torc_test_log {
    torc_log *log;
    torc_log_record **events;
    size_t count, room;
};

static int64_t stand_still(void *context) {
    (void)context;
    return INT64_C(784111777) * 1000000;
}

/* A copy of a text, with a NUL, at `*to`, which then is behind it. */
static const char *keep(char **to, torc_str text) {
    char *copy = *to;

    if (text.len) memcpy(copy, text.bytes, text.len);
    copy[text.len] = '\0';
    *to += text.len + 1;
    return copy;
}

static bool has_text(const torc_log_field *field) {
    return field->kind == TORC_LOG_KIND_STR || field->kind == TORC_LOG_KIND_BYTES;
}

static size_t texts_of(const torc_log_record *record) {
    size_t bytes = torc_str_of(record->space).len + torc_str_of(record->text).len + 2;

    for (size_t i = 0; i < record->field_count; i++) {
        bytes += torc_str_of(record->fields[i].key).len + 1;
        if (has_text(&record->fields[i])) bytes += record->fields[i].value.str.len + 1;
    }
    return bytes;
}

static torc_log_record *copy_of(const torc_log_record *record) {
    const size_t fields = record->field_count * sizeof(torc_log_field);
    torc_log_record *made =
        torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*made) + fields + texts_of(record));

    if (!made) return NULL;
    torc_log_field *to = (torc_log_field *)(void *)(made + 1);
    char *texts = (char *)made + sizeof(*made) + fields;
    *made = *record;
    made->fields = to;
    made->space = keep(&texts, torc_str_of(record->space));
    made->text = keep(&texts, torc_str_of(record->text));
    for (size_t i = 0; i < record->field_count; i++) {
        to[i] = record->fields[i];
        to[i].key = keep(&texts, torc_str_of(to[i].key));
        if (has_text(&to[i])) to[i].value.str.bytes = keep(&texts, to[i].value.str);
    }
    return made;
}

static bool make_room(torc_test_log *self) {
    const size_t size = (self->room + STEP) * sizeof(*self->events);
    torc_log_record **events = self->events ? torc_realloc(NULL, (void *)self->events, size)
                                            : torc_alloc(NULL, TORC_MEMORY_OTHER, size);

    if (!events) return false;
    self->events = events;
    self->room += STEP;
    return true;
}

static torc_err capture(void *context, const torc_log_record *record) {
    torc_test_log *self = context;

    if (self->count == self->room && !make_room(self)) return TORC_ERR_NO_MEMORY;
    torc_log_record *copy = copy_of(record);
    if (!copy) return TORC_ERR_NO_MEMORY;
    self->events[self->count++] = copy;
    return TORC_OK;
}

torc_err torc_test_log_new(torc_test_log **captured) {
    torc_test_log *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    err = torc_log_new(NULL, NULL, NULL, &self->log);
    if (!err) err = torc_log_add_sink(self->log, capture, NULL, self, NULL, NULL);
    if (!err) err = torc_log_set_level(self->log, NULL, TORC_LOG_LEVEL_DEBUG);
    if (err) {
        torc_test_log_free(self);
        return err;
    }
    torc_log_set_clock(self->log, stand_still, NULL);
    *captured = self;
    return TORC_OK;
}

void torc_test_log_free(torc_test_log *captured) {
    if (!captured) return;
    torc_log_free(captured->log);
    torc_test_log_clear(captured);
    torc_dealloc(NULL, (void *)captured->events);
    torc_dealloc(NULL, captured);
}

torc_log *torc_test_log_log(const torc_test_log *captured) {
    return captured->log;
}

size_t torc_test_log_count(const torc_test_log *captured) {
    return captured->count;
}

const torc_log_record *torc_test_log_at(const torc_test_log *captured, size_t n) {
    assert(n < captured->count);
    return captured->events[n];
}

static bool is_of(const torc_log_record *record, const char *space, const char *text) {
    return strcmp(record->space, space) == 0 && strcmp(record->text, text) == 0;
}

const torc_log_record *torc_test_log_find(const torc_test_log *captured, const char *space,
                                          const char *text) {
    for (size_t i = 0; i < captured->count; i++)
        if (is_of(captured->events[i], space, text)) return captured->events[i];
    return NULL;
}

size_t torc_test_log_forget(torc_test_log *captured, const char *space, const char *text) {
    const size_t before = captured->count;

    captured->count = 0;
    for (size_t i = 0; i < before; i++) {
        if (is_of(captured->events[i], space, text))
            torc_dealloc(NULL, captured->events[i]);
        else
            captured->events[captured->count++] = captured->events[i];
    }
    return before - captured->count;
}

void torc_test_log_clear(torc_test_log *captured) {
    for (size_t i = 0; i < captured->count; i++) torc_dealloc(NULL, captured->events[i]);
    captured->count = 0;
}
